"""The ground truth of a clip, and the one function that makes a system's motion from it.

Conventions
-----------
Most degradations change vertices, as a submission that was processed afterwards would. A substituted phone, a missed
closure and another speaker's face are made from timed phones and curves of facial units, with the articulation and,
where it draws, the seed that made the ground truth. The curves of the ground truth stay as they are wherever the
degraded phones change nothing: what is added to them is the difference between the model's curves for the degraded and
for the true phones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mtbench.benchmarks import PAUSE, PhoneTime, neutral_face, read_phone_times
from mtbench.errors import UsageError
from mtbench.meta.degradations import (
    LADDER,
    clip_rng,
    drop_frames,
    hold_frames,
    jitter,
    low_pass,
    missed_closures,
    scale_amplitude,
    shift_phones,
    substitute,
    turn_head,
)
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.submissions import Displacement, fit_frames, lag, partner, read_displacement

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark, Clip

#: The largest deviation of a curve by which a ground truth still counts as made by the articulation model:
#: phone times are written with four decimals, which moves curves by some thousandths.
SAME_ANIMATOR = 0.02


@dataclass(frozen=True)
class GroundTruth:
    """The ground truth of a clip, as curves and vertices; read when it is first used.

    Attributes
    ----------
    benchmark : Benchmark
        Benchmark of the clip.
    clip : Clip
        Clip with ground truth.
    """

    benchmark: Benchmark
    clip: Clip

    @cached_property
    def displacement(self) -> Displacement:
        """Movement away from the neutral face: curves where there are some."""
        return read_displacement(self.clip)

    @cached_property
    def neutral(self) -> np.ndarray:
        """Neutral face of the speaker, (V, 3) float32, metres."""
        return neutral_face(self.clip) if self.displacement.rest is None else self.displacement.rest

    @cached_property
    def vertices(self) -> np.ndarray:
        """Motion, (T, V, 3) float32, metres."""
        motion = self.clip.load_motion()
        assert motion is not None
        return motion.vertices

    @cached_property
    def phones(self) -> tuple[PhoneTime, ...]:
        """Timed phones, pauses included."""
        return read_phone_times(self.clip)

    @property
    def duration(self) -> float:
        """Duration of the clip, seconds."""
        return self.clip.frames / self.clip.fps

    @cached_property
    def animated(self) -> np.ndarray:
        """Curves that the articulation model makes from the true phones, (T, U) float32, the upper face still."""
        return self._animate(self.phones)

    def curves(self, phones: Sequence[PhoneTime], missed: frozenset[int] = frozenset()) -> np.ndarray:
        """Return the curves of the ground truth, changed as far as other *phones* differ, (T, U) float32."""
        from mtbench.synth import CEILING

        change = self._animate(phones, missed) - self.animated
        return np.clip(self.displacement.frames + change, 0.0, np.float32(CEILING))

    def pose(self, curves: np.ndarray, identity: str | None = None) -> np.ndarray:
        """Return the vertices of facial-unit *curves* on the clip's speaker or another *identity*."""
        from mtbench.faces import load_head

        head = load_head()
        return head.pose(curves, head.identity(identity or self.displacement.identity or "neutral"))

    def _animate(self, phones: Sequence[PhoneTime], missed: frozenset[int] = frozenset()) -> np.ndarray:
        from mtbench.synth import SpeakingStyle, animate_in, choose_seed, find_manner

        manner = find_manner(self.benchmark)
        if not isinstance(manner, SpeakingStyle):
            still = replace(manner, liveliness=0.0)
            return animate_in(phones, self.duration, still, self.clip.fps, missed=missed)
        style = replace(manner, setting=replace(manner.setting, liveliness=0.0))
        seed = choose_seed(self.benchmark, self.clip, style)
        return animate_in(_begin_at_once(phones), self.duration, style, self.clip.fps, seed, missed)


def _begin_at_once(phones: Sequence[PhoneTime]) -> list[PhoneTime]:
    """Return *phones* with no gap before the first pause: what a sound draws follows from its place among all."""
    first = [replace(phone, start=0.0) for phone in phones[:1] if phone.symbol == PAUSE]
    return [*first, *phones[len(first) :]]


