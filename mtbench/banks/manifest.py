"""The model of ``bank.toml``.

Fields are described in ``docs/motion-bank.md``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from mtbench.errors import UsageError
from mtbench.faces import MAX_FPS, MIN_FPS
from mtbench.files import StrictModel
from mtbench.speech import check_code
from mtbench.timing import FPS

MANIFEST = "bank.toml"
#: Most bytes of it.
MAX_MANIFEST = 16 << 20
_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class SpeakerManifest(StrictModel):
    """One ``[speakers.NAME]`` table of ``bank.toml``."""

    about: str = Field(default="", max_length=1000)
    template: str | None = None


class RecordingManifest(StrictModel):
    """One ``[[recordings]]`` table of ``bank.toml``."""

    id: str = Field(pattern=_ID)
    speaker: str
    language: str
    sound: str
    motion: str
    phones: str
    fps: float = Field(default=float(FPS), ge=MIN_FPS, le=MAX_FPS)
    split: Literal["train", "development"] = "train"

    @field_validator("fps", mode="before")
    @classmethod
    def _fps(cls, value: object) -> object:
        return float(value) if type(value) is int else value

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        try:
            return check_code(value)
        except UsageError as error:
            raise ValueError(str(error)) from None


class BankManifest(StrictModel):
    """The whole of ``bank.toml``."""

    schema_: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    license: str = Field(min_length=1, max_length=200)
    credit: str = Field(min_length=1, max_length=2000)
    kind: Literal["units", "vertices", "flame-params"]
    topology: str | None = None
    notes: str = ""
    speakers: dict[str, SpeakerManifest] = Field(min_length=1, max_length=10_000)
    recordings: list[RecordingManifest] = Field(min_length=1, max_length=100_000)

    @model_validator(mode="after")
    def _agree(self) -> BankManifest:
        if (self.kind == "vertices") != (self.topology is not None):
            raise ValueError(
                f'kind = "{self.kind}" {"needs" if self.topology is None else "takes no"} topology; a topology says '
                "which mesh vertices are of"
            )
        seen: dict[str, str] = {}
        for one in self.recordings:
            if one.speaker not in self.speakers:
                raise ValueError(
                    f"recording {one.id!r} is of speaker {one.speaker!r}, who has no table [speakers.{one.speaker}]"
                )
            if seen.setdefault(one.id.lower(), one.id) is not one.id:
                raise ValueError(f"recording id {one.id!r} occurs twice (ids may not differ in case only)")
        return self
