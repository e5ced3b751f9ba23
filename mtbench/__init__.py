"""mtbench: evaluation of multilingual speech-driven 3D talking heads.

The public names are loaded on first use, so that ``import mtbench`` and ``mtbench --help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mtbench.version import __version__

_PUBLIC = {
    "load_benchmark": "mtbench.benchmarks.benchmark",
    "load_submission": "mtbench.submissions.submission",
    "validate": "mtbench.submissions.submission",
    "score": "mtbench.scoring.scoring",
    "rescore": "mtbench.scoring.scoring",
    "compare": "mtbench.results.comparison",
    "lve": "mtbench.shortcuts.vertex_errors",
    "fdd": "mtbench.shortcuts.vertex_errors",
    "wer": "mtbench.shortcuts.error_rates",
    "cer": "mtbench.shortcuts.error_rates",
    "render": "mtbench.shortcuts.pictures",
    "transcribe": "mtbench.shortcuts.listening",
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
    from mtbench.benchmarks.benchmark import load_benchmark as load_benchmark
    from mtbench.results.comparison import compare as compare
    from mtbench.scoring.scoring import rescore as rescore
    from mtbench.scoring.scoring import score as score
    from mtbench.shortcuts.error_rates import cer as cer
    from mtbench.shortcuts.error_rates import wer as wer
    from mtbench.shortcuts.listening import transcribe as transcribe
    from mtbench.shortcuts.pictures import render as render
    from mtbench.shortcuts.vertex_errors import fdd as fdd
    from mtbench.shortcuts.vertex_errors import lve as lve
    from mtbench.submissions.validation import load_submission as load_submission
    from mtbench.submissions.validation import validate as validate


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'mtbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
