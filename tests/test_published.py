"""Published recognizers: what a user brings is checked and kept, and a clip is shown to it as its authors do."""

import http.client
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile

import fakes
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentencepiece")

from golden_weights import make_weights  # noqa: E402
from tiny_avhubert import PIECES, make_tensors, write_fairseq_file, write_published  # noqa: E402

from mtbench.avsr import Reference, load_recognizer, split_names, transcribe_checked  # noqa: E402
from mtbench.avsr.published import (  # noqa: E402
    CATALOG,
    PublishedAVHubert,
    add_checkpoint,
    convert_checkpoint,
    explain_by_hand,
    fetched_files,
    find_installed,
    find_published,
    remove_checkpoint,
    verify_checkpoint,
)
from mtbench.avsr.published.acceptance import read_mouth_video  # noqa: E402
from mtbench.avsr.published.avhubert_recognizer import SEARCHES, normalize_crops  # noqa: E402
from mtbench.avsr.published.catalog import ROLES, PublishedCheckpoint, PublishedFile  # noqa: E402
from mtbench.avsr.published.kinds import KINDS  # noqa: E402
from mtbench.avsr.registry import PUBLISHED  # noqa: E402
from mtbench.errors import MtbenchError, PrerequisiteError, UsageError  # noqa: E402

ITALIAN = CATALOG["muavic:ita"]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "weights" / "muavic"


@pytest.fixture(scope="module")
def clip():
    rng = np.random.default_rng(3)
    crops = rng.integers(0, 256, (12, 96, 96), dtype=np.uint8)
    return crops, [(0.1 * rng.standard_normal(12 * 640)).astype(np.float32) for _ in range(2)]


# What is known


def test_the_catalog_says_all_of_each():
    assert (
        {c.recognizer for c in CATALOG.values()}
        == {"muavic", "avista", "romanizer", "auto-avsr", "visper"}
        == set(PUBLISHED)
    )
    for ref, checkpoint in CATALOG.items():
        assert ref == f"{checkpoint.recognizer}:{checkpoint.variant}"
        assert checkpoint.files[0].role == "weights"
        assert {file.role for file in checkpoint.files} <= set(ROLES)
        assert checkpoint.license
        assert checkpoint.kind in KINDS
        assert checkpoint.page.startswith("https://")
        assert all(file.address.startswith("https://") for file in checkpoint.files if file.address)
        assert checkpoint.fetchable == (checkpoint.recognizer != "auto-avsr")
        assert all(len(language) == 3 for language in checkpoint.languages)
    assert sorted({c for k in find_published("muavic") for c in k.languages}) == [
        "ara", "deu", "ell", "eng", "fra", "ita", "por", "rus", "spa",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["ita", "it", "Italian", "ITALIAN"])
def test_a_variant_may_be_a_language_in_any_habit(text):
    assert find_published("muavic", text) == [ITALIAN]


def test_names_that_are_not_known():
    with pytest.raises(UsageError, match=r"no published checkpoint is called 'muavik'; did you mean muavic"):
        find_published("muavik")
    with pytest.raises(UsageError, match=r"muavic has no variant 'jpn'"):
        find_published("muavic", "jpn")
    with pytest.raises(UsageError, match=r"avista has 3 of that language; it has base, base-plus, large-v2"):
        find_published("avista", "jpn")
    with pytest.raises(UsageError, match="no variants"):
        load_recognizer("openhead-av:ita")
    with pytest.raises(UsageError, match=r"muavic has no variant 'nosuch'"):
        load_recognizer("muavic:nosuch")
    with pytest.raises(
        UsageError, match=r"'muavic:' names no variant after its colon; write muavic or muavic:VARIANT"
    ):
        load_recognizer("muavic:")
    with pytest.raises(UsageError, match=r"did you mean muavic"):
        load_recognizer("MUAVIC:ita")


# What a user has


