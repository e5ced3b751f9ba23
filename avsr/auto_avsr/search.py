"""The search of Auto-AVSR and ViSpeR: ESPnet's, joint by CTC and attention, from a start of one or more tokens.

Conventions
-----------
A search takes at most as many steps as there are frames. What is open then is given an end that nobody scores; what had
just ended is given a second one. The search stops earlier where ESPnet finds that nothing better will come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mtbench.avsr.auto_avsr.espnet_parts import (
    BatchBeamSearch,
    BatchHypothesis,
    CTCPrefixScorer,
    LengthBonus,
    without_log,
)
from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork
from mtbench.errors import UsageError


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes
    ----------
    beam : int
        Hypotheses kept.
    ctc_weight : float
        Weight of CTC's prefix score, from 0 to 1; the decoder has the rest.
    length_bonus : float
        What each token is rewarded with.
    """

    beam: int = 40
    ctc_weight: float = 0.1
    length_bonus: float = 0.0


@dataclass(frozen=True)
class Found:
    """A hypothesis.

    Attributes
    ----------
    tokens : list of int
        From the beginning to the end, both included.
    score : float
        Sum of the parts, each with its weight.
    parts : dict of str to float
        Scores without weights: ``decoder``, ``ctc``, ``length_bonus``, where they took part.
    """

    tokens: list[int]
    score: float
    parts: dict[str, float]


class StartedSearch(BatchBeamSearch):
    """ESPnet's search, whose hypotheses begin with given tokens that count as if they had been found.

    ESPnet itself can begin with a primer, which its CTC does not count and its rule for stopping allows for. ViSpeR's
    search, on which its published numbers rest, does neither: CTC counts the language as a first label that it never
    reads (so that every path begins with the blank), and stopping comes one step later. That is what hypotheses that
    are longer from the first step on get.

    Parameters
    ----------
    start : sequence of int
        The tokens.
    **settings
        Of ESPnet's search.
    """

    def __init__(self, start: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.start = list(start)

    def init_hyp(self, x: torch.Tensor, x_lengths: torch.Tensor | None = None) -> BatchHypothesis:
        """Return the only hypothesis of the first step."""
        first = super().init_hyp(x, x_lengths)
        return BatchHypothesis(
            yseq=torch.tensor([self.start], device=x.device),
            score=first.score,
            length=torch.tensor([len(self.start)]),
            scores=first.scores,
            states=first.states,
        )


def search_beams(
    network: AutoAVSRNetwork, encoded: torch.Tensor, start: Sequence[int], settings: SearchSettings
) -> list[Found]:
    """Search.

    Parameters
    ----------
    network : AutoAVSRNetwork
        What scores hypotheses.
    encoded : torch.Tensor
        (T, D), a clip.
    start : sequence of int
        What hypotheses begin with.
    settings : SearchSettings
        How.

    Returns
    -------
    list of Found
        Best first.

    Raises
    ------
    UsageError
        For a beam that the vocabulary cannot fill, or weights that are none.
    """
    vocabulary, weight = network.sizes.vocabulary, settings.ctc_weight
    most = vocabulary - 1  # a wider beam holds the blank, of which ESPnet's CTC loses the score
    if not 1 <= settings.beam <= most or not 0 <= weight <= 1:
        raise UsageError(
            f"beam {settings.beam} and CTC weight {weight}: expected a beam from 1 to {most}, the tokens that can be "
            "said, and a weight from 0 to 1"
        )
    end = vocabulary - 1
    with without_log():
        search = StartedSearch(
            start,
            scorers={
                "decoder": network.decoder,
                "ctc": CTCPrefixScorer(network.ctc, end),
                "length_bonus": LengthBonus(vocabulary),
            },
            weights={"decoder": 1 - weight, "ctc": weight, "length_bonus": settings.length_bonus},
            beam_size=settings.beam,
            vocab_size=vocabulary,
            sos=end,
            eos=end,
            pre_beam_score_key=None if weight == 1 else "decoder",
        )
        with network.looking_at(encoded):
            found = search.eval()(encoded)
    return [
        Found(one.yseq.tolist(), float(one.score), {name: float(part) for name, part in one.scores.items()})
        for one in found
    ]
