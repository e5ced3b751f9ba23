"""AV-HuBERT without fairseq: the originals' numbers, and files of every form."""

import gzip
import json
import pickle
import re
import zipfile

import numpy as np
import pytest

from mtbench.avsr.avhubert import compute_filterbank, load_avhubert, stack_filterbank
from mtbench.errors import PrerequisiteError, UsageError

torch = pytest.importorskip("torch")

from golden_weights import make_weights  # noqa: E402
from tiny_avhubert import PIECES, make_tensors, write_fairseq_file  # noqa: E402

ENCODER, LOGITS, SCORES = 2e-5, 1e-4, 5e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("avhubert")


@pytest.fixture(scope="module")
def original(shared, folder):
    golden = shared / "golden" / "avhubert_a"
    path = folder / "checkpoint_best.pt"
    path.write_bytes(gzip.decompress((golden / "checkpoint_best.pt.gz").read_bytes()))
    model = load_avhubert(path, dictionary=golden / "dict.xx.txt", tokenizer=golden / "tokenizer.model")
    return model, np.load(golden / "io.npz"), golden


def show(io, modality, video="video", audio="audio", item=None):
    """Arguments of ``encode``; a single clip is shown without its padding."""
    if item is None:
        mask, part = io["padding_mask"], (slice(None), slice(None), slice(None))
    else:
        mask, part = None, (slice(item, item + 1), slice(None), slice(int(io["lengths"][item])))
    return {
        "video": io[video][part] if "v" in modality else None,
        "audio": io[audio][part] if "a" in modality else None,
        "padding_mask": mask,
    }


@pytest.mark.parametrize("modality", ["av", "a", "v"])
def test_the_original_network(original, modality):
    model, io, _ = original
    encoded = model.encode(**show(io, modality))
    assert np.abs(encoded.numpy() - io[f"encoder_out_{modality}"]).max() <= ENCODER
    logits = model.logits(encoded, io["padding_mask"], io["prev_output_tokens"])
    assert np.abs(logits.numpy() - io[f"decoder_logits_{modality}"]).max() <= LOGITS


@pytest.mark.parametrize("modality", ["av", "a", "v"])
def test_the_original_search(original, modality):
    """All hypotheses of the original generator, greedy and by beams, clips together and alone."""
    model, io, golden = original
    wanted = json.loads((golden / "hypotheses.json").read_text())["hypotheses"]
    keys = [key for key in wanted if key.startswith(f"{modality}|")]
    assert len(keys) == 11
    for key in keys:
        item = int(key[-1]) if "|item" in key else None
        beam, penalty, per_frame, constant = (
            int(re.search(rf"\|{name}(\d+)", key)[1]) for name in ("beam", "lenpen", "max_len_a", "max_len_b")
        )
        clips = show(io, modality, item=item)
        source = 104 if "a" in modality else clips["video"].shape[2]
        found = model.search(
            **clips, beam=beam, length_penalty=float(penalty), max_length=per_frame * source + constant
        )
        assert [[t for t, _ in clip] for clip in found] == [[h["tokens"] for h in c] for c in wanted[key]], (
            key
        )
        scores = [score for clip in found for _, score in clip]
        assert scores == pytest.approx([h["score"] for c in wanted[key] for h in c], abs=SCORES), key
        if penalty == 0:
            best = [clip[0] for clip in found]
            said = model.log_probability([tokens for tokens, _ in best], **clips)
            assert said.tolist() == pytest.approx([score for _, score in best], abs=SCORES)


def test_the_original_text(original):
    model, _, golden = original
    for text in json.loads((golden / "tokens.json").read_text("utf-8")):
        assert model.detokenize(text["ids"]) == text["decoded"]


