"""What a motion file may hold, and whether its arrays' headers agree with that.

Conventions
-----------
Nothing here reads an array: shape and type stand in the header, and most mistakes (frame rate, topology,
swapped axes, wrong names) show there already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from mtbench.errors import Problem
from mtbench.faces.flame_lists import N_FACE
from mtbench.faces.resampling import RATES
from mtbench.faces.topologies import find_mismatch, name_topology, topology_of_kind
from mtbench.faces.topology import Topology
from mtbench.faces.tracker_names import are_parameters, hint_shape, mean_vertices, translate
from mtbench.files import ArrayFile, ArrayHeader
from mtbench.timing import FPS, MAX_FRAMES

#: Makes a problem of the file at hand: (code, message, hint) -> Problem.
MakeProblem = Callable[[str, str, str], Problem]

#: Most facial units of a curve file.
MAX_UNITS = 256

#: FLAME parameter -> most columns, and whether a clip needs it; (T, n), and ``shape`` also (n,) or (1, n).
FLAME_PARAMETERS: dict[str, tuple[int, bool]] = {
    "exp": (100, True),
    "jaw": (3, True),
    "shape": (300, False),
    "neck": (3, False),
    "eyes": (6, False),
    "rotation": (3, False),
    "translation": (3, False),
}
_VERTEX_KEYS = ("vertices", "verts")


@dataclass(frozen=True)
class MotionSpec:
    """What the motion file of a clip must hold.

    Attributes
    ----------
    kind : str
        ``"vertices"``, ``"flame-params"`` or ``"units"``.
    topology : Topology
    frames : int or None
        T of the clip, at 25 frames per second; None where no benchmark says, then at most :data:`MAX_FRAMES`.
    fps : float
        Frames per second of the file's motion.
    seconds : float or None
        Length of the clip's sound, which may end within the last frame; None takes the shortest that has T frames.
    spare : int
        Frames at the end by which a file may be too long or too short.
    rate_hint : str
        How to say that the motion has another rate, which is put in for ``{}``.
    """

    kind: str
    topology: Topology
    frames: int | None
    fps: float = float(FPS)
    seconds: float | None = None
    spare: int = 0
    rate_hint: str = "set fps = {} in submission.toml"

    @property
    def counts(self) -> tuple[int, int]:
        """Fewest and most frames of the file that fit the clip, :attr:`spare` aside.

        They are one number at 25 fps. At other rates the sound, or the sound padded to whole frames at 25 fps, may
        have been cut into frames, and the last frame counted or not.

        Examples
        --------
        >>> from mtbench.faces.topologies import load_topology
        >>> MotionSpec("vertices", load_topology("flame-5023"), 97, 60.0, 3.85).counts
        (231, 233)
        """
        if self.frames is None:
            return 1, math.floor(MAX_FRAMES * self.fps / FPS)
        if self.fps == FPS:
            return self.frames, self.frames
        most = math.ceil(self.frames * self.fps / FPS - 1e-6)
        seconds = (self.frames - 1) / FPS if self.seconds is None else self.seconds
        return min(max(1, math.floor(seconds * self.fps + 1e-6)), most), most

    def describe_counts(self) -> str:
        """Return :attr:`counts` in words: ``"97"``, ``"231 to 233"``."""
        fewest, most = self.counts
        return f"{most}" if fewest == most else f"{fewest} to {most}"

    @property
    def max_bytes(self) -> int:
        """Most bytes of data that the clip can need, in double precision."""
        frames = self.counts[1] + self.spare
        if self.kind == "vertices":
            return self.max_vertex_bytes
        columns = MAX_UNITS if self.kind == "units" else sum(n for n, _ in FLAME_PARAMETERS.values())
        return frames * columns * 8 + 4096

    @property
    def max_vertex_bytes(self) -> int:
        """Most bytes that the clip's vertices can need, in double precision."""
        return (self.counts[1] + self.spare) * self.topology.n_vertices * 3 * 8


def is_given_once(key: str, shape: tuple[int, ...]) -> bool:
    """Whether an array of a motion file holds for the whole clip: a face's shape may, as (n,) or (1, n)."""
    return key == "shape" and (len(shape) == 1 or (len(shape) == 2 and shape[0] == 1))


