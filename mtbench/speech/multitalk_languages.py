"""The twenty languages of the MultiTalk dataset, by ISO 639-3 code."""

from __future__ import annotations

from dataclasses import dataclass


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
