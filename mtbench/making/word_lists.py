"""Word lists and reference phones made for a benchmark folder: ``mtbench benchmark lexicon``.

Conventions
-----------
A list that people wrote or changed is never replaced unless that is asked for; lists that this module wrote are known
by their first lines, which hold a digest of the rest, and are made anew. Phones that are in the manifest without
this module's mark stay. The manifest is replaced last, so that a folder is whole at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.benchmarks import MANIFEST, Benchmark, known_benchmarks, load_benchmark
from mtbench.errors import PrerequisiteError, UsageError, list_some
from mtbench.files import is_sealed, seal_text, write_atomically
from mtbench.making.manifest_edits import edit_manifest, made_phones
from mtbench.speech import LANGUAGES, display_name, format_lexicon, language_code

if TYPE_CHECKING:
    from mtbench.synth import Espeak, WordList

_BOM = b"\xef\xbb\xbf"
_HEAD = "# Word list by mtbench benchmark lexicon; it is made anew unless this is changed: "


@dataclass(frozen=True)
class MadeLists:
    """What was made.

    Attributes
    ----------
    lists : dict of str to WordList
        Word lists by language, in the benchmark's order.
    files : dict of str to str
        Where each lies in the folder.
    kept : dict of str to str
        Languages whose lists were not touched, with why.
    phones : dict of str to int
        Clips with reference phones of this module, by language.
    changed : list of str
        Files that are not what they were.
    """

    lists: dict[str, WordList] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    phones: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def describe(self) -> list[str]:
        """Return a line for each list: its words, and where counts and pronunciations are from."""
        return [
            f"{display_name(code)}: {len(made.lexicon)} words in {self.files[code]} ({made.n_spoken} of the "
            f"transcripts, {made.n_common} common ones), phones of {self.phones[code]} clip(s); {made.sources}"
            for code, made in self.lists.items()
        ]

    def remarks(self, most: int = 5) -> list[str]:
        """Return what has to be known: lists that were kept, and words that are read otherwise than written."""
        from mtbench.synth import REMARKS

        lines = [f"{display_name(code)}: {why}{self._count_phones(code)}" for code, why in self.kept.items()]
        for code, made in self.lists.items():
            for kind, advice in REMARKS.items():
                found = [(token, clip) for k, token, clip in made.remarks if k == kind]
                if found:
                    shown = list_some([f"{token!r} (clip {clip})" for token, clip in found], most)
                    lines.append(f"{display_name(code)}, {kind}: {shown} {advice}")
        return lines

    def _count_phones(self, code: str) -> str:
        n = self.phones.get(code, 0)
        return f"; {n} clip(s) have phones of this command" if n else ""


def make_word_lists(
    folder: str | Path,
    languages: Sequence[str] | None = None,
    *,
    common: int | None = None,
    force: bool = False,
) -> MadeLists:
    """Make word lists and reference phones for a benchmark folder, and name them in its manifest.

    Parameters
    ----------
    folder : str or Path
        Benchmark folder, e.g. one of ``mtbench benchmark new``; bundled ones have lists and stay as they are.
    languages : sequence of str, optional
        Only these, in any habit; by default all of the benchmark.
    common : int, optional
        Common words in each list besides those of the transcripts; by default
        :data:`mtbench.synth.word_lists.COMMON_WORDS`.
    force : bool
        Replace lists, and phones, that were not made by this function.

    Raises
    ------
    UsageError
        For a bundled benchmark, a language that the benchmark lacks, or a negative *common*.
    BenchmarkError
        Where the manifest cannot be added to.
    PrerequisiteError
        Where the extra ``[synth]`` is missing.

    Examples
    --------
    >>> make_word_lists("my-clips").describe()  # doctest: +SKIP
    """
    benchmark = load_benchmark(folder)
    if benchmark.root.resolve() in {path.resolve() for path in known_benchmarks().values()}:
        raise UsageError(
            f"{benchmark.name} is a benchmark that mtbench builds, which brings its own word lists and stays as it is"
        )
    wanted = _choose_languages(benchmark, languages)
    engine = start_engine()
    from mtbench.synth import COMMON_WORDS

    common = COMMON_WORDS if common is None else common
    if common < 0:
        raise UsageError(f"{common} common words: expected 0 or more")
    manifest = benchmark.manifest_path.read_bytes()
    own_phones = made_phones(manifest.decode("utf-8-sig"))
    made, edits = _make_lists(benchmark, wanted, engine, common, force, own_phones)
    _write_lists(benchmark.manifest_path, manifest, made, edits)
    load_benchmark(benchmark.manifest_path)
    return made


@dataclass(frozen=True)
class _Edits:
    """What the manifest gets.

    Attributes
    ----------
    lists : dict of str to str
        Places of word lists that it does not name yet, by language.
    phones : dict of str to str or None
        Reference phones by clip; None takes those away that are there.
    """

    lists: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str | None] = field(default_factory=dict)


def _make_lists(
    benchmark: Benchmark,
    languages: Sequence[str],
    engine: Espeak,
    common: int,
    force: bool,
    own_phones: frozenset[str],
) -> tuple[MadeLists, _Edits]:
    """Make lists and phones; *own_phones* are the clips whose phones in the manifest are of this module."""
    from mtbench.synth import make_word_list

    made, edits = MadeLists(), _Edits()
    for code in languages:
        path, why = _find_place(benchmark, code, force)
        if path is None:
            made.kept[code] = why
        if code not in LANGUAGES:
            continue
        clips = [clip for clip in benchmark.clips if clip.language == code]
        # A list that is kept is no reason to do without phones.
        texts = {clip.id: clip.transcript for clip in clips}
        found = make_word_list(code, texts, engine, 0 if path is None else common)
        for clip in clips:
            if clip.id in found.phones and (clip.phones is None or clip.id in own_phones or force):
                edits.phones[clip.id] = " ".join(found.phones[clip.id])
            elif clip.id in own_phones:
                edits.phones[clip.id] = None  # of a transcript that has changed since
        made.phones[code] = sum(edits.phones.get(clip.id) is not None for clip in clips)
        if path is not None and len(found.lexicon):
            made.lists[code], made.files[code] = found, path.relative_to(benchmark.root).as_posix()
            if code not in benchmark.lexicons:
                edits.lists[code] = made.files[code]
        elif path is not None:
            made.kept[code] = "no word of the transcripts can be pronounced, so there is no list"
    return made, edits


def _write_lists(target: Path, manifest: bytes, made: MadeLists, edits: _Edits) -> None:
    """Write the lists and, last, the manifest, so far as they differ from what is there; tell *made* what changed."""
    text = manifest.decode("utf-8-sig")
    if edits.lists or edits.phones:
        text = edit_manifest(text, edits.lists, edits.phones)
    bom = _BOM if manifest.startswith(_BOM) else b""
    files = {made.files[code]: _format(found).encode() for code, found in made.lists.items()}
    for name, content in (*files.items(), (target.name, bom + text.encode())):
        path = target.parent / name
        if not path.exists() or path.read_bytes() != content:
            write_atomically(path, content)
            made.changed.append(name)


def start_engine() -> Espeak:
    """Return the speech engine; ``PrerequisiteError`` says which extra it needs."""
    try:
        import wordfreq  # noqa: F401

        from mtbench.synth import Espeak
    except ImportError as error:
        raise PrerequisiteError(
            f"word lists are made with a speech engine and word counts ({error}); install the extra: pip install "
            "'multitalk-bench[synth]'"
        ) from error
    return Espeak()


def _choose_languages(benchmark: Benchmark, languages: Sequence[str] | None) -> list[str]:
    if languages is None:
        return list(benchmark.languages)
    codes = [language_code(name) for name in languages]
    for code in codes:
        if code not in benchmark.languages:
            raise UsageError(
                f"{benchmark.ref} has no clips in {display_name(code)}; it has "
                f"{', '.join(map(display_name, benchmark.languages))}"
            )
    return list(dict.fromkeys(codes))


def _find_place(benchmark: Benchmark, code: str, force: bool) -> tuple[Path | None, str]:
    """Return where the list of *code* goes, or None and why none is made."""
    if code not in LANGUAGES:
        return None, "none of the twenty languages that lists can be made for; give a list of your own"
    listed = benchmark.lexicons.get(code)
    path = listed or benchmark.root / "lexicon" / f"{code}.tsv"
    if force or not path.exists() or is_made(path):
        return path, ""
    shown = path.relative_to(benchmark.root).as_posix()
    if listed is None:
        return (
            None,
            f"{shown} lies there, but {MANIFEST} does not name it; name it under [lexicons], or give --force",
        )
    return None, f"{shown} was not made by this command and is kept; --force replaces it"


def is_made(path: Path) -> bool:
    """Return whether the word list *path* was written by this module and is unchanged since."""
    return is_sealed(path, _HEAD)


def _format(made: WordList) -> str:
    body = (
        f"# {display_name(made.language)}: {made.n_spoken} words of the transcripts, {made.n_common} common ones;\n"
        f"# {made.sources}.\n{format_lexicon(made.lexicon)}"
    )
    return seal_text(_HEAD, body)
