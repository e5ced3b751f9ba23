"""Known degradations: what each changes, what it leaves, and that stronger ones contain weaker ones."""

from dataclasses import replace

import numpy as np
import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.phone_times import PhoneTime
from mtbench.errors import UsageError
from mtbench.faces.head import load_head
from mtbench.meta import degradations as d
from mtbench.meta.ground_truth import GroundTruth, degrade, find_obstacle
from mtbench.meta.systems import (
    CURVES,
    FAMILIES,
    default_systems,
    family_systems,
    ground_truth,
    select_systems,
)
from mtbench.speech.viseme_classes import VISEME_CLASSES, class_by_phone, unlike_phones
from mtbench.submissions.controls import partner
from mtbench.synth.articulation import animate, contact_intervals
from mtbench.synth.phones import PHONES

FPS = 25.0


@pytest.fixture(scope="module")
def performance():
    benchmark = load_benchmark("openhead-20@2")  # the rules, whose every phone has one shape
    return GroundTruth(benchmark, benchmark.clip("eng-01"))


def wave(hertz, frames=100):
    """(T, 2, 3) vertices that swing by 1 mm about a place far from the origin."""
    swing = 1e-3 * np.sin(2 * np.pi * hertz * np.arange(frames) / FPS)
    return (0.1 + swing[:, None, None] * np.ones((1, 2, 3))).astype(np.float32)


# Systems


def test_every_family_is_a_chain_from_the_ground_truth():
    systems = default_systems()
    assert len(systems) >= 46
    assert len({s.name for s in systems}) == len(systems)
    assert systems[0] == ground_truth()
    for name in FAMILIES:
        severities = [s.severity for s in systems if s.family == name]
        assert severities == sorted(set(severities))
        assert severities[0] > 0
    assert {s.name for s in default_systems(quick=True)} < {s.name for s in systems}
    assert set(CURVES["lag"]) == {"lead", "lag"}
    assert {s.family for s in systems if s.nuisance} == {"identity", "upper-face-noise"}


def test_a_quick_run_leaves_out_faces_that_hold_frames_unless_it_is_asked_for_them():
    def held(*asked):
        return [s.name for s in default_systems(quick=True, asked=asked) if s.family == "hold"]

    assert held() == []
    assert held("hold") == ["hold-3", "hold-6", "hold-12", "hold-25"]
    assert held("hold-12", "static") == ["hold-12"]
    assert len(default_systems(quick=True, asked=["amplitude"])) == len(default_systems(quick=True))


def test_families_that_need_curves_are_left_out_without_them():
    left = {s.family for s in default_systems(with_curves=False)}
    assert not left & {"substitution", "missed-closures", "ladder", "identity"}
    assert {"amplitude", "jitter"} <= left


def test_selection_keeps_the_ground_truth_and_refuses_unknown_names():
    chosen = select_systems(default_systems(), ["static"], ["ladder"])
    assert [s.name for s in chosen[:2]] == ["ground-truth", "static"]
    assert len(chosen) == 10
    with pytest.raises(UsageError, match=r"nonsense.*known here"):
        select_systems(default_systems(), ["nonsense"])
    with pytest.raises(UsageError, match="unknown family"):
        family_systems("nonsense")


# Vertices


def test_amplitude_zero_is_the_resting_face_and_one_changes_nothing(performance):
    rest, vertices = performance.neutral, performance.vertices
    assert np.array_equal(d.scale_amplitude(vertices, rest, 0.0), np.repeat(rest[None], len(vertices), 0))
    assert np.abs(d.scale_amplitude(vertices, rest, 1.0) - vertices).max() < 1e-7
    half = d.scale_amplitude(vertices, rest, 0.5)
    assert np.allclose(2 * (half - rest), vertices - rest, atol=1e-6)


@pytest.mark.parametrize(
    ("hertz", "cutoff", "left"), [(1.0, 4.0, 1.0), (4.0, 4.0, 0.5**0.5), (10.0, 4.0, 0.026)]
)
def test_low_pass_has_the_gain_it_says(hertz, cutoff, left):
    middle = slice(25, 75)
    swing = wave(hertz)[middle] - 0.1
    filtered = d.low_pass(wave(hertz), FPS, cutoff)[middle] - np.float32(0.1)
    assert np.std(filtered) / np.std(swing) == pytest.approx(left, abs=0.03)
    if left == 1.0:  # no delay either
        assert np.abs(filtered - swing).max() < 2e-5


def test_low_pass_keeps_what_does_not_move():
    still = np.repeat(np.float32([[[0.03, -0.07, 0.11]]]), 50, 0)
    assert np.abs(d.low_pass(still, FPS, 1.0) - still).max() < 1e-8


def test_jitter_has_the_size_it_says_and_scales():
    still = np.zeros((40, 500, 3), np.float32)
    small, large = d.jitter(still, 0.5, "a"), d.jitter(still, 2.0, "a")
    assert np.sqrt((small**2).sum(-1).mean()) == pytest.approx(0.5e-3, rel=0.02)
    assert np.allclose(4 * small, large)
    assert not np.allclose(d.jitter(still, 0.5, "b"), small)
    only = d.jitter(still, 0.5, "a", np.array([3, 7]))
    assert np.array_equal(only[:, [3, 7]], small[:, [3, 7]])
    assert np.count_nonzero(np.delete(only, [3, 7], axis=1)) == 0


