"""Meta-evaluation: does the metric measure what it claims to? Known degradations in, orderings out.

Conventions
-----------
A *system* is a known degradation of a benchmark's ground truth at one strength. :mod:`mtbench.meta.systems`
says which there are, :mod:`mtbench.meta.degradations` makes their motion, :mod:`mtbench.meta.runs` lets a
recognizer read them, :mod:`mtbench.meta.scores` holds what came out, clip by clip; every statistic, plot and
report is a function of that alone.
"""
