"""Check the values of FLAME parameters: radians, metres, coefficients of order one, a head that faces forward.

Conventions
-----------
Ranges are those that no face leaves, some way beyond what trackers of talking heads give: a jaw opens by about
0.5 rad. A jaw that reaches more than :data:`LIMITS` allow is in degrees, or is no jaw. How the head is held and
placed is judged on the posed vertices where a FLAME model is installed (:mod:`mtbench.faces.motion_geometry`); without
one, and for the frames that are not posed, by the parameters themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mtbench.faces.motion_geometry import MOST_AWAY, MOST_TURNED, Finding

#: Largest rotation in radians, by parameter: of the jaw, the neck, each eye, and (two turns) the head.
LIMITS = {"jaw": 1.0, "neck": 1.6, "eyes": 1.3, "rotation": 6.3}
#: Largest coefficient: in units of one standard deviation of FLAME's training faces.
MOST_COEFFICIENT = 10.0
_DEGREES = "degrees? multiply by pi / 180"


def check_parameters(arrays: Mapping[str, np.ndarray]) -> list[Finding]:
    """Find values that no face has.

    Parameters
    ----------
    arrays : mapping of str to (T, n) floating point
        Finite FLAME parameters, named as in :data:`mtbench.faces.motion_headers.FLAME_PARAMETERS`.

    Returns
    -------
    list of (code, message, hint)
        Codes ``wrong-unit``, ``implausible``.

    Examples
    --------
    >>> check_parameters({"jaw": np.array([[5.7, 0, 0]])})[0][0]
    'wrong-unit'
    """
    problems: list[Finding] = []
    for key, array in arrays.items():
        if key in LIMITS and array.size:
            turns = np.linalg.norm(array.reshape(len(array), -1, 3).astype(np.float64), axis=2)
            frame = int(np.argmax(turns.max(axis=1)))
            if (largest := float(turns.max())) > LIMITS[key]:
                limit = f"{LIMITS[key]:g}" if key != "rotation" else "2π"
                message = f"{key} reaches {largest:.4g} in frame {frame}, expected radians within {limit}"
                hint = _DEGREES
                if key == "jaw":
                    hint += "; a jaw opens by about 0.5 rad, in FLAME's axes by jaw[:, 0]"
                problems.append(("wrong-unit", message, hint))
        elif key in ("exp", "shape") and array.size and (largest := np.abs(array).max()) > MOST_COEFFICIENT:
            message = f"{key} reaches {largest:.4g}, expected within {MOST_COEFFICIENT:g}"
            hint = (
                "coefficients are of order one, in standard deviations of FLAME's basis; blendshape weights in "
                "per cent, or another model's coefficients?"
            )
            problems.append(("implausible", message, hint))
    return problems


def check_head_pose(arrays: Mapping[str, np.ndarray]) -> list[Finding]:
    """Find a head that is turned away or far away, by the parameters alone.

    Parameters
    ----------
    arrays : mapping of str to (T, n) floating point
        Finite FLAME parameters.

    Returns
    -------
    list of (code, message, hint)
        Codes ``far-away``, ``wrong-axes``.

    Examples
    --------
    >>> still = {"jaw": np.zeros((2, 3))}
    >>> [found[0] for found in check_head_pose(still | {"rotation": np.array([[0, 0, 0], [3.14, 0, 0]])})]
    ['wrong-axes']
    """
    frames = len(arrays["jaw"])
    problems: list[Finding] = []
    if "translation" in arrays and frames:
        away = np.linalg.norm(np.asarray(arrays["translation"], np.float64), axis=1)
        if away.max() > MOST_AWAY:
            frame = int(np.argmax(away > MOST_AWAY))
            problems.append(("far-away", *_far(away[frame], frame)))
    if frames:
        angle = _angles(_turns(arrays, frames))
        if angle.max() > MOST_TURNED:
            frame = int(np.argmax(angle > MOST_TURNED))
            message = (
                f"rotation and neck turn the head by {angle[frame]:.0f} degrees in frame {frame}, "
                "expected y up and z out of the face"
            )
            hint = "a camera's pose, with y down or looking along -z? Take it off the head's, or leave rotation out"
            problems.append(("wrong-axes", message, hint))
    return problems


def _far(away: float, frame: int) -> tuple[str, str]:
    hint = "a camera's or body's translation? Leave translation out"
    if away > 20:
        hint += "; or it is in millimetres: divide by 1000"
    return (
        f"translation puts the head {away:.2f} m away in frame {frame}, expected metres near the origin",
        hint,
    )


def _turns(arrays: Mapping[str, np.ndarray], frames: int) -> np.ndarray:
    """Return (T, 3, 3) rotations of the head by root and neck."""
    from mtbench.faces.flame import rotation_matrices

    out = np.broadcast_to(np.eye(3), (frames, 3, 3))
    for key in ("rotation", "neck"):
        if key in arrays:
            out = np.einsum("tij,tjk->tik", out, rotation_matrices(np.asarray(arrays[key], np.float64)))
    return out


def _angles(rotations: np.ndarray) -> np.ndarray:
    trace = np.trace(rotations, axis1=1, axis2=2)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
