"""What a prediction cost: time beside the sound's own, and memory."""

from __future__ import annotations

import sys


def describe_cost(files: int, sound: float, taken: float) -> str:
    """Return what is told of the cost, one line.

    Parameters
    ----------
    files : int
        Recordings or clips.
    sound : float
        Seconds of sound in all of them.
    taken : float
        Seconds that animating them took.

    Examples
    --------
    >>> describe_cost(3, 20.0, 5.0).split(", peak")[0]
    '3 recordings, 20.0 s of sound in 5.0 s: real-time factor 0.25'
    """
    many = "recording" if files == 1 else "recordings"
    text = f"{files} {many}, {sound:.1f} s of sound in {taken:.1f} s: real-time factor {taken / max(sound, 1e-9):.2f}"
    peak = measure_peak_memory()
    return text if peak is None else f"{text}, peak memory {peak / 1e6:,.0f} MB"


def measure_peak_memory() -> int | None:
    """Return the most bytes that this process has held at once; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
