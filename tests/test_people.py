"""What people say: reading judgements and scores, preferences, plans, and the commands."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.people import (
    count_votes,
    list_remarks,
    measure_preference,
    plan_study,
    preference_tables,
    read_example,
    read_judgements,
    write_preference,
)
from mtbench.people.planning import center_logit, simulate_power

HEADER = "rater,clip,language,aspect,system_a,system_b,choice,first_shown,check"
TABLE4 = {
    "lip-sync": {"VOCA": 93.28, "FaceFormer": 84.17, "CodeTalker": 76.92, "SelfTalk": 53.78},
    "realism": {"VOCA": 93.28, "FaceFormer": 91.53, "CodeTalker": 82.05, "SelfTalk": 66.95},
}


def write(path, lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return path


def simulate_rows(seed=0, raters=20, clips=4, systems=("A", "B", "C"), theta=(1.0, 0.3, -0.5), ties=0.1):
    """Rows of a study in which every rater sees every pair on every clip."""
    rng = np.random.default_rng(seed)
    out = []
    for r in range(raters):
        own = np.array(theta) + 0.5 * rng.standard_normal(len(theta))
        for c in range(clips):
            for i in range(len(systems)):
                for j in range(i + 1, len(systems)):
                    p = 1 / (1 + np.exp(own[j] - own[i]))
                    choice = "tie" if rng.random() < ties else "a" if rng.random() < p else "b"
                    first = "ab"[int(rng.random() < 0.5)]
                    out.append(f"r{r},c{c},ita,lip-sync,{systems[i]},{systems[j]},{choice},{first},")
    return out


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return result


def test_table4_has_the_printed_percentages_and_says_that_its_counts_are_inferred():
    found = measure_preference(read_example("multitalk-table4"))
    assert [aspect.aspect for aspect in found.aspects] == ["lip-sync", "realism"]
    for aspect in found.aspects:
        printed = TABLE4[aspect.aspect]
        assert {p.b: round(100 * p.share, 2) for p in aspect.pairs} == printed
        unsure = {p.b for p in aspect.pairs if p.better is None}
        assert unsure == ({"SelfTalk"} if aspect.aspect == "lip-sync" else set())
    selftalk = next(p for p in found.aspects[0].pairs if p.b == "SelfTalk")
    assert selftalk.p == pytest.approx(0.46, abs=0.005)
    assert selftalk.ci95 == pytest.approx((0.448, 0.625), abs=5e-4)
    scale = {place.system: place for place in found.aspects[0].scale}
    thetas = {"MultiTalk": 0, "SelfTalk": -0.15, "CodeTalker": -1.20, "FaceFormer": -1.67, "VOCA": -2.63}
    assert {name: round(scale[name].theta, 2) for name in thetas} == thetas
    assert (scale["MultiTalk"].rank_low, scale["MultiTalk"].rank_high) == (1, 2)
    assert scale["MultiTalk"].top == pytest.approx(0.80, abs=0.005)
    assert any("INFERRED" in line for line in list_remarks(found))
    assert "indirect" in found.aspects[0].warnings[0]
    text = "\n".join(table.to_text() for table in preference_tables(found))
    assert "not significant" in text


def test_rows_give_what_their_counts_give_and_raters_count_as_such(tmp_path):
    rows = simulate_rows()
    found = measure_preference(read_judgements([write(tmp_path / "j.csv", rows)]), samples=300)
    aspect = found.aspects[0]
    assert (aspect.n_raters, aspect.n_clips, aspect.n_votes) == (20, 4, 240)
    assert aspect.resampled == "raters"
    counts = [f"{p.a},{p.b},lip-sync,{p.wins},{p.ties},{p.n}" for p in aspect.pairs]
    other = measure_preference(
        read_judgements([write(tmp_path / "n.csv", counts, "a,b,aspect,wins_a,ties,n")]), samples=300
    ).aspects[0]
    assert [p.share for p in other.pairs] == [p.share for p in aspect.pairs]
    assert [s.theta for s in other.scale] == pytest.approx([s.theta for s in aspect.scale], abs=1e-6)
    assert all(a.worth < b.worth for a, b in zip(aspect.pairs, other.pairs, strict=True) if a.worth < a.n)
    assert all(p.p_method.startswith("raters") and p.p_clips is not None for p in aspect.pairs)
    assert [s.system for s in aspect.scale] == ["A", "B", "C"]
    assert -0.2 < aspect.agreement.estimate < 0.3  # clips do not differ here
    davidson = measure_preference(read_judgements([tmp_path / "j.csv"]), ties="davidson", samples=100)
    assert davidson.aspects[0].tie_parameter > 0


def test_sides_do_not_matter(tmp_path):
    rows = simulate_rows(1)
    turned = []
    for row in rows:
        r, c, lang, asp, a, b, choice, first, _ = row.split(",")
        swap = {"a": "b", "b": "a", "tie": "tie"}
        turned.append(f"{r},{c},{lang},{asp},{b},{a},{swap[choice]},{swap[first]},")
    one, two = (
        measure_preference(
            read_judgements([write(tmp_path / f"{k}.csv", r)]), reference="A", samples=200
        ).aspects[0]
        for k, r in enumerate((rows, turned))
    )
    assert one.first_share == two.first_share
    assert one.first_p == two.first_p
    shares = {frozenset((p.a, p.b)): p.share if p.a < p.b else 1 - p.share for p in one.pairs}
    assert shares == pytest.approx(
        {frozenset((p.a, p.b)): p.share if p.a < p.b else 1 - p.share for p in two.pairs}
    )
    strengths = {s.system: s.theta for s in two.scale}
    assert {s.system: s.theta for s in one.scale} == pytest.approx(strengths, abs=1e-6)


def test_raters_who_fail_checks_are_left_out_by_a_rule_that_sees_checks_only(tmp_path):
    rows = simulate_rows(2, raters=4)
    checks = [
        f"r{r},c0,ita,lip-sync,check-moving,check-still,{'b' if r == 3 and k == 2 else 'a'},a,a,{k}"
        for r in range(4)
        for k in (1, 2)
    ]
    rows = [row + "," for row in rows]
    path = write(tmp_path / "j.csv", [*rows, *checks], HEADER + ",trial")
    found = measure_preference(read_judgements([path]), samples=50)
    assert found.attention.left_out == ("r3",)
    assert found.aspects[0].n_raters == 3
    assert not any("check" in s.system for s in found.aspects[0].scale)
    line = next(line for line in list_remarks(found) if "attention" in line)
    assert "1 left out (r3)" in line
    assert "80%" in line
    everybody = measure_preference(read_judgements([path]), samples=50, least_right=0)
    assert everybody.aspects[0].n_raters == 4


def test_every_problem_is_told_at_once_with_its_line(tmp_path):
    rows = [
        "r1,c1,ita,lip-sync,Ours,Theirs,a,a,",
        "r1,c2,ita,lip-sync,Ours,Theirs,A,b,",  # capitals are fine
        "r1,c3,ita,lip-sync,Ours,Their,b,,",
        "r1,c4,ita,lip-sync,Ours,Ours,a,,",
        "r1,c5,ita,lip-sync,Ours,Theirs,left,,",
        "r1,c6,ita,lip-sync,Ours,Theirs,a,1,",
        ",c7,ita,lip-sync,Ours,Theirs,a,,",
        "r1,c1,ita,lip-sync,Ours,Theirs,b,a,",
    ]
    path = write(tmp_path / "j.csv", rows)
    with pytest.raises(UsageError) as caught:
        read_judgements([path], systems=["Ours", "Theirs"])
    text = str(caught.value)
    for line, told in (
        (4, "unknown system 'Their'; did you mean Theirs?"),
        (5, "compared with itself"),
        (6, "choice is 'left'; expected 'a', 'b', 'tie'"),
        (7, "first_shown is '1'"),
        (8, "rater is empty"),
        (9, "answered the same question otherwise at"),
    ):
        assert f"{path}:{line}: " in text
        assert told in text
    assert "6 problem(s)" in text


@pytest.mark.parametrize(
    ("header", "lines", "told"),
    [
        (
            "rater,clip,aspect,system_a,system_b,chioce",
            ["r,c,l,A,B,a"],
            "no column 'choice'; did you mean chioce?",
        ),
        ("a,b,aspect,wins_a,ties,n", ["A,B,l,9,2,10"], "9 wins and 2 ties of 10 votes cannot be"),
        ("a,b,aspect,wins_a,ties,n", ["A,B,l,-1,0,10"], "wins_a is '-1'"),
        ("a,b,aspect,wins_a,ties,n", ["A,B,l,1,0,10", "B,A,l,1,0,10"], "stand there twice"),
        (HEADER, ["r,c,l,A,B"], "5 cells under 9 columns"),
        (HEADER, ['r,c,"l,A,B,a,a,a,'], "not CSV"),
        ("rater,rater", ["x,y"], "named twice"),
        ("left,right,won,total", ["A,B,1,2"], "first_shown (one row a judgement"),
        ("left,right,won,total", ["A,B,1,2"], "or a,b,aspect,wins_a,ties,n (counts"),
        (HEADER, [], "no judgements"),
    ],
)
def test_files_that_are_no_judgements(tmp_path, header, lines, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        read_judgements([write(tmp_path / "j.csv", lines, header)])


def test_languages_are_read_in_any_habit(tmp_path):
    rows = [
        row.replace(",ita,", ",it," if k % 2 else ",Italian,")
        for k, row in enumerate(simulate_rows(raters=2))
    ]
    found = read_judgements([write(tmp_path / "j.csv", rows)])
    assert {row.language for row in found.rows} == {"ita"}
    assert measure_preference(found, languages=["ita"], samples=20).aspects[0].n_votes == len(rows)
    with pytest.raises(UsageError, match=":2: "):
        read_judgements([write(tmp_path / "x.csv", ["r,c,nowhere,l,A,B,a,,"])])


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\nr\xe9,c,i,l,A,B,a,a,\n")
    for name, told in (("latin.csv", "CSV UTF-8"), ("missing.csv", "cannot be read"), (".", "not a file")):
        with pytest.raises(UsageError, match=told):
            read_judgements([tmp_path / name])
    both = (
        write(tmp_path / "a.csv", simulate_rows(3, raters=2)),
        write(tmp_path / "b.csv", ["A,B,l,1,0,2"], "a,b,aspect,wins_a,ties,n"),
    )
    with pytest.raises(UsageError, match="one kind at a time"):
        read_judgements(both)


def test_spreadsheets_json_lines_and_double_exports_are_read(tmp_path):
    rows = simulate_rows(4, raters=3)
    plain = read_judgements([write(tmp_path / "a.csv", rows)])
    text = "\ufeff" + "\r\n".join(line.replace(",", ";") for line in [HEADER, *rows])
    (tmp_path / "b.csv").write_text(text, "utf-8")
    objects = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in rows]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, objects)), "utf-8")

    def outcomes(found):
        return [(r.rater, r.a, r.b, r.outcome) for r in found.rows]

    for name in ("b.csv", "c.jsonl"):
        assert outcomes(read_judgements([tmp_path / name])) == outcomes(plain)
    twice = read_judgements([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert len(twice.rows) == len(plain.rows)
    assert "counted once" in twice.notes[0]
    practice = write(tmp_path / "p.csv", ["r,c,ita,l,A,B,a,a,,0", "r,c,ita,l,A,B,a,a,,1"], HEADER + ",trial")
    assert len(read_judgements([practice]).rows) == 1


def test_strange_names_stay_what_they_are(tmp_path):
    names = ["<script>alert(1)</script>", "'=1+1", 'say "a"|b', "שלום 😀"]
    lines = []
    for r in range(3):
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                cells = ["r" + str(r), "c", "ita", "l", a, b, "ab"[(r + i) % 2], "", ""]
                lines.append(",".join('"' + c.replace('"', '""') + '"' for c in cells))
    found = measure_preference(read_judgements([write(tmp_path / "j.csv", lines)]), samples=50)
    assert {s.system for s in found.aspects[0].scale} == {n.removeprefix("'") for n in names}
    paths = write_preference(found, tmp_path / "out")
    with (tmp_path / "out/pairs.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["a"] for row in csv.DictReader(file)]
    assert "'=1+1" in cells
    assert "<script>" not in (tmp_path / "out/preference.md").read_text("utf-8")
    before = [path.read_bytes() for path in paths]
    write_preference(found, tmp_path / "out")
    assert [path.read_bytes() for path in paths] == before


def test_gaps_and_always_winners_are_told_in_words(tmp_path):
    header = "a,b,aspect,wins_a,ties,n"
    apart = read_judgements([write(tmp_path / "x.csv", ["A,B,l,3,0,5", "C,D,l,2,1,5"], header)])
    found = measure_preference(apart, samples=50).aspects[0]
    assert found.scale == ()
    assert "A, B; C, D" in found.warnings[0]
    always = read_judgements(
        [write(tmp_path / "y.csv", ["A,B,l,9,0,9", "B,C,l,4,0,9", "C,A,l,2,0,9"], header)]
    )
    found = measure_preference(always, samples=50).aspects[0]
    assert not any("always" in w for w in found.warnings)
    never = read_judgements(
        [write(tmp_path / "z.csv", ["A,B,l,9,0,9", "A,C,l,9,0,9", "B,C,l,4,0,9"], header)]
    )
    found = measure_preference(never, samples=50).aspects[0]
    assert "won by one side every time (A > B, C)" in found.warnings[0]
    assert [s.theta for s in found.scale[1:]] == [None, None]
    assert found.scale[1].ci95 is None
    assert found.scale[0].top is None
    assert any("interval of C, B is n/a" in warning for warning in found.warnings)


@pytest.mark.parametrize(("votes", "end"), [(1, "+1.35"), (10, "-0.96")])
@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_one_side_that_always_won_is_not_certain(tmp_path, votes, end, ties):
    path = write(tmp_path / "w.csv", [f"A,B,x,{votes},0,{votes}"], "a,b,aspect,wins_a,ties,n")
    shown = run("preference", path, "--ties", ties)
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["B", "no", "bound", "[−∞,", f"{end}]", "n/a", "n/a"] in lines
    assert ["A", "+0.00", "reference", "n/a", "n/a"] in lines
    assert "that of the pair's share" in shown.stdout
    assert "ranks and P(best) of A, B are n/a" in shown.stdout
    scale = json.loads(run("preference", path, "--ties", ties, "--json").stdout)["aspects"][0]["scale"]
    assert [(s["rank_low"], s["rank_high"], s["top"]) for s in scale] == [(None, None, None)] * 2
    assert scale[1]["ci95"] == [None, pytest.approx(float(end), abs=0.006)]
    other = measure_preference(read_judgements([path]), reference="B", samples=20).aspects[0].scale[0]
    assert other.ci95 == (pytest.approx(-float(end), abs=0.006), None)


def test_ties_alone_bound_nothing(tmp_path):
    rows = ["r1,c1,,x,A,B,tie,,", "r1,c2,,x,A,B,tie,,", "r2,c1,,x,A,B,tie,,"]
    path = write(tmp_path / "t.csv", rows)
    shown = run("preference", path, "--ties", "davidson", "--out", tmp_path / "out").stdout
    assert "ν not bounded" in shown
    assert "Davidson's ν is not bounded: every vote is a tie" in shown
    assert ["B", "+0.00", "n/a", "n/a", "n/a"] in [line.split() for line in shown.splitlines()]
    with (tmp_path / "out/scale.csv").open(newline="", encoding="utf-8") as file:
        assert {row["p_best"] for row in csv.DictReader(file)} == {""}
    single = run("preference", write(tmp_path / "one.csv", rows[:1])).stdout
    assert "1 vote of 1 rater on 1 clip\n" in single


def test_an_order_that_mattered_is_told(tmp_path):
    rows = [f"r{r},c{c},ita,l,A,B,{'ba'[c % 2]},{'ba'[c % 2]}," for r in range(12) for c in range(4)]
    found = measure_preference(read_judgements([write(tmp_path / "j.csv", rows)]), samples=50).aspects[0]
    assert found.first_share == 1
    assert any("the order mattered" in warning for warning in found.warnings)


def test_unknown_names_are_answered_with_known_ones(tmp_path):
    found = read_example("multitalk-table4")
    for wrong in ({"aspects": ["lipsync"]}, {"reference": "Multitalk"}):
        with pytest.raises(UsageError, match="did you mean"):
            measure_preference(found, **wrong)
    with pytest.raises(UsageError, match="row by row"):
        measure_preference(found, languages=["ita"])
    with pytest.raises(UsageError, match="did you mean multitalk-table4"):
        read_example("multitalk-tabel4")


def test_preference_is_a_command(tmp_path):
    shown = run("preference", "multitalk-table4", "--aspect", "lip-sync", "--out", tmp_path / "out")
    assert shown.exit_code == 0
    assert "53.8%  [44.8%, 62.5%]     0.46" in shown.stdout
    assert "INFERRED" in shown.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "pairs.csv",
        "preference.json",
        "preference.md",
        "scale.csv",
    ]
    found = json.loads(run("preference", "multitalk-table4", "--json").stdout)
    assert found["aspects"][0]["pairs"][3]["p"] == pytest.approx(0.4635, abs=1e-4)


def test_a_plan_holds_what_it_promises():
    from scipy import stats

    def exact_power(n, share):
        p = np.array([stats.binomtest(k, n).pvalue for k in range(n + 1)])
        return stats.binom.pmf(np.arange(n + 1), n, share)[p <= 0.05].sum()

    n = count_votes(0.7, 0.8, 0.05)
    assert exact_power(n - 1, 0.7) < 0.8
    assert all(exact_power(n + k, 0.7) >= 0.8 for k in range(6))
    draws = center_logit(0.7, 1.0) + np.random.default_rng(0).standard_normal(400_000)
    assert np.mean(1 / (1 + np.exp(-draws))) == pytest.approx(0.7, abs=0.002)
    plan = plan_study(0.7, votes=4, rater_spread=0.8)
    assert plan.raters * 4 > n
    assert plan.rater_power >= 0.8
    other = simulate_power(plan.raters, 4, 0.7, 0.0, 0.8, 0.05, 99, "again")
    assert other == pytest.approx(0.8, abs=0.06)
    assert plan_study(0.7, pairs=6).raters > plan_study(0.7).raters
    assert plan_study(0.7, ties=0.3).independent_votes < plan_study(0.7).independent_votes
    assert simulate_power(20, 5, 0.5000001, 0.2, 1.0, 0.05, 1, "null") == pytest.approx(0.05, abs=0.025)


def test_plans_that_cannot_be_and_the_command():
    sure, never = {"share": 0.6, "power": 1.0}, {"share": 0.6, "votes": 0}
    for wrong in ({"share": 0.5}, {"share": 0.99, "ties": 0.2}, sure, never):
        with pytest.raises(UsageError):
            plan_study(**wrong)
    with pytest.raises(UsageError, match=r"a share of 0\.5000001 needs"):
        plan_study(0.5000001)
    shown = run("study", "plan", "--share", "0.7")
    assert shown.exit_code == 0
    assert "raters" in shown.stdout
    assert json.loads(run("study", "plan", "--share", "0.7", "--json").stdout)["raters"] > 5
