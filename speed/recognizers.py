"""How fast published recognizers run: a network of AV-HuBERT Large's size, its weights random, in one run.

Run ``python speed/recognizers.py``. It writes a checkpoint as fairseq does (1.9 GB, in a temporary folder), loads it in
a process of its own and prints

- seconds to load, and peak memory over the size of the file;
- for a clip of five seconds, on ``--threads`` threads: seconds of the encoder, of a greedy search of 30 tokens and of
  one with five beams, each also without the decoder's memory of earlier tokens (the peer: every step decodes all
  tokens anew), and the ratio;
- the real-time factor of what a score asks of such a clip, on one thread as every worker has it: the face with clean
  sound, three noises at two ratios, and silence, with the log-probability of the transcript's tokens.

On an accelerator (``--device cuda``) the same, one clip and eight at once. Real-time factors of a whole score by
weights that are installed: ``python speed/score.py --recognizer muavic:ita``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtbench.avsr.avhubert.decoder import DecoderSizes
from mtbench.avsr.avhubert.encoder import EncoderSizes
from mtbench.avsr.avhubert.loading import load_avhubert
from mtbench.avsr.avhubert.recognition import AVHubertNetwork

FRAMES, TOKENS, BEAM, TOGETHER = 125, 30, 5, 8
ENCODER = EncoderSizes(1024, 4096, 16, 24, 128, 16, True)
DECODER = DecoderSizes(1024, 4096, 8, 9, 1000, 1024)


def write_large(path: Path) -> None:
    """Write a checkpoint of AV-HuBERT Large's size, its numbers random, in fairseq's layout."""
    torch.manual_seed(0)
    network = AVHubertNetwork(ENCODER, DECODER)
    with torch.no_grad():
        network.eyes_and_ears.encoder.pos_conv[0].weight_v.normal_(0, 0.01)
    inner = {"encoder_attention_heads": ENCODER.heads, "layer_norm_first": True}
    settings = {"model": {"decoder_attention_heads": DECODER.heads, "w2v_args": {"model": inner}}}
    symbols = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        *(f"\u2581{number}" for number in range(DECODER.vocabulary - 4)),
    ]
    task = {"target_dictionary": {"symbols": symbols}}
    torch.save({"args": None, "cfg": settings, "model": network.state_dict(), "task_state": task}, path)


def clock(work: Callable[[], Any], device: str, times: int = 3) -> float:
    """Return the least seconds of *work* in some tries, after one that is not counted."""
    found = []
    for _ in range(times + 1):
        start = time.perf_counter()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - start)
    return min(found[1:])


@torch.no_grad()
def decode_anew(model: Any, encoded: torch.Tensor) -> None:
    """Greedy search of 30 tokens in which every step decodes all tokens so far."""
    tokens = torch.full((len(encoded), 1), model.start, device=encoded.device)
    for _ in range(TOKENS):
        said = model.logits(encoded, None, tokens)[:, -1].argmax(-1)
        tokens = torch.cat([tokens, said[:, None]], 1)


def measure(path: Path, threads: int, device: str) -> dict[str, float]:
    """Load the checkpoint and time what it does."""
    torch.set_num_threads(threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model = load_avhubert(path, device=device)
    found = {"load": time.perf_counter() - start}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = path.stat().st_size / 1024
    found |= {"peak": peak / size, "peak without torch": (peak - before) / size}
    rng = np.random.default_rng(0)
    for clips in (1, TOGETHER) if device != "cpu" else (1,):
        video = rng.standard_normal((clips, 1, FRAMES, 88, 88)).astype(np.float32)
        audio = rng.standard_normal((clips, 104, FRAMES)).astype(np.float32)
        encoded = model.encode(video=video, audio=audio)
        found[f"encoder, {clips}"] = clock(lambda v=video, a=audio: model.encode(video=v, audio=a), device)
        for beam in (1, BEAM):
            found[f"beam {beam}, {clips}"] = clock(
                lambda e=encoded, b=beam: model.search(encoded=e, beam=b, max_length=TOKENS - 1), device
            )
        found[f"anew, {clips}"] = clock(lambda e=encoded: decode_anew(model, e), device, 1)
    found["score"] = measure_score(path, model, device)
    return found


def measure_score(path: Path, model: Any, device: str) -> float:
    """Return seconds of what a score asks of one clip: one face under eight conditions."""
    from mtbench.avsr.published import CATALOG, PublishedAVHubert
    from mtbench.avsr.published.avhubert_recognizer import SEARCHES

    recognizer = PublishedAVHubert(CATALOG["muavic:ita"], {"weights": path}, "", 0, SEARCHES["beam"], device)
    recognizer.__dict__["network"] = model
    rng = np.random.default_rng(1)
    crops = rng.integers(0, 256, (FRAMES, 96, 96), dtype=np.uint8)
    sounds = [rng.standard_normal(640 * FRAMES).astype(np.float32) / 10 for _ in range(7)]
    tokens = [*range(4, 4 + TOKENS - 1), 2]
    start = time.perf_counter()
    recognizer._answer(crops, [*sounds, None], tokens)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of the first measurements")
    parser.add_argument("--device", default="cpu", help="as torch names it")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        print(json.dumps(measure(options.read, options.threads, options.device)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint_best.pt"
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
             f"from pathlib import Path; from recognizers import write_large; write_large(Path({str(path)!r}))"],
            check=True,
        )  # fmt: skip
        size = path.stat().st_size
        command = [sys.executable, __file__, "--threads", str(options.threads), "--device", options.device]
        done = subprocess.run([*command, "--read", str(path)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"AV-HuBERT Large, random weights, {size / 1e9:.2f} GB, {options.device}, {options.threads} threads"
    )
    print(f"load {found['load']:.1f} s; peak memory {found['peak']:.2f} times the file "
          f"({found['peak without torch']:.2f} without torch)")  # fmt: skip
    for clips in (1, TOGETHER):
        if f"encoder, {clips}" not in found:
            continue
        greedy, anew = found[f"beam 1, {clips}"], found[f"anew, {clips}"]
        print(
            f"{clips} clip{'s' * (clips > 1)} of {FRAMES / 25:g} s: encoder {found[f'encoder, {clips}']:.2f} s; "
            f"greedy, {TOKENS} tokens {greedy:.2f} s, without memory {anew:.2f} s ({anew / greedy:.1f} times); "
            f"{BEAM} beams {found[f'beam {BEAM}, {clips}']:.2f} s"
        )
    seconds = 8 * FRAMES / 25
    print(
        f"a face under eight conditions, one thread: {found['score']:.1f} s, real-time factor "
        f"{found['score'] / seconds:.2f}"
    )
    if options.device == "cpu" and not torch.cuda.is_available():
        print("no accelerator here: nothing is known of its real-time factors")


if __name__ == "__main__":
    main()
