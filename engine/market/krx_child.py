"""The child process in which pykrx runs: `python -m engine.market.krx_child`, one JSON job in, one JSON reply out.

pykrx logs in while it is imported, prints to stdout, sets no timeout, posts a refused password again on every call,
and sends KRX's cookie along to Naver. Here it is imported with the login in the environment and the login is taken
out again at once; every request it makes gets a timeout and is counted; what it prints is dropped. The parent ends this
process at its deadline.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

KRX_HOST = "data.krx.co.kr"
_LOGIN_PAGE = "MDCCOMS001D1.cmd"
#: Requests a second that KRX is asked at most: it shuts an address out for a day on bulk use.
PACE = 2
#: A reply of KRX's login that pykrx only knows as "no".
_MUST_CHANGE = "CD010"
with Path(__file__).with_name("krx_columns.csv").open(encoding="utf-8") as _file:
    #: The columns of pykrx's tables, by what they hold.
    COLUMNS = {row["column"]: row["pykrx"] for row in csv.DictReader(_file)}


class Tape:
    """A note of what every request of this process came to; each gets a timeout."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.requests = 0
        self.error = ""
        self.login_code = ""
        self._lock = threading.Lock()

    def install(self) -> None:
        """Put the tape around `requests`, which pykrx calls without a timeout."""
        import requests
        from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate

        limiter = Limiter(InMemoryBucket([Rate(PACE, Duration.SECOND)]))
        plain = requests.Session.send

        def send(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401
            if KRX_HOST in (request.url or "") and "getJsonData" in (request.url or ""):
                limiter.try_acquire("krx")
            options["timeout"] = min(options.get("timeout") or self.seconds, self.seconds)
            with self._lock:
                self.requests += 1
            try:
                response = plain(session, request, **options)
                self._note(response)
            except requests.RequestException as error:
                self.error = "Transient"
                raise error from None
            return response

        requests.Session.send = send  # type: ignore[assignment, method-assign]

    def _note(self, response: Any) -> None:  # noqa: ANN401 - requests' response
        """Keep the first refusal: what follows it is its consequence."""
        status, text = response.status_code, response.text[:200].strip()
        if _LOGIN_PAGE in response.url and text.startswith("{"):
            self.login_code = str(response.json().get("_error_code", ""))
        refused = {429: "RateLimited", 403: "Blocked", 404: "SchemaChanged", 401: "AuthRequired"}.get(status, "")
        if status >= 500:
            refused = "Transient"
        elif text == "LOGOUT":
            refused = "AuthRequired"
        elif "getJsonData" in response.url and text.startswith("<"):
            refused = refused or "SchemaChanged"
        self.error = self.error or refused


def _close(row: Any) -> str | None:  # noqa: ANN401 - a value of a DataFrame
    return str(int(row)) if row == row and row > 0 else None


def quotes(stock: Any, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pykrx's module
    """Return closes of a day by code: the table of shares, then that of ETFs if codes are left."""
    wanted = set(args["codes"])
    found: dict[str, Any] = {}
    for table in ("shares", "etfs"):
        if wanted <= found.keys():
            break
        date = args["date"]
        frame = stock.get_market_cap(date, market="ALL") if table == "shares" else stock.get_etf_ohlcv_by_ticker(date)
        if COLUMNS["close"] in frame:
            listed = wanted & set(frame.index)
            found.update({code: close for code in listed if (close := _close(frame.loc[code, COLUMNS["close"]]))})
    return found


def etfs(stock: Any, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pykrx's module
    """Return every listed ETF's name by code."""
    return {code: str(stock.get_etf_ticker_name(code)) for code in stock.get_etf_ticker_list(args["date"])}


def deposit(stock: Any, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pykrx's module
    """Return the portfolio deposit file by ETF: rows of [code, name, weight in percent or None, amount]."""
    found = {}
    for code in args["codes"]:
        frame = stock.get_etf_portfolio_deposit_file(code, args["date"])
        if COLUMNS["weight"] in frame:
            names = frame.get(COLUMNS["name"], frame.index)
            rows = zip(frame.index, names, frame[COLUMNS["weight"]], frame[COLUMNS["value"]], strict=True)
            found[code] = [(str(i), str(n), round(float(w), 4) if w > 0 else None, int(a)) for i, n, w, a in rows]
    return found


def caps(stock: Any, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pykrx's module
    """Return every share's market value in won, by code."""
    frame = stock.get_market_cap(args["date"], market="ALL")
    return {str(code): str(int(cap)) for code, cap in frame.get(COLUMNS["value"], {}).items()}


def sectors(stock: Any, args: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pykrx's module
    """Return every share's sector in KRX's classification, by code."""
    found: dict[str, Any] = {}
    for market in ("KOSPI", "KOSDAQ"):
        frame = stock.get_market_sector_classifications(args["date"], market)
        found.update({str(code): str(sector) for code, sector in frame.get(COLUMNS["sector"], {}).items()})
    return found


TASKS: Mapping[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    "quotes": quotes,
    "etfs": etfs,
    "deposit": deposit,
    "caps": caps,
    "sectors": sectors,
}


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Do one job; returns {"result"} or {"error": a name of the error tree}, with {"requests"}."""
    tape = Tape(float(job["seconds"]))
    tape.install()
    for name in ("KRX_ID", "KRX_PW"):
        os.environ.pop(name, None)
    if job.get("id"):
        os.environ.update(KRX_ID=job["id"], KRX_PW=job["pw"])
    try:
        from pykrx import stock
        from pykrx.website.comm import webio

        for name in ("KRX_ID", "KRX_PW"):
            os.environ.pop(name, None)  # or pykrx would post a refused password on every call
        if job.get("id") and webio.get_session() is None:
            refused = tape.error or ("PasswordChange" if tape.login_code == _MUST_CHANGE else "AuthFailed")
            return {"error": refused, "requests": tape.requests}
        tape.error = ""
        result = TASKS[job["task"]](stock, job)
    except Exception as error:  # noqa: BLE001 - the edge: only the kind of a foreign exception leaves this process
        kind = tape.error or (
            "Transient" if isinstance(error, OSError) and not isinstance(error, ValueError) else "SchemaChanged"
        )
        return {"error": kind, "requests": tape.requests}
    if not any(result.values()) and tape.error:
        return {"error": tape.error, "requests": tape.requests}
    return {"result": result, "requests": tape.requests}


def main() -> None:
    """Read a job from stdin and write the reply to what stdout was; whatever else is printed goes nowhere."""
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    job = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    json.dump(work(job), reply, ensure_ascii=False)
    reply.close()


if __name__ == "__main__":
    main()
