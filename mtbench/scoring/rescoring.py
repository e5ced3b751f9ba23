"""Counting a run anew from its rows, by other rules or a newer mtbench: ``mtbench.rescore``.

Conventions
-----------
Of a profile only what counts can be changed afterwards: normalizer, averages, headline rate, what tables show. What
mixed, rendered and searched stays as it was, and the run's profile is named after what has changed of it.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.results import (
    NOT_UNDERSTOOD,
    SCHEMA_VERSION,
    SHOWN,
    Averaging,
    RecognitionRow,
    Run,
    SignatureContext,
    Understanding,
    aggregate,
    canonical_rows,
    clips_of,
    context_of,
    digest_rows,
    list_signatures,
    place_beside,
    place_run,
    read_results,
    remeasure,
    write_results,
)
from mtbench.scoring.profiles import AGGREGATIONS, Profile, load_profile
from mtbench.scoring.roman_letters import RULES, is_romanized, refuse_normalizer
from mtbench.scoring.rows import judge_understanding, refer
from mtbench.speech import (
    DEFAULT_NORMALIZER,
    ROMAN,
)
from mtbench.work import describe_environment

#: The fields of a profile that count what was recognized.
_COUNTING = ("normalizer", "aggregation", "rate", "shown")


def rescore(
    folder: str | Path,
    *,
    normalizer: str | None = None,
    profile: str | Profile | None = None,
    out: str | Path | None = None,
) -> Run:
    """Count and aggregate the rows of a result folder again; nothing is rendered or recognized.

    Parameters
    ----------
    folder : str or Path
        Result folder with ``run.json`` and ``clips.jsonl``.
    normalizer : str, optional
        Another normalizer, see :mod:`mtbench.speech.normalizers`; by default the profile's, or the one that was used.
    profile : str or Profile, optional
        Whose rules of counting apply: averages, headline rate, normalizer, what tables show; by default those that were
        used. The sound that was mixed and the search do not become that profile's: the run's name says what changed.
    out : str or Path, optional
        Folder of results to write to, as for :func:`mtbench.scoring.scoring.score`; by default the folder itself is
        rewritten, or one beside it written where the conditions are others now.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        Where the folder holds no result, or there is no such profile or normalizer.
    """
    folder = Path(folder)
    old, rows = read_results(folder)
    rules = _choose_rules(_read_rules(old), None if profile is None else load_profile(profile), normalizer)
    if is_romanized(old.settings):
        refuse_normalizer(normalizer, "its recognizer" if old.recognizer is None else old.recognizer.name)
        rules |= RULES
    normalizer = rules["normalizer"]
    context = _change_context(old, rules)
    rows = canonical_rows(remeasure(r, normalizer) if isinstance(r, RecognitionRow) else r for r in rows)
    summary = aggregate(rows, clips_of(rows), context)
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
            "settings": _change_settings(old, context, rules),
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


def _read_rules(old: Run) -> dict[str, Any]:
    """Return by which rules a run was counted, by the names of a profile's fields."""
    averaging = old.averaging
    return {
        "normalizer": str(old.settings.get("normalizer", DEFAULT_NORMALIZER)),
        "aggregation": next(name for name, mean in AGGREGATIONS.items() if mean == averaging.mean),
        "rate": averaging.rate,
        "shown": tuple(old.settings.get(SHOWN, ())),
    }


def _choose_rules(rules: dict[str, Any], profile: Profile | None, normalizer: str | None) -> dict[str, Any]:
    """Return the rules to count by: those of *profile* where one is given, with *normalizer* where one is given."""
    if profile is not None:
        rules = {name: getattr(profile, name) for name in _COUNTING}
    return rules if normalizer is None else {**rules, "normalizer": normalizer}


def _change_context(old: Run, rules: dict[str, Any]) -> SignatureContext:
    """Return what the numbers of *old* follow from when they are counted by *rules*."""
    from mtbench.version import __version__

    context = context_of(old)
    averaging = Averaging(AGGREGATIONS[rules["aggregation"]], rules["rate"])
    kept = {key: value for key, value in context.recognition.items() if key not in ("mean", "rate")}
    told = kept.get("profile")
    named = {} if told is None else {"profile": _name_profile(str(told), _read_rules(old), rules)}
    return dataclasses.replace(
        context,
        common={**context.common, "version": __version__},
        recognition={**kept, **named, "norm": rules["normalizer"], **averaging.settings()},
    )


def _change_settings(old: Run, context: SignatureContext, rules: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of *old* as they are after counting by *rules*."""
    kept = {key: value for key, value in old.settings.items() if key != SHOWN}
    shown = {SHOWN: list(rules["shown"])} if rules["shown"] else {}
    return {**kept, **asdict(context), "normalizer": rules["normalizer"], **shown}


def _name_profile(told: str, before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return what a score by the rules *now* would call the profile *told*."""
    if before == now:
        return told
    base, *changed = told.split("+")
    try:
        own = load_profile(base)
    except UsageError:  # of a package that is not here
        own = None

    def differs(name: str) -> bool:
        if own is None:
            return name in changed or before[name] != now[name]
        return bool(getattr(own, name) != now[name])

    names = [name for name in changed if name not in _COUNTING]
    order = [f.name for f in dataclasses.fields(Profile)]
    known = all(name in order for name in names)
    names += filter(differs, _COUNTING)
    return "+".join([base, *sorted(names, key=order.index if known else None)])
