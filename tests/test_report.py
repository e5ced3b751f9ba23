"""The report by language: every section has the run's own numbers, whatever the results lack or are called."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from browser import PHONE, WIDE, browser, chromium  # noqa: F401  (fixtures)
from meta_samples import make_scores
from result_folders import NOISES, make_clips, make_rows, write_result
from test_pages import NASTY
from typer.testing import CliRunner

import mtbench
import mtbench.leaderboard.report.writing as writing
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.files.file_errors import WriteError
from mtbench.leaderboard.report import write_report
from mtbench.meta import make_report
from mtbench.results import count_confusions, find_number, read_results, read_run
from mtbench.statistics import count_items, least_difference

CLIPS = make_clips()
CONTROL = {"name": "control entry static"}
REFERENCE = {"name": "multitalk-mini", "code": "mtbench.reference_model"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    write_result(root / "ours" / "toy", "ours", make_rows(CLIPS, 0.3, closures=True), CLIPS)
    write_result(root / "static" / "toy", "static", make_rows(CLIPS, 0.6, seed=1), CLIPS, model=CONTROL)
    write_result(root / "mini" / "toy", "mini", make_rows(CLIPS, 0.4, seed=2), CLIPS, model=REFERENCE)
    return root


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report([results], out, tex=True)
    return out


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


class Tables(HTMLParser):
    """The tables of a page by the names in their classes: lists of rows of cells' texts, their remarks after a bar."""

    def __init__(self, text):
        super().__init__()
        self.found, self.now, self.cell = {}, None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.now = self.found.setdefault(dict(attrs)["class"].split()[-1], [])
        elif tag == "tr":
            self.now.append([])
        elif tag in ("td", "th"):
            self.cell = ""
        elif tag == "small":
            self.cell += "|"

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.now[-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data


def tables_of(report, page):
    return Tables((report / f"{page}.html").read_text("utf-8")).found


def text_of(report, page):
    text = (report / f"{page}.html").read_text("utf-8")
    return " ".join(re.sub("<[^>]*>", "", re.sub("<style>.*?</style>", "", text, flags=re.S)).split())


def test_the_report_is_pages_markdown_figures_and_tables(report):
    for page in ("index", "ita", "ara", "jpn"):
        assert (report / f"{page}.html").is_file()
        assert (report / f"{page}.md").is_file()
        assert (report / "tables" / f"{page}.tex").is_file()
    for name in ("levels", "noises", "edits", "visemes", "sounds", "clips", "differences", "sensitivity"):
        assert (report / "figures" / f"ita-{name}.svg").read_bytes().startswith(b"<?xml")
        assert (report / "figures" / f"ita-{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"figures/ita-{name}.svg" in (report / "ita.html").read_text()
        assert f"figures/ita-{name}.png" in (report / "ita.md").read_text()


def test_the_summary_is_the_runs_own(report, results):
    run = read_run(results / "ours" / "toy")
    rows = [row for row in read_csv(report / "tables" / "ita-summary.csv") if row["system"] == "ours"]
    assert len(rows) >= 12
    for row in rows:
        number = find_number(
            run.summary, row["metric"], "ita", modality=row["modality"] or None,
            snr_db=float(row["snr_db"]) if row["snr_db"] else None, noise=row["noise"] or None,
        )  # fmt: skip
        assert float(row["estimate"]) == number.estimate
        assert (float(row["ci95_low"]), float(row["ci95_high"])) == number.ci95
        assert (row["signature"], row["n_clips"]) == (number.signature, "6")
    head, *lines = tables_of(report, "ita")["summary"]
    assert head == ["number", "ours", "mini", "static"]
    shown = {line[0].partition("|")[0]: line[1] for line in lines}
    number = find_number(run.summary, "headline", "ita", modality="av", snr_db=-7.5, noise="all")
    assert shown["AV -7.5 dB"] == "{:.1f}|[{:.1f}, {:.1f}]".format(number.estimate, *number.ci95)
    assert shown["LVE"].startswith(f"{find_number(run.summary, 'lve_mm', 'ita').estimate:.2f}|")


def test_levels_and_noises_are_the_runs_own(report, results):
    run = read_run(results / "mini" / "toy")
    levels = {row[0]: row for row in tables_of(report, "ara")["snr"][1:]}
    assert list(levels) == ["-10 dB", "-7.5 dB", "clean"]
    for name, snr in (("-10 dB", -10.0), ("-7.5 dB", -7.5), ("clean", None)):
        noise = None if snr is None else "all"
        for place, modality in ((1, "a"), (3, "av")):
            number = find_number(run.summary, "headline", "ara", modality=modality, snr_db=snr, noise=noise)
            assert levels[name][place].startswith(f"{number.estimate:.1f}|")
    noises = {row[0]: row for row in tables_of(report, "ara")["noises"][1:]}
    assert list(noises) == [f"{snr} dB, {noise}" for snr in ("-7.5", "-10") for noise in NOISES]
    number = find_number(run.summary, "headline", "ara", modality="av", snr_db=-10.0, noise="music")
    assert noises["-10 dB, music"][3].startswith(f"{number.estimate:.1f}|")


def test_edits_add_up_to_the_error_rate(report, results):
    for language, unit in (("ita", "words"), ("jpn", "characters")):
        rows = read_csv(report / "tables" / f"{language}-edits.csv")
        rows += read_csv(report / "tables" / f"{language}-edits-others.csv")
        assert len(rows) == 3 * 4 + 3  # three entries and sound alone, but not without sound
        for row in rows:
            assert row["unit"] == unit
            who = row["system"] if row["system"] != "sound alone" else "ours"
            run = read_run(results / who / "toy")
            snr = float(row["snr_db"]) if row["snr_db"] else None
            number = find_number(
                run.summary, "headline", language, modality=row["modality"], snr_db=snr,
                noise=None if snr is None else "all",
            )  # fmt: skip
            errors = sum(int(row[kind]) for kind in ("substitutions", "deletions", "insertions"))
            assert 100 * errors / int(row["said"]) == pytest.approx(number.estimate)
            assert int(row["hits"]) + int(row["substitutions"]) + int(row["deletions"]) == int(row["said"])


def test_classes_of_phones_are_those_of_the_rows(report, results):
    _, rows = read_results(results / "ours" / "toy")
    chosen = [
        row for row in rows
        if row.language == "ita" and getattr(row, "face", None) == "entry"
        and (row.modality, row.snr_db) == ("av", -7.5)
    ]  # fmt: skip
    expected = count_confusions(
        [r.reference_phones for r in chosen], [r.hypothesis_phones for r in chosen]
    ).classes
    told = {r["class"]: r for r in read_csv(report / "tables" / "ita-visemes.csv") if r["system"] == "ours"}
    assert set(told) == {name for name, one in expected.items() if one.n}
    for name, row in told.items():
        assert int(row["said"]) == expected[name].n
        assert float(row["right"]) == pytest.approx(expected[name].right)
    said = sum(int(row["said"]) for row in told.values())
    sounds = [r for r in read_csv(report / "tables" / "ita-sounds.csv") if r["system"] == "ours"]
    assert said == sum(int(row["said"]) for row in sounds) == sum(len(r.reference_phones) for r in chosen)


def test_closures_of_lips_and_of_the_recognizer(report, results):
    lips = read_csv(report / "tables" / "ita-lip-closures.csv")
    assert [(r["system"], r["closures"], r["made"], r["missed"], r["shut"]) for r in lips] == [
        ("ours", "24", "18", "6", "6")
    ]
    estimate = find_number(read_run(results / "ours" / "toy").summary, "closure_recall", "ita").estimate
    assert estimate == 75.0
    assert tables_of(report, "ita")["lip-closures"][1][2] == "18|75.0 %"
    assert "2 of these results hold no closures of the lips themselves" in text_of(report, "ita")
    assert "--metrics closure_recall,false_closures" in text_of(report, "ita")
    for row in read_csv(report / "tables" / "ita-bilabials.csv"):
        assert int(row["recognized"]) + int(row["missed"]) == int(row["said"]) > 0


def test_clips_have_the_mean_of_the_run_and_their_extremes_are_shown(report, results):
    run = read_run(results / "ours" / "toy")
    rows = [r for r in read_csv(report / "tables" / "ita-clips.csv") if r["system"] == "ours"]
    rates = [float(row["rate"]) for row in rows]
    number = find_number(
        run.summary, "headline", "ita", modality="av", snr_db=-7.5, noise="all", aggregation="macro-clip"
    )
    assert sum(rates) / 6 == pytest.approx(number.estimate)
    page = (report / "ita.html").read_text()
    part = page[page.index('id="texts"') :]
    part = part[: part.index("</details>")]
    best, worst = min(rows, key=lambda r: float(r["rate"])), max(rows, key=lambda r: float(r["rate"]))
    assert f"Best: <bdi>{best['clip']}</bdi>, {float(best['rate']):.0f} %" in part
    assert f"Worst: <bdi>{worst['clip']}</bdi>, {float(worst['rate']):.0f} %" in part
    assert '<ins lang="it">cosa</ins>' in part
    arabic = (report / "ara.html").read_text()
    assert 'dir="rtl"' in arabic
    assert 'lang="ar"' in arabic
    assert 'class="aligned joined"' in (report / "jpn.html").read_text()
    # In Markdown a line from right to left is set apart as a whole, and words in it keep their order.
    assert re.search("wrong: \u2067.* ← .*\u2069\n", (report / "ara.md").read_text())
    assert " ← " not in (report / "ita.md").read_text()


def test_differences_are_those_of_compare(report, results):
    found = mtbench.compare(results / "static" / "toy", results / "ours" / "toy")
    rows = read_csv(report / "tables" / "ita-differences.csv")
    assert [(row["system"], row["other"]) for row in rows] == [("ours", "mini"), ("ours", "static")]
    (expected,) = found.find("headline", "ita", modality="av", snr_db=-7.5)
    row = rows[1]
    assert float(row["difference"]) == pytest.approx(expected.difference)
    assert float(row["effect"]) == pytest.approx(expected.effect)
    assert float(row["p_holm"]) == pytest.approx(expected.p_holm)
    assert (float(row["ci95_low"]), float(row["ci95_high"])) == pytest.approx(expected.ci95)
    line = tables_of(report, "ita")["differences"][2]
    assert line[1].startswith(f"{expected.difference:+.1f}|[")
    assert line[3] == f"{expected.p_holm:.4f}"
    (overall,) = found.find("headline", "all", modality="av", snr_db=-7.5)
    assert line[6] == f"{overall.difference:+.1f}|p {overall.p:.4f}"
    assert tables_of(report, "index")["differences"][2][1].startswith(f"{overall.difference:+.1f}|")


def test_a_difference_is_told_in_clips(report, results):
    (found,) = mtbench.compare(results / "static" / "toy", results / "ours" / "toy").find(
        "headline", "ita", modality="av", snr_db=-7.5
    )
    row = read_csv(report / "tables" / "ita-sensitivity.csv")[1]
    assert int(row["clips_needed"]) == count_items(found.effect)
    assert float(row["least_difference"]) == pytest.approx(least_difference(found.spread, 6))
    assert sum(int(row[f"clips_{how}"]) for how in ("better", "equal", "worse")) == 6


def test_equal_results_give_equal_bytes(report, results, tmp_path):
    def read(path):
        # The way to the other pages depends on which were asked for.
        text = re.sub(rb"<nav.*?</nav>", b"", path.read_bytes(), flags=re.S)
        return re.sub(rb"\[All languages\].*", b"", text) if path.suffix == ".md" else text

    paths = [
        path for path in write_report([results], tmp_path, ["ara"], tex=True) if path.name.startswith("ara")
    ]
    assert {path.suffix for path in paths} == {".html", ".md", ".svg", ".png", ".csv", ".tex"}
    for path in paths:
        assert read(path) == read(report / path.relative_to(tmp_path)), path.name


def test_one_language_alone(results, report, tmp_path, sketched):
    paths = write_report([results], tmp_path, ["Italian"])
    names = {path.name for path in paths}
    assert "ita.html" in names
    assert "jpn.html" not in names
    assert not any(name.endswith(".tex") for name in names)
    assert 'href="jpn.html"' not in (tmp_path / "index.html").read_text()
    with pytest.raises(UsageError, match=r"no clips in English: these results have ara, ita, jpn"):
        write_report([results], tmp_path, ["eng"])
    with pytest.raises(UsageError, match=r"no run\.json in or below it"):
        write_report([tmp_path / "tables"], tmp_path)


def test_figures_have_only_colors_that_dark_ground_changes(report):
    from mtbench.results.plot_style import _ON_DARK

    for path in (report / "figures").glob("*.svg"):
        text = path.read_text()
        used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text.partition("</style>")[2]))
        assert used <= set(_ON_DARK), path.name
        assert "prefers-color-scheme:dark" in text


