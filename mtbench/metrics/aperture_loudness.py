"""Aperture against loudness: whether the mouth is open when speech is loud. Needs no ground truth.

Conventions
-----------
Over the frames in which somebody speaks (:mod:`mtbench.metrics.loudness`), aperture and loudness are both brought to
0 to 1 by their least and largest value, and the mean of their absolute difference is taken; the denominator of the
scaling has 1e-8 added. There is no number where fewer than a tenth of the frames are speech, or fewer than two.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.lip_gap import aperture_of
from mtbench.metrics.loudness import find_speech, measure_loudness

#: Least share of frames with speech.
LEAST = 0.1
_ADDED = 1e-8


def compare_loudness(opening: np.ndarray, loudness: np.ndarray, speech: np.ndarray) -> float | None:
    """Return the mean difference of opening and loudness, both scaled to 0 to 1, over frames with speech.

    Parameters
    ----------
    opening : (T,) floating point
        NaN where nobody knows it.
    loudness : (T,) floating point
    speech : (T,) bool

    Returns
    -------
    float or None
        0 to 1; None where too few frames are speech.

    Examples
    --------
    >>> round(compare_loudness(np.array([0.0, 1, 2]), np.array([0.0, 2, 2]), np.ones(3, bool)), 6)
    0.166667
    """
    opening, speech = np.asarray(opening, np.float64), np.asarray(speech, bool)
    kept = speech & np.isfinite(opening)
    if speech.sum() < LEAST * len(speech) or kept.sum() < 2:
        return None
    a, b = _scale(opening[kept]), _scale(np.asarray(loudness, np.float64)[kept])
    return float(np.abs(a - b).mean())


def _scale(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min() + _ADDED)


def _measure(pair: FacePair) -> float | None:
    speech = find_speech(pair)
    if speech is None or pair.sound is None:
        return None
    loudness = measure_loudness(pair.sound(), len(pair.prediction), pair.fps)
    return compare_loudness(aperture_of(pair, pair.prediction), loudness, speech)


DEFINES = (
    GeometricMetric(
        name="lip_loudness",
        title="aperture against loudness, without ground truth",
        unit="fraction",
        aggregation="clip",
        overall="clip",
        order=60,
        statistic="lip_loudness",
        measure=_measure,
        needs_truth=False,
        absent="no sound, or hardly any speech",
        error="mean-abs-minmax",
        region="lip-aperture",
        label="Aperture against loudness",
        orders_systems=False,
        optional=True,
        definition="mean over frames with speech of |aperture − loudness|, both scaled to 0 … 1 within the clip",
        source="THEval `Synchronization/lip_sync.py` (there aperture over the distance of the eyes)",
        failures="Loud is not open: true mouths do not reach 0, s and i are loud and narrow; any system that "
        "follows the envelope beats the truth; blind to amplitude.",
    ),
)
