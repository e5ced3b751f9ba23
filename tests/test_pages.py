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
#: What no file holds, but for breaks of lines and tabs.
CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
RAW = "a\0b\nc\x1b[31m\x9b\x85"


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
        assert not re.search(CONTROL, told)
        shown = re.sub(CONTROL, "\ufffd", re.sub("[\t\r\n\x0b\x0c\x85\u2028\u2029]+", " ", cell))
        closed = re.escape(shown.removeprefix("'")) + "[\u202c\u2069]*"
        assert re.fullmatch(closed, told.removeprefix("'"), re.DOTALL)


@pytest.mark.parametrize(
    "told",
    [
        csv_text([[RAW]]),
        markdown_cell(RAW),
        page_environment().from_string("{{ x }}|{{ embed_json('x', x) }}").render(x=RAW),
    ],
)
def test_control_characters_are_shown_not_written(told):
    assert not re.search(CONTROL, told)
    assert re.search(r"a\ufffdb\sc\ufffd\\?\[31m\ufffd", told)


def test_latex_shows_them_as_question_marks():
    assert latex_text(RAW) == "a?b c?[31m?"


def level(text):
    """Return how many stretches of another direction are open at the end of *text*, and whether it was ever below 0."""
    depth, least = 0, 0
    for letter in text:
        depth += (letter in "\u2066\u2067\u2068") - (letter == "\u2069")
        least = min(depth, least)
    return depth, least


@given(st.text(alphabet="aא\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069|"))
def test_a_direction_ends_with_its_cell(text):
    cell = markdown_cell(text)
    assert level(cell) == (0, 0)
    if set(cell) - set("a|\\"):
        assert cell[0] == "\u2068"
        assert cell[-1] == "\u2069"
        assert level(cell[:-1])[0] == 1  # the last closes the first


def test_what_a_direction_leaves_open_is_closed():
    assert markdown_cell("\u202ecba") == "\u2068\u202ecba\u202c\u2069"
    assert markdown_cell("a\u2069b") == "\u2068ab\u2069"
    assert markdown_cell("plain") == "plain"
    assert csv_text([["\u202ecba", 12.3]]) == "\u202ecba\u202c,12.3\n"
    assert csv_text([["\u202ecba\u202c", "א"]]) == "\u202ecba\u202c,א\n"


def test_names_are_no_formulas_and_no_links_in_markdown():
    assert markdown_cell("$x$ http://a.b WWW.a.b ftp://c") == (r"\$x\$ http:\//a.b WWW\.a.b ftp:\//c")


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
