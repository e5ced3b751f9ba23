"""FaceDiffuser: ``<clip>_condition_<speaker>.npy`` of its test, a longer name of its demo.

Conventions
-----------
Its test writes ``result/<clip>_condition_<training speaker>.npy``, where several samples
are drawn ``…_<number>.npy``; its demo ``demo/result/<clip>_<dataset>_<whose template>_condition_<speaker>.npy``.
Arrays are (T, 3 V), absolute. FLAME meshes have 30 frames a second, BIWI's 25; both scripts count one frame fewer
than the sound has. Curves of a rig (its ``beat`` and ``damm`` models) are no mesh.

Read in uuembodiedsocialai/FaceDiffuser: ``main.py``, ``predict.py``, ``README.md`` (rates). That positions are
absolute follows from its metric, which subtracts the template from them
(``evaluation/compute_objective_metrics.py``).
"""

from __future__ import annotations

from mtbench.importers.vertex_layouts import VertexLayout

LAYOUT = VertexLayout(
    project="FaceDiffuser",
    summary="<clip>[_<dataset>_<speaker>]_condition_<speaker>[_<sample>].npy of (T, 3 V); 30 fps, BIWI 25",
    endings=(
        r"\.npy",
        r"_condition_(?P<condition>.+?)(?:_(?P<sample>\d+))?\.npy",
        r"_(?:BIWI|vocaset|multiface)_(?P<subject>.+?)_condition_(?P<condition>.+?)\.npy",
    ),
    expected="<clip>_condition_<speaker>.npy",
    fps=30.0,
    conventions=(
        "positions are absolute (its compute_objective_metrics.py subtracts the template from them)",
        "the last frame of the sound is not written, and held when scored (read in its main.py and predict.py)",
    ),
)
#: What this file adds to the formats.
FORMATS = {"facediffuser": LAYOUT}
