"""Home of MultiTalk, the reference model: a vector-quantized motion autoencoder and a speech-driven decoder.

Start at :mod:`mtbench.reference_model.model`, which is the network in one file.

Contents
--------
==================== ===============================================================================================
``ablation``         The paper's ablations as configurations of one model
``baselines``        Simple baselines beside the reference model
``conditioning``     Which language a clip is animated in: what a user names, and what the model knows
``corpora``          Training corpora: other projects' layouts, and data from the benchmark's generator
``cost``             What a prediction cost: time beside the sound's own, and memory
``encoders``         Speech encoders: sound to features of speech, two a frame
``entry``            A benchmark to a submission, by the reference model
``inference``        Generation that repeats no work which causality allows to keep: the plain loop's motion,
                     several times as fast
``inference_layers`` The layers of :mod:`mtbench.reference_model.inference`: those of the model, rearranged for one
                     frame at a time
``model``            MultiTalk, readable in one sitting: a vector-quantized motion autoencoder and a speech-driven
                     decoder
``model_files``      Files of a whole model: both stages, and the speech encoder where it learned with them
``predict``          Sound to motion with the reference model: a file, a folder of files
``recordings``       Recordings to be animated: which files of a folder they are, how they are read, and what is
                     spoken in them
``reference``        The reference model in use: speech, a face and a language to motion
``released``         The released MultiTalk checkpoints, brought into this model
``reproduction``     From nothing to a scored entry: data, both stages, weights, motion, scores
``templates``        The resting face that predicted motion is added to
``training``         Training of both stages and of speech encoders; a run is a function of its settings and seed
``voice_gate``       The voice gate: where in a sound somebody speaks, so that a face is moved there and rests
                     elsewhere
==================== ===============================================================================================

Examples
--------
``mtbench reference predict --audio speech.wav --language Italian`` animates a recording; in Python
``load_model().predict(…)``.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
