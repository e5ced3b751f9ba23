"""The bundled head's units on other meshes: on a known copy of the head itself, and on FLAME's template."""

from dataclasses import replace

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces.head import VISEMES, load_head
from mtbench.faces.topologies import load_topology
from mtbench.faces.topology import LANDMARKS
from mtbench.renderers.mouth_crop import crop_matrices
from mtbench.renderers.software import render_gray_bulk
from mtbench.synth.face_mesh import make_face
from mtbench.synth.transfer import match_faces
from mtbench.synth.transferred_head import load_transferred_head, transfer_head

HEAD = load_head()
MM = 1000.0
SIZE, SHIFT = 1.08, np.array([0.01, -0.02, 0.03], np.float32)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def copy_of_the_head(identity="neutral"):
    """Skin and eyeballs of an identity, renumbered at random, larger and elsewhere; and the old numbers."""
    kept = np.flatnonzero(np.isin(HEAD.part, (0, 1, 2)))
    triangles = HEAD.topology.triangles[kept]
    old = generator(5).permutation(np.unique(triangles))
    new = np.full(HEAD.topology.n_vertices, -1, np.int32)
    new[old] = np.arange(len(old))
    topology = replace(
        HEAD.topology,
        name="copy",
        n_vertices=len(old),
        triangles=new[triangles],
        regions={name: new[HEAD.topology.region(name)] for name in ("lips", "inner_lips")},
        landmarks=new[HEAD.topology.landmarks],
        albedo=None,
        oral=None,
        neutral=(HEAD.identity(identity) * SIZE + SHIFT)[old].astype(np.float32),
    )
    return topology, old


@pytest.fixture(scope="module")
def copied():
    topology, old = copy_of_the_head()
    return transfer_head(topology), old


@pytest.fixture(scope="module")
def other_face():
    topology, old = copy_of_the_head(HEAD.identity_names[4])
    return transfer_head(topology), old


@pytest.fixture(scope="module")
def flame_files(shared):
    folder = shared / "flame2023open"
    return folder / "flame2023open_v_template_5023x3_f64.npy", folder / "flame_head_faces_7800x3_i64.npy"


@pytest.fixture(scope="module")
def flame(flame_files):
    return load_transferred_head(*flame_files)


def visemes(head, names=tuple(VISEMES)):
    return np.stack([head.weights(name) for name in names])


def crops(head, curves, identity=None):
    """Mouth crops (T, 96, 96) with black insides before a black background, gray skin."""
    mesh = head.mouth_mesh()
    matrices = np.concatenate(
        [crop_matrices(head.pose(c[None], identity, head.topology.landmarks)) for c in curves]
    )
    albedo = np.where(mesh.oral, 0.0, 0.7).astype(np.float32)
    vertices = head.pose(curves, identity, mesh.vertices)
    return render_gray_bulk(mesh.triangles, vertices, matrices, albedo, ambient=0.5, oral=0.0)


def opening(head, curves, identity=None):
    """Dark pixels around the middle of each crop, and how many of them hang together, (T,) each."""
    from scipy.ndimage import label

    dark = crops(head, curves, identity)[:, 28:68, 14:82] < 20
    whole, largest = [], []
    for frame in dark:
        parts, count = label(frame, np.ones((3, 3)))
        whole.append(int(frame.sum()))
        largest.append(int(np.bincount(parts.ravel())[1:].max()) if count else 0)
    return np.array(whole), np.array(largest)


# ---- a copy of the head: what should come out is known -----------------------------------------------------


def test_copy_moves_as_the_original(copied):
    head, old = copied
    skin = ~head.topology.oral
    wanted = SIZE * HEAD.unit_deltas[:, old]
    error = np.linalg.norm(head.unit_deltas - wanted, axis=2)
    assert np.linalg.norm(wanted, axis=2).max() * MM > 30
    # Eyeballs too; unit offsets below 0.01 mm are left out.
    assert error[:, skin].max() * MM < 0.1


def test_lips_insides_move_with_the_lips(copied):
    head, old = copied
    near = np.flatnonzero(head.topology.oral)
    lips = head.neutral[head.topology.region("inner_lips")]
    distance = np.linalg.norm(head.neutral[near, None] - lips[None], axis=2).min(1)
    away_from_corners = np.abs(head.neutral[near, 0] - SHIFT[0]) < 0.012
    close = near[(distance < 0.002) & away_from_corners]
    jaw = HEAD.unit_index("jawOpen")
    wanted = SIZE * HEAD.unit_deltas[jaw][old][close, 1]
    lower = wanted < -0.01
    assert lower.sum() >= 4
    assert (~lower).sum() >= 4
    assert np.abs(head.unit_deltas[jaw][close, 1] - wanted).max() * MM < 3
    assert wanted[lower].max() - wanted[~lower].min() < -0.01


