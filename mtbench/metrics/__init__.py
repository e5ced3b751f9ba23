"""Metrics: one module each, per-clip sufficient statistics first, aggregation elsewhere.

Geometric metrics take (T, V, 3) vertices in metres, compute in float64 and raise where frame counts differ: a motion
that stops early must not lose its bad frames. Error rates take normalized tokens. :mod:`mtbench.results.aggregation`
turns rows into estimates with intervals.

Contents
--------
======================== =============================================================================================
``aperture_loudness``    Aperture against loudness: whether the mouth is open when speech is loud
``asked``                Optional metrics: which ones are asked for, and their statistics of one clip
``avlr``                 AVLR: audio-visual lip readability, and what a face adds to it
``base``                 What a metric is: an object that owns its measure, unit, direction, aggregation, signature
                         and place in tables
``character_errors``     Character error rate, the headline for languages written without blanks between words
``clip_pairs``           Clips of arrays and files at hand, prediction beside truth: read, checked, and told apart
                         from lists of clips
``closures``             Closure recall and false closures: whether the lips are shut where p, b and m are said, and
                         only there
``definitions``          The table of definitions: what ``mtbench ls metrics --markdown`` prints and
                         ``docs/metrics.md`` holds
``distances``            Checks and distances that the geometric metrics share
``edit_counts``          Counts of edits: the additive statistic that every error rate follows from
``edits``                Minimal edit counts between token sequences, by jiwer
``fdd``                  Upper-face dynamics deviation (FDD): whether the upper face moves as much as it should
``fdd_artalk``           FDD by ARTalk: how differently each vertex of the upper face moves, whichever moves more
``frame_series``         Per-frame series of one clip, for plots: where in time a motion is wrong
``geometry``             The statistics of all geometric metrics of one clip at once
``geometry_sums``        Statistics of the vertices of a clip: what every geometric metric follows from
``headline``             The headline rate: word error, and character error in languages that are written without
                         blanks
``jaw``                  Which vertices are the jaw: chin and lower cheeks below the mouth, without the lips
``lip_concordance``      Lip CCC: whether the lips open and close when they should and as far as they should
``lip_correlation``      Lip PCC: whether the lips open and close when they should, whatever the size
``lip_dtw``              Lip DTW: how far apart two curves of the lip gap are after the best alignment in time
``lip_dynamics``         Lip dynamics: how much the shape of the lips changes over a clip
``lip_gap``              How far the lips are apart in each frame: the curves that lip metrics compare
``loudness``             How loud speech is in each frame, and in which frames somebody speaks
``loudness_correlation`` SLCC, speech-lip intensity correlation: whether the lips move more in louder clips
``lve``                  Lip vertex error, in the variants that the literature calls by the same name
``lve_rms``              LVE, root mean square: the largest lip vertex distance of a frame, squared before the mean
                         over a clip's frames
``mouth_opening``        MOD, mouth opening difference: how much the height of the lips differs from the true height
``mouth_timing``         MTM, mean temporal misalignment: by how much openings and closings of the lips come at the
                         wrong time
``mve``                  Mean vertex error: the mean distance over frames and all vertices
``mve_rms``              MVE, root mean square: the distance of all vertices, squared before the mean
``one_line``             Every metric of vertices in one line: ``mtbench.metrics.lve_mm(prediction, truth,
                         topology="flame-5023")``
``per``                  Phone error rate: what a recognizer hears and sees before any lexicon
``rates``                Error rates as metrics: which counts of a row they are, and how they stand in results
``readability``          Readability bits: how much more probable a face makes what was said than a face that does not
                         move
``regions``              Regional errors: how far jaw and upper face are from where they should be
``registry``             All metrics by name: those of this room's files, and those of other packages
``rigid``                Rigid alignment of one face motion with another, frame by frame: what is left is not head
                         motion
``silent_lips``          Lip stability in silence: how much the lips wander while nobody speaks
``takes``                Several takes of one clip: how far they are from one another, and from the truth at best and
                         on average
``text_rates``           Error rates of texts at hand, in one line: ``mtbench.wer`` and ``mtbench.cer``
``warping``              Dynamic time warping: the cheapest way to walk two curves from their beginnings to their ends
                         together
``word_errors``          Word error rate
======================== =============================================================================================

Examples
--------
>>> from mtbench.metrics import METRICS
>>> METRICS["lve_mm"].unit
'mm'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
