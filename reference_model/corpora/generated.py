"""Training data from the benchmark's generator: any number of hours, disjoint from every bundled benchmark.

Conventions
-----------
It speaks the training texts in the training voices of :mod:`mtbench.synth` and is animated as ``openhead-20@3`` is: by
the varied articulation in its style ``everyday``, with a seed for each clip. There is no other style beside it: the
model is told the sound and the language and not how somebody speaks, and learns motion from them by squared errors, so
that of several styles it would learn the mean, which nobody speaks; what it makes is measured beside a truth in
``everyday``; and within that style each occurrence of a sound is drawn anew as it is. That it learns from the truth's
own style is an advantage over systems that come from elsewhere, and belongs on the card of whatever is trained here.

Version 1 of the corpus was animated by the rules, as ``openhead-20@2`` is; texts, voices, sound and faces of both
versions are the same. A finished corpus of version 1 is read as ever, and nothing is added to one. Its folder::

    corpus.json              what was asked for; written last
    part-0000.audio.npy      (640 sum T,) int16, the part's clips one after another
    part-0000.curves.npy     (sum T, U) uint16 facial-unit curves, in steps of 2**-12
    part-0000.json           id, language, frames and identity of each clip
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, ValidationError

from mtbench.benchmarks import CLIP_ID
from mtbench.errors import UsageError
from mtbench.faces import OPENHEAD
from mtbench.files import StrictModel, make_folder, write_atomically
from mtbench.speech import LANGUAGES, language_code
from mtbench.timing import FPS, MAX_FRAMES, SAMPLES_PER_FRAME
from mtbench.work import start_pool

if TYPE_CHECKING:
    from mtbench.synth import UtteranceSource

log = logging.getLogger(__name__)

MANIFEST = "corpus.json"
#: What the clips of an unfinished corpus follow from.
REQUEST = ".request.json"
#: Clips in a part: what a worker makes at a time.
PART = 200
#: Seconds of speech in a clip, drawn evenly.
SECONDS = (1.6, 6.0)
#: Steps of a stored curve; :data:`mtbench.synth.articulation.STEP` is one.
_STEPS = 4096
#: Raise it when the same request would give other clips.
CORPUS_VERSION = 2


class _Request(StrictModel):
    """``corpus.json``."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    version: int = Field(ge=1)
    hours: float = Field(gt=0, le=10_000, allow_inf_nan=False)
    seed: int = Field(ge=0)
    languages: list[str]
    parts: int = Field(ge=1, le=1_000_000)


class _Clip(StrictModel):
    """A clip of ``part-NNNN.json``."""

    id: str = Field(pattern=CLIP_ID)
    language: str = Field(pattern=r"^[a-z]{3}$")
    frames: int = Field(ge=1, le=MAX_FRAMES)
    identity: str


class _Part(StrictModel):
    """``part-NNNN.json``."""

    clips: list[_Clip]


