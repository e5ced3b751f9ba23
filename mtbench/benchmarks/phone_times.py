"""Timed phones of a benchmark's clip: when each sound was said, and when each closure opened.

Conventions
-----------
``phone_times`` of a clip names a UTF-8 file with a header and one phone a line, tabs between the fields::

    phone <TAB> start <TAB> end <TAB> release

Times are seconds from the clip's first sample. Phones follow one another; pauses are phones called ``sil``.
``release`` is the moment when the closure of a stop or nasal, which begins at ``start``, opens; it is empty for
other phones, and the whole column may be absent. That is what
:func:`mtbench.synth.articulation.animate` takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbench.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mtbench.benchmarks.clip import Clip
    from mtbench.speech import TimedPhone

#: What pauses are called; they are no reference phones.
PAUSE = "sil"
_MAX_BYTES = 1 << 20
_HEADERS = (["phone", "start", "end"], ["phone", "start", "end", "release"])
#: Seconds by which a phone may begin before the one before it ends: times are written with four decimals.
_ROUNDING = 2e-4


@dataclass(frozen=True)
class PhoneTime:
    """A phone or pause with its time.

    Attributes
    ----------
    symbol : str
        IPA, or ``"sil"``.
    start, end : float
        Seconds.
    release : float or None
        When the closure opens, for stops and nasals.
    """

    symbol: str
    start: float
    end: float
    release: float | None = None


def read_phone_times(clip: Clip) -> tuple[PhoneTime, ...]:
    """Return the timed phones of *clip*, pauses included.

    Raises
    ------
    BenchmarkError
        Where the clip has none, the file is unreadable, its times run backwards or out of the clip, or its phones
        are not the clip's reference phones.

    Examples
    --------
    >>> from mtbench.benchmarks.benchmark import load_benchmark
    >>> read_phone_times(load_benchmark("openhead-20").clip("ita-01"))[1]
    PhoneTime(symbol='t', start=0.153, end=0.2043, release=0.18)
    """
    path = clip.phone_times_path
    if path is None:
        raise BenchmarkError(
            f"clip {clip.id} has no timed phones, which animating it anew needs; add phone_times to its table in "
            "benchmark.toml"
        )
    phones = read_phone_file(path, f"clip {clip.id}", clip.frames / clip.fps)
    said = tuple(p.symbol for p in phones if p.symbol != PAUSE)
    if clip.phones is not None and said != clip.phones:
        raise BenchmarkError(
            f"{path}: the {len(said)} timed phones are not the {len(clip.phones)} reference phones of clip "
            f"{clip.id} in benchmark.toml; write both from one source"
        )
    return phones


def read_phone_file(path: Path, what: str, seconds: float) -> tuple[PhoneTime, ...]:
    """Return the timed phones in the file *path*, pauses included.

    Parameters
    ----------
    path : Path
    what : str
        Whose phones they are, for messages.
    seconds : float
        Length of the sound.

    Raises
    ------
    BenchmarkError
        Where the file is unreadable, or its times run backwards or out of the sound.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BenchmarkError(
                f"{path}: larger than {_MAX_BYTES} bytes, expected the phones of one recording; perhaps another file"
            )
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: the timed phones of {what} cannot be read ({error})") from error
    header = lines[0].split("\t") if lines else []
    if header not in _HEADERS:
        raise BenchmarkError(
            f"{path}: the first line is {lines[0][:80] if lines else ''!r}, expected phone, start, end and release "
            "with tabs between; perhaps blanks were used"
        )
    phones: list[PhoneTime] = []
    now = 0.0
    for number, line in enumerate(lines[1:], 2):
        phone = _parse(line, len(header), f"{path}, line {number}")
        if phone.start < now - _ROUNDING or phone.end < phone.start:
            raise BenchmarkError(
                f"{path}, line {number}: {phone.symbol!r} runs from {phone.start:g} s to {phone.end:g} s after "
                f"{now:g} s; phones must follow one another in time"
            )
        # Rounding may not make a phone begin before the last one ended: animators refuse that.
        start = max(phone.start, now)
        phones.append(PhoneTime(phone.symbol, start, max(phone.end, start), phone.release))
        now = phones[-1].end
    if now > seconds + 0.05:
        raise BenchmarkError(
            f"{path}: the phones end at {now:g} s, {what} at {seconds:g} s; perhaps the times are "
            "milliseconds or those of another recording"
        )
    return tuple(phones)


def format_phone_times(phones: Iterable[TimedPhone]) -> str:
    r"""Return *phones* as such a file has them, with four decimals.

    Examples
    --------
    >>> format_phone_times([PhoneTime("p", 0.1, 0.25, 0.2)])
    'phone\tstart\tend\trelease\np\t0.1000\t0.2500\t0.2000\n'
    """
    rows = [
        f"{p.symbol}\t{p.start:.4f}\t{p.end:.4f}\t{'' if p.release is None else f'{p.release:.4f}'}\n"
        for p in phones
    ]
    return "phone\tstart\tend\trelease\n" + "".join(rows)


def _parse(line: str, columns: int, where: str) -> PhoneTime:
    fields = line.split("\t")
    try:
        if len(fields) != columns or not fields[0]:
            raise ValueError(f"{len(fields)} fields")
        start, end = float(fields[1]), float(fields[2])
        release = float(fields[3]) if columns > 3 and fields[3] else None
        if not all(math.isfinite(x) for x in (start, end, release or 0.0)):
            raise ValueError("a time that is not finite")
    except ValueError as error:
        raise BenchmarkError(
            f"{where}: {error}; expected a phone and {columns - 1} times in seconds, with tabs between"
        ) from None
    return PhoneTime(fields[0], start, end, release)
