"""Sound is not bent: what is repaired is told, what cannot be is refused when the benchmark is made."""

import io
import struct
import time

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from mtbench.errors import BenchmarkError, UsageError
from mtbench.making.folder import create_benchmark
from mtbench.speech.noise import find_gap, load_noises
from mtbench.speech.sound_files import load_sound

RATE = 16000


def speech(seconds: float = 2.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """(N,) float64 noise in syllables, below 3 kHz, with a peak of 0.8."""
    rng = np.random.Generator(np.random.PCG64(seed))
    count = int(seconds * RATE)
    wide = resample_poly(rng.standard_normal(count // 3 + 1), 3, 1)[:count]
    wide *= 0.2 + np.abs(np.sin(np.arange(count) * 2 * np.pi * 2 / RATE))
    wide = resample_poly(wide, rate, RATE) if rate != RATE else wide
    return 0.8 * wide / np.abs(wide).max()


def write(path, samples, rate=RATE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    path.with_suffix(".txt").write_text("word word word", "utf-8")
    return path


def codes(sound) -> list[str]:
    return [note.code for note in sound.notes]


def likeness(found: np.ndarray, wanted: np.ndarray) -> float:
    """Decibels of *wanted* over what differs once the level is the same."""
    found = found[: len(wanted)].astype(np.float64)
    wanted = wanted[: len(found)]
    scaled = found * (found @ wanted) / (found @ found)
    return float(10 * np.log10((wanted @ wanted) / np.sum((scaled - wanted) ** 2)))


@pytest.mark.parametrize("rate", [16000, 48000, 44100])
@pytest.mark.parametrize("factor", [32767.0, 3.0, 1.3])
def test_float_files_beyond_one_are_scaled_not_clipped(tmp_path, rate, factor):
    """Case 12-float-wav-16-bit-scale."""
    clean = speech(rate=rate)
    path = write(tmp_path / "in" / "loud.wav", (clean / 0.8 * factor).astype("f4"), rate, subtype="FLOAT")
    sound = load_sound(path)
    assert "scaled" in codes(sound)
    assert np.abs(sound.samples).max() <= 1
    plain = load_sound(write(tmp_path / "plain.wav", clean.astype("f4"), rate, subtype="FLOAT"))
    assert "scaled" not in codes(plain)
    assert likeness(sound.samples, plain.samples.astype(np.float64)) > 60
    told: list[str] = []
    bench = create_benchmark(tmp_path / "b", tmp_path / "in", language="eng", tell=told.append)
    audio = bench.clips[0].audio
    assert np.mean(np.abs(audio) > 0.99) < 0.001
    assert likeness(audio, plain.samples.astype(np.float64)) > 60
    assert any(line.startswith("loud.wav: ") and "[scaled]" in line for line in told)
    with pytest.raises(BenchmarkError, match="scaled"):
        create_benchmark(tmp_path / "strict", tmp_path / "in", language="eng", strict=True)


def test_ordinary_sound_is_taken_as_it_is(tmp_path):
    samples = (speech() * 32767).astype(np.int16)
    sound = load_sound(write(tmp_path / "a.wav", samples))
    assert sound.notes == ()
    np.testing.assert_array_equal(sound.samples, samples / np.float32(32768))


def test_sixteen_bit_values_in_wider_types(tmp_path):
    samples = (speech() * 32767).astype(np.int32)
    sound = load_sound(write(tmp_path / "a.wav", samples, subtype="PCM_32"))
    assert "scaled" in codes(sound)
    np.testing.assert_allclose(sound.samples, samples / 32768, atol=1e-6)


def cut(path, share):
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.wav", {"format": "RF64"}),
        ("a.aiff", {}),
        ("a.au", {}),
        ("a.w64", {}),
        ("a.flac", {}),
        ("a.ogg", {}),
        ("a.mp3", {}),
    ],
)
def test_files_that_are_cut_off_are_refused(tmp_path, name, options):
    """Case 13-truncated-sound."""
    path = write(tmp_path / "in" / name, speech(4.0), **options)
    whole = load_sound(path)
    assert abs(len(whole.samples) - 4 * RATE) <= 2304
    cut(path, 0.5)
    with pytest.raises(BenchmarkError, match="cut off") as caught:
        load_sound(path)
    assert name in str(caught.value)
    with pytest.raises(BenchmarkError, match=name):
        create_benchmark(tmp_path / "b", tmp_path / "in", language="eng")
    assert not (tmp_path / "b").exists()


def test_sizes_that_a_pipe_could_not_know_are_no_cut(tmp_path):
    buffer = io.BytesIO()
    soundfile.write(buffer, speech(), RATE, format="WAV")
    raw = bytearray(buffer.getvalue())
    place = raw.index(b"data")
    for size in (0xFFFFFFFF, 0x7FFFFFFF - 36):
        raw[place + 4 : place + 8] = struct.pack("<I", size)
        (tmp_path / "pipe.wav").write_bytes(raw)
        assert len(load_sound(tmp_path / "pipe.wav").samples) == 2 * RATE
    # An odd byte at the end is none either.
    (tmp_path / "odd.wav").write_bytes(buffer.getvalue() + b"\0")
    assert len(load_sound(tmp_path / "odd.wav").samples) == 2 * RATE


def test_channels_in_opposite_phase_and_silence_are_found_at_once(tmp_path):
    """Case 14-no-sound-after-mixing-down."""
    clean = speech()
    sound = load_sound(write(tmp_path / "anti.wav", np.stack([clean, -clean], 1)))
    assert "opposite-phase" in codes(sound)
    assert likeness(sound.samples, clean) > 60
    # Nearly so: another level, a little noise.
    rough = -0.9 * clean + 1e-3 * np.random.default_rng(0).standard_normal(len(clean))
    assert "opposite-phase" in codes(load_sound(write(tmp_path / "near.wav", np.stack([clean, rough], 1))))
    stereo = load_sound(write(tmp_path / "stereo.wav", np.stack([clean, clean], 1)))
    assert codes(stereo) == ["channels"]
    other = speech(seed=1)
    assert "channels-differ" in codes(load_sound(write(tmp_path / "two.wav", np.stack([clean, other], 1))))
    write(tmp_path / "in" / "good.wav", clean)
    for name, samples in (("zero", 0 * clean), ("constant", 0 * clean + 0.3), ("faint", 1e-5 * clean)):
        write(tmp_path / "in" / f"{name}.wav", samples, subtype="FLOAT")
    with pytest.raises(BenchmarkError) as caught:
        create_benchmark(tmp_path / "b", tmp_path / "in", language="eng")
    text = str(caught.value)
    assert "zero.wav: silent" in text
    assert "constant.wav: silent" in text
    assert "faint.wav: nearly silent" in text
    assert "good.wav" not in text


def test_an_offset_is_told_and_a_large_one_removed(tmp_path):
    clean = 0.3 * speech()
    large = load_sound(write(tmp_path / "large.wav", clean + 0.3))
    assert "offset-removed" in codes(large)
    assert abs(float(large.samples.mean())) < 1e-4
    small = load_sound(write(tmp_path / "small.wav", clean + 0.01))
    assert "offset" in codes(small)
    assert abs(float(small.samples.mean()) - 0.01) < 1e-3


def test_recordings_that_were_too_loud_are_told(tmp_path):
    sound = load_sound(write(tmp_path / "a.wav", np.clip(4 * speech(), -0.9, 0.9)))
    assert "clipped" in codes(sound)


@pytest.mark.parametrize("subtype", ["PCM_U8", "ULAW", "ALAW", "PCM_16"])
def test_coarse_levels_are_not_called_clipped(tmp_path, subtype):
    """Quiet sound of 8 bits is flat at the top though nobody recorded too loud; true clipping is told."""
    quiet = load_sound(write(tmp_path / "quiet.wav", 0.05 * speech(), subtype=subtype))
    assert "clipped" not in codes(quiet)
    whole = load_sound(write(tmp_path / "whole.wav", 0.9 * speech(), subtype=subtype))
    assert "clipped" not in codes(whole)
    slow = speech(rate=4 * RATE)  # below 750 Hz
    loud = load_sound(write(tmp_path / "loud.wav", np.clip(8 * slow, -0.9, 0.9), subtype=subtype))
    assert "clipped" in codes(loud)


@pytest.mark.parametrize(
    ("place", "form", "value", "message"),
    [
        (24, "<I", 20_000_000, "samples per second"),
        (24, "<I", 3, "samples per second"),
        (24, "<I", 273_169, "no device records at"),
        (24, "<I", 0xFFFFFFF0, "not a readable"),
        (22, "<H", 900, "channels|not a readable"),
    ],
)
def test_headers_beyond_all_bounds_cost_nothing(tmp_path, place, form, value, message):
    path = write(tmp_path / "a.wav", speech())
    raw = bytearray(path.read_bytes())
    raw[place : place + struct.calcsize(form)] = struct.pack(form, value)
    path.write_bytes(raw)
    start = time.process_time()
    with pytest.raises(BenchmarkError, match=message):
        load_sound(path)
    assert time.process_time() - start < 5


def test_a_rate_without_common_factors_is_resampled(tmp_path):
    sound = load_sound(write(tmp_path / "a.wav", speech(1.0), 44101))
    assert abs(len(sound.samples) - RATE * RATE / 44101) <= 1


def write_video(path, offset):
    """Write a second of picture and sound; the sound starts *offset* seconds after the picture."""
    av = pytest.importorskip("av")
    from fractions import Fraction

    tone = (0.5 * np.sin(np.arange(RATE) * 0.3) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 64
        audio = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 9 * number, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for start in range(0, RATE, 1600):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1600], format="s16", layout="mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = start + round(offset * RATE)
            container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return path


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_sound_of_a_video_is_on_the_pictures_clock(tmp_path, offset):
    sound = load_sound(write_video(tmp_path / "a.mkv", offset))
    heard = np.flatnonzero(np.abs(sound.samples) > 0.1)[0] / RATE
    assert heard == pytest.approx(offset, abs=0.03)
    assert ("start-time" in codes(sound)) == (offset > 0)


# Noise


def test_a_silent_part_of_a_noise_is_told_with_noise_and_clip(tmp_path):
    """Case 14-no-sound-after-mixing-down: 'silent noise' named neither."""
    rng = np.random.Generator(np.random.PCG64(1))
    noise = 0.1 * rng.standard_normal(RATE)
    gap = np.concatenate([noise, np.zeros(20 * RATE)])
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "gap.wav", gap, RATE)
    assert find_gap(gap).length == pytest.approx(20, abs=0.1)
    for number in range(4):
        write(tmp_path / "in" / f"clip{number}.wav", speech())
    told: list[str] = []
    bench = create_benchmark(
        tmp_path / "b", tmp_path / "in", language="eng", noise=tmp_path / "noise", tell=told.append
    )
    assert any("20.0 s of silence" in line for line in told)
    with pytest.raises(BenchmarkError, match=r"noise gap is silent in the part that clip clip\d"):
        load_noises(bench.noise_folder).check_parts(bench.clips)


def test_noise_that_is_silent_is_refused(tmp_path):
    soundfile.write(tmp_path / "quiet.wav", np.zeros(RATE), RATE)
    with pytest.raises(BenchmarkError, match=r"quiet\.wav"):
        load_noises(tmp_path)
    with pytest.raises(UsageError):
        load_noises(tmp_path / "absent")


def test_quiet_recordings_in_wide_integers_are_not_made_loud(tmp_path):
    dither = 2.0**-22 * np.random.default_rng(0).standard_normal(RATE)
    for subtype in ("PCM_24", "PCM_32"):
        faint = load_sound(write(tmp_path / f"{subtype}.wav", dither, subtype=subtype))
        assert not faint.audible
        quiet = load_sound(write(tmp_path / f"q{subtype}.wav", 0.003 * speech(), subtype=subtype))
        assert codes(quiet) == ["quiet"]


@pytest.mark.parametrize("name", ["all", "street|1", "a#b"])
def test_noises_have_names_that_signatures_can_hold(tmp_path, name):
    soundfile.write(tmp_path / f"{name}.wav", speech(), RATE)
    with pytest.raises(UsageError, match="rename it"):
        load_noises(tmp_path)
