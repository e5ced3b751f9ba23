"""Results that others send: taken in where they are sound, and scored again to see whether they hold."""

import json
import shutil

import fakes
import numpy as np
import pytest
from nasty import NASTY
from result_folders import make_clips, make_rows, write_result
from typer.testing import CliRunner

import mtbench
from mtbench.cli.app import app
from mtbench.cli.leaderboard import _say_site as say_site
from mtbench.cli.output import say
from mtbench.errors import UsageError
from mtbench.leaderboard import add_result
from mtbench.results import digest_rows, read_results, read_rows, read_run, write_results
from mtbench.scoring import verify_result

CLIPS = make_clips(("ita",), 2)
FOUR = {name: fakes.CLIPS[name] for name in ("ita-01", "ita-02", "eng-01", "eng-02")}


@pytest.fixture
def sent(tmp_path):
    return write_result(tmp_path / "sent", "Ours", make_rows(CLIPS), CLIPS, replicates=2000)


def edit(folder, change):
    data = json.loads((folder / "run.json").read_text("utf-8"))
    change(data)
    (folder / "run.json").write_text(json.dumps(data), "utf-8")


def test_a_sound_result_is_taken_in_byte_for_byte(sent, tmp_path):
    folder, note = add_result(sent, tmp_path / "results")
    assert (folder, note) == (tmp_path / "results" / "ours_d0e1c57d" / "toy", "added") or folder.name == "toy"
    for name in ("run.json", "clips.jsonl"):
        assert (folder / name).read_bytes() == (sent / name).read_bytes()
    assert add_result(sent, tmp_path / "results") == (folder, "the same result lies there already")
    assert add_result(folder, tmp_path / "results") == (folder, "it lies there already")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["summary"][0].update(estimate=0.1, ci95=None), "do not follow from the rows"),
        (lambda d: d["summary"][0].update(n_clips=1), "n_clips is 1 in run.json"),
        (
            lambda d: d["summary"].append({**d["summary"][0], "language": "eng"}),
            "the rows give no such number",
        ),
        (lambda d: d.update(rows_digest="00"), "other rows"),
        (lambda d: d.update(schema_version=99), "newer"),
        (lambda d: d["benchmark"].update(name="../../elsewhere"), "benchmark.name"),
        (lambda d: d["system"].pop("digest"), "system.digest"),
    ],
)
def test_a_result_that_contradicts_itself_is_refused(sent, tmp_path, change, told):
    edit(sent, change)
    with pytest.raises(UsageError, match=told):
        add_result(sent, tmp_path / "results")
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_too_high_is_answered_with_the_one_below(sent, tmp_path):
    shutil.copytree(sent, tmp_path / "high" / "toy")
    with pytest.raises(UsageError, match=r"name the result folder below it: .*high/toy$"):
        read_run(tmp_path / "high")
    with pytest.raises(UsageError, match=r"no run\.json here"):
        add_result(tmp_path / "high", tmp_path / "results")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9" * 5000, "a number of thousands of digits"),
        ("[" * 100_000, "tables within tables of more than 32 levels"),
    ],
    ids=["digits", "depth"],
)
def test_what_no_result_holds_is_told_in_our_words(sent, text, told):
    (sent / "run.json").write_text(f'{{"schema_version": {text}', "utf-8")
    with pytest.raises(UsageError, match=told) as caught:
        read_run(sent)
    assert "sys." not in str(caught.value)


def test_what_is_printed_turns_no_line_and_counts_right(tmp_path, capsys):
    say("\u202ecba \x1b[31m 1.0")
    say_site([tmp_path / "entries" / "a.html", tmp_path / "viewer" / "b.html"], tmp_path)
    told = capsys.readouterr()
    assert told.out == "\\u202ecba \\u001b[31m 1.0\n"
    assert "and 1 page of an entry, 1 clip to look at; open" in told.err


def test_rows_that_were_edited_are_noticed(sent, tmp_path):
    path = sent / "clips.jsonl"
    path.write_text(path.read_text("utf-8").replace('"hits": 3', '"hits": 4', 1), "utf-8")
    with pytest.raises(UsageError):
        add_result(sent, tmp_path / "results")


def test_others_work_is_never_replaced(sent, tmp_path):
    folder, _ = add_result(sent, tmp_path / "results")
    theirs = write_result(tmp_path / "theirs", "Ours", make_rows(CLIPS, 0.1), CLIPS, replicates=2000)
    edit(theirs, lambda d: d["system"].update(digest="11"))
    before = (folder / "run.json").read_bytes()
    with pytest.raises(UsageError, match="another submission by the name of 'Ours'"):
        add_result(theirs, tmp_path / "results")
    assert (folder / "run.json").read_bytes() == before
    again, note = add_result(theirs, tmp_path / "results", replace=True)
    assert again == folder
    assert "replaced" in note
    assert read_run(folder).system.digest == "11"


