"""Reading the vertices and triangles of a template mesh: ``.obj`` and ``.ply``.

Conventions
-----------
Vertices keep the order of the file: general mesh loaders merge or split vertices, which breaks index lists.
Polygons are cut into fans of triangles. Sizes and counts are bounded before anything is allocated, and a row takes
no longer than it has bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

#: Largest mesh file; FLAME's template has 0.4 MB.
MAX_BYTES = 16 << 20
#: Most vertices, and most polygons; FLAME has 5,023 and 9,976.
MAX_ROWS = 1 << 18
#: Most bytes of a PLY header, and most kinds of element and properties of one.
_MAX_HEADER, _MAX_KINDS = 1 << 16, 256

_PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip


class MeshFileError(ValueError):
    """A mesh file that cannot be read."""


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (V, 3) float64 and triangles (F, 3) int64 of an ``.obj`` or ``.ply`` file.

    Raises
    ------
    MeshFileError
        Where the file is damaged, too large or of another kind.
    """
    if path.stat().st_size > MAX_BYTES:
        raise MeshFileError(f"has more than {MAX_BYTES} bytes")
    content = path.read_bytes()
    try:
        vertices, faces = _read_ply(content) if content.startswith(b"ply") else _read_obj(content)
        triangles = [[face[0], face[i], face[i + 1]] for face in faces for i in range(1, len(face) - 1)]
        indices = np.array(triangles, np.int64).reshape(-1, 3)
    except MeshFileError:
        raise
    except (ValueError, IndexError, KeyError, OverflowError, TypeError) as error:
        raise MeshFileError(f"is damaged ({str(error)[:200]})") from None
    if not len(vertices):
        raise MeshFileError("holds no vertices")
    if not np.isfinite(vertices).all():
        raise MeshFileError("holds coordinates that are NaN or infinite")
    if indices.size and not 0 <= indices.min() <= indices.max() < len(vertices):
        raise MeshFileError(f"is damaged (triangles of vertices beyond the {len(vertices)} that there are)")
    return vertices, indices


def _check_count(count: int, what: str) -> None:
    if count > MAX_ROWS:
        raise MeshFileError(f"has more than {MAX_ROWS} {what}; no template of a head has")


def _lines(content: bytes) -> Iterator[list[str]]:
    """Yield the words of each line that has some."""
    # Not splitlines(): all lines of a large file at once would be many times its size.
    for line in io.TextIOWrapper(io.BytesIO(content), "utf-8", errors="replace"):
        if words := line.split():
            yield words


def _read_obj(content: bytes) -> tuple[np.ndarray, list[list[int]]]:
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    for words in _lines(content):
        if words[0] == "v":
            _check_count(len(vertices) + 1, "vertices")
            vertices.append([float(x) for x in words[1:4]])
        elif words[0] == "f":
            _check_count(len(faces) + 1, "polygons")
            # "v", "v/vt" or "v/vt/vn", counted from 1, or backwards from the last vertex
            indices = [int(word.split("/")[0]) for word in words[1:]]
            faces.append([i - 1 if i > 0 else len(vertices) + i for i in indices])
    return np.array(vertices, np.float64).reshape(-1, 3), faces


def _read_ply(content: bytes) -> tuple[np.ndarray, list[list[int]]]:
    end = content.index(b"end_header", 0, _MAX_HEADER)
    start = content.index(b"\n", end) + 1
    encoding, elements = _parse_ply_header(content[:end].decode("ascii"))
    if encoding == "ascii":
        return _read_ply_text(content[start:], elements)
    return _read_ply_binary(content, start, elements, "<" if encoding == "binary_little_endian" else ">")


def _parse_ply_header(text: str) -> tuple[str, list[tuple[str, int, list[tuple[str, ...]]]]]:
    """Return encoding and (element, count, properties); a list property is (name, count type, item type)."""
    encoding = ""
    elements: list[tuple[str, int, list[tuple[str, ...]]]] = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            encoding = words[1]
        elif words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:2] == ["property", "list"]:
            elements[-1][2].append((words[4], _PLY_TYPES[words[2]], _PLY_TYPES[words[3]]))
        elif words[:1] == ["property"]:
            elements[-1][2].append((words[2], _PLY_TYPES[words[1]]))
    if encoding not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise ValueError(f"unknown encoding {encoding!r}")
    for name, count, properties in elements:
        if count < 0 or len(properties) > _MAX_KINDS or len(elements) > _MAX_KINDS:
            raise ValueError(f"{name}: impossible counts")
        _check_count(count, f"rows of {name}")
    return encoding, elements


def _read_ply_text(content: bytes, elements) -> tuple[np.ndarray, list[list[int]]]:
    lines = _lines(content)
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    for element, count, properties in elements:
        for _ in range(count):
            words = next(lines, None)
            if words is None:
                raise ValueError("the file ends early")
            row: dict[str, list[str]] = {}
            position = 0
            for item in properties:
                length = int(words[position]) if len(item) == 3 else 1
                position += len(item) == 3
                row[item[0]] = words[position : position + length]
                position += length
                if length < 0 or position > len(words):
                    raise ValueError(f"a row of {element} has {len(words)} numbers, expected {position}")
            if element == "vertex":
                vertices.append([float(row[axis][0]) for axis in "xyz"])
            elif element == "face":
                faces.append([int(i) for i in row.get("vertex_indices", row.get("vertex_index", []))])
    return np.array(vertices, np.float64).reshape(-1, 3), faces


def _read_ply_binary(
    content: bytes, position: int, elements, order: str
) -> tuple[np.ndarray, list[list[int]]]:
    vertices = np.zeros((0, 3))
    faces: list[list[int]] = []
    for element, count, properties in elements:
        if all(len(item) == 2 for item in properties):
            row = np.dtype([(name, order + kind) for name, kind in properties])
            if position + count * row.itemsize > len(content):
                raise ValueError("the file ends early")
            table = np.frombuffer(content, row, count, position)
            position += count * row.itemsize
            if element == "vertex":
                vertices = np.stack([table[axis].astype(np.float64) for axis in "xyz"], axis=1)
            continue
        for _ in range(count):
            for item in properties:
                if len(item) == 2:
                    position += np.dtype(item[1]).itemsize
                    continue
                name, length_kind, kind = item
                length = int(np.frombuffer(content, order + length_kind, 1, position)[0])
                if length < 0:
                    raise ValueError("a list of negative length")
                position += np.dtype(length_kind).itemsize
                values = np.frombuffer(content, order + kind, length, position)
                position += values.nbytes
                if element == "face" and name in ("vertex_indices", "vertex_index"):
                    faces.append(values.tolist())
    return vertices, faces
