"""Captured motion of people as samples for a recognizer: recordings of a motion bank, cut and rendered.

Conventions
-----------
Recordings are cut at pauses into segments of about two to four seconds, the same ones every time. The mouth is rendered
from the segment's curves on the bundled head, neutral face, as an entry's faces are; the static face is the neutral
one. A segment is what intervals draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.base import Recognizer, identify
from mtbench.avsr.evaluation.conditions import NOISY
from mtbench.avsr.evaluation.mouth_answers import Answer, show_samples
from mtbench.avsr.evaluation.mouth_measures import SetMeasures, measure_answers
from mtbench.avsr.evaluation.mouth_samples import MouthSample
from mtbench.errors import BankError, UsageError, list_some
from mtbench.speech import NoiseSet
from mtbench.work import Progress

if TYPE_CHECKING:
    from mtbench.banks import Excerpt, MotionBank, Recording

DEVELOPMENT, EVERYTHING = "development", "all"


@dataclass(frozen=True)
class CapturedSet:
    """Segments of a bank's recordings.

    Attributes
    ----------
    name : str
        Of the bank.
    split : str
        ``"development"`` or ``"all"``.
    recordings : tuple of str
        Their ids.
    segments : mapping of str to Excerpt
        By id, in order.
    """

    name: str
    split: str
    recordings: tuple[str, ...]
    segments: dict[str, Excerpt]

    def render(self) -> list[MouthSample]:
        """Return the segments as a recognizer is shown them."""
        return [_render(key, segment) for key, segment in self.segments.items()]


def open_set(folder: str | Path, split: str | None = None) -> CapturedSet:
    """Return the segments of the bank in *folder*.

    Parameters
    ----------
    folder : path
    split : {"development", "all"}, optional
        Which recordings. By default those that are never trained on; all where the bank marks none.

    Raises
    ------
    BankError
        Where the folder is no bank, or its recordings are damaged or say nothing.
    UsageError
        For another split, or development recordings of a bank that marks none.
    """
    from mtbench.banks import cut_segments, load_bank, read_whole

    bank = load_bank(folder)
    split, recordings = _choose(bank, split)
    segments = {
        f"{recording.id}-{k:03d}": segment
        for recording in recordings
        for k, segment in enumerate(cut_segments(read_whole(recording)))
    }
    if not segments:
        raise BankError(f"{bank.folder}: nothing is said in {list_some([r.id for r in recordings])}")
    return CapturedSet(bank.name, split, tuple(r.id for r in recordings), segments)


def _choose(bank: MotionBank, split: str | None) -> tuple[str, Sequence[Recording]]:
    if split not in (None, DEVELOPMENT, EVERYTHING):
        raise UsageError(f"split {split!r} of a motion bank; expected {DEVELOPMENT!r} or {EVERYTHING!r}")
    kept = bank.split(DEVELOPMENT)
    if split == EVERYTHING or (split is None and not kept):
        return EVERYTHING, bank.recordings
    if not kept:
        raise UsageError(
            f"{bank.folder}: no recording has split = {DEVELOPMENT!r}; where none of them was trained on, evaluate on "
            f"all (--split {EVERYTHING})"
        )
    return DEVELOPMENT, kept


def _render(key: str, segment: Excerpt) -> MouthSample:
    from mtbench.faces import load_head

    head = load_head()
    return MouthSample(
        key,
        key,
        segment.language,
        render_on_head(head.pose(np.ascontiguousarray(segment.curves, np.float32), head.neutral)),
        render_on_head(np.repeat(head.neutral[None].astype(np.float32), len(segment.curves), 0)),
        segment.sound,
        segment.symbols,
    )


def render_on_head(vertices: np.ndarray) -> np.ndarray:
    """Return the (T, 96, 96) uint8 mouth crops of (T, V, 3) *vertices* of the bundled head."""
    from mtbench.faces import load_head
    from mtbench.renderers import Appearance, load_renderer, render_mouth_crops

    return render_mouth_crops(load_renderer("software"), load_head().topology, vertices, Appearance())


def measure_set(
    recognizer: Recognizer,
    captured: CapturedSet,
    noises: NoiseSet,
    snr_db: float = NOISY,
    progress: Progress | None = None,
) -> tuple[SetMeasures, list[Answer]]:
    """Show a captured set to *recognizer*.

    Returns
    -------
    SetMeasures
    list of Answer
        What the measures follow from.

    Raises
    ------
    UsageError
        Where the recognizer does not know a language of the set.
    """
    spoken = {segment.language for segment in captured.segments.values()}
    if unknown := sorted(spoken - recognizer.languages):
        raise UsageError(
            f"{captured.name} is in {', '.join(unknown)}, which {recognizer.name} does not know; it covers "
            f"{', '.join(sorted(recognizer.languages))}"
        )
    samples = captured.render()
    answers = show_samples(recognizer, samples, noises, snr_db=snr_db, progress=progress)
    return measure_answers(captured.name, identify(recognizer), samples, answers), answers
