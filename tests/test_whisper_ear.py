"""The frozen encoder as an ear: spectrum, network, features, its two files."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mtbench.avsr.whisper.ear_files import EAR, Provenance, load_ear, save_ear
from mtbench.avsr.whisper.encoder import EncoderSizes, WhisperEncoder
from mtbench.avsr.whisper.hearing import Ear, normalize_states, plan_windows
from mtbench.avsr.whisper.mel import compute_whisper_mel
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import dequantize_weights, quantize_weights

SMALL = EncoderSizes(mels=80, width=128, inner=64, layers=2)
SOURCE = Provenance(file="small", sha256="00", origin="made for a test")
#: faster-whisper 1.2.1's log-mel of :func:`chirp`, every 13th band, every 24th frame.
MEL = [
    [1.1236, -0.6909, -0.6909, -0.6909, -0.6909],
    [0.5863, 0.8019, -0.6909, -0.6909, -0.6909],
    [0.2871, -0.5695, 0.9970, -0.6545, -0.6909],
    [0.0631, -0.6909, -0.6909, -0.1285, -0.2654],
    [-0.1351, -0.6909, -0.6909, -0.6909, -0.6909],
    [-0.3157, -0.6909, -0.6909, -0.6909, -0.6909],
    [-0.4242, -0.6909, -0.6909, -0.6909, -0.6909],
]
#: CTranslate2 4.8.5's encoding of it with the float16 weights, in float32: steps 5, 15, ..., every 64th number.
ENCODED = [
    [-1.263, 0.664, -0.497, -1.120, -0.998, 1.801, -0.903, -0.267],
    [-0.389, 0.333, 0.821, -0.544, -0.996, 1.534, -1.526, 0.098],
    [-0.202, 0.360, 0.087, -0.522, -0.056, 0.170, 0.331, 0.731],
    [-1.209, -0.807, 1.208, -0.972, -0.846, -0.404, -0.529, 0.280],
    [-0.402, -0.064, 1.386, 0.040, -0.126, 0.053, 0.010, 0.728],
]


def chirp(frames: int = 25) -> np.ndarray:
    t = np.arange(640 * frames) / 16000
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * 3 * t)
    return (0.3 * np.sin(2 * np.pi * (150 * t + 900 * t * t)) * swell).astype(np.float32)


def draw_sounds(*frames: int) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [(chirp(t) + rng.normal(0, 0.02, 640 * t)).astype(np.float32) for t in frames]


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    torch.manual_seed(1)
    return WhisperEncoder(SMALL).eval()


@pytest.fixture
def pair(encoder, tmp_path):
    path = tmp_path / "small.safetensors"
    save_ear(path, encoder.state_dict(), SOURCE, [])
    return path


# ---- spectrum


def test_the_spectrum_is_whispers():
    mel = compute_whisper_mel(chirp())
    assert mel.shape == (80, 100)
    assert np.abs(mel[::13, ::24].numpy() - MEL).max() < 1e-4


@pytest.mark.parametrize("shape", [0, 639, 641, (2, 640)])
def test_the_spectrum_refuses_broken_lengths(shape):
    with pytest.raises(ValueError, match=r"\(640 T,\)"):
        compute_whisper_mel(np.zeros(shape, np.float32))


def test_silence_is_heard_as_numbers(encoder):
    assert float(compute_whisper_mel(np.zeros(6400, np.float32)).max()) == -1.5
    assert np.isfinite(Ear(encoder, 2, "").hear(np.zeros(6400, np.float32))).all()


# ---- network


def test_the_network_is_whispers(encoder):
    """Beside another implementation of it, on the same random weights, at every layer."""
    transformers = pytest.importorskip("transformers")
    steps = 30
    config = transformers.WhisperConfig(
        num_mel_bins=80,
        d_model=SMALL.width,
        encoder_attention_heads=2,
        encoder_ffn_dim=SMALL.inner,
        encoder_layers=SMALL.layers,
        max_source_positions=steps,
    )
    theirs = transformers.models.whisper.modeling_whisper.WhisperEncoder(config).eval()
    state = {"embed_positions.weight": encoder.positions[:steps]}
    for name, value in encoder.state_dict().items():
        for our, their in (
            ("norm.", "layer_norm."),
            ("attention_norm", "self_attn_layer_norm"),
            ("attention_out", "self_attn.out_proj"),
            ("feedforward_norm", "final_layer_norm"),
            ("feedforward_in", "fc1"),
            ("feedforward_out", "fc2"),
        ):
            if name.startswith(our) or f".{our}." in name:
                name = name.replace(our, their)
                break
        if "attention_in" not in name:
            state[name] = value
            continue
        for part, piece in zip("qkv", value.chunk(3)):
            if (part, name.rpartition(".")[2]) != ("k", "bias"):
                state[name.replace("attention_in", f"self_attn.{part}_proj")] = piece
    with torch.no_grad():
        for layer in encoder.layers:
            # Keys have no bias in Whisper; what is the same for all keys has no influence anyway.
            layer.attention_in.bias[SMALL.width : 2 * SMALL.width] = 0
    theirs.load_state_dict(state)
    mel = torch.randn(2, 80, 2 * steps)
    with torch.inference_mode():
        expected = theirs(mel, output_hidden_states=True)
        found = encoder(mel, range(4))
    # They normalize their last hidden state.
    for a, b in zip([found[0], found[1], found[3]], expected.hidden_states, strict=True):
        assert float((a - b).abs().max()) < 1e-5


def test_layers_are_those_asked_for_and_no_more_run(encoder):
    mel = compute_whisper_mel(chirp())[None]
    with torch.inference_mode():
        every = encoder(mel, range(4))
        assert [bool(torch.equal(a, b)) for a, b in zip(encoder(mel, [2, 0]), (every[2], every[0]))] == [
            True
        ] * 2
        broken = WhisperEncoder(SMALL).eval()
        broken.load_state_dict(encoder.state_dict())
        broken.layers[1].forward = None
        assert torch.equal(broken(mel, [1])[0], every[1])
    for layers in ([], [4], [-1]):
        with pytest.raises(ValueError, match="0 to 3"):
            encoder(mel, layers)


def test_the_network_refuses_what_is_no_spectrum(encoder):
    for shape in ((1, 79, 4), (80, 4), (1, 80, 5), (1, 80, 0)):
        with pytest.raises(ValueError, match="spectra must be"):
            encoder(torch.zeros(shape), [1])
    with pytest.raises(ValueError, match="at most 1500"):
        encoder(torch.zeros(1, 80, 3002), [1])


# ---- features


def test_a_clip_is_heard_alike_alone_and_in_a_batch(encoder):
    ear, sounds = Ear(encoder, 2, ""), draw_sounds(9, 25, 14)
    features, lengths = ear.hear_batch(sounds)
    assert features.shape == (3, 50, 128)
    assert lengths.tolist() == [18, 50, 28]
    for i, sound in enumerate(sounds):
        alone = ear.hear(sound)
        assert np.abs(features[i, : lengths[i]].numpy() - alone).max() < 1e-3
        assert not features[i, lengths[i] :].any()


def test_padding_would_show_without_masks(encoder):
    """The test above can fail: what lies past a clip's end reaches it where nothing is masked."""
    short, long = (compute_whisper_mel(sound) for sound in draw_sounds(9, 25))
    padded = torch.stack([torch.nn.functional.pad(short, (0, 64)), long])
    with torch.inference_mode():
        alone = normalize_states(encoder(short[None], [2])[0])
        unmasked = normalize_states(encoder(padded, [2])[0], torch.tensor([18, 50]))
    assert float((unmasked[0, :18] - alone[0]).abs().max()) > 1e-2


