"""The noises of a benchmark: its own, or the bundled ones where it brings none."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from mtbench.benchmarks.benchmark import Benchmark, bundled_benchmarks, load_benchmark
from mtbench.speech import NoiseSet, load_noises

#: Whose noise recordings are used where a benchmark brings none.
BUNDLED_NOISES = "openhead-20"


def find_noise_folder(benchmark: Benchmark) -> Path | None:
    """Return the folder of noise recordings that *benchmark* is scored with; None where nothing is bundled either."""
    return benchmark.noise_folder or _bundled_folder()


def find_noises(benchmark: Benchmark) -> NoiseSet:
    """Return the noises of :func:`find_noise_folder`, loaded once per process and content of the benchmark."""
    return _load(find_noise_folder(benchmark), benchmark.digest)


@lru_cache(maxsize=4)
def _load(folder: Path | None, _digest: str) -> NoiseSet:
    return load_noises(folder)


@cache
def _bundled_folder() -> Path | None:
    """Return where the bundled noises lie; they ship with the package and stay."""
    bundled = bundled_benchmarks().get(BUNDLED_NOISES)
    return None if bundled is None else load_benchmark(bundled).noise_folder
