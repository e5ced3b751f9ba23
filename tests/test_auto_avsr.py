"""Auto-AVSR and ViSpeR on ESPnet: the originals' numbers, and files of every form."""

import contextlib
import dataclasses
import json
import logging
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

from mtbench.avsr import Recognizer, Reference
from mtbench.avsr.auto_avsr import AutoAVSRRecognizer, load_auto_avsr, normalize_mouths, normalize_sound
from mtbench.avsr.auto_avsr.units import Units, read_units
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.extras import has_module
from mtbench.work import Cache

torch = pytest.importorskip("torch")

from golden_weights import make_weights  # noqa: E402

from mtbench.avsr.auto_avsr.checkpoints import read_network_tensors, read_settings  # noqa: E402
from mtbench.avsr.auto_avsr.sizes import (  # noqa: E402
    DecoderSizes,
    NetworkSizes,
    StreamSizes,
    measure_network,
)

FRONT_END, ENCODER, LOG_PROBABILITY, SCORE = 5e-6, 1e-5, 3e-5, 3e-4
needs_espnet = pytest.mark.skipif(
    not has_module("espnet2"), reason="ESPnet is not installed here; make test-espnet runs this"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("auto_avsr")


class Golden:
    """A fixture of the originals, its weights in a file, and the model that reads it."""

    def __init__(self, golden, folder):
        self.folder = golden
        self.config, self.tensors = make_weights(golden)
        self.path = folder / f"{golden.name}.pth"
        torch.save(self.tensors, self.path)
        self.io = np.load(golden / "io.npz")
        self.results = json.loads((golden / "beams.json").read_text("utf-8"))["results"]

    def show(self, clip):
        """Arguments of ``encode``."""
        video = self.io.get(f"clip{clip}_video")
        if video is None:
            video = normalize_mouths(self.io[f"clip{clip}_rgb"])
        return {"video": video, "audio": self.io[f"clip{clip}_pcm16"].astype(np.float32) / 32768}


@pytest.fixture(scope="module")
def auto_avsr(shared, folder):
    golden = Golden(shared / "golden" / "auto_avsr_a", folder)
    golden.pieces = json.loads((golden.folder / "beams.json").read_text("utf-8"))["token_list"]
    golden.model = load_auto_avsr(golden.path, config=golden.config, tokens=golden.pieces)
    return golden


@pytest.fixture(scope="module")
def visper(shared, folder):
    golden = Golden(shared / "golden" / "visper_a", folder)
    lightning = {f"model.{name}": tensor for name, tensor in golden.tensors.items()}
    lightning["beam_search.nn_dict.decoder.output_layer.bias"] = torch.zeros(3)
    torch.save({"epoch": 3, "state_dict": lightning, "callbacks": {}}, golden.path)
    settings = folder / "resnet_conformer.yaml"
    settings.write_text("".join(f"{name}: {value}\n" for name, value in golden.config.items()))
    names = {"tokens": "unigram_units.txt", "tokenizer": "unigram.model"}
    golden.files = {name: golden.folder / file for name, file in names.items()}
    golden.model = load_auto_avsr(golden.path, config=settings, **golden.files)
    return golden


def distance(found, wanted):
    return np.abs(np.asarray(found) - wanted).max()


def check_network(golden, clip):
    model, io, shown = golden.model, golden.io, golden.show(clip)
    many = model.units.many_languages
    sound = normalize_sound(shown["audio"], len(shown["video"]), cut_first=not many)
    assert np.array_equal(sound, io[f"clip{clip}_audio_normalised"])
    for name, stream, given in (
        ("video", model.network.encoder, shown["video"]),
        ("audio", model.network.aux_encoder, sound),
    ):
        given = torch.from_numpy(given)[None]
        assert distance(stream.frontend(given)[0], io[f"clip{clip}_{name}_frontend"]) <= FRONT_END
        assert distance(stream(given)[0], io[f"clip{clip}_{name}_encoder"]) <= ENCODER
    encoded = model.encode(**shown)
    assert distance(encoded, io[f"clip{clip}_fused"]) <= ENCODER
    assert distance(model.ctc_log_probs(encoded), io[f"clip{clip}_ctc_logp"]) <= LOG_PROBABILITY
    said = model.decoder_log_probs(encoded, io[f"clip{clip}_prev"])
    assert distance(said, io[f"clip{clip}_decoder_logp"]) <= LOG_PROBABILITY


def check_search(model, encoded, key, wanted, language=None):
    """Every hypothesis as stored: tokens, score, and the parts of the score."""
    from mtbench.avsr.auto_avsr.search import SearchSettings, search_beams

    beam, weight = int(re.search(r"\|beam(\d+)", key)[1]), float(re.search(r"\|ctc([\d.]+)", key)[1])
    bonus = re.search(r"\|length_bonus([\d.]+)", key)
    bonus = float(bonus[1]) if bonus else 0.0
    found = model.search(encoded, beam, weight, bonus, language)[:5]
    assert [tokens for tokens, _ in found] == [h["yseq"] for h in wanted], key
    assert [score for _, score in found] == pytest.approx([h["score"] for h in wanted], abs=SCORE), key
    settings = SearchSettings(beam, weight, bonus)
    parts = search_beams(model.network, encoded, model.units.start(language), settings)[:5]
    for one, want in zip(parts, wanted, strict=True):
        assert one.parts == pytest.approx(want["scores"], abs=SCORE), key
    return found


@needs_espnet
@pytest.mark.parametrize("clip", [0, 1])
def test_the_network_of_auto_avsr(auto_avsr, clip):
    check_network(auto_avsr, clip)


@needs_espnet
@pytest.mark.parametrize("clip", [0, 1])
def test_the_search_of_auto_avsr(auto_avsr, clip):
    encoded = auto_avsr.model.encode(**auto_avsr.show(clip))
    keys = [key for key in auto_avsr.results if key.startswith(f"clip{clip}|")]
    assert len(keys) == 6
    for key in keys:
        check_search(auto_avsr.model, encoded, key, auto_avsr.results[key])


@needs_espnet
@pytest.mark.parametrize("clip", [0, 1])
def test_the_network_of_visper(visper, clip):
    frames = visper.show(clip)["video"][[0, 5]]
    assert np.array_equal(frames, visper.io[f"clip{clip}_video_frames_0_5"])
    check_network(visper, clip)


@needs_espnet
@pytest.mark.parametrize("clip", [0, 1])
def test_the_search_and_the_text_of_visper(visper, clip):
    """With the clip's language, with others, and with none."""
    model, io = visper.model, visper.io
    encoded = model.encode(**visper.show(clip))
    keys = [key for key in visper.results if key.startswith(f"clip{clip}|av|")]
    assert len(keys) == 11
    for key in keys:
        *_, told = key.split("|")
        number = int(told.removeprefix("language") or io[f"clip{clip}_language"]) if told[0] == "l" else None
        language = None if number is None else model.units.pieces[number]
        found = check_search(model, encoded, key, visper.results[key], language)
        texts = [model.detokenize(tokens, language) for tokens, _ in found]
        assert texts == [h["text"] for h in visper.results[key]], key


@needs_espnet
@pytest.mark.parametrize("clip", [0, 1])
def test_visper_without_sound(visper, folder, clip):
    own = ("encoder.", "decoder.", "ctc.")
    path = folder / "vsr.pth"
    torch.save({name: t for name, t in visper.tensors.items() if name.startswith(own)}, path)
    model = load_auto_avsr(path, config=visper.config, **visper.files)
    video = visper.show(clip)["video"]
    encoded = model.encode(video=video)
    assert distance(model.ctc_log_probs(encoded), visper.io[f"clip{clip}_video_only_ctc_logp"]) <= 3e-5
    said = model.decoder_log_probs(encoded, visper.io[f"clip{clip}_prev"])
    assert distance(said, visper.io[f"clip{clip}_video_only_decoder_logp"]) <= LOG_PROBABILITY
    (key,) = [key for key in visper.results if key.startswith(f"clip{clip}|v|")]
    check_search(model, encoded, key, visper.results[key], int(visper.io[f"clip{clip}_language"]))
    with pytest.raises(UsageError, match="reads lips alone"):
        model.encode(video=video, audio=np.zeros(640 * len(video)))


@needs_espnet
def test_the_score_of_a_started_search_by_hand(visper):
    """CTC gives the blank the first frame, and the tokens the rest; the decoder does not score the language."""
    from mtbench.avsr.auto_avsr.search import SearchSettings, search_beams

    model = visper.model
    encoded = model.encode(**visper.show(0))
    start = model.units.start("French")
    found = search_beams(model.network, encoded, start, SearchSettings(5, 0.1))
    closed = [one for one in found if model.units.end not in one.tokens[2:-1]]
    assert closed
    gains = model.ctc_log_probs(encoded)
    for one in closed:
        said = torch.tensor(one.tokens[2:-1])
        lengths = torch.tensor([len(encoded) - 1]), torch.tensor([len(said)])
        loss = torch.nn.functional.ctc_loss(gains[1:, None], said[None], *lengths, reduction="sum")
        assert one.parts["ctc"] == pytest.approx(float(gains[0, 0] - loss), abs=1e-4)
        taken = model.decoder_log_probs(encoded, one.tokens[:-1])[1:].gather(
            1, torch.tensor([one.tokens[2:]]).T
        )
        assert one.parts["decoder"] == pytest.approx(float(taken.sum()), abs=1e-4)
        assert one.score == pytest.approx(0.9 * one.parts["decoder"] + 0.1 * one.parts["ctc"], abs=1e-4)


def test_the_originals_units(shared):
    golden = shared / "golden" / "visper_a"
    told = json.loads((golden / "tokens.json").read_text("utf-8"))
    pieces = read_units(golden / "unigram_units.txt")
    assert pieces == told["token_list"]
    units = Units(len(pieces), tuple(pieces), golden / "unigram.model")
    assert units.languages == {"ara", "cmn", "eng", "fra", "spa"}
    for case in told["cases"]:
        language = case["language"] or None
        if language is not None:
            text = units.detokenize([units.end, *case["ids"], units.end], language)
            assert text == case["post_process_without_first"]
        if has_module("sentencepiece"):
            assert units.tokenize(case["text"], language) == case["ids"]


# What needs no golden fixture.

UNITS = ["<unk>", *"abcde", "\u2581"]
STREAM = StreamSizes(width=16, inner=24, heads=2, layers=2, kernel=3)
TINY = NetworkSizes(STREAM, STREAM, 20, DecoderSizes(16, 24, 2, 1), len(UNITS) + 2)
CONFIG = {"aheads": 2, "dheads": 2, "relu_type": "swish", "aux_elayers": 2, "lsm_weight": 0.1}


@pytest.fixture(scope="module")
def tiny():
    """A network with random weights, by published names."""
    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork

    torch.manual_seed(7)
    tensors = AutoAVSRNetwork(TINY).state_dict()
    return {
        re.sub(r"pointwise_conv(\d)", r"pointwise_cov\1", name): value.clone()
        for name, value in tensors.items()
    }


@pytest.fixture(scope="module")
def clip():
    rng = np.random.default_rng(4)
    video = rng.standard_normal((9, 88, 88)).astype(np.float32)
    return {"video": video, "audio": rng.uniform(-0.5, 0.5, 9 * 640).astype(np.float32)}


@needs_espnet
def test_published_sizes():
    """Parameters and tensors of the published file, counted without its memory."""
    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork

    stream = StreamSizes(768, 3072, 12, 12, 31)
    with torch.device("meta"):
        network = AutoAVSRNetwork(NetworkSizes(stream, stream, 8192, DecoderSizes(768, 3072, 12, 6), 5049))
    assert len(network.state_dict()) == 1380
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6) == 444
    names = {"adim": 768, "dunits": 3072, "fusion_hdim": 8192, "dheads": 12, "aux_cnn_module_kernel": 31}
    assert measure_network(network.state_dict(), names) == network.sizes


