"""The topologies that mtbench knows: names, vertex counts, kinds of motion, and the meshes when they are wanted.

Conventions
-----------
What is known of a topology without its mesh stands in :class:`TopologyFacts`, here for the bundled ones and nowhere
else. Other packages add topologies by the entry points ``mtbench.topologies``: each names a function without arguments
that returns the facts. Bundled topologies come first wherever several are looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mtbench.errors import MtbenchError, PrerequisiteError, UsageError
from mtbench.faces import biwi, flame_lists, head_file
from mtbench.faces.topology import REGIONS, Topology
from mtbench.registry import Registry

#: What a motion file may hold: positions of vertices, or what a model poses them from.
KINDS = ("vertices", "flame-params", "units")


def _has_no_obstacle() -> None:
    return None


@dataclass(frozen=True)
class TopologyFacts:
    """What is known of a topology without its mesh.

    Attributes
    ----------
    name : str
        Name, as in ``submission.toml``.
    n_vertices : int
        V.
    load : callable
        Returns the :class:`~mtbench.faces.topology.Topology`, which has the regions
        :data:`~mtbench.faces.topology.REGIONS`. It is called whenever the mesh is needed; keep what takes long
        (``functools.cache``).
    find_obstacle : callable
        Returns in a sentence why nothing can be rendered here, None where everything needed is there.
    """

    name: str
    n_vertices: int
    load: Callable[[], Topology]
    find_obstacle: Callable[[], str | None] = _has_no_obstacle

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of motion, of :data:`KINDS`, that have this topology: vertices, and what its model poses."""
        return tuple(kind for kind in KINDS if topology_of_kind(kind) in (None, self.name))


def _load_openhead() -> Topology:
    from mtbench.faces.head import load_head

    return load_head().topology


def _load_flame() -> Topology:
    from mtbench.faces.flame import flame_topology

    return flame_topology()


def _find_flame_obstacle() -> str | None:
    from mtbench.faces.flame_asset import flame_asset_stamp

    return None if flame_asset_stamp() else flame_lists.NO_TRIANGLES


#: The bundled head.
OPENHEAD = TopologyFacts(head_file.NAME, head_file.N_VERTICES, _load_openhead)
#: FLAME, whose index lists are bundled and whose triangles are not.
FLAME = TopologyFacts(flame_lists.NAME, flame_lists.N_VERTICES, _load_flame, _find_flame_obstacle)
#: The mesh of the BIWI corpus, whose lists of vertices the user brings.
BIWI = TopologyFacts(biwi.NAME, biwi.N_VERTICES, biwi.load_biwi, lambda: biwi.NO_LANDMARKS)
_BUNDLED = (OPENHEAD, FLAME, BIWI)
#: The topology of each kind of motion that a model poses.
_POSED = {"flame-params": FLAME.name, "units": OPENHEAD.name}
_WORDS = {"flame-params": "FLAME parameters", "units": "facial units of the bundled head"}

#: Functions that return the facts of a topology.
TOPOLOGIES = Registry(
    "topology", "mtbench.topologies", {facts.name: lambda facts=facts: facts for facts in _BUNDLED}
)


def topology_names() -> list[str]:
    """Return the names of all topologies."""
    bundled = [facts.name for facts in _BUNDLED]
    return bundled + [name for name in TOPOLOGIES.names() if name not in bundled]


def is_topology(name: str) -> bool:
    """Return whether there is a topology called *name*."""
    # Bundled names first: looking through the installed packages takes milliseconds.
    return any(facts.name == name for facts in _BUNDLED) or name in TOPOLOGIES.names()


def topology_of_kind(kind: str) -> str | None:
    """Return the name of the topology that all motion of *kind* has, None where motion of any topology may be of it.

    Examples
    --------
    >>> topology_of_kind("units"), topology_of_kind("vertices")
    ('openhead-1', None)
    """
    return _POSED.get(kind)


