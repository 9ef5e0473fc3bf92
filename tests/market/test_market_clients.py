"""The unmodified clients against the replay, led there by environment variables alone.

This is the contract on which the adapters stand: the pinned versions ask what the replay answers, and read it so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from replay_server import Replay
from replay_vendors import KRX_ID, KRX_PW

YFINANCE = """
import json, yfinance
from yfinance.data import YfData
names = ["AAPL", "005930.KS", "KRW=X", "ZZZZ"]
url = "https://query1.finance.yahoo.com/v7/finance/quote"
batch = YfData().get_raw_json(url, params={"symbols": ",".join(names), "formatted": "false"})
frame = yfinance.download(names[:3], period="5d", progress=False, auto_adjust=False)
print(json.dumps({
    "version": yfinance.__version__,
    "batch": {row["symbol"]: row["regularMarketPrice"] for row in batch["quoteResponse"]["result"]},
    "closes": {name: float(frame["Close"][name].dropna().iloc[-1]) for name in names[:3]},
    "fast": yfinance.Ticker("SPY").fast_info["lastPrice"],
    "fee": float(yfinance.Ticker("SPY").funds_data.fund_operations.iloc[0, 0]),
}))
"""
PYKRX = """
import contextlib, io, json
with contextlib.redirect_stdout(io.StringIO()) as printed:
    from pykrx import stock
    closes = stock.get_market_ohlcv("20261118", "20261120", "005930")["종가"]
    caps = stock.get_market_cap("20261120", market="ALL")
    etfs = stock.get_etf_ticker_list("20261120")
    deposit = stock.get_etf_portfolio_deposit_file("069500", "20261120")
    sectors = stock.get_market_sector_classifications("20261120", "KOSPI")
print(json.dumps({
    "closes": [int(close) for close in closes],
    "cap": int(caps.loc["005930", "시가총액"]),
    "name": stock.get_etf_ticker_name(etfs[0]),
    "held": list(deposit.index),
    "sector": sectors.loc["005930", "업종명"],
}))
"""


def run(code: str, replay: Replay, folder: Path, **variables: str) -> Any:
    own = {"XDG_CACHE_HOME": str(folder), "LOCALAPPDATA": str(folder), "PYTHONUTF8": "1"}
    environment = {**os.environ, **replay.env, **own, **variables}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_yfinance(replay: Replay, tmp_path: Path) -> None:
    told = run(YFINANCE, replay, tmp_path)
    assert told == {
        "version": "1.7.0",
        "batch": {"AAPL": 201.5, "005930.KS": 71000, "KRW=X": 1402.5},
        "closes": {"AAPL": 201.5, "005930.KS": 71000.0, "KRW=X": 1402.5},
        "fast": 601.0,
        "fee": 0.000945,
    }
    assert replay.kinds()[:3] == ["yahoo.cookie", "yahoo.crumb", "yahoo.quote"]


def test_pykrx(replay: Replay, tmp_path: Path) -> None:
    told = run(PYKRX, replay, tmp_path, KRX_ID=KRX_ID, KRX_PW=KRX_PW)
    assert told == {
        "closes": [71000, 71000, 71000],
        "cap": 423860000000000,
        "name": "KODEX 200",
        "held": ["005930", "000660", "010010"],
        "sector": "전기·전자",
    }
    assert replay.vendors.logins == [(KRX_ID, KRX_PW)]
