"""mtbench.work.cache: keys, integrity, atomicity."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mtbench.files.atomic import replacing, write_atomically
from mtbench.files.digests import digest_array, digest_bytes
from mtbench.work.cache import Cache, default_cache_dir, stage_key


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_default_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.delenv("MTBENCH_CACHE")
    assert default_cache_dir().name in ("mtbench", "Cache")


def test_keys_depend_on_everything_but_the_order_of_settings():
    base = stage_key("crops", "1", {"a": 1, "b": [2.5, "x"]}, ["p", "q"])
    assert base == stage_key("crops", "1", {"b": [2.5, "x"], "a": 1}, ["p", "q"])
    others = [
        stage_key("crop", "1", {"a": 1, "b": [2.5, "x"]}, ["p", "q"]),
        stage_key("crops", "2", {"a": 1, "b": [2.5, "x"]}, ["p", "q"]),
        stage_key("crops", "1", {"a": 2, "b": [2.5, "x"]}, ["p", "q"]),
        stage_key("crops", "1", {"a": 1, "b": [2.5, "x"]}, ["q", "p"]),
        stage_key("crops", "1", {"a": 1, "b": [2.5, "x"]}, ["pq"]),
    ]
    assert len({base, *others}) == 6
    assert len(base) == 32


def test_digests_separate_parts_shapes_and_types():
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc")
    a = np.arange(6, dtype=np.int32)
    assert digest_array(a) != digest_array(a.reshape(2, 3))
    assert digest_array(a) != digest_array(a.astype(np.uint32))
    assert digest_array(a) == digest_array(a.astype(">i4"))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(60, dtype=np.uint8).reshape(3, 4, 5),
        np.zeros((0, 3), np.float32),
        np.array(3.5),
        np.arange(10, dtype="<i2")[::2],
    ],
)
def test_arrays_come_back(cache, array):
    digest = cache.put_array("crops", "k" * 32, array)
    back = cache.get_array("crops", "k" * 32)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert (back == array).all()
    assert back.flags.writeable
    assert cache.content_digest("crops", "k" * 32) == digest


def test_json_comes_back(cache):
    value = {"text": "ñ 你好", "phones": ["a", "b"], "none": None}
    cache.put_json("hypotheses", "a1", value)
    assert cache.get_json("hypotheses", "a1") == value
    assert cache.get_json("hypotheses", "a2") is None


def test_objects_are_refused(cache):
    with pytest.raises(TypeError):
        cache.put_array("crops", "k", np.array([{}], dtype=object))


def test_equal_contents_have_equal_bytes(cache, tmp_path):
    array = np.arange(1000, dtype=np.int16)
    cache.put_array("mixtures", "k1", array)
    other = Cache(tmp_path / "other")
    other.put_array("mixtures", "k1", array)
    assert cache.path("mixtures", "k1").read_bytes() == other.path("mixtures", "k1").read_bytes()


def test_any_damage_is_detected_and_the_entry_remade(cache):
    array = np.random.Generator(np.random.PCG64(3)).integers(0, 255, 500).astype(np.uint8)
    cache.put_array("crops", "k", array)
    path = cache.path("crops", "k")
    good = path.read_bytes()
    rng = np.random.Generator(np.random.PCG64(4))
    damaged = [good[:n] for n in (0, 5, 40, len(good) // 2, len(good) - 1)] + [good + b"x"]
    for position in rng.integers(0, len(good), 120):
        flipped = bytearray(good)
        flipped[position] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    for data in damaged:
        path.write_bytes(data)
        assert cache.get_array("crops", "k") is None
        assert not path.exists()
        again, made = cache.array_or_make("crops", "k", lambda: array)
        assert made
        assert (again == array).all()
        assert path.read_bytes() == good
    assert cache.array_or_make("crops", "k", lambda: 1 / 0)[1] is False


def test_an_entry_under_a_wrong_name_is_not_believed(cache):
    cache.put_array("crops", "aa", np.arange(3))
    cache.path("crops", "ab").parent.mkdir(parents=True, exist_ok=True)
    cache.path("crops", "aa").rename(cache.path("crops", "ab"))
    assert cache.get_array("crops", "ab") is None


def test_sizes_and_clear(cache):
    assert cache.sizes() == []
    cache.put_array("crops", "aa", np.arange(3))
    cache.put_array("crops", "ba", np.arange(3))
    cache.put_json("hypotheses", "aa", {})
    assert [(s.stage, s.entries) for s in cache.sizes()] == [("crops", 2), ("hypotheses", 1)]
    freed = cache.clear("crops")
    assert freed > 0
    assert [s.stage for s in cache.sizes()] == ["hypotheses"]
    cache.clear()
    assert cache.sizes() == []


def test_sweep_removes_only_old_temporary_files(cache):
    cache.put_array("crops", "aa", np.arange(3))
    old, new = cache.root / "crops" / "aa" / ".x.1.tmp", cache.root / "crops" / "aa" / ".y.2.tmp"
    for path in (old, new):
        path.write_bytes(b"part")
    os.utime(old, (time.time() - 90000,) * 2)
    cache.sweep()
    assert not old.exists()
    assert new.exists()
    assert cache.get_array("crops", "aa") is not None
    assert cache.sizes()[0].entries == 1


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch):
    path = tmp_path / "f.json"
    write_atomically(path, b"old")

    def broken(fd):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f.json"]


def test_a_killed_writer_leaves_whole_entries_only(tmp_path):
    code = (
        "import sys, numpy as np\nfrom mtbench.work.cache import Cache\nc = Cache(sys.argv[1])\n"
        "i = 0\nprint('ready', flush=True)\n"
        "while True:\n    c.put_array('crops', f'{i % 7:032d}', np.full(200_000, i, np.int32)); i += 1\n"
    )
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.15)
        process.kill()
        process.wait()
    cache = Cache(tmp_path)
    entries = [p.name for p in tmp_path.glob("crops/*/*") if not p.name.startswith(".")]
    assert entries
    for key in entries:
        array = cache.get_array("crops", key)
        assert array is not None
        assert (array == array[0]).all()


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")

    def fail() -> None:
        with replacing(tmp_path / "a.bin") as part:
            part.write_bytes(b"half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.bin": b"old"}
    with replacing(tmp_path / "b" / "a.bin") as part:
        part.write_bytes(b"new")
        assert not (tmp_path / "b" / "a.bin").exists()
    assert {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()} == {"a.bin": b"new"}
