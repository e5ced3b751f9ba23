"""All metrics by name: those of this room's files, and those of other packages.

Conventions
-----------
A file of this room that defines metrics lists them as ``DEFINES``. Another package names an object
(:class:`mtbench.metrics.base.GeometricMetric` or :class:`mtbench.metrics.base.RecognitionMetric`) by an entry point::

    [project.entry-points."mtbench.metrics"]
    jaw_mm = "theirpackage.jaw:JAW"

Metrics are in the order of their ``order``, then of their names.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from mtbench.errors import UsageError
from mtbench.metrics.base import GeometricMetric, Metric
from mtbench.registry import Registry


class Metrics(Mapping[str, Metric]):
    """A mapping of names to metrics, collected when first asked."""

    @cached_property
    def _found(self) -> dict[str, Metric]:
        room = importlib.import_module("mtbench.metrics")
        files = sorted(module.name for module in pkgutil.iter_modules(room.__path__))
        found: list[Metric] = []
        for file in files:
            found += getattr(importlib.import_module(f"{room.__name__}.{file}"), "DEFINES", ())
        others = Registry("metric", "mtbench.metrics", {})
        for name in others.names():
            given: object = others.find(name)
            if not isinstance(given, Metric) or given.name != name:
                what = (
                    f"the metric {given.name!r}" if isinstance(given, Metric) else f"a {type(given).__name__}"
                )
                raise UsageError(
                    f"the entry point {name!r} of another package in the group mtbench.metrics is {what}, expected a "
                    f"mtbench.metrics.GeometricMetric or RecognitionMetric of that name"
                )
            found.append(given)
        by_name: dict[str, Metric] = {}
        for metric in sorted(found, key=lambda m: (m.order, m.name)):
            if metric.name in by_name:
                raise UsageError(
                    f"two metrics are called {metric.name!r}; another package's needs another name"
                )
            by_name[metric.name] = metric
        return by_name

    def __getitem__(self, name: str) -> Metric:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def geometric(self, asked: Iterable[str] = ()) -> list[GeometricMetric]:
        """Return the metrics of vertices in order: those that every run has, and the optional ones in *asked*."""
        wanted = set(asked)
        return [m for m in self.every_geometric() if not m.optional or m.name in wanted]

    def every_geometric(self) -> list[GeometricMetric]:
        """Return all metrics of vertices in order, optional ones too."""
        return [metric for metric in self._found.values() if isinstance(metric, GeometricMetric)]

    def optional(self) -> list[str]:
        """Return the names of the metrics that a run measures where it is asked to, in order."""
        return [metric.name for metric in self.every_geometric() if metric.optional]


#: All metrics by name.
METRICS = Metrics()
