"""What is fuzzed: for every reader of files that strangers write, good samples, edits and its one kind of error."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import fakes
import numpy as np
import scipy.sparse
import soundfile
from factories import face, make_benchmark, make_submission, talk
from fuzz_edits import edit_archive, edit_bytes, edit_json, edit_json_lines, edit_lines, edit_pickle
from fuzz_import_readers import IMPORT_READERS
from fuzz_model_readers import MODEL_READERS
from fuzz_own_readers import OWN_READERS
from fuzzing import Read, Reader, scratch_folder

from mtbench.errors import BenchmarkError, MtbenchError, PrerequisiteError, UsageError
from mtbench.files.arrays import ArrayFileError, read_arrays
from mtbench.files.mesh_files import MeshFileError, read_mesh
from mtbench.files.pickle_stand_ins import UnsafePickleError
from mtbench.files.safe_pickle import load_arrays

Prepared = tuple[dict[str, bytes], Read]


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _edit_npy(rng: Random, samples: Any) -> bytes:
    """Edit the header as text (its length stays right in one of two), or bytes."""
    data = rng.choice(samples)
    if rng.random() < 0.4 or data[:6] != b"\x93NUMPY" or len(data) < 10:
        return edit_bytes(rng, samples)
    length = int.from_bytes(data[8:10], "little")
    header = edit_lines(rng, [data[10 : 10 + length]])
    size = len(header) if rng.random() < 0.7 else length
    return data[:8] + (size % 65536).to_bytes(2, "little") + header + data[10 + length :]


def _edit_arrays(rng: Random, samples: Any) -> bytes:
    zipped = samples[0][:2] == b"PK"
    edit = edit_archive(lambda rng, name, data: _edit_npy(rng, [data])) if zipped else _edit_npy
    return edit(rng, samples)


def _arrays(folder: Path) -> Prepared:
    small = np.arange(12, dtype="f4").reshape(3, 4)
    samples = {
        "c.npy": _npy(small), "f.npy": _npy(np.asfortranarray(small.astype(">f8"))), "n.npy": _npy(np.array("neutral")),
        "e.npy": _npy(np.zeros((0, 3))), "one.npz": _npz(vertices=small),
        "two.npz": _npz(exp=small, jaw=small[:, :3].astype("f2"), identity=np.array("neutral")),
    }  # fmt: skip
    return samples, lambda path: read_arrays(path, 1 << 20)


def _motion(folder: Path) -> Prepared:
    from mtbench.errors import Problem
    from mtbench.faces.motion_files import motion_kind, read_motion_file
    from mtbench.faces.motion_headers import MotionSpec
    from mtbench.faces.topologies import load_topology

    params = {
        "exp": np.zeros((6, 50), "f4"),
        "jaw": np.full((6, 3), 0.1, "f4"),
        "neck": np.zeros((6, 3), "f4"),
    }
    units = np.zeros((6, len(_unit_names())), "f4")
    samples = {
        "v.npz": _npz(vertices=talk(2)), "p.npz": _npz(**params, shape=np.zeros(300, "f4")),
        "u.npz": _npz(units=units, identity=np.array("neutral")), "v.npy": _npy(talk(1)),
    }  # fmt: skip
    topologies = {"units": load_topology("openhead-1")}

    def read(path: Path) -> None:
        kind = motion_kind(path, 1 << 20)
        topology = topologies.get(kind) or load_topology("flame-5023")
        frames = {"vertices": 2 if path.suffix == ".npz" else 1}.get(kind, 6)
        reading = read_motion_file(path, path.name, MotionSpec(kind, topology, frames), "clip")
        assert all(isinstance(p, Problem) and p.message and p.hint for p in reading.problems)

    return samples, read


def _unit_names() -> tuple[str, ...]:
    from mtbench.faces.head import load_head

    return tuple(load_head().unit_names)


def _pickles(folder: Path) -> Prepared:
    values = np.arange(12, dtype="f8").reshape(3, 4) / 7
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    sys.modules.update(modules)
    try:
        made = {}
        for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
            made[name] = type(name, (), {"__module__": module})
            setattr(modules[module], name, made[name])
        variable, view = made["Ch"](), made["Select"]()
        variable.__dict__.update(x=values, _dirty_vars=set(), _itr=None)
        view.__dict__.update(a=variable, idxs=np.array([11, 0, 5, 5]), preferred_shape=(2, 2))
        table = {
            "v_template": values, "f": np.asfortranarray(values.astype(">f4")), "weights": np.arange(5, dtype="u4"),
            "J": np.float32(2.5), "id": [[1, 2], [3, 4.5]], "style": "SMPL", "shapedirs": variable, "posedirs": view,
            "J_regressor": scipy.sparse.csc_matrix(np.eye(3)), "other": scipy.sparse.csr_array(np.eye(4)),
        }  # fmt: skip
        samples = {f"{p}.pkl": pickle.dumps(table, p) for p in range(6)}
    finally:
        for name in modules:
            del sys.modules[name]
    from test_safe_pickle import python2

    samples["python2.pkl"] = python2(values)
    return samples, lambda path: load_arrays(path, set(table) - {"style"})


def _templates(folder: Path) -> Prepared:
    from mtbench.faces.flame_files import check_flame_arrays
    from mtbench.faces.templates import read_template, read_templates

    small, grown = face(4), face(4).astype("f8")
    samples = {
        "a.pkl": pickle.dumps({"id": small}), "b.pkl": pickle.dumps({"v_template": grown, "f": np.eye(3, dtype="i4")}),
        "a.npz": _npz(template=small), "a.npy": _npy(small), "flat.npy": _npy(small.reshape(-1)),
        "a.ply": _ply(grown, "ascii"), "a.obj": _OBJ,
    }  # fmt: skip
    wanted = {"v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table"}

    def read(path: Path) -> None:
        read_template(path, 4)
        with suppress(UsageError):
            read_template(path, 4, "id")
        with suppress(UsageError):
            read_templates(path, 4)
        if path.suffix == ".pkl":
            with suppress(ValueError):
                check_flame_arrays(load_arrays(path, wanted))

    return samples, read


def _edit_template(rng: Random, samples: Any) -> bytes:
    start = samples[0][:2]
    if start == b"\x80\x04" or start == b"\x80\x05":
        return edit_pickle(rng, samples)
    return _edit_arrays(rng, samples) if start in (b"PK", b"\x93N") else edit_lines(rng, samples)


_OBJ = b"# made\no head\nv 0.1 0 0\nv 0 .1 0\nv 0 0 1e-1 0.5 0.5 0.5\nv 0 0 0\nvt 0 0\nf 1 2 3\nf 1/1/1 2//2 -1 4\n"


def _ply(vertices: np.ndarray, encoding: str) -> bytes:
    header = (
        f"ply\nformat {encoding} 1.0\ncomment made\nelement vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\nproperty uchar red\n"
        "element face 2\nproperty list uchar int vertex_indices\n"
        "element edge 1\nproperty short a\nend_header\n"
    ).encode()
    if encoding == "ascii":
        rows = [f"{x:.4f} {y:.4f} {z:.4f} 7" for x, y, z in vertices]
        return header + "\n".join([*rows, "3 0 1 2", "4 0 1 2 3", "5", ""]).encode()
    order = "<" if encoding == "binary_little_endian" else ">"
    table = np.zeros(len(vertices), [(axis, order + "f4") for axis in "xyz"] + [("red", "u1")])
    for i, axis in enumerate("xyz"):
        table[axis] = vertices[:, i]
    faces = b"".join(bytes([len(f)]) + np.array(f, order + "i4").tobytes() for f in ((0, 1, 2), (0, 1, 2, 3)))
    return header + table.tobytes() + faces + np.array([5], order + "i2").tobytes()


def _meshes(folder: Path) -> Prepared:
    points = face(4)
    samples = {f"{e}.ply": _ply(points, e) for e in ("ascii", "binary_little_endian", "binary_big_endian")}
    return {**samples, "a.obj": _OBJ, "crlf.obj": _OBJ.replace(b"\n", b"\r\n")}, read_mesh


def _edit_mesh(rng: Random, samples: Any) -> bytes:
    return (edit_lines if rng.random() < 0.5 else edit_bytes)(rng, samples)


def _benchmark_manifest(folder: Path) -> Prepared:
    from mtbench.benchmarks.benchmark import load_benchmark
    from mtbench.benchmarks.manifest import MANIFEST

    root = make_benchmark(folder, noise=True)
    (root / "lexicon").mkdir()
    (root / "lexicon" / "ita.tsv").write_text("a\ta\t1\n")
    text = (
        (root / MANIFEST)
        .read_text()
        .replace("[[clips]]", '[lexicons]\nita = "lexicon/ita.tsv"\n[[clips]]', 1)
    )
    short = text[: text.index("[[clips]]", text.index("[[clips]]") + 1)]

    def read(path: Path) -> None:
        shutil.copyfile(path, root / MANIFEST)
        list(load_benchmark(root).files())

    return {"long.toml": text.encode(), "short.toml": short.encode()}, read


def _submission_manifest(folder: Path) -> Prepared:
    from mtbench.benchmarks.benchmark import load_benchmark
    from mtbench.submissions.validation import inspect_submission

    benchmark, root = load_benchmark(make_benchmark(folder)), make_submission(folder)
    text = (root / "submission.toml").read_bytes()
    full = (
        text
        + b'[model]\nname = "x"\nparams_m = 3.5\nopen_weights = true\n[generation]\nseed = 1\nrtf = 0.5\n'
    )

    def read(path: Path) -> None:
        shutil.copyfile(path, root / "submission.toml")
        for problem in inspect_submission(root, benchmark, values=False)[1]:
            assert "\n" not in str(problem)[:-1] or problem.message

    return {"plain.toml": text, "full.toml": full}, read


def _results(file: str) -> Callable[[Path], Prepared]:
    """What every command that takes a result does with an edited ``run.json`` or ``clips.jsonl``."""

    def prepare(folder: Path) -> Prepared:
        import mtbench.scoring.scoring
        from mtbench.leaderboard import build_leaderboard
        from mtbench.results.aggregation import aggregate
        from mtbench.results.comparison import compare
        from mtbench.results.run_files import read_rows, read_run
        from mtbench.results.tables import entries_table, group_runs, languages_table
        from mtbench.scoring.rescoring import rescore

        good = write_result(folder)
        edited = folder / "edited" / good.parent.name / good.name
        shutil.copytree(good, edited)

        def read(path: Path) -> None:
            shutil.copyfile(path, edited / file)
            failures = []

            def show() -> None:
                for group in group_runs([read_run(edited), read_run(good)]):
                    for table in (languages_table(group), entries_table(group)):
                        table.to_text(), table.to_markdown()

            # What is refused here is refused by everything that follows.
            read_run(edited)
            read_rows(edited)
            attempts = (
                [show, lambda: build_leaderboard(folder / "edited", folder / "board")]
                if file == "run.json"
                else []
            )
            attempts += [
                lambda: compare(edited, good, replicates=20, trials=20).table(),
                lambda: compare(good, edited, replicates=20, trials=20).table(language=None),
                lambda: rescore(edited, out=folder / "again"),
            ]
            with patch.object(mtbench.scoring.scoring, "aggregate", partial(aggregate, replicates=20)):
                for attempt in attempts:
                    try:
                        attempt()
                    except MtbenchError as error:
                        failures.append(error)
            if failures:
                raise failures[0]

        return {file: (good / file).read_bytes()}, read

    return prepare


def write_result(folder: Path) -> Path:
    """Write a small but whole result folder: two languages, one noise, a recognizer that takes no time."""
    target = folder / "results" / "entry" / "small"
    target.mkdir(parents=True)
    for name, content in _score_tiny().items():
        (target / name).write_bytes(content)
    return target


@cache
def _score_tiny() -> dict[str, bytes]:
    import mtbench

    clips = {name: fakes.CLIPS[name] for name in ("ita-01", "jpn-01")}
    with scratch_folder() as folder:
        fakes.make_benchmark(folder / "small", clips, noises=1)
        fakes.make_entry(folder / "entry", clips)
        mtbench.score(
            folder / "entry",
            folder / "small",
            recognizer=fakes.ONE_EAR,
            workers=1,
            cache=folder / "cache",
            out=folder / "results",
        )
        found = next((folder / "results").rglob("run.json")).parent
        run = json.loads((found / "run.json").read_text("utf-8"))
        run["summary"] = run["summary"][::5]  # of every kind some: a reader's time goes with their number
        return {
            "run.json": json.dumps(run).encode(),
            "clips.jsonl": (found / "clips.jsonl").read_bytes(),
        }


def _head(folder: Path) -> Prepared:
    from mtbench.faces.head_file import read_asset

    content = (files("mtbench") / "data" / "openhead-1.npz").read_bytes()

    def read(path: Path) -> None:
        read_asset(path)
        assert path.read_bytes() == content, "another head was taken"

    return {"h.npz": content}, read


def _lexicons(folder: Path) -> Prepared:
    from mtbench.speech.lexicon import load_lexicon

    samples = {
        "a.tsv": b"# words\ncasa\tk a z a\t12\ncasa\tk a s a\t12\n\nl'eau\tl o\t0\n",
        "b.tsv": b"a\ta\nb\tb e\n",
    }
    return samples, lambda path: load_lexicon(path).log_prior


def _phone_times(folder: Path) -> Prepared:
    from mtbench.benchmarks.clip import Clip
    from mtbench.benchmarks.phone_times import read_phone_times

    text = b"phone\tstart\tend\trelease\nsil\t0.0000\t0.1530\t\nt\t0.1530\t0.2043\t0.1800\na\t0.2043\t0.4\t\n"

    def read(path: Path) -> None:
        read_phone_times(
            Clip("ita-01", "ita", "ta", "s", 30, ("t", "a"), folder / "x.wav", phone_times_path=path)
        )

    return {"a.tsv": text, "b.tsv": b"phone\tstart\tend\nt\t0\t0.1\na\t0.1\t1.15\n"}, read


def _sounds(folder: Path) -> Prepared:
    from mtbench.benchmarks.clip import read_clip_audio
    from mtbench.speech.sound_files import load_audio

    tone = 0.3 * np.sin(np.arange(640) * 0.3)
    forms = {
        "pcm.wav": ("WAV", "PCM_16", 16000), "float.wav": ("WAV", "FLOAT", 16000), "x.wav": ("WAVEX", "PCM_24", 8000),
        "law.wav": ("WAV", "ULAW", 8000), "a.flac": ("FLAC", "PCM_16", 16000), "b.flac": ("FLAC", "PCM_24", 44100),
        "a.ogg": ("OGG", "VORBIS", 16000), "a.mp3": ("MP3", "MPEG_LAYER_III", 16000),
        "a.aiff": ("AIFF", "PCM_16", 16000),
        "w64.wav": ("W64", "PCM_16", 16000), "rf64.wav": ("RF64", "PCM_16", 16000), "a.au": ("AU", "PCM_16", 16000),
        "a.caf": ("CAF", "PCM_16", 16000), "adpcm.wav": ("WAV", "MS_ADPCM", 11025),
    }  # fmt: skip
    samples = {}
    for name, (format_, subtype, rate) in forms.items():
        stream = io.BytesIO()
        stereo = np.stack([tone, tone], 1) if name == "x.wav" else tone
        soundfile.write(stream, stereo, rate, format=format_, subtype=subtype)
        samples[name] = stream.getvalue()

    def read(path: Path) -> None:
        sound = load_audio(path)
        assert sound.ndim == 1
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        if path.name == "pcm.wav":
            read_clip_audio(path, 1, "clip")

    return samples, read


def _lists(folder: Path) -> Prepared:
    from mtbench.files import read_lists

    speakers = {"a": ["a_sentence01", "a_sentence02"], "b": ["b_sentence02"]}
    clips = [clip for found in speakers.values() for clip in found]

    def read(path: Path) -> None:
        for name in ("train.txt", "test.csv"):
            (folder / name).unlink(missing_ok=True)
        shutil.copyfile(path, folder / ("test.csv" if path.suffix == ".csv" else "train.txt"))
        read_lists(folder, clips, speakers)

    return {
        "l.txt": b"a_sentence01.wav\r\nb_sentence02.wav\r\n",
        "m.txt": '\ufeffb # all\n"wav/a_sentence02.npz"\n'.encode(),
        "n.csv": b"name,seconds\na/sentence01.wav,3.5\na_sentence02,1\n",
    }, read


def _transcripts(folder: Path) -> Prepared:
    from mtbench.making.folder import create_benchmark

    recordings, made = folder / "recordings", folder / "made"
    recordings.mkdir()
    soundfile.write(recordings / "a.wav", 0.3 * np.sin(np.arange(6400) * 0.3), 16000)

    def read(path: Path) -> None:
        shutil.copyfile(path, recordings / "a.txt")
        shutil.rmtree(made, ignore_errors=True)
        transcript = create_benchmark(made, recordings, language="eng").clips[0].transcript
        assert transcript.strip()
        assert "\n" not in transcript

    lrs = b"Text:  WHEN YOU'RE COOKING\nConf:  5\n\nWORD START END ASDSCORE\nWHEN 0.1 0.2 11.0\n"
    return {"a.txt": b"one two three\n", "b.txt": "\ufeffché è\r\nl'été\r\n".encode(), "lrs.txt": lrs}, read


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("arrays", _arrays, _edit_arrays, (ArrayFileError,), 0.0005),
        Reader("motion", _motion, _edit_arrays, (ArrayFileError,), 0.002),
        Reader("pickles", _pickles, edit_pickle, (UnsafePickleError,), 0.0009),
        Reader("templates", _templates, _edit_template, (UsageError,), 0.0004),
        Reader("meshes", _meshes, _edit_mesh, (MeshFileError,), 0.0002),
        Reader("benchmark-manifest", _benchmark_manifest, edit_lines, (BenchmarkError, UsageError), 0.0007),
        Reader("submission-manifest", _submission_manifest, edit_lines, (), 0.0007),
        Reader("run-json", _results("run.json"), edit_json, (UsageError,), 0.025),
        Reader("clips-jsonl", _results("clips.jsonl"), edit_json_lines, (UsageError,), 0.035),
        Reader("head", _head, edit_bytes, (PrerequisiteError,), 0.002),
        Reader("lexicons", _lexicons, edit_lines, (BenchmarkError,), 0.00015),
        Reader("phone-times", _phone_times, edit_lines, (BenchmarkError,), 0.00015),
        Reader("sounds", _sounds, edit_bytes, (BenchmarkError,), 0.003),
        Reader("lists", _lists, edit_lines, (UsageError,), 0.0002),
        Reader("transcripts", _transcripts, edit_lines, (BenchmarkError,), 0.002),
        *MODEL_READERS,
        *OWN_READERS,
        *IMPORT_READERS,
    )
}
