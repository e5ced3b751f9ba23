"""Frames per second of the software renderer and of pyrender on the same mesh, pictures and machine.

    python benchmarks/render.py [--seconds 4] [--rounds 3]

The mesh has FLAME's size (5,023 vertices, 9,982 triangles; FLAME has 9,976), every vertex moves in every frame,
and every backend makes the same RGB pictures through the same `Renderer` protocol, two-sided and smoothly lit.
pyrender is used as its interface allows best: one context, a prepared primitive per frame (no trimesh), colours
from our own compiled lighting, no antialiasing. Each backend runs in a process of its own, because OpenGL's
platform is fixed for a process. Backends take turns, several rounds each, and the best rate of each counts: so
they share the noise of a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

#: Ratios that the project promises, by picture size.
WANTED = {96: 40.0, 224: 20.0, 800: 5.0}
BACKENDS = ("software", "pyrender-egl", "pyrender-osmesa")


def make_mesh() -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (5023, 3) and triangles (9982, 3) of a head-sized egg, open at the neck."""
    rings, around = 81, 62
    polar = np.pi * np.arange(1, rings + 1) / (rings + 4)
    turn = 2 * np.pi * np.arange(around) / around
    side = np.sin(polar)[:, None]
    bump = 1 + 0.2 * np.exp(-((polar[:, None] - 1.7) ** 2 + np.minimum(turn, 2 * np.pi - turn) ** 2) / 0.02)
    x = 0.085 * side * np.sin(turn)
    y = 0.12 * np.cos(polar)[:, None] * np.ones(around)
    z = 0.1 * side * np.cos(turn) * bump
    vertices = np.concatenate([[[0.0, 0.12, 0.0]], np.stack([x, y, z], -1).reshape(-1, 3)])
    here = 1 + np.arange(around)
    after = 1 + (np.arange(around) + 1) % around
    triangles = [np.stack([np.zeros(around, int), here, after], 1)]
    for ring in range(rings - 1):
        a, b = here + ring * around, after + ring * around
        triangles += [np.stack([a, a + around, b], 1), np.stack([b, a + around, b + around], 1)]
    return vertices.astype(np.float32), np.concatenate(triangles).astype(np.int32)


def measure(backend: str, seconds: float) -> dict[str, float]:
    """Return the best frames per second of *backend* by size, in this process."""
    from mtbench.renderer import Appearance, Renderer
    from mtbench.renderers.cameras import portrait_camera
    from mtbench.topology import Topology

    renderer: Renderer
    if backend == "software":
        from mtbench.renderers.software import SoftwareRenderer

        renderer = SoftwareRenderer()
    else:
        from mtbench.renderers.pyrender_backend import PyrenderRenderer

        renderer = PyrenderRenderer(backend.removeprefix("pyrender-"))
    rest, triangles = make_mesh()
    topology = Topology("flame-sized", len(rest), triangles)
    wave = np.sin(np.arange(400, dtype=np.float32)[:, None, None] * 0.25 + rest * 60).astype(np.float32)
    vertices = rest + np.float32(0.001) * wave
    rates = {}
    for size in WANTED:
        camera = portrait_camera(vertices, size, size)
        frames = 8
        best = 0.0
        renderer.render(topology, vertices[:2], camera, Appearance())  # compile, make contexts
        end = time.perf_counter() + seconds
        while best == 0.0 or time.perf_counter() < end:
            start = time.perf_counter()
            renderer.render(topology, vertices[:frames], camera, Appearance())
            taken = time.perf_counter() - start
            best = max(best, frames / taken)
            # As many frames as take about a quarter of a second, as a clip would.
            frames = int(min(max(frames * 0.25 / taken, 4), len(vertices)))
        rates[str(size)] = best
    return rates


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="per backend, size and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", choices=BACKENDS, help="measure one in this process and print JSON")
    options = parser.parse_args()
    if options.backend:
        print(json.dumps(measure(options.backend, options.seconds)))
        return
    best: dict[str, dict[str, float]] = {}
    for _ in range(options.rounds):
        for backend in BACKENDS:
            command = [sys.executable, __file__, "--backend", backend, "--seconds", str(options.seconds)]
            done = subprocess.run(command, capture_output=True, text=True, env=_environment())
            if done.returncode:
                reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
                print(f"{backend}: not available ({reason[0]})", file=sys.stderr)
                continue
            rates = json.loads(done.stdout.splitlines()[-1])
            kept = best.setdefault(backend, rates)
            best[backend] = {size: max(rate, kept[size]) for size, rate in rates.items()}
    vertices, triangles = make_mesh()
    print(
        f"{len(vertices):,} vertices, {len(triangles):,} triangles, all moving; RGB; frames per second, best of rounds"
    )
    print(
        f"{'size':>8} " + " ".join(f"{backend:>16}" for backend in BACKENDS) + "   software / faster pyrender"
    )
    for size, wanted in WANTED.items():
        rates = {backend: best.get(backend, {}).get(str(size)) for backend in BACKENDS}
        cells = " ".join(f"{'-' if rate is None else f'{rate:,.0f}':>16}" for rate in rates.values())
        others = [rate for backend, rate in rates.items() if backend != "software" and rate]
        ratio = rates["software"] / max(others) if rates["software"] and others else None
        verdict = "-" if ratio is None else f"{ratio:6.1f}x (wanted {wanted:g}x)"
        print(f"{f'{size}x{size}':>8} {cells}   {verdict}")


def _environment() -> dict[str, str]:
    """Return the environment without a choice of OpenGL platform."""
    return {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}


if __name__ == "__main__":
    main()
