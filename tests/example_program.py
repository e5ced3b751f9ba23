"""A recognizer as a program of its own: knows nothing of mtbench, needs numpy alone.

Run by mtbench as ``--recognizer "program:tests/example_program.py"``. Arguments are faults, for tests of how they are
reported: ``FAULT`` or ``FAULT@FILE``, which happens as long as FILE does not exist, and makes it.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

#: What comes first, before anything is asked.
HANDSHAKE = {
    "protocol": 1,
    "name": "one-ear-program",
    "digest": "1",
    "languages": ["ita", "eng", "jpn"],
    "decoder": "greedy",
    "scores_references": True,
    "timeout_s": 60,
}


def read(path, name):
    """The array of a file that mtbench wrote; None where the modality is withheld."""
    return None if path is None else np.load(path)[name]


def listen(request):
    """One hypothesis for each condition: the moving mouth helps where the sound is rough."""
    crops = read(request["crops"], "crops")
    motion = 0.0 if crops is None else float(np.abs(np.diff(crops.astype(np.int16), axis=0)).mean())
    hypotheses = []
    for path in request["audio"]:
        sound = read(path, "audio")
        code = hashlib.blake2b(b"" if sound is None else sound.tobytes(), digest_size=8).hexdigest()
        rough = 0.0 if sound is None else float(np.abs(np.diff(sound)).mean() / np.abs(sound).mean())
        heard = int(np.clip(6 * (1.2 - rough) + motion, 0, 6))
        words = " ".join(["word"] * heard + [code] * (6 - heard))
        hypotheses.append({"text": words, "phones": ["a", "b"][: 1 + heard % 2]})
    return hypotheses


def weigh(request):
    """How probable the reference is under each condition; of its phones, or of its words where nobody knows phones."""
    tokens = len(request["reference"]["phones"] or request["reference"]["text"].split())
    return [{"log_probability": -1.5 * len(h["text"]) / 40, "tokens": tokens} for h in listen(request)]


def answer(request):
    """The answer to one request, without its number."""
    if request["type"] == "transcribe":
        return {"hypotheses": listen(request)}
    if request["type"] == "score":
        return {"scores": weigh(request)}
    return {"error": f"unknown request {request['type']}"}


def misbehave(faults):
    """Do what the arguments ask for, for the tests."""
    for fault in faults:
        what, _, file = fault.partition("@")
        if file and Path(file).exists():
            continue
        if file:
            Path(file).touch()
        print(f"about to {what}", file=sys.stderr, flush=True)
        if what == "crash":
            raise ValueError("the \x1b[31mweights are gone")
        elif what == "hang":
            time.sleep(1000)
        elif what == "babble":
            print("Loading model ...", flush=True)
        elif what == "flood":
            sys.stdout.write("x" * (5 << 20))
            sys.stdout.flush()
            time.sleep(1000)
        elif what == "fail":
            print(json.dumps({"id": 1, "error": "no such\nlanguage model"}), flush=True)


def main(faults):
    """Say what this is, then answer line by line until the input ends."""
    misbehave([f.removeprefix("start-") for f in faults if f.startswith("start-")])
    options = [f.removeprefix("says-").partition("=") for f in faults if f.startswith("says-")]
    print(json.dumps(HANDSHAKE | {name: json.loads(value) for name, _, value in options}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if log := os.environ.get("PROGRAM_LOG"):
            with Path(log).open("a") as file:
                file.write(f"{os.getpid()} {request['type']} {len(request['audio'])}\n")
        misbehave([f for f in faults if not f.startswith(("start-", "says-"))])
        print(json.dumps({"id": request["id"], **answer(request)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
