"""The manifests' common ground, and the model of ``benchmark.toml``.

Conventions
-----------
Manifests are TOML, read once and checked by pydantic models that know every field; see
:mod:`mtbench.benchmarks.benchmark` for what the fields mean. Messages count list items from 1, as people do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mtbench.errors import UsageError
from mtbench.files.paths import PathError, check_regular_file
from mtbench.speech.languages import check_code

FPS = 25
SAMPLE_RATE = 16000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
#: Longest clip in frames (two minutes): bounds every allocation that follows from a manifest.
MAX_FRAMES = 3000
#: Most bytes of a manifest.
MAX_MANIFEST = 16 << 20
MANIFEST = "benchmark.toml"
#: Most parts of a dotted key: each is a table within the last.
_MAX_DEPTH = 32
_DEEP_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{_MAX_DEPTH}}}""")
CLIP_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class StrictModel(BaseModel):
    """A table that knows all its fields and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ClipManifest(StrictModel):
    """One ``[[clips]]`` table of ``benchmark.toml``."""

    id: str = Field(pattern=CLIP_ID)
    language: str
    transcript: str = Field(max_length=10_000)
    audio: str
    frames: int = Field(ge=1, le=MAX_FRAMES)
    source: str = ""
    motion: str | None = None
    speaker: str | None = Field(default=None, min_length=1, max_length=200)
    template: str | None = None
    phones: str | None = None
    phone_times: str | None = None

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        return _check_language(value)


class BenchmarkManifest(StrictModel):
    """The whole of ``benchmark.toml``."""

    schema_: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")
    topology: str | None = None
    fps: float = FPS
    sample_rate: int = SAMPLE_RATE
    title: str = ""
    description: str = ""
    license: str = ""
    notes: str = ""
    noises: str | None = None
    lexicons: dict[str, str] = Field(default_factory=dict)
    templates: str | dict[str, str] = Field(default_factory=dict)
    motion_fps: float = Field(default=FPS, gt=0, allow_inf_nan=False)
    motion_resampling: str = Field(default="", max_length=100)
    clips: list[ClipManifest] = Field(min_length=1, max_length=100_000)

    @field_validator("fps", mode="before")
    @classmethod
    def _fps(cls, value: object) -> object:
        if value != FPS:
            raise ValueError(f"must be {FPS}: recognizers and the frame count of a clip rest on it")
        return float(FPS)

    @field_validator("sample_rate")
    @classmethod
    def _rate(cls, value: int) -> int:
        if value != SAMPLE_RATE:
            raise ValueError(f"must be {SAMPLE_RATE}")
        return value

    @field_validator("lexicons")
    @classmethod
    def _languages(cls, value: dict[str, str]) -> dict[str, str]:
        return {_check_language(code): file for code, file in value.items()}

    @field_validator("clips")
    @classmethod
    def _unique(cls, clips: list[ClipManifest]) -> list[ClipManifest]:
        seen: dict[str, str] = {}
        for clip in clips:
            other = seen.setdefault(clip.id.lower(), clip.id)
            if other is not clip.id:
                raise ValueError(f"clip id {clip.id!r} occurs twice (ids may not differ in case only)")
        return clips


def _check_language(code: str) -> str:
    try:
        return check_code(code)
    except UsageError as error:
        raise ValueError(str(error)) from None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean …?"`` with the closest of *known*, or ``""``."""
    import difflib

    near = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {', '.join(near)}?" if near else ""


def read_toml(path: Path, max_bytes: int) -> dict:
    """Parse the TOML file *path* of at most *max_bytes* bytes; ``ValueError`` says what is wrong.

    A byte order mark of UTF-8, which editors on Windows write, is skipped.
    """
    try:
        size = check_regular_file(path)
    except PathError as error:
        raise ValueError(str(error)) from None
    if size > max_bytes:
        raise ValueError(f"has {size} bytes, expected at most {max_bytes}")
    text = _decode(path.read_bytes())
    if _DEEP_KEY.search(text):
        raise ValueError(f"is nested too deeply (a key of more than {_MAX_DEPTH} parts)")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML: {str(error)[:300]}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise ValueError(f"holds a value that cannot be read ({str(error)[:100]})") from None


def _decode(content: bytes) -> str:
    """Return the text of a manifest, or say in which encoding it seems to be."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in content[:2]:
        raise ValueError('is UTF-16 text, expected UTF-8; save it again with the encoding "UTF-8"')
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start})") from None


def validation_lines(error: ValidationError) -> list[tuple[str, str]]:
    """Return (field, message) of every finding of pydantic, with lists counted from 1 as people do."""
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(
            f"#{part + 1}" if isinstance(part, int) else _printable(part) for part in item["loc"]
        )
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown field"
        elif item["type"] == "missing":
            message = "missing"
        elif item["type"] not in ("value_error",):
            message = f"{message}, not {_describe(item['input'])}"
        lines.append((field, message))
    return lines


def _printable(name: str) -> str:
    """Return a name from a stranger's file as it may stand in a message."""
    return name if len(name) <= 60 and name.isprintable() else f"{name[:60]!r}"


def _describe(value: object) -> str:
    """Return a value from a stranger's file as it may stand in a message, whatever its size and depth."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    if isinstance(value, dict | list):
        what = "a table" if isinstance(value, dict) else "a list"
        return f"{what} of {len(value)}"
    return f"{str(value)[:60]!r}"
