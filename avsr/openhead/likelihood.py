"""How probable phones are to a network of connectionist temporal classification.

Conventions
-----------
The probability of a phone sequence is the sum over all alignments of it with the frames, blanks between and around the
phones (Graves et al., ICML 2006). Natural logarithms, double precision, one clip at a time: the result depends on
nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F


def phone_log_probability(log_probs: np.ndarray, classes: Sequence[int]) -> float | None:
    """Return the log-probability of a phone sequence.

    Parameters
    ----------
    log_probs : (T, P) float32
        Log-probabilities of the classes in each frame; class 0 is the blank.
    classes : sequence of int
        Classes of the phones, 1 to P - 1.

    Returns
    -------
    float or None
        None where the frames are fewer than the phones need.

    Examples
    --------
    >>> halves = np.log(np.full((2, 2), 0.5, np.float32))
    >>> round(math.exp(phone_log_probability(halves, [1])), 6)  # 1 1, blank 1, 1 blank
    0.75
    >>> phone_log_probability(halves, [1, 1]) is None
    True
    """
    repeated = sum(a == b for a, b in pairwise(classes))
    if len(classes) + repeated > len(log_probs):
        return None
    loss = F.ctc_loss(
        torch.from_numpy(np.ascontiguousarray(log_probs, np.float64))[:, None],
        torch.tensor([list(classes)], dtype=torch.long),
        torch.tensor([len(log_probs)]),
        torch.tensor([len(classes)]),
        reduction="sum",
    )
    value = -float(loss)
    return value if math.isfinite(value) else None
