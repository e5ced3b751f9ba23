"""How work is done: a cache, processes, signals, progress.

Nothing here knows what is being computed.

Contents
--------
=================== ================================================================================================
``cache``           Content-addressed store of intermediate results: crops, mixtures, what was heard, hypotheses,
                    geometry
``child_processes`` Child processes that end when and as their parent wants it
``compilation``     Compiling numeric kernels with numba, and keeping the machine code between runs
``environment``     What mtbench runs on, for results: versions and platform
``executor``        Running many small tasks, in this process or in a few others
``memory``          How much memory is free, and how many processes fit in it
``progress``        Telling people how far a run is
``signals``         Ending at once and cleanly when a signal says so: Ctrl-C, ``kill``, a terminal that was closed
``threads``         Threads and precision of numerical libraries
=================== ================================================================================================

Examples
--------
>>> from mtbench.work import Executor
>>> with Executor(1) as executor:
...     sorted(executor.run(abs, [-3, 2]))
[(0, 3), (1, 2)]
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
