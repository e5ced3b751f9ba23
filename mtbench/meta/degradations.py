"""Known degradations of motion and of timed phones.

Conventions
-----------
Vertices are (T, V, 3) float32 in metres at 25 fps. Every function is pure: what is random follows from the
clip's id, and stronger levels contain weaker ones (the frames dropped at 25 % are among those dropped at
50 %, the noise of 2 mm is that of 1 mm doubled), so that levels differ in strength and in nothing else.

Phones are timed as :func:`mtbench.benchmarks.phone_times.read_phone_times` gives them, pauses included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mtbench.speech import class_by_phone, unlike_phones

if TYPE_CHECKING:
    from mtbench.benchmarks import PhoneTime

#: Raise one when the same system gets other motion.
VERSION = "1"
#: Seed of everything random here.
SEED = 7
#: Phones whose closures are missed.
BILABIALS = frozenset("pbm")


@dataclass(frozen=True)
class LadderStep:
    """One step of the ladder, on which everything gets worse at once.

    Attributes
    ----------
    amplitude : float
        Factor of the amplitude.
    cutoff : float
        Cut-off of the low-pass, hertz.
    substituted : float
        Share of substituted phones, 0 to 1.
    late : float
        Delay of the phones, seconds.
    """

    amplitude: float
    cutoff: float
    substituted: float
    late: float


#: Steps are small where a recognizer is sensitive and large where little can be understood anyway.
LADDER: tuple[LadderStep, ...] = (
    LadderStep(0.96, 12.0, 0.02, 0.008),
    LadderStep(0.92, 10.0, 0.05, 0.016),
    LadderStep(0.87, 8.5, 0.08, 0.026),
    LadderStep(0.81, 7.0, 0.12, 0.038),
    LadderStep(0.74, 6.0, 0.17, 0.052),
    LadderStep(0.65, 5.0, 0.24, 0.070),
    LadderStep(0.52, 4.0, 0.34, 0.095),
    LadderStep(0.35, 2.5, 0.50, 0.140),
)


def clip_rng(clip: str, purpose: str) -> np.random.Generator:
    """Return the generator of what is random for one *purpose* in the clip of this id."""
    digest = hashlib.blake2b(f"{SEED}|{purpose}|{clip}".encode(), digest_size=8).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


# On vertices


def scale_amplitude(vertices: np.ndarray, neutral: np.ndarray, factor: float) -> np.ndarray:
    """Scale the displacements of (T, V, 3) *vertices* from the neutral face (V, 3)."""
    return (neutral + np.float32(factor) * (vertices - neutral)).astype(np.float32)


def low_pass(vertices: np.ndarray, fps: float, cutoff: float) -> np.ndarray:
    """Filter (T, V, 3) *vertices* in time, without delay, the clip mirrored at both ends.

    Parameters
    ----------
    vertices : (T, V, 3) float32
    fps : float
    cutoff : float
        Frequency at which half the power is left, hertz; the gain is that of a Butterworth filter of fourth order.
    """
    flat = vertices.reshape(len(vertices), -1)
    # About the mean: in float32 a small movement is then not the difference of large numbers.
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    smooth = _smoother(len(flat), fps, cutoff) @ (flat - mean)
    return (smooth + mean).reshape(vertices.shape).astype(np.float32)


@lru_cache(maxsize=256)
def _smoother(frames: int, fps: float, cutoff: float) -> np.ndarray:
    """Return the filter's (T, T) float32 matrix, by way of the cosine transform (type II)."""
    k: np.ndarray = np.arange(frames)
    cosines = np.cos(np.pi / frames * (k[None, :] + 0.5) * k[:, None])
    norm = np.sqrt(np.where(k == np.array([0]), 1.0, 2.0) / frames)
    cosines *= norm[:, None]
    frequency = k * fps / (2.0 * frames)
    gain = 1.0 / np.sqrt(1.0 + (frequency / cutoff) ** 8)
    return (cosines.T @ (gain[:, None] * cosines)).astype(np.float32)


def jitter(
    vertices: np.ndarray, millimetres: float, clip: str, region: np.ndarray | None = None
) -> np.ndarray:
    """Move every vertex in every frame by independent Gaussian noise.

    Parameters
    ----------
    vertices : (T, V, 3) float32
    millimetres : float
        Root mean square of the distances by which vertices move.
    clip : str
        Id of the clip, which the noise follows from.
    region : (n,) int, optional
        Indices of the vertices that move; all by default.
    """
    noise = clip_rng(clip, "jitter").standard_normal(vertices.shape, np.float32)
    noise *= np.float32(millimetres / 1000.0 / np.sqrt(3.0))
    if region is None:
        return vertices + noise
    out = vertices.copy()
    out[:, region] += noise[:, region]
    return out


def drop_frames(vertices: np.ndarray, share: float, clip: str) -> np.ndarray:
    """Freeze: each frame but the first is lost with probability *share*, and shows the last one that is not."""
    lost = clip_rng(clip, "frame-drops").random(len(vertices)) < share
    lost[:1] = False
    return vertices[np.maximum.accumulate(np.where(lost, 0, np.arange(len(vertices))))]


def hold_frames(vertices: np.ndarray, every: int) -> np.ndarray:
    """Show every *every*-th frame of (T, V, 3) *vertices* from the first on, each held until the next."""
    return vertices[np.arange(len(vertices)) // every * every]


def turn_head(vertices: np.ndarray, degrees: float) -> np.ndarray:
    """Turn (T, V, 3) *vertices* about the vertical axis through the origin, to the character's left."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    x, z = vertices[..., 0], vertices[..., 2]
    return np.stack([c * x + s * z, vertices[..., 1], c * z - s * x], axis=-1).astype(np.float32)


# On phones


def substitute(phones: Sequence[PhoneTime], share: float, clip: str) -> tuple[PhoneTime, ...]:
    """Replace each phone with probability *share* by one of another viseme class, vowels by vowels.

    The replacement takes the phone's time; only a stop keeps a stop's release.
    """
    rng = clip_rng(clip, "substitution")
    known = class_by_phone()
    out = []
    for phone in phones:
        chance, choice = rng.random(2)
        if chance < share and phone.symbol in known:
            others = unlike_phones(phone.symbol)
            symbol = others[int(choice * len(others))]
            release = phone.release if symbol in BILABIALS else None
            phone = replace(phone, symbol=symbol, release=release)
        out.append(phone)
    return tuple(out)


def missed_closures(phones: Sequence[PhoneTime], share: float, clip: str) -> frozenset[int]:
    """Return the positions of the p, b and m that are missed, each with probability *share*."""
    chances = clip_rng(clip, "missed-closures").random(len(phones))
    return frozenset(i for i, p in enumerate(phones) if p.symbol in BILABIALS and chances[i] < share)


def shift_phones(phones: Sequence[PhoneTime], seconds: float, duration: float) -> tuple[PhoneTime, ...]:
    """Move phones later in time; what would begin after *duration* seconds is left out."""
    out = []
    for phone in phones:
        start, end = phone.start + seconds, min(phone.end + seconds, duration)
        if start < end:
            release = None if phone.release is None else min(phone.release + seconds, end)
            out.append(replace(phone, start=start, end=end, release=release))
    return tuple(out)
