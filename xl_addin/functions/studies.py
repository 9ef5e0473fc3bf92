"""Weights, correlations, comparison, review, limits, calendar: the analyses as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS, Correlations
from engine.data.document import portfolio_from_data
from engine.errors import InputError, NoData, Problem
from engine.market import chain
from engine.market.catalogue import load
from engine.phrase import phrase
from engine.portfolio import Portfolio
from engine.text import fold, plain_number
from engine.weights.methods import METHODS
from engine.words import Lang
from rebalancer import analysing
from rebalancer.analysing import Sources
from rebalancer.tabulating import (
    SAID_IN_PLACE,
    RowWords,
    alert_rows,
    calendar_rows,
    comparison_rows,
    correlation_rows,
    limit_cells,
    review_rows,
)
from templates.cells import Cell, ErrorValue
from templates.read.tables import find_tables, headers
from templates.spec import table as declared
from xl_addin.functions import journal
from xl_addin.functions.answers import Answer, matrix, table
from xl_addin.functions.cells import bad_argument, day_of, grid, number_of, rows_of, text_of, tickers_of
from xl_addin.functions.inputs import HOME, language, read_inputs
from xl_addin.functions.plans import today
from xl_addin.functions.registry import NA

_LIVE = Sources(interactive=True)
#: Korean headers of a universe; the English ones are the fields' own.
_UNIVERSE_HEADERS: Mapping[str, str] = {
    "종목코드": "symbol", "종목명": "name", "업종": "sector", "섹터": "sector", "시가총액": "market_cap",
    "통화": "currency", "회사": "company", "현재비중": "weight", "비중": "weight",
}  # fmt: skip


def weights(method: object, universe: object) -> Answer:
    """Return target weights over the rows of a universe."""
    name = text_of("method", method).lower()
    if name not in METHODS:
        message = f"{name!r:.40} is none of {', '.join(METHODS)}: write one of them"
        raise bad_argument("method", message, f"값 {name!r:.40}: {', '.join(METHODS)} 중에서 적으세요")
    result = analysing.weights(name, _universe(rows_of(universe) or ()), today())
    rows = ({"Ticker": w.symbol, "Sector": w.sector, "Weight": w.weight} for w in result.weights)
    return table("REBAL_WEIGHTS", rows)


def _universe(rows: Sequence[Sequence[Cell]]) -> list[dict[str, object]]:
    """Return a range as entries; raises InputError for an error cell."""
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(value is not None for value in row)]
    if not filled:
        message = "no entries: give a range with headers such as Ticker, Sector, Market_Cap"
        ko = "종목이 없습니다: Ticker, Sector, Market_Cap 같은 머리글이 있는 범위를 지정하세요"
        raise bad_argument("universe", message, ko)
    tickers = headers(declared("Holdings"))
    names = []
    for value in filled[0][1]:
        header = fold(str(value or ""))
        known = _UNIVERSE_HEADERS.get(header, "symbol" if tickers.get(header) == "Ticker" else "")
        names.append(known or str(value or ""))
    found = []
    for number, row in filled[1:]:
        entry: dict[str, object] = {}
        for at, (field, value) in enumerate(zip(names, row, strict=False), 1):
            if isinstance(value, ErrorValue):
                where, ko = f"universe, row {number}, column {at}", f"셀 값이 {value}입니다: 고치세요"
                raise bad_argument(where, f"the cell shows {value}: mend it", ko)
            if field:
                entry[field] = plain_number(value) if isinstance(value, Decimal) else value
        found.append(entry)
    return found


def correlations(tickers: object, days: object) -> Answer:
    """Return the matrix of correlations; where there is none, #N/A."""
    result = _correlated("REBAL_CORREL", tickers, days, DEFAULT_THRESHOLD)
    header = ("Ticker", *result.symbols)
    return matrix(header, ([row[name] for name in header] for row in correlation_rows(result, _words())))


def alerts(tickers: object, days: object, threshold: object) -> Answer:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    above = number_of("threshold", threshold, Decimal(repr(DEFAULT_THRESHOLD)), 0, 1, whole=False)
    result = _correlated("REBAL_CORREL_ALERTS", tickers, days, float(above))
    return table("REBAL_CORREL_ALERTS", alert_rows(result, _words()))


