"""How fast the bundled recognizer transcribes a whole benchmark, word decoding included, against the plain path.

Run ``python speed/recognize.py``. Both paths run in this one process tree, on the same clips, one after the other:

- plain: one clip under one condition at a time, every mouth encoded anew;
- batched: all clips of a worker in batches by length (``OpenheadAV.transcribe_many``).

The speed is seconds of transcribed clip, every condition counted, per second: by the clock, and by the processors
(seconds of all of them together, times the number of workers: what the clock would say on an idle machine).
Mouth crops and mixtures are made before the clock starts; loading the recognizer isn't counted. The hypotheses
of both paths must be equal to the last character, and the script says whether they are.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mtbench.avsr.openhead.inference import Request
from mtbench.avsr.openhead.recognizer import OpenheadAV
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.faces.topologies import load_topology
from mtbench.renderers.base import Appearance
from mtbench.renderers.mouth_crop import render_mouth_crops
from mtbench.renderers.registry import load_renderer
from mtbench.speech.audio import mix_at_snr
from mtbench.speech.noise import load_noises

#: What is heard and whether the mouth is seen: one condition as in the issue's budget, and all of a score.
CONDITIONS = {
    "av-clean": ("av-clean",),
    "score": ("av-clean", "av-7.5", "av-10", "v", "a-clean", "a-7.5", "a-10"),
}


@dataclass(frozen=True)
class Work:
    """What one worker transcribes: some clips under some conditions, batched or one by one."""

    benchmark: str
    folder: str
    clips: tuple[str, ...]
    conditions: tuple[str, ...]
    search: str
    batched: bool


@cache
def judge(search: str) -> OpenheadAV:
    from dataclasses import replace

    own = OpenheadAV.load()
    return OpenheadAV.load(decoding=replace(own.decoding, search=search))


@cache
def bench(name: str):
    return load_benchmark(name)


def prepare(work: Work) -> None:
    """Render and mix what the clips need, and load the recognizer."""
    benchmark = bench(work.benchmark)
    noise = load_noises(benchmark.noise_folder)["babble"]
    renderer = load_renderer("software")
    for clip_id in work.clips:
        clip = benchmark.clip(clip_id)
        motion, audio = clip.load_motion(), clip.load_audio()
        topology = load_topology(motion.topology)
        crops = render_mouth_crops(renderer, topology, motion.vertices, Appearance())
        sounds = {"clean": audio}
        for snr in (-7.5, -10.0):
            sounds[f"{snr:g}"] = mix_at_snr(audio, noise.audio, snr, noise.offset(clip.id))
        np.savez(Path(work.folder) / f"{clip_id}.npz", crops=crops, **sounds)


def list_requests(work: Work) -> list[list[Request]]:
    """Return the requests of each clip: those with a mouth share it."""
    benchmark = bench(work.benchmark)
    out = []
    for clip_id in work.clips:
        clip = benchmark.clip(clip_id)
        data = np.load(Path(work.folder) / f"{clip_id}.npz")
        lexicon = benchmark.lexicon(clip.language)
        seen, heard = [], []
        for condition in work.conditions:
            modality = condition.partition("-")[0]
            sound = None if modality == "v" else data[condition[len(modality) :].replace("-clean", "clean")]
            (seen if "v" in modality else heard).append(sound)
        pair = (
            Request(data["crops"], seen, clip.language, lexicon),
            Request(None, heard, clip.language, lexicon),
        )
        out.append([r for r in pair if r.audio])
    return out


def transcribe(work: Work) -> tuple[dict[str, list[str]], float, float]:
    """Return texts by clip, and seconds by the clock and by the processor."""
    recognizer = judge(work.search)
    groups = list_requests(work)
    # Compiles the search and warms caches.
    first = groups[0][0]
    recognizer.transcribe(first.crops, first.audio[:1], first.language, first.lexicon)
    clock, processor = time.perf_counter(), time.process_time()
    if work.batched:
        found = recognizer.transcribe_many([r for requests in groups for r in requests])
        texts = iter([[h.text for h in hypotheses] for hypotheses in found])
        result = {c: [t for _ in g for t in next(texts)] for c, g in zip(work.clips, groups, strict=True)}
    else:
        result = {
            clip: [
                recognizer.transcribe(r.crops, [sound], r.language, r.lexicon)[0].text
                for r in requests
                for sound in r.audio
            ]
            for clip, requests in zip(work.clips, groups, strict=True)
        }
    return result, time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--benchmark", default="openhead-20", help="name or folder, with ground truth")
    parser.add_argument("--clips", type=int, default=None, help="only so many clips, evenly chosen")
    parser.add_argument("--workers", type=int, default=2, help="processes with one thread each")
    parser.add_argument("--search", default="viterbi", choices=("viterbi", "beam"), help="of words")
    options = parser.parse_args()
    clips = sorted(load_benchmark(options.benchmark).clips, key=lambda c: c.frames)
    if options.clips:
        clips = [clips[i] for i in np.linspace(0, len(clips) - 1, options.clips).astype(int)]
    shares = [clips[i :: options.workers] for i in range(options.workers)]
    seconds = sum(c.frames for c in clips) / 25
    print(
        f"{options.benchmark}: {len(clips)} clips, {seconds:.0f} s, {options.workers} workers, {options.search} search"
    )
    print(f"{'conditions':<12} {'path':<8} {'seconds':>8} {'x real time':>12} {'by processors':>14}")
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    pool = ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("spawn"))
    with tempfile.TemporaryDirectory() as folder, pool:
        for name, conditions in CONDITIONS.items():
            found, speeds = {}, {}
            for path in ("plain", "batched"):
                tasks = [
                    Work(
                        options.benchmark,
                        folder,
                        tuple(c.id for c in share),
                        conditions,
                        options.search,
                        path == "batched",
                    )
                    for share in shares
                ]
                if not any(Path(folder).iterdir()):
                    list(pool.map(prepare, tasks))
                outcomes = list(pool.map(transcribe, tasks))
                found[path] = {clip: texts for texts_of, *_ in outcomes for clip, texts in texts_of.items()}
                clock = max(c for _, c, _ in outcomes)
                processors = sum(p for *_, p in outcomes)
                total = seconds * len(conditions)
                speeds[path] = total / clock, total * options.workers / processors
                print(f"{name:<12} {path:<8} {clock:>8.1f} {speeds[path][0]:>12.1f} {speeds[path][1]:>14.1f}")
            ratios = [b / p for b, p in zip(speeds["batched"], speeds["plain"], strict=True)]
            same = "equal" if found["plain"] == found["batched"] else "DIFFERENT"
            print(f"{name:<12} {'ratio':<8} {'':>8} {ratios[0]:>12.2f} {ratios[1]:>14.2f}  hypotheses {same}")


if __name__ == "__main__":
    main()
