"""What every training shares: the loop, and what it is made of.

Contents
--------
=============== ========================================================================================
``averaging``   The running average of a network's weights, which is what is validated and kept
``checkpoints`` Checkpoints of a training, and whether a run may go on from one
``loss_plot``   A picture of how training goes: every loss over the steps, from the run's ``losses.csv``
``processes``   What the training loop asks of processes that train one network together
``recipe``      What a training brings to the loop: the network, its batches, its loss, and its numbers
``run``         The loop that everything is trained in
``schedule``    How the learning rate goes over the steps of a training
``step_table``  A table that grows while a run learns: ``losses.csv``, ``validation.csv``
=============== ========================================================================================

Examples
--------
>>> from mtbench.learning import Schedule
>>> Schedule(peak=2e-3, steps=4000, warmup=200).rate(99)
0.001

A training is a :class:`~mtbench.learning.recipe.Recipe`; start at :mod:`mtbench.learning.run`.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