def test_features_are_the_same_bytes_whatever_the_threads_and_the_neighbours(encoder):
    ear, sounds = Ear(encoder, 2, ""), draw_sounds(9, 25, 14)
    one = [ear.hear(sound).tobytes() for sound in sounds]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        again = [ear.hear(sound).tobytes() for sound in reversed(sounds)]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert again[::-1] == one


def test_each_feature_is_off_its_mean_and_deviation(encoder):
    heard = Ear(encoder, 2, "").hear(draw_sounds(25)[0])
    assert heard.dtype == np.float32
    assert heard.shape == (50, 128)
    assert np.abs(heard.mean(0)).max() < 1e-4
    assert np.abs(heard.std(0) - 1).max() < 0.05


def test_volume_is_not_heard(encoder):
    ear, sound = Ear(encoder, 2, ""), draw_sounds(25)[0]
    assert np.abs(ear.hear(sound) - ear.hear(sound / 4)).mean() < 0.05


def test_windows_leave_no_step_out_and_give_each_its_surroundings():
    for steps in (2, 1499, 1500, 1502, 1700, 2800, 2802, 6000):
        source = np.full(steps, -1)
        for number, (start, end, kept) in enumerate(plan_windows(steps)):
            assert 0 <= start <= kept < end <= steps
            assert end - start <= 1500
            assert number == 0 or kept - start >= 100
            source[kept:end] = number
        assert (np.diff(source) >= 0).all()
        assert source[0] == 0
        ends = [end for _, end, _ in plan_windows(steps)]
        for step in range(steps):
            assert ends[source[step]] - step > 100 or ends[source[step]] == steps


