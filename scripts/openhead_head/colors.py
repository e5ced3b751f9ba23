"""The color of each vertex."""

from __future__ import annotations

import numpy as np

from openhead_head.cutting import LIP_RINGS
from openhead_head.mouth import along_tongue


def color_vertices(
    groups: np.ndarray, rings: dict[int, list[int]], cavity: np.ndarray, neutral: np.ndarray
) -> np.ndarray:
    """Albedo, (V, 3) uint8."""
    skin, lip, mucosa, dark = (
        np.array(c, float) for c in ((205, 160, 135), (168, 90, 84), (112, 48, 47), (48, 17, 18))
    )
    out = np.tile(skin, (len(neutral), 1))
    share = {8: 0.15, 7: 0.6, 6: 0.95}
    for k in range(2, LIP_RINGS + 1):
        s = share.get(k, 1.0)
        out[rings[k]] = skin + s * (lip - skin)
    out[cavity] = dark
    out[rings[1]] = 0.5 * (lip + mucosa)
    out[rings[0]] = mucosa
    out[rings[-1]] = 0.5 * (mucosa + dark)
    out[(groups == 1) | (groups == 2)] = (235, 235, 235)
    # Little light reaches the back of the mouth: teeth and tongue darken with depth.
    gum, enamel, tongue_color = (
        np.array(c, float) for c in ((170, 92, 90), (238, 233, 220), (186, 104, 102))
    )
    for g in (3, 4):
        mine = np.nonzero(groups == g)[0]
        y, z = neutral[mine, 1], neutral[mine, 2]
        from_edge = (y - y.min() if g == 3 else y.max() - y) / np.ptp(y)
        front = np.clip((z - z.min()) / np.ptp(z), 0, 1)
        tooth = np.where(from_edge[:, None] > 0.75, gum, enamel)
        out[mine] = tooth * (0.25 + 0.75 * front[:, None] ** 1.5)
    tongue = groups == 5
    out[tongue] = tongue_color * (0.22 + 0.78 * along_tongue(neutral, tongue)[:, None] ** 2)
    # The iris and pupil are the part of each eyeball that points forwards most.
    for g in (1, 2):
        eye = np.nonzero(groups == g)[0]
        offset = neutral[eye] - neutral[eye].mean(0)
        radius = np.hypot(offset[:, 0], offset[:, 1])
        front = offset[:, 2] > 0
        out[eye[front & (radius < 0.0062)]] = (92, 70, 52)
        out[eye[front & (radius < 0.0028)]] = (22, 18, 16)
    return np.clip(np.round(out), 0, 255).astype(np.uint8)
