"""The topologies that mtbench knows, by name."""

from __future__ import annotations

from mtbench.errors import PrerequisiteError
from mtbench.faces.topology import Topology
from mtbench.registry import Registry


def _openhead() -> Topology:
    from mtbench.faces.head import load_head

    return load_head().topology


def _flame() -> Topology:
    from mtbench.faces.flame import flame_topology

    return flame_topology()


#: Topologies; a factory takes no arguments.
TOPOLOGIES = Registry("topology", "mtbench.topologies", {"openhead-1": _openhead, "flame-5023": _flame})


def require_renderable(topology: Topology) -> None:
    """Raise ``PrerequisiteError`` where *topology* lacks triangles or landmarks."""
    if topology.renderable:
        return
    hint = "LVE and its relatives need none: '--recognizer none' measures them alone"
    if topology.name == "flame-5023":
        from mtbench.faces.flame import require_triangles

        try:
            require_triangles()
        except PrerequisiteError as error:
            raise PrerequisiteError(f"{error} {hint}") from None
    raise PrerequisiteError(
        f"topology {topology.name} has no triangles here, so nothing can be rendered; {hint}"
    )


def load_topology(name: str) -> Topology:
    """Return the topology called *name*.

    Parameters
    ----------
    name : str
        ``"openhead-1"`` (bundled) or ``"flame-5023"`` (index lists always; triangles once
        ``mtbench assets add flame FILE`` was run).

    Raises
    ------
    UsageError
        For an unknown name; the message lists the known ones.
    """
    topology: Topology = TOPOLOGIES.find(name)()
    return topology
