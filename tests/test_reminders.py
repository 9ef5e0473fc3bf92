"""`plan --check --notify`: what is sent to a place on this computer, and the lines that have a computer check."""

from __future__ import annotations

import json
import plistlib
import shlex
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Thread
from typing import Any

import pytest

from rebalancer.reminding import schedule
from xl_addin.cli import main

# apprise uses a module of the standard library that Python 3.13 no longer has, where it is there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NEEDED = """\
portfolio:
  name: mine
  base_currency: USD
  holdings:
    - {symbol: QQQ, quantity: 30, price: 500, average_cost: 400}
    - {symbol: SCHD, quantity: 100, price: 27.5, average_cost: 25}
  cash: {USD: 2500}
  targets:
    - {ticker: QQQ, weight: 0.6}
    - {ticker: SCHD, weight: 0.4}
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the URL of a webhook on this computer, and what it was sent."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sent: list[dict[str, Any]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Webhook)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://user:secret@127.0.0.1:{server.server_port}/", sent
    server.shutdown()
    server.server_close()
    thread.join()


def check(path: Path, *more: str) -> int:
    return main(["plan", str(path), "--offline", "--as-of", "2026-11-20", "--lang", "en", "--brief", *more])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(NEEDED, encoding="utf-8")
    return path


def test_what_is_due_and_why_is_sent(mine: Path, place: tuple[str, list[dict[str, Any]]]) -> None:
    url, sent = place
    assert check(mine, "--check", "--notify", url) == 4
    (message,) = sent
    assert message["title"] == "mine: rebalancing is due"
    assert "Outside the band: QQQ, SCHD" in message["message"]
    assert "sell Invesco QQQ Trust (QQQ) 6 × $500.00" in message["message"]


def test_places_may_stand_in_the_environment(
    mine: Path, place: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, sent = place
    monkeypatch.setenv("REBALANCER_NOTIFY", f"{url} {url}")
    assert check(mine) == 0
    assert sent == []
    assert check(mine, "--check") == 4
    assert len(sent) == 2


def test_nothing_is_sent_where_nothing_is_due(mine: Path, place: tuple[str, list[dict[str, Any]]]) -> None:
    url, sent = place
    mine.write_text(
        NEEDED.replace("quantity: 30", "quantity: 24").replace("USD: 2500", "USD: 20").replace("100,", "290,"),
        encoding="utf-8",
    )
    assert check(mine, "--check", "--notify", url) == 0
    assert sent == []


def test_a_check_that_fails_is_told_too(mine: Path, place: tuple[str, list[dict[str, Any]]]) -> None:
    url, sent = place
    mine.write_text(NEEDED.replace("quantity: 30", "quantity: many"), encoding="utf-8")
    assert check(mine, "--check", "--notify", url) == 2
    assert sent[0]["title"] == "mine.yaml could not be checked"
    assert "many" in sent[0]["message"]


def test_of_several_portfolios_those_are_named_that_need_something_or_failed(
    mine: Path, place: tuple[str, list[dict[str, Any]]]
) -> None:
    url, sent = place
    other = mine.with_name("other.yaml")
    other.write_text(NEEDED.replace("quantity: 30", "quantity: many").replace("name: mine", "name: other"), "utf-8")
    command = ["plan", str(mine), str(other), "--offline", "--as-of", "2026-11-20", "--lang", "en", "--check"]
    assert main([*command, "--notify", url]) == 2
    (message,) = sent
    assert message["title"] == "Rebalancing is due in 1 of your portfolios"
    assert "mine: 2 orders" in message["message"]
    assert "other" in message["message"]


def test_a_place_that_does_not_answer_changes_no_status_and_shows_no_secret(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(mine, "--check", "--notify", "json://user:secret@127.0.0.1:9/") == 4
    out, err = capsys.readouterr()
    assert "did not get through to --notify number 1" in err
    assert "secret" not in out + err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--notify", "json://127.0.0.1/"], "give both"),
        (["--check", "--notify", "json://127.0.0.1/", "--notify", "none:secret"], "--notify number 2"),
    ],
)
def test_a_place_that_cannot_be_told_is_bad_input(
    mine: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert check(mine, *more) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert words in err
    assert "secret" not in err


def test_without_its_extra_the_way_to_get_it_is_named(
    mine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert check(mine, "--check", "--notify", "json://127.0.0.1/") == 2
    assert "--extra notify" in " ".join(capsys.readouterr().err.split())


def test_cron_gets_a_line_that_a_shell_reads() -> None:
    line = schedule("cron", "/my python", [PurePosixPath("/100% me/mine.xlsx")], ["json://x/?a=b c"])
    assert line.startswith("0 9 * * 1 ")
    words = shlex.split(line.replace("\\%", "%"))[5:]
    assert words[:5] == ["/my python", "-m", "xl_addin", "plan", "/100% me/mine.xlsx"]
    assert words[-2:] == ["--notify", "json://x/?a=b c"]
    assert "\\%" in line


def test_cron_runs_what_is_meant(tmp_path: Path) -> None:
    told = tmp_path / "내 프로그램"
    told.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    told.chmod(0o755)
    line = schedule("cron", str(told), [PurePosixPath("/내 계좌/it's 100%.xlsx")], ["json://x/?a=b&c=$d"], "ko")
    command = line.removeprefix("0 9 * * 1 ").replace("\\%", "%")  # as cron hands it to the shell
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[3:] == [
        "/내 계좌/it's 100%.xlsx", "--check", "--brief", "--lang", "ko", "--notify", "json://x/?a=b&c=$d"
    ]  # fmt: skip


def test_a_mac_gets_commands_that_write_a_property_list(tmp_path: Path) -> None:
    text = schedule("darwin", "/p", [PurePosixPath("/a & b/it's $HOME 내 계좌.xlsx")])
    launchctl = tmp_path / "launchctl"
    launchctl.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    launchctl.chmod(0o755)
    home = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", text], env=home, capture_output=True, text=True, check=True)
    (made,) = (tmp_path / "Library" / "LaunchAgents").iterdir()
    assert done.stdout == f"load -w {made}\n"
    told = plistlib.loads(made.read_bytes())
    assert told["ProgramArguments"][4] == "/a & b/it's $HOME 내 계좌.xlsx"
    assert told["StartCalendarInterval"]["Weekday"] == 1


def test_windows_gets_a_command_with_its_paths_in_quotes() -> None:
    line = schedule("win32", r"C:\My Python\python.exe", [PureWindowsPath(r"C:\R&D it's\내 계좌.xlsx")])
    assert r"-TaskName 'Rebalancer 내 계좌' " in line
    assert r"-Execute 'C:\My Python\python.exe' " in line
    assert r"""-Argument '-m xl_addin plan "C:\R&D it''s\내 계좌.xlsx" --check --brief --lang en')""" in line
    assert "-StartWhenAvailable" in line


def test_a_place_that_cannot_be_told_is_scheduled_nowhere(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(mine), "--schedule", "--notify", "none:secret", "--lang", "en"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "secret" not in err


def test_the_line_to_paste_is_printed_without_planning(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine.unlink()
    assert main(["plan", str(mine), "--schedule", "--lang", "en"]) == 0
    told = capsys.readouterr().out
    assert str(mine) in told
    assert "It tells nobody yet" in told
