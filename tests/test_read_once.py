"""What a run reads: each motion and sound file is hashed once, each ground truth read once for a clip."""

import os
from collections import Counter

import fakes
import numpy as np
import pytest

import mtbench
from mtbench.benchmarks import clip as clip_files
from mtbench.benchmarks import load_benchmark, neutral_face, read_motion_arrays, template_face
from mtbench.files import digests
from mtbench.files.digests import digest_file, stamp_file
from mtbench.scoring import stages


@pytest.fixture
def place(tmp_path, monkeypatch):
    fakes.make_benchmark(tmp_path / "small")
    fakes.make_entry(tmp_path / "entry")
    # As if everything had been written long ago: files of a moment ago are not known again.
    monkeypatch.setattr(digests, "_GRAIN_SECONDS", -1e9)
    monkeypatch.setattr(clip_files, "_KEPT", [])
    return tmp_path


@pytest.fixture
def read(monkeypatch):
    """Count the readings of files, whoever reads them through digests, sounds or ground truth."""
    counts = Counter()

    def counted(module, name, what, path_of):
        function = getattr(module, name)

        def wrapper(*args, **kwargs):
            counts[what, os.fspath(path_of(*args))] += 1
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapper)

    original = digests.Path.open

    def open_(self, *args, **kwargs):
        if self.suffix in (".npz", ".flac") and args[:1] == ("rb",):
            counts["bytes", os.fspath(self)] += 1
        return original(self, *args, **kwargs)

    monkeypatch.setattr(digests.Path, "open", open_)
    counted(stages, "read_clip_audio", "decoded", lambda path, *_: path)
    counted(clip_files, "_read_motion_arrays", "truth", lambda path, *_: path)
    return counts


def test_a_score_of_geometry_hashes_and_reads_each_file_once(place, read):
    options = {"recognizer": None, "workers": 1, "cache": place / "cache"}
    mtbench.score(place / "entry", place / "small", **options)
    hashed = {path: n for (what, path), n in read.items() if what == "bytes" and "motion" in path}
    assert len(hashed) == 12
    # Once for digests; the motion itself is opened by the readers of arrays.
    assert max(hashed.values()) == 1
    truth = {path: n for (what, path), n in read.items() if what == "truth"}
    assert len(truth) == 6
    assert max(truth.values()) == 1


def test_a_second_score_decodes_no_sound_for_its_keys(place, read):
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "cache": place / "cache", "snr": (-7.5,)}
    first = mtbench.score(place / "entry", place / "small", **options)
    decoded = {path: n for (what, path), n in read.items() if what == "decoded"}
    assert len(decoded) == 6
    assert max(decoded.values()) == 1
    again = mtbench.score(place / "entry", place / "small", **options)
    assert max(n for (what, _), n in read.items() if what == "decoded") == 1
    assert again.rows_digest == first.rows_digest


def test_a_file_that_is_written_again_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "_GRAIN_SECONDS", -1e9)
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    one = digest_file(path)
    assert digest_file(path) is one
    path.write_bytes(b"twice")
    assert digest_file(path) != one
    path.unlink()
    path.write_bytes(b"one")
    assert digest_file(path) == one
    with pytest.raises(FileNotFoundError):
        digest_file(tmp_path / "b.bin")


def test_a_file_of_this_moment_is_not_trusted_to_its_times(tmp_path):
    """Two writings within the grain of a file system's clock leave the same times, and may leave the same size."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    assert stamp_file(path) is None
    before = digest_file(path)
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digest_file(path) != before


def test_digests_are_those_of_the_bytes(tmp_path):
    import hashlib

    path = tmp_path / "a.bin"
    content = np.random.default_rng(1).bytes(3_000_001)
    path.write_bytes(content)
    found = digest_file(path)
    assert found.short == hashlib.blake2b(content, digest_size=16).digest()
    assert found.long == hashlib.blake2b(content, digest_size=32).digest()


def test_ground_truth_that_is_kept_cannot_be_changed(place):
    clip = load_benchmark(place / "small").clips[0]
    spec, arrays = read_motion_arrays(clip)
    assert read_motion_arrays(clip)[1] is arrays
    assert template_face(clip) is not None
    with pytest.raises(ValueError, match="read-only"):
        arrays["units"][0] = 0
    other = load_benchmark(place / "small").clips[1]
    assert read_motion_arrays(other)[1] is not arrays
    np.testing.assert_array_equal(read_motion_arrays(clip)[1]["units"], arrays["units"])
    assert spec.kind == "units"


def test_what_is_kept_is_not_what_callers_get_to_change(place):
    """Vertices that a file holds as they are: motion and neutral face are copies, the next reader's are whole."""
    path = place / "small" / "motion" / "ita-01.npz"
    clip = load_benchmark(place / "small")["ita-01"]
    vertices = clip.load_motion().vertices
    np.savez(path, vertices=vertices)
    first = clip.load_motion().vertices
    kept = read_motion_arrays(clip)[1]["vertices"]
    assert not kept.flags.writeable
    first += 1.0
    neutral_face(clip)[:] = 0.0
    np.testing.assert_array_equal(clip.load_motion().vertices, vertices)
    assert read_motion_arrays(clip)[1]["vertices"] is kept
