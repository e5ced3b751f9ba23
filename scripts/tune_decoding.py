"""Choose the weights of the bundled recognizer's word search, and write them beside its network.

Usage
-----
``python scripts/tune_decoding.py RUN/openhead-av.safetensors`` decodes a development set made of training sentences,
prints the ten best combinations, and rewrites the checkpoint with the best: this is the last step before weights are
committed. ``--searches viterbi`` leaves the beam search out. Needs the extra ``[synth]``. Nothing of the test split is
looked at, see :mod:`mtbench.avsr.openhead.tuning`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mtbench.avsr.openhead.tuning import SEARCHES, tune_decoding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="checkpoint (.safetensors) with its .json beside it")
    parser.add_argument(
        "--benchmark", default="openhead-20", help="gives the word lists (default %(default)s)"
    )
    parser.add_argument(
        "--per-language", type=int, default=3, help="clips in each language (default %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=77, help="seed of the development set (default %(default)s)"
    )
    parser.add_argument(
        "--searches", nargs="+", choices=SEARCHES, default=SEARCHES, help="searches to choose among"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    best, table = tune_decoding(**vars(options))
    for config, error in table[:10]:
        print(f"{error:.4f}  {config}")
    print(f"{options.weights}: {best}")


if __name__ == "__main__":
    main()
