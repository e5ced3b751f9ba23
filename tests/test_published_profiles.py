"""The profiles of published evaluations: parity with the original scripts through a score, from sound to table."""

import json

import fakes
import numpy as np
import pytest
import soundfile
from conftest import GOLDEN
from typer.testing import CliRunner

import mtbench
from mtbench.avsr import Hypothesis, ask_for, load_recognizer
from mtbench.avsr.base import SearchError
from mtbench.cli.app import app
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.leaderboard import build_leaderboard
from mtbench.results import entries_table, find_number, languages_table, read_results
from mtbench.results.comparability import find_conflicts
from mtbench.results.signature import Signature
from mtbench.scoring import RECOMMENDED, Profile, load_profile
from mtbench.speech import language_code, load_noises, mix_as_published

MULTITALK, MUAVIC = load_profile("multitalk-2024"), load_profile("muavic")
EXPECTED = json.loads((GOLDEN / "wer_a" / "expected.json").read_text("utf-8"))
#: Golden sentences by language, and how many frames the first clip of a language has; each next one has one more.
SENTENCES = {language_code(code): found["items"] for code, found in EXPECTED["languages"].items()}
FIRST_FRAMES = 3
AV = {"modality": "av", "noise": "all"}


class Scribe:
    """Gives the golden hypotheses: a clip is known by language and length."""

    name, digest, languages = "scribe", "00112233445566778899", frozenset(SENTENCES)

    def __init__(self, decoding="own-search"):
        self.decoder = decoding

    def transcribe(self, crops, audio, language, lexicon=None):
        said = []
        for sound in audio:
            frames = len(crops) if sound is None else len(sound) // 640
            said.append(Hypothesis(SENTENCES[language][frames - FIRST_FRAMES]["hypothesis"]))
        return said


def load_scribe(decoding="own-search"):
    if decoding not in ("own-search", "greedy", "beam-5"):
        raise SearchError(f"scribe knows no search {decoding!r}")
    return Scribe(decoding)


SCRIBE = "test_published_profiles:load_scribe"


def write_noises(folder):
    """Made-up recordings under the published names, laid out as they are published."""
    rng = np.random.default_rng(7)
    for part, name, kind in (
        ("indoors", "dog-playing", "FLOAT"),
        ("indoors", "kids-playing", "FLOAT"),
        ("music", "leave_it_to_the_experts", "PCM_16"),
    ):
        (folder / part).mkdir(parents=True, exist_ok=True)
        noise = 0.1 * rng.standard_normal(9000 + 4000 * (part == "music"))
        soundfile.write(folder / part / f"{name}.wav", noise, 16000, subtype=kind)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    clips = {}
    for language, items in SENTENCES.items():
        for i, item in enumerate(items):
            text = json.dumps(item["reference"], ensure_ascii=False)[1:-1]
            clips[f"{language}-{i}"] = (language, FIRST_FRAMES + i, text)
    fakes.make_benchmark(root / "golden" / "small", clips, noises=0)
    fakes.make_entry(root / "golden" / "entry", clips)
    fakes.make_benchmark(root / "small")
    fakes.make_entry(root / "entry")
    fakes.make_entry(root / "still", amplitude=0.1)
    write_noises(root / "noise_samples")
    return root


def score_golden(place, **options):
    options = {"recognizer": SCRIBE, "workers": 1, "cache": place / "cache"} | options
    options = {"noise": place / "noise_samples"} | options
    return mtbench.score(place / "golden" / "entry", place / "golden" / "small", **options)


def score(place, entry="entry", **options):
    options = {"recognizer": ask_for(SEARCHING), "workers": 1, "cache": place / "cache"} | options
    options = {"noise": place / "noise_samples"} | options
    return mtbench.score(place / entry, place / "small", **options)


class Searching(fakes.OneEar):
    def __init__(self, decoding):
        self.decoder = decoding


def load_searching(decoding="own-search"):
    return Searching(decoding)


