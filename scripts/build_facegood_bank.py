"""Build a motion bank from the captured word lists of FACEGOOD-Audio2Face.

Usage
-----
``python scripts/build_facegood_bank.py SOURCE OUT [--words FILE]``: SOURCE is a folder with ``2_0N.npz`` (``weights``
(T, 116) at 30 fps), ``2_0N.flac`` and ``names.txt``. Needs the extras ``[judge]`` and ``[synth]``.

Each recording is a list of a hundred words with silence between, so the sound itself says when each word begins and
ends. What the words are stands in ``facegood_words.tsv`` beside this script, as Whisper-base heard them (the most
probable of common two-character words, among hypotheses of a beam search on each word and on half a minute at once);
some are wrong, mostly by a phone or two. Phones are espeak-ng's reading, their times its pace stretched to the word and
mended by what the first bundled recognizer hears.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from mtbench.avsr.openhead import OpenheadAV, align_phones, find_bundled
from mtbench.banks import BankWriter, fill_pauses
from mtbench.benchmarks import PAUSE, PhoneTime
from mtbench.faces import load_head
from mtbench.speech import load_audio
from mtbench.synth import Espeak, Voice
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

RIG_FPS = 30
#: Seconds of silence before the sound: the rig's frames are of moments (frame i of i/30 s, where opening and loudness
#: agree best), a bank's are of intervals, half a frame later.
DELAY = 1 / (2 * RIG_FPS)
LANGUAGE, SPEAKER = "cmn", "facegood"
DEVELOPMENT = ("2_05",)
WORDS = Path(__file__).with_name("facegood_words.tsv")
#: Seconds that lips move before a word is heard, for which an initial closure is given.
CLOSURE = 0.05
_STOPS = frozenset("pbtdkɡcɟqʔ")

#: What each unit of the rig is in units of the bundled head. The jaw's drop, rounding and the lips' rise and fall carry
#: nearly all of the speech in these recordings; the rig's tongue never moves.
RIG: dict[str, dict[str, float]] = {
    "mouth_stretch_c": {"jawOpen": 1.0},
    "mouth_oh_c": {"mouthFunnel": 0.4, "mouthPucker": 0.4},
    "mouth_oo_c": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    "mouth_chinRaise_u": {"mouthShrugUpper": 1.0},
    "jaw_thrust_c": {"jawForward": 1.0},
    "jaw_sideways_l": {"jawLeft": 1.0},
    "jaw_sideways_r": {"jawRight": 1.0},
    **{f"mouth_funnel_{place}": {"mouthFunnel": 0.25} for place in ("dl", "dr", "ul", "ur")},
    **{f"mouth_pucker_{side}": {"mouthPucker": 0.5} for side in "lr"},
    **{f"mouth_suck_d{side}": {"mouthRollLower": 0.5} for side in "lr"},
    **{f"mouth_suck_u{side}": {"mouthRollUpper": 0.5} for side in "lr"},
}
#: Units of the rig that have a side, by what they are on that side.
SIDED = {
    "mouth_lipCornerPull": "mouthSmile",
    "mouth_lipStretch": "mouthStretch",
    "mouth_lowerLipDepress": "mouthLowerDown",
    "mouth_upperLipRaise": "mouthUpperUp",
    "mouth_press": "mouthPress",
    "mouth_dimple": "mouthDimple",
    "mouth_lipCornerDepress": "mouthFrown",
    "nose_wrinkle": "noseSneer",
}


def map_rig(weights: np.ndarray, names: list[str]) -> np.ndarray:
    """Return curves (T, U) float32 of the bundled head for weights (T, 116) of the rig."""
    head = load_head()
    table = dict(RIG)
    for rig, unit in SIDED.items():
        table |= {f"{rig}_l": {f"{unit}Left": 1.0}, f"{rig}_r": {f"{unit}Right": 1.0}}
    curves = np.zeros((len(weights), len(head.unit_names)), np.float32)
    for rig, units in table.items():
        for unit, gain in units.items():
            curves[:, head.unit_index(unit)] += np.float32(gain) * weights[:, names.index(rig)]
    return np.clip(curves, 0, 1.5)


def read_words(path: Path) -> dict[str, list[tuple[float, float, str]]]:
    """Return start, end and text of the words of each recording."""
    words: dict[str, list[tuple[float, float, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            entry = (float(row["start"]), float(row["end"]), row["word"])
            words.setdefault(row["recording"], []).append(entry)
    return words


def time_phones(
    sound: np.ndarray, words: list[tuple[float, float, str]], judge: OpenheadAV, engine: Espeak
) -> tuple[PhoneTime, ...]:
    """Return the timed phones of a recording."""
    seconds = len(sound) / SAMPLE_RATE
    padded = np.zeros(-(-len(sound) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME, np.float32)
    padded[: len(sound)] = sound
    heard = judge.log_probs(None, [padded], LANGUAGE)[0]
    classes = {phone: i + 1 for i, phone in enumerate(judge.phones)}
    spoken: list[PhoneTime] = []
    for start, end, word in words:
        said = [
            PhoneTime(p.symbol, p.start, p.end, p.release)
            for p in engine.speak(word, Voice(LANGUAGE, "m1")).phones
            if p.symbol != PAUSE
        ]
        if said[0].symbol in _STOPS:
            start -= CLOSURE  # a closure is silent: the sound begins when it opens
        spoken += align_phones(heard, [classes[p.symbol] for p in said], said, start, end)
    return fill_pauses(spoken, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with 2_0N.npz, 2_0N.flac, names.txt")
    parser.add_argument("out", type=Path, help="folder of the bank")
    parser.add_argument("--words", type=Path, default=WORDS, help=f"words with times (default {WORDS.name})")
    arguments = parser.parse_args()
    build(arguments.source, arguments.out, read_words(arguments.words))


def build(source: Path, out: Path, words: dict[str, list[tuple[float, float, str]]]) -> None:
    names = (source / "names.txt").read_text("utf-8").split()
    # Whatever the bundled version is by now: the same bank is made of the same recordings.
    judge, engine = OpenheadAV.load(find_bundled("1")), Espeak()
    bank = BankWriter(
        out,
        "facegood",
        "MIT",
        "FACEGOOD-Audio2Face, copyright (c) 2022-2032 The FACEGOOD Authors, "
        "https://github.com/FACEGOOD/FACEGOOD-Audio2Face",
        notes="Words as Whisper-base heard them, phones espeak-ng's reading, times from the sound and openhead-av.",
        speakers={SPEAKER: "one speaker, capture cleaned by artists, 116 units mapped to the bundled head's"},
    )
    for recording, spoken in sorted(words.items()):
        sound = load_audio(source / f"{recording}.flac")
        sound = np.concatenate([np.zeros(round(DELAY * SAMPLE_RATE), np.float32), sound])
        weights = np.load(source / f"{recording}.npz")["weights"]
        frames = min(len(weights), round(len(sound) / SAMPLE_RATE * RIG_FPS) + 1)
        split = "development" if recording in DEVELOPMENT else "train"
        curves = map_rig(weights[:frames], names)
        spoken = [(start + DELAY, end + DELAY, word) for start, end, word in spoken]
        phones = time_phones(sound, spoken, judge, engine)
        bank.add(recording, SPEAKER, LANGUAGE, sound, {"units": curves}, phones, RIG_FPS, split)
        print(f"{recording}: {len(sound) / SAMPLE_RATE:.1f} s, {len(spoken)} words, {split}")
    bank.finish()
    print(f"{out}: check it with: mtbench avsr check-bank {out}")


if __name__ == "__main__":
    main()
