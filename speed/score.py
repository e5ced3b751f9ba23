"""How fast scoring is: real-time factors per stage for a whole benchmark, in one run.

Run ``python speed/score.py``. An empty temporary cache is used, so everything is computed once. A real-time
factor is seconds of work (all workers together, by the clock and by the processors) per second of what the
stage went through: of mixed sound, of animation, of transcribed clip, every condition counted. Below 1 is
faster than real time. The last line is the clock of the whole score per second of the benchmark's speech.
"""

import argparse
import tempfile
from pathlib import Path

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.scoring import RECOMMENDED, score
from mtbench.scoring.stages import STAGES
from mtbench.submissions.controls import make_controls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--benchmark", default="openhead-20", help="name or folder, with ground truth")
    parser.add_argument("--recognizer", default="openhead-av", help="as for mtbench score")
    parser.add_argument("--renderer", default="software", help="as for mtbench score")
    parser.add_argument("--workers", type=int, default=None, help="processes")
    options = parser.parse_args()
    benchmark = load_benchmark(options.benchmark)
    clips = len(benchmark.clips)
    with tempfile.TemporaryDirectory() as folder:
        (entry,) = make_controls(benchmark, Path(folder) / "controls", ("ground-truth",))
        run = score(
            entry,
            benchmark,
            recognizer=options.recognizer,
            renderer=options.renderer,
            workers=options.workers,
            cache=Path(folder) / "cache",
        )
    timings = run.timings
    speech = timings["audio_seconds"]
    print(
        f"{benchmark.ref}: {clips} clips, {speech:.0f} s of speech, {options.recognizer}, {options.renderer}, "
        f"{timings['workers']} workers, {len(RECOMMENDED.snrs)} SNRs"
    )
    print(f"{'stage':<12} {'results':>8} {'seconds':>9} {'work s':>9} {'cpu s':>9} {'RTF':>9} {'RTF cpu':>9}")
    for name in STAGES:
        stage = timings["stages"][name]
        # Every result of a stage is one clip's worth.
        seconds = speech * stage["computed"] / clips
        work, cpu = stage["worker_seconds"], stage["cpu_seconds"]
        print(
            f"{name:<12} {stage['computed']:>8} {seconds:>9.0f} {work:>9.1f} {cpu:>9.1f} "
            f"{work / seconds:>9.4f} {cpu / seconds:>9.4f}"
        )
    total = timings["total_seconds"]
    print(f"{'whole score':<12} {'':>8} {speech:>9.0f} {total:>9.1f} {'':>9} {total / speech:>9.4f}")


if __name__ == "__main__":
    main()
