"""How much memory is free, and how many processes fit in it.

Conventions
-----------
Free is what the system says it can still give, or what is left of the limit of a container or a batch job (control
groups of Linux, versions 1 and 2), whichever is less; files that the system only keeps at hand count as free. Where
nothing is said (macOS, Windows), nothing is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

#: Bytes of a worker besides a model's weights: interpreter, torch, compiled functions, a clip's intermediate values.
WORKER_BYTES = 700_000_000
_ROOT = Path("/")


def free_memory(root: Path = _ROOT) -> int | None:
    """Return the bytes that may still be taken, None where the system does not say.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` lie.
    """
    found = []
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            found += [1024 * number for number in _numbers(line)]
    for group in _find_groups(root):
        version = (
            ("max", "current") if (group / "memory.max").exists() else ("limit_in_bytes", "usage_in_bytes")
        )
        limit, used = (_numbers(_read(group / f"memory.{name}")) for name in version)
        if limit and used:
            spare = dict(
                line.split(" ", 1) for line in _read(group / "memory.stat").splitlines() if " " in line
            )
            # Version 1 tells both of the group alone and, as its limit counts, of those below it, too.
            kept = _numbers(spare.get("total_inactive_file", spare.get("inactive_file", "")))
            found.append(limit[0] - used[0] + sum(kept))
    return max(0, min(found)) if found else None


def count_fitting(processes: int, weights: int, free: int | None) -> int:
    """Return how many of *processes* fit into *free* bytes, each with a model of *weights* bytes; at least 1.

    Examples
    --------
    >>> count_fitting(8, 1_600_000_000, 12_000_000_000)
    5
    >>> count_fitting(8, 1_600_000_000, None)
    8
    >>> count_fitting(8, 1_600_000_000, 0)
    1
    """
    if free is None:
        return processes
    return max(1, min(processes, free // (weights + WORKER_BYTES)))


def _find_groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that this process is in, each with those above it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        top = root / "sys/fs/cgroup" / controllers
        group = top / path.lstrip("/")
        while True:
            yield group
            if group == top or top not in group.parents:
                break
            group = group.parent


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdecimal()]
