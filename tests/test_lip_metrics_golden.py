"""The metrics of papers of 2024 to 2026 give the numbers of the original code, on data beside the checkout."""

import json
import re

import numpy as np
import pytest

from mtbench.faces import load_topology
from mtbench.metrics.aperture_loudness import compare_loudness
from mtbench.metrics.base import FacePair, Member
from mtbench.metrics.fdd_artalk import deviate_artalk_mm
from mtbench.metrics.lip_dtw import lip_dtw
from mtbench.metrics.lip_dynamics import measure_dynamics
from mtbench.metrics.lip_gap import measure_gap_mm
from mtbench.metrics.loudness import find_silence, mark_stretches, measure_loudness
from mtbench.metrics.loudness_correlation import (
    measure_lip_intensity,
    measure_speech_intensity,
    score_members,
)
from mtbench.metrics.lve import sum_lve_mm, sum_lve_sq_m2
from mtbench.metrics.lve_rms import root_mean_lve_mm
from mtbench.metrics.mouth_opening import measure_opening_mm, sum_mod_mm
from mtbench.metrics.mouth_timing import match_extrema
from mtbench.metrics.mve_rms import root_mean_mve_mm
from mtbench.metrics.silent_lips import measure_stability
from mtbench.metrics.takes import measure_diversity_mm, sum_coverage_m2, sum_mean_estimate_m2
from mtbench.metrics.warping import sum_warping_cost, trace_warping_path, warp_curves

UPPER, LOWER = 3531, 3504


@pytest.fixture(scope="module")
def golden(shared):
    folder = shared / "golden" / "lipmetrics_a"
    if not folder.is_dir():
        pytest.skip("../shared/golden/lipmetrics_a is absent")
    return [json.loads((folder / f"{name}.json").read_text()) for name in ("recipe", "expected")]


@pytest.fixture(scope="module")
def older(shared):
    folder = shared / "golden" / "lve_a"
    if not folder.is_dir():
        pytest.skip("../shared/golden/lve_a is absent")
    return [json.loads((folder / f"{name}.json").read_text()) for name in ("recipe", "expected")]


def make_clip(clip, dtype=np.float64, noise_seed=None):
    """Truth and prediction by the recipe; noise may be drawn from another seed."""

    def draw(seed):
        rng = np.random.default_rng(seed)
        return (
            rng.standard_normal((5023, 3)) * 0.05,
            rng.standard_normal((4, 5023, 3)) * 0.002,
            rng.uniform(0.5, 6.0, 4),
            rng.uniform(0.0, 2 * np.pi, 4),
            rng.standard_normal((clip["frames_pred"], 5023, 3)) * 0.0005,
        )

    template, weights, frequency, phase, noise = draw(clip["seed"])
    if noise_seed is not None:
        noise = draw(noise_seed)[-1]

    def motion(t, fps):
        out = np.zeros((5023, 3))
        for k in range(4):
            out = out + np.sin(2 * np.pi * frequency[k] * t / fps + phase[k]) * weights[k]
        return out

    rates = clip.get("fps_gt", 25.0), clip.get("fps_pred", 25.0)
    truth = np.stack([template + motion(t, rates[0]) for t in range(clip["frames_gt"])])
    prediction = np.stack(
        [
            template + clip["gain"] * motion(t - clip["delay"], rates[1]) + noise[t]
            for t in range(clip["frames_pred"])
        ]
    )
    return truth.astype(dtype), prediction.astype(dtype)


def lips_of(recipe):
    return np.array(recipe["regions"]["lips_254_raw"])


def keypoint(vertices, point):
    weights = np.array(point["weights"], vertices.dtype)
    return (vertices[:, point["vertices"]] * weights[:, None]).sum(axis=1)


