"""The released MultiTalk checkpoints, brought into this model.

Contents
--------
============ ===================================================================
``format``   What the released checkpoints hold, key by key, and reading them so
``released`` The released MultiTalk checkpoints, brought into this model
============ ===================================================================

Examples
--------
``mtbench reference import`` writes a model file from the published checkpoints.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
