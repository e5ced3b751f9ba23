"""Reading FLAME pickles of every age without running them."""

import collections
import contextlib
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import types
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from mtbench.files import safe_pickle
from mtbench.files.pickle_stand_ins import UnsafePickleError
from mtbench.files.safe_pickle import load_arrays

VALUES = np.arange(12, dtype="f8").reshape(3, 4) / 7


@contextlib.contextmanager
def chumpy():
    """Classes with chumpy's names, so that pickles refer to them."""
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    made = {}
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select"), ("chumpy.ch", "add")):
        cls = type(name, (), {"__module__": module})
        setattr(modules[module], name, cls)
        made[name] = cls
    sys.modules.update(modules)
    try:
        yield made
    finally:
        for name in modules:
            del sys.modules[name]


def save(path: Path, value: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_plain_arrays_of_every_protocol(tmp_path, protocol):
    table = {
        "a": VALUES,
        "b": np.asfortranarray(VALUES.astype(">f4")),
        "c": np.arange(5, dtype="u4"),
        "d": np.float32(2.5),
        "e": [[1, 2], [3, 4]],
        "style": "SMPL",
        "unwanted": {1, 2},
    }
    arrays = load_arrays(save(tmp_path / "x.pkl", table, protocol), {"a", "b", "c", "d", "e"})
    assert np.array_equal(arrays["a"], VALUES)
    assert arrays["b"].dtype == np.dtype("f4")
    assert np.array_equal(arrays["b"], VALUES.astype("f4"))
    assert arrays["c"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["d"] == 2.5
    assert arrays["e"].tolist() == [[1, 2], [3, 4]]


def python2(values: np.ndarray) -> bytes:
    """What Python 2 and numpy wrote for {'v_template': values}: byte strings, module names of then."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    data = values.tobytes()
    dtype = b"cnumpy\ndtype\n" + text(values.dtype.str[1:].encode()) + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + text(b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    shape = b"".join(b"K" + bytes([n]) for n in values.shape)
    array += b"(K\x01(" + shape + b"t" + dtype + b"\x89" + b"T" + struct.pack("<i", len(data)) + data + b"tb"
    return b"\x80\x02}" + text(b"v_template") + array + b"s."


def test_arrays_of_python_2(tmp_path):
    content = python2(VALUES)
    assert np.array_equal(
        pickle.loads(content, encoding="latin1")["v_template"], VALUES
    )  # the fixture is right
    (tmp_path / "x.pkl").write_bytes(content)
    assert np.array_equal(load_arrays(tmp_path / "x.pkl", {"v_template"})["v_template"], VALUES)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_chumpy_variables_and_views(tmp_path, protocol):
    with chumpy() as names:
        variable, nested, view = names["Ch"](), names["Ch"](), names["Select"]()
        variable.__dict__.update(x=VALUES, _dirty_vars=set(), _itr=None)
        nested.__dict__.update(x=variable)
        view.__dict__.update(a=variable, idxs=np.array([11, 0, 5, 5]), preferred_shape=(2, 2))
        save(tmp_path / "x.pkl", {"a": variable, "b": nested, "c": view}, protocol)
    arrays = load_arrays(tmp_path / "x.pkl", {"a", "b", "c"})
    assert np.array_equal(arrays["a"], VALUES)
    assert np.array_equal(arrays["b"], VALUES)
    assert np.array_equal(arrays["c"], VALUES.ravel()[[11, 0, 5, 5]].reshape(2, 2))


@pytest.mark.parametrize("form", ["csc_matrix", "csr_matrix", "csc_array", "csr_array"])
def test_sparse_matrices_are_expanded_without_scipy(tmp_path, form):
    rng = np.random.Generator(np.random.PCG64(1))
    dense = rng.random((5, 60)) * (rng.random((5, 60)) < 0.1)
    save(tmp_path / "x.pkl", {"J_regressor": getattr(scipy.sparse, form)(dense)})
    assert np.array_equal(load_arrays(tmp_path / "x.pkl", {"J_regressor"})["J_regressor"], dense)


class Call:
    """Pickles as a call of *function* with *arguments*."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "attack",
    [
        Call(os.system, "touch canary"),
        Call(eval, "open('canary', 'w')"),
        Call(getattr, "x", "upper"),
        Call(subprocess.Popen, ["touch", "canary"]),
        Call(Path.touch, Path("canary")),
        Call(np.load, "canary.npy"),
        Call(np.memmap, "canary", "u1", "w+", 0, 5),
        Call(pickle.loads, b"N."),
        Call(collections.defaultdict, list),
        Call(bytearray, 1 << 40),
        Call(exec, "raise SystemExit"),
    ],
    ids=lambda attack: attack.call[0].__name__,
)
def test_everything_else_is_refused(tmp_path, monkeypatch, attack, protocol):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "x.pkl", {"v_template": VALUES, "extra": attack}, protocol)
    with pytest.raises(UnsafePickleError, match="which no FLAME model needs"):
        load_arrays(tmp_path / "x.pkl", {"v_template"})
    assert not (tmp_path / "canary").exists()


