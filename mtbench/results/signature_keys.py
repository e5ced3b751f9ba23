"""What the keys of signatures mean, for people."""

from __future__ import annotations

from mtbench.results.signature import KEYS

_MEANINGS = {
    "bench": "benchmark: name, version, digest of all its files",
    "profile": "name of the settings that the score was made with",
    "lang": "language, or all",
    "mod": "what the recognizer was given: av sound and mouth, a sound alone, v mouth alone",
    "snr": "signal-to-noise ratio, decibels",
    "noise": "noise recording and its digest, or all of them",
    "mix": "how noise is mixed with speech, and the seed of its place",
    "topology": "mesh, and digest of its surface where it is rendered",
    "posed": "model that turned the entry's parameters into vertices",
    "truth": "model that turned the ground truth's parameters into vertices",
    "rest": "face that a static face shows where no ground truth tells one",
    "render": "renderer, its version, digest of lights and camera",
    "crop": "how the mouth is cut out of the picture",
    "fps": "frames a second that the benchmark is scored at",
    "resample": "the entry's frame rate and how it was brought to the benchmark's",
    "rec": "recognizer, and digest of its weights, code and settings",
    "dec": "how the recognizer searches",
    "lexicon": "words that the recognizer may answer with",
    "norm": "what is done to texts before errors are counted",
    "rate": "which error rate is the headline",
    "against": "what the entry's face is compared with",
    "mask": "vertices that are compared: how many, and digest of the list",
    "err": "what is computed of the distances",
    "template": "the speakers' neutral faces",
    "align": "how the prediction is aligned with the truth first",
    "unit": "unit of the number",
    "mean": "how a run averages that does not pool its clips",
    "agg": "average within or over languages",
    "n": "clips that entered",
    "ci": "what the interval resamples",
    "bs": "bootstrap samples",
    "seed": "seed of the bootstrap",
    "version": "version of mtbench",
}

#: Long key -> short key and meaning, in the order in which they are written.
KEY_MEANINGS: dict[str, tuple[str, str]] = {key: (short, _MEANINGS[key]) for key, short in KEYS.items()}
