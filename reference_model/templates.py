"""The resting face that predicted motion is added to.

Conventions
-----------
A face is (V, 3) float32 in metres, y up. The model knows displacements only: any face of its topology will do. Files
are read by :mod:`mtbench.faces.templates`.
"""

from __future__ import annotations

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.faces import load_topology, read_template

__all__ = ["default_template", "read_template"]


def default_template(topology: str | None, vertices: int) -> np.ndarray:
    """Return the resting face of a topology, (V, 3) float32.

    Parameters
    ----------
    topology : str or None
        Name; None where the model's is unknown.
    vertices : int
        V of the model.

    Raises
    ------
    PrerequisiteError
        Where there is no such face here.
    """
    what = "give the speaker's resting face with --template FILE (.npy, .npz, .ply, .obj or MultiTalk's templates.pkl)"
    if topology is None:
        raise PrerequisiteError(f"the model's {vertices} vertices belong to no topology known here; {what}")
    face = load_topology(topology).neutral
    if face is None:
        raise PrerequisiteError(
            f"topology {topology} has no resting face here; install its asset ('mtbench assets add'), or {what}"
        )
    return np.asarray(face, np.float32)