def test_nothing_is_installed(home):
    with pytest.raises(PrerequisiteError) as caught:
        load_recognizer("muavic:ita")
    told = str(caught.value)
    assert "CC-BY-NC-4.0" in told
    assert "mtbench weights add muavic:ita checkpoint_best.pt dict.it.txt tokenizer.model" in told
    with pytest.raises(
        PrerequisiteError, match=r"no weights of muavic are installed(.|\n)*or another variant"
    ):
        load_recognizer("muavic")


def test_added_converted_verified_removed(home, published, clip):
    record = add_checkpoint(ITALIAN, published)
    assert record == find_installed(ITALIAN)
    assert {role: file.source for role, file in record.files.items()} == {
        "weights": "checkpoint_best.pt", "dictionary": "dict.it.txt", "tokenizer": "tokenizer.model",
    }  # fmt: skip
    assert record.memory >= 4 * record.parameters > 40_000_000
    verify_checkpoint(record)
    before = load_recognizer("muavic:ita")
    answer = before.transcribe(clip[0], clip[1], "ita")

    converted = convert_checkpoint(record)
    assert sorted(path.name for path in (home / "ita").iterdir()) == [
        "config.json", "dictionary.txt", "installed.json", "tokenizer.model", "weights.safetensors",
    ]  # fmt: skip
    assert converted == find_installed(ITALIAN)
    assert convert_checkpoint(converted) is converted
    verify_checkpoint(converted)
    after = load_recognizer("muavic:ita")
    assert after.digest == before.digest
    assert after.transcribe(clip[0], clip[1], "ita") == answer

    weights = home / "ita" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(PrerequisiteError, match="no longer what was added"):
        verify_checkpoint(converted)
    weights.write_bytes(content[:-1])
    with pytest.raises(PrerequisiteError, match=r"bytes, .* were added: add muavic:ita again"):
        load_recognizer("muavic:ita").transcribe(clip[0], clip[1], "ita")
    assert remove_checkpoint(ITALIAN)
    assert not remove_checkpoint(ITALIAN)
    assert find_installed(ITALIAN) is None


def test_converting_a_file_that_brings_everything_itself(home, published):
    """Settings and dictionary within the pickle are kept beside the weights."""
    record = convert_checkpoint(add_checkpoint(ITALIAN, [published[0], published[2]]))
    assert set(record.files) == {"weights", "config", "dictionary", "tokenizer"}
    assert json.loads(record.paths()["config"].read_text())["decoder_attention_heads"] == 2
    assert load_recognizer("muavic:ita").network.vocabulary.pieces[4:] == tuple(PIECES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["dict.it.txt"], "no weights of muavic:ita among the files; expected checkpoint_best.pt"),
        (["checkpoint_best.pt", "dict.it.txt", "other.pt"], "would both be the weights"),
        (["checkpoint_best.pt", "dict.de.txt"], "dict.de.txt belongs to another checkpoint"),
        (["checkpoint_best.pt", "dict.it.txt", "cut.pt"], "would both be the weights"),
        (["cut.pt"], "not an AV-HuBERT checkpoint that can be read"),
        (["evil.pt"], r"posix\.system|os\.system|nt\.system"),
        (["wrong.pt"], "tensors .*of another shape"),
        (["bare.pt"], "nothing tells what the tokens of muavic:ita mean"),
    ],
)
def test_wrong_files_are_refused_and_what_is_installed_stays(home, published, tmp_path, names, message):
    record = add_checkpoint(ITALIAN, published)
    for path in published:
        shutil.copy(path, tmp_path)
    shutil.copy(published[1], tmp_path / "dict.de.txt")
    shutil.copy(published[0], tmp_path / "other.pt")
    (tmp_path / "cut.pt").write_bytes(published[0].read_bytes()[:-5000])
    write_evil(tmp_path / "evil.pt")
    tensors = make_tensors()
    torch.save({"model": tensors}, tmp_path / "bare.pt")
    name = "encoder.w2v_model.encoder.layers.1.fc1.weight"
    write_fairseq_file({**tensors, name: tensors[name][:-1]}, tmp_path / "wrong.pt")
    with pytest.raises(UsageError, match=message):
        add_checkpoint(ITALIAN, [tmp_path / name for name in names])
    assert find_installed(ITALIAN) == record
    verify_checkpoint(record)


