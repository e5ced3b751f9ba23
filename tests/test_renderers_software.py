"""The software renderer: coverage, depth, light, and the same bytes however it is called."""

from pathlib import Path

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError
from mtbench.faces.topology import Topology
from mtbench.renderers.base import Appearance, Camera
from mtbench.renderers.cameras import frontal_camera, portrait_camera
from mtbench.renderers.registry import load_renderer
from mtbench.renderers.software import SoftwareRenderer, render_gray_bulk

UNLIT = Appearance(ambient=1.0, lights=(), clay=0.5, oral=0.1)
#: Pixel (column, row) of a picture of size 16 has its centre at (2 column + 1) / 16 - 1.
IDENTITY = np.diag([1.0, 1.0, -1.0, 1.0])


def picture(points, triangles, size=16, appearance=UNLIT, matrix=IDENTITY, channels=1, **fields):
    points = np.asarray(points, np.float32)
    topology = Topology("test", len(points), np.asarray(triangles, np.int32), **fields)
    camera = Camera(np.asarray(matrix), size, size)
    return SoftwareRenderer(1).render(topology, points[None], camera, appearance, channels)[0]


def sphere(rings: int = 24, around: int = 48) -> tuple[np.ndarray, np.ndarray]:
    polar, turn = np.pi * np.arange(rings + 1) / rings, 2 * np.pi * np.arange(around) / around
    points = np.stack(
        [
            np.sin(polar)[:, None] * np.sin(turn),
            np.cos(polar)[:, None] + 0 * turn,
            np.sin(polar)[:, None] * np.cos(turn),
        ],
        -1,
    )
    a = (np.arange(rings)[:, None] * around + np.arange(around)).ravel()
    b = (np.arange(rings)[:, None] * around + (np.arange(around) + 1) % around).ravel()
    triangles = np.concatenate([np.stack([a, a + around, b], 1), np.stack([b, a + around, b + around], 1)])
    return points.reshape(-1, 3).astype(np.float32) * np.float32(0.1), triangles.astype(np.int32)


def test_triangle_covers_the_pixels_whose_centres_it_holds():
    got = picture([[-1, -1, 0], [1, -1, 0], [-1, 1, 0]], [[0, 1, 2]])[..., 0]
    centre = (2 * np.arange(16) + 1) / 16 - 1
    x, y = centre, -centre[:, None]
    inside = x + y < 0
    diagonal = np.isclose(x + y, 0)
    assert np.all((got[inside & ~diagonal]) == 128)
    assert np.all(got[~inside & ~diagonal] == 0)


def test_shared_edges_are_drawn_exactly_once():
    """A fan around random points: every pixel belongs to exactly one triangle."""
    rng = np.random.default_rng(3)
    for size in (16, 64, 300):
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        inner = rng.uniform(-0.9, 0.9, (1, 2))
        # Some vertices exactly on pixel centres, where the fill rule decides.
        inner[0] = (2 * np.floor((inner[0] + 1) * size / 2) + 1) / size - 1 if size != 300 else inner[0]
        points = np.concatenate([np.concatenate([corners, inner]), np.zeros((5, 1))], 1)
        times = np.zeros((size, size), int)
        for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
            times += picture(points, [[a, b, 4]], size)[..., 0] > 0
        assert times.min() == 1, size
        assert times.max() == 1, size


def test_small_and_large_triangles_agree():
    """The same square as 2 and as 5,000 triangles: other code paths, the same pixels."""
    large = picture(
        [[-0.8, -0.7, 0], [0.9, -0.7, 0], [0.9, 0.6, 0], [-0.8, 0.6, 0]], [[0, 1, 2], [0, 2, 3]], 128
    )
    x, y = np.meshgrid(np.linspace(-0.8, 0.9, 51), np.linspace(-0.7, 0.6, 51))
    points = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    a = (np.arange(50)[:, None] * 51 + np.arange(50)).ravel()
    small = picture(
        points, np.concatenate([np.stack([a, a + 1, a + 51], 1), np.stack([a + 1, a + 52, a + 51], 1)]), 128
    )
    np.testing.assert_array_equal(large, small)


def test_nearer_surface_hides_farther_whatever_the_order():
    points = [[-1, -1, 0], [3, -1, 0], [-1, 3, 0], [-1, -1, 0.5], [3, -1, 0.5], [-1, 3, 0.5]]
    colors = np.repeat([[0.2] * 3, [0.8] * 3], 3, axis=0).astype(np.float32)
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        assert np.all(picture(points, order, albedo=colors) == round(0.8 * 255))


