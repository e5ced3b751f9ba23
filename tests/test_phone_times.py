"""Reading timed phones."""

from dataclasses import replace
from itertools import pairwise

import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.phone_times import PAUSE, PhoneTime, read_phone_times
from mtbench.errors import BenchmarkError


@pytest.fixture(scope="module")
def bench():
    return load_benchmark("openhead-20")


@pytest.fixture
def clip(bench, tmp_path):
    """Return a clip of 25 frames whose phones are p a, and a function that writes its file."""
    path = tmp_path / "times.tsv"

    def write(text: str):
        path.write_text(text, "utf-8")
        return replace(bench.clips[0], frames=25, phones=("p", "a"), phone_times_path=path)

    return write


HEAD = "phone\tstart\tend\trelease\n"


def test_every_bundled_clip_has_phones_that_follow_one_another(bench):
    from mtbench.synth.articulation import animate
    from mtbench.synth.articulation_settings import HELD_OUT

    for clip in bench.clips:
        phones = read_phone_times(clip)
        assert tuple(p.symbol for p in phones if p.symbol != PAUSE) == clip.phones
        assert all(a.end <= b.start for a, b in pairwise(phones))
        assert any(p.release is not None for p in phones)
    assert len(animate(phones, clip.frames / 25, HELD_OUT)) == clip.frames


def test_fields(clip):
    found = read_phone_times(clip(HEAD + "sil\t0\t0.1\t\np\t0.1\t0.2\t0.15\na\t0.2\t0.9\t\n"))
    assert found == (PhoneTime("sil", 0, 0.1), PhoneTime("p", 0.1, 0.2, 0.15), PhoneTime("a", 0.2, 0.9))
    assert read_phone_times(clip("phone\tstart\tend\np\t0\t0.2\na\t0.2\t0.9\n"))[0].release is None


def test_times_that_cross_by_rounding_are_mended(clip):
    first, second = read_phone_times(clip(HEAD + "p\t0\t0.20005\t\na\t0.2000\t0.9\t\n"))
    assert second.start == first.end


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("phone start end\n", "blanks"),
        (HEAD + "p\t0\t0.2\n", "3 fields"),
        (HEAD + "p\t0\tx\t\n", "could not convert"),
        (HEAD + "p\t0\tnan\t\n", "not finite"),
        (HEAD + "p\t0\t0.2\t\na\t0.1\t0.3\t\n", "follow one another"),
        (HEAD + "p\t0.3\t0.2\t\n", "follow one another"),
        (HEAD + "p\t0\t0.2\t\na\t0.2\t200\t\n", "milliseconds"),
        (HEAD + "p\t0\t0.2\t\ni\t0.2\t0.3\t\n", "reference phones"),
        (HEAD + "p\t0\t0.2\t\n", "1 timed phones are not the 2"),
    ],
)
def test_damage_is_named(clip, text, message):
    with pytest.raises(BenchmarkError, match=message):
        read_phone_times(clip(text))


def test_clip_without_phones(bench):
    with pytest.raises(BenchmarkError, match="add phone_times"):
        read_phone_times(replace(bench.clips[0], phone_times_path=None))
