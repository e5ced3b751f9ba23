"""Sound to motion with the reference model: a file, a folder of files.

Conventions
-----------
Sound of any rate and number of channels becomes mono at 16 kHz (:mod:`mtbench.reference_model.recordings`); what was
changed is said in :attr:`Prediction.notes`. Files of a folder are animated in batches, as a benchmark's clips are.
Motion is written as ``vertices``, (T, V, 3) float32 in metres at 25 fps, to compressed ``.npz`` files, whole or not at
all. Of a benchmark: :mod:`mtbench.reference_model.entry`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtbench.errors import BenchmarkError, MtbenchError, PrerequisiteError, UsageError
from mtbench.faces import Motion, explain_unrenderable, load_topology
from mtbench.files import write_atomically
from mtbench.reference_model.conditioning import (
    Language,
    choose_language,
    describe_language,
    language_key,
)
from mtbench.reference_model.recordings import estimate_seconds, find_language, find_recordings, read_speech
from mtbench.reference_model.reference import ReferenceModel
from mtbench.reference_model.templates import default_template
from mtbench.speech import fit_length
from mtbench.timing import FPS, SAMPLES_PER_FRAME
from mtbench.work import Progress

#: Recordings that are animated together, and frames of all of them: bounds memory.
BATCH, BATCH_FRAMES = 16, 2048


@dataclass(frozen=True)
class Prediction:
    """What was made of a sound file.

    Attributes
    ----------
    source : Path
        The sound.
    path : Path
        The ``.npz`` file.
    frames : int
        T.
    notes : tuple of str
        What was converted, and what else a user should know.
    audio : (N,) float32
        The sound as it was used, 16 kHz.
    vertices : (T, V, 3) float32
        Metres.
    """

    source: Path
    path: Path
    frames: int
    notes: tuple[str, ...]
    audio: np.ndarray
    vertices: np.ndarray


def predict_file(
    model: ReferenceModel,
    path: str | Path,
    out: str | Path,
    language: Language | None = None,
    template: np.ndarray | None = None,
    *,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
    gate: bool | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Animate a recording.

    Parameters
    ----------
    model : ReferenceModel
    path : str or Path
        The recording: sound or video.
    out : str or Path
        An ``.npz`` file, or the folder that gets ``<stem>.npz``; what is there is replaced, with a note.
    language : Language, optional
        What is spoken; by default what the file's name begins with (``Italian_…``).
    template : (V, 3) float32, optional
        The speaker's resting face in metres; by default the topology's.
    instead, fallback
        Which language to animate a language as, and what the model does not know; see
        :func:`~mtbench.reference_model.conditioning.choose_language`.
    gate : bool, optional
        Whether the face rests where nobody speaks; by default as the model has it.
    progress : Progress, optional
        Told of each frame.

    Raises
    ------
    UsageError, BenchmarkError, PrerequisiteError
        As :func:`~mtbench.reference_model.recordings.read_speech`, and where the model lacks the language or a face is
        needed.
    """
    source, target = Path(path), Path(out)
    if target.suffix != ".npz":
        target = target / f"{source.stem}.npz"
    job = _Job(source, target, *_condition(model, source, None, language, instead, fallback))
    _check_mapping(instead, [job])
    face = default_template(model.topology, model.network.settings.vertices) if template is None else template
    audio, notes = read_speech(source)
    progress = progress or Progress()
    progress.title = source.name
    with progress, progress.stage("frames", -(-len(audio) // SAMPLES_PER_FRAME)) as advance:
        return _animate(model, [(job, audio, notes)], face, gate, advance)[0]


def predict_folder(
    model: ReferenceModel,
    folder: str | Path,
    out: str | Path,
    language: Language | None = None,
    template: np.ndarray | None = None,
    *,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
    gate: bool | None = None,
    progress: Progress | None = None,
) -> Iterator[Prediction]:
    """Animate every recording of a folder and its subfolders, the shortest first; yield each when it is done.

    Parameters
    ----------
    model, template, instead, fallback, gate
        As for :func:`predict_file`.
    folder : str or Path
        See :func:`~mtbench.reference_model.recordings.find_recordings`.
    out : str or Path
        Folder that gets ``<stem>.npz``, under the same subfolders.
    language : Language, optional
        What is spoken in all of them; by default what each name begins with, or its folder is called.
    progress : Progress, optional
        Told of each recording.

    Raises
    ------
    UsageError
        Before anything is made: where the folder holds no recording, or the language of one is unknown or unknown to
        the model. At the end, where some could not be animated: it names them, and the others are done.
    """
    root = Path(folder)
    recordings = find_recordings(root, besides=out)
    jobs, unknown = [], []
    for recording in recordings:
        target = Path(out) / recording.place.with_name(f"{recording.place.name}.npz")
        try:
            spoken, chosen, notes = _condition(model, recording.path, root, language, instead, fallback)
        except UsageError as error:
            unknown.append(str(error))
            continue
        jobs.append(_Job(recording.path, target, spoken, chosen, (*recording.notes, *notes)))
    if unknown:
        lines = list(dict.fromkeys(unknown))
        many = f"{root}: {len(lines)} problem(s):" + "".join(f"\n  - {line}" for line in lines)
        raise UsageError(lines[0] if len(lines) == 1 else many)
    _check_mapping(instead, jobs)
    face = default_template(model.topology, model.network.settings.vertices) if template is None else template
    failed: list[str] = []
    progress = progress or Progress()
    progress.title = model.name
    with progress, progress.stage("motion", len(jobs)) as advance:
        for batch in _read_batches(jobs, failed, advance):
            for prediction in _animate_each(model, batch, face, gate, failed):
                advance()
                yield prediction
    if failed:
        raise UsageError(
            f"{len(failed)} of {len(jobs)} files could not be animated ({len(jobs) - len(failed)} done):\n"
            + "\n".join(f"  - {line}" for line in sorted(failed))
        )


class _Job(NamedTuple):
    """A recording, where its motion goes, what is spoken, what it is animated in, and what is to be said of it."""

    source: Path
    target: Path
    spoken: str
    language: Language | None
    notes: tuple[str, ...]


def _condition(
    model: ReferenceModel,
    path: Path,
    root: Path | None,
    language: Language | None,
    instead: Mapping[str, str] | None,
    fallback: str | None,
) -> tuple[str, Language | None, tuple[str, ...]]:
    """Return the language of a file for people, the one that it is animated in, and what is to be said of it."""
    known = model.languages
    if not known or isinstance(language, Mapping):
        if instead or fallback:
            raise UsageError(
                "this model was trained without languages: leave out every language option"
                if not known
                else "a blend of languages leaves nothing to map: leave out mapping and fallback"
            )
        model.weigh_languages(language)
        return "", language, ()
    if language is None:
        language = find_language(path, root)
    chosen = choose_language(known, language, instead=instead, fallback=fallback)
    model.weigh_languages(chosen)
    spoken, shown = describe_language(language), describe_language(chosen)
    return spoken, chosen, () if spoken == shown else (f"{spoken} is animated as {shown}",)


def _read_batches(
    jobs: list[_Job], failed: list[str], advance: Callable[[], None]
) -> Iterator[list[tuple[_Job, np.ndarray, tuple[str, ...]]]]:
    """Read recordings, the shortest first, and return them in batches; what cannot be read is noted in *failed*."""
    batch: list[tuple[_Job, np.ndarray, tuple[str, ...]]] = []
    frames = 0
    for job in sorted(jobs, key=lambda job: (estimate_seconds(job.source), job.source)):
        try:
            audio, notes = read_speech(job.source)
        except MtbenchError as error:
            failed.append(str(error))
            advance()
            continue
        own = len(audio) // SAMPLES_PER_FRAME
        if batch and (len(batch) == BATCH or frames + own > BATCH_FRAMES):
            yield batch
            batch, frames = [], 0
        batch.append((job, audio, notes))
        frames += own
    if batch:
        yield batch


def _animate_each(
    model: ReferenceModel,
    batch: list[tuple[_Job, np.ndarray, tuple[str, ...]]],
    face: np.ndarray,
    gate: bool | None,
    failed: list[str],
) -> list[Prediction]:
    """Animate recordings together; one by one where something is wrong with one of them."""
    try:
        return _animate(model, batch, face, gate)
    except (UsageError, BenchmarkError) as error:
        if len(batch) > 1:
            return [made for one in batch for made in _animate_each(model, [one], face, gate, failed)]
        failed.append(f"{batch[0][0].source}: {error}")
        return []


def _animate(
    model: ReferenceModel,
    batch: list[tuple[_Job, np.ndarray, tuple[str, ...]]],
    face: np.ndarray,
    gate: bool | None,
    tick: Callable[[], None] | None = None,
) -> list[Prediction]:
    """Animate recordings together and write their motion; *tick* is called after every frame."""
    motions = model.predict_many(
        [model.encoder.prepare(audio) for _, audio, _ in batch],
        [face] * len(batch),
        [job.language for job, _, _ in batch],
        gate=gate,
        tick=tick,
    )
    made = []
    for (job, audio, notes), motion in zip(batch, motions, strict=True):
        vertices = np.asarray(motion, np.float32)
        replaced = write_motion(job.target, vertices)
        said = (*job.notes, *notes, *motion.notes)
        said += (f"another {job.target.name} was there and was replaced",) if replaced else ()
        made.append(Prediction(job.source, job.target, len(vertices), said, audio, vertices))
    return made


def _check_mapping(instead: Mapping[str, str] | None, jobs: list[_Job]) -> None:
    """Check that each language that is mapped is spoken."""
    spoken = {language_key(job.spoken): job.spoken for job in jobs}
    for name in instead or {}:
        if language_key(name) not in spoken:
            others = ", ".join(sorted(spoken.values()))
            raise UsageError(
                f"no recording speaks {describe_language(name)}, but {others}: leave it out of the mapping"
            )


def require_video(model: ReferenceModel) -> None:
    """Check that the model's motion can be drawn.

    Raises
    ------
    UsageError
        Where its topology is unknown.
    PrerequisiteError
        Where the topology's triangles are not installed.
    """
    if model.topology is None:
        raise UsageError(
            f"the model {model.name} has {model.network.settings.vertices} vertices of no topology known here: "
            "without triangles there is nothing to draw; leave out --video"
        )
    if not load_topology(model.topology).renderable:
        raise PrerequisiteError(explain_unrenderable(model.topology))


def write_video(
    prediction: Prediction, model: ReferenceModel, renderer: str = "software", size: int = 512
) -> Path:
    """Write ``<stem>.mp4`` with sound beside a prediction's ``.npz``; return it.

    Parameters
    ----------
    prediction : Prediction
    model : ReferenceModel
        Whose it is; see :func:`require_video`.
    renderer : str
        Name.
    size : int
        Width and height in pixels.
    """
    from mtbench.renderers import Appearance, load_renderer
    from mtbench.renderers import write_video as write

    require_video(model)
    assert model.topology is not None
    path = prediction.path.with_suffix(".mp4")
    motion = Motion(prediction.vertices, float(FPS), model.topology)
    sound = fit_length(prediction.audio, prediction.frames * SAMPLES_PER_FRAME)
    write(path, load_renderer(renderer), [(load_topology(model.topology), motion)], sound, Appearance(), size)
    return path


def write_motion(path: Path, vertices: np.ndarray) -> bool:
    """Write (T, V, 3) float32 in metres to a compressed ``.npz``, whole or not at all.

    Returns
    -------
    bool
        Whether something else was there.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, vertices=vertices)
    data = buffer.getvalue()
    replaced = path.is_file() and (path.stat().st_size != len(data) or path.read_bytes() != data)
    write_atomically(path, data)
    return replaced
