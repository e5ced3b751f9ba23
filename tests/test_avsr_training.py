"""Training batches and the training loop; needs the [synth] extra."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("espeakng_loader", reason="the [synth] extra is not installed")
pytestmark = pytest.mark.synth

from mtbench.avsr.openhead.acoustics import (  # noqa: E402
    change_channel,
    change_source,
    change_vocal_tract,
    mix,
)
from mtbench.avsr.openhead.batches import collate, collate_shards  # noqa: E402
from mtbench.avsr.openhead.objective import TrainingConfig  # noqa: E402
from mtbench.avsr.openhead.recognizer import OpenheadAV  # noqa: E402
from mtbench.avsr.openhead.training import train  # noqa: E402
from mtbench.avsr.openhead.training_data import BatchGenerator  # noqa: E402
from mtbench.errors import UsageError  # noqa: E402
from mtbench.speech.multitalk_languages import LANGUAGES  # noqa: E402
from mtbench.synth.speech import UtteranceSource  # noqa: E402


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
        assert (a.face, a.draw) == (b.face, b.draw)
    for a, b in zip(batch.stills, again.stills):
        assert np.array_equal(a, b)
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
    assert x.sound.shape[::2] == (6, 320)
    assert x.crops.shape[0] == 3 + len(batch.stills)
    assert x.crops.shape[2:] == (88, 88)
    assert int(x.label_lengths.sum()) == len(x.labels)
    for i, view in enumerate(batch.views):
        u = batch.utterances[view.utterance]
        assert int(x.lengths[i]) == len(u.crops)
        assert not x.sound[i, len(u.crops) :].any()
    assert torch.equal(collate(batch, 5, tuple(LANGUAGES)).sound, x.sound)


def test_shards_hold_every_view_once(phones):
    batch = BatchGenerator(5, 4, ("eng", "ita"), phones).make(0)
    shards = collate_shards(batch, 5, tuple(LANGUAGES), 2)
    assert [len(s.crops) for s in shards] == [3, 3]  # two utterances and a face that does not move
    assert sum(len(s.utterance) for s in shards) == len(batch.views)
    assert all(int(s.utterance.max()) < len(s.crops) for s in shards)
    with pytest.raises(ValueError, match="cannot be cut into 3"):
        collate_shards(batch, 5, tuple(LANGUAGES), 3)


def test_other_vocal_tracts_keep_phones_with_the_sound():
    speech = UtteranceSource().draw(np.random.default_rng(2), "ita", 2.0)
    for seed in range(6):
        other = change_vocal_tract(speech, np.random.default_rng(seed))
        factor = len(other.audio) / len(speech.audio)
        assert 0.83 < factor < 1.17
        assert other.phones[-1].end == pytest.approx(speech.phones[-1].end * factor, abs=1e-3)
        assert [p.symbol for p in other.phones] == [p.symbol for p in speech.phones]


def test_channels_are_bounded_and_seeded():
    speech = UtteranceSource().draw(np.random.default_rng(2), "ita", 2.0).audio
    for seed in range(20):
        heard = change_channel(speech, np.random.default_rng(seed))
        assert heard.shape == speech.shape
        assert np.isfinite(heard).all()
        assert 0.2 < np.std(heard) / np.std(speech) < 2.5
        assert np.array_equal(heard, change_channel(speech, np.random.default_rng(seed)))


def test_another_source_keeps_the_envelope_of_speech():
    """Loud where speech is loud, silent where it is silent."""
    speech = UtteranceSource().draw(np.random.default_rng(2), "ita", 2.0).audio
    level = np.square(speech[: len(speech) // 800 * 800]).reshape(-1, 800).mean(1)
    for seed in range(5):
        other = change_source(speech, np.random.default_rng(seed))
        there = np.square(other[: len(speech) // 800 * 800]).reshape(-1, 800).mean(1)
        assert np.corrcoef(np.log(level + 1e-6), np.log(there + 1e-6))[0, 1] > 0.8
        assert not np.allclose(other, speech, atol=1e-3)


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
    rates = [config.run_settings().schedule.rate(s) for s in range(1000)]
    assert max(rates) == pytest.approx(config.learning_rate)
    assert rates.index(max(rates)) in (99, 100)
    assert rates[-1] < 1e-2 * config.learning_rate


@pytest.mark.slow
def test_processes_compute_what_one_does(tmp_path):
    config = TrainingConfig(seed=9, batch=2, warmup=2, steps=2)
    losses = []
    for cores in (1, 2):
        train(tmp_path / str(cores), config, threads=cores)
        state = torch.load(tmp_path / str(cores) / "checkpoint.pt", weights_only=True)["network"]
        losses.append(state["output.weight"])
    assert torch.allclose(losses[0], losses[1], atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_resumed_training_equals_unbroken(tmp_path, monkeypatch, threads):
    """Two steps, stop, two more: the same weights and losses as four in one go."""
    config = {"seed": 9, "batch": 2, "warmup": 2, "checkpoint_every": 2}
    unbroken = train(tmp_path / "a", TrainingConfig(steps=4, **config), threads=threads)
    from mtbench.learning import TrainingRun

    # The learning rate depends on the total number of steps: stop the long run instead of making a short one.
    save = TrainingRun.save

    class Stop(Exception):
        pass

    def save_and_stop(*args):
        save(*args)
        raise Stop

    monkeypatch.setattr(TrainingRun, "save", save_and_stop)
    with pytest.raises(Stop):
        train(tmp_path / "b", TrainingConfig(steps=4, **config), threads=threads)
    monkeypatch.setattr(TrainingRun, "save", save)
    resumed = train(tmp_path / "b", TrainingConfig(steps=4, **config), threads=threads)
    assert unbroken.read_bytes() == resumed.read_bytes()
    with (tmp_path / "a" / "losses.csv").open() as file:
        assert next(csv.reader(file))[:2] == ["step", "seconds"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 2}, "seed was 1, is 2"),
        ({"learning_rate": 0.5}, "learning_rate was 0.002, is 0.5"),
        ({"steps": 2, "warmup": 3}, "steps was 1, is 2; warmup was 200, is 3"),
    ],
)
def test_a_run_does_not_go_on_under_other_settings(tmp_path, begun, change, told):
    """``--seed 2`` on an old folder went on silently, with settings of both."""
    before = (begun / "checkpoint.pt").read_bytes()
    with pytest.raises(UsageError) as caught:
        train(begun, replace(TrainingConfig(steps=1, batch=2), **change))
    assert told in str(caught.value)
    assert "give another folder" in str(caught.value)
    assert (begun / "checkpoint.pt").read_bytes() == before


def test_a_run_does_not_go_on_from_other_weights(begun):
    with pytest.raises(UsageError, match=r"initial was drawn, is [0-9a-f]{32}"):
        train(begun, TrainingConfig(steps=1, batch=2), initial=begun / "openhead-av.safetensors")


def test_recognizers_are_kept_on_the_way(tmp_path, monkeypatch):
    """The one that understands people best need not be the last."""
    monkeypatch.setattr("mtbench.avsr.openhead.recipe.KEEP_EVERY", 2)
    sizes = {"width": 32, "heads": 2, "feedforward": 32, "layers": 2, "channels": (4, 6, 8, 12)}
    config = TrainingConfig(steps=3, batch=2, warmup=2, checkpoint_every=1)
    last = train(tmp_path, config, threads=1, sizes=sizes)
    kept = tmp_path / "kept" / "2" / last.name
    assert [p.name for p in (tmp_path / "kept").iterdir()] == ["2"]
    assert json.loads(kept.with_suffix(".json").read_text("utf-8"))["training"]["step"] == 2
    assert kept.read_bytes() != last.read_bytes()
    OpenheadAV.load(kept)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of a finished run of one step."""
    folder = tmp_path_factory.mktemp("begun")
    train(folder, TrainingConfig(steps=1, batch=2))
    return folder
