"""Profiles: their settings reach the score, what was changed stands in the signature, and names alone part nobody."""

import json

import fakes
import pytest
from typer.testing import CliRunner

import mtbench
from mtbench.avsr import Hypothesis, ask_for
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.renderers import Appearance
from mtbench.results import read_results, write_results
from mtbench.results.comparability import find_conflicts
from mtbench.results.folders import conditions_digest
from mtbench.results.signature import Signature
from mtbench.scoring import PROFILES, RECOMMENDED, Profile, load_profile

QUIET = Profile(
    "quiet", snrs=(5.0,), noises=("hiss",), normalizer="multitalk", appearance=Appearance(shading="flat")
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("profiles")
    fakes.make_benchmark(root / "small")
    fakes.make_entry(root / "entry")
    return root


def score(place, **options):
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "cache": place / "cache"} | options
    return mtbench.score(place / "entry", place / "small", **options)


def profile_of(run):
    (name,) = {Signature.parse(text).get("profile") for key, text in run.signatures.items() if "|" in key}
    # No profile changes how geometry is measured.
    assert Signature.parse(run.signatures["lve_mm"]).get("profile") is None
    return name


def test_recommended_is_what_a_score_does():
    assert load_profile("recommended") is RECOMMENDED
    assert (RECOMMENDED.snrs, RECOMMENDED.noises, RECOMMENDED.normalizer) == ((-7.5, -10.0), None, "uni-v1")
    assert (RECOMMENDED.renderer, RECOMMENDED.crop, RECOMMENDED.decoding) == ("software", "mouth96@1", None)


def test_changes_are_named_in_the_order_of_the_fields():
    changed = RECOMMENDED.change(normalizer="multitalk", snrs=(0.0,), renderer="software")
    assert changed.name == "recommended+snrs+normalizer"
    assert (changed.snrs, changed.normalizer) == ((0.0,), "multitalk")
    assert RECOMMENDED.change(snrs=(-7.5, -10.0)) is RECOMMENDED


@pytest.mark.parametrize(
    "settings", [{"crop": "mouth88@1"}, {"aggregation": "median"}, {"name": ""}, {"name": "a|b"}]
)
def test_impossible_profiles_are_refused(settings):
    with pytest.raises(UsageError, match="profile"):
        Profile(**settings)


def test_unknown_profiles_are_refused_with_what_was_meant():
    with pytest.raises(UsageError, match=r"unknown profile 'recomended'; did you mean recommended\?"):
        load_profile("recomended")


def test_settings_reach_the_score(place):
    run = score(place, profile=QUIET)
    assert {(row.snr_db, row.noise) for row in run.summary if row.modality == "av"} == {
        (None, None), (5.0, "hiss"), (5.0, "all"),
    }  # fmt: skip
    assert run.settings["normalizer"] == run.settings["recognition"]["norm"] == "multitalk"
    assert run.settings["video"]["render"] != score(place).settings["video"]["render"]
    assert profile_of(run) == "quiet"


def test_options_change_the_profile_and_are_named(place):
    assert profile_of(score(place)) == "recommended"
    assert profile_of(score(place, snr=[-7.5], noise_names=["babble"])) == "recommended+snrs+noises"
    assert profile_of(score(place, profile=QUIET, normalizer="uni-v1")) == "quiet+normalizer"


def test_a_name_alone_parts_nobody(place):
    plain, renamed = score(place), score(place, profile=Profile("house"))
    assert profile_of(renamed) == "house"
    assert find_conflicts(plain, renamed) == []
    assert conditions_digest(plain) == conditions_digest(renamed)
    other = score(place, profile=Profile("house", normalizer="multitalk"))
    assert any("norm: uni-v1 != multitalk" in line for line in find_conflicts(plain, other))


def test_a_result_of_before_there_were_profiles_is_replaced_not_kept_beside(place, tmp_path):
    run = score(place, out=tmp_path)
    kept, rows = read_results(run.folder)
    signatures = {key: text.replace("|profile:recommended", "") for key, text in kept.signatures.items()}
    assert signatures != kept.signatures
    write_results(run.folder, kept.model_copy(update={"signatures": signatures}), rows)
    assert score(place, out=tmp_path).folder == run.folder
    assert len(list(tmp_path.glob("*/*/run.json"))) == 1


def test_counting_anew_says_what_changed(place, tmp_path):
    run = score(place, out=tmp_path)
    again = mtbench.rescore(run.folder, normalizer="multitalk", out=tmp_path / "again")
    assert profile_of(again) == "recommended+normalizer"
    assert profile_of(mtbench.rescore(run.folder, out=tmp_path / "same")) == "recommended"
    # And back: the settings are those of the profile again.
    assert (
        profile_of(mtbench.rescore(again.folder, normalizer="uni-v1", out=tmp_path / "back")) == "recommended"
    )


