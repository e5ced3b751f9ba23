"""Data of people that ship: the paper's Tables 2, 3 and 4, by a short name wherever a file is asked for."""

from __future__ import annotations

from pathlib import Path

from mtbench.bundled import data_path
from mtbench.errors import UsageError, did_you_mean
from mtbench.people.judgements import Judgements, read_judgements
from mtbench.people.published_scores import PublishedScores, read_published

#: What there is, by name.
EXAMPLES = {
    "multitalk-table2": "error rates of three systems and printed correlations with people, as published",
    "multitalk-table3": "LVE and AVLR of five systems in English, as published",
    "multitalk-table4": "preferences for MultiTalk over four systems: counts INFERRED from printed percentages",
}


def find_people_file(name: Path | str) -> Path:
    """Return the path of a file of one's own, or of an example that ships.

    Raises
    ------
    UsageError
        Where there is neither.

    Examples
    --------
    >>> find_people_file("multitalk-table4").name
    'multitalk-table4.csv'
    """
    if str(name) in EXAMPLES and not Path(name).exists():
        return data_path("people", f"{name}.csv")
    path = Path(name)
    if not path.exists():
        near = did_you_mean(str(name), EXAMPLES) or f"; examples that ship: {', '.join(EXAMPLES)}"
        raise UsageError(f"{name}: there is no such file{near}")
    return path


def read_example(name: str) -> Judgements | PublishedScores:
    """Return an example that ships.

    Parameters
    ----------
    name : str
        One of :data:`EXAMPLES`.

    Examples
    --------
    >>> read_example("multitalk-table4").counts[3].wins
    64
    """
    if name not in EXAMPLES:
        raise UsageError(
            f"no example {name!r}{did_you_mean(name, EXAMPLES)}; there are {', '.join(EXAMPLES)}"
        )
    path = find_people_file(name)
    return read_judgements([path]) if name.endswith("table4") else read_published(path)
