"""Released checkpoints: the published code's own numbers, and a refusal for whatever is not exactly one."""

import json
import math
import os
import re
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from mtbench.errors import PrerequisiteError, UsageError  # noqa: E402
from mtbench.reference_model import (  # noqa: E402
    import_released,
    load_model,
    load_released,
)
from mtbench.reference_model.encoders.speech import OpenheadSpeech  # noqa: E402
from mtbench.reference_model.encoders.wav2vec2 import Wav2Vec2Speech  # noqa: E402
from mtbench.reference_model.model import MultiTalk, periodic_code  # noqa: E402
from mtbench.reference_model.released import format as released_format  # noqa: E402
from mtbench.reference_model.released.format import stage1_entries, stage2_entries  # noqa: E402
from mtbench.reference_model.released.released import read_settings  # noqa: E402

CONFIG = {
    "in_dim": 12, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
    "quant_factor": 0, "face_quan_num": 4, "neg": 0.2, "INaffine": False, "n_embed": 8, "zquant_dim": 4,
    "feature_dim": 16, "vertice_dim": 12, "period": 25, "num_layers": 1, "n_head": 4, "lr": 0.0001,
}  # fmt: skip
WAV2VEC2 = {
    "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "conv_dim": [4] * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "do_stable_layer_norm": True,
    "feat_extract_norm": "layer", "conv_bias": True,
}  # fmt: skip
OLD = (
    "audio_encoder.encoder.pos_conv_embed.conv.weight_g",
    "audio_encoder.encoder.pos_conv_embed.conv.weight_v",
)


@pytest.fixture(scope="session")
def golden(shared):
    folder = shared / "golden" / "multitalk_a"
    model = load_released(
        folder / "stage1.pth.tar", folder / "stage2.pth.tar", folder / "wav2vec2", folder / "config.json"
    )
    return model, np.load(folder / "io.npz")


def assert_equal(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def test_published_autoencoder(golden):
    model, io = golden
    reconstruction, codes = model.autoencode(io["motion"], io["template"])
    assert_equal(reconstruction, io["stage1_recon"])
    np.testing.assert_array_equal(codes, io["stage1_codes"])
    displacement = torch.from_numpy(io["motion"] - io["template"])[None]
    with torch.no_grad():
        quantized = model.network.autoencoder.quantize(model.network.autoencoder.encode(displacement))
    assert_equal(float(quantized.loss), io["stage1_vq_loss"])


def test_published_speech_features(golden):
    model, io = golden
    assert_equal(model.encoder.encode(io["audio"]), io["wav2vec2_multi"])


@pytest.mark.parametrize("language", [1, 4])
def test_published_losses(golden, language):
    model, io = golden
    losses = model.teacher_forced_loss(io["audio"], io["motion"], io["template"], language)
    assert_equal(losses, io[f"stage2_teacher_loss_lang{language}"])


@pytest.mark.parametrize("language", [1, 4])
@pytest.mark.parametrize("frames", [None, 20])
def test_published_motion(golden, language, frames):
    model, io = golden
    wanted = io[f"stage2_predict{'' if frames is None else '_frames20'}_lang{language}"]
    assert_equal(model.predict(io["audio"], io["template"], language, frames), wanted)
    # The same by name, for a face of vertices, and in the plain loop of the paper.
    name = model.network.settings.languages[language]
    shaped = model.predict(io["audio"], io["template"].reshape(-1, 3), name, frames)
    assert_equal(shaped, wanted.reshape(len(wanted), -1, 3))
    speech = model.encoder.encode(io["audio"], frames)
    plain = model.network.generate(speech[None], torch.eye(12)[language][None], len(wanted))
    assert_equal(plain[0] + torch.from_numpy(io["template"]), wanted)


def test_published_blend(golden):
    model, io = golden
    motion = model.predict(io["audio"], io["template"], {"English": 0.3, "Italian": 0.7})
    assert_equal(motion, io["stage2_predict_blend_lang1_0.3_lang5_0.7"])


def test_imported_golden_model_needs_nothing_else(golden, shared, tmp_path):
    model, io = golden
    folder = shared / "golden" / "multitalk_a"
    path = import_released(
        folder / "stage1.pth.tar",
        folder / "stage2.pth.tar",
        folder / "wav2vec2",
        tmp_path / "m.safetensors",
        folder / "config.json",
    )
    again = load_model(path)
    assert (again.name, again.digest) == ("multitalk", model.digest)
    assert again.encoder.digest == model.encoder.digest
    assert_equal(again.predict(io["audio"], io["template"], 4), io["stage2_predict_lang4"])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A network, and checkpoints of it in the published form; a folder with the speech encoder's form."""
    folder = tmp_path_factory.mktemp("released")
    torch.manual_seed(1)
    encoder = Wav2Vec2Speech(WAV2VEC2)
    encoder.module.save_pretrained(folder / "encoder")
    settings = read_settings(CONFIG, encoder.width)
    network = MultiTalk(settings).eval()
    torch.nn.init.normal_(network.map_codes.weight)
    own = network.state_dict()

    def publish(entries):
        state = {}
        for entry in entries:
            if entry.names:
                state[entry.key] = torch.cat([own[name] for name in entry.names])
            else:
                state[entry.key] = periodic_code(max(entry.shape), entry.shape[-1], entry.period).view(
                    entry.shape
                )
        return state

    stage1, stage2 = publish(stage1_entries(settings)), publish(stage2_entries(settings))
    stage2 |= {f"audio_encoder.{name}": value for name, value in encoder.module.state_dict().items()}
    return network, encoder, stage1, stage2, folder / "encoder"


def write(folder, stage1, stage2):
    for number, state in ((1, stage1), (2, stage2)):
        torch.save({"state_dict": state}, folder / f"stage{number}.pth.tar")
    return folder / "stage1.pth.tar", folder / "stage2.pth.tar"


def test_every_weight_finds_its_place(tiny, tmp_path):
    network, encoder, stage1, stage2, form = tiny
    paths = write(tmp_path, stage1, stage2)
    (tmp_path / "config.json").write_text(json.dumps({"NETWORK": CONFIG, "TRAIN": {"epochs": 3}}))
    # The form of the speech encoder is enough; its weights are stage 2's.
    shutil.copytree(form, tmp_path / "form")
    (tmp_path / "form" / "model.safetensors").unlink()
    model = load_released(*paths, tmp_path / "form", tmp_path / "config.json")
    assert model.topology is None
    assert model.network.settings.released
    for name, value in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], value), name
    assert model.encoder.digest == encoder.digest
    # An encoder that is given is filled.
    torch.manual_seed(2)
    other = Wav2Vec2Speech(WAV2VEC2)
    assert other.digest != encoder.digest
    assert load_released(*paths, other, CONFIG).encoder is other
    assert other.digest == encoder.digest


