"""Word lists for recordings of one's own: words, spoken forms, what is remarked on, what is kept."""

import hashlib
import re
import shutil
import sys

import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.making.folder import create_benchmark
from mtbench.making.word_lists import is_made, make_word_lists
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.speech.normalizers import get_normalizer

pytest.importorskip("espeakng_loader", reason="needs the extra [synth]")
pytest.importorskip("wordfreq", reason="needs the extra [synth]")

from mtbench.synth.espeak import Espeak
from mtbench.synth.phones import PHONES
from mtbench.synth.transcripts import read_transcript
from mtbench.synth.word_lists import COMMON_WORDS, make_word_list

pytestmark = pytest.mark.synth


@pytest.fixture(scope="module")
def bundled():
    return load_benchmark("openhead-20")


def recordings(folder, bundled, *clips, **texts):
    """Sounds of the bundled benchmark with texts beside them, as a user has them."""
    for name in clips:
        clip = bundled.clip(name)
        place = folder / clip.language
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{name}.wav", clip.audio, 16000)
        (place / f"{name}.txt").write_text(texts.get(name.replace("-", "_"), clip.transcript), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("eng", "A well-known song, isn't it?", "a well known song isn't it"),
        ("eng", "EVERYONE HAS IT", "everyone has it"),
        ("deu", "Die Straße – groß!", "die straße groß"),
        ("fra", "Aujourd’hui, l'eau", "aujourd’hui l'eau"),
        ("cat", "El col·legi", "el col·legi"),
        ("tur", "IŞIK İSTANBUL'DA", "ışık istanbul'da"),
        ("ell", "ΛΟΓΟΣ", "λογος"),
        ("jpn", "すべての人間は自由", "すべての 人間 は 自由"),
        ("cmn", "人人生而自由，", "人人 生而自由"),
        ("tha", "ทุกคนมีสิทธิ", "ทุกคน มี สิทธิ"),
        ("hin", "सभी मनुष्यों को।", "सभी मनुष्यों को"),
    ],
)
def test_words_of_a_transcript(language, text, words):
    found = read_transcript(text, language)
    assert found.words == tuple(words.split())
    assert len(found.spoken) == len(found.words)
    assert found.remarks == ()
    # What a recognizer answers with these words is right, whatever the transcript looks like.
    normal = get_normalizer()
    assert normal.characters(" ".join(found.words), language) == normal.characters(text, language)
    if language not in normal.unspaced:
        assert normal.words(" ".join(found.words), language) == normal.words(text, language)


def test_what_is_read_otherwise_than_written_is_remarked_on():
    text = "NASA said 1984 dogs, Dr. Smith, 50% of the U.S.A. R & D ж 你好 end. café"
    found = read_transcript(text, "eng")
    kinds = {}
    for kind, token in found.remarks:
        kinds.setdefault(kind, []).append(token)
    assert kinds == {
        "abbreviation": ["NASA", "Dr.", "U.S.A."],
        "digits": ["1984", "50%"],
        "symbol": ["50%", "&"],
        "unsaid": ["ж", "你好"],
    }
    assert " ".join(found.words) == "nasa said 1984 dogs dr smith 50 of the u s a r d end café"
    assert ("script", "computer") in read_transcript("новый computer", "rus").remarks
    assert ("unsaid", "50") in read_transcript("คน 50", "tha").remarks
    assert read_transcript("--- ...", "eng").words == ()


def test_a_list_is_the_transcripts_words_and_common_ones(bundled):
    engine = Espeak()
    texts = {"a": "The ounce of butter, please.", "b": "Butter and bread ж!"}
    made = make_word_list("eng", texts, engine, 60)
    assert (made.n_spoken, made.n_common, len(made.lexicon)) == (7, 60, 67)
    assert made.lexicon.words[:7] == ("and", "bread", "butter", "of", "ounce", "please", "the")
    assert len(set(made.lexicon.words)) == 67
    assert made.lexicon.words[7:12] == ("to", "a", "in", "i", "is")
    counts = dict(zip(made.lexicon.words, made.lexicon.counts, strict=True))
    # "the" is about one word in twenty, "ounce" one in a million.
    assert 100 < counts["the"] < 250
    assert counts["ounce"] == 0
    pronounced = dict(zip(made.lexicon.words, made.lexicon.pronunciations, strict=True))
    assert ("b", "ʌ", "t", "ə") in pronounced["butter"]
    assert made.lexicon.phones <= set(PHONES)
    # Phones of a text with something unsayable would lack something; it is told instead.
    assert set(made.phones) == {"a"}
    assert "".join(made.phones["a"]).startswith("ðɪjaʊns")
    assert ("unsaid", "ж", "b") in made.remarks
    assert "espeak-ng 1.52" in made.sources
    assert make_word_list("eng", texts, engine, 60) == made
    assert len(make_word_list("eng", texts, engine, 0).lexicon) == 7


