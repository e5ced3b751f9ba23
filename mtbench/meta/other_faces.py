"""Other clips' faces: what a clip's own face is compared with, where moving alone should count for nothing.

Conventions
-----------
The faces are the same system's: its motion for other clips, which fits their words and not this clip's. Which clips is
a function of the benchmark alone: of another source, the clip's language before others, then nearest in length, then by
id. Mouth crops are cut to the clip's length, or hold their last picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark, Clip

#: How :func:`choose_others` chooses, for facts and signatures.
CHOICE = "language-source-length-1"


def choose_others(benchmark: Benchmark, clip: Clip, count: int) -> tuple[Clip, ...]:
    """Return the clips whose faces stand beside that of *clip*.

    Parameters
    ----------
    benchmark : Benchmark
    clip : Clip
    count : int
        How many.

    Raises
    ------
    UsageError
        Where the benchmark has fewer clips of other sources with ground truth.
    """
    fit = [
        other
        for other in benchmark.clips
        if other.source != clip.source and other.id != clip.id and other.motion_path is not None
    ]
    if len(fit) < count:
        raise UsageError(
            f"{count} other clips' faces are asked for, but benchmark {benchmark.ref} has {len(fit)} clips with ground "
            f"truth that are not of clip {clip.id}'s source; ask for {len(fit)} at most"
        )
    return tuple(
        sorted(fit, key=lambda o: (o.language != clip.language, abs(o.frames - clip.frames), o.id))[:count]
    )
