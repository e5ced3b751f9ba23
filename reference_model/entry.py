"""A benchmark to a submission, by the reference model.

Conventions
-----------
Motion is written as ``vertices``, (T, V, 3) float32 in metres at 25 fps, to compressed ``.npz`` files. The benchmark's
clips are sorted by length and cut into batches once and for all, so that a submission that was stopped and goes on has
the same bytes as one that was not. ``submission.toml`` is written last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.benchmarks import Benchmark, Clip, as_benchmark, template_face
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces import topology_names
from mtbench.files import claim_folder, digest_array
from mtbench.reference_model.conditioning import Conditioning, Language, plan_conditioning
from mtbench.reference_model.reference import LONGEST, ReferenceModel
from mtbench.reference_model.templates import default_template
from mtbench.reference_model.voice_gate import VERSION
from mtbench.results import REFERENCE_CODE
from mtbench.submissions import (
    MOTION_FOLDER,
    Generation,
    ModelCard,
    SubmissionManifest,
    write_manifest,
    write_motion,
)
from mtbench.timing import FPS
from mtbench.work import Progress

#: Clips that are animated together.
BATCH = 16


def predict_benchmark(
    model: ReferenceModel,
    benchmark: Benchmark | str | Path,
    out: str | Path,
    *,
    language: Language | None = None,
    instead: Mapping[str, str] | None = None,
    fallback: str | None = None,
    template: np.ndarray | None = None,
    system: str | None = None,
    gate: bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """Animate every clip of a benchmark and write a submission, or go on with one that was stopped.

    Parameters
    ----------
    model : ReferenceModel
        Model whose vertices have a named topology.
    benchmark : Benchmark, str or Path
    out : str or Path
        The submission folder; absent, empty, or begun with the same request.
    language, instead, fallback
        Language of every clip, of some, of the rest; see
        :func:`~mtbench.reference_model.conditioning.plan_conditioning`. By default each clip's own.
    template : (V, 3) float32, optional
        Resting face of every clip; by default the speaker's, as far as the benchmark tells it, else the topology's.
    system : str, optional
        Display name of the entry; the model's by default.
    gate : bool, optional
        Whether faces rest where nobody speaks (:mod:`mtbench.reference_model.voice_gate`); by default as the model has
        it.
    progress : Progress, optional
        Told of each clip.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        For a folder that holds something else, languages that the model lacks, or a model without a topology.
    """
    benchmark = as_benchmark(benchmark)
    if model.topology is None:
        raise UsageError(
            f"the model {model.name} has {model.network.settings.vertices} vertices, which is no topology known here; "
            f"a submission needs one ({', '.join(topology_names())})"
        )
    gated = model.gate if gate is None else gate
    conditioning = plan_conditioning(
        model.languages,
        benchmark.languages,
        language=language,
        instead=instead,
        fallback=fallback,
    )
    folder = Path(out)
    claim_folder(folder, _request(model, benchmark, conditioning, template, system or model.name, gated))
    batches = _cut_batches(benchmark)
    waiting = [batch for batch in batches if any(not _target(folder, clip).is_file() for clip in batch)]
    progress = progress or Progress()
    progress.title = system or model.name
    total = sum(len(batch) for batch in waiting)
    with progress, progress.stage("motion", total, len(benchmark.clips) - total) as advance:
        for batch in waiting:
            for clip, vertices in zip(
                batch, _predict_batch(model, batch, conditioning, template, gated), strict=True
            ):
                if not _target(folder, clip).is_file():
                    write_motion(folder, clip.id, vertices=vertices)
                advance()
    write_manifest(folder, _manifest(model, benchmark, conditioning, template, system or model.name, gated))
    return folder


def _cut_batches(benchmark: Benchmark) -> list[list[Clip]]:
    """Return the clips in batches of similar length."""
    clips = sorted(benchmark.clips, key=lambda clip: (clip.frames, clip.id))
    return [clips[start : start + BATCH] for start in range(0, len(clips), BATCH)]


def _predict_batch(
    model: ReferenceModel,
    batch: list[Clip],
    conditioning: Conditioning,
    template: np.ndarray | None,
    gated: bool,
) -> list[np.ndarray]:
    faces = [_face(model, clip) if template is None else template for clip in batch]
    motions = model.predict_many(
        [model.encoder.prepare(clip.load_audio()) for clip in batch],
        faces,
        [conditioning.of.get(clip.language) for clip in batch],
        [clip.frames for clip in batch],
        gated,
    )
    return [np.asarray(motion, np.float32) for motion in motions]


def _face(model: ReferenceModel, clip: Clip) -> np.ndarray:
    """Return the clip's speaker at rest where the benchmark tells, the topology's face otherwise."""
    topology = model.topology
    if topology is not None and clip.motion_path is not None and clip.topology == topology:
        try:
            face = template_face(clip)
        except PrerequisiteError:
            face = None  # FLAME parameters without a FLAME model: the speaker's shape is unknown
        if face is not None:
            return np.asarray(face, np.float32)
    return default_template(topology, model.network.settings.vertices)


def count_parameters(model: ReferenceModel) -> int:
    """Return how many numbers were learned, the speech encoder's included where it learned with the model."""
    modules = [model.network] + ([model.encoder.module] if model.encoder.module is not None else [])
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def _target(folder: Path, clip: Clip) -> Path:
    return folder / MOTION_FOLDER / f"{clip.id}.npz"


def _request(
    model: ReferenceModel,
    benchmark: Benchmark,
    conditioning: Conditioning,
    template: np.ndarray | None,
    system: str,
    gated: bool,
) -> dict[str, Any]:
    """Return everything that a submission's bytes follow from, as JSON values."""
    return {
        "system": system,
        "model": model.digest,
        "encoder": model.encoder.digest,
        "benchmark": benchmark.digest,
        "languages": {code: language if isinstance(language, str) else dict(language)
                      for code, language in conditioning.of.items()},
        "template": None if template is None else digest_array(np.asarray(template, np.float32)),
        **({"gate": VERSION} if gated else {}),
    }  # fmt: skip


def _describe_training(model: ReferenceModel) -> str:
    """Return what a model of this package's own training learned from; ``""`` where that is unknown."""
    facts = model.training.get("stage2")
    return str(facts.get("corpus", "")) if isinstance(facts, dict) else ""


def _manifest(
    model: ReferenceModel,
    benchmark: Benchmark,
    conditioning: Conditioning,
    template: np.ndarray | None,
    system: str,
    gated: bool,
) -> SubmissionManifest:
    notes = [f"faces rest where nobody speaks ({VERSION})"] if gated else []
    notes += [] if template is None else ["one resting face for every speaker"]
    if long := [clip.id for clip in benchmark.clips if clip.frames > LONGEST]:
        notes.append(f"longer than the {LONGEST} frames that the model was made for: {', '.join(long)}")
    card = {
        "name": model.name,
        "paper": "MultiTalk: Enhancing 3D Talking Head Generation Across Languages with Multilingual Video Dataset",
        "code": REFERENCE_CODE,
        "weights": model.digest,
        "params_m": round(count_parameters(model) / 1e6, 3),
    }
    if data := _describe_training(model):
        card["training_data"] = data
    generation = {"language_conditioning": conditioning.summary}
    if notes:
        generation["notes"] = "; ".join(notes)
    return SubmissionManifest(
        schema=1, system=system, benchmark=benchmark.ref, fps=float(FPS), unit="m", topology=model.topology or "",
        kind="vertices", model=ModelCard.model_validate(card), generation=Generation.model_validate(generation),
    )  # fmt: skip
