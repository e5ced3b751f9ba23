"""Runs and what they stand on: what a folder belongs to, files that runs share, several processes, and going astray."""

import threading

import numpy as np
import pytest
import torch
from training_corpus import WaveCorpus
from two_processes import run_as_two

from mtbench.errors import UsageError
from mtbench.learning.checkpoints import flatten, load_checkpoint, name_changes
from mtbench.reference_model.training.prepared import prepare_rows
from mtbench.reference_model.training.sizes import SIZES, apply_overrides
from mtbench.reference_model.training.train import train_stage1, train_stage2

SHORT = apply_overrides(
    SIZES["smoke"],
    [
        "settings.principal=5", "settings.languages=deu,eng", "stage1.steps=6", "stage1.checkpoint_every=2",
        "stage1.quantize_from=2", "stage2.steps=4", "stage2.validate_every=4", "stage1.validate_every=6",
    ],
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folder of both stages' finished runs."""
    folder = tmp_path_factory.mktemp("runs")
    train_stage1(folder / "stage1", SHORT, WaveCorpus(), threads=1)
    train_stage2(folder / "stage2", SHORT, WaveCorpus(), folder / "stage1", threads=1)
    return folder


# ---- a folder belongs to one run


@pytest.mark.parametrize(
    ("override", "seed", "named"),
    [
        ("stage1.seed=9", 0, r"stage1\.seed was 131, is 9"),
        ("settings.beta=9", 0, r"settings\.beta was 0\.25, is 9"),
        ("settings.width=64 settings.code_size=16", 0, r"settings\.width was 32, is 64"),
        ("", 90, r"corpus was 0000of0024-waves, is 0090of0024-waves"),
    ],
)
def test_stage_one_goes_on_only_with_what_it_was_begun_with(runs, override, seed, named):
    size = apply_overrides(SHORT, override.split())
    before = (runs / "stage1" / "stage1.json").read_bytes()
    with pytest.raises(UsageError, match=named):
        train_stage1(runs / "stage1", size, WaveCorpus(seed=seed), threads=1)
    assert (runs / "stage1" / "stage1.json").read_bytes() == before


def test_stage_two_goes_on_only_with_its_stage_one_and_its_encoder(runs, tmp_path, monkeypatch):
    train_stage1(tmp_path / "stage1", apply_overrides(SHORT, ["stage1.seed=5"]), WaveCorpus(), threads=1)
    with pytest.raises(UsageError, match=r"stage1 weights was \w+, is"):
        train_stage2(runs / "stage2", SHORT, WaveCorpus(), tmp_path / "stage1", runs / "prepared", threads=1)
    from mtbench.reference_model.encoders.speech import OpenheadSpeech

    monkeypatch.setattr(OpenheadSpeech, "digest", "00" * 16)
    with pytest.raises(UsageError, match=r"encoder was \w+, is 0000"):
        train_stage2(runs / "stage2", SHORT, WaveCorpus(), runs / "stage1", threads=1)


def test_a_finished_run_is_left_as_it_is(runs):
    before = {p: p.read_bytes() for p in (runs / "stage2").glob("stage2.*")}
    train_stage2(runs / "stage2", SHORT, WaveCorpus(), runs / "stage1", threads=1)
    assert len(before) == 2
    assert all(path.read_bytes() == value for path, value in before.items())


def test_changes_are_named():
    before, now = flatten({"a": {"b": 1, "c": {"d": 2}}}), {"a.b": 3, "a.c.d": 2, "e": 4}
    assert name_changes(before, now) == ["a.b was 1, is 3", "e was None, is 4"]
    assert name_changes(now, now) == []
    assert "another version" in name_changes("stage1 {}", now)[0]


def test_stage_one_of_another_size_is_mentioned(runs, tmp_path, caplog):
    other = apply_overrides(SHORT, ["settings.feedforward=48", "settings.decoder_feedforward=16"])
    train_stage2(tmp_path / "stage2", other, WaveCorpus(), runs / "stage1", runs / "prepared", threads=1)
    lines = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert lines == ["stage 1 is not of size smoke, and stage 2 takes after it: feedforward 32 (not 48)"]


# ---- settings and losses that lead nowhere


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("stage1.validate_every=0", "validate_every is 0"),
        ("stage2.checkpoint_every=0", "checkpoint_every is 0"),
        ("stage1.frames=4", "frames is 4, expected at least 8"),
        ("stage1.steps=0", "steps is 0"),
        ("stage2.learning_rate=0", "above 0"),
        ("stage2.averaging=1", "averaging is 1"),
        ("stage1.seed=-1", "seed is -1"),
        ("settings.heads=0", "heads is 0"),
        ("settings.dropout=1", "dropout"),
    ],
)
def test_settings_out_of_range_are_named(override, named):
    with pytest.raises(UsageError, match=named):
        apply_overrides(SIZES["mini"], [override])


