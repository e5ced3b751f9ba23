"""Held-out engines: which sound ships and why, the halves for choosing and for testing, what is built on demand."""

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mtbench.benchmarks.benchmark import bundled_benchmarks, known_benchmarks, list_versions, load_benchmark
from mtbench.benchmarks.installed import ON_DEMAND, installed_benchmarks, installed_folder
from mtbench.benchmarks.phone_times import read_phone_times
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.synth import build_engines, engine_parts, engine_terms, engines
from mtbench.synth.benchmark_writer import clip_seed
from mtbench.synth.engine_parts import ALL, DEVELOPMENT, SHIPPED, TEST, find_clip_voice, find_half
from mtbench.synth.engine_terms import (
    BSD_LIKE,
    GPL_2,
    GPL_3,
    RECORDED,
    TERMS,
    find_terms,
    format_terms,
    list_packages,
)
from mtbench.synth.speaking_styles import EVERYDAY
from mtbench.synth.varied_articulation import animate_varied
from mtbench.timing import SAMPLE_RATE

ROOT = Path(__file__).parents[1]
GPL = {"lp", "pc", "dita", "krb", "machac", "ph", "nsk"}
#: Every clip there is, by language.
CLIPS = {
    code: [f"{code}-{i + 1:02d}" for i in range(10 if code == "eng" else 8)]
    for code in ("eng", "ita", "ces", "rus", "cat", "hin")
}


# Terms ---------------------------------------------------------------------------------------------------


def test_every_voice_has_terms_and_those_under_the_gpl_do_not_ship():
    assert [t.voice for t in TERMS] == [v.name for v in engines.VOICES]
    assert {t.voice for t in TERMS if t.license in (GPL_2, GPL_3)} == GPL
    assert {t.voice for t in TERMS if not t.ships} == GPL
    for terms in TERMS:
        if terms.made_of == RECORDED and terms.ships:
            assert terms.license == BSD_LIKE


@pytest.mark.parametrize("terms", TERMS, ids=lambda t: t.voice)
def test_terms_are_those_of_the_package(terms):
    stated = Path(f"/usr/share/doc/{terms.package}/copyright")
    if not stated.is_file():
        pytest.skip(f"the package {terms.package} is not installed")
    text = re.sub(r"\s+", " ", stated.read_text("utf-8"))
    said = {
        "BSD-like": "free of charge, to use and distribute this software",
        "LGPL-2.1 or later": "License: LGPL-2.1+",
        "GPL-2 or later": "version 2 of the License, or (at your option) any later version",
        "GPL-3 or later": "version 3 of the License, or (at your option) any later version",
    }
    assert said[terms.license] in text


def test_packages_are_what_the_voices_need():
    some = [engines.find_voice(name) for name in ("flite-rms", "flite-slt", "nsk", "nsh")]
    assert list_packages(some) == ["flite", "festival", "festvox-hi-nsk", "festival-hi", "festvox-ru"]


def test_the_document_and_the_credits_say_what_the_code_says():
    document = (ROOT / "docs" / "sound-licenses.md").read_text("utf-8")
    assert format_terms() in document
    assert f"apt-get install {' '.join(list_packages(engines.VOICES))}\n" in document
    assert ON_DEMAND[ALL] in document
    credits = (bundled_benchmarks()[SHIPPED] / "VOICES.txt").read_text("utf-8")
    shipped = [t.voice for t in TERMS if t.ships]
    assert credits == engine_terms.write_credits(shipped)
    assert not re.search(r"\| no \|", credits)
    # A BSD-like license wants its notice kept.
    for holder in ("Carnegie Mellon University", "Nagoya Institute of Technology", "Shmyrev", "Catalunya"):
        assert holder in credits.split("Notices of the voices")[1]
    told = engine_terms.write_credits(t.voice for t in TERMS)
    assert "GNU General Public License: lp, pc, dita, krb, machac, ph, nsk." in told


# Parts and halves ----------------------------------------------------------------------------------------


def test_the_shipped_part_holds_no_sound_of_another_voice():
    bench = load_benchmark(SHIPPED)
    assert bench.ref == "openhead-engines@3"
    ids = {clip.id for clip in bench.clips}
    assert ids == {c for clips in CLIPS.values() for c in clips if find_terms(find_clip_voice(c).name).ships}
    assert len(ids) == 26
    # No file is left of the others, named by the manifest or not.
    stems = {p.stem for p in bench.root.rglob("*") if p.is_file()}
    assert stems == {*ids, *bench.languages, "babble", "VOICES", "benchmark", "benchmark-4"}
    for version in list_versions(bench.root):
        text = version.manifest_path.read_text("utf-8")
        for clip in version.clips:
            voice = find_clip_voice(clip.id)
            head = f"# voice: {voice.name} ({voice.engine}), {find_half(clip.id)} half\n[[clips]]\n"
            assert head + f'id = "{clip.id}"' in text


