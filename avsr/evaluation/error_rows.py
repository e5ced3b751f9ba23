"""From the edits of clips to the rows of an error table.

Conventions
-----------
A language's rate is corpus-level: errors of all its clips over the length of all their references. The rate of
``"all"`` is the plain mean over the languages. A clip without a rate makes its language's unknown, and a language
without one the mean: nothing ever drops out of a mean but languages that the recognizer does not claim to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mtbench.metrics import EditCounts
from mtbench.speech import LANGUAGES

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip

#: The error rates of a row.
RATES = ("per", "wer", "cer")


@dataclass(frozen=True)
class ErrorRow:
    """Errors of a recognizer in one language under one condition.

    Attributes
    ----------
    condition : str
        Name of the condition.
    language : str
        ISO 639-3 code, or ``"all"``.
    per, wer, cer : float or None
        Phone, word and character error as fractions; None where a rate cannot be told.
    n_clips : int
        Number of clips that entered.
    reason : str or None
        Why a rate cannot be told.
    """

    condition: str
    language: str
    per: float | None = None
    wer: float | None = None
    cer: float | None = None
    n_clips: int = 0
    reason: str | None = None

    def rate(self, name: str) -> float | None:
        """Return the rate of that name, one of :data:`RATES`."""
        value: float | None = getattr(self, name)
        return value

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object; a reason is in it where there is one."""
        return {key: value for key, value in asdict(self).items() if key != "reason" or value is not None}


#: Edits of phones, words and characters by name of the rate; None where a clip has no reference phones, or
#: its language no word list.
ClipErrors = dict[str, EditCounts | None]


def make_rows(
    condition: str,
    obstacle: str | None,
    clips: Sequence[Clip],
    found: Mapping[str, Sequence[ClipErrors]],
    recognizer: str,
    lacking: Mapping[str, str] = MappingProxyType({}),
) -> list[ErrorRow]:
    """Return the rows of one condition: the mean over languages, then the languages.

    Parameters
    ----------
    condition : str
        Its name.
    obstacle : str or None
        Why nothing was measured.
    clips : sequence of Clip
        All clips of the condition, measured or not.
    found : mapping of str to sequence of ClipErrors
        By language; languages that the recognizer does not know are absent.
    recognizer : str
        Its name.
    lacking : mapping of str to str
        Languages that the condition should have and that are not at hand, with what to do. There is no mean then, and
        ``"all"`` says so.
    """
    if obstacle is None and not clips:
        obstacle = "no clip in the chosen languages"
    if obstacle is not None:
        return [ErrorRow(condition, "all", reason=obstacle)]
    present = {clip.language for clip in clips} | (lacking.keys() - {"all"})
    order = [*(c for c in LANGUAGES if c in present), *sorted(present - set(LANGUAGES))]
    rows = [
        _pool_language(condition, language, found[language])
        if language in found
        else ErrorRow(
            condition, language, reason=lacking.get(language, f"{recognizer} does not know this language")
        )
        for language in order
    ]
    mean = _average(condition, [row for row in rows if row.language in found], recognizer)
    if lacking:
        mean = ErrorRow(condition, "all", n_clips=mean.n_clips, reason=lacking["all"])
    return [mean, *rows]


def _pool_language(condition: str, language: str, parts: Sequence[ClipErrors]) -> ErrorRow:
    rates = {rate: pool_rate([part[rate] for part in parts]) for rate in RATES}
    missing = []
    if rates["per"] is None:
        missing.append("no reference phones, or a recognizer without phones")
    if rates["wer"] is None:
        missing.append("no word list: make one with 'mtbench benchmark lexicon'")
    return ErrorRow(condition, language, **rates, n_clips=len(parts), reason="; ".join(missing) or None)


def _average(condition: str, known: Sequence[ErrorRow], recognizer: str) -> ErrorRow:
    """Return the mean over the languages that the recognizer knows."""
    if not known:
        return ErrorRow(condition, "all", reason=f"{recognizer} knows none of the languages")
    means: dict[str, float | None] = {}
    for rate in RATES:
        values = [row.rate(rate) for row in known]
        told = [value for value in values if value is not None]
        means[rate] = sum(told) / len(told) if len(told) == len(values) else None
    lacking = [name for rate, name in (("per", "a phone"), ("wer", "a word")) if means[rate] is None]
    reason = f"not all languages have {' and '.join(lacking)} error" if lacking else None
    return ErrorRow(condition, "all", **means, n_clips=sum(row.n_clips for row in known), reason=reason)


def pool_rate(parts: Sequence[EditCounts | None]) -> float | None:
    """Return the corpus-level rate, or None where a clip has none: no clip ever drops out.

    Examples
    --------
    >>> pool_rate([EditCounts(8, 2, 0, 0), EditCounts(1, 1, 0, 3)])
    0.5
    """
    errors = length = 0
    for part in parts:
        if part is None:
            return None
        errors += part.errors
        length += part.reference_length
    return errors / max(1, length)
