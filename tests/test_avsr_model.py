"""Features, network and the recognizer around it, on small random weights."""

import json

import numpy as np
import pytest
import torch

from mtbench.avsr.base import Recognizer
from mtbench.avsr.openhead.decoding import DecodingConfig
from mtbench.avsr.openhead.features import compute_logmel, normalize_crops
from mtbench.avsr.openhead.model import AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead.recognizer import OpenheadAV
from mtbench.avsr.openhead.recognizer_files import save_recognizer
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech.lexicon import Lexicon

PHONES = ("a", "b", "m")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(3)
    network = AudioVisualCTC(ModelConfig(classes=4, languages=3, width=32, feedforward=32, layers=2, heads=2))
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_recognizer(path, network, PHONES, ("eng", "ita"), DecodingConfig(), {"seed": 3})
    return path


@pytest.fixture
def clip():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (20, 96, 96), np.uint8), rng.normal(0, 0.1, 20 * 640).astype(np.float32)


def lexicon():
    return Lexicon(("ama", "ab"), ((("a", "m", "a"),), (("a", "b"),)), (3, 1))


def test_logmel_has_four_frames_a_video_frame_and_unit_variance(clip):
    x = compute_logmel(clip[1])
    assert x.shape == (20, 320)
    assert abs(float(x.mean())) < 1e-4
    assert abs(float(x.std()) - 1) < 1e-2


def test_logmel_finds_the_pitch_of_a_tone():
    tone = np.sin(2 * np.pi * 1000 * np.arange(6400) / 16000).astype(np.float32)
    peak = compute_logmel(tone).view(-1, 80).mean(0).argmax()
    mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    centres = np.linspace(mel(20), mel(7800), 82)[1:-1]
    assert abs(int(peak) - int(np.abs(centres - mel(1000)).argmin())) <= 1


@pytest.mark.parametrize("n", [0, 639, 641])
def test_logmel_refuses_broken_lengths(n):
    with pytest.raises(ValueError, match="640"):
        compute_logmel(np.zeros(n, np.float32))


def test_crops_are_cut_and_normalised(clip):
    x = normalize_crops(clip[0])
    assert x.shape == (20, 88, 88)
    assert float(x[3, 0, 0]) == pytest.approx((clip[0][3, 4, 4] / 255 - 0.421) / 0.165, abs=1e-5)
    with pytest.raises(ValueError, match="uint8"):
        normalize_crops(clip[0].astype(np.float32))


def test_recognizer_satisfies_the_protocol(checkpoint):
    assert isinstance(OpenheadAV.load(checkpoint), Recognizer)


def test_half_precision_checkpoint_gives_the_same_network(checkpoint, clip):
    a, b = OpenheadAV.load(checkpoint), OpenheadAV.load(checkpoint)
    assert a.digest == b.digest
    assert np.array_equal(
        a.log_probs(clip[0], [clip[1]], "eng")[0], b.log_probs(clip[0], [clip[1]], "eng")[0]
    )


def test_conditions_do_not_influence_each_other(checkpoint, clip):
    crops, audio = clip
    judge = OpenheadAV.load(checkpoint)
    loud = audio * np.linspace(0, 3, len(audio), dtype=np.float32)
    together = judge.log_probs(crops, [audio, None, loud], "ita")
    alone = [judge.log_probs(crops, [x], "ita")[0] for x in (audio, None, loud)]
    assert all(np.array_equal(x, y) for x, y in zip(together, alone))
    assert not np.array_equal(together[0], together[1])
    words = judge.transcribe(crops, [audio, None], "ita", lexicon())
    assert [h.text for h in words] == [
        judge.transcribe(crops, [x], "ita", lexicon())[0].text for x in (audio, None)
    ]


def test_each_modality_and_the_language_matter(checkpoint, clip):
    crops, audio = clip
    judge = OpenheadAV.load(checkpoint)
    av = judge.log_probs(crops, [audio], "ita")[0]
    for other in (
        judge.log_probs(None, [audio], "ita"),
        judge.log_probs(crops, [None], "ita"),
        judge.log_probs(crops, [audio], "eng"),
    ):
        assert other[0].shape == av.shape
        assert not np.allclose(other[0], av, atol=1e-4)
    assert np.allclose(np.exp(av).sum(-1), 1, atol=1e-4)


def test_mismatched_lengths_and_missing_modalities_are_refused(checkpoint, clip):
    judge = OpenheadAV.load(checkpoint)
    with pytest.raises(ValueError, match="20 mouth crops"):
        judge.log_probs(clip[0], [clip[1][:-640]], "eng")
    with pytest.raises(ValueError, match="neither"):
        judge.log_probs(None, [None], "eng")


def test_unknown_phones_of_a_lexicon_are_named(checkpoint, clip):
    strange = Lexicon(("xi",), ((("x", "i"),),), (0,))
    with pytest.raises(UsageError, match=r"'xi'.*'x'"):
        OpenheadAV.load(checkpoint).transcribe(None, [clip[1]], "eng", strange)


def test_absent_weights_say_what_to_do(tmp_path):
    with pytest.raises(PrerequisiteError, match="mtbench avsr train"):
        OpenheadAV.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("damage", ["meta", "weights", "classes"])
def test_damaged_checkpoints_are_refused(checkpoint, tmp_path, damage):
    path = tmp_path / "w.safetensors"
    path.write_bytes(checkpoint.read_bytes()[: 1000 if damage == "weights" else None])
    meta = json.loads(checkpoint.with_suffix(".json").read_text("utf-8"))
    if damage == "classes":
        meta["model"]["classes"] = 9
    path.with_suffix(".json").write_text("{" if damage == "meta" else json.dumps(meta), "utf-8")
    with pytest.raises(UsageError, match="not a checkpoint"):
        OpenheadAV.load(path)
