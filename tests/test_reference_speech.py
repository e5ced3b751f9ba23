"""Speech encoders: what they hear, always the same bits, and what they say of sound that is none."""

import shutil
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mtbench.avsr.openhead.inference import Request, compute_log_probs  # noqa: E402
from mtbench.avsr.openhead.recognizer import OpenheadAV, find_bundled  # noqa: E402
from mtbench.errors import PrerequisiteError, UsageError  # noqa: E402
from mtbench.reference_model.encoders.registry import load_speech_encoder  # noqa: E402
from mtbench.reference_model.encoders.speech import (  # noqa: E402
    OpenheadSpeech,
    SpeechEncoder,
    check_audio,
    fit_features,
)

TINY = {
    "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [4] * 7,
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def make_sound(samples):
    return np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)


@pytest.fixture(scope="module")
def bundled():
    return load_speech_encoder("openhead-av")


@pytest.fixture(scope="module")
def wav2vec2():
    pytest.importorskip("transformers")
    from mtbench.reference_model.encoders.wav2vec2 import Wav2Vec2Speech

    torch.manual_seed(1)
    return Wav2Vec2Speech(TINY, "tiny")


def test_bundled_encoder_hears_what_the_recognizer_hears(bundled):
    assert isinstance(bundled, SpeechEncoder)
    assert (bundled.name, bundled.width, bundled.module) == ("openhead-av", 160, None)
    sound = make_sound(640 * 12)
    features = bundled.encode(bundled.prepare(sound))
    assert features.shape == (24, 160)
    assert not features.requires_grad
    recognizer = OpenheadAV.load(find_bundled("1"))
    with torch.no_grad():
        found = recognizer.network.output(features).log_softmax(-1)
    # The encoder hears in no particular language (place 0), which the recognizer's own door refuses.
    heard = compute_log_probs(recognizer.network, [Request(None, [sound], "")], [0], recognizer.batch_frames)
    np.testing.assert_allclose(found, heard[0][0], atol=1e-4)


def test_bundled_encoder_fills_the_last_frame_up(bundled):
    sound = make_sound(640 * 5 + 1)
    filled = np.concatenate([sound, np.zeros(639, np.float32)])
    features = bundled.encode(sound)
    assert torch.equal(features, bundled.encode(filled))
    assert features.shape == (12, 160)
    assert torch.equal(bundled.encode(sound, 6), features)
    assert torch.equal(bundled.encode(sound, 9), fit_features(features, 9))


def test_bundled_encoder_gives_the_same_bits_on_any_number_of_threads(bundled):
    sound = make_sound(640 * 30)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(bundled.encode(sound))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_digest_is_of_the_ears_only(bundled, tmp_path):
    from safetensors.torch import load_file, save_file

    def change(name):
        state = load_file(find_bundled("1"))
        state[name] = state[name] + 1
        path = tmp_path / f"{name}.safetensors"
        save_file(state, path)
        shutil.copy(find_bundled("1").with_suffix(".json"), path.with_suffix(".json"))
        return load_speech_encoder(path)

    eyes = change("visual.stem.weight")
    assert eyes.digest == bundled.digest
    assert eyes.name.endswith("visual.stem.weight.safetensors")
    assert change("acoustic.inner.weight").digest != bundled.digest


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros(0, np.float32), "without samples"),
        (np.zeros((2, 800), np.float32), r"one channel.*\(2, 800\)"),
        (np.zeros(800, np.int16), "int16"),
        (
            np.array([0, 0, np.nan, np.inf], np.float32),
            "2 samples that are NaN or infinite, the first at 0.000 s",
        ),
    ],
)
def test_sound_that_is_none(bundled, wav2vec2, sound, words):
    for look in (check_audio, bundled.encode, bundled.prepare, wav2vec2.encode, wav2vec2.prepare):
        with pytest.raises(UsageError, match=words):
            look(sound)


def test_too_few_features_are_resized_ends_on_ends():
    x = torch.arange(6.0)[:, None] * torch.tensor([1.0, -2.0])
    assert fit_features(x, 2) is x
    assert fit_features(x, 3) is x
    y = fit_features(x, 5)
    torch.testing.assert_close(y, torch.linspace(0, 5, 10)[:, None] * torch.tensor([1.0, -2.0]))


def test_wav2vec2_is_transformers_own(wav2vec2):
    from transformers import Wav2Vec2FeatureExtractor

    assert isinstance(wav2vec2, SpeechEncoder)
    sound = make_sound(6000)
    prepared = wav2vec2.prepare(sound)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    wanted = extractor(sound, sampling_rate=16000, return_tensors="np").input_values[0]
    np.testing.assert_allclose(prepared, wanted, atol=1e-5)
    with torch.no_grad():
        own = wav2vec2.module(torch.from_numpy(prepared)[None]).last_hidden_state[0]
    assert own.shape == (18, 8)
    torch.testing.assert_close(wav2vec2.encode(prepared), own)
    # One feature more would be odd, and is cut off before anything sees it.
    assert wav2vec2.encode(make_sound(6320)).shape == (18, 8)
    assert wav2vec2.encode(prepared, 12).shape == (24, 8)
    assert wav2vec2.encode(make_sound(720)).shape == (2, 8)
    with pytest.raises(UsageError, match="719 samples is too short"):
        wav2vec2.encode(make_sound(719))


def test_wav2vec2_may_be_tuned_but_for_its_convolutions(wav2vec2):
    wav2vec2.module.train()
    try:
        features = wav2vec2.forward(torch.from_numpy(make_sound(6000))[None].repeat(2, 1), 10)
        assert features.shape == (2, 20, 8)
        features.sum().backward()
        assert not wav2vec2.encode(make_sound(6000)).requires_grad
        assert wav2vec2.module.training
    finally:
        wav2vec2.module.eval()
    learned = {name for name, value in wav2vec2.module.named_parameters() if value.grad is not None}
    wav2vec2.module.zero_grad()
    assert "encoder.layers.0.attention.k_proj.weight" in learned
    assert not any(name.startswith("feature_extractor") for name in learned)


def test_wav2vec2_from_a_folder(wav2vec2, tmp_path):
    wav2vec2.module.save_pretrained(tmp_path / "encoder")
    again = load_speech_encoder(tmp_path / "encoder")
    assert again.name == str(tmp_path / "encoder")
    assert again.width == 8
    assert torch.equal(again.encode(make_sound(3000)), wav2vec2.encode(make_sound(3000)))


def test_what_was_downloaded_once_is_loaded_without_asking_the_hub(wav2vec2, tmp_path, monkeypatch):
    """The cache is read as `hf download` leaves it; a question over the network would be an error."""
    import socket

    home = tmp_path / "models--somebody--encoder"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0" * 40)
    wav2vec2.module.save_pretrained(home / "snapshots" / ("0" * 40))
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: asked.append(a) or pytest.fail("network"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path))
    encoder = load_speech_encoder("somebody/encoder")
    assert encoder.width == 8
    assert not asked


def test_encoders_that_are_missing(tmp_path, monkeypatch):
    with pytest.raises(PrerequisiteError, match="weights are not there"):
        load_speech_encoder(tmp_path / "absent.safetensors")
    with pytest.raises(PrerequisiteError, match=r"could not be loaded.*Without a network"):
        load_speech_encoder(tmp_path / "absent")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PrerequisiteError, match=r"multitalk-bench\[reference\]"):
        load_speech_encoder("facebook/wav2vec2-large-xlsr-53")


def test_the_bundled_one_needs_no_transformers(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert OpenheadSpeech().width == 160
