"""Conclusions of a meta-evaluation: targets that can be missed or stay open, and a verdict in words.

Conventions
-----------
A target is met, missed, or cannot be judged: ``met`` is True, False or None, and ``reason`` says why it is None. Below
:data:`LEAST_CLIPS` clips nothing is judged that rests on clips: a paired comparison at 95 % with 80 % power needs
(2.80 / d)² clips to see a difference of d times its spread from clip to clip, that is 20 for d = 0.63; with fewer, "no
step is reversed" and "nothing moved" would be true of a metric that sees nothing. A number without an interval
is not judged either.
"""

from __future__ import annotations

from dataclasses import dataclass

from mtbench.meta.bits import LEAST_RHO, MOST_CLIPS, NEAR, find_hold, find_saving
from mtbench.meta.monotonicity import Step
from mtbench.meta.nuisances import TOLERANCE
from mtbench.meta.page_parts import format_number
from mtbench.meta.report_data import Report, Target
from mtbench.statistics import Number

#: What AVLR has to reach: systems, Spearman on systems and on clips.
LEAST_SYSTEMS, LEAST_SYSTEM_RHO, LEAST_CLIP_RHO = 24, 0.95, 0.6
#: Fewest clips on which a target is judged.
LEAST_CLIPS = 20


@dataclass(frozen=True)
class Contradiction:
    """A step of a curve that a measure significantly contradicts.

    Attributes
    ----------
    curve : str
        Name of the curve.
    family : str
        Family of the systems; of a curve over noise, the system.
    step : Step
        The step.
    """

    curve: str
    family: str
    step: Step


def check_targets(report: Report) -> tuple[Target, ...]:
    """Return what AVLR has to reach, what it reached, and whether that is enough.

    Parameters
    ----------
    report : Report
        Its targets and verdict are not looked at.
    """
    contradicted = find_reversals(report, "avlr")
    # A nuisance is judged in the units that AVLR is reported in, by its largest movement.
    moved = [row.difference for row in report.nuisances if row.measure == "avlr"]
    largest = max((n for n in moved if n.estimate is not None), key=_size, default=None)
    degraded = max(0, len(report.systems) - 1)
    few = _too_few(report)
    return (
        _target("degraded systems", degraded, LEAST_SYSTEMS, degraded >= LEAST_SYSTEMS),
        _judge("Spearman, system level", report.spearman_system, LEAST_SYSTEM_RHO, few),
        _judge("Spearman, clip level", report.spearman_clip, LEAST_CLIP_RHO, few),
        _target("steps of curves significantly reversed", len(contradicted), 0, not contradicted, few),
        _target(
            "largest movement of AVLR by a nuisance, points",
            None if largest is None else _size(largest),
            TOLERANCE,
            largest is not None and _size(largest) < TOLERANCE,
            few or ("no nuisance was scored" if largest is None else _without_interval(largest)),
        ),
    )


_NO_RATIO = "cannot be judged: bits put the two the other way round, or nothing is known of the spread"


def check_bits(report: Report) -> tuple[Target, ...]:
    """Return what readability bits have to reach, and whether they do; nothing where there are none.

    Parameters
    ----------
    report : Report
        Its targets and verdict are not looked at.
    """
    found = report.spearman_system.measures.get("readability_bits")
    if report.bits is None or found is None:
        return ()
    few = _too_few(report)
    hold, saving = find_hold(found), find_saving(report.bits)
    targets = [_judge("Spearman of readability bits, system level", found, LEAST_RHO, few)]
    if hold is not None:
        targets.append(_judge("Spearman of readability bits, faces that hold frames", hold, 1.0, few))
    if saving is not None:
        name = f"clips to tell {NEAR} from the truth, as a share of AVLR's"
        reached, ends = saving.ratio, saving.ratio_ci95
        met = reached is not None and reached <= MOST_CLIPS
        interval = None if ends is None or ends[1] is None else (ends[0], ends[1])
        why = few or (
            "cannot be judged: one of the two puts them the other way round" if reached is None else None
        )
        targets.append(_target(name, reached, MOST_CLIPS, met, why, interval))
    return tuple(targets)


def _too_few(report: Report) -> str | None:
    """Say that there are too few clips to judge anything by, where that is so."""
    if report.n_clips >= LEAST_CLIPS:
        return None
    return f"cannot be judged with {report.n_clips} clip{'s' if report.n_clips != 1 else ''}"


def _size(number: Number) -> float:
    return abs(number.estimate or 0.0)


def _judge(name: str, number: Number, wanted: float, few: str | None) -> Target:
    reached = number.estimate
    met = reached is not None and reached >= wanted
    return _target(name, reached, wanted, met, few or _without_interval(number), number.ci95)


def _without_interval(number: Number) -> str | None:
    if number.ci95 is not None:
        return None
    return "cannot be judged: no interval, since a language has a single source of clips"


