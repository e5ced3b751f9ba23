"""The clips of an entry that were read worst and best, with what was recognized beside what was said.

Conventions
-----------
A clip's error is that of the headline rate under the condition that clips are shown under
(:func:`mtbench.leaderboard.ranks.choose_heard`), all noises together. Alignments are those that errors are counted by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from mtbench.leaderboard.site.sections import Entry
from mtbench.metrics import EditCounts
from mtbench.results import RATES as RATE_NAMES
from mtbench.results import AlignedUnit, RecognitionRow, align_row
from mtbench.speech import headline_rate

#: Clips that are shown of each.
SHOWN = 5


@dataclass(frozen=True)
class ShownClip:
    """A clip with what was recognized of it.

    Attributes
    ----------
    clip, language : str
    error : float
        Per cent.
    rate : str
        ``"WER"`` or ``"CER"``.
    lines : tuple of (str, Markup)
        Noise (``""`` without), and the aligned texts.
    viewer : str or None
        Where it can be looked at, relative to the entry's page.
    """

    clip: str
    language: str
    error: float
    rate: str
    lines: tuple[tuple[str, Markup], ...]
    viewer: str | None


def choose_clips(entry: Entry, most: int = SHOWN) -> tuple[list[ShownClip], list[ShownClip]]:
    """Return the worst and the best clips of an entry, at most *most* of each; of few clips, each is shown once."""
    found: dict[str, list[RecognitionRow]] = {}
    for row in entry.rows or ():
        if isinstance(row, RecognitionRow) and row.words is not None and row.chars is not None:
            found.setdefault(row.clip, []).append(row)
    rated = sorted((-_error(entry, rows), clip) for clip, rows in found.items())
    some = min(most, (len(rated) + 1) // 2)
    worst = [_show(entry, found[clip], -error) for error, clip in rated[:some]]
    rest = sorted((-error, clip) for error, clip in rated[some:])[:most]
    return worst, [_show(entry, found[clip], error) for error, clip in rest]


def _rate_of(entry: Entry, language: str) -> str:
    own = entry.run.averaging.rate
    return headline_rate(language) if own == RATE_NAMES[0] else own


def _error(entry: Entry, rows: Sequence[RecognitionRow]) -> float:
    counts = [row.chars if _rate_of(entry, row.language) == "cer" else row.words for row in rows]
    total = EditCounts(0, 0, 0, 0)
    for count in counts:
        assert count is not None
        total = total + count
    return 100 * total.rate


def _show(entry: Entry, rows: Sequence[RecognitionRow], error: float) -> ShownClip:
    first = rows[0]
    rate = _rate_of(entry, first.language)
    normalizer = str(entry.run.settings.get("normalizer") or "uni-v1")
    lines = tuple(
        (
            row.noise or "",
            mark_units(align_row(row, rate, normalizer) or (), "<wbr>" if rate == "cer" else " "),
        )
        for row in sorted(rows, key=lambda row: row.noise or "")
    )
    address = entry.viewers.get(first.clip)
    viewer = None if address is None else f"../{address}"
    return ShownClip(first.clip, first.language, error, rate.upper(), lines, viewer)


def mark_units(units: Sequence[AlignedUnit], between: str) -> Markup:
    """Return aligned units as HTML: what was left out struck through, what was added underlined.

    Examples
    --------
    >>> from mtbench.results import align_units
    >>> print(mark_units(align_units(["a", "b"], ["a", "c"]), " "))
    a <span class="swap"><del>b</del>→<ins>c</ins></span>
    """
    parts = []
    for unit in units:
        if unit.kind == "hit":
            parts.append(escape(unit.said))
        elif unit.kind == "deletion":
            parts.append(Markup("<del>{}</del>").format(unit.said))
        elif unit.kind == "insertion":
            parts.append(Markup("<ins>+{}</ins>").format(unit.heard))
        else:
            mark = Markup('<span class="swap"><del>{}</del>→<ins>{}</ins></span>')
            parts.append(mark.format(unit.said, unit.heard))
    return Markup(between).join(parts)
