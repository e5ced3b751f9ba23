"""Published recognizers: which there are, what a user has of them, and running them.

Nothing of them ships. ``mtbench weights`` is the command; ``--recognizer muavic:ita`` names one.

Contents
--------
======================= ============================================================================================
``acceptance``          Answers that published weights must give to published clips: whether what a user brought is
                        the real thing
``avhubert_recognizer`` Published AV-HuBERT checkpoints as recognizers: how a clip is shown to them, and how they
                        answer
``catalog``             Published checkpoints that mtbench can run: what they read, under which terms, and where
                        they lie
``conversion``          Converting published weights to safetensors: the same numbers by the same names, without a
                        pickle around them
``fetching``            Fetching published files: over HTTPS, whole or not at all, and only after somebody accepted
                        their terms
``installation``        Which published checkpoints a user has: files checked, kept with their digests, verified,
                        removed
``kinds``               Kinds of published checkpoints: which code loads one, converts it, and makes a recognizer of
                        it
``loading``             Loading published recognizers by name and variant: what is installed, or files that are
                        named
``romanizer``           Zero-AVSR's AV-Romanizer as a recognizer: roman letters for speech of any language, one
                        model for all
======================= ============================================================================================

Examples
--------
>>> from mtbench.avsr.published import find_published
>>> find_published("muavic", "ita")[0].license
'CC-BY-NC-4.0'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