def write_evil(path):
    class Evil:
        def __reduce__(self):
            import os

            return os.system, ("true",)

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({"model": Evil()}))
        archive.writestr("x/version", "3\n")


def test_a_record_that_somebody_changed(home, published):
    add_checkpoint(ITALIAN, published)
    file = home / "ita" / "installed.json"
    good = json.loads(file.read_text())
    for bad in (
        "{",
        json.dumps({**good, "ref": "muavic:deu"}),
        json.dumps({**good, "more": 1}),
        json.dumps(good).replace("dictionary.txt", "../../dictionary.txt"),
        json.dumps(good).replace("dictionary.txt", ".."),
        json.dumps({**good, "files": {}}),
        json.dumps({**good, "memory": -700_000_000}),
        " " * 70_000,
    ):
        file.write_text(bad)
        with pytest.raises(PrerequisiteError, match=r"installed\.json .*add it again"):
            find_installed(ITALIAN)


def test_a_damaged_record_is_no_reason_to_list_nothing(home, published, tmp_path):
    add_checkpoint(ITALIAN, published)
    (home / "ita" / "installed.json").write_text("[" * 50_000)
    command = [sys.executable, "-m", "mtbench", "weights"]
    more = {
        "capture_output": True,
        "text": True,
        "env": {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    }
    listed = subprocess.run([*command, "ls"], **more)
    assert listed.returncode == 0, listed.stderr
    assert "installed.json cannot be read" in listed.stdout
    found = json.loads(subprocess.run([*command, "ls", "--json"], **more).stdout)
    assert [one["recognizer"] + ":" + one["variant"] for one in found if one["damage"]] == ["muavic:ita"]
    remove_checkpoint(ITALIAN)
    add_checkpoint(ITALIAN, published)
    alone = subprocess.run([*command, "verify", "muavic:ita", "--video", published[0]], **more)
    assert alone.returncode == 2
    assert "muavic:eng" in alone.stderr


def test_two_commands_may_add_at_once(home, published, monkeypatch):
    """Each makes the checkpoint in a folder of its own, and the last one stays."""
    copy, inner = shutil.copyfile, []

    def copy_and_be_overtaken(source, target):
        copy(source, target)
        if not inner:
            inner.append(None)
            inner[0] = add_checkpoint(ITALIAN, published)

    monkeypatch.setattr(shutil, "copyfile", copy_and_be_overtaken)
    assert add_checkpoint(ITALIAN, published) == inner[0] == find_installed(ITALIAN)
    verify_checkpoint(find_installed(ITALIAN))
    assert [path.name for path in home.iterdir()] == ["ita"]


def test_what_is_installed_stays_where_its_successor_cannot_take_its_place(home, published, monkeypatch):
    record = add_checkpoint(ITALIAN, published)
    rename = os.rename

    def refuse(self, target):
        if str(self).endswith(".part") and "before" not in str(self):
            raise OSError(5, "Input/output error")
        rename(self, target)
        return type(self)(target)

    monkeypatch.setattr(type(home), "rename", refuse)
    with pytest.raises(MtbenchError, match="MTBENCH_DATA"):
        add_checkpoint(ITALIAN, published)
    monkeypatch.undo()
    monkeypatch.setenv("MTBENCH_DATA", str(home.parents[1]))
    assert find_installed(ITALIAN) == record
    assert [path.name for path in home.iterdir()] == ["ita"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX's")
def test_a_full_disk_leaves_nothing_behind(home, published):
    import resource
    import signal

    record = add_checkpoint(ITALIAN, published)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, old[1][1]))
    try:
        for work in (lambda: add_checkpoint(ITALIAN, published), lambda: convert_checkpoint(record)):
            with pytest.raises(MtbenchError, match=r"cannot write .*MTBENCH_DATA"):
                work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old[1])
        signal.signal(signal.SIGXFSZ, old[0])
    assert [path.name for path in home.iterdir()] == ["ita"]
    assert find_installed(ITALIAN) == record


