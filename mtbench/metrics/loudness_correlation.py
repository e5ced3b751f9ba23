"""SLCC, speech-lip intensity correlation: whether the lips move more in louder clips. Needs no ground truth.

Conventions
-----------
Of each clip, lip intensity is the root mean square over frames of the mean speed of the lip vertices, speech intensity
the root mean square of the whole clip's samples. Both become z-scores among the clips of one speaker (ddof 1); SLCC is
Pearson's r of the two over all clips. Since every speaker's z-scores have mean 0 and squares that add to n - 1, that is

    r = sum over clips of z_lips z_speech / sum over speakers of (n - 1),

a ratio of sums over clips. Clips whose benchmark names no speaker are grouped by language. Speakers with a single
clip, or whose clips are all alike in one of the two, are left out. The interval resamples the clips with these
z-scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mtbench.metrics.base import Cell, FacePair, GeometricMetric, Member
from mtbench.metrics.distances import squared_distances

_ALONE = "no other clips of the speaker, or all alike"


def measure_lip_intensity(vertices: np.ndarray, lips: np.ndarray) -> float:
    """Return the root mean square over steps of the mean way of the lip vertices from one frame to the next.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
    lips : (n,) int

    Returns
    -------
    float
        In the unit of *vertices*, a frame; 0 of a single frame.

    Examples
    --------
    >>> steps = np.array([[[0.0, 0, 0]], [[3, 4, 0]], [[3, 4, 0]]])
    >>> round(measure_lip_intensity(steps, np.array([0])) ** 2, 9)
    12.5
    """
    if len(vertices) < 2:
        return 0.0
    mouth = np.asarray(vertices[:, lips], np.float64)
    speed = np.sqrt(squared_distances(mouth[1:], mouth[:-1])).mean(axis=1)
    return float(np.sqrt(np.mean(speed**2)))


def measure_speech_intensity(samples: np.ndarray) -> float:
    """Return the root mean square of the samples, in float64: whole numbers of 16 bits would overflow when squared.

    Examples
    --------
    >>> measure_speech_intensity(np.array([3000, -4000], np.int16)) ** 2
    12500000.0
    """
    return float(np.sqrt(np.mean(np.asarray(samples, np.float64) ** 2)))


def score_members(members: Sequence[Member]) -> list[Cell]:
    """Return each clip's share in numerator and denominator of SLCC, or why it has none.

    Parameters
    ----------
    members : sequence of Member
        Speaker, lip intensity and speech intensity of each clip.

    Examples
    --------
    >>> cells = score_members([Member("a", x, y) for x, y in ((1, 1), (2, 3), (3, 2))])
    >>> round(sum(n for n, _ in cells) / sum(d for _, d in cells), 6)
    0.5
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, member in enumerate(members):
        groups[member.group].append(i)
    cells: list[Cell] = [_ALONE] * len(members)
    for chosen in groups.values():
        x, y = (np.array([getattr(members[i], name) for i in chosen]) for name in ("value", "per"))
        if len(chosen) < 2 or not x.std() or not y.std():
            continue
        product = (x - x.mean()) / x.std(ddof=1) * ((y - y.mean()) / y.std(ddof=1))
        for i, value in zip(chosen, product.tolist(), strict=True):
            cells[i] = value, (len(chosen) - 1) / len(chosen)
    return cells


def _measure_lips(pair: FacePair) -> float:
    return 1000.0 * pair.fps * measure_lip_intensity(pair.prediction, pair.lips)


def _measure_speech(pair: FacePair) -> float | None:
    return None if pair.sound is None else measure_speech_intensity(pair.sound())


DEFINES = (
    GeometricMetric(
        name="slcc",
        title="correlation of lip movement and loudness, without ground truth",
        unit="r",
        higher_is_better=True,
        aggregation="clip",
        overall="clip",
        order=63,
        statistic="lip_intensity_mm_s",
        measure=_measure_lips,
        per="speech_intensity",
        measure_per=_measure_speech,
        across=score_members,
        needs_truth=False,
        absent="no sound",
        error="pearson-zscores",
        label="SLCC",
        orders_systems=False,
        optional=True,
        definition="Pearson's r over clips of lip intensity (rms of the lips' mean speed) and speech intensity (rms of "
        "the samples), both as z-scores among the clips of a speaker, or of a language where no speaker is named",
        source="Perceptual-3D (CVPR 2025) `evaluation/extract_lip_intensity.py`, `extract_rms.py`, `evaluate_SLCC.py`",
        failures="Made for MEAD, where actors repeat sentences at several intensities: on clips of even loudness it "
        "says nothing. The published script squares 16-bit numbers of mono files, which overflows; this one does not. "
        "The ground truth need not score best.",
    ),
)
