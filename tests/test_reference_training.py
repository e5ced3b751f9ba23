"""Training of the reference model: sizes, training sets, codebook, both stages, and going on after a kill."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_corpus import WaveCorpus
from two_processes import SEARCHED, run_as_two

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.learning import TrainingRun
from mtbench.reference_model.model import MotionAutoencoder, MultiTalk, Settings
from mtbench.reference_model.training.balance import balance_input, balance_output, settle
from mtbench.reference_model.training.checkpoints import load_autoencoder
from mtbench.reference_model.training.codebook import CodebookUsage, cluster_means, perplexity, revive
from mtbench.reference_model.training.configuration import MULTIPLE, Stage1Config, Stage2Config
from mtbench.reference_model.training.devices import Devices
from mtbench.reference_model.training.prepared import prepare_rows
from mtbench.reference_model.training.sizes import SIZES, apply_overrides, load_size
from mtbench.reference_model.training.stage import lip_error
from mtbench.reference_model.training.stage1 import Stage1
from mtbench.reference_model.training.stage2 import Stage2
from mtbench.reference_model.training.train import train_stage1, train_stage2
from mtbench.reference_model.training.training_set import TrainingSet, learn_basis

ROOT = Path(__file__).resolve().parents[1]
LIPS = np.arange(0, 5023, 50)
#: A size that takes seconds.
TINY = apply_overrides(
    SIZES["smoke"],
    [
        "settings.principal=5",
        "settings.vertices=5023",
        "settings.languages=deu,eng",
        "stage1.steps=24",
        "stage1.checkpoint_every=5",
        "stage1.revive_every=3",
        "stage2.steps=14",
        "stage2.checkpoint_every=4",
        "stage2.validate_every=7",
    ],
)


class FakeEncoder:
    """Loudness of half frames, in four numbers; counts what it heard."""

    name, width, digest, module = "fake", 4, "0123456789abcdef", None

    def __init__(self):
        self.heard = 0

    def prepare(self, audio):
        return audio

    def encode(self, audio, frames=None):
        self.heard += 1
        loud = np.abs(audio).reshape(-1, 320).mean(1)
        return torch.from_numpy(np.stack([loud, loud**2, -loud, np.ones_like(loud)], 1))


@pytest.fixture(scope="module")
def corpus():
    return WaveCorpus()


@pytest.fixture(scope="module")
def basis(corpus):
    return learn_basis(corpus, 5)


@pytest.fixture(scope="module")
def data(corpus, basis, tmp_path_factory):
    return TrainingSet(corpus, TINY.settings, tmp_path_factory.mktemp("store"), basis, FakeEncoder(), seed=3)


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory):
    """Return the folder of both stages' runs."""
    folder = tmp_path_factory.mktemp("runs")
    train_stage1(folder / "stage1", TINY, WaveCorpus(), threads=1)
    train_stage2(folder / "stage2", TINY, WaveCorpus(), folder / "stage1", threads=1)
    return folder


def network_with(basis, settings) -> MotionAutoencoder:
    torch.manual_seed(0)
    network = MotionAutoencoder(settings)
    network.space.basis.copy_(torch.from_numpy(basis))
    return network


# ---- sizes


def test_overrides_are_typed_and_leave_the_named_size_alone():
    size = apply_overrides(
        SIZES["mini"],
        ["settings.width=96", "settings.codes=4", "stage1.learning_rate=2e-4", "stage2.tune_encoder=yes",
         "stage2.schedule=constant", "settings.languages=", "encoder=folder/of/one"],
    )  # fmt: skip
    assert (size.settings.width, size.stage1.learning_rate, size.encoder) == (96, 2e-4, "folder/of/one")
    assert size.stage2.tune_encoder is True
    assert size.stage2.schedule == "constant"
    assert size.settings.languages == ()
    assert SIZES["mini"].settings.width == 192


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("stage1.stepz=3", "quantize_from"),
        ("widht=3", "settings.…"),
        ("stage1.steps=many", "whole number"),
        ("stage1.steps", "key=value"),
        ("stage2.tune_encoder=perhaps", "true or false"),
        ("stage2.schedule=square", "cosine"),
        ("settings.width=100", "codes"),
    ],
)
def test_wrong_overrides_say_what_is_known(override, named):
    with pytest.raises(UsageError, match=named):
        apply_overrides(SIZES["mini"], [override])


