"""Digests of bytes and arrays, as keys of caches and parts of signatures."""

from __future__ import annotations

import hashlib

import numpy as np


def digest_bytes(*parts: bytes) -> str:
    """blake2b-128 hex digest of *parts*, each preceded by its length."""
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(8, "little"))
        h.update(part)
    return h.hexdigest()


def digest_array(array: np.ndarray) -> str:
    """blake2b-128 hex digest of an array's dtype, shape and values (little-endian)."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return digest_bytes(f"{array.dtype.str}{array.shape}".encode(), array.tobytes())
