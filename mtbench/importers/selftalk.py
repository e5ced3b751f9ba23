"""SelfTalk: ``<clip>.npy``, without a condition.

Conventions
-----------
Its test writes ``<dataset>/result_<width>_<time>/<clip>.npy`` of (T, V, 3), a folder a run:
give one of them. Its demo writes ``demo/result/<clip>.npy`` of (T, 3 V), and beside it a folder of meshes, which is
passed over. Positions are absolute; FLAME meshes have 30 frames a second (VOCASET's 60 halved on reading), BIWI's
25.

Read in psyai-net/SelfTalk_release: ``test.py``, ``demo_voca.py``, ``data_loader.py``.
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="SelfTalk",
    summary="<clip>.npy of (T, V, 3) or (T, 3 V); 30 fps, BIWI 25",
    endings=(r"\.npy",),
    expected="<clip>.npy",
    fps=30.0,
    conventions=("positions are absolute (read in SelfTalk's test.py and demo_voca.py)",),
)
#: What this file adds to the formats.
FORMATS = {"selftalk": LAYOUT}
