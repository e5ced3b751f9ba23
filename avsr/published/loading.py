"""Loading published recognizers by name and variant: what is installed, or files that are named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mtbench.avsr.base import Recognizer
from mtbench.avsr.by_language import ByLanguage
from mtbench.avsr.published.avhubert_recognizer import PublishedAVHubert, choose_search
from mtbench.avsr.published.catalog import PublishedCheckpoint, find_published
from mtbench.avsr.published.installation import (
    InstalledCheckpoint,
    assign_roles,
    digest_roles,
    find_installed,
)
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
    search, place = choose_search(decoding), device or "cpu"
    known = find_published(recognizer, variant)
    if weights is not None:
        if len(known) > 1:
            raise UsageError(
                f"--weights with {recognizer}: of which checkpoint? Write {recognizer}:{known[0].variant} or another "
                f"of {', '.join(c.variant for c in known)}, or --weights LANGUAGE=FILE"
            )
        files = _find_beside(known[0], Path(weights))
        made = PublishedAVHubert(known[0], files, digest_roles(files), 0, search, place)
        values = (
            made.network.network.state_dict().values()
        )  # loaded now: what is wrong with it is said at once
        made.memory = sum(value.numel() * value.element_size() for value in values)
        return made
    installed = {c.ref: record for c in known if (record := find_installed(c)) is not None}
    if not installed:
        raise PrerequisiteError(_explain_absence(recognizer, known))
    chosen = _choose(recognizer, installed)

    def make(record: InstalledCheckpoint) -> Recognizer:
        files, checkpoint = record.paths(), record.checkpoint
        return PublishedAVHubert(checkpoint, files, record.contents, record.memory, search, place)

    if len(chosen) == 1:
        return make(chosen[0])
    return ByLanguage({record.checkpoint.languages[0]: partial(make, record) for record in chosen})


def _find_beside(checkpoint: PublishedCheckpoint, weights: Path) -> dict[str, Path]:
    if not weights.is_file():
        raise PrerequisiteError(f"{weights}: no such file; expected weights of {checkpoint.ref}")
    names = [file.name for file in checkpoint.files[1:]]
    names += ["config.json", "tokenizer.model", "sentencepiece.bpe.model"]
    names += sorted(path.name for path in weights.parent.glob("dict.*.txt"))
    beside: dict[str, Path] = {}
    for name in names:
        if (path := weights.with_name(name)).is_file():
            (role,) = (r for r in assign_roles(checkpoint, [weights, path]) if r != "weights")
            beside.setdefault(role, path)
    return {"weights": weights, **beside}


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
