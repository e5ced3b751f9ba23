"""Under which terms the held-out voices speak, and whose sound ships with the package.

Conventions
-----------
Terms are those that Debian's packages state (``/usr/share/doc/<package>/copyright``). A voice is *cut from
recordings* where its sound is joined from stored pieces of a person's speech (diphones, units of a corpus), and
*statistical* where it is computed from parameters that were fitted to recordings. Sound of the first kind holds bytes
of the recordings, so that their license goes with it: it ships only under a BSD-like one. Sound of the second kind
holds none and ships under any license of the voice that lets it be used. ``docs/sound-licenses.md`` says this at
length.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtbench.bundled import data_path
from mtbench.synth.engines import EngineVoice

#: What a voice is made of.
RECORDED, STATISTICAL = "cut from recordings", "statistical"
#: The terms that occur.
BSD_LIKE, LGPL, GPL_2, GPL_3 = "BSD-like", "LGPL-2.1 or later", "GPL-2 or later", "GPL-3 or later"
#: The copyright notices of the voices that ship, as their packages word them.
NOTICES = data_path("voice-notices.txt")

#: Packages that a voice's needs and only recommends.
_RECOMMENDED = {"festvox-hi-nsk": "festival-hi"}

_CMU = "Carnegie Mellon University"
_IFM = "Italian Festival Modules, ISTC-CNR and ITC-irst"


@dataclass(frozen=True)
class VoiceTerms:
    """What is known about a voice's license.

    Attributes
    ----------
    voice : str
        A name of :data:`mtbench.synth.engines.VOICES`.
    package : str
        The Debian package that holds the voice.
    holder : str
        Who made it, with the years of the copyright notice.
    license : str
        One of :data:`BSD_LIKE`, :data:`LGPL`, :data:`GPL_2`, :data:`GPL_3`.
    made_of : str
        :data:`RECORDED` or :data:`STATISTICAL`.
    """

    voice: str
    package: str
    holder: str
    license: str
    made_of: str

    @property
    def ships(self) -> bool:
        """Whether sound that was made with the voice is in the package."""
        return self.license == BSD_LIKE or self.made_of == STATISTICAL


#: The terms of every voice, in the voices' order.
TERMS: tuple[VoiceTerms, ...] = (
    VoiceTerms("flite-awb", "libflite1", f"{_CMU}, 1999-2001", BSD_LIKE, STATISTICAL),
    VoiceTerms("flite-kal16", "libflite1", f"{_CMU}, 1999-2001", BSD_LIKE, RECORDED),
    VoiceTerms("flite-rms", "libflite1", f"{_CMU}, 1999-2001", BSD_LIKE, STATISTICAL),
    VoiceTerms("flite-slt", "libflite1", f"{_CMU}, 1999-2001", BSD_LIKE, STATISTICAL),
    VoiceTerms(
        "hts-slt", "festvox-us-slt-hts", f"{_CMU}, Nagoya Institute of Technology, 1998-2010", BSD_LIKE, STATISTICAL
    ),
    VoiceTerms("lp", "festvox-italp16k", f"{_IFM}, 2008", GPL_2, RECORDED),
    VoiceTerms("pc", "festvox-itapc16k", f"{_IFM}, 2008", GPL_2, RECORDED),
    VoiceTerms("dita", "festvox-czech-dita", "Brailcom, 2005-2011", GPL_3, RECORDED),
    VoiceTerms("krb", "festvox-czech-krb", "Brailcom, 2005-2011", GPL_3, RECORDED),
    VoiceTerms("machac", "festvox-czech-machac", "Brailcom, 2005-2011", GPL_3, RECORDED),
    VoiceTerms("ph", "festvox-czech-ph", "Brailcom, 2005", GPL_2, RECORDED),
    VoiceTerms("nsh", "festvox-ru", "Nickolay V. Shmyrev, 2005", BSD_LIKE, RECORDED),
    VoiceTerms("ona", "festvox-ca-ona-hts", "Universitat Politècnica de Catalunya, 2007-2016", LGPL, STATISTICAL),
    VoiceTerms("nsk", "festvox-hi-nsk", "C-DAC Mumbai and others, 2005-2006", GPL_2, RECORDED),
)  # fmt: skip
_BY_VOICE = {terms.voice: terms for terms in TERMS}


def find_terms(voice: str) -> VoiceTerms:
    """Return the terms of the voice of that name; ``KeyError`` where there is no such voice.

    Examples
    --------
    >>> find_terms("lp").ships, find_terms("ona").ships
    (False, True)
    """
    return _BY_VOICE[voice]


def list_packages(voices: Iterable[EngineVoice]) -> list[str]:
    """Return the Debian packages that these voices and their engines need, each once."""
    found = []
    for voice in voices:
        package = find_terms(voice.name).package
        # The program's package brings the library with flite's voices in; festival's have one each.
        found += [voice.engine] if voice.engine == "flite" else [voice.engine, package]
        found += [_RECOMMENDED[package]] if package in _RECOMMENDED else []
    return list(dict.fromkeys(found))


def format_terms(voices: Iterable[str] | None = None) -> str:
    """Return a Markdown table of voices, their licenses, and whether their sound ships.

    Parameters
    ----------
    voices : iterable of str, optional
        Only these; all by default.
    """
    chosen = TERMS if voices is None else [find_terms(name) for name in voices]
    heads = ("voice", "Debian's package", "made by", "license", "how it is made", "its sound ships")
    rows = [(t.voice, t.package, t.holder, t.license, t.made_of, "yes" if t.ships else "no") for t in chosen]
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_credits(voices: Iterable[str]) -> str:
    """Return the text that lies beside sound of these *voices*: whose they are, and under which terms.

    The notices of the voices that ship are quoted; for others the text says that the sound may not be passed on
    as if it were free of their terms.
    """
    names = list(dict.fromkeys(voices))
    kept = [name for name in names if not find_terms(name).ships]
    text = (
        "Whose voices this benchmark speaks with\n\n"
        "The sound of this folder was synthesized with the voices below. No program and no voice is in it. Terms are\n"
        "those of the voices' Debian packages (/usr/share/doc/PACKAGE/copyright there).\n\n"
        f"{format_terms(names)}\n\n"
    )
    if kept:
        text += (
            "Built on demand, not shipped. Clips of these voices are joined from pieces of recordings that are\n"
            f"under the GNU General Public License: {', '.join(kept)}.\n"
            "Use them as you like; whoever passes their sound on has that license to keep.\n\n"
        )
    return text + NOTICES.read_text("utf-8")