def test_counting_anew_names_what_changed_as_a_score_does(place, tmp_path):
    """Whichever way a normalizer is reached, the profile has one name."""
    flat = {"appearance": Appearance(shading="flat"), "snr": [5.0]}
    run = score(place, **flat, out=tmp_path)
    assert profile_of(run) == "recommended+snrs+appearance"
    scored = score(place, **flat, normalizer="multitalk", out=tmp_path / "scored")
    counted = mtbench.rescore(run.folder, normalizer="multitalk", out=tmp_path / "counted")
    assert profile_of(counted) == profile_of(scored) == "recommended+snrs+normalizer+appearance"
    third = mtbench.rescore(scored.folder, normalizer="muavic-13a", out=tmp_path / "third")
    assert profile_of(third) == "recommended+snrs+normalizer+appearance"
    # A profile of a package that is not here.
    assert profile_of(score(place, profile=QUIET, out=tmp_path / "quiet")) == "quiet"
    other = mtbench.rescore(
        tmp_path / "quiet" / "entry" / "small", normalizer="uni-v1", out=tmp_path / "other"
    )
    assert profile_of(other) == "quiet+normalizer"


class Searching(fakes.OneEar):
    def __init__(self, decoding="greedy", device="cpu"):
        self.decoder, self.device = decoding, device


def load_searching(decoding="greedy", device="cpu"):
    return Searching(decoding, device)


def test_the_search_of_a_profile_is_the_recognizers(place):
    spec = "test_profiles:load_searching"
    run = score(place, recognizer=spec, profile=Profile("wide", decoding="beam-40"))
    assert run.settings["recognition"]["dec"] == "beam-40"
    assert score(place, recognizer=spec).settings["recognition"]["dec"] == "greedy"
    with pytest.raises(UsageError, match="takes no decoding"):
        score(place, profile=Profile("wide", decoding="beam-40"))
    # Another search than the profile's is a change of it.
    wide = {"recognizer": ask_for(spec, decoding="beam-40"), "profile": "recommended"}
    assert profile_of(run) == "wide"
    assert profile_of(score(place, **wide)) == "recommended+decoding"
    assert score(place, **wide).settings["recognition"]["dec"] == "beam-40"
    narrow = score(
        place, recognizer=ask_for(spec, decoding="greedy"), profile=Profile("wide", decoding="beam-40")
    )
    assert (profile_of(narrow), narrow.settings["recognition"]["dec"]) == ("wide+decoding", "greedy")


def test_a_faulty_profile_of_another_package_is_said_where_it_is_asked_for_and_listed(monkeypatch):
    makers = {"recommended": lambda: RECOMMENDED, "loud": lambda: QUIET, "none": dict, "bad": {}.__getitem__}
    monkeypatch.setattr(PROFILES, "_bundled", makers)
    with pytest.raises(UsageError, match=r"'loud' of another package .* gives the profile 'quiet'"):
        load_profile("loud")
    with pytest.raises(UsageError, match="is a dict, expected a Profile"):
        load_profile("none")
    with pytest.raises(UsageError, match=r"'bad' of another package failed with TypeError"):
        load_profile("bad")
    done = CliRunner().invoke(app, ["ls", "profiles"])
    assert done.exit_code == 0
    assert "recommended      -7.5, -10 dB" in done.output
    assert "expected a Profile" in done.output


def test_profiles_are_listed_and_taken_on_the_command_line(place, tmp_path):
    listed = CliRunner().invoke(app, ["ls", "profiles"]).output
    assert "recommended      -7.5, -10 dB, uni-v1, software, mouth96@1" in listed
    command = [
        "score",
        str(place / "entry"),
        "-b",
        str(place / "small"),
        "--recognizer",
        "none",
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(
        app, [*command, "--profile", "recommended", "--normalizer", "muavic-13a", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["settings"]["recognition"]["profile"] == "recommended+normalizer"


def test_warnings_have_codes(place, tmp_path):
    run = score(place, recognizer="fakes:load_no_italian", out=tmp_path)
    assert len(run.warnings) == len(run.warning_codes)
    assert "languages-not-covered" in run.warning_codes
    told = dict(zip(run.warning_codes, run.warnings, strict=True))
    assert told["not-understood"].endswith("means little")
    # Counting anew replaces the one that follows from the counts, and keeps the others.
    again = mtbench.rescore(run.folder, out=tmp_path / "again")
    assert (again.warnings, again.warning_codes) == (run.warnings, run.warning_codes)


def test_older_results_have_no_codes_and_their_warnings_are_told_apart_all_the_same(place, tmp_path):
    """By what the recognizer understood, not by searching the text for English words."""
    run = score(place, recognizer="fakes:load_no_italian", out=tmp_path)
    kept, rows = read_results(run.folder)
    theirs = "a note that a lip reader does not understand"
    older = {"warnings": (theirs, *kept.warnings), "warning_codes": ()}
    write_results(run.folder, kept.model_copy(update=older), rows)
    again = mtbench.rescore(run.folder, out=tmp_path / "again")
    assert sorted(again.warnings) == sorted((theirs, *run.warnings))
    assert again.warning_codes[0] == "other"


def test_codes_that_do_not_fit_the_warnings_are_refused(place, tmp_path):
    run = score(place, out=tmp_path)
    path = run.folder / "run.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "warnings": ["one"], "warning_codes": ["a", "b"]}))
    with pytest.raises(UsageError, match="warning_codes has 2 entries, expected 1"):
        read_results(run.folder)


def test_hypotheses_are_read_as_they_were_written():
    for hypothesis in (Hypothesis("a b", ("a", "b")), Hypothesis("", None), Hypothesis("x", ())):
        assert Hypothesis.from_json(json.loads(json.dumps(hypothesis.to_json()))) == hypothesis
