"""Aggregation: every average against a hand computation, gaps that stay visible, determinism."""

import json
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from factories import make_sums
from pydantic import TypeAdapter

from mtbench.avsr.base import Hypothesis
from mtbench.conditions import Condition
from mtbench.results.aggregation import SignatureContext, SummaryRow, aggregate, find_number, list_signatures
from mtbench.results.rows import GeometryRow, row_from_json
from mtbench.results.signature import Signature
from mtbench.scoring.rows import measure_recognition

SNRS, NOISES = (-7.5, -10.0), ("babble", "music")


@dataclass(frozen=True)
class Clip:
    id: str
    language: str
    source: str


CLIPS = [Clip(f"{lang}-{i}", lang, f"{lang}-s{i // 2}") for lang in ("ita", "jpn", "eng") for i in range(6)]
CONTEXT = SignatureContext(
    common={"bench": "toy@1#00112233445566778899", "fps": 25, "version": "0.1.0"},
    recognition={"rec": "toy-av#ffeeddccbbaa99", "dec": "greedy", "norm": "uni-v1", "lexicon": "bench"},
    audio={"mix": "rms"},
    video={"topology": "toy", "render": "software", "crop": "mouth96@1"},
    geometry={"topology": "toy", "template": "identity"},
    lips="lips-4#01020304",
    upper_face="upper_face-4#05060708",
    noises={"babble": "aaaaaaaaaaaa", "music": "bbbbbbbbbbbb"},
)


def conditions():
    yield "av", "entry", None, None
    yield "v", "entry", None, None
    yield "a", None, None, None
    for snr in SNRS:
        for noise in NOISES:
            yield "av", "entry", snr, noise
            yield "av", "static", snr, noise
            yield "a", None, snr, noise


def make_rows(seed=0, error=0.3, clips=CLIPS):
    rng = random.Random(seed)
    rows = []
    for clip in clips:
        words = [rng.choice(["uno", "due", "tre", "quattro"]) for _ in range(rng.randint(3, 9))]
        for modality, face, snr, noise in conditions():
            p = error if face == "entry" else 0.7
            heard = [w if rng.random() > p else "x" for w in words if rng.random() > 0.05]
            rows.append(
                measure_recognition(
                    clip=clip.id,
                    language=clip.language,
                    source=clip.source,
                    condition=Condition(modality, snr, noise, face),
                    reference=" ".join(words),
                    hypothesis=Hypothesis(" ".join(heard), tuple("".join(heard))),
                    reference_phones=tuple("".join(words)),
                )
            )
        frames = rng.randint(50, 150)
        sums = [frames * rng.uniform(0.5, 1.5) for _ in range(5)]
        rows.append(
            GeometryRow(
                clip.id,
                clip.language,
                clip.source,
                make_sums(frames, *sums, rng.uniform(-1e-5, 1e-5), 0.5 * sums[0]),
            )
        )
    return rows


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def summary(rows):
    return aggregate(rows, CLIPS, CONTEXT, replicates=500)


def select(rows, language=None, modality="av", face="entry", snr=-7.5, noises=NOISES):
    return [
        r
        for r in rows
        if not isinstance(r, GeometryRow)
        and (language is None or r.language == language)
        and (r.modality, r.face, r.snr_db) == (modality, face, snr)
        and (r.noise in noises or r.noise is None)
    ]


AVERAGED = replace(CONTEXT, recognition={**CONTEXT.recognition, "mean": "macro-clip", "rate": "wer"})


def test_a_run_may_average_clips_then_noises(rows, summary):
    """By hand: each clip's own rate, the mean over clips of each noise, the mean of these."""
    averaged = aggregate(rows, CLIPS, AVERAGED, replicates=100)
    for language in ("ita", "jpn", "all"):
        chosen = None if language == "all" else language
        by_noise = [
            np.mean(
                [100 * r.words.errors / r.words.reference_length for r in select(rows, chosen, noises=(n,))]
            )
            for n in NOISES
        ]
        for metric in ("wer", "headline"):
            number = find_number(averaged, metric, language, modality="av", snr_db=-7.5, noise="all")
            assert (number.aggregation, number.estimate) == (
                "macro-clip",
                pytest.approx(np.mean(by_noise), rel=1e-12),
            )
            assert number.ci95[0] < number.estimate < number.ci95[1]
            single = find_number(averaged, metric, language, modality="av", snr_db=-7.5, noise="music")
            assert single.estimate == pytest.approx(by_noise[1], rel=1e-12)
        # The pooled rate stands beside it, as a run that pools has it.
        where = {"modality": "av", "snr_db": -7.5, "noise": "all", "aggregation": "corpus"}
        pooled = find_number(averaged, "wer", language, **where)
        assert pooled.estimate == find_number(summary, "wer", language, **where).estimate
        # The gain is a difference of the same means.
        static = [
            np.mean([
                100 * r.words.errors / r.words.reference_length
                for r in select(rows, chosen, face="static", noises=(n,))
            ])
            for n in NOISES
        ]  # fmt: skip
        gain = find_number(averaged, "avlr_gain", language, modality="av", snr_db=-7.5, noise="all")
        assert gain.estimate == pytest.approx(np.mean(static) - np.mean(by_noise), rel=1e-9)
    by_language = find_number(
        averaged, "headline", modality="av", snr_db=-7.5, noise="all", aggregation="macro-language"
    )
    each = [find_number(averaged, "headline", code, modality="av", snr_db=-7.5, noise="all").estimate
            for code in ("ita", "jpn", "eng")]  # fmt: skip
    assert by_language.estimate == pytest.approx(np.mean(each))
    assert not [
        r for r in averaged if r.metric == "headline" and r.language == "all" and r.aggregation == "corpus"
    ]


