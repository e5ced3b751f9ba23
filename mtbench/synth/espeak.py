"""Speech with timed phones from espeak-ng, through its C interface.

Conventions
-----------
Audio is (N,) float32 mono at 16 kHz, -1..1; times are seconds from its first sample. Phones are letters of
:data:`mtbench.synth.phones.PHONES` in order of time, without gaps: pauses are segments too
(:data:`~mtbench.synth.phones.SILENCE`), and so are lead-in and end. Diphthongs and affricates are several
phones.

The engine's event of a voiceless stop marks its burst; the silence of the closure lies before it. Such phones
are given :data:`mtbench.synth.espeak_segments.CLOSURE` seconds of the segment before (never more than half of it),
so that a phone's interval is closure and burst, and :attr:`mtbench.synth.utterances.Phone.release` is the moment of
the burst. Voiced stops and nasals are marked at the start of their closure.

The engine keeps state between utterances (a running glottal phase, flutter), which would make sound and
length depend on what was said before, and seeds its breath noise by the clock. Each utterance is therefore
spoken by a freshly loaded library (0.4 ms) with a fixed seed: the same text and voice give the same samples
always. One thread at a time.

The library is GPL-3 and comes with PyPI's ``espeakng-loader`` 0.2.4 (espeak-ng 1.52.0, extra ``[synth]``); it
is never needed for scoring.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.synth.espeak_segments import ENGINE_RATE, read_events
from mtbench.synth.utterances import Speech
from mtbench.synth.voices import Voice

_UP, _DOWN = 320, 441
# Constants of speak_lib.h.
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x0001, 0x0002, 0x8000
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_void_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Recorder:
    """Collects what the engine hands out while it speaks."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        #: (True, character position) for words, (False, symbol) for phonemes; each with its sample.
        self.events: list[tuple[bool, int | str, int]] = []
        self.callback = _Callback(self._receive)

    def _receive(self, wave: object, count: int, events: object) -> int:
        if wave and count > 0:
            self.chunks.append(np.ctypeslib.as_array(wave, (count,)).copy())  # type: ignore[arg-type, call-overload]
        i = 0
        while True:
            event = events[i]  # type: ignore[index]
            kind = event.type
            if kind == _EVENT_END:
                return 0
            if kind == _EVENT_PHONEME:
                self.events.append((False, event.id.string.decode("utf8", "ignore"), event.sample))
            elif kind == _EVENT_WORD:
                self.events.append((True, event.text_position, event.sample))
            i += 1

    def clear(self) -> None:
        self.chunks = []
        self.events = []


def _close(handle: int) -> None:
    if sys.platform == "win32":
        import _ctypes

        _ctypes.FreeLibrary(handle)
    else:
        import _ctypes

        _ctypes.dlclose(handle)


class Espeak:
    """The engine; cheap to make, one per process is enough.

    Raises
    ------
    PrerequisiteError
        Where the extra ``[synth]`` is not installed or the library cannot be loaded.

    Examples
    --------
    >>> speech = Espeak().speak("Ogni individuo ha diritto.", Voice("ita", "f3"))  # doctest: +SKIP
    >>> [p.symbol for p in speech.phones][:4]  # doctest: +SKIP
    ['sil', 'ɔ', 'ɲ', 'i']
    """

    _lock = threading.Lock()

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as e:
            raise PrerequisiteError(
                "synthetic speech needs the package espeakng-loader, which is not installed; "
                "install the extra: pip install 'multitalk-bench[synth]'"
            ) from e
        self._library = str(espeakng_loader.get_library_path())
        self._data = str(espeakng_loader.get_data_path()).encode()
        folder = Path(str(espeakng_loader.get_data_path())) / "voices" / "!v"
        self._variants = frozenset(p.name for p in folder.iterdir())
        # Where the engine's own generator isn't used, the C library's is (voices Reed and caleb).
        self._c = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
        self._recorder = _Recorder()
        self.version = self._run("", None).decode()

    def _run(self, text: str, voice: Voice | None) -> bytes:
        """Load the engine, speak into the recorder, unload it; return its version."""
        try:
            lib = ctypes.CDLL(self._library)
        except OSError as e:
            raise PrerequisiteError(
                f"{self._library}: the speech engine cannot be loaded ({e}); reinstall espeakng-loader 0.2.4"
            ) from e
        try:
            lib.espeak_Info.restype = ctypes.c_char_p
            # A long buffer means few callbacks.
            rate = lib.espeak_Initialize(
                _SYNCHRONOUS, 2000, self._data, _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
            )
            if rate != ENGINE_RATE:
                raise PrerequisiteError(
                    f"{self._library}: the speech engine gives {rate} Hz, expected {ENGINE_RATE}; its "
                    f"data folder may be damaged: reinstall espeakng-loader 0.2.4"
                )
            version = bytes(lib.espeak_Info(None))
            if voice is not None:
                lib.espeak_ng_SetRandSeed(ctypes.c_long(1))
                self._c.srand(1)
                lib.espeak_SetSynthCallback(self._recorder.callback)
                self._recorder.clear()
                # The engine itself takes an unknown variant for its default speaker.
                known = voice.variant in self._variants
                if not known or lib.espeak_SetVoiceByName(voice.name.encode()) != 0:
                    raise UsageError(f"the speech engine has no voice {voice.name!r}")
                for key, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
                    lib.espeak_SetParameter(key, value, 0)
                data = text.encode() + b"\0"
                if lib.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None) != 0:
                    raise UsageError(f"the speech engine refused the text {text[:60]!r}")
                lib.espeak_Synchronize()
            lib.espeak_Terminate()
            return version
        finally:
            _close(lib._handle)

    def speak(self, text: str, voice: Voice) -> Speech:
        """Speak *text*.

        Parameters
        ----------
        text : str
            Plain text; tokens are separated by blanks.
        voice : Voice
            Language and speaker.

        Returns
        -------
        Speech
            The same for the same arguments, whatever was said before.

        Raises
        ------
        UsageError
            For an unknown voice.
        mtbench.synth.phones.UnknownPhoneError
            Where the engine says a symbol outside the inventory.
        """
        with self._lock:
            self._run(text, voice)
            chunks, events = self._recorder.chunks, self._recorder.events
            self._recorder.clear()
        wave = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        audio = _resample(wave)
        phones, words = read_events(events, text, wave, voice.language)
        return Speech(audio, phones, words)


@lru_cache(maxsize=1)
def _lowpass() -> np.ndarray:
    """Return the anti-aliasing filter at 320 times the engine's rate: 8 zero crossings, Kaiser 5."""
    half = 8 * _DOWN
    n = np.arange(-half, half + 1)
    taps = np.sinc(n / _DOWN) * np.kaiser(2 * half + 1, 5.0)
    return (taps / taps.sum()).astype(np.float32)


def _resample(wave: np.ndarray) -> np.ndarray:
    """Return int16 samples at 22.05 kHz as float32 at 16 kHz; zero phase."""
    if not len(wave):
        return np.zeros(0, np.float32)
    from scipy.signal import resample_poly

    x = wave.astype(np.float32) * np.float32(1 / 32768)
    return resample_poly(x, _UP, _DOWN, window=_lowpass()).astype(np.float32, copy=False)
