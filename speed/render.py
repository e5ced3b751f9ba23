"""Frames per second of the software renderer and of pyrender on the same mesh, camera and machine.

    python speed/render.py [--seconds 3] [--rounds 3]

The mesh has FLAME's size (5,023 vertices, 9,982 triangles; FLAME has 9,976) and every vertex moves in every
frame. Pictures are RGB, drawn by

* software: the default renderer, which lights the vertices and draws both sides of the surface;
* pyrender: as its documentation and the field's rendering scripts use it, `Mesh.from_trimesh` for every frame in
  one context, but spared all lighting (`RenderFlags.FLAT`, constant colors), which makes it faster;
* tuned: our own pyrender backend, which draws the same pictures as software: prepared primitives instead of
  trimesh, colors lit by compiled code, no antialiasing.

The promised ratios are to the faster platform of pyrender; the ratio to the tuned backend stands beside them.
Each runs in a process of its own, because OpenGL's platform is fixed for a process. They take turns, several
rounds each, in short spells of which the best counts: on a busy machine all of them get some quiet moments.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from mtbench.faces.topology import Topology
from mtbench.renderers.base import Appearance, Camera

#: Ratios that the project promises, by picture size.
WANTED = {96: 40.0, 224: 20.0, 800: 5.0}
BACKENDS = ("software", "pyrender-egl", "pyrender-osmesa", "tuned-egl", "tuned-osmesa")
#: Length of a spell in seconds.
SPELL = 0.02


def make_mesh() -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (5023, 3) and triangles (9982, 3) of a head-sized egg with a nose, open at the neck."""
    rings, around = 81, 62
    polar = np.pi * np.arange(1, rings + 1) / (rings + 4)
    turn = 2 * np.pi * np.arange(around) / around
    side = np.sin(polar)[:, None]
    nose = 1 + 0.2 * np.exp(-((polar[:, None] - 1.7) ** 2 + np.minimum(turn, 2 * np.pi - turn) ** 2) / 0.02)
    x = 0.085 * side * np.sin(turn)
    y = 0.12 * np.cos(polar)[:, None] * np.ones(around)
    z = 0.1 * side * np.cos(turn) * nose
    vertices = np.concatenate([[[0.0, 0.12, 0.0]], np.stack([x, y, z], -1).reshape(-1, 3)])
    here = 1 + np.arange(around)
    after = 1 + (np.arange(around) + 1) % around
    triangles = [np.stack([np.zeros(around, int), here, after], 1)]
    for ring in range(rings - 1):
        a, b = here + ring * around, after + ring * around
        triangles += [np.stack([a, a + around, b], 1), np.stack([b, a + around, b + around], 1)]
    return vertices.astype(np.float32), np.concatenate(triangles).astype(np.int32)


class PlainPyrender:
    """pyrender in its ordinary use, behind as much of the `Renderer` protocol as is measured."""

    def __init__(self, platform: str) -> None:
        from mtbench.renderers.pyrender_backend import PyrenderRenderer

        self._pyrender = PyrenderRenderer(platform).pyrender
        self._contexts: dict[int, Any] = {}

    def render(
        self, topology: Topology, vertices: np.ndarray, camera: Camera, appearance: Appearance
    ) -> np.ndarray:
        """Draw *vertices* unlit in clay."""
        import trimesh

        from mtbench.renderers.pyrender_backend import camera_class

        pyrender = self._pyrender
        if camera.width not in self._contexts:
            self._contexts[camera.width] = pyrender.OffscreenRenderer(camera.width, camera.height)
        scene = pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 1.0])
        view = camera_class(pyrender)()
        view.matrix = camera.matrix
        scene.add(view, pose=np.eye(4))
        clay = np.full((topology.n_vertices, 4), 255, np.uint8)
        clay[:, :3] = int(255 * appearance.clay)
        out = np.empty((len(vertices), camera.height, camera.width, 3), np.uint8)
        node = None
        for t, frame in enumerate(vertices):
            mesh = trimesh.Trimesh(frame, topology.triangles, process=False, vertex_colors=clay)
            if node is not None:
                scene.remove_node(node)
            node = scene.add(pyrender.Mesh.from_trimesh(mesh))
            out[t] = self._contexts[camera.width].render(scene, flags=pyrender.RenderFlags.FLAT)[0]
        return out


