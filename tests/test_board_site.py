"""The board's site: what its pages say without a script, and what they do in Chromium."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import PHONE, WIDE, browser, chromium  # noqa: F401  (fixtures)
from markupsafe import escape
from result_folders import make_clips, make_rows, write_result

from mtbench.leaderboard import build_leaderboard
from mtbench.leaderboard.site import SiteServer
from mtbench.results import find_number, read_run

CLIPS = make_clips()
CONTROL = {"name": "control entry static"}
HISTORIC = Path(__file__).parent / "historic_results"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Three entries, two of which cannot be told apart, a control, and one by another recognizer."""
    root = tmp_path_factory.mktemp("results")
    open_weights = {"name": "Ours", "open_weights": True, "paper": "A paper"}
    write_result(root / "ours" / "toy", "ours", make_rows(CLIPS, 0.3), CLIPS, model=open_weights)
    write_result(root / "alike" / "toy", "alike", make_rows(CLIPS, 0.31, seed=5), CLIPS)
    write_result(root / "worse" / "toy", "worse", make_rows(CLIPS, 0.9, seed=1), CLIPS)
    write_result(root / "static" / "toy", "static", make_rows(CLIPS, 0.6, seed=2), CLIPS, model=CONTROL)
    other = {"recognizer": "other-av", "digest": "ee" * 16, "understood": 44.0, "reads": False}
    write_result(root / "other" / "toy", "other", make_rows(CLIPS, 0.4, seed=3), CLIPS, **other)
    return root


