"""What mtbench shows of itself: its own entries, scored, on a board of their own.

``mtbench leaderboard demo`` comes in here.

Contents
--------
=========== ==================================================================================
``board``   A board of our own entries, with pages on which their clips are looked at
``entries`` Entries of our own as submissions: controls, the reference model, simple baselines
=========== ==================================================================================

Examples
--------
>>> from mtbench.showcase import ENTRIES
>>> "multitalk-mini" in ENTRIES
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
