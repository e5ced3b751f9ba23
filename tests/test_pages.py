"""The shell of pages, and text that people chose."""

import csv
import io
import json
import re

import pytest
from browser import PHONE, browser, chromium  # noqa: F401  (fixtures)
from hypothesis import given
from hypothesis import strategies as st

from mtbench.pages import (
    csv_text,
    embed_json,
    embed_script,
    latex_text,
    markdown_cell,
    page_environment,
    write_site,
)

NASTY = (
    "</script><script>alert(1)</script> \u2028 \"q\" 'a' a|b =1+1 \u202eright\u202c 👩‍🔬 `x` *b* _u_ [l](h)"
)


@given(st.text())
def test_embedded_json_cannot_end_its_element_and_is_read_back(text):
    made = str(embed_json("data", {"text": text}))
    inside = made.removeprefix('<script type="application/json" id="data">').removesuffix("</script>")
    assert not set("<>&\u2028\u2029") & set(inside)
    assert json.loads(inside) == {"text": text}


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError):
        embed_json("data", float("nan"))
    with pytest.raises(ValueError):
        embed_json('a"b', 1)
    with pytest.raises(ValueError):
        embed_script("'</SCRIPT>'")


@given(st.text())
def test_a_cell_of_markdown_stays_one_cell(text):
    cell = markdown_cell(text)
    assert "\n" not in cell
    assert "<" not in cell
    assert "|" not in re.sub(r"\\.", "", cell)


@given(st.lists(st.text(), min_size=1))
def test_no_cell_of_csv_is_a_formula(cells):
    (row,) = list(csv.reader(io.StringIO(csv_text([["x", *cells]]), newline="")))
    for told, cell in zip(row[1:], cells, strict=True):
        if told.startswith(("=", "+", "-", "@", "\t", "\r")):
            assert re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", told, re.ASCII)
        assert told.removeprefix("'") == re.sub("[\r\n\0\x0b\x0c\x85\u2028\u2029]+", " ", cell).removeprefix(
            "'"
        )


def test_latex_has_no_command_of_a_name():
    assert latex_text(r"\input{x} $1 & #_^~%") == (
        r"\textbackslash{}input\{x\} \$1 \& \#\_\textasciicircum{}\textasciitilde{}\%"
    )


def test_a_site_is_written_inside_its_folder(tmp_path):
    (path,) = write_site(tmp_path / "site", {"a/b.txt": "x"})
    assert path.read_text() == "x"
    before = path.stat().st_mtime_ns
    write_site(tmp_path / "site", {"a/b.txt": b"x"})
    assert path.stat().st_mtime_ns == before
    for name in ("../x", "/x", "a\\b", ""):
        with pytest.raises(ValueError):
            write_site(tmp_path / "site", {name: "x"})


def make_page(folder):
    (folder / "templates").mkdir()
    (folder / "templates" / "hello.html.j2").write_text(
        '{% extends "page.html.j2" %}{% block main %}<h1><bdi>{{ name }}</bdi></h1>{{ embed_json("data", name) }}'
        '<p class="quiet">quiet</p><p class="warning">mind</p><p><a href="#main">link</a> <button>do</button></p>'
        '{% endblock %}{% block scripts %}{{ embed_script("document.title = JSON.parse('
        "document.getElementById('data').textContent)\") }}{% endblock %}"
    )
    template = page_environment(folder / "templates").get_template("hello.html.j2")
    (folder / "page.html").write_text(template.render(title=NASTY, name=NASTY))
    return folder / "page.html"


@pytest.mark.parametrize("dark", [False, True])
def test_the_shell_shows_text_as_text_from_disk(tmp_path, browser, dark):  # noqa: F811
    visit = browser.open(make_page(tmp_path), size=PHONE, dark=dark)
    assert " ".join(visit.page.locator("h1").inner_text().split()) == " ".join(NASTY.split())
    assert " ".join(visit.page.evaluate("document.title").split()) == " ".join(NASTY.split())
    assert visit.errors == []
    assert visit.network == []
    assert visit.audit() == []
