"""Held-out speech engines: maps of phones, timing, the bundled folders made with them and with real speech."""

import re
from pathlib import Path

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.synth import engine_phones, engines
from mtbench.synth.engine_phones import PHONE_SETS, map_segments
from mtbench.synth.engine_segments import Segment, join_ends
from mtbench.synth.phones import PHONES, SILENCE, UnknownPhoneError
from mtbench.timing import SAMPLE_RATE

FESTIVAL = Path("/usr/share/festival")
#: Where festival's packages define the phone sets of the tables.
DEFINITIONS = {
    "italian": "italian_scm/italian_phoneset.scm",
    "czech": "czech.scm",
    "russian": "voices/russian/msu_ru_nsh_clunits/festvox/msu_ru_nsh_phoneset.scm",
    "catalan": "upc_catalan/upc_catalan_phones-central.scm",
    "hindi": "hindi_scm/hindi_phones.scm",
    "english": "radio_phones.scm",
}


def say(text, phone_set):
    """Map ``a b' | c``: blanks between phones, ``'`` for stress, ``|`` between words."""
    segments, token = [], 0
    for name in text.split():
        if name == "|":
            token += 1
        else:
            k = len(segments)
            segments.append(Segment(name.rstrip("'"), 0.1 * k, 0.1 * k + 0.1, name.endswith("'"), token))
    return " ".join(p for phones in map_segments(segments, phone_set) for p in phones)


# Maps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone_set", PHONE_SETS)
def test_tables_hold_letters_of_the_inventory(phone_set):
    table, _ = engine_phones.PHONE_SETS[phone_set]
    for letters in table.values():
        assert letters == (SILENCE,) or set(letters) <= set(PHONES)
    assert (SILENCE,) in table.values()


@pytest.mark.parametrize("phone_set", PHONE_SETS)
def test_tables_list_every_phone_of_the_engine(phone_set):
    path = FESTIVAL / DEFINITIONS[phone_set]
    if not path.is_file():
        pytest.skip(f"{path} is absent: festival's package of this language is not installed")
    text = path.read_text(encoding="latin-1")
    lines = [line.split(";")[0] for line in text[text.index("(defPhoneSet") :].splitlines()]
    # A phone's line has a name and at least six features; names of features have lists of letters.
    found = re.findall(r"\(\s*([^\s()]+)((?:\s+[^\s()]+){6,})\s*\)", "\n".join(lines))
    names = {name for name, values in found if set(values.split()) & {"+", "-"} and "+ -" not in values[:5]}
    features = {"ctype", "cplace", "vlng", "vheight", "vfront", "vc", "vrnd", "cvox", "csoft", "partner"}
    names -= features
    assert len(names) > 30
    table, _ = engine_phones.PHONE_SETS[phone_set]
    assert names <= set(table)


def test_an_unknown_phone_is_named():
    with pytest.raises(UnknownPhoneError, match=r"'qq'.*czech"):
        say("a qq", "czech")


@pytest.mark.parametrize(
    ("phone_set", "spoken", "written"),
    [
        ("english", "r ay' t | t ax | f r iy' d ax m", "ɹ a ɪ t t ə f ɹ i d ə m"),
        ("english", "b iy' ih ng", "b i j ɪ ŋ"),
        ("english", "er eh' s t | p er' s ax n | b r ah' dh er", "ə ɹ ɛ s t p ɜ s ə n b ɹ ʌ ð ə"),
        ("english", "ah k r ah' s", "ə k ɹ ʌ s"),
        ("italian", "t u1 t t i | L i1", "t u t ɪ ʎ ɪ"),
        ("italian", "n a ts ts j o1 n e | a l l a | l w O1 g o", "n a t s j o n e a l l a l ʊ ɔ ɡ o"),
        ("italian", "k o s i1 | e g w a1 l i", "k o s i e ɡ w a l ɪ"),
        ("czech", "p r~* i: s l u s~ n o s t~ | j s o u", "p r ʃ i s l u ʃ n o s c j s o ʊ"),
        ("czech", "n a | u c~ i t | p o | u", "n a u t ʃ i t p o u"),
        ("russian", "nn i | m oo' zh y t | vv ii' d", "n j ɪ m o ʒ y t v j i d"),
        ("russian", "zh ii' z nn | k aa' zh d ay j | s v ay j e m", "ʒ y z n k ɑ ʒ d y j s v ʌ j i m"),
        ("catalan", "l ax | b i1 d ax | n i n g u1 | ax n | d r E1 t", "l ə β i ð ə n i ŋ ɡ u ə n d ɾ ɛ t"),
        ("catalan", "p O1 b b l ax | a l d ax", "p ɔ b b l ə a l d ə"),
        ("hindi", "s a bh iy | th a k a", "s ʌ b h i t ʌ k ə"),
    ],
)
def test_rules(phone_set, spoken, written):
    assert say(spoken, phone_set) == written