def test_the_original_tokens(original, tmp_path):
    pytest.importorskip("sentencepiece")
    model, _, golden = original
    for text in json.loads((golden / "tokens.json").read_text("utf-8")):
        assert model.tokenize(text["text"].lower()) == text["ids"]
    torch.save({"model": model.network.state_dict()}, tmp_path / "plain.pt")  # without a dictionary
    plain = load_avhubert(tmp_path / "plain.pt", tokenizer=golden / "tokenizer.model")
    for text in json.loads((golden / "tokens.json").read_text("utf-8")):
        assert plain.detokenize(text["ids"]) == text["decoded"]
        assert plain.tokenize(text["text"].lower()) == text["ids"]


@pytest.mark.parametrize("clip", [0, 1])
def test_avista(shared, folder, clip):
    """Its decoder counts positions otherwise; its video is stretched to the sound."""
    golden = shared / "golden" / "avista_a"
    config, tensors = make_weights(golden)
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(config))
    model = load_avhubert(folder / "pytorch_model.bin")
    io = np.load(golden / "io.npz")
    red, green, blue = np.moveaxis(io[f"clip{clip}_rgb"].astype(np.int64), -1, 0)
    gray = ((3735 * red + 19235 * green + 9798 * blue + 16384) >> 15)[:, 4:92, 4:92]
    audio = io[f"clip{clip}_input_values"].transpose(0, 2, 1)
    frames = np.floor(np.arange(audio.shape[2], dtype=np.float32) * (len(gray) / audio.shape[2])).astype(int)
    video = ((gray[frames] / 255 - 0.421) / 0.165).astype(np.float32)[None, None]
    for name, shown in (("av", {"video": video, "audio": audio}), ("a_none", {"audio": audio})):
        if f"encoder_clip{clip}_{name}" not in io:
            continue
        encoded = model.encode(**shown)
        assert np.abs(encoded.numpy() - io[f"encoder_clip{clip}_{name}"]).max() <= ENCODER
        logits = model.logits(encoded, None, io["prev"][clip : clip + 1])
        assert np.abs(logits.numpy() - io[f"logits_clip{clip}_{name}"]).max() <= LOGITS
    wanted = json.loads((golden / "generate.json").read_text())["results"][f"clip{clip}|av|greedy"][
        "sequences"
    ]
    ((tokens, _),) = model.search(video=video, audio=audio, beam=1, max_length=16)[0]
    assert [model.start, *tokens][:17] == wanted[0]  # theirs stops at the limit without an end


@pytest.mark.parametrize("modality", ["av", "a", "v"])
def test_romanizer(shared, folder, modality):
    golden = shared / "golden" / "romanizer_a"
    _, tensors = make_weights(golden)
    settings = {"encoder_attention_heads": 4, "layer_norm_first": True}
    torch.save(
        {"model": tensors, "cfg": {"model": {"w2v_args": {"model": settings}}}}, folder / "romanizer.pt"
    )
    model = load_avhubert(folder / "romanizer.pt")
    io = dict(np.load(golden / "io.npz"))
    video = (io["video_u8"].astype(np.float32) / 255 - 0.421) / 0.165
    video[io["padding_mask"]] = 0
    io["video"] = video[:, None]
    encoded = model.encode(**show(io, modality))
    assert np.abs(encoded.numpy() - io[f"encoder_out_{modality}"]).max() <= ENCODER
    assert np.abs(model.letter_logits(encoded).numpy() - io[f"ctc_logits_{modality}"]).max() <= LOGITS
    masked = model.letter_logits(encoded, io["padding_mask"]).numpy()
    np.testing.assert_allclose(masked, io[f"ctc_logits_padding_masked_{modality}"], atol=LOGITS)
    wanted = json.loads((golden / "greedy.json").read_text())["results"][modality]
    tokens = model.spell(encoded, io["padding_mask"])
    assert tokens == [clip["tokens_padding_masked"] for clip in wanted]
    assert [model.detokenize(t) for t in tokens] == [clip["text_padding_masked"] for clip in wanted]
    with pytest.raises(UsageError, match="head of letters"):
        model.search(**show(io, modality))


