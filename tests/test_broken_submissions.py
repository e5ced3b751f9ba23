"""A folder of broken submissions: each is named for what it is, and none does harm.

Every case starts from a good submission, breaks it in one way, and must end in a problem whose text names the
file and the cause. An audit hook watches that nothing is unpickled and nothing outside the folder is opened,
tracemalloc that nothing is allocated that a clip cannot need.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import sys
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import CLIPS, FLAME_SIZE, make_benchmark, make_submission, manifest, talk

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.cli import main
from mtbench.errors import SubmissionError
from mtbench.submissions.validation import load_submission, validate

CLIP, FRAMES = "ita-01", CLIPS["ita-01"][1]
FILE = f"motion/{CLIP}.npz"
#: The largest clip in double precision is 1 MB; reading and checking it may take a few copies.
MOST_BYTES = 12 << 20

_events: list[tuple[str, str]] = []
_watching = False


def _watch(event: str, arguments: tuple) -> None:
    if _watching and event in ("open", "pickle.find_class", "os.system", "subprocess.Popen", "exec"):
        _events.append((event, os.fspath(arguments[0]) if isinstance(arguments[0], (str, Path)) else ""))


sys.addaudithook(_watch)


class Canary:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def good(frames: int = FRAMES) -> np.ndarray:
    return talk(frames)


def toml(**changes: object) -> Callable[[Path], None]:
    return lambda root: (root / "submission.toml").write_text(manifest(**changes)) and None


def raw_toml(content: bytes) -> Callable[[Path], None]:
    return lambda root: (root / "submission.toml").write_bytes(content) and None


def array(value: np.ndarray, **kinds: object) -> Callable[[Path], None]:
    return lambda root: np.savez(root / FILE, vertices=value)


def arrays(**values: np.ndarray) -> Callable[[Path], None]:
    return lambda root: np.savez(root / FILE, **values)


def content(value: bytes, name: str = FILE) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        (root / FILE).unlink()
        (root / name).write_bytes(value)

    return breaker


def npy(value: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()


def header(shape: str, descr: str = "<f4", fill: bytes = b"\0" * 64, version: int = 1) -> bytes:
    """An npy whose header says what it likes."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    size = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + fill


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as file:
        warnings.simplefilter("ignore")  # about duplicate names
        for name, value in members:
            file.writestr(name, value)
    return stream.getvalue()


def remove(name: str) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return breaker


def rename(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / old).rename(root / new) and None


def outside(root: Path) -> Path:
    """A good copy of everything, outside the submission."""
    target = root.parent / "outside"
    if not target.exists():
        shutil.copytree(root, target)
    return target


def link(name: str, inside: bool = False) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        target = outside(root) / name
        if inside:
            target = root / "kept.npz"
            shutil.copy(root / name, target)
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.symlink_to(target)

    return breaker


def dangling(root: Path) -> None:
    (root / FILE).unlink()
    (root / FILE).symlink_to("/nonexistent/elsewhere.npz")


def fifo(root: Path) -> None:
    (root / FILE).unlink()
    os.mkfifo(root / FILE)


def folder_for_file(root: Path) -> None:
    (root / FILE).unlink()
    (root / FILE).mkdir()


def manifest_folder(root: Path) -> None:
    (root / "submission.toml").unlink()
    (root / "submission.toml").mkdir()


def motion_file(root: Path) -> None:
    shutil.rmtree(root / "motion")
    (root / "motion").write_text("see my homepage")


def arrays_beside(root: Path) -> None:
    for path in (root / "motion").iterdir():
        path.rename(root / path.name)
    (root / "motion").rmdir()


def pickled(name: str) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        (root / FILE).unlink()
        (root / name).write_bytes(pickle.dumps({"vertices": Canary(root.parent / "canary")}))

    return breaker


def object_array(name: str) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        value = np.array([Canary(root.parent / "canary"), None], dtype=object)
        (root / FILE).unlink()
        if name.endswith(".npy"):
            np.save(root / name, value, allow_pickle=True)
        else:
            np.savez(root / name, vertices=value)

    return breaker