def test_older_names_of_the_speech_encoder(tiny, tmp_path):
    _, encoder, stage1, stage2, form = tiny
    new = [key for key in stage2 if ".parametrizations.weight." in key]
    assert len(new) == 2
    older = {key: value for key, value in stage2.items() if key not in new}
    older |= dict(zip(OLD, (stage2[key] for key in new), strict=True))
    model = load_released(*write(tmp_path, stage1, older), form, CONFIG)
    assert model.encoder.digest == encoder.digest
    del older["audio_encoder.masked_spec_embed"]  # for training only
    model = load_released(*write(tmp_path, stage1, older), form, CONFIG)
    assert "masked_spec_embed" in model.encoder.module.state_dict()


def test_published_sizes():
    settings = read_settings(None, 1024)
    assert (settings.vertices, settings.width, settings.decoder_feedforward) == (5023, 1024, 2048)
    # As counted in the published files: 147 tensors of stage 1; millions of parameters without positional codes.
    assert len(list(stage1_entries(settings))) == 147
    for entries, millions in ((stage1_entries, 131.65), (stage2_entries, 93.1)):
        learned = sum(math.prod(entry.shape) for entry in entries(settings) if entry.names)
        assert learned / 1e6 == pytest.approx(millions, abs=0.05)


def test_all_that_is_wrong_with_the_keys_is_named(tiny, tmp_path):
    _, _, stage1, stage2, form = tiny
    bad = dict(stage1)
    del bad["encoder.vertice_mapping.0.bias"]
    del bad["quantize.embedding.weight"]
    bad["quantize.embeding.weight"] = stage1["quantize.embedding.weight"]
    bad["decoder.vertice_map_reverse.bias"] = torch.zeros(15)
    with pytest.raises(UsageError) as caught:
        load_released(*write(tmp_path, bad, stage2), form, CONFIG)
    text = str(caught.value)
    for words in (
        str(tmp_path / "stage1.pth.tar"),
        "2 missing: encoder.vertice_mapping.0.bias, quantize.embedding.weight",
        "1 unknown: quantize.embeding.weight",
        "1 of another shape: decoder.vertice_map_reverse.bias is (15,), expected (12,)",
    ):
        assert words in text
    more = stage2 | {"autoencoder.quantize.embedding.weight": torch.zeros(8, 4), "extra": torch.zeros(1)}
    del more["audio_encoder.encoder.layer_norm.bias"]
    with pytest.raises(UsageError) as caught:
        load_released(*write(tmp_path, stage1, more), form, CONFIG)
    text = str(caught.value)
    assert "1 missing: audio_encoder.encoder.layer_norm.bias" in text
    assert "2 unknown: autoencoder.quantize.embedding.weight, extra" in text
    with pytest.raises(UsageError, match="stages were swapped"):
        load_released(*reversed(write(tmp_path, stage1, stage2)), form, CONFIG)


