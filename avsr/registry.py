"""Recognizers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mtbench.avsr.base import Recognizer, SearchError, cache_identity, describe_failure
from mtbench.avsr.by_language import ByLanguage
from mtbench.avsr.program import load_program
from mtbench.avsr.program_command import PREFIX
from mtbench.errors import MtbenchError, PrerequisiteError, UsageError, did_you_mean
from mtbench.extras import explain_missing, require_extra
from mtbench.files import name_user
from mtbench.registry import Registry
from mtbench.speech import language_code


def _openhead(
    weights: str | Path | None = None, decoding: str | None = None, device: str | None = None
) -> Recognizer:
    require_extra("judge", "the recognizer openhead-av (vertex errors alone: --recognizer none)")
    from mtbench.avsr.openhead import load_openhead

    return load_openhead(weights, decoding, device)


def _bundled(version: str, decoding: str | None = None, device: str | None = None) -> Recognizer:
    require_extra("judge", f"the recognizer openhead-av@{version} (vertex errors alone: --recognizer none)")
    from mtbench.avsr.openhead import find_bundled, load_openhead

    return load_openhead(find_bundled(version), decoding, device)


def _published(
    recognizer: str,
    weights: str | Path | None = None,
    decoding: str | None = None,
    device: str | None = None,
    variant: str = "",
) -> Recognizer:
    from mtbench.avsr.published import load_published

    return load_published(recognizer, weights, decoding, device, variant)


#: Versions of the bundled recognizer that are asked for by name, whatever version it has by now.
_VERSIONS = ("1", "2")
#: Published recognizers, whose weights a user brings (:mod:`mtbench.avsr.published`).
PUBLISHED = ("muavic", "avista", "romanizer", "auto-avsr", "visper")
#: Recognizers; a factory takes weights as its first, optional argument, and ``decoding=``, ``device=``, ``variant=``
#: where it can.
RECOGNIZERS = Registry(
    "recognizer",
    "mtbench.recognizers",
    {"openhead-av": _openhead}
    | {f"openhead-av@{v}": partial(_bundled, v) for v in _VERSIONS}
    | {name: partial(_published, name) for name in PUBLISHED},
    "package.module:function of your own, or program:PATH",
)


@dataclass(frozen=True)
class RecognizerSpec:
    """Which recognizer a run asks for; picklable, so that worker processes can load the same.

    Attributes
    ----------
    name : str
        ``"openhead-av"``, a version of it such as ``"openhead-av@1"``, a published recognizer or one of its variants
        (``"muavic"``, ``"muavic:ita"``), or ``"package.module:function"`` of your own: the function returns a
        :class:`Recognizer`. It is imported in every worker process. Other packages add names by entry points, see
        :mod:`mtbench.registry`; ``"name:variant"`` gives their factory ``variant=``. ``"program:PATH ARGUMENTS"`` is a
        program, which every worker process starts (:mod:`mtbench.avsr.program`).
    weights : tuple of (str, str)
        Files in place of the recognizer's own: one under ``""``, or one for each language under its ISO 639-3 code.
        Only for a recognizer that has a name.
    decoding : str or None
        Name of the search; None is the recognizer's own.
    device : str or None
        Where it computes, as torch names it; None leaves it to the recognizer.
    """

    name: str
    weights: tuple[tuple[str, str], ...] = ()
    decoding: str | None = None
    device: str | None = None


def split_names(text: str) -> list[str]:
    """Return the recognizers that *text* names, with commas between; a program takes all that follows.

    Raises
    ------
    UsageError
        For an empty name, or one named twice.

    Examples
    --------
    >>> split_names("muavic:ita,openhead-av,program:./mine.py a,b")
    ['muavic:ita', 'openhead-av', 'program:./mine.py a,b']
    """
    found, rest = [], text
    while rest:
        name, _, rest = (rest, "", "") if rest.startswith(PREFIX) else rest.partition(",")
        found.append(name.strip())
    if not found or not all(found) or text.endswith(",") or len(set(found)) < len(found):
        raise UsageError(
            f"--recognizer {text!r}: expected names with commas between, each once, e.g. muavic,openhead-av"
        )
    return found


def ask_for(
    name: str,
    weights: str | Path | Mapping[str, str | Path] | None = None,
    decoding: str | None = None,
    device: str | None = None,
) -> RecognizerSpec:
    """Return what :func:`load_recognizer` would load, as a value; parameters as there.

    Raises
    ------
    UsageError
        For an unknown language, or one that two files are named for.
    """
    if weights is None:
        files: tuple[tuple[str, str], ...] = ()
    elif isinstance(weights, Mapping):
        files = tuple(sorted((language_code(code), _absolute(file)) for code, file in weights.items()))
        if len({code for code, _ in files}) < len(files):
            raise UsageError(f"the weights of {name} name a language twice: {', '.join(weights)}")
    else:
        files = (("", _absolute(weights)),)
    return RecognizerSpec(name, files, decoding, device)


def _absolute(file: str | Path) -> str:
    """Return a file's whole path; what is no file here may be a name that the recognizer knows, and stays as it is."""
    return str(Path(file).resolve()) if Path(file).exists() else str(file)