def make_renderer(backend: str) -> Any:
    """Return the renderer that *backend* names."""
    kind, _, platform = backend.partition("-")
    if kind == "software":
        from mtbench.renderers.software import SoftwareRenderer

        return SoftwareRenderer()
    if kind == "pyrender":
        return PlainPyrender(platform)
    from mtbench.renderers.pyrender_backend import PyrenderRenderer

    return PyrenderRenderer(platform)


def measure(backend: str, seconds: float) -> dict[str, float]:
    """Return the best frames per second of *backend* by size, in this process."""
    from mtbench.renderers.cameras import portrait_camera

    renderer = make_renderer(backend)
    rest, triangles = make_mesh()
    topology = Topology("flame-sized", len(rest), triangles)
    wave = np.sin(np.arange(200, dtype=np.float32)[:, None, None] * 0.25 + rest * 60).astype(np.float32)
    vertices = rest + np.float32(0.001) * wave
    rates = {}
    for size in WANTED:
        camera = portrait_camera(vertices, size, size)
        renderer.render(topology, vertices[:2], camera, Appearance())  # compiles, makes contexts
        frames, best = 4, 0.0
        end = time.perf_counter() + seconds
        while best == 0.0 or time.perf_counter() < end:
            start = time.perf_counter()
            renderer.render(topology, vertices[:frames], camera, Appearance())
            taken = time.perf_counter() - start
            best = max(best, frames / taken)
            frames = int(min(max(best * SPELL, 2), len(vertices)))
        rates[str(size)] = best
    return rates


def measure_all(seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Return the best rates of every backend that works here, each measured in its own processes."""
    environment = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for backend in BACKENDS:
            command = [sys.executable, __file__, "--backend", backend, "--seconds", str(seconds)]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
                print(f"{backend}: not available ({reason[0]})", file=sys.stderr)
                continue
            rates = json.loads(done.stdout.splitlines()[-1])
            kept = best.setdefault(backend, rates)
            best[backend] = {size: max(rate, kept[size]) for size, rate in rates.items()}
    return best


def ratio(rates: dict[str, float], kind: str) -> str:
    """Return how many times faster software is than the faster platform of *kind*, as text."""
    faster = max(rate for backend, rate in rates.items() if backend.startswith(kind))
    return f"{rates['software'] / faster:.1f}x" if faster else "-"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="per backend, size and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", choices=BACKENDS, help="measure one in this process and print JSON")
    options = parser.parse_args()
    if options.backend:
        print(json.dumps(measure(options.backend, options.seconds)))
        return
    best = measure_all(options.seconds, options.rounds)
    vertices, triangles = make_mesh()
    print(f"{len(vertices):,} vertices, {len(triangles):,} triangles, all moving; RGB; frames per second")
    columns = " ".join(f"{backend:>15}" for backend in BACKENDS)
    print(f"{'size':>8} {columns} {'/ pyrender':>12} {'wanted':>8} {'/ tuned':>9}")
    for size, wanted in WANTED.items():
        rates = {backend: best.get(backend, {}).get(str(size), 0.0) for backend in BACKENDS}
        cells = " ".join(f"{rate:15,.0f}" if rate else f"{'-':>15}" for rate in rates.values())
        name, goal = f"{size}x{size}", f"{wanted:g}x"
        print(f"{name:>8} {cells} {ratio(rates, 'pyrender'):>12} {goal:>8} {ratio(rates, 'tuned'):>9}")


if __name__ == "__main__":
    main()
