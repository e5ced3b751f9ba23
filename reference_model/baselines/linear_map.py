"""Baseline ``linear-map``: ridge regression from sound to principal movements, frame by frame.

Conventions
-----------
A frame's input is the log-mel features of the :data:`CONTEXT` frames before it, its own and as many after it. The
normal equations are summed up over the clips in float64, in the order in which they were drawn, on one thread. The
strength of the penalty is chosen on every :data:`HELD_OUT`-th clip, which the sums leave out. The constant is not
penalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtbench.avsr.openhead import FEATURE_SIZE, compute_logmel
from mtbench.reference_model.baselines.training_frames import (
    TrainingFrames,
    draw_frames,
    pose_coordinates,
    stack_context,
)
from mtbench.work import single_threaded_torch

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip
    from mtbench.reference_model.corpora import Corpus

#: Frames of sound before and after the frame that is predicted: 200 ms each.
CONTEXT = 5
#: Frames to fit on, some 67 minutes of speech.
FRAMES = 100_000
#: Every so many-th clip is held out.
HELD_OUT = 20
#: Penalties to choose from, as shares of the mean variance of an input.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A fitted map.

    Attributes
    ----------
    weights : (3520, P) float64
        Weights from stacked features to coordinates along the principal movements.
    constant : (P,) float64
    basis : (P, 3 V) float32
        Principal movements.
    topology : str
    ridge : float
        The chosen one of :data:`RIDGES`.
    explained : float
        Share of the held-out clips' squared movement that is predicted.
    frames : int
        That were drawn.
    """

    weights: np.ndarray
    constant: np.ndarray
    basis: np.ndarray
    topology: str
    ridge: float
    explained: float
    frames: int

    def predict_coordinates(self, audio: np.ndarray) -> np.ndarray:
        """Return coordinates along the principal movements, (T, P) float32, for sound (640 T,)."""
        with single_threaded_torch():
            stacked = stack_context(compute_logmel(audio), CONTEXT).double()
            return (stacked @ torch.from_numpy(self.weights)).float().numpy() + self.constant.astype(
                np.float32
            )

    def predict(self, clip: Clip) -> np.ndarray:
        """Return vertices (T, V, 3) float32 in metres."""
        return pose_coordinates(clip, self.predict_coordinates(clip.load_audio()), self.basis, self.topology)


class NormalEquations:
    """Sums over frames of products of stacked features, with each other and with motion.

    Block (a, b) of the products of stacked features sums frame ``t + a`` times frame ``t + b``: but for the ends of
    clips it equals block (a - 1, b - 1). So only the first row of blocks is summed up frame by frame, a tenth of
    the work, and the rest follows from the ends of the clips.
    """

    def __init__(self, outputs: int) -> None:
        width = FEATURE_SIZE * (2 * CONTEXT + 1)
        self._count = 0
        self._first = torch.zeros(FEATURE_SIZE, width, dtype=torch.float64)
        self._cross = torch.zeros(width, outputs, dtype=torch.float64)
        self._inputs = torch.zeros(width, dtype=torch.float64)
        self._outputs = torch.zeros(outputs, dtype=torch.float64)
        self._starts: list[torch.Tensor] = []
        self._ends: list[torch.Tensor] = []

    def add(self, features: torch.Tensor, motion: torch.Tensor) -> None:
        """Add a clip's features (T, 320) and motion (T, P)."""
        stacked, motion = stack_context(features, CONTEXT).double(), motion.double()
        self._count += len(stacked)
        self._first += stacked[:, :FEATURE_SIZE].T @ stacked
        self._cross += stacked.T @ motion
        self._inputs += stacked.sum(0)
        self._outputs += motion.sum(0)
        # Blocks 0 to 2 k - 1 of the first frame; blocks 1 to 2 k of the last one, which are those of one frame later.
        self._starts.append(stacked[0, :-FEATURE_SIZE].float())
        self._ends.append(stacked[-1, FEATURE_SIZE:].float())

    def products(self) -> torch.Tensor:
        """Return the sum of products of stacked features with each other, (3520, 3520) float64."""
        n = 2 * CONTEXT + 1
        edges = torch.zeros((n - 1) * FEATURE_SIZE, (n - 1) * FEATURE_SIZE, dtype=torch.float64)
        for sign, rows in ((1, self._ends), (-1, self._starts)):
            matrix = torch.stack(rows).double()
            edges.addmm_(matrix.T, matrix, alpha=sign)
        edges = edges.reshape(n - 1, FEATURE_SIZE, n - 1, FEATURE_SIZE)
        blocks = torch.zeros(n, FEATURE_SIZE, n, FEATURE_SIZE, dtype=torch.float64)
        blocks[0] = self._first.reshape(FEATURE_SIZE, n, FEATURE_SIZE)
        for a in range(n):
            for b in range(a, n):
                if a:
                    blocks[a, :, b] = blocks[a - 1, :, b - 1] + edges[a - 1, :, b - 1]
                blocks[b, :, a] = blocks[a, :, b].T
        return blocks.reshape(n * FEATURE_SIZE, n * FEATURE_SIZE)

    def solve(self, ridges: tuple[float, ...]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return weights (3520, P) and constant (P,) for each penalty."""
        mean_in, mean_out = self._inputs / self._count, self._outputs / self._count
        square = self.products().addmm_(mean_in[:, None], mean_in[None], alpha=-self._count)
        cross = self._cross - self._count * mean_in[:, None] * mean_out
        scale = float(square.diagonal().mean())
        solutions = []
        for ridge in ridges:
            penalised = square + ridge * scale * torch.eye(len(square), dtype=torch.float64)
            weights = torch.cholesky_solve(cross, torch.linalg.cholesky(penalised))
            solutions.append((weights, mean_out - mean_in @ weights))
        return solutions


def fit_linear_map(corpus: Corpus, frames: int = FRAMES) -> LinearMap:
    """Fit the map on a corpus.

    Parameters
    ----------
    corpus : Corpus
    frames : int
        Number of frames to draw, see :func:`~mtbench.reference_model.baselines.training_frames.draw_frames`.

    Raises
    ------
    UsageError
        For a corpus of fewer than two clips.
    """
    with single_threaded_torch():
        drawn = draw_frames(corpus, frames)
        held = drawn.clips[::HELD_OUT]
        equations = NormalEquations(len(drawn.basis))
        for features, motion in drawn.read(tuple(i for i in drawn.clips if i not in set(held))):
            equations.add(features, motion)
        solutions = equations.solve(RIDGES)
        errors, total = _measure(drawn, held, solutions)
    best = int(np.argmin(errors))
    weights, constant = solutions[best]
    return LinearMap(
        weights=weights.numpy(),
        constant=constant.numpy(),
        basis=drawn.basis,
        topology=corpus.topology,
        ridge=RIDGES[best],
        explained=1 - float(errors[best]) / total,
        frames=drawn.count,
    )


def _measure(
    drawn: TrainingFrames, held: tuple[int, ...], solutions: list[tuple[torch.Tensor, torch.Tensor]]
) -> tuple[np.ndarray, float]:
    """Return the squared error of each solution on the clips *held* out, and their squared movement."""
    errors, total = np.zeros(len(solutions)), 0.0
    for features, motion in drawn.read(held):
        stacked, truth = stack_context(features, CONTEXT).double(), motion.double()
        total += float(truth.square().sum())
        for k, (weights, constant) in enumerate(solutions):
            errors[k] += float((stacked @ weights + constant - truth).square().sum())
    return errors, total