def test_interpolation_is_perspective_correct():
    """A slanted quad: the colour of a pixel is that of the point its ray hits."""
    camera = frontal_camera(64, 64, (0, 0, 0), extent=0.4, distance=1.0, depth=0.8)
    points = np.array([[-0.3, -0.3, 0.6], [0.3, -0.3, -0.6], [0.3, 0.3, -0.6], [-0.3, 0.3, 0.6]])
    albedo = np.array([0.0, 1.0, 1.0, 0.0])[:, None].repeat(3, 1).astype(np.float32)
    appearance = Appearance(ambient=1.0, lights=())
    got = picture(points, [[0, 1, 2], [0, 2, 3]], 64, appearance, camera.matrix, 1, albedo=albedo)[..., 0]
    inverse = np.linalg.inv(camera.matrix)
    for row, column in ((20, 20), (32, 40), (50, 30)):
        ray = [(2 * column + 1) / 64 - 1, 1 - (2 * row + 1) / 64]
        near, far = (inverse @ [*ray, depth, 1.0] for depth in (-1.0, 1.0))
        near, far = near[:3] / near[3], far[:3] / far[3]
        # On the quad z = -2 x.
        share = (near[2] + 2 * near[0]) / ((near[2] + 2 * near[0]) - (far[2] + 2 * far[0]))
        x = near[0] + share * (far[0] - near[0])
        assert abs(int(got[row, column]) - 255 * (x + 0.3) / 0.6) < 1.5


def test_lambert_light_and_normals():
    points, triangles = sphere()
    appearance = Appearance(ambient=0.1, lights=((0.0, 0.0, 2.0, 0.8),), clay=0.9)
    got = picture(points, triangles, 101, appearance, np.diag([8.0, 8.0, -8.0, 1.0]))[..., 0]
    centre = (2 * np.arange(101) + 1) / 101 - 1
    squared = (centre**2 + centre[:, None] ** 2) / 0.64
    inside = squared < 0.8
    want = 255 * 0.9 * (0.1 + 0.8 * np.sqrt(np.where(inside, 1 - squared, 0)))
    assert np.abs(got - want)[inside].max() < 4


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shading", ["smooth", "flat"])
def test_backs_are_dark(channels, shading):
    """Looking into an open bowl shows its inside in the oral cavity's gray, unlit."""
    points, triangles = sphere()
    behind = triangles[points[triangles][..., 2].mean(axis=1) < 0]
    got = picture(
        points, behind, 32, Appearance(shading=shading, oral=0.1), np.diag([8.0, 8.0, -8.0, 1.0]), channels
    )
    assert np.all(got[16, 16] == 26)


def test_oral_vertices_are_dark_and_teeth_stay_lit():
    oral = np.array([True] * 3 + [False] * 3)
    points = [[-1, -1, 0], [0, -1, 0], [-1, 1, 0], [0, -1, 0], [1, -1, 0], [1, 1, 0]]
    got = picture(
        points, [[0, 1, 2], [3, 4, 5]], 16, Appearance(ambient=1.0, lights=(), oral=0.2), oral=oral
    )[..., 0]
    assert got[14, 1] == 51
    assert got[14, 14] == round(0.72 * 255)


def test_gray_is_the_luma_of_the_colours():
    points, triangles = sphere()
    albedo = np.random.default_rng(0).uniform(0.1, 1.0, (len(points), 3)).astype(np.float32)
    scene = (points, triangles, 64, Appearance(), np.diag([8.0, 8.0, -8.0, 1.0]))
    gray = picture(*scene, 1, albedo=albedo)[..., 0]
    color = picture(*scene, 3, albedo=albedo)
    assert np.abs(color @ [0.299, 0.587, 0.114] - gray).max() < 1.6


