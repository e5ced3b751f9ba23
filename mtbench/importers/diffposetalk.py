"""DiffPoseTalk: ``<clip>.npz`` of FLAME's parameters, 25 frames a second.

Conventions
-----------
``demo.py --save_coef --output <clip>.mp4`` writes ``<clip>.npz`` beside the video (of several repetitions
``<clip>_000.npz``, …): ``exp`` (T, 50), ``pose`` (T, 6), which is the head's rotation and the jaw's, axis-angle,
and ``shape`` (T, 100), the same in all frames. The jaw turns about one axis only; without head motion the first
three columns are zero. Frames are counted down, ``int(seconds * 25)``.

Read in DiffPoseTalk/DiffPoseTalk: ``demo.py``, ``utils/common.py``, ``models/flame.py`` (FLAME 2020, 100 and 50
coefficients), ``options/dpt.py`` (rate, axis-angle).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import ArrayFileError, read_arrays
from mtbench.importers.flame_parameters import ParameterLayout, cut

#: Most bytes of a clip's parameters: two hours of them.
_MAX_BYTES = 512 << 20


def _read(path: Path) -> Mapping[str, np.ndarray]:
    try:
        arrays = read_arrays(path, _MAX_BYTES)
    except ArrayFileError as error:
        raise UsageError(f"{path}: {error} — {error.hint}") from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None
    if missing := [name for name in ("exp", "pose") if name not in arrays]:
        raise UsageError(
            f"{path}: no {' and no '.join(missing)}, only {sorted(arrays)}; expected what demo.py --save_coef writes"
        )
    return arrays


def _split(arrays: Mapping[str, np.ndarray], width: int) -> Mapping[str, np.ndarray]:
    pose = cut(arrays["pose"], {"rotation": width, "jaw": width}, "pose")
    return {"exp": arrays["exp"], **pose, **({"shape": arrays["shape"]} if "shape" in arrays else {})}


LAYOUT = ParameterLayout(
    project="DiffPoseTalk",
    summary="<clip>[_<sample>].npz with exp, pose, shape (demo.py --save_coef); 25 fps",
    endings=(r"(?:_(?P<sample>\d{3}))?\.npz",),
    expected="<clip>.npz or <clip>_000.npz",
    fps=25.0,
    read=_read,
    split=_split,
    model="FLAME 2020 (read in DiffPoseTalk's models/flame.py)",
    conventions=("pose is the head's rotation, then the jaw's (read in DiffPoseTalk's utils/common.py)",),
)
#: What this file adds to the formats.
FORMATS = {"diffposetalk": LAYOUT}
