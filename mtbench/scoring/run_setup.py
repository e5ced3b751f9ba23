"""What a run is made with, as a value that worker processes load the same things from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtbench.avsr import RecognizerSpec
from mtbench.renderers import Appearance

if TYPE_CHECKING:
    from mtbench.synth import OpenVocabulary


@dataclass(frozen=True)
class Contents:
    """Digests of what a :class:`Setup` names, as it was when the run began.

    Attributes
    ----------
    benchmark, noises, submission : str
        Of all files.
    recognizer : str
        Of everything that it is (:func:`mtbench.avsr.base.cache_identity`).
    """

    benchmark: str = ""
    noises: str = ""
    submission: str = ""
    recognizer: str = ""


@dataclass(frozen=True)
class Setup:
    """What a run is made with; picklable, so that workers can load the same.

    Attributes
    ----------
    benchmark, submission : str
        Paths (the benchmark's may be a name).
    cache : str
        Folder.
    recognizer : RecognizerSpec or None
        None measures geometry only.
    renderer : str
        Name.
    appearance : Appearance
        Of the rendered faces.
    noise : str or None
        Folder of noise recordings.
    noise_names : tuple of str or None
        Recordings that are wanted by name, see :func:`mtbench.speech.noise.load_noises`.
    mixing : str
        How noise is mixed with speech, one of :data:`mtbench.speech.noise.MIXINGS`.
    squash : bool
        Whether pictures are squeezed to 4:3 before mouths are cut out (:mod:`mtbench.renderers.mouth_crop`).
    allow_partial : bool
        Tolerate missing clips.
    contents : Contents
        What lies under these names: a process that loaded something else under the same names loads again.
    vocabularies : tuple of OpenVocabulary
        Words in languages for which the benchmark has no list, see :mod:`mtbench.scoring.vocabularies`.
    metrics : tuple of str
        Optional metrics that are asked for.
    """

    benchmark: str
    submission: str
    cache: str
    recognizer: RecognizerSpec | None
    renderer: str
    appearance: Appearance = field(default_factory=Appearance)
    noise: str | None = None
    noise_names: tuple[str, ...] | None = None
    mixing: str = "rms"
    squash: bool = False
    allow_partial: bool = False
    contents: Contents = Contents()
    vocabularies: tuple[OpenVocabulary, ...] = ()
    metrics: tuple[str, ...] = ()
