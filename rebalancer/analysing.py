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
import engine.analysis.risk as limits
from engine.analysis.calendar import Calendar
from engine.analysis.compare import Comparison
from engine.analysis.correlation import Correlations
from engine.analysis.facts import FundFacts, from_market, parse_facts
from engine.analysis.limits import RiskInputs, RiskRule, risk_problems
from engine.analysis.lockstep import lockstep
from engine.analysis.overlap import overlap
from engine.analysis.reasons import Candidate, ReviewRules, Satellite
from engine.analysis.review import ReviewRow
from engine.analysis.review import review as review_one
from engine.analysis.screen import tracking_error
from engine.analysis.volatility import Turbulence, turbulence, turbulence_of_vix
from engine.costs.table import lookup
from engine.costs.tax import tax_rule
from engine.errors import InputError, MarketDataError, NoData, Problem
from engine.history import HistoryTable, from_records, parse_history
from engine.market import chain
from engine.market.catalogue import load
from engine.market.quote import Quote
from engine.market.symbols import canonical, currency_of_market, shape
from engine.portfolio import Instrument, Portfolio, Target
from engine.schedule import add_months
from engine.text import korean
from engine.valuation import Valuation, fx_table, resolve_prices, resolve_rates, value
from engine.weights.methods import Weighting, weigh
from engine.weights.sectors import company_of
from engine.weights.universe import Entry, classified, read_csv, read_list
from rebalancer.loading import load_portfolio
from rebalancer.prices import live_quotes_for

if TYPE_CHECKING:
    from engine.market.records import FundFacts as FetchedFacts

#: Calendar days fetched before the first day that an analysis needs: no holiday week is longer.
MARGIN = dt.timedelta(days=14)
VIX = "^VIX"


@dataclass(frozen=True, slots=True)
class Sources:
    """Say where closes and facts come from: files where named, else the network unless `offline`.

    `interactive` waits only as long as a cell may; what is fetched meanwhile is there the next time.
    """

    history: Path | None = None
    facts: Path | None = None
    offline: bool = False
    interactive: bool = False

    @property
    def wait(self) -> float | None:
        """Return how many seconds to wait for the network; None for as long as a command may."""
        return chain.default().settings.interactive_deadline if self.interactive else None


def fx_pairs(currencies: Iterable[str], base: str) -> tuple[str, ...]:
    """Return the pairs that turn each currency into the base."""
    return tuple(f"{currency}{base}" for currency in dict.fromkeys(currencies) if currency and currency != base)


