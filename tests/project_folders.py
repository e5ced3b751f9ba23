"""Made-up results in the layouts of other projects, on a made-up benchmark; the same motion submitted directly.

Motion is a function of time, so that each project gets it at its own rate, and the right score follows from the
motion without an importer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from factories import face, make_benchmark, manifest

from mtbench import load_benchmark, score
from mtbench.faces.flame_lists import index_lists

#: Two speakers; the ids are what VOCASET's are made of.
CLIPS = {
    "FaceTalk_1_TA_sentence01": ("eng", 30),
    "FaceTalk_1_TA_sentence02": ("eng", 26),
    "FaceTalk_2_TA_sentence01": ("eng", 33),
}
SPEAKERS = ("FaceTalk_1_TA", "FaceTalk_2_TA")
#: All speakers have one face here, as the benchmark's ground truth has.
FACE = face()
LIPS = index_lists()["regions"]["lips"]


def make_bench(folder: Path) -> Path:
    return make_benchmark(folder, clips=CLIPS)


def motion(clip: str, fps: float, condition: str = "") -> np.ndarray:
    """(T, 5023, 3) float32 metres: lips that open and close, and a head that nods, as *condition* has it."""
    seconds = CLIPS[clip][1] * 640 / 16000 - 100 / 16000
    frames = CLIPS[clip][1] if fps == 25 else int(seconds * fps)
    times = (np.arange(frames) + 0.5) / fps
    rng = np.random.default_rng([sorted(CLIPS).index(clip), *condition.encode()])
    moved = np.zeros((len(times), *FACE.shape))
    moved[:, LIPS, 1] = 0.004 * np.sin(2 * np.pi * rng.uniform(1, 3) * times)[:, None]
    moved[:, :, 2] += 0.002 * np.sin(2 * np.pi * rng.uniform(0.3, 1) * times)[:, None]
    return (FACE + moved).astype(np.float32)


def submit(folder: Path, fps: float, condition: str = "", moves=motion) -> Path:
    """The same motion as a submission that nobody imported."""
    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(manifest(system="direct", fps=fps))
    for clip in CLIPS:
        np.savez(folder / "motion" / f"{clip}.npz", vertices=moves(clip, fps, condition))
    return folder


def measure(entry: Path, bench: Path, cache: Path) -> dict[str, float]:
    """Every number of the geometry of a submission."""
    run = score(entry, load_benchmark(bench), recognizer=None, cache=cache)
    names = ("lve_mm", "lve_sq_m2", "lve_centred_mm", "mve_mm")
    return {name: run.estimate(name, language="all", aggregation="frame") for name in names}
