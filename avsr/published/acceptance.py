"""Answers that published weights must give to published clips: whether what a user brought is the real thing.

Sources: ``nguyenvulebinh/AV-HuBERT-S2S``, whose example asserts the tokens of one noisy clip with MuAViC's English
weights. No other project publishes such an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.avsr.published.avhubert_recognizer import normalize_crops
from mtbench.avsr.published.installation import InstalledCheckpoint
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.extras import require_extra

#: Beams that an answer may come from: the example leaves the number to settings in the published file.
_BEAMS = (1, 5)
#: Longest clip, frames.
_MAX_FRAMES = 1500


@dataclass(frozen=True)
class Acceptance:
    """A clip and what must be understood.

    Attributes
    ----------
    video, audio : str
        Published names: mouth crops at 25 fps, and sound.
    page : str
        Where they are.
    tokens : tuple of int
        The answer, with beginning and end.
    """

    video: str
    audio: str
    page: str
    tokens: tuple[int, ...]


#: By ``recognizer:variant``.
ACCEPTANCES = {
    "muavic:eng": Acceptance(
        "lip_movement.mp4",
        "noisy_audio.wav",
        "https://github.com/nguyenvulebinh/AV-HuBERT-S2S/tree/main/example",
        (2, 16, 130, 516, 8, 339, 541, 808, 210, 195, 541, 79, 130, 317, 269, 4, 2),
    )
}


def run_acceptance(record: InstalledCheckpoint, video: Path, audio: Path) -> tuple[int, tuple[int, ...]]:
    """Show a kept checkpoint the published clip.

    Parameters
    ----------
    record : InstalledCheckpoint
        With an entry in :data:`ACCEPTANCES`.
    video, audio : Path
        The published files.

    Returns
    -------
    beam : int
        With which the published answer came; 0 where it did not.
    tokens : tuple of int
        The answer, with beginning and end.

    Raises
    ------
    UsageError, PrerequisiteError
        Where the files cannot be read.
    """
    from mtbench.avsr.avhubert import stack_filterbank
    from mtbench.avsr.published.avhubert_recognizer import load_network
    from mtbench.speech import load_sound

    wanted = ACCEPTANCES[record.ref].tokens
    network = load_network(record.checkpoint, record.paths())
    crops = read_mouth_video(video)
    heard = stack_filterbank(load_sound(audio).samples.astype(np.float64) * 32768.0, len(crops))
    encoded = network.encode(video=normalize_crops(crops), audio=heard.T[None])
    found: tuple[int, ...] = ()
    for beam in _BEAMS:
        ((tokens, _), *_) = network.search(encoded=encoded, beam=beam, max_length=200)[0]
        answer = (network.start, *tokens)
        if answer == wanted:
            return beam, answer
        found = found or answer
    return 0, found


def read_mouth_video(path: Path) -> np.ndarray:
    """Return (T, S, S) uint8 gray of a video of mouth crops, each picture once.

    Raises
    ------
    PrerequisiteError
        Without the extra ``[video]``, or where there is no such file.
    UsageError
        For a file that is no such video.
    """
    require_extra("video", "a video of mouth crops", "av")
    import av

    if not path.is_file():
        raise PrerequisiteError(f"{path}: no such file")
    pictures: list[np.ndarray] = []
    try:
        with av.open(str(path)) as container:
            for picture in container.decode(video=0):
                if max(picture.width, picture.height) > 256 or len(pictures) >= _MAX_FRAMES:
                    raise ValueError(f"larger than 256 pixels or longer than {_MAX_FRAMES} frames")
                red, green, blue = np.moveaxis(picture.to_ndarray(format="rgb24").astype(np.int64), -1, 0)
                # OpenCV's whole-number rule, with which the published recognizers were trained.
                if pictures and pictures[0].shape != red.shape:
                    raise ValueError("pictures of several sizes")
                pictures.append(((4899 * red + 9617 * green + 1868 * blue + 8192) >> 14).astype(np.uint8))
    except (OSError, ValueError, LookupError, av.FFmpegError) as error:
        raise UsageError(f"{path}: not a video of mouth crops that can be read ({error})") from None
    if not pictures or pictures[0].shape[0] != pictures[0].shape[1] or pictures[0].shape[0] < 88:
        shape = pictures[0].shape if pictures else "no picture"
        raise UsageError(f"{path}: {shape}, expected square pictures of 88 or 96 pixels")
    return np.stack(pictures)