def select_arrays(
    file: ArrayFile, spec: MotionSpec, problem: MakeProblem
) -> tuple[dict[str, str], list[Problem]]:
    """Choose the members that *spec* asks for and check their headers."""
    problems: list[Problem] = []
    headers = file.headers
    if (mismatch := find_mismatch(spec.kind, spec.topology.name)) is not None:
        hint = (
            f"they move {topology_of_kind(spec.kind)}; pose them and give the vertices, or give that topology"
        )
        return {}, [problem("wrong-kind", mismatch, hint)]
    if spec.kind == "vertices":
        present = [key for key in ("", *_VERTEX_KEYS) if key in headers]
        if len(present) != 1 or len(headers) != 1:
            hint = _other_name_hint(headers) or "keep one array, named 'vertices'"
            if are_parameters(headers):
                hint = 'these are FLAME parameters: set kind = "flame-params" in submission.toml'
            names = sorted(headers) or "none"
            return {}, [problem("wrong-arrays", f"has arrays {names}, expected 'vertices'", hint)]
        problems += _check_vertex_header(headers[present[0]], spec, problem)
        return {"vertices": present[0]}, problems
    if spec.kind == "units":
        known = {"units": MAX_UNITS, "identity": 0}
        required = {"units"}
    else:
        known = {key: columns for key, (columns, _) in FLAME_PARAMETERS.items()}
        required = {key for key, (_, needed) in FLAME_PARAMETERS.items() if needed}
    shapes = {key: header.shape for key, header in headers.items()}
    recipe = translate(shapes if spec.kind == "flame-params" else {})
    for key in sorted(required - headers.keys()):
        hint = recipe.hint_missing(key) or f"known arrays: {', '.join(known)}"
        if not recipe.uses.get("") and any(name in headers for name in ("", *_VERTEX_KEYS)):
            hint = 'these look like vertices: set kind = "vertices" in submission.toml'
        problems.append(problem("wrong-arrays", f"has no array {key!r}", hint))
    for key in sorted(headers.keys() - known.keys() - {""}):
        hint = recipe.hint_unknown(key) or f"known arrays: {', '.join(known)}; leave out what is none of them"
        problems.append(problem("wrong-arrays", f"has an unknown array {key!r}", hint))
    for key in sorted(headers.keys() & known.keys()):
        if key != "identity":
            problems += _check_parameter_header(key, headers[key], known[key], spec, problem, shapes)
        elif headers[key].dtype.kind != "U" or headers[key].shape != () or headers[key].nbytes > 1024:
            problems.append(
                problem("wrong-arrays", "identity is not a short text", "store the identity's name")
            )
    wanted = {key: key for key in headers if key in known}
    if not problems:
        problems += _check_agreement(file, wanted, problem)
    return wanted, problems


def measure_frames(file: ArrayFile, wanted: dict[str, str]) -> dict[str, int]:
    """Return how many frames each array of *wanted* (key -> member) has; what holds for all frames is left out."""
    shapes = {key: file.headers[member].shape for key, member in wanted.items() if key != "identity"}
    return {
        key: shape[0]
        for key, shape in shapes.items()
        if not (key == "shape" and (len(shape) == 1 or shape[0] == 1))
    }


def note_frames(found: int, spec: MotionSpec) -> tuple[str, str, str] | None:
    """Return (code, message, hint) where a file that is taken has one frame too many or too few, else None."""
    fewest, most = spec.counts
    if spec.frames is None or fewest <= found <= most:
        return None
    expected = f"{found} frames, expected {spec.describe_counts()} at {spec.fps:g} fps"
    if found > most:
        return "frame-too-many", expected, "the last frame is left out; look at how frames are counted"
    return "frame-too-few", expected, "the last frame is held; look at how frames are counted"


def _check_agreement(file: ArrayFile, wanted: dict[str, str], problem: MakeProblem) -> list[Problem]:
    counts = measure_frames(file, wanted)
    if len(set(counts.values())) < 2:
        return []
    listed = ", ".join(f"{key}: {count} frames" for key, count in counts.items())
    return [problem("wrong-frame-count", f"{listed}; expected as many in each", "save them of one length")]


def _other_name_hint(headers: dict[str, ArrayHeader]) -> str | None:
    for key in headers:
        if key not in _VERTEX_KEYS and mean_vertices(key):
            return f"did you mean 'vertices'? The file calls it {key!r}; rename it"
    return None


def _check_dtype(key: str, header: ArrayHeader, problem: MakeProblem) -> list[Problem]:
    if header.dtype.kind == "f" and header.dtype.itemsize in (2, 4, 8):
        return []
    hint = {
        "i": "integers lose everything below a metre; save float32 metres",
        "u": "integers lose everything below a metre; save float32 metres",
        "c": "a Fourier transform leaves complex numbers; save the real part as float32",
        "b": "this is a mask; save the positions",
    }.get(header.dtype.kind, "save it with .astype('float32')")
    return [
        problem(
            "wrong-dtype", f"array {key!r} is {header.dtype}, expected float32 (or float64, float16)", hint
        )
    ]


