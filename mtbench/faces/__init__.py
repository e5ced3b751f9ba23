"""Faces: topologies, the bundled head, FLAME, and motion of vertices.

Vertices are (T, V, 3) in metres, y up, z out of the face; (V, 3) where there is one face.

Contents
--------
==================== ===============================================================================================
``biwi``             The mesh of the BIWI corpus: 23,370 vertices, whose lips and upper face the user's own lists
                     name
``face_orientation`` How a face lies in space: axes, handedness, scale and place, against a face in mtbench's
                     convention
``flame``            FLAME: its topology, and linear blend skinning with the user's model file
``flame_asset``      Files that mtbench may not ship: checked copies in the user's data folder
``flame_files``      Reading FLAME files of users: models of any edition, and template meshes, checked to be FLAME's
                     topology
``flame_lists``      What is known of FLAME without its model file: counts, joints, index lists
``head``             The bundled head ``openhead-1``: 4,801 vertices, facial units, identities, mouth shapes of
                     speech
``head_arrays``      The loop of :mod:`mtbench.faces.head_kernels` in numpy alone, for an installation without numba
``head_file``        Reads the asset of the bundled head
``head_identities``  Draws faces: which local shapes a random identity gets
``head_kernels``     Compiled inner loop of :mod:`mtbench.faces.head`
``motion``           Motion: a sequence of vertex positions
``motion_files``     Reading and checking the motion of one clip: vertices, FLAME parameters, or curves of the
                     bundled head
``motion_geometry``  Check that vertices are a face: in metres, upright, looking forward, in the right order, where
                     it belongs
``motion_headers``   What a motion file may hold, and whether its arrays' headers agree with that
``parameter_values`` Check the values of FLAME parameters: radians, metres, coefficients of order one, a head that
                     faces forward
``resampling``       Bringing motion of another frame rate to the benchmark's 25 frames per second
``templates``        Resting faces of speakers, from the files that people have them in
``topologies``       The topologies that mtbench knows: names, vertex counts, kinds of motion, and the meshes when
                     they are wanted
``topology``         Topology: which vertices make which triangles, and which of them are lips, eyes and chin
``tracker_names``    What trackers and other toolkits call FLAME's parameters, and how their arrays become mtbench's
``vertex_files``     Vertices as people have them, in arrays, motions and files: reading and checking them
``visemes``          Mouth shapes of speech as weights of the bundled head's units
==================== ===============================================================================================

Examples
--------
>>> from mtbench.faces import load_topology
>>> topology = load_topology("openhead-1")
>>> topology.n_vertices, topology.renderable
(4801, True)
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
