"""Mouth shapes of speech as weights of the bundled head's units.

Conventions
-----------
Names follow the fifteen visemes in common use, plus ``nn`` (apart from ``DD``, whose lips are wider open),
``y`` and ``oe`` (rounded front vowels, close and mid) and ``schwa``. A unit name without *Left* or *Right*
means both sides. The weights are mtbench's own calibration: lip gaps, widths and protrusions were measured on
the twelve identities, and the shapes looked at; ``tests/test_head.py`` holds the ranges.
"""

from __future__ import annotations

VISEMES: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {"mouthPress": 0.35, "mouthRollLower": 0.35, "mouthRollUpper": 0.35, "lipSeal": 1.0},
    "FF": {"jawOpen": 0.05, "mouthRollLower": 0.65, "mouthUpperUp": 0.68, "mouthShrugLower": 0.35},
    "TH": {"jawOpen": 0.2, "tongueOut": 0.85, "tongueUp": 0.8, "mouthLowerDown": 0.2, "mouthUpperUp": 0.15},
    "DD": {"jawOpen": 0.13, "tongueUp": 1.0, "mouthLowerDown": 0.35, "mouthUpperUp": 0.15},
    "kk": {"jawOpen": 0.18, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "CH": {"jawOpen": 0.06, "mouthFunnel": 0.72, "mouthPucker": 0.3},
    "SS": {"jawOpen": 0.03, "mouthStretch": 0.35, "mouthLowerDown": 0.5, "mouthUpperUp": 0.35},
    "RR": {"jawOpen": 0.12, "mouthFunnel": 0.3, "mouthPucker": 0.5, "tongueUp": 0.3},
    "nn": {"jawOpen": 0.11, "tongueUp": 1.0, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "aa": {"jawOpen": 0.62, "tongueLow": 0.8, "mouthUpperUp": 0.2},
    "E": {"jawOpen": 0.34, "mouthStretch": 0.4, "mouthSmile": 0.1, "mouthLowerDown": 0.2, "tongueLow": 0.2},
    "ih": {
        "jawOpen": 0.2,
        "mouthStretch": 0.35,
        "mouthSmile": 0.15,
        "mouthLowerDown": 0.2,
        "mouthUpperUp": 0.2,
    },
    "iy": {
        "jawOpen": 0.09,
        "mouthStretch": 0.65,
        "mouthSmile": 0.3,
        "mouthLowerDown": 0.35,
        "mouthUpperUp": 0.25,
    },
    "oh": {"jawOpen": 0.36, "mouthFunnel": 0.5, "mouthPucker": 0.55, "tongueLow": 0.8},
    "uw": {"jawOpen": 0.15, "mouthPucker": 1.2, "mouthFunnel": 0.3, "tongueLow": 0.6},
    "y": {"jawOpen": 0.1, "mouthPucker": 1.0, "mouthFunnel": 0.4},
    "oe": {"jawOpen": 0.24, "mouthPucker": 0.75, "mouthFunnel": 0.42, "tongueLow": 0.2},
    "schwa": {"jawOpen": 0.2, "mouthLowerDown": 0.1},
}
