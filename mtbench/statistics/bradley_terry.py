"""Bradley–Terry: strengths of candidates from comparisons in pairs, with ties as half wins or by Davidson's model.

Conventions
-----------
P(a beats b) = 1 / (1 + exp(θb - θa)); only differences of θ mean anything, so that a reference has θ = 0. Davidson's
model adds P(tie) = ν √(πa πb) / (πa + πb + ν √(πa πb)) with π = exp(θ). Fits are Newton's method on the likelihood less
a small ridge, many samples at once. A strength that the data put at infinity (see
:mod:`mtbench.statistics.comparison_graph`) comes out large, never as an error.

Sources: R. A. Bradley, M. E. Terry, Biometrika 39 (1952); R. R. Davidson, JASA 65 (1970).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Weight of the ridge ½ λ Σ θ², in votes: strengths change by less than 0.00001.
RIDGE = 1e-6
_STEPS, _LONGEST, _CLOSE = 60, 2.0, 1e-9


@dataclass(frozen=True)
class Strengths:
    """Strengths of S candidates in each of B samples.

    Attributes
    ----------
    theta : (B, S) float64
        Strengths, their mean 0.
    tie : (B,) float64 or None
        Davidson's ν; None where ties were half wins.
    """

    theta: np.ndarray
    tie: np.ndarray | None


def fit_bradley_terry(wins: np.ndarray, ties: np.ndarray, *, model: str = "half") -> Strengths:
    """Return the strengths that explain comparisons best.

    Parameters
    ----------
    wins : (B, S, S) float64
        How often the row's candidate was preferred to the column's.
    ties : (B, S, S) float64
        How often the two tied; symmetric.
    model : {"half", "davidson"}
        Ties as half wins, or Davidson's model.

    Examples
    --------
    >>> found = fit_bradley_terry(np.array([[[0.0, 30.0], [10.0, 0.0]]]), np.zeros((1, 2, 2)))
    >>> round(float(found.theta[0, 0] - found.theta[0, 1]), 3)  # log 3
    1.099
    """
    if model == "half":
        return Strengths(_fit_half(wins + ties / 2), None)
    if model == "davidson":
        return _fit_davidson(wins, ties)
    raise ValueError(f"model must be 'half' or 'davidson', not {model!r}")


def _fit_half(wins: np.ndarray) -> np.ndarray:
    votes = wins + wins.swapaxes(1, 2)
    n = wins.shape[1]
    theta = np.zeros(wins.shape[:2])
    for _ in range(_STEPS):
        p = _logistic(theta[:, :, None] - theta[:, None, :])
        gradient = (wins - votes * p).sum(axis=2) - RIDGE * theta
        weight = votes * p * (1 - p)
        curvature = -weight
        curvature[:, range(n), range(n)] = weight.sum(axis=2) + RIDGE
        step = _bounded(np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0])
        theta += step
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return theta - theta.mean(axis=1, keepdims=True)


def _fit_davidson(wins: np.ndarray, ties: np.ndarray) -> Strengths:
    """Newton's method in θ and log ν; a vote's likelihood is that of three outcomes."""
    n = wins.shape[1]
    votes = wins + wins.swapaxes(1, 2) + ties
    all_ties = ties.sum(axis=(1, 2)) / 2
    log_tie = np.log((2 * all_ties + 1) / (wins.sum(axis=(1, 2)) + 1))
    x = np.concatenate([np.zeros(wins.shape[:2]), log_tie[:, None]], axis=1)
    for _ in range(_STEPS):
        half = (x[:, :n, None] - x[:, None, :n]) / 2
        up, down, even = np.exp(half), np.exp(-half), np.exp(x[:, n])[:, None, None]
        total = up + down + even
        p_win, p_tie = up / total, even / total
        mean = p_win - p_win.swapaxes(1, 2)  # of the outcome +1, 0, -1
        spread = 1 - p_tie - mean**2
        gradient = np.zeros_like(x)
        gradient[:, :n] = (wins - wins.swapaxes(1, 2) - votes * mean).sum(axis=2) / 2 - RIDGE * x[:, :n]
        gradient[:, n] = all_ties - (votes * p_tie).sum(axis=(1, 2)) / 2 - RIDGE * x[:, n]
        curvature = np.zeros((len(x), n + 1, n + 1))
        curvature[:, :n, :n] = -votes * spread / 4
        curvature[:, range(n), range(n)] = (votes * spread / 4).sum(axis=2) + RIDGE
        cross = -(votes * p_tie * mean).sum(axis=2) / 2
        curvature[:, :n, n] = curvature[:, n, :n] = cross
        curvature[:, n, n] = (votes * p_tie * (1 - p_tie)).sum(axis=(1, 2)) / 2 + RIDGE
        step = _bounded(np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0])
        x += step
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    theta = x[:, :n]
    return Strengths(theta - theta.mean(axis=1, keepdims=True), np.exp(x[:, n]))


def _bounded(step: np.ndarray) -> np.ndarray:
    """Shorten steps that would leap; far from the solution the likelihood is nearly flat."""
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, _LONGEST / np.maximum(longest, 1e-300))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))
