"""Leaderboards and reports, made from result files only.

Contents
--------
========= ===============================================
``ranks`` What a board orders entries by, and their ranks
``table`` A leaderboard as Markdown, JSON and CSV
========= ===============================================

Examples
--------
``mtbench leaderboard build results`` writes the tables.
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
