"""Weights of golden fixtures, made anew from their recipes."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

Noise = np.ndarray


def _scaled(factor: float) -> Callable[[Noise, int], np.ndarray]:
    return lambda n, fan: n * factor / np.sqrt(fan)


def _ternary(n: Noise, fan: int) -> np.ndarray:
    return (1.0 * (n > 0.6) - 1.0 * (n < -0.6)) * 2.0 ** -round(0.5 * np.log2(0.55 * fan))


_KINDS: dict[str, Callable[[Noise, int], np.ndarray]] = {
    "matrix": _scaled(1.0),
    "matrix_x2": _scaled(2.0),
    "matrix_x3": _scaled(3.0),
    "ternary": _ternary,
    "embedding_x2": lambda n, fan: n * 0.7,
    "embedding_nopad": lambda n, fan: n * 0.35,
    "norm_weight": lambda n, fan: 1 + 0.1 * n,
    "bn_weight": lambda n, fan: 1 + 0.1 * abs(n),
    "bn_mean": lambda n, fan: 0.1 * n,
    "bn_var": lambda n, fan: 1 + 0.1 * abs(n),
    "weight_g": lambda n, fan: 1 + 0.1 * abs(n),
    "prelu": lambda n, fan: 0.25 + 0.05 * n,
    "weight_v": lambda n, fan: 0.05 * n,
    "bias": lambda n, fan: 0.05 * n,
    "small": lambda n, fan: 0.05 * n,
}


def make_weights(folder: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Return the settings and the tensors of a fixture's ``recipe.json``."""
    recipe = json.loads((folder / "recipe.json").read_text("utf-8"))
    tensors = {}
    for name, (shape, kind) in recipe["tensors"].items():
        if kind == "steps":
            tensors[name] = torch.tensor(1)
        elif kind in _KINDS:
            seed = zlib.crc32((recipe["salt"] + name).encode())
            noise = np.random.default_rng(seed).standard_normal(shape)
            values = _KINDS[kind](noise, int(np.prod(shape[1:])))
            tensors[name] = torch.from_numpy(values.astype(np.float16).astype(np.float32))
        else:
            assert kind == "sinusoid", kind  # computed by whoever reads it
    return recipe["config"] if "config" in recipe else recipe["backbone_args"], tensors
