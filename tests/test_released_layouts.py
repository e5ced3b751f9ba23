"""Benchmarks out of released layouts: MultiTalk's, VOCASET's and BIWI's, made up."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from factories import face
from typer.testing import CliRunner

from mtbench import load_benchmark, score, validate
from mtbench.cli.app import app
from mtbench.errors import BenchmarkError, UsageError
from mtbench.faces import add_biwi, resample_motion
from mtbench.importers import import_submission
from mtbench.making import import_benchmark

FACE = face()


def say(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = round(seconds * 22050)
    soundfile.write(path, 0.2 * np.sin(np.arange(samples) * 0.07), 22050)


def move(seconds: float, fps: float, seed: int, resting: np.ndarray = FACE) -> np.ndarray:
    times = np.arange(int(seconds * fps)) / fps
    lips = np.random.default_rng(seed).choice(len(resting), 200, replace=False)
    out = np.repeat(resting[None].astype(np.float32), len(times), axis=0)
    out[:, lips, 1] += (0.004 * np.sin(7 * times + seed)).astype(np.float32)[:, None]
    return out


MULTITALK = {"Italian_aVS_14WkIOo_2": 1.2, "Greek_0_38_FbWPEz8NFS8": 1.0, "Italian_xx_1": 1.1}


@pytest.fixture
def multitalk(tmp_path):
    root = tmp_path / "sample_dataset"
    for seed, (stem, seconds) in enumerate(MULTITALK.items()):
        say(root / f"wav/{stem}.wav", seconds)
        (root / "npy").mkdir(exist_ok=True)
        # Trackers leave their parameters beside the vertices.
        more = {"exp": np.zeros((5, 50), np.float32), "jaw": np.zeros((5, 3), np.float32)} if seed else {}
        np.savez(root / f"npy/{stem}.npz", verts=move(seconds, 25, seed), **more)
    (root / "templates.pkl").write_bytes(pickle.dumps({"id": FACE}, protocol=2))
    (root / "train.txt").write_text("Italian_xx_1.wav\n")
    (root / "test.txt").write_text("Italian_aVS_14WkIOo_2.wav\nGreek_0_38_FbWPEz8NFS8.wav\n")
    (root / "annotations").mkdir()
    italian = {
        "aVS_14WkIOo_2": {"youtube_id": "aVS_14WkIOo", "language": "italian", "transcript": "ciao a tutti"}
    }
    (root / "annotations/italian.json").write_text(json.dumps(italian))
    greek = {"0_38_FbWPEz8NFS8": {"language": "greek", "transcript": "καλημέρα"}}
    (root / "annotations/greek.json").write_text(json.dumps(greek, ensure_ascii=False), "utf-8")
    return root


def test_multitalk_s_release_becomes_a_benchmark(multitalk, tmp_path):
    told: list[str] = []
    bench = import_benchmark(
        tmp_path / "bench", multitalk, "multitalk", annotations=multitalk / "annotations", tell=told.append
    )
    clips = {clip.id: clip for clip in bench.clips}
    assert {name: (c.language, c.transcript) for name, c in clips.items()} == {
        "Greek_0_38_FbWPEz8NFS8": ("ell", "καλημέρα"),
        "Italian_aVS_14WkIOo_2": ("ita", "ciao a tutti"),
    }
    italian = clips["Italian_aVS_14WkIOo_2"]
    assert (italian.frames, italian.source) == (30, "Italian_aVS_14WkIOo")
    np.testing.assert_array_equal(italian.load_motion().vertices, move(1.2, 25, 0))
    assert italian.template_path is not None
    assert any("test.txt: 2 of 3 clips are test" in line for line in told)


def test_its_own_results_imported_score_zero(multitalk, tmp_path):
    """The way of a paper: the release becomes a benchmark, the system's files a submission."""
    import_benchmark(tmp_path / "bench", multitalk, "multitalk", annotations=multitalk / "annotations")
    (tmp_path / "theirs/npy").mkdir(parents=True)
    for seed, (stem, seconds) in enumerate(MULTITALK.items()):
        np.save(tmp_path / f"theirs/npy/{stem}.npy", move(seconds, 25, seed).reshape(-1, 15069))
    done = import_submission(tmp_path / "theirs", tmp_path / "bench", tmp_path / "e", format="multitalk")
    assert done.problems == ()
    assert [path.name for path in done.unknown] == ["Italian_xx_1.npy"]
    run = score(tmp_path / "e", load_benchmark(tmp_path / "bench"), recognizer=None, cache=tmp_path / "cache")
    assert run.estimate("lve_mm", language="all", aggregation="frame") == 0