def test_an_empty_reference_is_one_unit_in_every_noise():
    """Pooling the noises of a clip first would count what was made up in all of them against one unit."""
    clips = [Clip("eng-0", "eng", "s0"), Clip("eng-1", "eng", "s1")]
    rows = [
        measure_recognition(
            clip=clip.id, language="eng", source=clip.source, condition=Condition("av", -7.5, noise, "entry"),
            reference=reference, hypothesis=Hypothesis(heard),
        )
        for clip, reference, said in zip(clips, ("?", "one two"), (("a", "a b"), ("one two", "one")), strict=True)
        for noise, heard in zip(NOISES, said, strict=True)
    ]  # fmt: skip
    number = find_number(
        aggregate(rows, clips, AVERAGED, replicates=50), "wer", modality="av", snr_db=-7.5, noise="all"
    )
    assert number.estimate == pytest.approx(100 * ((1 + 0) / 2 + (2 + 0.5) / 2) / 2)


def corpus(rows, field="words"):
    counts = [getattr(r, field) for r in rows]
    return 100 * sum(c.errors for c in counts) / sum(c.reference_length for c in counts)


AV = {"modality": "av", "snr_db": -7.5, "noise": "all"}


def test_corpus_rates_by_hand(rows, summary):
    for metric, field in (("wer", "words"), ("cer", "chars"), ("per", "phones")):
        for language in (None, "ita", "jpn", "eng"):
            row = find_number(summary, metric, language or "all", **AV)
            assert row.estimate == pytest.approx(corpus(select(rows, language), field), rel=1e-12)
            assert row.aggregation == "corpus"
    one = find_number(summary, "wer", "ita", modality="av", snr_db=-10.0, noise="music")
    assert one.estimate == pytest.approx(corpus(select(rows, "ita", snr=-10.0, noises=("music",))), rel=1e-12)
    clean = find_number(summary, "wer", "ita", modality="a")
    assert clean.estimate == pytest.approx(corpus(select(rows, "ita", "a", None, None)), rel=1e-12)


def test_macro_rates_by_hand(rows, summary):
    by_clip = find_number(summary, "wer", "eng", **AV, aggregation="macro-clip")
    rates = [100 * r.words.rate for r in select(rows, "eng")]
    assert by_clip.estimate == pytest.approx(np.mean(rates), rel=1e-12)
    languages = [corpus(select(rows, lang)) for lang in ("ita", "jpn", "eng")]
    by_language = find_number(summary, "wer", "all", **AV, aggregation="macro-language")
    assert by_language.estimate == pytest.approx(np.mean(languages), rel=1e-12)


def test_headline_is_cer_where_words_are_not_separated(rows, summary):
    expected = {
        "ita": corpus(select(rows, "ita")),
        "eng": corpus(select(rows, "eng")),
        "jpn": corpus(select(rows, "jpn"), "chars"),
    }
    for language, value in expected.items():
        row = find_number(summary, "headline", language, **AV)
        assert row.estimate == pytest.approx(value, rel=1e-12)
        assert Signature.parse(row.signature).get("rate") == ("cer" if language == "jpn" else "wer")
    overall = find_number(summary, "headline", **AV)
    assert overall.estimate == pytest.approx(np.mean(list(expected.values())), rel=1e-12)
    pooled = [r for r in summary if r.metric == "headline" and r.language == "all"]
    assert {r.aggregation for r in pooled} == {"macro-language"}


def test_gain_is_the_drop_from_the_static_face(rows, summary):
    for language in (None, "ita", "jpn"):
        gain = find_number(summary, "avlr_gain", language or "all", **AV)
        static, entry = (corpus(select(rows, language, face=face)) for face in ("static", "entry"))
        assert gain.estimate == pytest.approx(static - entry, rel=1e-12)
        assert gain.higher_is_better is True
        assert gain.unit == "points"
        assert gain.ci95[0] < gain.estimate < gain.ci95[1]
    assert find_number(summary, "avlr_gain", modality="av") is None  # no static face on clean audio


