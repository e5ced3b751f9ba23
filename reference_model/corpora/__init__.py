"""Training corpora: other projects' layouts, and data from the benchmark's generator.

Contents
--------
================ ===================================================================================================
``corpus``       Training corpora of the reference model: sound, motion and language of many clips
``generated``    Training data from the benchmark's generator: any number of hours, disjoint from every bundled
                 benchmark
``layout_files`` The files of other projects' layouts that are no motion: sound, resting faces
``layouts``      Training data in other projects' layouts: the released MultiTalk layout and VOCASET's
================ ===================================================================================================

Examples
--------
>>> import mtbench.reference_model.corpora
>>> "open_corpus" in dir(mtbench.reference_model.corpora)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