def test_versions_differ_in_motion_alone():
    rules, varied = list_versions(bundled_benchmarks()[SHIPPED])
    # A digest that changes would part results from those that were made before.
    assert [(b.ref, b.digest[:8]) for b in (rules, varied)] == [
        ("openhead-engines@3", "b8fd042b"),
        ("openhead-engines@4", "010266e0"),
    ]
    assert (rules.manifest.articulation, varied.manifest.articulation) == ("", "everyday")
    assert (varied.lexicons, varied.noise_folder) == (rules.lexicons, rules.noise_folder)
    assert [clip.id for clip in varied.clips] == [clip.id for clip in rules.clips]
    for clip in varied.clips:
        other = rules.clip(clip.id)
        assert replace(clip, motion_path=None) == replace(other, motion_path=None)
        assert clip.motion_path != other.motion_path
        with np.load(clip.motion_path) as mine, np.load(other.motion_path) as theirs:
            assert str(mine["identity"]) == str(theirs["identity"])
            assert not np.array_equal(mine["units"], theirs["units"])
            # No engine is needed to make it again: phones, times and the clip's name say it all.
            made = animate_varied(
                read_phone_times(clip), clip.frames / 25, EVERYDAY, seed=clip_seed(SHIPPED, clip.id)
            )
            assert np.array_equal(mine["units"], made)
            assert mine["units"].dtype == made.dtype


def test_halves_are_balanced_over_voices_and_share_no_sentence():
    for code, clips in CLIPS.items():
        halves = Counter(find_half(clip) for clip in clips)
        assert halves[DEVELOPMENT] == halves[TEST] == len(clips) // 2
        by_voice = Counter((find_clip_voice(clip).name, find_half(clip)) for clip in clips)
        voices = {v.name for v in engines.VOICES if v.language == code}
        assert {name for name, _ in by_voice} == voices
        for name in voices:
            assert by_voice[name, DEVELOPMENT] == by_voice[name, TEST]
        said = {half: set() for half in halves}
        for i, clip in enumerate(clips):
            said[find_half(clip)].add(build_engines.SENTENCES[i % len(build_engines.SENTENCES)])
        assert not said[DEVELOPMENT] & said[TEST]


def test_halves_stay_as_they_are():
    """A change would mix what checkpoints were chosen on with what is reported."""
    assert [c for clips in CLIPS.values() for c in clips if find_half(c) == DEVELOPMENT] == [
        "eng-01", "eng-03", "eng-05", "eng-07", "eng-09", "ita-01", "ita-04", "ita-05", "ita-08",
        "ces-01", "ces-03", "ces-06", "ces-08", "rus-01", "rus-03", "rus-05", "rus-07",
        "cat-01", "cat-03", "cat-05", "cat-07", "hin-01", "hin-03", "hin-05", "hin-07",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["eng-00", "eng-1", "fra-01", "eng-01x", ""])
def test_what_is_no_clip_has_no_half(name):
    with pytest.raises(UsageError, match="is no clip of openhead-engines"):
        find_half(name)


# On demand -----------------------------------------------------------------------------------------------


def test_what_was_not_built_says_how_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    assert installed_benchmarks() == {}
    with pytest.raises(UsageError, match=re.escape(ON_DEMAND[ALL])):
        load_benchmark(ALL)
    with pytest.raises(UsageError, match=re.escape(ON_DEMAND[ALL])):
        load_benchmark(f"{ALL}@3")


def test_a_user_without_a_home_has_the_bundled_ones(monkeypatch):
    def fail():
        raise PrerequisiteError("no home")

    monkeypatch.setattr("mtbench.benchmarks.installed.data_folder", fail)
    assert known_benchmarks() == bundled_benchmarks()


def test_the_bundled_one_goes_before_one_of_its_name(tmp_path, monkeypatch):
    import fakes

    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    fakes.make_benchmark(tmp_path / "benchmarks" / SHIPPED)
    fakes.make_benchmark(tmp_path / "benchmarks" / "mine")
    assert load_benchmark(SHIPPED).root == bundled_benchmarks()[SHIPPED]
    assert load_benchmark("mine").root == tmp_path / "benchmarks" / "mine"
    assert list(known_benchmarks()) == [*bundled_benchmarks(), "mine"]


