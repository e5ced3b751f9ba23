"""VOCA: a folder of meshes a clip, ``<clip>/meshes/00000.obj``, 60 frames a second.

Conventions
-----------
``run_voca.py --out_path <…>/<clip>`` writes ``<clip>/meshes/00000.obj``, ``00001.obj``, …;
the tools that edit a sequence write the same, or ``00000_FLAME.obj``. The name of the sound is in no file: let the
folder be called after the clip. Meshes are FLAME's 5,023 vertices in their order, absolute, in metres, at 60 frames
a second (its sound features are brought from 50 to 60). Polygons are not looked at.

Read in TimoBolkart/voca: ``utils/inference.py``, ``utils/audio_handler.py``, ``compute_FLAME_params.py``,
``README.md``.
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="VOCA",
    summary="<clip>/meshes/00000.obj, …; 60 fps",
    endings=(
        r"(?:/meshes)?/(?P<frame>\d+)(?:_FLAME)?\.obj",
        r"(?:/meshes)?/(?P<frame>\d+)(?:_FLAME)?\.ply",
    ),
    expected="<clip>/meshes/00000.obj, 00001.obj, …",
    fps=60.0,
    conventions=("meshes are absolute and in FLAME's order (read in VOCA's utils/inference.py)",),
)
#: What this file adds to the formats.
FORMATS = {"voca": LAYOUT}
