"""What mtbench runs on, for results: versions and platform.

Conventions
-----------
:func:`describe_environment` is part of ``run.json`` and holds nothing that changes between two runs on one machine.
"""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

_PACKAGES = ("numpy", "scipy", "numba", "torch", "torchaudio", "jiwer", "soundfile", "pydantic")


def package_version(name: str) -> str | None:
    """Return the installed version of distribution *name*, None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe_environment() -> dict[str, Any]:
    """Return versions of mtbench, Python, platform and packages, as ``run.json`` keeps them."""
    from mtbench.version import __version__

    return {
        "mtbench": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: package_version(name) for name in _PACKAGES},
    }
