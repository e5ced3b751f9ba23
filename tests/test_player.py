"""The player in Chromium: the same positions as numpy, faces drawn, a clock that keeps sound and frames together."""

import numpy as np
import pytest
from browser import browser, chromium  # noqa: F401  (fixtures)
from markupsafe import Markup

from mtbench.faces import Motion, load_topology
from mtbench.pages import embed_json, embed_script, page_environment
from mtbench.viewing import (
    STOPS,
    color_of,
    pack_motion,
    pack_sound,
    pack_topology,
    read_player,
    unpack_motion,
)

PAGE = """{% extends "page.html.j2" %}{% block main %}<h1>Player</h1>
<canvas id="face" style="width:300px;height:360px" role="img" aria-label="A face"></canvas>
<audio id="sound" preload="auto"></audio>{{ data }}{% endblock %}{% block scripts %}{{ script }}{% endblock %}"""
SCRIPT = """
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const topology = new mtbenchPlayer.Topology(read("topology"));
const motions = read("motions").map((pack) => new mtbenchPlayer.Motion(pack));
const player = new mtbenchPlayer.MeshPlayer(document.getElementById("face"), topology);
player.show(motions[0]);
const audio = document.getElementById("sound");
audio.src = mtbenchPlayer.soundAddress(read("spoken"));
const clock = new mtbenchPlayer.Clock(audio, motions[0].seconds);
"""


def talk(fps, seconds=2.0):
    """A head whose jaw goes down and up: the same movement at any rate."""
    face = load_topology("openhead-1").neutral
    time = (np.arange(round(fps * seconds)) + 0.5) / fps
    low = np.clip((-0.05 - face[:, 1]) / 0.06, 0, 1)[:, None] * np.array([0, -1.0, 0.2])
    opening = 0.008 * (1 - np.cos(2 * np.pi * 1.3 * time)) / 2
    return Motion((face + opening[:, None, None] * low).astype(np.float32), float(fps), "openhead-1")


@pytest.fixture(scope="module")
def packs():
    return [pack_motion(talk(fps)) for fps in (25, 30, 60)]


@pytest.fixture
def visit(tmp_path, packs, browser):  # noqa: F811
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 32000).astype(np.float32)
    data = [
        embed_json("topology", pack_topology(load_topology("openhead-1"))),
        embed_json("motions", packs),
        embed_json("spoken", pack_sound(noise)),
    ]
    template = page_environment().from_string(PAGE)
    script = embed_script(read_player()) + embed_script(SCRIPT)
    (tmp_path / "page.html").write_text(
        template.render(title="Player", data=Markup("").join(data), script=script)
    )
    visit = browser.open(tmp_path / "page.html")
    visit.page.wait_for_function("audio.readyState >= 2", timeout=8000)
    yield visit
    assert visit.errors == []
    assert visit.network == []


def test_the_browser_decodes_what_numpy_decodes(visit, packs):
    for number, pack in enumerate(packs):
        expected = unpack_motion(pack)
        for frame in (0, 7, pack["frames"] - 1):
            found = visit.page.evaluate(
                f"[...motions[{number}].positions({frame}, new Float32Array(3 * topology.vertices))]"
            )
            assert np.abs(np.reshape(found, (-1, 3)) - expected[frame]).max() < 1e-7


def test_colors_are_those_of_python(visit):
    assert visit.page.evaluate("mtbenchPlayer.STOPS") == list(STOPS)
    values = np.linspace(-0.2, 1.2, 57).tolist()
    assert visit.page.evaluate("(v) => v.map(mtbenchPlayer.colorOf)", values) == [color_of(v) for v in values]


def test_frames_of_any_rate_are_those_of_their_time(visit, packs):
    for number, pack in enumerate(packs):
        times = [t / pack["fps"] for t in range(pack["frames"])]
        found = visit.page.evaluate(f"(times) => times.map((t) => motions[{number}].frameAt(t))", times)
        assert found == list(range(pack["frames"]))
        middles = [(t + 0.5) / pack["fps"] for t in range(pack["frames"])]
        assert (
            visit.page.evaluate(f"(times) => times.map((t) => motions[{number}].frameAt(t))", middles)
            == found
        )
    assert visit.page.evaluate("motions.map((m) => [m.frameAt(-1), m.frameAt(99)])") == [
        [0, pack["frames"] - 1] for pack in packs
    ]


