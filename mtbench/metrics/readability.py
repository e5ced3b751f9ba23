"""Readability bits: how much more probable a face makes what was said than a face that does not move.

Conventions
-----------
With P the probability of the reference to the recognizer, same clip, same sound, same noise:

    readability_bits = sum over clips of log2 (P with the entry's face / P with a static face) / number of tokens

Tokens are the phones of the bundled recognizer, or those of a decoder. No search, word list or normalizer enters.
Errors end at 100 %, which faces that are hardly readable and faces that mislead both reach; bits go on: none is said by
a face that tells nothing, and fewer than none by one that makes the recognizer believe something else.
"""

from __future__ import annotations

import math

from mtbench.metrics.base import Cell, CountedRow, RecognitionMetric

#: By how much a sum of probabilities may end above 1, as a logarithm.
LOG_ROUNDING = 1e-6
#: Natural units in a bit.
_PER_BIT = math.log(2)


def difference_of_logs(row: CountedRow, static: CountedRow | None) -> Cell:
    """Return by how many natural units the entry's face makes the reference more probable, and the number of tokens.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> row = SimpleNamespace(log_probability=-8.0, tokens=10, reason=None)
    >>> difference_of_logs(row, SimpleNamespace(log_probability=-20.0, tokens=10, reason=None))
    (12.0, 10.0)
    """
    if static is None:
        return "no result with a static face"
    if row.log_probability is None or static.log_probability is None or not row.tokens:
        return row.reason or static.reason or "the recognizer does not tell how probable the reference is"
    return row.log_probability - static.log_probability, float(row.tokens)


DEFINES = (
    RecognitionMetric(
        name="readability_bits",
        title="bits per phone that the face adds to a static one",
        unit="bits",
        scale=1 / _PER_BIT,
        higher_is_better=True,
        aggregation="corpus",
        overall="corpus",
        order=5,
        measure=difference_of_logs,
        beside_static=True,
        definition="log2 of how much more probable the entry's face makes what was said than a face that never "
        "moves, same clips and mixtures, per phone",
        source="this toolkit",
        failures="Only for recognizers that tell probabilities; a few hundredths may come from what is not lips.",
        # Most recognizers do not tell: their runs have no such number.
        applies=lambda row: row.log_probability is not None,
        settings={"against": "static"},
        without=("norm", "lexicon", "dec"),
    ),
)
