"""Motion of one clip as compact data for a browser: shapes in as few bits as a bound in millimetres allows.

Conventions
-----------
A pack is JSON; arrays in it are base64, little-endian. Positions of frame *t* are
``rest + sum_k weights[k, t] / 32767 * step * shapes[k]`` (:mod:`mtbench.viewing.low_rank`), metres:

=============== ====================================================================================================
``format``      ``"mtbench-motion-1"``
``topology``    name; ``vertices`` V, ``frames`` T, ``fps``
``rest``        (V, 3) uint16: ``rest_low + rest_step * value``, three numbers each
``moving``      (V,) bits, the most significant first: vertices that the shapes move, M of them
``step``        metres of one step of a shape
``bits``        bits of a value of each shape, K numbers
``shapes``      the K shapes (3 M values each, ``x y z x y z …``), each ``bits[k]`` bits a value, the most significant
                first, ``2 ** (bits[k] - 1)`` added; every shape begins at a whole byte
``weights``     (K, T) int16
``error_mm``    largest distance of a vertex in a frame from the true one, computed by decoding
=============== ====================================================================================================

Shapes are added until every vertex of every frame is within the bound, so no motion is shown worse than the bound,
only larger. Equal motion gives equal bytes on the same machine.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtbench.faces import Motion
from mtbench.viewing.low_rank import BOUND, Directions, largest_distance

FORMAT = "mtbench-motion-1"
#: Share of the bound that is aimed at: float32 arithmetic in the browser has the rest.
_AIM = 0.9
#: Steps of a shape that are tried, in parts of the bound; the smallest pack wins.
_STEPS = (0.24, 0.32)
#: Steps for motion that none of those is fine enough for, with any number of shapes.
_FINER = (0.16, 0.08, 0.03, 0.01, 0.003, 0.001)
#: Part of the bound below which further shapes bring nothing.
_NOTHING_LEFT = 0.01
_FULL = 32767


@dataclass(frozen=True)
class _Coded:
    """Shapes in whole steps, weights in whole parts of 32767."""

    step: float
    shapes: list[np.ndarray]
    bits: list[int]
    weights: list[np.ndarray]
    size: int


def pack_motion(motion: Motion, bound_mm: float = 1000 * BOUND) -> dict[str, Any]:
    """Return *motion* as a pack; see the module's text.

    Parameters
    ----------
    motion : Motion
        Finite vertices, any topology, any rate.
    bound_mm : float
        Largest distance that a vertex may be off, millimetres.

    Returns
    -------
    dict
        JSON.

    Raises
    ------
    ValueError
        For no frames, vertices that are not finite, a bound that is not positive, or motion so large that the
        bound cannot be held.

    Examples
    --------
    >>> swing = np.sin(np.arange(50) / 5)[:, None, None] * np.ones((1, 4, 3)) * 0.01
    >>> pack = pack_motion(Motion(swing.astype(np.float32), 25.0, "four-points"))
    >>> pack["frames"], pack["bits"], pack["error_mm"] < 0.05
    (50, [13], True)
    """
    vertices = motion.vertices
    if not len(vertices) or not np.isfinite(vertices).all():
        raise ValueError(f"motion to show needs frames of finite vertices, not {vertices.shape}")
    if bound_mm <= 0:
        raise ValueError(f"bound_mm must be positive, not {bound_mm}")
    bound = _AIM * bound_mm / 1000
    rest, low, step = _quantize_rest(vertices)
    directions = Directions(vertices, _dequantize_rest(rest, low, step), bound)
    coded = _code_shapes(directions, bound)
    pack = {
        "format": FORMAT,
        "topology": motion.topology,
        "vertices": vertices.shape[1],
        "frames": len(vertices),
        "fps": motion.fps,
        "rest": _encode(rest.astype("<u2")),
        "rest_low": low.tolist(),
        "rest_step": step.tolist(),
        "moving": _encode(np.packbits(directions.moving)),
        "step": coded.step,
        "bits": coded.bits,
        "shapes": _encode(np.concatenate([_pack_bits(s, b) for s, b in zip(coded.shapes, coded.bits)]))
        if coded.shapes
        else "",
        "weights": _encode(np.asarray(coded.weights, "<i2").reshape(len(coded.weights), len(vertices))),
    }
    error = largest_distance(unpack_motion(pack) - np.asarray(vertices, np.float64))
    if error > bound_mm / 1000:
        raise ValueError(
            f"the motion reaches {np.abs(vertices).max():.3g} m, too far for {bound_mm} mm; is its unit the metre?"
        )
    pack["error_mm"] = round(1000 * error, 6)
    return pack


def unpack_motion(pack: dict[str, Any]) -> np.ndarray:
    """Return the positions that the browser shows of a *pack*, (T, V, 3) float64 in metres."""
    vertices, frames, bits = pack["vertices"], pack["frames"], pack["bits"]
    rest = np.frombuffer(base64.b64decode(pack["rest"]), "<u2").reshape(vertices, 3)
    positions = _dequantize_rest(rest, np.asarray(pack["rest_low"]), np.asarray(pack["rest_step"]))
    packed = np.frombuffer(base64.b64decode(pack["moving"]), np.uint8)
    moving = np.unpackbits(packed, count=vertices).astype(bool)
    count = 3 * int(moving.sum())
    weights = np.frombuffer(base64.b64decode(pack["weights"]), "<i2").reshape(len(bits), frames) / _FULL
    data = np.frombuffer(base64.b64decode(pack["shapes"]), np.uint8)
    out = np.repeat(positions[None], frames, axis=0)
    offset = 0
    moved = np.zeros((frames, count))
    for weight, width in zip(weights, bits, strict=True):
        size = -(-count * width // 8)
        shape = pack["step"] * _unpack_bits(data[offset : offset + size], count, width)
        moved += np.outer(weight, shape)
        offset += size
    out[:, moving] += moved.reshape(frames, -1, 3)
    return out


def _quantize_rest(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the middle face on a grid of 65,536 steps along each axis, and the grid's origin and step."""
    face = np.asarray(vertices, np.float64).mean(axis=0)
    low, high = face.min(axis=0), face.max(axis=0)
    step = np.where(high > low, (high - low) / 65535, 1.0)
    return np.rint((face - low) / step).astype(np.int64), low, step


