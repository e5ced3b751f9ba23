"""The mouth crop: parity with the published front-ends, and the crop that is rendered directly."""

import json

import numpy as np
import pytest
from conftest import GOLDEN

from mtbench.avsr.openhead.features import normalize_crops
from mtbench.errors import PrerequisiteError
from mtbench.faces.head import load_head
from mtbench.faces.topology import LANDMARKS, Topology
from mtbench.renderers import mouth_crop
from mtbench.renderers.base import Appearance, Camera
from mtbench.renderers.software import SoftwareRenderer


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN / "frontend_a" / "io.npz")


@pytest.fixture(scope="module")
def talking():
    """The bundled head opening its mouth: topology, (20, V, 3)."""
    head = load_head()
    curves = np.zeros((20, len(head.unit_names)), np.float32)
    curves[:, head.unit_names.index("jawOpen")] = np.linspace(0, 0.7, 20)
    return head.topology, head.pose(curves, head.identity(head.identity_names[0]))


@pytest.mark.parametrize("case", [0, 1])
def test_missing_landmarks_are_filled_as_in_the_originals(golden, case):
    filled = mouth_crop.interpolate_landmarks(golden[f"crop{case}_landmarks"])
    np.testing.assert_allclose(filled, golden[f"crop{case}_landmarks_filled"], atol=1e-9)


@pytest.mark.parametrize("case", [0, 1])
def test_crops_of_frames_match_the_originals(shared, case):
    golden = np.load(shared / "golden" / "frontend_a" / "io.npz")
    landmarks = golden[f"crop{case}_landmarks"]
    got = mouth_crop.crop_frames(golden[f"crop{case}_frames_bgr"], landmarks, golden["mean_face"])
    difference = np.abs(got.astype(int) - golden[f"crop{case}_crops_bgr"])
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.03


@pytest.mark.parametrize("case", [0, 1])
def test_gray_and_normalisation_match_the_originals(golden, case):
    gray = mouth_crop.to_gray(golden[f"crop{case}_crops_bgr"])
    np.testing.assert_array_equal(gray, golden[f"crop{case}_gray"])
    # The originals divide in double precision, the recognizer in single.
    np.testing.assert_allclose(normalize_crops(gray), golden[f"crop{case}_normalised"], rtol=0, atol=2.5e-7)


def test_image_transform_matches_the_original(golden):
    ours = normalize_crops(golden["transform_in"])
    np.testing.assert_allclose(ours, golden["transform_out"], rtol=0, atol=2.5e-7)


def test_cut_is_clamped_and_rounded_like_the_originals():
    info = json.loads((GOLDEN / "frontend_a" / "info.json").read_text())
    for case in info["cut_patch"]:
        x, y = case["centre_xy"]
        assert mouth_crop.first_pixel(x) == case["first_column"]
        assert mouth_crop.first_pixel(y) == case["first_row"]


def test_no_landmarks_at_all_is_an_error():
    with pytest.raises(ValueError, match="no frame has landmarks"):
        mouth_crop.interpolate_landmarks(np.full((3, 68, 2), np.nan))


def test_similarity_is_umeyamas():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(4, 6, 2)), rng.normal(size=(6, 2))
    target[:, 0] += 2 * target[:, 1]
    for points, (a, b, tx, ty) in zip(source, mouth_crop.fit_similarity(source, target)):
        s, t = points - points.mean(0), target - target.mean(0)
        u, d, v = np.linalg.svd(t.T @ s / len(points))
        sign = np.diag([1, np.sign(np.linalg.det(u) * np.linalg.det(v))])
        rotation = u @ sign @ v
        scale = np.trace(np.diag(d) @ sign) / s.var(axis=0).sum()
        np.testing.assert_allclose([[a, -b], [b, a]], scale * rotation, atol=1e-9)
        np.testing.assert_allclose([tx, ty], target.mean(0) - scale * rotation @ points.mean(0), atol=1e-9)


def test_window_looks_forward_and_the_end_keeps_its_last_one():
    points = np.arange(20.0)[:, None, None]
    means = mouth_crop.window_means(points)[:, 0, 0]
    np.testing.assert_allclose(means[:9], np.arange(9) + 5.5)
    np.testing.assert_allclose(means[9:], 8 + 5.5)
    np.testing.assert_allclose(mouth_crop.window_means(points[:5])[:, 0, 0], 2.0)


def test_rendered_crop_puts_the_mean_face_where_the_originals_do(talking):
    """Project the landmarks by the crop's camera; compare with the image path's geometry on the same points."""
    topology, vertices = talking
    camera = mouth_crop.crop_camera(topology, vertices)
    points = vertices[:, topology.landmarks].astype(np.float64)
    homogeneous = np.concatenate([points, np.ones((*points.shape[:2], 1))], 2)
    clip = np.einsum("tij,tnj->tni", camera.matrix, homogeneous)
    pixel = np.stack([(clip[..., 0] + 1) * 48 - 0.5, (1 - clip[..., 1]) * 48 - 0.5], -1)
    flat = points[..., :2] * (4000.0, -4000.0) + 500.0  # an orthographic photograph of the head
    a, b, tx, ty = mouth_crop.fit_similarity(mouth_crop.window_means(flat[:, :5]), mouth_crop.MEAN_FACE).T[
        ..., None
    ]
    expected = np.stack(
        [a * flat[..., 0] - b * flat[..., 1] + tx, b * flat[..., 0] + a * flat[..., 1] + ty], -1
    )
    expected += 48 - expected[:, 5:].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(pixel, expected, atol=1e-6)
    assert np.abs(clip[..., 2]).max() < 1


