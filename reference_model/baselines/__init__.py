"""Simple baselines beside the reference model.

Contents
--------
=================== ==============================================================================
``entries``         Baselines as entries: submission folders like anyone's
``linear_map``      Baseline ``linear-map``: ridge regression from sound to principal movements
``phone_rules``     Baseline ``phone-rules``: one mouth shape a phone, blended linearly; knows
``retrieval``       Baseline ``retrieval``: the motion of the training frames that sound most
``training_frames`` What baselines learn from: sound and motion of some of a corpus's clips
=================== ==============================================================================

Examples
--------
>>> from mtbench.reference_model.baselines import BASELINES
>>> sorted(BASELINES)
['linear-map', 'phone-rules', 'retrieval']
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
