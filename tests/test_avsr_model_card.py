"""The model card: aims beside what was reached, nothing rounded in our favor, people's text kept."""

import json

import pytest

from mtbench.avsr.evaluation.error_rows import ErrorRow
from mtbench.avsr.evaluation.model_card import (
    GAIN,
    GENERATED,
    LEXICON,
    TARGETS,
    describe_balance,
    format_summary,
    format_table,
    is_met,
    summarize,
    write_lexicon_part,
    write_model_card,
)


def row(condition, per, wer=0.5, language="all", n=120, **more):
    return ErrorRow(condition, language, per, wer, wer, n, **more)


ROWS = [
    row("av-clean", 0.0604, 0.06),
    row("av-clean", 0.03, 0.04, "ita", 6),
    row("av-clean", 0.0846, 0.08, "jpn", 6),
    row("av-7.5", 0.30, 0.3),
    row("a-clean", 0.09, 0.3),
    row("a-7.5", 0.76, 0.9),
    row("v", None, None, n=0, reason="the mouth was | hidden"),
]


def test_gain_follows_the_noisy_conditions():
    found = summarize(ROWS)
    assert [r.condition for r in found] == ["av-clean", "av-7.5", "a-clean", "a-7.5", GAIN, "v"]
    assert found[4].per == pytest.approx(0.46)
    assert found[4].wer == pytest.approx(0.6)
    assert [r.condition for r in summarize(ROWS[:3])] == ["av-clean"]


@pytest.mark.parametrize(
    ("condition", "value", "met"),
    [
        ("av-clean", 0.06, True),
        ("av-clean", 0.0600001, False),
        (GAIN, 0.40, True),
        (GAIN, 0.3999, False),
        ("v", None, None),
        ("a-7.5", 0.9, None),
    ],
)
def test_aims_are_decided_before_rounding(condition, value, met):
    assert is_met(condition, "per", value) is met


def test_summary_says_met_missed_and_why_not_measured():
    lines = format_summary(ROWS).split("\n")
    table = {line.split("`")[1]: line for line in lines if line.startswith("|") and "`" in line}
    assert "| 6.04 | ≤ 6 missed | 6.00 |  |" in table["av-clean"]
    assert "| 30.00 | ≤ 30 met |" in table["av-7.5"]
    assert "| 46.00 | ≥ 40 met | 60.00 |  |" in table[GAIN]
    assert "| n/a |  |" in table["v"]
    assert "| n/a | ≤ 34 not measured |" in format_summary(
        [row("flame-clay-av-7.5", None, None, n=0, reason="")]
    )
    assert lines[-1] == "- `v` was not measured: the mouth was | hidden"
    assert "aim" not in format_summary(ROWS, aims=False)


def test_every_aim_has_a_condition():
    from mtbench.avsr.evaluation.conditions import list_conditions

    assert set(TARGETS) - {GAIN} <= {c.name for c in list_conditions()}


def test_languages_in_rows_conditions_in_columns():
    lines = format_table(ROWS).split("\n")
    assert lines[0] == "| language | av-clean | av-7.5 | a-clean | a-7.5 |"
    assert lines[2] == "| mean | 6.0 | 30.0 | 9.0 | 76.0 |"
    assert lines[3] == "| Italian | 3.0 | n/a | n/a | n/a |"
    assert len({line.count("|") for line in lines}) == 1


def test_balance_names_the_worst_language():
    assert "Japanese 1.40 (met" in describe_balance(ROWS)
    worse = [*ROWS, row("av-clean", 0.108, language="deu"), row("av-clean", 0.5, language="tha")]
    assert "German 1.79 (missed" in describe_balance(worse)
    assert "Thai" not in describe_balance(worse).replace("but Thai", "")
    assert describe_balance([]) is None


def test_card_keeps_the_head_and_is_written_anew(tmp_path):
    weights = tmp_path / "w.safetensors"
    meta = {"training": {"seed": 1, "steps": 10}, "decoding": {"word_score": -1.0}}
    weights.with_suffix(".json").write_text(json.dumps(meta), "utf-8")
    card = write_model_card(weights, ROWS, "# mine\n\nWhat people wrote.")
    first = card.read_text("utf-8")
    assert first.startswith("# mine\n\nWhat people wrote.\n\n" + GENERATED)
    for part in ("- steps: 10", "- word_score: -1.0", "≤ 6 missed", "| Italian |", "### Character error"):
        assert part in first
    assert write_model_card(weights, ROWS).read_text("utf-8") == first
    assert first.count("| 6.04 |") == 1
    assert "6.10" in write_model_card(weights, [row("av-clean", 0.061)]).read_text("utf-8")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".md"]


def test_the_card_says_which_voices_and_which_half_a_figure_is_of(tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.with_suffix(".json").write_text(json.dumps({"training": {}, "decoding": {}}), "utf-8")
    rows = [
        row("heldout-engines-all-a-clean", 0.47, 0.49, n=25),
        row("heldout-engines-all-a-clean", 0.41, 0.42, "ita", 4),
        row("development-engines-all-a-clean", 0.5, 0.52, n=25),
        row("development-engines-all-a-clean", 0.5, 0.52, "ita", 4),
        row("whole-engines-a-clean", 0.495, 0.456, n=26),
        row("heldout-both-all-av-7.5", None, None, n=0, reason="it was not built here: x"),
    ]
    text = write_model_card(weights, rows, "# A judge").read_text("utf-8")
    everywhere, part = text.split("## Held-out engines: which voices, which half")
    # The tables of all conditions are of the test half.
    assert "| 25 | 47.00 |" in everywhere
    assert "development" not in everywhere
    assert "whole" not in everywhere
    assert "- `heldout-both-all-av-7.5` was not measured: it was not built here: x" in everywhere
    for line in (
        "| held-out engine, audio only, clean | all | test | 25 | 47.00 | 49.00 |",
        "| held-out engine, audio only, clean | all | development | 25 | 50.00 | 52.00 |",
        "| held-out engine, audio only, clean | that ship | both | 26 | 49.50 | 45.60 |",
        "| held-out engine × held-out articulation, AV at -7.5 dB | all | test | 0 | n/a | n/a |",
    ):
        assert part.count(line) == 1
    assert len([line for line in part.split("\n") if line.startswith("| held-out")]) == 18
    assert "openhead-engines-all" in part


def test_the_lexicons_part_is_replaced_by_its_command_and_kept_by_the_other(tmp_path):
    weights = tmp_path / "judge.safetensors"
    weights.with_suffix(".json").write_text(json.dumps({"training": {"steps": 3}, "decoding": {}}))
    card = write_model_card(weights, ROWS, "# A judge")
    alone = card.read_text()
    assert LEXICON not in alone
    write_lexicon_part(weights, "# The lexicon's share\n\nMean.\n\n## v: PER 30.0\n\n| closed | 1 |\n")
    assert (
        card.read_text() == f"{alone.rstrip()}\n\n{LEXICON}\n\nMean.\n\n### v: PER 30.0\n\n| closed | 1 |\n"
    )
    write_lexicon_part(weights, "# The lexicon's share\n\nAnother mean.\n")
    assert card.read_text() == f"{alone.rstrip()}\n\n{LEXICON}\n\nAnother mean.\n"
    write_model_card(weights, ROWS)
    assert card.read_text() == f"{alone.rstrip()}\n\n{LEXICON}\n\nAnother mean.\n"
