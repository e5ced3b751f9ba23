"""ARTalk: ``<clip>_<style>_<appearance>_motions.pt`` of (T, 106), 25 frames a second.

Conventions
-----------
A tensor of ``torch.save``, or its training data's ``<clip>.npy``: 100 coefficients of expression, then the head's
rotation and the jaw's, axis-angle. ``inference.py`` writes it from its page only (``run_gradio_app``), and cuts it
after ``clip_length`` frames (750, 30 seconds); the command line writes videos. Its face has no shape of its own.
The tensor is read without torch and without running anything.

Read in xg-chu/ARTalk: ``inference.py``, ``artalk/runtime.py``, ``artalk/flame_model/FLAME.py``, ``README.md``
(layout of the columns), ``dataset.py``. Which edition of FLAME its ``FLAME_with_eye.pt`` holds could not be
verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import ArrayFileError, UnsafePickleError, read_arrays, read_saved_tensor
from mtbench.importers.flame_parameters import ParameterLayout, cut

#: Most bytes of a clip's parameters: two hours of them.
_MAX_BYTES = 512 << 20


def _read(path: Path) -> Mapping[str, np.ndarray]:
    try:
        if path.suffix == ".npy":
            return {"motions": read_arrays(path, _MAX_BYTES)[""]}
        return {"motions": read_saved_tensor(path, _MAX_BYTES)}
    except ArrayFileError as error:
        raise UsageError(f"{path}: {error} — {error.hint}") from None
    except UnsafePickleError as error:
        raise UsageError(f"{path}: {error}; expected the tensor that ARTalk saves") from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None


def _split(arrays: Mapping[str, np.ndarray], width: int) -> Mapping[str, np.ndarray]:
    return cut(arrays["motions"], {"exp": 100, "rotation": width, "jaw": width}, "the tensor")


LAYOUT = ParameterLayout(
    project="ARTalk",
    summary="<clip>_<style>_<appearance>_motions.pt or <clip>.npy of (T, 106); 25 fps",
    endings=(r"_(?P<condition>.+)_motions\.pt", r"\.pt", r"\.npy"),
    expected="<clip>_<style>_<appearance>_motions.pt",
    fps=25.0,
    read=_read,
    split=_split,
    model="a FLAME whose edition was not verified (ARTalk's FLAME_with_eye.pt)",
    conventions=(
        "columns are 100 of expression, the head's rotation, the jaw's (read in ARTalk's README.md and runtime.py)",
        "clips of more than 30 seconds are cut, unless clip_length says otherwise (read in its inference.py)",
    ),
)
#: What this file adds to the formats.
FORMATS = {"artalk": LAYOUT}
