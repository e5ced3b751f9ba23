"""Studies with people: who sees what, how loud, in which words, and what is written."""

import base64
import json
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import factories
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.cli.app import app
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces import load_head
from mtbench.speech import LANGUAGES, level_sounds, measure_loudness
from mtbench.speech.loudness import CEILING, weighting_filters
from mtbench.studies import (
    MOVING,
    STILL,
    Design,
    list_pairs,
    load_texts,
    make_study,
    plan_groups,
    read_aspects,
    write_study,
)
from mtbench.studies.power import measure_plan

NASTY = '=cmd|"</script><script>alert(1)</script>'
CLIPS = {f"{lang}-{n:02}": (lang, 5 + n) for lang in ("ita", "ara") for n in range(1, 5)}

designs = st.builds(
    Design,
    clips=st.integers(1, 7),
    raters=st.integers(1, 30),
    trials=st.integers(1, 40),
    checks=st.integers(0, 4),
    seed=st.integers(0, 9),
    mixed=st.booleans(),
)


@settings(deadline=None)
@given(designs, st.integers(2, 5), st.integers(1, 8))
def test_items_are_shown_equally_often_with_their_sides_in_balance(design, systems, n_clips):
    pairs = list_pairs([f"s{n}" for n in range(systems)])
    clips = {lang: [f"{lang}-{n}" for n in range(n_clips)] for lang in ("ita", "eng")}
    groups = plan_groups(design, pairs, clips)
    assert [group.name for group in groups] == (["mul"] if design.mixed else ["ita", "eng"])
    for group in groups:
        shown: Counter = Counter()
        for plan in group.schedules:
            kinds = [showing.item.kind for showing in plan]
            assert kinds[0] == "practice"
            assert kinds.count("practice") == 1
            assert kinds.count("check") == design.checks
            sides: dict = {}
            for showing in plan:
                if showing.item.kind == "pair":
                    shown[showing.item, showing.swapped] += 1
                    pair = sides.setdefault((showing.item.a, showing.item.b), Counter())
                    pair[showing.swapped] += 1
            assert all(abs(side[True] - side[False]) <= 2 for side in sides.values())
            seen = [showing.item for showing in plan if showing.item.kind == "pair"]
            assert len(seen) == len(set(seen))
        items = {item for item, _ in shown}
        counts = [shown[item, True] + shown[item, False] for item in items]
        whole = len(pairs) * min(design.clips, n_clips) * (2 if design.mixed else 1)
        often = design.raters * min(design.trials, whole)
        assert len(items) == min(whole, often)
        assert max(counts) - min(counts) <= 1
        assert all(abs(shown[item, True] - shown[item, False]) <= 1 for item in items)


def test_all_of_a_raters_trials_are_balanced_where_a_rater_sees_everything():
    design = Design(clips=6, raters=4, trials=100)
    (group,) = plan_groups(design, list_pairs(["a", "b", "c"]), {"ita": [f"c{n}" for n in range(9)]})
    for plan in group.schedules:
        sides = Counter((s.item.a, s.item.b, s.swapped) for s in plan if s.item.kind == "pair")
        assert set(sides.values()) == {3}
        clips = [s.item.clip for s in plan if s.item.kind == "pair"]
        assert all(one != next_one for one, next_one in pairwise(clips))
        places = [place for place, s in enumerate(plan) if s.item.kind == "check"]
        assert 1 < places[0] < len(plan) / 2 <= places[1]
        practiced = {s.item.clip for s in plan if s.item.kind != "pair"}
        assert not practiced & set(clips)
    orders = [[s.item for s in plan] for plan in group.schedules]
    assert orders[0] != orders[1]


def test_a_plan_follows_from_its_seed():
    pairs, clips = list_pairs(["a", "b"]), {"ita": ["c1", "c2", "c3"]}
    assert plan_groups(Design(), pairs, clips) == plan_groups(Design(), pairs, clips)
    assert plan_groups(Design(seed=2), pairs, clips) != plan_groups(Design(), pairs, clips)


def test_the_power_of_a_plan_is_that_of_its_tests():
    def measure(**design):
        clips = {"ita": [f"c{n}" for n in range(30)]}
        return measure_plan(plan_groups(Design(**design), list_pairs(["a", "b"]), clips))

    assert measure(clips=5).clips == 0.0  # 2 of 32 ways to swap five clips: no p-value below 0.06
    small, large = measure(clips=6, raters=5), measure(clips=30, raters=40)
    assert small.raters < large.raters
    assert small.clips < large.clips
    assert large.raters > 0.9


