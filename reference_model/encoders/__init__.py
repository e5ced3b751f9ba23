"""Speech encoders: sound to features of speech, two a frame.

Contents
--------
============ =======================================================================================================
``registry`` Speech encoders by name
``speech``   Speech encoders: sound to features of speech, two a frame
``wav2vec2`` wav2vec 2.0 as speech encoder, by Hugging Face's ``transformers`` (extra ``[reference]``): XLSR-53 is
             the paper's
============ =======================================================================================================

Examples
--------
>>> import mtbench.reference_model.encoders
>>> "load_speech_encoder" in dir(mtbench.reference_model.encoders)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
