"""The viewer's pages: what they show, in Chromium from disk, and what they refuse."""

import hashlib
import json
import re
from pathlib import Path

import fakes
import npm
import numpy as np
import pytest
from browser import PHONE, WIDE, browser, chromium  # noqa: F401  (fixtures)
from test_pages import NASTY
from typer.testing import CliRunner

import mtbench
from mtbench.benchmarks import load_benchmark
from mtbench.cli.app import app
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.results import read_results, write_results
from mtbench.scoring import score
from mtbench.submissions import load_submission
from mtbench.viewing import color_of, unpack_motion, write_viewer
from mtbench.viewing import viewer as viewer_module

NAME = NASTY[:79]
CLIPS = {"ita-01": ("ita", 75, "word, word <i>word</i>"), "eng-01": ("eng", 28, "a b c")}
PHONES = "phone\tstart\tend\nsil\t0\t0.3\na\t0.3\t0.9\nb\t0.9\t1.2\nt\t1.2\t1.25\na\t1.25\t2.8\n"


def rename(folder: Path, name: str) -> Path:
    manifest = folder / "submission.toml"
    text = re.sub(
        r"system = .*",
        lambda _: f"system = {json.dumps(name, ensure_ascii=False)}",
        manifest.read_text("utf-8"),
    )
    manifest.write_text(text, "utf-8")
    return folder


