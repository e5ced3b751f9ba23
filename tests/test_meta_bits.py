"""Readability bits beside AVLR: gains over other faces, clips needed, targets; and how other faces are read."""

import math
from dataclasses import replace

import fakes
import numpy as np
import pytest
from meta_samples import AV, make_scores
from test_meta_runs import run

from mtbench.avsr import Hypothesis
from mtbench.benchmarks import load_benchmark
from mtbench.errors import UsageError
from mtbench.meta.bits import compare_clips_needed, find_saving, report_bits
from mtbench.meta.estimates import bootstrap_scores, default_measures, measure_bits
from mtbench.meta.other_faces import choose_others
from mtbench.meta.report import make_report
from mtbench.meta.report_page import render_page
from mtbench.meta.scores import MetaScores
from mtbench.meta.separation import separate
from mtbench.meta.system_files import system_path

SCORER = "test_meta_bits:load_scorer"


class Scorer(fakes.OneEar):
    """Finds what was said as probable as the first picture is dark: every clip's face has a number of its own."""

    name, digest = "scorer", "8"

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        told = -1.0 if crops is None else -float(crops[0].mean()) - len(crops)
        return [
            Hypothesis(h.text, h.phones, told, 4) for h in self.transcribe(crops, audio, language, lexicon)
        ]


def load_scorer():
    return Scorer()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return fakes.make_benchmark(tmp_path_factory.mktemp("bits") / "small")


def told(scores, losses, others=None):
    """Return *scores* with so many bits a token lost by each system, on every clip."""
    lost = np.array(losses, float)[:, None] * scores.tokens * math.log(2)
    found = replace(scores, log_probabilities=dict.fromkeys(scores.conditions, -100.0 - lost))
    if others is None:
        return found
    wrong = np.array(others, float)[:, None] * scores.tokens * math.log(2)
    return replace(found, others=dict.fromkeys(scores.conditions, -100.0 - wrong))


def test_gains_are_over_the_static_face_and_over_other_faces():
    scores = make_scores(families=["amplitude", "shuffled"])
    names = [system.name for system in scores.systems]
    losses = dict.fromkeys(names, 1.0) | {"ground-truth": 0.0, "static": 4.0, "shuffled": 9.0}
    scores = told(scores, list(losses.values()), [6.0] * len(names))
    bootstrap = bootstrap_scores(scores, replicates=20)
    found = report_bits(bootstrap, default_measures(scores, AV), AV)
    gains = {gain.system: gain for gain in found.gains}
    over = {
        name: (g.over_static.estimate, g.over_others.estimate, g.kept.estimate) for name, g in gains.items()
    }
    assert over["ground-truth"] == pytest.approx((4, 6, 100))
    assert over["amplitude-0.5"] == pytest.approx((3, 5, 75))
    assert over["static"] == pytest.approx((0, 2, 0))
    assert over["shuffled"] == pytest.approx((-5, -3, -125))
    report = make_report(scores, replicates=20)
    page = render_page(report, {})
    assert "Faces that are surely worse than none:" in page
    assert "bits over other clips&#x27; faces" in page
    names = [measure.name for measure in report.measures]
    assert {"readability_bits", "readability_bits_others", "vsr_bits_others"} <= set(names)


def test_without_other_faces_there_is_no_second_form():
    scores = make_scores(families=["amplitude"])
    assert not measure_bits(scores, AV, "others").scored.any()
    report = make_report(scores, replicates=20)
    assert all(gain.over_others is None for gain in report.bits.gains)
    assert not any(measure.name.endswith("_others") for measure in report.measures)
    assert "other clips&#x27; faces" not in render_page(report, {})
    silent = replace(scores, log_probabilities={k: v * np.nan for k, v in scores.log_probabilities.items()})
    report = make_report(silent, replicates=20)
    assert (report.bits, report.bits_targets) == (None, ())


def test_the_second_form_is_what_the_own_face_adds_to_the_others():
    scores = told(make_scores(families=["amplitude"]), range(9), range(0, 18, 2))
    measure = measure_bits(scores, AV, "others")
    # The own face loses one bit more each, the others two: beside them it gains one.
    assert np.allclose(measure.values[:, 0] / scores.tokens[0], -np.arange(9.0))
    assert (measure.name, measure.unit) == ("readability_bits_others", "bits")


def test_clips_needed_are_set_beside_those_of_avlr():
    scores = make_scores(families=["amplitude"], noise=0.1, seed=3, clips=10)
    bootstrap = bootstrap_scores(scores, replicates=200)
    avlr, _, _, _, bits = default_measures(scores, AV)[:5]
    assert bits.name == "readability_bits"
    row = scores.index("amplitude-0.5")
    first, second = (separate(bootstrap, m, 0, row) for m in (avlr, bits))
    found = compare_clips_needed(first, second)
    assert found.ratio == pytest.approx((first.effect.estimate / second.effect.estimate) ** 2)
    assert found.ratio_ci95[0] < found.ratio < found.ratio_ci95[1]
    assert (found.clips, found.clips_of_avlr) == (second.clips_needed, first.clips_needed)
    assert find_saving(report_bits(bootstrap, [avlr, bits], AV), "amplitude-0.5") == found
    backwards = compare_clips_needed(first, separate(bootstrap, bits, row, 0))
    assert (backwards.ratio, backwards.ratio_ci95, backwards.clips) == (None, None, None)
    blind = compare_clips_needed(separate(bootstrap, avlr, row, 0), second)
    assert (blind.ratio, blind.clips_of_avlr) == (0.0, None)