@pytest.mark.parametrize("page", ["ara", "index"])
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)])
def test_pages_in_a_browser(report, browser, page, size, dark):  # noqa: F811
    visit = browser.open(report / f"{page}.html", size=size, dark=dark)
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    visit.page.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
    visit.page.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert visit.errors == []
    assert visit.network == []
    assert visit.audit() == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.fixture
def sketched(monkeypatch):
    """Figures are drawn and not rendered, which is what takes most of the time."""
    monkeypatch.setattr(writing, "to_svg", lambda figure: b"<svg/>")
    monkeypatch.setattr(writing, "to_png", lambda figure: b"png")


def make_one(tmp_path, rows, clips, name="ours", **more):
    write_result(tmp_path / "one", name, rows, clips, **more)
    out = tmp_path / "out"
    write_report([tmp_path / "one"], out, tex=True)
    return out


def test_one_result_and_one_clip(tmp_path, sketched):
    clips = make_clips(["ita"], 1)
    out = make_one(tmp_path, make_rows(clips), clips)
    text = text_of(out, "ita")
    assert "One result only: give those of control entries" in text
    assert "As an example only: 1 clip says how these clips went" in text
    assert "with a single source nothing is known of the spread" in text
    assert "The only clip: ita-01" in text
    assert "a difference needs two results" in text


