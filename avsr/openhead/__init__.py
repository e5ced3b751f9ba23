"""``openhead-av``, the recognizer that ships with mtbench: features, network, decoding, training.

Contents
--------
====================== =============================================================================================
``acoustics``          What a room, a channel and a different voice do to synthetic speech, for training
``alignment``          When each phone of a known utterance is said: the recognizer's ear, held to the pace of a
                       speech engine
``batches``            Batches as tensors: padded, masked, and cut into shards
``beam_search``        Prefix beam search over the trie of a lexicon
``captured``           Captured mouths in training: which motion banks, and how large a share of the utterances is
                       drawn from them
``configs``            Named configurations of training: what ``mtbench avsr train --config NAME`` runs
``decoding``           From CTC log-probabilities to phones, and to words of a lexicon
``features``           Acoustic and visual features of the bundled recognizer
``inference``          Running the network over many clips and conditions at once, with the numbers of one at a time
``likelihood``         How probable phones are to a network of connectionist temporal classification
``model``              The bundled recognizer's network: Auto-AVSR style, small enough for two cores
``objective``          What the recognizer learns: its loss, and the settings of a run
``recipe``             How the recognizer is trained, for the loop that all trainings share: network, batches, loss,
                       recognizer's file
``recognizer``         ``openhead-av``, the recognizer that ships with mtbench
``recognizer_files``   A recognizer's two files: weights, and what belongs to them
``training``           Training of the bundled recognizer
``training_data``      Training examples made on the fly: synthetic speech, articulation, and mouth crops of the
                       bundled head
``training_faces``     Faces of training: the bundled head as somebody, somewhere, before some camera
``training_processes`` Processes beside the one that trains the recognizer: some make batches, others optimize with
                       it
``training_views``     What is heard and seen of an utterance in training: noise and channel, modality, and whose
                       face is shown
``tuning``             Choosing the weights of the word search, without looking at the test split
====================== =============================================================================================

Examples
--------
>>> import mtbench.avsr.openhead
>>> "OpenheadAV" in dir(mtbench.avsr.openhead)
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
