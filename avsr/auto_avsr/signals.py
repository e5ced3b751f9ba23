"""What Auto-AVSR and ViSpeR are given of a clip: normalized mouths, and a normalized wave.

Conventions
-----------
Mouths are 25 pictures a second, sound is 16 kHz, 640 samples a picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbench.errors import UsageError

#: Samples of 16 kHz sound for each frame, and pixels of a mouth's side as the network sees it.
SAMPLES, SIDE = 640, 88
#: Weights of red, green and blue in gray, as published (their sum is 0.9999), and mean and spread of gray.
_GRAY = (0.2989, 0.587, 0.114)
_MEAN, _SPREAD = 0.421, 0.165
_EPSILON = 1e-8


def normalize_mouths(crops: np.ndarray) -> np.ndarray:
    """Return what the network sees of mouth crops: the centre, gray, freed of mean and spread.

    Parameters
    ----------
    crops : numpy.ndarray
        (T, H, W) gray or (T, H, W, 3) RGB, uint8, at least 88 pixels each way; published are 96.

    Returns
    -------
    numpy.ndarray
        (T, 88, 88) float32.

    Raises
    ------
    UsageError
        For another shape or type.

    Examples
    --------
    >>> normalize_mouths(np.full((1, 96, 96), 255, np.uint8))[0, 0, 0].round(3)
    np.float32(3.509)
    """
    crops = np.asarray(crops)
    gray = crops.ndim == 3
    if crops.dtype != np.uint8 or not (gray or (crops.ndim == 4 and crops.shape[3] == 3)):
        raise UsageError(
            f"mouth crops of shape {crops.shape} and type {crops.dtype}, expected (T, 96, 96) or (T, 96, 96, 3) uint8"
        )
    high, wide = crops.shape[1:3]
    if min(high, wide) < SIDE:
        raise UsageError(
            f"mouth crops of {high} × {wide} pixels, expected at least {SIDE} each way (published: 96)"
        )
    top, left = round((high - SIDE) / 2), round((wide - SIDE) / 2)
    levels = crops[:, top : top + SIDE, left : left + SIDE].astype(np.float32) / np.float32(255)
    if not gray:
        red, green, blue = (levels[..., channel] * np.float32(part) for channel, part in enumerate(_GRAY))
        levels = red + green + blue
    return (levels - np.float32(_MEAN)) / np.float32(_SPREAD)


def normalize_sound(sound: Any, frames: int, cut_first: bool = True) -> np.ndarray:
    """Return what the network hears of *sound*: as long as the video, free of mean and variance.

    Parameters
    ----------
    sound : array
        (samples,) at 16 kHz; its loudness makes no difference.
    frames : int
        Frames of the video: what is longer than 640 samples for each is cut, what is shorter filled with zeros.
    cut_first : bool
        Whether mean and variance are those of what is kept, as Auto-AVSR's data set has it, or of all that was
        recorded, as ViSpeR's program for one clip has it. There is no difference where the lengths fit.

    Returns
    -------
    numpy.ndarray
        (640 * frames,) float32.

    Examples
    --------
    >>> normalize_sound([2.0, -2.0] * 80, 1)[[0, 1, 159, 160]].round(3).tolist()
    [2.0, -2.0, -2.0, 0.0]
    >>> normalize_sound([2.0, -2.0] * 80, 1, cut_first=False)[[0, 1, 159, 160]].round(3).tolist()
    [1.0, -1.0, -1.0, 0.0]
    """
    import torch
    from torch.nn.functional import layer_norm, pad

    x = torch.as_tensor(sound).float()
    wanted = SAMPLES * frames
    if x.ndim != 1 or not len(x):
        raise UsageError(f"sound of shape {tuple(x.shape)}, expected (samples,) with at least one")
    if not cut_first:
        x = layer_norm(x, x.shape, eps=_EPSILON)
    x = pad(x[:wanted], (0, max(0, wanted - len(x))))
    return (layer_norm(x, x.shape, eps=_EPSILON) if cut_first else x).numpy()
