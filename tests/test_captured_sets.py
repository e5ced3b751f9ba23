"""Recognizers on captured motion: segments, windows, ranks, recall, the card, and recognizers that cannot read."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from mtbench.avsr import Hypothesis
from mtbench.avsr.evaluation import (
    CapturedResult,
    MouthSample,
    cut_windows,
    format_result,
    measure_answers,
    measure_set,
    open_set,
    show_samples,
    write_captured_part,
    write_lexicon_part,
)
from mtbench.avsr.evaluation.mouth_answers import HEARD_WINDOWS
from mtbench.avsr.evaluation.viseme_recall import count_recalled
from mtbench.banks import BankWriter, Excerpt, cut_segments
from mtbench.benchmarks import PhoneTime
from mtbench.errors import BankError, UsageError
from mtbench.faces import load_head
from mtbench.meta import format_chains, order_captured
from mtbench.speech import load_noises

WORDS = ("mama", "papu", "sifu", "fasu", "busa", "pima")


def sample(index, language="eng", frames=40):
    rng = np.random.default_rng(index)
    crops = rng.integers(0, 255, (frames, 96, 96), np.uint8)
    sound = rng.normal(0, 0.1, 640 * frames).astype(np.float32)
    return MouthSample(
        f"s{index}", f"s{index}", language, crops, np.repeat(crops[:1], frames, 0), sound, tuple(WORDS[index])
    )


SAMPLES = [sample(i) for i in range(len(WORDS))]


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    import soundfile

    folder = tmp_path_factory.mktemp("noise")
    for name, seed in (("babble", 1), ("hiss", 2)):
        noise = 0.2 * np.random.default_rng(seed).uniform(-1, 1, 24000)
        soundfile.write(folder / f"{name}.wav", noise, 16000)
    return load_noises(folder)


class Reader:
    """Reads the true motion, and hears half of what is said."""

    name, digest, languages = "reader", "0" * 16, frozenset({"eng"})

    def transcribe(self, crops, audio, language, lexicon=None):
        raise AssertionError("asked without a reference")

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        own = next(s for s in SAMPLES if s.phones == reference.phones)
        face = None if crops is None else self.name_face(own, crops)
        return [self.answer(face, sound is not None, own.phones) for sound in audio]

    @staticmethod
    def name_face(own, crops):
        if np.array_equal(crops, own.crops):
            return "truth"
        return "static" if np.array_equal(crops, own.static) else "shuffled"

    def answer(self, face, hears, phones):
        if face == "truth":
            return Hypothesis("", phones, -0.5 * len(phones), len(phones))
        right = phones[:2] if hears else ()
        if face == "shuffled":
            right = (*right, "k", "k", "k", "k")
        return Hypothesis("", right, -3.0 * len(phones), len(phones))


class Blind(Reader):
    """Hears, and sees nothing."""

    name = "blind"

    def answer(self, face, hears, phones):
        return Hypothesis("", phones[:2] if hears else (), -3.0 * len(phones), len(phones))


class Misled(Reader):
    """Believes that a mouth which moves says something else."""

    name = "misled"

    def answer(self, face, hears, phones):
        if face in ("truth", "shuffled"):
            return Hypothesis("", ("k",) * len(phones), -9.0 * len(phones), len(phones))
        return Hypothesis("", phones[:2] if hears else (), -3.0 * len(phones), len(phones))


def measure(recognizer, noises):
    return measure_answers("six", "r#0", SAMPLES, show_samples(recognizer, SAMPLES, noises))


def told(measures):
    return {key: number.estimate for key, number in measures.numbers.items()}


def test_a_reader_ranks_the_true_motion_first(noises):
    found = measure(Reader(), noises)
    numbers = told(found)
    assert (found.samples, found.phones, found.windows) == (6, 24, 20)
    assert numbers["v.truth"] == 0
    assert numbers["v.shuffled-truth"] == 100
    assert numbers["v.static-truth"] == 100
    assert numbers["av-noisy.static-truth"] == 50
    assert numbers["a-clean"] == 50
    assert (numbers["v.first"], numbers["v.percentile"]) == (100, 100)
    assert numbers["v.margin"] == pytest.approx(2.5)
    assert numbers["v.bits"] == pytest.approx(2.5 / np.log(2))
    assert found.numbers["v.first"].ci95 == (100, 100)
    assert {c: face["truth"].estimate for c, face in found.recall.items()} == {
        "p b m": 100, "f v": 100, "rounded": 100, "open": 100, "spread": 100,
    }  # fmt: skip
    assert found.counts["p b m"] == (7, 7)


def test_a_blind_recognizer_ranks_by_chance(noises):
    numbers = told(measure(Blind(), noises))
    assert numbers["v.percentile"] == 50
    assert numbers["v.first"] == 0
    assert numbers["av-noisy.static-truth"] == 0
    assert numbers["av-noisy.margin"] == 0


def test_one_that_is_misled_does_worse_than_with_a_static_face(noises):
    numbers = told(measure(Misled(), noises))
    assert numbers["av-noisy.static-truth"] == -50
    assert numbers["av-clean.bits"] == pytest.approx(-6 / np.log(2))
    assert numbers["v.shuffled-truth"] == 0


def test_a_recognizer_without_probabilities_has_no_rank(noises):
    class Silent(Blind):
        def answer(self, face, hears, phones):
            return Hypothesis("", phones)

    found = measure(Silent(), noises)
    assert found.numbers["v.first"].estimate is None
    assert found.numbers["v.bits"].estimate is None
    assert found.numbers["v.truth"].estimate == 0


def test_every_noise_is_heard_and_few_windows_with_sound(noises):
    answers = show_samples(Reader(), SAMPLES, noises, chosen=[2])
    assert {a.sample for a in answers} == {"s2"}
    noisy = [a for a in answers if a.condition.is_noisy and a.condition.face == "shuffled"]
    assert {a.condition.noise for a in noisy} == {"babble", "hiss"}
    assert {a.window for a in noisy} == set(range(HEARD_WINDOWS))
    assert len([a for a in answers if a.condition.name == "v"]) == 22


def test_windows_are_of_other_sources_and_as_long():
    short = [sample(0, frames=30), sample(1, frames=12), sample(2, "ita"), sample(3)]
    windows = cut_windows(short, 0)
    assert {w.shape for w in windows} == {(30, 96, 96)}
    # From every tenth frame of 12, 40 and 40; those of its language come first.
    assert len(windows) == 2 + 4 + 4
    first = {w[0].tobytes() for w in windows[:2]}
    assert first == {short[1].crops[0].tobytes(), short[3].crops[0].tobytes()}
    twelve = next(w for w in windows[:2] if np.array_equal(w[0], short[1].crops[0]))
    assert np.array_equal(twelve[12:24], short[1].crops)
    assert np.array_equal(windows[2], short[2].crops[:30])
    assert cut_windows(short[:1], 0) == []
    assert all(np.array_equal(a, b) for a, b in zip(windows, cut_windows(short, 0), strict=True))
    assert len(cut_windows(SAMPLES, 0)) == 20


def test_a_look_alike_counts_as_recalled():
    assert count_recalled("mafu", "bavo") == {
        "p b m": (1, 1), "f v": (1, 1), "rounded": (1, 1), "open": (1, 1), "spread": (0, 0),
    }  # fmt: skip
    assert count_recalled("pat", "") == {
        "p b m": (0, 1), "f v": (0, 0), "rounded": (0, 0), "open": (0, 1), "spread": (0, 0),
    }  # fmt: skip


def speech(words, gap=0.6):
    """Words of four phones, 0.4 s each, with pauses between."""
    phones, now = [], gap / 2
    for word in words:
        phones += [PhoneTime(s, now + 0.1 * i, now + 0.1 * (i + 1)) for i, s in enumerate(word)]
        now += 0.4 + gap
    return phones, now - gap / 2


def test_segments_are_joined_of_neighbours_until_they_are_long_enough():
    phones, seconds = speech(WORDS)
    frames = round(seconds * 25)
    rng = np.random.default_rng(0)
    curves = np.arange(frames, dtype=np.float32)[:, None] * np.ones((1, 55), np.float32)
    whole = Excerpt(
        "ada", "eng", "one", curves, rng.normal(0, 0.1, 640 * frames).astype(np.float32), tuple(phones)
    )
    segments = cut_segments(whole)
    said = ["".join(segment.symbols) for segment in segments]
    assert "".join(said) == "".join(WORDS)
    assert said == ["mamapapusifu", "fasubusapima"]
    assert all(2 <= segment.seconds <= 4 for segment in segments)
    assert [len(s.symbols) for s in cut_segments(whole, shortest=0.1)] == [4] * 6


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """Two recordings of one speaker, the second for development."""
    folder = tmp_path_factory.mktemp("bank")
    head = load_head()
    writer = BankWriter(folder, "small", "CC0-1.0", "Nobody: made by a test")
    for k, split in enumerate(("train", "development")):
        phones, seconds = speech(WORDS[::-1] if k else WORDS)
        frames = round(seconds * 25)
        units = np.zeros((frames, len(head.unit_names)), np.float32)
        units[:, head.unit_index("jawOpen")] = 0.3 + 0.3 * np.sin(np.arange(frames) * (0.9 + 0.3 * k))
        sound = 0.1 * np.random.default_rng(k).uniform(-1, 1, 640 * frames)
        writer.add(f"r{k}", "ada", "eng", sound, {"units": units}, phones, 25, split)
    writer.finish()
    return folder


def test_development_recordings_unless_all_are_asked_for(bank, tmp_path):
    assert open_set(bank).recordings == ("r1",)
    assert open_set(bank, "all").recordings == ("r0", "r1")
    assert list(open_set(bank).segments) == ["r1-000", "r1-001"]
    with pytest.raises(UsageError, match="expected 'development' or 'all'"):
        open_set(bank, "train")
    with pytest.raises(BankError):
        open_set(tmp_path)
    text = (bank / "bank.toml").read_text()
    for name in ("sound", "motion", "phones"):
        shutil.copytree(bank / name, tmp_path / name)
    (tmp_path / "bank.toml").write_text(text.replace("development", "train"))
    assert open_set(tmp_path).split == "all"
    with pytest.raises(UsageError, match="--split all"):
        open_set(tmp_path, "development")


def test_the_bundled_judge_is_measured_and_its_card_keeps_what_people_wrote(bank, tmp_path):
    from mtbench.cli.app import app

    result = CliRunner().invoke(app, ["avsr", "evaluate", "--bank", str(bank), "--noise", "babble", "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert (found["name"], found["split"], found["samples"], found["noises"]) == (
        "small", "development", 2, ["babble"],
    )  # fmt: skip
    assert found["phones"] == 24
    assert len({a["sample"] for a in found["answers"]}) == 2
    errors = [a["errors"] for a in found["answers"] if a["condition"] == "v" and a["face"] == "truth"]
    assert found["numbers"]["v.truth"]["estimate"] == pytest.approx(100 * sum(errors) / 24)
    assert 0 <= found["numbers"]["v.percentile"]["estimate"] <= 100

    weights = tmp_path / "judge.safetensors"
    (tmp_path / "judge.md").write_text("# judge\n\nBy people.\n")
    write_lexicon_part(weights, "# A sweep\n\n| a |\n")
    write_captured_part(weights, "### small\n\n| first |")
    write_captured_part(weights, "### small\n\n| second |")
    text = (tmp_path / "judge.md").read_text()
    assert text.startswith("# judge\n\nBy people.\n\n## Captured motion of people\n\n")
    assert "first" not in text
    assert text.index("| second |") < text.index("## The lexicon's share") < text.index("| a |")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "all"], "name one with --bank"),
        (["--bank", "BANK", "--language", "ita"], "--language with --bank"),
        (["--bank", "BANK", "--snr", "-5,-10"], "name one"),
        (["--bank", "BANK", "--noise", "thunder"], "thunder"),
    ],
)
def test_options_that_do_not_go_together(bank, options, message):
    from mtbench.cli.app import app

    chosen = [str(bank) if option == "BANK" else option for option in options]
    result = CliRunner().invoke(app, ["avsr", "evaluate", *chosen])
    assert result.exit_code != 0
    assert message in f"{result.output} {result.exception}"


class Watcher:
    """Understands the more, the more the mouth in front of it moves as the segment's own does."""

    name, digest, languages = "watcher", "1" * 16, frozenset({"eng"})

    def __init__(self, samples):
        self.own = {s.phones: s.crops for s in samples}

    def transcribe(self, crops, audio, language, lexicon=None):
        raise AssertionError("asked without a reference")

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        phones = reference.phones
        own = self.own[phones].astype(np.float32)
        away = np.inf if crops is None else float(np.abs(crops.astype(np.float32) - own).mean())
        kept = round(len(phones) / (1 + away))
        return [Hypothesis("", phones[:kept], -min(away, 99.0), len(phones)) for _ in audio]


def test_degradations_of_captured_motion_are_put_in_order(bank, noises):
    captured = open_set(bank)
    found = order_captured(Watcher(captured.render()), captured, noises.select(["hiss"]))
    assert found.scores["ground-truth"]["per"].estimate == 0
    assert found.scores["static"]["bits"].estimate == 0
    assert found.scores["ground-truth"]["bits"].estimate > found.scores["amplitude-0.4"]["bits"].estimate > 0
    for family in ("amplitude", "jitter", "shuffled"):
        assert found.chains["bits"][family].estimate == pytest.approx(1), family
    assert found.correlations["bits"].estimate == pytest.approx(
        np.mean([chain.estimate for chain in found.chains["bits"].values()])
    )
    text = format_chains(found)
    assert "| static | " in text
    assert text.splitlines()[-1].startswith("| mean | ")
    measures, answers = measure_set(Watcher(captured.render()), captured, noises)
    shown = format_result(CapturedResult(captured, measures, tuple(answers), -7.5, noises.names))
    assert "first in 100.0" in shown
    assert "babble, hiss at -7.5 dB" in shown
