"""Measure what the reference model's voice gate is worth: the figures of its card and of the README.

Usage
-----
``python scripts/measure_voice_gate.py [MODEL]`` (default: the bundled weights) prints

- how much wider than the resting face's the lips' gap is, in mm, in 3 s of digital silence, hiss at -40 dB, hum and
  room tone, with and without the gate;
- the lip vertex error of speech in mm: of the first clip of each language of ``openhead-20`` by itself, and between
  twice 3 s of digital silence, all of it also in hiss at -54 dB, with and without the gate.
"""

from __future__ import annotations

import argparse

import numpy as np

from mtbench.benchmarks import load_benchmark, neutral_face
from mtbench.faces import load_head
from mtbench.metrics import sum_lve_mm
from mtbench.reference_model import load_model
from mtbench.timing import SAMPLE_RATE

BENCHMARK = "openhead-20"
QUIET = 3 * SAMPLE_RATE


def hiss(samples: int, decibels: float, seed: int = 0) -> np.ndarray:
    """(N,) white noise of this level, dB re full scale."""
    return 10 ** (decibels / 20) * np.random.default_rng(seed).normal(size=samples)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", help="model file; default: the bundled one")
    model, head = load_model(parser.parse_args().model), load_head()
    rest, lips = head.topology.neutral, head.topology.region("lips")
    print("sound without speech: gap wider than the resting face's, mm, with and without the gate")
    time = np.arange(QUIET) / SAMPLE_RATE
    brown = np.cumsum(hiss(QUIET, 0))
    room = 0.003 * (brown - brown.mean()) / brown.std() + 0.001 * np.sin(2 * np.pi * 100 * time)
    sounds = {
        "digital silence": 0 * time,
        "hiss, -40 dB": hiss(QUIET, -40),
        "hum, 50 Hz": 0.01 * np.sin(2 * np.pi * 50 * time),
        "room tone": room + hiss(QUIET, -66, 1),
    }
    for name, sound in sounds.items():
        made = [
            np.asarray(model.predict(sound.astype(np.float32), rest, "eng", gate=g)) for g in (True, False)
        ]
        wider = [1000 * (head.lip_gap(m) - head.lip_gap(rest)).max(-1).mean() for m in made]
        print(f"{name:18} {wider[0]:6.2f} {wider[1]:6.2f}")

    bench = load_benchmark(BENCHMARK)
    clips = list({clip.language: clip for clip in reversed(bench.clips)}.values())
    print(
        f"speech of {len(clips)} clips of {BENCHMARK}@{bench.version}: lip vertex error, mm, with and without the gate"
    )
    errors: dict[str, list[list[float]]] = {}
    for clip in clips:
        face, quiet = np.asarray(neutral_face(clip), np.float32), np.zeros(QUIET, np.float32)
        padded = np.concatenate([quiet, clip.audio, quiet])
        cases = {
            "by itself": (clip.audio, 0),
            "between silences": (padded, 75),
            "in hiss, -54 dB": ((padded + hiss(len(padded), -54)).astype(np.float32), 75),
        }
        for name, (sound, start) in cases.items():
            row = []
            for gate in (True, False):
                made = np.asarray(
                    model.predict(sound, face, clip.language, clip.frames + 2 * start, gate=gate)
                )
                speech = made[start : start + clip.frames]
                row.append(float(sum_lve_mm(speech, clip.motion.vertices, lips)) / clip.frames)
            errors.setdefault(name, []).append(row)
    for name, rows in errors.items():
        gated, without = np.mean(rows, 0)
        print(f"{name:18} {gated:6.2f} {without:6.2f}")


if __name__ == "__main__":
    main()
