"""Open vocabularies: common words with pronunciations, made once, the same bytes everywhere."""

import fakes
import numpy as np
import pytest

import mtbench
from mtbench.avsr import Hypothesis
from mtbench.benchmarks import count_unlisted, load_benchmark
from mtbench.conditions import Condition
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.results.understanding import measure_understanding
from mtbench.scoring import measure_recognition
from mtbench.scoring.vocabularies import compare_with_reading, find_vocabularies, name_word_lists
from mtbench.speech import get_normalizer
from mtbench.synth import Espeak, Voice, open_words
from mtbench.synth.open_words import RUNNING_WORDS, open_vocabulary
from mtbench.synth.phones import PHONES

pytest.importorskip("espeakng_loader", reason="the speech engine is in the extra [synth]")
pytest.importorskip("wordfreq", reason="word counts are in the extra [synth]")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("vocabularies")


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """Each common word twice among others: a tenth of the time."""
    monkeypatch.setattr(open_words, "_ROUNDS", 2)


@pytest.mark.parametrize("language", ["fra", "jpn", "tha", "deu"])
def test_words_are_what_transcripts_make_words_of(cache, language):
    words = open_vocabulary(language, 150, cache).load()
    # A few are left out: what the engine has no sound for.
    assert 140 <= len(words) <= 150
    normal = get_normalizer()
    assert all(len(normal.words(word, language)) == 1 for word in words.words)
    assert len({normal(word, language) for word in words.words}) == len(words)
    assert words.phones <= set(PHONES)
    assert list(words.counts) == sorted(words.counts, reverse=True)
    assert 1 <= words.counts[-1] < words.counts[0] < RUNNING_WORDS / 5


def test_elided_words_and_sounds_that_neighbors_bring(cache, monkeypatch):
    monkeypatch.setattr(open_words, "_ROUNDS", 20)
    words = open_vocabulary("fra", 150, cache).load()
    said = dict(zip(words.words, words.pronunciations, strict=True))
    # The list of common words has them in two parts, which no transcript has.
    assert {"c'est", "d'un"} <= set(said)
    assert "l" not in said
    assert said["d'un"][0] == ("d", "œ")
    # Alone, and before a vowel.
    assert {("l", "e"), ("l", "e", "z")} <= set(said["les"])


def test_a_vocabulary_is_made_once_and_anew_where_its_file_is_damaged(tmp_path, monkeypatch):
    made = []
    real = open_words.make_open_vocabulary
    monkeypatch.setattr(open_words, "make_open_vocabulary", lambda *a: made.append(a[:2]) or real(*a))
    first = open_vocabulary("eng", 30, tmp_path)
    content = first.path.read_bytes()
    assert open_vocabulary("eng", 30, tmp_path) == first
    assert made == [("eng", 30)]
    assert open_vocabulary("eng", 20, tmp_path).path != first.path
    first.path.write_bytes(content[:-40])
    assert open_vocabulary("eng", 30, tmp_path) == first
    assert first.path.read_bytes() == content
    assert made == [("eng", 30), ("eng", 20), ("eng", 30)]
    # Wherever the cache is, the same bytes; another package is another file.
    assert open_vocabulary("eng", 30, tmp_path / "other").path.read_bytes() == content
    monkeypatch.setattr(open_words, "version", lambda name: "9.9")
    assert open_vocabulary("eng", 30, tmp_path).path != first.path
    assert first.sources[1] == "espeak-ng-1.52.0"


def test_what_cannot_be_made(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="no open vocabulary for swe: one of ara"):
        open_vocabulary("swe", 10, tmp_path)
    with pytest.raises(UsageError, match="of 0 words: expected 1 or more"):
        open_vocabulary("eng", 0, tmp_path)
    monkeypatch.setattr("mtbench.extras.has_module", lambda name: name != "pykakasi")
    with pytest.raises(PrerequisiteError, match=r"needs pykakasi, .* pip install 'multitalk-bench\[synth\]'"):
        open_vocabulary("jpn", 10, tmp_path)


class ListReader(fakes.OneEar):
    """Answers with the first words of its list."""

    needs_lexicon = True

    def transcribe(self, crops, audio, language, lexicon=None):
        said = "undivided" if lexicon is None else " ".join(lexicon.words[:2])
        return [Hypothesis(said, ("a",)) for _ in audio]


def test_only_languages_without_a_list_get_one_and_only_where_it_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr("mtbench.synth.OPEN_WORDS", 25)
    clips = {
        "a": ("eng", 25, "The kettle and the Ounce"),
        "b": ("ita", 25, "senza lista"),
        "c": ("jpn", 25, "のの"),
    }
    folder = fakes.make_benchmark(tmp_path / "small", clips, motion=False, noises=0)
    (folder / "ita.tsv").write_text("lista\tl i s t a\n", "utf-8")
    file = folder / "benchmark.toml"
    file.write_text(file.read_text("utf-8").replace("fps", 'lexicons = {ita = "ita.tsv"}\nfps', 1), "utf-8")
    bench = load_benchmark(folder)
    assert find_vocabularies(bench, fakes.OneEar(), tmp_path) == ()
    assert not (tmp_path / "vocabularies").exists()
    english, japanese = found = find_vocabularies(bench, ListReader(), tmp_path)
    assert [v.language for v in found] == ["eng", "jpn"]
    # "The", "and", "the" of five words; characters in Japanese.
    assert count_unlisted(bench, "eng", english.load()) == (2, 5)
    assert count_unlisted(bench, "jpn", japanese.load()) == (0, 2)
    name = name_word_lists(bench, found)
    assert name.startswith("small#")
    assert "+open:wordfreq-" in name
    assert name_word_lists(bench, ()) == name.partition("+")[0]
    assert name_word_lists(bench, found[:1]) != name
    monkeypatch.setattr("mtbench.extras.has_module", lambda name: name != "pykakasi")
    assert find_vocabularies(bench, ListReader(), tmp_path) == (english,)


def test_speech_without_phones_is_judged_by_how_the_engine_reads_it():
    text = "The kettle and the ounce"
    right = Espeak().speak(text, Voice("eng", "m1")).symbols

    def row(clip, phones, reference=text, language="eng", condition="a-clean"):
        heard = Hypothesis("something else", phones)
        return measure_recognition(
            clip=clip, language=language, source=clip, condition=Condition.parse(condition), reference=reference,
            hypothesis=heard,
        )  # fmt: skip

    rows = [
        row("a", right), row("b", (*right[:-2], "m", "m")), row("c", None), row("d", right, "Butter & ж"),
        row("e", right, language="ita"), row("f", right, condition="a-7.5/babble"),
    ]  # fmt: skip
    found = compare_with_reading(rows, ["eng"])
    assert [r.clip for r in found] == list("abcdef")
    assert [None if r.phones is None else r.phones.errors for r in found] == [0, 2, None, None, None, None]
    # The rows of the result stay without reference phones.
    assert all(r.reference_phones is None for r in found)
    judged = measure_understanding("judge", found[:2], open_words=["eng"])
    assert (judged.unit, judged.understood) == ("phones", True)


def test_one_line_in_python_takes_the_open_vocabulary_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("mtbench.synth.OPEN_WORDS", 25)
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path))
    sound = np.full(6400, 0.1, np.float32)
    assert mtbench.transcribe(None, sound, "eng", recognizer=ListReader()).text == "undivided"
    assert mtbench.transcribe(None, sound, "eng", recognizer=ListReader(), lexicon="open").text == "the to"
