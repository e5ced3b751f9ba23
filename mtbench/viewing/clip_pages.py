"""Pages of the viewer: one a clip, and the list of them.

Conventions
-----------
Functions here return HTML; what they show is gathered before. Names and texts that people chose are escaped by the
templates, and by :func:`mtbench.pages.embed_json` in data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.benchmarks import Clip, read_phone_times
from mtbench.faces import load_topology
from mtbench.metrics import measure_loudness
from mtbench.pages import page_environment
from mtbench.speech import display_name, language_tag
from mtbench.viewing.color_scale import ENDS_MM, choose_end_mm
from mtbench.viewing.heard_texts import HeardEntry
from mtbench.viewing.shown_faces import ShownFace
from mtbench.viewing.sound_packs import pack_sound
from mtbench.viewing.static_files import read_player, read_static
from mtbench.viewing.topology_packs import pack_topology

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class ListedClip:
    """A line of the list of clips.

    Attributes
    ----------
    clip : Clip
    address : str
        Of its page, relative to the list.
    errors : tuple of float or None
        Lip vertex error of each entry, millimetres.
    """

    clip: Clip
    address: str
    errors: tuple[float | None, ...]

    @property
    def language(self) -> str:
        """Name of the language."""
        return display_name(self.clip.language)


def name_page(clip: Clip) -> str:
    """Return the file name of a clip's page; a clip may be called as the list of clips is."""
    return f"clip-{clip.id}.html" if clip.id.lower() == "index" else f"{clip.id}.html"


def render_clip(
    benchmark: str,
    clip: Clip,
    faces: Sequence[ShownFace],
    heard: Sequence[HeardEntry] = (),
    around: tuple[Clip | None, Clip | None] = (None, None),
    home: tuple[str, str] | None = None,
) -> str:
    """Return the page of a clip.

    Parameters
    ----------
    benchmark : str
        ``name@version``.
    clip : Clip
    faces : sequence of ShownFace
        In their order; a ground truth that comes last is measured against, but not shown.
    heard : sequence of HeardEntry
        What was recognized.
    around : tuple of two Clip or None
        The clips whose pages come before and after.
    home : tuple of two str, optional
        Address and name of the page that these belong to.
    """
    painted = np.concatenate([face.painted for face in faces])
    entries = [face for face in faces if not face.is_truth]
    return (
        _environment()
        .get_template("clip.html.j2")
        .render(
            title=f"{clip.id} · {' · '.join(face.name for face in entries)}",
            benchmark=benchmark,
            clip=clip,
            language_name=display_name(clip.language),
            tag=language_tag,
            faces=faces if faces[0].is_truth else entries,
            compared=len(painted) > 0,
            ends=ENDS_MM,
            end=choose_end_mm(painted),
            heard=heard,
            alone=list({entry.recognizer: entry for entry in reversed(heard) if entry.alone}.values()),
            around=around,
            page_of=name_page,
            home=home,
            data=gather_data(clip, faces),
            player=read_player(),
            viewer=read_static("viewer.js"),
            style=read_static("viewer.css"),
            plots=read_static("vendor/uPlot.iife.min.js"),
            plots_style=read_static("vendor/uPlot.min.css"),
        )
    )


def render_index(
    benchmark: str, systems: Sequence[str], rows: Sequence[ListedClip], home: tuple[str, str] | None = None
) -> str:
    """Return the page that lists the clips.

    Parameters
    ----------
    benchmark : str
        ``name@version``.
    systems : sequence of str
        Names of the entries.
    rows : sequence of ListedClip
    home : tuple of two str, optional
        As for :func:`render_clip`.
    """
    title = " · ".join(systems)
    template = _environment().get_template("index.html.j2")
    return template.render(
        title=title, benchmark=benchmark, systems=systems, rows=rows, home=home, tag=language_tag
    )


def gather_data(clip: Clip, faces: Sequence[ShownFace]) -> Mapping[str, Any]:
    """Return what the page's script works with; see ``static/viewer.js``."""
    sound = clip.load_audio()
    loudness = measure_loudness(sound, clip.frames, clip.fps)
    phones = read_phone_times(clip) if clip.phone_times_path is not None else ()
    names = sorted({face.topology for face in faces})
    return {
        "clip": clip.id,
        "fps": clip.fps,
        "frames": clip.frames,
        "sound": pack_sound(sound),
        "loudness": [round(float(value), 5) for value in loudness],
        "phones": [[phone.symbol, round(phone.start, 4), round(phone.end, 4)] for phone in phones],
        "topologies": {name: pack_topology(load_topology(name)) for name in names},
        "faces": [face.to_json() for face in faces],
    }


@cache
def _environment() -> jinja2.Environment:
    return page_environment(Path(__file__).parent / "templates")
