"""Correlations at named levels, accuracy with ties, and tests of metric against metric: oracles and known truths."""

from __future__ import annotations

import itertools
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from mtbench.statistics import (
    LEVELS,
    Scores,
    associate,
    cluster_metrics,
    measure_tie_accuracy,
    paired_randomization,
    permute_both,
    soft_accuracy,
    swap_p_values,
)

SCIPY = {"spearman": stats.spearmanr, "kendall": stats.kendalltau, "pearson": stats.pearsonr}


def both_sides(rng, s=5, n=30, digits=1):
    """Return a metric's and people's scores of S systems on N clips, with ties."""
    true = rng.normal(size=(s, 1))
    return tuple(np.round(true + rng.normal(size=(s, n)), digits) for _ in range(2))


def redraw(rng, n, replicates=400):
    return rng.multinomial(n, [1 / n] * n, size=replicates).astype(float)


def as_scores(side, weights):
    return Scores(side.mean(axis=1), weights @ side.T / side.shape[1], side)


def by_hand(statistic, level, x, y):
    tell = SCIPY[statistic]
    if level == "system":
        return tell(x.mean(axis=1), y.mean(axis=1))[0]
    if level == "clip":
        return np.mean([tell(x[:, i], y[:, i])[0] for i in range(x.shape[1])])
    return tell(x.ravel(), y.ravel())[0]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("statistic", SCIPY)
def test_correlations_and_p_values_are_scipys_at_every_level(statistic, level):
    rng = np.random.default_rng(1)
    x, y = both_sides(rng, n=12)
    weights = redraw(rng, 12)
    found = associate(
        as_scores(x, weights), as_scores(y, weights), weights, statistic=statistic, level=level, clusters=12
    )
    assert found.value.estimate == pytest.approx(by_hand(statistic, level, x, y))
    null = [by_hand(statistic, level, x, y[list(o)]) for o in itertools.permutations(range(5))]
    assert found.p == pytest.approx(np.mean(np.abs(null) >= abs(found.value.estimate) - 1e-9))
    assert (found.p_method, found.n_systems, found.n_items) == ("exact", 5, 12)
    if level != "system":
        drawn = np.repeat(np.arange(12), weights[3].astype(int))
        assert found.samples[3] == pytest.approx(by_hand(statistic, level, x[:, drawn], y[:, drawn]))
    low, high = found.value.ci95
    assert -1 - 1e-9 <= low <= found.value.estimate <= high <= 1 + 1e-9


def test_many_systems_are_drawn_and_p_is_near_scipys():
    rng = np.random.default_rng(2)
    x, y = both_sides(rng, s=20, n=4, digits=6)
    found = associate(Scores(x.mean(axis=1)), Scores(y.mean(axis=1)), None)
    assert found.p_method == "10000 draws"
    assert found.p == pytest.approx(stats.spearmanr(x.mean(axis=1), y.mean(axis=1)).pvalue, abs=0.02)
    assert found.value.ci95 is None


def test_three_systems_get_no_p_value_and_are_told_why():
    found = associate(Scores(np.array([1.0, 2, 3])), Scores(np.array([2.0, 4, 9])), None)
    assert found.value.estimate == pytest.approx(1)
    assert found.p is None
    assert "four are the least" in found.reason
    possible = {
        round(associate(Scores(np.arange(3.0)), Scores(np.array(o, float)), None).value.estimate, 9)
        for o in itertools.permutations(range(3))
    }
    assert possible == {-1, -0.5, 0.5, 1}  # 0.55, 0.46 and 0.43 cannot be correlations of three systems


def test_clips_without_order_or_scores_are_left_out_and_counted():
    x, y = np.arange(16.0).reshape(4, 4), np.arange(16.0).reshape(4, 4)
    x[:, 0] = 7
    y[:, 1] = 2
    y[2, 2] = np.nan
    found = associate(Scores(x.mean(axis=1), None, x), Scores(np.arange(4.0), None, y), None, level="clip")
    assert (found.n_items, found.n_constant, found.n_incomplete) == (1, 2, 1)
    assert found.value.estimate == pytest.approx(1)
    x[:, 3] = 1
    nothing = associate(Scores(x[:, 2], None, x), Scores(np.arange(4.0), None, y), None, level="clip")
    assert nothing.value.estimate is None
    assert "no clip" in nothing.reason
    assert "clip by clip" in associate(Scores(x[:, 2]), Scores(x[:, 2]), None, level="pooled").reason
    constant = associate(Scores(np.ones(5)), Scores(np.arange(5.0)), None)
    assert constant.value.estimate is None
    assert constant.p is None
    with pytest.raises(ValueError, match="level"):
        associate(Scores(x[:, 2]), Scores(x[:, 2]), None, level="item")


