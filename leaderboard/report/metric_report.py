"""What ``mtbench validate-metric`` found of the metric: the part of its report that tells how far numbers go.

Conventions
-----------
The report is a stranger's file: what is needed of it is checked, what else it holds is not looked at. It says
something about results of the same recognizer on the same benchmark only; of others it is said that it does not.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbench.errors import UsageError
from mtbench.files import validation_lines
from mtbench.results import Run, parse_json

_MOST_BYTES = 64 << 20
_LONGEST = 2_000


class _Known(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Correlation(_Known):
    """How much of the known order of systems the metric puts right."""

    estimate: float | None
    ci95: tuple[float, float] | None


class Target(_Known):
    """A figure that the metric has to reach; *met* is None where nobody can tell."""

    name: str
    met: bool | None
    reason: str | None = None


class LanguageFairness(_Known):
    """What the metric says of the ground truth and of a static face in one language."""

    gain_over_static: Correlation | None = None


class Fairness(_Known):
    """By language."""

    languages: dict[str, LanguageFairness] = {}


class MetricReport(_Known):
    """What is read of ``report.json``."""

    facts: dict[str, object]
    condition: str
    n_clips: int
    languages: tuple[str, ...]
    spearman_system: Correlation
    spearman_clip: Correlation
    targets: tuple[Target, ...] = ()
    verdict: tuple[str, ...] = ()
    fairness: dict[str, Fairness] = {}

    def is_about(self, run: Run) -> bool:
        """Whether it was made by the recognizer and on the benchmark of *run*, by their digests."""
        mine = (self.facts.get("recognizer_digest"), self.facts.get("benchmark_digest"))
        return run.recognizer is not None and mine == (run.recognizer.digest, run.benchmark.digest)

    @property
    def recognizer(self) -> str:
        """Name of the recognizer."""
        return str(self.facts.get("recognizer", ""))[:_LONGEST]

    @property
    def benchmark(self) -> str:
        """``name@version`` of the benchmark."""
        return str(self.facts.get("benchmark", ""))[:_LONGEST]


def read_metric_report(path: Path | str) -> MetricReport:
    """Return what *path*, a folder of ``mtbench validate-metric`` or its ``report.json``, says.

    Raises
    ------
    UsageError
        Where there is none, or it is no such report.
    """
    path = Path(path)
    file = path / "report.json" if path.is_dir() else path
    hint = "expected a folder that 'mtbench validate-metric --out' wrote"
    if not file.is_file():  # neither a pipe nor a device
        raise UsageError(f"{file}: no such file; {hint}")
    if file.stat().st_size > _MOST_BYTES:
        raise UsageError(f"{file}: larger than {_MOST_BYTES >> 20} MB, which no report is; {hint}")
    try:
        return MetricReport.model_validate(parse_json(file.read_text("utf-8")))
    except ValidationError as error:
        field, message = validation_lines(error)[0]
        raise UsageError(f"{file}: {field}: {message}; {hint}") from error
    except (ValueError, RecursionError, OSError) as error:
        raise UsageError(f"{file}: cannot be read ({error}); {hint}") from error
