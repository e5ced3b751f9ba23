"""Bootstrap, randomisation, Holm, ranks: definitions, determinism, coverage."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mtbench.statistics import (
    Chain,
    ClusterBootstrap,
    adjust_holm,
    associate_ranks,
    bootstrap_sums,
    collect_pairs,
    collect_ratios,
    correlate_chains,
    derive_generator,
    draw_cluster_counts,
    measure_pairs,
    paired_randomization,
    percentile_interval,
    rank_by_significance,
    rank_intervals,
    sum_by_cluster,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(n=st.integers(1, 30), seed=st.integers(0, 1000))
def test_counts_are_whole_and_sum_to_the_number_of_clusters(n, seed):
    counts = draw_cluster_counts(n, 50, derive_generator(seed, "x"))
    assert counts.shape == (50, n)
    assert (counts.sum(axis=1) == n).all()
    assert (counts == np.round(counts)).all()
    assert (counts >= 0).all()


def test_draws_are_uniform():
    counts = draw_cluster_counts(7, 20_000, derive_generator(0, "uniform"))
    expected = 20_000.0
    chi2 = (((counts.sum(axis=0) - expected) ** 2) / expected).sum()
    assert chi2 < 22.5  # 99.9 % point for 6 degrees of freedom


def test_the_stream_is_pinned():
    """Intervals in published results depend on these draws: they must never change."""
    assert (
        draw_cluster_counts(5, 3, derive_generator(12345, "bootstrap", "ita")).astype(int).tolist() == PINNED
    )
    assert (
        bootstrap_sums(np.arange(5.0)[:, None], list("abcde"), replicates=4, name="ita")[:, 0].tolist()
        == SUMS
    )


PINNED = [[0, 1, 0, 2, 2], [1, 0, 0, 3, 1], [0, 0, 1, 1, 3]]
SUMS = [11.0, 11.0, 12.0, 9.0]


@settings(max_examples=50)
@given(
    values=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=2, max_size=12),
    data=st.data(),
)
def test_bootstrap_equals_a_loop(values, data):
    array = np.array(values, dtype=float)
    clusters = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(values), max_size=len(values)))
    samples = bootstrap_sums(array, clusters, replicates=20, seed=3, name="x")
    names = sorted(set(clusters))
    if len(names) < 2:
        assert samples is None
        return
    counts = draw_cluster_counts(len(names), 20, derive_generator(3, "bootstrap", "x", *names))
    for b in range(20):
        rows = [
            array[i]
            for c, name in enumerate(names)
            for i in range(len(values))
            if clusters[i] == name
            for _ in range(int(counts[b, c]))
        ]
        assert samples[b].tolist() == np.sum(rows, axis=0).tolist()


@given(data=st.data())
def test_order_of_clips_does_not_matter(data):
    values = np.array(data.draw(st.lists(st.integers(0, 50), min_size=2, max_size=8)), dtype=float)[:, None]
    clusters = [f"s{i // 2}" for i in range(len(values))]
    order = data.draw(st.permutations(range(len(values))))
    a = bootstrap_sums(values, clusters, replicates=30)
    b = bootstrap_sums(values[list(order)], [clusters[i] for i in order], replicates=30)
    assert (a is None and b is None) or np.array_equal(a, b)


def test_names_and_seeds_draw_independently():
    values, clusters = np.arange(6.0)[:, None], list("abcdef")
    base = bootstrap_sums(values, clusters, replicates=50, seed=1, name="ita")
    assert np.array_equal(base, bootstrap_sums(values, clusters, replicates=50, seed=1, name="ita"))
    assert not np.array_equal(base, bootstrap_sums(values, clusters, replicates=50, seed=2, name="ita"))
    assert not np.array_equal(base, bootstrap_sums(values, clusters, replicates=50, seed=1, name="fra"))


def test_clusters_stay_together():
    """Doubling every clip of a source must not narrow the interval."""
    rng = np.random.default_rng(0)
    errors = rng.integers(0, 10, 12).astype(float)
    values = np.column_stack([errors, np.full(12, 10.0)])
    sources = [f"s{i}" for i in range(12)]
    once = bootstrap_sums(values, sources)
    twice = bootstrap_sums(np.repeat(values, 2, axis=0), [s for s in sources for _ in range(2)])
    ratio = [s[:, 0] / s[:, 1] for s in (once, twice)]
    assert percentile_interval(ratio[0]) == percentile_interval(ratio[1])


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        difficulty = rng.beta(4, 8, 40)
        errors = rng.binomial(10, difficulty).astype(float)
        values = np.column_stack([errors, np.full(40, 10.0)])
        samples = bootstrap_sums(values, [str(i) for i in range(40)], replicates=400, seed=trial)
        low, high = percentile_interval(samples[:, 0] / samples[:, 1])
        hits += low <= 4 / 12 <= high
    assert 0.90 <= hits / 300 <= 0.985


def test_percentile_interval_needs_values():
    assert percentile_interval(np.full(100, np.nan)) is None
    assert percentile_interval(np.array([1.0] * 99 + [np.nan])) == (1.0, 1.0)
    assert percentile_interval(np.array([1.0] * 90 + [np.nan] * 10)) is None
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


def exact_p(differences):
    observed = abs(sum(differences))
    totals = [
        abs(sum(s * d for s, d in zip(signs, differences)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(t >= observed - 1e-9 for t in totals) / len(totals)


@settings(max_examples=40, deadline=None)
@given(differences=st.lists(st.integers(-5, 5), min_size=1, max_size=8))
def test_randomisation_approaches_the_exact_test(differences):
    p = paired_randomization(np.array(differences, dtype=float), trials=20_000)
    assert p == pytest.approx(exact_p(differences), abs=0.02)
    assert 0 < p <= 1


@given(differences=st.lists(st.floats(-10, 10), max_size=100))
def test_randomisation_is_symmetric_and_bounded(differences):
    d = np.array(differences)
    p = paired_randomization(d, trials=200)
    assert 1 / 201 <= p <= 1
    assert p == paired_randomization(d, trials=200)
    assert paired_randomization(-d, trials=200) == p


def test_randomisation_uses_every_cluster_beyond_sixty_four():
    d = np.zeros(200)
    d[150:] = 1.0
    assert paired_randomization(d, trials=1000) == 1 / 1001
    assert paired_randomization(np.zeros(0)) == 1.0


def test_no_difference_is_rarely_significant():
    rng = np.random.default_rng(2)
    p = [paired_randomization(rng.standard_normal(20), trials=500, seed=i) for i in range(400)]
    assert np.mean(np.array(p) < 0.05) < 0.09
    assert 0.4 < np.mean(p) < 0.6


@given(p=P_VALUES)
def test_holm(p):
    adjusted = adjust_holm(p)
    n = len(p)
    order = np.argsort(p, kind="stable")
    assert all(a >= q for a, q in zip(adjusted, p, strict=True))
    assert all(
        a <= min(1.0, n * q) + 1e-15 for a, q in zip(adjusted, p, strict=True)
    )  # never worse than Bonferroni
    assert all(adjusted[i] <= adjusted[j] for i, j in itertools.pairwise(order))
    # Step-down by definition: reject while p_(k) <= alpha / (n - k).
    rejected = True
    for k, i in enumerate(order):
        rejected = rejected and (n - k) * p[i] <= 0.05
        assert (adjusted[i] <= 0.05) == rejected


def test_ranks_share_places_that_nothing_separates():
    p = np.ones((4, 4))
    p[0, 3] = p[3, 0] = p[1, 3] = p[3, 1] = 0.01
    assert rank_by_significance([10, 11, 12, 13], p, higher_is_better=False) == [1, 1, 1, 3]
    assert rank_by_significance([10, 11, 12, 13], p, higher_is_better=True) == [2, 2, 1, 1]
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        rank_by_significance([1, 2], np.ones((3, 3)), higher_is_better=True)


def test_rank_intervals_follow_the_replicates():
    rng = np.random.default_rng(0)
    samples = np.column_stack([rng.normal(0, 1, 2000), rng.normal(0.1, 1, 2000), rng.normal(20, 1, 2000)])
    assert rank_intervals(samples, higher_is_better=True) == [(2, 3), (2, 3), (1, 1)]
    assert rank_intervals(samples, higher_is_better=False) == [(1, 2), (1, 2), (3, 3)]


def test_sum_by_cluster_keeps_totals():
    values = np.arange(12.0).reshape(6, 2)
    sums, names = sum_by_cluster(values, list("bacbac"))
    assert names == ["a", "b", "c"]
    assert sums.sum(axis=0).tolist() == values.sum(axis=0).tolist()


def judgements():
    """Ratings of four clips' faces by six people each, in two countries: three candidates, worse and worse."""
    rng = np.random.default_rng(3)
    ratings = np.array([[1.0], [3.0], [4.0]]) + 0.1 * rng.standard_normal((3, 12))
    people = ClusterBootstrap(("de",) * 6 + ("it",) * 6, tuple("aabbccddeeff"), replicates=100)
    return ratings, people


