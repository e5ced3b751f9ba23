"""EMOTE (inferno): a folder a clip, with meshes or FLAME's parameters for each emotion.

Conventions
-----------
``demo_eval_talking_head_on_audio.py --output_folder <clip>`` writes
``<clip>/<model>/<speaker>_<emotion>_<intensity>/``, and there ``meshes/00000.obj``, … (``--save_mesh``, the
default) and ``flame/flame_<…>.pkl`` (``--save_flame``): a pickled dictionary of ``shape`` (300,), ``expression``
(T, 50), ``jaw_pose`` and ``global_pose`` (T, 3), axis-angle. The name of the sound is in no file: let the output
folder be called after the clip. Without ``--emotion`` there are eight of them: choose one, ``--condition
M003_Neutral_0``. Meshes come first, which need no FLAME model; parameters are read where no meshes are. 25 frames a
second, 22 seconds at most.

Read in radekd91/inferno: ``inferno_apps/TalkingHead/evaluation/evaluation_functions.py``,
``demos/demo_eval_talking_head_on_audio.py``. Which edition of FLAME its decoder poses could not be verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import UnsafePickleError, load_arrays
from mtbench.importers.base import FoundMotion, ImportOptions
from mtbench.importers.flame_parameters import ParameterLayout, cut
from mtbench.importers.vertex_layouts import VertexLayout

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

_NAMES = {"expression", "jaw_pose", "global_pose", "shape"}
_CUT = "sound of more than 22 seconds is cut (read in inferno's evaluation_functions.py)"
_MESHES = VertexLayout(
    project="EMOTE",
    summary="",
    endings=(r"(?:/[^/]+)?/(?P<condition>[^/]+)/meshes(?:_[^/]*)?/(?P<frame>\d+)\.obj",),
    expected="<clip>/<model>/<speaker>_<emotion>_<intensity>/meshes/00000.obj, …",
    fps=25.0,
    conventions=(
        "meshes are absolute and in FLAME's order (read in inferno's evaluation_functions.py)",
        _CUT,
    ),
)


def _read(path: Path) -> Mapping[str, np.ndarray]:
    try:
        arrays = load_arrays(path, _NAMES)
    except UnsafePickleError as error:
        raise UsageError(f"{path}: {error}; expected the dictionary of arrays that EMOTE writes") from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None
    if missing := sorted({"expression", "jaw_pose"} - arrays.keys()):
        raise UsageError(f"{path}: no {' and no '.join(missing)}; expected what --save_flame writes")
    return arrays


def _split(arrays: Mapping[str, np.ndarray], width: int) -> Mapping[str, np.ndarray]:
    parameters = {"exp": arrays["expression"], **cut(arrays["jaw_pose"], {"jaw": width}, "jaw_pose")}
    if "global_pose" in arrays:
        parameters |= cut(arrays["global_pose"], {"rotation": width}, "global_pose")
    return parameters | ({"shape": arrays["shape"]} if "shape" in arrays else {})


_PARAMETERS = ParameterLayout(
    project="EMOTE",
    summary="",
    endings=(r"(?:/[^/]+)*/flame(?:_[^/]*)?/flame_(?P<condition>[^/]+)\.pkl",),
    expected="<clip>/<model>/<speaker>_<emotion>_<intensity>/meshes/00000.obj, … or …/flame/flame_<…>.pkl",
    fps=25.0,
    read=_read,
    split=_split,
    model="a FLAME whose edition was not verified (EMOTE's)",
    conventions=(_CUT,),
)


class _Emote:
    """EMOTE's meshes, or, where there are none, its parameters."""

    summary = (
        "<clip>/<model>/<speaker>_<emotion>_<intensity>/meshes/00000.obj, … or flame/flame_<…>.pkl; 25 fps"
    )

    def __call__(
        self, folder: Path, benchmark: Benchmark, fps: float | None, options: ImportOptions | None = None
    ) -> FoundMotion:
        has_meshes = next(folder.rglob("meshes*/*.obj"), None) is not None
        return (_MESHES if has_meshes else _PARAMETERS)(folder, benchmark, fps, options)


#: What this file adds to the formats.
FORMATS = {"emote": _Emote()}
