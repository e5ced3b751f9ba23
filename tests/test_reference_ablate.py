"""Ablations: tables, tests and wording from result folders; swapped labels; the English speech encoder."""

import csv
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from test_aggregate import CONTEXT
from test_aggregate import Clip as ToyClip
from test_comparison import shared_rows, write_folder

from mtbench.errors import UsageError
from mtbench.reference_model.ablation.ablation import ablate
from mtbench.reference_model.ablation.page import format_page, write_ablation
from mtbench.reference_model.ablation.results import AVLR, LVE, Ablation, Effect, collect_ablation
from mtbench.reference_model.ablation.table import signed, to_csv
from mtbench.reference_model.ablation.text import EncoderFacts, Facts, describe_support, smallest_p
from mtbench.reference_model.ablation.variants import (
    ENGLISH,
    FULL,
    MATCHED,
    NO_LANGUAGE,
    PAIRS,
    SWAPPED,
    swap_labels,
)
from mtbench.results.aggregation import aggregate, list_signatures
from mtbench.results.paired import Difference
from mtbench.results.rows import GeometryRow
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.statistics import adjust_holm

CLIPS = [ToyClip(f"{lang}-{i}", lang, f"{lang}-s{i}") for lang in ("ita", "jpn", "eng") for i in range(6)]
FACTS = Facts(
    "mini",
    {
        FULL.key: EncoderFacts("toy-av", 20, 52_800, True),
        ENGLISH.key: EncoderFacts("encoder-eng", 1, 16_000),
        MATCHED.key: EncoderFacts("encoder-all", 20, 16_000),
    },
    {"ita": "jpn", "jpn": "eng", "eng": "ita"},
    "toy corpus",
    True,
)
#: Errors of the variants' words, factor of their LVE.
MADE = {FULL: (0.2, 1.0), NO_LANGUAGE: (0.2, 1.0), ENGLISH: (0.7, 1.5), SWAPPED: (0.2, 1.4)}


def scale_lve(sums, factor):
    return {**sums.statistics, "lve_mm_sum": factor * sums["lve_mm_sum"]}


def write_variants(root, made=MADE, metrics=("headline", "lve_mm")):
    folders = {}
    for variant, (error, factor) in made.items():
        _, rows = shared_rows(0.2, error, CLIPS)
        if factor != 1.0:
            rows = [
                replace(r, geometry=replace(r.geometry, statistics=scale_lve(r.geometry, factor)))
                if isinstance(r, GeometryRow)
                else r
                for r in rows
            ]
        if "headline" not in metrics:
            rows = [r for r in rows if isinstance(r, GeometryRow)]
        summary = aggregate(rows, CLIPS, CONTEXT, replicates=100)
        signatures = list_signatures(summary, CONTEXT, replicates=100)
        folders[variant.key] = root / variant.key
        write_folder(folders[variant.key], variant.key, rows, summary, signatures)
    return folders


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    folders = write_variants(tmp_path_factory.mktemp("variants"))
    return collect_ablation(folders, replicates=300, trials=2000)


def test_every_pair_and_measure_is_compared(ablation):
    assert [v.mark for v in ablation.variants] == ["(a)", "(b)", "(c)", "(c×)"]
    assert ablation.languages == ("eng", "ita", "jpn")
    assert ablation.sources == {"eng": 6, "ita": 6, "jpn": 6}
    assert {(e.reference.key, e.variant.key, e.measure.title) for e in ablation.overall()} == {
        ("full", variant, title)
        for variant in ("no-language", "english-encoder", "swapped-labels")
        for title in ("LVE", "AVLR")
    }
    for e in ablation.effects:
        d = e.difference
        key = (d.metric, d.language)
        assert d.a == pytest.approx(ablation.numbers[(e.reference.key, *key)].estimate)
        assert d.b == pytest.approx(ablation.numbers[(e.variant.key, *key)].estimate)
        assert d.aggregation == "macro-language" or d.language != "all"


def test_means_are_corrected_over_all_tests_and_languages_over_theirs(ablation):
    overall = ablation.overall()
    assert len(overall) == 6
    assert [e.difference.p_holm for e in overall] == adjust_holm([e.difference.p for e in overall])
    for e in overall:
        single = [x.difference for x in ablation.by_language(e)]
        assert [d.p_holm for d in single] == pytest.approx(adjust_holm([d.p for d in single]))


