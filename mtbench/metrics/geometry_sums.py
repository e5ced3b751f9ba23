"""Statistics of the vertices of a clip: what every geometric metric follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GeometrySums(Mapping[str, "float | None"]):
    """Sufficient statistics of the geometric metrics of one clip, float64, by their names.

    Attributes
    ----------
    frames : int
        T, the number of frames that sums run over.
    statistics : mapping of str to (float or None)
        Which there are is for the metrics to say (:class:`mtbench.metrics.base.GeometricMetric`); None is a statistic
        that does not exist for this clip.

    Examples
    --------
    >>> sums = GeometrySums(4, {"lve_mm_sum": 10.0})
    >>> sums["lve_mm_sum"] / sums.frames, sums.to_json()
    (2.5, {'frames': 4, 'lve_mm_sum': 10.0})
    """

    frames: int
    statistics: Mapping[str, float | None] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float | None:
        return self.statistics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.statistics)

    def __len__(self) -> int:
        return len(self.statistics)

    def to_json(self) -> dict[str, Any]:
        """Return frames and statistics as one JSON object."""
        return {"frames": self.frames, **self.statistics}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GeometrySums:
        """Return what :meth:`to_json` wrote."""
        return cls(data["frames"], {name: value for name, value in data.items() if name != "frames"})
