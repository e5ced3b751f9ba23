"""Audio-visual speech recognizers behind one protocol.

A recognizer is whatever satisfies :class:`mtbench.avsr.base.Recognizer`; names are turned into recognizers by
:func:`mtbench.avsr.registry.load_recognizer`.

Contents
--------
============== ==============================================================================
``base``       What a recognizer is to the harness: a protocol, its output, and the registry
``evaluation`` evaluation
``openhead``   openhead
``registry``   Recognizers by name
============== ==============================================================================

Examples
--------
>>> from mtbench.avsr import Hypothesis
>>> Hypothesis("ogni ha diritto").phones is None
True
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
