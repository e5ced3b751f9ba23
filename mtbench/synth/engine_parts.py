"""Which clips of ``openhead-engines`` ship, and which are for choosing and which for testing.

Conventions
-----------
The benchmark exists in two extents. ``openhead-engines`` holds the clips of the voices whose sound may ship (see
:mod:`mtbench.synth.engine_terms`) and is part of the package. ``openhead-engines-all`` holds the clips of every voice
and is built by the user with ``mtbench benchmark build openhead-engines --all``. A clip that is in both has the same
name and the same bytes in both.

A clip is called ``<language>-<number>``, counted from 1; the voices of a language speak in turn. Every clip is of one
of two halves: *development*, for choosing among checkpoints and settings, and *test*, for the figures that are
reported. With ``k`` for the number of the voice in its language and ``n`` for how often it has spoken before, both from
0, a clip is of the development half where ``k + n`` is even. So every voice, hence every engine and language, has as
many clips in the one half as in the other (five and five in English, four and four elsewhere), and no sentence of
a language is in both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtbench.errors import UsageError
from mtbench.synth.engine_terms import find_terms
from mtbench.synth.engines import VOICES, EngineVoice

#: The part that ships.
SHIPPED = "openhead-engines"
#: All voices; built on demand.
ALL = "openhead-engines-all"
#: The halves.
DEVELOPMENT, TEST = "development", "test"

_CLIP = re.compile(r"([a-z]{3})-([0-9]{2,})")


def voices_of(language: str) -> tuple[EngineVoice, ...]:
    """Return the voices of *language* (ISO 639-3), in the order in which they speak."""
    return tuple(voice for voice in VOICES if voice.language == language)


def find_clip_voice(clip: str) -> EngineVoice:
    """Return the voice of the clip of that name.

    Raises
    ------
    UsageError
        Where no clip can be called so.

    Examples
    --------
    >>> find_clip_voice("eng-07").name
    'flite-kal16'
    """
    return _locate(clip)[0]


def find_half(clip: str) -> str:
    """Return whether the clip of that name is for ``"development"`` or for ``"test"``.

    Raises
    ------
    UsageError
        Where no clip can be called so.

    Examples
    --------
    >>> find_half("rus-01"), find_half("rus-02")
    ('development', 'test')
    """
    _, number, turn = _locate(clip)
    return TEST if (number + turn) % 2 else DEVELOPMENT


def list_languages(every_voice: bool) -> tuple[str, ...]:
    """Return the languages of the shipped part, or of all voices, in the order of the voices."""
    return tuple(dict.fromkeys(v.language for v in VOICES if every_voice or find_terms(v.name).ships))


def part_name(every_voice: bool) -> str:
    """Return the name of the benchmark that holds every voice's clips, or those that ship."""
    return ALL if every_voice else SHIPPED


def is_part(benchmark: str) -> bool:
    """Whether the benchmark of that name is one of the two."""
    return benchmark in (SHIPPED, ALL)


def seed_name(benchmark: str) -> str:
    """Return the name that seeds the clips of a benchmark: a clip that is in both parts has one seed."""
    return SHIPPED if is_part(benchmark) else benchmark


def _locate(clip: str) -> tuple[EngineVoice, int, int]:
    """Return a clip's voice, the voice's number in its language, and how often it has spoken before."""
    found = _CLIP.fullmatch(clip)
    voices: Sequence[EngineVoice] = voices_of(found[1]) if found else ()
    if found is None or not voices or int(found[2]) < 1:
        raise UsageError(
            f"{clip!r} is no clip of {SHIPPED}: they are called as 'eng-01', in {', '.join(list_languages(True))}"
        )
    turn, number = divmod(int(found[2]) - 1, len(voices))
    return voices[number], number, turn
