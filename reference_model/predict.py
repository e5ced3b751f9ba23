"""Sound to motion with the reference model: a file, a folder of files, a benchmark.

Conventions
-----------
Sound of any rate and number of channels becomes mono at 16 kHz (:func:`mtbench.audio.load_audio`); what was changed is
said in :attr:`Prediction.notes`. Motion is written as ``vertices``, (T, V, 3) float32 in metres at 25 fps, to
compressed ``.npz`` files, whole or not at all.

A submission is made batch by batch: its clips are sorted by length and cut into batches once and for all, so that one
that was stopped and goes on has the same bytes as one that was not. ``submission.toml`` is written last.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.audio import fit_length, load_audio
from mtbench.benchmark import Benchmark, Clip, load_benchmark
from mtbench.cache import digest_array, write_atomically
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.ground_truth import template_face
from mtbench.manifests import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from mtbench.motion import Motion
from mtbench.progress import Progress
from mtbench.reference_model.claims import claim_folder
from mtbench.reference_model.conditioning import Conditioning, Language, plan_conditioning
from mtbench.reference_model.reference import LONGEST, ReferenceModel
from mtbench.reference_model.templates import default_template
from mtbench.submission import MANIFEST, MOTION_FOLDER
from mtbench.topology import load_topology

#: Endings of files that count as sound in a folder.
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")
#: Clips that are animated together.
BATCH = 16


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


def read_speech(path: str | Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a sound file as mono at 16 kHz.

    Parameters
    ----------
    path : str or Path
        Anything libsndfile reads.

    Returns
    -------
    audio : (N,) float32
    notes : tuple of str
        What had to be converted.

    Raises
    ------
    UsageError
        Where there is no such file.
    BenchmarkError
        Where it is unreadable, empty, longer than an hour, or holds NaN or infinities.
    """
    import soundfile

    file = Path(path)
    if not file.is_file():
        raise UsageError(f"{file}: there is no such sound file")
    audio = load_audio(file)
    info = soundfile.info(str(file))
    notes = []
    if info.channels > 1:
        notes.append(f"{info.channels} channels were averaged to one")
    if info.samplerate != SAMPLE_RATE:
        lost = f"; there is no speech above {info.samplerate / 2000:g} kHz in it"
        notes.append(
            f"resampled from {info.samplerate} Hz to {SAMPLE_RATE} Hz"
            + (lost if info.samplerate < SAMPLE_RATE else "")
        )
    if not np.any(audio):
        notes.append("the sound is silent")
    return audio, tuple(notes)


def predict_file(
    model: ReferenceModel,
    path: str | Path,
    out: str | Path,
    language: Language | None,
    template: np.ndarray | None = None,
) -> Prediction:
    """Animate a sound file.

    Parameters
    ----------
    model : ReferenceModel
    path : str or Path
        The sound.
    out : str or Path
        An ``.npz`` file, or the folder that gets ``<stem>.npz``; what is there is replaced.
    language : Language or None
        None only where the model was trained without languages.
    template : (V, 3) float32, optional
        The speaker's resting face in metres; by default the topology's.

    Raises
    ------
    UsageError, BenchmarkError, PrerequisiteError
        As :func:`read_speech`, and where the model lacks the language or a face is needed.
    """
    source, target = Path(path), Path(out)
    if target.suffix != ".npz":
        target = target / f"{source.stem}.npz"
    model.weigh_languages(language)  # an unknown language is told before anything is done
    audio, notes = read_speech(source)
    face = default_template(model.topology, model.network.settings.vertices) if template is None else template
    motion = model.predict(model.encoder.prepare(audio), face, language)
    vertices = np.asarray(motion, np.float32)
    _write_motion(target, vertices)
    return Prediction(source, target, len(vertices), (*notes, *motion.notes), audio, vertices)


