"""Preferences as tables of text, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtbench.pages import csv_text, markdown_cell, write_site
from mtbench.people.attention import Attention
from mtbench.people.preference import AspectResult, PairResult, Preference, Strength
from mtbench.results import Table, round_floats

_PAIRS = ("pair", "votes", "for a", "ties", "share for a", "95 % interval", "p", "p (Holm)", "better")


def preference_tables(preference: Preference) -> list[Table]:
    """Return the tables of a preference: pairs and scale of each aspect, then notes."""
    out = []
    for aspect in preference.aspects:
        out.append(_pairs_table(aspect))
        if aspect.scale:
            out.append(_scale_table(aspect))
    return out


def list_remarks(preference: Preference) -> list[str]:
    """Return what has to be said beside the tables, a line each."""
    out = [f"remark in the file: {remark}" for remark in preference.remarks]
    out += list(preference.notes)
    if preference.attention is not None and preference.attention.n_checks:
        out.append(describe_attention(preference.attention))
    return out


def describe_attention(attention: Attention) -> str:
    """Return in a line what attention checks said.

    Examples
    --------
    >>> describe_attention(Attention(5, 4, 8, 7, ("r1",), "left out who fails"))
    'attention checks: 7 of 8 answered right by 4 of 5 raters; 1 left out (r1). Rule: left out who fails'
    """
    names = f" ({', '.join(attention.left_out[:10])})" if attention.left_out else ""
    return (
        f"attention checks: {attention.n_right} of {attention.n_checks} answered right by {attention.n_checked} of "
        f"{attention.n_raters} raters; {len(attention.left_out)} left out{names}. Rule: {attention.rule}"
    )


def _pairs_table(aspect: AspectResult) -> Table:
    by_clips = any(pair.p_clips is not None for pair in aspect.pairs)
    header = (*_PAIRS[:8], *(("p, clips",) if by_clips else ()), _PAIRS[8])
    rows = []
    for pair in aspect.pairs:
        cells = [
            f"{pair.a} (a) – {pair.b}",
            str(pair.n),
            str(pair.wins),
            str(pair.ties),
            f"{pair.share:.1%}",
            f"[{pair.ci95[0]:.1%}, {pair.ci95[1]:.1%}]",
            format_p(pair.p),
            format_p(pair.p_holm),
        ]
        if by_clips:
            cells.append("n/a" if pair.p_clips is None else format_p(pair.p_clips))
        rows.append((*cells, pair.better or "not significant"))
    title = f"{aspect.aspect or 'preference'}: {_describe_extent(aspect)}"
    return Table(title, header, tuple(rows), (_explain_pairs(aspect.pairs, by_clips), *_below_pairs(aspect)))


def _describe_extent(aspect: AspectResult) -> str:
    extent = _count(aspect.n_votes, "vote")
    if aspect.n_raters is not None and aspect.n_clips is not None:
        extent += f" of {_count(aspect.n_raters, 'rater')} on {_count(aspect.n_clips, 'clip')}"
    return extent


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}{'s' * (n != 1)}"


def _explain_pairs(pairs: Sequence[PairResult], by_clips: bool) -> str:
    told = "share: ties count half; interval: Wilson"
    if any(pair.p_method.startswith("raters") for pair in pairs):
        told += ", widened where raters voted more than once; p: two-sided, whole raters swapped"
    else:
        told += "; p: exact binomial test, two-sided, without ties"
    told += "; Holm over the pairs of this aspect"
    return told + ("; p, clips: whole clips swapped, not corrected" if by_clips else "")


def _below_pairs(aspect: AspectResult) -> list[str]:
    out = []
    if aspect.agreement is not None:
        alpha = aspect.agreement
        if alpha.estimate is None:
            out.append("agreement: n/a, no pair on a clip was judged by two raters in more than one way")
        else:
            ends = "" if alpha.ci95 is None else f" [{alpha.ci95[0]:.2f}, {alpha.ci95[1]:.2f}]"
            out.append(
                f"agreement: Krippendorff's alpha {alpha.estimate:.2f}{ends} (nominal; 0 is chance, 1 is full)"
            )
    if aspect.first_share is not None and aspect.first_p is not None:
        out.append(f"shown first was preferred: {aspect.first_share:.1%} (p = {format_p(aspect.first_p)})")
    return out + [f"WARNING: {warning}" for warning in aspect.warnings]


def _scale_table(aspect: AspectResult) -> Table:
    rows = []
    for place in aspect.scale:
        theta = "no bound" if place.theta is None else f"{place.theta:+.2f}"
        top = "n/a" if place.top is None else f"{place.top:.2f}"
        rows.append((place.system, theta, _interval_cell(place, aspect.reference), _ranks_cell(place), top))
    tie = aspect.tie_parameter
    model = "ties as half wins"
    if aspect.ties_model != "half":
        model = "Davidson's ties, ν not bounded" if tie is None else f"Davidson's ties, ν = {tie:.2f}"
    return Table(
        f"{aspect.aspect or 'preference'}: strengths by Bradley and Terry, {model}",
        ("system", "strength", "95 % interval", "ranks (95 %)", "P(best)"),
        tuple(rows),
        (f"a difference of 1 is odds of 2.7 to 1; intervals and ranks by drawing {aspect.resampled} anew",),
    )


def _interval_cell(place: Strength, reference: str | None) -> str:
    if place.system == reference:
        return "reference"
    return "n/a" if place.ci95 is None else f"[{_end(place.ci95[0], '−∞')}, {_end(place.ci95[1], '+∞')}]"


def _ranks_cell(place: Strength) -> str:
    if place.rank_low is None:
        return "n/a"
    return str(place.rank_low) if place.rank_low == place.rank_high else f"{place.rank_low}–{place.rank_high}"


def _end(value: float | None, open_end: str) -> str:
    return open_end if value is None else f"{value:+.2f}"


def format_p(p: float) -> str:
    """Return a p-value as tables show it.

    Examples
    --------
    >>> format_p(0.46349), format_p(0.0123), format_p(1e-9)
    ('0.46', '0.012', '<0.0001')
    """
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else f"{p:.4f}"


def _to_markdown(table: Table) -> str:
    """Return a table in Markdown, with names of systems as the text that they are."""
    body = "".join(f"{line}\n" for line in table.markdown_lines())
    notes = "".join(f"- {markdown_cell(note)}\n" for note in table.notes)
    return f"**{markdown_cell(table.title)}**\n\n{body}\n{notes}"


def preference_to_json(preference: Preference) -> dict[str, Any]:
    """Return everything as a JSON object, floats rounded."""
    found: dict[str, Any] = round_floats(asdict(preference))
    return found


def write_preference(preference: Preference, out: Path | str) -> list[Path]:
    """Write ``preference.json``, ``preference.md``, ``pairs.csv`` and ``scale.csv`` into a folder."""
    pairs: list[tuple[object, ...]] = [
        (
            "aspect",
            "a",
            "b",
            "wins_a",
            "ties",
            "n",
            "share_a",
            "low",
            "high",
            "p",
            "p_holm",
            "p_clips",
            "better",
        )
    ]
    scale: list[tuple[object, ...]] = [
        ("aspect", "system", "strength", "low", "high", "rank_low", "rank_high", "p_best")
    ]
    rounded = preference_to_json(preference)
    for aspect in rounded["aspects"]:
        for x in aspect["pairs"]:
            cells = (x["a"], x["b"], x["wins"], x["ties"], x["n"], x["share"], *x["ci95"])
            pairs.append((aspect["aspect"], *cells, x["p"], x["p_holm"], x["p_clips"], x["better"]))
        for x in aspect["scale"]:
            cells = (
                x["system"],
                x["theta"],
                *(x["ci95"] or (None, None)),
                x["rank_low"],
                x["rank_high"],
                x["top"],
            )
            scale.append((aspect["aspect"], *cells))
    tables = "\n".join(map(_to_markdown, preference_tables(preference)))
    remarks = "".join(f"- {markdown_cell(line)}\n" for line in list_remarks(preference))
    return write_site(
        out,
        {
            "preference.json": json.dumps(rounded, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
            "preference.md": tables + ("\n" + remarks if remarks else ""),
            "pairs.csv": csv_text(pairs),
            "scale.csv": csv_text(scale),
        },
    )
