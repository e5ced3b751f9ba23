"""How fast Auto-AVSR runs on ESPnet: a network of the published size, its weights random, in one run.

Run ``.venv-espnet/bin/python speed/auto_avsr.py`` (after ``make install-espnet``). It writes a file of tensors as
published (1.8 GB, in a temporary folder), loads it in a process of its own and prints

- seconds to load, and peak memory over the size of the file, torch and ESPnet counted and not;
- for a clip of five seconds, on ``--threads`` threads: seconds of seeing, of hearing and of joining both (one face is
  seen once for all sounds);
- seconds of 25 steps of the published search (a beam of 40, a tenth of CTC) and of one beam, each also with ESPnet's
  own attention (the peer: keys and values of the clip anew for every hypothesis and step), and the ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from mtbench.avsr.auto_avsr.loading import load_auto_avsr
from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork
from mtbench.avsr.auto_avsr.search import StartedSearch
from mtbench.avsr.auto_avsr.sizes import DecoderSizes, NetworkSizes, StreamSizes

FRAMES, STEPS, BEAM = 125, 25, 40
STREAM = StreamSizes(768, 3072, 12, 12, 31)
SIZES = NetworkSizes(STREAM, STREAM, 8192, DecoderSizes(768, 3072, 12, 6), 5049)


def write_published(path: Path) -> None:
    """Write a file of the published size, its numbers random."""
    torch.manual_seed(0)
    torch.save(AutoAVSRNetwork(SIZES).state_dict(), path)


def clock(work: Any) -> float:
    """Return the lesser seconds of *work* in two tries, after one that is not counted."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found[1:])


def measure(path: Path, threads: int) -> dict[str, float]:
    """Load the file and time what is done with it."""
    torch.set_num_threads(threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model = load_auto_avsr(path)
    found = {"load": time.perf_counter() - start}
    peak, size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, path.stat().st_size / 1024
    found |= {"peak": peak / size, "peak without torch": (peak - before) / size}
    rng = np.random.default_rng(0)
    video = rng.standard_normal((FRAMES, 88, 88)).astype(np.float32)
    sound = rng.uniform(-1, 1, 640 * FRAMES).astype(np.float32)
    seen, heard = model.see(video), model.hear(sound, FRAMES)
    encoded = model.join(seen, heard)
    found["see"] = clock(lambda: model.see(video))
    found["hear"] = clock(lambda: model.hear(sound, FRAMES))
    found["join"] = clock(lambda: model.join(seen, heard))
    whole = StartedSearch.forward
    with patch.object(StartedSearch, "forward", lambda self, x: whole(self, x, maxlenratio=-STEPS)):
        for beam in (1, BEAM):
            found[f"beam {beam}"] = clock(lambda b=beam: model.search(encoded, beam=b))
            with patch.object(AutoAVSRNetwork, "looking_at", lambda self, x: contextlib.nullcontext()):
                found[f"anew {beam}"] = clock(lambda b=beam: model.search(encoded, beam=b))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        write_published(options.write)
        return
    if options.read is not None:
        print(json.dumps(measure(options.read, options.threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "avsr.pth"
        subprocess.run([sys.executable, __file__, "--write", str(path)], check=True)
        size = path.stat().st_size
        command = [sys.executable, __file__, "--threads", str(options.threads), "--read", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"Auto-AVSR v1.0.0, random weights, {size / 1e9:.2f} GB, cpu, {options.threads} threads")
    print(f"load {found['load']:.1f} s; peak memory {found['peak']:.2f} times the file "
          f"({found['peak without torch']:.2f} without torch and ESPnet)")  # fmt: skip
    print(f"a clip of {FRAMES / 25:g} s: see {found['see']:.2f} s, hear {found['hear']:.2f} s, join "
          f"{found['join']:.2f} s")  # fmt: skip
    for beam in (1, BEAM):
        kept, anew = found[f"beam {beam}"], found[f"anew {beam}"]
        beams = f"{beam} beam{'s' * (beam > 1)}"
        print(
            f"{STEPS} steps, {beams}: {kept:.2f} s, with ESPnet's attention {anew:.2f} s ({anew / kept:.1f} times)"
        )


if __name__ == "__main__":
    main()
