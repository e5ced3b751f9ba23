"""The paragraph on how far a language's number can be trusted: the guard, the clips, and the metric's own examination.

Conventions
-----------
Made of what is known and of nothing else: whether the recognizer understands the speech and reads the true mouths
(:mod:`mtbench.results.understanding`, :mod:`mtbench.results.sight`), how many clips there are and how far errors spread
over them, and what ``mtbench validate-metric`` found where its report was given. The first sentence is the conclusion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.leaderboard.report.document import Block, Code, Name, Paragraph, Piece, Text
from mtbench.leaderboard.report.metric_report import Correlation, MetricReport
from mtbench.leaderboard.report.numbers import find_cell, format_value
from mtbench.leaderboard.report.pairs import Pair, list_compared, say_sensitivity, typical_spread
from mtbench.leaderboard.report.sources import Group
from mtbench.results import ALPHA, Sight, SummaryRow
from mtbench.speech import LANGUAGES, display_name
from mtbench.statistics import least_difference

#: Fewest clips by which single entries are told apart at all: a test of fewer cannot reach 5 %.
LEAST_CLIPS = 6


@dataclass(frozen=True)
class Trust:
    """What the paragraph is made of.

    Attributes
    ----------
    group : Group
    language : str
        ISO 639-3 code, or ``"all"``.
    pairs : sequence of Pair
    metric : MetricReport or None
        What validate-metric found.
    """

    group: Group
    language: str
    pairs: Sequence[Pair]
    metric: MetricReport | None

    @property
    def understood(self) -> bool | None:
        """Whether the recognizer understands the language's clean sound; None where nobody can tell."""
        verdict = self.group.first.understanding
        if verdict is None:
            return None
        if self.language == "all":
            return verdict.understood
        if self.language in (*verdict.no_words, *(verdict.open_words if verdict.unit == "words" else ())):
            return None
        error = verdict.by_language.get(self.language)
        return None if error is None else error <= verdict.limit

    @property
    def reads(self) -> bool | None:
        """Whether the recognizer reads the true mouths."""
        sight = self.group.first.sight
        return None if sight is None else sight.reads

    @property
    def number(self) -> SummaryRow | None:
        """The number that the paragraph is about, of the entry that has most clips."""
        metric, condition = list_compared(self.group)[0]
        found = [find_cell(entry, metric, condition, self.language) for entry in self.group.entries]
        known = [row for row in found if row is not None and row.estimate is not None]
        return max(known, key=lambda row: row.n_clips, default=None)


def assess_trust(trust: Trust) -> list[Block]:
    """Return the paragraphs: the conclusion first, then what it follows from."""
    parts = [_say_understanding(trust), _say_sight(trust)] if trust.group.heard else []
    parts += [_say_clips(trust), _say_metric(trust) if trust.group.heard else ()]
    blocks: list[Block] = [Paragraph(conclude(trust), "lead")]
    blocks += [Paragraph(part) for part in parts if part]
    return blocks


def conclude(trust: Trust) -> Text:
    """Return the conclusion in a sentence."""
    number, group = trust.number, trust.group
    where = "" if trust.language == "all" else f" in {display_name(trust.language)}"
    if number is None:
        return (f"There is no number{where} to trust: nothing could be measured.",)
    if group.heard and trust.understood is False:
        return (
            f"Not far: {group.recognizer} does not understand the speech{where}, so that its error rates say "
            "little about lips.",
        )
    if group.heard and trust.reads is False:
        return (
            f"Not far: {group.recognizer} cannot read this motion, and by its error rates nobody is ranked.",
        )
    unit = "points" if number.unit == "%" else "mm"
    spread = typical_spread(group, trust.language, trust.pairs)
    if number.n_clips < LEAST_CLIPS:
        several = "clips say" if number.n_clips != 1 else "clip says"
        return (
            f"As an example only: {number.n_clips} {several} how these clips went, not how the language goes.",
        )
    unsure = ""
    if group.heard and (trust.understood is None or trust.reads is None):
        missing = "understands the speech" if trust.understood is None else "reads this motion"
        unsure = f", if {group.recognizer} {missing}, which nobody could tell"
    if spread is None:
        return (f"As an estimate with its interval{unsure}; there is nothing here to compare it with.",)
    least = least_difference(spread, number.n_clips)
    told = f"{least:.0f}" if least >= 10 else f"{least:.2g}"
    return (f"For differences of {told} {unit} or more{unsure}; finer ones need more clips than these.",)


