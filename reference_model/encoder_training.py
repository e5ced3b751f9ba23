"""Training of a speech encoder of the bundled recognizer's form, on sound alone, in languages of one's choice.

The paper's ablation (b) hears with an encoder that has learned English only. At size ``mini`` the encoder is the audio
branch of the bundled recognizer, so the English one is the same network (:class:`~mtbench.avsr.model.AudioVisualCTC`)
trained from scratch on generated English speech: CTC over phones, and frame-wise phones from the lower half of the
stack, as the recognizer itself learned, but without pictures. Given the twenty languages instead, the same steps make
the encoder that (b) differs from by language and by nothing else.

A batch is a pure function of (seed, number), whoever makes it; one thread optimizes while another process makes
batches, and a run killed at any moment goes on where it was.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors only), ``losses.csv`` and ``speech-encoder.safetensors`` + ``.json`` (the
running average of the weights), which :meth:`mtbench.avsr.openhead_av.OpenheadAV.load` and
:func:`mtbench.reference_model.speech.load_speech_encoder` read. Sound is 16 kHz mono, T frames have 640 T samples.
Only training texts and training voices are drawn. Needs the extra ``[synth]``.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from mtbench.avsr.acoustics import change_channel, change_vocal_tract, mix
from mtbench.avsr.decoding import DecodingConfig
from mtbench.avsr.features import SAMPLES_PER_FRAME, compute_logmel
from mtbench.avsr.model import AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead_av import save_recognizer
from mtbench.errors import UsageError
from mtbench.languages import language_code
from mtbench.threads import single_threaded_torch

if TYPE_CHECKING:
    from mtbench.synth.espeak import Speech
    from mtbench.synth.speech import UtteranceSource

log = logging.getLogger(__name__)

WEIGHTS = "speech-encoder.safetensors"
#: Seconds of an utterance; those of a batch differ by less than twice the tolerance, so that little is padded.
MIN_SECONDS, MAX_SECONDS, TOLERANCE = 1.2, 3.8, 0.7
#: Batches that are made ahead.
_AHEAD = 4


@dataclass(frozen=True)
class EncoderTraining:
    """What determines a run.

    Attributes
    ----------
    languages : tuple of str
        ISO 639-3 codes to draw from, all equally often.
    steps : int
        Of the optimizer; the learning rate falls to zero over them.
    seed : int
        Of weights and batches.
    batch : int
        Utterances a step.
    learning_rate, warmup
        Its peak, and the steps up to it.
    averaging : float
        Decay of the running average of the weights.
    checkpoint_every : int
        Steps between checkpoints.
    """

    languages: tuple[str, ...] = ("eng",)
    steps: int = 1000
    seed: int = 1
    batch: int = 16
    learning_rate: float = 2e-3
    warmup: int = 100
    averaging: float = 0.99
    checkpoint_every: int = 100


@dataclass(frozen=True)
class SpeechBatch:
    """B utterances of at most T frames, padded.

    Attributes
    ----------
    logmel : (B, T, 320) float32
    lengths : (B,) int64
        Frames of 40 ms.
    labels : (sum of label_lengths,) int64
        Phone classes, one utterance after another.
    label_lengths : (B,) int64
    frames : (B, 2 T) int64
        Phone class of each 20 ms, 0 in pauses, -1 past the end.
    """

    logmel: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor
    label_lengths: torch.Tensor
    frames: torch.Tensor


@lru_cache(maxsize=1)
def _source() -> UtteranceSource:
    from mtbench.synth.speech import UtteranceSource

    return UtteranceSource()


def make_batch(config: EncoderTraining, number: int) -> SpeechBatch:
    """Return batch *number* of a run.

    Most utterances pass through another vocal tract and a channel; two in five lie under noise, as the recognizer's did
    when its picture was withheld. Bands and a span of time of the features are blotted out (SpecAugment).
    """
    rng = np.random.Generator(np.random.PCG64([config.seed, 23, number]))
    seconds = rng.uniform(MIN_SECONDS + 0.3, MAX_SECONDS - 0.4)
    drawn = [_draw(rng, config.languages, seconds) for _ in range(config.batch)]
    sounds = [_fill_frames(speech.audio) for speech in drawn]
    lengths = [len(sound) // SAMPLES_PER_FRAME for sound in sounds]
    longest = max(lengths)
    logmel = torch.zeros(config.batch, longest, 320)
    frames = torch.full((config.batch, 2 * longest), -1)
    labels = []
    for i, (speech, sound) in enumerate(zip(drawn, sounds, strict=True)):
        snr = None if rng.random() < 0.6 else rng.uniform(-5, 20)
        others = [other for j, other in enumerate(sounds) if j != i]
        x = compute_logmel(mix(rng, change_channel(sound, rng), others, snr if others else None))
        _blot(rng, x)
        logmel[i, : lengths[i]] = x
        symbols, each = label_phones(speech, lengths[i])
        labels.append(torch.from_numpy(symbols))
        frames[i, : 2 * lengths[i]] = torch.from_numpy(each)
    counts = torch.tensor([len(x) for x in labels])
    return SpeechBatch(logmel, torch.tensor(lengths), torch.cat(labels), counts, frames)


def _draw(rng: np.random.Generator, languages: Sequence[str], seconds: float) -> Speech:
    while True:
        speech = _source().draw(rng, languages[int(rng.integers(len(languages)))], seconds)
        if rng.random() < 0.6:
            speech = change_vocal_tract(speech, rng)
        length = len(speech.audio) / 16_000
        if MIN_SECONDS <= length <= MAX_SECONDS and abs(length - seconds) < TOLERANCE:
            return speech


def _fill_frames(audio: np.ndarray) -> np.ndarray:
    """Return *audio* with zeros to a whole number of frames."""
    return np.pad(audio.astype(np.float32), (0, -len(audio) % SAMPLES_PER_FRAME))


def _blot(rng: np.random.Generator, logmel: torch.Tensor) -> None:
    """Blot out two bands and a span of the features (T, 320), in place."""
    bands = logmel.view(-1, 80)
    for _ in range(2):
        low, width = int(rng.integers(72)), int(rng.integers(9))
        bands[:, low : low + width] = 0
    start, span = int(rng.integers(len(logmel))), int(rng.integers(6))
    logmel[start : start + span] = 0


def label_phones(speech: Speech, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the phone classes of *speech* in order, (n,), and of each 20 ms, (2 * frames,), 0 in pauses."""
    from mtbench.synth.phones import PHONES

    classes = {phone: i + 1 for i, phone in enumerate(PHONES)}
    spoken = [p for p in speech.phones if p.symbol in classes]
    each = np.zeros(2 * frames, np.int64)
    for p in spoken:
        start = round(p.start * 50)
        each[start : max(round(p.end * 50), start + 1)] = classes[p.symbol]
    return np.array([classes[p.symbol] for p in spoken], np.int64), each


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
        from mtbench.synth.phones import PHONES

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
        checkpoint = folder / "checkpoint.pt"
        if not checkpoint.is_file():
            return
        state = torch.load(checkpoint, weights_only=True)
        if state["facts"] != self.facts:
            raise UsageError(
                f"{folder}: holds a run of other settings ({_differences(state['facts'], self.facts)}); give another "
                "folder, or the settings that it was begun with"
            )
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
        part = self.folder / "checkpoint.part"
        state = {
            "facts": self.facts,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        torch.save(state, part)
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
        part.replace(self.folder / "checkpoint.pt")


def _differences(a: dict[str, Any], b: dict[str, Any]) -> str:
    return ", ".join(f"{k}: {a.get(k)} there, {b[k]} asked for" for k in b if a.get(k) != b[k])


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
        Processes that make batches while this one optimizes on one thread; the result does not depend on it.
    sizes : dict, optional
        Of the network, where they are not :class:`~mtbench.avsr.model.ModelConfig`'s.

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
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(folder, config, dict(sizes or {}))
    if run.step >= config.steps and (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    losses = folder / "losses.csv"
    if not losses.is_file():
        losses.write_text("step,seconds,learning_rate,ctc,frame\n", "utf-8")
    begun, first, parts = time.monotonic(), run.step, []
    with single_threaded_torch(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        ahead: deque[Future[SpeechBatch]] = deque()
        asked = run.step
        while run.step < config.steps:
            while asked < config.steps and len(ahead) < _AHEAD * workers:
                ahead.append(pool.submit(_work, config, asked))
                asked += 1
            parts.append(run.advance(ahead.popleft().result()))
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


def _work(config: EncoderTraining, number: int) -> SpeechBatch:
    torch.set_num_threads(1)
    return make_batch(config, number)
