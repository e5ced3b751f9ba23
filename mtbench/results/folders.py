"""Where results lie: one folder a system, one in it for each benchmark and each set of conditions.

Conventions
-----------
``<out>/<system>/<benchmark>`` holds the first result of a system on a benchmark; results under other conditions
(recognizer, noise, normalizer, another version of the benchmark, …) stand beside it as ``<benchmark>+<digest>``.
A result is replaced only by one of the same system under the same conditions. System names that are not plain
(lower or upper-case ASCII letters, digits, hyphens) carry a digest after ``_``, so that two names never share a folder;
two plain names that differ in case only are told apart when the second is written.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.files import slugify
from mtbench.results.comparability import name_reference
from mtbench.results.run_files import Run, find_runs, read_run
from mtbench.results.signature import NAMES, Signature, cut_digests


def place_run(out: Path | str, run: Run) -> tuple[Path, str | None]:
    """Return the folder that the files of *run* belong to, and what to tell about it.

    Parameters
    ----------
    out : Path or str
        Folder of results.
    run : Run
        What is to be written.

    Returns
    -------
    folder : Path
        Free, or holding an older result of the same system under the same conditions.
    note : str or None
        One line where the folder is not the plain one, or where an older result is replaced.
    """
    first = results_folder(out, run.system.name, run.benchmark.name)
    home, stranger = _choose_home(first.parent, run.system.name)
    plain = home / first.name
    note = None
    if stranger is not None:
        note = f"{first.parent} holds results of {stranger!r}: those of {run.system.name!r} are in {home}"
    return place_beside(plain, run, note)


def place_beside(plain: Path, run: Run, note: str | None = None) -> tuple[Path, str | None]:
    """Return *plain*, or a folder beside it where *plain* holds a result under other conditions.

    Parameters
    ----------
    plain : Path
        Folder that is wanted.
    run : Run
        What is to be written.
    note : str, optional
        What there is to tell already.

    Returns
    -------
    folder, note
        As for :func:`place_run`.
    """
    notes = [] if note is None else [note]
    folder = plain
    old, conditions = _read_old(plain), conditions_digest(run)
    if old is not None and (isinstance(old, str) or conditions_digest(old) != conditions):
        folder = plain.with_name(f"{plain.name.partition('+')[0]}+{conditions}")
        why = old if isinstance(old, str) else f"a result under other conditions ({_name_change(old, run)})"
        notes.append(f"{plain} holds {why}, which is kept; this one is in {folder}")
        old = _read_old(folder)
        if isinstance(old, str):
            raise UsageError(f"{folder} holds {old}; move it away, or give another folder (--out)")
    if isinstance(old, Run) and old.system.digest != run.system.digest:
        notes.append(
            f"replaced the result of another version of this submission in {folder} "
            f"(digest {old.system.digest[:8]}, now {run.system.digest[:8]})"
        )
    return folder, "; ".join(notes) or None


def conditions_digest(run: Run) -> str:
    """Return 8 hex digits over everything that the numbers of *run* follow from but the submission itself."""
    numbers = {(row.metric, row.modality or "", str(row.snr_db), row.noise or "") for row in run.summary}
    facts = [
        run.benchmark.model_dump(),
        None if run.recognizer is None else run.recognizer.model_dump(),
        run.status,
        sorted((key, _leave_names_out(text)) for key, text in run.signatures.items()),
        sorted(numbers),
    ]
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _leave_names_out(signature: str) -> str:
    """Return a signature without what its settings are called together: results of older versions do not tell it."""
    return "|".join(part for part in signature.split("|") if part.partition(":")[0] not in NAMES)


def _choose_home(folder: Path, system: str) -> tuple[Path, str | None]:
    """Return the folder of *system*, and whose results lie in its plain one, if another's."""
    for found in find_runs(folder) if folder.is_dir() else []:
        try:
            name = read_run(found).system.name
        except UsageError:
            continue
        if name != system and folder_name(name) == folder.name:
            return folder.with_name(mark_name(folder.name, system)), name
    return folder, None


def _read_old(folder: Path) -> Run | str | None:
    """Return the result in *folder*, what there is instead of one, or None where there is nothing."""
    if not (folder / "run.json").exists():
        return None
    try:
        return read_run(folder)
    except UsageError as error:
        return f"a result that cannot be read ({error})"


def _name_change(old: Run, new: Run) -> str:
    """Return the first few things in which the conditions of two runs differ."""
    found = []
    for name in ("benchmark", "recognizer", "status"):
        mine, theirs = getattr(old, name), getattr(new, name)
        if mine != theirs:
            found.append(f"{name}: {_show(mine)}, now {_show(theirs)}")
    for key in sorted(set(old.signatures) & set(new.signatures)):
        before, now = (Signature.parse(_leave_names_out(run.signatures[key])) for run in (old, new))
        differences = before.differences(now)
        found += [cut_digests(line).replace(" != ", ", now ") for line in differences]
    if not found:
        found.append("other signal-to-noise ratios or noises")
    return "; ".join(list(dict.fromkeys(found))[:3])


def _show(value: object) -> str:
    return value if isinstance(value, str) else name_reference(value)


#: Characters of a system's name that go into its folder's; file systems take 255, with what is added to them.
LONGEST_NAME = 100


def folder_name(name: str) -> str:
    """Return the folder name of a system called *name*, with a digest of it unless the name is plain.

    Examples
    --------
    >>> folder_name("VOCA"), folder_name("VOCA++")
    ('voca', 'voca_19836c81')
    """
    slug = slugify(name)[:LONGEST_NAME].rstrip("-")
    if slug == name.lower():
        return slug
    return mark_name(slug, name)


def mark_name(slug: str, name: str) -> str:
    """Return *slug* followed by ``_`` and a digest of *name*."""
    return f"{slug}_{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def results_folder(out: Path | str, system: str, benchmark: str) -> Path:
    """Return where the first results of *system* on *benchmark* lie below *out*: ``<out>/<system>/<benchmark>``.

    Results under other conditions lie beside it, see :mod:`mtbench.results.folders`; where a run was written is in
    :attr:`Run.folder`.
    """
    return Path(out) / folder_name(system) / benchmark
