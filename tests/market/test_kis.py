"""Holdings and cash from the Open API of Korea Investment, over the wire, from a replay of what its samples say."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import AuthFailed, AuthRequired, MarketDataError, RateLimited, SchemaChanged
from engine.market.kis import PACE, Kis, KisKeys, kis_keys
from rebalancer.importing import import_files
from tests.market.replay_server import Replay
from tests.market.replay_vendors import Answer, Request
from xl_addin.cli import main

D = Decimal
KEY, SECRET, ACCOUNT = "app-key-sEcReT", "app-secret-sEcReT", "98765432-01"
TOKEN = "token-sEcReT"
START = 1_795_000_000.0


@dataclass
class Broker:
    """What the broker answers; `codes` are said once each before a task's own answer."""

    accounts: dict[str, str] = field(default_factory=lambda: {"98765432": "01"})
    codes: list[str] = field(default_factory=list)
    tokens: int = 0
    too_soon: bool = False
    refused: bool = False
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[str, Answer]:
        self.asked.append(request)
        if request.path == "/oauth2/tokenP":
            return "kis.token", self._token(request)
        if self.codes:
            return "kis.failed", _json({"rt_cd": "1", "msg_cd": self.codes.pop(0), "msg1": ACCOUNT}, 500)
        assert request.headers["authorization"] == f"Bearer {TOKEN}-{self.tokens}"
        assert (request.headers["appkey"], request.headers["custtype"]) == (KEY, "P")
        return "kis.balance", self._balance(request)

    def _token(self, request: Request) -> Answer:
        body = json.loads(request.body)
        assert body["grant_type"] == "client_credentials"
        if self.too_soon:
            return _json({"error_code": "EGW00133", "error_description": "1분당 1회"}, 403)
        if self.refused or (body["appkey"], body["appsecret"]) != (KEY, SECRET):
            return _json({"error_code": "EGW00103", "error_description": f"invalid {KEY}"}, 403)
        self.tokens += 1
        return _json({"access_token": f"{TOKEN}-{self.tokens}", "token_type": "Bearer", "expires_in": 86400})

    def _balance(self, request: Request) -> Answer:
        task, more = request.headers["tr_id"], request.headers.get("tr_cont", "")
        page = {"rt_cd": "0", "msg_cd": "KIOK0560", "msg1": "ok"}
        if task == "TTTC8434R" and not more:
            rows = [
                _row("360750", "TIGER 미국S&P500", "250", "16200.00", "24350"),
                _row("005930", "삼성전자", "0", "0", "1"),
            ]
            marks = {"ctx_area_fk100": "F1", "ctx_area_nk100": "N1"}
            return _json({**page, **marks, "output1": rows, "output2": [{"prvs_rcdl_excc_amt": "1"}]}, follows="F")
        if task == "TTTC8434R":
            assert (request.query["CTX_AREA_FK100"], request.query["CTX_AREA_NK100"]) == ("F1", "N1")
            rows = [
                {
                    "pdno": "069500",
                    "prdt_name": "KODEX 200",
                    "hldg_qty": "20",
                    "pchs_avg_pric": "36900.5",
                    "prpr": "52480",
                }
            ]
            sums = [{"dnca_tot_amt": "1500000", "prvs_rcdl_excc_amt": "1000000"}]
            return _json({**page, "output1": rows, "output2": sums}, follows="D")
        if task == "TTTC2208R":
            rows = [
                {
                    "pdno": "273130",
                    "prdt_name": "KODEX 종합채권",
                    "hldg_qty": "5",
                    "pchs_avg_pric": "113200",
                    "prpr": "116940",
                }
            ]
            return _json({**page, "output1": rows, "output2": {"dnca_tot_amt": "300000"}})
        if task == "TTTS3012R":
            paid = {"pchs_avg_pric": "461.7000", "now_pric2": "628.3500", "tr_crcy_cd": "USD"}
            rows = [{"ovrs_pdno": "QQQ", "ovrs_item_name": "INVESCO QQQ", "ovrs_cblc_qty": "3", **paid}]
            return _json({**page, "output1": rows, "output2": {}})
        return _json(
            {**page, "output1": [], "output2": [{"crcy_cd": "USD", "frcr_dncl_amt_2": "320.50"}], "output3": {}}
        )


def _row(code: str, name: str, quantity: str, cost: str, price: str) -> dict[str, str]:
    return {"pdno": code, "prdt_name": name, "hldg_qty": quantity, "pchs_avg_pric": cost, "prpr": price}


def _json(body: dict[str, Any], status: int = 200, follows: str = "") -> Answer:
    headers = (("tr_cont", follows),) if follows else ()
    return Answer(json.dumps(body, ensure_ascii=False).encode(), status, headers=headers)


@pytest.fixture
def broker(replay: Replay) -> Broker:
    replay.vendors = made = Broker()  # type: ignore[assignment]
    return made


