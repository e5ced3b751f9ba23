"""One line each: ``mtbench.lve``, ``fdd``, ``wer``, ``cer``, ``render``, ``transcribe``, and what a notebook shows."""

import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import factories
import fakes
import numpy as np
import pytest
import soundfile

import mtbench
from mtbench.avsr.base import Hypothesis
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces.motion import Motion
from mtbench.faces.topologies import load_topology
from mtbench.faces.topology import Topology
from mtbench.results.comparison import Comparison
from mtbench.results.tables import Table

FLAME = load_topology("flame-5023")
LIPS, UPPER = FLAME.region("lips"), FLAME.region("upper_face")


@pytest.fixture(autouse=True)
def no_assets(monkeypatch, tmp_path):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "no-assets"))


@pytest.fixture
def truth() -> np.ndarray:
    return factories.talk(12).astype(np.float64)


# ---- lve ---------------------------------------------------------------------------------------------------


def test_lve_is_the_largest_lip_distance_of_a_frame_mean_over_frames(truth):
    moved = truth.copy()
    moved[0, LIPS[3]] += (0, 0.003, 0.004)  # 5 mm in one frame of twelve
    moved[1, LIPS[5]] += (0.012, 0, 0)
    moved[1, LIPS[6]] += (0, 0.001, 0)  # smaller than the largest
    moved[:, np.setdiff1d(np.arange(5023), LIPS)[0]] += 0.05  # not a lip
    assert mtbench.lve(moved, truth) == pytest.approx((5 + 12) / 12, rel=1e-12)
    assert mtbench.lve(truth, truth) == 0.0
    assert mtbench.lve(moved, truth, metric="lve_sq_m2") == pytest.approx((25e-6 + 144e-6) / 12)
    one = (5 + 12 + 1) / len(LIPS) / 12
    assert mtbench.lve(moved, truth, metric="lve_mean_mm") == pytest.approx(one)


def test_lve_aligned_takes_out_how_the_head_is_held(truth):
    turned = truth @ np.array([[0.995, -0.0998, 0], [0.0998, 0.995, 0], [0, 0, 1]]) + np.array([0, 0.02, 0])
    assert mtbench.lve(turned, truth) > 10
    assert mtbench.lve(turned, truth, metric="lve_aligned_mm") < 0.1
    moved = truth.copy()
    moved[:, LIPS[0], 2] += 0.003
    assert mtbench.lve(moved, truth, metric="lve_aligned_mm") == pytest.approx(3.0)
    other = truth[:, :53]
    with pytest.raises(UsageError, match="as lips= and upper_face="):
        mtbench.lve(other, other, metric="lve_aligned_mm")
    found = mtbench.lve(other, other, lips=[0], upper_face=range(9, 53), metric="lve_aligned_mm")
    assert found == pytest.approx(0, abs=1e-9)


def test_lve_takes_arrays_motions_and_files(truth, tmp_path):
    moved = truth + np.array([0, 0.003, 0.004])
    np.save(tmp_path / "a.npy", moved.reshape(12, -1))
    np.savez(tmp_path / "b.npz", vertices=truth)
    np.savez(tmp_path / "c.npz", whatever=truth)
    motion = Motion(truth.astype(np.float32), 25.0, "flame-5023")
    for one in (moved, moved.reshape(12, -1), tmp_path / "a.npy", str(tmp_path / "a.npy"), list(moved)):
        for other in (truth, motion, tmp_path / "b.npz", tmp_path / "c.npz"):
            assert mtbench.lve(one, other) == pytest.approx(5.0, rel=1e-4)


def test_frames_of_other_moments_are_not_compared(truth):
    one, other = (Motion(truth.astype(np.float32), fps, "flame-5023") for fps in (30.0, 25.0))
    with pytest.raises(UsageError, match="30 frames per second, truth has 25"):
        mtbench.lve(one, other)


def test_lve_of_several_clips_is_pooled_over_frames(truth):
    shift = np.array([0, 0.003, 0.004])
    pooled = mtbench.lve([truth + shift, truth[:3]], [truth, truth[:3]])
    assert pooled == pytest.approx(5.0 * 12 / 15)


