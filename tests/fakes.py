"""A recognizer without a network, and a tiny benchmark on the bundled head, for tests of the pipeline.

``OneEar`` hears the words of the transcript as far as the sound is loud and the mouth open: fewer words get
through the noisier the sound and the stiller the face. It is deterministic and takes milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from mtbench.avsr.base import Hypothesis

CLIPS = {
    "ita-01": ("ita", 30, "word word word word word word"),
    "ita-02": ("ita", 26, "word word word word word word"),
    "eng-01": ("eng", 28, "word word word word word word"),
    "eng-02": ("eng", 25, "Word, word word: word word word!"),
    "jpn-01": ("jpn", 27, "すべて 人 は 自由"),
    "jpn-02": ("jpn", 31, "何人 も 奴隷 に されない"),
}


class OneEar:
    """A deterministic stand-in for a recognizer."""

    name = "one-ear"
    digest = "0123456789abcdef0123456789abcdef"
    languages = frozenset({"ita", "eng", "jpn"})

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: object | None = None,
    ) -> list[Hypothesis]:
        log = os.environ.get("ONE_EAR_LOG")
        if log:
            with Path(log).open("a") as file:
                file.write(f"{language} {crops is not None} {len(audio)}\n")
        if pause := os.environ.get("ONE_EAR_PAUSE"):
            time.sleep(float(pause))
        motion = 0.0
        if crops is not None:
            assert crops.dtype == np.uint8
            assert crops.shape[1:] == (96, 96)
            motion = float(np.abs(np.diff(crops.astype(np.int16), axis=0)).mean())
        out = []
        for sound in audio:
            h = hashlib.blake2b(digest_size=8)
            if crops is not None:
                h.update(np.ascontiguousarray(crops).tobytes())
            if sound is not None:
                assert sound.dtype == np.float32
                h.update(sound.tobytes())
            code = h.hexdigest()
            roughness = 0.0 if sound is None else float(np.abs(np.diff(sound)).mean() / np.abs(sound).mean())
            heard = int(np.clip(6 * (1.2 - roughness) + motion, 0, 6))
            out.append(Hypothesis(" ".join(["word"] * heard + [code] * (6 - heard)), tuple(code[:4])))
        return out


def load_one_ear() -> OneEar:
    """The ``module:function`` that tests name."""
    return OneEar()


class NoItalian(OneEar):
    name = "no-italian"
    digest = "ffffffffffffffff"
    languages = frozenset({"eng", "jpn"})


def load_no_italian() -> OneEar:
    return NoItalian()


ONE_EAR = "fakes:load_one_ear"


def curves(frames: int, seed: int) -> np.ndarray:
    """(T, U) float32 facial-unit curves of a mouth that opens and closes."""
    from mtbench.faces.head import load_head

    head = load_head()
    out = np.zeros((frames, len(head.unit_names)), np.float32)
    t = np.arange(frames)
    out[:, head.unit_index("jawOpen")] = 0.3 + 0.3 * np.sin(t * 0.9 + seed)
    out[:, head.unit_index("mouthPucker")] = 0.4 * (np.sin(t * 0.4 + 2 * seed) > 0)
    out[:, head.unit_index("browInnerUp")] = 0.2 * np.sin(t * 0.2) ** 2
    return out


def make_benchmark(
    folder: Path, clips: dict[str, tuple[str, int, str]] | None = None, motion: bool = True, noises: int = 2
) -> Path:
    """Write a benchmark folder on the bundled head with tones for speech; return it."""
    from mtbench.faces.head import load_head

    head = load_head()
    (folder / "audio").mkdir(parents=True)
    (folder / "motion").mkdir()
    (folder / "noise").mkdir()
    lines = ["schema = 1", 'name = "small"', 'version = "1"', "fps = 25", "sample_rate = 16000"]
    if motion:
        lines.append('topology = "openhead-1"')
    if noises:
        lines.append('noises = "noise"')
    rng = np.random.Generator(np.random.PCG64(5))
    for name in ("babble", "hiss")[:noises]:
        soundfile.write(folder / "noise" / f"{name}.flac", 0.2 * rng.uniform(-1, 1, 24000), 16000)
    for seed, (clip, (language, frames, transcript)) in enumerate((clips or CLIPS).items()):
        t = np.arange(frames * 640 - 33)
        tone = 0.25 * np.sin(0.03 * t * (1 + 0.1 * seed)) * (1 + 0.5 * np.sin(0.0005 * t))
        soundfile.write(folder / "audio" / f"{clip}.flac", tone, 16000)
        lines += ["[[clips]]", f'id = "{clip}"', f'language = "{language}"', f'transcript = "{transcript}"']
        lines += [f'audio = "audio/{clip}.flac"', f"frames = {frames}", f'source = "s{seed // 2}-{language}"']
        lines.append('phones = "a b t a"')
        if motion:
            identity = head.identity_names[seed % len(head.identity_names)]
            np.savez(
                folder / "motion" / f"{clip}.npz", units=curves(frames, seed), identity=np.array(identity)
            )
            lines.append(f'motion = "motion/{clip}.npz"')
    (folder / "benchmark.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def make_entry(
    folder: Path, clips: dict[str, tuple[str, int, str]] | None = None, amplitude: float = 0.8
) -> Path:
    """Write a submission of facial-unit curves; return it."""
    from mtbench.faces.head import load_head

    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(
        f'schema = 1\nsystem = "{folder.name}"\nbenchmark = "small@1"\nfps = 25\nunit = "m"\n'
        'topology = "openhead-1"\nkind = "units"\n'
    )
    names = load_head().identity_names
    for seed, (clip, (_, frames, _)) in enumerate((clips or CLIPS).items()):
        np.savez(
            folder / "motion" / f"{clip}.npz",
            units=np.float32(amplitude) * curves(frames, seed),
            identity=np.array(names[seed % len(names)]),
        )
    return folder
