"""The model itself, what it is used through, and its files."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mtbench.errors import PrerequisiteError, UsageError  # noqa: E402
from mtbench.reference_model import PredictedMotion, ReferenceModel, load_model, save_model  # noqa: E402
from mtbench.reference_model.model import (  # noqa: E402
    MotionAutoencoder,
    MultiTalk,
    Settings,
    aligned_bias,
    past_bias,
    periodic_code,
)

SMALL = Settings(
    vertices=6, width=16, layers=1, heads=2, feedforward=16, codes=4, entries=8, code_size=4, decoder_layers=2,
    decoder_heads=2, decoder_feedforward=16, speech_width=160, languages=("ita", "eng", "jpn"), scale=300.0,
    released=False,
)  # fmt: skip


def make_network(**changes):
    torch.manual_seed(5)
    network = MultiTalk(dataclasses.replace(SMALL, **changes)).eval()
    torch.nn.init.normal_(network.map_codes.weight)
    return network


@pytest.fixture(scope="module")
def model():
    from mtbench.reference_model import load_speech_encoder

    made = ReferenceModel.of(make_network(), load_speech_encoder("openhead-av"), "tiny", None, {"steps": 3})
    assert made.gate
    # The sounds here are noise, at which a face would rest; see test_reference_voice_gate.
    return dataclasses.replace(made, gate=False)


def make_sound(frames):
    return np.random.default_rng(frames).normal(0, 0.1, 640 * frames).astype(np.float32)


FACE = np.linspace(-0.1, 0.1, 18, dtype=np.float32).reshape(6, 3)


def test_settings_survive_json_and_contradictions_do_not():
    assert Settings.from_dict(json.loads(json.dumps(SMALL.to_dict()))) == SMALL
    with pytest.raises(ValueError, match="do not fill width"):
        Settings(codes=3)
    with pytest.raises(ValueError, match="no multiple of 5 heads"):
        Settings(heads=5)


def test_positional_code_repeats():
    code = periodic_code(60, 6, 25)
    assert torch.equal(code[25:50], code[:25])
    assert torch.equal(periodic_code(40, 6, 25)[30:], code[5:15])
    np.testing.assert_allclose(code[3, :2], [np.sin(3), np.cos(3)], atol=1e-6)
    assert periodic_code(4, 5, 25).shape == (4, 5)


def test_biases_of_attention():
    bias = past_bias(60, 4, 25)
    assert bias.shape == (4, 60, 60)
    assert torch.isneginf(bias[:, 10, 11:]).all()
    np.testing.assert_allclose(bias[:, 59, 59 - 24], 0)
    np.testing.assert_allclose(bias[:, 59, 59 - 25], [-1 / 4, -1 / 16, -1 / 64, -1 / 256])
    np.testing.assert_allclose(bias[:, 59, 59 - 50], [-1 / 2, -1 / 8, -1 / 32, -1 / 128])
    speech = aligned_bias(3, 7)[0]
    assert (speech == 0).nonzero().tolist() == [[0, 0], [0, 1], [1, 2], [1, 3], [2, 4], [2, 5]]


def test_quantization_takes_the_nearest_entry_and_lets_gradients_pass():
    torch.manual_seed(1)
    network = MotionAutoencoder(SMALL)
    vectors = torch.randn(2, 5, 16, requires_grad=True)
    quantized = network.quantize(vectors)
    parts = vectors.detach().unflatten(-1, (4, 4))
    nearest = torch.cdist(parts, network.codebook.weight.expand(2, 5, 8, 4)).argmin(-1)
    assert torch.equal(quantized.codes, nearest)
    assert torch.allclose(quantized.vectors, network.codebook.weight[nearest].flatten(-2), atol=1e-6)
    weights = torch.randn(2, 5, 16)
    (quantized.vectors * weights).sum().backward()
    assert torch.equal(vectors.grad, weights)
    difference = (network.codebook.weight[nearest].flatten(-2) - vectors).square().mean()
    assert quantized.loss.item() == pytest.approx(1.25 * difference.item())


def test_decoder_sees_neither_the_future_nor_speech_of_other_frames():
    network = make_network()
    inputs, memory = torch.randn(1, 8, 16), torch.randn(1, 16, 16)
    with torch.no_grad():
        before = network.predict_vectors(inputs, memory)
        inputs[:, 5] += 1
        memory[:, 10:12] += 1
        after = network.predict_vectors(inputs, memory)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_published_quirks():
    x = torch.randn(1, 6, 16)
    released, ours = make_network(released=True).autoencoder, make_network().autoencoder
    ours.load_state_dict(released.state_dict())
    assert released.encoder.positions(6, x.device).shape == (1, 16)
    assert ours.encoder.positions(6, x.device).shape == (6, 16)
    scales = [network.encoder.blocks[0].attention.scale for network in (released, ours)]
    assert scales == [16**-0.5, 8**-0.5]
    style = torch.randn(2, 1, 16)
    talk = make_network(released=True)
    assert torch.equal(talk.first_input(style), style)
    assert not torch.equal(make_network().first_input(style), style)


def test_principal_movements_are_undone():
    network = make_network(principal=3)
    space = network.autoencoder.space
    space.basis.copy_(torch.linalg.qr(torch.randn(18, 3))[0].T)
    motion = torch.randn(2, 4, 3)
    torch.testing.assert_close(space.project(space.restore(motion)), motion)
    assert network.generate(torch.randn(1, 8, 160), torch.eye(3)[:1], 4).shape == (1, 4, 3)


def test_autoencoding_keeps_the_form(model):
    rng = np.random.default_rng(0)
    motion = (FACE + rng.normal(0, 0.002, (7, 6, 3))).astype(np.float32)
    shaped, codes = model.autoencode(motion, FACE)
    flat, again = model.autoencode(motion.reshape(7, 18), FACE.ravel())
    assert (shaped.shape, shaped.dtype) == ((7, 6, 3), np.float32)
    assert (codes.shape, codes.dtype) == ((7, 4), np.int64)
    np.testing.assert_array_equal(shaped.reshape(7, 18), flat)
    np.testing.assert_array_equal(codes, again)
    for bad, words in (
        (motion[:1], "at least 2 frames"),
        (motion.reshape(7, 18), "shape"),
        (motion + np.nan, "NaN"),
    ):
        with pytest.raises(UsageError, match=words):
            model.autoencode(bad, FACE)


def test_losses_of_a_clip(model):
    motion = np.repeat(FACE[None], 6, 0)
    losses = model.teacher_forced_loss(make_sound(6), motion, FACE, "eng")
    assert losses.total == pytest.approx(losses.motion + losses.feature, rel=1e-5)
    assert losses == model.teacher_forced_loss(make_sound(6), motion, FACE, 1)
    assert losses != model.teacher_forced_loss(make_sound(6), motion, FACE, 0)


def test_prediction(model):
    motion = model.predict(make_sound(9), FACE, "Italian")
    assert isinstance(motion, PredictedMotion)
    assert (motion.shape, motion.dtype, motion.notes) == ((9, 6, 3), np.float32, ())
    np.testing.assert_array_equal(model.predict(make_sound(9), FACE.ravel(), 0), motion.reshape(9, 18))
    np.testing.assert_array_equal(model.predict(make_sound(9), FACE, {"it": 1.0}, 9), motion)
    assert model.predict(make_sound(9), FACE, "ita", 4).shape == (4, 6, 3)
    speech = model.encoder.encode(make_sound(9))
    plain = model.network.generate(speech[None], torch.eye(3)[:1], 9)[0] / 300
    np.testing.assert_allclose(motion.reshape(9, 18), plain + FACE.ravel(), atol=1e-5)


def test_clips_together_are_clips_alone(model):
    sounds, faces = [make_sound(5), make_sound(11), make_sound(7)], [FACE, 2 * FACE, FACE.ravel()]
    spoken = ["eng", {"Italian": 0.25, "Japanese": 0.75}, 2]
    together = model.predict_many(sounds, faces, spoken, [None, 10, None])
    assert [m.shape for m in together] == [(5, 6, 3), (10, 6, 3), (7, 18)]
    for motion, *clip in zip(together, sounds, faces, spoken, [None, 10, None], strict=True):
        np.testing.assert_allclose(motion, model.predict(*clip), atol=1e-5)


def test_long_and_stretched_sound_goes_on_with_a_note(model):
    motion = model.predict(make_sound(602), FACE, "eng")
    assert len(motion) == 602
    assert "602 frames; the model was made for 600" in motion.notes[0]
    assert np.isfinite(motion).all()
    assert motion[:3].notes == motion.notes
    assert model.predict(make_sound(5), FACE, "eng", 9).notes == (
        "the sound lasts 5 frames; it was stretched to 9",
    )
    with pytest.raises(UsageError, match="at most 120 s"):
        model.predict(np.zeros(640 * 3001, np.float32), FACE, "eng")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("Klingon", "no language 'Klingon'; it knows Italian, English, Japanese"),
        ("Hindi", "no language 'Hindi'"),
        (3, "no language 3; the model knows 0 Italian, 1 English, 2 Japanese"),
        (-1, "no language -1"),
        (None, "name the language"),
        ({"ita": 0.5, "eng": 0.4}, "sum to 0.9, expected 1: ita 0.5, eng 0.4"),
        ({"ita": 1.5, "eng": -0.5}, "weight -0.5"),
        ({"ita": float("nan")}, "weight nan"),
        ({}, "sum to 0"),
    ],
)
def test_languages_that_will_not_do(model, language, words):
    with pytest.raises(UsageError, match=words):
        model.predict(make_sound(3), FACE, language)


def test_a_model_without_languages(model):
    silent = ReferenceModel.of(make_network(languages=()), model.encoder, "tiny", None)
    assert silent.predict(make_sound(3), FACE, None).shape == (3, 6, 3)
    with pytest.raises(UsageError, match="without languages"):
        silent.predict(make_sound(3), FACE, "eng")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"audio": np.zeros(0, np.float32)}, "without samples"),
        ({"audio": np.full(900, np.nan, np.float32)}, "NaN"),
        ({"audio": np.zeros((900, 2), np.float32)}, "one channel"),
        ({"template": FACE[:5]}, r"\(5, 3\).*6 vertices"),
        ({"template": FACE * np.nan}, "NaN"),
        ({"frames": 0}, "expected 1 to 3000"),
        ({"frames": 3001}, "expected 1 to 3000"),
    ],
)
def test_inputs_that_will_not_do(model, change, words):
    with pytest.raises(UsageError, match=words):
        model.predict(**{"audio": make_sound(3), "template": FACE, "language": "eng"} | change)


def test_an_encoder_of_another_width(model):
    with pytest.raises(UsageError, match="160 numbers, the model tiny expects 8"):
        ReferenceModel.of(make_network(speech_width=8), model.encoder, "tiny", None)


def test_files_give_the_model_back(model, tmp_path):
    path = save_model(tmp_path / "own.safetensors", model)
    again = load_model(path)
    assert (again.name, again.topology, again.digest) == ("tiny", None, model.digest)
    assert again.training == {"steps": 3}
    np.testing.assert_array_equal(
        again.predict(make_sound(5), FACE, "eng", gate=False), model.predict(make_sound(5), FACE, "eng")
    )
    half = save_model(tmp_path / "half.safetensors", model, half=True)
    assert half.stat().st_size < 0.75 * path.stat().st_size
    small = load_model(half)
    assert small.digest != model.digest
    assert small.network.map_speech.weight.dtype == torch.float32
    for a, b in zip(small.network.parameters(), model.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_files_that_are_not_a_model(model, tmp_path):
    path = save_model(tmp_path / "own.safetensors", model)
    about = json.loads(path.with_suffix(".json").read_text("utf-8"))

    def write(**changes):
        path.with_suffix(".json").write_text(json.dumps(about | changes))

    write(encoder=about["encoder"] | {"digest": "00" * 16})
    with pytest.raises(UsageError, match="another speech encoder openhead-av"):
        load_model(path)
    write(settings=about["settings"] | {"entries": 9})
    with pytest.raises(UsageError, match=r"not the weights that own\.json describes"):
        load_model(path)
    write(more=1)
    with pytest.raises(UsageError, match="more: unknown field"):
        load_model(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(UsageError, match="expected JSON"):
        load_model(path)
    write()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UsageError, match="cut off"):
        load_model(path)
    path.unlink()
    with pytest.raises(PrerequisiteError, match=r"own\.safetensors: there is no such file.*reproduce"):
        load_model(path)


def test_importing_the_package_loads_no_torch():
    code = (
        "import sys, mtbench.reference_model as m; print('load_released' in dir(m), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "True False\n"
