"""What is held at Korea Investment & Securities, asked from its Open API: holdings and cash, won and dollars.

Written from the official samples (koreainvestment/open-trading-api, 2026-07-09) and exercised against a replay of what
they say: never tried with an account. Only balances are asked for; nothing here can place an order.

A token is good for a day and may be made once a minute (each one sends its owner a message), so it is kept in a file
that only the owner can read. No message made here quotes a key, a token or an account's number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from engine.data.brokers.records import ExportCash, ExportLine, Statement
from engine.errors import AuthFailed, AuthRequired, MarketDataError, RateLimited, SchemaChanged, Transient
from engine.market.krx import SERVICE, from_keyring
from engine.phrase import phrase, place

NAME = "kis"
HOST = "https://openapi.koreainvestment.com:9443"
#: Seconds between two requests: a new subscription may make three a second; and to wait for one answer.
PACE, PATIENCE = 0.35, 20.0
#: Pages that are followed at most: 50 holdings each.
PAGES = 40
#: Seconds before its end that a token is no longer used.
SPARE = 600
#: What its own codes mean: a token asked for twice in a minute, an expired token, too many requests a second.
TOO_SOON, EXPIRED, TOO_MANY = "EGW00133", "EGW00123", "EGW00201"
#: The kind of account that the two digits after an account's number say: personal pension, retirement pension.
TYPES: Mapping[str, str] = {"22": "pension", "29": "irp"}
_DOMESTIC = "/uapi/domestic-stock/v1/trading/inquire-balance"
_PENSION = "/uapi/domestic-stock/v1/trading/pension/inquire-balance"
_OVERSEAS = "/uapi/overseas-stock/v1/trading/inquire-balance"
_PRESENT = "/uapi/overseas-stock/v1/trading/inquire-present-balance"


@dataclass(frozen=True, slots=True)
class KisKeys:
    """An app key with its secret, and the accounts (`12345678-01`) to ask for; its repr shows nothing of them."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    accounts: tuple[str, ...] = field(repr=False)


def kis_keys(environment: Mapping[str, str]) -> KisKeys:
    """Return the keys of the environment (KIS_APP_KEY, KIS_APP_SECRET, KIS_ACCOUNT), else of the keyring.

    Several accounts stand with commas between. Raises AuthRequired where one is missing or no account's number.
    """
    names = ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNT")
    key, secret, listed = (environment.get(name) or from_keyring(name) for name in names)
    accounts = tuple(part.strip() for part in listed.split(",") if part.strip())
    sound = all(len(one) == 11 and one[8] == "-" and (one[:8] + one[9:]).isdecimal() for one in accounts)
    if not (key and secret and accounts and sound):
        raise AuthRequired(phrase("kis.how", service=SERVICE), source=NAME)
    return KisKeys(key, secret, accounts)


def account_label(account: str) -> str:
    """Return what an account is called: the end of its number, and the two digits of its kind."""
    return f"KIS {account[4:]}"


