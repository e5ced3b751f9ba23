"""The page of a meta-evaluation's report: one HTML file with everything in it.

Conventions
-----------
Nothing here computes: every number stands in the report. Plots are embedded as images, so that the file needs
no other; all text that comes from outside (names of systems, recognizers, benchmarks) is escaped. Intervals are
95 %, in square brackets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from mtbench.languages import display_name
from mtbench.meta.curves import TOLERANCE

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #24292f; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.4rem; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: right; border-bottom: 1px solid #e1e4e8; }
th:first-child, td:first-child { text-align: left; } th { background: #f6f8fa; }
td.yes { color: #1a6b37; font-weight: 600; } td.no { color: #a3271c; font-weight: 600; }
img { max-width: 100%; height: auto; } .wide { overflow-x: auto; } .note { color: #57606a; font-size: 13px; }
details { margin: 0.6rem 0; } summary { cursor: pointer; }
"""

#: Heading, plot and what it shows, for those who cannot see it.
_ALT = {
    "ordering": "Rank correlation and pairwise accuracy of every metric with intervals, system and clip level",
    "families": "Spearman correlation of every metric within every family of degradations",
    "curves": "Error rate over the strength of every degradation, overall and language by language",
    "noise": "Error rate over the signal-to-noise ratio for every noise",
    "nuisances": "Movement of AVLR by changes that should cost nothing",
    "sensitivity": "Clips needed to tell a reduced amplitude from the ground truth",
    "conditions": "Size of the effect in one clip at every signal-to-noise ratio and noise",
    "confusions": "Viseme classes said against recognized, video only",
    "languages": "AVLR of the ground truth and its gains in every language",
    "correlates": "AVLR of the ground truth against traits of the languages",
}


def render_page(report: Mapping[str, Any], plots: Mapping[str, bytes]) -> str:
    """Return the page.

    Parameters
    ----------
    report : mapping
        Of :func:`mtbench.meta.report.make_report`.
    plots : mapping of str to bytes
        SVG by name, of :func:`mtbench.meta.plots.draw_plots`.
    """
    facts = report["facts"]
    judge, where = str(facts.get("recognizer", "unnamed recognizer")), str(facts.get("benchmark", ""))
    name = f"AVLR by {judge}"

    def plot(key: str) -> str:
        if key not in plots:
            return ""
        data = base64.b64encode(plots[key]).decode()
        return f'<p><img src="data:image/svg+xml;base64,{data}" alt="{escape(_ALT[key])}"></p>'

    sections = [
        ("What was reached", _targets(report)),
        (f"The order of systems: {name} and its rivals", _order(report, plot)),
        (f"Curves of {name}", _curves(report, plot)),
        ("What should cost nothing", _nuisances(report, plot)),
        ("How many clips, which noise", _sensitivity(report, plot)),
        ("What lips cannot tell apart", _confusions(report, plot)),
        ("Languages", _fairness(report, plot)),
        (f"All systems: {name}", _systems(report)),
        ("How this was made", _facts(report)),
    ]
    body = "\n".join(f"<h2>{escape(title)}</h2>\n{text}" for title, text in sections if text)
    title = f"Does {name} measure lip readability?"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{len(report['systems'])} systems with known faults, {report['n_clips']} clips in "
        f"{len(report['languages'])} languages of {escape(where)}. AVLR is the headline error rate under "
        f"<code>{escape(report['condition'])}</code>. The figures hold for this recognizer.</p>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _targets(report: Mapping[str, Any]) -> str:
    rows = [
        (row["name"], _plain(row["reached"]), _plain(row["wanted"]), ("yes",) if row["met"] else ("no",))
        for row in report["targets"]
    ]
    return _table(("figure", "reached", "wanted", "met"), rows)


def _order(report: Mapping[str, Any], plot: Any) -> str:
    titles = {m["name"]: m["title"] for m in report["measures"]}
    accuracy = report["pairwise_accuracy"]
    rows = []
    for name, title in titles.items():
        cells: list[Any] = [title]
        for key in ("spearman_system", "spearman_clip", "kendall_system", "kendall_clip"):
            cells.append(_number(report[key]["measures"].get(name), 3))
        for level in ("system", "clip"):
            found = accuracy[level]
            cells.append("n/a" if found is None else _number(found["measures"].get(name), 3))
        rows.append(cells)
    system, clip = report["spearman_system"], report["spearman_clip"]
    head = ("metric", "Spearman, system", "Spearman, clip", "Kendall, system", "Kendall, clip")
    text = (
        "<p>Within a family of degradations the order of systems is known. Numbers are means over "
        f"{system['n_families']} families ({system['n_systems']} systems); a vector without any order counts "
        f"as 0 ({system['n_constant']} of AVLR at system level, {clip['n_constant']} at clip level). "
        f"System level: p {_p(system['p'])} ({escape(system['p_method'])}); clip level: p {_p(clip['p'])} "
        f"({escape(clip['p_method'])}).</p>"
    )
    text += _table((*head, "pairs right, system", "pairs right, clip"), rows)
    families = [
        (family, row["n_systems"], _number(row, 3), _p(row["p"]), _number(clip["families"].get(family), 3))
        for family, row in system["families"].items()
    ]
    text += plot("ordering") + plot("families")
    head = ("family (AVLR)", "systems", "Spearman, system", "p, system", "Spearman, clip")
    text += _details("Every family", _table(head, families))
    leads = [
        (titles[name], _number(row["lead_of_avlr"], 3), _number(clip["measures"][name]["lead_of_avlr"], 3))
        for name, row in system["measures"].items()
        if "lead_of_avlr" in row and "lead_of_avlr" in clip["measures"].get(name, {})
    ]
    head = ("AVLR's Spearman minus that of", "system level", "clip level")
    return text + _details("AVLR against the others, paired", _table(head, leads))


