"""Monotone curves, sensitivity, confusions, fairness: answers that are known beforehand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meta_samples import AV, LANGUAGES, make_scores, with_errors

from mtbench.errors import UsageError
from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import bootstrap_scores, measure_errors
from mtbench.meta.fairness import judge_fairness
from mtbench.meta.monotonicity import check_chains
from mtbench.meta.noise_curves import trace_noise
from mtbench.meta.nuisances import compare_with_truth
from mtbench.meta.sensitivity import compare_conditions, default_contrasts
from mtbench.meta.separation import separate
from mtbench.meta.truth_confusions import confuse_ground_truth
from mtbench.metrics.edits import count_edits
from mtbench.results import align_phones, count_confusions, name_class
from mtbench.statistics import Z_TOTAL, adjust_holm

PHONES = st.lists(st.sampled_from("pbtsaiu"), max_size=12)


def study(scores, replicates=200):
    return bootstrap_scores(scores, replicates=replicates)


def check(scores, condition=AV):
    own, measure = study(scores), measure_errors(scores, condition)
    return check_chains(own, measure, order_chains(scores.systems, measure.scored))


def test_a_rising_curve_is_monotone_and_a_fallen_level_is_named():
    scores = make_scores(families=["amplitude", "jitter"], noise=0.05)
    assert all(curve.monotone for curve in check(scores).values())
    found = check(with_errors(scores, "amplitude-0.5", 0.2))
    assert not found["amplitude"].monotone
    assert [step.worse for step in found["amplitude"].steps if step.reversed] == ["amplitude-0.5"]
    largest = found["amplitude"].largest_reversal
    assert (largest.better, largest.worse) == ("amplitude-0.6", "amplitude-0.5")
    assert largest.difference.ci95[1] < 0
    assert found["jitter"].monotone


def test_a_reversal_within_chance_is_no_reversal():
    scores = make_scores(families=["amplitude"], noise=0.3, harm=lambda s: 0.0, seed=2)
    found = check(scores)["amplitude"]
    assert any(step.difference.estimate < 0 for step in found.steps)
    assert found.monotone
    assert found.largest_reversal is not None


def test_many_small_reversals_show_in_the_largest():
    scores = make_scores(families=["amplitude"], harm=lambda s: -0.03 * s.severity, clips=2)
    largest = check(scores)["amplitude"].largest_reversal
    assert (largest.better, largest.worse) == ("ground-truth", "static")


def test_p_values_are_corrected_over_all_curves():
    found = check(make_scores(families=["amplitude", "lag"], noise=0.2))
    steps = [step for curve in found.values() for step in curve.steps]
    assert [step.p_holm for step in steps] == adjust_holm([step.p for step in steps])


def test_nuisances_are_compared_with_the_ground_truth():
    scores = make_scores(families=["identity"])
    scores = with_errors(with_errors(scores, "identity-swap-1", 0.215), "identity-swap-2", 0.24)
    own = study(scores)
    rows = compare_with_truth(own, [measure_errors(scores, AV)], [1, 2])
    assert [row.difference.estimate for row in rows] == pytest.approx([1.5, 4])
    assert [row.within_tolerance for row in rows] == [True, False]
    assert [row.surely_within_tolerance for row in rows] == [True, False]


def test_noise_curves_start_clean_and_rise():
    scores = make_scores(snr=True)
    found = trace_noise(study(scores))
    assert list(found) == ["babble"]
    curves = {(c.modality, c.system): c for c in found["babble"].curves}
    assert ("av", "ground-truth") in curves
    assert ("av", "amplitude-0.4") not in curves
    truth = curves["av", "ground-truth"]
    assert [p.snr_db for p in truth.points] == [None, 5.0, -7.5, -15.0]
    assert truth.points[2].estimate == pytest.approx(20)
    assert truth.check.monotone
    assert set(truth.points[0].languages) == set(LANGUAGES)


def test_clips_needed_follow_the_textbook():
    scores = make_scores(families=["amplitude"], languages=("ita",), clips=4)
    rates = np.array([0.3, 0.5, 0.3, 0.5])
    scores = with_errors(scores, "amplitude-0.9", rates)
    found = separate(study(scores), measure_errors(scores, AV), 0, scores.index("amplitude-0.9"))
    spread = np.std(rates - 0.2, ddof=1)
    assert found.difference.estimate == pytest.approx(20)
    assert found.effect.estimate == pytest.approx(0.2 / spread)
    assert found.clips_needed == math.ceil((Z_TOTAL * spread / 0.2) ** 2) == 3
    back = separate(study(scores), measure_errors(scores, AV), scores.index("amplitude-0.9"), 0)
    assert back.clips_needed is None
    lone = make_scores(families=["amplitude"], clips=1)
    assert separate(study(lone), measure_errors(lone, AV), 0, 1).clips_needed is None


def test_the_number_of_clips_has_the_power_it_promises():
    """Tests on samples of that many clips find the difference in four of five."""
    scores = make_scores(families=["amplitude"], languages=("eng", "ita"), clips=400, noise=0.2, seed=1)
    low, high = 0, scores.index("amplitude-0.8")
    found = separate(study(scores, 100), measure_errors(scores, AV), low, high)
    assert 10 < found.clips_needed < 60
    assert found.clips_ci95[0] <= found.clips_needed <= found.clips_ci95[1]
    gaps = (scores.errors[AV][high] - scores.errors[AV][low]) / scores.lengths
    rng, hits = np.random.default_rng(0), 0
    each = round(found.clips_needed / 2)
    for _ in range(2000):
        halves = [rng.choice(gaps[i : i + 400], each) for i in (0, 400)]
        error = math.sqrt(sum(np.var(half, ddof=1) for half in halves) / each) / 2
        hits += abs(np.mean([half.mean() for half in halves])) > 1.96 * error
    assert 0.74 < hits / 2000 < 0.9


def test_the_condition_that_separates_best_is_found():
    scores = make_scores(snr=True, noise=0.1, clips=8)
    contrasts = default_contrasts(study(scores))
    assert contrasts == [("ground-truth", "amplitude-0.5"), ("ground-truth", "static")]
    found = compare_conditions(study(scores), contrasts)
    assert {row.condition for row in found.conditions} == {
        "av-clean",
        "av+5/babble",
        AV,
        "av-15/babble",
        "v",
    }
    assert all(row.condition in (AV, "av-15/babble") for row in found.best)
    for row in found.best:
        assert AV in row.not_separable_from_best
        assert "av-clean" not in row.not_separable_from_best
    assert [row.snr_db for row in found.by_snr][-1] == 5.0
    assert default_contrasts(study(make_scores())) == []


@settings(deadline=None)
@given(reference=PHONES, hypothesis=PHONES)
def test_alignments_are_minimal_and_complete(reference, hypothesis):
    pairs = align_phones(reference, hypothesis)
    assert [a for a, _ in pairs if a is not None] == reference
    assert [b for _, b in pairs if b is not None] == hypothesis
    assert sum(a != b for a, b in pairs) == count_edits(reference, hypothesis).errors


def test_alignments_prefer_partners_of_one_class():
    assert align_phones("ta", "da") == [("t", "d"), ("a", "a")]
    # Two edits either way: b stands for p, not for s.
    assert ("p", "b") in align_phones("sp", "b")
    assert ("p", "b") in align_phones("ps", "b")


def test_confusions_are_counted_by_class():
    found = count_confusions(["pat", "", "sa"], ["bad", "x", "sua"])
    at = {name: i for i, name in enumerate(found.rows)}
    assert found.counts[at["PP"], at["PP"]] == 1
    assert found.counts[at["DD"], at["DD"]] == 1
    assert found.counts[at["SS"], at["SS"]] == 1
    assert found.counts[at["added"], at["uw"]] == 1
    assert found.counts.sum() == 6
    assert (found.n_clips, found.n_skipped) == (2, 1)
    nothing = count_confusions(["pat"], [""])
    assert nothing.counts[:, -1].sum() == nothing.counts.sum() == 3
    assert "other" in count_confusions(["p!"], ["p"]).rows
    assert name_class("!") == "other"


def test_perfect_recognition_confuses_nothing():
    found = confuse_ground_truth(make_scores())
    assert found.largest == ()
    assert found.classes["PP"].right == 1.0
    assert found.classes["TH"].right is None
    with pytest.raises(UsageError, match="no recognized phones"):
        confuse_ground_truth(make_scores(), AV)


def test_fairness_names_the_extremes_and_what_goes_with_them():
    languages = ("ces", "deu", "eng", "fra", "ita", "spa")
    scores = make_scores(families=["amplitude"], languages=languages, snr=True)
    rates = 0.1 + 0.05 * np.repeat(np.arange(6), 6)
    scores = with_errors(scores, "ground-truth", rates)
    traits = {
        language: {"phones_per_second": float(i), "lexicon_size": 7.0} for i, language in enumerate(languages)
    }
    found = judge_fairness(study(scores), AV, traits)
    spread = found.spread["avlr"]
    assert (spread.lowest.language, spread.lowest.estimate) == ("ces", pytest.approx(10))
    assert (spread.highest.language, spread.highest.estimate) == ("spa", pytest.approx(35))
    assert spread.range.estimate == pytest.approx(25)
    # No clip differs from another of its language: all of the spread is real.
    assert spread.spread_beyond_chance == pytest.approx(spread.standard_deviation)
    assert found.languages["ces"].gain_over_static.estimate == pytest.approx(70)
    assert found.languages["ces"].gain_over_sound.estimate == pytest.approx(60)
    rows = {(row.score, row.trait): row for row in found.correlates}
    assert rows["avlr", "phones_per_second"].spearman == pytest.approx(1)
    assert rows["avlr", "phones_per_second"].p < 0.01  # 2 / 6! and the draws' own step
    assert rows["avlr", "lexicon_size"].spearman == 0
    assert rows["avlr", "lexicon_size"].p == 1


def test_chance_alone_is_no_spread():
    scores = make_scores(families=["amplitude"], noise=0.1, clips=30, seed=4)
    spread = judge_fairness(study(scores), AV).spread["avlr"]
    assert spread.standard_deviation > 0
    assert spread.spread_beyond_chance < 1.5
    assert judge_fairness(study(replace(scores, facts={})), AV).correlates == ()
