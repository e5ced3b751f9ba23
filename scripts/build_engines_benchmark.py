"""Build the bundled benchmark ``openhead-engines`` from the voices of flite and festival.

Usage
-----
``python scripts/build_engines_benchmark.py [OUT]`` writes ``mtbench/data/benchmarks/openhead-engines`` by default.
Needs Debian's packages flite, festival and those of the voices, see :data:`mtbench.synth.engines.VOICES`, and the
extra ``[synth]``. The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mtbench.synth.build_engines import build_engines_benchmark
from mtbench.synth.engine_parts import SHIPPED

DEFAULT = Path(__file__).parents[1] / "mtbench" / "data" / "benchmarks" / SHIPPED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=DEFAULT, help=f"folder (default {DEFAULT})")
    out = build_engines_benchmark(
        parser.parse_args().out,
        progress=lambda what, done, total: print(f"{done}/{total} {what}", flush=True),
    )
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
