"""Regional errors: how far jaw and upper face are from where they should be.

Conventions
-----------
The mean vertex distance of a region in a frame, in millimetres; that of the lips is ``lve_mean_mm``. The jaw is chin
and cheeks below the mouth (:mod:`mtbench.metrics.jaw`), without the lips; the upper face is forehead and eye region,
as FDD has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair, squared_distances
from mtbench.metrics.jaw import find_jaw


def measure_region_mm(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return the mean distance of a region's vertices in each frame.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    region : (n,) int
        Vertex indices.

    Returns
    -------
    (T,) float64
        Millimetres.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.zeros((1, 3, 3))
    >>> measure_region_mm(truth + [0, 0.003, 0.004], truth, np.array([0, 2])).tolist()
    [5.0]
    """
    check_pair(prediction, truth)
    return 1000.0 * np.sqrt(squared_distances(prediction[:, region], truth[:, region])).mean(axis=1)


def jaw_of(pair: FacePair) -> np.ndarray | None:
    """Return the vertices of the jaw, None where nobody says which they are.

    Raises
    ------
    ValueError
        Where the topology is not known.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> head = load_topology("openhead-1")
    >>> still = head.neutral[None]
    >>> len(jaw_of(FacePair(still, still, head.region, topology=head)))
    127
    """
    if pair.topology is None:
        raise ValueError("the jaw's error needs the topology of the vertices, e.g. topology='flame-5023'")
    return find_jaw(pair.topology)


def _define(
    name: str,
    title: str,
    region: str,
    order: float,
    find: Callable[[FacePair], np.ndarray | None],
    **others: Any,
) -> GeometricMetric:
    def measure(pair: FacePair) -> float | None:
        found = find(pair)
        if found is None:
            return None
        return float(measure_region_mm(pair.prediction, pair.truth, found).sum())

    return GeometricMetric(
        name=name,
        title=title,
        unit="mm",
        aggregation="frame",
        overall="frame",
        order=order,
        statistic=f"{name}_sum",
        measure=measure,
        error="mean-l2",
        region=region,
        optional=True,
        source="the mean distance that FaceDiffuser and ScanTalk print of all vertices, of one region",
        **others,
    )


DEFINES = (
    _define(
        "jaw_mm",
        "mean vertex error of the jaw",
        "jaw",
        50,
        jaw_of,
        absent="nobody says which vertices of this topology are the jaw",
        label="Jaw error",
        definition="mean distance of chin and lower cheeks below the mouth, without lips, mean over frames",
        failures="As `lve_mean_mm`: a turned head moves the jaw more than speech does.",
    ),
    _define(
        "upper_face_mm",
        "mean vertex error of the upper face",
        "upper_face",
        51,
        lambda pair: pair.upper_face,
        label="Upper face error",
        definition="mean distance of forehead and eye region, mean over frames",
        failures="Speech hardly determines the upper face: another blink is an error here, and none to see.",
    ),
)
