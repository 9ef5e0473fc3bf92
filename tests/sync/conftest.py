"""A real S3 server on this computer, and what stands between it and us: lines that break in every way."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, but for the `fault` that is next; keeps every byte that passed."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = host, port
        self.chance: random.Random | None = None
        self.faults: list[str] = []
        self.seen: list[bytes] = []

    def fault(self) -> str:
        """Return what happens to the next request."""
        if self.faults:
            return self.faults.pop(0)
        kinds = ("", "", "", "", "before", "after", "twice", "half", "slow", "503")
        return self.chance.choice(kinds) if self.chance else ""

    def handle_error(self, *_: object) -> None:
        """Say nothing: breaking lines is what it is for."""


class _Passing(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(body)
        fault = self.server.fault()
        self.close_connection = bool(fault)
        if fault == "before":
            return
        if fault.isdigit():
            told = {"403": "<Error><Code>RequestTimeTooSkewed</Code></Error>"}.get(fault, "<Error/>")
            self._answer(int(fault), [("Content-Type", "application/xml")], told.encode())
            return
        if fault == "hang":
            time.sleep(3)
            return
        status, headers, answer = self._asked(body)
        if fault == "twice":
            status, headers, answer = self._asked(body)
        if fault == "after":
            return
        if fault == "slow":
            time.sleep(0.005)
        self._answer(status, headers, answer, half=fault == "half")

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        line = http.client.HTTPConnection(*self.server.behind, timeout=20)
        line.request(self.command, self.path, body, dict(self.headers))
        answer = line.getresponse()
        told = answer.status, answer.getheaders(), answer.read()
        line.close()
        return told

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, half: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (7 if half else 0)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, int]]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def proxy(s3_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return the way to an S3 server with an empty bucket `mine`."""
    import boto3

    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    host, port = s3_server
    between = Proxy(host, port)
    thread = threading.Thread(target=between.serve_forever, daemon=True)
    thread.start()
    settings = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT": f"http://127.0.0.1:{between.server_port}", "AWS_ALLOW_HTTP": "true"}  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", aws_access_key_id="a",
        aws_secret_access_key="b",
    )  # fmt: skip
    client.create_bucket(Bucket="mine")
    between.client = client  # type: ignore[attr-defined]  # for what a test puts there by another way
    yield between
    bucket = [one["Key"] for page in client.get_paginator("list_objects_v2").paginate(Bucket="mine")
              for one in page.get("Contents", ())]  # fmt: skip
    for at in range(0, len(bucket), 1000):
        client.delete_objects(Bucket="mine", Delete={"Objects": [{"Key": key} for key in bucket[at : at + 1000]]})
    between.shutdown()
    between.server_close()
    thread.join()


@pytest.fixture
def bucket(proxy: Proxy) -> str:
    return "s3://mine/portfolios"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a key that "correct horse" opens, made once: it is slow on purpose."""
    from rebalancer.shelf import Shelf, Version

    folder = tmp_path_factory.mktemp("key")
    assert Shelf(str(folder), "my", "correct horse").create(Version(1, "x", (), ".yaml", b"", ""))
    return (folder / "my.sync" / "key.age").read_bytes()
