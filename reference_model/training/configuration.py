"""What a training is determined by: everything is counted in optimizer steps; where ``epochs`` is not 0, it decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mtbench.learning import Averaging, RunSettings, Schedule, Shape
from mtbench.reference_model.model import Settings

#: Lengths of batches are multiples of this many frames.
MULTIPLE = 8

#: Of matrix products; the rest is float32.
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainingConfig:
    """What both stages' trainings are determined by.

    Attributes
    ----------
    steps : int
        Optimizer steps, where ``epochs`` is 0.
    epochs : int
        Times that every clip is seen; 0 counts steps.
    batch : int
        Clips of similar length in a step.
    frames : int
        Longest excerpt of a clip; 0 takes clips whole.
    learning_rate : float
        Peak.
    schedule : {"cosine", "halving", "constant"}
        See :data:`~mtbench.learning.schedule.Shape`.
    warmup : int
        Steps up to the peak.
    halve_every : int
        Epochs, for ``"halving"``.
    weight_decay : float
        Of matrices, decoupled (AdamW); 0 is Adam.
    clip : float
        Largest norm of the gradient.
    averaging : float
        Decay of the running average of the weights, which is what is validated and kept; 0 keeps the weights.
    lips : float
        Weight of the lips' vertices in the loss of motion beside all vertices' weight 1.
    seed : int
        Of weights, batches and dropout.
    validate_every : int
        Steps between validations.
    validation_clips : int
        Clips in one.
    patience : int
        Validations without progress after which training ends, and the best weights are the result; 0 trains to
        the end, and the last weights are.
    checkpoint_every : int
        Steps between checkpoints.
    precision : {"float32", "bfloat16"}
        Of matrix products.
    """

    steps: int = 1000
    epochs: int = 0
    batch: int = 16
    frames: int = 0
    learning_rate: float = 1e-4
    schedule: Shape = "constant"
    warmup: int = 0
    halve_every: int = 0
    weight_decay: float = 0.0
    clip: float = 1.0
    averaging: float = 0.0
    lips: float = 0.0
    seed: int = 131
    validate_every: int = 500
    validation_clips: int = 16
    patience: int = 0
    checkpoint_every: int = 200
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name in ("batch", "validate_every", "validation_clips", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("epochs", "warmup", "halve_every", "weight_decay", "lips", "seed", "patience"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 0")
        if not self.epochs and self.steps < 1:
            raise ValueError(f"steps is {self.steps}, expected at least 1 where epochs is 0")
        if self.frames and self.frames < MULTIPLE:
            raise ValueError(f"frames is {self.frames}, expected at least {MULTIPLE}, or 0 for whole clips")
        if not (self.learning_rate > 0 and self.clip > 0):
            raise ValueError("learning_rate and clip must be above 0")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging is {self.averaging}, expected at least 0 and below 1")

    def count_steps(self, clips: int) -> int:
        """Return the steps of a training on *clips* clips."""
        return self.epochs * max(1, clips // self.batch) if self.epochs else self.steps

    def run_settings(self, steps: int) -> RunSettings:
        """Return the numbers of the training loop for a training of *steps* steps."""
        return RunSettings(
            seed=self.seed,
            schedule=Schedule(
                self.learning_rate, steps, self.warmup, self.schedule, self.epochs, self.halve_every
            ),
            averaging=Averaging(self.averaging),
            clip=self.clip,
            weight_decay=self.weight_decay,
            checkpoint_every=self.checkpoint_every,
            validate_every=self.validate_every,
            patience=self.patience,
            digits=5,
        )


@dataclass(frozen=True)
class Stage1Config(TrainingConfig):
    """Training of the motion autoencoder.

    Attributes
    ----------
    quantize_from : int
        Step up to which vectors pass as they are; then the codebook begins as the means of clusters of them.
        0 quantizes from the start, with the random codebook of the paper.
    revive_every : int
        Steps between revivals of entries that are hardly used; 0 never revives.
    every_vertex : int
        1 looks at all vertices in the loss; 4 at every fourth, others in each step, which takes less time.
    """

    quantize_from: int = 0
    revive_every: int = 0
    every_vertex: int = 1


@dataclass(frozen=True)
class Stage2Config(TrainingConfig):
    """Training of the speech-driven decoder.

    In training the past is the true one, in generation the model's own: what is learned on the first alone may
    go astray on the second. The three settings of the past make training more like generation; all 0 as published.

    Attributes
    ----------
    past_noise : float
        Noise on the past motion, in parts of how far each coordinate moves (drawn up to this for each clip); half of
        its power stays the same throughout a clip.
    past_drop : float
        Share of the clips whose past is the resting face throughout.
    past_own : float
        Share of the steps whose past is what the model itself makes of the true past.
    tune_encoder : bool
        Whether the speech encoder learns too.
    """

    past_noise: float = 0.0
    past_drop: float = 0.0
    past_own: float = 0.0
    tune_encoder: bool = False


@dataclass(frozen=True)
class Size:
    """A model and how it is trained.

    Attributes
    ----------
    name : str
    summary : str
        Where to run it, and for how long.
    settings : Settings
    stage1 : Stage1Config
    stage2 : Stage2Config
    encoder : str
        What :func:`~mtbench.reference_model.encoders.registry.load_speech_encoder` takes.
    """

    name: str
    summary: str
    settings: Settings
    stage1: Stage1Config
    stage2: Stage2Config
    encoder: str
