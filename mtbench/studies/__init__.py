"""Listening-and-watching studies: a page of pairs of talking faces, for people to judge.

Contents
--------
=========== ==========================================================================================================
``design``  What a listening-and-watching study asks: of whom, how often, about what
``folder``  The folder of a study: written once, and not over another study, whose judgements may be under way
``page``    The page that raters open, and the record of everything that it follows from
``plan``    Which rater sees which pair of systems speak which clip, in which order and on which side
``power``   Whether a plan can find anything: the power of the tests that its judgements will go through
``stimuli`` What raters see and hear: the faces and sounds that a plan shows, as files that the page loads from beside
            it
``study``   A study out of submissions: planned and packed
``texts``   What the page of a study says to raters, in the twenty languages of the benchmark
=========== ==========================================================================================================

Examples
--------
>>> from mtbench.studies import list_pairs
>>> list_pairs(["mine", "theirs"])
[('mine', 'theirs')]
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
