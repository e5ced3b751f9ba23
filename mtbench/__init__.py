"""mtbench: evaluation of multilingual speech-driven 3D talking heads.

The public names are loaded on first use, so that ``import mtbench`` and ``mtbench --help`` stay fast.
"""

from __future__ import annotations

from mtbench.doors import open_door
from mtbench.old_names import find_old_names

find_old_names()
__getattr__, __dir__, __all__ = open_door(__name__, __file__)
