"""What docstrings show runs and prints what they say, and what they refer to exists."""

import ast
import builtins
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import mtbench
import mtbench.metrics

STAGES = ("renderers", "avsr", "reference_model", "leaderboard")
#: ``:func:`mtbench.score``` and its kin.
REFERENCE = re.compile(r":(?:mod|func|class|meth|data|attr|exc|obj):`~?([\w.]+)(?:\(\))?`")


def list_modules() -> list[str]:
    """Return the names of all modules of the package, in whatever folder they lie."""

    def fail(name: str) -> None:
        raise ImportError(name)

    # The stages are installed inside the package, but in an editable installation lie elsewhere.
    roots = ["mtbench", *(f"mtbench.{stage}" for stage in STAGES)]
    found = dict.fromkeys(roots)
    for root in roots:
        path = importlib.import_module(root).__path__
        found |= dict.fromkeys(m.name for m in pkgutil.walk_packages(path, f"{root}.", onerror=fail))
    return [name for name in found if not name.endswith("__main__")]


MODULES = list_modules()


def load(name: str):
    """Import a module of ours; a package of others' that is not installed skips the test, nothing else does."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "mtbench":
            raise
        pytest.skip(f"{error.name} is not installed")


def test_all_rooms_are_walked():
    folders = {name.rpartition(".")[0] for name in MODULES}
    assert {"mtbench", "mtbench.metrics", "mtbench.avsr", "mtbench.reference_model.training"} <= folders
    assert len(MODULES) > 240


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = load(name)
    result = doctest.testmod(module)
    assert result.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_references_lead_somewhere(name):
    """A cross-reference in a docstring or comment names something that exists."""
    module = load(name)
    text = Path(module.__file__).read_text("utf-8")
    classes = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)}
    lost = sorted({target for target in REFERENCE.findall(text) if not exists(target, module, classes)})
    assert lost == []


def exists(target: str, module, classes: set[str]) -> bool:
    """Whether a reference leads somewhere: from the top, from the module, or from one of its classes."""
    places = [module, builtins, *(vars(module)[name] for name in classes if name in vars(module))]
    return any(reach(place, target.split(".")) for place in places) or reach_from_top(target)


def reach(place, names: list[str]) -> bool:
    """Whether *names* lead from *place* by attributes, annotated fields included."""
    for name in names:
        fields = {*getattr(place, "__annotations__", {}), *getattr(place, "model_fields", {})}
        if not hasattr(place, name):
            return name in fields and name == names[-1]
        place = getattr(place, name)
    return True


def reach_from_top(target: str) -> bool:
    """Whether *target* is a dotted name of something importable."""
    names = target.split(".")
    for cut in range(len(names), 0, -1):
        try:
            place = importlib.import_module(".".join(names[:cut]))
        except ModuleNotFoundError:
            continue
        return reach(place, names[cut:])
    return False


def test_every_metric_function_has_an_example():
    for module in pkgutil.iter_modules(mtbench.metrics.__path__):
        functions = vars(importlib.import_module(f"mtbench.metrics.{module.name}"))
        for name, value in functions.items():
            own = getattr(value, "__module__", None) == f"mtbench.metrics.{module.name}"
            if own and callable(value) and not isinstance(value, type) and name[0] != "_":
                assert ">>>" in (value.__doc__ or ""), f"{module.name}.{name}"
