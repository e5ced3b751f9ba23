"""Manners of articulation: animators that speak the same phones differently.

Conventions
-----------
All numbers are factors of the default unless a unit is given; a setting is a value, and the same setting
gives the same curves. :data:`HELD_OUT` is reserved for testing: nothing is ever trained on it or on a
perturbation of it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from mtbench.synth.articulation_targets import PARAMETERS, load_targets


@dataclass(frozen=True)
class ArticulationSetting:
    """How somebody articulates.

    Attributes
    ----------
    name : str
    amplitude : float
        Factor of all openings, spreading and rounding.
    jaw, lips, rounding, tongue : float
        Further factors of jaw opening; of parting and spreading; of rounding and protrusion; of the tongue.
    lead, lag : float
        How far anticipation and carry-over reach.
    firmness : float
        Strength of consonants against vowels.
    smoothing : float
        Duration of movements.
    closing, opening : float
        Seconds that closing the lips and opening them take.
    press : float
        Compression of closed lips.
    liveliness : float
        Factor of blinks and brows; 0 keeps them still.
    target_seed : int
        Seed of the individual deviations from the table of targets.
    target_spread : float
        Largest such deviation, as a share of the target; 0 uses the table as it is.
    """

    name: str
    amplitude: float = 1.0
    jaw: float = 1.0
    lips: float = 1.0
    rounding: float = 1.0
    tongue: float = 1.0
    lead: float = 1.0
    lag: float = 1.0
    firmness: float = 1.0
    smoothing: float = 1.0
    closing: float = 0.06
    opening: float = 0.042
    press: float = 1.0
    liveliness: float = 1.0
    target_seed: int = 0
    target_spread: float = 0.0


DEFAULT = ArticulationSetting("default")
#: For testing only.
HELD_OUT = ArticulationSetting(
    "held-out",
    amplitude=0.92,
    jaw=0.88,
    lips=1.12,
    rounding=1.08,
    lead=1.25,
    lag=0.85,
    firmness=0.9,
    smoothing=1.15,
    closing=0.07,
    opening=0.05,
    press=0.9,
    target_seed=4711,
    target_spread=0.12,
)
#: What training may use.
TRAINING = (
    DEFAULT,
    ArticulationSetting("hyper-articulated", amplitude=1.18, lead=0.8, lag=0.8, smoothing=0.85, closing=0.05),
    ArticulationSetting("lip-heavy", amplitude=0.95, jaw=0.72, lips=1.25, rounding=1.15, press=1.15),
    ArticulationSetting("jaw-heavy", jaw=1.2, lips=0.75, rounding=0.88, firmness=1.15),
    ArticulationSetting(
        "wide-coarticulation", amplitude=0.95, lead=1.5, lag=1.4, smoothing=1.25, closing=0.08
    ),
    ArticulationSetting(
        "relaxed", amplitude=0.78, lead=1.15, lag=1.2, firmness=0.85, smoothing=1.2, press=0.75
    ),
)
#: All settings by name.
SETTINGS: dict[str, ArticulationSetting] = {s.name: s for s in (*TRAINING, HELD_OUT)}


def perturbed(
    setting: ArticulationSetting, rng: np.random.Generator, strength: float = 0.2
) -> ArticulationSetting:
    """Draw an individual speaker around *setting*.

    Parameters
    ----------
    setting : ArticulationSetting
    rng : numpy.random.Generator
    strength : float
        Largest relative deviation of every factor, time and target, 0 to 0.5.

    Returns
    -------
    ArticulationSetting
        Its name is the parent's with the seed of its targets.

    Raises
    ------
    ValueError
        If *strength* is out of range.
    """
    if not 0.0 <= strength <= 0.5:
        raise ValueError(f"strength {strength:g} is not between 0 and 0.5")
    changed = {
        f.name: getattr(setting, f.name) * (1.0 + rng.uniform(-strength, strength))
        for f in fields(setting)
        if f.name not in ("name", "target_seed", "target_spread")
    }
    seed = int(rng.integers(1, 2**31))
    return replace(
        setting, name=f"{setting.name}~{seed}", target_seed=seed, target_spread=strength, **changed
    )


@lru_cache(maxsize=64)
def target_arrays(setting: ArticulationSetting) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Targets as this setting's speaker has them.

    Parameters
    ----------
    setting : ArticulationSetting

    Returns
    -------
    value, strength, lead, lag : (S, 8) float64
        Rows as in :func:`~mtbench.synth.articulation_targets.load_targets`, times in seconds.
    """
    table = load_targets()
    scale = {
        "jaw": setting.amplitude * setting.jaw,
        "part": setting.amplitude * setting.lips,
        "spread": setting.amplitude * setting.lips,
        "round": setting.amplitude * setting.rounding,
        "protrude": setting.amplitude * setting.rounding,
    }
    value = table.value * np.array([scale.get(p, setting.tongue) for p in PARAMETERS])
    strength = table.strength * np.where(table.vowel, 1.0, setting.firmness)[:, None]
    lead, lag = table.lead * setting.lead, table.lag * setting.lag
    if setting.target_spread:
        rng = np.random.Generator(np.random.PCG64(setting.target_seed))
        value, strength, lead, lag = (
            a * (1.0 + setting.target_spread * (2.0 * rng.random(a.shape) - 1.0))
            for a in (value, strength, lead, lag)
        )
    for array in (value, strength, lead, lag):
        array.setflags(write=False)
    return value, strength, lead, lag
