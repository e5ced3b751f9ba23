"""What strangers' files did to readers once: each now ends in the reader's own error, or is read right."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import struct
import zipfile

import numpy as np
import pytest
from factories import make_benchmark, make_submission
from fuzz_readers import write_result

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.manifest import MANIFEST
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.files.arrays import ArrayFileError, read_arrays
from mtbench.files.mesh_files import MeshFileError, read_mesh
from mtbench.files.paths import PathError, resolve_inside
from mtbench.files.pickle_stand_ins import UnsafePickleError
from mtbench.files.safe_pickle import load_arrays
from mtbench.files.toml_files import read_toml
from mtbench.files.weight_files import is_archive
from mtbench.leaderboard import build_leaderboard
from mtbench.metrics import METRICS
from mtbench.results.comparison import compare
from mtbench.results.run_files import read_results, read_rows, read_run
from mtbench.scoring.rescoring import rescore
from mtbench.speech.sound_headers import find_shortfall
from mtbench.submissions.validation import validate

# ---- manifests


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_manifests_take_a_byte_order_mark(tmp_path, ends):
    """26-manifest-with-bom: Notepad writes one, and CRLF; the submission is as good as without."""
    root, benchmark = make_submission(tmp_path), load_benchmark(make_benchmark(tmp_path, motion=False))
    for manifest in (root / "submission.toml", benchmark.root / MANIFEST):
        text = manifest.read_text()
        manifest.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
    again = load_benchmark(benchmark.root)
    assert [clip.id for clip in again.clips] == [clip.id for clip in benchmark.clips]
    assert [p for p in validate(root, again) if p.where.startswith("submission.toml")] == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(tmp_path, encoding):
    """26-manifest-with-bom: the other encodings of Notepad's list."""
    (tmp_path / "a.toml").write_bytes('system = "x"\n'.encode(encoding))
    with pytest.raises(ValueError, match="is UTF-16 text, expected UTF-8"):
        read_toml(tmp_path / "a.toml", 1000)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("seed = 0x" + "f" * 5000, "seed: Input should be less than"),
        ("seed = " + "9" * 5000, "cannot be read"),
        ("seed = 1" + "0" * 400, "not 'a number of more than 60 digits'|a number of more than 60 digits"),
        ("seed." + "a." * 2000 + "b = 1", "nested too deeply"),
        ("seed = " + "[" * 200 + "]" * 200, "seed: Input should be a valid integer"),
        ("seed = " + "[" * 20000, "nested too deeply"),
        ('"\\u001b[2J" = 1', r"'\\x1b\[2J'"),
    ],
    ids=["hexadecimal", "digits", "large", "dotted", "lists", "open lists", "terminal"],
)
def test_numbers_depth_and_names_of_manifests(tmp_path, line, words):
    root, benchmark = make_submission(tmp_path), make_benchmark(tmp_path)
    with (root / "submission.toml").open("a") as file:
        file.write(f"[generation]\n{line}\n")
    problems = [str(p) for p in validate(root, benchmark)]
    assert len(problems) == 1
    assert re.search(words, problems[0]), problems[0]
    assert len(problems[0]) < 500
    assert "\x1b" not in problems[0]


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000 + "b", "é" * 200], ids=["name", "path", "bytes"])
def test_paths_longer_than_file_systems_allow(tmp_path, name):
    with pytest.raises(PathError, match="longer than file systems allow"):
        resolve_inside(tmp_path, name)
    root = make_benchmark(tmp_path)
    text = (root / MANIFEST).read_text()
    (root / MANIFEST).write_text(text.replace("audio/ita-01.flac", name))
    with pytest.raises(BenchmarkError, match=r"clip ita-01, audio: .* is longer than file systems allow"):
        load_benchmark(root)


# ---- pickles, meshes, arrays