def cover(level, statistic, runs, seed, s=8, n=40, noise=1.5):
    """Return how often the interval holds the correlation of true scores; systems are drawn anew in every run."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(runs):
        agree = rng.uniform(-1, 1)
        base = rng.normal(size=s)
        people = agree * base + np.sqrt(1 - agree**2) * rng.normal(size=s)

        def draw(k, base=base, people=people):
            clip, both = rng.normal(size=(2, 1, k)), rng.normal(size=(s, k))
            first = base[:, None] + clip[0] + noise * (rng.normal(size=(s, k)) + 0.6 * both)
            return first, people[:, None] + clip[1] / 2 + noise * (rng.normal(size=(s, k)) + 0.6 * both)

        if level == "system":
            truth = SCIPY[statistic](base, people)[0]
        else:
            truth = associate(
                Scores(base, None, (many := draw(1500))[0]),
                Scores(people, None, many[1]),
                None,
                statistic=statistic,
                level=level,
            ).value.estimate
        x, y = draw(n)
        weights = redraw(rng, n)
        sides = as_scores(x, weights), as_scores(y, weights)
        low, high = associate(*sides, weights, statistic=statistic, level=level, clusters=n).value.ci95
        hits += low - 1e-9 <= truth <= high + 1e-9
    return hits / runs


@pytest.mark.parametrize("level", LEVELS)
def test_intervals_of_correlations_hold_the_truth(level):
    assert 0.88 <= cover(level, "pearson", 40, 3, s=5, n=30) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("statistic", ["pearson", "spearman"])
def test_intervals_of_correlations_hold_the_truth_in_a_thousand_studies(statistic, level):
    # Ranks of eight systems take few values: their intervals may hold more than they promise.
    most = 0.995 if (statistic, level) == ("spearman", "system") else 0.97
    # Of Pearson's correlation of systems it is 92.5 %, which docs/people.md says.
    least = 0.91 if (statistic, level) == ("pearson", "system") else 0.93
    assert least <= cover(level, statistic, 1000, 4) <= most


def accuracy_by_hand(x, y, judged, epsilon):
    right = []
    for i in judged:
        for a, b in combinations(range(len(x)), 2):
            gap, said = x[a, i] - x[b, i], np.sign(y[a, i] - y[b, i])
            right.append(abs(gap) <= epsilon if said == 0 else gap * said > epsilon)
    return np.mean(right)


def test_accuracy_with_ties_is_counted_on_the_other_half():
    rng = np.random.default_rng(5)
    x, y = both_sides(rng, n=16)
    y = np.round(y)
    names = [f"c{i:02d}" for i in range(16)]
    weights = redraw(rng, 16)
    found = measure_tie_accuracy(x, y, names, weights)
    halves = [range(0, 16, 2), range(1, 16, 2)]
    parts = [accuracy_by_hand(x, y, halves[1 - k], found.epsilon[k]) for k in range(2)]
    assert found.value.estimate == pytest.approx(np.mean(parts))
    for k in range(2):
        best = accuracy_by_hand(x, y, halves[k], found.epsilon[k])
        tried = [accuracy_by_hand(x, y, halves[k], e) for e in np.linspace(0, 6, 61)]
        assert best >= max(tried) - 1e-12
    assert found.n_pairs == 160
    assert found.n_ties == sum(y[a, i] == y[b, i] for i in range(16) for a, b in combinations(range(5), 2))
    low, high = found.value.ci95
    assert low < found.value.estimate < high
    y[:, 0] = np.nan
    assert measure_tie_accuracy(x, y, names).n_pairs == 150


def test_swaps_give_the_p_values_of_all_swaps_and_soft_accuracy_compares_them():
    values = np.array([[3.0, 1, 2, 4, 2], [1, 1, 3, 0, 2], [0, 2, 1, 1, 1]])
    found = swap_p_values(values, trials=20_000)
    for p, (a, b) in zip(found, combinations(range(3), 2), strict=True):
        d = values[a] - values[b]
        totals = np.array([np.dot(s, d) for s in itertools.product((-1, 1), repeat=5)])
        exact = np.mean(totals > d.sum()) + np.mean(totals == d.sum()) / 2
        assert p == pytest.approx(exact, abs=0.015)
    assert soft_accuracy(found, found) == 1
    assert soft_accuracy(found, 1 - found) == pytest.approx(1 - np.mean(np.abs(2 * found - 1)))


def slow_permutation(a, b, people, clusters, statistic, level, trials, seed):
    """PERM-BOTH as it is told, one swap after the other."""
    rng = np.random.default_rng(seed)
    ranked = level == "pooled" and statistic == "spearman"
    sides = [stats.rankdata(s).reshape(s.shape) if ranked else s for s in (a, b)]
    a, b = ((s - s.mean()) / s.std() for s in sides)
    tell = "pearson" if ranked else statistic
    if ranked:
        people = stats.rankdata(people).reshape(people.shape)

    def gap(x, y):
        return by_hand(tell, level, x, people) - by_hand(tell, level, y, people)

    observed, names = gap(a, b), sorted(set(clusters))
    place = np.array([names.index(c) for c in clusters])
    null = []
    for _ in range(trials):
        mask = rng.random((len(a), len(names))) < 0.5
        null.append(gap(np.where(mask[:, place], b, a), np.where(mask[:, place], a, b)))
    return observed, np.mean(np.array(null) >= observed - 1e-9)


@pytest.mark.parametrize(
    ("statistic", "level"),
    [(s, level) for s in SCIPY for level in LEVELS if (s, level) != ("kendall", "pooled")],
)
def test_metric_against_metric_is_perm_both(statistic, level):
    rng = np.random.default_rng(6)
    people, a = both_sides(rng, n=8, digits=6)
    b = rng.normal(size=a.shape)
    clusters = [f"s{i // 2}" for i in range(8)]
    gap, p = permute_both(a, b, people, clusters, statistic=statistic, level=level, trials=3000)
    slow_gap, slow_p = slow_permutation(a, b, people, clusters, statistic, level, 400, 7)
    assert gap == pytest.approx(slow_gap)
    assert p == pytest.approx(slow_p, abs=0.08)


def test_metric_against_metric_for_many_systems_is_the_same_computed_otherwise():
    rng = np.random.default_rng(8)
    people, a = both_sides(rng, s=9, n=6, digits=6)
    b = a + 0.3 * rng.normal(size=a.shape)
    gap, p = permute_both(a, b, people, list("abcdef"), trials=300)
    slow_gap, slow_p = slow_permutation(a, b, people, list("abcdef"), "spearman", "clip", 200, 9)
    assert gap == pytest.approx(slow_gap)
    assert p == pytest.approx(slow_p, abs=0.12)
    with pytest.raises(ValueError, match="Kendall"):
        permute_both(a, b, people, list("abcdef"), statistic="kendall", level="pooled")


def false_alarms(runs, seed, statistic, level, trials):
    """Return how often a metric is called better than one of the same quality, at 5 %."""
    rng = np.random.default_rng(seed)
    found = 0
    for run in range(runs):
        true = rng.normal(size=(6, 1))
        people, common = true + rng.normal(size=(6, 30)), 0.5 * rng.normal(size=(6, 30))
        a, b = (true / 2 + common + rng.normal(size=(6, 30)) for _ in range(2))
        clusters = [f"{i // 2}" for i in range(30)]
        kind = {"statistic": statistic, "level": level}
        p = permute_both(a, 3 + 2 * b, people, clusters, trials=trials, name=str(run), **kind)[1]
        found += p <= 0.05
    return found / runs


@pytest.mark.parametrize(("statistic", "level"), [("pearson", "pooled"), ("spearman", "clip")])
def test_metrics_of_equal_quality_are_rarely_told_apart(statistic, level):
    assert 0.025 <= false_alarms(400, 10, statistic, level, 199) <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statistic", "level"),
    [
        ("pearson", "system"),
        ("spearman", "clip"),
        ("kendall", "clip"),
        ("pearson", "pooled"),
        ("spearman", "pooled"),
    ],
)
def test_metrics_of_equal_quality_are_told_apart_once_in_twenty(statistic, level):
    assert 0.04 <= false_alarms(4000, 11, statistic, level, 399) <= 0.06


@pytest.mark.slow
def test_entries_of_equal_quality_are_told_apart_once_in_twenty():
    rng = np.random.default_rng(12)
    p = [
        paired_randomization(rng.standard_t(4, 25) * rng.gamma(2, 1, 25), trials=999, seed=i)
        for i in range(4000)
    ]
    assert 0.04 <= np.mean(np.array(p) <= 0.05) <= 0.06


def test_clusters_of_metrics_begin_where_one_is_significantly_worse():
    p = np.ones((4, 4))
    p[0, 3] = p[0, 2] = p[1, 3] = 0.01
    assert cluster_metrics([0.5, 0.4, 0.3, 0.2], p) == [1, 1, 2, 2]
    assert cluster_metrics([0.2, 0.4, 0.3, 0.5], np.ones((4, 4))) == [1, 1, 1, 1]
