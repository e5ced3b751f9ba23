"""The twenty languages of the MultiTalk dataset, by ISO 639-3 code.

Conventions
-----------
Languages are named by ISO 639-3 code everywhere in files and results; display names are for people. In
Japanese, Mandarin and Thai words are not separated in writing: transcripts keep blanks between segmented
words, and the headline error rate is that of characters (CER) with blanks removed.
"""

from __future__ import annotations

from dataclasses import dataclass

from mtbench.errors import UsageError


@dataclass(frozen=True)
class Language:
    """A language of the benchmark.

    Attributes
    ----------
    code : str
        ISO 639-3.
    name : str
        English display name, as in the MultiTalk dataset.
    alias : str
        ISO 639-1, accepted on input.
    headline : str
        ``"wer"`` or ``"cer"``: the error rate that counts.
    approximate : bool
        Whether the bundled speech only approximates the language (Thai).
    """

    code: str
    name: str
    alias: str
    headline: str = "wer"
    approximate: bool = False


LANGUAGES: dict[str, Language] = {
    lang.code: lang
    for lang in (
        Language("ara", "Arabic", "ar"),
        Language("cat", "Catalan", "ca"),
        Language("hrv", "Croatian", "hr"),
        Language("ces", "Czech", "cs"),
        Language("nld", "Dutch", "nl"),
        Language("eng", "English", "en"),
        Language("fra", "French", "fr"),
        Language("deu", "German", "de"),
        Language("ell", "Greek", "el"),
        Language("hin", "Hindi", "hi"),
        Language("ita", "Italian", "it"),
        Language("jpn", "Japanese", "ja", headline="cer"),
        Language("cmn", "Mandarin", "zh", headline="cer"),
        Language("pol", "Polish", "pl"),
        Language("por", "Portuguese", "pt"),
        Language("rus", "Russian", "ru"),
        Language("spa", "Spanish", "es"),
        Language("tha", "Thai", "th", headline="cer", approximate=True),
        Language("tur", "Turkish", "tr"),
        Language("ukr", "Ukrainian", "uk"),
    )
}

_ALIASES = {
    key.lower(): lang.code for lang in LANGUAGES.values() for key in (lang.code, lang.alias, lang.name)
}


def language_code(name: str) -> str:
    """Return the ISO 639-3 code of *name* (code, ISO 639-1 alias or English name, any case).

    Raises
    ------
    UsageError
        With the closest known names, where *name* is none of them.

    Examples
    --------
    >>> language_code("Italian"), language_code("it")
    ('ita', 'ita')
    """
    code = _ALIASES.get(name.strip().lower())
    if code is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), _ALIASES, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else f"; known: {', '.join(LANGUAGES)}"
        raise UsageError(f"unknown language {name!r}{hint}")
    return code


def display_name(code: str) -> str:
    """Return the English name of an ISO 639-3 *code*, or the code itself where it is not one of the twenty."""
    lang = LANGUAGES.get(code)
    return lang.name if lang else code


def headline_rate(code: str) -> str:
    """Return ``"wer"`` or ``"cer"``, the error rate that counts in language *code*."""
    lang = LANGUAGES.get(code)
    return lang.headline if lang else "wer"
