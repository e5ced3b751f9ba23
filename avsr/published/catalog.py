"""Published checkpoints that mtbench can run: what they read, under which terms, and where they lie.

Nothing of them ships: users bring the files (:mod:`mtbench.avsr.published.installation`). A checkpoint is called
``recognizer:variant``; languages are ISO 639-3.

Sources: the projects' own pages as of 2026, named in :attr:`PublishedCheckpoint.page`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtbench.errors import UsageError, did_you_mean

#: What a file of a checkpoint is for, and the name that it is kept under (weights and settings keep their ending).
ROLES = {
    "weights": "weights",
    "dictionary": "dictionary.txt",
    "units": "units.txt",
    "tokenizer": "tokenizer.model",
    "config": "config",
    "vocabulary": "tokenizer.json",
}

#: What to do where a user's files cannot be kept.
ELSEWHERE = "name another folder for what is kept (MTBENCH_DATA)"


@dataclass(frozen=True)
class PublishedFile:
    """A file of a checkpoint.

    Attributes
    ----------
    role : str
        One of :data:`ROLES`.
    name : str
        As published.
    address : str
        Where it can be fetched; empty where only a person with a browser can.
    """

    role: str
    name: str
    address: str = ""


@dataclass(frozen=True)
class PublishedCheckpoint:
    """A checkpoint that somebody published.

    Attributes
    ----------
    recognizer, variant : str
        Name and variant; ``recognizer:variant`` is what it is asked for by.
    kind : str
        Which code runs it and how a clip is shown to it: ``"avhubert"``, ``"avista"``,
        ``"romanizer"`` or ``"auto-avsr"`` (:data:`mtbench.avsr.published.kinds.KINDS`).
    languages : tuple of str
        ISO 639-3 codes.
    modalities : str
        What it was trained to use.
    gigabytes : float
        Of its weights in float32; a published file may hold more, such as an optimizer. 0 where nobody says.
    license : str
        Name of the terms.
    page : str
        Where project, terms and files are to be found.
    files : tuple of PublishedFile
        Weights first.
    extra : str
        The extra of mtbench that it needs.
    """

    recognizer: str
    variant: str
    kind: str
    languages: tuple[str, ...]
    modalities: str
    gigabytes: float
    license: str
    page: str
    files: tuple[PublishedFile, ...]
    extra: str = "published"

    @property
    def ref(self) -> str:
        """Name and variant, as they are asked for."""
        return f"{self.recognizer}:{self.variant}"

    @property
    def add_line(self) -> str:
        """The command to type once the files are there."""
        return f"mtbench weights add {self.ref} {' '.join(file.name for file in self.files)}"

    @property
    def fetchable(self) -> bool:
        """Whether all its files can be fetched without a person."""
        return all(file.address for file in self.files)


_SOUND_AND_SIGHT = "sound and picture, or either"
_MUAVIC = "https://dl.fbaipublicfiles.com/muavic/models"
_MUAVIC_CODES = {
    "ara": "ar", "deu": "de", "ell": "el", "eng": "en", "fra": "fr", "ita": "it", "por": "pt", "rus": "ru", "spa": "es",
}  # fmt: skip
_HUB = "https://huggingface.co"
#: Zero-AVSR's AV-Romanizer is told no language and was taught 82; whether Catalan is among them is not known here.
_ROMANIZED = (
    "ara", "cat", "ces", "cmn", "deu", "ell", "eng", "fra", "hin", "hrv", "ita", "jpn", "nld", "pol", "por", "rus",
    "spa", "tha", "tur", "ukr",
)  # fmt: skip


def _muavic(variant: str, code: str, languages: tuple[str, ...]) -> PublishedCheckpoint:
    folder = f"{_MUAVIC}/{code}_avsr"
    names = (
        ("weights", "checkpoint_best.pt"),
        ("dictionary", f"dict.{code}.txt"),
        ("tokenizer", "tokenizer.model"),
    )
    return PublishedCheckpoint(
        recognizer="muavic",
        variant=variant,
        kind="avhubert",
        languages=languages,
        modalities=_SOUND_AND_SIGHT,
        gigabytes=1.6,
        license="CC-BY-NC-4.0",
        page="https://github.com/facebookresearch/muavic",
        files=tuple(PublishedFile(role, name, f"{folder}/{name}") for role, name in names),
    )


def _avista(variant: str) -> PublishedCheckpoint:
    folder = f"{_HUB}/enactic/avista-{variant}"
    names = ("weights", "pytorch_model.bin"), ("config", "config.json"), ("vocabulary", "tokenizer.json")
    return PublishedCheckpoint(
        recognizer="avista",
        variant=variant,
        kind="avista",
        languages=("jpn",),
        modalities=_SOUND_AND_SIGHT,
        gigabytes=0.0,
        license="Apache-2.0",
        page=folder,
        files=tuple(PublishedFile(role, name, f"{folder}/resolve/main/{name}") for role, name in names),
    )


def _visper(variant: str, modalities: str) -> PublishedCheckpoint:
    code = "https://raw.githubusercontent.com/YasserdahouML/visper/main/spm/unigram"
    weights = f"visper_{variant}_base.pth"
    return PublishedCheckpoint(
        recognizer="visper",
        variant=variant,
        kind="auto-avsr",
        languages=("ara", "cmn", "eng", "fra", "spa"),
        modalities=modalities,
        gigabytes=0.0,
        license="CC-BY-NC-2.0",
        page=f"{_HUB}/tiiuae/visper",
        files=(
            PublishedFile("weights", weights, f"{_HUB}/tiiuae/visper/resolve/main/{weights}"),
            PublishedFile("units", "unigram_units.txt", f"{code}/unigram_units.txt"),
            PublishedFile("tokenizer", "unigram.model", f"{code}/unigram.model"),
        ),
        extra="espnet",
    )


_ALL = [
    *(_muavic(language, code, (language,)) for language, code in _MUAVIC_CODES.items()),
    _muavic("multilingual", "x", tuple(c for c in _MUAVIC_CODES if c != "eng")),
    *(_avista(variant) for variant in ("base", "base-plus", "large-v2")),
    PublishedCheckpoint(
        recognizer="romanizer",
        variant="all",
        kind="romanizer",
        languages=_ROMANIZED,
        modalities=_SOUND_AND_SIGHT,
        gigabytes=1.3,
        license="CC-BY-NC-4.0",
        page="https://github.com/JeongHun0716/zero-avsr",
        files=(
            PublishedFile(
                "weights",
                "checkpoint_best.pt",
                "https://www.dropbox.com/scl/fi/p6i141tfrp0kbqiu1cepy/checkpoint_best.pt"
                "?rlkey=hyck9668w9bgx0io2tkc6rdux&st=j37n3fpg&dl=1",
            ),
        ),
    ),
    PublishedCheckpoint(
        recognizer="auto-avsr",
        variant="v1.0.0",
        kind="auto-avsr",
        languages=("eng",),
        modalities="sound and picture together",
        gigabytes=1.8,
        license="for comparison and benchmarking only",
        page="https://github.com/mpc001/auto_avsr/tree/v1.0.0",
        files=(
            PublishedFile("weights", "avsr_trlrwlrs2lrs3vox2avsp_base.pth"),
            PublishedFile("units", "unigram5000_units.txt"),
            PublishedFile("tokenizer", "unigram5000.model"),
        ),
        extra="espnet",
    ),
    _visper("avsr", "sound and picture together"),
    _visper("vsr", "picture alone"),
]
#: By ``recognizer:variant``.
CATALOG = {checkpoint.ref: checkpoint for checkpoint in _ALL}


def find_published(recognizer: str, variant: str = "") -> list[PublishedCheckpoint]:
    """Return the known checkpoints of a recognizer, or the one of this variant.

    Parameters
    ----------
    recognizer : str
        E.g. ``"muavic"``.
    variant : str
        A variant, or a language in any habit of writing one where exactly one checkpoint is of that language alone;
        empty for all.

    Raises
    ------
    UsageError
        For a name or variant that is not known.

    Examples
    --------
    >>> [c.ref for c in find_published("muavic", "Italian")]
    ['muavic:ita']
    >>> find_published("avista", "small")
    Traceback (most recent call last):
        ...
    mtbench.errors.UsageError: avista has no variant 'small'; it has base, base-plus, large-v2
    """
    known = _by_variant(recognizer)
    if not variant:
        return list(known.values())
    if variant in known:
        return [known[variant]]
    meant = [checkpoint for checkpoint in known.values() if _means_language(variant, checkpoint)]
    if len(meant) == 1:
        return meant
    several = (
        f"{len(meant)} of that language" if meant else f"no variant {variant!r}{did_you_mean(variant, known)}"
    )
    raise UsageError(f"{recognizer} has {several}; it has {', '.join(known)}")


def _by_variant(recognizer: str) -> dict[str, PublishedCheckpoint]:
    found = {c.variant: c for c in CATALOG.values() if c.recognizer == recognizer}
    if not found:
        names = list_recognizers(CATALOG.values())
        raise UsageError(
            f"no published checkpoint is called {recognizer!r}{did_you_mean(recognizer.lower(), names)}; known: "
            f"{', '.join(names)}"
        )
    return found


def list_recognizers(checkpoints: Iterable[PublishedCheckpoint]) -> list[str]:
    """Return the recognizers that *checkpoints* are of, each once."""
    return list(dict.fromkeys(checkpoint.recognizer for checkpoint in checkpoints))


def _means_language(text: str, checkpoint: PublishedCheckpoint) -> bool:
    from mtbench.speech import language_code

    try:
        return checkpoint.languages == (language_code(text),)
    except UsageError:
        return False
