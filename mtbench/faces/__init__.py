"""Faces: topologies, the bundled head, FLAME, and motion of vertices.

Vertices are (T, V, 3) in metres, y up, z out of the face; (V, 3) where there is one face.

Contents
--------
==================== ==============================================================================
``face_orientation`` How a face lies in space: axes, handedness, scale and place, against a face
``flame``            FLAME: index lists that need no asset, and linear blend skinning with the
``flame_asset``      Files that mtbench may not ship: checked copies in the user's data folder
``flame_lists``      What is known of FLAME without its model file: counts, joints, index lists
``head``             The bundled head ``openhead-1``: 4,801 vertices, facial units, identities
``head_arrays``      The loop of :mod:`mtbench.faces.head_kernels` in numpy alone, for an
``head_file``        Reads the asset of the bundled head
``head_identities``  Draws faces: which local shapes a random identity gets
``head_kernels``     Compiled inner loop of :mod:`mtbench.faces.head`
``motion``           Motion: a sequence of vertex positions
``motion_files``     Reading and checking the motion of one clip: vertices, FLAME parameters, or
``motion_geometry``  Check that vertices are a face: in metres, upright, looking forward, in the
``motion_headers``   What a motion file may hold, and whether its arrays' headers agree with that
``parameter_values`` Check the values of FLAME parameters: radians, metres, coefficients of order
``resampling``       Bringing motion of another frame rate to the benchmark's 25 frames per second
``templates``        Resting faces of speakers, from the files that people have them in
``topologies``       The topologies that mtbench knows, by name
``topology``         Topology: which vertices make which triangles, and which of them are lips
``tracker_names``    What trackers and other toolkits call FLAME's parameters, and how their
``visemes``          Mouth shapes of speech as weights of the bundled head's units
==================== ==============================================================================

Examples
--------
>>> from mtbench.faces import load_topology
>>> topology = load_topology("openhead-1")
>>> topology.n_vertices, topology.renderable
(4801, True)
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
