"""Recognizers with other weights, a file for each language, another search, or on another device."""

import os
import pickle
from pathlib import Path
from typing import ClassVar

import fakes
import numpy as np
import pytest
from typer.testing import CliRunner

import mtbench
from mtbench.avsr import (
    ByLanguage,
    Hypothesis,
    RecognizerSpec,
    Traits,
    ask_for,
    cache_identity,
    describe_traits,
    identify,
    load_recognizer,
)
from mtbench.avsr.registry import RECOGNIZERS, keep_recognizer, kept_recognizer
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.results import read_results


class Part:
    """A recognizer of the language that its file names."""

    loaded: ClassVar[list[str]] = []

    def __init__(self, weights, decoding="greedy", device="cpu"):
        text = Path(weights).read_text()
        self.text = text
        self.name, self.digest = "parts", text
        self.languages = frozenset({text.split()[0]})
        self.decoder, self.device = decoding, device
        Part.loaded.append(text)

    def transcribe(self, crops, audio, language, lexicon=None):
        assert language in self.languages
        return [Hypothesis(f"{language} by {self.text}") for _ in audio]


class Plain:
    name, digest, languages = "plain", "1", frozenset({"eng"})

    def transcribe(self, crops, audio, language, lexicon=None):
        return [Hypothesis("") for _ in audio]


@pytest.fixture
def parts(monkeypatch, tmp_path):
    bundled = {**RECOGNIZERS._bundled, "parts": Part, "plain": Plain}
    monkeypatch.setattr(RECOGNIZERS, "_bundled", bundled)
    Part.loaded.clear()
    files = {}
    for code in ("ita", "eng"):
        files[code] = tmp_path / f"{code}.pt"
        files[code].write_text(f"{code} 1")
    return files


def test_a_recognizer_of_several_files_is_one(parts):
    recognizer = load_recognizer("parts", parts)
    assert isinstance(recognizer, ByLanguage)
    assert recognizer.languages == {"ita", "eng"}
    assert describe_traits(recognizer) == Traits("greedy", False, "cpu")
    sound = [np.zeros(640, np.float32)] * 2
    for code in ("ita", "ita", "eng"):
        assert [h.text for h in recognizer.transcribe(None, sound, code)] == [f"{code} by {code} 1"] * 2
    with pytest.raises(UsageError, match="parts has no weights for deu; it has eng, ita"):
        recognizer.transcribe(None, sound, "deu")


def test_one_part_is_in_memory_at_a_time_and_clips_come_by_language(parts):
    recognizer = load_recognizer("parts", parts)
    Part.loaded.clear()
    for code in ("eng", "eng", "ita", "ita", "ita"):
        recognizer.transcribe(None, [None], code)
    assert len(Part.loaded) <= 2


def test_the_digest_follows_from_every_file(parts):
    before = load_recognizer("parts", parts).digest
    assert load_recognizer("parts", parts).digest == before
    assert load_recognizer("parts", {"ita": parts["ita"]}).digest != before
    parts["ita"].write_text("ita 2")
    assert load_recognizer("parts", parts).digest != before


def test_a_file_that_changes_during_a_run_is_an_error(parts):
    recognizer = load_recognizer("parts", parts)
    recognizer.transcribe(None, [None], "eng")
    parts["ita"].write_text("ita 2")
    with pytest.raises(UsageError, match="the weights for ita have changed since this run began"):
        recognizer.transcribe(None, [None], "ita")


def test_weights_of_another_language_are_refused(parts):
    with pytest.raises(UsageError, match="the weights for eng are of a recognizer that covers ita only"):
        load_recognizer("parts", {"eng": parts["ita"]})
    with pytest.raises(UsageError, match="one language at least"):
        ByLanguage({})


def test_parts_may_search_each_in_its_own_way(parts):
    """Weights of each language are tuned on it."""

    class Tuned(Part):
        def __init__(self, weights):
            super().__init__(weights)
            self.decoder = f"beam({self.text.split()[0]})"

    from functools import partial

    recognizer = ByLanguage({code: partial(Tuned, file) for code, file in parts.items()})
    assert describe_traits(recognizer).decoder == "eng:beam(eng),ita:beam(ita)"


def test_languages_are_named_in_any_habit(parts):
    assert load_recognizer("parts", {"it": parts["ita"], "English": parts["eng"]}).languages == {"ita", "eng"}


def test_search_and_device_reach_the_factory(parts):
    recognizer = load_recognizer("parts", parts, decoding="beam-5", device="cuda:0")
    assert describe_traits(recognizer) == Traits("beam-5", False, "cuda:0")
    assert not describe_traits(recognizer).shares_cores


@pytest.mark.parametrize(
    ("options", "words"), [({"device": "cuda"}, "device"), ({"decoding": "beam"}, "decoding")]
)
def test_what_a_recognizer_does_not_take_is_said(parts, options, words):
    with pytest.raises(UsageError, match=f"recognizer 'plain' takes no {words}; it has its own"):
        load_recognizer("plain", **options)
    with pytest.raises(UsageError, match=f"takes no {words}"):
        load_recognizer(fakes.ONE_EAR, **options)


