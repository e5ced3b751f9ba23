"""The page of a study in Chromium: a robot takes part, from a disk, and its judgements are read."""

import csv
import io
import json
from collections import Counter

import factories
import pytest
from browser import PHONE, browser, chromium  # noqa: F401  (fixtures)
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.faces import load_head
from mtbench.pages import csv_text
from mtbench.people import measure_preference, read_judgements
from mtbench.studies import MOVING, STILL, Design, make_study, read_aspects, write_study

GOOD, NASTY = "Good", '=cmd|"</script><b>x</b>'
CLIPS = {f"{lang}-{n:02}": (lang, 5) for lang in ("ita", "ara") for n in range(1, 4)}


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    face = {"topology": "openhead-1", "neutral": load_head().topology.neutral}
    bench = factories.make_benchmark(folder, clips=CLIPS, **face)
    one = factories.make_submission(folder, "one", CLIPS, system=GOOD, **face)
    two = factories.make_submission(folder, "two", CLIPS, system="Bad", **face)
    text = (two / "submission.toml").read_text().replace('"Bad"', json.dumps(NASTY))
    (two / "submission.toml").write_text(text)
    return bench, one, two


@pytest.fixture(scope="module")
def page(entries, tmp_path_factory):
    """A study of both languages, two clips each, on disk."""
    bench, one, two = entries
    design = Design(clips=2, raters=4, checks=1, seed=3)
    return write_study(make_study([one, two], bench, design), tmp_path_factory.mktemp("made") / "out")


@pytest.fixture(scope="module")
def whose(page):
    """Whose face a file shows."""
    record = json.loads((page.parents[1] / "study.json").read_text("utf-8"))
    return {face["file"]: face["system"] for face in record["faces"]}