SEARCHING = "test_published_profiles:load_searching"


# Mixing


@pytest.mark.parametrize("case", range(5))
def test_published_mixing_is_that_of_the_originals_to_the_last_bit(case, tmp_path):
    arrays = np.load(GOLDEN / "frontend_a" / "io.npz", allow_pickle=False)
    info = json.loads((GOLDEN / "frontend_a" / "info.json").read_text())["add_noise"][case]
    signal, noise, mixed = (arrays[f"noise{case}_{part}"] for part in ("signal", "noise", "mixed"))
    np.testing.assert_array_equal(mix_as_published(signal, noise, info["snr_db"]), mixed)
    # And as a score mixes: from a file, with speech in -1..1.
    soundfile.write(
        tmp_path / "hum.wav", noise, 16000, subtype="PCM_16" if noise.dtype == "int16" else "FLOAT"
    )
    recording = load_noises(tmp_path, mixing="published")["hum"]
    speech = signal.astype(np.float32) / np.float32(32768)
    np.testing.assert_array_equal(recording.mix(speech, info["snr_db"], "any-clip"), mixed)


def test_published_mixing_refuses_what_has_no_ratio():
    tone = np.array([100, -100], np.int16)
    for speech, noise, snr, what in (
        (0 * tone, tone, 0.0, "silent speech"),
        (tone, 0 * tone, 0.0, "silent noise"),
        (tone, tone, float("nan"), "finite"),
    ):
        with pytest.raises(UsageError, match=what):
            mix_as_published(speech, noise, snr)


def test_every_clip_gets_the_beginning_of_a_recording(place):
    folder = place / "noise_samples"
    names = MULTITALK.noises
    published, own = load_noises(folder, names, "published"), load_noises(folder, names)
    assert published.names == own.names == tuple(sorted(names))
    assert {n.offset(clip) for n in published.noises for clip in ("a", "b")} == {0}
    assert len({n.offset(clip) for n in own.noises for clip in ("a", "b")}) > 1
    assert published.digest != own.digest


# Noises that cannot ship


def test_missing_recordings_are_said_with_files_folder_and_where_they_are_published(place, tmp_path):
    with pytest.raises(PrerequisiteError) as told:
        score(place, profile="multitalk-2024", noise=None)
    text = str(told.value)
    assert str(place / "small" / "noise") in text
    for part in (
        "profile 'multitalk-2024'",
        "indoors/dog-playing.wav, indoors/kids-playing.wav, music/leave_it_to_the_experts.wav",
        "CC-BY-NC",
        "https://dl.fbaipublicfiles.com/muavic/noise_samples.tgz",
        "--noise FOLDER",
    ):
        assert part in text
    with pytest.raises(PrerequisiteError, match="no folder of noise recordings was given: no recording dog"):
        score(place, profile="multitalk-2024", noise="none")
    (write_noises(tmp_path) / "indoors" / "kids-playing.wav").unlink()
    with pytest.raises(
        PrerequisiteError, match=r"no recording kids-playing; expected indoors/kids-playing.wav"
    ):
        score(place, profile="multitalk-2024", noise=tmp_path)
    # Another name is a wrong name as before.
    with pytest.raises(UsageError, match="unknown noise rain; this set has babble, hiss"):
        score(place, noise=None, noise_names=["rain"])


def test_vertex_errors_need_no_recordings(place):
    run = score(place, profile="multitalk-2024", noise=None, recognizer=None)
    assert run.estimate("lve_sq_m2", language="all", aggregation="frame") > 0