@pytest.fixture
def spoken(tmp_path, monkeypatch):
    """Voices that need no engine: a vowel a word, in a data folder of the test's own."""
    from mtbench.synth.texts import fetch_udhr
    from mtbench.synth.utterances import Phone, Speech, Word

    pytest.importorskip("pykakasi", reason="the extra [synth] is not installed")
    try:
        fetch_udhr()
    except PrerequisiteError as error:
        pytest.skip(str(error))

    def speak(text, voice):
        tokens = text.split()
        times = np.linspace(0.0, 3.0, len(tokens) + 1)
        rng = np.random.default_rng(len(voice.name) + len(text))
        phones = tuple(Phone("a", float(a), float(b)) for a, b in pairwise(times))
        words = tuple(
            Word(i, t, p.start, p.end, slice(i, i + 1)) for i, (t, p) in enumerate(zip(tokens, phones))
        )
        return Speech(rng.normal(size=3 * SAMPLE_RATE).astype(np.float32) * 0.1, phones, words)

    monkeypatch.setattr(build_engines, "speak", speak)
    monkeypatch.setattr(engines.EngineVoice, "installed", property(lambda voice: True))
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_command_builds_all_voices_where_they_are_found_by_name(spoken):
    from typer.testing import CliRunner

    from mtbench.cli.app import app

    done = CliRunner().invoke(app, ["benchmark", "build", "openhead-engines", "--all"])
    assert done.exit_code == 0, done.output
    whole = load_benchmark("openhead-engines-all@3")
    assert whole.root == installed_folder(ALL)
    assert [clip.id for clip in whole.clips] == [c for clips in CLIPS.values() for c in clips]
    assert set(re.findall(r"^# voice: (\S+)", (whole.root / "benchmark.toml").read_text("utf-8"), re.M)) == {
        v.name for v in engines.VOICES
    }
    done = CliRunner().invoke(app, ["benchmark", "build", "openhead-engines"])
    assert done.exit_code == 0, done.output
    part = load_benchmark(spoken / SHIPPED)
    assert part.ref == "openhead-engines@3"
    # Whatever is in both is the same in both.
    assert {clip.id for clip in part.clips} == {clip.id for clip in load_benchmark(SHIPPED).clips}
    for clip in part.clips:
        other = whole.clip(clip.id)
        for mine, theirs in (
            (clip.audio_path, other.audio_path),
            (clip.motion_path, other.motion_path),
            (clip.phone_times_path, other.phone_times_path),
        ):
            assert mine.read_bytes() == theirs.read_bytes()
        assert (clip.source, clip.transcript, clip.phones) == (other.source, other.transcript, other.phones)
    assert part.digest != whole.digest
    varied = load_benchmark("openhead-engines-all@4")
    assert varied.root == whole.root
    for clip in list_versions(part.root)[1].clips:
        assert clip.motion_path.read_bytes() == varied.clip(clip.id).motion_path.read_bytes()
        assert clip.motion_path.read_bytes() != whole.clip(clip.id).motion_path.read_bytes()
        assert clip.audio_path == part.clip(clip.id).audio_path
    # A second build takes the first one's place; another benchmark's folder is left alone.
    with pytest.raises(UsageError, match="something other"):
        build_engines.build_engines_benchmark(installed_folder(ALL), every_voice=False)


def test_the_command_refuses_what_it_cannot_build(spoken):
    from typer.testing import CliRunner

    from mtbench.cli.app import app

    for arguments, message in (
        (["openhead-20", "--all"], "--all is for openhead-engines"),
        (["openhead-21"], "unknown benchmark"),
    ):
        done = CliRunner().invoke(app, ["benchmark", "build", *arguments])
        assert isinstance(done.exception, UsageError)
        assert message in str(done.exception)


def test_a_missing_voice_is_told_with_its_packages(monkeypatch, tmp_path):
    missing = {"lp", "nsk"}
    monkeypatch.setattr(engines.EngineVoice, "installed", property(lambda voice: voice.name not in missing))
    with pytest.raises(PrerequisiteError) as told:
        build_engines.build_engines_benchmark(tmp_path / "all", every_voice=True)
    assert "lp, nsk" in str(told.value)
    assert "apt-get install festival festvox-italp16k festvox-hi-nsk festival-hi" in str(told.value)


@pytest.mark.slow
@pytest.mark.synth
def test_the_shipped_clips_are_built_again_byte_for_byte(tmp_path):
    absent = [v.name for v in engines.VOICES if find_terms(v.name).ships and not v.installed]
    if absent:
        pytest.skip(f"voices are not installed: {', '.join(absent)}")
    built = build_engines.build_engines_benchmark(tmp_path / SHIPPED)
    bundled = bundled_benchmarks()[SHIPPED]
    names = {p.relative_to(built) for p in built.rglob("*") if p.is_file()}
    assert names == {p.relative_to(bundled) for p in bundled.rglob("*") if p.is_file()}
    for name in names:
        assert (built / name).read_bytes() == (bundled / name).read_bytes(), name


def test_a_clip_has_one_seed_whichever_part_it_is_of():
    assert engine_parts.seed_name(ALL) == engine_parts.seed_name(SHIPPED) == SHIPPED
    assert engine_parts.seed_name("openhead-20") == "openhead-20"
