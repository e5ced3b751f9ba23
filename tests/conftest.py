"""Fixtures that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory) -> Iterator[None]:
    """Folders of the test run's own: neither a FLAME file that its user installed nor a cache changes a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MTBENCH_DATA", "MTBENCH_CACHE"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


#: Inputs and outputs of the original code that a public clone checks too, see the folder's README.
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts beside the checkout; tests that need it are skipped where it is absent."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("the folder ../shared with golden fixtures is absent")
    return path
