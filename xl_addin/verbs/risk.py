"""`rebalancer risk FILE`: every limit beside what it is today."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from engine.analysis.facts import FundFacts
from engine.analysis.limits import RiskInputs, risk_problems
from engine.analysis.risk import risk
from engine.analysis.screen import tracking_error
from engine.analysis.volatility import Turbulence, turbulence, turbulence_of_vix
from engine.errors import MarketDataError, Problem
from engine.history import HistoryTable
from engine.market.quote import Quote
from engine.portfolio import Portfolio
from engine.valuation import Valuation, resolve_fx, resolve_prices, value
from xl_addin.histories import (
    VIX,
    add_facts_argument,
    add_history_arguments,
    fx_pairs,
    history_day,
    load_facts,
    load_history,
)
from xl_addin.loading import load_portfolio
from xl_addin.prices import live_quotes_for, quotes_for
from xl_addin.verbs.common import add_output_arguments, date, usable

#: Calendar days of history that judging volatility by its own last year takes.
NEEDED = 430


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the portfolio file")
    parser.add_argument("--prices", type=Path, metavar="CSV", help="prices: symbol, price, currency, as_of")
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="the day to judge (default: today, or the history's last)"
    )
    add_history_arguments(parser)
    add_facts_argument(parser)
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check and print; exit status 3 where a price or rate is missing."""
    portfolio, problems = load_portfolio(args.file)
    portfolio = usable(portfolio, problems)
    as_of = args.as_of or history_day(args) or dt.datetime.now().astimezone().date()
    quotes, found = quotes_for(args.prices)
    problems = (*problems, *found)
    usable(portfolio, problems)
    history, found = _history(args, portfolio, as_of)
    problems = (*problems, *found)
    if not args.history:
        quotes, found = live_quotes_for(portfolio, quotes, offline=args.offline)
        problems = (*problems, *found)
    valuation, found = _valuation(portfolio, quotes, history, as_of)
    problems = (*problems, *found)
    facts, found = load_facts(args, portfolio.symbols)
    problems = (*problems, *found)
    tracked = _tracked(portfolio, history, facts)
    rules = risk(portfolio, valuation, _inputs(portfolio, valuation, history, tracked))
    problems = (*problems, *risk_problems(rules))
    if args.json:
        from xl_addin.output.analysis_json import risk_document
        from xl_addin.output.json import dump

        sys.stdout.write(dump(risk_document(rules, problems)))
    else:
        from xl_addin.output.analysis_text import risk_text
        from xl_addin.output.colour import paint_for

        sys.stdout.write(risk_text(rules, problems, args.lang, paint_for(sys.stdout)))
    return 0 if valuation else 3


def _history(
    args: argparse.Namespace, portfolio: Portfolio, as_of: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return the closes, or none with a problem: limits can be checked without them."""
    currencies = {symbol: instrument.currency for symbol, instrument in portfolio.instruments.items()}
    indices = [target.benchmark for _, target in portfolio.targets() if target.benchmark]
    wanted = (*portfolio.symbols, *indices, *fx_pairs(currencies.values(), portfolio.base_currency), VIX)
    try:
        history, problems = load_history(args, wanted, currencies, as_of - dt.timedelta(days=NEEDED), as_of)
    except MarketDataError as error:
        text = f"{error}: volatility is not judged"
        return HistoryTable({}), (Problem("warning", "no-history", "risk", text),)
    return history.until(as_of), problems


def _valuation(
    portfolio: Portfolio, quotes: Mapping[str, Quote], history: HistoryTable, as_of: dt.date
) -> tuple[Valuation | None, tuple[Problem, ...]]:
    """Value the portfolio; a price or rate that is not given is the history's last close, which a problem says."""
    taken = {
        symbol: Quote(symbol, series.last_close, series.currency, _close_of(series.last), series.source, "closed")
        for symbol, series in {**history.series, **history.rates}.items()
        if symbol not in quotes and series.currency and series.kind != "total-return"
    }
    prices, problems = resolve_prices(portfolio, {**taken, **quotes}, as_of)
    fx, found = resolve_fx(portfolio, {**taken, **quotes})
    problems = (*problems, *found)
    stale = [quote for quote in prices.values() if quote.stale]
    if stale:
        text = f"too old to act on: {', '.join(f'{quote.symbol} ({quote.stale_reason})' for quote in stale)}"
        problems = (*problems, Problem("warning", "price-stale", "prices", text))
    used = [quote for symbol, quote in prices.items() if taken.get(symbol) is quote]
    if used:
        days = sorted({quote.as_of.date() for quote in used if quote.as_of})
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        text = f"the last closes of the history ({span}) stand for the prices of {len(used)} instruments"
        problems = (*problems, Problem("warning", "price-from-history", "prices", text))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return value(portfolio, prices, fx), problems


def _close_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _tracked(portfolio: Portfolio, history: HistoryTable, facts: Mapping[str, FundFacts]) -> Mapping[str, FundFacts]:
    """Return the facts with each core fund's tracking error to its benchmark, where no fact says it already."""
    done = dict(facts)
    for section, target in portfolio.targets():
        fund, index = history.series.get(target.symbol), history.series.get(target.benchmark or "")
        if section.name != "core" or fund is None or index is None or fund.currency != index.currency:
            continue
        if not done[target.symbol].tracking_error.known:
            done[target.symbol] = replace(done[target.symbol], tracking_error=tracking_error(fund, index))
    return done


def _won_per(valuation: Valuation | None) -> dict[str, Decimal]:
    """Return won per unit of every currency that the portfolio's rates reach."""
    if valuation is None:
        return {}
    rates = {valuation.fx.base: Decimal(1), **valuation.fx.rates}
    return {currency: rate / rates["KRW"] for currency, rate in rates.items()} if "KRW" in rates else {}


def _inputs(
    portfolio: Portfolio, valuation: Valuation | None, history: HistoryTable, facts: Mapping[str, FundFacts]
) -> RiskInputs:
    from engine.market.catalogue import load

    vix = next((history.series[name] for name in (VIX, "VIX") if name in history.series), None)
    judged: dict[str, Turbulence] = {}
    for symbol in portfolio.symbols:
        if vix is not None:
            judged[symbol] = turbulence_of_vix(vix)
        elif symbol in history.series:
            judged[symbol] = turbulence(history.series[symbol])
    fees = {
        symbol: Decimal(repr(fund.fee.value)) if fund.fee.value is not None else None for symbol, fund in facts.items()
    }
    known = frozenset(symbol for symbol in portfolio.symbols if load().get(symbol))
    return RiskInputs(facts, fees, judged, known, _won_per(valuation))
