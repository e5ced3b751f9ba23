"""Recognizers that write roman letters whatever the language: by which rules alone their answers can be counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtbench.avsr import Recognizer, describe_traits
from mtbench.errors import UsageError
from mtbench.scoring.profiles import Profile
from mtbench.speech import ROMAN

#: What such answers are counted by, by the names of a profile's fields.
RULES = {"normalizer": ROMAN, "rate": "cer"}
_SCRIPT = "script"


def writes_roman(recognizer: Recognizer | None) -> bool:
    """Whether *recognizer* writes roman letters whatever the language."""
    return recognizer is not None and describe_traits(recognizer).script == "roman"


def name_script(recognizer: Recognizer | None) -> dict[str, str]:
    """Return what the settings of a run say of the letters of its texts."""
    return {_SCRIPT: "roman"} if writes_roman(recognizer) else {}


def is_romanized(settings: Mapping[str, Any]) -> bool:
    """Whether the texts of a run with these *settings* are in roman letters whatever the language."""
    return settings.get(_SCRIPT) == "roman"


def refuse_normalizer(normalizer: str | None, name: str) -> None:
    """Refuse another normalizer than uroman for answers of the recognizer *name*.

    Raises
    ------
    UsageError
        Saying why; None is whatever is right.
    """
    if normalizer not in (None, ROMAN):
        raise UsageError(
            f"{name} writes roman letters, and {normalizer!r} would count them against what people write; leave "
            f"--normalizer out, or give {ROMAN}"
        )


def change_profile(profile: Profile, name: str) -> Profile:
    """Return *profile* with the rules by which answers of the recognizer *name* can be counted.

    Raises
    ------
    UsageError
        Where somebody asked for another normalizer than the profile's own.
    """
    refuse_normalizer(profile.normalizer if "normalizer" in profile.name.split("+") else None, name)
    return profile.change(**RULES)
