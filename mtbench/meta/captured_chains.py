"""Degradations of captured motion, and whether a recognizer puts them in their known order.

Conventions
-----------
Systems are those of :mod:`mtbench.meta.systems`, fewer and made of captured segments on the bundled head; the ground
truth is the first link of every chain. Two measures order them: the phone error with sound in noise, and the bits per
phone that a face takes from what was said in the same sound, beside a static face. The correlation is Spearman's over
systems, mean over chains, as for a benchmark; a pair of shuffled and true motion counts as a chain, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtbench.avsr import Recognizer
from mtbench.avsr.evaluation import (
    NOISY,
    CapturedSet,
    MouthSample,
    Shown,
    ask_about,
    cut_windows,
    render_on_head,
)
from mtbench.conditions import ENTRY, Condition
from mtbench.meta.correlation import order_chains
from mtbench.meta.degradations import jitter, low_pass, scale_amplitude
from mtbench.meta.systems import GROUND_TRUTH, SHUFFLED, STATIC, System, ground_truth
from mtbench.speech import NoiseSet
from mtbench.statistics import ClusterBootstrap, Number, Ratios, collect_ratios, correlate_chains, summarize
from mtbench.submissions import lag
from mtbench.timing import FPS
from mtbench.work import Progress

#: Families and their strengths, from the least to the worst.
LEVELS: dict[str, tuple[str, tuple[float, ...]]] = {
    "amplitude": ("x", (0.8, 0.6, 0.4, 0.0)),
    "lag": ("ms", (80.0, 160.0, 320.0)),
    "low-pass": ("Hz", (8.0, 4.0, 2.0)),
    "jitter": ("mm", (0.5, 1.0, 2.0)),
}
#: What orders systems; larger is worse.
MEASURES = ("per", "bits")


@dataclass(frozen=True)
class ChainResult:
    """How a recognizer orders degradations of one captured set.

    Attributes
    ----------
    name : str
        Of the set.
    scores : mapping of str to mapping of str to Number
        By system: ``"per"`` in per cent, ``"bits"`` that the face adds to a static one per phone.
    correlations : mapping of str to Number
        By measure: mean over chains of Spearman's correlation with the known order.
    chains : mapping of str to mapping of str to Number
        By measure and family.
    """

    name: str
    scores: Mapping[str, Mapping[str, Number]]
    correlations: Mapping[str, Number]
    chains: Mapping[str, Mapping[str, Number]]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def list_systems() -> tuple[System, ...]:
    """Return the ground truth and its degradations.

    Examples
    --------
    >>> [system.name for system in list_systems()][:5]
    ['ground-truth', 'amplitude-0.8', 'amplitude-0.6', 'amplitude-0.4', 'static']
    """
    systems = [ground_truth()]
    for family, (unit, levels) in LEVELS.items():
        for rank, level in enumerate(levels, start=1):
            name = STATIC if (family, level) == ("amplitude", 0.0) else f"{family}-{level:g}"
            systems.append(System(name, family, level, unit, float(rank), False))
    systems.append(System(SHUFFLED, SHUFFLED, 1.0, "", 1.0, False))
    return tuple(systems)


def order_captured(
    recognizer: Recognizer,
    captured: CapturedSet,
    noises: NoiseSet,
    snr_db: float = NOISY,
    progress: Progress | None = None,
) -> ChainResult:
    """Return how *recognizer* orders degradations of a captured set, with sound in every one of *noises*."""
    systems = list_systems()
    samples = captured.render()
    errors = np.full((len(systems), len(samples)), np.nan)
    told = np.full((len(systems), len(samples)), np.nan)
    with (progress or Progress()).stage("degraded mouths", len(samples)) as advance:
        for column, sample in enumerate(samples):
            others = cut_windows(samples, column, 1)
            faces = {s.name: _degrade(s, sample, captured, others) for s in systems}
            kept = {name: crops for name, crops in faces.items() if crops is not None}
            answers = _ask(recognizer, sample, kept, noises, snr_db)
            for row, system in enumerate(systems):
                if system.name in answers:
                    errors[row, column], told[row, column] = answers[system.name]
            advance()
    static = [s.name for s in systems].index(STATIC)
    lengths = np.array([len(sample.phones) for sample in samples], dtype=np.float64)
    found = {
        "per": collect_ratios(100 * errors, lengths),
        "bits": collect_ratios((told[static] - told) / math.log(2), lengths),
    }
    bootstrap = ClusterBootstrap(tuple(s.language for s in samples), tuple(s.source for s in samples))
    return _collect(captured.name, systems, found, bootstrap)


def _degrade(
    system: System, sample: MouthSample, captured: CapturedSet, others: Sequence[np.ndarray]
) -> np.ndarray | None:
    """Return the mouth crops of one system; None for another mouth where there is none."""
    from mtbench.faces import load_head

    if system.family == GROUND_TRUTH:
        return sample.crops
    if system.name == STATIC:
        return sample.static
    if system.family == SHUFFLED:
        return others[0] if others else None
    head = load_head()
    curves = np.ascontiguousarray(captured.segments[sample.id].curves, np.float32)
    vertices = head.pose(curves, head.neutral)
    if system.family == "amplitude":
        return render_on_head(scale_amplitude(vertices, head.neutral, system.strength))
    if system.family == "lag":
        return render_on_head(lag(vertices, FPS, system.strength / 1000))
    if system.family == "low-pass":
        return render_on_head(low_pass(vertices, FPS, system.strength))
    return render_on_head(jitter(vertices, system.strength, sample.id))


def _ask(
    recognizer: Recognizer,
    sample: MouthSample,
    faces: Mapping[str, np.ndarray],
    noises: NoiseSet,
    snr_db: float,
) -> dict[str, tuple[float, float]]:
    """Return each system's phone errors and the log-probability of what was said, means over noises."""
    conditions = tuple(Condition("av", snr_db, name, ENTRY) for name in noises.names)
    sounds = tuple(sample.hear(noises, name, snr_db) for name in noises.names)
    shown = [Shown(crops, conditions, sounds) for crops in faces.values()]
    answers = ask_about(recognizer, sample, shown)
    n = len(conditions)
    return {
        name: (
            _mean([a.errors for a in answers[i * n : (i + 1) * n]]),
            _mean([a.log_probability for a in answers[i * n : (i + 1) * n]]),
        )
        for i, name in enumerate(faces)
    }


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean([math.nan if v is None else v for v in values]))


