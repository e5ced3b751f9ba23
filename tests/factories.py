"""Tiny benchmarks and submissions for tests, on FLAME's vertex count but on made-up geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from mtbench.metrics import GeometrySums

CLIPS = {"ita-01": ("ita", 6), "ita-02": ("ita", 8), "eng-01": ("eng", 5)}
FLAME_SIZE = 5023
#: Nose base, eye corners, outer and inner lips of a made-up face, in the order of mtbench.faces.topology.LANDMARKS.
LANDMARKS = (
    np.array(
        [
            *[[0, -22, 60], [-45, 21, 30], [-19, 21, 36], [19, 21, 36], [45, 21, 30]],
            *[[-25, -45, 45], [-16, -40, 55], [-6, -38, 60], [0, -39, 61], [6, -38, 60], [16, -40, 55]],
            *[[25, -45, 45], [16, -50, 53], [6, -51, 58], [0, -52, 58], [-6, -51, 58], [-16, -50, 53]],
            *[[-23, -45, 44], [-6, -43, 57], [0, -43, 58], [6, -43, 57], [23, -45, 44], [5, -45, 56]],
            *[[0, -45, 56], [-5, -45, 56]],
        ]
    )
    / 1000
)


def face(n_vertices: int = FLAME_SIZE, seed: int = 0) -> np.ndarray:
    """(V, 3) float32 points with the extent of a head in metres, y up; FLAME's landmarks are where a face has them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    points = rng.normal(size=(n_vertices, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points *= np.array([0.107, 0.161, 0.115])
    if n_vertices == FLAME_SIZE:
        from mtbench.faces.flame_lists import index_lists

        points -= points.mean(axis=0)
        points[index_lists()["landmarks"]] = LANDMARKS
    return points.astype(np.float32)


def talk(
    frames: int, n_vertices: int = FLAME_SIZE, seed: int = 0, neutral: np.ndarray | None = None
) -> np.ndarray:
    """(T, V, 3) float32: a face whose points move by millimetres."""
    base = face(n_vertices) if neutral is None else neutral.astype(np.float32)
    rng = np.random.Generator(np.random.PCG64(seed + 1))
    offsets = 0.004 * np.sin(np.linspace(0, 5, frames) + rng.uniform(0, 3))
    return base[None] + offsets[:, None, None].astype(np.float32) * np.array([0, 1, 0], np.float32)


def make_benchmark(
    tmp_path: Path,
    name: str = "tiny",
    version: str = "1",
    clips: dict[str, tuple[str, int]] | None = None,
    topology: str | None = "flame-5023",
    motion: bool = True,
    noise: bool = False,
    neutral: np.ndarray | None = None,
) -> Path:
    """Write a benchmark folder ``tmp_path/name`` with tones; clips are id -> (language, frames)."""
    root = tmp_path / name
    (root / "audio").mkdir(parents=True)
    lines = ["schema = 1", f'name = "{name}"', f'version = "{version}"', "fps = 25", "sample_rate = 16000"]
    if topology:
        lines.append(f'topology = "{topology}"')
    if noise:
        (root / "noise").mkdir()
        rng = np.random.Generator(np.random.PCG64(9))
        soundfile.write(root / "noise" / "hiss.flac", 0.1 * rng.standard_normal(16000), 16000)
        lines.append('noises = "noise"')
    for seed, (clip, (language, frames)) in enumerate((clips or CLIPS).items()):
        samples = frames * 640 - 100
        tone = 0.3 * np.sin(np.arange(samples) * (0.05 + 0.01 * seed))
        soundfile.write(root / "audio" / f"{clip}.flac", tone, 16000)
        lines += [
            "[[clips]]",
            f'id = "{clip}"',
            f'language = "{language}"',
            f'transcript = "word {seed} of {clip}"',
        ]
        lines += [f'audio = "audio/{clip}.flac"', f"frames = {frames}", f'source = "source-{seed // 2}"']
        if motion and topology:
            (root / "motion").mkdir(exist_ok=True)
            count = FLAME_SIZE if neutral is None else len(neutral)
            np.savez_compressed(root / "motion" / f"{clip}.npz", vertices=talk(frames, count, seed, neutral))
            lines.append(f'motion = "motion/{clip}.npz"')
    (root / "benchmark.toml").write_text("\n".join(lines) + "\n")
    return root


def manifest(**changes: object) -> str:
    """The text of a good ``submission.toml`` with fields replaced; None leaves a field out."""
    fields: dict[str, object] = {
        "schema": 1,
        "system": "Test system",
        "benchmark": "tiny@1",
        "fps": 25,
        "unit": "m",
        "topology": "flame-5023",
        "kind": "vertices",
    }
    fields.update(changes)
    return "".join(
        f"{key} = {value!r}\n".replace("'", '"') for key, value in fields.items() if value is not None
    )


def make_submission(
    tmp_path: Path,
    name: str = "entry",
    clips: dict[str, tuple[str, int]] | None = None,
    neutral: np.ndarray | None = None,
    n_vertices: int = FLAME_SIZE,
    **changes: object,
) -> Path:
    """Write a good submission folder ``tmp_path/name``; *changes* replace manifest fields."""
    root = tmp_path / name
    (root / "motion").mkdir(parents=True)
    (root / "submission.toml").write_text(manifest(**changes))
    for seed, (clip, (_, frames)) in enumerate((clips or CLIPS).items()):
        count = n_vertices if neutral is None else len(neutral)
        np.savez(root / "motion" / f"{clip}.npz", vertices=talk(frames, count, seed + 50, neutral))
    return root


def flame_arrays(seed: int = 0, model: bool = True) -> dict[str, np.ndarray]:
    """FLAME's array names, shapes and mouth opening, with random numbers in them."""
    from mtbench.faces.flame_lists import index_lists

    rng = np.random.Generator(np.random.PCG64(seed))
    loop = index_lists()["mouth_loop"]
    arrays = {
        "v_template": face(seed=seed).astype(np.float64),
        "f": np.array([[a, b, 0] for a, b in zip(loop, [*loop[1:], loop[0]])], np.uint32),
    }
    if model:
        weights = rng.random((FLAME_SIZE, 5)) ** 4
        regressor = np.zeros((5, FLAME_SIZE))
        for row in regressor:
            row[rng.choice(FLAME_SIZE, 40, replace=False)] = 1 / 40
        arrays |= {
            "shapedirs": rng.standard_normal((FLAME_SIZE, 3, 400), np.float32) * np.float32(1e-3),
            "posedirs": rng.standard_normal((FLAME_SIZE, 3, 36), np.float32) * np.float32(1e-3),
            "J_regressor": regressor,
            "weights": weights / weights.sum(axis=1, keepdims=True),
            "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
        }
    return arrays


def make_sums(
    frames: int,
    lve: float,
    squared: float,
    centred: float,
    mean: float,
    mve: float,
    fdd: float | None,
    aligned: float | None = None,
) -> GeometrySums:
    """Return the statistics of a clip that every measured row holds, and those that came later where given."""
    statistics = {
        "lve_mm_sum": lve,
        "lve_sq_m2_sum": squared,
        "lve_centred_mm_sum": centred,
        "lve_mean_mm_sum": mean,
        "mve_mm_sum": mve,
        "fdd_m2": fdd,
        "lve_aligned_mm_sum": aligned,
    }
    return GeometrySums(frames, statistics)
