"""Lip statistics: how much, how fast and how alike lips move over many clips; contacts per second.

Conventions
-----------
Measures are those of :mod:`mtbench.synth.lip_measures`, in millimetres away from rest. Only frames in which somebody
speaks count: stretches of lips at rest (:data:`REST`) longer than :data:`PAUSE` seconds are left out, so that word
lists with pauses and running speech can be compared. Clips are pooled frame by frame.

A *closure* is a dip of the gap by at least :data:`PROMINENCE` on both sides, not longer than :data:`PAUSE`: full where
the lips meet (:data:`FULL`), partial where they only come near (:data:`PARTIAL`). A *labiodental contact* is a stretch
in which the lips do not meet while the lower lip is tucked in (:data:`TUCKED`) and the upper one raised
(:data:`LIFTED`). The thresholds fit the bundled head, on which p, b and m of the rules lie at -0.5 mm, f and v at 1.7
to 1.9 mm with a tuck of 2.9 to 3.8 mm; that of vowels is below 0.7 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from mtbench.errors import UsageError
from mtbench.synth.lip_measures import LipMeasures

#: Seconds of lips at rest that no sound needs.
PAUSE = 0.35
#: Millimetres of gap up to which lips are at rest: in silence they need not touch.
REST = 1.0
#: Millimetres of gap up to which lips are closed, and up to which they nearly are.
FULL, PARTIAL = 0.5, 3.0
#: Millimetres by which the gap falls and rises again around a closure.
PROMINENCE = 1.5
#: Millimetres by which the lower lip is tucked in and the upper lip raised while they touch lip and teeth.
TUCKED, LIFTED = 2.0, 0.8
#: Hz; what is faster follows from single sounds rather than from syllables and phrases.
FAST = 3.0
#: Percentiles between which a measure's range is taken.
RANGE = (2.0, 98.0)


@dataclass(frozen=True)
class LipStatistics:
    """How lips move over many clips.

    Attributes
    ----------
    clips : int
    seconds : float
        Of speech, pauses left out.
    gap_median, gap_sd, width_sd, protrusion_sd : float
        Millimetres.
    gap_range, width_range, protrusion_range : float
        Millimetres between the percentiles :data:`RANGE`.
    gap_speed, width_speed, protrusion_speed : float
        Mean absolute speed, millimetres per second.
    gap_fast, width_fast, protrusion_fast : float
        Share of the variance above :data:`FAST`, 0 to 1.
    gap_width, gap_protrusion, width_protrusion : float
        Correlations between two measures.
    full, partial, labiodental : float
        Closures, partial closures, and contacts of lip and teeth per second.
    """

    clips: int
    seconds: float
    gap_median: float
    gap_sd: float
    gap_range: float
    gap_speed: float
    gap_fast: float
    width_sd: float
    width_range: float
    width_speed: float
    width_fast: float
    protrusion_sd: float
    protrusion_range: float
    protrusion_speed: float
    protrusion_fast: float
    gap_width: float
    gap_protrusion: float
    width_protrusion: float
    full: float
    partial: float
    labiodental: float


@dataclass(frozen=True)
class Contacts:
    """Frames at which lips and teeth meet.

    Attributes
    ----------
    full, partial, labiodental : (n,) int
        Middle frame of each contact of that kind.
    """

    full: np.ndarray
    partial: np.ndarray
    labiodental: np.ndarray


def find_speech(gap: np.ndarray, fps: float) -> np.ndarray:
    """Return which frames lie outside of long stretches of lips at rest.

    Parameters
    ----------
    gap : (T,) float
        Millimetres.
    fps : float

    Returns
    -------
    (T,) bool

    Examples
    --------
    >>> find_speech(np.array([0, 0, 9, 0, 9, 0, 0]), fps=5.0).tolist()
    [False, False, True, True, True, False, False]
    """
    spoken = np.ones(len(gap), bool)
    for first, last in _runs(gap <= REST):
        if (last - first) / fps > PAUSE:
            spoken[first:last] = False
    return spoken


def find_contacts(lips: LipMeasures) -> Contacts:
    """Find closures and labiodental contacts of one clip.

    Parameters
    ----------
    lips : LipMeasures

    Returns
    -------
    Contacts
    """
    from scipy.signal import find_peaks

    # Closed is closed: what the lips do to each other then makes no further dip, but one flat one.
    dips = -np.maximum(lips.gap, FULL)
    frames, found = find_peaks(dips, height=-PARTIAL, prominence=PROMINENCE, plateau_size=1)
    short = found["plateau_sizes"] / lips.fps <= PAUSE
    closed = found["peak_heights"] >= -FULL
    apart = (lips.gap > FULL) & (lips.gap <= PARTIAL)
    runs = _runs(apart & (lips.tuck >= TUCKED) & (lips.lift >= LIFTED))
    teeth = np.array([(first + last) // 2 for first, last in runs], int)
    return Contacts(frames[short & closed], frames[~closed], teeth)


def summarize_lips(clips: Sequence[LipMeasures]) -> LipStatistics:
    """Pool the measures of *clips*.

    Parameters
    ----------
    clips : sequence of LipMeasures

    Returns
    -------
    LipStatistics
        A correlation with something that never moves is NaN, as is its share of fast motion.

    Raises
    ------
    UsageError
        Where nobody speaks: without two frames of moving lips there is nothing to tell.
    """
    masks = [find_speech(clip.gap, clip.fps) for clip in clips]
    seconds = sum(mask.sum() / clip.fps for mask, clip in zip(masks, clips, strict=True))
    if sum(int(mask.sum()) for mask in masks) < 2:
        raise UsageError(
            f"in {len(clips)} clip(s) of motion the lips never part by more than {REST:g} mm for longer than a frame: "
            "there is nothing to measure; is this the motion of somebody who speaks?"
        )
    values: dict[str, float] = {}
    pooled = {}
    for name in ("gap", "width", "protrusion"):
        tracks = [getattr(clip, name) for clip in clips]
        pooled[name] = x = np.concatenate([t[m] for t, m in zip(tracks, masks, strict=True)])
        values[f"{name}_sd"] = float(x.std())
        values[f"{name}_range"] = float(np.subtract(*np.percentile(x, RANGE[::-1])))
        values[f"{name}_speed"] = _speed(tracks, masks, clips)
        values[f"{name}_fast"] = _fast_share(tracks, masks, clips)
    contacts = [find_contacts(clip) for clip in clips]
    for name in ("full", "partial", "labiodental"):
        values[name] = sum(len(getattr(found, name)) for found in contacts) / float(seconds)
    return LipStatistics(
        clips=len(clips),
        seconds=float(seconds),
        gap_median=float(np.median(pooled["gap"])),
        gap_width=_correlate(pooled["gap"], pooled["width"]),
        gap_protrusion=_correlate(pooled["gap"], pooled["protrusion"]),
        width_protrusion=_correlate(pooled["width"], pooled["protrusion"]),
        **values,
    )


def _speed(tracks: list[np.ndarray], masks: list[np.ndarray], clips: Sequence[LipMeasures]) -> float:
    """Mean absolute speed over steps between two frames of speech; 0 where there are none."""
    steps = [
        np.abs(np.diff(track))[mask[1:] & mask[:-1]] * clip.fps
        for track, mask, clip in zip(tracks, masks, clips, strict=True)
    ]
    joined = np.concatenate(steps)
    return float(joined.mean()) if len(joined) else 0.0


def _fast_share(tracks: list[np.ndarray], masks: list[np.ndarray], clips: Sequence[LipMeasures]) -> float:
    """Variance of the tracks above :data:`FAST` by their whole variance, in frames of speech."""
    from scipy.signal import butter, sosfiltfilt

    fast, whole = [], []
    for track, mask, clip in zip(tracks, masks, clips, strict=True):
        if len(track) > 1:
            filters = butter(4, FAST, "highpass", fs=clip.fps, output="sos")
            fast.append(sosfiltfilt(filters, track, padtype="even", padlen=min(len(track) - 1, 50))[mask])
            whole.append(track[mask])
    total = float(np.concatenate(whole).var()) if whole else 0.0
    return float((np.concatenate(fast) ** 2).mean() / total) if total > 1e-12 else float("nan")


def _correlate(x: np.ndarray, y: np.ndarray) -> float:
    if min(x.std(), y.std()) < 1e-9:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last index of every stretch of true *flags*."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


#: Names of what :class:`LipStatistics` holds, in order.
STATISTICS = tuple(field.name for field in fields(LipStatistics))
