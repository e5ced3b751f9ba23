"""What is shown and heard of an utterance in training: other faces, other tempi, an ear's features."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mtbench.avsr.openhead import AudioVisualCTC, ModelConfig, OpenheadAV
from mtbench.avsr.openhead.batches import UNHEARD, collate, cut_batch
from mtbench.avsr.openhead.captured import vary_excerpt
from mtbench.avsr.openhead.objective import compute_loss
from mtbench.avsr.openhead.recognizer import find_bundled
from mtbench.avsr.openhead.training_data import REUSE_LAG, Batch, Utterance, maker_of
from mtbench.avsr.openhead.training_views import (
    AUDIBLE,
    DROWNED,
    LEAST_SHIFT,
    MOST_SHIFT,
    View,
    draw_views,
    show_face,
)
from mtbench.avsr.whisper import load_ear
from mtbench.banks.excerpts import Excerpt, fill_pauses
from mtbench.benchmarks import PhoneTime
from mtbench.errors import UsageError
from mtbench.work import Cache

ORDER = ("eng", "ita")


def utterance(frames, value, language="eng"):
    rng = np.random.default_rng(value)
    sound = (0.1 * rng.standard_normal(640 * frames)).astype(np.float32)
    crops = np.full((frames, 96, 96), value, np.uint8) + np.arange(frames, dtype=np.uint8)[:, None, None]
    return Utterance(crops, sound, np.array([1, 2]), np.zeros(2 * frames, np.int64), language)


@pytest.fixture
def batch():
    said = (utterance(30, 10), utterance(24, 90, "ita"))
    views = tuple(View(i, u.audio, True, True) for i, u in enumerate(said))
    still = np.full((30, 96, 96), 200, np.uint8)
    return Batch(3, said, views, (still, still + 20))


def faces(view):
    return show_face(view, [30, 24], 2, 30)


def test_each_face_is_the_one_that_is_named():
    view = View(1, np.zeros(0, np.float32), True, True)
    last = np.minimum(np.arange(30), 23)
    assert faces(view)[0] == 1
    assert np.array_equal(faces(view)[1], last)
    other, times = faces(replace(view, face="other", draw=0.99))
    assert (other, times.max()) == (0, 23)
    assert faces(replace(view, face="still", draw=0.4))[0] == 2
    assert faces(replace(view, face="still", draw=0.9))[0] == 3
    own, times = faces(replace(view, face="reversed"))
    assert own == 1
    assert np.array_equal(times[:24], np.arange(24)[::-1])
    # The longer of two faces is not read past the shorter one's end.
    assert faces(View(0, view.audio, True, True, "other", 0.0))[1].max() == 23


def test_shifts_go_both_ways_and_are_never_none():
    seen = set()
    for draw in np.linspace(0, 0.999, 200):
        own, times = faces(View(0, np.zeros(0, np.float32), True, True, "shifted", float(draw)))
        assert own == 0
        seen.add(int(times[15]) - 15)
    assert seen == {s * k for k in range(LEAST_SHIFT, MOST_SHIFT + 1) for s in (-1, 1)}


def test_an_utterance_alone_is_shown_a_face_that_does_not_move_for_want_of_another():
    view = View(0, np.zeros(0, np.float32), True, True, "other", 0.7)
    assert show_face(view, [30], 1, 30)[0] == 1


def test_faces_are_drawn_as_often_as_is_said():
    said = tuple(utterance(24, i) for i in range(8))
    rng = np.random.default_rng(0)
    views = [v for _ in range(300) for v in draw_views(rng, said)]
    first, second = views[::2], views[1::2]
    shares = Counter(v.face for v in first)
    for face, share in DROWNED.items():
        expected = 0.88 * share + 0.12 * AUDIBLE[face]
        assert shares[face] / len(first) == pytest.approx(expected, abs=0.025)
    heard = [v for v in second if v.keep_visual and v.keep_acoustic]
    shares = Counter(v.face for v in heard)
    for face, share in AUDIBLE.items():
        assert shares[face] / len(heard) == pytest.approx(share, abs=0.04)
    # A picture that has to do without sound is always the speaker's.
    assert {v.face for v in second if not v.keep_acoustic} == {"own"}


def test_the_network_is_shown_the_face_that_a_view_names(batch):
    """With an utterance's own face, and the other's, the loss is another; with the other's face in place it is not."""
    torch.manual_seed(0)
    sizes = {"width": 32, "heads": 2, "feedforward": 32, "layers": 2, "channels": (4, 6, 8, 12)}
    network = AudioVisualCTC(ModelConfig(4, 3, **sizes)).eval()
    x = collate(batch, 5, ORDER)
    assert x.face.tolist() == [0, 1]
    losses = {}
    for face in ("own", "other", "still"):
        views = tuple(replace(v, face=face) for v in batch.views)
        losses[face] = float(compute_loss(network, collate(replace(batch, views=views), 5, ORDER))[1][0])
    assert len({round(v, 6) for v in losses.values()}) == 3
    shown = network.encode_video(x.crops)[x.face[:, None], x.times]
    assert torch.equal(shown[1, 23], shown[1, 29])


