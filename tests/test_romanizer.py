"""The AV-Romanizer as a recognizer: roman letters, counted beside romanized references, in numbers of its own."""

import json

import fakes
import numpy as np
import pytest

import mtbench
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.metrics import count_character_edits, count_word_edits

torch = pytest.importorskip("torch")
pytest.importorskip("uroman")

from golden_weights import make_weights  # noqa: E402
from tiny_avhubert import make_tensors  # noqa: E402

from mtbench.avsr import Reference, load_recognizer  # noqa: E402
from mtbench.avsr.avhubert.encoder import EncoderSizes  # noqa: E402
from mtbench.avsr.avhubert.recognition import AVHubertNetwork  # noqa: E402
from mtbench.avsr.published import CATALOG, add_checkpoint, convert_checkpoint  # noqa: E402
from mtbench.speech import ROMAN, get_normalizer, romanize  # noqa: E402

LETTERS = 32


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("L'è così, perché!", "ita", "l'e cosi perche"),
        ("Все люди 42", "rus", "vse lyudi"),
        ("すべて の 人", "jpn", "subete no ren"),
        ("", "eng", ""),
        ("… 1 2 3 !", "eng", ""),
    ],
)
def test_texts_in_roman_letters(text, language, wanted):
    assert romanize(text, language) == wanted
    assert romanize(wanted, language) == wanted


def test_errors_of_romanized_texts():
    """Blanks are no characters, in any language."""
    assert get_normalizer(ROMAN).name == ROMAN == "uroman-1.3.1.1"
    assert count_character_edits("Все люди", "vselyudi", "rus", ROMAN).errors == 0
    assert count_character_edits("Все люди", "vse ludi", "rus", ROMAN).errors == 1
    assert count_word_edits("Все люди", "vse ludi", "rus", ROMAN).errors == 1
    assert (
        count_character_edits("Все люди", "vse lyudi", "rus").errors > 6
    )  # by the normalizer of everybody else


def test_another_uroman_writes_other_letters(monkeypatch):
    from mtbench.speech import romanization

    monkeypatch.setattr(romanization, "UROMAN", "9.9")
    romanization._load.cache_clear()
    with pytest.raises(PrerequisiteError, match=r"uroman 1\.3\.1\.1 is installed.*expected 9\.9"):
        romanization._load()
    romanization._load.cache_clear()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A tiny checkpoint with a head of letters, as fairseq writes it."""
    torch.manual_seed(3)
    network = AVHubertNetwork(EncoderSizes(32, 48, 2, 2, 8, 4, True), None, LETTERS)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3)
    names = {
        name.replace("encoder.w2v_model.", "av_romanizer.w2v_model.", 1): value
        for name, value in network.state_dict().items()
    }
    path = tmp_path_factory.mktemp("romanizer") / "checkpoint_best.pt"
    settings = {"encoder_attention_heads": 2, "layer_norm_first": True}
    torch.save({"model": names, "cfg": {"model": {"w2v_args": {"model": settings}}}}, path)
    return path


@pytest.fixture(scope="module")
def clip():
    rng = np.random.default_rng(3)
    crops = rng.integers(0, 256, (15, 96, 96), dtype=np.uint8)
    return crops, [(0.1 * rng.standard_normal(15 * 640)).astype(np.float32), None]


@pytest.mark.parametrize("modality", ["av", "a", "v"])
def test_the_original_answer(shared, tmp_path, modality):
    """A clip without padding is spelled as the original spells it, by the recognizer's own path from crops."""
    golden = shared / "golden" / "romanizer_a"
    _, tensors = make_weights(golden)
    settings = {"encoder_attention_heads": 4, "layer_norm_first": True}
    torch.save({"model": tensors, "cfg": {"model": {"w2v_args": {"model": settings}}}}, tmp_path / "w.pt")
    model = load_recognizer("romanizer", tmp_path / "w.pt")
    io = np.load(golden / "io.npz")
    item = int(np.argmax(io["lengths"]))
    frames = int(io["lengths"][item])
    crops = np.zeros((frames, 96, 96), np.uint8)
    crops[:, 4:92, 4:92] = io["video_u8"][item, :frames]
    heard = {"audio": io["audio"][item : item + 1, :, :frames]} if "a" in modality else {}
    from mtbench.avsr.published.avhubert_recognizer import normalize_crops

    seen = {"seen": model.model.see(normalize_crops(crops))} if "v" in modality else {}
    text = model.model.detokenize(model.model.spell(model.model.encode(**heard, **seen))[0])
    wanted = json.loads((golden / "greedy.json").read_text())["results"][modality][item]
    assert text == wanted["text_padding_masked"]
    if modality == "v":
        assert model.transcribe(crops, [None], "ita")[0].text == text