def test_what_cannot_be_planned_is_told():
    with pytest.raises(UsageError, match="at least two"):
        list_pairs(["a"])
    with pytest.raises(UsageError, match="several submissions are called 'a'"):
        list_pairs(["a", "b", "a"])
    with pytest.raises(UsageError, match="did you mean mine"):
        list_pairs(["mine", "theirs"], "mime")
    with pytest.raises(UsageError, match="no clip of ita"):
        plan_groups(Design(), [("a", "b")], {"ita": []})
    with pytest.raises(UsageError, match="clips = 0"):
        Design(clips=0)
    with pytest.raises(UsageError, match="none twice"):
        Design(aspects=read_aspects(["realism", "realism"]))
    with pytest.raises(UsageError, match="has no question"):
        read_aspects(["warmth"])
    with pytest.raises(UsageError, match=r"'=1\+1=q': expected lower-case"):
        read_aspects(["=1+1=q"])


def test_loudness_is_the_recommendations():
    """Coefficients that ITU-R BS.1770-4 prints for 48 kHz; its tone; EBU Tech 3341's gates."""
    (shelf_b, shelf_a), (pass_b, pass_a) = weighting_filters(48000)
    assert shelf_b == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-8)
    assert shelf_a == pytest.approx([1, -1.69065929318241, 0.73248077421585], abs=1e-8)
    assert pass_b == pytest.approx([1, -2, 1])
    assert pass_a == pytest.approx([1, -1.99004745483398, 0.99007225036621], abs=1e-8)
    tone = np.sin(2 * np.pi * 997 * np.arange(5 * 48000) / 48000)
    assert measure_loudness(tone, 48000) == pytest.approx(-3.01, abs=0.01)
    pauses = np.concatenate([0.1 * tone, 0 * tone, 0.001 * tone])
    assert measure_loudness(pauses, 48000) == pytest.approx(measure_loudness(0.1 * tone, 48000), abs=0.2)
    assert measure_loudness(0.1 * tone[:1000], 48000) > -60
    assert measure_loudness(np.zeros(16000)) == -np.inf


def test_sounds_are_brought_to_one_loudness_without_clipping():
    rng = np.random.default_rng(1)
    sounds = {name: (level * rng.standard_normal(16000)).astype(np.float32) for name, level in
              (("soft", 0.01), ("loud", 0.2))}  # fmt: skip
    sounds["peaky"] = sounds["soft"].copy()
    sounds["peaky"][8000] = 0.9
    made = level_sounds(sounds)
    after = {name: sound * made.gains[name] for name, sound in sounds.items()}
    assert made.limited_by == "peaky"
    assert made.target < -20
    for sound in after.values():
        assert measure_loudness(sound) == pytest.approx(made.target, abs=0.01)
        assert np.abs(sound).max() <= CEILING + 1e-6
    del sounds["peaky"]
    assert level_sounds(sounds).target == -20.0
    with pytest.raises(UsageError, match="the sound of mute is silent"):
        level_sounds({"mute": np.zeros(1000)})


def test_every_language_has_every_text():
    texts = load_texts()
    assert list(texts) == list(LANGUAGES)
    keys = set(texts["eng"])
    for code, found in texts.items():
        assert set(found) == keys, code
        assert all(value and value == value.strip() for value in found.values()), code
        for key, value in found.items():
            assert set(re.findall(r"\{\w+\}", value)) == set(re.findall(r"\{\w+\}", texts["eng"][key])), (
                code,
                key,
            )
            if code != "eng" and key not in ("tag", "direction"):
                assert value != texts["eng"][key], (code, key)
    assert len({found["name"] for found in texts.values()}) == 20
    assert [code for code, found in texts.items() if found["direction"] == "rtl"] == ["ara"]


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """A benchmark of the bundled head, and two submissions of it, one with a nasty name."""
    folder = tmp_path_factory.mktemp("study")
    neutral = load_head().topology.neutral
    face = {"topology": "openhead-1", "neutral": neutral}
    bench = factories.make_benchmark(folder, clips=CLIPS, **face)
    one = factories.make_submission(folder, "one", CLIPS, system="Good", **face)
    two = factories.make_submission(folder, "two", CLIPS, system="Bad", **face)
    (two / "submission.toml").write_text(
        (two / "submission.toml").read_text().replace('"Bad"', json.dumps(NASTY))
    )
    return bench, one, two


