"""A clip's motion as a GLB file: morph targets with animated weights, and its sound.

Conventions
-----------
The mesh is the first frame; its morph targets are the shapes of :mod:`mtbench.viewing.low_rank` (at most 0.05 mm off,
as everywhere in this room), one target for each direction of a shape: all weights lie between 0 and 1, because Blender
cuts off what is below. A key stands in the middle of its frame,
``(t + 1/2) / fps``, and between keys weights are interpolated linearly; the first and the last are held to the ends
of the sound. Normals have targets, too, fitted to the true ones, so that light follows the lips. Units are metres,
y up, z forward, as glTF has them.

glTF itself knows no sound. The file carries it as the draft extension ``KHR_audio_emitter`` describes (not required, so
that programs that do not know it open the file all the same: Blender and ``<model-viewer>`` among them), and it is
written beside as WAV.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.extras import require_extra
from mtbench.faces import Motion, Topology, load_topology, require_renderable
from mtbench.files import check_output_folder, make_folder, write_atomically, writing
from mtbench.viewing.low_rank import BOUND, LowRank, largest_distance, reduce_rank
from mtbench.viewing.sound_packs import format_wav
from mtbench.viewing.topology_packs import base_colors

if TYPE_CHECKING:
    import pygltflib

#: Share of the bound that is aimed at: positions are stored as float32.
_AIM = 0.98
_AUDIO = "KHR_audio_emitter"
_DARK = 0.28


@dataclass(frozen=True)
class GlbExport:
    """What was written.

    Attributes
    ----------
    path, sound_path : Path
        The GLB file, and the WAV file beside it.
    targets : int
        Morph targets.
    error_mm : float
        Largest distance of a vertex in a frame from where it belongs.
    size : int
        Bytes of the GLB file.
    """

    path: Path
    sound_path: Path
    targets: int
    error_mm: float
    size: int


def export_glb(
    path: Path | str, motion: Motion, sound: np.ndarray, about: dict[str, Any] | None = None
) -> GlbExport:
    """Write *motion* with its *sound* as a GLB file, and the sound beside it as WAV.

    Parameters
    ----------
    path : path
        Ends in ``.glb``; the sound gets the same name with ``.wav``.
    motion : Motion
    sound : (n,) float32
        Mono at 16 kHz.
    about : dict, optional
        JSON that goes into the file's ``asset.extras.mtbench``.

    Raises
    ------
    PrerequisiteError
        Without pygltflib, or where the topology's triangles are not here.
    WriteError
        Where one of the two files cannot be written; then neither is.
    """
    require_extra("glb", "writing GLB files", "pygltflib")
    path = Path(path)
    topology = load_topology(motion.topology)
    require_renderable(topology)
    check_output_folder(path.parent)
    beside = path.with_suffix(".wav")
    for target in (path, beside):  # both, before one is written
        with writing(target):
            if target.is_dir():
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    shapes = reduce_rank(motion.vertices, _AIM * BOUND, motion.vertices[0])
    wav = format_wav(sound)
    gltf, error = build_gltf(shapes, motion, topology, wav, about or {})
    data = b"".join(gltf.save_to_bytes())
    make_folder(path.parent)
    write_atomically(beside, wav)
    write_atomically(path, data)
    return GlbExport(path, beside, len(gltf.meshes[0].primitives[0].targets), 1000 * error, len(data))


def build_gltf(
    shapes: LowRank, motion: Motion, topology: Topology, wav: bytes, about: dict[str, Any]
) -> tuple[pygltflib.GLTF2, float]:
    """Return the file's content, and the largest distance of a vertex from where it belongs, metres."""
    import pygltflib

    writer = _Writer()
    base = shapes.rest.astype(np.float32)
    names, moved, weights = _split_directions(shapes)
    targets = np.zeros((len(names), topology.n_vertices, 3), np.float32)
    targets[:, shapes.moving] = moved
    drawn = base.astype(np.float64) + np.tensordot(weights.astype(np.float64), targets.astype(np.float64), 1)
    error = largest_distance(drawn - motion.vertices.astype(np.float64))
    normals, turned = _fit_normals(motion.vertices, weights, topology.triangles)
    primitive = pygltflib.Primitive(
        attributes=pygltflib.Attributes(
            POSITION=writer.add_vectors(base, bounded=True),
            NORMAL=writer.add_vectors(normals),
            COLOR_0=writer.add_colors(_colors(topology)),
        ),
        indices=writer.add_indices(topology.triangles),
        material=0,
        targets=[
            {"POSITION": writer.add_vectors(target, bounded=True), "NORMAL": writer.add_vectors(turn)}
            for target, turn in zip(targets, turned, strict=True)
        ],
    )
    mesh = pygltflib.Mesh(
        name=topology.name,
        primitives=[primitive],
        weights=[0.0] * len(targets),
        extras={"targetNames": names},
    )
    scene = pygltflib.Scene(nodes=[0], extensions={_AUDIO: {"emitters": [0]}})
    clay = pygltflib.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=0.62)
    extras = {
        "mtbench": {**about, "fps": motion.fps, "frames": len(motion), "error_mm": round(1000 * error, 4)}
    }
    gltf = pygltflib.GLTF2(
        asset=pygltflib.Asset(version="2.0", generator="mtbench", extras=extras),
        scene=0,
        scenes=[scene],
        nodes=[pygltflib.Node(name="face", mesh=0)],
        meshes=[mesh],
        materials=[pygltflib.Material(name="skin", pbrMetallicRoughness=clay, doubleSided=True)],
        animations=_animate(writer, weights, motion.fps) if len(targets) else [],
        extensionsUsed=[_AUDIO],
        extensions={_AUDIO: _emit(writer.add_bytes(wav))},
    )
    gltf.accessors, gltf.bufferViews = writer.accessors, writer.views
    gltf.buffers = [pygltflib.Buffer(byteLength=len(writer.data))]
    gltf.set_binary_blob(bytes(writer.data))
    return gltf, error


