from .checkpoints import CHECKPOINT as CHECKPOINT
from .checkpoints import flatten as flatten
from .checkpoints import load_checkpoint as load_checkpoint
from .checkpoints import name_changes as name_changes
from .checkpoints import require_same_run as require_same_run
from .checkpoints import save_checkpoint as save_checkpoint
from .loss_plot import plot_losses as plot_losses
