"""A picture of how training goes: every loss over the steps, from the run's ``losses.csv``.

Conventions
-----------
``losses.csv`` has a header; ``step`` comes first, ``seconds`` and ``learning_rate`` are no losses, every other
column is one. A step that is there twice, as older versions wrote it after a kill, counts once: the later line. A
last line that was cut off in the middle is left out. Faint lines are what was logged, firm ones the mean of the last
tenth of the run up to there. Needs matplotlib, from the extra ``[report]``.
"""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import write_atomically

log = logging.getLogger(__name__)

_NO_LOSS = ("step", "seconds", "learning_rate")
#: Logged values that a mean looks back on, as a share of all.
_WINDOW = 0.1


def read_losses(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read a run's losses.

    Parameters
    ----------
    path : str or Path
        ``losses.csv``.

    Returns
    -------
    steps : (n,) int64
        Ascending, each once.
    losses : dict of str to (n,) float64
        By column.

    Raises
    ------
    UsageError
        Where the file is missing or is no table of losses.
    """
    path = Path(path)
    try:
        lines = list(csv.reader(path.read_text("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: the losses cannot be read ({error}); expected the losses.csv of a run folder, which "
            "`mtbench avsr train` writes"
        ) from error
    header = lines[0] if lines else []
    names = [name for name in header if name not in _NO_LOSS]
    if not header or header[0] != "step" or not names:
        raise UsageError(
            f"{path}: the first line is {','.join(header)!r}, expected step,seconds,learning_rate and names of "
            "losses; perhaps this is not the losses.csv of a training run"
        )
    rows: dict[int, dict[str, float]] = {}
    for number, line in enumerate(lines[1:], 2):
        try:
            if len(line) != len(header):
                raise ValueError(f"{len(line)} fields, expected {len(header)}")
            rows[int(line[0])] = {name: float(value) for name, value in zip(header, line) if name in names}
        except ValueError as error:
            if number == len(lines):
                break  # a process that is killed while it writes leaves part of a line
            raise UsageError(
                f"{path}, line {number}: {error}; the file was edited or damaged: remove that line"
            ) from error
    steps = sorted(rows)
    return np.array(steps, np.int64), {name: np.array([rows[s][name] for s in steps]) for name in names}


def average_back(values: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each of (n,) *values* and the *count* - 1 before it, fewer at the beginning; NaN counts not.

    Examples
    --------
    >>> average_back(np.array([2.0, 4.0, 6.0]), 2).tolist()
    [2.0, 3.0, 5.0]
    """
    windows = (values[max(0, end - count) : end] for end in range(1, len(values) + 1))
    return np.array(
        [window[~np.isnan(window)].mean() if np.isfinite(window[-1]) else np.nan for window in windows]
    )


def plot_losses(losses: str | Path) -> Path | None:
    """Draw ``losses.png`` beside a run's ``losses.csv``.

    The same table gives the same bytes. Meant to be called at every checkpoint: a run goes on without the picture
    where matplotlib is not installed.

    Parameters
    ----------
    losses : str or Path
        The table.

    Returns
    -------
    Path or None
        The picture; None, with a line in the log, without matplotlib or before the first logged step.

    Raises
    ------
    UsageError
        Where the table is missing or damaged.
    """
    steps, columns = read_losses(losses)
    if not len(steps):
        return None
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        log.info("no plot of the losses: matplotlib is not installed (pip install 'multitalk-bench[report]')")
        return None
    # Figure and canvas by hand: nothing of pyplot's global state is touched inside a training process.
    figure = Figure(figsize=(8, 4.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    window = max(1, round(_WINDOW * len(steps)))
    # A logarithmic axis has no place for what is 0, as a loss is before its part of the training begins.
    shown = {name: np.where(values > 0, values, np.nan) for name, values in columns.items()}
    for name, values in shown.items():
        (line,) = axes.plot(steps, values, linewidth=0.8, alpha=0.3)
        mean = average_back(values, window)
        axes.plot(steps, mean, color=line.get_color(), linewidth=1.8, label=f"{name}  {mean[-1]:.3f}")
    if any(np.isfinite(values).any() for values in shown.values()):
        axes.set_yscale("log")
    axes.set_xlim(0, max(1, int(steps[-1])))
    axes.set_xlabel("step")
    axes.set_ylabel("loss (a logged value: mean of the steps since the last)")
    axes.set_title(f"Losses of training up to step {steps[-1]:,}", loc="left")
    axes.grid(alpha=0.25)
    axes.legend(title="mean of the last tenth", frameon=False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture, metadata={"Software": ""})
    target = Path(losses).with_suffix(".png")
    write_atomically(target, picture.getvalue())
    return target
