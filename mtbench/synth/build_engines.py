"""The bundled benchmark ``openhead-engines``: sentences of ``openhead-20`` in the voices of held-out engines.

Conventions
-----------
The folder is that of :mod:`mtbench.synth.build`, for the six languages that flite and festival speak, or for those of
them that the voices of the shipped part speak: :mod:`mtbench.synth.engine_parts` says which clips are in which part
and half. A clip is one of :data:`SENTENCES`, all from test articles, in one of the language's voices in turn; level
and silence at both ends are as in ``openhead-20``. Reference phones are what the engine says that it spoke. Lexicons
and babble are those of ``openhead-20``, since they are the language's and not the engine's. Everything follows from the
clip's name and the engines' packages.

Two versions lie in the folder, which differ in motion alone (:data:`EDITIONS`): version 3 is animated by the rules
(setting ``default``), as version 2 of ``openhead-20`` is; version 4 by the varied articulation, as version 3 of
``openhead-20`` is. The motion of version 4 follows from ``phones/<clip>.tsv`` and the clip's name alone, so that it can
be made again without an engine.
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
from mtbench.synth.engine_parts import (
    SHIPPED,
    find_clip_voice,
    find_half,
    list_languages,
    part_name,
    voices_of,
)
from mtbench.synth.engine_terms import find_terms, list_packages, write_credits
from mtbench.synth.engines import EngineVoice, speak
from mtbench.synth.phones import INVENTORY, SILENCE
from mtbench.synth.speaking_styles import EVERYDAY
from mtbench.synth.texts import Sentence, test_texts
from mtbench.synth.utterances import Phone, Speech
from mtbench.timing import FPS, SAMPLE_RATE

#: The versions in the folder, the one that the bare name stands for first: its manifest is ``benchmark.toml``.
EDITIONS = (Edition("3"), Edition("4", "motion-4", "benchmark-4.toml", EVERYDAY))
#: Where lexicons and babble come from.
PARENT = "openhead-20"

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
    "Sentences of the Universal Declaration of Human Rights in {languages} languages, spoken by engines other than the "
    "one that the bundled recognizer was trained on: flite 2.2 and festival 2.5, {voices} voices made from human "
    "recordings. Ground truth from mtbench's {model}, timed by what the engines say that they spoke. For testing "
    "recognizers, not for ranking entries. "
)
_MODELS = {
    "3": "articulation model",
    "4": "varied articulation (lips move like people's, each occurrence of a sound is drawn anew)",
}
_EXTENT = {
    False: "The part that ships: voices whose sound may (VOICES.txt). Every voice's clips, these among them, are made "
    "by 'mtbench benchmark build openhead-engines --all'.",
    True: "All voices, those under the GNU General Public License too (VOICES.txt): built on demand, not shipped.",
}
_NOTES = (
    f"Phones: base IPA letters ({INVENTORY}), mapped from each engine's phone set. Lexicons and babble are those of "
    f"{PARENT}: pronunciations there are espeak's, British in English, while the English voices here are American. "
    "Each clip is of the development half, for choosing among checkpoints, or of the test half, for what is reported; "
    "the comment above it says which, and mtbench.synth.engine_parts how that follows from its name."
)
_HINDI = " The Hindi voice drops no inherent vowel and reads anusvara as m; reference phones say so."
_LICENSE = "Texts, phones, motion and noise: CC0-1.0. Sound: that of the voices in VOICES.txt, which has their terms."


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


def plan_clips(language: str, every_voice: bool = True) -> list[Plan]:
    """Return the clips of *language*, of every voice or of those whose sound ships."""
    from mtbench.faces import load_head

    identities = load_head().identity_names
    by_id = {s.id: s for s in test_texts(language)}
    number = list_languages(every_voice=True).index(language)
    plans = []
    for i in range(CLIPS.get(language, len(SENTENCES))):
        clip = f"{language}-{i + 1:02d}"
        voice = find_clip_voice(clip)
        if not (every_voice or find_terms(voice.name).ships):
            continue
        sentence = by_id[SENTENCES[i % len(SENTENCES)]]
        part = CUTS.get((language, sentence.id), slice(None))
        sentence = replace(sentence, words=sentence.words[part], spoken=sentence.spoken[part])
        seed = clip_seed(SHIPPED, clip)
        faces = [name for name in identities if ("-female-" if voice.female else "-male-") in name]
        face = faces[(i + number) % len(faces)]
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


def build_engines_benchmark(
    out_dir: Path | str, every_voice: bool = False, progress: Report | None = None
) -> Path:
    """Build the benchmark folder with all versions in it: ``openhead-engines``, or ``openhead-engines-all``.

    Parameters
    ----------
    out_dir : Path or str
        Must not exist, be empty, or hold an earlier build, which is replaced once the new one is complete.
    every_voice : bool
        All voices instead of those whose sound ships.
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
    languages = list_languages(every_voice)
    _require_voices(languages, every_voice)
    parent = load_benchmark(PARENT)
    say = progress or (lambda what, done, total: None)
    name = part_name(every_voice)
    with staged_folder(out, name) as part:
        voices: list[str] = []
        tables: dict[str, list[str]] = {edition.version: [] for edition in EDITIONS}
        for i, code in enumerate(languages):
            say(f"clips {code}", i, len(languages))
            plans = plan_clips(code, every_voice)
            voices += [plan.voice.name for plan in plans]
            for plan in plans:
                for edition, table in zip(EDITIONS, _write_clip(part, plan), strict=True):
                    tables[edition.version].append(table)
        _copy_from_parent(parent, part, languages)
        (part / "VOICES.txt").write_text(write_credits(voices), encoding="utf8", newline="\n")
        lexicons = {code: f"lexicon/{code}.tsv" for code in languages}
        for edition in EDITIONS:
            head = _describe(edition, every_voice, len(languages), len(set(voices)))
            write_manifest(part, head, lexicons, tables[edition.version], edition.manifest)
    say("done", len(languages), len(languages))
    return out