@pytest.mark.parametrize(
    ("name", "value"), [("decoder", 5), ("needs_lexicon", "yes"), ("device", None), ("device", 0)]
)
def test_traits_of_another_type_are_named(name, value):
    recognizer = Plain()
    setattr(recognizer, name, value)
    with pytest.raises(UsageError, match=f"plain: its attribute {name} is {value!r}, expected"):
        describe_traits(recognizer)


def test_what_was_asked_for_travels_between_processes(parts):
    spec = ask_for("parts", parts, decoding="beam-5")
    assert (
        pickle.loads(pickle.dumps(spec))
        == spec
        == RecognizerSpec(
            "parts", tuple(sorted((code, str(file.resolve())) for code, file in parts.items())), "beam-5"
        )
    )
    recognizer, identity = keep_recognizer(spec)
    assert kept_recognizer(spec, identity) is recognizer
    assert kept_recognizer(ask_for("parts", parts), identity) is not recognizer


class OnDevice(fakes.OneEar):
    device = "cuda:0"


def load_on_device():
    """Fail in every process but the one that the score runs in."""
    assert os.getpid() == int(os.environ["ONLY_HERE"])
    return OnDevice()


def test_a_recognizer_on_a_gpu_is_loaded_in_one_process(tmp_path, monkeypatch):
    monkeypatch.setenv("ONLY_HERE", str(os.getpid()))
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    fakes.make_benchmark(tmp_path / "small")
    fakes.make_entry(tmp_path / "entry")
    options = {"cache": tmp_path / "cache", "snr": (-7.5,)}
    run = mtbench.score(
        tmp_path / "entry",
        tmp_path / "small",
        recognizer="test_recognizer_options:load_on_device",
        workers=2,
        **options,
    )
    assert run.estimate("headline", modality="v", language="all", aggregation="macro-language") is not None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--weights", "a.pt", "--weights", "b.pt"], "one FILE, or LANGUAGE=FILE"),
        (["--weights", "ita=a.pt", "--weights", "ita=b.pt"], "names a language twice"),
        (["--weights", "ita="], "one FILE, or LANGUAGE=FILE"),
        (
            ["--weights", "runs/rate=0.1/a.safetensors"],
            "a.safetensors: the recognizer's weights are not there",
        ),
        (["--recognizer", "none", "--device", "cuda"], "--recognizer none asks for none"),
        (["--recognizer", fakes.ONE_EAR, "--weights", "a.pt"], "brings its own"),
        (["--decoding", "wide"], "unknown decoding 'wide' of openhead-av; known: viterbi, beam"),
        (["--device", "warp:9"], "device 'warp:9' cannot be used"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, words):
    fakes.make_benchmark(tmp_path / "small")
    fakes.make_entry(tmp_path / "entry")
    command = [
        "score",
        str(tmp_path / "entry"),
        "-b",
        str(tmp_path / "small"),
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, [*command, *options])
    assert done.exit_code != 0
    assert words in str(done.exception)


def test_the_bundled_recognizer_with_the_other_search_is_the_one_of_its_function():
    torch = pytest.importorskip("torch", reason="the judge needs torch")
    from mtbench.avsr.openhead import load_beam_search

    beam = load_recognizer("openhead-av", decoding="beam", device="cpu")
    assert beam.digest == load_beam_search().digest
    assert beam.digest != load_recognizer("openhead-av").digest
    assert describe_traits(beam).decoder.startswith("beam64(")
    assert next(beam.network.parameters()).device == torch.device("cpu")


class Forgetful(fakes.OneEar):
    """Answers by its search, and tells it by no attribute."""

    def __init__(self, decoding="greedy"):
        self._decoding = decoding

    def transcribe(self, crops, audio, language, lexicon=None):
        return [Hypothesis(self._decoding) for _ in audio]


def load_forgetful(decoding="greedy"):
    return Forgetful(decoding)


def test_another_search_does_not_find_the_answers_of_the_one_before(tmp_path):
    fakes.make_benchmark(tmp_path / "small")
    fakes.make_entry(tmp_path / "entry")
    options = {"cache": tmp_path / "cache", "noise": "none", "workers": 1}
    for decoding in ("greedy", "beam"):
        spec = ask_for("test_recognizer_options:load_forgetful", decoding=decoding)
        run = mtbench.score(
            tmp_path / "entry", tmp_path / "small", recognizer=spec, out=tmp_path / decoding, **options
        )
        said = {row.hypothesis for row in read_results(run.folder)[1] if hasattr(row, "hypothesis")}
        assert said == {decoding}


def test_caches_and_signatures_know_the_class_of_the_parts(parts, monkeypatch):
    """As of one that is not made of several: its file counts, since authors change code and forget the digest."""
    recognizer = load_recognizer("parts", parts)
    assert identify(recognizer) == f"parts#{recognizer.digest}/test_recognizer_options.Part"
    before = cache_identity(recognizer, "parts")
    assert cache_identity(load_recognizer("parts", parts), "parts") == before
    for option in ("decoding", "device"):
        assert cache_identity(recognizer, "parts", **{option: "x"}) != before
    changed = parts["ita"].with_name("changed.py")
    changed.write_text("# other code")
    monkeypatch.setattr("inspect.getfile", lambda _: str(changed))
    assert cache_identity(recognizer, "parts") != before
