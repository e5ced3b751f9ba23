"""Lip measures and statistics: known curves, thresholds, sources, the command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from mtbench.benchmarks import load_benchmark
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.faces import OPENHEAD, load_head, load_topology
from mtbench.synth import (
    LipMeasures,
    format_statistics,
    list_models,
    measure_curves,
    measure_model,
    measure_source,
    measure_vertices,
    summarize_lips,
)
from mtbench.synth.lip_report import measure_spectrum
from mtbench.synth.lip_statistics import PAUSE, STATISTICS, find_contacts, find_speech

HEAD = load_head()


def make_lips(gap, fps: float = 25.0, **others) -> LipMeasures:
    gap = np.asarray(gap, np.float64)
    still = {name: np.zeros_like(gap) for name in ("width", "protrusion", "tuck", "lift")}
    return LipMeasures(gap=gap, **(still | others), fps=fps)


def pose(**units: float) -> LipMeasures:
    return measure_curves(HEAD.weights(units)[None])


def wave(hertz: float, seconds: float = 20.0, fps: float = 25.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(seconds * fps) / fps)


def test_what_units_do_to_the_measures():
    rest = measure_curves(np.zeros((2, 55), np.float32))
    for name in ("gap", "width", "protrusion", "tuck", "lift"):
        assert np.abs(getattr(rest, name)).max() < 1e-6
    assert 15 < pose(jawOpen=0.62).gap[0] < 25
    assert pose(mouthStretch=1.0).width[0] > 8
    assert pose(mouthPucker=1.0).width[0] < -7
    assert pose(mouthPucker=1.0).protrusion[0] > 4
    assert pose(mouthUpperUp=1.0).lift[0] > 2
    assert pose(mouthRollLower=0.75).tuck[0] > 2
    assert pose(lipSeal=1.0, jawOpen=0.3).gap[0] < 0.5


def test_curves_and_their_vertices_are_measured_alike():
    rng = np.random.default_rng(0)
    curves = (rng.random((5, 55)) * 0.3).astype(np.float32)
    face = HEAD.identity("asian-female-young")
    one = measure_curves(curves, face)
    other = measure_vertices(HEAD.pose(curves, face), face, load_topology(OPENHEAD.name))
    for name in ("gap", "width", "protrusion", "tuck", "lift"):
        assert np.allclose(getattr(one, name), getattr(other, name), atol=1e-4)


def test_vertices_of_another_mesh_are_refused():
    with pytest.raises(ValueError, match="expected"):
        measure_vertices(np.zeros((2, 10, 3)), HEAD.neutral, HEAD.topology)
    bare = replace(HEAD.topology, landmarks=np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="names no landmarks"):
        measure_vertices(HEAD.neutral[None], HEAD.neutral, bare)


def test_statistics_of_known_waves():
    slow, fast = wave(1.0), wave(5.0)
    lips = make_lips(10 + 4 * slow + 3 * fast, width=-2 * slow, protrusion=2 * slow)
    found = summarize_lips([lips])
    assert found.seconds == pytest.approx(20.0)
    assert found.gap_sd == pytest.approx(np.sqrt((16 + 9) / 2), rel=1e-3)
    assert found.gap_fast == pytest.approx(9 / 25, abs=0.02)
    assert found.width_fast == pytest.approx(0.0, abs=0.02)
    assert found.width_sd == pytest.approx(np.sqrt(2), rel=1e-3)
    assert found.width_range == pytest.approx(4.0, rel=0.02)
    # A sine of amplitude a and frequency f has the mean speed 4 a f.
    assert found.width_speed == pytest.approx(8.0, rel=0.02)
    assert found.width_protrusion == pytest.approx(-1.0)
    assert found.gap_width == pytest.approx(-4 / 5, abs=0.01)
    assert found.full == found.partial == found.labiodental == 0.0


def test_statistics_do_not_depend_on_the_frame_rate():
    one, other = (
        summarize_lips([make_lips(10 + 5 * wave(1.0, fps=fps) + wave(6.0, fps=fps), fps)]) for fps in (25, 50)
    )
    for name in ("gap_sd", "gap_range", "gap_fast"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=0.05)


def test_pauses_are_left_out():
    gap = np.concatenate([np.zeros(50), 8 + wave(2.0, 4.0), np.zeros(4), 8 + wave(2.0, 4.0), np.zeros(75)])
    spoken = find_speech(gap, 25.0)
    assert spoken.sum() == 204
    assert spoken[49:51].tolist() == [False, True]
    assert summarize_lips([make_lips(gap)]).seconds == pytest.approx(204 / 25)


def test_closures_are_counted_by_how_far_they_come():
    frames = np.full(200, 8.0)
    frames[20:23] = -0.5  # full
    frames[40] = 2.0  # partial
    frames[60] = 5.0  # no contact
    frames[80:83] = 0.2
    frames[81] = 0.4  # one closure, though it wavers
    frames[100 : 100 + int(25 * PAUSE) + 2] = 0.0  # a pause
    frames[150:154] = 2.5  # partial
    found = find_contacts(make_lips(frames))
    assert found.full.tolist() == [21, 81]
    assert found.partial.tolist() == [40, 151]
    # A ripple on nearly closed lips is no contact.
    assert len(find_contacts(make_lips(2 + 0.4 * wave(5.0))).partial) == 0


def test_lip_at_the_teeth_needs_tuck_and_lift_without_closure():
    gap = np.full(60, 1.5)
    tuck, lift = np.zeros(60), np.zeros(60)
    tuck[10:30] = 3.0
    lift[15:20] = lift[40:50] = 2.0
    lips = make_lips(gap, tuck=tuck, lift=lift)
    assert find_contacts(lips).labiodental.tolist() == [17]
    assert len(find_contacts(replace(lips, gap=np.full(60, 0.2))).labiodental) == 0
    assert len(find_contacts(replace(lips, gap=np.full(60, 5.0))).labiodental) == 0


def test_lips_that_never_move_have_no_statistics():
    with pytest.raises(UsageError, match="never part"):
        summarize_lips([make_lips(np.zeros(100))])
    assert np.isnan(summarize_lips([make_lips(8 + wave(1.0))]).gap_width)


def test_contacts_of_a_clip_are_where_its_phones_are():
    from mtbench.benchmarks import read_motion_arrays, read_phone_times

    clip = next(c for c in load_benchmark("openhead-20@2").clips if c.id == "pol-02")
    found = find_contacts(measure_curves(read_motion_arrays(clip)[1]["units"]))
    phones = read_phone_times(clip)
    for kind, symbols in (("full", "pbm"), ("labiodental", "fv")):
        times = [(p.start, p.end) for p in phones if p.symbol in symbols]
        frames = getattr(found, kind) / 25 + 0.02
        hit = [any(a - 0.05 < t < b + 0.05 for a, b in times) for t in frames]
        assert np.mean(hit) > 0.7
        assert sum(hit) >= len(times) - 2


def test_sources_are_benchmarks_files_and_folders(tmp_path):
    rng = np.random.default_rng(1)
    jaw = np.zeros((60, 55), np.float32)
    jaw[:, HEAD.unit_index("jawOpen")] = 0.2 + 0.1 * rng.random(60)
    jaw[0] = 0
    np.savez(tmp_path / "b.npz", units=jaw)
    np.savez(tmp_path / "c.npz", units=jaw, identity="african-male-old")
    np.save(tmp_path / "a.npy", HEAD.pose(jaw))
    (tmp_path / "notes.txt").write_text("not motion")
    vertices, curves, other = measure_source(str(tmp_path))
    assert np.allclose(vertices.gap, curves.gap, atol=1e-3)
    assert not np.allclose(other.gap, curves.gap, atol=1e-3)
    assert len(measure_source(str(tmp_path / "b.npz"), fps=50.0)) == 1
    assert measure_source(str(tmp_path / "b.npz"), fps=50.0)[0].fps == 50.0
    with pytest.raises(UsageError, match="neither a benchmark"):
        measure_source(str(tmp_path / "nothing"))
    np.savez(tmp_path / "d.npz", units=jaw[:, :50])
    with pytest.raises(UsageError, match="50 columns"):
        measure_source(str(tmp_path))


def test_another_version_of_a_benchmark_is_a_source_by_name_and_by_manifest():
    benchmark = load_benchmark("openhead-20@2")
    named, given = measure_source("openhead-20@2"), measure_source(str(benchmark.manifest_path))
    assert len(named) == len(given) == 120
    assert all(np.array_equal(a.gap, b.gap) for a, b in zip(named, given, strict=True))
    assert not np.allclose(named[0].width, measure_source("openhead-20")[0].width, atol=1e-4)


def test_models_say_the_phones_of_clips():
    clips = load_benchmark("openhead-20").clips[:2]
    assert {"everyday", "mumbling", "reserved", "rules:default", "rules:held-out"} <= set(list_models())
    rules, varied = measure_model("rules:default", clips), measure_model("everyday", clips)
    assert [len(lips.gap) for lips in rules] == [clip.frames for clip in clips]
    assert summarize_lips(varied).width_range < 0.7 * summarize_lips(rules).width_range
    with pytest.raises(UsageError, match="'shouting'"):
        measure_model("shouting", clips)


def test_command_writes_what_it_prints(tmp_path):
    pytest.importorskip("matplotlib")
    jaw = np.zeros((100, 55), np.float32)
    jaw[:, HEAD.unit_index("jawOpen")] = 0.3 + 0.1 * wave(2.0, 4.0)
    np.savez(tmp_path / "one.npz", units=jaw)

    def call(*arguments: str):
        return CliRunner().invoke(app, ["synth", "statistics", *arguments])

    out = tmp_path / "out"
    arguments = (f"people={tmp_path}", "--model", "everyday", "--language", "German", "--out", str(out))
    done = call(*arguments)
    assert done.exit_code == 0, done.output
    assert "| | people | everyday |" in done.stdout
    table = (out / "lip-statistics.md").read_text("utf8")
    assert table.strip() in done.stdout
    numbers = json.loads((out / "lip-statistics.json").read_text("utf8"))
    assert list(numbers["people"]) == list(STATISTICS)
    assert (out / "lip-statistics.png").read_bytes()[:4] == b"\x89PNG"
    first = (out / "lip-statistics.png").read_bytes()
    assert json.loads(call(*arguments, "--json").stdout) == numbers
    assert (out / "lip-statistics.png").read_bytes() == first
    assert isinstance(call().exception, UsageError)
    assert isinstance(call(f"a={tmp_path}", f"a={tmp_path}").exception, UsageError)


def test_spectrum_has_its_peak_at_the_frequency_of_the_motion():
    frequency, density = measure_spectrum([make_lips(8 + wave(4.0)), make_lips(8 + wave(4.0, 1.0))])
    assert frequency[density.argmax()] == 4.0
    assert density.sum() * (frequency[1] - frequency[0]) == pytest.approx(1.0, abs=0.01)
    assert np.isnan(measure_spectrum([make_lips(8 + wave(4.0, 1.0))])[1]).all()


def test_table_escapes_labels():
    found = summarize_lips([make_lips(8 + wave(1.0))])
    table = format_statistics({"a|b": found, "c": found})
    assert table.splitlines()[0] == "| | a\\|b | c |"
    assert len(table.splitlines()) == 2 + len(STATISTICS)