def test_faces_that_do_not_move_teach_the_picture_no_phones(batch):
    x = collate(batch, 5, ORDER)
    assert x.crops.shape == (4, 30, 88, 88)
    assert (x.frames[2:] == -1).all()
    assert (x.frames[0] == 0).all()


def test_every_shard_has_a_face_that_does_not_move(batch):
    for part in cut_batch(batch, 2):
        assert len(part.stills) == 1
        assert len(part.utterances) == 1
    one = replace(batch, stills=batch.stills[:1])
    assert [len(part.stills) for part in cut_batch(one, 2)] == [1, 1]


def test_one_worker_makes_both_batches_of_a_set():
    for workers in (1, 2, 3, 4, 6, 12):
        for number in range(0, 200, 2):
            assert maker_of(number, workers) == maker_of(number + 2 * REUSE_LAG + 1, workers)
    assert {maker_of(n, 5) for n in range(20)} == set(range(5))


def test_an_ear_listens_to_what_is_heard_only(batch):
    ear = load_ear()
    deaf = replace(batch.views[1], keep_acoustic=False)
    x = collate(replace(batch, views=(batch.views[0], deaf)), 5, ORDER, 0, ear)
    assert x.sound.shape == (2, 30, 2 * ear.width)
    assert x.sound.dtype == torch.float16
    assert not x.sound[1].any()
    masked = float((x.sound[0] == 0).float().mean())
    assert UNHEARD - 0.02 < masked < UNHEARD + 6 / 30
    heard = torch.from_numpy(ear.hear(batch.views[0].audio)).view(30, -1)
    kept = x.sound[0] != 0
    cosine = torch.cosine_similarity(x.sound[0][kept].float(), heard[kept], 0)
    assert cosine > 0.998
    again = collate(replace(batch, views=(batch.views[0], deaf)), 5, ORDER, 0, ear)
    assert torch.equal(again.sound, x.sound)


def test_captured_speech_is_stretched_with_its_phones():
    rng = np.random.default_rng(1)
    sound = (0.1 * rng.standard_normal(640 * 50)).astype(np.float32)
    curves = np.tile(np.linspace(0, 0.5, 50, dtype=np.float32)[:, None], (1, 4))
    phones = fill_pauses([PhoneTime("a", 0.4, 1.0), PhoneTime("p", 1.0, 1.2, 1.1)], 2.0)
    excerpt = Excerpt("one", "eng", "one", curves, sound, phones)
    factors = set()
    for seed in range(30):
        other = vary_excerpt(excerpt, np.random.default_rng(seed))
        assert len(other.sound) == 640 * len(other.curves)
        factor = len(other.curves) / 50
        factors.add(round(factor, 1))
        assert [p.symbol for p in other.phones] == [p.symbol for p in phones]
        assert other.phones[1].start == pytest.approx(0.4 * factor, abs=0.02)
        assert other.phones[2].release == pytest.approx(1.1 * factor, abs=0.04)
        assert 0 <= other.curves.min() <= other.curves.max() <= 1
        # The motion still rises from its first to its last frame.
        assert (np.diff(other.curves[:, 0]) >= -1e-6).all()
        assert 0.25 < other.curves[-2:].max() < 0.85
    assert len(factors) > 2


