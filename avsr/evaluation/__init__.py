"""How well a recognizer understands: error tables, what the lexicon does, the model card.

Contents
--------
===================== ==============================================================================================
``captured_report``   What a recognizer reads of people's mouths, for readers: Markdown and JSON by set and by
                      viseme class
``captured_sets``     Captured motion of people as samples for a recognizer: recordings of a motion bank, cut and
                      rendered
``conditions``        The conditions under which a recognizer is evaluated: what is said, who articulates it, what
                      is heard
``engine_halves``     The model card's part on held-out speech engines: which voices a figure is of, and which half
                      of their clips
``error_rows``        From the edits of clips to the rows of an error table
``error_table``       The error table of a recognizer: how well it understands a benchmark's ground truth, and what
                      it never met
``lexicon_report``    The lexicon sweep for readers: Markdown, CSV and a plot
``lexicon_sizes``     Lexicons made smaller and larger, and the words that phones alone would get wrong
``lexicon_sweep``     How much of the word error is the lexicon's doing
``material``          What a recognizer is evaluated on: the clips of every condition's corpus, and what is not at
                      hand
``model_card``        The model card's tables: what was reached beside what was aimed at, and the errors of every
                      language
``mouth_answers``     What a recognizer answers when it is shown a true mouth, one at rest, and other ones
``mouth_measures``    From a recognizer's answers to numbers with intervals: whether it reads a motion, and what of
                      it
``mouth_samples``     Seconds of somebody who speaks, as a recognizer is shown them: the true mouth, one that never
                      moves, other ones
``people``            Whole sentences of people in seven languages, as a benchmark without motion: how well a
                      recognizer hears a human
``recordings``        Mouth crops of people: frames of a video, landmarks of a detector, and the cut that published
                      lip readers use
``sentence_packages`` Sentences of people that Debian's packages hold: where their sounds lie, who speaks, and what
                      is said
``viseme_recall``     How many of the phones that are seen at the lips are recognized as what they look like
===================== ==============================================================================================

Examples
--------
``mtbench avsr evaluate --language ita`` prints the error table of the bundled recognizer.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