@pytest.fixture(scope="module")
def site(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    build_leaderboard(results, out, {"ours": {"ita-01": "viewers/ita-01.html"}})
    return out


class Tables(HTMLParser):
    """Tables of a page: lists of rows of cells' texts, by the id of the section around them."""

    def __init__(self, path):
        super().__init__()
        self.found, self.section, self.cell, self.skipped = {}, "", None, 0
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self.section = dict(attrs).get("id", "")
        elif tag == "tr":
            self.found.setdefault(self.section, []).append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.found[self.section][-1].append(" ".join(self.cell.split()))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += f" {data}"


def test_the_table_reads_without_a_script(site, results):
    head, *rows = Tables(site / "index.html").found["table-1"]
    assert head[:7] == ["rank", "entry", "AV −7.5 dB", "AV clean", "V", "gain −7.5 dB", "LVE mm"]
    assert [row[1].split()[0] for row in rows[:3]] == ["ours", "alike", "worse"]
    assert [row[0].replace(" ", "") for row in rows[:3]] == ["1=1–2", "1=1–2", "33–3"]
    assert rows[3] == ["Controls: their place is known beforehand, they have no rank"]
    assert rows[4][:2] == ["", "static"]
    for row, name in ((rows[0], "ours"), (rows[2], "worse"), (rows[4], "static")):
        summary = read_run(results / name / "toy").summary
        number = find_number(summary, "headline", modality="av", snr_db=-7.5, noise="all")
        shown = re.fullmatch(r"([0-9.]+) ±([0-9.]+)", row[2])
        assert float(shown[1]) == pytest.approx(number.estimate, abs=0.05001)
        assert float(shown[2]) == pytest.approx((number.ci95[1] - number.ci95[0]) / 2, abs=0.1)


def test_published_numbers_stand_apart(site):
    found = Tables(site / "index.html").found
    printed = found["published"]
    assert ["MultiTalk", "1.16", "1.06", "1.39", "1.26", "42.4", "50.5", "63.0", "74.2"] in printed
    assert ["VOCA", "53.1", "62.6", "153.1"] in printed
    assert not any(
        "MultiTalk" in cell for key in found if key != "published" for row in found[key] for cell in row
    )
    text = (site / "index.html").read_text("utf-8")
    assert text.count("As published, not measured here") == 4
    assert "10⁻⁴ m²" in text


def test_other_recognizers_profiles_versions_and_meshes_share_no_column(results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    for name, change in (
        ("profile", lambda run: run["settings"]["recognition"].update(profile="strict")),
        ("version", lambda run: run["benchmark"].update(version="2")),
        ("mesh", lambda run: run["system"].update(topology="other-mesh")),
    ):
        folder = tmp_path / "results" / name / "toy"
        shutil.copytree(results / "worse" / "toy", folder)
        run = json.loads((folder / "run.json").read_text("utf-8"))
        change(run)
        run["system"]["name"] = name
        (folder / "run.json").write_text(json.dumps(run), "utf-8")
    build_leaderboard(tmp_path / "results", tmp_path / "site")
    found = Tables(tmp_path / "site" / "index.html").found
    tables = {key: rows for key, rows in found.items() if key.startswith("table-")}
    names = [
        {row[rows[0].index("entry")].split()[0] for row in rows[1:] if len(row) > 1}
        for rows in tables.values()
    ]
    (main,) = [rows for rows, held in zip(tables.values(), names) if "ours" in held]
    everybody = {"alike", "mesh", "ours", "static", "worse"}
    assert sorted(names, key=sorted) == [everybody, {"other"}, {"profile"}, {"version"}]
    head = main[0]
    columns = [head.index(f"LVE mm · {mesh}") for mesh in ("other-mesh", "toy")]
    for row in main[1:]:
        if len(row) > 1:
            filled = [row[i] != "–" for i in columns]
            assert filled == ([True, False] if row[1].startswith("mesh") else [False, True])


def test_equal_results_give_equal_bytes(results, site, tmp_path):
    shutil.copytree(results, tmp_path / "elsewhere")
    build_leaderboard(tmp_path / "elsewhere", tmp_path / "site", {"ours": {"ita-01": "viewers/ita-01.html"}})
    before = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    after = {
        p.relative_to(tmp_path / "site"): p.read_bytes()
        for p in (tmp_path / "site").rglob("*")
        if p.is_file()
    }
    assert before == after
    assert len(before) == 11


def test_an_entry_has_its_manifest_languages_clips_and_signatures(site, results):
    text = (site / "entries" / "ours.html").read_text("utf-8")
    assert "A paper" in text
    assert "<dt>open weights</dt><dd><bdi>yes</bdi></dd>" in text
    run = read_run(results / "ours" / "toy")
    number = find_number(run.summary, "headline", modality="av", snr_db=-7.5, noise="all")
    assert number.signature.replace("&", "&amp;") in text
    heads = [row[0] for row in Tables(site / "entries" / "ours.html").found[""]]
    assert heads[1:5] == ["All languages", "Arabic", "Italian", "Japanese"]
    assert '<svg role="img"' in text
    assert "<del>" in text
    assert "<ins>" in text
    shown = re.findall(r"<h4><bdi>([a-z]+-[0-9]+)</bdi>.*?(WER|CER) ([0-9.]+) %", text)
    worst, best = shown[:5], shown[5:]
    assert [float(e) for _, _, e in worst] == sorted((float(e) for _, _, e in worst), reverse=True)
    assert max(float(e) for _, _, e in best) <= min(float(e) for _, _, e in worst)
    assert all(rate == ("CER" if clip.startswith("jpn") else "WER") for clip, rate, _ in shown)
    assert text.count('href="../viewers/ita-01.html"') == any(clip == "ita-01" for clip, _, _ in shown)


def test_the_judge_is_judged(site):
    text = (site / "judge.html").read_text("utf-8")
    assert "It understands this speech." in text
    assert "It reads these mouths." in text
    assert "It does not understand this speech." in text
    assert "It cannot read these mouths." in text
    assert text.count("above 30 %: not understood") == 3


def test_methods_are_those_of_the_metrics(site):
    from mtbench.metrics import METRICS
    from mtbench.results import KEY_MEANINGS
    from mtbench.results.signature import KEYS

    text = (site / "methods.html").read_text("utf-8")
    assert METRICS["avlr_gain"].title in text
    assert 'id="metric-lve_mm"' in text
    assert 'id="metric-lip_dtw_mm"' not in text
    assert list(KEY_MEANINGS) == list(KEYS)
    assert all(f"<td>{escape(meaning)}</td>" in text for _, meaning in KEY_MEANINGS.values())


@pytest.mark.parametrize("version", [1, 2, 3])
def test_results_of_every_version_are_read_for_ever(version, tmp_path):
    folder = HISTORIC / f"version-{version}"
    run = read_run(folder / "system-b" / "small")
    assert run.schema_version == version
    assert find_number(run.summary, "lve_mm").estimate > 0
    build_leaderboard(folder, tmp_path)
    rows = Tables(tmp_path / "index.html").found["table-1"]
    assert rows[1][0] == "system-b"
    assert "system-b" in (tmp_path / "entries" / "system-b.html").read_text("utf-8")


def test_all_versions_together(tmp_path):
    for version in (1, 2, 3):
        shutil.copytree(HISTORIC / f"version-{version}" / "system-b", tmp_path / "results" / f"v{version}")
    written = build_leaderboard(tmp_path / "results", tmp_path / "site")
    pages = [path for path in written if path.parent.name == "entries"]
    assert len(pages) == len(set(pages)) == 3
    assert {"table-1", "table-2"} <= set(Tables(tmp_path / "site" / "index.html").found)


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)])
def test_every_page_is_for_everybody(site, browser, size, dark):  # noqa: F811
    for page in ("index.html", "judge.html", "methods.html", "entries/ours.html"):
        visit = browser.open(site / page, size=size, dark=dark)
        assert visit.audit() == [], page
        assert visit.errors == [], page
        assert visit.network == [], page
        width = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, page


