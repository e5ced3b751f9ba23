"""Names, units and directions of all metrics.

Conventions
-----------
``scale`` turns the ratio of sums into the unit that is reported. ``higher_is_better`` is None for signed
quantities whose best value is zero.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric as tables and results name it.

    Attributes
    ----------
    name : str
        Key in results.
    title : str
        For people.
    unit : str
        Unit of ``estimate`` and ``ci95``.
    scale : float
        Ratio of sums -> unit.
    higher_is_better : bool or None
        Direction.
    aggregation : str
        The default within a language.
    overall : str
        The default over all languages.
    """

    name: str
    title: str
    unit: str
    scale: float
    higher_is_better: bool | None
    aggregation: str
    overall: str

    @property
    def is_geometric(self) -> bool:
        """Whether the metric compares meshes, not transcripts."""
        return self.aggregation != "corpus"


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(
            "headline",
            "headline error rate (WER; CER for jpn, cmn, tha)",
            "%",
            100.0,
            False,
            "corpus",
            "macro-language",
        ),
        Metric("wer", "word error rate", "%", 100.0, False, "corpus", "corpus"),
        Metric("cer", "character error rate", "%", 100.0, False, "corpus", "corpus"),
        Metric("per", "phone error rate", "%", 100.0, False, "corpus", "corpus"),
        Metric("avlr_gain", "drop in WER from a static face", "points", 100.0, True, "corpus", "corpus"),
        Metric("lve_mm", "lip vertex error", "mm", 1.0, False, "frame", "frame"),
        Metric("lve_sq_m2", "squared lip vertex error", "m2", 1.0, False, "frame", "frame"),
        Metric("lve_centred_mm", "centred lip vertex error", "mm", 1.0, False, "frame", "frame"),
        Metric("lve_aligned_mm", "lip vertex error, head aligned", "mm", 1.0, False, "frame", "frame"),
        Metric("lve_mean_mm", "mean lip vertex error", "mm", 1.0, False, "frame", "frame"),
        Metric("mve_mm", "mean vertex error", "mm", 1.0, False, "frame", "frame"),
        Metric("fdd_m2", "upper-face dynamics deviation, signed", "m2", 1.0, None, "clip", "clip"),
        Metric("fdd_abs_m2", "upper-face dynamics deviation, absolute", "m2", 1.0, False, "clip", "clip"),
    )
}
