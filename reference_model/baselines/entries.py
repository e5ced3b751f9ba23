"""Baselines as entries: submission folders like anyone's.

Conventions
-----------
===============  ====================================================================================================
``retrieval``    the motion of the training frames that sound most alike
``linear-map``   ridge regression from sound to motion
``phone-rules``  one mouth shape a phone, from the benchmark's timed phones
===============  ====================================================================================================

Each has a module of its name beside this one. The first two hear sound only and are learned from a corpus, whose
topology they have: their motion is vertices, added to the resting face of each clip's speaker. ``phone-rules`` is
told the phones and learns nothing; its motion is curves of the bundled head. Same corpus and benchmark, same
bytes.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mtbench.benchmarks import Benchmark, Clip, as_benchmark
from mtbench.errors import UsageError, did_you_mean
from mtbench.submissions import (
    Generation,
    ModelCard,
    SubmissionManifest,
    begin_submission,
    require_own_folder,
    write_motion,
)

if TYPE_CHECKING:
    from mtbench.reference_model.corpora import Corpus

log = logging.getLogger(__name__)

#: Names in the order of tables.
BASELINES = ("retrieval", "linear-map", "phone-rules")


class Baseline(Protocol):
    """What moves a face from a clip."""

    @property
    def topology(self) -> str:
        """Name of the topology."""
        ...

    def predict(self, clip: Clip) -> np.ndarray:
        """Return vertices (T, V, 3) float32 in metres."""
        ...


def make_baseline(
    name: str,
    benchmark: Benchmark | str | Path,
    out: str | Path,
    corpus: Corpus | str | Path | None = None,
) -> Path:
    """Write a baseline's entry.

    Parameters
    ----------
    name : str
        One of :data:`BASELINES`.
    benchmark : Benchmark, str or Path
    out : str or Path
        The submission folder; an entry of the same baseline in it is replaced.
    corpus : Corpus, str or Path, optional
        Corpus to learn from; ``phone-rules`` needs none.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        For an unknown name, a missing corpus, a folder that holds something else, or a benchmark of another topology
        than the bundled head's for ``phone-rules``.
    BenchmarkError
        For a clip without timed phones (``phone-rules``).
    PrerequisiteError
        Where no resting face is known for the corpus's topology.

    Examples
    --------
    >>> import tempfile
    >>> folder = make_baseline("phone-rules", "openhead-20", tempfile.mkdtemp())
    >>> sorted(path.name for path in folder.iterdir())
    ['motion', 'submission.toml']
    """
    if name not in BASELINES:
        raise UsageError(
            f"unknown baseline {name!r}{did_you_mean(name, BASELINES)}; known: {', '.join(BASELINES)}"
        )
    benchmark = as_benchmark(benchmark)
    folder = Path(out)
    require_own_folder(folder, name, f"the baseline {name}")
    if name == "phone-rules":
        _write_phone_rules(benchmark, folder)
    else:
        _write_learned(name, benchmark, folder, _open(name, corpus))
    return folder


def _open(name: str, corpus: Corpus | str | Path | None) -> Corpus:
    if corpus is None:
        raise UsageError(
            f"baseline {name} is learned from a corpus; give one (`mtbench reference data` makes one)"
        )
    if isinstance(corpus, str | Path):
        from mtbench.reference_model.corpora import open_corpus

        return open_corpus(corpus)
    return corpus


def _write_learned(name: str, benchmark: Benchmark, folder: Path, corpus: Corpus) -> None:
    baseline: Baseline
    log.info("%s: learning from %s, which takes minutes", name, corpus.name)
    if name == "linear-map":
        from mtbench.reference_model.baselines.linear_map import CONTEXT, fit_linear_map

        linear = fit_linear_map(corpus)
        baseline = linear
        card = ModelCard(
            name="Ridge regression from log-mel features to principal movements",
            license="Apache-2.0",
            params_m=(linear.weights.size + linear.constant.size + linear.basis.size) / 1e6,
            training_data=f"{corpus.name}: {linear.frames} frames",
            open_weights=True,
        )
        notes = (
            f"{CONTEXT} frames of sound to either side; penalty {linear.ridge:g} chosen on held-out clips, of whose "
            f"squared movement {100 * linear.explained:.0f} % is predicted; {len(linear.basis)} principal movements"
        )
    else:
        from mtbench.reference_model.baselines.retrieval import CANDIDATES, CONTINUITY, fit_retrieval

        found = fit_retrieval(corpus)
        baseline = found
        card = ModelCard(
            name="Nearest-neighbour retrieval of training frames by sound",
            license="Apache-2.0",
            params_m=(found.keys.numel() + found.motion.numel() + found.basis.size) / 1e6,
            training_data=f"{corpus.name}: {len(found.keys)} frames",
            open_weights=True,
        )
        notes = (
            f"best path through the {CANDIDATES} nearest frames of each, jumps of motion weighted {CONTINUITY:g}; "
            f"{found.basis.shape[0]} principal movements"
        )
    how = Generation(seed=0, language_conditioning="none", notes=notes)
    _begin_entry(folder, name, benchmark, baseline.topology, "vertices", card, how)
    for done, clip in enumerate(benchmark.clips):
        if done % 20 == 0:
            log.info("%s: %d/%d clips predicted", name, done, len(benchmark.clips))
        write_motion(folder, clip.id, vertices=baseline.predict(clip))


def _write_phone_rules(benchmark: Benchmark, folder: Path) -> None:
    from mtbench.reference_model.baselines.phone_rules import BLEND, PhoneRules, name_identity

    rules = PhoneRules()
    if benchmark.topology not in (rules.topology, None):
        raise UsageError(
            f"benchmark {benchmark.ref} has topology {benchmark.topology}; phone-rules moves the bundled head "
            f"{rules.topology} only"
        )
    card = ModelCard(
        name="One mouth shape a phone, blended linearly", license="Apache-2.0", params_m=0.0, open_weights=True,
        training_data="none; told the benchmark's phones and their times, which other entries do not know",
    )  # fmt: skip
    notes = f"linear crossing of {1000 * BLEND:.0f} ms between shapes; no coarticulation, no upper face"
    how = Generation(language_conditioning="none; one table of phones for all languages", notes=notes)
    _begin_entry(folder, "phone-rules", benchmark, rules.topology, "units", card, how)
    for clip in benchmark.clips:
        write_motion(folder, clip.id, units=rules.predict_units(clip), identity=np.array(name_identity(clip)))


def _begin_entry(
    folder: Path, name: str, benchmark: Benchmark, topology: str, kind: str, card: ModelCard, how: Generation
) -> None:
    manifest = SubmissionManifest(
        schema=1, system=name, benchmark=benchmark.ref, fps=benchmark.fps, unit="m", topology=topology, kind=kind,
        model=card, generation=how,
    )  # fmt: skip
    begin_submission(folder, manifest, f"the baseline {name}")
