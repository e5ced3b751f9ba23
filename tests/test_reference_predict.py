"""Sound to files: any sound, folders, benchmarks; what is stopped goes on to the same bytes."""

import re
import tomllib

import fakes
import numpy as np
import pytest
import soundfile

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.benchmarks.ground_truth import neutral_face
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.reference_model import entry
from mtbench.reference_model.entry import predict_benchmark
from mtbench.reference_model.predict import predict_file, predict_folder, write_video
from mtbench.reference_model.recordings import find_language, find_recordings, read_speech
from mtbench.submissions.validation import load_submission, validate

torch = pytest.importorskip("torch")


class LoudnessEncoder:
    """Two features of speech a frame: how loud it is, and a constant."""

    name = "loudness"
    width = 2
    digest = "00" * 16
    module = None

    def prepare(self, audio):
        return audio

    def encode(self, audio, frames=None):
        s = 2 * -(-len(audio) // 640)
        padded = np.zeros(s * 320, np.float32)
        padded[: len(audio)] = audio
        level = np.sqrt(np.square(padded.reshape(s, 320)).mean(1))
        return torch.from_numpy(np.stack([level, np.ones_like(level)], 1).astype(np.float32))


def make_model(languages=("ita", "eng", "jpn"), topology="openhead-1", vertices=4801):
    from mtbench.reference_model.model import MultiTalk, Settings
    from mtbench.reference_model.reference import ReferenceModel

    settings = Settings(
        vertices=vertices, width=16, layers=1, heads=2, feedforward=16, codes=4, entries=8, code_size=4,
        decoder_layers=1, decoder_heads=2, decoder_feedforward=16, speech_width=2, languages=languages, scale=300.0,
        released=False,
    )  # fmt: skip
    torch.manual_seed(3)
    network = MultiTalk(settings).eval()
    torch.nn.init.normal_(network.map_codes.weight)
    return ReferenceModel(
        network=network, encoder=LoudnessEncoder(), name="tiny-talk", topology=topology, digest="ab" * 16
    )


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return load_benchmark(fakes.make_benchmark(tmp_path_factory.mktemp("bench") / "small"))


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "talk.wav"
    soundfile.write(path, 0.3 * np.sin(np.arange(8000) * 0.05), 16000)
    return path


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_a_file(model, wav, tmp_path):
    done = predict_file(model, wav, tmp_path / "out", "Italian")
    assert done.path == tmp_path / "out" / "talk.npz"
    assert done.notes == ()
    with np.load(done.path) as arrays:
        assert arrays.files == ["vertices"]
        vertices = arrays["vertices"]
    assert vertices.dtype == np.float32
    assert vertices.shape == (13, 4801, 3)
    assert done.frames == 13
    np.testing.assert_array_equal(vertices, done.vertices)
    # The face talked to is the topology's own, and the motion is about it.
    from mtbench.faces.head import load_head

    assert 0 < np.abs(vertices - load_head().topology.neutral).max() < 0.5
    again = predict_file(model, wav, tmp_path / "named.npz", "ita")
    assert again.path.read_bytes() == done.path.read_bytes()


def test_languages_and_faces_make_a_difference(model, wav, tmp_path):
    italian = predict_file(model, wav, tmp_path / "a", "Italian").vertices
    blend = predict_file(model, wav, tmp_path / "b", {"Italian": 0.5, "English": 0.5}).vertices
    assert np.abs(italian - blend).max() > 1e-6
    face = np.zeros((4801, 3), np.float32)
    moved = predict_file(model, wav, tmp_path / "c", "Italian", template=face).vertices
    from mtbench.faces.head import load_head

    np.testing.assert_allclose(moved + load_head().topology.neutral, italian, atol=1e-5)


def test_eight_kilohertz_stereo_is_converted_and_said(model, tmp_path):
    path = tmp_path / "phone.wav"
    t = np.arange(8000)
    soundfile.write(path, np.stack([0.3 * np.sin(t * 0.1), 0.1 * np.sin(t * 0.1)], 1), 8000)
    done = predict_file(model, path, tmp_path, "Italian")
    assert done.frames == 25
    assert done.notes == (
        "2 channels were averaged; expected mono",
        "resampled from 8000 to 16000 Hz; polyphase filter; there is nothing above 4 kHz in it",
    )
    assert done.audio.shape == (16000,)


def test_sound_beyond_full_scale_is_scaled_and_said(model, tmp_path):
    """Case 12-float-wav-16-bit-scale: lips move as for the same sound in range."""
    tone = 0.3 * np.sin(np.arange(8000) * 0.05)
    soundfile.write(tmp_path / "right.wav", tone, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "wide.wav", tone * 32768, 16000, subtype="FLOAT")
    right, wide = (predict_file(model, tmp_path / f"{n}.wav", tmp_path, "it") for n in ("right", "wide"))
    np.testing.assert_allclose(wide.vertices, right.vertices, atol=1e-5)
    assert right.notes == ()
    assert "divided by 32768" in wide.notes[0]


def test_sound_that_is_none(model, tmp_path):
    good = 0.1 * np.ones(3200, np.float32)
    bad = {"nan.wav": np.where(np.arange(3200) == 7, np.nan, good), "empty.wav": good[:0]}
    for name, sound in bad.items():
        soundfile.write(tmp_path / name, sound, 16000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("not a sound file")
    for name, words in (
        ("nan.wav", "NaN or infinite"),
        ("empty.wav", "without samples"),
        ("text.wav", "not a readable"),
    ):
        with pytest.raises(BenchmarkError, match=re.escape(str(tmp_path / name)) + ".*" + words):
            predict_file(model, tmp_path / name, tmp_path / "out", "Italian")
    with pytest.raises(UsageError, match="no such sound file"):
        read_speech(tmp_path / "absent.wav")
    soundfile.write(tmp_path / "still.wav", np.zeros(3200), 16000)
    assert read_speech(tmp_path / "still.wav")[1] == (
        "silent: all samples are equal; record it again, or remove the clip",
    )
    assert not (tmp_path / "out").exists()


def test_languages_must_be_known(model, wav, tmp_path):
    with pytest.raises(UsageError, match=r"'Hindi'; it knows Italian, English, Japanese"):
        predict_file(model, wav, tmp_path / "out", "Hindi")
    with pytest.raises(UsageError, match="name the language that is spoken"):
        predict_file(model, wav, tmp_path / "out", None)
    with pytest.raises(UsageError, match="sum"):
        predict_file(model, wav, tmp_path / "out", {"Italian": 0.5, "English": 0.3})
    assert not (tmp_path / "out").exists()


def test_a_model_without_languages(wav, tmp_path):
    mute = make_model(languages=())
    assert predict_file(mute, wav, tmp_path / "out", None).frames == 13
    with pytest.raises(UsageError, match="trained without languages"):
        predict_file(mute, wav, tmp_path / "out", "Italian")


def test_a_face_is_needed_where_the_topology_has_none(wav, tmp_path):
    odd = make_model(topology=None, vertices=10)
    with pytest.raises(PrerequisiteError, match="--template FILE"):
        predict_file(odd, wav, tmp_path / "out", "Italian")
    done = predict_file(odd, wav, tmp_path / "out", "Italian", template=np.zeros((10, 3), np.float32))
    assert done.vertices.shape == (13, 10, 3)
    with pytest.raises(UsageError, match="no topology known here"):
        write_video(done, odd)
    with pytest.raises(UsageError, match="no topology known here"):
        predict_benchmark(odd, "openhead-20", tmp_path / "submission")


def test_beyond_600_frames_goes_on_with_a_note(tmp_path):
    small = make_model(topology=None, vertices=4)
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(640 * 605) * 0.05), 16000)
    done = predict_file(small, path, tmp_path, "Italian", template=np.zeros((4, 3), np.float32))
    assert done.frames == 605
    assert len(done.notes) == 1
    assert "600" in done.notes[0]


