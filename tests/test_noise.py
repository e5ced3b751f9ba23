"""mtbench.speech.noise: noise sets and offsets."""

import numpy as np
import pytest
import soundfile

from mtbench.errors import BenchmarkError, UsageError
from mtbench.speech.noise import load_noises


@pytest.fixture
def folder(tmp_path):
    rng = np.random.Generator(np.random.PCG64(1))
    for name in ("hum", "babble"):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.standard_normal(8000), 16000)
    (tmp_path / "README.txt").write_text("not sound")
    return tmp_path


def test_names_are_sorted_stems(folder):
    noises = load_noises(folder)
    assert noises.names == ("babble", "hum")
    assert noises["hum"].audio.shape == (8000,)
    with pytest.raises(KeyError, match="babble, hum"):
        noises["rain"]


def test_no_folder_is_an_empty_set():
    assert load_noises(None).names == ()


def test_digest_depends_on_content_and_names(folder):
    first = load_noises(folder).digest
    assert load_noises(folder).digest == first
    soundfile.write(folder / "hum.wav", np.full(8000, 0.1), 16000)
    assert load_noises(folder).digest != first
    assert load_noises(folder).select(["hum"]).digest != load_noises(folder).digest


def test_a_rewritten_file_is_read_again(folder):
    before = load_noises(folder)["hum"].audio.copy()
    soundfile.write(folder / "hum.wav", np.full(4000, 0.1), 16000)
    after = load_noises(folder)["hum"].audio
    assert len(before) == 8000
    assert len(after) == 4000


def test_offsets_are_deterministic_and_differ_between_clips_and_noises(folder):
    noises = load_noises(folder)
    offsets = {(c, n.name): n.offset(c) for c in ("ita-01", "ita-02", "fra-01") for n in noises.noises}
    assert len(set(offsets.values())) == 6
    assert all(0 <= o < 8000 for o in offsets.values())
    assert offsets == {
        (c, n.name): n.offset(c) for c in ("ita-01", "ita-02", "fra-01") for n in load_noises(folder).noises
    }


def test_another_seed_is_another_digest_and_other_samples(folder, monkeypatch):
    """A set could be given a seed that changed its digest and not one sample."""
    before = load_noises(folder)
    offsets, digest = [noise.offset("ita-01") for noise in before.noises], before.digest
    monkeypatch.setattr("mtbench.speech.noise.NOISE_SEED", 7)
    after = load_noises(folder)
    assert after.digest != digest
    assert [noise.offset("ita-01") for noise in after.noises] != offsets


def test_select_names_what_exists(folder):
    assert load_noises(folder).select(("hum",)).names == ("hum",)
    with pytest.raises(UsageError, match="unknown noise rain; this set has babble, hum"):
        load_noises(folder).select(["rain"])


def test_broken_folders(tmp_path, folder):
    with pytest.raises(UsageError, match="no such folder"):
        load_noises(tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="holds no WAV"):
        load_noises(empty)
    soundfile.write(folder / "hum.flac", np.full(100, 0.1), 16000)
    with pytest.raises(UsageError, match="two recordings are called 'hum'"):
        load_noises(folder)
    (folder / "hum.flac").unlink()
    soundfile.write(folder / "zero.wav", np.zeros(100), 16000)
    with pytest.raises(BenchmarkError, match=r"zero\.wav: silent"):
        load_noises(folder)
