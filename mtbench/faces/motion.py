"""Motion: a sequence of vertex positions.

Conventions
-----------
``vertices`` is (T, V, 3) float32 in metres; ``fps`` is frames per second. Frame *t* shows the interval
``[t / fps, (t + 1) / fps)``; a clip of N samples at 16 kHz has ``ceil(N / 640)`` frames at 25 fps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Motion:
    """A vertex sequence.

    Attributes
    ----------
    vertices : (T, V, 3) float32
        Metres, y up, z forward.
    fps : float
        Frames per second.
    topology : str
        Name of the topology.
    """

    vertices: np.ndarray
    fps: float
    topology: str

    def __post_init__(self) -> None:
        v = self.vertices
        if v.ndim != 3 or v.shape[2] != 3 or v.dtype != np.float32:
            raise ValueError(f"vertices must be (T, V, 3) float32, not {v.shape} {v.dtype}")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.vertices)

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest of positions, fps and topology."""
        h = hashlib.blake2b(digest_size=16)
        h.update(f"{self.topology}|{self.fps:g}|{self.vertices.shape}".encode())
        h.update(np.ascontiguousarray(self.vertices, "<f4").tobytes())
        return h.hexdigest()
