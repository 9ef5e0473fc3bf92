"""A local stand-in for Yahoo, Naver and KRX, reached through proxy settings in the environment alone.

It is an HTTP proxy on the loopback address: absolute addresses are answered directly, CONNECT is answered with our
own certificate and the tunnel's requests are served by the same handler. What it answers is in `replay_vendors.py`;
how it can fail is in `Fault`. Every request is in `Replay.log`.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from tests.market.replay_vendors import Answer, Request, Vendors

HOSTS = (
    "*.yahoo.com",
    "*.finance.yahoo.com",
    "data.krx.co.kr",
    "*.naver.com",
    "*.finance.naver.com",
    "*.stock.naver.com",
    "www.ecb.europa.eu",
    "api.frankfurter.dev",
    "quote.cnbc.com",
    "openapi.koreainvestment.com",
)
#: Longest that a hanging answer hangs, in seconds; `Replay.reset` lets go earlier.
HANG = 30.0


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one kind of request: an HTTP status, html, truncated, hang, drip or reset.

    The first `after` requests of that kind are answered.
    """

    kind: int | str
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0


@dataclass(frozen=True)
class Seen:
    """One request: which kind, with what, and whose secrets came along."""

    kind: str
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    cookie: str


class Replay:
    """The server, its faults and its log. `env` are the variables that route a process to it; `waited_out` counts the
    hanging requests that nobody gave up before they ended by themselves."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority_file))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.tls)
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.released = threading.Event()
        self.reset()
        replay = self

        class Handler(_Handler):
            state = replay

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self) -> None:
        """Forget everything and let hanging and held requests go."""
        self.released.set()
        self.gate.set()
        self.released = threading.Event()
        with self.lock:
            self.vendors = Vendors()
            self.faults: dict[str, Fault] = {}
            self.log: list[Seen] = []
            self.waited_out = 0
            self.latency = 0.0
            self.date_shift = 0.0
            self.gate = threading.Event()
            self.gate.set()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def env(self) -> dict[str, str]:
        here = f"http://127.0.0.1:{self._server.server_port}"
        authority = str(self.authority_file)
        return {
            "HTTPS_PROXY": here,
            "HTTP_PROXY": here,
            "https_proxy": here,
            "http_proxy": here,
            "NO_PROXY": "",
            "no_proxy": "",
            "CURL_CA_BUNDLE": authority,
            "REQUESTS_CA_BUNDLE": authority,
        }

    def fault(self, where: str, kind: int | str, **headers: str) -> None:
        """Let every request of a kind (such as yahoo.quote) fail."""
        self.faults[where] = Fault(kind, headers)

    def fault_after(self, some: int, where: str, kind: int | str) -> None:
        """Let every request of a kind fail from the one after some on."""
        self.faults[where] = Fault(kind, after=some)

    def hold(self) -> None:
        """Let every request wait, once it is in the log, until `release`."""
        self.gate.clear()

    def release(self) -> None:
        """Answer what was held, and what comes."""
        self.gate.set()

    def kinds(self) -> list[str]:
        """The kinds of the requests so far, in order."""
        with self.lock:
            return [seen.kind for seen in self.log]

    def forget(self) -> None:
        """Empty the log."""
        with self.lock:
            self.log.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Replay
    tunnel = ""

    def log_message(self, *args: Any) -> None:
        """Keep quiet; requests are in the replay's log."""

    def do_CONNECT(self) -> None:
        self.tunnel = self.path.partition(":")[0]
        self.send_response_only(200)
        self.end_headers()
        self.connection = self.state.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False
        try:
            while not self.close_connection:
                self.handle_one_request()
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close what the tunnel opened: the server only knows the socket that it accepted."""
        self.close_connection = True
        for end in (self.rfile, self.wfile, self.connection):
            with contextlib.suppress(OSError):
                end.close()

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, body: bytes) -> None:
        url = urllib.parse.urlsplit(self.path)
        request = Request(
            host=url.hostname or self.tunnel,
            path=urllib.parse.unquote(url.path),
            query=dict(urllib.parse.parse_qsl(url.query)),
            form=dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)),
            cookie=self.headers.get("Cookie") or "",
            headers={name.casefold(): value for name, value in self.headers.items()},
            body=body,
        )
        state = self.state
        released = state.released
        with state.lock:
            kind, answer = state.vendors.answer(request)
            state.log.append(Seen(kind, request.host, request.path, request.query, request.form, request.cookie))
            fault = state.faults.get(kind) or state.faults.get(kind.partition(".")[0] + ".*")
            if fault and fault.after and sum(seen.kind == kind for seen in state.log) <= fault.after:
                fault = None
        state.gate.wait(HANG)
        if state.latency:
            time.sleep(state.latency)
        if fault is None:
            self._send(answer)
        else:
            self._fail(fault, answer, released)

    def _fail(self, fault: Fault, answer: Answer, released: threading.Event) -> None:
        if isinstance(fault.kind, int):
            page = b"<html><body>sorry</body></html>"
            self._send(Answer(page, fault.kind, "text/html", tuple(fault.headers.items())))
        elif fault.kind == "bomb":
            self._send(Answer(gzip.compress(b" " * 40_000_000, 1), headers=(("Content-Encoding", "gzip"),)))
        elif fault.kind == "html":
            self._send(Answer(b"<html><body>please log in</body></html>", 200, "text/html"))
        elif fault.kind == "truncated":
            self._head(answer, len(answer.body))
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif fault.kind == "hang":
            if not released.wait(HANG):
                with self.state.lock:
                    self.state.waited_out += 1
            self.close_connection = True
        elif fault.kind == "drip":
            self._head(answer, len(answer.body))
            for byte in answer.body:
                if released.wait(0.1):
                    break
                self.wfile.write(bytes([byte]))
            self.close_connection = True
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._hang_up()

    def _send(self, answer: Answer) -> None:
        self._head(answer, len(answer.body))
        self.wfile.write(answer.body)

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", formatdate(time.time() + self.state.date_shift, usegmt=True))
        self.send_header("Content-Type", answer.type)
        self.send_header("Content-Length", str(length))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