def test_lip_dtw_of_3diface(golden):
    recipe, expected = golden
    triangles = recipe["lip_keypoint_triangles"]
    for case in expected["lip_dtw_3diface"]:
        truth, prediction = make_clip(case["clip"], case["dtype"])
        tolerance = 1e-12 if case["dtype"] == "float64" else 1e-5
        both = {
            "triangles": [
                np.stack([keypoint(x, triangles["upper"]), keypoint(x, triangles["lower"])], axis=1)
                for x in (truth, prediction)
            ],
            "single_vertices": [x[:, [UPPER, LOWER]] for x in (truth, prediction)],
        }
        for name, pair in both.items():
            gaps = [measure_gap_mm(x, 0, 1) for x in pair]
            wanted = case[name]
            assert gaps[0] == pytest.approx(wanted["gt_gap_mm"], rel=tolerance)
            assert gaps[1] == pytest.approx(wanted["pred_gap_mm"], rel=tolerance)
            assert lip_dtw(*gaps)[0] / len(truth) == pytest.approx(wanted["lip_dtw"], rel=tolerance)


def test_lip_errors_of_3diface_are_these_in_other_units(golden):
    """Its "lip sync metric" is a third of the squared LVE in mm², its L2 form is LVE."""
    recipe, expected = golden
    lips, compared = lips_of(recipe), 0
    for case in expected["lip_dtw_3diface"]:
        if "lip_sync_metric" not in case:
            continue
        truth, prediction = make_clip(case["clip"], case["dtype"])
        tolerance = 1e-12 if case["dtype"] == "float64" else 1e-5
        third = 1e6 * sum_lve_sq_m2(prediction, truth, lips) / len(truth) / 3
        assert third == pytest.approx(case["lip_sync_metric"], rel=tolerance)
        largest = sum_lve_mm(prediction, truth, lips) / len(truth)
        assert largest == pytest.approx(case["lip_sync_metric_l2"], rel=tolerance)
        gaps = [measure_gap_mm(x, UPPER, LOWER) for x in (truth, prediction)]
        signed = case["single_vertices"]["lip_distance_metric"]
        # A mean of differences of some 100 mm: float32 leaves four digits of it.
        loose = tolerance if tolerance < 1e-9 else 1e-4
        assert np.mean(gaps[0] - gaps[1]) == pytest.approx(signed, rel=loose, abs=1e-12)
        compared += 1
    assert compared > 1


def test_whole_faces_are_warped_as_by_3diface(golden):
    _, expected = golden
    for case in expected["lip_dtw_3diface"]:
        if case["dtype"] == "float64":
            truth, prediction = make_clip(case["clip"])
            cost = 1000 * np.abs(truth[:, None] - prediction[None]).sum(axis=(2, 3))
            found = sum_warping_cost(cost)[-1, -1] / len(truth) / 5023
            assert found == pytest.approx(case["dtw_full_sequence"], rel=1e-12)


def test_paths_of_3diface(golden):
    for case in golden[1]["dtw_curves"]:
        total = warp_curves(np.array(case["reference"], float), np.array(case["prediction"], float))
        assert total[-1, -1] == pytest.approx(case["distance"], rel=1e-12)
        assert trace_warping_path(total).T.tolist() == case["path"]
        assert lip_dtw(case["reference"], case["prediction"]) == (
            pytest.approx(case["distance"], rel=1e-12),
            len(case["path"][0]),
        )


def test_mod_of_talking_head_metrics(golden):
    recipe, expected = golden
    lips = lips_of(recipe)
    for case in expected["mod_extent"]:
        truth, prediction = make_clip(case["clip"], case["dtype"])
        tolerance = 1e-12 if case["dtype"] == "float64" else 1e-6
        frames = min(len(truth), len(prediction))  # the original cuts; this toolkit never does
        truth, prediction = truth[:frames], prediction[:frames]
        opening = [measure_opening_mm(x, lips)[0] / 1000 for x in (truth, prediction)]
        assert opening == pytest.approx([case["opening_gt_first"], case["opening_pred_first"]], rel=tolerance)
        # The original subtracts openings of 0.3 m in float32, whose last digit is a millionth of their difference.
        loose = tolerance if case["dtype"] == "float64" else 2e-6
        assert sum_mod_mm(prediction, truth, lips) / frames / 1000 == pytest.approx(case["mod"], rel=loose)