def test_dropped_frames_are_nested_and_freeze():
    frames = np.arange(2000)
    shown = {share: d.drop_frames(frames, share, "x") for share in (0.1, 0.5, 0.9)}
    for share, found in shown.items():
        assert (found != frames).mean() == pytest.approx(share, abs=0.04)
        assert np.all(found <= frames)
        assert np.all(np.diff(found) >= 0)
    kept = [set(np.flatnonzero(shown[share] == frames)) for share in (0.1, 0.5, 0.9)]
    assert kept[0] > kept[1] > kept[2]


def test_held_frames_are_every_nth():
    assert d.hold_frames(np.arange(8), 3).tolist() == [0, 0, 0, 3, 3, 3, 6, 6]
    assert d.hold_frames(np.arange(8), 25).tolist() == [0] * 8


def test_turning_keeps_distances_and_turns_the_nose_to_its_left():
    points = np.random.Generator(np.random.PCG64(1)).normal(size=(3, 20, 3)).astype(np.float32)
    turned = d.turn_head(points, 20.0)
    assert np.allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(points, axis=-1), atol=1e-5)
    assert np.array_equal(turned[..., 1], points[..., 1])
    nose = d.turn_head(np.float32([[[0, 0, 1]]]), 20.0)[0, 0]
    # The character's left is to the viewer's right, where x grows.
    assert nose[0] == pytest.approx(np.sin(np.radians(20)), abs=1e-6)


# Phones


def phones_of(symbols, length=0.1):
    return tuple(PhoneTime(s, i * length, (i + 1) * length) for i, s in enumerate(symbols))


def test_classes_hold_every_phone_once():
    listed = [phone for phones in VISEME_CLASSES.values() for phone in phones]
    assert sorted(listed) == sorted(PHONES)
    for phone in PHONES:
        others = unlike_phones(phone)
        assert others
        assert class_by_phone()[phone] not in {class_by_phone()[o] for o in others}


def test_substitution_changes_class_not_time_and_is_nested():
    phones = phones_of("pataksimulonefis" * 20)
    changed = {share: d.substitute(phones, share, "x") for share in (0.0, 0.25, 0.5, 1.0)}
    assert changed[0.0] == phones
    where = {}
    for share, found in changed.items():
        assert [(p.start, p.end) for p in found] == [(p.start, p.end) for p in phones]
        where[share] = {i for i, (a, b) in enumerate(zip(phones, found, strict=True)) if a.symbol != b.symbol}
        assert len(where[share]) / len(phones) == pytest.approx(share, abs=0.08)
        for i in where[share]:
            old, new = phones[i].symbol, found[i].symbol
            assert class_by_phone()[old] != class_by_phone()[new]
            assert (old in "aiueo") == (class_by_phone()[new] in ("iy", "E", "aa", "schwa", "oh", "uw", "oe"))
    assert where[0.25] < where[0.5] < where[1.0] == set(range(len(phones)))
    assert all(changed[1.0][i].symbol == changed[0.5][i].symbol for i in where[0.5])


def test_pauses_are_never_substituted():
    phones = phones_of(["sil", "a", "sil"])
    assert [p.symbol for p in d.substitute(phones, 1.0, "x")][::2] == ["sil", "sil"]


def test_missed_closures_are_those_of_p_b_m_and_nested():
    phones = phones_of("pabemofuti" * 30)
    all_of_them = {i for i, p in enumerate(phones) if p.symbol in "pbm"}
    some, half = d.missed_closures(phones, 0.25, "x"), d.missed_closures(phones, 0.5, "x")
    assert some < half < d.missed_closures(phones, 1.0, "x") == all_of_them
    assert len(half) / len(all_of_them) == pytest.approx(0.5, abs=0.15)


def test_shifted_phones_stay_inside_the_clip():
    phones = (PhoneTime("p", 0.0, 0.2, 0.1), PhoneTime("a", 0.2, 0.4), PhoneTime("t", 0.4, 0.5, 0.45))
    late = d.shift_phones(phones, 0.15, 0.5)
    assert [p.symbol for p in late] == ["p", "a"]
    assert late[0] == PhoneTime("p", 0.15, 0.35, 0.25)
    assert late[-1].end == 0.5


def test_animator_without_a_contact_leaves_the_lips_open_and_the_rest_as_it_was():
    head = load_head()
    phones = phones_of(["sil", "a", "b", "a", "m", "a", "sil"])
    whole, one = animate(phones, 0.7), animate(phones, 0.7, missed={2})
    assert np.array_equal(animate(phones, 0.7, missed=()), whole)
    _, start, end = contact_intervals(phones, FPS, len(whole))[0]
    closed = int(np.ceil(start * FPS - 1e-6))
    assert (closed + 1) / FPS <= end + 1e-6
    gaps = head.lip_gap(head.pose(np.stack([whole[closed], one[closed]]))).max(-1)
    assert gaps[0] < 5e-4 < 2e-3 < gaps[1]
    assert np.array_equal(whole[11:], one[11:])  # the m's closure and after


