"""Occurrences: what one sound asks of the articulators this time, drawn anew whenever it is said.

Conventions
-----------
Rows are phones in order of time, columns those of :data:`~mtbench.synth.articulation_targets.PARAMETERS`. Draws are
sums of three uniform numbers, bell-shaped with standard deviation 1 and bounded by 3: no function whose last bit
depends on the machine takes part. What a phone draws depends on the seed and its place among the phones, so that a
longer utterance begins like a shorter one but for what depends on the length of all its vowels.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from mtbench.speech import TimedPhone
from mtbench.synth.articulation_settings import target_arrays
from mtbench.synth.articulation_targets import PARAMETERS, load_targets
from mtbench.synth.blending import Pulls, weaken_pauses
from mtbench.synth.contacts import (
    CONTACTS,
    ContactSpan,
    closure_times,
    extend_to_frame,
)
from mtbench.synth.speaking_styles import BOUND, SpeakingStyle, Variation

#: Which parameters go together, as columns.
_JAW, _PART, _SPREAD, _ROUND, _TONGUE = (0,), (1,), (2,), (3, 4), (5, 6, 7)
_GROUPS = (_JAW, _PART, _SPREAD, _ROUND, _TONGUE)
#: Seconds of a sound that falls neither short of its target nor goes beyond it.
_REFERENCE = 0.09
#: How little and how much of a target a short and a long sound reach.
_REACH = (0.35, 1.12)
#: Jaw opening of a syllable's middle, whatever the vowel, and of its consonants, as shares of the most open target.
_NUCLEUS, _MARGIN = 0.6, 0.3
#: How much more firmly than the table says a pause holds the mouth at rest: people open it with the first sound, and
#: close it with the last.
_REST = 4.0
#: Share of the slow effort that one phone hands on to the next.
_MEMORY = 0.92
#: Vowels are taken to be between so many times shorter and longer than the mean.
_LENGTHS = (0.4, 2.0)
#: Streams of random numbers: of the sounds, of their contacts, of the face's two sides.
_SOUNDS, _CONTACTS, _SIDES = 11, 12, 13


def bell(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw bell-shaped numbers with mean 0 and standard deviation 1, bounded by :data:`BOUND`."""
    u = rng.random((*shape, 3))
    return (u[..., 0] + u[..., 1] + u[..., 2] - 1.5) * (2.0 * BOUND / 3.0)


def factor(draw: np.ndarray, spread: float) -> np.ndarray:
    """Return positive factors around 1: of *draw* the logarithm is about *spread* times it."""
    x = draw * (0.5 * spread)
    return (1.0 + x) / (1.0 - x)


def draw_pulls(
    rows: np.ndarray, start: np.ndarray, end: np.ndarray, style: SpeakingStyle, seed: int
) -> Pulls:
    """Draw what every phone asks for.

    Parameters
    ----------
    rows : (n,) int
        Rows of the table of targets, without holes in time.
    start, end : (n,) float64
        Seconds.
    style : SpeakingStyle
    seed : int

    Returns
    -------
    Pulls
        Values are 0 or more, times follow the sound by at most :data:`BOUND` standard deviations of the timing.
    """
    value, strength, lead, lag = target_arrays(style.setting)
    vary, n = style.variation, len(rows)
    pause = rows == len(value) - 1
    length = end - start
    rng = np.random.Generator(np.random.PCG64([seed, _SOUNDS]))
    uniform = rng.random((n, 3))
    draws = np.stack([bell(np.random.Generator(np.random.PCG64([seed, _SOUNDS, k])), n) for k in range(24)])
    amplitude, timing, carry, wander = draws[:5], draws[5:10], draws[10:13], draws[13:21]
    target = _raise_jaw(value[rows], rows, length, vary, value)
    target[:, _SPREAD] *= style.corners
    target *= factor(_remember(draws[21]), vary.effort)[:, None]
    reach = _reach(length, vary.undershoot * factor(draws[22], vary.carry))
    for k, columns in enumerate(_GROUPS):
        for column in columns:
            target[:, column] *= factor(amplitude[k], vary.amplitude)
            if columns != _TONGUE:
                target[:, column] *= reach
    for k, columns, chance in ((0, _SPREAD, vary.spreads), (1, _ROUND, vary.rounds)):
        for column in columns:
            target[:, column] *= np.where(uniform[:, k] < chance, 1.0, vary.residue)
    target += vary.wander * wander.T
    resting = vary.parted * np.maximum(2.0 * uniform[:, 2] - 1.0, 0.0)
    target[pause] = 0.0
    target[pause, 0] = target[pause, 1] = resting[pause]
    shift = np.zeros((n, len(PARAMETERS)))
    for k, columns in enumerate(_GROUPS):
        for column in columns:
            # Articulators keep time with each other better than with the sound.
            shift[:, column] = vary.timing * (0.8 * timing[0] + 0.6 * timing[k] if k else timing[0])
    shift[pause] = 0.0
    firmness = factor(carry[0], vary.carry) * np.where(pause, _REST, 1.0)
    return Pulls(
        np.maximum(target, 0.0),
        weaken_pauses(firmness[:, None] * strength[rows], pause, length),
        lead[rows] * factor(carry[1], vary.carry)[:, None],
        lag[rows] * factor(carry[2], vary.carry)[:, None],
        start[:, None] + shift,
        np.maximum(end[:, None] + shift, start[:, None] + shift),
    )


