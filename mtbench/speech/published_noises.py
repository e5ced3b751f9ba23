"""Noise recordings that published evaluations were made with, and that cannot ship.

Conventions
-----------
They are among MuAViC's noise samples (license CC-BY-NC 4.0), sorted into folders by kind. A folder that a user names
may be that tree or hold the files themselves: a recording is known by its file's stem.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Kind of sound, by recording: the folder that it is published in.
MUAVIC_NOISES = {
    "dog-playing": "indoors",
    "kids-playing": "indoors",
    "leave_it_to_the_experts": "music",
}
#: The three that MultiTalk's released script mixes with.
MULTITALK_NOISES = tuple(MUAVIC_NOISES)
_WHERE = (
    "They are among MuAViC's noise samples, license CC-BY-NC 4.0, which mtbench may not ship: get "
    "https://dl.fbaipublicfiles.com/muavic/noise_samples.tgz and unpack it, or the folder of noise samples of "
    "https://github.com/nguyenvulebinh/AV-HuBERT-S2S, then give that folder: --noise FOLDER"
)


def explain_published(missing: Iterable[str], place: str) -> str | None:
    """Return what to do about *missing* recordings, where all of them are published ones; None where one is not.

    Parameters
    ----------
    missing : iterable of str
        Names of recordings.
    place : str
        Where they were looked for, in words.

    Examples
    --------
    >>> explain_published(["dog-playing"], "/noise").partition(" They")[0]
    '/noise: no recording dog-playing; expected indoors/dog-playing.wav there, or the file itself.'
    >>> explain_published(["hiss"], "/noise")
    """
    names = list(missing)
    if not all(name in MUAVIC_NOISES for name in names):
        return None
    files = ", ".join(f"{MUAVIC_NOISES[name]}/{name}.wav" for name in names)
    what = "the file itself" if len(names) == 1 else "the files themselves"
    return f"{place}: no recording {', '.join(names)}; expected {files} there, or {what}. {_WHERE}"