def test_lve_of_another_mesh_wants_the_lips():
    rng = np.random.Generator(np.random.PCG64(2))
    truth = 0.1 * rng.standard_normal((4, 53, 3))
    with pytest.raises(UsageError, match=r"53 vertices belong to no topology .* as lips="):
        mtbench.lve(truth, truth)
    assert mtbench.lve(truth + np.array([0, 0, 0.002]), truth, lips=[1, 5, 8]) == pytest.approx(2.0)
    topology = Topology("mine", 53, np.zeros((0, 3), np.int32), {"lips": np.array([0])})
    assert mtbench.lve(truth + np.array([0, 0, 0.002]), truth, topology=topology) == pytest.approx(2.0)
    for lips, message in (([53], "1 to 53|counts from 1"), ([], "whole numbers"), ([0.5], "whole numbers")):
        with pytest.raises(UsageError, match=message):
            mtbench.lve(truth, truth, lips=lips)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: 1000 * v, "prediction: .*millimetres instead of metres.*divide by 1000"),
        (lambda v: 100 * v, "centimetres"),
        (lambda v: v - v[0], "displacements"),
        (lambda v: v[:5], "5 frames, truth has 12: another frame rate"),
        (lambda v: v[:, :4801], "4801 vertices, truth has 5023"),
        (lambda v: v.transpose(0, 2, 1), "axes are swapped"),
        (lambda v: v[None], "batch axis"),
        (lambda v: np.where(np.arange(12)[:, None, None] == 7, np.nan, v), "NaN .* from row 7 on"),
        (lambda v: (1e4 * v).astype(int), "holds int64"),
        (lambda v: v[:0], "T >= 1"),
        (lambda v: "nowhere.npy", "nowhere.npy.*cannot be read"),
        (lambda v: [v], "list of clips and truth is not"),
        (lambda v: object(), "object, expected floating point"),
    ],
)
def test_lve_refuses_what_is_no_face_in_metres(truth, change, message):
    with pytest.raises(UsageError, match=message):
        mtbench.lve(change(truth), truth)


