"""Which rater sees which pair of systems speak which clip, in which order and on which side.

Conventions
-----------
An item is a pair of faces that speak one clip. Items of a group (the clips of a language, or of all) stand in a circle
in which pairs take turns and clips move on; a schedule takes the next ones of it, so that over all schedules every item
is shown equally often, but for one. A later showing of an item has its faces on the other sides, and neighbors of one
pair in the circle have them on opposite sides: over all raters an item's sides differ by one showing at most, over
the trials of one rater a pair's by two.

What is drawn is drawn by sorting digests of seed and label: equal on every machine and in every version of Python and
NumPy.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from mtbench.errors import UsageError, did_you_mean
from mtbench.studies.design import Design

#: Of an item: counted, not counted, with a right answer.
Kind = Literal["pair", "practice", "check"]
#: The group of clips of all languages.
MIXED = "mul"
#: Face of a check that moves, and the one that does not.
MOVING, STILL = "check-moving", "check-still"
Word = TypeVar("Word", str, int)


@dataclass(frozen=True)
class Item:
    """Two faces that speak one clip.

    Attributes
    ----------
    kind : str
        ``"pair"``, ``"practice"`` or ``"check"``; of a check, *a* is the right answer.
    clip : str
        Id.
    a, b : str
        Systems, or :data:`MOVING` and :data:`STILL`.
    """

    kind: Kind
    clip: str
    a: str
    b: str


@dataclass(frozen=True)
class Showing:
    """An item before a rater: whether *b* is face 1."""

    item: Item
    swapped: bool


@dataclass(frozen=True)
class Group:
    """The schedules over the clips of one language, or of all.

    Attributes
    ----------
    name : str
        ISO 639-3, or :data:`MIXED`.
    schedules : tuple of tuple of Showing
        Each begins with the practice; see the module's text.
    """

    name: str
    schedules: tuple[tuple[Showing, ...], ...]


def draw_order(items: Iterable[Word], *labels: object) -> list[Word]:
    """Return *items* in an order that follows from the labels alone.

    Examples
    --------
    >>> draw_order("abcdef", "seed", 1)
    ['e', 'c', 'b', 'a', 'f', 'd']
    """
    return sorted(items, key=lambda item: _digest(*labels, item))


def draw_fraction(*labels: object) -> float:
    """Return a number in 0..1 that follows from the labels alone."""
    return int.from_bytes(_digest(*labels)[:6]) / 2**48


def list_pairs(systems: Sequence[str], against: str | None = None) -> list[tuple[str, str]]:
    """Return every pair of *systems*, or those with *against*, in the order given.

    Raises
    ------
    UsageError
        For fewer than two systems, equal names, or an unknown one.

    Examples
    --------
    >>> list_pairs(["A", "B", "C"]), list_pairs(["A", "B", "C"], "B")
    ([('A', 'B'), ('A', 'C'), ('B', 'C')], [('B', 'A'), ('B', 'C')])
    """
    if len(systems) < 2:
        raise UsageError(f"{len(systems)} system(s): a study compares at least two submissions")
    double = sorted({name for name in systems if systems.count(name) > 1})
    if double:
        raise UsageError(
            f"several submissions are called {', '.join(map(repr, double))}: judgements tell systems apart by "
            'name; give each a name of its own in its submission.toml (system = "…")'
        )
    if against is None:
        return [(a, b) for index, a in enumerate(systems) for b in systems[index + 1 :]]
    if against not in systems:
        raise UsageError(
            f"--against {against!r}: no submission has that name{did_you_mean(against, systems)}"
        )
    return [(against, other) for other in systems if other != against]


def plan_groups(
    design: Design, pairs: Sequence[tuple[str, str]], clips: Mapping[str, Sequence[str]]
) -> list[Group]:
    """Return the schedules of a study.

    Parameters
    ----------
    design : Design
    pairs : sequence of (str, str)
        From :func:`list_pairs`.
    clips : mapping of str to sequence of str
        Ids of the clips that all systems have, by language.

    Returns
    -------
    list of Group
        One a language, or one over all with ``design.mixed``.

    Raises
    ------
    UsageError
        Where a language has no clip.
    """
    empty = [language for language, ids in clips.items() if not ids]
    if empty or not clips:
        raise UsageError(f"no clip of {', '.join(empty) or 'any language'} is there of every system")
    drawn = {lang: draw_order(ids, design.seed, "clips", lang) for lang, ids in clips.items()}
    used = {lang: ids[: design.clips] for lang, ids in drawn.items()}
    spare = {lang: ids[design.clips :] or ids[::-1] for lang, ids in drawn.items()}
    if design.mixed:
        used, spare = {MIXED: _take_turns(used)}, {MIXED: _take_turns(spare)}
    return [_plan_group(design, name, pairs, used[name], spare[name]) for name in used]


def _plan_group(
    design: Design, name: str, pairs: Sequence[tuple[str, str]], clips: Sequence[str], spare: Sequence[str]
) -> Group:
    n_clips, n_pairs = len(clips), len(pairs)
    circle = [
        (Item("pair", clips[(row + column) % n_clips], *pairs[column]), (row + column) % 2 == 1)
        for row in range(n_clips)
        for column in range(n_pairs)
    ]
    practice = Item("practice", spare[0], *pairs[0])
    checks = [Item("check", clip, MOVING, STILL) for clip in spare[-max(1, design.checks) :]]
    length = min(design.trials, len(circle))
    schedules = []
    for number in range(design.raters):
        labels = (design.seed, name, number)
        showings = []
        for place in draw_order(range(number * length, (number + 1) * length), *labels, "order"):
            item, odd = circle[place % len(circle)]
            showings.append(Showing(item, odd ^ (place // len(circle) % 2 == 1)))
        showings = _part_clips(showings)
        for index in reversed(range(design.checks)):  # from the end on: places before stay what they are
            within = (index + 0.2 + 0.6 * draw_fraction(*labels, "check", index)) / design.checks
            check = checks[(index + number) % len(checks)]
            showings.insert(max(1, int(within * length)), Showing(check, (index + number) % 2 == 1))
        schedules.append((Showing(practice, number % 2 == 1), *showings))
    return Group(name, tuple(schedules))


def _part_clips(showings: list[Showing]) -> list[Showing]:
    """Return *showings* with no clip twice in a row where that can be had, else in the order given."""
    left, parted = list(showings), list[Showing]()
    while left:
        counts = Counter(showing.item.clip for showing in left)
        last = parted[-1].item.clip if parted else None
        free = [showing for showing in left if showing.item.clip != last]
        # A clip of more than half of what is left has to come now, or it stands beside itself at the end.
        pressing = [showing for showing in free if 2 * counts[showing.item.clip] > len(left)]
        chosen = (pressing or free or left)[0]
        left.remove(chosen)
        parted.append(chosen)
    return parted


def _take_turns(clips: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the clips of all languages, one of each after the other."""
    longest = max(map(len, clips.values()))
    return [ids[index] for index in range(longest) for ids in clips.values() if index < len(ids)]


def _digest(*labels: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, labels)).encode(), digest_size=16).digest()