def _require_voices(languages: Sequence[str], every_voice: bool) -> None:
    """Raise ``PrerequisiteError`` with the packages to install where a voice is missing."""
    wanted = [v for code in languages for v in voices_of(code) if every_voice or find_terms(v.name).ships]
    absent = [v for v in wanted if not v.installed]
    if absent:
        raise PrerequisiteError(
            f"voices that are not installed: {', '.join(v.name for v in absent)}; on Debian: "
            f"apt-get install {' '.join(list_packages(absent))}"
        )


def _copy_from_parent(parent: Benchmark, part: Path, languages: Sequence[str]) -> None:
    for code in languages:
        shutil.copyfile(parent.lexicons[code], part / "lexicon" / f"{code}.tsv")
    assert parent.noise_folder is not None
    shutil.copyfile(parent.noise_folder / "babble.flac", part / "noise" / "babble.flac")


def _write_clip(part: Path, plan: Plan) -> list[str]:
    # The source, the cluster of the bootstrap, is the sentence: two voices may say it.
    source = f"{plan.sentence.language}-{plan.sentence.id}"
    speech = speak_plan(plan)
    tables = write_clip(part, plan.id, plan.sentence, speech, plan.identity, plan.seed, source, EDITIONS)
    head = f"\n# voice: {plan.voice.name} ({plan.voice.engine}), {find_half(plan.id)} half"
    return [head + table for table in tables]


def _describe(edition: Edition, every_voice: bool, languages: int, voices: int) -> dict[str, object]:
    told = _DESCRIPTION.format(languages=languages, voices=voices, model=_MODELS[edition.version])
    return {
        "schema": 1,
        "name": part_name(every_voice),
        "version": edition.version,
        "topology": OPENHEAD.name,
        "fps": FPS,
        "sample_rate": SAMPLE_RATE,
        "title": f"Speech of held-out engines on the bundled head, {languages} languages",
        "description": told + _EXTENT[every_voice],
        "license": _LICENSE,
        "notes": _NOTES + (_HINDI if every_voice else ""),
        **edition.articulation,
        "noises": "noise",
    }
