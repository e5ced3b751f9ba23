"""Draws of what the correlation of candidates' true scores may be, where scores are uncertain on both sides.

Conventions
-----------
Correlating noisy scores gives too little (attenuation), and a replicate adds the noise once more: with close candidates
percentile intervals of a system-level correlation miss the truth far too often. Here observed scores are true scores
plus noise, whose covariance the replicates tell; true scores of both sides come from one bivariate normal distribution
of candidates; Gibbs' sampler draws them, and each draw is correlated. The prior says that every correlation is as
probable as any other, and standard deviations are half-t (Huang and Wand's prior). Many short chains run side by side.

Source: A. Gelman et al., Bayesian Data Analysis, 3rd edition (2013), section 5.4; A. Huang, M. P. Wand, Bayesian
Analysis 8 (2013); attenuation: C. Spearman, American Journal of Psychology 15 (1904).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mtbench.statistics.bootstrap import SEED, derive_generator
from mtbench.statistics.correlation import FEATURES

_CHAINS, _STEPS = 1000, 60
#: Scale of the half-t prior of true standard deviations, in observed ones; least noise, in observed variances.
_WIDE, _LEAST = 10.0, 1e-6


def draw_correlations(
    totals: np.ndarray, noise: np.ndarray, statistic: str, *, chains: int = _CHAINS, seed: int = SEED
) -> np.ndarray:
    """Return draws of the correlation of true scores.

    Parameters
    ----------
    totals : (S, 2) float64
        Observed scores of S candidates on both sides, neither constant.
    noise : (S, 2, 2) float64
        Covariance of their errors, apart from what all candidates share.
    statistic : {"spearman", "kendall", "pearson"}
    chains : int
        Number of draws, one a chain.
    seed : int
        Seed of the draws.

    Returns
    -------
    (chains,) float64
    """
    totals = np.asarray(totals, dtype=np.float64)
    n = len(totals)
    scale = totals.std(axis=0, ddof=1)
    x = (totals - totals.mean(axis=0)) / scale
    errors = np.asarray(noise) / np.multiply.outer(scale, scale) + _LEAST * np.eye(2)
    precision = np.linalg.inv(errors)
    draws, squares, rates, cross = _draw_numbers(n, chains, seed)
    true = np.broadcast_to(x, (chains, n, 2)).copy()
    spread = np.broadcast_to(_start(x, errors), (chains, 2, 2))
    for step in range(_STEPS):
        center = true.mean(axis=1) + _scale(spread / n, draws[step, :, :1])[:, 0]
        inverse = np.linalg.inv(spread)
        cover = np.linalg.inv(precision + inverse[:, None])
        pull = np.einsum("sij,sj->si", precision, x) + np.einsum("cij,cj->ci", inverse, center)[:, None]
        middle = np.einsum("csij,csj->csi", cover, pull)
        true = middle + _scale(cover, draws[step, :, 1:, None])[:, :, 0]
        away = true - center[:, None]
        weight = (2 * inverse.diagonal(axis1=1, axis2=2) + 1 / _WIDE**2) / rates[step]
        sums = np.einsum("csi,csj->cij", away, away) + 4 * np.eye(2) / weight[:, :, None]
        spread = _inverse_wishart(sums, squares[step], cross[step])
    make = FEATURES[statistic]
    return (make(true[:, :, 0]) * make(true[:, :, 1])).sum(axis=-1)


@lru_cache(maxsize=2)
def _draw_numbers(n: int, chains: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return what the sampler draws, the same for all scores of n candidates: normal, chi-square, gamma, normal."""
    from scipy.special import gammaincinv, ndtri

    generator = derive_generator(seed, "latent", str(n))
    degrees = np.array([n + 3.0, n + 2.0])
    return (
        ndtri(_uniform(generator, (_STEPS, chains, n + 1, 2))),
        2 * gammaincinv(degrees / 2, _uniform(generator, (_STEPS, chains, 2))),
        gammaincinv(2.0, _uniform(generator, (_STEPS, chains, 2))),
        ndtri(_uniform(generator, (_STEPS, chains))),
    )


def _uniform(generator: np.random.PCG64, shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers between 0 and 1, neither of them among these."""
    raw = generator.random_raw(int(np.prod(shape))).reshape(shape)
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _start(x: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return a first guess of the true scores' covariance: the observed one less the noise, as far as it goes."""
    values, vectors = np.linalg.eigh(np.cov(x.T) - errors.mean(axis=0))
    return (vectors * np.maximum(values, 0.05)) @ vectors.T


def _scale(covariance: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Turn standard normal *z* (..., k, 2) into draws of the *covariance* (..., 2, 2)."""
    a = np.sqrt(covariance[..., 0, 0])
    b = covariance[..., 0, 1] / a
    c = np.sqrt(np.maximum(covariance[..., 1, 1] - b * b, 0.0))
    first = a[..., None] * z[..., 0]
    return np.stack([first, b[..., None] * z[..., 0] + c[..., None] * z[..., 1]], axis=-1)


def _inverse_wishart(sums: np.ndarray, squares: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Draw covariances of inverse Wishart distributions of scale *sums* (C, 2, 2), by Bartlett's decomposition."""
    root = np.linalg.cholesky(np.linalg.inv(sums))
    lower = np.zeros_like(sums)
    lower[:, 0, 0], lower[:, 1, 1] = np.sqrt(squares[:, 0]), np.sqrt(squares[:, 1])
    lower[:, 1, 0] = cross
    factor = root @ lower
    return np.linalg.inv(factor @ factor.swapaxes(1, 2) + 1e-12 * np.eye(2))
