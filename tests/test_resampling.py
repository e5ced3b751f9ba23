"""Motion of other frame rates: against analytic motion, and from a submission's file to its 25 fps."""

import numpy as np
import pytest
from factories import CLIPS, face, make_benchmark, make_submission

from mtbench import load_benchmark, load_submission, validate
from mtbench.faces.resampling import RATES, count_frames, describe_resampling, resample_motion
from mtbench.timing import FPS

T = 97


def centers(frames: int, fps: float) -> np.ndarray:
    return (np.arange(frames) + 0.5) / fps


def frames_at(fps: float, frames: int = T) -> int:
    return int(np.ceil(frames / 25 * fps - 1e-6))


def sinusoids(times: np.ndarray, hertz: float) -> np.ndarray:
    """(len(times), 16) float32 sinusoids of 16 phases."""
    phases = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return np.sin(2 * np.pi * hertz * times[:, None] + phases).astype(np.float32)


@pytest.mark.parametrize("fps", RATES)
def test_constant_and_linear_motion_is_exact(fps):
    given, wanted = centers(frames_at(fps), fps), centers(T, 25)
    motion = np.stack([np.full_like(given, 0.3), 0.1 - 0.02 * given], axis=1).astype(np.float32)
    expected = np.stack([np.full_like(wanted, 0.3), 0.1 - 0.02 * wanted], axis=1)
    np.testing.assert_allclose(resample_motion(motion, fps, T), expected, atol=3e-8)


@pytest.mark.parametrize(
    ("hertz", "inside", "at_the_ends"), [(1, 5e-4, 5e-4), (3, 2e-3, 6e-3), (6, 0.03, 0.05)]
)
@pytest.mark.parametrize("fps", RATES)
def test_sinusoids_keep_amplitude_and_time(fps, hertz, inside, at_the_ends):
    got = resample_motion(sinusoids(centers(frames_at(fps), fps), hertz), fps, T)
    error = np.abs(got - sinusoids(centers(T, 25), hertz)).max(axis=1)
    assert error[3:-3].max() < inside
    assert error.max() < at_the_ends


@pytest.mark.parametrize("fps", [60, 100])
def test_what_25_fps_cannot_hold_does_not_come_back_as_slow_motion(fps):
    """20 Hz read at every 40 ms would be a 5 Hz motion of full size."""
    quick = sinusoids(centers(frames_at(fps), fps), 20)
    assert np.abs(resample_motion(quick, fps, T)[5:-5]).max() < 0.03


def test_25_fps_stays_as_it_is_but_for_its_end():
    motion = np.arange(30, dtype=np.float32).reshape(10, 3)
    np.testing.assert_array_equal(resample_motion(motion, 25, 10), motion)
    np.testing.assert_array_equal(resample_motion(motion, 25, 9), motion[:9])
    np.testing.assert_array_equal(resample_motion(motion, 25, 11), motion[[*range(10), 9]])


def test_columns_do_not_depend_on_their_neighbors():
    """Work is done in blocks of columns: bytes may not depend on where a block begins."""
    motion = np.random.default_rng(0).standard_normal((60, 5000)).astype(np.float32)
    whole = resample_motion(motion, 60, 25)
    np.testing.assert_array_equal(whole[:, 4090:4100], resample_motion(motion[:, 4090:4100], 60, 25))


@pytest.mark.parametrize("given", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("fps", [24, 30, 60, 120])
def test_very_short_motion(given, fps):
    still = np.full((given, 3), 0.25, np.float32)
    np.testing.assert_allclose(resample_motion(still, fps, count_frames(given, fps)), 0.25, atol=1e-7)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="expected 20 to 120"):
        resample_motion(np.zeros((5, 3), np.float32), 1e9, 5)
    with pytest.raises(ValueError, match="0 frames"):
        resample_motion(np.zeros((0, 3), np.float32), 30, 5)


