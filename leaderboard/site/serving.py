"""A server for browsers that refuse local files: this machine only, this folder only, with ranges of bytes.

Conventions
-----------
Only the loopback interface is listened on, and only requests that name it are answered, so that no page on the web
reaches the folder through a name of its own. Files outside the folder, also through links, do not exist. A request for
a range of bytes (a player that jumps) gets that range; a range outside the file is refused (RFC 9110, section 14).
"""

from __future__ import annotations

import mimetypes
import os
import re
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mtbench.errors import UsageError

#: The address that is listened on.
HOST = "127.0.0.1"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp4": "video/mp4",
    ".glb": "model/gltf-binary",
    ".bin": "application/octet-stream",
}
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_CHUNK = 1 << 16


class SiteServer(ThreadingHTTPServer):
    """A server of one folder on the loopback interface.

    Parameters
    ----------
    folder : Path or str
        What is served.
    port : int
        0: any that is free.

    Raises
    ------
    UsageError
        Where there is no such folder, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, folder: Path | str, port: int = 8000) -> None:
        folder = Path(folder)
        if not folder.is_dir():
            raise UsageError(
                f"{folder}: no folder; 'mtbench leaderboard build RESULTS --out {folder}' makes a site"
            )
        if not (folder / "index.html").is_file():
            raise UsageError(
                f"{folder}: no index.html in it; expected a folder that 'mtbench leaderboard build RESULTS --out SITE' "
                "wrote (or 'mtbench view', 'report')"
            )
        if not 0 <= port <= 65535:
            raise UsageError(f"a port is a number from 0 to 65535, not {port}")
        try:
            super().__init__((HOST, port), partial(_Handler, root=folder.resolve()))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be listened on ({error.strerror}); name another one (--port), or 0 for any"
            ) from error

    @property
    def address(self) -> str:
        """Of the first page."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of browsers that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "mtbench", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def __init__(self, *args: object, root: Path) -> None:
        self.root = root
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet."""

    def _answer(self, with_body: bool) -> None:
        name = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        if name not in (HOST, "localhost", "[::1]"):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, with_body)
            return
        path = self._find()
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND, with_body)
            return
        try:
            file = path.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, with_body)
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            chosen = parse_range(self.headers.get("Range"), size)
            if chosen is None:
                self._refuse(
                    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                    with_body,
                    {"Content-Range": f"bytes */{size}"},
                )
                return
            start, end, whole = chosen
            self.send_response(HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Type", _name_type(path))
            self.send_header("Content-Length", str(end - start))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            if not whole:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            self.end_headers()
            file.seek(start)
            left = end - start if with_body else 0
            while left > 0 and (data := file.read(min(_CHUNK, left))):
                self.wfile.write(data)
                left -= len(data)

    def _find(self) -> Path | None:
        """Return the file that is asked for, None where there is none inside the folder."""
        try:
            text = unquote(urlsplit(self.path).path, errors="strict")
            if "\0" in text or "\\" in text:
                return None
            path = (self.root / text.lstrip("/")).resolve()
            if path.is_dir():
                path = path / "index.html"
            return path if path.is_file() and path.resolve().is_relative_to(self.root) else None
        except (OSError, ValueError, RuntimeError):
            return None

    def _refuse(self, status: HTTPStatus, with_body: bool, headers: dict[str, str] | None = None) -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def parse_range(text: str | None, size: int) -> tuple[int, int, bool] | None:
    """Return which bytes a request is for: the first, the one after the last, and whether it asks for all.

    Parameters
    ----------
    text : str or None
        The header ``Range``. What is no single range of bytes counts as none, as the standard allows.
    size : int
        Of the file, bytes.

    Returns
    -------
    (int, int, bool) or None
        None where the file has no such bytes.

    Examples
    --------
    >>> parse_range("bytes=2-4", 10), parse_range("bytes=-3", 10), parse_range("bytes=10-", 10), parse_range(None, 10)
    ((2, 5, False), (7, 10, False), None, (0, 10, True))
    """
    found = None if text is None else _RANGE.fullmatch(text.strip())
    if found is None or found[0] == "bytes=-" or max(map(len, found.groups())) > 18:
        return 0, size, True
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size, False) if int(last) and size else None
    start = int(first)
    if last and int(last) < start:
        return 0, size, True
    end = size if not last else min(int(last) + 1, size)
    return (start, end, False) if start < size else None


def _name_type(path: Path) -> str:
    return _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
