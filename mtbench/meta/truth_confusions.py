"""What a recognizer confuses in the ground truth: viseme classes that are recognized from video alone."""

from __future__ import annotations

from mtbench.errors import UsageError
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.results import Confusions, count_confusions


def confuse_ground_truth(scores: MetaScores, condition: str = "v") -> Confusions:
    """Return what the recognizer confuses in the ground truth under *condition*.

    Raises
    ------
    UsageError
        Where the scores hold no such hypotheses.
    """
    hypotheses = scores.hypotheses.get((GROUND_TRUTH, condition))
    if hypotheses is None:
        raise UsageError(
            f"no recognized phones of the ground truth under condition {condition!r}; the scores hold "
            f"{', '.join(' '.join(key) for key in scores.hypotheses) or 'none'}"
        )
    return count_confusions(scores.references, hypotheses)