def read_text(path: Path) -> str:
    """Return a file's text; raises InputError where it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8: save the file as UTF-8"
        ko = f"{error.start}번째 바이트가 UTF-8이 아닙니다: 파일을 UTF-8로 저장하세요"
        raise InputError([Problem("error", "file-encoding", str(path), message, ko)]) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"cannot be read ({reason}): name another file"
        ko = f"읽을 수 없습니다({reason}): 다른 파일을 쓰세요"
        raise InputError([Problem("error", "file-unreadable", str(path), message, ko)]) from None


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
    if sources.offline:
        message = "no history: name a file with --history, or leave out --offline"
        ko = "과거 시세가 없습니다: --history로 파일을 주거나 --offline을 빼세요"
        raise NoData(message, ko=ko, problems=[Problem("error", "no-history", "history", message, ko)])
    return _fetched(names, currencies, start - MARGIN, end, sources.wait)


def history_day(sources: Sources) -> dt.date | None:
    """Return the last day of the history file, None without one or where it cannot be read as closes."""
    if not sources.history:
        return None
    table, _ = parse_history(read_text(sources.history), str(sources.history))
    return table.last if table else None


def _fetched(
    symbols: tuple[str, ...], currencies: Mapping[str, str], start: dt.date, end: dt.date, wait: float | None
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    batch = chain.history(symbols, start, end, wait=wait)
    # The VIX is a bonus: without it volatility is judged by each instrument's own.
    missing = {symbol: error for symbol, error in batch.failed.items() if symbol != VIX}
    problems = [Problem("warning", "no-history", symbol, str(error), error.ko) for symbol, error in missing.items()]
    if not batch.ok:
        graver = [replace(one, severity="error") for one in problems]
        raise NoData("no source has any history", ko="과거 시세를 가진 제공처가 없습니다", problems=graver)
    records = (replace(record, symbol=symbol) for symbol, record in batch.ok.items())
    return from_records(records).with_currencies(currencies), (*problems, *batch.problems)


def load_facts(sources: Sources, symbols: Iterable[str]) -> tuple[dict[str, FundFacts], tuple[Problem, ...]]:
    """Return what is known of funds: the catalogue, under what the sources say, under what the file says."""
    names, problems = tuple(dict.fromkeys(symbols)), []
    fetched: Mapping[str, FetchedFacts] = {}
    if sources.history and not sources.facts:
        text = "closes come from a file, so no source was asked for facts either: name a file with --facts"
        ko = "종가를 파일에서 읽어 ETF 정보도 제공처에 묻지 않았습니다: --facts로 파일을 주세요"
        problems.append(Problem("info", "facts-not-asked", "facts", text, ko))
    elif not sources.offline and not sources.facts:
        batch = chain.fund_facts(names, wait=sources.wait)
        fetched = batch.ok
        problems.extend(
            Problem("warning", "no-facts", name, str(error), error.ko) for name, error in batch.failed.items()
        )
    facts = {name: from_market(name, fetched.get(name), load().get(name)) for name in names}
    if sources.facts:
        try:
            document = yaml.safe_load(read_text(sources.facts))
        except yaml.YAMLError as error:
            text = f"{error}".replace("\n", " ")
            ko = f"YAML 문법에 맞지 않습니다: {text}"
            raise InputError([Problem("error", "yaml", str(sources.facts), text, ko)]) from None
        given, found = parse_facts(document, str(sources.facts))
        if any(problem.severity == "error" for problem in found):
            raise InputError(found)
        facts.update({name: fund for name, fund in given.items() if name in facts})
        problems.extend(found)
    return facts, tuple(problems)


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


def correlate(
    portfolio: Portfolio | Mapping[str, str],
    sources: Sources,
    as_of: dt.date,
    *,
    days: int = correlation.DEFAULT_DAYS,
    threshold: float = correlation.DEFAULT_THRESHOLD,
    currency: str | None = None,
) -> Correlations:
    """Correlate everything held or wanted, in the portfolio's currency or the one named; a lockstep is a problem.

    In place of a portfolio it takes the currency of each symbol (with `currency` named, where they have several): these
    are correlated, and no lockstep is looked for.
    """
    if isinstance(portfolio, Portfolio):
        currencies, base = currencies_of(portfolio), currency or portfolio.base_currency
        symbols = portfolio.symbols
    else:
        currencies, symbols = dict(portfolio), tuple(portfolio)
        base = currency or next(iter(currencies.values()), "")
    start = as_of - dt.timedelta(days=max(days * 3 // 2, TWO_YEARS))
    wanted = (*symbols, *fx_pairs(currencies.values(), base))
    history, found = load_history(sources, wanted, currencies, start, as_of)
    history = history.until(as_of)
    result = correlation.correlate(history, symbols, base, days, threshold)
    problems = (*found, *result.problems)
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
    text = f"no section named satellite: {', '.join(chosen) or 'nothing'} is reviewed"
    ko = f"satellite 구성이 없어 대신 점검하는 구성: {', '.join(chosen) or '없음'}"
    return targets, (Problem("info" if targets else "warning", "no-satellite", "review", text, ko),)


def candidates() -> tuple[Candidate, ...]:
    """Return the catalogue's funds that follow an index: where a cheaper alternative is looked for."""
    found = [(entry.instrument, entry.index) for entry in load() if entry.index]
    return tuple(Candidate(i.symbol, i.name, index, i.currency, i.expense_ratio) for i, index in found)


