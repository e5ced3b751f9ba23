"""Leaderboards and reports, made from result files only.

Contents
--------
========= ==============================================================================
``table`` A leaderboard as Markdown, JSON and CSV
========= ==============================================================================

Examples
--------
``mtbench leaderboard build results`` writes the tables.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
