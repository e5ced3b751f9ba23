"""The voice gate: shut in silence and noise, open for speech, and the bundled model's lips behind it."""

import numpy as np
import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.reference_model.voice_gate import FALL, RISE, Stretch, fade, find_speech

RATE = 16_000
TIME = np.arange(3 * RATE) / RATE


def color(power: float, seed: int = 0, samples: int = 3 * RATE) -> np.ndarray:
    """(N,) noise of mean square 1 whose amplitude falls with this power of frequency (0 white, 0.5 pink, 1 brown)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=samples))
    place = np.maximum(np.arange(len(spectrum)), 20.0)
    noise = np.fft.irfft(spectrum / place**power, samples)
    return noise / noise.std()


def harmonics(pitch: float, most: int) -> np.ndarray:
    return sum(np.sin(2 * np.pi * pitch * k * TIME + k) / k for k in range(1, most + 1))


def part(sound: np.ndarray, start: float, stop: float) -> np.ndarray:
    return np.where((start <= TIME) & (stop > TIME), sound, 0)


WITHOUT_SPEECH = {
    "digital silence": 0 * TIME,
    "constant": 0 * TIME + 0.1,
    "dither": np.round(0.5 * color(0)) / 32768,
    "white, -10 dB": 0.3 * color(0),
    "white, -40 dB": 0.01 * color(0),
    "white, -60 dB": 0.001 * color(0),
    "pink": 0.03 * color(0.5),
    "brown": 0.03 * color(1),
    "hum, 50 Hz": 0.01 * harmonics(50, 1),
    "hum, 60 Hz, loud": 0.5 * harmonics(60, 1),
    "hum with harmonics": 0.05 * harmonics(50, 19),
    "hum and hiss": 0.01 * harmonics(50, 3) + 0.001 * color(0),
    "tone": 0.1 * np.sin(2 * np.pi * 1000 * TIME),
    "room": 0.003 * color(1) + 0.0005 * color(0.5, 1) + 0.001 * np.sin(2 * np.pi * 100 * TIME),
    "noise that comes and goes": 0.05 * color(0) * (1 + np.sin(2 * np.pi * 4 * TIME)),
    "noise that sets in": part(0.01 * color(0), 1, 2),
    "noise that grows": 0.1 * color(0) * TIME / 3,
    "hum that sets in": part(0.01 * harmonics(50, 1), 1, 9),
    "room, then hiss": part(0.001 * color(1), 0, 1.5) + part(0.01 * color(0), 1.5, 3),
    "a click": part(0 * TIME + 0.5, 1, 1.0001) + 0.0003 * color(0),
}


@pytest.mark.parametrize("name", WITHOUT_SPEECH)
def test_shut_without_speech(name):
    assert find_speech(WITHOUT_SPEECH[name].astype(np.float32), 75) == []


def test_shorter_than_a_window_and_silence_that_lasts():
    assert find_speech(np.zeros(1, np.float32), 1) == []
    assert find_speech(0.1 * color(0)[:300], 1) == []
    assert find_speech(0.01 * color(1, samples=60 * RATE), 1500) == []


@pytest.fixture(scope="module")
def clips():
    return load_benchmark("openhead-20").clips


def test_the_benchmark_is_speech_from_end_to_end(clips):
    """So that no published figure depends on the gate; also 20 dB quieter, and in hiss of the same power."""
    for clip in clips:
        assert find_speech(clip.audio, clip.frames) == [(0, clip.frames)], clip.id
    for clip in clips[::10]:
        assert find_speech(0.01 * clip.audio, clip.frames) == [(0, clip.frames)], clip.id
        hiss = clip.audio.std() * color(0, samples=len(clip.audio))
        assert find_speech(clip.audio + hiss, clip.frames) == [(0, clip.frames)], clip.id


@pytest.mark.parametrize("floor", [0.0, 1e-4, 1e-3])
def test_first_sounds_are_not_cut(clips, floor):
    """Words that begin with fricatives and plosives, faint as they are, open the gate before they are heard."""
    from mtbench.benchmarks.phone_times import PAUSE, read_phone_times

    first = {"f": 0, "s": 0, "p": 0, "t": 0, "θ": 0, "k": 0, "h": 0}
    for clip in clips:
        start = next(time for time in read_phone_times(clip) if time.symbol != PAUSE)
        sound = start.symbol[:1]
        if first.get(sound, 9) > 1:
            continue
        first[sound] += 1
        cut = clip.audio[int(start.start * RATE) :]
        quiet = np.zeros(2 * RATE, np.float32)
        heard = np.concatenate([quiet, cut, quiet])
        heard = heard + floor * color(0, samples=len(heard))
        stretches = find_speech(heard, len(heard) // 640)
        # Two frames before the sound at least: the lips take their place before they are heard.
        assert len(stretches) == 1, clip.id
        assert 50 - 20 < stretches[0].start <= 48, (clip.id, sound)
        assert stretches[0].stop >= 50 + len(cut) // 640, clip.id
    assert sum(first[sound] > 0 for sound in "fspt") >= 3


def test_two_utterances_and_a_short_pause(clips):
    one = clips[0].audio[: 640 * 75]
    for pause, expected in ((0.2, 1), (2.0, 2)):
        sound = np.concatenate([one, np.zeros(int(pause * RATE), np.float32), one])
        assert len(find_speech(sound, len(sound) // 640)) == expected
    # What is beyond the frames asked for is not looked at; sound that is stretched takes the gate with it.
    sound = np.concatenate([np.zeros(2 * RATE, np.float32), one])
    assert find_speech(sound, 50) == []
    short, long = find_speech(sound, 125)[0].start, find_speech(sound, 250)[0].start
    assert abs(long - 2 * short) <= 2
    assert find_speech(sound, 125)[0].stop == 125


def test_fading_has_no_jumps_and_leaves_ends_alone():
    np.testing.assert_array_equal(fade(Stretch(0, 9), 9), np.ones(9))
    gain = fade(Stretch(10, 40), 60)
    assert gain.dtype == np.float32
    assert (gain[RISE:-FALL] == 1).all()
    assert (np.diff(gain[: RISE + 1]) > 0).all()
    assert (np.diff(gain[-FALL - 1 :]) < 0).all()
    assert np.abs(np.diff(np.concatenate([[0], gain, [0]]))).max() < 0.35
    assert fade(Stretch(5, 7), 9).shape == (2,)


@pytest.fixture(scope="module")
def talker():
    pytest.importorskip("torch")
    from mtbench.faces.head import load_head
    from mtbench.reference_model import load_model

    return load_model(), load_head()


@pytest.mark.parametrize("name", ["digital silence", "white, -40 dB", "hum, 50 Hz", "room"])
def test_lips_stay_shut_without_speech(talker, name):
    """The gap between the lips is within 0.5 mm of the resting face's; without the gate it is some 6 mm wider."""
    model, head = talker
    rest, sound = head.topology.neutral, WITHOUT_SPEECH[name].astype(np.float32)
    made = model.predict(sound, rest, "eng")
    wider = (head.lip_gap(np.asarray(made)) - head.lip_gap(rest)).max(-1)
    assert wider.mean() < 0.0005
    assert made.notes == ("no speech was found in the sound: the face rests",)
    if name == "digital silence":
        without = np.asarray(model.predict(sound, rest, "eng", gate=False))
        assert (head.lip_gap(without) - head.lip_gap(rest)).max(-1).mean() > 0.003


