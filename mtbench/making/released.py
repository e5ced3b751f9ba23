"""A benchmark out of the layouts that data sets are released in, or that their users make of them.

Conventions
-----------
========= ========================================================== ======== =========================================
layout    files                                                      rate     clips that are tested on, without a list
========= ========================================================== ======== =========================================
multitalk ``wav/<Language>_<…>.wav``, ``npy/<…>.npz`` with ``verts`` 25       none: all
vocaset   ``wav/<subject>_sentence<n>.wav``, ``vertices_npy/``       60       2 subjects, sentences 21 to 40
biwi      ``wav/<subject>_e<n>.wav``, ``vertices_npy/``              25       sentences 37 to 40 of all subjects
folder    ``wav/``, ``vertices_npy/`` or ``npy/``, or side by side   given    none: all
========= ========================================================== ======== =========================================

``templates.pkl`` beside them holds the resting faces, and is read without being run; ``test.txt``, ``val.txt`` and
``train.txt`` say which clips are which, in any of the field's spellings (:mod:`mtbench.files.clip_lists`). What is
said stands in JSON, as MultiTalk's annotations are (``{"<clip>": {"transcript": …, "language": …}}``, also
``{"<clip>": "<text>"}``), or in ``<clip>.txt`` beside the sound or under ``text/``. VOCASET lies as it is released
(:mod:`mtbench.making.vocaset_release`) or as FaceFormer's script leaves it, BIWI as CodeTalker's do.

Read in postech-ami/MultiTalk (``dataset/data_loader_multi.py``, ``sample_dataset``,
``MultiTalk_dataset/annotations``), EvelynFan/FaceFormer (``data_loader.py``: the splits),
psyai-net/SelfTalk_release (``BIWI/README.md``). Under which name VOCASET releases its sentences could not be
verified: give them as JSON.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.benchmarks import CLIP_ID, Benchmark, load_benchmark
from mtbench.errors import UsageError, list_some
from mtbench.faces import BIWI, FLAME
from mtbench.files import UnsafePickleError, clip_name, explain_no_folder, find_lists, load_arrays, read_lists
from mtbench.making.annotations import Texts
from mtbench.making.folder import Plan, check_plan, make_name, make_of_sources
from mtbench.making.notes import Ledger
from mtbench.making.sources import RECORDING_SUFFIXES, Source
from mtbench.making.truth import MOTION_SUFFIXES
from mtbench.making.vocaset_release import VocasetRelease, is_release
from mtbench.speech import language_code

#: The splits that clips are chosen by, and the names of their lists.
SPLITS = {
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation", "dev"),
    "train": ("train", "training"),
}
_TEXT_FOLDERS = ("text", "texts", "txt", "transcripts")
_TEMPLATES = "templates.pkl"
#: Metres of a unit of BIWI's positions, nominally: UniTalker's factor.
_BIWI_UNIT = 0.2


@dataclass(frozen=True)
class ReleasedLayout:
    """How a data set lies on disk.

    Attributes
    ----------
    motion : tuple of str
        Folders that its motion may lie in.
    fps : float or None
        Frames a second; None where the user has to say.
    language : str or None
        Of all clips; None: by the beginning of their names.
    tested : str or None
        Regular expression of the clips that are tested on where no list says so; None: all.
    by_subject : bool
        Whether the name up to the last ``_`` is a subject's, whom lists may name.
    scale : float
        What positions are multiplied by.
    group : bool
        Whether clips whose names differ in a last number come from one recording.
    topology : str or None
        Of its meshes; None: what their vertex counts tell.
    """

    motion: tuple[str, ...]
    fps: float | None
    language: str | None = None
    tested: str | None = None
    by_subject: bool = False
    scale: float = 1.0
    group: bool = False
    topology: str | None = FLAME.name


LAYOUTS = {
    "multitalk": ReleasedLayout(("npy",), 25.0, group=True),
    "vocaset": ReleasedLayout(
        ("vertices_npy",),
        60.0,
        "eng",
        r"FaceTalk_(?:170809_00138|170731_00024)_TA_sentence(?:2[1-9]|3[0-9]|40)",
        by_subject=True,
    ),
    "biwi": ReleasedLayout(
        ("vertices_npy",),
        25.0,
        "eng",
        r"[FM]\d_e(?:3[7-9]|40)",
        by_subject=True,
        scale=_BIWI_UNIT,
        topology=BIWI.name,
    ),
    "folder": ReleasedLayout(("vertices_npy", "npy", "motion", "wav", "."), None, topology=None),
}


def import_benchmark(
    directory: str | Path,
    source: str | Path,
    layout: str,
    *,
    split: str = "test",
    annotations: str | Path | None = None,
    without_texts: bool = False,
    language: str | None = None,
    motion_fps: float | None = None,
    scale: float | None = None,
    name: str | None = None,
    version: str = "1",
    noise: str | Path | None = None,
    words: str = "none",
    license: str = "",
    tell: Callable[[str], None] | None = None,
) -> Benchmark:
    """Write a benchmark folder out of a released layout and return it loaded.

    Parameters
    ----------
    directory : str or Path
        The new folder; must not exist, or be empty.
    source : str or Path
        The data set's folder.
    layout : str
        One of :data:`LAYOUTS`.
    split : {"test", "val", "train", "all"}
        Which clips: those that the list of that name names; without lists those that the field tests on.
    annotations : str or Path, optional
        What is said: a JSON file, or a folder of them. Else ``<clip>.txt`` beside the sound.
    without_texts : bool
        Take clips whose words are not known too: their geometry can be measured, their lips not read.
    language : str, optional
        Of all clips.
    motion_fps : float, optional
        Frames a second of the ground truth, where it is not the layout's.
    scale : float, optional
        What makes metres of positions, where it is not the layout's.
    name, version, license, noise, words, tell
        As :func:`mtbench.making.folder.create_benchmark` has them.

    Raises
    ------
    UsageError
        For an unknown layout or split, a folder without its files, and lists that name clips no file has.
    BenchmarkError
        With every file that cannot be used.
    """
    root = Path(source)
    known = _look_up(layout, root, motion_fps)
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="mtbench-") as temporary:
        templates = _find_templates(root, scale or known.scale, Path(temporary))
        if layout == "vocaset" and is_release(root):
            root, split = _unpack(root, known, split, Path(temporary), ledger), "all"
        plan = Plan(
            target=Path(directory), folder=root, language=language, name=name or make_name(Path(directory)),
            version=version, license=license, topology=known.topology, motion=None,
            motion_fps=motion_fps or known.fps or 0.0,
            templates=templates, noise=noise, lexicons=None, words=words, group=known.group, strict=False,
            scale=scale or known.scale,
        )  # fmt: skip
        check_plan(plan)
        if plan.scale != 1:
            hint = (
                "BIWI's are scaled speaker by speaker: millimetres are nominal"
                if layout == "biwi"
                else "--scale"
            )
            ledger.note("scaled", "ground truth", f"positions were multiplied by {plan.scale:g}", hint)
        texts = Texts(Path(source), annotations, _TEXT_FOLDERS, by_sentence=layout == "biwi")
        sources = _collect(root, known, layout, split, language, texts, without_texts, ledger)
        told = make_of_sources(plan, sources, ledger)
    if tell is not None:
        for line in told:
            tell(line)
    return load_benchmark(directory)


def _look_up(layout: str, root: Path, motion_fps: float | None) -> ReleasedLayout:
    """Return what is known of a layout; ``UsageError`` where it, its folder or its rate is not."""
    known = LAYOUTS.get(layout)
    if known is None:
        raise UsageError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise UsageError(f"{explain_no_folder(root)}; the {layout} layout is a folder")
    if known.fps is None and motion_fps is None:
        raise UsageError(
            "the files of a folder do not say how many frames a second they have: give --motion-fps 30"
        )
    return known


def _unpack(root: Path, known: ReleasedLayout, split: str, temporary: Path, ledger: Ledger) -> Path:
    """Write the clips of a split of VOCASET as it is released into a folder of its own, and return it."""
    release = VocasetRelease(root)
    chosen = _choose(root, known, split, dict.fromkeys(release.clips, root), ledger)
    place = temporary / "vocaset"
    place.mkdir()
    release.unpack(sorted(chosen), place, ledger)
    ledger.stop(root)
    return place


def _collect(
    root: Path,
    known: ReleasedLayout,
    layout: str,
    split: str,
    language: str | None,
    texts: Texts,
    without_texts: bool,
    ledger: Ledger,
) -> list[Source]:
    """Return the clips of a split, and write into the ledger what is wrong with them, or was passed over."""
    sounds = _list(root, ("wav", "."), RECORDING_SUFFIXES)
    motions = _list(root, known.motion, MOTION_SUFFIXES)
    if not sounds or not motions:
        folder = "wav" if not sounds else known.motion[0]
        what = "recordings" if not sounds else "motion"
        raise UsageError(
            f"{root}: no {what} in {folder}/, which the {layout} layout has; another layout, or folder?"
        )
    chosen = _choose(root, known, split, {**sounds, **motions}, ledger)
    for stem in sorted(chosen & (sounds.keys() ^ motions.keys())):
        lacking = "sound" if stem not in sounds else "motion"
        ledger.note(
            "no-partner",
            stem,
            f"passed over: there is no {lacking} of it",
            "the layout has both under one name",
        )
    sources, silent = [], []
    for stem in sorted(chosen & sounds.keys() & motions.keys()):
        shown = sounds[stem].relative_to(root).as_posix()
        clip = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
        if not re.fullmatch(CLIP_ID, clip):
            ledger.findings.append(f"{shown}: no name for a clip can be made of it; use letters and digits")
            continue
        code = _find_language(stem, shown, language or known.language, texts, ledger)
        text = texts.find(stem, sounds[stem], ledger)
        if text is None:
            silent.append(stem)
        if code is not None and (text is not None or without_texts):
            sources.append(Source(clip, shown, code, text or "", sounds[stem], motions[stem]))
    if silent:
        cure = "their lips cannot be read" if without_texts else "give --annotations JSON, or --without-texts"
        ledger.note("no-text", layout, f"no words for {len(silent)} clips ({list_some(silent)})", cure)
    if not sources and not ledger.findings:
        ledger.findings.append(
            f"none of {len(chosen)} clips can be used: {'; '.join(ledger.summarize()) or 'no files'}"
        )
    return sources


def _list(root: Path, folders: Iterable[str], suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of the first folder that has some, by their clips' names."""
    for folder in folders:
        place = root / folder
        if not place.is_dir():
            continue
        found: dict[str, Path] = {}
        for path in sorted(place.iterdir()):
            if path.name.startswith(".") or path.suffix.lower() not in suffixes or not path.is_file():
                continue
            other = found.setdefault(clip_name(path.name), path)
            if other is not path:
                raise UsageError(f"{place}: {other.name} and {path.name} are the same clip; remove one")
        if found:
            return found
    return {}