def test_any_name_gets_a_folder_inside(tmp_path):
    names = [NASTY[:80], "../../up", "/etc", "..", "con", "a/b"]
    for i, name in enumerate(names):
        sent = write_result(tmp_path / f"sent{i}", name, make_rows(CLIPS), CLIPS, replicates=2000)
        folder, _ = add_result(sent, tmp_path / "results")
        assert folder.resolve().is_relative_to((tmp_path / "results").resolve())
        assert read_run(folder).system.name == name
    assert len(list((tmp_path / "results").glob("*/toy/run.json"))) == len(names)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_results_of_older_versions_are_taken_in(version, tmp_path):
    from test_board_site import HISTORIC

    folder, _ = add_result(HISTORIC / f"version-{version}" / "system-b" / "small", tmp_path)
    assert read_run(folder).schema_version == version


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    root = tmp_path_factory.mktemp("scored")
    fakes.make_benchmark(root / "small", FOUR)
    fakes.make_entry(root / "entry", FOUR)
    run = mtbench.score(
        root / "entry", root / "small", recognizer=fakes.ONE_EAR, snr=(-5.0,), workers=1, cache=root / "cache",
        out=root / "results", metrics="lip_dtw_mm",
    )  # fmt: skip
    return root, run.folder


def verify(scored, result=None, **more):
    root, folder = scored
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "clips": 2, "cache": root / "cache", **more}
    return verify_result(
        result or folder, options.pop("submission", root / "entry"), root / "small", **options
    )


def test_a_true_result_holds(scored, tmp_path):
    found = verify(scored, cache=tmp_path)
    assert found.holds
    rows = [row for row in read_rows(scored[1]) if row.clip in found.clips]
    assert (len(found.clips), found.equal, found.close) == (2, len(rows), 0)
    assert {verify(scored, seed=seed).clips for seed in range(6)} > {found.clips}


def cheat(scored, folder, change):
    """Write a result with other rows, whose numbers and digests follow from them; ``add`` cannot see that."""
    run, rows = read_results(scored[1])
    rows = [change(row) for row in rows]
    write_results(folder, run.model_copy(update={"rows_digest": digest_rows(rows)}), rows)
    return folder


def test_a_hypothesis_that_nobody_heard_is_found(scored, tmp_path):
    from dataclasses import replace

    from mtbench.results import GeometryRow

    def change(row):
        if isinstance(row, GeometryRow) or (row.modality, row.snr_db) != ("av", -5.0):
            return row
        return replace(row, hypothesis=row.reference)

    found = verify(scored, cheat(scored, tmp_path / "cheat", change), clips=4)
    assert not found.holds
    assert {d.field for d in found.differences} == {"hypothesis"}
    assert {d.condition.partition("/")[0] for d in found.differences} == {"av-5"}


@pytest.mark.parametrize(("factor", "holds"), [(1 + 1e-6, True), (0.5, False)])
def test_sums_may_differ_as_machines_do(scored, tmp_path, factor, holds):
    from dataclasses import replace

    from mtbench.results import GeometryRow

    def change(row):
        if not isinstance(row, GeometryRow):
            return row
        told = {**row.geometry.statistics, "lve_mm_sum": row.geometry["lve_mm_sum"] * factor}
        return replace(row, geometry=replace(row.geometry, statistics=told))

    found = verify(scored, cheat(scored, tmp_path / "cheat", change))
    assert found.holds is holds
    assert found.close == (2 if holds else 0)
    assert {d.field for d in found.differences} == (set() if holds else {"geometry.lve_mm_sum"})


def test_what_cannot_be_verified_is_said(scored, tmp_path):
    with pytest.raises(UsageError, match=r"other conditions: recognition\.rec"):
        verify(scored, recognizer="fakes:load_no_italian")
    with pytest.raises(UsageError, match="1 or more"):
        verify(scored, clips=0)
    shutil.copytree(scored[0] / "entry", tmp_path / "entry")
    path = tmp_path / "entry" / "motion" / "ita-01.npz"
    with np.load(path) as data:
        np.savez(path, **{**data, "units": data["units"] * np.float32(0.9)})
    with pytest.raises(UsageError, match="is not what"):
        verify(scored, submission=tmp_path / "entry")


def test_the_commands(scored, tmp_path):
    root, folder = scored
    added = CliRunner().invoke(app, ["leaderboard", "add", str(folder), "--results", str(tmp_path)])
    assert added.exit_code == 0
    more = ["--submission", str(root / "entry"), "-b", str(root / "small"), "--recognizer", fakes.ONE_EAR]
    more += ["--workers", "1", "--clips", "1", "--cache", str(root / "cache")]
    told = CliRunner().invoke(app, ["leaderboard", "verify", str(tmp_path / "entry" / "small"), *more])
    assert told.exit_code == 0, told.output
    assert "the result holds" in told.output
    answer = json.loads(
        CliRunner().invoke(app, ["leaderboard", "verify", str(folder), *more, "--json"]).stdout
    )
    assert answer["holds"] is True
