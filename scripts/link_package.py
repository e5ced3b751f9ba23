"""Show the package as it will be installed: a tree of links in ``build/tree``, for tools that read files.

The four stage folders lie at the top of the repository and are installed inside ``mtbench``. mypy, import-linter and
mkdocs look for modules in folders, and find all of them here. Links that are right are left alone, so that tools which
run beside each other do not disturb one another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "tree"
STAGES = ("renderers", "avsr", "reference_model", "leaderboard")


def link_package() -> Path:
    """Make or mend the links and return the folder that holds ``mtbench``."""
    package = TREE / "mtbench"
    package.mkdir(parents=True, exist_ok=True)
    wanted = {path.name: path for path in (ROOT / "mtbench").iterdir() if path.name != "__pycache__"}
    wanted |= {stage: ROOT / stage for stage in STAGES}
    for link in package.iterdir():
        if wanted.get(link.name) != link.readlink():
            link.unlink()
    for name, target in wanted.items():
        if not (package / name).is_symlink():
            (package / name).symlink_to(target)
    return TREE


def on_startup(**_: Any) -> None:
    """Mkdocs calls this before it reads the documents."""
    link_package()


if __name__ == "__main__":
    print(link_package().relative_to(ROOT))