def _curves(report: Mapping[str, Any], plot: Any) -> str:
    rows = []
    for curve in report["curves"].values():
        for family, checks in curve.get("checks", {}).items():
            if "avlr" in checks:
                rows.append(_check_row(family, checks["avlr"]))
    noise = [
        _check_row(f"{name}: {c['system']}", c["check"])
        for name, group in report["curves"]["snr"].get("words", {}).items()
        for c in group["curves"]
        if c["modality"] == "av"
    ]
    head = ("curve", "steps", "significantly reversed", "interval below zero", "largest reversal", "monotone")
    text = (
        "<p>More damage must score worse. A step is reversed where the next level scores significantly better "
        "(paired, corrected for the number of steps).</p>"
    )
    text += plot("curves") + _table(head, rows)
    languages = [
        (
            display_name(code),
            row["n_steps"],
            row["n_below_interval"],
            ", ".join(" > ".join(s) for s in row["steps"]),
        )
        for code, row in _language_steps(report).items()
    ]
    text += _details(
        "Every language",
        "<p>Steps whose own interval lies below zero; where nothing changes, one in forty does by chance.</p>"
        + _table(("language", "steps", "below zero", "which"), languages),
    )
    return text + plot("noise") + (_table(head, noise) if noise else "")


def _language_steps(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    total: dict[str, dict[str, Any]] = {}
    for curve in report["curves"].values():
        for code, row in curve.get("languages_below_interval", {}).get("avlr", {}).items():
            into = total.setdefault(code, {"n_steps": 0, "n_below_interval": 0, "steps": []})
            into["n_steps"] += row["n_steps"]
            into["n_below_interval"] += row["n_below_interval"]
            into["steps"] += row["steps"]
    return total


def _check_row(name: str, check: Mapping[str, Any]) -> Sequence[Any]:
    steps = check["steps"]
    largest = check["largest_reversal"]
    where = "none"
    if largest is not None:
        where = f"{largest['better']} > {largest['worse']}: {_number(largest['difference'], 1)}"
    return (
        name,
        len(steps),
        sum(step["reversed"] for step in steps),
        sum(step["below_interval"] for step in steps),
        where,
        ("yes",) if check["monotone"] else ("no",),
    )


def _nuisances(report: Mapping[str, Any], plot: Any) -> str:
    head = (
        "against the ground truth",
        "rate",
        "movement, points",
        "p",
        f"below {TOLERANCE:g} points",
        "surely",
    )
    titles = {m["name"]: m["title"] for m in report["measures"]}

    def rows(found: Iterable[Mapping[str, Any]], judged: bool) -> list[Sequence[Any]]:
        out = []
        for row in found:
            cells: list[Any] = [
                row["system"],
                titles[row["measure"]],
                _number(row["difference"], 2),
                _p(row["p"]),
            ]
            if judged:
                cells += [_yes(row["within_tolerance"]), _yes(row["surely_within_tolerance"])]
            out.append(cells)
        return out

    text = ""
    if report["nuisances"]:
        text += "<p>Another face and a trembling forehead say nothing: AVLR should not move.</p>"
        text += plot("nuisances") + _table(head, rows(report["nuisances"], True))
    if report["controls"]:
        text += "<p>For comparison, faces that say nothing at all.</p>"
        text += _table(head[:4], rows(report["controls"], False))
    return text


def _sensitivity(report: Mapping[str, Any], plot: Any) -> str:
    found = report["sensitivity"]
    rows = [
        (
            f"{row['better']} / {row['worse']}",
            _number(row["difference"], 1),
            _number(row["effect"], 2),
            "no number helps" if row["clips_needed"] is None else row["clips_needed"],
            _range(row["clips_ci95"]),
        )
        for row in found["amplitudes"].get("avlr", [])
    ]
    head = ("amplitudes (AVLR)", "difference, points", "difference / spread", "clips needed", "95 %")
    text = ""
    if rows:
        text += (
            "<p>Clips that a paired comparison needs to tell two amplitudes apart at 95 % with 80 % power.</p>"
            + plot("sensitivity")
            + _details("Every pair of amplitudes", _table(head, rows))
        )
    best = [
        (
            f"{row['better']} / {row['worse']}, {unit}",
            row["condition"],
            _number(row["effect"], 2),
            "n/a" if row["published"] is None else _number(row["published_effect"], 2),
            _range(row["gain_over_published_ci95"]),
            ", ".join(row["not_separable_from_best"]),
        )
        for unit, group in found["conditions"].items()
        for row in group["best"]
    ]
    if best:
        head = ("pair", "best condition", "effect", "at −7.5 dB babble", "gain, 95 %", "as good as the best")
        text += "<p>Which noise at which level separates best.</p>" + plot("conditions") + _table(head, best)
    return text


def _confusions(report: Mapping[str, Any], plot: Any) -> str:
    found = report["confusions"]
    if found is None:
        return ""
    rows = [
        (row["reference"], row["recognized"], f"{100 * row['share']:.1f} %", row["count"])
        for row in found["largest"]
    ]
    return (
        f"<p>Phones of the ground truth as the recognizer saw them, without sound, {found['n_clips']} clips.</p>"
        + plot("confusions")
        + _details("Largest confusions", _table(("said", "recognized", "share of the class", "phones"), rows))
    )


def _fairness(report: Mapping[str, Any], plot: Any) -> str:
    found = report["fairness"]["words"]
    if not found["languages"]:
        return ""
    titles = {
        "avlr": "AVLR",
        "gain_over_static": "gain over a static face",
        "gain_over_sound": "gain over sound alone",
    }
    rows = [
        (
            titles[name],
            f"{row['mean']:.1f}",
            f"{display_name(row['lowest']['language'])} {row['lowest']['estimate']:.1f}",
            f"{display_name(row['highest']['language'])} {row['highest']['estimate']:.1f}",
            f"{row['standard_deviation']:.1f}",
            "n/a" if row["spread_beyond_chance"] is None else f"{row['spread_beyond_chance']:.1f}",
        )
        for name, row in found["spread"].items()
    ]
    head = ("of the ground truth", "mean", "lowest", "highest", "deviation", "beyond chance")
    causes = [
        (
            titles[row["score"]],
            row["title"],
            f"{row['spearman']:.2f}",
            _p(row["p"]),
            _p(row["p_holm"]),
            row["n"],
        )
        for row in found["correlates"]
    ]
    text = plot("languages") + _table(head, rows) + plot("correlates")
    if causes:
        head = ("score", "trait", "Spearman over languages", "p", "p, corrected", "languages")
        text += "<p>What goes with it; an association is no cause.</p>" + _table(head, causes)
    return text


def _systems(report: Mapping[str, Any]) -> str:
    measures = report["measures"]
    rows = [
        (
            s["name"],
            s["family"],
            *(_number(s["scores"][m["name"]], 1 if m["unit"] == "%" else 3) for m in measures),
        )
        for s in report["systems"]
    ]
    head = ("system", "family", *(f"{m['title']}, {m['unit']}" for m in measures))
    return _details(f"{len(rows)} systems", f'<div class="wide">{_table(head, rows)}</div>')


def _facts(report: Mapping[str, Any]) -> str:
    long = ("sources", "frames")
    rows = [(key, str(value)) for key, value in report["facts"].items() if key not in long]
    rows += [
        ("bootstrap", f"{report['replicates']} draws of sources within languages, seed {report['seed']}")
    ]
    missing = [
        f"{m['title']}: {len(m['not_scored'])} systems not scored ({', '.join(m['not_scored'])})"
        for m in report["measures"]
        if m["not_scored"]
    ]
    notes = "".join(f'<p class="note">{escape(line)}</p>' for line in missing)
    return _table(("what", "value"), rows) + notes


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Cells are text; a cell that is a tuple ``("yes",)`` or ``("no",)`` is colored."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for row in rows:
        cells = [
            f'<td class="{cell[0]}">{cell[0]}</td>'
            if isinstance(cell, tuple)
            else f"<td>{escape(str(cell))}</td>"
            for cell in row
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>\n"


def _details(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{text}</details>\n"


def _yes(value: bool | None) -> Any:
    return "n/a" if value is None else ("yes",) if value else ("no",)


def _number(number: Mapping[str, Any] | None, digits: int) -> str:
    if number is None or number["estimate"] is None:
        return "n/a"
    text = f"{number['estimate']:.{digits}f}"
    if number["ci95"] is not None:
        low, high = number["ci95"]
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text


def _plain(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4g}"


def _p(value: float | None) -> str:
    if value is None:
        return "n/a"
    return "< 1e-12" if value < 1e-12 else f"{value:.2g}"


def _range(ends: Sequence[float | None] | None) -> str:
    if ends is None:
        return "n/a"
    low, high = ends
    return f"{_plain(low)} to {'no bound' if high is None else _plain(high)}"
