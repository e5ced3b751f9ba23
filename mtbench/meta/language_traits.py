"""Traits of languages that scores may be associated with: speed of speech, visibility of sounds, and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.estimates import bootstrap_scores, measure_errors
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.results import VISIBLE, name_class

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Traits of a language, and how they are called in reports.
TRAITS = {
    "phones_per_second": "phones per second",
    "units_per_clip": "words (characters) per clip",
    "visible_share": "share of phones made at lips or teeth",
    "lexicon_size": "words in the lexicon",
    "sound_clean": "error on clean sound alone, %",
}


def describe_languages(scores: MetaScores, benchmark: Benchmark | None = None) -> dict[str, dict[str, float]]:
    """Return the traits of every language, as far as they are known.

    Parameters
    ----------
    scores : MetaScores
    benchmark : Benchmark, optional
        Gives durations and lexicons.

    Returns
    -------
    dict
        ``{language: {trait: value}}``, with the keys of :data:`TRAITS`.
    """
    bootstrap = bootstrap_scores(scores)
    known = {} if benchmark is None else {clip.id: clip for clip in benchmark.clips}
    sound = None
    if Condition("a").name in scores.conditions:
        sound = measure_errors(scores, Condition("a").name)
    truth = bootstrap.row_of(GROUND_TRUTH)
    out: dict[str, dict[str, float]] = {}
    for language in bootstrap.languages:
        members = bootstrap.members(language)
        phones = [phone for i in members for phone in scores.references[i]]
        clips = [known.get(scores.clips[i]) for i in members]
        traits = {"units_per_clip": float(np.mean(scores.lengths[members]))}
        if phones:
            traits["visible_share"] = sum(name_class(p) in VISIBLE for p in phones) / len(phones)
        if phones and all(clip is not None for clip in clips):
            seconds = sum(clip.frames / clip.fps for clip in clips if clip is not None)
            traits["phones_per_second"] = len(phones) / seconds
        lexicon = None if benchmark is None else benchmark.lexicon(language)
        if lexicon is not None:
            traits["lexicon_size"] = float(len(set(lexicon.words)))
        if sound is not None and truth is not None and sound.scored[truth]:
            traits["sound_clean"] = float(bootstrap.estimate(sound, language)[truth])
        out[language] = traits
    return out