#: Notes who speaks and who waits, whenever that changes.
WATCH = """
window.watched = [];
const faces = [1, 2].map((n) => document.getElementById(`face-${n}`));
const note = () => window.watched.push(faces.map((face) => face.className));
const observer = new MutationObserver(note);
for (const face of faces) observer.observe(face, { attributes: true, attributeFilter: ["class"] });
"""
#: Plays, and turns to another tab at once.
HIDE = """
document.getElementById("play").click();
Object.defineProperty(document, "hidden", { value: true, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""


def begin(visit):
    visit.page.check("#agree")
    visit.page.click("#start")


def take_part(visit, whose, wrong=(), until=None):
    """Judge pair after pair by keyboard until the end or a number of them; whose faces stood at place 1, in order.

    The better face is GOOD's or the one that moves, except in pairs of the numbers *wrong*.
    """
    order = []
    while until is None or len(order) < until:
        visit.page.wait_for_selector("#end:not([hidden]), #trial:not([hidden]) #play:not([disabled])")
        if visit.page.is_visible("#end"):
            return order
        codes = [visit.page.get_attribute(f"#face-{n}", "data-face") for n in (1, 2)]
        systems = [whose[code] for code in codes]
        right = 1 + next(i for i, name in enumerate(systems) if name in (GOOD, MOVING))
        key = str(3 - right if len(order) in wrong else right)
        visit.page.keyboard.press(key)  # too early: nothing may come of it
        assert visit.page.locator("#questions :checked").count() == 0
        assert not visit.page.is_enabled("#next")
        visit.page.keyboard.press("Space")
        visit.page.wait_for_selector("fieldset:not([disabled])")
        visit.page.keyboard.press(key)
        assert not visit.page.is_enabled("#next")
        visit.page.keyboard.press(key)
        visit.page.keyboard.press("Enter")
        order.append(systems[0])
    return order


def save(visit):
    with visit.page.expect_download() as download:
        visit.page.click(".save:visible")
    text = download.value.path().read_text("utf-8")
    return download.value.suggested_filename, text, list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_robot_takes_part_and_its_judgements_are_what_it_chose(page, whose, browser):  # noqa: F811
    visit = browser.open(page, fragment="#rater=2&lang=ita")
    assert visit.audit() == []
    begin(visit)
    order = take_part(visit, whose, wrong=(2,))
    assert visit.audit() == []
    name, _, rows = save(visit)
    assert name.startswith("judgements-2-")
    assert visit.page.inner_text("#saved") == f"✓ {name}"
    assert len(order) == 4  # practice, two pairs, a check
    assert len(rows) == 6
    assert Counter(row["aspect"] for row in rows) == {"lip-sync": 3, "realism": 3}
    assert {row["rater"] for row in rows} == {name.removeprefix("judgements-").removesuffix(".csv")}
    assert {row["language"] for row in rows} == {"ita"}
    for row in rows:
        check = row["check"] != ""
        systems = (MOVING, STILL) if check else (GOOD, "'" + NASTY)
        assert (row["system_a"], row["system_b"]) == systems
        assert row["choice"] == ("b" if row["trial"] == "2" else "a")
        assert order[int(row["trial"])] == (
            row["system_a"] if row["first_shown"] == "a" else NASTY if not check else STILL
        )
    assert sum(row["check"] == "a" for row in rows) == 2
    assert visit.errors == []
    assert visit.network == []


def test_cells_are_written_as_all_others_are(page, browser):  # noqa: F811
    texts = [
        NASTY,
        "-7.5",
        "+1e9",
        "-x",
        "@a",
        "\uff1d1",
        "\t=1",
        "a\r\n\u2028b",
        'say "a, b"',
        "\u202eabc",
        "a\0\x1b[31m\x9b",
        "\u2067\u202eabc\u2069\u2069\u202c\u202a\u2068",
        "👩‍🔬",
        "plain",
    ]
    made = browser.open(page).page.evaluate(
        "texts => StudyJudgements.formatCsv(texts.map((rater) => ({ rater })))", texts
    )
    first = [line.partition(",undefined")[0] + "\n" for line in made.splitlines(keepends=True)[1:]]
    assert "".join(first) == csv_text([[text] for text in texts])


def test_a_rater_goes_on_where_he_stopped_and_another_begins_anew(page, whose, browser):  # noqa: F811
    visit = browser.open(page, fragment="#clips=ita")
    begin(visit)
    first = take_part(visit, whose, until=2)
    _, _, rows = save(visit)
    assert len(rows) == 2
    visit.page.wait_for_selector("#play:not([disabled])")
    visit.page.reload()
    assert visit.page.is_hidden("#agree-row")
    assert visit.page.is_disabled("#clips")
    assert visit.audit() == []
    visit.page.click("#start")
    rest = take_part(visit, whose)
    assert len(first) + len(rest) == 4
    _, _, all_rows = save(visit)
    assert all_rows[:2] == rows
    assert len({row["rater"] for row in all_rows}) == 1
    visit.page.reload()
    assert visit.page.is_visible("#end")
    visit.page.on("dialog", lambda dialog: dialog.accept())
    visit.page.click("#end .another")
    assert visit.page.is_visible("#agree-row")
    begin(visit)
    take_part(visit, whose, until=2)
    assert save(visit)[2][0]["rater"] != rows[0]["rater"]
    assert visit.errors == []


def test_judgements_of_raters_go_through_preference_as_they_are(page, whose, browser, tmp_path):  # noqa: F811
    """Each rater has a schedule and a place of his own; who fails his attention check is left out."""
    visit = browser.open(page, fragment="#rater=1&clips=ara")
    begin(visit)
    take_part(visit, whose)
    _, text, one = save(visit)
    (first := tmp_path / "first.csv").write_text(text, "utf-8")
    visit.page.goto("about:blank")
    visit.page.goto(page.as_uri() + "#rater=6&clips=ara")  # of four schedules: the second
    begin(visit)
    take_part(visit, whose, wrong=range(4))
    _, text, two = save(visit)
    (second := tmp_path / "second.csv").write_text(text, "utf-8")
    assert [row["schedule"] for row in one + two] == ["1"] * 6 + ["2"] * 6
    sides = {(row["clip"], row["first_shown"]) for row in one + two if not row["check"]}
    assert len(sides) == 4
    assert visit.errors == []
    result = CliRunner().invoke(app, ["preference", str(first), str(second), "--json"])
    assert result.exit_code == 0, result.output
    found = read_judgements([first, second])
    assert found.systems == (GOOD, NASTY)
    measured = measure_preference(found)
    assert measured.attention.left_out == (two[0]["rater"],)
    assert (measured.attention.n_right, measured.attention.n_checks) == (2, 4)
    assert [part.aspect for part in measured.aspects] == ["lip-sync", "realism"]
    for part in measured.aspects:
        (pair,) = part.pairs
        assert (pair.a, pair.b, pair.wins, pair.n) == (GOOD, NASTY, 2, 2)


def test_arabic_runs_from_right_to_left_and_the_menu_changes_all_texts(page, browser):  # noqa: F811
    visit = browser.open(page, fragment="#lang=ar", size=PHONE, dark=True)
    html = visit.page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ar", "rtl")
    assert visit.page.input_value("#clips") == "ara"
    assert visit.audit() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    begin(visit)
    visit.page.wait_for_selector("#play:not([disabled])")
    assert visit.audit() == []
    one, two = (visit.page.locator(f"#face-{n}").bounding_box() for n in (1, 2))
    assert one["x"] >= two["x"] + two["width"]
    assert one["y"] == two["y"]
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    other = browser.open(page, fragment="#clips=ita")
    for code, title in (
        ("deu", "Welches Gesicht spricht besser?"),
        ("jpn", "どちらの顔の話し方が良いですか"),
    ):
        other.page.select_option("#language", code)
        assert other.page.inner_text("#welcome-title") == title
        assert other.page.title() == title
        assert other.page.input_value("#clips") == "ita"
    assert other.audit() == []
    assert visit.errors + other.errors == []


def test_faces_can_take_turns_and_ties_be_ruled_out(entries, tmp_path, browser):  # noqa: F811
    bench, one, two = entries
    aspects = read_aspects(["warmth=<b>Which</b> is warmer?"])
    design = Design(clips=1, raters=1, checks=0, turns=True, ties=False, aspects=aspects, mixed=True)
    made = make_study([one, two], bench, design, ["ita"], consent="You <i>agree</i>.\n\nReally.")
    visit = browser.open(write_study(made, tmp_path / "out"))
    assert visit.page.locator("#consent p").all_inner_texts() == ["You <i>agree</i>.", "Really."]
    begin(visit)
    visit.page.wait_for_selector("#play:not([disabled])")
    visit.page.evaluate(WATCH)
    visit.page.keyboard.press("Space")
    visit.page.wait_for_selector("fieldset:not([disabled])")
    states = [state for state in visit.page.evaluate("window.watched") if state != ["", ""]]
    assert list(map(list, dict.fromkeys(map(tuple, states)))) == [
        ["speaking", "waiting"],
        ["waiting", "speaking"],
    ]
    assert visit.page.inner_text("legend") == "<b>Which</b> is warmer?"
    assert visit.page.locator("#questions input").count() == 2
    visit.page.keyboard.press("0")
    assert not visit.page.is_enabled("#next")
    visit.page.click("#questions label:nth-child(2)")
    assert visit.page.is_enabled("#next")
    assert visit.audit() == []
    assert visit.errors == []


def test_a_page_that_is_left_while_it_plays_was_not_watched(page, browser):  # noqa: F811
    visit = browser.open(page, fragment="#clips=ita")
    begin(visit)
    visit.page.wait_for_selector("#play:not([disabled])")
    visit.page.evaluate(HIDE)
    visit.page.wait_for_timeout(600)
    assert visit.page.locator("fieldset:disabled").count() == 2
    visit.page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    visit.page.keyboard.press("Space")
    visit.page.wait_for_selector("fieldset:not([disabled])")
    assert visit.errors == []


def test_a_file_that_is_missing_is_told(page, whose, browser, tmp_path):  # noqa: F811
    import shutil

    broken = tmp_path / "page"
    shutil.copytree(page.parent, broken)
    for code in whose:
        (broken / "media" / f"{code}.js").unlink()
    visit = browser.open(broken / "index.html", fragment="#lang=en")
    begin(visit)
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert "could not be loaded" in visit.page.inner_text("#problem")
    assert visit.audit() == []


def test_a_browser_that_keeps_nothing_or_shows_nothing_says_so(page, browser):  # noqa: F811
    visit = browser.open(page, fragment="#lang=en")
    visit.page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    visit.page.reload()
    begin(visit)
    visit.page.wait_for_selector("#play:not([disabled])")
    assert "keeps nothing" in visit.page.inner_text("#problem")
    assert visit.audit() == []
    visit.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    visit.page.reload()
    begin(visit)
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert "WebGL 2 is missing" in visit.page.inner_text("#problem")
    assert visit.page.is_visible("#welcome")
