"""Who speaks: engine voices of the twenty languages, and speakers for training, test and noise.

Conventions
-----------
A voice is ``<engine language>+<variant>``. The three sets of variants are disjoint, so that test speech and
noise come from speakers that training never heard. Left out: robots, whispers, demons and other effects.
Rate is words per minute as the engine counts, pitch and range are 0..99.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The engine's language for each ISO 639-3 code. Thai has no usable rules: its romanisation is read by the
#: Indonesian voice, whose letters stand for about the sounds meant ("approximate").
ENGINE_LANGUAGES: dict[str, str] = {
    "ara": "ar", "cat": "ca", "hrv": "hr", "ces": "cs", "nld": "nl", "eng": "en", "fra": "fr", "deu": "de",
    "ell": "el", "hin": "hi", "ita": "it", "jpn": "ja", "cmn": "cmn", "pol": "pl", "por": "pt", "rus": "ru",
    "spa": "es", "tha": "id", "tur": "tr", "ukr": "uk",
}  # fmt: skip

TEST_VOICES: tuple[str, ...] = (
    "f3", "m4", "linda", "michel", "belinda", "quincy", "Alicia", "Michael", "gustave", "m7",
)  # fmt: skip

NOISE_VOICES: tuple[str, ...] = (
    "f5", "m8", "Annie", "Andy", "anika", "antonio", "aunty", "benjamin", "Henrique", "sandro", "shelby",
    "rob", "Gene2", "max", "edward2", "RicishayMax2", "klatt2", "klatt4", "announcer", "AnxiousAndy", "mike2",
    "steph3", "iven2", "iven4",
)  # fmt: skip

TRAIN_VOICES: tuple[str, ...] = (
    "f1", "f2", "f4", "m1", "m2", "m3", "m5", "m6", "Alex", "Andrea", "Denis", "Diogo", "Gene", "Hugo",
    "Jacky", "Lee", "Marco", "Mario", "Mike", "Nguyen", "Reed", "RicishayMax", "RicishayMax3", "adam",
    "boris", "caleb", "david", "ed", "edward", "grandma", "grandpa", "ian", "iven3", "john", "kaukovalta",
    "klatt", "klatt3", "marcelo", "miguel", "norbert", "pablo", "paul", "pedro", "robert", "steph", "steph2",
    "travis", "victor", "zac",
)  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """A way of speaking.

    Attributes
    ----------
    language : str
        ISO 639-3.
    variant : str
        A speaker of the engine.
    rate : int
        80..450 words per minute.
    pitch, pitch_range : int
        0..99; 50 is the speaker's own.
    """

    language: str
    variant: str
    rate: int = 160
    pitch: int = 50
    pitch_range: int = 50

    @property
    def name(self) -> str:
        """The engine's name, e.g. ``"it+f2"``."""
        return f"{ENGINE_LANGUAGES[self.language]}+{self.variant}"


def draw_voice(rng: np.random.Generator, language: str) -> Voice:
    """Draw a voice of *language*: any of :data:`TRAIN_VOICES`, rate 125..200, pitch 25..75, range 30..70."""
    return Voice(
        language,
        TRAIN_VOICES[int(rng.integers(len(TRAIN_VOICES)))],
        rate=int(rng.integers(125, 201)),
        pitch=int(rng.integers(25, 76)),
        pitch_range=int(rng.integers(30, 71)),
    )