def test_errors_of_artalk(golden):
    recipe, expected = golden
    lips = lips_of(recipe)
    for case in expected["artalk"]:
        clips = [make_clip(clip, case["dtype"]) for clip in case["batch"]]
        # The original takes the root over all frames of a batch: clips of one batch are one long clip.
        truth, prediction = (np.concatenate(x) for x in zip(*clips, strict=True))
        tolerance = 1e-12 if case["dtype"] == "float64" else 1e-6
        assert root_mean_lve_mm(prediction, truth, lips) == pytest.approx(case["lve_rms_mm"], rel=tolerance)
        assert root_mean_mve_mm(prediction, truth) == pytest.approx(case["mhd_rms_mm"], rel=tolerance)
        upper = np.array(recipe["regions"]["artalk_upper_884_raw"])
        found = np.mean([deviate_artalk_mm(b, a, upper) for a, b in clips])
        assert 100 * found == pytest.approx(case["fdd"], rel=max(tolerance, 1e-12))


def test_takes_of_probtalk3d(golden):
    recipe, expected = golden
    lips, wanted = lips_of(recipe), expected["probtalk3d"]
    sums, frames, spread = np.zeros(2), 0, []
    for case in wanted["clips"]:
        clip = case["clip"]
        truth, _ = make_clip(clip, np.float32)
        takes = [
            make_clip(clip, np.float32, clip["seed"] + k)[1] * np.float32(1 + 0.001 * k)
            for k in range(case["samples"])
        ]
        mee = sum_mean_estimate_m2(takes, truth, lips)
        ce, chosen = sum_coverage_m2(takes, truth, lips)
        assert mee / len(truth) == pytest.approx(case["mee"], rel=1e-6)
        assert ce / len(truth) == pytest.approx(case["ce"], rel=1e-6)
        assert chosen == case["ce_chosen"]
        order = case["order_after_shuffle"]
        pairs = [(order[k], order[k + len(order) // 2]) for k in range(len(order) // 2)]
        spread.append(measure_diversity_mm(takes, pairs=pairs) / 1000)
        assert spread[-1] == pytest.approx(case["diversity"], rel=1e-6)
        sums += mee, ce
        frames += len(truth)
    assert sums / frames == pytest.approx([wanted["mee"], wanted["ce"]], rel=1e-6)
    assert np.mean(spread) == pytest.approx(wanted["diversity"], rel=1e-6)


def test_diversity_of_facediffuser(golden):
    wanted = golden[1]["facediffuser_diversity"]
    groups = {}
    for item in wanted["items"]:
        prediction = make_clip(item["clip"], np.float32, item["noise_seed"])[1]
        groups.setdefault(item["file"].split("_condition_")[0], []).append(prediction)
    found = [measure_diversity_mm(takes) / 1000 for takes in groups.values() if len(takes) > 1]
    assert found == pytest.approx(wanted["each"], rel=1e-6)
    assert np.mean(found) == pytest.approx(wanted["diversity"], rel=1e-6)


def make_landmarks(case):
    rng = np.random.default_rng(case["seed"])
    rest = rng.uniform(0.3, 0.7, (478, 2))
    weights = rng.standard_normal((3, 478, 2)) * 0.02
    frequency, phase = rng.uniform(0.5, 4.0, 3), rng.uniform(0.0, 2 * np.pi, 3)
    for point, place in ((33, (0.35, 0.41)), (133, (0.44, 0.40)), (362, (0.56, 0.40)), (263, (0.66, 0.42))):
        rest[point] = place
    frames = []
    for t in range(case["frames"]):
        out = np.zeros((478, 2))
        for k in range(3):
            out = out + np.sin(2 * np.pi * frequency[k] * t / case["fps"] + phase[k]) * weights[k]
        frames.append(rest + out)
    return np.stack(frames)


def make_sound(case):
    n, rate = case["samples"], case["sr"]
    noise = np.random.default_rng(case["seed"]).standard_normal(n)
    t = np.arange(n) / rate
    return ((0.05 + 0.2 * np.sin(2 * np.pi * 1.7 * t) ** 2) * noise).astype(np.float32)


def test_lips_of_theval(golden):
    theval = golden[1]["theval"]
    for case in theval["cases"]:
        points = make_landmarks(case)
        seen = np.ones(case["frames"], bool)
        seen[case["missing"]] = False
        loudness = measure_loudness(make_sound(case), case["frames"], case["fps"], case["sr"])
        assert loudness == pytest.approx(case["loudness"], rel=1e-6)
        upper, lower = (points[:, theval[f"lip_sync_{side}"]] for side in ("upper", "lower"))
        eyes = points[:, [362, 263], 0].mean(axis=1) - points[:, [33, 133], 0].mean(axis=1)
        openness = np.abs(upper[..., 1].mean(axis=1) - lower[..., 1].mean(axis=1)) / np.abs(eyes)
        openness[~seen] = np.nan
        speech = mark_stretches([(s["start"], s["end"]) for s in case["speech"]], case["frames"], case["fps"])
        if "speech_frames" in case:
            assert np.flatnonzero(speech).tolist() == case["speech_frames"]
        found = compare_loudness(openness, loudness, speech)
        assert found == (None if case["lip_sync"] is None else pytest.approx(case["lip_sync"], rel=1e-6))

        silent = find_silence(speech, case["fps"])
        if "silence_frames" in case:
            assert np.flatnonzero(silent).tolist() == case["silence_frames"]
        corners = 256 * (points[:, 263] - points[:, 33])
        gap = 256 * np.abs(upper[..., 1] - lower[..., 1]).mean(axis=1)
        opening = gap / np.hypot(corners[:, 0], corners[:, 1])
        opening[~seen] = np.nan
        stable = measure_stability(opening, silent)
        wanted = case["silent_lip_stability"]
        assert stable == (None if wanted is None else pytest.approx(wanted, rel=1e-12))

        mouth = 256 * points[seen][:, theval["lip_dynamics_landmarks"]]
        if case["lip_dynamics"] is not None:
            assert measure_dynamics(mouth) == pytest.approx(case["lip_dynamics"], rel=1e-12)


def test_derivative_warping_of_perceptual_3d(older):
    x, y = np.random.default_rng(100).standard_normal((2, 30))
    slopes = [np.diff(curve, prepend=curve[0]) for curve in (x[:25], y)]
    total = warp_curves(*slopes)
    assert total[-1, -1] == pytest.approx(older[1]["ddtw"]["distance"], rel=1e-12)
    assert trace_warping_path(total).tolist() == older[1]["ddtw"]["path"]


def test_mtm_of_perceptual_3d(older):
    recipe, expected = older
    for clip, wanted in zip(recipe["mtm_clips"], expected["mtm"], strict=True):
        truth, prediction = make_clip(clip)
        gaps = [measure_gap_mm(x, UPPER, LOWER) for x in (prediction, truth[::2])]
        delays = [abs(i - j) for i, j in match_extrema(*gaps)]
        assert delays == wanted["delta_t"]
        assert np.mean(delays) == wanted["mean_delta_t"]


def test_slcc_of_perceptual_3d(older):
    recipe, expected = older
    lips, wanted = lips_of(recipe), expected["slcc"]
    members = []
    for item in wanted["items"]:
        _, prediction = make_clip(item["motion"], np.float32)
        seed, level = map(int, re.findall(r"default_rng\((\d+)\).*\* (\d+)\)", item["audio"])[0])
        sound = (np.random.default_rng(seed).standard_normal((1600, 2)) * level).astype(np.int16)
        intensity = measure_lip_intensity(prediction, lips)
        assert intensity == pytest.approx(item["lip_intensity"], rel=1e-6)
        # Of stereo sound the original takes the mean of the channels.
        loud = measure_speech_intensity(sound.mean(axis=1))
        assert loud == pytest.approx(item["speech_rms"], rel=1e-9)
        # The original's intensities are float32: its correlation is checked on them.
        members.append(Member(item["identity"], item["lip_intensity"], loud))
    cells = score_members(members)
    r = sum(n for n, _ in cells) / sum(d for _, d in cells)
    assert len(members) == wanted["overall"]["n"]
    assert r == pytest.approx(wanted["overall"]["r"], abs=1e-9)


def test_metrics_of_flame_take_the_vertices_of_the_papers(golden):
    truth, prediction = make_clip(golden[0]["checksum"]["clip"])
    topology = load_topology("flame-5023")
    pair = FacePair(prediction, truth, topology.region, topology=topology)
    from mtbench.metrics import METRICS

    wanted = golden[1]["lip_dtw_3diface"][1]
    assert wanted["dtype"] == "float64"
    assert METRICS["lip_dtw_mm"].measure(pair) / len(truth) == pytest.approx(
        wanted["single_vertices"]["lip_dtw"], rel=1e-12
    )
