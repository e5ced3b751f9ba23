"""Beam search as fairseq's generator does it, over several clips at a time.

Conventions
-----------
The best ``2 * beam`` continuations of all beams of a clip are looked at in order. Ends among the first ``beam``
finish a hypothesis, whose score is the sum of natural logarithms over ``length ** length_penalty``, the end counted;
the first ``beam`` others go on. A clip is done with ``beam`` finished hypotheses, or at ``max_length``, where the end
is forced and counted. Nothing ends before its first token, and padding is never said. Clips do not influence one
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from mtbench.avsr.avhubert.decoder import AVHubertDecoder, Memory
from mtbench.errors import UsageError

#: Tokens with the end, and the score.
Finished = tuple[list[int], float]


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes
    ----------
    beam : int
        Hypotheses kept; 1 is greedy.
    length_penalty : float
        Exponent of the length that scores are divided by.
    max_length : int
        Most tokens before the end.
    start, end, pad : int
        The tokens that a hypothesis begins with, ends with, and never holds.
    """

    beam: int
    length_penalty: float
    max_length: int
    start: int
    end: int
    pad: int


@dataclass
class _Clip:
    number: int
    beams: list[list[int]]
    finished: list[Finished] = field(default_factory=list)


def search_beams(
    decoder: AVHubertDecoder, memory: Memory, clips: int, settings: SearchSettings
) -> list[list[Finished]]:
    """Search.

    Parameters
    ----------
    decoder : AVHubertDecoder
        What continues hypotheses.
    memory : Memory
        Of its ``begin``, for all clips.
    clips : int
        How many.
    settings : SearchSettings
        How.

    Returns
    -------
    list of list
        For each clip tokens with end and score, best first.

    Raises
    ------
    UsageError
        For a beam that the vocabulary cannot fill, or lengths that are none.
    """
    beam, vocabulary = settings.beam, decoder.sizes.vocabulary
    if not 1 <= beam <= (vocabulary - 2) // 2 or settings.max_length < 1:
        raise UsageError(
            f"beam {beam} and max_length {settings.max_length}: expected a beam from 1 to {(vocabulary - 2) // 2}, "
            "half the vocabulary, and a length of at least 1"
        )
    results: list[list[Finished]] = [[] for _ in range(clips)]
    open_clips = [_Clip(number, [[]]) for number in range(clips)]
    device = decoder.embed_tokens.weight.device
    tokens = torch.full((clips, 1), settings.start, device=device)
    scores = torch.zeros(clips, 1, device=device)
    for step in range(settings.max_length + 1):
        logits, memory = decoder(tokens, memory)
        gains = _mask(logits[:, -1].float().log_softmax(-1), step, settings)
        totals = (gains.unflatten(0, (len(open_clips), -1)) + scores[..., None]).flatten(1)
        best, places = totals.topk(min(2 * beam, totals.shape[1] - 1))
        rows, said, kept, left = [], [], [], []
        per_clip = len(gains) // len(open_clips)
        for at, (clip, values, where) in enumerate(
            zip(open_clips, best.tolist(), places.tolist(), strict=True)
        ):
            candidates = [
                (value, *divmod(place, vocabulary)) for value, place in zip(values, where, strict=True)
            ]
            _finish(clip, candidates[:beam], settings)
            if len(clip.finished) == beam or step == settings.max_length:
                results[clip.number] = sorted(clip.finished, key=lambda one: -one[1])
                continue
            going = [one for one in candidates if one[2] != settings.end][:beam]
            clip.beams = [clip.beams[parent] + [token] for _, parent, token in going]
            rows += [at * per_clip + parent for _, parent, _ in going]
            said += [token for _, _, token in going]
            kept.append([value for value, _, _ in going])
            left.append(clip)
        if not left:
            break
        same_clips = step > 0 and len(left) == len(open_clips)
        memory = memory.choose(torch.tensor(rows, device=device), same_clips)
        tokens = torch.tensor(said, device=device)[:, None]
        scores = torch.tensor(kept, device=device)
        open_clips = left
    return results


def _mask(gains: torch.Tensor, step: int, settings: SearchSettings) -> torch.Tensor:
    gains[:, settings.pad] = -torch.inf
    if step == 0:
        gains[:, settings.end] = -torch.inf
    if step >= settings.max_length:
        ends = gains[:, settings.end].clone()
        gains.fill_(-torch.inf)
        gains[:, settings.end] = ends
    return gains


def _finish(clip: _Clip, first: Sequence[tuple[float, int, int]], settings: SearchSettings) -> None:
    for value, parent, token in first:
        if token == settings.end and value > -torch.inf and len(clip.finished) < settings.beam:
            tokens = [*clip.beams[parent], token]
            clip.finished.append((tokens, value / len(tokens) ** settings.length_penalty))
