"""Training of a speech encoder of the bundled recognizer's form, on sound alone, in languages of one's choice.

The paper's ablation (b) hears with an encoder that has learned English only. At size ``mini`` the encoder is the audio
branch of the bundled recognizer, so the English one is the same network
(:class:`~mtbench.avsr.openhead.model.AudioVisualCTC`) trained from scratch on generated English speech: CTC over
phones, and frame-wise phones from the lower half of the stack, as the recognizer itself learned, but without
pictures. Given the twenty languages instead, the same steps make the encoder that (b) differs from by language and
by nothing else.

One thread optimizes while another process makes batches (:mod:`mtbench.reference_model.training.encoder_batches`), and
a run killed at any moment goes on where it was.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors only), ``losses.csv`` and its plot ``losses.png``, and
``speech-encoder.safetensors`` + ``.json`` (the running average of the weights), which
:meth:`mtbench.avsr.openhead.recognizer.OpenheadAV.load` and
:func:`mtbench.reference_model.encoders.registry.load_speech_encoder` read. Sound is 16 kHz mono, T frames have 640 T
samples. Only training texts and training voices are drawn. Needs the extra ``[synth]``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.avsr.openhead import AudioVisualCTC, DecodingConfig, ModelConfig, save_recognizer
from mtbench.files import make_folder
from mtbench.learning import Recipe, TrainingRun
from mtbench.reference_model.training.encoder_batches import EncoderTraining, SpeechBatch, make_batch
from mtbench.speech import language_code
from mtbench.work import single_threaded_torch, start_pool

WEIGHTS = "speech-encoder.safetensors"
#: Batches that are made ahead.
_AHEAD = 4


class BatchMaker:
    """Makes the batches of a run, ahead in other processes; a context that ends with them.

    Parameters
    ----------
    config : EncoderTraining
    workers : int
        Processes; 0 makes a batch where and when it is taken.
    """

    def __init__(self, config: EncoderTraining, workers: int) -> None:
        self.config, self.workers = config, workers
        self._pool: ProcessPoolExecutor | None = None
        self._ahead: deque[Future[SpeechBatch]] = deque()

    def __enter__(self) -> BatchMaker:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def take(self, number: int) -> SpeechBatch:
        """Return batch *number*; numbers are taken in order, from any one on."""
        if not self.workers:
            return make_batch(self.config, number)
        if self._pool is None:
            self._pool = start_pool(self.workers)
        last = min(self.config.steps, number + 1 + _AHEAD * self.workers)
        for more in range(number + len(self._ahead), last):
            self._ahead.append(self._pool.submit(_make_batch, self.config, more))
        return self._ahead.popleft().result()


def _make_batch(config: EncoderTraining, number: int) -> SpeechBatch:
    torch.set_num_threads(1)
    return make_batch(config, number)


def compute_loss(network: AudioVisualCTC, x: SpeechBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss and its (2,) parts: CTC per phone, and frame-wise phones of the lower stack."""
    # The language is withheld as it is when the encoder is used: index 0, unknown.
    log_probs, frame_logits = network(None, x.logmel, x.lengths, torch.zeros_like(x.lengths), frames=True)
    assert frame_logits is not None
    each = F.ctc_loss(
        log_probs.transpose(0, 1), x.labels, 2 * x.lengths, x.label_lengths, reduction="none", zero_infinity=True
    )  # fmt: skip
    ctc = (each / x.label_lengths.clamp(min=1)).mean()
    frame = F.cross_entropy(frame_logits.flatten(0, 1), x.frames.flatten(), ignore_index=-1)
    return ctc + 0.4 * frame, torch.stack([ctc, frame]).detach().double()


class EncoderRecipe(Recipe[SpeechBatch]):
    """How a speech encoder is trained.

    Parameters
    ----------
    config : EncoderTraining
    sizes : mapping
        Of the network, where they are not :class:`~mtbench.avsr.openhead.model.ModelConfig`'s.
    batches : BatchMaker
    """

    name = "speech encoder"
    parts = ("ctc", "frame")
    advice = "a smaller learning_rate"

    def __init__(self, config: EncoderTraining, sizes: Mapping[str, Any], batches: BatchMaker) -> None:
        from mtbench.synth import PHONES

        self.config, self.batches, self.phones = config, batches, tuple(PHONES)
        torch.manual_seed(config.seed)
        self.network = AudioVisualCTC(ModelConfig(len(PHONES) + 1, len(config.languages) + 1, **sizes))
        # The branch that sees stays as it was drawn: nothing is ever shown to this network.
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(not name.startswith("visual"))
        #: What a run follows from; written into the encoder's description too.
        self.facts = {**asdict(config), "languages": list(config.languages), "sizes": dict(sizes)}

    def draw(self, step: int) -> list[SpeechBatch]:
        """Wait for the batch of a step."""
        return [self.batches.take(step)]

    def loss(self, batch: SpeechBatch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return :func:`compute_loss` of a batch."""
        assert isinstance(self.network, AudioVisualCTC)
        return compute_loss(self.network, batch)

    def write(self, folder: Path, average: nn.Module, step: int) -> None:
        """Write the encoder as it is by now."""
        assert isinstance(average, AudioVisualCTC)
        facts = {**self.facts, "step": step, "utterances": step * self.config.batch, "pictures": False}
        languages = self.config.languages
        save_recognizer(folder / WEIGHTS, average, self.phones, languages, DecodingConfig(), facts)


def train_speech_encoder(
    out: str | Path,
    config: EncoderTraining | None = None,
    workers: int = 1,
    sizes: dict[str, Any] | None = None,
) -> Path:
    """Train an encoder, or go on with the run in *out*.

    Parameters
    ----------
    out : path
        Run folder; a checkpoint in it is resumed, a finished run is left as it is.
    config : EncoderTraining, optional
        English by default.
    workers : int
        Processes that make batches while this one optimizes on one thread; 0 makes them here. The result does not
        depend on it.
    sizes : dict, optional
        Of the network, where they are not :class:`~mtbench.avsr.openhead.model.ModelConfig`'s.

    Returns
    -------
    Path
        ``speech-encoder.safetensors``.

    Raises
    ------
    UsageError
        For an unknown language, or a folder that holds a run of other settings.
    PrerequisiteError
        Without the extra ``[synth]``.
    """
    config = config or EncoderTraining()
    config = EncoderTraining(**{**asdict(config), "languages": tuple(map(language_code, config.languages))})
    folder = Path(out)
    make_folder(folder)
    with single_threaded_torch(), BatchMaker(config, workers) as batches:
        recipe = EncoderRecipe(config, dict(sizes or {}), batches)
        run = TrainingRun(folder, recipe, config.run_settings(), recipe.facts)
        run.train()
    return folder / WEIGHTS
