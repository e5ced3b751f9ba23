"""Metrics: one module each, per-clip sufficient statistics first, aggregation elsewhere.

Geometric metrics take (T, V, 3) vertices in metres, compute in float64 and raise where frame counts differ: a motion
that stops early must not lose its bad frames. Error rates take normalized tokens. :mod:`mtbench.results.aggregation`
turns rows into estimates with intervals.

Contents
--------
================= ==================================================================================================
``avlr``          AVLR: audio-visual lip readability, and what a face adds to it
``base``          What a metric is: an object that owns its measure, unit, direction, aggregation, signature and
                  place in tables
``cer``           Character error rate, the headline for languages written without blanks between words
``distances``     Checks and distances that the geometric metrics share
``edit_counts``   Counts of edits: the additive statistic that every error rate follows from
``edits``         Minimal edit counts between token sequences, by jiwer
``fdd``           Upper-face dynamics deviation (FDD): whether the upper face moves as much as it should
``geometry``      The statistics of all geometric metrics of one clip at once
``geometry_sums`` Statistics of the vertices of a clip: what every geometric metric follows from
``headline``      The headline rate: word error, and character error in languages that are written without blanks
``lve``           Lip vertex error, in the variants that the literature calls by the same name
``mve``           Mean vertex error: the mean distance over frames and all vertices
``per``           Phone error rate: what a recognizer hears and sees before any lexicon
``rates``         Error rates as metrics: which counts of a row they are, and how they stand in results
``readability``   Readability bits: how much more probable a face makes what was said than a face that does not move
``registry``      All metrics by name: those of this room's files, and those of other packages
``rigid``         Rigid alignment of one face motion with another, frame by frame: what is left is not head motion
``wer``           Word error rate
================= ==================================================================================================

Examples
--------
>>> from mtbench.metrics import METRICS
>>> METRICS["lve_mm"].unit
'mm'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
