"""GLB files: what is inside, and that trimesh and <model-viewer> open them."""

import base64
import io
import json

import fakes
import npm
import numpy as np
import pytest
import soundfile
from browser import browser, chromium  # noqa: F401  (fixtures)
from typer.testing import CliRunner

from mtbench.benchmarks import load_benchmark
from mtbench.cli.app import app
from mtbench.files.file_errors import WriteError
from mtbench.submissions import load_submission

pygltflib = pytest.importorskip("pygltflib", reason="the extra [glb] is not installed")
CLIPS = {"eng-01": ("eng", 30, "a b")}
NAME = "<b>A & B</b> \u202e=1"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("glb")
    bench = fakes.make_benchmark(root / "bench", CLIPS)
    entry = fakes.make_entry(root / "entry", CLIPS)
    manifest = entry / "submission.toml"
    manifest.write_text(
        manifest.read_text().replace('"entry"', json.dumps(NAME, ensure_ascii=False)), "utf-8"
    )
    arguments = ["export", str(entry), "eng-01", "--glb", "-b", str(bench), "--out", str(root / "face.glb")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    motion = load_submission(entry, bench).motion("eng-01")
    return root, arguments, result.output, motion, load_benchmark(bench)["eng-01"]


def read_array(gltf, number):
    accessor = gltf.accessors[number]
    view = gltf.bufferViews[accessor.bufferView]
    kind = {5126: "<f4", 5123: "<u2", 5125: "<u4", 5121: "|u1"}[accessor.componentType]
    data = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
    return np.frombuffer(data, kind).reshape(accessor.count, width)


def test_morph_targets_give_the_motion(made):
    root, _, told, motion, _ = made
    gltf = pygltflib.GLTF2().load(str(root / "face.glb"))
    (primitive,) = gltf.meshes[0].primitives
    base = read_array(gltf, primitive.attributes.POSITION).astype(float)
    assert np.array_equal(base.astype(np.float32), motion.vertices[0])
    targets = np.stack([read_array(gltf, t["POSITION"]) for t in primitive.targets]).astype(float)
    (animation,) = gltf.animations
    times = read_array(gltf, animation.samplers[0].input)[:, 0]
    weights = read_array(gltf, animation.samplers[0].output).reshape(len(times), -1).astype(float)
    assert times[0] == 0
    assert times[-1] == pytest.approx(30 / 25)
    assert np.allclose(times[1:-1], (np.arange(30) + 0.5) / 25)
    # Blender cuts weights off below 0.
    assert weights.min() >= 0
    assert weights.max() == 1
    shown = base + np.tensordot(weights[1:-1], targets, 1)
    off = 1000 * np.linalg.norm(shown - motion.vertices, axis=2).max()
    assert off < 0.05
    about = gltf.asset.extras["mtbench"]
    assert about["error_mm"] == pytest.approx(off, abs=1e-3)
    assert f"{off:.3f} mm" in told
    assert (about["system"], about["clip"], about["fps"], about["frames"]) == (NAME, "eng-01", 25.0, 30)
    assert len(gltf.meshes[0].extras["targetNames"]) == len(targets)


def test_normals_follow_the_surface(made):
    root, _, _, motion, _ = made
    gltf = pygltflib.GLTF2().load(str(root / "face.glb"))
    (primitive,) = gltf.meshes[0].primitives
    triangles = read_array(gltf, primitive.indices).reshape(-1, 3)
    frame = 17
    corners = motion.vertices[frame].astype(float)[triangles]
    true = np.zeros((len(motion.vertices[0]), 3))
    for k in range(3):
        np.add.at(
            true, triangles[:, k], np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        )
    sampler = gltf.animations[0].samplers[0]
    weights = read_array(gltf, sampler.output).reshape(32, -1)[frame + 1]
    shown = read_array(gltf, primitive.attributes.NORMAL).astype(float)
    assert np.allclose(np.linalg.norm(shown, axis=1), 1, atol=1e-5)
    shown = shown + np.tensordot(
        weights, np.stack([read_array(gltf, t["NORMAL"]) for t in primitive.targets]), 1
    )
    cosine = (shown * true).sum(1) / np.linalg.norm(shown, axis=1) / np.linalg.norm(true, axis=1)
    assert np.percentile(cosine, 2) > 0.995


def test_the_sound_is_inside_and_beside(made):
    root, _, _, _, clip = made
    gltf = pygltflib.GLTF2().load(str(root / "face.glb"))
    emitter = gltf.extensions["KHR_audio_emitter"]
    view = gltf.bufferViews[emitter["audio"][0]["bufferView"]]
    inside = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    assert inside == (root / "face.wav").read_bytes()
    samples, rate = soundfile.read(io.BytesIO(inside), dtype="float32")
    assert rate == 16000
    assert np.array_equal(samples, clip.load_audio())
    assert gltf.extensionsUsed == ["KHR_audio_emitter"]
    assert not gltf.extensionsRequired


@pytest.mark.parametrize("taken", ["d.glb", "d.wav"])
def test_both_files_are_written_or_neither(made, tmp_path, taken):
    _, arguments, *_ = made
    (tmp_path / taken).mkdir()
    result = CliRunner().invoke(app, [*arguments[:-1], str(tmp_path / "d.glb")])
    assert isinstance(result.exception, WriteError)
    assert [path.name for path in tmp_path.iterdir()] == [taken]


def test_the_same_again_and_what_is_refused(made):
    root, arguments, _, _, _ = made
    before = (root / "face.glb").read_bytes()
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (root / "face.glb").read_bytes() == before
    for changed in ([*arguments[:-1], str(root / "face.gltf")], [a for a in arguments if a != "--glb"]):
        result = CliRunner().invoke(app, changed)
        assert result.exit_code != 0
    assert not (root / "face.gltf").exists()


def test_trimesh_opens_it(made):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed (extra [pyrender])")
    root, _, _, motion, _ = made
    scene = trimesh.load_scene(root / "face.glb", process=False)
    (mesh,) = scene.geometry.values()
    assert mesh.vertices.shape == motion.vertices[0].shape
    assert np.abs(mesh.vertices - motion.vertices[0]).max() < 1e-6
    assert len(mesh.faces) == 9460


MODEL_VIEWER = "https://registry.npmjs.org/@google/model-viewer/-/model-viewer-4.4.0.tgz"
INTEGRITY = "sha512-8z1SB5sPlzKoak5mdx/D31brBakPYm3Qi31EfAucHAUrtrHHCbabypkKvSwReYhUpPaxyJ46oT47uWE/hrs1Zw=="
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Face</title>
<script src="model-viewer.js"></script>
<model-viewer src="data:model/gltf-binary;base64,{data}" style="width:400px;height:400px"
 alt="A face"></model-viewer>"""


def test_model_viewer_opens_it(made, browser):  # noqa: F811
    root, _, _, _, _ = made
    package = npm.fetch(MODEL_VIEWER, INTEGRITY)
    (root / "model-viewer.js").write_bytes(package["package/dist/model-viewer-umd.min.js"])
    data = base64.b64encode((root / "face.glb").read_bytes()).decode()
    (root / "page.html").write_text(PAGE.format(data=data), "utf-8")
    targets = len(pygltflib.GLTF2().load(str(root / "face.glb")).meshes[0].primitives[0].targets)
    visit = browser.open(root / "page.html", size={"width": 420, "height": 420})
    visit.page.wait_for_function("document.querySelector('model-viewer').loaded", timeout=25000)
    found = visit.page.evaluate(
        """async () => { const viewer = document.querySelector("model-viewer");
        viewer.animationName = "speech"; await viewer.updateComplete; viewer.play(); viewer.pause();
        const key = Object.getOwnPropertySymbols(viewer).find((one) => one.description === "scene");
        const meshes = []; viewer[key].traverse((one) => { if (one.morphTargetInfluences) meshes.push(one); });
        const at = async (time) => { viewer.currentTime = time; await new Promise((go) => setTimeout(go, 100));
            return [...meshes[0].morphTargetInfluences]; };
        return { animations: viewer.availableAnimations, seconds: viewer.duration, meshes: meshes.length,
            early: await at(0.02), late: await at(0.62) }; }"""
    )
    assert found["animations"] == ["speech"]
    assert found["seconds"] == pytest.approx(30 / 25, abs=1e-3)
    assert found["meshes"] == 1
    assert len(found["early"]) == targets
    gltf = pygltflib.GLTF2().load(str(root / "face.glb"))
    weights = read_array(gltf, gltf.animations[0].samplers[0].output).reshape(32, -1)
    assert np.allclose(found["late"], weights[1 + 15], atol=1e-3)
    assert np.allclose(found["early"], weights[1], atol=1e-3)
    assert visit.network == []
    assert [error for error in visit.errors if "error" in error.lower()] == []
