"""How the metrics of vertices order the degraded systems of ``validate-metric``, all of them, also the optional ones.

    python scripts/order_lip_metrics.py measure FOLDER [--like SCORES] [--clips N]
    python scripts/order_lip_metrics.py table FOLDER [--beside SCORES]

``measure`` degrades the ground truth of ``openhead-20`` as ``validate-metric`` does and keeps the statistics of each
clip and system in FOLDER, a file a clip; it goes on where it was stopped, and adds metrics that are new. Nothing is
rendered or recognized. Clips are all of them, or those of a folder SCORES that ``validate-metric`` wrote. ``table``
prints the correlations with the known order in Markdown, beside the error rates and bits in SCORES.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.benchmarks import load_benchmark, read_phone_times, template_face
from mtbench.faces import load_topology
from mtbench.files import write_atomically
from mtbench.meta.correlation import Correlation, correlate
from mtbench.meta.estimates import Measure, bootstrap_scores, measure_bits, measure_errors
from mtbench.meta.ground_truth import GroundTruth, degrade
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH, System, default_systems
from mtbench.metrics import (
    METRICS,
    FacePair,
    GeometricMetric,
    GeometrySums,
    Member,
    measure_asked,
    measure_geometry,
)
from mtbench.statistics import collect_ratios

BENCHMARK = "openhead-20@3"


def measure_clip(name: str, systems: tuple[System, ...], known: dict[str, Any]) -> dict[str, Any]:
    """Return the statistics of all metrics on each system of one clip, by the systems' names; what is *known* stays."""
    benchmark = load_benchmark(BENCHMARK)
    clip = benchmark.clip(name)
    truth = GroundTruth(benchmark, clip)
    topology, template = load_topology(clip.topology or ""), template_face(clip)
    phones, sound = read_phone_times(clip), clip.load_audio()
    found = dict(known)
    for system in systems:
        held = found.get(system.name, {})
        missing = [m.name for m in METRICS.every_geometric() if m.optional and m.statistic not in held]
        if held and not missing:
            continue
        vertices = degrade(truth, system)
        pair = FacePair(
            vertices,
            truth.vertices,
            topology.region,
            template,
            topology,
            clip.fps,
            lambda: sound,
            lambda: phones,
        )
        beside, alone = measure_asked(pair, missing)
        if not held:
            held = measure_geometry(vertices, truth.vertices, topology, template).to_json()
        found[system.name] = {**held, **(beside or {}), **(alone or {})}
    return found


def measure(folder: Path, like: Path | None, most: int) -> None:
    """Measure what is not in *folder* yet."""
    scores = None if like is None else MetaScores.load(like)
    systems = default_systems()
    names = [clip.id for clip in load_benchmark(BENCHMARK).clips] if scores is None else scores.clips
    folder.mkdir(parents=True, exist_ok=True)
    for name in names[:most]:
        path = folder / f"{name}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        found = measure_clip(name, systems, known)
        if found != known:
            write_atomically(path, (json.dumps(found) + "\n").encode())
            print(name, flush=True)


#: Metrics of which the best value is the truth's own: their distance from it is what gets worse.
_TRUTHS = ("lip_dynamics_mm",)
_LEVELS = ("system", "clip")
#: Name of the pair's difference.
_BOTH = "closure_recall − false_closures"
#: Systems whose values the second table shows.
_SHOWN = (
    "ground-truth",
    "amplitude-0.8",
    "amplitude-0.5",
    "static",
    "lag-120ms",
    "jitter-1mm",
    "missed-closures-100",
    "shuffled",
    "identity-swap-1",
    "upper-face-noise-3mm",
    "head-turn-20",
)


def read_values(folder: Path, metric: GeometricMetric, scores: MetaScores) -> tuple[np.ndarray, np.ndarray]:
    """Return numerators (S, N), larger is worse, and denominators (N,) of a metric; NaN where there is none."""
    shape = len(scores.systems), len(scores.clips)
    above, below = np.full(shape, np.nan), np.full(shape, np.nan)
    groups = dict(zip(scores.clips, scores.languages, strict=True))
    held = {name: json.loads((folder / f"{name}.json").read_text()) for name in scores.clips}
    for i, system in enumerate(scores.systems):
        sums = {name: GeometrySums.from_json(held[name][system.name]) for name in scores.clips}
        cells = {name: metric.cell(one) for name, one in sums.items()}
        if metric.across is not None:
            members = [
                Member(groups[name], *cell) for name, cell in cells.items() if not isinstance(cell, str)
            ]
            cells = dict(zip(cells, metric.across(members), strict=True))
        for j, name in enumerate(scores.clips):
            if not isinstance(cells[name], str):
                above[i, j], below[i, j] = cells[name]
    if metric.name in _TRUTHS:
        above = np.abs(above - above[scores.index(GROUND_TRUTH)])
    elif metric.higher_is_better:
        above = -above
    # What a clip cannot have in any system is not asked of it.
    lengths = np.array([np.nan if np.isnan(column).all() else np.nanmax(column) for column in below.T])
    return metric.scale * above, lengths


