"""Speaking styles: how somebody moves, and how much each sound differs from the last time it was said.

Conventions
-----------
A style is a value: a manner (:class:`~mtbench.synth.articulation_settings.ArticulationSetting`) around which every
occurrence of a sound is drawn, and the :class:`Variation` that says how widely. Spreads are standard deviations of the
logarithm of a factor unless a unit is given; everything drawn is bounded by :data:`BOUND` of them. The default,
:data:`EVERYDAY`, has the lip statistics of captured speech (``mtbench synth statistics``). :data:`RESERVED` is for
testing: nothing is ever trained on it or on a speaker drawn from it.

Sources: undershoot of short sounds, Lindblom 1963; careful and careless speech as one continuum, Lindblom 1990 (H&H);
jaw opening as the carrier of syllables and stress, MacNeilage 1998, Erickson 2002. The numbers are the project's own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from mtbench.synth.articulation_settings import ArticulationSetting, perturbed

#: Nothing is drawn further than this many standard deviations from its mean.
BOUND = 3.0
#: Largest spread of a factor; beyond it the bounded draws would no longer be positive.
WIDEST = 0.6


@dataclass(frozen=True)
class Variation:
    """How much one occurrence of a sound differs from another.

    Attributes
    ----------
    amplitude : float
        Spread of how far jaw, lips, corners, rounding and tongue each go for a sound.
    effort : float
        Spread of how far everything goes, changing slowly over many sounds.
    undershoot : float
        Seconds that a movement takes to come half its way: shorter sounds fall short of their targets.
    stress : float
        Share by which the jaw opens further for each whole that a vowel is longer than the clip's vowels are.
    syllabic : float
        How far the jaw follows syllables rather than sounds: the share of its opening that comes from the middle or the
        margin of a syllable, whatever the vowel or consonant.
    spreads, rounds : float
        Probability that a sound which asks for it draws the corners of the mouth outwards, or rounds the lips.
    residue : float
        What is left of spreading and rounding where they do not come about, as a share.
    timing : float
        Standard deviation in seconds between the articulators and the sound.
    carry : float
        Spread of how early a sound is prepared, how long it is kept, and how firmly it resists its neighbours.
    wander : float
        Standard deviation of what is added to every target, as a share of the parameter's largest value.
    full : float
        Probability that closed lips, or the lip at the teeth, are complete.
    nearest : float
        Least share of the way that a contact goes which is not complete.
    parted : float
        Largest opening of jaw and lips in a pause, as a share of the parameter's largest value; half of the pauses
        have none.
    asymmetry : float
        Spread of the difference between the face's two sides, the same throughout a clip.
    """

    amplitude: float = 0.3
    effort: float = 0.1
    undershoot: float = 0.03
    stress: float = 0.2
    syllabic: float = 0.6
    spreads: float = 0.18
    rounds: float = 0.5
    residue: float = 0.12
    timing: float = 0.03
    carry: float = 0.4
    wander: float = 0.06
    full: float = 0.6
    nearest: float = 0.3
    parted: float = 0.04
    asymmetry: float = 0.06

    def __post_init__(self) -> None:
        for name in ("amplitude", "effort", "carry", "asymmetry"):
            if not 0.0 <= getattr(self, name) <= WIDEST:
                raise ValueError(f"{name} is {getattr(self, name):g}, expected a spread of 0 to {WIDEST:g}")
        for name in ("syllabic", "spreads", "rounds", "residue", "full", "nearest"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name):g}, expected a share of 0 to 1")
        for name in ("undershoot", "stress", "timing", "wander", "parted"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} is {getattr(self, name):g}, expected 0 or more")


@dataclass(frozen=True)
class SpeakingStyle:
    """A manner and how widely its occurrences are drawn.

    Attributes
    ----------
    name : str
    setting : ArticulationSetting
        The manner in the mean.
    variation : Variation
    corners : float
        Factor by which the corners of the mouth are drawn outwards less than the lips are parted.
    """

    name: str
    setting: ArticulationSetting
    variation: Variation
    corners: float = 0.34


def _style(
    name: str, variation: Variation | None = None, corners: float = 0.34, **factors: Any
) -> SpeakingStyle:
    """Return a style; its manner is that of everyday speech but for *factors*."""
    everyday: dict[str, Any] = {"jaw": 0.84, "lips": 0.62, "rounding": 0.62, "firmness": 1.2}
    everyday |= {"lead": 0.6, "lag": 0.6, "smoothing": 0.38}
    return SpeakingStyle(
        name, ArticulationSetting(name, **(everyday | factors)), variation or Variation(), corners
    )


EVERYDAY = _style("everyday")
#: For testing only.
RESERVED = _style(
    "reserved",
    Variation(
        amplitude=0.27, undershoot=0.05, syllabic=0.5, spreads=0.4, rounds=0.55, timing=0.034, carry=0.34,
        wander=0.07, full=0.7, asymmetry=0.1,
    ),
    jaw=0.86, lips=0.7, rounding=0.5, lead=0.85, lag=0.7, smoothing=0.55, closing=0.07, opening=0.05,
    target_seed=8128, target_spread=0.15,
)  # fmt: skip
#: What training may use.
TRAINING_STYLES = (
    EVERYDAY,
    _style(
        "hurried",
        Variation(
            amplitude=0.36, undershoot=0.08, spreads=0.25, rounds=0.45, carry=0.46, timing=0.034, full=0.55,
            nearest=0.3,
        ),
        smoothing=0.38, lead=0.8, lag=0.9, closing=0.05, opening=0.035,
    ),
    _style(
        "deliberate",
        Variation(
            amplitude=0.22, effort=0.08, undershoot=0.02, spreads=0.5, rounds=0.75, carry=0.28, timing=0.022,
            wander=0.04, full=0.9, nearest=0.5,
        ),
        smoothing=0.55, lead=0.65, lag=0.65, closing=0.07, opening=0.05,
    ),
    _style(
        "mumbling",
        Variation(
            amplitude=0.36, effort=0.2, undershoot=0.07, spreads=0.15, rounds=0.35, residue=0.1, wander=0.05,
            full=0.45, nearest=0.25,
        ),
        amplitude=0.64, lead=0.9, lag=1.0, firmness=0.95, smoothing=0.6, press=0.6,
    ),
    _style(
        "over-articulating",
        Variation(
            amplitude=0.2, undershoot=0.02, stress=0.3, spreads=0.75, rounds=0.85, residue=0.4, timing=0.02,
            carry=0.28, wander=0.04, full=0.97, nearest=0.7,
        ),
        amplitude=1.24, rounding=0.5, corners=0.52, lead=0.6, lag=0.6, press=1.2,
    ),
    _style(
        "jaw-led",
        Variation(syllabic=0.75, stress=0.3, spreads=0.15, rounds=0.4),
        jaw=1.0, lips=0.5, rounding=0.45, firmness=1.25, corners=0.4,
    ),
    _style(
        "lip-led",
        Variation(syllabic=0.3, stress=0.15, spreads=0.6, rounds=0.8, residue=0.3, full=0.8),
        jaw=0.72, lips=0.8, rounding=0.64, press=1.15,
    ),
)  # fmt: skip
#: All styles by name.
STYLES: dict[str, SpeakingStyle] = {style.name: style for style in (*TRAINING_STYLES, RESERVED)}


def draw_speaker(style: SpeakingStyle, rng: np.random.Generator, strength: float = 0.2) -> SpeakingStyle:
    """Draw an individual speaker around *style*.

    Parameters
    ----------
    style : SpeakingStyle
    rng : numpy.random.Generator
    strength : float
        Largest relative deviation of every factor, time, spread and target, 0 to 0.5.

    Returns
    -------
    SpeakingStyle
        Its name is that of its setting: the parent's with the seed of its targets.

    Raises
    ------
    ValueError
        If *strength* is out of range.
    """
    setting = perturbed(style.setting, rng, strength)
    drawn = {}
    for field in fields(Variation):
        value = getattr(style.variation, field.name) * (1.0 + rng.uniform(-strength, strength))
        most = {"amplitude": WIDEST, "effort": WIDEST, "carry": WIDEST, "asymmetry": WIDEST}.get(
            field.name, 1.0
        )
        drawn[field.name] = min(value, most)
    return replace(style, name=setting.name, setting=setting, variation=Variation(**drawn))
