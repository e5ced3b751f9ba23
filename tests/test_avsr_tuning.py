"""Choosing the weights of the word search."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from mtbench.avsr.openhead import tuning
from mtbench.avsr.openhead.decoding import DecodingConfig
from mtbench.avsr.openhead.model import AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead.recognizer import OpenheadAV
from mtbench.avsr.openhead.recognizer_files import save_recognizer
from mtbench.synth.phones import PHONES

FIRST = DecodingConfig(0.6, -2.0, 1.0)


@pytest.fixture(scope="module")
def clips():
    return tuning.make_development_set(("ita",), per_language=2, seed=3)


@pytest.fixture
def weights(tmp_path):
    """A network that has learned nothing, for one language."""
    import torch

    torch.manual_seed(0)
    sizes = ModelConfig(len(PHONES) + 1, 2, width=16, feedforward=16, layers=1, heads=2)
    save_recognizer(tmp_path / "a.safetensors", AudioVisualCTC(sizes), PHONES, ("ita",), FIRST, {"steps": 0})
    return tmp_path / "a.safetensors"


@pytest.mark.synth
def test_development_clips_are_training_sentences(clips):
    from mtbench.synth.texts import test_texts, train_texts

    said = {sentence.words for sentence in train_texts("ita")}
    assert len(clips) == 2
    for clip in clips:
        clean, noisy = clip.audio
        assert clip.words in said
        assert clip.words not in {sentence.words for sentence in test_texts("ita")}
        assert len(clean) == len(noisy) == 640 * len(clip.crops)
        level = np.mean(np.square(clean)) / np.mean(np.square(noisy - clean))
        assert level < 1  # at -7.5 dB the other voice is louder
    again = tuning.make_development_set(("ita",), per_language=2, seed=3)
    np.testing.assert_array_equal(again[1].crops, clips[1].crops)


@pytest.mark.synth
def test_the_best_combination_is_written_beside_the_network(weights, monkeypatch):
    monkeypatch.setattr(tuning, "PRIOR_WEIGHTS", (0.3, 0.9))
    monkeypatch.setattr(tuning, "WORD_SCORES", (-4.0, 0.0))
    monkeypatch.setattr(tuning, "BLANK_PENALTIES", (0.0,))
    network = weights.read_bytes()
    best, table = tuning.tune_decoding(weights, per_language=1, searches=("viterbi",))
    assert len(table) == 4
    assert [error for _, error in table] == sorted(error for _, error in table)
    assert table[0] == (best, min(error for _, error in table))
    assert best != FIRST
    assert OpenheadAV.load(weights).decoding == best
    assert weights.read_bytes() == network
    assert json.loads(weights.with_suffix(".json").read_text("utf-8"))["training"] == {"steps": 0}
