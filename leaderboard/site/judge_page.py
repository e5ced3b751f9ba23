"""What the recognizer of each table understands of the speech, and whether it reads the true mouths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtbench.leaderboard.site.sections import Section
from mtbench.results import Run, Sight, SummaryRow, Understanding
from mtbench.speech import display_name

_SIGHT_NAMES = {
    "true": "error with the true mouth",
    "static": "error with a mouth that does not move",
    "shuffled": "error with the mouth of another clip",
    "static-true": "by how much the static mouth is worse",
    "shuffled-true": "by how much the other mouth is worse",
    "v.true": "without sound: error with the true mouth",
    "v.shuffled": "without sound: error with the mouth of another clip",
    "v.shuffled-true": "without sound: by how much the other mouth is worse",
    "first": "without sound: how often the true motion is the most probable of all",
    "percentile": "without sound: place of the true motion among others (50 is chance)",
}


def make_judge(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what the template of the page on recognizers is filled with."""
    found: dict[tuple, tuple[Section, Run]] = {}
    for section in sections:
        for entry in section.all:
            run = entry.run
            if run.recognizer is None:
                continue
            told = (run.understanding, run.sight)
            key = (section.benchmark, run.benchmark.digest, section.recognizer, section.profile, repr(told))
            found.setdefault(key, (section, run))
    return {
        "title": "What the judge understands",
        "page": "judge",
        "verdicts": [_judge(section, run) for section, run in found.values()],
    }


def _judge(section: Section, run: Run) -> dict[str, Any]:
    understanding = sight = None
    if run.understanding is not None:
        understanding = Understanding(**run.understanding.model_dump(exclude={"understood"}))
    if run.sight is not None:
        sight = Sight.from_json(run.sight.model_dump(mode="json"))
    noisy = sorted(
        {r.snr_db for r in run.summary if r.modality == "a" and r.snr_db is not None}, reverse=True
    )
    columns = [None, *noisy]
    codes = sorted({row.language for row in run.summary} - {"all"}, key=display_name)
    return {
        "section": section,
        "understanding": understanding,
        "understood": {True: "understands this speech", False: "does not understand this speech"}.get(
            None if understanding is None else understanding.understood,  # type: ignore[arg-type]
            "cannot be judged on this speech",
        ),
        "sight": sight,
        "reads": {True: "reads these mouths", False: "cannot read these mouths"}.get(
            None if sight is None else sight.reads,  # type: ignore[arg-type]
            "was not checked on these mouths",
        ),
        "numbers": [
            (_SIGHT_NAMES.get(name, name), number)
            for name, number in sorted(
                ({} if sight is None else sight.numbers).items(), key=lambda item: _order(item[0])
            )
        ],
        "columns": ["clean" if snr is None else f"{snr:g} dB".replace("-", "−") for snr in columns],
        "rows": [
            {
                "name": display_name(code),
                "error": None if understanding is None else understanding.by_language.get(code),
                "note": _note(understanding, code),
                "cells": [_tell(_find(run, code, snr)) for snr in columns],
            }
            for code in codes
        ],
    }


def _order(name: str) -> tuple[int, str]:
    known = list(_SIGHT_NAMES)
    return (known.index(name) if name in known else len(known), name)


def _note(understanding: Understanding | None, code: str) -> str:
    if understanding is None:
        return ""
    if code in understanding.no_words:
        return "no word list: words are no verdict"
    if code in understanding.strange:
        return f"above {understanding.limit:g} %: not understood"
    if code in understanding.open_words:
        return "open vocabulary"
    return "" if code in understanding.by_language else "not covered"


def _find(run: Run, code: str, snr: float | None) -> SummaryRow | None:
    return run.numbers.find("headline", code, modality="a", snr_db=snr, noise=None if snr is None else "all")


def _tell(row: SummaryRow | None) -> str:
    if row is None or row.estimate is None:
        return "–"
    half = "" if row.ci95 is None else f" ±{(row.ci95[1] - row.ci95[0]) / 2:.1f}"
    return f"{row.estimate:.1f}{half}"
