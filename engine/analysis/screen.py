"""Which funds are fit for the core, and what the portfolio's funds cost a year.

A core fund: fee ≤ 0.1 % a year, assets ≥ 100 billion won, tracking error ≤ 1 % a year, dividends reinvested preferred.
The whole portfolio: weighted fee ≤ 0.3 %. Fee, size and the 0.3 % are the core-satellite rules this tool follows; the
tracking error limit is its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from engine.analysis.facts import FundFacts
from engine.analysis.figure import UNKNOWN, Figure
from engine.analysis.returns import MIN_RETURNS, TRADING_DAYS, simple_returns
from engine.history import Series, aligned
from engine.money import ZERO

Outcome = Literal["PASS", "FAIL", "UNKNOWN", "PREFERRED", "NOT_PREFERRED"]


@dataclass(frozen=True, slots=True)
class ScreenRules:
    """Hold the core's limits: yearly fractions, and won for the assets. A fund exactly at a limit passes."""

    max_fee: float = 0.001
    min_aum_krw: float = 100e9
    max_tracking_error: float = 0.01


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one criterion of one fund: the limit, the figure with its source, and the outcome."""

    symbol: str
    criterion: Literal["fee", "aum", "tracking-error", "total-return"]
    limit: float | None
    figure: Figure
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PortfolioFee:
    """Hold the weighted fee of what is held. Where some fees are not known, `fee` is a lower bound."""

    fee: Decimal
    limit: Decimal
    missing: tuple[str, ...]
    outcome: Outcome


def screen(facts: FundFacts, krw_per: Mapping[str, Decimal], rules: ScreenRules | None = None) -> tuple[Check, ...]:
    """Check a fund against the core's criteria; `krw_per` converts its assets (won per unit of currency)."""
    rules = rules or ScreenRules()
    symbol = facts.symbol
    assets = _in_won(facts, krw_per)
    kept = {True: "PREFERRED", False: "NOT_PREFERRED", None: "UNKNOWN"}
    known = facts.total_return is not None
    reinvested = Figure(float(bool(facts.total_return))) if known else UNKNOWN
    return (
        Check(symbol, "fee", rules.max_fee, facts.fee, _at_most(facts.fee, rules.max_fee)),
        Check(symbol, "aum", rules.min_aum_krw, assets, _at_least(assets, rules.min_aum_krw)),
        Check(
            symbol,
            "tracking-error",
            rules.max_tracking_error,
            facts.tracking_error,
            _at_most(facts.tracking_error, rules.max_tracking_error),
        ),
        Check(symbol, "total-return", None, reinvested, kept[facts.total_return]),  # type: ignore[arg-type]
    )


def passes(checks: tuple[Check, ...]) -> bool | None:
    """Tell whether a fund passes: false on any FAIL, None where a figure is missing."""
    outcomes = {check.outcome for check in checks if check.criterion != "total-return"}
    if "FAIL" in outcomes:
        return False
    return None if "UNKNOWN" in outcomes else True


def _in_won(facts: FundFacts, krw_per: Mapping[str, Decimal]) -> Figure:
    figure, currency = facts.aum, facts.aum_currency
    if figure.value is None or currency == "KRW":
        return figure
    if currency not in krw_per:
        note = f"no rate from {currency or 'an unknown currency'} to KRW"
        return Figure(None, figure.source, figure.as_of, note, f"원화 환율 없음: {currency or '통화 모름'}")
    rate = krw_per[currency]
    note, ko = f"converted at {rate} KRW per {currency}", f"1 {currency} = {rate} KRW로 환산"
    return Figure(figure.value * float(rate), figure.source, figure.as_of, note, ko)


def _at_most(figure: Figure, limit: float) -> Outcome:
    if figure.value is None:
        return "UNKNOWN"
    return "PASS" if figure.value <= limit else "FAIL"


def _at_least(figure: Figure, limit: float) -> Outcome:
    if figure.value is None:
        return "UNKNOWN"
    return "PASS" if figure.value >= limit else "FAIL"


def tracking_error(fund: Series, index: Series) -> Figure:
    """Return the yearly standard deviation of the daily return differences, over all common days."""
    days, closes = aligned([fund, index])
    count = max(len(days) - 1, 0)
    if count < MIN_RETURNS:
        note = f"{count} common daily returns: at least {MIN_RETURNS} are needed"
        return Figure(None, fund.source, None, note, f"공통 일간 수익률 {count}개: {MIN_RETURNS}개 이상 필요합니다")
    returns = simple_returns(closes)
    value = float(np.std(returns[:, 0] - returns[:, 1], ddof=1) * np.sqrt(TRADING_DAYS))
    last: dt.date = days[-1].astype(dt.date)
    note = f"standard deviation of {count} daily differences to {index.symbol}, times √{TRADING_DAYS} for a year"
    ko = f"{index.symbol} 대비 일간 차이 {count}개의 표준편차 × √{TRADING_DAYS} (연환산)"
    return Figure(value, fund.source, last, note, ko)


def portfolio_fee(
    weights: Mapping[str, Decimal], fees: Mapping[str, Decimal | None], limit: Decimal = Decimal("0.003")
) -> PortfolioFee:
    """Return Σ weight · fee over what is held (cash costs nothing), against 0.3 %.

    With fees missing the sum is a lower bound: above the limit it fails anyway, else the outcome is UNKNOWN.
    """
    missing = tuple(symbol for symbol, weight in weights.items() if weight and fees.get(symbol) is None)
    fee = sum((weight * (fees.get(symbol) or ZERO) for symbol, weight in weights.items()), ZERO)
    if fee > limit:
        return PortfolioFee(fee, limit, missing, "FAIL")
    return PortfolioFee(fee, limit, missing, "UNKNOWN" if missing else "PASS")
