"""Keeping a codebook in use: how it begins, how much of it is used, and what becomes of entries that are not.

Conventions
-----------
Vectors are (n, code_size), entries (E, code_size). Whatever is drawn follows from the generator that is given. None of
this is in the paper; without it most entries of a random codebook are never met.
"""

from __future__ import annotations

import torch

from mtbench.reference_model.training.devices import Devices

#: Decay of the running share of vectors that an entry gets, per step.
USAGE_DECAY = 0.98
#: An entry with less than this part of an even share is hardly used.
DEAD = 0.05


def nearest_entry(vectors: torch.Tensor, entries: torch.Tensor) -> torch.Tensor:
    """Return the (n,) index of each vector's nearest entry."""
    return (entries.square().sum(-1) - 2 * vectors @ entries.T).argmin(-1)


def cluster_means(
    vectors: torch.Tensor, entries: int, generator: torch.Generator, rounds: int = 15
) -> torch.Tensor:
    """Return (entries, code_size) means of clusters of vectors (Lloyd's algorithm from random vectors)."""
    means = draw_vectors(vectors, entries, generator)
    for _ in range(rounds):
        nearest = nearest_entry(vectors, means)
        counts = torch.bincount(nearest, minlength=entries)
        sums = torch.zeros_like(means).index_add_(0, nearest, vectors)
        means = sums / counts.clamp(min=1)[:, None]
        if (empty := counts == 0).any():
            means[empty] = draw_vectors(vectors, int(empty.sum()), generator)
    return means


def draw_vectors(vectors: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Return *count* of the vectors, drawn with replacement, each a little moved so that no two are the same."""
    chosen = vectors[torch.randint(len(vectors), (count,), generator=generator).to(vectors.device)]
    noise = torch.randn(chosen.shape, generator=generator).to(vectors.device)
    return chosen + 0.01 * vectors.std() * noise


def perplexity(usage: torch.Tensor) -> float:
    """Return how many evenly used entries would be as uncertain as *usage*, (E,) shares or counts."""
    share = usage.double() / usage.sum().clamp(min=1e-12)
    return float(torch.exp(-(share * share.clamp(min=1e-12).log()).sum()))


class CodebookUsage:
    """The running share of vectors that each entry gets.

    Parameters
    ----------
    entries : int
    """

    def __init__(self, entries: int) -> None:
        self.share = torch.full((entries,), 1 / entries)

    def update(self, codes: torch.Tensor, devices: Devices) -> None:
        """Count a batch's codes, those of all processes."""
        counts = torch.bincount(codes.flatten(), minlength=len(self.share)).float()
        devices.average([counts])
        self.share.mul_(USAGE_DECAY).add_((counts / counts.sum()).cpu(), alpha=1 - USAGE_DECAY)

    def reset(self, chosen: torch.Tensor | slice = slice(None)) -> None:
        """Give the chosen entries an even share again, so that they have time to find one."""
        self.share[chosen] = 1 / len(self.share)

    def find_dead(self) -> torch.Tensor:
        """Return the (k,) indices of entries that are hardly used."""
        return (self.share < DEAD / len(self.share)).nonzero()[:, 0]


def revive(
    weight: torch.nn.Parameter,
    usage: CodebookUsage,
    vectors: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> torch.Tensor:
    """Move hardly used entries to where vectors are, forget their momentum, and return their (k,) indices."""
    dead = usage.find_dead()
    if len(dead):
        with torch.no_grad():
            weight[dead] = draw_vectors(vectors.detach(), len(dead), generator)
        for value in optimizer.state.get(weight, {}).values():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                value[dead] = 0
        usage.reset(dead)
    return dead
