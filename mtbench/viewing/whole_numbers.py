"""Whole numbers, most of them small, in few bits: Rice's code, its parameter chosen for every block.

Conventions
-----------
A number v is written as u = 2 v, or -2 v - 1 where it is negative. Blocks of :data:`BLOCK` numbers begin with five
bits, their parameter k; each number is ``u >> k`` ones, a zero, and the k low bits of u, the most significant first.
Bits fill bytes from the most significant on. The player reads the same (``player.js``).

Source of the code: R. F. Rice, "Some practical universal noiseless coding techniques", JPL Publication 79-22, 1979.
"""

from __future__ import annotations

import numpy as np

#: Numbers that share a parameter.
BLOCK = 96
_BITS = 5
_LARGEST = 30


def code_numbers(values: np.ndarray) -> np.ndarray:
    """Return whole numbers (n,) as bytes (m,) uint8.

    Raises
    ------
    ValueError
        For numbers beyond 2**29.

    Examples
    --------
    >>> numbers = np.array([0, -1, 3, 0, 250])
    >>> len(code_numbers(numbers)), decode_numbers(code_numbers(numbers), 5).tolist()
    (6, [0, -1, 3, 0, 250])
    """
    values = np.asarray(values, np.int64).ravel()
    if not len(values):
        return np.zeros(0, np.uint8)
    if np.abs(values).max() >= 1 << (_LARGEST - 1):
        raise ValueError(f"numbers up to 2**29 can be coded, not {np.abs(values).max()}")
    unsigned = np.where(values < 0, -2 * values - 1, 2 * values)
    parameters = _choose_parameters(unsigned)
    k = np.repeat(parameters, BLOCK)[: len(unsigned)]
    high = unsigned >> k
    low = unsigned - (high << k)
    head = np.zeros(len(unsigned), np.int64)
    head[::BLOCK] = _BITS
    ends = np.cumsum(head + high + 1 + k)
    starts = ends - (head + high + 1 + k)
    bits = np.zeros(int(ends[-1]), np.uint8)
    for j in range(_BITS):
        bits[starts[::BLOCK] + j] = (parameters >> (_BITS - 1 - j)) & 1
    ones = starts + head
    within = np.arange(int(high.sum())) - np.repeat(np.cumsum(high) - high, high)
    bits[np.repeat(ones, high) + within] = 1
    last = ends - 1
    for j in range(int(parameters.max())):
        wide = k > j
        bits[last[wide] - j] = (low[wide] >> j) & 1
    return np.packbits(bits)


def decode_numbers(data: np.ndarray, count: int) -> np.ndarray:
    """Return *count* whole numbers, (count,) int64, from what :func:`code_numbers` wrote."""
    bits = np.unpackbits(np.asarray(data, np.uint8))
    places = np.where(bits == 0, np.arange(len(bits)), len(bits))
    zero = np.minimum.accumulate(places[::-1])[::-1].tolist()  # the first zero from each bit on
    given = bits.tolist()
    out = np.zeros(count, np.int64)
    at = k = 0
    for i in range(count):
        if i % BLOCK == 0:
            k = int("".join(map(str, given[at : at + _BITS])), 2)
            at += _BITS
        end = zero[at] + 1
        low = int("".join(map(str, given[end : end + k])), 2) if k else 0
        unsigned = ((end - 1 - at) << k) + low
        out[i] = -(unsigned + 1) // 2 if unsigned & 1 else unsigned // 2
        at = end + k
    return out


def _choose_parameters(unsigned: np.ndarray) -> np.ndarray:
    """Return the parameter of each block that needs the fewest bits; of equal ones the smallest."""
    blocks = -(-len(unsigned) // BLOCK)
    padded = np.zeros(blocks * BLOCK, np.int64)
    padded[: len(unsigned)] = unsigned
    table = padded.reshape(blocks, BLOCK)
    counts = np.minimum(BLOCK, len(unsigned) - BLOCK * np.arange(blocks))
    costs = [(table >> k).sum(axis=1) + (k + 1) * counts for k in range(_LARGEST)]
    return np.argmin(costs, axis=0)
