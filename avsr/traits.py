"""What else the harness asks of a recognizer: its search, word list and device, and whether it remembers sounds.

A recognizer of one's own may leave all of it out; what it then is taken for stands in :class:`Traits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mtbench.avsr.base import Recognizer
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.work import Cache


@runtime_checkable
class Rememberer(Protocol):
    """A recognizer that makes something costly of a sound alone, which can be kept for every face shown with it."""

    def remember_in(self, cache: Cache) -> Recognizer:
        """Return the same recognizer, with the same answers, which keeps in *cache* what it makes of sounds."""


def remember_sounds(recognizer: Recognizer, cache: Cache) -> Recognizer:
    """Return *recognizer*, keeping in *cache* what it makes of sounds, if it makes anything that can be kept."""
    return recognizer.remember_in(cache) if isinstance(recognizer, Rememberer) else recognizer


@dataclass(frozen=True)
class Traits:
    """What is true of a recognizer besides the protocol; each is an attribute of the same name where it differs.

    Attributes
    ----------
    decoder : str or None
        How it searches for words, with its settings, e.g. ``"viterbi(prior 0.9)"``: field ``dec`` of signatures.
    needs_lexicon : bool
        Whether it can only answer with words of a list; results then say where a benchmark has no list for it.
    device : str
        Where it computes, as torch names it. Recognition runs in one process unless it is ``"cpu"``: each process would
        load the weights there once more.
    memory : int
        Bytes of its weights in each process, by which the number of processes is bounded; 0 where they do not matter.
    script : str
        ``"roman"`` where its texts are in roman letters whatever the language: references are then romanized too, and
        characters count; empty where it writes as people do.
    """

    decoder: str | None = None
    needs_lexicon: bool = False
    device: str = "cpu"
    memory: int = 0
    script: str = ""

    @property
    def shares_cores(self) -> bool:
        """Whether several processes may recognize at once."""
        return self.device == "cpu"


def describe_traits(recognizer: Recognizer) -> Traits:
    """Return what *recognizer* says of itself.

    Raises
    ------
    UsageError
        For an attribute of another type.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> describe_traits(SimpleNamespace(decoder="beam 5"))
    Traits(decoder='beam 5', needs_lexicon=False, device='cpu', memory=0, script='')
    """
    defaults = Traits()
    decoder = getattr(recognizer, "decoder", defaults.decoder)
    needs_lexicon = getattr(recognizer, "needs_lexicon", defaults.needs_lexicon)
    device = getattr(recognizer, "device", defaults.device)
    memory = getattr(recognizer, "memory", defaults.memory)
    script = getattr(recognizer, "script", defaults.script)
    for name, value, expected in (
        ("decoder", decoder, "a text or None"),
        ("needs_lexicon", needs_lexicon, "true or false"),
        ("device", device, "a text such as 'cuda:0'"),
        ("memory", memory, "a whole number of bytes"),
        ("script", script, "'roman' or nothing"),
    ):
        fine = isinstance(value, {"needs_lexicon": bool, "memory": int}.get(name, str))
        if not fine and not (name == "decoder" and value is None):
            raise UsageError(f"{recognizer.name}: its attribute {name} is {value!r}, expected {expected}")
    return Traits(decoder, needs_lexicon, device, memory, script)