def test_the_original_filterbank(shared):
    """Bit for bit, cut and filled to the video's length."""
    io = np.load(shared / "golden" / "frontend_a" / "io.npz")
    fitted = [name for name in io if "_feature_for_" in name]
    assert len(fitted) == 6
    for number in range(3):
        sound = io[f"audio{number}_pcm16"]
        assert np.array_equal(stack_filterbank(sound, normalize=False), io[f"audio{number}_stacked_logfbank"])
        assert np.array_equal(stack_filterbank(sound), io[f"audio{number}_feature"])
    for name in fitted:
        sound, frames = io[f"{name.partition('_')[0]}_pcm16"], int(name.split("_")[3])
        assert np.array_equal(stack_filterbank(sound, frames), io[name])


def test_filterbank_by_hand():
    """A tone lies in its band, silence at the smallest number, and the number of windows is as published."""
    tone = np.round(8000 * np.sin(2 * np.pi * 1080 * np.arange(1200) / 16_000)).astype(np.int16)
    bands = compute_filterbank(tone)
    assert bands.shape == (6, 26)
    assert set(bands.argmax(1)) == {9}
    assert (compute_filterbank(np.zeros(400, np.int16)) == np.log(np.finfo(float).eps)).all()
    assert [len(compute_filterbank(np.ones(n))) for n in (1, 400, 401, 560, 561)] == [1, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="at least one"):
        compute_filterbank(np.zeros(0))


# What needs no golden fixture: a tiny network in every form of file.


@pytest.fixture(scope="module")
def tiny():
    return make_tensors()


@pytest.fixture(scope="module")
def fairseq_file(tiny, folder):
    return write_fairseq_file(tiny, folder / "tiny.pt")


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(3)
    video = rng.standard_normal((2, 1, 7, 88, 88)).astype(np.float32)
    audio = rng.standard_normal((2, 104, 7)).astype(np.float32)
    mask = np.arange(7)[None] >= np.array([[7], [5]])
    return {"video": video, "audio": audio, "padding_mask": mask}


def port(tensors):
    """The names that MuAViC's port to transformers gives, written down anew."""
    ported = {}
    for name, value in tensors.items():
        if name.startswith("encoder.w2v_model."):
            name = "model.encoder." + name.removeprefix("encoder.w2v_model.")
            for ours, theirs in (
                ("self_attn_layer_norm", "layer_norm"),
                ("self_attn", "attention"),
                ("fc1", "feed_forward.intermediate_dense"),
                ("fc2", "feed_forward.output_dense"),
                ("pos_conv.0", "pos_conv_embed.conv"),
                ("weight_g", "parametrizations.weight.original0"),
                ("weight_v", "parametrizations.weight.original1"),
            ):
                name = name.replace(ours, theirs)
        else:
            name = f"model.{name}"
        ported[name] = value.half() if value.is_floating_point() else value
    ported["lm_head.weight"] = ported["model.decoder.embed_tokens.weight"].clone()
    return ported


def test_every_form_reads_the_same(tiny, fairseq_file, folder, clips):
    from safetensors.torch import save_file

    (folder / "port").mkdir()
    save_file(port(tiny), folder / "port" / "model.safetensors")
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    (folder / "port" / "config.json").write_text(json.dumps(heads))
    one, two = load_avhubert(fairseq_file), load_avhubert(folder / "port" / "model.safetensors")
    assert one.network.encoder["w2v_model"].sizes == two.network.encoder["w2v_model"].sizes
    assert one.search(**clips, beam=3, max_length=8) == two.search(**clips, beam=3, max_length=8)
    assert one.detokenize([4, 5, 6, 4, 7, 2]) == "ab c"
    with pytest.raises(UsageError, match="tokenizer="):
        two.detokenize([4])


def test_one_video_serves_many_sounds(fairseq_file, clips):
    model = load_avhubert(fairseq_file)
    video, audio = clips["video"][:1], clips["audio"]
    together = model.encode(video=video, audio=audio)
    apart = [model.encode(video=video, audio=audio[i : i + 1]) for i in (0, 1)]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=0)
    found = model.search(video=video, audio=audio, beam=2, max_length=5, length_penalty=1.0)
    assert all(len(clip) == 2 and clip[0][1] >= clip[1][1] for clip in found)
    assert all(
        tokens[-1] == 2 and 1 not in tokens and len(tokens) <= 6 for clip in found for tokens, _ in clip
    )


