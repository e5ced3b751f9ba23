"""``--snr`` as people type and paste it."""

import contextlib

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mtbench.cli.decibels import SnrCommand, parse_snrs, spread_snrs
from mtbench.errors import UsageError


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["-7.5,-10"], (-7.5, -10)),
        (["-7.5", "-10"], (-7.5, -10)),
        (["−7.5,–10"], (-7.5, -10)),
        (["﹣7.5", "－１０", "—3", "‑2"], (-7.5, -10, -3, -2)),
        (["-7.5dB, -10 dB"], (-7.5, -10)),
        (["-7.5 -10 0"], (-7.5, -10, 0)),
        (["-7.5;-10,"], (-7.5, -10)),
        (["-10,-5,0,5,10"], (-10, -5, 0, 5, 10)),
        (["5,0,-5"], (5, 0, -5)),
        (["0,5"], (0, 5)),
        (["+5", ".5", "-.5", "-0"], (5, 0.5, -0.5, 0)),
        (["-7, +5"], (-7, 5)),
    ],
)
def test_what_is_read(values, expected):
    assert parse_snrs(values) == expected
    assert "-0.0" not in str(parse_snrs(values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["-7,5"], "write -7.5 for the number, or '-7, +5' for two of them"),
        (["−7,5"], "write -7.5 for the number"),
        (["-7,5,-10"], "write -7.5 for the number"),
        (["-7,5 dB"], "write -7.5 for the number"),
        (["nan"], "finite numbers of decibels"),
        (["-inf"], "finite numbers of decibels"),
        (["1e3"], "finite numbers of decibels"),
        (["--5"], "finite numbers of decibels"),
        (["clean"], "clean sound is always measured"),
        (["-7.5,ten"], "finite numbers of decibels"),
        (["1000"], "expected -100 to 100"),
        (["9" * 5000], "expected -100 to 100"),
        ([""], "takes numbers of decibels"),
        ([",,"], "takes numbers of decibels"),
        (["-7.5", "-7.50"], "gives -7.5 twice"),
    ],
)
def test_what_is_refused_in_one_line(values, words):
    with pytest.raises(UsageError) as caught:
        parse_snrs(values)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def run(*args):
    app = typer.Typer(add_completion=False)

    @app.command(cls=SnrCommand)
    def score(entry: str, snr: list[str] = typer.Option(None), workers: int = typer.Option(1)):
        print(entry, parse_snrs(snr or ["-1"]), workers)

    return CliRunner().invoke(app, list(args))


@pytest.mark.parametrize(
    "args",
    [
        ("entry", "--snr", "-7.5", "-10", "--workers", "2"),
        ("--snr", "-7.5", "-10", "entry", "--workers", "2"),
        ("--workers", "2", "--snr", "−7.5", "−10", "entry"),
        ("--snr=-7.5", "-10", "--workers", "2", "entry"),
        ("--snr", "-7.5,", "-10", "entry", "--workers=2"),
        ("--snr", "-7.5", "dB", "-10", "dB", "entry", "--workers=2"),
        ("--snr", "-7.5", "--snr", "-10", "entry", "--workers=2"),
        ("--snr", "-7.5", "--workers=2", "--snr=-10", "--", "entry"),
    ],
)
def test_numbers_that_follow_are_more_values(args):
    done = run(*args)
    assert (done.exit_code, done.output) == (0, "entry (-7.5, -10.0) 2\n")


def test_a_folder_that_is_called_like_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert spread_snrs(["--snr", "-5", "10"]) == ["--snr=-5", "--snr=10"]
    (tmp_path / "10").mkdir()
    assert spread_snrs(["--snr", "-5", "10"]) == ["--snr=-5", "10"]
    assert spread_snrs(["x", "--", "--snr", "-5", "-6"]) == ["x", "--", "--snr", "-5", "-6"]
    assert spread_snrs(["--snr"]) == ["--snr"]


@given(st.lists(st.text(st.sampled_from("0123456789.,;-+−–＋dB enaif\u0663"), max_size=12), max_size=4))
def test_any_text_is_numbers_or_refused(values):
    with contextlib.suppress(UsageError):
        found = parse_snrs(values)
        assert found
        assert all(-100 <= value <= 100 for value in found)
    assert "".join(spread_snrs(["--snr", *values])).replace("--snr", "").replace("=", "") == "".join(values)


@pytest.mark.parametrize("command", [["score", "entry"], ["avsr", "evaluate"]])
def test_the_commands_that_take_them(monkeypatch, command):
    from mtbench.avsr.evaluation import error_table
    from mtbench.cli.app import app
    from mtbench.scoring import scoring

    asked = []

    def record(*args, snr, **kwargs):
        asked.append(snr)
        raise UsageError("enough")

    monkeypatch.setattr(scoring, "score", record)
    monkeypatch.setattr(error_table, "evaluate", record)
    for typed in (["--snr", "-7.5", "-10"], ["--snr", "−7.5,−10"], ["--snr=-7.5", "--snr=-10"]):
        assert str(CliRunner().invoke(app, [*command, *typed]).exception) == "enough"
    assert asked == [(-7.5, -10.0)] * 3
