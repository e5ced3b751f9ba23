"""Entries of our own as submissions: controls, the reference model, simple baselines.

Conventions
-----------
``retrieval`` and ``linear-map`` learn from generated speech and motion (:data:`HOURS` hours, seed 1), disjoint from
every bundled benchmark. A folder remembers what its entries follow from; entries that lie there whole are
kept, and what was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtbench.benchmarks import Benchmark
from mtbench.errors import UsageError, did_you_mean
from mtbench.extras import require_extra
from mtbench.files import claim_folder
from mtbench.submissions import CONTROLS, MANIFEST, MOTION_FOLDER, make_controls
from mtbench.version import __version__
from mtbench.work import Progress

#: Baselines that learn, and what they learn from.
_LEARNED = ("retrieval", "linear-map")
_MODEL = "multitalk-mini"
#: All of them, in the order in which they are made.
ENTRIES = (*CONTROLS, _MODEL, "phone-rules", *_LEARNED)
#: Hours of generated speech that the learned baselines draw their frames from: a little more than they draw.
HOURS = 1.2


def require_entries(names: Sequence[str]) -> None:
    """Raise unless *names* are known and what they need is installed.

    Raises
    ------
    UsageError
        For an unknown name.
    PrerequisiteError
        Without the extras ``[reference]`` or ``[synth]``, where an entry needs them.

    Examples
    --------
    >>> require_entries(["static"])
    """
    for name in names:
        if name not in ENTRIES:
            raise UsageError(
                f"unknown entry {name!r}{did_you_mean(name, ENTRIES)}; known: {', '.join(ENTRIES)}"
            )
    for name in names:
        if name not in CONTROLS:
            require_extra("reference", f"the entry {name}")
        if name in _LEARNED:
            require_extra("synth", f"the entry {name}, which learns from generated speech,")


def make_entries(
    benchmark: Benchmark,
    out: Path | str,
    names: Sequence[str] = ENTRIES,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Path]:
    """Make entries as submission folders, or keep those that are there.

    Parameters
    ----------
    benchmark : Benchmark
        With ground truth.
    out : path
        Gets ``submissions/<name>`` and, where an entry learns, ``data/``.
    names : sequence of str
        Of :data:`ENTRIES`.
    workers : int
        Processes that generate speech.
    progress : Progress, optional
        Told what is made.

    Returns
    -------
    list of Path
        The folders, in the order of *names*.

    Raises
    ------
    UsageError
        For unknown names, and a folder that holds what follows from something else.
    PrerequisiteError
        See :func:`require_entries`.
    """
    require_entries(names)
    out, reporter = Path(out), progress or Progress()
    folder = out / "submissions"
    request = {"benchmark": benchmark.ref, "digest": benchmark.digest, "hours": HOURS, "version": __version__}
    claim_folder(folder, request)
    missing = [name for name in names if not _is_whole(folder / name, benchmark)]
    controls = tuple(name for name in missing if name in CONTROLS)
    if controls:
        reporter.warn(f"making the control entries {', '.join(controls)}")
        make_controls(benchmark, folder, controls)
    if _MODEL in missing:
        from mtbench.reference_model import load_model, predict_benchmark

        reporter.warn(f"animating {_MODEL}, a minute")
        predict_benchmark(load_model(), benchmark, folder / _MODEL)
    baselines = [name for name in missing if name in ("phone-rules", *_LEARNED)]
    if baselines:
        _make_baselines(benchmark, out, baselines, workers, reporter)
    return [folder / name for name in names]


def _is_whole(folder: Path, benchmark: Benchmark) -> bool:
    """Whether an entry lies in *folder* with the motion of every clip; files are written whole or not at all."""
    motions = (folder / MOTION_FOLDER / f"{clip.id}.npz" for clip in benchmark.clips)
    return (folder / MANIFEST).is_file() and all(path.is_file() for path in motions)


def _make_baselines(
    benchmark: Benchmark, out: Path, names: Sequence[str], workers: int, reporter: Progress
) -> None:
    from mtbench.reference_model.baselines import make_baseline
    from mtbench.reference_model.corpora import generate_corpus

    corpus = None
    if set(names) & set(_LEARNED):
        reporter.warn(f"generating {HOURS:g} hours of speech and motion to learn from, some minutes")
        corpus = generate_corpus(out / "data", HOURS, workers=workers)
    for name in names:
        reporter.warn(f"making the baseline {name}")
        make_baseline(name, benchmark, out / "submissions" / name, corpus)
