"""FLAME: index lists, assets, linear blend skinning."""

import json
import pickle

import numpy as np
import pytest
from factories import FLAME_SIZE, flame_arrays
from scipy.spatial.transform import Rotation

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces.flame import (
    FlameModel,
    flame_topology,
    load_flame_model,
    pose_flame,
    require_triangles,
    rotation_matrices,
)
from mtbench.faces.flame_asset import add_flame, data_folder, flame_record
from mtbench.faces.flame_lists import PARENTS, index_lists
from mtbench.faces.topologies import load_topology
from mtbench.faces.topology import LANDMARKS


@pytest.fixture(autouse=True)
def _own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def arrays():
    return flame_arrays()


@pytest.fixture(scope="module")
def real(shared):
    folder = shared / "flame2023open"
    template = np.load(folder / "flame2023open_v_template_5023x3_f64.npy")
    return template, np.load(folder / "flame_head_faces_7800x3_i64.npy")


# ---- index lists ----


def test_index_lists_need_no_asset():
    topology = load_topology("flame-5023")
    assert topology.n_vertices == FLAME_SIZE
    assert not topology.renderable
    assert topology.neutral is None
    sizes = {name: len(indices) for name, indices in topology.regions.items()}
    assert sizes == {"lips": 250, "lips_rings": 254, "inner_lips": 32, "mouth": 422, "upper_face": 827}
    for name, indices in topology.regions.items():
        assert len(set(indices.tolist())) == len(indices)
        assert indices.min() >= 0
        assert indices.max() < FLAME_SIZE
        if name != "inner_lips":
            assert np.all(np.diff(indices) > 0)
    assert len(topology.landmarks) == len(LANDMARKS)
    assert set(topology.region("lips")) <= set(topology.region("mouth"))


def test_lips_are_the_fields_list(shared):
    lists = json.loads((shared / "flame2023open/flame_regions.json").read_text())
    topology = flame_topology()
    assert topology.region("lips").tolist() == sorted(set(lists["lips_254_raw"]))
    assert topology.region("upper_face").tolist() == sorted(lists["upper_face_827"])


def test_rings_on_real_triangles(real):
    template, triangles = real
    neighbours: dict[int, set[int]] = {}
    for a, b, c in triangles.tolist():
        for x, y, z in ((a, b, c), (b, c, a), (c, a, b)):
            neighbours.setdefault(x, set()).update((y, z))
    rings = [set(index_lists()["mouth_loop"])]
    inside = set(rings[0])
    for _ in range(12):
        rings.append({n for i in rings[-1] for n in neighbours[i]} - inside)
        inside |= rings[-1]
    topology = flame_topology()
    assert set(topology.region("lips_rings")) == set().union(*rings[:8])
    assert set(topology.region("mouth")) == inside
    assert set(topology.region("inner_lips")) == rings[4]
    assert set(topology.region("lips")) <= set().union(*rings[2:10])
    loop = topology.region("inner_lips").tolist()
    assert all(b in neighbours[a] for a, b in zip(loop, [*loop[1:], loop[0]]))
    # the loop starts at the viewer-left corner and takes the upper lip first
    assert loop[0] == min(loop, key=lambda i: template[i, 0])
    assert template[loop[:16], 0].argmax() > 12


def test_landmarks_sit_where_anatomy_has_them(real):
    template, triangles = real
    topology = flame_topology()
    point = {name: 1000 * template[i] for name, i in zip(LANDMARKS, topology.landmarks.tolist())}
    assert set(topology.landmarks.tolist()) <= set(triangles.ravel().tolist())
    left_to_right = [
        [36, 39, 33, 42, 45],
        [48, 49, 50, 51, 52, 53, 54],
        [60, 61, 62, 63, 64],
        [59, 58, 57, 56, 55],
    ]
    for order in [*left_to_right, [67, 66, 65]]:
        assert np.all(np.diff([point[name][0] for name in order]) > 0)
    for a, b in (
        (36, 45),
        (39, 42),
        (48, 54),
        (49, 53),
        (50, 52),
        (60, 64),
        (61, 63),
        (67, 65),
        (59, 55),
        (58, 56),
    ):
        assert point[a] * [-1, 1, 1] == pytest.approx(point[b], abs=1.5)
    for upper, middle, lower in ((51, 62, 57), (50, 61, 58), (52, 63, 56)):
        assert point[upper][1] > point[middle][1] > point[lower][1]
    assert point[33][1] > point[51][1] + 10
    assert np.linalg.norm(point[62] - point[66]) < 2.5  # the template's lips touch
    assert 45 < point[54][0] - point[48][0] < 55
    assert 85 < point[45][0] - point[36][0] < 95


