"""The documents: the site builds without a warning, every link leads somewhere, what they show runs."""

import os
import re
import subprocess
import sys
import types
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import factories
import numpy as np
import pytest

import mtbench
from mtbench.avsr.registry import load_recognizer

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; mkdocs ends with an error on the first broken reference."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return folder


class Page(HTMLParser):
    """What a page links to, and what it can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.links += [found[key] for key in ("href", "src") if found.get(key) and tag != "link"]


def test_every_link_of_the_site_leads_somewhere(site):
    pages = {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 15
    broken, elsewhere = [], set()
    for path, page in pages.items():
        if path.name == "404.html":  # its links start at the site's root
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                elsewhere.add(parts.netloc)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert elsewhere <= {"flame.is.tue.mpg.de", "squidfunk.github.io"}


def test_public_names_are_in_the_api_pages(site):
    text = "".join(path.read_text("utf-8") for path in (site / "api").glob("*.html"))
    anchors = Page(text).anchors
    for name in mtbench.__all__:
        if name != "__version__":
            thing = getattr(mtbench, name)
            if not isinstance(thing, types.ModuleType):  # a room has pages of its own
                assert f"{thing.__module__}.{thing.__qualname__}" in anchors


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_pages_outside_the_site(name):
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    assert all((ROOT / link).exists() for link in links if "://" not in link), links


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text("utf-8"), re.S | re.M)


def test_the_first_hour_runs_as_it_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    factories.make_benchmark(tmp_path, "my-test")
    (tmp_path / "result").mkdir()
    for seed, (clip, (_, frames)) in enumerate(factories.CLIPS.items()):
        motion = factories.talk(-(-frames * 30 // 25), seed=seed + 9)
        np.save(tmp_path / "result" / f"{clip}_condition_M1.npy", motion.reshape(len(motion), -1))
    copy, one_line = blocks("first-hour.md", "python")
    exec(copy, {})
    assert mtbench.validate("submission", "my-test") == []
    run = mtbench.score(
        "submission", "my-test", recognizer=None, out="results", cache=tmp_path / "cache", workers=1
    )
    assert run.folder == Path("results/faceformer/my-test")
    assert run.estimate("lve_mm", language="all", aggregation="frame") > 0
    exec(one_line, {})
    assert float(capsys.readouterr().out) == pytest.approx(5.0, abs=1e-4)


def test_the_recognizer_of_the_documents_is_one(tmp_path, monkeypatch):
    (tmp_path / "my_recognizer.py").write_text(blocks("own-recognizer.md", "python")[0], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    recognizer = load_recognizer("my_recognizer:load")
    loud, quiet = np.full(16000, 0.1, np.float32), np.zeros(16000, np.float32)
    texts = [h.text for h in recognizer.transcribe(None, [loud, quiet, None], "eng")]
    assert texts == ["word word", "", ""]


@pytest.mark.skipif(os.name != "posix", reason="programs as recognizers need POSIX")
def test_the_program_of_the_documents_is_a_recognizer(tmp_path):
    program = tmp_path / "recognize.py"
    program.write_text(blocks("own-recognizer.md", "python")[1], "utf-8")
    recognizer = load_recognizer(f"program:{sys.executable} {program}")
    loud, quiet = np.full(16000, 0.1, np.float32), np.zeros(16000, np.float32)
    texts = [h.text for h in recognizer.transcribe(None, [loud, quiet, None], "eng")]
    recognizer.close()
    assert texts == ["word word", "", ""]
