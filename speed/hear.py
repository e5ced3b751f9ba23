"""What the frozen encoder costs for a second of sound, beside the first judge's acoustic front end.

Run ``python speed/hear.py``. Everything runs in this one process on one thread, on the seven bundled recordings of
people, in turns; of several rounds the fastest of each counts, by the clock of the processor. The ratios are to the
first judge's front end (log-mels and ``AcousticFrontEnd``), and to the whole of that judge given sound alone.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from mtbench.avsr.openhead import Request, compute_logmel, find_bundled, load_openhead
from mtbench.avsr.whisper import load_ear
from mtbench.synth.real_speech import LANGUAGE, load_real_speech


def measure(act: Callable[[np.ndarray], object], sounds: list[np.ndarray]) -> float:
    """Return milliseconds of processor time for a second of sound."""
    start = time.process_time()
    for sound in sounds:
        act(sound)
    return 1000 * (time.process_time() - start) / (sum(map(len, sounds)) / 16_000)


def list_parts(layers: list[int]) -> dict[str, Callable[[np.ndarray], object]]:
    """Return what is measured, by name."""
    judge = load_openhead(find_bundled("1"))

    def front_end(sound: np.ndarray) -> object:
        with torch.inference_mode():
            return judge.network.acoustic(compute_logmel(sound)[None])

    parts: dict[str, Callable[[np.ndarray], object]] = {
        "first judge's front end": front_end,
        "first judge, sound alone": lambda sound: judge.log_probs_many([Request(None, [sound], LANGUAGE)]),
    }
    for layer in layers:
        parts[f"ear, {layer} layers"] = load_ear(layer=layer).hear
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="of which the fastest counts")
    parser.add_argument("--layers", type=int, nargs="+", default=[4, 6], help="layers to run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sounds = [clip.load_audio() for clip in load_real_speech().clips]
    parts = list_parts(options.layers)
    for act in parts.values():
        act(sounds[0])
    found = {name: [] for name in parts}
    for _ in range(options.rounds):
        for name, act in parts.items():
            found[name].append(measure(act, sounds))
    best = {name: min(values) for name, values in found.items()}
    front, judge, *_ = best.values()
    print(f"{'':<28}{'ms a second':>12}{'to front end':>14}{'to judge':>10}")
    for name, value in best.items():
        print(f"{name:<28}{value:>12.1f}{value / front:>14.2f}{value / judge:>10.2f}")


if __name__ == "__main__":
    main()
