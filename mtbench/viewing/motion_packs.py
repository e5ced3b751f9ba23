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
``rank``        K, the number of shapes
``shapes``      the shapes in whole steps, one after another, 3 M numbers each (``x y z x y z …``), as
                :mod:`mtbench.viewing.whole_numbers` writes them
``weights``     (K, T) int16
``error_mm``    largest distance of a vertex in a frame from the true one
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
from mtbench.viewing.whole_numbers import code_numbers, decode_numbers

FORMAT = "mtbench-motion-1"
#: Share of the bound that is aimed at: float32 arithmetic in the browser has the rest.
_AIM = 0.9
#: Steps of a shape that are tried, in parts of the bound; the smallest pack wins.
_STEPS = (0.26, 0.34)
#: Steps for motion that none of those is fine enough for, with any number of shapes.
_FINER = (0.16, 0.08, 0.03, 0.01, 0.003, 0.001)
#: Part of the bound below which further shapes bring nothing.
_NOTHING_LEFT = 0.01
_FULL = 32767


@dataclass(frozen=True)
class _Coded:
    """Shapes in whole steps, weights in whole parts of 32767."""

    step: float
    shapes: np.ndarray
    weights: np.ndarray
    data: bytes


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
    >>> pack["frames"], pack["rank"], pack["error_mm"] < 0.05
    (50, 1, True)
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
    face = _dequantize_rest(rest, low, step)
    shown = _join(face, directions.moving, coded.step, coded.shapes, coded.weights)
    error = largest_distance(shown - np.asarray(vertices, np.float64))
    if error > bound_mm / 1000:
        raise ValueError(
            f"the motion reaches {np.abs(vertices).max():.3g} m, too far for {bound_mm} mm; is its unit the metre?"
        )
    return {
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
        "rank": len(coded.shapes),
        "shapes": base64.b64encode(coded.data).decode(),
        "weights": _encode(coded.weights.astype("<i2")),
        "error_mm": round(1000 * error, 6),
    }


def unpack_motion(pack: dict[str, Any]) -> np.ndarray:
    """Return the positions that the browser shows of a *pack*, (T, V, 3) float64 in metres."""
    vertices, frames, rank = pack["vertices"], pack["frames"], pack["rank"]
    rest = np.frombuffer(base64.b64decode(pack["rest"]), "<u2").reshape(vertices, 3)
    face = _dequantize_rest(rest, np.asarray(pack["rest_low"]), np.asarray(pack["rest_step"]))
    packed = np.frombuffer(base64.b64decode(pack["moving"]), np.uint8)
    moving = np.unpackbits(packed, count=vertices).astype(bool)
    weights = np.frombuffer(base64.b64decode(pack["weights"]), "<i2").reshape(rank, frames)
    count = 3 * int(moving.sum())
    data = np.frombuffer(base64.b64decode(pack["shapes"]), np.uint8)
    return _join(face, moving, pack["step"], decode_numbers(data, rank * count).reshape(rank, count), weights)


def _join(
    face: np.ndarray, moving: np.ndarray, step: float, shapes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return (T, V, 3) positions from a resting face, whole shapes (K, 3 M) and whole weights (K, T)."""
    out = np.repeat(face[None], weights.shape[1], axis=0)
    moved = (weights.T / _FULL) @ (step * shapes)
    out[:, moving] += moved.reshape(len(out), -1, 3)
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
    return min(found, key=lambda coded: len(coded.data))


def _code_at(directions: Directions, bound: float, step: float) -> _Coded | None:
    """Return as many shapes in whole *step* as bring every vertex within *bound*, None where no number does."""
    residual = directions.displacement.astype(np.float32)
    frames, count = residual.shape
    shapes: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    for number in range(len(directions) + 1):
        left = directions.mean_error(number)  # the largest distance is not below it, and takes longer to find
        if left <= bound and largest_distance(residual.reshape(frames, -1, 3)) <= bound:
            whole = np.asarray(shapes, np.int64).reshape(len(shapes), count)
            courses = np.asarray(weights, np.int64).reshape(len(weights), frames)
            return _Coded(step, whole, courses, code_numbers(whole).tobytes())
        if number == len(directions) or left < _NOTHING_LEFT * bound:
            return None  # what is too far off is so by rounding
        weight, shape = directions.take(number)
        coded, steps = np.rint(_FULL * weight), np.rint(shape / step)
        most = np.abs(steps).max(initial=0)
        if most >= 2**29:
            return None
        if most > 0:  # else what is left of this direction is less than half a step everywhere
            residual -= np.outer((coded / _FULL).astype(np.float32), (step * steps).astype(np.float32))
            shapes.append(steps.astype(np.int64))
            weights.append(coded.astype(np.int64))
    return None


def _encode(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