def test_speech_between_silences_moves_as_by_itself(talker, clips):
    """Lip vertex error of the speech is that without silence around it; without the gate it is worse."""
    from mtbench.benchmarks.ground_truth import neutral_face
    from mtbench.metrics.lve import sum_lve_mm

    model, head = talker
    lips = head.topology.region("lips")
    errors = []
    for clip in clips[::40]:
        face = np.asarray(neutral_face(clip), np.float32)
        quiet = np.zeros(2 * RATE, np.float32)
        sound, frames = np.concatenate([quiet, clip.audio, quiet]), clip.frames + 100
        alone = np.asarray(model.predict(clip.audio, face, clip.language, clip.frames))
        gated = np.asarray(model.predict(sound, face, clip.language, frames))
        ungated = np.asarray(model.predict(sound, face, clip.language, frames, gate=False))
        np.testing.assert_array_equal(gated[:40], np.repeat(face[None], 40, 0))
        speech = [alone, gated[50:-50], ungated[50:-50]]
        errors.append([sum_lve_mm(x, clip.motion.vertices, lips) / clip.frames for x in speech])
        # No frame differs from the one before by more than in speech.
        step, usual = (np.abs(np.diff(x[:, lips], axis=0)).max() for x in (gated, alone))
        assert step < 1.2 * usual + 0.001
    alone, gated, open_ = np.mean(errors, 0)
    assert gated < alone + 0.15
    assert gated < open_


def test_the_published_weights_are_not_gated_unless_asked(shared):
    pytest.importorskip("transformers")
    from mtbench.reference_model import load_released

    golden = shared / "golden" / "multitalk_a"
    model = load_released(
        golden / "stage1.pth.tar",
        golden / "stage2.pth.tar",
        golden / "wav2vec2",
        config=golden / "config.json",
    )
    assert not model.gate
    face, silence = np.linspace(-0.1, 0.1, 30, dtype=np.float32), np.zeros(RATE, np.float32)
    assert np.abs(model.predict(silence, face, 0) - face).max() > 0
    assert np.abs(model.predict(silence, face, 0, gate=True) - face).max() == 0