def test_answers_and_probabilities(files, clip):
    model = load_recognizer("romanizer:all", files)
    assert (model.name, model.decoder, model.script) == ("romanizer", "greedy", "roman")
    assert len(model.languages) == 20
    together = model.transcribe_scored(*clip, "rus", None, Reference("Да"))
    alone = [model.transcribe_scored(clip[0], [sound], "rus", None, Reference("Да"))[0] for sound in clip[1]]
    assert together == alone
    assert all(h.tokens == 2 and h.log_probability < 0 for h in together)
    assert [h.text for h in together] == [h.text for h in model.transcribe(*clip, "rus")]
    # By hand: all alignments of one letter with three frames.
    encoded = torch.zeros(1, 3, 32)
    gains = model.model.letter_logits(encoded).log_softmax(-1)[0].double().numpy()
    letter = model._spell("a")[0]
    paths = [
        [letter if start <= t < stop else 0 for t in range(3)]
        for start in range(3)
        for stop in range(start + 1, 4)
    ]
    wanted = np.logaddexp.reduce([sum(gains[t, c] for t, c in enumerate(path)) for path in paths])
    assert model._weigh(encoded, [letter]) == pytest.approx(wanted, abs=1e-5)
    assert model._weigh(encoded, model._spell("abcd")) is None  # more letters than frames
    with pytest.raises(UsageError, match="one: greedy"):
        load_recognizer("romanizer", files, decoding="beam")


def test_a_decoder_is_no_romanizer(tmp_path):
    torch.save({"model": make_tensors()}, tmp_path / "w.pt")
    with pytest.raises(UsageError, match="expected the AV-Romanizer"):
        load_recognizer("romanizer", tmp_path / "w.pt")


def test_a_score_in_roman_letters(files, tmp_path, monkeypatch):
    """Every language's headline is the romanized character error; no other recognizer's numbers stand beside it."""
    from mtbench.results import entries_table, read_results
    from mtbench.submissions import make_controls

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    record = add_checkpoint(CATALOG["romanizer:all"], [files])
    bench = fakes.make_benchmark(tmp_path / "small")
    (entry,) = make_controls(str(bench), tmp_path, ("ground-truth",))
    more = {"snr": [-7.5], "workers": 1, "cache": tmp_path / "cache", "progress": False}
    run = mtbench.score(entry, bench, recognizer="romanizer", out=tmp_path / "out", **more)
    assert run.settings["recognition"]["norm"] == ROMAN
    assert run.settings["recognition"]["profile"] == "recommended+snrs+normalizer+rate"
    assert run.understanding.unit == "characters"
    assert run.sight.counted == "romanized characters"
    assert "romanized" in run.warning_codes
    _, rows = read_results(run.folder)
    japanese = next(r for r in rows if getattr(r, "modality", None) == "a" and r.language == "jpn")
    assert japanese.reference == fakes.CLIPS[japanese.clip][2]  # rows keep what was said
    assert japanese.chars == count_character_edits(japanese.reference, japanese.hypothesis, "jpn", ROMAN)
    found = {(r.language, r.metric): r for r in run.summary if (r.modality, r.snr_db) == ("a", None)}
    for language in ("ita", "eng", "jpn"):
        assert found[language, "headline"].estimate == found[language, "cer"].estimate
        assert f"nm:{ROMAN}" in found[language, "headline"].signature
    text = entries_table([run]).to_text()
    assert "Rates are means over languages of CER" in text
    assert "gain: points of CER against" in text
    assert "references were put into roman letters too" in text
    with pytest.raises(UsageError, match=r"romanizer writes roman letters, and 'multitalk' would count"):
        mtbench.score(entry, bench, recognizer="romanizer", normalizer="multitalk", **more)
    with pytest.raises(UsageError, match=r"romanizer writes roman letters, and 'uni-v1' would count"):
        mtbench.rescore(run.folder, normalizer="uni-v1", out=tmp_path / "again")
    again = mtbench.rescore(run.folder, profile="muavic", out=tmp_path / "again")
    assert again.settings["recognition"]["norm"] == ROMAN
    assert again.averaging.rate == "cer"
    other = mtbench.score(entry, bench, recognizer=fakes.ONE_EAR, out=tmp_path / "out", **more)
    with pytest.raises(UsageError, match="recognizer"):
        mtbench.compare(run.folder, other.folder)
    converted = convert_checkpoint(record)
    assert converted.paths()["weights"].suffix == ".safetensors"
    assert load_recognizer("romanizer").digest == run.recognizer.digest


def test_a_metric_is_validated_in_roman_letters(files, tmp_path, monkeypatch):
    """References are romanized there as well, and characters count."""
    from mtbench.meta import run_systems

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    add_checkpoint(CATALOG["romanizer:all"], [files])
    bench = fakes.make_benchmark(tmp_path / "small")
    scores = run_systems(
        bench, "romanizer", out=tmp_path / "meta", systems=["static"], workers=1, cache=tmp_path / "cache"
    )
    assert scores.facts["normalizer"] == ROMAN
    lengths = dict(zip(scores.clips, scores.lengths, strict=True))
    for clip, (language, _, text) in fakes.CLIPS.items():
        assert lengths[clip] == len(romanize(text, language).replace(" ", ""))
