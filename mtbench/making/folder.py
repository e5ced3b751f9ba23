"""Making a benchmark folder from recordings, texts and, where there is some, motion.

Conventions
-----------
A clip is a sound (or video) file with a text of the same stem beside it, ``clip.wav`` and ``clip.txt``; its
ground truth, ``clip.npy`` or ``clip.npz``, lies beside it or in a folder of its own. Sound is converted to
mono at 16 kHz in 16 bits. Motion is brought to 25 frames per second; up to two frames more or fewer than the sound
are cut off the longer of the two, more are an error. Everything that is wrong is reported at once and
nothing is written. Everything that is skipped, guessed, converted or altered is told, and stands in the manifest's
``notes``.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mtbench.benchmarks import MANIFEST, Benchmark, load_benchmark
from mtbench.errors import BenchmarkError, UsageError
from mtbench.files import explain_no_folder, make_folder, writing
from mtbench.making.notes import Ledger
from mtbench.making.sources import Source, collect_sources
from mtbench.making.truth import add_templates, describe_rate, find_topology, write_truth
from mtbench.making.word_lists import make_word_lists, start_engine
from mtbench.speech import (
    LONGEST_SECONDS,
    NOT_AUDIBLE,
    SOUND_SUFFIXES,
    display_name,
    find_gap,
    iso_name,
    language_code,
    load_lexicon,
    load_sound,
)
from mtbench.timing import FPS, MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME


def create_benchmark(
    directory: str | Path,
    audio: str | Path,
    *,
    language: str | None = None,
    name: str | None = None,
    version: str = "1",
    topology: str | None = None,
    motion: str | Path | None = None,
    motion_fps: float = float(FPS),
    templates: str | Path | None = None,
    noise: str | Path | None = None,
    lexicons: str | Path | None = None,
    words: str = "none",
    group: bool = False,
    license: str = "",
    strict: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Benchmark:
    """Write a benchmark folder and return it loaded.

    Parameters
    ----------
    directory : str or Path
        The new folder; must not exist, or be empty.
    audio : str or Path
        Folder with sound or video files and texts, searched with all its subfolders.
    language : str, optional
        Language of all clips (code or English name). Without it a file is called ``<Language>_…`` or lies in
        a subfolder called after its language; see :func:`~mtbench.making.sources.guess_language`.
    name : str, optional
        Name of the benchmark; by default the folder's.
    version : str
    topology : str, optional
        Topology of the ground truth; by default what its vertex count tells.
    motion : str or Path, optional
        Folder of ground-truth files, by default beside the sound.
    motion_fps : float
        Frames per second of the ground truth, which is brought to 25.
    templates : str or Path, optional
        Resting faces of the speakers, see :func:`mtbench.faces.templates.read_templates`; a clip is of the speaker
        whose name its file's name begins with, or whose folder it lies in.
    noise : str or Path, optional
        Folder of noise recordings to include.
    lexicons : str or Path, optional
        Folder of word lists ``<code>.tsv`` to include.
    words : {"none", "auto"}
        ``"auto"`` makes word lists and reference phones for the languages that *lexicons* has none for, see
        :mod:`mtbench.making.word_lists` (extra ``[synth]``).
    group : bool
        Clips whose names differ in a last ``_<number>`` only come from one recording, and are resampled
        together in confidence intervals.
    license : str
        Noted in the manifest.
    strict : bool
        What would only be told is an error.
    tell : callable, optional
        Called with a line on everything that was skipped, guessed, converted or altered, about each word list that was
        made, and about words that were read otherwise than written.

    Raises
    ------
    UsageError
        Where a folder is absent, not empty, or an option is wrong.
    BenchmarkError
        With every file that cannot be used.
    PrerequisiteError
        For video files where PyAV is not installed, and for word lists without the extra ``[synth]``.

    Examples
    --------
    >>> create_benchmark("my-clips", "recordings", language="eng").clips  # doctest: +SKIP
    """
    target, folder = Path(directory), Path(audio)
    if not folder.is_dir():
        raise UsageError(f"{explain_no_folder(folder)}; recordings are looked for in a folder")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and is not an empty folder; choose another one")
    if words not in ("none", "auto"):
        raise UsageError(
            f"words can be 'auto' or 'none', not {words!r}; a folder of word lists goes to lexicons"
        )
    if words == "auto":
        start_engine()  # what is missing is told before hours of sound are read
    name = name or re.sub(r"[^a-z0-9._-]+", "-", target.resolve().name.lower()).strip("-._")
    rate = describe_rate(motion_fps)
    ledger = Ledger()
    sources = collect_sources(folder, Path(motion) if motion else None, language, ledger)
    truths = (source.motion for source in sources if source.motion is not None)
    topology = find_topology(truths, topology, ledger.findings)
    ledger.stop(folder, strict)
    make_folder(target.parent)
    work = target.parent / f".{target.name}-{os.getpid()}"
    make_folder(work)
    try:
        lines = ["schema = 1", f"name = {_text(name)}", f"version = {_text(version)}"]
        lines += [f"topology = {_text(topology)}"] if topology else []
        lines += [f"fps = {FPS}", f"sample_rate = {SAMPLE_RATE}"]
        lines += [f"license = {_text(license)}"] if license else []
        head = _add_noise(Path(noise), work, ledger) if noise else []
        head += _add_lexicons(Path(lexicons), work, ledger.findings) if lexicons else []
        head += rate
        faces: dict[str, str] = {}
        if templates is not None:
            names = {source.id: source.sound.relative_to(folder) for source in sources}
            table, faces = add_templates(
                Path(templates), names, topology, work, ledger.findings, ledger.notes
            )
            head += table
        clips = [_add_clip(source, topology, group, work, ledger, motion_fps) for source in sources]
        for source, clip in zip(sources, clips, strict=True):
            own = f"templates/rest-{source.id}.npz"
            if source.id not in faces and (work / own).is_file():
                faces[source.id] = f"template = {_text(own)}"
            if source.id in faces and clip:
                clip.append(faces[source.id])
        ledger.stop(folder, strict)
        told = ledger.summarize()
        if rate and any(source.motion is not None for source in sources):
            told.append(f"ground truth: resampled from {motion_fps:g} to {FPS} frames per second")
        lines += [f"notes = {_text(chr(10).join(told))}"] if told else []
        lines += head + [line for clip in clips for line in clip]
        with writing(target):
            (work / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
        load_benchmark(work)  # names and versions are checked as for any other benchmark
        if words == "auto":
            made = make_word_lists(work)
            told += [*made.describe(), *made.remarks()]
        if target.exists():
            target.rmdir()
        work.rename(target)
        if tell is not None:
            for line in told:
                tell(line)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return load_benchmark(target)


def _write_sound(path: Path, sound: np.ndarray) -> None:
    """Write a FLAC file by way of memory: libsndfile would call a full disk "System error"."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    with writing(path):
        path.write_bytes(content.getbuffer())