def test_targets_of_bits_are_judged_apart():
    scores = make_scores(noise=0.02, seed=2)
    report = make_report(scores, replicates=50)
    names = [target.name for target in report.bits_targets]
    assert len(names) == 3
    assert [t.met for t in report.bits_targets[:2]] == [True, True]
    assert any(line.startswith("Readability bits put 1.00") for line in report.verdict)
    assert len(report.targets) == 5
    held = [s.name for s in scores.systems].index("hold-25")
    turned = {name: array.copy() for name, array in scores.log_probabilities.items()}
    for array in turned.values():
        array[held] = array[held - 3]
        array[held - 3] = scores.log_probabilities[AV][held]
    report = make_report(replace(scores, log_probabilities=turned), replicates=50)
    assert report.bits_targets[1].met is False
    few = make_report(make_scores(families=["amplitude"], clips=2, languages=("ita", "eng")), replicates=20)
    assert {t.met for t in few.bits_targets} == {None}


def test_others_are_of_another_source_near_in_language_and_length(small):
    benchmark = load_benchmark(small)
    clip = benchmark.clip("ita-01")
    chosen = choose_others(benchmark, clip, 3)
    # The other Italian clip is of the same source; 30 frames: 31, 28, 27.
    assert [other.id for other in chosen] == ["jpn-02", "eng-01", "jpn-01"]
    assert choose_others(benchmark, clip, 0) == ()
    with pytest.raises(UsageError, match="ask for 4 at most"):
        choose_others(benchmark, clip, 5)


def test_other_faces_are_read_kept_and_averaged(small, tmp_path):
    options = {"recognizer": SCORER, "systems": ["lag-200ms"], "others": 2}
    scores = run(small, tmp_path, **options)
    alone = run(small, tmp_path / "alone", **options | {"others": 0})
    for name in ("v", "av-7.5/babble"):
        own, others = scores.log_probabilities[name], scores.others[name]
        assert np.array_equal(own, alone.log_probabilities[name])
        assert np.isfinite(others).all()
        assert np.isnan(alone.others[name]).all()
    benchmark = load_benchmark(small)
    place = {clip: n for n, clip in enumerate(scores.clips)}
    for clip in benchmark.clips:
        beside = [place[other.id] for other in choose_others(benchmark, clip, 2)]
        frames = np.array(scores.facts["frames"])
        # The first picture is the other's, the length the clip's.
        expected = scores.log_probabilities["v"][0, beside] + frames[beside] - frames[place[clip.id]]
        assert scores.others["v"][0, place[clip.id]] == pytest.approx(expected.mean())
    assert scores.facts["other_faces"]["number"] == 2
    assert np.isnan(scores.others["av-clean"]).all()
    assert "other_faces" not in alone.facts
    loaded = MetaScores.load(tmp_path)
    assert np.array_equal(loaded.others["v"], scores.others["v"])


def test_other_faces_are_read_once_and_left_aside_where_nobody_asks(small, tmp_path, monkeypatch):
    options = {"recognizer": SCORER, "systems": ["static"], "languages": ["eng"]}
    first = run(small, tmp_path, **options, others=1)
    log = tmp_path / "log"
    monkeypatch.setenv("ONE_EAR_LOG", str(log))
    again = run(small, tmp_path, **options, others=1)
    assert np.array_equal(again.others["v"], first.others["v"])
    plain = run(small, tmp_path, **options)
    assert np.isnan(plain.others["v"]).all()
    assert not log.exists()
    more = run(small, tmp_path, **options, others=2)
    assert np.isfinite(more.others["v"]).all()
    assert log.exists()
    assert '"others": {' in system_path(tmp_path, "static").read_text()


def test_who_tells_nothing_cannot_be_asked_of_other_faces(small, tmp_path):
    with pytest.raises(UsageError, match="one-ear does not tell how probable"):
        run(small, tmp_path, others=2)
    with pytest.raises(UsageError, match="from 0 on"):
        run(small, tmp_path, recognizer=SCORER, others=-1)


def test_scores_of_before_there_were_other_faces_are_read(small, tmp_path):
    import json

    from mtbench.files import digest_bytes
    from mtbench.meta.scores import ARRAYS_FILE, SCORES_FILE

    run(small, tmp_path, systems=["static"], languages=["eng"])
    with np.load(tmp_path / ARRAYS_FILE) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "others"}
    np.savez_compressed(tmp_path / ARRAYS_FILE, **kept)
    data = json.loads((tmp_path / SCORES_FILE).read_text())
    data["arrays"] = digest_bytes((tmp_path / ARRAYS_FILE).read_bytes())
    (tmp_path / SCORES_FILE).write_text(json.dumps(data))
    assert np.isnan(MetaScores.load(tmp_path).others["v"]).all()
