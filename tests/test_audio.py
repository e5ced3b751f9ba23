"""mtbench.speech.audio: loading, resampling and mixing."""

import json

import numpy as np
import pytest
import soundfile
from conftest import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.errors import BenchmarkError, UsageError
from mtbench.speech.audio import fit_length, from_pcm16, mix_at_snr, resample, tile_noise, to_pcm16
from mtbench.speech.sound_files import load_audio


def sound(seed: int, length: int, level: float) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    return (level * rng.standard_normal(length)).clip(-1, 1).astype(np.float32)


@settings(max_examples=150, deadline=None)
def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(200, 6000),
    m=st.integers(50, 9000),
    snr=st.floats(-25, 25),
    speech_level=st.floats(0.002, 0.8),
    noise_level=st.floats(0.002, 0.8),
    offset=st.integers(0, 100_000),
)
def test_achieved_snr_is_the_asked_one_within_a_hundredth_of_a_decibel(
    seed, n, m, snr, speech_level, noise_level, offset
):
    speech, noise = sound(seed, n, speech_level), sound(seed + 1, m, noise_level)
    mixture = mix_at_snr(speech, noise, snr, offset).astype(np.float64)
    # What the mixture holds of each: least squares over the two known signals.
    basis = np.stack([speech.astype(np.float64), tile_noise(noise, n, offset).astype(np.float64)], axis=1)
    (a, b), *_ = np.linalg.lstsq(basis, mixture, rcond=None)
    achieved = 20 * np.log10(a * rms(basis[:, 0]) / (b * rms(basis[:, 1])))
    assert achieved == pytest.approx(snr, abs=0.01)
    assert np.abs(mixture - basis @ [a, b]).max() < 1e-6  # nothing was clipped or added
    assert mixture.max() <= 32767 / 32768
    assert mixture.min() >= -1.0
    assert a <= 1 + 1e-6  # attenuated or left alone, never amplified


def test_mixing_equals_the_original_front_end():
    folder = GOLDEN / "frontend_a"
    arrays = np.load(folder / "io.npz", allow_pickle=False)
    for case in json.loads((folder / "info.json").read_text())["add_noise"]:
        k = case["case"]
        signal, noise = arrays[f"noise{k}_signal"], arrays[f"noise{k}_noise"]
        ours = mix_at_snr(signal / 32768.0, noise.astype(np.float64) / 32768.0, case["snr_db"])
        # The original truncates towards zero.
        difference = np.trunc(ours.astype(np.float64) * 32768) - arrays[f"noise{k}_mixed"]
        assert np.abs(difference).max() <= 1, case
        assert (difference != 0).mean() < 0.02, case


def test_mixture_keeps_the_speech_where_nothing_clips():
    speech, noise = sound(1, 4000, 0.05), sound(2, 4000, 0.05)
    mixture = mix_at_snr(speech, noise, 10.0)
    np.testing.assert_allclose(
        mixture - speech, noise * 10 ** (-10 / 20) * rms(speech) / rms(noise), atol=1e-7
    )


def test_whole_mixture_is_attenuated_instead_of_clipped():
    speech, noise = sound(1, 4000, 0.4), sound(2, 4000, 0.4)
    mixture = mix_at_snr(speech, noise, -10.0)
    assert max(mixture.max() * 32768 / 32767, -mixture.min()) == pytest.approx(1.0, abs=1e-6)
    samples = to_pcm16(mixture)
    assert (np.abs(samples.astype(int)) >= 32767).sum() == 1


@pytest.mark.parametrize("which", ["speech", "noise"])
def test_silence_has_no_ratio(which):
    speech, noise = sound(1, 500, 0.1), sound(2, 500, 0.1)
    (speech if which == "speech" else noise)[:] = 0
    with pytest.raises(UsageError, match=f"silent {which}"):
        mix_at_snr(speech, noise, 0.0)


def test_snr_must_be_finite():
    with pytest.raises(UsageError, match="finite"):
        mix_at_snr(sound(1, 500, 0.1), sound(2, 500, 0.1), float("nan"))


def test_mixtures_have_the_same_bytes_whatever_the_thread_count():
    import torch

    speech, noise = sound(1, 100_000, 0.1), sound(2, 70_000, 0.2)
    speech, noise = from_pcm16(to_pcm16(speech)), from_pcm16(to_pcm16(noise))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = to_pcm16(mix_at_snr(speech, noise, -7.5, 17)).tobytes()
        torch.set_num_threads(2)
        two = to_pcm16(mix_at_snr(speech, noise, -7.5, 17)).tobytes()
    finally:
        torch.set_num_threads(before)
    assert one == two


def test_noise_is_tiled_from_the_offset():
    assert tile_noise(np.arange(5), 7, 3).tolist() == [3, 4, 0, 1, 2, 3, 4]
    with pytest.raises(UsageError):
        tile_noise(np.zeros(0), 3)


def test_pcm16_round_trip():
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)
    assert (to_pcm16(from_pcm16(samples)) == samples).all()
    assert to_pcm16(np.array([1.5, -1.5])).tolist() == [32767, -32768]


def test_fit_length():
    assert fit_length(np.ones(3, np.float32), 5).tolist() == [1, 1, 1, 0, 0]
    assert fit_length(np.ones(3, np.float32), 2).tolist() == [1, 1]


def test_stereo_is_averaged_and_resampled(tmp_path):
    t = np.arange(44100) / 44100
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, np.zeros_like(tone)], axis=1), 44100)
    audio = load_audio(tmp_path / "a.wav")
    assert audio.dtype == np.float32
    assert audio.shape == (16000,)
    expected = 0.25 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert np.abs(audio - expected)[200:-200].max() < 2e-3


def test_same_rate_is_left_alone():
    audio = sound(1, 100, 0.1)
    assert resample(audio, 16000, 16000) is audio


@pytest.mark.parametrize("content", [b"", b"RIFF....", b"not sound at all" * 100])
def test_unreadable_files_name_file_and_cause(tmp_path, content):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"bad\.wav"):
        load_audio(path)


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(BenchmarkError, match="does not exist"):
        load_audio(tmp_path / "none.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16000)
    with pytest.raises(BenchmarkError, match="without samples"):
        load_audio(tmp_path / "empty.wav")


def test_non_finite_samples_are_refused(tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan, np.float32), 16000, subtype="FLOAT")
    with pytest.raises(BenchmarkError, match="NaN"):
        load_audio(tmp_path / "nan.wav")
