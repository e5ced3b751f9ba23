"""What a reader of a run's numbers has to know before believing them."""

from __future__ import annotations

from mtbench.avsr import Recognizer
from mtbench.benchmarks import (
    Benchmark,
    find_untemplated,
    warn_of_unlisted,
)
from mtbench.errors import summarize_notes
from mtbench.results import (
    Understanding,
)
from mtbench.speech import (
    NoiseSet,
)
from mtbench.submissions import Submission


def find_missing_lists(benchmark: Benchmark, recognizer: Recognizer) -> list[str]:
    """Return the languages of *benchmark* for which *recognizer* lacks a word list that it needs."""
    if not getattr(recognizer, "needs_lexicon", False):
        return []
    return [c for c in benchmark.languages if c in recognizer.languages and c not in benchmark.lexicons]


def find_warnings(
    benchmark: Benchmark,
    submission: Submission,
    recognizer: Recognizer | None,
    noises: NoiseSet,
    understanding: Understanding | None,
) -> list[str]:
    """Return what a reader of the numbers has to know before believing them."""
    warnings = []
    if submission.partial:
        warnings.append(
            f"partial: {len(submission.missing)} of {len(benchmark.clips)} clips are missing; not rankable"
        )
    warnings += summarize_notes(submission.notes)
    if benchmark.topology == submission.topology and (unknown := find_untemplated(benchmark.clips)):
        warnings.append(
            f"FDD is n/a for {len(unknown)} of {len(benchmark.clips)} clips: no template of the speaker, whose face at "
            "rest it measures from; 'mtbench benchmark new --templates' adds them, or 'template' in benchmark.toml"
        )
    if recognizer is None:
        return warnings
    uncovered = [lang for lang in benchmark.languages if lang not in recognizer.languages]
    if uncovered:
        warnings.append(f"{recognizer.name} does not cover {', '.join(uncovered)}: n/a there")
    if not noises.noises:
        warnings.append("no noise recordings: clean sound only, so nothing says how much the lips help")
    if understanding is not None and (warning := understanding.warn()):
        warnings.append(warning)
    if getattr(recognizer, "needs_lexicon", False):
        told = (warn_of_unlisted(benchmark, code) for code in benchmark.languages)
        warnings += [warning for warning in told if warning is not None]
    return warnings