def test_rows_without_duration_are_left_out():
    segments = join_ends([("a", 0.1, True, 0), ("b", 0.1, False, 0), ("c", 0.3, False, 0)])
    assert [(s.name, s.start, s.end) for s in segments] == [("a", 0.0, 0.1), ("c", 0.1, 0.3)]


# Timing --------------------------------------------------------------------------------------------------


def make_stop(burst=0.15, seconds=0.3):
    """Silence with a trace of noise, then noise from *burst* on."""
    rng = np.random.default_rng(3)
    audio = rng.normal(size=round(seconds * SAMPLE_RATE)) * 1e-3
    audio[round(burst * SAMPLE_RATE) :] *= 100
    return audio.astype(np.float32)


def test_the_burst_of_a_stop_is_found_in_the_sound():
    assert engines.find_burst(make_stop(), 0.08, 0.2) == pytest.approx(0.15, abs=0.001)
    # Too short to tell.
    assert engines.find_burst(make_stop(), 0.148, 0.152) == pytest.approx(0.152)


def test_stops_affricates_and_long_consonants_are_timed():
    segments = [
        Segment("a", 0.0, 0.08, False, 0),
        Segment("tS", 0.08, 0.2, False, 0),
        Segment("tS", 0.2, 0.25, False, 0),
        Segment("#", 0.25, 0.27, False, -1),
        Segment("n", 0.27, 0.3, False, 1),
    ]
    placed = engines._place(segments, map_segments(segments, "italian"), make_stop())
    phones = [phone for phone, _ in placed]
    # The short pause belongs to the affricate.
    assert [p.symbol for p in phones] == ["a", "t", "ʃ", "n"]
    a, t, fricative, n = phones
    assert t.release == t.end == fricative.start == pytest.approx(0.15, abs=0.001)
    assert (t.start, fricative.end, fricative.release) == (0.08, 0.27, None)
    assert a.release is None
    assert n.release == n.end == 0.3
    assert [token for _, token in placed] == [0, 0, 0, 1]


def test_silence_at_the_ends_is_trimmed_with_its_times():
    from mtbench.synth.build_engines import trim_silence
    from mtbench.synth.utterances import Phone, Speech, Word

    phones = (Phone("sil", 0, 0.5), Phone("p", 0.5, 0.6, 0.55), Phone("a", 0.6, 0.8), Phone("sil", 0.8, 2.0))
    speech = Speech(np.zeros(2 * SAMPLE_RATE, np.float32), phones, (Word(0, "pa", 0.5, 0.8, slice(1, 3)),))
    short = trim_silence(speech, 0.02)
    assert short.duration == pytest.approx(0.34, abs=1e-3)
    assert [p.symbol for p in short.phones] == ["sil", "p", "a", "sil"]
    assert short.phones[1].start == pytest.approx(0.02, abs=1e-4)
    assert short.phones[1].release == pytest.approx(0.07, abs=1e-4)
    assert short.phones[-1].end == pytest.approx(short.duration)
    assert short.words[0].start == pytest.approx(0.02, abs=1e-4)


def test_signs_that_stand_alone_are_no_tokens():
    assert engines._prepare("“uno” — due’s", engines.find_voice("lp")) == ("uno, due's", [0, 2])


# Engines -------------------------------------------------------------------------------------------------

TEXTS = {
    "eng": "No one shall be held.",
    "ita": "Ogni individuo, città.",
    "ces": "Každý má právo.",
    "rus": "Все люди рождаются.",
    "cat": "Tota persona té dret.",
    "hin": "ज़रूरी है",
}


def test_every_language_has_voices_and_names_are_unique():
    assert {v.language for v in engines.VOICES} == set(TEXTS)
    assert len({v.name for v in engines.VOICES}) == len(engines.VOICES)
    with pytest.raises(UsageError, match="dita"):
        engines.find_voice("nobody")