def _raise_jaw(
    target: np.ndarray, rows: np.ndarray, length: np.ndarray, vary: Variation, table: np.ndarray
) -> np.ndarray:
    """Return (n, 8) targets whose jaw follows syllables and stress."""
    vowel = load_targets().vowel[rows]
    if vowel.any():
        relative = np.clip(length / length[vowel].mean(), *_LENGTHS) - 1.0
        # The table may be a speaker's own: what is most open in it is the measure of all openings.
        nucleus = _NUCLEUS * table[:, 0].max()
        open_jaw = (1.0 - vary.syllabic) * target[:, 0] + vary.syllabic * nucleus
        stressed = open_jaw * np.maximum(1.0 + vary.stress * relative, 0.2)
        margin = (1.0 - vary.syllabic) * target[:, 0] + vary.syllabic * _MARGIN * table[:, 0].max()
        target[:, 0] = np.where(vowel, stressed, np.where(rows == len(table) - 1, 0.0, margin))
    return target


def _reach(length: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Share of the target that a movement comes to in *length* seconds which needs *half* for half its way."""
    return np.clip(length * (_REFERENCE + half) / ((length + half) * _REFERENCE), *_REACH)


def _remember(draws: np.ndarray) -> np.ndarray:
    """Return draws of which each keeps most of the one before, with the same standard deviation."""
    fresh = (1.0 - _MEMORY * _MEMORY) ** 0.5
    out = draws.copy()
    for i in range(1, len(out)):
        out[i] = _MEMORY * out[i - 1] + fresh * draws[i]
    return np.clip(out, -BOUND, BOUND)


def draw_spans(
    phones: Sequence[TimedPhone],
    fps: float,
    n_frames: int,
    style: SpeakingStyle,
    seed: int,
    missed: Collection[int] = (),
) -> list[ContactSpan]:
    """Draw the contacts of *phones*: when they come, how complete they are, how hard the lips press.

    Parameters
    ----------
    phones : sequence of phones
    fps : float
    n_frames : int
    style : SpeakingStyle
    seed : int
    missed : collection of int
        Positions of phones without their contact.

    Returns
    -------
    list of ContactSpan
        In order of time. A complete contact lasts a whole frame at least; others may be over sooner.
    """
    vary = style.variation
    spans: list[ContactSpan] = []
    for i, phone in enumerate(phones):
        times = closure_times(phone)
        if times is None or i in missed:
            continue
        rng = np.random.Generator(np.random.PCG64([seed, _CONTACTS, i]))
        complete, how, force, lift = rng.random(4)
        contact = CONTACTS[phone.symbol]
        shift = 0.5 * vary.timing * float(bell(rng))
        start, end = times[0] + shift, times[1] + shift
        level = 1.0 if contact.kind == "lips" else contact.level
        if complete < vary.full:
            start, end = extend_to_frame(start, end, fps, n_frames)
        else:
            level *= vary.nearest + (1.0 - vary.nearest) * how
        span = ContactSpan(
            contact.kind,
            start,
            end,
            level,
            contact.press,
            style.setting.press * 1.5 * force,
            0.4 + 0.9 * lift,
        )
        if spans and span.start < spans[-1].end:
            # Shifted into each other: the later one waits.
            span = replace(span, start=spans[-1].end, end=max(span.end, spans[-1].end))
        spans.append(span)
    return spans


def draw_sides(style: SpeakingStyle, seed: int) -> float:
    """Draw by what factor the left side of the face moves further than the right one."""
    rng = np.random.Generator(np.random.PCG64([seed, _SIDES]))
    return float(factor(bell(rng), style.variation.asymmetry))
