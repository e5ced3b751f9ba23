"""Contacts: closed lips (p b m), lower lip at the upper teeth (f v); they hold whatever the neighbours want.

Conventions
-----------
Times are seconds. A contact lasts from the phone's start to its ``release`` where the phone has one, else to
the burst of a voiceless stop or the end of the phone; it is complete from the first to the last moment, and
during at least one whole frame, so that the mean over a frame doesn't lose it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mtbench.speech import TimedPhone
from mtbench.synth.articulation_settings import ArticulationSetting
from mtbench.synth.articulation_targets import PARAMETERS

#: Share of the time between two contacts that each ramp may take.
_RAMP_SHARE = 0.28
#: Share of the whole movement at which the lips meet.
_MEETING = 0.62
#: What is left of each parameter, as (offset, share), while the lips are sealed and at the teeth.
_SEALED = {"jaw": (0.05, 0.22), "part": (0, 0), "spread": (0, 0.5), "round": (0, 0.75), "protrude": (0, 0.4)}
_AT_TEETH = {
    "jaw": (0.06, 0.12),
    "part": (0, 0),
    "spread": (0, 0.4),
    "round": (0, 0.3),
    "protrude": (0, 0.15),
}


@dataclass(frozen=True)
class Contact:
    """A constraint that holds as long as the phone's closure, whatever the neighbours want.

    Attributes
    ----------
    kind : str
        ``"lips"`` (sealed) or ``"teeth"`` (lower lip at the upper teeth).
    level : float
        1 is full contact; less leaves a narrow gap.
    press : float
        How hard the lips are pressed together, 0..1.
    burst : bool
        The contact ends with the burst, :data:`CLOSURE` after the phone's start, rather than with the phone.
    """

    kind: str
    level: float = 1.0
    press: float = 0.0
    burst: bool = False


#: Seconds between the start of a voiceless stop (its closure's) and its burst.
CLOSURE = 0.045

CONTACTS: dict[str, Contact] = {
    "p": Contact("lips", press=1.0, burst=True),
    "b": Contact("lips", press=0.7),
    "m": Contact("lips", press=0.4),
    "f": Contact("teeth"),
    "v": Contact("teeth", level=0.92),
    "ɱ": Contact("teeth", level=0.92),
    "ʋ": Contact("teeth", level=0.6),
}


def ease(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk step: 0 up to x = 0, 1 from x = 1."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def approach(x: np.ndarray) -> np.ndarray:
    """Movement into contact: 0 up to x = 0, 1 from x = 1, where it still is at full speed.

    Lips don't slow down before they meet: they aim at a point beyond, and contact stops them (Löfqvist &
    Gracco 1997). It is the first :data:`_MEETING` of a minimum-jerk step.
    """
    return ease(np.clip(x, 0.0, 1.0) * _MEETING) / ease(np.array(_MEETING))


def contact_intervals(
    phones: Sequence[TimedPhone], fps: float, n_frames: int
) -> list[tuple[str, float, float]]:
    """Closures and labiodental contacts, each at least one whole frame long.

    Parameters
    ----------
    phones : sequence of phones
    fps : float
    n_frames : int

    Returns
    -------
    list of (symbol, start, end)
        Seconds. A contact is extended to the frame it overlaps most where it contains no whole one.
    """
    out = []
    for phone in phones:
        times = closure_times(phone)
        if times is not None:
            out.append((phone.symbol, *extend_to_frame(*times, fps, n_frames)))
    return out


def closure_times(phone: TimedPhone) -> tuple[float, float] | None:
    """Return when the contact that *phone* asks for begins and ends, seconds; None where it asks for none."""
    contact = CONTACTS.get(phone.symbol)
    if contact is None or phone.end - phone.start < 1e-4:
        return None
    if phone.release is not None:
        return phone.start, phone.release
    return phone.start, min(phone.end, phone.start + CLOSURE) if contact.burst else phone.end


def extend_to_frame(start: float, end: float, fps: float, n_frames: int) -> tuple[float, float]:
    """Extend a contact to the frame it overlaps most where it contains no whole one."""
    first = math.ceil(start * fps - 1e-6)
    if (first + 1) / fps <= end + 1e-6:
        return start, end
    low = math.floor(start * fps + 1e-6)
    candidates = range(low, max(low, math.floor(end * fps - 1e-6)) + 1)
    frame = max(candidates, key=lambda f: (min(end, (f + 1) / fps) - max(start, f / fps), -f))
    frame = min(max(frame, 0), max(n_frames - 1, 0))
    return min(start, frame / fps), max(end, (frame + 1) / fps)


@dataclass(frozen=True)
class ContactSpan:
    """A contact in time.

    Attributes
    ----------
    kind : str
        ``"lips"`` or ``"teeth"``.
    start, end : float
        Seconds during which it is as complete as it gets.
    level : float
        How complete that is: 1 is full contact.
    press, force : float
        How hard lips are pressed together for this sound, and the speaker's factor of it.
    lift : float
        How far the upper lip is raised from the teeth, 1 as far as it goes.
    """

    kind: str
    start: float
    end: float
    level: float = 1.0
    press: float = 0.0
    force: float = 1.0
    lift: float = 1.0


class Contours(NamedTuple):
    """Contours of the contacts, (N,) float64, 0 to 1.

    Attributes
    ----------
    lips, press, teeth, lift : (N,) float64
        Lips sealed, lips pressed together, lower lip at the upper teeth, upper lip raised from the teeth for that.
    """

    lips: np.ndarray
    press: np.ndarray
    teeth: np.ndarray
    lift: np.ndarray


def contact_contours(
    phones: Sequence[TimedPhone],
    samples: np.ndarray,
    fps: float,
    n_frames: int,
    setting: ArticulationSetting,
) -> Contours:
    """Return the contours of the contacts of *phones*, all of them as complete as the sound asks for.

    Parameters
    ----------
    phones : sequence of phones
    samples : (N,) float64
        Times, seconds.
    fps : float
    n_frames : int
    setting : ArticulationSetting

    Returns
    -------
    Contours
    """
    spans = []
    for symbol, start, end in contact_intervals(phones, fps, n_frames):
        contact = CONTACTS[symbol]
        level = 1.0 if contact.kind == "lips" else contact.level
        spans.append(ContactSpan(contact.kind, start, end, level, contact.press, setting.press))
    return draw_contours(spans, samples, setting)


def draw_contours(
    spans: Sequence[ContactSpan], samples: np.ndarray, setting: ArticulationSetting
) -> Contours:
    """Draw the contours of contacts with the approach and the release that *setting* has.

    Parameters
    ----------
    spans : sequence of ContactSpan
        In order of time.
    samples : (N,) float64
        Times, seconds.
    setting : ArticulationSetting

    Returns
    -------
    Contours
    """
    lips, press, teeth, lift = (np.zeros(len(samples)) for _ in range(4))
    for i, span in enumerate(spans):
        # Between two closures the mouth opens completely, however little time there is.
        room_before = span.start - spans[i - 1].end if i else math.inf
        room_after = spans[i + 1].start - span.end if i + 1 < len(spans) else math.inf
        closing = max(min(setting.closing, _RAMP_SHARE * room_before), 1e-3)
        opening = max(min(setting.opening, _RAMP_SHARE * room_after), 1e-3)
        first, last = np.searchsorted(samples, (span.start - closing, span.end + opening))
        t = samples[first:last]
        contour = np.minimum(
            approach((t - span.start) / closing + 1.0), approach((span.end - t) / opening + 1.0)
        )
        here = slice(first, last)
        if span.kind == "lips":
            lips[here] = np.maximum(lips[here], contour * span.level)
            press[here] = np.maximum(press[here], contour * span.press * span.force)
        else:
            teeth[here] = np.maximum(teeth[here], contour * span.level)
            lift[here] = np.maximum(lift[here], contour * span.level * span.lift)
    return Contours(lips, press, teeth * (1.0 - lips), lift * (1.0 - lips))


def impose_contacts(blend: np.ndarray, lips: np.ndarray, press: np.ndarray, teeth: np.ndarray) -> np.ndarray:
    """Put the contacts on top of the blended parameters.

    Parameters
    ----------
    blend : (N, 8) float64
        Columns as in :data:`~mtbench.synth.articulation_targets.PARAMETERS`.
    lips, press, teeth : (N,) float64
        Contours.

    Returns
    -------
    (N, 11) float64
        The parameters as the contacts leave them, then the three contours.
    """
    out = np.concatenate([blend, lips[:, None], press[:, None], teeth[:, None]], axis=1)
    # The articulators follow the contact late: the lips part before the jaw is up or down.
    for contour, pose in ((lips * lips, _SEALED), (teeth, _AT_TEETH)):
        for name, (offset, share) in pose.items():
            k = PARAMETERS.index(name)
            held = np.minimum(blend[:, k], offset + share * blend[:, k])
            out[:, k] += contour * (held - blend[:, k])
    return out
