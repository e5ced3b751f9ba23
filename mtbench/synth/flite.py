"""Speech with timed phones from flite's American voices, through its C libraries.

Conventions
-----------
See :mod:`mtbench.synth.engine_segments`. Debian's package ``flite`` 2.2 brings the libraries; the voices are those
of :data:`VOICES`. Tokens of the text and stress are read from the engine's utterance structure, which the program
``flite`` does not print.

Only ever used for testing: nothing is trained on these voices.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
from functools import lru_cache

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech import resample
from mtbench.synth.engine_segments import Recording, join_ends

SAMPLE_RATE = 16_000
#: Voices by name: stem of the library, suffix of its register function.
VOICES: dict[str, str] = {
    "awb": "cmu_us_awb",
    "kal16": "cmu_us_kal16",
    "rms": "cmu_us_rms",
    "slt": "cmu_us_slt",
}

_lock = threading.Lock()


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


def _open(stem: str) -> ctypes.CDLL | None:
    """Return the shared library ``lib<stem>``, or None where it is not installed."""
    name = ctypes.util.find_library(stem) or f"lib{stem}.so.1"
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None


@lru_cache(maxsize=1)
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)


@lru_cache(maxsize=1)
def _engine() -> ctypes.CDLL | None:
    """Return the engine's library with the types of what is called here, or None."""
    lib = _open("flite")
    if lib is None:
        return None
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("flite_init", ctypes.c_int, []),
        ("flite_synth_text", pointer, [text, pointer]),
        ("utt_relation", pointer, [pointer, text]),
        ("utt_wave", ctypes.POINTER(_Wave), [pointer]),
        ("delete_utterance", None, [pointer]),
        ("relation_head", pointer, [pointer]),
        ("item_next", pointer, [pointer]),
        ("item_set_int", None, [pointer, text, ctypes.c_int]),
        ("item_feat_string", text, [pointer, text]),
        ("item_feat_float", ctypes.c_float, [pointer, text]),
        ("ffeature_string", text, [pointer, text]),
        ("ffeature_int", ctypes.c_int, [pointer, text]),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    lib.flite_init()
    return lib


@lru_cache(maxsize=len(VOICES))
def _load_voice(name: str) -> int | None:
    """Return the engine's pointer to a voice, or None where engine or voice are not installed."""
    if _engine() is None or name not in VOICES:
        return None
    library = _open(f"flite_{VOICES[name]}")
    if library is None:
        return None
    register = getattr(library, f"register_{VOICES[name]}")
    register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return register(None)


def has_flite_voice(name: str) -> bool:
    """Return whether engine and voice are there."""
    with _lock:
        return _load_voice(name) is not None


def speak_flite(text: str, voice: str) -> Recording:
    """Speak English *text*.

    Parameters
    ----------
    text : str
        Plain ASCII text.
    voice : str
        One of :data:`VOICES`.

    Returns
    -------
    Recording
        The same for the same arguments.

    Raises
    ------
    PrerequisiteError
        Where engine or voice are not installed.
    UsageError
        Where the text is not ASCII (the engine would spell it out).
    """
    if not text.isascii():
        raise UsageError(f"flite reads ASCII only: {text[:60]!r}")
    with _lock:
        pointer, lib = _load_voice(voice), _engine()
        if pointer is None or lib is None:
            raise PrerequisiteError(
                f"flite's voice {voice!r} is not installed (known: {', '.join(VOICES)}); "
                "on Debian: apt-get install flite"
            )
        # The vocoder's noise comes from the C library's generator.
        _c_library().srand(1)
        utterance = lib.flite_synth_text(text.encode("ascii"), pointer)
        if not utterance:
            raise UsageError(f"flite's voice {voice!r} could not say {text[:60]!r}")
        try:
            wave = lib.utt_wave(utterance).contents
            samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32)
            rate = int(wave.sample_rate)
            # Numbered from 1, because a path that leads nowhere gives 0.
            for number, token in enumerate(_items(lib, utterance, b"Token"), 1):
                lib.item_set_int(token, b"mtbench_number", number)
            rows = [
                (
                    lib.item_feat_string(item, b"name").decode("ascii"),
                    float(lib.item_feat_float(item, b"end")),
                    lib.ffeature_string(item, b"R:SylStructure.parent.stress") == b"1",
                    lib.ffeature_int(item, b"R:SylStructure.parent.parent.R:Token.parent.mtbench_number") - 1,
                )
                for item in _items(lib, utterance, b"Segment")
            ]
        finally:
            lib.delete_utterance(utterance)
    audio = samples / np.float32(32768)
    if rate != SAMPLE_RATE:
        audio = np.clip(resample(audio, rate, SAMPLE_RATE), -1.0, 1.0)
    return Recording(audio.astype(np.float32, copy=False), join_ends(rows))


def _items(lib: ctypes.CDLL, utterance: int, relation: bytes) -> list[int]:
    """Return pointers to the top items of a relation."""
    items = []
    item = lib.relation_head(lib.utt_relation(utterance, relation))
    while item:
        items.append(item)
        item = lib.item_next(item)
    return items
