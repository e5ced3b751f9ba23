"""From the edits of clips to the rows of an error table.

Conventions
-----------
A language's rate is corpus-level: errors of all its clips over the length of all their references. The rate of
``"all"`` is the plain mean over the languages. A clip without a rate makes its language's unknown, and a language
without one the mean: nothing ever drops out of a mean but languages that the recognizer does not claim to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mtbench.metrics import EditCounts
from mtbench.speech import LANGUAGES

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip

#: ``{condition, language ("all" or ISO code), per, wer, cer, n_clips}``, and ``reason`` where a rate is None.
Row = dict[str, Any]
#: The error rates of a row.
RATES = ("per", "wer", "cer")
#: Edits of phones, words and characters by name of the rate; None where a clip has no reference phones, or
#: its language no word list.
ClipErrors = dict[str, EditCounts | None]


def make_rows(
    condition: str,
    obstacle: str | None,
    clips: Sequence[Clip],
    found: Mapping[str, Sequence[ClipErrors]],
    recognizer: str,
) -> list[Row]:
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
    """
    nothing = dict.fromkeys(RATES)
    if obstacle is None and not clips:
        obstacle = "no clip in the chosen languages"
    if obstacle is not None:
        return [{"condition": condition, "language": "all", **nothing, "n_clips": 0, "reason": obstacle}]
    present = {clip.language for clip in clips}
    rows: list[Row] = []
    for language in [*(c for c in LANGUAGES if c in present), *sorted(present - set(LANGUAGES))]:
        row: Row = {"condition": condition, "language": language, **nothing, "n_clips": 0}
        if language in found:
            row.update({rate: pool_rate([e[rate] for e in found[language]]) for rate in RATES})
            row["n_clips"] = len(found[language])
            missing = []
            if row["per"] is None:
                missing.append("no reference phones, or a recognizer without phones")
            if row["wer"] is None:
                missing.append("no word list: make one with 'mtbench benchmark lexicon'")
            if missing:
                row["reason"] = "; ".join(missing)
        else:
            row["reason"] = f"{recognizer} does not know this language"
        rows.append(row)
    known = [row for row in rows if row["language"] in found]
    total: Row = {"condition": condition, "language": "all", **nothing, "n_clips": 0}
    if not known:
        return [{**total, "reason": f"{recognizer} knows none of the languages"}, *rows]
    total["n_clips"] = sum(row["n_clips"] for row in known)
    for rate in RATES:
        values = [row[rate] for row in known]
        total[rate] = None if None in values else sum(values) / len(values)
    lacking = [name for rate, name in (("per", "a phone"), ("wer", "a word")) if total[rate] is None]
    if lacking:
        total["reason"] = f"not all languages have {' and '.join(lacking)} error"
    return [total, *rows]


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
