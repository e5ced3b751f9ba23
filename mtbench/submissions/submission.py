"""Submissions: what a system produced for the clips of a benchmark.

Conventions
-----------
A submission is a folder with a manifest and one array file per clip; nothing in it is ever executed or
unpickled, and no path leaves it::

    submission.toml
    motion/<clip>.npz     vertices (T, V, 3), or FLAME parameters exp (T, n), jaw (T, 3) [, shape, neck, …],
                          or curves of the bundled head: units (T, U), identity (a name)
    motion/<clip>.npy     vertices only: (T, V, 3) or (T, 3 V)

.. code-block:: toml

    schema = 1
    system = "MultiTalk"            # display name
    benchmark = "openhead-20@3"
    fps = 25                        # of the motion: 20 to 120, or "30000/1001"
    unit = "m"
    topology = "flame-5023"         # or "openhead-1"
    kind = "vertices"               # or "flame-params"; "units" with openhead-1
    [model]                         # optional: name, paper, code, weights, license, params_m, training_data,
                                    # open_weights
    [generation]                    # optional: seed, language_conditioning, hardware, rtf, notes

Motion of another rate than 25 frames per second is resampled in time, see :mod:`mtbench.faces.resampling`. One
frame too many or too few at the end is cut off or made up for by holding the last one, and noted; more is an error.
Files whose names begin with a dot are ignored, as are ``Thumbs.db`` and ``desktop.ini`` and everything beside the
manifest and ``motion/``. The topology may differ from the benchmark's: then lips can be read, but not compared with
the ground truth.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from mtbench.benchmarks import Clip, find_truth
from mtbench.errors import Note, SubmissionError, UsageError
from mtbench.faces import (
    MAX_FPS,
    MIN_FPS,
    Motion,
    MotionSpec,
    Topology,
    count_frames,
    describe_resampling,
    load_topology,
    pose_motion,
    read_motion_file,
    resample_motion,
)
from mtbench.files import StrictModel, digest_file, slugify
from mtbench.timing import FPS

MANIFEST = "submission.toml"
MOTION_FOLDER = "motion"


class ModelCard(StrictModel):
    """The optional ``[model]`` table."""

    name: str = ""
    paper: str = ""
    code: str = ""
    weights: str = ""
    license: str = ""
    params_m: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    training_data: str = ""
    open_weights: bool | None = None


class Generation(StrictModel):
    """The optional ``[generation]`` table."""

    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    language_conditioning: str = ""
    hardware: str = ""
    rtf: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    notes: str = ""


class SubmissionManifest(StrictModel):
    """The whole of ``submission.toml``; ``model_json_schema()`` gives its JSON schema."""

    schema_: Literal[1] = Field(alias="schema")
    system: str = Field(min_length=1, max_length=80)
    benchmark: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    fps: float = Field(gt=0, allow_inf_nan=False)
    unit: str
    topology: str
    kind: str
    model: ModelCard = ModelCard()
    generation: Generation = Generation()

    @field_validator("fps", mode="before")
    @classmethod
    def _ratio(cls, value: object) -> object:
        match = re.fullmatch(r"([0-9]{1,9})/([1-9][0-9]{0,8})", value) if isinstance(value, str) else None
        return value if match is None else int(match[1]) / int(match[2])


@dataclass(frozen=True)
class Submission:
    """A submission whose manifest and file headers were checked.

    Attributes
    ----------
    system : str
        Display name.
    benchmark_ref : str
        ``name@version``.
    topology : str
    kind : str
        ``"vertices"``, ``"flame-params"`` or ``"units"``.
    path : Path
    clips : tuple of str
        Ids of the clips that are there, in the benchmark's order.
    missing : tuple of str
        Ids of the benchmark's clips that are not (partial submissions only).
    manifest : SubmissionManifest
    notes : tuple of Note
        What a reader of its numbers has to know though nothing is wrong: from the manifest and the headers, and
        from the values too where :func:`mtbench.submissions.validation.inspect_submission` read them.
    """

    system: str
    benchmark_ref: str
    topology: str
    kind: str
    path: Path
    clips: tuple[str, ...]
    missing: tuple[str, ...]
    manifest: SubmissionManifest
    notes: tuple[Note, ...] = ()
    _files: dict[str, Path] = field(repr=False, default_factory=dict)
    _frames: dict[str, int] = field(repr=False, default_factory=dict)
    _seconds: dict[str, float] = field(repr=False, default_factory=dict)
    _clips: dict[str, Clip] = field(repr=False, default_factory=dict)

    @property
    def slug(self) -> str:
        """The system's name as a folder name."""
        return slugify(self.system)

    @property
    def partial(self) -> bool:
        """Whether clips are missing; a partial submission is not rankable."""
        return bool(self.missing)

    def motion_path(self, clip: str) -> Path:
        """Return the motion file of *clip*; ``UsageError`` where the submission has no such clip."""
        if clip not in self._files:
            raise UsageError(f"submission {self.path} has no clip {clip!r}")
        return self._files[clip]

    @property
    def resampling(self) -> str | None:
        """How motion is brought to the clips' frames at 25 fps; None where nothing has to be done.

        ``"60>25/spline-1"``, ``"-1(3)"`` where the last frame is held in three clips, ``"+1(2)"`` where it is left
        out in two, with commas between.
        """
        codes = [note.code for note in self.notes]
        counts = {sign: codes.count(f"frame-too-{what}") for sign, what in (("-1", "few"), ("+1", "many"))}
        parts = [describe_resampling(self.manifest.fps)]
        parts += [f"{sign}({count})" for sign, count in counts.items() if count]
        return ",".join(part for part in parts if part) or None

    def describe_timing(self, clip: str) -> str:
        """Return what the frames of *clip* follow from besides its file: rate, method and count."""
        return f"{describe_resampling(self.manifest.fps) or FPS}|{self._frames.get(clip)}"

    def motion(self, clip: str) -> Motion:
        """Return the motion of *clip*, (T, V, 3) float32 in metres at 25 fps; FLAME parameters are posed.

        Motion of another rate is resampled after posing: rotations cannot be averaged number by number.

        Raises
        ------
        UsageError
            Where the submission has no such clip.
        SubmissionError
            Where the file's values cannot be used.
        PrerequisiteError
            For FLAME parameters without an installed FLAME model.
        """
        path = self.motion_path(clip)
        frames, fps = self._frames.get(clip), self.manifest.fps
        spec = clip_spec(self.kind, load_topology(self.topology), fps, frames, self._seconds.get(clip))
        where, beside = f"{MOTION_FOLDER}/{path.name}", self._clips.get(clip)
        found = read_motion_file(path, where, spec, clip, truth=find_truth(beside))
        if found.problems:
            raise SubmissionError(self.path, found.problems)
        posed = pose_motion(found.arrays, spec)
        frames = count_frames(len(posed), fps) if frames is None else frames
        if fps == FPS and len(posed) == frames:
            return posed
        return Motion(resample_motion(posed.vertices, fps, frames), float(FPS), posed.topology)

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest of the manifest and of every motion file."""
        h = hashlib.blake2b(digest_size=16)
        for name, path in [(MANIFEST, self.path / MANIFEST), *sorted(self._files.items())]:
            h.update(name.encode() + b"\0" + digest_file(path).long)
        return h.hexdigest()


def clip_spec(
    kind: str, topology: Topology, fps: float, frames: int | None, seconds: float | None = None
) -> MotionSpec:
    """Return what a submission's motion file must hold for a clip of *frames* frames at 25 fps.

    A rate that no motion can have is a problem of the manifest; files are then looked at as if they had 25 fps.
    """
    rate = fps if MIN_FPS <= fps <= MAX_FPS else float(FPS)
    return MotionSpec(kind, topology, frames, rate, seconds, spare=0 if frames is None else 1)