def truncated(name: str, keep: float) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        value = npy(good()) if name.endswith(".npy") else archive(("vertices.npy", npy(good())))
        content(value[: int(len(value) * keep)], name)(root)

    return breaker


def flipped(root: Path) -> None:
    value = bytearray(archive(("vertices.npy", npy(good())), method=zipfile.ZIP_STORED))
    value[len(value) // 2] ^= 255
    content(bytes(value))(root)


def bomb(root: Path) -> None:
    value = header(f"(1000, {FLAME_SIZE}, 3)", fill=b"\0" * (1000 * FLAME_SIZE * 12))
    content(archive(("vertices.npy", value)))(root)


def bomb_beside(root: Path) -> None:
    # the wanted array is good, another member is the bomb
    content(
        archive(("vertices.npy", npy(good())), ("x.npy", header("(16777216,)", fill=b"\0" * (64 << 20))))
    )(root)


def big_directory(root: Path) -> None:
    content(archive(*[(f"{i:0200d}.npy", b"") for i in range(9000)], method=zipfile.ZIP_STORED))(root)


def false_directory(root: Path) -> None:
    value = bytearray(archive(("vertices.npy", npy(good()))))
    end = value.rindex(b"PK\x05\x06")
    value[end + 12 : end + 16] = struct.pack("<I", 0x7FFFFFF0)
    content(bytes(value))(root)


def encrypted(root: Path) -> None:
    value = bytearray(archive(("vertices.npy", npy(good()))))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = value.index(magic) + offset
        value[start] |= 1
    content(bytes(value))(root)


def exploding() -> np.ndarray:
    value = good()
    value[3] *= 50
    return value


def with_value(value: float) -> np.ndarray:
    broken = good()
    broken[2, 17, 1] = value
    return broken


def flame(**values: np.ndarray | None) -> Callable[[Path], None]:
    """A submission of FLAME parameters, good but for *values* (None leaves one out)."""

    def breaker(root: Path) -> None:
        (root / "submission.toml").write_text(manifest(kind="flame-params"))
        for clip, (_, frames) in CLIPS.items():
            params: dict = {"exp": np.zeros((frames, 50), "f4"), "jaw": np.zeros((frames, 3), "f4")}
            if clip == CLIP:
                params |= values
            np.savez(root / f"motion/{clip}.npz", **{k: v for k, v in params.items() if v is not None})

    return breaker


def add(name: str, value: np.ndarray | None = None) -> Callable[[Path], None]:
    def breaker(root: Path) -> None:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        (np.save if name.endswith(".npy") else np.savez)(path, good() if value is None else value)

    return breaker


#: name -> (how to break it, code of the problem, file or field that the text names, words of the cause)
BROKEN: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    # the manifest
    "no manifest": (remove("submission.toml"), "no-manifest", "submission.toml", "no manifest"),
    "manifest under another name": (
        rename("submission.toml", "manifest.toml"),
        "no-manifest",
        "submission.toml",
        "did you mean to call manifest",
    ),
    "empty manifest": (raw_toml(b""), "bad-manifest", "submission.toml: system", "missing"),
    "broken toml": (
        raw_toml(b"schema = 1\nsystem = Mine\n"),
        "bad-toml",
        "submission.toml",
        "not valid TOML",
    ),
    "manifest in latin-1": (
        raw_toml("system = 'Zoë'".encode("latin1")),
        "bad-toml",
        "submission.toml",
        "UTF-8",
    ),
    "manifest of a megabyte": (raw_toml(b"#" * (1 << 20)), "bad-toml", "submission.toml", "1048576 bytes"),
    "deeply nested manifest": (raw_toml(b"a = " + b"[" * 30000), "bad-toml", "submission.toml", "nested"),
    "manifest is a link": (link("submission.toml"), "bad-toml", "submission.toml", "symbolic link"),
    "manifest is a folder": (manifest_folder, "bad-toml", "submission.toml", "folder"),
    "no system": (toml(system=None), "bad-manifest", "submission.toml: system", "missing"),
    "empty system": (toml(system=""), "bad-manifest", "submission.toml: system", "at least 1 character"),
    "misspelt field": (toml(sytem="Mine"), "bad-manifest", "submission.toml: sytem", "did you mean system?"),
    "unknown model field": (
        raw_toml(manifest().encode() + b"[model]\nsize = 3\n"),
        "bad-manifest",
        "model.size",
        "unknown field",
    ),
    "schema of the future": (toml(schema=2), "wrong-schema", "submission.toml: schema", "reads schema = 1"),
    "schema as text": (toml(schema="1"), "wrong-schema", "submission.toml: schema", "not '1'"),
    "25 fps called 50": (toml(fps=50), "wrong-frame-count", FILE, "that is 25 fps: set fps = 25"),
    "seconds per frame": (
        toml(fps=0.04),
        "wrong-fps",
        "submission.toml: fps",
        "seconds per frame? Then fps = 25",
    ),
    "15 fps": (toml(fps=15), "wrong-fps", "submission.toml: fps", "expected 20 to 120"),
    "a huge rate": (toml(fps=1e300), "wrong-fps", "submission.toml: fps", "expected 20 to 120"),
    "negative fps": (toml(fps=-25), "bad-manifest", "submission.toml: fps", "greater than 0"),
    "unit mm": (toml(unit="mm"), "wrong-unit", "submission.toml: unit", "divide by 1000"),
    "unknown kind": (toml(kind="vertexes"), "wrong-kind", "submission.toml: kind", "did you mean vertices?"),
    "unknown topology": (
        toml(topology="flame5023"),
        "unknown-topology",
        "submission.toml: topology",
        "did you mean flame-5023?",
    ),
    "parameters for another head": (
        toml(topology="openhead-1", kind="flame-params"),
        "wrong-kind",
        "submission.toml: kind",
        "FLAME parameters",
    ),
    "units for another head": (toml(kind="units"), "wrong-kind", "submission.toml: kind", "facial units"),
    "benchmark without version": (
        toml(benchmark="tiny"),
        "bad-manifest",
        "submission.toml: benchmark",
        "write name@version",
    ),
    "other benchmark": (toml(benchmark="tony@1"), "wrong-benchmark", "submission.toml: benchmark", "tiny@1"),
    "other version": (
        toml(benchmark="tiny@2"),
        "wrong-benchmark",
        "submission.toml: benchmark",
        "made for tiny@2",
    ),
    # names and places of files
    "no motion folder": (remove("motion"), "no-motion-folder", "motion/", "one file per clip"),
    "arrays beside the manifest": (arrays_beside, "no-motion-folder", "motion/", "move them into motion/"),
    "motion folder is a link": (link("motion"), "link-or-special-file", "motion/", "symbolic link"),
    "motion folder is a file": (motion_file, "link-or-special-file", "motion/", "not a folder"),
    "missing clip": (remove(FILE), "missing-clip", FILE, "is missing"),
    "extra clip": (add("motion/ita-11.npy"), "extra-clip", "motion/ita-11.npy", "did you mean"),
    "npy and npz": (add(f"motion/{CLIP}.npy"), "duplicate-clip", FILE, "which one counts"),
    "names that differ in case": (add("motion/ITA-01.npy"), "duplicate-clip", FILE, "differ in case"),
    "wrong case": (rename(FILE, "motion/Ita-01.npz"), "wrong-case", "motion/Ita-01.npz", "'ita-01'"),
    "pickle file": (
        pickled(f"motion/{CLIP}.pkl"),
        "unexpected-file",
        f"motion/{CLIP}.pkl",
        "pickles are never read",
    ),
    "torch file": (
        content(b"PK\x03\x04", f"motion/{CLIP}.pt"),
        "unexpected-file",
        f"motion/{CLIP}.pt",
        "pickles",
    ),
    "ending in capitals": (
        rename(FILE, f"motion/{CLIP}.NPZ"),
        "unexpected-file",
        f"motion/{CLIP}.NPZ",
        "lower case",
    ),
    "nested folder": (add("motion/more/ita-01.npz"), "unexpected-file", "motion/more", "a folder"),
    "link that leaves the folder": (link(FILE), "link-or-special-file", FILE, "symbolic link"),
    "link within the folder": (link(FILE, inside=True), "link-or-special-file", FILE, "symbolic link"),
    "dangling link": (dangling, "link-or-special-file", FILE, "symbolic link"),
    "pipe": (fifo, "link-or-special-file", FILE, "pipe"),
    "folder for a file": (folder_for_file, "link-or-special-file", FILE, "folder"),
    # shapes
    "too few frames": (array(good(2)), "wrong-frame-count", FILE, "expected 6 at 25 fps"),
    "frames at 50 fps": (array(good(12)), "wrong-frame-count", FILE, "50 fps: set fps = 50"),
    "two frames more": (array(good(8)), "wrong-frame-count", FILE, "ceil(N / 640)"),
    "no frames": (array(good()[:0]), "wrong-frame-count", FILE, "wrote nothing"),
    "vertices of the other head": (array(good()[:, :4801]), "wrong-vertex-count", FILE, "openhead-1"),
    "other vertex count": (array(good()[:, :5000]), "wrong-vertex-count", FILE, "5000 vertices"),
    "swapped axes": (array(good().transpose(0, 2, 1)), "wrong-shape", FILE, "transpose(0, 2, 1)"),
    "batch axis": (array(good()[None]), "wrong-shape", FILE, "batch axis"),
    "vertices first": (
        array(np.zeros((FLAME_SIZE, FRAMES, 3), "f4")),
        "wrong-vertex-count",
        FILE,
        "transpose(1, 0, 2)",
    ),
    "one frame only": (array(good()[0]), "wrong-shape", FILE, "one frame"),
    # values
    "nan": (array(with_value(np.nan)), "not-finite", FILE, "NaN"),
    "infinity": (array(with_value(np.inf)), "not-finite", FILE, "infinite"),
    "millimetres": (
        array(good() * 1000),
        "wrong-unit",
        FILE,
        "millimetres instead of metres? divide by 1000",
    ),
    "centimetres": (array(good() * 100), "wrong-unit", FILE, "centimetres instead of metres?"),
    "astronomic": (array(good().astype("f8") * 1e300), "wrong-unit", FILE, "expected about 0.32 m"),
    "displacements": (array(good() - good()[:1]), "displacements", FILE, "Add the template"),
    "explosion": (array(exploding()), "implausible", FILE, "frame 3"),
    # types
    "integers": (array((good() * 1000).astype(int)), "wrong-dtype", FILE, "integers lose"),
    "complex numbers": (array(good().astype("c8")), "wrong-dtype", FILE, "complex"),
    "mask": (array(good() > 0), "wrong-dtype", FILE, "mask"),
    "text array": (arrays(vertices=np.full((FRAMES, FLAME_SIZE, 3), "x")), "wrong-dtype", FILE, "<U1"),
    "structured array": (
        arrays(vertices=np.zeros((FRAMES, FLAME_SIZE), "f4,f4,f4")),
        "wrong-dtype",
        FILE,
        "expected float32",
    ),
    "object array": (object_array(FILE), "pickled-array", FILE, "pickles are never read"),
    "object array as npy": (object_array(f"motion/{CLIP}.npy"), "pickled-array", f"{CLIP}.npy", "never read"),
    "pickle called npy": (pickled(f"motion/{CLIP}.npy"), "pickled-array", f"{CLIP}.npy", "Python pickle"),
    "pickle called npz": (pickled(FILE), "pickled-array", FILE, "Python pickle"),
    # files
    "empty file": (content(b""), "unreadable-array", FILE, "is empty"),
    "text file": (content(b"0.1 0.2 0.3\n" * 99), "unreadable-array", FILE, "not a numpy array"),
    "matlab file": (content(b"\x89HDF\r\n\x1a\n" + b"\0" * 99), "unreadable-array", FILE, "HDF5"),
    "npz called npy": (
        content(archive(("vertices.npy", npy(good()))), f"motion/{CLIP}.npy"),
        "unreadable-array",
        f"{CLIP}.npy",
        "rename it to .npz",
    ),
    "npy called npz": (content(npy(good())), "unreadable-array", FILE, "rename it to .npy"),
    "truncated npy": (truncated(f"motion/{CLIP}.npy", 0.7), "truncated-array", f"{CLIP}.npy", "cut off"),
    "truncated npz": (truncated(FILE, 0.7), "damaged-zip", FILE, "cut off"),
    "altered npz": (flipped, "damaged-zip", FILE, "Bad CRC"),
    "encrypted npz": (encrypted, "unreadable-array", FILE, "encrypted"),
    "lzma npz": (
        content(archive(("vertices.npy", npy(good())), method=zipfile.ZIP_LZMA)),
        "unreadable-array",
        FILE,
        "deflate",
    ),
    "bytes after the array": (
        content(npy(good()) + b"more", f"motion/{CLIP}.npy"),
        "false-size",
        f"{CLIP}.npy",
        "header",
    ),
    # headers that lie, and bombs
    "header of petabytes": (
        content(header("(1000000000, 5023, 3)"), f"motion/{CLIP}.npy"),
        "truncated-array",
        f"{CLIP}.npy",
        "needs",
    ),
    "header that overflows": (
        content(header(f"({2**62}, {2**62}, 3)"), f"motion/{CLIP}.npy"),
        "truncated-array",
        f"{CLIP}.npy",
        "needs",
    ),
    "negative shape": (
        content(header("(-6, 5023, 3)"), f"motion/{CLIP}.npy"),
        "unreadable-array",
        CLIP,
        "negative",
    ),
    "header that is a program": (
        content(header("__import__('os').system('touch canary')"), f"motion/{CLIP}.npy"),
        "unreadable-array",
        CLIP,
        "cannot be parsed",
    ),
    "header of four gigabytes": (
        content(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 99, f"motion/{CLIP}.npy"),
        "unreadable-array",
        CLIP,
        "4294967295 bytes",
    ),
    "unknown format version": (
        content(b"\x93NUMPY\x09\x00\x10\x00" + b" " * 99, f"motion/{CLIP}.npy"),
        "unreadable-array",
        CLIP,
        "9.0",
    ),
    "false header in npz": (
        content(archive(("vertices.npy", header("(6, 5023, 3)")))),
        "truncated-array",
        FILE,
        "needs 361784",
    ),
    "zip bomb": (bomb, "wrong-frame-count", FILE, "expected 6"),
    "zip bomb beside the array": (bomb_beside, "wrong-arrays", FILE, "'x'"),
    "thousand members": (
        content(archive(*[(f"a{i}.npy", npy(np.zeros(1))) for i in range(1000)])),
        "too-many-members",
        FILE,
        "1000",
    ),
    "long zip directory": (big_directory, "damaged-zip", FILE, "directory claims"),
    "false zip directory": (false_directory, "damaged-zip", FILE, "savez_compressed"),
    "more bytes than the clip can need": (
        content(npy(np.zeros((400, FLAME_SIZE, 3), "f4")), f"motion/{CLIP}.npy"),
        "file-too-large",
        CLIP,
        "not read",
    ),
    "member twice": (
        content(archive(("vertices.npy", npy(good())), ("vertices.npy", npy(good())))),
        "duplicate-member",
        FILE,
        "occurs twice",
    ),
    "member that leaves the folder": (
        content(archive(("../../vertices.npy", npy(good())))),
        "unexpected-member",
        FILE,
        "../../vertices.npy",
    ),
    # names of arrays
    "no array": (content(archive()), "wrong-arrays", FILE, "expected 'vertices'"),
    "array under another name": (arrays(verticies=good()), "wrong-arrays", FILE, "did you mean 'vertices'?"),
    "two arrays": (arrays(vertices=good(), verts=good()), "wrong-arrays", FILE, "keep one array"),
    "parameters called vertices": (
        arrays(exp=np.zeros((6, 50)), jaw=np.zeros((6, 3))),
        "wrong-arrays",
        FILE,
        'kind = "flame-params"',
    ),
    # FLAME parameters
    "no jaw": (flame(jaw=None), "wrong-arrays", FILE, "no array 'jaw'"),
    "jaw under another name": (
        flame(jaw=None, jaw_pose=np.zeros((6, 3), "f4")),
        "wrong-arrays",
        FILE,
        "did you mean 'jaw'?",
    ),
    "vertices called parameters": (toml(kind="flame-params"), "wrong-arrays", FILE, 'kind = "vertices"'),
    "too many expressions": (flame(exp=np.zeros((6, 400), "f4")), "wrong-shape", FILE, "expected 1 to 100"),
    "rotation matrices": (flame(jaw=np.zeros((6, 9), "f4")), "wrong-shape", FILE, "axis-angle"),
    "degrees": (flame(jaw=np.full((6, 3), 20, "f4")), "wrong-unit", FILE, "pi / 180"),
    "parameters of too few frames": (
        flame(exp=np.zeros((5, 50), "f4")),
        "wrong-frame-count",
        FILE,
        "exp: 5 frames",
    ),
    "parameters with nan": (flame(exp=np.full((6, 50), np.nan, "f4")), "not-finite", FILE, "NaN"),
}


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return load_benchmark(make_benchmark(tmp_path_factory.mktemp("benchmark"), motion=False))