def test_names():
    assert describe_resampling(FPS) is None
    assert describe_resampling(30000 / 1001) == "29.97>25/spline-1"


# Submissions


def nod(frames: int, fps: float) -> np.ndarray:
    """(S, V, 3) float32: a face that goes up by 10 mm per second, all of it."""
    rise = 0.01 * centers(frames, fps)[:, None, None] * np.array([0, 1, 0])
    return (face()[None] + rise).astype(np.float32)


@pytest.fixture
def benchmark(tmp_path):
    return load_benchmark(make_benchmark(tmp_path))


def entry(tmp_path, fps: object, off: dict[str, int] | None = None, rate: float | None = None):
    root = make_submission(tmp_path, fps=fps)
    rate = float(fps) if rate is None else rate
    for clip, (_, frames) in CLIPS.items():
        count = frames_at(rate, frames) + (off or {}).get(clip, 0)
        np.savez(root / "motion" / f"{clip}.npz", vertices=nod(count, rate))
    return root


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 50, 60, 100])
def test_rates_are_taken(tmp_path, benchmark, fps):
    root = entry(tmp_path, fps)
    assert validate(root, benchmark) == []
    submission = load_submission(root, benchmark)
    assert submission.resampling == (None if fps == 25 else f"{fps}>25/spline-1")
    motion = submission.motion("ita-02")
    assert (motion.fps, len(motion)) == (25.0, 8)
    np.testing.assert_allclose(motion.vertices, nod(8, 25), atol=1e-6)
    assert submission.notes == ()


def test_a_rate_as_ffprobe_prints_it(tmp_path, benchmark):
    root = entry(tmp_path, "30000/1001", rate=30000 / 1001)
    assert load_submission(root, benchmark).resampling == "29.97>25/spline-1"


def test_one_frame_more_or_fewer_is_taken_and_noted(tmp_path, benchmark):
    submission = load_submission(entry(tmp_path, 25, {"ita-01": 1, "eng-01": -1}), benchmark)
    assert [(n.code, n.clip) for n in submission.notes] == [
        ("frame-too-many", "ita-01"),
        ("frame-too-few", "eng-01"),
    ]
    assert submission.resampling == "-1(1),+1(1)"
    np.testing.assert_array_equal(submission.motion("ita-01").vertices, nod(6, 25))
    last = submission.motion("eng-01").vertices
    assert len(last) == 5
    np.testing.assert_array_equal(last, nod(5, 25)[[0, 1, 2, 3, 3]])


def test_two_frames_are_refused(tmp_path, benchmark):
    for off in (2, -2):
        problems = validate(entry(tmp_path / str(off), 25, {"ita-02": off}), benchmark)
        assert [(p.code, p.clip) for p in problems] == [("wrong-frame-count", "ita-02")]
        assert "ceil(N / 640)" in problems[0].hint


def test_at_60_fps_the_sound_tells_how_many_frames_there_are(tmp_path, benchmark):
    """The sound of ita-02 ends 100 samples before its eighth frame does: 18.8 frames at 60 fps, 19.2 with padding."""
    counts = {}
    for count in range(15, 24):
        root = entry(tmp_path / str(count), 60, {"ita-02": count - frames_at(60, 8)})
        submission_notes = [] if validate(root, benchmark) else load_submission(root, benchmark).notes
        counts[count] = None if validate(root, benchmark) else [n.code for n in submission_notes]
    assert counts == {
        **dict.fromkeys((15, 16), None),
        17: ["frame-too-few"],
        18: [],
        19: [],
        20: [],
        21: ["frame-too-many"],
        **dict.fromkeys((22, 23), None),
    }