def test_unknown_size_names_the_known():
    with pytest.raises(UsageError, match=r"mini.*paper.*smoke"):
        load_size("large")


def test_published_values():
    settings, first, second = SIZES["paper"].settings, SIZES["paper"].stage1, SIZES["paper"].stage2
    assert (settings.width, settings.codes, settings.entries, settings.code_size) == (1024, 16, 256, 64)
    assert (settings.layers, settings.decoder_layers, settings.decoder_feedforward) == (6, 6, 2048)
    assert (first.epochs, first.batch, first.learning_rate, first.halve_every) == (200, 1, 1e-4, 20)
    assert (second.epochs, second.batch, second.learning_rate) == (100, 1, 1e-4)
    assert (second.past_noise, second.past_drop, second.past_own, first.lips, second.lips) == (0, 0, 0, 0, 0)
    assert second.tune_encoder


def test_schedules():
    cosine = Stage1Config(learning_rate=1.0, schedule="cosine", warmup=10)
    rate = cosine.run_settings(110).schedule.rate
    assert rate(0) == pytest.approx(0.1)
    assert rate(60) == pytest.approx(0.5)
    assert rate(110) == pytest.approx(0)
    halving = Stage1Config(learning_rate=1.0, schedule="halving", epochs=40, halve_every=20)
    rate = halving.run_settings(400).schedule.rate
    assert [rate(step) for step in (0, 199, 200, 399)] == [1, 1, 0.5, 0.5]


# ---- training sets


def test_basis_is_orthonormal_and_holds_the_motion(corpus, basis):
    assert np.allclose(basis @ basis.T, np.eye(5), atol=1e-5)
    full = learn_basis(corpus, 6)
    motion = corpus.displacement(3)
    assert np.abs(motion @ full.T @ full - motion).max() < 1e-6
    assert np.array_equal(learn_basis(corpus, 6), full)


def test_more_movements_than_data_is_an_error():
    with pytest.raises(UsageError, match="principal"):
        learn_basis(WaveCorpus(2), 4000)


def test_prepared_motion_and_speech(data, corpus, basis):
    scale = TINY.settings.scale
    assert np.allclose(data.motion(4), corpus.displacement(4) @ basis.T * scale, atol=1e-3)
    assert data.speech(4).shape == (2 * corpus.lengths[4], 4)


def test_preparation_is_done_once_and_goes_on_where_it_was(tmp_path):
    counts, calls = np.array([3, 0, 2, 4]), []

    def compute(index, fail=-1):
        calls.append(index)
        if index == fail:
            raise KeyboardInterrupt
        return np.full((counts[index], 2), index, np.float32)

    path = tmp_path / "rows.f4"
    with pytest.raises(KeyboardInterrupt):
        prepare_rows(path, counts, 2, "<f4", lambda i: compute(i, fail=2), "rows")
    assert not path.exists()
    with (tmp_path / "rows.f4.part").open("ab") as file:
        file.write(b"12345")  # half a row, as a kill leaves it
    calls.clear()
    rows = prepare_rows(path, counts, 2, "<f4", compute, "rows")
    assert calls[0] == 2
    assert rows.rows[:, 0].tolist() == [0, 0, 0, 2, 2, 3, 3, 3, 3]
    assert rows.clip(3, 1, 2).tolist() == [[3, 3], [3, 3]]
    calls.clear()
    prepare_rows(path, counts, 2, "<f4", compute, "rows")
    assert not calls
    threaded = prepare_rows(tmp_path / "threaded", counts, 2, "<f4", compute, "rows", threads=3)
    assert np.array_equal(threaded.rows, rows.rows)


def test_features_of_speech_are_kept(data, corpus, basis, tmp_path):
    encoder = FakeEncoder()
    for _ in range(2):
        again = TrainingSet(corpus, TINY.settings, tmp_path, basis, encoder, seed=3)
    assert encoder.heard == len(corpus)
    assert np.array_equal(again.speech(1), data.speech(1))


