"""Videos with sound, for looking at: nothing that is scored ever passes through one.

Conventions
-----------
H.264 (yuv420p) and AAC in an mp4 file, written beside its target and moved there when it is complete. PyAV
(extra ``video``) encodes; where it isn't installed, the program ``ffmpeg``.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.files import make_folder
from mtbench.timing import SAMPLE_RATE

if TYPE_CHECKING:
    from mtbench.faces import Motion, Topology
    from mtbench.renderers.base import Appearance, Renderer

#: Frames that are rendered at a time.
_CHUNK = 50
#: Constant rate factor of x264: visually lossless.
_QUALITY = "18"


def write_video(
    path: str | Path,
    renderer: Renderer,
    faces: Sequence[tuple[Topology, Motion]],
    audio: np.ndarray | None,
    appearance: Appearance,
    size: int = 800,
) -> None:
    """Render moving faces from in front, side by side, and write them with their sound.

    Parameters
    ----------
    path : str or Path
        The mp4 file.
    renderer : Renderer
        Any backend.
    faces : sequence of (Topology, Motion)
        Faces from left to right: topologies with triangles, and what moves; as many frames in each.
    audio : (N,) float32 or None
        Mono, 16 kHz, -1..1; None for a silent video.
    appearance : Appearance
        Shading, lights, colors.
    size : int
        Width and height of a face in pixels; made even, as the codec wants it.

    Raises
    ------
    ValueError
        For faces of different lengths.
    PrerequisiteError
        Neither PyAV nor ffmpeg is there.
    """
    from mtbench.renderers.cameras import portrait_camera

    size += size % 2
    length = len(faces[0][1])
    if any(len(motion) != length for _, motion in faces):
        raise ValueError(f"faces of {sorted(len(motion) for _, motion in faces)} frames; expected one number")
    cameras = [portrait_camera(motion.vertices, size, size) for _, motion in faces]

    def draw() -> Iterator[np.ndarray]:
        for start in range(0, length, _CHUNK):
            parts = [
                renderer.render(topology, motion.vertices[start : start + _CHUNK], camera, appearance, 3)
                for (topology, motion), camera in zip(faces, cameras, strict=True)
            ]
            yield from np.concatenate(parts, 2)

    encode_video(path, draw(), size * len(faces), size, faces[0][1].fps, audio)


def encode_video(
    path: str | Path,
    frames: Iterator[np.ndarray],
    width: int,
    height: int,
    fps: float,
    audio: np.ndarray | None,
) -> None:
    """Encode *frames*, each (height, width, 3) uint8 RGB, and *audio* to the mp4 file *path*.

    Raises
    ------
    PrerequisiteError
        Neither PyAV nor ffmpeg is there, or ffmpeg fails.
    """
    path = Path(path)
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as folder:
        target = Path(folder) / "video.mp4"
        if importlib.util.find_spec("av") is not None:
            _encode_with_pyav(target, frames, width, height, fps, audio)
        elif shutil.which("ffmpeg"):
            _encode_with_ffmpeg(target, frames, width, height, fps, audio)
        else:
            raise PrerequisiteError(
                f"{path} can't be written: a video needs PyAV (pip install 'multitalk-bench[video]') or the "
                "program ffmpeg"
            )
        target.replace(path)


def _encode_with_pyav(
    path: Path, frames: Iterator[np.ndarray], width: int, height: int, fps: float, audio: np.ndarray | None
) -> None:
    """Encode by PyAV."""
    import av

    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1001), options={"crf": _QUALITY}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = None if audio is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for picture in frames:
            container.mux(
                video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
            )
        container.mux(video.encode())
        if sound is not None and audio is not None:
            samples = np.clip(np.asarray(audio, np.float32), -1.0, 1.0)
            block = 1024  # what an AAC frame holds
            for start in range(0, len(samples), block):
                part = av.AudioFrame.from_ndarray(samples[None, start : start + block].copy(), "fltp", "mono")
                part.sample_rate, part.pts, part.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
                container.mux(sound.encode(part))
            container.mux(sound.encode())


def _encode_with_ffmpeg(
    path: Path, frames: Iterator[np.ndarray], width: int, height: int, fps: float, audio: np.ndarray | None
) -> None:
    """Encode by the program ffmpeg: pictures through its standard input, sound from a file."""
    rate = Fraction(fps).limit_denominator(1001)
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", f"{rate}", "-i", "-"]
    if audio is not None:
        import soundfile

        wav = path.with_suffix(".wav")
        soundfile.write(wav, np.clip(audio, -1.0, 1.0), SAMPLE_RATE, subtype="PCM_16")
        command += ["-i", str(wav), "-c:a", "aac"]
    command += ["-c:v", "libx264", "-crf", _QUALITY, "-pix_fmt", "yuv420p", str(path)]
    errors = path.with_suffix(".log")
    with errors.open("wb") as log, subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as process:
        assert process.stdin is not None
        try:
            for picture in frames:
                process.stdin.write(np.ascontiguousarray(picture).data)
            process.stdin.close()
        except BrokenPipeError:  # ffmpeg has given up; its log says why
            pass
    if process.returncode:
        raise PrerequisiteError(f"ffmpeg failed: {errors.read_text(errors='replace').strip()}")
