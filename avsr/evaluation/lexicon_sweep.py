"""How much of the word error is the lexicon's doing.

The recognizer's log-probabilities of a benchmark's ground truth are computed once, and words are searched for in
lexicons of growing size: the words of the test references only, the closed lexicon as shipped, and that with the
1,000 to 20,000 most frequent words of the language added. Beside the word errors stands what no lexicon touches: the
phone error, and the share of words with a wrong phone in them (word boundaries given). What the word error is below
that share is what the lexicon mends; how it grows with the lexicon says how much of that is due to its being small.

Conventions
-----------
Error rates are fractions, corpus-level within a language; ``"all"`` is the mean over the languages. Added words
count 0 in the prior, so one thing changes at a time; their pronunciations are the speech engine's (extra
``[synth]``). For Thai, of which there is no list by frequency, added words are a fixed random choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.avsr.evaluation.conditions import TRUTH, render_face
from mtbench.avsr.evaluation.lexicon_sizes import (
    break_words,
    extend_lexicon,
    pronounce_frequent,
    restrict_lexicon,
)
from mtbench.avsr.presentation import ClipSound, present
from mtbench.conditions import Condition
from mtbench.metrics import EditCounts
from mtbench.speech import headline_rate

if TYPE_CHECKING:
    from mtbench.avsr.openhead import OpenheadAV
    from mtbench.benchmarks import Benchmark, Clip

#: Words added to the closed lexicon.
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
CONDITIONS = ("av-clean", "av-7.5", "v")
#: What a condition that names no noise is heard in.
NOISE = "babble"
REFERENCES, CLOSED = "references only", "closed"


@dataclass(frozen=True)
class SweepRow:
    """Errors in one language under one condition with one lexicon.

    Attributes
    ----------
    condition : str
        ``"av-clean"``, ``"av-7.5"``, ``"a-clean"``, ``"v"``, …
    language : str
        ISO 639-3 code or ``"all"``.
    lexicon : str
        ``"references only"``, ``"closed"`` or ``"+N"``.
    words : float
        Words in the lexicon (``"all"``: mean).
    unknown : float
        Share of reference words that the lexicon lacks.
    per : float or None
        Phone error; None without reference phones.
    broken : float or None
        Share of words with a wrong phone; None where words or phones are not known.
    wer, cer, headline : float
        Word and character error, and the one of them that counts in the language.
    n_clips : int
        Clips.
    """

    condition: str
    language: str
    lexicon: str
    words: float
    unknown: float
    per: float | None
    broken: float | None
    wer: float
    cer: float
    headline: float
    n_clips: int


@dataclass(frozen=True)
class _Task:
    benchmark: str
    weights: str | None
    language: str
    sizes: tuple[int, ...]
    conditions: tuple[str, ...]
    clips: int | None


def sweep_lexicon(
    benchmark: str = "openhead-20",
    weights: str | Path | None = None,
    sizes: Sequence[int] = SIZES,
    conditions: Sequence[str] = CONDITIONS,
    languages: Sequence[str] | None = None,
    clips: int | None = None,
    workers: int | None = None,
) -> list[SweepRow]:
    """Measure word errors over lexicons of several sizes.

    Parameters
    ----------
    benchmark : str
        Name or folder, with ground truth and lexicons.
    weights : path, optional
        Weights of ``openhead-av`` other than the bundled ones.
    sizes : sequence of int
        Words to add to the closed lexicon; each needs the ``[synth]`` extra.
    conditions : sequence of str
        ``"v"``, or ``"av"`` or ``"a"`` with ``"-clean"`` or decibels: ``"av-7.5"``, or ``"av-7.5/music"`` with a noise
        other than babble.
    languages : sequence of str, optional
        Only these ISO 639-3 codes.
    clips : int, optional
        Only the first so many of each language.
    workers : int, optional
        Processes; results do not depend on it.

    Raises
    ------
    UsageError
        For an unknown condition or noise, or where no language has a lexicon.
    PrerequisiteError
        Where words are to be added and the extra is not installed.
    """
    from mtbench.benchmarks import find_noises, load_benchmark
    from mtbench.errors import UsageError
    from mtbench.work import Executor

    asked = [read_condition(condition) for condition in conditions]
    bench = load_benchmark(benchmark)
    # An unknown name is an error now, not in a worker.
    find_noises(bench).select([condition.noise for condition in asked if condition.noise is not None])
    chosen = [c for c in bench.languages if c in bench.lexicons and (not languages or c in languages)]
    if not chosen:
        raise UsageError(
            f"{benchmark}: no lexicon for {', '.join(languages or bench.languages)}; nothing to sweep"
        )
    path = None if weights is None else str(weights)
    tasks = [
        _Task(str(bench.manifest_path), path, c, tuple(sorted(set(sizes))), tuple(conditions), clips)
        for c in chosen
    ]
    with Executor(workers) as executor:
        found = dict(executor.run(_sweep_language, tasks))
    rows = [row for i in range(len(tasks)) for row in found[i]]
    return [*_average(rows), *rows]


def read_condition(name: str) -> Condition:
    """Return the condition of a name, with babble where it names no noise and the ground truth's face.

    Raises
    ------
    UsageError
        For a name that is none.

    Examples
    --------
    >>> read_condition("av-7.5")
    Condition(modality='av', snr_db=-7.5, noise='babble', face='truth')
    """
    from mtbench.errors import UsageError

    try:
        condition = Condition.parse(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    noise = condition.noise or (NOISE if condition.is_noisy else None)
    return replace(condition, noise=noise, face=TRUTH if condition.sees else None)


@lru_cache(maxsize=1)
def _recognizer(weights: str | None) -> OpenheadAV:
    from mtbench.avsr.openhead import OpenheadAV

    return OpenheadAV.load(weights)


def _sweep_language(task: _Task) -> list[SweepRow]:
    from mtbench.avsr.openhead import decode_phones
    from mtbench.benchmarks import load_benchmark
    from mtbench.metrics import count_character_edits, count_phone_edits, count_word_edits

    bench, recognizer, code = load_benchmark(task.benchmark), _recognizer(task.weights), task.language
    clips = [c for c in bench.clips if c.language == code][: task.clips]
    closed = bench.lexicon(code)
    assert closed is not None
    references = [clip.transcript.split() for clip in clips]
    lexicons = {REFERENCES: restrict_lexicon(closed, {w for words in references for w in words})}
    lexicons[CLOSED] = closed
    if task.sizes:
        frequent = pronounce_frequent(code, task.sizes[-1])
        lexicons |= {f"+{size}": extend_lexicon(closed, frequent[:size]) for size in task.sizes}
    heard = _listen(bench, recognizer, clips, task.conditions)
    variants = dict(zip(closed.words, closed.pronunciations, strict=True))
    phones, broken = {}, {}
    for condition, frames in heard.items():
        said = [[recognizer.phones[c - 1] for c in decode_phones(f)] for f in frames]
        phones[condition] = _pool(
            [count_phone_edits(c.phones, tuple(h)) for c, h in zip(clips, said, strict=True)]
        )
        broken[condition] = _pool(
            [
                break_words([variants[w][0] for w in words], c.phones, h)
                if c.phones is not None and all(w in variants for w in words)
                else None
                for c, words, h in zip(clips, references, said, strict=True)
            ]
        )
    rows = []
    for name, lexicon in lexicons.items():
        known = set(lexicon.words)
        unknown = [w not in known for words in references for w in words]
        decoder = recognizer.word_decoder(lexicon)
        for condition, frames in heard.items():
            texts = [" ".join(decoder.decode(f)) for f in frames]
            pairs = [(c.transcript, text) for c, text in zip(clips, texts, strict=True)]
            wer = _pool([count_word_edits(r, h, code) for r, h in pairs])
            cer = _pool([count_character_edits(r, h, code) for r, h in pairs])
            assert wer is not None
            assert cer is not None
            rows.append(
                SweepRow(
                    condition=condition,
                    language=code,
                    lexicon=name,
                    words=len(lexicon),
                    unknown=float(np.mean(unknown)),
                    per=phones[condition],
                    broken=broken[condition],
                    wer=wer,
                    cer=cer,
                    headline=cer if headline_rate(code) == "cer" else wer,
                    n_clips=len(clips),
                )
            )
    return rows


def _listen(
    bench: Benchmark, recognizer: OpenheadAV, clips: Sequence[Clip], conditions: Sequence[str]
) -> dict[str, list[np.ndarray]]:
    """Return the log-probabilities of each clip by condition."""
    from mtbench.avsr.openhead import Request
    from mtbench.benchmarks import find_noises

    wanted = {name: read_condition(name) for name in conditions}
    requests: list[Request] = []
    asked: list[tuple[Condition, ...]] = []
    for clip in clips:
        sound = ClipSound(clip, find_noises(bench))

        def see(face: str, clip: Clip = clip) -> np.ndarray:
            return render_face(bench, clip, face)

        for shown in present(list(dict.fromkeys(wanted.values())), see, sound.hear):
            requests.append(Request(shown.crops, shown.sounds, clip.language))
            asked.append(shown.conditions)
    found: dict[Condition, list[np.ndarray]] = {condition: [] for condition in wanted.values()}
    for together, frames in zip(asked, recognizer.log_probs_many(requests), strict=True):
        for condition, log_probs in zip(together, frames, strict=True):
            found[condition].append(log_probs)
    return {name: found[condition] for name, condition in wanted.items()}


def _pool(parts: Sequence[EditCounts | None]) -> float | None:
    """Return the corpus-level rate, None where a clip has none."""
    known = [p for p in parts if p is not None]
    length = sum(p.reference_length for p in known)
    return sum(p.errors for p in known) / length if len(known) == len(parts) and length else None


def _average(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """Return the means over the languages, conditions and lexicons in order."""
    out = []
    for condition, lexicon in dict.fromkeys((r.condition, r.lexicon) for r in rows):
        group = [r for r in rows if (r.condition, r.lexicon) == (condition, lexicon)]
        means: dict[str, Any] = {}
        for name in ("words", "unknown", "per", "broken", "wer", "cer", "headline"):
            values = [getattr(r, name) for r in group]
            means[name] = None if None in values else float(np.mean(values))
        out.append(SweepRow(condition, "all", lexicon, **means, n_clips=sum(r.n_clips for r in group)))
    return out
