"""Conditions: what a recognizer is given of a clip, as one value with its name, its parser and its order.

Conventions
-----------
``modality`` is ``"av"`` (sound and face), ``"a"`` (sound alone), ``"v"`` (face alone) or None (nothing is recognized:
geometry). ``snr_db`` is the signal-to-noise ratio in decibels, None for clean sound and for none; ``noise`` is the
name of a recording, ``"all"`` for numbers that pool them, None where there is no noise or where it goes without
saying. ``face`` says whose face is seen: ``"entry"``, ``"static"``, or another name that its user gives a meaning; None
where nobody's is, or where it goes without saying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

#: The faces of a score: the submission's, and one that never moves.
ENTRY, STATIC = "entry", "static"
_NAME = re.compile(r"(av|a)(?:-clean|([+-]?[0-9]+(?:\.[0-9]+)?)(?:/(.+))?)")
_ORDER = {"av": 0, "v": 1, "a": 2, None: 3}


@dataclass(frozen=True)
class Condition:
    """What is presented of a clip.

    Attributes
    ----------
    modality : {"av", "a", "v"} or None
        What the recognizer is given; None for geometry.
    snr_db : float or None
        Signal-to-noise ratio, decibels; None without noise.
    noise : str or None
        Name of the noise recording.
    face : str or None
        Whose face is seen.

    Examples
    --------
    >>> Condition("av", -7.5, "babble").name, Condition("a").name, Condition("v").name, Condition("av", 5.0).name
    ('av-7.5/babble', 'a-clean', 'v', 'av+5')
    >>> Condition.parse("av-7.5/babble") == Condition("av", -7.5, "babble")
    True
    """

    modality: str | None = None
    snr_db: float | None = None
    noise: str | None = None
    face: str | None = None

    @classmethod
    def parse(cls, name: str, face: str | None = None) -> Condition:
        """Return the condition of a name as :attr:`name` writes it.

        Parameters
        ----------
        name : str
            ``"v"``; or ``"av"`` or ``"a"`` with ``"-clean"`` or decibels, and with the noise after a slash.
        face : str or None
            Whose face is seen, which the name does not say.

        Raises
        ------
        ValueError
            For anything else.
        """
        if name == "v":
            return cls("v", face=face)
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(
                f"unknown condition {name!r}; expected v, or av or a with -clean or decibels, and the noise after a "
                "slash where it is told: av-clean, a-7.5, av-7.5/babble"
            )
        modality, snr_db, noise = found.groups()
        return cls(modality, None if snr_db is None else float(snr_db), noise, face)

    @property
    def name(self) -> str:
        """Name in tables and files; the face is not part of it."""
        if self.modality is None or self.modality == "v":
            return self.modality or "geometry"
        if self.snr_db is None:
            return f"{self.modality}-clean"
        return f"{self.modality}{self.snr_db:+g}" + ("" if self.noise is None else f"/{self.noise}")

    @property
    def order(self) -> tuple:
        """Sort key: av, v, a, geometry; clean, then quiet to loud noise; ``"all"`` before single noises."""
        return (
            _ORDER[self.modality],
            self.snr_db is not None,
            -(self.snr_db or 0.0),
            self.noise is not None and self.noise != "all",
            self.noise or "",
        )

    @property
    def sound(self) -> Condition | None:
        """What is heard, whoever is seen: a condition of modality ``"a"``; None where nothing is."""
        return Condition("a", self.snr_db, self.noise) if self.hears else None

    @property
    def hears(self) -> bool:
        """Whether there is sound."""
        return self.modality in ("av", "a")

    @property
    def sees(self) -> bool:
        """Whether there is a face."""
        return self.modality in ("av", "v")

    @property
    def is_noisy(self) -> bool:
        """Whether there is noise in the sound."""
        return self.snr_db is not None

    def with_face(self, face: str | None) -> Condition:
        """Return the condition with another face."""
        return replace(self, face=face)

    def describe(self) -> str:
        """Return what is presented in words, for messages.

        Examples
        --------
        >>> Condition("av", -7.5, "babble", "entry").describe(), Condition("v", face="static").describe()
        ('babble at -7.5 dB, face: entry', 'no sound, face: static')
        """
        heard = "no sound"
        if self.hears:
            heard = f"{self.noise or 'noise'} at {self.snr_db:g} dB" if self.is_noisy else "clean sound"
        return f"{heard}, no face" if not self.sees else f"{heard}, face: {self.face or 'given'}"