def rows_of(page, section="table-1"):
    script = """(id) => [...document.getElementById(id).querySelectorAll("tr[data-entry]")].filter((r) => !r.hidden)
        .map((r) => [...r.cells].filter((c) => !c.hidden).map((c) => c.innerText.replace(/\\s+/g, " ").trim()))"""
    return page.evaluate(script, section)


def order_of(page, section="table-1"):
    return [row[1].split()[0] for row in rows_of(page, section)]


def test_the_script_draws_what_python_drew(site, browser):  # noqa: F811
    made, drawn = (
        [
            re.sub(r' (tabindex="0"|title="[^"]*")', "", body.inner_html()).replace("><", "> <").split()
            for body in browser.open(site / "index.html", java_script_enabled=script)
            .page.locator("#table-1 tbody")
            .all()
        ]
        for script in (False, True)
    )
    assert len(made) == 2
    assert [word for word in made[0] if "<path" in word]
    assert made == drawn, [pair for a, b in zip(made, drawn) for pair in zip(a, b) if pair[0] != pair[1]][:9]


def test_heads_sort(site, results, browser):  # noqa: F811
    names = ("ours", "alike", "worse", "static")
    errors = {
        name: find_number(read_run(results / name / "toy").summary, "lve_mm").estimate for name in names
    }
    page = browser.open(site / "index.html").page
    page.click("#table-1 th[data-key='lve_mm'] button")
    values = [errors[name] for name in order_of(page)[:3]]
    assert values == sorted(values)
    assert page.get_attribute("#table-1 th[data-key='lve_mm']", "aria-sort") == "ascending"
    assert page.locator("#table-1 th[aria-sort]").count() == 1
    page.click("#table-1 th[data-key='lve_mm'] button")
    assert order_of(page)[3] == "static"  # controls stay where they are
    again = [errors[name] for name in order_of(page)[:3]]
    assert again == sorted(again, reverse=True)
    page.locator("#table-1 th[data-key='name'] button").press("Enter")
    assert order_of(page)[:3] == ["alike", "ours", "worse"]
    page.click("#table-1 th[data-key='rank'] button")
    assert order_of(page)[:3] == ["ours", "alike", "worse"]


