"""Training data in the released MultiTalk layout and in VOCASET's."""

import logging
import os
import pickle
from pathlib import Path

import factories
import numpy as np
import pytest
import soundfile

from mtbench.errors import UsageError
from mtbench.reference_model.corpora.layouts import VOCASET_HELD_OUT, MultiTalkCorpus, VocasetCorpus

FACE = factories.face()
SUBJECT = "FaceTalk_170725_00137_TA"


def save_templates(root: Path, **faces: object) -> None:
    (root / "templates.pkl").write_bytes(pickle.dumps(faces, 2))


def say(root: Path, stem: str, seconds: float, rate: int = 16000, channels: int = 1) -> None:
    tone = 0.3 * np.sin(np.arange(round(seconds * rate)) * 800 / rate)
    soundfile.write(root / "wav" / f"{stem}.wav", np.stack([tone] * channels, 1), rate)


def make_multitalk(root: Path, **clips: int) -> Path:
    (root / "wav").mkdir(parents=True)
    (root / "npy").mkdir()
    save_templates(root, id=FACE)
    for seed, (stem, frames) in enumerate(clips.items()):
        say(root, stem, frames / 25)
        np.savez(root / "npy" / f"{stem}.npz", verts=factories.talk(frames, seed=seed))
    return root


def ramp(frames: int, fps: float) -> np.ndarray:
    """(S, 15069): the face rises by 1 mm a second; frame s is seen in the middle of its time."""
    time = (np.arange(frames) + 0.5) / fps
    return (FACE + time[:, None, None] * np.array([0, 1e-3, 0])).reshape(frames, -1).astype(np.float32)


def make_vocaset(root: Path, stored: int = 90, subjects: tuple[str, ...] = (SUBJECT,)) -> Path:
    (root / "wav").mkdir(parents=True)
    (root / "vertices_npy").mkdir()
    save_templates(root, **{s: FACE.astype(np.float64) for s in subjects})
    for subject in subjects:
        say(root, f"{subject}_sentence01", stored / 60, rate=22050)
        np.save(root / "vertices_npy" / f"{subject}_sentence01.npy", ramp(stored, 60))
    return root


@pytest.fixture
def multitalk(tmp_path):
    return make_multitalk(tmp_path / "data", Italian_b=10, English_a=7, Greek_c=9)


def test_multitalk_layout(multitalk):
    corpus = MultiTalkCorpus(multitalk)
    assert corpus.ids == ("English_a", "Greek_c", "Italian_b")
    assert corpus.language_of == ("eng", "ell", "ita")
    assert corpus.languages == ("ell", "eng", "ita")
    assert (corpus.topology, len(corpus), corpus.left_out) == ("flame-5023", 3, {})
    assert corpus.lengths.tolist() == [7, 9, 10]
    assert corpus.lengths.dtype == np.int64
    truth = factories.talk(7, seed=1) - FACE
    motion = corpus.displacement(0)
    assert motion.dtype == np.float32
    np.testing.assert_array_equal(motion, truth.reshape(7, -1))
    np.testing.assert_array_equal(corpus.template(0), FACE)
    assert corpus.audio(0).shape == (7 * 640,)
    assert corpus.audio(0).dtype == np.float32


def test_lengths_come_from_headers_alone(multitalk, monkeypatch):
    from mtbench.files.arrays import ArrayFile

    monkeypatch.setattr(ArrayFile, "read", lambda *a: pytest.fail("values were read"))
    assert MultiTalkCorpus(multitalk).lengths.tolist() == [7, 9, 10]


def test_training_list_decides(multitalk):
    (multitalk / "train.txt").write_text("Italian_b.wav\nEnglish_a\n\n")
    corpus = MultiTalkCorpus(multitalk)
    assert corpus.ids == ("English_a", "Italian_b")
    assert corpus.left_out == {}
    (multitalk / "train.txt").write_text("# nothing\n")
    with pytest.raises(UsageError, match=r"train\.txt: names no clip"):
        MultiTalkCorpus(multitalk)


