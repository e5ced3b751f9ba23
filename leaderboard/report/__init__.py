"""Reports by language: what entries score, what goes wrong, and how far the numbers can be trusted.

Made from result folders alone, as a page, as Markdown, as figures (SVG, PNG) and as tables (CSV, LaTeX).

Contents
--------
================= =====================================================================================================
``clips``         Sections about clips: how errors are spread over them, and the best and worst with their words
                  aligned
``document``      What a report is made of: sections of paragraphs, tables, figures and aligned texts, whatever they
                  become
``edits``         Sections about edits: what the errors of texts are made of, from the counts of the rows
``figures``       The figures of a language: the curve over noise levels, single noises, kinds of edits, classes of
                  phones, clips
``language_page`` The document about one language: from results to sections
``markdown``      A document as Markdown: tables, pictures, folded parts; what people chose is shown as text
``metric_report`` What ``mtbench validate-metric`` found of the metric: the part of its report that tells how far
                  numbers go
``numbers``       Sections of numbers that stand in ``run.json``: the summary, the curve over noise levels, each noise
                  by itself
``overview``      The document over all languages: one page that leads to each of them
``page``          A document as a page of HTML: one file, its figures beside it, no script and no network
``pair_sections`` The sections about pairs of entries: figures, tables and words around
                  :mod:`mtbench.leaderboard.report.pairs`
``pairs``         Sections that set entries against each other: paired differences, and what a difference of their size
                  means in clips
``paper_table``   A table as a paper would print it: LaTeX with booktabs, the signature in its caption
``phones``        Sections about phones: what became of each viseme and each class of sounds, and of the closures of p,
                  b and m
``sources``       What a report is about: result folders, read and put into groups whose numbers may stand together
``trust``         The paragraph on how far a language's number can be trusted: the guard, the clips, and the metric's
                  own examination
``writing``       Reports on disk: pages, Markdown, figures and tables below one folder
================= =====================================================================================================

Examples
--------
``mtbench report results/mine/openhead-20 results/static/openhead-20 --language Italian --out report``
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
