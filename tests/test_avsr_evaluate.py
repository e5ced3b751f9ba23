"""The recognizer's error table: conditions, means over languages, reasons, and agreement with a score."""

import json
import shutil
from dataclasses import replace

import fakes
import numpy as np
import pytest

import mtbench.avsr.evaluation.material as module
from mtbench.avsr.evaluation.conditions import (
    Supplies,
    articulate,
    list_conditions,
    load_flame_face,
    render_face,
)
from mtbench.avsr.evaluation.error_rows import RATES, ErrorRow, make_rows, pool_rate
from mtbench.avsr.evaluation.error_table import _choose, evaluate
from mtbench.avsr.evaluation.material import find_engines, gather_material
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import UsageError
from mtbench.metrics.edit_counts import EditCounts
from mtbench.speech.multitalk_languages import LANGUAGES

TIMES = "phone\tstart\tend\trelease\na\t0\t0.3\t\nb\t0.3\t0.5\t0.45\nt\t0.5\t0.6\t0.55\na\t0.6\t0.95\t\n"
HOME = ("av-clean", "av-7.5", "av-10", "a-clean", "a-7.5", "a-10", "v", "heldout-articulation-av-7.5")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Six clips in three languages with tones for speech, and timed phones."""
    folder = fakes.make_benchmark(tmp_path_factory.mktemp("evaluate") / "small")
    (folder / "phones.tsv").write_text(TIMES, "utf-8")
    manifest = folder / "benchmark.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(
        text.replace('phones = "a b t a"', 'phones = "a b t a"\nphone_times = "phones.tsv"'), "utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def rows(small):
    return evaluate(small, fakes.ONE_EAR, conditions=HOME)


def pick(rows, condition, language="all"):
    (row,) = [r for r in rows if (r.condition, r.language) == (condition, language)]
    return row


def test_conditions_are_those_that_were_asked_for():
    names = [c.name for c in list_conditions()]
    assert names == [
        "av-clean", "av-7.5", "av-10", "a-clean", "a-7.5", "a-10", "v", "heldout-articulation-av-7.5",
        "heldout-engines-av-clean", "heldout-engines-a-clean", "heldout-both-av-7.5", "heldout-engines-all-av-clean",
        "heldout-engines-all-a-clean", "heldout-both-all-av-7.5", "flame-clay-av-7.5", "real-speech-a-clean",
        "real-speech-av-clean", "real-sentences-a-clean",
    ]  # fmt: skip
    more = [c for c in list_conditions(halves=True) if c.name not in names]
    assert [c.name for c in more[:6]] == [
        n.replace("heldout", "development") for n in names if "engines" in n or "both" in n
    ]
    assert [c.name for c in more[6:]] == [c.name.replace("development", "whole") for c in more[:6]]
    assert {c.half for c in more[:6]} == {"development"}
    assert {c.half for c in more[6:]} == {None}
    assert {c.half for c in list_conditions() if c.corpus.startswith("engines")} == {"test"}
    assert [c.name for c in _choose(["whole-both-all-av-7.5"], (5.0,))] == ["whole-both-all-av-7.5"]
    assert [c.name for c in list_conditions((5.0,))][:4] == ["av-clean", "av+5", "a-clean", "a+5"]
    assert [c.name for c in _choose(["av5"], (5.0,))] == ["av+5"]


def test_rows_have_the_documented_fields(rows):
    assert {(r.condition, r.language) for r in rows} == {
        (c, lang) for c in HOME for lang in ("all", "ita", "eng", "jpn")
    }
    for row in rows:
        assert set(row.to_json()) == {"condition", "language", "per", "wer", "cer", "n_clips"}
        assert row.n_clips == (6 if row.language == "all" else 2)
    assert [ErrorRow(**data) for data in json.loads(json.dumps([row.to_json() for row in rows]))] == rows


def test_all_is_the_mean_over_languages_not_the_pool(rows):
    unequal = 0
    for condition in HOME:
        parts = [pick(rows, condition, code) for code in ("ita", "eng", "jpn")]
        for rate in ("per", "wer", "cer"):
            assert pick(rows, condition).rate(rate) == pytest.approx(
                np.mean([p.rate(rate) for p in parts]), abs=1e-12
            )
            unequal += len({p.rate(rate) for p in parts}) > 1
    assert unequal > 10


def test_ground_truth_scores_the_same_as_an_entry_does(small, rows, tmp_path):
    """Same pictures, same mixtures, same counting as `mtbench score` of the ground truth."""
    import mtbench
    from mtbench.results.rows import RecognitionRow
    from mtbench.results.run_files import read_rows
    from mtbench.submissions.controls import make_controls

    (entry,) = make_controls(small, tmp_path, ("ground-truth",))
    mtbench.score(
        entry, small, recognizer=fakes.ONE_EAR, workers=1, cache=tmp_path / "cache", out=tmp_path / "results",
        noise_names=["babble"],
    )  # fmt: skip
    scored = [
        r for r in read_rows(tmp_path / "results" / "ground-truth" / "small") if isinstance(r, RecognitionRow)
    ]
    for name, modality, snr in (
        ("av-7.5", "av", -7.5),
        ("a-10", "a", -10.0),
        ("v", "v", None),
        ("av-clean", "av", None),
    ):
        for code in ("ita", "eng", "jpn"):
            mine = [
                r
                for r in scored
                if r.language == code and r.modality == modality and r.snr_db == snr and r.face != "static"
            ]
            assert len(mine) == 2
            words = sum((r.words for r in mine[1:]), mine[0].words)
            phones = sum((r.phones for r in mine[1:]), mine[0].phones)
            assert pick(rows, name, code).wer == words.rate
            assert pick(rows, name, code).per == phones.rate


def test_results_do_not_depend_on_the_number_of_workers(small):
    names = ("av-7.5", "a-clean", "heldout-articulation-av-7.5")
    one, two = (evaluate(small, fakes.ONE_EAR, conditions=names, workers=n) for n in (1, 2))
    assert one == two


def test_a_subset_has_the_same_numbers(small, rows):
    part = evaluate(small, fakes.ONE_EAR, conditions=["av-7.5"], languages=["Japanese"])
    assert part[1:] == [pick(rows, "av-7.5", "jpn")]
    assert part[0] == replace(part[1], language="all")


def test_default_manner_reproduces_the_bundled_ground_truth():
    """Timed phones and seed are those that the ground truth was made of; times are rounded to 0.1 ms."""
    from mtbench.benchmarks.clip import read_motion_arrays
    from mtbench.synth.articulation_settings import DEFAULT, HELD_OUT

    bench = load_benchmark("openhead-20@2")
    for clip in bench.clips[::17]:
        truth = read_motion_arrays(clip)[1]["units"]
        again = articulate(bench, clip, DEFAULT)
        assert np.abs(again - truth).max() < 0.02
        assert np.abs(articulate(bench, clip, HELD_OUT) - truth).max() > 0.1


def test_the_held_out_manner_is_of_the_articulation_that_made_the_ground_truth(small, tmp_path):
    from mtbench.benchmarks.clip import read_motion_arrays
    from mtbench.benchmarks.phone_times import read_phone_times
    from mtbench.errors import BenchmarkError
    from mtbench.faces.head import load_head
    from mtbench.synth import HELD_OUT, RESERVED, animate_varied, clip_seed, find_held_out, find_manner

    rules, varied = (load_benchmark(f"openhead-20@{version}") for version in (2, 3))
    assert find_held_out(rules) is HELD_OUT
    assert find_held_out(varied) is RESERVED
    for clip in varied.clips[::40]:
        truth = read_motion_arrays(clip)[1]["units"]
        assert np.array_equal(articulate(varied, clip, find_manner(varied)), truth)
        other = articulate(varied, clip, RESERVED)
        assert np.abs(other - truth).max() > 0.1
        # Drawn anew, and not the same draws a little further apart: alike only as far as they say the same.
        seed = clip_seed(varied.name, clip.id)
        same = animate_varied(read_phone_times(clip), clip.frames / 25, RESERVED, seed=seed)
        jaw = load_head().unit_index("jawOpen")
        assert (
            np.corrcoef(truth[:, jaw], other[:, jaw])[0, 1] < np.corrcoef(truth[:, jaw], same[:, jaw])[0, 1]
        )
        face = render_face(varied, clip, "held-out")
        assert np.array_equal(face, render_face(replace(varied, name="openhead-20"), clip, "held-out"))
        assert not np.array_equal(face, render_face(varied, clip, "truth"))
        # The same clip of version 2 has the same phones and another held-out face.
        assert not np.array_equal(face, render_face(rules, rules[clip.id], "held-out"))
    shutil.copytree(small, tmp_path / "odd")
    manifest = tmp_path / "odd" / "benchmark.toml"
    manifest.write_text(manifest.read_text().replace("fps = 25", 'fps = 25\narticulation = "everyda"'))
    with pytest.raises(BenchmarkError, match="did you mean everyday"):
        find_manner(load_benchmark(tmp_path / "odd"))


def test_held_out_face_is_another_one_of_the_same_speaker(small):
    bench = load_benchmark(small)
    clip = bench.clips[0]
    truth, other = (render_face(bench, clip, face).astype(float) for face in ("truth", "held-out"))
    assert truth.shape == other.shape == (clip.frames, 96, 96)
    # The nose doesn't speak, the lips do.
    assert np.abs(truth - other)[:, 40:70, 30:66].mean() > 5 * np.abs(truth - other)[:, :12, 40:56].mean()


def make_engines(folder, clips):
    """A benchmark with timed phones whose clips are called as those of held-out engines."""
    made = fakes.make_benchmark(folder, dict.fromkeys(clips, fakes.CLIPS["eng-01"]), noises=0)
    (made / "phones.tsv").write_text(TIMES, "utf-8")
    manifest = made / "benchmark.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(
        text.replace('phones = "a b t a"', 'phones = "a b t a"\nphone_times = "phones.tsv"'), "utf-8"
    )
    return made


def test_engines_and_held_out_articulation_are_measured_on_their_own_benchmark(small, tmp_path, monkeypatch):
    # Of these, eng-01 and eng-03 are of the development half, eng-02 is of the test half.
    folder = make_engines(tmp_path / "engines", ("eng-01", "eng-02", "eng-03"))
    monkeypatch.setattr(module, "ENGINES_BENCHMARK", str(folder))
    names = ["engines-av-clean", "engines-a-clean", "both-av-7.5"]
    prefixes = {"heldout": 1, "development": 2, "whole": 3}
    asked = ["av-clean", *(f"{prefix}-{name}" for prefix in prefixes for name in names)]
    found = evaluate(small, fakes.ONE_EAR, conditions=asked)
    assert pick(found, "av-clean").n_clips == 6
    for name in names:
        rates = {}
        for prefix, n in prefixes.items():
            row = pick(found, f"{prefix}-{name}")
            assert [r.language for r in found if r.condition == row.condition] == ["all", "eng"]
            assert row.n_clips == n
            rates[prefix] = row.wer
        # References are of one length, so that the whole is the mean of its clips.
        assert rates["whole"] == pytest.approx((rates["heldout"] + 2 * rates["development"]) / 3)


def test_all_voices_are_measured_where_they_were_built(small, tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    (row,) = evaluate(small, fakes.ONE_EAR, conditions=["heldout-engines-all-a-clean"])
    assert row.n_clips == 0
    assert "mtbench benchmark build openhead-engines --all" in row.reason
    folder = make_engines(tmp_path / "benchmarks" / "openhead-engines-all", ("eng-01", "eng-02", "ita-02"))
    (row,) = evaluate(small, fakes.ONE_EAR, conditions=["heldout-engines-all-a-clean"])
    assert "version 3; build it again" in row.reason
    manifest = folder / "benchmark.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('version = "1"', 'version = "3"'), "utf-8")
    found = evaluate(
        small, fakes.ONE_EAR, conditions=["heldout-engines-all-a-clean", "whole-engines-all-a-clean"]
    )
    assert pick(found, "heldout-engines-all-a-clean").n_clips == 2  # eng-02, ita-02
    assert pick(found, "whole-engines-all-a-clean").n_clips == 3


def add_version(folder, version, articulation):
    """Put another version into a benchmark's folder, of the same files."""
    text = (folder / "benchmark.toml").read_text("utf-8").replace('version = "1"', f'version = "{version}"')
    text = text.replace("fps = 25", f'fps = 25\narticulation = "{articulation}"', 1)
    (folder / f"benchmark-{version}.toml").write_text(text, "utf-8")


