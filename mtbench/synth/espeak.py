"""Speech with timed phones from espeak-ng, through its C interface.

Conventions
-----------
Audio is (N,) float32 mono at 16 kHz, -1..1; times are seconds from its first sample. Phones are letters of
:data:`mtbench.synth.phones.PHONES` in order of time, without gaps: pauses are segments too
(:data:`~mtbench.synth.phones.SILENCE`), and so are lead-in and end. Diphthongs and affricates are several
phones.

The engine's event of a voiceless stop marks its burst; the silence of the closure lies before it. Such phones
are given :data:`CLOSURE` seconds of the segment before (never more than half of it), so that a phone's
interval is closure and burst, and :attr:`Phone.release` is the moment of the burst. Voiced stops and nasals
are marked at the start of their closure.

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
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.synth.phones import SILENCE, VOWELS, normalize, shares
from mtbench.synth.voices import Voice
from mtbench.timing import SAMPLE_RATE

#: Seconds of silence that the engine puts before the burst of a voiceless stop (measured: 42..44 ms).
CLOSURE = 0.045

#: Pauses shorter than this (seconds) belong to the phone before.
_SHORTEST_PAUSE = 0.04
#: A "pause" up to this long, with more than this part of the utterance's mean power, is a sound.
_LONGEST_SOUND, _AUDIBLE = 0.09, 0.02

_ENGINE_RATE = 22_050
_UP, _DOWN = 320, 441
_VOICELESS_STOPS = frozenset("ptʈckq")
_VOICED_STOPS = frozenset("bdɖɟɡ")
_GLIDES = frozenset("jwɥ")
_NASALS = frozenset("mnɲŋ")

# Constants of speak_lib.h.
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x0001, 0x0002, 0x8000
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1


@dataclass(frozen=True)
class Phone:
    """A phone or a pause with its time.

    Attributes
    ----------
    symbol : str
        Member of :data:`~mtbench.synth.phones.PHONES`, or ``"sil"``.
    start, end : float
        Seconds.
    release : float or None
        For stops and nasals the moment when the closure of the mouth, which begins at ``start``, opens; None
        for all other phones.
    """

    symbol: str
    start: float
    end: float
    release: float | None = None


@dataclass(frozen=True)
class Word:
    """A blank-separated token of the spoken text with its time.

    Attributes
    ----------
    index : int
        Of the token in the text. The engine says some pairs as one ("of the"): then the second has no Word.
    text : str
        The token.
    start, end : float
        Seconds.
    phones : slice
        Of :attr:`Speech.phones`; pauses within are possible, at the ends they are not.
    fused : bool
        Whether the engine said the token as one with a neighbour, so that its phones may not be its own.
    """

    index: int
    text: str
    start: float
    end: float
    phones: slice
    fused: bool = False


@dataclass(frozen=True)
class Speech:
    """An utterance.

    Attributes
    ----------
    audio : (N,) float32
        Mono, 16 kHz.
    phones : tuple of Phone
        Without gaps from 0 to ``len(audio) / 16000``.
    words : tuple of Word
        In order.
    """

    audio: np.ndarray
    phones: tuple[Phone, ...]
    words: tuple[Word, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.audio) / SAMPLE_RATE

    @property
    def symbols(self) -> tuple[str, ...]:
        """Phones without times and pauses."""
        return tuple(p.symbol for p in self.phones if p.symbol != SILENCE)


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
            if rate != _ENGINE_RATE:
                raise PrerequisiteError(
                    f"{self._library}: the speech engine gives {rate} Hz, expected {_ENGINE_RATE}; its "
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
        phones, words = _read_events(events, text, wave, voice.language)
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


@dataclass
class _Segment:
    symbol: str
    start: float
    end: float
    release: float | None
    token: int


def _read_events(
    events: list[tuple[bool, int | str, int]], text: str, wave: np.ndarray, language: str
) -> tuple[tuple[Phone, ...], tuple[Word, ...]]:
    """Turn the engine's events into phones without gaps and words; *wave* is at the engine's rate."""
    total = len(wave) / _ENGINE_RATE
    token_ends, tokens = _find_tokens(text)
    marks: list[tuple[tuple[str, ...], float, int]] = []
    token = 0
    positions: list[int] = []
    for is_word, value, sample in events:
        if is_word:
            positions.append(int(value) - 1)
            # After a full stop the engine's position is that of the blank before the word.
            token = max(token, min(bisect_right(token_ends, positions[-1]), len(tokens) - 1))
        else:
            marks.append((normalize(str(value), language), min(sample / _ENGINE_RATE, total), token))
    segments: list[_Segment] = []
    if marks and marks[0][1] > 0:
        segments.append(_Segment(SILENCE, 0.0, marks[0][1], None, 0))
    before: tuple[str, ...] = ()
    for i, (phones, start, token) in enumerate(marks):
        end = marks[i + 1][1] if i + 1 < len(marks) else total
        if end <= start:
            # A phone of no duration is heard all the same, within its neighbor: a glide in the vowel that it
            # leads to (French "loi"), a lateral in the vowel that it closes (Catalan "igual").
            if phones and set(phones) <= _GLIDES:
                before = phones
            elif phones:
                _split_last(segments, phones, token)
            continue
        _append_segments(segments, (*before, *phones) or (SILENCE,), start, end, token)
        before = ()
    segments = _settle_pauses(segments, wave)
    _give_closures(segments)
    return _finish(segments, total, tokens, _find_fused(positions, token_ends, tokens))


def _find_fused(positions: list[int], ends: list[int], tokens: list[str]) -> frozenset[int]:
    """Return the tokens that the engine said together: those that begin inside one of its words."""
    fused: set[int] = set()
    if not positions:
        return frozenset()
    for here, after in zip(positions, [*positions[1:], len(tokens) and ends[-1]], strict=True):
        own = min(bisect_right(ends, here), len(tokens) - 1)
        i = own + 1
        while i < len(tokens) and ends[i] - len(tokens[i]) < after:
            fused.update((own, i))
            i += 1
    return frozenset(fused)


def _find_tokens(text: str) -> tuple[list[int], list[str]]:
    """Return where the blank-separated tokens of *text* end (characters), and the tokens."""
    ends, tokens = [], []
    position = 0
    for token in text.split():
        position = text.index(token, position) + len(token)
        ends.append(position)
        tokens.append(token)
    return ends, tokens


def _append_segments(
    segments: list[_Segment], phones: tuple[str, ...], start: float, end: float, token: int
) -> None:
    time = start
    for phone, share in zip(phones, shares(phones), strict=True):
        until = time + share * (end - start)
        if phone == SILENCE and segments and segments[-1].symbol == SILENCE:
            segments[-1].end = until
        else:
            segments.append(_Segment(phone, time, until, None, token))
        time = until
    segments[-1].end = end


def _split_last(segments: list[_Segment], phones: tuple[str, ...], token: int) -> None:
    """Give *phones* the last two fifths of the sound before them; nothing where there is none in their word."""
    if not segments or segments[-1].symbol == SILENCE or segments[-1].token != token:
        return
    end = segments[-1].end
    segments[-1].end -= 0.4 * (end - segments[-1].start)
    _append_segments(segments, phones, segments[-1].end, end, token)


def _settle_pauses(segments: list[_Segment], wave: np.ndarray) -> list[_Segment]:
    """Tell pauses from sounds that the engine gives no symbol, and drop pauses too short to be any.

    Those sounds are the glide after i before a vowel, which becomes ``j``, and the short vowel that leads
    into a trill, whose time goes to the trill; others go to the phone before.
    """
    energy = np.concatenate([[0], np.cumsum(wave.astype(np.int64) ** 2)])

    def power(start: float, end: float) -> float:
        a, b = round(start * _ENGINE_RATE), round(end * _ENGINE_RATE)
        return float(energy[b] - energy[a]) / max(b - a, 1)

    audible = _AUDIBLE * power(0.0, len(wave) / _ENGINE_RATE)
    settled: list[_Segment] = []
    for i, s in enumerate(segments):
        after = segments[i + 1] if i + 1 < len(segments) else None
        if s.symbol != SILENCE or not settled or after is None:
            settled.append(s)
        elif s.end - s.start < _LONGEST_SOUND and power(s.start, s.end) > audible:
            if after.symbol in "rɾ":
                after.start = s.start
            elif settled[-1].symbol in "iɪ" and after.symbol in VOWELS:
                settled.append(_Segment("j", s.start, s.end, None, s.token))
            else:
                settled[-1].end = s.end
        elif s.end - s.start < _SHORTEST_PAUSE + (CLOSURE if after.symbol in _VOICELESS_STOPS else 0):
            settled[-1].end = s.end
        else:
            settled.append(s)
    return settled


def _give_closures(segments: list[_Segment]) -> None:
    """Move the starts of voiceless stops before their bursts; set the releases."""
    for i, s in enumerate(segments):
        if s.symbol in _VOICELESS_STOPS:
            s.release = s.start
            if i:
                before = segments[i - 1]
                s.start -= min(CLOSURE, 0.5 * (before.end - before.start))
                before.end = s.start
        elif s.symbol in _VOICED_STOPS:
            # Measured: energy rises some 25 ms before the next event.
            s.release = s.end - min(0.025, 0.4 * (s.end - s.start))
        elif s.symbol in _NASALS:
            s.release = s.end
    for s in segments:
        if s.release is not None:
            s.release = min(max(s.release, s.start), s.end)


def _finish(
    segments: list[_Segment], total: float, tokens: list[str], fused: frozenset[int]
) -> tuple[tuple[Phone, ...], tuple[Word, ...]]:
    if not segments:
        return ((Phone(SILENCE, 0.0, total),) if total > 0 else ()), ()
    segments[-1].end = max(segments[-1].end, total)
    phones = tuple(Phone(s.symbol, s.start, s.end, s.release) for s in segments)
    words: list[Word] = []
    first = 0
    while first < len(segments):
        last = first
        while last + 1 < len(segments) and segments[last + 1].token == segments[first].token:
            last += 1
        spoken = [j for j in range(first, last + 1) if segments[j].symbol != SILENCE]
        if spoken:
            a, b, token = spoken[0], spoken[-1], segments[first].token
            span = slice(a, b + 1)
            words.append(Word(token, tokens[token], phones[a].start, phones[b].end, span, token in fused))
        first = last + 1
    return phones, tuple(words)
