"""Which language a clip is animated in: what a user names, and what the model knows.

Conventions
-----------
A *language* is a name that the model knows (a code or an English name will do, in any case), its index, or a mapping of
names to weights that sum to 1. A benchmark's clips have ISO 639-3 codes, the model has its own list of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mtbench.errors import UsageError
from mtbench.speech import LANGUAGES, any_code, display_name

#: A name, or names with weights.
Language = str | Mapping[str, float]
#: The same, or an index; None where the model knows no languages.
LanguageChoice = Language | int | None

#: How far weights may sum from 1.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Conditioning:
    """The language that the model is given for each language of a benchmark.

    Attributes
    ----------
    of : dict of str to Language
        Language of the model by ISO 639-3 code of the clip. Empty where the model knows no languages.
    summary : str
        Summary for people and for ``[generation].language_conditioning``.
    """

    of: dict[str, Language]
    summary: str


def parse_blend(text: str) -> dict[str, float]:
    """Return the weights in *text*, e.g. ``"Italian:0.7,English:0.3"``.

    Raises
    ------
    UsageError
        Where it does not have that form, or a language is named twice.

    Examples
    --------
    >>> parse_blend("Italian:0.7,English:0.3")
    {'Italian': 0.7, 'English': 0.3}
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition(":"))
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not name or not 0 <= value <= 1:
            raise UsageError(
                f"blend {text!r}: {part.strip()!r} is no language with a weight from 0 to 1; expected e.g. "
                "Italian:0.7,English:0.3"
            )
        if name in weights:
            raise UsageError(f"blend {text!r}: {name} is named twice")
        weights[name] = value
    return weights


def describe_language(language: Language) -> str:
    """Return a language for people, ``"Italian"`` or ``"0.7 Italian + 0.3 English"``."""
    if isinstance(language, str):
        return _display(language)
    return " + ".join(f"{weight:g} {_display(name)}" for name, weight in language.items())


def name_languages(languages: Iterable[str]) -> str:
    """Return languages for people, ``"Italian, English"``."""
    return ", ".join(_display(name) for name in languages)


def find_language(name: str, known: Iterable[str]) -> str | None:
    """Return the member of *known* that means the language *name*, None where there is none.

    Parameters
    ----------
    name : str
        ISO code, alias or English name, any case; or exactly as the model spells it.
    known : iterable of str
        The model's names: codes or English names.
    """
    wanted = language_key(name)
    return next((own for own in known if language_key(own) == wanted), None)


def choose_language(
    known: tuple[str, ...],
    spoken: str,
    *,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
) -> str:
    """Decide which language the model is given for a recording.

    Parameters
    ----------
    known : tuple of str
        The model's languages.
    spoken : str
        What is spoken (code, alias or name).
    instead, fallback
        As for :func:`plan_conditioning`.

    Returns
    -------
    str
        A member of *known*.

    Raises
    ------
    UsageError
        Where the model does not know the language and nothing is said about it.

    Examples
    --------
    >>> choose_language(("eng", "ita"), "Catalan", instead={"cat": "Italian"})
    'ita'
    """
    replaced = _replace(known, instead)
    own = replaced.get(language_key(spoken)) or find_language(spoken, known)
    if own is not None:
        return own
    if fallback is None:
        some = _display(find_language("eng", known) or known[0])
        mapped = (
            f"--language-map {language_key(spoken)}={some}, or " if len(language_key(spoken)) == 3 else ""
        )
        raise UsageError(
            f"the model has no language {spoken!r}; it knows {name_languages(known)}. To animate it as one of these, "
            f"say so: {mapped}--language-fallback {some}"
        )
    return require_language(fallback, known)


def _replace(known: tuple[str, ...], instead: Mapping[str, str] | None) -> dict[str, str]:
    return {any_code(name): require_language(to, known) for name, to in (instead or {}).items()}


