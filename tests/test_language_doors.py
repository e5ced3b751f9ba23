"""An unknown language is refused by every door, in the same words; a name for a code is put right.

Doors: options, manifests, word lists, normalizers, the recognizer, comparisons. Those of the reference model are tested
with it.
"""

import fakes
import numpy as np
import pytest
from typer.testing import CliRunner

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import BenchmarkError, UsageError
from mtbench.making.folder import create_benchmark
from mtbench.metrics.character_errors import count_character_edits
from mtbench.metrics.word_errors import count_word_edits
from mtbench.speech.normalizers import NORMALIZERS

UNKNOWN = r"unknown language 'xxx': known: Arabic \(ara\)"


def manifest(folder, change):
    fakes.make_benchmark(folder, {"a": ("ita", 25, "parola")}, motion=False, noises=0)
    file = folder / "benchmark.toml"
    file.write_text(change(file.read_text("utf-8")), "utf-8")
    return folder


def test_a_manifest(tmp_path):
    with pytest.raises(BenchmarkError, match=rf"clips\.#1\.language: {UNKNOWN}"):
        load_benchmark(manifest(tmp_path / "a", lambda text: text.replace('"ita"', '"xxx"')))
    with pytest.raises(BenchmarkError, match="language 'Italian': write its ISO 639-3 code, 'ita'"):
        load_benchmark(manifest(tmp_path / "b", lambda text: text.replace('"ita"', '"Italian"')))
    with pytest.raises(BenchmarkError, match="language 'zho': write its ISO 639-3 code, 'cmn'"):
        load_benchmark(manifest(tmp_path / "c", lambda text: text.replace('"ita"', '"zho"')))
    # A language beyond the twenty is for recognizers that cover it.
    found = load_benchmark(manifest(tmp_path / "d", lambda text: text.replace('"ita"', '"swe"')))
    assert found.languages == ("swe",)


def test_word_lists_in_a_manifest(tmp_path):
    folder = manifest(tmp_path / "a", lambda text: text.replace("fps", 'lexicons = {xxx = "x.tsv"}\nfps', 1))
    (folder / "x.tsv").write_text("a\ta\n")
    with pytest.raises(BenchmarkError, match=rf"lexicons: {UNKNOWN}"):
        load_benchmark(folder)


def test_word_lists_to_include(tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    recordings = manifest(tmp_path / "old", str) / "audio"
    (recordings / "a.txt").write_text("parola")
    for name in ("Italian.tsv", "pt-BR.tsv", "swe.tsv"):
        (lists / name).write_text("ciao\tt ʃ a o\t1\n", "utf-8")
    made = create_benchmark(tmp_path / "new", recordings, language="Italiano", lexicons=lists)
    assert {code: path.name for code, path in made.lexicons.items()} == {
        "ita": "ita.tsv", "por": "por.tsv", "swe": "swe.tsv",
    }  # fmt: skip
    (lists / "xxx.tsv").write_text("a\ta\n")
    (lists / "it.tsv").write_text("a\ta\n")
    (lists / "ell.tsv").write_text("no tabs\n")
    with pytest.raises(BenchmarkError) as caught:
        create_benchmark(tmp_path / "newer", recordings, language="it", lexicons=lists)
    assert "xxx.tsv: a word list is called after its language, e.g. eng.tsv; unknown language 'xxx'" in str(
        caught.value
    )
    assert "it.tsv: a second word list for Italian, beside Italian.tsv" in str(caught.value)
    assert "ell.tsv, line 1: 1 fields" in str(caught.value)
    with pytest.raises(UsageError, match=UNKNOWN):
        create_benchmark(tmp_path / "newest", recordings, language="xxx")


@pytest.mark.parametrize("name", sorted(NORMALIZERS))
def test_normalizers_and_counts(name):
    for count in (count_word_edits, count_character_edits):
        with pytest.raises(UsageError, match=UNKNOWN):
            count("a", "a", "xxx", name)
        # Without this, Turkish would lose its rules and Japanese its blanks, in silence.
        with pytest.raises(UsageError, match="write its ISO 639-3 code, 'tur'"):
            count("IŞIK", "ışık", "Turkish", name)
        assert count("a", "a", "swe", name).errors == 0
    with pytest.raises(UsageError, match=UNKNOWN):
        NORMALIZERS[name]("a", "xxx")


def test_the_recognizer():
    from mtbench.avsr.openhead.recognizer import OpenheadAV

    judge = OpenheadAV.load()
    sound = np.zeros(640 * 5, np.float32)
    with pytest.raises(UsageError, match=UNKNOWN):
        judge.transcribe(None, [sound], "xxx")
    with pytest.raises(UsageError, match="openhead-av was not trained on swe speech; it covers "):
        judge.transcribe(None, [sound], "swe")
    with pytest.raises(UsageError, match="write its ISO 639-3 code, 'ita'"):
        judge.transcribe(None, [sound], "it")


def test_a_comparison(monkeypatch, tmp_path):
    from mtbench.cli.app import app
    from mtbench.results import comparison
    from mtbench.results.paired import Difference

    fields = {
        "metric": "lve_mm", "unit": "mm", "modality": None, "face": None, "snr_db": None, "noise": None,
        "a": 1.0, "b": 2.0, "difference": 1.0, "ci95": None, "better": None,
    }  # fmt: skip
    names = Difference.__dataclass_fields__
    rows = [
        Difference(**{n: {**fields, "language": code}.get(n, 1) for n in names}) for code in ("all", "ita")
    ]
    monkeypatch.setattr(
        comparison, "compare", lambda a, b: comparison.Comparison("A", "B", "b@1", tuple(rows))
    )

    def run(language):
        return CliRunner().invoke(app, ["compare", str(tmp_path), str(tmp_path), "--language", language])

    assert run("Italiano").exit_code == 0
    assert len(run("Italiano").output.splitlines()) == 4
    assert str(run("xxx").exception).startswith("unknown language 'xxx'")
    assert str(run("German").exception) == "these results have no numbers in German; they have ita"


def test_options_that_name_a_language(tmp_path):
    from mtbench.avsr.evaluation.error_table import evaluate

    with pytest.raises(UsageError, match=UNKNOWN):
        evaluate("openhead-20", languages=["xxx"])
    from mtbench.cli.app import app

    done = CliRunner().invoke(app, ["avsr", "lexicon", "--language", "xxx", "--out", str(tmp_path)])
    assert str(done.exception).startswith("unknown language 'xxx'")
