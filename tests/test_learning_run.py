"""The loop that everything is trained in, on a network of a few numbers."""

import csv
import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from two_processes import run_as_two

from mtbench.errors import UsageError
from mtbench.learning import Averaging, Processes, Recipe, RunSettings, Schedule, TrainingRun
from mtbench.learning.averaging import RunningAverage
from mtbench.learning.checkpoints import load_checkpoint, save_checkpoint
from mtbench.learning.recipe import make_optimizer
from mtbench.learning.step_table import StepTable

SETTINGS = RunSettings(
    seed=7,
    schedule=Schedule(peak=0.1, steps=30, warmup=4),
    averaging=Averaging(0.9),
    clip=1.0,
    weight_decay=0.01,
    checkpoint_every=6,
    validate_every=10,
    log_every=4,
)
FOLLOWS = {"data": "line", "settings": {"seed": 7}}


class Line(Recipe[torch.Tensor]):
    """Learns y = 2 x - 1 from noisy points, behind dropout, so that each step draws random numbers."""

    name, parts, advice, measure = "line", ("square", "slope"), "a smaller rate", "distance"

    def __init__(self, pieces: int = 1) -> None:
        torch.manual_seed(3)
        self.network = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.2), nn.Linear(4, 1))
        self.pieces, self.total, self.written, self.errors = pieces, torch.zeros(()), [], None

    def draw(self, step):
        points = np.random.default_rng(step).uniform(-1, 1, (8, 1)).astype(np.float32)
        return torch.from_numpy(points).chunk(self.pieces)

    def loss(self, batch, step):
        loss = (self.network(batch) - 2 * batch + 1).square().mean() / self.pieces
        self.total = self.total + loss.detach()
        return loss, torch.stack([loss.detach(), self.network[0].weight.detach().mean() / self.pieces])

    def validate(self, network):
        if self.errors is not None:
            return self.errors.pop(0)
        assert not network.training
        with torch.no_grad():
            return float(network(torch.zeros(2, 1)).mean().add(1).abs())

    def state(self):
        return {"total": self.total}

    def restore(self, state):
        self.total = state["total"]

    def write(self, folder, average, step):
        self.written.append(step)
        assert average is not self.network


def run_in(folder, recipe=None, settings=SETTINGS, follows=FOLLOWS, processes=None) -> TrainingRun:
    folder.mkdir(exist_ok=True)
    return TrainingRun(folder, recipe or Line(), settings, follows, processes)


def rows(path) -> list[list[str]]:
    """Return a table without its column of seconds."""
    with path.open() as file:
        lines = list(csv.reader(file))
    keep = [i for i, name in enumerate(lines[0]) if name != "seconds"]
    return [[line[i] for i in keep] for line in lines]


