"""The analyses of a portfolio as every host asks for them: gather closes, facts and prices, call the engine.

Each raises InputError for a file that cannot be used and MarketDataError where nothing can be had at all; what is
missing in part is a problem of the result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.analysis.compare import Comparison, compare
from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, Correlations, correlate
from engine.analysis.lockstep import lockstep
from engine.analysis.overlap import overlap
from engine.analysis.reasons import Candidate, ReviewRules, Satellite
from engine.analysis.review import ReviewRow, review
from engine.errors import InputError, MarketDataError, Problem
from engine.history import HistoryTable
from engine.market.catalogue import load
from engine.market.symbols import canonical, currency_of_market, shape
from engine.portfolio import Portfolio, Target
from engine.schedule import add_months
from rebalancer.histories import Sources, fx_pairs, load_facts, load_history

#: Calendar days of history fetched at least for correlations, so that a lockstep can be told from the usual.
TWO_YEARS = 730
#: Calendar days of history for each quarter reviewed.
QUARTER_DAYS = 100


@dataclass(frozen=True, slots=True)
class Review:
    """Hold the satellites' rows; `benchmark` is the one that all share, else None."""

    benchmark: str | None
    rows: tuple[ReviewRow, ...]
    problems: tuple[Problem, ...]

    @property
    def known(self) -> bool:
        """Tell whether any quarter of any satellite has a return."""
        return any(quarter.value is not None for row in self.rows for quarter in row.quarters)


def currencies_of(portfolio: Portfolio) -> dict[str, str]:
    """Return what each instrument is quoted in."""
    return {symbol: instrument.currency for symbol, instrument in portfolio.instruments.items()}


def correlate_portfolio(
    portfolio: Portfolio,
    sources: Sources,
    as_of: dt.date,
    *,
    days: int = DEFAULT_DAYS,
    threshold: float = DEFAULT_THRESHOLD,
    currency: str | None = None,
) -> Correlations:
    """Correlate everything held or wanted, in the portfolio's currency or the one named; a lockstep is a problem."""
    currencies, base = currencies_of(portfolio), currency or portfolio.base_currency
    start = as_of - dt.timedelta(days=max(days * 3 // 2, TWO_YEARS))
    wanted = (*portfolio.symbols, *fx_pairs(currencies.values(), base))
    history, found = load_history(sources, wanted, currencies, start, as_of)
    history = history.until(as_of)
    result = correlate(history, portfolio.symbols, base, days, threshold)
    problems = (*found, *result.problems)
    if result.effective_bets is not None:
        alive = [history.series[name] for name in portfolio.symbols if name in history.series]
        problems = (*problems, lockstep(alive).remark())
    return replace(result, problems=problems)


def reviewed(portfolio: Portfolio) -> tuple[tuple[Target, ...], tuple[Problem, ...]]:
    """Return the targets to review: the satellite section's, or without one every section's but the core's."""
    names = [section.name for section in portfolio.sections]
    chosen = [name for name in names if name == "satellite"] or [name for name in names if name != "core"]
    sections = [section for section in portfolio.sections if section.name in chosen]
    targets = tuple(target for section in sections for target in section.targets if target.enabled)
    if "satellite" in chosen:
        return targets, ()
    text = f"no section named satellite: {', '.join(chosen) or 'nothing'} is reviewed"
    ko = f"satellite 구성이 없어 대신 점검하는 구성: {', '.join(chosen) or '없음'}"
    return targets, (Problem("info" if targets else "warning", "no-satellite", "review", text, ko),)


def candidates() -> tuple[Candidate, ...]:
    """Return the catalogue's funds that follow an index: where a cheaper alternative is looked for."""
    funds = [(entry.instrument, entry.index) for entry in load() if entry.index]
    return tuple(Candidate(i.symbol, i.name, index, i.currency, i.expense_ratio) for i, index in funds)


def review_portfolio(
    portfolio: Portfolio,
    sources: Sources,
    as_of: dt.date,
    *,
    benchmark: str | None = None,
    rules: ReviewRules | None = None,
    currency: str = "",
) -> Review:
    """Review the satellites; `benchmark` beats the targets' own, `currency` "" is each satellite's."""
    rules = rules or ReviewRules()
    targets, note = reviewed(portfolio)
    benchmarks = {target.symbol: benchmark or target.benchmark for target in targets}
    named = tuple(dict.fromkeys(symbol for symbol in benchmarks.values() if symbol))
    currencies = currencies_of(portfolio)
    for symbol in named:
        entry = load().get(symbol)
        currencies.setdefault(symbol, entry.instrument.currency if entry else "")
    bases = [currency] if currency else sorted(set(currencies.values()) - {""})
    pairs = dict.fromkeys(pair for base in bases for pair in fx_pairs(currencies.values(), base))
    start = as_of - dt.timedelta(days=QUARTER_DAYS * (max(rules.replace_after, rules.shown) + 1))
    history, found = load_history(sources, (*portfolio.symbols, *named, *pairs), currencies, start, as_of)
    history = history.until(as_of)
    facts, facts_found = load_facts(sources, portfolio.symbols)
    funds = candidates()
    rows = []
    for target in targets:
        others = [symbol for symbol in portfolio.symbols if symbol != target.symbol]
        row = review(
            Satellite(target.symbol, benchmarks[target.symbol], target.thesis_valid),
            history,
            as_of,
            others=others,
            candidates=funds,
            overlaps=[overlap(facts[target.symbol], facts[symbol]) for symbol in others],
            rules=rules,
            currency=currency,
        )
        rows.append(row)
    own = dict.fromkeys(problem for row in rows for problem in row.problems)
    shared = named[0] if len(named) == 1 and all(benchmarks.values()) else None
    return Review(benchmark or shared, tuple(rows), (*note, *found, *facts_found, *own))


def compare_funds(texts: Sequence[str], sources: Sources, as_of: dt.date, *, currency: str | None = None) -> Comparison:
    """Compare funds named by code or catalogue name; returns in `currency`, or each in its own."""
    currencies: dict[str, str] = {}
    for text in texts:
        instrument = load().find(text)
        symbol = instrument.symbol if instrument else canonical(text)
        currencies[symbol] = (instrument.currency if instrument else currency_of_market(shape(symbol))) or ""
    if len(currencies) < 2:
        text = f"{len(currencies)} fund to compare: name at least two different ones"
        ko = f"비교할 종목 {len(currencies)}개: 서로 다른 종목을 둘 이상 적으세요"
        raise InputError([Problem("error", "bad-argument", "funds", text, ko)])
    symbols = tuple(currencies)
    wanted = (*symbols, *(fx_pairs(currencies.values(), currency) if currency else ()))
    try:
        history, problems = load_history(sources, wanted, currencies, add_months(as_of, -60), as_of)
    except MarketDataError as error:
        history = HistoryTable({})
        problems = error.problems or (Problem("error", "no-history", "history", str(error), error.ko),)
    facts, found = load_facts(sources, symbols)
    result = compare(symbols, history.until(as_of), facts, currency)
    return replace(result, problems=(*problems, *found, *result.problems))