def test_no_clip_at_all(tmp_path, sketched):
    out = make_one(tmp_path, [], [])
    assert "nothing could be measured" in text_of(out, "index")
    assert not (out / "ita.html").exists()


def test_geometry_only(tmp_path, sketched):
    clips = make_clips(["ita"])
    rows = [make_rows(clips, heard=False, seed=seed) for seed in (0, 1)]
    write_result(tmp_path / "results" / "b", "b", rows[1], clips, recognizer=None)
    write_result(tmp_path / "results" / "a", "a", rows[0], clips, recognizer=None)
    write_report([tmp_path / "results"], tmp_path / "out", tex=True)
    text = text_of(tmp_path / "out", "ita")
    assert "No recognizer listened to these results" in text
    assert "LVE: how many clips tell a difference of this size" in text
    assert "validate-metric" not in text
    assert not (tmp_path / "out" / "figures" / "ita-levels.svg").exists()
    assert "WER" not in (tmp_path / "out" / "tables" / "ita.tex").read_text()


def test_a_partial_result_says_so(tmp_path, sketched):
    clips = make_clips(["ita"])
    rows = [row for row in make_rows(clips) if row.clip != "ita-03"]
    rows += make_rows([clips[2]], covered=())  # a clip that the submission lacks
    out = make_one(tmp_path, rows, clips, partial=True, warnings=["1 of 6 clips is missing"])
    text = text_of(out, "ita")
    assert "ours (partial)" in text
    assert "1 of 6 clips is missing." in text
    assert "5/6 clips" in text
    assert "The numbers rest on 5 clips of 6 of 6 sources" in text


