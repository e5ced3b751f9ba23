"""Benchmarks made from recordings, texts and motion."""

import numpy as np
import pytest
import soundfile
from factories import talk

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import BenchmarkError, UsageError
from mtbench.making.folder import create_benchmark
from mtbench.speech.sound_files import load_audio

GRID_WORDS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(
        zip(
            "z123456789",
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
            strict=True,
        )
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


@pytest.fixture(autouse=True)
def _no_asset(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


def record(folder, stem, samples=3500, rate=16000, text="hello world", channels=1):
    folder.mkdir(parents=True, exist_ok=True)
    tone = 0.4 * np.sin(2 * np.pi * 300 * np.arange(samples) / rate)
    soundfile.write(folder / f"{stem}.wav", np.repeat(tone[:, None], channels, axis=1), rate)
    if text is not None:
        (folder / f"{stem}.txt").write_text(text, encoding="utf-8")


def test_a_folder_of_recordings(tmp_path):
    source = tmp_path / "in"
    record(source, "a", text="  Ciao\n mondo!\t")
    record(source, "b c", samples=44100, rate=44100, channels=2)
    benchmark = create_benchmark(tmp_path / "My Clips", source, language="Italian", license="CC0")
    assert benchmark.ref == "my-clips@1"
    assert benchmark.manifest.license == "CC0"
    assert [(c.id, c.language, c.frames) for c in benchmark.clips] == [("a", "ita", 6), ("b-c", "ita", 25)]
    assert benchmark.clips[0].transcript == "Ciao mondo!"
    assert benchmark.clips[0].motion is None
    assert benchmark.topology is None
    audio = benchmark.clips[1].audio
    assert audio.shape == (16000,)
    spectrum = np.abs(np.fft.rfft(audio))
    assert spectrum.argmax() == 300
    assert np.abs(audio[1000:-1000]).max() == pytest.approx(0.4, abs=0.01)


def test_languages_from_names_and_folders(tmp_path):
    source = tmp_path / "in"
    record(source, "Greek_x1")
    record(source / "french", "y")
    record(source / "deu" / "speaker", "z")
    benchmark = create_benchmark(tmp_path / "out", source)
    assert {clip.id: clip.language for clip in benchmark.clips} == {"Greek_x1": "ell", "y": "fra", "z": "deu"}


def test_texts_with_quotes_and_other_scripts(tmp_path):
    source = tmp_path / "in"
    texts = {"a": 'say "no" \\ now', "b": "все люди", "c": "\ufeffすべて の 人間", "d": "क\u0000ख"}
    for stem, text in texts.items():
        record(source, stem, text=text)
    benchmark = create_benchmark(tmp_path / "out", source, language="eng")
    found = {clip.id: clip.transcript for clip in benchmark.clips}
    assert found == {"a": 'say "no" \\ now', "b": "все люди", "c": "すべて の 人間", "d": "क ख"}


@pytest.mark.parametrize("form", ["npy", "flat", "npz", "params"])
def test_ground_truth(tmp_path, form):
    source = tmp_path / "in"
    record(source, "a")
    vertices = talk(6)
    if form == "params":
        np.savez(source / "a.npz", exp=np.zeros((6, 50)), jaw=np.full((6, 3), 0.1), shape=np.zeros(100))
    elif form == "npz":
        np.savez(source / "a.npz", verts=vertices)
    else:
        np.save(source / "a.npy", vertices.reshape(6, -1) if form == "flat" else vertices.astype("f8"))
    benchmark = create_benchmark(tmp_path / "out", source, language="eng")
    assert benchmark.topology == "flame-5023"
    clip = benchmark.clips[0]
    assert clip.motion_path == tmp_path / "out/motion/a.npz"
    if form != "params":
        assert np.array_equal(clip.motion.vertices, vertices)


@pytest.mark.parametrize(("frames", "kept"), [(4, 4), (5, 5), (7, 6), (8, 6)])
def test_motion_a_little_longer_or_shorter_than_the_sound(tmp_path, frames, kept):
    source = tmp_path / "in"
    record(source, "a")
    np.save(source / "a.npy", talk(frames))
    clip = create_benchmark(tmp_path / "out", source, language="eng").clips[0]
    assert clip.frames == kept
    assert clip.audio.shape == (640 * kept,)
    assert np.array_equal(clip.motion.vertices, talk(frames)[:kept])
    lost = [
        line for line in (tmp_path / "out/benchmark.toml").read_text().splitlines() if "[motion-cut]" in line
    ]
    assert len(lost) == (frames > kept)
    assert not lost or f"the last {frames - kept} of {frames} frames of ground truth were cut off" in lost[0]


def test_motion_in_a_folder_of_its_own(tmp_path):
    record(tmp_path / "in/wav", "a")
    (tmp_path / "in/npy").mkdir()
    np.savez(tmp_path / "in/npy/a.npz", verts=talk(6))
    benchmark = create_benchmark(
        tmp_path / "out", tmp_path / "in/wav", language="eng", motion=tmp_path / "in/npy"
    )
    assert len(benchmark.clips[0].motion) == 6


def test_everything_wrong_is_listed_and_nothing_is_written(tmp_path):
    source = tmp_path / "in"
    record(source, "notext", text=None)
    record(source, "empty", text=" \n")
    record(source, "latin")
    (source / "latin.txt").write_bytes("é".encode("latin1"))
    record(source, "fine")
    (source / "broken.wav").write_text("no sound")
    (source / "broken.txt").write_text("words")
    record(source / "sub", "fine")
    with pytest.raises(BenchmarkError) as caught:
        create_benchmark(tmp_path / "out", source, language="eng")
    for words in (
        "notext.txt: missing",
        "empty.txt: empty",
        "latin.txt: not UTF-8",
        "sub/fine.wav: the same",
    ):
        assert words in str(caught.value)
    assert not (tmp_path / "out").exists()
    for stem in ("notext", "empty", "latin"):
        (source / f"{stem}.wav").unlink()
    (source / "sub/fine.wav").unlink()
    np.save(source / "fine.npy", talk(20))
    with pytest.raises(BenchmarkError) as caught:
        create_benchmark(tmp_path / "out", source, language="eng")
    assert "broken.wav" in str(caught.value)
    assert "fine.npy: vertices: 20 frames, expected 6" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_usage(tmp_path):
    record(tmp_path / "in", "a")
    with pytest.raises(UsageError, match="no such folder"):
        create_benchmark(tmp_path / "out", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="unknown language"):
        create_benchmark(tmp_path / "out", tmp_path / "in", language="Klingon")
    with pytest.raises(BenchmarkError, match="language unknown"):
        create_benchmark(tmp_path / "out", tmp_path / "in")
    with pytest.raises(UsageError, match="not an empty folder"):
        create_benchmark(tmp_path / "in", tmp_path / "in", language="eng")
    with pytest.raises(UsageError, match="unknown topology"):
        create_benchmark(tmp_path / "out", tmp_path / "in", language="eng", topology="bfm")
    with pytest.raises(BenchmarkError, match="version"):
        create_benchmark(tmp_path / "out", tmp_path / "in", language="eng", version="1 beta")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_noise_and_word_lists_come_along(tmp_path):
    record(tmp_path / "in", "a")
    record(tmp_path / "noises", "kitchen", samples=8000, rate=8000)
    (tmp_path / "words").mkdir()
    (tmp_path / "words/eng.tsv").write_text("hello\th ə l əʊ\t3\n")
    benchmark = create_benchmark(
        tmp_path / "out",
        tmp_path / "in",
        language="eng",
        noise=tmp_path / "noises",
        lexicons=tmp_path / "words",
    )
    assert [path.name for path in benchmark.noise_folder.iterdir()] == ["kitchen.flac"]
    assert soundfile.info(benchmark.noise_folder / "kitchen.flac").samplerate == 16000
    assert benchmark.lexicons == {"eng": tmp_path / "out/lexicon/eng.tsv"}


def test_clips_of_one_recording_are_grouped_on_request(tmp_path):
    for stem in ("talk_1", "talk_2", "other"):
        record(tmp_path / "in", stem)
    plain = create_benchmark(tmp_path / "plain", tmp_path / "in", language="eng")
    assert [clip.source for clip in plain.clips] == ["other", "talk_1", "talk_2"]
    grouped = create_benchmark(tmp_path / "grouped", tmp_path / "in", language="eng", group=True)
    assert [clip.source for clip in grouped.clips] == ["other", "talk", "talk"]


def test_the_same_recordings_give_the_same_bytes(tmp_path):
    record(tmp_path / "in", "a", rate=44100)
    np.save(tmp_path / "in/a.npy", talk(2))
    first = create_benchmark(tmp_path / "a", tmp_path / "in", language="eng", name="x")
    second = create_benchmark(tmp_path / "b", tmp_path / "in", language="eng", name="x")
    assert first.digest == second.digest
    assert [p.name for p in first.files()] == [p.name for p in second.files()]


def test_the_real_recordings(tmp_path, shared):
    pytest.importorskip("av", reason="reading the sound of a video needs PyAV")
    source = tmp_path / "in"
    source.mkdir()
    for video in sorted((shared / "grid").glob("*.mpg")):
        words = [table[letter] for table, letter in zip(GRID_WORDS, video.stem, strict=True)]
        (source / f"{video.stem}.txt").write_text(" ".join(words))
        (source / video.name).symlink_to(video)
    # one of them goes through a sound file, as without PyAV
    soundfile.write(source / "bbaf2n.wav", load_audio(source / "bbaf2n.mpg"), 16000, subtype="PCM_16")
    (source / "bbaf2n.mpg").unlink()
    benchmark = create_benchmark(tmp_path / "grid", source, language="English")
    assert len(benchmark.clips) == 7
    assert benchmark.clip("bbaf2n").transcript == "bin blue at f two now"
    for clip in load_benchmark(tmp_path / "grid").clips:
        assert clip.frames == pytest.approx(75, abs=1)
        assert clip.audio.shape == (640 * clip.frames,)
        assert 0.01 < np.sqrt(np.mean(clip.audio**2)) < 0.5


def test_a_video_without_sound(tmp_path):
    av = pytest.importorskip("av", reason="reading the sound of a video needs PyAV")
    (tmp_path / "in").mkdir()
    with av.open(str(tmp_path / "in/a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (tmp_path / "in/a.txt").write_text("words")
    with pytest.raises(BenchmarkError, match="no sound"):
        create_benchmark(tmp_path / "out", tmp_path / "in", language="eng")
    (tmp_path / "in/a.mp4").write_text("no video")
    with pytest.raises(BenchmarkError, match="cannot be read"):
        create_benchmark(tmp_path / "out", tmp_path / "in", language="eng")
