"""How the recognizer is trained, for the loop that all trainings share: network, batches, loss, recognizer's file.

Conventions
-----------
A batch is cut into shards. A process learns from its own; gradients and parts of the loss are divided by the number
of all shards, so that their sum is the batch's mean.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mtbench.avsr.openhead.batches import Tensors
from mtbench.avsr.openhead.captured import Captured
from mtbench.avsr.openhead.decoding import DecodingConfig
from mtbench.avsr.openhead.model import TRAINING_ONLY, AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead.objective import PARTS, TrainingConfig, compute_loss
from mtbench.avsr.openhead.recognizer_files import read_recognizer, save_recognizer
from mtbench.avsr.openhead.training_data import maker_of
from mtbench.errors import UsageError
from mtbench.files import digest_bytes, load_checkpoint_file, make_folder, replacing
from mtbench.learning import Processes, Recipe, TrainingRun
from mtbench.speech import LANGUAGES
from mtbench.work import multiplies_bfloat16

if TYPE_CHECKING:
    from mtbench.avsr.whisper import Ear

#: The recognizer in a run's folder.
RECOGNIZER = "openhead-av.safetensors"
#: Steps between recognizers that are kept, and their folder in a run's: the one that understands people best need not
#: be the last (``scripts/choose_checkpoint.py``).
KEEP_EVERY, KEPT = 500, "kept"
#: Where the names of the acoustic front-end's parameters begin.
EAR = "acoustic."


@dataclass(frozen=True)
class Plan:
    """What is trained, and where.

    Attributes
    ----------
    folder : Path
        Run folder.
    config : TrainingConfig
    sizes : mapping
        Sizes of the network other than :class:`~mtbench.avsr.openhead.model.ModelConfig`'s.
    initial : Path, optional
        A ``checkpoint.pt`` or ``.safetensors`` to take weights (not the step) from.
    captured : Captured, optional
        Motion banks to train on beside generated speech.
    """

    folder: Path
    config: TrainingConfig
    sizes: Mapping[str, Any]
    initial: Path | None = None
    captured: Captured | None = None

    def load_ear(self) -> Ear | None:
        """Return what listens for the network; None where it listens to log-mels.

        Raises
        ------
        UsageError
            Where the ear has other features than the network takes.
        """
        heard = int(self.sizes.get("heard", 0))
        if not heard:
            return None
        from mtbench.avsr.whisper import load_ear

        ear = load_ear()
        if ear.width != heard:
            raise UsageError(f"the network takes {heard} features of an ear, this one has {ear.width}")
        return ear


class RecognizerRecipe(Recipe[Tensors]):
    """Training of the recognizer in one of the optimizing processes.

    Parameters
    ----------
    plan : Plan
    queues : sequence of sequence of queues
        Queues of each worker: this process's shards of a batch come from its maker's, one from each queue there.
    """

    name = "recognizer"
    parts = PARTS
    advice = "a smaller learning rate (avsr/openhead/configs.py), or other weights to begin with"

    def __init__(self, plan: Plan, queues: Sequence[Sequence[Any]]) -> None:
        from mtbench.synth import PHONES

        self.config, self.queues, self.phones = plan.config, queues, tuple(PHONES)
        self.captured, self.ear = plan.captured, plan.load_ear()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(plan.config.seed)
        network = AudioVisualCTC(ModelConfig(len(PHONES) + 1, len(LANGUAGES) + 1, **plan.sizes))
        self.network: AudioVisualCTC = network.to(self.device)

    def draw(self, step: int) -> list[Tensors]:
        """Wait for this process's shards of a batch."""
        return [queue.get(timeout=600) for queue in self.queues[maker_of(step, len(self.queues))]]

    def loss(self, batch: Tensors, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a shard's share of the loss and of its parts."""
        kind, shards = self.device.type, self.config.shards
        x = Tensors(*(v.to(self.device, non_blocking=kind == "cuda") for v in vars(batch).values()))
        with torch.autocast(kind, torch.bfloat16, enabled=multiplies_bfloat16(kind)):
            loss, values = compute_loss(self.network, x)
        return loss / shards, values.float() / shards

    def write(self, folder: Path, average: nn.Module, step: int) -> None:
        """Write the recognizer as it is by now."""
        assert isinstance(average, AudioVisualCTC)
        facts = {**asdict(self.config), "step": step, "utterances": step * self.config.batch}
        if self.captured is not None:
            facts |= {"motion_banks": list(self.captured.credits), "captured_share": self.captured.share}
        path = folder / RECOGNIZER
        save_recognizer(
            path,
            copy.deepcopy(average).cpu(),
            self.phones,
            tuple(LANGUAGES),
            DecodingConfig(),
            facts,
            None if self.ear is None else self.ear.digest,
        )
        if step % KEEP_EVERY == 0:
            make_folder(kept := folder / KEPT / str(step))
            for file in (path, path.with_suffix(".json")):
                with replacing(kept / file.name) as part:
                    shutil.copyfile(file, part)


def begin_run(plan: Plan, queues: Sequence[Sequence[Any]], processes: Processes | None = None) -> TrainingRun:
    """Return a training that begins, or goes on where its folder has a checkpoint.

    Parameters
    ----------
    plan : Plan
    queues : sequence of sequence of queues
        See :class:`RecognizerRecipe`.
    processes : Processes, optional
        Those that optimize together.
    """
    recipe = RecognizerRecipe(plan, queues)
    begun_with = "drawn" if plan.initial is None else _load_initial(plan.initial, recipe.network)
    follows = {**asdict(plan.config), "sizes": dict(plan.sizes), "initial": begun_with}
    if plan.captured is not None:
        follows["captured"] = plan.captured.follows()
    return TrainingRun(plan.folder, recipe, plan.config.run_settings(), follows, processes)


def _load_initial(path: Path, network: AudioVisualCTC) -> str:
    """Give *network* the weights to begin with; return what tells them from others."""
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file; weights to begin with are a checkpoint.pt or a .safetensors file"
        )
    weights, wanted = _read_initial(path), network.state_dict()
    drawn: tuple[str, ...] = TRAINING_ONLY
    if {k for k in weights if k.startswith(EAR)} != {k for k in wanted if k.startswith(EAR)}:
        # Weights of a network with another ear: eyes and understanding are taken on, listening is learned anew.
        weights = {k: v for k, v in weights.items() if not k.startswith(EAR)}
        drawn = (EAR, *drawn)
    missing = [
        k
        for k in wanted
        if k not in weights and not k.startswith(drawn) and not k.endswith("num_batches_tracked")
    ]
    unknown = [k for k, v in weights.items() if k not in wanted or v.shape != wanted[k].shape]
    if unknown or missing:
        raise UsageError(
            f"{path}: these are weights of another network (missing {missing[:3]}, unknown "
            f"{unknown[:3]}); use the configuration that they were trained with"
        )
    network.load_state_dict(weights, strict=False)
    return digest_bytes(path.read_bytes())


def _read_initial(path: Path) -> dict[str, torch.Tensor]:
    """Read weights to begin with: a run's checkpoint or a recognizer's safetensors."""
    try:
        if path.suffix == ".safetensors":
            weights = read_recognizer(path).network.state_dict()
            return {k: v for k, v in weights.items() if not k.startswith(TRAINING_ONLY)}
        state: dict[str, torch.Tensor] = load_checkpoint_file(path, "cpu")["average"]
        return state
    except Exception as error:  # whatever other people's files make torch raise
        reason = str(error).split("\n", 1)[0]
        raise UsageError(
            f"{path}: neither a checkpoint.pt of 'mtbench avsr train' nor a .safetensors file ({reason})"
        ) from error
