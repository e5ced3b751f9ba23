"""The bundled head ``openhead-1``: 4,801 vertices, facial units, identities, mouth shapes of speech.

Conventions
-----------
Metres, y up, z out of the face, x to the viewer's right, origin between the eyes. Unit weights are 0..1 and
add up linearly; the names are those of the 52 ARKit units, with *Left* and *Right* the character's own. Three
units are mtbench's: ``tongueUp`` (tip to the ridge behind the upper teeth), ``tongueLow`` (tongue to the
floor of the mouth) and ``lipSeal``, the only one that isn't linear: at 1 it brings the lips together along
the whole mouth whatever the other units do (``mouthClose`` is raised to ``jawOpen``, what gap is left is
shared by both lips), at s it closes the share s of the gap. ``mouthClose`` is the counter-shape of
``jawOpen``: keep it at most as large. Source and licence: ``data/openhead-1.txt``; made by
``scripts/build_openhead.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces.head_file import (
    Contact,
    SparseShapes,
    make_contact,
    make_identities,
    make_shapes,
    make_topology,
    read_asset,
)
from mtbench.faces.head_identities import draw_local_weights
from mtbench.faces.topology import Topology
from mtbench.faces.visemes import VISEMES

__all__ = ["VISEMES", "Head", "MouthMesh", "load_head"]

SEAL_UNIT = "lipSeal"


class MouthMesh(NamedTuple):
    """What bulk rendering of mouth crops needs.

    Attributes
    ----------
    vertices : (n,) int32
        Indices into the head's vertices.
    triangles : (f, 3) int32
        Indices into *vertices*.
    albedo : (n, 3) float32
    oral : (n,) bool
    """

    vertices: np.ndarray
    triangles: np.ndarray
    albedo: np.ndarray
    oral: np.ndarray


@dataclass(frozen=True, eq=False)
class Head:
    """An animatable head.

    Attributes
    ----------
    topology : Topology
        ``"openhead-1"``; regions ``lips``, ``inner_lips`` (loop from the viewer-left corner along the upper
        lip and back along the lower), ``upper_face``, ``mouth``, ``teeth``, ``tongue``, ``eyes``.
    unit_names : tuple of str
        The U = 55 unit names; column order of all curves.
    identity_names : tuple of str
        The twelve identities.
    identity_deltas : (12, V, 3) float32
        Offsets from the neutral head, metres.
    local_names : tuple of str
        Names of the local shapes (nose, chin, cheeks, mouth, ...) that vary identities further.
    part : (F,) uint8
        Index into *part_names* of each triangle.
    part_names : tuple of str
    units, local_shapes : SparseShapes
    contact : Contact
    """

    topology: Topology
    unit_names: tuple[str, ...]
    identity_names: tuple[str, ...]
    identity_deltas: np.ndarray
    local_names: tuple[str, ...]
    part: np.ndarray
    part_names: tuple[str, ...]
    units: SparseShapes
    local_shapes: SparseShapes
    contact: Contact
    _subsets: dict[bytes, Any] = field(default_factory=dict, repr=False)

    @property
    def neutral(self) -> np.ndarray:
        """The mean identity, (V, 3) float32."""
        assert self.topology.neutral is not None
        return self.topology.neutral

    @cached_property
    def unit_deltas(self) -> np.ndarray:
        """Dense offsets of the units, (U, V, 3) float32; ``lipSeal``, which isn't linear, is zero."""
        return self.units.dense(self.topology.n_vertices)

    @cached_property
    def local_deltas(self) -> np.ndarray:
        """Dense offsets of the local shapes, (K, V, 3) float32 (13 MB, made on first use)."""
        return self.local_shapes.dense(self.topology.n_vertices)

    def unit_index(self, name: str) -> int:
        """Column of unit *name*; ``KeyError`` where there is none."""
        try:
            return self.unit_names.index(name)
        except ValueError:
            raise KeyError(f"openhead-1 has no unit {name!r}; it has {', '.join(self.unit_names)}") from None

    def weights(self, units: str | Mapping[str, float]) -> np.ndarray:
        """Return unit weights as a row of curves.

        Parameters
        ----------
        units : str or mapping
            A name in :data:`VISEMES`, or unit weights; a name without *Left*/*Right* sets both sides.

        Returns
        -------
        (U,) float32
        """
        table = VISEMES[units] if isinstance(units, str) else units
        row = np.zeros(len(self.unit_names), np.float32)
        for name, value in table.items():
            if name in self.unit_names:
                row[self.unit_index(name)] = value
            else:
                for side in ("Left", "Right"):
                    row[self.unit_index(name + side)] = value
        return row

    def identity(self, which: str | Mapping[str, float] | np.ndarray = "neutral") -> np.ndarray:
        """Return the resting face of an identity.

        Parameters
        ----------
        which : str, mapping or (12,) array
            ``"neutral"`` (the mean of all), one of :attr:`identity_names`, or weights of them (offsets from
            the mean are weighted and added; weights that sum to 1 interpolate).

        Returns
        -------
        (V, 3) float32
            Metres; the lips are closed.

        Raises
        ------
        UsageError
            For an unknown name.
        """
        if isinstance(which, str):
            if which == "neutral":
                return self.neutral.copy()
            which = {which: 1.0}
        if isinstance(which, Mapping):
            unknown = sorted(set(which) - set(self.identity_names))
            if unknown:
                known = ", ".join(("neutral", *self.identity_names))
                raise UsageError(f"openhead-1 has no identity {unknown[0]!r}; it has {known}")
            which = np.array([which.get(name, 0.0) for name in self.identity_names])
        return _add_shapes(self.neutral, self.identity_deltas, np.asarray(which))

    def random_identity(self, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
        """Draw a face: a mixture of the twelve identities plus random local shapes.

        Parameters
        ----------
        rng : numpy.random.Generator
        strength : float
            0 leaves out the local shapes, 1 gives ordinary faces, 2 caricatures.

        Returns
        -------
        (V, 3) float32
            Metres, re-centred between the eyes; the lips are closed.
        """
        share = rng.dirichlet(np.full(len(self.identity_names), 0.35))
        shape = self.identity(share)
        weights = draw_local_weights(self.local_names, rng) * strength
        for k in np.nonzero(weights)[0].tolist():
            rows = self.local_shapes.rows(k)
            shape[self.local_shapes.vertices[rows]] += np.float32(weights[k]) * self.local_shapes.values[rows]
        eyes = shape[self.topology.region("eyes")]
        # Midpoint of the bounding box: order-free, unlike a sum.
        return shape - (eyes.min(0) + eyes.max(0)) / np.float32(2) + self._eye_offset

    @cached_property
    def _eye_offset(self) -> np.ndarray:
        eyes = self.neutral[self.topology.region("eyes")]
        return (eyes.min(0) + eyes.max(0)) / np.float32(2)

    def lip_gap(self, shape: np.ndarray) -> np.ndarray:
        """Measure the vertical gap between the lips, from the viewer-left to the viewer-right corner.

        Parameters
        ----------
        shape : (..., V, 3) float

        Returns
        -------
        (..., P) float
            Metres; negative where the upper lip's edge lies below the lower lip's.
        """
        return self.contact.gap(shape[..., 1])

    def pose(
        self, curves: np.ndarray, identity: np.ndarray | None = None, vertices: np.ndarray | None = None
    ) -> np.ndarray:
        """Animate an identity.

        Parameters
        ----------
        curves : (T, U) float
            Unit weights, columns as in :attr:`unit_names`.
        identity : (V, 3) float, optional
            Resting face, metres; the neutral head if not given.
        vertices : (n,) int, optional
            Compute only these vertices (faster); all if not given.

        Returns
        -------
        (T, n, 3) float32
            Metres. The same bytes whatever the machine, the threads or the subset.

        Raises
        ------
        ValueError
            If *curves* or *identity* has another shape.
        """
        curves = np.ascontiguousarray(curves, np.float32)
        if curves.ndim != 2 or curves.shape[1] != len(self.unit_names):
            raise ValueError(f"curves have shape {curves.shape}, expected (frames, {len(self.unit_names)})")
        base = self.neutral if identity is None else np.asarray(identity, np.float32)
        if base.shape != self.neutral.shape:
            raise ValueError(f"identity has shape {base.shape}, expected {self.neutral.shape}")
        subset, n_out, tables = self._tables(vertices)
        out = np.empty((len(curves), n_out, 3), np.float32)
        arguments = (curves, np.ascontiguousarray(base[subset]), *tables, out)
        _pose_loop()(*arguments)
        return out

    def _tables(self, vertices: np.ndarray | None) -> tuple[np.ndarray, int, tuple]:
        """Kernel arguments for a vertex subset: it is extended by the lips' contact, which the seal needs."""
        key = b"" if vertices is None else np.ascontiguousarray(vertices, np.int32).tobytes()
        if key not in self._subsets:
            if len(self._subsets) >= 16:
                self._subsets.pop(next(iter(self._subsets)))
            self._subsets[key] = self._make_tables(vertices)
        return self._subsets[key]

    def _make_tables(self, vertices: np.ndarray | None) -> tuple[np.ndarray, int, tuple]:
        total = self.topology.n_vertices
        chosen = np.arange(total) if vertices is None else np.asarray(vertices, np.int64)
        c = self.contact
        needed = np.concatenate([c.upper, c.lower.ravel()])
        subset = np.concatenate([chosen, np.setdiff1d(needed, chosen)])
        if len(np.unique(subset)) != len(subset):
            raise ValueError("the vertex subset holds an index twice")
        local = np.full(total, -1, np.int32)
        local[subset] = np.arange(len(subset), dtype=np.int32)

        keep = local[self.units.vertices] >= 0
        counts = np.concatenate([[0], np.cumsum(keep)])
        moved = local[c.vertices] >= 0
        tables = (
            counts[self.units.offsets].astype(np.int64),
            local[self.units.vertices[keep]],
            np.ascontiguousarray(self.units.values[keep]),
            self.unit_index(SEAL_UNIT),
            self.unit_index("jawOpen"),
            self.unit_index("mouthClose"),
            local[c.upper],
            local[c.lower],
            c.t,
            local[c.vertices[moved]],
            c.pair[moved],
            c.blend[moved],
            c.weight[moved],
            c.overlap,
        )
        return subset, len(chosen), tables

    def mouth_triangles(self, teeth: bool = True, tongue: bool = True) -> np.ndarray:
        """Triangles that can be seen in the mouth crop, for rendering many crops.

        Parameters
        ----------
        teeth, tongue : bool
            Whether to include those parts.

        Returns
        -------
        (f, 3) int32
        """
        return self.topology.triangles[self._mouth_faces(teeth, tongue)]

    def _mouth_faces(self, teeth: bool, tongue: bool) -> np.ndarray:
        triangles = self.topology.triangles
        corners = self.neutral[triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
        centre = corners.mean(1)
        loop = self.neutral[self.topology.region("inner_lips")]
        middle = (loop.max(0) + loop.min(0)) / 2
        # The crop reaches some 52 mm from the middle of the mouth, which an open jaw lowers; the rest is
        # margin for other identities and poses.
        away = np.abs(centre[:, :2] - middle[:2] - (0.0, -0.013))
        near = (away < (0.066, 0.079)).all(1)
        wanted = {
            "upper-teeth": teeth,
            "lower-teeth": teeth,
            "tongue": tongue,
            "left-eye": False,
            "right-eye": False,
        }
        allowed = np.array([wanted.get(name, True) for name in self.part_names])[self.part]
        # Lips curl: their far side can come to the front.
        lips = np.isin(triangles, self.topology.region("lips")).any(1)
        return allowed & near & (lips | (self.part > 0) | (normal[:, 2] > -0.25))

    def mouth_mesh(self, teeth: bool = True, tongue: bool = True) -> MouthMesh:
        """:meth:`mouth_triangles` with the vertices they use renumbered from 0."""
        used, triangles = np.unique(self.mouth_triangles(teeth, tongue), return_inverse=True)
        assert self.topology.albedo is not None
        assert self.topology.oral is not None
        return MouthMesh(
            used.astype(np.int32),
            triangles.reshape(-1, 3).astype(np.int32),
            self.topology.albedo[used],
            self.topology.oral[used],
        )


def _pose_loop() -> Callable[..., None]:
    """Return the compiled loop, or without numba (a base installation) the one in numpy: the same bytes, slower."""
    try:
        from mtbench.faces.head_kernels import pose_frames
    except ImportError:
        from mtbench.faces import head_arrays

        return head_arrays.pose_frames
    return pose_frames


def _add_shapes(base: np.ndarray, deltas: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Add weighted offsets one after the other: a fixed order, so the same bytes on every machine."""
    if weights.shape != (len(deltas),):
        raise ValueError(f"identity weights have shape {weights.shape}, expected ({len(deltas)},)")
    shape = base.copy()
    for weight, delta in zip(weights, deltas, strict=True):
        if weight:
            shape += np.float32(weight) * delta
    return shape


@lru_cache(maxsize=1)
def load_head() -> Head:
    """Return the bundled head (cached; the file is read once)."""
    data = read_asset()
    units = make_shapes(data, "unit")
    # The seal is no linear unit: it has a column in the curves, but no offsets.
    units = units._replace(offsets=np.append(units.offsets, units.offsets[-1]))
    return Head(
        topology=make_topology(data),
        unit_names=(*map(str, data["unit_names"]), SEAL_UNIT),
        identity_names=tuple(map(str, data["identity_names"])),
        identity_deltas=make_identities(data),
        local_names=tuple(map(str, data["local_names"])),
        part=data["part"],
        part_names=tuple(map(str, data["part_names"])),
        units=units,
        local_shapes=make_shapes(data, "local"),
        contact=make_contact(data),
    )