def test_what_killed_commands_left_is_deleted(home, published):
    left, new = home / ".ita.1-1.part", home / ".ita.1-2.part"
    for folder in (left, new):
        folder.mkdir(parents=True)
        (folder / "weights.pt").write_bytes(b"x")
    os.utime(left, (1, 1))
    add_checkpoint(ITALIAN, published)
    assert sorted(path.name for path in home.iterdir()) == [
        new.name,
        "ita",
    ]  # somebody may still be making that
    assert remove_checkpoint(ITALIAN)
    assert list(home.iterdir()) == []


def test_files_may_be_links(home, published, tmp_path):
    """As a hub's cache keeps them; and a checkpoint's folder may be one, to a larger disk."""
    links = [tmp_path / path.name for path in published]
    for link, path in zip(links, published, strict=True):
        link.symlink_to(path)
    (tmp_path / "large").mkdir()
    home.mkdir(parents=True)
    (home / "ita").symlink_to(tmp_path / "large")
    assert add_checkpoint(ITALIAN, links).contents == add_checkpoint(ITALIAN, published).contents
    (home / "deu").symlink_to(tmp_path / "large")
    assert remove_checkpoint(CATALOG["muavic:deu"])
    assert [path.name for path in home.iterdir()] == ["ita"]


def test_settings_beside_a_port_are_kept(home, tmp_path, published):
    """What a file's check has read is what is loaded afterwards."""
    record = convert_checkpoint(add_checkpoint(ITALIAN, published))
    for role, path in record.paths().items():
        shutil.copy(path, tmp_path / {"dictionary": "dict.it.txt"}.get(role, path.name))
    files = [tmp_path / name for name in ("weights.safetensors", "dict.it.txt", "tokenizer.model")]
    added = add_checkpoint(ITALIAN, files)
    assert added.files["config"].source == "config.json"
    heads = [layer.self_attn.heads for layer in load_recognizer("muavic:ita").network.network.decoder.layers]
    assert heads == [2, 2]
    # A file that brings its settings itself has no use for what lies beside it.
    shutil.copy(published[0], tmp_path)
    (tmp_path / "config.json").write_text("[" * 5000)
    kept = add_checkpoint(ITALIAN, [tmp_path / path for path in (published[0].name, *map(str, files[1:]))])
    assert "config" not in kept.files
    digest = load_recognizer("muavic:ita").digest
    assert load_recognizer("muavic:ita", tmp_path / published[0].name).digest == digest