@pytest.fixture(scope="module")
def study(entries):
    bench, one, two = entries
    return make_study([one, two], bench, Design(clips=1, raters=3, checks=1))


def test_a_study_holds_its_plan_and_is_the_same_again(entries, study, tmp_path):
    bench, one, two = entries
    again = make_study([one, two], bench, Design(clips=1, raters=3, checks=1))
    assert study.files == again.files
    page = write_study(study, tmp_path / "out")
    assert page == tmp_path / "out" / "page" / "index.html"
    write_study(again, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "study.json").read_text("utf-8"))
    assert [system["name"] for system in record["systems"]] == ["Good", NASTY]
    assert [len(group["schedules"]) for group in record["groups"]] == [3, 3]
    (face, *_) = (f for f in record["faces"] if f["system"] == "Good")
    assert (page.parent / "media" / f"{face['file']}.js").is_file()
    assert record["largest_error_mm"] < 0.05
    other = replace(study, record={**record, "design": {}})
    with pytest.raises(UsageError, match="another study"):
        write_study(other, tmp_path / "out")
    with pytest.raises(UsageError, match="its groups is another"):
        make_study([one, two], bench, Design(clips=1, raters=3, checks=1), ["ita"], out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / "study.json").read_text("utf-8")) == record
    (tmp_path / "out" / "page" / "media" / "old.js").write_text("")
    with pytest.raises(UsageError, match="no file of this study"):
        write_study(study, tmp_path / "out")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="something else than a study"):
        write_study(study, tmp_path / "thesis")


def test_nothing_that_raters_load_names_a_system(study):
    for name, text in study.files.items():
        assert not re.search("good|bad|cmd", name, re.IGNORECASE)
        if name.startswith("page/"):
            assert "Good" not in text
            assert "cmd|" not in text
            assert "alert(1)" not in text
    assert base64.b64encode(b"Good").decode() in study.files["page/index.html"]


def test_a_check_has_a_face_that_moves_and_one_that_does_not(entries):
    from mtbench.benchmarks import load_benchmark
    from mtbench.studies.stimuli import read_face
    from mtbench.submissions import load_submission

    bench, one, _ = entries
    benchmark = load_benchmark(bench)
    clip = benchmark["ita-02"]
    submissions = {"Good": load_submission(one, benchmark)}
    moving, still = read_face(MOVING, clip, submissions), read_face(STILL, clip, submissions)
    assert np.array_equal(moving.vertices, clip.load_motion().vertices)
    assert len(still) == len(moving)
    assert np.ptp(still.vertices, axis=0).max() == 0
    assert np.ptp(moving.vertices, axis=0).max() > 0.001


def test_the_command_makes_a_page_and_says_what_it_asks(entries, tmp_path, caplog):
    from typer.testing import CliRunner

    bench, one, two = entries
    (tmp_path / "consent.txt").write_text("We ask you.\n\n<b>Really</b>.\n")
    out = tmp_path / "made"
    arguments = ["study", "make", str(one), str(two), "--benchmark", str(bench), "--out", str(out),
                 "--language", "Italian", "--clips", "2", "--consent", str(tmp_path / "consent.txt")]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "2 systems, 1 pair of them, 2 clips (ita)\n" in result.output
    assert (
        "24 schedules, each with 2 trials and 2 attention checks, and 2 questions about each\n"
        in result.output
    )
    assert "all schedules once: 48 judgements of each pair on each question\n" in result.output
    assert "over raters, 0% over clips" in result.output
    assert "so few clips say little" in caplog.text
    assert "so few raters" in caplog.text
    assert str(out / "page" / "index.html") in result.output
    record = json.loads((out / "study.json").read_text("utf-8"))
    assert record["consent"] == ["We ask you.", "<b>Really</b>."]
    result = CliRunner().invoke(app, [*arguments, "--language", "French"])
    assert isinstance(result.exception, UsageError)


def test_what_cannot_be_shown_is_told_before_anything_is_packed(tmp_path):
    bench = factories.make_benchmark(tmp_path)
    one = factories.make_submission(tmp_path, "one")
    two = factories.make_submission(tmp_path, "two", system="Other")
    with pytest.raises(PrerequisiteError, match="FLAME"):
        make_study([one, two], bench)
    with pytest.raises(UsageError, match="several submissions are called 'Test system'"):
        make_study([one, one], bench)
