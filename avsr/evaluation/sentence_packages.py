"""Sentences of people that Debian's packages hold: where their sounds lie, who speaks, and what is said.

Conventions
-----------
Nothing of the packages is shipped; they are looked for where Debian installs them, or in a folder into which they were
unpacked (``dpkg -x``). Two kinds hold people's speech beside its text:

- ``asterisk-core-sounds-XX``: what a telephone exchange says, one speaker a language, listed in
  ``doc/asterisk-core-sounds-XX/core-sounds-XX.txt.gz``; the sounds are G.722 at 16 kHz (``…-XX-g722``). The same
  sounds at 8 kHz (``…-wav``, ``…-gsm``) are not read, for fricatives are not heard there.
- ``fillets-ng-data`` with ``fillets-ng-data-cs`` and ``-nl``: the dialogs of a game, texts in ``dialogs_XX.lua``,
  sounds in Vorbis. Of its speakers only the two fish are read, a small and a big one: others stammer and shout.

Lua files are searched for dialogs; nothing of them is run.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import BenchmarkError, UsageError
from mtbench.speech import display_name

#: Where Debian installs what does not depend on the machine.
SHARE = Path("/usr/share")
#: Two-letter name and the speaker's folder of the telephone exchange's languages.
_EXCHANGE = {
    "eng": ("en", "en_US_f_Allison"),
    "fra": ("fr", "fr_CA_f_June"),
    "ita": ("it", "it_IT_m_Carlo"),
    "rus": ("ru", "ru_RU_f_IvrvoiceRU"),
    "spa": ("es", "es_MX_f_Allison"),
}
_GAME = {"ces": "cs", "nld": "nl"}
#: Languages that have a package.
SENTENCE_LANGUAGES = (*_EXCHANGE, *_GAME)
#: Folders of the exchange that hold digits and letters.
_SPELLED = ("digits", "letters", "phonetic", "silence")
#: How the game writes the two fish.
_FISH = {"font_small": "small", "font_big": "big"}
#: Most bytes of a list of what is said.
_MOST_BYTES = 4 << 20

_STRING = r'"((?:[^"\\]|\\.)*)"'
_DIALOG = re.compile(
    rf"dialogId\(\s*{_STRING}\s*,\s*{_STRING}\s*,\s*{_STRING}\s*\)\s*dialogStr\(\s*{_STRING}\s*\)"
)


@dataclass(frozen=True)
class Saying:
    """A sound of a package with what is said in it.

    Attributes
    ----------
    language : str
        ISO 639-3.
    speaker : str
        Who speaks; unique within the language.
    name : str
        What the package calls it, ``"vm-helpexit"`` or ``"airplane/let-m-oko"``.
    text : str
        As the package has it.
    sound : Path
        G.722 or Vorbis; not always there.
    """

    language: str
    speaker: str
    name: str
    text: str
    sound: Path


def two_letters(language: str) -> str:
    """Return the two-letter code of one of :data:`SENTENCE_LANGUAGES`, as in the packages' names."""
    return _GAME[language] if language in _GAME else _EXCHANGE[language][0]


def name_packages(language: str) -> tuple[str, ...]:
    """Return the packages that hold the sentences of one of :data:`SENTENCE_LANGUAGES`.

    Examples
    --------
    >>> name_packages("ita")
    ('asterisk-core-sounds-it', 'asterisk-core-sounds-it-g722')
    """
    code = two_letters(language)
    if language in _GAME:
        return ("fillets-ng-data", f"fillets-ng-data-{code}")
    return (f"asterisk-core-sounds-{code}", f"asterisk-core-sounds-{code}-g722")


def find_share(folder: str | Path | None) -> Path:
    """Return the folder in the form of ``/usr/share`` that *folder* is or holds; ``/usr/share`` itself for None.

    Raises
    ------
    UsageError
        Where *folder* is none of both.
    """
    if folder is None:
        return SHARE
    for place in (Path(folder), Path(folder) / "usr" / "share", Path(folder) / "share"):
        if any((place / inside).is_dir() for inside in ("asterisk/sounds", "games/fillets-ng")):
            return place
    raise UsageError(
        f"{folder}: holds neither asterisk/sounds nor games/fillets-ng; expected a folder in the form of /usr/share, "
        "or one into which the packages were unpacked (dpkg -x PACKAGE.deb FOLDER)"
    )


def list_sayings(share: Path, language: str) -> list[Saying]:
    """Return what the packages of *language* hold, in their order; none where a package is not there.

    Parameters
    ----------
    share : Path
        Of :func:`find_share`.
    language : str
        One of :data:`SENTENCE_LANGUAGES`.

    Raises
    ------
    BenchmarkError
        Where a list of what is said is damaged.
    """
    found = _read_game(share, language) if language in _GAME else _read_exchange(share, language)
    return [saying for saying in found if saying.sound.is_file()]


def tell_missing(share: Path, languages: Sequence[str]) -> str:
    """Return what to do where the packages of *languages* are not under *share*."""
    names = ", ".join(map(display_name, languages))
    packages = " ".join(dict.fromkeys(package for code in languages for package in name_packages(code)))
    return (
        f"no sentences of people in {names} under {share}: apt-get install {packages}, or unpack these (dpkg -x) and "
        "name the folder (--sentences); their lists lie in doc, which small images of Debian leave out"
    )


def _read_exchange(share: Path, language: str) -> Iterator[Saying]:
    code, speaker = _EXCHANGE[language]
    place = share / "doc" / f"asterisk-core-sounds-{code}"
    files = [place / f"core-sounds-{code}.txt{suffix}" for suffix in (".gz", "")]
    listed = next((path for path in files if path.is_file()), None)
    if listed is None:
        return
    for line in _read_text(listed).splitlines():
        name, mark, text = (part.strip() for part in line.partition(":"))
        if mark and not name.startswith(";") and name.split("/")[0] not in _SPELLED and ".." not in name:
            yield Saying(
                language, speaker, name, text, share / "asterisk" / "sounds" / speaker / f"{name}.g722"
            )


def _read_game(share: Path, language: str) -> Iterator[Saying]:
    code = _GAME[language]
    game = share / "games" / "fillets-ng"
    for path in sorted((game / "script").glob(f"*/dialogs_{code}.lua")):
        level = path.parent.name
        for dialog in _DIALOG.finditer(_read_text(path)):
            name, font, _, text = (_unescape(part) for part in dialog.groups())
            if font in _FISH and "/" not in name:
                sound = game / "sound" / level / code / f"{name}.ogg"
                yield Saying(language, _FISH[font], f"{level}/{name}", text, sound)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nt" else found[1], text)


def _read_text(path: Path) -> str:
    """Return a list's text, unpacked where its name ends in ``.gz``."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise BenchmarkError(f"{path}: more than {_MOST_BYTES >> 20} MB, expected a list of what is said")
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: cannot be read ({error}); install its package again") from None
