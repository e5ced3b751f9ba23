"""Phones of what was said where clips have none: the speech engine reads the transcripts.

Conventions
-----------
They are what ``mtbench benchmark lexicon`` would write, and count for verdicts on a recognizer only: no number of an
entry follows from them. Somebody may have said a word otherwise than the engine does; such a phone is wrong in every
sound and with every face, so that errors are larger by it and differences between faces are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from mtbench.avsr import Recognizer, describe_traits
from mtbench.benchmarks import Clip
from mtbench.errors import PrerequisiteError
from mtbench.speech import LANGUAGES

#: Phones of one text or clip.
Phones = tuple[str, ...]


def read_phones(language: str, transcripts: Mapping[str, str]) -> dict[str, Phones]:
    """Return the phones of each transcript (by clip) as the speech engine says it.

    Parameters
    ----------
    language : str
        ISO 639-3, one of the twenty.
    transcripts : mapping of str to str

    Returns
    -------
    dict of str to tuple of str
        Without transcripts that cannot be said as a whole.

    Raises
    ------
    PrerequisiteError
        Where a package of the extra ``[synth]`` is missing.
    """
    return dict(_read(language, tuple(transcripts.items())))


@lru_cache(maxsize=32)
def _read(language: str, transcripts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, Phones], ...]:
    from mtbench.synth import Espeak, read_aloud

    return tuple(read_aloud(language, dict(transcripts), Espeak()).phones.items())


def name_reader() -> str:
    """Return the speech engine's name and version."""
    from mtbench.synth import Espeak

    return f"espeak-ng {Espeak().version.split()[0]}"


def find_phones(recognizer: Recognizer, clips: Sequence[Clip]) -> tuple[dict[str, Phones], str | None]:
    """Return the phones by which the answers of *recognizer* to *clips* can be counted.

    Parameters
    ----------
    recognizer : Recognizer
        Where it needs a word list, what it answers without one are no words, so that only phones tell; those of clips
        without reference phones are read from the transcripts.
    clips : sequence of Clip

    Returns
    -------
    phones : dict of str to tuple of str
        By clip; empty ones where words tell, and none for clips whose answers cannot be counted.
    obstacle : str or None
        Why some clips have none.
    """
    own = {clip.id: clip.phones or () for clip in clips}
    unread = [clip for clip in clips if not own[clip.id]]
    if not unread or not describe_traits(recognizer).needs_lexicon:
        return own, None
    found = {clip: phones for clip, phones in own.items() if phones}
    causes = []
    for code in dict.fromkeys(clip.language for clip in unread):
        texts = {clip.id: clip.transcript for clip in unread if clip.language == code}
        if code not in LANGUAGES:
            causes.append(f"the speech engine is not used for {code}")
            continue
        try:
            read = read_phones(code, texts)
        except PrerequisiteError as error:
            causes.append(" ".join(str(error).split()))
            continue
        if len(read) < len(texts):
            causes.append("not every transcript can be said as a whole")
        found |= read
    return found, "; ".join(dict.fromkeys(causes)) or None