def test_other_face_moves_alike(other_face):
    head, old = other_face
    region = np.isin(old, HEAD.topology.region("lips")) & ~head.topology.oral
    scale = match_scale(head)
    error = np.linalg.norm(head.unit_deltas[:, region] - scale * HEAD.unit_deltas[:, old[region]], axis=2)
    size = np.linalg.norm(HEAD.unit_deltas[:, old[region]], axis=2)
    assert 0.9 * SIZE < scale < 1.1 * SIZE
    assert error.mean() < 0.15 * size.mean()


def match_scale(head):
    source = make_face(HEAD.topology, HEAD.topology.triangles[HEAD.part == 0], HEAD.neutral)
    target = make_face(head.topology, head.topology.triangles[head.part == 0], head.neutral)
    mapping, scale = match_faces(source, target)
    rows = np.asarray(mapping.sum(axis=1)).ravel()
    assert np.allclose(rows[target.used], 1.0)
    assert not rows[~target.used].any()
    return scale


def test_upper_lip_never_takes_from_the_lower(other_face):
    head, _ = other_face
    source = make_face(HEAD.topology, HEAD.topology.triangles[HEAD.part == 0], HEAD.neutral)
    target = make_face(head.topology, head.topology.triangles[head.part == 0], head.neutral)
    mapping = match_faces(source, target)[0].toarray()
    for mine, wrong in ((0, 1), (1, 0)):
        only_mine = target.sides[mine] & ~target.sides[wrong] & target.used
        only_theirs = source.sides[wrong] & ~source.sides[mine]
        assert only_mine.sum() > 50
        assert only_theirs.sum() > 50
        assert not mapping[np.ix_(only_mine, only_theirs)].any()


@pytest.mark.parametrize("fixture", ["copied", "other_face", "flame"])
def test_lips_seal_and_open(fixture, request):
    head = request.getfixturevalue(fixture)
    head = head if fixture == "flame" else head[0]
    rng = generator(3)
    shapes = [None, *(head.random_identity(rng) for _ in range(6))]
    curves = visemes(head)
    sealed = curves.copy()
    sealed[:, HEAD.unit_index("lipSeal")] = 1.0
    names = list(VISEMES)
    for shape in shapes:
        assert head.lip_gap(head.pose(sealed, shape)).max() * MM < 0.5
        gap = head.lip_gap(head.pose(curves, shape)).max(1) * MM
        at = {name: gap[names.index(name)] for name in names}
        assert at["PP"] < 0.5
        assert at["sil"] < 1.5
        assert 1.0 < at["FF"] < 7 < at["E"] < at["aa"]
        assert 14 < at["aa"] < 32
        assert 3 < at["uw"] < 9 < at["oh"] < at["aa"]


def test_copy_and_original_have_the_same_lips(copied):
    head, _ = copied
    curves = visemes(head)
    ours, theirs = head.lip_gap(head.pose(curves)), SIZE * HEAD.lip_gap(HEAD.pose(curves))
    assert ours.shape == theirs.shape
    # PP is left to each head's own sealing.
    assert np.abs(ours - theirs).max() * MM < 0.5


# ---- identities --------------------------------------------------------------------------------------------


def test_random_identities(other_face):
    head, _ = other_face
    a, again, b = (head.random_identity(generator(seed)) for seed in (1, 1, 2))
    assert a.dtype == np.float32
    assert a.shape == head.neutral.shape
    np.testing.assert_array_equal(a, again)
    mouth = head.mouth_mesh().vertices
    assert np.linalg.norm((a - b)[mouth], axis=1).mean() * MM > 1
    # Centered between the eyes as the template is, with the template's rest of the lips.
    for shape in (a, b):
        corners = [s[head.topology.landmarks[1:5]] for s in (shape, head.neutral)]
        middle = [(c.min(0) + c.max(0)) / 2 for c in corners]
        np.testing.assert_allclose(*middle, atol=1e-6)
        assert np.abs(head.lip_gap(shape) - head.lip_gap(head.neutral)).max() * MM < 0.3
    np.testing.assert_allclose(head.random_identity(generator(1), 0.0), head.neutral, atol=1e-6)


def test_subset_is_posed_as_the_whole(copied):
    head, _ = copied
    vertices = head.mouth_mesh().vertices
    curves = visemes(head)
    np.testing.assert_array_equal(head.pose(curves, None, vertices), head.pose(curves)[:, vertices])


def test_mesh_has_neither_teeth_nor_tongue(copied):
    head, _ = copied
    mesh = head.mouth_mesh(teeth=True, tongue=True)
    assert mesh.oral.any()
    assert not mesh.oral.all()
    assert len(np.unique(mesh.albedo)) == 1
    np.testing.assert_array_equal(mesh.triangles, head.mouth_mesh().triangles)
    assert mesh.triangles.max() < len(mesh.vertices)


# ---- FLAME -------------------------------------------------------------------------------------------------


