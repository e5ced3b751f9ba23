"""Pages in headless Chromium: what they print, ask the network for, and how they look.

Chromium is Debian's (``scripts/install_browser.py`` installs it where it may), or the one that ``MTBENCH_CHROMIUM``
names; tests that need it are skipped, with a message, where there is none. WebGL runs on SwiftShader.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)


def find_chromium() -> str | None:
    """Path of Chromium, or None."""
    named = os.environ.get("MTBENCH_CHROMIUM")
    return named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


@dataclass
class Visit:
    """A page that was opened, with what it said and asked for since."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def network(self) -> list[str]:
        """Addresses asked for that are neither on disk nor inside the page."""
        return [r for r in self.requests if not r.startswith(("file:", "data:", "blob:", "about:"))]

    def audit(self) -> list[str]:
        """What axe-core objects to, a line each."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{v['id']} ({v['impact']}): {v['help']}: {node['target']} {node['html'][:200]}"
            for v in found
            for node in v["nodes"]
        ]


class Browser:
    """Headless Chromium; ``open`` gives a visit of a file or address."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []

    def open(
        self,
        address: Path | str,
        *,
        size: dict[str, int] = WIDE,
        dark: bool = False,
        fragment: str = "",
        **context: Any,
    ) -> Visit:
        """Open a file or address in a window of *size*; scripts have run when it returns."""
        url = (address.resolve().as_uri() if isinstance(address, Path) else address) + fragment
        opened = self._browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", accept_downloads=True, **context
        )
        self._contexts.append(opened)
        page = opened.new_page()
        visit = Visit(page)
        page.on("console", lambda m: visit.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: visit.errors.append(str(e)))
        page.on("request", lambda r: visit.requests.append(r.url))
        page.goto(url, wait_until="load")
        return visit

    def close(self) -> None:
        """Close what was opened."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


_STARTED = pytest.StashKey[Any]()


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Any:
    """Chromium, started once in each process of the test run, however many test files import this fixture."""
    stash = request.config.stash
    if _STARTED not in stash:
        playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
        path = find_chromium()
        if path is None:
            pytest.skip("no Chromium: apt-get install chromium, or MTBENCH_CHROMIUM=/path/to/it")
        driver = playwright.sync_playwright().start()
        request.config.add_cleanup(driver.stop)
        stash[_STARTED] = driver.chromium.launch(executable_path=path, headless=True, args=list(_FLAGS))
        request.config.add_cleanup(stash[_STARTED].close)
    return stash[_STARTED]


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    """A browser for one test: ``browser.open(path)``."""
    opened = Browser(chromium)
    yield opened
    opened.close()
