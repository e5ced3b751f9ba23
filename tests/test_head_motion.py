"""LVE before and after aligning the head: against scipy, in rows of other versions, and in a run's warnings."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from factories import CLIPS, face, make_benchmark, make_submission, make_sums, talk
from scipy.spatial.transform import Rotation

from mtbench import score
from mtbench.faces.flame import flame_topology
from mtbench.metrics.geometry import measure_geometry
from mtbench.metrics.lve import sum_lve_aligned_mm, sum_lve_mm
from mtbench.metrics.rigid import align_rigidly, rigid_transforms
from mtbench.results.aggregation import aggregate, find_number
from mtbench.results.head_motion import warn_of_head_motion
from mtbench.results.rows import GeometryRow, row_from_json
from mtbench.results.summary import SignatureContext


@pytest.fixture(autouse=True)
def _places(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


def by_hand(prediction, truth, lips, head):
    """The metric with scipy's solution for the rotation, frame by frame."""
    total = 0.0
    for p, t in zip(prediction.astype(float), truth.astype(float), strict=True):
        source, target = p[head].mean(0), t[head].mean(0)
        turn, _ = Rotation.align_vectors(t[head] - target, p[head] - source)
        moved = turn.apply(p - source) + target
        total += 1000 * np.linalg.norm(moved[lips] - t[lips], axis=1).max()
    return total


@pytest.mark.parametrize("seed", range(4))
def test_aligned_lve_is_what_scipys_rotation_gives(seed):
    rng = np.random.default_rng(seed)
    truth = face(60, seed).astype(float) + 0.004 * rng.standard_normal((7, 60, 3))
    turns = Rotation.from_rotvec(rng.normal(size=(7, 3)) * 0.4)
    prediction = np.stack([turns[t].apply(truth[t]) for t in range(7)]) + rng.normal(size=(7, 1, 3))
    prediction += 0.003 * rng.standard_normal(prediction.shape)
    lips, head = np.arange(8), np.arange(20, 60)
    expected = by_hand(prediction, truth, lips, head)
    assert sum_lve_aligned_mm(prediction, truth, lips, head) == pytest.approx(expected, rel=1e-9)
    assert expected < 0.1 * sum_lve_mm(prediction, truth, lips)


def test_a_mirrored_head_is_not_reflected_back():
    truth = face(60).astype(float)[None]
    aligned = align_rigidly(truth * [-1, 1, 1], truth, np.arange(60))
    assert np.abs(aligned - truth).max() > 0.02
    rotation = rigid_transforms(truth * [-1, 1, 1], truth)[0]
    assert np.linalg.det(rotation[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("points", [np.zeros((3, 5, 3)), np.arange(5.0)[:, None] * np.ones((3, 1, 3))])
def test_points_on_a_line_have_no_rotation(points):
    rotation, _, _ = rigid_transforms(points, points + 1.0)
    assert np.array_equal(rotation, np.broadcast_to(np.eye(3), (3, 3, 3)))


def test_a_head_30_cm_higher_has_aligned_lve_of_the_lips_alone():
    """05-flame-without-asset: LVE 300 mm, of which nothing is lips."""
    truth = talk(6)
    sums = measure_geometry(truth + np.float32([0, 0.3, 0]), truth, flame_topology())
    assert sums["lve_mm_sum"] / 6 == pytest.approx(300.0, rel=1e-6)
    assert sums["lve_aligned_mm_sum"] / 6 == pytest.approx(0.0, abs=1e-4)


def sums(before, after, frames=10):
    return make_sums(frames, before * frames, 0.0, 0.0, 0.0, 0.0, None, after and after * frames)


def row(clip, *args):
    return GeometryRow(clip, "eng", clip, sums(*args))


def test_the_warning_says_before_and_after_over_the_clips_that_it_is_about():
    assert warn_of_head_motion([row("a", 3.0, 1.6), row("b", 1.4, 0.5), row("c", 30.0, None)]) == []
    (line,) = warn_of_head_motion([row("a", 30.0, 1.0), row("b", 10.0, 3.0, 30), row("c", 2.0, 2.0)])
    assert "in 2 of 3 clips: 15.00 mm before and 2.50 mm after" in line
    assert "in clip a: 30.00 mm" in warn_of_head_motion([row("a", 30.0, 1.0), row("c", 2.0, 2.0)])[0]
    assert "in all clips" in warn_of_head_motion([row("a", 30.0, 1.0)])[0]


def test_rows_without_it_are_read_and_not_taken_for_zero():
    new = row("a", 3.0, 1.0)
    assert row_from_json(new.to_json()) == new
    data = new.to_json()
    del data["geometry"]["lve_aligned_mm_sum"]
    old = row_from_json(data)
    assert old.geometry.get("lve_aligned_mm_sum") is None
    clip = SimpleNamespace(id="a", language="eng", source="a")
    number = find_number(aggregate([old], [clip]), "lve_aligned_mm", "eng")
    assert number.estimate is None
    assert "older version" in number.reason


def test_the_signature_names_what_is_aligned():
    context = SignatureContext(upper_face="upper_face-827#77c0d1f0")
    assert context.settings("lve_aligned_mm", None)["align"] == "rigid@upper_face-827#77c0d1f0"
    assert context.settings("lve_mm", None)["align"] == "none"


def test_a_score_warns_of_head_motion(tmp_path):
    """05-flame-without-asset: a face 30 cm above the ground truth's."""
    benchmark = make_benchmark(tmp_path)
    root = make_submission(tmp_path)
    for clip, (_, frames) in CLIPS.items():
        with np.load(tmp_path / f"tiny/motion/{clip}.npz") as file:
            np.savez(root / f"motion/{clip}.npz", vertices=file["vertices"] + np.float32([0, 0.3, 0]))
        assert frames
    overall = {"language": "all", "aggregation": "frame"}
    run = score(root, benchmark, recognizer=None, progress=False, workers=1)
    assert run.estimate("lve_mm", **overall) == pytest.approx(300.0, rel=1e-5)
    assert run.estimate("lve_aligned_mm", **overall) == pytest.approx(0.0, abs=1e-3)
    assert any("300.00 mm before and 0.00 mm after aligning the head" in w for w in run.warnings)
