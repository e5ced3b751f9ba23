"""What strangers call their systems is text on every page of the board, and in every copy of its tables."""

import csv
import io
import json
import re

import pytest
from browser import PHONE, browser, chromium  # noqa: F401  (fixtures)
from nasty import NASTY_TEXTS
from result_folders import make_clips, make_rows, write_result

from mtbench.leaderboard import build_leaderboard
from mtbench.pages import latex_text, markdown_cell

CLIPS = make_clips(("ita",), 2)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("nasty")
    for i, text in enumerate(NASTY_TEXTS):
        rows = make_rows(CLIPS, 0.3, seed=i, answer=text)
        model = {"name": text, "paper": text, "license": text, "open_weights": True}
        write_result(
            root / "results" / f"n{i}" / "toy", text, rows, CLIPS, model=model, warnings=[text], replicates=20
        )
    build_leaderboard(root / "results", root / "site", {"ours": {}})
    return root / "site"


def squeeze(text):
    return " ".join(text.split())


def test_names_are_text_on_every_page(site, browser):  # noqa: F811
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 3 + len(NASTY_TEXTS)
    shown = []
    for path in pages:
        visit = browser.open(path, size=PHONE)
        assert "pwned" not in visit.page.title() or path.parent.name == "entries"
        assert visit.errors == []
        assert visit.network == []
        assert visit.page.locator("main img, main script, main [onmouseover]").count() == 0
        if path.parent.name == "entries":
            shown.append(squeeze(visit.page.locator("h1").inner_text()))
            assert visit.page.locator("dd", has_text=shown[-1]).count() >= 1
        if path.name == "index.html":
            assert visit.audit() == []
            names = [squeeze(t) for t in visit.page.locator("tbody th bdi").all_inner_texts()]
            assert sorted(names) == sorted(map(squeeze, NASTY_TEXTS))
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert sorted(shown) == sorted(map(squeeze, NASTY_TEXTS))


def copy(page, kind):
    page.click(f"#table-1 [data-copy={kind}]")
    return page.input_value("#table-1 textarea")


def test_copies_hold_names_as_text(site, browser):  # noqa: F811
    visit = browser.open(site / "index.html")
    order = visit.page.locator("tbody tr[data-entry] th bdi").all_inner_texts()
    _, *rows = csv.reader(io.StringIO(copy(visit.page, "csv"), newline=""))
    assert len({len(row) for row in rows}) == 1
    for row, name in zip(rows, map(squeeze, order), strict=True):
        assert squeeze(row[0]) == ("'" + name if name.startswith(("=", "+", "-", "@")) else name)
    assert not any(row[0].startswith(("=", "+", "-", "@")) for row in rows)
    names = dict(zip(map(squeeze, NASTY_TEXTS), NASTY_TEXTS))
    lines = [line for line in copy(visit.page, "markdown").split("\n") if line.startswith("| ")][2:]
    for line, name in zip(lines, order, strict=True):
        assert line.startswith(f"| {markdown_cell(names[squeeze(name)])} | ")
        assert "<" not in line
        assert len(re.split(r"(?<!\\)\|", line)) == len(rows[0][3:]) / 3 + 4
    latex = copy(visit.page, "latex")
    for name in NASTY_TEXTS:
        assert f"\n{latex_text(name)} & " in latex
    assert "\\input{" not in latex
    assert latex.count("\\begin{tabular}") == latex.count("\\toprule") == 1
    assert visit.errors == []


def test_files_beside_the_site_hold_names_as_text(site):
    with (site / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        names = {row["system"] for row in csv.DictReader(file)}
    assert len(names) == len(NASTY_TEXTS)
    assert not any(name.startswith(("=", "+", "-", "@")) for name in names)
    (group,) = json.loads((site / "leaderboard.json").read_text("utf-8"))
    assert {entry["system"]["name"] for entry in group["entries"]} == set(NASTY_TEXTS)
    markdown = (site / "leaderboard.md").read_text("utf-8")
    assert "<" not in markdown
    for name in NASTY_TEXTS:
        assert f"| {markdown_cell(name)} | " in markdown


def test_no_file_holds_control_characters(tmp_path):
    name = "a\0b\nc\x1b[31m \u202edcba"
    rows = make_rows(CLIPS, 0.3, answer=name)
    model = {"name": name, "paper": name}
    write_result(
        tmp_path / "results" / "x" / "toy", name, rows, CLIPS, model=model, warnings=[name], replicates=20
    )
    build_leaderboard(tmp_path / "results", tmp_path / "site", {})
    for path in sorted((tmp_path / "site").rglob("*.*")):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", path.read_text("utf-8")), path
    shown = "a\ufffdb c\ufffd[31m \u202edcba\u202c"
    assert f"\n{shown},toy@1," in (tmp_path / "site" / "leaderboard.csv").read_text("utf-8")
    assert f"| \u2068{shown.replace('[', chr(92) + '[')}\u2069 |" in (
        tmp_path / "site" / "leaderboard.md"
    ).read_text("utf-8")
