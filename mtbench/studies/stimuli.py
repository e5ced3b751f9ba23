"""What raters see and hear: the faces and sounds that a plan shows, as files that the page loads from beside it.

Conventions
-----------
A file is ``media/<code>.js``: a line of JavaScript that hands over a motion, a sound or a topology, in the packs of
:mod:`mtbench.viewing`; scripts are the one thing that a page may load from disk. Codes follow from the study's seed and
tell nobody whose face it is. A clip's sound is the clean one of the benchmark, one file for both faces, brought to the
same loudness as all others of the study (:mod:`mtbench.speech.loudness`).

A face that checks attention is the clip's ground truth where that can be shown, else the first system's; the other one
of the check holds its first frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtbench.benchmarks import Benchmark, Clip
from mtbench.errors import UsageError
from mtbench.faces import Motion, load_topology
from mtbench.speech import Leveled, level_sounds
from mtbench.studies.plan import MOVING, STILL, Group
from mtbench.submissions import Submission
from mtbench.viewing import pack_motion, pack_sound, pack_topology
from mtbench.work import Progress

#: Most bytes of a study's files: what a browser and a rater's line can be asked for.
MOST_BYTES = 600_000_000


@dataclass(frozen=True)
class Stimuli:
    """The files of a study's faces and sounds.

    Attributes
    ----------
    files : dict of str to str
        Text by path below the page.
    faces : dict of (str, str) to str
        Code by system and clip.
    sounds, topologies : dict of str to str
        Code by clip, by topology.
    leveled : Leveled
    error_mm : float
        Largest distance of any vertex of any face from where it belongs.
    """

    files: dict[str, str]
    faces: dict[tuple[str, str], str]
    sounds: dict[str, str]
    topologies: dict[str, str]
    leveled: Leveled
    error_mm: float


def make_stimuli(
    benchmark: Benchmark,
    submissions: Mapping[str, Submission],
    groups: Sequence[Group],
    seed: int,
    progress: Progress,
) -> Stimuli:
    """Return the faces and sounds that *groups* show.

    Parameters
    ----------
    benchmark : Benchmark
    submissions : mapping of str to Submission
        By system.
    groups : sequence of Group
    seed : int
    progress : Progress
        Told how far it is.

    Raises
    ------
    UsageError
        For a silent clip, or more than :data:`MOST_BYTES`.
    SubmissionError, BenchmarkError, PrerequisiteError
        For motion or sound that cannot be read, or a topology that cannot be shown here.
    """
    items = {showing.item: None for group in groups for plan in group.schedules for showing in plan}
    wanted = list(dict.fromkeys((system, item.clip) for item in items for system in (item.a, item.b)))
    clips = {clip: benchmark.clip(clip) for _, clip in wanted}
    audio = {clip: found.load_audio() for clip, found in clips.items()}
    leveled = level_sounds(audio)
    files: dict[str, str] = {}
    sounds, faces, topologies = dict[str, str](), dict[tuple[str, str], str](), dict[str, str]()
    for clip, samples in audio.items():
        sounds[clip] = code = name_file(seed, "sound", clip)
        files[f"media/{code}.js"] = _hand_over(code, pack_sound(samples * np.float32(leveled.gains[clip])))
    error = 0.0
    with progress.stage("faces", len(wanted)) as done:
        for system, clip in wanted:
            motion = read_face(system, clips[clip], submissions)
            if motion.topology not in topologies:
                topologies[motion.topology] = code = name_file(seed, "topology", motion.topology)
                files[f"media/{code}.js"] = _hand_over(code, pack_topology(load_topology(motion.topology)))
            faces[system, clip] = code = name_file(seed, "face", system, clip)
            pack = pack_motion(motion)
            error = max(error, pack["error_mm"])
            files[f"media/{code}.js"] = _hand_over(code, pack)
            if (size := sum(map(len, files.values()))) > MOST_BYTES:
                raise UsageError(
                    f"the study is larger than {size / 1e6:.0f} MB after {len(faces)} of {len(wanted)} faces: take "
                    "fewer --clips or languages, or compare with one system (--against)"
                )
            done()
    return Stimuli(files, faces, sounds, topologies, leveled, error)


def read_face(system: str, clip: Clip, submissions: Mapping[str, Submission]) -> Motion:
    """Return how *system* speaks *clip*; of a check, the face that moves or the one that does not."""
    if system in submissions:
        return submissions[system].motion(clip.id)
    truth = None
    if clip.topology is not None and load_topology(clip.topology).renderable:
        truth = clip.load_motion()
    motion = truth if truth is not None else next(iter(submissions.values())).motion(clip.id)
    if system == MOVING:
        return motion
    assert system == STILL
    return replace(motion, vertices=np.repeat(motion.vertices[:1], len(motion), axis=0))


def name_file(seed: int, *labels: str) -> str:
    """Return the code of a face, sound or topology: ten hexadecimal digits.

    Examples
    --------
    >>> len(name_file(1, "face", "My system", "ita-01"))
    10
    """
    text = json.dumps([seed, *labels]).encode()
    return hashlib.blake2b(text, digest_size=5, person=b"mtbench-study").hexdigest()


def _hand_over(code: str, pack: Mapping[str, object]) -> str:
    """Return the JavaScript that hands *pack* to the page."""
    text = json.dumps(pack, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f'(window.mtbenchMedia ??= {{}})["{code}"] = {text};\n'
