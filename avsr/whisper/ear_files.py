"""An ear's two files: int8 weights (safetensors) and what they are and come from (JSON).

Conventions
-----------
Every kernel and matrix of :class:`mtbench.avsr.whisper.encoder.WhisperEncoder` is int8 with a float32 scale for each
output channel (:mod:`mtbench.files.eight_bits`). Biases and normalizations are float16, as released. Positions are not
stored. Arithmetic is float32 throughout.

The description holds the SHA-256 of the weights' file: a pair that does not belong together is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from pydantic import ValidationError

from mtbench.avsr.whisper.encoder import EncoderSizes, WhisperEncoder
from mtbench.avsr.whisper.hearing import CODE_VERSION, Ear
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import (
    StrictModel,
    check_tensors,
    dequantize_weights,
    digest_bytes,
    is_scale,
    make_folder,
    quantize_weights,
    read_description,
    read_tensors,
    replacing,
    validation_lines,
)

#: The encoder that ships with mtbench.
EAR = Path(__file__).parents[1] / "weights" / "whisper-base-int8.safetensors"


class Provenance(StrictModel):
    """One file that weights were read from, or compared with.

    Attributes
    ----------
    file : str
        Its name.
    sha256 : str
        Of its bytes.
    origin : str
        Who gives it out, and where.
    """

    file: str
    sha256: str
    origin: str


class EarDescription(StrictModel):
    """The JSON file beside the weights.

    Attributes
    ----------
    form : "whisper-encoder-int8"
        What the two files are.
    version : 1
        Of their format.
    name : str
        Of the network, as its authors call it.
    license : str
        SPDX identifier of the weights' licence.
    copyright : str
        Who holds it.
    layers : int
        Transformer layers in the file.
    sha256 : str
        Of the weights' file.
    made_from : Provenance
        What the weights were read from.
    agrees_with : list of Provenance
        Other files whose weights were found to be the same.
    """

    form: Literal["whisper-encoder-int8"] = "whisper-encoder-int8"
    version: Literal[1] = 1
    name: str
    license: str
    copyright: str
    layers: int
    sha256: str
    made_from: Provenance
    agrees_with: list[Provenance]


def _check(right: bool, complaint: str) -> None:
    if not right:
        raise ValueError(complaint)


def save_ear(
    path: Path, state: Mapping[str, torch.Tensor], made_from: Provenance, agrees_with: list[Provenance]
) -> str:
    """Write ``path`` (safetensors) and its ``.json``, and return the SHA-256 of the first.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    state : mapping
        Whisper-base's encoder, as :mod:`mtbench.avsr.whisper.released` reads it.
    made_from : Provenance
        What it was read from.
    agrees_with : list of Provenance
        What was found to hold the same.

    Raises
    ------
    ValueError
        For tensors that are no encoder's.
    """
    from safetensors.torch import save

    sizes = EncoderSizes.of(state)
    check_tensors(lambda: WhisperEncoder(sizes), state)
    content = save(quantize_weights(state))
    description = EarDescription(
        name="whisper-base",
        license="MIT",
        copyright="2022 OpenAI",
        layers=sizes.layers,
        sha256=hashlib.sha256(content).hexdigest(),
        made_from=made_from,
        agrees_with=agrees_with,
    )
    make_folder(path.parent)
    with replacing(path) as part, replacing(path.with_suffix(".json")) as description_part:
        part.write_bytes(content)
        text = json.dumps(description.model_dump(), indent=1, ensure_ascii=False)
        description_part.write_text(text + "\n", "utf-8")
    return description.sha256


def load_ear(path: str | Path | None = None, layer: int | None = None, device: str = "cpu") -> Ear:
    """Load an ear.

    Parameters
    ----------
    path : path, optional
        The safetensors file; the bundled one by default.
    layer : int, optional
        Which output is listened to; by default the last layer's, before the last normalization.
    device : str
        Where the encoder computes, as torch names it.

    Raises
    ------
    PrerequisiteError
        If a file is absent.
    UsageError
        If they are not an ear's, or there is no such layer.
    """
    weights = Path(path) if path else EAR
    beside = weights.with_suffix(".json")
    for file in (weights, beside):
        if not file.is_file():
            raise PrerequisiteError(
                f"{file}: the encoder's file is not there; an ear is a pair NAME.safetensors and NAME.json. Reinstall "
                "mtbench, or make the pair with `python scripts/build_whisper_ear.py`."
            )
    try:
        description = _read_description(beside)
        encoder = _build(weights, description)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{weights}: not an ear ({error}); expected the pair that scripts/build_whisper_ear.py writes. Perhaps "
            "one of the two files was changed or cut off."
        ) from error
    last = encoder.sizes.layers
    number = last if layer is None else layer
    if not 0 <= number <= last + 1:
        raise UsageError(f"{weights}: layer {number} of an encoder that has 0 to {last + 1}")
    encoder = encoder.eval().requires_grad_(False).to(device)
    place = encoder.positions.device.type
    parts = [description.sha256, str(number), CODE_VERSION, *([] if place == "cpu" else [place])]
    return Ear(encoder, number, digest_bytes(*(part.encode() for part in parts)))


def _read_description(path: Path) -> EarDescription:
    try:
        return EarDescription.model_validate(read_description(path))
    except ValidationError as error:
        lines = [f"{field}: {message}" for field, message in validation_lines(error)[:3]]
        raise ValueError(f"{path.name}: {'; '.join(lines)}") from None


def _build(path: Path, description: EarDescription) -> WhisperEncoder:
    """Return the encoder, made only where the file holds what the description says and the sizes ask for."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    _check(
        found == description.sha256, f"its SHA-256 is {found}, its description says {description.sha256[:64]}"
    )
    tensors = read_tensors(path)
    sizes = EncoderSizes.of(tensors)
    _check(
        sizes.layers == description.layers,
        f"{sizes.layers} layers, its description says {description.layers}",
    )
    check_tensors(lambda: WhisperEncoder(sizes), {n: v for n, v in tensors.items() if not is_scale(n)})
    encoder = WhisperEncoder(sizes)
    encoder.load_state_dict(dequantize_weights(tensors))
    return encoder