def find_obstacle(truth: GroundTruth) -> str | None:
    """Return why phones and identity of this clip cannot be changed, None where they can.

    It takes facial-unit curves, timed phones, and a ground truth that the articulation model made from them.
    """
    if truth.displacement.identity is None:
        return f"the ground truth of clip {truth.clip.id} are vertices, not facial-unit curves"
    if truth.clip.phone_times_path is None:
        return f"clip {truth.clip.id} has no timed phones"
    away = np.abs(truth.displacement.frames - truth.animated)
    away[:, _upper_face_columns()] = 0.0
    if float(away.max(initial=0.0)) > SAME_ANIMATOR:
        return (
            f"the ground truth of clip {truth.clip.id} is not what the articulation model makes of its "
            f"timed phones (curves differ by up to {float(away.max()):.2f})"
        )
    return None


@lru_cache(maxsize=1)
def _upper_face_columns() -> list[int]:
    from mtbench.faces import load_head

    return [i for i, name in enumerate(load_head().unit_names) if name.startswith(("brow", "eye"))]


# One function for each family


def degrade(truth: GroundTruth, system: System) -> np.ndarray:
    """Return the motion of *system* for one clip.

    Parameters
    ----------
    truth : GroundTruth
    system : System
        The ground truth, or a system of a family in :data:`mtbench.meta.systems.FAMILIES`.

    Returns
    -------
    (T, V, 3) float32
        Metres.

    Raises
    ------
    UsageError
        For an unknown family, or one that this clip cannot have.
    """
    if system.family == GROUND_TRUTH:
        return truth.vertices
    if system.family not in _CHANGES:
        raise UsageError(f"unknown family of degradations {system.family!r}; known: {', '.join(_CHANGES)}")
    return _CHANGES[system.family](truth, system.strength)


def _shift_by(p: GroundTruth, milliseconds: float) -> np.ndarray:
    return lag(p.vertices, p.clip.fps, milliseconds / 1000.0)


def _climb(p: GroundTruth, step: float) -> np.ndarray:
    rung = LADDER[round(step) - 1]
    phones = substitute(p.phones, rung.substituted, p.clip.id)
    vertices = p.pose(p.curves(shift_phones(phones, rung.late, p.duration)))
    return low_pass(scale_amplitude(vertices, p.neutral, rung.amplitude), p.clip.fps, rung.cutoff)


def _swap_identity(p: GroundTruth, turn: float) -> np.ndarray:
    from mtbench.faces import load_head

    others = [name for name in load_head().identity_names if name != p.displacement.identity]
    order = clip_rng(p.clip.id, "identity").permutation(len(others))
    return p.pose(p.displacement.frames, others[order[round(turn) - 1]])


def _shuffle(p: GroundTruth, _: float) -> np.ndarray:
    frames = fit_frames(read_displacement(partner(p.benchmark, p.clip)).frames, p.clip.frames)
    return (frames + p.neutral).astype(np.float32) if p.displacement.identity is None else p.pose(frames)


def _shake_forehead(p: GroundTruth, millimetres: float) -> np.ndarray:
    from mtbench.faces import load_topology

    assert p.clip.topology is not None
    return jitter(p.vertices, millimetres, p.clip.id, load_topology(p.clip.topology).region("upper_face"))


_CHANGES: dict[str, Callable[[GroundTruth, float], np.ndarray]] = {
    "amplitude": lambda p, factor: scale_amplitude(p.vertices, p.neutral, factor),
    "lag": _shift_by,
    "lead": _shift_by,
    "low-pass": lambda p, cutoff: low_pass(p.vertices, p.clip.fps, cutoff),
    "jitter": lambda p, millimetres: jitter(p.vertices, millimetres, p.clip.id),
    "frame-drops": lambda p, percent: drop_frames(p.vertices, percent / 100.0, p.clip.id),
    "hold": lambda p, frames: hold_frames(p.vertices, round(frames)),
    "substitution": lambda p, percent: p.pose(p.curves(substitute(p.phones, percent / 100.0, p.clip.id))),
    "missed-closures": lambda p, percent: p.pose(
        p.curves(p.phones, missed_closures(p.phones, percent / 100.0, p.clip.id))
    ),
    "ladder": _climb,
    "head-turn": lambda p, degrees: turn_head(p.vertices, degrees),
    "identity": _swap_identity,
    "upper-face-noise": _shake_forehead,
    "shuffled": _shuffle,
}
