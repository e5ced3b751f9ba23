"""Is it a face, in metres, upright, with its vertices in order? On the bundled head and on FLAME."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mtbench.faces.head import load_head
from mtbench.faces.motion_geometry import check_geometry


@pytest.fixture(scope="module")
def head():
    return load_head()


def codes(vertices, topology):
    return [code for code, _, _ in check_geometry(vertices.astype(np.float32), topology)]


def turned(vertices, axis, degrees):
    return vertices @ Rotation.from_euler(axis, degrees, degrees=True).as_matrix().T


def test_every_identity_passes(head):
    for name in head.identity_names:
        assert codes(head.identity(name)[None], head.topology) == []


@pytest.mark.parametrize(("axis", "degrees"), [("x", 40), ("y", 55), ("y", -55), ("z", 30)])
def test_head_turns_pass(head, axis, degrees):
    assert codes(turned(head.topology.neutral[None], axis, degrees), head.topology) == []


def test_the_wrong_units(head):
    neutral = head.topology.neutral[None]
    for factor, unit in ((1000, "millimetres"), (100, "centimetres"), (39.37, "inches"), (10, "decimetres")):
        (code, message, hint), *more = check_geometry(neutral * np.float32(factor), head.topology)
        assert (code, more) == ("wrong-unit", [])
        assert hint.startswith(f"{unit} instead of metres?")
        assert "expected about" in message
    assert codes(neutral * 0.001, head.topology) == ["wrong-unit"]
    assert codes(neutral * 3, head.topology) == ["wrong-unit"]


def test_displacements(head):
    rng = np.random.Generator(np.random.PCG64(0))
    assert codes(np.zeros((3, 4801, 3)), head.topology) == ["displacements"]
    assert codes(0.003 * rng.standard_normal((3, 4801, 3)), head.topology) == ["displacements"]


def test_axes_and_order(head):
    neutral = head.topology.neutral[None]
    assert codes(turned(neutral, "x", 90), head.topology) == ["wrong-axes"]
    assert codes(turned(neutral, "y", 180), head.topology) == ["wrong-axes"]
    assert codes(neutral[:, ::-1], head.topology) == ["wrong-vertex-order"]
    rng = np.random.Generator(np.random.PCG64(0))
    assert codes(neutral[:, rng.permutation(4801)], head.topology) == ["wrong-vertex-order"]
    assert codes(neutral * [-1, 1, 1], head.topology) == ["wrong-vertex-order"]


def test_far_away(head):
    neutral = head.topology.neutral[None]
    assert codes(neutral + np.array([0, 1.6, 0]), head.topology) == ["far-away"]
    assert codes(neutral + np.array([0, 0.1, 0]), head.topology) == []


def test_explosions(head):
    motion = np.repeat(head.topology.neutral[None], 4, axis=0)
    motion[2] *= 5
    assert codes(motion, head.topology) == ["implausible"]


def test_without_a_neutral_the_landmarks_tell(tmp_path, monkeypatch, shared):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    from mtbench.faces.topologies import load_topology

    topology = load_topology("flame-5023")
    template = np.load(shared / "flame2023open/flame2023open_v_template_5023x3_f64.npy")[None]
    assert codes(template, topology) == []
    assert codes(template[:, ::-1], topology) == ["wrong-vertex-order"]
    assert codes(template * 1000, topology) == ["wrong-unit"]
    assert codes(template * 0.01, topology) == ["displacements"]


def test_real_identities_pass_beside_each_other_without_an_asset(tmp_path, monkeypatch, shared):
    """05-flame-without-asset: real faces, turned and talking, beside the ground truth of other people."""
    from mtbench.faces.motion_geometry import sampled_frames
    from mtbench.faces.topologies import load_topology

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    topology = load_topology("flame-5023")
    template = np.load(shared / "flame2023open/flame2023open_v_template_5023x3_f64.npy")
    with np.load(shared / "flame2023open/flame2023open_identities_head_only.npz") as file:
        faces = [template, *(np.where(np.isfinite(v), v, template) for v in file["verts"])]
    jaw = np.clip((-0.035 - template[:, 1]) / 0.03, 0, 1) * 0.01
    swing = 1 - np.cos(0.8 * np.arange(30))
    talking = [f - swing[:, None, None] * jaw[:, None] * [0, 1, 0] for f in faces]
    for one in talking:
        for axis, degrees in (("x", 45), ("y", -45), ("z", 30)):
            assert codes(turned(one, axis, degrees), topology) == []
            assert codes(turned(one * [-1, 1, 1], axis, degrees), topology) == ["wrong-vertex-order"]
        for other in talking:
            beside = other[sampled_frames(30)].astype(np.float32)
            assert check_geometry(one.astype(np.float32), topology, beside) == []
            assert check_geometry((one * 0.6).astype(np.float32), topology, beside)[0][0] == "wrong-scale"


def test_real_identities_pass(tmp_path, monkeypatch, shared):
    from mtbench.faces.flame_asset import add_flame
    from mtbench.faces.topologies import load_topology

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    folder = shared / "flame2023open"
    template = np.load(folder / "flame2023open_v_template_5023x3_f64.npy")
    np.savez(tmp_path / "t.npz", v_template=template, f=np.load(folder / "flame_head_faces_7800x3_i64.npy"))
    add_flame(tmp_path / "t.npz")
    topology = load_topology("flame-5023")
    with np.load(folder / "flame2023open_identities_head_only.npz") as file:
        identities = next(iter(file.values()))
    for identity in identities:
        whole = np.where(np.isfinite(identity), identity, template)
        assert codes(whole[None], topology) == []
    assert codes(template[None, ::-1], topology) == ["wrong-vertex-order"]
