"""The bundled benchmark ``openhead-20``: speech, lexicons, ground-truth motion and noises in one folder.

Conventions
-----------
See :mod:`mtbench.benchmarks.benchmark` for the folder. Every language says the same six sentences of the Declaration
(:data:`SENTENCES`, all of them from articles that training never says) in six of the test voices. A clip is
2.5 to 6 s long, a whole number of frames of 640 samples, with a little silence at both ends. Everything
follows from the clip's name: the same bytes on every rebuild with the same packages.

Two versions lie in the folder, which differ in motion alone (:data:`EDITIONS`): version 2 was animated by the rules,
version 3 by the varied articulation. ``motion/<clip>.npz`` and ``motion-3/<clip>.npz`` hold ``units`` (T, 55) float32,
the facial-unit curves, and ``identity``, whose face they move; ``phones/<clip>.tsv`` has a phone a line with start, end
and, for stops and nasals, the release of the closure, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtbench.faces import OPENHEAD
from mtbench.speech import LANGUAGES, language_code, write_lexicon
from mtbench.synth.benchmark_writer import (
    SHORTEST,
    Edition,
    Report,
    clip_seed,
    frame_speech,
    set_level,
    staged_folder,
    write_clip,
    write_flac,
    write_manifest,
)
from mtbench.synth.espeak import Espeak
from mtbench.synth.lexicon_builder import build_lexicon
from mtbench.synth.noise_builder import make_noises
from mtbench.synth.phones import INVENTORY
from mtbench.synth.speaking_styles import EVERYDAY
from mtbench.synth.texts import Sentence, test_texts
from mtbench.synth.utterances import Speech
from mtbench.synth.voices import TEST_VOICES, Voice
from mtbench.timing import FPS, SAMPLE_RATE

NAME = "openhead-20"
#: The versions in the folder, the one that the bare name stands for first: its manifest is ``benchmark.toml``.
EDITIONS = (Edition("3", "motion-3", manner=EVERYDAY), Edition("2", manifest="benchmark-2.toml"))

#: What every language says.
SENTENCES: tuple[str, ...] = (
    "udhr-01.1.1", "udhr-03.1.1", "udhr-06.1.1", "udhr-09.1.1", "udhr-15.1.1", "udhr-20.2.1",
)  # fmt: skip

#: Where a sentence is too long for a clip: which of its words are said (whole clauses).
CUTS: dict[tuple[str, str], slice] = {
    ("spa", "udhr-01.1.1"): slice(0, 12),
    ("tha", "udhr-01.1.1"): slice(0, 12),
    ("jpn", "udhr-01.1.1"): slice(0, 8),
    ("jpn", "udhr-06.1.1"): slice(7, None),
}

#: Longest clip, in seconds.
LONGEST = 6.0
#: Words per minute that are tried, the preferred rate of the clip first.
_RATES = (130, 190)

_WOMEN = frozenset({"f3", "linda", "belinda", "Alicia"})

_DESCRIPTION = (
    "Six parallel sentences of the Universal Declaration of Human Rights in each language, spoken by "
    "espeak-ng 1.52 (npm udhr 6.0.0; voices and articles disjoint from those of the bundled recognizer's "
    "training), with ground truth from mtbench's {model}. No human was recorded: results rank "
    "systems on this benchmark only. Noises are synthetic too: babble of 24 synthetic voices, noise with its "
    "spectrum, and music-like sound."
)
_MODELS = {
    "2": "articulation model",
    "3": "varied articulation, whose lips move like people's: each occurrence of a sound is drawn anew",
}
_NOTES = (
    f"Phones: base IPA letters ({INVENTORY}). Lexicons are closed: they hold the words of the whole "
    "Declaration, test sentences included; counts are those of the training articles. Arabic is read without "
    "vowel marks, so that the engine guesses vowels. Thai is approximate: its romanisation is read by an "
    "Indonesian voice. Words of Japanese, Mandarin and Thai are separated by blanks in transcripts."
)


@dataclass(frozen=True)
class _Plan:
    """What a clip is made of."""

    id: str
    sentence: Sentence
    voice: Voice
    identity: str
    seed: int


def build_openhead20(
    out_dir: Path | str, languages: Sequence[str] | None = None, progress: Report | None = None
) -> Path:
    """Build the benchmark's folder, with all versions in it.

    Parameters
    ----------
    out_dir : Path or str
        Must not exist, be empty, or hold an earlier build, which is replaced once the new one is complete.
    languages : sequence of str, optional
        Build only these (for tests): a clip's bytes don't depend on the others.
    progress : callable, optional
        Called with (what is being made, steps done, steps in all).

    Returns
    -------
    Path
        *out_dir*.

    Raises
    ------
    PrerequisiteError
        Where the extra ``[synth]`` or the texts are missing.
    UsageError
        Where *out_dir* holds something else, or a language is unknown.
    """
    out = Path(out_dir)
    wanted = {language_code(name) for name in languages} if languages else set(LANGUAGES)
    codes = tuple(code for code in LANGUAGES if code in wanted)
    say = progress or (lambda what, done, total: None)
    steps = 2 * len(codes) + 1
    with staged_folder(out, NAME) as part:
        engine = Espeak()
        tables: dict[str, list[str]] = {edition.version: [] for edition in EDITIONS}
        for i, code in enumerate(codes):
            say(f"clips {code}", 2 * i, steps)
            for plan in plan_clips(code, engine):
                for edition, table in zip(EDITIONS, _write_clip(part, plan, engine), strict=True):
                    tables[edition.version].append(table)
            say(f"lexicon {code}", 2 * i + 1, steps)
            write_lexicon(build_lexicon(code, engine), part / "lexicon" / f"{code}.tsv")
        say("noises", steps - 1, steps)
        for name, noise in make_noises(engine).items():
            write_flac(part / "noise" / f"{name}.flac", noise)
        lexicons = {code: f"lexicon/{code}.tsv" for code in codes}
        for edition in EDITIONS:
            write_manifest(part, _describe(edition), lexicons, tables[edition.version], edition.manifest)
    say("done", steps, steps)
    return out


def plan_clips(language: str, engine: Espeak) -> list[_Plan]:
    """Return the clips of *language*: sentence, voice whose rate makes it fit, identity."""
    from mtbench.faces import load_head

    identities = load_head().identity_names
    by_id = {s.id: s for s in test_texts(language)}
    number = list(LANGUAGES).index(language)
    plans = []
    for i, sentence_id in enumerate(SENTENCES):
        sentence = cut_sentence(by_id[sentence_id])
        clip = f"{language}-{i + 1:02d}"
        seed = clip_seed(NAME, clip)
        rng = np.random.Generator(np.random.PCG64(seed))
        # Steps that are coprime to the number of voices and identities, so that all get their turn.
        variant = TEST_VOICES[(3 * i + 7 * number) % len(TEST_VOICES)]
        kind = "-female-" if variant in _WOMEN else "-male-"
        faces = [name for name in identities if kind in name]
        voice = Voice(
            language,
            variant,
            int(rng.integers(145, 171)),
            int(rng.integers(40, 61)),
            int(rng.integers(40, 61)),
        )
        voice = fit_rate(sentence, voice, engine)
        plans.append(_Plan(clip, sentence, voice, faces[(i + number) % len(faces)], seed))
    return plans


def cut_sentence(sentence: Sentence) -> Sentence:
    """Return *sentence* as far as a clip says it."""
    part = CUTS.get((sentence.language, sentence.id), slice(None))
    return replace(sentence, words=sentence.words[part], spoken=sentence.spoken[part])


def fit_rate(sentence: Sentence, voice: Voice, engine: Espeak) -> Voice:
    """Return *voice* at the rate nearest to its own at which *sentence* fits into a clip.

    Raises
    ------
    ValueError
        Where none does: such a sentence belongs into :data:`CUTS`.
    """
    slow, fast = _RATES
    for rate in sorted(range(slow, fast + 1, 5), key=lambda r: (abs(r - voice.rate), r)):
        tried = replace(voice, rate=rate)
        # Silence is added: at least 0.3 s, and up to 0.8 s where the sentence is short.
        if SHORTEST - 0.8 <= engine.speak(" ".join(sentence.spoken), tried).duration <= LONGEST - 0.36:
            return tried
    raise ValueError(f"{sentence.language} {sentence.id} fits at no rate of {slow} to {fast}")


def speak_clip(sentence: Sentence, voice: Voice, seed: int, engine: Espeak) -> Speech:
    """Return the clip's speech: level set, silence around, a whole number of frames."""
    return set_level(frame_speech(engine.speak(" ".join(sentence.spoken), voice), seed))


def _write_clip(part: Path, plan: _Plan, engine: Espeak) -> list[str]:
    speech = speak_clip(plan.sentence, plan.voice, plan.seed, engine)
    source = f"{plan.sentence.language}-{plan.sentence.id}"
    return write_clip(part, plan.id, plan.sentence, speech, plan.identity, plan.seed, source, EDITIONS)


def _describe(edition: Edition) -> dict[str, object]:
    return {
        "schema": 1,
        "name": NAME,
        "version": edition.version,
        "topology": OPENHEAD.name,
        "fps": FPS,
        "sample_rate": SAMPLE_RATE,
        "title": "Synthetic speech and articulation on the bundled head, 20 languages",
        "description": _DESCRIPTION.format(model=_MODELS[edition.version]),
        "license": "CC0-1.0",
        "notes": _NOTES,
        **edition.articulation,
        "noises": "noise",
    }
