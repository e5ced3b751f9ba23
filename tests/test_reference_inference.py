"""Fast generation: the plain loop's codes and motion, whatever the batch, the length and the model's manners."""

import pytest
import torch

from mtbench.errors import UsageError
from mtbench.reference_model import inference, inference_layers
from mtbench.reference_model.inference import Generator, generate
from mtbench.reference_model.model import MultiTalk, Settings

LENGTHS = (9, 33, 1, 2, 3, 33, 17)


def make_network(seed: int = 3, **changes) -> MultiTalk:
    torch.manual_seed(seed)
    sizes = {
        "vertices": 10, "width": 32, "layers": 2, "heads": 4, "feedforward": 48, "codes": 4, "entries": 24,
        "code_size": 8, "decoder_layers": 2, "decoder_heads": 4, "decoder_feedforward": 64, "speech_width": 12,
        "period": 5, "languages": ("deu", "ita", "pol"),
    }  # fmt: skip
    network = MultiTalk(Settings(**{**sizes, **changes})).eval()
    # Large weights everywhere: codes differ from frame to frame, and every term is seen in the result.
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    # Motion of about 1. Larger weights would enlarge the plain loop's rounding, too: where the first frames have the
    # same codes, instance norm divides what rounding leaves of their differences by the square root of 1e-5.
    torch.nn.init.normal_(network.autoencoder.map_out.weight, std=0.03)
    torch.nn.init.normal_(network.map_motion.weight, std=3)
    network.autoencoder.space.basis.normal_(std=0.1)
    return network


def draw_inputs(network: MultiTalk, lengths=LENGTHS, seed: int = 0):
    torch.manual_seed(seed)
    s = network.settings
    # Some clips have more speech than their frames need.
    speech = [torch.randn(2 * t + 3 * (i % 2), s.speech_width) for i, t in enumerate(lengths)]
    return speech, torch.rand(len(lengths), len(s.languages)).softmax(-1), lengths


def generate_plainly(network, speech, weights, frames):
    """Return motion and codes (T, C) of each clip by itself."""
    motion, codes = [], []
    quantize = network.autoencoder.quantize

    def spy(vectors):
        quantized = quantize(vectors)
        codes[-1] = quantized.codes[0]
        return quantized

    network.autoencoder.quantize = spy
    for i, t in enumerate(frames):
        codes.append(torch.zeros(0, network.settings.codes))
        motion.append(network.generate(speech[i][None], weights[i : i + 1], t)[0])
    del network.autoencoder.quantize
    return motion, codes


class Listening(Generator):
    """Notes the codes of each step, (b, C)."""

    def __init__(self, network):
        super().__init__(network)
        self.codes = []

    def _quantize(self, x):
        vectors = super()._quantize(x)
        parts = vectors.view(len(x), -1, 1, self.book.shape[1])
        self.codes.append((parts == self.book).all(-1).int().argmax(-1))
        return vectors


def assert_same(got, wanted):
    for x, y in zip(got, wanted, strict=True):
        assert x.shape == y.shape
        torch.testing.assert_close(x, y, rtol=0, atol=1e-4)


@pytest.mark.parametrize("batch_frames", [10_000, 70, 1])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"released": False, "principal": 6, "affine": True, "scale": 30.0},
        {"released": False, "layers": 1, "decoder_heads": 2},
        {"languages": ()},
    ],
    ids=["released", "principal", "one-layer", "no-language"],
)
def test_motion_is_that_of_the_plain_loop_whatever_the_batch(changes, batch_frames):
    network = make_network(**changes)
    inputs = draw_inputs(network)
    wanted, _ = generate_plainly(network, *inputs)
    assert_same(generate(network, *inputs, batch_frames), wanted)


@pytest.mark.parametrize("released", [True, False])
def test_codes_are_equal(released):
    network = make_network(released=released, affine=not released)
    # Falling lengths: the rows of a step are then the clips in order.
    speech, weights, frames = draw_inputs(network, (40, 21, 2))
    _, wanted = generate_plainly(network, speech, weights, frames)
    generator = Listening(network)
    generator.generate(speech, weights, frames)
    for i, t in enumerate(frames):
        assert len(wanted[i].unique(dim=0)) > t / 5
        assert torch.equal(torch.stack([codes[i] for codes in generator.codes[:t]]), wanted[i])


def test_longer_than_the_published_limit():
    network = make_network(period=25)
    speech, weights, (frames,) = draw_inputs(network, (640,))
    generator = Listening(network)
    inputs = [network.first_input(network.style(weights))]
    feed = generator.feed
    generator.feed = lambda x: inputs.append((y := feed(x))[:, None] + network.style(weights)) or y
    (motion,) = generator.generate(speech, weights, [frames])
    # The plain loop's last step, which sees the inputs of all steps before; the whole loop would take minutes.
    with torch.inference_mode():
        vectors = network.predict_vectors(torch.cat(inputs, 1), network.map_speech(speech[0][None]))
        quantized = network.autoencoder.quantize(vectors)
        wanted = network.autoencoder.decode(quantized.vectors)[0]
    assert torch.equal(torch.cat(generator.codes), quantized.codes[0])
    assert_same([motion], [wanted])


def test_frames_of_equal_codes_do_not_drown_in_rounding():
    network = make_network()
    torch.nn.init.zeros_(network.map_codes.weight)  # as before training
    inputs = draw_inputs(network)
    wanted, codes = generate_plainly(network, *inputs)
    assert len(codes[1].unique(dim=0)) == 1
    assert_same(generate(network, *inputs), wanted)


def test_without_packed_matrices(monkeypatch):
    network = make_network(affine=True)
    inputs = draw_inputs(network)
    packed = generate(network, *inputs)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not inference_layers.Linear(torch.ones(2, 2)).packed
    assert_same(generate(network, *inputs), packed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu():
    network = make_network().cuda()
    speech, weights, frames = draw_inputs(network)
    speech, weights = [s.cuda() for s in speech], weights.cuda()
    wanted, _ = generate_plainly(network, speech, weights, frames)
    got = generate(network, speech, weights, frames)
    assert {x.device.type for x in got} == {"cuda"}
    assert_same(got, wanted)


def test_speech_is_prepared_in_pieces(monkeypatch):
    network = make_network()
    inputs = draw_inputs(network)
    wanted = generate(network, *inputs)
    monkeypatch.setattr(inference, "SPEECH_FRAMES", 4)
    assert_same(generate(network, *inputs), wanted)


def test_dropout_stays_out():
    network = make_network()
    inputs = draw_inputs(network)
    assert_same(generate(network.train(), *inputs), generate_plainly(network.eval(), *inputs)[0])


def test_a_generator_is_used_again():
    network = make_network()
    generator = Generator(network)
    first, second = draw_inputs(network, seed=1), draw_inputs(network, (5, 8), seed=2)
    for inputs in (first, second, first):
        assert_same(generator.generate(*inputs), generate_plainly(network, *inputs)[0])


def test_no_clips_and_no_frames():
    network = make_network()
    assert generate(network, [], torch.zeros(0, 3), []) == []
    (motion,) = generate(network, [torch.zeros(0, 12)], torch.eye(3)[:1], [0])
    assert motion.shape == (0, 30)


def test_wrong_inputs_are_named():
    network = make_network()
    speech, weights, _ = draw_inputs(network, (4, 6))
    with pytest.raises(UsageError, match=r"clip 1: 8 frames .* 15 features of speech"):
        generate(network, speech, weights, [4, 8])
    with pytest.raises(UsageError, match=r"2 clips of speech, 2 rows .* 1 frame counts"):
        generate(network, speech, weights, [4])