def test_engines_are_articulated_as_the_benchmark_that_is_evaluated(small, tmp_path, monkeypatch):
    shutil.copytree(small, tmp_path / "small")
    for number, style in enumerate(("everyday", "mumbling")):
        add_version(tmp_path / "small", 7 + number, style)
    home, everyday, mumbling = (
        load_benchmark(tmp_path / "small" / f"benchmark{part}.toml") for part in ("", "-7", "-8")
    )
    # Whatever none is articulated as is shown beside the main version.
    assert [find_engines(b).version for b in (home, everyday, mumbling)] == ["3", "4", "3"]
    # What is heard is the same for all, to the file.
    heard = [c for c in list_conditions(halves=True) if c.corpus == "engines" and c.condition.modality == "a"]
    assert [c.name for c in heard] == [
        f"{part}-engines-a-clean" for part in ("heldout", "development", "whole")
    ]
    found = [
        gather_material(tuple(heard), b, None, Supplies(), tmp_path).corpora["engines"]
        for b in (home, everyday)
    ]
    assert [b.ref for b in found] == ["openhead-engines@3", "openhead-engines@4"]
    assert [[(c.id, c.audio_path, c.phones) for c in b.clips] for b in found[:1]] == [
        [(c.id, c.audio_path, c.phones) for c in b.clips] for b in found[1:]
    ]
    # All voices: of the version that fits, or built again.
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    folder = make_engines(tmp_path / "benchmarks" / "openhead-engines-all", ("eng-01", "eng-02"))
    add_version(folder, 3, "")
    asked = tuple(_choose(["heldout-both-all-av-7.5"], (-7.5,)))
    (name,) = (c.name for c in asked)
    known = gather_material(asked, home, None, Supplies(), tmp_path)
    assert (known.corpora["engines-all"].version, known.obstacles[name]) == ("3", None)
    unknown = gather_material(asked, everyday, None, Supplies(), tmp_path)
    assert "expected version 4; build it again" in unknown.obstacles[name]
    add_version(folder, 4, "everyday")
    known = gather_material(asked, everyday, None, Supplies(), tmp_path)
    assert (known.corpora["engines-all"].version, known.obstacles[name]) == ("4", None)


