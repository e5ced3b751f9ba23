"""What the fields of result files may hold: checked once, where the files are read.

Results are text, and people edit them. Everything that computes or prints numbers relies on what is checked here:
whole and finite numbers of a plausible size, known metrics, modalities and faces, one row a clip and condition.

Conventions
-----------
A check raises ``ValueError`` with field, value and what was expected; :mod:`mtbench.results.run_files` adds file
and line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from mtbench.conditions import Condition
from mtbench.metrics import LOG_ROUNDING, METRICS, EditCounts, GeometrySums
from mtbench.results.rows import FACES, MODALITIES, GeometryRow, RecognitionRow, Row
from mtbench.results.signature import KEYS, Signature

#: Most units of a text, and most frames, in one clip.
MAX_COUNT = 10**7
_STRANGE_METRIC = "Perhaps a newer mtbench wrote it, or a package that defines it is not installed"
#: Largest error, and largest sum of errors, whatever its unit.
MAX_NUMBER = 1e15
#: Most characters of a text and of a name.
MAX_TEXT, MAX_NAME = 100_000, 1_000
#: Most levels of tables within tables.
MAX_DEPTH = 32

_LANGUAGE = re.compile("[a-z]{3}")
#: Fields of a run's settings that signatures are made of, and those that are single names.
_SETTING_TABLES = ("common", "recognition", "audio", "video", "still", "geometry", "noises")
_SETTING_NAMES = ("lips", "upper_face", "normalizer")


def parse_json(text: str) -> Any:
    """Return the value of a JSON text: no NaN, infinities, endless numbers, twofold fields, halves of characters.

    Raises
    ------
    ValueError
        Where it is none.
    """
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_parse_float, object_pairs_hook=_parse_object
        )
        if "\\u" in text:
            json.dumps(
                value, ensure_ascii=False
            ).encode()  # half of a character could be neither printed nor written
    except RecursionError as error:
        raise ValueError(f"tables within tables of more than {MAX_DEPTH} levels") from error
    except ValueError as error:
        if "int_max_str_digits" not in str(error):
            raise
        raise ValueError("a number of thousands of digits") from error
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no number that a computer can hold")
    return value


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(n for n in names if names.count(n) > 1)[:60]!r} occurs twice")
    return table


def check_depth(value: Any, most: int = MAX_DEPTH) -> None:
    """Refuse tables in tables beyond *most* levels: what walks through them calls itself."""
    level = [value]
    for _ in range(most):
        level = [
            item
            for part in level
            if isinstance(part, dict | list)
            for item in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return
    raise ValueError(f"tables within tables of more than {most} levels")


def _expect(holds: bool, field: str, value: Any, expected: str) -> None:
    if not holds:
        shown = (
            "a number of many digits"
            if isinstance(value, int) and value.bit_length() > 200
            else str(value)[:60]
        )
        raise ValueError(f"{field} is {shown!r}, expected {expected}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MAX_NUMBER


def _is_count(value: Any, least: int = 0) -> bool:
    return type(value) is int and least <= value <= MAX_COUNT


def _is_name(value: Any, most: int = MAX_NAME) -> bool:
    """Whether a value may stand in a signature: a line of text without the sign between its fields."""
    return isinstance(value, str) and 0 < len(value) <= most and "|" not in value and value.isprintable()


def _is_text(value: Any, most: int = MAX_TEXT) -> bool:
    return isinstance(value, str) and len(value) <= most


def check_row(row: Row) -> None:
    """Check the types and values of a row's fields."""
    _expect(_is_name(row.clip), "clip", row.clip, "a clip's id")
    _check_language(row.language)
    _expect(_is_text(row.source, MAX_NAME), "source", row.source, "the name of a recording")
    _expect(row.reason is None or _is_text(row.reason), "reason", row.reason, "text or null")
    if isinstance(row, GeometryRow):
        _check_sums(row.geometry)
        _check_sums(row.alone)
        _expect(row.speaker is None or _is_name(row.speaker), "speaker", row.speaker, "a name or null")
        return
    _expect(row.modality in MODALITIES, "modality", row.modality, f"one of {', '.join(MODALITIES)}")
    _expect(row.face is None or row.face in FACES, "face", row.face, f"one of {', '.join(FACES)} or null")
    _check_condition(row.snr_db, row.noise)
    _expect(row.noise != "all", "noise", row.noise, "the name of one recording")
    _expect(_is_text(row.reference), "reference", row.reference, "text")
    _expect(row.hypothesis is None or _is_text(row.hypothesis), "hypothesis", row.hypothesis, "text or null")
    for name in ("words", "chars", "phones"):
        counts: EditCounts | None = getattr(row, name)
        for kind, value in vars(counts).items() if counts is not None else ():
            _expect(_is_count(value), f"{name}.{kind}", value, f"a whole number from 0 to {MAX_COUNT}")
    if (row.words is None) != (row.chars is None) or (row.words is None and row.phones is not None):
        raise ValueError("words and chars are counted together, and phones with them; expected all or none")
    if row.log_probability is not None or row.tokens is not None:
        fine = _is_number(row.log_probability) and float(row.log_probability or 0.0) <= LOG_ROUNDING
        _expect(fine, "log_probability", row.log_probability, "a number up to 0, and tokens with it")
        _expect(_is_count(row.tokens, 1), "tokens", row.tokens, f"a whole number from 1 to {MAX_COUNT}")