def test_filters_show_the_numbers_of_a_language_and_a_noise(site, results, browser):  # noqa: F811
    visit = browser.open(site / "index.html")
    page = visit.page
    run = read_run(results / "ours" / "toy")
    page.select_option("select[name=language]", "ita")
    for noise in ("", "music"):
        page.select_option("select[name=noise]", noise)
        number = find_number(run.summary, "headline", "ita", modality="av", snr_db=-7.5, noise=noise or "all")
        (row,) = [r for r in rows_of(page) if r[1].startswith("ours")]
        assert float(row[2].split()[0]) == pytest.approx(number.estimate, abs=0.05001)
        assert page.inner_text("#table-1 caption") == (
            f"Italian, {noise or 'all noises together'}; ranks over all languages and noises"
        )
    page.select_option("select[name=metric]", "gain")
    page.select_option("select[name=snr]", "-10")
    heads = [
        head.inner_text().strip() for head in page.locator("#table-1 thead th").all() if head.is_visible()
    ]
    assert heads == ["rank", "entry", "gain −10 dB"]
    page.check("input[name=open]")
    assert order_of(page) == ["ours", "static"]
    page.select_option("select[name=recognizer]", "other-av#eeeeeeee")
    assert page.is_hidden("#table-1") != page.is_hidden("#table-2")
    page.click("button[type=reset]")
    page.wait_for_function("location.hash === ''")
    assert order_of(page) == ["ours", "alike", "worse", "static"]
    assert visit.errors == []
    assert visit.network == []


@pytest.mark.parametrize("served", [False, True])
def test_the_address_keeps_what_was_chosen(site, browser, served):  # noqa: F811
    server = SiteServer(site, 0) if served else None
    if server is not None:
        import threading

        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        visit = browser.open(site / "index.html" if server is None else server.address)
        page = visit.page
        page.select_option("select[name=language]", "jpn")
        page.click("#table-1 th[data-key='v'] button")
        page.click("#table-1 th[data-key='v'] button")
        before = rows_of(page)
        assert "language=jpn" in page.evaluate("location.hash")
        page.reload()
        assert rows_of(page) == before
        assert page.input_value("select[name=language]") == "jpn"
        assert page.get_attribute("#table-1 th[data-key='v']", "aria-sort") == "descending"
        page.goto(page.url.partition("#")[0] + "#language=nonsense&snr=x&sort.table-1=no,way")
        page.reload()
        assert order_of(page)[:1] == ["ours"]
        assert visit.errors == []
        assert [r for r in visit.network if server is None or not r.startswith(server.address)] == []
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()


def test_every_number_gives_its_signature_to_keyboard_and_pointer(site, results, browser):  # noqa: F811
    visit = browser.open(site / "index.html")
    page = visit.page
    run = read_run(results / "ours" / "toy")
    first = page.locator("#table-1 td.number[tabindex='0']")
    assert first.count() == 1
    first.focus()
    page.keyboard.press("ArrowRight")
    clean = find_number(run.summary, "headline", modality="av")
    assert page.inner_text("#table-1 .detail code") == clean.signature
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#table-1 .detail p").startswith("alike, AV clean: ")
    page.select_option("select[name=language]", "ita")
    page.hover("#table-1 tr[data-entry='0'] td.number >> nth=0")
    italian = find_number(run.summary, "headline", "ita", modality="av", snr_db=-7.5, noise="all")
    assert page.get_attribute("#table-1 tr[data-entry='0'] td.number >> nth=0", "title") == italian.signature
    page.click("#table-1 tr[data-entry='0'] td.number >> nth=0")
    page.click("#table-1 [data-copy=signature]")
    assert page.input_value("#table-1 textarea") == italian.signature
    assert visit.audit() == []
    assert visit.errors == []