def test_fetching_says_what_to_do_where_it_fails(tmp_path, monkeypatch):
    from mtbench.avsr.published import fetching

    served = {file.address: f"content of {file.name}".encode() for file in ITALIAN.files}

    class Answer:
        def __init__(self, content, length, scheme="https"):
            self.headers, self._parts = {"Content-Length": str(length)}, [content, b""]
            self._scheme = scheme

        def geturl(self):
            return f"{self._scheme}://elsewhere/file"

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def read(self, size):
            return self._parts.pop(0)

    monkeypatch.setattr(
        fetching.urllib.request, "urlopen", lambda a, timeout: Answer(served[a], len(served[a]))
    )
    with fetched_files(ITALIAN, tmp_path) as files:
        assert [f.read_bytes() for f in files] == list(served.values())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(fetching.urllib.request, "urlopen", lambda a, timeout: Answer(b"short", 99))
    told = r"5 of 99 bytes came(.|\n)*mtbench weights add muavic:ita"
    with pytest.raises(PrerequisiteError, match=told), fetched_files(ITALIAN, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []

    monkeypatch.setattr(fetching.urllib.request, "urlopen", lambda a, timeout: Answer(b"x", 1, "http"))
    told = "leads to http://elsewhere/file, which is no https address"
    with pytest.raises(PrerequisiteError, match=told), fetched_files(ITALIAN, tmp_path):
        pass

    def break_off(address, timeout):
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr(fetching.urllib.request, "urlopen", break_off)
    with pytest.raises(PrerequisiteError, match="IncompleteRead"), fetched_files(ITALIAN, tmp_path):
        pass
    by_hand = PublishedCheckpoint(
        "x", "y", "avhubert", ("ita",), "", 0.0, "MIT", "https://page", (PublishedFile("weights", "w.pt"),)
    )
    told = r"without a browser(.|\n)*w.pt: https://page"
    with pytest.raises(PrerequisiteError, match=told), fetched_files(by_hand, tmp_path):
        pass
    assert "dict.it.txt" in explain_by_hand(ITALIAN, "no")


# What it answers


def test_an_answer_does_not_depend_on_what_else_is_asked(published, clip):
    crops, sounds = clip
    model = load_recognizer("muavic:ita", published[0])
    said = Reference("ab cd")
    asked = [sounds[0], None, sounds[1]]
    together = transcribe_checked(model, crops, asked, "ita", None, "x", ["a", "b", "c"], said)
    alone = [model.transcribe_scored(crops, [sound], "ita", None, said)[0] for sound in asked]
    assert together == alone
    assert [h.text for h in together] == [h.text for h in model.transcribe(crops, asked, "ita")]
    tokens = model.network.tokenize("ab cd")
    assert all(h.tokens == len(tokens) for h in together)
    assert len({h.log_probability for h in together}) > 1
    heard = model.transcribe_scored(None, sounds, "ita", None, said)
    assert heard[0].log_probability != heard[1].log_probability
    with pytest.raises(UsageError, match="neither mouth crops nor sound"):
        model.transcribe(None, [None], "ita")


def test_searches(published, clip):
    models = [load_recognizer("muavic:ita", published[0], decoding=name) for name in (None, "beam", "greedy")]
    wide = load_recognizer("muavic:ita", published[0], decoding="beam-5")
    assert (wide.decoder, wide.digest) == (models[1].decoder, models[1].digest)
    assert [m.decoder for m in models] == ["beam(5,lp0)", "beam(5,lp0)", "greedy(1,lp0)"]
    assert models[0].digest == models[1].digest != models[2].digest
    encoded = models[0].network.encode(video=normalize_crops(clip[0]))
    for model, beam in zip(models[1:], (5, 1), strict=True):
        best = model.network.search(encoded=encoded, beam=beam, max_length=12)[0][0][0]
        assert model.transcribe(clip[0], [None], "ita")[0].text == model.network.detokenize(best)
    with pytest.raises(UsageError, match=r"unknown decoding 'gredy'; did you mean greedy"):
        load_recognizer("muavic:ita", published[0], decoding="gredy")
    assert set(SEARCHES) == {"beam", "greedy", "beam-5"}


def test_crops_are_shown_as_published(shared):
    io = np.load(shared / "golden" / "frontend_a" / "io.npz")
    shown = normalize_crops(io["crop0_gray"])
    assert shown.dtype == np.float32
    assert np.abs(shown[0, 0] - io["crop0_normalised"]).max() <= 1e-6


@pytest.mark.parametrize("modality", ["av", "a", "v"])
def test_avista_is_shown_a_clip_as_its_own_extractor_does(shared, tmp_path, modality):
    """Sound within [-1, 1]; silence and black, not nothing, for what is withheld."""
    number = 0  # the other clip's video is stretched, which the harness never shows
    golden = shared / "golden" / "avista_a"
    config, tensors = make_weights(golden)
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(config))
    size = config["vocab_size"]
    vocabulary = {"model": {"vocab": [[f"\u2581{n}", 0.0] for n in range(size)]}, "added_tokens": []}
    (tmp_path / "tokenizer.json").write_text(json.dumps(vocabulary))
    io = np.load(golden / "io.npz")
    sound = (io[f"clip{number}_pcm16"] / 32768).astype(np.float32)
    frames = io[f"clip{number}_input_values"].shape[1]
    red, green, blue = np.moveaxis(io[f"clip{number}_rgb"].astype(np.int64), -1, 0)
    crops = ((3735 * red + 19235 * green + 9798 * blue + 16384) >> 15).astype(np.uint8)
    model = load_recognizer("avista:base", tmp_path / "pytorch_model.bin")
    assert isinstance(model, PublishedAVHubert)
    seen = model.network.see(normalize_crops(crops)) if "v" in modality else None
    encoded = model._encode(seen, sound if "a" in modality else None, frames)
    assert np.abs(encoded.numpy() - io[f"encoder_clip{number}_{modality}"]).max() <= 2e-5


