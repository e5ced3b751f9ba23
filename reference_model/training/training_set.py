"""What both stages learn from: a corpus's motion in model space, its features of speech, and batches of them.

Conventions
-----------
A batch follows from (seed, number) alone. Its clips are of similar length and cut to the same number of frames, a
multiple of ``MULTIPLE``; half of the longer ones from their first frame. Validation clips are chosen by a hash of
their names, so that they stay what they are when a corpus grows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mtbench.errors import UsageError
from mtbench.files import digest_array
from mtbench.reference_model.model import Settings
from mtbench.reference_model.training.configuration import MULTIPLE
from mtbench.reference_model.training.prepared import PreparedRows, prepare_rows
from mtbench.speech import LANGUAGES
from mtbench.timing import SAMPLES_PER_FRAME
from mtbench.work import single_threaded_torch

if TYPE_CHECKING:
    from mtbench.reference_model.corpora import Corpus
    from mtbench.reference_model.encoders import SpeechEncoder

#: Share of the clips to validate on, and the most there are.
VALIDATION = (0.05, 64)
#: Frames that the principal movements are learned from.
BASIS_FRAMES = 4000
#: Least spread of a coordinate, as a part of the largest: less is not worth learning as eagerly.
LEAST_SPREAD = 0.015
#: Batches between which the order of clips by length is lost.
_POOL = 32


@dataclass(frozen=True)
class Batch:
    """Excerpts of B clips.

    Attributes
    ----------
    clips : (B,) int64
        Of the corpus.
    starts : (B,) int64
        First frame of each excerpt.
    motion : (B, T, M) float32
    before : (B, 1, M) float32
        The frame before the excerpt, the resting face where there is none.
    speech : (B, 2 T, w) float32 or None
        Of a frozen speech encoder.
    audio : (B, 640 T) float32 or None
        As an encoder that learns takes it.
    weights : (B, L) float32
        Of languages.
    """

    clips: np.ndarray
    starts: np.ndarray
    motion: torch.Tensor
    before: torch.Tensor
    speech: torch.Tensor | None
    audio: torch.Tensor | None
    weights: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on *device*."""
        moved: dict[str, Any] = {
            k: v.to(device) for k, v in vars(self).items() if isinstance(v, torch.Tensor)
        }
        return replace(self, **moved)

    def shard(self, rank: int, count: int) -> Batch:
        """Return every *count*-th clip from *rank* on."""
        parts: dict[str, Any] = {k: None if v is None else v[rank::count] for k, v in vars(self).items()}
        return Batch(**parts)


