"""All pairs at once have the p-values of pairs one by one, and the bound on exact p-values is one."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from result_folders import make_clips, make_rows

from mtbench.conditions import Condition
from mtbench.results import rank_entries
from mtbench.statistics import bound_swaps, paired_randomization, randomize_all_pairs


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(2, 5), st.sampled_from([0, 1e3, 1e9]), st.integers(0, 10**6))
def test_p_values_are_those_of_single_pairs(clusters, entries, offset, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    # Few values, so that ties are common; a large common part, so that rounding is, too.
    shares = rng.integers(0, 3, (clusters, entries)) / 7 + offset * rng.random((clusters, 1))
    p = randomize_all_pairs(shares, trials=300, seed=seed, name="x")
    assert np.array_equal(p, p.T)
    assert np.all(np.diag(p) == 1)
    for a, b in combinations(range(entries), 2):
        alone = paired_randomization(shares[:, b] - shares[:, a], trials=300, seed=seed, name="x")
        assert p[a, b] == alone


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_bound_is_never_below_the_exact_p_value(differences):
    d = np.array(differences)
    swaps = np.array(list(product((1, -1), repeat=len(d))))
    exact = np.mean(np.abs(swaps @ d) >= abs(d.sum()) - 1e-9 * np.abs(d).sum())
    assert bound_swaps(d) >= exact - 1e-12


def test_the_bound_is_close_where_it_is_used():
    """Twenty clusters that all speak for one entry: the exact p-value is 2 in 2 to the twentieth."""
    bound = bound_swaps(np.ones(40))
    assert 2 / 2**40 <= bound < 1e-8
    assert bound_swaps(np.array([])) == 1


@pytest.mark.parametrize("number", [40])
def test_many_entries_can_be_told_apart(number):
    """With 40 entries Holm multiplies by 780: no p-value of 10,000 trials would be significant."""
    clips = make_clips(("ita", "jpn"), 40)
    good, bad = make_rows(clips, 0.05), make_rows(clips, 0.95, seed=1)
    ranks = rank_entries(
        [good] * (number - 1) + [bad], "headline", Condition("av", -7.5, "all"), trials=10_000
    )
    assert [rank.rank for rank in ranks] == [1] * (number - 1) + [number]
