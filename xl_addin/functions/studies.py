"""Weights, correlations, comparison, review, limits, calendar, closes: the analyses as tables."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS, Correlations
from engine.data.document import portfolio_from_data
from engine.errors import InputError, NoData, Problem, error
from engine.phrase import phrase, place
from engine.portfolio import Portfolio
from engine.text import FIRST_CLOSE, fold, plain_number
from engine.weights.methods import METHODS
from engine.words import Lang
from rebalancer import analysing
from rebalancer.clock import today
from rebalancer.loading import usable
from rebalancer.quoting import listed, name_of
from rebalancer.tabulating import (
    SAID_IN_PLACE,
    RowWords,
    alert_rows,
    backtest_rows,
    calendar_rows,
    comparison_rows,
    correlation_rows,
    limit_cells,
    review_rows,
)
from templates.cells import Cell, CellError, Rows
from templates.read.book import history_rows
from templates.read.tables import find_tables, headers
from templates.spec import table as spec_table
from xl_addin.functions import journal
from xl_addin.functions.cells import (
    NA,
    Answer,
    bad_argument,
    day_of,
    grid,
    in_range,
    matrix,
    number_of,
    rows_of,
    sheets,
    text_of,
    ticker_of,
    tickers_of,
)
from xl_addin.functions.declaring import PORTFOLIO_SHEETS, WITH_LEDGER, Argument, declared
from xl_addin.functions.inputs import HOME, entries_of, language, read_inputs, with_ledger
from xl_addin.functions.plan import HOLDINGS, TARGETS
from xl_addin.functions.prices import TICKER

if TYPE_CHECKING:
    from engine.ledger.entries import LedgerEntry
    from engine.ledger.performance import Mark

_LIVE = analysing.Sources(interactive=True)
_FUNDS = Argument("tickers", "list", 'A2:A6 or {"VTI";"SCHD"}', optional=False)
_DAYS = Argument("days", "cell", "252")


@declared(
    "REBAL_WEIGHTS",
    Argument("method", "cell", '"equal-sector"', optional=False),
    Argument("universe", "table", "A1:C40", optional=False),
    columns=("Ticker", "Sector", "Weight"),
    example='=REBAL_WEIGHTS("equal-sector",A1:C40)',
)
def weights(method: object, universe: object) -> Answer:
    """Return target weights over the rows of a universe."""
    name = text_of("method", method).lower()
    if name not in METHODS:
        raise bad_argument("choice", "method", value=name, choices=METHODS)
    result = analysing.weights(name, _universe(rows_of(universe) or ()), today())
    return weights.table({"Ticker": w.symbol, "Sector": w.sector, "Weight": w.weight} for w in result.weights)


def _universe(rows: Sequence[Sequence[Cell]]) -> list[dict[str, object]]:
    """Return a range as entries; raises InputError for an error cell."""
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(value is not None for value in row)]
    if not filled:
        raise bad_argument("no-entries", "universe")
    tickers, known = headers(spec_table("Holdings")), _universe_headers()
    names = []
    for value in filled[0][1]:
        header = fold(str(value or ""))
        names.append(known.get(header) or ("symbol" if tickers.get(header) == "Ticker" else str(value or "")))
    found = []
    for number, row in filled[1:]:
        entry: dict[str, object] = {}
        for at, (field, value) in enumerate(zip(names, row, strict=False), 1):
            if isinstance(value, CellError):
                raise bad_argument("error", in_range("universe", number, at), value=value)
            if field:
                entry[field] = plain_number(value) if isinstance(value, Decimal) else value
        found.append(entry)
    return found


@cache
def _universe_headers() -> Mapping[str, str]:
    """Return other headers of a universe than the fields' own names, folded: the field of each."""
    text = resources.files(__package__).joinpath("universe_headers.csv").read_text(encoding="utf-8")
    return {fold(row["header"]): row["field"] for row in csv.DictReader(text.splitlines())}


