"""Training of both stages.

Conventions
-----------
Each stage has a run folder (:mod:`mtbench.reference_model.training.checkpoints`); a run that was stopped goes on when
it is started again. What is computed once from a corpus lies in a folder that both share, by default ``prepared``
beside the run folder.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mtbench.errors import UsageError
from mtbench.files import make_folder, write_atomically
from mtbench.learning import TrainingRun
from mtbench.reference_model.model import MotionAutoencoder, MultiTalk, Settings
from mtbench.reference_model.training.balance import balance_input, balance_output, settle
from mtbench.reference_model.training.checkpoints import STAGE1, load_autoencoder, save_autoencoder
from mtbench.reference_model.training.configuration import Size, Stage2Config
from mtbench.reference_model.training.devices import Devices
from mtbench.reference_model.training.stage1 import Stage1
from mtbench.reference_model.training.stage2 import Learner, Stage2
from mtbench.reference_model.training.training_set import TrainingSet, learn_basis

if TYPE_CHECKING:
    from mtbench.reference_model.corpora import Corpus

log = logging.getLogger(__name__)

STAGE2 = "stage2.safetensors"


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _lips(corpus: Corpus) -> np.ndarray:
    from mtbench.faces import load_topology

    return load_topology(corpus.topology).region("lips")


def train_stage1(
    out: str | Path, size: Size, corpus: Corpus, store: str | Path | None = None, threads: int | None = None
) -> Path:
    """Train the motion autoencoder, or go on with the run in *out*.

    Parameters
    ----------
    out : path
        Run folder.
    size : Size
        Its vertices are those of the corpus, whatever it says.
    corpus : Corpus
    store : path, optional
        Folder for what is computed once from the corpus.
    threads : int, optional
        Of torch; the same bits come of the same number.

    Returns
    -------
    Path
        The written ``stage1.safetensors``.
    """
    folder = Path(out)
    make_folder(folder)
    prepared = Path(store) if store else folder.parent / "prepared"
    vertices = corpus.template(0).shape[0]
    settings = dataclasses.replace(size.settings, vertices=vertices)
    config = size.stage1
    with _threads(threads):
        devices = Devices(config.precision)
        with devices.first_goes_first():
            basis = _prepare_basis(prepared, corpus, settings.principal, config.seed)
            data = TrainingSet(corpus, settings, prepared, basis, seed=config.seed)
        torch.manual_seed(config.seed)
        network = MotionAutoencoder(settings)
        network.space.basis.copy_(torch.from_numpy(basis).view_as(network.space.basis))
        if settings.principal:
            balance_input(network.map_in, data.spread())
            balance_output(network.map_out, data.spread())
        steps = config.count_steps(data.per_epoch)
        stage = Stage1(network, data, config, _lips(corpus), steps, devices)
        follows = {
            "stage": "stage1",
            "corpus": corpus.digest,
            "settings": _describe(settings),
            "stage1": asdict(config),
        }
        run = TrainingRun(folder, stage, config.run_settings(steps), follows, devices)
        result = run.train().cpu()
        settle(result)
    assert isinstance(result, MotionAutoencoder)
    facts = {"topology": corpus.topology, "training": _facts(run, corpus, config)}
    return save_autoencoder(folder / STAGE1, result, facts) if devices.first else folder / STAGE1


def train_stage2(
    out: str | Path,
    size: Size,
    corpus: Corpus,
    stage1: str | Path,
    store: str | Path | None = None,
    threads: int | None = None,
) -> Path:
    """Train the speech-driven decoder, or go on with the run in *out*.

    Parameters
    ----------
    out : path
        Run folder.
    size : Size
        What concerns stage 1 is taken from *stage1* instead.
    corpus : Corpus
    stage1 : path
        Stage 1's run folder or weights.
    store, threads
        As in :func:`train_stage1`.

    Returns
    -------
    Path
        The written model, ``stage2.safetensors``, which holds both stages.

    Raises
    ------
    PrerequisiteError
        Where stage 1 has not been trained, or the speech encoder is missing.
    """
    from mtbench.reference_model.encoders import load_speech_encoder
    from mtbench.reference_model.model_files import save_model
    from mtbench.reference_model.reference import ReferenceModel

    folder = Path(out)
    make_folder(folder)
    prepared = Path(store) if store else folder.parent / "prepared"
    autoencoder, about = load_autoencoder(stage1)
    encoder: Any = load_speech_encoder(size.encoder)
    config = size.stage2
    tuned = config.tune_encoder
    if tuned and encoder.module is None:
        raise UsageError(
            f"speech encoder {encoder.name} stands still, it cannot learn with the model; set "
            "stage2.tune_encoder=false, or encoder to a wav2vec 2.0 model"
        )
    settings = _choose_settings(autoencoder.settings, size, encoder.width)
    with _threads(threads):
        devices = Devices(config.precision)
        basis = autoencoder.space.basis.numpy()
        with devices.first_goes_first():
            data = TrainingSet(corpus, settings, prepared, basis, encoder, tuned=tuned, seed=config.seed)
        follows = _describe_stage2(corpus, autoencoder, encoder, settings, config)
        torch.manual_seed(config.seed)
        network = MultiTalk(settings, autoencoder)
        if settings.principal:
            balance_input(network.map_motion, data.spread())
        stage = Stage2(network, data, config, _lips(corpus), encoder if tuned else None, devices)
        run_settings = config.run_settings(config.count_steps(data.per_epoch))
        run = TrainingRun(folder, stage, run_settings, follows, devices)
        result = run.train().cpu()
        settle(result)
    assert isinstance(result, Learner)
    if tuned:
        # The encoder's digest is that of what it has become; nobody has asked for it before.
        encoder.module = result.ears
    if not devices.first:
        return folder / STAGE2
    facts = {"stage1": about.get("training"), "stage2": _facts(run, corpus, config), "size": size.name}
    model = ReferenceModel.of(result.model, encoder, f"multitalk-{size.name}", corpus.topology, facts)
    return save_model(folder / STAGE2, model)


def _choose_settings(stage1: Settings, size: Size, speech_width: int) -> Settings:
    """Return the model's settings: stage 1's, but those that stage 2 may choose."""
    _warn_of_other_sizes(stage1, size)
    chosen = {name: getattr(size.settings, name) for name in _STAGE2_SETTINGS}
    return dataclasses.replace(stage1, **chosen, speech_width=speech_width)


def _describe_stage2(
    corpus: Corpus, autoencoder: MotionAutoencoder, encoder: Any, settings: Settings, config: Stage2Config
) -> dict[str, Any]:
    """Return what a training of stage 2 follows from."""
    from mtbench.reference_model.encoders import digest_tensors

    # Not an encoder's own property where it is tuned, which keeps what it said first: a tuned one changes.
    tuned = config.tune_encoder
    return {
        "stage": "stage2",
        "corpus": corpus.digest,
        "stage1 weights": digest_tensors(autoencoder.state_dict().items()),
        "encoder": digest_tensors(encoder.module.state_dict().items()) if tuned else encoder.digest,
        "settings": _describe(settings),
        "stage2": asdict(config),
    }


#: Settings that stage 2 may choose for itself.
_STAGE2_SETTINGS = (
    "decoder_layers", "decoder_heads", "decoder_feedforward", "period", "dropout", "languages", "motion_weight",
    "feature_weight",
)  # fmt: skip


#: Settings that follow from the data or the encoder, or that stage 1's training alone heeds.
_GIVEN = ("vertices", "speech_width", "beta")


def _describe(settings: Settings) -> dict[str, Any]:
    """Return settings as plain values, languages as one."""
    return {**settings.to_dict(), "languages": ",".join(settings.languages)}


def _warn_of_other_sizes(stage1: Settings, size: Size) -> None:
    """Say where stage 1 is of another size than the one that was asked for."""
    mine, wanted = stage1.to_dict(), size.settings.to_dict()
    owned = (name for name in mine if name not in (*_STAGE2_SETTINGS, *_GIVEN))
    if other := [f"{name} {mine[name]} (not {wanted[name]})" for name in owned if mine[name] != wanted[name]]:
        log.warning("stage 1 is not of size %s, and stage 2 takes after it: %s", size.name, ", ".join(other))


def _prepare_basis(store: Path, corpus: Corpus, principal: int, seed: int) -> np.ndarray:
    """Return the principal movements, learned once: (principal, X)."""
    vertices = corpus.template(0).shape[0]
    if not principal:
        return np.zeros((0, 3 * vertices), np.float32)
    path = store / f"basis-{corpus.digest[:12]}-{principal}-{seed}.npy"
    if not path.is_file():
        import io

        log.info("learning %d principal movements", principal)
        stream = io.BytesIO()
        np.save(stream, learn_basis(corpus, principal, seed), allow_pickle=False)
        write_atomically(path, stream.getvalue())
    basis: np.ndarray = np.load(path, allow_pickle=False)
    return basis


def _facts(run: TrainingRun, corpus: Corpus, config: Any) -> dict[str, Any]:
    return {
        "corpus": corpus.name,
        "corpus_digest": corpus.digest,
        "languages": sorted(corpus.languages),
        "hours": round(float(np.sum(corpus.lengths)) / 25 / 3600, 3),
        "steps": run.step,
        "config": asdict(config),
        "validation_lve_mm": round(run.best if config.patience else run.error, 4),
    }