def test_ratios_are_means_over_strata_and_their_replicates_are_those_of_the_bootstrap():
    ratings, people = judgements()
    lengths = np.array([1.0] * 6 + [2.0] * 6)
    ratios = collect_ratios(ratings, lengths)
    halves = [ratings[:, :6].sum(axis=1) / 6, ratings[:, 6:].sum(axis=1) / 12]
    assert people.estimate(ratios) == pytest.approx(np.mean(halves, axis=0))
    assert people.estimate(ratios, "it") == pytest.approx(halves[1])
    sums = bootstrap_sums(
        np.column_stack([ratings[1, 6:], lengths[6:]]), people.clusters[6:], replicates=100, name="it"
    )
    assert people.resample(ratios, "it")[:, 1] == pytest.approx(sums[:, 0] / sums[:, 1])
    shares = people.contributions(ratios, 2, 0)
    assert len(shares) == 6
    assert shares.sum() == pytest.approx(np.diff(people.estimate(ratios)[[0, 2]])[0])


def test_an_item_without_values_leaves_for_all_and_a_candidate_with_a_hole_is_not_scored():
    values = np.array([[1.0, np.nan, 3.0], [1.0, np.nan, np.nan]])
    found = collect_ratios(values, np.ones(3))
    assert found.usable.tolist() == [True, False, True]
    assert found.scored.tolist() == [True, False]
    people = ClusterBootstrap(("x",) * 3, tuple("abc"), replicates=10)
    assert people.estimate(found)[0] == 2
    assert np.isnan(people.estimate(found)[1])
    assert ClusterBootstrap(("x", "x", "y"), tuple("abc")).weights is None