def test_a_folder(model, wav, tmp_path):
    soundfile.write(tmp_path / "again.FLAC", 0.2 * np.ones(700), 16000)
    (tmp_path / "talk.txt").write_text("transcript")
    (tmp_path / ".hidden.wav").write_text("")
    done = list(predict_folder(model, tmp_path, tmp_path / "out", "Italian"))
    assert [d.path.name for d in done] == ["again.npz", "talk.npz"]
    assert [d.frames for d in done] == [2, 13]
    soundfile.write(tmp_path / "talk.ogg", 0.2 * np.ones(700), 16000)
    with pytest.raises(UsageError, match=r"talk\.ogg and talk\.wav would both become talk\.npz"):
        find_recordings(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds no recording; expected names that end in \.wav"):
        find_recordings(tmp_path / "empty")
    with pytest.raises(UsageError, match="no such folder"):
        find_recordings(tmp_path / "absent")


def test_a_bad_file_in_a_folder_costs_no_other(model, wav, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(700, np.nan, np.float32), 16000, subtype="FLOAT")
    (tmp_path / "b.wav").write_bytes(b"no sound")
    done = []
    with pytest.raises(UsageError, match=r"2 of 3 files .*\(1 done\):\n  - .*a\.wav.*\n  - .*b\.wav"):
        done.extend(p.path.name for p in predict_folder(model, tmp_path, tmp_path / "out", "Italian"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["talk.npz"]


def test_what_was_there_is_replaced_with_a_note(model, wav, tmp_path):
    for language, notes in (
        ("Italian", ()),
        ("Italian", ()),
        ("English", ("another talk.npz was there and was replaced",)),
    ):
        assert predict_file(model, wav, tmp_path / "out", language).notes == notes


def test_files_together_are_files_alone(model, tmp_path):
    """A folder is animated in batches, as fast as a benchmark, and each file as it is by itself."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        soundfile.write(sounds / f"{number:02}.wav", 0.1 * rng.normal(size=640 * (3 + number % 7)), 16000)
    done = list(predict_folder(model, sounds, tmp_path / "out", "Italian"))
    assert [d.frames for d in done] == sorted(d.frames for d in done)
    assert sorted(d.path.name for d in done) == [f"{number:02}.npz" for number in range(20)]
    for one in done[::6]:
        alone = predict_file(model, one.source, tmp_path / "alone", "Italian")
        np.testing.assert_allclose(alone.vertices, one.vertices, atol=1e-5)


def test_folders_in_the_folder_and_what_lies_among_its_files(model, wav, tmp_path):
    sounds = tmp_path / "sounds"
    for folder, name in (("Italian", "a"), ("English/day 1", "a"), (".trash", "b"), ("out/old", "c")):
        (sounds / folder).mkdir(parents=True)
        soundfile.write(sounds / folder / f"{name}.WAV", 0.1 * np.ones(1300), 16000, format="WAV")
    done = list(predict_folder(model, sounds, sounds / "out", None))
    made = sorted(d.path.relative_to(sounds / "out").as_posix() for d in done)
    assert made == ["English/day 1/a.npz", "Italian/a.npz"]
    # The video that was made of a sound, beside it, is not animated in its turn.
    (sounds / "Italian" / "a.mp4").write_bytes(b"made of a.WAV")
    again = {d.path.name: d for d in predict_folder(model, sounds / "Italian", sounds / "Italian", "it")}
    assert "a.mp4 was passed over: this sound has the same name" in again["a.npz"].notes


def test_languages_of_files(model, wav, tmp_path):
    """What a file's name or folder says; what the model lacks is refused, or mapped and said."""
    root = tmp_path / "sounds"
    (root / "ita").mkdir(parents=True)
    for name in ("English_1.wav", "Catalan_2.wav", "ita/talk.wav"):
        soundfile.write(root / name, 0.1 * np.sin(np.arange(1300)), 16000)
    assert find_language(root / "English_1.wav") == "eng"
    assert find_language(root / "ita" / "talk.wav", root) == "ita"
    with pytest.raises(UsageError, match="its name says eng, its folder ita"):
        find_language(root / "ita" / "English_talk.wav", root)
    with pytest.raises(UsageError, match="name the language that is spoken"):
        find_language(root / "it_was_late.wav", root)
    out = tmp_path / "out"
    with pytest.raises(
        UsageError, match=r"no language 'cat'; it knows Italian, English, Japanese.*--language-map cat="
    ):
        list(predict_folder(model, root, out))
    assert not out.exists()
    done = {d.source.name: d for d in predict_folder(model, root, out, instead={"Català": "Italiano"})}
    assert "Catalan is animated as Italian" in done["Catalan_2.wav"].notes
    assert done["English_1.wav"].notes == done["talk.wav"].notes == ()
    as_italian = predict_file(model, root / "Catalan_2.wav", tmp_path / "x", "Italian").vertices
    np.testing.assert_allclose(done["Catalan_2.wav"].vertices, as_italian, atol=1e-6)
    spare = predict_file(model, root / "Catalan_2.wav", tmp_path / "y", "zh-CN", fallback="en")
    assert spare.notes == ("Mandarin is animated as English",)
    # What is none of the twenty languages can be mapped, too.
    with pytest.raises(UsageError, match=r"no language 'Swedish'.*--language-map swe=English"):
        predict_file(model, wav, tmp_path / "z", "Swedish")
    far = predict_file(model, wav, tmp_path / "z", "Swedish", instead={"swe": "English"})
    assert far.notes == ("Swedish is animated as English",)
    with pytest.raises(UsageError, match=r"no language 'Swahili'.*say so: --language-fallback English"):
        predict_file(model, wav, tmp_path / "z", "Swahili")
    with pytest.raises(UsageError, match="no recording speaks Spanish, but English"):
        predict_file(model, root / "English_1.wav", tmp_path / "z", instead={"spa": "Italian"})
    with pytest.raises(UsageError, match="nothing to map"):
        predict_file(model, wav, tmp_path / "z", {"Italian": 1.0}, fallback="en")


def test_a_language_that_was_never_trained_on_is_refused(wav, bench, tmp_path):
    """An embedding that no clip has touched is noise: refused for files, benchmarks, blends, by index, or mapped."""
    import dataclasses

    part = dataclasses.replace(make_model(), training={"stage2": {"languages": ["eng", "ita"]}})
    assert part.languages == ("ita", "eng")
    face = np.zeros((4801, 3), np.float32)
    sound = soundfile.read(wav, dtype="float32")[0]
    for language in ("Japanese", "ja", 2, {"Italian": 0.5, "jpn": 0.5}):
        with pytest.raises(UsageError, match=r"never trained on Japanese, .* but on Italian, English"):
            part.predict(sound, face, language)
    assert part.predict(sound, face, {"Italian": 1.0, "Japanese": 0.0}).shape == (13, 4801, 3)
    with pytest.raises(UsageError, match=r"no language 'Japanese'; it knows Italian, English"):
        predict_file(part, wav, tmp_path / "a", "Japanese")
    with pytest.raises(
        UsageError, match=r"no embedding for 1 of the benchmark's .*Japanese. It knows Italian"
    ):
        predict_benchmark(part, bench, tmp_path / "b")
    with pytest.raises(UsageError, match="no language 'Japanese'; it knows Italian, English"):
        predict_benchmark(part, bench, tmp_path / "b", language="Japanese")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()
    done = predict_file(part, wav, tmp_path / "a", "Japanese", instead={"jpn": "English"})
    assert done.notes == ("Japanese is animated as English",)
    folder = predict_benchmark(part, bench, tmp_path / "b", instead={"jpn": "English"})
    assert "English for Japanese" in (folder / "submission.toml").read_text("utf-8")


def test_one_bad_clip_in_a_batch_costs_no_other(model, tmp_path, monkeypatch):
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for name in ("a", "b", "c"):
        soundfile.write(sounds / f"{name}.wav", 0.1 * np.ones(1300 if name != "b" else 1400), 16000)
    real = type(model.encoder).encode

    def refuse(self, audio, frames=None):
        if len(audio) == 1400:
            raise UsageError("cannot be heard")
        return real(self, audio, frames)

    monkeypatch.setattr(type(model.encoder), "encode", refuse)
    done = []
    with pytest.raises(UsageError, match=r"(?s)1 of 3 files.*\(2 done\).*b\.wav: cannot be heard"):
        done.extend(p.path.name for p in predict_folder(model, sounds, tmp_path / "out", "Italian"))
    assert sorted(done) == sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.npz", "c.npz"]


def test_the_sound_of_a_video(model, wav, tmp_path):
    pytest.importorskip("av")
    made = write_video(predict_file(model, wav, tmp_path, "Italian"), model, size=64)
    clip = made.rename(tmp_path / "Italian_film.MP4")
    done = predict_file(model, clip, tmp_path)
    assert done.path == tmp_path / "Italian_film.npz"
    assert 13 <= done.frames <= 15  # AAC fills its first and last packets
    assert np.abs(done.audio).max() > 0.1


def test_progress_is_told(model, wav, tmp_path):
    from mtbench.work.progress import Progress

    class Count(Progress):
        def __init__(self):
            super().__init__()
            self.told = []

        def stage(self, name, total, cached=0):
            import contextlib

            self.told.append([name, total, 0])

            @contextlib.contextmanager
            def count():
                def advance():
                    self.told[-1][2] += 1

                yield advance

            return count()

    progress = Count()
    predict_file(model, wav, tmp_path / "out", "Italian", progress=progress)
    assert progress.told == [["frames", 13, 13]]
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(UsageError, match="1 of 2 files"):
        list(predict_folder(model, tmp_path, tmp_path / "out", "Italian", progress=progress))
    assert progress.told[1:] == [["motion", 2, 2]]


def test_the_gate_is_part_of_what_a_submission_is(bench, tmp_path):
    import dataclasses

    gated = dataclasses.replace(make_model(), gate=True)
    folder = predict_benchmark(gated, bench, tmp_path / "a")
    notes = tomllib.loads((folder / "submission.toml").read_text("utf-8"))["generation"]["notes"]
    assert notes == "faces rest where nobody speaks (voice gate 1)"
    # The clips' tones are no speech.
    clip = bench.clips[0]
    still = load_submission(folder, bench).motion(clip.id).vertices
    np.testing.assert_array_equal(still, np.repeat(neutral_face(clip)[None], clip.frames, 0))
    with pytest.raises(UsageError, match="begun with another"):
        predict_benchmark(gated, bench, folder, gate=False)
    text = (predict_benchmark(gated, bench, tmp_path / "b", gate=False) / "submission.toml").read_text(
        "utf-8"
    )
    assert "rest where nobody" not in text


def test_video(model, wav, tmp_path):
    pytest.importorskip("av")
    done = predict_file(model, wav, tmp_path, "Italian")
    path = write_video(done, model, size=64)
    assert path == tmp_path / "talk.mp4"
    import av

    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 13
        assert container.streams.audio


def test_a_benchmark_becomes_a_submission(model, bench, tmp_path):
    folder = predict_benchmark(model, bench, tmp_path / "submission")
    assert validate(folder, bench) == []
    entry = load_submission(folder, bench)
    assert entry.system == "tiny-talk"
    assert (entry.topology, entry.kind, entry.benchmark_ref) == ("openhead-1", "vertices", "small@1")
    assert entry.manifest.generation.language_conditioning == "each clip's own language"
    assert entry.manifest.model.weights == "ab" * 16
    # The clip's speaker at rest, as other entries know it: all speakers move alike, faces differ.
    clip = bench.clips[1]
    motion = entry.motion(clip.id).vertices
    assert motion.shape == (clip.frames, 4801, 3)
    own = model.predict(clip.audio, neutral_face(clip), "ita", frames=clip.frames)
    np.testing.assert_allclose(motion, own, atol=1e-4)


def test_resumed_submissions_have_the_same_bytes(model, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(entry, "BATCH", 2)
    whole = predict_benchmark(model, bench, tmp_path / "whole")
    calls = []
    real = type(model).predict_many

    def stops(self, audios, *rest, **more):
        calls.append(len(audios))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, audios, *rest, **more)

    monkeypatch.setattr(type(model), "predict_many", stops)
    with pytest.raises(KeyboardInterrupt):
        predict_benchmark(model, bench, tmp_path / "part")
    assert not (tmp_path / "part" / "submission.toml").exists()
    assert len(list((tmp_path / "part" / "motion").iterdir())) == 2
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "part" / "motion").iterdir()}
    predict_benchmark(model, bench, tmp_path / "part")
    assert calls == [2, 2, 2, 2]
    assert contents(tmp_path / "part") == contents(whole)
    assert kept == {p: p.stat().st_mtime_ns for p in kept}
    # Nothing is left to do.
    predict_benchmark(model, bench, tmp_path / "part")
    assert len(calls) == 4
    # One file gone: its batch is made again, as it was.
    (tmp_path / "part" / "motion" / "eng-02.npz").unlink()
    predict_benchmark(model, bench, tmp_path / "part")
    assert len(calls) == 5
    assert contents(tmp_path / "part") == contents(whole)


def test_a_folder_is_not_taken_over(model, bench, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="did not write"):
        predict_benchmark(model, bench, tmp_path / "mine")
    folder = predict_benchmark(model, bench, tmp_path / "submission")
    before = contents(folder)
    with pytest.raises(UsageError, match="begun with another languages; give another folder"):
        predict_benchmark(model, bench, folder, language="English")
    with pytest.raises(UsageError, match="begun with another system; give another folder"):
        predict_benchmark(model, bench, folder, system="other")
    assert contents(folder) == before


def test_languages_of_a_benchmark(bench, tmp_path):
    few = make_model(languages=("Italian", "English"))
    with pytest.raises(UsageError, match=r"Japanese\. It knows Italian, English"):
        predict_benchmark(few, bench, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    folder = predict_benchmark(few, bench, tmp_path / "a", fallback="English", system='my "talk"')
    text = tomllib.loads((folder / "submission.toml").read_text("utf-8"))
    assert text["system"] == 'my "talk"'
    assert text["generation"]["language_conditioning"] == "each clip's own language; English for Japanese"
    folder = predict_benchmark(few, bench, tmp_path / "b", language="Italian")
    text = tomllib.loads((folder / "submission.toml").read_text("utf-8"))
    assert text["generation"]["language_conditioning"] == "Italian for every clip, whatever it speaks"


def test_a_benchmark_without_ground_truth_or_of_another_topology(model, tmp_path):
    bare = load_benchmark(fakes.make_benchmark(tmp_path / "bare", motion=False))
    folder = predict_benchmark(model, bare, tmp_path / "submission")
    assert validate(folder, bare) == []
