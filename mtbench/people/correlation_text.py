"""Agreement of metrics and people as tables of text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from mtbench.errors import list_some
from mtbench.people.correlation import Agreement, MetricAgreement
from mtbench.people.preference_text import format_p
from mtbench.results import Table, round_floats
from mtbench.statistics import Association

_LEVELS = {
    "system": "systems' scores over all clips",
    "clip": "systems on each clip, mean over clips",
    "pooled": "all systems on all clips at once",
}
_SHOWN = 12


def agreement_tables(agreement: Agreement) -> list[Table]:
    """Return one table a level, and one of metrics against metrics."""
    levels = dict.fromkeys(row.level for row in agreement.rows)
    tables = [_level_table(agreement, level) for level in levels]
    if agreement.comparisons:
        tables.append(_comparison_table(agreement))
    return tables


def _level_table(agreement: Agreement, level: str) -> Table:
    rows = [row for row in agreement.rows if row.level == level]
    printed, paired = any(row.printed is not None for row in rows), any(row.accuracy for row in rows)
    soft = any(row.accuracy is not None and row.accuracy.soft is not None for row in rows)
    clusters = any(row.cluster is not None for row in rows)
    header = ["metric"]
    if any(row.correlations for row in rows):
        header += ["Spearman", "95 % interval", "p", "Kendall", "Pearson"]
    header += ["pair accuracy", "95 % interval"] * paired + ["soft"] * soft + ["cluster"] * clusters
    header += ["printed"] * printed
    cells = []
    for row in sorted(rows, key=_best_first):
        line = [row.measure]
        if row.correlations:
            spearman = row.correlations["spearman"]
            line += [
                _number(spearman),
                _interval(spearman),
                "n/a" if spearman.p is None else format_p(spearman.p),
            ]
            line += [_number(row.correlations[name]) for name in ("kendall", "pearson")]
        if paired:
            value = None if row.accuracy is None else row.accuracy.value
            line.append("n/a" if value is None or value.estimate is None else f"{value.estimate:.2f}")
            line.append("n/a" if value is None else _ends(value.ci95))
        if soft:
            told = None if row.accuracy is None else row.accuracy.soft
            line.append("n/a" if told is None else f"{told:.2f}")
        line += ["n/a" if row.cluster is None else str(row.cluster)] * clusters
        line += ["" if row.printed is None else f"{row.printed:.2f}"] * printed
        cells.append(tuple(line))
    scored_by = agreement.human if level == "system" else agreement.human_by_clip
    title = f"level {level}: {_LEVELS[level]}; {len(agreement.systems)} systems"
    title += f", {agreement.n_clips} clips" * bool(agreement.n_clips)
    title += f"; people: {scored_by}" + f" ({agreement.n_ratings} ratings)" * bool(agreement.n_ratings)
    return Table(title, tuple(header), tuple(cells), tuple(_level_notes(rows, level, len(agreement.systems))))


def _level_notes(rows: list[MetricAgreement], level: str, n_systems: int) -> list[str]:
    told = [row.correlations["spearman"] for row in rows if row.correlations]
    out = []
    reasons = dict.fromkeys(a.reason for a in told if a.reason)
    out += [f"n/a: {reason}" for reason in reasons]
    methods = sorted({a.p_method for a in told if a.p_method})
    if methods:
        out.append(
            f"p: two-sided, systems exchanged as wholes ({' or '.join(methods)}), not corrected for many metrics"
        )
    if level != "system":
        out += _describe_clips(rows)
    if any(row.printed is not None for row in rows):
        possible = ", ".join(f"{value:g}" for value in possible_spearman(n_systems)) if n_systems <= 4 else ""
        if possible:
            out.append(f"of {n_systems} systems without ties Spearman's correlation can be {possible} only")
    if any(row.cluster is not None for row in rows):
        out.append(
            "cluster: metrics that PERM-BOTH does not tell apart share a number (one-sided, 5 %, not corrected)"
        )
    return out


def _describe_clips(rows: list[MetricAgreement]) -> list[str]:
    """Say how many clips entered and why others did not, once for all metrics of which it is the same."""
    alike: dict[tuple[int, int, int], list[str]] = {}
    for row in rows:
        if row.correlations:
            a = row.correlations["spearman"]
            alike.setdefault((a.n_items, a.n_constant, a.n_incomplete), []).append(row.measure)
    return [
        f"{list_some(names, 4)}: {n} clips entered; {constant} left out because one side gives all systems the same "
        f"score, {incomplete} because some system has no score"
        for (n, constant, incomplete), names in alike.items()
        if constant or incomplete
    ]


def possible_spearman(n: int) -> list[float]:
    """Return the values that Spearman's correlation of n systems without ties can take, ascending.

    Examples
    --------
    >>> possible_spearman(3)
    [-1.0, -0.5, 0.5, 1.0]
    """
    from mtbench.statistics import associate_ranks, list_orders

    orders, _ = list_orders(n)
    found = {round(associate_ranks(np.arange(n), order, trials=1).correlation, 6) for order in orders}
    return sorted(found)


def _comparison_table(agreement: Agreement) -> Table:
    told = sorted(agreement.comparisons, key=lambda c: (c.level, c.p, c.better, c.worse))
    shown = [c for c in told if c.p < 0.05][:_SHOWN] or told[:_SHOWN]
    rows = tuple((f"{c.better} > {c.worse}", c.level, f"{c.difference:+.3f}", format_p(c.p)) for c in shown)
    significant = sum(c.p < 0.05 for c in told)
    return Table(
        "metric against metric, by PERM-BOTH on Spearman's correlation with people",
        ("comparison", "level", "difference", "p"),
        rows,
        (
            f"{len(told)} comparisons, {significant} with p below 0.05, {len(shown)} shown (--json has all); "
            "one-sided, not corrected; about these systems, not about others",
        ),
    )


def _best_first(row: MetricAgreement) -> tuple[float, str]:
    found = row.correlations.get("spearman")
    value = None if found is None else found.value.estimate
    return (2.0 if value is None else -value, row.measure)


def _number(found: Association) -> str:
    return "n/a" if found.value.estimate is None else f"{found.value.estimate:+.2f}"


def _interval(found: Association) -> str:
    return _ends(found.value.ci95)


def _ends(interval: tuple[float, float] | None) -> str:
    return "n/a" if interval is None else f"[{interval[0]:+.2f}, {interval[1]:+.2f}]"


def agreement_to_json(agreement: Agreement) -> dict[str, Any]:
    """Return everything but replicates as a JSON object, floats rounded."""
    found: dict[str, Any] = asdict(agreement)
    for row in found["rows"]:
        for association in row["correlations"].values():
            del association["samples"]
    rounded: dict[str, Any] = round_floats(found)
    return rounded
