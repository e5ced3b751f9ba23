"""The report as a whole: keys, targets, page, plots, files."""

import json
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from meta_samples import AV, LANGUAGES, harm_of, make_scores, with_errors

from mtbench.errors import UsageError
from mtbench.meta.plot_insights import draw_conditions
from mtbench.meta.plots import draw_plots
from mtbench.meta.report import REPORT_HTML, REPORT_JSON, make_report, write_report
from mtbench.meta.report_data import Report
from mtbench.meta.report_page import render_page
from mtbench.meta.verdicts import find_reversals
from mtbench.results import Sight
from mtbench.statistics import Number


@pytest.fixture(scope="module")
def report():
    return make_report(make_scores(snr=True, noise=0.01, seed=1, clips=5), replicates=100)


def numbers(value):
    """Every dict with an estimate."""
    if isinstance(value, dict):
        if "estimate" in value:
            yield value
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)


def test_report_has_what_is_promised(report):
    assert {"systems", "spearman_system", "spearman_clip", "kendall_system", "pairwise_accuracy", "curves",
            "nuisances", "sensitivity", "confusions", "fairness", "targets"} <= set(report.to_json())  # fmt: skip
    assert report.condition == AV
    assert report.spearman_system.level == "system"
    assert report.spearman_clip.level == "clip"
    assert report.spearman_system.estimate > 0.99
    assert report.spearman_system.ladder.n_systems == 9
    assert set(report.spearman_system.measures) == {
        "avlr", "avlr_phones", "vsr", "vsr_phones", "readability_bits", "vsr_bits", "lve_mm", "fdd_abs_m2"}  # fmt: skip
    assert {"amplitude", "lag", "low-pass", "jitter", "frame-drops", "substitution", "missed-closures", "identity",
            "head-turn", "upper-face-noise", "snr", "ladder", "hold"} == set(report.to_json()["curves"])  # fmt: skip
    point = report.curves["lag"].points[0]
    assert point.strength == -400
    assert set(point.languages) == set(LANGUAGES)
    assert [p.strength for p in report.curves["low-pass"].points][:2] == [None, 12]
    assert [p.strength for p in report.curves["hold"].points] == [1, 3, 6, 12, 25]
    assert [p.strength for p in report.curves["amplitude"].points][:2] == [1, 0.9]
    assert all(number["ci95"] is not None for number in numbers(report.to_json()["curves"]))
    assert all(target.met for target in report.targets)
    assert (
        Report.from_json(json.loads(json.dumps(report.to_json(), allow_nan=False))).targets == report.targets
    )


def test_missed_targets_say_so():
    bad = make_scores(families=["amplitude", "identity"], harm=lambda system: -harm_of(system) / 4)
    bad = with_errors(bad, "identity-swap-2", 0.5)
    report = make_report(bad, replicates=50)
    assert not any(target.met for target in report.targets)
    assert {row.step.worse for row in find_reversals(report, "avlr")} >= {"amplitude-0.9", "static"}
    assert ">no</td>" in render_page(report, {})


def test_without_nuisances_their_target_is_not_judged():
    report = make_report(make_scores(families=["amplitude"]), replicates=50)
    target = report.targets[-1]
    assert (target.reached, target.met, target.reason) == (None, None, "no nuisance was scored")


def test_few_clips_judge_nothing_however_well_they_come_out():
    report = make_report(make_scores(snr=True, noise=0.01, clips=3, languages=("eng", "ita")), replicates=50)
    assert report.spearman_system.estimate > 0.99
    assert [t.met for t in report.targets] == [True, None, None, None, None]
    assert {t.reason for t in (*report.targets[1:], *report.bits_targets)} == {
        "cannot be judged with 6 clips"
    }
    assert report.verdict[0].startswith("Nobody can tell yet whether AVLR by openhead-av measures")
    page = render_page(report, {})
    assert page.count("<td>cannot be judged with 6 clips</td>") == 4 + len(report.bits_targets) == 7
    assert page.index("Nobody can tell yet") < page.index("What was reached")


