"""Making a benchmark folder from recordings, texts and, where there is some, motion.

Conventions
-----------
A clip is a sound (or video) file with a text of the same stem beside it, ``clip.wav`` and ``clip.txt``; its
ground truth, ``clip.npy`` or ``clip.npz``, lies beside it or in a folder of its own. Sound is converted to
mono at 16 kHz in 16 bits. Motion is brought to 25 frames per second; up to two frames more or fewer than the sound
are cut off the longer of the two, more are an error. Everything that is wrong is reported at once and
nothing is written.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.audio import load_audio, resample
from mtbench.benchmark import Benchmark, load_benchmark
from mtbench.benchmark_lexicons import make_word_lists, start_engine
from mtbench.benchmark_motion import MOTION_SUFFIXES, add_templates, describe_rate, find_topology, write_truth
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.file_errors import make_folder, writing
from mtbench.language_names import iso_name
from mtbench.languages import display_name, language_code
from mtbench.lexicon import load_lexicon
from mtbench.manifests import CLIP_ID, FPS, MANIFEST, MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME
from mtbench.paths import explain_no_folder

SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
VIDEO_SUFFIXES = (".mpg", ".mpeg", ".mp4", ".mkv", ".mov", ".avi", ".webm")


@dataclass(frozen=True)
class _Source:
    """The files of one clip."""

    id: str
    language: str
    transcript: str
    sound: Path
    motion: Path | None


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
        a subfolder called after its language.
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
        Resting faces of the speakers, see :func:`mtbench.templates.read_templates`; a clip is of the speaker whose
        name its file's name begins with, or whose folder it lies in.
    noise : str or Path, optional
        Folder of noise recordings to include.
    lexicons : str or Path, optional
        Folder of word lists ``<code>.tsv`` to include.
    words : {"none", "auto"}
        ``"auto"`` makes word lists and reference phones for the languages that *lexicons* has none for, see
        :mod:`mtbench.benchmark_lexicons` (extra ``[synth]``).
    group : bool
        Clips whose names differ in a last ``_<number>`` only come from one recording, and are resampled
        together in confidence intervals.
    license : str
        Noted in the manifest.
    tell : callable, optional
        Called with a line about each word list that was made, and about words that were read otherwise than written;
        about a ground truth that was resampled, and templates and clips without a partner.

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
    findings: list[str] = []
    sources = _collect(folder, Path(motion) if motion else None, language, findings)
    topology = find_topology((s.motion for s in sources if s.motion is not None), topology, findings)
    _stop_at(findings, folder)
    make_folder(target.parent)
    work = target.parent / f".{target.name}-{os.getpid()}"
    make_folder(work)
    try:
        lines = ["schema = 1", f"name = {_text(name)}", f"version = {_text(version)}"]
        lines += [f"topology = {_text(topology)}"] if topology else []
        lines += [f"fps = {FPS}", f"sample_rate = {SAMPLE_RATE}"]
        lines += [f"license = {_text(license)}"] if license else []
        lines += _add_noise(Path(noise), work, findings) if noise else []
        lines += _add_lexicons(Path(lexicons), work, findings) if lexicons else []
        lines += rate
        told: list[str] = []
        faces: dict[str, str] = {}
        if templates is not None:
            clips = {source.id: source.sound.relative_to(folder) for source in sources}
            head, faces = add_templates(Path(templates), clips, topology, work, findings, told)
            lines += head
        for source in sources:
            lines += _add_clip(source, topology, group, work, findings, motion_fps)
            own = f"templates/rest-{source.id}.npz"
            if source.id not in faces and (work / own).is_file():
                faces[source.id] = f"template = {_text(own)}"
            lines += [faces[source.id]] if source.id in faces else []
        _stop_at(findings, folder)
        if rate and any(source.motion is not None for source in sources):
            told.append(f"ground truth: resampled from {motion_fps:g} to {FPS} frames per second")
        if tell is not None:
            for line in told:
                tell(line)
        with writing(target):
            (work / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
        load_benchmark(work)  # names and versions are checked as for any other benchmark
        if words == "auto":
            made = make_word_lists(work)
            if tell is not None:
                for line in (*made.describe(), *made.remarks()):
                    tell(line)
        if target.exists():
            target.rmdir()
        work.rename(target)
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


def _stop_at(findings: list[str], folder: Path) -> None:
    if findings:
        lines = "".join(f"\n  - {finding}" for finding in findings)
        raise BenchmarkError(f"no benchmark was made from {folder}; {len(findings)} problem(s):{lines}")


def _text(value: str) -> str:
    """Write *value* as a TOML string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _collect(folder: Path, motion: Path | None, language: str | None, findings: list[str]) -> list[_Source]:
    fixed = language_code(language) if language else None
    sounds = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SOUND_SUFFIXES + VIDEO_SUFFIXES]
    sounds = [p for p in sounds if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    if not sounds:
        findings.append(f"no recordings; looked for {', '.join(SOUND_SUFFIXES + VIDEO_SUFFIXES)}")
    if motion is not None and not motion.is_dir():
        raise UsageError(f"{explain_no_folder(motion)}; ground truth is looked for in a folder")
    beside = {p.stem: p for p in sorted((motion or folder).rglob("*")) if p.suffix in MOTION_SUFFIXES}
    seen: dict[str, Path] = {}
    sources = []
    for sound in sounds:
        shown = sound.relative_to(folder).as_posix()
        clip = re.sub(r"[^A-Za-z0-9._-]+", "-", sound.stem).strip("-._")
        other = seen.setdefault(clip.lower(), sound)
        if other is not sound:
            findings.append(
                f"{shown}: the same clip name as {other.relative_to(folder).as_posix()}; rename one"
            )
            continue
        if not re.fullmatch(CLIP_ID, clip):
            findings.append(f"{shown}: no name for a clip can be made of it; use letters and digits")
            continue
        code = fixed or _guess_language(sound, folder)
        if code is None:
            findings.append(
                f"{shown}: language unknown; give --language, call it '<Language>_{sound.name}', or put it "
                "into a subfolder called after its language"
            )
        transcript = _read_transcript(sound, folder, findings)
        if code is not None and transcript is not None:
            sources.append(_Source(clip, code, transcript, sound, beside.get(sound.stem)))
    return sources


def _guess_language(sound: Path, folder: Path) -> str | None:
    names = [sound.stem.split("_")[0]] if "_" in sound.stem else []
    for candidate in [*names, *reversed(sound.relative_to(folder).parts[:-1])]:
        try:
            return language_code(candidate)
        except UsageError:
            continue
    return None


def _read_transcript(sound: Path, folder: Path, findings: list[str]) -> str | None:
    path = sound.with_suffix(".txt")
    shown = path.relative_to(folder).as_posix()
    if not path.is_file():
        findings.append(f"{shown}: missing; put the words of {sound.name} there")
        return None
    if path.stat().st_size > 100_000:
        findings.append(f"{shown}: {path.stat().st_size} bytes, expected the words of one clip")
        return None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.append(f"{shown}: not UTF-8 text (byte {error.start}); save it as UTF-8")
        return None
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not text:
        findings.append(f"{shown}: empty; put the words of {sound.name} there")
        return None
    return text


def _add_clip(
    source: _Source, topology: str | None, group: bool, work: Path, findings: list[str], motion_fps: float
) -> list[str]:

    try:
        sound = read_sound(source.sound)
    except BenchmarkError as error:
        findings.append(str(error))
        return []
    frames = -(-len(sound) // SAMPLES_PER_FRAME)
    if not 1 <= frames <= MAX_FRAMES:
        findings.append(
            f"{source.sound.name}: {frames} frames, expected 1 to {MAX_FRAMES} (two minutes); cut it"
        )
        return []
    extra: list[str] = []
    if source.motion is not None and topology is not None:
        frames = write_truth(source.motion, source.id, topology, frames, work, findings, motion_fps)
        extra = [f"motion = {_text(f'motion/{source.id}.npz')}"]
    path = work / "audio" / f"{source.id}.flac"
    path.parent.mkdir(exist_ok=True)
    sound = sound[: frames * SAMPLES_PER_FRAME]
    peak = float(np.abs(sound).max())
    _write_sound(path, sound / peak if peak > 1 else sound)
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


def read_sound(path: Path) -> np.ndarray:
    """Return the sound of a sound or video file, (N,) float32 mono at 16 kHz.

    Raises
    ------
    BenchmarkError
        Where the file cannot be read or has no sound.
    PrerequisiteError
        For a video file where PyAV is not installed.
    """
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return load_audio(path)
    try:
        import av
    except ImportError:
        raise PrerequisiteError(
            f"{path}: the sound of a video is read with PyAV; pip install 'multitalk-bench[video]', or "
            "convert it to wav"
        ) from None
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise BenchmarkError(f"{path}: the video has no sound")
            stream = container.streams.audio[0]
            planar = av.AudioResampler(format="fltp")
            pieces, rate, limit = (
                [],
                int(stream.rate),
                MAX_FRAMES * int(stream.rate) // FPS + int(stream.rate),
            )
            count = 0
            for frame in container.decode(stream):
                for plane in planar.resample(frame):
                    pieces.append(plane.to_ndarray().mean(axis=0, dtype=np.float64))
                    count += len(pieces[-1])
                if count > limit:
                    raise BenchmarkError(f"{path}: longer than two minutes; cut it into clips")
    except (av.error.FFmpegError, ValueError) as error:
        raise BenchmarkError(f"{path}: the sound cannot be read: {error}") from None
    if not count:
        raise BenchmarkError(f"{path}: the video has no sound")
    return resample(np.concatenate(pieces).astype(np.float32), rate)


def _add_noise(folder: Path, work: Path, findings: list[str]) -> list[str]:

    files = (
        [p for p in sorted(folder.iterdir()) if p.suffix.lower() in SOUND_SUFFIXES] if folder.is_dir() else []
    )
    if not files:
        findings.append(f"{folder}: no noise recordings there; looked for {', '.join(SOUND_SUFFIXES)}")
        return []
    (work / "noise").mkdir()
    for file in files:
        try:
            sound = load_audio(file)
        except BenchmarkError as error:
            findings.append(str(error))
            continue
        peak = max(1.0, float(np.abs(sound).max()))
        _write_sound(work / "noise" / f"{file.stem}.flac", sound / peak)
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