def find_mismatch(kind: str, topology: str) -> str | None:
    """Return in a clause why motion of *kind* cannot have *topology*, None where it can.

    Examples
    --------
    >>> find_mismatch("flame-params", "openhead-1")
    "FLAME parameters cannot have topology 'openhead-1'"
    """
    if topology_of_kind(kind) in (None, topology):
        return None
    return f"{_WORDS[kind]} cannot have topology {topology!r}"


def describe_topology(name: str) -> TopologyFacts:
    """Return what is known of the topology called *name* without its mesh.

    Raises
    ------
    UsageError
        For an unknown name; the message lists the known ones. For another package's topology that does not say what
        it should.

    Examples
    --------
    >>> facts = describe_topology("openhead-1")
    >>> facts.n_vertices, facts.kinds
    (4801, ('vertices', 'units'))
    """
    make = TOPOLOGIES.find(name)
    try:
        facts = make()
    except Exception as error:  # whatever another package raises
        raise _tell_failure(name, "its entry point", error) from error
    if not isinstance(facts, TopologyFacts) or facts.name != name:
        raise UsageError(
            f"topology {name!r} of another package: its entry point returned {facts!r:.100}, expected a "
            "mtbench.faces.TopologyFacts of that name; report it to the package's author"
        )
    return facts


def name_topology(n_vertices: int) -> str | None:
    """Return the name of the first topology with *n_vertices*, None where there is none.

    Topologies of other packages that cannot be described are passed over.

    Examples
    --------
    >>> name_topology(5023), name_topology(5024)
    ('flame-5023', None)
    """
    return next((facts.name for facts in _describe_all() if facts.n_vertices == n_vertices), None)


def list_vertex_counts() -> str:
    """Return all names with their vertex counts, for messages.

    Examples
    --------
    >>> list_vertex_counts()
    'openhead-1 (4801), flame-5023 (5023), biwi-23370 (23370)'
    """
    return ", ".join(f"{facts.name} ({facts.n_vertices})" for facts in _describe_all())


def _describe_all() -> Iterator[TopologyFacts]:
    yield from _BUNDLED
    for name in topology_names()[len(_BUNDLED) :]:
        try:
            yield describe_topology(name)
        except UsageError:
            continue


def load_topology(name: str) -> Topology:
    """Return the topology called *name*.

    Parameters
    ----------
    name : str
        ``"openhead-1"`` (bundled), ``"flame-5023"`` (index lists always; triangles once
        ``mtbench assets add flame FILE`` was run), or one of another package.

    Raises
    ------
    UsageError
        For an unknown name; the message lists the known ones. For another package's topology that is not what its
        facts say.
    """
    facts = describe_topology(name)
    try:
        topology = facts.load()
    except MtbenchError:
        raise
    except Exception as error:
        if facts in _BUNDLED:
            raise
        raise _tell_failure(name, "its mesh", error) from error
    lacking = [region for region in REGIONS if region not in topology.regions]
    if topology.name != name or topology.n_vertices != facts.n_vertices or lacking:
        raise UsageError(
            f"topology {name!r} of another package: loaded {topology.name!r} with {topology.n_vertices} vertices and "
            f"regions {sorted(topology.regions)}, expected {facts.n_vertices} vertices and regions {list(REGIONS)}; "
            "report it to the package's author"
        )
    return topology


def _tell_failure(name: str, what: str, error: Exception) -> UsageError:
    return UsageError(
        f"topology {name!r} of another package: {what} failed with {type(error).__name__}: {error}; report it to the "
        "package's author"
    )


def require_renderable(topology: Topology) -> None:
    """Raise ``PrerequisiteError`` where *topology* lacks triangles or landmarks."""
    if topology.renderable:
        return
    hint = "LVE and its relatives need none: '--recognizer none' measures them alone"
    raise PrerequisiteError(f"{explain_unrenderable(topology.name)}; {hint}")


def explain_unrenderable(name: str) -> str:
    """Return in a sentence why the topology called *name*, which lacks triangles or landmarks, cannot be rendered."""
    obstacle = describe_topology(name).find_obstacle() if is_topology(name) else None
    return obstacle or f"topology {name} has no triangles or landmarks here, so nothing can be rendered"
