"""Articulatory targets: what each phone asks of jaw, lips and tongue, and how strongly.

Conventions
-----------
Parameters are dimensionless, 0 (at rest) to 1 (the largest value of ordinary speech):

========== ===========================================================================================
jaw        jaw opening
part       lips drawn apart by themselves: lower lip down, upper lip up
spread     lip corners drawn outwards
round      lips pursed, mouth narrow
protrude   lips pushed forward and everted, the opening kept (sh-like)
tip        tongue tip up, to the ridge behind the upper teeth
between    tongue tip forward, between the teeth
low        tongue lowered into the floor of the mouth
========== ===========================================================================================

A target's *strength* is its weight in the blend with the neighbours: 1 is a vowel's weight, 0.1 hardly
resists (the lips of k), 2 hardly yields (the jaw of s). Closed lips (p b m) and the lower lip at the upper
teeth (f v) are no targets but constraints, see :mod:`mtbench.synth.contacts`. Phones are single base IPA
symbols, without length, tone, stress or diacritics; the empty symbol and ``sil`` are pauses.

Sources: phonetics textbook knowledge (Ladefoged & Maddieson, *The Sounds of the World's Languages*; Keating
et al. 1994 on jaw height: s ʃ t highest, then d, n, l). The numbers are the project's own and were tuned on
pictures; so are the small differences between voiced and voiceless phones of one place (jaw height, pressure of
the lips in p, b and m), which real faces show less reliably.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mtbench.errors import UsageError

#: Order of the columns of all parameter arrays.
PARAMETERS = ("jaw", "part", "spread", "round", "protrude", "tip", "between", "low")
#: Symbols that mean that nobody speaks.
PAUSES = frozenset(("", "sil"))


# Vowels: jaw, part, spread, round, protrude, low.
_VOWELS: dict[str, tuple[float, float, float, float, float, float]] = {
    "i": (0.14, 0.50, 1.00, 0.00, 0.00, 0.05),
    "ɪ": (0.30, 0.45, 0.60, 0.00, 0.00, 0.10),
    "e": (0.42, 0.42, 0.72, 0.00, 0.00, 0.20),
    "ɛ": (0.62, 0.40, 0.50, 0.00, 0.00, 0.40),
    "æ": (0.82, 0.45, 0.55, 0.00, 0.00, 0.60),
    "a": (0.98, 0.30, 0.12, 0.00, 0.00, 0.85),
    "ɐ": (0.72, 0.28, 0.10, 0.00, 0.00, 0.60),
    "ɑ": (1.00, 0.18, 0.00, 0.05, 0.08, 1.00),
    "ɒ": (0.80, 0.08, 0.00, 0.32, 0.45, 1.00),
    "ʌ": (0.62, 0.25, 0.06, 0.00, 0.00, 0.65),
    "ɔ": (0.66, 0.06, 0.00, 0.45, 0.55, 0.95),
    "o": (0.42, 0.02, 0.00, 0.72, 0.50, 0.90),
    "ʊ": (0.28, 0.05, 0.00, 0.70, 0.38, 0.75),
    "u": (0.18, 0.00, 0.00, 1.00, 0.30, 0.95),
    "ɯ": (0.18, 0.32, 0.38, 0.00, 0.00, 0.55),
    "ɤ": (0.42, 0.25, 0.25, 0.00, 0.00, 0.60),
    "ɨ": (0.20, 0.38, 0.50, 0.00, 0.00, 0.30),
    "ʉ": (0.16, 0.02, 0.00, 0.88, 0.42, 0.35),
    "ɘ": (0.34, 0.30, 0.25, 0.00, 0.00, 0.30),
    "ə": (0.36, 0.20, 0.05, 0.00, 0.00, 0.40),
    "ɵ": (0.34, 0.05, 0.00, 0.55, 0.42, 0.40),
    "ɜ": (0.46, 0.20, 0.00, 0.08, 0.12, 0.45),
    "ɞ": (0.52, 0.10, 0.00, 0.38, 0.40, 0.50),
    "y": (0.14, 0.08, 0.00, 0.85, 0.60, 0.00),
    "ʏ": (0.24, 0.10, 0.00, 0.66, 0.52, 0.05),
    "ø": (0.38, 0.08, 0.00, 0.60, 0.66, 0.10),
    "œ": (0.58, 0.12, 0.00, 0.36, 0.72, 0.30),
    "ɶ": (0.82, 0.15, 0.00, 0.25, 0.60, 0.60),
}
# A vowel's strength per parameter; rounding starts early and is kept, plain vowels leave it to their
# neighbours.
_VOWEL_STRENGTH = {
    "jaw": 1.0,
    "part": 0.9,
    "spread": 0.9,
    "round": 0.8,
    "protrude": 0.8,
    "tip": 0.5,
    "between": 1.0,
    "low": 1.0,
}
_ROUNDED_STRENGTH = _VOWEL_STRENGTH | {"round": 1.5, "protrude": 1.4, "spread": 1.2}

# Lead and lag in milliseconds: how far before its start and after its end a phone is felt.
_VOWEL_LEAD = {
    "jaw": 70,
    "part": 60,
    "spread": 80,
    "round": 80,
    "protrude": 80,
    "tip": 40,
    "between": 30,
    "low": 70,
}
_ROUNDED_LEAD = _VOWEL_LEAD | {"round": 130, "protrude": 130}
_CONSONANT_LEAD = {
    "jaw": 45,
    "part": 45,
    "spread": 50,
    "round": 50,
    "protrude": 50,
    "tip": 45,
    "between": 40,
    "low": 45,
}
_GLIDE_LEAD = _CONSONANT_LEAD | {"round": 110, "protrude": 110, "spread": 80}

# Consonants by place: {parameter: (value, strength)}; a parameter not named is free (value 0, strength
# _FREE).
_FREE = 0.06
_PLACES: dict[str, dict[str, tuple[float, float]]] = {
    "bilabial": {"jaw": (0.12, 0.5)},
    "labiodental": {"jaw": (0.12, 0.8), "round": (0.0, 0.3)},
    "dental": {"jaw": (0.32, 1.3), "part": (0.55, 1.2), "between": (1.0, 2.5), "tip": (0.8, 2.0)},
    "alveolar": {"jaw": (0.20, 1.1), "part": (0.58, 1.0), "tip": (1.0, 2.0), "low": (0.0, 1.0)},
    "sibilant": {
        "jaw": (0.02, 3.0),
        "part": (0.80, 1.4),
        "spread": (0.42, 0.6),
        "tip": (0.35, 2.0),
        "low": (0.0, 1.0),
    },
    "postalveolar": {
        "jaw": (0.08, 2.5),
        "part": (0.35, 1.0),
        "round": (0.20, 1.0),
        "protrude": (1.0, 2.2),
        "spread": (0.0, 1.5),
        "tip": (0.3, 1.5),
        "low": (0.0, 0.8),
    },
    "alveolopalatal": {
        "jaw": (0.06, 2.5),
        "part": (0.75, 1.3),
        "spread": (0.70, 1.0),
        "protrude": (0.22, 0.8),
        "tip": (0.2, 1.5),
        "low": (0.0, 0.8),
    },
    "retroflex": {
        "jaw": (0.34, 1.1),
        "part": (0.25, 0.6),
        "protrude": (0.30, 0.7),
        "tip": (1.0, 2.0),
        "low": (0.45, 1.0),
    },
    "palatal": {"jaw": (0.18, 0.8), "part": (0.45, 0.8), "spread": (0.60, 0.7), "low": (0.05, 1.2)},
    "velar": {"jaw": (0.28, 0.7), "part": (0.28, 0.5), "tip": (0.0, 1.2), "low": (0.35, 1.0)},
    "uvular": {"jaw": (0.46, 0.7), "part": (0.20, 0.4), "protrude": (0.18, 0.3), "low": (0.70, 1.2)},
    "pharyngeal": {"jaw": (0.68, 0.8), "part": (0.22, 0.4), "low": (1.0, 1.3)},
    "glottal": {"jaw": (0.36, 0.25), "part": (0.15, 0.15)},
    "labiovelar": {
        "jaw": (0.12, 1.2),
        "part": (0.0, 1.2),
        "round": (0.98, 2.2),
        "protrude": (0.40, 1.6),
        "spread": (0.0, 1.6),
        "low": (0.6, 0.6),
    },
    "labiopalatal": {
        "jaw": (0.10, 1.2),
        "part": (0.05, 1.2),
        "round": (0.82, 2.2),
        "protrude": (0.62, 1.8),
        "spread": (0.0, 1.6),
        "low": (0.0, 0.8),
    },
    "labial-open": {"jaw": (0.10, 1.2), "part": (0.05, 1.5), "spread": (0.15, 0.6), "round": (0.22, 0.5)},
}

# Consonant -> place, and what sets it apart from the others of that place.
_CONSONANTS: dict[str, tuple[str, dict[str, tuple[float, float]]]] = {
    "p": ("bilabial", {}),
    "b": ("bilabial", {}),
    "m": ("bilabial", {"jaw": (0.16, 0.4)}),
    "ɸ": ("labial-open", {}),
    "β": ("labial-open", {"jaw": (0.14, 1.0), "part": (0.12, 1.2)}),
    "f": ("labiodental", {}),
    "v": ("labiodental", {}),
    "ɱ": ("labiodental", {}),
    "ʋ": ("labiodental", {"jaw": (0.16, 0.9)}),
    "θ": ("dental", {}),
    "ð": ("dental", {"jaw": (0.37, 1.2), "between": (0.88, 2.3)}),
    "t": ("alveolar", {"jaw": (0.13, 1.5)}),
    "d": ("alveolar", {"jaw": (0.19, 1.2)}),
    "n": ("alveolar", {"jaw": (0.26, 1.0), "part": (0.46, 0.8)}),
    "l": ("alveolar", {"jaw": (0.38, 1.1), "part": (0.56, 0.9), "low": (0.2, 0.8)}),
    "ɫ": ("alveolar", {"jaw": (0.38, 1.0), "part": (0.30, 0.7), "low": (0.5, 0.9)}),
    "r": (
        "alveolar",
        {
            "jaw": (0.30, 1.2),
            "part": (0.26, 0.8),
            "protrude": (0.12, 0.5),
            "tip": (0.85, 2.0),
            "low": (0.35, 1.0),
        },
    ),
    "ɾ": ("alveolar", {"jaw": (0.30, 0.7), "part": (0.32, 0.5), "tip": (0.85, 1.6), "low": (0.2, 0.6)}),
    "ɹ": (
        "alveolar",
        {"jaw": (0.22, 1.0), "part": (0.12, 0.8), "round": (0.42, 1.1), "protrude": (0.5, 1.2)}
        | {"tip": (0.45, 1.5), "low": (0.4, 0.8)},
    ),
    "s": ("sibilant", {}),
    "z": ("sibilant", {"jaw": (0.05, 2.6), "part": (0.74, 1.3)}),
    "ʃ": ("postalveolar", {}),
    "ʒ": ("postalveolar", {"jaw": (0.11, 2.2), "protrude": (0.92, 2.0)}),
    "ɕ": ("alveolopalatal", {}),
    "ʑ": ("alveolopalatal", {"jaw": (0.09, 2.2), "part": (0.70, 1.2)}),
    "ʂ": (
        "postalveolar",
        {"jaw": (0.14, 2.2), "protrude": (0.72, 1.8), "tip": (0.8, 1.8), "low": (0.3, 0.8)},
    ),
    "ʐ": (
        "postalveolar",
        {"jaw": (0.17, 2.0), "protrude": (0.66, 1.7), "tip": (0.8, 1.8), "low": (0.3, 0.8)},
    ),
    "ʈ": ("retroflex", {"jaw": (0.28, 1.3)}),
    "ɖ": ("retroflex", {}),
    "ɳ": ("retroflex", {"jaw": (0.38, 1.0)}),
    "ɭ": ("retroflex", {"jaw": (0.44, 1.0), "protrude": (0.15, 0.5)}),
    "ɽ": ("retroflex", {"jaw": (0.40, 0.8), "protrude": (0.22, 0.5)}),
    "ɻ": ("retroflex", {"round": (0.38, 1.0), "protrude": (0.5, 1.1), "tip": (0.8, 1.6)}),
    "c": ("palatal", {"jaw": (0.14, 1.0)}),
    "ɟ": ("palatal", {}),
    "ɲ": ("palatal", {"jaw": (0.22, 0.8), "spread": (0.45, 0.6), "tip": (0.4, 0.8)}),
    "ʎ": ("palatal", {"jaw": (0.30, 0.9), "tip": (0.55, 1.0)}),
    "ç": ("palatal", {"jaw": (0.12, 1.1), "part": (0.55, 0.9), "spread": (0.75, 0.8)}),
    "ʝ": ("palatal", {"jaw": (0.14, 1.0), "part": (0.5, 0.9), "spread": (0.7, 0.8)}),
    "j": ("palatal", {"jaw": (0.12, 1.0), "part": (0.5, 1.0), "spread": (0.95, 1.2)}),
    "k": ("velar", {"jaw": (0.24, 0.9)}),
    "ɡ": ("velar", {}),
    "ŋ": ("velar", {"jaw": (0.34, 0.6), "low": (0.25, 1.0)}),
    "x": ("velar", {"jaw": (0.34, 0.8), "part": (0.34, 0.6)}),
    "ɣ": ("velar", {"jaw": (0.36, 0.6)}),
    "ɰ": ("velar", {"jaw": (0.36, 0.5)}),
    "q": ("uvular", {"jaw": (0.44, 0.8)}),
    "ɢ": ("uvular", {}),
    "ɴ": ("uvular", {"jaw": (0.42, 0.6)}),
    "χ": ("uvular", {"jaw": (0.50, 0.8)}),
    "ʁ": ("uvular", {}),
    "ʀ": ("uvular", {}),
    "ħ": ("pharyngeal", {}),
    "ʕ": ("pharyngeal", {"jaw": (0.74, 0.9)}),
    "h": ("glottal", {}),
    "ɦ": ("glottal", {}),
    "ʔ": ("glottal", {"jaw": (0.26, 0.35)}),
    "w": ("labiovelar", {}),
    "ʍ": ("labiovelar", {}),
    "ɥ": ("labiopalatal", {}),
}


@dataclass(frozen=True)
class TargetTable:
    """Targets of all symbols.

    Attributes
    ----------
    symbols : dict of str to int
        Row of each symbol; pauses share the last row.
    value, strength : (S, 8) float64
        Columns as in :data:`PARAMETERS`.
    lead, lag : (S, 8) float64
        Seconds.
    vowel : (S,) bool
        Whether the row is a vowel's.
    """

    symbols: dict[str, int]
    value: np.ndarray
    strength: np.ndarray
    lead: np.ndarray
    lag: np.ndarray
    vowel: np.ndarray

    def row(self, symbol: str) -> int:
        """Row of *symbol*.

        Raises
        ------
        UsageError
            Where the symbol has no target: it would otherwise become an unnoticed pause.
        """
        try:
            return self.symbols[symbol]
        except KeyError:
            raise UsageError(
                f"phone {symbol!r} has no articulatory target; phones are single base IPA symbols without "
                f"diacritics, length or stress: {' '.join(phone_symbols())}; normalize it first"
            ) from None


def phone_symbols() -> tuple[str, ...]:
    """Every symbol that has a target, vowels first, without the pauses."""
    return (*_VOWELS, *_CONSONANTS)


@lru_cache(maxsize=1)
def load_targets() -> TargetTable:
    """Return the table of targets (read-only arrays)."""
    value: list[list[float]] = []
    strength: list[list[float]] = []
    lead: list[list[float]] = []
    lag: list[list[float]] = []
    for jaw, part, spread, rounding, protrude, low in _VOWELS.values():
        rounded = rounding + protrude > 0.3
        weights = _ROUNDED_STRENGTH if rounded else _VOWEL_STRENGTH
        times = _ROUNDED_LEAD if rounded else _VOWEL_LEAD
        value.append([jaw, part, spread, rounding, protrude, 0.0, 0.0, low])
        strength.append([weights[p] for p in PARAMETERS])
        lead.append([times[p] for p in PARAMETERS])
        # What one prepares early isn't kept as long.
        lag.append([0.8 * min(times[p], 80) for p in PARAMETERS])
    for place, own in _CONSONANTS.values():
        target = _PLACES[place] | own
        times = _GLIDE_LEAD if place.startswith("labio") and place != "labiodental" else _CONSONANT_LEAD
        if "protrude" in target and target["protrude"][0] > 0.5:
            times = _GLIDE_LEAD
        value.append([target.get(p, (0.0, _FREE))[0] for p in PARAMETERS])
        strength.append([target.get(p, (0.0, _FREE))[1] for p in PARAMETERS])
        lead.append([times[p] for p in PARAMETERS])
        lag.append([0.8 * min(times[p], 80) for p in PARAMETERS])
    value.append([0.0] * len(PARAMETERS))
    strength.append([0.8] * len(PARAMETERS))
    lead.append([60.0] * len(PARAMETERS))
    lag.append([60.0] * len(PARAMETERS))
    symbols = {symbol: row for row, symbol in enumerate(phone_symbols())}
    symbols |= dict.fromkeys(PAUSES, len(value) - 1)
    vowel = np.zeros(len(value), bool)
    vowel[: len(_VOWELS)] = True
    arrays = [np.array(a, np.float64) for a in (value, strength, lead, lag)]
    arrays[2] /= 1000.0
    arrays[3] /= 1000.0
    for array in (*arrays, vowel):
        array.setflags(write=False)
    return TargetTable(symbols, arrays[0], arrays[1], arrays[2], arrays[3], vowel)
