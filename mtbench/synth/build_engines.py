"""The bundled benchmark ``openhead-engines``: sentences of ``openhead-20`` in the voices of held-out engines.

Conventions
-----------
The folder is that of :mod:`mtbench.synth.build`, for the six languages that flite and festival speak. A clip is one
of :data:`SENTENCES`, all from test articles, in one of the language's voices in turn; level, silence at both ends
and ground truth (setting ``default``) are as in ``openhead-20``. Reference phones are what the engine says that it
spoke. Lexicons and babble are those of ``openhead-20``, since they are the language's and not the engine's.
Everything follows from the clip's name and the engines' packages.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.benchmarks import Benchmark, load_benchmark
from mtbench.errors import PrerequisiteError
from mtbench.faces import OPENHEAD
from mtbench.synth.benchmark_writer import (
    Edition,
    Report,
    clip_seed,
    frame_speech,
    set_level,
    staged_folder,
    write_clip,
    write_manifest,
)
from mtbench.synth.engines import VOICES, EngineVoice, speak
from mtbench.synth.phones import INVENTORY, SILENCE
from mtbench.synth.texts import Sentence, test_texts
from mtbench.synth.utterances import Phone, Speech
from mtbench.timing import FPS, SAMPLE_RATE

NAME, VERSION = "openhead-engines", "2"
EDITIONS = (Edition(VERSION),)
#: Where lexicons and babble come from.
PARENT = "openhead-20"
LANGUAGES: tuple[str, ...] = tuple(dict.fromkeys(v.language for v in VOICES))

#: What every language says.
SENTENCES: tuple[str, ...] = (
    "udhr-01.1.1", "udhr-03.1.1", "udhr-06.1.1", "udhr-09.1.1", "udhr-15.1.1", "udhr-15.2.1", "udhr-20.1.1",
    "udhr-20.2.1",
)  # fmt: skip
#: Clips of a language where it has more voices than fit into eight: two a voice.
CLIPS: dict[str, int] = {"eng": 10}
#: Where a sentence is too long for a clip: which of its words are said (whole clauses).
CUTS: dict[tuple[str, str], slice] = {
    ("ita", "udhr-15.2.1"): slice(0, 8),
    ("ces", "udhr-15.2.1"): slice(0, 8),
    ("rus", "udhr-06.1.1"): slice(7, None),
    ("hin", "udhr-01.1.1"): slice(0, 9),
    ("hin", "udhr-15.2.1"): slice(0, 14),
}
#: Longest clip, in seconds: slow voices cannot be hurried.
LONGEST = 7.5

#: Seconds of an engine's own silence that are kept at the ends.
_EDGE = 0.02

_DESCRIPTION = (
    "Sentences of the Universal Declaration of Human Rights in six languages, spoken by engines other than the one "
    "that the bundled recognizer was trained on: flite 2.2 (English) and festival 2.5 (Italian, Czech, Russian, "
    "Catalan, Hindi, English), fourteen voices made from human recordings. Ground truth from mtbench's articulation "
    "model, timed by what the engines say that they spoke. For testing recognizers, not for ranking entries."
)
_NOTES = (
    f"Phones: base IPA letters ({INVENTORY}), mapped from each engine's phone set. Lexicons and babble are those of "
    f"{PARENT}: pronunciations there are espeak's, British in English, while these voices are American. The Hindi "
    "voice drops no inherent vowel and reads anusvara as m; reference phones say so."
)

_LICENSE = "Texts, phones, motion and noise: CC0-1.0. Sound: made with the voices listed in VOICES.txt."
#: Written beside the manifest, so that whoever ships the sound knows whose voices it holds.
_CREDITS = """Whose voices openhead-engines speaks with

The sound of this folder was synthesised with the voices below, most of them recordings of people cut into units. No
program and no voice is shipped. Their terms, as their Debian packages state them:

flite 2.2 (awb, kal16, rms, slt)      Carnegie Mellon University; BSD-like
festvox-us-slt-hts (hts-slt)          Carnegie Mellon University, Nagoya Institute of Technology; BSD-like
festvox-italp16k (lp)                 Italian Festival Modules, ISTC-CNR and ITC-irst, 2008; GPL-2 or later
festvox-itapc16k (pc)                 Italian Festival Modules, ISTC-CNR and ITC-irst, 2008; GPL-2 or later
festvox-czech-ph (ph)                 Brailcom, 2005; GPL-2 or later
festvox-czech-dita, -krb, -machac     Brailcom, 2005-2011; GPL-3 or later
festvox-ru (nsh)                      Nickolay V. Shmyrev, 2005; BSD-like
festvox-ca-ona-hts (ona)              Universitat Politecnica de Catalunya, 2007-2016; LGPL-2.1 or later
festvox-hi-nsk (nsk)                  C-DAC Mumbai and others, 2005-2006; GPL-2 or later

