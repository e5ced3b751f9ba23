"""Several takes of one system, and curves over the frames of a clip: ``mtbench takes``, ``mtbench curves``."""

import json

import fakes
import numpy as np
import pytest
from test_cli import call

from mtbench.errors import UsageError
from mtbench.metrics import measure_diversity_mm
from mtbench.submissions import curves_of_clip, load_submission, measure_takes


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    out = tmp_path_factory.mktemp("takes")
    benchmark = fakes.make_benchmark(out / "small")
    takes = [fakes.make_entry(out / f"take-{a}", amplitude=a) for a in (0.8, 0.9, 1.1)]
    return benchmark, takes


def test_takes_are_compared_pair_by_pair(place):
    benchmark, takes = place
    found = measure_takes(takes, benchmark)
    assert (found.takes, found.clips, found.frames) == (3, 6, sum(n for _, n, _ in fakes.CLIPS.values()))
    loaded = [load_submission(path, benchmark) for path in takes]
    each = [measure_diversity_mm([take.motion(c).vertices for take in loaded]) for c in fakes.CLIPS]
    assert found.diversity_mm == pytest.approx(np.mean(each))
    assert found.lip_diversity_mm > found.diversity_mm > 0
    # Their mean amplitude is 0.933, the best take has 0.9 or 1.1.
    assert 0 < found.mean_estimate_m2 < found.coverage_m2


def test_the_same_take_twice_has_no_diversity(place):
    benchmark, takes = place
    found = measure_takes([takes[0], takes[0]], benchmark)
    assert found.diversity_mm == 0.0
    assert found.mean_estimate_m2 == pytest.approx(found.coverage_m2)


def test_takes_without_ground_truth_have_no_errors(place, tmp_path):
    _, takes = place
    found = measure_takes(takes, fakes.make_benchmark(tmp_path / "small", motion=False))
    assert found.diversity_mm > 0
    assert found.mean_estimate_m2 is found.coverage_m2 is None
    with pytest.raises(UsageError, match="two submissions or more, not 1"):
        measure_takes(takes[:1])


def test_takes_are_printed(place):
    benchmark, takes = place
    code, text = call("takes", *takes, "-b", benchmark)
    assert code == 0
    assert text.startswith("3 takes of 6 clips\ndiversity ")
    code, text = call("takes", *takes, "-b", benchmark, "--json")
    assert json.loads(text)["takes"] == 3
    assert call("takes", takes[0], "-b", benchmark)[0] == 2


def test_curves_of_a_clip(place, tmp_path):
    benchmark, takes = place
    curves = curves_of_clip(takes[0], "ita-01", benchmark)
    assert {len(curve) for curve in curves.values()} == {30}
    assert "loudness" in curves
    code, text = call("curves", takes[0], "ita-01", "-b", benchmark)
    assert code == 0
    lines = text.splitlines()
    assert lines[0].split(",") == list(curves)
    assert np.array(lines[5].split(","), float) == pytest.approx([c[4] for c in curves.values()], rel=1e-5)
    code, _ = call("curves", takes[0], "ita-01", "-b", benchmark, "--out", tmp_path / "curves.csv")
    assert code == 0
    assert (tmp_path / "curves.csv").read_text() == text
    with pytest.raises(UsageError, match="no ground truth of topology openhead-1"):
        curves_of_clip(takes[0], "ita-01", fakes.make_benchmark(tmp_path / "small", motion=False))
    assert call("curves", takes[0], "ita-99", "-b", benchmark)[0] == 2
