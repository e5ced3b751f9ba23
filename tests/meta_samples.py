"""Scores of a meta-evaluation whose answer is known, for tests of its statistics."""

from dataclasses import replace

import numpy as np

from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import FAMILIES, default_systems, select_systems

LANGUAGES = ("ces", "eng", "ita", "jpn")
AV, V = "av-7.5/babble", "v"
SNRS = (5.0, -7.5, -15.0)


def harm_of(system):
    """0 for the ground truth and nuisances, up to 1 for the worst of every family."""
    if system.family == "ground-truth" or system.nuisance:
        return 0.0
    return system.severity / len(FAMILIES[system.family].levels)


def make_scores(
    *, families=None, harm=harm_of, clips=6, languages=LANGUAGES, noise=0.0, seed=0, snr=False, words=20.0
):
    """Return scores in which errors rise with *harm*, from 20 to 80 % (phones: 10 to 90 %)."""
    systems = select_systems(default_systems(), families=families)
    rng = np.random.default_rng(seed)
    ids = tuple(f"{language}-{i}" for language in languages for i in range(clips))
    n, s = len(ids), len(systems)
    level = np.array([harm(system) for system in systems])
    lengths, phones = np.full(n, words), np.full(n, 4 * words)

    def errors(low, high, size):
        rate = low + (high - low) * level[:, None] + noise * rng.standard_normal((s, n))
        return np.round(np.clip(rate, 0, 1.5) * size, 6)

    found = {AV: errors(0.2, 0.8, lengths), V: errors(0.4, 0.9, lengths)}
    spoken = {AV: errors(0.1, 0.9, phones), V: errors(0.3, 0.9, phones)}
    if snr:
        curve = [
            row for row, x in enumerate(systems) if x.name in ("ground-truth", "amplitude-0.5", "static")
        ]
        for place, name in enumerate(("av-clean", "av+5/babble", "av-15/babble", "a-clean", "a-7.5/babble")):
            rows = curve if name.startswith("av") else curve[:1]
            for target, size in ((found, lengths), (spoken, phones)):
                full = errors(*((0.02, 0.05), (0.1, 0.3), (0.4, 1.0), (0.1, 0.1), (0.7, 0.7))[place], size)
                target[name] = np.full((s, n), np.nan)
                target[name][rows] = full[rows]
    reference = tuple(tuple("pataminu" * 10) for _ in ids)
    return MetaScores(
        systems=systems,
        clips=ids,
        languages=tuple(language for language in languages for _ in range(clips)),
        conditions=tuple(found),
        errors=found,
        lengths=lengths,
        phone_errors=spoken,
        phone_lengths=phones,
        log_probabilities={name: -0.5 * array for name, array in spoken.items()},
        tokens=phones,
        others={name: np.full((s, n), np.nan) for name in spoken},
        geometry={"lve_mm": level[:, None] + np.zeros(n), "fdd_abs_m2": np.full((s, n), 1e-6)},
        hypotheses={("ground-truth", V): reference},
        references=reference,
        facts={"recognizer": "openhead-av", "benchmark": "sample@1", "frames": [50] * n},
    )


def with_errors(scores, system, rate, condition=AV):
    """Return *scores* in which *system* has the given error rate on every clip (or an array of rates)."""
    errors = {name: array.copy() for name, array in scores.errors.items()}
    errors[condition][scores.index(system)] = rate * scores.lengths
    return replace(scores, errors=errors)
