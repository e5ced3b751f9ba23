"""Training examples made on the fly: synthetic speech, articulation, and mouth crops of the bundled head.

A batch is a pure function of (seed, batch number): its languages, texts, voices, speakers' ways of articulating,
identities, poses, lights, noises and signal-to-noise ratios all come from generators seeded with them. Any number
of worker processes makes the same batches, and training resumes exactly after a kill. Speech and pictures cost more
than mixing, so every set of utterances serves two batches, some time apart, with other noises and modalities.

Only training texts, training voices and training articulation settings are ever drawn: test sentences, test
voices, noise voices and the held-out articulation setting stay unseen. Where motion banks are given, a share of the
utterances is people's: their sound, and their articulation on faces drawn as for the others. What is generated beside
them draws from the same generators as without, and without a bank every batch is the same to the byte.

Conventions
-----------
Mouth crops (T, 96, 96) uint8, audio (640 T,) float32 at 16 kHz, phone classes as in the recognizer (0 = blank).
Needs the ``[synth]`` extra.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.openhead.acoustics import change_channel, change_vocal_tract, mix
from mtbench.avsr.openhead.features import CROP
from mtbench.timing import FPS, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.banks import ExcerptSource
    from mtbench.benchmarks import PhoneTime
    from mtbench.faces import Head, MouthMesh
    from mtbench.synth import Phone, Speech

#: Seconds; longer utterances cost more than they teach.
MIN_SECONDS, MAX_SECONDS = 1.2, 3.8
#: How often a language is drawn, where that is not once: those that are hard to tell apart by ear and eye need
#: more examples, easy ones fewer, so that the judge is about as good in all of them.
LANGUAGE_WEIGHTS = {
    "rus": 5.0, "ita": 5.0, "ara": 2.2, "por": 1.6, "hin": 1.6, "pol": 1.4, "cat": 1.2, "deu": 0.8, "ces": 0.7,
    "ell": 0.6, "spa": 0.6, "jpn": 0.6, "tha": 0.3,
}  # fmt: skip
#: Sets between the first and the second use of a set of utterances.
REUSE_LAG = 8


@dataclass(frozen=True)
class Utterance:
    """One clip of a batch.

    Attributes
    ----------
    crops : (T, 96, 96) uint8
        Mouth crops.
    audio : (640 T,) float32
        Clean speech.
    labels : (n,) int64
        Phone classes in order.
    frames : (2 T,) int64
        Phone class of each 20-ms frame, 0 in pauses.
    language : str
        ISO 639-3.
    """

    crops: np.ndarray
    audio: np.ndarray
    labels: np.ndarray
    frames: np.ndarray
    language: str


@dataclass(frozen=True)
class View:
    """One acoustic condition of an utterance of the batch.

    Attributes
    ----------
    utterance : int
        Position in the batch.
    audio : (640 T,) float32
        Mixture.
    keep_visual, keep_acoustic : bool
        Modality dropout.
    """

    utterance: int
    audio: np.ndarray
    keep_visual: bool
    keep_acoustic: bool


@dataclass(frozen=True)
class Batch:
    """Utterances with several views each."""

    number: int
    utterances: tuple[Utterance, ...]
    views: tuple[View, ...]


class BatchGenerator:
    """Makes batches from a seed.

    Parameters
    ----------
    seed : int
        Of the whole training.
    size : int
        Utterances per batch; each has two views.
    languages : sequence of str
        ISO 639-3 codes to draw from.
    phones : sequence of str
        Inventory; class of phone *i* is *i + 1*.
    flame : float
        Share of the faces that is rendered on the registered FLAME template.
    captured : ExcerptSource, optional
        Motion banks to draw from too.
    captured_share : float
        Share of the utterances that is drawn from them.

    Raises
    ------
    PrerequisiteError
        If FLAME is asked for and none is registered.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        languages: tuple[str, ...],
        phones: tuple[str, ...],
        flame: float = 0.0,
        captured: ExcerptSource | None = None,
        captured_share: float = 0.0,
    ) -> None:
        from mtbench.faces import load_head
        from mtbench.synth import UtteranceSource

        self.seed, self.size = seed, size
        self.languages = languages
        weights = np.array([LANGUAGE_WEIGHTS.get(code, 1.0) for code in languages])
        self._shares = weights / weights.sum()
        self._class = {p: i + 1 for i, p in enumerate(phones)}
        self._head = load_head()
        self._flame = flame
        self._captured, self._captured_share = captured, captured_share
        if flame:
            from mtbench.synth import load_transferred_head

            self._flame_head = load_transferred_head()
        self._source = UtteranceSource()
        self._sets: OrderedDict[int, tuple[Utterance, ...]] = OrderedDict()

    def make(self, number: int) -> Batch:
        """Return batch *number*."""
        utterances = self._utterances(number // 2 if number % 2 == 0 else max(0, number // 2 - REUSE_LAG))
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, number]))
        speeches = [u.audio for u in utterances]
        views = []
        for i, utterance in enumerate(utterances):
            others = [s for j, s in enumerate(speeches) if j != i]
            clean = change_channel(utterance.audio, rng)
            # One view mostly listens and looks through heavy noise; the other covers every other way of use.
            hard = None if rng.random() < 0.12 else rng.uniform(-13, 0)
            views.append(View(i, mix(rng, clean, others, hard), True, True))
            kind = rng.random()
            if kind < 0.35:
                snr = None if rng.random() < 0.65 else rng.uniform(-8, 20)
                views.append(View(i, mix(rng, clean, others, snr), False, True))
            elif kind < 0.52:
                views.append(View(i, clean, True, False))
            else:
                snr = None if rng.random() < 0.6 else rng.uniform(-5, 20)
                views.append(View(i, mix(rng, clean, others, snr), True, True))
        return Batch(number, utterances, tuple(views))

    def _utterances(self, number: int) -> tuple[Utterance, ...]:
        """Return set *number*; of about the same length, so that little is padded."""
        if number not in self._sets:
            rng = np.random.Generator(np.random.PCG64([self.seed, 1, number]))
            seconds = rng.uniform(MIN_SECONDS + 0.3, MAX_SECONDS - 0.4)
            captured = self._draw_captured(number, seconds)
            drawn = [None if i in captured else self._draw(rng, seconds) for i in range(self.size)]
            self._sets[number] = tuple(
                captured[i] if d is None else self._make_utterance(rng, *d) for i, d in enumerate(drawn)
            )
            while len(self._sets) > REUSE_LAG + 2:
                self._sets.popitem(last=False)
        return self._sets[number]

    def _draw_captured(self, number: int, seconds: float) -> dict[int, Utterance]:
        """Draw people's utterances of set *number*, by their places in it; none without a motion bank."""
        if self._captured is None:
            return {}
        rng = np.random.Generator(np.random.PCG64([self.seed, 3, number]))
        places = np.flatnonzero(rng.random(self.size) < self._captured_share)
        found = {}
        for place in places.tolist():
            excerpt = self._captured.draw(rng, seconds)
            crops = self._render(rng, excerpt.curves)
            labels, frames = self._label(excerpt.phones, len(excerpt.curves))
            found[place] = Utterance(crops, excerpt.sound, labels, frames, excerpt.language)
        return found

    def _draw(self, rng: np.random.Generator, seconds: float) -> tuple[Speech, str]:
        """Draw speech of about *seconds* in a random language."""
        while True:
            language = self.languages[int(rng.choice(len(self.languages), p=self._shares))]
            for _ in range(4):
                speech = self._source.draw(rng, language, seconds)
                if rng.random() < 0.6:
                    speech = change_vocal_tract(speech, rng)
                length = len(speech.audio) / 16_000
                if MIN_SECONDS <= length <= MAX_SECONDS and abs(length - seconds) < 0.7:
                    return speech, language

    def _make_utterance(self, rng: np.random.Generator, speech: Speech, language: str) -> Utterance:
        from mtbench.synth import TRAINING, animate, perturbed

        t = -(-len(speech.audio) // SAMPLES_PER_FRAME)
        audio = np.zeros(t * SAMPLES_PER_FRAME, np.float32)
        audio[: len(speech.audio)] = speech.audio
        setting = perturbed(TRAINING[rng.integers(len(TRAINING))], rng)
        curves = animate(speech.phones, t / FPS, setting, seed=int(rng.integers(2**31)))
        crops = self._render(rng, curves)
        labels, frames = self._label(speech.phones, t)
        return Utterance(crops, audio, labels, frames, language)

    def _render(self, rng: np.random.Generator, curves: np.ndarray) -> np.ndarray:
        """Return (T, 96, 96) uint8 mouth crops of a random speaker, on the FLAME template now and then."""
        head = self._flame_head if self._flame and rng.random() < self._flame else self._head
        return render_speaker(rng, head, curves)

    def _label(self, phones: Sequence[Phone | PhoneTime], t: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of *phones* in order, and that of each 20-ms frame of *t* video frames; pauses are 0."""
        labels = [self._class[p.symbol] for p in phones if p.symbol in self._class]
        frames = np.zeros(2 * t, np.int64)
        for p in phones:
            if p.symbol in self._class:
                first = round(p.start * 50)
                frames[first : max(round(p.end * 50), first + 1)] = self._class[p.symbol]
        return np.asarray(labels, np.int64), frames


def render_speaker(rng: np.random.Generator, head: Head, curves: np.ndarray) -> np.ndarray:
    """Render facial-unit curves on a random speaker.

    Parameters
    ----------
    rng : Generator
        Draws identity, teeth and tongue or none, clay or skin, pose, light, framing and sensor noise.
    head : Head
        The bundled head.
    curves : (T, U) float32
        Facial units at 25 fps.

    Returns
    -------
    (T, 96, 96) uint8
        Gray mouth crops.
    """
    from mtbench.renderers import crop_matrices, render_gray_bulk

    t = len(curves)
    identity = head.random_identity(rng)
    clay = rng.random() < 0.3
    teeth = rng.random() < (0.5 if clay else 0.9)
    mesh = _mouth_mesh(head, teeth, bool(teeth and rng.random() < 0.9))
    # The head turns before the camera; carrying the turn in the camera's matrix spares turning every vertex, and
    # the lights, drawn at random, turn with the head.
    turn = np.zeros((t, 4, 4))
    turn[:, :3, :3], turn[:, 3, 3] = draw_head_turns(rng, t), 1.0
    vertices = head.pose(curves, identity, mesh.vertices)
    landmarks = head.pose(curves, identity, head.topology.landmarks)
    if rng.random() < 0.3:
        _ruffle(rng, head, mesh.vertices, vertices, landmarks)
    matrices = crop_matrices(landmarks @ turn[:, :3, :3].transpose(0, 2, 1), CROP) @ turn
    jitter = np.eye(4)
    scale, roll = rng.uniform(0.92, 1.08), rng.normal(0, 0.03)
    jitter[:2, :2] = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    jitter[:2, 3] = rng.uniform(-0.06, 0.06, 2)
    albedo = draw_albedo(rng, mesh.albedo, mesh.oral, clay)
    lights = []
    for strength in (rng.uniform(0.35, 0.7), rng.uniform(0.0, 0.35)):
        lights.append((rng.normal(0, 0.6), rng.normal(0.3, 0.4), 1.0, strength))
    images = render_gray_bulk(
        mesh.triangles,
        vertices,
        jitter @ matrices,
        albedo,
        tuple(lights),
        ambient=rng.uniform(0.25, 0.5),
        background=rng.uniform(0, 1),
        oral=rng.uniform(0.02, 0.12),
        size=CROP,
        flat=clay and rng.random() < 0.2,
    )
    return degrade(rng, images)


def _ruffle(
    rng: np.random.Generator, head: Head, chosen: np.ndarray, vertices: np.ndarray, landmarks: np.ndarray
) -> None:
    """Add noise to the upper face, in place: what it does there says nothing, and the crop must not hang on it."""
    upper = head.topology.region("upper_face")
    strength = rng.uniform(0.0, 4e-3)
    for indices, points in ((chosen, vertices), (head.topology.landmarks, landmarks)):
        moved = np.isin(indices, upper)
        points[:, moved] += strength * rng.standard_normal((len(points), int(moved.sum()), 3))


@lru_cache(maxsize=4)
def _mouth_mesh(head: Head, teeth: bool, tongue: bool) -> MouthMesh:
    return head.mouth_mesh(teeth, tongue)


def draw_head_turns(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Draw slow head rotations: (T, 3, 3), within about ten degrees."""
    base = rng.normal(0, np.radians(4), 3)
    sway = rng.normal(0, np.radians(1.5), 3) * np.sin(
        2 * np.pi * (rng.uniform(0.1, 0.5, 3) * np.arange(frames)[:, None] / FPS + rng.random(3))
    )
    x, y, z = np.clip(base + sway, -np.radians(12), np.radians(12)).T
    one, zero = np.ones(frames), np.zeros(frames)
    rx = np.stack([one, zero, zero, zero, np.cos(x), -np.sin(x), zero, np.sin(x), np.cos(x)], -1).reshape(
        -1, 3, 3
    )
    ry = np.stack([np.cos(y), zero, np.sin(y), zero, one, zero, -np.sin(y), zero, np.cos(y)], -1).reshape(
        -1, 3, 3
    )
    rz = np.stack([np.cos(z), -np.sin(z), zero, np.sin(z), np.cos(z), zero, zero, zero, one], -1).reshape(
        -1, 3, 3
    )
    return rz @ ry @ rx


def draw_albedo(rng: np.random.Generator, albedo: np.ndarray, oral: np.ndarray, clay: bool) -> np.ndarray:
    """Draw gray base colors (n,) float32: clay, or the mesh's own with random skin tone and lip contrast."""
    if clay:
        gray = np.full(len(albedo), rng.uniform(0.45, 0.9))
    else:
        gray = albedo @ np.array([0.299, 0.587, 0.114])
        skin = np.median(gray)
        gray = rng.uniform(0.25, 0.85) * (skin + rng.uniform(0.3, 1.5) * (gray - skin)) / skin
    gray = np.where(oral, rng.uniform(0.03, 0.14), gray)
    return np.clip(gray, 0.02, 1.0).astype(np.float32)


def degrade(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Apply gain, offset, blur and sensor noise to (T, H, W) uint8 *images*."""
    x = images.astype(np.float32)
    if rng.random() < 0.35:
        a = rng.uniform(0.05, 0.25)
        x[:, 1:-1] = (1 - 2 * a) * x[:, 1:-1] + a * (x[:, :-2] + x[:, 2:])
        x[:, :, 1:-1] = (1 - 2 * a) * x[:, :, 1:-1] + a * (x[:, :, :-2] + x[:, :, 2:])
    x = x * rng.uniform(0.7, 1.25) + rng.uniform(-20, 20)
    if rng.random() < 0.5:
        x += rng.normal(0, rng.uniform(0.5, 5), x.shape).astype(np.float32)
    return np.clip(x, 0, 255).astype(np.uint8)
