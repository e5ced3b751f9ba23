"""The model card's tables: what was reached beside what was aimed at, and the errors of every language.

Conventions
-----------
Rows are those of :func:`mtbench.avsr.evaluation.error_table.evaluate`; tables are in per cent, Markdown. A target that
was missed is called so; whether it was is decided before anything is rounded. The gain is the error of audio alone
minus that of both modalities under the same noise, in points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtbench.avsr.evaluation.conditions import NOISY
from mtbench.avsr.evaluation.engine_halves import describe_engines, split_halves
from mtbench.avsr.evaluation.error_rows import RATES, ErrorRow
from mtbench.conditions import Condition
from mtbench.files import write_atomically
from mtbench.speech import LANGUAGES, display_name

_AV, _A = Condition("av", NOISY).name, Condition("a", NOISY).name
#: Name of the gain's line.
GAIN = f"gain{NOISY:g}"
#: Where the generated part of a model card begins; what stands above it is written by people.
GENERATED = "## Settings"
#: Where the captured motion's part begins, which is measured on motion banks that are not shipped.
CAPTURED = "## Captured motion of people"
#: Where the lexicon's part begins, which is measured by a command of its own and stands last.
LEXICON = "## The lexicon's share in the word error"
#: Headings of the parts that commands of their own measure, in the card's order; they end it.
_MEASURED = (CAPTURED, LEXICON)


@dataclass(frozen=True)
class Target:
    """What was aimed at, as fractions: errors at most, gains at least; None is a figure to report only."""

    per: float | None = None
    wer: float | None = None


#: Aims on ``openhead-20@3`` and its held-out companions, set before the second judge was trained. The first judge's own
#: (rules, version 2) stand on its card.
TARGETS: dict[str, Target] = {
    "av-clean": Target(0.06),
    "a-clean": Target(),
    _AV: Target(0.30),
    _A: Target(),
    GAIN: Target(0.40),
    "v": Target(),
    f"heldout-articulation-av{NOISY:g}": Target(),
    "heldout-engines-a-clean": Target(0.24, 0.18),
    "heldout-engines-all-a-clean": Target(0.24, 0.18),
    f"heldout-both-av{NOISY:g}": Target(0.32),
    f"heldout-both-all-av{NOISY:g}": Target(0.32),
    f"flame-clay-av{NOISY:g}": Target(0.34),
    "real-speech-a-clean": Target(wer=0.20),
    "real-sentences-a-clean": Target(),
}
#: The largest phone error of a language, as a multiple of the mean's, with both modalities and without noise.
WORST_RATIO = 1.6

_TITLES = {
    "av-clean": "AV clean",
    "a-clean": "audio only, clean",
    "v": "video only",
    GAIN: f"AV gain at {NOISY:g} dB (audio only − AV)",
    f"heldout-articulation-av{NOISY:g}": f"held-out articulation model, AV at {NOISY:g} dB",
    "heldout-engines-av-clean": "held-out speech engines, voices that ship, AV clean",
    "heldout-engines-a-clean": "held-out speech engines, voices that ship, audio only, clean",
    f"heldout-both-av{NOISY:g}": f"held-out engine (voices that ship) × held-out articulation, AV at {NOISY:g} dB",
    "heldout-engines-all-av-clean": "held-out speech engines, all voices, AV clean",
    "heldout-engines-all-a-clean": "held-out speech engines, all voices, audio only, clean",
    f"heldout-both-all-av{NOISY:g}": f"held-out engine (all voices) × held-out articulation, AV at {NOISY:g} dB",
    f"flame-clay-av{NOISY:g}": f"FLAME clay geometry, AV at {NOISY:g} dB",
    "real-speech-a-clean": "recordings of people (GRID, English), audio only",
    "real-speech-av-clean": "recordings of people, AV clean",
    "real-sentences-a-clean": "sentences of people (Debian's packages, seven languages), audio only",
}


def summarize(rows: Sequence[ErrorRow]) -> list[ErrorRow]:
    """Return the means over languages in the order of conditions, the gain after the noisy conditions."""
    means = [row for row in rows if row.language == "all"]
    found = {row.condition: row for row in means}
    if _AV not in found or _A not in found:
        return means
    both, heard = found[_AV], found[_A]
    per, wer, cer = (_subtract(heard.rate(rate), both.rate(rate)) for rate in RATES)
    gain = ErrorRow(GAIN, "all", per, wer, cer, both.n_clips)
    at = max(means.index(both), means.index(heard)) + 1
    return [*means[:at], gain, *means[at:]]


def _subtract(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def is_met(condition: str, rate: str, value: float | None) -> bool | None:
    """Return whether a target is met; None where there is none, or no value."""
    target = getattr(TARGETS.get(condition, Target()), rate)
    if target is None or value is None:
        return None
    return value >= target if condition == GAIN else value <= target


def _describe_aim(condition: str, rate: str, value: float | None) -> str:
    target = getattr(TARGETS.get(condition, Target()), rate)
    if target is None:
        return ""
    verdict = {True: "met", False: "missed", None: "not measured"}[is_met(condition, rate, value)]
    return f"{'≥' if condition == GAIN else '≤'} {_percent(target, 0)} {verdict}"


def format_summary(rows: Sequence[ErrorRow], aims: bool = True) -> str:
    """Return the means over languages as a Markdown table.

    Parameters
    ----------
    rows : sequence of ErrorRow
    aims : bool
        Whether to put the targets beside them, which are those of all languages of ``openhead-20``.
    """
    heads = ["condition, mean over the languages", "clips"]
    for head in ("phone error", "word error"):
        heads += [head, "aim"] if aims else [head]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    reasons = []
    for row in summarize(rows):
        name = row.condition
        cells = []
        for rate in ("per", "wer"):
            cells.append(_percent(row.rate(rate), 2))
            if aims:
                cells.append(_describe_aim(name, rate, row.rate(rate)))
        lines.append(f"| {_title(name)} (`{name}`) | {row.n_clips} | " + " | ".join(cells) + " |")
        if row.per is None and row.reason:
            told = "has no mean" if row.n_clips else "was not measured"
            reasons.append(f"- `{name}` {told}: {row.reason}")
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def format_table(rows: Sequence[ErrorRow], rate: str = "per") -> str:
    """Return one error rate as a Markdown table: one line per language, one column per condition, in per cent.

    Parameters
    ----------
    rows : sequence of ErrorRow
    rate : str
        ``"per"``, ``"wer"`` or ``"cer"``.
    """
    conditions = list(dict.fromkeys(row.condition for row in rows if row.n_clips))
    found = {(row.condition, row.language): row for row in rows}
    codes = dict.fromkeys(row.language for row in rows if row.language != "all")
    order = [
        *(code for code in LANGUAGES if code in codes),
        *(code for code in codes if code not in LANGUAGES),
    ]
    lines = ["| language | " + " | ".join(conditions) + " |", "|---|" + "---:|" * len(conditions)]
    for code in ("all", *order):
        cells = [_cell(found.get((condition, code)), rate) for condition in conditions]
        name = "mean" if code == "all" else display_name(code)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def describe_balance(rows: Sequence[ErrorRow]) -> str | None:
    """Return a sentence on the language whose phone error is furthest above the mean, or None without rows."""
    condition = "av-clean"
    mean = next((r.per for r in rows if r.condition == condition and r.language == "all"), None)
    chosen = [r for r in rows if r.condition == condition and r.language != "all"]
    parts = [(row.language, row.per) for row in chosen if row.per is not None]
    if not mean or not parts:
        return None
    parts.sort(key=lambda part: -part[1])
    above = [(code, per) for code, per in parts if per > WORST_RATIO * mean and code != "tha"]
    worst = ", ".join(f"{display_name(code)} {per / mean:.2f}" for code, per in (above or parts[:1]))
    aim = f"aim: no language but Thai above {WORST_RATIO:g}"
    return f"Phone error as a multiple of the mean, `{condition}`: {worst} ({'missed' if above else 'met'}; {aim})."


def write_model_card(weights: Path, rows: Sequence[ErrorRow], notes: str | None = None) -> Path:
    """Write ``NAME.md`` beside ``NAME.safetensors``: notes, training settings and the error tables.

    Parameters
    ----------
    weights : Path
        The safetensors file; its ``.json`` must lie beside it.
    rows : sequence of ErrorRow
        What :func:`mtbench.avsr.evaluation.error_table.evaluate` returned.
    notes : str, optional
        Markdown for the head of the card; by default the head of the card that is there.

    Returns
    -------
    Path
        The card.
    """
    meta: dict[str, Any] = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    facts = "\n".join(f"- {key}: {value}" for key, value in {**meta["training"], **meta["decoding"]}.items())
    before, parts = _split_card(weights)
    if notes is None:
        notes = before.split(GENERATED)[0]
    every, (rows, beside) = rows, split_halves(rows)
    sections = [
        notes.strip(),
        f"{GENERATED}\n\n{facts}",
        "## Errors on the test split, per cent\n\nUnseen texts and voices; noise is babble. The phone error needs no "
        "lexicon, the word error is that of the words\nfound with the language's lexicon. Means are over languages, "
        "not pooled. Aims were set before training.\n\n" + format_summary(rows),
    ]
    balance = describe_balance(rows)
    if balance:
        sections.append(balance)
    sections.append(f"### Phone error by language\n\n{format_table(rows, 'per')}")
    sections.append(
        "### Word error by language\n\nWords of Japanese, Mandarin and Thai are those of the transcript's "
        "segmentation; their character errors follow.\n\n" + format_table(rows, "wer")
    )
    characters = [r for r in rows if r.language in _by_characters()]
    if characters:
        sections.append(f"### Character error\n\n{_without_mean(format_table(characters, 'cer'))}")
    if beside:
        sections.append(describe_engines(every, _title))
    return _write_card(weights, "\n\n".join(sections), parts)


def _split_card(weights: Path) -> tuple[str, dict[str, str]]:
    """Return what stands in the card before the measured parts, and these by heading, ``""`` where there is none."""
    card = weights.with_suffix(".md")
    before = card.read_text("utf-8") if card.is_file() else f"# {weights.stem}"
    parts = {}
    for heading in reversed(_MEASURED):
        before, mark, body = before.partition(heading)
        parts[heading] = mark + body
    return before, parts


def _write_card(weights: Path, before: str, parts: Mapping[str, str]) -> Path:
    card = weights.with_suffix(".md")
    told = [part.strip() for part in (before, *(parts[heading] for heading in _MEASURED))]
    write_atomically(card, ("\n\n".join(part for part in told if part) + "\n").encode())
    return card


def _write_part(weights: Path, heading: str, body: str) -> Path:
    """Put one measured part into the card, in place of the one that is there; everything else stays."""
    before, parts = _split_card(weights)
    return _write_card(weights, before, {**parts, heading: f"{heading}\n\n{body.strip()}"})


def write_captured_part(weights: Path, table: str) -> Path:
    """Put what was read of people's motion into the model card, in place of what is there.

    Parameters
    ----------
    weights : Path
        The safetensors file; its card lies beside it.
    table : str
        Markdown of :func:`mtbench.avsr.evaluation.captured_report.format_results`.

    Returns
    -------
    Path
        The card.
    """
    about = (
        "Phones, per cent; differences in points; brackets are 95 % intervals over segments. *Shuffled* are equally "
        "long windows of\nother segments of the set, *static* is the face at rest. Made by `mtbench avsr evaluate "
        "--bank DIR --card`."
    )
    return _write_part(weights, CAPTURED, f"{about}\n\n{table.strip()}")


def write_lexicon_part(weights: Path, table: str) -> Path:
    """Put a lexicon sweep into the model card, in place of the one that is there.

    Parameters
    ----------
    weights : Path
        The safetensors file; its card lies beside it.
    table : str
        Markdown of :func:`mtbench.avsr.evaluation.lexicon_report.format_sweep`.

    Returns
    -------
    Path
        The card.
    """
    lines = table.strip().split("\n")[1:]  # its own heading gives way to the card's
    return _write_part(
        weights, LEXICON, "\n".join(f"#{line}" if line.startswith("## ") else line for line in lines)
    )


def _by_characters() -> Iterable[str]:
    return [code for code, language in LANGUAGES.items() if language.headline == "cer"]


def _without_mean(table: str) -> str:
    return "\n".join(line for line in table.split("\n") if not line.startswith("| mean |"))


def _title(condition: str) -> str:
    if condition in _TITLES:
        return _TITLES[condition]
    for modality, title in (("av", "AV"), ("a", "audio only")):
        if condition.startswith(modality) and condition[len(modality) :][:1] in "-+0123456789":
            return f"{title} at {condition[len(modality) :]} dB"
    return condition


def _cell(row: ErrorRow | None, rate: str) -> str:
    return "n/a" if row is None else _percent(row.rate(rate), 1)


def _percent(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{100 * value:.{digits}f}"