# ---- assets ----


def test_rendering_without_an_asset_says_what_to_get():
    for needs in (require_triangles, load_flame_model):
        with pytest.raises(PrerequisiteError) as caught:
            needs()
        for word in (
            "flame2023_Open.pkl",
            "https://flame.is.tue.mpg.de",
            "CC-BY-4.0",
            "mtbench assets add flame",
        ):
            assert word in str(caught.value)
        assert caught.value.exit_code == 4


_digests: set[str] = set()


@pytest.mark.parametrize("form", ["pkl", "npz"])
def test_a_model_becomes_an_asset(tmp_path, arrays, form):
    path = tmp_path / f"model.{form}"
    if form == "pkl":
        path.write_bytes(pickle.dumps(dict(arrays), protocol=4))
    else:
        np.savez(path, **arrays)
    record = add_flame(path)
    assert (record.kind, record.source, record.triangles) == ("model", path.name, len(arrays["f"]))
    _digests.add(record.digest)  # the same arrays in another form give the same asset
    assert len(_digests) == 1
    assert record == flame_record()
    topology = require_triangles()
    assert np.array_equal(topology.triangles, arrays["f"].astype(np.int32))
    assert topology.neutral == pytest.approx(arrays["v_template"], abs=1e-7)
    model = load_flame_model()
    assert np.array_equal(model.directions, arrays["shapedirs"].transpose(2, 0, 1).astype("f4"))
    assert model.digest == load_flame_model().digest
    assert data_folder() == tmp_path / "data"


def write_ply(path, vertices, triangles, encoding):
    kind = "ascii" if encoding == "ascii" else f"binary_{encoding}_endian"
    head = f"ply\nformat {kind} 1.0\nelement vertex {len(vertices)}\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    if encoding == "ascii":
        body = "".join(f"{x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in vertices)
        body += "".join(f"3 {a} {b} {c}\n" for a, b, c in triangles)
        path.write_bytes((head + body).encode())
    else:
        order = "<" if encoding == "little" else ">"
        rows = np.zeros(len(triangles), [("n", "u1"), ("i", order + "i4", 3)])
        rows["n"], rows["i"] = 3, triangles
        path.write_bytes(head.encode() + vertices.astype(order + "f4").tobytes() + rows.tobytes())


@pytest.mark.parametrize("form", ["ascii.ply", "little.ply", "big.ply", "obj", "npz"])
def test_a_template_becomes_an_asset(tmp_path, arrays, form):
    vertices, triangles = arrays["v_template"], arrays["f"]
    path = tmp_path / f"template.{form}"
    if form == "npz":
        np.savez(path, v_template=vertices, f=triangles)
    elif form == "obj":
        lines = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices] + ["vt 0 0"]
        lines += [f"f {a + 1}/1 {b + 1}/1 {c + 1}/1" for a, b, c in triangles]
        path.write_text("\n".join(lines))
    else:
        write_ply(path, vertices, triangles, form.split(".")[0])
    record = add_flame(path)
    assert record.kind == "template"
    topology = require_triangles()
    assert np.array_equal(topology.triangles, triangles)
    assert topology.neutral == pytest.approx(vertices, abs=1e-7)
    with pytest.raises(PrerequisiteError, match="only a template mesh"):
        load_flame_model()


def test_the_real_template_without_eyeballs(tmp_path, real):
    template, triangles = real
    write_ply(tmp_path / "head.ply", template, triangles, "little")
    record = add_flame(tmp_path / "head.ply")
    assert (record.kind, record.triangles) == ("template", 7800)
    topology = require_triangles()
    assert topology.renderable
    assert topology.neutral == pytest.approx(template, abs=1e-7)


def without(arrays, key):
    return {name: value for name, value in arrays.items() if name != key}


def shuffled(arrays):
    order = np.random.Generator(np.random.PCG64(1)).permutation(FLAME_SIZE)
    return arrays | {"f": order[arrays["f"]]}