def test_what_is_held_out_is_never_trained_on(multitalk):
    (multitalk / "test.txt").write_text("Italian_b.wav\n")
    corpus = MultiTalkCorpus(multitalk)
    assert corpus.ids == ("English_a", "Greek_c")
    assert corpus.left_out == {"Italian_b": "held out by test.txt"}
    (multitalk / "val.txt").write_text("Greek_c.wav\nEnglish_a.wav\n")
    (multitalk / "train.txt").write_text("English_a.wav\nGreek_c.wav\n")
    with pytest.raises(UsageError, match=r"English_a is in train\.txt and in val\.txt, as are 1 more"):
        MultiTalkCorpus(multitalk)


SPELLINGS = [
    "Italian_b", "Italian_b.npy", "Italian_b.npz", "Italian_b.wav", "Italian_b.wav.wav", "Italian_b.WAV",
    "italian_B.Npz", "wav/Italian_b.wav", "./wav/Italian_b.wav", "/home/me/data/npy/Italian_b.npz",
    "vertices_npy/Italian_b.npy", "wav\\Italian_b.wav", "C:\\data\\npy\\Italian_b.npz", "  Italian_b.wav \t",
    '"Italian_b.wav"', "'wav/Italian_b'", "Italian_b.wav,Italian,3.2", "Italian_b\t120", "Italian_b.wav 120",
    "wav/Italian_b.wav,npy/Italian_b.npz", "Italian_b|ciao", "Italian/b.wav", "# test clips\nItalian_b",
    "filename,language\nItalian_b.wav,it", "\ufeffItalian_b.wav", "Italian_b.wav\r\n\r\n", "\rItalian_b\r",
]  # fmt: skip


