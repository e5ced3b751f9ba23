"""A bank from videos: the plane geometry and the fit, on the bundled head seen from the front."""

import numpy as np
import pytest
from test_bank_scripts import load_script

from mtbench.banks import lip_gap
from mtbench.faces import load_head

HEAD = load_head()
grid = load_script("build_grid_bank")


def speak() -> np.ndarray:
    """Curves of 75 frames: the jaw moves, the lips round, and meet from frame 30 to 34."""
    t = np.arange(75)
    curves = np.zeros((75, len(HEAD.unit_names)), np.float32)
    curves[:, HEAD.unit_index("jawOpen")] = 0.2 - 0.2 * np.cos(2 * np.pi * t / 15)
    curves[:, HEAD.unit_index("mouthPucker")] = 0.3 - 0.3 * np.cos(2 * np.pi * t / 37)
    curves[30:34, HEAD.unit_index("jawOpen")] = 0.25
    curves[30:34, HEAD.unit_index("lipSeal")] = 1
    curves[:8] = 0
    return curves


def film(curves: np.ndarray, sway: float) -> np.ndarray:
    """68 landmarks in pixels, y down, of a head that tilts, nears and drifts by *sway*."""
    seen = HEAD.pose(curves, HEAD.neutral, np.ascontiguousarray(HEAD.topology.landmarks, np.int32))[..., :2]
    points = np.zeros((len(curves), 68, 2))
    points[:, [33, 36, 39, 42, 45, *range(48, 68)]] = seen
    for place, xy in {
        27: (0, 5),
        28: (0, -5),
        29: (0, -15),
        30: (0, -25),
        31: (-12, -32),
        35: (12, -32),
    }.items():
        points[:, place] = np.array(xy) / 1e3
    jaw = curves[:, HEAD.unit_index("jawOpen")]
    points[:, 8] = np.stack([0 * jaw, -0.11 - 0.03 * jaw], -1)
    t = np.arange(len(curves))
    flat = (points[..., 0] + 1j * points[..., 1]) * (850 * np.exp(1j * sway * np.sin(t / 11)))[:, None]
    flat = flat * (1 + sway * np.sin(t / 7))[:, None] + (180 + 150j) + (40 * sway * np.sin(t / 5))[:, None]
    return np.stack([flat.real, 288 - flat.imag], -1)


@pytest.mark.parametrize("sway", [0.0, 0.1], ids=["still", "swaying"])
def test_lips_in_a_video_become_units(sway):
    curves = speak()
    found = grid.fit_units(film(curves, sway))
    assert found.shape == curves.shape
    assert np.corrcoef(lip_gap(found), lip_gap(curves))[0, 1] > 0.97
    assert np.abs(lip_gap(found) - lip_gap(curves)).mean() < 1.2e-3
    seal = found[:, HEAD.unit_index("lipSeal")]
    assert seal[30:34].min() > 0.9
    assert seal[lip_gap(curves) > 0.005].max() == 0
    rounded = HEAD.unit_index("mouthPucker"), HEAD.unit_index("mouthFunnel")
    assert np.corrcoef(found[:, rounded].sum(1), curves[:, rounded].sum(1))[0, 1] > 0.8


def test_the_head_is_held_still():
    held = grid.hold_still(film(speak(), 0.1))[:, grid.STEADY]
    # Half a pixel: rounded lips pull at the base of the nose.
    assert np.abs(held - held.mean(0)).max() < 0.5
    eyes = held[0, [grid.STEADY.index(36), grid.STEADY.index(45)]]
    assert eyes[0].imag == pytest.approx(eyes[1].imag)
    assert eyes[1].real > eyes[0].real


def test_frames_without_a_face_are_interpolated(tmp_path):
    points = np.tile(np.arange(20.0)[:, None, None], (1, 68, 2))
    gaps = points.copy()
    gaps[[4, 5, 19]] = np.nan
    filled = grid.fill_gaps(gaps, tmp_path)
    assert np.allclose(filled[:19], points[:19])
    assert np.allclose(filled[19], 18)
    gaps[:6] = np.nan
    with pytest.raises(grid.UsageError, match="a face was found in 65% of the frames"):
        grid.fill_gaps(gaps, tmp_path)


def test_speech_is_what_stands_out_of_the_noise():
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.005, 48_000)
    sound[16_000:32_000] += rng.normal(0, 0.1, 16_000)
    start, end = grid.find_speech(sound.astype(np.float32))
    assert start == pytest.approx(1.0 - grid.ONSET, abs=0.03)
    assert end == pytest.approx(2.0, abs=0.05)


def test_pictures_are_enlarged():
    pytest.importorskip("av", reason="the [video] extra is not installed")
    picture = np.zeros((1, 8, 10, 3), np.uint8)
    picture[:, :, 5:] = 200
    large = grid.enlarge(picture, 3)
    assert large.shape == (1, 24, 30, 3)
    assert large[0, 12, 3].max() < 10
    assert large[0, 12, 26].min() > 190


@pytest.mark.slow
def test_a_recording_of_grid(shared, tmp_path):
    """Needs the landmark detector, which is no part of any extra."""
    from mtbench.avsr.evaluation.recordings import load_detector
    from mtbench.banks import check_bank, load_bank
    from mtbench.errors import PrerequisiteError
    from mtbench.synth import PHONES

    try:
        load_detector()
    except PrerequisiteError as error:
        pytest.skip(str(error))
    source = tmp_path / "videos"
    source.mkdir()
    (source / "brbk7n.mpg").symlink_to(shared / "grid" / "brbk7n.mpg")
    grid.build(source, tmp_path / "bank", ["brbk7n"])
    report = check_bank(load_bank(tmp_path / "bank"), PHONES)
    assert report.recordings[0].split == "development"
    assert report.recordings[0].closed == 1.0
