"""The model of ``benchmark.toml``.

Fields are described in :mod:`mtbench.benchmarks.benchmark`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from mtbench.errors import UsageError
from mtbench.files import StrictModel
from mtbench.speech import check_code
from mtbench.timing import FPS, MAX_FRAMES, SAMPLE_RATE

#: Most bytes of a manifest.
MAX_MANIFEST = 16 << 20
MANIFEST = "benchmark.toml"
#: What manifests of other versions in the same folder are called; the star stands for the version.
OTHER_MANIFESTS = "benchmark-*.toml"
CLIP_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


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
    articulation: str = Field(default="", max_length=100)
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