def test_long_clips_are_heard_in_windows(encoder):
    """Each step comes from its window; the whole is normalized at once; a batch, for training, takes none."""
    ear, sound = Ear(encoder, 2, ""), draw_sounds(800)[0]
    heard = ear.hear(sound)
    mel = compute_whisper_mel(sound)[None]
    with torch.inference_mode():
        first, second = (encoder(mel[..., 2 * a : 2 * a + 3000], [2])[0] for a in (0, 100))
        expected = normalize_states(torch.cat([first[:, :1400], second[:, 1300:]], 1))[0]
    assert np.abs(heard - expected.numpy()).max() < 1e-3
    with pytest.raises(ValueError, match="at most 1500"):
        ear.hear_batch([sound])
    with pytest.raises(ValueError, match="at least one"):
        ear.hear_batch([])


def test_features_can_be_trained_upon(encoder):
    features, _ = Ear(encoder, 1, "").hear_batch(draw_sounds(9))
    head = torch.nn.Linear(128, 3)
    head(features).sum().backward()
    assert head.weight.grad is not None


# ---- files


def test_weights_come_back_within_half_a_step(encoder):
    state = encoder.state_dict()
    tensors = quantize_weights(state)
    back = dequantize_weights(tensors)
    assert back.keys() == state.keys()
    for name, value in state.items():
        if value.ndim > 1:
            assert tensors[name].dtype == torch.int8
            step = value.flatten(1).abs().amax(1) / 127
            assert bool(((back[name] - value).flatten(1).abs() <= 0.5001 * step[:, None]).all())
        else:
            assert torch.equal(back[name], value.half().float())


def test_channels_of_zeros_stay_zero():
    assert not dequantize_weights(quantize_weights({"a.weight": torch.zeros(2, 3)}))["a.weight"].any()
    with pytest.raises(ValueError, match=r"a\.weight.*not finite"):
        quantize_weights({"a.weight": torch.full((2, 3), torch.inf)})


def test_an_ear_is_written_and_loaded(pair, encoder):
    ear = load_ear(pair)
    assert ear.encoder.sizes == SMALL
    assert ear.layer == 2
    assert ear.width == 128
    assert not any(p.requires_grad for p in ear.encoder.parameters())
    sound = draw_sounds(25)[0]
    close = np.corrcoef(ear.hear(sound).ravel(), Ear(encoder, 2, "").hear(sound).ravel())[0, 1]
    assert close > 0.99


def test_digests_tell_layers_and_weights_apart(pair, tmp_path):
    other = tmp_path / "other.safetensors"
    torch.manual_seed(9)
    save_ear(other, WhisperEncoder(SMALL).state_dict(), SOURCE, [])
    digests = {load_ear(pair).digest, load_ear(pair, 1).digest, load_ear(other).digest}
    assert len(digests) == 3
    assert load_ear(pair, 2).digest == load_ear(pair).digest


def test_missing_files_and_layers_are_told(pair):
    with pytest.raises(UsageError, match="layer 4 of an encoder that has 0 to 3"):
        load_ear(pair, 4)
    pair.with_suffix(".json").unlink()
    with pytest.raises(PrerequisiteError, match=r"small\.json.*build_whisper_ear"):
        load_ear(pair)


