"""Ranks on the board: what is told apart, what is not, and when nothing is said."""

import itertools
import json
import re
import shutil
from dataclasses import replace

import fakes
import pytest
from test_comparison import AV, MANY, shared_rows

import mtbench
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.leaderboard import build_leaderboard
from mtbench.results.paired import compare_rows
from mtbench.results.ranking import rank_entries
from mtbench.results.rows import GeometryRow

NUMBER = ("headline", Condition("av", -7.5, "all"))
FEW = {"replicates": 300, "trials": 500}


def three():
    """Rows of two entries that are equal but for chance, and of one that is much worse."""
    good, bad = shared_rows(0.2, 0.7, MANY)
    return good, shared_rows(0.2, 0.21, MANY)[1], bad


def worsen(row, factor):
    """Return a geometry row with a larger LVE."""
    statistics = {**row.geometry.statistics, "lve_mm_sum": factor * row.geometry["lve_mm_sum"]}
    return replace(row, geometry=replace(row.geometry, statistics=statistics))


def shown(ranks):
    return [(rank.rank, rank.low, rank.high) for rank in ranks]


def test_entries_that_cannot_be_told_apart_share_a_rank():
    good, similar, bad = three()
    ranks = rank_entries([good, bad, similar], *NUMBER, **FEW)
    assert [rank.rank for rank in ranks] == [1, 3, 1]
    assert (ranks[1].low, ranks[1].high) == (3, 3)
    assert [rank.low for rank in ranks[::2]] == [1, 1]
    assert max(rank.high for rank in ranks[::2]) == 2
    assert str(ranks[1]) == "3 (3–3)"
    assert shown(rank_entries([good, good], *NUMBER, **FEW)) == [(1, 1, 1), (1, 1, 1)]


def test_a_rank_lies_in_its_own_range():
    """Two entries of rank one, of which one is nearly always second: its range was (2–2)."""
    low, high = 0, 0
    for error in (0.21, 0.22, 0.23, 0.24, 0.26):
        good, similar = shared_rows(0.2, error, MANY)
        ranks = rank_entries([good, similar], *NUMBER, **FEW)
        assert all(rank.low <= rank.rank <= rank.high for rank in ranks)
        low, high = low + (ranks[1].rank == 1), high + (ranks[1].high == 2)
    assert low
    assert high


def test_ranks_follow_the_direction_and_the_order_of_entries_does_not_matter():
    good, similar, bad = three()
    forth = rank_entries([good, similar, bad], *NUMBER, **FEW)
    back = rank_entries([bad, similar, good], *NUMBER, **FEW)
    assert shown(forth) == shown(back[::-1])
    gain = rank_entries([good, bad], "avlr_gain", NUMBER[1], **FEW)
    assert shown(gain) == [(1, 1, 1), (2, 2, 2)]


@pytest.mark.parametrize(
    ("number", "aggregation"), [(NUMBER, "macro-language"), (("lve_mm", Condition()), "frame")]
)
@pytest.mark.parametrize("error", [0.25, 0.3, 0.5])
def test_two_entries_are_told_apart_where_compare_tells_them_apart(number, aggregation, error):
    a, b = shared_rows(0.2, error, MANY)
    b = [worsen(row, 1 + error) if isinstance(row, GeometryRow) else row for row in b]
    (difference,) = (
        d
        for d in compare_rows(a, b, **FEW)
        if (d.metric, d.language, d.aggregation) == (number[0], "all", aggregation)
        and (d.modality is None or (d.modality, d.snr_db, d.noise) == tuple(AV.values()))
    )
    ranks = [rank.rank for rank in rank_entries([a, b], *number, **FEW)]
    assert ranks == {None: [1, 1], "a": [1, 2], "b": [2, 1]}[difference.better]


def test_without_a_spread_there_are_no_ranks():
    good, _, bad = three()
    alone = [[row for row in rows if row.source.endswith("s0")] for rows in (good, bad)]
    assert rank_entries(alone, *NUMBER, **FEW) is None
    assert rank_entries([good, []], *NUMBER, **FEW) is None


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Scores of two entries, one of which moves its lips the right way."""
    root, numbers = tmp_path_factory.mktemp("ranked"), itertools.count()
    fakes.make_benchmark(root / "small", fakes.CLIPS)
    # Every clip a source of its own: two sources in each language.
    manifest = root / "small" / "benchmark.toml"
    manifest.write_text(
        re.sub(r'source = "s(\d)-', lambda _: f'source = "s{next(numbers)}-', manifest.read_text())
    )
    for name, amplitude in (("entry", 1.0), ("weaker", 0.1)):
        fakes.make_entry(root / name, fakes.CLIPS, amplitude=amplitude)
        mtbench.score(
            root / name,
            root / "small",
            recognizer=fakes.ONE_EAR,
            workers=1,
            cache=root / "cache",
            out=root / "results",
        )
    return root / "results"


def board_of(results, tmp_path):
    build_leaderboard(results, tmp_path)
    entries = json.loads((tmp_path / "leaderboard.json").read_text("utf-8"))[0]["entries"]
    return (tmp_path / "leaderboard.md").read_text("utf-8"), entries


def test_the_board_has_a_column_of_ranks_and_says_what_they_are(results, tmp_path):
    text, entries = board_of(results, tmp_path / "board")
    assert "| entry | rank |" in text
    assert text.count("rank: one plus the number of entries that are significantly better by LVE (") == 1
    for entry in entries:
        rank = entry["rank"]
        assert f"| {entry['system']['name']} | {rank['rank']} ({rank['low']}–{rank['high']}) |" in text
    assert [entry["rank"]["low"] for entry in entries] == [1, 2]


def test_without_rows_the_board_stays_and_says_nothing_of_ranks(results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    rows = next((tmp_path / "results" / "weaker").rglob("clips.jsonl"))
    lines = rows.read_text("utf-8").splitlines(keepends=True)
    rows.unlink()
    text, entries = board_of(tmp_path / "results", tmp_path / "board")
    assert "rank" not in text
    assert [entry["rank"] for entry in entries] == [None, None]
    rows.write_text("".join(lines[:-1]), "utf-8")
    with pytest.raises(UsageError, match="other rows"):
        build_leaderboard(tmp_path / "results", tmp_path / "board")
