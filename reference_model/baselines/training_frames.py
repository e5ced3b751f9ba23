"""What baselines learn from: sound and motion of some of a corpus's clips, frame by frame.

Conventions
-----------
Sound is the bundled recognizer's stacked log-mel features, (T, 320), normalized over the clip; motion is coordinates
along the corpus's principal movements, (T, P), whose rows are orthonormal, so that distances in metres stay what they
are. Torch works on one thread, so that sums come out the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtbench.avsr.openhead import compute_logmel
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip
    from mtbench.reference_model.corpora import Corpus

#: Principal movements that motion is reduced to.
PRINCIPAL = 48


@dataclass(frozen=True, eq=False)
class TrainingFrames:
    """Some clips of a corpus.

    Attributes
    ----------
    corpus : Corpus
    clips : tuple of int
        Their indices, in the order in which they were drawn.
    basis : (P, 3 V) float32
        Principal movements, orthonormal rows.
    """

    corpus: Corpus
    clips: tuple[int, ...]
    basis: np.ndarray

    @property
    def count(self) -> int:
        """Frames of all clips."""
        return int(np.asarray(self.corpus.lengths)[list(self.clips)].sum())

    def read(self, clips: tuple[int, ...]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield features (T, 320) and motion (T, P), float32, of each of *clips*."""
        basis = torch.from_numpy(self.basis)
        for index in clips:
            motion = torch.from_numpy(np.ascontiguousarray(self.corpus.displacement(index), np.float32))
            yield compute_logmel(self.corpus.audio(index)), motion @ basis.T


def draw_frames(corpus: Corpus, frames: int, seed: int = 0) -> TrainingFrames:
    """Draw whole clips of a corpus until they have *frames* frames, or all there are.

    Parameters
    ----------
    corpus : Corpus
    frames : int
        Enough of them.
    seed : int
        Seed of the draw.

    Raises
    ------
    UsageError
        For a corpus of fewer than two clips: one is needed to choose settings on.
    """
    from mtbench.reference_model.training import learn_basis

    if len(corpus) < 2:
        raise UsageError(
            f"{corpus.name}: {len(corpus)} clip(s), expected two at least, to fit on and to choose on"
        )
    lengths = np.asarray(corpus.lengths, np.int64)
    order = np.random.Generator(np.random.PCG64([seed, 11])).permutation(len(corpus))
    enough = int(np.searchsorted(np.cumsum(lengths[order]), frames)) + 1
    clips = tuple(int(i) for i in order[: max(2, enough)])
    size = corpus.displacement(clips[0]).shape[1]
    principal = min(PRINCIPAL, size, int(lengths.sum()))
    return TrainingFrames(corpus, clips, learn_basis(corpus, principal, seed))


def pose_coordinates(clip: Clip, coordinates: np.ndarray, basis: np.ndarray, topology: str) -> np.ndarray:
    """Return vertices (T, V, 3) float32 in metres: motion (T, P) added to the resting face of the clip's speaker.

    Raises
    ------
    PrerequisiteError
        Where neither the clip nor the topology has a resting face.
    """
    from mtbench.benchmarks import static_face
    from mtbench.faces import load_topology

    face = static_face(clip, load_topology(topology))
    motion = torch.from_numpy(np.ascontiguousarray(coordinates, np.float32)) @ torch.from_numpy(basis)
    return face + motion.numpy().reshape(face.shape)


def stack_context(features: torch.Tensor, context: int) -> torch.Tensor:
    """Put *context* frames before and after each frame beside it: (T, F) to (T, (2 context + 1) F).

    Frames outside the clip are zero, the mean of normalized features. Earlier frames come first.
    """
    padded = torch.nn.functional.pad(features, (0, 0, context, context))
    return padded.unfold(0, 2 * context + 1, 1).transpose(1, 2).reshape(len(features), -1)
