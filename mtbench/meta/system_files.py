"""Records of a system that was recognized: one file each, so that a killed run goes on where it was.

Conventions
-----------
A file holds a record per clip and the key of everything that records follow from (recognizer, benchmark,
renderer, the system itself). With another key, or damaged, it counts as absent: it can be made again. Files
are written whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbench.files import write_atomically

SCHEMA = 2


class ClipRecord(BaseModel):
    """How one clip of one system was understood.

    Attributes
    ----------
    errors : dict of str to int
        Errors by condition: words, or characters in the languages whose headline is CER.
    length : int
        Length of the reference, in the same unit.
    phone_errors : dict of str to (int or None)
        Phone errors by condition; None without reference phones or for a recognizer without phones.
    phone_length : int or None
        Number of reference phones; None where there are none.
    phones : dict of str to str
        Recognized phones by condition, blanks between; kept of the ground truth only.
    geometry : dict of str to (float or None)
        Mean over the clip's frames of each metric.
    log_probabilities : dict of str to (float or None)
        Natural logarithm of the reference's probability by condition; None where the recognizer does not tell.
    tokens : int or None
        Number of units that they are the probability of.
    others : dict of str to tuple of (float or None)
        The same logarithm with each of several other clips' faces, by condition; empty where none was shown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    errors: dict[str, int]
    length: int
    phone_errors: dict[str, int | None]
    phone_length: int | None
    phones: dict[str, str]
    geometry: dict[str, float | None]
    log_probabilities: dict[str, float | None]
    tokens: int | None
    others: dict[str, tuple[float | None, ...]] = {}


class SystemFile(BaseModel):
    """The records of one system; see the module's text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int
    system: str
    key: str
    clips: dict[str, ClipRecord]


def system_path(folder: Path, system: str) -> Path:
    """Return where the records of *system* lie in the run's *folder*."""
    return folder / "systems" / f"{system}.json"


def read_records(folder: Path, system: str, key: str) -> dict[str, ClipRecord]:
    """Return the records of *system* that were made under *key*, by clip; none where there is no such file."""
    try:
        found = SystemFile.model_validate_json(system_path(folder, system).read_bytes())
    except (OSError, ValidationError):
        return {}
    same = (found.schema_version, found.system, found.key) == (SCHEMA, system, key)
    return dict(found.clips) if same else {}


def write_records(folder: Path, system: str, key: str, records: dict[str, ClipRecord]) -> None:
    """Write the records of *system*, clips sorted."""
    clips = {clip: records[clip] for clip in sorted(records)}
    file = SystemFile(schema_version=SCHEMA, system=system, key=key, clips=clips)
    write_atomically(system_path(folder, system), f"{file.model_dump_json(indent=1)}\n".encode())
