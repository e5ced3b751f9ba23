"""Videos with sound."""

import shutil

import numpy as np
import pytest

from mtbench.errors import PrerequisiteError
from mtbench.faces.head import load_head
from mtbench.faces.motion import Motion
from mtbench.renderers import video
from mtbench.renderers.base import Appearance
from mtbench.renderers.software import SoftwareRenderer


@pytest.fixture
def clip():
    head = load_head()
    vertices = head.pose(
        np.zeros((10, len(head.unit_names)), np.float32), head.identity(head.identity_names[0])
    )
    audio = 0.3 * np.sin(np.arange(6400) * 0.2).astype(np.float32)
    return head.topology, Motion(vertices, 25.0, head.topology.name), audio


@pytest.mark.parametrize("with_ffmpeg", [False, True])
def test_video_holds_pictures_and_sound(tmp_path, clip, with_ffmpeg, monkeypatch):
    av = pytest.importorskip("av")
    if with_ffmpeg:
        if not shutil.which("ffmpeg"):
            pytest.skip("the program ffmpeg is absent")
        find = video.importlib.util.find_spec
        monkeypatch.setattr(
            video.importlib.util, "find_spec", lambda name: None if name == "av" else find(name)
        )
    topology, motion, audio = clip
    path = tmp_path / "deep" / "clip.mp4"
    video.write_video(path, SoftwareRenderer(), [(topology, motion)], audio, Appearance(), size=97)
    assert [file.name for file in path.parent.iterdir()] == ["clip.mp4"]
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(pictures) == 10
    assert pictures[0].shape == (98, 98, 3)
    assert pictures[0].max() > 100
    assert 6400 <= len(sound) < 9000
    assert np.abs(sound).max() > 0.2


def test_without_any_encoder_it_says_what_to_install(tmp_path, clip, monkeypatch):
    monkeypatch.setattr(video.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    topology, motion, audio = clip
    with pytest.raises(PrerequisiteError, match="PyAV"):
        video.write_video(
            tmp_path / "x.mp4", SoftwareRenderer(), [(topology, motion)], audio, Appearance(), size=32
        )
    assert list(tmp_path.iterdir()) == []


def test_faces_stand_side_by_side(tmp_path, clip):
    av = pytest.importorskip("av")
    topology, motion, _ = clip
    path = tmp_path / "pair.mp4"
    video.write_video(
        path, SoftwareRenderer(), [(topology, motion), (topology, motion)], None, Appearance(), 96
    )
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == 10
    assert pictures[0].shape == (96, 192)
    left, right = pictures[0][:, :96], pictures[0][:, 96:]
    assert left.max() > 100
    assert right.max() > 100
    shorter = Motion(motion.vertices[:4], 25.0, topology.name)
    with pytest.raises(ValueError, match=r"\[4, 10\] frames"):
        video.write_video(
            path, SoftwareRenderer(), [(topology, motion), (topology, shorter)], None, Appearance(), 96
        )
