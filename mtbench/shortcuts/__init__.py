"""One line each in Python: metrics, a picture, what a recognizer understands of arrays at hand.

All of it is in ``mtbench`` too.

Contents
--------
================= ===========================================================================================
``listening``     Recognizing crops and sound at hand, in one line: ``mtbench.transcribe``
``pictures``      Pictures of vertices at hand, in one line: ``mtbench.render``
``vertex_errors`` Vertex errors of arrays and files at hand, in one line: ``mtbench.lve`` and ``mtbench.fdd``
================= ===========================================================================================

Examples
--------
>>> import numpy as np
>>> from mtbench.shortcuts import lve
>>> face = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 4, 3))
>>> round(lve(face + [0, 0.003, 0.004], face, lips=[0, 1]), 6)
5.0
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
