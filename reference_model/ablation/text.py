"""What an ablation's data support and what they do not, said from its figures.

Every sentence follows from the numbers and from how the variants were made; none is written for one outcome. What is
not significant is called not separable, never equal, with the interval that remains possible.

Conventions
-----------
Those of :mod:`mtbench.reference_model.ablation.results`. The text is Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mtbench.reference_model.ablation.results import AVLR, LVE, Ablation, Effect, Measure
from mtbench.reference_model.ablation.table import show_p, signed
from mtbench.reference_model.ablation.variants import ENGLISH, FULL, MATCHED, NO_LANGUAGE, SWAPPED
from mtbench.reference_model.encoders import BUNDLED, BUNDLED_VERSION
from mtbench.results import (
    ALPHA,
)
from mtbench.speech import display_name
from mtbench.statistics import TRIALS


@dataclass(frozen=True)
class EncoderFacts:
    """A speech encoder and what it learned from.

    Attributes
    ----------
    name : str
    languages : int
        0 where nothing is known.
    utterances : int
        Number of utterances in all steps together; 0 where nothing is known.
    pictures : bool
        Whether it learned from mouths too.
    recognizer : str
        The recognizer whose audio branch it is, as :class:`Ablation` calls a judge; empty where it is none's.
    """

    name: str
    languages: int = 0
    utterances: int = 0
    pictures: bool = False
    recognizer: str = ""

    def describe(self) -> str:
        """Return a clause such as ``"encoder-eng: 16,000 utterances in 1 language, sound alone"``."""
        if not self.utterances:
            return f"{self.name}, trained elsewhere"
        many = "language" if self.languages == 1 else "languages"
        how = "sound and pictures" if self.pictures else "sound alone"
        # A recognizer's file counts its last run only.
        least = "at least " if self.pictures else ""
        return f"{self.name}: {least}{self.utterances:,} utterances in {self.languages} {many}, {how}"


def read_encoder_facts(name: str) -> EncoderFacts:
    """Return what is known of a speech encoder's training.

    Parameters
    ----------
    name : str
        As :func:`~mtbench.reference_model.encoders.registry.load_speech_encoder` takes it.
    """
    from mtbench.avsr.openhead import OpenheadAV, find_bundled

    if name != BUNDLED and not name.endswith(".safetensors"):
        return EncoderFacts(name)
    weights = find_bundled(BUNDLED_VERSION) if name == BUNDLED else Path(name)
    about = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    training = about["training"]
    shown = BUNDLED if name == BUNDLED else Path(name).parent.name
    utterances, pictures = int(training.get("utterances", 0)), bool(training.get("pictures", True))
    # An encoder that learned from sound alone is a file of the reference model's, and no recognizer.
    judge = OpenheadAV.load(weights) if pictures else None
    known_as = "" if judge is None else f"{judge.name}#{judge.digest[:8]}"
    return EncoderFacts(shown, len(about["languages"]), utterances, pictures, known_as)


@dataclass(frozen=True)
class Facts:
    """How the variants were made, as far as the conclusions depend on it.

    Attributes
    ----------
    size : str
        Name of the model's size.
    encoders : mapping of str to EncoderFacts
        Encoders by variant key; a variant that is not named has the full one's.
    labels : mapping of str to str
        Language to the one whose label its clips got, ISO 639-3.
    corpus : str
        Name of the training corpus.
    generated : bool
        Whether training and test motion come from the bundled generator.
    """

    size: str
    encoders: Mapping[str, EncoderFacts] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    corpus: str = ""
    generated: bool = False


def describe_support(ablation: Ablation, facts: Facts) -> str:
    """Return both paragraphs."""
    found = [_describe_pair(ablation, pair) for pair in _pairs(ablation)]
    limits = [*_limit_languages(ablation), *_limit_agreement(ablation), *_limit_making(ablation, facts)]
    lines = ["## What the data support", "", *(f"- {text}" for text in found), ""]
    lines += ["## What they do not support", "", *(f"- {text}" for text in limits), ""]
    return "\n".join(lines)


def _pairs(ablation: Ablation) -> list[list[Effect]]:
    """Return the overall differences, those of a pair together."""
    out: dict[tuple[str, str], list[Effect]] = {}
    for e in ablation.overall():
        out.setdefault((e.reference.key, e.variant.key), []).append(e)
    return list(out.values())


def _describe_pair(ablation: Ablation, pair: list[Effect]) -> str:
    first = pair[0]
    head = f"**{first.variant.mark} {first.variant.title}** against {first.reference.mark} {first.reference.title}: "
    return head + " ".join(_describe_effect(ablation, e) for e in pair)


def _describe_effect(ablation: Ablation, effect: Effect) -> str:
    d, m = effect.difference, effect.measure
    unit = "%" if m.unit == "points" else m.unit
    clips = f"{d.n_clips} clips" + ("" if d.n_clips == d.n_expected else f" of {d.n_expected}")
    numbers = f"{d.b:.{m.digits}f} against {d.a:.{m.digits}f} {unit} ({_interval(effect)}{show_p(d.p_holm)}, {clips})"
    if effect.significant:
        verdict = "significantly " + ("higher, so worse" if d.difference > 0 else "lower, so better")
    elif d.ci95 is None:
        verdict = "not separable"
    elif d.ci95 == (0, 0):
        verdict = "no text makes a difference"
    else:
        low, high = (signed(x, m.digits) for x in d.ci95)
        verdict = f"not separable; the interval leaves open anything from {low} to {high} {m.unit}"
    return f"{m.title} {numbers}: {verdict}. {_count_languages(ablation, effect)}"


def _interval(effect: Effect) -> str:
    d, m = effect.difference, effect.measure
    if d.ci95 is None:
        return f"{signed(d.difference, m.digits)} {m.unit}, no interval, "
    low, high = (signed(x, m.digits) for x in d.ci95)
    return f"{signed(d.difference, m.digits)} {m.unit}, 95 % interval [{low}, {high}], "


def _count_languages(ablation: Ablation, effect: Effect) -> str:
    single = ablation.by_language(effect)
    worse = sum(e.difference.difference > 0 for e in single)
    better = sum(e.difference.difference < 0 for e in single)
    text = f"By language, worse in {worse} and better in {better} of {len(single)}; "
    strong = [e for e in single if e.significant]
    if not strong:
        return text + "significant in none after Holm's correction."
    parts = []
    for word, sign in (("worse", 1), ("better", -1)):
        names = [display_name(e.difference.language) for e in strong if sign * e.difference.difference > 0]
        if names:
            parts.append(f"{word} in {', '.join(names)}")
    return text + f"after Holm's correction significantly {' and '.join(parts)}."


def smallest_p(sources: int, languages: int) -> tuple[float, float]:
    """Return the smallest p-value that the test can give for a language, before and after Holm's correction.

    Examples
    --------
    >>> [round(p, 3) for p in smallest_p(6, 20)]
    [0.031, 0.625]
    """
    p = max(min(1.0, 2 / 2**sources), 1 / (TRIALS + 1))
    return p, min(1.0, languages * p)


def _limit_languages(ablation: Ablation) -> list[str]:
    if len(ablation.languages) < 2:
        return []
    most = max(ablation.sources.values())
    least = min(ablation.sources.values())
    p, corrected = smallest_p(most, len(ablation.languages))
    texts = (f"{most}" if most == least else f"{least} to {most}") + (" text" if most == 1 else " texts")
    if corrected >= ALPHA:
        return [
            f"*Single languages.* With {texts} a language, the smallest p-value that the test can give is {p:.3f}, and "
            f"{corrected:.2f} after correction over {len(ablation.languages)} languages: whatever a language's column "
            "shows, no single language can be significant here. Only the means, and how many languages agree, say "
            "anything; a larger benchmark is needed for more."
        ]
    return [
        f"*Single languages* rest on {texts} each: where one is not significant, its interval in the table says how "
        "little is known."
    ]


def _limit_agreement(ablation: Ablation) -> list[str]:
    """Say where the two measures disagree, and what is not separable at all."""
    out: list[str] = []
    nothing: list[str] = []
    for pair in _pairs(ablation):
        by = {e.measure: e for e in pair}
        name = f"{pair[0].variant.mark} against {pair[0].reference.mark}"
        if LVE in by and AVLR in by:
            lve, avlr = by[LVE], by[AVLR]
            opposite = lve.difference.difference * avlr.difference.difference < 0
            if lve.significant and avlr.significant and opposite:
                better, worse = (lve, avlr) if lve.difference.difference < 0 else (avlr, lve)
                out.append(
                    f"*One ranking.* {name} is better in {better.measure.title} and worse in {worse.measure.title}: "
                    "no order of the two holds for both."
                )
            elif lve.significant != avlr.significant:
                yes, no = (lve, avlr) if lve.significant else (avlr, lve)
                out.append(
                    f"*{no.measure.title}.* {name} differs in {yes.measure.title} only; {no.measure.title} "
                    f"{_direction(yes, no)} is not separable, so nothing can be said about {_quality(no.measure)}."
                )
        if not any(e.significant for e in pair):
            nothing.append(name)
    if nothing:
        out.append(
            f"*{'; '.join(nothing)}.* No effect was shown, which is no proof that there is none: see the intervals "
            "above."
        )
    return out


def _direction(yes: Effect, no: Effect) -> str:
    agreement = yes.difference.difference * no.difference.difference
    if agreement == 0:
        return "does not move and"
    return f"points {'the same' if agreement > 0 else 'the other'} way but"


def _quality(measure: Measure) -> str:
    return "how close the lips are" if measure == LVE else "how well the lips are read"


def _limit_making(ablation: Ablation, facts: Facts) -> list[str]:
    keys = {v.key for v in ablation.variants}
    out = [
        "*Chance in training.* Each variant was trained once, with the same seed, data and steps. Intervals and "
        "p-values hold for other texts of this kind, not for other trainings: part of a difference between two "
        "trained models is luck, which only repeated trainings would show. "
        + (f"{SWAPPED.mark} is free of this, for it is {FULL.mark} itself." if SWAPPED.key in keys else "")
    ]
    full, english = facts.encoders.get(FULL.key), facts.encoders.get(ENGLISH.key)
    if ENGLISH.key in keys and full and english:
        text = (
            f"*English against all languages.* The encoders of {FULL.mark} and {ENGLISH.mark} differ in more than "
            f"language ({FULL.mark} {full.describe()}; {ENGLISH.mark} {english.describe()}). "
        )
        matched = facts.encoders.get(MATCHED.key)
        if matched and MATCHED.key in keys:
            text += (
                f"Only {ENGLISH.mark} against {MATCHED.mark} ({matched.describe()}) isolates the language; "
                f"{ENGLISH.mark} against {FULL.mark} does not."
            )
        else:
            text += f"So {ENGLISH.mark} against {FULL.mark} does not isolate the language."
        out.append(text)
        if AVLR in ablation.measures and ablation.judge == full.recognizer:
            out.append(
                f"*Ears in common.* {FULL.mark} hears with the audio branch of {full.name}, which is also the judge "
                f"of AVLR; {ENGLISH.mark} does not. LVE knows no judge."
            )
    if SWAPPED.key in keys and facts.labels:
        shown = ", ".join(
            f"{display_name(a)} as {display_name(b)}" for a, b in list(facts.labels.items())[:3]
        )
        out.append(
            f"*Swapped labels* ({shown}, … each language once) show whether {FULL.mark} heeds the label, not whether "
            f"it gains by having one: that is {NO_LANGUAGE.mark}."
        )
    out += [f"*The judge.* {warning}." for warning in ablation.warnings]
    if ablation.sound is not None and ablation.sound.estimate is not None:
        full_avlr = ablation.numbers.get((FULL.key, AVLR.metric, "all"))
        if full_avlr is not None and full_avlr.estimate is not None:
            gain = ablation.sound.estimate - full_avlr.estimate
            out.append(
                f"*Size.* The same sound without a mouth has {ablation.sound.estimate:.1f} % errors: the mouth of "
                f"{FULL.mark} is worth {signed(gain, 1)} points, against which differences in AVLR are to be read."
            )
    if facts.generated:
        out.append(
            "*Real faces.* Motion for training and test comes from a generator that articulates a phone alike in "
            "every language. A label can help here by telling which phone is heard, not how a language moves "
            "its lips: what it is worth on recordings of people remains open, and so does whether the paper's "
            "differences, published without intervals, would hold."
        )
    return out
