"""Reading npy and npz that strangers wrote; more hostile files are in test_broken_submissions.py."""

import contextlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.files.arrays import ArrayFileError, open_arrays, read_arrays

ROOM = 1 << 20


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i8", "|b1", "<U5", ">c16"])
@pytest.mark.parametrize("shape", [(), (0, 3), (4,), (2, 3, 4)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_as_numpy_reads_them(tmp_path, dtype, shape, order):
    rng = np.random.Generator(np.random.PCG64(3))
    value = np.asarray(rng.integers(0, 2, shape).astype(dtype), order=order)
    np.save(tmp_path / "a.npy", value)
    np.savez(tmp_path / "a.npz", first=value, second=value)
    np.savez_compressed(tmp_path / "b.npz", first=value)
    for name in ("a.npy", "a.npz", "b.npz"):
        arrays = read_arrays(tmp_path / name, ROOM)
        assert set(arrays) == {"a.npy": {""}, "a.npz": {"first", "second"}, "b.npz": {"first"}}[name]
        for array in arrays.values():
            assert array.dtype == value.dtype
            assert array.shape == shape
            assert np.array_equal(array, value)


def test_version_two_headers_are_read(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(6.0), version=(2, 0))
    assert np.array_equal(read_arrays(tmp_path / "a.npy", ROOM)[""], np.arange(6.0))


def test_headers_are_known_before_reading(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((5, 7), "f4"))
    with open_arrays(tmp_path / "a.npz", ROOM) as file:
        header = file.headers["x"]
        assert (header.shape, header.dtype, header.nbytes) == ((5, 7), np.dtype("f4"), 140)
        with pytest.raises(ArrayFileError, match="has 140 bytes, expected at most 139"):
            file.read("x", 139)
        assert file.read("x", 140).shape == (5, 7)


def test_many_arrays_together_may_not_exceed_the_bound(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(100), y=np.zeros(100))
    assert len(read_arrays(tmp_path / "a.npz", 1600)) == 2
    with pytest.raises(ArrayFileError) as caught:
        read_arrays(tmp_path / "a.npz", 1599)
    assert caught.value.code == "array-too-large"


def test_a_link_is_not_followed(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "link.npy").symlink_to(tmp_path / "a.npy")
    with pytest.raises(OSError):
        read_arrays(tmp_path / "link.npy", ROOM)


def _samples() -> list[tuple[str, bytes]]:
    plain, packed = io.BytesIO(), io.BytesIO()
    np.save(plain, np.arange(40, dtype="f4").reshape(5, 8))
    np.savez_compressed(packed, vertices=np.arange(40, dtype="f4").reshape(5, 8))
    return [("a.npy", plain.getvalue()), ("a.npz", packed.getvalue())]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_harmless(tmp_path_factory, data):
    name, content = data.draw(st.sampled_from(_samples()))
    value = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    value = value[: data.draw(st.integers(0, len(value)))] if data.draw(st.booleans()) else value
    path = tmp_path_factory.mktemp("damage") / name
    path.write_bytes(value)
    arrays = {}
    with contextlib.suppress(ArrayFileError):
        arrays = read_arrays(path, 4096)
    assert sum(array.nbytes for array in arrays.values()) <= 4096


def test_members_with_the_same_data_do_not_multiply_it(tmp_path):
    # two directory entries that point to one member: the cheap kind of zip bomb
    stream = io.BytesIO()
    array = io.BytesIO()
    np.save(array, np.zeros(1000))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for i in range(20):
            file.writestr(f"m{i}.npy", array.getvalue())
    (tmp_path / "a.npz").write_bytes(stream.getvalue())
    with pytest.raises(ArrayFileError, match="arrays of 160000 bytes"):
        read_arrays(tmp_path / "a.npz", 8000)
