"""Making a benchmark folder from recordings, texts, motion and resting faces.

Contents
--------
================== ==============================================================================
``folder``         Making a benchmark folder from recordings, texts and, where there is some
``manifest_edits`` Adding word lists and reference phones to a ``benchmark.toml`` that people
``notes``          What is said about a benchmark in the making: what is wrong with its files
``sources``        The files that a benchmark is made of: recordings, their texts and ground
``truth``          Ground-truth motion, and templates, of a benchmark in the making
``word_lists``     Word lists and reference phones made for a benchmark folder: ``mtbench
================== ==============================================================================

Examples
--------
``create_benchmark("mine", "recordings", language="ita", words="auto")`` makes the folder ``mine``; ``mtbench benchmark
new`` does the same.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
