"""Programs as recognizers: a whole score, faults of every kind, and no process or file left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import fakes
import numpy as np
import pytest
from test_signals import finish, hear_signals, processes, wait_for, worker_ids

import mtbench
from mtbench.avsr import (
    Reference,
    ReferenceScorer,
    identify,
    load_program,
    load_recognizer,
    transcribe_checked,
)
from mtbench.avsr.base import RecognizerError
from mtbench.avsr.program_messages import Handshake, MessageError, read_message
from mtbench.errors import UsageError
from mtbench.results import read_rows
from mtbench.speech import load_lexicon

EXAMPLE = Path(__file__).with_name("example_program.py")
RUN = f"{sys.executable} {EXAMPLE}"
TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "eng-01")}
SOUND = np.random.default_rng(3).uniform(-1, 1, 640 * 10).astype(np.float32)
CROPS = np.random.default_rng(4).integers(0, 255, (10, 96, 96)).astype(np.uint8)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs as recognizers need POSIX")


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the example with faults; what is left of it afterwards is an error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    loaded = []

    def start(*faults, **options):
        loaded.append(load_program(" ".join([RUN, *faults]), **options))
        return loaded[-1]

    yield start
    for recognizer in loaded:
        recognizer.close()
    assert list(tmp_path.glob("mtbench-program-*")) == []


def score(place, out, recognizer=f"program:{RUN}", workers=1):
    return mtbench.score(
        place / "entry", place / "small", recognizer=recognizer, workers=workers, snr=(-7.5,),
        out=out / "results", cache=out / "cache",
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("program")
    fakes.make_benchmark(root / "small", TWO)
    fakes.make_entry(root / "entry", TWO)
    return root


def test_a_score_by_a_program_is_the_same_with_one_and_two_workers(place, tmp_path):
    runs = [score(place, tmp_path / str(workers), workers=workers) for workers in (1, 2)]
    rows = [read_rows(run.folder) for run in runs]
    assert rows[0] == rows[1]
    said = {row.hypothesis for row in rows[0] if getattr(row, "hypothesis", None)}
    assert any("word" in text for text in said)
    assert runs[0].recognizer.name == "one-ear-program"
    assert runs[0].recognizer == runs[1].recognizer
    assert any(getattr(row, "log_probability", None) is not None for row in rows[0])


def test_a_second_score_asks_nothing_and_another_program_everything(place, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("PROGRAM_LOG", str(log))
    score(place, tmp_path)
    asked = len(log.read_text().splitlines())
    assert asked
    score(place, tmp_path)
    assert len(log.read_text().splitlines()) == asked
    score(place, tmp_path, f"program:{RUN} says-digest='\"2\"'")
    assert len(log.read_text().splitlines()) == 2 * asked


def test_what_it_is_stands_in_its_first_line(load):
    recognizer = load("says-device='\"cuda:0\"'", "says-needs_lexicon=true")
    assert (recognizer.name, recognizer.decoder, recognizer.device) == ("one-ear-program", "greedy", "cuda:0")
    assert recognizer.needs_lexicon
    assert recognizer.languages == {"ita", "eng", "jpn"}
    assert isinstance(recognizer, ReferenceScorer)
    assert not isinstance(load("says-scores_references=false"), ReferenceScorer)
    assert identify(recognizer) == f"one-ear-program#{recognizer.digest}"


def test_the_digest_follows_from_files_arguments_and_first_line(tmp_path, load):
    plain = load().digest
    assert load().digest == plain
    assert load("harmless").digest != plain
    assert load("says-digest='\"2\"'").digest != plain
    weights = tmp_path / "weights"
    digests = []
    for content in ("1", "2"):
        weights.write_text(content)
        digests.append(load(str(weights)).digest)
    assert digests[0] != digests[1]


def test_conditions_modalities_words_and_references_reach_it(load, tmp_path):
    lexicon = tmp_path / "words.tsv"
    lexicon.write_text("ciao\ttʃ a o\t1\n", "utf-8")
    recognizer = load()
    both = recognizer.transcribe(CROPS, [SOUND, None], "ita", load_lexicon(lexicon))
    alone = [recognizer.transcribe(CROPS, [sound], "ita")[0] for sound in (SOUND, None)]
    assert both == alone
    assert recognizer.transcribe(None, [SOUND], "ita") != both[:1]
    scored = recognizer.transcribe_scored(
        CROPS, [SOUND, None], "ita", None, Reference("ciao", ("a", "o", "a"))
    )
    assert [h.text for h in scored] == [h.text for h in both]
    assert all(h.tokens == 3 and h.log_probability < 0 for h in scored)
    (words,) = recognizer.transcribe_scored(CROPS, [SOUND], "ita", None, Reference("ciao a tutti"))
    assert words.tokens == 3  # of words, in a benchmark without phones
    # The files of one clip at a time lie there, and the word lists.
    files = sorted(path.name.partition("-")[2] for path in recognizer._process.folder.iterdir())
    assert files == ["audio-0.npz", "crops.npz", next(name for name in files if name.endswith(".tsv"))]


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_it_is_started_anew_after_a_crash_and_a_hang(load, tmp_path, fault):
    expected = load().transcribe(CROPS, [SOUND], "ita")
    recognizer = load(f"{fault}@{tmp_path / 'once'}", "says-timeout_s=3")
    with pytest.warns(RuntimeWarning, match="it is started anew and asked again"):
        assert recognizer.transcribe(CROPS, [SOUND], "ita") == expected
    assert recognizer.transcribe(CROPS, [SOUND], "ita") == expected


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["crash"], r"ended with exit code 1; on standard error it wrote '.*ValueError: the \?\[31mweights are gone'"),
        (["hang", "says-timeout_s=0.5"], "did not answer within 0.5 s; on standard error it wrote 'about to hang'.*"
         "timeout_s"),
        (["babble"], r"answered 'Loading model \.\.\.' .*expected one line of JSON.*prints to standard output"),
        (["flood"], "wrote a line of more than 4194304 bytes, which begins 'xxx"),
        (["fail"], "says that it failed: 'no such / language model'"),
    ],
)  # fmt: skip
def test_what_goes_wrong_with_a_request_is_said(load, faults, words):
    recognizer = load(*faults)
    with pytest.raises(RecognizerError, match=words) as raised:
        transcribe_checked(recognizer, None, [SOUND], "ita", None, "clip-1", ["a-clean"])
    text = str(raised.value)
    assert text.startswith("one-ear-program on clip clip-1 (ita): ")
    assert "\x1b" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (
            ["start-crash"],
            "ended with exit code 1; on standard error.* when it was started; expected a first line",
        ),
        (["start-hang"], "did not answer within 2 s"),
        (["start-babble"], "began with 'Loading model"),
        (["start-flood"], "wrote a line of more than"),
        (["says-protocol=2"], "began with .*protocol"),
        (["says-languages='[\"Italian\"]'"], "languages.#1"),
        (["says-name='\"a|b\"'"], "name"),
        (["says-speed=3"], "speed: unknown field"),
    ],
)
def test_what_goes_wrong_at_the_start_is_said(load, faults, words):
    with pytest.raises(RecognizerError, match=words):
        load(*faults, start_seconds=2 if "start-hang" in faults else 60)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"id": 1, "hypotheses": []},
            "answered with 0 hypotheses; expected 1, one for each entry of 'audio'",
        ),
        ({"id": 9, "hypotheses": [{"text": ""}]}, "to request 1"),
        ({"id": 1, "hypotheses": [{"text": 3}]}, "hypotheses.#1.text"),
        ({"id": 1, "hypotheses": [{"text": "x" * 20001}]}, "at most 20000"),
        ({"id": 1, "hypotheses": [{"text": "x", "path": "/etc/passwd"}]}, "unknown field"),
        ("[" * 100000, "answered '"),
        (b'{"id": 1, "hypotheses": [{"text": "\xff"}]}', "answered '"),
    ],
)
def test_answers_are_checked(tmp_path, answer, words):
    line = (
        answer
        if isinstance(answer, bytes)
        else (answer if isinstance(answer, str) else json.dumps(answer)).encode()
    )
    program = write_program(tmp_path / "my program", f"""
