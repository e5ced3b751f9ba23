"""Fuzzing of readers: inputs drawn from a seed, one verdict for each, and a report.

A reader may return a value or raise its own error. Anything else is a failure: another exception, more than
:data:`MOST_SECONDS` of processor time, more than :data:`MOST_BYTES` of new memory, a signal. A failing input is
written to ``build/fuzz`` and named after reader, seed and number, from which it can be made again::

    python tests/fuzzing.py READER --seconds 3600 --seed 1     # an hour; a line of JSON at the end
    python tests/fuzzing.py READER --replay 1:2345             # input 2345 of seed 1 alone, with its traceback
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
#: Where failing inputs go.
FAILURES = ROOT / "build" / "fuzz"
#: Most processor time of one input.
MOST_SECONDS = 2.0
#: Most memory that one reader may ask for beyond what the process has after reading the good samples.
MOST_BYTES = 512 << 20
#: Inputs after which the memory that the process has is measured anew: sound libraries grow by some 300 bytes an input,
#: which in millions of inputs would look as if one of them had asked for much.
RENEWED = 10_000
#: A reader that fails so often is not fuzzed on: the first failures tell enough.
MOST_FAILURES = 50

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Reader:
    """What is fuzzed.

    Attributes
    ----------
    name : str
    prepare : callable
        Folder -> (samples, read): good inputs by file name, and what reads the file at a path.
    edit : callable
        (rng, contents of the samples) -> another content; for all samples of one ending.
    errors : tuple of type
        What the reader may raise.
    cost : float
        Seconds for one input, about: the suite gives every reader the same time.
    """

    name: str
    prepare: Callable[[Path], tuple[dict[str, bytes], Read]]
    edit: Callable[[Random, Sequence[bytes]], bytes]
    errors: tuple[type[BaseException], ...]
    cost: float = 1e-3


class TooSlow(BaseException):
    """Raised by the timer within a reader; no reader catches it."""


@dataclass
class Report:
    """What a run found.

    Attributes
    ----------
    inputs, accepted, refused : int
    seconds, cpu_seconds : float
    failures : list of str
        ``<file>: <what happened>``.
    """

    reader: str
    seed: int
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder, in memory where the machine has one there: an input is a file written and read."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def make_input(reader: Reader, samples: dict[str, bytes], seed: int, number: int) -> tuple[str, bytes]:
    """Return name and content of input *number* of *seed*."""
    rng = Random(f"{reader.name}/{seed}/{number}")
    name = rng.choice(sorted(samples))
    suffix = Path(name).suffix
    return name, reader.edit(rng, [samples[n] for n in sorted(samples) if Path(n).suffix == suffix])


def judge(reader: Reader, read: Read, path: Path) -> tuple[str, BaseException | None]:
    """Return ``"accepted"``, ``"refused"`` or what is wrong, and the exception."""
    signal.signal(signal.SIGPROF, _interrupt)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        read(path)
    except TooSlow as error:
        return f"took more than {MOST_SECONDS:g} s", error
    except reader.errors as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if _asked_for_too_much(error):
            return f"asked for more than {MOST_BYTES >> 20} MB", error
        return "refused", error
    except Exception as error:
        if _asked_for_too_much(error):
            return f"asked for more than {MOST_BYTES >> 20} MB", error
        return f"{type(error).__name__}: {error}"[:200], error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "accepted", None


def _interrupt(*_: object) -> None:
    raise TooSlow


def _asked_for_too_much(error: BaseException | None) -> bool:
    """Whether an error comes from memory that was refused, whatever it was turned into."""
    while error is not None:
        if isinstance(error, MemoryError) or "malloc" in str(error) or "alloc_cpu" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def limited_memory() -> Iterator[Callable[[], None]]:
    """Let the process have :data:`MOST_BYTES` more than it has now; what is yielded sets the limit anew."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)

    def renew() -> None:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, hard))

    renew()
    try:
        yield renew
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def fuzz(
    reader: Reader,
    folder: Path,
    *,
    seed: int = 0,
    inputs: int | None = None,
    seconds: float | None = None,
    first: int = 0,
    keep: Path = FAILURES,
    tell: Callable[[Report], None] | None = None,
    polite: bool = False,
) -> Report:
    """Fuzz a reader in this process.

    Parameters
    ----------
    reader : Reader
    folder : Path
        An empty folder to work in.
    seed : int
    inputs, seconds : int, float, optional
        How many, or for how long (wall time).
    first : int
        Number of the first input.
    keep : Path
        Folder for failing inputs.
    tell : callable, optional
        Called every minute and after each failure.
    polite : bool
        Whether to rest the longer the less of a processor was left by others.

    Raises
    ------
    AssertionError
        Where the reader refuses a good sample: then nothing would be tested.
    """
    start, cpu, told = time.monotonic(), time.process_time(), time.monotonic()
    report = Report(reader.name, seed)
    samples, read = reader.prepare(folder)
    for name, content in samples.items():
        (folder / name).write_bytes(content)
        verdict, error = judge(reader, read, folder / name)
        assert verdict == "accepted", (
            f"{reader.name} does not take its own sample {name}: {verdict} ({error})"
        )
    number, pace = first, _Pace()
    with limited_memory() as renew:
        while (inputs is None or number < first + inputs) and len(report.failures) < MOST_FAILURES:
            now = time.monotonic()
            if seconds is not None and now - start >= seconds:
                break
            (folder / "number").write_text(str(number))  # for whoever finds this process dead
            name, content = make_input(reader, samples, seed, number)
            (folder / name).write_bytes(content)
            verdict, _ = judge(reader, read, folder / name)
            report.inputs += 1
            if report.inputs % RENEWED == 0:
                renew()
            if verdict in ("accepted", "refused"):
                setattr(report, verdict, getattr(report, verdict) + 1)
            else:
                report.failures.append(_keep(keep, reader, seed, number, folder / name, verdict))
            number += 1
            if polite:
                pace.rest()
            if tell and (now - told > 60 or verdict not in ("accepted", "refused")):
                report.seconds, report.cpu_seconds = now - start, time.process_time() - cpu
                tell(report)
                told = now
    report.seconds, report.cpu_seconds = time.monotonic() - start, time.process_time() - cpu
    return report


