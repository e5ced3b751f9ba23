"""A small corpus for tests of training: a few movements of random vertices, driven by sound of their loudness."""

import numpy as np
from factories import FLAME_SIZE

LANGUAGES = ("deu", "eng")


class WaveCorpus:
    """Clips whose lips open as their tone grows louder; satisfies the protocol of corpora."""

    name = "waves"
    topology = "flame-5023"
    languages = LANGUAGES

    def __init__(self, clips: int = 24, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.digest = f"{seed:04d}of{clips:04d}-waves"
        self.ids = tuple(f"{LANGUAGES[i % 2]}-{i:03d}" for i in range(clips))
        self.language_of = tuple(LANGUAGES[i % 2] for i in range(clips))
        self.lengths = rng.integers(18, 60, clips)
        self.movements = rng.normal(0, 2e-4, (6, 3 * FLAME_SIZE)).astype(np.float32)
        self._phase = rng.uniform(0, 6.28, (clips, 6))

    def __len__(self) -> int:
        return len(self.ids)

    def _activation(self, index: int) -> np.ndarray:
        t = np.arange(self.lengths[index])[:, None] / 25
        return np.sin(2 * np.pi * (1 + np.arange(6)) * t + self._phase[index]) + 1

    def audio(self, index: int) -> np.ndarray:
        loud = np.repeat(self._activation(index)[:, 0], 640)
        return (0.1 * loud * np.sin(np.arange(len(loud)) * 0.2)).astype(np.float32)

    def displacement(self, index: int) -> np.ndarray:
        return self._activation(index).astype(np.float32) @ self.movements

    def template(self, index: int) -> np.ndarray:
        return np.zeros((FLAME_SIZE, 3), np.float32)
