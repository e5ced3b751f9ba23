"""Codes and names of languages: what people write, what files hold, what tables show.

Conventions
-----------
Languages are named by ISO 639-3 code everywhere in files and results; display names are for people. In
Japanese, Mandarin and Thai words are not separated in writing: transcripts keep blanks between segmented
words, and the headline error rate is that of characters (CER) with blanks removed.
"""

from __future__ import annotations

from mtbench.errors import UsageError
from mtbench.speech.multitalk_languages import LANGUAGES


def language_code(name: str) -> str:
    """Return the ISO 639-3 code of *name*, which may be written in any habit.

    Parameters
    ----------
    name : str
        A code of ISO 639-1, -2 or -3, a tag with script or region (``pt-BR``, ``zh_Hans``; both are dropped), an
        English name, or the language's own name; in any case, with or without accents. See
        :mod:`mtbench.speech.language_names`.

    Raises
    ------
    UsageError
        Where *name* is none of the twenty languages: which other language it is, or which one was meant.

    Examples
    --------
    >>> language_code("Italian"), language_code("it"), language_code("pt-BR"), language_code("中文")
    ('ita', 'ita', 'por', 'cmn')
    """
    from mtbench.speech.language_names import read_language

    return read_language(name)


def find_code(word: str) -> str | None:
    """Return the ISO 639-3 code of *word* as :func:`language_code` does, None where it is no language's."""
    try:
        return language_code(word)
    except UsageError:
        return None


def any_code(name: str) -> str:
    """Return the ISO 639-3 code of *name*: one of the twenty in any habit, or another language by code or name.

    For options that name what is in files: those may have any language of ISO 639-3, see :func:`check_code`.

    Raises
    ------
    UsageError
        As for :func:`language_code`, where *name* is no language at all.

    Examples
    --------
    >>> any_code("Italian"), any_code("Swedish"), any_code("sv-SE"), any_code("yue")
    ('ita', 'swe', 'swe', 'yue')
    """
    from mtbench.speech.language_names import other_code

    try:
        return language_code(name)
    except UsageError:
        code = other_code(name)
        if code is None:
            raise
        return code


def check_code(code: str) -> str:
    """Return *code* where files may have it: one of the twenty, or of another language of ISO 639-3.

    Languages beyond the twenty are for recognizers that cover them. A code or name that :func:`language_code` knows
    by another code (``zho``, ``fre``, ``English``) is refused, since it would be another language to everything else.

    Raises
    ------
    UsageError
        For anything else.

    Examples
    --------
    >>> check_code("ita"), check_code("swe")
    ('ita', 'swe')
    """
    if code in LANGUAGES:
        return code
    from mtbench.speech.language_names import iso_name

    try:
        right = language_code(code)
    except UsageError:
        if iso_name(code) is not None:
            return code
        raise
    raise UsageError(f"language {code!r}: write its ISO 639-3 code, {right!r}")


def display_name(code: str) -> str:
    """Return the English name of an ISO 639-3 *code*, or the code itself where it is not one of the twenty."""
    lang = LANGUAGES.get(code)
    return lang.name if lang else code


def headline_rate(code: str) -> str:
    """Return ``"wer"`` or ``"cer"``, the error rate that counts in language *code*."""
    lang = LANGUAGES.get(code)
    return lang.headline if lang else "wer"
