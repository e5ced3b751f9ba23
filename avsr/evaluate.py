"""The error table of a recognizer: how well it understands a benchmark's ground truth.

Every clip of the benchmark is transcribed with its ground-truth motion, clean and in noise, with both modalities
and with each alone; nothing is left out. :func:`evaluate` returns the table, :func:`write_model_card` puts it into
the card that lies beside the weights.

Conventions
-----------
Error rates are fractions (0.12 is 12 %), corpus-level: errors of all clips over the length of all references.
Conditions are named ``av-clean``, ``a-clean``, ``v``, ``av-7.5``, ``a-7.5``, … after modality and SNR.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtbench.languages import LANGUAGES, display_name
from mtbench.recognizer import Recognizer
from mtbench.rows import EditCounts

log = logging.getLogger(__name__)

Row = dict[str, Any]


def condition_name(modality: str, snr_db: float | None) -> str:
    """Return the name of a condition.

    Examples
    --------
    >>> condition_name("av", -7.5), condition_name("a", None), condition_name("v", None)
    ('av-7.5', 'a-clean', 'v')
    """
    if modality == "v":
        return "v"
    return f"{modality}-clean" if snr_db is None else f"{modality}{snr_db:g}"


def evaluate(
    benchmark: str = "openhead-20",
    recognizer: str | Recognizer = "openhead-av",
    weights: str | Path | None = None,
    snr: Sequence[float] = (-7.5, -10.0),
    noise: str = "babble",
    languages: Sequence[str] | None = None,
) -> list[Row]:
    """Measure a recognizer on a benchmark's ground truth.

    Parameters
    ----------
    benchmark : str
        Name or folder; its clips need ground-truth motion.
    recognizer : str or Recognizer
        Registered name, or an instance.
    weights : path, optional
        Weights of ``openhead-av`` other than the bundled ones.
    snr : sequence of float
        dB.
    noise : str
        Name of one of the benchmark's noises.
    languages : sequence of str, optional
        Only these ISO 639-3 codes.

    Returns
    -------
    list of dict
        ``{condition, language ("all" or ISO code), per, wer, cer, n_clips}``; ``per`` is None where the clips have
        no reference phones.
    """
    from mtbench.audio import mix_at_snr
    from mtbench.benchmark import load_benchmark
    from mtbench.errors import UsageError
    from mtbench.metrics.cer import count_character_edits
    from mtbench.metrics.per import count_phone_edits
    from mtbench.metrics.wer import count_word_edits
    from mtbench.noise import load_noises
    from mtbench.recognizer import load_recognizer
    from mtbench.renderer import Appearance, load_renderer
    from mtbench.renderers.mouth_crop import render_mouth_crops
    from mtbench.topology import load_topology

    bench = load_benchmark(benchmark)
    if weights is not None:
        from mtbench.avsr.openhead_av import OpenheadAV

        judge: Recognizer = OpenheadAV.load(weights)
    else:
        judge = load_recognizer(recognizer) if isinstance(recognizer, str) else recognizer
    recording = load_noises(bench.noise_folder)[noise]
    renderer = load_renderer("software")
    counts: dict[tuple[str, str], list[dict[str, EditCounts | None]]] = {}
    for clip in bench.clips:
        code = clip.language
        if (languages and code not in languages) or code not in judge.languages:
            continue
        if clip.motion is None:
            raise UsageError(f"clip {clip.id}: evaluation needs ground-truth motion, and this clip has none")
        topology = load_topology(clip.motion.topology)
        crops = render_mouth_crops(renderer, topology, clip.motion.vertices, Appearance())
        mixtures = [mix_at_snr(clip.audio, recording.audio, s, recording.offset(clip.id)) for s in snr]
        lexicon = bench.lexicon(code)
        both = judge.transcribe(crops, [clip.audio, None, *mixtures], code, lexicon)
        heard = judge.transcribe(None, [clip.audio, *mixtures], code, lexicon)
        av, a = [("av", None), *(("av", s) for s in snr)], [("a", None), *(("a", s) for s in snr)]
        for (modality, level), hypothesis in zip([av[0], ("v", None), *av[1:], *a], [*both, *heard]):
            errors = {
                "per": count_phone_edits(clip.phones, hypothesis.phones),
                "wer": count_word_edits(clip.transcript, hypothesis.text, code),
                "cer": count_character_edits(clip.transcript, hypothesis.text, code),
            }
            for key in ("all", code):
                counts.setdefault((condition_name(modality, level), key), []).append(errors)
        log.info("%s", clip.id)
    rows = []
    for (condition, language), clips in counts.items():
        rates = {rate: _pool([clip[rate] for clip in clips]) for rate in ("per", "wer", "cer")}
        rows.append({"condition": condition, "language": language, **rates, "n_clips": len(clips)})
    return rows


def _pool(parts: Sequence[EditCounts | None]) -> float | None:
    """Return the corpus-level rate, or None where a clip has none (a clip never drops out)."""
    known = [p for p in parts if p is not None]
    length = sum(p.reference_length for p in known)
    return sum(p.errors for p in known) / length if len(known) == len(parts) and length else None


def format_table(rows: Sequence[Row]) -> str:
    """Return *rows* as a Markdown table: one line per language, phone and word error per condition, in percent."""
    conditions = list(dict.fromkeys(r["condition"] for r in rows))
    found = {(r["condition"], r["language"]): r for r in rows}
    order = ["all", *(code for code in LANGUAGES if (conditions[0], code) in found)]
    head = " | ".join(f"{c} PER | {c} WER" for c in conditions)
    lines = [f"| language | clips | {head} |", "|---|---:|" + "---:|" * (2 * len(conditions))]
    for code in order:
        cells = []
        for c in conditions:
            row = found[c, code]
            rates = [
                row["per"],
                row["cer"] if code in LANGUAGES and LANGUAGES[code].headline == "cer" else row["wer"],
            ]
            cells += ["n/a" if r is None else f"{100 * r:.1f}" for r in rates]
        name = "all" if code == "all" else display_name(code)
        lines.append(f"| {name} | {found[conditions[0], code]['n_clips']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


#: Where the generated part of a model card begins; what stands above it is written by people.
_GENERATED = "## Settings"


def write_model_card(weights: Path, rows: Sequence[Row], notes: str | None = None) -> Path:
    """Write ``NAME.md`` beside ``NAME.safetensors``: notes, training settings and the error table.

    Parameters
    ----------
    weights : Path
        The safetensors file; its ``.json`` must lie beside it.
    rows : sequence of dict
        What :func:`evaluate` returned.
    notes : str, optional
        Markdown for the head of the card; by default the head of the card that is there.
    """
    meta = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    facts = "\n".join(f"- {key}: {value}" for key, value in {**meta["training"], **meta["decoding"]}.items())
    card = weights.with_suffix(".md")
    if notes is None:
        notes = card.read_text("utf-8").split(_GENERATED)[0] if card.is_file() else f"# {weights.stem}"
    part = card.with_suffix(".md.part")
    part.write_text(
        f"{notes.strip()}\n\n{_GENERATED}\n\n{facts}\n\n## Errors on the test split, per cent\n\n"
        "PER is the phone error rate without a lexicon; WER is the word error rate with the language's lexicon "
        "(the\ncharacter error rate for Japanese, Mandarin and Thai; the line `all` pools words of all languages). "
        "Conditions: `av`, `a`,\n`v` for both modalities, audio only, video only; noise is babble, SNR in dB.\n\n"
        f"{format_table(rows)}\n",
        "utf-8",
    )
    part.replace(card)
    return card