@needs_espnet
def test_every_form_reads_the_same(tiny, clip, tmp_path):
    from safetensors.torch import save_file

    torch.save(tiny, tmp_path / "plain.pth")
    torch.save({"state_dict": {f"model.{name}": t for name, t in tiny.items()}}, tmp_path / "lightning.ckpt")
    save_file(tiny, tmp_path / "safe.safetensors")
    (tmp_path / "settings.json").write_text(json.dumps(CONFIG))
    (tmp_path / "units.txt").write_text("".join(f"{unit} {i}\n" for i, unit in enumerate(UNITS, 1)), "utf-8")
    found = []
    for name in ("plain.pth", "lightning.ckpt", "safe.safetensors"):
        model = load_auto_avsr(tmp_path / name, tmp_path / "settings.json", tmp_path / "units.txt")
        assert (model.network.sizes, model.hears, model.languages) == (TINY, True, {"eng"})
        found.append(model.search(model.encode(**clip), beam=4, ctc_weight=0.3, language="English"))
    assert found[0] == found[1] == found[2]
    tokens, _ = found[0][0]
    assert (tokens[0], tokens[-1]) == (8, 8)
    assert model.detokenize([8, 7, 2, 3, 7, 6, 7, 8]) == "ab e "
    with pytest.raises(UsageError, match="was not taught fra"):
        model.search(model.encode(**clip), language="fra")


