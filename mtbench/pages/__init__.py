r"""Pages of HTML, and text for Markdown, LaTeX and CSV: made from templates, everything escaped.

Board, report, viewer and study share the shell, the style and the rules here. Sites work from disk, without a server
and without a network; equal inputs give equal bytes.

Contents
--------
============== ========================================================================================================
``embedding``  Data, scripts and styles inside a page, so that it works from disk: nothing in them can end their
               element
``plain_text`` Text that people chose, in Markdown, LaTeX and CSV: shown as it is, never read as markup or as a formula
``site_files`` Sites on disk: many files into one folder, each written whole, none outside it
``templates``  Pages from templates: one shell for board, report, viewer and study, everything escaped
============== ========================================================================================================

Examples
--------
>>> from mtbench.pages import markdown_cell
>>> markdown_cell("a|b")
'a\\|b'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