def _say_understanding(trust: Trust) -> Text:
    verdict, group = trust.group.first.understanding, trust.group
    if verdict is None:
        return (
            "Whether the recognizer understands the speech was not measured: the results are of an older version.",
        )
    unit = {"phones": "phone", "words": "word", "characters": "character"}[verdict.unit]
    if trust.language == "all":
        error = verdict.error
    else:
        error = verdict.by_language.get(trust.language)
    if trust.language in verdict.no_words:
        return (
            f"{group.recognizer} has no word list for the language: its word errors say nothing of the speech.",
        )
    if error is None:
        return (
            f"{group.recognizer} was not heard on the language's clean sound: whether it understands it is open.",
        )
    end = {
        True: "it understands the speech",
        False: "it does not understand the speech",
        None: "with an open vocabulary, which tells nothing of understanding",
    }[trust.understood]
    approximate = LANGUAGES.get(trust.language)
    remark = ""
    if (
        approximate is not None
        and approximate.approximate
        and group.first.benchmark.name.startswith("openhead-")
    ):
        remark = " The bundled synthetic speech only approximates the language."
    return (
        f"On the clips' clean sound alone {group.recognizer} makes {error:.1f} % {unit} errors (limit "
        f"{verdict.limit:g} %): {end}.{remark}",
    )


def _say_sight(trust: Trust) -> Text:
    sight = trust.group.first.sight
    if sight is None:
        return (
            "Whether it reads the benchmark's true mouths was not looked at: the results are of an older version.",
        )
    told = Sight.from_json(sight.model_dump())
    text = told.warn() or f"{told.describe()}: it reads this motion"
    out: list[Piece] = [Name(text), "."]
    if trust.language in sight.left_out:
        out.append(" No clip of this language was looked at.")
    return tuple(out)


def _say_clips(trust: Trust) -> Text:
    number, group = trust.number, trust.group
    if number is None:
        return ()
    languages = group.languages if trust.language == "all" else (trust.language,)
    rows = [row for row in group.entries[0].rows if row.language in languages]
    sources = len({(row.language, row.source) for row in rows})
    clips = f"{number.n_clips} clip{'s' if number.n_clips != 1 else ''}"
    if number.n_clips < number.n_expected:
        clips += f" of {number.n_expected}"
    text = f"The numbers rest on {clips} of {sources} source{'s' if sources != 1 else ''}"
    if number.ci95 is None:
        text += "; with a single source nothing is known of the spread, so there are no intervals."
    else:
        half = (number.ci95[1] - number.ci95[0]) / 2
        text += f"; the interval of one is some {format_value(half, number.unit, sign=False)} "
        text += f"{'points' if number.unit == '%' else number.unit} to either side."
    spread = typical_spread(group, trust.language, trust.pairs)
    if spread is not None:
        text += " " + "".join(map(str, say_sensitivity(group, trust.language, spread, number.n_clips)))
    floor = min(1.0, len(group.languages) * 2 / 2**sources)
    if trust.language != "all" and floor > ALPHA:
        text += (
            f" Corrected over {len(group.languages)} languages, {sources} sources can give no p below "
            f"{floor:.2g}: whether one entry is better is told by all "
            "languages together."
        )
    return (text,)


def _say_metric(trust: Trust) -> Text:
    report, group = trust.metric, trust.group
    if report is None:
        return (
            "Whether the metric puts known faults in order is not part of these results: ",
            Code("mtbench validate-metric"),
            " examines it, and ",
            Code("--meta DIR"),
            " brings its report into this paragraph.",
        )
    if not report.is_about(group.first):
        return (
            "The report of validate-metric that was given is about ",
            Name(f"{report.recognizer} on {report.benchmark}"),
            ", another recognizer or benchmark (or version of them), and says nothing of these numbers.",
        )
    out: list[Piece] = [
        f"validate-metric degraded the true motion in known ways ({report.condition}, {report.n_clips} clips): AVLR "
        f"puts the systems in their order with a rank correlation of {_tell(report.spearman_system)}, and on a single "
        f"clip of {_tell(report.spearman_clip)}."
    ]
    missed = [target.name for target in report.targets if target.met is False]
    untold = [target.name for target in report.targets if target.met is None]
    if missed:
        out += [f" It misses {len(missed)} of {len(report.targets)} targets: ", Name(", ".join(missed)), "."]
    if untold:
        out += [" Not to be judged: ", Name(", ".join(untold)), "."]
    if not missed and not untold and report.targets:
        out.append(f" It meets all {len(report.targets)} targets.")
    if trust.language != "all":
        out += _say_language(trust, report)
    return tuple(out)


def _say_language(trust: Trust, report: MetricReport) -> list[Piece]:
    if trust.language not in report.languages:
        return [f" {display_name(trust.language)} was not among its languages."]
    fairness = report.fairness.get("words")
    found = None if fairness is None else fairness.languages.get(trust.language)
    if found is None or found.gain_over_static is None or found.gain_over_static.estimate is None:
        return []
    gain = found.gain_over_static
    ends = "" if gain.ci95 is None else f" [{gain.ci95[0]:.1f}, {gain.ci95[1]:.1f}]"
    return [
        f" In {display_name(trust.language)} the true motion is worth {gain.estimate:.1f}{ends} points against a face "
        "that does not move: that is the range in which entries can differ."
    ]


def _tell(found: Correlation) -> str:
    if found.estimate is None:
        return "n/a"
    ends = "" if found.ci95 is None else f" [{found.ci95[0]:.2f}, {found.ci95[1]:.2f}]"
    return f"{found.estimate:.2f}{ends}"