import json, sys
print(json.dumps({{"protocol": 1, "name": "p", "languages": ["ita"]}}), flush=True)
for _ in sys.stdin:
    sys.stdout.buffer.write({line!r} + b"\\n"); sys.stdout.flush()
""")  # fmt: skip
    recognizer = load_program(str(program))
    with pytest.raises(RecognizerError, match=words):
        recognizer.transcribe(None, [SOUND], "ita")
    recognizer.close()


def write_program(path, text):
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def test_lines_ahead_of_a_request_are_refused(tmp_path):
    program = write_program(tmp_path / "p", """
import sys, time
sys.stdout.write('{"protocol": 1, "name": "p", "languages": ["ita"]}\\n{"id": 1, "hypotheses": []}\\n')
sys.stdout.flush()
sys.stdin.read()
""")  # fmt: skip
    recognizer = load_program(str(program))
    with pytest.raises(RecognizerError, match="wrote more than one line for one request"):
        recognizer.transcribe(None, [SOUND], "ita")
    recognizer.close()


def test_a_first_line_that_changes_is_refused(tmp_path):
    program = write_program(tmp_path / "p", """
import json, os, sys
print(json.dumps({"protocol": 1, "name": "p", "languages": ["ita"], "digest": str(os.getpid())}), flush=True)
sys.stdin.readline()
""")  # fmt: skip
    recognizer = load_program(str(program))
    with (
        pytest.warns(RuntimeWarning, match="exit code 0"),
        pytest.raises(RecognizerError, match="is no longer what this run began with: its first line changed"),
    ):
        recognizer.transcribe(None, [SOUND], "ita")
    recognizer.close()


def test_programs_that_cannot_be_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    (tmp_path / "folder").mkdir()
    for command, words in (
        ("./absent --x", "absent does not exist"),
        ("folder", "folder is no file"),
        ("plain", "is not executable; run 'chmod"),
        ("", "names no program"),
        ("a 'b", "No closing quotation"),
    ):
        with pytest.raises(UsageError, match=words):
            load_recognizer(f"program:{command}")
    plain.chmod(0o755)
    with pytest.raises(RecognizerError, match=r"could not be started.*Exec format error"):
        load_recognizer("program:plain")
    write_program(plain, "").write_text("#!/no/such/interpreter\n")
    with pytest.raises(RecognizerError, match=r"could not be started.*No such file"):
        load_recognizer("program:./plain")
    with pytest.raises(UsageError, match="brings its own"):
        load_recognizer("program:./plain", "weights.pt")
    with pytest.raises(UsageError, match="takes no decoding"):
        load_recognizer("program:./plain", decoding="beam")


def test_what_it_started_ends_with_it(tmp_path):
    program = write_program(tmp_path / "p", """
