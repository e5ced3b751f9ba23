"""MTM, mean temporal misalignment: by how much openings and closings of the lips come at the wrong time.

Conventions
-----------
Perceptual-3D's ``evaluation/evaluate_MTM.py``: both gap curves (:mod:`mtbench.metrics.lip_gap`) are smoothed by a
Gaussian of two frames; their first differences, the first of them 0, are warped onto each other
(:mod:`mtbench.metrics.warping`). A pair of the path counts where both frames are maxima, or both minima, of the
smoothed curves, and the prediction's lies between the truth's extrema before and after, those included. The
difference of their frames, times the length of a frame, is averaged over a clip's pairs, then over clips. Papers
print frames: a frame is 40 ms at 25 frames a second. The published script takes every second frame of the truth
first, for VOCASET's 60 frames a second; here both have the benchmark's rate.

A clip without pairs has no number, and a face that hardly moves few pairs: ``mtm_matched`` says of how many of the
truth's extrema the number speaks. Read one with the other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.lip_gap import gap_of
from mtbench.metrics.warping import trace_warping_path, warp_curves

#: Standard deviation of the smoothing, frames.
SMOOTHING = 2.0


def match_extrema(
    prediction: np.ndarray, truth: np.ndarray, smoothing: float = SMOOTHING
) -> list[tuple[int, int]]:
    """Return the frames of extrema that belong together.

    Parameters
    ----------
    prediction, truth : (n,), (m,) floating point
        Lip gaps.
    smoothing : float
        Standard deviation of the Gaussian, frames.

    Returns
    -------
    list of (int, int)
        Frames in the truth and in the prediction, in the order of time.

    Raises
    ------
    ValueError
        For an empty curve, or values that are not finite.

    Examples
    --------
    >>> wave = np.sin(np.arange(60) / 4)
    >>> {b - a for a, b in match_extrema(np.roll(wave, 2), wave)}
    {2}
    """
    from scipy.ndimage import gaussian_filter1d

    p, t = (gaussian_filter1d(np.asarray(x, np.float64), smoothing) for x in (prediction, truth))
    slopes = [np.diff(x, prepend=x[0]) for x in (t, p)]
    path = trace_warping_path(warp_curves(*slopes))
    kinds = [(_find_extrema(t), _find_extrema(p)), (_find_extrema(-t), _find_extrema(-p))]
    bounds = np.sort(np.concatenate([kind[0] for kind in kinds]))
    matched = []
    for i, j in path.tolist():
        if any(i in of_truth and j in of_prediction for of_truth, of_prediction in kinds):
            before, after = bounds[bounds < i], bounds[bounds > i]
            if (not len(before) or j >= before[-1]) and (not len(after) or j <= after[0]):
                matched.append((i, j))
    return matched


def count_extrema(truth: np.ndarray, smoothing: float = SMOOTHING) -> int:
    """Return how many maxima and minima the smoothed curve has.

    Examples
    --------
    >>> count_extrema(np.sin(np.arange(60) / 4))
    5
    """
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(np.asarray(truth, np.float64), smoothing)
    return len(_find_extrema(smooth)) + len(_find_extrema(-smooth))


def _find_extrema(curve: np.ndarray) -> np.ndarray:
    from scipy.signal import find_peaks

    return find_peaks(curve)[0]


@lru_cache(maxsize=4)
def _match(prediction: bytes, truth: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(match_extrema(np.frombuffer(prediction), np.frombuffer(truth)))


def _matched(pair: FacePair) -> tuple[tuple[int, int], ...]:
    return _match(gap_of(pair, pair.prediction).tobytes(), gap_of(pair, pair.truth).tobytes())


def _measure_delay(pair: FacePair) -> float | None:
    matched = _matched(pair)
    if not matched:
        return None
    return 1000.0 / pair.fps * float(np.mean([abs(i - j) for i, j in matched]))


def _count_matched(pair: FacePair) -> float:
    return float(len({i for i, _ in _matched(pair)}))


_SHARED: dict[str, Any] = {"error": "ddtw-extrema@2", "region": "lip-gap", "optional": True}

DEFINES = (
    GeometricMetric(
        name="mtm_ms",
        title="mean temporal misalignment of the lips",
        unit="ms",
        aggregation="clip",
        overall="clip",
        order=46,
        statistic="mtm_ms",
        measure=_measure_delay,
        absent="no opening or closing of the lips belongs to one of the truth's",
        label="MTM",
        definition="mean time between extrema of the smoothed lip gaps that derivative DTW brings together; mean over "
        "clips that have any (papers: frames, 40 ms each at 25 frames a second)",
        source="Perceptual-3D (CVPR 2025) `evaluation/evaluate_MTM.py`",
        failures="Whole frames; delays longer than half a syllable match the wrong extremum and look short; faces that "
        "hardly move have few pairs or none and are *left out*: read it with `mtm_matched`. The gap is unsigned.",
        **_SHARED,
    ),
    GeometricMetric(
        name="mtm_matched",
        title="openings and closings that MTM speaks of",
        unit="%",
        scale=100.0,
        higher_is_better=True,
        aggregation="corpus",
        overall="corpus",
        order=47,
        statistic="mtm_matched",
        measure=_count_matched,
        per="mtm_extrema",
        measure_per=lambda pair: float(count_extrema(gap_of(pair, pair.truth))),
        absent="the true lips neither open nor close",
        label="MTM, matched",
        definition="extrema of the true lip gap that `mtm_ms` found a partner for / all of them",
        source="this toolkit; the published script drops the others silently",
        failures="Noise has an extremum everywhere, so jitter matches much.",
        **_SHARED,
    ),
)