def _text(value: str) -> str:
    """Write *value* as a TOML string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _add_clip(
    source: Source, topology: str | None, group: bool, work: Path, ledger: Ledger, motion_fps: float
) -> list[str]:
    sound = _read(source.sound, source.name, ledger, MAX_FRAMES / FPS)
    if sound is None:
        return []
    heard = -(-len(sound) // SAMPLES_PER_FRAME)
    frames = heard
    extra: list[str] = []
    if source.motion is not None and topology is not None:
        frames = write_truth(
            source.motion, source.id, topology, heard, work, ledger.findings, ledger.notes, motion_fps
        )
        extra = [f"motion = {_text(f'motion/{source.id}.npz')}"]
        if frames < heard:
            lost = f"the last {heard - frames} of {heard} frames of sound were cut off"
            ledger.note("sound-cut", source.name, lost, f"the ground truth has {frames}")
    path = work / "audio" / f"{source.id}.flac"
    path.parent.mkdir(exist_ok=True)
    _write_sound(path, sound[: frames * SAMPLES_PER_FRAME])
    recording = re.sub(r"_\d+$", "", source.id) if group else source.id
    return [
        "",
        "[[clips]]",
        f"id = {_text(source.id)}",
        f"language = {_text(source.language)}",
        f"transcript = {_text(source.transcript)}",
        f"audio = {_text(f'audio/{source.id}.flac')}",
        f"frames = {frames}",
        f"source = {_text(recording)}",
        *extra,
    ]


def _read(path: Path, name: str, ledger: Ledger, longest: float = LONGEST_SECONDS) -> np.ndarray | None:
    """Return a file's sound where there is something to be heard; else, or where it is too long, say so."""
    try:
        sound = load_sound(path, longest=longest, name=name)
    except BenchmarkError as error:
        ledger.findings.append(str(error))
        return None
    for note in sound.notes:
        if note.code in NOT_AUDIBLE:
            ledger.findings.append(str(note))
        else:
            ledger.notes.append(note)
    return sound.samples if sound.audible else None