# On a clip of the benchmark


def test_the_animator_is_that_of_the_bundled_ground_truth(performance):
    assert find_obstacle(performance) is None
    assert np.array_equal(performance.curves(performance.phones), performance.displacement.frames)


def test_what_was_drawn_stays_where_degraded_phones_change_nothing():
    """The varied ground truth of version 3 is degraded with the very draws that made it."""
    benchmark = load_benchmark("openhead-20@3")
    truth = GroundTruth(benchmark, benchmark.clip("eng-01"))
    assert find_obstacle(truth) is None
    mouth = [i for i, name in enumerate(load_head().unit_names) if name.startswith(("mouth", "jaw", "lip"))]
    frames = truth.displacement.frames
    assert np.array_equal(truth.animated[:, mouth], frames[:, mouth])
    # A frame later, all but the pause at the beginning is the same movement, a frame later.
    late = truth.curves(d.shift_phones(truth.phones, 1 / FPS, truth.duration))
    assert np.abs(late[4:] - frames[3:-1])[:, mouth].max() < 0.25 * np.abs(late - frames)[:, mouth].max()
    one = next(i for i, p in enumerate(truth.phones) if p.symbol in "aeiou" and i > 10)
    said = replace(truth.phones[one], symbol="u" if truth.phones[one].symbol != "u" else "a")
    changed = truth.curves([*truth.phones[:one], said, *truth.phones[one + 1 :]])
    moved = np.flatnonzero(np.abs(changed - frames).max(axis=1) > 0.01) / FPS
    assert len(moved) > 2
    assert said.start - 0.4 < moved.min()
    assert moved.max() < said.end + 0.4
    closures = frozenset(i for i, p in enumerate(truth.phones) if p.symbol in "pbm")
    open_lips = truth.curves(truth.phones, closures)
    seal = load_head().unit_index("lipSeal")
    assert frames[:, seal].max() > 0.5
    assert open_lips[:, seal].max() == 0.0


def test_another_animators_curves_are_an_obstacle(performance):
    class Other(GroundTruth):
        displacement = replace(performance.displacement, frames=0.8 * performance.displacement.frames)

    assert "not what the articulation model makes" in find_obstacle(
        Other(performance.benchmark, performance.clip)
    )
    silent = replace(performance.clip, phone_times_path=None)
    assert "no timed phones" in find_obstacle(GroundTruth(performance.benchmark, silent))


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_level_moves_the_mouth_further_than_the_one_before(performance, family):
    """For the ordered families, as far as distance from the truth can tell; and everything is deterministic."""
    truth, head = performance.vertices, load_head()
    lips = head.topology.region("lips")
    distances = []
    for system in family_systems(family)[:: 2 if len(FAMILIES[family].levels) > 4 else 1]:
        found = degrade(performance, system)
        assert found.dtype == np.float32
        assert found.shape == truth.shape
        assert np.isfinite(found).all()
        again = degrade(GroundTruth(performance.benchmark, performance.clip), system)
        assert np.array_equal(again, found)
        distances.append(float(np.linalg.norm(found[:, lips] - truth[:, lips], axis=-1).mean()))
    if FAMILIES[family].ordered:
        assert distances == sorted(distances)
        assert distances[-1] > 0
    if family == "upper-face-noise":
        assert distances == [0.0] * len(distances)


def test_what_stays_the_same(performance):
    head = load_head()
    truth = performance.vertices
    assert degrade(performance, ground_truth()) is truth
    upper = [i for i, name in enumerate(head.unit_names) if name.startswith(("brow", "eye"))]
    own = performance.displacement.frames
    changed = performance.curves(d.substitute(performance.phones, 1.0, "x"))
    assert np.array_equal(changed[:, upper], own[:, upper])
    assert own[:, upper].max() > 0.1
    assert np.abs(changed - own).max() > 0.3
    (swap,) = select_systems(default_systems(), ["identity-swap-1"])[1:]
    swapped = degrade(performance, swap)
    # Another face, the same opening of the mouth.
    assert np.abs(swapped - truth).max() > 5e-3
    opening = [head.lip_gap(v).max(-1) for v in (truth, swapped)]
    assert np.corrcoef(*opening)[0, 1] > 0.98


def test_shuffled_shows_the_partners_mouth_on_the_own_face(performance):
    (system,) = family_systems("shuffled")
    other = GroundTruth(performance.benchmark, partner(performance.benchmark, performance.clip))
    found = degrade(performance, system)
    moved = [
        (v - r)[:60].reshape(60, -1)
        for v, r in ((found, performance.neutral), (other.vertices, other.neutral))
    ]
    assert np.corrcoef(*[m.std(1) for m in moved])[0, 1] > 0.9


def test_an_unknown_family_is_an_error(performance):
    with pytest.raises(UsageError, match="unknown family"):
        degrade(performance, replace(ground_truth(), family="nonsense"))
