"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import mtbench
import mtbench.metrics

MODULES = [
    *(f"mtbench.{m.name}" for m in pkgutil.iter_modules(mtbench.__path__) if not m.ispkg),
    *(f"mtbench.metrics.{m.name}" for m in pkgutil.iter_modules(mtbench.metrics.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_metric_function_has_an_example():
    for module in pkgutil.iter_modules(mtbench.metrics.__path__):
        functions = vars(importlib.import_module(f"mtbench.metrics.{module.name}"))
        for name, value in functions.items():
            own = getattr(value, "__module__", None) == f"mtbench.metrics.{module.name}"
            if own and callable(value) and not isinstance(value, type) and name[0] != "_":
                assert ">>>" in (value.__doc__ or ""), f"{module.name}.{name}"