def test_effects_that_were_made_are_found_and_no_others(ablation):
    for e in ablation.overall():
        worse = e.variant is ENGLISH or (e.variant is SWAPPED and e.measure == LVE)
        assert e.significant == worse
        assert (e.difference.difference > 0) == worse
    # With six texts a language nothing can be significant, however strong.
    assert not any(e.significant for e in ablation.effects if e.difference.language != "all")


def test_the_text_says_what_was_found(ablation):
    heard = replace(FACTS.encoders[FULL.key], recognizer=ablation.judge)
    text = describe_support(ablation, replace(FACTS, encoders={**FACTS.encoders, FULL.key: heard}))
    assert text.index("## What the data support") < text.index("## What they do not support")
    lines = {line.split("**")[1]: line for line in text.splitlines() if line.startswith("- **")}
    assert "not separable" not in lines["(b) English-only speech encoder"]
    assert lines["(b) English-only speech encoder"].count("significantly higher, so worse") == 2
    assert "significant in none" in lines["(b) English-only speech encoder"]
    assert "18 clips" in lines["(b) English-only speech encoder"]
    assert "significantly" not in lines["(a) without the language embedding"]
    assert "no text makes a difference" in lines["(a) without the language embedding"]
    assert "no proof that there is none" in text
    assert "(c×) against (c) differs in LVE only" in text
    assert "whatever a language's column shows" in text
    assert "0.031" in text
    assert "does not isolate the language" in text
    assert "toy-av, which is also the judge" in text
    # Another version of the judge, under the same name, has other ears.
    assert "which is also the judge" not in describe_support(ablation, FACTS)
    assert "Each variant was trained once" in text
    assert "comes from a generator" in text


def test_the_text_follows_the_making(ablation):
    elsewhere = Facts("paper", {FULL.key: EncoderFacts("x/xlsr"), ENGLISH.key: EncoderFacts("x/english")})
    text = describe_support(ablation, elsewhere)
    assert "x/xlsr, trained elsewhere" in text
    assert "which is also the judge" not in text
    assert "comes from a generator" not in text


def test_a_matched_encoder_isolates_the_language(tmp_path):
    made = {FULL: (0.2, 1.0), ENGLISH: (0.7, 1.0), MATCHED: (0.3, 1.0)}
    found = collect_ablation(write_variants(tmp_path, made), replicates=50, trials=200)
    assert [(e.reference.mark, e.variant.mark) for e in found.overall()] == [
        ("(c)", "(b)"), ("(c)", "(b)"), ("(b′)", "(b)"), ("(b′)", "(b)"),
    ]  # fmt: skip
    assert "(b) against (b′) (encoder-all: 16,000 utterances" in describe_support(found, FACTS)


def effect(measure, difference, p, language="all"):
    d = Difference(
        measure.metric, measure.modality, measure.snr_db, measure.noise, language, "macro-language", 1.0,
        1.0 + difference, difference, (difference - 0.1, difference + 0.1), p, p, 40, 42, measure.unit, None,
    )  # fmt: skip
    return Effect(FULL, NO_LANGUAGE, measure, d)


def made_of(*effects, sources=30):
    return Ablation("b@1", "judge#1", (NO_LANGUAGE, FULL), ("ell", "ita"), {}, None, effects, ("understands nothing",),
                    {"ell": sources, "ita": sources}, 60)  # fmt: skip


def test_measures_that_disagree_give_no_ranking():
    found = made_of(effect(LVE, 0.3, 0.001), effect(AVLR, -2.0, 0.001))
    text = describe_support(found, Facts("mini"))
    assert "better in AVLR and worse in LVE: no order of the two holds for both" in text
    assert "40 clips of 42" in text
    assert "significantly lower, so better" in text
    assert "*The judge.* understands nothing." in text


def test_a_language_can_be_significant_on_enough_texts():
    found = made_of(effect(LVE, 0.3, 0.001), effect(LVE, -0.3, 0.01, "ell"), effect(LVE, 0.3, 0.5, "ita"))
    text = describe_support(found, Facts("mini"))
    assert "significantly better in Greek." in text
    assert "worse in 1 and better in 1 of 2" in text
    assert "rest on 30 texts each" in text
    assert smallest_p(30, 2)[1] < 0.05