def _add_noise(folder: Path, work: Path, ledger: Ledger) -> list[str]:
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [p for p in entries if p.suffix.lower() in SOUND_SUFFIXES and not p.name.startswith(".")]
    if not files:
        ledger.findings.append(f"{folder}: no noise recordings there; looked for {', '.join(SOUND_SUFFIXES)}")
        return []
    for other in sorted(set(entries) - set(files)):
        what = "a folder" if other.is_dir() else "hidden" if other.name.startswith(".") else "no sound file"
        ledger.note(
            "not-used",
            f"{folder.name}/{other.name}",
            f"passed over: {what}",
            "noise is sound files in one folder",
        )
    (work / "noise").mkdir()
    seen: dict[str, str] = {}
    for file in files:
        shown = f"{folder.name}/{file.name}"
        other_name = seen.setdefault(file.stem.casefold(), shown)
        if other_name != shown:
            ledger.findings.append(f"{shown}: a noise of the same name as {other_name}; rename one")
            continue
        sound = _read(file, shown, ledger)
        if sound is None:
            continue
        if (gap := find_gap(sound)) is not None:
            ledger.note(
                "noise-gap", shown, str(gap), "a clip that falls into it cannot be mixed: cut the silence out"
            )
        _write_sound(work / "noise" / f"{file.stem}.flac", sound)
    return ['noises = "noise"']


def _add_lexicons(folder: Path, work: Path, findings: list[str]) -> list[str]:
    files = sorted(folder.glob("*.tsv")) if folder.is_dir() else []
    if not files:
        findings.append(f"{folder}: no word lists there; expected <code>.tsv, e.g. eng.tsv")
        return []
    (work / "lexicon").mkdir()
    entries: dict[str, Path] = {}
    for file in files:
        try:
            code = language_code(file.stem)
        except UsageError as error:
            # A list for a recognizer of one's own may be in any language of ISO 639-3.
            if iso_name(file.stem) is None:
                findings.append(
                    f"{file.name}: a word list is called after its language, e.g. eng.tsv; {error}"
                )
                continue
            code = file.stem
        other = entries.setdefault(code, file)
        if other is not file:
            findings.append(f"{file.name}: a second word list for {display_name(code)}, beside {other.name}")
            continue
        try:
            load_lexicon(file)
        except BenchmarkError as error:
            findings.append(str(error))
            continue
        shutil.copyfile(file, work / "lexicon" / f"{code}.tsv")
    lines = (f"{code} = {_text(f'lexicon/{code}.tsv')}" for code in entries)
    return [f"lexicons = {{ {', '.join(lines)} }}"]
