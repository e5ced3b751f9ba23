"""Functions and files that one can read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("mtbench", "renderers", "avsr", "reference_model", "leaderboard", "scripts", "speed")
#: Most lines of a function, its docstring counted, and of a file.
FUNCTION, FILE = 80, 400
#: Whole on purpose: the network, read from top to bottom, and kernels that share their inner loops.
LONG_FILES = {"reference_model/model.py", "renderers/raster.py"}


def is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether numba compiles it: a call costs it more there than a page costs its reader."""
    called = [d.func if isinstance(d, ast.Call) else d for d in function.decorator_list]
    names = [d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in called]
    return not {"njit", "njit_cached"}.isdisjoint(names)


def find_long(source: str) -> Iterator[str]:
    """Names of the functions and methods in *source* that are too long and no kernels."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_kernel(node):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > FUNCTION:
                yield node.name


def list_files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_longer_than_a_reader_holds(folder):
    long = {
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in list_files(folder)
        for name in find_long(path.read_text("utf-8"))
    }
    assert long == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_longer_than_a_reader_holds(folder):
    long = {
        path.relative_to(ROOT).as_posix()
        for path in list_files(folder)
        if len(path.read_text("utf-8").splitlines()) > FILE
    }
    assert long == {name for name in LONG_FILES if name.startswith(f"{folder}/")}


def test_what_counts_as_long():
    lines = "".join(f"    x = {n}\n" for n in range(FUNCTION))
    assert list(find_long(f"def walk():\n{lines}")) == ["walk"]
    assert list(find_long(f"class A:\n  async def walk():\n{lines}")) == ["walk"]
    assert list(find_long("def walk():\n" + lines.removeprefix("    x = 0\n"))) == []
    for kernel in ("@njit_cached(nogil=True)", "@numba.njit", "@numba.njit(cache=True)"):
        assert list(find_long(f"{kernel}\ndef walk():\n{lines}")) == []
    assert list(find_long(f"@functools.cache\ndef walk():\n{lines}")) == ["walk"]
