"""Words that a list lacks can never be right: that is told, where a list was made by hand."""

import fakes
import pytest

from mtbench.benchmarks.benchmark import bundled_benchmarks, load_benchmark
from mtbench.benchmarks.vocabulary import find_unlisted, warn_of_unlisted


@pytest.fixture
def bench(tmp_path):
    clips = {
        "a": ("eng", 25, "The kettle, the Ounce!"),
        "b": ("eng", 25, "an ounce of tea"),
        "c": ("jpn", 25, "すべての人間は"),
        "d": ("ita", 25, "senza lista"),
    }
    folder = fakes.make_benchmark(tmp_path / "small", clips, motion=False, noises=0)
    (folder / "eng.tsv").write_text("the\tð ə\nounce\ta ʊ n s\nof\tɒ v\nan\ta n\n", "utf-8")
    (folder / "jpn.tsv").write_text("すべて\ts ɯ b e t e\n人間\tn i n ɡ e n\nは\tw a\n", "utf-8")
    file = folder / "benchmark.toml"
    text = file.read_text("utf-8").replace("fps", 'lexicons = {eng = "eng.tsv", jpn = "jpn.tsv"}\nfps', 1)
    file.write_text(text, "utf-8")
    return load_benchmark(folder)


def test_words_and_characters_that_are_missing(bench):
    assert find_unlisted(bench, "eng") == ["kettle", "tea"]
    assert find_unlisted(bench, "jpn") == ["の"]
    assert find_unlisted(bench, "ita") == []
    assert warn_of_unlisted(bench, "eng").startswith(
        "the word list for English lacks 2 words of the transcripts ('kettle', 'tea'): a recognizer"
    )
    assert "lacks 1 characters of the transcripts ('の')" in warn_of_unlisted(bench, "jpn")
    assert "('kettle', …)" in warn_of_unlisted(bench, "eng", 1)
    assert warn_of_unlisted(bench, "ita") is None


def test_bundled_lists_lack_nothing():
    for name in bundled_benchmarks():
        bundled = load_benchmark(name)
        assert [
            warn_of_unlisted(bundled, code) for code in bundled.languages if code in bundled.lexicons
        ] == [None] * len(bundled.lexicons)
