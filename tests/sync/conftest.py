"""Real servers of stores on this computer, and what stands between them and us: lines that break in every way."""

from __future__ import annotations

import base64
import contextlib
import email.utils
import hashlib
import hmac
import http.client
import json
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

#: The account that Azurite has for everybody, as its documentation names it.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_KEY = (
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBZOEUrb3gzVEI3RklJdHVzNE1yMTh3IDEwCi85a2JnbzBtQkFHT1c3MW15"
    "TTdZd0N3RDh5dGVDeE1pamw4S2hFWXpDcDQKLS0tIG5hUWZNNzlqaStwZkkyQXU5YngwYUxIU3pqUnFYN1h0OU93Ykk4T1hadzQK"
    "0fQaF5cq9O1N20NI2cZqGoPkUMYPY0bc8JK9cSwdiYXeaNGEqT2vfKEe6razusBeW6elIrSHQihmgfHApNLwOGRvz8MqNJ1VxcJH"
    "Uehw4azjgCD5RKwd6XlLDWMawKckoBRSU6NjomYHiQ=="
)


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, but for the `fault` that is next; keeps every byte that passed."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = host, port
        self.chance: random.Random | None = None
        self.faults: list[str] = []
        self.seen: list[bytes] = []
        self.google = False

    def fault(self) -> str:
        """Return what happens to the next request."""
        if self.faults:
            return self.faults.pop(0)
        kinds = ("", "", "", "", "before", "after", "twice", "half", "slow", "503")
        return self.chance.choice(kinds) if self.chance else ""

    def handle_error(self, *_: object) -> None:
        """Say nothing: breaking lines is what it is for."""


def as_s3(headers: dict[str, str]) -> dict[str, str]:
    """Return what a request of Google's XML API says, as S3 says it: that API is S3's with other names of headers.

    https://docs.cloud.google.com/storage/docs/xml-api/reference-headers: a generation of 0 is matched by no object.
    """
    names = {name.lower(): value for name, value in headers.items()}
    names["authorization"] = "AWS4-HMAC-SHA256 Credential=a/20261120/us-east-1/s3/aws4_request, Signature=0"
    if names.pop("x-goog-if-generation-match", "") == "0":
        names["if-none-match"] = "*"
    return names


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
        line.request(
            self.command, self.path, body, as_s3(dict(self.headers)) if self.server.google else dict(self.headers)
        )
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


@contextlib.contextmanager
def passing(host: str, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Put a line of ours before a server, and no other one."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    between = Proxy(host, port)
    thread = threading.Thread(target=between.serve_forever, daemon=True)
    thread.start()
    yield between
    between.shutdown()
    between.server_close()
    thread.join()


@pytest.fixture
def proxy(s3_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return the way to an S3 server with an empty bucket `mine`."""
    import boto3

    host, port = s3_server
    with passing(host, port, monkeypatch) as between:
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


@pytest.fixture
def google(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """Return the way to a bucket `mine` that is spoken to as Google's: a replay of its XML API over the S3 server."""
    proxy.google = True
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    account = {"gcs_base_url": f"http://127.0.0.1:{proxy.server_port}", "disable_oauth": True, "client_email": "",
               "private_key": "", "private_key_id": ""}  # fmt: skip
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
    return proxy


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return the way to Microsoft's own emulator (`npm install -g azurite`) with an empty container `mine`."""
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("Azurite is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [program, "--blobPort", str(port), "--location", str(tmp_path / "azurite"), "--silent"]
    command += ["--skipApiVersionCheck"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        _container("127.0.0.1", port)
        with passing("127.0.0.1", port, monkeypatch) as between:
            monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
            monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
            monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", f"http://127.0.0.1:{between.server_port}")
            yield between
        server.terminate()


def _container(host: str, port: int) -> None:
    """Make the container, signed as Azure wants it (Shared Key), once the server answers."""
    day, version = email.utils.formatdate(usegmt=True), "2021-08-06"
    signed = ["PUT", *[""] * 11, f"x-ms-date:{day}", f"x-ms-version:{version}", f"/{_ACCOUNT}/{_ACCOUNT}/mine",
              "restype:container"]  # fmt: skip
    mark = hmac.new(base64.b64decode(_ACCOUNT_KEY), "\n".join(signed).encode(), hashlib.sha256).digest()
    login = f"SharedKey {_ACCOUNT}:{base64.b64encode(mark).decode()}"
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            line = http.client.HTTPConnection(host, port, timeout=20)
            line.request("PUT", f"/{_ACCOUNT}/mine?restype=container", b"",
                         {"x-ms-date": day, "x-ms-version": version, "Authorization": login})  # fmt: skip
            assert line.getresponse().status == 201
            line.close()
            return
        time.sleep(0.2)
    pytest.fail("Azurite did not start")


@pytest.fixture
def bucket(proxy: Proxy) -> str:
    return "s3://mine/portfolios"


@pytest.fixture
def key() -> bytes:
    """Return a key that "correct horse" opens, at a thousandth of the work of those that our program makes (2^10)."""
    return base64.b64decode(_KEY)
