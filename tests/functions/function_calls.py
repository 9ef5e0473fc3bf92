"""The calls that every host must answer alike, and the market they are answered from.

An argument is rows of a range, a value, None where it is left out, {"date": …} for a date, {"error": …} for a cell that
shows an error, {"sheets": …} for what a host passes of the calling workbook.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

from engine.quote import FetchedFacts, FetchedHolding, History, Quote

Rows = list[list[Any]]
HOLDINGS: Rows = [
    ["Ticker", "Quantity", "ManualPrice", "Account", "Locked"],
    ["360750", 100, 24350, "키움", None],
    ["069500", 40, 52480, "키움", None],
    ["QQQ", 3, 628.35, "해외", None],
    ["NVDA", 9, 198.56, "해외", True],
    [None, None, None, None, None],
    ["035720", 18, 61200, "키움", None],
]
TARGETS: Rows = [
    ["Section", "Ticker", "Target", "Max", "Benchmark"],
    ["core", "TIGER 미국S&P500", 0.4, None, None],
    ["core", "069500", 0.2, None, None],
    ["satellite", "QQQ", 0.2, 0.3, "VTI"],
    ["satellite", "NVDA", 0.1, None, "QQQ"],
]
CASH: Rows = [["Currency", "Amount"], ["KRW", 1500000], ["USD", 320.5]]
RULES: Rows = [
    ["Section", "Schedule", "AbsoluteBand", "RelativeBand", "MinTrade", "LastRebalanced"],
    ["core", "semi-annual", 0.05, None, 200000, {"date": "2026-07-01"}],
    ["satellite", "quarterly", 0.07, 0.25, 100000, {"date": "2026-10-01"}],
]
PAIRS: Rows = [["Pair", "ManualRate"], ["USDKRW", 1402.5]]


def beside(*tables: Rows) -> Rows:
    """Return tables side by side with an empty column between, as they stand on a sheet."""
    height = max(map(len, tables))
    blocks = [[*table, *[[None] * len(table[0])] * (height - len(table))] for table in tables]
    return [
        [cell for at, row in enumerate(row_of) for cell in ([None] if at else []) + row]
        for row_of in zip(*blocks, strict=True)
    ]


SETTINGS = beside([["Key", "Value"], ["name", "성장"], ["base_currency", "KRW"]], RULES, PAIRS)
LEDGER: Rows = [
    ["Date", "Value", "Flow", "Drift"],
    [{"date": "2024-01-02"}, 1000, None, 0.02],
    [{"date": "2025-01-02"}, 1300, 200, 0.01],
    [{"date": "2026-01-02"}, 1430, None, 0.03],
]
SHEETS = {"Holdings": beside(HOLDINGS, CASH), "Targets": TARGETS, "Settings": SETTINGS, "History": LEDGER}
WORKBOOK = {"sheets": SHEETS}
#: The same portfolio as a person's own Korean sheet has it: other headers, another order, numbers as text, a sum.
OWN_HOLDINGS: Rows = [
    ["계좌명", "보유수량", "거래 안 함", "종목코드", "수동가격", "메모"],
    ["키움", "100", None, "360750", "24,350", "x"],
    ["키움", 40, None, "069500", 52480, None],
    ["해외", 3, None, "qqq", 628.35, None],
    ["해외", 9, "예", "NVDA", "198.56", None],
    ["키움", 18, None, "035720", "₩61,200", None],
    [None, None, None, "합계", None, None],
]
LOTS = [["Ticker", "Quantity", "ManualPrice", "Account"]] + [
    [*(("360750", 2, 24350), ("069500", 1, 52480), ("QQQ", 0, 628.35), ("NVDA", 0, 198.56))[at % 4], "키움"]
    for at in range(5000)
]
UNIVERSE: Rows = [
    ["Ticker", "Sector", "Market_Cap", "Currency"],
    ["AAPL", "Information Technology", 3.9e12, "USD"],
    ["MSFT", "Information Technology", 3.8e12, "USD"],
    ["JNJ", "Health Care", 4.1e11, "USD"],
]
FUNDS: Rows = [["360750"], ["069500"], [None], ["VTI"], ["QQQ"]]
_ALL = [HOLDINGS, TARGETS, CASH, SETTINGS]
_NONE = [None, None, None, None]

#: name: function, arguments
CALLS: dict[str, list[Any]] = {
    "drift": ["REBAL_DRIFT", *_ALL],
    "trades": ["REBAL_TRADES", *_ALL],
    "checks": ["REBAL_CHECKS", *_ALL],
    "drift of the workbook": ["REBAL_DRIFT", *_NONE, WORKBOOK],
    "trades of the workbook": ["REBAL_TRADES", *_NONE, WORKBOOK],
    "summary": ["REBAL_SUMMARY", WORKBOOK],
    "checks of the workbook": ["REBAL_CHECKS", *_NONE, WORKBOOK],
    "own headers": ["REBAL_TRADES", OWN_HOLDINGS, TARGETS, CASH, SETTINGS],
    "cash as one number": ["REBAL_DRIFT", HOLDINGS, TARGETS, 1500000, PAIRS],
    "cash of one cell": ["REBAL_DRIFT", HOLDINGS, TARGETS, [[1500000]], PAIRS],
    "no cash and settings": ["REBAL_DRIFT", [HOLDINGS[0], HOLDINGS[1]], [TARGETS[0], TARGETS[1]]],
    "5,000 rows": ["REBAL_DRIFT", LOTS, TARGETS, CASH, SETTINGS],
    "5,000 rows traded": ["REBAL_TRADES", LOTS, TARGETS, CASH, SETTINGS],
    "nothing to trade": ["REBAL_TRADES", [HOLDINGS[0], HOLDINGS[4]], [TARGETS[0]], None, SETTINGS],
    "weights": ["REBAL_WEIGHTS", "equal-sector-cap", UNIVERSE],
    "weights by Korean headers": [
        "REBAL_WEIGHTS", "cap", [["종목코드", "시가총액"], ["005930", 600], ["000660", "400"]]
    ],
    "correlations": ["REBAL_CORREL", FUNDS, 100],
    "correlations of one row": ["REBAL_CORREL", [["VTI", "QQQ"]]],
    "alerts": ["REBAL_CORREL_ALERTS", FUNDS, 100, 0.5],
    "comparison": ["REBAL_COMPARE", [["VTI"], ["QQQ"]]],
    "review of tickers": ["REBAL_REVIEW", [["QQQ"], ["NVDA"]], "VTI"],
    "review of targets": ["REBAL_REVIEW", TARGETS],
    "review of the workbook": ["REBAL_REVIEW", None, None, WORKBOOK],
    "risk": ["REBAL_RISK", beside(HOLDINGS, CASH, PAIRS), TARGETS],
    "risk of the workbook": ["REBAL_RISK", None, None, WORKBOOK],
    "calendar": ["REBAL_CALENDAR", {"date": "2026-11-21"}, 6, WORKBOOK],
    "calendar from a text": ["REBAL_CALENDAR", "2026-11-21", None, WORKBOOK],
    "history": ["REBAL_HISTORY", "VTI", {"date": "2026-09-01"}, {"date": "2026-09-30"}],
    "backtest": ["REBAL_BACKTEST", "never,5/25", {"date": "2025-01-02"}, {"date": "2026-06-30"}, WORKBOOK],
    "backtest of cells": ["REBAL_BACKTEST", [["annual"], ["own"]], {"date": "2025-01-02"}, None, WORKBOOK],
    "backtest of no policy": ["REBAL_BACKTEST", "sometimes", {"date": "2025-01-02"}, None, WORKBOOK],
    "performance": ["REBAL_PERFORMANCE", None, None, WORKBOOK],
    "performance since a day": ["REBAL_PERFORMANCE", {"date": "2025-01-01"}, None, WORKBOOK],
    "price": ["REBAL_PRICE", "069500"],
    "price by name": ["REBAL_PRICE", [["TIGER 미국S&P500"]], "currency"],
    "price's source": ["REBAL_PRICE", "QQQ", "source"],
    "price of a code that is a number": ["REBAL_PRICE", [[360750]]],
    "prices": ["REBAL_PRICES", FUNDS],
    "prices of one cell": ["REBAL_PRICES", [["QQQ"]]],
    "prices of one row": ["REBAL_PRICES", [["QQQ", "VTI", "ZZZZ"]]],
    "prices of the workbook": ["REBAL_PRICES", None, WORKBOOK],
    "rate": ["REBAL_FX", "USD/KRW"],
    "rate the other way": ["REBAL_FX", "krwusd"],
    # what cannot be answered
    "unknown ticker": ["REBAL_PRICE", "ZZZZ"],
    "ticker without its zero": ["REBAL_PRICE", [[69500]]],
    "unknown field": ["REBAL_PRICE", "QQQ", "colour"],
    "no pair": ["REBAL_FX", "dollar"],
    "no headers": ["REBAL_TRADES", HOLDINGS[1:], TARGETS, CASH, SETTINGS],
    "quantity in words": ["REBAL_TRADES", [HOLDINGS[0], ["QQQ", "many", 1, None, None]], TARGETS, CASH, SETTINGS],
    "error in a cell": ["REBAL_TRADES", [HOLDINGS[0], ["QQQ", {"error": "#REF!"}, 1, None, None]], TARGETS, CASH],
    "no money for a withdrawal": [
        "REBAL_TRADES", HOLDINGS, TARGETS, CASH,
        beside([["Key", "Value"], ["base_currency", "KRW"], ["cash_flow", -12000000]], PAIRS),
    ],
    "unknown price": ["REBAL_DRIFT", HOLDINGS, [*TARGETS, ["satellite", "ZZZZ", 0.05, None, None]], CASH, SETTINGS],
    "month of words": ["REBAL_CALENDAR", None, "soon", WORKBOOK],
    "days of one": ["REBAL_CORREL", FUNDS, 1],
    "end before start": ["REBAL_HISTORY", "VTI", {"date": "2026-09-30"}, {"date": "2026-09-01"}],
}  # fmt: skip

#: The real error that each of the last calls shows.
ERRORS = {
    "backtest of no policy": "#VALUE!",
    "unknown ticker": "#N/A",
    "ticker without its zero": "#VALUE!",
    "unknown field": "#VALUE!",
    "no pair": "#VALUE!",
    "no headers": "#VALUE!",
    "quantity in words": "#VALUE!",
    "error in a cell": "#VALUE!",
    "no money for a withdrawal": "#NUM!",
    "unknown price": "#N/A",
    "month of words": "#VALUE!",
    "days of one": "#VALUE!",
    "end before start": "#VALUE!",
}
_PRICES: dict[str, tuple[str, int | str]] = {
    "360750": ("KR", 24350), "069500": ("KR", 52480), "VTI": ("US", "341.2"), "QQQ": ("US", "628.35"),
    "NVDA": ("US", "198.56"), "035720": ("KR", 61200), "USDKRW": ("FX", "1402.5"), "^VIX": ("OTHER", "18"),
}  # fmt: skip


def market_rows(now: dt.datetime) -> tuple[list[tuple[str, Quote]], list[History], list[FetchedFacts]]:
    """Return quotes with their markets, three years of closes, and facts of everything that the calls name."""
    quotes, histories, facts = [], [], []
    days = [now.date() - dt.timedelta(days=back) for back in range(1200, 0, -1)]
    days = [day for day in days if day.weekday() < 5]
    for number, (symbol, (market, price)) in enumerate(_PRICES.items(), 1):
        currency = "USD" if market == "US" or symbol == "^VIX" else "KRW"
        quotes.append((market, Quote(symbol, Decimal(price), currency, now, "test", "regular", 0, now)))
        waves = [1 + 0.05 * math.sin(at / (7 + number)) + 0.03 * math.sin(at / 5) for at in range(len(days))]
        closes = tuple(Decimal(f"{float(price) * wave:.4f}") for wave in waves)
        histories.append(History(symbol, currency, "test", now, tuple(days), closes, tuple(map(float, closes))))
        top = (FetchedHolding("NVDA", "NVIDIA", Decimal("0.08")), FetchedHolding("AAPL", "Apple", Decimal("0.07")))
        facts.append(
            FetchedFacts(symbol, "test", now, symbol, currency, Decimal("0.0003") * number, Decimal(10**9), 2, top)
        )
    return quotes, histories, facts