@pytest.fixture(scope="module", autouse=True)
def _no_asset(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def watched(root: Path, call: Callable[[], object]) -> tuple[object, int]:
    """Call under audit and tracemalloc; return the result and the peak of allocated bytes."""
    global _watching
    _events.clear()
    tracemalloc.start()
    _watching = True
    try:
        result = call()
    finally:
        _watching = False
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    for event, name in _events:
        assert event == "open", (event, name)
        if name.startswith(str(root.parent)):
            assert Path(name).resolve().is_relative_to(root.resolve()), f"{name} lies outside {root}"
    return result, peak


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 40


def test_the_submission_is_good_before_it_is_broken(tmp_path, benchmark):
    assert validate(make_submission(tmp_path), benchmark) == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_submission(name, tmp_path, benchmark, monkeypatch, capsys):
    breaker, code, where, words = BROKEN[name]
    root = make_submission(tmp_path)
    breaker(root)
    problems, peak = watched(root, lambda: validate(root, benchmark))
    matching = [p for p in problems if p.code == code]
    assert matching, [str(p) for p in problems]
    text = "\n".join(map(str, matching))
    assert where in text
    assert words in text
    assert all(p.where and p.message and p.hint for p in problems)
    assert peak < MOST_BYTES, f"{peak} bytes allocated"

    def use() -> None:
        submission = load_submission(root, benchmark)
        for clip in submission.clips:
            submission.motion(clip)

    with pytest.raises(SubmissionError) as refused:
        watched(root, use)
    assert refused.value.exit_code == 3
    assert code in {problem.code for problem in refused.value.problems}

    monkeypatch.setattr(sys, "argv", ["mtbench", "validate", str(root), "--benchmark", str(benchmark.root)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    line = next(line for line in capsys.readouterr().out.splitlines() if where in line and words in line)
    assert line.endswith(f"[{code}]")
    assert not (tmp_path / "canary").exists()
    assert not Path("canary").exists()


def test_all_problems_come_at_once(tmp_path, benchmark):
    root = make_submission(tmp_path, fps=0.04, unit="mm")
    np.savez(root / FILE, vertices=good(2))
    (root / "motion/ita-02.npz").unlink()
    np.save(root / "motion/other.npy", good())
    np.savez(root / "motion/eng-01.npz", vertices=with_value(np.nan)[:5])
    codes = [problem.code for problem in validate(root, benchmark)]
    assert codes == [
        "wrong-fps",
        "wrong-unit",
        "extra-clip",
        "missing-clip",
        "wrong-frame-count",
        "not-finite",
    ]
