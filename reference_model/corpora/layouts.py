"""Training data in other projects' layouts: the released MultiTalk layout and VOCASET's.

Conventions
-----------
Both are folders of sound and FLAME meshes (topology ``flame-5023``) under the same file names::

    wav/<Language>_<…>.wav   npy/<Language>_<…>.npz         verts (T, 5023, 3) at 25 fps     MultiTalk
    wav/<subject>_<…>.wav    vertices_npy/<subject>_<…>.npy (S, 15069) at 60 fps             VOCASET
    templates.pkl            resting faces by name: 'id' (MultiTalk, one for all), or by subject (VOCASET)
    train.txt                optional: names of the clips to train on, one a line; without it, all are
    test.txt, val.txt        optional: names of clips that are never trained on

Lists name clips in any of the field's spellings (:mod:`mtbench.files.clip_lists`). Opening a
corpus looks at the header of every file and at no values. A clip that cannot be used (a file without its partner,
another shape, sound and motion of different lengths) is left out; ``left_out`` says why for each, and the log names
the first. A name in a list that no file has, and a language that is none of the twenty, stop the opening. Values
are checked as they are read.

Sources of the layouts: MultiTalk's ``dataset/data_loader_multi.py``; FaceFormer's ``data_loader.py`` for VOCASET.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError, UsageError
from mtbench.faces import FLAME
from mtbench.files import open_arrays, read_lists
from mtbench.reference_model.corpora.layout_files import (
    TEMPLATES,
    list_files,
    measure_sound,
    read_faces,
)
from mtbench.speech import language_code
from mtbench.timing import FPS, MAX_FRAMES, SAMPLES_PER_FRAME

log = logging.getLogger(__name__)

#: Subjects that everyone who publishes on VOCASET validates or tests on (its authors' split).
VOCASET_HELD_OUT = (
    "FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA",
    "FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA",
)  # fmt: skip
#: Seconds by which sound and motion of a clip may differ in length; the sound is cut or padded to the motion.
LENGTH_TOLERANCE = 0.25

#: Farthest in metres that a vertex may be from the resting face: jaws open by some 50 mm.
_FARTHEST = 0.15
#: Bytes at the end of each file that go into the digest; those of an npz hold the checksums of its contents.
_TAIL = 4096


@dataclass(frozen=True)
class _Recording:
    """A clip that can be used: its files, language and speaker, and how many frames are stored."""

    sound: Path
    motion: Path
    language: str
    speaker: str
    stored: int


class _RecordedCorpus:
    """What both layouts have in common; satisfies :class:`mtbench.reference_model.corpora.corpus.Corpus`.

    Parameters
    ----------
    root : path
        The folder.

    Attributes
    ----------
    left_out : dict of str to str
        Clips that are not used, and why.

    Raises
    ------
    UsageError
        Where there is no such folder, no usable clip, or no resting face for one.
    """

    topology = FLAME.name
    _layout: str
    _folder: str
    _suffix: str
    _array: str
    _fps: int

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        for folder in ("wav", self._folder):
            if not (self.root / folder).is_dir():
                raise UsageError(
                    f"{self.root}: no folder {folder}/, which the {self._layout} layout has; it holds wav/, "
                    f"{self._folder}/ and {TEMPLATES}"
                )
        self.name = f"{self._layout} layout, {self.root.name}"
        self.left_out: dict[str, str] = {}
        found = self._find()
        self.ids = tuple(found)
        self._recordings = tuple(found.values())
        self.language_of = tuple(r.language for r in self._recordings)
        self.languages = tuple(sorted(set(self.language_of)))
        self.lengths = np.array([self._count_frames(r.stored) for r in self._recordings], np.int64)
        self._faces = read_faces(self.root / TEMPLATES, {r.speaker for r in self._recordings})
        self.digest = self._hash_files()

    def __len__(self) -> int:
        return len(self.ids)

    def audio(self, index: int) -> np.ndarray:
        """Return the sound of a clip at 16 kHz, cut or padded with zeros to its motion, (640 T,) float32."""
        from mtbench.speech import fit_length, load_audio

        try:
            sound = load_audio(self._recordings[index].sound)
        except BenchmarkError as error:
            raise UsageError(str(error)) from None
        return fit_length(sound, int(self.lengths[index]) * SAMPLES_PER_FRAME)

    def displacement(self, index: int) -> np.ndarray:
        """Return (T, 15069) float32 metres from the speaker's resting face.

        Raises
        ------
        UsageError
            Where the file changed since the corpus was opened, is damaged, holds NaN, or is no such face in metres.
        """
        recording = self._recordings[index]
        try:
            motion, stored = self._read_motion(recording.motion, values=True)
        except (ValueError, OSError) as error:
            raise UsageError(f"{recording.motion}: {error}; copy it again, or remove it") from None
        if stored != recording.stored:
            raise UsageError(
                f"{recording.motion}: has {stored} frames, had {recording.stored} when it was listed"
            )
        if not np.isfinite(motion).all():
            raise UsageError(f"{recording.motion}: holds NaN or infinite numbers; remove the clip")
        motion = self._at_25_fps(motion) - self.template(index).reshape(1, -1)
        farthest = float(np.abs(motion).max())
        if farthest > _FARTHEST:
            raise UsageError(
                f"{recording.motion}: a vertex is {farthest:.2g} m from the resting face in {TEMPLATES}, expected at "
                f"most {_FARTHEST} m; perhaps millimetres, head turns, or the template of other data"
            )
        return motion.astype(np.float32, copy=False)

    def template(self, index: int) -> np.ndarray:
        """Return the speaker's resting face, (5023, 3) float32 metres."""
        return self._faces[self._recordings[index].speaker]

    def _find(self) -> dict[str, _Recording]:
        """Look at every file, and return the usable clips by name."""
        sounds = list_files(self.root / "wav", ".wav")
        motions = list_files(self.root / self._folder, self._suffix)
        stems = sorted(sounds.keys() | motions.keys())
        chosen, held_out = read_lists(self.root, stems, self._group_by_speaker(stems))
        for stem, name in held_out.items():
            self.left_out[stem] = f"held out by {name}"
        wanted = [s for s in stems if s not in held_out and (chosen is None or s in chosen)]
        self._require_languages(wanted)
        found = {}
        for stem in wanted:
            if why := self._excuse(stem, chosen is not None):
                self.left_out[stem] = why
                continue
            try:
                found[stem] = self._inspect(stem, sounds.get(stem), motions.get(stem))
            except (ValueError, OSError, UsageError) as error:
                self.left_out[stem] = str(error)
        examples = "".join(f"\n  - {stem}: {why}" for stem, why in list(self.left_out.items())[:10])
        if not found:
            listed = "" if chosen is None else f" of the {len(chosen)} in the list of training clips"
            raise UsageError(
                f"{self.root}: no clip{listed} can be used; expected wav/<name>.wav beside "
                f"{self._folder}/<name>{self._suffix}{examples}"
            )
        if self.left_out:
            log.warning("%s: %d of %d clips are left out, among them%s", self.root, len(self.left_out),
                        len(self.left_out) + len(found), examples)  # fmt: skip
        return found

    def _require_languages(self, stems: list[str]) -> None:
        """Check that the language of every clip is known."""
        unknown = []
        for stem in stems:
            try:
                self._describe(stem)
            except UsageError as error:
                unknown.append(f"\n  - {stem}: {error}")
            except ValueError:
                continue  # no name of this layout: left out, with the reason, when it is inspected
        if unknown:
            more = f"\n  - and {len(unknown) - 10} more" if len(unknown) > 10 else ""
            raise UsageError(
                f"{self.root}: {len(unknown)} clip(s) in a language that is none of the twenty; rename them to "
                f"<Language>_<…>, remove them, or name the clips to train on in train.txt:"
                + "".join(unknown[:10]) + more
            )  # fmt: skip

    def _inspect(self, stem: str, sound: Path | None, motion: Path | None) -> _Recording:
        """Return a clip from its headers; ``ValueError`` says what is wrong with it."""
        language, speaker = self._describe(stem)
        if sound is None or motion is None:
            missing = f"wav/{stem}.wav" if sound is None else f"{self._folder}/{stem}{self._suffix}"
            raise ValueError(f"there is no {missing}")
        _, stored = self._read_motion(motion, values=False)
        frames = self._count_frames(stored)
        if not 1 <= frames <= MAX_FRAMES:
            raise ValueError(f"{frames} frames at {FPS} fps, expected 1 to {MAX_FRAMES}")
        heard, seen = measure_sound(sound), stored / self._fps
        if abs(heard - seen) > LENGTH_TOLERANCE:
            raise ValueError(
                f"{heard:.2f} s of sound beside {seen:.2f} s of motion at {self._fps} fps; perhaps another frame rate"
            )
        return _Recording(sound, motion, language, speaker, stored)

    def _read_motion(self, path: Path, values: bool) -> tuple[np.ndarray, int]:
        """Return vertices (S, 15069) as stored, or nothing, and S; the header is checked before values are read."""
        most = (MAX_FRAMES * self._fps // FPS + self._fps) * FLAME.n_vertices * 3 * 8
        with open_arrays(path.resolve(), most + 64 * 1024) as file:
            header = file.headers.get(self._array)
            if header is None:
                raise ValueError(f"holds {', '.join(map(repr, file.headers))}, expected {self._array!r}")
            if header.dtype.kind != "f" or header.shape[1:] not in (
                (FLAME.n_vertices, 3),
                (3 * FLAME.n_vertices,),
            ):
                raise ValueError(
                    f"{header.dtype} of shape {header.shape}, expected float32 (T, {FLAME.n_vertices}, 3) or "
                    f"(T, {3 * FLAME.n_vertices})"
                )
            frames = header.shape[0]
            array = file.read(self._array, most) if values else np.empty((frames, 0))
        return array.reshape(frames, -1), frames

    def _hash_files(self) -> str:
        """Return a digest of names, sizes and ends of all files, which takes no reading of whole files."""
        h = hashlib.blake2b(digest_size=16)
        h.update(f"{self._layout} 1\n".encode())
        paths = [p for r in self._recordings for p in (r.sound, r.motion)]
        for path in (self.root / TEMPLATES, *paths):
            with path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _TAIL))
                h.update(f"{path.name}|{size}|".encode() + hashlib.blake2b(file.read(_TAIL)).digest())
        return h.hexdigest()

    def _describe(self, stem: str) -> tuple[str, str]:
        """Return language and speaker of a clip.

        ``ValueError`` where its name is none of the layout's, ``UsageError`` where its language is unknown.
        """
        raise NotImplementedError

    def _group_by_speaker(self, stems: list[str]) -> dict[str, list[str]]:
        """Return the clips of each speaker that a list may name instead of clips."""
        return {}

    def _excuse(self, stem: str, listed: bool) -> str:
        """Return why a clip that no list holds out is not trained on; ``""`` where it is."""
        return ""

    def _count_frames(self, stored: int) -> int:
        """Return the frames at 25 fps of *stored* frames."""
        return stored * FPS // self._fps

    def _at_25_fps(self, motion: np.ndarray) -> np.ndarray:
        """Return (T, 15069) float of motion as stored."""
        return motion