def test_a_tokenizer_of_a_port(tmp_path):
    from mtbench.avsr.avhubert.vocabulary import read_dictionary

    file = tmp_path / "tokenizer.json"
    added = [{"id": 3, "content": "<s>"}, {"id": 4, "content": "</s>"}]
    file.write_text(json.dumps({"model": {"vocab": [["a", 0], ["b", 0], ["c", 0]]}, "added_tokens": added}))
    assert read_dictionary(file) == ["a", "b", "c", "<s>", "</s>"]
    file.write_text(json.dumps({"model": {"vocab": {"b": 1, "a": 0}}}))
    assert read_dictionary(file) == ["a", "b"]
    for bad in (
        "[]",
        '{"model": {}}',
        '{"model": {"vocab": {"a": 5}}}',
        '{"model": {"vocab": {"a": [1]}}}',
        "{" * 5000,
    ):
        file.write_text(bad)
        with pytest.raises(UsageError, match="not a dictionary that can be read"):
            read_dictionary(file)


# By name


def test_every_installed_language_is_one_recognizer(home, tmp_path, clip):
    for variant, seed in (("ita", 5), ("deu", 6)):
        code = {"ita": "it", "deu": "de"}[variant]
        add_checkpoint(CATALOG[f"muavic:{variant}"], write_published(tmp_path / variant, code, seed))
    both = load_recognizer("muavic")
    assert both.name == "muavic"
    assert both.languages == {"ita", "deu"}
    alone = {language: load_recognizer(f"muavic:{language}") for language in ("ita", "deu")}
    assert both.memory == alone["ita"].memory
    assert len({both.digest, *(model.digest for model in alone.values())}) == 3
    for language, model in alone.items():
        assert both.transcribe(*clip, language) == model.transcribe(*clip, language)
    by_file = {
        "ita": tmp_path / "ita" / "checkpoint_best.pt",
        "German": tmp_path / "deu" / "checkpoint_best.pt",
    }
    assert load_recognizer("muavic", by_file).digest == both.digest
    assert load_recognizer("muavic:ita", {"ita": by_file["ita"]}).languages == {"ita"}
    with pytest.raises(UsageError, match="the weights for deu are of a recognizer that covers ita only"):
        load_recognizer("muavic:ita", {"deu": by_file["German"]})
    with pytest.raises(UsageError, match=r"the weights of muavic name a language twice: ita, it"):
        load_recognizer("muavic", {"ita": by_file["ita"], "it": by_file["German"]})
    with pytest.raises(PrerequisiteError, match="a folder, not a file"):
        load_recognizer("muavic:ita", tmp_path)
    with pytest.raises(UsageError, match=r"--weights with muavic: of which checkpoint"):
        load_recognizer("muavic", tmp_path / "ita" / "checkpoint_best.pt")