def _check_language(code: Any, also: tuple[str, ...] = ()) -> None:
    known = isinstance(code, str) and (_LANGUAGE.fullmatch(code) is not None or code in also)
    _expect(known, "language", code, "an ISO 639-3 code of three letters")


def _check_condition(snr_db: Any, noise: Any) -> None:
    _expect(
        snr_db is None or (_is_number(snr_db) and abs(snr_db) <= 1000), "snr_db", snr_db, "decibels or null"
    )
    _expect(noise is None or _is_name(noise), "noise", noise, "the name of a recording or null")
    if (snr_db is None) != (noise is None):
        raise ValueError("snr_db and noise must be given together or not at all")


def _check_sums(sums: GeometrySums | None) -> None:
    if sums is None:
        return
    _expect(
        _is_count(sums.frames, 1), "geometry.frames", sums.frames, f"a whole number from 1 to {MAX_COUNT}"
    )
    # What depends on a template, and what came later, may be missing.
    needed = {m.statistic for m in METRICS.geometric() if m.required and not m.from_template}
    summed = {
        name for m in METRICS.every_geometric() if m.aggregation in ("frame", "corpus") for name in m.measures
    }
    for name, value in sums.items():
        missing = value is None and name not in needed
        fine = missing or (_is_number(value) and (name not in summed or float(value or 0.0) >= 0))
        _expect(fine, f"geometry.{name}", value, "a number, and a sum of distances from 0 on")


class RowKeeper:
    """Sees that the rows of one file belong together: each condition once, one language and one reference a clip."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, Condition | None]] = set()
        self._clips: dict[str, tuple[str, str]] = {}
        self._lengths: dict[tuple[str, str], int] = {}
        self._references: dict[str, tuple] = {}

    def check(self, row: Row) -> None:
        """Check a row beside those before it."""
        check_row(row)
        condition = row.condition if isinstance(row, RecognitionRow) else None
        if (row.clip, condition) in self._seen:
            raise ValueError(f"a second row of clip {row.clip} under the same condition")
        self._seen.add((row.clip, condition))
        known = self._clips.setdefault(row.clip, (row.language, row.source))
        if known != (row.language, row.source):
            raise ValueError(
                f"clip {row.clip} has language and source {row.language}, {row.source} here, and {', '.join(known)} "
                "in a row before"
            )
        if isinstance(row, RecognitionRow):
            self._check_lengths(row)

    def _check_lengths(self, row: RecognitionRow) -> None:
        """Refuse rows of one clip with references of other lengths: gains are differences over the same words."""
        reference = row.reference, row.reference_phones
        if self._references.setdefault(row.clip, reference) != reference:
            raise ValueError(f"clip {row.clip} has another reference here than in a row before")
        for name in ("words", "chars", "phones"):
            counts: EditCounts | None = getattr(row, name)
            if counts is not None:
                known = self._lengths.setdefault((row.clip, name), counts.reference_length)
                if known != counts.reference_length:
                    raise ValueError(
                        f"{name} of clip {row.clip}: hits, substitutions and deletions are {counts.reference_length} "
                        f"together here, and {known} in a row before; they are the length of one reference"
                    )


def check_summary(summary: Iterable[Any]) -> None:
    """Check the types and values of a run's numbers (:class:`mtbench.results.summary.SummaryRow`)."""
    for number, row in enumerate(summary, 1):
        try:
            _check_summary_row(row)
        except ValueError as error:
            raise ValueError(f"summary, number {number}: {error}") from None