def test_recordings_may_lie_in_the_folder_itself_and_others_are_left_alone(place, tmp_path):
    for file in (place / "noise_samples").rglob("*.wav"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "party").mkdir()
    soundfile.write(tmp_path / "party" / "noise_it.wav", np.ones(100), 16000)
    flat = score(place, profile="multitalk-2024", noise=tmp_path, workers=2)
    tree = score(place, profile="multitalk-2024")
    assert flat.settings["noises"] == tree.settings["noises"]
    assert [row.estimate for row in flat.summary] == [row.estimate for row in tree.summary]
    # A recording that is silent where a clip begins has no ratio there; before, another part was heard.
    quiet = np.concatenate([np.zeros(30 * 640), np.ones(1000)])
    soundfile.write(tmp_path / "kids-playing.wav", quiet, 16000)
    with pytest.raises(BenchmarkError, match="noise kids-playing is silent in the part that clip"):
        score(place, profile="multitalk-2024", noise=tmp_path)


# Numbers


def test_multitalk_gives_the_original_scripts_word_errors(place, tmp_path):
    run = score_golden(place, profile="multitalk-2024", out=tmp_path)
    for summary in (run.summary, mtbench.rescore(run.folder, out=tmp_path / "again").summary):
        for code, found in EXPECTED["languages"].items():
            for metric, rate in (("headline", "wer"), ("wer", "wer"), ("cer", "cer")):
                for snr_db in (-7.5, -10.0):
                    number = find_number(summary, metric, language_code(code), snr_db=snr_db, **AV)
                    assert number.aggregation == "macro-clip"
                    expected = 100 * found[f"multitalk_macro_{rate}"]
                    assert number.estimate == pytest.approx(expected, rel=1e-9)
        overall = find_number(summary, "headline", snr_db=-7.5, **AV)
        assert overall.estimate == pytest.approx(
            100 * EXPECTED["all_languages"]["multitalk_macro_wer"], rel=1e-9
        )
        assert "|rt:wer|" in overall.signature
        assert "|mn:macro-clip|a:macro-clip|" in overall.signature
    # The other average stands beside it, under its own name.
    pooled = find_number(run.summary, "wer", snr_db=-7.5, aggregation="corpus", **AV)
    assert pooled.estimate != overall.estimate
    assert "|mn:" not in pooled.signature


def test_what_was_recognized_already_is_counted_by_another_profiles_rules(place, tmp_path):
    plain = score_golden(place, noise_names=list(MULTITALK.noises), out=tmp_path)
    again = mtbench.rescore(plain.folder, profile="multitalk-2024", out=tmp_path / "again")
    for code, found in EXPECTED["languages"].items():
        number = find_number(again.summary, "headline", language_code(code), snr_db=-7.5, **AV)
        assert number.estimate == pytest.approx(100 * found["multitalk_macro_wer"], rel=1e-9)
    told = again.settings["recognition"]["profile"]
    assert told == "recommended+noises+normalizer+aggregation+rate+shown"
    assert Signature.parse(again.signatures["headline|av"]).get("mix") == "rms@1(12345)"
    assert "LVE, squared 1e-5 m²" in entries_table([again]).header
    # And back, by either door.
    for options in ({"profile": "recommended"}, {"profile": RECOMMENDED, "normalizer": "uni-v1"}):
        back = mtbench.rescore(again.folder, **options, out=tmp_path / "back")
        assert (back.signatures, back.settings) == (plain.signatures, plain.settings)
        assert read_results(back.folder)[0].summary == read_results(plain.folder)[0].summary
    mixed = mtbench.rescore(again.folder, normalizer="muavic-13a", out=tmp_path / "mixed")
    assert mixed.averaging == MULTITALK.averaging
    done = CliRunner().invoke(app, ["rescore", str(plain.folder), "--profile", "nobody"])
    assert isinstance(done.exception, UsageError)


def test_clips_keep_the_original_scripts_word_errors(place, tmp_path):
    _, rows = read_results(score_golden(place, profile="multitalk-2024", out=tmp_path).folder)
    for row in rows:
        if getattr(row, "modality", None) is not None:
            item = SENTENCES[row.language][int(row.clip.rpartition("-")[2])]
            assert (row.words.rate, row.chars.rate) == (item["multitalk_wer"], item["multitalk_cer"])


