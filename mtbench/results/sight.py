"""The guard on the motion: whether a recognizer reads the mouths of a benchmark at all.

A recognizer that knows nothing of a kind of motion rewards a face for not moving. So a score asks first, on clips whose
ground truth is known, whether the true mouth helps more than one that does not move, and more than that of another
clip; everything that shows the recognizer's numbers says so where it does not.

Conventions
-----------
Errors are phones, or words where there are no phones, in per cent over the clips that were looked at; differences are
in points. What was counted is said with every verdict: reference phones, those that a speech engine reads from the
transcripts, or words. *Rank*: the place of the true motion among other clips' by the probability of what was said,
picture only, as a percentile: 50 is chance. The motion is read where, with sound in noise, both the static and the
other mouths are worse than the true one, and where without sound the rank is above chance (the error is less, for a
recognizer that tells no probabilities); each with its whole 95 % interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from mtbench.speech import display_name
from mtbench.statistics import Number

#: Codes of the warnings of this module in results.
NOT_READ, NOT_TOLD = "motion-not-read", "motion-unchecked"
#: What has to lie above a bound with its whole interval, and how it is called in messages.
_CLAIMS = {
    "static-true": (0.0, "a static mouth is worse than the true one by {} points of error"),
    "shuffled-true": (0.0, "the mouth of another clip by {} points"),
    "percentile": (
        50.0,
        "by what was said, picture only, the true motion stands at percentile {} of others (chance 50)",
    ),
    "v.shuffled-true": (0.0, "without sound the mouth of another clip is worse by {} points"),
}


@dataclass(frozen=True)
class Sight:
    """Whether a recognizer reads a benchmark's ground truth.

    Attributes
    ----------
    recognizer : str
        Name.
    n_clips : int
        Clips that were looked at.
    condition : str or None
        What was heard with the mouths, as tables name it; None where nothing was looked at.
    counted : str or None
        What errors are errors of: ``"phones"``, ``"phones that espeak-ng 1.52.0 reads from the transcripts"``,
        ``"words"``; None where nothing was counted.
    numbers : mapping of str to Number
        ``true``, ``static``, ``shuffled``: errors with sound, per cent; ``static-true``, ``shuffled-true``: points;
        ``v.true``, ``v.shuffled``, ``v.shuffled-true``: without sound; ``first``, ``percentile``: the rank.
    reason : str or None
        Why it cannot be told.
    left_out : tuple of str
        ISO 639-3 codes of languages that the recognizer knows and no clip of which was looked at, though there is
        ground truth: the verdict says nothing of them.
    """

    recognizer: str
    n_clips: int
    condition: str | None
    counted: str | None
    numbers: Mapping[str, Number]
    reason: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the numbers that the verdict follows from."""
        ranked = "percentile" in self.numbers and self.numbers["percentile"].estimate is not None
        return ("static-true", "shuffled-true", "percentile" if ranked else "v.shuffled-true")

    @property
    def reads(self) -> bool | None:
        """Whether the true motion beats its controls; None where it cannot be told."""
        if self.reason is not None:
            return None
        found = [(self.numbers[name], _CLAIMS[name][0]) for name in self.claims]
        return all(number.ci95 is not None and number.ci95[0] > bound for number, bound in found)

    def describe(self) -> str:
        """Return what was found as a sentence without its end, for notes."""
        if self.reason is not None:
            return f"whether {self.recognizer} reads this motion was not looked at: {self.reason}"
        told = "; ".join(_CLAIMS[name][1].format(_tell(self.numbers[name])) for name in self.claims)
        without = f"; none in {', '.join(map(display_name, self.left_out))}" if self.left_out else ""
        shown = (
            f"the ground truth of {self.n_clips} clips ({self.condition}; counted: {self.counted}{without})"
        )
        return f"{self.recognizer} on {shown}: {told}"

    def warn(self) -> str | None:
        """Return what a reader has to know, None where the motion is read."""
        if self.reads is None:
            return f"{self.describe()}; its AVLR here may reward a face that does not move"
        if self.reads:
            return None
        return (
            f"{self.describe()}: this recognizer cannot read this motion, and its AVLR here may reward a face that "
            "does not move; by its error rates no entry is better than another"
        )

    @property
    def code(self) -> str:
        """Code of the warning."""
        return NOT_TOLD if self.reads is None else NOT_READ

    def to_json(self) -> dict[str, Any]:
        """Return the value as a JSON object, with ``reads``; numbers by their names, wherever they are from."""
        told = asdict(self)
        return {**told, "numbers": dict(sorted(told["numbers"].items())), "reads": self.reads}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sight:
        """Return what :meth:`to_json` wrote."""
        numbers = {
            name: Number(one["estimate"], None if one["ci95"] is None else tuple(one["ci95"]), one["unit"])
            for name, one in data["numbers"].items()
        }
        told = {key: data[key] for key in ("recognizer", "n_clips", "condition", "counted", "reason")}
        return cls(**told, numbers=numbers, left_out=tuple(data.get("left_out", ())))


class NumberRef(BaseModel):
    """An estimate with its 95 % interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    estimate: float | None
    ci95: tuple[float, float] | None
    unit: str


class SightRef(BaseModel):
    """In ``run.json``: whether the recognizer reads the benchmark's true mouths, see :class:`Sight`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recognizer: str
    n_clips: int
    condition: str | None
    counted: str | None = None
    numbers: dict[str, NumberRef]
    reason: str | None
    left_out: tuple[str, ...] = ()
    reads: bool | None


def _tell(number: Number) -> str:
    if number.estimate is None:
        return "n/a"
    low, high = number.ci95 or (number.estimate, number.estimate)
    return f"{number.estimate:.1f} [{low:.1f}, {high:.1f}]"
