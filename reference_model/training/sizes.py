"""Named sizes of the reference model and its training: ``mini``, ``paper``, ``smoke``.

Conventions
-----------
What they are made of is in :mod:`mtbench.reference_model.training.configuration`. A setting is changed as on the
command line, ``settings.width=96`` or ``stage2.steps=500`` (:func:`apply_overrides`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mtbench.errors import UsageError
from mtbench.faces import OPENHEAD
from mtbench.reference_model.model import Settings
from mtbench.reference_model.training.configuration import Size, Stage1Config, Stage2Config
from mtbench.speech import LANGUAGES

_MINI = Settings(
    vertices=OPENHEAD.n_vertices,
    width=192,
    layers=3,
    heads=4,
    feedforward=384,
    codes=8,
    entries=256,
    code_size=24,
    decoder_layers=3,
    decoder_heads=4,
    decoder_feedforward=384,
    dropout=0.05,
    speech_width=160,
    languages=tuple(LANGUAGES),
    principal=24,
    scale=300.0,
    released=False,
)

#: Shared by both stages of ``mini``.
_BRIEF: dict[str, Any] = {
    "batch": 16,
    "frames": 96,
    "schedule": "cosine",
    "warmup": 100,
    "weight_decay": 0.01,
    "averaging": 0.995,
    "lips": 4.0,
    "checkpoint_every": 100,
}

SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size(
            "mini",
            "trains on two cores, both stages within an hour",
            _MINI,
            Stage1Config(
                steps=2400, learning_rate=1e-3, quantize_from=200, revive_every=50, every_vertex=4,
                validate_every=400, **_BRIEF
            ),
            Stage2Config(
                steps=3000,
                learning_rate=8e-4,
                past_noise=2.0,
                past_drop=0.5,
                validate_every=500,
                **_BRIEF,
            ),
            "openhead-av",
        ),
        Size(
            "paper",
            "the published one, with XLSR-53; for an accelerator",
            Settings(vertices=OPENHEAD.n_vertices, languages=tuple(LANGUAGES), released=False),
            Stage1Config(
                epochs=200, batch=1, schedule="halving", halve_every=20, weight_decay=0.01, validate_every=5000,
                patience=20, checkpoint_every=2000, clip=10.0,
            ),
            Stage2Config(
                epochs=100, batch=1, tune_encoder=True, validate_every=10_000, patience=20,
                checkpoint_every=2000, clip=10.0,
            ),
            "facebook/wav2vec2-large-xlsr-53",
        ),
        Size(
            "smoke",
            "shows in seconds that everything runs; learns nothing of use",
            dataclasses.replace(
                _MINI, width=32, heads=2, layers=1, feedforward=32, codes=4, entries=16, code_size=8,
                decoder_layers=1, decoder_feedforward=32, principal=12,
            ),
            Stage1Config(**{**_BRIEF, "batch": 4, "frames": 32, "warmup": 5}, steps=30, learning_rate=2e-3,
                         quantize_from=10, revive_every=10, validate_every=15, validation_clips=2),
            Stage2Config(**{**_BRIEF, "batch": 4, "frames": 32, "warmup": 5}, steps=30, learning_rate=2e-3,
                         past_noise=0.5, past_drop=0.3, past_own=0.3, validate_every=15, validation_clips=2),
            "openhead-av",
        ),
    )
}  # fmt: skip


def load_size(name: str) -> Size:
    """Return the size called *name*.

    Raises
    ------
    UsageError
        For an unknown one.
    """
    if name not in SIZES:
        known = "; ".join(f"{size.name} ({size.summary})" for size in SIZES.values())
        raise UsageError(f"unknown size {name!r}; known: {known}")
    return SIZES[name]


def apply_overrides(size: Size, overrides: Iterable[str]) -> Size:
    """Return *size* with settings changed.

    Parameters
    ----------
    size : Size
    overrides : iterable of str
        ``"part.key=value"`` with part ``settings``, ``stage1`` or ``stage2``, or ``"encoder=value"``. Values of
        sequences are separated by commas.

    Raises
    ------
    UsageError
        For an unknown key, a value of another type, or settings that contradict each other.

    Examples
    --------
    >>> apply_overrides(SIZES["mini"], ["stage2.steps=500"]).stage2.steps
    500
    """
    changes: dict[str, dict[str, Any]] = {"settings": {}, "stage1": {}, "stage2": {}}
    encoder = size.encoder
    for text in overrides:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is no setting; expected key=value, e.g. stage2.steps=500")
        part, _, name = key.strip().partition(".")
        if key.strip() == "encoder":
            encoder = value.strip()
            continue
        hints = get_type_hints(type(getattr(size, part))) if part in changes else {}
        if name not in hints:
            known = sorted(hints) or ["settings.…", "stage1.…", "stage2.…", "encoder"]
            raise UsageError(f"{key.strip()!r} is no setting of a size; known: {', '.join(known)}")
        changes[part][name] = _parse(key.strip(), value.strip(), hints[name])
    try:
        return dataclasses.replace(
            size,
            settings=dataclasses.replace(size.settings, **changes["settings"]),
            stage1=dataclasses.replace(size.stage1, **changes["stage1"]),
            stage2=dataclasses.replace(size.stage2, **changes["stage2"]),
            encoder=encoder,
        )
    except ValueError as error:
        raise UsageError(f"these settings do not go together: {error}") from None


def _parse(key: str, text: str, kind: Any) -> Any:
    """Read *text* as a value of *kind*."""
    if kind is bool:
        if text.lower() in ("true", "yes", "1", "false", "no", "0"):
            return text.lower() in ("true", "yes", "1")
        raise UsageError(f"{key}={text}: expected true or false")
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise UsageError(f"{key}={text}: expected {what}") from None
    if choices := get_args(kind) if get_origin(kind) is Literal else ():
        if text not in choices:
            raise UsageError(f"{key}={text}: expected one of {', '.join(choices)}")
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())
