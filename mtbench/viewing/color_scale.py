"""Colors for errors in millimetres: one scale for page, legend and tests.

Conventions
-----------
From light to dark, so that the scale reads without hue as well: lightness falls all the way, and an error of zero
looks like plain clay. Between the stops colors are interpolated linearly, channel by channel, in sRGB.
"""

from __future__ import annotations

import numpy as np

#: Stops of the scale, evenly spaced from no error to the end of the scale, sRGB.
STOPS = ("#f3efe6", "#f7cf6b", "#ee8a3a", "#cf3f45", "#8b1c63", "#35104a")
#: Ends that a scale may have, millimetres.
ENDS_MM = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)


def color_rgb(value: float) -> tuple[float, float, float]:
    """Return red, green and blue, 0 to 255 and not rounded, of *value* from 0 (no error) to 1 and more (scale's end).

    Examples
    --------
    >>> color_rgb(0.0)
    (243.0, 239.0, 230.0)
    """
    table = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in STOPS], np.float64)
    at = min(max(float(value), 0.0), 1.0) * (len(STOPS) - 1)
    below = min(int(at), len(STOPS) - 2)
    mixed = table[below] + (at - below) * (table[below + 1] - table[below])
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def color_of(value: float) -> str:
    """Return the color of *value* as ``#rrggbb``.

    Examples
    --------
    >>> color_of(0.0), color_of(1.0), color_of(7.0)
    ('#f3efe6', '#35104a', '#35104a')
    """
    return "#" + "".join(f"{int(channel + 0.5):02x}" for channel in color_rgb(value))


def choose_end_mm(errors_mm: np.ndarray) -> float:
    """Return the end of the scale for *errors_mm*: all but the largest two in a hundred lie below it.

    Examples
    --------
    >>> choose_end_mm(np.linspace(0, 4, 1000)), choose_end_mm(np.zeros(3))
    (5.0, 0.5)
    """
    most = float(np.percentile(errors_mm, 98)) if np.size(errors_mm) else 0.0
    return next((end for end in ENDS_MM if end >= most), ENDS_MM[-1])
