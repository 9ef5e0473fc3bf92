"""Weights, correlations, comparison, review, limits, calendar: the analyses as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from engine.analysis.calendar import ALLOWANCE
from engine.analysis.calendar import calendar as tasks
from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS, Correlations, correlate
from engine.costs.tax import tax_rule
from engine.data.document import portfolio_from_data
from engine.errors import InputError, NoData, Problem
from engine.market import chain
from engine.market.catalogue import load
from engine.portfolio import Portfolio
from engine.text import fold, plain_number
from engine.weights.methods import METHODS, weigh
from engine.weights.universe import read_list
from rebalancer.analyses import TWO_YEARS, compare_funds, review_portfolio
from rebalancer.histories import Sources, fx_pairs, load_history
from rebalancer.risks import risk_portfolio
from templates.cells import Cell, CellError
from templates.read.tables import find_tables, headers
from templates.spec import table as declared
from xl_addin.functions import journal
from xl_addin.functions.answers import Answer, matrix, table
from xl_addin.functions.cells import bad_argument, day_of, grid, number_of, rows_of, text_of, tickers_of
from xl_addin.functions.inputs import HOME, language, read_inputs
from xl_addin.functions.plans import today
from xl_addin.show.analysis_rows import (
    IN_CELLS,
    SAID_IN_PLACE,
    alert_rows,
    comparison_rows,
    correlation_rows,
    limit_cells,
    review_rows,
)

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
    entries, problems = read_list(_universe(rows_of(universe) or ()), "universe", today())
    if entries is None:
        raise InputError(problems)
    result = weigh(name, entries)
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
            if isinstance(value, CellError):
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
    return matrix(header, ([row[name] for name in header] for row in correlation_rows(result, IN_CELLS["en"])))


def alerts(tickers: object, days: object, threshold: object) -> Answer:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    above = number_of("threshold", threshold, Decimal(repr(DEFAULT_THRESHOLD)), 0, 1, whole=False)
    result = _correlated("REBAL_CORREL_ALERTS", tickers, days, float(above))
    return table("REBAL_CORREL_ALERTS", alert_rows(result, IN_CELLS["en"]))


def _correlated(name: str, tickers: object, days: object, threshold: float) -> Correlations:
    count = int(number_of("days", days, Decimal(DEFAULT_DAYS), FEWEST_RETURNS, 10_000, whole=True))
    currencies = _currencies(tickers_of("tickers", tickers))
    used = set(currencies.values())
    base = used.pop() if len(used) == 1 else HOME
    day = today()
    start = day - dt.timedelta(days=max(count * 3 // 2, TWO_YEARS))
    wanted = (*currencies, *fx_pairs(currencies.values(), base))
    history, problems = load_history(_LIVE, wanted, currencies, start, day)
    result = correlate(history.until(day), tuple(currencies), base, count, threshold)
    problems = (*problems, *result.problems)
    if result.effective_bets is None:
        raise NoData("nothing can be correlated", ko="상관계수를 구할 수 없습니다", problems=problems)
    _note(name, problems)
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
    result = compare_funds(tickers_of("tickers", tickers), _LIVE, today())
    if result.as_of is None and all(row.fee.value is None for row in result.funds.values()):
        raise NoData("nothing is known of these funds", ko="이 종목들의 자료가 없습니다", problems=result.problems)
    _note("REBAL_COMPARE", result.problems)
    entries = {symbol: load().get(symbol) for symbol in result.funds}
    names = {symbol: entry.instrument.name for symbol, entry in entries.items() if entry}
    funds = comparison_rows(result, names, IN_CELLS[language()])
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
    result = review_portfolio(portfolio, _LIVE, today(), benchmark=against or None)
    _note("REBAL_REVIEW", result.problems)
    return table("REBAL_REVIEW", review_rows(result.rows, IN_CELLS[lang]))


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
    report = risk_portfolio(inputs.portfolio, {}, _LIVE, today())
    if not report.priced:
        raise NoData("a price or rate is missing", ko="시세나 환율이 없습니다", problems=report.problems)
    _note("REBAL_RISK", report.problems)
    return table("REBAL_RISK", limit_cells(report.rules))


def calendar(start: object, months: object, tables: object) -> Answer:
    """Return what is due when; `Due` says due for what is overdue or due on the first day."""
    first = day_of("from", start) or today()
    count = int(number_of("months", months, Decimal(12), 1, 60, whole=True))
    inputs = read_inputs("REBAL_CALENDAR", {}, tables)
    rule = tax_rule("overseas_gains", first)
    items = tasks(inputs.portfolio, first, count, allowance=rule.allowance if rule else ALLOWANCE)
    korean = inputs.lang == "ko"
    rows = []
    for item in items:
        task, due = item.task_ko if korean else item.task, "due" if item.due else ""
        rows.append({"Date": item.date, "Section": item.section, "Task": task, "Due": due})
    return table("REBAL_CALENDAR", rows)


def _note(name: str, problems: Sequence[Problem]) -> None:
    """Keep for the Checks sheet what is missing and not seen in its own cell, or forget it."""
    lacking = tuple(p for p in problems if p.severity != "info" and p.code not in SAID_IN_PLACE)
    if lacking:
        journal.failed(name, "", lacking)
    else:
        journal.answered(name, "")