def test_a_clip_of_both_parts_moves_the_same_in_both():
    from mtbench.synth.articulation_settings import HELD_OUT

    bench = load_benchmark("openhead-engines")
    part, whole, other = (
        articulate(replace(bench, name=name), bench.clips[0], HELD_OUT)
        for name in ("openhead-engines", "openhead-engines-all", "x")
    )
    assert np.array_equal(part, whole)
    assert not np.array_equal(part, other)


@pytest.mark.parametrize(
    ("change", "condition", "reason"),
    [
        ('phone_times = "phones.tsv"', "heldout-articulation-av-7.5", "no timed phones"),
        ('motion = "motion/ita-02.npz"', "v", "clip ita-02 of small@1 has no ground-truth motion"),
    ],
)
def test_what_cannot_be_measured_is_a_row_with_a_reason(small, tmp_path, change, condition, reason):
    folder = tmp_path / "small"
    shutil.copytree(small, folder)
    manifest = folder / "benchmark.toml"
    manifest.write_text(manifest.read_text("utf-8").replace(change, ""), "utf-8")
    (row,) = evaluate(folder, fakes.ONE_EAR, conditions=[condition])
    assert reason in row.reason
    assert row == ErrorRow(condition, "all", reason=row.reason)


def test_flame_needs_the_template(small, tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    (row,) = evaluate(small, fakes.ONE_EAR, conditions=["flame-clay-av-7.5"])
    assert row.per is None
    assert "mtbench assets add flame" in row.reason
    with pytest.raises(UsageError, match="no file"):
        evaluate(small, fakes.ONE_EAR, conditions=["flame-clay-av-7.5"], flame=tmp_path / "none.npz")


def test_flame_template_from_a_file(small, shared, tmp_path, monkeypatch):
    folder = shared / "flame2023open"
    template = np.load(folder / "flame2023open_v_template_5023x3_f64.npy")
    faces = np.load(folder / "flame_head_faces_7800x3_i64.npy")
    np.savez(tmp_path / "flame.npz", v_template=template, f=faces)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    found = evaluate(
        small, fakes.ONE_EAR, conditions=["flame-clay-av-7.5", "av-7.5"], flame=tmp_path / "flame.npz"
    )
    assert pick(found, "flame-clay-av-7.5").n_clips == 6
    topology, head = load_flame_face(str(tmp_path / "flame.npz"))
    assert np.allclose(head.neutral, template, atol=1e-6)
    assert topology.name == "flame-5023"
    assert not (tmp_path / "data").exists()
    bench = load_benchmark(small)
    crops = render_face(bench, bench.clips[0], "flame", Supplies(str(tmp_path / "flame.npz")))
    assert crops.std(0)[40:70, 30:66].max() > 20  # the mouth moves


def test_unknown_languages_are_named_and_stay_out_of_the_mean(small, rows):
    found = evaluate(small, "fakes:load_no_italian", conditions=["av-7.5"])
    assert pick(found, "av-7.5", "ita").wer is None
    assert "no-italian does not know" in pick(found, "av-7.5", "ita").reason
    both = [pick(rows, "av-7.5", code).wer for code in ("eng", "jpn")]
    assert pick(found, "av-7.5").wer == pytest.approx(np.mean(both))
    assert pick(found, "av-7.5").n_clips == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"conditions": ["av-7"]}, "unknown condition av-7; known: av-clean"),
        ({"languages": ["tur"], "conditions": ["av-clean"]}, "no clip in tur"),
        ({"languages": ["Klingon"]}, "unknown language"),
        ({"noise": "rain", "conditions": ["av-7.5"]}, "unknown noise rain"),
        ({"weights": "x.safetensors"}, "brings its own"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_rendered(small, arguments, message):
    with pytest.raises(UsageError, match=message):
        evaluate(small, fakes.ONE_EAR, **arguments)


def test_a_clip_without_phones_never_drops_out(small):
    clips = load_benchmark(small).clips
    assert all(c.phones is not None for c in clips)
    counts = EditCounts(3, 1, 0, 0)
    assert pool_rate([counts, None]) is None
    whole = dict.fromkeys(RATES, counts)
    rows = make_rows("x", None, clips[:2], {"ita": [whole, {**whole, "per": None}]}, "one-ear")
    assert [r.per for r in rows] == [None, None]
    assert [r.wer for r in rows] == [0.25, 0.25]
    assert all(r.reason for r in rows)


def test_languages_come_in_the_order_of_tables(rows):
    codes = [r.language for r in rows if r.condition == "v"]
    assert codes == ["all", *(c for c in LANGUAGES if c in {"ita", "eng", "jpn"})]


def test_people_are_heard_and_their_videos_are_asked_for(small):
    names = ("real-speech-a-clean", "real-speech-av-clean")
    found = evaluate(small, fakes.ONE_EAR, conditions=names)
    assert [r.language for r in found] == ["all", "eng", "all"]
    assert pick(found, names[0]).n_clips == 7
    assert pick(found, names[0]).per is not None
    assert "--recordings" in pick(found, names[1]).reason


def test_folder_without_the_videos_is_an_error(small, tmp_path):
    with pytest.raises(UsageError, match=r"expected \w+.mpg"):
        evaluate(small, fakes.ONE_EAR, conditions=["real-speech-av-clean"], recordings=tmp_path)


class ListReader(fakes.OneEar):
    """Needs a word list."""

    name, digest = "list-reader", "abc"
    needs_lexicon = True


def load_list_reader():
    return ListReader()


def test_words_without_a_list_have_no_rate(small):
    """Of the kind of case ``30-no-word-list``: a missing list is no word error of 100 %."""
    rows = evaluate(small, "test_avsr_evaluate:load_list_reader", conditions=["a-clean"], workers=1)
    row = pick(rows, "a-clean", "ita")
    assert (row.wer, row.cer) == (None, None)
    assert row.per is not None
    assert row.reason == "no word list: make one with 'mtbench benchmark lexicon'"
    assert pick(rows, "a-clean").wer is None
    assert pick(rows, "a-clean").reason == "not all languages have a word error"