def test_one_of_one_language_goes_before_one_of_many(home, tmp_path):
    add_checkpoint(CATALOG["muavic:multilingual"], write_published(tmp_path / "x", "x"))
    assert load_recognizer("muavic").languages == set(CATALOG["muavic:multilingual"].languages)
    add_checkpoint(ITALIAN, write_published(tmp_path / "it", "it", 6))
    assert load_recognizer("muavic").languages == {"ita"}
    assert len(load_recognizer("muavic:multilingual").languages) == 8


def test_one_kind_of_weights_is_not_another(home, published, tmp_path):
    with pytest.raises(UsageError, match=r"weights of fairseq's AV-HuBERT, expected those of avista:base"):
        add_checkpoint(CATALOG["avista:base"], [published[0]])
    port = {
        name.replace("encoder.w2v_model.", "avhubert.", 1): value for name, value in make_tensors().items()
    }
    torch.save(port, tmp_path / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"weights of AVista, expected those of muavic:ita"):
        add_checkpoint(ITALIAN, [tmp_path / "pytorch_model.bin", *published[1:]])


def test_several_where_one_is_wanted():
    with pytest.raises(
        UsageError, match=r"expected one; several with commas between are for 'mtbench score'"
    ):
        load_recognizer("muavic:ita,none")


def test_names_with_commas_between():
    assert split_names("openhead-av") == ["openhead-av"]
    assert split_names("muavic:ita, fakes:load_one_ear") == ["muavic:ita", "fakes:load_one_ear"]
    for bad in ("", ",", "a,", "a,,b", "a,a"):
        with pytest.raises(UsageError, match="each once"):
            split_names(bad)


def test_a_score_with_several_recognizers(published, tmp_path, monkeypatch):
    """A tiny published checkpoint and another recognizer, each in tables and results of its own."""
    from mtbench.submissions import make_controls

    bench = fakes.make_benchmark(tmp_path / "small")
    (entry,) = make_controls(str(bench), tmp_path, ("ground-truth",))
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    command = [sys.executable, "-m", "mtbench"]
    add = subprocess.run(
        [*command, "weights", "add", "muavic:ita", *published], capture_output=True, text=True, check=True
    )
    assert "CC-BY-NC-4.0" in add.stderr
    listed = subprocess.run(
        [*command, "ls", "recognizers"], capture_output=True, text=True, check=True
    ).stdout
    (line,) = (line for line in listed.splitlines() if "muavic:ita" in line)
    assert " installed, 0.0 GB in memory; ita;" in line
    score = [
        *command,
        "score",
        entry,
        "--benchmark",
        bench,
        "--recognizer",
        f"muavic,{fakes.ONE_EAR}",
        "--snr",
        "-7.5",
    ]
    score += ["--workers", "1", "--out", tmp_path / "results", "--cache", tmp_path / "cache"]
    run = subprocess.run(score, capture_output=True, text=True, check=True)
    assert "error rates of muavic#" in run.stdout
    assert "error rates of one-ear#" in run.stdout
    assert "muavic does not cover eng, jpn: n/a there" in run.stdout
    assert "WHICH DOES NOT UNDERSTAND THIS SPEECH" in run.stdout
    files = sorted((tmp_path / "results").rglob("run.json"))
    found = [json.loads(file.read_text()) for file in files]
    assert [one["recognizer"]["name"] for one in found] == ["muavic", "one-ear"]
    assert "dec:beam(5,lp0)" in json.dumps(found[0])

    score[score.index(f"muavic,{fakes.ONE_EAR}")] = f"{fakes.ONE_EAR},muavic:deu"
    failed = subprocess.run(score, capture_output=True, text=True)
    assert failed.returncode == 4
    assert "no weights of muavic:deu are installed" in failed.stderr
    assert failed.stdout == ""  # said before the first recognizer has computed anything


# Memory


