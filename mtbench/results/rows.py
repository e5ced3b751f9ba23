"""Per-clip rows: the sufficient statistics from which every number of a result can be derived again.

Conventions
-----------
One :class:`RecognitionRow` per clip and condition, one :class:`GeometryRow` per clip; ``clips.jsonl`` holds
one JSON object per row, told apart by ``"kind"``. A row that could not be measured (language outside the
recognizer, no ground truth) has ``None`` statistics and a ``reason``; it is never a zero. Error rates are
kept as counts and geometric errors as sums over frames, so that pooled and per-clip averages both follow
from them.

Conditions: ``modality`` is ``"av"`` (audio and video), ``"a"`` (audio only) or ``"v"`` (video only);
``face`` says whose video it was: ``"entry"`` (the submission), ``"static"`` (a face that never moves) or
None (no video). ``snr_db`` and ``noise`` are None for clean audio and for video alone.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

from mtbench.conditions import ENTRY, STATIC, Condition
from mtbench.metrics import METRICS, EditCounts, GeometrySums

MODALITIES = ("av", "a", "v")
FACES = (ENTRY, STATIC)


@dataclass(frozen=True)
class RecognitionRow:
    """What a recognizer made of one clip under one condition.

    Attributes
    ----------
    clip, language, source : str
        Clip id, ISO 639-3 code, and source id (the unit that the bootstrap resamples).
    modality : {"av", "a", "v"}
        What the recognizer was given.
    face : {"entry", "static"} or None
        Whose video; None where none was given.
    snr_db : float or None
        Signal-to-noise ratio asked for; None without noise.
    noise : str or None
        Name of the noise recording; None without noise.
    reference, hypothesis : str or None
        Raw text, before normalization; the hypothesis is None where nothing was recognized.
    reference_phones, hypothesis_phones : tuple of str or None
        IPA phones.
    words, chars, phones : EditCounts or None
        Edit counts of words, characters and phones.
    reason : str or None
        Why there are no counts.
    log_probability : float or None
        Natural logarithm of the probability that the reference had for the recognizer; None where it does not tell.
    tokens : int or None
        Number of phones or other units that it is the probability of.
    """

    clip: str
    language: str
    source: str
    modality: str
    face: str | None
    snr_db: float | None
    noise: str | None
    reference: str
    hypothesis: str | None
    reference_phones: tuple[str, ...] | None = None
    hypothesis_phones: tuple[str, ...] | None = None
    words: EditCounts | None = None
    chars: EditCounts | None = None
    phones: EditCounts | None = None
    reason: str | None = None
    log_probability: float | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise ValueError(f"clip {self.clip}: modality must be one of {MODALITIES}, not {self.modality!r}")
        if (self.face in FACES) != (self.modality != "a") or (self.modality == "a" and self.face is not None):
            raise ValueError(
                f"clip {self.clip}: face {self.face!r} does not go with modality {self.modality!r}"
            )
        if (self.snr_db is None) != (self.noise is None):
            raise ValueError(f"clip {self.clip}: snr_db and noise must be given together or not at all")
        if self.words is None and self.reason is None:
            raise ValueError(f"clip {self.clip}: a row without counts needs a reason")

    @property
    def condition(self) -> Condition:
        """What the recognizer was given."""
        return Condition(self.modality, self.snr_db, self.noise, self.face)

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object; the inverse of :func:`row_from_json`."""
        out: dict[str, Any] = {"kind": "recognition"}
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and f.name in ("log_probability", "tokens"):
                continue  # of recognizers that do not tell
            if isinstance(value, EditCounts):
                value = _plain(value)
            elif isinstance(value, tuple):
                value = " ".join(value)
            out[f.name] = value
        return out


