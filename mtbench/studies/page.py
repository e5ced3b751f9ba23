"""The page that raters open, and the record of everything that it follows from.

Conventions
-----------
The page holds the plan and the texts; names of systems stand in it as base64, so that nobody reads them by accident,
and come out in the judgements alone. ``study.json`` lies beside the folder of the page, not in it: it says in the
clear what raters are not to know.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtbench.benchmarks import Benchmark
from mtbench.files import digest_bytes
from mtbench.pages import page_environment
from mtbench.studies.design import KNOWN_ASPECTS, Design
from mtbench.studies.plan import Group, Item
from mtbench.studies.stimuli import Stimuli
from mtbench.studies.texts import load_texts
from mtbench.submissions import Submission
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME
from mtbench.version import __version__
from mtbench.viewing import read_player

_HERE = Path(__file__).parent
_KINDS = ("pair", "practice", "check")
SCHEMA = 1


def list_items(group: Group) -> list[Item]:
    """Return the items of a group's schedules, each once, in the order in which they come up."""
    return list(dict.fromkeys(showing.item for plan in group.schedules for showing in plan))


def describe_plan(
    design: Design, benchmark: Benchmark, submissions: Mapping[str, Submission], groups: Sequence[Group],
    consent: Sequence[str] | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what ``study.json`` holds before a face is packed: settings, digests, and who sees what.

    ``schedules`` hold whole numbers: twice the index of an item, one more where its *b* is face 1.
    """
    return {
        "schema": SCHEMA,
        "version": __version__,
        "design": {
            **{name: getattr(design, name) for name in _SETTINGS},
            "aspects": [{"name": a.name, "question": a.question} for a in design.aspects],
        },
        "consent": None if consent is None else list(consent),
        "benchmark": {"ref": benchmark.ref, "digest": benchmark.digest},
        "systems": [
            {"name": name, "digest": found.digest, "topology": found.topology}
            for name, found in submissions.items()
        ],
        "groups": [
            {
                "name": group.name,
                "items": [vars(item) for item in list_items(group)],
                "schedules": _number(group),
            }
            for group in groups
        ],
    }


def describe_study(plan: Mapping[str, Any], benchmark: Benchmark, stimuli: Stimuli) -> dict[str, Any]:
    """Return all that ``study.json`` holds: *plan*, and which file is whose face and which clip's sound."""
    record: dict[str, Any] = {
        **plan,
        "loudness": {
            "lufs": round(stimuli.leveled.target, 3),
            "limited_by": stimuli.leveled.limited_by,
            "gains": {clip: round(gain, 6) for clip, gain in stimuli.leveled.gains.items()},
        },
        "clips": [
            {"id": clip, "language": benchmark.clip(clip).language, "frames": benchmark.clip(clip).frames,
             "sound": code}
            for clip, code in stimuli.sounds.items()
        ],
        "faces": [
            {"system": system, "clip": clip, "file": code} for (system, clip), code in stimuli.faces.items()
        ],
        "largest_error_mm": stimuli.error_mm,
        "files": {name: digest_bytes(text.encode()) for name, text in stimuli.files.items()},
    }  # fmt: skip
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return {"study": hashlib.blake2b(text.encode(), digest_size=6).hexdigest(), **record}


_SETTINGS = ("clips", "raters", "trials", "ties", "checks", "seed", "against", "turns", "mixed")


def format_record(record: Mapping[str, Any]) -> str:
    """Return *record* as the text of ``study.json``."""
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def format_page(design: Design, record: Mapping[str, Any], groups: Sequence[Group], stimuli: Stimuli) -> str:
    """Return the HTML of the page."""
    names = list(dict.fromkeys(name for group in groups for i in list_items(group) for name in (i.a, i.b)))
    clips = [clip["id"] for clip in record["clips"]]
    seconds = SAMPLES_PER_FRAME / SAMPLE_RATE
    study = {
        "id": record["study"],
        "names": [base64.b64encode(name.encode()).decode() for name in names],
        "aspects": [[aspect.name, aspect.question] for aspect in design.aspects],
        "questions": KNOWN_ASPECTS,
        "ties": design.ties,
        "turns": design.turns,
        "consent": record["consent"],
        "topologies": list(stimuli.topologies.values()),
        "clips": [
            [clip["id"], clip["language"], clip["sound"], round(clip["frames"] * seconds, 3)]
            for clip in record["clips"]
        ],
        "groups": {
            group.name: {
                "items": [
                    [
                        _KINDS.index(item.kind), clips.index(item.clip), names.index(item.a), names.index(item.b),
                        stimuli.faces[item.a, item.clip], stimuli.faces[item.b, item.clip],
                    ]
                    for item in list_items(group)
                ],
                "schedules": _number(group),
            }
            for group in groups
        },
    }  # fmt: skip
    english = load_texts()["eng"]
    return (
        page_environment(_HERE / "templates")
        .get_template("study.html.j2")
        .render(
            title=english["title"],
            skip_text=english["skip"],
            language="en",
            style=_read("study.css"),
            order="turns" if design.turns else "together",
            checks=design.checks > 0,
            texts=load_texts(),
            study=study,
            scripts=[read_player(), *map(_read, ("media.js", "judgements.js", "stage.js", "study.js"))],
        )
    )


def _number(group: Group) -> list[list[int]]:
    places = {item: index for index, item in enumerate(list_items(group))}
    return [[2 * places[showing.item] + showing.swapped for showing in plan] for plan in group.schedules]


def _read(name: str) -> str:
    return (_HERE / "static" / name).read_text("utf-8")
