"""What a meta-evaluation comes to: targets that can be missed or stay open, and a verdict in words.

Conventions
-----------
A target is met, missed, or cannot be judged: ``met`` is True, False or None, and ``reason`` says why it is None. Below
:data:`LEAST_CLIPS` clips nothing is judged that rests on clips: a paired comparison at 95 % with 80 % power needs
(2.80 / d)² clips to see a difference of d times its spread from clip to clip, that is 20 for d = 0.63; with fewer, "no
step is reversed" and "nothing moved" would be true of a metric that sees nothing. A number without an interval
is not judged either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtbench.meta.curves import TOLERANCE
from mtbench.meta.page_parts import format_number

#: What AVLR has to reach: systems, Spearman on systems and on clips.
LEAST_SYSTEMS, LEAST_SYSTEM_RHO, LEAST_CLIP_RHO = 24, 0.95, 0.6
#: Fewest clips on which a target is judged.
LEAST_CLIPS = 20


def check_targets(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what AVLR has to reach, what it reached, and whether that is enough.

    Parameters
    ----------
    report : mapping
        All keys but ``targets`` and ``verdict``.

    Returns
    -------
    list of dict
        ``name``, ``wanted``, ``reached`` (None: n/a), ``ci95``, ``met`` (None: cannot be judged) and ``reason``.
    """
    contradicted = find_reversals(report, "avlr")
    # A nuisance is judged in the units that AVLR is reported in, by its largest movement.
    moved = [
        row["difference"]
        for row in report["nuisances"]
        if row["measure"] == "avlr" and row["difference"]["estimate"] is not None
    ]
    largest = max(moved, key=lambda number: abs(number["estimate"]), default=None)
    degraded = max(0, len(report["systems"]) - 1)
    few = None
    if report["n_clips"] < LEAST_CLIPS:
        few = f"cannot be judged with {report['n_clips']} clip{'s' if report['n_clips'] != 1 else ''}"
    return [
        _target("degraded systems", degraded, LEAST_SYSTEMS, degraded >= LEAST_SYSTEMS),
        _judge("Spearman, system level", report["spearman_system"], LEAST_SYSTEM_RHO, few),
        _judge("Spearman, clip level", report["spearman_clip"], LEAST_CLIP_RHO, few),
        _target("steps of curves significantly reversed", len(contradicted), 0, not contradicted, few),
        _target(
            "largest movement of AVLR by a nuisance, points",
            None if largest is None else abs(largest["estimate"]),
            TOLERANCE,
            largest is not None and abs(largest["estimate"]) < TOLERANCE,
            few or ("no nuisance was scored" if largest is None else _without_interval(largest)),
        ),
    ]


def _judge(name: str, number: Mapping[str, Any], wanted: float, few: str | None) -> dict[str, Any]:
    reached = number["estimate"]
    met = reached is not None and reached >= wanted
    return _target(name, reached, wanted, met, few or _without_interval(number), number["ci95"])


def _without_interval(number: Mapping[str, Any]) -> str | None:
    if number["ci95"] is not None:
        return None
    return "cannot be judged: no interval, since a language has a single source of clips"


def _target(
    name: str,
    reached: float | None,
    wanted: float,
    met: bool,
    reason: str | None = None,
    ci95: Any = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "wanted": wanted,
        "reached": reached,
        "ci95": ci95,
        "met": None if reason else met,
        "reason": reason,
    }


def find_reversals(report: Mapping[str, Any], measure: str) -> list[dict[str, Any]]:
    """Return every step of every curve, noise included, that *measure* significantly contradicts."""
    found = []
    for name, curve in report["curves"].items():
        for family, checks in curve.get("checks", {}).items():
            steps = checks.get(measure, {}).get("steps", [])
            found += [{"curve": name, "family": family, **step} for step in steps if step["reversed"]]
    unit = "phones" if measure.endswith("_phones") else "words"
    for noise, group in report["curves"]["snr"].get(unit, {}).items():
        for curve in group["curves"]:
            if measure.startswith("avlr") and curve["modality"] == "av":
                steps = curve["check"]["steps"]
                found += [
                    {"curve": f"snr, {noise}", "family": curve["system"], **step}
                    for step in steps
                    if step["reversed"]
                ]
    return found


def say_verdict(report: Mapping[str, Any]) -> list[str]:
    """Return what the report comes to, a sentence or two a line; the page and the command open with it.

    Parameters
    ----------
    report : mapping
        All keys but ``verdict``; ``targets`` included.
    """
    return [line for line in (_say_targets(report), _say_order(report), _say_rivals(report)) if line]


def _say_targets(report: Mapping[str, Any]) -> str:
    targets = report["targets"]
    missed = [t["name"] for t in targets if t["met"] is False]
    open_ = [t for t in targets if t["met"] is None]
    judge, where = report["facts"].get("recognizer", "this recognizer"), report["facts"].get("benchmark", "")
    if missed:
        text = (
            f"No, not as it should: AVLR by {judge} on {where} misses {len(missed)} of {len(targets)} targets"
        )
        text += f" ({', '.join(missed)})."
    elif open_:
        text = f"Nobody can tell yet whether AVLR by {judge} measures lip readability on {where}."
    else:
        text = f"Yes: AVLR by {judge} on {where} meets all {len(targets)} targets."
    reasons: dict[str, list[str]] = {}
    for target in open_:
        reasons.setdefault(target["reason"], []).append(target["name"])
    for reason, names in reasons.items():
        text += f" {', '.join(names)}: {reason}."
    return text + " What is said here holds for this recognizer and this benchmark's speech and faces only."


def _say_order(report: Mapping[str, Any]) -> str:
    system, clip = report["spearman_system"], report["spearman_clip"]
    if system["estimate"] is None:
        return ""
    text = (
        f"Of {len(report['systems'])} systems with known faults it puts {format_number(system, 2)} of the known order "
        "right (Spearman over systems"
    )
    return text + (f"; {format_number(clip, 2)} on a single clip)." if clip["estimate"] is not None else ").")


def _say_rivals(report: Mapping[str, Any]) -> str:
    """Say why a distance to the ground truth leads, where one does."""
    mine = report["spearman_system"]["estimate"]
    titles = {m["name"]: m["title"] for m in report["measures"]}
    leading = [
        (row["estimate"], titles[name])
        for name, row in report["spearman_system"]["measures"].items()
        if _is_distance(report, name)
        and row["estimate"] is not None
        and mine is not None
        and row["estimate"] > mine
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


def _is_distance(report: Mapping[str, Any], name: str) -> bool:
    return any(m["name"] == name and m["condition"] is None for m in report["measures"])
