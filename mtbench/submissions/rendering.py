"""Pictures of a submission: videos for people, mouth crops as the recognizer sees them.

Conventions
-----------
Videos are lossy and for looking at only; nothing that is scored goes through one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mtbench.benchmarks import Benchmark, Clip, as_benchmark
from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology, load_topology, require_renderable
from mtbench.files import make_folder, write_atomically
from mtbench.renderers import Appearance, load_renderer
from mtbench.submissions.validation import load_submission


def render_submission(
    path: str | Path,
    benchmark: Benchmark | str | Path | None = None,
    *,
    clips: Sequence[str] | None = None,
    out: str | Path = "renders",
    video: bool = False,
    truth: bool = False,
    renderer: str = "software",
    size: int = 512,
    appearance: Appearance | None = None,
) -> Iterator[Path]:
    """Render clips of a submission; yield each file as it is written.

    Parameters
    ----------
    path : str or Path
        Submission folder; missing clips are no hindrance.
    benchmark : Benchmark, str or Path, optional
        The clips' benchmark; by default the one that the manifest names.
    clips : sequence of str, optional
        Ids; default: all that are there.
    out : str or Path
        Gets ``<clip>.mp4``, or ``<clip>.npy`` with (T, 96, 96) uint8 mouth crops.
    video : bool
        Whether to write mp4 files with sound.
    truth : bool
        Whether a video shows the ground truth too, to the right.
    renderer : str
        Name.
    size : int
        Width and height of the video in pixels.
    appearance : Appearance, optional
        How the face is shaded.

    Raises
    ------
    SubmissionError, UsageError, PrerequisiteError
        As for :func:`mtbench.score`, and where there is no ground truth to show.
    """
    from mtbench.renderers import render_mouth_crops

    if truth and not video:
        raise UsageError("the ground truth is shown in videos only: add --video")
    submission = load_submission(path, benchmark, allow_partial=True)
    benchmark = as_benchmark(submission.benchmark_ref if benchmark is None else benchmark)
    topology = load_topology(submission.topology)
    require_renderable(topology)
    chosen = list(submission.clips) if clips is None else [benchmark.clip(clip).id for clip in clips]
    backend = load_renderer(renderer)
    appearance = appearance or Appearance()
    folder = Path(out)
    make_folder(folder)
    for clip_id in chosen:
        clip = benchmark.clip(clip_id)
        motion = submission.motion(clip_id)
        if video:
            from mtbench.renderers import write_video

            target = folder / f"{clip_id}.mp4"
            faces = [(topology, motion)] + ([_true_face(clip)] if truth else [])
            write_video(target, backend, faces, clip.load_audio(), appearance, size=size)
        else:
            target = folder / f"{clip_id}.npy"
            buffer = io.BytesIO()
            np.save(buffer, render_mouth_crops(backend, topology, motion.vertices, appearance))
            write_atomically(target, buffer.getvalue(), durable=False)
        yield target


def _true_face(clip: Clip) -> tuple[Topology, Motion]:
    motion = clip.load_motion()
    if motion is None:
        raise UsageError(f"clip {clip.id} of this benchmark has no ground truth to show: leave out --truth")
    topology = load_topology(motion.topology)
    require_renderable(topology)
    return topology, motion