@pytest.mark.parametrize(
    "language", ["eng", "tha", *(pytest.param(c, marks=pytest.mark.slow) for c in LANGUAGES)]
)
def test_every_language_has_a_list_that_covers_its_clips(bundled, language):
    clips = {c.id: c.transcript for c in bundled.clips if c.language == language}
    made = make_word_list(language, clips, Espeak(), 100)
    normal = get_normalizer()
    words = {normal(word, language) for word in made.lexicon.words}
    spoken = {
        normal(word, language) for text in clips.values() for word in read_transcript(text, language).words
    }
    assert spoken <= words
    assert made.n_common == 100
    assert sum(made.lexicon.counts) > 300
    assert made.lexicon.phones <= set(PHONES)
    assert set(made.phones) == set(clips)
    assert not [r for r in made.remarks if r[0] in ("digits", "unsaid", "symbol")]
    # Mostly as the clips' own voices say it.
    same = [made.phones[c.id] == c.phones for c in bundled.clips if c.language == language]
    assert sum(same) >= 3


def test_clean_words_are_understood_as_with_the_bundled_list(tmp_path, bundled):
    """Case ``30-no-word-list``: with a list that was made, clean words are as right as with the bundled one."""
    from mtbench.avsr.openhead.recognizer import OpenheadAV
    from mtbench.metrics.word_errors import count_word_edits

    names = ("eng-03", "eng-04", "eng-05")
    source = recordings(tmp_path / "rec", bundled, *names)
    bench = create_benchmark(tmp_path / "b", source, language="English", words="auto")
    judge = OpenheadAV.load()
    rates = {}
    for which, lexicon in (("auto", bench.lexicon("eng")), ("bundled", bundled.lexicon("eng"))):
        edits = [
            count_word_edits(
                clip.transcript, judge.transcribe(None, [clip.audio], "eng", lexicon)[0].text, "eng"
            )
            for clip in bench.clips
        ]
        rates[which] = sum(edits[1:], edits[0]).rate
    assert rates["auto"] <= 0.2
    assert rates["auto"] <= rates["bundled"] + 0.05
    assert len(bench.lexicon("eng")) == COMMON_WORDS + len(
        {w for c in bench.clips for w in c.transcript.split()}
    )
    assert all(clip.phones for clip in bench.clips)


def test_texts_that_nothing_can_be_said_of(tmp_path):
    engine = Espeak()
    made = make_word_list(
        "eng", {"a": "ж ж", "b": "... — !", "c": "😀", "d": "\u200d\u0301", "e": "word"}, engine, 0
    )
    assert made.lexicon.words == ("word",)
    assert set(made.phones) == {"e"}
    assert ("unsaid", "ж", "a") in made.remarks
    assert ("symbol", "😀", "c") in made.remarks
    nothing = make_word_list("eng", {"a": "ж"}, engine, 0)
    assert len(nothing.lexicon) == 0


