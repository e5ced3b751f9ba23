"""Benchmark folders: manifest, paths, sound, ground truth, digest."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from factories import CLIPS, make_benchmark, talk

import mtbench
from mtbench.benchmarks.benchmark import bundled_benchmarks, list_versions, load_benchmark
from mtbench.errors import BenchmarkError, UsageError
from mtbench.faces.motion import Motion


@pytest.fixture(autouse=True)
def _no_asset(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


def edit(root, old, new):
    path = root / "benchmark.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_everything_that_the_folder_says(tmp_path):
    root = make_benchmark(tmp_path, noise=True)
    edit(root, '[[clips]]\nid = "ita-01"', '[[clips]]\nphones = "o ɲ i"\nid = "ita-01"')
    benchmark = mtbench.load_benchmark(root)
    assert (benchmark.ref, benchmark.topology, benchmark.fps) == ("tiny@1", "flame-5023", 25)
    assert benchmark.languages == ("ita", "eng")
    assert benchmark.noise_folder == root / "noise"
    assert benchmark.lexicon("ita") is None
    clip = benchmark.clip("ita-01")
    assert (clip.language, clip.source, clip.frames, clip.phones) == ("ita", "source-0", 6, ("o", "ɲ", "i"))
    assert benchmark.clips[1].phones is None
    assert clip.audio.shape == (6 * 640,)
    assert clip.audio.dtype == np.float32
    assert np.all(clip.audio[-100:] == 0)
    assert abs(clip.audio[:-100]).max() == pytest.approx(0.3, abs=1e-3)
    motion = clip.motion
    assert isinstance(motion, Motion)
    assert np.array_equal(motion.vertices, talk(6, seed=0))
    assert (motion.fps, motion.topology) == (25, "flame-5023")


def test_a_benchmark_without_ground_truth(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path, topology=None))
    assert benchmark.topology is None
    assert [clip.motion for clip in benchmark.clips] == [None] * len(CLIPS)


def test_vertices_may_be_flat_and_in_a_plain_file(tmp_path):
    root = make_benchmark(tmp_path)
    np.save(root / "motion/flat.npy", talk(6).reshape(6, -1))
    edit(root, "motion/ita-01.npz", "motion/flat.npy")
    assert np.array_equal(load_benchmark(root).clip("ita-01").motion.vertices, talk(6))


def test_unknown_names_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no benchmark called 'openhead-2'"):
        load_benchmark("openhead-2")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"has no benchmark.toml"):
        load_benchmark(tmp_path / "empty")
    benchmark = load_benchmark(make_benchmark(tmp_path))
    with pytest.raises(UsageError, match="did you mean ita-0"):
        benchmark.clip("ita-03")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "tiny"', 'nam = "tiny"', "name: missing"),
        ('name = "tiny"', 'name = "Tiny Bench"', "name: String should match"),
        ("schema = 1", "schema = 9", "schema"),
        ("fps = 25", "fps = 30", "fps: must be 25"),
        ("sample_rate = 16000", "sample_rate = 48000", "must be 16000"),
        ('"ita-02"', '"ITA-01"', "occurs twice"),
        ('"ita-02"', '"../ita-02"', "clips.#2.id"),
        ("frames = 6", "frames = 1000000000", "less than or equal to 3000"),
        ("frames = 6", "frames = 6.0", "clips.#1.frames"),
        ("audio/ita-01.flac", "/etc/passwd", "leaves the folder"),
        ("audio/ita-01.flac", "../x.flac", "leaves the folder"),
        ("audio/ita-01.flac", "C:/x.flac", "not a relative path"),
        ("audio/ita-01.flac", "audio/ita-99.flac", "there is no file audio/ita-99.flac"),
        ("motion/ita-01.npz", "../../x.npz", "leaves the folder"),
        ('topology = "flame-5023"', "", "names no topology"),
        ('language = "ita"', 'language = "Italian"', "language"),
        ("schema = 1", "schema = = 1", "not valid TOML"),
    ],
)
def test_manifests_that_contradict_themselves(tmp_path, old, new, words):
    root = make_benchmark(tmp_path)
    edit(root, old, new)
    with pytest.raises(BenchmarkError) as caught:
        load_benchmark(root)
    assert words in str(caught.value)
    assert "benchmark.toml" in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_missing_files_are_listed(tmp_path):
    root = make_benchmark(tmp_path)
    for clip in CLIPS:
        (root / f"audio/{clip}.flac").unlink()
    with pytest.raises(BenchmarkError) as caught:
        load_benchmark(root)
    assert all(f"audio/{clip}.flac" in str(caught.value) for clip in CLIPS)


def test_a_link_may_not_leave_the_folder(tmp_path):
    root = make_benchmark(tmp_path)
    sound = root / "audio/ita-01.flac"
    (tmp_path / "elsewhere.flac").write_bytes(sound.read_bytes())
    sound.unlink()
    sound.symlink_to(tmp_path / "elsewhere.flac")
    with pytest.raises(BenchmarkError, match="link that leaves the folder"):
        load_benchmark(root)


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.zeros(6 * 640 + 1), 16000, "3841 samples, that is 7 frames"),
        (np.zeros(5 * 640), 16000, "that is 5 frames"),
        (np.zeros(6 * 640), 8000, "8000 Hz"),
        (np.zeros((6 * 640, 2)), 16000, "2 channel"),
    ],
)
def test_sound_that_does_not_fit(tmp_path, samples, rate, words):
    root = make_benchmark(tmp_path)
    soundfile.write(root / "audio/ita-01.flac", samples, rate)
    with pytest.raises(BenchmarkError, match="ita-01") as caught:
        load_benchmark(root).clips[0].audio
    assert words in str(caught.value)


def test_sound_that_is_none(tmp_path):
    root = make_benchmark(tmp_path)
    (root / "audio/ita-01.flac").write_text("la la la")
    with pytest.raises(BenchmarkError, match="cannot be read"):
        load_benchmark(root).clips[0].audio


def test_ground_truth_that_does_not_fit(tmp_path):
    root = make_benchmark(tmp_path)
    np.savez(root / "motion/ita-01.npz", vertices=talk(6) * 1000)
    with pytest.raises(BenchmarkError, match="millimetres instead of metres"):
        load_benchmark(root).clips[0].motion
    np.savez(root / "motion/ita-01.npz", vertices=talk(9))
    with pytest.raises(BenchmarkError, match="expected 6 at 25 fps"):
        load_benchmark(root).clips[0].motion


def test_the_digest_covers_every_byte_and_no_path(tmp_path):
    first = load_benchmark(make_benchmark(tmp_path / "a", noise=True))
    second = make_benchmark(tmp_path / "b", noise=True)
    assert load_benchmark(second).digest == first.digest
    digests = {first.digest}
    for name in ("audio/eng-01.flac", "motion/eng-01.npz", "noise/hiss.flac", "benchmark.toml"):
        content = (second / name).read_bytes()
        (second / name).write_bytes(content + b"\n")
        digests.add(load_benchmark(second).digest)
        (second / name).write_bytes(content)
    assert len(digests) == 5


@pytest.mark.skipif("openhead-20" not in bundled_benchmarks(), reason="the bundled benchmark was not built")
def test_the_bundled_benchmark_is_an_ordinary_folder():
    benchmark = load_benchmark("openhead-20")
    assert load_benchmark("openhead-20@3").digest == benchmark.digest
    assert load_benchmark(benchmark.root).digest == benchmark.digest
    assert len(benchmark.languages) == 20
    clip = benchmark.clips[0]
    assert clip.audio.shape == (640 * clip.frames,)
    assert clip.motion.vertices.shape == (clip.frames, 4801, 3)
    with pytest.raises(UsageError, match="versions 2, 3 here, not 7"):
        load_benchmark("openhead-20@7")
    with pytest.raises(UsageError, match="versions 3, 4 here, not 7"):
        load_benchmark("openhead-engines@7")
    with pytest.raises(UsageError, match=r"here, not \.\./openhead"):
        load_benchmark("openhead-20@../openhead")


#: What results and caches of the bundled benchmark's versions are known by: they never change.
DIGESTS = {"2": "c108e7c68d0d1816ad3148c9385504a6", "3": "eab82b85483a0da63496ebbb482df287"}


@pytest.mark.parametrize("version", DIGESTS)
def test_versions_of_the_bundled_benchmark_are_what_they_were(version):
    benchmark = load_benchmark(f"openhead-20@{version}")
    assert (benchmark.ref, benchmark.digest) == (f"openhead-20@{version}", DIGESTS[version])
    assert load_benchmark(benchmark.manifest_path).ref == benchmark.ref
    assert load_benchmark(str(benchmark.manifest_path)).digest == benchmark.digest


def test_versions_of_the_bundled_benchmark_share_all_but_the_motion():
    two, three = (load_benchmark(f"openhead-20@{version}") for version in DIGESTS)
    assert [b.ref for b in list_versions(two.root)] == ["openhead-20@3", "openhead-20@2"]
    assert three.root == two.root
    assert (three.noise_folder, three.lexicons) == (two.noise_folder, two.lexicons)
    assert (two.manifest.articulation, three.manifest.articulation) == ("", "everyday")
    for a, b in zip(two.clips, three.clips, strict=True):
        assert replace(b, motion_path=a.motion_path) == a
        assert b.motion_path != a.motion_path
        one, other = (np.load(clip.motion_path) for clip in (a, b))
        assert str(one["identity"]) == str(other["identity"])
        assert one["units"].shape == other["units"].shape
        assert np.abs(one["units"] - other["units"]).max() > 0.2


def test_a_folder_may_hold_other_versions_that_share_files(tmp_path):
    root = make_benchmark(tmp_path / "shared", noise=True)
    first = load_benchmark(root)
    other = root / "benchmark-1.1.toml"
    text = (root / "benchmark.toml").read_text().replace('version = "1"', 'version = "1.1"')
    other.write_text(text.replace("motion/ita-01.npz", "motion-1.1/ita-01.npz"))
    with pytest.raises(BenchmarkError, match=r"motion: there is no file motion-1.1/ita-01.npz"):
        load_benchmark(other)
    (root / "motion-1.1").mkdir()
    (root / "motion-1.1/ita-01.npz").write_bytes((root / "motion/ita-01.npz").read_bytes())
    second = load_benchmark(other)
    assert (second.ref, second.root) == ("tiny@1.1", root)
    assert load_benchmark(root).digest == first.digest != second.digest
    # It is the same benchmark where its manifest is the folder's main one, alone or beside the other.
    alone = tmp_path / "alone"
    shutil.copytree(root, alone)
    (alone / "benchmark.toml").unlink()
    other = (alone / "benchmark-1.1.toml").rename(alone / "benchmark.toml")
    assert load_benchmark(alone).digest == second.digest
    other.rename(alone / "benchmark-2.toml")
    with pytest.raises(BenchmarkError, match=r"version 1\.1, whose manifest is called"):
        load_benchmark(alone / "benchmark-2.toml")


def test_reading_looks_like_reading(tmp_path):
    """``load_audio`` and ``load_motion`` read a file at each call; the older attributes are the same."""
    clip = load_benchmark("openhead-20")["ita-01"]
    assert np.array_equal(clip.audio, clip.load_audio())
    assert np.array_equal(clip.motion.vertices, clip.load_motion().vertices)
    assert clip.load_audio() is not clip.load_audio()
