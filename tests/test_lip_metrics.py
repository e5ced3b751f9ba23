"""Metrics that papers print: cases that can be computed by hand, and inputs on the edge."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mtbench
from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology, load_topology
from mtbench.metrics import METRICS, FacePair, choose_metrics, measure_asked, measure_frames
from mtbench.metrics.base import Member
from mtbench.metrics.closures import SHUT, count_closures, count_false_closures
from mtbench.metrics.jaw import find_jaw
from mtbench.metrics.lip_concordance import agree_curves
from mtbench.metrics.lip_correlation import correlate_curves
from mtbench.metrics.lip_dtw import lip_dtw
from mtbench.metrics.lip_gap import aperture_of, find_landmark, gap_of
from mtbench.metrics.loudness import find_silence, find_speech, measure_loudness
from mtbench.metrics.loudness_correlation import score_members
from mtbench.metrics.mouth_timing import match_extrema
from mtbench.metrics.takes import measure_diversity_mm
from mtbench.metrics.warping import sum_warping_cost

HEAD = load_topology("openhead-1")
UPPER, LOWER = 520, 523
BESIDE = [m for m in METRICS.optional() if METRICS[m].needs_truth]
ALONE = [m for m in METRICS.optional() if not METRICS[m].needs_truth]


def phone(symbol, start, end, release=None):
    return SimpleNamespace(symbol=symbol, start=start, end=end, release=release)


def talk(opening_mm, topology=HEAD):
    """A face whose lower lip and jaw go down by so many millimetres in each frame."""
    face = np.repeat(topology.neutral[None].astype(np.float64), len(opening_mm), axis=0)
    moving = np.union1d(find_jaw(topology), topology.region("lips"))
    y = topology.neutral[moving, 1]
    lower = np.union1d(moving[y < np.median(topology.neutral[topology.region("lips"), 1])], [LOWER])
    lower = np.setdiff1d(lower, [UPPER])
    face[:, lower, 1] -= np.asarray(opening_mm, float)[:, None] / 1000
    return face


def wave(frames, hertz=3.0, fps=25.0, late=0.0):
    return 6 - 6 * np.cos(2 * np.pi * hertz * (np.arange(frames) / fps - late))


def pair(prediction, truth=None, **others):
    truth = prediction[:0] if truth is None else truth
    return FacePair(prediction, truth, HEAD.region, topology=HEAD, **others)


# ---- curves ------------------------------------------------------------------------------------------------


def test_the_aperture_is_signed_and_turns_with_the_head():
    vertices = talk([0, 5, 10])
    aperture = aperture_of(pair(vertices), vertices)
    assert np.diff(aperture) == pytest.approx([5, 5], rel=0.05)
    crossed = vertices.copy()
    crossed[:, [UPPER, LOWER]] = crossed[:, [LOWER, UPPER]]
    # Points that have passed each other: the aperture is negative, the gap is not.
    assert aperture_of(pair(crossed), crossed) == pytest.approx(-aperture, abs=1e-9)
    assert gap_of(pair(crossed), crossed) == pytest.approx(gap_of(pair(vertices), vertices))
    angle = np.radians(40)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    turned = vertices @ turn.T + [0.1, 0, -0.2]
    assert aperture_of(pair(turned), turned) == pytest.approx(aperture, abs=1e-9)


def test_topologies_without_landmarks_are_told():
    bare = Topology("bare", 9, np.zeros((0, 3), np.int32), {"lips": np.arange(3)})
    still = np.zeros((2, 9, 3))
    with pytest.raises(ValueError, match="topology bare has no landmarks"):
        gap_of(FacePair(still, still, bare.region, topology=bare), still)
    with pytest.raises(ValueError, match="need the topology"):
        gap_of(FacePair(still, still, bare.region), still)
    assert find_jaw(bare) is None


@pytest.mark.parametrize("name", ["openhead-1", "flame-5023"])
def test_both_heads_have_a_jaw_below_the_lips(name, shared):
    topology = load_topology(name)
    neutral = topology.neutral
    if name == "flame-5023":
        neutral = np.load(shared / "flame2023open" / "flame2023open_v_template_5023x3_f64.npy")
    jaw, lips = find_jaw(topology), topology.region("lips")
    assert not set(jaw.tolist()) & set(lips.tolist())
    assert neutral[jaw, 1].max() < neutral[find_landmark(topology, 57), 1]
    assert neutral[jaw, 1].mean() < neutral[lips, 1].min()
    assert 50 < len(jaw) < 400


# ---- lip DTW -----------------------------------------------------------------------------------------------


def test_lip_dtw_forgives_time_and_not_size():
    truth = wave(40)
    late = np.r_[np.full(4, truth[0]), truth[:-4]]
    assert lip_dtw(truth, truth)[0] == 0
    assert lip_dtw(truth, late)[0] < 0.2 * np.abs(truth - late).sum()
    distance, _ = lip_dtw(truth, truth + 2)
    assert distance > 0.5 * 2 * len(truth) * 0.2
    assert lip_dtw(np.full(5, 3.0), np.full(9, 1.0)) == (18.0, 9)  # every frame is 2 off, nine pairs


@pytest.mark.parametrize("frames", [(1, 1), (1, 30), (30, 1), (25, 60)])
def test_lip_dtw_takes_any_two_lengths(frames):
    a, b = (wave(n) for n in frames)
    distance, pairs = lip_dtw(a, b)
    assert np.isfinite(distance)
    assert max(frames) <= pairs <= sum(frames)


def test_lip_dtw_by_two_names():
    prediction, truth = talk(wave(30, late=0.1)), talk(wave(30))
    by_frames = mtbench.metrics.lip_dtw_mm(prediction, truth)
    by_path = mtbench.metrics.lip_dtw_path_mm(prediction, truth)
    distance, pairs = lip_dtw(gap_of(pair(truth), truth), gap_of(pair(prediction), prediction))
    assert by_frames == pytest.approx(distance / 30)
    assert by_path == pytest.approx(distance / pairs)
    assert by_path < by_frames


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_curves_that_are_not_finite_are_refused(bad):
    curve = wave(9)
    curve[4] = bad
    with pytest.raises(ValueError, match="not \\(NaN or infinite\\)"):
        lip_dtw(curve, wave(9))
    with pytest.raises(ValueError, match="one value or more"):
        sum_warping_cost(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="finite mono samples"):
        measure_loudness(curve, 3, 25.0)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), m=st.integers(1, 12))
def test_warping_agrees_with_the_textbook(seed, n, m):
    cost = np.random.default_rng(seed).integers(0, 5, (n, m)).astype(float)
    total = np.full((n, m), np.inf)
    for i in range(n):
        for j in range(m):
            ways = [total[a, b] for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if min(a, b) >= 0]
            total[i, j] = cost[i, j] + min(ways, default=0.0)
    assert sum_warping_cost(cost).tolist() == total.tolist()


# ---- correlation, timing -----------------------------------------------------------------------------------


def test_correlation_is_blind_to_size_and_concordance_is_not():
    truth, half = talk(wave(50)), talk(0.5 * wave(50))
    assert mtbench.metrics.lip_pcc(half, truth) == pytest.approx(1.0, abs=1e-3)
    assert 0.5 < mtbench.metrics.lip_ccc(half, truth) < 0.75
    assert mtbench.metrics.lip_ccc(truth, truth) == pytest.approx(1.0)
    upside = talk(12 - wave(50))
    assert mtbench.metrics.lip_pcc(upside, truth) == pytest.approx(-1.0, abs=1e-3)


def test_lips_that_do_not_move():
    still, truth = talk(np.zeros(20)), talk(wave(20))
    for metric in (mtbench.metrics.lip_pcc, mtbench.metrics.lip_ccc):
        assert metric(still, truth) == pytest.approx(0.0, abs=1e-12)
        with pytest.raises(UsageError, match="does not exist here: the true lips do not move"):
            metric(truth, still)
    assert correlate_curves(np.ones(1), np.ones(1)) is None
    assert agree_curves(np.ones(1), np.ones(1)) is None
    # What rounding makes of a still face that is carried about is no movement.
    path = np.linspace(0, 0.3, 20)[:, None, None] * np.array([1.0, 0.2, -0.5])
    carried = (still + path).astype(np.float32)
    assert mtbench.metrics.lip_pcc(carried, truth) == 0.0


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_mtm_finds_a_delay_at_any_rate(fps):
    frames = round(3 * fps)
    truth = Motion(talk(wave(frames, 2.0, fps)).astype(np.float32), fps, HEAD)
    late = Motion(talk(wave(frames, 2.0, fps, late=3 / fps)).astype(np.float32), fps, HEAD)
    assert mtbench.metrics.mtm_ms(late, truth) == pytest.approx(3000 / fps, rel=0.15)
    assert mtbench.metrics.mtm_ms(truth, truth) == 0.0
    assert mtbench.metrics.mtm_matched(truth, truth) == 100.0


def test_mtm_says_what_it_left_out():
    truth, still = talk(wave(50)), talk(np.zeros(50))
    assert match_extrema(gap_of(pair(still), still), gap_of(pair(truth), truth)) == []
    with pytest.raises(UsageError, match="no opening or closing of the lips belongs"):
        mtbench.metrics.mtm_ms(still, truth)
    assert mtbench.metrics.mtm_matched(still, truth) == 0.0
    with pytest.raises(UsageError, match="neither open nor close"):
        mtbench.metrics.mtm_matched(truth, still)
    one = talk([3.0])
    with pytest.raises(UsageError, match="does not exist here"):
        mtbench.metrics.mtm_ms(one, one)


# ---- closures ----------------------------------------------------------------------------------------------


def test_closures_are_a_pair():
    said = [phone("sil", 0, 0.2), phone("p", 0.2, 0.4, 0.36), phone("a", 0.4, 0.8), phone("m", 0.8, 0.96)]
    opening = np.full(24, 9.0)
    opening[:5] = 0
    closing = opening.copy()
    closing[5:9] = 0  # p, and not m
    rest = HEAD.neutral
    found = {
        name: [
            getattr(mtbench.metrics, metric)(talk(curve), template=rest, phones=said)
            for metric in ("closure_recall", "false_closures")
        ]
        for name, curve in (
            ("never", opening),
            ("p", closing),
            ("always", np.zeros(24)),
            ("chatter", np.where(np.arange(24) % 2, 9.0, 0.0)),
        )
    }
    assert found == {"never": [0, 0], "p": [50, 0], "always": [100, 100], "chatter": [100, 100]}


def test_what_a_closure_is():
    shut = np.zeros(10, bool)
    shut[3] = True  # at 0.3 s of ten frames a second
    assert count_closures(shut, [phone("b", 0.35, 0.9, 0.5)], 10.0) == (1, 1)  # half a frame before
    assert count_closures(shut, [phone("b", 0.36, 0.9, 0.5)], 10.0) == (0, 1)
    assert count_closures(shut, [phone("b", 0.0, 0.9, 0.24)], 10.0) == (0, 1)  # released before
    assert count_closures(shut, [phone("b", 0.0, 0.9, None)], 10.0) == (1, 1)  # nobody knows when
    assert count_closures(shut, [phone("k", 0.0, 0.9)], 10.0) == (0, 0)
    assert count_closures(shut, [phone("b", 5.0, 6.0)], 10.0) == (0, 1)  # behind the motion's end
    assert count_false_closures(shut, [phone("a", 0.1, 0.5)], 10.0) == (1, 1)
    assert count_false_closures(shut, [phone("a", 0.29, 0.9)], 10.0) == (0, 1)  # its beginning only
    assert count_false_closures(shut, [phone("a", 0.28, 0.33)], 10.0) == (1, 1)  # shorter than a frame
    assert count_false_closures(shut, [phone("i", 0.1, 0.5)], 10.0) == (0, 0)


def test_closures_need_phones_a_resting_face_and_such_sounds():
    face = talk(np.zeros(5))
    for others in (
        {"template": HEAD.neutral},
        {"phones": [phone("p", 0, 0.1)]},
        {"template": HEAD.neutral, "phones": [phone("k", 0, 0.1)]},
    ):
        with pytest.raises(UsageError, match="closure_recall does not exist here: no timed phones"):
            mtbench.metrics.closure_recall(face, **others)
    assert SHUT == 2.0


# ---- without ground truth ----------------------------------------------------------------------------------


def test_loudness_of_the_openings():
    fps, frames = 25.0, 50
    t = np.arange(16000 * 2) / 16000
    envelope = 0.5 - 0.5 * np.cos(2 * np.pi * 3.0 * t)
    sound = (0.5 * envelope * np.sign(np.sin(2 * np.pi * 200 * t))).astype(np.float32)
    good, bad = talk(wave(frames)), talk(12 - wave(frames))
    with_sound = {"sound": sound, "fps": fps}
    assert mtbench.metrics.lip_loudness(good, **with_sound) < 0.1
    assert mtbench.metrics.lip_loudness(bad, **with_sound) > 0.4
    with pytest.raises(UsageError, match="no sound, or hardly any speech"):
        mtbench.metrics.lip_loudness(good)
    silence = [phone("sil", 0, 2.0)]
    with pytest.raises(UsageError, match="hardly any speech"):
        mtbench.metrics.lip_loudness(good, phones=silence, **with_sound)
    with pytest.raises(UsageError, match="hardly any speech"):
        mtbench.metrics.lip_loudness(good, sound=np.zeros(32000))


def test_lips_in_silence():
    said = [phone("sil", 0, 0.4), phone("a", 0.4, 1.0), phone("sil", 1.0, 2.0)]
    wander = np.zeros(50)
    wander[30:] = np.where(np.arange(20) % 2, 2.0, 0.0)
    assert mtbench.metrics.silent_lips_mm(talk(np.zeros(50)), phones=said) == pytest.approx(0.0, abs=1e-12)
    assert mtbench.metrics.silent_lips_mm(talk(wander), phones=said) > 0.5
    with pytest.raises(UsageError, match=r"no silence of 0\.3 s"):
        mtbench.metrics.silent_lips_mm(talk(wander), phones=[phone("a", 0, 2.0)])
    with pytest.raises(UsageError, match="no silence"):
        mtbench.metrics.silent_lips_mm(talk(wander))


def test_speech_is_found_in_the_sound_where_there_are_no_phones():
    still = talk(np.zeros(50))
    sound = np.zeros(32000)
    sound[8000:16000] = 0.1 * np.sin(np.arange(8000))
    speech = find_speech(pair(still, sound=lambda: sound))
    assert np.flatnonzero(speech)[[0, -1]].tolist() == pytest.approx([12, 25], abs=1)
    assert find_silence(speech, 25.0).sum() == 50 - speech.sum()
    assert find_speech(pair(still)) is None


def test_dynamics_say_how_much():
    values = [mtbench.metrics.lip_dynamics_mm(talk(k * wave(50))) for k in (0.0, 0.5, 1.0)]
    assert values[0] == pytest.approx(0.0, abs=1e-12)
    assert values[2] == pytest.approx(2 * values[1], rel=0.2)
    assert mtbench.metrics.lip_dynamics_mm(talk([4.0])) == 0.0
    assert METRICS["lip_dynamics_mm"].higher_is_better is None


def test_slcc_is_within_speakers():
    louder = [Member("a", 1, 10), Member("a", 2, 20), Member("a", 3, 30)]
    shouting = [Member("b", 9, 1), Member("b", 8, 2), Member("b", 7, 3)]

    def r(members):
        cells = score_members(members)
        found = [cell for cell in cells if not isinstance(cell, str)]
        return sum(n for n, _ in found) / sum(d for _, d in found)

    assert r(louder) == pytest.approx(1.0)
    assert r(louder + shouting) == pytest.approx(0.0, abs=1e-12)
    x, y = np.random.default_rng(3).standard_normal((2, 9))
    assert r([Member("", a, b) for a, b in zip(x, y)]) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert all(isinstance(c, str) for c in score_members([Member("a", 1, 1), Member("b", 2, 2)]))
    assert all(isinstance(c, str) for c in score_members([Member("a", 1, 1), Member("a", 1, 2)]))


def test_slcc_in_one_line():
    faces = [talk(k * wave(30)) for k in (1, 2, 3)]
    sounds = [0.1 * k * np.ones(19200) for k in (1, 3, 2)]
    assert mtbench.metrics.slcc(faces, sound=sounds) == pytest.approx(0.5, abs=1e-6)
    with pytest.raises(UsageError, match="no other clips of the speaker"):
        mtbench.metrics.slcc(faces, sound=sounds, speaker=["a", "b", "c"])


# ---- several takes, regions, frames ------------------------------------------------------------------------


def test_diversity_is_over_all_pairs():
    takes = [talk(np.zeros(4)) + np.array([0, 0, k / 1000]) for k in (0, 1, 3)]
    assert measure_diversity_mm(takes) == pytest.approx(2.0)
    assert measure_diversity_mm(takes, pairs=[(0, 1)]) == pytest.approx(1.0)
    assert measure_diversity_mm([takes[0]] * 3) == 0.0
    with pytest.raises(ValueError, match="two takes"):
        measure_diversity_mm(takes[:1])
    with pytest.raises(ValueError, match="frames"):
        measure_diversity_mm([takes[0], takes[1][:2]])


def test_regions_are_told_apart():
    truth = talk(np.zeros(3))
    moved = truth.copy()
    moved[:, find_jaw(HEAD), 1] += 0.002
    assert mtbench.metrics.jaw_mm(moved, truth) == pytest.approx(2.0)
    assert mtbench.metrics.upper_face_mm(moved, truth) == 0.0
    assert mtbench.metrics.lve_mean_mm(moved, truth) == 0.0


def test_frames_for_plots():
    truth, prediction = talk(wave(12)), talk(0.5 * wave(12))
    curves = measure_frames(prediction, truth, HEAD, fps=25.0, sound=np.ones(7680))
    assert next(iter(curves)) == "seconds"
    assert {len(curve) for curve in curves.values()} == {12}
    for curve, metric in (("lve_mm", "lve_mm"), ("lips_mm", "lve_mean_mm"), ("jaw_mm", "jaw_mm")):
        assert curves[curve].mean() == pytest.approx(getattr(mtbench.metrics, metric)(prediction, truth))
    assert correlate_curves(curves["aperture_mm"], curves["true_aperture_mm"]) > 0.99
    with pytest.raises(ValueError, match="another frame rate"):
        measure_frames(prediction[:5], truth, HEAD)


# ---- all of them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BESIDE)
def test_metrics_beside_the_truth_are_best_on_the_truth(name):
    truth, other = talk(wave(50)), talk(0.4 * wave(50, late=0.12))
    metric = getattr(mtbench.metrics, name)
    best, worse = metric(truth, truth), metric(other, truth)
    assert np.isfinite([best, worse]).all()
    if name not in ("upper_face_mm", "fdd_artalk_mm", "mtm_matched"):
        assert best > worse if METRICS[name].higher_is_better else best < worse


@pytest.mark.parametrize("name", BESIDE)
def test_lengths_and_values_that_do_not_fit_are_refused(name):
    truth = talk(wave(12))
    metric = getattr(mtbench.metrics, name)
    with pytest.raises(UsageError, match="11 frames, truth has 12"):
        metric(truth[:11], truth)
    broken = truth.copy()
    broken[3, 5, 1] = np.nan
    with pytest.raises(UsageError, match="prediction"):
        metric(broken, truth)
    with pytest.raises(UsageError, match="compares with ground truth"):
        metric(truth)
    with pytest.raises(UsageError, match="flame-5023 has 5023 vertices"):
        metric(truth, truth, topology="flame-5023")
    slow, fast = (Motion(truth.astype(np.float32), fps, HEAD) for fps in (25.0, 30.0))
    with pytest.raises(UsageError, match="frames per second"):
        metric(slow, fast)


@pytest.mark.parametrize("name", METRICS.optional())
def test_one_frame_gives_a_number_or_a_reason(name):
    face = talk([4.0])
    given_ = {"template": HEAD.neutral, "phones": [phone("p", 0.0, 0.04)], "sound": np.ones(640)}
    metric = getattr(mtbench.metrics, name)
    if name in (
        "fdd_artalk_mm",
        "lip_pcc",
        "lip_ccc",
        "mtm_ms",
        "mtm_matched",
        "false_closures",
        "silent_lips_mm",
        "slcc",
        "lip_loudness",
    ):
        with pytest.raises(UsageError, match="does not exist here: "):
            metric(face, face, **given_)
    else:
        assert np.isfinite(metric(face, face, **given_))


def test_one_line_on_flame(shared):
    neutral = np.load(shared / "flame2023open" / "flame2023open_v_template_5023x3_f64.npy")
    truth = np.repeat(neutral[None], 6, axis=0)
    moved = truth + np.array([0, 0.003, 0.004])
    assert mtbench.metrics.lve_mm(moved, truth, topology="flame-5023") == pytest.approx(5.0)
    assert mtbench.metrics.jaw_mm(moved, truth) == pytest.approx(5.0)
    assert mtbench.metrics.lip_dtw_mm(moved, truth) == pytest.approx(0.0, abs=1e-12)
    assert mtbench.metrics.wer("ogni individuo", "ogni uomo", language="ita") == 50.0
    assert mtbench.metrics.cer("abc", "abd", language="eng") == pytest.approx(100 / 3)


def test_every_metric_of_vertices_is_a_line():
    for metric in METRICS.every_geometric():
        assert metric.name == "fdd_abs_m2" or callable(getattr(mtbench.metrics, metric.name))


def test_optional_metrics_are_measured_where_asked_for():
    truth, prediction = talk(wave(10)), talk(wave(10, late=0.1))
    beside, alone = measure_asked(pair(prediction, truth), choose_metrics(["lip_pcc", "lip_dynamics_mm"]))
    assert [*beside] == ["lip_pcc"]
    assert [*alone] == ["lip_dynamics_mm"]
    assert measure_asked(pair(prediction, truth), ()) == (None, None)
    # Without ground truth, what needs one is left out.
    beside, alone = measure_asked(pair(prediction), choose_metrics(["all"]))
    assert beside is None
    assert alone.frames == 10
    assert {m for m in METRICS.optional() if METRICS[m].needs_truth} == set(BESIDE)
    with pytest.raises(UsageError, match=r"unknown metric 'lip_ppc'.*did you mean.*lip_pcc"):
        choose_metrics(["lip_ppc"])
    assert choose_metrics(["all"]) == tuple(METRICS.optional())
    assert not [m for m in METRICS.geometric() if m.optional]


def test_every_metric_says_what_it_is():
    for metric in METRICS.values():
        assert metric.definition, metric.name
        assert metric.source, metric.name
        assert metric.failures, metric.name


def test_the_document_has_the_definitions_as_they_are():
    from conftest import ROOT

    from mtbench.metrics import render_definitions

    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    written = text.partition("<!-- written by: mtbench ls metrics --markdown -->\n\n")[2].partition(
        "\n<!-- end -->"
    )[0]
    # Written by `mtbench ls metrics --markdown`; put its output there where this fails.
    assert written == render_definitions()


def test_definitions_are_printed_by_a_command():
    from test_cli import call

    code, text = call("ls", "metrics", "--markdown")
    assert code == 0
    assert "| `lip_dtw_mm` | sum of" in text
    assert call("ls", "topologies", "--markdown")[0] == 2
