"""Sentences of people in Debian's packages: what is read of them, what is taken, and the rows that follow."""

import gzip

import fakes
import numpy as np
import pytest
import soundfile

from mtbench.avsr.evaluation import evaluate
from mtbench.avsr.evaluation.error_rows import ErrorRow
from mtbench.avsr.evaluation.model_card import format_summary
from mtbench.avsr.evaluation.people import gather_sentences, is_sentence, pick_sentences
from mtbench.avsr.evaluation.sentence_packages import (
    SENTENCE_LANGUAGES,
    find_share,
    list_sayings,
    name_packages,
    two_letters,
)
from mtbench.errors import BenchmarkError, UsageError

NAME = "real-sentences-a-clean"
EXCHANGE = """\ufeff; Suoni: elenco
activated: Attivato.
vm-login: Prego digitare il numero della casella.
wait: Tutti i nostri operatori sono al momento occupati.
wait-again:   Tutti i nostri  operatori sono al momento occupati.
much: Tutti i nostri operatori sono occupati, e il tempo di attesa potrebbe essere molto lungo per tutti voi.
press: Prego premere 1 per uscire dal menu.
digits/1: Uno e due e tre e quattro.
gone: Questo non si trova da nessuna parte.
"""
DIALOGS = """dialogId("a-m-een", "font_small", "Not \\"this\\" one.")
dialogStr("Dat is toch een heel mooi huis.")

dialogId("a-v-twee", "font_big", "x")
dialogStr("Waar is die man dan gebleven?")

dialogId("a-v-drie", "font_big", "x")
dialogStr("Hou je mond nou toch eens!")

dialogId("a-x-vier", "font_crab", "x")
dialogStr("Ik ben maar een arme krab.")

dialogId("../a-m-vijf", "font_small", "x")
dialogStr("Dat mag natuurlijk helemaal niet zo.")
"""


def tone(seconds, rate=16000):
    t = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 220 * t) * np.sin(2 * np.pi * 3 * t)).astype(np.float32)


