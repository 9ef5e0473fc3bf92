"""The analyses of a portfolio as every host asks for them: gather closes, facts and prices, call the engine.

Closes and fund facts come from a file that is named, else from the market data sources. Each analysis raises InputError
for a file that cannot be used and MarketDataError where nothing can be had at all; what is missing in part is a problem
of the result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

import engine.analysis.calendar as tasks
import engine.analysis.compare as funds
import engine.analysis.correlation as correlation
import engine.analysis.review as satellites
import engine.analysis.risk as limits
from engine.analysis.calendar import Calendar
from engine.analysis.compare import Comparison, FundRow, overlap
from engine.analysis.correlation import Correlations, lockstep
from engine.analysis.facts import Fund, from_market, issuer_of, parse_facts
from engine.analysis.returns import tracking_error
from engine.analysis.review import Candidate, Review, ReviewRules, Satellite
from engine.analysis.risk import RiskInputs, RiskReport
from engine.analysis.volatility import VIX, Turbulence, judged
from engine.costs.table import lookup
from engine.data.files import read_text
from engine.data.history import parse_history
from engine.errors import InputError, MarketDataError, NoData, Problem, error, note, warning
from engine.goals import carried
from engine.history import HistoryTable, from_records
from engine.market import chain
from engine.market.catalogue import canonical, currency_of_market, load, shape
from engine.market.research import Progress, unseen
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Instrument, Portfolio, Target
from engine.quote import Quote
from engine.schedule import add_months
from engine.valuation import Valuation, doubtful, fx_table, in_quantities, resolve_prices, resolve_rates, typed, value
from engine.weights.methods import Weighting, weigh
from engine.weights.universe import Entry, Read, classified, company_of, read_csv, read_list
from rebalancer.clock import today
from rebalancer.loading import load_portfolio, usable
from rebalancer.quoting import joined, quotes_for

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch
    from engine.quote import FetchedFacts

#: Calendar days fetched before the first day that an analysis needs: no holiday week is longer.
MARGIN = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where closes and facts come from: files where named, else the network unless `offline`.

    `interactive` waits only as long as a cell may; what is fetched meanwhile is there the next time. `progress` is told
    how many histories of how many have come.
    """

    history: Path | None = None
    facts: Path | None = None
    offline: bool = False
    interactive: bool = False
    progress: Progress = unseen

    @property
    def wait(self) -> float | None:
        """Return how many seconds to wait for the network; None for as long as a command may."""
        return chain.default().settings.interactive_deadline if self.interactive else None


#: The sources on the network, for as long as a command may wait.
LIVE = Sources()


def day_of(sources: Sources, as_of: dt.date | None) -> dt.date:
    """Return the day that an analysis is of: the one given, else the history file's last, else today."""
    return as_of or history_day(sources) or today()


def fx_pairs(currencies: Iterable[str], base: str) -> tuple[str, ...]:
    """Return the pairs that turn each currency into the base."""
    return tuple(f"{currency}{base}" for currency in dict.fromkeys(currencies) if currency and currency != base)


