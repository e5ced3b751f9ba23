"""The conditions under which a recognizer is evaluated: what is said, who articulates it, what is heard.

Conventions
-----------
A condition's corpus is ``"home"`` (the benchmark that is evaluated), ``"engines"`` (the bundled benchmark
``openhead-engines``, in voices of speech engines that training never heard), ``"engines-all"`` (all such voices, also
those whose sound does not ship: ``openhead-engines-all``, where it was built), ``"real-speech"`` (recordings of
people) or ``"real-sentences"`` (people's sentences in Debian's packages: :mod:`mtbench.avsr.evaluation.people`).
The clips of both engine corpora have a development half, on which checkpoints may be chosen, and a test half
(:mod:`mtbench.synth.engine_parts`): conditions called ``heldout-…`` are of the test half, ``development-…`` of the
other, ``whole-…`` of both. Of the versions of these benchmarks, which share their sound, the one is shown that is
articulated as the home benchmark is (:func:`~mtbench.avsr.evaluation.material.find_engines`).

Its face is ``"truth"`` (the clip's ground truth), ``"held-out"`` (the clip's timed phones, animated anew in a manner
that training never saw: :data:`~mtbench.synth.articulation_settings.HELD_OUT` of the rules, or
:data:`~mtbench.synth.speaking_styles.RESERVED` where the varied articulation made the ground truth), ``"flame"`` (the
clip's facial-unit curves on the user's FLAME template, as clay), ``"recording"`` (the video of who spoke) or None
(nothing to see). Signal-to-noise ratios are decibels, None is clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.conditions import Condition
from mtbench.errors import MtbenchError, PrerequisiteError

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark, Clip
    from mtbench.faces import Topology
    from mtbench.synth import Manner, TransferredHead

HOME, ENGINES, ENGINES_ALL, REAL_SPEECH = "home", "engines", "engines-all", "real-speech"
REAL_SENTENCES = "real-sentences"
#: The benchmarks of held-out speech engines: what ships, and all voices.
ENGINES_BENCHMARK, ENGINES_ALL_BENCHMARK = "openhead-engines", "openhead-engines-all"
#: What conditions on held-out engines begin with, and the half that they are of; None is both.
HALVES: dict[str, str | None] = {"heldout": "test", "development": "development", "whole": None}
TRUTH, HELD_OUT, FLAME, RECORDING = "truth", "held-out", "flame", "recording"
#: Signal-to-noise ratio of the conditions beyond the benchmark's own faces and voices, decibels.
NOISY = -7.5


@dataclass(frozen=True)
class CorpusCondition:
    """A condition and the clips that are presented under it.

    Attributes
    ----------
    name : str
        Name in tables.
    corpus : str
        ``"home"``, ``"engines"``, ``"engines-all"``, ``"real-speech"`` or ``"real-sentences"``.
    condition : Condition
        What the recognizer is given. The face is ``"truth"``, ``"held-out"``, ``"flame"`` or ``"recording"``; which
        noise it is does not matter here.
    half : str or None
        ``"development"`` or ``"test"`` for the clips of that half of an engine corpus; None is all clips.
    """

    name: str
    corpus: str
    condition: Condition
    half: str | None = None

    def pick(self, clips: Sequence[Clip]) -> list[Clip]:
        """Return those of the corpus's *clips* that are presented."""
        from mtbench.synth import find_half

        return [clip for clip in clips if self.half is None or find_half(clip.id) == self.half]


@dataclass(frozen=True)
class Supplies:
    """Files that some conditions need and mtbench does not ship.

    Attributes
    ----------
    flame : str or None
        A file that ``mtbench assets add flame`` would take; None is the registered asset. Nothing of it is kept.
    recordings : str or None
        Folder with the videos of the real speech, ``bbaf2n.mpg`` and so on.
    sentences : str or None
        Folder with the packages of real sentences; None is where Debian installs them.
    """

    flame: str | None = None
    recordings: str | None = None
    sentences: str | None = None


