"""Loading published recognizers by name and variant: what is installed, or files that are named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mtbench.avsr.base import Recognizer
from mtbench.avsr.by_language import ByLanguage
from mtbench.avsr.published.catalog import PublishedCheckpoint, find_published
from mtbench.avsr.published.installation import (
    InstalledCheckpoint,
    add_settings,
    assign_roles,
    digest_roles,
    find_installed,
)
from mtbench.avsr.published.kinds import KINDS, Brought, measure_memory
from mtbench.errors import PrerequisiteError, UsageError


def load_published(
    recognizer: str,
    weights: str | Path | None = None,
    decoding: str | None = None,
    device: str | None = None,
    variant: str = "",
) -> Recognizer:
    """Return a published recognizer.

    Parameters
    ----------
    recognizer : str
        E.g. ``"muavic"``.
    weights : path, optional
        A file of weights, with the files that belong to it beside it under their published names; by default what was
        added with ``mtbench weights add``.
    decoding : str, optional
        Name of its search.
    device : str, optional
        Where it computes.
    variant : str
        Which of its checkpoints; empty for every installed one, each for its language.

    Raises
    ------
    UsageError
        For an unknown variant or search, files that are not such a checkpoint, or several that are for one language.
    PrerequisiteError
        Where nothing is installed.
    """
    place = device or "cpu"
    known = find_published(recognizer, variant)
    if weights is not None:
        if len(known) > 1:
            raise UsageError(
                f"--weights with {recognizer}: of which checkpoint? Write {recognizer}:{known[0].variant} or another "
                f"of {', '.join(c.variant for c in known)}, or --weights LANGUAGE=FILE"
            )
        files = _find_beside(known[0], Path(weights))
        kind = KINDS[known[0].kind]
        _, memory = measure_memory(kind.read(known[0], files))  # what is wrong with it is said at once
        return kind.recognize(Brought(known[0], files, digest_roles(files), memory), decoding, place)
    installed = {c.ref: record for c in known if (record := find_installed(c)) is not None}
    if not installed:
        raise PrerequisiteError(_explain_absence(recognizer, known))
    chosen = _choose(recognizer, installed)

    def make(record: InstalledCheckpoint) -> Recognizer:
        brought = Brought(record.checkpoint, record.paths(), record.contents, record.memory)
        return KINDS[record.checkpoint.kind].recognize(brought, decoding, place)

    if len(chosen) == 1:
        return make(chosen[0])
    return ByLanguage({record.checkpoint.languages[0]: partial(make, record) for record in chosen})


def _find_beside(checkpoint: PublishedCheckpoint, weights: Path) -> dict[str, Path]:
    if not weights.is_file():
        found_there = "a folder, not a file" if weights.is_dir() else "no such file"
        raise PrerequisiteError(f"{weights}: {found_there}; expected weights of {checkpoint.ref}")
    names = [file.name for file in checkpoint.files[1:]]
    names += [name for name in ("sentencepiece.bpe.model",) if name not in names]
    found = {"weights": weights}
    for path in filter(Path.is_file, map(weights.with_name, names)):
        found = {**assign_roles(checkpoint, [weights, path]), **found}
    return add_settings(checkpoint, found)


def _choose(recognizer: str, installed: Mapping[str, InstalledCheckpoint]) -> list[InstalledCheckpoint]:
    """Return one checkpoint a language: those of one language before one of many."""
    records = list(installed.values())
    alone = [record for record in records if len(record.checkpoint.languages) == 1]
    chosen = alone or records
    languages = [language for record in chosen for language in record.checkpoint.languages]
    if len(set(languages)) < len(languages):
        raise UsageError(
            f"several checkpoints of {recognizer} are installed for one language: {', '.join(installed)}; say which"
        )
    return chosen


def _explain_absence(recognizer: str, known: list[PublishedCheckpoint]) -> str:
    first = known[0]
    several = f" (or another variant: {', '.join(c.variant for c in known)})" if len(known) > 1 else ""
    return (
        f"no weights of {recognizer if several else first.ref} are installed. They are published under {first.license} "
        f"at {first.page} and mtbench may not ship them; download them and type\n  {first.add_line}{several}\n"
        "'mtbench weights ls' lists all"
    )
