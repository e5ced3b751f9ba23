"""From the events of espeak-ng to phones and words in time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from mtbench.synth.phones import SILENCE, VOWELS, normalize, shares
from mtbench.synth.utterances import Phone, Word

#: Seconds of silence that the engine puts before the burst of a voiceless stop (measured: 42..44 ms).
CLOSURE = 0.045
#: Pauses shorter than this (seconds) belong to the phone before.
_SHORTEST_PAUSE = 0.04
_VOICELESS_STOPS = frozenset("ptʈckq")
_VOICED_STOPS = frozenset("bdɖɟɡ")
_GLIDES = frozenset("jwɥ")
_NASALS = frozenset("mnɲŋ")
#: A "pause" up to this long, with more than this part of the utterance's mean power, is a sound.
_LONGEST_SOUND, _AUDIBLE = 0.09, 0.02
ENGINE_RATE = 22_050


@dataclass
class _Segment:
    symbol: str
    start: float
    end: float
    release: float | None
    token: int


def read_events(
    events: list[tuple[bool, int | str, int]], text: str, wave: np.ndarray, language: str
) -> tuple[tuple[Phone, ...], tuple[Word, ...]]:
    """Turn the engine's events into phones without gaps and words; *wave* is at the engine's rate."""
    total = len(wave) / ENGINE_RATE
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
            marks.append((normalize(str(value), language), min(sample / ENGINE_RATE, total), token))
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
        a, b = round(start * ENGINE_RATE), round(end * ENGINE_RATE)
        return float(energy[b] - energy[a]) / max(b - a, 1)

    audible = _AUDIBLE * power(0.0, len(wave) / ENGINE_RATE)
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