def test_one_source_a_language_gives_no_interval_and_so_no_verdict():
    report = make_report(
        make_scores(snr=True, clips=1, languages=tuple("abcdefghijklmnopqrstuvwxyz")), replicates=50
    )
    assert all("no interval" in t.reason for t in report.targets[1:3])
    # The second half of the clips is empty: there is no accuracy, not one of 0.
    accuracy = report.pairwise_accuracy.system
    assert (accuracy.estimate, accuracy.ci95) == (None, None)


def test_intervals_of_empty_halves_are_not_printed():
    # One language with two sources: half of the bootstrap samples leave one half of the clips empty.
    accuracy = make_report(make_scores(clips=2, languages=("ita",)), replicates=200).pairwise_accuracy
    assert accuracy.system.estimate > 0.9
    assert accuracy.system.ci95 is None
    assert accuracy.clip.ci95 is None


def test_verdict_in_words(report):
    assert report.verdict[0].startswith("Yes: AVLR by openhead-av on sample@1 meets all 5 targets.")
    assert "puts 1.00" in report.verdict[1] or "puts 0.99" in report.verdict[1]
    worse = make_report(make_scores(noise=0.3, seed=3), replicates=50)
    assert worse.verdict[0].startswith("No, not as it should: ")
    assert "LVE orders them even better (1.00 against" in worse.verdict[-1]
    assert "very ground truth" in worse.verdict[-1]


def see(low, reason=None):
    """A verdict on true mouths whose differences begin at *low* points."""
    names = ("true", "static", "shuffled", "static-true", "shuffled-true", "percentile")
    found = {name: Number(60.0, (low, 70.0), "points") for name in names} if reason is None else {}
    return Sight("openhead-av", len(found), "AV at -7.5 dB", "phones", found, reason)


@pytest.mark.parametrize(
    ("sight", "reads", "opening", "line"),
    [
        (see(55.0), True, "Yes: AVLR by", "It reads the true motion of this benchmark. openhead-av on the ground"),
        (see(-5.0), False, "No, whatever targets it meets: openhead-av cannot read the true motion of sample@1.",
         "Mind: openhead-av on the ground truth of 6 clips"),
        (see(0.0, "no phones & none to be had"), None, "Yes: AVLR by",
         "Not told: whether openhead-av reads this motion was not looked at: no phones & none to be had;"),
    ],
)  # fmt: skip
def test_the_report_says_whether_the_true_motion_is_read(report, sight, reads, opening, line):
    scores = make_scores(snr=True, noise=0.01, seed=1, clips=5)
    found = make_report(replace(scores, sight=sight), replicates=100)
    assert found.verdict[0].startswith(opening)
    assert found.verdict[1].startswith(line)
    data, without = found.to_json(), report.to_json()
    assert data["sight"]["reads"] is reads
    assert Report.from_json(json.loads(json.dumps(data))).sight == found.sight == sight
    # Nothing else changes.
    assert without["sight"] is None
    for key in ("sight", "verdict"):
        del data[key], without[key]
    assert json.dumps(data) == json.dumps(without)
    text = render_page(found, {})
    assert "<h2>Whether the true motion is read</h2>" in text
    assert Page(text).open == []
    told = text[text.index("Whether the true motion is read") :]
    if reads is None:
        assert "no phones &amp; none to be had.</p>" in told
    else:
        mark = "yes" if reads else "no"
        assert f'<td>the true motion is read</td><td class="{mark}">' in told
        assert f"<td>60.0 [{sight.numbers['true'].ci95[0]:.1f}, 70.0]</td>" in told
        assert "<th>error in % of phones</th><th>AV at -7.5 dB</th>" in told
    assert "Whether the true motion is read" not in render_page(report, {})


@pytest.mark.parametrize("families", [["upper-face-noise"], ["shuffled"], ["head-turn"], ["lag"]])
def test_few_systems_give_a_report_all_the_same(families):
    report = make_report(make_scores(families=families, clips=1, languages=("ita",)), replicates=20)
    assert report.spearman_system.ci95 is None
    assert "<h1>" in render_page(report, draw_plots(report))