@dataclass(slots=True)
class Kis:
    """The Open API with one person's keys; tokens are kept in `folder`. `now` is seconds since 1970."""

    keys: KisKeys
    folder: Path
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _token: str = field(default="", repr=False)

    def statement(self) -> Statement:
        """Return what all accounts hold, and their cash; raises the error tree of market data."""
        lines: list[ExportLine] = []
        cash: list[ExportCash] = []
        for account in self.keys.accounts:
            label, kind = account_label(account), account[9:]
            where = place("account", account=label)
            rows, sums = self._balance(account, _PENSION if kind == "29" else _DOMESTIC)
            lines += [
                _line(row, "pdno", "hldg_qty", "prpr", "KRW", label)
                for row in rows if _number(row, "hldg_qty")
            ]  # fmt: skip
            spendable = _number(sums[0], "prvs_rcdl_excc_amt") if sums else None
            if spendable is None and sums:
                spendable = _number(sums[0], "dnca_tot_amt")
            if spendable is not None:
                cash.append(ExportCash(spendable, "KRW", where, label))
            if kind in TYPES:
                continue
            rows, _ = self._balance(account, _OVERSEAS)
            lines += [
                _line(row, "ovrs_pdno", "ovrs_cblc_qty", "now_pric2", str(row.get("tr_crcy_cd") or "USD"), label)
                for row in rows if _number(row, "ovrs_cblc_qty")
            ]  # fmt: skip
            _, sums = self._balance(account, _PRESENT)
            for row in sums:
                amount = _number(row, "frcr_dncl_amt_2")
                if amount:
                    cash.append(ExportCash(amount, str(row.get("crcy_cd") or "USD"), where, label))
        day = dt.datetime.fromtimestamp(self.now(), dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=9))).date()
        return Statement(NAME, NAME, tuple(lines), tuple(cash), day)

    def _balance(self, account: str, path: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return all rows of a balance, page by page, and its sums."""
        task, asked, mark = _asked(path)
        query = {"CANO": account[:8], "ACNT_PRDT_CD": account[9:], **asked}
        rows: list[dict[str, Any]] = []
        more = ""
        for _ in range(PAGES):
            document, following = self._get(path, task, query, more)
            rows += _rows(document.get("output1"))
            if following not in ("F", "M") or not mark:
                return rows, _rows(document.get("output2"))
            more = "N"
            query |= {f"CTX_AREA_{key}{mark}": str(document.get(f"ctx_area_{key.lower()}{mark}") or "").strip()
                      for key in ("FK", "NK")}  # fmt: skip
        raise SchemaChanged(phrase("kis.endless"), source=NAME)

    def _get(self, path: str, task: str, query: Mapping[str, str], more: str) -> tuple[dict[str, Any], str]:
        for attempt in range(3):
            headers = {
                "authorization": f"Bearer {self._bearer()}",
                "appkey": self.keys.app_key,
                "appsecret": self.keys.app_secret,
                "tr_id": task,
                "tr_cont": more,
                "custtype": "P",
            }
            document, status, following = self._ask("GET", path, headers, params=dict(query))
            code = str(document.get("msg_cd") or "")
            if status == 200 and document.get("rt_cd") == "0":
                return document, following
            if code == EXPIRED and attempt == 0:
                self._forget()
            elif code == TOO_MANY:
                self.sleep(1.0)
            else:
                # Its message may name the account: only its code is shown.
                raise SchemaChanged(phrase("kis.refused", code=code or status), source=NAME)
        raise RateLimited(phrase("kis.too-many"), source=NAME)

    def _bearer(self) -> str:
        """Return a token that is good for a while: the kept one, else a new one."""
        if not self._token:
            self._token = self._kept() or self._new()
        return self._token

    def _new(self) -> str:
        body = {
            "grant_type": "client_credentials",
            "appkey": self.keys.app_key,
            "appsecret": self.keys.app_secret,
        }
        document, status, _ = self._ask("POST", "/oauth2/tokenP", {}, json=body)
        if str(document.get("error_code") or "") == TOO_SOON:
            raise RateLimited(phrase("kis.token-too-soon"), source=NAME, retry_after=60.0)
        token = document.get("access_token")
        if status != 200 or not isinstance(token, str) or not token:
            raise AuthFailed(phrase("kis.keys-refused"), source=NAME)
        seconds = document.get("expires_in")
        self._keep(token, self.now() + (seconds if isinstance(seconds, int) else 0))
        return token

    @property
    def _file(self) -> Path:
        whose = hashlib.sha256(self.keys.app_key.encode()).hexdigest()[:16]
        return self.folder / f"kis-{whose}.token"

    def _kept(self) -> str:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return str(kept["token"]) if float(kept["until"]) - SPARE > self.now() else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _keep(self, token: str, until: float) -> None:
        """Keep a token where only its owner can read it; one that cannot be kept is used this once."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file.unlink(missing_ok=True)
            number = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump({"token": token, "until": until}, file)
        except OSError:
            return

    def _forget(self) -> None:
        self._token = ""
        self._file.unlink(missing_ok=True)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        **options: Any,  # noqa: ANN401 - as curl_cffi takes them
    ) -> tuple[dict[str, Any], int, str]:
        """Return an answer's document, its status and whether more follows; raises the error tree."""
        from curl_cffi import requests
        from curl_cffi.requests import exceptions

        from engine.market.wire import classify

        self.sleep(PACE)
        try:
            response = requests.request(
                method,  # type: ignore[arg-type]
                HOST + path,
                headers={"content-type": "application/json; charset=utf-8", **headers},
                timeout=PATIENCE,
                allow_redirects=False,
                **options,
            )
        except exceptions.RequestException as fault:
            raise classify(fault, NAME) from None
        try:
            document = json.loads(response.content.decode("utf-8"))
        except ValueError:
            document = None
        if not isinstance(document, dict):
            kind: type[MarketDataError] = Transient if response.status_code >= 500 else SchemaChanged
            raise kind(phrase("kis.refused", code=response.status_code), source=NAME)
        return document, response.status_code, str(response.headers.get("tr_cont") or "")


def _asked(path: str) -> tuple[str, dict[str, str], str]:
    """Return the task's name, what it is asked, and how long its page marks are ("" where it has no pages)."""
    if path == _DOMESTIC:
        no = dict.fromkeys(("AFHR_FLPR_YN", "FUND_STTL_ICLD_YN", "FNCG_AMT_AUTO_RDPT_YN"), "N")
        asked = {**no, "OFL_YN": "", "INQR_DVSN": "02", "UNPR_DVSN": "01", "PRCS_DVSN": "00"}
        return "TTTC8434R", {**asked, "CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}, "100"
    if path == _PENSION:
        asked = {"ACCA_DVSN_CD": "00", "INQR_DVSN": "00", "CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}
        return "TTTC2208R", asked, "100"
    if path == _OVERSEAS:
        asked = {"OVRS_EXCG_CD": "NASD", "TR_CRCY_CD": "USD", "CTX_AREA_FK200": "", "CTX_AREA_NK200": ""}
        return "TTTS3012R", asked, "200"
    asked = {"WCRC_FRCR_DVSN_CD": "02", "NATN_CD": "000", "TR_MKET_CD": "00", "INQR_DVSN_CD": "00"}
    return "CTRP6504R", asked, ""


def _rows(part: object) -> list[dict[str, Any]]:
    """Return the rows of a part of an answer: a list of them, or one alone."""
    found = part if isinstance(part, list) else [part]
    return [row for row in found if isinstance(row, dict)]


def _number(row: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        number = Decimal(str(row.get(name)).replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _line(row: Mapping[str, Any], code: str, quantity: str, price: str, currency: str, label: str) -> ExportLine:
    symbol, held = str(row.get(code) or ""), _number(row, quantity)
    if not symbol or held is None or held < 0:
        raise SchemaChanged(phrase("kis.row"), source=NAME)
    cost = _number(row, "pchs_avg_pric")
    name = str(row.get("prdt_name") or row.get("ovrs_item_name") or "")
    where = place("account", account=label)
    return ExportLine(symbol, held, where, name, label, "", cost or None, _number(row, price) or None, currency)
