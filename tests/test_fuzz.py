"""Every reader of strangers' files, fuzzed: a minute for all of them here, an hour for each with ``pytest -m fuzz``.

``MTBENCH_FUZZ_SECONDS`` says how long the latter takes for each reader, ``MTBENCH_FUZZ_SEED`` where it begins.
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from fuzz_edits import edit_bytes
from fuzz_model_readers import MODEL_READERS
from fuzz_readers import READERS
from fuzzing import MOST_FAILURES, Reader, fuzz, make_input, scratch_folder

#: Processor time that one reader's inputs take here, about.
SECONDS = 60 / len(READERS)


def run(reader: Reader, keep: Path, **options) -> list[str]:
    with scratch_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = fuzz(reader, folder, keep=keep, **options)
    assert report.inputs == report.accepted + report.refused + len(report.failures)
    return report.failures


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_or_refuses_whatever_it_is_given(name, tmp_path):
    reader = READERS[name]
    if reader in MODEL_READERS:
        pytest.importorskip("torch")
    assert run(reader, tmp_path, inputs=int(SECONDS / reader.cost)) == []


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_an_hour_of_a_reader(name, request):
    if "fuzz" not in request.config.option.markexpr:
        pytest.skip("an hour a reader: pytest -m fuzz")
    seconds, seed = (os.environ.get(f"MTBENCH_FUZZ_{key}") for key in ("SECONDS", "SEED"))
    with scratch_folder() as folder:
        report = fuzz(READERS[name], folder, seconds=float(seconds or 3600), seed=int(seed or 1))
    assert report.failures == []


# ---- what fuzzes can fail


def planted(read, *errors: type[BaseException]) -> Reader:
    return Reader("planted", lambda folder: ({"a.bin": b"good"}, read), edit_bytes, errors)


def unless_good(act):
    return lambda path: None if path.read_bytes() == b"good" else act()


def burn() -> None:
    start = time.process_time()
    while time.process_time() < start + 60:
        pass


def hide_a_huge_array() -> None:
    try:
        np.ones(1 << 28)
    except Exception as error:
        raise ValueError("damaged") from error


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: {}[1], "KeyError"),
        (burn, "more than 2 s"),
        (lambda: np.ones(1 << 28), "more than 512 MB"),
        (hide_a_huge_array, "more than 512 MB"),
    ],
)
def test_planted_faults_are_found_and_kept(tmp_path, act, words):
    reader = planted(unless_good(act), ValueError)
    found = run(reader, tmp_path, inputs=2, seed=7)
    assert found
    assert words in found[0]
    kept = Path(found[0].split(": ")[0])
    number = int(kept.stem.rpartition("-")[2])
    assert make_input(reader, {"a.bin": b"good"}, 7, number) == ("a.bin", kept.read_bytes())


def test_errors_of_the_reader_are_no_faults(tmp_path):
    def refuse(path: Path) -> None:
        if path.read_bytes() != b"good":
            raise ValueError("no")

    assert run(planted(refuse, ValueError), tmp_path, inputs=50) == []
    assert len(run(planted(refuse, KeyError), tmp_path, inputs=200)) == MOST_FAILURES


def test_a_reader_that_refuses_its_own_samples_tests_nothing(tmp_path):
    with pytest.raises(AssertionError, match="does not take its own sample"):
        run(planted(lambda path: {}[1]), tmp_path, inputs=1)
