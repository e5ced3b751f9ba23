"""Names: bundled ones, those of other packages by entry points, and what is said of unknown ones."""

import importlib
import sys

import pytest

from mtbench.avsr import load_recognizer
from mtbench.errors import UsageError
from mtbench.faces import load_topology
from mtbench.registry import Registry
from mtbench.renderers import load_renderer

THEIRS = """
class Echo:
    name, languages = "echo", frozenset({"eng"})
    def __init__(self, digest): self.digest = digest
    def transcribe(self, crops, audio, language, lexicon=None): return []
def load(weights=None): return Echo("own" if weights is None else str(weights))
def load_renderer(): return "their renderer"
"""


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """A package with entry points, as pip would install it."""
    (tmp_path / "theirs.py").write_text(THEIRS)
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mtbench.recognizers]\necho = theirs:load\nopenhead-av = theirs:load\nbroken = theirs.nowhere:load\n"
        "[mtbench.renderers]\ncrayon = theirs:load_renderer\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("theirs", None)


def test_recognizers_and_renderers_of_other_packages(other_package):
    assert load_recognizer("echo").digest == "own"
    assert load_recognizer("echo", "their.safetensors").digest == "their.safetensors"
    assert load_renderer("crayon") == "their renderer"


def test_bundled_names_are_not_taken_over(other_package):
    assert load_recognizer("openhead-av").name == "openhead-av"


def test_a_factory_that_cannot_be_imported_is_named(other_package):
    with pytest.raises(UsageError, match=r"recognizer 'broken' of another package \(theirs.nowhere:load\)"):
        load_recognizer("broken")


@pytest.mark.parametrize(
    ("load", "name", "words"),
    [
        (
            load_recognizer,
            "openhead_av",
            "did you mean openhead-av, openhead-av@2, openhead-av@1\\?; known: auto-avsr, avista, muavic, ",
        ),
        (load_renderer, "sofware", "did you mean software\\?; known: pyrender, software"),
        (load_topology, "flame", "unknown topology 'flame'.*known: biwi-23370, flame-5023, openhead-1"),
    ],
)
def test_unknown_names(load, name, words):
    with pytest.raises(UsageError, match=words):
        load(name)


def test_weights_are_for_names_only():
    with pytest.raises(UsageError, match="fakes:load_one_ear brings its own"):
        load_recognizer("fakes:load_one_ear", "some.safetensors")


def test_an_empty_registry_says_so():
    with pytest.raises(UsageError, match="unknown thing 'x'; known: none"):
        Registry("thing", "mtbench.things", {}).find("x")
    assert Registry("thing", "mtbench.things", {"a": dict}).names() == ["a"]
