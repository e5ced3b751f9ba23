"""Sound to motion with the reference model: a file, a folder of files.

Conventions
-----------
Sound of any rate and number of channels becomes mono at 16 kHz (:func:`mtbench.audio.load_audio`); what was changed is
said in :attr:`Prediction.notes`. Motion is written as ``vertices``, (T, V, 3) float32 in metres at 25 fps, to
compressed ``.npz`` files, whole or not at all. Of a benchmark: :mod:`mtbench.reference_model.entry`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.audio import fit_length, load_audio
from mtbench.cache import write_atomically
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.manifests import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from mtbench.motion import Motion
from mtbench.reference_model.conditioning import Language
from mtbench.reference_model.reference import ReferenceModel
from mtbench.reference_model.templates import default_template
from mtbench.topology import load_topology

#: Endings of files that count as sound in a folder.
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")


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
    write_motion(target, vertices)
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
        Where the folder holds no sound, or two files whose names differ in their endings only. At the end, where files
        could not be animated: it names them, and the others are done.
    """
    files = find_audio(folder)
    model.weigh_languages(language)
    failed: list[str] = []
    for file in files:
        try:
            yield predict_file(model, file, Path(out) / f"{file.stem}.npz", language, template)
        except (UsageError, BenchmarkError) as error:
            failed.append(str(error))
    if failed:
        raise UsageError(
            f"{len(failed)} of {len(files)} files could not be animated ({len(files) - len(failed)} done):\n"
            + "\n".join(f"  - {line}" for line in failed)
        )


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
    write(path, load_renderer(renderer), [(load_topology(model.topology), motion)], sound, Appearance(), size)
    return path


def write_motion(path: Path, vertices: np.ndarray) -> None:
    """Write (T, V, 3) float32 in metres to a compressed ``.npz``, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, vertices=vertices)
    write_atomically(path, buffer.getvalue())
