"""Submissions: what a system produced for the clips of a benchmark.

Contents
--------
============== =======================================================================================================
``controls``   Control entries: submissions whose place in any ranking is known beforehand
``curves``     Curves of one clip of a submission over its frames, for plots: where in time it is wrong
``rendering``  Pictures of a submission: videos for people, mouth crops as the recognizer sees them
``submission`` Submissions: what a system produced for the clips of a benchmark
``takes``      Several submissions as takes of one system: how they differ from one another, and from the truth at
               best
``validation`` Finding everything wrong with a submission at once
``writing``    Writing submissions: the one writer of manifests and motion files
============== =======================================================================================================

Examples
--------
>>> from mtbench.submissions import MANIFEST, MOTION_FOLDER
>>> MANIFEST, MOTION_FOLDER
('submission.toml', 'motion')
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
