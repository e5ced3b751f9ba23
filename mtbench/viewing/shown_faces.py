"""What a clip's page shows of one face: its motion as a pack, its curves, and how far it is from the ground truth.

Conventions
-----------
Motion is shown as it is scored: at 25 frames a second, that of another rate resampled (a line says so). Curves are
those of :mod:`mtbench.metrics.frame_series`, from the motion itself and not from its pack; the browser computes the
errors that it paints from the packs, so they are within twice the packs' bound of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.faces import Motion, Topology, load_topology
from mtbench.metrics import FacePair, aperture_of, measure_frames
from mtbench.timing import FPS
from mtbench.viewing.motion_packs import pack_motion

if TYPE_CHECKING:
    from mtbench.submissions import Submission

#: What the ground truth is called on pages.
TRUTH = "Ground truth"


@dataclass(frozen=True)
class ShownFace:
    """One face of a clip's page.

    Attributes
    ----------
    name : str
        Display name of the system, or :data:`TRUTH`.
    topology : str
    pack : dict
        Its motion, see :mod:`mtbench.viewing.motion_packs`.
    aperture : (T,) float64 or None
        Millimetres; None where nobody knows where the lips part.
    error : (T,) float64 or None
        Largest distance of a lip vertex from the ground truth, millimetres; None where there is none to compare with.
    remark : str
        Why there is no error, or what was done to the motion; empty where there is nothing to say.
    is_truth : bool
    painted : (n,) float64
        Errors of the lips' vertices, millimetres, that the scale of colors is chosen by.
    """

    name: str
    topology: str
    pack: dict[str, Any]
    aperture: np.ndarray | None
    error: np.ndarray | None
    remark: str = ""
    is_truth: bool = False
    painted: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def mean_error(self) -> float | None:
        """Lip vertex error of the clip, millimetres."""
        return None if self.error is None else float(self.error.mean())

    @property
    def worst_frame(self) -> int | None:
        """The frame with the largest lip vertex error."""
        return None if self.error is None else int(self.error.argmax())

    def to_json(self) -> dict[str, Any]:
        """Return what the page's script needs."""
        return {
            "name": self.name,
            "topology": self.topology,
            "motion": self.pack,
            "aperture": _round(self.aperture),
            "error": _round(self.error),
            "truth": self.is_truth,
        }


def show_truth(motion: Motion) -> ShownFace:
    """Return the ground truth as a face of the page."""
    topology = load_topology(motion.topology)
    return ShownFace(
        TRUTH, motion.topology, pack_motion(motion), measure_aperture(motion, topology), None, is_truth=True
    )


def show_entry(submission: Submission, clip: str, truth: Motion | None) -> ShownFace:
    """Return a submission's motion of *clip* as a face of the page.

    Parameters
    ----------
    submission : Submission
    clip : str
    truth : Motion or None
        The clip's ground truth, where it has any.

    Raises
    ------
    SubmissionError, PrerequisiteError
        As :meth:`mtbench.submissions.Submission.motion`.
    """
    motion = submission.motion(clip)
    topology = load_topology(submission.topology)
    remarks = []
    if submission.manifest.fps != FPS:
        remarks.append(
            f"made at {submission.manifest.fps:g} frames a second; shown as it is scored, at {FPS}"
        )
    error, painted = None, np.zeros(0)
    if truth is None:
        remarks.append("no ground truth: errors are unknown")
    elif truth.topology != motion.topology:
        remarks.append(f"the ground truth has another topology ({truth.topology}): errors are unknown")
    else:
        error = measure_frames(motion.vertices, truth.vertices, topology, motion.fps)["lve_mm"]
        lips = topology.region("lips")
        away = motion.vertices[:, lips].astype(np.float64) - truth.vertices[:, lips]
        painted = 1000 * np.sqrt((away**2).sum(axis=-1)).ravel()
    return ShownFace(
        submission.system,
        motion.topology,
        pack_motion(motion),
        measure_aperture(motion, topology),
        error,
        "; ".join(remarks),
        painted=painted,
    )


def measure_aperture(motion: Motion, topology: Topology) -> np.ndarray | None:
    """Return the opening of the lips in each frame, millimetres; None where the topology has no landmarks."""
    pair = FacePair(motion.vertices, motion.vertices, topology.region, topology=topology, fps=motion.fps)
    try:
        return aperture_of(pair, motion.vertices)
    except ValueError:
        return None


def _round(curve: np.ndarray | None) -> list[float] | None:
    return None if curve is None else [round(float(value), 3) for value in curve]
