"""BIWI: motion in the mesh of the BIWI corpus, 23,370 vertices, whoever made it.

Conventions
-----------
Files are called as FaceFormer, CodeTalker, SelfTalk and FaceDiffuser call them,
``<speaker>_e<number>[_condition_<…>].npy`` of (T, 70110), and so are the corpus's own,
``vertices_npy/<speaker>_e<number>.npy``; 25 frames a second. The positions of the corpus are centered and scaled
speaker by speaker (``creatDataset_BIWI.m``), so that no factor makes them metres: 0.2 is UniTalker's, people fitted
0.174 to 0.201 (EvelynFan/FaceFormer#45). LVE in mm is nominal, and comparable between systems only.

Read in psyai-net/SelfTalk_release: ``BIWI/README.md`` (25 frames a second, 23,370 vertices, normalized
coordinates), and X-niper/UniTalker: ``dataset/dataset_config.py`` (scale).
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="BIWI",
    summary="<speaker>_e<number>[_condition_<speaker>].npy of (T, 70110); 25 fps",
    endings=(
        r"\.npy",
        r"_condition_(?P<condition>.+?)\.npy",
        r"/condition_(?P<condition>.+)_subject_(?P<subject>.+)\.npy",
    ),
    expected="<clip>.npy or <clip>_condition_<speaker>.npy",
    fps=25.0,
    conventions=("positions are absolute, as FaceFormer and its successors write them",),
)
#: What this file adds to the formats.
FORMATS = {"biwi": LAYOUT}
