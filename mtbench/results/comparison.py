"""Whether one scored entry is better than another: ``mtbench.compare``.

Conventions
-----------
Two result folders are compared only if they were scored on the same benchmark, by the same recognizer, with
the same settings; tables hold only runs that may be compared. A difference is *b minus a*; how it is computed and
corrected: :mod:`mtbench.results.paired`. Where the recognizer does not understand the speech, differences of error
rates are printed but nobody is called better.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.metrics import METRICS
from mtbench.results.comparability import find_conflicts, name_own_choices
from mtbench.results.paired import Difference, compare_rows
from mtbench.results.rows import Row
from mtbench.results.run_files import Run, read_results
from mtbench.speech import display_name
from mtbench.statistics import REPLICATES, SEED, TRIALS

#: What the column of effects means, for notes below tables.
EFFECT_NOTE = "effect: b - a over its spread from clip to clip; (2.8 / effect)² clips tell it in 4 cases of 5"


@dataclass(frozen=True)
class Comparison:
    """All differences between two entries.

    Attributes
    ----------
    system_a, system_b : str
        Names of the entries.
    benchmark : str
        ``name@version``.
    differences : tuple of Difference
        Ordered by metric, condition, language (``"all"`` first).
    notes : tuple of str
        What to keep in mind, e.g. that the entries are meshes of different topologies.
    """

    system_a: str
    system_b: str
    benchmark: str
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    def find(self, metric: str, language: str = "all", **where: object) -> list[Difference]:
        """Return the differences of *metric* in *language* whose fields equal *where*."""
        return [
            d
            for d in self.differences
            if d.metric == metric
            and d.language == language
            and all(getattr(d, key) == value for key, value in where.items())
        ]

    def rows(self, metric: str | None = None, language: str | None = "all") -> list[tuple[str, ...]]:
        """Return the header and the differences as cells of text.

        Parameters
        ----------
        metric : str or None
            Only this metric; None: all.
        language : str or None
            Only this language; None: all of them, each on a line.
        """
        header: tuple[str, ...] = ("metric", "condition", "language", "a", "b", "b - a", "95 % interval")
        header += ("effect", "p (Holm)", "better")
        lines: list[tuple[str, ...]] = [header]
        for d in self.differences:
            if (metric and d.metric != metric) or (language and d.language != language):
                continue
            interval = "n/a" if d.ci95 is None else f"[{d.ci95[0]:+.4g}, {d.ci95[1]:+.4g}]"
            told = {"macro-language": ", macro", "macro-clip": ", mean over clips"}
            # lve_mm and readability_bits have their unit in the name.
            unit = "" if d.metric.endswith(f"_{d.unit}") else f" ({d.unit})"
            name = d.metric + unit + told.get(d.aggregation, "")
            lines.append(
                (
                    name,
                    _describe(d),
                    d.language,
                    f"{d.a:.4g}",
                    f"{d.b:.4g}",
                    f"{d.difference:+.4g}",
                    interval,
                    "n/a" if d.effect is None else f"{d.effect:+.2f}",
                    f"{d.p_holm:.4f}",
                    d.better or "-",
                )
            )
        return lines

    def table(self, metric: str | None = None, language: str | None = "all") -> str:
        """Return the differences as text; parameters as for :meth:`rows`. One language is told in the first line."""
        lines = self.rows(metric, language)
        title = f"a = {self.system_a}, b = {self.system_b}, on {self.benchmark}"
        notes = self.notes
        if len(lines) > 1:
            notes = (EFFECT_NOTE, *notes)
        if language is not None:
            title += ", all languages" if language == "all" else f", {display_name(language)}"
            lines = [line[:2] + line[3:] for line in lines]
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        body = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
        return "\n".join((title, *body, *(f"note: {note}" for note in notes)))

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from mtbench.results.notebook import comparison_html

        return comparison_html(self)


def compare(
    a: Path | str,
    b: Path | str,
    *,
    replicates: int = REPLICATES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> Comparison:
    """Compare two scored entries clip by clip.

    Parameters
    ----------
    a, b : path
        Result folders (``run.json`` and ``clips.jsonl``), as ``mtbench score`` writes them.
    replicates, trials, seed : int
        Of the bootstrap and the randomization test.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        Where a folder is no result, or the two were scored on another benchmark, by another recognizer or
        with other settings; the message lists what differs.

    Examples
    --------
    ``print(mtbench.compare("results/ours/openhead-20", "results/static/openhead-20").table())``
    """
    return compare_results(read_results(a), read_results(b), replicates=replicates, trials=trials, seed=seed)


def compare_results(
    a: tuple[Run, Sequence[Row]],
    b: tuple[Run, Sequence[Row]],
    metrics: Collection[str] | None = None,
    *,
    replicates: int = REPLICATES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> Comparison:
    """Compare two entries that were read already (:func:`mtbench.results.run_files.read_results`).

    Parameters
    ----------
    a, b : tuple of Run and sequence of Row
    metrics : collection of str, optional
        Only these.
    replicates, trials, seed : int
        As in :func:`compare`, and so are the errors.
    """
    (run_a, rows_a), (run_b, rows_b) = a, b
    notes = [*check_comparable(run_a, run_b), *_collect_warnings(run_a, run_b)]
    # Both runs have the same, or they could not be compared.
    averaging = run_a.averaging
    found = compare_rows(
        rows_a, rows_b, averaging, metrics=metrics, replicates=replicates, trials=trials, seed=seed
    )
    differences, withheld = _withhold_winners(found, run_a, run_b)
    benchmark = f"{run_a.benchmark.name}@{run_a.benchmark.version}"
    return Comparison(
        run_a.system.name, run_b.system.name, benchmark, tuple(differences), (*notes, *withheld)
    )


def check_comparable(a: Run, b: Run) -> tuple[str, ...]:
    """Raise ``UsageError`` unless the numbers of both runs mean the same; return what to keep in mind.

    Benchmark, recognizer and the settings in the signatures of all metrics that both have must agree. The
    topology and the frame rate are the entry's own choice: two topologies can be read by one recognizer, but have no
    common geometry.
    """
    problems = find_conflicts(a, b)
    if problems:
        shown = "".join(f"\n  - {problem}" for problem in problems[:10])
        more = f"\n  - and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise UsageError(
            f"{a.system.name} and {b.system.name} cannot be compared, they were scored differently:"
            f"{shown}{more}\n"
            "Score both on the same benchmark with the same settings and the same version of mtbench."
        )
    notes: list[str] = []
    if a.system.topology != b.system.topology:
        notes.append(
            f"topologies differ ({a.system.topology}, {b.system.topology}): error rates compare system with "
            "mesh, geometric metrics are left out"
        )
    notes += name_own_choices((a, b))
    for run in (a, b):
        if run.status != "complete":
            notes.append(f"{run.system.name} is partial: only clips that both have are compared")
    return tuple(notes)


def _collect_warnings(a: Run, b: Run) -> list[str]:
    """Return the warnings of both runs, each once, with the entry's name where only one has it."""
    out = [f"WARNING: {warning}" for warning in a.warnings if warning in b.warnings]
    for run, other in ((a, b), (b, a)):
        out += [f"WARNING ({run.system.name}): {w}" for w in run.warnings if w not in other.warnings]
    return out