def load_recognizer(
    name: str | RecognizerSpec,
    weights: str | Path | Mapping[str, str | Path] | None = None,
    decoding: str | None = None,
    device: str | None = None,
) -> Recognizer:
    """Return the recognizer called *name*.

    Parameters
    ----------
    name : str or RecognizerSpec
        See :class:`RecognizerSpec`, which may be given in place of all of it.
    weights : path or mapping of str to path, optional
        Weights in place of the recognizer's own; several by language make one recognizer
        (:class:`mtbench.avsr.by_language.ByLanguage`).
    decoding : str, optional
        Name of the search, e.g. ``"beam"``.
    device : str, optional
        Where it computes, e.g. ``"cuda:0"``.

    Raises
    ------
    UsageError
        For an unknown name, a module that cannot be imported, an object that is no recognizer, or something asked for
        that the recognizer does not take.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    name_user()
    spec = name if isinstance(name, RecognizerSpec) else ask_for(name, weights, decoding, device)
    make = _find_factory(spec)
    given = {"decoding": spec.decoding, "device": spec.device}
    options = {key: value for key, value in given.items() if value is not None}
    accepted = _accepted(make)
    if refused := sorted(set(options) - accepted):
        kind = SearchError if "decoding" in refused else UsageError
        raise kind(f"recognizer {spec.name!r} takes no {' and no '.join(refused)}; it has its own")
    if options:
        make = partial(make, **options)
    by_language = {code: file for code, file in spec.weights if code}
    if by_language:
        chooses = (
            "variant" in accepted and ":" not in spec.name
        )  # one that is named is not another language's
        parts = {
            code: partial(make, file, variant=code) if chooses else partial(make, file)
            for code, file in by_language.items()
        }
        return ByLanguage({code: partial(_make, spec.name, part) for code, part in parts.items()})
    return _make(spec.name, partial(make, spec.weights[0][1]) if spec.weights else make)


def _find_factory(spec: RecognizerSpec) -> Callable[..., Any]:
    module, colon, function = spec.name.partition(":")
    if "," in spec.name and not spec.name.startswith(PREFIX):
        raise UsageError(
            f"recognizer {spec.name!r}: expected one; several with commas between are for 'mtbench score', which "
            "scores with each"
        )
    if not colon:
        return RECOGNIZERS.find(spec.name)
    if module in RECOGNIZERS.names():
        named = RECOGNIZERS.find(module)
        if not function:
            raise UsageError(
                f"recognizer {spec.name!r} names no variant after its colon; write {module} or {module}:VARIANT"
            )
        if "variant" not in _accepted(named):
            raise UsageError(f"recognizer {module!r} has no variants, so no {spec.name!r}; write {module}")
        return partial(named, variant=function)
    if spec.weights:
        raise UsageError(f"weights belong to {', '.join(RECOGNIZERS.names())}; {spec.name} brings its own")
    if spec.name.startswith(PREFIX):
        return partial(load_program, spec.name.removeprefix(PREFIX))
    try:
        make: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        if isinstance(error, ImportError) and (advice := explain_missing(error)) is not None:
            raise PrerequisiteError(f"recognizer {spec.name!r}: {advice}") from error
        meant = did_you_mean(module.strip().lower(), RECOGNIZERS.names())
        raise UsageError(
            f"recognizer {spec.name!r} cannot be loaded ({error}){meant or '; is the module on PYTHONPATH?'}"
        ) from error
    return make


def _accepted(make: Callable[..., Any]) -> set[str]:
    """Return which options a factory takes."""
    known = {"decoding", "device", "variant"}
    try:
        parameters = inspect.signature(make).parameters
    except (TypeError, ValueError):  # a class or builtin that tells no signature
        return set()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return known
    return known & set(parameters)


def _make(name: str, make: Callable[[], Any]) -> Recognizer:
    """Call a factory, and look at what it returns."""
    try:
        recognizer = make()
    except MtbenchError:
        raise
    except Exception as error:
        raise UsageError(
            f"recognizer {name!r} cannot be loaded: its factory failed with {describe_failure(error)}"
        ) from error
    if not isinstance(recognizer, Recognizer):
        kind = type(recognizer).__name__
        raise UsageError(f"{name!r} returned a {kind}, which lacks name, digest, languages or transcribe")
    return recognizer


#: Recognizers of this process by what was asked for and identity: a run has one, and the one before may come again.
_KEPT: dict[tuple[RecognizerSpec, str], Recognizer] = {}


def keep_recognizer(spec: RecognizerSpec) -> tuple[Recognizer, str]:
    """Load a recognizer anew, for a run that is about to begin.

    Returns
    -------
    recognizer : Recognizer
    identity : str
        Digest of everything that it is; with it :func:`kept_recognizer` finds the same one again.

    Raises
    ------
    UsageError, PrerequisiteError
        As :func:`load_recognizer`.
    """
    recognizer = load_recognizer(spec)
    identity = cache_identity(recognizer, spec.name, spec.decoding, spec.device)
    _keep((spec, identity), recognizer)
    return recognizer, identity


def kept_recognizer(spec: RecognizerSpec, identity: str) -> Recognizer:
    """Return the recognizer that a run began with, loaded where this process has not; parameters as above."""
    key = (spec, identity)
    if key not in _KEPT:
        _keep(key, load_recognizer(spec))
    return _KEPT[key]


def _keep(key: tuple[RecognizerSpec, str], recognizer: Recognizer) -> None:
    while len(_KEPT) > 1:
        del _KEPT[next(iter(_KEPT))]
    _KEPT[key] = recognizer
