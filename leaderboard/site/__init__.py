"""The board as a site: static pages that work from disk, offline, and without JavaScript.

Contents
--------
================ ======================================================================================================
``clips``        The clips of an entry that were read worst and best, with what was recognized beside what was said
``columns``      The columns of the board's tables: what each shows, and which number of a run stands in it
``entry_page``   The page of an entry: what it says of itself, its numbers by language, plots, its worst and best clips
``index_page``   The board's first page: a table for each set of comparable entries, controls and published numbers
                 apart
``judge_page``   What the recognizer of each table understands of the speech, and whether it reads the true mouths
``methods_page`` How numbers are computed: made from what metrics and signatures say of themselves
``pages``        All pages of a board, from groups of results
``plots``        Plots of an entry's page: SVG from Python, readable in light and dark, with a text that says what is
                 in them
``published``    Numbers that a paper printed, as it printed them: shown apart from everything that was measured here
``sections``     Sections of the board: one a table, for entries whose numbers may be compared
``serving``      A server for browsers that refuse local files: this machine only, this folder only, with ranges of
                 bytes
``shown_clips``  Which clips the pages of a board show, for whoever makes them to be looked at
``views``        What the board's script knows: the numbers of a section by language and noise, with their signatures
``whiskers``     Small drawings in table cells: an interval with its estimate, as SVG of some sixty bytes
================ ======================================================================================================

Examples
--------
``mtbench leaderboard build results --out site`` writes it; open ``site/index.html``.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
