"""Recognizing crops and sound at hand, in one line: ``mtbench.transcribe``.

Conventions
-----------
Mouth crops are (T, 96, 96) uint8 gray at 25 fps, as ``mtbench render`` writes them; sound is mono in -1..1. A clip of N
samples at 16 kHz has ``ceil(N / 640)`` frames. torch uses one thread: the same text whatever the machine does besides.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.avsr import Hypothesis, Recognizer, load_recognizer
from mtbench.errors import UsageError
from mtbench.speech import (
    Lexicon,
    display_name,
    fit_length,
    language_code,
    load_audio,
    load_lexicon,
    resample,
)
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

#: Longest clip, in frames: four minutes.
MAX_FRAMES = 6000
#: Asks for the open vocabulary of the language.
OPEN = "open"


def transcribe(
    crops: np.ndarray | str | Path | None,
    sound: np.ndarray | str | Path | None,
    language: str,
    *,
    lexicon: Lexicon | str | Path | None = None,
    sample_rate: int = SAMPLE_RATE,
    recognizer: str | Recognizer = "openhead-av",
) -> Hypothesis:
    """Return what the recognizer understands of a mouth, a sound, or both.

    Parameters
    ----------
    crops : (T, 96, 96) uint8, path of such an npy, or None
        Mouth crops at 25 fps; None: sound alone.
    sound : (N,) float in -1..1 or int16, path of a sound file, or None
        Mono; N = 640 T at 16 kHz, less than a frame more or fewer at the end. None: mouth alone.
    language : str
        ISO 639-3 or 639-1 code, or English name.
    lexicon : Lexicon, str or Path, optional
        The words that may be said: a lexicon file, the name of a benchmark that has one for *language*, or ``"open"``:
        the language's commonest words (:func:`mtbench.synth.open_vocabulary`, extra ``[synth]``; made on first use).
        Without it the bundled recognizer's text is the phones themselves.
    sample_rate : int
        Samples per second of an array; another than 16,000 is resampled. A file knows its own.
    recognizer : str or Recognizer
        Name, see :func:`mtbench.avsr.registry.load_recognizer`; loaded once.

    Returns
    -------
    Hypothesis
        ``text``, and ``phones`` (None where the recognizer has none).

    Raises
    ------
    UsageError
        Where both are None, shapes or lengths do not fit, the language is unknown or not the recognizer's.
    BenchmarkError
        For a sound file or lexicon that cannot be read.
    PrerequisiteError
        Without the extra ``[judge]``, or without ``[synth]`` for the open vocabulary.

    Examples
    --------
    >>> clip = mtbench.load_benchmark("openhead-20")["eng-01"]  # doctest: +SKIP
    >>> mtbench.transcribe(None, clip.load_audio(), "eng", lexicon="openhead-20").text  # doctest: +SKIP
    'all human beings are born free and equal in dignity and rights'
    """
    from mtbench.work import single_threaded_torch

    if crops is None and sound is None:
        raise UsageError("neither crops nor sound: give the recognizer something to see or to hear")
    mouth = None if crops is None else _check_crops(crops)
    audio = None if sound is None else _check_sound(sound, sample_rate)
    if audio is not None:
        frames = -(-len(audio) // SAMPLES_PER_FRAME)
        if mouth is None:
            audio = fit_length(audio, frames * SAMPLES_PER_FRAME)
        elif abs(len(audio) - len(mouth) * SAMPLES_PER_FRAME) >= SAMPLES_PER_FRAME:
            raise UsageError(
                f"{len(mouth)} mouth crops ({len(mouth) / 25:.2f} s at 25 fps), but sound of {frames} frames "
                f"({len(audio) / SAMPLE_RATE:.2f} s): another frame rate, or not the same clip?"
            )
        else:
            audio = fit_length(audio, len(mouth) * SAMPLES_PER_FRAME)
    if not isinstance(language, str):
        raise UsageError(f"language must be a code or name, e.g. 'ita', not {language!r}")
    listener = _load(recognizer) if isinstance(recognizer, str) else recognizer
    # A recognizer of one's own may know languages that mtbench has no name for.
    code = language if language in listener.languages else language_code(language)
    if code not in listener.languages:
        raise UsageError(
            f"{listener.name} does not know {display_name(code)} ({code}); it knows "
            f"{', '.join(sorted(listener.languages))}"
        )
    words = _find_lexicon(lexicon, code)
    with single_threaded_torch():
        return listener.transcribe(mouth, [audio], code, words)[0]


@lru_cache(maxsize=2)
def _load(name: str) -> Recognizer:
    return load_recognizer(name)


def _find_lexicon(lexicon: Lexicon | str | Path | None, code: str) -> Lexicon | None:
    if lexicon is None or isinstance(lexicon, Lexicon):
        return lexicon
    from mtbench.benchmarks import load_benchmark

    if Path(lexicon).is_file():
        return load_lexicon(lexicon)
    if lexicon == OPEN:
        from mtbench.synth import OPEN_WORDS, open_vocabulary

        return open_vocabulary(code, OPEN_WORDS).load()
    benchmark = load_benchmark(lexicon)
    found = benchmark.lexicon(code)
    if found is None:
        raise UsageError(f"benchmark {benchmark.ref} has no lexicon for {display_name(code)} ({code})")
    return found


def _check_crops(crops: np.ndarray | str | Path) -> np.ndarray:
    if isinstance(crops, str | Path):
        from mtbench.files import ArrayFileError, open_arrays

        try:
            with open_arrays(Path(crops), MAX_FRAMES * 96 * 96 + 4096) as file:
                crops = file.read("", MAX_FRAMES * 96 * 96) if "" in file.headers else np.zeros(0)
        except ArrayFileError as error:
            raise UsageError(f"crops ({crops}): {error} — {error.hint}") from None
        except OSError as error:
            raise UsageError(
                f"crops ({crops}) cannot be read ({error.strerror or error}); check the path"
            ) from None
    array = np.asarray(crops)
    if array.ndim != 3 or array.shape[1:] != (96, 96) or array.dtype != np.uint8 or not len(array):
        raise UsageError(
            f"crops are {array.shape} {array.dtype}, expected (T, 96, 96) uint8, gray at 25 fps: what 'mtbench render' "
            "writes"
        )
    if len(array) > MAX_FRAMES:
        raise UsageError(f"{len(array)} mouth crops, at most {MAX_FRAMES}: cut the clip")
    return np.ascontiguousarray(array)


def _check_sound(sound: np.ndarray | str | Path, sample_rate: int) -> np.ndarray:
    if isinstance(sound, str | Path):
        audio = load_audio(Path(sound))
    else:
        array = np.asarray(sound)
        if array.ndim != 1 or not len(array):
            raise UsageError(
                f"sound has shape {array.shape}, expected (N,) mono samples; average its channels first"
            )
        if array.dtype == np.int16:
            array = array.astype(np.float32) / np.float32(32768)
        if array.dtype.kind != "f":
            raise UsageError(f"sound holds {array.dtype}, expected floating point in -1..1, or int16")
        peak = float(np.abs(array).max())
        if not peak <= 1.0:
            cause = "16-bit values? divide by 32768" if peak > 2 else "scale it into that range"
            raise UsageError(f"sound reaches {peak:.4g}, expected -1..1: {cause}")
        if not 1000 <= sample_rate <= 768_000:
            raise UsageError(f"sample_rate must be 1,000 to 768,000 samples per second, not {sample_rate!r}")
        audio = resample(np.ascontiguousarray(array, np.float32), int(sample_rate))
        audio = audio / max(np.float32(1), np.abs(audio).max())  # filters overshoot
    if len(audio) > MAX_FRAMES * SAMPLES_PER_FRAME:
        raise UsageError(
            f"{len(audio) / SAMPLE_RATE:.0f} s of sound, at most {MAX_FRAMES / 25:.0f} s: cut the clip"
        )
    return audio