def test_allowed_names_are_stand_ins():
    """No name gives the class it names: a call of numpy.ndarray would allocate what a pickle asks for."""
    for (module, name), stand_in in safe_pickle._ALLOWED.items():
        assert stand_in.__module__ in ("mtbench.files.pickle_stand_ins",), (module, name)


#: (pickle, words): allocation bombs, false memo places, other entrances, damage
HOSTILE = {
    "huge array": (b"\x80\x02cnumpy\nndarray\n\x8a\x05\x00\x00\x00\x00\x40\x85R.", "at the top"),
    "memo place": (b"\x80\x02Nr\xff\xff\xff\x7f.", "memo places"),
    "bytes of a terabyte": (b"\x80\x04\x8e\x00\x00\x00\x00\x00\x01\x00\x00.", "damaged"),
    "persistent": (b"\x80\x02Nq\x00Q.", "BINPERSID"),
    "extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "out of band": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "old instance": (b"(ios\nsystem\n.", "INST"),
    "no dictionary": (b"\x80\x02].", "expected a dictionary"),
    "stack underflow": (b"\x80\x02R.", "damaged"),
    "empty": (b"", "damaged"),
    "unfinished": (pickle.dumps({"a": 1})[:-3], "damaged"),
    "no pickle": (b"PK\x03\x04 not a pickle", "damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes(tmp_path, name):
    content, words = HOSTILE[name]
    (tmp_path / "x.pkl").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(UnsafePickleError, match=words):
            load_arrays(tmp_path / "x.pkl", {"a"})
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def sparse(**changes: object) -> scipy.sparse.csc_matrix:
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.__dict__.update(changes)
    return matrix


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([None, 1], dtype=object), "only plain numbers"),
        (np.array(["a"]), "only plain numbers"),
        ("text", "a str where an array was expected"),
        ([1, "x"], "a list where"),
        (sparse(_shape=(1 << 20, 1 << 20)), "too large"),
        (sparse(indices=np.array([0, 1, 7])), "contradict"),
        (sparse(indptr=np.array([0, 9, 1, 3])), "contradict"),
        (sparse(indptr=np.array([0, 1])), "contradict"),
    ],
)
def test_values_that_are_no_arrays(tmp_path, value, words):
    save(tmp_path / "x.pkl", {"a": value})
    with pytest.raises(UnsafePickleError, match="under 'a'") as caught:
        load_arrays(tmp_path / "x.pkl", {"a"})
    assert words in str(caught.value)
    assert load_arrays(tmp_path / "x.pkl", {"b"}) == {}


def test_chumpy_expressions_are_refused(tmp_path):
    with chumpy() as names:
        total, view = names["add"](), names["Select"]()
        total.__dict__.update(a=1.0, b=2.0)
        view.__dict__.update(a=VALUES, idxs=np.array([99]))
        save(tmp_path / "x.pkl", {"a": total, "c": view})
    with pytest.raises(UnsafePickleError, match="only stored values"):
        load_arrays(tmp_path / "x.pkl", {"a"})
    with pytest.raises(UnsafePickleError, match="outside its array"):
        load_arrays(tmp_path / "x.pkl", {"c"})


def test_too_many_instructions(tmp_path, monkeypatch):
    monkeypatch.setattr(safe_pickle, "MAX_INSTRUCTIONS", 50)
    save(tmp_path / "x.pkl", {"a": list(range(100))})
    with pytest.raises(UnsafePickleError, match="more than 50 instructions"):
        load_arrays(tmp_path / "x.pkl", {"a"})


def test_too_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(safe_pickle, "MAX_BYTES", 50)
    save(tmp_path / "x.pkl", {"a": VALUES})
    with pytest.raises(UnsafePickleError, match="expected at most 50"):
        load_arrays(tmp_path / "x.pkl", {"a"})
