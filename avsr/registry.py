"""Recognizers by name."""

from __future__ import annotations

import importlib

from mtbench.avsr.base import Recognizer, describe_failure
from mtbench.errors import MtbenchError, PrerequisiteError, UsageError
from mtbench.extras import explain_missing, require_extra
from mtbench.files import name_user


def load_recognizer(name: str) -> Recognizer:
    """Return the recognizer called *name*.

    Parameters
    ----------
    name : str
        ``"openhead-av"``, or ``"package.module:function"`` of your own: the function is called without
        arguments and returns a :class:`Recognizer`. It is imported in every worker process.

    Raises
    ------
    UsageError
        For an unknown name, a module that cannot be imported, or an object that is no recognizer.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    name_user()
    if name == "openhead-av":
        require_extra("judge", "the recognizer openhead-av (vertex errors alone: --recognizer none)")
        from mtbench.avsr.openhead import OpenheadAV

        return OpenheadAV.load()
    module, colon, function = name.partition(":")
    if not colon:
        raise UsageError(
            f"unknown recognizer {name!r}; known: openhead-av, or package.module:function of your own"
        )
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        if isinstance(error, ImportError) and (advice := explain_missing(error)) is not None:
            raise PrerequisiteError(f"recognizer {name!r}: {advice}") from error
        raise UsageError(
            f"recognizer {name!r} cannot be loaded ({error}); is the module on PYTHONPATH?"
        ) from error
    try:
        recognizer = make()
    except MtbenchError:
        raise
    except Exception as error:
        raise UsageError(
            f"recognizer {name!r} cannot be loaded: {function}() failed with {describe_failure(error)}"
        ) from error
    if not isinstance(recognizer, Recognizer):
        kind = type(recognizer).__name__
        raise UsageError(f"{name!r} returned a {kind}, which lacks name, digest, languages or transcribe")
    return recognizer
