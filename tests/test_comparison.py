"""Paired comparison of two entries: direction, sharpness, correction, refusal of unlike runs."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from test_aggregate import CLIPS, CONTEXT, make_rows

import mtbench
from mtbench.errors import UsageError
from mtbench.results.aggregation import aggregate, find_number, list_signatures
from mtbench.results.averaging import Averaging
from mtbench.results.comparison import Comparison, check_comparable
from mtbench.results.paired import compare_rows, list_clips
from mtbench.results.rows import GeometryRow
from mtbench.results.run_files import BenchmarkRef, RecognizerRef
from mtbench.results.series import collect_series
from mtbench.statistics import ClusterBootstrap, collect_ratios, count_items, measure_power

AV = {"modality": "av", "snr_db": -7.5, "noise": "all"}
MANY = [type(CLIPS[0])(f"{lang}-{i}", lang, f"{lang}-s{i}") for lang in ("ita", "jpn") for i in range(20)]


def shared_rows(error_a, error_b, clips=CLIPS):
    """Two entries over the same references and the same audio-only and static rows."""
    a, b = make_rows(0, error_a, clips), make_rows(0, error_b, clips)
    # The references of both come from the same seed only while draws agree: take them from a.
    from dataclasses import replace

    from mtbench.results.recount import remeasure

    out = []
    for mine, theirs in zip(a, b, strict=True):
        if isinstance(mine, GeometryRow) or mine.face != "entry":
            out.append(mine)
        else:
            row = replace(theirs, reference=mine.reference, reference_phones=mine.reference_phones)
            out.append(remeasure(row))
    return a, out


def test_an_entry_equals_itself():
    rows = make_rows()
    for d in compare_rows(rows, rows, replicates=100, trials=100):
        assert d.difference == 0
        assert d.p == d.p_holm == 1
        assert d.better is None
        assert d.ci95 == (0, 0)


def test_worse_entry_is_found_and_direction_follows_the_metric():
    a, b = shared_rows(0.1, 0.6, MANY)
    differences = compare_rows(a, b, replicates=300, trials=500)
    by_metric = {d.metric: d for d in differences if d.language == "all" and d.snr_db == -7.5}
    for metric in ("headline", "wer", "cer", "per"):
        d = by_metric[metric]
        assert d.difference > 0
        assert d.better == "a"
        assert d.ci95[0] > 0
        assert d.p < 0.01
    assert by_metric["avlr_gain"].difference < 0
    assert by_metric["avlr_gain"].better == "a"
    assert by_metric["avlr_gain"].difference == pytest.approx(-by_metric["wer"].difference)
    assert {d.modality for d in differences} == {"av", "v", None}
    assert {d.noise for d in differences} == {"all", None}


def test_bits_are_compared_with_interval_and_p():
    from dataclasses import replace

    def tell(rows, told):
        """Entry rows with so many natural units a phone, others with one."""
        out = []
        for n, row in enumerate(rows):
            if not isinstance(row, GeometryRow):
                each = told if row.face == "entry" else -1.0
                row = replace(row, log_probability=10 * each - (n % 3), tokens=10)
            out.append(row)
        return out

    a, b = shared_rows(0.3, 0.3, MANY)
    (found,) = [
        d
        for d in compare_rows(tell(a, -0.4), tell(b, -0.6), replicates=300, trials=500)
        if (d.metric, d.language, d.aggregation, d.snr_db) == ("readability_bits", "all", "corpus", -7.5)
    ]
    assert found.unit == "bits"
    assert found.difference == pytest.approx(-0.2 / math.log(2))
    assert found.ci95 == pytest.approx((found.difference, found.difference))
    assert (found.better, found.p_holm < 0.01) == ("a", True)


def test_estimates_are_those_of_the_summary():
    a, b = shared_rows(0.2, 0.4)
    summary_a, summary_b = (aggregate(rows, CLIPS, CONTEXT, replicates=50) for rows in (a, b))
    for d in compare_rows(a, b, replicates=50, trials=50):
        where = {k: getattr(d, k) for k in ("modality", "snr_db", "noise", "aggregation")}
        assert d.a == pytest.approx(find_number(summary_a, d.metric, d.language, **where).estimate, rel=1e-12)
        assert d.b == pytest.approx(find_number(summary_b, d.metric, d.language, **where).estimate, rel=1e-12)


def test_swapping_entries_swaps_signs():
    a, b = shared_rows(0.2, 0.4)
    forth = compare_rows(a, b, replicates=50, trials=200)
    back = compare_rows(b, a, replicates=50, trials=200)
    for x, y in zip(forth, back, strict=True):
        assert x.difference == pytest.approx(-y.difference)
        assert x.p == y.p
        assert x.ci95 == pytest.approx((-y.ci95[1], -y.ci95[0]))


def test_pairing_is_sharper_than_two_separate_intervals():
    a, b = shared_rows(0.3, 0.35, MANY)
    d = next(d for d in compare_rows(a, b) if d.metric == "lve_mm" and d.language == "all")
    assert d.ci95 == (0, 0)  # same geometry: separate intervals would be as wide as each entry's own
    assert find_number(aggregate(a, MANY, CONTEXT), "lve_mm").ci95[0] > 0


def test_holm_runs_over_languages():
    a, b = shared_rows(0.1, 0.5)
    found = [d for d in compare_rows(a, b, trials=300) if d.metric == "wer" and d.snr_db == -7.5]
    languages = [d for d in found if d.language != "all"]
    assert len(languages) == 3
    assert all(d.p_holm >= d.p for d in languages)
    assert min(d.p_holm for d in languages) == pytest.approx(min(1, 3 * min(d.p for d in languages)))
    assert all(d.p_holm == d.p for d in found if d.language == "all")


def test_clips_that_one_entry_lacks_are_counted():
    a, b = shared_rows(0.2, 0.4)
    found = compare_rows(a, [r for r in b if r.clip != "ita-3"], replicates=50, trials=50)
    for d in found:
        assert d.n_expected - d.n_clips == (1 if d.language in ("ita", "all") else 0)


def test_other_references_are_refused():
    a, b = make_rows(0), make_rows(1)
    with pytest.raises(UsageError, match="disagree about the length of references"):
        compare_rows(a, b, replicates=10, trials=10)


def make_run(
    name="x", digest="d" * 32, recognizer="r" * 32, norm="uni-v1", topology="toy", status="complete"
):
    return SimpleNamespace(
        status=status,
        system=SimpleNamespace(name=name, topology=topology),
        benchmark=BenchmarkRef(name="toy", version="1", digest=digest),
        recognizer=RecognizerRef(name="toy-av", digest=recognizer),
        signatures={
            "wer|av": f"wer|bench:toy@1|topology:{topology}|norm:{norm}",
            "lve_mm": f"lve_mm|bench:toy@1|topology:{topology}|mask:{topology}-lips",
            f"only-{name}": "cer|norm:x",
        },
    )


def test_unlike_runs_are_refused_with_every_difference_named():
    check_comparable(make_run("x"), make_run("y"))
    with pytest.raises(UsageError) as caught:
        check_comparable(make_run("x"), make_run("y", "e" * 32, "s" * 32, "multitalk"))
    message = str(caught.value)
    assert "benchmark: toy@1#dddddddd != toy@1#eeeeeeee" in message
    assert "recognizer: toy-av#rrrrrrrr != toy-av#ssssssss" in message
    assert "wer|av: norm: uni-v1 != multitalk" in message
    assert caught.value.exit_code == 2


def test_topology_is_the_entrys_own_choice():
    assert check_comparable(make_run("x"), make_run("y")) == ()
    notes = check_comparable(make_run("x"), make_run("y", topology="other", status="partial"))
    assert "topologies differ (toy, other)" in notes[0]
    assert "y is partial" in notes[1]
    with pytest.raises(UsageError, match="norm: uni-v1 != multitalk"):
        check_comparable(make_run("x"), make_run("y", topology="other", norm="multitalk"))


def test_table_reads_as_text():
    a, b = shared_rows(0.1, 0.6)
    comparison = Comparison("ours", "theirs", "toy@1", tuple(compare_rows(a, b, replicates=50, trials=50)))
    text = comparison.table()
    assert text.startswith("a = ours, b = theirs, on toy@1, all languages\n")
    assert "effect: b - a over its spread" in text
    assert "  effect  p (Holm)  better" in text.splitlines()[1]
    assert "language" in comparison.table(language=None)
    assert "av, -7.5 dB" in text
    assert "geometry" in text
    assert len(comparison.table("headline", None).splitlines()) > len(
        comparison.table("headline").splitlines()
    )
    assert comparison.find("wer", "ita", **AV)[0].aggregation == "corpus"


def test_compare_reads_result_folders(tmp_path):
    a, b = shared_rows(0.1, 0.6)
    for name, rows in (("a", a), ("b", b)):
        summary = aggregate(rows, CLIPS, CONTEXT, replicates=50)
        write_folder(tmp_path / name, name, rows, summary, list_signatures(summary, CONTEXT, replicates=50))
    comparison = mtbench.compare(tmp_path / "a", tmp_path / "b", replicates=50, trials=50)
    assert (comparison.system_a, comparison.system_b, comparison.benchmark) == ("a", "b", "toy@1")
    assert comparison.find("wer", **AV)[0].difference > 0
    with pytest.raises(UsageError):
        mtbench.compare(tmp_path / "a", tmp_path / "absent")


def write_folder(folder, name, rows, summary, signatures):
    folder.mkdir()
    run = {
        "schema_version": 1,
        "status": "complete",
        "rankable": True,
        "system": {"name": name, "digest": "0", "topology": "toy", "kind": "vertices"},
        "benchmark": {"name": "toy", "version": "1", "digest": "0"},
        "recognizer": {"name": "toy-av", "digest": "0"},
        "signatures": signatures,
        "settings": {},
        "summary": [row.to_json() for row in summary],
        "timings": {},
        "environment": {},
    }
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    (folder / "clips.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in rows), "utf-8")


def test_meshes_with_static_faces_of_their_own_are_compared():
    a, b = make_run("x"), make_run("y", topology="other")
    a.signatures["avlr_gain|av"] = "avlr_gain|topology:toy|truth:openhead-1#01234567|norm:uni-v1"
    b.signatures["avlr_gain|av"] = "avlr_gain|topology:other|rest:flame-5023#89abcdef|norm:uni-v1"
    assert "topologies differ" in check_comparable(a, b)[0]
    b.signatures["avlr_gain|av"] = b.signatures["avlr_gain|av"].replace("uni-v1", "multitalk")
    with pytest.raises(UsageError, match="norm: uni-v1 != multitalk"):
        check_comparable(a, b)


def test_the_effect_of_equal_lengths_is_mean_over_deviation():
    """By hand, and as scipy's t statistic: t = d √n."""
    from scipy.stats import ttest_rel

    a, b = shared_rows(0.2, 0.4, MANY)
    found = next(
        d for d in compare_rows(a, b, Averaging("macro-clip"), replicates=300, trials=50)
        if (d.metric, d.language, d.snr_db) == ("wer", "ita", -7.5)
    )  # fmt: skip
    rates = [[], []]
    for rows, out in zip((a, b), rates, strict=True):
        for clip in (c for c in MANY if c.language == "ita"):
            mine = [
                r for r in rows if not isinstance(r, GeometryRow) and r.clip == clip.id
                and (r.modality, r.face, r.snr_db) == ("av", "entry", -7.5)
            ]  # fmt: skip
            out.append(np.mean([r.words.rate for r in mine]))
    t = ttest_rel(rates[1], rates[0]).statistic
    assert found.effect == pytest.approx(t / math.sqrt(20))
    assert found.effect_ci95[0] < found.effect < found.effect_ci95[1]
    assert found.spread == pytest.approx(100 * np.std(np.subtract(*rates), ddof=1))