#: Letters, marks, digits and signs of many scripts, as stray bytes and pages bring them.
ODD = st.text(
    st.sampled_from("abcÉßłŞİıдєё漢人あーกึ้กाखिت٣½Ⅳ’'·-.,&%€😀\u200d\u00ad\u0301ﬁＡ한 \u00a0"),
    min_size=0,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(ODD, st.sampled_from(sorted(LANGUAGES)))
def test_any_text_gives_words_that_are_right_answers(text, language):
    found = read_transcript(text, language)
    normal = get_normalizer()
    assert len(found.words) == len(found.spoken)
    assert all(len(normal.words(word, language)) == 1 for word in found.words)
    if language not in normal.unspaced and not any(kind == "unsaid" for kind, _ in found.remarks):
        assert normal.words(" ".join(found.words), language) == normal.words(text, language)


@settings(max_examples=25, deadline=None)
@given(ODD, st.sampled_from(sorted(LANGUAGES)))
def test_any_text_gives_a_list(text, language):
    made = make_word_list(language, {"a": text}, Espeak(), 0)
    assert made.lexicon.phones <= set(PHONES)
    assert made.n_common == 0


def run(*args):
    from mtbench.cli.app import app

    return CliRunner().invoke(app, [str(a) for a in args])


def test_the_command(tmp_path, bundled):
    """Case ``30-no-word-list``: ``benchmark new`` names what is missing, ``benchmark lexicon`` makes it."""
    source = recordings(
        tmp_path / "rec", bundled, "eng-05", "ita-01", eng_05="Everyone has 1 right to a nationality"
    )
    done = run("benchmark", "new", tmp_path / "b", "--audio", source)
    assert done.exit_code == 0
    assert "no word list for English, Italian: openhead-av answers with words of an open" in done.output
    assert "mtbench benchmark lexicon" in done.output
    before = load_benchmark(tmp_path / "b").digest
    done = run("benchmark", "lexicon", tmp_path / "b", "--common", 20)
    assert done.exit_code == 0
    assert (
        "English: 27 words in lexicon/eng.tsv (7 of the transcripts, 20 common ones), phones of 1 clip(s);"
        in done.output
    )
    assert "counts in 3000 running words by wordfreq" in done.output
    assert "English, digits: '1' (clip eng-05) is read as the engine reads numbers" in done.output
    bench = load_benchmark(tmp_path / "b")
    assert set(bench.lexicons) == {"eng", "ita"}
    assert len(bench.lexicon("eng")) == 27
    assert all(clip.phones for clip in bench.clips)
    assert bench.digest != before
    assert not list((tmp_path / "b").rglob("*.tmp"))
    # Again: the same bytes.
    done = run("benchmark", "lexicon", tmp_path / "b", "--common", 20)
    assert "nothing has changed" in done.output
    assert load_benchmark(tmp_path / "b").digest == bench.digest
    # And the same as at once.
    auto = create_benchmark(tmp_path / "b2", source, name="b", words="auto")
    make_word_lists(auto.root, common=20)
    assert load_benchmark(auto.root).digest == bench.digest


def test_lists_and_phones_of_people_are_kept(tmp_path, bundled):
    source = recordings(tmp_path / "rec", bundled, "eng-05", "ita-01")
    root = create_benchmark(tmp_path / "b", source).root
    make_word_lists(root, common=5)
    list_file, manifest = root / "lexicon/eng.tsv", root / "benchmark.toml"
    assert is_made(list_file)
    changed = list_file.read_text("utf-8") + "extra\te k s t ɹ ə\t1\n"
    list_file.write_text(changed, "utf-8")
    assert not is_made(list_file)
    text = manifest.read_text("utf-8").replace("  # by mtbench benchmark lexicon", "  # checked by ear")
    manifest.write_text(text, "utf-8")
    made = make_word_lists(root, common=6)
    assert set(made.lists) == {"ita"}
    assert "eng.tsv was not made by this command and is kept; --force replaces it" in made.kept["eng"]
    assert list_file.read_text("utf-8") == changed
    assert manifest.read_text("utf-8") == text
    assert run("benchmark", "lexicon", root, "--language", "en").output.count("is kept") == 1
    make_word_lists(root, ["English"], common=6, force=True)
    assert is_made(list_file)
    # A list that is kept is no reason to do without phones.
    manifest.write_text(re.sub(r"\nphones = .*", "", manifest.read_text("utf-8")), "utf-8")
    list_file.write_text(changed, "utf-8")
    made = make_word_lists(root, ["eng"], common=6)
    assert made.kept["eng"].endswith("--force replaces it")
    assert made.remarks()[0].endswith("; 1 clip(s) have phones of this command")
    assert load_benchmark(root).clip("eng-05").phones
    assert load_benchmark(root).clip("ita-01").phones is None
    # A list that nothing names is somebody's too.
    lines = [line for line in manifest.read_text("utf-8").splitlines() if not line.startswith("ita = ")]
    manifest.write_text("\n".join(lines) + "\n", "utf-8")
    (root / "lexicon/ita.tsv").write_text("ciao\tt ʃ a o\n", "utf-8")
    assert "benchmark.toml does not name it" in make_word_lists(root).kept["ita"]
    assert (root / "lexicon/ita.tsv").read_text("utf-8") == "ciao\tt ʃ a o\n"


def test_usage(tmp_path, bundled, monkeypatch):
    source = recordings(tmp_path / "rec", bundled, "ita-01")
    with pytest.raises(UsageError, match="benchmark that mtbench builds, which brings its own word lists"):
        make_word_lists("openhead-20")
    with pytest.raises(UsageError, match="words can be 'auto' or 'none', not 'all'"):
        create_benchmark(tmp_path / "b", source, words="all")
    root = create_benchmark(tmp_path / "b", source).root
    with pytest.raises(UsageError, match=r"b@1 has no clips in German; it has Italian"):
        make_word_lists(root, ["Deutsch"])
    # Another language than the twenty has no engine, and is told.
    manifest = root / "benchmark.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"ita"', '"swe"'), "utf-8")
    before = hashlib.sha256(manifest.read_bytes()).digest()
    assert "none of the twenty languages" in make_word_lists(root).kept["swe"]
    assert hashlib.sha256(manifest.read_bytes()).digest() == before
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    for make in (
        lambda: make_word_lists(root),
        lambda: create_benchmark(tmp_path / "c", source, words="auto"),
    ):
        with pytest.raises(PrerequisiteError, match=r"multitalk-bench\[synth\]"):
            make()
    assert not (tmp_path / "c").exists()
    shutil.rmtree(root)
