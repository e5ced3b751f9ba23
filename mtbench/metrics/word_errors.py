"""Word error rate.

Conventions
-----------
WER = (substitutions + deletions + insertions) / words of the reference, a fraction that may exceed 1;
reported in per cent. Corpus level (sum of errors over sum of words) is the default, as in speech
recognition; the mean of clips' rates (``macro-clip``) is what MultiTalk's script prints.
"""

from __future__ import annotations

from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.edits import count_edits
from mtbench.metrics.rates import define_rate
from mtbench.speech import DEFAULT_NORMALIZER, get_normalizer


def count_word_edits(
    reference: str, hypothesis: str, language: str, normalizer: str = DEFAULT_NORMALIZER
) -> EditCounts:
    """Return the word edits of one clip.

    Parameters
    ----------
    reference, hypothesis : str
        Raw texts; either may be empty (see :attr:`EditCounts.rate`).
    language : str
        ISO 639-3 code.
    normalizer : str
        Name, see :mod:`mtbench.speech.normalizers`.

    Returns
    -------
    EditCounts

    Raises
    ------
    UsageError
        For an unknown normalizer.

    Examples
    --------
    >>> count_word_edits("Wo ist die Tür?", "wo ist tür", "deu").rate
    0.25
    """
    normal = get_normalizer(normalizer)
    return count_edits(normal.words(reference, language), normal.words(hypothesis, language))


_DEFINITION = "(substitutions + deletions + insertions) / words of the reference"

DEFINES = (define_rate("wer", "word error rate", "words", order=1, definition=_DEFINITION),)