class MultiTalkCorpus(_RecordedCorpus):
    """Data in the layout that MultiTalk was released for; the language is the first part of a clip's name.

    Parameters
    ----------
    root : path
        Folder with ``wav/``, ``npy/`` and ``templates.pkl``, whose face ``id`` is everyone's.

    Raises
    ------
    UsageError
        Where there is no such folder, no usable clip, or no resting face.
    """

    _layout, _folder, _suffix, _array, _fps = "MultiTalk", "npy", ".npz", "verts", 25

    def _describe(self, stem: str) -> tuple[str, str]:
        return language_code(stem.split("_")[0]), "id"


class VocasetCorpus(_RecordedCorpus):
    """VOCASET as FaceFormer and its successors lay it out: English, 60 fps, a resting face for each subject.

    Motion is brought to 25 fps by linear interpolation between the two frames around the middle of each new one.
    A list may name subjects instead of clips. Without a ``train.txt``, those of :data:`VOCASET_HELD_OUT` are left out.

    Parameters
    ----------
    root : path
        Folder with ``wav/``, ``vertices_npy/`` and ``templates.pkl``.

    Raises
    ------
    UsageError
        Where there is no such folder, no usable clip, or no resting face for a subject.
    """

    _layout, _folder, _suffix, _array, _fps = "VOCASET", "vertices_npy", ".npy", "", 60

    def _describe(self, stem: str) -> tuple[str, str]:
        subject, _, sentence = stem.rpartition("_")
        if not subject or not sentence:
            raise ValueError("the name is not <subject>_<sentence>")
        return "eng", subject

    def _group_by_speaker(self, stems: list[str]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for stem in stems:
            if subject := stem.rpartition("_")[0]:
                groups.setdefault(subject, []).append(stem)
        return groups

    def _excuse(self, stem: str, listed: bool) -> str:
        subject = stem.rpartition("_")[0]
        if listed or subject not in VOCASET_HELD_OUT:
            return ""
        return f"subject {subject} is for validation and test; name it in train.txt to train on it"

    def _at_25_fps(self, motion: np.ndarray) -> np.ndarray:
        # The middle of new frame t lies at (t + 1/2) / 25 s, that of stored frame s at (s + 1/2) / 60 s.
        place = (np.arange(self._count_frames(len(motion))) + 0.5) * (self._fps / FPS) - 0.5
        before = place.astype(np.int64)
        after = np.minimum(before + 1, len(motion) - 1)
        share = (place - before).astype(np.float32)[:, None]
        return motion[before] * (1 - share) + motion[after] * share
