"""How long the board takes with many entries: to build, to weigh, to sort.

Run ``python speed/board.py [ENTRIES]`` (200 by default). Results of made-up entries on the clips of ``openhead-20`` are
written to a temporary folder first; the board is built from them by the command, in a process of its own; its index is
sorted in headless Chromium, if there is one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.benchmarks import as_benchmark
from mtbench.conditions import ENTRY, STATIC, Condition
from mtbench.metrics import METRICS, EditCounts, GeometrySums
from mtbench.results import (
    BenchmarkRef,
    GeometryRow,
    RecognitionRow,
    RecognizerRef,
    Row,
    Run,
    SignatureContext,
    SystemRef,
    aggregate,
    digest_rows,
    list_signatures,
    write_results,
)

SNRS, NOISES = (-7.5, -10.0), ("babble", "music", "speech-shaped")


def make_rows(quality: float, rng: np.random.Generator, clips: list[Any]) -> list[Row]:
    """Rows of an entry that makes *quality* more errors than the best."""
    sounds = [Condition("a"), *(Condition("a", snr, noise) for snr in SNRS for noise in NOISES)]
    seen = [replace(s, modality="av", face=ENTRY) for s in sounds]
    conditions = [
        *seen,
        Condition("v", face=ENTRY),
        *sounds,
        *(c.with_face(STATIC) for c in seen if c.snr_db),
    ]
    rows: list[Row] = []
    for clip in clips:
        n = len(clip.transcript.split()) + 3
        m = 5 * n
        for c in conditions:
            share = {"av": 0.2 + quality, "a": 0.6, "v": 0.6 + quality}[c.modality or ""]
            share = 0.6 if c.face == STATIC else share
            k, j = int(rng.binomial(n, min(share, 0.95))), int(rng.binomial(m, min(share, 0.95)))
            words = EditCounts(n - k, k, 0, 0)
            chars = phones = EditCounts(m - j, j, 0, 0)
            rows.append(
                RecognitionRow(
                    clip.id, clip.language, clip.source, c.modality or "", c.face, c.snr_db, c.noise,
                    clip.transcript, " ".join(clip.transcript.split()[k:]) or "x", ("a",) * m, ("a",) * (m - j),
                    words, chars, phones, log_probability=-float(j) - 1, tokens=m,
                )
            )  # fmt: skip
        statistics = {}
        for metric in METRICS.geometric():
            size = 1e-6 if "m2" in metric.statistic else 3.0 * clip.frames
            statistics[metric.statistic] = size * float(1 + quality + 0.1 * rng.random())
        rows.append(GeometryRow(clip.id, clip.language, clip.source, GeometrySums(clip.frames, statistics)))
    return rows


def make_results(folder: Path, entries: int) -> None:
    """Write results of so many made-up entries below *folder*."""
    benchmark = as_benchmark("openhead-20")
    clips = list(benchmark.clips)
    noises = {name: hashlib.blake2b(name.encode(), digest_size=4).hexdigest() for name in NOISES}
    context = SignatureContext(
        common={"bench": f"{benchmark.ref}#{benchmark.digest}", "fps": 25.0, "version": "0.1.0"},
        recognition={
            "profile": "recommended",
            "rec": "made-up@1#" + "0" * 32,
            "norm": "uni-v1",
            "lexicon": "bench#" + "1" * 32,
        },
        audio={"mix": "rms"},
        video={"topology": "openhead-1#" + "2" * 32, "render": "software@1#" + "3" * 8, "crop": "mouth96@2"},
        still={"truth": "openhead-1@1"},
        geometry={"topology": "openhead-1", "truth": "openhead-1@1", "template": "own"},
        noises=noises,
    )  # fmt: skip
    for number in range(entries):
        rng = np.random.Generator(np.random.PCG64(number))
        rows = make_rows(0.4 * number / entries, rng, clips)
        # Intervals of few samples: making entries is not what is measured, and the size of a file is the same.
        summary = tuple(aggregate(rows, clips, context, replicates=100))
        name = f"Entry {number:03d}"
        run = Run(
            status="complete",
            rankable=True,
            system=SystemRef(
                name=name,
                digest=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
                topology="openhead-1",
                kind="units",
                model={"name": name, "paper": "none: made up", "open_weights": number % 2 == 0},
            ),
            benchmark=BenchmarkRef(name=benchmark.name, version=benchmark.version, digest=benchmark.digest),
            recognizer=RecognizerRef(name="made-up@1", digest="0" * 32),
            signatures=list_signatures(summary, context),
            settings={**vars(context), "normalizer": "uni-v1"},
            summary=summary,
            timings={},
            environment={},
            rows_digest=digest_rows(rows),
        )
        write_results(folder / f"entry-{number:03d}" / benchmark.name, run, rows)


def measure_build(results: Path, out: Path) -> tuple[float, float]:
    """Return the seconds that the command takes, by the clock and by the processor."""
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "mtbench", "leaderboard", "build", str(results), "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, os.times()
    work = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, work


#: Clicks on a head, and lays the page out.
_SORT = """(k) => {
  const start = performance.now();
  document.querySelectorAll("thead button")[k].click();
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""
_PARTS = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")


def measure_sorting(index: Path, times: int = 5) -> tuple[float, float] | None:
    """Return milliseconds of the slowest column's fastest sort, layout included: by the clock, by the processor.

    On a machine that does other things besides, only the second says something about the page. None without a browser.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(index.resolve().as_uri())
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def busy() -> float:
            found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
            return 1000 * sum(found[name] for name in _PARTS)

        clock, processor = [], []
        for k in range(page.locator("thead button").count()):
            walls, works = [], []
            for _ in range(times):
                before = busy()
                walls.append(float(page.evaluate(_SORT, k)))
                works.append(busy() - before)
            clock.append(min(walls))
            processor.append(min(works))
        browser.close()
    return max(clock), max(processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", nargs="?", type=int, default=200)
    parser.add_argument("--results", type=Path, help="folder to make results in, or that holds them already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = options.results or Path(folder) / "results"
        if not results.is_dir():
            make_results(results, options.entries)
        out = Path(folder) / "site"
        seconds, work = measure_build(results, out)
        again, _ = measure_build(results, Path(folder) / "again")
        same = all(
            path.read_bytes() == (Path(folder) / "again" / path.relative_to(out)).read_bytes()
            for path in out.rglob("*")
            if path.is_file()
        )
        index = out / "index.html"
        print(f"{len(list((out / 'entries').iterdir()))} entries, 20 languages")
        told = "the same" if same else "OTHER"
        print(
            f"build          {seconds:8.1f} s, {work:.1f} s of the processor; again {again:.1f} s, {told} bytes"
        )
        print(f"index          {index.stat().st_size / 1e6:8.3f} MB")
        sorting = measure_sorting(index)
        if sorting is None:
            print("sort                no Chromium")
        else:
            print(
                f"sort           {sorting[0]:8.1f} ms, {sorting[1]:.1f} ms of the processor, slowest column"
            )


if __name__ == "__main__":
    main()