def test_geometry_pools_frames(rows, summary):
    sums = [r.geometry for r in rows if isinstance(r, GeometryRow)]
    for metric in ("lve_mm", "lve_sq_m2", "lve_centred_mm", "lve_aligned_mm", "lve_mean_mm", "mve_mm"):
        row = find_number(summary, metric)
        frames = sum(g.frames for g in sums)
        assert row.estimate == pytest.approx(sum(g[f"{metric}_sum"] for g in sums) / frames, rel=1e-12)
        by_clip = find_number(summary, metric, aggregation="macro-clip")
        means = [g[f"{metric}_sum"] / g.frames for g in sums]
        assert by_clip.estimate == pytest.approx(np.mean(means), rel=1e-12)
        assert row.modality is row.snr_db is row.noise is None
    signed, absolute = find_number(summary, "fdd_m2"), find_number(summary, "fdd_abs_m2")
    assert signed.estimate == pytest.approx(np.mean([g["fdd_m2"] for g in sums]), rel=1e-12)
    assert absolute.estimate == pytest.approx(np.mean([abs(g["fdd_m2"]) for g in sums]), rel=1e-12)
    assert signed.higher_is_better is None
    assert absolute.higher_is_better is False


def test_every_number_has_interval_counts_and_signature(summary):
    keys = [(r.metric, r.modality, r.snr_db, r.noise, r.language, r.aggregation) for r in summary]
    assert len(set(keys)) == len(keys)
    for row in summary:
        low, high = row.ci95
        assert low <= row.estimate <= high or row.metric == "fdd_m2"
        assert row.n_clips == row.n_expected == (18 if row.language == "all" else 6)
        assert row.reason is None
        signature = Signature.parse(row.signature)
        assert signature.metric == row.metric
        assert signature.get("n") == str(row.n_clips)
        assert signature.get("lang") == row.language
        assert signature.get("mod") == row.modality
        assert TypeAdapter(SummaryRow).validate_python(json.loads(json.dumps(row.to_json()))) == row
    assert len({r.signature for r in summary}) == len(summary)


def test_signatures_name_what_a_number_depends_on(summary):
    def of(metric, **where):
        return Signature.parse(find_number(summary, metric, **where).signature)

    heard_and_seen, heard, seen = of("wer", **AV), of("wer", modality="a"), of("wer", modality="v")
    assert heard_and_seen.get("noise") == "all(babble#aaaaaaaa,music#bbbbbbbb)"
    assert (heard.get("render"), heard.get("mix")) == (None, "rms")
    assert (seen.get("render"), seen.get("mix")) == ("software", None)
    assert of("lve_mm").get("mask") == "lips-4#01020304"
    assert of("fdd_m2").get("mask") == "upper_face-4#05060708"
    assert of("fdd_m2").get("template") == "identity"
    assert (of("lve_mm").get("template"), of("lve_mm").get("rec")) == (None, None)
    assert of("per", **AV).get("norm") is None
    settings = list_signatures(summary, CONTEXT, replicates=500)
    assert set(settings) >= {"wer|av", "wer|a", "wer|v", "lve_mm", "headline|av"}
    assert "bench:toy@1#00112233445566778899" in settings["wer|av"]
    assert "|lang:" not in settings["wer|av"]


def test_order_of_rows_does_not_matter(rows, summary):
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    assert aggregate(shuffled, CLIPS, CONTEXT, replicates=500) == summary


def test_rows_read_back_give_the_same_summary(rows, summary):
    again = [row_from_json(json.loads(json.dumps(row.to_json()))) for row in rows]
    assert aggregate(again, CLIPS, CONTEXT, replicates=500) == summary


def test_a_languages_numbers_do_not_depend_on_other_languages(rows, summary):
    alone = aggregate(
        [r for r in rows if r.language == "ita"],
        [c for c in CLIPS if c.language == "ita"],
        CONTEXT,
        replicates=500,
    )
    assert [r for r in alone if r.language == "ita"] == [r for r in summary if r.language == "ita"]


