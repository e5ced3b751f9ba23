"""What is fuzzed of models: weights (safetensors), their descriptions (JSON), and checkpoints of torch."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from fuzz_edits import (
    dump_json,
    edit_archive,
    edit_bytes,
    edit_json,
    edit_json_value,
    edit_lines,
    edit_pickle,
)
from fuzzing import Read, Reader

from mtbench.errors import PrerequisiteError, UsageError

Prepared = tuple[dict[str, bytes], Read]


def _edit_model(rng: Random, samples: Any) -> bytes:
    """Edit a description, or the header of weights, or their bytes."""
    data = rng.choice(samples)
    if data[:1] == b"{":
        return edit_json(rng, samples)
    if rng.random() < 0.3:
        return edit_bytes(rng, samples)
    length = int.from_bytes(data[:8], "little")
    header = dump_json(edit_json_value(rng, json.loads(data[8 : 8 + length])))
    return (len(header) if rng.random() < 0.9 else length).to_bytes(8, "little") + header + data[8 + length :]


def _pair(folder: Path, write: Any, load: Any) -> Prepared:
    """Fuzz the two files of a model: one is edited, the other stays good."""
    write(folder / "good.safetensors")
    samples = {f"m{end}": (folder / f"good{end}").read_bytes() for end in (".safetensors", ".json")}

    def read(path: Path) -> None:
        for end in (".safetensors", ".json"):
            shutil.copyfile(path if path.suffix == end else folder / f"good{end}", folder / f"try{end}")
        load(folder / "try.safetensors")

    return samples, read


def _models(folder: Path) -> Prepared:
    from test_reference_model import make_network

    from mtbench.reference_model import ReferenceModel, load_model, model_files, save_model
    from mtbench.reference_model.encoders.registry import load_speech_encoder

    encoder = load_speech_encoder("openhead-av")

    def load_encoder(name: str | Path) -> Any:
        return encoder if name == "openhead-av" else load_speech_encoder(name)

    def load(path: Path) -> None:
        with patch.object(model_files, "load_speech_encoder", load_encoder):
            load_model(path)

    model = ReferenceModel.of(make_network(), encoder, "tiny", None, {"steps": 3})
    return _pair(folder, lambda path: save_model(path, model), load)


def _autoencoders(folder: Path) -> Prepared:
    from test_reference_model import SMALL

    from mtbench.reference_model.model import MotionAutoencoder
    from mtbench.reference_model.training.checkpoints import load_autoencoder, save_autoencoder

    return _pair(
        folder, lambda path: save_autoencoder(path, MotionAutoencoder(SMALL), {"steps": 3}), load_autoencoder
    )


def _recognizers(folder: Path) -> Prepared:
    from mtbench.avsr.openhead.decoding import DecodingConfig
    from mtbench.avsr.openhead.model import AudioVisualCTC, ModelConfig
    from mtbench.avsr.openhead.recognizer import OpenheadAV
    from mtbench.avsr.openhead.recognizer_files import save_recognizer

    config = ModelConfig(4, 3, width=16, heads=2, feedforward=16, layers=2, channels=(2, 2, 2, 2))

    def write(path: Path) -> None:
        save_recognizer(path, AudioVisualCTC(config), "abc", ("ita", "eng"), DecodingConfig(), {"steps": 1})

    return _pair(folder, write, OpenheadAV.load)


@cache
def _checkpoint_bytes() -> dict[str, bytes]:
    import torch

    weights = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2).half()}
    samples = {}
    for name, value in (
        ("run.pt", {"step": 3, "network": weights, "order": [1, 2], "settings": {"width": 2}}),
        ("released.pt", {"state_dict": weights}),
    ):
        stream = io.BytesIO()
        torch.save(value, stream)
        samples[name] = stream.getvalue()
    return samples


def _checkpoints(folder: Path) -> Prepared:
    from mtbench.learning.checkpoints import CHECKPOINT, load_checkpoint
    from mtbench.reference_model.released.format import read_state

    def read(path: Path) -> None:
        shutil.copyfile(path, folder / CHECKPOINT)
        load_checkpoint(folder)
        if path.name == "released.pt" and path.read_bytes() != _checkpoint_bytes()["released.pt"]:
            read_state(path, "stage 1", [])

    return _checkpoint_bytes(), read


def _edit_member(rng: Random, name: str, data: bytes) -> bytes:
    return (edit_pickle if name.endswith(".pkl") else edit_bytes)(rng, [data])


def _ears(folder: Path) -> Prepared:
    from mtbench.avsr.whisper import EncoderSizes, Provenance, WhisperEncoder, load_ear, save_ear

    state = WhisperEncoder(EncoderSizes(4, 64, 16, 2)).state_dict()
    source = Provenance(file="a", sha256="0", origin="b")
    samples, read = _pair(folder, lambda path: save_ear(path, state, source, [source]), load_ear)
    description = folder / "good.json"

    def read_as_described(path: Path) -> None:
        # A wrong digest would be all that is ever found wrong with the weights.
        if path.suffix == ".safetensors":
            said = json.loads(samples["m.json"])
            said["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
            description.write_bytes(dump_json(said))
        read(path)

    return samples, read_as_described


def _released(folder: Path) -> Prepared:
    from test_whisper_sources import format_ctranslate2, make_state

    from mtbench.avsr.whisper import read_source

    return {"model.bin": format_ctranslate2(make_state())}, read_source


@cache
def _published_bytes() -> dict[str, bytes]:
    """Tensors by which the sizes of Auto-AVSR's network are told, as they are and as Lightning writes them."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {"fusion.fc1.weight": (5, 8), "decoder.embed.0.weight": (6, 4)}
    for stream in ("encoder", "aux_encoder"):
        block = f"{stream}.encoders.0"
        shapes |= {
            f"{stream}.embed.0.weight": (4, 512),
            f"{block}.feed_forward.w_1.weight": (6, 4),
            f"{block}.self_attn.pos_bias_u": (2, 2),
            f"{block}.conv_module.depthwise_conv.weight": (4, 1, 3),
        }
    shapes["decoder.decoders.0.feed_forward.w_1.weight"] = (6, 4)
    shapes["encoder.frontend.frontend3D.0.weight"] = (1, 1, 5, 7, 7)
    tensors = {name: torch.zeros(shape) for name, shape in shapes.items()}
    named = {f"model.{name}": tensor for name, tensor in tensors.items()}
    samples = {}
    for file, value in (("avsr.pth", tensors), ("last.pth", {"epoch": 3, "state_dict": named, "loops": {}})):
        stream = io.BytesIO()
        torch.save(value, stream)
        samples[file] = stream.getvalue()
    return samples


