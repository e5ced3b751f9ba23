"""Frames per second of the reference model: the plain loop of the published code against ours, in one run.

    python speed/reference.py [--sizes tiny full] [--seconds 1 5 20] [--rounds 2] [--clips 8] [--whole]

Both generate the same motion from the same speech features with the same random weights:

- plain: `MultiTalk.generate`, which computes everything anew in every step, one clip at a time;
- ours: `mtbench.reference_model.inference.Generator`, one clip at a time;
- ours, several clips: the same, `--clips` of them in a batch.

They take turns, several rounds each, of which the best counts. `ratio` is ours to plain, one clip at a time; `first
call` is the ratio with what is done once for a network (packing and folding its matrices) counted in. `difference`
is the largest between the two motions, as a share of the largest movement. A star marks a plain loop that was not run
to its end: the time of a step was measured at ten prefix lengths, the middles of ten equal parts of the clip, and
each counts for its part (a step's time is a smooth function of the prefix's length, whatever is in it); then there
is no motion to compare.

The speech encoder, which both need once a clip, isn't counted. Sizes: full is the published one (1024 wide, 5,023
vertices), tiny is `mini`, the size of the bundled weights. Every device there is is measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from mtbench.reference_model.inference import Generator
from mtbench.reference_model.model import MultiTalk, Settings
from mtbench.reference_model.training.sizes import SIZES

SETTINGS = {"tiny": SIZES["mini"].settings, "full": Settings()}
FPS = 25
#: Prefix lengths at which a plain loop is sampled, and how often each.
SAMPLES, REPEATS = 10, 2
#: Above so many frames the plain loop of the full size is sampled.
LONGEST_WHOLE = 125


@dataclass
class Row:
    """Best seconds of each way, and how far their motions are apart; nan where it was not measured."""

    plain: float = float("inf")
    ours: float = float("inf")
    batched: float = float("inf")
    difference: float = float("nan")


def make_network(size: str, device: str) -> MultiTalk:
    """Return a network with random weights; codes must not be all alike, as untrained ones are."""
    torch.manual_seed(0)
    network = MultiTalk(SETTINGS[size]).eval()
    torch.nn.init.normal_(network.map_codes.weight, std=0.02)
    if network.settings.principal:
        torch.nn.init.orthogonal_(network.autoencoder.space.basis)
    return network.to(device)


def measure(work: Callable[[], object], device: str) -> float:
    """Return the seconds that *work* takes."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


@torch.inference_mode()
def take_step(network: MultiTalk, inputs: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    """Do what `MultiTalk.generate` does in the step whose inputs (1, n, W) these are."""
    vectors = network.autoencoder.quantize(network.predict_vectors(inputs, memory)).vectors
    motion = network.autoencoder.decode(vectors.repeat(1, 2, 1) if inputs.shape[1] == 1 else vectors)
    return torch.cat([inputs, network.map_motion(motion[:, -1:]) + inputs[:, :1]], 1)


@torch.inference_mode()
def sample_plain(network: MultiTalk, speech: torch.Tensor, frames: int, device: str) -> float:
    """Return the plain loop's seconds as far as steps at some prefix lengths tell."""
    memory = network.map_speech(speech[None])
    total = 0.0
    for part in range(SAMPLES):
        n = int((part + 0.5) * frames / SAMPLES) + 1
        inputs = torch.randn(1, n, network.settings.width, device=device)
        taken = [measure(lambda: take_step(network, inputs, memory), device) for _ in range(REPEATS)]  # noqa: B023
        total += min(taken) * frames / SAMPLES
    return total


def compare(
    network: MultiTalk, generator: Generator, frames: int, rounds: int, clips: int, whole: bool, device: str
) -> Row:
    """Time all ways on *frames* frames, taking turns."""
    torch.manual_seed(frames)
    s = network.settings
    speech = torch.randn(clips, 2 * frames, s.speech_width, device=device)
    weights = torch.eye(len(s.languages), device=device)[torch.arange(clips) % len(s.languages)]
    motion = {}

    def run_plain() -> None:
        motion["plain"] = network.generate(speech[:1], weights[:1], frames)[0]

    def run_ours(n: int) -> None:
        motion["ours"] = generator.generate(list(speech[:n]), weights[:n], [frames] * n)[0]

    row = Row()
    for _ in range(rounds):
        row.batched = min(row.batched, measure(lambda: run_ours(clips), device)) if whole else float("nan")
        row.ours = min(row.ours, measure(lambda: run_ours(1), device))
        plain = measure(run_plain, device) if whole else sample_plain(network, speech[0], frames, device)
        row.plain = min(row.plain, plain)
    if whole:
        apart = (motion["ours"] - motion["plain"]).abs().max() / motion["plain"].abs().max()
        row.difference = float(apart)
    return row


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=tuple(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--seconds", nargs="+", type=float, default=[1, 5, 20], help="of audio")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clips", type=int, default=8, help="in a batch")
    parser.add_argument("--whole", action="store_true", help="run every plain loop to its end (minutes)")
    parser.add_argument("--devices", nargs="+", choices=("cpu", "cuda"), default=None, help="all by default")
    options = parser.parse_args()
    devices = options.devices or (["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, best of {options.rounds} rounds")
    print("frames per second; x: ours to plain; *: plain loop sampled, see --help")
    print(
        f"{'device':<6} {'size':<5} {'audio':>6} {'plain':>9} {'ours':>9} {'ratio':>7} {'first call':>11} "
        f"{f'{options.clips} clips':>9} {'difference':>11}"
    )
    for device in devices:
        for size in options.sizes:
            network = make_network(size, device)
            made: list[Generator] = []
            preparation = measure(lambda: made.append(Generator(network)), device)  # noqa: B023
            compare(network, made[0], 3, 1, options.clips, True, device)  # warms up
            for seconds in options.seconds:
                frames = round(seconds * FPS)
                whole = options.whole or size == "tiny" or device == "cuda" or frames <= LONGEST_WHOLE
                row = compare(network, made[0], frames, options.rounds, options.clips, whole, device)
                star = " " if whole else "*"
                print(
                    f"{device:<6} {size:<5} {seconds:>4g} s {frames / row.plain:>8.1f}{star} "
                    f"{frames / row.ours:>9.1f} {row.plain / row.ours:>6.1f}x "
                    f"{row.plain / (row.ours + preparation):>10.1f}x "
                    f"{options.clips * frames / row.batched:>9.1f} {row.difference:>11.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