def list_conditions(
    snr: Sequence[float] = (NOISY, -10.0), halves: bool = False
) -> tuple[CorpusCondition, ...]:
    """Return all conditions in the order of tables.

    Parameters
    ----------
    snr : sequence of float
        Signal-to-noise ratios on the benchmark's own faces and voices, decibels.
    halves : bool
        Whether to give, behind the others, the held-out engines' development half and both halves together.
    """
    heard: list[float | None] = [None, *dict.fromkeys(snr)]
    own = [Condition("av", s, face=TRUTH) for s in heard]
    own += [Condition("a", s) for s in heard]
    own.append(Condition("v", face=TRUTH))

    def other(
        name: str, corpus: str, modality: str, face: str | None, noisy: bool = False
    ) -> CorpusCondition:
        condition = Condition(modality, NOISY if noisy else None, face=face)
        return CorpusCondition(f"{name}-{condition.name}", corpus, condition)

    return (
        *(CorpusCondition(condition.name, HOME, condition) for condition in own),
        other("heldout-articulation", HOME, "av", HELD_OUT, noisy=True),
        *_list_engine_conditions("heldout"),
        other("flame-clay", HOME, "av", FLAME, noisy=True),
        other("real-speech", REAL_SPEECH, "a", None),
        other("real-speech", REAL_SPEECH, "av", RECORDING),
        other("real-sentences", REAL_SENTENCES, "a", None),
        *(
            (c for prefix in ("development", "whole") for c in _list_engine_conditions(prefix))
            if halves
            else ()
        ),
    )


def _list_engine_conditions(prefix: str) -> list[CorpusCondition]:
    """Return the conditions on held-out engines of one half: the voices that ship, then all voices."""
    shown = (
        ("engines", Condition("av", face=TRUTH)),
        ("engines", Condition("a")),
        ("both", Condition("av", NOISY, face=HELD_OUT)),
    )
    return [
        CorpusCondition(f"{prefix}-{what}{voices}-{condition.name}", corpus, condition, HALVES[prefix])
        for corpus, voices in ((ENGINES, ""), (ENGINES_ALL, "-all"))
        for what, condition in shown
    ]


def find_obstacle(
    asked: CorpusCondition, benchmark: Benchmark, clips: Sequence[Clip], supplies: Supplies
) -> str | None:
    """Return why the condition *asked* cannot be measured on these *clips*, or None where it can.

    Raises
    ------
    UsageError
        Where a file that was supplied is not what it should be.
    """
    face = asked.condition.face
    if face is None or not clips:
        return None
    if face == RECORDING:
        return _find_missing_recordings(clips, supplies)
    from mtbench.benchmarks import read_motion_arrays
    from mtbench.faces import OPENHEAD

    for clip in clips:
        if clip.motion_path is None:
            return f"clip {clip.id} of {benchmark.ref} has no ground-truth motion"
        if face == HELD_OUT and clip.phone_times_path is None:
            return f"clip {clip.id} of {benchmark.ref} has no timed phones to animate anew"
    if face != TRUTH:
        kind = read_motion_arrays(clips[0])[0].kind
        if benchmark.topology != OPENHEAD.name or kind != "units":
            return f"the ground truth of {benchmark.ref} is {kind}, not curves of the bundled head's units"
    if face == FLAME:
        try:
            load_flame_face(supplies.flame)
        except PrerequisiteError as error:
            return str(error)
    return None


def _find_missing_recordings(clips: Sequence[Clip], supplies: Supplies) -> str | None:
    from mtbench.avsr.evaluation.recordings import find_video, load_detector

    if supplies.recordings is None:
        names = ", ".join(clip.id for clip in clips[:2])
        return f"the videos ({names}, …) are not shipped: name their folder (--recordings)"
    for clip in clips:
        find_video(Path(supplies.recordings), clip.id)
    try:
        load_detector()
    except PrerequisiteError as error:
        return str(error)
    return None


