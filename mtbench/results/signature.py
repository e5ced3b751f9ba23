"""Signatures: one line that says how a number was computed.

Conventions
-----------
A signature is the metric's name and an ordered list of ``key:value`` pairs joined by ``|``, after sacrebleu's
practice. The long form spells keys out and keeps whole digests; the short form uses the abbreviations of
:data:`KEYS` and the first eight characters of digests. Unset keys are left out. Two numbers may be compared
when their settings (everything but entry-independent coordinates such as language, SNR and counts) agree,
but for what an entry chooses for itself (:data:`ENTRYS_OWN`).

Keys that are not plain from their names: ``posed`` is the model that turned an entry's parameters into vertices,
``truth`` the one that did so for the ground truth (both absent where vertices were given: their numbers depend on
no model), ``rest`` the face that a static face shows where no ground truth tells one, ``template`` the speakers'
neutral faces, ``mean`` how a run averages where it does not pool its clips, ``against`` what an entry's face is
compared with, ``resample`` the entry's frame rate and how it was brought to the benchmark's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Long key -> short key, in the order in which they are written.
KEYS: dict[str, str] = {
    "bench": "b",
    "profile": "pf",
    "lang": "l",
    "mod": "m",
    "snr": "s",
    "noise": "no",
    "mix": "mx",
    "topology": "t",
    "posed": "po",
    "truth": "tr",
    "rest": "rs",
    "render": "r",
    "crop": "c",
    "fps": "f",
    "resample": "rf",
    "rec": "re",
    "dec": "d",
    "lexicon": "lx",
    "norm": "nm",
    "rate": "rt",
    "against": "ag",
    "mask": "mk",
    "err": "e",
    "template": "tp",
    "align": "al",
    "unit": "u",
    "mean": "mn",
    "agg": "a",
    "n": "n",
    "ci": "ci",
    "bs": "bs",
    "seed": "sd",
    "version": "v",
}
_LONG = {short: long for long, short in KEYS.items()}
_DIGEST = re.compile(r"(?<=[@#])([0-9a-f]{8})[0-9a-f]+")

#: Coordinates of a single number: they are not settings.
COORDINATES = frozenset({"lang", "mod", "snr", "noise", "agg", "n"})

#: What settings are called together: it adds nothing to them, and older results have none.
NAMES = frozenset({"profile"})

#: Settings that belong to an entry as its mesh does: another value makes another entry, not another measurement.
ENTRYS_OWN = frozenset({"topology", "resample"})


def cut_digests(text: str) -> str:
    """Return *text* with every digest after ``@`` or ``#`` cut to its first eight characters."""
    return _DIGEST.sub(lambda m: m[1], text)


@dataclass(frozen=True)
class Signature:
    """How one number, or one family of numbers, was computed.

    Attributes
    ----------
    metric : str
        Name of the metric.
    fields : tuple of (str, str)
        Long keys and values in the order of :data:`KEYS`.

    Examples
    --------
    >>> s = Signature.of("wer", {"norm": "uni-v1", "bench": "demo@1#0123456789abcdef", "snr": -7.5})
    >>> str(s)
    'wer|bench:demo@1#0123456789abcdef|snr:-7.5|norm:uni-v1'
    >>> s.short()
    'wer|b:demo@1#01234567|s:-7.5|nm:uni-v1'
    """

    metric: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, metric: str, settings: Mapping[str, object] | Iterable[tuple[str, object]]) -> Signature:
        """Return the signature of *metric* with *settings*; None values are left out.

        Raises
        ------
        ValueError
            For a key outside :data:`KEYS` or a value with ``|`` or a line break in it.
        """
        given = dict(settings)
        unknown = sorted(set(given) - set(KEYS))
        if unknown:
            raise ValueError(f"unknown signature keys {unknown}; known: {list(KEYS)}")
        pairs = []
        for key in KEYS:
            value = given.get(key)
            if value is None:
                continue
            text = f"{value:g}" if isinstance(value, float) else str(value)
            if "|" in text or "\n" in text or not text:
                raise ValueError(
                    f"signature value of {key!r} is empty or has '|' or a line break in it: {text!r}"
                )
            pairs.append((key, text))
        return cls(metric, tuple(pairs))

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Return the signature that *text*, long or short, spells.

        Raises
        ------
        ValueError
            Where *text* is no signature.
        """
        metric, *parts = text.split("|")
        if not metric:
            raise ValueError(f"not a signature: {text!r}")
        pairs = []
        for part in parts:
            key, colon, value = part.partition(":")
            key = key if key in KEYS else _LONG.get(key, "")
            if not colon or not key:
                raise ValueError(f"not a signature: {text!r} (at {part!r})")
            pairs.append((key, value))
        return cls.of(metric, pairs)

    def __str__(self) -> str:
        """Return the long form."""
        return "|".join((self.metric, *(f"{key}:{value}" for key, value in self.fields)))

    def short(self) -> str:
        """Return the short form: abbreviated keys, digests cut to eight characters."""
        pairs = (f"{KEYS[key]}:{cut_digests(value)}" for key, value in self.fields)
        return "|".join((self.metric, *pairs))

    @property
    def digest(self) -> str:
        """blake2b-64 hex digest of the long form."""
        return hashlib.blake2b(str(self).encode(), digest_size=8).hexdigest()

    def get(self, key: str) -> str | None:
        """Return the value of *key*, or None."""
        return dict(self.fields).get(key)

    def extend(self, settings: Mapping[str, object]) -> Signature:
        """Return a signature with *settings* added or replaced."""
        return Signature.of(self.metric, {**dict(self.fields), **settings})

    def settings(self) -> Signature:
        """Return the signature without the coordinates of a single number."""
        return Signature(self.metric, tuple((k, v) for k, v in self.fields if k not in COORDINATES))

    def differences(self, other: Signature) -> list[str]:
        """Return ``key: mine != theirs`` for every key in which *other* differs."""
        mine, theirs = dict(self.fields), dict(other.fields)
        out = [] if self.metric == other.metric else [f"metric: {self.metric} != {other.metric}"]
        return out + [f"{k}: {mine.get(k)} != {theirs.get(k)}" for k in KEYS if mine.get(k) != theirs.get(k)]

    def conflicts(self, other: Signature) -> list[str]:
        """Return the differences that keep the numbers of two entries from being compared.

        What is an entry's own (:data:`ENTRYS_OWN`) may differ. So may ``posed`` where one entry gave vertices: how
        they were made is its own affair; but parameters posed by two models are two measurements. So may
        ``noise`` where one was scored on clean sound alone: the two share no number in noise.

        Examples
        --------
        >>> a = Signature.of("wer", {"norm": "uni-v1", "topology": "flame-5023", "noise": "babble#01234567"})
        >>> a.conflicts(a.extend({"topology": "openhead-1"}))
        []
        >>> a.conflicts(a.extend({"noise": "babble#89abcdef"}))
        ['noise: babble#01234567 != babble#89abcdef']
        """
        either = {"posed", "noise"}
        skipped = ENTRYS_OWN | NAMES | {k for k in either if self.get(k) is None or other.get(k) is None}
        mine, theirs = (
            Signature(s.metric, tuple((k, v) for k, v in s.fields if k not in skipped)) for s in (self, other)
        )
        return [cut_digests(line) for line in mine.differences(theirs)]