def make_vertices_entry(folder: Path, benchmark: Path, fps: float) -> Path:
    """The ground truth at another rate, with the lower face 2 mm too low from the middle of the clip on."""
    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(
        f'schema = 1\nsystem = "{folder.name}"\nbenchmark = "small@1"\nfps = {fps:g}\nunit = "m"\n'
        'topology = "openhead-1"\nkind = "vertices"\n'
    )
    for clip in load_benchmark(benchmark):
        vertices = clip.load_motion().vertices
        times = (np.arange(round(len(vertices) * fps / 25)) + 0.5) / fps * 25 - 0.5
        low, part = np.clip(np.floor(times).astype(int), 0, len(vertices) - 2), times
        part = np.clip(times - low, 0, 1)[:, None, None]
        moved = (1 - part) * vertices[low] + part * vertices[low + 1]
        moved[len(moved) // 2 :, :, 1] -= 0.002 * (vertices[0, :, 1] < -0.04)
        np.save(folder / "motion" / f"{clip.id}.npy", moved.astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A benchmark, entries at 25, 30 and 60 frames a second, results of one, and the pages."""
    root = tmp_path_factory.mktemp("viewer")
    bench = fakes.make_benchmark(root / "bench", CLIPS)
    (bench / "phones.tsv").write_text(PHONES, "utf-8")
    manifest = bench / "benchmark.toml"
    manifest.write_text(
        manifest.read_text("utf-8").replace('"ita-01"\n', '"ita-01"\nphone_times = "phones.tsv"\n')
    )
    slow = rename(fakes.make_entry(root / "slow", CLIPS, amplitude=0.4), NAME)
    fast = [make_vertices_entry(root / f"at-{fps}", bench, fps) for fps in (30, 60)]
    score(
        slow,
        bench,
        recognizer=fakes.ONE_EAR,
        out=root / "results",
        cache=root / "cache",
        workers=1,
        progress=None,
    )
    pages = write_viewer(root / "out", [slow, *fast], bench, results=root / "results")
    return root, bench, [slow, *fast], pages


@pytest.fixture
def visit(made, browser):  # noqa: F811
    visit = browser.open(made[0] / "out" / "ita-01.html", size={"width": 800, "height": 700})
    visit.page.wait_for_function("mtbenchViewer.clock.audio.readyState >= 2", timeout=9000)
    yield visit
    assert visit.errors == []
    assert visit.network == []


def test_the_pages_are_there_and_the_same_again(made, tmp_path):
    root, bench, entries, pages = made
    assert pages == {"ita-01": "ita-01.html", "eng-01": "eng-01.html"}
    write_viewer(tmp_path, entries, bench, results=root / "results")
    for name in ("index.html", *pages.values()):
        assert (tmp_path / name).read_bytes() == (root / "out" / name).read_bytes()
        text = (tmp_path / name).read_text("utf-8")
        assert str(root) not in text
        assert "<script>alert" not in text
    assert len((tmp_path / "ita-01.html").read_bytes()) < 1.1e6


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)])
@pytest.mark.parametrize("page", ["index.html", "ita-01.html"])
def test_nothing_to_object_to(made, browser, page, size, dark):  # noqa: F811
    visit = browser.open(made[0] / "out" / page, size=size, dark=dark)
    if page != "index.html":
        visit.page.select_option("#colors", "now")
        visit.page.wait_for_selector("#legend:not([hidden])")
    assert visit.audit() == []
    assert visit.errors == []
    assert visit.network == []
    wide = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    plain = " ".join(visit.page.inner_text("body").split())
    assert " ".join(NAME.split()) in plain


def test_texts_are_shown_as_text(visit):
    assert visit.page.inner_text(".said") == "word, word <i>word</i>"
    assert visit.page.inner_text("figcaption >> nth=1").startswith(" ".join(NAME.split())[:20])
    assert visit.page.locator("figure").count() == 4
    assert "made at 30 frames a second" in visit.page.inner_text("figure >> nth=2")


#: Plays, and takes down in every animation frame what each face shows and where the sound is: the clip to its end, or
#: until `enough` is true of what was taken.
WATCH = """async ([enough, start]) => {
    const { clock, faces } = mtbenchViewer, taken = [], done = new Function("taken", `return ${enough}`);
    if (start !== null) clock.seek(start);
    clock.onTick(() => {
        if (clock.playing) taken.push([clock.audio.currentTime, ...faces.map((face) => face.player.frame)]);
    });
    await clock.play();
    for (let i = 0; i < 400 && clock.playing && !done(taken); i++) await new Promise((go) => setTimeout(go, 50));
    clock.pause();
    return taken;
}"""


def check_together(taken):
    assert (taken[:, 1:] == taken[:, 1:2]).all()
    expected = np.minimum(74, np.floor(taken[:, 0] * 25 + 1e-4))
    assert np.abs(taken[:, 1] - expected).max() <= 1


@pytest.mark.parametrize(("start", "rate"), [(None, "1"), (1.7, "1"), (0.5, "0.25")])
def test_all_faces_stay_with_the_sound(visit, start, rate):
    visit.page.select_option("#speed", rate)
    visit.page.select_option("#colors", "now")  # the dearest way of drawing
    taken = np.array(visit.page.evaluate(WATCH, ["false" if rate == "1" else "taken.length > 9", start]))
    check_together(taken)
    assert taken[-1, 0] > (2.0 if rate == "1" else 0.5)
    assert taken[0, 0] >= (start or 0)


def test_a_marked_part_is_repeated(visit):
    visit.page.evaluate("mtbenchViewer.clock.seek(0.5)")
    visit.page.keyboard.press("[")
    visit.page.evaluate("mtbenchViewer.clock.seek(0.9)")
    visit.page.keyboard.press("]")
    assert visit.page.input_value("#loop") == "part"
    again = "taken.some((row, i) => i && row[0] < taken[i - 1][0] - 0.1)"
    taken = np.array(visit.page.evaluate(WATCH, [again, None]))
    check_together(taken)
    assert taken[:, 0].min() > 0.45
    assert (np.diff(taken[:, 0]) < -0.1).any()


def test_colors_match_legend_and_numbers(visit, made):
    _, bench, entries, _ = made
    clip = load_benchmark(bench)["ita-01"]
    truth = clip.load_motion().vertices
    motion = load_submission(entries[1], bench, allow_partial=True).motion("ita-01").vertices
    frame = 60
    errors = 1000 * np.linalg.norm(motion[frame].astype(float) - truth[frame], axis=1)
    visit.page.select_option("#colors", "now")
    visit.page.select_option("#end", "3.0")
    visit.page.evaluate(f"mtbenchViewer.clock.seek({(frame + 0.5) / 25})")
    visit.page.wait_for_function(f"mtbenchViewer.faces[2].player.frame === {frame}")
    shown = np.array(visit.page.evaluate("[...mtbenchViewer.faces[2].errors]"))
    assert np.abs(shown - errors).max() < 0.1  # twice the packs' bound
    # Vertices that face the reader, seen at their places, have the color that the legend gives their error.
    found = visit.page.evaluate(
        """() => { const face = mtbenchViewer.faces[2].player, gl = face.gl; face.drawn = ""; face.draw(face.time);
        const ratio = face.canvas.width / face.canvas.clientWidth, pixel = new Uint8Array(4), out = [];
        for (let v = 0; v < face.topology.vertices; v += 2) {
            const n = face.directions.subarray(3 * v, 3 * v + 3);
            if (n[2] / Math.hypot(...n) < 0.97) continue;
            const { x, y } = face.place(v);
            if (face.pick(x, y) !== v) continue;
            const [left, up] = [Math.floor(x * ratio), face.canvas.height - 1 - Math.floor(y * ratio)];
            gl.readPixels(left, up, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
            out.push([v, ...pixel]);
        } return out; }"""
    )
    assert len(found) > 30
    painted = {v: rgb for v, *rgb, _ in found}
    assert sum(errors[v] > 1.8 for v in painted) >= 3
    near = 0
    for vertex, rgb in painted.items():
        expected = [int(color_of(errors[vertex] / 3.0)[i : i + 2], 16) for i in (1, 3, 5)]
        near += max(abs(a - b) for a, b in zip(rgb, expected)) <= 16
    assert near > 0.9 * len(painted)  # a pixel's middle is beside the vertex where the map is steep
    bar = visit.page.evaluate(
        """() => { const bar = document.getElementById("bar").getContext("2d").getImageData(0, 8, 512, 1).data;
        return [0, 128, 256, 511].map((x) => [...bar.slice(4 * x, 4 * x + 4)]); }"""
    )
    for x, rgba in zip((0, 128, 256, 511), bar, strict=True):
        assert "#" + bytes(rgba[:3]).hex() == color_of(x / 511)
    assert visit.page.inner_text("#ticks").split() == ["0", "0.75", "1.5", "2.25", "≥", "3", "mm"]


def test_numbers_are_those_of_the_metric(visit, made):
    root, bench, _, _ = made
    run, _ = read_results(next((root / "results").glob("*/*/run.json")).parent)
    clip = load_benchmark(bench)["ita-01"]
    entry = load_submission(root / "slow", bench, allow_partial=True)
    lve = mtbench.lve(entry.motion("ita-01").vertices, clip.load_motion().vertices)
    assert run.system.digest == entry.digest
    assert f"LVE {lve:.2f} mm" in visit.page.inner_text("figcaption >> nth=1")
    assert f"{lve:.2f}" in visit.page.inner_text("tbody tr >> nth=0")
    visit.page.click(".go >> nth=0")
    worst = visit.page.evaluate(
        "mtbenchViewer.faces[1].error.indexOf(Math.max(...mtbenchViewer.faces[1].error))"
    )
    visit.page.wait_for_function(f"mtbenchViewer.faces[1].player.frame === {worst}")


def test_keys_and_pointer(visit):
    page = visit.page
    frame = lambda: page.evaluate("Math.floor(mtbenchViewer.clock.time * 25 + 1e-4)")  # noqa: E731
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert frame() == 2
    page.keyboard.press(",")
    assert frame() == 1
    page.keyboard.press("End")
    assert frame() == 74
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert frame() == 12
    page.keyboard.press("e")
    assert page.input_value("#colors") == "now"
    page.keyboard.press("s")
    assert page.evaluate("mtbenchViewer.clock.rate") == 0.5
    page.keyboard.press("2")
    assert page.get_attribute("[data-view=mouth]", "aria-pressed") == "true"
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("mtbenchViewer.camera.yaw") == pytest.approx(0.1)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 50, steps=4)
    page.mouse.up()
    assert page.evaluate("mtbenchViewer.camera.yaw") == pytest.approx(0.9)
    page.mouse.wheel(0, -300)
    page.wait_for_function("mtbenchViewer.camera.zoom > 1.2")
    page.keyboard.press("0")
    assert page.evaluate("[mtbenchViewer.camera.yaw, mtbenchViewer.camera.zoom]") == [0, 1]
    page.keyboard.press("Space")
    page.wait_for_function("mtbenchViewer.clock.playing")
    page.keyboard.press("Space")
    page.wait_for_function("!mtbenchViewer.clock.playing")


def test_the_value_of_a_vertex_is_told(visit):
    visit.page.select_option("#colors", "mean")
    visit.page.locator("canvas >> nth=1").hover()
    visit.page.wait_for_function("document.getElementById('under').textContent.includes('mm')")


def test_curves_lead_to_their_time(visit):
    plot = visit.page.locator(".u-over >> nth=1")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    visit.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert visit.page.evaluate("mtbenchViewer.clock.time") == pytest.approx(1.5, abs=0.05)
    visit.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=5)
    visit.page.mouse.up()
    assert visit.page.evaluate("mtbenchViewer.clock.loop") == pytest.approx([0.75, 1.5], abs=0.05)
    labels = visit.page.eval_on_selector_all(".plot [role=img]", "all => all.map((one) => one.ariaLabel)")
    assert [label.split(",")[0].split(" over")[0] for label in labels] == [
        "Lip aperture",
        "Lip vertex error",
        "Loudness",
    ]


def test_hypotheses_are_marked(visit, made):
    rows = [
        row
        for row in read_results(next((made[0] / "results").glob("*/*/run.json")).parent)[1]
        if row.clip == "ita-01"
    ]
    shown = visit.page.locator("table.heard tbody tr")
    texts = shown.all_inner_texts()
    assert any(text.startswith("face alone") for text in texts)
    clean = next(
        r for r in rows if r.to_json().get("modality") == "av" and r.snr_db is None and r.face == "entry"
    )
    line = next(text for text in texts if text.startswith("sound and face, clean"))
    wrong = clean.words.substitutions + clean.words.deletions + clean.words.insertions
    assert f"{wrong} of {clean.words.hits + clean.words.substitutions + clean.words.deletions}" in line
    marked = shown.filter(has_text="sound and face, clean").locator("ins").all_inner_texts()
    assert len(marked) == clean.words.substitutions + clean.words.insertions


def test_a_result_of_another_version_is_told(made, tmp_path, browser):  # noqa: F811
    root, bench, entries, _ = made
    folder = next((root / "results").glob("*/*/run.json")).parent
    run, rows = read_results(folder)
    other = run.model_copy(update={"system": run.system.model_copy(update={"digest": "0" * 32})})
    write_results(tmp_path / "results" / "a" / "small", other, rows)
    write_viewer(tmp_path / "out", entries[:1], bench, clips=["eng-01"], results=tmp_path / "results")
    assert "another version of this submission" in (tmp_path / "out" / "eng-01.html").read_text("utf-8")
    with pytest.raises(UsageError, match="there are results of"):
        write_viewer(tmp_path / "out", entries[1:], bench, results=tmp_path / "results")


def test_without_ground_truth_there_is_no_map_and_it_says_so(tmp_path, browser):  # noqa: F811
    bench = fakes.make_benchmark(tmp_path / "bench", CLIPS, motion=False)
    entry = fakes.make_entry(tmp_path / "entry", CLIPS)
    write_viewer(tmp_path / "out", [entry], bench, clips=["eng-01"])
    visit = browser.open(tmp_path / "out" / "eng-01.html", size=PHONE)
    assert visit.page.locator("canvas[aria-label^=Face]").count() == 1
    assert visit.page.locator("#colors").count() == 0
    assert "no map of errors" in visit.page.inner_text("main")
    assert "no ground truth" in visit.page.inner_text("figure")
    visit.page.keyboard.press("e")
    visit.page.keyboard.press(".")
    assert visit.audit() == []
    assert visit.errors == []


def test_ground_truth_may_be_hidden_and_measured_by(made, tmp_path, browser):  # noqa: F811
    _, bench, entries, _ = made
    write_viewer(tmp_path, entries[:1], bench, clips=["eng-01"], truth=False, home=("../index.html", "Board"))
    visit = browser.open(tmp_path / "eng-01.html")
    assert visit.page.locator("figure").count() == 1
    visit.page.select_option("#colors", "mean")
    assert visit.page.evaluate("Math.max(...mtbenchViewer.faces[0].mean)") > 0.5
    assert visit.page.get_attribute("nav a >> nth=0", "href") == "../index.html"
    assert visit.errors == []


def test_a_clip_may_be_called_index(tmp_path):
    clips = {"index": ("eng", 26, "a"), "x": ("ita", 26, "b")}
    bench = fakes.make_benchmark(tmp_path / "bench", clips)
    pages = write_viewer(tmp_path / "out", [fakes.make_entry(tmp_path / "entry", clips)], bench)
    assert pages == {"index": "clip-index.html", "x": "x.html"}
    assert 'href="clip-index.html"' in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert 'href="clip-index.html"' in (tmp_path / "out" / "x.html").read_text("utf-8")


def test_what_is_refused(made, tmp_path):
    _, bench, entries, _ = made
    with pytest.raises(UsageError, match="expected 1 to 3"):
        write_viewer(tmp_path, [])
    with pytest.raises(UsageError, match="expected 1 to 3"):
        write_viewer(tmp_path, entries * 2, bench)
    with pytest.raises(UsageError, match="no clip 'nope'"):
        write_viewer(tmp_path, entries, bench, clips=["nope"])
    with pytest.raises(UsageError, match="no clips"):
        write_viewer(tmp_path, entries, bench, clips=[])
    assert list(tmp_path.iterdir()) == []
    flame = tmp_path / "flame"
    (flame / "motion").mkdir(parents=True)
    manifest = (entries[1] / "submission.toml").read_text("utf-8").replace("openhead-1", "flame-5023")
    (flame / "submission.toml").write_text(manifest, "utf-8")
    np.save(flame / "motion" / "eng-01.npy", np.zeros((34, 5023, 3), np.float32))
    with pytest.raises(PrerequisiteError, match="assets add flame"):
        write_viewer(tmp_path / "out", [flame], bench)
    assert not (tmp_path / "out").exists()


def test_data_in_the_page_are_the_packs(made):
    root, bench, entries, _ = made
    text = (root / "out" / "ita-01.html").read_text("utf-8")
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', text)[1])
    assert [face["name"] for face in data["faces"]] == ["Ground truth", NAME, "at-30", "at-60"]
    motion = load_submission(entries[0], bench, allow_partial=True).motion("ita-01").vertices
    assert 1000 * np.linalg.norm(unpack_motion(data["faces"][1]["motion"]) - motion, axis=2).max() < 0.05
    assert [phone[0] for phone in data["phones"]] == ["sil", "a", "b", "t", "a"]


#: Files of others that are shipped: what they are, and the digest of each.
VENDORED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.license.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
PUBLISHED = {"uPlot.license.txt": "package/LICENSE"}
UPLOT = "https://registry.npmjs.org/uplot/-/uplot-1.6.32.tgz"
UPLOT_SHA512 = (
    "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
)
FOLDER = Path(viewer_module.__file__).parent / "static" / "vendor"


def test_files_of_others_are_those_that_were_published():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(VENDORED)
    for name, digest in VENDORED.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
    assert "v1.6.32" in (FOLDER / "uPlot.iife.min.js").read_text("utf-8")[:100]
    assert "MIT License" in (FOLDER / "uPlot.license.txt").read_text("utf-8")
    published = npm.fetch(UPLOT, UPLOT_SHA512)
    for name in VENDORED:
        assert published[PUBLISHED.get(name, f"package/dist/{name}")] == (FOLDER / name).read_bytes()


def test_a_board_leads_to_its_entries(made, tmp_path, browser):  # noqa: F811
    root, bench, _, _ = made
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "submission.toml").write_text("schema = 9")
    arguments = [
        "leaderboard",
        "build",
        str(root / "results"),
        "--out",
        str(tmp_path / "site"),
        "-b",
        str(bench),
    ]
    for folder in (root, tmp_path):
        arguments += ["--submissions", str(folder)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "broken: passed over" in result.output
    assert "at-30: the board shows no clip" in result.output
    (page,) = (tmp_path / "site" / "entries").glob("*.html")
    visit = browser.open(page)
    visit.page.click("a[href*='viewer/']")
    visit.page.wait_for_function("window.mtbenchViewer && mtbenchViewer.faces.length === 2")
    assert visit.page.locator("table.heard").count() >= 1
    visit.page.click("nav a >> nth=0")
    assert visit.page.url.endswith("site/index.html")
    assert visit.errors == []
    assert visit.network == []


def test_the_command_tells_what_it_wrote(made, tmp_path):
    _, bench, entries, _ = made
    arguments = [
        "view",
        *map(str, entries),
        "-b",
        str(bench),
        "--clip",
        "eng-01",
        "--out",
        str(tmp_path / "v"),
    ]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "1 page, " in result.output
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == ["eng-01.html", "index.html"]
    assert (tmp_path / "v" / "eng-01.html").stat().st_size < 1.1e6