def learn_basis(corpus: Corpus, principal: int, seed: int = 0) -> np.ndarray:
    """Return principal movements of a corpus: (principal, X) float32, orthonormal rows, largest first.

    Of displacements from the resting face, which are not centred, so that the resting face is no movement.

    Parameters
    ----------
    corpus : Corpus
    principal : int
        Rows.
    seed : int
        Of the frames that are looked at, at most :data:`BASIS_FRAMES`.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    clips = rng.permutation(len(corpus))[: max(1, BASIS_FRAMES // 10)]
    each = -(-BASIS_FRAMES // len(clips))
    frames = []
    for index in clips:
        motion = corpus.displacement(int(index))
        frames.append(motion[rng.permutation(len(motion))[:each]])
    a = np.concatenate(frames).astype(np.float32)  # (n, X)
    if min(a.shape) < principal:
        raise UsageError(
            f"{principal} principal movements of {len(a)} frames with {a.shape[1]} coordinates: there are not as "
            "many; give more data or a smaller settings.principal"
        )
    # Through the n × n matrix of products: n is smaller than X. On one thread: numpy's would round by their number.
    with single_threaded_torch():
        looked = torch.from_numpy(a)
        _, vectors = torch.linalg.eigh((looked @ looked.T).double())
        top = vectors.flip(1)[:, :principal].float()
        product = (top.T @ looked).double()
        rows, basis = product.numpy(), torch.linalg.qr(product.T)[0].numpy()
    signs = np.sign(np.sum(basis.T * rows, 1))[:, None]  # QR may turn a movement around
    return np.ascontiguousarray(basis.T * signs, dtype=np.float32)


class TrainingSet:
    """A corpus as the model sees it.

    Parameters
    ----------
    corpus : Corpus
    settings : Settings
    store : Path
        Folder of prepared rows; several runs may share it.
    basis : (principal, X) float32
        Empty where the model maps vertices directly: then motion is read from the corpus on every access.
    encoder : SpeechEncoder, optional
        For features of speech, computed once; or, where it learns itself, for sound as it takes it.
    tuned : bool
        Whether it learns.
    seed : int
        Of batches.
    """

    def __init__(
        self,
        corpus: Corpus,
        settings: Settings,
        store: Path,
        basis: np.ndarray,
        encoder: SpeechEncoder | None = None,
        tuned: bool = False,
        seed: int = 0,
    ) -> None:
        self.corpus, self.settings, self.seed = corpus, settings, seed
        self.lengths = np.asarray(corpus.lengths, np.int64)
        threads = torch.get_num_threads()
        self._basis = basis
        self._rows: PreparedRows | None = None
        if len(basis):
            self._rows = prepare_rows(
                store / f"motion-{corpus.digest[:12]}-{digest_array(basis)[:12]}-{settings.scale:g}.f4",
                self.lengths, len(basis), "<f4",
                lambda i: corpus.displacement(i) * np.float32(settings.scale) @ basis.T, "motion", threads,
            )  # fmt: skip
        self._speech: PreparedRows | None = None
        self._listener = encoder if tuned else None
        if encoder is not None and not tuned:
            # On one thread: an encoder need not bear several callers at once.
            self._speech = prepare_rows(
                store / f"speech-{corpus.digest[:12]}-{encoder.digest[:12]}.f2",
                2 * self.lengths, encoder.width, "<f2", lambda i: self._encode(encoder, i), "speech",
            )  # fmt: skip
        self.languages = self._number_languages()
        order = sorted(range(len(corpus)), key=lambda i: hashlib.sha256(corpus.ids[i].encode()).digest())
        held = min(VALIDATION[1], max(1, int(len(order) * VALIDATION[0])))
        usable = [i for i in order if self.lengths[i] >= MULTIPLE]
        self.validation, self.training = usable[:held], np.array(usable[held:], np.int64)
        if not len(self.training):
            raise UsageError(
                f"{corpus.name}: {len(corpus)} clips, of which {len(usable)} have at least {MULTIPLE} frames; "
                "expected two at least, one of them to validate on"
            )

    def _number_languages(self) -> np.ndarray:
        """Return each clip's place in the model's embedding, -1 without one."""
        known = self.settings.languages
        if not known:
            return np.full(len(self.corpus), -1)
        places = {}
        for code in set(self.corpus.language_of):
            names = {code, LANGUAGES[code].name} if code in LANGUAGES else {code}
            places[code] = next((k for k, name in enumerate(known) if name in names), None)
        missing = sorted(code for code, place in places.items() if place is None)
        if missing:
            raise UsageError(
                f"{self.corpus.name} has clips in {', '.join(missing)}, which the model has no embedding for; it "
                f"knows {', '.join(known)}: set settings.languages, or leave those clips out"
            )
        return np.array([places[code] for code in self.corpus.language_of])

    def _encode(self, encoder: SpeechEncoder, index: int) -> np.ndarray:
        frames = int(self.lengths[index])
        features = encoder.encode(encoder.prepare(self.corpus.audio(index)), frames)
        return np.asarray(features[: 2 * frames])

    def spread(self) -> torch.Tensor:
        """Return how far each coordinate of the motion moves: (M,) root mean squares, of which none is tiny."""
        clips = self.training[:: max(1, len(self.training) // 300)]
        square = np.mean([np.mean(np.square(self.motion(i), dtype=np.float64), 0) for i in clips], 0)
        return torch.from_numpy(
            np.maximum(np.sqrt(square), LEAST_SPREAD * np.sqrt(square.max())).astype(np.float32)
        )

    @property
    def per_epoch(self) -> int:
        """Clips that are trained on."""
        return len(self.training)

    def motion(self, index: int) -> np.ndarray:
        """Return a clip's motion in model space, (T, M) float32."""
        if self._rows is not None:
            return self._rows.clip(index)
        return self.corpus.displacement(index) * np.float32(self.settings.scale)

    def speech(self, index: int) -> np.ndarray:
        """Return a clip's features of speech, (2 T, w) float32."""
        assert self._speech is not None
        return self._speech.clip(index).astype(np.float32)

    def gather(self, clips: np.ndarray, starts: np.ndarray, frames: int) -> Batch:
        """Return *frames* frames of each of *clips* from *starts* on."""
        motion = [self.motion(i) for i in clips]
        zero = np.zeros_like(motion[0][:1])
        before = [m[s - 1 : s] if s else zero for m, s in zip(motion, starts)]
        speech = None
        if self._speech is not None:
            rows = [self._speech.clip(i, 2 * s, 2 * frames) for i, s in zip(clips, starts)]
            speech = torch.from_numpy(np.stack(rows).astype(np.float32))
        audio = None
        if self._listener is not None:
            audio = torch.from_numpy(np.stack([self._cut_audio(i, s, frames) for i, s in zip(clips, starts)]))
        weights = torch.zeros(len(clips), len(self.settings.languages))
        if self.settings.languages:
            weights[torch.arange(len(clips)), torch.from_numpy(self.languages[clips])] = 1.0
        return Batch(
            np.asarray(clips),
            np.asarray(starts),
            torch.from_numpy(np.stack([m[s : s + frames] for m, s in zip(motion, starts)])),
            torch.from_numpy(np.stack(before)),
            speech,
            audio,
            weights,
        )

    def _cut_audio(self, clip: int, start: int, frames: int) -> np.ndarray:
        """Return the sound of an excerpt, prepared as a part of its whole clip."""
        assert self._listener is not None
        whole = self._listener.prepare(self.corpus.audio(clip))
        return whole[start * SAMPLES_PER_FRAME : (start + frames) * SAMPLES_PER_FRAME]

    def draw(self, number: int, batch: int, frames: int) -> Batch:
        """Return batch *number* of *batch* clips (all there are, if fewer), at most *frames* frames long (0: whole)."""
        batch = min(batch, len(self.training))
        per_epoch = len(self.training) // batch
        epoch, place = divmod(number, per_epoch)
        clips = self._order(epoch, batch)[place * batch : (place + 1) * batch]
        rng = np.random.Generator(np.random.PCG64([self.seed, 3, number]))
        shortest = int(self.lengths[clips].min())
        length = min(shortest, frames or shortest) // MULTIPLE * MULTIPLE
        spare = self.lengths[clips] - length
        starts = rng.integers(0, spare + 1) * rng.integers(0, 2, len(clips))
        return self.gather(clips, starts, length)

    @lru_cache(maxsize=2)  # noqa: B019 - a set lives as long as its run
    def _order(self, epoch: int, batch: int) -> np.ndarray:
        """Return the clips of an epoch: similar lengths side by side within a batch, otherwise shuffled."""
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, epoch]))
        shuffled = rng.permutation(self.training)
        pool = batch * _POOL
        batches: list[np.ndarray] = []
        for first in range(0, len(shuffled), pool):
            part = shuffled[first : first + pool]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[k : k + batch] for k in range(0, len(part) - batch + 1, batch)]
        # What does not fill a batch at the end of an epoch waits for the next epoch's order.
        return np.concatenate([batches[k] for k in rng.permutation(len(batches))])
