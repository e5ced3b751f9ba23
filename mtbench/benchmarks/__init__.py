"""Benchmarks: folders of clips with text, sound and, where there is some, ground-truth motion.

Contents
--------
================ ===================================================================================================
``benchmark``    Benchmarks: a folder of clips with text, sound and, where there is some, ground-truth motion
``clip``         A clip of a benchmark: text, sound and, where there is some, ground-truth motion; and reading its
                 files
``ground_truth`` Faces that follow from a benchmark alone: a clip's neutral face and the static one
``installed``    Benchmarks in the user's data folder: built on demand there, and found by name as the bundled ones
                 are
``manifest``     The model of ``benchmark.toml``
``noises``       The noises of a benchmark: its own, or the bundled ones where it brings none
``phone_times``  Timed phones of a benchmark's clip: when each sound was said, and when each closure opened
``true_faces``   Faces of a clip's ground truth that the motion of a submission is looked at beside
``vocabulary``   Whether a benchmark's word lists hold what its clips say
================ ===================================================================================================

Examples
--------
>>> from mtbench.benchmarks import load_benchmark
>>> benchmark = load_benchmark("openhead-20")
>>> len(benchmark), benchmark["ita-01"].language
(120, 'ita')
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