def _collect(
    name: str, systems: Sequence[System], found: Mapping[str, Ratios], bootstrap: ClusterBootstrap
) -> ChainResult:
    scores: dict[str, dict[str, Number]] = {system.name: {} for system in systems}
    correlations: dict[str, Number] = {}
    chains: dict[str, dict[str, Number]] = {}
    for measure, ratios in found.items():
        estimates, drawn = bootstrap.estimate(ratios), bootstrap.resample(ratios)
        # Bits are shown as what the face adds, and ordered as what it takes.
        sign, unit = (-1, "bits") if measure == "bits" else (1, "%")
        for row, system in enumerate(systems):
            replicates = None if drawn is None else sign * drawn[:, row]
            scores[system.name][measure] = summarize(sign * estimates[row], replicates, unit)
        known = order_chains(
            systems, ratios.scored, shortest=2, belongs=lambda system: system.family != GROUND_TRUTH
        )
        told = correlate_chains(bootstrap, ratios, known, anchored=True)
        correlations[measure] = told.value
        chains[measure] = {family: part.value for family, part in told.chains.items()}
    return ChainResult(name, scores, correlations, chains)


def format_chains(result: ChainResult) -> str:
    """Return the order of the systems and its correlation with the known one, as Markdown."""
    lines = ["| degraded, both in noise | phone error, % | bits beside a static face |", "|---|---:|---:|"]
    for system, scores in result.scores.items():
        lines.append(f"| {system} | " + " | ".join(_tell(scores[m]) for m in MEASURES) + " |")
    lines += ["", "| Spearman with the known order | phone error | bits |", "|---|---:|---:|"]
    for family in dict.fromkeys(f for told in result.chains.values() for f in told):
        cells = [_tell(result.chains[m][family]) if family in result.chains[m] else "n/a" for m in MEASURES]
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    lines.append("| mean | " + " | ".join(_tell(result.correlations[m]) for m in MEASURES) + " |")
    return "\n".join(lines)


def _tell(number: Number) -> str:
    if number.estimate is None:
        return "n/a"
    # A negative zero is none.
    low_high = () if number.ci95 is None else number.ci95
    value, *ends = (f"{round(x, 2) + 0.0:.2f}" for x in (number.estimate, *low_high))
    return f"{value} [{', '.join(ends)}]" if ends else value