def kis(folder: Path, *accounts: str, now: float = START) -> Kis:
    return Kis(KisKeys(KEY, SECRET, accounts or (ACCOUNT,)), folder, lambda: now, lambda _seconds: None)


def test_all_pages_all_markets_and_the_cash_that_can_be_spent(broker: Broker, tmp_path: Path) -> None:
    found = kis(tmp_path).statement()
    assert [(one.symbol, one.quantity, one.average_cost, one.price, one.currency) for one in found.lines] == [
        ("360750", D(250), D(16200), D(24350), "KRW"),
        ("069500", D(20), D("36900.5"), D(52480), "KRW"),
        ("QQQ", D(3), D("461.7"), D("628.35"), "USD"),
    ]
    assert [(one.currency, one.amount) for one in found.cash] == [("KRW", D(1_000_000)), ("USD", D("320.5"))]
    assert broker.tokens == 1


def test_a_token_is_kept_for_its_day_where_only_its_owner_reads_it(broker: Broker, tmp_path: Path) -> None:
    kis(tmp_path).statement()
    kis(tmp_path, now=START + 80_000).statement()
    assert broker.tokens == 1
    (kept,) = tmp_path.glob("kis-*.token")
    assert os.name == "nt" or stat.S_IMODE(kept.stat().st_mode) == 0o600
    kis(tmp_path, now=START + 86_000).statement()
    assert broker.tokens == 2


def test_an_expired_token_is_made_anew_and_a_busy_moment_waited_out(broker: Broker, tmp_path: Path) -> None:
    broker.codes = ["EGW00123", "EGW00201"]
    waits: list[float] = []
    found = Kis(KisKeys(KEY, SECRET, (ACCOUNT,)), tmp_path, lambda: START, waits.append).statement()
    assert len(found.lines) == 3
    assert broker.tokens == 2
    assert 1.0 in waits
    assert waits.count(PACE) == len(broker.asked)


def test_a_retirement_account_is_asked_as_one_and_for_nothing_overseas(broker: Broker, tmp_path: Path) -> None:
    found = kis(tmp_path, "98765432-29").statement()
    assert [(one.symbol, one.account) for one in found.lines] == [("273130", "KIS 5432-29")]
    assert [one.amount for one in found.cash] == [D(300_000)]
    assert {one.headers.get("tr_id") for one in broker.asked} == {None, "TTTC2208R"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"too_soon": True}, RateLimited), ({"refused": True}, AuthFailed), ({"codes": ["OPSQ0002"]}, SchemaChanged)],
)
def test_refusals_are_told_apart_and_quote_no_secret(
    broker: Broker, tmp_path: Path, change: dict[str, Any], kind: type[MarketDataError]
) -> None:
    for name, value in change.items():
        setattr(broker, name, value)
    with pytest.raises(kind) as raised:
        kis(tmp_path).statement()
    assert "sEcReT" not in f"{raised.value!r} {raised.value}"
    assert ACCOUNT not in str(raised.value)


@pytest.mark.parametrize("fault", [503, "html", "truncated", "reset"])
def test_a_broken_answer_is_an_error_of_the_tree(
    replay: Replay, broker: Broker, tmp_path: Path, fault: int | str
) -> None:
    replay.fault("kis.balance", fault)
    with pytest.raises(MarketDataError):
        kis(tmp_path).statement()
    assert broker.tokens == 1


def test_without_keys_it_says_how_to_give_them() -> None:
    with pytest.raises(AuthRequired) as raised:
        kis_keys({"KIS_APP_KEY": KEY, "KIS_APP_SECRET": SECRET, "KIS_ACCOUNT": "12345"})
    assert "KIS_ACCOUNT" in str(raised.value)
    assert "sEcReT" not in repr(KisKeys(KEY, SECRET, (ACCOUNT,)))


def test_what_the_broker_says_becomes_a_portfolio(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("KIS_APP_KEY", KEY), ("KIS_APP_SECRET", SECRET), ("KIS_ACCOUNT", f"{ACCOUNT}, 98765432-29")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REBALANCER_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("engine.market.kis.PACE", 0.0)
    portfolio = import_files((), broker="kis", model="growth").portfolio
    assert {one.name: one.type for one in portfolio.accounts} == {"KIS 5432-01": "taxable", "KIS 5432-29": "irp"}
    assert main(["import", "--broker", "kis", "-o", str(tmp_path / "p.yaml"), "--model", "growth"]) == 0
    printed = "".join(capfd.readouterr()) + (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert "sEcReT" not in printed
    assert "98765432" not in printed
    assert broker.tokens == 1


def test_files_or_a_broker_that_can_be_asked_have_to_be_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "-o", "x.yaml", "--lang", "en"]) == 2
    assert "--broker kis" in capfd.readouterr().err