def test_a_missing_voice_says_what_to_install(monkeypatch):
    from mtbench.synth import festival

    monkeypatch.setattr(festival, "VOICE_FOLDER", Path("/nonexistent"))
    with pytest.raises(PrerequisiteError, match="apt-get"):
        engines.speak("Každý", "ph")


def test_flite_reads_ascii_only():
    with pytest.raises(UsageError, match="ASCII"):
        engines.speak("naïve", "flite-rms")


@pytest.mark.parametrize("name", ["flite-rms", "hts-slt", "lp", "ph", "nsh", "ona", "nsk"])
def test_voices_speak(name):
    voice = engines.find_voice(name)
    if not voice.installed:
        pytest.skip(f"the voice {name} is not installed")
    text = TEXTS[voice.language]
    speech = engines.speak(text, voice)
    assert np.sqrt(np.mean(speech.audio**2)) > 1e-3
    assert {p.symbol for p in speech.phones} <= {*PHONES, SILENCE}
    times = np.array([(p.start, p.end) for p in speech.phones])
    assert times[0, 0] == 0
    assert times[-1, 1] == pytest.approx(speech.duration)
    assert np.array_equal(times[1:, 0], times[:-1, 1])
    assert (times[:, 1] > times[:, 0]).all()
    assert all(p.start <= p.release <= p.end for p in speech.phones if p.release is not None)
    assert [w.text for w in speech.words] == text.split()
    assert sum(len(speech.phones[w.phones]) for w in speech.words) >= len(speech.symbols)
    # The sound is where the phones are.
    spoken = np.concatenate(
        [speech.audio[round(w.start * 16000) : round(w.end * 16000)] for w in speech.words]
    )
    assert np.sum(spoken.astype(float) ** 2) > 0.97 * np.sum(speech.audio.astype(float) ** 2)
    if voice.engine == "flite":
        engines.speak("Something else entirely.", voice)
        assert np.array_equal(engines.speak(text, voice).audio, speech.audio)


# What is committed ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled():
    from mtbench.benchmarks.benchmark import load_benchmark

    return load_benchmark("openhead-engines@3")


def test_the_benchmark_has_clips_of_every_voice_that_ships(bundled):
    from mtbench.synth.engine_terms import TERMS
    from mtbench.synth.texts import TEST_ARTICLES

    text = (bundled.root / "benchmark.toml").read_text(encoding="utf8")
    assert set(re.findall(r"^# voice: (\S+)", text, re.M)) == {t.voice for t in TERMS if t.ships}
    assert set(bundled.languages) == {"eng", "rus", "cat"}
    for code in bundled.languages:
        clips = [c for c in bundled.clips if c.language == code]
        assert len(clips) >= 8
        for clip in clips:
            assert int(re.search(r"udhr-(\d+)", clip.source)[1]) in TEST_ARTICLES
            assert set(clip.transcript.split()) <= set(bundled.lexicon(code).words)
    assert sum(p.stat().st_size for p in bundled.root.rglob("*") if p.is_file()) < 3_500_000


def test_clips_are_level_and_agree_with_their_times(bundled):
    for clip in bundled.clips:
        audio = clip.audio.astype(float)
        assert len(audio) == 640 * clip.frames
        assert 2.5 <= clip.frames / 25 <= 7.5
        assert 0.01 < np.sqrt(np.mean(audio**2)) < 0.05
        assert np.abs(audio).max() < 0.95
        rows = [r.split("\t") for r in clip.phone_times_path.read_text(encoding="utf8").splitlines()[1:]]
        assert tuple(r[0] for r in rows if r[0] != SILENCE) == clip.phones
        assert set(clip.phones) <= set(PHONES)
        times = np.array([[float(r[1]), float(r[2])] for r in rows])
        assert times[0, 0] == 0
        assert times[-1, 1] == pytest.approx(clip.frames / 25, abs=1e-3)
        assert np.allclose(times[1:, 0], times[:-1, 1], atol=1e-3)
        # Times are not off: sound is where phones are.
        spoken = np.zeros(len(audio), bool)
        for (start, end), row in zip(times, rows):
            if row[0] != SILENCE:
                spoken[round(start * 16000) : round(end * 16000)] = True
        assert np.sum(audio[spoken] ** 2) > 0.97 * np.sum(audio**2), clip.id


