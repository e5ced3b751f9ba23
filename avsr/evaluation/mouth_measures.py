"""From a recognizer's answers to numbers with intervals: whether it reads a motion, and what of it.

Conventions
-----------
Errors are those of all samples over all phones, in per cent; differences are in points, so that more is better: by how
much a wrong or a still mouth is worse than the true one. Noises and windows of a sample are averaged before anything
is summed. Intervals are of the bootstrap over sources (:mod:`mtbench.statistics`). *Rank*: the log-probability of what
was said, with the true mouth among windows of others, picture only; ``v.first`` is the share of samples where it is
the largest, ``v.percentile`` the mean share of windows that it exceeds, ties counting half: 50 where nothing is read.
``.margin`` is by how many natural units a phone is more probable with the true mouth than with the windows, ``.bits``
by how many bits more than with a static one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtbench.avsr.evaluation.conditions import TRUTH
from mtbench.avsr.evaluation.mouth_answers import SHUFFLED, Answer
from mtbench.avsr.evaluation.mouth_samples import MouthSample
from mtbench.avsr.evaluation.viseme_recall import LIP_CLASSES, count_recalled
from mtbench.conditions import STATIC
from mtbench.statistics import Number, bootstrap_sums, summarize

#: Kinds of conditions with a face, in the order of tables.
SEEN = ("v", "av-noisy", "av-clean")
_FACES = (TRUTH, SHUFFLED, STATIC)
#: A value and what it is divided by.
Share = tuple[float, float]
_NOTHING: Share = (0.0, 0.0)


@dataclass(frozen=True)
class SetMeasures:
    """How well a recognizer reads one set of samples.

    Attributes
    ----------
    name : str
    recognizer : str
        Name and digest.
    samples, phones : int
        How many were shown.
    seconds : float
    windows : float
        Other mouths that the true one was ranked among, on average.
    numbers : mapping of str to Number
        ``v.truth``, ``v.shuffled-truth``, ``v.first``, ``av-noisy.static-truth`` and so on; None as an estimate where
        the recognizer has no phones or tells no probabilities.
    recall : mapping of str to mapping of str to Number
        By viseme class: ``"truth"`` and ``"shuffled"``, picture only, per cent.
    counts : mapping of str to (int, int)
        By viseme class: recognized with the true mouth, and said.
    """

    name: str
    recognizer: str
    samples: int
    phones: int
    seconds: float
    windows: float
    numbers: Mapping[str, Number]
    recall: Mapping[str, Mapping[str, Number]]
    counts: Mapping[str, tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def measure_answers(
    name: str, recognizer: str, samples: Sequence[MouthSample], answers: Sequence[Answer]
) -> SetMeasures:
    """Return the numbers of one set.

    Parameters
    ----------
    name, recognizer : str
    samples : sequence of MouthSample
        Those that were shown, and perhaps others.
    answers : sequence of Answer
        What :func:`mtbench.avsr.evaluation.mouth_answers.show_samples` returned.
    """
    by_sample: dict[str, list[Answer]] = {}
    for answer in answers:
        by_sample.setdefault(answer.sample, []).append(answer)
    asked = [s for s in samples if s.id in by_sample]
    shares = [_count(by_sample[sample.id]) for sample in asked]
    recalled = [_recall(sample, by_sample[sample.id]) for sample in asked]
    sources = [sample.source for sample in asked]
    numbers = _estimate(shares, sources, name)
    seen = _estimate(recalled, sources, name)
    windows = sum(a.condition.name == "v" and a.condition.face == SHUFFLED for a in answers)
    return SetMeasures(
        name=name,
        recognizer=recognizer,
        samples=len(asked),
        phones=sum(len(s.phones) for s in asked),
        seconds=sum(len(s.sound) for s in asked) / 16_000,
        windows=windows / max(1, len(asked)),
        numbers=numbers,
        recall={c: {face: seen[f"{c}.{face}"] for face in (TRUTH, SHUFFLED)} for c in LIP_CLASSES},
        counts={c: _sum_counts([r[f"{c}.{TRUTH}"] for r in recalled]) for c in LIP_CLASSES},
    )


def _sum_counts(parts: Sequence[Share]) -> tuple[int, int]:
    return round(sum(p[0] for p in parts) / 100), round(sum(p[1] for p in parts))


def _count(answers: Sequence[Answer]) -> dict[str, Share]:
    """Return one sample's share of every number."""
    out: dict[str, Share] = {}
    n = float(next((a.length for a in answers if a.length is not None), 0))
    tokens = float(next((a.tokens for a in answers if a.tokens is not None), 0))
    for kind in ("a-clean", "a-noisy"):
        out[kind] = _share(_mean_errors(answers, kind, None), n, 100)
    for kind in SEEN:
        errors = {face: _mean_errors(answers, kind, face) for face in _FACES}
        for face in _FACES:
            out[f"{kind}.{face}"] = _share(errors[face], n, 100)
        for face in (SHUFFLED, STATIC):
            out[f"{kind}.{face}-{TRUTH}"] = _share(_subtract(errors[face], errors[TRUTH]), n, 100)
        told = {face: _mean_probability(answers, kind, face) for face in _FACES}
        out[f"{kind}.margin"] = _share(_subtract(told[TRUTH], told[SHUFFLED]), tokens, 1)
        out[f"{kind}.bits"] = _share(_subtract(told[TRUTH], told[STATIC]), tokens, 1 / math.log(2))
    out["v.first"], out["v.percentile"] = _rank(answers)
    return out


