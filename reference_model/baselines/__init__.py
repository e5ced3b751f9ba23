"""Simple baselines beside the reference model; see :mod:`mtbench.reference_model.baselines.entries`."""

from mtbench.reference_model.baselines.entries import BASELINES, make_baseline

__all__ = ["BASELINES", "make_baseline"]
