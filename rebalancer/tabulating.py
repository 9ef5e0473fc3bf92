"""The analyses as rows of a workbook's tables: every number as the engine has it, its source beside it.

What is not known stands as words in the number's place, or where functions answer as an error; the whole reason is
among the problems.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.data.files import read_text
from engine.errors import MarketDataError, Problem
from engine.phrase import Phrase, phrase
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.words import Lang, say
from templates.cells import Row, Rows, Value

if TYPE_CHECKING:  # a plan's workbook without analyses does without them
    from engine.analysis.calendar import Calendar
    from engine.analysis.compare import Comparison, FundRow
    from engine.analysis.correlation import Correlations
    from engine.analysis.facts import Figure
    from engine.analysis.review import Review
    from engine.analysis.risk import RiskRule
    from engine.backtest.result import Backtest
    from rebalancer.analysing import Sources

#: Codes of problems that are seen in the place of the number.
SAID_IN_PLACE = frozenset({"not-known", "overlap", "limit-unknown", "limit-breached"})
#: Kinds of instrument that are compared as funds.
FUNDS = ("etf", "etn", "fund")
_FACTS = ("fee", "aum", "holdings_count", "yield")


@dataclass(frozen=True, slots=True)
class RowWords:
    """What rows are written with: `short` for closes that do not reach, `unknown` for facts that nobody knows."""

    lang: Lang
    short: Value
    unknown: Value
    alert: str = "alert"
    hedge: str = "hedge"


def sheet_words(lang: Lang) -> RowWords:
    """Return what the rows of a sheet are written with."""
    return RowWords(lang, *(say(f"study.{name}", lang) for name in ("too-short", "no-data", "alert", "hedge")))


def correlation_rows(result: Correlations, words: RowWords) -> Rows:
    """Return a row per symbol, with a column per symbol; none where nothing can be correlated."""
    if result.effective_bets is None:
        return ()
    return tuple(
        {"Ticker": symbol, **{name: _or(cell, words.short) for name, cell in zip(result.symbols, row, strict=True)}}
        for symbol, row in zip(result.symbols, result.matrix, strict=True)
    )


def alert_rows(result: Correlations, words: RowWords) -> Rows:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    return tuple(
        {"First": pair.pair[0], "Second": pair.pair[1], "Correlation": pair.correlation, "Kind": kind}
        for kind, pairs in ((words.alert, result.alerts), (words.hedge, result.hedges))
        for pair in pairs
    )


def review_rows(result: Review, words: RowWords) -> Rows:
    """Return a row per satellite and quarter; its reasons stand one to a row, beside the quarters."""
    shown: list[Row] = []
    for row in result.rows:
        reasons = [reason.text.told(words.lang) for reason in row.reasons]
        for place in range(max(len(row.quarters), len(reasons), 1)):
            line: dict[str, Value] = {"Ticker": row.symbol, "Verdict": row.verdict.name}
            line |= {"Against": row.benchmark, "Currency": row.currency or None}
            if place < len(row.quarters):
                quarter = row.quarters[place]
                line |= {"Quarter": quarter.quarter, "Return": _or(quarter.value, words.short)}
                if row.benchmark:
                    line |= {"Benchmark": _or(quarter.benchmark, words.short)}
                    line |= {"Excess": _or(quarter.excess, words.short)}
            elif not row.quarters and not place:
                line |= {"Quarter": words.short}
            if place < len(reasons):
                line |= {"Reasons": reasons[place]}
            shown.append(line)
    return tuple(shown)


def comparison_rows(result: Comparison, names: Mapping[str, str], words: RowWords) -> Rows:
    """Return a row per fund; `Source` says where its facts are from, and of which day."""
    return tuple(_fund(fund, names, words) for fund in result.funds.values())


def _fund(fund: FundRow, names: Mapping[str, str], words: RowWords) -> Row:
    from engine.analysis.returns import PERIODS

    return {
        "Ticker": fund.symbol,
        "Name": names.get(fund.symbol, fund.symbol),
        "Fee": _or(fund.fee.value, words.unknown),
        "AUM": _or(fund.aum.value, words.unknown),
        "AUMCurrency": fund.aum_currency or None,
        "Holdings": _or(fund.holdings_count.value, words.unknown),
        "Concentration": words.unknown if fund.top_share is None else fund.top_share,
        **dict.fromkeys(PERIODS, words.short),
        **{period: _or(figure.value, words.short) for period, figure in fund.returns.items()},
        "Volatility": _or(fund.volatility.value, words.short),
        "MaxDrawdown": _or(fund.max_drawdown.value, words.short),
        "Yield": _or(fund.dividend_yield.value, words.unknown),
        "Source": _sources(fund, words.lang),
        "Top10": ", ".join(f"{line.name or line.symbol} {line.weight:.1%}" for line in fund.top) or words.unknown,
    }


def _sources(fund: FundRow, lang: Lang) -> str:
    """Return the source and day of each fact that is known, and what its number is not sure of."""
    figures = fund.figures()
    told: dict[str, list[str]] = {}
    for path in _FACTS:
        figure = figures[path]
        if figure.known:
            unit = f" {fund.aum_currency}" if path == "aum" and fund.aum_currency else ""
            told.setdefault(_origin(figure, lang), []).append(say(f"study.fact-{path}", lang) + unit)
    if fund.top:
        dated = f" {fund.holdings_as_of}" if fund.holdings_as_of else ""
        told.setdefault(f"{fund.holdings_source}{dated}", []).append(say("study.fact-top", lang))
    return "; ".join(f"{', '.join(names)}: {origin}" for origin, names in told.items())


def _origin(figure: Figure, lang: Lang) -> str:
    from engine.analysis.facts import UNVERIFIED

    dated = f" {figure.as_of}" if figure.as_of else ""
    note = phrase("study.not-verified") if figure.note == UNVERIFIED else figure.note
    return f"{figure.source}{dated}{f' ({note.told(lang)})' if note else ''}"


def limit_rows(rules: Iterable[RiskRule], lang: Lang, *, unknown: bool = False) -> Rows:
    """Return every limit beside what it is today; those of which nothing is known only if asked for."""
    rows = []
    for r in rules:
        if unknown or r.status != "UNKNOWN" or r.actual is not None:
            limit, actual = (amount.told(lang) for amount in r.shown)
            rows.append({"Rule": r.rule, "Scope": r.scope, "Limit": limit, "Actual": actual, "Status": r.status})
    return tuple(rows)


def limit_cells(rules: Iterable[RiskRule]) -> Rows:
    """Return every limit as functions answer: shares and amounts as numbers, flags as true or false."""
    return tuple(
        {
            "Rule": r.rule,
            "Scope": r.scope,
            "Limit": _flag(r.limit) if r.unit == "flag" else r.limit,
            "Actual": _flag(r.actual) if r.unit == "flag" else r.actual,
            "Status": r.status,
        }
        for r in rules
    )


def calendar_rows(result: Calendar, lang: Lang) -> Rows:
    """Return the tasks by date; `Due` says due for what is overdue or due on the first day."""
    return tuple(
        {"Date": item.date, "Section": item.section, "Task": item.task.told(lang), "Due": "due" if item.due else ""}
        for item in result.items
    )


def _flag(value: Decimal | None) -> bool | None:
    return None if value is None else bool(value)


def _or(value: float | None, words: Value) -> Value:
    return words if value is None else value


@dataclass(slots=True)
class AnalysisTables:
    """The rows of each table of the Analysis sheet, the line beside its title (where from, which days), the problems.

    An analysis that lacks its data has no rows, and its note says why. `shares` are what the parts over time of the
    Performance sheet are called.
    """

    rows: dict[str, Rows] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    shares: tuple[str, ...] = ()

    def add(self, table: str, rows: Rows, note: str) -> None:
        """Keep the rows of a table and its note."""
        self.rows[table], self.notes[table] = rows, note


def analysis_tables(
    portfolio: Portfolio,
    quotes: Mapping[str, Quote],
    sources: Sources,
    as_of: dt.date,
    lang: Lang,
    origin: Phrase | str = "",
) -> AnalysisTables:
    """Analyse a portfolio for its workbook; `origin` names the closes (default: the file's name, or the sources).

    Raises InputError for a file that cannot be used.
    """
    origin = origin or (sources.history.name if sources.history else phrase("study.fetched-closes"))
    study, found = _Study(portfolio, quotes, sources, as_of, lang, origin), AnalysisTables()
    for tables, step in (
        (("Correlation", "Alerts"), study.correlations),
        (("Review",), study.review),
        (("Comparison",), study.comparison),
        (("Limits",), study.limits),
    ):
        try:
            step(found)
        except MarketDataError as error:
            for table in tables:
                found.add(table, (), str(error))
            found.problems.extend(error.problems or [Problem("warning", "no-history", tables[0], error.message)])
    found.problems = _lacking(found.problems)
    return found


def sample_tables(portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, lang: Lang) -> AnalysisTables:
    """Return the analyses on the bundled sample history, which say that it is made up."""
    from rebalancer.samples import sample_sources

    with sample_sources() as sources:
        return analysis_tables(portfolio, quotes, sources, as_of, lang, phrase("study.sample-closes"))


def _lacking(problems: list[Problem]) -> list[Problem]:
    """Return what is missing and not said in its own cell, once each: a warning, for the plan is as good as before."""
    kept = (
        replace(problem, severity="warning")
        for problem in problems
        if problem.severity != "info" and problem.code not in SAID_IN_PLACE
    )
    return list(dict.fromkeys(kept))


@dataclass(frozen=True, slots=True)
class _Study:
    portfolio: Portfolio
    quotes: Mapping[str, Quote]
    sources: Sources
    as_of: dt.date
    lang: Lang
    origin: Phrase | str

    def _say(self, key: str, **values: object) -> str:
        return say(f"study.{key}", self.lang, **values)

    def correlations(self, found: AnalysisTables) -> None:
        """Add the matrix, the alerts and the hedges."""
        from engine.analysis.correlation import DEFAULT_THRESHOLD
        from rebalancer.analysing import correlate

        result = correlate(self.portfolio, self.sources, self.as_of)
        found.problems.extend(result.problems)
        words = sheet_words(self.lang)
        rows = correlation_rows(result, words)
        if not rows:
            for table in ("Correlation", "Alerts"):
                found.add(table, (), str(words.short))
            return
        unit = phrase("study.each-currency") if result.currency == "local" else result.currency
        note = self._say(
            "sheet-correlations",
            start=result.start,
            end=result.end,
            days=result.days,
            currency=unit,
            origin=self.origin,
            bets=result.effective_bets,
        )
        found.add("Correlation", rows, note)
        found.add("Alerts", alert_rows(result, words), f"> {DEFAULT_THRESHOLD}; < 0")

    def review(self, found: AnalysisTables) -> None:
        """Add the satellites' quarters, verdicts and reasons."""
        from rebalancer.analysing import review

        result = review(self.portfolio, self.sources, self.as_of)
        found.problems.extend(result.problems)
        if not result.rows:
            found.add("Review", (), self._say("no-satellites"))
            return
        note = self._say("sheet-review", day=self.as_of, origin=self.origin)
        found.add("Review", review_rows(result, sheet_words(self.lang)), note)

    def comparison(self, found: AnalysisTables) -> None:
        """Add the funds side by side."""
        from rebalancer.analysing import compare

        funds = [symbol for symbol in self.portfolio.symbols if self.portfolio.instruments[symbol].asset_type in FUNDS]
        if len(funds) < 2:
            found.add("Comparison", (), self._say("few-funds"))
            return
        result = compare(funds, self.sources, self.as_of, currency=self._common_currency(funds))
        found.problems.extend(result.problems)
        names = {symbol: self.portfolio.instruments[symbol].name for symbol in funds}
        unit = phrase("study.each-fund-currency") if result.currency == "local" else result.currency
        note = self._say("sheet-comparison", day=result.as_of or "–", currency=unit, origin=self.origin)
        rows = comparison_rows(result, names, sheet_words(self.lang))
        # Funds without returns come last: the chart under the table shows the others.
        known = {fund.symbol for fund in result.funds.values() if any(one.known for one in fund.returns.values())}
        found.add("Comparison", tuple(sorted(rows, key=lambda row: row["Ticker"] not in known)), note)

    def limits(self, found: AnalysisTables) -> None:
        """Add every limit."""
        from rebalancer.analysing import risk

        result = risk(self.portfolio, self.quotes, self.sources, self.as_of)
        found.problems.extend(result.problems)
        asked = self.sources.facts is not None or self.sources.history is None
        found.rows["Limits"] = limit_rows(result.rules, self.lang, unknown=asked)
        if not asked:
            found.notes["Limits"] = self._say("need-facts")

    def _common_currency(self, funds: Sequence[str]) -> str | None:
        """Return the base currency where every fund can be put into it, else None: each in its own."""
        base = self.portfolio.base_currency
        foreign = {self.portfolio.instruments[symbol].currency for symbol in funds} - {base}
        if self.sources.history is None:
            return base
        header = {cell.strip() for cell in read_text(self.sources.history).partition("\n")[0].upper().split(",")}
        return base if all(header & {currency + base, base + currency} for currency in foreign) else None


def backtest_rows(result: Backtest) -> list[Row]:
    """Return a row per policy; taxes with what is still due, `BeyondNoise` None where noise cannot be judged."""
    return [
        {
            "Policy": row.name,
            "Return": row.figures.cagr,
            "Volatility": row.figures.volatility,
            "MaxFall": row.figures.max_drawdown,
            "Turnover": row.figures.turnover,
            "Cost": row.figures.costs,
            "Tax": row.figures.taxes + row.figures.tax_due,
            "TrackingError": row.figures.tracking_error,
            "FinalValue": row.figures.final_value,
            "BeyondNoise": row.difference.beyond_noise if row.difference else None,
        }
        for row in result.rows
    ]
