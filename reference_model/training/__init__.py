"""Training of both stages and of speech encoders; a run is a function of its settings and seed.

Contents
--------
==================== ===============================================================================================
``balance``          Layers that map motion, learned as if every coordinate of it moved as far as any other
``checkpoints``      Weights of the motion autoencoder in a file, stage 1's result
``codebook``         Keeping a codebook in use: how it begins, how much of it is used, and what becomes of entries
                     that are not
``configuration``    What a training is determined by: everything is counted in optimizer steps; where ``epochs`` is
                     not 0, it decides
``devices``          Where a training computes: a processor or an accelerator, alone or together with other
                     processes
``encoder_batches``  Batches for training a speech encoder: generated speech, its sound features and its phones
``encoder_training`` Training of a speech encoder of the bundled recognizer's form, on sound alone, in languages of
                     one's choice
``prepared``         Rows computed once from a corpus and kept in a file: motion in model space, features of speech
``sizes``            Named sizes of the reference model and its training: ``mini``, ``paper``, ``smoke``
``stage``            What both stages' trainings have in common: clips in batches, lips, and where it is computed
``stage1``           Stage 1's training: the motion autoencoder and its codebook
``stage2``           Stage 2's training: from speech, language and the motion so far to the next frame's codes
``train``            Training of both stages
``training_set``     What both stages learn from: a corpus's motion in model space, its features of speech, and
                     batches of them
==================== ===============================================================================================

Examples
--------
``mtbench reference train`` trains both stages; start at :mod:`mtbench.reference_model.training.train`.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
