"""Whether a bank can be trained on: everything wrong with it, and how well lips, sound and phones agree.

Conventions
-----------
Two measures tell whether motion, sound and phones are of one recording and in step. *Closures*: of the p, b and m, the
share in which the lips are within a millimetre of rest, or nearer than in nine of ten moments of speech, at some frame
from 40 ms before the phone to 40 ms after it; as many such phones at random moments of speech tell what chance
gives. *Lag*: by how many frames the opening of the lips follows the loudness of the sound, where the two correlate
best.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mtbench.banks.mouths import lip_gap
from mtbench.banks.source import read_whole
from mtbench.benchmarks import PAUSE
from mtbench.errors import BankError, Problem, list_some
from mtbench.timing import FPS, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.banks.bank import MotionBank
    from mtbench.banks.excerpts import Excerpt
    from mtbench.banks.recording import Recording

BILABIAL = frozenset("pbm")
#: Metres beyond rest up to which lips count as closed; or else the share of the moments of speech in which they do.
_CLOSED, _NEAREST = 1e-3, 0.1
#: Seconds around a phone in which its closure is looked for.
_SLACK = 0.04
_MOST_LAG = 10
#: Frames of lag, and the correlation, from which on a lag is told; and how many p b m tell about closures.
_ODD_LAG, _SURE, _FEWEST = 2, 0.3, 8
_DRAWS = 20


@dataclass(frozen=True)
class RecordingReport:
    """What was found in one recording.

    Attributes
    ----------
    id, speaker, language, split : str
    seconds : float
    phones : int
        Without pauses.
    bilabials : int
        How many of them are p, b or m.
    closed, by_chance : float or None
        Share of the p, b and m with closed lips, and of phones at random moments; None without any.
    lag : int or None
        Frames by which the lips' opening follows the sound; None where neither moves.
    correlation : float or None
        Of opening and loudness at that lag.
    """

    id: str
    speaker: str
    language: str
    split: str
    seconds: float
    phones: int
    bilabials: int
    closed: float | None
    by_chance: float | None
    lag: int | None
    correlation: float | None


@dataclass(frozen=True)
class BankReport:
    """What was found in a bank.

    Attributes
    ----------
    recordings : tuple of RecordingReport
        Those that can be read.
    problems : tuple of Problem
        Why the bank cannot be trained on; none where it can.
    """

    recordings: tuple[RecordingReport, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """Length of all recordings together."""
        return sum(one.seconds for one in self.recordings)

    def table(self) -> str:
        """Return a line for each recording, under headings."""
        heads = (
            "recording",
            "speaker",
            "lang",
            "split",
            "seconds",
            "phones",
            "p b m",
            "closed",
            "chance",
            "lag",
        )
        rows = [
            (
                one.id,
                one.speaker,
                one.language,
                one.split,
                f"{one.seconds:.1f}",
                str(one.phones),
                str(one.bilabials),
                _percent(one.closed),
                _percent(one.by_chance),
                "-" if one.lag is None else f"{one.lag:+d} ({one.correlation:.2f})",
            )
            for one in self.recordings
        ]
        widths = [max(map(len, column)) for column in zip(heads, *rows)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)) for row in (heads, *rows)]
        return "\n".join(line.rstrip() for line in lines)

    def doubts(self) -> list[str]:
        """Return what is odd about recordings that can be read."""
        told = []
        for one in self.recordings:
            if one.lag is not None and abs(one.lag) > _ODD_LAG and (one.correlation or 0) > _SURE:
                told.append(
                    f"{one.id}: the lips follow the sound by {one.lag:+d} frames of 40 ms; expected about 0. "
                    "Perhaps fps or the start of the motion is another"
                )
            if one.bilabials < _FEWEST or one.closed is None or one.by_chance is None:
                continue
            if one.closed < one.by_chance + (1 - one.by_chance) / 3:
                told.append(
                    f"{one.id}: the lips close at {one.closed:.0%} of {one.bilabials} p b m, at {one.by_chance:.0%} of "
                    "as many other moments; expected most. Perhaps the phones' times are off, or contact was lost"
                )
        return told


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def check_bank(bank: MotionBank, phones: Collection[str]) -> BankReport:
    """Read every recording of *bank* and report what is wrong, and how well its parts agree.

    Parameters
    ----------
    bank : MotionBank
    phones : collection of str
        The phones that the recognizer knows.
    """
    found, problems = [], []
    for recording in bank:
        try:
            whole = read_whole(recording)
        except BankError as error:
            hint = "mend the file, or take the recording out of bank.toml"
            problems.append(Problem("unreadable-recording", recording.id, str(error), hint))
            continue
        problems += _find_problems(recording, whole, phones)
        found.append(_measure(recording, whole))
    if not bank.split("train"):
        hint = 'give some recordings split = "train"'
        problems.append(
            Problem("nothing-to-train-on", "bank.toml", "every recording is for development", hint)
        )
    return BankReport(tuple(found), tuple(problems))


def _find_problems(recording: Recording, whole: Excerpt, phones: Collection[str]) -> list[Problem]:
    problems = []
    if unknown := sorted({*whole.symbols} - {*phones}):
        problems.append(
            Problem(
                "unknown-phones",
                recording.phones_path.name,
                f"phones outside the inventory: {list_some(unknown)}; expected some of {' '.join(phones)}",
                "drop marks of stress, length and tone, write diphthongs and affricates as two letters",
            )
        )
    if not whole.symbols:
        hint = "write the phones that are said, or take the recording out of bank.toml"
        problems.append(Problem("no-phones", recording.phones_path.name, "nothing but pauses", hint))
    if float(np.ptp(lip_gap(whole.curves))) < 1e-3:
        hint = "another unit of length, another order of columns, or the motion of another face"
        problems.append(
            Problem("still-lips", recording.motion_path.name, "the lips open by less than a millimetre", hint)
        )
    return problems


def _measure(recording: Recording, whole: Excerpt) -> RecordingReport:
    gap = lip_gap(whole.curves)
    closed, by_chance = measure_closures(gap, whole)
    lag, correlation = measure_lag(gap, whole.sound)
    return RecordingReport(
        recording.id,
        recording.speaker,
        recording.language,
        recording.split,
        whole.seconds,
        len(whole.symbols),
        sum(s in BILABIAL for s in whole.symbols),
        closed,
        by_chance,
        lag,
        correlation,
    )


def measure_closures(gap: np.ndarray, whole: Excerpt) -> tuple[float | None, float | None]:
    """Return the share of p, b and m with near lips, and what chance gives; None without any.

    Parameters
    ----------
    gap : (T,) float
        Between the lips.
    whole : Excerpt
        Whose phones are looked at.
    """
    said = [p for p in whole.phones if p.symbol != PAUSE]
    shut = [p for p in said if p.symbol in BILABIAL]
    if not shut:
        return None, None
    spoken = np.zeros(len(gap), bool)
    for p in said:
        spoken[int(p.start * FPS) : int(p.end * FPS) + 1] = True
    near = gap <= max(_CLOSED, float(np.quantile(gap[spoken], _NEAREST)))

    def share(middles: np.ndarray, lengths: np.ndarray) -> float:
        first = np.clip(((middles - lengths / 2 - _SLACK) * FPS).astype(int), 0, len(gap) - 1)
        last = np.clip(((middles + lengths / 2 + _SLACK) * FPS).astype(int) + 1, 1, len(gap))
        return float(np.mean([near[a:b].any() for a, b in zip(first, last)]))

    lengths = np.array([p.end - p.start for p in shut])
    rng = np.random.Generator(np.random.PCG64(len(said)))
    moments = rng.choice(np.flatnonzero(spoken), (_DRAWS, len(shut))) / FPS + 0.5 / FPS
    chance = float(np.mean([share(draw, lengths) for draw in moments]))
    return share(np.array([(p.start + p.end) / 2 for p in shut]), lengths), chance


def measure_lag(gap: np.ndarray, sound: np.ndarray) -> tuple[int | None, float | None]:
    """Return by how many frames the opening of the lips follows the loudness of the sound, and their correlation there.

    Parameters
    ----------
    gap : (T,) float
        Between the lips.
    sound : (640 T,) float32
        Mono at 16 kHz.
    """
    loudness = np.log(np.sqrt(np.square(sound.reshape(-1, SAMPLES_PER_FRAME)).mean(1)) + 1e-4)
    found: dict[int, float] = {}
    for lag in range(-_MOST_LAG, _MOST_LAG + 1):
        a = gap[max(0, lag) : len(gap) + min(0, lag)]
        b = loudness[max(0, -lag) : len(loudness) + min(0, -lag)]
        if len(a) > 2 * _MOST_LAG and a.std() > 0 and b.std() > 0:
            found[lag] = float(np.corrcoef(a, b)[0, 1])
    if not found:
        return None, None
    best = max(found, key=lambda lag: (found[lag], -abs(lag)))
    return best, found[best]