BROKEN_MODELS = {
    "no template": (lambda a: without(a, "v_template"), "needs 'v_template' and 'f'"),
    "other topology": (lambda a: a | {"v_template": a["v_template"][:4000]}, "4000 vertices, FLAME has 5023"),
    "vertices in another order": (shuffled, "no edge of the mouth opening"),
    "triangles out of range": (lambda a: a | {"f": a["f"] + 5000}, "vertices that do not exist"),
    "millimetres": (lambda a: a | {"v_template": a["v_template"] * 1000}, "convert it to metres"),
    "nan": (lambda a: a | {"posedirs": a["posedirs"] * np.nan}, "posedirs holds"),
    "half a model": (lambda a: without(a, "weights"), "but no weights"),
    "fewer expressions": (lambda a: a | {"shapedirs": a["shapedirs"][..., :150]}, "shapedirs has shape"),
    "other joints": (
        lambda a: a | {"kintree_table": np.array([[-1, 0, 1, 2, 3], [0, 1, 2, 3, 4]])},
        "joints hang on",
    ),
    "weights": (lambda a: a | {"weights": a["weights"] * 2}, "do not sum to one"),
}


@pytest.mark.parametrize("name", BROKEN_MODELS)
def test_models_that_are_not_flame(tmp_path, arrays, name):
    change, words = BROKEN_MODELS[name]
    changed = change(dict(arrays))
    if name not in ("nan", "half a model", "fewer expressions", "other joints", "weights"):
        changed = {key: value for key, value in changed.items() if key in ("v_template", "f")}  # smaller
    np.savez(tmp_path / "model.npz", **changed)
    with pytest.raises(UsageError, match=r"model\.npz") as caught:
        add_flame(tmp_path / "model.npz")
    assert words in str(caught.value)
    assert flame_record() is None


def test_files_that_are_no_models(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "a.ply").write_bytes(
        b"ply\nformat ascii 1.0\nelement vertex 9\nproperty float x\nend_header\n1\n"
    )
    (tmp_path / "b.ply").write_bytes(
        b"ply\nformat binary_little_endian 1.0\nelement vertex 900000\nproperty float x\nend_header\n1"
    )
    (tmp_path / "a.obj").write_text("v 1 2\nf 1 2 3\n")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"v_template": FlameModel}))
    for file in sorted(tmp_path.glob("[ab].*")):
        with pytest.raises(UsageError, match=file.name):
            add_flame(file)
    with pytest.raises(UsageError, match="there is no file"):
        add_flame(tmp_path / "nothing.pkl")


def test_an_altered_asset_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "model.npz", v_template=arrays["v_template"], f=arrays["f"])
    add_flame(tmp_path / "model.npz")
    target = tmp_path / "data/assets/flame-5023.npz"
    content = bytearray(target.read_bytes())
    content[3000] ^= 1
    target.write_bytes(content)
    with pytest.raises(PrerequisiteError, match="add it again"):
        flame_topology()


# ---- linear blend skinning ----


def reference(params: dict, arrays: dict) -> np.ndarray:
    """Independent float64 computation, frame by frame with homogeneous matrices, as in FLAME's paper."""
    out = []
    for t in range(len(params["jaw"])):
        shape = np.atleast_2d(params.get("shape", np.zeros(0)))
        shape = shape[min(t, len(shape) - 1)]
        beta = np.zeros(400)
        beta[: len(shape)] = shape
        beta[300 : 300 + params["exp"].shape[1]] = params["exp"][t]
        shaped = arrays["v_template"] + np.einsum("vck,k->vc", arrays["shapedirs"], beta)
        joints = arrays["J_regressor"] @ shaped
        eyes = params.get("eyes", np.zeros((t + 1, 6)))[t]
        zero = np.zeros((t + 1, 3))
        turns = [
            params.get("rotation", zero)[t],
            params.get("neck", zero)[t],
            params["jaw"][t],
            eyes[:3],
            eyes[3:],
        ]
        matrices = Rotation.from_rotvec(np.array(turns, np.float64)).as_matrix()
        feature = np.concatenate([(m - np.eye(3)).ravel() for m in matrices[1:]])
        posed = shaped + arrays["posedirs"] @ feature
        world: list[np.ndarray] = []
        for joint, parent in enumerate(PARENTS):
            local = np.eye(4)
            local[:3, :3] = matrices[joint]
            local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
            world.append(local if parent < 0 else world[parent] @ local)
        for joint in range(5):
            rest = np.eye(4)
            rest[:3, 3] = -joints[joint]
            world[joint] = world[joint] @ rest
        blended = np.einsum("vj,jab->vab", arrays["weights"], np.array(world))
        homogeneous = np.concatenate([posed, np.ones((len(posed), 1))], axis=1)
        out.append(np.einsum("vab,vb->va", blended, homogeneous)[:, :3] + params.get("translation", zero)[t])
    return np.array(out)