@needs_espnet
def test_a_search_by_ctc_alone_and_a_beam_too_wide(tiny, clip, tmp_path):
    torch.save(tiny, tmp_path / "plain.pth")
    model = load_auto_avsr(tmp_path / "plain.pth", CONFIG)
    encoded = model.encode(**clip)
    tokens, score = model.search(encoded, beam=8, ctc_weight=1.0)[0]
    said = torch.tensor(tokens[1 : tokens.index(8, 1)])
    gains, lengths = model.ctc_log_probs(encoded)[:, None], (torch.tensor([9]), torch.tensor([len(said)]))
    loss = torch.nn.functional.ctc_loss(gains, said[None], *lengths, reduction="sum")
    assert score == pytest.approx(-float(loss), abs=1e-3)
    for wrong in ({"beam": 9}, {"ctc_weight": 1.5}, {"beam": 0}):
        with pytest.raises(UsageError, match="a beam from 1 to 8"):
            model.search(encoded, **wrong)
    with pytest.raises(UsageError, match="load the model with tokens="):
        model.detokenize(tokens)
    with pytest.raises(UsageError, match="each below 9"):
        model.decoder_log_probs(encoded, [8, 9])


@needs_espnet
def test_kept_keys_and_values_change_nothing(tiny, clip, tmp_path):
    """The search with them is that of ESPnet's own attention, and nothing is kept after it."""
    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork

    torch.save(tiny, tmp_path / "plain.pth")
    model = load_auto_avsr(tmp_path / "plain.pth", CONFIG)
    encoded = model.encode(**clip)
    found = model.search(encoded, beam=6)
    assert all(layer.src_attn.kept is None for layer in model.network.decoder.decoders)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoAVSRNetwork, "looking_at", lambda self, encoded: contextlib.nullcontext())
        plain = model.search(encoded, beam=6)
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in plain]
    assert [score for _, score in found] == pytest.approx([score for _, score in plain], abs=1e-5)


