"""Motion banks: recordings of people's mouths with their sound and timed phones, to train on.

A bank is a folder with ``bank.toml``; ``docs/motion-bank.md`` describes it. Whatever the motion is in the files
(units of the bundled head, vertices, FLAME parameters), it leaves this room as curves of the bundled head's units at
25 frames per second, so that one person's articulation can be put on any face.

Contents
--------
============= =====================================================================================================
``bank``      A motion bank: the folder, its manifest, its recordings
``checks``    Whether a bank can be trained on: everything wrong with it, and how well lips, sound and phones agree
``excerpts``  Parts of recordings between pauses, and new utterances joined from them
``manifest``  The model of ``bank.toml``
``mouths``    From lips that were captured to units of the bundled head: a bounded least-squares fit
``recording`` A recording of a bank: reading its sound, motion and phones
``source``    Utterances drawn from a bank: whole passages, and new ones joined from parts of one speaker
``writing``   Writing a bank, recording by recording
============= =====================================================================================================

Examples
--------
>>> from mtbench.banks import MANIFEST
>>> MANIFEST
'bank.toml'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