def test_lve_refuses_parameters_and_pickles(truth, tmp_path):
    np.savez(tmp_path / "p.npz", exp=np.zeros((12, 50)), jaw=np.zeros((12, 3)))
    with pytest.raises(UsageError, match=r"\['exp', 'jaw'\].*have to be posed first"):
        mtbench.lve(tmp_path / "p.npz", truth)
    np.save(tmp_path / "o.npy", np.array([truth, None], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError, match="pickle"):
        mtbench.lve(tmp_path / "o.npy", truth)
    with pytest.raises(UsageError, match="unknown metric 'lve'; known: lve_mm"):
        mtbench.lve(truth, truth, metric="lve")


def test_the_bundled_benchmark_gives_what_score_gives(tmp_path):
    fakes.make_benchmark(tmp_path / "small")
    fakes.make_entry(tmp_path / "entry", amplitude=0.5)
    run = mtbench.score(
        tmp_path / "entry", tmp_path / "small", recognizer=None, workers=1, cache=tmp_path / "c"
    )
    bench = mtbench.load_benchmark(tmp_path / "small")
    entry = mtbench.load_submission(tmp_path / "entry", bench)
    predictions, truths = [entry.motion(c.id) for c in bench], [c.motion for c in bench]
    assert mtbench.lve(predictions, truths) == pytest.approx(
        run.estimate("lve_mm", language="all", aggregation="frame")
    )
    from mtbench.benchmarks.ground_truth import neutral_face

    faces = [neutral_face(clip) for clip in bench]
    assert mtbench.fdd(predictions, truths, faces) == pytest.approx(
        1e6 * run.estimate("fdd_m2", language="all", aggregation="clip")
    )
    absolute = mtbench.fdd(predictions, truths, faces, absolute=True)
    assert absolute == pytest.approx(1e6 * run.estimate("fdd_abs_m2", language="all", aggregation="clip"))


# ---- fdd ---------------------------------------------------------------------------------------------------


def test_fdd_by_hand_in_square_millimetres(tmp_path):
    template = factories.face().astype(np.float64)
    truth = np.repeat(template[None], 2, axis=0)
    truth[1, UPPER[0]] += (0.006, 0, 0)  # |m|²: 0 and 36 mm², standard deviation 18 mm²
    still = np.repeat(template[None], 2, axis=0)
    by_hand = 18 / len(UPPER)
    assert mtbench.fdd(still, truth, template) == pytest.approx(by_hand)
    assert mtbench.fdd(truth, still, template) == pytest.approx(-by_hand)  # moves too much
    np.save(tmp_path / "t.npy", template)
    lines = "".join(f"v {x:.9f} {y:.9f} {z:.9f}\n" for x, y, z in template)
    (tmp_path / "t.obj").write_text(lines + "f 1 2 3\n")
    for face in (tmp_path / "t.npy", tmp_path / "t.obj", template.reshape(-1), template[None]):
        assert mtbench.fdd(still, truth, face) == pytest.approx(by_hand, rel=1e-3)
    # Opposite errors cancel in the mean of signed values only.
    pair = ([still, truth], [truth, still], template)
    assert mtbench.fdd(*pair) == pytest.approx(0)
    assert mtbench.fdd(*pair, absolute=True) == pytest.approx(by_hand)


def test_fdd_refuses_what_it_cannot_measure(truth):
    face = truth[0]
    with pytest.raises(UsageError, match="two frames or more"):
        mtbench.fdd(truth[:1], truth[:1], face)
    with pytest.raises(UsageError, match=r"template.*another mesh"):
        mtbench.fdd(truth, truth, face[:100])
    with pytest.raises(UsageError, match=r"template: .*millimetres"):
        mtbench.fdd(truth, truth, 1000 * face)
    with pytest.raises(UsageError, match="neutral face"):
        mtbench.fdd(truth, truth, None)
    with pytest.raises(UsageError, match="2 templates for 1 clips"):
        mtbench.fdd([truth], [truth], [face[None], face[None]])


# ---- wer, cer ----------------------------------------------------------------------------------------------


def test_wer_and_cer_are_per_cent_of_the_corpus():
    assert mtbench.wer("Wo ist die Tür?", "wo ist tür", "deu") == 25.0
    assert mtbench.wer("Wo ist die Tür?", "wo ist tür", "German") == 25.0
    assert (
        mtbench.wer(["a b c d", "e"], ["a b c d", "f"], "eng") == 20.0
    )  # one of five, not the mean of 0 and 100
    assert mtbench.wer("hello", "hello hello hello", "eng") == 200.0
    assert mtbench.wer(["", "a b"], ["c", "a b"], "eng") == 50.0
    assert mtbench.cer("猫 が 好き です。", "猫が好き", "jpn") == pytest.approx(100 / 3)
    assert mtbench.cer("ab cd", "ab d", "eng") == 20.0
    assert mtbench.wer("don't", "dont", "eng", normalizer="multitalk") == 100.0


def test_words_without_blanks_are_warned_of():
    with pytest.warns(UserWarning, match=r"Japanese has no blanks.*mtbench\.cer"):
        assert mtbench.wer("猫が好きです", "猫が好き", "jpn") == 100.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "b", "klingon"), "unknown language"),
        (("a", ["b"], "eng"), "list of texts"),
        ((["a"], ["b", "c"], "eng"), "1 references, 2 hypotheses"),
        (([None], ["b"], "eng"), "reference 0 is NoneType"),
        ((None, "b", "eng"), "reference is NoneType"),
        (("a", b"b", "eng"), "hypothesis is bytes"),
        (("a", "b", None), "not None"),
        (("", "b", "eng"), "hold no word"),
        (("!?", "b", "eng"), "hold no word"),
    ],
)
def test_error_rates_that_do_not_exist_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        mtbench.wer(*arguments)
    with pytest.raises(UsageError, match="unknown normalizer"):
        mtbench.wer("a", "a", "eng", normalizer="none")


# ---- render ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    return mtbench.load_benchmark("openhead-20")["eng-01"]


