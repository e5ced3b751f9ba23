"""Draw the README's pictures of board, viewer and report: windows of Chromium on pages that commands made.

    mtbench leaderboard demo --out build/site --work build/board
    mtbench report build/board/results --language ita --out build/report
    python scripts/draw_pictures.py

The pages follow from their inputs alone; the pixels follow from Chromium and the fonts as well, so that another machine
draws other bytes of the same pages. Needs playwright (dependency group ``test``), Pillow and Chromium.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
#: What the viewer is set to: the middle of the clip, its errors as colors.
LOOK = """() => {
  const middle = String(Math.round(document.getElementById("time").max / 2));
  for (const [name, value] of [["colors", "now"], ["time", middle]]) {
    const control = document.getElementById(name);
    control.value = value;
    for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, {bubbles: true}));
  }
}"""
#: Colors that are left in a picture, so that it is small.
COLORS = 256


def find_page(folder: Path, pattern: str) -> Path:
    """Return the first page that fits."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise SystemExit(
            f"{folder / pattern}: there is none; the commands that make it are at the top of this script"
        )
    return found[0]


def draw(
    browser: Any, page: Path, out: Path, size: tuple[int, int], prepare: str = "", scroll: str = ""
) -> None:
    """Draw a window of *size* on *page* after the script *prepare* ran, with the element *scroll* at its top."""
    from PIL import Image

    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    opened = context.new_page()
    opened.goto(page.resolve().as_uri(), wait_until="load")
    if prepare:
        opened.evaluate(prepare)
    if scroll:
        opened.evaluate("name => document.querySelector(name).scrollIntoView()", scroll)
    opened.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(opened.screenshot())).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    out.write_bytes(buffer.getvalue())
    context.close()
    print(f"{out.relative_to(ROOT)}: {size[0]} x {size[1]}, {len(buffer.getvalue()) / 1e3:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "report")
    parser.add_argument("--entry", default="multitalk-mini", help="whose clip is looked at")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("MTBENCH_CHROMIUM") or shutil.which("chromium")
    flags = [
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-background-networking",
    ]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        draw(browser, arguments.site / "index.html", IMAGES / "board.png", (1280, 860))
        clip = find_page(arguments.site / "viewer" / arguments.entry, "[a-z]*-*.html")
        draw(browser, clip, IMAGES / "viewer.png", (1280, 1340), LOOK)
        draw(browser, arguments.report / "ita.html", IMAGES / "report.png", (1280, 860))
        browser.close()


if __name__ == "__main__":
    main()