def test_another_code_and_damaged_weights(tiny, tmp_path):
    _, _, stage1, stage2, form = tiny
    for stage, key in ((0, "decoder.decoder_pos_embedding.pe"), (1, "PPE.pe")):
        states = [dict(stage1), dict(stage2)]
        states[stage][key] = states[stage][key].roll(1, -1)
        with pytest.raises(UsageError, match=re.escape(key) + ".*positional code"):
            load_released(*write(tmp_path, *states), form, CONFIG)
    bad = stage2 | {"feat_map.weight": torch.full((16, 16), torch.nan)}
    with pytest.raises(UsageError, match=r"feat_map\.weight holds NaN"):
        load_released(*write(tmp_path, stage1, bad), form, CONFIG)


class Trap:
    """Leaves a mark where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_files_that_are_no_checkpoint(tiny, tmp_path, monkeypatch):
    _, _, stage1, stage2, form = tiny
    first, second = write(tmp_path, stage1, stage2)
    trap = tmp_path / "trap.pth.tar"
    torch.save({"state_dict": stage1, "more": Trap(tmp_path / "sprung")}, trap)
    torch.save({"state_dict": stage1, "optimizer": {}}, tmp_path / "more.pth.tar")
    torch.save({"state_dict": [1, 2]}, tmp_path / "list.pth.tar")
    (tmp_path / "text.pth.tar").write_text("nothing")
    for name, words in (
        ("trap", "not a checkpoint of tensors"),
        ("more", "'optimizer'.*'state_dict' and nothing else"),
        ("list", "no table of tensors"),
        ("text", "not a checkpoint of tensors"),
        ("absent", "no such file"),
    ):
        path = tmp_path / f"{name}.pth.tar"
        with pytest.raises(UsageError, match=re.escape(str(path)) + ".*" + words):
            load_released(path, second, form, CONFIG)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(UsageError, match="is a folder"):
        load_released(tmp_path, second, form, CONFIG)
    monkeypatch.setattr(released_format, "MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="at most 1000"):
        load_released(first, second, form, CONFIG)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_head": 8}, "n_head is 8; expected 4"),
        ({"quant_factor": 1}, "quant_factor is 1"),
        ({"vertice_dim": 15}, "vertice_dim is 15; expected 12"),
        ({"feature_dim": 32}, "feature_dim is 32; expected 16"),
        ({"in_dim": 13, "vertice_dim": 13}, "three coordinates"),
        ({"period": "often"}, "period is 'often'"),
        ({"zquant_dim": 5}, "do not fill width"),
        ({"num_attention_heads": 3}, "no multiple of 3 heads"),
        ({"neg": None}, "config"),
    ],
)
def test_configurations_that_cannot_be(change, words):
    with pytest.raises(UsageError, match=words):
        read_settings(CONFIG | change, 8)


def test_configurations_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="not readable as JSON"):
        read_settings(tmp_path / "absent.json", 8)
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UsageError, match="expected an object"):
        read_settings(tmp_path / "list.json", 8)


def test_speech_encoders_that_do_not_fit(tiny, tmp_path):
    _, _, stage1, stage2, _ = tiny
    paths = write(tmp_path, stage1, stage2)
    with pytest.raises(PrerequisiteError, match=r"absent.*could not be loaded.*hf download"):
        load_released(*paths, str(tmp_path / "absent"), CONFIG)
    with pytest.raises(UsageError, match=r"wav2vec 2\.0 of its own"):
        load_released(*paths, OpenheadSpeech(), CONFIG)
    with pytest.raises(UsageError, match=r"audio_feature_map.weight is \(16, 8\), expected \(16, 12\)"):
        load_released(*paths, Wav2Vec2Speech(WAV2VEC2 | {"hidden_size": 12}), CONFIG)


def test_import_says_where_to(tiny, tmp_path):
    _, _, stage1, stage2, form = tiny
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        import_released(*write(tmp_path, stage1, stage2), form, tmp_path / "model.pt", CONFIG)
