"""Simple baselines beside the reference model.

Contents
--------
=================== ================================================================================================
``entries``         Baselines as entries: submission folders like anyone's
``linear_map``      Baseline ``linear-map``: ridge regression from sound to principal movements, frame by frame
``phone_rules``     Baseline ``phone-rules``: one mouth shape a phone, blended linearly; knows what was said and
                    when, not how
``retrieval``       Baseline ``retrieval``: the motion of the training frames that sound most alike
``training_frames`` What baselines learn from: sound and motion of some of a corpus's clips, frame by frame
=================== ================================================================================================

Examples
--------
>>> from mtbench.reference_model.baselines import BASELINES
>>> sorted(BASELINES)
['linear-map', 'phone-rules', 'retrieval']
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
