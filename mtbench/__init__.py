"""mtbench: evaluation of multilingual speech-driven 3D talking heads.

The public names are loaded on first use, so that ``import mtbench`` and ``mtbench --help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mtbench.old_names import find_old_names
from mtbench.version import __version__

find_old_names()

_PUBLIC = {
    "load_benchmark": "mtbench.benchmarks",
    "load_submission": "mtbench.submissions",
    "validate": "mtbench.submissions",
    "score": "mtbench.scoring",
    "rescore": "mtbench.scoring",
    "compare": "mtbench.results",
    "lve": "mtbench.shortcuts",
    "fdd": "mtbench.shortcuts",
    "wer": "mtbench.shortcuts",
    "cer": "mtbench.shortcuts",
    "render": "mtbench.shortcuts",
    "transcribe": "mtbench.shortcuts",
}

__all__ = [
    "__version__",
    "cer",
    "compare",
    "fdd",
    "load_benchmark",
    "load_submission",
    "lve",
    "render",
    "rescore",
    "score",
    "transcribe",
    "validate",
    "wer",
]

if TYPE_CHECKING:
    from mtbench.benchmarks import load_benchmark as load_benchmark
    from mtbench.results import compare as compare
    from mtbench.scoring import rescore as rescore
    from mtbench.scoring import score as score
    from mtbench.shortcuts import cer as cer
    from mtbench.shortcuts import fdd as fdd
    from mtbench.shortcuts import lve as lve
    from mtbench.shortcuts import render as render
    from mtbench.shortcuts import transcribe as transcribe
    from mtbench.shortcuts import wer as wer
    from mtbench.submissions import load_submission as load_submission
    from mtbench.submissions import validate as validate


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'mtbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