def _target(
    name: str,
    reached: float | None,
    wanted: float,
    met: bool,
    reason: str | None = None,
    ci95: tuple[float, float] | None = None,
) -> Target:
    return Target(name, wanted, reached, ci95, None if reason else met, reason)


def find_reversals(report: Report, measure: str) -> list[Contradiction]:
    """Return every step of every curve, noise included, that *measure* significantly contradicts."""
    found = [
        Contradiction(name, family, step)
        for name, curve in report.curves.items()
        for family, checks in curve.checks.items()
        if measure in checks
        for step in checks[measure].steps
    ]
    groups = report.noise.phones if measure.endswith("_phones") else report.noise.words
    if measure.startswith("avlr"):
        found += [
            Contradiction(f"snr, {noise}", curve.system, step)
            for noise, group in (groups or {}).items()
            for curve in group.curves
            if curve.modality == "av"
            for step in curve.check.steps
        ]
    return [contradiction for contradiction in found if contradiction.step.reversed]


def say_verdict(report: Report) -> tuple[str, ...]:
    """Return what the report comes to, a sentence or two a line; the page and the command open with it.

    Parameters
    ----------
    report : Report
        With its targets; its verdict is not looked at.
    """
    return tuple(line for line in _say_all(report) if line)


def _say_all(report: Report) -> tuple[str, ...]:
    return (
        _say_targets(report),
        _say_sight(report),
        _say_order(report),
        _say_bits(report),
        _say_rivals(report),
    )


def _say_sight(report: Report) -> str:
    """Say whether the recognizer reads the benchmark's true motion."""
    sight = report.sight
    if sight is None:
        return ""
    warning = sight.warn()
    if warning is None:
        return f"It reads the true motion of this benchmark. {sight.describe()}."
    return f"{'Not told' if sight.reads is None else 'Mind'}: {warning}."


def _say_bits(report: Report) -> str:
    """Say how readability bits order the systems, and what they save, where the recognizer tells them."""
    found = report.spearman_system.measures.get("readability_bits")
    if report.bits is None or found is None or found.estimate is None:
        return ""
    text = f"Readability bits put {format_number(found, 2)} of the known order right"
    saving = find_saving(report.bits)
    if saving is not None and saving.clips is not None:
        theirs = "no number helps" if saving.clips_of_avlr is None else f"{saving.clips_of_avlr}"
        text += f", and need {saving.clips} clips to tell {NEAR} from the truth (AVLR: {theirs})"
    return text + "."


def _say_targets(report: Report) -> str:
    targets = report.targets
    missed = [t.name for t in targets if t.met is False]
    open_ = [t for t in targets if t.met is None]
    recognizer, where = report.facts.get("recognizer", "this recognizer"), report.facts.get("benchmark", "")
    if missed:
        text = (
            f"No, not as it should: AVLR by {recognizer} on {where} misses {len(missed)} of {len(targets)} "
            f"targets ({', '.join(missed)})."
        )
    elif report.sight is not None and report.sight.reads is False:
        text = f"No, whatever targets it meets: {recognizer} cannot read the true motion of {where}."
    elif open_:
        text = f"Nobody can tell yet whether AVLR by {recognizer} measures lip readability on {where}."
    else:
        text = f"Yes: AVLR by {recognizer} on {where} meets all {len(targets)} targets."
    reasons: dict[str, list[str]] = {}
    for target in open_:
        reasons.setdefault(target.reason or "", []).append(target.name)
    for reason, names in reasons.items():
        text += f" {', '.join(names)}: {reason}."
    return text + " What is said here holds for this recognizer and this benchmark's speech and faces only."


def _say_order(report: Report) -> str:
    system, clip = report.spearman_system, report.spearman_clip
    if system.estimate is None:
        return ""
    text = (
        f"Of {len(report.systems)} systems with known faults it puts {format_number(system, 2)} of the known order "
        "right (Spearman over systems"
    )
    return text + (f"; {format_number(clip, 2)} on a single clip)." if clip.estimate is not None else ").")


def _say_rivals(report: Report) -> str:
    """Say why a distance to the ground truth leads, where one does."""
    mine = report.spearman_system.estimate
    distances = {measure.name for measure in report.measures if measure.condition is None}
    leading = [
        (row.estimate, report.titles[name])
        for name, row in report.spearman_system.measures.items()
        if name in distances and row.estimate is not None and mine is not None and row.estimate > mine
    ]
    if not leading:
        return ""
    best = max(leading)
    return (
        f"{best[1]} orders them even better ({best[0]:.2f} against {mine:.2f}), as it must: every fault here is a "
        "geometric damage done to the very ground truth that a vertex error measures the distance to. It says "
        "nothing of motion that is right and differs from the ground truth, as that of another take or speaker does, "
        "which a vertex error punishes; and nothing of what viewers see."
    )