def _choose(
    root: Path, known: ReleasedLayout, split: str, files: Mapping[str, Path], ledger: Ledger
) -> set[str]:
    """Return the names of the clips of a split."""
    if split == "all":
        return {*files}
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}; known: {', '.join(SPLITS)}, all")
    subjects: dict[str, list[str]] = {}
    if known.by_subject:
        for stem in files:
            subjects.setdefault(stem.rpartition("_")[0] or stem, []).append(stem)
    listed = [path.name for path, _ in find_lists(root) if path.stem.lower() in SPLITS[split]]
    if listed:
        trained, held_out = read_lists(root, files, subjects)
        chosen = (
            trained or set()
            if split == "train"
            else {stem for stem, name in held_out.items() if name in listed}
        )
        ledger.note(
            "split", listed[0], f"{len(chosen)} of {len(files)} clips are {split}", "--split all takes all"
        )
        return chosen
    if find_lists(root):
        raise UsageError(
            f"{root}: there is no list of {split} clips, {split}.txt; give --split all, or another one"
        )
    if known.tested is None:
        return {*files}
    if split != "test":
        raise UsageError(
            f"{root}: which clips are {split} stands in no list; give --split all, or write {split}.txt"
        )
    chosen = {stem for stem in files if re.fullmatch(known.tested, stem)}
    if not chosen:
        raise UsageError(
            f"{root}: none of the clips that the field tests on is there ({known.tested}); give --split all, or write "
            "test.txt"
        )
    hint = "FaceFormer's and its successors'; --split all takes all"
    ledger.note("split", "test clips", f"{len(chosen)} of {len(files)}: no list says which", hint)
    return chosen


def _find_language(stem: str, shown: str, given: str | None, texts: Texts, ledger: Ledger) -> str | None:
    """Return the language of a clip: what the user or the layout says, its name, its annotation; these must agree."""
    told = texts.language(stem)
    try:
        if given is not None:
            return language_code(given)
        code = language_code(stem.split("_")[0])
    except UsageError as error:
        if told is None:
            ledger.findings.append(f"{shown}: {error}; give --language, or an annotation that has one")
        return told
    if told not in (None, code):
        ledger.findings.append(
            f"{shown}: {code} by its name, {told} by its annotation; rename it, or give --language"
        )
    return code


def _find_templates(root: Path, scale: float, temporary: Path) -> Path | None:
    """Return the resting faces of a data set, None where it has none; scaled ones lie in *temporary*."""
    path = root / _TEMPLATES
    if not path.is_file() or scale == 1:
        return path if path.is_file() else None
    try:
        faces = load_arrays(path.resolve(), None)
    except UnsafePickleError as error:
        raise UsageError(f"{path}: {error}; expected a dictionary of resting faces by name") from None
    for name, face in faces.items():
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
        np.save(temporary / f"{stem}.npy", face.reshape(-1, 3) * scale)
    return temporary
