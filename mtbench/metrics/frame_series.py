"""Per-frame series of one clip, for plots: where in time a motion is wrong.

Conventions
-----------
Every curve has a value for each frame, in the unit of its name. ``lve_mm`` is the largest lip vertex distance,
``lips_mm``, ``jaw_mm`` and ``upper_face_mm`` are the mean distances of regions, ``aperture_mm`` and
``true_aperture_mm`` the signed openings of the lips (:mod:`mtbench.metrics.lip_gap`); the mean of a curve of errors
over the frames is the clip's value of that metric (``lips_mm``: of ``lve_mean_mm``).
"""

from __future__ import annotations

import numpy as np

from mtbench.faces import Topology
from mtbench.metrics.base import FacePair
from mtbench.metrics.distances import check_pair, squared_distances
from mtbench.metrics.lip_gap import aperture_of
from mtbench.metrics.loudness import measure_loudness
from mtbench.metrics.regions import jaw_of, measure_region_mm


def measure_frames(
    prediction: np.ndarray,
    truth: np.ndarray,
    topology: Topology,
    fps: float = 25.0,
    sound: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Return the curves of one clip.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, both of *topology*.
    topology : Topology
        Gives regions and the points of the lips.
    fps : float
        Frames per second.
    sound : (n,) floating point, optional
        Mono speech at 16 kHz; adds the curve ``loudness``.

    Returns
    -------
    dict of str to (T,) float64
        ``seconds`` first, then the curves.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> head = load_topology("openhead-1")
    >>> face = np.repeat(head.neutral[None], 3, axis=0)
    >>> measure_frames(face + np.float32([0, 0.003, 0.004]), face, head)["lve_mm"].round(3).tolist()
    [5.0, 5.0, 5.0]
    """
    check_pair(prediction, truth)
    pair = FacePair(prediction, truth, topology.region, topology=topology, fps=fps)
    distances = squared_distances(prediction[:, pair.lips], truth[:, pair.lips])
    curves = {
        "seconds": np.arange(len(truth)) / fps,
        "lve_mm": 1000.0 * np.sqrt(distances.max(axis=1)),
        "lips_mm": 1000.0 * np.sqrt(distances).mean(axis=1),
    }
    if (jaw := jaw_of(pair)) is not None:
        curves["jaw_mm"] = measure_region_mm(prediction, truth, jaw)
    curves["upper_face_mm"] = measure_region_mm(prediction, truth, pair.upper_face)
    curves["aperture_mm"] = aperture_of(pair, prediction)
    curves["true_aperture_mm"] = aperture_of(pair, truth)
    if sound is not None:
        curves["loudness"] = measure_loudness(sound, len(truth), fps)
    return curves
