"""What a run reports: its numbers, and the signatures that say how they were computed.

Conventions
-----------
A number that does not exist has ``estimate`` None and a ``reason``; it is never zero. A number over fewer
clips than the benchmark has says so by ``n_clips`` < ``n_expected`` and a ``reason``. Aggregations are
those of :mod:`mtbench.results.aggregation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mtbench.metrics import METRICS, GeometricMetric, RecognitionMetric
from mtbench.results.averaging import MEANS
from mtbench.results.signature import KEYS, Signature
from mtbench.statistics import REPLICATES, SEED


@dataclass(frozen=True)
class SummaryRow:
    """One number of a run.

    Attributes
    ----------
    metric : str
        Name in :data:`mtbench.metrics.registry.METRICS`.
    modality : {"av", "a", "v"} or None
        None for geometric metrics.
    snr_db : float or None
        None without noise.
    noise : str or None
        Name, ``"all"``, or None without noise.
    language : str
        ISO 639-3 code or ``"all"``.
    aggregation : str
        See the module's docstring.
    estimate : float or None
        In *unit*; None is n/a.
    ci95 : (float, float) or None
        95 % interval, in *unit*.
    n_clips, n_expected : int
        Clips that entered, and clips that the benchmark has.
    unit : str
        ``"%"``, ``"points"``, ``"mm"`` or ``"m2"``.
    higher_is_better : bool or None
        None: zero is best.
    signature : str
        Short form of the number's signature.
    reason : str or None
        Why the estimate is None, or why clips are missing.
    """

    metric: str
    modality: str | None
    snr_db: float | None
    noise: str | None
    language: str
    aggregation: str
    estimate: float | None
    ci95: tuple[float, float] | None
    n_clips: int
    n_expected: int
    unit: str
    higher_is_better: bool | None
    signature: str
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        out = dict(vars(self))
        out["ci95"] = None if self.ci95 is None else list(self.ci95)
        return out


@dataclass(frozen=True)
class SignatureContext:
    """What a run was made with, as the signatures name it.

    Attributes
    ----------
    common : mapping
        ``bench`` (``name@version#digest``), ``fps``, ``version``.
    recognition : mapping
        ``rec`` (``name#digest``), ``dec``, ``lexicon``, ``norm``, and what
        :meth:`mtbench.results.averaging.Averaging.settings` tells.
    audio : mapping
        ``mix``; left out of video-only numbers.
    video : mapping
        ``topology``, ``posed``, ``resample``, ``render``, ``crop``; left out of audio-only numbers.
    still : mapping
        ``rest``, ``truth``: what a static face follows from besides the benchmark; ``avlr_gain`` only.
    geometry : mapping
        ``topology``, ``posed``, ``truth``, ``resample``, ``template``; the last in measures against a neutral
        face only.
    lips, upper_face : str
        Region names by :func:`mtbench.metrics.geometry.name_region`.
    noises : mapping of str to str
        Digest of each noise recording.
    """

    common: Mapping[str, object] = field(default_factory=dict)
    recognition: Mapping[str, object] = field(default_factory=dict)
    audio: Mapping[str, object] = field(default_factory=dict)
    video: Mapping[str, object] = field(default_factory=dict)
    still: Mapping[str, object] = field(default_factory=dict)
    geometry: Mapping[str, object] = field(default_factory=dict)
    lips: str = "lips"
    upper_face: str = "upper_face"
    noises: Mapping[str, str] = field(default_factory=dict)

    def settings(self, metric: str, modality: str | None) -> dict[str, object]:
        """Return the settings that all numbers of *metric* and *modality* share."""
        found = METRICS[metric]
        out = dict(self.common)
        if isinstance(found, GeometricMetric):
            out |= self._describe_geometry(found)
        elif isinstance(found, RecognitionMetric):
            out |= {key: value for key, value in self.recognition.items() if key != "rate"}
            out |= dict(self.audio) if modality != "v" else {}
            out |= dict(self.video) if modality != "a" else {}
            out |= (dict(self.still) if found.beside_static else {}) | dict(found.settings)
            if "rate" in found.settings:
                out["rate"] = self.recognition.get("rate") or out["rate"]
            out = {key: value for key, value in out.items() if key not in found.without}
        return out | {"unit": found.unit}

    def _describe_geometry(self, metric: GeometricMetric) -> dict[str, object]:
        regions = {"lips": self.lips, "upper_face": self.upper_face}
        align = f"rigid@{self.upper_face}" if metric.align == "rigid" else metric.align
        out = dict(self.geometry) | {"err": metric.error, "align": align}
        out["mask"] = regions.get(metric.region, metric.region)
        if not metric.from_template:
            out.pop("template", None)
        if not metric.needs_truth:
            out.pop("truth", None)
        return out

    def name_noise(self, noise: str | None) -> str | None:
        """Return *noise* with its digest; ``"all"`` with the names and digests of all, in order."""
        if noise is None:
            return None
        if noise == "all":
            return (
                "all(" + ",".join(f"{n}#{d}" for n, d in sorted(self.noises.items())) + ")"
                if self.noises
                else "all"
            )
        digest = self.noises.get(noise)
        return f"{noise}#{digest}" if digest else noise


def list_signatures(
    summary: Iterable[SummaryRow],
    context: SignatureContext,
    *,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> dict[str, str]:
    """Return the long signature of the settings behind each metric and modality in *summary*.

    Returns
    -------
    dict of str to str
        ``"wer|av"`` or ``"lve_mm"`` -> long form without the coordinates of single numbers. The noise stays,
        with the digests of all recordings: which one a single number is about is a coordinate, what was heard is not.
    """
    out: dict[str, str] = {}
    for row in summary:
        key = row.metric if row.modality is None else f"{row.metric}|{row.modality}"
        if key not in out:
            settings = context.settings(row.metric, row.modality)
            signature = Signature.of(row.metric, {**settings, **name_bootstrap(replicates, seed)}).settings()
            if context.noises and row.modality in ("av", "a"):
                signature = signature.extend({"noise": context.name_noise("all")})
            out[key] = str(signature)
    return out


def find_number(
    summary: Iterable[SummaryRow],
    metric: str,
    language: str = "all",
    *,
    modality: str | None = None,
    snr_db: float | None = None,
    noise: str | None = None,
    aggregation: str | None = None,
) -> SummaryRow | None:
    """Return the number of *metric* under a condition, or None where the summary has none.

    Parameters
    ----------
    summary : iterable of SummaryRow
        Numbers of one run.
    metric, language, modality, snr_db, noise
        Coordinates, as in :class:`SummaryRow`.
    aggregation : str or None
        None takes the default of the run for a language or for ``"all"``: the metric's, or the mean that signatures
        name.
    """
    wanted = (metric, language, modality, snr_db, noise)
    found: dict[str, SummaryRow] = {}
    for row in summary:
        if (row.metric, row.language, row.modality, row.snr_db, row.noise) == wanted:
            found.setdefault(row.aggregation, row)
    return _choose(found, metric, language, aggregation)


def _choose(
    found: Mapping[str, SummaryRow], metric: str, language: str, aggregation: str | None
) -> SummaryRow | None:
    """Return the number of *found*, one an aggregation, that is asked for."""
    if aggregation is None:
        m = METRICS[metric]
        # Signatures say which way is the run's own.
        averages = any(f"|{KEYS['mean']}:" in row.signature for row in found.values())
        aggregation = MEANS[1] if averages else m.overall if language == "all" else m.aggregation
    return found.get(aggregation)


class NumberIndex:
    """The numbers of one run by their coordinates: :func:`find_number` for tables, which ask thousands of times.

    Parameters
    ----------
    summary : sequence of SummaryRow
    """

    def __init__(self, summary: Sequence[SummaryRow]) -> None:
        self.summary = summary
        self._found: dict[tuple, dict[str, SummaryRow]] = {}
        self._own: dict[tuple, SummaryRow | None] = {}
        for row in summary:
            key = row.metric, row.language, row.modality, row.snr_db, row.noise
            self._found.setdefault(key, {}).setdefault(row.aggregation, row)
        seen = {key[3] for key in self._found if key[2] == "av"} - {None}
        #: Signal-to-noise ratios of audio-visual numbers, least noise first.
        self.snrs: tuple[float, ...] = tuple(sorted(seen, reverse=True))

    def find(
        self,
        metric: str,
        language: str = "all",
        *,
        modality: str | None = None,
        snr_db: float | None = None,
        noise: str | None = None,
        aggregation: str | None = None,
    ) -> SummaryRow | None:
        """Return what :func:`find_number` does."""
        key = metric, language, modality, snr_db, noise
        if aggregation is not None:
            return self._found.get(key, {}).get(aggregation)
        if key not in self._own:
            found = self._found.get(key)
            self._own[key] = None if found is None else _choose(found, metric, language, None)
        return self._own[key]

    def list_own(self) -> list[SummaryRow]:
        """Return the numbers in the run's own aggregation, in its order."""
        chosen = (
            self.find(metric, language, modality=modality, snr_db=snr_db, noise=noise)
            for metric, language, modality, snr_db, noise in self._found
        )
        return [row for row in chosen if row is not None]


def name_bootstrap(replicates: int, seed: int) -> dict[str, object]:
    """Return the signature fields that say how intervals were made."""
    return {"ci": "cluster", "bs": replicates, "seed": seed}
