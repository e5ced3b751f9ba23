"""The making of the bundled head ``openhead-1``: ``scripts/build_openhead.py`` says how it is run.

Contents
--------
============= ==============================================================================================
``assembly``  The arrays of the asset: what the head's parts become, rounded to whole steps
``colors``    The color of each vertex
``contact``   Where the lips touch, and closing them
``cutting``   Cutting the head out of the body: vertices, triangles, rings around the mouth, lids
``landmarks`` The 25 landmarks of the mouth crop as vertices of the head
``mouth``     Teeth, tongue, cavity and lips: fitted behind every identity's mouth, and moved with it
``shapes``    The head's shapes: identities, facial units, local targets
``source``    Reading the CC0 parts of the wheel: base mesh and targets
============= ==============================================================================================

Conventions
-----------
The source is in decimetres; the result is in metres, y up, z out of the face, x to the viewer's right, origin at the
mean of the eyeballs of the mean identity. Rings are closed loops of vertices around the mouth opening: ring 0 is where
the skin meets the oral cavity (the seam of the texture layout), ring k lies k quads outwards, ring -k lies k quads
inwards. Groups number the parts of the mesh in the order of :data:`openhead_head.source.GROUPS`.
"""
