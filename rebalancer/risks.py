"""A portfolio's limits as every host asks for them: gather prices, closes and facts, call the engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.analysis.facts import FundFacts
from engine.analysis.limits import RiskInputs, RiskRule, risk_problems
from engine.analysis.risk import risk
from engine.analysis.screen import tracking_error
from engine.analysis.volatility import Turbulence, turbulence, turbulence_of_vix
from engine.errors import MarketDataError, Problem
from engine.history import HistoryTable
from engine.market.catalogue import load
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.text import korean
from engine.valuation import Valuation, fx_table, resolve_prices, resolve_rates, value
from rebalancer.analyses import currencies_of
from rebalancer.histories import VIX, Sources, fx_pairs, load_facts, load_history
from rebalancer.quoting import quotes_for

#: Calendar days of history that judging volatility by its own last year takes.
VOLATILITY_DAYS = 430


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Hold every limit; `priced` is false where a price or rate is missing."""

    rules: tuple[RiskRule, ...]
    priced: bool
    problems: tuple[Problem, ...]


def risk_portfolio(portfolio: Portfolio, quotes: Mapping[str, Quote], sources: Sources, as_of: dt.date) -> RiskReport:
    """Check every limit. Prices that are not given are the history file's last closes, or without one the sources'."""
    history, problems = _volatility_history(portfolio, sources, as_of)
    if sources.history is None:
        quotes, found = quotes_for(portfolio, quotes, offline=sources.offline, interactive=sources.interactive)
        problems = (*problems, *found)
    valuation, found = _valuation(portfolio, quotes, history, as_of)
    facts, facts_found = load_facts(sources, portfolio.symbols)
    facts = _tracked(portfolio, history, facts)
    rules = risk(portfolio, valuation, _inputs(portfolio, valuation, history, facts))
    return RiskReport(rules, valuation is not None, (*problems, *found, *facts_found, *risk_problems(rules)))


def _volatility_history(
    portfolio: Portfolio, sources: Sources, as_of: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return the closes, or none with a problem: limits can be checked without them."""
    currencies = currencies_of(portfolio)
    indices = [target.benchmark for _, target in portfolio.targets() if target.benchmark]
    wanted = (*portfolio.symbols, *indices, *fx_pairs(currencies.values(), portfolio.base_currency), VIX)
    try:
        start = as_of - dt.timedelta(days=VOLATILITY_DAYS)
        history, problems = load_history(sources, wanted, currencies, start, as_of)
    except MarketDataError as error:
        text, ko = f"{error}: volatility is not judged", f"변동성을 판단하지 않습니다: {error.ko}"
        return HistoryTable({}), (Problem("warning", "no-history", "risk", text, ko),)
    return history.until(as_of), problems


def _valuation(
    portfolio: Portfolio, quotes: Mapping[str, Quote], history: HistoryTable, as_of: dt.date
) -> tuple[Valuation | None, tuple[Problem, ...]]:
    """Value the portfolio; a last close that stands for a price is said, and so is a price too old to act on."""
    taken = {
        symbol: Quote(symbol, series.last_close, series.currency, _midnight(series.last), series.source, "closed")
        for symbol, series in {**history.series, **history.rates}.items()
        if symbol not in quotes and series.currency and series.kind != "total-return"
    }
    prices, problems = resolve_prices(portfolio, {**taken, **quotes}, as_of)
    rates, found = resolve_rates(portfolio, {**taken, **quotes}, as_of)
    problems = (*problems, *found)
    used = [quote for symbol, quote in prices.items() if taken.get(symbol) is quote]
    if used:
        days = sorted({quote.as_of.date().isoformat() for quote in used if quote.as_of})
        span = " to ".join(dict.fromkeys((days[0], days[-1])))
        text = f"the last closes of the history ({span}) stand for the prices of {len(used)} instruments"
        span_ko = "~".join(dict.fromkeys((days[0], days[-1])))
        ko = f"종목 {len(used)}개는 과거 시세의 마지막 종가({span_ko})를 시세로 씁니다"
        problems = (*problems, Problem("warning", "price-from-history", "prices", text, ko))
    told = [(quote.symbol, quote.stale_reason) for quote in prices.values() if quote.stale_reason is not None]
    told += [("/".join(rate.path), rate.stale_reason) for rate in rates.values() if rate.stale_reason is not None]
    if told:
        text = f"too old to act on: {', '.join(f'{symbol} ({reason})' for symbol, reason in told)}"
        ko = f"너무 오래된 시세: {', '.join(f'{symbol} ({korean(reason)})' for symbol, reason in told)}"
        problems = (*problems, Problem("warning", "price-stale", "prices", text, ko))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return value(portfolio, prices, fx_table(portfolio, rates)), problems


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _tracked(portfolio: Portfolio, history: HistoryTable, facts: Mapping[str, FundFacts]) -> dict[str, FundFacts]:
    """Return the facts with each core fund's tracking error to its benchmark, where no fact says it already."""
    done = dict(facts)
    for section, target in portfolio.targets():
        fund, index = history.series.get(target.symbol), history.series.get(target.benchmark or "")
        if section.name != "core" or fund is None or index is None or fund.currency != index.currency:
            continue
        if not done[target.symbol].tracking_error.known:
            done[target.symbol] = replace(done[target.symbol], tracking_error=tracking_error(fund, index))
    return done


def _inputs(
    portfolio: Portfolio, valuation: Valuation | None, history: HistoryTable, facts: Mapping[str, FundFacts]
) -> RiskInputs:
    vix = next((history.series[name] for name in (VIX, "VIX") if name in history.series), None)
    judged: dict[str, Turbulence] = {}
    for symbol in portfolio.symbols:
        if vix is not None:
            judged[symbol] = turbulence_of_vix(vix)
        elif symbol in history.series:
            judged[symbol] = turbulence(history.series[symbol])
    known = {symbol: fund.fee.value for symbol, fund in facts.items()}
    fees = {symbol: None if fee is None else Decimal(repr(fee)) for symbol, fee in known.items()}
    listed = frozenset(symbol for symbol in portfolio.symbols if load().get(symbol))
    return RiskInputs(facts, fees, judged, listed, _won_per(valuation))


def _won_per(valuation: Valuation | None) -> dict[str, Decimal]:
    """Return won per unit of every currency that the portfolio's rates reach."""
    if valuation is None:
        return {}
    rates = {valuation.fx.base: Decimal(1), **valuation.fx.rates}
    return {currency: rate / rates["KRW"] for currency, rate in rates.items()} if "KRW" in rates else {}
