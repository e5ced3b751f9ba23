"""CodeTalker: ``<clip>_condition_<speaker>.npy`` of its test, a folder a clip of its demo.

Conventions
-----------
Arrays are (T, 3 V) float32, absolute. Its test of stage 2 writes
``<save_folder>/npy/<clip>_condition_<training speaker>.npy``, of stage 1 (what the codebook can hold)
``<clip>.npy``; its demo ``demo/npy/<clip>/condition_<speaker>_subject_<whose template>.npy``. ``<clip>`` is the
sound's name up to its first dot. FLAME meshes have 30 frames a second (VOCASET's 60 halved on reading), BIWI's 25
(``config/BIWI/demo.yaml``).

Read in Doubiiu/CodeTalker: ``main/test_pred.py``, ``main/test_vq.py``, ``main/demo.py``. That VOCASET's rate is
halved was read in FaceFormer's loader, which CodeTalker's is a copy of.
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="CodeTalker",
    summary="<clip>_condition_<speaker>.npy, or <clip>/condition_<speaker>_subject_<speaker>.npy; 30 fps, BIWI 25",
    endings=(
        r"\.npy",
        r"_condition_(?P<condition>.+)\.npy",
        r"/condition_(?P<condition>.+)_subject_(?P<subject>.+)\.npy",
    ),
    expected="<clip>_condition_<speaker>.npy or <clip>/condition_<speaker>_subject_<speaker>.npy",
    fps=30.0,
    conventions=("positions are absolute (read in CodeTalker's main/test_pred.py and main/demo.py)",),
)
#: What this file adds to the formats.
FORMATS = {"codetalker": LAYOUT}
