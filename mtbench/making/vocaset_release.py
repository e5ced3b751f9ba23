"""VOCASET as its authors release it: all frames in one array, sound and their order in pickles.

Conventions
-----------
``data_verts.npy`` holds every frame of every clip, (N, 5023, 3) metres at 60 frames a second;
``subj_seq_to_idx.pkl`` says which of them are a clip's, ``{subject: {sequence: {frame: row}}}``;
``raw_audio_fixed.pkl`` holds the sound, ``{subject: {sequence: {"audio": int16, "sample_rate": …}}}``. Both are
read without being run. The clips that are wanted are written as FaceFormer's ``process_voca_data.py`` writes them,
``wav/<subject>_<sequence>.wav`` and ``vertices_npy/<…>.npy``; of the large array no more is read than their rows.

Read in TimoBolkart/voca (``utils/data_handler.py``) and EvelynFan/FaceFormer (``vocaset/process_voca_data.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import FLAME
from mtbench.files import ArrayFileError, UnsafePickleError, load_tree, open_arrays
from mtbench.making.notes import Ledger

VERTICES, ORDER, SOUND = "data_verts.npy", "subj_seq_to_idx.pkl", "raw_audio_fixed.pkl"
#: Most bytes of the array of all frames; VOCASET's has 7.4 GB.
_MAX_BYTES = 64 << 30


def is_release(root: Path) -> bool:
    """Return whether a folder holds VOCASET as it is released, and not as FaceFormer's script leaves it."""
    return (root / VERTICES).is_file() and not (root / "vertices_npy").is_dir()


class VocasetRelease:
    """A released VOCASET.

    Parameters
    ----------
    root : Path

    Attributes
    ----------
    clips : dict of str to (str, str)
        Subject and sequence by the name that FaceFormer's script gives a clip.

    Raises
    ------
    UsageError
        Where a file is absent or holds something else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._order = _read_tree(root / ORDER, "{subject: {sequence: {frame: row}}}")
        self._sound: dict[Any, Any] = {}
        self.clips = {
            f"{subject}_{sequence}": (subject, sequence)
            for subject, sequences in self._order.items()
            if isinstance(sequences, dict)
            for sequence in sequences
        }

    def unpack(self, names: Iterable[str], folder: Path, ledger: Ledger) -> None:
        """Write clips as FaceFormer's script does; what is wrong with one becomes a finding.

        Parameters
        ----------
        names : iterable of str
            Names of the clips that the release has.
        folder : Path
            Gets ``wav/`` and ``vertices_npy/``.
        ledger : Ledger
        """
        import soundfile

        self._sound = _read_tree(self._root / SOUND, '{subject: {sequence: {"audio": …, "sample_rate": …}}}')
        frames = _map_frames(self._root / VERTICES)
        (folder / "wav").mkdir()
        (folder / "vertices_npy").mkdir()
        for name in names:
            subject, sequence = self.clips[name]
            try:
                rows = self._rows(subject, sequence, len(frames))
                samples, rate = self._samples(subject, sequence)
            except UsageError as error:
                ledger.findings.append(f"{name}: {error}")
                continue
            np.save(folder / "vertices_npy" / f"{name}.npy", np.asarray(frames[rows], np.float32))
            soundfile.write(folder / "wav" / f"{name}.wav", samples, rate, subtype="PCM_16")

    def _rows(self, subject: str, sequence: str, count: int) -> np.ndarray:
        order = self._order[subject][sequence]
        if not isinstance(order, dict) or not order or not all(map(_is_whole, (*order, *order.values()))):
            raise UsageError(f"{ORDER}: no rows by frame; expected {{frame: row}}")
        rows = np.array([order[frame] for frame in sorted(order)], np.int64)
        if not 0 <= rows.min() <= rows.max() < count:
            raise UsageError(f"{ORDER}: row {rows.max()}, and {VERTICES} has {count}; of another release?")
        return rows

    def _samples(self, subject: str, sequence: str) -> tuple[np.ndarray, int]:
        table = self._sound.get(subject)
        entry = table.get(sequence) if isinstance(table, dict) else None
        samples = entry.get("audio") if isinstance(entry, dict) else None
        rate = entry.get("sample_rate") if isinstance(entry, dict) else None
        rate = int(rate.reshape(-1)[0]) if isinstance(rate, np.ndarray) and rate.size == 1 else rate
        if (
            not isinstance(samples, np.ndarray)
            or samples.dtype != np.int16
            or samples.ndim != 1
            or not samples.size
        ):
            raise UsageError(f"{SOUND}: no sound of it, expected 'audio', whole numbers of 16 bits")
        if type(rate) is not int or not 8000 <= rate <= 192_000:
            raise UsageError(f"{SOUND}: sample_rate {rate!r}, expected 8,000 to 192,000")
        return samples, rate


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 40


def _read_tree(path: Path, expected: str) -> dict[Any, Any]:
    try:
        return load_tree(path)
    except UnsafePickleError as error:
        raise UsageError(f"{path}: {error}; expected {expected}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); the release has it") from None


def _map_frames(path: Path) -> np.ndarray:
    """Return the (N, 5023, 3) array of all frames, of which nothing is read yet."""
    try:
        with open_arrays(path, _MAX_BYTES) as file:
            header = file.headers.get("")
    except ArrayFileError as error:
        raise UsageError(f"{path}: {error} — {error.hint}") from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None
    if (
        header is None
        or header.dtype.kind != "f"
        or header.fortran
        or header.shape[1:] != (FLAME.n_vertices, 3)
    ):
        shape = "an archive" if header is None else f"{header.dtype} of shape {header.shape}"
        raise UsageError(f"{path}: {shape}, expected float32 (N, {FLAME.n_vertices}, 3)")
    return np.memmap(path, header.dtype, "r", header.offset, header.shape)
