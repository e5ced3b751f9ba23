"""What a recognizer is evaluated on: the clips of every condition's corpus, and what is not at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.avsr.evaluation.conditions import (
    ENGINES,
    ENGINES_ALL,
    ENGINES_ALL_BENCHMARK,
    ENGINES_BENCHMARK,
    HOME,
    REAL_SENTENCES,
    CorpusCondition,
    Supplies,
    find_obstacle,
)
from mtbench.benchmarks import ON_DEMAND, Benchmark, known_benchmarks, list_versions, load_benchmark
from mtbench.errors import PrerequisiteError, UsageError

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip


@dataclass(frozen=True)
class Material:
    """Conditions with their clips.

    Attributes
    ----------
    conditions : tuple of CorpusCondition
        In the order of tables.
    corpora : dict of str to Benchmark
        By name of the corpus.
    clips : dict of str to list of Clip
        Those in the chosen languages, by name of the corpus.
    obstacles : dict of str to str or None
        Why a condition cannot be measured, by its name.
    lacking : dict of str to dict of str to str
        By name of the corpus: languages that it should have, with what to do, and ``"all"``.
    """

    conditions: tuple[CorpusCondition, ...]
    corpora: dict[str, Benchmark]
    clips: dict[str, list[Clip]]
    obstacles: dict[str, str | None]
    lacking: dict[str, dict[str, str]]


def gather_material(
    conditions: tuple[CorpusCondition, ...],
    home: Benchmark,
    languages: Sequence[str] | None,
    supplies: Supplies,
    scratch: Path,
) -> Material:
    """Return what *conditions* present.

    Parameters
    ----------
    conditions : tuple of CorpusCondition
    home : Benchmark
        That is evaluated.
    languages : sequence of str or None
        ISO 639-3; only these.
    supplies : Supplies
        Files that the user has to have.
    scratch : Path
        Folder in which benchmarks may be made; it has to stay while the material is used.

    Raises
    ------
    UsageError
        Where no clip is left, or a file that was supplied is not what it should be.
    """
    corpora: dict[str, Benchmark] = {}
    absent: dict[str, str] = {}
    lacking: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(c.corpus for c in conditions):
        if name == REAL_SENTENCES:
            found, lacking[name], why = _make_sentences(supplies.sentences, scratch / name, languages)
        elif name == ENGINES_ALL:
            found, why = _find_all_engines(home)
        else:
            found, why = _load_corpus(name, home), ""
        if found is None:
            absent[name] = why
        else:
            corpora[name] = found
    clips = {
        name: [clip for clip in corpus.clips if languages is None or clip.language in languages]
        for name, corpus in corpora.items()
    }
    if languages is not None and corpora and not any(clips.values()):
        raise UsageError(f"no clip in {', '.join(languages)}; {home.ref} has {', '.join(home.languages)}")
    obstacles = {
        c.name: absent[c.corpus]
        if c.corpus in absent
        else find_obstacle(c, corpora[c.corpus], c.pick(clips[c.corpus]), supplies)
        for c in conditions
    }
    return Material(conditions, corpora, clips, obstacles, lacking)


def _load_corpus(name: str, home: Benchmark) -> Benchmark:
    if name == HOME:
        return home
    if name == ENGINES:
        return find_engines(home)
    from mtbench.synth import load_real_speech

    return load_real_speech()


def find_engines(home: Benchmark) -> Benchmark:
    """Return the version of the held-out engines' benchmark that is articulated as *home* is.

    Versions share their sound, so that what is heard does not depend on the choice; but a face that is articulated as
    nothing in *home* is would tell of the articulation what is meant to tell of the voice.

    Parameters
    ----------
    home : Benchmark
        That is evaluated. The manifest's ``articulation`` counts; where it names none, the rules' version fits.

    Returns
    -------
    Benchmark
        The main version where none is articulated so.

    Examples
    --------
    >>> [find_engines(load_benchmark(name)).ref for name in ("openhead-20@2", "openhead-20@3")]
    ['openhead-engines@3', 'openhead-engines@4']
    """
    versions = list_versions(load_benchmark(ENGINES_BENCHMARK).root)
    wanted = home.manifest.articulation
    return next((version for version in versions if version.manifest.articulation == wanted), versions[0])


def _find_all_engines(home: Benchmark) -> tuple[Benchmark | None, str]:
    """Return the benchmark of all engines, or why there is none: it has to be built, and of the version that fits."""
    found = known_benchmarks().get(ENGINES_ALL_BENCHMARK)
    how = ON_DEMAND[ENGINES_ALL_BENCHMARK]
    if found is None:
        return None, f"{ENGINES_ALL_BENCHMARK} was not built here: {how}"
    built, wanted = list_versions(found), find_engines(home).version
    for version in built:
        if version.version == wanted:
            return version, ""
    there = ", ".join(version.ref for version in built)
    return None, f"{found} holds {there}, expected version {wanted}; build it again: {how}"


def _make_sentences(
    folder: str | None, out: Path, languages: Sequence[str] | None
) -> tuple[Benchmark | None, dict[str, str], str]:
    """Return the sentences that are at hand, the languages that are not and, where there are none, why."""
    from mtbench.avsr.evaluation.people import gather_sentences

    try:
        found = gather_sentences(folder, out, languages)
    except PrerequisiteError as error:
        return None, {}, str(error)
    none = "no package holds sentences in the chosen languages"
    return found.benchmark, found.lacking, found.lacking.get("all", none)