def list_measures(folder: Path, scores: MetaScores) -> list[Measure]:
    """Return all metrics of vertices as measures over the systems of *scores*."""
    found = []
    for metric in METRICS.every_geometric():
        if metric.name in ("fdd_m2", "lve_aligned_mm"):
            continue  # no order from better to worse, and lve_mm once more
        values, lengths = read_values(folder, metric, scores)
        found.append(_measure(metric.name, metric.unit, values, lengths))
    both = [by_clip(folder, scores, name) for name in ("closure_recall", "false_closures")]
    found.append(_measure(_BOTH, "%", both[0] + both[1], np.ones(len(scores.clips))))
    return found


def by_clip(folder: Path, scores: MetaScores, name: str) -> np.ndarray:
    """Return (S, N) a metric's own value of each clip, larger is worse."""
    metric = METRICS[name]
    assert isinstance(metric, GeometricMetric)
    values, lengths = read_values(folder, metric, scores)
    return values / lengths


def _measure(name: str, unit: str, values: np.ndarray, lengths: np.ndarray) -> Measure:
    return Measure(**vars(collect_ratios(values, lengths)), name=name, title=name, unit=unit, condition=None)


def make_table(folder: Path, beside: Path) -> str:
    """Return the table of correlations in Markdown: the systems of *beside*, then all that were measured."""
    scores = MetaScores.load(beside)
    every = replace(
        scores,
        systems=default_systems(),
        conditions=(),
        errors={},
        phone_errors={},
        log_probabilities={},
        others={},
        geometry={},
        hypotheses={},
    )
    rows = []
    condition = "av-7.5/babble"
    rates = [measure_errors(scores, condition, unit) for unit in ("words", "phones")]
    few = [*rates, measure_bits(scores, condition), *list_measures(folder, scores)]
    many = {measure.name: measure for measure in list_measures(folder, every)}
    for measure in few:
        told = [correlate(bootstrap_scores(scores), measure, level=level) for level in _LEVELS]
        wide = many.get(measure.name)
        more = (
            []
            if wide is None
            else [correlate(bootstrap_scores(every), wide, level=level) for level in _LEVELS]
        )
        cells = [_show(found) for found in (*told, *more)]
        rows.append((measure.name, *cells, *["–"] * (4 - len(cells)), _name_worst(told[0])))
    head = ("metric", "system", "clip", "system, all", "clip, all", "below 0.9, or without a value")
    lines = [head, ("---", *("---:" for _ in head[1:-1]), "---"), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def make_values(folder: Path, beside: Path) -> str:
    """Return the table of the metrics' values on some systems, mean over languages."""
    scores = MetaScores.load(beside)
    rows = []
    for measure in list_measures(folder, scores):
        metric = METRICS.get(measure.name)
        sign = -1.0 if measure.name == _BOTH or (metric is not None and metric.higher_is_better) else 1.0
        boot = bootstrap_scores(scores)
        values = boot.estimate(measure)
        rows.append(
            (measure.name, measure.unit, *(_short(sign * values[scores.index(name)]) for name in _SHOWN))
        )
    head = ("metric", "unit", *_SHOWN)
    lines = [head, ("---", "---", *("---:" for _ in _SHOWN)), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "n/a"
    return "0" if abs(value) < 1e-9 else f"{value:.3g}"


def _show(found: Correlation) -> str:
    if found.estimate is None:
        return "n/a"
    low, high = found.ci95 or (np.nan, np.nan)
    return f"{found.estimate:.2f} ({low:.2f} to {high:.2f})"


def _name_worst(found: Correlation) -> str:
    if found.estimate is None:
        return "no clip has one"
    low = [
        f"{name} {part.estimate:.2f}"
        for name, part in found.families.items()
        if part.estimate is not None and part.estimate < 0.9
    ]
    missing = [f"no value: {', '.join(found.missing)}"] if found.missing else []
    return "; ".join([*([", ".join(low)] if low else []), *missing]) or "–"


def main() -> None:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--clips", type=int, default=10**6)
    given = parser.parse_args()
    if given.what == "measure":
        measure(given.folder, given.like, given.clips)
    else:
        print(make_table(given.folder, given.beside))
        print(make_values(given.folder, given.beside), end="")


if __name__ == "__main__":
    main()
