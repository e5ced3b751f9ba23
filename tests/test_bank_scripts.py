"""Banks from published recordings; those are read from ../shared, where they are."""

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("espeakng_loader", reason="the [synth] extra is not installed")
pytestmark = pytest.mark.synth

from mtbench.avsr.openhead import align_phones  # noqa: E402
from mtbench.banks import BankWriter, check_bank, fill_pauses, lip_gap, load_bank  # noqa: E402
from mtbench.benchmarks import PAUSE, PhoneTime  # noqa: E402
from mtbench.faces import load_head  # noqa: E402
from mtbench.synth import PHONES  # noqa: E402

SCRIPTS = Path(__file__).parents[1] / "scripts"


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


facegood = load_script("build_facegood_bank")

ENGINE = [PhoneTime("m", 1.0, 1.1, 1.1), PhoneTime("a", 1.1, 1.3), PhoneTime("s", 1.3, 1.4)]


def hear(*spikes: tuple[int, int], frames: int = 50, classes: int = 5) -> np.ndarray:
    """Log-probabilities that are blank but for (frame, class)."""
    p = np.full((frames, classes), 1e-4)
    p[:, 0] = 1
    for frame, label in spikes:
        p[frame] = 1e-4
        p[frame, label] = 1
    return np.log(p / p.sum(1, keepdims=True))


def test_without_anything_heard_phones_have_the_pace_of_the_engine():
    m, a, s = align_phones(hear(), (1, 2, 3), ENGINE, 0.2, 0.6)
    assert (m.start, s.end) == (0.2, 0.6)
    assert m.end == a.start == pytest.approx(0.3, abs=0.02)
    assert a.end == s.start == pytest.approx(0.5, abs=0.02)
    assert m.release == pytest.approx(m.end)


def test_what_is_heard_moves_phones_but_not_far():
    """A vowel heard 40 ms early begins early; one heard in the last moment of the word is not believed."""
    early = align_phones(hear((12, 2), (13, 2)), (1, 2, 3), ENGINE, 0.2, 0.6, loose=0.1)
    assert early[1].start <= 0.24 + 1e-9
    absurd = align_phones(hear((29, 1)), (1, 2, 3), ENGINE, 0.2, 0.6, loose=0.02)
    assert absurd[0].end < 0.4


def test_an_alignment_needs_time_and_phones():
    with pytest.raises(ValueError, match="3 phones in 2 frames"):
        align_phones(hear(), (1, 2, 3), ENGINE, 0.2, 0.24)
    with pytest.raises(ValueError, match="0 phones"):
        align_phones(hear(), (), [], 0.2, 0.6)


def test_every_phone_lasts_two_frames_where_there_is_time():
    crowded = hear((26, 1), (27, 2), (28, 3))
    long = align_phones(crowded, (1, 2, 3), ENGINE, 0.2, 0.6, loose=1.0)
    assert min(p.end - p.start for p in long) >= 0.04 - 1e-9
    short = align_phones(hear(), (1, 2, 3), ENGINE, 0.2, 0.28)
    assert sorted(round((p.end - p.start) * 50) for p in short) == [1, 1, 2]


def test_pauses_stand_between_words():
    said = [PhoneTime("a", 0.5, 0.7), PhoneTime("m", 0.7, 0.8), PhoneTime("a", 0.8, 1.0)]
    found = fill_pauses(said, 2.0)
    assert [(p.symbol, p.start) for p in found] == [
        (PAUSE, 0),
        ("a", 0.5),
        ("m", 0.7),
        ("a", 0.8),
        (PAUSE, 1.0),
    ]
    assert found[-1].end == 2.0


def test_what_is_written_is_read(tmp_path):
    curves = np.random.default_rng(3).uniform(0, 0.5, (50, 55)).astype(np.float32)
    sound = np.sin(np.arange(32_000) / 20).astype(np.float32) / 3
    bank = BankWriter(tmp_path, "mine", "CC0-1.0", 'A "quoted" name', speakers={"Ada L.": "reads"})
    bank.add("x", "Ada L.", "eng", sound, {"units": curves}, [PhoneTime("a", 0.1, 1.9)], split="development")
    bank.finish()
    (one,) = load_bank(tmp_path)
    assert (one.speaker, one.split, one.fps) == ("Ada L.", "development", 25)
    assert np.array_equal(one.read_curves(50), curves)
    assert np.allclose(one.read_sound(), sound, atol=1e-4)
    assert one.read_phones(2.0) == (PhoneTime("a", 0.1, 1.9),)
    assert load_bank(tmp_path).credit == 'A "quoted" name'


def rig_names() -> list[str]:
    return [*facegood.RIG, *(f"{name}_{side}" for name in facegood.SIDED for side in "lr")]


def test_the_rig_opens_rounds_and_closes_the_mouth():
    names = rig_names()
    weights = np.zeros((4, len(names)), np.float32)
    weights[1, names.index("mouth_stretch_c")] = 0.4
    weights[2, names.index("mouth_oo_c")] = 0.6
    weights[3, names.index("mouth_lowerLipDepress_l")] = 0.3
    curves = facegood.map_rig(weights, names)
    head = load_head()
    gap = lip_gap(curves)
    assert gap[0] == 0
    assert 0.009 < gap[1] < 0.02
    corners = np.ascontiguousarray(head.topology.landmarks[[5, 11]], np.int32)
    points = head.pose(curves, head.neutral, corners)
    width = points[:, 1, 0] - points[:, 0, 0]
    assert width[2] < width[0] - 0.005
    assert curves[3, head.unit_index("mouthLowerDownLeft")] == np.float32(0.3)
    assert curves[3, head.unit_index("mouthLowerDownRight")] == 0


def test_the_word_list_is_whole():
    words = facegood.read_words(facegood.WORDS)
    assert [len(spoken) for spoken in words.values()] == [100] * 5
    for spoken in words.values():
        assert all(0 <= a < b for a, b, _ in spoken)
        assert all(b <= c for (_, b, _), (c, _, _) in pairwise(spoken))


def test_lips_close_where_facegood_says_p_b_m(shared, tmp_path):
    if not (shared / "facegood").is_dir():
        pytest.skip("../shared/facegood is absent")
    words = facegood.read_words(facegood.WORDS)
    facegood.build(shared / "facegood", tmp_path, {name: words[name] for name in ("2_02", "2_05")})
    bank = load_bank(tmp_path)
    assert [r.split for r in bank] == ["train", "development"]
    assert facegood.DEVELOPMENT == ("2_05",)
    report = check_bank(bank, PHONES)
    assert report.problems == ()
    for one in report.recordings:
        assert one.closed > 0.85
        assert one.by_chance < 0.65
        assert abs(one.lag) <= 1
        assert one.correlation > 0.6