def test_uncovered_language_is_not_a_zero(rows):
    changed = [
        r
        if r.language != "jpn" or isinstance(r, GeometryRow)
        else replace(r, hypothesis=None, words=None, chars=None, phones=None, reason="language not covered")
        for r in rows
    ]
    summary = aggregate(changed, CLIPS, CONTEXT, replicates=200)
    for metric in ("wer", "cer", "per", "headline", "avlr_gain"):
        row = find_number(summary, metric, "jpn", **AV)
        assert (row.estimate, row.ci95, row.n_clips, row.n_expected) == (None, None, 0, 6)
        assert "language not covered (6 clips)" in row.reason
        overall = find_number(summary, metric, **AV)
        assert overall.n_clips == 12
        assert "without jpn" in overall.reason
    languages = [corpus(select(rows, lang)) for lang in ("ita", "eng")]
    macro = find_number(summary, "headline", **AV)
    assert macro.estimate == pytest.approx(np.mean(languages), rel=1e-12)


def test_missing_clip_stays_visible(rows):
    kept = [r for r in rows if r.clip != "ita-3"]
    summary = aggregate(kept, CLIPS, CONTEXT, replicates=200)
    for row in summary:
        if row.language in ("ita", "all"):
            assert row.n_clips == row.n_expected - 1
            assert "no result (1 clip)" in row.reason
        else:
            assert row.n_clips == row.n_expected
            assert row.reason is None


def test_pooled_noise_needs_every_noise(rows):
    kept = [r for r in rows if isinstance(r, GeometryRow) or (r.clip, r.noise) != ("ita-3", "music")]
    summary = aggregate(kept, CLIPS, CONTEXT, replicates=200)
    assert find_number(summary, "wer", "ita", **AV).n_clips == 5
    assert find_number(summary, "wer", "ita", **(AV | {"noise": "babble"})).n_clips == 6
    assert find_number(summary, "wer", "ita", **(AV | {"noise": "music"})).n_clips == 5


def test_no_ground_truth_is_not_applicable(rows):
    changed = [
        replace(r, geometry=None, reason="no ground truth") if isinstance(r, GeometryRow) else r for r in rows
    ]
    summary = aggregate(changed, CLIPS, CONTEXT, replicates=200)
    for metric in ("lve_mm", "mve_mm", "fdd_abs_m2"):
        row = find_number(summary, metric)
        assert (row.estimate, row.ci95, row.n_clips) == (None, None, 0)
        assert "no ground truth (18 clips)" in row.reason
    assert find_number(summary, "wer", **AV).estimate is not None


def test_no_phones_is_not_applicable(rows):
    changed = [r if isinstance(r, GeometryRow) else replace(r, phones=None) for r in rows]
    row = find_number(aggregate(changed, CLIPS, CONTEXT, replicates=200), "per", **AV)
    assert (row.estimate, row.reason) == (None, "no phones (18 clips)")


def test_single_source_has_no_interval(rows):
    clips = [Clip(c.id, c.language, "one") if c.language == "ita" else c for c in CLIPS]
    summary = aggregate(rows, clips, CONTEXT, replicates=200)
    assert find_number(summary, "wer", "ita", **AV).ci95 is None
    assert "ci" not in dict(Signature.parse(find_number(summary, "wer", "ita", **AV).signature).fields)
    assert find_number(summary, "wer", "eng", **AV).ci95 is not None
    assert find_number(summary, "wer", **AV).ci95 is None


def test_empty_references_only():
    clips = [Clip(f"c{i}", "eng", f"s{i}") for i in range(2)]
    rows = [
        measure_recognition(
            clip=c.id, language="eng", source=c.source, condition=Condition("a"),
            reference="…", hypothesis=Hypothesis("word"),
        )
        for c in clips
    ]  # fmt: skip
    summary = aggregate(rows, clips, replicates=50)
    row = find_number(summary, "wer", modality="a")
    assert (row.estimate, row.ci95, row.reason) == (None, None, "every reference is empty")
    assert find_number(summary, "wer", modality="a", aggregation="macro-clip").estimate == 100.0


def test_foreign_and_duplicate_rows_are_refused(rows):
    with pytest.raises(ValueError, match="'ita-0', which the benchmark does not have"):
        aggregate(rows, CLIPS[1:])
    with pytest.raises(ValueError, match="two rows of clip 'ita-0'"):
        aggregate([*rows, rows[0]], CLIPS)
    with pytest.raises(ValueError, match="two rows"):
        aggregate([*rows, next(r for r in rows if isinstance(r, GeometryRow))], CLIPS)


def test_interval_is_of_percentiles_over_sources(rows, summary):
    """The language interval equals a plain bootstrap over the three sources."""
    from mtbench.statistics import bootstrap_sums, percentile_interval

    chosen = select(rows, "eng")
    values = np.array([[r.words.errors, r.words.reference_length] for r in chosen], dtype=float)
    samples = bootstrap_sums(values, [r.source for r in chosen], replicates=500, name="eng")
    expected = percentile_interval(100 * samples[:, 0] / samples[:, 1])
    assert find_number(summary, "wer", "eng", **AV).ci95 == pytest.approx(expected, rel=1e-12)