@declared("REBAL_CORREL", _FUNDS, _DAYS, columns=(), example="=REBAL_CORREL(A2:A6,252)")
def correlations(tickers: object, days: object) -> Answer:
    """Return the matrix of correlations; where there is none, #N/A."""
    result = _correlated(correlations.name, tickers, days, DEFAULT_THRESHOLD)
    header = ("Ticker", *result.symbols)
    return matrix(header, ([row[name] for name in header] for row in correlation_rows(result, _words())))


@declared(
    "REBAL_CORREL_ALERTS",
    _FUNDS,
    _DAYS,
    Argument("threshold", "cell", "0.8"),
    columns=("First", "Second", "Correlation", "Kind"),
    example="=REBAL_CORREL_ALERTS(A2:A6,252,0.8)",
)
def alerts(tickers: object, days: object, threshold: object) -> Answer:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    above = number_of("threshold", threshold, Decimal(repr(DEFAULT_THRESHOLD)), 0, 1, whole=False)
    result = _correlated(alerts.name, tickers, days, float(above))
    return alerts.table(alert_rows(result, _words()))


def _correlated(name: str, tickers: object, days: object, threshold: float) -> Correlations:
    fewest, usual = FEWEST_RETURNS, Decimal(DEFAULT_DAYS)
    count = int(number_of("days", days, usual, fewest, 10_000, whole=True))
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
        listing = listed(text)
        found[listing.symbol] = listing.currency or ""
    return found


@declared("REBAL_COMPARE", _FUNDS, columns=(), example='=REBAL_COMPARE({"VTI";"SCHD"})')
def compare(tickers: object) -> Answer:
    """Return a row per metric and a column per fund; what is not known is #N/A."""
    result = analysing.compare(tickers_of("tickers", tickers), _LIVE, today())
    if result.as_of is None and all(row.fee.value is None for row in result.funds.values()):
        raise NoData(phrase("no-fund-known"), problems=result.problems)
    _note(compare.name, result.problems)
    names = {symbol: name for symbol in result.funds if (name := name_of(symbol))}
    funds = comparison_rows(result, names, _words(language()))
    metrics = [column.name for column in spec_table("Comparison").columns if column.name != "Ticker"]
    rows = ((metric, *(fund[metric] for fund in funds)) for metric in metrics)
    return matrix(("Metric", *result.funds), rows)


@declared(
    "REBAL_REVIEW",
    Argument("satellite", "list", "Targets[#All]"),
    Argument("benchmark", "cell", '"SPY"'),
    columns=("Ticker", "Quarter", "Return", "Benchmark", "Excess", "Verdict", "Reasons", "Against", "Currency"),
    sheets=PORTFOLIO_SHEETS,
    example="=REBAL_REVIEW(Targets[#All])",
)
def review(satellite: object, benchmark: object, tables: object) -> Answer:
    """Return a row per satellite and quarter, or one with the reasons where a satellite has no quarters."""
    rows = rows_of(satellite)
    against = text_of("benchmark", benchmark)
    if rows is not None and not find_tables([grid("satellite", rows)])[0]:
        portfolio, lang = _listed(tickers_of("satellite", satellite)), language()
    else:
        inputs = read_inputs(review.name, {"satellite": satellite}, tables)
        portfolio, lang = inputs.portfolio, inputs.lang
    if against:
        against = listed(against).symbol
    result = analysing.review(portfolio, _LIVE, today(), benchmark=against or None)
    _note(review.name, result.problems)
    return review.table(review_rows(result, _words(lang)))


def _listed(texts: Sequence[str]) -> Portfolio:
    """Return a portfolio of these satellites, none of them held."""
    targets = [{"ticker": text, "weight": 0} for text in texts]
    data: Mapping[str, object] = {"portfolio": {"name": "satellites", "base_currency": HOME, "satellite": targets}}
    return usable(*portfolio_from_data(data, "satellite"))