def _correlated(name: str, tickers: object, days: object, threshold: float) -> Correlations:
    count = int(number_of("days", days, Decimal(DEFAULT_DAYS), FEWEST_RETURNS, 10_000, whole=True))
    currencies = _currencies(tickers_of("tickers", tickers))
    used = set(currencies.values())
    base = used.pop() if len(used) == 1 else HOME
    result = analysing.correlate(currencies, _LIVE, today(), days=count, threshold=threshold, currency=base)
    if result.effective_bets is None:
        raise NoData(phrase("nothing-correlated"), problems=result.problems)
    _note(name, result.problems)
    return result


def _currencies(texts: Sequence[str]) -> dict[str, str]:
    """Return what each code or name is quoted in, by code; raises SymbolUnknown."""
    found: dict[str, str] = {}
    for text in texts:
        listing = chain.default().chain.listing(text)
        found[listing.symbol] = listing.currency or ""
    return found


def compare(tickers: object) -> Answer:
    """Return a row per metric and a column per fund; what is not known is #N/A."""
    result = analysing.compare(tickers_of("tickers", tickers), _LIVE, today())
    if result.as_of is None and all(row.fee.value is None for row in result.funds.values()):
        raise NoData(phrase("no-fund-known"), problems=result.problems)
    _note("REBAL_COMPARE", result.problems)
    entries = {symbol: load().get(symbol) for symbol in result.funds}
    names = {symbol: entry.instrument.name for symbol, entry in entries.items() if entry}
    funds = comparison_rows(result, names, _words(language()))
    metrics = [column.name for column in declared("Comparison").columns if column.name != "Ticker"]
    rows = ((metric, *(fund[metric] for fund in funds)) for metric in metrics)
    return matrix(("Metric", *result.funds), rows)


def review(satellite: object, benchmark: object, tables: object) -> Answer:
    """Return a row per satellite and quarter, or one with the reasons where a satellite has no quarters."""
    rows = rows_of(satellite)
    against = text_of("benchmark", benchmark)
    if rows is not None and not find_tables([grid("satellite", rows)])[0]:
        portfolio, lang = _listed(tickers_of("satellite", satellite)), language()
    else:
        inputs = read_inputs("REBAL_REVIEW", {"satellite": satellite}, tables)
        portfolio, lang = inputs.portfolio, inputs.lang
    if against:
        against = chain.default().chain.listing(against).symbol
    result = analysing.review(portfolio, _LIVE, today(), benchmark=against or None)
    _note("REBAL_REVIEW", result.problems)
    return table("REBAL_REVIEW", review_rows(result, _words(lang)))


def _listed(texts: Sequence[str]) -> Portfolio:
    """Return a portfolio of these satellites, none of them held."""
    targets = [{"ticker": text, "weight": 0} for text in texts]
    data = {"portfolio": {"name": "satellites", "base_currency": HOME, "satellite": targets}}
    portfolio, problems = portfolio_from_data(data, "satellite")
    if portfolio is None:
        raise InputError(problems)
    return portfolio


def risk(holdings: object, targets: object, tables: object) -> Answer:
    """Return every limit beside what it is today."""
    inputs = read_inputs("REBAL_RISK", {"holdings": holdings, "targets": targets}, tables)
    report = analysing.risk(inputs.portfolio, {}, _LIVE, today())
    if not report.priced:
        raise NoData(phrase("price-missing.analysis"), problems=report.problems)
    _note("REBAL_RISK", report.problems)
    return table("REBAL_RISK", limit_cells(report.rules))


def calendar(start: object, months: object, tables: object) -> Answer:
    """Return what is due when; `Due` says due for what is overdue or due on the first day."""
    first = day_of("from", start) or today()
    count = int(number_of("months", months, Decimal(12), 1, 60, whole=True))
    inputs = read_inputs("REBAL_CALENDAR", {}, tables)
    result = analysing.calendar(inputs.portfolio, first, count)
    return table("REBAL_CALENDAR", calendar_rows(result, inputs.lang))


def _words(lang: Lang = "en") -> RowWords:
    """Return what rows are written with where what is not known is an error."""
    return RowWords(lang, NA, NA)


def _note(name: str, problems: Sequence[Problem]) -> None:
    """Keep for the Checks sheet what is missing and not seen in its own cell, or forget it."""
    lacking = tuple(p for p in problems if p.severity != "info" and p.code not in SAID_IN_PLACE)
    if lacking:
        journal.failed(name, "", lacking)
    else:
        journal.answered(name, "")