def test_batches_follow_from_seed_and_number(data, corpus, basis, tmp_path):
    again = TrainingSet(corpus, TINY.settings, tmp_path, basis, FakeEncoder(), seed=3)
    other = TrainingSet(corpus, TINY.settings, tmp_path, basis, FakeEncoder(), seed=4)
    same = []
    for number in (7, 0, 31):
        a, b, c = (s.draw(number, 4, 32) for s in (data, again, other))
        assert np.array_equal(a.clips, b.clips)
        assert torch.equal(a.motion, b.motion)
        assert a.speech is not None
        assert b.speech is not None
        assert torch.equal(a.speech, b.speech)
        same.append(np.array_equal(a.clips, c.clips))
    assert not all(same)


def test_batches_are_cut_alike_and_know_what_came_before(data, corpus):
    later = 0
    for number in range(12):
        batch = data.draw(number, 4, 32)
        b, t, _ = batch.motion.shape
        assert b == 4
        assert t % MULTIPLE == 0
        assert t <= 32
        assert batch.speech is not None
        assert batch.speech.shape == (b, 2 * t, 4)
        assert torch.equal(batch.weights.sum(1), torch.ones(4))
        for k, (clip, start) in enumerate(zip(batch.clips, batch.starts)):
            whole = data.motion(clip)
            assert np.array_equal(batch.motion[k], whole[start : start + t])
            assert np.array_equal(batch.speech[k], data.speech(clip)[2 * start : 2 * (start + t)])
            assert np.array_equal(batch.before[k, 0], whole[start - 1] if start else np.zeros(5))
            assert batch.weights[k, TINY.settings.languages.index(corpus.language_of[clip])] == 1
            later += start > 0
    assert later


def test_an_epoch_sees_every_clip_once_and_no_validation_clip(data):
    batches = len(data.training) // 4
    seen = np.concatenate([data.draw(k, 4, 32).clips for k in range(batches)])
    assert len(set(seen)) == len(seen) == batches * 4
    assert not set(seen) & set(data.validation)


def test_validation_clips_stay_when_a_corpus_grows(basis, tmp_path):
    few, many = (TrainingSet(WaveCorpus(n), TINY.settings, tmp_path, basis) for n in (40, 80))
    assert few.validation[0] in many.validation or min(many.validation) >= 40
    assert len(many.validation) == 4


def test_a_language_without_embedding_is_named(corpus, basis, tmp_path):
    settings = dataclasses.replace(TINY.settings, languages=("eng", "ita"))
    with pytest.raises(UsageError, match="deu"):
        TrainingSet(corpus, settings, tmp_path, basis)
    english = dataclasses.replace(TINY.settings, languages=("English", "German"))
    assert set(TrainingSet(corpus, english, tmp_path, basis).languages) == {0, 1}


# ---- codebook


def test_clusters_are_found():
    generator = torch.Generator().manual_seed(1)
    centers = torch.randn(5, 8, generator=generator) * 10
    vectors = centers.repeat_interleave(40, 0) + 0.1 * torch.randn(200, 8, generator=generator)
    means = cluster_means(vectors, 12, torch.Generator().manual_seed(2))
    assert torch.cdist(centers, means).min(1).values.max() < 1


def test_perplexity():
    assert perplexity(torch.ones(8)) == pytest.approx(8)
    assert perplexity(torch.tensor([5.0, 0, 0])) == pytest.approx(1)


def test_dead_entries_come_back_where_vectors_are():
    weight = nn.Parameter(torch.randn(6, 3))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    usage = CodebookUsage(6)
    for _ in range(400):
        usage.update(torch.tensor([0, 1, 2, 3]), Devices())
    vectors = torch.randn(50, 3) + 20
    before = weight.detach().clone()
    dead = revive(weight, usage, vectors, optimizer, torch.Generator().manual_seed(0))
    assert dead.tolist() == [4, 5]
    assert torch.equal(weight[:4], before[:4])
    assert bool((weight[4:] > 10).all())
    assert not optimizer.state[weight]["exp_avg"][4:].any()
    assert optimizer.state[weight]["exp_avg"][:4].all()
    assert not len(usage.find_dead())