def test_muavic_gives_fairseqs_corpus_word_errors(place):
    run = score_golden(place, profile="muavic", noise=place / "noise_samples" / "indoors")
    assert run.settings["recognition"]["dec"] == "beam-5"
    for code, found in EXPECTED["languages"].items():
        number = find_number(run.summary, "headline", language_code(code), snr_db=0.0, **AV)
        assert number.aggregation == "corpus"
        assert number.estimate == pytest.approx(found["fairseq_corpus_wer_percent"], rel=1e-9)
    pooled = find_number(run.summary, "wer", snr_db=0.0, **AV)
    assert pooled.estimate == pytest.approx(EXPECTED["all_languages"]["fairseq_corpus_wer_percent"], rel=1e-9)


def test_settings_of_the_published_profiles():
    assert (MULTITALK.snrs, MULTITALK.decoding, MULTITALK.normalizer) == (
        (-7.5, -10.0),
        "greedy",
        "multitalk",
    )
    assert MULTITALK.noises == ("dog-playing", "kids-playing", "leave_it_to_the_experts")
    assert (MUAVIC.snrs, MUAVIC.decoding, MUAVIC.normalizer) == ((0.0,), "beam-5", "muavic-13a")
    assert MUAVIC.aggregation == RECOMMENDED.aggregation
    # What nobody asked for leaves no trace.
    assert (RECOMMENDED.mixing, RECOMMENDED.rate, RECOMMENDED.squash) == ("rms", "headline-v1", False)
    assert RECOMMENDED.averaging.settings() == {}


@pytest.mark.parametrize("settings", [{"mixing": "loud"}, {"rate": "mer"}, {"aggregation": "macro-clip"}])
def test_impossible_settings_are_refused_with_what_is_known(settings):
    with pytest.raises(UsageError, match=r"profile 'odd': unknown .*; known: '"):
        Profile("odd", **settings)


def test_a_metric_that_is_not_there_cannot_be_shown(place):
    with pytest.raises(UsageError, match="profile 'odd': unknown geometric metric wer; known: lve_mm"):
        score(place, profile=Profile("odd", shown=("wer",)), recognizer=None)


# What stands in results


def test_signatures_tell_everything_that_differs(place):
    plain, published = score(place, noise=None), score(place, profile="multitalk-2024")
    told = {
        key: Signature.parse(published.signatures[key]) for key in ("headline|av", "wer|a", "avlr_gain|av")
    }
    assert {
        (s.get("profile"), s.get("mix"), s.get("mean"), s.get("norm"), s.get("dec")) for s in told.values()
    } == {("multitalk-2024", "published@1", "macro-clip", "multitalk", "greedy")}
    assert (told["headline|av"].get("rate"), told["wer|a"].get("rate")) == ("wer", None)
    own = Signature.parse(plain.signatures["headline|av"])
    wanted = ("rms@1(12345)", None, "headline-v1", "mouth96@1")
    assert tuple(map(own.get, ("mix", "mean", "rate", "crop"))) == wanted
    assert "shown" not in plain.settings
    assert set(plain.settings["recognition"]) == {"profile", "norm", "rec", "dec", "lexicon"}


def test_results_of_two_profiles_are_never_compared_silently(place, tmp_path):
    runs = {
        "plain": score(place, out=tmp_path, noise_names=list(MULTITALK.noises)),
        "multitalk": score(place, "still", out=tmp_path, profile="multitalk-2024"),
        "muavic": score(place, out=tmp_path, profile="muavic", noise_names=list(MULTITALK.noises), snr=[-7.5, -10]),
        # The averaging alone, and the headline's rate alone: settings that change no row.
        "averaged": score(
            place, out=tmp_path, noise_names=list(MULTITALK.noises),
            profile=Profile("averaged", aggregation=MULTITALK.aggregation),
        ),
        "worded": score(
            place, out=tmp_path, noise_names=list(MULTITALK.noises), profile=Profile("worded", rate="wer")
        ),
    }  # fmt: skip
    assert len({run.folder for run in runs.values()}) == len(runs)
    for one in runs.values():
        for other in runs.values():
            if one is not other:
                with pytest.raises(UsageError, match="cannot be compared, they were scored differently"):
                    mtbench.compare(one.folder, other.folder)
    assert any("mean: None != macro-clip" in line for line in find_conflicts(runs["plain"], runs["averaged"]))
    assert any("rate: headline-v1 != wer" in line for line in find_conflicts(runs["plain"], runs["worded"]))
    build_leaderboard(tmp_path, tmp_path / "board")
    board = (tmp_path / "board" / "leaderboard.md").read_text("utf-8")
    titles = [line for line in board.splitlines() if ", all languages:" in line]
    assert len(titles) == len(runs)
    assert sum("profile multitalk-2024" in line for line in titles) == 1
    assert sum("profile" in line for line in titles) == len(runs) - 1