class _Pace:
    """Rests between inputs where the machine is busy: priorities do not count for much in every container."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def rest(self) -> None:
        """Sleep once in a while, by how much longer the work took than the processor was ours."""
        wall, cpu = time.monotonic() - self._wall, time.process_time() - self._cpu
        if wall < 0.3:
            return
        waited = wall / max(cpu, 0.01)
        if waited > 1.5:
            time.sleep(wall * min(waited, 20))
        self._wall, self._cpu = time.monotonic(), time.process_time()


def _keep(folder: Path, reader: Reader, seed: int, number: int, path: Path, verdict: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{reader.name}-{seed}-{number}{path.suffix}"
    kept.write_bytes(path.read_bytes())
    return f"{kept}: {verdict}"


def _run_guarded(reader: Reader, arguments: argparse.Namespace) -> Report:
    """Fuzz in children: one that dies by a signal is a failure, and the next goes on behind its input."""
    total, start, first = Report(reader.name, arguments.seed), time.monotonic(), 0
    while len(total.failures) < MOST_FAILURES:
        left = arguments.seconds - (time.monotonic() - start)
        if left <= 0:
            break
        with scratch_folder() as scratch:
            folder, out = scratch / "work", scratch / "report.json"
            folder.mkdir()
            child = os.fork()
            if not child:
                _fuzz_in_child(reader, folder, out, total, left, first, arguments)
            status = os.waitpid(child, 0)[1]
            part = Report(**json.loads(out.read_text())) if out.is_file() else Report("", 0)
            for name in ("inputs", "accepted", "refused", "cpu_seconds", "failures"):
                setattr(total, name, getattr(total, name) + getattr(part, name))
            if status:
                count = folder / "number"
                number = int(count.read_text()) if count.is_file() else -1
                files = [p for p in folder.iterdir() if p.is_file() and p != count]
                last = max(files, key=lambda p: p.stat().st_mtime, default=None)
                what = f"the process ended with status {status}"
                total.failures.append(
                    _keep(FAILURES, reader, arguments.seed, number, last, what) if last else what
                )
                if number < 0:
                    break
                first = number + 1
    total.seconds = time.monotonic() - start
    return total


def _fuzz_in_child(
    reader: Reader,
    folder: Path,
    out: Path,
    before: Report,
    seconds: float,
    first: int,
    arguments: argparse.Namespace,
) -> None:
    """Fuzz, leave the report in *out* and end the process."""

    def tell(report: Report) -> None:
        out.write_text(json.dumps(asdict(report)))
        print(_progress(before, report), flush=True)

    code = 1
    warnings.simplefilter("ignore")
    options = {"seed": arguments.seed, "seconds": seconds, "first": first, "polite": arguments.polite}
    try:
        tell(fuzz(reader, folder, tell=tell, **options))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _progress(before: Report, now: Report) -> str:
    return (
        f"{now.reader}: {before.inputs + now.inputs} inputs, {now.seconds:.0f} s, "
        f"{before.cpu_seconds + now.cpu_seconds:.0f} s of processor, "
        f"{before.accepted + now.accepted} accepted, {len(before.failures) + len(now.failures)} failures"
        + (f"; last: {now.failures[-1]}" if now.failures else "")
    )


def main() -> int:
    """Run from the command line."""
    sys.path.insert(0, str(ROOT / "tests"))
    from fuzz_readers import READERS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", choices=sorted(READERS))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--polite", action="store_true", help="rest while others use the machine")
    parser.add_argument("--replay", metavar="SEED:NUMBER")
    arguments = parser.parse_args()
    reader = READERS[arguments.reader]
    if arguments.replay:
        seed, number = map(int, arguments.replay.split(":"))
        with scratch_folder() as scratch:
            samples, read = reader.prepare(scratch)
            for good, data in samples.items():
                (scratch / good).write_bytes(data)
                judge(reader, read, scratch / good)
            name, content = make_input(reader, samples, seed, number)
            (scratch / name).write_bytes(content)
            with limited_memory():
                verdict, error = judge(reader, read, scratch / name)
            if error is not None:
                traceback.print_exception(error)
            print(f"{name}: {verdict}")
            return verdict not in ("accepted", "refused")
    report = _run_guarded(reader, arguments)
    print(json.dumps(asdict(report)))
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
