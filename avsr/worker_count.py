"""How many processes recognize: as many as there are processors, and as a model fits into memory."""

from __future__ import annotations

from mtbench.avsr.base import Recognizer
from mtbench.avsr.traits import describe_traits
from mtbench.work import Progress, count_fitting, default_workers, free_memory


def count_workers(recognizer: Recognizer | None, reporter: Progress) -> int:
    """Return how many processes to start, and say so where a model has to fit into memory as often.

    Parameters
    ----------
    recognizer : Recognizer or None
        Every process has one of its own, where it computes on processors.
    reporter : Progress
        Where it is said.
    """
    most = default_workers()
    traits = None if recognizer is None else describe_traits(recognizer)
    if recognizer is None or traits is None or not traits.memory or not traits.shares_cores:
        return most
    free = free_memory()
    fitting = count_fitting(most, traits.memory, free)
    told = "how much is free is not known here" if free is None else f"{free / 1e9:.1f} GB are free"
    why = (
        "one for each processor, at most 8"
        if fitting == most
        else f"of {most} that the processors would allow"
    )
    reporter.warn(
        f"{fitting} process{'es' * (fitting > 1)} ({why}): {recognizer.name} takes {traits.memory / 1e9:.1f} GB in "
        f"each, {told}; --workers changes it"
    )
    return fitting
