"""The files of an ablation: ``ablation.md``, ``.json``, ``.csv`` and ``.png``.

Conventions
-----------
Those of :mod:`mtbench.reference_model.ablation.results`. The same numbers give the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from mtbench.files import write_atomically
from mtbench.reference_model.ablation.plot import plot_ablation
from mtbench.reference_model.ablation.results import AVLR, LVE, Ablation
from mtbench.reference_model.ablation.table import format_tables, to_csv, to_json
from mtbench.reference_model.ablation.text import Facts, describe_support
from mtbench.reference_model.ablation.variants import FULL
from mtbench.speech import display_name


def write_ablation(folder: str | Path, ablation: Ablation, facts: Facts) -> Path:
    """Write all files (the picture where matplotlib is installed); return ``ablation.md``."""
    from mtbench.results import round_floats

    root = Path(folder)
    write_atomically(root / "ablation.csv", to_csv(ablation).encode())
    data = round_floats({**to_json(ablation), "made": asdict(facts)})
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(root / "ablation.json", text.encode())
    picture = plot_ablation(ablation, root / "ablation.png")
    page = root / "ablation.md"
    write_atomically(page, format_page(ablation, facts, None if picture is None else picture.name).encode())
    return page


def format_page(ablation: Ablation, facts: Facts, picture: str | None = None) -> str:
    """Return ``ablation.md``.

    Parameters
    ----------
    ablation : Ablation
    facts : Facts
    picture : str, optional
        Name of the picture's file.
    """
    parts = [f"# Ablations of the reference model, size {facts.size}\n", _describe_making(ablation, facts)]
    parts.append(format_tables(ablation))
    if picture is not None:
        parts.append(f"![Paired differences by language]({picture})\n")
    parts.append(describe_support(ablation, facts))
    signatures = [ablation.numbers[FULL.key, m.metric, "all"].signature for m in ablation.measures]
    parts.append("Signatures of the means of (c): " + "; ".join(f"`{s}`" for s in signatures) + ".\n")
    return "\n".join(parts)


def _describe_making(ablation: Ablation, facts: Facts) -> str:
    lines = [
        f"{ablation.clips} clips of {ablation.benchmark} in {len(ablation.languages)} languages; judge: "
        f"{ablation.judge}. Every variant has the same stage 1, data"
        + (f" ({facts.corpus})" if facts.corpus else "")
        + ", steps and seed."
    ]
    if LVE in ablation.measures:
        lines.append(
            "LVE is `lve_mm`: per frame the largest distance over the lips' vertices, mean over frames."
        )
    if AVLR in ablation.measures:
        lines.append(
            f"AVLR is the error rate of sound and mouth at {AVLR.snr_db:g} dB, noises pooled: word errors, character "
            "errors where marked."
        )
    if facts.encoders:
        by = {v.key: v.mark for v in ablation.variants}
        known = [f"{by[key]} {e.describe()}" for key, e in facts.encoders.items() if key in by]
        lines.append(f"Speech encoders: {'; '.join(known)}.")
    if facts.labels:
        labels = ", ".join(f"{display_name(a)} as {display_name(b)}" for a, b in facts.labels.items())
        lines.append(f"Swapped labels: {labels}.")
    return " ".join(lines) + "\n"
