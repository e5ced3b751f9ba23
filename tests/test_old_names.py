"""Modules are found by the names that documents gave before there were rooms."""

import subprocess
import sys

import pytest

from mtbench.old_names import OLD_NAMES

#: What the documents showed under each old name.
DOCUMENTED = {
    "mtbench.avsr.openhead_av": ["load_beam_search"],
    "mtbench.benchmark": ["load_benchmark", "Benchmark", "Clip"],
    "mtbench.comparison": ["compare", "Comparison"],
    "mtbench.error_rates": ["wer", "cer"],
    "mtbench.head": ["load_head"],
    "mtbench.languages": ["language_code"],
    "mtbench.lexicon": ["Lexicon"],
    "mtbench.listening": ["transcribe"],
    "mtbench.motion": ["Motion"],
    "mtbench.paired": ["Difference"],
    "mtbench.pictures": ["render"],
    "mtbench.recognizer": ["Hypothesis", "Recognizer", "load_recognizer"],
    "mtbench.renderer": ["Appearance", "Camera", "Renderer"],
    "mtbench.results": ["Run", "read_run", "read_rows"],
    "mtbench.scoring": ["score", "rescore"],
    "mtbench.submission": ["Submission", "load_submission", "validate"],
    "mtbench.summary": ["SummaryRow"],
    "mtbench.topology": ["Topology"],
    "mtbench.vertex_errors": ["lve", "fdd"],
}


def test_every_old_name_is_tried():
    assert {*OLD_NAMES} == {*DOCUMENTED} - {"mtbench.results", "mtbench.scoring"}


@pytest.mark.parametrize("module", DOCUMENTED)
def test_documented_names_are_found(module):
    code = f"from {module} import {', '.join(DOCUMENTED[module])}"
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = f"DeprecationWarning: {module} is now {OLD_NAMES.get(module)}"
    assert (told in done.stderr) == (module in OLD_NAMES)


def test_a_recognizer_of_that_time_loads(tmp_path, monkeypatch):
    """Written after the documents of then, under a module that no longer is."""
    from mtbench.avsr import Hypothesis, load_recognizer

    (tmp_path / "of_that_time.py").write_text(
        "from mtbench.recognizer import Hypothesis\n"
        "class Echo:\n"
        "    name, digest, languages = 'echo', '1', frozenset({'eng'})\n"
        "    def transcribe(self, crops, audio, language, lexicon=None):\n"
        "        return [Hypothesis('word') for _ in audio]\n"
        "def load():\n"
        "    return Echo()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    echo = load_recognizer("of_that_time:load")
    assert echo.transcribe(None, [None], "eng") == [Hypothesis("word")]


def test_other_names_are_as_unknown_as_ever():
    with pytest.raises(ModuleNotFoundError, match=r"mtbench\.no_such"):
        __import__("mtbench.no_such")