def predict_folder(
    model: ReferenceModel,
    folder: str | Path,
    out: str | Path,
    language: Language | None,
    template: np.ndarray | None = None,
) -> Iterator[Prediction]:
    """Animate every sound file of a folder (not of those in it), in the order of names; yield each when it is done.

    Parameters
    ----------
    model, language, template
        As for :func:`predict_file`.
    folder : str or Path
        See :data:`AUDIO_SUFFIXES`.
    out : str or Path
        Folder that gets ``<stem>.npz``.

    Raises
    ------
    UsageError
        Where the folder holds no sound, or two files whose names differ in their endings only.
    """
    files = find_audio(folder)
    model.weigh_languages(language)
    for file in files:
        yield predict_file(model, file, Path(out) / f"{file.stem}.npz", language, template)


def find_audio(folder: str | Path) -> list[Path]:
    """Return the sound files of a folder in the order of their names; see :func:`predict_folder`."""
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder")
    files = sorted(p for p in root.iterdir() if p.is_file() and p.suffix.lower() in AUDIO_SUFFIXES)
    files = [p for p in files if not p.name.startswith(".")]
    if not files:
        raise UsageError(
            f"{root}: holds no sound file; expected names that end in {', '.join(AUDIO_SUFFIXES)}"
        )
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.stem, file)
        if other is not file:
            raise UsageError(
                f"{root}: {other.name} and {file.name} would both become {file.stem}.npz; rename one"
            )
    return files


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
    if load_topology(model.topology).renderable:
        return
    if model.topology == "flame-5023":
        from mtbench.flame import require_triangles

        require_triangles()
    raise PrerequisiteError(f"topology {model.topology} has no triangles here: there is nothing to draw")


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
    from mtbench.renderer import Appearance, load_renderer
    from mtbench.renderers.video import write_video as write

    require_video(model)
    assert model.topology is not None
    path = prediction.path.with_suffix(".mp4")
    motion = Motion(prediction.vertices, float(FPS), model.topology)
    sound = fit_length(prediction.audio, prediction.frames * SAMPLES_PER_FRAME)
    write(path, load_renderer(renderer), load_topology(model.topology), motion, sound, Appearance(), size)
    return path


