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
from mtbench.renderers import SIGNATURE, Appearance, name_crop
from mtbench.results import MEANS, RATES, Averaging
from mtbench.speech import DEFAULT_NORMALIZER, MIXINGS, MULTITALK_NOISES

#: How rates are averaged: errors over words within a language, then the mean over languages.
AGGREGATION = "corpus, macro-language"
#: Each clip's own rate, their mean over clips, then over noises.
CLIPS_THEN_NOISES = "macro-clip, macro-noise"
#: Ways to average, as :mod:`mtbench.results.averaging` calls them.
AGGREGATIONS = dict(zip((AGGREGATION, CLIPS_THEN_NOISES), MEANS, strict=True))
#: The search that a recognizer has of its own, asked for in place of the profile's.
OWN_SEARCH = "own"


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
        How rates are averaged by default, :data:`AGGREGATION` or :data:`CLIPS_THEN_NOISES`. ``run.json`` has the other
        beside it.
    decoding : str or None
        Name of the recognizer's search; None is its own, and so is :data:`OWN_SEARCH`, in place of another profile's.
    renderer : str
        Name of the renderer.
    appearance : Appearance
        How faces are shaded.
    crop : str
        Signature of the mouth crop; there is one so far, :data:`mtbench.renderers.mouth_crop.SIGNATURE`.
    squash : bool
        Whether pictures are squeezed from 1:1 to 4:3 before the mouth is cut out, see there.
    mixing : str
        How noise is mixed with speech, one of :data:`mtbench.speech.noise.MIXINGS`.
    rate : str
        Which rate is the headline, one of :data:`mtbench.results.averaging.RATES`.
    shown : tuple of str
        Geometric metrics that tables show besides those that all tables show.

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
    squash: bool = False
    mixing: str = "rms"
    rate: str = RATES[0]
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value, known in (
            ("aggregation", self.aggregation, tuple(AGGREGATIONS)),
            ("mouth crop", self.crop, (SIGNATURE,)),
            ("mixing", self.mixing, tuple(MIXINGS)),
            ("headline rate", self.rate, RATES),
        ):
            if value not in known:
                told = " or ".join(map(repr, known))
                raise UsageError(f"profile {self.name!r}: unknown {name} {value!r}; known: {told}")
        if "|" in self.name or not self.name:
            raise UsageError(
                f"profile {self.name!r}: expected a name without '|', for it stands in signatures"
            )

    @property
    def averaging(self) -> Averaging:
        """How error rates are put together."""
        return Averaging(AGGREGATIONS[self.aggregation], self.rate)

    @property
    def search(self) -> str | None:
        """What a recognizer is asked for: a search by name, None for its own."""
        return None if self.decoding == OWN_SEARCH else self.decoding

    @property
    def crop_signature(self) -> str:
        """What signatures call the mouth crop."""
        return name_crop(self.squash)

    def change(self, **settings: Any) -> Profile:
        """Return the profile with other *settings*, named after what has changed; None leaves a setting as it is."""
        if settings.get("decoding") == OWN_SEARCH and self.decoding is None:
            settings["decoding"] = None
        changed = {k: v for k, v in settings.items() if v is not None and v != getattr(self, k)}
        if not changed:
            return self
        known = [f.name for f in fields(self)]
        return replace(self, name="+".join([self.name, *sorted(changed, key=known.index)]), **changed)


#: What ``mtbench score`` does unless told otherwise.
RECOMMENDED = Profile()
#: What MultiTalk's released ``eval_avlr.py`` and ``test_multi_pred.py`` (b37c8d05) compute, but for the squeezed video,
#: which :attr:`Profile.squash` adds: three recordings from their first sample on, greedy search, a light normalizer,
#: means of clips' word errors over clips and then noises, and the lip error in square metres.
MULTITALK = Profile(
    name="multitalk-2024",
    noises=MULTITALK_NOISES,
    normalizer="multitalk",
    aggregation=CLIPS_THEN_NOISES,
    decoding="greedy",
    mixing="published",
    rate="wer",
    shown=("lve_sq_m2",),
)
#: How MuAViC scores its recognizers: fairseq's ``WerScorer``, beam search of width 5, noise at 0 dB beside clean sound.
MUAVIC = Profile(
    name="muavic", snrs=(0.0,), normalizer="muavic-13a", decoding="beam-5", mixing="published", rate="wer"
)


def _recommended() -> Profile:
    return RECOMMENDED


def _multitalk() -> Profile:
    return MULTITALK


def _muavic() -> Profile:
    return MUAVIC


#: Profiles by name; a factory takes no arguments and returns a :class:`Profile`.
PROFILES: Registry = Registry(
    "profile",
    "mtbench.profiles",
    {RECOMMENDED.name: _recommended, MULTITALK.name: _multitalk, MUAVIC.name: _muavic},
)


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
