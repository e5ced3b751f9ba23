"""Build a motion bank from videos of the GRID corpus.

Usage
-----
``python scripts/build_grid_bank.py SOURCE OUT [--development CLIP ...]``: SOURCE is a folder of ``.mpg`` files whose
names spell their sentences. Needs the extras ``[judge]``, ``[video]`` and ``[synth]``, and the landmark detector of
:mod:`mtbench.avsr.evaluation.recordings` (``pip install dlib-bin face-recognition-models``, or its ``.dat`` file in
``$MTBENCH_LANDMARKS``). Takes about ten seconds a clip.

Faces are found in the video, then once more in the face alone at three times the size, since the detector answers in
whole pixels and a mouth has but forty. The head is held still in the plane by nose and corners of the eyes; units of
the bundled head are fitted to the lips as they are seen from the front, so depth is left to the units. Texts follow
from the names; phones are espeak-ng's reading, their times its pace stretched to where somebody speaks and mended by
what the first bundled recognizer hears.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mtbench.avsr.evaluation.recordings import find_landmarks, read_frames
from mtbench.avsr.openhead import OpenheadAV, align_phones, find_bundled
from mtbench.banks import BankWriter, fill_pauses, units_from_lips
from mtbench.benchmarks import PAUSE, PhoneTime
from mtbench.errors import UsageError
from mtbench.faces import load_head
from mtbench.speech import load_audio
from mtbench.synth import Espeak, Voice
from mtbench.synth.real_speech import LANGUAGE, spell_out
from mtbench.timing import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME

#: Words that the engine reads otherwise than the speakers of the corpus: the letter a, which it takes for the article.
SPOKEN = {"a": "eigh"}
#: How many times larger the face is shown to the detector, and how much of it around the landmarks.
ENLARGED, AROUND = 3, 0.35
#: Points that speech does not move: bridge and base of the nose, corners of the eyes.
STEADY = (27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45)
CHIN = 8
#: Inner lips, upper and lower, from left to right.
INNER = ((61, 67), (62, 66), (63, 65))
SMOOTHNESS = 8.0
#: Millimetres on the bundled head by which inner lips are further apart than at rest: up to the first sealed, from the
#: second on open. Wider than for captures in three dimensions: the detector sees lips that touch a pixel apart.
SEALED, OPEN = 1.5, 2.6
#: Speech is what is louder than this part of the way, in decibels, from the recording's noise to its loud moments; it
#: is given some seconds before that for a first closure or a faint onset.
AUDIBLE, ONSET = 0.4, 0.06
LOOSE = 0.12


def track(video: Path) -> np.ndarray:
    """Return (T, 68, 2) landmarks in pixels of the video, y down, without gaps."""
    frames = read_frames(video)
    coarse = fill_gaps(find_landmarks(frames), video)
    low, high = coarse.min((0, 1)), coarse.max((0, 1))
    margin = AROUND * (high - low)
    first = np.maximum(np.floor(low - margin), 0).astype(int)
    last = np.minimum(np.ceil(high + margin), frames.shape[2:0:-1]).astype(int)
    faces = enlarge(frames[:, first[1] : last[1], first[0] : last[0]], ENLARGED)
    return fill_gaps(find_landmarks(faces), video) / ENLARGED + first


def enlarge(frames: np.ndarray, factor: int) -> np.ndarray:
    """Return (T, H, W, 3) uint8 pictures *factor* times as large."""
    import av

    height, width = (n * factor for n in frames.shape[1:3])
    return np.stack(
        [
            av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            .reformat(width=width, height=height, interpolation="BICUBIC")
            .to_ndarray()
            for frame in frames
        ]
    )


def fill_gaps(points: np.ndarray, video: Path) -> np.ndarray:
    """Interpolate where no face was found."""
    there = ~np.isnan(points).any((1, 2))
    if there.mean() < 0.8:
        raise UsageError(
            f"{video}: a face was found in {there.mean():.0%} of the frames, expected nearly all"
        )
    moments = np.arange(len(points))
    flat = points.reshape(len(points), -1)
    columns = [np.interp(moments, moments[there], column[there]) for column in flat.T]
    return np.stack(columns, 1).reshape(points.shape)


def hold_still(points: np.ndarray) -> np.ndarray:
    """Turn, scale and shift each frame so that its steady points lie on their mean; x + iy, y up, (T, 68) complex."""
    flat = points[..., 0] - 1j * points[..., 1]
    steady = flat[:, STEADY]
    mean = steady[0]
    for _ in range(3):
        centered = steady - steady.mean(1, keepdims=True)
        target = mean - mean.mean()
        turn = (centered.conj() * target).sum(1) / (np.abs(centered) ** 2).sum(1)
        held = (flat - steady.mean(1, keepdims=True)) * turn[:, None] + mean.mean()
        mean = held[:, STEADY].mean(0)
    eyes = mean[[STEADY.index(45), STEADY.index(36)]]
    level = (eyes[0] - eyes[1]) / abs(eyes[0] - eyes[1])
    return held / level


def fit_units(points: np.ndarray) -> np.ndarray:
    """Return curves (T, U) of the bundled head for (T, 68, 2) landmarks of somebody who looks forward."""
    held = hold_still(points)
    gap = np.mean([np.abs(held[:, a] - held[:, b]) for a, b in INNER], 0)
    smooth = np.convolve(np.pad(gap, 1, "edge"), [0.25, 0.5, 0.25], "valid")
    # At rest lips touch, and the mouth is as wide as it is in the middle of such moments.
    shut = np.flatnonzero(smooth <= np.quantile(smooth, 0.25))
    widths = np.abs(held[shut, 54] - held[shut, 48])
    shut = shut[np.abs(widths - np.median(widths)) <= np.quantile(np.abs(widths - np.median(widths)), 0.5)]
    rest = held[shut].mean(0)
    chosen = [*range(48, 68), CHIN]
    away = held[:, chosen] - rest[chosen]
    moved = np.stack([away.real, away.imag, np.zeros_like(away.real)], -1)
    width = float(abs(rest[54] - rest[48]))
    weights = np.array([1.0, 1.0, 0.0]) * np.append(np.ones(20), 0.3)[:, None]
    curves = units_from_lips(moved, width, weights, SMOOTHNESS)
    head = load_head()
    own = head.neutral[head.topology.landmarks[[5, 11]]]
    scale = float(np.linalg.norm(own[1] - own[0])) / width
    apart = (gap - np.quantile(gap, 0.05)) * scale * 1e3
    curves[:, head.unit_index("lipSeal")] = np.clip((OPEN - apart) / (OPEN - SEALED), 0, 1)
    return curves


def find_speech(sound: np.ndarray) -> tuple[float, float]:
    """Return when speech begins and ends, seconds."""
    level = np.square(sound[: len(sound) // 320 * 320]).reshape(-1, 320).mean(1)
    level = 10 * np.log10(np.convolve(level, np.ones(3) / 3, "same") + 1e-9)
    noise, peak = np.quantile(level, [0.1, 0.95])
    loud = np.flatnonzero(level > noise + AUDIBLE * (peak - noise))
    return max(loud[0] / 50 - ONSET, 0.0), (loud[-1] + 1) / 50


def time_phones(
    sound: np.ndarray, text: list[str], judge: OpenheadAV, engine: Espeak
) -> tuple[PhoneTime, ...]:
    """Return the timed phones of a sentence."""
    heard = judge.log_probs(None, [sound], LANGUAGE)[0]
    classes = {phone: i + 1 for i, phone in enumerate(judge.phones)}
    spoken = engine.speak(" ".join(SPOKEN.get(word, word) for word in text), Voice(LANGUAGE, "m1")).phones
    said = [PhoneTime(p.symbol, p.start, p.end, p.release) for p in spoken if p.symbol != PAUSE]
    start, end = find_speech(sound)
    phones = align_phones(heard, [classes[p.symbol] for p in said], said, start, end, LOOSE)
    return fill_pauses(phones, len(sound) / SAMPLE_RATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of .mpg files")
    parser.add_argument("out", type=Path, help="folder of the bank")
    parser.add_argument("--development", nargs="*", default=[], help="clips never to be trained on")
    arguments = parser.parse_args()
    build(arguments.source, arguments.out, arguments.development)


def build(source: Path, out: Path, development: list[str]) -> None:
    videos = sorted(source.glob("*.mpg"))
    if not videos:
        raise SystemExit(f"{source}: no .mpg files there")
    if lost := sorted({*development} - {video.stem for video in videos}):
        raise SystemExit(f"{source}: no {lost[0]}.mpg there, which --development names")
    # Whatever the bundled version is by now: the same bank is made of the same recordings.
    judge, engine = OpenheadAV.load(find_bundled("1")), Espeak()
    bank = BankWriter(
        out,
        "grid",
        "CC-BY-4.0",
        "GRID audiovisual sentence corpus, M. Cooke, J. Barker, S. Cunningham, X. Shao, JASA 120 (2006), 2421-2424",
        notes="Lips tracked in the video and fitted by units; phones espeak-ng's reading, times from openhead-av.",
    )
    for video in videos:
        curves = fit_units(track(video))
        sound = load_audio(video)[: len(curves) * SAMPLES_PER_FRAME]
        sound = np.pad(sound, (0, -len(sound) % SAMPLES_PER_FRAME))
        phones = time_phones(sound, list(spell_out(video.stem)), judge, engine)
        split = "development" if video.stem in development else "train"
        # Who is who is not said: every clip counts as a speaker of its own, so that none is joined with another.
        bank.add(video.stem, video.stem, LANGUAGE, sound, {"units": curves}, phones, float(FPS), split)
        print(f"{video.stem}: {len(curves)} frames, {split}", flush=True)
    bank.finish()
    print(f"{out}: check it with: mtbench avsr check-bank {out}")


if __name__ == "__main__":
    main()
