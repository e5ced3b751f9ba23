"""Motion, sound and topologies as data for a browser: small, bounded in millimetres, the same bytes again."""

import base64
import io
import json

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mtbench.benchmarks import load_benchmark
from mtbench.errors import PrerequisiteError
from mtbench.faces import Motion, load_topology
from mtbench.viewing import (
    STOPS,
    choose_end_mm,
    color_of,
    pack_motion,
    pack_sound,
    pack_topology,
    reduce_rank,
    unpack_motion,
)
from mtbench.viewing.whole_numbers import code_numbers, decode_numbers


def largest_mm(one, other):
    away = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    return 1000 * np.sqrt((away**2).sum(-1)).max()


@pytest.fixture(scope="module")
def truth():
    return load_benchmark("openhead-20")["eng-01"].load_motion()


def test_true_motion_is_small_and_close(truth):
    pack = pack_motion(truth)
    assert largest_mm(unpack_motion(pack), truth.vertices) == pytest.approx(pack["error_mm"], abs=1e-6)
    assert pack["error_mm"] < 0.05
    size = len(json.dumps(pack))
    # What grows with time is the weights alone.
    five_seconds = size + (125 - len(truth)) * pack["rank"] * 2 * 4 / 3
    sound = len(json.dumps(pack_sound(load_benchmark("openhead-20")["eng-01"].load_audio())))
    assert five_seconds < 190e3
    assert five_seconds + sound * 125 / len(truth) < 300e3
    assert pack_motion(truth) == pack


def test_the_bound_is_a_bound(truth):
    few = Motion(truth.vertices[:40], truth.fps, truth.topology)
    sizes = []
    for bound in (0.2, 0.05, 0.01):
        pack = pack_motion(few, bound_mm=bound)
        assert largest_mm(unpack_motion(pack), few.vertices) <= bound
        assert pack["error_mm"] <= bound
        sizes.append(len(pack["shapes"]))
    assert sizes == sorted(sizes)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 12), st.just(3)),
        elements=st.floats(-0.5, 0.5, width=32),
    ),
    st.sampled_from([20.0, 25.0, 29.97, 60.0]),
)
def test_any_motion_is_within_the_bound(vertices, fps):
    pack = json.loads(json.dumps(pack_motion(Motion(vertices, fps, "some"))))
    assert largest_mm(unpack_motion(pack), vertices) <= 0.05
    assert (pack["frames"], pack["vertices"]) == vertices.shape[:2]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.integers(-3, 3), st.integers(-(2**29) + 1, 2**29 - 1)), max_size=300))
def test_whole_numbers_are_read_back(numbers):
    data = code_numbers(np.array(numbers, np.int64))
    assert decode_numbers(data, len(numbers)).tolist() == numbers


def test_numbers_that_cannot_be_coded_are_refused():
    with pytest.raises(ValueError, match="2\\*\\*29"):
        code_numbers(np.array([2**29]))


def test_a_face_that_does_not_move_has_no_shapes():
    face = load_topology("openhead-1").neutral
    pack = pack_motion(Motion(np.repeat(face[None], 30, axis=0), 25.0, "openhead-1"))
    assert pack["rank"] == 0
    assert pack["shapes"] == ""
    assert largest_mm(unpack_motion(pack), face) < 0.01


def test_motion_of_as_many_vertices_as_flame_is_small_and_close(truth):
    # FLAME is not here: as many points of the head's surface move as real faces do.
    rng = np.random.default_rng(3)
    corners = rng.choice(load_topology("openhead-1").triangles, 5023)
    shares = rng.dirichlet([1, 1, 1], 5023).astype(np.float32)
    vertices = np.einsum("tvkc,vk->tvc", truth.vertices[:, corners], shares)
    pack = pack_motion(Motion(vertices, 25.0, "flame-5023"))
    assert largest_mm(unpack_motion(pack), vertices) < 0.05
    assert len(json.dumps(pack)) < 220e3


def test_what_cannot_be_shown_is_said():
    with pytest.raises(ValueError, match="finite"):
        pack_motion(Motion(np.full((2, 3, 3), np.nan, np.float32), 25.0, "some"))
    with pytest.raises(ValueError, match="frames"):
        pack_motion(Motion(np.zeros((0, 3, 3), np.float32), 25.0, "some"))
    with pytest.raises(ValueError, match="metre"):
        pack_motion(
            Motion(np.random.default_rng(0).normal(0, 1e5, (4, 3, 3)).astype(np.float32), 25.0, "some")
        )
    with pytest.raises(PrerequisiteError, match="assets"):
        pack_topology(load_topology("flame-5023"))


def test_low_rank_holds_its_bound(truth):
    found = reduce_rank(truth.vertices)
    assert largest_mm(found.positions(), truth.vertices) == pytest.approx(1000 * found.error, abs=1e-6)
    assert found.error <= 0.05e-3
    assert np.abs(found.weights).max() == pytest.approx(1.0)
    assert len(found.shapes) < 25


def test_sound_is_the_same_samples():
    samples = load_benchmark("openhead-20")["eng-01"].load_audio()
    pack = pack_sound(samples)
    back, rate = soundfile.read(io.BytesIO(base64.b64decode(pack["data"])), dtype="float32")
    assert rate == 16000
    assert pack["seconds"] == len(samples) / 16000
    assert np.array_equal(back, samples)


def test_a_topology_is_whole():
    head = load_topology("openhead-1")
    pack = pack_topology(head)
    indices = np.frombuffer(base64.b64decode(pack["indices"]), "<u2").reshape(-1, 3)
    assert np.array_equal(indices, head.triangles)
    oral = np.unpackbits(np.frombuffer(base64.b64decode(pack["oral"]), np.uint8), count=4801).astype(bool)
    assert np.array_equal(oral, head.oral)
    assert len(json.dumps(pack)) < 110e3


#: Simulation of the three kinds of color blindness, linear RGB (G. M. Machado, M. M. Oliveira, L. A. F. Fernandes,
#: IEEE TVCG 15(6), 2009, severity 1.0).
BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lightness(linear):
    luminance = np.clip(linear, 0, 1) @ np.array([0.2126, 0.7152, 0.0722])
    return 116 * np.cbrt(luminance) - 16


@pytest.mark.parametrize("kind", [None, *BLIND])
def test_the_scale_reads_without_hue(kind):
    codes = [color_of(value) for value in np.linspace(0, 1, 51)]
    srgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = linear if kind is None else linear @ np.array(BLIND[kind]).T
    assert (np.diff(lightness(seen)) < 0).all()
    assert np.ptp(lightness(seen)) > 70
    assert codes[0] == STOPS[0]
    assert codes[-1] == STOPS[-1]


def test_the_end_of_the_scale_fits_the_errors():
    assert choose_end_mm(np.full(100, 2.5)) == 3.0
    assert choose_end_mm(np.full(100, 1e4)) == 100.0
    assert choose_end_mm(np.zeros(0)) == 0.5