Whoever wants the sound without these terms builds the folder again with other voices:
scripts/build_engines_benchmark.py.
"""


@dataclass(frozen=True)
class Plan:
    """What a clip is made of.

    Attributes
    ----------
    id : str
        ``<language>-<number>``.
    sentence : Sentence
        The sentence as far as it is said.
    voice : EngineVoice
    identity : str
        Name of an identity of the bundled head.
    seed : int
        Seed of articulation and of the silence at the ends.
    """

    id: str
    sentence: Sentence
    voice: EngineVoice
    identity: str
    seed: int


def plan_clips(language: str) -> list[Plan]:
    """Return the clips of *language*."""
    from mtbench.faces import load_head

    identities = load_head().identity_names
    by_id = {s.id: s for s in test_texts(language)}
    voices = [v for v in VOICES if v.language == language]
    plans = []
    for i in range(CLIPS.get(language, len(SENTENCES))):
        sentence = by_id[SENTENCES[i % len(SENTENCES)]]
        part = CUTS.get((language, sentence.id), slice(None))
        sentence = replace(sentence, words=sentence.words[part], spoken=sentence.spoken[part])
        clip = f"{language}-{i + 1:02d}"
        seed = clip_seed(NAME, clip)
        voice = voices[i % len(voices)]
        faces = [name for name in identities if ("-female-" if voice.female else "-male-") in name]
        face = faces[(i + LANGUAGES.index(language)) % len(faces)]
        plans.append(Plan(clip, sentence, voice, face, seed))
    return plans


def trim_silence(speech: Speech, keep: float = _EDGE) -> Speech:
    """Return *speech* with at most *keep* seconds of silence at each end."""
    phones = list(speech.phones)
    if not phones:
        return speech
    begin, end = 0.0, speech.duration
    if phones[0].symbol == SILENCE:
        begin = max(0.0, phones[0].end - keep)
    if phones[-1].symbol == SILENCE:
        end = min(end, phones[-1].start + keep)
    first, last = round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE)
    begin, end = first / SAMPLE_RATE, last / SAMPLE_RATE
    moved = tuple(
        Phone(
            p.symbol,
            max(p.start, begin) - begin,
            min(p.end, end) - begin,
            None if p.release is None else p.release - begin,
        )
        for p in phones
    )
    words = tuple(replace(w, start=w.start - begin, end=w.end - begin) for w in speech.words)
    return Speech(speech.audio[first:last], moved, words)


def speak_plan(plan: Plan) -> Speech:
    """Return the clip's speech: level set, silence around, a whole number of frames.

    Raises
    ------
    PrerequisiteError
        Where the voice is not installed.
    ValueError
        Where the clip gets longer than :data:`LONGEST` (such a sentence belongs into :data:`CUTS`), or the engine
        left out a word.
    """
    speech = trim_silence(speak(" ".join(plan.sentence.spoken), plan.voice))
    said = {word.index for word in speech.words}
    missing = [w for i, w in enumerate(" ".join(plan.sentence.spoken).split()) if i not in said]
    if missing:
        raise ValueError(f"{plan.id}: the voice {plan.voice.name} leaves out {missing}")
    speech = frame_speech(speech, plan.seed)
    if speech.duration > LONGEST:
        raise ValueError(
            f"{plan.id}: {speech.duration:.2f} s, expected at most {LONGEST} s; cut the sentence"
        )
    return set_level(speech, centered=True)


def build_engines_benchmark(out_dir: Path | str, progress: Report | None = None) -> Path:
    """Build the benchmark folder.

    Parameters
    ----------
    out_dir : Path or str
        Must not exist, be empty, or hold an earlier build, which is replaced once the new one is complete.
    progress : callable, optional
        Called with (what is being made, steps done, steps in all).

    Returns
    -------
    Path
        *out_dir*.

    Raises
    ------
    PrerequisiteError
        Where a voice or the texts are missing.
    UsageError
        Where *out_dir* holds something else.
    """
    out = Path(out_dir)
    absent = [v.name for v in VOICES if v.language in LANGUAGES and not v.installed]
    if absent:
        raise PrerequisiteError(
            f"voices that are not installed: {', '.join(absent)}; see mtbench.synth.engines.VOICES for the packages"
        )
    parent = load_benchmark(PARENT)
    say = progress or (lambda what, done, total: None)
    with staged_folder(out, NAME) as part:
        tables = []
        for i, code in enumerate(LANGUAGES):
            say(f"clips {code}", i, len(LANGUAGES))
            tables += [_write_clip(part, plan) for plan in plan_clips(code)]
        _copy_from_parent(parent, part, LANGUAGES)
        (part / "VOICES.txt").write_text(_CREDITS, encoding="utf8", newline="\n")
        write_manifest(part, _describe(), {code: f"lexicon/{code}.tsv" for code in LANGUAGES}, tables)
    say("done", len(LANGUAGES), len(LANGUAGES))
    return out


def _copy_from_parent(parent: Benchmark, part: Path, languages: Sequence[str]) -> None:
    for code in languages:
        shutil.copyfile(parent.lexicons[code], part / "lexicon" / f"{code}.tsv")
    assert parent.noise_folder is not None
    shutil.copyfile(parent.noise_folder / "babble.flac", part / "noise" / "babble.flac")


def _write_clip(part: Path, plan: Plan) -> str:
    # The source, the cluster of the bootstrap, is the sentence: two voices may say it.
    source = f"{plan.sentence.language}-{plan.sentence.id}"
    speech = speak_plan(plan)
    (table,) = write_clip(part, plan.id, plan.sentence, speech, plan.identity, plan.seed, source, EDITIONS)
    return f"\n# voice: {plan.voice.name} ({plan.voice.engine}){table}"


def _describe() -> dict[str, object]:
    return {
        "schema": 1,
        "name": NAME,
        "version": VERSION,
        "topology": OPENHEAD.name,
        "fps": FPS,
        "sample_rate": SAMPLE_RATE,
        "title": "Speech of held-out engines on the bundled head, 6 languages",
        "description": _DESCRIPTION,
        "license": _LICENSE,
        "notes": _NOTES,
        "noises": "noise",
    }
