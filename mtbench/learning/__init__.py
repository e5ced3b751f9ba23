"""What every training shares.

Contents
--------
=============== ========================================================================================
``checkpoints`` Checkpoints of a training, and whether a run may go on from one
``loss_plot``   A picture of how training goes: every loss over the steps, from the run's ``losses.csv``
=============== ========================================================================================

Examples
--------
>>> import mtbench.learning
>>> "plot_losses" in dir(mtbench.learning)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