def review(
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
    listed = candidates()
    rows = []
    for target in targets:
        others = [symbol for symbol in portfolio.symbols if symbol != target.symbol]
        row = review_one(
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
    return Review(benchmark or shared, tuple(rows), (*note, *found, *facts_found, *own))


def compare(texts: Sequence[str], sources: Sources, as_of: dt.date, *, currency: str | None = None) -> Comparison:
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
    result = funds.compare(symbols, history.until(as_of), facts, currency)
    return replace(result, problems=(*problems, *found, *result.problems))


Universe = tuple[tuple[Entry, ...], tuple[Problem, ...]]
#: Calendar days of history that judging volatility by its own last year takes.
VOLATILITY_DAYS = 430


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Hold every limit; `priced` is false where a price or rate is missing."""

    rules: tuple[RiskRule, ...]
    priced: bool
    problems: tuple[Problem, ...]


def risk(portfolio: Portfolio, quotes: Mapping[str, Quote], sources: Sources, as_of: dt.date) -> RiskReport:
    """Check every limit. Prices that are not given are the history file's last closes, or without one the sources'."""
    history, problems = _volatility_history(portfolio, sources, as_of)
    if sources.history is None:
        quotes, found = live_quotes_for(portfolio, quotes, offline=sources.offline, interactive=sources.interactive)
        problems = (*problems, *found)
    valuation, found = _valuation(portfolio, quotes, history, as_of)
    facts, facts_found = load_facts(sources, portfolio.symbols)
    facts = _tracked(portfolio, history, facts)
    rules = limits.risk(portfolio, valuation, _inputs(portfolio, valuation, history, facts))
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


def weights(
    method: str,
    universe: Path | Portfolio | Sequence[object],
    as_of: dt.date,
    *,
    maximum: Decimal | None = None,
    sector_maximum: Decimal | None = None,
    fetch: bool = False,
) -> Weighting:
    """Weigh a universe: a file (.csv, .yaml), a list of its entries, or a portfolio (or its file) with its targets.

    `fetch` looks up sectors and market values that are missing. What the move from present weights turns over and
    costs is a problem of severity info.
    """
    entries, problems = _universe(universe, as_of)
    if fetch:
        entries, found = _completed(entries, as_of)
        problems = (*problems, *found)

    def move_cost(symbol: str, change: Decimal) -> Decimal:
        market = shape(symbol) or "OTHER"
        instrument = load().find(symbol) or Instrument(symbol, symbol, market, currency_of_market(market) or "")
        cost = lookup(instrument, as_of, {})
        return abs(change) * (cost.commission_rate + (cost.sell_tax_rate if change < 0 else 0))

    result = weigh(method, entries, maximum=maximum, sector_maximum=sector_maximum, move_cost=move_cost)
    problems = (*problems, *result.problems)
    if result.turnover is not None:
        cost = "" if result.cost is None else f"; commissions and sales taxes about {result.cost:.4%} of the whole"
        cost_ko = "" if result.cost is None else f", 수수료와 거래세 약 {result.cost:.4%}"
        text = f"turnover {result.turnover:.2%} from the present weights{cost}"
        ko = f"현재 비중에서 옮기는 회전율 {result.turnover:.2%}{cost_ko}"
        problems = (*problems, Problem("info", "turnover", "weights", text, ko))
    return replace(result, problems=problems)


def _universe(given: Path | Portfolio | Sequence[object], as_of: dt.date) -> Universe:
    """Return the entries of a universe, or the instruments of a portfolio."""
    if isinstance(given, Portfolio):
        return _of_portfolio(given, (), as_of)
    if not isinstance(given, Path):
        return _read(read_list(given, "universe", as_of))
    path = given
    if path.suffix.lower() == ".csv" and not path.is_dir():
        return _read(read_csv(read_text(path), str(path), as_of))
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            document = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            text = " ".join(str(error).split())
            ko = f"YAML 문법에 맞지 않습니다: {text}"
            raise InputError([Problem("error", "yaml", str(path), text, ko)]) from None
        if isinstance(document, list):
            return _read(read_list(document, str(path), as_of))
        if isinstance(document, dict) and "universe" in document:
            return _read(read_list(document["universe"], f"{path}, universe", as_of))
    portfolio, problems = load_portfolio(path)
    if portfolio is None or any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return _of_portfolio(portfolio, problems, as_of)


def _read(answer: tuple[tuple[Entry, ...] | None, tuple[Problem, ...]]) -> Universe:
    entries, problems = answer
    if entries is None:
        raise InputError(problems)
    return entries, problems


def _completed(entries: tuple[Entry, ...], as_of: dt.date) -> Universe:
    """Return the entries with what they lack filled in from the sources, each filling said."""
    wanted = [entry.symbol for entry in entries if not entry.sector or entry.market_cap is None]
    batch = chain.fund_facts(wanted)
    problems = [Problem("warning", "no-facts", symbol, str(error), error.ko) for symbol, error in batch.failed.items()]
    done = []
    for entry in entries:
        facts = batch.ok.get(entry.symbol)
        filled: list[tuple[str, str]] = []
        if facts and not entry.sector and facts.sector:
            entry = classified(replace(entry, sector=facts.sector), as_of, f"{entry.symbol} sector", problems)
            filled.append((f"sector {facts.sector}", f"섹터 {facts.sector}"))
        if facts and entry.market_cap is None and facts.market_cap:
            entry = replace(entry, market_cap=facts.market_cap, currency=facts.currency)
            amount = f"{facts.market_cap:,} {facts.currency}"
            filled.append((f"market value {amount}", f"시가총액 {amount}"))
        if facts and filled:
            english, korean = (", ".join(told) for told in zip(*filled, strict=True))
            text = f"{english} from {facts.source}, {facts.fetched_at:%Y-%m-%d}"
            ko = f"{korean}, 출처 {facts.source} {facts.fetched_at:%Y-%m-%d}"
            problems.append(Problem("info", "fetched", entry.symbol, text, ko))
        done.append(entry)
    if len({entry.currency for entry in done if entry.market_cap is not None}) > 1:
        text = "market values of several currencies: give them in one, in the universe file"
        ko = "시가총액의 통화가 섞여 있습니다: 종목 목록 파일에 한 통화로 적으세요"
        raise InputError([*problems, Problem("error", "universe-currency", "universe", text, ko)])
    return tuple(done), tuple(problems)


def _of_portfolio(portfolio: Portfolio, problems: tuple[Problem, ...], as_of: dt.date) -> Universe:
    """Return a portfolio's instruments with the catalogue's sectors; the target weights stand for the present ones."""
    found = list(problems)
    weights = {target.symbol: target.weight for _, target in portfolio.targets()}
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
        entries.append(classified(entry, as_of, f"{symbol} sector", found))
    text = "the present weights are the portfolio's targets; sectors are the catalogue's"
    ko = "현재 비중으로 포트폴리오의 목표 비중을, 섹터로 종목 목록의 섹터를 씁니다"
    found.append(Problem("info", "before-by-target", "concentration.before", text, ko))
    return tuple(entries), tuple(found)


def calendar(portfolio: Portfolio, from_: dt.date, months: int = 12, *, realised: Decimal | None = None) -> Calendar:
    """Return the tasks from a day on for some months, with the overseas allowance of that day's law.

    `realised` is what this year's sales of overseas stocks have gained so far, in won.
    """
    rule = tax_rule("overseas_gains", from_)
    allowance = rule.allowance if rule else tasks.ALLOWANCE
    return Calendar(tasks.calendar(portfolio, from_, months, allowance=allowance, realised=realised))
