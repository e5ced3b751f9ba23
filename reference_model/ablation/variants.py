"""The variants of an ablation, and which are compared with which.

Conventions
-----------
Marks (a), (b) and (c) are those of the paper's Table 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.errors import UsageError
from mtbench.reference_model.conditioning import find_language


@dataclass(frozen=True)
class Variant:
    """A column of the table: ``key`` in files, ``mark`` in headings, ``title`` for people."""

    key: str
    mark: str
    title: str


FULL = Variant("full", "(c)", "full")
NO_LANGUAGE = Variant("no-language", "(a)", "without the language embedding")
ENGLISH = Variant("english-encoder", "(b)", "English-only speech encoder")
MATCHED = Variant("matched-encoder", "(b′)", "speech encoder of all languages, trained as that of (b)")
SWAPPED = Variant("swapped-labels", "(c×)", "full, with swapped language labels at inference")
#: In the table's order.
VARIANTS = (NO_LANGUAGE, ENGLISH, MATCHED, FULL, SWAPPED)
#: What is compared: reference, variant.
PAIRS = ((FULL, NO_LANGUAGE), (FULL, ENGLISH), (MATCHED, ENGLISH), (FULL, SWAPPED))


def swap_labels(known: Sequence[str], codes: Sequence[str]) -> dict[str, str]:
    """Return, for each language of a benchmark, the other language whose label its clips get.

    A model's languages stand in a circle, and each gets the label of the one halfway round: with twenty, Arabic gets
    Italian's and Italian Arabic's. No language keeps its own, and none is given twice.

    Parameters
    ----------
    known : sequence of str
        The model's languages in their order.
    codes : sequence of str
        ISO 639-3 codes of the clips; those that the model does not know are left out.

    Raises
    ------
    UsageError
        With fewer than two languages.

    Examples
    --------
    >>> swap_labels(("ara", "cat", "hrv"), ("hrv", "ara"))
    {'hrv': 'ara', 'ara': 'cat'}
    """
    known = tuple(known)
    if len(known) < 2:
        raise UsageError(f"{len(known)} language: there is no other one to swap its label with")
    other = {name: known[(i + len(known) // 2) % len(known)] for i, name in enumerate(known)}
    own = {code: find_language(code, known) for code in codes}
    return {code: other[name] for code, name in own.items() if name is not None}
