"""The workbooks that the tests look at: every model, in both languages, plain and filled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

from engine.plan import Plan
from engine.portfolio import Account, Holding, Instrument, Portfolio
from engine.quote import Quote
from engine.rebalance import rebalance
from engine.words import LANGUAGES, Lang
from rebalancer.analysing import calendar
from rebalancer.tabulating import calendar_rows
from templates.models import KEYS, load
from templates.report import BookReport, plan_report
from templates.write import Book, build

DAY = dt.date(2026, 11, 20)
MOMENT = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
CASES = [(key, lang, filled) for key in KEYS for lang in LANGUAGES for filled in (False, True)]


def case_name(key: str, lang: Lang, filled: bool) -> str:  # noqa: FBT001 - one of three parts of a name
    return f"{key}-{lang}-{'filled' if filled else 'plain'}"


def filled_portfolio(key: str) -> Portfolio:
    """Return the model with something held of everything, in quantities that are off their targets."""
    portfolio = load(key).ready()
    if key == "blank":
        instruments = load("growth").portfolio.instruments
        holdings = tuple(Holding(symbol, Decimal(10)) for symbol in list(instruments)[:3])
        return replace(portfolio, instruments=instruments_of(instruments, holdings), holdings=holdings)
    scale = 1 if portfolio.base_currency == "USD" else 3
    off = {target.symbol for _, target in portfolio.targets() if not target.enabled}
    holdings = tuple(
        replace(
            holding,
            quantity=Decimal(0 if holding.symbol in off else (7 * place + 11) * scale),
            average_cost=Decimal(1003 + place),
            account="키움",
        )
        for place, holding in enumerate(portfolio.holdings)
    )
    cash = {portfolio.base_currency: Decimal(2_000_000 if portfolio.base_currency == "KRW" else 5_000)}
    return replace(portfolio, holdings=holdings, accounts=(Account("", cash=cash),))


def instruments_of(known: Mapping[str, Instrument], holdings: tuple[Holding, ...]) -> dict[str, Instrument]:
    return {holding.symbol: known[holding.symbol] for holding in holdings}


def quotes_of(portfolio: Portfolio) -> dict[str, Quote]:
    """Return a price for every symbol, and the rate between won and dollars."""
    quotes = {"USDKRW": Quote("USDKRW", Decimal("1391.5"), "KRW", MOMENT, "yahoo")}
    for place, symbol in enumerate(portfolio.symbols):
        currency = portfolio.instruments[symbol].currency
        price = Decimal(9_850 + 2_735 * place) if currency == "KRW" else Decimal("48.37") + 31 * place
        quotes[symbol] = Quote(symbol, price, currency, MOMENT, "naver" if currency == "KRW" else "yahoo")
    return quotes


def plan_of(portfolio: Portfolio) -> Plan:
    return rebalance(portfolio, quotes_of(portfolio), DAY)


def report_of(plan: Plan, lang: Lang) -> BookReport:
    tasks = {"Calendar": calendar_rows(calendar(plan.portfolio, plan.as_of), lang)}
    return plan_report(plan, lang, tables=tasks)


@cache
def report_for(key: str, lang: Lang, filled: bool) -> BookReport:  # noqa: FBT001 - one of three parts of a name
    if not filled:
        model = load(key)
        return BookReport(model.ready(), model=model.facts)
    portfolio = filled_portfolio(key)
    return report_of(plan_of(portfolio), lang)


@cache
def book_for(key: str, lang: Lang, filled: bool) -> Book:  # noqa: FBT001 - one of three parts of a name
    return build(report_for(key, lang, filled), lang)