def _check_vertex_header(header: ArrayHeader, spec: MotionSpec, problem: MakeProblem) -> list[Problem]:
    problems = _check_dtype("vertices", header, problem)
    count, shape = spec.topology.n_vertices, header.shape
    frames = "T" if spec.frames is None else spec.describe_counts()
    expected = f"({frames}, {count}, 3) or ({frames}, {3 * count})"
    if not ((len(shape) == 3 and shape[2] == 3) or (len(shape) == 2 and shape[1] % 3 == 0 and shape[1] > 3)):
        hint = "the last axis holds x, y, z"
        if len(shape) == 4 and shape[0] == 1:
            hint = "drop the batch axis: save array[0]"
        elif len(shape) == 3 and shape[1] == 3:
            hint = "the last two axes are swapped: save array.transpose(0, 2, 1)"
        elif len(shape) == 2 and shape[1] == 3:
            hint = "this is one frame, or frames were flattened into one axis; save all frames"
        return [*problems, problem("wrong-shape", f"vertices have shape {shape}, expected {expected}", hint)]
    found = shape[1] if len(shape) == 3 else shape[1] // 3
    if found != count:
        problems.append(
            problem(
                "wrong-vertex-count",
                f"{found} vertices, topology {spec.topology.name} has {count}",
                _vertex_count_hint(found, shape, spec),
            )
        )
    problems += _check_frames("vertices", shape[0], spec, problem)
    return problems


def _vertex_count_hint(found: int, shape: tuple[int, ...], spec: MotionSpec) -> str:
    if shape[0] == spec.topology.n_vertices:
        return "the first axis holds the vertices: save array.transpose(1, 0, 2)"
    known = name_topology(found) or ("FLAME's head without eyeballs" if found == N_FACE else None)
    if known is not None:
        return f"{found} vertices are {known}: another topology than the manifest's, or a lossy export"
    return "another topology, or an exporter merged or split vertices; export without changing the mesh"


def _check_frames(key: str, found: int, spec: MotionSpec, problem: MakeProblem) -> list[Problem]:
    fewest, most = spec.counts
    if spec.frames is None:
        if fewest <= found <= most:
            return []
        hint = "split the clip" if found else "the generator wrote nothing for this clip; run it again"
        return [problem("wrong-frame-count", f"{found} frames, expected 1 to {most}", hint)]
    if max(1, fewest - spec.spare) <= found <= most + spec.spare:
        return []
    other = _find_rate(found, spec)
    if found == 0:
        hint = "the generator wrote nothing for this clip; run it again"
    elif fewest - 2 <= found <= most + 2:
        rule = "a clip of N samples at 16 kHz has ceil(N / 640) frames at 25 fps"
        if spec.fps != FPS:
            rule = f"a clip of D seconds has D times {spec.fps:g} frames"
        hint = f"off by one or two: {rule}; repeat or drop the last frame"
    elif other is not None:
        hint = f"that is {other:g} fps: {spec.rate_hint.format(f'{other:g}')}"
    else:
        seconds = found / spec.fps
        what = "the clip was cut, or" if found < fewest else "the motion runs on after the clip's end, or"
        hint = (
            f"{what} it belongs to another audio file ({seconds:.2f} s of motion, "
            f"{spec.frames / FPS:.2f} s of sound); generate {spec.fps:g} frames per second of the audio"
        )
    expected = spec.describe_counts()
    return [
        problem("wrong-frame-count", f"{key}: {found} frames, expected {expected} at {spec.fps:g} fps", hint)
    ]


def _find_rate(found: int, spec: MotionSpec) -> float | None:
    """Return the usual frame rate at which *found* frames fit the clip best, whole ones first; None where none does."""
    assert spec.frames is not None
    fitting = []
    for rate in RATES:
        fewest, most = replace(spec, fps=rate).counts
        if rate != spec.fps and fewest - 1 <= found <= most + 1:
            fitting.append((rate != round(rate), abs(found - rate * spec.frames / FPS), rate))
    return min(fitting)[2] if fitting else None


def _check_parameter_header(
    key: str,
    header: ArrayHeader,
    columns: int,
    spec: MotionSpec,
    problem: MakeProblem,
    shapes: dict[str, tuple[int, ...]],
) -> list[Problem]:
    problems = _check_dtype(key, header, problem)
    shape = header.shape
    once = is_given_once(key, shape)
    frames = "T" if spec.frames is None else spec.describe_counts()
    if len(shape) != 2 and not once:
        hint = "give 'units' a row" if key == "units" else f"save (T, {columns}) for {key!r}"
        if key in FLAME_PARAMETERS:
            hint = hint_shape(key, shape, shapes) or hint
        return [
            *problems,
            problem("wrong-shape", f"{key} has shape {shape}, expected ({frames}, n)", hint),
        ]
    exact = key in FLAME_PARAMETERS and columns <= 6
    if (exact and shape[-1] != columns) or not 1 <= shape[-1] <= columns:
        bound = f"{columns}" if exact else f"1 to {columns}"
        hint = (
            "rotations are axis-angle vectors in radians"
            if exact
            else "the first coefficients of FLAME's basis"
        )
        if key in FLAME_PARAMETERS:
            hint = hint_shape(key, shape, shapes) or hint
        problems.append(problem("wrong-shape", f"{key} has {shape[-1]} columns, expected {bound}", hint))
    if not once:
        problems += _check_frames(key, shape[0], spec, problem)
    return problems