def test_training_revives(data, basis, tmp_path):
    config = dataclasses.replace(TINY.stage1, quantize_from=2, revive_every=4, steps=100)
    stage = Stage1(network_with(basis, TINY.settings), data, config, LIPS, config.steps)
    run = TrainingRun(tmp_path, stage, config.run_settings(config.steps), {})
    for _ in range(3):
        run.advance()
    with torch.no_grad():
        stage.network.codebook.weight[5:] += 1000
    stage.usage.share[5:] = 0
    run.advance()
    weight = stage.network.codebook.weight
    assert float(weight.detach().abs().max()) < 500
    assert torch.equal(run.average.codebook.weight[5:], weight[5:])


# ---- stages


def test_balanced_layers_settle_to_the_same_function(basis):
    network = network_with(basis, TINY.settings).eval()
    spread = torch.tensor([30.0, 10, 3, 1, 0.5])
    balance_input(network.map_in, spread)
    balance_output(network.map_out, spread)
    motion = torch.randn(2, 9, 5) * spread
    with torch.no_grad():
        balanced = network(motion)[0]
        settle(network)
        assert torch.allclose(network(motion)[0], balanced, atol=1e-4)
    network_with(basis, TINY.settings).load_state_dict(network.state_dict())


def test_lip_error_is_the_mean_of_the_largest_distances():
    difference = torch.zeros(2, 6)
    difference[0, 3:] = torch.tensor([3.0, 4.0, 0.0])  # 5 of scaled metres
    assert lip_error(difference, scale=1000.0) == pytest.approx(2.5)


@pytest.mark.parametrize("principal", [5, 0])
def test_stage_two_computes_the_models_own_losses(data, corpus, basis, tmp_path, principal):
    settings = dataclasses.replace(
        TINY.settings, principal=principal, speech_width=4, dropout=0.0, vertices=5023
    )
    used = data if principal else TrainingSet(corpus, settings, tmp_path, basis[:0], FakeEncoder(), seed=3)
    network = MultiTalk(settings, network_with(basis[:principal], settings))
    nn.init.normal_(network.map_codes.weight, std=0.3)
    plain = Stage2Config(batch=4, frames=0, seed=3)
    stage = Stage2(network, used, plain, LIPS)
    number = next(k for k in range(50) if not used.draw(k, 4, 0).starts.any())
    batch = used.draw(number, 4, 0)
    assert batch.speech is not None
    total, parts = stage.loss(stage.draw(number)[0], number)
    wanted = network.losses(batch.speech, batch.motion, batch.weights)
    assert total.item() == pytest.approx(wanted.total.item(), rel=1e-4)
    assert parts[0].item() == pytest.approx(wanted.motion.item(), rel=1e-4)
    assert parts[2].item() == pytest.approx(wanted.feature.item(), rel=1e-4)


def test_the_past_is_blurred_as_configured(data, basis):
    settings = dataclasses.replace(TINY.settings, speech_width=4)
    network = MultiTalk(settings, network_with(basis, settings))
    before = torch.randn(400, 6, 5)
    untouched = Stage2(network, data, Stage2Config(), LIPS)
    assert torch.equal(untouched.blur(before), before)
    torch.manual_seed(0)
    dropped = Stage2(network, data, Stage2Config(past_drop=0.25), LIPS).blur(before)
    assert 0.15 < (dropped == 0).all(-1).all(-1).float().mean() < 0.35
    noise = Stage2(network, data, Stage2Config(past_noise=0.5), LIPS).blur(before) - before
    assert torch.allclose(noise.std((0, 1)) / data.spread(), torch.tensor(0.5 / 3**0.5), rtol=0.2)


def test_loss_of_every_fourth_vertex_covers_all_in_turn(data, basis):
    config = dataclasses.replace(TINY.stage1, every_vertex=4)
    stage = Stage1(network_with(basis, TINY.settings), data, config, LIPS, 10)
    motion = torch.randn(2, 3, 5)
    whole = stage.network.space.expand(motion)
    parts = torch.cat([stage.expand_some(motion, step) for step in range(4)], -1)
    assert parts.shape == whole.shape
    assert parts.abs().mean().item() == pytest.approx(whole.abs().mean().item(), rel=1e-4)


