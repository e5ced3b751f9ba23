"""AV-HuBERT without fairseq: the published sequence models, their files, their search.

Weights are the user's to bring (most are licensed for research only); nothing of them ships.

Contents
--------
================== ===============================================================================================
``attention``      Multi-head attention and feed-forward layers, by the names that published checkpoints give
                   their tensors
``beam_search``    Beam search as fairseq's generator does it, over several clips at a time
``checkpoints``    Published checkpoints: fairseq's own, and ports to transformers, brought to one set of names
``decoder``        AV-HuBERT's decoder: one token after another, with keys and values of earlier ones kept
``encoder``        AV-HuBERT's encoder: mouth and filterbank into one sequence of 25 steps a second
``filterbank``     The log filterbank that AV-HuBERT hears: 26 bands, four frames stacked
``loading``        Loading a recognizer of the AV-HuBERT family from its files
``recognition``    A loaded AV-HuBERT: encode, score and search clips, and read the result
``vocabulary``     Tokens as text: fairseq's dictionary files, and SentencePiece
================== ===============================================================================================

Examples
--------
>>> import mtbench.avsr.avhubert
>>> "load_avhubert" in dir(mtbench.avsr.avhubert)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