import json, subprocess, sys, time
child = subprocess.Popen(["sleep", "1000"])
print(json.dumps({"protocol": 1, "name": "p", "languages": ["ita"], "digest": str(child.pid)}), flush=True)
time.sleep(1000)
""")  # fmt: skip
    recognizer = load_program(str(program))
    child = int(recognizer.handshake.digest)
    os.kill(child, 0)
    recognizer.close()
    assert wait_for(lambda: not is_alive(child), 5)


def is_alive(number: int) -> bool:
    try:
        return (Path("/proc") / str(number) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("workers", "how"),
    [(1, "SIGINT"), (1, "SIGKILL"), (2, "SIGINT"), (2, "SIGTERM"), (2, "SIGKILL"), (2, "worker")],
)
def test_no_program_and_no_file_is_left_of_a_score_that_ends(place, tmp_path, workers, how):
    """The program sleeps in the middle of a request; it knows nothing of the end of its input."""
    log = tmp_path / "log"
    command = [
        sys.executable, "-c", "from mtbench.cli import main; main()", "score", str(place / "entry"),
        "-b", str(place / "small"), "--recognizer", f"program:{RUN} hang", "--workers", str(workers),
        "--out", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PROGRAM_LOG": str(log), "TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=hear_signals,
    )  # fmt: skip
    assert wait_for(lambda: log.exists() or process.poll() is not None), process.communicate()
    assert process.poll() is None, process.communicate()
    asked = [int(line.split()[0]) for line in log.read_text().splitlines()]
    assert asked
    assert list((tmp_path / "tmp").glob("mtbench-program-*"))
    if how == "worker":
        os.kill(worker_ids(process)[0], signal.SIGKILL)
    else:
        process.send_signal(getattr(signal, how))
    code, _, seconds = finish(process)
    assert code != 0
    assert seconds < 15
    assert not processes(process.pid)
    asked = [int(line.split()[0]) for line in log.read_text().splitlines()]
    assert wait_for(lambda: not any(map(is_alive, asked)), 5)
    assert wait_for(lambda: not list((tmp_path / "tmp").glob("mtbench-program-*")), 5)


def test_the_handshake_has_bounds():
    fine = {"protocol": 1, "name": "p", "languages": ["ita"]}
    assert read_message(Handshake, json.dumps(fine).encode()).timeout_s == 300
    for wrong in (
        {"timeout_s": 0},
        {"timeout_s": 1e9},
        {"decoder": "a|b"},
        {"languages": []},
        {"name": "x" * 99},
    ):
        with pytest.raises(MessageError):
            read_message(Handshake, json.dumps(fine | wrong).encode())
