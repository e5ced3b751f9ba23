"""mtbench: evaluation of multilingual speech-driven 3D talking heads.

The public names are loaded on first use, so that ``import mtbench`` and ``mtbench --help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "load_benchmark": "mtbench.benchmark",
    "load_submission": "mtbench.submission",
    "validate": "mtbench.submission",
    "score": "mtbench.scoring",
    "rescore": "mtbench.scoring",
    "compare": "mtbench.comparison",
    "lve": "mtbench.vertex_errors",
    "fdd": "mtbench.vertex_errors",
    "wer": "mtbench.error_rates",
    "cer": "mtbench.error_rates",
    "render": "mtbench.pictures",
    "transcribe": "mtbench.listening",
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
    from mtbench.benchmark import load_benchmark as load_benchmark
    from mtbench.comparison import compare as compare
    from mtbench.error_rates import cer as cer
    from mtbench.error_rates import wer as wer
    from mtbench.listening import transcribe as transcribe
    from mtbench.pictures import render as render
    from mtbench.scoring import rescore as rescore
    from mtbench.scoring import score as score
    from mtbench.submission import load_submission as load_submission
    from mtbench.submission import validate as validate
    from mtbench.vertex_errors import fdd as fdd
    from mtbench.vertex_errors import lve as lve


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'mtbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
