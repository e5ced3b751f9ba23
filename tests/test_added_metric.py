"""A metric that is added in one file of another package is in rows, summary, tables, comparison, report and lists."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

METRIC = '''
"""How far the lips are to the side of where they should be."""
import numpy as np

from mtbench.metrics import GeometricMetric, TableColumn


def measure(pair):
    return float(1000 * np.abs(pair.prediction[:, pair.lips, 0] - pair.truth[:, pair.lips, 0]).mean(axis=1).sum())


SIDEWAYS = GeometricMetric(
    name="sideways_mm", title="sideways lip error", unit="mm", aggregation="frame", overall="frame", order=15,
    statistic="sideways_mm_sum", measure=measure, error="mean-l1-x", label="LVE, sideways",
    column=TableColumn("sideways mm", digits=3),
)
'''

USE = """
import json, sys
from pathlib import Path
import numpy as np
import fakes
from mtbench import compare, score
from mtbench.cli.app import app
from mtbench.meta import make_report, run_systems
from mtbench.results import entries_table, read_results

out = Path(sys.argv[1])
benchmark = fakes.make_benchmark(out / "small")
entries = [fakes.make_entry(out / name, amplitude=amplitude) for name, amplitude in (("near", 0.9), ("far", 0.2))]
options = {"recognizer": None, "cache": out / "cache", "out": out / "results"}
runs = [score(entry, benchmark, workers=2, **options) for entry in entries]
again = score(entries[0], benchmark, workers=1, **options)
run, rows = read_results(runs[0].folder)
comparison = compare(runs[0].folder, runs[1].folder)
scores = run_systems(benchmark, out=out / "meta", recognizer=fakes.ONE_EAR, workers=1, cache=out / "cache",
                     systems=("static", "amplitude-0.5", "lag-200ms"))
report = make_report(scores, replicates=20)
found = [row for row in run.summary if row.metric == "sideways_mm"]
print(json.dumps({
    "row": [row.geometry["sideways_mm_sum"] / row.geometry.frames for row in rows if row.clip == "ita-01"
            and not hasattr(row, "modality")],
    "summary": [[row.language, row.aggregation, row.estimate, row.unit] for row in found],
    "signature": run.signatures["sideways_mm"],
    "table": entries_table(runs).to_text(),
    "computed": again.timings["stages"]["geometry"]["computed"],
    "compared": sorted({d.metric for d in comparison.differences}),
    "scores": list(scores.geometry),
    "measures": [[m["name"], m["title"]] for m in report.to_json()["measures"]],
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package as pip would install it: one file and its entry point."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "sideways.py").write_text(METRIC)
    info = folder / "sideways-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sideways\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mtbench.metrics]\nsideways_mm = sideways:SIDEWAYS\n")
    return folder


def run(package, *command):
    path = os.pathsep.join([str(package), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        cwd=package,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(package, tmp_path_factory):
    return json.loads(run(package, "-c", USE, str(tmp_path_factory.mktemp("out"))).splitlines()[-1])


def test_rows_and_summary_have_it(found):
    (value,) = found["row"]
    assert value > 0
    kinds = {(language, aggregation): unit for language, aggregation, _, unit in found["summary"]}
    assert kinds["all", "frame"] == kinds["ita", "frame"] == kinds["ita", "macro-clip"] == "mm"
    assert all(estimate > 0 for _, _, estimate, _ in found["summary"])
    assert "|mask:lips-" in found["signature"]
    assert "|err:mean-l1-x|" in found["signature"]


def test_tables_and_comparisons_have_it(found):
    header = found["table"].splitlines()[2]
    assert header.split("  ")[-3:] == ["LVE mm", "sideways mm", "FDD mm²"] or "sideways mm" in header
    assert "sideways_mm" in found["compared"]


def test_the_report_of_the_meta_evaluation_has_it(found):
    assert "sideways_mm" in found["scores"]
    names = [name for name, _ in found["measures"]]
    assert ["sideways_mm", "LVE, sideways"] in found["measures"]
    # With those of its family, before the squared one.
    assert names.index("lve_mm") < names.index("sideways_mm") < names.index("lve_sq_m2")


def test_a_second_run_finds_it_in_the_cache(found):
    assert found["computed"] == 0


def test_it_is_listed(package):
    lines = run(package, "-m", "mtbench", "ls", "metrics").splitlines()
    names = [line.split()[0] for line in lines]
    assert names[0] == "metrics"
    assert lines[names.index("sideways_mm")].split(None, 1)[1] == "sideways lip error, mm"
    assert names.index("sideways_mm") == names.index("lve_mean_mm") + 1


def test_the_cache_of_a_run_without_it_is_not_taken(package, tmp_path):
    """What was measured before it was installed lacks it; it is measured then, not called missing."""
    script = (
        "import sys, fakes; from pathlib import Path; from mtbench import score; out = Path(sys.argv[1])\n"
        "small = out / 'small'\n"
        "benchmark = small if small.is_dir() else fakes.make_benchmark(small)\n"
        "entry = out / 'near' if (out / 'near').is_dir() else fakes.make_entry(out / 'near')\n"
        "run = score(entry, benchmark, recognizer=None, cache=out / 'cache', workers=1)\n"
        "print(run.timings['stages']['geometry']['computed'], sorted({r.metric for r in run.summary}))\n"
    )
    without = run(tmp_path, "-c", script, str(tmp_path))
    assert without.startswith("6 ['fdd_abs_m2', ")
    assert "sideways" not in without
    first = run(package, "-c", script, str(tmp_path))
    assert first.startswith("6 [")
    assert "sideways_mm" in first
    assert run(package, "-c", script, str(tmp_path)).startswith("0 [")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("lve_mm = sideways:SIDEWAYS", "is the metric 'sideways_mm', expected"),
        ("sideways_mm = sideways:measure", "is a function, expected a mtbench.metrics.GeometricMetric"),
        ("sideways_mm = sideways:NOTHING", "metric 'sideways_mm' of another package"),
    ],
)
def test_an_entry_point_that_is_no_metric_is_named(package, tmp_path, monkeypatch, line, words):
    import importlib

    from mtbench.errors import UsageError
    from mtbench.metrics.registry import Metrics

    (tmp_path / "sideways.py").write_text(METRIC)
    info = tmp_path / "sideways-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sideways\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mtbench.metrics]\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(UsageError, match=words):
        list(Metrics())
    sys.modules.pop("sideways", None)


def test_two_metrics_of_one_name_are_refused(tmp_path, monkeypatch):
    import importlib

    from mtbench.errors import UsageError
    from mtbench.metrics.registry import Metrics

    (tmp_path / "sideways.py").write_text(METRIC.replace("sideways_mm", "lve_mm"))
    info = tmp_path / "sideways-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sideways\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mtbench.metrics]\nlve_mm = sideways:SIDEWAYS\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(UsageError, match="two metrics are called 'lve_mm'"):
        list(Metrics())
    sys.modules.pop("sideways", None)
