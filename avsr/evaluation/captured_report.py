"""What a recognizer reads of people's mouths, for readers: Markdown and JSON by set and by viseme class.

Conventions
-----------
Errors are phones in per cent, differences in points, brackets hold 95 % intervals over segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mtbench.avsr.evaluation.captured_sets import CapturedSet
from mtbench.avsr.evaluation.conditions import TRUTH
from mtbench.avsr.evaluation.mouth_answers import SHUFFLED, Answer
from mtbench.avsr.evaluation.mouth_measures import SEEN, SetMeasures
from mtbench.conditions import STATIC
from mtbench.statistics import Number


@dataclass(frozen=True)
class CapturedResult:
    """One captured set as a recognizer read it.

    Attributes
    ----------
    captured : CapturedSet
    measures : SetMeasures
    answers : tuple of Answer
    snr_db : float
        Ratio of the noisy conditions, decibels.
    noises : tuple of str
    """

    captured: CapturedSet
    measures: SetMeasures
    answers: tuple[Answer, ...]
    snr_db: float
    noises: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the measures and every answer that they follow from."""
        return {
            "split": self.captured.split,
            "recordings": list(self.captured.recordings),
            "snr_db": self.snr_db,
            "noises": list(self.noises),
            **self.measures.to_json(),
            "answers": [answer.to_json() for answer in self.answers],
        }


def format_result(result: CapturedResult) -> str:
    """Return one set's numbers as Markdown."""
    m = result.measures
    captured = result.captured
    named = ", ".join(captured.recordings)
    head = (
        f"### {m.name}\n\n{m.samples} segments, {m.seconds:.0f} s, {m.phones} phones ({captured.split}: {named}); "
        f"{m.recognizer}; in noise: {', '.join(result.noises)} at {result.snr_db:g} dB."
    )
    heard = f"Sound alone: clean {_tell(m.numbers['a-clean'])}, in noise {_tell(m.numbers['a-noisy'])}."
    return "\n\n".join([head, _format_errors(m), heard, _format_rank(m), _format_recall(m)])


def _format_errors(m: SetMeasures) -> str:
    titles = {"v": "picture only", "av-noisy": "both, in noise", "av-clean": "both, clean"}
    heads = ("phone error, %", "true", "shuffled", "static", "shuffled − true", "static − true")
    columns = (TRUTH, SHUFFLED, STATIC, f"{SHUFFLED}-{TRUTH}", f"{STATIC}-{TRUTH}")
    lines = [_row(heads), "|---|" + "---:|" * 5]
    lines += [
        _row([titles[kind], *(_tell(m.numbers[f"{kind}.{column}"]) for column in columns)]) for kind in SEEN
    ]
    lines += ["", _row(["log-probability of a phone", "true − shuffled, nats", "true − static, bits"])]
    lines += ["|---|---:|---:|"]
    for kind in SEEN:
        margin, bits = (_tell(m.numbers[f"{kind}.{name}"], 2) for name in ("margin", "bits"))
        lines.append(_row([titles[kind], margin, bits]))
    return "\n".join(lines)


def _format_rank(m: SetMeasures) -> str:
    if m.numbers["v.first"].estimate is None:
        return "Rank of the true motion: not told; no probabilities, or no other motion to compare with."
    among = m.windows + 1
    return (
        f"Rank of the true motion among {among:.3g} by log-probability, picture only: first in "
        f"{_tell(m.numbers['v.first'])} % of the segments (chance {100 / among:.1f}), percentile "
        f"{_tell(m.numbers['v.percentile'])} (chance 50)."
    )


def _format_recall(m: SetMeasures) -> str:
    lines = [_row(["recall, %, picture only", *m.recall]), "|---|" + "---:|" * len(m.recall)]
    told = {c: f"{_tell(faces[TRUTH])} ({m.counts[c][0]}/{m.counts[c][1]})" for c, faces in m.recall.items()}
    lines.append(_row(["true", *told.values()]))
    lines.append(_row([SHUFFLED, *(_tell(faces[SHUFFLED]) for faces in m.recall.values())]))
    return "\n".join(lines)


def format_results(results: Sequence[CapturedResult]) -> str:
    """Return all sets' numbers as Markdown, one after the other."""
    return "\n\n".join(format_result(result) for result in results)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _tell(number: Number, digits: int = 1) -> str:
    if number.estimate is None:
        return "n/a"
    # A negative zero is none.
    low_high = () if number.ci95 is None else number.ci95
    value, *ends = (f"{round(x, digits) + 0.0:.{digits}f}" for x in (number.estimate, *low_high))
    return f"{value} [{', '.join(ends)}]" if ends else value
