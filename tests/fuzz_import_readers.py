"""What is fuzzed of importers: other projects' tensors, dictionaries of tensors, meshes, lists and annotations."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from fuzz_edits import edit_archive, edit_bytes, edit_json, edit_lines, edit_pickle
from fuzzing import Read, Reader

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import (
    UnsafePickleError,
    list_archive,
    load_tree,
    read_saved_tensor,
    read_tensor_dictionary,
)
from mtbench.files.saved_tensors import unpickle_tensors

Prepared = tuple[dict[str, bytes], Read]


def tensor_pickle(shape: tuple[int, int]) -> bytes:
    """The pickle that ``torch.save`` writes of a tensor of float32."""
    count, (rows, columns) = shape[0] * shape[1], shape
    text = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02"
    text += (
        b"X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04J" + count.to_bytes(4, "little") + b"tq\x05QK\x00J"
    )
    text += rows.to_bytes(4, "little") + b"J" + columns.to_bytes(4, "little") + b"\x86q\x06J"
    text += (
        columns.to_bytes(4, "little") + b"K\x01\x86q\x07\x89ccollections\nOrderedDict\nq\x08)Rq\ttq\nRq\x0b."
    )
    return text


def _saved_tensor(folder: Path) -> Prepared:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/data.pkl", tensor_pickle((3, 4)))
        archive.writestr("a/byteorder", "little")
        archive.writestr("a/data/0", np.arange(12, dtype="<f4").tobytes())
    return {"t.pt": stream.getvalue()}, lambda path: read_saved_tensor(path, 1 << 20)


def _edit_member(rng: Any, name: str, data: bytes) -> bytes:
    return edit_pickle(rng, [data]) if name.endswith(".pkl") else edit_bytes(rng, [data])


def tensor_dictionaries() -> tuple[bytes, bytes]:
    """A dictionary of a tensor with its numbers, and the object array that ``numpy.savez`` makes of it."""
    storage = (
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00.\x80\x02(X\x07\x00\x00\x00"
    )
    storage += b"storageq\x00ctorch\nFloatStorage\nq\x01X\x01\x00\x00\x007q\x02X\x03\x00\x00\x00cpuq\x03K\x06Ntq\x04Q."
    storage += b"\x80\x02]q\x00X\x01\x00\x00\x007q\x01a." + (6).to_bytes(8, "little")
    storage += np.arange(6, dtype="<f4").tobytes()
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\nB"
    tensor += len(storage).to_bytes(4, "little") + storage + b"\x85RK\x00K\x02K\x03\x86K\x03K\x01\x86\x89}tR"
    plain = b"\x80\x03}X\x02\x00\x00\x00D1" + tensor + b"s."
    held = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01)cnumpy\ndtype\n"
    held += b"X\x02\x00\x00\x00O8\x89\x88\x87R\x89](}X\x02\x00\x00\x00D1" + tensor + b"setb."
    assert unpickle_tensors(plain)["D1"].shape == unpickle_tensors(held)["D1"].shape == (2, 3)
    return plain, held


def _pickled_tensors(folder: Path) -> Prepared:
    plain, held = tensor_dictionaries()
    return {"a.bin": plain, "b.bin": held}, lambda path: unpickle_tensors(path.read_bytes())


def _tensor_archive(folder: Path) -> Prepared:
    head, stream = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/b.wav.npy", head.getvalue() + tensor_dictionaries()[1])

    def read(path: Path) -> None:
        for member in list_archive(path):
            read_tensor_dictionary(path, member, 1 << 20)

    return {"a.npz": stream.getvalue()}, read


def _annotations(folder: Path) -> Prepared:
    from mtbench.making.annotations import Texts
    from mtbench.making.notes import Ledger

    (folder / "wav").mkdir()

    def read(path: Path) -> None:
        texts = Texts(folder, path, ("text",), by_sentence=True)
        for stem in ("Italian_a_1", "F2_e37"):
            found = texts.find(stem, folder / "wav" / f"{stem}.wav", Ledger())
            assert found is None or found.strip()
            texts.language(stem)

    table = {
        "a_1": {"transcript": "ciao", "language": "italian"},
        "e37": "words",
        "b": {"duration": {"end": 1.5}},
    }
    return {"a.json": json.dumps(table).encode()}, read


def _regions(folder: Path) -> Prepared:
    from mtbench.faces import add_biwi, load_topology

    lists = folder / "regions"
    lists.mkdir()
    (lists / "fdd.txt").write_text("7, 8, 9")

    def read(path: Path) -> None:
        shutil.copyfile(path, lists / "lve.txt")
        with patch.dict(os.environ, {"MTBENCH_DATA": str(folder / "data")}):
            add_biwi(lists)
            assert load_topology("biwi-23370").region("lips").max() < 23370

    return {"a.txt": b"1, 2, 3, 23369", "b.txt": b"[4, 5]\n"}, read


def _uv_mesh(folder: Path) -> Prepared:
    from mtbench.importers.flame_meshes import read_owners

    corners = [f"{min(n, 5022) + 1}/{n + 1}" for n in range(5118)]
    lines = [f"f {' '.join(corners[n : n + 3])}" for n in range(0, 5118, 3)]

    def read(path: Path) -> None:
        read_owners.cache_clear()
        read_owners(path)

    return {"a.obj": "\n".join(lines).encode()}, read


def _frames(folder: Path) -> Prepared:
    from mtbench.importers.mesh_frames import read_mesh_frames

    meshes = folder / "meshes"
    meshes.mkdir()
    (meshes / "00000.obj").write_text("v 1 2 3\nv 4 5 6\n")

    def read(path: Path) -> None:
        shutil.copyfile(path, meshes / "00001.obj")
        assert read_mesh_frames(meshes, 1.0).shape == (2, 2, 3)

    return {
        "a.obj": b"# mesh\nv 1 2 3\nv 4.5 5e-3 6\nf 1 2 1\n",
        "b.obj": b"v 1 2 3 0 0 0\nv 4 5 6 1 1 1\n",
    }, read


def _trees(folder: Path) -> Prepared:
    tree = {"a": {"s1": {0: 5, 1: 6}}, "b": {"s1": {"audio": np.arange(4, dtype="i2"), "sample_rate": 22000}}}
    samples = {f"{protocol}.pkl": pickle.dumps(tree, protocol) for protocol in (0, 2, 4)}
    return samples, load_tree


IMPORT_READERS = (
    Reader("saved-tensor", _saved_tensor, edit_archive(_edit_member), (UnsafePickleError,), 0.0005),
    Reader("pickled-tensors", _pickled_tensors, edit_pickle, (UnsafePickleError,), 0.0005),
    Reader(
        "tensor-archive", _tensor_archive, edit_archive(_edit_member), (UnsafePickleError, KeyError), 0.0005
    ),
    Reader("mesh-frames", _frames, edit_lines, (UsageError,), 0.0003),
    Reader("trees", _trees, edit_pickle, (UnsafePickleError,), 0.0005),
    Reader("annotations", _annotations, edit_json, (UsageError,), 0.0003),
    Reader("biwi-regions", _regions, edit_lines, (UsageError, PrerequisiteError), 0.002),
    Reader("uv-mesh", _uv_mesh, edit_lines, (UsageError,), 0.01),
)
