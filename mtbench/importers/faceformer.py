"""FaceFormer: ``<clip>_condition_<speaker>.npy`` of its test, ``<clip>.npy`` of its demo.

Conventions
-----------
Arrays are (T, 3 V) float32, absolute: the model adds the template before it returns. Its
test writes ``<dataset>/result/<clip>_condition_<training speaker>.npy`` (for a speaker it was not trained on one
file a training speaker: choose one), its demo ``demo/result/<clip>.npy``, where ``<clip>`` is the sound's name up
to its first dot. VOCASET's 60 frames a second are halved on reading, so that FLAME meshes have 30; BIWI's have 25.

Read in EvelynFan/FaceFormer: ``main.py``, ``demo.py``, ``data_loader.py``. VOCASET's positions are metres (its
templates are 0.3 across); BIWI's are scaled speaker by speaker, see :mod:`mtbench.importers.biwi`.
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="FaceFormer",
    summary="<clip>_condition_<speaker>.npy or <clip>.npy of (T, 3 V); 30 fps, BIWI 25",
    endings=(r"\.npy", r"_condition_(?P<condition>.+)\.npy"),
    expected="<clip>_condition_<speaker>.npy or <clip>.npy",
    fps=30.0,
    conventions=(
        "positions are absolute (read in FaceFormer's main.py and demo.py: the template is added by the model)",
    ),
)
#: What this file adds to the formats.
FORMATS = {"faceformer": LAYOUT}
