"""Metrics against people, from results as they are scored to the tables that are printed."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace

import fakes
import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import mtbench
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.people import (
    agreement_tables,
    correlate_published,
    correlate_results,
    find_people_file,
    read_example,
    read_human_scores,
    read_metric_scores,
    rename_systems,
)
from mtbench.people.correlation_text import possible_spearman
from mtbench.statistics import LEVELS

AMPLITUDES = {"full": 1.0, "most": 0.7, "half": 0.4, "little": 0.15, "none": 0.02}


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Scores of five entries that move their lips less and less, every clip a source of its own."""
    root, numbers = tmp_path_factory.mktemp("people"), itertools.count()
    fakes.make_benchmark(root / "small", fakes.CLIPS)
    manifest = root / "small" / "benchmark.toml"
    text = re.sub(r'source = "s(\d)-', lambda _: f'source = "s{next(numbers)}-', manifest.read_text())
    manifest.write_text(text)
    for name, amplitude in AMPLITUDES.items():
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


@pytest.fixture(scope="module")
def names(results):
    scores = read_metric_scores([results])
    return dict(zip(AMPLITUDES, sorted(scores.systems, key=lambda s: -AMPLITUDES.get(s, 0)), strict=True))


def write_scores(path, names, by_clip=True, seed=0):
    rng, lines = np.random.default_rng(seed), ["system,clip,language,score"] if by_clip else ["system,score"]
    for key, system in names.items():
        if not by_clip:
            lines.append(f"{system},{AMPLITUDES[key]}")
            continue
        for clip in fakes.CLIPS:
            lines += [f"{system},{clip},,{5 * AMPLITUDES[key] + rng.normal():.3f}" for _ in range(3)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_every_level_is_what_scipy_says_of_the_rows(results, names, tmp_path):
    scores = read_metric_scores([results], ["lve_mm", "headline"])
    human = read_human_scores([write_scores(tmp_path / "h.csv", names)])
    found = correlate_results(scores, human, replicates=200, trials=200)
    assert (found.systems, found.n_clips) == (scores.systems, 6)
    rows = {(row.measure, row.level): row for row in found.rows}
    lve = next(m for m in scores.measures if m.name == "lve_mm").ratios.per_item
    people = np.array([[human.by_clip[s, c] for c in scores.clips] for s in scores.systems])
    by_hand = {
        "clip": np.mean([stats.spearmanr(lve[:, i], people[:, i]).statistic for i in range(6)]),
        "pooled": stats.spearmanr(lve.ravel(), people.ravel()).statistic,
    }
    for level, value in by_hand.items():
        assert rows["lve_mm", level].correlations["spearman"].value.estimate == pytest.approx(value)
    languages = np.array(scores.languages)
    macro = [
        np.mean([side[:, languages == code].mean(axis=1) for code in sorted(set(languages))], axis=0)
        for side in (lve, people)
    ]
    system = rows["lve_mm", "system"]
    assert system.correlations["pearson"].value.estimate == pytest.approx(stats.pearsonr(*macro).statistic)
    assert system.correlations["spearman"].p_method == "exact"
    assert (
        system.correlations["spearman"].value.estimate > 0.5
    )  # smaller errors are better, larger scores too
    assert 0 <= system.accuracy.soft <= 1
    assert rows["lve_mm", "clip"].accuracy.n_pairs == 60
    assert rows["lve_mm", "pooled"].accuracy is None
    assert all(
        row.cluster >= 1 for row in found.rows if row.correlations["spearman"].value.estimate is not None
    )
    assert {c.level for c in found.comparisons} == set(LEVELS)
    text = "\n".join(table.to_text() for table in agreement_tables(found))
    assert all(f"level {level}" in text for level in LEVELS)


def test_clips_on_which_all_systems_are_alike_are_counted(results, names, tmp_path):
    path = write_scores(tmp_path / "h.csv", names)
    first = next(iter(fakes.CLIPS))
    lines = [
        re.sub(r"[^,]*$", "3", line) if f",{first}," in line else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    found = correlate_results(
        read_metric_scores([results], ["lve_mm"]), read_human_scores([path]), levels=["clip"], replicates=50
    )
    told = found.rows[0].correlations["spearman"]
    assert (told.n_items, told.n_constant) == (5, 1)
    assert (
        "1 left out because one side gives all systems the same score" in agreement_tables(found)[0].to_text()
    )


def test_scores_of_systems_alone_have_a_level_of_systems_alone(results, names, tmp_path):
    human = read_human_scores([write_scores(tmp_path / "h.csv", names, by_clip=False)])
    found = correlate_results(read_metric_scores([results], ["lve_mm"]), human, replicates=50)
    rows = {row.level: row for row in found.rows}
    assert rows["system"].correlations["spearman"].value.ci95 is not None
    assert rows["clip"].correlations["spearman"].value.estimate is None
    assert "clip by clip" in rows["pooled"].correlations["spearman"].reason
    assert found.comparisons == ()


def test_judgements_are_scores_too(results, names, tmp_path):
    rng, lines = np.random.default_rng(1), ["rater,clip,language,aspect,system_a,system_b,choice,first_shown"]
    order = list(names)
    for r in range(6):
        for clip in fakes.CLIPS:
            for i, a in enumerate(order):
                for b in order[i + 1 :]:
                    p = 1 / (1 + np.exp(2 * (AMPLITUDES[b] - AMPLITUDES[a])))
                    choice = "a" if rng.random() < p else "b"
                    lines.append(f"r{r},{clip},,lip-sync,{names[a]},{names[b]},{choice},")
    path = tmp_path / "j.csv"
    path.write_text("\n".join(lines))
    scores = read_metric_scores([results], ["lve_mm"])
    strengths, wins = (read_human_scores([path], scale=scale, replicates=100) for scale in ("bt", "wins"))
    assert strengths.kind == "strength by Bradley and Terry"
    assert stats.spearmanr(
        list(strengths.total.values()), list(wins.total.values())
    ).statistic == pytest.approx(1)
    assert next(iter(strengths.samples.values())).shape == (100,)
    found = correlate_results(scores, strengths, replicates=100, compare=False)
    assert {
        row.level: row.correlations["spearman"].value.estimate is not None for row in found.rows
    } == dict.fromkeys(LEVELS, True)


def without(scores, measure, places):
    """Scores without those of a measure at (system, clip) *places*."""
    values = measure.values.copy()
    for row, clip in places:
        values[row, clip] = np.nan
    return replace(measure, values=values)


def test_a_clip_that_one_result_lacks_is_left_out_and_counted(results, names, tmp_path):
    scores = read_metric_scores([results], ["lve_mm", "headline"])
    human = read_human_scores([write_scores(tmp_path / "h.csv", names)])
    partial = replace(scores, measures=tuple(without(scores, m, [(1, 0)]) for m in scores.measures))
    found = correlate_results(partial, human, replicates=50, trials=50, compare=False)
    assert found.n_clips == 5
    assert f"left out for all systems: 1 clip(s) on which {scores.systems[1]} has no score" in found.notes
    # The same as where people never judged that clip.
    fewer = replace(human, by_clip={k: v for k, v in human.by_clip.items() if k[1] != scores.clips[0]})
    other = correlate_results(scores, fewer, replicates=50, trials=50, compare=False)
    assert [row.correlations["spearman"].value for row in found.rows] == [
        row.correlations["spearman"].value for row in other.rows
    ]
    # One metric alone lacks it: the others keep the clip.
    lve = next(m for m in scores.measures if m.name == "lve_mm")
    some = replace(
        scores, measures=tuple(without(scores, m, [(1, 0)]) if m is lve else m for m in scores.measures)
    )
    found = correlate_results(some, human, levels=["clip"], replicates=50, trials=50, compare=False)
    assert found.n_clips == 6
    assert {row.measure: row.correlations["spearman"].n_items for row in found.rows}["lve_mm"] == 5
    assert any(note.endswith(f"{scores.systems[1]} has no score by lve_mm") for note in found.notes)


def test_results_without_a_common_clip_are_refused_by_name(results, names, tmp_path):
    scores = read_metric_scores([results], ["lve_mm"])
    places = [(clip % 2, clip) for clip in range(6)]
    none = replace(scores, measures=(without(scores, scores.measures[0], places),))
    human = read_human_scores([write_scores(tmp_path / "h.csv", names)])
    with pytest.raises(UsageError, match="score it whole") as told:
        correlate_results(none, human, replicates=50)
    named = [line for line in str(told.value).splitlines() if line.startswith("  - ")]
    assert named == [f"  - {s}: lve_mm ({3 if k < 2 else 6})" for k, s in enumerate(scores.systems)]


def test_three_systems_get_no_p_value_and_are_told_why(results, names, tmp_path):
    few = dict(list(names.items())[:3])
    path = write_scores(tmp_path / "h.csv", few)
    shown = run("correlate", results, "--human", path, "--metric", "lve_mm")
    assert shown.exit_code == 0
    assert "four are the least" in shown.stdout
    assert "p: two-sided" not in shown.stdout
    assert "in the results alone, left out" in shown.stderr
    found = json.loads(run("correlate", results, "--human", path, "--metric", "lve_mm", "--json").stdout)
    assert all(a["p"] is None for row in found["rows"] for a in row["correlations"].values())


def test_names_that_differ_are_asked_about(results, names, tmp_path):
    path = write_scores(tmp_path / "h.csv", {key: name.upper() for key, name in names.items()}, by_clip=False)
    scores, human = read_metric_scores([results], ["lve_mm"]), read_human_scores([path])
    with pytest.raises(UsageError, match=r"did you mean (full|most|half|little|none)"):
        correlate_results(scores, human)
    same = rename_systems([f"{name.upper()}={name}" for name in names.values()])
    assert len(correlate_results(scores, human, names=same, replicates=20, compare=False).systems) == 5
    with pytest.raises(UsageError, match="PEOPLE=RESULT"):
        rename_systems(["x"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("system,score\nA,x\nB,1\n", ":2: score is 'x'; expected a number"),
        ("system,score\nA,1e308\nB,1\n", "expected a number below 1e+12 in size"),
        ("system,score\nA,1\nA,2\n", ":3: 'A' has two scores"),
        ("system,clip,score\n,c,1\n", ":2: system or clip is empty"),
        ("name,score\nA,1\n", "no column 'system'"),
        ("system,value\nA,1\n", "scores need columns"),
    ],
)
def test_scores_that_are_none(tmp_path, text, told):
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(UsageError, match=re.escape(told)):
        read_human_scores([tmp_path / "h.csv"])


def test_unknown_metrics_and_metrics_without_direction(results):
    with pytest.raises(UsageError, match="did you mean"):
        read_metric_scores([results], ["lve_m"])
    with pytest.raises(UsageError, match="best value is zero"):
        read_metric_scores([results], ["fdd_m2"])


def test_the_papers_table_2_cannot_be_of_systems():
    found = read_example("multitalk-table2")
    assert found.printed == {"AVLR -7.5 dB (WER %)": 0.55, "AVLR -10 dB (WER %)": 0.46, "VSR (WER %)": 0.43}
    assert possible_spearman(3) == [-1, -0.5, 0.5, 1]
    assert not set(found.printed.values()) & set(possible_spearman(3))
    assert len(possible_spearman(4)) == 11
    shown = run("correlate", "multitalk-table2")
    assert "can be -1, -0.5, 0.5, 1 only" in shown.stdout
    assert "0.55" in shown.stdout
    assert "As published" in shown.stderr


def test_published_scores_are_set_against_published_preferences():
    human = read_human_scores([find_people_file("multitalk-table4")], aspect="lip-sync")
    found = correlate_published(read_example("multitalk-table3"), human)
    avlr = next(row for row in found.rows if row.measure.startswith("AVLR"))
    theta = np.array([-2.63, -1.67, -1.20, -0.15, 0.0])
    printed = np.array([50.8, 50.8, 50.0, 42.8, 42.4])
    assert avlr.correlations["spearman"].value.estimate == pytest.approx(
        stats.spearmanr(-printed, theta).statistic
    )
    assert avlr.correlations["pearson"].value.estimate == pytest.approx(
        stats.pearsonr(-printed, theta).statistic, abs=2e-3
    )
    assert avlr.correlations["spearman"].value.ci95 is None
    with pytest.raises(UsageError, match="choose one by --aspect"):
        run("correlate", "multitalk-table3", "--human", "multitalk-table4")