def test_motion_is_that_of_the_default_articulation(bundled):
    from mtbench.synth.articulation import animate
    from mtbench.synth.utterances import Phone

    clip = bundled.clips[0]
    rows = [r.split("\t") for r in clip.phone_times_path.read_text(encoding="utf8").splitlines()[1:]]
    phones = [Phone(r[0], float(r[1]), float(r[2]), float(r[3]) if r[3] else None) for r in rows]
    stored = np.load(clip.motion_path)["units"]
    made = animate(phones, clip.frames / 25, fps=25, seed=0)
    assert stored.shape == made.shape
    # Blinks and brows follow the seed; jaw and lips do not. Times are stored with four decimals.
    assert np.median(np.abs(stored - made)) < 1e-3
    assert clip.motion.vertices.shape[0] == clip.frames


def test_lexicons_and_babble_are_those_of_the_parent(bundled):
    from mtbench.benchmarks.benchmark import load_benchmark

    parent = load_benchmark("openhead-20")
    for code, path in bundled.lexicons.items():
        assert path.read_bytes() == parent.lexicons[code].read_bytes()
    for path in bundled.noise_folder.iterdir():
        assert path.read_bytes() == (parent.noise_folder / path.name).read_bytes()


@pytest.mark.synth
def test_a_rebuilt_clip_has_the_same_bytes(bundled, tmp_path):
    pytest.importorskip("espeakng_loader", reason="the extra [synth] is not installed")
    from mtbench.synth import build_engines
    from mtbench.synth.texts import fetch_udhr

    try:
        fetch_udhr()
    except PrerequisiteError as e:
        pytest.skip(str(e))
    plan = build_engines.plan_clips("eng")[2]
    if not plan.voice.installed:
        pytest.skip(f"the voice {plan.voice.name} is not installed")
    for folder in ("audio", "phones"):
        (tmp_path / folder).mkdir()
    tables = build_engines._write_clip(tmp_path, plan)
    for edition, table in zip(build_engines.EDITIONS, tables, strict=True):
        assert table in (bundled.root / edition.manifest).read_text(encoding="utf8")
    motion = [f"{edition.motion}/{plan.id}.npz" for edition in build_engines.EDITIONS]
    for path in (f"audio/{plan.id}.flac", f"phones/{plan.id}.tsv", *motion):
        assert (tmp_path / path).read_bytes() == (bundled.root / path).read_bytes()


def test_another_folder_is_not_overwritten(tmp_path):
    from mtbench.synth.build_engines import build_engines_benchmark

    (tmp_path / "mine.txt").write_text("something")
    try:
        with pytest.raises(UsageError, match="something other"):
            build_engines_benchmark(tmp_path)
    except PrerequisiteError as error:
        pytest.skip(str(error))


# Real speech ---------------------------------------------------------------------------------------------


def test_real_recordings_are_loaded_with_their_sentences():
    from mtbench.synth.real_speech import FOLDER, GRAMMAR, load_real_speech, spell_out

    real = load_real_speech()
    assert len(real.clips) == 7
    lexicon = real.lexicon("eng")
    assert set(lexicon.words) == {word for table in GRAMMAR for word in table.values()}
    variants = dict(zip(lexicon.words, lexicon.pronunciations, strict=True))
    for clip in real.clips:
        assert clip.transcript == " ".join(spell_out(clip.id))
        assert clip.audio.shape == (75 * 640,)
        assert np.sqrt(np.mean(clip.audio**2)) > 0.03
        assert set(clip.phones) <= set(PHONES)
        assert clip.motion is None
        # Reference phones are those of the words, up to links and weak forms.
        joined = [p for word in clip.transcript.split() for p in variants[word][0]]
        assert abs(len(joined) - len(clip.phones)) <= 1
    assert "creativecommons.org/licenses/by/4.0" in (FOLDER / "ATTRIBUTION.txt").read_text(encoding="utf8")
    with pytest.raises(ValueError, match="bbaf2n"):
        spell_out("bbaw2n")


def test_real_speech_is_the_sound_of_the_recordings(shared):
    pytest.importorskip("av")
    from mtbench.speech.sound_files import load_audio
    from mtbench.synth.real_speech import load_real_speech

    clip = load_real_speech().clips[0]
    sound = load_audio(shared / "grid" / f"{clip.id}.mpg")
    stored = clip.audio[: len(sound)]
    assert np.corrcoef(sound, stored)[0, 1] > 0.9999
