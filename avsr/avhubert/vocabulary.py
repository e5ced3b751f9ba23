"""Tokens as text: fairseq's dictionary files, and SentencePiece.

Conventions
-----------
A dictionary file holds one piece and one count a line; its pieces follow ``<s>``, ``<pad>``, ``</s>`` and ``<unk>``, so
that the first line is token 4. A ``tokenizer.json`` of a port holds its pieces in order, added ones with their numbers.
A piece begins a word where it begins with ``▁`` (U+2581).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.files import read_description

#: Tokens that every dictionary of fairseq begins with.
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
#: Tokens of Zero-AVSR's head of letters; the first is the blank, ``|`` is a space.
LETTERS = (*SPECIAL, "|", *"aienoutkmsrlhgdybpcwj'vzfqx")
_UNKNOWN = "<unk>"
#: Most bytes of a dictionary and of a SentencePiece model.
MAX_DICTIONARY, MAX_TOKENIZER = 16 << 20, 64 << 20


def read_dictionary(path: Path) -> list[str]:
    """Return the pieces of a dictionary file by token.

    Parameters
    ----------
    path : Path
        ``dict.<language>.txt``, special tokens first, or a port's ``tokenizer.json``.

    Raises
    ------
    UsageError
        For a file that is none.
    """
    try:
        if path.stat().st_size > MAX_DICTIONARY:
            raise ValueError(f"larger than {MAX_DICTIONARY >> 20} MB")
        if path.suffix == ".json":
            return _read_pieces(path)
        lines = path.read_text("utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not a dictionary that can be read ({error}); expected fairseq's dict.LANGUAGE.txt, one piece and "
            "one count a line, or a port's tokenizer.json"
        ) from None
    pieces = list(SPECIAL)
    for number, line in enumerate(lines, 1):
        if not line.strip("\r "):
            continue
        piece, _, count = line.rstrip("\r ").removesuffix(" #fairseq:overwrite").rpartition(" ")
        if not piece or not count.isdigit():
            raise UsageError(
                f"{path}, line {number}: {line[:60]!r} is no piece with a count; expected fairseq's dict.LANGUAGE.txt"
            )
        pieces.append(piece)
    return pieces


def _read_pieces(path: Path) -> list[str]:
    """Return the pieces of a ``tokenizer.json``."""
    found = read_description(path)
    model = found.get("model") if isinstance(found, dict) else None
    listed = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(listed, dict):
        if not all(isinstance(number, int) for number in listed.values()):
            raise ValueError("its tokens are not numbered")
        numbered = {number: piece for piece, number in listed.items()}
    elif isinstance(listed, list):  # pieces with their scores, in order
        numbered = {n: entry[0] for n, entry in enumerate(listed) if isinstance(entry, list) and entry}
    else:
        raise ValueError("no model.vocab in it")
    added = found.get("added_tokens")
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict) and isinstance(token.get("id"), int):
            numbered[token["id"]] = token.get("content")
    pieces = [numbered.get(number) for number in range(len(numbered))]
    texts = [piece for piece in pieces if isinstance(piece, str)]
    if len(texts) < len(pieces):
        raise ValueError("its tokens are not numbered from 0 on, or are no texts")
    return texts


def load_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a port's ``tokenizer.json``.

    Parameters
    ----------
    path : Path
        Of the library tokenizers.

    Raises
    ------
    UsageError
        For a file that is none.
    PrerequisiteError
        Without the extra ``[published]``.
    """
    require_extra("published", "a tokenizer.json", "tokenizers")
    import tokenizers

    try:
        if path.stat().st_size > MAX_DICTIONARY:
            raise ValueError(f"larger than {MAX_DICTIONARY >> 20} MB")
        return tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
    except Exception as error:  # the library raises plain exceptions
        raise UsageError(
            f"{path}: not a tokenizer that can be read ({str(error)[:200]}); expected the tokenizer.json that is "
            "published beside the checkpoint"
        ) from None


def load_sentencepiece(path: Path) -> Any:
    """Return a SentencePiece processor.

    Parameters
    ----------
    path : Path
        ``tokenizer.model``.

    Raises
    ------
    UsageError
        For a file that is none.
    PrerequisiteError
        Without the extra ``[published]``.
    """
    require_extra("published", "a SentencePiece tokenizer", "sentencepiece")
    import sentencepiece

    try:
        if path.stat().st_size > MAX_TOKENIZER:
            raise ValueError(f"larger than {MAX_TOKENIZER >> 20} MB")
        return sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{path}: not a SentencePiece model that can be read ({str(error)[:200]}); expected the tokenizer.model "
            "that is published beside the checkpoint"
        ) from None


@dataclass(frozen=True)
class Vocabulary:
    """What the tokens of a checkpoint mean.

    Attributes
    ----------
    pieces : tuple of str
        By token; empty where only SentencePiece knows them.
    tokenizer : path or None
        The SentencePiece model, or a port's ``tokenizer.json``; read once, when it is needed.
    silent : frozenset of int
        Tokens that are not written: beginning, end, padding.
    end : int
        The token that ends a text.
    unknown : int
        The token of what is in no piece.
    """

    pieces: tuple[str, ...]
    tokenizer: Path | None
    silent: frozenset[int]
    end: int
    unknown: int

    def detokenize(self, tokens: Sequence[int]) -> str:
        """Return the text of *tokens*."""
        said = [int(token) for token in tokens if int(token) not in self.silent]
        if self.pieces:
            parts = [self.pieces[token] for token in said]
        else:
            processor = self._processor("read tokens")
            parts = [_UNKNOWN if token == self.unknown else processor.id_to_piece(token) for token in said]
        space = "|" if self.pieces == LETTERS else "\u2581"
        return "".join(parts).replace(" ", "").replace(space, " ").strip()

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of *text*, the end included; letters keep their case."""
        if self.tokenizer is not None and self.tokenizer.suffix == ".json":
            return [*self._tokenizer.encode(text, add_special_tokens=False).ids, self.end]
        processor = self._processor("make tokens of a text")
        if not self.pieces:
            return [*processor.encode(text), self.end]
        numbers = {piece: number for number, piece in reversed([*enumerate(self.pieces)])}
        return [
            *(numbers.get(piece, self.unknown) for piece in processor.encode(text, out_type=str)),
            self.end,
        ]

    def _processor(self, what: str) -> Any:
        if self.tokenizer is None:
            raise UsageError(
                f"no tokenizer to {what} with; load the checkpoint with tokenizer=, the tokenizer.model beside it"
            )
        return self._sentencepiece

    @cached_property
    def _tokenizer(self) -> Any:
        assert self.tokenizer is not None
        return load_tokenizer(self.tokenizer)

    @cached_property
    def _sentencepiece(self) -> Any:
        assert self.tokenizer is not None
        return load_sentencepiece(self.tokenizer)
