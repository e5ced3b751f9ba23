"""From CTC log-probabilities to phones, and to words of a lexicon.

:func:`decode_phones` is the best CTC path. :class:`WordDecoder` finds words over the trie of all pronunciations, by
one of two searches: ``"viterbi"`` finds the best single path through CTC's label and blank states exactly, so
nothing is pruned and the result depends on no beam; ``"beam"`` sums over the paths of each word sequence and
keeps the best hypotheses of each frame (:mod:`mtbench.avsr.openhead.beam_search`). Either way the score of a word
sequence is the CTC log-probability of its frames plus, per word, ``prior_weight * log P(word) + word_score``: a
unigram prior, the same for every entry.

The exact search is the default because with a unigram prior nothing needs to be pruned, and pruning costs words where
the recognizer is unsure: on the development clips of :mod:`mtbench.avsr.openhead.tuning` (at −7.5 dB, first
released weights) 30.4 % of words were wrong with it, 40.0, 34.9 and 32.4 % with beams of 16, 64 and 256; in clean
sound the two are within half a point of each other at 64, and a beam of 256 takes three times as long as the exact
search.

Conventions
-----------
Class 0 is CTC's blank; class *i* is phone *i - 1* of the recognizer's inventory. Log-probabilities are
(T, P) float32, one row per output frame.

References
----------
Graves et al., "Connectionist temporal classification", ICML 2006; Ney, "The use of a one-stage dynamic
programming algorithm for connected word recognition", IEEE TASSP 1984.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mtbench.avsr.openhead.beam_search import list_children, look_ahead, search_beam
from mtbench.work import njit_cached

Search = Literal["viterbi", "beam"]

_NEVER = np.float32(-1e30)


def decode_phones(log_probs: np.ndarray) -> list[int]:
    """Return the phone classes of the best CTC path.

    Parameters
    ----------
    log_probs : (T, P) float32
        Log-probabilities, class 0 is blank.

    Examples
    --------
    >>> decode_phones(np.log(np.eye(3, dtype=np.float32)[[1, 1, 0, 1, 2]] + 1e-3))
    [1, 1, 2]
    """
    best = log_probs.argmax(-1)
    changed = np.concatenate([[True], best[1:] != best[:-1]])
    return [int(c) for c in best[changed & (best != 0)]]


@dataclass(frozen=True)
class DecodingConfig:
    """Weights of the word search.

    Attributes
    ----------
    prior_weight : float
        Weight of the lexicon's log prior.
    word_score : float
        Added per word; negative values favour few words.
    blank_penalty : float
        Subtracted from the blank's log-probability; blanks dominate where the recognizer is unsure, and a
        penalty keeps short hypotheses from winning by silence.
    search : {"viterbi", "beam"}
        See the module's docstring.
    beam : int
        Hypotheses kept per frame by the beam search.

    Raises
    ------
    ValueError
        For an unknown search or a beam below 1.
    """

    prior_weight: float = 0.5
    word_score: float = 0.0
    blank_penalty: float = 0.0
    search: Search = "viterbi"
    beam: int = 64

    def __post_init__(self) -> None:
        if self.search not in get_args(Search):
            raise ValueError(f"search must be one of {', '.join(get_args(Search))}, not {self.search!r}")
        if self.beam < 1:
            raise ValueError(f"beam must be 1 or more, not {self.beam}")

    def describe(self) -> str:
        """Return the settings in one word for signatures.

        Examples
        --------
        >>> DecodingConfig(0.9, -1.0, 3.0).describe()
        'viterbi(pw0.9,ws-1,bp3)'
        """
        name = self.search if self.search == "viterbi" else f"{self.search}{self.beam}"
        return f"{name}(pw{self.prior_weight:g},ws{self.word_score:g},bp{self.blank_penalty:g})"


class WordDecoder:
    """Lexicon-constrained CTC decoding.

    Parameters
    ----------
    pronunciations : sequence of (word, classes, log_prior)
        Word, its phone classes (1..P-1; several entries per word are variants) and its log prior.
    config : DecodingConfig
        Weights.

    Raises
    ------
    ValueError
        If there is no pronunciation, or an empty one.
    """

    def __init__(
        self, pronunciations: Sequence[tuple[str, Sequence[int], float]], config: DecodingConfig | None = None
    ) -> None:
        if not pronunciations:
            raise ValueError("the lexicon has no pronunciation")
        self.config = config or DecodingConfig()
        self.words: list[str] = []
        index: dict[str, int] = {}
        children: dict[tuple[int, int], int] = {}
        parent, label = [-1], [0]
        # Homophones share a node; only the likelier word can ever be the answer.
        node_word, node_prior = [-1], [0.0]
        for word, classes, prior in sorted(pronunciations, key=lambda p: (-p[2], p[0])):
            if not len(classes):
                raise ValueError(f"the lexicon's word {word!r} has an empty pronunciation")
            node = 0
            for c in classes:
                key = (node, int(c))
                if key not in children:
                    children[key] = len(parent)
                    parent.append(node)
                    label.append(int(c))
                    node_word.append(-1)
                    node_prior.append(0.0)
                node = children[key]
            if node_word[node] < 0:
                node_word[node] = index.setdefault(word, len(index))
                node_prior[node] = prior
        self.words = list(index)
        self._parent = np.asarray(parent, np.int32)
        self._label = np.asarray(label, np.int32)
        self._word = np.asarray(node_word, np.int32)
        scores = self.config.prior_weight * np.asarray(node_prior) + self.config.word_score
        self._score = np.where(self._word >= 0, scores, _NEVER).astype(np.float32)
        if self.config.search == "beam":
            self._start, self._child = list_children(self._parent)
            self._ahead = look_ahead(self._parent, self._score)

    def decode(self, log_probs: np.ndarray) -> list[str]:
        """Return the most probable word sequence for (T, P) *log_probs*; may be empty."""
        frames = np.ascontiguousarray(log_probs, np.float32)
        if self.config.blank_penalty:
            frames = frames.copy()
            frames[:, 0] -= np.float32(self.config.blank_penalty)
        if self.config.search == "beam":
            trie = (self._label, self._word, self._score, self._start, self._child, self._ahead)
            found = search_beam(frames, *trie, self.config.beam)
        else:
            found = _search(frames, self._parent, self._label, self._word, self._score)
        return [self.words[i] for i in found]


@njit_cached(nogil=True)
def _search(  # pragma: no cover - compiled
    frames: np.ndarray, parent: np.ndarray, label: np.ndarray, word: np.ndarray, score: np.ndarray
) -> np.ndarray:
    """Viterbi over trie nodes x {label, blank}; returns word indices.

    Every state carries the record (a word with its predecessor record) that its path entered the trie with.
    A word whose last label was the frame before can be followed at once only by a different label, so per
    frame the best exit through a blank and the two best label exits with different labels are kept.
    """
    n_frames = frames.shape[0]
    n = parent.shape[0]
    never = np.float32(-1e30)
    at_label = np.full(n, never, np.float32)
    at_blank = np.full(n, never, np.float32)
    label_record = np.full(n, -1, np.int32)
    blank_record = np.full(n, -1, np.int32)
    # The root's blank is the silence before the first word.
    at_blank[0] = np.float32(0.0)
    record_word = np.empty(3 * n_frames + 3, np.int32)
    record_before = np.empty(3 * n_frames + 3, np.int32)
    n_records = 0
    exit_score = np.full(3, never, np.float32)
    exit_label = np.full(3, -1, np.int32)
    exit_record = np.full(3, -1, np.int32)
    for t in range(n_frames):
        row = frames[t]
        blank = row[0]
        # Children have larger indices than their parents: going down reads the previous frame's values.
        for i in range(n - 1, 0, -1):
            c = label[i]
            best = at_label[i]
            record = label_record[i]
            p = parent[i]
            if p == 0:
                if at_blank[0] > best:
                    best = at_blank[0]
                    record = np.int32(-1)
                for k in range(3):
                    if exit_score[k] > best and exit_label[k] != c:
                        best = exit_score[k]
                        record = exit_record[k]
            else:
                if at_blank[p] > best:
                    best = at_blank[p]
                    record = blank_record[p]
                if label[p] != c and at_label[p] > best:
                    best = at_label[p]
                    record = label_record[p]
            if at_label[i] > at_blank[i]:
                at_blank[i] = at_label[i] + blank
                blank_record[i] = label_record[i]
            else:
                at_blank[i] = at_blank[i] + blank
            at_label[i] = best + row[c]
            label_record[i] = record
        at_blank[0] += blank
        # Words that end in this frame.
        best_blank = never
        blank_node = -1
        first = never
        first_node = -1
        second = never
        second_node = -1
        for i in range(1, n):
            if word[i] >= 0:
                s = at_blank[i] + score[i]
                if s > best_blank:
                    best_blank = s
                    blank_node = i
                s = at_label[i] + score[i]
                if s > first:
                    if first_node >= 0 and label[first_node] != label[i]:
                        second = first
                        second_node = first_node
                    first = s
                    first_node = i
                elif s > second and label[i] != label[first_node]:
                    second = s
                    second_node = i
        for k in range(3):
            node = blank_node if k == 0 else (first_node if k == 1 else second_node)
            value = best_blank if k == 0 else (first if k == 1 else second)
            exit_score[k] = never
            if node >= 0 and value > np.float32(-1e29):
                record_word[n_records] = word[node]
                record_before[n_records] = blank_record[node] if k == 0 else label_record[node]
                exit_score[k] = value
                exit_label[k] = -1 if k == 0 else label[node]
                exit_record[k] = n_records
                n_records += 1
    best = at_blank[0]
    record = np.int32(-1)
    for k in range(3):
        if exit_score[k] > best:
            best = exit_score[k]
            record = exit_record[k]
    count = 0
    r = record
    while r >= 0:
        count += 1
        r = record_before[r]
    result = np.empty(count, np.int32)
    r = record
    while r >= 0:
        count -= 1
        result[count] = record_word[r]
        r = record_before[r]
    return result
