"""Optional metrics: which ones are asked for, and their statistics of one clip.

Conventions
-----------
A run measures optional metrics where their names are given, or ``"all"``. They are kept beside what every run keeps:
those that compare with ground truth among the statistics of the clip's geometry, those that do without it apart, since
a clip without ground truth has them too.
"""

from __future__ import annotations

from collections.abc import Iterable

from mtbench.errors import UsageError, did_you_mean
from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.geometry_sums import GeometrySums
from mtbench.metrics.registry import METRICS

#: What stands for all optional metrics.
ALL = "all"


def choose_metrics(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the optional metrics among *names* (or the one name), in order; ``"all"`` stands for every one of them.

    Raises
    ------
    UsageError
        For an unknown name.

    Examples
    --------
    >>> choose_metrics(["mod_mm", "lip_dtw_mm", "lve_mm"])
    ('lip_dtw_mm', 'mod_mm')
    """
    wanted = {names} if isinstance(names, str) else set(names)
    for name in sorted(wanted - {ALL} - set(METRICS)):
        raise UsageError(
            f"unknown metric {name!r}{did_you_mean(name, METRICS)}; known: {ALL}, {', '.join(METRICS)}"
        )
    return tuple(name for name in METRICS.optional() if ALL in wanted or name in wanted)


def name_asked(asked: Iterable[str]) -> dict[str, str]:
    """Return the versions of the statistics of the optional metrics *asked* for, by the statistics' names.

    Examples
    --------
    >>> name_asked(["mod_mm"])
    {'mod_mm_sum': '1'}
    """
    return {name: metric.version for metric in _find(asked) for name in metric.measures}


def measure_asked(pair: FacePair, asked: Iterable[str]) -> tuple[GeometrySums | None, GeometrySums | None]:
    """Return the statistics of the optional metrics *asked* for, of one clip.

    Parameters
    ----------
    pair : FacePair
        Without ground truth, its *truth* has no frames.
    asked : iterable of str
        Names, as :func:`choose_metrics` gives them.

    Returns
    -------
    beside : GeometrySums or None
        Those that compare with the truth; None where there is none, or no such metric is asked for.
    alone : GeometrySums or None
        Those that do without.

    Raises
    ------
    ValueError
        Where shapes differ, or the topology lacks what a metric needs.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[[0, 0.02, 0], [0, -0.01, 0]]])
    >>> lips = {"lips": np.array([0, 1])}
    >>> beside, alone = measure_asked(FacePair(0.5 * truth, truth, lips.__getitem__), ["mod_mm"])
    >>> beside.to_json(), alone
    ({'frames': 1, 'mod_mm_sum': 15.0}, None)
    """
    metrics = _find(asked)
    beside = [metric for metric in metrics if metric.needs_truth and len(pair.truth)]
    alone = [metric for metric in metrics if not metric.needs_truth]
    return _measure(pair, beside, len(pair.truth)), _measure(pair, alone, len(pair.prediction))


def _measure(pair: FacePair, metrics: list[GeometricMetric], frames: int) -> GeometrySums | None:
    if not metrics:
        return None
    functions = {name: function for metric in metrics for name, function in metric.measures.items()}
    return GeometrySums(frames, {name: function(pair) for name, function in functions.items()})


def _find(asked: Iterable[str]) -> list[GeometricMetric]:
    wanted = set(asked)
    return [metric for metric in METRICS.every_geometric() if metric.optional and metric.name in wanted]