@needs_espnet
def test_shapes_are_checked(tiny, clip, tmp_path):
    torch.save(tiny, tmp_path / "plain.pth")
    model = load_auto_avsr(tmp_path / "plain.pth", CONFIG)
    with pytest.raises(UsageError, match="sees and hears"):
        model.encode(video=clip["video"])
    with pytest.raises(UsageError, match=r"expected \(T, 88, 88\)"):
        model.encode(video=clip["video"][None], audio=clip["audio"])
    with pytest.raises(UsageError, match="see normalize_mouths"):
        model.encode(video=np.zeros((9, 88, 88), np.uint8), audio=clip["audio"])
    with pytest.raises(UsageError, match=r"expected \(samples,\)"):
        model.encode(video=clip["video"], audio=clip["audio"][None])
    cut, whole = (model.encode(video=clip["video"], audio=clip["audio"][:n]) for n in (5000, None))
    assert cut.shape == whole.shape == (9, 16)
    assert not torch.allclose(cut, whole)


@needs_espnet
def test_espnet_is_not_heard(tiny, clip, tmp_path):
    """Neither on standard error nor in anybody's log."""
    torch.save(tiny, tmp_path / "plain.pth")
    np.savez(tmp_path / "clip.npz", **clip)
    code = f"""
import logging, numpy
from mtbench.avsr.auto_avsr import load_auto_avsr
model = load_auto_avsr({str(tmp_path / "plain.pth")!r}, {CONFIG!r})
model.search(model.encode(**numpy.load({str(tmp_path / "clip.npz")!r})), beam=2)
print(logging.getLogger().handlers)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert logging.getLogger("espnet2").level == logging.NOTSET


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch canary",)


def test_a_malicious_checkpoint_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "hyper_parameters": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"the name (posix|nt)\.system, which no Auto-AVSR checkpoint needs"):
        read_network_tensors(tmp_path / "evil.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="not a zip archive"):
        read_network_tensors(tmp_path / "bare.pth")
    assert not (tmp_path / "canary").exists()


@needs_espnet
def test_damaged_checkpoints(tiny, tmp_path):
    torch.save(tiny, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"cut\.pth: .*cut off"):
        load_auto_avsr(tmp_path / "cut.pth")
    for name, value, message in (
        ("fusion.fc2.bias", torch.zeros(15), r"1 of another shape: fusion\.fc2\.bias"),
        ("encoder.encoders.1.norm_mha.bias", None, r"1 missing: encoder\.encoders\.1\.norm_mha\.bias"),
        ("encoder.more", torch.zeros(1), r"1 unknown: encoder\.more"),
        ("encoder.frontend.frontend3D.0.weight", None, "models that only hear are not read"),
    ):
        changed = tiny | {name: value} if value is not None else {n: t for n, t in tiny.items() if n != name}
        torch.save(changed, tmp_path / "changed.pth")
        with pytest.raises(UsageError, match=message):
            load_auto_avsr(tmp_path / "changed.pth", CONFIG)
    with pytest.raises(PrerequisiteError, match=r"none\.txt: the units are not there"):
        load_auto_avsr(tmp_path / "whole.pth", tokens=tmp_path / "none.txt")


@needs_espnet
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"adim": 32}, "adim is '32', where the tensors say '16'"),
        ({"dlayers": 6}, "dlayers is '6'"),
        ({"aux_aheads": 4}, "aux_aheads is '4'"),
        ({"relu_type": "prelu"}, "relu_type is 'prelu', where all published models have 'swish'"),
        ({"aux_rel_pos_type": "legacy"}, "aux_rel_pos_type is 'legacy'"),
        ({"fusion_norm": None}, "fusion_norm is 'None'"),
        ({"dheads": 5}, "5 heads in the decoder's width of 16"),
        ({"dheads": "two"}, "heads is two"),
    ],
)
def test_settings_that_contradict_the_tensors(tiny, tmp_path, setting, message):
    torch.save(tiny, tmp_path / "plain.pth")
    with pytest.raises(UsageError, match=message):
        load_auto_avsr(tmp_path / "plain.pth", CONFIG | setting)


def test_settings_in_files(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "resnet_conformer.yaml"
    path.write_text("adim: 768\nmacaron_style: True\n")
    assert read_settings(path) == {"adim": 768, "macaron_style": True}
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(ValueError, match="no YAML"):
        read_settings(path)
    path.write_text("- 768\n")
    with pytest.raises(ValueError, match="no table"):
        read_settings(path)


def test_units_that_are_another_models(tmp_path):
    path = tmp_path / "units.txt"
    path.write_text("\u2581a 1\r\nb 2\r\n", "utf-8")
    assert read_units(path) == ["<blank>", "\u2581a", "b", "<eos>"]
    with pytest.raises(UsageError, match=r"a list of 4 tokens for a network of 5.*another model's"):
        Units(5, tuple(read_units(path)))
    with pytest.raises(UsageError, match="expected <blank> and <eos>"):
        Units(2, ("a", "b"))
    path.write_text("no-number\n", "utf-8")
    with pytest.raises(UsageError, match="line 1: 'no-number'"):
        read_units(path)
    path.write_bytes(b"\xff\xfe\xff 1\n")
    with pytest.raises(UsageError, match="not a file of units"):
        read_units(path)


def test_languages_of_units():
    pieces = ("<blank>", "<unk>", "<en>", "<zh>", "a", "<eos>")
    units = Units(6, pieces)
    assert units.languages == {"cmn", "eng"}
    starts = [units.start(language) for language in ("Chinese", "zh", "<zh>", 3, "en", None)]
    assert starts == [[5, 3]] * 4 + [[5, 2], [5]]
    for wrong in ("fra", 4, 17):
        with pytest.raises(UsageError, match=r"was not taught|unknown language"):
            units.start(wrong)
    assert Units(6).start("English") == [5]
    with pytest.raises(UsageError, match=r"tokens= and tokenizer="):
        units.tokenize("a")


def test_mouths_by_hand():
    crops = np.zeros((2, 96, 96, 3), np.uint8)
    crops[1, 4, 4] = (255, 0, 51)
    shown = normalize_mouths(crops)
    assert shown.shape == (2, 88, 88)
    assert shown[0, 0, 0] == pytest.approx(-0.421 / 0.165)
    assert shown[1, 0, 0] == pytest.approx((0.2989 + 0.114 * 0.2 - 0.421) / 0.165)
    assert np.array_equal(normalize_mouths(crops[..., 0])[0], shown[0])
    for wrong in (crops.astype(np.float32), crops[0], crops[:, :80]):
        with pytest.raises(UsageError):
            normalize_mouths(wrong)


def test_without_espnet_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "plain.pth").write_bytes(b"")
    monkeypatch.setattr("mtbench.avsr.auto_avsr.loading.has_module", lambda name: False)
    monkeypatch.setattr("mtbench.extras.has_module", lambda name: name != "espnet2")
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    with pytest.raises(PrerequisiteError, match=r"Python 3\.12 or newer, and this is 3\.11.*install-espnet"):
        load_auto_avsr(tmp_path / "plain.pth")
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    with pytest.raises(PrerequisiteError, match=r"needs espnet2.*pip install 'multitalk-bench\[espnet\]'"):
        load_auto_avsr(tmp_path / "plain.pth")


# As a recognizer


@pytest.fixture(scope="module")
def files(folder):
    """Weights and units of a tiny network, for Auto-AVSR and for ViSpeR."""
    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork

    found = {}
    for name, units in (("auto-avsr", UNITS), ("visper", ["<unk>", "<en>", "<zh>", *"abcdE", "\u2581"])):
        torch.manual_seed(7)
        sizes = dataclasses.replace(TINY, vocabulary=len(units) + 2)
        torch.save(AutoAVSRNetwork(sizes).state_dict(), folder / f"{name}.pth")
        lines = [f"{unit} {number}\n" for number, unit in enumerate(units, 1)]
        (folder / f"{name}.txt").write_text("".join(lines), "utf-8")
        found[name] = {"weights": folder / f"{name}.pth", "tokens": folder / f"{name}.txt", "config": CONFIG}
    return found


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(5).integers(0, 255, (9, 96, 96), dtype=np.uint8)


@needs_espnet
def test_a_recognizer_answers_for_each_sound_alone(files, clip, crops, tmp_path):
    recognizer = AutoAVSRRecognizer(**files["auto-avsr"], decoding="greedy")
    assert isinstance(recognizer, Recognizer)
    assert (recognizer.languages, recognizer.decoder) == ({"eng"}, "greedy(1,ctc0)")
    silence = np.zeros(9 * 640, np.float32)
    together = recognizer.transcribe(crops, [clip["audio"], None, silence], "eng")
    apart = [recognizer.transcribe(crops, [sound], "eng")[0] for sound in (clip["audio"], None, silence)]
    assert together == apart
    assert together[1] == together[2]
    model = load_auto_avsr(files["auto-avsr"]["weights"], CONFIG, files["auto-avsr"]["tokens"])
    encoded = model.encode(video=normalize_mouths(crops), audio=clip["audio"])
    text = model.detokenize(model.search(encoded, beam=1, ctc_weight=0.0)[0][0])
    assert together[0].text == text.replace("<unk>", "").strip()
    (alone,) = recognizer.transcribe(None, [clip["audio"]], "eng")
    assert [alone] == recognizer.transcribe(np.zeros((9, 96, 96), np.uint8), [clip["audio"]], "eng")
    remembering = recognizer.remember_in(Cache(tmp_path))
    for _ in range(2):
        assert remembering.transcribe(crops, [clip["audio"]], "eng") == together[:1]
    assert [(size.stage, size.entries) for size in Cache(tmp_path).sizes()] == [("heard", 1)]
    with pytest.raises(UsageError, match="neither mouth crops nor sound"):
        recognizer.transcribe(None, [None], "eng")


@needs_espnet
def test_the_probability_of_a_reference(files, clip, crops, folder):
    sentencepiece = pytest.importorskip("sentencepiece")
    path = folder / "letters.model"
    with path.open("wb") as writer:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c d", "ab cd", "abcd dcba"] * 9), model_writer=writer,
            model_type="char", vocab_size=8, minloglevel=2,
        )  # fmt: skip
    recognizer = AutoAVSRRecognizer(**files["visper"], tokenizer=path, name="visper", decoding="greedy")
    assert recognizer.languages == {"cmn", "eng"}
    reference = Reference("Ab, \u201cc\u201d!")
    (heard,) = recognizer.transcribe_scored(crops, [clip["audio"]], "eng", None, reference)
    (plain,) = recognizer.transcribe(crops, [clip["audio"]], "eng")
    assert (heard.text, plain.log_probability) == (plain.text, None)
    model = load_auto_avsr(files["visper"]["weights"], CONFIG, files["visper"]["tokens"], path)
    encoded = model.encode(video=normalize_mouths(crops), audio=clip["audio"])
    said = [10, 2, 9, 4, 5, 9, 6, 10]  # the end, <en>, and " ab c" with its end
    gains = model.decoder_log_probs(encoded, said[:-1])[1:]
    wanted = sum(float(gains[place, token]) for place, token in enumerate(said[2:]))
    assert heard.log_probability == pytest.approx(wanted, abs=1e-4)
    assert heard.tokens == 6
    mandarin = recognizer.transcribe_scored(crops, [clip["audio"]], "cmn", None, reference)[0]
    assert mandarin.log_probability != heard.log_probability


@needs_espnet
def test_lips_alone(files, clip, crops, folder):
    tensors = {
        n: t for n, t in torch.load(files["visper"]["weights"]).items() if not n.startswith(("aux", "fus"))
    }
    torch.save(tensors, folder / "lips.pth")
    recognizer = AutoAVSRRecognizer(**(files["visper"] | {"weights": folder / "lips.pth"}), decoding="greedy")
    heard = recognizer.transcribe(crops, [clip["audio"], None], "eng")
    assert heard[0] == heard[1]
    assert recognizer.transcribe(None, [clip["audio"]], "eng")[0].text == ""


@needs_espnet
def test_what_is_part_of_the_digest(files):
    one = AutoAVSRRecognizer(**files["auto-avsr"])
    others = [
        AutoAVSRRecognizer(**files["auto-avsr"], decoding="greedy"),
        AutoAVSRRecognizer(**files["visper"]),
        AutoAVSRRecognizer(**(files["auto-avsr"] | {"config": CONFIG | {"dheads": 4}})),
        AutoAVSRRecognizer(**(files["auto-avsr"] | {"tokens": files["visper"]["tokens"]})),
        AutoAVSRRecognizer(**files["auto-avsr"], device="cuda:0"),
    ]
    assert one.digest == AutoAVSRRecognizer(**files["auto-avsr"]).digest
    assert len({recognizer.digest for recognizer in (one, *others)}) == 6


def test_recognizers_want_their_files(tmp_path):
    with pytest.raises(UsageError, match=r"unknown decoding 'beems'.*known: beam, greedy"):
        AutoAVSRRecognizer(tmp_path / "a.pth", tmp_path / "a.txt", decoding="beems")
    with pytest.raises(PrerequisiteError, match=r"a\.pth: no such file"):
        AutoAVSRRecognizer(tmp_path / "a.pth", tmp_path / "a.txt")


def test_texts_as_they_were_taught():
    small, large = (Units(5, ("<blank>", "<unk>", *letters, "<eos>")) for letters in ("ab", "AB"))
    assert (
        small.write_as_taught("It\u2019s \u201cWELL-known\u201d\u2026 \u4f60\u597d\uff01")
        == "it's well known \u4f60\u597d"
    )
    assert large.write_as_taught("It's") == "IT'S"


@needs_espnet
def test_a_score_from_start_to_end(files, tmp_path, monkeypatch):
    """A submission, scored with a tiny model; languages that it was not taught are n/a."""
    import fakes

    import mtbench

    arguments = {name: str(value) for name, value in files["auto-avsr"].items() if name != "config"}
    (tmp_path / "tiny_recognizer.py").write_text(
        "from mtbench.avsr.auto_avsr import AutoAVSRRecognizer\n\n\n"
        f"def load():\n    return AutoAVSRRecognizer(**{arguments!r}, config={CONFIG!r}, decoding='greedy')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    clips = {name: fakes.CLIPS[name] for name in ("eng-01", "eng-02", "ita-01")}
    bench, entry = fakes.make_benchmark(tmp_path / "small", clips), fakes.make_entry(tmp_path / "mine", clips)
    run = mtbench.score(
        entry, bench, recognizer="tiny_recognizer:load", workers=1, cache=tmp_path / "c", out=tmp_path / "o"
    )
    found = {
        (row.language, row.modality): row for row in run.summary if row.metric == "wer" and row.snr_db is None
    }
    for modality in ("av", "a"):
        assert found["eng", modality].estimate is not None
        assert found["ita", modality].estimate is None
    assert "auto-avsr#" in found["eng", "av"].signature
    assert any("does not understand this speech" in warning for warning in map(str, run.warnings))


@needs_espnet
@pytest.mark.parametrize("ref", ["auto-avsr:v1.0.0", "visper:avsr"])
def test_weights_that_a_user_brought(ref, files, clip, crops, tmp_path, monkeypatch):
    """Added, found by name, converted without another digest or answer; what is missing is said."""
    from mtbench.avsr import load_recognizer
    from mtbench.avsr.published import CATALOG, add_checkpoint, convert_checkpoint, verify_checkpoint

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    checkpoint, mine = CATALOG[ref], files[ref.partition(":")[0]]
    brought = [tmp_path / checkpoint.files[n].name for n in (0, 1)]
    for path, source in zip(brought, (mine["weights"], mine["tokens"]), strict=True):
        path.write_bytes(source.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(UsageError, match=rf"give {brought[1].name} as well"):
        add_checkpoint(checkpoint, [brought[0], tmp_path / "config.json"])
    record = add_checkpoint(checkpoint, [*brought, tmp_path / "config.json"])
    model = load_recognizer(ref, decoding="greedy")
    assert model.name == checkpoint.recognizer
    assert model.memory == record.memory > 0
    answer = model.transcribe(crops, [None], "eng")
    converted = convert_checkpoint(record)
    verify_checkpoint(converted)
    assert converted.paths()["weights"].suffix == ".safetensors"
    again = load_recognizer(checkpoint.recognizer, decoding="greedy")
    assert (again.digest, again.transcribe(crops, [None], "eng")) == (model.digest, answer)
    by_file = load_recognizer(ref, brought[0], decoding="greedy")
    assert by_file.digest == model.digest
    assert by_file.transcribe(crops, [None], "eng") == answer


def test_named_without_espnet(tmp_path, monkeypatch):
    from mtbench.avsr import load_recognizer

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    with pytest.raises(PrerequisiteError, match=r"mtbench weights add visper:avsr visper_avsr_base.pth"):
        load_recognizer("visper:avsr")
