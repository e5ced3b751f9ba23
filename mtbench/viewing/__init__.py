"""Looking at what was scored: faces in motion in a browser, side by side and in time with their sound.

Contents
--------
================== ====================================================================================================
``clip_pages``     Pages of the viewer: one a clip, and the list of them
``color_scale``    Colors for errors in millimetres: one scale for page, legend and tests
``entry_viewers``  Viewers for the entries of a board: a folder an entry, with the clips that its page shows
``glb_files``      A clip's motion as a GLB file: morph targets with animated weights, and its sound
``heard_texts``    What the recognizer made of a clip: its hypotheses beside what was said, the errors marked
``low_rank``       Motion as a few shapes with weights over time: the smallest number of shapes that stays within a
                   bound
``motion_packs``   Motion of one clip as compact data for a browser: shapes in as few bits as a bound in millimetres
                   allows
``shown_faces``    What a clip's page shows of one face: its motion as a pack, its curves, and how far it is from the
                   ground truth
``sound_packs``    Sound of a clip as data for a browser: FLAC, sample for sample what is heard in scoring
``static_files``   Scripts and styles of this room: the player, the viewer's page, and the one library that is not ours
``topology_packs`` Triangles, colors and the places to look at of a topology, as data for a browser: once a page
``viewer``         The viewer: a page a clip with its faces side by side, in one folder that works from disk
``whole_numbers``  Whole numbers, most of them small, in few bits: Rice's code, its parameter chosen for every block
================== ====================================================================================================

Examples
--------
>>> from mtbench.viewing import color_of
>>> color_of(0.0)
'#f3efe6'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