def _withhold_winners(differences: list[Difference], a: Run, b: Run) -> tuple[list[Difference], list[str]]:
    """Name nobody better where the recognizer does not understand the speech, lacks its words, or cannot read lips."""
    judged = [run.understanding for run in (a, b) if run.understanding is not None]
    deaf = any(not u.understood for u in judged)
    strange = {code for u in judged for code, error in u.by_language.items() if error > u.limit}
    listless = {code for u in judged for code in u.no_words}
    blind = any(run.sight is not None and run.sight.reads is False for run in (a, b))
    out, withheld = [], False
    for d in differences:
        foreign = blind or (deaf if d.language == "all" else d.language in strange)
        # Phones need no word list, and neither does their probability.
        if "lexicon" not in getattr(METRICS[d.metric], "without", ()):
            foreign = foreign or (bool(listless) if d.language == "all" else d.language in listless)
        if d.modality is not None and foreign and d.better is not None:
            d, withheld = replace(d, better=None), True
        out.append(d)
    if not withheld:
        return out, []
    return out, [
        "no entry is called better by error rates where the recognizer does not understand the speech, nothing tells "
        "whether it does, it cannot read this motion, or there is no word list"
    ]


def _describe(d: Difference) -> str:
    condition = Condition(d.modality, d.snr_db, d.noise)
    if condition.modality is None:
        return "geometry"
    if condition.snr_db is None:
        return condition.modality + (", clean" if condition.modality == "av" else "")
    return f"{condition.modality}, {condition.snr_db:g} dB"
