"""Workers that serve several scores know when what they have loaded is no longer what is asked for."""

import shutil

import fakes
import numpy as np
import pytest
import soundfile

import mtbench
from mtbench.results import read_rows
from mtbench.work import Executor

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "eng-01")}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(fakes.__file__).rpartition("/")[0])
    fakes.make_benchmark(tmp_path / "small", TWO)
    fakes.make_entry(tmp_path / "entry", TWO)
    return tmp_path


def score(place, name: str, executor: Executor | None = None) -> list:
    """Rows of a score whose results and cache are called *name*."""
    run = mtbench.score(
        place / "entry", place / "small", recognizer=fakes.ONE_EAR, executor=executor, workers=1,
        noise=place / "noise", out=place / "results" / name, cache=place / "cache" / name,
    )  # fmt: skip
    return read_rows(run.folder)


def change_noise(place) -> None:
    loud = 0.2 * np.random.default_rng(77).uniform(-1, 1, 24000)
    soundfile.write(place / "noise" / "babble.flac", loud, 16000)


def change_sound(place) -> None:
    path = place / "small" / "audio" / "ita-01.flac"
    sound, rate = soundfile.read(path)
    soundfile.write(path, sound[::-1], rate)


def change_motion(place) -> None:
    shutil.copyfile(place / "other" / "motion" / "ita-01.npz", place / "entry" / "motion" / "ita-01.npz")


@pytest.mark.parametrize("change", [change_noise, change_sound, change_motion])
def test_what_changed_between_two_scores_is_read_again(place, change):
    """They kept the old noise, and stored its mixtures under the key of the new one."""
    shutil.copytree(place / "small" / "noise", place / "noise")
    fakes.make_entry(place / "other", TWO)
    with np.load(place / "other" / "motion" / "ita-01.npz") as file:
        arrays = dict(file)
    name = next(iter(arrays))
    arrays[name] = arrays[name][::-1]
    np.savez_compressed(place / "other" / "motion" / "ita-01.npz", **arrays)
    with Executor(2) as executor:
        before = score(place, "one", executor)
        change(place)
        shared = score(place, "one", executor)
    alone = score(place, "two")
    assert before != alone
    assert shared == alone