def same(one: nn.Module, two: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Draw no losses, which takes longer than everything else here."""
    monkeypatch.setattr("mtbench.learning.run.plot_losses", lambda path: None)


class Killed(BaseException):
    """Ends a run as a kill would: nothing of the loop runs after it."""


def kill_at(monkeypatch, run, step):
    """Let *run* end when it has taken *step* steps."""
    advance = run.advance

    def advance_and_die():
        parts = advance()
        if run.step == step:
            raise Killed
        return parts

    monkeypatch.setattr(run, "advance", advance_and_die)
    with pytest.raises(Killed):
        run.train()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never stopped, with its result."""
    run = run_in(tmp_path_factory.mktemp("whole"))
    return run, run.train()


# ---- schedule, average, optimizer


def test_cosine_rises_and_falls_to_zero():
    schedule = Schedule(peak=2.0, steps=1000, warmup=100)
    rates = [schedule.rate(step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[99] == rates[100] == max(rates) == 2.0
    assert rates[550] == pytest.approx(1.0)
    assert rates[1000] == pytest.approx(0.0)
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))
    assert schedule.rate(5000) == 0.0


def test_other_shapes():
    halving = Schedule(1.0, steps=400, shape="halving", epochs=40, halve_every=20)
    assert [halving.rate(step) for step in (0, 199, 200, 399)] == [1, 1, 0.5, 0.5]
    constant = Schedule(0.3, steps=9, warmup=2, shape="constant")
    assert [constant.rate(step) for step in (0, 1, 2, 8)] == [0.15, 0.3, 0.3, 0.3]


@pytest.mark.parametrize(("ramp", "shares"), [((1, 10), (1 / 10, 2 / 11)), ((2, 21), (2 / 21, 3 / 22))])
def test_the_average_begins_as_the_mean_of_few(ramp, shares):
    averaging = Averaging(0.95, ramp)
    assert [averaging.share(step) for step in (0, 1)] == [*shares]
    assert averaging.share(10_000) == 0.95
    network = nn.Linear(1, 1)
    average = RunningAverage(network, averaging)
    expected = network.weight.detach().clone()
    for step in (0, 1):
        with torch.no_grad():
            network.weight.fill_(float(step + 5))
        average.update(step)
        expected = shares[step] * expected + (1 - shares[step]) * (step + 5)
    assert torch.allclose(average.network.weight, expected)


def test_without_decay_the_average_is_the_weights():
    network = nn.Linear(3, 2)
    average = RunningAverage(network, Averaging())
    with torch.no_grad():
        network.weight.normal_()
    average.update(0)
    assert same(average.network, network)


def test_batch_statistics_are_averaged_and_what_stands_still_is_left_alone():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network.register_buffer("mask", torch.tensor([-math.inf, 0.0]))
    network[0].requires_grad_(False)
    before = network[0].weight.clone()
    running = RunningAverage(network, Averaging(0.5, ramp=(1, 2)))
    with torch.no_grad():
        network[0].weight.add_(1)
        network[1].running_mean.fill_(4.0)
    running.update(0)
    assert torch.equal(running.network[0].weight, before)
    assert running.network[1].running_mean.tolist() == [2.0, 2.0]
    assert running.network.mask.tolist() == [-math.inf, 0.0]


def test_only_matrices_that_learn_decay():
    recipe = Line()
    recipe.network.add_module("codebook", nn.Embedding(3, 2))
    recipe.network[3].requires_grad_(False)
    recipe.undecayed = ("codebook",)
    decays, rest = make_optimizer(recipe, SETTINGS).param_groups
    assert [p.shape for p in decays["params"]] == [(4, 1)]
    assert {p.shape for p in rest["params"]} == {(4,), (3, 2)}
    assert (decays["weight_decay"], rest["weight_decay"]) == (0.01, 0.0)


# ---- what a run leaves


def test_it_learns_and_says_so(whole, tmp_path):
    run, average = whole
    assert average is run.average
    assert not average.training
    losses = rows(run.folder / "losses.csv")
    assert losses[0] == ["step", "learning_rate", "square", "slope"]
    assert [line[0] for line in losses[1:]] == ["4", "8", "12", "16", "20", "24", "28"]
    assert float(losses[-1][2]) < 0.3 * float(losses[1][2])
    assert losses[1][1] == f"{SETTINGS.schedule.rate(3):.2e}"
    validation = rows(run.folder / "validation.csv")
    assert validation[0] == ["step", "distance"]
    assert [line[0] for line in validation[1:]] == ["10", "20", "30"]
    assert float(validation[-1][1]) == pytest.approx(run.error, abs=1e-4)
    # What lies beside a checkpoint is written with it.
    assert run.recipe.written == [6, 12, 18, 24, 30]


def test_a_logged_loss_is_the_mean_of_the_steps_since_the_last(tmp_path):
    run = run_in(tmp_path)
    parts = torch.stack([run.advance() for _ in range(8)])
    run_in(tmp_path / "logged").train()
    logged = rows(tmp_path / "logged" / "losses.csv")
    assert logged[2][2:] == [f"{value:.4f}" for value in parts[4:].mean(0).tolist()]


@pytest.mark.parametrize(
    ("changes", "last", "rate", "digits"),
    [
        ({}, "28", 27, 4),
        ({"log_last": True}, "30", 29, 4),
        ({"log_next_rate": True, "digits": 2}, "28", 28, 2),
    ],
)
def test_lines_are_written_as_the_settings_say(tmp_path, changes, last, rate, digits):
    run_in(tmp_path, settings=dataclasses.replace(SETTINGS, **changes)).train()
    line = rows(tmp_path / "losses.csv")[-1]
    assert line[0] == last
    assert line[1] == f"{SETTINGS.schedule.rate(rate):.2e}"
    assert len(line[2].partition(".")[2]) == digits


def test_gradients_of_the_pieces_of_a_batch_are_added_up(tmp_path):
    """Without batch statistics two halves of a batch teach what the whole does."""
    steps = []
    for pieces in (1, 2):
        recipe = Line(pieces)
        recipe.network = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
        torch.manual_seed(1)
        for parameter in recipe.network.parameters():
            nn.init.normal_(parameter)
        run = run_in(tmp_path / str(pieces), recipe)
        steps.append((torch.stack([run.advance() for _ in range(5)]), run.average))
    (one, whole), (two, halves) = steps
    assert torch.allclose(one, two, atol=1e-5)
    assert torch.allclose(whole[0].weight, halves[0].weight, atol=1e-5)


# ---- going on


@pytest.mark.parametrize("step", [3, 6, 13, 17, 29])
def test_interrupted_is_uninterrupted_bit_for_bit(whole, tmp_path, monkeypatch, step):
    kill_at(monkeypatch, run_in(tmp_path), step)
    torch.manual_seed(0)
    run = run_in(tmp_path)
    # A kill at a step that has a checkpoint comes before it is written.
    assert run.step == (step - 1) // 6 * 6
    assert same(run.train(), whole[1])
    assert same(run.network, whole[0].network)
    assert torch.equal(run.recipe.total, whole[0].recipe.total)
    # The tables too: each step once, and the means look back beyond the kill.
    for name in ("losses.csv", "validation.csv"):
        assert rows(tmp_path / name) == rows(whole[0].folder / name)


def test_a_finished_run_is_left_as_it_is(whole, tmp_path):
    run_in(tmp_path).train()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = run_in(tmp_path)
    assert same(again.train(), whole[1])
    assert again.recipe.written == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("follows", "told"),
    [
        ({"data": "curve", "settings": {"seed": 7}}, "data was line, is curve"),
        ({"data": "line", "settings": {"seed": 8}}, "settings.seed was 7, is 8"),
        ({"data": "line", "settings": {"seed": 7}, "more": 1}, "more was None, is 1"),
    ],
)
def test_a_run_does_not_go_on_with_anything_else(whole, follows, told):
    before = (whole[0].folder / "checkpoint.pt").read_bytes()
    with pytest.raises(UsageError) as caught:
        run_in(whole[0].folder, follows=follows)
    assert told in str(caught.value)
    assert (whole[0].folder / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize("kind", ["recognizer", "stage", "speech encoder"])
def test_checkpoints_of_the_three_loops_that_there_were_are_read(whole, tmp_path, monkeypatch, kind):
    kill_at(monkeypatch, run_in(tmp_path), 15)
    state = load_checkpoint(tmp_path)
    own = state.pop("recipe")
    if kind != "stage":
        assert [state.pop(name) for name in ("best", "best_weights", "waited", "error")]
    else:
        state["stage"] = own
    del state["unlogged"]
    about = state.pop("about")
    state["facts" if kind == "speech encoder" else "about"] = FOLLOWS if kind == "speech encoder" else about
    save_checkpoint(tmp_path, state)
    recipe = Line()
    recipe.restore = lambda found: found and Line.restore(recipe, found)
    run = run_in(tmp_path, recipe)
    assert run.step == 12
    assert same(run.train(), whole[1])
    assert kind != "stage" or torch.equal(recipe.total, whole[0].recipe.total)
    with pytest.raises(UsageError, match="data was line, is curve"):
        run_in(tmp_path, follows={**FOLLOWS, "data": "curve"})


def test_a_checkpoint_that_says_nothing_of_its_run_is_refused(whole, tmp_path):
    state = load_checkpoint(whole[0].folder)
    del state["about"]
    save_checkpoint(tmp_path, state)
    with pytest.raises(UsageError, match="another version"):
        run_in(tmp_path)


def test_a_table_is_cut_where_the_checkpoint_is(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("step,seconds,a\n20,1.0,9\n40,2.0,8\n60,3.0,7\n40,1.0,5\n60,2.0,4\n80,3.")
    table = StepTable(path, ("seconds", "a"))
    table.begin(60)
    assert path.read_text() == "step,seconds,a\n20,1.0,9\n40,1.0,5\n60,2.0,4\n"
    before = path.stat().st_mtime_ns
    table.begin(60)
    assert path.stat().st_mtime_ns == before
    table.append(80, "3.5", "2")
    assert path.read_text().endswith("60,2.0,4\n80,3.5,2\n")
    table.begin(0)
    assert path.read_text() == "step,seconds,a\n"


def test_lines_of_a_run_without_a_checkpoint_are_dropped(tmp_path, monkeypatch):
    kill_at(monkeypatch, run_in(tmp_path), 5)
    assert [line[0] for line in rows(tmp_path / "losses.csv")] == ["step", "4"]
    kill_at(monkeypatch, run_in(tmp_path), 1)
    assert [line[0] for line in rows(tmp_path / "losses.csv")] == ["step"]


# ---- going astray, ending early


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_losses_that_are_not_finite_stop_before_the_checkpoint_is_replaced(tmp_path, monkeypatch, broken):
    recipe = Line()
    loss = recipe.loss

    def break_down(batch, step):
        total, parts = loss(batch, step)
        if step < 9:
            return total, parts
        return (total, parts * math.nan) if broken == "loss" else (total * math.inf, parts)

    monkeypatch.setattr(recipe, "loss", break_down)
    with pytest.raises(UsageError, match=r"NaN or infinite by step 10, .*sound.* a smaller rate\.$"):
        run_in(tmp_path, recipe).train()
    state = load_checkpoint(tmp_path)
    assert state["step"] == 6
    assert all(torch.isfinite(value).all() for value in state["average"].values())
    assert recipe.written == [6]
    assert [line[0] for line in rows(tmp_path / "losses.csv")] == ["step", "4", "8"]


def test_training_ends_early_with_the_best_weights_also_after_a_kill(tmp_path, monkeypatch):
    settings = dataclasses.replace(SETTINGS, validate_every=2, patience=3, checkpoint_every=2)
    results = []
    for name, killed in (("whole", 0), ("cut", 5)):
        recipe = Line()
        recipe.errors, kept = [5.0, 3.0, 4.0, 4.0, 4.0], []
        validate = recipe.validate

        def validate_and_keep(network, kept=kept, validate=validate):
            kept.append({k: v.clone() for k, v in network.state_dict().items()})
            return validate(network)

        recipe.validate = validate_and_keep
        run = run_in(tmp_path / name, recipe, settings)
        if killed:
            kill_at(monkeypatch, run, killed)
            run = run_in(tmp_path / name, recipe, settings)
        result = run.train()
        assert (run.step, run.best, run.error) == (10, 3.0, 4.0)
        assert all(torch.equal(v, kept[1][k]) for k, v in result.state_dict().items())
        results.append(result)
    assert same(*results)
    assert rows(tmp_path / "cut" / "validation.csv") == rows(tmp_path / "whole" / "validation.csv")


def test_without_validation_nothing_is_validated(tmp_path):
    recipe = Line()
    recipe.errors = []
    run_in(tmp_path, recipe, dataclasses.replace(SETTINGS, validate_every=0)).train()
    assert not (tmp_path / "validation.csv").exists()


# ---- several processes


def test_only_the_first_process_writes(tmp_path):
    second = Processes()
    second.rank, second.count = 1, 2
    run = run_in(tmp_path, processes=second)
    run.train()
    assert run.step == 30
    assert run.recipe.written == []
    assert [*tmp_path.iterdir()] == []


TEAM = """
import os
import sys
from pathlib import Path
import torch
import torch.distributed as dist
from mtbench.avsr.openhead.training_processes import Team

team = Team(int(os.environ["RANK"]), 2)
team.join(Path(sys.argv[1]))
one, two, none = (torch.nn.Parameter(torch.zeros(n)) for n in (3, 2, 1))
one.grad, two.grad = torch.full((3,), 1.0 + team.rank), torch.full((2,), 5.0 * team.rank)
parts = torch.tensor([0.25, 4.0])
team.combine([one, none, two], parts)
assert one.grad.tolist() == [3, 3, 3], one.grad
assert two.grad.tolist() == [5, 5], two.grad
assert parts.tolist() == [0.5, 8.0], parts
assert none.grad is None
dist.destroy_process_group()
"""


def test_optimizing_processes_add_up_gradients_and_losses(tmp_path):
    pytest.importorskip("torchaudio")
    run_as_two(TEAM, tmp_path / "meeting")
