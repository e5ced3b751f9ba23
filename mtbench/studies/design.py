"""What a listening-and-watching study asks: of whom, how often, about what.

Conventions
-----------
An aspect is what raters judge. The two of the MultiTalk paper, ``lip-sync`` and ``realism``, have their questions in
all twenty languages; another one brings its own question, which is shown as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.errors import UsageError

#: Aspects whose questions are there in every language, and the text that asks each.
KNOWN_ASPECTS = {"lip-sync": "lip_sync", "realism": "realism"}
_ASPECT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LONGEST_QUESTION = 300
_MOST = {"clips": 1000, "raters": 10_000, "trials": 1000, "checks": 20}


@dataclass(frozen=True)
class Aspect:
    """What raters judge.

    Attributes
    ----------
    name : str
        As it stands in the judgements: lower case, digits, hyphens.
    question : str or None
        None for :data:`KNOWN_ASPECTS`, which are asked in the rater's language.
    """

    name: str
    question: str | None = None


@dataclass(frozen=True)
class Design:
    """Settings of a study.

    Attributes
    ----------
    clips : int
        Of each language, drawn from those that every system has.
    raters : int
        Schedules of each language, or over all of them; a rater works through one.
    trials : int
        Most pairs that one rater sees, checks not counted.
    aspects : tuple of Aspect
    ties : bool
        Whether "no difference" may be answered.
    checks : int
        Attention checks among the trials of a rater.
    seed : int
    against : str or None
        The system that all others are compared with; None compares every pair.
    turns : bool
        Whether the two faces speak one after the other, not together.
    mixed : bool
        Whether raters judge clips of all languages, not of one.
    """

    clips: int = 6
    raters: int = 24
    trials: int = 40
    aspects: tuple[Aspect, ...] = (Aspect("lip-sync"), Aspect("realism"))
    ties: bool = True
    checks: int = 2
    seed: int = 1
    against: str | None = None
    turns: bool = False
    mixed: bool = False

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            least = 0 if name == "checks" else 1
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} = {getattr(self, name)}: expected {least} to {most}")
        names = [aspect.name for aspect in self.aspects]
        if not names or len(names) != len(set(names)):
            raise UsageError("aspects: expected at least one, and none twice")


def read_aspects(texts: Sequence[str]) -> tuple[Aspect, ...]:
    """Return aspects as a command line names them: ``lip-sync``, or ``NAME=QUESTION`` for one of one's own.

    Raises
    ------
    UsageError
        For an unknown name without a question, or a name that cannot stand in a table.

    Examples
    --------
    >>> read_aspects(["lip-sync", "warmth=Which face looks friendlier?"])[1].question
    'Which face looks friendlier?'
    """
    found = []
    for text in texts:
        name, _, question = text.partition("=")
        name, question = name.strip(), " ".join(question.split())
        if not _ASPECT.fullmatch(name):
            raise UsageError(
                f"aspect {text[:80]!r}: expected lower-case letters, digits and hyphens, at most 40, and for an aspect "
                "of your own '=' and its question after them"
            )
        if name not in KNOWN_ASPECTS and not question:
            raise UsageError(
                f"aspect {name!r} has no question: known are {', '.join(KNOWN_ASPECTS)}; write "
                f'--aspect "{name}=Which face …?" for one of your own'
            )
        if len(question) > _LONGEST_QUESTION:
            raise UsageError(f"the question about {name!r} has {len(question)} letters, expected at most 300")
        found.append(Aspect(name, question or None))
    return tuple(found)
