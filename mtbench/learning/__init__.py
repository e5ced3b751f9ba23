"""What every training shares.

Contents
--------
============= ==============================================================================
``loss_plot`` A picture of how training goes: every loss over the steps, from the run's
============= ==============================================================================

Examples
--------
>>> import mtbench.learning
>>> "plot_losses" in dir(mtbench.learning)
True
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