def test_two_entries_of_one_profile_are_compared_by_its_average(place, tmp_path):
    one, other = (score(place, entry, out=tmp_path, profile="multitalk-2024") for entry in ("entry", "still"))
    found = mtbench.compare(one.folder, other.folder, replicates=100, trials=100)
    checked = 0
    for metric in ("headline", "wer", "avlr_gain"):
        for language in ("all", "eng", "jpn"):
            for d in found.find(metric, language, modality="av", snr_db=-7.5, noise="all"):
                a, b = (
                    find_number(run.summary, metric, language, snr_db=-7.5, aggregation=d.aggregation, **AV)
                    for run in (one, other)
                )
                assert (d.a, d.b) == pytest.approx((a.estimate, b.estimate), rel=1e-9)
                checked += 1
    assert checked == 3 * (2 + 1 + 1)
    assert "wer (%), mean over clips" in found.table()
    build_leaderboard(tmp_path, tmp_path / "board")
    data = json.loads((tmp_path / "board" / "leaderboard.json").read_text("utf-8"))
    assert [len(group["entries"]) for group in data] == [2]


def test_tables_name_the_profile_its_average_and_its_lip_error(place):
    run = score(place, profile="multitalk-2024")
    text = entries_table([run]).to_text()
    assert text.splitlines()[0].endswith(", profile multitalk-2024")
    assert "Rates are means over clips, then over noises, of each clip's WER" in text
    assert "LVE, squared 1e-5 m²" in text
    headline = find_number(run.summary, "headline", snr_db=-7.5, **AV)
    assert headline.aggregation == "macro-clip"
    assert f" {headline.estimate:.1f} " in text
    by_language = languages_table([run]).to_text()
    assert "Japanese " in by_language
    assert "Japanese*" not in by_language
    assert "character error" not in by_language
    plain = score(place, noise=None)
    text = entries_table([plain]).to_text()
    assert "profile" not in text.splitlines()[0]
    assert "1e-5" not in text
    assert "Rates are means over languages of WER (CER for Japanese, Mandarin, Thai);" in text


# Search


def test_a_profiles_search_is_the_recognizers_or_an_error_never_another(place):
    assert score_golden(place, profile="multitalk-2024").settings["recognition"]["dec"] == "greedy"
    with pytest.raises(
        UsageError, match=r"profile 'wide' searches with 'beam-40': scribe knows no search.*'own'"
    ):
        score_golden(place, profile=Profile("wide", noises=MULTITALK.noises, decoding="beam-40"))
    with pytest.raises(
        UsageError, match=r"profile 'multitalk-2024' searches with 'greedy'.*takes no decoding"
    ):
        score(place, recognizer=fakes.ONE_EAR, profile="multitalk-2024")
    # Whoever names another one is told about that one alone.
    with pytest.raises(UsageError, match=r"^scribe knows no search 'beam-40'"):
        score_golden(place, recognizer=ask_for(SCRIBE, decoding="beam-40"), profile="multitalk-2024")