def _share(value: float | None, length: float, scale: float) -> Share:
    return (math.nan, length) if value is None else (scale * value, length)


def _subtract(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _kind(answer: Answer) -> str:
    """Return the kind of condition, whatever the noise and the ratio."""
    condition = answer.condition
    if not condition.hears:
        return "v"
    return f"{condition.modality}-{'noisy' if condition.is_noisy else 'clean'}"


def _pick(answers: Sequence[Answer], kind: str, face: str | None) -> list[Answer]:
    return [a for a in answers if _kind(a) == kind and a.condition.face == face]


def _mean_errors(answers: Sequence[Answer], kind: str, face: str | None) -> float | None:
    return _mean([a.errors for a in _pick(answers, kind, face)])


def _mean_probability(answers: Sequence[Answer], kind: str, face: str | None) -> float | None:
    return _mean([a.log_probability for a in _pick(answers, kind, face)])


def _mean(values: Sequence[float | None]) -> float | None:
    told = [v for v in values if v is not None]
    return sum(told) / len(told) if told and len(told) == len(values) else None


def _rank(answers: Sequence[Answer]) -> tuple[Share, Share]:
    """Return whether the true mouth comes first, and the share of windows that it exceeds, in per cent."""
    true = _mean_probability(answers, "v", TRUTH)
    others = [a.log_probability for a in _pick(answers, "v", SHUFFLED)]
    told = [v for v in others if v is not None]
    if true is None or not told:
        return _NOTHING, _NOTHING
    beaten = sum(1.0 if true > v else 0.5 if true == v else 0.0 for v in told)
    return (100.0 * all(true > v for v in told), 1.0), (100.0 * beaten / len(told), 1.0)


def _recall(sample: MouthSample, answers: Sequence[Answer]) -> dict[str, Share]:
    out: dict[str, Share] = {}
    for face in (TRUTH, SHUFFLED):
        shown = [a.phones for a in _pick(answers, "v", face) if a.phones is not None]
        parts = [count_recalled(sample.phones, phones) for phones in shown]
        for name in LIP_CLASSES:
            right = sum(part[name][0] for part in parts) / max(1, len(parts))
            out[f"{name}.{face}"] = (100 * right, float(parts[0][name][1])) if parts else _NOTHING
    return out


def _estimate(shares: Sequence[Mapping[str, Share]], sources: Sequence[str], name: str) -> dict[str, Number]:
    """Return ratios of sums with their intervals; a number that a sample lacks does not exist."""
    keys = list(shares[0]) if shares else []
    if not keys:
        return {}
    values = np.array([[x for key in keys for x in one[key]] for one in shares])
    drawn = bootstrap_sums(values, sources, name=name)

    def divide(sums: np.ndarray) -> np.ndarray:
        over = sums[..., 1::2]
        return np.where(over > 0, sums[..., ::2] / np.where(over > 0, over, 1.0), np.nan)

    estimates = divide(values.sum(axis=0))
    replicates = None if drawn is None else divide(drawn)
    out = {}
    for i, key in enumerate(keys):
        samples = None if replicates is None else replicates[:, i]
        out[key] = summarize(float(estimates[i]), samples, _unit(key))
    return out


def _unit(key: str) -> str:
    if key.endswith((".margin", ".bits")):
        return "nats" if key.endswith(".margin") else "bits"
    return "points" if key.endswith(f"-{TRUTH}") else "%"
