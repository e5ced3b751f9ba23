"""The systems of the meta-evaluation: families of degradations, their levels, and the order that is known.

Conventions
-----------
Within a family systems differ in one thing only, by ever more of it, so that their order is known without
a judgement of people: that is :attr:`System.severity`, 0 for the ground truth (the first link of every family's
chain), then 1, 2, … Across families no order is known. Lags are two families, since nobody knows whether a
mouth that is 80 ms late is worse than one 80 ms early; :data:`CURVES` says which families make one curve.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mtbench.errors import UsageError

#: Name and family of the undamaged system.
GROUND_TRUTH = "ground-truth"
#: Name of the amplitude family's last system, a face that never moves.
STATIC = "static"
SHUFFLED = "shuffled"


@dataclass(frozen=True)
class System:
    """One degradation of the ground truth at one strength.

    Attributes
    ----------
    name : str
        Name that is unique and fit for files.
    family : str
        Name of the family, key of :data:`FAMILIES`.
    strength : float
        How much is changed, in *unit*: factors for amplitude, signed milliseconds for lags (positive: the mouth is
        late), hertz for low-pass, and so on.
    unit : str
        ``"x"``, ``"ms"``, ``"Hz"``, ``"mm"``, ``"%"``, ``"frames"``, ``"deg"``, ``"step"``, ``"seed"`` or ``""``.
    severity : float
        Place in the family's known order: 0 is the ground truth, larger is worse.
    nuisance : bool
        Whether the system changes what does not belong to lip movements (whose face it is, the forehead), so that
        its score should be that of the ground truth.
    """

    name: str
    family: str
    strength: float
    unit: str
    severity: float
    nuisance: bool


@dataclass(frozen=True)
class Family:
    """Systems that differ in one thing only.

    Attributes
    ----------
    name : str
        Key of :data:`FAMILIES`.
    title : str
        Name on axes and in headings.
    unit : str
        Unit of the strengths.
    unharmed : float
        The strength at which nothing changes: where the ground truth stands on the family's axis. Infinite
        for low-pass.
    levels : tuple of float
        Strengths from the least to the worst damage.
    label : str
        Format of the systems' names, filled with the absolute strength.
    ordered : bool
        Whether the order of severity is known to be an order of lip readability, so that it counts in correlations.
    nuisance : bool
        Whether its systems should score as the ground truth does.
    curves_only : bool
        Whether the degradation works on facial-unit curves, so that a benchmark of plain vertices cannot have it.
    """

    name: str
    title: str
    unit: str
    unharmed: float
    levels: tuple[float, ...]
    label: str
    ordered: bool = True
    nuisance: bool = False
    curves_only: bool = False


_LAGS = (40.0, 80.0, 120.0, 200.0, 280.0, 400.0)

#: All families by name, in the order of reports.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "amplitude", "amplitude", "x", 1.0, (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.25, 0.0), "amplitude-{:g}"
        ),
        Family("lag", "lag: the mouth is late", "ms", 0.0, _LAGS, "lag-{:g}ms"),
        Family("lead", "lead: the mouth is early", "ms", 0.0, tuple(-x for x in _LAGS), "lead-{:g}ms"),
        Family(
            "low-pass",
            "low-pass cut-off",
            "Hz",
            float("inf"),
            (12.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0),
            "low-pass-{:g}hz",
        ),
        Family("jitter", "vertex jitter", "mm", 0.0, (0.25, 0.5, 1.0, 1.5, 2.0, 3.0), "jitter-{:g}mm"),
        Family("frame-drops", "dropped frames", "%", 0.0, (10.0, 25.0, 50.0, 75.0, 90.0), "frame-drops-{:g}"),
        Family("hold", "every n-th frame, held", "frames", 1.0, (3.0, 6.0, 12.0, 25.0), "hold-{:g}"),
        Family(
            "substitution",
            "phones with another viseme's mouth",
            "%",
            0.0,
            (10.0, 25.0, 50.0, 75.0, 100.0),
            "substitution-{:g}",
            curves_only=True,
        ),
        Family(
            "missed-closures",
            "missed closures of p, b, m",
            "%",
            0.0,
            (25.0, 50.0, 75.0, 100.0),
            "missed-closures-{:g}",
            curves_only=True,
        ),
        Family(
            "ladder",
            "everything at once",
            "step",
            0.0,
            (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0),
            "ladder-{:g}",
            curves_only=True,
        ),
        Family(
            "head-turn", "head turn", "deg", 0.0, (5.0, 10.0, 15.0, 20.0), "head-turn-{:g}", ordered=False
        ),
        Family(
            "identity",
            "identity swap",
            "seed",
            0.0,
            (1.0, 2.0),
            "identity-swap-{:g}",
            ordered=False,
            nuisance=True,
            curves_only=True,
        ),
        Family(
            "upper-face-noise",
            "upper-face noise",
            "mm",
            0.0,
            (1.0, 2.0, 3.0),
            "upper-face-noise-{:g}mm",
            ordered=False,
            nuisance=True,
        ),
        # One system, another clip's mouth: certainly worse than the right one, no chain.
        Family("shuffled", "another clip's mouth", "", 0.0, (1.0,), SHUFFLED, ordered=False),
    )
}

#: Curves of the report and the families that make each, from one end of the axis to the other.
CURVES: dict[str, tuple[str, ...]] = {
    "amplitude": ("amplitude",),
    "lag": ("lead", "lag"),
    **{name: (name,) for name in FAMILIES if name not in ("amplitude", "lag", "lead", "shuffled")},
}

#: What ``--quick`` keeps of each family: its middle and its worst level, and the whole ladder. A family that is not
#: here takes part in a quick run only where it is asked for, and then with all its levels.
QUICK_LEVELS: dict[str, tuple[float, ...]] = {
    "amplitude": (0.8, 0.5, 0.0),
    "lag": (120.0, 400.0),
    "lead": (-120.0, -400.0),
    "low-pass": (4.0, 1.0),
    "jitter": (1.0, 3.0),
    "frame-drops": (50.0, 90.0),
    "substitution": (50.0, 100.0),
    "missed-closures": (50.0, 100.0),
    "ladder": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0),
    "head-turn": (10.0, 20.0),
    "identity": (1.0,),
    "upper-face-noise": (3.0,),
    "shuffled": (1.0,),
}


def ground_truth() -> System:
    """Return the system that nothing was done to."""
    return System(GROUND_TRUTH, GROUND_TRUTH, 0.0, "", 0.0, False)


def family_systems(name: str, levels: Sequence[float] | None = None) -> tuple[System, ...]:
    """Return the systems of the family *name*, from the least to the worst damage, the ground truth left out.

    Parameters
    ----------
    name : str
        Key of :data:`FAMILIES`.
    levels : sequence of float, optional
        Only these levels of the family.

    Raises
    ------
    UsageError
        For an unknown family.

    Examples
    --------
    >>> [s.name for s in family_systems("amplitude")][-2:]
    ['amplitude-0.25', 'static']
    >>> family_systems("lead")[0].strength, family_systems("lead")[0].name
    (-40.0, 'lead-40ms')
    """
    if name not in FAMILIES:
        raise UsageError(f"unknown family of degradations {name!r}; known: {', '.join(FAMILIES)}")
    family = FAMILIES[name]
    systems = []
    for rank, strength in enumerate(family.levels, start=1):
        if levels is not None and strength not in levels:
            continue
        label = STATIC if (name, strength) == ("amplitude", 0.0) else family.label.format(abs(strength))
        systems.append(System(label, name, strength, family.unit, float(rank), family.nuisance))
    return tuple(systems)


def default_systems(
    *, quick: bool = False, with_curves: bool = True, asked: Collection[str] = ()
) -> tuple[System, ...]:
    """Return the ground truth and all degradations.

    Parameters
    ----------
    quick : bool
        Only the levels of :data:`QUICK_LEVELS`.
    asked : collection of str
        Names of families and systems that are asked for: of the families that a quick run leaves out, these stay in.
    with_curves : bool
        Whether the benchmark's ground truth are facial-unit curves; without, the families that need them
        are left out.

    Examples
    --------
    >>> len(default_systems()), len(default_systems(quick=True)), len(default_systems(quick=True, asked=["hold"]))
    (70, 31, 35)
    """
    out = [ground_truth()]
    for name, family in FAMILIES.items():
        if not with_curves and family.curves_only:
            continue
        members = family_systems(name, QUICK_LEVELS.get(name) if quick else None)
        wanted = not quick or name in QUICK_LEVELS or name in asked
        out += [system for system in members if wanted or system.name in asked]
    return tuple(out)


def select_systems(
    systems: Iterable[System], names: Sequence[str] | None = None, families: Sequence[str] | None = None
) -> tuple[System, ...]:
    """Return those of *systems* that are named or belong to a named family, and the ground truth always.

    Parameters
    ----------
    systems : iterable of System
    names, families : sequence of str, optional
        None of both keeps everything.

    Raises
    ------
    UsageError
        For a name or a family that none of *systems* has.

    Examples
    --------
    >>> [s.name for s in select_systems(default_systems(), names=["static"])]
    ['ground-truth', 'static']
    """
    systems = tuple(systems)
    for what, wanted, there in (
        ("system", names or (), [s.name for s in systems]),
        ("family", families or (), [s.family for s in systems]),
    ):
        unknown = sorted(set(wanted) - set(there))
        if unknown:
            raise UsageError(
                f"unknown {what} {', '.join(unknown)}; known here: {', '.join(dict.fromkeys(there))}"
            )
    if not names and not families:
        return systems
    kept = {GROUND_TRUTH, *(names or ())}
    return tuple(s for s in systems if s.name in kept or s.family in (families or ()))
