"""Layers that map motion, learned as if every coordinate of it moved as far as any other.

The first principal movement (the jaw) goes fifty times as far as those that shape the lips. A layer that takes such
coordinates needs weights fifty times smaller for the one than for the other, but Adam changes all by the same. So in
training the layer's weights are what is learned divided (input) or multiplied (output) by each coordinate's spread;
:func:`settle` turns them into ordinary weights again.

Conventions
-----------
Spread is (M,), positive. A network's function is the same before and after :func:`settle`.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize


class _Scaled(nn.Module):
    """Multiplies what is learned by fixed factors."""

    factors: torch.Tensor

    def __init__(self, factors: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("factors", factors)

    def forward(self, learned: torch.Tensor) -> torch.Tensor:
        return learned * self.factors


def balance_input(layer: nn.Linear, spread: torch.Tensor) -> None:
    """Let a layer that takes motion see each coordinate divided by its spread."""
    parametrize.register_parametrization(layer, "weight", _Scaled(1 / spread), unsafe=True)


def balance_output(layer: nn.Linear, spread: torch.Tensor) -> None:
    """Let a layer that gives motion give each coordinate as a multiple of its spread."""
    parametrize.register_parametrization(layer, "weight", _Scaled(spread[:, None]), unsafe=True)
    parametrize.register_parametrization(layer, "bias", _Scaled(spread), unsafe=True)


def settle(network: nn.Module) -> None:
    """Turn balanced layers into ordinary ones, in place; other parametrizations (of speech encoders) stay."""
    for module in list(network.modules()):
        if not parametrize.is_parametrized(module):
            continue
        lists: nn.ModuleDict = module.parametrizations  # type: ignore[assignment]
        for name, steps in list(lists.items()):
            if any(isinstance(step, _Scaled) for step in steps.children()):
                parametrize.remove_parametrizations(module, name)
