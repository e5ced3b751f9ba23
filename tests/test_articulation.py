"""The articulation model: constraints, targets, settings, frames."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.errors import UsageError
from mtbench.faces.head import load_head
from mtbench.synth.articulation import CEILING, animate, contact_intervals, count_frames
from mtbench.synth.articulation_settings import (
    DEFAULT,
    HELD_OUT,
    SETTINGS,
    TRAINING,
    ArticulationSetting,
    perturbed,
    target_arrays,
)
from mtbench.synth.articulation_targets import PARAMETERS, load_targets, phone_symbols
from mtbench.synth.contacts import CONTACTS
from mtbench.synth.phones import PHONES
from mtbench.synth.upper_face import move_upper_face

FPS = 25


@dataclass(frozen=True)
class Phone:
    symbol: str
    start: float
    end: float
    release: float | None = None


def say(symbols: str, length: float = 0.09, start: float = 0.2) -> tuple[list[Phone], float]:
    """Phones of equal length, and the duration of the clip."""
    times = [start + i * length for i in range(len(symbols) + 1)]
    phones = [Phone(s, a, b) for s, a, b in zip(symbols, times, times[1:])]
    return phones, times[-1] + 0.3


def gaps_mm(curves: np.ndarray, identity: str = "neutral") -> np.ndarray:
    """Largest gap between the lips of each frame."""
    head = load_head()
    return head.lip_gap(head.pose(curves, head.identity(identity))).max(1) * 1e3


def widths_mm(curves: np.ndarray) -> np.ndarray:
    """Distance between the corners of the mouth."""
    head = load_head()
    lips = head.topology.region("inner_lips")
    return np.ptp(head.pose(curves, vertices=np.unique(lips))[..., 0], axis=1) * 1e3


def column(curves: np.ndarray, name: str) -> np.ndarray:
    return curves[:, load_head().unit_index(name)]


def whole_frames(start: float, end: float) -> slice:
    return slice(math.ceil(start * FPS - 1e-6), math.floor(end * FPS + 1e-6))


def hold(symbol: str, setting: ArticulationSetting = DEFAULT) -> np.ndarray:
    """Curves in the middle of a phone held for 0.6 s."""
    return animate([Phone(symbol, 0.2, 0.8)], 1.0, setting)[12:13]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("identity", ["neutral", "african-male-old", "asian-female-young"])
def test_lips_stay_closed_during_the_whole_closure(setting: ArticulationSetting, identity: str) -> None:
    phones, duration = say("apababamaɛmipuboɑbupɔma", 0.083)
    gaps = gaps_mm(animate(phones, duration, setting), identity)
    intervals = contact_intervals(phones, FPS, len(gaps))
    assert len(intervals) == 10
    for _, start, end in intervals:
        frames = gaps[whole_frames(start, end)]
        assert len(frames) >= 1
        assert frames.max() <= 0.3


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 0.5), st.floats(0.04, 0.2), st.sampled_from("pbm"), st.sampled_from("aiu"))
def test_no_closure_is_lost_by_averaging(start: float, length: float, stop: str, vowel: str) -> None:
    phones = [
        Phone(vowel, start, start + 0.2),
        Phone(stop, start + 0.2, start + 0.2 + length, release=start + 0.2 + length),
        Phone(vowel, start + 0.2 + length, start + 0.5 + length),
    ]
    seal = column(animate(phones, start + length + 0.8), "lipSeal")
    assert seal.max() == 1.0
    inside = seal[whole_frames(start + 0.2, start + 0.2 + length)]
    assert (inside == 1.0).all()
    # The vowels on both sides open the mouth again.
    assert seal[: math.floor(start * FPS) + 2].min() < 0.2
    assert seal[-1] == 0.0


def test_closure_ends_with_the_release_where_it_is_known() -> None:
    def closed(release: float | None) -> int:
        phones = [Phone("a", 0, 0.4), Phone("p", 0.4, 0.6, release), Phone("a", 0.6, 1.0)]
        return int((column(animate(phones, 1.0), "lipSeal") == 1.0).sum())

    # 45 ms hold one whole frame, 160 ms hold four.
    assert closed(None) == 1
    assert closed(0.56) == 4


def test_release_at_the_start_is_still_a_closure() -> None:
    phones = [Phone("a", 0, 0.4), Phone("p", 0.4, 0.5, 0.4), Phone("a", 0.5, 1.0)]
    assert (column(animate(phones, 1.0), "lipSeal") == 1.0).sum() == 1


def test_mouth_opens_between_two_closures() -> None:
    phones, duration = say("papa", 0.085)
    gaps = gaps_mm(animate(phones, duration))
    first, second = (i for s, *i in contact_intervals(phones, FPS, len(gaps)))
    between = gaps[round(first[1] * FPS) : round(second[0] * FPS)]
    assert between.max() > 3.0


def test_pressure_tells_p_b_m_apart_but_all_are_closed() -> None:
    press = []
    for symbol in "pbm":
        phones = [Phone("a", 0.0, 0.3), Phone(symbol, 0.3, 0.5, 0.5), Phone("a", 0.5, 0.8)]
        press.append(column(animate(phones, 0.8), "mouthPressLeft")[10])
    assert press[0] > press[1] > press[2] > 0.1


@pytest.mark.parametrize("symbol", "fv")
@pytest.mark.parametrize("vowel", "aiu")
def test_lower_lip_comes_to_the_upper_teeth(symbol: str, vowel: str) -> None:
    head = load_head()
    phones = [Phone(vowel, 0.1, 0.4), Phone(symbol, 0.4, 0.52), Phone(vowel, 0.52, 0.9)]
    vertices = head.pose(animate(phones, 1.0))
    lower = np.unique(head.contact.lower)
    lower = lower[np.abs(head.neutral[lower, 0]) < 0.008]
    teeth = head.topology.region("teeth")
    upper_teeth = teeth[head.neutral[teeth, 1] > np.median(head.neutral[teeth, 1])]
    edge = vertices[:, upper_teeth, 1].min(1)
    # Height of the lower lip's highest point over the edge of the upper teeth.
    overlap = (vertices[:, lower, 1].max(1) - edge) * 1e3
    assert overlap[10:13].min() > -1.0
    if vowel == "a":
        assert overlap[18] < -8.0
    assert (column(animate(phones, 1.0), "mouthRollLower")[10:13] > 0.6).all()


def test_rounded_vowels_are_narrow_and_front_ones_stay_rounded() -> None:
    rest = widths_mm(np.zeros((1, 55), np.float32))[0]
    width = {v: widths_mm(hold(v))[0] for v in "iyueøoɛœaɯ"}
    for rounded, spread in ("yi", "øe", "œɛ", "ui", "uɯ", "oa"):
        assert width[rounded] < width[spread] - 4.0
    assert width["u"] < 0.82 * rest
    assert width["i"] > 1.08 * rest


def test_open_vowels_are_open_and_close_vowels_are_not() -> None:
    gap = {v: gaps_mm(hold(v))[0] for v in "aɑæieu"}
    assert min(gap["a"], gap["ɑ"], gap["æ"]) > 10.0
    assert max(gap["i"], gap["u"]) < 7.0
    assert gap["i"] < gap["e"] < gap["a"]


def test_rounding_starts_before_the_rounded_vowel() -> None:
    phones = [Phone("a", 0.1, 0.4), Phone("t", 0.4, 0.5), Phone("u", 0.5, 0.8)]
    pucker = column(animate(phones, 1.0), "mouthPucker")
    assert pucker[11] > 0.3 * pucker.max()


@pytest.mark.parametrize("pause", ["", "sil", None])
def test_face_is_at_rest_in_silence(pause: str | None) -> None:
    middle = [] if pause is None else [Phone(pause, 0.5, 1.3)]
    phones = [Phone("a", 0.2, 0.5), *middle, Phone("o", 1.3, 1.5)]
    curves = animate(phones, 2.0)
    rest = gaps_mm(np.zeros((1, curves.shape[1]), np.float32))
    assert abs(gaps_mm(curves)[[0, 21, 22, -1]] - rest).max() < 0.6
    mouth = [i for i, n in enumerate(load_head().unit_names) if n.startswith(("jaw", "mouth", "lip"))]
    assert curves[[22, -1]][:, mouth].max() < 0.03


def test_empty_speech_is_rest() -> None:
    curves = animate([], 1.0)
    assert curves.shape == (25, 55)
    assert gaps_mm(curves).max() < 0.3
    assert animate([], 0.0).shape == (0, 55)


@pytest.mark.parametrize(
    ("duration", "fps", "frames"),
    [(1.0, 25, 25), (1.0000001, 25, 26), (0.041, 25, 2), (0.04, 25, 1), (1.0, 30, 30)],
)
def test_number_of_frames(duration: float, fps: float, frames: int) -> None:
    # 1e-7 s are 2.5e-6 frames, more than the tolerance for rounding.
    assert count_frames(duration, fps) == frames
    assert len(animate([Phone("a", 0.0, 0.02)], duration, fps=fps)) == frames


@given(st.integers(1, 200_000))
def test_frames_agree_with_the_audio(samples: int) -> None:
    assert count_frames(samples / 16000) == -(-samples // 640)


def test_other_frame_rates_show_the_same_motion() -> None:
    phones, duration = say("təmadibutʃofi", 0.1)
    slow = animate(phones, duration, fps=25)
    fast = animate(phones, duration, fps=30)
    jaw = np.interp(
        (np.arange(len(fast)) + 0.5) / 30, (np.arange(len(slow)) + 0.5) / 25, column(slow, "jawOpen")
    )
    assert np.abs(jaw - column(fast, "jawOpen")).max() < 0.08


def test_same_input_same_bytes() -> None:
    phones, duration = say("bonʒuʁlømɔ̃d".replace("\u0303", ""))
    for setting in SETTINGS.values():
        first = animate(phones, duration, setting, seed=3)
        target_arrays.cache_clear()
        assert first.tobytes() == animate(phones, duration, setting, seed=3).tobytes()
        # Rounded to 2**-12: what differs between machines in the last bit of a double vanishes.
        assert np.array_equal(first * 4096, np.round(first * 4096))


def test_curves_are_smooth_and_bounded() -> None:
    phones, duration = say("ðəkwɪkbɹaʊnfɔksdʒʌmpsoʊvɜðəleɪziidɔɡ", 0.07)
    curves = animate(phones, duration)
    assert curves.dtype == np.float32
    assert curves.min() >= 0.0
    assert curves.max() <= CEILING
    assert np.abs(np.diff(column(curves, "jawOpen"))).max() < 0.3
    # No jitter: hardly any zigzag of three frames besides that of the closures.
    names = ("jawOpen", "mouthPucker", "mouthFunnel", "tongueLow")
    free = np.stack([column(curves, n) for n in names])
    zigzag = np.abs(np.diff(free, 2))
    assert np.quantile(zigzag, 0.95) < 0.2


def test_every_phone_has_a_target() -> None:
    assert set(PHONES) <= set(phone_symbols())
    assert set(CONTACTS) <= set(phone_symbols())
    targets = load_targets()
    assert targets.value.shape[1] == len(PARAMETERS)
    assert targets.value.min() >= 0.0
    assert targets.value.max() <= 1.0
    assert targets.strength.min() > 0.0
    assert targets.lead.min() > 0.005
    assert targets.lead.max() < 0.2
    for symbol in PHONES:
        curves = animate([Phone(symbol, 0.1, 0.3)], 0.5)
        assert np.isfinite(curves).all()
        assert column(curves, "jawOpen").max() > 0 or symbol in "szʃɕ"


def test_unknown_phone_is_refused() -> None:
    with pytest.raises(UsageError, match="'ʘ' has no articulatory target"):
        animate([Phone("ʘ", 0.0, 0.1)], 0.2)
    with pytest.raises(UsageError, match="'aː'"):
        animate([Phone("aː", 0.0, 0.1)], 0.2)


def test_phones_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must follow one another"):
        animate([Phone("a", 0.2, 0.4), Phone("b", 0.1, 0.2)], 0.5)


def test_phones_without_length_are_skipped() -> None:
    a = [Phone("a", 0.1, 0.3), Phone("m", 0.3, 0.3), Phone("i", 0.3, 0.5)]
    assert np.array_equal(animate(a, 0.6), animate([a[0], a[2]], 0.6))


def test_mouth_shapes_are_distinct() -> None:
    """Shapes that lip readers tell apart differ by millimetres somewhere on the mouth."""
    head = load_head()
    mouth = np.concatenate([head.topology.region("lips"), head.topology.region("tongue")])
    groups: Sequence[str] = "afiuosʃθlk"
    shapes = {s: head.pose(hold(s), vertices=mouth)[0] for s in groups}
    phones = [Phone("a", 0.0, 0.3), Phone("m", 0.3, 0.5, 0.5), Phone("a", 0.5, 0.8)]
    shapes["m"] = head.pose(animate(phones, 0.8)[10:11], vertices=mouth)[0]
    names = list(shapes)
    for i, a in enumerate(names):
        for b in names[:i]:
            distance = np.linalg.norm(shapes[a] - shapes[b], axis=1).max() * 1e3
            assert distance > 2.5, (a, b, distance)


def test_held_out_setting_is_not_trained_on() -> None:
    assert HELD_OUT not in TRAINING
    assert DEFAULT in TRAINING
    assert len(TRAINING) >= 4
    assert len(SETTINGS) == len(TRAINING) + 1
    phones, duration = say("amabiluno")
    curves = [animate(phones, duration, s) for s in SETTINGS.values()]
    for i, a in enumerate(curves):
        assert all(np.abs(a - b).max() > 0.05 for b in curves[:i])


def test_perturbation_is_bounded_and_reproducible() -> None:
    for seed in range(20):
        a = perturbed(DEFAULT, np.random.Generator(np.random.PCG64(seed)))
        assert a == perturbed(DEFAULT, np.random.Generator(np.random.PCG64(seed)))
        for f in fields(a):
            if f.name not in ("name", "target_seed", "target_spread"):
                ratio = getattr(a, f.name) / getattr(DEFAULT, f.name)
                assert 0.8 <= ratio <= 1.2
        value, strength, lead, lag = target_arrays(a)
        plain = load_targets()
        factor = value[plain.value > 0] / plain.value[plain.value > 0]
        # Amplitude, the articulator's share and the target's own deviation multiply.
        assert factor.min() >= 0.8**3
        assert factor.max() <= 1.2**3
        assert (lead / plain.lead).max() <= 1.2**2 + 1e-9
        assert (lag > 0).all()
        assert (strength > 0).all()
    with pytest.raises(ValueError, match="strength"):
        perturbed(DEFAULT, np.random.default_rng(0), 0.9)


def test_perturbed_speakers_close_their_lips_too() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    phones, duration = say("apimobapum", 0.08)
    for setting in SETTINGS.values():
        gaps = gaps_mm(animate(phones, duration, perturbed(setting, rng)))
        for _, start, end in contact_intervals(phones, FPS, len(gaps)):
            assert gaps[whole_frames(start, end)].max() <= 0.3


def test_upper_face_moves_a_little_and_independently_of_length() -> None:
    short = move_upper_face(100, 25, seed=5)
    long = move_upper_face(300, 25, seed=5)
    for name, curve in short.items():
        assert name in load_head().unit_names
        assert np.array_equal(curve, long[name][:100])
        assert curve.min() >= 0.0
        assert curve.max() <= 1.0
    assert long["browInnerUp"].std() > 0.005
    assert np.abs(np.diff(long["browInnerUp"])).max() < 0.05
    assert 1 <= (np.diff((long["eyeBlinkLeft"] > 0.5).astype(int)) == 1).sum() <= 7
    assert not np.array_equal(long["browInnerUp"], move_upper_face(300, 25, seed=6)["browInnerUp"])
    assert all((c == 0).all() for c in move_upper_face(300, 25, 5, liveliness=0).values())
