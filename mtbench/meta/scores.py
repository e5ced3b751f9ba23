"""What a recognizer made of every system of the meta-evaluation, clip by clip.

Conventions
-----------
S systems, N clips. Conditions are told by their names, see :class:`mtbench.conditions.Condition`: ``"v"`` (video
alone), ``"av-clean"``, ``"av-7.5/babble"``, ``"av+5/music"``, and the same with ``a`` for sound alone. What no system
can change (sound alone) stands in the ground truth's row. NaN means: this system was not run under that condition, or
the clip has no such reference; errors are counts, never NaN because a recognition failed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.files import digest_bytes, write_atomically
from mtbench.meta.systems import System
from mtbench.results import Sight, parse_json

SCORES_FILE, ARRAYS_FILE = "scores.json", "scores.npz"
SCHEMA = 2
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class MetaScores:
    """Errors of one recognizer on all systems, and the systems' geometric errors.

    Attributes
    ----------
    systems : tuple of System
        S of them, the ground truth first.
    clips, languages : tuple of str
        N clip ids, and the ISO 639-3 code of each.
    conditions : tuple of str
        Keys of *errors*, *phone_errors* and *log_probabilities*.
    errors : mapping of str to (S, N) float64
        Word errors (character errors in the languages whose headline is CER).
    lengths : (N,) float64
        Words (or characters) of the references.
    phone_errors : mapping of str to (S, N) float64
        Phone errors; NaN where the clip has no reference phones.
    phone_lengths : (N,) float64
        Phones of the references; NaN where there are none.
    geometry : mapping of str to (S, N) float64
        Geometric metrics by the names of :data:`mtbench.metrics.registry.METRICS` (``"lve_mm"``,
        ``"fdd_abs_m2"``, …), mean over the clip's frames in that metric's unit; NaN where not defined.
    log_probabilities : mapping of str to (S, N) float64
        Natural logarithms of the probability that the reference had for the recognizer; NaN where it does not tell.
    tokens : (N,) float64
        Number of units that they are the probability of; NaN where there are none.
    others : mapping of str to (S, N) float64
        Mean of the same logarithms with several other clips' faces of the system; NaN where none was shown.
    hypotheses : mapping of (system, condition) to N tuples of str
        Recognized phones per clip, of the ground truth only.
    references : N tuples of str
        Reference phones per clip, empty where there are none.
    facts : mapping
        What it was made with, plain JSON: recognizer, weights' digest, benchmark, seeds, frames per clip.
    sight : Sight or None
        Whether the recognizer reads the benchmark's true motion; None where nobody looked.
    """

    systems: tuple[System, ...]
    clips: tuple[str, ...]
    languages: tuple[str, ...]
    conditions: tuple[str, ...]
    errors: Mapping[str, np.ndarray]
    lengths: np.ndarray
    phone_errors: Mapping[str, np.ndarray]
    phone_lengths: np.ndarray
    geometry: Mapping[str, np.ndarray]
    log_probabilities: Mapping[str, np.ndarray]
    tokens: np.ndarray
    others: Mapping[str, np.ndarray]
    hypotheses: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]]
    references: tuple[tuple[str, ...], ...]
    facts: Mapping[str, Any]
    sight: Sight | None = None

    def __post_init__(self) -> None:
        n, shape = len(self.clips), (len(self.systems), len(self.clips))
        for what, value in (("languages", self.languages), ("references", self.references)):
            if len(value) != n:
                raise ValueError(f"{what}: {len(value)} entries for {n} clips")
        for what, lengths in (
            ("lengths", self.lengths),
            ("phone_lengths", self.phone_lengths),
            ("tokens", self.tokens),
        ):
            if lengths.shape != (n,):
                raise ValueError(f"{what}: shape {lengths.shape}, expected ({n},)")
        for what, arrays in (
            ("errors", self.errors),
            ("phone_errors", self.phone_errors),
            ("log_probabilities", self.log_probabilities),
            ("others", self.others),
            ("geometry", self.geometry),
        ):
            if what != "geometry" and tuple(arrays) != self.conditions:
                raise ValueError(
                    f"{what}: keys {list(arrays)} are not the conditions {list(self.conditions)}"
                )
            for name, array in arrays.items():
                if array.shape != shape:
                    raise ValueError(f"{what}[{name!r}]: shape {array.shape}, expected {shape}")
        for key, phones in self.hypotheses.items():
            if len(phones) != n:
                raise ValueError(f"hypotheses[{key!r}]: {len(phones)} entries for {n} clips")

    def index(self, system: str) -> int:
        """Return the row of the system of this name.

        Raises
        ------
        KeyError
            Where there is none.
        """
        for row, known in enumerate(self.systems):
            if known.name == system:
                return row
        raise KeyError(system)

    def save(self, folder: str | Path) -> None:
        """Write ``scores.npz`` and ``scores.json`` into *folder*, atomically, the same bytes every time."""
        folder = Path(folder)
        buffer = io.BytesIO()
        shape = (0, len(self.systems), len(self.clips))
        stacks = {
            "errors": self.errors,
            "phone_errors": self.phone_errors,
            "log_probabilities": self.log_probabilities,
            "others": self.others,
            "geometry": self.geometry,
        }
        arrays: dict[str, Any] = {
            k: np.array([*v.values()]) if v else np.zeros(shape) for k, v in stacks.items()
        }
        arrays |= {"lengths": self.lengths, "phone_lengths": self.phone_lengths, "tokens": self.tokens}
        np.savez_compressed(buffer, **arrays)
        data = {
            "schema": SCHEMA,
            "arrays": digest_bytes(buffer.getvalue()),
            "systems": [asdict(system) for system in self.systems],
            "clips": self.clips,
            "languages": self.languages,
            "conditions": self.conditions,
            "geometry": list(self.geometry),
            "hypotheses": [[*key, [" ".join(p) for p in value]] for key, value in self.hypotheses.items()],
            "references": [" ".join(phones) for phones in self.references],
            "facts": dict(self.facts),
            "sight": None if self.sight is None else self.sight.to_json(),
        }
        write_atomically(folder / ARRAYS_FILE, buffer.getvalue())
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        write_atomically(folder / SCORES_FILE, f"{text}\n".encode())

    @classmethod
    def load(cls, folder: str | Path) -> MetaScores:
        """Read what :meth:`save` wrote.

        Raises
        ------
        UsageError
            Where *folder* holds no scores, damaged ones, or those of another version.
        """
        folder = Path(folder)
        try:
            for name in (SCORES_FILE, ARRAYS_FILE):
                if (folder / name).stat().st_size > _MAX_BYTES:
                    raise ValueError(f"{name} is larger than {_MAX_BYTES >> 20} MB")
            data = parse_json((folder / SCORES_FILE).read_text("utf-8"))
            raw = (folder / ARRAYS_FILE).read_bytes()
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(
                f"{folder}: no scores of a meta-evaluation can be read ({error}); 'mtbench validate-metric "
                f"--out {folder}' makes them"
            ) from None
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise UsageError(
                f"{folder / SCORES_FILE}: not scores of schema {SCHEMA}; made by another version of mtbench? "
                "Run 'mtbench validate-metric' again"
            )
        if digest_bytes(raw) != data.get("arrays"):
            raise UsageError(
                f"{folder / ARRAYS_FILE}: does not belong to {SCORES_FILE} beside it, a copy of one file only "
                "or damage; run 'mtbench validate-metric' again"
            )
        try:
            return cls._from_json(data, raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(
                f"{folder / SCORES_FILE}: not what was saved there ({type(error).__name__}: {error}), edited by hand? "
                "Run 'mtbench validate-metric' again"
            ) from None

    @classmethod
    def _from_json(cls, data: dict[str, Any], raw: bytes) -> MetaScores:
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            stacks = {name: arrays[name] for name in arrays.files}
        conditions = tuple(data["conditions"])
        told = stacks["log_probabilities"]
        # Scores of before a recognizer's sight was looked at, or there were other clips' faces, have none.
        sight = data.get("sight")
        others = stacks.get("others", np.full_like(told, np.nan))
        for condition in conditions:
            Condition.parse(condition)
        if not isinstance(data["facts"], dict) or not all(
            isinstance(code, str) for code in data["languages"]
        ):
            raise ValueError("facts are no table, or languages no codes")
        return cls(
            systems=tuple(System(**system) for system in data["systems"]),
            clips=tuple(data["clips"]),
            languages=tuple(data["languages"]),
            conditions=conditions,
            errors=dict(zip(conditions, stacks["errors"], strict=True)),
            lengths=stacks["lengths"],
            phone_errors=dict(zip(conditions, stacks["phone_errors"], strict=True)),
            phone_lengths=stacks["phone_lengths"],
            geometry=dict(zip(data["geometry"], stacks["geometry"], strict=True)),
            log_probabilities=dict(zip(conditions, told, strict=True)),
            tokens=stacks["tokens"],
            others=dict(zip(conditions, others, strict=True)),
            hypotheses={
                (system, condition): tuple(tuple(text.split()) for text in phones)
                for system, condition, phones in data["hypotheses"]
            },
            references=tuple(tuple(text.split()) for text in data["references"]),
            facts=data["facts"],
            sight=None if sight is None else Sight.from_json(sight),
        )