def test_files_are_complete_and_the_same_every_time(ablation, tmp_path):
    pytest.importorskip("matplotlib")
    page = write_ablation(tmp_path / "a", ablation, FACTS)
    write_ablation(tmp_path / "b", ablation, FACTS)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == ["ablation.csv", "ablation.json", "ablation.md", "ablation.png"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    data = json.loads((tmp_path / "a" / "ablation.json").read_text("utf-8"))
    assert len(data["numbers"]) == 4 * 2 * 4
    assert len(data["differences"]) == 3 * 2 * 4
    assert data["made"]["labels"] == FACTS.labels
    text = page.read_text("utf-8")
    assert text == format_page(ablation, FACTS, "ablation.png")
    table = [line for line in text.splitlines() if line.startswith("| mean of languages")]
    assert len(table) == 3
    assert "**+" in table[1]
    assert r"| Japanese\* | 6 |" in text
    assert "![Paired differences by language](ablation.png)" in text


def test_csv_has_a_line_for_every_number_and_reference(ablation):
    lines = list(csv.DictReader(io.StringIO(to_csv(ablation))))
    assert len(lines) == 4 * 2 * 4
    mine = next(
        x for x in lines if (x["variant"], x["measure"], x["language"]) == (ENGLISH.key, "lve_mm", "all")
    )
    assert mine["reference"] == "full"
    assert mine["significant"] == "True"
    assert float(mine["difference_low"]) < float(mine["difference"]) < float(mine["difference_high"])
    assert all(x["reference"] == "" for x in lines if x["variant"] == FULL.key)


def test_geometry_alone_gives_a_table_without_error_rates(tmp_path):
    folders = write_variants(tmp_path, {FULL: (0.2, 1.0), SWAPPED: (0.2, 1.3)}, metrics=("lve_mm",))
    found = collect_ablation(folders, replicates=50, trials=100)
    assert found.measures == (LVE,)
    page = format_page(found, FACTS)
    assert "AVLR" not in page.split("## What the data support")[0]


def test_signs():
    assert [signed(x, 1) for x in (1.26, -1.26, 0.04, -0.04)] == ["+1.3", "−1.3", "0.0", "0.0"]


def test_labels_are_swapped_without_fixed_points():
    labels = swap_labels(tuple(LANGUAGES), tuple(LANGUAGES))
    assert sorted(labels.values()) == sorted(LANGUAGES)
    assert all(a != b for a, b in labels.items())
    assert labels["ara"] == "ita"
    for n in range(2, 13):
        known = tuple(LANGUAGES)[:n]
        found = swap_labels(known, known)
        assert sorted(found.values()) == sorted(known)
        assert all(a != b for a, b in found.items())
    assert swap_labels(("Arabic", "English"), ("eng", "tha")) == {"eng": "Arabic"}
    with pytest.raises(UsageError, match="no other one"):
        swap_labels(("ita",), ("ita",))


def test_what_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(UsageError, match="unknown variant 'greek'; known: no-language, english-encoder"):
        ablate("mini", tmp_path, variants=["greek"])
    with pytest.raises(UsageError, match="control of an encoder that is trained here"):
        ablate("paper", tmp_path, variants=[MATCHED.key])
    with pytest.raises(UsageError, match="no languages"):
        ablate("mini", tmp_path, overrides=["settings.languages="])
    assert not list(tmp_path.iterdir())


def test_pairs_name_variants_of_the_table():
    assert all(reference is not variant for reference, variant in PAIRS)


@pytest.mark.synth
def test_from_a_reproduction_to_the_page(tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader")
    import fakes

    from mtbench.reference_model.ablation.ablation import ENCODER_TRAININGS
    from mtbench.reference_model.corpora import generated as generated_corpus
    from mtbench.reference_model.model_files import load_model
    from mtbench.reference_model.training.encoder_training import train_speech_encoder

    monkeypatch.setattr(generated_corpus, "PART", 20)
    out = tmp_path / "out"
    # Here and not in another process; the ablation finds it finished.
    train_speech_encoder(out / "encoder-eng", ENCODER_TRAININGS["smoke"], workers=0)
    options = {
        "overrides": ["stage1.steps=3", "stage2.steps=2"], "hours": 0.005, "workers": 1, "threads": 1,
        "benchmark": fakes.make_benchmark(tmp_path / "small"), "recognizer": fakes.ONE_EAR, "cache": tmp_path / "cache",
    }  # fmt: skip
    found = ablate("smoke", out, **options)
    assert [v.key for v in found.variants] == ["no-language", "english-encoder", "full", "swapped-labels"]
    about = {
        p.parent.name: json.loads(p.read_text("utf-8"))
        for p in out.glob("*/multitalk-smoke*.json")
        if "speech" not in p.name
    }
    assert about["no-language"]["settings"]["languages"] == []
    # The model has its encoder beside it, and can be moved with it, but not without.
    assert (
        about["english-encoder"]["encoder"]["name"]
        == "multitalk-smoke-english-encoder.speech-encoder.safetensors"
    )
    moved = tmp_path / "moved"
    shutil.copytree(out / "english-encoder", moved, ignore=shutil.ignore_patterns("submission", "stage2"))
    assert load_model(moved / "multitalk-smoke-english-encoder.safetensors").encoder.width == 160
    described = moved / "multitalk-smoke-english-encoder.json"
    named = about["english-encoder"]["encoder"]["name"]
    described.write_text(described.read_text("utf-8").replace(named, f"../out/{named}"), "utf-8")
    with pytest.raises(UsageError, match="without folders"):
        load_model(moved / "multitalk-smoke-english-encoder.safetensors")
    assert about["base"]["encoder"]["name"] == "openhead-av"
    manifest = (out / "swapped-labels" / "submission" / "submission.toml").read_text("utf-8")
    assert "Arabic for Italian" in manifest
    page = (out / "ablation.md").read_text("utf-8")
    assert "Italian as Arabic, English as Russian, Japanese as Catalan" in page
    assert "does not understand this speech" in page
    # Finished steps are not done again, and the page comes out the same; other settings are refused.
    files = {p: p.stat().st_mtime_ns for p in out.glob("*/**/*.safetensors")}
    ablate("smoke", out, **options)
    assert files == {p: p.stat().st_mtime_ns for p in files}
    assert page == (out / "ablation.md").read_text("utf-8")
    with pytest.raises(UsageError, match="another seed"):
        ablate("smoke", out, seed=2, **options)


SMALL = {"width": 16, "heads": 2, "feedforward": 16, "layers": 2, "channels": (2, 2, 2, 2)}


def test_an_encoder_is_trained_resumed_and_loaded(tmp_path, monkeypatch):
    pytest.importorskip("wordfreq")
    from mtbench.reference_model.encoders.registry import load_speech_encoder
    from mtbench.reference_model.training import encoder_training as module

    config = module.EncoderTraining(steps=3, batch=2, warmup=1, checkpoint_every=1)
    whole = module.train_speech_encoder(tmp_path / "whole", config, workers=0, sizes=SMALL)

    from mtbench.learning import TrainingRun

    save = TrainingRun.save

    def save_and_stop(self):
        save(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingRun, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        module.train_speech_encoder(tmp_path / "cut", config, workers=0, sizes=SMALL)
    monkeypatch.undo()
    cut = module.train_speech_encoder(tmp_path / "cut", config, workers=0, sizes=SMALL)
    assert cut.read_bytes() == whole.read_bytes()

    encoder = load_speech_encoder(cut)
    features = encoder.encode(np.random.default_rng(0).standard_normal(10 * 640).astype(np.float32))
    assert features.shape == (20, 16)
    about = json.loads(cut.with_suffix(".json").read_text("utf-8"))
    assert about["languages"] == ["eng"]
    assert about["training"]["utterances"] == 6
    assert not about["training"]["pictures"]
    with pytest.raises(UsageError, match="steps was 3, is 5"):
        module.train_speech_encoder(tmp_path / "cut", replace(config, steps=5), 0, SMALL)


def test_batches_are_english_and_labelled():
    pytest.importorskip("wordfreq")
    from mtbench.reference_model.training.encoder_batches import EncoderTraining, make_batch
    from mtbench.reference_model.training.encoder_training import compute_loss

    config = EncoderTraining(batch=3)
    batch, again = make_batch(config, 7), make_batch(config, 7)
    for name in ("logmel", "lengths", "labels", "label_lengths", "frames"):
        assert getattr(batch, name).equal(getattr(again, name))
    b, t = batch.logmel.shape[:2]
    assert (b, batch.frames.shape) == (3, (3, 2 * t))
    assert batch.label_lengths.sum() == len(batch.labels)
    for row, length in zip(batch.frames, batch.lengths, strict=True):
        assert (row[: 2 * length] >= 0).all()
        assert (row[2 * length :] == -1).all()
    assert not make_batch(config, 8).labels.equal(batch.labels)

    import torch

    from mtbench.avsr.openhead.model import AudioVisualCTC, ModelConfig
    from mtbench.synth.phones import PHONES

    torch.manual_seed(0)
    loss, parts = compute_loss(AudioVisualCTC(ModelConfig(len(PHONES) + 1, 2, **SMALL)), batch)
    assert torch.isfinite(loss)
    assert loss.item() == pytest.approx((parts[0] + 0.4 * parts[1]).item(), rel=1e-5)