@pytest.fixture(scope="module")
def small():
    """A model of FLAME's form with 60 vertices, and its arrays."""
    arrays = flame_arrays(seed=5)
    keep = np.arange(60)
    arrays = {
        "v_template": arrays["v_template"][keep],
        "shapedirs": arrays["shapedirs"][keep] * 10,
        "posedirs": arrays["posedirs"][keep] * 10,
        "J_regressor": np.random.Generator(np.random.PCG64(2)).dirichlet(np.ones(60), 5),
        "weights": arrays["weights"][keep],
    }
    model = FlameModel(
        template=arrays["v_template"],
        directions=arrays["shapedirs"].transpose(2, 0, 1).astype("f4"),
        n_shape=300,
        pose_directions=arrays["posedirs"].transpose(2, 0, 1).astype("f4"),
        joint_regressor=arrays["J_regressor"],
        weights=arrays["weights"],
    )
    return model, arrays


def random_params(seed: int, frames: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    params = {"exp": rng.standard_normal((frames, 50)), "jaw": rng.standard_normal((frames, 3))}
    optional = {
        "shape": rng.standard_normal([(100,), (1, 300), (frames, 20)][seed % 3]),
        "neck": rng.standard_normal((frames, 3)),
        "eyes": rng.standard_normal((frames, 6)),
        "rotation": 2 * rng.standard_normal((frames, 3)),
        "translation": rng.standard_normal((frames, 3)),
    }
    return params | {key: value for key, value in optional.items() if seed < 3 or rng.random() < 0.5}


@pytest.mark.parametrize("seed", range(8))
def test_posing_agrees_with_an_independent_computation(small, seed):
    model, arrays = small
    params = random_params(seed)
    vertices = pose_flame(params, model)
    assert vertices.dtype == np.float32
    assert vertices == pytest.approx(reference(params, arrays), abs=5e-6)


def test_zero_parameters_give_the_template(small):
    model, arrays = small
    vertices = pose_flame({"exp": np.zeros((3, 50)), "jaw": np.zeros((3, 3))}, model)
    assert np.array_equal(vertices, np.repeat(arrays["v_template"][None].astype("f4"), 3, axis=0))


def test_a_frame_does_not_depend_on_the_others(small):
    model, _ = small
    params = random_params(0)
    params["shape"] = params["shape"].reshape(-1)
    whole = pose_flame(params, model)
    one = pose_flame({k: v if k == "shape" else v[4:5] for k, v in params.items()}, model)
    assert one[0] == pytest.approx(whole[4], abs=1e-6)


def test_the_whole_model_at_full_size(tmp_path, arrays):
    np.savez(tmp_path / "model.npz", **arrays)
    add_flame(tmp_path / "model.npz")
    params = random_params(1, frames=2)
    assert pose_flame(params, load_flame_model()) == pytest.approx(reference(params, arrays), abs=1e-6)


def test_too_many_coefficients(small):
    with pytest.raises(ValueError, match="fewer than 301"):
        pose_flame({"exp": np.zeros((1, 1)), "jaw": np.zeros((1, 3)), "shape": np.zeros(301)}, small[0])


def test_rotation_matrices():
    rng = np.random.Generator(np.random.PCG64(0))
    vectors = np.concatenate([rng.standard_normal((500, 3)) * 3, np.zeros((1, 3)), np.full((1, 3), 1e-12)])
    vectors = vectors[np.linalg.norm(vectors, axis=1) < 12]
    assert rotation_matrices(vectors) == pytest.approx(Rotation.from_rotvec(vectors).as_matrix(), abs=1e-14)
    with pytest.raises(ValueError, match="radians"):
        rotation_matrices(np.array([[20.0, 0, 0]]))