def test_the_recognizers_own_search_is_asked_for_by_name_and_named(place):
    own = ask_for(fakes.ONE_EAR, decoding="own")
    run = score(place, recognizer=own, profile="multitalk-2024")
    assert run.settings["recognition"]["profile"] == "multitalk-2024+decoding"
    # Where there was none to replace, nothing has changed.
    assert score(place, recognizer=own, noise=None).settings["recognition"]["profile"] == "recommended"


def test_openhead_says_which_of_its_searches_is_nearest_to_greedy(place):
    pytest.importorskip("torch")
    with pytest.raises(UsageError) as told:
        score(place, recognizer="openhead-av", profile="multitalk-2024")
    for part in (
        "profile 'multitalk-2024' searches with 'greedy'",
        "known: viterbi, beam",
        "nearest to a greedy",
    ):
        assert part in str(told.value)
    assert load_recognizer("openhead-av", decoding="viterbi").decoder.startswith("viterbi")


def test_muavics_recognizer_searches_as_each_profile_says(place, tmp_path, monkeypatch):
    """A checkpoint in MuAViC's layout with random weights, from files to a score."""
    pytest.importorskip("torch")
    pytest.importorskip("sentencepiece")
    from tiny_avhubert import write_published

    from mtbench.avsr.published import CATALOG, add_checkpoint

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    add_checkpoint(CATALOG["muavic:ita"], write_published(tmp_path))
    found = {}
    for profile in ("multitalk-2024", "muavic"):
        noise = place / "noise_samples" / ("" if profile == "multitalk-2024" else "music")
        run = score(place, recognizer="muavic:ita", profile=profile, noise=noise)
        settings = run.settings["recognition"]
        found[profile] = settings["dec"]
        assert settings["profile"] == profile
        number = find_number(run.summary, "headline", "ita", snr_db=max(load_profile(profile).snrs), **AV)
        assert number.n_clips == number.n_expected == 2
    assert found == {"multitalk-2024": "greedy(1,lp0)", "muavic": "beam(5,lp0)"}


# The squeezed video


def test_squeezed_pictures_are_other_crops_under_a_name_of_their_own(place):
    run, squeezed = (score(place, profile="multitalk-2024", squash=squash) for squash in (None, True))
    assert squeezed.settings["recognition"]["profile"] == "multitalk-2024+squash"
    assert squeezed.settings["video"]["crop"] == "mouth96@1/4:3"
    assert any("crop: mouth96@1 != mouth96@1/4:3" in line for line in find_conflicts(run, squeezed))
    assert squeezed.estimate("wer", snr_db=-7.5, language="all", aggregation="corpus", **AV) != run.estimate(
        "wer", snr_db=-7.5, language="all", aggregation="corpus", **AV
    )
    # Sound and geometry do not change.
    for metric in ("lve_mm", "lve_sq_m2"):
        assert [r.estimate for r in run.find(metric)] == [r.estimate for r in squeezed.find(metric)]
    again = score(place, profile="multitalk-2024", squash=True)
    assert {name: stage["computed"] for name, stage in again.timings["stages"].items()} == {
        "mixtures": 0, "crops": 0, "geometry": 0, "hypotheses": 0,
    }  # fmt: skip


# Command line


def test_a_published_profile_on_the_command_line(place, tmp_path):
    listed = CliRunner().invoke(app, ["ls", "profiles"]).output
    assert (
        "multitalk-2024   -7.5, -10 dB, multitalk, software, mouth96@1, search greedy, dog-playing" in listed
    )
    assert "muavic           0 dB, muavic-13a" in listed
    command = ["score", str(place / "entry"), "-b", str(place / "small"), "--recognizer", SEARCHING]
    command += ["--profile", "multitalk-2024", "--workers", "1", "--cache", str(place / "cache")]
    command += ["--out", str(tmp_path)]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, PrerequisiteError)
    done = CliRunner().invoke(app, [*command, "--noise", str(place / "noise_samples"), "--squash"])
    assert done.exit_code == 0, done.output
    assert "profile multitalk-2024+squash" in done.output