class GeneratedCorpus:
    """What :func:`generate_corpus` wrote; a :class:`~mtbench.reference_model.corpora.corpus.Corpus`.

    Parameters
    ----------
    root : Path
        The folder.

    Raises
    ------
    UsageError
        Where the folder holds no finished corpus.
    """

    topology = OPENHEAD.name

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        try:
            request = _Request.model_validate_json((self.root / MANIFEST).read_bytes())
            parts = [
                _Part.model_validate_json((self.root / f"part-{k:04d}.json").read_bytes())
                for k in range(request.parts)
            ]
        except (OSError, ValidationError) as error:
            raise UsageError(
                f"{self.root}: no finished corpus ({error}); it is written by `mtbench reference data`, which "
                "goes on where it was stopped"
            ) from None
        self.languages = tuple(request.languages)
        self.hours, self.seed, self.version = request.hours, request.seed, request.version
        clips = [clip for part in parts for clip in part.clips]
        # Of version 1 there was none in the name, which stands in files of weights.
        version = "" if request.version == 1 else f" version {request.version},"
        self.name = f"openhead generator,{version} {request.hours:g} h, seed {request.seed}"
        self.ids = tuple(clip.id for clip in clips)
        self.language_of = tuple(clip.language for clip in clips)
        self.lengths = np.array([clip.frames for clip in clips], np.int64)
        self._identities = [clip.identity for clip in clips]
        self._part_of = np.repeat(np.arange(len(parts)), [len(part.clips) for part in parts])
        starts = [np.concatenate([[0], np.cumsum([c.frames for c in p.clips])[:-1]]) for p in parts]
        self._start = np.concatenate(starts).astype(np.int64)
        self.digest = hashlib.blake2b(request.model_dump_json().encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return len(self.ids)

    def _read(self, index: int, kind: str, per_frame: int) -> np.ndarray:
        path = self.root / f"part-{self._part_of[index]:04d}.{kind}.npy"
        array = np.load(path, mmap_mode="r")
        start = int(self._start[index]) * per_frame
        return array[start : start + int(self.lengths[index]) * per_frame]

    def audio(self, index: int) -> np.ndarray:
        """Return the sound of a clip, (640 T,) float32."""
        return self._read(index, "audio", SAMPLES_PER_FRAME).astype(np.float32) / np.float32(32768)

    def curves(self, index: int) -> np.ndarray:
        """Return the facial-unit curves of a clip, (T, U) float32."""
        return self._read(index, "curves", 1).astype(np.float32) / np.float32(_STEPS)

    def displacement(self, index: int) -> np.ndarray:
        """Return (T, 3 V) float32 metres from the speaker's resting face."""
        from mtbench.faces import load_head

        face = self.template(index)
        vertices = load_head().pose(self.curves(index), face)
        return (vertices - face).reshape(len(vertices), -1)

    def template(self, index: int) -> np.ndarray:
        """Return the speaker's resting face, (V, 3) float32 metres."""
        return _face(self._identities[index])


@lru_cache(maxsize=32)
def _face(identity: str) -> np.ndarray:
    from mtbench.faces import load_head

    return load_head().identity(identity)


def generate_corpus(
    out: str | Path,
    hours: float,
    seed: int = 1,
    languages: Sequence[str] | None = None,
    workers: int = 1,
) -> GeneratedCorpus:
    """Write a corpus of generated speech and motion, or go on with one that was stopped.

    Parameters
    ----------
    out : path
        Folder; parts that are there already are kept.
    hours : float
        Least number of hours; the last part is complete.
    seed : int
        The clips follow from it, whatever *hours* and *workers*.
    languages : sequence of str, optional
        Names or codes, the twenty by default; all equally often.
    workers : int
        Processes.

    Raises
    ------
    UsageError
        For unknown languages, or a folder that holds another corpus, or one of an earlier version.
    PrerequisiteError
        Without the extra ``[synth]``.
    """
    codes = [language_code(name) for name in languages] if languages else list(LANGUAGES)
    if len(set(codes)) != len(codes):
        raise UsageError(f"languages {', '.join(codes)}: one is named twice")
    folder = Path(out)
    make_folder(folder)
    _claim(folder, {"version": CORPUS_VERSION, "seed": seed, "languages": codes})
    frames, done = hours * 3600 * FPS, 0
    pool = start_pool(workers) if workers > 1 else None
    try:
        number = 0
        while frames > 0:
            # A round of parts at a time: how many are needed follows from what they turn out to hold.
            round_ = list(range(number, number + workers))
            tasks = [(folder, k, seed, tuple(codes)) for k in round_]
            for size in pool.map(_make_part, tasks) if pool else map(_make_part, tasks):
                if frames > 0:
                    frames, done = frames - size, done + 1
            number += len(round_)
            log.info("part %d  %.2f of %g hours", done, hours - max(0.0, frames) / 3600 / FPS, hours)
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    request = _Request(version=CORPUS_VERSION, hours=hours, seed=seed, languages=codes, parts=done)
    write_atomically(folder / MANIFEST, request.model_dump_json(by_alias=True).encode())
    return GeneratedCorpus(folder)


def _claim(folder: Path, wanted: dict[str, object]) -> None:
    """Write what the folder's clips follow from, or check that it is what was begun there."""
    mark = folder / REQUEST
    if mark.is_file() and (held := json.loads(mark.read_text("utf-8"))) != wanted:
        if held.get("version") != CORPUS_VERSION:
            raise UsageError(
                f"{folder}: holds a corpus of version {held.get('version')}, whose clips move otherwise than those of "
                f"version {CORPUS_VERSION}, which is made today; give another folder"
            )
        raise UsageError(f"{folder}: holds a corpus of another seed or other languages; give another folder")
    write_atomically(mark, json.dumps(wanted).encode())


@lru_cache(maxsize=1)
def _source() -> UtteranceSource:
    from mtbench.synth import UtteranceSource

    return UtteranceSource()


def _make_part(task: tuple[Path, int, int, tuple[str, ...]]) -> int:
    """Write a part unless it is there, and return its frames."""
    folder, number, seed, languages = task
    listing = folder / f"part-{number:04d}.json"
    if listing.is_file():
        return sum(clip.frames for clip in _Part.model_validate_json(listing.read_bytes()).clips)
    clips, sounds, curves = [], [], []
    for k in range(number * PART, (number + 1) * PART):
        clip, sound, motion = _make_clip(k, seed, languages[k % len(languages)])
        clips.append(clip)
        sounds.append(sound)
        curves.append(motion)
    _write_array(listing.with_suffix(".audio.npy"), np.concatenate(sounds))
    _write_array(listing.with_suffix(".curves.npy"), np.concatenate(curves))
    write_atomically(listing, _Part(clips=clips).model_dump_json().encode())
    return sum(clip.frames for clip in clips)


def _make_clip(number: int, seed: int, language: str) -> tuple[_Clip, np.ndarray, np.ndarray]:
    """Return a clip, its sound (640 T,) int16 and its curves (T, U) uint16."""
    from mtbench.faces import load_head
    from mtbench.speech import to_pcm16
    from mtbench.synth import EVERYDAY, animate_varied, pad_speech, set_level

    rng = np.random.Generator(np.random.PCG64([seed, 17, number]))
    while True:
        speech = _source().draw(rng, language, float(rng.uniform(*SECONDS)))
        if len(speech.audio) <= 2 * SECONDS[1] * 16_000 and np.abs(speech.audio).max() > 0:
            break
    rest = -len(speech.audio) % SAMPLES_PER_FRAME
    speech = set_level(pad_speech(speech, 0.0, rest / 16_000) if rest else speech)
    seconds, drawn = len(speech.audio) / 16_000, int(rng.integers(2**31))
    curves = animate_varied(speech.phones, seconds, EVERYDAY, FPS, drawn)
    identity = str(rng.choice(np.array(load_head().identity_names)))
    clip = _Clip(id=f"{language}-{number:06d}", language=language, frames=len(curves), identity=identity)
    return clip, to_pcm16(speech.audio), np.round(curves * _STEPS).astype(np.uint16)


def _write_array(path: Path, array: np.ndarray) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    write_atomically(path, stream.getvalue(), durable=False)
