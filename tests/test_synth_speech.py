"""Texts, the speech engine, timed phones and training utterances."""

import numpy as np
import pytest

pytest.importorskip("espeakng_loader", reason="the extra [synth] is not installed")

from mtbench.errors import UsageError
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.synth.espeak import Espeak
from mtbench.synth.espeak_segments import CLOSURE
from mtbench.synth.frontends import respell_thai, segment
from mtbench.synth.phones import PHONES, SILENCE
from mtbench.synth.speech import UtteranceSource, pad_speech
from mtbench.synth.voices import ENGINE_LANGUAGES, NOISE_VOICES, TEST_VOICES, TRAIN_VOICES, Voice, draw_voice
from mtbench.timing import SAMPLE_RATE

pytestmark = pytest.mark.synth

SAYINGS = {
    "ita": "Papà, la pappa è pronta!",
    "eng": "No one of the members shall be held, happy or not.",
    "rus": "Папа, правильный человек.",
    "cmn": "任何人 不得 加以 酷刑.",
    "deu": "Jeder hat das Recht auf Leben.",
    "hin": "प्रत्येक व्यक्ति को अधिकार है।",
}


@pytest.fixture(scope="module")
def engine():
    return Espeak()


def level(audio, start, end):
    part = audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(float)
    return float(np.sqrt(np.mean(part**2))) if len(part) else 0.0


def test_the_engine_is_the_pinned_one(engine):
    assert engine.version.startswith("1.52")


@pytest.mark.parametrize("language", SAYINGS)
def test_phones_fill_the_utterance(engine, language):
    speech = engine.speak(SAYINGS[language], Voice(language, "f3"))
    assert speech.audio.dtype == np.float32
    assert 0.5 < speech.duration < 6
    assert speech.phones[0].start == 0
    assert speech.phones[-1].end == pytest.approx(speech.duration, abs=1e-3)
    for before, after in zip(speech.phones, speech.phones[1:], strict=False):
        assert before.end == pytest.approx(after.start)
        assert before.start < before.end
        assert not before.symbol == after.symbol == SILENCE
    assert set(speech.symbols) <= set(PHONES)
    for phone in speech.phones:
        assert phone.release is None or phone.start <= phone.release <= phone.end
        assert (phone.release is not None) == (phone.symbol in "pbtdʈɖcɟkɡqmnɲŋ" and len(phone.symbol) == 1)


def test_speech_does_not_depend_on_what_was_said_before(engine):
    # Breathy voices (f3, Alicia) draw random numbers, others keep a phase.
    for variant in ("linda", "f3", "Alicia", "klatt", "Reed"):
        voice = Voice("ita", variant, 150, 45, 55)
        first = engine.speak(SAYINGS["ita"], voice)
        engine.speak("something else entirely", Voice("eng", "f2"))
        engine.speak("ещё что-то", Voice("rus", "m3", 190))
        again = engine.speak(SAYINGS["ita"], voice)
        other = Espeak().speak(SAYINGS["ita"], voice)
        for speech in (again, other):
            assert np.array_equal(first.audio, speech.audio)
            assert first.phones == speech.phones


