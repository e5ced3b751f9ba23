"""Orders: ranks, exact permutation tests, correlations at both levels, pairwise accuracy."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meta_samples import AV, harm_of, make_scores, with_errors
from scipy import stats

from mtbench.errors import UsageError
from mtbench.meta.correlation import correlate, order_chains
from mtbench.meta.estimates import (
    bootstrap_scores,
    default_measures,
    headline_condition,
    measure_bits,
    measure_errors,
    measure_geometry,
)
from mtbench.meta.pairwise import measure_accuracy
from mtbench.statistics import (
    average_ranks,
    bootstrap_sums,
    count_orders,
    exact_p,
    kendall_features,
    spearman_features,
    split_halves,
)

SMALL = st.lists(st.integers(0, 5), min_size=3, max_size=8)


def study(scores, replicates=200):
    return bootstrap_scores(scores, replicates=replicates)


def avlr(scores):
    return measure_errors(scores, AV)


@settings(deadline=None)
@given(values=SMALL)
def test_ranks_are_scipys(values):
    assert average_ranks(np.array(values, float)).tolist() == stats.rankdata(values).tolist()


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=9))
def test_features_multiply_to_the_textbook_coefficients(pairs):
    x, y = (np.array(v, float) for v in zip(*pairs, strict=True))
    rho, tau = spearman_features(x) @ spearman_features(y), kendall_features(x) @ kendall_features(y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert rho == tau == 0
    else:
        assert rho == pytest.approx(stats.spearmanr(x, y).statistic)
        assert tau == pytest.approx(stats.kendalltau(x, y).statistic)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_orders_are_counted_as_by_trying_all(data):
    n = data.draw(st.integers(1, 6))
    a = np.array(data.draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)))
    b = np.array(data.draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)))
    tried = [int(np.dot(a, b[list(order)])) for order in itertools.permutations(range(n))]
    sums, counts = count_orders(a, b)
    assert dict(zip(sums.tolist(), counts.tolist(), strict=True)) == {s: tried.count(s) for s in set(tried)}


def brute_p(strata):
    found = [
        [
            stats.spearmanr(x, np.array(y)[list(order)]).statistic
            for order in itertools.permutations(range(len(y)))
        ]
        for x, y in strata
    ]
    means = [sum(c) for c in itertools.product(*found)]
    observed = sum(stats.spearmanr(x, y).statistic for x, y in strata)
    return np.mean([m >= observed - 1e-9 for m in means])


@pytest.mark.parametrize(
    "scores",
    [
        ([1, 3, 2], [1, 2, 4, 3]),
        ([3, 2, 1], [1, 4, 3, 2]),
        ([1, 2, 3], [4, 3, 2, 1]),
    ],
)
def test_exact_p_is_the_share_of_all_orders(scores):
    strata = [(np.arange(float(len(y))), np.array(y, float)) for y in scores]
    assert exact_p(strata) == pytest.approx(brute_p(strata), abs=1e-12)


def test_exact_p_with_ties_is_never_too_small():
    strata = [(np.arange(4.0), np.array([1.0, 1.0, 2.0, 3.0])), (np.arange(3.0), np.array([1.0, 2.0, 2.0]))]
    assert exact_p(strata) == pytest.approx(brute_p(strata), abs=1e-9)


def test_perfect_orders_have_the_smallest_p_there_is():
    strata = [(np.arange(float(n)), np.arange(float(n))) for n in (9, 7, 5)]
    assert exact_p(strata) * math.factorial(9) * math.factorial(7) * math.factorial(5) == pytest.approx(1)
    assert exact_p([(np.arange(13.0), np.arange(13.0))]) is None
    assert exact_p(strata, anchored=True) * math.factorial(8) * math.factorial(6) * math.factorial(4) == (
        pytest.approx(1)
    )


def test_p_holds_its_level_though_all_families_share_the_ground_truth():
    """Scores without any order: p below 0.1 in one of ten draws, not more; unanchored it is far more."""
    rng = np.random.default_rng(0)
    anchored, free = [], []
    for _ in range(300):
        truth = rng.standard_normal()
        strata = [(np.arange(5.0), np.array([truth, *rng.standard_normal(4)])) for _ in range(6)]
        anchored.append(exact_p(strata, anchored=True))
        free.append(exact_p(strata))
    assert 0.06 < np.mean(np.array(anchored) < 0.1) < 0.14
    assert np.mean(np.array(free) < 0.1) > 0.15


def test_chains_hold_what_is_known_and_nothing_else():
    scores = make_scores()
    chains = {c.name: c for c in order_chains(scores.systems, np.ones(len(scores.systems), bool))}
    assert {"amplitude", "lag", "lead", "ladder", "low-pass"} <= set(chains)
    assert not {"identity", "upper-face-noise", "head-turn", "shuffled", "ground-truth"} & set(chains)
    names = [scores.systems[row].name for row in chains["amplitude"].rows]
    assert names[0] == "ground-truth"
    assert names[-1] == "static"
    assert (np.diff(chains["lead"].severity) > 0).all()


@pytest.mark.parametrize("statistic", ["spearman", "kendall"])
@pytest.mark.parametrize("level", ["system", "clip"])
def test_a_perfect_metric_reaches_one_and_a_wrong_one_minus_one(level, statistic):
    right = make_scores()
    wrong = make_scores(harm=lambda system: 1 - harm_of(system))
    found = correlate(study(right), avlr(right), level=level, statistic=statistic)
    assert found.estimate == pytest.approx(1)
    assert found.ci95 == pytest.approx((1, 1))
    assert found.p < 1e-3
    assert found.families["ladder"].n_systems == 9
    against = correlate(study(wrong), avlr(wrong), level=level, statistic=statistic)
    assert against.estimate == pytest.approx(-1)
    assert against.p > 0.99


def test_families_count_alike_however_many_levels_they_have():
    """One family of nine is upside down, two are right: (−1 + 1 + 1) / 3."""
    scores = make_scores(
        families=["amplitude", "missed-closures", "frame-drops"],
        harm=lambda s: 1 - harm_of(s) if s.family == "amplitude" else 1 + harm_of(s),
    )
    scores = with_errors(scores, "ground-truth", 0.95)
    scores = with_errors(scores, "ground-truth", 0.75)
    found = correlate(study(scores), avlr(scores))
    # The ground truth (0.75) lies above every amplitude and below everything else.
    assert found.families["amplitude"].estimate == pytest.approx(-1)
    assert found.estimate == pytest.approx(1 / 3)
    assert found.p_method == "exact"


def test_constant_scores_count_as_nothing_and_are_counted():
    scores = make_scores(families=["amplitude", "lag"])
    measure = measure_geometry(scores, "fdd_abs_m2")
    system = correlate(study(scores), measure)
    clip = correlate(study(scores), measure, level="clip")
    assert system.estimate == clip.estimate == 0
    assert (system.n_constant, clip.n_constant) == (2, 2 * len(scores.clips))
    assert system.p == clip.p == 1.0


def test_clips_disagree_where_systems_agree():
    scores = make_scores(noise=0.6, clips=30, seed=3)
    by_system = correlate(study(scores), avlr(scores))
    by_clip = correlate(study(scores), avlr(scores), level="clip")
    assert by_system.estimate > 0.9
    assert 0.2 < by_clip.estimate < 0.6
    assert by_system.ci95[0] <= by_system.estimate <= by_system.ci95[1]
    # Clip level is the plain mean over families of means over clips.
    per_clip, means = avlr(scores).per_item, []
    for chain in order_chains(scores.systems, avlr(scores).scored):
        rhos = [
            stats.spearmanr(chain.severity, per_clip[chain.rows, c]).statistic
            for c in range(len(scores.clips))
        ]
        means.append(np.mean(rhos))
    assert by_clip.estimate == pytest.approx(np.mean(means))


def test_random_scores_are_not_significant():
    scores = make_scores(harm=lambda system: 0.0, noise=0.1, seed=5)
    found = correlate(study(scores), avlr(scores))
    assert abs(found.estimate) < 0.5
    assert found.p > 0.01
    assert abs(correlate(study(scores), avlr(scores), level="clip").estimate) < 0.15


def test_a_system_with_a_hole_is_left_out_as_a_whole_and_listed():
    scores = make_scores(families=["amplitude"])
    geometry = {name: array.copy() for name, array in scores.geometry.items()}
    geometry["lve_mm"][scores.index("amplitude-0.7"), 3] = np.nan
    found = correlate(study(scores), measure_geometry(replace(scores, geometry=geometry), "lve_mm"))
    assert found.missing == ("amplitude-0.7",)
    assert found.families["amplitude"].n_systems == 8
    assert found.n_clips == len(scores.clips)
    # A clip that nobody has a value for leaves for all.
    geometry["lve_mm"][:, 3] = np.nan
    found = correlate(study(scores), measure_geometry(replace(scores, geometry=geometry), "lve_mm"))
    assert (found.missing, found.n_clips) == ((), len(scores.clips) - 1)


def test_scores_are_means_over_languages_of_ratios_of_sums():
    scores = make_scores(families=["amplitude"], languages=("eng", "ita"), clips=2)
    scores = replace(scores, lengths=np.array([10.0, 30.0, 5.0, 5.0]))
    errors = {**scores.errors, AV: np.zeros_like(scores.errors[AV])}
    errors[AV][0] = [1, 9, 5, 0]
    scores = replace(scores, errors=errors)
    assert study(scores).estimate(avlr(scores))[0] == pytest.approx(100 * (10 / 40 + 5 / 10) / 2)


def test_draws_are_those_of_every_other_interval():
    scores = make_scores(families=["amplitude"], noise=0.2)
    own, measure = study(scores, 50), avlr(scores)
    members = own.members("ita")
    values = np.column_stack([measure.values[0, members], measure.lengths[members]])
    sums = bootstrap_sums(values, [scores.clips[i] for i in members], replicates=50, name="ita")
    assert own.resample(measure, "ita")[:, 0] == pytest.approx(sums[:, 0] / sums[:, 1])


def test_clips_of_one_source_are_drawn_together():
    scores = make_scores(families=["amplitude"], clips=4)
    sources = [f"{language}-{i // 2}" for language in ("ces", "eng", "ita", "jpn") for i in range(4)]
    weights = study(replace(scores, facts={"sources": sources})).weights
    assert (weights[:, 0::2] == weights[:, 1::2]).all()
    one = make_scores(families=["amplitude"], clips=1)
    assert study(one).weights is None
    assert correlate(study(one), avlr(one)).ci95 is None


def test_the_headline_is_the_condition_that_most_systems_have():
    scores = make_scores(snr=True)
    assert headline_condition(scores) == AV
    assert [m.name for m in default_measures(scores)][:4] == ["avlr", "avlr_phones", "vsr", "vsr_phones"]
    silent = replace(scores, conditions=("v",), errors={"v": scores.errors["v"]},
                     phone_errors={"v": scores.phone_errors["v"]},
                     log_probabilities={"v": scores.log_probabilities["v"]},
                     others={"v": scores.others["v"]})  # fmt: skip
    with pytest.raises(UsageError, match="no audio-visual condition"):
        headline_condition(silent)
    for measure in (measure_errors, measure_bits):
        with pytest.raises(UsageError, match="was not run"):
            measure(scores, "av-3/babble")


@pytest.mark.parametrize("level", ["system", "clip"])
def test_pairwise_accuracy_needs_ties_to_be_seen(level):
    scores = make_scores(families=["amplitude", "identity", "upper-face-noise"])
    found = measure_accuracy(study(scores), avlr(scores), level=level)
    assert found.estimate == pytest.approx(1)
    assert (found.n_pairs, found.n_ties) == (9 * 8 // 2, 5)
    # Nuisances that move by a point: epsilon must grow to a point, well below the steps of amplitude (7.5).
    moved = with_errors(with_errors(scores, "identity-swap-1", 0.21), "upper-face-noise-3mm", 0.19)
    found = measure_accuracy(study(moved), avlr(moved), level=level)
    assert found.estimate == pytest.approx(1)
    assert found.epsilon == pytest.approx((1, 1))
    # One step of two that are equal is one wrong pair of 36, in one of two families.
    flat = with_errors(scores, "amplitude-0.8", 0.275)
    assert measure_accuracy(study(flat), avlr(flat), level=level).estimate == pytest.approx(1 - 1 / 72)


def test_epsilon_is_judged_on_the_other_half():
    """A nuisance that moves only in one half: the other half's epsilon (0) does not cover it."""
    scores = make_scores(families=["amplitude", "identity"])
    first, second = split_halves(study(scores))
    assert (first ^ second).all()
    for language in scores.languages:
        assert first[[code == language for code in scores.languages]].sum() == 3
    moved = with_errors(scores, "identity-swap-1", np.where(first, 0.21, 0.2))
    found = measure_accuracy(study(moved), avlr(moved))
    assert found.epsilon == pytest.approx((1, 0))
    # Second half judged with epsilon 1: right. First half judged with 0: one of two ties is wrong.
    assert found.families["nuisances"] == pytest.approx((1 + 0.5) / 2)


def test_without_nuisances_nothing_is_a_tie():
    scores = make_scores(families=["amplitude"])
    found = measure_accuracy(study(scores), avlr(scores))
    assert (found.epsilon, found.n_ties, found.estimate) == ((0, 0), 0, pytest.approx(1))
    alone = make_scores(families=["head-turn"])
    assert measure_accuracy(study(alone), avlr(alone)) is None


def test_bits_order_systems_by_what_they_lose_against_the_true_face():
    scores = make_scores(families=["amplitude"])
    measure = measure_bits(scores, AV)
    truth = scores.index("ground-truth")
    assert np.array_equal(measure.values[truth], np.zeros(len(scores.clips)))
    told = scores.log_probabilities[AV]
    assert np.allclose(measure.values, (told[truth] - told) / np.log(2))
    assert (measure.name, measure.unit) == ("readability_bits", "bits")
    assert measure_bits(scores, "v").name == "vsr_bits"
    silent = replace(scores, log_probabilities={k: v * np.nan for k, v in told_all(scores)})
    assert not measure_bits(silent, AV).scored.any()
    assert [m.name for m in default_measures(silent)][4:5] == ["lve_mm"]


def told_all(scores):
    return scores.log_probabilities.items()
