"""Whether the numbers of two runs may stand in one table, and what entries chose for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mtbench.metrics import METRICS
from mtbench.results.signature import Signature, cut_digests

if TYPE_CHECKING:
    from mtbench.results.run_files import Run


def find_conflicts(a: Run, b: Run) -> list[str]:
    """Return what keeps the numbers of two runs from being compared, a line each; empty where nothing does."""
    problems: list[str] = []
    for name in ("benchmark", "recognizer"):
        mine, theirs = getattr(a, name), getattr(b, name)
        if mine != theirs:
            problems.append(f"{name}: {name_reference(mine)} != {name_reference(theirs)}")
    same_topology = a.system.topology == b.system.topology
    for key in sorted(set(a.signatures) & set(b.signatures)):
        metric = METRICS.get(key.partition("|")[0])
        if not same_topology and metric is not None and metric.is_geometric:
            continue
        if a.signatures[key] == b.signatures[key]:
            continue
        found = _parse(a.signatures[key]).conflicts(_parse(b.signatures[key]))
        if not same_topology:
            # Each mesh has a static face of its own, as it has a surface of its own.
            found = [line for line in found if not line.startswith(("rest:", "truth:"))]
        problems += [f"{key}: {line}" for line in found]
    return problems


# A board compares every run with every other: each signature is parsed once.
_parse = lru_cache(maxsize=4096)(Signature.parse)


def name_own_choices(runs: Sequence[Run]) -> list[str]:
    """Return what entries chose for themselves and differ in, besides the topology; a line for each choice."""
    lines = []
    for key, what in (("resample", "frame rates"), ("posed", "models that posed the faces")):
        values = [_own_values(run, key) or "none" for run in runs]
        if len(set(values)) > 1:
            told = ", ".join(f"{run.system.name} {value}" for run, value in zip(runs, values, strict=True))
            lines.append(f"{what} differ: {told}")
    return lines


def _own_values(run: Run, key: str) -> str:
    found = {_parse(text).get(key) for text in run.signatures.values()} - {None}
    return "+".join(cut_digests(value) for value in sorted(map(str, found)))


def name_reference(reference: object) -> str:
    """Return name, version and digest of a benchmark or recognizer in short, ``"none"`` for None."""
    if reference is None:
        return "none"
    version = getattr(reference, "version", None)
    digest = getattr(reference, "digest", "")
    return getattr(reference, "name", "?") + (f"@{version}" if version else "") + f"#{digest[:8]}"
