"""Word decoding against brute force over all word sequences."""

import itertools

import numpy as np
import pytest

from mtbench.avsr.openhead.decoding import DecodingConfig, WordDecoder, decode_phones


def best_alignment(log_probs: np.ndarray, labels: list[int]) -> float:
    """Score of the best CTC path of *labels* by enumeration-free Viterbi over the extended label string."""
    extended = [0]
    for c in labels:
        extended += [c, 0]
    score = np.full(len(extended), -np.inf)
    score[0] = log_probs[0, 0]
    if len(extended) > 1:
        score[1] = log_probs[0, extended[1]]
    for row in log_probs[1:]:
        new = np.full_like(score, -np.inf)
        for s, c in enumerate(extended):
            options = [score[s]]
            if s:
                options.append(score[s - 1])
            if s > 1 and c and c != extended[s - 2]:
                options.append(score[s - 2])
            new[s] = max(options) + row[c]
        score = new
    return max(score[-1], score[-2]) if len(score) > 1 else score[-1]


LEXICON = [
    ("a", [1], -0.5),
    ("ab", [1, 2], -1.0),
    ("ba", [2, 1], -1.5),
    ("bb", [2, 2], -2.0),
    ("a", [3], -0.5),
    ("cab", [3, 1, 2], -3.0),
]


@pytest.mark.parametrize("seed", range(25))
def test_decoder_finds_the_best_word_sequence(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2.5, (7, 4))
    log_probs = (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)
    config = DecodingConfig(prior_weight=0.7, word_score=-0.3)
    best, best_score = [], best_alignment(log_probs.astype(float), [])
    for n in range(1, 4):
        for words in itertools.product(LEXICON, repeat=n):
            labels = [c for w in words for c in w[1]]
            if len(labels) > 7:
                continue
            score = best_alignment(log_probs.astype(float), labels) + sum(0.7 * w[2] - 0.3 for w in words)
            if score > best_score + 1e-6:
                best, best_score = [w[0] for w in words], score
    found = WordDecoder(LEXICON, config).decode(log_probs)
    if len(best) < 3:  # longer answers may lie outside the enumeration
        pronunciations = {}
        for w, p, s in LEXICON:
            pronunciations.setdefault(w, []).append((p, s))
        scores = []
        for choice in itertools.product(*[pronunciations[w] for w in found]):
            labels = [c for p, _ in choice for c in p]
            scores.append(
                best_alignment(log_probs.astype(float), labels) + sum(0.7 * s - 0.3 for _, s in choice)
            )
        assert max(scores) >= best_score - 1e-4


def test_repeated_phone_needs_a_blank():
    log_probs = np.log(np.full((4, 3), 1e-4, np.float32))
    for t, c in enumerate((2, 2, 2, 2)):
        log_probs[t, c] = 0
    assert decode_phones(log_probs) == [2]
    decoder = WordDecoder([("b", [2], 0.0), ("bb", [2, 2], 0.0)])
    assert decoder.decode(log_probs) == ["b"]
    log_probs[1] = np.log([1, 1e-4, 1e-4])
    assert decoder.decode(log_probs) in (["bb"], ["b", "b"])


def test_silence_gives_no_words():
    log_probs = np.log(np.full((5, 3), 1e-4, np.float32))
    log_probs[:, 0] = 0
    assert WordDecoder([("b", [2], 0.0)]).decode(log_probs) == []


def test_empty_lexicon_and_empty_pronunciation_are_refused():
    with pytest.raises(ValueError, match="no pronunciation"):
        WordDecoder([])
    with pytest.raises(ValueError, match="'x'"):
        WordDecoder([("x", [], 0.0)])


def test_homophones_go_to_the_likelier_word():
    log_probs = np.log(np.array([[1e-4, 1, 1e-4]], np.float32))
    assert WordDecoder([("rare", [1], -5.0), ("common", [1], -1.0)]).decode(log_probs) == ["common"]
