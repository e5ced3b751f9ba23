"""Importers: other projects' motion on disk, made into submissions; one file a format.

Contents
--------
==================== ===============================================================================================
``artalk``           ARTalk: ``<clip>_<style>_<appearance>_motions.pt`` of (T, 106), 25 frames a second
``base``             What an importer is: it finds other projects' motion on disk and reads it, clip by clip
``biwi``             BIWI: motion in the mesh of the BIWI corpus, 23,370 vertices, whoever made it
``clip_files``       Which file is which clip's: projects write a clip's name, and more, into the names of files and
                     folders
``codetalker``       CodeTalker: ``<clip>_condition_<speaker>.npy`` of its test, a folder a clip of its demo
``diffposetalk``     DiffPoseTalk: ``<clip>.npz`` of FLAME's parameters, 25 frames a second
``emote``            EMOTE (inferno): a folder a clip, with meshes or FLAME's parameters for each emotion
``facediffuser``     FaceDiffuser: ``<clip>_condition_<speaker>.npy`` of its test, a longer name of its demo
``faceformer``       FaceFormer: ``<clip>_condition_<speaker>.npy`` of its test, ``<clip>.npy`` of its demo
``flame_meshes``     FLAME with more vertices than 5,023: what others added is taken off, what was doubled is joined
``flame_parameters`` Projects that write FLAME's parameters: coefficients of expression, rotations of jaw and head
``frame_rates``      Whether the frames of imported motion fit the clips' sound, and which rate they would fit
``importing``        From motion that an importer found to a submission
``mesh_frames``      A clip as a folder of meshes, a file a frame: ``00000.obj``, ``00001.obj``, …, as VOCA and
                     EMOTE write it
``multitalk``        MultiTalk: ``<clip>.npy`` of (T, 15069), 25 frames a second
``positions``        Positions as projects leave them, read within bounds and brought to mtbench's: metres,
                     absolute, one topology
``registry``         Importers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`
``selftalk``         SelfTalk: ``<clip>.npy``, without a condition
``unitalker``        UniTalker: one ``.npz`` of all clips, a dictionary of meshes each, 30 frames a second
``vertex_arrays``    Arrays of vertices, a file a clip: what FaceFormer, CodeTalker and most of their descendants
                     write
``vertex_layouts``   Projects that write vertices, an array or a folder of meshes a clip: what they have in common
``voca``             VOCA: a folder of meshes a clip, ``<clip>/meshes/00000.obj``, 60 frames a second
==================== ===============================================================================================

Examples
--------
>>> from mtbench.importers import IMPORTERS
>>> [name for name in IMPORTERS.names() if name.startswith("face")]
['facediffuser', 'faceformer']
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
