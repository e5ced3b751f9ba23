"""The pyrender backend draws what the software renderer draws."""

import subprocess
import sys

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError
from mtbench.faces.head import load_head
from mtbench.renderers import mouth_crop, pyrender_backend
from mtbench.renderers.base import Appearance
from mtbench.renderers.cameras import frontal_camera, portrait_camera
from mtbench.renderers.registry import load_renderer
from mtbench.renderers.software import SoftwareRenderer


@pytest.fixture(scope="module")
def pyrender_renderer():
    try:
        renderer = load_renderer("pyrender")
    except PrerequisiteError as error:
        pytest.skip(str(error))
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def head():
    head = load_head()
    curves = np.zeros((2, len(head.unit_names)), np.float32)
    curves[1, head.unit_names.index("jawOpen")] = 0.6
    return head.topology, head.pose(curves, head.identity(head.identity_names[0]))


@pytest.mark.gl
@pytest.mark.parametrize(
    "appearance",
    [Appearance(), Appearance(shading="flat"), Appearance(colored=False, background=0.5)],
    ids=["color", "flat", "clay"],
)
@pytest.mark.parametrize("size", [96, 300])
@pytest.mark.parametrize("view", ["perspective", "orthographic", "crop"])
def test_agrees_with_software(pyrender_renderer, head, appearance, size, view):
    topology, vertices = head
    if view == "crop":
        camera = mouth_crop.crop_camera(topology, vertices, size)
    elif view == "perspective":
        camera = portrait_camera(vertices, size, size)
    else:
        camera = frontal_camera(size, size, distance=None)
    want = SoftwareRenderer().render(topology, vertices, camera, appearance)
    got = pyrender_renderer.render(topology, vertices, camera, appearance)
    assert got.shape == want.shape
    background = int(appearance.background * 255 + 0.5)
    ours, theirs = (want != background).any(-1), (got != background).any(-1)
    assert (ours & theirs).sum() / (ours | theirs).sum() >= 0.99
    assert np.abs(want.astype(int) - got)[ours & theirs].mean() <= 3


@pytest.mark.gl
def test_gray_agrees_with_software(pyrender_renderer, head):
    topology, vertices = head
    want = mouth_crop.render_mouth_crops(SoftwareRenderer(), topology, vertices, Appearance())
    got = mouth_crop.render_mouth_crops(pyrender_renderer, topology, vertices, Appearance())
    assert np.abs(want.astype(int) - got).mean() <= 3


@pytest.mark.parametrize("platform", ["egl", "osmesa"])
def test_missing_platform_says_what_to_install(monkeypatch, platform):
    monkeypatch.setattr(pyrender_backend, "available_platforms", lambda: ())
    monkeypatch.setenv("PYOPENGL_PLATFORM", platform)
    with pytest.raises(PrerequisiteError, match=r"libegl1.*libosmesa6"):
        pyrender_backend.PyrenderRenderer()
    monkeypatch.setenv("PYOPENGL_PLATFORM", "wgl")
    with pytest.raises(PrerequisiteError, match="wgl"):
        pyrender_backend.PyrenderRenderer()


def test_looking_for_platforms_does_not_load_opengl():
    code = "import sys; from mtbench.renderers.pyrender_backend import available_platforms; available_platforms(); "
    code += "assert 'OpenGL' not in sys.modules and 'pyrender' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
