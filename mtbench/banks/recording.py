"""A recording of a bank: reading its sound, motion and phones.

Conventions
-----------
T is the number of frames at 25 fps that the sound has, its last frame filled up with silence. Curves are (T, U)
float32, columns as in ``load_head().unit_names``. What a file may hold is checked before it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtbench.banks.mouths import units_from_vertices
from mtbench.errors import BankError, BenchmarkError, UsageError
from mtbench.timing import FPS, MAX_FRAMES, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.benchmarks import PhoneTime
    from mtbench.faces import MotionSpec, Topology

#: Frames by which motion may be shorter or longer than its sound.
SPARE = 2


@dataclass(frozen=True)
class Recording:
    """One recording; sound, motion and phones lie in files.

    Attributes
    ----------
    id, speaker : str
    language : str
        ISO 639-3.
    split : "train" or "development"
        Whether it may be trained on.
    kind : str
        Of the motion: ``"units"``, ``"vertices"`` or ``"flame-params"``.
    topology : str
        Of the mesh that moves.
    fps : float
        Of the motion in its file.
    sound_path, motion_path, phones_path : Path
    template_path : Path or None
        The speaker's resting face.
    """

    id: str
    speaker: str
    language: str
    split: Literal["train", "development"]
    kind: str
    topology: str
    fps: float
    sound_path: Path
    motion_path: Path
    phones_path: Path
    template_path: Path | None = None

    def read_sound(self) -> np.ndarray:
        """Return the sound, (640 T,) float32 mono at 16 kHz.

        Raises
        ------
        BankError
            Where the file is absent, unreadable, or longer than two minutes.
        """
        from mtbench.speech import load_sound

        try:
            samples = load_sound(self.sound_path, MAX_FRAMES / FPS, f"sound of {self.id}").samples
        except BenchmarkError as error:
            raise BankError(
                f"recording {self.id}: {error}; cut recordings of more than {MAX_FRAMES // FPS} seconds"
                if "longer" in str(error)
                else f"recording {self.id}: {error}"
            ) from None
        padded = np.zeros(-(-len(samples) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME, np.float32)
        padded[: len(samples)] = samples
        return padded

    def read_phones(self, seconds: float) -> tuple[PhoneTime, ...]:
        """Return the timed phones, pauses included; *seconds* is the length of the sound.

        Raises
        ------
        BankError
            Where the file is unreadable, or its times run backwards or out of the sound.
        """
        from mtbench.benchmarks import read_phone_file

        try:
            return read_phone_file(self.phones_path, f"recording {self.id}", seconds)
        except BenchmarkError as error:
            raise BankError(str(error)) from None

    def read_curves(self, frames: int) -> np.ndarray:
        """Return the motion as curves of the bundled head, (T, U) float32 at 25 fps; *frames* is T.

        Raises
        ------
        BankError
            Where the file is unreadable, does not fit the sound, or holds no such motion.
        PrerequisiteError
            For FLAME parameters without an installed FLAME model.
        """
        from mtbench.faces import MotionSpec, load_topology, read_motion_file, resample_motion

        topology = load_topology(self.topology)
        spec = MotionSpec(
            self.kind, topology, frames, self.fps, frames / FPS, SPARE, "set fps = {} in bank.toml"
        )
        where = self.motion_path.name
        reading = read_motion_file(self.motion_path, where, spec, self.id)
        if reading.problems:
            told = "; ".join(map(str, reading.problems))
            raise BankError(f"recording {self.id}: {told} ({frames / FPS:.2f} s of sound beside it)")
        if self.kind == "units":
            units = reading.arrays["units"].astype(np.float32)
            curves = resample_motion(units, self.fps, frames)
            # Between two frames a spline may overshoot what either has.
            return np.clip(curves, units.min(0), units.max(0))
        return self._fit_lips(reading.arrays, spec, topology, frames)

    def _fit_lips(
        self, arrays: dict[str, np.ndarray], spec: MotionSpec, topology: Topology, frames: int
    ) -> np.ndarray:
        """Return the curves whose lips move as those of vertices or FLAME parameters."""
        from mtbench.faces import pose_motion, pose_rest, read_template, resample_motion

        if not len(topology.landmarks):
            raise BankError(
                f"recording {self.id}: topology {self.topology} has no lip landmarks, which the fit of units rests on"
            )
        vertices = pose_motion(arrays, spec).vertices
        rest = pose_rest(arrays, spec) if self.kind == "flame-params" else None
        if self.template_path is not None:
            try:
                rest = read_template(self.template_path, topology.n_vertices, self.speaker)
            except UsageError as error:
                raise BankError(f"speaker {self.speaker}: {error}") from None
        return units_from_vertices(resample_motion(vertices, self.fps, frames), rest, topology)
