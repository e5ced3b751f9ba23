"""Results: what a score found, clip by clip, and everything that follows from it.

A result folder holds ``clips.jsonl``, one row for each clip and condition, and ``run.json``, whose numbers follow from
the rows. Whoever reads results needs nothing else: no benchmark, no recognizer, no torch.

Contents
--------
================== ====================================================================================================
``aggregation``    From per-clip rows to the summary of a run: estimates, intervals, counts and signatures
``alignment``      Texts against each other, unit by unit: which words were recognized, exchanged, left out or added
``averaging``      How the error rates of a run are put together: over clips and noises, and which rate is the headline
``checks``         What the fields of result files may hold: checked once, where the files are read
``columns``        The columns of numbers that tables have, and what stands in them
``comparability``  Whether the numbers of two runs may stand in one table, and what entries chose for themselves
``comparison``     Whether one scored entry is better than another: ``mtbench.compare``
``confusions``     Confusions of classes of phones: which phones that were said came back as which, or not at all
``folders``        Where results lie: one folder a system, one in it for each benchmark and each set of conditions
``head_motion``    Telling from a run's rows how much of its lip error is rigid head motion
``metric_table``   The table of optional metrics: one line a metric, one column an entry
``notebook``       What a notebook shows of benchmarks, runs, tables and comparisons: HTML without styles of its own
``paired``         Paired differences between two entries, clip by clip, with intervals and corrected p-values
``plot_style``     What all plots share: colors on light and dark ground, type, marks with intervals, and their files
``ranking``        Ranks of entries by one number, from their per-clip rows: which are told apart, and how far ranks
                   are certain
``recount``        From hypotheses to recognition rows with counts
``rederivation``   Deriving a result's numbers from its rows again: whether ``run.json`` says what ``clips.jsonl``
                   holds
``result_text``    The text of result files, and what it says: size, encoding and syntax are checked first
``roles``          What an entry is: a control, the reference model, or a system under test
``rows``           Per-clip rows: the sufficient statistics from which every number of a result can be derived again
``run_files``      Result folders: ``run.json`` and ``clips.jsonl``, written so that equal runs give equal bytes
``series``         Series: one metric under one condition, as numerator and denominator per clip
``sight``          The guard on the motion: whether a recognizer reads the mouths of a benchmark at all
``signature``      Signatures: one line that says how a number was computed
``signature_keys`` What the keys of signatures mean, for people
``summary``        What a run reports: its numbers, and the signatures that say how they were computed
``tables``         Results as text: one table over entries, one over languages
``understanding``  The guard on the domain: whether a recognizer understands a benchmark's speech at all
``wanted_rows``    Rows of one condition, without reading the others: what a board of many entries needs of
                   ``clips.jsonl``
================== ====================================================================================================

Examples
--------
>>> from mtbench.results import Signature
>>> Signature.parse("wer|norm:uni-v1").get("norm")
'uni-v1'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