class TestEarInTheRecognizer:
    """A recognizer with an ear: what it hears is the ear's, kept in a cache, and part of its digest."""

    @pytest.fixture(scope="class")
    def judge(self, tmp_path_factory):
        from mtbench.avsr.openhead import DecodingConfig, save_recognizer

        torch.manual_seed(1)
        sizes = {"width": 32, "heads": 2, "feedforward": 32, "layers": 2, "channels": (4, 6, 8, 12)}
        network = AudioVisualCTC(ModelConfig(4, 3, heard=512, **sizes))
        path = tmp_path_factory.mktemp("judge") / "openhead-av.safetensors"
        save_recognizer(path, network, ("a", "m", "p"), ORDER, DecodingConfig(), {}, load_ear().digest)
        return OpenheadAV.load(path), path

    def test_it_hears_with_the_ear(self, judge):
        recognizer, _ = judge
        sound = utterance(25, 3).audio
        heard = recognizer.ear.hear(sound).astype(np.float16).astype(np.float32)
        assert np.array_equal(recognizer.listen(sound).numpy(), heard.reshape(25, 1024))
        assert recognizer.log_probs(None, [sound], "eng")[0].shape == (50, 4)

    def test_what_was_heard_is_kept_and_found_again(self, judge, tmp_path, monkeypatch):
        from mtbench.avsr.whisper import Ear

        recognizer, _ = judge
        sound = utterance(25, 3).audio
        remembering = recognizer.remember_in(Cache(tmp_path))
        first = remembering.log_probs(None, [sound, sound[::-1].copy()], "eng")
        assert np.array_equal(first[0], recognizer.log_probs(None, [sound], "eng")[0])
        monkeypatch.setattr(Ear, "hear", lambda *_: pytest.fail("heard twice"))
        again = recognizer.remember_in(Cache(tmp_path)).log_probs(None, [sound], "eng")
        assert np.array_equal(first[0], again[0])
        assert [s.entries for s in Cache(tmp_path).sizes() if s.stage == "heard"] == [2]

    def test_another_ear_is_refused(self, judge, tmp_path):
        _, path = judge
        other = tmp_path / path.name
        other.write_bytes(path.read_bytes())
        text = path.with_suffix(".json").read_text("utf-8")
        other.with_suffix(".json").write_text(text.replace(load_ear().digest, "0" * 32), "utf-8")
        with pytest.raises(UsageError, match="trained with the ear 0000"):
            OpenheadAV.load(other)


def test_eyes_of_a_network_with_another_ear_are_taken_on(tmp_path):
    from mtbench.avsr.openhead.recipe import _load_initial

    own = load_file(find_bundled("1"))
    network = AudioVisualCTC(ModelConfig(72, 21, heard=512))
    drawn = {k: v.clone() for k, v in network.acoustic.state_dict().items()}
    _load_initial(find_bundled("1"), network)
    assert torch.equal(network.visual.project.weight, own["visual.project.weight"].float())
    assert torch.equal(network.output.weight, own["output.weight"].float())
    assert all(torch.equal(v, drawn[k]) for k, v in network.acoustic.state_dict().items())
    with pytest.raises(UsageError, match="another network"):
        _load_initial(find_bundled("1"), AudioVisualCTC(ModelConfig(72, 21, width=64)))
