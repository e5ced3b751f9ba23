"""Conditions as one value, and clips shown to a recognizer in one way."""

import itertools

import fakes
import numpy as np
import pytest

from mtbench.avsr import ClipSound, Hypothesis, present, transcribe_clip
from mtbench.avsr.base import RecognizerError
from mtbench.benchmarks import find_noises, load_benchmark
from mtbench.conditions import ENTRY, STATIC, Condition
from mtbench.speech import to_pcm16

NOISY = Condition("av", -7.5, "babble", ENTRY)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return load_benchmark(fakes.make_benchmark(tmp_path_factory.mktemp("fake")))


class Recorder:
    """Answers with how much it was given, and keeps what that was."""

    name, digest, languages = "recorder", "0", frozenset({"ita"})

    def __init__(self):
        self.given = []

    def transcribe(self, crops, audio, language, lexicon=None):
        self.given.append((crops, list(audio)))
        return [Hypothesis(str(number)) for number, _ in enumerate(audio)]


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (Condition("v"), "v"),
        (Condition("a"), "a-clean"),
        (Condition("av"), "av-clean"),
        (Condition("av", -7.5), "av-7.5"),
        (Condition("av", 5.0, "music"), "av+5/music"),
        (Condition("a", 0.0, "a/b"), "a+0/a/b"),
        (Condition("a", -12.25, "all"), "a-12.25/all"),
    ],
)
def test_names_are_written_and_read(condition, name):
    assert condition.name == name
    assert Condition.parse(name) == condition
    assert Condition.parse(name, ENTRY) == condition.with_face(ENTRY)


def test_decibels_without_a_sign_are_read():
    assert Condition.parse("av5") == Condition("av", 5.0)


@pytest.mark.parametrize(
    "name", ["", "x", "av", "av-", "va-clean", "v-clean", "a-loud", "av-7.5/", "a--5", "av-1e3"]
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"unknown condition .*; expected v, or av or a"):
        Condition.parse(name)


def test_order_is_that_of_tables():
    expected = [
        Condition("av"),
        Condition("av", 0.0, "all"),
        Condition("av", -7.5, "all"),
        Condition("av", -7.5, "babble"),
        Condition("v"),
        Condition("a"),
        Condition("a", -7.5, "babble"),
        Condition(),
    ]
    for shuffled in itertools.islice(itertools.permutations(expected), 0, 5040, 331):
        assert sorted(shuffled, key=lambda c: c.order) == expected


def test_what_is_heard_does_not_depend_on_who_is_seen():
    assert NOISY.sound == NOISY.with_face(STATIC).sound == Condition("a", -7.5, "babble")
    assert Condition("v", face=ENTRY).sound is None
    assert (NOISY.hears, NOISY.sees, NOISY.is_noisy) == (True, True, True)


def test_conditions_with_one_face_are_given_together(benchmark):
    clip, recorder, seen = benchmark.clips[0], Recorder(), []

    def see(face):
        seen.append(face)
        return np.full((clip.frames, 96, 96), len(face), np.uint8)

    conditions = [
        Condition("av", face=ENTRY), Condition("a"), NOISY.with_face(STATIC), Condition("v", face=ENTRY), NOISY,
    ]  # fmt: skip
    found = transcribe_clip(
        recorder, clip, conditions, see, ClipSound(clip, find_noises(benchmark)).hear, None
    )
    assert seen == [ENTRY, STATIC]
    assert [len(audio) for _, audio in recorder.given] == [3, 1, 1]
    assert recorder.given[1][0] is None
    assert recorder.given[0][1][1] is None
    assert {c.name + str(c.face): h.text for c, h in found.items()} == {
        "av-cleanentry": "0", "ventry": "1", "av-7.5/babbleentry": "2", "a-cleanNone": "0", "av-7.5/babblestatic": "0",
    }  # fmt: skip


def test_mixtures_are_whole_numbers_of_16_bits_and_the_file_is_read_once(benchmark, monkeypatch):
    clip = benchmark.clips[0]
    sound = ClipSound(clip, find_noises(benchmark))
    heard = sound.hear(NOISY)
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard * 32768, np.round(heard * 32768))
    np.testing.assert_array_equal(to_pcm16(heard), sound.mix(NOISY))
    monkeypatch.setattr(type(clip), "load_audio", lambda self: pytest.fail("read twice"))
    assert sound.hear(Condition("a")) is sound.clean
    assert sound.hear(Condition("v", face=ENTRY)) is None


def test_failures_name_clip_and_condition(benchmark):
    class Failing(Recorder):
        def transcribe(self, crops, audio, language, lexicon=None):
            if crops is not None:
                raise RuntimeError("out of memory")
            return super().transcribe(crops, audio, language, lexicon)

    clip = benchmark.clips[0]
    conditions = [Condition("a"), NOISY]
    with pytest.raises(
        RecognizerError, match=r"ita-01 \(ita\), babble at -7.5 dB, face: entry, system lag: Runtime"
    ):
        transcribe_clip(
            Failing(),
            clip,
            conditions,
            lambda face: np.zeros((clip.frames, 96, 96), np.uint8),
            ClipSound(clip, find_noises(benchmark)).hear,
            None,
            about=", system lag",
        )


def test_a_face_is_shown_under_every_condition_of_it():
    shown = list(
        present([NOISY, Condition("a")], lambda face: np.zeros((1, 96, 96), np.uint8), lambda c: None)
    )
    assert [(s.conditions, s.crops is None) for s in shown] == [((NOISY,), False), ((Condition("a"),), True)]


def test_the_lexicon_report_hears_what_a_score_hears(benchmark, monkeypatch):
    """Its mixtures were not rounded to 16 bits, so that its av-7.5 was not that of the other tables."""
    from mtbench.avsr.evaluation import lexicon_sweep

    asked = []

    class Listener:
        def log_probs_many(self, requests):
            asked.extend(requests)
            return [[np.zeros((2, 3))] * len(request.audio) for request in requests]

    monkeypatch.setattr(lexicon_sweep, "render_face", lambda *a: np.zeros((30, 96, 96), np.uint8))
    clip = benchmark.clips[0]
    found = lexicon_sweep._listen(benchmark, Listener(), [clip], ["av-7.5", "v", "a-clean"])
    assert {name: len(frames) for name, frames in found.items()} == {"av-7.5": 1, "v": 1, "a-clean": 1}
    np.testing.assert_array_equal(asked[0].audio[0], ClipSound(clip, find_noises(benchmark)).hear(NOISY))


def test_a_failure_that_needs_all_conditions_together_is_named_so(benchmark):
    class Full(Recorder):
        def transcribe(self, crops, audio, language, lexicon=None):
            if len(audio) > 1:
                raise MemoryError("too much at once")
            return super().transcribe(crops, audio, language, lexicon)

    clip = benchmark.clips[0]
    hear = ClipSound(clip, find_noises(benchmark)).hear
    with pytest.raises(RecognizerError, match="all conditions: MemoryError: too much at once"):
        transcribe_clip(
            Full(), clip, [Condition("a"), Condition("a", -7.5, "babble")], lambda face: None, hear, None
        )
