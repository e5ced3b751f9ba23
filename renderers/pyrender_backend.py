"""The pyrender backend: the same pictures as the software renderer's, drawn by OpenGL.

Conventions
-----------
pyrender draws what :mod:`mtbench.renderers.shading` has lit: colors are computed there and drawn unlit
(``RenderFlags.FLAT``), with our own projection. What faces away is a second copy of the triangles, turned
round, in the constant gray of the oral cavity. Antialiasing, which pyrender has no switch for, is off. Pictures
agree with the software renderer's but for rounding and a few pixels where surfaces meet; they are not the same
bytes on every machine, which is why the software renderer is the default.

Headless OpenGL comes from EGL or OSMesa. ``PYOPENGL_PLATFORM`` chooses; without it the first that works is
taken, EGL before OSMesa. PyOpenGL fixes the choice when it is first imported: one platform per process.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.renderers.shading import light_triangles, light_vertices, surface_albedo, unit_lights
from mtbench.renderers.software import check_scene

if TYPE_CHECKING:
    from mtbench.faces import Topology
    from mtbench.renderers.base import Appearance, Camera

PLATFORMS = ("egl", "osmesa")

#: With OSMesa pyrender compiles its shaders anew for every mesh and keeps them all: after so many frames the
#: context is given up and a fresh one taken.
_OSMESA_FRAMES = 500

_INSTALL = (
    "rendering with pyrender needs the extra `pyrender` (pip install 'multitalk-bench[pyrender]') and a headless "
    "OpenGL; on Debian or Ubuntu: `apt-get install libegl1 libgl1-mesa-dri` (EGL) or `apt-get install libosmesa6` "
    "(OSMesa). The default renderer, `software`, needs neither."
)


def available_platforms() -> tuple[str, ...]:
    """Return which of :data:`PLATFORMS` this machine has, without importing OpenGL."""
    return tuple(name for name, works in (("egl", _has_egl), ("osmesa", _has_osmesa)) if works())


class PyrenderRenderer:
    """Renderer on pyrender 0.1.45.

    Parameters
    ----------
    platform : str, optional
        ``"egl"`` or ``"osmesa"``; by default what ``PYOPENGL_PLATFORM`` says or the first that works.

    Raises
    ------
    PrerequisiteError
        pyrender or headless OpenGL is missing; the message says what to install.
    """

    name = "pyrender"

    def __init__(self, platform: str | None = None) -> None:
        self.platform = _choose_platform(platform)
        self.pyrender = _import_pyrender(self.platform)
        self._offscreen: Any = None
        self._drawn = 0
        #: The platform draws slightly different pixels, so it belongs to the picture's version.
        self.version = f"1-{self.platform}"

    def render(
        self,
        topology: Topology,
        vertices: np.ndarray,
        camera: Camera,
        appearance: Appearance,
        channels: int = 3,
    ) -> np.ndarray:
        """Render *vertices* (T, V, 3) float32, metres, to (T, H, W, *channels*) uint8.

        Parameters and errors are those of :meth:`mtbench.renderers.software.SoftwareRenderer.render`.
        """
        check_scene(topology, vertices, camera, channels)
        pyrender = self.pyrender
        offscreen = self._context(camera.width, camera.height)
        background = appearance.background
        scene = pyrender.Scene(bg_color=[background, background, background, 1.0])
        view = camera_class(pyrender)()
        scene.add(view, pose=np.eye(4))
        matrices = np.broadcast_to(np.asarray(camera.matrix, np.float64), (len(vertices), 4, 4))
        painter = _Painter(topology, appearance, channels)
        out = np.empty((len(vertices), camera.height, camera.width, channels), np.uint8)
        node = None
        for t, frame in enumerate(np.ascontiguousarray(vertices, np.float32)):
            positions, colors = painter.paint(frame)
            # pyrender can't move the vertices of a mesh that it holds: a new mesh takes the old one's place.
            primitive = pyrender.Primitive(positions=positions, indices=painter.indices, color_0=colors)
            if node is not None:
                scene.remove_node(node)
            node = scene.add(pyrender.Mesh([primitive]))
            view.matrix = matrices[t]
            with _single_sampled(pyrender):
                picture, _ = offscreen.render(scene, flags=pyrender.RenderFlags.FLAT)
            out[t] = picture[..., :channels]
        self._drawn += len(vertices)
        return out

    def close(self) -> None:
        """Give the OpenGL context back."""
        if self._offscreen is not None:
            self._offscreen.delete()
            self._offscreen = None
            self._drawn = 0

    def _context(self, width: int, height: int) -> Any:
        """Return the renderer's context, of the size wanted."""
        if self.platform == "osmesa" and self._drawn > _OSMESA_FRAMES:
            self.close()
        if self._offscreen is None:
            try:
                self._offscreen = self.pyrender.OffscreenRenderer(width, height)
            except Exception as error:
                raise PrerequisiteError(
                    f"{self.platform} refused to start ({error!r}): {_INSTALL}"
                ) from error
        self._offscreen.viewport_width = width
        self._offscreen.viewport_height = height
        return self._offscreen


