"""The reference model in use: speech, a face and a language to motion.

Conventions
-----------
Motion and faces are vertices in metres, not displacements: (T, X) beside a face (X,), (T, V, 3) beside a face (V, 3),
X = 3 V. Audio is what the speech encoder's ``prepare`` returned. For a *language*, see
:mod:`mtbench.reference_model.conditioning`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from mtbench.errors import UsageError
from mtbench.files import digest_bytes
from mtbench.reference_model.conditioning import LanguageChoice, find_language, weigh_languages
from mtbench.reference_model.encoders import SpeechEncoder, check_audio, digest_tensors
from mtbench.reference_model.inference import generate
from mtbench.reference_model.model import MultiTalk
from mtbench.reference_model.voice_gate import Stretch, fade, find_speech, samples_per_frame
from mtbench.timing import FPS, MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME

#: Frames up to which the published model goes.
LONGEST = 600


class PredictedMotion(np.ndarray):
    """Motion, float32, with what should be known of it.

    Attributes
    ----------
    notes : tuple of str
        Empty where there is nothing to say.
    """

    notes: tuple[str, ...]

    def __new__(cls, motion: np.ndarray, notes: tuple[str, ...] = ()) -> PredictedMotion:
        """View *motion* so."""
        self = np.asarray(motion, np.float32).view(cls)
        self.notes = notes
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.notes = getattr(source, "notes", ())


class TeacherForcedLoss(NamedTuple):
    """Losses of stage 2 where the true motion is told: see :class:`~mtbench.reference_model.model.Losses`."""

    total: float
    motion: float
    feature: float


class _Heard(NamedTuple):
    """A clip: its frames, the stretches that are animated, features (S, width) for each, and what is to be said."""

    frames: int
    stretches: list[Stretch]
    speech: list[torch.Tensor]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ReferenceModel:
    """A trained model and what it hears with.

    Attributes
    ----------
    network : MultiTalk
        Network in evaluation mode.
    encoder : SpeechEncoder
        Its features are as wide as the network expects.
    name : str
        Name in headings and submissions.
    topology : str or None
        Topology of its vertices, where that is one that mtbench knows.
    digest : str
        Hex digest of settings and weights; see :meth:`of`.
    training : mapping
        Facts of its making, JSON values.
    gate : bool
        Whether the face rests where nobody speaks (:mod:`mtbench.reference_model.voice_gate`) unless a prediction is
        asked otherwise. :meth:`of` sets it for all but the published weights, whose motion is to be that of their code.
    """

    network: MultiTalk
    encoder: SpeechEncoder
    name: str
    topology: str | None
    digest: str
    training: Mapping[str, Any] = field(default_factory=dict, repr=False)
    gate: bool = False

    @classmethod
    def of(
        cls,
        network: MultiTalk,
        encoder: SpeechEncoder,
        name: str,
        topology: str | None,
        training: Mapping[str, Any] | None = None,
    ) -> ReferenceModel:
        """Return the model with the digest of its settings and weights.

        Raises
        ------
        UsageError
            Where the encoder's features have another width than the network expects.
        """
        settings = network.settings
        if encoder.width != settings.speech_width:
            raise UsageError(
                f"speech encoder {encoder.name} has features of {encoder.width} numbers, the model {name} expects "
                f"{settings.speech_width}; give the encoder that it was trained with"
            )
        text = json.dumps(settings.to_dict(), sort_keys=True)
        digest = digest_bytes(text.encode(), digest_tensors(network.state_dict().items()).encode())
        return cls(
            network.eval(), encoder, name, topology, digest, training or {}, gate=not settings.released
        )

    @property
    def _device(self) -> torch.device:
        return self.network.map_speech.weight.device

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of its languages that it was trained on, as far as its file says; else all that it has."""
        known, facts = self.network.settings.languages, self.training.get("stage2")
        codes = facts.get("languages") if isinstance(facts, Mapping) else None
        if not isinstance(codes, list):
            return known
        return tuple(own for own in known if any(find_language(str(code), [own]) for code in codes))

    def weigh_languages(self, language: LanguageChoice) -> np.ndarray:
        """Return the weights of the model's languages, (L,) float32.

        Raises
        ------
        UsageError
            For an unknown language or one that it was never trained on, weights that do not sum to 1, or none where
            one is needed.
        """
        return weigh_languages(language, self.network.settings.languages, self.name, self.languages)

    def autoencode(self, motion: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Map motion to codes and back (stage 1).

        Parameters
        ----------
        motion : (T, X) or (T, V, 3)
            T at least 2: instance norm has no say on a single frame.
        template : (X,) or (V, 3)
            The speaker's resting face.

        Returns
        -------
        reconstruction : float32
            Reconstruction in the form of *motion*.
        codes : (T, C) int64
        """
        displacement, face = self._displace(motion, template)
        with torch.inference_mode():
            space = self.network.autoencoder.space
            decoded, quantized = self.network.autoencoder(space.project(displacement))
            restored = (space.restore(decoded)[0].cpu() + face).numpy()
        return restored.reshape(np.shape(motion)), quantized.codes[0].cpu().numpy()

    def teacher_forced_loss(
        self, audio: np.ndarray, motion: np.ndarray, template: np.ndarray, language: LanguageChoice
    ) -> TeacherForcedLoss:
        """Return the losses of stage 2 on a clip, without dropout.

        Parameters
        ----------
        audio : (N,) float
            Prepared.
        motion, template
            As for :meth:`autoencode`.
        language
            See the module's conventions.
        """
        displacement, _ = self._displace(motion, template)
        weights = self._weights([language])
        with torch.inference_mode():
            speech = self.encoder.encode(check_audio(audio), displacement.shape[1]).to(self._device)
            x = self.network.autoencoder.space.project(displacement)
            losses = self.network.losses(speech[None], x, weights)
        return TeacherForcedLoss(float(losses.total), float(losses.motion), float(losses.feature))

    def predict(
        self,
        audio: np.ndarray,
        template: np.ndarray,
        language: LanguageChoice,
        frames: int | None = None,
        gate: bool | None = None,
    ) -> PredictedMotion:
        """Animate a face.

        Parameters
        ----------
        audio : (N,) float
            Prepared.
        template : (X,) or (V, 3)
            The speaker's resting face.
        language
            See the module's conventions; None where the model knows no languages.
        frames : int, optional
            T; by default as many as the sound is long. Sound too short for them is stretched, as in the released code.
        gate : bool, optional
            Whether the face rests where nobody speaks; by default as the model says (:attr:`gate`).

        Returns
        -------
        PredictedMotion
            (T, X) or (T, V, 3). Beyond 600 frames, for which the model was not made, it goes on, with a note.

        Raises
        ------
        UsageError
            For sound that is empty, no single channel or not finite, an unknown language, a face of another size, or
            more than two minutes.
        """
        return self.predict_many([audio], [template], [language], [frames], gate)[0]

    def predict_many(
        self,
        audios: Sequence[np.ndarray],
        templates: Sequence[np.ndarray],
        languages: Sequence[LanguageChoice],
        frames: Sequence[int | None] | None = None,
        gate: bool | None = None,
        tick: Callable[[], None] | None = None,
    ) -> list[PredictedMotion]:
        """Animate several clips at once; see :meth:`predict`. *tick* is called after every frame of every clip."""
        wanted = [None] * len(audios) if frames is None else frames
        faces = [self._face(template) for template in templates]
        weights = self._weights(languages)
        gated = self.gate if gate is None else gate
        clips = [self._hear(audio, length, gated) for audio, length in zip(audios, wanted, strict=True)]
        speech = [features for clip in clips for features in clip.speech]
        lengths = [s.stop - s.start for clip in clips for s in clip.stretches]
        owner = [i for i, clip in enumerate(clips) for _ in clip.stretches]
        made = iter(generate(self.network, speech, weights[owner], lengths, tick=tick) if speech else [])
        return [
            self._show(clip, [next(made) for _ in clip.stretches], face, np.shape(template))
            for clip, face, template in zip(clips, faces, templates, strict=True)
        ]

    def _show(
        self, clip: _Heard, parts: Sequence[torch.Tensor], face: torch.Tensor, shape: tuple[int, ...]
    ) -> PredictedMotion:
        """Return motion (T, *shape) of a clip from that of its stretches, (n, M) each, and the face (X,)."""
        vertices = face.expand(clip.frames, -1).clone()
        with torch.inference_mode():
            for stretch, motion in zip(clip.stretches, parts, strict=True):
                displacement = self.network.autoencoder.space.restore(motion).cpu()
                if stretch != (0, clip.frames):
                    displacement *= torch.from_numpy(fade(stretch, clip.frames))[:, None]
                vertices[stretch.start : stretch.stop] = displacement + face
        return PredictedMotion(vertices.numpy().reshape(clip.frames, *shape), clip.notes)

    def _hear(self, audio: np.ndarray, frames: int | None, gated: bool) -> _Heard:
        """Return what is heard of a clip."""
        audio = check_audio(audio)
        if frames is not None and not 1 <= frames <= MAX_FRAMES:
            raise UsageError(f"{frames} frames were asked for; expected 1 to {MAX_FRAMES}")
        if frames is None and len(audio) > MAX_FRAMES * SAMPLES_PER_FRAME:
            raise UsageError(
                f"{len(audio) / SAMPLE_RATE:.0f} s of audio; at most {MAX_FRAMES // FPS} s are animated at once; "
                "cut the recording"
            )
        notes = []
        heard = len(audio) // SAMPLES_PER_FRAME
        if frames is not None and heard < frames - 1:
            notes.append(f"the sound lasts {heard} frames; it was stretched to {frames}")
        t = -(-len(audio) // SAMPLES_PER_FRAME) if frames is None else frames
        stretches = find_speech(audio, t) if gated else [Stretch(0, t)]
        if stretches == [(0, t)]:
            speech = [self._encode(audio, frames)]
            t = len(speech[0]) // 2 if frames is None else frames
            stretches = [Stretch(0, t)]
        else:
            rate = samples_per_frame(audio, t)
            speech = [
                self._encode(audio[round(s.start * rate) : round(s.stop * rate)], s.stop - s.start)
                for s in stretches
            ]
            rests = (t - sum(s.stop - s.start for s in stretches)) / FPS
            notes.append(
                f"the face rests for {rests:.1f} of {t / FPS:.1f} s, where nobody speaks"
                if stretches
                else "no speech was found in the sound: the face rests"
            )
        if (longest := max((s.stop - s.start for s in stretches), default=0)) > LONGEST:
            notes.append(
                f"{longest} frames; the model was made for {LONGEST} ({LONGEST // FPS} s) at most, its attention goes "
                "on beyond them by the same rule"
            )
        return _Heard(t, stretches, speech, tuple(notes))

    def _encode(self, audio: np.ndarray, frames: int | None) -> torch.Tensor:
        """Return features (S, width) on the model's device."""
        with torch.no_grad():
            return self.encoder.encode(audio, frames).to(self._device)

    def _weights(self, languages: Sequence[LanguageChoice]) -> torch.Tensor:
        weights = np.stack([self.weigh_languages(language) for language in languages])
        return torch.from_numpy(weights).to(self._device)

    def _face(self, template: np.ndarray) -> torch.Tensor:
        """Return a face as (X,)."""
        template = np.asarray(template)
        size = 3 * self.network.settings.vertices
        if template.shape not in ((size,), (size // 3, 3)):
            raise UsageError(
                f"the face has shape {template.shape}; the model {self.name} animates {size // 3} vertices: expected "
                f"({size // 3}, 3) or ({size},)" + (f", of topology {self.topology}" if self.topology else "")
            )
        if not np.isfinite(template).all():
            raise UsageError("the face has coordinates that are NaN or infinite")
        return torch.from_numpy(np.array(template, np.float32).ravel())

    def _displace(self, motion: np.ndarray, template: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return displacements (1, T, X) on the model's device, and the face (X,)."""
        face = self._face(template)
        motion = np.asarray(motion)
        if motion.shape[1:] != np.shape(template) or len(motion) < 2:
            raise UsageError(
                f"the motion has shape {motion.shape}; expected at least 2 frames of a face {np.shape(template)}"
            )
        if not np.isfinite(motion).all():
            raise UsageError("the motion has coordinates that are NaN or infinite")
        x = torch.from_numpy(np.array(motion, np.float32).reshape(len(motion), -1))
        return (x - face)[None].to(self._device), face
