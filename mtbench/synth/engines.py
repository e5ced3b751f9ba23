"""Held-out speech engines: voices that training never hears, speaking the way espeak's do here.

Conventions
-----------
See :mod:`mtbench.synth.espeak` for audio, phones and words. What an engine says that it spoke is mapped to the
inventory by :mod:`mtbench.synth.engine_phones`; a pause shorter than :data:`SHORTEST_PAUSE` belongs to the phone
before. The engines time a stop as one segment from the closure on; where its burst begins is found in the sound, and
is the stop's release and the border to the fricative of an affricate or the breath of an aspirate. Long consonants
have the duration of both halves.

These voices are for testing only: flite (English) and festival (Italian, Czech, Russian, Catalan, Hindi, English)
are programs of their own that Debian packages; nothing of them is shipped but sound that some of the voices made.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtbench.errors import UsageError
from mtbench.synth.engine_phones import map_segments
from mtbench.synth.engine_segments import Segment
from mtbench.synth.phones import SILENCE, shares
from mtbench.synth.utterances import Phone, Speech, Word
from mtbench.timing import SAMPLE_RATE

#: Seconds; shorter pauses are none.
SHORTEST_PAUSE = 0.04

_STOPS = frozenset("pbtdʈɖcɟkɡqʔ")
_NASALS = frozenset("mnɲŋ")
#: The burst is looked for after this share of the segment.
_EARLIEST_BURST = 0.3


@dataclass(frozen=True)
class EngineVoice:
    """A voice of a held-out engine.

    Attributes
    ----------
    name : str
        Ours, unique.
    language : str
        ISO 639-3.
    engine : str
        ``"festival"`` or ``"flite"``.
    voice : str
        The engine's name of the voice.
    phone_set : str
        One of :data:`mtbench.synth.engine_phones.PHONE_SETS`.
    encoding : str
        Encoding of the text that the voice reads.
    female : bool
        Which faces suit it.
    """

    name: str
    language: str
    engine: str
    voice: str
    phone_set: str
    encoding: str = "ascii"
    female: bool = False

    @property
    def installed(self) -> bool:
        """Whether engine and voice are there."""
        if self.engine == "flite":
            from mtbench.synth.flite import has_flite_voice

            return has_flite_voice(self.voice)
        from mtbench.synth.festival import has_festival_voice

        return has_festival_voice(self.voice)


#: All voices that are known, in fixed order. Their packages and licenses: :mod:`mtbench.synth.engine_terms`.
VOICES: tuple[EngineVoice, ...] = (
    EngineVoice("flite-awb", "eng", "flite", "awb", "english"),
    EngineVoice("flite-kal16", "eng", "flite", "kal16", "english"),
    EngineVoice("flite-rms", "eng", "flite", "rms", "english"),
    EngineVoice("flite-slt", "eng", "flite", "slt", "english", female=True),
    EngineVoice("hts-slt", "eng", "festival", "cmu_us_slt_arctic_hts", "english", female=True),
    EngineVoice("lp", "ita", "festival", "lp_diphone", "italian", "latin-1", female=True),
    EngineVoice("pc", "ita", "festival", "pc_diphone", "italian", "latin-1"),
    EngineVoice("dita", "ces", "festival", "czech_dita", "czech", "iso8859-2", female=True),
    EngineVoice("krb", "ces", "festival", "czech_krb", "czech", "iso8859-2"),
    EngineVoice("machac", "ces", "festival", "czech_machac", "czech", "iso8859-2"),
    EngineVoice("ph", "ces", "festival", "czech_ph", "czech", "iso8859-2"),
    EngineVoice("nsh", "rus", "festival", "msu_ru_nsh_clunits", "russian", "utf-8"),
    EngineVoice("ona", "cat", "festival", "upc_ca_ona_hts", "catalan", "latin-1", female=True),
    EngineVoice("nsk", "hin", "festival", "hindi_NSK_diphone", "hindi", "utf-8"),
)

#: Typographic signs that the engines' encodings lack.
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": "", "”": "", "«": "", "»": "", "–": ",", "—": ",", "…": "."})
#: Devanagari's letters with a dot below as single code points: the Hindi voice drops words with the dot as a code
#: point of its own, which is how Unicode's normal forms write them.
_DOTTED = {unicodedata.normalize("NFD", chr(c)): chr(c) for c in range(0x0958, 0x0960)}


def find_voice(name: str) -> EngineVoice:
    """Return the voice called *name*, installed or not; ``UsageError`` lists the known ones."""
    for voice in VOICES:
        if voice.name == name:
            return voice
    raise UsageError(f"no voice called {name!r}; known: {', '.join(v.name for v in VOICES)}")


def speak(text: str, voice: EngineVoice | str) -> Speech:
    """Speak *text* with a held-out voice.

    Parameters
    ----------
    text : str
        Plain text in the voice's language; tokens are separated by blanks.
    voice : EngineVoice or str
        A voice or its name.

    Returns
    -------
    Speech
        The same for the same arguments, whatever was said before.

    Raises
    ------
    PrerequisiteError
        Where engine or voice are not installed.
    UsageError
        For an unknown voice, or a text that it cannot read.
    mtbench.synth.phones.UnknownPhoneError
        Where the engine says a phone that its table lacks.
    """
    chosen = find_voice(voice) if isinstance(voice, str) else voice
    plain, spoken = _prepare(text, chosen)
    if chosen.engine == "flite":
        from mtbench.synth.flite import speak_flite

        recording = speak_flite(plain, chosen.voice)
    else:
        from mtbench.synth.festival import speak_festival

        recording = speak_festival(plain, chosen.voice, chosen.encoding)
    segments = _fit(recording.segments, len(recording.audio) / SAMPLE_RATE)
    placed = _place(segments, map_segments(segments, chosen.phone_set), recording.audio)
    return Speech(
        recording.audio, tuple(phone for phone, _ in placed), _find_words(placed, text.split(), spoken)
    )


def _prepare(text: str, voice: EngineVoice) -> tuple[str, list[int]]:
    """Return *text* in signs that the voice reads, and which token of *text* each of its tokens is."""
    pieces: list[str] = []
    numbers: list[int] = []
    for number, token in enumerate(text.split()):
        plain = unicodedata.normalize("NFC", token).translate(_PLAIN)
        if voice.phone_set == "hindi":
            for pair, letter in _DOTTED.items():
                plain = plain.replace(pair, letter)
        if any(c.isalnum() for c in plain):
            pieces.append(plain)
            numbers.append(number)
        elif pieces:
            # Engines do not agree on whether a sign that stands alone is a token.
            pieces[-1] += ","
    return " ".join(pieces), numbers


def _fit(segments: Sequence[Segment], total: float) -> tuple[Segment, ...]:
    """Return *segments* ending exactly at *total*: some engines cut or lengthen the last pause."""
    kept = [s for s in segments if s.start < total]
    if kept:
        kept[-1] = replace(kept[-1], end=total)
    return tuple(kept)


def _place(
    segments: Sequence[Segment], letters: Sequence[tuple[str, ...]], audio: np.ndarray
) -> list[tuple[Phone, int]]:
    """Return the phones with the token of each."""
    merged: list[tuple[tuple[str, ...], float, float, int]] = []
    for s, phones in zip(segments, letters, strict=True):
        short = phones == (SILENCE,) and s.end - s.start < SHORTEST_PAUSE
        if merged and (not phones or short or phones == merged[-1][0] == (SILENCE,)):
            last = merged[-1]
            merged[-1] = (last[0], last[1], s.end, last[3])
        else:
            merged.append((phones, s.start, s.end, s.token))
    placed: list[tuple[Phone, int]] = []
    for phones, start, end, token in merged:
        borders = start + (end - start) * np.concatenate([[0.0], np.cumsum(shares(phones))])
        borders[-1] = end
        burst = find_burst(audio, start, end) if phones[0] in _STOPS else None
        if burst is not None and len(phones) == 2:
            borders[1] = burst
        for k, symbol in enumerate(phones):
            a, b = float(borders[k]), float(borders[k + 1])
            release = None
            if symbol in _NASALS:
                release = b
            elif symbol in _STOPS:
                release = b if burst is None or k else burst
            placed.append((Phone(symbol, a, b, release), token))
    return placed


def find_burst(audio: np.ndarray, start: float, end: float) -> float:
    """Return when the closure of a stop opens.

    Parameters
    ----------
    audio : (N,) float32
        16 kHz.
    start, end : float
        Seconds of the stop, closure included.

    Returns
    -------
    float
        Seconds: the steepest rise of the level of the high frequencies (first difference, 5 ms before against 5 ms
        after) behind the first third of the segment. Where the segment is too short to tell, its end.
    """
    first, last = round(start * SAMPLE_RATE), min(round(end * SAMPLE_RATE), len(audio))
    half = SAMPLE_RATE // 200
    low = max(first + round(_EARLIEST_BURST * (last - first)), half)
    # The rise into the next phone would be taken for the burst, if the window reached beyond the segment.
    high = last - half
    if high <= low:
        return end
    power = np.diff(audio[low - half : last].astype(np.float64), prepend=0.0) ** 2
    power[0] = 0.0
    total = np.concatenate([[0.0], np.cumsum(power)])
    at = np.arange(half, half + high - low)
    rise = np.log(total[at + half] - total[at] + 1e-9) - np.log(total[at] - total[at - half] + 1e-9)
    return (low + int(np.argmax(rise))) / SAMPLE_RATE


def _find_words(
    placed: Sequence[tuple[Phone, int]], tokens: Sequence[str], numbers: Sequence[int]
) -> tuple[Word, ...]:
    """Return those of *tokens* that were spoken, in order; *numbers* are the engine's tokens'."""
    words: list[Word] = []
    first = 0
    while first < len(placed):
        last = first
        while last + 1 < len(placed) and placed[last + 1][1] == placed[first][1]:
            last += 1
        token = placed[first][1]
        if 0 <= token < len(numbers):
            number = numbers[token]
            a, b = placed[first][0].start, placed[last][0].end
            words.append(Word(number, tokens[number], a, b, slice(first, last + 1)))
        first = last + 1
    return tuple(words)
