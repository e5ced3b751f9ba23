"""Strangers' bytes in, whole files out.

Readers check sizes before they read and raise one kind of error that names the file; writers leave the old file or
the new one, never a part.

Contents
--------
======================= ==============================================================================================
``arrays``              Reading ``.npy`` and ``.npz`` files that strangers wrote
``atomic``              Writing whole files: a reader sees the old content or the new one, never a part
``claims``              Folders that remember what they were asked for, so that what is gone on with is what was begun
``clip_lists``          Lists of clips beside a corpus: which to train on, and which are held out
``digests``             Digests of bytes, arrays and files, as keys of caches and parts of signatures
``eight_bits``          Weights of networks in eight bits: whole numbers, and a scale for each output channel
``file_errors``         Errors of the file system, worded so that a user can act on them
``mesh_files``          Reading the vertices and triangles of a template mesh: ``.obj`` and ``.ply``
``names``               Names of people's systems as names of files and folders
``paths``               Paths: those that a manifest names, never outside the manifest's folder, and what lies where a
                        folder is meant
``pickle_stand_ins``    Inert stand-ins for what a FLAME pickle names, and turning them into plain arrays
``pickled_checkpoints`` Checkpoints of fairseq and Lightning: the tensors and plain settings of a ``torch.save``
                        archive
``safe_pickle``         Reading the arrays of a FLAME pickle without executing anything
``saved_tensors``       Tensors that torch wrote, as numpy arrays: read without torch, and without running anything in
                        the file
``sealed_text``         Text files that tell whether they are still as they were written: the first line holds the
                        digest of the rest
``text_files``          Text files that strangers wrote: kind, size and encoding are checked before they are read
``toml_files``          Reading TOML files of strangers, and telling people what is wrong with them
``user_folders``        The user's folders: home, where there is one, and the platform's places for caches and data
``weight_files``        Reading the two files of a network, weights (safetensors) and their description (JSON), that
                        strangers wrote
======================= ==============================================================================================

Examples
--------
>>> from mtbench.files import digest_bytes, slugify
>>> digest_bytes(b"ab", b"c") == digest_bytes(b"a", b"bc")
False
>>> slugify("MultiTalk (ours)")
'multitalk-ours'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
