"""What a program that recognizes may say, checked: its first line and its answers.

Every text and list is bounded, unknown fields are refused, and none of it is a path that anybody opens. The protocol is
described in ``docs/own-recognizer.md``.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from mtbench.files import StrictModel, validation_lines

#: Version of the protocol.
PROTOCOL = 1
#: Most seconds that a program may take for one clip, and what it may take unless it says otherwise.
MAX_SECONDS, SECONDS = 3600.0, 300.0

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}$")]
#: Printable ASCII without the separator of signatures.
_Setting = Annotated[str, StringConstraints(pattern=r"^[ -{}~]{1,200}$")]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
_Text = Annotated[str, StringConstraints(max_length=20_000)]
_Phone = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class Handshake(StrictModel):
    """The first line of a program: what it is.

    Attributes
    ----------
    protocol : int
        Version of the protocol that it speaks.
    name : str
        In headings and signatures.
    languages : tuple of str
        ISO 639-3 codes that it covers.
    digest : str
        Of its weights and settings, whatever its file does not hold.
    decoder, needs_lexicon, device
        See :class:`mtbench.avsr.traits.Traits`.
    scores_references : bool
        Whether it says how probable a reference is.
    timeout_s : float
        Seconds that it may take for one request.
    """

    protocol: Literal[1]
    name: _Name
    languages: Annotated[tuple[_Language, ...], Field(min_length=1, max_length=8000)]
    digest: Annotated[str, StringConstraints(max_length=200)] = ""
    decoder: _Setting | None = None
    needs_lexicon: bool = False
    device: _Setting = "cpu"
    scores_references: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=MAX_SECONDS)] = SECONDS


class Heard(StrictModel):
    """One hypothesis of a program: text, and IPA phones where it has them."""

    text: _Text
    phones: Annotated[tuple[_Phone, ...], Field(max_length=10_000)] | None = None


class Probability(StrictModel):
    """How probable a reference is to a program: natural logarithm, and the number of tokens or phones."""

    log_probability: Annotated[float, Field(allow_inf_nan=False)]
    tokens: Annotated[int, Field(ge=1, le=100_000)]


class Failure(StrictModel):
    """A program's answer that it could not do what was asked."""

    id: int
    error: _Text


class Transcripts(StrictModel):
    """A program's answer to ``transcribe``: a hypothesis for each condition."""

    id: int
    hypotheses: tuple[Heard, ...]


class Probabilities(StrictModel):
    """A program's answer to ``score``: a probability for each condition, or null where it cannot tell."""

    id: int
    scores: tuple[Probability | None, ...]


Message = TypeVar("Message", bound=StrictModel)


class MessageError(ValueError):
    """A line that is not the message that was expected; the text says what is wrong."""


def read_message(kind: type[Message], line: bytes) -> Message:
    """Return *line* as a message.

    Raises
    ------
    MessageError
        Naming the first fields that are wrong.

    Examples
    --------
    >>> read_message(Probabilities, b'{"id": 2, "scores": [null]}').scores
    (None,)
    """
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        wrong = [f"{field}: {text}" if field else text for field, text in validation_lines(error)[:3]]
        raise MessageError("; ".join(wrong)) from None
