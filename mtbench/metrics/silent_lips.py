"""Lip stability in silence: how much the lips wander while nobody speaks. Needs no ground truth.

Conventions
-----------
The median over the frames of all silences of 0.3 s or more (:mod:`mtbench.metrics.loudness`) of |a[t] - mean a|, with
a the aperture in millimetres and its mean over the same frames; None of fewer than two such frames. THEval's opening
is the mean of eight pairs of its tracker's points over the distance of the outer eye corners; on meshes the unit is
known.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.lip_gap import aperture_of
from mtbench.metrics.loudness import find_silence, find_speech


def measure_stability(opening: np.ndarray, silent: np.ndarray) -> float | None:
    """Return the median distance of the opening from its mean, over silent frames.

    Parameters
    ----------
    opening : (T,) floating point
        NaN where nobody knows it.
    silent : (T,) bool

    Returns
    -------
    float or None
        In the unit of *opening*; None where fewer than two frames count.

    Examples
    --------
    >>> measure_stability(np.array([9.0, 1.0, 2.0, 3.0]), np.array([False, True, True, True]))
    1.0
    """
    kept = np.asarray(opening, np.float64)[np.asarray(silent, bool)]
    kept = kept[np.isfinite(kept)]
    if len(kept) < 2:
        return None
    return float(np.median(np.abs(kept - kept.mean())))


def _measure(pair: FacePair) -> float | None:
    speech = find_speech(pair)
    if speech is None:
        return None
    return measure_stability(aperture_of(pair, pair.prediction), find_silence(speech, pair.fps))


DEFINES = (
    GeometricMetric(
        name="silent_lips_mm",
        title="movement of the lips in silence, without ground truth",
        unit="mm",
        aggregation="clip",
        overall="clip",
        order=61,
        statistic="silent_lips_mm",
        measure=_measure,
        needs_truth=False,
        absent="no silence of 0.3 s",
        error="median-abs-deviation",
        region="lip-aperture",
        label="Lips in silence",
        orders_systems=False,
        optional=True,
        definition="median of |aperture − its mean| over the frames of silences of 0.3 s or more",
        source="THEval `Synchronization/silent_lip_stability.py` (there relative to the distance of the eyes)",
        failures="A face that never moves is perfect; lips that hang open calmly are, too; breathing and preparing to "
        "speak count as errors; clips cut close to the speech have no silence and no number.",
    ),
)
