"""Minimal edit counts between token sequences, by jiwer.

Conventions
-----------
A unit is whatever one token of the lists is: a word, a character, a phone. jiwer aligns strings; tokens are
mapped to single code points first, so that any token (blanks too) counts as exactly one unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.metrics.edit_counts import EditCounts

#: First code point of a private-use plane: no token is mistaken for white space.
_FIRST = 0xF0000


def count_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Return the edit operations of a minimal alignment.

    Parameters
    ----------
    reference, hypothesis : sequence of str
        Tokens; either may be empty.

    Returns
    -------
    EditCounts
        With an empty reference all hypothesis tokens are insertions; with an empty hypothesis all reference
        tokens are deletions; both empty: zeros.

    Examples
    --------
    >>> count_edits("the green kettle".split(), "the cattle".split())
    EditCounts(hits=1, substitutions=1, deletions=1, insertions=0)
    """
    import jiwer

    if not reference or not hypothesis:
        return EditCounts(0, 0, len(reference), len(hypothesis))
    code = {token: chr(_FIRST + i) for i, token in enumerate(dict.fromkeys((*reference, *hypothesis)))}
    out = jiwer.process_characters("".join(code[t] for t in reference), "".join(code[t] for t in hypothesis))
    return EditCounts(out.hits, out.substitutions, out.deletions, out.insertions)
