"""Who may import whom: the core no stage package at module level, the leaderboard results only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("renderers", "avsr", "reference_model", "leaderboard")
HEAVY = ("torch", "torchaudio", "numba", "scipy", "pandas")
#: What a leaderboard needs to read result files and to lay out tables.
BOARD_MAY = {"aggregate", "cache", "errors", "results", "tables"}


def imports(tree: ast.AST, inside: bool) -> list[str]:
    """Names imported at module level (with ``if`` and ``try``), or anywhere."""
    found = []
    nodes = list(ast.walk(tree)) if inside else list(module_level(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def module_level(tree: ast.AST):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from module_level(node)


def sources(*folders: str) -> list[Path]:
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sources("mtbench"), ids=relative)
def test_core_imports_no_stage_package_at_module_level(path):
    if path.is_relative_to(ROOT / "mtbench" / "synth"):
        pytest.skip("build time only")
    names = imports(ast.parse(path.read_text("utf-8")), inside=False)
    wrong = [n for n in names if any(n == f"mtbench.{s}" or n.startswith(f"mtbench.{s}.") for s in STAGES)]
    assert wrong == []


@pytest.mark.parametrize("path", sources("leaderboard"), ids=relative)
def test_leaderboard_reads_results_only(path):
    names = imports(ast.parse(path.read_text("utf-8")), inside=True)
    ours = {n.split(".")[1] for n in names if n.startswith("mtbench.")}
    assert ours - {"leaderboard"} <= BOARD_MAY


@pytest.mark.parametrize("path", sources("renderers", "avsr", "reference_model"), ids=relative)
def test_stage_packages_know_nothing_of_the_pipeline(path):
    names = imports(ast.parse(path.read_text("utf-8")), inside=False)
    forbidden = {"pipeline", "scoring", "stages", "cli", "tables", "results", "execute"}
    assert [n for n in names if n.startswith("mtbench.") and n.split(".")[1] in forbidden] == []


@pytest.mark.parametrize("path", sources("mtbench", *STAGES), ids=relative)
def test_no_bare_stage_names_and_no_pickle(path):
    names = imports(ast.parse(path.read_text("utf-8")), inside=True)
    assert [n for n in names if n.split(".")[0] in STAGES] == []
    if path.name != "safe_pickle.py":
        assert "pickle" not in names
    assert "allow_pickle=True" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "statement",
    [
        "import mtbench",
        "import mtbench.cli.app",
        "import mtbench.reference_model",
        "import mtbench.benchmarks.benchmark, mtbench.submissions.submission, mtbench.results.run_files",
    ],
)
def test_heavy_packages_are_loaded_by_those_who_need_them(statement):
    code = f"{statement}\nimport sys\nprint(*[n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
