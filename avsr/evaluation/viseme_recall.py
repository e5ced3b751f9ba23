"""How many of the phones that are seen at the lips are recognized as what they look like.

Conventions
-----------
Phones of reference and answer are named by their class first, then aligned with as few edits as possible, so that a
phone that was taken for another of the same class counts as recognized. Classes are coarser than those of the
meta-evaluation: what a judge has to tell apart at the least. Phones of no class take part in the alignment as one more.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Phones by class.
LIP_CLASSES: dict[str, str] = {
    "p b m": "pbm",
    "f v": "fv",
    "rounded": "uyoɔwɥʊ",
    "open": "aɑæɐʌɒ",
    "spread": "ieɛɪj",
}
_OTHER = "other"
_CLASS = {phone: name for name, phones in LIP_CLASSES.items() for phone in phones}


def count_recalled(reference: Sequence[str], answer: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return by class how many of its phones were recognized, and how many there are.

    Examples
    --------
    >>> count_recalled("mama", "bapu")["p b m"], count_recalled("mama", "bapu")["open"]
    ((2, 2), (1, 2))
    """
    import jiwer

    codes = {name: chr(0xF0000 + i) for i, name in enumerate((*LIP_CLASSES, _OTHER))}
    said = [_CLASS.get(phone, _OTHER) for phone in reference]
    right = [False] * len(said)
    if said and answer:
        heard = "".join(codes[_CLASS.get(phone, _OTHER)] for phone in answer)
        out = jiwer.process_characters("".join(codes[name] for name in said), heard)
        for chunk in out.alignments[0]:
            if chunk.type == "equal":
                right[chunk.ref_start_idx : chunk.ref_end_idx] = [True] * (
                    chunk.ref_end_idx - chunk.ref_start_idx
                )
    return {
        name: (sum(r for r, one in zip(right, said, strict=True) if one == name), said.count(name))
        for name in LIP_CLASSES
    }
