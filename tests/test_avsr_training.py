"""Training batches and the training loop; needs the [synth] extra."""

import csv

import numpy as np
import pytest
import torch

pytest.importorskip("espeakng_loader", reason="the [synth] extra is not installed")
pytestmark = pytest.mark.synth

from mtbench.avsr.acoustics import mix  # noqa: E402
from mtbench.avsr.train import TrainingConfig, collate, learning_rate, train  # noqa: E402
from mtbench.avsr.training_data import BatchGenerator  # noqa: E402
from mtbench.languages import LANGUAGES  # noqa: E402


@pytest.fixture(scope="module")
def phones():
    from mtbench.synth.phones import PHONES

    return tuple(PHONES)


@pytest.fixture(scope="module")
def batch(phones):
    return BatchGenerator(5, 3, ("eng", "ita", "tur"), phones).make(4)


def test_batch_is_a_function_of_seed_and_number(batch, phones):
    generator = BatchGenerator(5, 3, ("eng", "ita", "tur"), phones)
    generator.make(2)
    again = generator.make(4)
    for a, b in zip(batch.utterances, again.utterances):
        assert a.language == b.language
        assert np.array_equal(a.crops, b.crops)
        assert np.array_equal(a.labels, b.labels)
    for a, b in zip(batch.views, again.views):
        assert np.array_equal(a.audio, b.audio)
    other = BatchGenerator(6, 3, ("eng", "ita", "tur"), phones).make(4)
    assert not all(len(a.labels) == len(b.labels) for a, b in zip(batch.utterances, other.utterances))


def test_utterances_are_consistent(batch, phones):
    for u in batch.utterances:
        assert u.crops.shape == (len(u.crops), 96, 96)
        assert len(u.audio) == 640 * len(u.crops)
        assert len(u.frames) == 2 * len(u.crops)
        assert u.labels.min() >= 1
        assert u.labels.max() <= len(phones)
        # The mouth moves.
        assert u.crops.astype(float).std(0)[40:70, 30:66].max() > 5
        # CTC needs a frame for each phone.
        assert len(u.labels) <= len(u.frames)
    assert len(batch.views) == 6
    assert all(v.keep_visual or v.keep_acoustic for v in batch.views)


def test_collate_pads_and_keeps_lengths(batch):
    x = collate(batch, 5, tuple(LANGUAGES))
    assert x.logmel.shape[0] == 6
    assert x.crops.shape[2:] == (88, 88)
    assert int(x.label_lengths.sum()) == len(x.labels)
    for i, view in enumerate(batch.views):
        u = batch.utterances[view.utterance]
        assert int(x.lengths[i]) == len(u.crops)
        assert not x.logmel[i, len(u.crops) :].any()
    assert torch.equal(collate(batch, 5, tuple(LANGUAGES)).logmel, x.logmel)


@pytest.mark.parametrize("snr", [-12.0, 0.0, 15.0])
def test_training_mixtures_have_the_asked_snr(snr):
    rng = np.random.default_rng(1)
    speech = rng.normal(0, 0.1, 16000).astype(np.float32)
    for _ in range(10):
        noise = mix(rng, speech, [rng.normal(0, 1, 12000).astype(np.float32)] * 4, snr) - speech
        assert 10 * np.log10(np.square(speech).mean() / np.square(noise).mean()) == pytest.approx(
            snr, abs=0.05
        )
    assert mix(rng, speech, [], None) is speech


def test_learning_rate_rises_and_falls():
    config = TrainingConfig(steps=1000, warmup=100)
    rates = [learning_rate(config, s) for s in range(1000)]
    assert max(rates) == pytest.approx(config.learning_rate)
    assert rates.index(max(rates)) in (99, 100)
    assert rates[-1] < 1e-2 * config.learning_rate


@pytest.mark.slow
def test_resumed_training_equals_unbroken(tmp_path, monkeypatch):
    """Two steps, stop, two more: the same weights and losses as four in one go."""
    config = {"seed": 9, "batch": 2, "warmup": 2, "checkpoint_every": 2}
    unbroken = train(tmp_path / "a", TrainingConfig(steps=4, **config), threads=1)
    import mtbench.avsr.train as module

    # The learning rate depends on the total number of steps: stop the long run instead of making a short one.
    save = module._save

    class Stop(Exception):
        pass

    def save_and_stop(*args):
        save(*args)
        raise Stop

    monkeypatch.setattr(module, "_save", save_and_stop)
    with pytest.raises(Stop):
        train(tmp_path / "b", TrainingConfig(steps=4, **config), threads=1)
    monkeypatch.setattr(module, "_save", save)
    resumed = train(tmp_path / "b", TrainingConfig(steps=4, **config), threads=1)
    assert unbroken.read_bytes() == resumed.read_bytes()
    with (tmp_path / "a" / "losses.csv").open() as file:
        assert next(csv.reader(file))[:2] == ["step", "seconds"]
