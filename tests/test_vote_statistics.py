"""Shares, strengths and agreement of votes: against independent implementations, and against known truths."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mtbench.statistics import (
    binomial_p,
    count_by,
    examine_comparisons,
    fit_bradley_terry,
    measure_alpha,
    measure_share,
    randomize_voters,
    scale_candidates,
    wilson_interval,
)

ARENA_RANK = Path(__file__).parent / "golden" / "arena_rank.json"
#: Votes for MultiTalk, of all votes, against SelfTalk, CodeTalker, FaceFormer and VOCA (lip-sync, inferred).
TABLE4 = ((64, 119), (90, 117), (101, 120), (111, 119))


def star(counts):
    wins = np.zeros((1, len(counts) + 1, len(counts) + 1))
    for i, (k, n) in enumerate(counts, 1):
        wins[0, 0, i], wins[0, i, 0] = k, n - k
    return wins


def random_votes(rng, n):
    wins = rng.poisson(6, (n, n)).astype(float)
    np.fill_diagonal(wins, 0)
    ties = np.triu(rng.poisson(2, (n, n)), 1).astype(float)
    return wins, ties + ties.T


@given(k=st.integers(0, 60), more=st.integers(1, 60))
def test_wilson_and_binomial_are_scipys(k, more):
    n = k + more
    test = stats.binomtest(k, n)
    interval = test.proportion_ci(method="wilson")
    assert wilson_interval(k / n, n) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert measure_share(k, 0, n - k).ci95 == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert binomial_p(k, n - k) == pytest.approx(test.pvalue)


def test_selftalks_lip_sync_is_not_significantly_worse():
    share = measure_share(64, 0, 55)
    assert share.estimate == pytest.approx(0.5378, abs=5e-5)
    assert share.ci95 == pytest.approx((0.448, 0.625), abs=5e-4)
    assert binomial_p(64, 55) == pytest.approx(0.46, abs=0.005)
    assert all(binomial_p(k, n - k) < 1e-6 for k, n in TABLE4[1:])


def test_ties_are_half_a_win_and_worth_more_than_a_vote():
    tied, plain = measure_share(30, 40, 30), measure_share(50, 0, 50)
    assert tied.estimate == plain.estimate == 0.5
    assert plain.worth == 100
    assert tied.worth > 150
    low, high = measure_share(0, 20, 0).ci95
    assert 0.40 < low < 0.48
    assert high == pytest.approx(1 - low)
    with pytest.raises(ValueError, match="no votes"):
        measure_share(0, 0, 0)


def test_a_voter_who_votes_again_is_not_another_voter():
    alike = np.array([[10.0, 0, 0]] * 6 + [[0.0, 0, 10]] * 4)
    voters, votes = measure_share(60, 0, 40, alike), measure_share(60, 0, 40)
    assert voters.worth == pytest.approx(10, rel=0.2)
    assert np.ptp(voters.ci95) > 2.5 * np.ptp(votes.ci95)
    apart = np.array([[6.0, 0, 4]] * 10)
    assert measure_share(60, 0, 40, apart).worth == pytest.approx(100)


def test_swapping_voters_is_the_exact_test_for_few_and_the_binomial_for_one_vote_each():
    assert randomize_voters(np.array([1.0] * 9 + [-1.0] * 2)) == (pytest.approx(binomial_p(9, 2)), "exact")
    p, method = randomize_voters(np.array([1.0] * 60 + [-1.0] * 40))
    assert method == "10000 draws"
    assert p == pytest.approx(binomial_p(60, 40), abs=0.01)
    assert randomize_voters(np.zeros(5)) == (1.0, "exact")


def test_table4_on_the_scale_of_bradley_and_terry():
    wins = star(TABLE4)
    scale = scale_candidates(wins, 0 * wins, reference=0, by_voter=False, replicates=10_000)
    assert scale.theta == pytest.approx([0, -0.152, -1.204, -1.671, -2.630], abs=5e-4)
    # Of 119 votes, 74 lost are -0.497 and 75 lost -0.533: the 2.5 % tail ends between the two.
    assert scale.ci95[1] == pytest.approx((-0.50, 0.22), abs=0.034)
    assert scale.ranks[0] == (1, 2)
    assert scale.top[0] == pytest.approx(0.80, abs=0.01)
    assert examine_comparisons(wins[0], 0 * wins[0]).hub == 0


@pytest.mark.parametrize("seed", range(4))
def test_strengths_are_those_of_choix_and_evalica(seed):
    import choix
    import evalica

    wins, _ = random_votes(np.random.default_rng(seed), 5)
    theta = fit_bradley_terry(wins[None], np.zeros((1, 5, 5))).theta[0]
    data = [(i, j) for i in range(5) for j in range(5) for _ in range(int(wins[i, j]))]
    other = choix.opt_pairwise(5, data, alpha=1e-8, tol=1e-10)
    assert theta == pytest.approx(other - other.mean(), abs=1e-4)
    xs, ys = zip(*data, strict=True)
    found = evalica.bradley_terry(xs, ys, [evalica.Winner.X] * len(xs), tolerance=1e-10, limit=10_000)
    logs = np.log(found.scores.sort_index().to_numpy())
    assert theta == pytest.approx(logs - logs.mean(), abs=1e-4)


@pytest.mark.parametrize("case", json.loads(ARENA_RANK.read_text())["cases"], ids=lambda case: case["name"])
def test_strengths_and_intervals_are_those_of_arena_rank(case):
    """Its intervals are sandwich estimates of ratings around their mean; ours draw votes within pairs anew."""
    n = len(case["ratings"])
    wins, ties = np.zeros((1, n, n)), np.zeros((1, n, n))
    for pair, (won, tied, lost) in case["votes"].items():
        a, b = map(int, pair.split(","))
        wins[0, a, b], wins[0, b, a], ties[0, a, b], ties[0, b, a] = won, lost, tied, tied
    scale = scale_candidates(wins, ties, reference=0, by_voter=False, replicates=3000)
    assert scale.theta - scale.theta.mean() == pytest.approx(case["ratings"], abs=1e-3)
    around_mean = scale.samples - scale.samples.mean(axis=1, keepdims=True)
    # The middle two thirds: of eight votes the tails are not normal, which theirs suppose.
    width = 1.96 * np.diff(np.quantile(around_mean, (0.16, 0.84), axis=0), axis=0)[0]
    theirs = np.subtract(case["rating_upper"], case["rating_lower"])
    assert width[1:] == pytest.approx(theirs[1:], rel=0.15)


def test_ties_as_half_wins_are_evalicas():
    import evalica

    wins, ties = random_votes(np.random.default_rng(9), 4)
    theta = fit_bradley_terry(wins[None], ties[None]).theta[0]
    rows = [(i, j, evalica.Winner.X, wins[i, j]) for i in range(4) for j in range(4) if wins[i, j]]
    rows += [(i, j, evalica.Winner.Draw, ties[i, j]) for i in range(4) for j in range(i + 1, 4) if ties[i, j]]
    xs, ys, winners, weights = zip(*rows, strict=True)
    found = evalica.bradley_terry(
        list(xs), list(ys), list(winners), weights=list(weights), tolerance=1e-10, limit=10_000
    )
    logs = np.log(found.scores.sort_index().to_numpy())
    assert theta == pytest.approx(logs - logs.mean(), abs=1e-4)


def test_davidsons_model_is_the_maximum_of_its_likelihood():
    from scipy.optimize import minimize

    wins, ties = random_votes(np.random.default_rng(3), 4)

    def loss(x):
        pi, nu = np.exp(x[:4]), math.exp(x[4])
        out = 0.0
        for i in range(4):
            for j in range(i + 1, 4):
                even = nu * math.sqrt(pi[i] * pi[j])
                total = pi[i] + pi[j] + even
                out -= wins[i, j] * math.log(pi[i] / total) + wins[j, i] * math.log(pi[j] / total)
                out -= ties[i, j] * math.log(even / total)
        return out + 1e-6 * float(np.sum(x[:4] ** 2)) / 2

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    found = fit_bradley_terry(wins[None], ties[None], model="davidson")
    assert found.theta[0] == pytest.approx(best[:4] - best[:4].mean(), abs=1e-4)
    assert found.tie[0] == pytest.approx(math.exp(best[4]), rel=1e-4)
    with pytest.raises(ValueError, match="davidson"):
        fit_bradley_terry(wins[None], ties[None], model="elo")


def test_who_always_wins_is_found_and_has_an_open_end():
    wins = star(((10, 10), (6, 10)))
    graph = examine_comparisons(wins[0], 0 * wins[0])
    assert graph.is_connected
    assert graph.is_separated
    assert graph.groups == ((0, 2), (1,))
    scale = scale_candidates(wins, 0 * wins, reference=0, by_voter=False, replicates=200)
    assert scale.ci95[1] is None
    assert scale.theta[1] < -8
    assert scale.ranks == (None, None, None)
    mixed = star(((19, 20), (6, 10)))
    scale = scale_candidates(mixed, 0 * mixed, reference=0, by_voter=False, replicates=200)
    low, high = scale.ci95[1]
    assert low is None
    assert -8 < high < 0
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[1, 0] = apart[2, 3] = apart[3, 2] = 5
    assert examine_comparisons(apart, 0 * apart).parts == ((0, 1), (2, 3))
    assert not examine_comparisons(apart, 0 * apart).is_separated


@pytest.mark.parametrize("model", ["half", "davidson"])
def test_where_one_side_always_won_the_ridge_is_no_bound(model):
    for votes, settled in ((1, False), (10, False), (60, True)):
        wins = star(((votes, votes), (7, 10)))
        scale = scale_candidates(wins, 0 * wins, reference=0, by_voter=False, model=model, replicates=300)
        assert scale.ci95[1] is None
        assert scale.ci95[2] is not None
        assert (scale.ranks[1] is not None, scale.top[0] is not None) == (settled, settled)
    voters = np.repeat(star(((5, 5),)), 5, axis=0)
    few = scale_candidates(voters, 0 * voters, reference=0, by_voter=True, model=model, replicates=100)
    assert few.ranks == (None, None)  # 25 votes, but of five voters


def test_samples_that_are_all_alike_are_no_certainty():
    ties = np.zeros((2, 2, 2))
    ties[:, 0, 1] = ties[:, 1, 0] = (2, 1)
    for model in ("half", "davidson"):
        scale = scale_candidates(0 * ties, ties, reference=0, by_voter=True, model=model, replicates=100)
        assert (scale.ci95[1], scale.ranks, scale.top) == (None, (None, None), (None, None))
        assert scale.tie is None
    # Wins and ties without a loss: the maximum of Davidson's likelihood lies at infinity.
    wins = star(((5, 5),))
    half = scale_candidates(wins, ties[:1] * 2.5, reference=0, by_voter=False, replicates=100)
    assert half.ci95[1] is not None
    open_ended = scale_candidates(
        wins, ties[:1] * 2.5, reference=0, by_voter=False, model="davidson", replicates=100
    )
    assert (open_ended.tie, open_ended.ci95[1], open_ended.ranks) == (None, None, (None, None))


@settings(max_examples=30, deadline=None)
@given(
    data=st.lists(st.lists(st.sampled_from([0, 1, 2, None]), min_size=4, max_size=4), min_size=3, max_size=9)
)
def test_alpha_is_krippendorffs(data):
    import krippendorff

    counts = np.array([[row.count(k) for k in range(3)] for row in data], dtype=float)
    found = measure_alpha(counts, replicates=20).estimate
    usable = counts[counts.sum(axis=1) >= 2]
    if len(usable) == 0 or (usable.sum(axis=0) > 0).sum() < 2:
        assert found is None
        return
    with np.errstate(all="ignore"):
        expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert found == pytest.approx(expected)


def test_counts_by_voter():
    counts, names = count_by(["v", "u", "v"], np.array([1.0, -1.0, 0.0]))
    assert names == ["u", "v"]
    assert counts.tolist() == [[0, 0, 1], [1, 1, 0]]


def cover_shares(runs, rng, ties=0.0, spread=0.0, voters=60, votes=1, share=0.62):
    """Return how often the interval of a share holds the true one; voters differ by *spread* on the logit scale."""
    logit = np.log(share / (1 - share))
    draws = 1 / (1 + np.exp(-(logit + spread * rng.standard_normal(200_000))))
    truth = (1 - ties) * draws.mean() + ties / 2
    hits = 0
    for _ in range(runs):
        p = (1 - ties) * rng.choice(draws, voters)
        chance = rng.random((voters, votes))
        won = (chance < p[:, None]).sum(axis=1)
        tied = ((chance >= p[:, None]) & (chance < p[:, None] + ties)).sum(axis=1)
        each = np.column_stack([won, tied, votes - won - tied]).astype(float)
        low, high = measure_share(*(int(x) for x in each.sum(axis=0)), each if votes > 1 else None).ci95
        hits += low <= truth <= high
    return hits / runs


def cover_strengths(runs, rng, voters, votes, spread=0.5, replicates=600):
    """Return how often intervals of strengths hold the true ones, three of them; voters differ by *spread*."""
    theta = np.array([0, -0.3, -0.8, -1.5])

    def chances(x):
        return 1 / (1 + np.exp(x[..., None, :] - x[..., :, None]))

    mean = chances(theta + spread * rng.standard_normal((100_000, 4))).mean(axis=0)
    np.fill_diagonal(mean, 0)
    truth = fit_bradley_terry(1000 * mean[None], np.zeros((1, 4, 4))).theta[0]
    hits = np.zeros(3)
    for run in range(runs):
        p = chances(theta + spread * rng.standard_normal((voters, 4)))
        wins = np.triu(rng.binomial(votes, p), 1)
        wins = wins + np.tril(votes - wins.swapaxes(1, 2), -1)
        scale = scale_candidates(
            wins.astype(float),
            np.zeros(wins.shape),
            reference=0,
            by_voter=True,
            replicates=replicates,
            seed=run,
        )
        for i in (1, 2, 3):
            low, high = scale.ci95[i]
            hits[i - 1] += (low is None or low <= truth[i] - truth[0]) and (
                high is None or truth[i] - truth[0] <= high
            )
    return hits / runs


def test_intervals_of_shares_and_strengths_hold_the_truth():
    rng = np.random.default_rng(4)
    assert 0.92 <= cover_shares(1000, rng) <= 0.98
    assert 0.92 <= cover_shares(600, rng, spread=1.0, voters=30, votes=10) <= 0.98
    assert 0.90 <= cover_strengths(60, rng, voters=15, votes=2, replicates=300).mean() <= 0.99


def test_swaps_of_voters_find_nothing_where_nothing_is():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(1000):
        p = 1 / (1 + np.exp(-rng.standard_normal(14)))
        found.append(randomize_voters(2.0 * rng.binomial(8, p) - 8)[0] < 0.05)
    assert 0.03 <= np.mean(found) <= 0.065


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"share": 0.9, "voters": 119},
        {"ties": 0.3, "voters": 100},
        {"spread": 1.0, "voters": 20, "votes": 12},
        {"spread": 0.7, "voters": 12, "votes": 6, "ties": 0.2},
    ],
)
def test_intervals_of_shares_hold_the_truth_in_a_thousand_studies(setting):
    assert 0.93 <= cover_shares(1000, np.random.default_rng(6), **setting) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("voters", "votes"), [(20, 2), (12, 1), (40, 2)])
def test_intervals_of_strengths_hold_the_truth_in_a_thousand_studies(voters, votes):
    found = cover_strengths(1000, np.random.default_rng(7), voters, votes)
    # A dozen votes a pair are too few for the most distant strength: 91.5 %.
    least = 0.90 if voters * votes < 20 else 0.93
    assert all(least <= share <= 0.97 for share in found), found
