"""Character error rate, the headline for languages written without blanks between words.

Conventions
-----------
CER = character edits / characters of the reference. Characters are code points of the normalized text. Single
blanks between words count as characters, as in jiwer and MultiTalk, but in Japanese, Mandarin and Thai
(normalizer ``uni-v1``), where they are an artefact of segmentation and are left out.
"""

from __future__ import annotations

from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.edits import count_edits
from mtbench.metrics.rates import define_rate
from mtbench.speech import DEFAULT_NORMALIZER, get_normalizer


def count_character_edits(
    reference: str, hypothesis: str, language: str, normalizer: str = DEFAULT_NORMALIZER
) -> EditCounts:
    """Return the character edits of one clip.

    Parameters and errors as in :func:`mtbench.metrics.word_errors.count_word_edits`.

    Examples
    --------
    >>> count_character_edits("猫 が 好き です。", "猫が好き", "jpn")
    EditCounts(hits=4, substitutions=0, deletions=2, insertions=0)
    """
    normal = get_normalizer(normalizer)
    return count_edits(normal.characters(reference, language), normal.characters(hypothesis, language))


_DEFINITION = "(substitutions + deletions + insertions) / characters of the reference"

DEFINES = (define_rate("cer", "character error rate", "chars", order=2, definition=_DEFINITION),)
