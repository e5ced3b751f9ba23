"""Topologies of other packages: taken like bundled ones wherever a topology is named or told by its vertex count."""

import dataclasses
import importlib
import json
import sys

import numpy as np
import pytest
import soundfile
from factories import talk
from typer.testing import CliRunner

import mtbench
from mtbench import load_benchmark, score, validate
from mtbench.cli.app import app
from mtbench.errors import BenchmarkError, PrerequisiteError, SubmissionError, UsageError
from mtbench.faces import (
    FLAME,
    KINDS,
    OPENHEAD,
    describe_topology,
    is_topology,
    load_topology,
    name_topology,
    require_renderable,
    topology_names,
    topology_of_kind,
)
from mtbench.making import create_benchmark
from mtbench.submissions import SubmissionManifest, begin_submission, load_submission, write_motion

SIZE = 240
THEIRS = f"""
import numpy as np
from mtbench.faces import Topology, TopologyFacts
REGIONS = dict(lips=np.arange(20), inner_lips=np.arange(8), upper_face=np.arange(100, 140), mouth=np.arange(40))
def load(name="pebble-{SIZE}", count={SIZE}, regions=REGIONS):
    return Topology(name, count, np.zeros((0, 3), np.int32), dict(regions))
def explain():
    return "pebbles have no triangles"
def describe():
    return TopologyFacts("pebble-{SIZE}", {SIZE}, load, explain)
def describe_another():
    return TopologyFacts("another", 77, load)
def describe_nothing():
    return None
def describe_badly():
    return {{}}["count"]
def load_badly():
    return np.load("no-such-file.npy")
def describe_absent():
    return TopologyFacts("meshless", 60, load_badly)
def describe_bare():
    return TopologyFacts("bare", 50, lambda: load("bare", 50, {{}}))
"""


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """A package with topologies, as pip would install it."""
    folder = tmp_path / "site"
    info = folder / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "their_faces.py").write_text(THEIRS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    names = {f"pebble-{SIZE}": "describe", "another": "describe_another", "nothing": "describe_nothing"}
    names |= {"bare": "describe_bare", "flame-5023": "describe", "absent": "no_such_function"}
    names |= {"broken": "describe_badly", "meshless": "describe_absent"}
    points = "".join(f"{name} = their_faces:{function}\n" for name, function in names.items())
    (info / "entry_points.txt").write_text(f"[mtbench.topologies]\n{points}")
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("their_faces", None)


@pytest.fixture
def benchmark(tmp_path, other_package):
    """A benchmark whose ground truth has their topology, which only the vertex count tells."""
    source = tmp_path / "recordings"
    source.mkdir()
    for seed, clip in enumerate(("one", "two")):
        noise = np.random.default_rng(seed).uniform(-0.3, 0.3, 16000)
        soundfile.write(source / f"{clip}.wav", noise, 16000)
        (source / f"{clip}.txt").write_text("hello there")
        np.save(source / f"{clip}.npy", talk(25, SIZE, seed))
    return create_benchmark(tmp_path / "pebbles", source, language="eng")


def write_submission(folder, benchmark, **changes):
    manifest = SubmissionManifest(
        schema=1, system="theirs", benchmark=benchmark.ref, fps=25.0, unit="m", topology=f"pebble-{SIZE}",
        kind="vertices",
    )  # fmt: skip
    begin_submission(folder, manifest.model_copy(update=changes), "their system")
    for clip in benchmark.clips:
        moved = clip.load_motion().vertices.copy()
        moved[:, :20, 1] += np.float32(0.002)
        write_motion(folder, clip.id, vertices=moved)
    return folder


def test_what_is_known_without_a_mesh():
    assert (OPENHEAD.n_vertices, FLAME.n_vertices) == (4801, 5023)
    assert OPENHEAD.kinds == ("vertices", "units")
    assert FLAME.kinds == ("vertices", "flame-params")
    assert [topology_of_kind(kind) for kind in KINDS] == [None, "flame-5023", "openhead-1"]
    assert OPENHEAD.find_obstacle() is None
    assert "mtbench assets add flame" in FLAME.find_obstacle()
    for facts in (OPENHEAD, FLAME):
        assert facts == describe_topology(facts.name)
        assert name_topology(facts.n_vertices) == facts.name
        assert load_topology(facts.name).n_vertices == facts.n_vertices


def test_describing_loads_no_mesh(other_package, monkeypatch):
    for module in ("head", "flame"):
        monkeypatch.setitem(sys.modules, f"mtbench.faces.{module}", None)
    assert [describe_topology(name).n_vertices for name in ("openhead-1", "flame-5023")] == [4801, 5023]
    facts = describe_topology(f"pebble-{SIZE}")
    assert (facts.n_vertices, facts.kinds, facts.find_obstacle()) == (
        SIZE,
        ("vertices",),
        "pebbles have no triangles",
    )


def test_bundled_topologies_come_first(other_package):
    assert topology_names()[:3] == ["openhead-1", "flame-5023", "biwi-23370"]
    assert set(topology_names()[3:]) == {
        f"pebble-{SIZE}",
        "another",
        "nothing",
        "bare",
        "absent",
        "broken",
        "meshless",
    }
    assert describe_topology("flame-5023") is FLAME
    assert all(map(is_topology, topology_names()))
    assert not is_topology("pebbel")
    # Those that cannot be described are passed over.
    assert [name_topology(n) for n in (SIZE, 77, 50, 51)] == [f"pebble-{SIZE}", "another", "bare", None]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("another", f"loaded 'pebble-{SIZE}' with {SIZE} vertices .* expected 77 vertices"),
        ("bare", "regions \\[\\], expected 50 vertices and regions \\['lips'"),
        ("nothing", "returned None, expected a mtbench.faces.TopologyFacts"),
        ("absent", "cannot be imported"),
        ("broken", "'broken' of another package: its entry point failed with KeyError"),
        ("meshless", "'meshless' of another package: its mesh failed with FileNotFoundError"),
    ],
)
def test_a_package_that_contradicts_itself_is_named(other_package, name, words):
    with pytest.raises(UsageError, match=words):
        load_topology(name)