def test_a_training_that_goes_astray_stops_and_keeps_its_last_good_checkpoint(tmp_path, monkeypatch):
    from mtbench.reference_model.training.stage1 import Stage1

    loss = Stage1.loss

    def break_down(self, batch, step):
        total, parts = loss(self, batch, step)
        return (total * torch.nan, parts * torch.nan) if step >= 3 else (total, parts)

    monkeypatch.setattr(Stage1, "loss", break_down)
    with pytest.raises(UsageError, match=r"NaN or infinite by step 4, .*stage1\.learning_rate"):
        train_stage1(tmp_path / "stage1", SHORT, WaveCorpus(), threads=1)
    state = load_checkpoint(tmp_path / "stage1")
    assert state is not None
    assert state["step"] == 2
    assert all(torch.isfinite(value).all() for value in state["average"].values())
    assert not (tmp_path / "stage1" / "stage1.safetensors").exists()


# ---- files that runs share


def test_a_second_run_waits_for_what_the_first_prepares(tmp_path, caplog):
    caplog.set_level("INFO")
    counts, entered, go_on, found = np.array([2, 3]), threading.Event(), threading.Event(), []

    def compute_slowly(index):
        entered.set()
        assert go_on.wait(60)
        return np.full((counts[index], 4), index)

    def compute_never(index):
        raise AssertionError("computed twice")

    path = tmp_path / "rows.f4"
    first = threading.Thread(target=prepare_rows, args=(path, counts, 4, "<f4", compute_slowly, "rows"))
    second = threading.Thread(
        target=lambda: found.append(prepare_rows(path, counts, 4, "<f4", compute_never, "rows"))
    )
    first.start()
    assert entered.wait(60)
    second.start()
    while not any("another run prepares" in r.getMessage() for r in caplog.records):
        second.join(0.01)
        assert second.is_alive(), "it did not wait"
    go_on.set()
    first.join()
    second.join()
    assert found[0].rows[:, 0].tolist() == [0, 0, 1, 1, 1]


def test_prepared_rows_of_another_size_are_refused(tmp_path):
    path = tmp_path / "rows.f4"
    path.write_bytes(b"\0" * 12)
    with pytest.raises(UsageError, match="12 bytes, expected 16"):
        prepare_rows(path, np.array([1]), 4, "<f4", lambda i: np.zeros((1, 4)), "rows")


# ---- several processes

SCRIPT = """
import torch
from mtbench.reference_model.training.devices import Devices

devices = Devices()
here, both, nowhere = (torch.nn.Parameter(torch.zeros(n)) for n in (3, 2, 1))
both.grad = torch.full((2,), 1.0 + devices.rank)
if devices.rank == 0:
    here.grad = torch.full((3,), 6.0)
devices.average_gradients([here, both, nowhere])
assert here.grad.tolist() == [3, 3, 3], here.grad
assert both.grad.tolist() == [1.5, 1.5], both.grad
assert nowhere.grad is None
"""


def test_gradients_that_a_process_lacks_count_as_zero():
    run_as_two(SCRIPT)
