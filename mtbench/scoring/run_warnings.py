"""What a reader of a run's numbers has to know before believing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtbench.avsr import Recognizer, describe_traits
from mtbench.benchmarks import find_untemplated, warn_of_unlisted
from mtbench.errors import group_notes, summarize_notes
from mtbench.results import NOT_UNDERSTOOD, Row, Sight, Understanding, warn_of_head_motion
from mtbench.scoring.plan import Plan
from mtbench.scoring.vocabularies import find_unlisted_languages, warn_of_vocabulary
from mtbench.speech import ROMAN


@dataclass(frozen=True)
class RunWarning:
    """A warning of a run.

    Attributes
    ----------
    code : str
        Stable name in kebab case, as problems of submissions have one.
    text : str
        A sentence for people.
    """

    code: str
    text: str


def find_missing_lists(plan: Plan, recognizer: Recognizer) -> list[str]:
    """Return the languages in which *recognizer* has no words, though it needs a list: not even an open vocabulary."""
    found = {vocabulary.language for vocabulary in plan.setup.vocabularies}
    return [code for code in find_unlisted_languages(plan.benchmark, recognizer) if code not in found]


def find_warnings(
    plan: Plan,
    recognizer: Recognizer | None,
    understanding: Understanding | None,
    sight: Sight | None,
    rows: Iterable[Row],
) -> list[RunWarning]:
    """Return what a reader of the numbers has to know before believing them."""
    found = _warn_of_submission(plan)
    if recognizer is not None:
        found += _warn_of_recognition(plan, recognizer, understanding)
    if sight is not None and (told := sight.warn()) is not None:
        found.append(RunWarning(sight.code, told))
    return [*found, *(RunWarning("head-motion", text) for text in warn_of_head_motion(rows))]


def _warn_of_submission(plan: Plan) -> list[RunWarning]:
    benchmark, submission = plan.benchmark, plan.submission
    found = []
    if submission.partial:
        missing = f"{len(submission.missing)} of {len(benchmark.clips)} clips are missing"
        found.append(RunWarning("partial", f"partial: {missing}; not rankable"))
    for group in group_notes(submission.notes):
        found += [RunWarning(group[0].code, text) for text in summarize_notes(group)]
    if benchmark.topology == submission.topology and (unknown := find_untemplated(benchmark.clips)):
        text = (
            f"FDD is n/a for {len(unknown)} of {len(benchmark.clips)} clips: no template of the speaker, whose face at "
            "rest it measures from; 'mtbench benchmark new --templates' adds them, or 'template' in benchmark.toml"
        )
        found.append(RunWarning("no-template", text))
    return found


def _warn_of_recognition(
    plan: Plan, recognizer: Recognizer, understanding: Understanding | None
) -> list[RunWarning]:
    benchmark = plan.benchmark
    found = []
    uncovered = [lang for lang in benchmark.languages if lang not in recognizer.languages]
    if uncovered:
        text = f"{recognizer.name} does not cover {', '.join(uncovered)}: n/a there"
        found.append(RunWarning("languages-not-covered", text))
    if plan.profile.normalizer == ROMAN:
        text = (
            f"{recognizer.name}: references were put into roman letters too ({ROMAN}), and the headline is the error "
            "of those characters, blanks left out: no rate of another recognizer can stand beside it"
        )
        found.append(RunWarning("romanized", text))
    if not plan.noises.noises:
        text = "no noise recordings: clean sound only, so nothing says how much the lips help"
        found.append(RunWarning("no-noise", text))
    for vocabulary in plan.setup.vocabularies:
        found.append(RunWarning("open-vocabulary", warn_of_vocabulary(benchmark, vocabulary)))
    if understanding is not None and (text := understanding.warn() or ""):
        found.append(RunWarning(NOT_UNDERSTOOD, text))
    if describe_traits(recognizer).needs_lexicon:
        told = (warn_of_unlisted(benchmark, code) for code in benchmark.languages)
        found += [RunWarning("words-not-listed", text) for text in told if text is not None]
    return found
