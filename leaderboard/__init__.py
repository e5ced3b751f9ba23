"""Leaderboards and reports, made from result files only.

Contents
--------
========== ==========================================================================================================
``adding`` Taking a result that somebody sends into a folder of results: checked first, and never in place of others'
           work
``board``  A board on disk: the site, and its numbers as Markdown, JSON and CSV
``groups`` Results of many entries, read once, in groups that may stand in one table
``ranks``  What a board orders entries by, and their ranks
``report`` Reports by language: what entries score, what goes wrong, and how far the numbers can be trusted
``site``   The board as a site: static pages that work from disk, offline, and without JavaScript
``table``  A leaderboard as Markdown, JSON and CSV
========== ==========================================================================================================

Examples
--------
``mtbench leaderboard build results`` writes the tables.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