def test_a_face_is_drawn_and_comes_back_after_the_graphics_were_lost(visit):
    seen = """() => { player.drawn = ""; player.draw(0.5);
        const gl = player.gl, w = player.canvas.width, h = player.canvas.height;
        const data = new Uint8Array(4 * w * h); gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, data);
        let n = 0; for (let i = 3; i < data.length; i += 4) n += data[i] > 0; return n / (w * h); }"""
    assert 0.3 < visit.page.evaluate(seen) < 0.98
    visit.page.evaluate("window.loss = player.gl.getExtension('WEBGL_lose_context'); loss.loseContext()")
    visit.page.wait_for_selector(".player-message:not([hidden])")
    visit.page.evaluate("loss.restoreContext()")
    visit.page.wait_for_selector(".player-message", state="hidden")
    assert 0.3 < visit.page.evaluate(seen) < 0.98
    visit.errors[:] = [e for e in visit.errors if "CONTEXT_LOST" not in e]


def test_without_webgl_it_is_said_in_words(visit):
    told = visit.page.evaluate(
        """() => { const canvas = document.createElement("canvas"); canvas.getContext = () => null;
        document.body.append(canvas); const none = new mtbenchPlayer.MeshPlayer(canvas, topology);
        none.show(motions[0]); none.draw(0.3); return canvas.nextElementSibling.textContent; }"""
    )
    assert "WebGL2" in told


#: Plays and takes down, in every animation frame in which a face was drawn, its frame and where the sound is: to the
#: end of the clip, or until `enough` is true of what was taken.
WATCH = """async ([enough, start]) => {
    const taken = [], done = new Function("taken", `return ${enough}`);
    clock.onTick((time) => {
        const frames = motions.map((motion) => motion.frameAt(time)), at = audio.currentTime;
        if (clock.playing) taken.push([at, player.draw(time), ...frames]);
    });
    if (start !== null) clock.seek(start);
    await clock.play();
    for (let i = 0; i < 400 && clock.playing && !done(taken); i++) await new Promise((go) => setTimeout(go, 50));
    clock.listeners.length = 0; clock.pause();
    return taken;
}"""


def drifts(taken, column, fps, frames):
    """In frames: what was drawn against where the sound was."""
    return [abs(row[column] - min(frames - 1, np.floor(row[0] * fps + 1e-4))) for row in taken]


def test_face_and_sound_stay_together_over_the_whole_clip(visit, packs):
    taken = visit.page.evaluate(WATCH, ["false", None])
    assert len(taken) >= 3
    assert taken[-1][0] > 1.5
    for column, pack in enumerate(packs, start=2):
        assert max(drifts(taken, column, pack["fps"], pack["frames"])) <= 1
    assert all(row[1] == row[2] for row in taken)


@pytest.mark.parametrize("rate", [0.25, 0.5, 1])
def test_they_stay_together_after_scrubbing_and_slowly(visit, packs, rate):
    visit.page.evaluate(f"clock.rate = {rate}")
    taken = visit.page.evaluate(WATCH, ["taken.length >= 12", 1.01])
    assert len(taken) >= 3
    assert taken[0][1] >= 25
    assert taken[-1][0] > 1.01
    assert max(drifts(taken, 2, 25, 50)) <= 1
    assert visit.page.evaluate("audio.playbackRate") == rate


def test_a_loop_stays_inside_its_range(visit):
    visit.page.evaluate("clock.loop = [0.4, 0.8]")
    again = "taken.filter((row, i) => i && row[0] < taken[i - 1][0] - 0.1).length >= 2"
    taken = visit.page.evaluate(WATCH, [again, None])
    times = np.array([row[0] for row in taken])
    assert times.min() >= 0.39
    assert (np.diff(times) < -0.1).sum() >= 2
    assert max(drifts(taken, 2, 25, 50)) <= 1


def test_steps_go_to_neighboring_frames(visit):
    visit.page.evaluate("clock.seek(0.5)")
    found = []
    for step in (1, 1, -1, 100, 1, -100, -1):
        visit.page.evaluate(f"clock.step({step}, 25)")
        found.append(visit.page.evaluate("motions[0].frameAt(clock.time)"))
    assert found == [13, 14, 13, 49, 49, 0, 0]
    visit.page.wait_for_function("clock.wanted === null")
    assert visit.page.evaluate("motions[0].frameAt(audio.currentTime)") == 0


def test_the_browser_hears_the_samples_that_python_wrote(visit):
    found = visit.page.evaluate(
        """async () => { const context = new OfflineAudioContext(1, 32000, 16000);
        const bytes = mtbenchPlayer.bytesOf(read("spoken").data);
        return [...(await context.decodeAudioData(bytes.buffer)).getChannelData(0)]; }"""
    )
    expected = np.random.default_rng(0).uniform(-0.1, 0.1, 32000).astype(np.float32)
    assert len(found) == 32000
    assert np.abs(np.array(found) - expected).max() < 1e-4  # 16 bits; not one sample late