def test_rendered_crop_equals_the_cut_out_of_a_render(talking):
    """Rendering into the crop and cutting the crop out of a large picture show the same."""
    topology, vertices = talking
    scale = 2 / 0.3
    large = Camera(np.diag([scale, scale, -1.0, 1.0]), 600, 600)
    renderer = SoftwareRenderer()
    frames = renderer.render(topology, vertices, large, Appearance(), 3)
    points = np.zeros((len(vertices), 68, 2))
    flat = vertices[:, topology.landmarks].astype(np.float64)
    points[:, list(LANDMARKS), 0] = (flat[..., 0] * scale + 1) * 300 - 0.5
    points[:, list(LANDMARKS), 1] = (1 - flat[..., 1] * scale) * 300 - 0.5
    cut = mouth_crop.to_gray(mouth_crop.crop_frames(frames[..., ::-1], points))
    drawn = mouth_crop.render_mouth_crops(renderer, topology, vertices, Appearance())
    assert drawn.shape == (20, 96, 96)
    # The cut is rounded to whole pixels, so allow half a pixel of shift.
    assert np.abs(cut.astype(float) - drawn).mean() < 6
    assert min(np.corrcoef(c.ravel(), d.ravel())[0, 1] for c, d in zip(cut, drawn)) > 0.93


def test_squeezed_crop_equals_the_cut_out_of_a_squeezed_picture(talking):
    """A picture of 800x800 squeezed to 640x480 with its points, and the mouth cut out of that; the face is too wide."""
    topology, vertices = talking
    vertices = vertices[:13]
    scale = 2 / 0.3
    renderer = SoftwareRenderer()
    large = Camera(np.diag([scale, scale, -1.0, 1.0]), 800, 800)
    frames = renderer.render(topology, vertices, large, Appearance(), 3).astype(np.float64)
    # The mean over each of the smaller picture's pixels: five rows give three, five columns four.
    rows = np.repeat(np.repeat(frames, 3, axis=1).reshape(13, 480, 5, 800, 3).mean(axis=2), 4, axis=2)
    squeezed = rows.reshape(13, 480, 640, 5, 3).mean(axis=3).round().astype(np.uint8)
    points = np.zeros((13, 68, 2))
    flat = vertices[:, topology.landmarks].astype(np.float64)
    points[:, list(LANDMARKS), 0] = (flat[..., 0] * scale + 1) * 320 - 0.5
    points[:, list(LANDMARKS), 1] = (1 - flat[..., 1] * scale) * 240 - 0.5
    cut = mouth_crop.to_gray(mouth_crop.crop_frames(squeezed[..., ::-1], points))
    drawn = mouth_crop.render_mouth_crops(renderer, topology, vertices, Appearance(), squash=True)
    plain = mouth_crop.render_mouth_crops(renderer, topology, vertices, Appearance())
    assert np.abs(cut.astype(float) - drawn).mean() < 6
    assert min(np.corrcoef(c.ravel(), d.ravel())[0, 1] for c, d in zip(cut, drawn)) > 0.93
    assert np.abs(plain.astype(float) - drawn).mean() > 10
    # No similarity undoes it: across, a millimetre is 4/3 times as many pixels as down.
    matrix = mouth_crop.crop_matrices(vertices[:, topology.landmarks], squash=True)[0]
    across, down = np.linalg.norm(matrix[:2, 0]), np.linalg.norm(matrix[:2, 1])
    assert across / down == pytest.approx(4 / 3)


def test_crops_are_the_same_bytes_for_any_threads_and_open_mouths_are_dark(talking):
    topology, vertices = talking
    one = mouth_crop.render_mouth_crops(SoftwareRenderer(1), topology, vertices, Appearance())
    four = mouth_crop.render_mouth_crops(SoftwareRenderer(4), topology, vertices, Appearance())
    assert one.tobytes() == four.tobytes()
    dark = (one[:, 30:70, 25:75] < 45).mean(axis=(1, 2))
    assert dark[-1] > dark[0] + 0.05


def test_bad_input_is_named():
    bare = Topology("bare", 3, np.array([[0, 1, 2]], np.int32))
    with pytest.raises(PrerequisiteError, match="crop landmarks"):
        mouth_crop.crop_camera(bare, np.zeros((2, 3, 3), np.float32))
    with pytest.raises(ValueError, match="frame 0: the stable points coincide"):
        mouth_crop.crop_matrices(np.zeros((2, 25, 3)))
    with pytest.raises(ValueError, match="expected \\(T, 25, 3\\)"):
        mouth_crop.crop_matrices(np.zeros((2, 68, 3)))
