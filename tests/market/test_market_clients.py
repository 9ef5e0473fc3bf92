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

import pytest

from tests.market.replay_server import Replay
from tests.market.replay_vendors import KRX_ID, KRX_PW

pytestmark = pytest.mark.slow

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


def test_pykrx(krx_told: dict[str, Any]) -> None:
    assert krx_told["pykrx"] == {
        "closes": [71000, 71000, 71000],
        "cap": 423860000000000,
        "name": "KODEX 200",
        "held": ["005930", "000660", "010010"],
        "sector": "전기·전자",
    }
    assert krx_told["logins"] == [(KRX_ID, KRX_PW)], "once, however much is asked"


def test_the_krx_child_reads_what_pykrx_answers(krx_told: dict[str, Any]) -> None:
    results = {task: krx_told[task]["result"] for task in ("quotes", "etfs", "deposit", "caps", "sectors")}
    assert results["quotes"] == {"005930": "71000", "069500": "42965", "0193W0": "9875"}
    assert results["etfs"]["069500"] == "KODEX 200"
    assert results["deposit"]["069500"][0][0] == "005930"
    assert (results["caps"]["005930"], results["sectors"]["005930"]) == ("423860000000000", "전기·전자")