def _dequantize_rest(rest: np.ndarray, low: np.ndarray, step: np.ndarray) -> np.ndarray:
    return low + step * rest


def _code_shapes(directions: Directions, bound: float) -> _Coded:
    """Return the smallest coding within *bound* that one of the steps gives."""
    found = [coded for part in _STEPS if (coded := _code_at(directions, bound, part * bound)) is not None]
    for part in () if found else _FINER:
        coded = _code_at(directions, bound, part * bound)
        if coded is not None:
            return coded
    if not found:
        raise ValueError("the motion is too large to be coded within the bound; is its unit the metre?")
    return min(found, key=lambda coded: coded.size)


def _code_at(directions: Directions, bound: float, step: float) -> _Coded | None:
    """Return as many shapes in whole *step* as bring every vertex within *bound*, None where no number does."""
    residual = directions.displacement.astype(np.float32)
    frames, count = residual.shape
    shapes: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    bits: list[int] = []
    for number in range(len(directions) + 1):
        left = directions.mean_error(number)  # the largest distance is not below it, and takes longer to find
        if left <= bound and largest_distance(residual.reshape(frames, -1, 3)) <= bound:
            size = sum(-(-count * width // 8) for width in bits)
            return _Coded(step, shapes, bits, weights, size)
        if number == len(directions) or left < _NOTHING_LEFT * bound:
            return None  # what is too far off is so by rounding
        weight, shape = directions.take(number)
        coded = np.rint(_FULL * weight)
        whole = np.rint(shape / step)
        width = int(np.abs(whole).max(initial=0)).bit_length() + 1
        if width > 30:
            return None
        if width == 1:  # what is left of this direction is less than half a step everywhere
            continue
        residual -= np.outer((coded / _FULL).astype(np.float32), (step * whole).astype(np.float32))
        shapes.append(whole.astype(np.int64))
        bits.append(width)
        weights.append(coded.astype(np.int64))
    return None


def _pack_bits(values: np.ndarray, width: int) -> np.ndarray:
    """Return whole numbers in ``width`` bits each, the most significant first, as bytes."""
    shifted = (values + (1 << (width - 1))).astype(">u4")
    bits = np.unpackbits(shifted.view(np.uint8).reshape(-1, 4), axis=1)[:, 32 - width :]
    return np.packbits(bits)


def _unpack_bits(data: np.ndarray, count: int, width: int) -> np.ndarray:
    bits = np.unpackbits(data, count=count * width).reshape(count, width)
    padded = np.zeros((count, 32), np.uint8)
    padded[:, 32 - width :] = bits
    return np.packbits(padded, axis=1).view(">u4")[:, 0].astype(np.int64) - (1 << (width - 1))


def _encode(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