def test_speech_does_not_depend_on_the_process(engine):
    import hashlib
    import subprocess
    import sys

    script = (
        "import hashlib; from mtbench.synth.espeak import Espeak; from mtbench.synth.voices import Voice;"
        "s = Espeak().speak('Ogni individuo ha diritto.', Voice('ita', 'f3'));"
        "print(hashlib.md5(s.audio.tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    here = engine.speak("Ogni individuo ha diritto.", Voice("ita", "f3")).audio
    assert there.strip() == hashlib.md5(here.tobytes()).hexdigest()


def test_voiceless_stops_are_silent_until_their_release(engine):
    """The closure lies before the engine's event; without the shift these levels are those of vowels."""
    quiet, loud = [], []
    for language, text in (
        ("ita", "la papa, la tata, la cacca, apatia"),
        ("spa", "papá toca la pata de Paco"),
    ):
        speech = engine.speak(text, Voice(language, "m1"))
        speaking = level(speech.audio, 0, speech.duration)
        for before, phone in zip(speech.phones, speech.phones[1:], strict=False):
            if phone.symbol in "ptk" and before.symbol != SILENCE:
                assert phone.release - phone.start == pytest.approx(CLOSURE, abs=0.02)
                quiet.append(level(speech.audio, phone.start + 0.008, phone.release) / speaking)
                loud.append(level(speech.audio, phone.start - 0.04, phone.start) / speaking)
    assert len(quiet) > 10
    assert np.median(quiet) < 0.05
    assert np.mean(quiet) < 0.25
    assert np.median(loud) > 0.4


def test_pauses_are_silent(engine):
    for language, text in SAYINGS.items():
        speech = engine.speak(text, Voice(language, "m1"))
        for phone in speech.phones[1:-1]:
            if phone.symbol == SILENCE:
                assert level(speech.audio, phone.start + 0.005, phone.end - 0.005) < 0.1 * level(
                    speech.audio, 0, speech.duration
                )


def test_resampling_keeps_level_and_removes_what_would_fold_back():
    from mtbench.synth.espeak import _resample

    t = np.arange(22_050) / 22_050
    for frequency, gain in ((440, 1), (3000, 1), (6000, 1), (9500, 0)):
        wave = np.round(16_000 * np.sin(2 * np.pi * frequency * t)).astype(np.int16)
        out = _resample(wave)
        assert len(out) == 16_000
        before = np.sqrt(np.mean((wave[3000:19_000] / 32768.0) ** 2))
        assert level(out, 0.1, 0.9) / before == pytest.approx(gain, abs=0.02), frequency


def test_words_own_their_phones(engine):
    speech = engine.speak("Ogni individuo ha diritto alla vita.", Voice("ita", "f3"))
    assert [w.text for w in speech.words] == ["Ogni", "individuo", "ha", "diritto", "alla", "vita."]
    said = ["".join(p.symbol for p in speech.phones[w.phones]) for w in speech.words]
    assert said[-1] == "vita"
    assert said[3] == "dirito"
    assert not any(w.fused for w in speech.words)
    for word in speech.words:
        assert speech.phones[word.phones][0].start == word.start


def test_words_said_as_one_are_marked(engine):
    speech = engine.speak("the members of the nations", Voice("eng", "f3"))
    fused = {w.text for w in speech.words if w.fused}
    assert "of" in fused
    assert "members" not in fused


def test_word_positions_after_a_full_stop(engine):
    speech = engine.speak("forms. forth. thought", Voice("eng", "f3"))
    assert ["".join(p.symbol for p in speech.phones[w.phones]) for w in speech.words] == [
        "fɔmz",
        "fɔθ",
        "θɔt",
    ]


def test_unknown_voices_are_named(engine):
    with pytest.raises(UsageError, match=r"it\+nobody"):
        engine.speak("ciao", Voice("ita", "nobody"))


def test_speakers_of_training_test_and_noise_are_different(engine):
    groups = [set(TRAIN_VOICES), set(TEST_VOICES), set(NOISE_VOICES)]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert len(NOISE_VOICES) >= 24
    for variant in set().union(*groups):
        assert engine.speak("ma", Voice("ita", variant)).duration > 0.1
        assert not any(word in variant.lower() for word in ("robo", "whisper", "demon", "croak"))
    assert set(ENGINE_LANGUAGES) == set(LANGUAGES)


def test_segmentation_gives_one_word_per_token():
    from mtbench.speech.normalizers import NORMALIZERS

    normal = NORMALIZERS["uni-v1"]
    cases = {
        "fra": ("Nul ne sera tenu en servitude ; l’esclavage", "nul ne sera tenu en servitude l'esclavage"),
        "tur": ("İnsan HAKLARI", "insan hakları"),
        "ukr": ("будь‐якої правосуб'єктності.", "будь якої правосуб'єктності"),
        "deu": ("Die „Größe“ zählt!", "die größe zählt"),
        "cat": ("col·lectiva", "col·lectiva"),
        "ell": ("Κάθε άτομο, μόνος.", "κάθε άτομο μόνος"),
    }
    for language, (text, expected) in cases.items():
        pairs = segment(text, language)
        assert " ".join(word for word, _ in pairs) == expected
        for word, _ in pairs:
            assert len(normal.words(word, language)) == 1
    assert segment("servitude ;", "fra") == [("servitude", "servitude;")]


def test_japanese_particles_are_spelt_as_they_sound():
    pytest.importorskip("pykakasi")
    assert segment("人間は、権利がある。", "jpn") == [
        ("人間", "にんげん"),
        ("は", "わ、"),
        ("権利", "けんり"),
        ("がある", "がある。"),
    ]


def test_mandarin_words_are_cut():
    pytest.importorskip("jieba")
    assert [w for w, _ in segment("任何人不得加以酷刑。", "cmn")] == ["任何人", "不得", "加以", "酷刑"]


def test_thai_is_romanised():
    pytest.importorskip("pythainlp")
    pairs = segment("คนทุกคนมีสิทธิ เสรีภาพ", "tha")
    assert [w for w, _ in pairs] == ["คน", "ทุกคน", "มี", "สิทธิ", "เสรีภาพ"]
    assert all(spoken.strip(",").isascii() for _, spoken in pairs)
    assert pairs[3][1].endswith(",")
    assert respell_thai("thukkn") == "tukkon"


def test_padding_moves_everything(engine):
    speech = engine.speak("Mamma mia", Voice("ita", "f3"))
    padded = pad_speech(speech, 0.2, 0.1)
    assert padded.duration == pytest.approx(speech.duration + 0.3)
    assert padded.symbols == speech.symbols
    assert padded.phones[0].symbol == padded.phones[-1].symbol == SILENCE
    for a, b in zip(speech.words, padded.words, strict=True):
        assert b.start == pytest.approx(a.start + 0.2)
        assert [p.symbol for p in padded.phones[b.phones]] == [p.symbol for p in speech.phones[a.phones]]
    for before, after in zip(padded.phones, padded.phones[1:], strict=False):
        assert before.end == pytest.approx(after.start)


@pytest.fixture
def training_file(tmp_path):
    import json

    path = tmp_path / "texts.json"
    languages = {"ita": {"sentences": [["la", "mamma", "di", "Paolo"] * 5], "words": ["uno", "due", "tre"]}}
    path.write_text(json.dumps({"schema": 2, "languages": languages}))
    return path


def test_utterances_follow_from_the_generator(training_file):
    source = UtteranceSource(training_file)
    draws = [source.draw(np.random.default_rng(5), "ita", seconds=2.5) for _ in range(2)]
    assert np.array_equal(draws[0].audio, draws[1].audio)
    assert draws[0].phones == draws[1].phones
    other = UtteranceSource(training_file).draw(np.random.default_rng(6), "ita", seconds=2.5)
    assert not np.array_equal(other.audio, draws[0].audio)
    rng = np.random.default_rng(1)
    durations = [source.draw(rng, "ita", seconds=2.5).duration for _ in range(20)]
    assert 2 < np.median(durations) < 3
    assert {draw_voice(rng, "ita").variant for _ in range(50)} <= set(TRAIN_VOICES)


@pytest.mark.parametrize(
    ("language", "text", "phones"),
    [("fra", "la loi", "l a l w a"), ("eng", "small", "s m ɔ l"), ("tur", "mal", "m a ɫ")],
)
def test_sounds_within_their_neighbors_are_written(language, text, phones):
    """The engine gives a coda l and the glide of "loi" no time of their own, but they are heard."""
    speech = Espeak().speak(text, Voice(language, "m1"))
    assert " ".join(p.symbol for p in speech.phones if p.symbol != SILENCE) == phones
    assert all(a.end == pytest.approx(b.start) for a, b in zip(speech.phones, speech.phones[1:]))
    assert all(p.end > p.start for p in speech.phones)