def _check_summary_row(row: Any) -> None:
    _check_coordinates(
        row.metric, row.modality, row.language, row.snr_db, row.noise, row.aggregation, row.unit
    )
    if not (row.estimate is None or _is_number(row.estimate)):
        _expect(False, "estimate", row.estimate, "a number or null")
    if (ends := row.ci95) is not None:
        if not (len(ends) == 2 and _is_number(ends[0]) and _is_number(ends[1]) and ends[0] <= ends[1]):
            _expect(False, "ci95", ends, "two numbers, the lower first, or null")
        if row.estimate is None:
            _expect(False, "estimate", row.estimate, "a number, for there is an interval")
    fine = type(row.n_clips) is int and type(row.n_expected) is int
    if not (fine and 0 <= row.n_clips <= row.n_expected <= MAX_COUNT):
        for name in ("n_clips", "n_expected"):
            value = getattr(row, name)
            _expect(_is_count(value), name, value, f"a whole number from 0 to {MAX_COUNT}")
        _expect(
            row.n_clips <= row.n_expected, "n_clips", row.n_clips, f"at most n_expected, {row.n_expected}"
        )
    _expect(_is_text(row.signature), "signature", row.signature, "a signature")


@lru_cache(maxsize=1 << 16)
def _check_coordinates(
    metric_name: str,
    modality: str | None,
    language: str,
    snr_db: float | None,
    noise: str | None,
    aggregation: str,
    unit: str,
) -> None:
    """Check what a number is about; the runs of a board have the same coordinates, a thousand times a run."""
    metric = METRICS.get(metric_name)
    if metric is None:
        raise ValueError(
            f"unknown metric {metric_name[:60]!r}; known: {', '.join(METRICS)}. {_STRANGE_METRIC}"
        )
    modalities = (None,) if metric.is_geometric else MODALITIES
    _expect(modality in modalities, "modality", modality, f"one of {modalities} for {metric_name}")
    _check_language(language, ("all",))
    _check_condition(snr_db, noise)
    kinds = ("corpus", "frame", "clip", "macro-clip", "macro-language")
    _expect(aggregation in kinds, "aggregation", aggregation, f"one of {', '.join(kinds)}")
    _expect(unit == metric.unit, "unit", unit, f"{metric.unit!r} for {metric_name}")


def check_signatures(signatures: Mapping[str, str]) -> None:
    """Check that every signature of a run can be read."""
    for key, text in signatures.items():
        metric = key.partition("|")[0]
        _expect(
            metric in METRICS,
            "signatures",
            key,
            f"metric or metric|modality. {_STRANGE_METRIC}",
        )
        try:
            Signature.parse(text)
        except ValueError as error:
            raise ValueError(f"signatures, {key}: {str(error)[:200]}") from None


def check_settings(settings: Mapping[str, Any]) -> None:
    """Check the settings that signatures are made of anew."""
    for field in _SETTING_NAMES:
        if field in settings:
            _expect(_is_name(settings[field]), f"settings.{field}", settings[field], "a name")
    shown = settings.get("shown", [])
    fine = isinstance(shown, list) and all(map(_is_name, shown))
    _expect(fine, "settings.shown", shown, "a list of metrics")
    for field in _SETTING_TABLES:
        table = settings.get(field, {})
        _expect(isinstance(table, dict), f"settings.{field}", table, "a table")
        for key, value in table.items():
            where = f"settings.{field}.{key[:60]}"
            if field == "noises":
                _expect(_is_name(key), where, key, "the name of a noise")
            else:
                _expect(
                    key in KEYS, where, key, f"one of {', '.join(KEYS)}. Perhaps a newer mtbench wrote it"
                )
            fine = value is None or _is_number(value) or _is_name(value, MAX_TEXT)
            _expect(fine, where, value, "a name or a number")
