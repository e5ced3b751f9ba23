"""Geometric metrics: the numbers of the original scripts, an independent implementation, properties."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.faces.flame import flame_topology
from mtbench.faces.topology import Topology
from mtbench.metrics.fdd import fdd_m2
from mtbench.metrics.geometry import measure_geometry, name_region
from mtbench.metrics.lve import sum_lve_centred_mm, sum_lve_mean_mm, sum_lve_mm, sum_lve_sq_m2
from mtbench.metrics.mve import sum_mve_mm
from mtbench.results.aggregation import aggregate
from mtbench.results.rows import GeometryRow
from mtbench.results.summary import SignatureContext, find_number


def make_clip(clip, dtype=np.float64):
    """Template, ground truth and prediction by the recipe of the golden fixture."""
    rng = np.random.default_rng(clip["seed"])
    template = rng.standard_normal((5023, 3)) * 0.05
    weights = rng.standard_normal((4, 5023, 3)) * 0.002
    frequency = rng.uniform(0.5, 6.0, 4)
    phase = rng.uniform(0.0, 2 * np.pi, 4)
    noise = rng.standard_normal((clip["frames_pred"], 5023, 3)) * 0.0005

    def motion(t, fps):
        out = np.zeros((5023, 3))
        for k in range(4):
            out = out + np.sin(2 * np.pi * frequency[k] * t / fps + phase[k]) * weights[k]
        return out

    fps_gt, fps_pred = clip.get("fps_gt", 25.0), clip.get("fps_pred", 25.0)
    truth = np.stack([template + motion(t, fps_gt) for t in range(clip["frames_gt"])])
    prediction = np.stack(
        [
            template + clip["gain"] * motion(t - clip["delay"], fps_pred) + noise[t]
            for t in range(clip["frames_pred"])
        ]
    )
    return template.astype(dtype), truth.astype(dtype), prediction.astype(dtype)


@pytest.fixture(scope="module")
def golden():
    folder = GOLDEN / "lve_a"
    return json.loads((folder / "recipe.json").read_text()), json.loads(
        (folder / "expected.json").read_text()
    )


@pytest.fixture(scope="module")
def regions(golden):
    lists = golden[0]["regions"]
    return {key: np.array(value) for key, value in lists.items()}


def test_recipe_is_followed(golden):
    check = golden[0]["checksum_of_first_clip"]
    template, truth, prediction = make_clip(golden[0]["multitalk_clips"][0])
    assert template[0].tolist() == check["template_0"]
    np.testing.assert_allclose(truth[-1, 5022], check["gt_last_frame_vertex_5022"], rtol=1e-12)
    np.testing.assert_allclose(prediction[-1, 5022], check["pred_last_frame_vertex_5022"], rtol=1e-12)
    assert truth.sum() == pytest.approx(check["gt_sum"], rel=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@pytest.mark.parametrize("unique", [False, True])
def test_golden_multitalk(golden, regions, dtype, tolerance, unique):
    recipe, expected = golden
    lips = np.unique(regions["lips_254_raw"]) if unique else regions["lips_254_raw"]
    sums, frames = [], []
    for clip in recipe["multitalk_clips"]:
        _, truth, prediction = make_clip(clip, dtype)
        sums.append(sum_lve_sq_m2(prediction, truth, lips))
        frames.append(len(truth))
    key = f"multitalk_lve_{np.dtype(dtype).name}"
    assert sum(sums) / sum(frames) == pytest.approx(expected[key], rel=tolerance)
    each = [s / n for s, n in zip(sums, frames, strict=True)]
    name = f"multitalk_lve_each_clip_{np.dtype(dtype).name}"
    assert each == pytest.approx(expected[name], rel=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@pytest.mark.parametrize("averaging", [{}, {"mean": "macro-clip"}])
def test_golden_multitalk_through_rows_and_summary(golden, regions, dtype, tolerance, averaging):
    """The lips of FLAME are the script's 254 entries, and frames are pooled however error rates are averaged."""
    recipe, expected = golden
    assert set(flame_topology().region("lips").tolist()) == set(regions["lips_254_raw"].tolist())
    rows = []
    for i, clip in enumerate(recipe["multitalk_clips"]):
        _, truth, prediction = make_clip(clip, dtype)
        rows.append(
            GeometryRow(f"clip-{i}", "eng", f"s{i}", measure_geometry(prediction, truth, flame_topology()))
        )
    clips = [SimpleNamespace(id=row.clip, language=row.language, source=row.source) for row in rows]
    summary = aggregate(rows, clips, SignatureContext(recognition=averaging), replicates=50)
    for language in ("eng", "all"):
        number = find_number(summary, "lve_sq_m2", language)
        assert (number.aggregation, number.unit) == ("frame", "m2")
        assert number.estimate == pytest.approx(
            expected[f"multitalk_lve_{np.dtype(dtype).name}"], rel=tolerance
        )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_golden_codetalker(golden, regions, dtype, tolerance):
    recipe, expected = golden
    wanted = expected[f"codetalker_{np.dtype(dtype).name}"]
    setting = recipe["codetalker"]
    per_subject = len(setting["sentences"])
    total, frames, deviations, template = 0.0, 0, [], None
    for i, clip in enumerate(setting["clips_subject_major"]):
        own, truth, prediction = make_clip(clip, dtype)
        template = own if i % per_subject == 0 else template
        prediction = prediction[: len(truth)]  # the original script cuts; mtbench itself never does
        total += sum_lve_sq_m2(prediction, truth, regions["lips_254_raw"])
        frames += len(truth)
        deviations.append(fdd_m2(prediction, truth, template, regions["upper_face_827"]))
    assert frames == wanted["frames"]
    # The script prints its float32 results with eight digits, and sums them in float32.
    assert total / frames == pytest.approx(wanted["lve"], rel=max(tolerance, 1e-12))
    assert np.mean(deviations) == pytest.approx(wanted["fdd"], rel=tolerance, abs=0)


