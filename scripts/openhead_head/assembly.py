"""The arrays of the asset: what the head's parts become, rounded to whole steps."""

from __future__ import annotations

import numpy as np

from openhead_head.colors import color_vertices
from openhead_head.contact import OVERLAP, Contact
from openhead_head.cutting import LIP_RINGS, Cut
from openhead_head.landmarks import find_landmarks
from openhead_head.shapes import Shapes

#: Quantization steps in metres: what is stored is an integer multiple of these.
STEP = 5e-6
STEP_LOCAL = 2e-5
PART_NAMES = ("body", "left-eye", "right-eye", "upper-teeth", "lower-teeth", "tongue")


def assemble(head: Cut, shapes: Shapes) -> dict[str, np.ndarray]:
    """Return the arrays of ``openhead-1.npz``."""
    neutral, groups = shapes.neutral, head.groups
    landmarks = find_landmarks(neutral, head.rings, head.lids, head.neighbours)
    oral = np.zeros(len(neutral), bool)
    oral[np.setdiff1d(head.cavity, head.rings[0] + head.rings[-1])] = True
    identities = np.stack(list(shapes.identities.values()))
    return {
        "neutral": neutral.astype("<f4"),
        "triangles": head.triangles.astype("<u2"),
        "part": head.parts.astype("u1"),
        "part_names": np.array(PART_NAMES),
        "vertex_part": groups,
        "overlap": np.array([OVERLAP], "<f4"),
        "unit_names": np.array(list(shapes.units)),
        "identity_names": np.array(list(shapes.identities)),
        "identity_values": np.ascontiguousarray(quantize(identities, STEP).transpose(0, 2, 1)),
        "identity_step": np.array([STEP]),
        "local_names": np.array(list(shapes.local)),
        "landmarks": np.array(landmarks, "<i4"),
        "albedo": color_vertices(groups, head.rings, head.cavity, neutral),
        "oral": oral,
        **{f"region_{name}": index for name, index in find_regions(head, shapes, landmarks[0]).items()},
        **lay_out_contact(shapes.contact),
        **lay_out_offsets("unit", shapes.units, STEP),
        **lay_out_offsets("local", shapes.local, STEP_LOCAL),
    }


def find_regions(head: Cut, shapes: Shapes, subnasale: int) -> dict[str, np.ndarray]:
    """Return the vertices of each region; *subnasale* is the nose's lowest landmark."""
    neutral, groups, body = shapes.neutral, head.groups, head.body
    nose = neutral[subnasale]
    moved = np.zeros(len(neutral))
    for name, delta in shapes.units.items():
        if name.startswith(("brow", "eye", "cheekSquint")):
            moved = np.maximum(moved, np.linalg.norm(delta, axis=1))
    upper_face = body[(moved[body] > 5e-4) & (neutral[body, 1] > nose[1])]
    skin = np.setdiff1d(body, head.cavity)
    chin_y = neutral[head.rings[8], 1].min() - 0.03
    p = neutral[skin]
    mouth = skin[
        (p[:, 1] < nose[1]) & (p[:, 1] > chin_y) & (np.abs(p[:, 0]) < 0.04) & (p[:, 2] > nose[2] - 0.05)
    ]
    regions = {
        "lips": np.unique(np.concatenate([head.rings[k] for k in range(LIP_RINGS)])),
        "inner_lips": np.array(head.rings[1]),
        "upper_face": np.sort(upper_face),
        "mouth": np.sort(mouth),
        "teeth": np.nonzero((groups == 3) | (groups == 4))[0],
        "tongue": np.nonzero(groups == 5)[0],
        "eyes": np.nonzero((groups == 1) | (groups == 2))[0],
    }
    return {name: index.astype("<i4") for name, index in regions.items()}


def lay_out_contact(contact: Contact) -> dict[str, np.ndarray]:
    return {
        "contact_upper": contact.upper.astype("<i4"),
        "contact_lower": contact.lower.astype("<i4"),
        "contact_t": contact.t.astype("<f4"),
        "seal_vertices": contact.vertices.astype("<i4"),
        "seal_pair": contact.pair.astype("<i4"),
        "seal_blend": contact.blend.astype("<f4"),
        "seal_falloff": contact.falloff.astype("<f4"),
        "seal_side": contact.side.astype("u1"),
    }


def lay_out_offsets(prefix: str, offsets: dict[str, np.ndarray], step: float) -> dict[str, np.ndarray]:
    stored = {f"{prefix}_{key}": array for key, array in sparse(list(offsets.values()), step).items()}
    return {**stored, f"{prefix}_step": np.array([step])}


def quantize(values: np.ndarray, step: float) -> np.ndarray:
    steps = np.round(values / step)
    if np.abs(steps).max() > 32767:
        raise SystemExit("an offset is too large for 16 bits at this step")
    return steps.astype("<i2")


def sparse(deltas: list[np.ndarray], step: float) -> dict[str, np.ndarray]:
    """Rows that differ from zero after quantization: offsets (n+1), vertices, values (n, 3)."""
    offsets, vertices, values = [0], [], []
    for delta in deltas:
        steps = quantize(delta, step)
        rows = np.nonzero(steps.any(1))[0]
        vertices.append(rows.astype("<u2"))
        values.append(steps[rows])
        offsets.append(offsets[-1] + len(rows))
    return {
        "offsets": np.array(offsets, "<u4"),
        "vertices": np.concatenate(vertices),
        # Component by component compresses better than vertex by vertex.
        "values": np.ascontiguousarray(np.concatenate(values).T),
    }