@pytest.mark.parametrize(("said", "made"), [(25, 30), (25, 60), (60, 25), (60, 30), (30, 100), (25, 24)])
def test_another_rate_than_said_is_named(tmp_path, said, made):
    frames = 200
    benchmark = load_benchmark(make_benchmark(tmp_path, clips={"ita-01": ("ita", frames)}))
    root = make_submission(tmp_path, clips={"ita-01": ("ita", 1)}, fps=said)
    np.save(root / "motion" / "ita-01.npy", np.zeros((frames_at(made, frames), 5023, 3), np.float16))
    (root / "motion" / "ita-01.npz").unlink()
    (problem,) = validate(root, benchmark)
    assert problem.code == "wrong-frame-count"
    assert problem.hint == f"that is {made} fps: set fps = {made} in submission.toml"


def test_motion_that_was_cut_is_no_frame_rate(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path, clips={"ita-01": ("ita", 200)}))
    root = make_submission(tmp_path, clips={"ita-01": ("ita", 120)})
    (problem,) = validate(root, benchmark)
    assert "the clip was cut" in problem.hint
    assert "4.80 s of motion, 8.00 s of sound" in problem.hint


def test_rotations_are_posed_before_they_are_resampled(tmp_path):
    """Curves of the bundled head: its jaw turns, so the mean of two postures is not the posture of the mean."""
    from mtbench.faces.head import load_head

    head = load_head()
    clips = {"ita-01": ("ita", 25)}
    benchmark = load_benchmark(
        make_benchmark(tmp_path, clips=clips, topology="openhead-1", neutral=head.neutral)
    )
    root = make_submission(
        tmp_path, clips=clips, fps=60, topology="openhead-1", kind="units", neutral=head.neutral
    )
    units = np.zeros((60, len(head.unit_names)), np.float32)
    units[:, head.unit_index("jawOpen")] = 0.5 + 0.4 * np.sin(2 * np.pi * 2 * centers(60, 60))
    np.savez(root / "motion" / "ita-01.npz", units=units)
    motion = load_submission(root, benchmark).motion("ita-01")
    np.testing.assert_array_equal(motion.vertices, resample_motion(head.pose(units, head.neutral), 60, 25))


def test_caches_notice_the_rate(tmp_path, benchmark):
    first = load_submission(entry(tmp_path / "a", 29.97), benchmark).describe_timing("ita-01")
    second = load_submission(entry(tmp_path / "b", 30), benchmark).describe_timing("ita-01")
    assert first != second


def test_params_and_curves_of_another_rate_become_vertices_with_a_template(tmp_path):
    """``benchmark new --motion-fps``: vertices cannot tell their speaker, so its face is kept beside them."""
    import soundfile

    from mtbench.benchmarks.ground_truth import template_face
    from mtbench.faces.head import load_head
    from mtbench.making.folder import create_benchmark

    head = load_head()
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(16000), 16000)
    (tmp_path / "in" / "a.txt").write_text("one word")
    units = np.zeros((30, len(head.unit_names)), np.float32)
    units[:, head.unit_index("jawOpen")] = 0.5 + 0.4 * np.sin(2 * np.pi * 2 * centers(30, 30))
    name = head.identity_names[0]
    np.savez(tmp_path / "in" / "a.npz", units=units, identity=np.array(name))
    told: list[str] = []
    made = create_benchmark(tmp_path / "b", tmp_path / "in", language="eng", motion_fps=30, tell=told.append)
    assert told == ["ground truth: resampled from 30 to 25 frames per second"]
    (clip,) = made.clips
    own = head.identity(name)
    np.testing.assert_array_equal(clip.motion.vertices, resample_motion(head.pose(units, own), 30, 25))
    np.testing.assert_array_equal(template_face(clip), own)


def test_rates_that_no_motion_has(tmp_path):
    from mtbench.errors import UsageError
    from mtbench.making.folder import create_benchmark

    for fps in (0.0, -60.0, float("nan"), 1e9):
        with pytest.raises(UsageError, match=r"--motion-fps .*: expected 20 to 120"):
            create_benchmark(tmp_path / "b", tmp_path, language="eng", motion_fps=fps)