def reference(name: str, *arguments: bytes) -> bytes:
    """A call of an allowed name in a pickled dictionary, under ``a``."""
    return b"\x80\x02}U\x01a" + name.encode() + b"(" + b"".join(arguments) + b"tRs."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x02}U\x01acnumpy\ndtype\n)\x81s.", "no array|array of type"),
        (b"\x80\x02}U\x01acnumpy.core.multiarray\nscalar\n)\x81s.", "a number without contents"),
        (reference("cnumpy.core.multiarray\nscalar\n", b"K\x01", b"K\x02"), "array of objects"),
        (
            reference("cnumpy.core.numeric\n_frombuffer\n", *[b"G\x7f\xf0\0\0\0\0\0\0"] * 4),
            "array of objects",
        ),
        (b"\x80\x02}U\x01a" + b"]" + b"(" + b"K\x00" * 100 + b"e" + b"s.", None),
    ],
    ids=["class alone", "made without a call", "no type", "infinite shape", "list"],
)
def test_stand_ins_without_contents(tmp_path, content, words):
    (tmp_path / "x.pkl").write_bytes(content)
    if words is None:
        assert load_arrays(tmp_path / "x.pkl", {"a"})["a"].tolist() == [0] * 100
        return
    with pytest.raises(UnsafePickleError, match=words):
        load_arrays(tmp_path / "x.pkl", {"a"})


@pytest.mark.parametrize("last", ["x" * 1000, 0.5])
def test_lists_that_hold_one_another_many_times(tmp_path, last):
    value = [last] * 1000
    for _ in range(4):
        value = [value] * 1000
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": value}))
    with pytest.raises(UnsafePickleError, match="lists in lists of more than"):
        load_arrays(tmp_path / "x.pkl", {"a"})


def test_a_pickle_cannot_change_the_reader(tmp_path):
    """A state for a function would set its defaults, for every pickle that is read after."""
    content = b"\x80\x02c_codecs\nencode\n}U\x08__dict__}sb."
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(UnsafePickleError, match="a function with a state"):
        load_arrays(tmp_path / "x.pkl", {"a"})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999\n", "too large|damaged"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "beyond the 3"),
        ("a.obj", b"v nan 0 0\n", "NaN"),
        ("a.obj", b"v 0 0 0\n" * 300_000, "more than 262144 vertices"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 999999999\nend_header\n", "more than 262144 rows"),
        (
            "a.ply",
            b"ply\nformat binary_little_endian 1.0\nelement face 1\nproperty list char int vertex_indices\n"
            b"end_header\n\xff\0\0\0\0",
            "negative length",
        ),
    ],
)
def test_meshes(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshFileError, match=words):
        read_mesh(tmp_path / name)


@pytest.mark.parametrize(
    ("shape", "descr", "words"),
    [
        (f"(0, {10**30})", "<f4", "impossible"),
        (f"({10**4000}, {10**4000})", "<f4", "impossible"),
        ("(1,) * 3", "<f4", "cannot be parsed"),
        (str((1,) * 12), "<f4", "12 axes"),
        (f"({10**9},)", "<U0", "expected plain numbers"),
    ],
)
def test_array_headers(tmp_path, shape, descr, words):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text)
    with pytest.raises(ArrayFileError, match=words):
        read_arrays(tmp_path / "a.npy", 1000)


def test_text_of_impossible_characters(tmp_path):
    array = np.array("neutral")
    np.save(tmp_path / "a.npy", array)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-4] + b"\xff\xff\xff\x7f")
    with pytest.raises(ArrayFileError, match="impossible characters"):
        read_arrays(tmp_path / "a.npy", 1000)