def test_flame_shapes_equal_the_bundled_heads(flame):
    ours, theirs = flame.pose(visemes(flame)), HEAD.pose(visemes(HEAD))
    scale = match_scale(flame)

    def width(head, posed):
        left, right = (head.topology.landmarks[LANDMARKS.index(k)] for k in (48, 54))
        return np.linalg.norm(posed[:, left] - posed[:, right], axis=1)

    def stands_out(head, posed):
        """How far the middles of both lips come forward."""
        lips = head.topology.landmarks[[LANDMARKS.index(k) for k in (51, 57, 62, 66)]]
        return (posed[:, lips, 2] - head.neutral[lips, 2]).mean(1)

    gap = flame.lip_gap(ours).max(1) - scale * HEAD.lip_gap(theirs).max(1)
    rest = gap[list(VISEMES).index("sil")]
    assert np.abs(gap - rest).max() * MM < 1.6  # widest where the finer mesh has a narrow peak
    relative = (
        width(flame, ours) / width(flame, flame.neutral[None]),
        width(HEAD, theirs) / width(HEAD, HEAD.neutral[None]),
    )
    assert relative[1].min() < 0.8
    assert relative[1].max() > 1.1
    assert np.abs(relative[0] - relative[1]).max() < 0.05
    forward = stands_out(flame, ours) - scale * stands_out(HEAD, theirs)
    assert stands_out(flame, ours).max() * MM > 5
    assert np.abs(forward).max() * MM < 2


def test_flame_opening_is_one_dark_spot(flame):
    """Nothing from behind the lips comes out through them."""
    rng = generator(11)
    names = ("sil", "PP", "aa", "E", "oh", "uw", "CH", "iy", "SS")
    for identity in (None, *(flame.random_identity(rng) for _ in range(4))):
        whole, largest = opening(flame, visemes(flame, names), identity)
        area = dict(zip(names, whole.tolist(), strict=True))
        assert area["PP"] <= 12
        assert area["aa"] > 250
        assert area["aa"] > area["oh"] > area["uw"] > 20
        assert area["iy"] > 40
        for name, all_dark, in_one in zip(names, whole, largest, strict=True):
            if name not in ("sil", "PP"):
                assert in_one >= 0.9 * all_dark, name


def test_flame_rests_as_the_template(flame, flame_files):
    rest = flame.pose(np.zeros((2, 55), np.float32))
    assert rest.shape == (2, 5023, 3)
    assert rest.dtype == np.float32
    np.testing.assert_array_equal(rest[0], np.load(flame_files[0]).astype(np.float32))


def test_flame_registered(flame, flame_files, tmp_path, monkeypatch):
    from mtbench.faces.flame_asset import add_flame

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(PrerequisiteError, match="mtbench assets add flame"):
        load_transferred_head()
    with pytest.raises(PrerequisiteError, match="mtbench assets add flame"):
        load_transferred_head(flame_files[0])
    template, faces = (np.load(file) for file in flame_files)
    np.savez(tmp_path / "template.npz", v_template=template, f=faces)
    from_file = load_transferred_head(tmp_path / "template.npz")
    np.testing.assert_array_equal(from_file.unit_deltas, flame.unit_deltas)
    assert not (tmp_path / "data").exists()
    add_flame(tmp_path / "template.npz")
    registered = load_transferred_head()
    assert registered is load_transferred_head()
    np.testing.assert_array_equal(registered.unit_deltas, flame.unit_deltas)
    # A submission in FLAME's topology is drawn the same way.
    assert registered.topology.digest == load_topology("flame-5023").digest == flame.topology.digest
    curves = visemes(flame, ("aa", "uw"))
    np.testing.assert_array_equal(registered.pose(curves), flame.pose(curves))


def test_wrong_templates_are_refused(tmp_path):
    faces = np.zeros((1, 3), np.int32)
    with pytest.raises(UsageError, match="has 10 vertices"):
        load_transferred_head(np.zeros((10, 3)), faces)
    with pytest.raises(UsageError, match="vertices that do not exist"):
        load_transferred_head(np.zeros((5023, 3)), faces + 9999)
    with pytest.raises(UsageError, match="in another order"):
        load_transferred_head(np.zeros((5023, 3)), faces)
    for name in ("absent.npz", "absent.npy"):
        with pytest.raises(UsageError, match="no file"):
            load_transferred_head(tmp_path / name, faces)
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(UsageError, match="not an array"):
        load_transferred_head(tmp_path / "text.npy", faces)


def test_scrambled_flame_is_refused(flame_files):
    template, faces = (np.load(file) for file in flame_files)
    with pytest.raises(UsageError, match="finite"):
        load_transferred_head(np.where(np.arange(5023)[:, None] == 7, np.nan, template), faces)
    with pytest.raises(UsageError, match="convert it to metres"):
        load_transferred_head(template * 1000, faces)
    with pytest.raises(UsageError, match="in another order"):
        load_transferred_head(template, faces[:, ::-1] // 2)