def _split_directions(shapes: LowRank) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return names, shapes (N, M, 3) and weights (T, N) float32 from 0 to 1: a shape that goes both ways is two.

    Interpolated between two keys, the difference of the two is what the one weight was.
    """
    names, moved, weights = [], [], []
    for number, (shape, weight) in enumerate(zip(shapes.shapes, shapes.weights.T, strict=True), 1):
        for sign, name in ((1.0, f"shape-{number:02d}"), (-1.0, f"shape-{number:02d}-back")):
            course = np.maximum(sign * weight, 0.0)
            if course.any():
                names.append(name)
                moved.append(sign * course.max() * shape)
                weights.append(course / course.max())
    moving = int(shapes.moving.sum())
    courses = np.asarray(weights, np.float32).reshape(len(names), len(shapes.weights)).T
    return names, np.asarray(moved, np.float32).reshape(len(names), moving, 3), courses


class _Writer:
    """The one buffer of the file: accessors and views as they are added."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.accessors: list[Any] = []
        self.views: list[Any] = []

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        import pygltflib

        self.data += bytes(-len(self.data) % 4)
        view = pygltflib.BufferView(buffer=0, byteOffset=len(self.data), byteLength=len(data), target=target)
        self.views.append(view)
        self.data += data
        return len(self.views) - 1

    def _add(
        self, array: np.ndarray, kind: str, component: int, target: int | None = None, **more: Any
    ) -> int:
        import pygltflib

        view = self.add_bytes(np.ascontiguousarray(array).tobytes(), target)
        self.accessors.append(
            pygltflib.Accessor(bufferView=view, componentType=component, count=len(array), type=kind, **more)
        )
        return len(self.accessors) - 1

    def add_vectors(self, array: np.ndarray, bounded: bool = False) -> int:
        vectors = np.asarray(array, "<f4")
        ends = {"min": vectors.min(axis=0).tolist(), "max": vectors.max(axis=0).tolist()} if bounded else {}
        return self._add(vectors, "VEC3", 5126, 34962, **ends)

    def add_colors(self, array: np.ndarray) -> int:
        rgba = np.concatenate([array, np.ones((len(array), 1))], axis=1)
        return self._add(np.rint(255 * rgba).astype("|u1"), "VEC4", 5121, 34962, normalized=True)

    def add_indices(self, triangles: np.ndarray) -> int:
        wide = int(triangles.max()) >= 0xFFFF
        return self._add(
            triangles.ravel().astype("<u4" if wide else "<u2"), "SCALAR", 5125 if wide else 5123, 34963
        )

    def add_times(self, times: np.ndarray) -> int:
        values = np.asarray(times, "<f4")
        return self._add(values, "SCALAR", 5126, min=[float(values.min())], max=[float(values.max())])

    def add_scalars(self, array: np.ndarray) -> int:
        return self._add(np.asarray(array, "<f4").ravel(), "SCALAR", 5126)


def _animate(writer: _Writer, weights: np.ndarray, fps: float) -> list[Any]:
    import pygltflib

    count = len(weights)
    times = np.concatenate([[0.0], (np.arange(count) + 0.5) / fps, [count / fps]])
    keys = np.concatenate([weights[:1], weights, weights[-1:]])
    sampler = pygltflib.AnimationSampler(
        input=writer.add_times(times), output=writer.add_scalars(keys), interpolation="LINEAR"
    )
    target = pygltflib.AnimationChannelTarget(node=0, path="weights")
    channel = pygltflib.AnimationChannel(sampler=0, target=target)
    return [pygltflib.Animation(name="speech", samplers=[sampler], channels=[channel])]


def _emit(view: int) -> dict[str, Any]:
    """Return the sound as the draft of ``KHR_audio_emitter`` has it: heard alike everywhere, once, from its start."""
    return {
        "audio": [{"bufferView": view, "mimeType": "audio/wav"}],
        "sources": [{"name": "speech", "audio": 0, "autoPlay": True, "loop": False, "gain": 1.0}],
        "emitters": [{"name": "speech", "type": "global", "gain": 1.0, "sources": [0]}],
    }


def _colors(topology: Topology) -> np.ndarray:
    colors = np.clip(base_colors(topology), 0, 1)
    if topology.oral is not None:
        colors[np.asarray(topology.oral, bool)] *= _DARK
    return colors


def _fit_normals(
    vertices: np.ndarray, weights: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return unit normals (V, 3) of the first frame and what each shape adds to them, (K, V, 3): least squares."""
    all_normals = np.stack([_unit_normals(frame, triangles) for frame in vertices])
    first = all_normals[0]
    if not weights.shape[1]:
        return first, np.zeros((0, *first.shape))
    away = (all_normals - first).reshape(len(vertices), -1)
    turned = np.linalg.lstsq(weights.astype(np.float64), away, rcond=1e-4)[0]
    return first, turned.reshape(-1, *first.shape)


def _unit_normals(face: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = np.asarray(face, np.float64)[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.zeros((len(face), 3))
    for corner in range(3):
        np.add.at(out, triangles[:, corner], across)
    length = np.sqrt((out**2).sum(axis=1, keepdims=True))
    return np.where(length > 0, out / np.where(length > 0, length, 1.0), (0.0, 0.0, 1.0))
