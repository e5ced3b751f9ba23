"""Writing a synthetic benchmark's folder: clips, manifest, and a folder that appears whole or not at all.

Conventions
-----------
See :mod:`mtbench.benchmarks.benchmark` for the folder. The same arguments give the same bytes. Several editions of a
benchmark, which differ in motion alone, lie in one folder: sound, phones, word lists and noises are written once.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.benchmarks import MANIFEST, format_phone_times, read_phone_file
from mtbench.errors import UsageError
from mtbench.files import format_toml
from mtbench.speech import to_pcm16
from mtbench.synth.articulation_settings import DEFAULT
from mtbench.synth.engine_parts import seed_name
from mtbench.synth.speaking_styles import SpeakingStyle
from mtbench.synth.speech import pad_speech
from mtbench.synth.truth_manners import Manner, animate_in
from mtbench.synth.utterances import Speech
from mtbench.timing import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark, Clip
    from mtbench.synth.texts import Sentence

#: Seconds of the shortest clip.
SHORTEST = 2.5
#: RMS of the speech in a clip, and the largest sample.
_LEVEL, _PEAK = 0.04, 0.89

#: Called with what is being made, steps done, steps in all.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Edition:
    """A version of a benchmark, by what it does not share with the others in its folder.

    Attributes
    ----------
    version : str
    motion : str
        Folder of its ground truth.
    manifest : str
        File name.
    manner : ArticulationSetting or SpeakingStyle
        What its ground truth is animated in.
    """

    version: str
    motion: str = "motion"
    manifest: str = MANIFEST
    manner: Manner = DEFAULT

    @property
    def articulation(self) -> dict[str, str]:
        """What the manifest says of it, which is nothing for the rules."""
        return {"articulation": self.manner.name} if isinstance(self.manner, SpeakingStyle) else {}


def clip_seed(benchmark: str, clip: str) -> int:
    """Return the seed of a clip's articulation and silences, which follows from the two names."""
    return int.from_bytes(hashlib.blake2b(f"{benchmark}|{clip}".encode(), digest_size=4).digest(), "little")


def choose_seed(benchmark: Benchmark, clip: Clip, manner: Manner) -> int:
    """Return the seed of *clip* in *manner*: that of the ground truth in its own manner, and by the rules.

    What another style draws has nothing to do with what was drawn for the ground truth: with its seed, the two would be
    nearly one rendition.
    """
    other = isinstance(manner, SpeakingStyle) and manner.name != benchmark.manifest.articulation
    name = seed_name(benchmark.name)
    return clip_seed(f"{name}|{manner.name}" if other else name, clip.id)


def frame_speech(speech: Speech, seed: int) -> Speech:
    """Put a little silence around *speech*, at least :data:`SHORTEST` long and a whole number of frames."""
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    before, after = rng.uniform(0.12, 0.16, 2)
    missing = max(0.0, SHORTEST - speech.duration - before - after)
    speech = pad_speech(speech, float(before + missing / 2), float(after + missing / 2))
    rest = -len(speech.audio) % SAMPLES_PER_FRAME
    return pad_speech(speech, 0.0, rest / SAMPLE_RATE) if rest else speech


def set_level(speech: Speech, centered: bool = False) -> Speech:
    """Bring *speech* to a clip's level; *centered* takes away the offset that recorded voices may carry."""
    audio = speech.audio.astype(np.float64)
    if centered:
        audio -= audio.mean()
    gain = min(_LEVEL / np.sqrt(np.mean(audio**2)), _PEAK / np.abs(audio).max())
    return replace(speech, audio=(gain * audio).astype(np.float32))


@contextmanager
def staged_folder(out: Path, name: str) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of *out* when the block ends without an error.

    Parameters
    ----------
    out : Path
        Must not exist, be empty, or hold an earlier build of the benchmark called *name*.
    name : str

    Raises
    ------
    UsageError
        Where *out* holds something else.
    """
    _check_target(out, name)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        for folder in ("audio", "phones", "lexicon", "noise"):
            (part / folder).mkdir(parents=True)
        yield part
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check_target(out: Path, name: str) -> None:
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
    elif not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder for the benchmark")
    elif any(out.iterdir()):
        manifest = out / "benchmark.toml"
        if not manifest.is_file() or f'name = "{name}"' not in manifest.read_text(encoding="utf8"):
            raise UsageError(
                f"{out}: holds something other than an earlier build of {name}; give another folder"
            )


def write_clip(
    part: Path,
    clip: str,
    sentence: Sentence,
    speech: Speech,
    identity: str,
    seed: int,
    source: str,
    editions: Sequence[Edition],
) -> list[str]:
    """Write the clip's files and return its table of the manifest of each edition.

    Parameters
    ----------
    part : Path
        Folder of the benchmark.
    clip : str
        Id.
    sentence : Sentence
        What is said.
    speech : Speech
        How.
    identity : str
        Whose face.
    seed : int
        Seed of the motion.
    source : str
        The cluster of the bootstrap.
    editions : sequence of Edition
    """
    write_flac(part / "audio" / f"{clip}.flac", speech.audio)
    times = part / "phones" / f"{clip}.tsv"
    times.write_text(format_phone_times(speech.phones), encoding="utf8", newline="\n")
    for edition in editions:
        units = _animate_speech(speech, times, clip, seed, edition.manner)
        _write_npz(part / edition.motion / f"{clip}.npz", {"identity": np.array(identity), "units": units})
    fields = {
        "id": clip,
        "language": sentence.language,
        "transcript": sentence.text,
        "audio": f"audio/{clip}.flac",
        "frames": len(speech.audio) // SAMPLES_PER_FRAME,
        "source": source,
        "motion": "",  # the edition's own; here because of the order of the lines
        "phones": " ".join(speech.symbols),
        "phone_times": f"phones/{clip}.tsv",
    }
    tables = [fields | {"motion": f"{edition.motion}/{clip}.npz"} for edition in editions]
    return [f"\n[[clips]]\n{format_toml(table)}" for table in tables]


def _animate_speech(speech: Speech, times: Path, clip: str, seed: int, manner: Manner) -> np.ndarray:
    """Return (T, U) curves: by the rules from the speech, as they always were, else from its file of *times*.

    What follows from the file alone can be made again, and changed, without the engine that spoke.
    """
    if isinstance(manner, SpeakingStyle):
        phones = read_phone_file(times, f"clip {clip}", speech.duration)
        return animate_in(phones, speech.duration, manner, FPS, seed)
    return animate_in(speech.phones, speech.duration, manner, FPS, seed)


def write_manifest(
    part: Path,
    head: Mapping[str, object],
    lexicons: Mapping[str, str],
    tables: Sequence[str],
    name: str = MANIFEST,
) -> None:
    """Write the manifest *name*: its *head*, where each language's lexicon lies, and the clips' *tables*."""
    text = f"{format_toml(head)}\n[lexicons]\n{format_toml(lexicons)}"
    (part / name).write_text(text + "".join(tables), encoding="utf8", newline="\n")


def write_flac(path: Path, audio: np.ndarray) -> None:
    """Write (n,) float *audio* at 16 kHz as 16-bit FLAC."""
    import soundfile

    soundfile.write(path, to_pcm16(audio), SAMPLE_RATE, format="FLAC", subtype="PCM_16")


def _write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz whose bytes follow from the arrays alone: names sorted, one fixed date."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            stream = io.BytesIO()
            np.lib.format.write_array(stream, arrays[name], version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, stream.getvalue(), zipfile.ZIP_DEFLATED, 9)