@declared(
    "REBAL_RISK",
    HOLDINGS,
    TARGETS,
    columns=("Rule", "Scope", "Limit", "Actual", "Status"),
    sheets=WITH_LEDGER,
    example="=REBAL_RISK()",
)
def risk(holdings: object, targets: object, tables: object) -> Answer:
    """Return every limit beside what it is today."""
    inputs = read_inputs(risk.name, {"holdings": holdings, "targets": targets}, tables)
    portfolio = with_ledger(inputs, risk.name, today())
    report = analysing.risk(portfolio, {}, _LIVE, today())
    if not report.priced:
        raise NoData(phrase("price-missing.analysis"), problems=report.problems)
    _note(risk.name, report.problems)
    return risk.table(limit_cells(report.rules))


@declared(
    "REBAL_CALENDAR",
    Argument("from", "cell", "DATE(2026,1,1)"),
    Argument("months", "cell", "12"),
    columns=("Date", "Section", "Task", "Due"),
    sheets=WITH_LEDGER,
    example="=REBAL_CALENDAR(DATE(2026,1,1),12)",
)
def calendar(start: object, months: object, tables: object) -> Answer:
    """Return what is due when; `Due` says due for what is overdue or due on the first day."""
    first = day_of("from", start) or today()
    count = int(number_of("months", months, Decimal(12), 1, 60, whole=True))
    inputs = read_inputs(calendar.name, {}, tables)
    portfolio = with_ledger(inputs, calendar.name, dt.date(first.year, 12, 31))
    realised = portfolio.so_far.realised if portfolio.base_currency == "KRW" else None
    tasks = analysing.calendar(portfolio, first, count, realised=realised)
    return calendar.table(calendar_rows(tasks, inputs.lang))


@declared(
    "REBAL_HISTORY",
    TICKER,
    Argument("from", "cell", "DATE(2026,1,1)", optional=False, key="first-day"),
    Argument("to", "cell", "DATE(2026,6,30)", key="last-day"),
    columns=("Date", "Close"),
    example='=REBAL_HISTORY("VTI",DATE(2026,1,1))',
)
def history(ticker: object, start: object, end: object) -> Answer:
    """Return daily closes from one day to another, both included."""
    symbol = ticker_of("ticker", ticker)
    first, last = day_of("from", start, FIRST_CLOSE), day_of("to", end, FIRST_CLOSE) or today()
    if first is None:
        raise bad_argument("no-first-day", "from")
    if first > last:
        raise bad_argument("after", "from", first=first, last=last)
    found = analysing.closes(symbol, first, last, _LIVE)
    return history.table({"Date": day, "Close": close} for day, close in found)


@declared(
    "REBAL_BACKTEST",
    Argument("policies", "list", '"never,annual,5/25"', optional=False),
    Argument("from", "cell", "DATE(2016,1,1)", key="first-day"),
    Argument("to", "cell", "DATE(2025,12,31)", key="last-day"),
    columns=(
        "Policy", "Return", "Volatility", "MaxFall", "Turnover", "Cost", "Tax", "TrackingError", "FinalValue",
        "BeyondNoise",
    ),
    sheets=PORTFOLIO_SHEETS,
    example='=REBAL_BACKTEST("never,annual,5/25",DATE(2016,1,1))',
)  # fmt: skip
def backtest(policies: object, start: object, end: object, tables: object) -> Answer:
    """Return a row per policy: what it would have done to the workbook's targets."""
    from rebalancer.backtesting import Trial
    from rebalancer.backtesting import backtest as run

    rows = rows_of(policies)
    listed_ones = [str(cell) for row in rows for cell in row if cell] if rows else [text_of("policies", policies)]
    first, last = day_of("from", start, FIRST_CLOSE), day_of("to", end, FIRST_CLOSE)
    if first and last and first >= last:
        raise bad_argument("after", "from", first=first, last=last)
    inputs = read_inputs(backtest.name, {}, tables)
    result = run(inputs.portfolio, ",".join(listed_ones), _LIVE, Trial(start=first, end=last or today()))
    _note(backtest.name, result.problems)
    return backtest.table(backtest_rows(result))


