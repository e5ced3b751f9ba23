"""What trackers and other toolkits call FLAME's parameters, and how their arrays become mtbench's.

Conventions
-----------
Names and layouts are those of DECA (``pose`` (T, 6): head, then jaw), EMOCA (``posecode``, ``expcode``), SMIRK
(``pose_params``, ``jaw_params``, ``eyelid_params``), VHAP (``expr``, ``neck_pose``, ``eyes_pose``,
``static_offset``), smplx (``global_orient``, ``leye_pose``, ``betas``) and FLAME's own pose vector (T, 15).
What a hint says is numpy: the names in it are the file's arrays, ``Rotation`` is
``scipy.spatial.transform.Rotation``. Doing what it says gives a file that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

Shape = tuple[int, ...]

#: What an array may be called (in lower case) -> FLAME parameter.
_NAMES: dict[str, tuple[str, ...]] = {
    "exp": (
        *(
            "exp",
            "expr",
            "expression",
            "expressions",
            "expression_params",
            "exp_params",
            "exp_code",
            "expcode",
        ),
        *("expression_code", "exp_coeff", "exp_coeffs", "expression_coeffs", "psi"),
    ),
    "jaw": ("jaw", "jaw_pose", "jawpose", "jaw_params", "jaw_code", "jaw_rot", "jaw_rotation"),
    "shape": ("shape", "betas", "beta", "shape_params", "shapecode", "shape_code", "shape_coeffs"),
    "neck": ("neck", "neck_pose", "neckpose", "neck_params", "neck_rotation"),
    "eyes": ("eyes", "eye_pose", "eyes_pose", "eyepose", "eyeballs_pose", "eye_params", "eyes_params"),
    "rotation": (
        *("rotation", "global_orient", "global_pose", "globalpose", "global_rot", "global_rotation"),
        *("pose_params", "root_pose", "head_pose", "rot"),
    ),
    "translation": ("translation", "transl", "trans", "global_transl", "global_translation"),
}
_PARAMETER = {name: parameter for parameter, names in _NAMES.items() for name in names}
_EYES = (("leye_pose", "reye_pose"), ("left_eye_pose", "right_eye_pose"), ("leye", "reye"))
_POSES = ("pose", "posecode", "pose_code", "poses", "full_pose", "flame_pose")
_GENERIC = (
    "",
    "arr_0",
    "params",
    "parameters",
    "coeff",
    "coeffs",
    "coef",
    "code",
    "codes",
    "flame",
    "motion",
    "data",
)
_NOT_FLAME = frozenset(
    {
        *(
            "cam",
            "camera",
            "cam_params",
            "tex",
            "texcode",
            "light",
            "lights",
            "lightcode",
            "detail",
            "detailcode",
        ),
        *("eyelid", "eyelids", "eyelid_params", "static_offset", "dynamic_offset", "scale", "focal_length"),
        *("body_pose", "left_hand_pose", "right_hand_pose", "fps", "images", "landmarks2d", "landmarks3d"),
    }
)
_VERTEX_NAMES = frozenset({"vertices", "verts", "vertice", "verticies", "vert", "v", "arr_0"})

_HEAD_JAW = (("rotation", 3), ("jaw", 3))
_FULL_POSE = (("rotation", 3), ("neck", 3), ("jaw", 3), ("eyes", 6))
#: Columns of a pose vector -> parameters and their columns, in order.
_POSE_LAYOUTS = {6: _HEAD_JAW, 9: _FULL_POSE[:3], 12: _FULL_POSE[1:], 15: _FULL_POSE}
#: Columns of an array that holds everything -> parameters and their columns; "" is left out.
_GLUED_LAYOUTS = {
    53: (("exp", 50), ("jaw", 3)),
    56: (("exp", 50), *_HEAD_JAW),
    103: (("exp", 100), ("jaw", 3)),
    106: (("exp", 100), *_HEAD_JAW),
    156: (("shape", 100), ("exp", 50), *_HEAD_JAW),
    236: (("shape", 100), ("", 50), ("exp", 50), *_HEAD_JAW, ("", 30)),
    353: (("shape", 300), ("exp", 50), ("jaw", 3)),
    356: (("shape", 300), ("exp", 50), *_HEAD_JAW),
    403: (("shape", 300), ("exp", 100), ("jaw", 3)),
    406: (("shape", 300), ("exp", 100), *_HEAD_JAW),
    415: (("shape", 300), ("exp", 100), *_FULL_POSE),
    418: (("shape", 300), ("exp", 100), *_FULL_POSE, ("translation", 3)),
}
_WIDTHS = {"jaw": 3, "neck": 3, "eyes": 6, "rotation": 3, "translation": 3}
_MOST = {"exp": 100, "shape": 300}


@dataclass
class Recipe:
    """How a file's arrays become FLAME's parameters.

    Attributes
    ----------
    sources : dict of str to str
        Parameter -> numpy expression.
    uses : dict of str to list of str
        Array of the file -> parameters that it gives.
    """

    sources: dict[str, str] = field(default_factory=dict)
    uses: dict[str, list[str]] = field(default_factory=dict)

    def add(self, parameter: str, expression: str, *arrays: str) -> None:
        """Take *parameter* from *expression* of *arrays*, unless it has a source."""
        if parameter not in self.sources:
            self.sources[parameter] = expression
            for array in arrays:
                self.uses.setdefault(array, []).append(parameter)

    def assign(self, parameters: list[str]) -> str:
        """Return the assignments that make *parameters*, e.g. ``"save jaw = pose[:, 3:]"``."""
        return "save " + ", ".join(f"{p} = {self.sources[p]}" for p in parameters)

    def hint_missing(self, parameter: str) -> str | None:
        """Return where a parameter that the file lacks comes from, None where nothing tells."""
        source = self.sources.get(parameter)
        if source is None:
            return None
        if source in self.uses:
            return f"did you mean {parameter!r}? The file calls it {source!r}; rename it"
        given = next(uses for uses in self.uses.values() if parameter in uses)
        return f"it is in another array: {self.assign(given)}"

    def hint_unknown(self, array: str) -> str | None:
        """Return what to do with an array whose name mtbench does not know, None where nothing tells."""
        given = self.uses.get(array, [])
        if len(given) == 1 and self.sources[given[0]] == array:
            return f"did you mean {given[0]!r}?"
        if given:
            return f"it holds {' and '.join(given)}: {self.assign(given)}"
        parameter = _PARAMETER.get(array.lower())
        if parameter is not None and parameter in self.sources:
            return f"{parameter} comes from another array of the file already; leave this one out"
        if array.lower() in _NOT_FLAME:
            return "it is no parameter of FLAME's geometry; leave it out"
        return None


def translate(shapes: Mapping[str, Shape]) -> Recipe:
    """Find FLAME's parameters among a file's arrays.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Shape of each array; the one of a plain ``.npy`` is called ``""``, and ``array`` in expressions.

    Returns
    -------
    Recipe
        Names that say what they are come first, then pose vectors, then arrays that hold everything.

    Examples
    --------
    >>> translate({"exp": (9, 50), "pose": (9, 6)}).sources
    {'exp': 'exp', 'rotation': 'pose[:, :3]', 'jaw': 'pose[:, 3:]'}
    """
    recipe = Recipe()
    for exact in (True, False):
        for name, shape in shapes.items():
            parameter = _PARAMETER.get(name.lower())
            if parameter is None or (name == parameter) != exact or _glued(name, shape, shapes):
                continue
            expression = convert(parameter, name, shape)
            if expression is not None:
                recipe.add(parameter, expression, name)
    for left, right in _EYES:
        if left in shapes and right in shapes:
            recipe.add("eyes", f"np.concatenate([{left}, {right}], axis=1)", left, right)
    for name, shape in shapes.items():
        low = name.lower()
        columns = shape[-1] if len(shape) == 2 else 0
        if low in _POSES and columns == 3:
            recipe.add("rotation" if "jaw" in recipe.sources else "jaw", name, name)
        is_pose = low in _POSES or (name == "jaw" and name not in recipe.uses)
        layout = _POSE_LAYOUTS.get(columns) if is_pose else None
        _split(recipe, name, layout or _glued(name, shape, shapes))
    return recipe


def _split(recipe: Recipe, name: str, layout: tuple[tuple[str, int], ...] | None) -> None:
    start, columns = 0, sum(width for _, width in layout or ())
    for parameter, width in layout or ():
        end = start + width
        if parameter:
            span = f"{start or ''}:{end if end < columns else ''}"
            recipe.add(parameter, f"{name or 'array'}[:, {span}]", name)
        start = end


def _glued(name: str, shape: Shape, shapes: Mapping[str, Shape]) -> tuple[tuple[str, int], ...] | None:
    """Return the layout of an array that holds several parameters side by side, None where it does not."""
    if len(shape) != 2 or shape[1] not in _GLUED_LAYOUTS:
        return None
    if _PARAMETER.get(name.lower()) == "exp":
        others = [other.lower() for other in shapes if other != name]
        has_jaw = any(_PARAMETER.get(other) == "jaw" or other in _POSES for other in others)
        return None if has_jaw and shape[1] <= _MOST["exp"] else _GLUED_LAYOUTS[shape[1]]
    return _GLUED_LAYOUTS[shape[1]] if name.lower() in _GENERIC else None


def convert(parameter: str, name: str, shape: Shape) -> str | None:
    """Return the numpy expression that makes *parameter* of array *name*; None where it is not known.

    Examples
    --------
    >>> convert("jaw", "jaw", (9, 3, 3))
    'Rotation.from_matrix(jaw.reshape(-1, 3, 3)).as_rotvec()'
    >>> convert("exp", "exp", (1, 9, 50))
    'exp[0]'
    """
    if len(shape) < 2:
        return name if parameter == "shape" and len(shape) == 1 else None
    count = prod(shape[1:])
    if parameter in _WIDTHS and parameter != "translation":
        width, whole = _WIDTHS[parameter], "" if parameter != "eyes" else ".reshape(-1, 6)"
        if shape[0] > 1 and count == 3 * width and (len(shape) == 2 or shape[-2:] == (3, 3)):
            return f"Rotation.from_matrix({name}.reshape(-1, 3, 3)).as_rotvec(){whole}"
    if len(shape) == 3 and shape[0] == 1 and shape[1] > 1:
        name, shape = f"{name}[0]", shape[1:]
    elif len(shape) == 3 and (shape[1] == 1 or (shape[1:] == (2, 3) and parameter == "eyes")):
        name, shape = f"{name}.reshape({shape[0]}, {count})", (shape[0], count)
    if len(shape) != 2:
        return None
    columns = shape[1]
    if parameter in _MOST:
        return name if columns <= _MOST[parameter] else f"{name}[:, :{_MOST[parameter]}]"
    if columns == _WIDTHS[parameter]:
        return name
    if parameter == "eyes" and columns == 3:
        return f"np.concatenate([{name}, {name}], axis=1)"
    if parameter == "jaw" and columns == 1:
        return f"np.pad({name}, ((0, 0), (0, 2)))"
    if columns == 4 and parameter in ("jaw", "neck", "rotation"):
        return f"Rotation.from_quat({name}).as_rotvec()"
    return None


def hint_shape(parameter: str, shape: Shape, shapes: Mapping[str, Shape]) -> str | None:
    """Return what to do with an array of the right name and the wrong shape, None where nothing tells."""
    recipe = translate(shapes)
    given = recipe.uses.get(parameter, [])
    expression = convert(parameter, parameter, shape)
    # A part of an array is told with all other parts; a change of form is told by its kind below.
    if given and (len(given) > 1 or recipe.sources[given[0]] not in (parameter, expression)):
        return f"it holds {' and '.join(given)}: {recipe.assign(given)}"
    if expression is not None and expression != parameter:
        kind = "rotation matrices, expected axis-angle: " if "from_matrix" in expression else ""
        kind = "quaternions (x, y, z, w), expected axis-angle: " if "from_quat" in expression else kind
        return f"{kind}save {parameter} = {expression}"
    if parameter in ("neck", "rotation") and prod(shape[1:]) == 6:
        return (
            "rotations in 6D (two axes of the matrix)? Make matrices of them as your tracker does, then save "
            f"{parameter} = Rotation.from_matrix(matrices).as_rotvec()"
        )
    return None


def are_parameters(names: Mapping[str, object]) -> bool:
    """Return whether the names are those of FLAME's parameters rather than of vertices."""
    return any(_PARAMETER.get(n.lower()) in ("exp", "jaw") or n.lower() in _POSES for n in names)


def mean_vertices(name: str) -> bool:
    """Return whether *name* is what others call vertices."""
    return name.lower() in _VERTEX_NAMES
