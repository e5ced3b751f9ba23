"""What ``mtbench avsr evaluate --bank`` does: a recognizer measured on captured motion of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtbench.cli.output import say, say_json, say_note


def refuse_options(given: Mapping[str, object]) -> None:
    """Refuse options that say nothing about motion banks.

    Raises
    ------
    UsageError
        Naming those that are not None.
    """
    from mtbench.errors import UsageError

    if named := [option for option, value in given.items() if value]:
        raise UsageError(f"{', '.join(named)} with --bank: leave it out, a bank is measured as a whole")


def evaluate_banks(
    banks: Sequence[Path],
    split: str | None,
    benchmark: str,
    weights: Path | None,
    snrs: Sequence[float],
    noise: str | None,
    chains: bool,
    card: bool,
    as_json: bool,
) -> None:
    """Measure the bundled recognizer on motion banks and print what was found.

    Parameters
    ----------
    banks : sequence of Path
    split : str or None
        ``"development"`` or ``"all"``.
    benchmark : str
        Whose noises are used.
    weights : Path or None
        None is the bundled recognizer.
    snrs : sequence of float
        At most one ratio, decibels.
    noise : str or None
        None is all noises of the benchmark.
    chains : bool
        Degrade the motion, too.
    card, as_json : bool
    """
    from mtbench.avsr import load_recognizer
    from mtbench.avsr.evaluation import (
        NOISY,
        CapturedResult,
        format_result,
        measure_set,
        open_set,
        write_captured_part,
    )
    from mtbench.avsr.openhead import find_bundled
    from mtbench.benchmarks import find_noises, load_benchmark
    from mtbench.errors import UsageError
    from mtbench.meta import format_chains, order_captured
    from mtbench.work import make_progress

    if len(snrs) > 1:
        raise UsageError(f"{len(snrs)} ratios with --bank: name one (--snr {NOISY:g})")
    snr_db = snrs[0] if snrs else NOISY
    noises = find_noises(load_benchmark(benchmark))
    noises = noises if noise is None else noises.select([noise])
    recognizer = load_recognizer("openhead-av", weights)
    captured = [open_set(folder, split) for folder in banks]  # first, so that a damaged one costs no time
    told, parts = [], []
    with make_progress() as progress:
        for one in captured:
            measures, answers = measure_set(recognizer, one, noises, snr_db, progress)
            result = CapturedResult(one, measures, tuple(answers), snr_db, noises.names)
            found, text = result.to_json(), format_result(result)
            if chains:
                ordered = order_captured(recognizer, one, noises, snr_db, progress)
                found["chains"] = ordered.to_json()
                text = f"{text}\n\n{format_chains(ordered)}"
            told.append(found)
            parts.append(text)
    if as_json:
        say_json(told)
    else:
        say("\n\n".join(parts))
    if card:
        path = write_captured_part(weights or find_bundled(), "\n\n".join(parts))
        say_note(str(path))