def test_a_damaged_head_is_a_damaged_installation(tmp_path):
    from mtbench.faces.head_file import read_asset

    (tmp_path / "h.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(PrerequisiteError, match="install mtbench again"):
        read_asset(tmp_path / "h.npz")


# ---- results edited by hand


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_result(tmp_path_factory.mktemp("good"))


def copy(good, tmp_path):
    folder = tmp_path / "results" / "entry" / "small"
    folder.mkdir(parents=True)
    for name in ("run.json", "clips.jsonl"):
        (folder / name).write_bytes((good / name).read_bytes())
    return folder


def with_row(index: int, **fields):
    def edit(rows):
        rows[index].update(fields)

    return edit


def with_statistic(name: str):
    """Geometry as it is where another package adds a metric."""

    def edit(rows):
        rows[-1]["geometry"] = {**dict.fromkeys(GEOMETRY, 1.0), "frames": 3, name: 1.0}

    return edit


#: Statistics that every row that was measured holds.
GEOMETRY = [m.statistic for m in METRICS.geometric() if m.required]
COUNTS = {"hits": 3, "substitutions": 0, "deletions": 0, "insertions": 0}
#: What is done to the first row of recognition (index 0) or geometry (-1) -> words of the message.
ROWS = {
    "count as text": (with_row(0, words={**COUNTS, "hits": "3"}), "words.hits"),
    "negative count": (with_row(0, chars={**COUNTS, "hits": -3}), "chars.hits"),
    "counts as a list": (with_row(0, words=[1, 2]), "expected an object"),
    "half of the counts": (with_row(0, words=None, reason="x"), "all or none"),
    "phones as a list": (with_row(0, reference_phones=["a"]), "text with blanks"),
    "language": (with_row(0, language="italiano"), "three letters"),
    "language as number": (with_row(0, language=7), "three letters"),
    "another language": (with_row(0, language="deu"), "in a row before"),
    "noise": (with_row(0, snr_db=3.0, noise="a|b"), "noise"),
    "ratio as text": (with_row(0, snr_db="loud", noise="x"), "snr_db"),
    "huge ratio": (with_row(0, snr_db=10**400, noise="x"), "snr_db"),
    "reference": (with_row(0, reference=None), "reference"),
    "frames": (with_row(-1, geometry=None), "needs a reason"),
    "unknown field": (with_row(0, colour="blue"), "unknown fields"),
    "statistic of a package": (with_statistic("beauty_sum"), "or of a package that is not installed"),
    "unknown kind": (with_row(0, kind="colour"), "unknown kind"),
    "twice": (lambda rows: rows.append(rows[0]), "a second row"),
    "other rows": (with_row(0, hypothesis="another word"), "run.json was made of other rows"),
    "no clip": (lambda rows: rows.__delitem__(slice(0, len(rows) // 2)), "rows of 1 clips, run.json was made of 2"),
    "text": (lambda rows: rows.append("x"), "expected an object"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_were_edited(good, tmp_path, name):
    edit, words = ROWS[name]
    folder = copy(good, tmp_path)
    rows = [json.loads(line) for line in (folder / "clips.jsonl").read_text("utf-8").splitlines()]
    edit(rows)
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for act in (read_results, rescore, lambda f: compare(f, good), lambda f: compare(good, f)):
        with pytest.raises(UsageError, match=words):
            act(folder)


def summary(**fields):
    return lambda run: run["summary"][0].update(fields)


RUNS = {
    "estimate as text": (summary(estimate="12"), "estimate"),
    "no number": (summary(estimate=float("nan")), "NaN is no number"),
    "infinite": (summary(ci95=[0.0, float("inf")]), "Infinity is no number"),
    "interval turned": (summary(ci95=[2.0, 1.0]), "ci95"),
    "negative clips": (summary(n_clips=-1), "n_clips"),
    "too many clips": (summary(n_clips=10**30), "n_clips"),
    "metric": (summary(metric="beauty"), "unknown metric 'beauty'"),
    "metric of a package": (summary(metric="beauty"), "or a package that defines it is not installed"),
    "unit": (summary(unit="furlong"), "unit"),
    "language": (summary(language="everything"), "language"),
    "signature": (lambda run: run["signatures"].update(wer="no|such|thing"), "signatures"),
    "signature of another": (lambda run: run["signatures"].update(beauty="beauty|n:1"), "signatures"),
    "settings": (lambda run: run["settings"].update(common=7), "settings.common"),
    "settings within": (lambda run: run["settings"]["common"].update(colour="blue"), "settings.common.colour"),
    "setting of two lines": (lambda run: run["settings"]["common"].update(bench="a\nb"), "settings.common.bench"),
    "no system": (lambda run: run.pop("system"), "system"),
    "rankable": (lambda run: run.update(rankable="yes"), "rankable"),
    "version": (lambda run: run.update(schema_version=True), "no schema_version"),
    "deep": (lambda run: run["timings"].update(a=json.loads("[" * 500 + "]" * 500)), "more than 32 levels"),
    "half a character": (lambda run: run["system"].update(name="\ud800"), "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_runs_that_were_edited(good, tmp_path, name):
    edit, words = RUNS[name]
    folder = copy(good, tmp_path)
    run = json.loads((folder / "run.json").read_text("utf-8"))
    edit(run)
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    board = tmp_path / "b"
    for act in (
        read_run,
        rescore,
        lambda f: compare(f, good),
        lambda f: build_leaderboard(tmp_path / "results", board),
    ):
        with pytest.raises(UsageError, match=words):
            act(folder)
    assert not board.exists()


def test_a_field_that_occurs_twice(good, tmp_path):
    folder = copy(good, tmp_path)
    text = (folder / "run.json").read_text("utf-8")
    (folder / "run.json").write_text(
        text.replace('"rankable"', '"status": "partial", "rankable"', 1), "utf-8"
    )
    with pytest.raises(UsageError, match="'status' occurs twice"):
        read_run(folder)


def test_results_saved_by_an_editor_are_read(good, tmp_path):
    """26-manifest-with-bom: the same editor on results."""
    folder = copy(good, tmp_path)
    for name in ("run.json", "clips.jsonl"):
        text = (folder / name).read_text("utf-8").replace("\n", "\r\n")
        (folder / name).write_bytes(text.encode("utf-8-sig"))
    assert read_run(folder).model_dump() == read_run(good).model_dump()
    assert read_rows(folder) == read_rows(good)


def test_a_clip_has_one_reference_in_all_its_rows(good, tmp_path):
    """Found by fuzzing: one count of one row was another, and the gain had no common words."""
    folder = shutil.copytree(good, tmp_path / "edited")
    lines = (folder / "clips.jsonl").read_text("utf-8").splitlines()
    row = json.loads(lines[1])
    row["words"]["hits"] += 3
    lines[1] = json.dumps(row)
    (folder / "clips.jsonl").write_text("\n".join(lines), "utf-8")
    with pytest.raises(UsageError, match=r"line 2: words of clip .* they are the length of one reference"):
        read_rows(folder)


def test_a_header_of_brackets_within_brackets(tmp_path):
    header = b"{" + b"[" * 4000
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ArrayFileError, match="too many brackets"):
        read_arrays(tmp_path / "a.npy", 1000)


@pytest.mark.parametrize("kind", [b"RIFF", b"RF64"])
def test_chunks_that_reach_beyond_all_files(tmp_path, kind):
    chunk = b"JUNK" + b"\xf0\xff\xff\xff"
    content = kind + b"\xff\xff\xff\xffWAVE" + chunk * 8
    (tmp_path / "a.wav").write_bytes(content)
    assert find_shortfall(tmp_path / "a.wav") is None
    wide = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00" + b"\0" * 24
    (tmp_path / "a.w64").write_bytes(wide + (b"junk" + b"\0" * 12 + b"\xf0" + b"\xff" * 7) * 3)
    assert find_shortfall(tmp_path / "a.w64") is None


def test_what_only_ends_as_an_archive_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "real.zip", "w") as archive:
        archive.writestr("a/data.pkl", b"x")
    content = (tmp_path / "real.zip").read_bytes()
    assert is_archive(tmp_path / "real.zip")
    (tmp_path / "late.pt").write_bytes(b"\x80\x02" + content)
    assert zipfile.is_zipfile(tmp_path / "late.pt")
    assert not is_archive(tmp_path / "late.pt")


@pytest.mark.parametrize("field", ["reference", "reference_phones"])
def test_a_clip_has_one_text_in_all_its_rows(good, tmp_path, field):
    """Found by fuzzing: rescoring counted one row against another text."""
    folder = shutil.copytree(good, tmp_path / "edited")
    lines = (folder / "clips.jsonl").read_text("utf-8").splitlines()
    row = json.loads(lines[1])
    row[field] = "something else"
    lines[1] = json.dumps(row)
    (folder / "clips.jsonl").write_text("\n".join(lines), "utf-8")
    with pytest.raises(UsageError, match=r"line 2: clip .* has another reference here"):
        read_rows(folder)