def decode_png(data: bytes) -> np.ndarray:
    """Decode a PNG with filter 0, as the format's description says."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + content),)
        if kind == b"IHDR":
            width, height, depth, color, *rest = struct.unpack(">IIBBBBB", content)
            assert (depth, rest) == (8, [0, 0, 0])
        body += content if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape((height, width) if color == 0 else (height, width, 3))


def test_render_shows_a_face(clip, tmp_path):
    motion = clip.motion
    picture = mtbench.render(motion.vertices[10], size=100)
    assert picture.array.shape == (100, 100, 3)
    assert picture.frames == (0,)
    assert 0.15 < (picture.array.max(axis=2) > 0).mean() < 0.8  # a head before black
    assert np.array_equal(decode_png(picture._repr_png_()), picture.array)
    assert picture.save(tmp_path / "face.png").read_bytes() == picture.to_png()
    with pytest.raises(UsageError, match=r"face\.png"):
        picture.save(tmp_path / "face.jpg")
    strip = mtbench.render(motion, size=64)
    assert strip.frames == (0, 23, 46, 68, 91, 114)
    assert strip.array.shape == (64, 6 * 64, 3)
    assert np.array_equal(strip.array[:, :64], mtbench.render(motion, frame=0, size=64).array)


def test_render_shows_the_mouth_as_the_recognizer_sees_it(clip):
    from mtbench.renderers.base import Appearance
    from mtbench.renderers.mouth_crop import render_mouth_crops
    from mtbench.renderers.registry import load_renderer

    vertices = clip.motion.vertices[:20]
    crops = render_mouth_crops(load_renderer("software"), load_topology("openhead-1"), vertices, Appearance())
    picture = mtbench.render(vertices, view="mouth", frame=[3, -1], size=200)
    assert picture.frames == (3, 19)
    assert picture.array.shape == (192, 2 * 192)
    assert np.array_equal(picture.array[::2, :192:2], crops[3])
    assert np.array_equal(picture.array[1::2, 193::2], crops[19])
    assert np.array_equal(decode_png(picture.to_png()), picture.array)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "side"}, "unknown view 'side'; known: face, mouth"),
        ({"frame": 115}, "no frame 115: the clip has the frames 0 to 114"),
        ({"frame": 1.5}, "no frame 1.5"),
        ({"frame": []}, "0 frames"),
        ({"size": 5}, "16 to 4096"),
        ({"size": 64, "view": "mouth"}, "96 to 4096"),
        ({"renderer": "blender"}, "unknown renderer"),
        ({"topology": "flame-5023"}, "5023 vertices, the array 4801"),
    ],
)
def test_render_refuses_what_it_cannot_show(clip, options, message):
    with pytest.raises(UsageError, match=message):
        mtbench.render(clip.motion, **options)


def test_render_says_what_is_missing(clip, truth):
    with pytest.raises(UsageError, match="millimetres"):
        mtbench.render(1000 * clip.motion.vertices[:1])
    with pytest.raises(PrerequisiteError, match="mtbench assets add flame"):
        mtbench.render(truth)
    with pytest.raises(UsageError, match="belong to no topology"):
        mtbench.render(truth[:, :53])


# ---- transcribe --------------------------------------------------------------------------------------------


class Ear(fakes.OneEar):
    """Keeps what it was given."""

    def transcribe(self, crops, audio, language, lexicon=None):
        self.given = crops, audio, language, lexicon
        return [Hypothesis("heard", None) for _ in audio]


def test_transcribe_passes_on_what_fits():
    ear = Ear()
    crops = np.zeros((10, 96, 96), np.uint8)
    tone = (0.3 * np.sin(np.arange(6300) * 0.05)).astype(np.float32)
    assert mtbench.transcribe(crops, tone, "Italian", recognizer=ear).text == "heard"
    seen, (heard,), language, lexicon = ear.given
    assert seen is not None
    assert (len(heard), language, lexicon) == (6400, "ita", None)
    assert np.array_equal(heard[:6300], tone)
    assert not heard[6300:].any()
    mtbench.transcribe(None, np.round(tone * 32768).astype(np.int16), "ita", recognizer=ear)
    assert ear.given[1][0] == pytest.approx(heard, abs=1 / 65536)
    mtbench.transcribe(None, np.repeat(tone, 3), "it", recognizer=ear, sample_rate=48000)
    assert len(ear.given[1][0]) == 6400
    mtbench.transcribe(crops, None, "ita", recognizer=ear)
    assert ear.given[1] == [None]


def test_transcribe_reads_files(tmp_path):
    ear = Ear()
    soundfile.write(tmp_path / "a.wav", 0.2 * np.ones(6400), 16000)
    np.save(tmp_path / "m.npy", np.full((10, 96, 96), 7, np.uint8))
    (tmp_path / "w.tsv").write_text("word\tw o\t3\n", "utf-8")
    mtbench.transcribe(
        tmp_path / "m.npy", tmp_path / "a.wav", "eng", recognizer=ear, lexicon=tmp_path / "w.tsv"
    )
    crops, (sound,), _, lexicon = ear.given
    assert crops.max() == 7
    assert sound == pytest.approx(0.2, abs=1e-4)
    assert lexicon.words == ("word",)
    mtbench.transcribe(None, tmp_path / "a.wav", "eng", recognizer=ear, lexicon="openhead-20")
    assert "human" in ear.given[3].words


@pytest.mark.parametrize(
    ("crops", "sound", "language", "message"),
    [
        (None, None, "eng", "neither crops nor sound"),
        (np.zeros((10, 88, 88), np.uint8), None, "eng", r"\(10, 88, 88\) uint8, expected \(T, 96, 96\)"),
        (np.zeros((10, 96, 96)), None, "eng", "float64, expected"),
        (np.zeros((0, 96, 96), np.uint8), None, "eng", "expected"),
        (np.zeros((10, 96, 96), np.uint8), np.zeros(5000), "eng", "10 mouth crops .* sound of 8 frames"),
        (None, np.zeros((100, 2)), "eng", "mono"),
        (None, 20000 * np.ones(100), "eng", "16-bit values"),
        (None, np.full(100, np.nan), "eng", "reaches nan"),
        (None, np.zeros(100, np.int32), "eng", "int32"),
        (None, np.zeros(100), "deu", "does not know German"),
        (None, np.zeros(100), "klingon", "unknown language"),
        (None, np.zeros(100), None, "not None"),
        ("nowhere.npy", None, "eng", "cannot be read"),
    ],
)
def test_transcribe_refuses_what_does_not_fit(crops, sound, language, message):
    with pytest.raises(UsageError, match=message):
        mtbench.transcribe(crops, sound, language, recognizer=Ear())


def test_the_bundled_recognizer_understands_its_own_benchmark(clip):
    heard = mtbench.transcribe(None, clip.audio, "eng", lexicon="openhead-20")
    assert mtbench.wer(clip.transcript, heard.text, "eng") <= 20
    assert len(heard.phones) > 20


# ---- benchmarks, runs, notebooks ---------------------------------------------------------------------------


def test_a_benchmark_is_a_collection_of_clips():
    bench = mtbench.load_benchmark("openhead-20")
    assert len(bench) == len(bench.clips) == 120
    assert bench["ita-02"].id == "ita-02"
    assert "ita-02" in bench
    assert bench.clips[3] in bench
    assert "ita-2" not in bench
    assert [clip.id for clip in bench] == [clip.id for clip in bench.clips]
    with pytest.raises(UsageError, match=r"no clip 'ita-2'; did you mean ita-02"):
        bench["ita-2"]
    with pytest.raises(UsageError, match=r"\['ara-01'\], or \.clips\[0\]"):
        bench[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    fakes.make_benchmark(root / "small")
    for name, amplitude in (("a", 0.5), ("b", 0.9)):
        entry = fakes.make_entry(root / name, amplitude=amplitude)
        manifest = (
            (entry / "submission.toml").read_text().replace(f'system = "{name}"', f'system = "<i>{name}&"')
        )
        (entry / "submission.toml").write_text(manifest)
        mtbench.score(entry, root / "small", recognizer=None, workers=1, cache=root / "c", out=root / name)
    return [next((root / name).glob("*/small")) for name in "ab"]


def test_runs_become_data_frames(runs):
    pandas = pytest.importorskip("pandas", reason="the [report] extra is not installed")
    from mtbench.results.run_files import read_run

    run = read_run(runs[0])
    run = run.model_copy(update={"summary": (*run.summary, replace(run.summary[0], ci95=(1.0, 2.0)))})
    frame = run.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == len(run.summary)
    for row, line in zip(run.summary, frame.itertuples(), strict=True):
        assert (line.system, line.metric, line.unit) == ("<i>a&", row.metric, row.unit)
        low, high = row.ci95 or (None, None)
        for found, wanted in ((line.estimate, row.estimate), (line.low, low), (line.high, high)):
            assert np.isnan(found) if wanted is None else found == wanted
    assert frame.estimate.dtype == float


def test_notebooks_show_tables_and_nothing_runs(runs):
    from mtbench.results.run_files import read_run

    run, comparison = read_run(runs[0]), mtbench.compare(*runs)
    for shown in (run._repr_html_(), comparison._repr_html_()):
        assert "&lt;i&gt;a&amp;" in shown
        assert "<i>" not in shown
        assert shown.count("<table>") == shown.count("</table>") >= 1
    assert "LVE mm" in run._repr_html_()
    assert "lve_mm" in comparison._repr_html_()
    bench = mtbench.load_benchmark("openhead-20")._repr_html_()
    assert "openhead-20@3: 120 clips" in bench
    assert "and 100 more clips" in bench
    evil = "<script>alert(1)</script>"
    for thing in (Table(evil, (evil,), ((evil,),), (evil,)), Comparison(evil, evil, evil, (), (evil,))):
        assert "<script" not in thing._repr_html_()


def test_importing_the_package_loads_nothing_heavy():
    names = ("lve", "fdd", "wer", "cer", "render", "transcribe")
    code = f"import sys, mtbench\nfor n in {names}: getattr(mtbench, n)\n"
    code += "print([n for n in ('torch', 'numba', 'jiwer', 'pandas') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