@declared(
    "REBAL_PERFORMANCE",
    Argument("from", "cell", "DATE(2026,1,1)", key="first-day"),
    Argument("to", "cell", "DATE(2026,6,30)", key="last-day"),
    columns=("Key", "Value"),
    sheets=(*WITH_LEDGER, "History"),
    example="=REBAL_PERFORMANCE()",
)
def performance(start: object, end: object, tables: object) -> Answer:
    """Return what the workbook's ledger says: value, flows, returns; costs and gains where it has them."""
    from engine.ledger.performance import between_marks

    first, last = day_of("from", start, FIRST_CLOSE), day_of("to", end, FIRST_CLOSE)
    if first and last and first > last:
        raise bad_argument("after", "from", first=first, last=last)
    if rows_of(tables) is None and not isinstance(tables, dict):
        raise InputError([error("no-tables", performance.name)])
    grids = sheets(tables)
    if entries := entries_of(grids, performance.name):
        return performance.table({"Key": key, "Value": value} for key, value in _came_to(entries, tables, first, last))
    rows = history_rows(find_tables(grids)[0], "History")
    marks = sorted(_marks(rows, first or dt.date.min, last or dt.date.max), key=_by_day)
    if not marks:
        raise NoData(phrase("ledger-nothing"), problems=[error("ledger-nothing", place("ledger"))])
    returns = between_marks(marks)
    figures: dict[str, object] = {
        "from": marks[0].date,
        "to": marks[-1].date,
        "value": marks[-1].value,
        "flows": sum(mark.flow for mark in marks[1:]),
        "time_weighted": returns.time_weighted if returns else NA,
        "time_weighted_yearly": NA if returns is None or returns.yearly is None else returns.yearly,
        "money_weighted": NA if returns is None or returns.money_weighted is None else returns.money_weighted,
        # Without a ledger there are only values and flows.
        "costs": NA,
        "realised_gains": NA,
    }
    return performance.table({"Key": key, "Value": value} for key, value in figures.items())


def _came_to(
    entries: Sequence[LedgerEntry], tables: object, first: dt.date | None, last: dt.date | None
) -> Iterator[tuple[str, object]]:
    """Yield what the workbook's ledger came to, key and value."""
    from engine.history import as_date
    from rebalancer.ledgers import Ledger
    from rebalancer.performing import of_ledger

    portfolio = read_inputs(performance.name, {}, tables).portfolio
    result = of_ledger(portfolio, Ledger(Path("Ledger"), tuple(entries)), _LIVE, first, last, today())
    _note(performance.name, result.problems)
    whole, returns, totals = result.whole, result.whole.returns(), result.totals
    yield "from", as_date(whole.days[0])
    yield "to", as_date(whole.days[-1])
    yield "value", float(whole.value[-1])
    yield "flows", float((whole.came - whole.taken)[1:].sum())
    yield "time_weighted", returns.time_weighted
    yield "time_weighted_yearly", NA if returns.yearly is None else returns.yearly
    yield "money_weighted", NA if returns.money_weighted is None else returns.money_weighted
    yield "costs", float(totals.costs)
    yield "realised_gains", NA if totals.realised_average is None else float(totals.realised_average)


def _marks(rows: Rows, first: dt.date, last: dt.date) -> Iterator[Mark]:
    """Yield the days of the ledger that have a value, from one day to another."""
    from engine.ledger.performance import Mark

    for row in rows:
        day, value, flow = row.get("Date"), row.get("Value"), row.get("Flow")
        if isinstance(day, dt.date) and isinstance(value, Decimal) and first <= day <= last:
            yield Mark(day, float(value), float(flow) if isinstance(flow, Decimal) else 0.0)


def _by_day(mark: Mark) -> dt.date:
    return mark.date


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
