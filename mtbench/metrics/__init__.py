"""Metrics: one module each, per-clip sufficient statistics first, aggregation elsewhere.

Conventions
-----------
Geometric metrics take (T, V, 3) vertices in metres, compute in float64 and raise where frame counts differ:
a motion that stops early must not lose its bad frames. Error rates take normalised tokens.
``mtbench.results.aggregation`` turns rows into estimates with intervals. :data:`mtbench.metrics.base.METRICS` lists
names, units, directions.
"""