def test_a_submission_in_their_topology(benchmark, tmp_path):
    assert benchmark.topology == f"pebble-{SIZE}"
    entry = write_submission(tmp_path / "entry", benchmark)
    assert validate(entry, benchmark) == []
    run = score(entry, benchmark, recognizer=None, workers=1, cache=tmp_path / "cache", progress=False)
    values = [row.estimate for row in run.summary if row.metric == "lve_mm"]
    assert values
    assert values == pytest.approx([2] * len(values), rel=1e-3)
    with pytest.raises(PrerequisiteError, match=r"pebbles have no triangles; .*'--recognizer none' measures"):
        score(entry, benchmark, workers=1, cache=tmp_path / "cache", progress=False)


def test_what_is_wrong_with_one_is_told(benchmark, tmp_path):
    entry = write_submission(tmp_path / "entry", benchmark)
    write_motion(entry, "one", vertices=np.zeros((25, SIZE + 1, 3), np.float32))
    (problem,) = validate(entry, benchmark)
    assert (problem.code, problem.clip) == ("wrong-vertex-count", "one")
    assert f"{SIZE + 1} vertices, topology pebble-{SIZE} has {SIZE}" in problem.message
    units = write_submission(tmp_path / "units", benchmark, kind="units")
    assert [p.code for p in validate(units, benchmark)] == ["wrong-kind"]
    broken = write_submission(tmp_path / "broken", benchmark, topology="bare")
    (problem,) = validate(broken, benchmark)
    assert problem.code == "unknown-topology"
    assert "regions" in problem.message
    with pytest.raises(SubmissionError, match="pebbel"):
        load_submission(write_submission(tmp_path / "typo", benchmark, topology="pebbel-240"), benchmark)


def test_all_are_listed(other_package):
    result = CliRunner().invoke(app, ["ls", "topologies", "--json"])
    listed = json.loads(result.stdout)["topologies"]
    assert set(listed) == set(topology_names())
    assert listed["openhead-1"] == "4,801 vertices, vertices or units"
    assert listed[f"pebble-{SIZE}"] == f"{SIZE} vertices, vertices"
    assert "expected a mtbench.faces.TopologyFacts" in listed["nothing"]
    assert "failed with KeyError" in listed["broken"]


def test_in_one_line_of_python(other_package):
    truth = talk(25, SIZE, 0)
    moved = truth + np.float32(0.001)
    assert mtbench.lve(moved, truth) == pytest.approx(mtbench.lve(moved, truth, lips=np.arange(20)))
    with pytest.raises(
        UsageError, match=f"openhead-1 \\(4801\\), flame-5023 \\(5023\\), .*pebble-{SIZE} \\({SIZE}\\)"
    ):
        mtbench.lve(moved[:, 1:], truth[:, 1:])


def test_motion_of_a_model_has_the_model_s_topology(tmp_path):
    """Curves of the bundled head, called FLAME: they would be posed to another number of vertices."""
    soundfile.write(tmp_path / "one.wav", np.random.default_rng(0).uniform(-0.3, 0.3, 16000), 16000)
    (tmp_path / "one.txt").write_text("hello there")
    np.savez(tmp_path / "one.npz", units=np.zeros((25, 55), np.float32))
    words = "facial units of the bundled head cannot have topology 'flame-5023'"
    with pytest.raises(BenchmarkError, match=words):
        create_benchmark(tmp_path / "made", tmp_path, language="eng", topology="flame-5023")
    made = create_benchmark(tmp_path / "made", tmp_path, language="eng")
    assert made.topology == "openhead-1"
    manifest = made.root / "benchmark.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"openhead-1"', '"flame-5023"'), "utf-8")
    with pytest.raises(BenchmarkError, match=words):
        load_benchmark(made.root)["one"].load_motion()


def test_rendering_says_what_is_missing():
    topology = load_topology("openhead-1")
    require_renderable(topology)
    with pytest.raises(PrerequisiteError, match="topology mine has no triangles or landmarks here"):
        require_renderable(dataclasses.replace(topology, name="mine", landmarks=np.zeros(0, np.int32)))