@pytest.mark.parametrize("name", ["test.txt", "val.txt"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_held_out_in_every_spelling(multitalk, name, spelling):
    """Case 03-held-out-list-leak: names with other endings, folders, quotes and columns hold clips out."""
    (multitalk / name).write_bytes((spelling if "\n" in spelling else spelling + "\n").encode())
    corpus = MultiTalkCorpus(multitalk)
    assert corpus.ids == ("English_a", "Greek_c")
    assert corpus.left_out == {"Italian_b": f"held out by {name}"}


@pytest.mark.parametrize("spelling", SPELLINGS[:20])
def test_training_list_in_every_spelling(multitalk, spelling):
    (multitalk / "train.txt").write_text(spelling + "\n", "utf-8")
    assert MultiTalkCorpus(multitalk).ids == ("Italian_b",)


@pytest.mark.parametrize(
    "name",
    ["Test.TXT", "valid.txt", "validation.txt", "dev.txt", "eval.csv", "test.csv", "val.tsv", "test.lst"],
)
def test_lists_under_the_fields_other_names(multitalk, name):
    (multitalk / name).write_text("Italian_b.wav,x\n")
    assert MultiTalkCorpus(multitalk).ids == ("English_a", "Greek_c")


def test_several_names_on_a_line_and_utf_16(multitalk):
    (multitalk / "test.txt").write_bytes("Italian_b.wav, Greek_c.npz\r\n".encode("utf-16"))
    assert MultiTalkCorpus(multitalk).ids == ("English_a",)
    (multitalk / "test.txt").write_text("Italian_b Greek_c\n")
    assert MultiTalkCorpus(multitalk).ids == ("English_a",)


@pytest.mark.parametrize("line", ["Italian_b Greek_c English_q", "Italian_b, Greek_c, Englsh_a"])
def test_a_misspelt_name_among_others_on_a_line_stops_the_opening(multitalk, line):
    """Case 03-held-out-list-leak, its kind: the third name held nothing out."""
    (multitalk / "test.txt").write_text(line + "\n")
    with pytest.raises(UsageError, match="that no clip here has"):
        MultiTalkCorpus(multitalk)


def test_composed_and_decomposed_names_are_the_same(tmp_path):
    import unicodedata

    root = make_multitalk(tmp_path / "data", English_a=7)
    composed = "Italian_caffè"
    say(root, unicodedata.normalize("NFD", composed), 0.4)
    np.savez(root / "npy" / f"{unicodedata.normalize('NFC', composed)}.npz", verts=factories.talk(10))
    assert MultiTalkCorpus(root).ids == ("English_a", composed)
    for form in ("NFC", "NFD"):
        (root / "test.txt").write_text(unicodedata.normalize(form, composed) + ".wav\n", "utf-8")
        assert MultiTalkCorpus(root).ids == ("English_a",)


@pytest.mark.parametrize("name", ["train.txt", "test.txt", "val.txt"])
def test_a_name_that_no_clip_has_stops_the_opening(multitalk, name):
    """Case 03-held-out-list-leak: a misspelt name holds nothing out, and says so."""
    (multitalk / name).write_text("English_a\nItalan_b.wav\nwav/Greek_gone.wav\n")
    with pytest.raises(UsageError) as caught:
        MultiTalkCorpus(multitalk)
    text = str(caught.value)
    assert f"{name}: 2 name(s) that no clip here has" in text
    assert "Italan_b.wav (near: Italian_b)" in text
    assert "wav/Greek_gone.wav" in text


def test_lists_that_cannot_be_read(multitalk):
    (multitalk / "test.txt").mkdir()
    with pytest.raises(UsageError, match=r"test\.txt: no file that can be read"):
        MultiTalkCorpus(multitalk)
    (multitalk / "test.txt").rmdir()
    (multitalk / "test.txt").symlink_to("nowhere.txt")
    with pytest.raises(UsageError, match=r"test\.txt: no file that can be read"):
        MultiTalkCorpus(multitalk)
    (multitalk / "test.txt").unlink()
    (multitalk / "test.txt").write_bytes(b"Italian_b\xe9\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        MultiTalkCorpus(multitalk)


def test_names_that_differ_in_case_only_must_be_exact(multitalk):
    say(multitalk, "Italian_B", 0.4)
    np.savez(multitalk / "npy" / "Italian_B.npz", verts=factories.talk(10))
    (multitalk / "test.txt").write_text("Italian_B.wav\n")
    assert MultiTalkCorpus(multitalk).ids == ("English_a", "Greek_c", "Italian_b")
    (multitalk / "test.txt").write_text("ITALIAN_B.wav\n")
    with pytest.raises(UsageError, match="no clip here has"):
        MultiTalkCorpus(multitalk)


def test_endings_of_files_in_any_case(multitalk):
    (multitalk / "wav" / "Italian_b.wav").rename(multitalk / "wav" / "Italian_b.WAV")
    (multitalk / "npy" / "Greek_c.npz").rename(multitalk / "npy" / "Greek_c.wav.NPZ")
    assert MultiTalkCorpus(multitalk).ids == ("English_a", "Greek_c", "Italian_b")
    say(multitalk, "Italian_b", 0.4)
    with pytest.raises(UsageError, match=r"Italian_b\.WAV and Italian_b\.wav are the same clip"):
        MultiTalkCorpus(multitalk)


def test_held_out_clips_reach_no_training_batch(tmp_path):
    """Case 03-held-out-list-leak, as training sees it: neither batches nor its own validation hold the clip."""
    from mtbench.reference_model.corpora.corpus import open_corpus
    from mtbench.reference_model.model import Settings
    from mtbench.reference_model.training.training_set import TrainingSet

    multitalk = make_multitalk(tmp_path / "data", Italian_b=10, English_a=8, Greek_c=9)
    (multitalk / "test.txt").write_text("npy\\Italian_b.NPZ\r\n")
    corpus = open_corpus(multitalk)
    assert len(corpus) == len(corpus.lengths) == len(corpus.language_of) == 2
    assert corpus.languages == ("ell", "eng")
    data = TrainingSet(corpus, Settings(), multitalk / "store", np.zeros((0, 15069), np.float32))
    assert {corpus.ids[i] for i in [*data.training, *data.validation]} == {"English_a", "Greek_c"}
    before = corpus.digest
    (multitalk / "test.txt").unlink()
    assert open_corpus(multitalk).digest != before


def test_a_language_that_is_unknown_stops_the_opening(multitalk):
    say(multitalk, "Klingon_x", 0.4)
    np.savez(multitalk / "npy" / "Klingon_x.npz", verts=factories.talk(10))
    with pytest.raises(UsageError, match=r"(?s)1 clip\(s\) in a language that is none.*Klingon_x.*'Klingon'"):
        MultiTalkCorpus(multitalk)
    (multitalk / "train.txt").write_text("Italian_b\nGreek_c\n")
    assert MultiTalkCorpus(multitalk).ids == ("Greek_c", "Italian_b")
    (multitalk / "train.txt").unlink()
    (multitalk / "test.txt").write_text("Klingon_x\n")
    assert len(MultiTalkCorpus(multitalk)) == 3


def test_odd_files_are_left_out_and_named(multitalk, caplog):
    say(multitalk, "English_alone", 0.4)
    np.savez(multitalk / "npy" / "Greek_silent.npz", verts=factories.talk(5))
    for stem, array in {
        "English_key": {"vertices": factories.talk(10)},
        "English_size": {"verts": np.zeros((10, 5022, 3), np.float32)},
        "English_whole": {"verts": np.zeros((10, 5023, 3), np.int32)},
        "English_long": {"verts": factories.talk(30)},
    }.items():
        say(multitalk, stem, 0.4)
        np.savez(multitalk / "npy" / f"{stem}.npz", **array)
    say(multitalk, "English_cut", 0.4)
    whole = (multitalk / "npy" / "English_a.npz").read_bytes()
    (multitalk / "npy" / "English_cut.npz").write_bytes(whole[:5000])
    say(multitalk, "English_noise", 0.4)
    (multitalk / "wav" / "English_noise.wav").write_bytes(b"no sound")
    np.savez(multitalk / "npy" / "English_noise.npz", verts=factories.talk(10))
    with caplog.at_level(logging.WARNING):
        corpus = MultiTalkCorpus(multitalk)
    assert len(corpus) == 3
    reasons = {
        "English_alone": "no npy/English_alone.npz",
        "Greek_silent": "no wav/Greek_silent.wav",
        "English_key": "expected 'verts'",
        "English_size": "(10, 5022, 3)",
        "English_whole": "int32",
        "English_long": "0.40 s of sound beside 1.20 s of motion",
        "English_cut": "",
        "English_noise": "not a readable sound file",
    }
    assert corpus.left_out.keys() == reasons.keys()
    for stem, reason in reasons.items():
        assert reason in corpus.left_out[stem]
    assert "8 of 11 clips are left out" in caplog.text
    assert "English_alone" in caplog.text


def test_a_false_header_allocates_nothing(multitalk):
    import io
    import tracemalloc

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 5023, 3)}
    )
    import zipfile

    with zipfile.ZipFile(multitalk / "npy" / "English_a.npz", "w") as archive:
        archive.writestr("verts.npy", header.getvalue() + b"\0" * 100)
    tracemalloc.start()
    corpus = MultiTalkCorpus(multitalk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    assert "English_a" in corpus.left_out


def test_clips_beyond_two_minutes_are_left_out(multitalk):
    say(multitalk, "English_hours", 3001 / 25)
    np.savez_compressed(multitalk / "npy" / "English_hours.npz", verts=np.zeros((3001, 5023, 3), np.float16))
    corpus = MultiTalkCorpus(multitalk)
    assert "3001 frames" in corpus.left_out["English_hours"]


def test_values_are_checked_as_they_are_read(multitalk):
    bad = factories.talk(7, seed=1)
    bad[3, 5, 1] = np.nan
    np.savez(multitalk / "npy" / "English_a.npz", verts=bad)
    np.savez(multitalk / "npy" / "Greek_c.npz", verts=1000 * factories.talk(9))
    corpus = MultiTalkCorpus(multitalk)
    with pytest.raises(UsageError, match=r"English_a\.npz: holds NaN"):
        corpus.displacement(0)
    with pytest.raises(UsageError, match=r"Greek_c\.npz.*m from the resting face.*millimetres"):
        corpus.displacement(1)
    np.savez(multitalk / "npy" / "Italian_b.npz", verts=factories.talk(9))
    with pytest.raises(UsageError, match="has 9 frames, had 10"):
        corpus.displacement(2)
    (multitalk / "npy" / "Italian_b.npz").unlink()
    with pytest.raises(UsageError, match=r"Italian_b\.npz"):
        corpus.displacement(2)


def test_sound_is_brought_to_16_khz_mono_and_to_the_motion(multitalk):
    say(multitalk, "English_a", 7 / 25 + 0.1, rate=8000, channels=2)
    say(multitalk, "Greek_c", 9 / 25 - 0.1, rate=44100)
    corpus = MultiTalkCorpus(multitalk)
    assert corpus.audio(0).shape == (7 * 640,)
    sound = corpus.audio(1)
    assert sound.shape == (9 * 640,)
    assert (sound[-1000:] == 0).all()


def test_folders_and_templates_that_cannot_be_used(multitalk, tmp_path):
    with pytest.raises(UsageError, match="no folder wav/"):
        MultiTalkCorpus(tmp_path)
    for faces, message in (
        ({"other": FACE}, "no resting face for id"),
        ({"id": FACE[:100]}, r"shape \(100, 3\)"),
        ({"id": 1000 * FACE}, "m across"),
        ({"id": np.full((5023, 3), np.nan)}, "m across"),
    ):
        save_templates(multitalk, **faces)
        with pytest.raises(UsageError, match=message):
            MultiTalkCorpus(multitalk)
    (multitalk / "templates.pkl").unlink()
    with pytest.raises(UsageError, match="resting faces"):
        MultiTalkCorpus(multitalk)


class Trap:
    def __reduce__(self):
        return os.system, ("touch trapped",)


def test_a_pickle_that_runs_something_is_refused(multitalk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_templates(multitalk, id=Trap())
    with pytest.raises(UsageError, match=r"templates\.pkl"):
        MultiTalkCorpus(multitalk)
    assert not (tmp_path / "trapped").exists()


def test_nothing_usable_is_an_error_with_reasons(multitalk):
    for path in (multitalk / "npy").iterdir():
        path.unlink()
    with pytest.raises(UsageError, match=r"(?s)no clip can be used.*English_a: there is no npy"):
        MultiTalkCorpus(multitalk)


def test_digest_follows_the_contents(multitalk):
    before = MultiTalkCorpus(multitalk).digest
    assert MultiTalkCorpus(multitalk).digest == before
    np.savez(multitalk / "npy" / "English_a.npz", verts=factories.talk(7, seed=77))
    assert MultiTalkCorpus(multitalk).digest != before


def test_vocaset_layout(tmp_path):
    corpus = VocasetCorpus(make_vocaset(tmp_path / "voca"))
    assert corpus.ids == (f"{SUBJECT}_sentence01",)
    assert (corpus.languages, corpus.language_of) == (("eng",), ("eng",))
    assert corpus.lengths.tolist() == [37]
    motion = corpus.displacement(0)
    assert motion.shape == (37, 15069)
    assert motion.dtype == np.float32
    # Interpolation in time takes the ramp at 60 fps to the ramp at 25 fps.
    np.testing.assert_allclose(motion, ramp(37, 25) - FACE.reshape(1, -1), atol=1e-7)
    assert corpus.audio(0).shape == (37 * 640,)


@pytest.mark.parametrize("stored", [3, 4, 5, 12, 61, 119, 240])
def test_vocaset_never_asks_for_frames_outside(tmp_path, stored):
    corpus = VocasetCorpus(make_vocaset(tmp_path / "voca", stored))
    frames = stored * 25 // 60
    np.testing.assert_allclose(corpus.displacement(0), ramp(frames, 25) - FACE.reshape(1, -1), atol=1e-7)


def test_vocaset_keeps_its_test_subjects_apart(tmp_path):
    root = make_vocaset(tmp_path / "voca", subjects=(SUBJECT, VOCASET_HELD_OUT[2]))
    corpus = VocasetCorpus(root)
    assert corpus.ids == (f"{SUBJECT}_sentence01",)
    assert "for validation and test" in corpus.left_out[f"{VOCASET_HELD_OUT[2]}_sentence01"]
    (root / "train.txt").write_text(f"{VOCASET_HELD_OUT[2]}_sentence01.wav\n")
    assert VocasetCorpus(root).ids == (f"{VOCASET_HELD_OUT[2]}_sentence01",)


def test_vocaset_lists_name_clips_and_subjects(tmp_path):
    """Case 03-held-out-list-leak: VOCASET's own ending, and splits by subject."""
    other = "FaceTalk_170728_03272_TA"
    root = make_vocaset(tmp_path / "voca", subjects=(SUBJECT, other))
    for line in (
        f"{other}_sentence01.npy", f"vertices_npy/{other}_sentence01.npy", f"{other}/sentence01.wav", other,
        f"{other}\t1", f'"{other}"',
    ):  # fmt: skip
        (root / "test.txt").write_text(line + "\n")
        corpus = VocasetCorpus(root)
        assert corpus.ids == (f"{SUBJECT}_sentence01",)
        assert corpus.left_out == {f"{other}_sentence01": "held out by test.txt"}
    (root / "test.txt").write_text(f"{other} {SUBJECT}\n")
    with pytest.raises(UsageError, match="held out by test"):
        VocasetCorpus(root)
    (root / "test.txt").write_text("FaceTalk_170809_00138_TB\n")
    with pytest.raises(UsageError, match=r"FaceTalk_170809_00138_TB"):
        VocasetCorpus(root)
    (root / "test.txt").unlink()
    (root / "train.txt").write_text(other + "\n")
    assert VocasetCorpus(root).ids == (f"{other}_sentence01",)
    (root / "val.txt").write_text(f"{other}_sentence01\n")
    with pytest.raises(UsageError, match=r"in train\.txt and in val\.txt"):
        VocasetCorpus(root)


def test_vocaset_at_half_the_rate_is_named(tmp_path):
    root = make_vocaset(tmp_path / "voca")
    path = root / "vertices_npy" / f"{SUBJECT}_sentence01.npy"
    np.save(path, np.load(path)[::2])
    with pytest.raises(UsageError, match="perhaps another frame rate"):
        VocasetCorpus(root)


def test_open_corpus_tells_layouts_apart(multitalk, tmp_path):
    from mtbench.reference_model.corpora.corpus import open_corpus

    assert isinstance(open_corpus(multitalk), MultiTalkCorpus)
    assert isinstance(open_corpus(make_vocaset(tmp_path / "voca")), VocasetCorpus)


def test_a_generated_corpus_takes_no_lists(tmp_path):
    """Case 03-held-out-list-leak: a list where none is read would hold nothing out."""
    from mtbench.reference_model.corpora.corpus import open_corpus

    (tmp_path / "corpus.json").write_text("{}")
    (tmp_path / "test.txt").write_text("eng-000001\n")
    with pytest.raises(UsageError, match=r"test\.txt: a generated corpus has no lists"):
        open_corpus(tmp_path)
