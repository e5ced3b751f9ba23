"""Baseline ``phone-rules``: one mouth shape a phone, blended linearly; knows what was said and when, not how.

Conventions
-----------
Timed phones of the benchmark (:mod:`mtbench.benchmarks.phone_times`) become shapes of the bundled head
(:data:`mtbench.faces.visemes.VISEMES`). A shape is held during its phone and crosses over to the next one linearly
during :data:`BLEND` around their border, or less where one of them is shorter. A frame is the mean over its 40 ms.

There is no coarticulation beyond that: no phone looks different beside another one, nothing starts early, and a
closure is complete only if its phone is long enough. Nothing is learned, and nothing of the benchmark's articulation
model is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtbench.benchmarks import PAUSE, PhoneTime, read_phone_times
from mtbench.errors import UsageError
from mtbench.faces import OPENHEAD

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip

#: Seconds from one shape to the next.
BLEND = 0.08
#: Samples a frame is the mean of.
_PER_FRAME = 4

_PHONES = {
    "PP": "p b m ɸ β",  # the two fricatives leave a slit, which no other shape comes closer to
    "FF": "f v ɱ ʋ",
    "TH": "θ ð",
    "DD": "t d ʈ ɖ",
    "nn": "n ɳ l ɫ ɭ r ɾ ɽ",
    "kk": "c ɟ k ɡ ŋ x ɣ ɰ q ɢ ɴ χ ʁ ʀ ħ ʕ h ɦ ʔ",
    "CH": "ʃ ʒ ʂ ʐ",
    "SS": "s z ɕ ʑ",
    "RR": "ɹ ɻ",
    "iy": "i j ɲ ʎ ç ʝ",
    "ih": "ɪ ɨ e",
    "E": "ɛ æ ɜ",
    "aa": "a ɐ ɑ ʌ",
    "oh": "o ɔ ɒ ɞ",
    "uw": "u ʊ w ʍ",
    "y": "y ʏ ʉ ɥ",
    "oe": "ø œ ɵ ɶ",
    "schwa": "ə ɘ ɤ ɯ",
    "sil": PAUSE,
}
#: The shape of each phone.
PHONE_VISEMES = {phone: viseme for viseme, phones in _PHONES.items() for phone in phones.split()}


@dataclass(frozen=True)
class PhoneRules:
    """The rules; there is nothing to fit.

    Attributes
    ----------
    topology : str
        The bundled head's.
    """

    topology: str = OPENHEAD.name

    def predict_units(self, clip: Clip) -> np.ndarray:
        """Return facial-unit curves of a clip, (T, U) float32.

        Raises
        ------
        BenchmarkError
            Where the clip has no timed phones.
        UsageError
            For a phone without a shape.
        """
        return blend_shapes(read_phone_times(clip), clip.frames, clip.fps)

    def predict(self, clip: Clip) -> np.ndarray:
        """Return vertices (T, V, 3) float32 in metres."""
        from mtbench.faces import load_head

        head = load_head()
        return head.pose(self.predict_units(clip), head.identity(name_identity(clip)))


def name_identity(clip: Clip) -> str:
    """Return the name of the clip's speaker among the bundled head's identities; ``neutral`` where it has none."""
    from mtbench.benchmarks import read_motion_arrays

    if clip.motion_path is None:
        return "neutral"
    _, arrays = read_motion_arrays(clip)
    return str(arrays["identity"]) if "identity" in arrays else "neutral"


def blend_shapes(phones: Sequence[PhoneTime], frames: int, fps: float = 25.0) -> np.ndarray:
    """Turn timed phones into facial-unit curves.

    Parameters
    ----------
    phones : sequence of PhoneTime
        Phones in order of time; what they do not cover is a pause.
    frames : int
        T.
    fps : float

    Returns
    -------
    (T, U) float32
        Unit weights.

    Raises
    ------
    UsageError
        For a phone without a shape.
    """
    from mtbench.faces import load_head

    head = load_head()
    spans = _fill_pauses(phones, frames / fps)
    borders = np.array([start for start, _ in spans[1:]])
    length = np.diff([0.0, *borders, frames / fps])
    # Half the crossing at each border, bounded by half of either neighbour; none at the ends of the clip.
    half = np.minimum(BLEND / 2, np.minimum(length[:-1], length[1:]) / 2)
    knots = np.repeat(np.concatenate([[0.0], borders, [frames / fps]]), 2)[1:-1]
    knots[1:-1] += np.stack([-half, half], 1).reshape(-1)
    shapes = np.repeat([head.weights(viseme) for _, viseme in spans], 2, axis=0)
    samples = (np.arange(frames * _PER_FRAME) + 0.5) / (fps * _PER_FRAME)
    curves = np.zeros((frames, shapes.shape[1]))
    for unit in np.flatnonzero(shapes.any(0)):
        curves[:, unit] = np.interp(samples, knots, shapes[:, unit]).reshape(frames, _PER_FRAME).mean(1)
    return curves.astype(np.float32)


def _fill_pauses(phones: Sequence[PhoneTime], duration: float) -> list[tuple[float, str]]:
    """Return start and shape of each phone and of each pause between them, from 0 on."""
    spans: list[tuple[float, str]] = []
    now = 0.0
    for phone in phones:
        if phone.symbol not in PHONE_VISEMES:
            raise UsageError(
                f"phone {phone.symbol!r} has no mouth shape; expected one of {' '.join(PHONE_VISEMES)}: single base "
                "IPA symbols without diacritics"
            )
        start, end = min(phone.start, duration), min(phone.end, duration)
        if end <= start:
            continue
        if start > now:
            spans.append((now, "sil"))
        spans.append((start, PHONE_VISEMES[phone.symbol]))
        now = end
    if now < duration or not spans:
        spans.append((now, "sil"))
    return spans
