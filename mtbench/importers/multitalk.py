"""MultiTalk: ``<clip>.npy`` of (T, 15069), 25 frames a second.

Conventions
-----------
Its test writes ``<save_folder>/npy/<clip>.npy`` (and the truth beside it, under
``gt_save_folder``), its demo ``<demo_output_path>/<clip>.npy`` beside a folder of videos; ``<clip>`` is the sound's
name up to its first dot. The released data set's own files, ``<clip>.npz`` with ``verts`` (T, 5023, 3), are read as
well. Positions are absolute, in metres, on one mean face for everyone. The test makes as many frames as the truth
has, the demo as many as follow from the sound.

Read in postech-ami/MultiTalk: ``main/test_multi_pred.py``, ``main/demo_dir.py``, ``dataset/data_loader_multi.py``.
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="MultiTalk",
    summary="<clip>.npy of (T, 15069), or <clip>.npz with verts (T, 5023, 3); 25 fps",
    endings=(r"\.npy", r"\.npz"),
    expected="<clip>.npy",
    fps=25.0,
    conventions=(
        "positions are absolute (read in MultiTalk's main/test_multi_pred.py and main/demo_dir.py)",
    ),
)
#: What this file adds to the formats.
FORMATS = {"multitalk": LAYOUT}
