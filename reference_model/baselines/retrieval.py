"""Baseline ``retrieval``: the motion of the training frames that sound most alike.

Conventions
-----------
A frame is looked up by a window of log-mel energies around it (40 ms each, :data:`CONTEXT` before and after). Each
has :data:`CANDIDATES` nearest training frames; of these, one a frame is chosen so that the sum over the clip of
distances of sound and of jumps of motion is least (dynamic programming, as units are selected for concatenative
speech). A jump is the squared distance from the frame that followed in training, so going on in a training clip is
free. Motion is that of the chosen frames, not smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtbench.avsr.openhead import MELS, STACK, compute_logmel
from mtbench.reference_model.baselines.training_frames import draw_frames, pose_coordinates, stack_context
from mtbench.work import single_threaded_torch

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip
    from mtbench.reference_model.corpora import Corpus

#: Frames of sound before and after the frame that is looked up: 120 ms each.
CONTEXT = 3
#: Training frames to look among, some 40 minutes.
FRAMES = 60_000
#: Nearest training frames that are considered.
CANDIDATES = 24
#: Weight of a jump as large as a usual frame's movement, beside a distance of sound of one standard deviation. On
#: clips of a generated corpus 0.3 and 1 gave the same error at the lips; less shakes, more drifts away from the sound.
CONTINUITY = 1.0


@dataclass(frozen=True, eq=False)
class Retrieval:
    """Training frames to look among.

    Attributes
    ----------
    keys : (N, 560) float32 tensor
        Windows of sound.
    motion : (N, P) float32 tensor
        Coordinates along the principal movements.
    following : (N,) int64 tensor
        The next frame of the same clip; a clip's last frame follows itself.
    basis : (P, 3 V) float32
    topology : str
    """

    keys: torch.Tensor
    motion: torch.Tensor
    following: torch.Tensor
    basis: np.ndarray
    topology: str

    def choose_frames(self, audio: np.ndarray) -> np.ndarray:
        """Return the training frame for each frame of sound (640 T,): (T,) int64."""
        with single_threaded_torch():
            windows = make_windows(compute_logmel(audio))
            # |q - k|² without the term |q|², which is the same for all candidates of a frame.
            distances = torch.addmm(self.keys.square().sum(1), windows, self.keys.T, alpha=-2)
            sound, candidates = distances.topk(min(CANDIDATES, len(self.keys)), dim=1, largest=False)
            expected = self.motion[self.following[candidates[:-1]]]  # (T - 1, K, P)
            jumps = torch.cdist(expected, self.motion[candidates[1:]]).square()
            jumps *= CONTINUITY / self.motion.square().sum(1).mean()
            path = find_path(sound.numpy(), jumps.numpy())
        return candidates.numpy()[np.arange(len(path)), path]

    def predict(self, clip: Clip) -> np.ndarray:
        """Return vertices (T, V, 3) float32 in metres."""
        coordinates = self.motion[torch.from_numpy(self.choose_frames(clip.load_audio()))].numpy()
        return pose_coordinates(clip, coordinates, self.basis, self.topology)


def make_windows(features: torch.Tensor) -> torch.Tensor:
    """Return what frames are looked up by, (T, 560) float32, for features (T, 320).

    Means over a frame's 40 ms, stacked, those further away weighted less, so that the squared distance of two
    windows is a mean of squared differences.
    """
    mels = features.reshape(len(features), STACK, MELS).mean(1)
    away = torch.arange(-CONTEXT, CONTEXT + 1).abs()
    weights = 1 / (1 + away.float())
    weights = (weights / weights.sum() / MELS).sqrt().repeat_interleave(MELS)
    return stack_context(mels, CONTEXT) * weights


def find_path(sound: np.ndarray, jumps: np.ndarray) -> np.ndarray:
    """Return the cheapest choice of one candidate a frame (Viterbi).

    Parameters
    ----------
    sound : (T, K) float
        Cost of each candidate.
    jumps : (T - 1, K, K) float
        Cost of going from a candidate of frame t to one of frame t + 1.

    Returns
    -------
    (T,) int64
        Candidates; the first of those that cost the same.
    """
    cost = sound[0].astype(np.float64)
    origins = np.zeros(jumps.shape[:1] + sound.shape[1:], np.int64)
    for t, jump in enumerate(jumps):
        through = cost[:, None] + jump
        origins[t] = through.argmin(0)
        cost = through.min(0) + sound[t + 1]
    path = [int(cost.argmin())]
    for origin in origins[::-1]:
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])


def fit_retrieval(corpus: Corpus, frames: int = FRAMES) -> Retrieval:
    """Collect training frames of a corpus.

    Parameters
    ----------
    corpus : Corpus
    frames : int
        How many, rounded up to whole clips.

    Raises
    ------
    UsageError
        For a corpus of fewer than two clips.
    """
    keys, motions, following = [], [], []
    with single_threaded_torch():
        drawn = draw_frames(corpus, frames)
        start = 0
        for features, motion in drawn.read(drawn.clips):
            keys.append(make_windows(features))
            motions.append(motion)
            end = start + len(motion)
            following.append(torch.arange(start + 1, end + 1).clamp(max=end - 1))
            start = end
    return Retrieval(torch.cat(keys), torch.cat(motions), torch.cat(following), drawn.basis, corpus.topology)
