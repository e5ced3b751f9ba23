"""What an ablation measured: numbers of every variant by language, and paired differences between variants.

Numbers are those of the variants' result folders; intervals and tests are :mod:`mtbench.results.comparison`'s.
Nothing here knows how the variants were made (:mod:`mtbench.reference_model.ablation.ablation`).

Conventions
-----------
LVE is ``lve_mm`` (for each frame the largest distance over the lips' vertices, mean over frames, in mm). AVLR is the
headline error rate of sound and mouth together at :data:`SNR_DB`, noises pooled, in per cent: word errors, character
errors in Japanese, Mandarin and Thai. Both are better when lower. ``"all"`` is the mean over languages. A difference
is *variant minus reference*. Its p-value is Holm-corrected over the languages of its measure, as everywhere in
mtbench; for ``"all"`` over every pair and measure of the ablation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.reference_model.ablation.variants import FULL, PAIRS, VARIANTS, Variant
from mtbench.results import (
    ALPHA,
    Difference,
)
from mtbench.speech import display_name
from mtbench.statistics import REPLICATES, TRIALS, adjust_holm

if TYPE_CHECKING:
    from mtbench.results import Run, SummaryRow

#: Loudness of speech against noise at which AVLR is read.
SNR_DB = -7.5


@dataclass(frozen=True)
class Measure:
    """A kind of number: its metric and condition, unit and digits."""

    metric: str
    title: str
    unit: str
    digits: int
    modality: str | None = None
    snr_db: float | None = None
    noise: str | None = None

    @property
    def condition(self) -> dict[str, Any]:
        """Fields of summary rows and differences that belong to it."""
        return {"modality": self.modality, "snr_db": self.snr_db, "noise": self.noise}


LVE = Measure("lve_mm", "LVE", "mm", 3)
AVLR = Measure("headline", "AVLR", "points", 1, "av", SNR_DB, "all")
#: The same sound without a mouth.
SOUND = replace(AVLR, modality="a")
MEASURES = (LVE, AVLR)


@dataclass(frozen=True)
class Effect:
    """A difference between two variants.

    Attributes
    ----------
    reference, variant : Variant
    measure : Measure
    difference : Difference
        *a* is the reference, *b* the variant; of ``"all"``, ``p_holm`` is corrected over all pairs and measures.
    """

    reference: Variant
    variant: Variant
    measure: Measure
    difference: Difference

    @property
    def significant(self) -> bool:
        """Whether the difference counts after correction."""
        return self.difference.p_holm < ALPHA


@dataclass(frozen=True)
class Ablation:
    """Everything that was measured.

    Attributes
    ----------
    benchmark, judge : str
        With digests; *judge* is ``"none"`` where only geometry was measured.
    variants : tuple of Variant
        Those that were scored, in the table's order.
    languages : tuple of str
        ISO 639-3 codes, in the order of their names.
    numbers : dict of (variant key, metric, language) to SummaryRow
        Language ``"all"`` is the mean over languages.
    sound : SummaryRow or None
        The error rate of the same sound without a mouth.
    effects : tuple of Effect
    warnings : tuple of str
        What the full model's scores warn of.
    sources : dict of str to int
        Independent texts of each language, the unit that tests swap and intervals redraw.
    clips : int
    """

    benchmark: str
    judge: str
    variants: tuple[Variant, ...]
    languages: tuple[str, ...]
    numbers: Mapping[tuple[str, str, str], SummaryRow]
    sound: SummaryRow | None
    effects: tuple[Effect, ...]
    warnings: tuple[str, ...]
    sources: Mapping[str, int]
    clips: int

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those that all variants have."""
        return tuple(m for m in MEASURES if (self.variants[0].key, m.metric, "all") in self.numbers)

    def effect(self, reference: Variant, variant: Variant, measure: Measure, language: str) -> Effect | None:
        """Return one difference, None where it was not measured."""
        wanted = (reference, variant, measure, language)
        found = (
            e for e in self.effects if (e.reference, e.variant, e.measure, e.difference.language) == wanted
        )
        return next(found, None)

    def overall(self) -> list[Effect]:
        """Return the differences over all languages."""
        return [e for e in self.effects if e.difference.language == "all"]

    def by_language(self, like: Effect) -> list[Effect]:
        """Return the differences of the pair and measure of *like* in single languages, in their order."""
        found = (self.effect(like.reference, like.variant, like.measure, code) for code in self.languages)
        return [e for e in found if e is not None]


def collect_ablation(
    folders: Mapping[str, Path], *, replicates: int = REPLICATES, trials: int = TRIALS
) -> Ablation:
    """Read and compare the result folders of an ablation's variants.

    Parameters
    ----------
    folders : mapping of str to Path
        Result folder by :attr:`Variant.key`; ``"full"`` is among them.
    replicates, trials : int
        Resamples of the bootstrap, and trials of the tests between variants.

    Raises
    ------
    UsageError
        Where a folder is no result, or two were scored differently.
    """
    from mtbench.results import compare, read_rows, read_run

    variants = tuple(v for v in VARIANTS if v.key in folders)
    runs = {v.key: read_run(folders[v.key]) for v in variants}
    full = runs[FULL.key]
    clips = {row.clip: (row.language, row.source) for row in read_rows(folders[FULL.key])}
    languages = tuple(sorted({language for language, _ in clips.values()}, key=display_name))
    numbers = {}
    for v in variants:
        for measure in MEASURES:
            for language in ("all", *languages):
                row = _find(runs[v.key], measure, language)
                if row is not None and row.estimate is not None:
                    numbers[v.key, measure.metric, language] = row
    effects = []
    for reference, variant in PAIRS:
        if reference.key not in folders or variant.key not in folders:
            continue
        found = compare(folders[reference.key], folders[variant.key], replicates=replicates, trials=trials)
        for measure in MEASURES:
            for d in found.differences:
                if d.metric != measure.metric or any(
                    getattr(d, k) != x for k, x in measure.condition.items()
                ):
                    continue
                if d.language != "all" or d.aggregation == "macro-language":
                    effects.append(Effect(reference, variant, measure, d))
    judge = full.recognizer
    return Ablation(
        benchmark=f"{full.benchmark.name}@{full.benchmark.version}#{full.benchmark.digest[:8]}",
        judge="none" if judge is None else f"{judge.name}#{judge.digest[:8]}",
        variants=variants,
        languages=languages,
        numbers=numbers,
        sound=_find(full, SOUND, "all"),
        effects=tuple(_correct_overall(effects)),
        warnings=full.warnings,
        sources={c: len({s for language, s in clips.values() if language == c}) for c in languages},
        clips=len(clips),
    )


def _find(run: Run, measure: Measure, language: str) -> SummaryRow | None:
    from mtbench.results import find_number

    aggregation = "macro-language" if language == "all" else None
    return find_number(run.summary, measure.metric, language, aggregation=aggregation, **measure.condition)


def _correct_overall(effects: list[Effect]) -> list[Effect]:
    """Correct the p-values over all languages for the number of pairs and measures."""
    places = [i for i, e in enumerate(effects) if e.difference.language == "all"]
    adjusted = adjust_holm([effects[i].difference.p for i in places])
    out = list(effects)
    for i, p in zip(places, adjusted, strict=True):
        d = replace(out[i].difference, p_holm=p)
        out[i] = replace(out[i], difference=replace(d, better=d.better if p < ALPHA else None))
    return out