def test_golden_torchmetrics(golden, regions):
    recipe, expected = golden
    clip, wanted = recipe["torchmetrics_clips"][0], expected["torchmetrics"]["each"][0]
    _, truth, prediction = make_clip(clip)
    value = sum_lve_sq_m2(prediction, truth, regions["lips_254_raw"]) / len(truth)
    assert value == pytest.approx(wanted, rel=1e-6)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 6), scale=st.sampled_from([1e-3, 0.05, 1.0]))
def test_lve_sq_agrees_with_torchmetrics(seed, frames, scale):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.multimodal")
    rng = np.random.default_rng(seed)
    truth, prediction = scale * rng.standard_normal((2, frames, 30, 3))
    lips = rng.choice(30, size=7, replace=False)
    oracle = functional.lip_vertex_error(torch.from_numpy(prediction), torch.from_numpy(truth), lips.tolist())
    assert sum_lve_sq_m2(prediction, truth, lips) / frames == pytest.approx(float(oracle), rel=1e-6)


@pytest.mark.parametrize(
    "function", [sum_lve_mm, sum_lve_sq_m2, sum_lve_centred_mm, sum_lve_mean_mm, sum_mve_mm, fdd_m2]
)
def test_a_motion_that_stops_early_raises(function):
    truth = np.zeros((5, 8, 3), np.float32)
    more = {sum_mve_mm: (), fdd_m2: (truth[0], np.array([1]))}.get(function, (np.array([1]),))
    for bad, message in (
        (truth[:4], "4 frames, ground truth has 5"),
        (truth[:, :7], "7 vertices, ground truth has 8"),
        (truth[..., :2], r"must be \(T, V, 3\)"),
        (truth.reshape(5, 24), r"must be \(T, V, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            function(bad, truth, *more)
    with pytest.raises(ValueError, match="at least one frame"):
        function(truth[:0], truth[:0], *more)


def make_topology(n_vertices=12):
    return Topology(
        "toy",
        n_vertices,
        np.zeros((0, 3), np.int32),
        {"lips": np.arange(4, dtype=np.int32), "upper_face": np.arange(6, 10, dtype=np.int32)},
        neutral=np.zeros((n_vertices, 3), np.float32),
    )


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 5))
def test_relations_between_the_variants(seed, frames):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((frames, 12, 3)).astype(np.float32) * 0.01
    prediction = rng.standard_normal((frames, 12, 3)).astype(np.float32) * 0.01
    template = make_topology().neutral
    g = measure_geometry(prediction, truth, make_topology(), template)
    assert g.frames == frames
    assert g["lve_mean_mm_sum"] <= g["lve_mm_sum"] * (1 + 1e-12)
    # Jensen: the mean of maxima squared never exceeds the mean of squared maxima.
    assert (g["lve_mm_sum"] / frames / 1000) ** 2 <= g["lve_sq_m2_sum"] / frames * (1 + 1e-12)
    back = measure_geometry(truth, prediction, make_topology(), template)
    assert back["lve_mm_sum"] == g["lve_mm_sum"]
    assert back["fdd_m2"] == pytest.approx(-g["fdd_m2"], rel=1e-12)


