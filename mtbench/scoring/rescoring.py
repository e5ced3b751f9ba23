"""Counting a run anew from its rows, with another normalizer or a newer mtbench: ``mtbench.rescore``."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from mtbench.results import (
    SCHEMA_VERSION,
    RecognitionRow,
    Run,
    SignatureContext,
    aggregate,
    canonical_rows,
    digest_rows,
    is_understanding_warning,
    list_signatures,
    place_beside,
    place_run,
    read_results,
    remeasure,
    write_results,
)
from mtbench.scoring.rows import judge_understanding, refer
from mtbench.speech import (
    DEFAULT_NORMALIZER,
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
        recognition={**context.recognition, "norm": normalizer},
    )
    clips = dict.fromkeys(_ClipInfo(row.clip, row.language, row.source) for row in rows)
    summary = aggregate(rows, list(clips), context)
    no_words = () if old.understanding is None else old.understanding.no_words
    understanding = (
        None if old.recognizer is None else judge_understanding(old.recognizer.name, rows, no_words)
    )
    warnings = [line for line in old.warnings if not is_understanding_warning(line)]
    if understanding is not None and (warning := understanding.warn()):
        warnings.append(warning)
    run = old.model_copy(
        update={
            "schema_version": SCHEMA_VERSION,
            "understanding": refer(understanding),
            "warnings": tuple(warnings),
            "summary": tuple(summary),
            "signatures": list_signatures(summary, context),
            "settings": {**asdict(context), "normalizer": normalizer},
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
