"""Training corpora of the reference model: sound, motion and language of many clips.

Conventions
-----------
A corpus is anything that satisfies :class:`Corpus`. Sound is mono at 16 kHz, motion has 25 frames per second, a clip of
T frames has 640 T samples; motion is a displacement from the speaker's resting face, in metres. :func:`open_corpus`
knows three kinds of folder: what :func:`~mtbench.reference_model.corpora.generated.generate_corpus` writes, the
released MultiTalk layout and VOCASET's (:mod:`mtbench.reference_model.corpora.layouts`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import explain_no_folder, find_lists
from mtbench.reference_model.corpora.generated import MANIFEST, REQUEST, GeneratedCorpus


class Corpus(Protocol):
    """Clips to learn from; sound and motion are read on every access."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def digest(self) -> str:
        """Of everything that the clips follow from."""
        ...

    @property
    def topology(self) -> str:
        """Name of the topology."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-3 codes of all clips."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """A name for each clip."""
        ...

    @property
    def language_of(self) -> tuple[str, ...]:
        """ISO 639-3 code of each clip."""
        ...

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64 frames."""
        ...

    def __len__(self) -> int:
        """Return the number of clips."""
        ...

    def audio(self, index: int) -> np.ndarray:
        """Return the sound of a clip, (640 T,) float32."""
        ...

    def displacement(self, index: int) -> np.ndarray:
        """Return (T, 3 V) float32 metres from the speaker's resting face."""
        ...

    def template(self, index: int) -> np.ndarray:
        """Return the speaker's resting face, (V, 3) float32 metres."""
        ...


def open_corpus(path: str | Path) -> Corpus:
    """Open a folder of training data.

    Parameters
    ----------
    path : path
        Holds ``corpus.json`` (generated), ``wav/``, ``npy/`` and ``templates.pkl`` (MultiTalk), or ``wav/``,
        ``vertices_npy/`` and ``templates.pkl`` (VOCASET).

    Raises
    ------
    UsageError
        For anything else, and for lists that name clips no file has
        (:mod:`mtbench.files.clip_lists`).
    """
    root = Path(path)
    if not root.is_dir():
        raise UsageError(f"{explain_no_folder(root)}; a folder of training data is meant")
    if (root / MANIFEST).is_file():
        if lists := find_lists(root):
            raise UsageError(
                f"{lists[0][0]}: a generated corpus has no lists, its clips are disjoint from every bundled benchmark; "
                "move the list elsewhere, it would hold nothing out"
            )
        return GeneratedCorpus(root)
    if (root / "wav").is_dir() and (root / "vertices_npy").is_dir():
        from mtbench.reference_model.corpora.layouts import VocasetCorpus

        return VocasetCorpus(root)
    if (root / "wav").is_dir() and (root / "npy").is_dir():
        from mtbench.reference_model.corpora.layouts import MultiTalkCorpus

        return MultiTalkCorpus(root)
    what = "unfinished generated corpus" if (root / REQUEST).is_file() else "none of the known layouts"
    raise UsageError(
        f"{root}: {what}; expected {MANIFEST} (run `mtbench reference data` to its end), wav/ and npy/ (MultiTalk), "
        "or wav/ and vertices_npy/ (VOCASET)"
    )
