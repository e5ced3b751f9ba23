"""Boards of our own entries, and boards on which entries can be looked at."""

import fakes
import pytest

from mtbench.benchmarks import load_benchmark
from mtbench.errors import UsageError
from mtbench.showcase import make_entries, require_entries, show_board

CLIPS = {name: fakes.CLIPS[name] for name in ("ita-01", "ita-02", "jpn-01")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("showcase")
    fakes.make_benchmark(root / "small", CLIPS)
    return root


def read_site(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_our_entries_are_scored_and_can_be_looked_at(place, monkeypatch):
    bench = load_benchmark(place / "small")
    common = {
        "names": ("ground-truth", "static"),
        "recognizer": fakes.ONE_EAR,
        "clips": 2,
        "cache": place / "cache",
    }
    show_board(bench, place / "site", place / "work", workers=1, **common)
    site = read_site(place / "site")
    page = site["entries/static.html"].decode()
    looked_at = [
        name for name in site if name.startswith("viewer/static/") and not name.endswith("index.html")
    ]
    assert len(looked_at) == len(CLIPS)
    for name in looked_at:
        assert f'href="../{name}"' in page
        assert b"../../index.html" in site[name]
    # What is there is not made again, and the site has the same bytes.
    monkeypatch.setattr("mtbench.showcase.entries.make_controls", None)
    show_board(bench, place / "again", place / "work", workers=1, **common)
    assert read_site(place / "again") == site


def test_entries_follow_from_their_benchmark(place, tmp_path):
    bench = load_benchmark(place / "small")
    (folder,) = make_entries(bench, tmp_path / "work", ("static",))
    (folder / "motion" / "ita-01.npz").unlink()
    make_entries(bench, tmp_path / "work", ("static",))
    assert (folder / "motion" / "ita-01.npz").is_file()
    other = load_benchmark(fakes.make_benchmark(tmp_path / "other", {"ita-01": CLIPS["ita-01"]}))
    with pytest.raises(UsageError, match="another"):
        make_entries(other, tmp_path / "work", ("static",))


def test_unknown_entries_are_named():
    with pytest.raises(UsageError, match="did you mean static"):
        require_entries(["statik"])