class _Painter:
    """Lights the frames of one clip and lays them out for OpenGL."""

    def __init__(self, topology: Topology, appearance: Appearance, channels: int) -> None:
        self.triangles = np.ascontiguousarray(topology.triangles, np.uint32)
        self.lights = unit_lights(appearance.lights)
        self.ambient = np.float32(appearance.ambient)
        # OpenGL draws three channels; for a gray picture they are the same.
        self.albedo = surface_albedo(topology, appearance, channels)
        self.flat = appearance.shading == "flat"
        count = len(self.triangles) if self.flat else topology.n_vertices
        self._normals = np.empty((3, count), np.float32)
        self._light = np.empty(count, np.float32)
        corners = 3 * count if self.flat else count
        front = np.arange(corners).reshape(-1, 3) if self.flat else self.triangles.astype(np.int64)
        self.indices = np.concatenate([front, front[:, ::-1] + corners]).astype(np.uint32)
        self._colors = np.full((2 * corners, 4), appearance.oral, np.float32)
        self._colors[:, 3] = 1.0
        if self.flat:
            self.albedo = self.albedo[self.triangles].mean(axis=1)

    def paint(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions (n, 3) and colors (n, 4) of *frame* (V, 3): in front the lit half, then the backs."""
        light = light_triangles if self.flat else light_vertices
        light(self.triangles, frame, self.lights, self.ambient, self._normals, self._light)
        colors = np.minimum(self._light[:, None] * self.albedo, 1.0)
        if self.flat:
            colors = np.repeat(colors, 3, axis=0)
            frame = frame[self.triangles].reshape(-1, 3)
        self._colors[: len(colors), :3] = colors
        return np.concatenate([frame, frame]), self._colors


@contextmanager
def _single_sampled(pyrender: Any) -> Iterator[None]:
    """Let pyrender make framebuffers of one sample per pixel instead of four."""
    internals = pyrender.renderer
    multisample = internals.glRenderbufferStorageMultisample
    internals.glRenderbufferStorageMultisample = lambda target, samples, *rest: (
        internals.glRenderbufferStorage(target, *rest)
    )
    try:
        yield
    finally:
        internals.glRenderbufferStorageMultisample = multisample


@lru_cache(maxsize=1)
def camera_class(pyrender: Any) -> type:
    """Return a pyrender camera whose projection is any 4x4 matrix."""

    class MatrixCamera(pyrender.Camera):  # type: ignore[misc, name-defined]
        """Projects by ``matrix``, clip-from-world; the pose stays the identity."""

        def __init__(self) -> None:
            # The planes matter only to pyrender's depth picture, which is thrown away.
            super().__init__(znear=0.05, zfar=100.0)
            self.matrix = np.eye(4)

        def get_projection_matrix(self, width: int | None = None, height: int | None = None) -> np.ndarray:
            """Return the matrix."""
            return self.matrix

    return MatrixCamera


def _choose_platform(wanted: str | None) -> str:
    """Return the OpenGL platform to use."""
    loaded = os.environ.get("PYOPENGL_PLATFORM", "").lower()
    wanted = wanted or loaded
    if wanted and wanted not in PLATFORMS:
        raise PrerequisiteError(
            f"PYOPENGL_PLATFORM is {wanted!r}; pyrender draws without a screen on {PLATFORMS} only"
        )
    if wanted and "OpenGL" in sys.modules and loaded and loaded != wanted:
        raise PrerequisiteError(
            f"OpenGL is already loaded for {loaded!r} and a process can have only one platform; "
            f"start a new process with PYOPENGL_PLATFORM={wanted}"
        )
    found = available_platforms()
    if wanted:
        if wanted not in found:
            raise PrerequisiteError(
                f"OpenGL platform {wanted!r} doesn't work here (found: {found or 'none'}); {_INSTALL}"
            )
        return wanted
    if not found:
        raise PrerequisiteError(f"neither EGL nor OSMesa works here; {_INSTALL}")
    return found[0]


def _import_pyrender(platform: str) -> Any:
    """Import pyrender for *platform*."""
    os.environ["PYOPENGL_PLATFORM"] = platform
    try:
        if platform == "osmesa":
            _complete_osmesa()
        import pyrender
    except ImportError as error:
        raise PrerequisiteError(f"pyrender can't be imported ({error}); {_INSTALL}") from error
    return pyrender


def _complete_osmesa() -> None:
    """Add to PyOpenGL 3.1.0, which pyrender pins, the OSMesa names that pyrender imports and it lacks."""
    from OpenGL import osmesa
    from OpenGL.platform import PLATFORM

    if hasattr(osmesa, "OSMesaCreateContextAttribs"):
        return
    # Values of GL/osmesa.h, Mesa 11.2 and later.
    for offset, name in enumerate(
        ("DEPTH_BITS", "STENCIL_BITS", "ACCUM_BITS", "PROFILE", "CORE_PROFILE", "COMPAT_PROFILE")
    ):
        setattr(osmesa, f"OSMESA_{name}", 0x30 + offset)
    osmesa.OSMESA_CONTEXT_MAJOR_VERSION = 0x36
    osmesa.OSMESA_CONTEXT_MINOR_VERSION = 0x37
    # PyOpenGL keeps values by context, but in 3.1.0 contexts can't be hashed.
    osmesa.OSMesaContext.__hash__ = lambda context: hash(ctypes.cast(context, ctypes.c_void_p).value)
    create = PLATFORM.OSMesa.OSMesaCreateContextAttribs
    create.argtypes = [ctypes.POINTER(ctypes.c_int), osmesa.OSMesaContext]
    create.restype = osmesa.OSMesaContext
    osmesa.OSMesaCreateContextAttribs = lambda attributes, shared: create(
        (ctypes.c_int * len(attributes))(*attributes), shared
    )


@lru_cache(maxsize=1)
def _has_egl() -> bool:
    """Tell whether EGL has a device that can be initialised, as pyrender will try to."""
    library = _load("libEGL.so.1", "EGL")
    if library is None:
        return False
    find = library.eglGetProcAddress
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    query, display = find(b"eglQueryDevicesEXT"), find(b"eglGetPlatformDisplayEXT")
    if not query or not display:
        return False
    query_devices = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
    )(query)
    get_display = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)(display)
    count = ctypes.c_int()
    index = int(os.environ.get("EGL_DEVICE_ID", "0"))
    devices = (ctypes.c_void_p * 64)()
    if not query_devices(64, devices, ctypes.byref(count)) or count.value <= index:
        return False
    platform_device = 0x313F
    handle = get_display(platform_device, devices[index], None)
    library.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return bool(handle) and bool(library.eglInitialize(handle, None, None))


@lru_cache(maxsize=1)
def _has_osmesa() -> bool:
    """Tell whether OSMesa is there in a version that makes core contexts."""
    library = _load("libOSMesa.so.8", "OSMesa")
    return library is not None and hasattr(library, "OSMesaCreateContextAttribs")


def _load(file: str, name: str) -> Any:
    """Load a shared library by *file* name or, failing that, by *name*; None where there is none."""
    for candidate in (file, ctypes.util.find_library(name)):
        if candidate:
            try:
                return ctypes.CDLL(candidate)
            except OSError:
                continue
    return None