@dataclass(frozen=True)
class GeometryRow:
    """Geometric errors of one clip against its ground truth.

    Attributes
    ----------
    clip, language, source : str
        As in :class:`RecognitionRow`.
    geometry : GeometrySums or None
        None where there is no ground truth to compare with, or none of the same topology.
    reason : str or None
        Why there are none.
    alone : GeometrySums or None
        Statistics of optional metrics that need no ground truth; None where none was asked for.
    speaker : str or None
        Who speaks, where an optional metric compares the clips of a speaker.
    """

    clip: str
    language: str
    source: str
    geometry: GeometrySums | None
    reason: str | None = None
    alone: GeometrySums | None = None
    speaker: str | None = None

    def __post_init__(self) -> None:
        if self.geometry is None and self.reason is None:
            raise ValueError(f"clip {self.clip}: a row without geometry needs a reason")

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object; the inverse of :func:`row_from_json`."""
        out: dict[str, Any] = {
            "kind": "geometry",
            "clip": self.clip,
            "language": self.language,
            "source": self.source,
            "modality": None,
            "geometry": None if self.geometry is None else self.geometry.to_json(),
            "reason": self.reason,
        }
        if self.alone is not None:
            out["alone"] = self.alone.to_json()
        return out if self.speaker is None else out | {"speaker": self.speaker}


Row = RecognitionRow | GeometryRow

# A board reads a hundred thousand rows: what their fields are is asked once.
_RECOGNITION = {"kind", *(f.name for f in fields(RecognitionRow))}
_GEOMETRY = {"kind", "modality", *(f.name for f in fields(GeometryRow))}
_REQUIRED = {"clip", "language", "source", "modality", "face", "snr_db", "noise", "reference", "hypothesis"}
_COUNTS = {f.name for f in fields(EditCounts)}
_COUNTS_REQUIRED = {f.name for f in fields(EditCounts) if f.default is MISSING}


def row_from_json(data: dict[str, Any]) -> Row:
    """Return the row that *data*, one object of ``clips.jsonl``, describes.

    Parameters
    ----------
    data : dict
        As made by ``to_json``.

    Returns
    -------
    RecognitionRow or GeometryRow

    Raises
    ------
    ValueError
        For an unknown kind, a missing or an unknown field; the message names it.

    Examples
    --------
    >>> row = GeometryRow("ita-01", "ita", "ita-udhr-03", None, "no ground truth")
    >>> row_from_json(row.to_json()) == row
    True
    """
    if not isinstance(data, dict):
        raise ValueError(f"a {type(data).__name__}, expected an object with the fields of a row")
    kind = data.get("kind")
    where = f"row of clip {str(data.get('clip'))[:60]!r}"
    if kind == "geometry":
        _check_keys(data, _GEOMETRY, {"clip", "language", "source", "geometry"}, where)
        sums = data["geometry"]
        return GeometryRow(
            data["clip"],
            data["language"],
            data["source"],
            None if sums is None else _read_sums(sums, where, required=True),
            data.get("reason"),
            None if data.get("alone") is None else _read_sums(data["alone"], where, required=False),
            data.get("speaker"),
        )
    if kind == "recognition":
        _check_keys(data, _RECOGNITION, _REQUIRED, where)
        values = {key: value for key, value in data.items() if key != "kind"}
        for key in ("reference_phones", "hypothesis_phones"):
            if values.get(key) is not None:
                if not isinstance(values[key], str):
                    raise ValueError(f"{where}: {key} must be text with blanks between phones")
                values[key] = tuple(values[key].split())
        for key in ("words", "chars", "phones"):
            if values.get(key) is not None:
                values[key] = _read_counts(values[key], where)
        return RecognitionRow(**values)
    raise ValueError(f"{where}: unknown kind {str(kind)[:60]!r}; expected 'recognition' or 'geometry'")


def _read_sums(data: Any, where: str, required: bool) -> GeometrySums:
    metrics = METRICS.every_geometric()
    known = {"frames", *(name for m in metrics for name in m.measures)}
    needed = {"frames", *(m.statistic for m in metrics if m.required and required)}
    if not isinstance(data, dict):
        raise ValueError(
            f"{where}: a {type(data).__name__}, expected an object with {', '.join(sorted(known))}"
        )
    _check_keys(
        data, known, needed, where, "a metric of another version, or of a package that is not installed"
    )
    return GeometrySums.from_json(data)


def _plain(value: EditCounts) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in fields(value)}


def _read_counts(data: Any, where: str) -> EditCounts:
    if not isinstance(data, dict):
        raise ValueError(
            f"{where}: a {type(data).__name__}, expected an object with "
            f"{', '.join(f.name for f in fields(EditCounts))}"
        )
    _check_keys(data, _COUNTS, _COUNTS_REQUIRED, where)
    return EditCounts(**data)


def _check_keys(
    data: dict[str, Any],
    known: set[str],
    required: set[str],
    where: str,
    cause: str = "another schema version",
) -> None:
    if required <= data.keys() <= known:
        return
    missing, unknown = sorted(required - set(data)), sorted(set(data) - known)
    raise ValueError(
        f"{where}: missing fields {missing}, unknown fields {[name[:60] for name in unknown[:10]]}; {cause}?"
    )