def load_history(
    sources: Sources, symbols: Iterable[str], currencies: Mapping[str, str], start: dt.date, end: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return the closes of symbols and pairs up to a day: those of the file, else fetched ones.

    `currencies` says what each symbol is quoted in where the source does not. Raises InputError for a file that cannot
    be used, MarketDataError where there is neither a file nor a source that may be asked.
    """
    if sources.history:
        table, problems = parse_history(read_text(sources.history), str(sources.history))
        if table is None:
            raise InputError(problems)
        return table.with_currencies(currencies), problems
    names = tuple(dict.fromkeys(symbols))
    return _fetched(names, currencies, start - MARGIN, end, sources)


def _document(path: Path) -> object:
    """Return what a YAML file holds; raises InputError where it cannot be read."""
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as fault:
        raise InputError([error("yaml", str(path), reason=" ".join(str(fault).split()))]) from None


def closes(symbol: str, first: dt.date, last: dt.date, sources: Sources) -> tuple[tuple[dt.date, Decimal], ...]:
    """Return an instrument's or a pair's daily closes from one day to another, both included.

    Raises NoData where there is none in these days, and the MarketDataError of a source that cannot be asked.
    """
    batch = chain.history([symbol], first, last, wait=sources.wait)
    if symbol in batch.failed:
        raise batch.failed[symbol]
    found = batch.ok[symbol]
    if not found.dates:
        message = phrase("no-data.close", symbol=symbol, first=first, last=last)
        raise NoData(message, symbol=symbol, source=found.source)
    return tuple(zip(found.dates, found.closes, strict=True))


def history_day(sources: Sources) -> dt.date | None:
    """Return the last day of the history file, None without one or where it cannot be read as closes."""
    if not sources.history:
        return None
    table, _ = parse_history(read_text(sources.history), str(sources.history))
    return table.last if table else None


def _fetched(
    symbols: tuple[str, ...], currencies: Mapping[str, str], start: dt.date, end: dt.date, sources: Sources
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    batch = chain.history(symbols, start, end, wait=sources.wait, offline=sources.offline, progress=sources.progress)
    # The VIX is a bonus: without it volatility is judged by each instrument's own.
    missing = {symbol: fault for symbol, fault in batch.failed.items() if symbol not in VIX}
    problems = _by_reason("no-history", missing)
    if not batch.ok and sources.offline:
        problem = error("no-history.offline", place("history"))
        raise NoData(problem.message, problems=[problem])
    if not batch.ok:
        graver = [replace(one, severity="error") for one in problems]
        raise NoData(phrase("no-history.anywhere"), problems=graver)
    records = (replace(record, symbol=symbol) for symbol, record in batch.ok.items())
    return from_records(records).with_currencies(currencies), (*problems, *batch.problems)


def _by_reason(code: str, failed: Mapping[str, MarketDataError]) -> list[Problem]:
    """Return a warning for each symbol, but one for all that have the same reason."""
    reasons: dict[Phrase, list[str]] = {}
    for symbol, fault in failed.items():
        reasons.setdefault(_about(fault.message, symbol, ""), []).append(symbol)
    found = []
    for symbols in reasons.values():
        joined = ", ".join(symbols)
        found.append(Problem("warning", code, joined, _about(failed[symbols[0]].message, symbols[0], joined)))
    return found


def _about(said: Phrase, symbol: str, other: str) -> Phrase:
    """Return what is said of a symbol as said of another, or of several."""
    values = {
        name: _about(value, symbol, other) if isinstance(value, Phrase) else other if value == symbol else value
        for name, value in said.items
    }
    return phrase(said.key, **values)


def load_facts(sources: Sources, symbols: Iterable[str]) -> tuple[dict[str, Fund], tuple[Problem, ...]]:
    """Return what is known of funds: the catalogue, under what the sources say, under what the file says."""
    names, problems = tuple(dict.fromkeys(symbols)), []
    fetched: Mapping[str, FetchedFacts] = {}
    if sources.offline and not sources.facts:
        stored = {name: chain.default().store.facts(name) for name in names}
        fetched = {name: found for name, found in stored.items() if found}
    if sources.history and not sources.facts:
        problems.append(note("facts-not-asked", place("facts")))
    elif not sources.offline and not sources.facts:
        batch = chain.fund_facts(names, wait=sources.wait)
        fetched = batch.ok
        problems.extend(_by_reason("no-facts", batch.failed))
    facts = {name: from_market(name, fetched.get(name), load().get(name)) for name in names}
    if sources.facts:
        given, found = parse_facts(_document(sources.facts), str(sources.facts))
        if any(problem.severity == "error" for problem in found):
            raise InputError(found)
        facts.update({name: fund for name, fund in given.items() if name in facts})
        problems.extend(found)
    return facts, tuple(problems)


#: Calendar days of history fetched at least for correlations, so that a lockstep can be told from the usual.
TWO_YEARS = 730
#: Calendar days of history for each quarter reviewed.
QUARTER_DAYS = 100


def currencies_of(portfolio: Portfolio) -> dict[str, str]:
    """Return what each instrument is quoted in."""
    return {symbol: instrument.currency for symbol, instrument in portfolio.instruments.items()}


def correlate(
    portfolio: Portfolio | Mapping[str, str],
    sources: Sources = LIVE,
    as_of: dt.date | None = None,
    *,
    days: int = correlation.DEFAULT_DAYS,
    threshold: float = correlation.DEFAULT_THRESHOLD,
    currency: str | None = None,
) -> Correlations:
    """Correlate everything held or wanted, in the portfolio's currency or the one named; a lockstep is a problem.

    In place of a portfolio it takes the currency of each symbol (with `currency` named, where they have several): these
    are correlated, and no lockstep is looked for.
    """
    as_of = day_of(sources, as_of)
    if isinstance(portfolio, Portfolio):
        currencies, base = currencies_of(portfolio), currency or portfolio.base_currency
        symbols, notes = portfolio.symbols, portfolio.notes
    else:
        currencies, symbols, notes = dict(portfolio), tuple(portfolio), ()
        base = currency or next(iter(currencies.values()), "")
    start = as_of - dt.timedelta(days=max(days * 3 // 2, TWO_YEARS))
    wanted = (*symbols, *fx_pairs(currencies.values(), base))
    history, found = load_history(sources, wanted, currencies, start, as_of)
    history = history.until(as_of)
    result = correlation.correlate(history, symbols, base, days, threshold)
    problems = (*notes, *found, *result.problems)
    if isinstance(portfolio, Portfolio) and result.effective_bets is not None:
        alive = [history.series[name] for name in symbols if name in history.series]
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
    told = note if targets else warning
    return targets, (told("no-satellite", place("review"), sections=chosen or phrase("no-section")),)


def candidates() -> tuple[Candidate, ...]:
    """Return the catalogue's funds that follow an index: where a cheaper alternative is looked for."""
    found = [(entry.instrument, entry.index) for entry in load() if entry.index]
    return tuple(Candidate(i.symbol, i.name, index, i.currency, i.expense_ratio) for i, index in found)


def review(
    portfolio: Portfolio,
    sources: Sources = LIVE,
    as_of: dt.date | None = None,
    *,
    benchmark: str | None = None,
    rules: ReviewRules | None = None,
    currency: str = "",
) -> Review:
    """Review the satellites; `benchmark` beats the targets' own, `currency` "" is each satellite's."""
    as_of, rules = day_of(sources, as_of), rules or ReviewRules()
    targets, remarks = reviewed(carried(portfolio))
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
    listed = candidates()
    rows = []
    for target in targets:
        others = [symbol for symbol in portfolio.symbols if symbol != target.symbol]
        row = satellites.review(
            Satellite(target.symbol, benchmarks[target.symbol], target.thesis_valid),
            history,
            as_of,
            others=others,
            candidates=listed,
            overlaps=[overlap(facts[target.symbol], facts[symbol]) for symbol in others],
            rules=rules,
            currency=currency,
        )
        rows.append(row)
    own = dict.fromkeys(problem for row in rows for problem in row.problems)
    shared = named[0] if len(named) == 1 and all(benchmarks.values()) else None
    return Review(benchmark or shared, tuple(rows), (*portfolio.notes, *remarks, *found, *facts_found, *own))


def compare(
    texts: Sequence[str],
    sources: Sources = LIVE,
    as_of: dt.date | None = None,
    *,
    currency: str | None = None,
    start: dt.date | None = None,
) -> Comparison:
    """Compare funds named by code or catalogue name; returns in `currency`, or each in its own.

    With `start`, the return from that day to `as_of` is added. Prices and the rate into won are what is stored, unless
    the sources may be asked.
    """
    as_of = day_of(sources, as_of)
    currencies: dict[str, str] = {}
    for text in texts:
        instrument = load().find(text)
        symbol = instrument.symbol if instrument else canonical(text)
        currencies[symbol] = (instrument.currency if instrument else currency_of_market(shape(symbol))) or ""
    if len(currencies) < 2:
        raise InputError([error("bad-argument.funds", place("funds"), funds=len(currencies))])
    symbols = tuple(currencies)
    wanted = (*symbols, *(fx_pairs(currencies.values(), currency) if currency else ()))
    try:
        begin = min(add_months(as_of, -60), start or as_of)
        history, problems = load_history(sources, wanted, currencies, begin, as_of)
    except MarketDataError as fault:
        history = HistoryTable({})
        problems = fault.problems or (Problem("error", "no-history", place("history"), fault.message),)
    facts, found = load_facts(sources, symbols)
    result = funds.compare(symbols, history.until(as_of), facts, currency, start)
    rows = _priced(result.funds, history.until(as_of), sources)
    return replace(result, funds=rows, problems=(*problems, *found, *result.problems))


def _priced(rows: Mapping[str, FundRow], history: HistoryTable, sources: Sources) -> dict[str, FundRow]:
    """Return the rows with price, issuer and the size in won, as far as they are known."""
    stored = sources.offline or sources.interactive or sources.history is not None
    units = {row.aum_currency for row in rows.values() if row.aum_currency not in ("", "KRW")}
    pairs = fx_pairs(sorted(units), "KRW")
    found = chain.quotes((*rows, *pairs), offline=stored).ok
    done = {}
    for symbol, row in rows.items():
        series, quote, entry = history.series.get(symbol), found.get(symbol), load().get(symbol)
        price, unit = (quote.price, quote.currency) if quote else (None, "")
        if series and len(series) and (stored or price is None) and series.kind != "total-return" and series.currency:
            price, unit = series.last_close, series.currency
        name = entry.instrument.name_en or entry.instrument.name if entry else ""
        issuer = row.issuer or issuer_of(name) or (issuer_of(entry.instrument.name) if entry else "")
        rate = _won_rate(row.aum_currency, found, history)
        size = None if rate is None or row.aum.value is None else Decimal(repr(row.aum.value)) * rate
        done[symbol] = replace(row, price=price, price_currency=unit, issuer=issuer, aum_krw=size)
    return done


def _won_rate(currency: str, quotes: Mapping[str, Quote], history: HistoryTable) -> Decimal | None:
    """Return won per unit of a currency: the history's last rate, else the quoted one."""
    if currency in ("", "KRW"):
        return Decimal(1) if currency else None
    series, quote = history.rates.get(f"{currency}KRW"), quotes.get(f"{currency}KRW")
    if series and len(series):
        return series.last_close
    return quote.price if quote else None


Universe = tuple[tuple[Entry, ...], tuple[Problem, ...]]
#: Calendar days of history that judging volatility by its own last year takes.
VOLATILITY_DAYS = 430


def risk(
    portfolio: Portfolio,
    quotes: QuoteBatch | Mapping[str, Quote] | None = None,
    sources: Sources = LIVE,
    as_of: dt.date | None = None,
    *,
    accept: Mapping[str, Decimal] | None = None,
) -> RiskReport:
    """Check every limit. Prices that are not given are the history file's last closes, or without one the sources'.

    Nothing is judged by a doubtful price, but for those of `accept`, by symbol, that a person has confirmed. What the
    year came to is looked at where `rebalancer.ledgers.with_year` has read it, or the document says it.
    """
    as_of = day_of(sources, as_of)
    history, problems = _volatility_history(portfolio, sources, as_of)
    if quotes is None or isinstance(quotes, Mapping):
        quotes = quotes or {}
    else:
        problems, quotes = (*problems, *quotes.problems), quotes.ok
    if sources.history is None:
        quotes, found = quotes_for(
            portfolio, quotes, offline=sources.offline, interactive=sources.interactive, accept=accept
        )
        problems = (*problems, *found)
    portfolio = typed(portfolio, quotes)
    valuation, found = _valuation(portfolio, quotes, history, as_of)
    facts, facts_found = load_facts(sources, portfolio.symbols)
    facts = _tracked(portfolio, history, facts)
    rules = limits.risk(portfolio, valuation, _inputs(portfolio, valuation, history, facts, as_of))
    problems = joined((*portfolio.notes, *problems, *found, *facts_found, *limits.risk_problems(rules)))
    return RiskReport(rules, valuation is not None, problems)


def volatility(
    portfolio: Portfolio, sources: Sources, as_of: dt.date
) -> tuple[dict[str, Turbulence], dict[str, Phrase]]:
    """Return the state of each symbol whose band follows volatility, and why of some there are no closes.

    It is the state that `risk` judges by. Raises InputError for a history file that cannot be used, nothing for closes
    that cannot be had.
    """
    names = portfolio.volatility_followers
    start = as_of - dt.timedelta(days=VOLATILITY_DAYS)
    try:
        history, problems = load_history(sources, (*names, VIX[0]), currencies_of(portfolio), start, as_of)
    except MarketDataError as fault:
        return {}, dict.fromkeys(names, fault.message)
    lacks = {str(problem.where): problem.message for problem in problems if problem.code == "no-history"}
    return judged(history.until(as_of), names), lacks


def _volatility_history(
    portfolio: Portfolio, sources: Sources, as_of: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return the closes, or none with a problem: limits can be checked without them."""
    currencies = currencies_of(portfolio)
    indices = [target.benchmark for _, target in portfolio.targets() if target.benchmark]
    wanted = (*portfolio.symbols, *indices, *fx_pairs(currencies.values(), portfolio.base_currency), VIX[0])
    try:
        start = as_of - dt.timedelta(days=VOLATILITY_DAYS)
        history, problems = load_history(sources, wanted, currencies, start, as_of)
    except MarketDataError as fault:
        return HistoryTable({}), (warning("no-history.volatility", place("risk"), reason=fault.message),)
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
        days = sorted({quote.as_of.date() for quote in used if quote.as_of})
        span = phrase("span", first=days[0], last=days[-1]) if len(days) > 1 else days[0]
        problems = (*problems, warning("price-from-history", place("prices"), span=span, instruments=len(used)))
    old = [(quote.symbol, quote.stale_reason) for quote in prices.values() if quote.stale_reason is not None]
    old += [("/".join(rate.path), rate.stale_reason) for rate in rates.values() if rate.stale_reason is not None]
    if old:
        stale = [phrase("stale-price", symbol=symbol, reason=reason) for symbol, reason in old]
        problems = (*problems, warning("price-stale.limits", place("prices"), prices=stale))
    problems = (*problems, *doubtful(prices, rates))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    portfolio = in_quantities(portfolio, prices)
    return value(portfolio, prices, fx_table(portfolio, rates)), problems


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _tracked(portfolio: Portfolio, history: HistoryTable, facts: Mapping[str, Fund]) -> dict[str, Fund]:
    """Return the facts with each core fund's tracking error to its benchmark, where no fact says it already."""
    done = dict(facts)
    for section, target in carried(portfolio).targets():
        fund, index = history.series.get(target.symbol), history.series.get(target.benchmark or "")
        if section.name != "core" or fund is None or index is None or fund.currency != index.currency:
            continue
        if not done[target.symbol].tracking_error.known:
            done[target.symbol] = replace(done[target.symbol], tracking_error=tracking_error(fund, index))
    return done


def _inputs(
    portfolio: Portfolio,
    valuation: Valuation | None,
    history: HistoryTable,
    facts: Mapping[str, Fund],
    as_of: dt.date,
) -> RiskInputs:
    listed = frozenset(symbol for symbol in portfolio.symbols if load().get(symbol))
    return RiskInputs(facts, judged(history, portfolio.symbols), listed, _won_per(valuation), as_of)


def _won_per(valuation: Valuation | None) -> dict[str, Decimal]:
    """Return won per unit of every currency that the portfolio's rates reach."""
    if valuation is None:
        return {}
    rates = {valuation.fx.base: Decimal(1), **valuation.fx.rates}
    return {currency: rate / rates["KRW"] for currency, rate in rates.items()} if "KRW" in rates else {}


def weights(
    method: str,
    universe: Path | Portfolio | Sequence[object],
    as_of: dt.date | None = None,
    *,
    maximum: Decimal | None = None,
    sector_maximum: Decimal | None = None,
    fetch: bool = False,
) -> Weighting:
    """Weigh a universe: a file (.csv, .yaml), a list of its entries, or a portfolio (or its file) with its targets.

    `fetch` looks up sectors and market values that are missing. What the move from present weights turns over and
    costs is a problem of severity info.
    """
    as_of = as_of or today()
    entries, problems = _universe(universe, as_of)
    if fetch:
        entries, found = _completed(entries, as_of)
        problems = (*problems, *found)
    entries, found = _listed(entries, as_of)
    problems = (*problems, *found)

    def move_cost(symbol: str, change: Decimal) -> Decimal:
        market = shape(symbol) or "OTHER"
        instrument = load().find(symbol) or Instrument(symbol, symbol, market, currency_of_market(market) or "")
        cost = lookup(instrument, as_of, {})
        return abs(change) * (cost.commission_rate + (cost.sell_tax_rate if change < 0 else 0))

    result = weigh(method, entries, maximum=maximum, sector_maximum=sector_maximum, move_cost=move_cost)
    problems = (*problems, *result.problems)
    if result.turnover is not None:
        key = "turnover" if result.cost is None else "turnover.cost"
        problems = (*problems, note(key, place("weights"), turnover=result.turnover, cost=result.cost))
    return replace(result, problems=problems)


def _universe(given: Path | Portfolio | Sequence[object], as_of: dt.date) -> Universe:
    """Return the entries of a universe, or the instruments of a portfolio."""
    if isinstance(given, Portfolio):
        return _of_portfolio(given, as_of)
    if not isinstance(given, Path):
        return _read(read_list(given, place("universe"), as_of))
    path = given
    if path.suffix.lower() == ".csv" and not path.is_dir():
        return _read(read_csv(read_text(path), str(path), as_of))
    if path.suffix.lower() in (".yaml", ".yml"):
        document = _document(path)
        if isinstance(document, list):
            return _read(read_list(document, str(path), as_of))
        if isinstance(document, dict) and "universe" in document:
            return _read(read_list(document["universe"], place("universe-of", file=str(path)), as_of))
    portfolio, problems = load_portfolio(path)
    return _of_portfolio(usable(portfolio, problems), as_of)


def _read(answer: Read) -> Universe:
    entries, problems = answer
    if entries is None:
        raise InputError(problems)
    return entries, problems


def _listed(entries: tuple[Entry, ...], as_of: dt.date) -> Universe:
    """Return the entries with the catalogue's names and, where they name no sector, its sectors, which is said."""
    problems: list[Problem] = []
    done, filled = [], []
    for entry in entries:
        listed = load().entry(entry.symbol)
        if listed and not entry.name:
            entry = replace(entry, name=listed.instrument.name)
        if listed and listed.sector and not entry.sector:
            where = place("sector", symbol=entry.symbol)
            entry = classified(replace(entry, sector=listed.sector), as_of, where, problems)
            filled.append(entry.symbol)
        done.append(entry)
    if filled:
        problems.append(note("sector-listed", place("universe"), symbols=filled))
    return tuple(done), tuple(problems)


def _completed(entries: tuple[Entry, ...], as_of: dt.date) -> Universe:
    """Return the entries with what they lack filled in from the sources, each filling said."""
    wanted = [entry.symbol for entry in entries if not entry.sector or entry.market_cap is None]
    batch = chain.fund_facts(wanted)
    problems = [Problem("warning", "no-facts", symbol, fault.message) for symbol, fault in batch.failed.items()]
    done = []
    for entry in entries:
        facts = batch.ok.get(entry.symbol)
        filled: list[Phrase] = []
        if facts and not entry.sector and facts.sector:
            entry = classified(
                replace(entry, sector=facts.sector), as_of, place("sector", symbol=entry.symbol), problems
            )
            filled.append(phrase("fetched-sector", sector=facts.sector))
        if facts and entry.market_cap is None and facts.market_cap:
            entry = replace(entry, market_cap=facts.market_cap, currency=facts.currency)
            filled.append(phrase("fetched-value", amount=facts.market_cap, currency=facts.currency))
        if facts and filled:
            problems.append(note("fetched", entry.symbol, found=filled, source=facts.source, day=facts.fetched_at))
        done.append(entry)
    if len({entry.currency for entry in done if entry.market_cap is not None}) > 1:
        raise InputError([*problems, error("universe-currency.fetched", place("universe"))])
    return tuple(done), tuple(problems)


def _of_portfolio(portfolio: Portfolio, as_of: dt.date) -> Universe:
    """Return a portfolio's instruments with the catalogue's sectors; the target weights stand for the present ones."""
    found = list(portfolio.notes)
    weights = {target.symbol: target.weight for _, target in carried(portfolio).targets()}
    entries = []
    for symbol in portfolio.symbols:
        listed = load().get(symbol)
        entry = Entry(
            symbol=symbol,
            sector=listed.sector if listed else "",
            company=company_of(symbol),
            weight=weights.get(symbol, Decimal(0)),
            name=portfolio.instruments[symbol].name,
        )
        entries.append(classified(entry, as_of, place("sector", symbol=symbol), found))
    found.append(note("before-by-target", place("concentration-before")))
    return tuple(entries), tuple(found)


def calendar(
    portfolio: Portfolio, from_: dt.date | None = None, months: int = 12, *, realised: Decimal | None = None
) -> Calendar:
    """Return the tasks from a day on (today) for some months, with the overseas allowance of that day's law.

    `realised` is what this year's sales of overseas stocks have gained so far, in won.
    """
    return Calendar(tasks.calendar(portfolio, from_ or today(), months, realised=realised), portfolio.notes)