def test_a_language_that_the_recognizer_does_not_cover(tmp_path, sketched):
    clips = make_clips(["ita", "jpn"])
    out = make_one(tmp_path, make_rows(clips, covered=["ita"]), clips)
    assert "n/a: nothing was recognized in Japanese (language not covered by toy-av)" in text_of(out, "jpn")
    lines = tables_of(out, "jpn")["summary"][1:]
    assert {line[0].partition("|")[0]: line[1] for line in lines}["AV -7.5 dB"] == "n/a"
    assert "There is no number in Japanese to trust" in text_of(out, "jpn")
    assert "toy-av makes 12.0 % phone errors" in text_of(out, "ita")


def test_without_phones(tmp_path, sketched):
    clips = make_clips(["ita"])
    out = make_one(tmp_path, make_rows(clips, phones=False), clips)
    assert "these results hold no phones" in text_of(out, "ita")
    assert "What the recognizer reads of them is n/a" in text_of(out, "ita")


def test_nothing_understood(tmp_path, sketched):
    clips = make_clips(["ita"])
    out = make_one(tmp_path, make_rows(clips, answer=""), clips, understood=64.0, reads=False)
    text = text_of(out, "ita")
    assert "Not far: toy-av does not understand the speech in Italian" in text
    assert "makes 64.0 % phone errors (limit 30 %): it does not understand the speech" in text
    rows = [r for r in read_csv(out / "tables" / "ita-edits.csv") if r["system"] == "ours"]
    assert [row["deletions"] for row in rows] == [row["said"] for row in rows]


