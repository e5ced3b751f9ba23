"""Named configurations of training: what ``mtbench avsr train --config NAME`` runs.

Conventions
-----------
A configuration is a :class:`~mtbench.avsr.openhead.objective.TrainingConfig` and the sizes of the network, as
arguments of :class:`~mtbench.avsr.openhead.model.ModelConfig` beside ``classes`` and ``languages``, which follow
from the phones and languages there are. Weights lie in half precision: two bytes a parameter, at most 15 MB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mtbench.avsr.openhead.objective import TrainingConfig
from mtbench.errors import UsageError


@dataclass(frozen=True)
class NamedConfig:
    """One configuration.

    Attributes
    ----------
    name : str
    summary : str
        Where to run it, and for how long.
    training : TrainingConfig
    sizes : mapping of str to value
        Of the network; sizes that are not named keep :class:`~mtbench.avsr.openhead.model.ModelConfig`'s defaults.
    """

    name: str
    summary: str
    training: TrainingConfig
    sizes: Mapping[str, Any] = field(default_factory=dict)


CONFIGS: dict[str, NamedConfig] = {
    config.name: config
    for config in (
        NamedConfig(
            "openhead-av",
            "3.7 million parameters; hours on two cores, resumed as often as needed",
            TrainingConfig(steps=5000, learning_rate=1.2e-3),
            {"heard": 512, "dropout": 0.1},
        ),
        NamedConfig(
            "openhead-av-large",
            "7.0 million parameters (13.9 MB); for an accelerator with a dozen processes that make batches",
            TrainingConfig(
                steps=20_000,
                batch=64,
                learning_rate=1.5e-3,
                warmup=500,
                averaging=0.999,
                checkpoint_every=200,
                shards=1,
            ),
            {
                "width": 192,
                "feedforward": 640,
                "layers": 8,
                "channels": (24, 32, 64, 128),
                "heard": 512,
                "dropout": 0.1,
            },
        ),
        NamedConfig(
            "smoke",
            "64 thousand parameters, a few steps: shows in a minute that everything is installed; learns nothing",
            TrainingConfig(steps=4, batch=2, warmup=2, checkpoint_every=2),
            {"width": 32, "heads": 2, "feedforward": 32, "layers": 2, "channels": (4, 6, 8, 12)},
        ),
    )
}


def load_config(name: str) -> NamedConfig:
    """Return the configuration called *name*.

    Raises
    ------
    UsageError
        For an unknown name; the message lists the known ones.

    Examples
    --------
    >>> load_config("openhead-av").training.batch
    16
    """
    if name in CONFIGS:
        return CONFIGS[name]
    known = "; ".join(f"{config.name} ({config.summary})" for config in CONFIGS.values())
    raise UsageError(f"no training configuration is called {name!r}; known: {known}")