def test_a_shifted_mouth_costs_nothing_when_centred():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal((4, 12, 3)) * 0.02
    shifted = truth + np.array([0.003, 0.0, 0.004])
    lips = np.arange(5)
    assert sum_lve_mm(shifted, truth, lips) / 4 == pytest.approx(5.0)
    assert sum_lve_centred_mm(shifted, truth, lips) / 4 == pytest.approx(0.0, abs=1e-12)
    assert sum_lve_mean_mm(shifted, truth, lips) / 4 == pytest.approx(5.0)
    assert sum_mve_mm(shifted, truth) / 4 == pytest.approx(5.0)


def test_float32_input_is_computed_in_float64():
    rng = np.random.default_rng(4)
    truth, prediction = rng.standard_normal((2, 3, 12, 3)).astype(np.float32)
    lips = np.arange(4)
    for function in (sum_lve_mm, sum_lve_sq_m2, sum_lve_centred_mm, sum_lve_mean_mm):
        assert function(prediction, truth, lips) == function(
            prediction.astype(float), truth.astype(float), lips
        )


def test_fdd_sign_says_who_moves_more():
    rng = np.random.default_rng(5)
    truth = rng.standard_normal((20, 12, 3)) * 0.01
    topology = make_topology()
    assert measure_geometry(0.5 * truth, truth, topology, topology.neutral)["fdd_m2"] > 0
    assert measure_geometry(2.0 * truth, truth, topology, topology.neutral)["fdd_m2"] < 0
    assert measure_geometry(truth, truth, topology, topology.neutral)["fdd_m2"] == 0


def test_fdd_uses_the_speakers_template_and_is_absent_without_any():
    rng = np.random.default_rng(6)
    truth, prediction = rng.standard_normal((2, 9, 12, 3)) * 0.01
    topology = make_topology()
    given_template = measure_geometry(prediction, truth, topology, template=truth[0])
    assert (
        given_template["fdd_m2"] != measure_geometry(prediction, truth, topology, topology.neutral)["fdd_m2"]
    )
    assert topology.neutral is not None
    assert measure_geometry(prediction, truth, topology)["fdd_m2"] is None
    with pytest.raises(ValueError, match="template must be"):
        measure_geometry(prediction, truth, topology, template=truth[0, :5])


def test_region_names_carry_size_and_digest():
    name = name_region(make_topology(), "lips")
    assert name.startswith("lips-4#")
    other = make_topology()
    other.regions["lips"] = np.arange(1, 5, dtype=np.int32)
    assert name_region(other, "lips") != name


def test_wrong_topology_is_named():
    with pytest.raises(ValueError, match=r"\(T, 12, 3\) for toy"):
        measure_geometry(np.zeros((2, 11, 3)), np.zeros((2, 11, 3)), make_topology())


def test_flame_regions_give_the_papers_lip_list(shared, regions):
    lists = json.loads((shared / "flame2023open/flame_regions.json").read_text())
    assert lists["lips_250_unique"] == sorted(set(regions["lips_254_raw"].tolist()))
    assert lists["upper_face_827"] == regions["upper_face_827"].tolist()
    topology = flame_topology()
    assert topology.region("lips").tolist() == lists["lips_250_unique"]
    assert topology.region("upper_face").tolist() == lists["upper_face_827"]
