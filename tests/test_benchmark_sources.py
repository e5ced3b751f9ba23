"""What a benchmark is made of is told: names, languages, texts, files that fit nothing."""

import unicodedata

import numpy as np
import pytest
import soundfile
from factories import talk

from mtbench.errors import BenchmarkError
from mtbench.making.folder import create_benchmark
from mtbench.speech.transcripts import TranscriptError, read_transcript

FRAMES = 25


def record(folder, name, text="word word", suffix=".wav"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{suffix}"
    tone = 0.5 * np.sin(np.arange(FRAMES * 640) * 0.1)
    soundfile.write(path, tone, 16000)
    if text is not None:
        path.with_name(f"{path.name.removesuffix(suffix)}.txt").write_text(text, "utf-8")
    return path


def make(tmp_path, **options):
    told: list[str] = []
    options = {"language": "eng", **options}
    bench = create_benchmark(tmp_path / "b", tmp_path / "in", tell=told.append, **options)
    return bench, "\n".join(told)


def test_ground_truth_in_any_case_and_form_is_taken_and_what_fits_nothing_is_named(tmp_path):
    """Case 18-ground-truth-dropped."""
    names = {"a": "a.NPZ", "b": "b_gt.npz", "d": "d.npz"}
    nfd, nfc = (unicodedata.normalize(form, "é") for form in ("NFD", "NFC"))
    names[nfd] = f"{nfc}.npz"
    for sound, truth in names.items():
        record(tmp_path / "in", sound)
        np.savez(tmp_path / "in" / "tmp.npz", vertices=talk(FRAMES))
        (tmp_path / "in" / "tmp.npz").rename(tmp_path / "in" / truth)
    bench, told = make(tmp_path)
    assert sum(clip.motion_path is not None for clip in bench.clips) == 3
    assert (
        "b_gt.npz: ground truth that fits no recording — did you mean b.npz? [motion-without-sound]" in told
    )
    assert "[unicode-form]" in told
    assert "b_gt.npz" in bench.manifest.notes
    with pytest.raises(BenchmarkError, match=r"b_gt\.npz") as caught:
        create_benchmark(tmp_path / "c", tmp_path / "in", language="eng", strict=True)
    assert "--strict" in str(caught.value)
    assert not (tmp_path / "c").exists()


def test_a_text_in_another_unicode_form_is_found(tmp_path):
    """Case 18-ground-truth-dropped: 'é1.txt: missing' though it was there."""
    nfd, nfc = (unicodedata.normalize(form, "é1") for form in ("NFD", "NFC"))
    record(tmp_path / "in", nfd, text=None)
    (tmp_path / "in" / f"{nfc}.txt").write_text("bonjour", "utf-8")
    bench, told = make(tmp_path, language="fra")
    assert bench.clips[0].transcript == "bonjour"
    assert "[unicode-form]" in told


@pytest.mark.parametrize("name", ["hi_there", "it_was_late", "es_ist_spaet", "take_2", "no_way", "la_la"])
def test_the_folder_speaks_where_a_name_only_looks_like_a_code(tmp_path, name):
    """Case 17-language-of-a-name."""
    record(tmp_path / "in" / "English", name)
    bench, told = make(tmp_path, language=None)
    assert bench.languages == ("eng",)
    assert "English, by its folder, English/" in told


def test_names_and_folders_that_disagree_are_refused(tmp_path):
    record(tmp_path / "in" / "English", "Italian_01")
    with pytest.raises(BenchmarkError, match=r"Italian .* and English .*: which one is spoken\?"):
        make(tmp_path, language=None)


def test_names_that_begin_with_a_language_say_it(tmp_path):
    for name in ("Italian_01", "deu_02", "Chinese_0001"):
        record(tmp_path / "in", name)
    bench, _ = make(tmp_path, language=None)
    assert {clip.id: clip.language for clip in bench.clips} == {
        "Italian_01": "ita", "deu_02": "deu", "Chinese_0001": "cmn",
    }  # fmt: skip


LRS3 = "Text:  EVERYONE HAS THE RIGHT\nConf:  4\n\nWORD START END ASDSCORE\nEVERYONE 0.10 0.44 6.1\nHAS 0.44 0.60 5.2\n"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (LRS3, "EVERYONE HAS THE RIGHT"),
        ("Text:  SO IT IS\nRef: abc\n\nFRAME X Y W H\n", "SO IT IS"),
        ("two\nlines", "two lines"),
        ("\ufeffwith a mark", "with a mark"),
        ("we met at 10 30 in room 5", "we met at 10 30 in room 5"),
        ("Text: is a word", None),
        ("about 2,500 people came\nand 3,200 stayed", "about 2,500 people came and 3,200 stayed"),
        ("Es kostet 3,50 Euro\nund 4,20 Euro mehr", "Es kostet 3,50 Euro und 4,20 Euro mehr"),
        ("a; hello", "a; hello"),
    ],
)
def test_texts_are_read_as_what_they_are(tmp_path, written, words):
    """Case 16-lrs3-text."""
    path = tmp_path / "a.txt"
    path.write_text(written, "utf-8")
    assert read_transcript(path).text == (words or "is a word")


def test_lrs_texts_in_a_benchmark(tmp_path):
    """Case 16-lrs3-text."""
    record(tmp_path / "in", "00001", LRS3)
    bench, told = make(tmp_path)
    assert bench.clips[0].transcript == "EVERYONE HAS THE RIGHT"
    assert "[lrs-text]" in told


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("1\n00:00:00,000 --> 00:00:01,000\nhello there\n", "subtitles"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n", "subtitles"),
        ('File type = "ooTextFile"\nObject class = "TextGrid"\n', "TextGrid"),
        ("0 1000 sil\n1000 2000 bin\n2000 3000 blue\n", "table of times"),
        ("0.00\t0.44\teveryone\n0.44\t0.60\thas\n", "table of times"),
        ('{"text": "hello"}', "JSON"),
        ("<s>hello</s>", "XML"),
        ("   \n", "empty"),
    ],
)
def test_what_is_no_transcript_is_refused(tmp_path, written, cause):
    path = tmp_path / "a.txt"
    path.write_text(written, "utf-8")
    with pytest.raises(TranscriptError, match=cause):
        read_transcript(path)


def test_other_encodings(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("grüße".encode("utf-16"))
    assert read_transcript(path).text == "grüße"
    path.write_bytes("grüße".encode("latin-1"))
    with pytest.raises(TranscriptError, match="UTF-8"):
        read_transcript(path)


def test_everything_passed_over_is_told(tmp_path):
    source = tmp_path / "in"
    record(source, "a")
    (source / "._a.wav").write_bytes(b"x")
    (source / "notes.md").write_text("x")
    (source / "lonely.txt").write_text("x")
    np.save(source / "other.npy", talk(FRAMES))
    (source / "b.wav").symlink_to(record(tmp_path / "elsewhere", "b"))
    (source / "b.txt").write_text("word")
    bench, told = make(tmp_path)
    assert [clip.id for clip in bench.clips] == ["a", "b"]
    for line in (
        "._a.wav: passed over: hidden",
        "notes.md: passed over: .md ending is not read",
        "lonely.txt: a text without a recording",
        "other.npy: ground truth that fits no recording",
        "b.wav: a link: what it points to is copied",
    ):
        assert line in told
    assert not (bench.root / "audio" / "b.flac").is_symlink()


def test_hundreds_of_a_kind_are_one_line(tmp_path):
    for number in range(12):
        record(tmp_path / "in" / "English", f"take_{number}")
    _, told = make(tmp_path, language=None)
    assert told.count("\n") == 0
    assert "11 more" in told
