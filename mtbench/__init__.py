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
}

__all__ = [
    "__version__",
    "compare",
    "load_benchmark",
    "load_submission",
    "rescore",
    "score",
    "validate",
]

if TYPE_CHECKING:
    from mtbench.benchmark import load_benchmark as load_benchmark
    from mtbench.comparison import compare as compare
    from mtbench.scoring import rescore as rescore
    from mtbench.scoring import score as score
    from mtbench.submission import load_submission as load_submission
    from mtbench.submission import validate as validate


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'mtbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
