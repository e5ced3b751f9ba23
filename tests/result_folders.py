"""Result folders made up from rows, for tests of what reads results: reports, boards."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factories import make_sums

from mtbench.avsr.base import Hypothesis
from mtbench.conditions import Condition
from mtbench.metrics import GeometrySums
from mtbench.results import (
    BenchmarkRef,
    GeometryRow,
    RecognizerRef,
    Run,
    SightRef,
    SignatureContext,
    SystemRef,
    UnderstandingRef,
    aggregate,
    canonical_rows,
    digest_rows,
    list_signatures,
    write_results,
)
from mtbench.scoring.rows import measure_recognition

SNRS, NOISES = (-7.5, -10.0), ("babble", "music")
WORDS = {
    "ita": ("ogni", "uomo", "ha", "diritto", "alla", "pace", "bambino"),
    "ara": ("لكل", "إنسان", "حق", "في", "السلام", "بيت"),
    "jpn": ("すべて", "人", "は", "自由", "猫"),
}
#: Phones of a word: enough for classes, bilabials among them.
SOUNDS = ("pa", "ma", "bi", "so", "tu", "ke", "la")


@dataclass(frozen=True)
class Clip:
    id: str
    language: str
    source: str


def make_clips(languages: Sequence[str] = ("ita", "ara", "jpn"), number: int = 6) -> list[Clip]:
    return [Clip(f"{code}-{i:02d}", code, f"{code}-s{i}") for code in languages for i in range(1, number + 1)]


def make_context(recognizer: str | None = "toy-av", digest: str = "ff" * 16) -> SignatureContext:
    return SignatureContext(
        common={"bench": "toy@1#00112233445566778899", "fps": 25, "version": "0.1.0"},
        recognition={}
        if recognizer is None
        else {"rec": f"{recognizer}#{digest}", "dec": "greedy", "norm": "uni-v1"},
        audio={"mix": "rms"},
        video={"topology": "toy", "render": "software", "crop": "mouth96@1"},
        geometry={"topology": "toy", "template": "identity"},
        noises={"babble": "aaaaaaaaaaaa", "music": "bbbbbbbbbbbb"},
    )


def make_rows(
    clips: Sequence[Clip], error: float = 0.3, *, seed: int = 0, heard: bool = True, phones: bool = True,
    closures: bool = False, covered: Sequence[str] = ("ita", "ara", "jpn"), answer: str | None = None,
) -> list:  # fmt: skip
    """Rows of one entry; references follow from the clip alone, *answer* replaces every hypothesis of its face."""
    rows: list = []
    for clip in clips:
        own = random.Random(clip.id)
        words = [own.choice(WORDS.get(clip.language, WORDS["ita"])) for _ in range(own.randint(4, 8))]
        said = "".join(SOUNDS[hash_of(word) % len(SOUNDS)] for word in words)
        draw = random.Random(f"{seed} {clip.id}")
        for condition in conditions() if heard else ():
            missing = clip.language not in covered
            p = error if condition.face == "entry" else 0.6
            p *= 1.0 if condition.is_noisy or condition.modality == "v" else 0.2
            # What no entry can change is the same for all.
            chance = draw if condition.face == "entry" else random.Random(f"{clip.id} {condition}")
            kept = [word if chance.random() > p else "cosa" for word in words if chance.random() > 0.2 * p]
            text = " ".join(kept) if answer is None or condition.face != "entry" else answer
            sounds = "".join(c if chance.random() > p else "t" for c in said if chance.random() > 0.2 * p)
            rows.append(
                measure_recognition(
                    clip=clip.id, language=clip.language, source=clip.source, condition=condition,
                    reference=" ".join(words), reference_phones=tuple(said) if phones else None,
                    hypothesis=None if missing else Hypothesis(text, tuple(sounds) if phones else None),
                    reason="language not covered by toy-av" if missing else None,
                )
            )  # fmt: skip
        frames = own.randint(50, 150)
        alone = GeometrySums(
            frames, {"closures_made": 3.0, "closures": 4.0, "vowels_shut": 1.0, "open_vowels": 5.0}
        )
        sums = [frames * draw.uniform(0.5, 1.5) for _ in range(5)]
        rows.append(
            GeometryRow(
                clip.id, clip.language, clip.source, make_sums(frames, *sums, 1e-6, 0.5 * sums[0]),
                alone=alone if closures else None,
            )
        )  # fmt: skip
    return rows


def hash_of(word: str) -> int:
    return sum(map(ord, word))


def conditions():
    yield Condition("av", face="entry")
    yield Condition("v", face="entry")
    yield Condition("a")
    for snr in SNRS:
        for noise in NOISES:
            yield Condition("av", snr, noise, "entry")
            yield Condition("av", snr, noise, "static")
            yield Condition("a", snr, noise)


def write_result(
    folder: Path, name: str, rows: list, clips: Sequence[Clip], *, recognizer: str | None = "toy-av",
    digest: str = "ff" * 16, model: dict | None = None, warnings: Sequence[str] = (), partial: bool = False,
    understood: float | None = 12.0, reads: bool | None = True, replicates: int = 200,
) -> Path:  # fmt: skip
    """Write ``run.json`` and ``clips.jsonl`` as a score does; return the folder."""
    rows = canonical_rows(rows)
    context = make_context(recognizer, digest)
    summary = aggregate(rows, clips, context, replicates=replicates)
    understanding = sight = None
    if recognizer is not None and understood is not None:
        codes = sorted({clip.language for clip in clips})
        understanding = UnderstandingRef(
            recognizer=recognizer, unit="phones", error=understood, by_language=dict.fromkeys(codes, understood),
            n_clips=len(clips), limit=30.0, understood=understood <= 30,
        )  # fmt: skip
        ends = (5.0, 15.0) if reads else (-2.0, 4.0)
        number = {"estimate": sum(ends) / 2, "ci95": ends, "unit": "points"}
        names = ("static-true", "shuffled-true", "v.shuffled-true")
        sight = SightRef.model_validate(
            {
                "recognizer": recognizer, "n_clips": 20, "condition": "AV at -7.5 dB", "counted": "phones",
                "numbers": dict.fromkeys(names, number), "reason": None if reads is not None else "no ground truth",
                "reads": reads,
            }
        )  # fmt: skip
    run = Run(
        status="partial" if partial else "complete", rankable=not partial,
        system=SystemRef(name=name, digest="00", topology="toy", kind="vertices", model=model or {}),
        benchmark=BenchmarkRef(name="toy", version="1", digest="00112233445566778899"),
        recognizer=None if recognizer is None else RecognizerRef(name=recognizer, digest=digest),
        understanding=understanding, sight=sight, warnings=tuple(warnings),
        signatures=list_signatures(summary, context, replicates=replicates),
        settings={"recognition": dict(context.recognition), "normalizer": "uni-v1"},
        summary=tuple(summary), timings={}, environment={}, rows_digest=digest_rows(rows),
    )  # fmt: skip
    write_results(folder, run, rows)
    return folder