def rewrite(pair, edit) -> None:
    """Edit the tensors, and have the description agree with the file's digest."""
    tensors = load_file(pair)
    edit(tensors)
    save_file(tensors, pair)
    meta = json.loads(pair.with_suffix(".json").read_text())
    meta["sha256"] = hashlib.sha256(pair.read_bytes()).hexdigest()
    pair.with_suffix(".json").write_text(json.dumps(meta))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.pop("conv1.weight"), "conv1.weight' is missing"),
        (lambda t: t.pop("conv2.scale"), "conv2.weight has no float32 scale"),
        (lambda t: t.update({"conv2.scale": torch.ones(3)}), "conv2.weight has no float32 scale"),
        (lambda t: t["conv2.scale"].fill_(-1), "conv2.weight that are not positive"),
        (lambda t: t["conv2.scale"].fill_(torch.nan), "conv2.weight that are not positive"),
        (lambda t: t.update({"extra.scale": torch.ones(3)}), "scales without weights: extra.scale"),
        (lambda t: t.update({"conv2.bias": torch.zeros(128)}), "conv2.bias is torch.float32"),
        (lambda t: t["conv2.bias"].fill_(torch.inf), "conv2.bias holds values that are not finite"),
        (lambda t: t.update({"conv2.weight": t["conv2.weight"].float()}), "conv2.weight is torch.float32"),
        (lambda t: t.update({"conv1.weight": torch.zeros(127, 80, 3).to(torch.int8)}), "multiple of 64"),
        (lambda t: t.update({"layers.2.x": torch.zeros(1)}), "3 layers, its description says 2"),
        (lambda t: t.update({"more.x": torch.zeros(1)}), "1 unknown: more.x"),
        (lambda t: t.update({"conv1.weight": torch.zeros(3)}), "another rank"),
    ],
)
def test_files_that_are_no_ears_are_refused(pair, edit, message):
    rewrite(pair, edit)
    with pytest.raises(UsageError, match="not an ear") as caught:
        load_ear(pair)
    assert message in str(caught.value)


def test_nothing_is_allocated_for_sizes_that_a_file_does_not_fill(pair, monkeypatch):
    """A width of a million is refused by shapes; the network is made on torch's device without memory only."""
    made = []
    real = WhisperEncoder.__init__

    def watch(self, sizes):
        real(self, sizes)
        made.append(self.conv1.weight.device.type)

    monkeypatch.setattr(WhisperEncoder, "__init__", watch)
    rewrite(pair, lambda t: t.update({"conv1.weight": torch.zeros(64 * 500, 1, 3).to(torch.int8)}))
    with pytest.raises(UsageError, match="of another shape"):
        load_ear(pair)
    assert made == ["meta"]


def test_pairs_that_do_not_belong_together_are_refused(pair):
    content = bytearray(pair.read_bytes())
    content[-1] ^= 1
    pair.write_bytes(content)
    with pytest.raises(UsageError, match="SHA-256"):
        load_ear(pair)
    pair.with_suffix(".json").write_text('{"form": "another"}')
    with pytest.raises(UsageError, match=r"small\.json: form"):
        load_ear(pair)


# ---- what ships


def test_the_bundled_encoder_hears_as_the_released_one():
    """Beside CTranslate2 on the weights that it was made from, after the last normalization."""
    ear = load_ear()
    assert ear.encoder.sizes == EncoderSizes(mels=80, width=512, inner=2048, layers=6)
    with torch.inference_mode():
        (found,) = ear.encoder(compute_whisper_mel(chirp())[None], [7])
    difference = found[0, 5::10, ::64].numpy() - np.array(ENCODED)
    assert np.abs(difference).max() < 0.15
    assert np.sqrt((difference**2).mean()) < 0.04


def test_the_bundled_encoder_says_what_it_is_and_comes_from():
    meta = json.loads(EAR.with_suffix(".json").read_text("utf-8"))
    assert hashlib.sha256(EAR.read_bytes()).hexdigest() == meta["sha256"]
    license_text = EAR.with_suffix(".license.txt").read_text("utf-8")
    assert license_text.startswith("MIT License\n\nCopyright (c) 2022 OpenAI\n")
    card = EAR.with_suffix(".md").read_text("utf-8")
    for source in (meta["made_from"], *meta["agrees_with"]):
        assert source["sha256"] in card
    assert meta["sha256"] in card


def test_an_ear_is_the_same_wherever_it_lies(tmp_path):
    for end in (".safetensors", ".json"):
        shutil.copyfile(EAR.with_suffix(end), tmp_path / f"copy{end}")
    assert load_ear(tmp_path / "copy.safetensors").digest == load_ear().digest
