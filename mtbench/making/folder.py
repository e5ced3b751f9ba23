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

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.benchmarks import MANIFEST, Benchmark, load_benchmark
from mtbench.errors import UsageError
from mtbench.files import explain_no_folder, format_toml, make_folder, quote_toml, writing
from mtbench.making.additions import add_noise, add_word_lists
from mtbench.making.notes import Ledger
from mtbench.making.recordings import read_sound, write_sound
from mtbench.making.sources import Source, collect_sources
from mtbench.making.truth import add_templates, describe_rate, find_topology, scaled, write_truth
from mtbench.making.word_lists import make_word_lists, start_engine
from mtbench.timing import FPS, MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME


@dataclass(frozen=True)
class Plan:
    """What a benchmark is made of; the options of :func:`create_benchmark`."""

    target: Path
    folder: Path
    language: str | None
    name: str
    version: str
    license: str
    topology: str | None
    motion: str | Path | None
    motion_fps: float
    templates: str | Path | None
    noise: str | Path | None
    lexicons: str | Path | None
    words: str
    group: bool
    strict: bool
    scale: float = 1.0


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
    name, version, license : str
        What stands in the manifest; the name is by default the folder's.
    topology : str, optional
        Topology of the ground truth; by default what its vertex count tells.
    motion : str or Path, optional
        Folder of ground-truth files, by default beside the sound.
    motion_fps : float
        Frames per second of the ground truth, which is brought to 25.
    templates : str or Path, optional
        Resting faces of the speakers, see :func:`mtbench.faces.templates.read_templates`; a clip is of the speaker
        whose name its file's name begins with, or whose folder it lies in.
    noise, lexicons : str or Path, optional
        Folders of noise recordings, and of word lists ``<code>.tsv``, to include.
    words : {"none", "auto"}
        ``"auto"`` makes word lists and reference phones for the languages that *lexicons* has none for, see
        :mod:`mtbench.making.word_lists` (extra ``[synth]``).
    group : bool
        Clips whose names differ in a last ``_<number>`` only come from one recording, and are resampled
        together in confidence intervals.
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
    target = Path(directory)
    plan = Plan(
        target=target, folder=Path(audio), language=language, name=name or make_name(target), version=version,
        license=license, topology=topology, motion=motion, motion_fps=motion_fps, templates=templates, noise=noise,
        lexicons=lexicons, words=words, group=group, strict=strict,
    )  # fmt: skip
    told = _make(plan)
    if tell is not None:
        for line in told:
            tell(line)
    return load_benchmark(target)


def _make(plan: Plan) -> list[str]:
    """Write the folder; return what is told about it."""
    check_plan(plan)
    ledger = Ledger()
    sources = collect_sources(plan.folder, Path(plan.motion) if plan.motion else None, plan.language, ledger)
    return make_of_sources(plan, sources, ledger)


def make_of_sources(plan: Plan, sources: list[Source], ledger: Ledger) -> list[str]:
    """Write the folder of a checked plan from its clips' files; return what is told about it."""
    truths = (source.motion for source in sources if source.motion is not None)
    plan = replace(plan, topology=find_topology(truths, plan.topology, ledger.findings))
    ledger.stop(plan.folder, plan.strict)
    with _unfinished(plan.target) as work:
        told = _fill(plan, sources, work, ledger)
        load_benchmark(work)  # names and versions are checked as for any other benchmark
        if plan.words == "auto":
            made = make_word_lists(work)
            told += [*made.describe(), *made.remarks()]
    return told


def check_plan(plan: Plan) -> None:
    """Refuse what cannot be made, before anything is read."""
    if not plan.folder.is_dir():
        raise UsageError(f"{explain_no_folder(plan.folder)}; recordings are looked for in a folder")
    if plan.target.exists() and (not plan.target.is_dir() or any(plan.target.iterdir())):
        raise UsageError(f"{plan.target} exists and is not an empty folder; choose another one")
    if plan.words not in ("none", "auto"):
        raise UsageError(
            f"words can be 'auto' or 'none', not {plan.words!r}; a folder of word lists goes to lexicons"
        )
    if plan.words == "auto":
        start_engine()  # what is missing is told before hours of sound are read
    describe_rate(plan.motion_fps)


