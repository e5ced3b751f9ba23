"""Auto-AVSR's audio-visual model (release v1.0.0) and ViSpeR, on ESPnet: their files, their input, their search.

Weights are the user's to bring (most are licensed for research only); nothing of them ships. ESPnet wants Python 3.12
(extra ``[espnet]``).

Contents
--------
================ ====================================================================================================
``checkpoints``  Published files of Auto-AVSR and ViSpeR, brought to ESPnet's names
``espnet_parts`` What is ESPnet's: conformer blocks, the Transformer decoder, CTC and its prefix scores, the beam search
``front_ends``   Auto-AVSR's front-ends: mouths and a raw wave, each brought to 512 numbers 25 times a second
``loading``      Loading Auto-AVSR's audio-visual model, or one of ViSpeR's, from their files
``network``      Auto-AVSR's network: one conformer for the mouth, one for the sound, both made one, CTC and a
                 Transformer decoder
``recognition``  A loaded Auto-AVSR or ViSpeR: encode, score and search clips, and read the result
``recognizer``   Auto-AVSR and ViSpeR as recognizers: how a clip is shown to them, and how they answer
``search``       The search of Auto-AVSR and ViSpeR: ESPnet's, joint by CTC and attention, from a start of one or more
                 tokens
``signals``      What Auto-AVSR and ViSpeR are given of a clip: normalized mouths, and a normalized wave
``sizes``        Sizes of an Auto-AVSR network: read off its tensors, and held against the settings that come with them
``units``        Tokens as text: the list of units, ViSpeR's languages, SentencePiece
================ ====================================================================================================

Examples
--------
>>> import mtbench.avsr.auto_avsr
>>> "load_auto_avsr" in dir(mtbench.avsr.auto_avsr)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