def test_both_stages_learn(corpus, tmp_path):
    torch.set_num_threads(1)
    size = apply_overrides(TINY, ["stage1.steps=120", "stage2.steps=60", "stage2.validate_every=20"])
    first = train_stage1(tmp_path / "one", size, corpus, threads=1)
    network, about = load_autoencoder(first)
    assert network.settings.vertices == 5023
    assert about["topology"] == "flame-5023"
    assert not network.training
    validation = (tmp_path / "one" / "validation.csv").read_text().splitlines()
    errors = [float(line.split(",")[1]) for line in validation[1:]]
    assert errors[-1] < 0.7 * errors[0]
    second = train_stage2(tmp_path / "two", size, corpus, tmp_path / "one", threads=1)
    assert second.is_file()
    assert second.with_suffix(".json").is_file()
    assert (tmp_path / "two" / "losses.csv").is_file()
    assert (tmp_path / "two" / "losses.png").is_file()
    lines = (tmp_path / "two" / "losses.csv").read_text().splitlines()
    assert lines[0] == "step,seconds,learning_rate,motion,lips,feature"
    assert float(lines[-1].split(",")[3]) < float(lines[1].split(",")[3])


def test_training_ends_early_and_keeps_the_best(data, basis, tmp_path):
    config = dataclasses.replace(TINY.stage1, steps=400, validate_every=2, patience=3)
    stage = Stage1(network_with(basis, TINY.settings), data, config, LIPS, config.steps)
    errors, kept = iter([5.0, 3.0, 4.0, 4.0, 4.0]), []

    def validate(network):
        kept.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(errors)

    stage.validate = validate
    run = TrainingRun(tmp_path, stage, config.run_settings(config.steps), {})
    result = run.train()
    assert run.step == 10
    assert all(torch.equal(v, kept[1][k]) for k, v in result.state_dict().items())


def test_stage_two_without_stage_one(corpus, tmp_path):
    with pytest.raises(PrerequisiteError, match="stage1"):
        train_stage2(tmp_path / "two", TINY, corpus, tmp_path)


def test_damaged_stage_one_is_named(tmp_path):
    (tmp_path / "stage1.safetensors").write_bytes(b"no weights")
    (tmp_path / "stage1.json").write_text('{"schema": 1, "settings": {"languages": []}}')
    with pytest.raises(UsageError, match="train stage 1 again"):
        load_autoencoder(tmp_path)


def test_a_damaged_checkpoint_is_named(corpus, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "checkpoint.pt").write_bytes(b"half a checkpoint")
    with pytest.raises(UsageError, match="cannot be read"):
        train_stage1(tmp_path / "one", TINY, corpus, threads=1)


def tiny_wav2vec2() -> dict:
    return {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        "conv_dim": [8] * 7, "num_feat_extract_layers": 7, "num_conv_pos_embeddings": 4,
        "num_conv_pos_embedding_groups": 2, "do_stable_layer_norm": True, "feat_extract_norm": "layer",
        "mask_time_prob": 0.2, "mask_time_length": 2, "mask_feature_length": 2,
    }  # fmt: skip


