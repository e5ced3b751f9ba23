"""The frozen encoder of Whisper-base as an ear: spectrum, network, files, features of a clip.

Contents
--------
============= ===============================================================================================
``ear_files`` An ear's two files: int8 weights (safetensors) and what they are and come from (JSON)
``encoder``   Whisper's encoder on clips as short as they are, with any layer's output
``hearing``   An ear: what the frozen encoder makes of a sound, freed of what is the same throughout the clip
``mel``       Whisper's log-mel spectrum of a sound of any length
``released``  Whisper's weights as others give them out: OpenAI's own file, and CTranslate2's binary
============= ===============================================================================================

Examples
--------
>>> import mtbench.avsr.whisper
>>> "load_ear" in dir(mtbench.avsr.whisper)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
