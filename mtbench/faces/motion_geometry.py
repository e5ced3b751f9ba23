"""Check that vertices are a face: in metres, upright, looking forward, in the right order, where it belongs.

Conventions
-----------
The first, the middle and the last frame are compared with the topology's neutral face (for FLAME without an asset
with its skeleton, see :mod:`mtbench.faces.face_orientation`) and with the ground truth of the clip at the same time,
where it has the same topology; all frames are compared with each other. Thresholds are wide: any person and any
head turn below 60 degrees pass, a wrong unit, axis or vertex order doesn't. Where the head is held otherwise than
in the ground truth, but as the topology has it, nothing is wrong: that is worth a note.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbench.faces.face_orientation import Pose, find_pose, known_pose
from mtbench.faces.topology import Topology

#: Largest side in metres of the box around FLAME's template, where no neutral face is installed.
FLAME_EXTENT = 0.322
#: Degrees and metres beyond which a face does not lie as it should, and from which a note says so.
MOST_TURNED, MOST_AWAY = 60.0, 0.5
NOTED_TURN, NOTED_SHIFT = 15.0, 0.05
#: Sizes over the ground truth's that no two adults have, and those that are noted.
SCALES, NOTED_SCALES = (0.8, 1.25), (0.85, 1.18)
#: Size along one axis over that along another, against the ground truth's, from which a note says so.
NOTED_STRETCH = 1.4
#: Metres between a vertex and where the reference has it that no two people differ by; measured: 0.1.
MOST_STRAY = 0.15

#: What is found: (code, message, hint).
Finding = tuple[str, str, str]

_UNITS = (
    (1000.0, "millimetres", "divide by 1000"),
    (100.0, "centimetres", "divide by 100"),
    (10.0, "decimetres", "divide by 10"),
    (39.37, "inches", "multiply by 0.0254"),
    (3.281, "feet", "multiply by 0.3048"),
    (0.001, "metres divided by 1000", "multiply by 1000"),
    (0.01, "metres divided by 100", "multiply by 100"),
)


def sampled_frames(frames: int) -> list[int]:
    """Return the frames that are looked at closely: the first, the middle and the last.

    Examples
    --------
    >>> sampled_frames(101), sampled_frames(2), sampled_frames(0)
    ([0, 50, 100], [0, 1], [])
    """
    return sorted({0, frames // 2, frames - 1}) if frames else []


def check_geometry(
    vertices: np.ndarray, topology: Topology, truth: np.ndarray | None = None
) -> list[Finding]:
    """Find what makes a motion no face of *topology*.

    Parameters
    ----------
    vertices : (T, V, 3) float
        Finite positions.
    topology : Topology
        Without a neutral only FLAME is known by its landmarks.
    truth : (n, V, 3) float, optional
        Ground truth of the clip in the same topology, at the same times as :func:`sampled_frames`.

    Returns
    -------
    list of (code, message, hint)
        Codes ``wrong-unit``, ``wrong-scale``, ``displacements``, ``far-away``, ``wrong-axes``,
        ``wrong-vertex-order``, ``implausible``. Of several frames with the same fault the first is named.
    """
    if not len(vertices):
        return []
    low, high = vertices.min(axis=1), vertices.max(axis=1)
    with np.errstate(over="ignore"):
        sizes = (high.astype(np.float64) - low).max(axis=1)
    expected = _expected_size(topology, truth)
    extent = float(np.median(sizes))
    first = vertices[int(np.argmin(np.abs(sizes - extent)))]
    if extent < expected / 10 and (
        topology.neutral is None or not find_pose(first, topology.neutral).matches
    ):
        return [_displacements(extent, expected)]
    if not 0.5 < extent / expected < 2.0:
        return [_find_stray(first, expected) or _wrong_unit(extent, expected)]
    outside = np.flatnonzero((sizes < 0.4 * expected) | (sizes > 2.5 * expected))
    if len(outside):
        index = int(outside[0])
        message = (
            f"frame {index} is {sizes[index]:.4g} m large, expected about {expected:.2f} m as in the others"
        )
        hint = "the motion explodes or collapses there; look at it frame by frame"
        return [("implausible", message, hint)]
    for index, known, true in _poses(vertices, topology, truth):
        found = _judge(index, known, true, topology)
        if (
            found
            and found[0][0] == "wrong-vertex-order"
            and _lies_in_planes(vertices, index, topology, truth)
        ):
            code, message, _ = found[0]
            cure = "vertices.reshape(len(vertices), 3, -1).transpose(0, 2, 1)"
            return [(code, message, f"all x come first, then all y, then all z: save {cure}")]
        if found:
            return found
    return _check_continuity(vertices, (low.astype(np.float64) + high) / 2)


def note_geometry(vertices: np.ndarray, topology: Topology, truth: np.ndarray | None = None) -> list[Finding]:
    """Find what a reader has to know of a motion in which nothing is wrong; parameters as above.

    Returns
    -------
    list of (code, message, hint)
        ``head-pose``, ``head-size`` and ``head-shape``: the head is held, placed, sized or shaped otherwise than in
        the ground truth, or placed otherwise than the topology has it.
    """
    poses = _poses(vertices, topology, truth)
    whose = "the ground truth" if truth is not None else topology.name
    seen = [pose for _, known, true in poses if (pose := true or known) is not None]
    if not seen:
        return []
    turn = max(pose.angle for pose in seen) if truth is not None else 0.0
    shift = max(pose.distance for pose in seen)
    notes: list[Finding] = []
    if turn > NOTED_TURN or shift > (NOTED_SHIFT if truth is not None else 3 * NOTED_SHIFT):
        where = f"turned by up to {turn:.0f} degrees and " if turn > NOTED_TURN else ""
        message = f"the head is {where}up to {1000 * shift:.0f} mm away from where {whose} has it"
        hint = (
            "LVE counts that, lve_aligned_mm does not; give head motion to both or to neither"
            if truth is not None
            else "remove the body's or the camera's translation if it is one"
        )
        notes.append(("head-pose", message, hint))
    scale = seen[0].scale
    if truth is not None and not NOTED_SCALES[0] <= scale <= NOTED_SCALES[1]:
        message = f"the head is {scale:.2f} times as large as the ground truth's"
        notes.append(("head-size", message, "another person's face, or another unit; LVE counts it"))
    along = seen[0].stretch
    if truth is not None and not max(along) < NOTED_STRETCH * min(along):
        message = "the head is {:.2f}, {:.2f} and {:.2f} times as wide, high and deep as the ground truth's"
        hint = "another person's face, or axes were scaled one by one; LVE counts it"
        notes.append(("head-shape", message.format(*along), hint))
    return notes


def _expected_size(topology: Topology, truth: np.ndarray | None) -> float:
    if topology.neutral is not None:
        return float(np.ptp(topology.neutral.astype(np.float64), axis=0).max())
    if truth is not None and len(truth):
        return float(np.ptp(truth[0].astype(np.float64), axis=0).max())
    return FLAME_EXTENT


def _poses(
    vertices: np.ndarray, topology: Topology, truth: np.ndarray | None
) -> list[tuple[int, Pose | None, Pose | None]]:
    """Return the poses of the sampled frames relative to the topology and to the ground truth."""
    find = known_pose(topology)
    frames = sampled_frames(len(vertices))
    beside: Sequence[np.ndarray | None] = [None] * len(frames)
    if truth is not None and len(truth):
        beside = [truth[min(k, len(truth) - 1)] for k in range(len(frames))]
    return [
        (
            index,
            None if find is None else find(vertices[index]),
            None if true is None else find_pose(vertices[index], true),
        )
        for index, true in zip(frames, beside, strict=True)
    ]


def _judge(index: int, known: Pose | None, true: Pose | None, topology: Topology) -> list[Finding]:
    """Return what is wrong with one frame."""
    pose = true or known
    if pose is None:
        return []
    whose = "the ground truth" if true is not None else topology.name
    if not pose.matches:
        message = (
            f"vertices do not match {whose}: {100 * pose.residual:.0f} % off after alignment in frame {index}"
        )
        hint = "an exporter reordered the vertices; export without changing the mesh"
        return [("wrong-vertex-order", message, hint)]
    if pose.mirrored:
        return [_mirrored(index, pose, whose)]
    if true is not None and not SCALES[0] <= true.scale <= SCALES[1]:
        message = f"the face is {true.scale:.2f} times as large as {whose}'s in frame {index}"
        hint = f"a scaling in the export? divide the positions by {true.scale:.3g}"
        return [("wrong-scale", message, hint)]
    vertex, off = pose.farthest
    if off > MOST_STRAY:
        message = f"vertex {vertex} lies {off:.2f} m from where {whose} has it in frame {index}"
        return [
            (
                "implausible",
                message,
                "single vertices were moved or exchanged; export without changing the mesh",
            )
        ]
    problems: list[Finding] = []
    # A head may be held otherwise than in the ground truth if it is held as the topology has it.
    either = [p for p in (known, true) if p is not None and p.matches and not p.mirrored]
    if min(p.distance for p in either) > MOST_AWAY:
        problems.append(
            (
                "far-away",
                f"the face is {pose.distance:.2f} m away from where {whose} has it in frame {index}",
                "remove the camera's or body's translation; the origin is near the point between the eyes",
            )
        )
    if min(p.angle for p in either) > MOST_TURNED:
        angle, cure = pose.angle, pose.cure()
        hint = "another axis convention (z up, or looking along -z): rotate before saving"
        problems.append(
            (
                "wrong-axes",
                f"the face is turned by {angle:.0f} degrees in frame {index}, expected y up and z out of the face",
                f"{hint}: {cure}" if cure else hint,
            )
        )
    return problems


def _lies_in_planes(vertices: np.ndarray, index: int, topology: Topology, truth: np.ndarray | None) -> bool:
    """Return whether a frame is a face if its numbers are taken as all x, then all y, then all z."""
    taken = vertices[index].reshape(3, -1).T
    if truth is not None and len(truth):
        return find_pose(taken, truth[0]).matches
    find = known_pose(topology)
    return find is not None and find(taken).matches


def _mirrored(index: int, pose: Pose, whose: str) -> Finding:
    cure = pose.cure()
    message = f"the face is mirrored in frame {index}: left and right are swapped against {whose}"
    if pose.angle > MOST_TURNED:
        hint = (
            "axes were swapped or turned over, which mirrors (expected x to the viewer's right, y up, z out)"
        )
        return ("wrong-axes", message, f"{hint}: save {cure}" if cure else hint)
    hint = "x points the other way, or an exporter mirrored the vertices"
    return ("wrong-vertex-order", message, f"{hint}: save {cure}" if cure else hint)


def _check_continuity(vertices: np.ndarray, middles: np.ndarray) -> list[Finding]:
    """Compare all frames with the first by some of the vertices: a motion goes on as it begins."""
    step = max(1, vertices.shape[1] // 250)
    points = vertices[:, ::step].astype(np.float64)
    points -= points.mean(axis=1, keepdims=True)
    sizes = np.sqrt((points**2).sum(axis=(1, 2)))
    covariance = (
        np.stack(
            [
                np.stack([(points[..., i] * points[0, :, j]).sum(axis=1) for j in range(3)], -1)
                for i in range(3)
            ],
            axis=1,
        )
        / (sizes * sizes[0] + 1e-300)[:, None, None]
    )
    singular = np.linalg.svd(covariance, compute_uv=False)
    sign = np.sign(np.linalg.det(covariance))
    residual = np.sqrt(np.maximum(0.0, 1 - (singular[:, 0] + singular[:, 1] + sign * singular[:, 2]) ** 2))
    jump = np.linalg.norm(middles - middles[0], axis=1)
    for index in np.flatnonzero((residual > 0.4) | (jump > MOST_AWAY)):
        if residual[index] > 0.4:
            message = (
                f"frame {index} is not the face of frame 0: {100 * residual[index]:.0f} % off after alignment"
            )
            hint = (
                "the generator diverged, or frames of several exports were joined; look at it frame by frame"
            )
            return [("implausible", message, hint)]
        message = f"the face is {jump[index]:.2f} m away in frame {index} from where frame 0 has it"
        return [("far-away", message, "remove the camera's or body's translation")]
    return []


def _find_stray(frame: np.ndarray, expected: float) -> Finding | None:
    """Return a finding where a face of the right size has single vertices far outside it."""
    # No sum and no square: values may be as large as numbers get.
    with np.errstate(over="ignore", invalid="ignore"):
        points = frame.astype(np.float64)
        away = np.abs(points - np.sort(points, axis=0)[len(points) // 2]).max(axis=1)
        others = points[away <= np.sort(away)[int(0.99 * (len(away) - 1))]]
        if not 0.5 < float(np.ptp(others, axis=0).max()) / expected < 2.0:
            return None
    vertex = int(np.argmax(away))
    message = f"vertex {vertex} lies {away[vertex]:.4g} m from the middle of the face"
    return ("implausible", message, "single vertices explode; look at the motion vertex by vertex")


def _displacements(extent: float, expected: float) -> tuple[str, str, str]:
    return (
        "displacements",
        f"positions span {extent:.4g} m, expected about {expected:.2f} m",
        "displacements from the template? Add the template; or positions were divided by 100 or more",
    )


def _wrong_unit(extent: float, expected: float) -> tuple[str, str, str]:
    message = f"the face is {extent:.4g} large, expected about {expected:.2f} m"
    for factor, unit, cure in _UNITS:
        if 0.6 < extent / expected / factor < 1.6:
            return ("wrong-unit", message, f"{unit} instead of metres? {cure}")
    return ("wrong-unit", message, "positions are in metres; check the scale of the export")
