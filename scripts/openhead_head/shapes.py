"""The head's shapes: identities, facial units, local targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openhead_head.contact import OVERLAP, Contact, find_contact
from openhead_head.cutting import Cut
from openhead_head.mouth import (
    cavity_depth,
    follow_mouth,
    shape_mouth_inside,
    smooth_lower_lip,
    tongue_controls,
)
from openhead_head.source import METRES, Source

LOCAL_FOLDERS = ("cheek", "chin", "eyes", "forehead", "head", "mouth", "nose")
#: Metres over which the lips' skin follows their contact.
CONTACT_REACH = 0.003


@dataclass(frozen=True)
class Shapes:
    """What the head can be, in metres; all but the neutral face are offsets.

    Attributes
    ----------
    neutral : (V, 3) float
        The mean identity with closed lips.
    identities, units, local : dict of str to (V, 3) float
    contact : Contact
        Where the lips touch.
    """

    neutral: np.ndarray
    identities: dict[str, np.ndarray]
    units: dict[str, np.ndarray]
    local: dict[str, np.ndarray]
    contact: Contact


def make_shapes(source: Source, head: Cut) -> Shapes:
    faces = read_identities(source, head)
    mean = np.mean(list(faces.values()), 0)
    contact = find_contact(mean, head.rings, CONTACT_REACH)
    neutral = contact.close(mean, -OVERLAP)
    return Shapes(
        neutral=neutral,
        identities={name: contact.close(face, -OVERLAP) - neutral for name, face in faces.items()},
        units=make_units(source, head, mean),
        local=make_local_shapes(source, head, contact),
        contact=contact,
    )


def read_identities(source: Source, head: Cut) -> dict[str, np.ndarray]:
    """Return the twelve faces of the source, with what is inside the mouth fitted and the neck evened."""
    eyes = (head.groups == 1) | (head.groups == 2)
    depth = cavity_depth(head.cavity_quads, head.rings, len(head.used))
    faces = {}
    for race in ("african", "asian", "caucasian"):
        for gender in ("female", "male"):
            for age in ("young", "old"):
                name = f"{race}-{gender}-{age}"
                folder = "mpfb2/targets/macrodetails"
                delta = source.target(f"{folder}/{name}.target.gz") + source.target(
                    f"{folder}/universal-{gender}-{age}-averagemuscle-averageweight.target.gz"
                )
                raw = (source.vertices + delta)[head.used] * METRES
                face = even_neck(raw - raw[eyes].mean(0), head.neck)
                faces[name] = shape_mouth_inside(face, head.groups, head.rings, depth)
    return faces


def make_units(source: Source, head: Cut, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Return the source's facial units and the tongue's."""
    units = {}
    for path in source.members("faceunits01/targets/faceunits"):
        name = path.split("/")[-1].removesuffix(".target")
        delta = source.target(path)[head.used] * METRES
        units[name] = smooth_lower_lip(delta, head.rings) if name.startswith(("mouth", "jaw")) else delta
    units["tongueUp"], units["tongueLow"] = tongue_controls(mean, head.groups == 5)
    return units


def make_local_shapes(source: Source, head: Cut, contact: Contact) -> dict[str, np.ndarray]:
    """Return the source's local targets, which must not open the lips.

    The gap of each is closed, which keeps every mixture of them sealed.
    """
    local = {}
    for folder in LOCAL_FOLDERS:
        for path in source.members(f"mpfb2/targets/{folder}"):
            name = path.split("/")[-1].removesuffix(".gz").removesuffix(".target")
            delta = source.target(path)[head.used] * METRES
            local[name] = follow_mouth(contact.close(delta, 0.0), head.groups, head.rings)
    return local


def even_neck(shape: np.ndarray, loop: list[int]) -> np.ndarray:
    """Take the battlements off the neck's cut: smooth the height along its boundary."""
    out = shape.copy()
    y = out[loop, 1]
    for _ in range(30):
        y = 0.25 * np.roll(y, 1) + 0.5 * y + 0.25 * np.roll(y, -1)
    out[loop, 1] = y
    return out
