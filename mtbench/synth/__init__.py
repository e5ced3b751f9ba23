"""Synthetic speech and faces: what the bundled benchmark and the training examples are made of.

Conventions
-----------
Needs the extra ``[synth]`` for everything that speaks; never imported for scoring. Languages are ISO 639-3
codes, times are seconds, audio is float32 mono at 16 kHz.
"""
