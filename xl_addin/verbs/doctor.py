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
from engine.settings import MarketSettings
from xl_addin.verbs.common import add_output_arguments

Status = Literal["ok", "note", "wrong"]
#: Packages whose exact version a fact depends on.
PINNED = ("yfinance", "pykrx", "exchange_calendars", "xlwings")
#: Variables that lead the network elsewhere; their values may hold a password, so only their names are shown.
ROUTES = ("HTTPS_PROXY", "HTTP_PROXY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_STYLES = {"ok": "green", "note": "cyan", "wrong": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding: `note` is something that works without, `mend` is what a person can do."""

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
    from xl_addin.workbook.checkup import excel_checks

    local = _shown(chain(local_checks(), excel_checks(args.workbook)), args)
    live = _shown(live_checks(), args) if args.live else []
    if args.json:
        from xl_addin.output.json import dump

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
            yield Check(problem.where, "wrong", problem.message, "mend or remove the variable")
        settings = MarketSettings()
    yield _store(settings)
    yield _login()
    routes = [name for name in ROUTES if os.environ.get(name)]
    yield Check("network route", "note" if routes else "ok", f"set: {', '.join(routes)}" if routes else "direct")


def live_checks() -> Iterator[Check]:
    """Ask every source for one symbol."""
    from engine.market import probe
    from engine.market.chain import default

    market = default()
    now = dt.datetime.now(dt.UTC)
    for one in probe.probes(market, now=now, seconds=market.settings.headless_deadline):
        yield Check(f"{one.source}: {one.what}", one.status, one.message, one.mend)


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
    other = [f"{name} {found[name]} instead of {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    if other:
        return Check("packages", "wrong", "; ".join(other), "run `python -m uv sync`")
    return Check("packages", "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _store(settings: MarketSettings) -> Check:
    from engine.market import store

    file = store.Store(store.folder(settings) / store.FILE)
    counts = file.counts()
    file.close()
    if file.problems:
        problem = file.problems[0]
        return Check(
            "price store", "wrong", f"{problem.where} {problem.message}", "set REBALANCER_CACHE_DIR to a folder"
        )
    return Check("price store", "ok", f"{file.path}, {counts.get('quotes', 0)} quotes")


def _login() -> Check:
    from engine.market import login

    if login.login(os.environ) is None:
        return Check("KRX login", "note", "none is configured; prices do not need one", login.HOW)
    return Check("KRX login", "ok", "configured (`--live` tries it)")


def _shown(checks: Iterable[Check], args: argparse.Namespace) -> list[Check]:
    """Return the checks; unless for JSON, print each as soon as it is done."""
    from xl_addin.output.colour import paint_for

    done = []
    for one in checks:
        done.append(one)
        if not args.json:
            paint = paint_for(sys.stdout)
            sys.stdout.write(f"{paint(one.status.ljust(5), _STYLES[one.status])} {one.check}: {one.message}\n")
            if one.mend:
                sys.stdout.write(f"      -> {one.mend}\n")
            sys.stdout.flush()
    return done
