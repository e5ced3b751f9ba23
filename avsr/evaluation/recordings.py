"""Mouth crops of people: frames of a video, landmarks of a detector, and the cut that published lip readers use.

Conventions
-----------
Videos have 25 frames per second. Landmarks are the 68 points of the 300-W annotation, found in every frame by
dlib's detector and regression trees (D. King; V. Kazemi and J. Sullivan, CVPR 2014) as in the preparation of the
public audio-visual corpora; of several faces the largest counts. The trees were trained on pictures for research
only, so mtbench neither ships nor requires them: they are used where ``dlib`` (or ``dlib-bin``) and
``face-recognition-models`` are installed, or with ``$MTBENCH_LANDMARKS`` naming the ``.dat`` file.
"""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.timing import FPS

#: Least share of the frames in which a face must be found; fewer are no recording of a face.
LEAST_FOUND = 0.25
#: Frames by which picture and sound of a recording may differ in length.
_TOLERANCE = 2
_SUFFIXES = (".mpg", ".mp4", ".avi", ".mkv", ".webm")
_MODEL = "shape_predictor_68_face_landmarks.dat"
_INSTALL = "pip install dlib-bin face-recognition-models"


def find_video(folder: Path, clip: str) -> Path:
    """Return the video of *clip*, ``<folder>/<clip>.mpg`` or another kind of video.

    Raises
    ------
    UsageError
        Where there is none.
    """
    for suffix in _SUFFIXES:
        path = folder / f"{clip}{suffix}"
        if path.is_file():
            return path
    raise UsageError(
        f"{folder}: no video of {clip} there; expected {clip}.mpg (or {', '.join(_SUFFIXES[1:])})"
    )


def read_frames(path: Path) -> np.ndarray:
    """Return the pictures of a video, (T, H, W, 3) uint8, RGB.

    Raises
    ------
    PrerequisiteError
        Where PyAV is not installed.
    UsageError
        Where the file is no video of 25 frames per second and at most two minutes.
    """
    try:
        import av
    except ImportError:
        raise PrerequisiteError(
            f"{path}: videos are read with PyAV; pip install 'multitalk-bench[video]'"
        ) from None
    frames = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UsageError(f"{path}: holds no pictures; expected the video of a face")
            rate = container.streams.video[0].average_rate
            if rate is None or abs(float(rate) - FPS) > 0.01:
                raise UsageError(
                    f"{path}: {rate} frames per second, expected {FPS}; convert it with ffmpeg -r {FPS}"
                )
            for frame in container.decode(video=0):
                frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) > 120 * FPS:
                    raise UsageError(f"{path}: longer than two minutes; cut it into clips")
    except (av.error.FFmpegError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as a video: {error}") from None
    if not frames:
        raise UsageError(f"{path}: holds no pictures; expected the video of a face")
    return np.stack(frames)


@lru_cache(maxsize=1)
def load_detector() -> tuple[Any, Any]:
    """Return dlib's face detector and the 68-point predictor.

    Raises
    ------
    PrerequisiteError
        Where either is not installed; the message says how to.
    """
    try:
        import dlib
    except ImportError:
        raise PrerequisiteError(
            f"the 68-point landmark detector is not installed; {_INSTALL} (its training pictures are for research only)"
        ) from None
    named = os.environ.get("MTBENCH_LANDMARKS")
    if named:
        model = Path(named)
    else:
        spec = importlib.util.find_spec("face_recognition_models")
        places = [] if spec is None else list(spec.submodule_search_locations or [])
        model = Path(places[0]) / "models" / _MODEL if places else Path(_MODEL)
    if not model.is_file():
        raise PrerequisiteError(
            f"{_MODEL} is not there (looked for {model}); {_INSTALL}, or name the file in $MTBENCH_LANDMARKS"
        )
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(model))


def find_landmarks(frames: np.ndarray) -> np.ndarray:
    """Return (T, 68, 2) float64 landmarks in pixels, NaN in frames without a face.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8
        RGB.
    """
    detector, predictor = load_detector()
    points = np.full((len(frames), 68, 2), np.nan)
    for t, frame in enumerate(frames):
        faces = detector(np.ascontiguousarray(frame), 1)
        if len(faces):
            face = max(faces, key=lambda r: r.width() * r.height())
            shape = predictor(np.ascontiguousarray(frame), face)
            points[t] = [(shape.part(i).x, shape.part(i).y) for i in range(68)]
    return points


def crop_recording(path: Path, frames: int) -> np.ndarray:
    """Cut the mouth out of a video of a face.

    Parameters
    ----------
    path : Path
        The video.
    frames : int
        T of the clip's sound; the last picture is repeated, or left out, where up to two are missing or too many.

    Returns
    -------
    (T, 96, 96) uint8
        Gray.

    Raises
    ------
    UsageError
        Where the lengths differ, or faces are found in less than a quarter of the frames.
    PrerequisiteError
        Where PyAV or the detector is not installed.
    """
    from mtbench.renderers import crop_frames, to_gray

    pictures = read_frames(path)
    if abs(len(pictures) - frames) > _TOLERANCE:
        raise UsageError(
            f"{path}: {len(pictures)} pictures beside {frames} frames of sound; perhaps the video of another clip"
        )
    landmarks = find_landmarks(pictures)
    found = float(np.mean(~np.isnan(landmarks).any(axis=(1, 2))))
    if found < LEAST_FOUND:
        raise UsageError(f"{path}: a face was found in {found:.0%} of the frames, expected one in most")
    crops = to_gray(crop_frames(pictures[..., ::-1], landmarks))
    return crops[np.minimum(np.arange(frames), len(crops) - 1)]
