"""Topology: which vertices make which triangles, and which of them are lips, eyes and chin.

Conventions
-----------
A topology is independent of any pose. Coordinates everywhere in mtbench are metres, y up, z out of the face
towards the viewer, x to the viewer's right, origin near the point between the eyes. Region index lists are
sorted and unique; a list with duplicates (the field's 254-entry FLAME list has 4) is kept apart by the metric
that needs it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

#: Region names that every topology offers. ``inner_lips`` is the ordered inner lip loop.
REGIONS = ("lips", "inner_lips", "upper_face", "mouth")

#: Landmark points that the mouth crop needs, in the order of :attr:`Topology.landmarks`:
#: the five stable points of the 68-point set (33 nose base, 36 and 39 the corners of the viewer-left eye,
#: 42 and 45 those of the viewer-right eye), then 48..67, the twenty mouth points (two repeated where a mesh has none).
LANDMARKS = (33, 36, 39, 42, 45, *range(48, 68))


@dataclass(frozen=True)
class Topology:
    """Triangles, named regions and crop landmarks of a mesh family.

    Attributes
    ----------
    name : str
        ``"openhead-1"``, ``"flame-5023"`` or a name of the user's.
    n_vertices : int
        V.
    triangles : (F, 3) int32
        Counter-clockwise seen from outside; may be empty (no asset installed): then nothing can be rendered.
    regions : dict of str to (n,) int32
        Index lists by name, see :data:`REGIONS`.
    landmarks : (25,) int32
        Vertex index of each of :data:`LANDMARKS`; may be empty where unknown.
    albedo : (V, 3) float32 or None
        Linear 0..1 base color of each vertex; None means clay.
    oral : (V,) bool or None
        Vertices of the oral cavity's wall, always shaded dark.
    neutral : (V, 3) float32 or None
        A neutral face, for rendering and unit checks.
    """

    name: str
    n_vertices: int
    triangles: np.ndarray
    regions: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    albedo: np.ndarray | None = None
    oral: np.ndarray | None = None
    neutral: np.ndarray | None = None

    @property
    def renderable(self) -> bool:
        """Whether triangles and landmarks are known."""
        return len(self.triangles) > 0 and len(self.landmarks) == len(LANDMARKS)

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest over name, counts, triangles, regions, landmarks, colors and the neutral face."""
        return self._digest((self.albedo, "<f4"), (self.oral, "|u1"), (self.neutral, "<f4"))

    @cached_property
    def surface_digest(self) -> str:
        """As :attr:`digest` without the neutral face: what pictures of given vertices follow from."""
        return self._digest((self.albedo, "<f4"), (self.oral, "|u1"))

    @cached_property
    def neutral_digest(self) -> str | None:
        """blake2b-128 hex digest of the neutral face, None where there is none."""
        if self.neutral is None:
            return None
        return hashlib.blake2b(
            np.ascontiguousarray(self.neutral, "<f4").tobytes(), digest_size=16
        ).hexdigest()

    def _digest(self, *arrays: tuple[np.ndarray | None, str]) -> str:
        h = hashlib.blake2b(digest_size=16)
        h.update(f"{self.name}|{self.n_vertices}".encode())
        h.update(np.ascontiguousarray(self.triangles, "<i4").tobytes())
        for key in sorted(self.regions):
            h.update(key.encode())
            h.update(np.ascontiguousarray(self.regions[key], "<i4").tobytes())
        h.update(np.ascontiguousarray(self.landmarks, "<i4").tobytes())
        for array, kind in arrays:
            h.update(b"-" if array is None else np.ascontiguousarray(array).astype(kind).tobytes())
        return h.hexdigest()

    def region(self, name: str) -> np.ndarray:
        """Return the index list of region *name*; ``KeyError`` names those that exist."""
        try:
            return self.regions[name]
        except KeyError:
            raise KeyError(
                f"topology {self.name} has no region {name!r}; it has {sorted(self.regions)}"
            ) from None