def plan_conditioning(
    known: tuple[str, ...],
    codes: Iterable[str],
    *,
    language: Language | None = None,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
) -> Conditioning:
    """Decide which language the model is given for the clips of a benchmark.

    Parameters
    ----------
    known : tuple of str
        The model's languages; empty where it knows none.
    codes : iterable of str
        ISO 639-3 codes of the clips.
    language : Language, optional
        Language of every clip, whatever it speaks; by default each clip's own.
    instead : mapping, optional
        Language of a clip (code, alias or name) to the one that the model is given for it.
    fallback : str, optional
        Language for clips in languages that the model does not know and *instead* does not name.

    Raises
    ------
    UsageError
        Where languages of the clips are unknown to the model and nothing is said about them, or something is said
        that does not apply.
    """
    codes = list(dict.fromkeys(codes))
    if not known:
        if language is not None or instead or fallback:
            raise UsageError("this model was trained without languages: leave out every language option")
        return Conditioning({}, "none: the model was trained without languages")
    if language is not None:
        if instead or fallback:
            raise UsageError(
                "one language for every clip leaves nothing to map: leave out mapping and fallback"
            )
        for name in [language] if isinstance(language, str) else language:
            require_language(name, known)
        return Conditioning(
            dict.fromkeys(codes, language),
            f"{describe_language(language)} for every clip, whatever it speaks",
        )
    replaced = _replace(known, instead)
    if idle := sorted(set(replaced) - set(codes)):
        raise UsageError(f"no clip speaks {name_languages(idle)}; the benchmark has {name_languages(codes)}")
    spare = None if fallback is None else require_language(fallback, known)
    of: dict[str, Language] = {}
    missing = []
    for code in codes:
        own = replaced.get(code) or find_language(code, known) or spare
        if own is None:
            missing.append(code)
        else:
            of[code] = own
    if missing:
        some = _display(find_language("eng", known) or known[0])
        raise UsageError(
            f"the model has no embedding for {len(missing)} of the benchmark's {len(codes)} languages: "
            f"{name_languages(missing)}. It knows {name_languages(known)}. Name one of these for the rest "
            f"(--language-fallback {some}), for each (--language-map {missing[0]}={some}), or for every clip "
            f"(--language {some}); the submission says which."
        )
    return Conditioning(of, _summarize(of))


def weigh_languages(
    language: LanguageChoice, known: tuple[str, ...], model: str, trained: tuple[str, ...] | None = None
) -> np.ndarray:
    """Return the weights of a model's languages, (L,) float32.

    Parameters
    ----------
    language : LanguageChoice
    known : tuple of str
        The model's languages; empty where it knows none.
    model : str
        Its name, for messages.
    trained : tuple of str, optional
        Those of *known* that it was trained on; all by default. The rest are refused: what the embedding holds for
        them is what it was filled with at the start.

    Raises
    ------
    UsageError
        For an unknown language or one that it was never trained on, weights that do not sum to 1, or none where one
        is needed.

    Examples
    --------
    >>> weigh_languages("Italian", ("eng", "ita"), "talk")
    array([0., 1.], dtype=float32)
    """
    weights = np.zeros(len(known), np.float32)
    if not known:
        if language is not None:
            raise UsageError(f"the model {model} was trained without languages: leave the language out")
    elif language is None:
        raise UsageError(f"name the language that is spoken; the model knows {name_languages(known)}")
    elif isinstance(language, Mapping):
        places: dict[int, str] = {}
        for name, weight in language.items():
            if not weight >= 0:
                raise UsageError(f"language {name} has weight {weight}; expected a number from 0 to 1")
            place = known.index(require_language(name, known))
            if (other := places.setdefault(place, name)) is not name:
                raise UsageError(f"{other} and {name} are the same language; name it once")
            weights[place] = weight
        total = sum(language.values())
        if not abs(total - 1) <= _TOLERANCE:
            given = ", ".join(f"{name} {weight:g}" for name, weight in language.items())
            raise UsageError(f"the languages' weights sum to {total:g}, expected 1: {given}")
    elif isinstance(language, str):
        weights[known.index(require_language(language, known))] = 1
    elif 0 <= language < len(known):
        weights[language] = 1
    else:
        numbered = ", ".join(f"{i} {_display(name)}" for i, name in enumerate(known))
        raise UsageError(f"there is no language {language}; the model knows {numbered}")
    if trained is not None:
        for name in (known[i] for i in np.flatnonzero(weights) if known[i] not in trained):
            raise UsageError(
                f"the model {model} was never trained on {_display(name)}, though it has a place for it, but "
                f"on {name_languages(trained)}. Name one of these, or map to it (--language-map "
                f"{language_key(name)}={_display(trained[0]) if trained else '…'})"
            )
    return weights


def require_language(name: str, known: Iterable[str]) -> str:
    """Return the member of *known* that means *name*; ``UsageError`` names them all where there is none."""
    known = list(known)
    found = find_language(name, known)
    if found is None:
        raise UsageError(f"the model has no language {name!r}; it knows {name_languages(known)}")
    return found


def _summarize(of: Mapping[str, Language]) -> str:
    others: dict[str, list[str]] = {}
    for code, language in of.items():
        if language_key(str(language)) != code:
            others.setdefault(str(language), []).append(code)
    exceptions = [f"{_display(language)} for {name_languages(codes)}" for language, codes in others.items()]
    changed = sum(len(codes) for codes in others.values())
    own = [] if changed == len(of) else ["each clip's own language"]
    return "; ".join([*own, *exceptions])


def language_key(name: str) -> str:
    """Return an ISO code where *name* means a language, the name in lower case otherwise."""
    try:
        return any_code(name)
    except UsageError:
        return name.strip().lower()


def _display(name: str) -> str:
    code = language_key(name)
    return display_name(code) if code in LANGUAGES else name
