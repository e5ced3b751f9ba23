"""Prefix beam search against the sum over all alignments of all word sequences, and against the exact search."""

import itertools

import numpy as np
import pytest
import torch

from mtbench.avsr.openhead.beam_search import list_children, look_ahead
from mtbench.avsr.openhead.decoding import DecodingConfig, WordDecoder

LEXICON = [
    ("a", [1], -0.5),
    ("ab", [1, 2], -1.0),
    ("ba", [2, 1], -1.5),
    ("bb", [2, 2], -2.0),
    ("cab", [3, 1, 2], -3.0),
]
PRIOR, WORD = 0.7, -0.3


def draw(seed: int, frames: int = 5, sharpness: float = 2.0) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, sharpness, (frames, 4))
    return (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)


def sum_of_alignments(log_probs: np.ndarray, labels: list[int]) -> float:
    """Log-probability that CTC gives to *labels*, by torch's loss."""
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_probs).double()[:, None],
        torch.tensor([labels], dtype=torch.long),
        torch.tensor([len(log_probs)]),
        torch.tensor([len(labels)]),
        reduction="none",
    )
    return -float(loss)


def score_words(log_probs: np.ndarray, words: tuple[str, ...]) -> float:
    entries = {w: (p, s) for w, p, s in LEXICON}
    labels = [c for w in words for c in entries[w][0]]
    return sum_of_alignments(log_probs, labels) + sum(PRIOR * entries[w][1] + WORD for w in words)


def decoder(search: str = "beam", beam: int = 2000) -> WordDecoder:
    return WordDecoder(LEXICON, DecodingConfig(PRIOR, WORD, search=search, beam=beam))


@pytest.mark.parametrize("seed", range(12))
def test_wide_beam_finds_the_best_sum(seed):
    log_probs = draw(seed)
    # Five frames hold no more than five labels.
    sequences = [s for n in range(6) for s in itertools.product([w for w, _, _ in LEXICON], repeat=n)]
    lengths = {w: len(p) for w, p, _ in LEXICON}
    fitting = [s for s in sequences if sum(lengths[w] for w in s) <= len(log_probs)]
    best = max(score_words(log_probs, s) for s in fitting)
    found = tuple(decoder().decode(log_probs))
    assert score_words(log_probs, found) == pytest.approx(best, abs=1e-4)


def test_searches_differ_where_many_paths_outweigh_the_best_one():
    # "a" has the best single path (a, blank: 0.30 against 0.19), "b" the larger sum (0.38 against 0.31).
    lexicon = [("a", [1], 0.0), ("b", [2], 0.0)]
    log_probs = np.log(np.array([[0.02, 0.6, 0.38], [0.5, 0.02, 0.48]], np.float32))
    assert WordDecoder(lexicon, DecodingConfig(search="viterbi")).decode(log_probs) == ["a"]
    assert WordDecoder(lexicon, DecodingConfig(search="beam")).decode(log_probs) == ["b"]


@pytest.mark.parametrize("seed", range(10))
def test_a_sharp_recognizer_makes_both_searches_agree(seed):
    log_probs = draw(seed, frames=14, sharpness=25.0)
    assert decoder("beam", 64).decode(log_probs) == decoder("viterbi").decode(log_probs)


def test_narrow_beam_is_deterministic_and_still_gives_words():
    log_probs = draw(3, frames=30)
    narrow = decoder("beam", 1)
    assert narrow.decode(log_probs) == narrow.decode(log_probs.copy())
    assert all(w in {w for w, _, _ in LEXICON} for w in narrow.decode(log_probs))


def test_unfinished_word_is_left_out():
    only = WordDecoder([("ab", [1, 2], 0.0)], DecodingConfig(search="beam", beam=1))
    log_probs = np.log(np.full((3, 3), 1e-6, np.float32))
    log_probs[[0, 1, 2], [1, 2, 1]] = 0
    assert only.decode(log_probs) == ["ab"]


def test_silence_gives_no_words_and_repeats_need_a_blank():
    quiet = np.log(np.full((5, 4), 1e-4, np.float32))
    quiet[:, 0] = 0
    assert decoder().decode(quiet) == []
    log_probs = np.log(np.full((4, 4), 1e-4, np.float32))
    log_probs[:, 2] = 0
    assert decoder().decode(log_probs) != ["bb"]
    log_probs[1] = np.log([1, 1e-4, 1e-4, 1e-4])
    assert decoder().decode(log_probs) == ["bb"]


def test_blank_penalty_keeps_quiet_words():
    log_probs = np.log(np.array([[0.9, 0.1, 1e-4, 1e-4]], np.float32))
    keep = WordDecoder(LEXICON, DecodingConfig(0.1, 0.0, blank_penalty=3.0, search="beam"))
    drop = WordDecoder(LEXICON, DecodingConfig(0.1, 0.0, search="beam"))
    assert (keep.decode(log_probs), drop.decode(log_probs)) == (["a"], [])


def test_trie_arrays():
    parent = np.array([-1, 0, 1, 0, 3, 1], np.int32)
    start, child = list_children(parent)
    assert [child[start[i] : start[i + 1]].tolist() for i in range(6)] == [[1, 3], [2, 5], [], [4], [], []]
    score = np.array([-1e30, -5, -2, -1e30, -3, -4], np.float32)
    assert look_ahead(parent, score).tolist() == [0, -2, -2, -3, -3, -4]


def test_unknown_search_and_empty_beam_are_refused():
    with pytest.raises(ValueError, match="viterbi, beam"):
        DecodingConfig(search="greedy")
    with pytest.raises(ValueError, match="beam must be 1"):
        DecodingConfig(search="beam", beam=0)


def test_settings_are_told_apart_by_their_description():
    configs = [
        DecodingConfig(),
        DecodingConfig(0.4),
        DecodingConfig(search="beam"),
        DecodingConfig(search="beam", beam=9),
    ]
    assert len({c.describe() for c in configs}) == 4
