"""Profiles: everything that a published number fixes about its making, under one name.

A run states its profile in the signature, and what was changed of it; every setting stands in the signature besides, so
that the name adds convenience, not information: two runs are compared by their settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mtbench.errors import UsageError
from mtbench.registry import Registry
from mtbench.renderers import SIGNATURE, Appearance
from mtbench.speech import DEFAULT_NORMALIZER

#: How rates are averaged: errors over words within a language, then the mean over languages.
AGGREGATION = "corpus, macro-language"


@dataclass(frozen=True)
class Profile:
    """How entries are scored.

    Attributes
    ----------
    name : str
        Name in signatures.
    snrs : tuple of float
        Signal-to-noise ratios, decibels.
    noises : tuple of str or None
        Names of the noise recordings; None takes all that there are.
    normalizer : str
        What is done to texts before errors are counted, see :mod:`mtbench.speech.normalizers`.
    aggregation : str
        How the headline's rates are averaged; there is one way so far, :data:`AGGREGATION`. ``run.json`` has the others
        beside it.
    decoding : str or None
        Name of the recognizer's search; None is its own.
    renderer : str
        Name of the renderer.
    appearance : Appearance
        How faces are shaded.
    crop : str
        Signature of the mouth crop; there is one so far, :data:`mtbench.renderers.mouth_crop.SIGNATURE`.

    Examples
    --------
    >>> RECOMMENDED.change(snrs=(0.0,), normalizer=None).name
    'recommended+snrs'
    """

    name: str = "recommended"
    snrs: tuple[float, ...] = (-7.5, -10.0)
    noises: tuple[str, ...] | None = None
    normalizer: str = DEFAULT_NORMALIZER
    aggregation: str = AGGREGATION
    decoding: str | None = None
    renderer: str = "software"
    appearance: Appearance = field(default_factory=Appearance)
    crop: str = SIGNATURE

    def __post_init__(self) -> None:
        for name, value, known in (
            ("aggregation", self.aggregation, AGGREGATION),
            ("mouth crop", self.crop, SIGNATURE),
        ):
            if value != known:
                raise UsageError(f"profile {self.name!r}: unknown {name} {value!r}; known: {known}")
        if "|" in self.name or not self.name:
            raise UsageError(
                f"profile {self.name!r}: expected a name without '|', for it stands in signatures"
            )

    def change(self, **settings: Any) -> Profile:
        """Return the profile with other *settings*, named after what has changed; None leaves a setting as it is."""
        changed = {k: v for k, v in settings.items() if v is not None and v != getattr(self, k)}
        if not changed:
            return self
        known = [f.name for f in fields(self)]
        return replace(self, name="+".join([self.name, *sorted(changed, key=known.index)]), **changed)


#: What ``mtbench score`` does unless told otherwise.
RECOMMENDED = Profile()


def _recommended() -> Profile:
    return RECOMMENDED


#: Profiles by name; a factory takes no arguments and returns a :class:`Profile`.
PROFILES: Registry = Registry("profile", "mtbench.profiles", {"recommended": _recommended})


def load_profile(name: str | Profile) -> Profile:
    """Return the profile called *name*; one that is given as it is, is returned.

    Raises
    ------
    UsageError
        For an unknown name, where the message lists the known ones, or another package's profile that is none.
    """
    if isinstance(name, Profile):
        return name
    make: Callable[[], Profile] = PROFILES.find(name)
    try:
        profile = make()
    except UsageError:  # of an impossible profile, which says what is wrong with it
        raise
    except Exception as error:
        raise UsageError(
            f"profile {name!r} of another package failed with {type(error).__name__}: {error}; report it to the "
            "package's author"
        ) from error
    if not isinstance(profile, Profile):
        raise UsageError(
            f"profile {name!r} of another package is a {type(profile).__name__}, expected a Profile"
        )
    if profile.name != name:
        raise UsageError(
            f"the entry point {name!r} of another package in the group mtbench.profiles gives the profile "
            f"{profile.name!r}, expected one of that name, for it stands in signatures"
        )
    return profile
