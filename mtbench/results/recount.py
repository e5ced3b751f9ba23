"""From hypotheses to recognition rows with counts.

Conventions
-----------
Raw texts are kept in the row and normalized for counting only, so that :func:`remeasure` can apply another
normalizer without recognizing again.
"""

from __future__ import annotations

from dataclasses import replace

from mtbench.metrics import count_character_edits, count_phone_edits, count_word_edits
from mtbench.results.rows import RecognitionRow
from mtbench.speech import DEFAULT_NORMALIZER


def remeasure(row: RecognitionRow, normalizer: str = DEFAULT_NORMALIZER) -> RecognitionRow:
    """Return *row* counted anew with *normalizer*; a row without a hypothesis comes back as it is.

    Examples
    --------
    >>> row = RecognitionRow("c", "eng", "s", "v", "entry", None, None, "Don't!", "don t", reason="new")
    >>> remeasure(row).words.errors
    2
    """
    if row.hypothesis is None:
        return row
    return replace(
        row,
        words=count_word_edits(row.reference, row.hypothesis, row.language, normalizer),
        chars=count_character_edits(row.reference, row.hypothesis, row.language, normalizer),
        phones=count_phone_edits(row.reference_phones, row.hypothesis_phones),
        reason=None,
    )