def _published(folder: Path) -> Prepared:
    from mtbench.avsr.auto_avsr.checkpoints import read_network_tensors
    from mtbench.avsr.auto_avsr.sizes import measure_network

    def read(path: Path) -> None:
        measure_network(read_network_tensors(path), {"adim": 4, "aux_aheads": 2, "dheads": 2})

    return _published_bytes(), read


def _units(folder: Path) -> Prepared:
    from mtbench.avsr.auto_avsr.checkpoints import read_network_tensors, read_settings
    from mtbench.avsr.auto_avsr.sizes import measure_network
    from mtbench.avsr.auto_avsr.units import Units, read_units

    settings = "adim: 4\naux_aheads: 2\nmacaron_style: True\nrelu_type: swish\ndheads: 2\n"
    samples = {"a_units.txt": "<unk> 1\n<en> 2\n\u2581a 3\n".encode(), "a.yaml": settings.encode()}
    (folder / "avsr.pth").write_bytes(_published_bytes()["avsr.pth"])
    tensors = read_network_tensors(folder / "avsr.pth")

    def read(path: Path) -> None:
        if path.suffix == ".yaml":
            measure_network(tensors, read_settings(path))
        else:
            pieces = read_units(path)
            Units(len(pieces), tuple(pieces)).start("English")

    return samples, read


MODEL_READERS = (
    Reader("models", _models, _edit_model, (UsageError, PrerequisiteError), 0.005),
    Reader("autoencoders", _autoencoders, _edit_model, (UsageError, PrerequisiteError), 0.003),
    Reader("recognizers", _recognizers, _edit_model, (UsageError, PrerequisiteError), 0.005),
    Reader("ears", _ears, _edit_model, (UsageError, PrerequisiteError), 0.005),
    Reader("released weights", _released, edit_bytes, (ValueError,), 0.005),
    Reader("checkpoints", _checkpoints, edit_archive(_edit_member), (UsageError,), 0.003),
    Reader("published checkpoints", _published, edit_archive(_edit_member), (ValueError,), 0.003),
    Reader("units and settings", _units, edit_lines, (ValueError, UsageError), 0.002),
)
