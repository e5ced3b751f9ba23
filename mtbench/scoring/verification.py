"""Scoring a sample of clips again, to see whether a result is what its submission gives.

Conventions
-----------
A result is verified under its own conditions: profile, recognizer, ratios, noises and normalizer are read from it, and
where this installation would score under others (another recognizer, another version of the benchmark) nothing is
verified and the reason is said. Rows are compared field by field: texts and counts have to be equal, sums of distances
and log-probabilities may differ in the digits that machines differ in (:data:`TOLERANCE`).
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtbench.avsr import RecognizerSpec, ask_for
from mtbench.benchmarks import Benchmark
from mtbench.errors import UsageError, list_some
from mtbench.metrics import METRICS
from mtbench.results import RecognitionRow, Row, Run, read_results, round_floats
from mtbench.scoring.pipeline import run_stages
from mtbench.scoring.plan import Plan, make_plan
from mtbench.scoring.profiles import OWN_SEARCH, Profile, load_profile
from mtbench.scoring.rows import build_rows
from mtbench.scoring.run_settings import describe_settings
from mtbench.scoring.stages import load_resources
from mtbench.submissions import MANIFEST, MOTION_FOLDER, Submission, load_submission
from mtbench.work import Cache, Executor, make_progress

#: Largest relative difference of numbers that are no counts.
TOLERANCE = 1e-4
#: Settings of a run that depend on which clips are scored, or that say what made it.
_LOOSE = {"resample", "version"}


@dataclass(frozen=True)
class RowDifference:
    """A field in which a row of a result is not what its submission gives.

    Attributes
    ----------
    clip : str
    condition : str
        As tables name it, with the face; ``"geometry"``.
    field : str
    told, found : str
        What the result says, and what scoring again gave.
    """

    clip: str
    condition: str
    field: str
    told: str
    found: str


@dataclass(frozen=True)
class Verification:
    """What scoring a sample of a result again has shown.

    Attributes
    ----------
    system : str
    clips : tuple of str
        That were scored again.
    equal, close : int
        Rows that are the same, and rows that differ within :data:`TOLERANCE` only.
    differences : tuple of RowDifference
        In all other rows.
    """

    system: str
    clips: tuple[str, ...]
    equal: int
    close: int
    differences: tuple[RowDifference, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify_result(
    result: str | Path,
    submission: str | Path,
    benchmark: Benchmark | str | Path | None = None,
    *,
    clips: int = 5,
    seed: int = 1,
    recognizer: str | RecognizerSpec | None = None,
    noise: str | Path | None = None,
    workers: int | None = None,
    cache: str | Path | None = None,
    progress: bool | None = None,
) -> Verification:
    """Score some clips of a submission again, and compare their rows with those of a result.

    Parameters
    ----------
    result : str or Path
        Result folder.
    submission : str or Path
        The submission that it was made of.
    benchmark : Benchmark, str or Path, optional
        By default the one that the submission's manifest names.
    clips : int
        How many.
    seed : int
        Of their choice: another seed, other clips.
    recognizer : str or RecognizerSpec, optional
        By default the one that the result names; has to be the same one.
    noise, workers, cache, progress
        As for :func:`mtbench.scoring.scoring.score`.

    Raises
    ------
    UsageError
        Where the submission is another one, or would be scored under other conditions here.
    """
    if clips < 1:
        raise UsageError(f"the number of clips must be 1 or more, not {clips}")
    run, rows = read_results(result)
    whole = load_submission(submission, benchmark, allow_partial=run.status == "partial")
    if whole.digest != run.system.digest:
        raise UsageError(
            f"{submission} is not what {result} was made of: its digest is {whole.digest[:8]}, the result's "
            f"{run.system.digest[:8]}; was a file of it changed since?"
        )
    chosen = choose_sample(whole.clips, clips, seed)
    with tempfile.TemporaryDirectory(prefix="mtbench-verify-") as folder:
        sample = _copy_sample(whole, chosen, Path(folder) / "sample")
        plan = _plan_as(run, rows, sample, benchmark, recognizer, noise, cache)
        found = _score_again(plan, workers, progress)
    return _compare(
        run, chosen, [r for r in rows if r.clip in chosen], [r for r in found if r.clip in chosen]
    )


def choose_sample(clips: Sequence[str], number: int, seed: int) -> tuple[str, ...]:
    """Return so many of *clips*, chosen by *seed*, in their order.

    Examples
    --------
    >>> len(choose_sample(["a", "b", "c"], 2, seed=1)), choose_sample(["a"], 5, seed=1)
    (2, ('a',))
    """

    def draw(clip: str) -> bytes:
        return hashlib.blake2b(f"{seed}\x1f{clip}".encode(), digest_size=16).digest()

    kept = set(sorted(clips, key=draw)[:number])
    return tuple(clip for clip in clips if clip in kept)


def _copy_sample(submission: Submission, clips: Sequence[str], folder: Path) -> Path:
    """Write a submission with the files of some clips only."""
    (folder / MOTION_FOLDER).mkdir(parents=True)
    shutil.copyfile(submission.path / MANIFEST, folder / MANIFEST)
    for clip in clips:
        path = submission.motion_path(clip)
        shutil.copyfile(path, folder / MOTION_FOLDER / path.name)
    return folder


def _plan_as(
    run: Run,
    rows: Sequence[Row],
    sample: Path,
    benchmark: Benchmark | str | Path | None,
    recognizer: str | RecognizerSpec | None,
    noise: str | Path | None,
    cache: str | Path | None,
) -> Plan:
    """Return the plan of a score of *sample* under the conditions of *run*."""
    spec = None
    if run.recognizer is not None:
        asked = recognizer or run.recognizer.name
        spec = ask_for(asked) if isinstance(asked, str) else asked
    present = {row.metric for row in run.summary}
    metrics = tuple(name for name in METRICS.optional() if name in present)
    plan = make_plan(sample, benchmark, spec, _profile_as(run, rows), noise, True, cache, metrics)
    mine, theirs = asdict(describe_settings(plan)), run.settings
    found = [
        f"{table}.{key}: {told.get(key)} in the result, {own.get(key)} here"
        for table, own in mine.items()
        if isinstance(own, dict) and isinstance(told := theirs.get(table, {}), dict)
        for key in dict.fromkeys((*told, *own))
        if key not in _LOOSE and round_floats(own.get(key)) != told.get(key)
    ]
    if found:
        raise UsageError(
            f"{run.system.name} cannot be verified here, for it would be scored under other conditions: "
            f"{list_some(found, 4)}. Use the recognizer, benchmark, noises and version of mtbench that the result names"
        )
    return plan


def _profile_as(run: Run, rows: Sequence[Row]) -> Profile:
    """Return the profile that *run* was scored by, with what was changed of it."""
    name, *changed = str(run.settings.get("recognition", {}).get("profile") or "recommended").split("+")
    profile = load_profile(name)
    snrs = dict.fromkeys(
        row.snr_db for row in rows if isinstance(row, RecognitionRow) and row.snr_db is not None
    )
    settings: dict[str, Any] = {"normalizer": run.settings.get("normalizer")}
    if run.recognizer is not None:
        settings["snrs"] = tuple(float(snr) for snr in snrs)
    if "noises" in changed:
        settings["noises"] = tuple(run.settings.get("noises", {}))
    if "squash" in changed:
        settings["squash"] = True
    if "renderer" in changed:
        settings["renderer"] = str(run.settings.get("video", {}).get("render", "")).partition("@")[0]
    if "decoding" in changed:
        told = run.settings.get("recognition", {}).get("dec")
        settings["decoding"] = OWN_SEARCH if told is None else str(told).partition("(")[0]
    return profile.change(**settings)


def _score_again(plan: Plan, workers: int | None, progress: bool | None) -> list[Row]:
    reporter = make_progress(progress)
    reporter.title = f"verifying {plan.submission.system}"
    Cache(plan.setup.cache).sweep()
    with reporter, Executor(workers) as executor:
        outcome = run_stages(plan.setup, plan.conditions, executor, reporter)
    recognizer = load_resources(plan.setup).recognizer
    return build_rows(
        plan.benchmark,
        plan.submission,
        recognizer,
        plan.conditions,
        outcome,
        plan.profile.normalizer,
        plan.setup.metrics,
    )


def _compare(run: Run, clips: tuple[str, ...], told: Sequence[Row], found: Sequence[Row]) -> Verification:
    equal = close = 0
    differences: list[RowDifference] = []
    again = {_name(row): row for row in found}
    for row in told:
        other = again.pop(_name(row), None)
        lines = [("row", "there", "none")] if other is None else list(_differ(row.to_json(), other.to_json()))
        if other is not None and row == other:
            equal += 1
        elif not lines:
            close += 1
        differences += [RowDifference(*_name(row), *line) for line in lines]
    differences += [RowDifference(*name, "row", "none", "there") for name in again]
    return Verification(run.system.name, clips, equal, close, tuple(differences))


def _name(row: Row) -> tuple[str, str]:
    if not isinstance(row, RecognitionRow):
        return row.clip, "geometry"
    return row.clip, row.condition.name + ("" if row.face in (None, "entry") else f" ({row.face} face)")


def _differ(told: Any, found: Any, field: str = "") -> list[tuple[str, str, str]]:
    """Return the fields in which two JSON values differ by more than machines do."""
    if isinstance(told, dict) and isinstance(found, dict):
        keys = dict.fromkeys((*told, *found))
        return [line for k in keys for line in _differ(told.get(k), found.get(k), f"{field}.{k}".strip("."))]
    numbers = type(told) in (int, float) and type(found) in (int, float)
    loose = numbers and float in (type(told), type(found))
    if told == found or (loose and math.isclose(told, found, rel_tol=TOLERANCE, abs_tol=1e-9)):
        return []
    return [(field, *(json.dumps(value, ensure_ascii=False)[:200] for value in (told, found)))]  # type: ignore[list-item]
