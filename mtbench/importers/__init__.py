"""Importers: other projects' motion on disk, made into submissions; one file a format.

Contents
--------
================= ==================================================================================================
``base``          What an importer is: it finds other projects' motion on disk and reads it, clip by clip
``importing``     From motion that an importer found to a submission
``registry``      Importers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`
``vertex_arrays`` Arrays of vertices, a file a clip: what FaceFormer, CodeTalker and most of their descendants write
================= ==================================================================================================

Examples
--------
>>> from mtbench.importers import IMPORTERS
>>> IMPORTERS.names()
['vertices']
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