def test_processes_are_bounded_by_memory(tmp_path):
    from mtbench.work import count_fitting, free_memory

    assert free_memory(tmp_path) is None
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    8000 kB\n")
    assert free_memory(tmp_path) == 8_192_000
    (tmp_path / "proc/self/cgroup").write_text("0::/job/step\n")
    job = tmp_path / "sys/fs/cgroup/job"
    (job / "step").mkdir(parents=True)
    (job / "step/memory.max").write_text("max\n")
    (job / "step/memory.current").write_text("5\n")
    assert free_memory(tmp_path) == 8_192_000
    (job / "memory.max").write_text("6000000\n")
    (job / "memory.current").write_text("4000000\n")
    assert free_memory(tmp_path) == 2_000_000
    (job / "memory.stat").write_text("anon 1\ninactive_file 500000\n")
    assert free_memory(tmp_path) == 2_500_000
    (job / "memory.current").write_text("9000000\n")
    assert free_memory(tmp_path) == 0
    (tmp_path / "proc/self/cgroup").write_text(
        "4:memory:/job\n"
    )  # version 1 tells of the group, and of all below it
    old = tmp_path / "sys/fs/cgroup/memory/job"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("6000000\n")
    (old / "memory.usage_in_bytes").write_text("4000000\n")
    (old / "memory.stat").write_text("inactive_file 500000\nanon 1\ntotal_inactive_file 600000\n")
    assert free_memory(tmp_path) == 2_600_000
    assert count_fitting(4, 10**9, 0) == 1


def test_a_score_says_how_many_processes_and_why(published, tmp_path, monkeypatch, caplog):
    from mtbench.avsr import worker_count
    from mtbench.scoring import score
    from mtbench.submissions import make_controls

    bench = fakes.make_benchmark(tmp_path / "small")
    (entry,) = make_controls(str(bench), tmp_path, ("ground-truth",))
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    add_checkpoint(ITALIAN, published)
    monkeypatch.setattr(worker_count, "default_workers", lambda: 3)
    monkeypatch.setattr(worker_count, "free_memory", lambda: 800_000_000)
    score(entry, bench, recognizer="muavic:ita", snr=[-7.5], cache=tmp_path / "cache", progress=False)
    assert (
        "1 process (of 3 that the processors would allow): muavic takes 0.0 GB in each, 0.8 GB are free"
        in caplog.text
    )
    # Commands with workers for several scores ask for no more.
    from mtbench.meta import runs
    from mtbench.scoring import demonstration, run_demo

    class Stopped(Exception):
        pass

    class Counting:
        def __init__(self, workers):
            raise Stopped(workers)

    for module in (runs, demonstration):
        monkeypatch.setattr(module, "Executor", Counting)
    with pytest.raises(Stopped, match=r"^1$"):
        run_demo(bench, tmp_path / "demo", recognizer="muavic:ita")
    with pytest.raises(Stopped, match=r"^1$"):
        runs.run_systems(bench, "muavic:ita", out=tmp_path / "meta", cache=tmp_path / "cache")


# A published clip with its answer


def test_a_video_of_mouths_is_read(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "lips.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 96
        stream.pix_fmt = "yuv420p"
        for level in (40, 200):
            picture = av.VideoFrame.from_ndarray(np.full((96, 96, 3), level, np.uint8), format="rgb24")
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    found = read_mouth_video(tmp_path / "lips.mp4")
    assert found.shape == (2, 96, 96)
    assert np.abs(found.mean((1, 2)) - [40, 200]).max() < 4
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(UsageError, match="not a video of mouth crops"):
        read_mouth_video(tmp_path / "no.mp4")
    with pytest.raises(PrerequisiteError, match="no such file"):
        read_mouth_video(tmp_path / "nowhere.mp4")

    class Changing:
        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def decode(self, video):
            for side in (96, 88):
                yield av.VideoFrame.from_ndarray(np.zeros((side, side, 3), np.uint8), format="rgb24")

    monkeypatch.setattr(av, "open", lambda path: Changing())
    with pytest.raises(UsageError, match="pictures of several sizes"):
        read_mouth_video(tmp_path / "lips.mp4")
