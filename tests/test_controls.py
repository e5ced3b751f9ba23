"""Control entries: what they are, and that they are valid submissions."""

import factories
import fakes
import numpy as np
import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import UsageError
from mtbench.submissions.controls import (
    CONTROLS,
    delay,
    fit_frames,
    lag,
    make_controls,
    partner,
    read_displacement,
)
from mtbench.submissions.validation import load_submission, validate


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return load_benchmark(fakes.make_benchmark(tmp_path_factory.mktemp("controls") / "small"))


@pytest.fixture(scope="module")
def entries(bench, tmp_path_factory):
    folders = make_controls(bench, tmp_path_factory.mktemp("entries"))
    return {name: load_submission(folder, bench) for name, folder in zip(CONTROLS, folders, strict=True)}


def test_controls_are_valid_submissions(bench, entries):
    assert set(entries) == {"ground-truth", "static", "half-amplitude", "lag-200ms", "shuffled"}
    for name, entry in entries.items():
        assert entry.system == name
        assert validate(entry.path, bench) == []
        assert entry.clips == tuple(clip.id for clip in bench.clips)


def test_ground_truth_is_the_ground_truth(bench, entries):
    for clip in bench.clips:
        assert (entries["ground-truth"].motion(clip.id).vertices == clip.motion.vertices).all()


def test_static_never_moves_and_is_the_speaker_at_rest(bench, entries):
    from mtbench.faces.head import load_head

    head = load_head()
    for seed, clip in enumerate(bench.clips):
        vertices = entries["static"].motion(clip.id).vertices
        assert (vertices == vertices[0]).all()
        np.testing.assert_allclose(vertices[0], head.identity(head.identity_names[seed]), atol=1e-7)


def test_half_amplitude_halves_the_curves(bench, entries):
    for clip in bench.clips:
        half = np.load(entries["half-amplitude"].motion_path(clip.id))["units"]
        whole = np.load(clip.motion_path)["units"]
        assert (2 * half == whole).all()


def test_lag_is_five_frames(bench, entries):
    for clip in bench.clips:
        late = entries["lag-200ms"].motion(clip.id).vertices
        truth = clip.motion.vertices
        assert (late[5:] == truth[:-5]).all()
        assert (late[:5] == truth[0]).all()


def test_shuffled_is_another_clip_of_the_language_on_the_own_face(bench, entries):
    for clip in bench.clips:
        other = partner(bench, clip)
        assert other.id != clip.id
        assert other.language == clip.language
        own, foreign = (np.load(c.motion_path) for c in (clip, other))
        made = np.load(entries["shuffled"].motion_path(clip.id))
        assert str(made["identity"]) == str(own["identity"])
        n = min(clip.frames, other.frames)
        assert (made["units"][:n] == foreign["units"][:n]).all()
        assert (made["units"][n:] == foreign["units"][-1]).all()


def test_partner_prefers_another_source(tmp_path):
    clips = {f"ita-0{i}": ("ita", 8, "word") for i in range(1, 5)}
    bench = load_benchmark(fakes.make_benchmark(tmp_path / "small", clips))  # sources: s0, s0, s1, s1
    assert [partner(bench, clip).id for clip in bench.clips] == ["ita-03", "ita-03", "ita-01", "ita-01"]
    assert all(partner(bench, c).source != c.source for c in bench.clips)


def test_same_bytes_again_and_old_controls_are_replaced(bench, tmp_path):
    def read():
        return {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    make_controls(bench, tmp_path)
    first = read()
    (tmp_path / "static" / "motion" / "left-over.npz").write_bytes(b"")
    make_controls(bench, tmp_path)
    assert read() == first
    assert sum(map(len, first.values())) < 200_000


def test_something_else_in_the_way_is_left_alone(bench, tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        make_controls(bench, tmp_path)
    assert (tmp_path / "static" / "thesis.txt").read_text() == "mine"


def test_vertices_stay_vertices(tmp_path):
    clips = {"ita-01": ("ita", 9), "ita-02": ("ita", 12)}
    bench = load_benchmark(factories.make_benchmark(tmp_path, clips=clips))
    folders = make_controls(bench, tmp_path / "out")
    for folder in folders:
        entry = load_submission(folder, bench)
        assert entry.kind == "vertices"
        assert validate(folder, bench) == []
    clip = bench.clips[0]
    truth = clip.motion.vertices
    half = load_submission(tmp_path / "out" / "half-amplitude", bench).motion(clip.id).vertices
    np.testing.assert_allclose(half - truth[0], (truth - truth[0]) / 2, atol=1e-7)
    static = load_submission(tmp_path / "out" / "static", bench).motion(clip.id).vertices
    assert (static == truth[0]).all()
    shuffled = load_submission(tmp_path / "out" / "shuffled", bench).motion(clip.id).vertices
    moved = read_displacement(bench.clips[1]).frames
    np.testing.assert_allclose(shuffled, truth[0] + fit_frames(moved, 9), atol=1e-7)


def test_what_cannot_be_made_is_said(bench, tmp_path):
    with pytest.raises(UsageError, match="unknown control lazy"):
        make_controls(bench, tmp_path, ("lazy",))
    blind = fakes.make_benchmark(tmp_path / "blind", motion=False)
    with pytest.raises(UsageError, match="no ground-truth motion"):
        make_controls(blind, tmp_path / "x")
    lonely = fakes.make_benchmark(tmp_path / "lonely", {"ita-01": ("ita", 8, "word")})
    with pytest.raises(UsageError, match="nothing to shuffle"):
        make_controls(lonely, tmp_path / "y")


def test_frames():
    frames = np.arange(4)[:, None]
    assert fit_frames(frames, 6)[:, 0].tolist() == [0, 1, 2, 3, 3, 3]
    assert fit_frames(frames, 2)[:, 0].tolist() == [0, 1]
    assert lag(frames, 25, 0.08)[:, 0].tolist() == [0, 0, 0, 1]


def test_delay_holds_the_ends():
    assert delay(np.arange(5), 2).tolist() == [0, 0, 0, 1, 2]
    assert delay(np.arange(5), -2).tolist() == [2, 3, 4, 4, 4]
    assert delay(np.arange(3), 9).tolist() == [0, 0, 0]