def test_orders_and_pairs_are_judged_from_numbers_alone():
    ratings, people = judgements()
    ratios = collect_ratios(ratings, np.ones(12))
    chain = Chain("worse and worse", np.arange(3), np.arange(3.0))
    for level in ("system", "clip"):
        for statistic in ("spearman", "kendall"):
            found = correlate_chains(people, ratios, [chain], level=level, statistic=statistic, trials=200)
            assert found.value.estimate == pytest.approx(1)
            assert found.exact == ((level, statistic) == ("system", "spearman"))
        pairs = collect_pairs({"order": [(0, 1), (1, 2), (2, 0)]}, {})
        assert measure_pairs(people, ratios, pairs, level=level).value.estimate == pytest.approx(2 / 3)
    assert correlate_chains(people, ratios, [chain]).p == pytest.approx(1 / 6)
    with pytest.raises(ValueError, match="level"):
        correlate_chains(people, ratios, [chain], level="person")


@settings(max_examples=20, deadline=None)
@given(y=st.permutations(range(5)))
def test_association_has_the_p_value_of_all_orders(y):
    x, y = np.arange(5.0), np.array(y, dtype=float)
    found = associate_ranks(x, y, trials=20_000)
    tried = [abs(stats.spearmanr(x, order).statistic) for order in itertools.permutations(y)]
    assert found.correlation == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.p == pytest.approx(np.mean(np.array(tried) >= abs(found.correlation) - 1e-9), abs=0.02)
