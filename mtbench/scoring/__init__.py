"""Scoring: from a submission to a result folder.

Contents
--------
================= =====================================================================================================
``asked``         Optional metrics of a clip that is scored: what they follow from, and measuring them
``demonstration`` Several entries scored in one go; ``mtbench demo``: control entries, made and scored
``pipeline``      Running all stages of a score, stage by stage, and collecting what they made
``plan``          The plan of a score: everything that is known before anything is rendered or recognized
``profiles``      Profiles: everything that a published number fixes about its making, under one name
``rescoring``     Counting a run anew from its rows, by other rules or a newer mtbench: ``mtbench.rescore``
``roman_letters`` Recognizers that write roman letters whatever the language: by which rules alone their answers can be
                  counted
``rows``          From hypotheses to the rows of a result
``run_settings``  What a run was made with, as its signatures name it
``run_setup``     What a run is made with, as a value that worker processes load the same things from
``run_warnings``  What a reader of a run's numbers has to know before believing them
``scoring``       Scoring a submission: ``mtbench.score``
``stages``        The stages of scoring: mixtures, crops, geometry, hypotheses; each a function of one clip, and cached
``text_phones``   Phones of what was said where clips have none: the speech engine reads the transcripts
``true_mouths``   Whether a recognizer reads the true mouths of a benchmark, measured before anything is ranked
``verification``  Scoring a sample of clips again, to see whether a result is what its submission gives
``vocabularies``  Open vocabularies of a run: where a benchmark brings no word list for a recognizer that needs one
================= =====================================================================================================

Examples
--------
``mtbench.score("submission", "openhead-20", out="results")`` is what ``mtbench score submission`` runs.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