def test_the_command_and_the_other_splits(multitalk, tmp_path):
    arguments = ["benchmark", "import", str(multitalk), "--from", "multitalk", "--split", "train"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "a"), "--without-texts"])
    assert done.exit_code == 0, done.output
    assert f"{tmp_path / 'a'}: 1 clips, languages ita" in done.output
    assert "no words for 1 clips (Italian_xx_1) — their lips cannot be read [no-text]" in done.output
    assert "no words for 1 clips" in (tmp_path / "a/benchmark.toml").read_text()
    bench = import_benchmark(tmp_path / "b", multitalk, "multitalk", split="all", without_texts=True)
    assert len(bench.clips) == 3
    with pytest.raises(UsageError, match=r"there is no list of val clips, val.txt; give --split all"):
        import_benchmark(tmp_path / "c", multitalk, "multitalk", split="val")
    assert not (tmp_path / "c").exists()


def test_what_is_wrong_with_a_release_is_named(multitalk, tmp_path):
    with pytest.raises(
        BenchmarkError, match=r"none of 2 clips can be used: .*no words for 2 clips.*--without-texts"
    ):
        import_benchmark(tmp_path / "a", multitalk, "multitalk")
    (multitalk / "npy/Greek_0_38_FbWPEz8NFS8.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(BenchmarkError, match=r"Greek_0_38_FbWPEz8NFS8.npz: cannot be unpacked"):
        import_benchmark(tmp_path / "a", multitalk, "multitalk", annotations=multitalk / "annotations")
    (multitalk / "npy/Greek_0_38_FbWPEz8NFS8.npz").unlink()
    told: list[str] = []
    bench = import_benchmark(
        tmp_path / "b", multitalk, "multitalk", annotations=multitalk / "annotations", tell=told.append
    )
    assert len(bench.clips) == 1
    assert any("Greek_0_38_FbWPEz8NFS8: passed over: there is no motion of it" in line for line in told)
    (multitalk / "test.txt").write_text("Italian_aVS_14WkIOo_3.wav\n")
    with pytest.raises(UsageError, match=r"name\(s\) that no clip here has.*\n.*near: Italian_aVS_14WkIOo_2"):
        import_benchmark(tmp_path / "c", multitalk, "multitalk", without_texts=True)
    with pytest.raises(UsageError, match="unknown layout 'vocset'; known: multitalk, vocaset, biwi, folder"):
        import_benchmark(tmp_path / "c", multitalk, "vocset")
    with pytest.raises(UsageError, match="no motion in vertices_npy/, which the vocaset layout has"):
        import_benchmark(tmp_path / "c", multitalk, "vocaset")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "a list at the top, expected"),
        ('{"a": ', "no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_annotations_that_are_none(multitalk, tmp_path, text, told):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(UsageError, match=f"bad.json: {told}"):
        import_benchmark(tmp_path / "a", multitalk, "multitalk", annotations=tmp_path / "bad.json")


def test_a_language_that_name_and_annotation_dispute(multitalk, tmp_path):
    entry = {"aVS_14WkIOo_2": {"language": "french", "transcript": "bonjour"}}
    (tmp_path / "a.json").write_text(json.dumps(entry))
    with pytest.raises(BenchmarkError, match="ita by its name, fra by its annotation"):
        import_benchmark(
            tmp_path / "a", multitalk, "multitalk", annotations=tmp_path / "a.json", without_texts=True
        )


class Malice:
    def __reduce__(self):
        return print, ("run",)


def test_templates_that_run_something_are_refused(multitalk, tmp_path, capsys):
    (multitalk / "templates.pkl").write_bytes(pickle.dumps({"id": Malice()}))
    with pytest.raises(BenchmarkError, match=r"templates.pkl: the name builtins.print"):
        import_benchmark(tmp_path / "a", multitalk, "multitalk", annotations=multitalk / "annotations")
    assert "run" not in capsys.readouterr().out


VOCASET = [
    "FaceTalk_170809_00138_TA_sentence21",
    "FaceTalk_170809_00138_TA_sentence05",
    "FaceTalk_170725_00137_TA_sentence21",
]


@pytest.fixture
def vocaset(tmp_path):
    root = tmp_path / "vocaset"
    (root / "vertices_npy").mkdir(parents=True)
    for seed, stem in enumerate(VOCASET):
        say(root / f"wav/{stem}.wav", 1.3)
        np.save(root / f"vertices_npy/{stem}.npy", move(1.3, 60, seed).reshape(-1, 15069))
    subjects = {stem.rpartition("_")[0] for stem in VOCASET}
    (root / "templates.pkl").write_bytes(
        pickle.dumps({s: FACE.astype(np.float64) for s in subjects}, protocol=2)
    )
    return root


def test_vocaset_is_tested_on_the_field_s_clips(vocaset, tmp_path):
    (tmp_path / "texts.json").write_text(json.dumps({VOCASET[0]: "She had your dark suit."}))
    bench = import_benchmark(tmp_path / "bench", vocaset, "vocaset", annotations=tmp_path / "texts.json")
    (clip,) = bench.clips
    assert (clip.id, clip.language, clip.transcript) == (VOCASET[0], "eng", "She had your dark suit.")
    assert (clip.speaker, bench.manifest.motion_fps) == ("FaceTalk_170809_00138_TA", 60)
    expected = resample_motion(move(1.3, 60, 0), 60, clip.frames)
    np.testing.assert_array_equal(clip.load_motion().vertices, expected)
    (vocaset / "test.txt").write_text("FaceTalk_170725_00137_TA\n")
    bench = import_benchmark(tmp_path / "own", vocaset, "vocaset", without_texts=True)
    assert [clip.id for clip in bench.clips] == [VOCASET[2]]


@pytest.fixture
def vocaset_release(vocaset, tmp_path):
    """The same clips as the authors of VOCASET release them: rows of one array in another order, sound in a pickle."""
    root = tmp_path / "release"
    root.mkdir()
    frames, order, sound = [], {}, {}
    for stem in VOCASET:
        subject, _, sequence = stem.rpartition("_")
        vertices = np.load(vocaset / f"vertices_npy/{stem}.npy").reshape(-1, 5023, 3)
        start = sum(map(len, frames))
        frames.append(vertices[::-1])
        rows = {frame: start + len(vertices) - 1 - frame for frame in range(len(vertices))}
        order.setdefault(subject, {})[sequence] = rows
        samples, rate = soundfile.read(vocaset / f"wav/{stem}.wav", dtype="int16")
        sound.setdefault(subject, {})[sequence] = {"audio": samples, "sample_rate": rate}
    np.save(root / "data_verts.npy", np.concatenate(frames))
    (root / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(order, protocol=0))
    (root / "raw_audio_fixed.pkl").write_bytes(pickle.dumps(sound, protocol=2))
    (root / "templates.pkl").write_bytes((vocaset / "templates.pkl").read_bytes())
    return root


def test_vocaset_as_its_authors_release_it(vocaset, vocaset_release, tmp_path):
    (tmp_path / "texts.json").write_text(json.dumps({VOCASET[0]: "She had your dark suit."}))
    options = {"annotations": tmp_path / "texts.json", "name": "one"}
    released = import_benchmark(tmp_path / "a", vocaset_release, "vocaset", **options)
    laid_out = import_benchmark(tmp_path / "b", vocaset, "vocaset", **options)
    assert released.digest == laid_out.digest
    assert [clip.speaker for clip in released.clips] == ["FaceTalk_170809_00138_TA"]


def test_releases_of_vocaset_that_cannot_be_used(vocaset_release, tmp_path, capsys):
    order = pickle.loads((vocaset_release / "subj_seq_to_idx.pkl").read_bytes())
    subject, _, sequence = VOCASET[0].rpartition("_")
    order[subject][sequence] = {0: 0, 1: 10**6}
    (vocaset_release / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(order))
    with pytest.raises(BenchmarkError, match=r"row 1000000, and data_verts.npy has 234"):
        import_benchmark(tmp_path / "a", vocaset_release, "vocaset", without_texts=True)
    (vocaset_release / "raw_audio_fixed.pkl").write_bytes(pickle.dumps({"a": Malice()}))
    with pytest.raises(
        UsageError, match=r"raw_audio_fixed.pkl: the name builtins.print, which no data set needs"
    ):
        import_benchmark(tmp_path / "a", vocaset_release, "vocaset", without_texts=True)
    bomb = {"x": 0}
    for _ in range(3):
        bomb = dict.fromkeys(range(300), bomb)
    (vocaset_release / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(bomb))
    with pytest.raises(UsageError, match=r"subj_seq_to_idx.pkl: more than 1000000 values"):
        import_benchmark(tmp_path / "a", vocaset_release, "vocaset", without_texts=True)
    assert "run" not in capsys.readouterr().out


def test_biwi_is_scaled_and_its_sentences_are_everyone_s(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "regions").mkdir()
    for name, first in (("lve", 100), ("fdd", 9000)):
        (tmp_path / f"regions/{name}.txt").write_text(", ".join(map(str, range(first, first + 200))))
    add_biwi(tmp_path / "regions")
    resting = face(23370, seed=4) * np.float32(5)
    root = tmp_path / "BIWI"
    (root / "vertices_npy").mkdir(parents=True)
    for stem in ("F2_e37", "F2_e03"):
        say(root / f"wav/{stem}.wav", 1.0)
        np.save(root / f"vertices_npy/{stem}.npy", move(1.0, 25, 3, resting).reshape(-1, 70110))
    (root / "templates.pkl").write_bytes(pickle.dumps({"F2": resting.astype(np.float64)}, protocol=2))
    (tmp_path / "texts.json").write_text(json.dumps({"e37": "so it goes"}))
    told: list[str] = []
    bench = import_benchmark(
        tmp_path / "bench", root, "biwi", annotations=tmp_path / "texts.json", tell=told.append
    )
    (clip,) = bench.clips
    assert (clip.id, clip.transcript, clip.speaker, bench.topology) == (
        "F2_e37",
        "so it goes",
        "F2",
        "biwi-23370",
    )
    np.testing.assert_allclose(clip.load_motion().vertices, move(1.0, 25, 3, resting) * 0.2, atol=1e-6)
    assert any("positions were multiplied by 0.2" in line for line in told)
    assert "multiplied by 0.2" in (tmp_path / "bench/benchmark.toml").read_text()
    assert not list((tmp_path / "bench").glob("scaled*"))


def test_a_folder_laid_out_alike(vocaset, tmp_path):
    with pytest.raises(UsageError, match="give --motion-fps 30"):
        import_benchmark(tmp_path / "a", vocaset, "folder", without_texts=True)
    for stem in VOCASET:
        (vocaset / f"wav/{stem}.txt").write_text("words\n")
    bench = import_benchmark(tmp_path / "a", vocaset, "folder", motion_fps=60, language="English")
    assert [clip.transcript for clip in bench.clips] == ["words"] * 3
    assert validate(submission_of(bench, tmp_path), bench) == []


def submission_of(bench, tmp_path):
    """The truth as a submission."""
    (tmp_path / "s/motion").mkdir(parents=True)
    for clip in bench.clips:
        np.savez(tmp_path / f"s/motion/{clip.id}.npz", vertices=clip.load_motion().vertices)
    (tmp_path / "s/submission.toml").write_text(
        f'schema = 1\nsystem = "s"\nbenchmark = "{bench.ref}"\nfps = 25\nunit = "m"\n'
        'topology = "flame-5023"\nkind = "vertices"\n'
    )
    return tmp_path / "s"