@pytest.mark.parametrize("shading", ["smooth", "flat"])
@pytest.mark.parametrize("colored", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_same_bytes_for_any_threads_and_batches(shading, colored, channels):
    points, triangles = sphere()
    rng = np.random.default_rng(1)
    vertices = (points + rng.normal(0, 0.002, (13, *points.shape))).astype(np.float32)
    topology = Topology(
        "test", len(points), triangles, albedo=rng.random((len(points), 3)).astype(np.float32)
    )
    camera = portrait_camera(vertices, 96, 80)
    appearance = Appearance(shading=shading, colored=colored)
    want = SoftwareRenderer(1).render(topology, vertices, camera, appearance, channels)
    assert want.shape == (13, 80, 96, channels)
    assert want.max() > 100
    for threads in (2, 5, 13):
        got = SoftwareRenderer(threads).render(topology, vertices, camera, appearance, channels)
        assert got.tobytes() == want.tobytes()
    for batch in (1, 4):
        parts = [
            SoftwareRenderer().render(topology, vertices[i : i + batch], camera, appearance, channels)
            for i in range(0, 13, batch)
        ]
        assert np.concatenate(parts).tobytes() == want.tobytes()


def test_bulk_rendering_makes_the_same_pictures():
    points, triangles = sphere()
    vertices = np.stack([points, points * np.float32(0.9)])
    camera = portrait_camera(vertices, 96, 96)
    appearance = Appearance()
    want = SoftwareRenderer(2).render(Topology("t", len(points), triangles), vertices, camera, appearance, 1)[
        ..., 0
    ]
    albedo = np.full(len(points), appearance.clay)
    got = render_gray_bulk(triangles, vertices, camera.matrix, albedo, appearance.lights, appearance.ambient)
    np.testing.assert_array_equal(got, want)


def test_order_of_triangles_does_not_matter():
    points, triangles = sphere()
    scene = (96, Appearance(shading="flat"), np.diag([8.0, 8.0, -8.0, 1.0]))
    want = picture(points, triangles, *scene)
    got = picture(points, triangles[np.random.default_rng(0).permutation(len(triangles))], *scene)
    np.testing.assert_array_equal(got, want)


def test_what_reaches_past_the_near_plane_or_is_nan_is_left_out():
    camera = frontal_camera(32, 32, (0, 0, 0), extent=0.4, distance=0.5, depth=0.4)
    near = [[-0.1, -0.1, 0.7], [0.1, -0.1, 0.0], [0.0, 0.1, 0.0]]
    assert picture(near, [[0, 1, 2]], 32, UNLIT, camera.matrix).max() == 0
    broken = [[np.nan, 0, 0], [0.1, -0.1, 0.0], [0.0, np.inf, 0.0]]
    assert picture(broken, [[0, 1, 2]], 32, UNLIT, camera.matrix).max() == 0
    huge = [[-1e6, -1e6, 0.0], [1e6, -1e6, 0.0], [0.0, 1e6, 0.0]]
    picture(huge, [[0, 1, 2]], 32, UNLIT, camera.matrix)  # must not crash


def test_needles_stay_within_the_colours_of_their_corners():
    rng = np.random.default_rng(2)
    for _ in range(50):
        direction = rng.normal(size=2)
        points = np.zeros((3, 3))
        points[1, :2] = direction
        points[2, :2] = 0.5 * direction + rng.normal(0, 1e-4, 2)
        for corners in ([0, 1, 2], [0, 2, 1]):
            got = picture(points, [corners], 200, Appearance(ambient=1.0, lights=(), clay=0.5, oral=0.5))
            assert set(np.unique(got)) <= {0, 128}


def test_wrong_shapes_are_named():
    renderer = load_renderer("software")
    topology = Topology("test", 3, np.array([[0, 1, 2]], np.int32))
    camera = frontal_camera(8, 8)
    with pytest.raises(ValueError, match="needs \\(T, 3, 3\\)"):
        renderer.render(topology, np.zeros((2, 4, 3), np.float32), camera, Appearance())
    with pytest.raises(ValueError, match="channels"):
        renderer.render(topology, np.zeros((2, 3, 3), np.float32), camera, Appearance(), 2)
    moving = Camera(np.zeros((5, 4, 4)), 8, 8)
    with pytest.raises(ValueError, match="one per frame"):
        renderer.render(topology, np.zeros((2, 3, 3), np.float32), moving, Appearance())
    empty = Topology("flame-5023", 3, np.zeros((0, 3), np.int32))
    with pytest.raises(PrerequisiteError, match="assets add flame"):
        renderer.render(empty, np.zeros((2, 3, 3), np.float32), camera, Appearance())


def test_flame_geometry_mouth_is_dark_inside(shared: Path):
    """The real FLAME template with its lips cut away: what shows in their place is dark."""
    from mtbench.faces.flame import vertices_behind
    from mtbench.faces.topologies import load_topology

    folder = shared / "flame2023open"
    vertices = np.load(folder / "flame2023open_v_template_5023x3_f64.npy").astype(np.float32)
    triangles = np.load(folder / "flame_head_faces_7800x3_i64.npy").astype(np.int32)
    loop = load_topology("flame-5023").region("inner_lips")
    oral = vertices_behind(triangles, loop)
    assert 100 < oral.sum() < 200
    assert not oral[loop].any()
    cut = np.zeros(len(vertices), bool)
    cut[load_topology("flame-5023").region("lips")] = True
    without_lips = triangles[~(cut & ~oral)[triangles].any(axis=1)]
    camera = frontal_camera(200, 200, tuple(vertices[loop].mean(axis=0)), extent=0.1)

    def draw(faces):
        topology = Topology("flame-5023", len(vertices), faces, oral=oral)
        return SoftwareRenderer().render(topology, vertices[None], camera, Appearance(), 1)[0, ..., 0]

    whole, opened = draw(triangles), draw(without_lips)
    dark = round(255 * 0.08) + 1
    window = opened <= dark
    assert 0.05 < window.mean() < 0.5
    assert window[80:110, 60:140].all()
    assert whole[window].mean() > 100
    assert opened[~window].min() > dark
