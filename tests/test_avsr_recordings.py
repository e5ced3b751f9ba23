"""Mouth crops of people's videos; the detector is asked only where it is installed."""

import sys

import numpy as np
import pytest

from mtbench.avsr.evaluation import recordings
from mtbench.avsr.evaluation.recordings import crop_recording, find_video, load_detector, read_frames
from mtbench.errors import PrerequisiteError, UsageError


@pytest.fixture
def video(tmp_path):
    """Write a video of T gray pictures with a bright square that moves; return its path."""
    av = pytest.importorskip("av", reason="the [video] extra is not installed")

    def write(frames: int, rate: int = 25, name: str = "bbaf2n.mp4"):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=rate)
            stream.width, stream.height, stream.bit_rate = 320, 240, 4_000_000
            for t in range(frames):
                picture = np.full((240, 320, 3), 80, np.uint8)
                picture[140:170, 100 + 4 * t : 140 + 4 * t] = 200
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    return write


def landmarks_of(frames: np.ndarray) -> np.ndarray:
    """Place a face of the mean face's size so that its mouth follows the bright square."""
    from mtbench.renderers.mouth_crop import MEAN_FACE

    points = np.zeros((len(frames), 68, 2))
    for t in range(len(frames)):
        points[t, [33, 36, 39, 42, 45]] = MEAN_FACE - MEAN_FACE[0] + (120.0 + 4 * t, 120.0)
        points[t, 48:68] = (119.5 + 4 * t, 154.5)
    return points


def test_frames_of_a_video(video):
    frames = read_frames(video(9))
    assert frames.shape == (9, 240, 320, 3)
    assert int(frames[3, 155, 132].min()) > 170
    assert int(frames[3, 30, 30].max()) < 110


@pytest.mark.parametrize("damage", ["rate", "text", "none"])
def test_what_is_no_video_of_25_frames_a_second_is_refused(video, tmp_path, damage):
    if damage == "rate":
        path, message = video(5, rate=30), "30 frames per second, expected 25"
    else:
        path, message = tmp_path / "x.mpg", "cannot be read"
        path.write_text("no video" if damage == "text" else "", "utf-8")
    with pytest.raises(UsageError, match=message):
        read_frames(path)


def test_crops_follow_the_mouth(video, monkeypatch):
    monkeypatch.setattr(recordings, "find_landmarks", landmarks_of)
    crops = crop_recording(video(16), 16)
    assert crops.shape == (16, 96, 96)
    assert crops.dtype == np.uint8
    for crop in crops[:4]:
        # The square, 40 wide and 30 high, is in the middle.
        assert crop[36:60, 34:62].min() > 150
        assert crop[:25].max() < 120


def test_up_to_two_pictures_may_be_missing_or_too_many(video, monkeypatch):
    monkeypatch.setattr(recordings, "find_landmarks", landmarks_of)
    path = video(16)
    whole = crop_recording(path, 16)
    assert np.array_equal(crop_recording(path, 15), whole[:15])
    longer = crop_recording(path, 18)
    assert np.array_equal(longer[:16], whole)
    assert np.array_equal(longer[17], whole[15])
    with pytest.raises(UsageError, match="16 pictures beside 20 frames"):
        crop_recording(path, 20)


def test_frames_without_a_face_are_interpolated_and_counted(video, monkeypatch):
    def sparse(frames, step):
        points = landmarks_of(frames)
        points[np.arange(len(frames)) % step != 0] = np.nan
        return points

    path = video(16)
    monkeypatch.setattr(recordings, "find_landmarks", lambda frames: sparse(frames, 2))
    assert crop_recording(path, 16).shape == (16, 96, 96)
    monkeypatch.setattr(recordings, "find_landmarks", lambda frames: sparse(frames, 8))
    with pytest.raises(UsageError, match="in 12% of the frames"):
        crop_recording(path, 16)


def test_video_of_a_clip(tmp_path):
    (tmp_path / "bbaf2n.avi").write_bytes(b"")
    assert find_video(tmp_path, "bbaf2n").name == "bbaf2n.avi"
    with pytest.raises(UsageError, match=r"expected lrwp9a.mpg"):
        find_video(tmp_path, "lrwp9a")


def test_missing_detector_says_what_to_install(tmp_path, monkeypatch):
    load_detector.cache_clear()
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(PrerequisiteError, match="pip install dlib-bin"):
        load_detector()
    import types

    monkeypatch.setitem(sys.modules, "dlib", types.ModuleType("dlib"))
    monkeypatch.setenv("MTBENCH_LANDMARKS", str(tmp_path / "none.dat"))
    with pytest.raises(PrerequisiteError, match=r"none.dat.*MTBENCH_LANDMARKS"):
        load_detector()


def test_detector_finds_a_real_mouth(shared):
    """On a GRID video, where dlib and its predictor are installed."""
    load_detector.cache_clear()
    try:
        load_detector()
    except PrerequisiteError as error:
        pytest.skip(str(error))
    pytest.importorskip("av", reason="the [video] extra is not installed")
    points = recordings.find_landmarks(read_frames(shared / "grid" / "bbaf2n.mpg")[:3])
    assert not np.isnan(points).any()
    width = np.linalg.norm(points[:, 54] - points[:, 48], axis=1)
    eyes = np.linalg.norm(points[:, 45] - points[:, 36], axis=1)
    assert np.all((width / eyes > 0.4) & (width / eyes < 0.9))
    assert np.all(points[:, 48:68, 1].min(1) > points[:, 33, 1])
