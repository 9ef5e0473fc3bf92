"""What the Analysis sheet shows once there is history: each analysis asked, and why one has nothing to show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.analysis.correlation import DEFAULT_THRESHOLD
from engine.data.files import read_text
from engine.errors import MarketDataError, Problem
from engine.portfolio import Portfolio
from engine.quote import Quote
from rebalancer.analyses import compare_funds, correlate_portfolio, review_portfolio
from rebalancer.histories import Sources
from rebalancer.language import Lang
from rebalancer.risks import risk_portfolio
from templates.cells import Rows
from xl_addin.show import analysis_rows
from xl_addin.show.analysis_rows import SAID_IN_PLACE, WORDS

#: Kinds of instrument that are compared as funds.
FUNDS = ("etf", "etn", "fund")


@dataclass(slots=True)
class Findings:
    """Collect the rows of each table, the line beside its title (where from, of which days), and the problems."""

    rows: dict[str, Rows] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, table: str, rows: Rows, note: str) -> None:
        """Keep the rows of a table and its note."""
        self.rows[table], self.notes[table] = rows, note


def findings(
    portfolio: Portfolio,
    quotes: Mapping[str, Quote],
    sources: Sources,
    as_of: dt.date,
    lang: Lang,
    origin: str = "",
) -> Findings:
    """Analyse a portfolio for its workbook; `origin` names the closes (default: the file's name, or the sources).

    An analysis that lacks its data has no rows, and its note says why. Raises InputError for a file that cannot be
    used.
    """
    asked = "fetched closes" if lang == "en" else "조회한 종가"
    origin = origin or (sources.history.name if sources.history else asked)
    study, found = _Study(portfolio, quotes, sources, as_of, lang, origin), Findings()
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
            one = Problem("warning", "no-history", tables[0], str(error), error.ko)
            found.problems.extend(error.problems or (one,))
    found.problems = _lacking(found.problems)
    return found


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
    origin: str

    def correlations(self, found: Findings) -> None:
        """Add the matrix, the alerts and the hedges."""
        result = correlate_portfolio(self.portfolio, self.sources, self.as_of)
        found.problems.extend(result.problems)
        rows = analysis_rows.correlation_rows(result, WORDS[self.lang])
        if not rows:
            for table in ("Correlation", "Alerts"):
                found.add(table, (), WORDS[self.lang].short)
            return
        korean, local = self.lang == "ko", result.currency == "local"
        count = f"수익률 {result.days}개" if korean else f"{result.days} returns"
        unit = ("각 통화" if korean else "each in its own currency") if local else result.currency
        bets = f"{'유효 베팅 수' if korean else 'effective bets'} {result.effective_bets:.1f}"
        note = f"{result.start} – {result.end}, {count}, {unit}, {self.origin}; {bets}"
        found.add("Correlation", rows, note)
        found.add("Alerts", analysis_rows.alert_rows(result, WORDS[self.lang]), f"> {DEFAULT_THRESHOLD}; < 0")

    def review(self, found: Findings) -> None:
        """Add the satellites' quarters, verdicts and reasons."""
        result = review_portfolio(self.portfolio, self.sources, self.as_of)
        found.problems.extend(result.problems)
        if not result.rows:
            found.add("Review", (), "no satellites" if self.lang == "en" else "위성 종목 없음")
            return
        note = (
            f"{self.as_of}, 분기 수익률 (연환산 아님), {self.origin}"
            if self.lang == "ko"
            else f"{self.as_of}, by quarter, not annualised, {self.origin}"
        )
        found.add("Review", analysis_rows.review_rows(result.rows, WORDS[self.lang]), note)

    def comparison(self, found: Findings) -> None:
        """Add the funds side by side."""
        funds = [symbol for symbol in self.portfolio.symbols if self.portfolio.instruments[symbol].asset_type in FUNDS]
        if len(funds) < 2:
            found.add("Comparison", (), "fewer than two funds" if self.lang == "en" else "비교할 펀드가 둘보다 적음")
            return
        result = compare_funds(
            funds, self.sources, self.as_of, currency=_common_currency(self.portfolio, funds, self.sources)
        )
        found.problems.extend(result.problems)
        names = {symbol: self.portfolio.instruments[symbol].name for symbol in funds}
        day = result.as_of or "–"
        local = result.currency == "local"
        if self.lang == "ko":
            unit = "각 통화" if local else result.currency
            note = f"{day}, 수익률 {unit}, 1Y부터 연환산, {self.origin}"
        else:
            unit = "each fund's own currency" if local else result.currency
            note = f"{day}, returns in {unit}, per year from 1Y on, {self.origin}"
        rows = analysis_rows.comparison_rows(result, names, WORDS[self.lang])
        # Funds without returns come last: the chart under the table shows the others.
        known = {fund.symbol for fund in result.funds.values() if any(one.known for one in fund.returns.values())}
        found.add("Comparison", tuple(sorted(rows, key=lambda row: row["Ticker"] not in known)), note)

    def limits(self, found: Findings) -> None:
        """Add every limit."""
        result = risk_portfolio(self.portfolio, self.quotes, self.sources, self.as_of)
        found.problems.extend(result.problems)
        asked = self.sources.facts is not None or self.sources.history is None
        found.rows["Limits"] = analysis_rows.limit_rows(result.rules, self.lang, unknown=asked)
        if not asked:
            korean = self.lang == "ko"
            found.notes["Limits"] = "펀드 자료가 필요한 한도: --facts" if korean else "limits of funds need --facts"


def _common_currency(portfolio: Portfolio, funds: list[str], sources: Sources) -> str | None:
    """Return the base currency where every fund can be put into it, else None: each in its own."""
    base = portfolio.base_currency
    foreign = {portfolio.instruments[symbol].currency for symbol in funds} - {base}
    if sources.history is None:
        return base
    header = {cell.strip() for cell in read_text(sources.history).partition("\n")[0].upper().split(",")}
    return base if all(header & {currency + base, base + currency} for currency in foreign) else None


def sample_findings(portfolio: Portfolio, quotes: Mapping[str, Quote], as_of: dt.date, lang: Lang) -> Findings:
    """Return the findings on the bundled sample history, which say that it is made up."""
    from rebalancer.samples import sample_sources

    with sample_sources() as sources:
        name = "SAMPLE (made up)" if lang == "en" else "SAMPLE (지어낸 예시)"
        return findings(portfolio, quotes, sources, as_of, lang, name)