def make_name(target: Path) -> str:
    """Return the name of a benchmark that is called as its folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", target.resolve().name.lower()).strip("-._")


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Give a folder beside *target* that takes its place once everything in it is written, and else is removed."""
    make_folder(target.parent)
    work = target.parent / f".{target.name}-{os.getpid()}"
    make_folder(work)
    try:
        yield work
        if target.exists():
            target.rmdir()
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fill(plan: Plan, sources: list[Source], work: Path, ledger: Ledger) -> list[str]:
    """Write the benchmark's files, the manifest last; return what is told about them."""
    tables = _write_files(plan, sources, work, ledger)
    ledger.stop(plan.folder, plan.strict)
    told = ledger.summarize()
    if plan.motion_fps != FPS and any(source.motion is not None for source in sources):
        told.append(f"ground truth: resampled from {plan.motion_fps:g} to {FPS} frames per second")
    fields = {
        "schema": 1,
        "name": plan.name,
        "version": plan.version,
        "topology": plan.topology,
        "fps": FPS,
        "sample_rate": SAMPLE_RATE,
        "license": plan.license,
        "notes": "\n".join(told),
    }
    optional = ("topology", "license", "notes")
    head = format_toml({key: value for key, value in fields.items() if value or key not in optional})
    with writing(plan.target):
        (work / MANIFEST).write_text("\n".join([head.rstrip("\n"), *tables]) + "\n", encoding="utf-8")
    return told


def _write_files(plan: Plan, sources: list[Source], work: Path, ledger: Ledger) -> list[str]:
    """Write sound, motion, faces, noise and word lists; return the lines of ``benchmark.toml`` that name them."""
    lines = add_noise(Path(plan.noise), work, ledger) if plan.noise else []
    lines += add_word_lists(Path(plan.lexicons), work, ledger.findings) if plan.lexicons else []
    lines += describe_rate(plan.motion_fps)
    faces: dict[str, str] = {}
    if plan.templates is not None:
        names = {source.id: source.sound.relative_to(plan.folder) for source in sources}
        table, faces = add_templates(
            Path(plan.templates), names, plan.topology, work, ledger.findings, ledger.notes
        )
        lines += table
    for source in sources:
        lines += _add_clip(source, plan, work, ledger, faces)
    return lines


def _add_clip(source: Source, plan: Plan, work: Path, ledger: Ledger, faces: Mapping[str, str]) -> list[str]:
    """Write sound and ground truth of a clip; return its table, none where its sound cannot be used.

    *faces* are the lines that name the speakers' faces, by clip.
    """
    sound = read_sound(source.sound, source.name, ledger, MAX_FRAMES / FPS)
    if sound is None:
        return []
    heard = frames = -(-len(sound) // SAMPLES_PER_FRAME)
    more: list[str] = []
    if source.motion is not None and plan.topology is not None:
        with scaled(source.motion, plan.scale, work) as motion:
            frames = write_truth(
                motion,
                source.id,
                plan.topology,
                heard,
                work,
                ledger.findings,
                ledger.notes,
                plan.motion_fps,
            )
        more = [f"motion = {quote_toml(f'motion/{source.id}.npz')}"]
        if frames < heard:
            lost = f"the last {heard - frames} of {heard} frames of sound were cut off"
            ledger.note("sound-cut", source.name, lost, f"the ground truth has {frames}")
    own = f"templates/rest-{source.id}.npz"  # written with a ground truth that was resampled
    if source.id in faces:
        more.append(faces[source.id])
    elif (work / own).is_file():
        more.append(f"template = {quote_toml(own)}")
    path = work / "audio" / f"{source.id}.flac"
    path.parent.mkdir(exist_ok=True)
    write_sound(path, sound[: frames * SAMPLES_PER_FRAME])
    fields = {
        "id": source.id,
        "language": source.language,
        "transcript": source.transcript,
        "audio": f"audio/{source.id}.flac",
        "frames": frames,
        "source": re.sub(r"_\d+$", "", source.id) if plan.group else source.id,
    }
    return ["", "[[clips]]", format_toml(fields).rstrip("\n"), *more]