def predict_benchmark(
    model: ReferenceModel,
    benchmark: Benchmark | str | Path,
    out: str | Path,
    *,
    language: Language | None = None,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
    template: np.ndarray | None = None,
    system: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Animate every clip of a benchmark and write a submission, or go on with one that was stopped.

    Parameters
    ----------
    model : ReferenceModel
        Of a named topology.
    benchmark : Benchmark, str or Path
    out : str or Path
        The submission folder; absent, empty, or begun with the same request.
    language, instead, fallback
        Language of every clip, of some, of the rest; see
        :func:`~mtbench.reference_model.conditioning.plan_conditioning`. By default each clip's own.
    template : (V, 3) float32, optional
        Resting face of every clip; by default the speaker's, as far as the benchmark tells it, else the topology's.
    system : str, optional
        Display name of the entry; the model's by default.
    progress : Progress, optional
        Told of each clip.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        For a folder that holds something else, languages that the model lacks, or a model without a topology.
    """
    if not isinstance(benchmark, Benchmark):
        benchmark = load_benchmark(benchmark)
    if model.topology is None:
        raise UsageError(
            f"the model {model.name} has {model.network.settings.vertices} vertices, which is no topology known here; "
            "a submission needs one (openhead-1, flame-5023)"
        )
    conditioning = plan_conditioning(
        model.network.settings.languages,
        benchmark.languages,
        language=language,
        instead=instead,
        fallback=fallback,
    )
    folder = Path(out)
    claim_folder(folder, _request(model, benchmark, conditioning, template, system or model.name))
    batches = _cut_batches(benchmark)
    waiting = [batch for batch in batches if any(not _target(folder, clip).is_file() for clip in batch)]
    progress = progress or Progress()
    progress.title = system or model.name
    total = sum(len(batch) for batch in waiting)
    with progress, progress.stage("motion", total, len(benchmark.clips) - total) as advance:
        for batch in waiting:
            for clip, vertices in zip(
                batch, _predict_batch(model, batch, conditioning, template), strict=True
            ):
                if not _target(folder, clip).is_file():
                    _write_motion(_target(folder, clip), vertices)
                advance()
    text = _manifest(model, benchmark, conditioning, template, system or model.name)
    write_atomically(folder / MANIFEST, text.encode())
    return folder


def _cut_batches(benchmark: Benchmark) -> list[list[Clip]]:
    """Return the clips in batches of similar length."""
    clips = sorted(benchmark.clips, key=lambda clip: (clip.frames, clip.id))
    return [clips[start : start + BATCH] for start in range(0, len(clips), BATCH)]


def _predict_batch(
    model: ReferenceModel, batch: list[Clip], conditioning: Conditioning, template: np.ndarray | None
) -> list[np.ndarray]:
    faces = [_face(model, clip) if template is None else template for clip in batch]
    motions = model.predict_many(
        [model.encoder.prepare(clip.audio) for clip in batch],
        faces,
        [conditioning.of.get(clip.language) for clip in batch],
        [clip.frames for clip in batch],
    )
    return [np.asarray(motion, np.float32) for motion in motions]


def _face(model: ReferenceModel, clip: Clip) -> np.ndarray:
    """Return the clip's speaker at rest where the benchmark tells, the topology's face otherwise."""
    topology = model.topology
    if topology is not None and clip.motion_path is not None and clip.topology == topology:
        try:
            face = template_face(clip, load_topology(topology))
        except PrerequisiteError:
            face = None  # FLAME parameters without a FLAME model: the speaker's shape is unknown
        if face is not None:
            return np.asarray(face, np.float32)
    return default_template(topology, model.network.settings.vertices)


def count_parameters(model: ReferenceModel) -> int:
    """Return how many numbers were learned, the speech encoder's included where it learned with the model."""
    modules = [model.network] + ([model.encoder.module] if model.encoder.module is not None else [])
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def _target(folder: Path, clip: Clip) -> Path:
    return folder / MOTION_FOLDER / f"{clip.id}.npz"


def _write_motion(path: Path, vertices: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, vertices=vertices)
    write_atomically(path, buffer.getvalue())


def _request(
    model: ReferenceModel,
    benchmark: Benchmark,
    conditioning: Conditioning,
    template: np.ndarray | None,
    system: str,
) -> dict[str, Any]:
    """Return everything that a submission's bytes follow from, as JSON values."""
    return {
        "system": system,
        "model": model.digest,
        "encoder": model.encoder.digest,
        "benchmark": benchmark.digest,
        "languages": {code: language if isinstance(language, str) else dict(language)
                      for code, language in conditioning.of.items()},
        "template": None if template is None else digest_array(np.asarray(template, np.float32)),
    }  # fmt: skip


def _describe_training(model: ReferenceModel) -> str:
    """Return what a model of this package's own training learned from; ``""`` where that is unknown."""
    facts = model.training.get("stage2")
    return str(facts.get("corpus", "")) if isinstance(facts, dict) else ""


def _manifest(
    model: ReferenceModel,
    benchmark: Benchmark,
    conditioning: Conditioning,
    template: np.ndarray | None,
    system: str,
) -> str:
    notes = [] if template is None else ["one resting face for every speaker"]
    if long := [clip.id for clip in benchmark.clips if clip.frames > LONGEST]:
        notes.append(f"longer than the {LONGEST} frames that the model was made for: {', '.join(long)}")
    fields = {
        "schema": 1,
        "system": system,
        "benchmark": benchmark.ref,
        "fps": FPS,
        "unit": "m",
        "topology": model.topology,
        "kind": "vertices",
    }
    about = {
        "name": model.name,
        "paper": "MultiTalk: Enhancing 3D Talking Head Generation Across Languages with Multilingual Video Dataset",
        "code": "mtbench.reference_model",
        "weights": model.digest,
        "params_m": round(count_parameters(model) / 1e6, 3),
    }
    if data := _describe_training(model):
        about["training_data"] = data
    generation = {"language_conditioning": conditioning.summary}
    if notes:
        generation["notes"] = "; ".join(notes)
    blocks: list[dict[str, Any]] = [fields, about, generation]
    return "\n".join(
        head + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in block.items())
        for head, block in zip(("", "[model]\n", "[generation]\n"), blocks, strict=True)
    )
