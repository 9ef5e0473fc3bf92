"""`rebalancer doctor`: what is wrong with this installation and how to mend it; `--live` tries every price source."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Literal

from engine.errors import InputError
from engine.phrase import Phrase
from engine.settings import MarketSettings
from engine.text import Bilingual, korean
from xl_addin.cli.common import add_output_arguments

Status = Literal["ok", "note", "wrong"]
#: Packages whose exact version a fact depends on.
PINNED = ("yfinance", "pykrx", "exchange_calendars", "xlwings")
#: Variables that lead the network elsewhere; their values may hold a password, so only their names are shown.
ROUTES = ("HTTPS_PROXY", "HTTP_PROXY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_STYLES = {"ok": "green", "note": "cyan", "wrong": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding: `note` is something that works without, `mend` is what a person can do.

    `check`, `message` and `mend` are `engine.text.Bilingual` where they are words.
    """

    check: str
    status: Status
    message: str
    mend: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "workbook", nargs="?", type=Path, metavar="WORKBOOK", help="a workbook with macros to check (.xlsm)"
    )
    parser.add_argument("--live", action="store_true", help="try every price source for real, one symbol each")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print every check as it is done; status 3 where a source fails, 1 where anything else is wrong."""
    from xl_addin.hosts.excel.checkup import excel_checks

    local = _shown(chain(local_checks(), excel_checks(args.workbook)), args)
    live = _shown(live_checks(), args) if args.live else []
    if args.json:
        from xl_addin.show.json import dump

        checks = [
            {"check": one.check, "status": one.status, "message": one.message, "mend": one.mend} for one in local + live
        ]
        sys.stdout.write(dump({"checks": checks, "problems": []}))
    if any(one.status == "wrong" for one in local):
        return 1
    return 3 if any(one.status == "wrong" for one in live) else 0


def local_checks() -> Iterator[Check]:
    """Check what can be checked without a network."""
    yield _python()
    yield _packages()
    try:
        settings = MarketSettings.from_environment(os.environ)
    except InputError as error:
        for problem in error.problems:
            mend = Bilingual("mend or remove the variable", "환경 변수를 고치거나 지우세요")
            yield Check(str(problem.where), "wrong", Bilingual(str(problem.message), problem.said("ko")), mend)
        settings = MarketSettings()
    yield _store(settings)
    yield _login()
    routes = [name for name in ROUTES if os.environ.get(name)]
    route = ", ".join(routes)
    said = Bilingual(f"set: {route}", f"설정됨: {route}") if routes else Bilingual("direct", "직접 연결")
    yield Check(Bilingual("network route", "네트워크 경로"), "note" if routes else "ok", said)


def live_checks() -> Iterator[Check]:
    """Ask every source for one symbol."""
    from engine.market import probe
    from engine.market.chain import default

    market = default()
    now = dt.datetime.now(dt.UTC)
    for one in probe.probes(market, now=now, seconds=market.settings.headless_deadline):
        check = Bilingual(f"{one.source}: {one.what}", f"{one.source}: {one.what.told('ko')}")
        yield Check(check, one.status, _bilingual(one.message), _bilingual(one.mend) if one.mend else "")


def _bilingual(phrase: Phrase | str) -> str:
    return Bilingual(str(phrase), phrase.told("ko")) if isinstance(phrase, Phrase) else phrase


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", f"{version}, {sys.executable}")


def _packages() -> Check:
    wanted = {}
    for line in metadata.requires("rebalancer") or ():
        name, _, version = line.partition("==")
        if name in PINNED:
            wanted[name] = version
    found = {name: _version(name) for name in wanted}
    other = [name for name in wanted if found[name] != wanted[name]]
    title = Bilingual("packages", "패키지")
    if other:
        message = "; ".join(f"{name} {found[name]} instead of {wanted[name]}" for name in other)
        ko = "; ".join(f"{name} {found[name]} (필요한 것 {wanted[name]})" for name in other)
        mend = Bilingual("run `python -m uv sync`", "`python -m uv sync`를 실행하세요")
        return Check(title, "wrong", Bilingual(message, ko), mend)
    return Check(title, "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _store(settings: MarketSettings) -> Check:
    from engine.market import store

    title = Bilingual("price store", "시세 저장소")
    file = store.Store(store.folder(settings) / store.FILE)
    counts = file.counts()
    file.close()
    if file.problems:
        problem = file.problems[0]
        said = Bilingual(f"{problem.where} {problem.message}", f"{problem.where} {problem.said('ko')}")
        mend = Bilingual("set REBALANCER_CACHE_DIR to a folder", "REBALANCER_CACHE_DIR를 쓸 수 있는 폴더로 정하세요")
        return Check(title, "wrong", said, mend)
    count = counts.get("quotes", 0)
    return Check(title, "ok", Bilingual(f"{file.path}, {count} quotes", f"{file.path}, 시세 {count}개"))


def _login() -> Check:
    from engine.market.krx import HOW, login

    title = Bilingual("KRX login", "KRX 로그인")
    if login(os.environ) is None:
        said = Bilingual("none is configured; prices do not need one", "설정하지 않았습니다. 시세에는 필요 없습니다")
        return Check(title, "note", said, _bilingual(HOW))
    return Check(title, "ok", Bilingual("configured (`--live` tries it)", "설정됨 (`--live`로 확인)"))


def _shown(checks: Iterable[Check], args: argparse.Namespace) -> list[Check]:
    """Return the checks; unless for JSON, print each as soon as it is done."""
    from xl_addin.show.colour import paint_for
    from xl_addin.show.texts import say
    from xl_addin.show.width import pad

    done = []
    for one in checks:
        done.append(one)
        if not args.json:
            paint = paint_for(sys.stdout)
            status = pad(say(f"doctor.{one.status}", args.lang), 5)
            said = korean if args.lang == "ko" else str
            sys.stdout.write(f"{paint(status, _STYLES[one.status])} {said(one.check)}: {said(one.message)}\n")
            if one.mend:
                sys.stdout.write(f"      -> {said(one.mend)}\n")
            sys.stdout.flush()
    return done