@pytest.mark.parametrize(
    ("more", "conclusion"),
    [
        ({"reads": False}, "Not far: toy-av cannot read this motion"),
        ({"reads": None}, "if toy-av reads this motion, which nobody could tell"),
        ({"understood": None}, "if toy-av understands the speech, which nobody could tell"),
        ({}, "As an estimate with its interval; there is nothing here to compare it with."),
    ],
)
def test_the_conclusion_follows_from_the_guard(tmp_path, sketched, more, conclusion):
    clips = make_clips(["ita"])
    assert conclusion in text_of(make_one(tmp_path, make_rows(clips), clips, **more), "ita")


def test_trust_is_said_in_points_and_knows_the_metrics_own_report(results, tmp_path, sketched):
    report = make_report(make_scores(noise=0.1), replicates=100).to_json()
    about = report | {"facts": {**report["facts"], "recognizer_digest": "ff" * 16}}
    about["facts"]["benchmark_digest"] = "00112233445566778899"
    (tmp_path / "report.json").write_text(json.dumps(about))
    write_report([results], tmp_path / "own", ["ita"], meta=tmp_path)
    text = text_of(tmp_path / "own", "ita")
    rho = about["spearman_system"]["estimate"]
    assert f"with a rank correlation of {rho:.2f} [" in text
    gain = about["fairness"]["words"]["languages"]["ita"]["gain_over_static"]["estimate"]
    assert f"In Italian the true motion is worth {gain:.1f} [" in text
    assert re.search(r"For differences of [0-9.]+ points or more; finer ones need more clips", text)
    (tmp_path / "report.json").write_text(json.dumps(report))
    write_report([results], tmp_path / "other", ["ita"], meta=tmp_path)
    assert "is about openhead-av on sample@1, another recognizer or benchmark" in text_of(
        tmp_path / "other", "ita"
    )
    for content in ("[]", "{", '{"facts": 1}', "\xff"):
        (tmp_path / "report.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(UsageError, match="expected a folder that 'mtbench validate-metric --out' wrote"):
            write_report([results], tmp_path / "none", meta=tmp_path)
    assert not (tmp_path / "none").exists()


def test_of_many_systems_the_first_is_compared(tmp_path, sketched):
    clips = make_clips(["ita"])
    for i in range(9):
        rows = make_rows(clips, heard=False, seed=i)
        write_result(
            tmp_path / "results" / str(i), f"system {i}", rows, clips, recognizer=None, replicates=20
        )
    write_report([tmp_path / "results"], tmp_path / "out")
    rows = read_csv(tmp_path / "out" / "tables" / "ita-differences.csv")
    assert len(rows) == 8
    assert len({row["system"] for row in rows}) == 1
    assert "The first entry is compared with all others" in text_of(tmp_path / "out", "ita")


def test_results_of_other_conditions_get_pages_of_their_own(tmp_path, sketched):
    clips = make_clips(["ita"])
    rows = make_rows(clips)
    write_result(tmp_path / "results" / "a", "ours", rows, clips)
    write_result(tmp_path / "results" / "b", "theirs", rows, clips, digest="ee" * 16)
    write_result(tmp_path / "results" / "c", "flat", make_rows(clips, heard=False), clips, recognizer=None)
    write_report([tmp_path / "results"], tmp_path / "out")
    text = text_of(tmp_path / "out", "index")
    assert "their numbers do not stand on one page" in text
    pages = sorted(tmp_path.glob("out/*/ita.html"))
    assert [page.parent.name for page in pages] == ["1-toy-geometry", "2-toy-toy-av", "3-toy-toy-av"]
    names = [Tables(page.read_text()).found["summary"][0][1:] for page in pages]
    assert sorted(names) == [["flat"], ["ours"], ["theirs"]]


@pytest.mark.parametrize("taken", [".", "figures"])
def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(tmp_path, taken):
    path = tmp_path / "out" / taken
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file")
    with pytest.raises(WriteError, match="cannot write"):
        write_report([tmp_path / "no results"], tmp_path / "out")


def test_no_file_holds_control_characters(tmp_path, sketched):
    clips = make_clips(["ita"], 2)
    name = "a\0b\nc\x1b[31m \u202edcba"
    write_result(
        tmp_path / "results", name, make_rows(clips, answer=name), clips, warnings=[name], replicates=20
    )
    write_report([tmp_path / "results"], tmp_path / "out", tex=True)
    for path in sorted((tmp_path / "out").rglob("*.*")):
        if path.suffix in (".html", ".md", ".csv", ".tex", ".svg"):
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", path.read_text("utf-8")), path
    text = (tmp_path / "out" / "ita.md").read_text("utf-8")
    assert "\u2068a\ufffdb c\ufffd\\[31m \u202edcba\u202c\u2069" in text
    assert "\u2068\u2068" not in text


def test_what_people_chose_is_text_everywhere(tmp_path, sketched):
    clips = make_clips(["ita"])
    nasty = [
        "=HYPERLINK(1)" + NASTY,
        "\u202eمرحبا\u202c \\input{x} $a$ [b] & %",
        "[first] <img src=x onerror=alert(1)>",
    ]
    for place, name in enumerate(nasty):
        rows = make_rows(clips, seed=place, answer=f"{NASTY} ogni" if place == 0 else None)
        write_result(
            tmp_path / "results" / str(place), name, rows, clips, warnings=[f"mind {NASTY}"], replicates=50
        )
    out = tmp_path / "out"
    write_report([tmp_path / "results"], out, tex=True)
    page = (out / "ita.html").read_text()
    assert "<script" not in page.replace("&lt;", "")
    assert "<img src=x" not in page
    assert "<bdi>=HYPERLINK(1)&lt;/script&gt;" in page
    text = (out / "ita.md").read_text()
    assert not re.search(r"<(script|img)", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block[:200]
    for path in (out / "tables").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(), newline="")):
            for cell in row:
                assert not cell.startswith(("=", "@", "+")) or re.fullmatch(r"[+][0-9.e+-]+", cell)
    tex = (out / "tables" / "ita.tex").read_text()
    assert r"\input" not in tex
    assert "\n[first]" not in tex
    assert all(line.count("&") - line.count(r"\&") == 6 for line in tex.splitlines() if line.endswith(r"\\"))


def test_nasty_names_in_a_browser(tmp_path, browser):  # noqa: F811
    clips = make_clips(["ara"])
    rows = make_rows(clips, answer=NASTY)
    out = make_one(tmp_path, rows, clips, name=NASTY, warnings=[NASTY])
    visit = browser.open(out / "ara.html", size=PHONE)
    visit.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert visit.errors == []
    assert visit.network == []
    assert visit.audit() == []
    assert " ".join(visit.page.locator(".summary thead th bdi").inner_text().split()) == " ".join(
        NASTY.split()
    )


def test_the_command(results, tmp_path, sketched):
    done = CliRunner().invoke(
        app, ["report", str(results / "ours"), str(results / "static"), "--language", "Italian", "--out",
              str(tmp_path / "r"), "--tex"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "r" / "index.html") in done.output
    assert (tmp_path / "r" / "tables" / "ita.tex").is_file()
    assert r"\toprule" in (tmp_path / "r" / "tables" / "ita.tex").read_text()
    assert "Signature of AV -7.5 dB" in (tmp_path / "r" / "tables" / "ita.tex").read_text()
