"""Choose among the recognizers that a training kept: the one that understands people best, not synthetic voices.

Usage
-----
``python scripts/choose_checkpoint.py RUN --bank BANK`` measures every ``RUN/kept/STEP/openhead-av.safetensors`` on

- the development half of ``openhead-engines``, clean sound alone (phone error, mean over languages); with
  ``--all-engines`` of all voices, where ``mtbench benchmark build openhead-engines --all`` has made them,
- the recordings of people that mtbench ships (GRID), clean sound alone (phone error),
- the development recordings of the motion banks: phone error with the true mouth, picture only and in noise, and the
  rank of the true motion among others (percentile),

prints a table and writes what it found beside each checkpoint, so that a second run only measures what is new. The best
has the least sum of the four errors. Nothing of a test half is looked at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mtbench.avsr import load_recognizer
from mtbench.avsr.evaluation import NOISY, evaluate, measure_set, open_set
from mtbench.benchmarks import find_noises, load_benchmark
from mtbench.files import write_atomically
from mtbench.work import make_progress

ENGINES, RECORDINGS = "development-engines", "real-speech"
SOUND = "a-clean"
FIGURES = "people.json"


def measure(weights: Path, banks: list[Path], engines: str, workers: int) -> dict[str, float]:
    """Return the figures of one checkpoint, in per cent."""
    asked = [f"{engines}-{SOUND}", f"{RECORDINGS}-{SOUND}"]
    rows = evaluate(weights=weights, conditions=asked, workers=workers)
    if lacking := [f"{row.condition}: {row.reason}" for row in rows if row.reason]:
        raise SystemExit("\n".join(lacking))
    found = {row.condition: 100 * row.per for row in rows if row.language == "all"}
    recognizer = load_recognizer("openhead-av", weights)
    noises = find_noises(load_benchmark("openhead-20"))
    for folder in banks:
        with make_progress() as progress:
            measures, _ = measure_set(recognizer, open_set(folder, None), noises, NOISY, progress)
        for figure in ("v.truth", "av-noisy.truth", "v.percentile", "v.first", "av-noisy.static-truth"):
            found[f"{measures.name} {figure}"] = measures.numbers[figure].estimate
    return found


def rate(figures: dict[str, float]) -> float:
    """Return the sum of the errors, by which checkpoints are put in order."""
    return sum(v for k, v in figures.items() if k.endswith((SOUND, ".truth")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of 'mtbench avsr train'")
    parser.add_argument("--bank", type=Path, action="append", default=[], help="motion bank; repeatable")
    parser.add_argument("--all-engines", action="store_true", help="listen to all voices of openhead-engines")
    parser.add_argument("--workers", type=int, default=1, help="processes (default %(default)s)")
    options = parser.parse_args()
    engines = f"{ENGINES}-all" if options.all_engines else ENGINES
    table = {}
    for weights in sorted(
        options.run.glob("kept/*/openhead-av.safetensors"), key=lambda p: int(p.parent.name)
    ):
        beside = weights.parent / FIGURES
        if not beside.is_file():
            figures = measure(weights, options.bank, engines, options.workers)
            write_atomically(beside, json.dumps(figures, indent=1).encode())
        table[int(weights.parent.name)] = json.loads(beside.read_text("utf-8"))
    if not table:
        raise SystemExit(
            f"{options.run}: nothing in kept/; 'mtbench avsr train' keeps every 500th step there"
        )
    names = list(next(iter(table.values())))
    print("step", *names, "sum of errors", sep=" | ")
    for step, figures in table.items():
        print(
            step,
            *(f"{figures.get(name, float('nan')):.1f}" for name in names),
            f"{rate(figures):.1f}",
            sep=" | ",
        )
    print("best:", min(table, key=lambda step: rate(table[step])))


if __name__ == "__main__":
    main()
