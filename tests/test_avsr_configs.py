"""Named training configurations, and the commands that use them."""

import csv
import inspect
import json
import os

import fakes
import pytest
from test_cli import call, process

from mtbench.avsr.openhead.configs import CONFIGS, load_config
from mtbench.avsr.openhead.model import TRAINING_ONLY, AudioVisualCTC, ModelConfig
from mtbench.cli.avsr import train
from mtbench.errors import UsageError
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.synth.phones import PHONES


@pytest.mark.parametrize("name", CONFIGS)
def test_weights_of_every_configuration_are_small_enough_to_ship(name):
    sizes = ModelConfig(len(PHONES) + 1, len(LANGUAGES) + 1, **load_config(name).sizes)
    state = AudioVisualCTC(sizes).state_dict()
    count = sum(v.numel() for k, v in state.items() if not k.startswith(TRAINING_ONLY))
    assert 2 * count < 14.9e6
    # The summary tells the truth about the size.
    number, unit = load_config(name).summary.split()[:2]
    assert count == pytest.approx(float(number) * {"million": 1e6, "thousand": 1e3}[unit], rel=0.02)


def test_configurations_hang_together():
    assert inspect.signature(train).parameters["config"].default in CONFIGS
    for name, config in CONFIGS.items():
        assert config.name == name
        assert config.training.warmup < config.training.steps
        assert config.training.batch % getattr(config.training, "shards", 1) == 0


def test_unknown_configuration_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"openhead-av .*openhead-av-large .*smoke"):
        load_config("tiny")
    assert call("avsr", "train", "--config", "tiny")[0] == 2


def test_help_names_every_configuration():
    done = process("avsr", "train", "--help", env={**os.environ, "COLUMNS": "300"})
    assert all(f"'{name}'" in done.stdout for name in CONFIGS)


def test_train_hands_over_the_configuration(tmp_path, monkeypatch):
    import mtbench.avsr.openhead.training as module

    seen = {}

    def record(out, config, **more):
        seen.update(out=out, config=config, **more)
        return out / "openhead-av.safetensors"

    monkeypatch.setattr(module, "train", record)
    code, text = call(
        "avsr", "train", "--config", "openhead-av-large", "--steps", 7, "--seed", 3, "--out", tmp_path, "--workers", 5
    )  # fmt: skip
    assert code == 0
    assert text.strip() == str(tmp_path / "openhead-av.safetensors")
    large = load_config("openhead-av-large")
    assert (seen["config"].steps, seen["config"].seed, seen["config"].batch) == (7, 3, large.training.batch)
    assert seen["sizes"] == large.sizes
    assert (seen["workers"], seen["threads"], seen["initial"]) == (5, None, None)
    assert call("avsr", "train", "--steps", 0)[0] == 2
    call("avsr", "train")
    assert seen["out"].as_posix() == "runs/openhead-av"


@pytest.mark.slow
@pytest.mark.synth
def test_smoke_configuration_trains_and_draws_its_losses(tmp_path):
    pytest.importorskip("espeakng_loader", reason="the [synth] extra is not installed")
    pytest.importorskip("matplotlib", reason="the [report] extra is not installed")
    code, text = call("avsr", "train", "--config", "smoke", "--steps", 20, "--out", tmp_path, "--threads", 1)
    assert code == 0
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "losses.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["20"]
    from mtbench.avsr.openhead.recognizer import OpenheadAV

    judge = OpenheadAV.load(text.strip())
    assert judge.network.config.width == 32
    code, text = call(
        "avsr", "evaluate", "--weights", tmp_path / "openhead-av.safetensors", "--language", "tur", "--condition",
        "a-clean", "--workers", 1, "--json",
    )  # fmt: skip
    assert code == 0
    assert [r["language"] for r in json.loads(text)] == ["all", "tur"]


@pytest.fixture
def one_ear(monkeypatch):
    """Let the command meet a recognizer without a network."""
    import mtbench.avsr.registry as module

    monkeypatch.setattr(module, "load_recognizer", lambda name, weights=None: fakes.OneEar())


def test_evaluate_prints_json_or_tables(tmp_path, one_ear):
    folder = fakes.make_benchmark(tmp_path / "small")
    asked = (
        "avsr", "evaluate", "-b", folder, "--workers", 1, "--condition", "av-7.5", "--condition", "a-7.5",
        "--condition", "heldout-articulation-av-7.5",
    )  # fmt: skip
    code, text = call(*asked, "--json")
    assert code == 0
    rows = json.loads(text)
    assert {r["condition"] for r in rows} == {"av-7.5", "a-7.5", "heldout-articulation-av-7.5"}
    assert rows[0].keys() == {"condition", "language", "per", "wer", "cer", "n_clips"}
    assert rows[-1]["reason"]
    code, text = call(*asked)
    assert code == 0
    assert "gain-7.5" in text
    assert "aim" not in text  # aims are those of openhead-20
    assert "| Japanese |" in text


@pytest.mark.parametrize("part", [("--language", "ita"), ("--condition", "v"), ("-b", "elsewhere")])
def test_a_card_is_whole_or_not_written(part):
    assert call("avsr", "evaluate", "--card", *part)[0] == 2
