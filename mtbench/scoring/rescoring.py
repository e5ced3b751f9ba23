"""Counting a run anew from its rows, with another normalizer or a newer mtbench: ``mtbench.rescore``."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.results import (
    NOT_UNDERSTOOD,
    SCHEMA_VERSION,
    RecognitionRow,
    Run,
    SignatureContext,
    Understanding,
    aggregate,
    canonical_rows,
    digest_rows,
    list_signatures,
    place_beside,
    place_run,
    read_results,
    remeasure,
    write_results,
)
from mtbench.scoring.profiles import Profile, load_profile
from mtbench.scoring.rows import judge_understanding, refer
from mtbench.speech import (
    DEFAULT_NORMALIZER,
    ROMAN,
)
from mtbench.work import describe_environment


@dataclass(frozen=True)
class _ClipInfo:
    id: str
    language: str
    source: str


def rescore(folder: str | Path, *, normalizer: str | None = None, out: str | Path | None = None) -> Run:
    """Count and aggregate the rows of a result folder again; nothing is rendered or recognized.

    Parameters
    ----------
    folder : str or Path
        Result folder with ``run.json`` and ``clips.jsonl``.
    normalizer : str, optional
        Another normalizer, see :mod:`mtbench.speech.normalizers`; by default the one that was used.
    out : str or Path, optional
        Folder of results to write to, as for :func:`mtbench.scoring.scoring.score`; by default the folder itself is
        rewritten, or one beside it written where the conditions are others now.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        Where the folder holds no result.
    """
    from mtbench.version import __version__

    folder = Path(folder)
    old, rows = read_results(folder)
    normalizer = normalizer or str(old.settings.get("normalizer", DEFAULT_NORMALIZER))
    rows = canonical_rows(remeasure(r, normalizer) if isinstance(r, RecognitionRow) else r for r in rows)
    names = {f.name for f in dataclasses.fields(SignatureContext)}
    context = SignatureContext(**{key: value for key, value in old.settings.items() if key in names})
    context = dataclasses.replace(
        context,
        common={**context.common, "version": __version__},
        recognition={**context.recognition, **_name_profile(context, normalizer), "norm": normalizer},
    )
    clips = dict.fromkeys(_ClipInfo(row.clip, row.language, row.source) for row in rows)
    summary = aggregate(rows, list(clips), context)
    no_words: tuple[str, ...] = ()
    open_words: tuple[str, ...] = ()
    if old.understanding is not None:
        no_words, open_words = old.understanding.no_words, old.understanding.open_words
    understanding = None
    if old.understanding is not None and old.understanding.unit == "phones":
        # Phones have no normalizer, and those of an engine's reading are not in the rows.
        understanding = Understanding(**old.understanding.model_dump(exclude={"understood"}))
    elif old.recognizer is not None:
        otherwise = "characters" if normalizer == ROMAN else "words"
        understanding = judge_understanding(old.recognizer.name, rows, no_words, open_words, otherwise)
    warnings, place = _keep_warnings(old)
    if understanding is not None and (warning := understanding.warn()):
        warnings.insert(place, (NOT_UNDERSTOOD, warning))
    run = old.model_copy(
        update={
            "schema_version": SCHEMA_VERSION,
            "understanding": refer(understanding),
            "warnings": tuple(text for _, text in warnings),
            "warning_codes": tuple(code for code, _ in warnings),
            "summary": tuple(summary),
            "signatures": list_signatures(summary, context),
            "settings": {**old.settings, **asdict(context), "normalizer": normalizer},
            "environment": describe_environment(),
            "rows_digest": digest_rows(rows),
        }
    )
    here = folder if folder.is_dir() else folder.parent
    target, note = place_beside(here, run) if out is None else place_run(out, run)
    write_results(target, run, rows)
    if note is not None:
        logging.getLogger("mtbench").warning("%s: %s", run.system.name, note)
    return run


def _keep_warnings(old: Run) -> tuple[list[tuple[str, str]], int]:
    """Return codes and texts of the warnings that do not follow from what is counted anew, and where that belongs."""
    if old.warning_codes:
        found = list(zip(old.warning_codes, old.warnings, strict=True))
    else:
        # Files of older versions have no codes; what the recognizer understood says what the warning was.
        told = None
        if old.understanding is not None:
            told = Understanding(**old.understanding.model_dump(exclude={"understood"})).warn()
        found = [(NOT_UNDERSTOOD if text == told else "other", text) for text in old.warnings]
    place = next((i for i, (code, _) in enumerate(found) if code == NOT_UNDERSTOOD), len(found))
    return [(code, text) for code, text in found if code != NOT_UNDERSTOOD], place


def _name_profile(context: SignatureContext, normalizer: str) -> dict[str, str]:
    """Return the run's profile where it has one, named as a score with *normalizer* would name it."""
    told = context.recognition.get("profile")
    if told is None or context.recognition.get("norm") == normalizer:
        return {}
    base, *changed = str(told).split("+")
    try:
        own = load_profile(base).normalizer
    except UsageError:  # of a package that is not here
        own = None
    others = [name for name in changed if name != "normalizer"]
    if normalizer == own:
        return {"profile": "+".join([base, *others])}
    order = [f.name for f in dataclasses.fields(Profile)]
    known = all(name in order for name in others)
    return {"profile": "+".join([base, *sorted([*others, "normalizer"], key=order.index if known else None)])}
