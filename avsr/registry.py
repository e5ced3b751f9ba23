"""Recognizers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mtbench.avsr.base import Recognizer, cache_identity, describe_failure
from mtbench.errors import MtbenchError, PrerequisiteError, UsageError
from mtbench.extras import explain_missing, require_extra
from mtbench.files import name_user
from mtbench.registry import Registry


def _openhead(weights: str | Path | None = None) -> Recognizer:
    require_extra("judge", "the recognizer openhead-av (vertex errors alone: --recognizer none)")
    from mtbench.avsr.openhead import OpenheadAV

    return OpenheadAV.load() if weights is None else OpenheadAV.load(weights)


#: Recognizers; a factory takes weights as its one, optional argument.
RECOGNIZERS = Registry(
    "recognizer", "mtbench.recognizers", {"openhead-av": _openhead}, "package.module:function of your own"
)


def load_recognizer(name: str, weights: str | Path | None = None) -> Recognizer:
    """Return the recognizer called *name*.

    Parameters
    ----------
    name : str
        ``"openhead-av"``, or ``"package.module:function"`` of your own: the function is called without
        arguments and returns a :class:`Recognizer`. It is imported in every worker process. Other packages add
        names by entry points, see :mod:`mtbench.registry`.
    weights : path, optional
        Weights in place of the recognizer's own; only for one that has a name.

    Raises
    ------
    UsageError
        For an unknown name, a module that cannot be imported, or an object that is no recognizer.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    name_user()
    module, colon, function = name.partition(":")
    if not colon:
        make = RECOGNIZERS.find(name)
        return _make(name, make if weights is None else partial(make, weights))
    if weights is not None:
        raise UsageError(f"weights belong to {', '.join(RECOGNIZERS.names())}; {name} brings its own")
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        if isinstance(error, ImportError) and (advice := explain_missing(error)) is not None:
            raise PrerequisiteError(f"recognizer {name!r}: {advice}") from error
        raise UsageError(
            f"recognizer {name!r} cannot be loaded ({error}); is the module on PYTHONPATH?"
        ) from error
    return _make(name, make)


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


#: Recognizers of this process by name, weights and identity: a run has one, and the one before may come again.
_KEPT: dict[tuple[str, str | None, str], Recognizer] = {}


def keep_recognizer(name: str, weights: str | None = None) -> tuple[Recognizer, str]:
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
    recognizer = load_recognizer(name, weights)
    identity = cache_identity(recognizer, name)
    _keep((name, weights, identity), recognizer)
    return recognizer, identity


def kept_recognizer(name: str, weights: str | None, identity: str) -> Recognizer:
    """Return the recognizer that a run began with, loaded where this process has not; parameters as above."""
    key = (name, weights, identity)
    if key not in _KEPT:
        _keep(key, load_recognizer(name, weights))
    return _KEPT[key]


def _keep(key: tuple[str, str | None, str], recognizer: Recognizer) -> None:
    while len(_KEPT) > 1:
        del _KEPT[next(iter(_KEPT))]
    _KEPT[key] = recognizer