def test_shapes_are_checked(fairseq_file, clips):
    model = load_avhubert(fairseq_file)
    with pytest.raises(UsageError, match="neither video nor audio"):
        model.encode()
    with pytest.raises(UsageError, match=r"expected \(B, 1, T, 88, 88\)"):
        model.encode(video=clips["video"][:, 0])
    with pytest.raises(UsageError, match="as many frames"):
        model.encode(video=clips["video"], audio=clips["audio"][..., :3])
    with pytest.raises(UsageError, match="padding mask"):
        model.encode(audio=clips["audio"], padding_mask=np.zeros((2, 3), bool))
    with pytest.raises(UsageError, match="half the vocabulary"):
        model.search(audio=clips["audio"], beam=10)
    with pytest.raises(UsageError, match="3 texts for 2 clips"):
        model.log_probability([[5, 2]] * 3, audio=clips["audio"])


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch canary",)


def test_a_malicious_checkpoint_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": {}, "cfg": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(UsageError, match=r"the name (posix|nt)\.system, which no fairseq checkpoint needs"):
        load_avhubert(tmp_path / "evil.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UsageError, match="not a zip archive"):
        load_avhubert(tmp_path / "bare.pt")
    assert not (tmp_path / "canary").exists()


def test_damaged_checkpoints(tiny, fairseq_file, folder, tmp_path):
    whole = fairseq_file.read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="cut off"):
        load_avhubert(tmp_path / "cut.pt")
    changed = dict(tiny, **{"decoder.layers.1.fc1.weight": torch.zeros(24, 15)})
    torch.save({"model": changed}, tmp_path / "shape.pt")
    with pytest.raises(UsageError, match=r"1 of another shape: decoder\.layers\.1\.fc1\.weight"):
        load_avhubert(tmp_path / "shape.pt")
    torch.save({"model": {"encoder.weight": torch.zeros(3)}}, tmp_path / "other.pt")
    with pytest.raises(UsageError, match="no tensor encoder"):
        load_avhubert(tmp_path / "other.pt")
    with pytest.raises(PrerequisiteError, match="the dictionary is not there"):
        load_avhubert(fairseq_file, dictionary=tmp_path / "none.txt")


def test_a_tensor_that_claims_more_than_there_is(tiny, tmp_path):
    """Views of one number, and members shorter than the tensors they hold."""
    torch.save({"model": {"a": torch.zeros(1).expand(1 << 30)}}, tmp_path / "wide.pt")
    with pytest.raises(UsageError, match="row by row"):
        load_avhubert(tmp_path / "wide.pt")
    torch.save({"model": tiny}, tmp_path / "whole.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as old, zipfile.ZipFile(tmp_path / "short.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[:-4] if name.endswith("/data/0") else old.read(name))
    with pytest.raises(UsageError, match="without its bytes"):
        load_avhubert(tmp_path / "short.pt")


def test_another_languages_dictionary(fairseq_file, tmp_path):
    path = tmp_path / "dict.yy.txt"
    path.write_text("".join(f"{piece} 1\n" for piece in PIECES[:-1]), "utf-8")
    with pytest.raises(UsageError, match="19 tokens for a checkpoint of 20"):
        load_avhubert(fairseq_file, dictionary=path)
    path.write_text("".join(f"{piece} 1\n" for piece in [*PIECES[:-1], "z"]), "utf-8")
    with pytest.raises(UsageError, match=r"token 19 is 'z' there and 'o' within tiny\.pt"):
        load_avhubert(fairseq_file, dictionary=path)
    path.write_text("no count\n", "utf-8")
    with pytest.raises(UsageError, match="line 1"):
        load_avhubert(fairseq_file, dictionary=path)