def test_nothing_to_compare_is_said():
    scores = make_scores(families=["amplitude"])
    alone = replace(
        scores,
        systems=scores.systems[:1],
        errors={k: v[:1] for k, v in scores.errors.items()},
        phone_errors={k: v[:1] for k, v in scores.phone_errors.items()},
        log_probabilities={k: v[:1] for k, v in scores.log_probabilities.items()},
        others={k: v[:1] for k, v in scores.others.items()},
        geometry={},
    )
    with pytest.raises(UsageError, match="nothing to compare"):
        make_report(alone)


def test_scores_without_phones_are_judged_by_words():
    scores = make_scores(families=["amplitude"])
    nothing = {name: array * float("nan") for name, array in scores.phone_errors.items()}
    scores = replace(
        scores,
        phone_errors=nothing,
        phone_lengths=scores.phone_lengths * float("nan"),
        log_probabilities=nothing,
        tokens=scores.tokens * float("nan"),
        references=tuple(() for _ in scores.clips),
        hypotheses={},
    )
    report = make_report(scores, replicates=20)
    assert [m.name for m in report.measures] == ["avlr", "vsr", "lve_mm", "fdd_abs_m2"]
    assert report.confusions is None
    assert "confusions" not in draw_plots(report)


class Page(HTMLParser):
    """Collects what a page asks for, and whether its tags close."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.open, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(report):
    hostile = replace(report, facts={**report.facts, "recognizer": "<script>alert(1)</script>"})
    page = Page(render_page(hostile, draw_plots(report)))
    assert page.open == []
    assert "script" not in page.tags
    assert len(page.sources) == 9  # every plot but the correlates: four languages are too few
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    text = render_page(report, {})
    assert "Does AVLR by openhead-av measure lip readability?" in text
    assert "sample@1" in text


def test_plots_are_the_same_every_time(report):
    first = draw_plots(report)
    assert draw_plots(Report.from_json(json.loads(json.dumps(report.to_json())))) == first
    assert all(b"<svg" in data and b"<dc:date>" not in data for data in first.values())


def test_files_are_written(report, tmp_path, monkeypatch):
    paths = write_report(report, tmp_path / "out")
    assert paths[0].name == REPORT_HTML
    assert json.loads((tmp_path / "out" / REPORT_JSON).read_text("utf-8"))["condition"] == AV
    assert sorted(p.suffix for p in paths[2:]) == [".svg"] * 9
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    paths = write_report(report, tmp_path / "bare")
    assert [p.name for p in paths] == [REPORT_HTML, REPORT_JSON]
    assert "need matplotlib" in paths[0].read_text("utf-8")


def test_a_report_is_read_back_as_it_was_written(report):
    data = report.to_json()
    again = Report.from_json(json.loads(json.dumps(data)))
    assert again.to_json() == data
    assert list(again.to_json()) == list(data)
    assert again.spearman_clip == report.spearman_clip
    assert again.noise == report.noise
    assert "lead_of_avlr" not in data["spearman_system"]["measures"]["avlr"]
    assert "lead_of_avlr" in data["spearman_system"]["measures"]["vsr"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("curves"), "no table of curves"),
        (lambda data: data.pop("n_clips"), "no 'n_clips'"),
        (lambda data: data["targets"][0].pop("wanted"), "no 'wanted'"),
        (lambda data: data.update(systems={}), "dict where a value of tuple"),
        (lambda data: data["spearman_clip"].update(ci95=[1.0]), "1 values where 2 belong"),
    ],
)
def test_what_is_no_report_is_refused(report, change, message):
    data = report.to_json()
    change(data)
    with pytest.raises(ValueError, match=message):
        Report.from_json(data)


def test_the_plot_of_conditions_shows_clean_sound_and_no_sound(report):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    assert draw_conditions(figure, report)
    shown = {float(x) for line in figure.axes[0].get_lines() for x in line.get_xdata()}
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert (labels[0], labels[-1]) == ("clean", "no sound")
    assert {0.0, len(labels) - 1.0} <= shown