def write_g722(path, seconds):
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16000, layout="mono")
        samples = (tone(seconds) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux([*stream.encode(frame), *stream.encode(None)])


def write_ogg(path, seconds):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, 22050), 22050, format="OGG", subtype="VORBIS")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A folder as dpkg -x leaves it: Italian of the exchange, Dutch of the game."""
    folder = tmp_path_factory.mktemp("unpacked")
    share = folder / "usr" / "share"
    doc = share / "doc" / "asterisk-core-sounds-it"
    doc.mkdir(parents=True)
    (doc / "core-sounds-it.txt.gz").write_bytes(gzip.compress(EXCHANGE.encode()))
    sounds = share / "asterisk" / "sounds" / "it_IT_m_Carlo"
    for name in ("activated", "vm-login", "wait", "wait-again", "press", "digits/1"):
        write_g722(sounds / f"{name}.g722", 3.0)
    write_g722(sounds / "much.g722", 3.0)  # 84 letters in three seconds are of another sound
    level = share / "games" / "fillets-ng" / "script" / "attic"
    level.mkdir(parents=True)
    (level / "dialogs_nl.lua").write_text(DIALOGS, "utf-8")
    for name in ("a-m-een", "a-v-twee", "a-v-drie", "a-x-vier"):
        write_ogg(share / "games" / "fillets-ng" / "sound" / "attic" / "nl" / f"{name}.ogg", 2.0)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return fakes.make_benchmark(tmp_path_factory.mktemp("people") / "home")


@pytest.fixture(scope="module")
def rows(unpacked, home):
    return evaluate(home, fakes.ONE_EAR, conditions=[NAME], sentences=unpacked, languages=["ita", "nld"])


@pytest.mark.parametrize(
    ("text", "language", "whole"),
    [
        ("All circuits are busy now.", "eng", True),
        ("What do you think I said?", "eng", True),
        ("Buď ráda, že jsi tady.", "ces", True),
        ("Введите пароль и нажмите решетку.", "rus", True),
        ("followed by the pound key", "eng", False),
        ("The time is exactly...", "eng", False),
        ("Please press 1 to exit.", "eng", False),
        ("Please call the IRS right now.", "eng", False),
        ("Please choose option B right now.", "eng", False),
        ("Not so fast you two!", "eng", False),
        ("Hmmm what is that now.", "eng", False),
        ("Thank you.", "eng", False),
        ("This is a zzyxqwv of sorts.", "eng", False),
        ("This is of course (not) so.", "eng", False),
    ],
)
def test_whole_sentences_of_common_words_are_told_from_others(text, language, whole):
    pytest.importorskip("wordfreq")
    assert is_sentence(text, language) is whole


def test_packages_are_read_as_they_lie(unpacked):
    share = find_share(unpacked)
    assert share == unpacked / "usr" / "share" == find_share(share)
    heard = {saying.name: saying for saying in list_sayings(share, "ita")}
    # No digits, nothing without a sound.
    assert list(heard) == ["activated", "vm-login", "wait", "wait-again", "much", "press"]
    assert heard["activated"].text == "Attivato."
    said = [(saying.speaker, saying.name, saying.text) for saying in list_sayings(share, "nld")]
    assert said == [
        ("small", "attic/a-m-een", "Dat is toch een heel mooi huis."),
        ("big", "attic/a-v-twee", "Waar is die man dan gebleven?"),
        ("big", "attic/a-v-drie", "Hou je mond nou toch eens!"),
    ]
    assert list_sayings(share, "eng") == []


def test_sentences_are_picked_from_all_speakers_in_turn_and_always_the_same(unpacked):
    share = find_share(unpacked)
    assert {s.name for s in pick_sentences(list_sayings(share, "ita"))} == {"vm-login", "wait"}
    dutch = list_sayings(share, "nld")
    assert [s.speaker for s in pick_sentences(dutch)] == ["big", "small"]
    assert pick_sentences(dutch[::-1]) == pick_sentences(dutch)
    assert len(pick_sentences(dutch, most=1)) == 1


def test_benchmark_has_sound_words_and_the_engines_reading(unpacked, tmp_path):
    pytest.importorskip("espeakng_loader")
    made = gather_sentences(unpacked, tmp_path / "made", ["ita", "nld"])
    assert not made.lacking
    clips = {clip.transcript: clip for clip in made.benchmark.clips}
    assert set(clips) == {
        "Prego digitare il numero della casella.",
        "Tutti i nostri operatori sono al momento occupati.",
        "Dat is toch een heel mooi huis.",
        "Waar is die man dan gebleven?",
    }
    clip = clips["Prego digitare il numero della casella."]
    assert "".join(clip.phones).startswith("prɛɡodidʒitare")
    assert clip.frames == pytest.approx(75, abs=1)
    assert np.sqrt(np.mean(clip.load_audio() ** 2)) == pytest.approx(
        np.sqrt(np.mean(tone(3.0) ** 2)), rel=0.05
    )
    assert "casella" in made.benchmark.lexicon("ita").words
    assert {p.name for p in tmp_path.iterdir()} == {"made"}


def test_rows_are_by_language_with_their_mean(rows):
    """Dutch is at hand, but the recognizer does not know it."""
    mean, dutch, italian = rows
    assert [(r.language, r.n_clips) for r in rows] == [("all", 2), ("nld", 0), ("ita", 2)]
    assert "does not know this language" in dutch.reason
    assert (mean.per, mean.wer) == (italian.per, italian.wer)
    assert None not in (mean.per, mean.wer)


def test_without_a_package_the_command_to_install_it_is_named(unpacked, home, tmp_path):
    (tmp_path / "games" / "fillets-ng").mkdir(parents=True)
    (row,) = evaluate(home, fakes.ONE_EAR, conditions=[NAME], sentences=tmp_path)
    assert (row.language, row.per, row.n_clips) == ("all", None, 0)
    for code in SENTENCE_LANGUAGES:
        assert all(package in row.reason for package in name_packages(code))
    assert f"`{NAME}` was not measured: {row.reason}" in format_summary([row])


def test_no_mean_is_told_where_a_language_is_missing(unpacked, home):
    rows = evaluate(home, fakes.ONE_EAR, conditions=[NAME], sentences=unpacked, languages=["ita", "spa"])
    mean, italian, spanish = sorted(rows, key=lambda r: ("all", "ita", "spa").index(r.language))
    assert mean.per is None
    assert mean.n_clips == italian.n_clips == 2
    assert italian.per is not None
    assert "asterisk-core-sounds-es-g722" in spanish.reason
    assert "asterisk-core-sounds-it" not in mean.reason
    assert f"`{NAME}` has no mean: {mean.reason}" in format_summary(rows)


def test_no_package_in_a_language_is_a_row_with_a_reason(home):
    (row,) = evaluate(home, fakes.ONE_EAR, conditions=[NAME], languages=["jpn"])
    assert row == ErrorRow(NAME, "all", reason="no package holds sentences in the chosen languages")


def test_other_folders_and_damaged_lists_are_errors(tmp_path):
    with pytest.raises(UsageError, match="dpkg -x"):
        find_share(tmp_path)
    (tmp_path / "asterisk" / "sounds").mkdir(parents=True)
    for code in ("eng", "fra"):
        short = two_letters(code)
        doc = tmp_path / "doc" / f"asterisk-core-sounds-{short}"
        doc.mkdir(parents=True)
        broken = b"no gzip" if code == "eng" else gzip.compress(b"name: text " * 999)[:-30]
        (doc / f"core-sounds-{short}.txt.gz").write_bytes(broken)
        with pytest.raises(BenchmarkError, match=f"core-sounds-{short}.txt.gz: cannot be read"):
            list_sayings(find_share(tmp_path), code)
