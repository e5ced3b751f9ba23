"""Any program as a recognizer, in whatever language and environment: JSON lines on its standard input and output.

The protocol is described in ``docs/own-recognizer.md``. A program that ends or does not answer in time is started anew,
once for each request, and asked again; what it says is bounded and checked (:mod:`mtbench.avsr.program_messages`), and
it ends when the process does that asked it (:mod:`mtbench.avsr.program_process`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.avsr.base import Hypothesis, RecognizerError, Reference
from mtbench.avsr.program_command import split_command
from mtbench.avsr.program_messages import (
    Failure,
    Handshake,
    Message,
    MessageError,
    Probabilities,
    Transcripts,
    read_message,
)
from mtbench.avsr.program_process import (
    ProgramEndedError,
    ProgramFault,
    ProgramHungError,
    ProgramProcess,
    quote_output,
)
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import digest_bytes, digest_file
from mtbench.speech import Lexicon, write_lexicon

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds until the first line, in which a program may load its weights.
START_SECONDS = 300.0
#: How often one request is sent: a program that ended or hung is started anew for the next time.
_ATTEMPTS = 2
_DOCUMENT = "docs/own-recognizer.md, 'A program of any kind'"


def load_program(command: str, start_seconds: float = START_SECONDS) -> Program:
    """Start a program and return it as a recognizer.

    Parameters
    ----------
    command : str
        Path of an executable file; arguments may follow, quoted as in a shell. A name without a slash is looked for in
        the working directory, then where the shell finds programs.
    start_seconds : float
        How long it may take until its first line.

    Raises
    ------
    UsageError
        Where there is no such program, or it is not executable.
    PrerequisiteError
        On Windows.
    RecognizerError
        Where it ends, hangs, or its first line is not what it should be.
    """
    if os.name != "posix":
        raise PrerequisiteError(
            "recognizers that are programs need Linux or macOS; write a module:function instead"
        )
    words = split_command(command)
    program = Program(words, start_seconds)
    return ScoringProgram(words, start_seconds, program) if program.handshake.scores_references else program


class Program:
    """A program as a recognizer; satisfies :class:`mtbench.avsr.base.Recognizer`.

    Parameters
    ----------
    command : sequence of str
        Path and arguments.
    start_seconds : float
        How long it may take until its first line.
    started : Program or None
        One with the same command whose process this one takes over.

    Attributes
    ----------
    handshake : Handshake
        What it says of itself.
    digest : str
        blake2b-128 hex digest over the program's file, its arguments, the files among them, and its first line.
    """

    def __init__(
        self, command: Sequence[str], start_seconds: float = START_SECONDS, started: Program | None = None
    ) -> None:
        self._command = tuple(command)
        self._start_seconds = start_seconds
        self._process: ProgramProcess | None = None
        self._number = 0
        #: What the running process was given last: crops and sounds as they lie in its folder.
        self._given: dict[str, Any] | None = None
        if started is None:
            self._process, self.handshake, self.digest = self._start()
        else:
            self._process, started._process = started._process, None
            self.handshake, self.digest = started.handshake, started.digest

    @property
    def name(self) -> str:
        """What the program calls itself."""
        return self.handshake.name

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes that it covers."""
        return frozenset(self.handshake.languages)

    @property
    def decoder(self) -> str | None:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self.handshake.decoder

    @property
    def needs_lexicon(self) -> bool:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self.handshake.needs_lexicon

    @property
    def device(self) -> str:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self.handshake.device

    def close(self) -> None:
        """End the program; the next request starts it anew."""
        if self._process is not None:
            self._process.close()
        self._process = self._given = None

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe a clip; as :meth:`mtbench.avsr.base.Recognizer.transcribe`.

        Raises
        ------
        RecognizerError
            Where the program fails twice, says that it failed, or answers with something else.
        """
        self._forget_given()

        def request(process: ProgramProcess) -> dict[str, Any]:
            return {"type": "transcribe", **self._give(process, crops, audio, language, lexicon)}

        answer = self._ask(request, Transcripts)
        self._check_count("hypotheses", len(answer.hypotheses), len(audio))
        return [Hypothesis(heard.text, heard.phones) for heard in answer.hypotheses]

    # Talking

    def _ask(self, request: Callable[[ProgramProcess], Mapping[str, Any]], kind: type[Message]) -> Message:
        """Return the answer to a request, of which the files are written anew where the program is started anew."""
        faults: list[str] = []
        while len(faults) < _ATTEMPTS:
            try:
                if self._process is None:
                    self._restart()
                assert self._process is not None
                self._number += 1
                line = json.dumps({"id": self._number, **request(self._process)}) + "\n"
                answer = self._process.ask(line.encode(), self.handshake.timeout_s)
                return self._read(kind, answer)
            except (ProgramEndedError, ProgramHungError) as fault:
                self._kill()
                faults.append(str(fault))
                if len(faults) < _ATTEMPTS:
                    again = f"the program {self._words()} {fault}; it is started anew and asked again"
                    warnings.warn(again, RuntimeWarning, stacklevel=2)
            except ProgramFault as fault:
                self._kill()
                raise self._explain(str(fault), "one line of JSON for each request", _STRAY) from None
            except RecognizerError:
                raise
            except BaseException:  # an interruption: what it would answer next belongs to this request
                self._kill()
                raise
        cause = (
            "most likely it needs longer (field timeout_s of its first line) or waits for something that never comes"
            if "did not answer" in faults[-1]
            else "most likely an exception of its own, or memory ran out"
        )
        said = f"{faults[0]}; started anew, it {faults[1]}"
        raise self._explain(said, "an answer to each request", cause)

    def _read(self, kind: type[Message], line: bytes) -> Message:
        with contextlib.suppress(MessageError):
            failure = read_message(Failure, line)
            if failure.id == self._number:
                raise RecognizerError(
                    f"the program {self._words()} says that it failed: {quote_output(failure.error.encode())}"
                )
        try:
            answer = read_message(kind, line)
        except MessageError as error:
            raise ProgramFault(f"answered {quote_output(line[:200])} ({error})") from None
        if answer.id != self._number:  # type: ignore[attr-defined]
            raise ProgramFault(f"answered {quote_output(line[:200])} to request {self._number}")
        return answer

    def _start(self) -> tuple[ProgramProcess, Handshake, str]:
        """Start the program; return it with its first line and the digest of both."""
        files = [self._command[0], *(word for word in self._command[1:] if Path(word).is_file())]
        try:
            digests = [digest_file(Path(file)).short for file in files]
        except OSError as error:
            raise UsageError(f"the program {self._words()} cannot be read: {error}") from None
        process = ProgramProcess(self._command)
        try:
            line = process.ask(b"", self._start_seconds)
            handshake = read_message(Handshake, line)
        except ProgramFault as fault:
            process.close(grace=0)
            likely = "most likely it failed while it was loading; run it by hand: it should print one line and wait"
            raise self._explain(f"{fault} when it was started", _FIRST, likely) from None
        except MessageError as error:
            process.close(grace=0)
            said = f"began with {quote_output(line[:200])} ({error})"
            raise self._explain(said, _FIRST, _STRAY) from None
        except BaseException:
            process.close(grace=0)
            raise
        told = handshake.model_dump_json().encode()
        arguments = json.dumps(self._command[1:]).encode()
        return process, handshake, digest_bytes(arguments, told, *digests)

    def _restart(self) -> None:
        process, handshake, digest = self._start()
        if digest != self.digest:
            process.close(grace=0)
            changed = "its first line" if handshake != self.handshake else "its files"
            raise RecognizerError(
                f"the program {self._words()} is no longer what this run began with: {changed} changed; the first "
                "line must be the same at every start (no times, no process numbers). Start the run again"
            )
        self._process = process

    def _kill(self) -> None:
        if self._process is not None:
            self._process.close(grace=0)
        self._process = self._given = None

    def _check_count(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            said = f"answered with {found} {what}"
            likely = "all conditions of a clip come in one request"
            raise self._explain(said, f"{expected}, one for each entry of 'audio', in their order", likely)

    def _words(self) -> str:
        return quote_output(shlex.join(self._command).encode())

    def _explain(self, said: str, expected: str, likely: str) -> RecognizerError:
        return RecognizerError(
            f"the program {self._words()} {said}; expected {expected}; {likely}. The protocol: {_DOCUMENT}"
        )

    # Files

    def _give(
        self,
        process: ProgramProcess,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
    ) -> dict[str, Any]:
        """Write what the program is shown into its folder, once; return the fields that tell it."""
        if self._given is None:
            stem = f"{self._number:06d}"
            self._given = {
                "language": language,
                "crops": None if crops is None else _write(process.folder / f"{stem}-crops.npz", crops=crops),
                "audio": [
                    None if sound is None else _write(process.folder / f"{stem}-audio-{i}.npz", audio=sound)
                    for i, sound in enumerate(audio)
                ],
                "lexicon": None if lexicon is None else _write_words(process.folder, lexicon),
            }
        return self._given

    def _forget_given(self) -> None:
        """Remove the files of the clip before."""
        if self._given is not None:
            for path in (self._given["crops"], *self._given["audio"]):
                if path is not None:
                    Path(path).unlink(missing_ok=True)
        self._given = None


class ScoringProgram(Program):
    """A program that also says how probable a reference is; see :class:`mtbench.avsr.base.ReferenceScorer`."""

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`Program.transcribe` does, with log-probabilities; the reference is told afterwards.

        Raises
        ------
        RecognizerError
            As :meth:`Program.transcribe`.
        """
        hypotheses = self.transcribe(crops, audio, language, lexicon)
        said = {
            "text": reference.text,
            "phones": None if reference.phones is None else list(reference.phones),
        }

        def request(process: ProgramProcess) -> dict[str, Any]:
            given = self._give(process, crops, audio, language, lexicon)
            return {"type": "score", **given, "reference": said}

        answer = self._ask(request, Probabilities)
        self._check_count("scores", len(answer.scores), len(audio))
        return [
            hypothesis
            if score is None
            else replace(hypothesis, log_probability=score.log_probability, tokens=score.tokens)
            for hypothesis, score in zip(hypotheses, answer.scores, strict=True)
        ]


_FIRST = 'a first line such as {"protocol": 1, "name": "my-recognizer", "languages": ["eng", "ita"]}, flushed at once'
_STRAY = (
    "most likely the program, or a library that it uses, prints to standard output; only answers belong there, all "
    "else goes to standard error"
)


def _write(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def _write_words(folder: Path, lexicon: Lexicon) -> str:
    path = folder / f"lexicon-{lexicon.digest}.tsv"
    if not path.exists():
        write_lexicon(lexicon, path)
    return str(path)
