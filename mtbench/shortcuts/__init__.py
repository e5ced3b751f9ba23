"""One line each in Python: metrics, a picture, what a recognizer understands of arrays at hand.

All of it is in ``mtbench`` too.

Contents
--------
================= ===========================================================================================
``error_rates``   Error rates of texts at hand, in one line: ``mtbench.wer`` and ``mtbench.cer``
``listening``     Recognizing crops and sound at hand, in one line: ``mtbench.transcribe``
``pictures``      Pictures of vertices at hand, in one line: ``mtbench.render``
``vertex_errors`` Vertex errors of arrays and files at hand, in one line: ``mtbench.lve`` and ``mtbench.fdd``
================= ===========================================================================================

Examples
--------
>>> from mtbench.shortcuts import wer
>>> wer("ogni individuo ha diritto", "ogni individuo diritto", "ita")
25.0
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
