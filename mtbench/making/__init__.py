"""Making a benchmark folder from recordings, texts, motion and resting faces.

Contents
--------
=================== ================================================================================================
``additions``       Noise recordings and word lists of people's own that go into a benchmark in the making
``annotations``     What is said in the clips of a data set: JSON annotations as MultiTalk releases them, or text
                    files
``folder``          Making a benchmark folder from recordings, texts and, where there is some, motion
``manifest_edits``  Adding word lists and reference phones to a ``benchmark.toml`` that people may have written by
                    hand
``notes``           What is said about a benchmark in the making: what is wrong with its files, and what was done to
                    them
``recordings``      Sound of a benchmark in the making: recordings are read, and written as 16-bit FLAC at 16 kHz
``released``        A benchmark out of the layouts that data sets are released in, or that their users make of them
``sources``         The files that a benchmark is made of: recordings, their texts and ground truth, and in which
                    language they are
``truth``           Ground-truth motion, and templates, of a benchmark in the making
``vocaset_release`` VOCASET as its authors release it: all frames in one array, sound and their order in pickles
``word_lists``      Word lists and reference phones made for a benchmark folder: ``mtbench benchmark lexicon``
=================== ================================================================================================

Examples
--------
``create_benchmark("mine", "recordings", language="ita", words="auto")`` makes the folder ``mine``; ``mtbench benchmark
new`` does the same.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
