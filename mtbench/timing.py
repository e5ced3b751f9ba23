"""The clock that everything runs by: frames and samples per second, and how long a clip may be."""

from __future__ import annotations

#: Frames a second of every benchmark, crop and motion that is measured.
FPS = 25
#: Samples a second of all sound that is mixed or heard.
SAMPLE_RATE = 16000
#: Samples of sound beside one frame.
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
#: Longest clip in frames (two minutes): bounds every allocation that follows from a manifest.
MAX_FRAMES = 3000
