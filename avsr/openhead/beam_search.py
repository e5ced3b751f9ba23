"""Prefix beam search over the trie of a lexicon.

The other search of :class:`mtbench.avsr.openhead.decoding.WordDecoder`.

A hypothesis is a word history and a place in the trie. Its score is the *sum* over all CTC alignments of its
phones (the Viterbi search takes the best one), plus the scores of its words. Every frame keeps the best
``beam`` hypotheses; so that a long word isn't dropped in favour of a short one before its prior counts, the best
word score that can still be reached from its place is added when hypotheses are compared.

Conventions
-----------
Trie arrays are those of ``WordDecoder``: node 0 is the root and children have larger indices than their parents.
Scores are natural logarithms. Ties go to the hypothesis that was made first, so results are deterministic.

References
----------
Graves and Jaitly, "Towards end-to-end speech recognition with recurrent neural networks", ICML 2014 (prefix search);
Ortmanns, Ney and Eiden, "Language-model look-ahead for large vocabulary speech recognition", ICSLP 1996.
"""

from __future__ import annotations

import numpy as np

from mtbench.work import njit_cached

_NEVER = -1e30


def list_children(parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the children of every node.

    Parameters
    ----------
    parent : (n,) int32
        Parent of each node, -1 for the root.

    Returns
    -------
    start : (n + 1,) int32
        The children of node *i* are ``child[start[i]:start[i + 1]]``.
    child : (n - 1,) int32
        Node indices, ascending within a parent.
    """
    order = np.argsort(parent[1:], kind="stable").astype(np.int32) + np.int32(1)
    start = np.searchsorted(parent[order], np.arange(len(parent) + 1)).astype(np.int32)
    return start, order


def look_ahead(parent: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the best word score at or below each node: (n,) float32; 0 at the root.

    Parameters
    ----------
    parent : (n,) int32
        Parent of each node.
    score : (n,) float32
        Score of the word that ends at a node; very low where none does.
    """
    best = score.copy()
    for node in range(len(parent) - 1, 0, -1):
        best[parent[node]] = max(best[parent[node]], best[node])
    # Silence to the end needs no word.
    best[0] = 0.0
    return best


@njit_cached(nogil=True)
def _log_add(a: float, b: float) -> float:  # pragma: no cover - compiled
    if a < b:
        a, b = b, a
    if b <= -1e29:
        return a
    return a + np.log1p(np.exp(b - a))


@njit_cached(nogil=True)
def _find(  # pragma: no cover - compiled
    table: np.ndarray, stamp: np.ndarray, now: int, first: np.ndarray, second: np.ndarray, a: int, b: int
) -> int:
    """Return the slot of the pair (a, b) in an open-addressed table, or the free slot where it belongs."""
    mask = len(table) - 1
    slot = ((a + 1) * 73856093 ^ (b + 1) * 19349663) & mask
    while stamp[slot] == now:
        i = table[slot]
        if first[i] == a and second[i] == b:
            return slot
        slot = (slot + 1) & mask
    return slot


@njit_cached(nogil=True)
def search_beam(  # pragma: no cover - compiled
    frames: np.ndarray,
    label: np.ndarray,
    word: np.ndarray,
    score: np.ndarray,
    start: np.ndarray,
    child: np.ndarray,
    ahead: np.ndarray,
    beam: int,
) -> np.ndarray:
    """Return the word indices of the best hypothesis.

    Parameters
    ----------
    frames : (T, P) float32
        Log-probabilities, class 0 is blank.
    label, word, score : (n,)
        Phone class, word index (-1: none ends here) and word score of each node.
    start, child
        Of :func:`list_children`.
    ahead : (n,) float32
        Of :func:`look_ahead`.
    beam : int
        Hypotheses kept per frame.

    Returns
    -------
    (W,) int32
        May be empty. Where no kept hypothesis ends with a whole word, the unfinished word is left out.
    """
    n_frames = frames.shape[0]
    widest = 0
    for node in range(len(label)):
        widest = max(widest, start[node + 1] - start[node])
    most = beam * (1 + 2 * widest)
    size = 2
    while size < 2 * most:
        size *= 2
    # Candidates of a frame: history, node, log-probabilities of alignments that end in blank and in the label.
    c_record, c_node = np.empty(most, np.int64), np.empty(most, np.int64)
    c_blank, c_label = np.empty(most, np.float64), np.empty(most, np.float64)
    table, stamp = np.empty(size, np.int64), np.full(size, -1, np.int64)
    # Histories: a word with the history before it, each pair once.
    n_words = beam * n_frames + 1
    records = 2
    while records < 2 * n_words:
        records *= 2
    r_before, r_word = np.empty(n_words, np.int64), np.empty(n_words, np.int64)
    r_table, r_stamp = np.empty(records, np.int64), np.full(records, -1, np.int64)
    n_records = 0

    h_record, h_node = np.empty(beam, np.int64), np.empty(beam, np.int64)
    h_blank, h_label = np.empty(beam, np.float64), np.empty(beam, np.float64)
    h_record[0], h_node[0], h_blank[0], h_label[0] = -1, 0, 0.0, _NEVER
    n = 1
    for t in range(n_frames):
        row = frames[t]
        count = 0
        for i in range(n):
            node, record = h_node[i], h_record[i]
            total = _log_add(h_blank[i], h_label[i])
            last = label[node] if node > 0 else 0
            # Stay: blank, or the last label again.
            slot = _find(table, stamp, t, c_record, c_node, record, node)
            if stamp[slot] != t:
                stamp[slot], table[slot] = t, count
                c_record[count], c_node[count], c_blank[count], c_label[count] = record, node, _NEVER, _NEVER
                count += 1
            k = table[slot]
            c_blank[k] = _log_add(c_blank[k], total + row[0])
            if node > 0:
                c_label[k] = _log_add(c_label[k], h_label[i] + row[last])
            # Go on within the word, or end it and begin the next.
            for turn in range(2):
                origin, history, bonus = node, record, 0.0
                if turn == 1:
                    if node == 0 or word[node] < 0:
                        break
                    bonus = score[node]
                    slot = _find(r_table, r_stamp, 0, r_before, r_word, record, word[node])
                    if r_stamp[slot] != 0:
                        r_stamp[slot], r_table[slot] = 0, n_records
                        r_before[n_records], r_word[n_records] = record, word[node]
                        n_records += 1
                    origin, history = 0, r_table[slot]
                for j in range(start[origin], start[origin + 1]):
                    to = child[j]
                    c = label[to]
                    # The same label again needs a blank between.
                    value = (h_blank[i] if c == last else total) + bonus + row[c]
                    if value <= -1e29:
                        continue
                    slot = _find(table, stamp, t, c_record, c_node, history, to)
                    if stamp[slot] != t:
                        stamp[slot], table[slot] = t, count
                        c_record[count], c_node[count] = history, to
                        c_blank[count], c_label[count] = _NEVER, value
                        count += 1
                    else:
                        k = table[slot]
                        c_label[k] = _log_add(c_label[k], value)
        rank = np.empty(count, np.float64)
        for k in range(count):
            rank[k] = _log_add(c_blank[k], c_label[k]) + ahead[c_node[k]]
        limit = _NEVER
        if count > beam:
            limit = np.partition(rank, count - beam)[count - beam]
        n = 0
        for equal in range(2):
            for k in range(count):
                if n < beam and (rank[k] > limit if equal == 0 else rank[k] == limit):
                    h_record[n], h_node[n] = c_record[k], c_node[k]
                    h_blank[n], h_label[n] = c_blank[k], c_label[k]
                    n += 1

    best, best_record, best_word = _NEVER, -1, -1
    for whole in range(2):
        for i in range(n):
            node = h_node[i]
            value = _log_add(h_blank[i], h_label[i])
            ends = node > 0 and word[node] >= 0
            if whole == 0 and node > 0 and not ends:
                continue
            if ends:
                value += score[node]
            if value > best:
                best, best_record, best_word = value, h_record[i], word[node] if ends else -1
        if best > _NEVER:
            break
    length = 1 if best_word >= 0 else 0
    record = best_record
    while record >= 0:
        length += 1
        record = r_before[record]
    found = np.empty(length, np.int32)
    if best_word >= 0:
        length -= 1
        found[length] = best_word
    record = best_record
    while record >= 0:
        length -= 1
        found[length] = r_word[record]
        record = r_before[record]
    return found
