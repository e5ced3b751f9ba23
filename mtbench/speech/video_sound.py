"""The sound of a video, on the picture's clock.

Conventions
-----------
The first track is read with PyAV (FFmpeg). Motion counts from the picture's first frame, so the sound is cut or
padded to start there; less than :data:`LEAST_SHIFT` is left as it is, for players do not correct it either. What
encoders put before the sound (priming) is dropped where the file says how much.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import BenchmarkError, Note, PrerequisiteError
from mtbench.speech.raw_sound import RawSound, check_header

#: Seconds by which sound and picture may start apart before the sound is moved: half a frame at 25 fps.
LEAST_SHIFT = 0.02
#: Seconds that may be missing in the middle, or at the end, of a sound.
_LEAST_GAP = 0.1
_LEAST_CUT = 0.5


def read_video_sound(path: Path, where: str, longest: float) -> RawSound:
    """Return the sound of a video from its first picture on.

    Parameters
    ----------
    path : Path
    where : str
        What notes call the file.
    longest : float
        Most seconds.

    Raises
    ------
    BenchmarkError
        Where the file is unreadable, cut off, too long, or has no sound.
    PrerequisiteError
        Without PyAV.
    """
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
            track = _Track(path, where, longest)
            pictures = _read_packets(container, track)
            promised = _promised_seconds(container)
            several = len(container.streams.audio)
    except (av.error.FFmpegError, ValueError) as error:
        raise BenchmarkError(f"{path}: the sound cannot be read: {error}") from None
    if not track.count:
        raise BenchmarkError(f"{path}: the video has no sound")
    if promised is not None and promised - track.last > _LEAST_CUT:
        raise BenchmarkError(
            f"{path}: the header says {promised:.2f} s, the file has {max(track.last, 0.0):.2f} s; it is cut off, "
            "copy it again"
        )
    if several > 1:
        track.note(
            "audio-tracks", f"the first of {several} sound tracks was taken", "give the other one as wav"
        )
    return track.finish(pictures)


def _read_packets(container: Any, track: _Track) -> float | None:
    """Feed *track* with all sound; return when the first picture is shown, in seconds, None without one."""
    import av

    stream = container.streams.audio[0]
    planar = av.AudioResampler(format="fltp")
    first: float | None = None
    # Covers of music files are pictures that are shown at no time.
    shown = [s for s in container.streams.video if not _is_cover(s)]
    for packet in container.demux([stream, *shown]):
        if packet.pts is not None and packet.time_base is not None:
            start = float(packet.pts * packet.time_base)
            track.last = max(track.last, start + float((packet.duration or 0) * packet.time_base))
            if packet.stream.type == "video":
                first = start if first is None else min(first, start)
        if packet.stream.type == "audio":
            for frame in packet.decode():
                heard = None if frame.pts is None else float(frame.pts * frame.time_base)
                for plane in planar.resample(frame):
                    track.add(plane.to_ndarray(), int(plane.sample_rate), heard)
    return first


def _is_cover(stream: Any) -> bool:
    try:
        return bool(stream.disposition & stream.disposition.attached_pic)
    except (AttributeError, TypeError):
        return False


def _promised_seconds(container: Any) -> float | None:
    """Return when the container's header says that it ends, None where it only guesses."""
    if not set(container.format.name.split(",")) & {"mp4", "mov", "matroska", "webm", "avi"}:
        return None
    if container.duration is None:
        return None
    return float(container.duration + (container.start_time or 0)) / 1e6


class _Track:
    """Sound that arrives in pieces."""

    def __init__(self, path: Path, where: str, longest: float) -> None:
        self.path, self.where, self.longest = path, where, longest
        self.pieces: list[np.ndarray] = []
        self.notes: list[Note] = []
        self.count, self.rate, self.channels = 0, 0, 0
        self.start: float | None = None
        self.last = 0.0
        self._filled = 0.0

    def note(self, code: str, message: str, hint: str) -> None:
        self.notes.append(Note(code, self.where, message, hint))

    def add(self, piece: np.ndarray, rate: int, start: float | None) -> None:
        """Take the (C, N) samples that are heard from *start* on, in seconds."""
        if not self.pieces:
            self.rate, self.channels, self.start = rate, len(piece), start
            check_header(self.path, rate, len(piece), 0, self.longest)
        if rate != self.rate or len(piece) != self.channels:
            raise BenchmarkError(
                f"{self.path}: rate or channels change in the middle of the sound; convert it to wav"
            )
        if start is not None and self.start is not None:
            gap = start - self.start - self.count / rate
            if gap > _LEAST_GAP:
                if gap > self.longest:
                    raise BenchmarkError(f"{self.path}: a gap of {gap:.0f} s in the sound; cut the recording")
                self._filled += gap
                self._append(np.zeros((len(piece), round(gap * rate)), np.float32))
        self._append(piece)

    def _append(self, piece: np.ndarray) -> None:
        self.pieces.append(piece)
        self.count += piece.shape[1]
        if self.count > (self.longest + 1) * self.rate:
            raise BenchmarkError(f"{self.path}: longer than {self.longest / 60:g} minutes; cut it into clips")

    def finish(self, pictures: float | None) -> RawSound:
        """Return all of it, from the first picture on."""
        samples = np.concatenate(self.pieces, axis=1).T
        if self._filled:
            self.note(
                "gap",
                f"{self._filled:.2f} s of missing sound were filled with silence",
                "is the video damaged?",
            )
        shift = 0.0 if pictures is None or self.start is None else self.start - pictures
        if abs(shift) >= LEAST_SHIFT:
            count = round(abs(shift) * self.rate)
            if shift > 0:
                if shift > self.longest:
                    raise BenchmarkError(f"{self.path}: the sound starts {shift:.0f} s after the picture")
                samples = np.concatenate([np.zeros((count, samples.shape[1]), samples.dtype), samples])
                done = f"the sound starts {shift:.3f} s after the picture: silence was put before it"
            else:
                samples = samples[count:]
                done = f"the sound starts {-shift:.3f} s before the picture: that much was cut off"
            self.note("start-time", done, "motion counts from the first picture")
        return RawSound(samples, self.rate, notes=tuple(self.notes))
