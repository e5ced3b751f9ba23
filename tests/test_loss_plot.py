"""The table and the picture of a run's losses."""

import numpy as np
import pytest

from mtbench.errors import UsageError
from mtbench.learning.loss_plot import average_back, plot_losses, read_losses

HEAD = "step,seconds,learning_rate,ctc,frame\n"


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "losses.csv"
        path.write_text(text, "utf-8")
        return path

    return write


def test_losses_by_column(table):
    steps, losses = read_losses(table(HEAD + "20,1.0,1e-3,4.5,3\n40,2.0,1e-3,4.0,2\n"))
    assert steps.tolist() == [20, 40]
    assert {k: v.tolist() for k, v in losses.items()} == {"ctc": [4.5, 4.0], "frame": [3.0, 2.0]}


def test_steps_said_twice_after_a_kill_count_once_and_last(table):
    steps, losses = read_losses(table(HEAD + "20,1,1,9,9\n40,2,1,8,8\n60,3,1,7,7\n40,1,1,5,5\n"))
    assert steps.tolist() == [20, 40, 60]
    assert losses["ctc"].tolist() == [9, 5, 7]


@pytest.mark.parametrize("rest", ["40,2.0,1e-", "40,2.0,1e-3,4.0,", "4"])
def test_a_line_cut_off_by_a_kill_is_left_out(table, rest):
    assert read_losses(table(HEAD + "20,1.0,1e-3,4.5,3\n" + rest))[0].tolist() == [20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("a,b\n1,2\n", "first line"),
        ("step,seconds,learning_rate\n", "first line"),
        (HEAD + "20,1,1,x,3\n40,1,1,2,3\n", "line 2"),
        (HEAD + "20,1,1\n40,1,1,2,3\n", "3 fields, expected 5"),
    ],
)
def test_what_is_no_table_of_losses_is_refused(table, text, message):
    with pytest.raises(UsageError, match=message):
        read_losses(table(text))


def test_missing_table(tmp_path):
    with pytest.raises(UsageError, match="mtbench avsr train"):
        read_losses(tmp_path / "losses.csv")


def test_the_mean_looks_back_so_far_and_forgets_the_rest():
    values = np.concatenate([np.full(5, 300.0), np.full(20, 1.0)])
    mean = average_back(values, 4)
    assert mean[:5] == pytest.approx(300.0)
    assert mean[5] == pytest.approx((3 * 300 + 1) / 4)
    assert mean[8:] == pytest.approx(1.0)


def test_a_loss_that_is_zero_at_first_is_drawn(table):
    pytest.importorskip("matplotlib", reason="the [report] extra is not installed")
    assert plot_losses(table(HEAD + "20,1,1,0,0\n")) is not None
    assert plot_losses(table(HEAD + "20,1,1,0,90\n40,2,1,3,nan\n60,3,1,2,2\n")) is not None


def test_picture_is_a_function_of_the_table(table):
    pytest.importorskip("matplotlib", reason="the [report] extra is not installed")
    rows = "".join(f"{20 * i},{i},1e-3,{4 / i:.4f},{3 / i:.4f}\n" for i in range(1, 40))
    path = table(HEAD + rows)
    picture = plot_losses(path)
    assert picture == path.with_suffix(".png")
    first = picture.read_bytes()
    assert first.startswith(b"\x89PNG")
    assert plot_losses(path).read_bytes() == first
    path.write_text(HEAD + rows + "800,40,1e-3,0.05,0.01\n", "utf-8")
    assert plot_losses(path).read_bytes() != first
    assert sorted(p.name for p in path.parent.iterdir()) == ["losses.csv", "losses.png"]


def test_nothing_is_drawn_before_the_first_logged_step(table):
    assert plot_losses(table(HEAD)) is None


def test_training_goes_on_without_matplotlib(table, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert plot_losses(table(HEAD + "20,1,1,9,9\n")) is None
