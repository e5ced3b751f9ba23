"""How small and how close motion is that travels to a browser, and how long it takes to pack.

Run ``python speed/viewer.py [SUBMISSION …]``: the ground truth of a benchmark, and submissions for it, one clip a
language. Sizes are kilobytes of text in the page (base64), for five seconds of motion and with the sound of as long.
The error is the largest distance of any vertex in any frame of any of these clips from where it belongs.
"""

import argparse
import json
import time

from mtbench.benchmarks import load_benchmark
from mtbench.submissions import load_submission
from mtbench.viewing import pack_motion, pack_sound

_FRAMES = 125


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", nargs="*", help="submission folders")
    parser.add_argument("--benchmark", default="openhead-20", help="name or folder, with ground truth")
    options = parser.parse_args()
    benchmark = load_benchmark(options.benchmark)
    clips = list({clip.language: clip for clip in reversed(benchmark.clips)}.values())
    print(f"{benchmark.ref}: {len(clips)} clips, one a language")
    print(f"{'motion':<24} {'shapes':>9} {'kB':>11} {'with sound':>11} {'error mm':>9} {'s a clip':>9}")
    measure("ground truth", [(clip, clip.load_motion()) for clip in clips])
    for folder in options.submissions:
        entry = load_submission(folder, benchmark, allow_partial=True)
        measure(entry.system, [(clip, entry.motion(clip.id)) for clip in clips if clip.id in entry.clips])


def measure(name, motions) -> None:
    shapes, sizes, sounds, errors, seconds = [], [], [], [], []
    for clip, motion in motions:
        began = time.perf_counter()
        pack = pack_motion(motion)
        seconds.append(time.perf_counter() - began)
        shapes.append(pack["rank"])
        # With time the weights alone grow: two bytes a shape and frame, a third more as text.
        sizes.append((len(json.dumps(pack)) + (_FRAMES - len(motion)) * shapes[-1] * 2 * 4 / 3) / 1e3)
        sound = len(json.dumps(pack_sound(clip.load_audio()))) / 1e3
        sounds.append(sizes[-1] + sound * _FRAMES / clip.frames)
        errors.append(pack["error_mm"])
    columns = [
        f"{min(shapes)} to {max(shapes)}",
        f"{min(sizes):.0f} to {max(sizes):.0f}",
        f"{min(sounds):.0f} to {max(sounds):.0f}",
        f"{max(errors):.4f}",
        f"{sum(seconds) / len(seconds):.2f}",
    ]
    print(
        f"{name:<24} "
        + " ".join(f"{text:>{width}}" for text, width in zip(columns, (9, 11, 11, 9, 9), strict=True))
    )


if __name__ == "__main__":
    main()
