"""Commands around: demo, ls, doctor, cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_cache, writable_folder
from mtbench.cli.output import say, say_json, say_note

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def demo(
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Gets controls/ and results/.",
        ),
    ] = Path("demo"),
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    benchmark: Annotated[
        str, typer.Option(help="Benchmark name or folder, with ground truth.")
    ] = "openhead-20",
    recognizer: Annotated[str, typer.Option(help="As for 'mtbench score'.")] = "openhead-av",
    cache: Annotated[
        Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")
    ] = None,
) -> None:
    """Score five control entries in twenty languages and print the tables. Needs nothing but the package."""
    from mtbench.results import entries_table, languages_table
    from mtbench.scoring import run_demo

    runs = run_demo(benchmark, out, recognizer=recognizer, workers=workers, cache=cache)
    say(languages_table(runs).to_text())
    say(entries_table(runs).to_text())
    seconds = sum(run.timings["total_seconds"] for run in runs)
    say_note(f"scored {len(runs)} entries in {seconds:.0f} s; results: {out / 'results'}")
    say_note(
        "Your own system: write submission/submission.toml and submission/motion/<clip>.npz "
        f"(see {out / 'controls' / 'ground-truth'} and docs/submission-format.md), then\n"
        "  mtbench validate submission/\n  mtbench score submission/"
    )


def list_things(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="Only benchmarks, recognizers, renderers, topologies, formats, profiles, metrics or languages."
        ),
    ] = None,
    as_json: JsonOption = False,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Of metrics: the tables of definitions, sources and known failures."),
    ] = False,
) -> None:
    """List benchmarks, recognizers, renderers, topologies, formats, profiles, metrics and languages."""
    from mtbench.errors import UsageError, did_you_mean

    listers = {
        "benchmarks": _list_benchmarks,
        "recognizers": _list_recognizers,
        "renderers": _list_renderers,
        "topologies": _list_topologies,
        "formats": _list_formats,
        "profiles": _list_profiles,
        "metrics": _list_metrics,
        "languages": _list_languages,
    }
    if kind is not None and kind not in listers:
        raise UsageError(f"unknown kind {kind!r}{did_you_mean(kind, listers)}; known: {', '.join(listers)}")
    if markdown:
        if kind != "metrics" or as_json:
            raise UsageError("--markdown is of metrics alone: mtbench ls metrics --markdown")
        from mtbench.metrics import render_definitions

        say(render_definitions().rstrip())
        return
    things = {name: lister() for name, lister in listers.items() if kind in (None, name)}
    if as_json:
        say_json(things)
        return
    for name, found in things.items():
        say(name)
        width = max(16, *map(len, found))
        for key, what in found.items():
            say(f"  {key:<{width}} {what}")


def _list_benchmarks() -> dict[str, str]:
    from mtbench.benchmarks import known_benchmarks, list_versions

    told = {}
    for name, folder in known_benchmarks().items():
        versions = list_versions(folder)
        for b in versions:
            plain = f"; what {name!r} stands for" if b is versions[0] and len(versions) > 1 else ""
            told[b.ref] = f"{len(b.clips)} clips, {len(b.languages)} languages{plain}"
    return told


_OF_OTHERS = "of another package"


def _list_recognizers() -> dict[str, str]:
    from mtbench.avsr import RECOGNIZERS

    known = {
        "openhead-av": "bundled; 20 languages; sound and picture, or either",
        "openhead-av@1": "bundled; the first version, before it heard and saw people; for openhead-20@2",
        "openhead-av@2": "bundled; the present version, by its own name",
    }
    published = _describe_published()
    found: dict[str, str] = {}
    for name in RECOGNIZERS.names():
        mine = {ref: told for ref, told in published.items() if ref.partition(":")[0] == name}
        found |= mine or {name: known.get(name, _OF_OTHERS)}
    own = {
        "module:function": "of your own",
        "program:PATH": "any program of your own, docs/own-recognizer.md",
    }
    return found | own | {"none": "geometry only"}


def _describe_published() -> dict[str, str]:
    """Return what there is to say of each published checkpoint: installed or not, languages, size, terms."""
    from mtbench.avsr.published import CATALOG, find_installed
    from mtbench.errors import PrerequisiteError

    told = {}
    for ref, checkpoint in CATALOG.items():
        try:
            record = find_installed(checkpoint)
            there = (
                "not installed" if record is None else f"installed, {record.memory / 1e9:.1f} GB in memory"
            )
        except PrerequisiteError as error:  # one that is damaged is no reason to list nothing
            there = str(error)
        size = f"{checkpoint.gigabytes:g} GB" if checkpoint.gigabytes else "size unknown"
        languages = ", ".join(checkpoint.languages)
        told[ref] = f"{there}; {languages}; {checkpoint.modalities}; {size}; {checkpoint.license}"
    return told


def _list_renderers() -> dict[str, str]:
    from mtbench.renderers import RENDERERS

    known = {"software": "default, deterministic", "pyrender": "OpenGL, extra [pyrender]"}
    names = [*known, *(name for name in RENDERERS.names() if name not in known)]
    return {name: known.get(name, _OF_OTHERS) for name in names}


def _list_topologies() -> dict[str, str]:
    from mtbench.faces import topology_names

    return {name: _show_topology(name) for name in topology_names()}


def _show_topology(name: str) -> str:
    from mtbench.errors import UsageError
    from mtbench.faces import describe_topology

    try:
        facts = describe_topology(name)
    except UsageError as error:  # another package's fault is no reason to list nothing
        return str(error)
    return f"{facts.n_vertices:,} vertices, {' or '.join(facts.kinds)}"


def _list_formats() -> dict[str, str]:
    from mtbench.importers import IMPORTERS

    known = {"vertices": "<clip>.npy or .npz of (T, V, 3) or (T, 3 V) metres; --fps"}
    return {name: known.get(name) or _show_format(name) for name in IMPORTERS.names()}


def _show_format(name: str) -> str:
    from mtbench.importers import IMPORTERS

    return str(getattr(IMPORTERS.find_bundled(name), "summary", _OF_OTHERS))


def _list_profiles() -> dict[str, str]:
    from mtbench.scoring import PROFILES

    return {name: _show_profile(name) for name in PROFILES.names()}


def _show_profile(name: str) -> str:
    from mtbench.errors import UsageError
    from mtbench.scoring import RECOMMENDED, load_profile

    try:
        profile = load_profile(name)
    except UsageError as error:  # another package's fault is no reason to list nothing
        return str(error)
    told = f"{', '.join(f'{snr:g}' for snr in profile.snrs)} dB" if profile.snrs else "clean sound only"
    told = f"{told}, {profile.normalizer}, {profile.renderer}, {profile.crop_signature}"
    others = [profile.decoding and f"search {profile.decoding}", ", ".join(profile.noises or ())]
    if profile.mixing != RECOMMENDED.mixing:
        others.append("noise from its first sample")
    if profile.rate != RECOMMENDED.rate:
        others.append(f"{profile.rate.upper()} in all languages")
    if profile.aggregation != RECOMMENDED.aggregation:
        others.append(profile.aggregation)
    others += profile.shown
    return ", ".join([told, *filter(None, others)])


def _list_metrics() -> dict[str, str]:
    from mtbench.metrics import METRICS

    asked = " (on request: --metrics)"
    return {m.name: f"{m.title}, {m.unit}{asked if m.optional else ''}" for m in METRICS.values()}


def _list_languages() -> dict[str, str]:
    from mtbench.speech import LANGUAGES

    return {
        code: language.name
        + (" (CER)" if language.headline == "cer" else "")
        + (" (approximate)" if language.approximate else "")
        for code, language in LANGUAGES.items()
    }


def doctor(as_json: JsonOption = False) -> None:
    """Check what is installed: packages, weights, assets, graphics libraries, cache."""
    from dataclasses import asdict

    from mtbench.cli.doctor import examine

    findings = examine()
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            say(f"{finding.status:<7} {finding.name:<{width}}  {finding.detail}")
    if any(finding.status == "broken" for finding in findings):
        raise typer.Exit(4)


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove the entries.")] = False,
    stage: Annotated[str | None, typer.Option(help="Only this stage.")] = None,
    folder: Annotated[Path | None, typer.Option("--cache", help="Folder of the stage cache.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what the stage cache holds, or clear it; everything in it can be made again."""
    from dataclasses import asdict

    from mtbench.errors import UsageError
    from mtbench.files import explain_no_folder
    from mtbench.work import Cache

    store = Cache(folder)
    if os.path.lexists(store.root) and not store.root.is_dir():
        raise UsageError(f"{explain_no_folder(store.root)}; the folder of a stage cache is meant")
    if clear:
        freed = store.clear(stage)
        say(f"{store.root}: {freed / 1e6:.1f} MB freed")
        return
    sizes = [size for size in store.sizes() if stage in (None, size.stage)]
    if as_json:
        say_json({"folder": str(store.root), "stages": [asdict(size) for size in sizes]})
        return
    for size in sizes:
        say(f"{size.stage:<12} {size.entries:>8} entries  {size.bytes / 1e6:>9.1f} MB")
    say(f"{store.root}: {sum(size.bytes for size in sizes) / 1e6:.1f} MB")