def articulate(benchmark: Benchmark, clip: Clip, manner: Manner) -> np.ndarray:
    """Animate the clip's timed phones in another manner.

    Parameters
    ----------
    benchmark : Benchmark
        Its name seeds, with the clip's, what is drawn: as in the ground truth in the manner of that one, else anew. A
        clip of held-out engines has the same seed whether all voices are there or those that ship.
    clip : Clip
        With timed phones.
    manner : ArticulationSetting or SpeakingStyle
        How the animator speaks.

    Returns
    -------
    (T, 55) float32
        Facial-unit curves.

    Raises
    ------
    BenchmarkError
        Where the clip has no timed phones, or unusable ones.
    """
    from mtbench.benchmarks import read_phone_times
    from mtbench.synth import animate_in, choose_seed

    seed = choose_seed(benchmark, clip, manner)
    curves = animate_in(read_phone_times(clip), clip.frames / clip.fps, manner, clip.fps, seed)
    if len(curves) != clip.frames:
        raise MtbenchError(f"clip {clip.id}: {len(curves)} animated frames, expected {clip.frames}")
    return curves


def render_face(benchmark: Benchmark, clip: Clip, face: str, supplies: Supplies = Supplies()) -> np.ndarray:
    """Return the mouth crops of a condition's face, rendered exactly as those of an entry are.

    Parameters
    ----------
    benchmark : Benchmark
    clip : Clip
        Of it, with ground truth, unless the face is a recording's.
    face : str
        ``"truth"``, ``"held-out"``, ``"flame"`` or ``"recording"``.
    supplies : Supplies
        What FLAME and recordings need.

    Returns
    -------
    (T, 96, 96) uint8
    """
    from mtbench.benchmarks import read_motion_arrays
    from mtbench.faces import load_topology, pose_motion
    from mtbench.renderers import Appearance, load_renderer, render_mouth_crops
    from mtbench.synth import find_held_out

    if face == RECORDING:
        from mtbench.avsr.evaluation.recordings import crop_recording, find_video

        assert supplies.recordings is not None
        return crop_recording(find_video(Path(supplies.recordings), clip.id), clip.frames)
    spec, arrays = read_motion_arrays(clip)
    if face == FLAME:
        topology, head = load_flame_face(supplies.flame)
        vertices = head.pose(np.ascontiguousarray(arrays["units"], np.float32), head.neutral)
    else:
        topology = load_topology(spec.topology.name)
        if face == HELD_OUT:
            arrays = {**arrays, "units": articulate(benchmark, clip, find_held_out(benchmark))}
        vertices = pose_motion(arrays, spec).vertices
    return render_mouth_crops(load_renderer("software"), topology, vertices, Appearance())


def load_flame_face(flame: str | None = None) -> tuple[Topology, TransferredHead]:
    """Return FLAME's topology, as an entry's faces are rendered with, and the bundled head's units on it.

    Parameters
    ----------
    flame : str, optional
        A file that ``mtbench assets add flame`` would take; the registered asset by default. Nothing of it is kept.

    Raises
    ------
    PrerequisiteError
        Where no asset is registered.
    UsageError
        Where the file is not FLAME's.
    """
    from mtbench.faces import require_triangles
    from mtbench.synth import load_transferred_head

    if flame is None:
        return require_triangles(), load_transferred_head()
    path = Path(flame)
    stamp = path.stat() if path.is_file() else None
    return _read_flame_face(path, None if stamp is None else (stamp.st_mtime_ns, stamp.st_size))


@lru_cache(maxsize=2)
def _read_flame_face(path: Path, stamp: tuple[int, int] | None) -> tuple[Topology, TransferredHead]:
    """Read a template; *stamp* tells one version of the file from the next."""
    from mtbench.synth import load_transferred_head

    head = load_transferred_head(path)
    return head.topology, head