def test_a_speech_encoder_learns_with_the_model_and_is_kept(never_killed, tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    from mtbench.reference_model.encoders import registry
    from mtbench.reference_model.encoders.wav2vec2 import Wav2Vec2Speech
    from mtbench.reference_model.model_files import load_model

    def load(name):
        torch.manual_seed(5)
        return Wav2Vec2Speech(tiny_wav2vec2(), "tiny")

    monkeypatch.setattr(registry, "load_speech_encoder", load)
    size = apply_overrides(
        TINY, ["stage2.tune_encoder=true", "stage2.steps=6", "stage2.validate_every=6", "stage2.averaging=0"]
    )
    before = load("tiny").module.state_dict()
    paths = []
    for name in ("two", "again"):
        paths.append(train_stage2(tmp_path / name, size, WaveCorpus(), never_killed / "stage1", threads=1))
    # Also what wav2vec 2.0 hides from itself in training follows from the step.
    assert paths[0].read_bytes() == paths[1].read_bytes()
    model = load_model(paths[0])
    changed = [
        name
        for name, value in model.encoder.module.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert any(name.startswith("encoder.layers.0") for name in changed)
    assert not any(name.startswith("feature_extractor") for name in changed)
    made = model.predict(WaveCorpus().audio(0), WaveCorpus().template(0), "deu", frames=20)
    assert made.shape == (20, 5023, 3)


def test_a_frozen_speech_encoder_cannot_be_tuned(never_killed, tmp_path):
    size = apply_overrides(TINY, ["stage2.tune_encoder=true"])
    with pytest.raises(UsageError, match="stands still"):
        train_stage2(tmp_path, size, WaveCorpus(), never_killed / "stage1", threads=1)


def test_bfloat16_runs_and_keeps_weights_float32(data, basis, tmp_path):
    config = dataclasses.replace(TINY.stage1, precision="bfloat16", quantize_from=2)
    network = network_with(basis, TINY.settings)
    stage = Stage1(network, data, config, LIPS, config.steps)
    run = TrainingRun(tmp_path, stage, config.run_settings(config.steps), {})
    for _ in range(5):
        assert torch.isfinite(run.advance()).all()
    assert network.codebook.weight.dtype == torch.float32


# ---- several processes

SHARED = """
import sys
from mtbench.reference_model.training.train import train_stage1
from mtbench.reference_model.training.sizes import apply_overrides
from test_reference_training import ALONE
from training_corpus import WaveCorpus

train_stage1(sys.argv[1], ALONE, WaveCorpus(), threads=1)
"""
ALONE = apply_overrides(TINY, ["settings.dropout=0", "stage1.steps=8", "stage1.quantize_from=4"])


def test_processes_that_share_batches_learn_what_one_learns(tmp_path):
    run_as_two(SHARED, tmp_path / "shared" / "one")
    train_stage1(tmp_path / "alone" / "one", ALONE, WaveCorpus(), threads=1)
    shared_network, _ = load_autoencoder(tmp_path / "shared" / "one")
    alone, _ = load_autoencoder(tmp_path / "alone" / "one")
    for (name, value), other in zip(alone.state_dict().items(), shared_network.state_dict().values()):
        assert torch.allclose(value, other, atol=2e-3), name


def test_a_batch_that_cannot_be_shared_out(monkeypatch):
    devices = Devices()
    devices.count = 3
    with pytest.raises(UsageError, match="multiples of 3"):
        devices.check_batch(16)


# ---- killed and resumed

KILLED = """
import os, signal, sys
import torch
from mtbench.learning import TrainingRun
from mtbench.reference_model.training.train import train_stage1, train_stage2
from test_reference_training import TINY
from training_corpus import WaveCorpus

stage, folder, first, moment, step = sys.argv[1:]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


advance, write = TrainingRun.advance, torch.save


def advance_and_die(run):
    parts = advance(run)
    if moment == "step" and run.step == int(step):
        die()
    return parts


def write_half_and_die(state, path):
    write(state, path)
    if state["step"] >= int(step):
        os.truncate(path, os.path.getsize(path) // 2)
        die()


TrainingRun.advance = advance_and_die
if moment == "write":
    torch.save = write_half_and_die
if stage == "stage1":
    train_stage1(folder, TINY, WaveCorpus(), threads=1)
else:
    train_stage2(folder, TINY, WaveCorpus(), first, threads=1)
"""


@pytest.mark.parametrize(("stage", "moment"), [("stage1", "step"), ("stage1", "write"), ("stage2", "step")])
def test_killed_and_resumed_ends_in_the_same_bits(never_killed, tmp_path, stage, moment):
    steps = getattr(TINY, stage).steps
    step = random.randrange(1, steps)
    first, folder = never_killed / "stage1", tmp_path / stage
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, stage, folder, first, moment, str(step)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": SEARCHED},  # the same threads as here: BLAS rounds by their number
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (folder / f"{stage}.safetensors").exists(), f"killed at step {step}"
    if stage == "stage1":
        train_stage1(folder, TINY, WaveCorpus(), threads=1)
    else:
        train_stage2(folder, TINY, WaveCorpus(), first, threads=1)
    wanted = (never_killed / stage / f"{stage}.safetensors").read_bytes()
    assert (folder / f"{stage}.safetensors").read_bytes() == wanted, f"killed at step {step}"


def test_settings_survive_their_json():
    for size in SIZES.values():
        assert Settings.from_dict(size.settings.to_dict()) == size.settings
