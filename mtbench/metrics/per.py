"""Phone error rate: what a recognizer hears and sees before any lexicon.

Conventions
-----------
Phones are IPA symbols, compared as they are: the benchmark and the recognizer must use one inventory.
PER = phone edits / phones of the reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.edits import count_edits
from mtbench.metrics.rates import define_rate


def count_phone_edits(reference: Sequence[str] | None, hypothesis: Sequence[str] | None) -> EditCounts | None:
    """Return the phone edits of one clip, or None where either side has no phones.

    Parameters
    ----------
    reference, hypothesis : sequence of str or None
        IPA symbols. None: the benchmark gives none, or the recognizer knows none.

    Examples
    --------
    >>> count_phone_edits(("p", "a"), ("b", "a")).rate
    0.5
    """
    if reference is None or hypothesis is None:
        return None
    return count_edits(reference, hypothesis)


DEFINES = (
    define_rate(
        "per",
        "phone error rate",
        "phones",
        order=3,
        without=("norm", "lexicon", "dec"),
        definition="(substitutions + deletions + insertions) / phones of the reference",
    ),
)
