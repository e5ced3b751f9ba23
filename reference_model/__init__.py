"""Home of MultiTalk, the reference model: a vector-quantized motion autoencoder and a speech-driven decoder.

Start at :mod:`mtbench.reference_model.model`, which is the network in one file.

Contents
--------
==================== ==============================================================================
``ablation``         The paper's ablations as configurations of one model; see
``baselines``        Simple baselines beside the reference model; see
``conditioning``     Which language a clip is animated in: what a user names, and what the model
``corpora``          corpora
``cost``             What a prediction cost: time beside the sound's own, and memory
``encoders``         encoders
``entry``            A benchmark to a submission, by the reference model
``inference``        Generation that repeats no work which causality allows to keep: the plain
``inference_layers`` The layers of :mod:`mtbench.reference_model.inference`: those of the model
``model``            MultiTalk, readable in one sitting: a vector-quantized motion autoencoder and
``model_files``      Files of a whole model: both stages, and the speech encoder where it learned
``predict``          Sound to motion with the reference model: a file, a folder of files
``recordings``       Recordings to be animated: which files of a folder they are, how they are
``reference``        The reference model in use: speech, a face and a language to motion
``released``         released
``reproduction``     From nothing to a scored entry: data, both stages, weights, motion, scores
``templates``        The resting face that predicted motion is added to
``training``         Training of both stages and of speech encoders; see
``voice_gate``       The voice gate: where in a sound somebody speaks, so that a face is moved
==================== ==============================================================================

Examples
--------
``mtbench reference predict --audio speech.wav --language Italian`` animates a recording; in Python
``load_model().predict(…)``.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
