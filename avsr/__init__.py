"""Audio-visual speech recognizers behind one protocol.

A recognizer is whatever satisfies :class:`mtbench.avsr.base.Recognizer`; names are turned into recognizers by
:func:`mtbench.avsr.registry.load_recognizer`.

Contents
--------
==================== ================================================================================================
``auto_avsr``        Auto-AVSR's audio-visual model (release v1.0.0) and ViSpeR, on ESPnet: their files, their input,
                     their search
``avhubert``         AV-HuBERT without fairseq: the published sequence models, their files, their search
``base``             What a recognizer is to the harness: a protocol, its output, and the registry of names
``by_language``      One recognizer made of several, one for each language
``evaluation``       How well a recognizer understands: error tables, what the lexicon does, the model card
``openhead``         ``openhead-av``, the recognizer that ships with mtbench: features, network, decoding, training
``presentation``     Presentation: how a clip is shown to a recognizer, in scores, meta-evaluation, error tables and
                     lexicon reports
``program``          Any program as a recognizer, in whatever language and environment: JSON lines on its standard
                     input and output
``program_command``  The command line of a program that recognizes: which file is meant, and whether it can be run
``program_keeper``   Keeps a program that recognizes: starts it, and ends it with whoever asked for it, however that
                     was ended
``program_messages`` What a program that recognizes may say, checked: its first line and its answers
``program_process``  The process of a program that recognizes: a line in, a line out, in bounded time and of bounded
                     length
``published``        Published recognizers: which there are, what a user has of them, and running them
``registry``         Recognizers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`
``traits``           What else the harness asks of a recognizer: its search, word list and device, and whether it
                     remembers sounds
``whisper``          The frozen encoder of Whisper-base as an ear: spectrum, network, files, features of a clip
``worker_count``     How many processes recognize: as many as there are processors, and as a model fits into memory
==================== ================================================================================================

Examples
--------
>>> from mtbench.avsr import Hypothesis
>>> Hypothesis("ogni ha diritto").phones is None
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
