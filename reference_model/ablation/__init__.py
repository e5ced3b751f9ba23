"""The paper's ablations as configurations of one model.

Contents
--------
============ =======================================================================================================
``ablation`` The paper's ablations: what the language embedding and a multilingual speech encoder are worth
``page``     The files of an ablation: ``ablation.md``, ``.json``, ``.csv`` and ``.png``
``plot``     A picture of an ablation: paired differences by language, with intervals
``results``  What an ablation measured: numbers of every variant by language, and paired differences between
             variants
``table``    The tables of an ablation, as Markdown, JSON and CSV
``text``     What an ablation's data support and what they do not, said from its figures
``variants`` The variants of an ablation, and which are compared with which
============ =======================================================================================================

Examples
--------
``mtbench reference ablate`` trains and compares the variants; start at
:mod:`mtbench.reference_model.ablation.ablation`.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
