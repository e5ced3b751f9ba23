"""Results: what a score found, clip by clip, and everything that follows from it.

A result folder holds ``clips.jsonl``, one row for each clip and condition, and ``run.json``, whose numbers follow from
the rows. Whoever reads results needs nothing else: no benchmark, no recognizer, no torch.

Contents
--------
================= ==============================================================================
``aggregation``   From per-clip rows to the summary of a run: estimates, intervals, counts and
``checks``        What the fields of result files may hold: checked once, where the files are
``comparison``    Whether one scored entry is better than another: ``mtbench.compare``
``conditions``    The conditions of runs: whether two may stand in one table, and what entries
``folders``       Where results lie: one folder a system, one in it for each benchmark and each
``head_motion``   Telling from a run's rows how much of its lip error is rigid head motion
``notebook``      What a notebook shows of benchmarks, runs, tables and comparisons: HTML
``paired``        Paired differences between two entries, clip by clip, with intervals and
``plot_style``    What the plots of a meta-evaluation share: colors, type, and marks with
``recount``       From hypotheses to recognition rows with counts
``rows``          Per-clip rows: the sufficient statistics from which every number of a result
``run_files``     Result folders: ``run.json`` and ``clips.jsonl``, written so that equal runs
``series``        Series: one metric under one condition, as numerator and denominator per clip
``signature``     Signatures: one line that says how a number was computed
``statistics``    Uncertainty and significance: cluster bootstrap, paired randomisation, Holm's
``summary``       What a run reports: its numbers, and the signatures that say how they were
``tables``        Results as text: one table over entries, one over languages
``understanding`` The guard on the domain: whether a recognizer understands a benchmark's
================= ==============================================================================

Examples
--------
>>> from mtbench.results import Signature
>>> Signature.parse("wer|norm:uni-v1").get("norm")
'uni-v1'
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
