"""Rooms and their doors: what may be imported from where, and what that loads.

Which room may know which is in ``pyproject.toml`` (import-linter); ``make test`` checks it.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from test_examples import STAGES, load

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "torchaudio", "numba", "scipy", "pandas", "matplotlib", "OpenGL")


def imports(tree: ast.AST) -> list[str]:
    """Names imported anywhere."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def sources(*folders: str, pattern: str = "*.py") -> list[Path]:
    return [p for folder in folders for p in sorted((ROOT / folder).rglob(pattern))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(stub: Path) -> str:
    name = ".".join(stub.parent.relative_to(ROOT).parts)
    return name if name.startswith("mtbench") else f"mtbench.{name}"


DOORS = sources("mtbench", *STAGES, pattern="__init__.pyi")


@pytest.mark.parametrize("path", sources("mtbench", *STAGES), ids=relative)
def test_no_bare_stage_names_and_no_pickle(path):
    names = imports(ast.parse(path.read_text("utf-8")))
    assert [n for n in names if n.split(".")[0] in STAGES] == []
    if path.name != "safe_pickle.py":
        assert "pickle" not in names
    assert "allow_pickle=True" not in path.read_text("utf-8")


@pytest.mark.parametrize("stub", DOORS, ids=relative)
def test_a_door_gives_out_what_it_names(stub):
    """Every name is there, listed by ``dir``, and none is that of a file, which would take its place."""
    room = load(room_of(stub))
    nodes = ast.parse(stub.read_text("utf-8")).body
    names = [alias.name for node in nodes for alias in node.names]
    assert names
    assert len(set(names)) == len(names)
    assert {*names} <= {*dir(room)}
    assert [n for n in names if (stub.parent / f"{n}.py").exists()] == []
    for node in nodes:
        if node.module is not None:  # else rooms themselves are given out
            load(f"{room.__name__}.{node.module}")
        assert all(hasattr(room, alias.name) for alias in node.names)


@pytest.mark.parametrize("stub", [s for s in DOORS if s.parent.name != "mtbench"], ids=relative)
def test_a_door_says_what_is_inside(stub):
    """The list of contents names every file of the room, and no other."""
    text = load(room_of(stub)).__doc__
    contents = text.partition("Contents")[2].partition("Examples")[0]
    listed = {line.split("``")[1] for line in contents.splitlines() if line.startswith("``")}
    inside = {p.stem for p in stub.parent.glob("*.py")} | {
        p.parent.name for p in stub.parent.glob("*/__init__.py")
    }
    assert listed == inside - {"__init__"}


def test_doors_load_nothing_heavy():
    statements = [f"import {room_of(stub)}" for stub in DOORS]
    code = "\n".join([*statements, "import sys", f"print(*[n for n in {HEAVY!r} if n in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "statement",
    [
        "import mtbench",
        "import mtbench.cli.app",
        "import mtbench.reference_model",
        "from mtbench.benchmarks import load_benchmark",
        "from mtbench.submissions import load_submission",
        "from mtbench.results import read_run, Run",
    ],
)
def test_heavy_packages_are_loaded_by_those_who_need_them(statement):
    code = f"{statement}\nimport sys\nprint(*[n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_contract_on_doors_can_fail(monkeypatch):
    """It finds whoever passes a door by, and nobody else."""
    grimp = pytest.importorskip("grimp", reason="import-linter is not installed")
    monkeypatch.syspath_prepend(ROOT)
    from scripts.room_doors import DoorsContract

    graph = grimp.ImportGraph()
    for name in (
        "house",
        "house.ground",
        "house.room",
        "house.room.one",
        "house.room.two",
        "house.hall",
        "house.hall.desk",
    ):
        graph.add_module(name)
    graph.add_import(importer="house.room.one", imported="house.room.two")
    graph.add_import(importer="house.hall.desk", imported="house.room")
    graph.add_import(importer="house.hall.desk", imported="house.ground")
    contract = DoorsContract("doors", {}, {"root": "house"})
    assert contract.check(graph, False).kept
    graph.add_import(importer="house.hall.desk", imported="house.room.two")
    assert contract.check(graph, False).metadata == {"passed_by": [("house.hall.desk", "house.room.two")]}
