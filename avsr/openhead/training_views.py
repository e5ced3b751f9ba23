"""What is heard and seen of an utterance in training: noise and channel, modality, and whose face is shown.

A recognizer that has only seen faces which say what is heard believes every face. Here some say something else,
nothing, or the right thing at the wrong time, while what is to be recognized is always what is heard: so a picture
that says nothing comes to be worth no less than none. Where noise drowns the sound, faces are their own nine times out
of ten, since there the picture has to be trusted.

Conventions
-----------
Audio is (640 T,) float32 mono at 16 kHz. Everything random comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtbench.avsr.openhead.acoustics import change_channel, mix

if TYPE_CHECKING:
    from mtbench.avsr.openhead.training_data import Utterance

#: Whose face is shown: the speaker's; another utterance's; one that does not move; the speaker's, too early or too
#: late; the speaker's, last frame first.
Face = Literal["own", "other", "still", "shifted", "reversed"]
#: How often each face is shown where noise drowns the sound, and otherwise.
DROWNED: dict[Face, float] = {"own": 0.90, "other": 0.03, "still": 0.04, "shifted": 0.02, "reversed": 0.01}
AUDIBLE: dict[Face, float] = {"own": 0.64, "other": 0.12, "still": 0.14, "shifted": 0.06, "reversed": 0.04}
#: How often the second view of an utterance is sound alone, and picture alone.
SOUND_ALONE, PICTURE_ALONE = 0.30, 0.20
#: Frames by which a face is shifted, at least and at most.
LEAST_SHIFT, MOST_SHIFT = 3, 12


@dataclass(frozen=True)
class View:
    """One way in which an utterance of the batch is heard and seen.

    Attributes
    ----------
    utterance : int
        Position in the batch.
    audio : (640 T,) float32
        Mixture.
    keep_visual, keep_acoustic : bool
        Modality dropout.
    face : str
        Whose face is shown, see :data:`Face`.
    draw : float
        0 to 1: decides which other face, which still one, or how great the shift is.
    """

    utterance: int
    audio: np.ndarray
    keep_visual: bool
    keep_acoustic: bool
    face: Face = "own"
    draw: float = 0.0


def draw_views(rng: np.random.Generator, utterances: Sequence[Utterance]) -> tuple[View, ...]:
    """Draw two views of each utterance.

    One mostly listens and looks through heavy noise; the other covers every other way of use.
    """
    speeches = [u.audio for u in utterances]
    views = []
    for i, utterance in enumerate(utterances):
        others = [s for j, s in enumerate(speeches) if j != i]
        clean = change_channel(utterance.audio, rng)
        hard = None if rng.random() < 0.12 else float(rng.uniform(-13, 0))
        shares = AUDIBLE if hard is None else DROWNED
        views.append(View(i, mix(rng, clean, others, hard), True, True, *_draw_face(rng, shares)))
        kind = rng.random()
        if kind < SOUND_ALONE:
            snr = None if rng.random() < 0.65 else float(rng.uniform(-8, 20))
            views.append(View(i, mix(rng, clean, others, snr), False, True))
        elif kind < SOUND_ALONE + PICTURE_ALONE:
            views.append(View(i, clean, True, False))
        else:
            snr = None if rng.random() < 0.6 else float(rng.uniform(-5, 20))
            views.append(View(i, mix(rng, clean, others, snr), True, True, *_draw_face(rng, AUDIBLE)))
    return tuple(views)


def _draw_face(rng: np.random.Generator, shares: dict[Face, float]) -> tuple[Face, float]:
    faces = list(shares)
    return faces[int(rng.choice(len(faces), p=list(shares.values())))], float(rng.random())


def show_face(view: View, lengths: Sequence[int], stills: int, frames: int) -> tuple[int, np.ndarray]:
    """Return which face a view shows, and which of its frames at each frame.

    Parameters
    ----------
    view : View
    lengths : sequence of int
        Frames of the utterances that it is among, whose faces come first.
    stills : int
        How many faces that do not move come after them.
    frames : int
        Frames to return; those past the view's end repeat its last.

    Returns
    -------
    int, (frames,) int64

    Examples
    --------
    >>> view = View(1, np.zeros(640 * 3, np.float32), True, True, "reversed")
    >>> show_face(view, [4, 3], 1, 4)
    (1, array([2, 1, 0, 0]))
    """
    own = view.utterance
    last = lengths[own] - 1
    times = np.minimum(np.arange(frames), last)
    others = [i for i in range(len(lengths)) if i != own]
    if view.face == "still" or (view.face == "other" and not others):
        return len(lengths) + int(view.draw * stills), times
    if view.face == "other":
        chosen = others[int(view.draw * len(others))]
        return chosen, np.minimum(times, lengths[chosen] - 1)
    if view.face == "shifted":
        side = 1 if view.draw < 0.5 else -1
        shift = LEAST_SHIFT + int((2 * view.draw) % 1 * (MOST_SHIFT - LEAST_SHIFT + 1))
        return own, np.clip(times - side * shift, 0, last)
    return own, last - times if view.face == "reversed" else times