def test_the_effect_says_how_many_clips_are_needed():
    """As :func:`mtbench.statistics.measure_power` computes it from items, over languages and within one."""
    a, b = shared_rows(0.2, 0.5, MANY)
    clips = list_clips(a)
    chosen = [
        next(s for s in collect_series(rows, clips) if s.metric == "wer" and s.condition.name == "av-7.5/all")
        for rows in (a, b)
    ]
    ratios = collect_ratios(np.stack([s.values[:, 0] for s in chosen]), chosen[0].values[:, 1])
    bootstrap = ClusterBootstrap(tuple(c.language for c in clips), tuple(c.source for c in clips))
    power = measure_power(bootstrap, ratios, 0, 1)
    found = next(
        d for d in compare_rows(a, b, trials=50)
        if (d.metric, d.language, d.snr_db, d.aggregation) == ("wer", "all", -7.5, "macro-language")
    )  # fmt: skip
    assert found.effect == pytest.approx(power.effect.estimate)
    assert found.effect_ci95 == pytest.approx(power.effect.ci95, rel=0.05)
    assert count_items(found.effect) == power.needed


def test_no_effect_where_nobody_knows_the_spread():
    one = [CLIPS[0]]
    a, b = shared_rows(0.1, 0.6, one)
    found = compare_rows(a, b, replicates=50, trials=50)
    assert found
    assert all(d.effect is None and d.effect_ci95 is None and d.spread is None for d in found)
    assert "n/a" in Comparison("a", "b", "toy@1", tuple(found)).table()


def test_the_effect_changes_sign_with_the_entries():
    a, b = shared_rows(0.2, 0.4)
    forth = compare_rows(a, b, replicates=50, trials=50)
    back = compare_rows(b, a, replicates=50, trials=50)
    assert any(d.effect for d in forth)
    for x, y in zip(forth, back, strict=True):
        assert (x.effect is None) == (y.effect is None)
        assert x.effect is None or x.effect == pytest.approx(-y.effect)
