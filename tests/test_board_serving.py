"""``leaderboard serve``: ranges, types, this folder only, this machine only."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from mtbench.errors import UsageError
from mtbench.leaderboard.site import SiteServer


@pytest.fixture
def served(tmp_path):
    site = tmp_path / "site"
    (site / "entries").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html>index")
    (site / "entries" / "index.html").write_text("entries")
    (site / "sound.wav").write_bytes(bytes(range(100)))
    (site / "mesh.glb").write_bytes(b"glTF")
    (site / "empty.bin").write_bytes(b"")
    (site / "a b é.txt").write_text("named")
    (tmp_path / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "site-two").mkdir()
    (tmp_path / "site-two" / "x.txt").write_text("other")
    server = SiteServer(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{server.server_address[1]}", **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<!doctype html>index"),
        ("/entries/", "text/html; charset=utf-8", b"entries"),
        ("/sound.wav?x=1", "audio/wav", bytes(range(100))),
        ("/mesh.glb", "model/gltf-binary", b"glTF"),
        ("/a%20b%20%C3%A9.txt", "text/plain; charset=utf-8", b"named"),
        ("/empty.bin", "application/octet-stream", b""),
    ],
)
def test_files_come_with_their_types(served, path, kind, body):
    answer, data = ask(served, path)
    assert (answer.status, answer.headers["Content-Type"], data) == (200, kind, body)
    assert answer.headers["Accept-Ranges"] == "bytes"
    head, nothing = ask(served, path, "HEAD")
    assert (head.status, head.headers["Content-Length"], nothing) == (200, str(len(body)), b"")


@pytest.mark.parametrize(
    ("wanted", "told", "start", "end"),
    [
        ("bytes=0-", "bytes 0-99/100", 0, 100),
        ("bytes=10-19", "bytes 10-19/100", 10, 20),
        ("bytes=90-1000", "bytes 90-99/100", 90, 100),
        ("bytes=-5", "bytes 95-99/100", 95, 100),
        ("bytes=-500", "bytes 0-99/100", 0, 100),
    ],
)
def test_ranges(served, wanted, told, start, end):
    answer, data = ask(served, "/sound.wav", Range=wanted)
    assert (answer.status, answer.headers["Content-Range"]) == (206, told)
    assert data == bytes(range(start, end))


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_ranges_outside_the_file_are_refused(served, wanted):
    answer, _ = ask(served, "/sound.wav", Range=wanted)
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */100")


@pytest.mark.parametrize(
    "wanted", ["bytes=5-2", "bytes=1-2,4-5", "lines=1-2", "bytes=-", "bytes=" + "9" * 400 + "-"]
)
def test_what_is_no_range_gets_everything(served, wanted):
    answer, data = ask(served, "/sound.wav", Range=wanted)
    assert (answer.status, len(data)) == (200, 100)


@pytest.mark.parametrize(
    "path",
    [
        "/absent", "/../secret.txt", "/%2e%2e/secret.txt", "/entries/../../secret.txt", "/..%2fsecret.txt", "/link.txt",
        "/..\\secret.txt", "/%00", "//etc/passwd", "/../site-two/x.txt", "/%ff", "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_is_there(served, path):
    answer, data = ask(served, path)
    assert answer.status == 404
    assert b"secret" not in data


def test_other_names_and_other_methods_are_refused(served):
    assert ask(served, "/", Host="evil.example")[0].status == 421
    assert ask(served, "/", Host="localhost:1")[0].status == 200
    assert ask(served, "/", "POST")[0].status == 501
    assert served.server_address[0] == "127.0.0.1"


def test_what_cannot_be_served_is_said(tmp_path):
    with pytest.raises(UsageError, match="leaderboard build"):
        SiteServer(tmp_path / "absent")
    with pytest.raises(UsageError, match=r"no index\.html"):
        SiteServer(tmp_path, 0)
    (tmp_path / "index.html").write_text("here")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="--port"):
            SiteServer(tmp_path, taken.getsockname()[1])
    with pytest.raises(UsageError, match="65535"):
        SiteServer(tmp_path, 70000)


def test_the_command_says_where_and_ends_with_ctrl_c(tmp_path):
    (tmp_path / "index.html").write_text("here")
    command = [sys.executable, "-m", "mtbench", "leaderboard", "serve", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # Where the tests themselves run in the background, shells have them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        port = int(re.fullmatch(r"http://127\.0\.0\.1:([0-9]+)/\n", process.stdout.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"here"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "Ctrl-C ends it\n")
