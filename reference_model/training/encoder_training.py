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
A run folder holds ``checkpoint.pt`` (tensors only), ``losses.csv`` and ``speech-encoder.safetensors`` + ``.json`` (the
running average of the weights), which :meth:`mtbench.avsr.openhead.recognizer.OpenheadAV.load` and
:func:`mtbench.reference_model.encoders.registry.load_speech_encoder` read. Sound is 16 kHz mono, T frames have 640 T
samples. Only training texts and training voices are drawn. Needs the extra ``[synth]``.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from mtbench.avsr.openhead import AudioVisualCTC, DecodingConfig, ModelConfig, save_recognizer
from mtbench.files import make_folder
from mtbench.learning import flatten, load_checkpoint, require_same_run, save_checkpoint
from mtbench.reference_model.training.encoder_batches import EncoderTraining, SpeechBatch, make_batch
from mtbench.speech import language_code
from mtbench.work import single_threaded_torch, start_pool

log = logging.getLogger(__name__)

WEIGHTS = "speech-encoder.safetensors"
#: Batches that are made ahead.
_AHEAD = 4


def compute_loss(network: AudioVisualCTC, x: SpeechBatch) -> tuple[torch.Tensor, np.ndarray]:
    """Return the loss and its parts: CTC per phone, and frame-wise phones of the lower stack."""
    # The language is withheld as it is when the encoder is used: index 0, unknown.
    log_probs, frame_logits = network(None, x.logmel, x.lengths, torch.zeros_like(x.lengths), frames=True)
    assert frame_logits is not None
    each = F.ctc_loss(
        log_probs.transpose(0, 1), x.labels, 2 * x.lengths, x.label_lengths, reduction="none", zero_infinity=True
    )  # fmt: skip
    ctc = (each / x.label_lengths.clamp(min=1)).mean()
    frame = F.cross_entropy(frame_logits.flatten(0, 1), x.frames.flatten(), ignore_index=-1)
    return ctc + 0.4 * frame, np.array([ctc.item(), frame.item()])


def learning_rate(config: EncoderTraining, step: int) -> float:
    """Return the learning rate of *step*: linear warm-up, then half a cosine down to zero."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


class _Run:
    """Network, running average and optimizer of a run folder, resumed where there is a checkpoint."""

    def __init__(self, folder: Path, config: EncoderTraining, sizes: dict[str, Any]) -> None:
        from mtbench.synth import PHONES

        self.folder, self.config, self.phones = folder, config, tuple(PHONES)
        model = ModelConfig(len(PHONES) + 1, len(config.languages) + 1, **sizes)
        torch.manual_seed(config.seed)
        self.network, self.average = AudioVisualCTC(model), AudioVisualCTC(model).eval()
        self.average.load_state_dict(self.network.state_dict())
        # The branch that sees stays as it was drawn: nothing is ever shown to this network.
        trained = [p for name, p in self.network.named_parameters() if not name.startswith("visual")]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in trained if p.ndim > 1], "weight_decay": 1e-2},
                {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
            ],
            betas=(0.9, 0.98),
        )
        self.step = 0
        self.facts = {**asdict(config), "languages": list(config.languages), "sizes": sizes}
        state = load_checkpoint(folder)
        if state is None:
            return
        require_same_run(folder, flatten(state["facts"]), flatten(self.facts))
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])

    def advance(self, x: SpeechBatch) -> np.ndarray:
        """Take one step; return the parts of the loss."""
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss, parts = compute_loss(self.network, x)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        share = min(self.config.averaging, (self.step + 1) / (self.step + 20))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values()):
                if kept.dtype.is_floating_point:
                    kept.lerp_(new, 1 - share)
        return parts

    def save(self) -> None:
        """Write checkpoint and encoder, each atomically."""
        state = {
            "facts": self.facts,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        facts = {
            **self.facts,
            "step": self.step,
            "utterances": self.step * self.config.batch,
            "pictures": False,
        }
        save_recognizer(
            self.folder / WEIGHTS, self.average, self.phones, self.config.languages, DecodingConfig(), facts
        )
        # Last: a run that is killed in between makes the encoder again from the older checkpoint.
        save_checkpoint(self.folder, state)


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
    run = _Run(folder, config, dict(sizes or {}))
    if run.step >= config.steps and (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    losses = folder / "losses.csv"
    if not losses.is_file():
        losses.write_text("step,seconds,learning_rate,ctc,frame\n", "utf-8")
    begun, first, parts = time.monotonic(), run.step, []
    with single_threaded_torch():
        for batch in _batches(config, run.step, workers):
            parts.append(run.advance(batch))
            step, took = run.step, time.monotonic() - begun
            if step % 20 == 0 or step == config.steps:
                ctc, frame = np.mean(parts, axis=0)
                parts.clear()
                pace = took / (step - first)
                with losses.open("a", encoding="utf-8") as file:
                    file.write(f"{step},{took:.1f},{learning_rate(config, step):.2e},{ctc:.4f},{frame:.4f}\n")
                log.info(
                    "step %d/%d  ctc %.3f  frame %.3f  %.2f s/step  %.0f min left",
                    step, config.steps, ctc, frame, pace, pace * (config.steps - step) / 60,
                )  # fmt: skip
            if step % config.checkpoint_every == 0 or step == config.steps:
                run.save()
    return folder / WEIGHTS


def _batches(config: EncoderTraining, first: int, workers: int) -> Iterator[SpeechBatch]:
    """Yield the batches from number *first* on, made ahead by *workers* processes."""
    if not workers:
        yield from (make_batch(config, number) for number in range(first, config.steps))
        return
    with start_pool(workers) as pool:
        ahead: deque[Future[SpeechBatch]] = deque()
        for number in range(first, config.steps):
            ahead.append(pool.submit(_work, config, number))
            if len(ahead) > _AHEAD * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _work(config: EncoderTraining, number: int) -> SpeechBatch:
    torch.set_num_threads(1)
    return make_batch(config, number)
