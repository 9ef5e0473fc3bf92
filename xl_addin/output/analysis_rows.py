"""The analyses' records as rows of the workbook's tables: every number as the engine has it, its source beside it.

What is not known stands as words in the number's place; the whole reason is among the problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from templates.report import Row, Rows, Value
from xl_addin.output.language import Lang

if TYPE_CHECKING:  # they bring numpy, which a plain plan does without
    from engine.analysis.compare import Comparison, FundRow
    from engine.analysis.correlation import Correlations
    from engine.analysis.figure import Figure
    from engine.analysis.limits import RiskRule
    from engine.analysis.review import ReviewRow

#: What stands in the place of a number that is missing: closes that do not reach, and facts that nobody knows.
SHORT = {"en": "too short", "ko": "기록 부족"}
UNKNOWN = {"en": "no data", "ko": "자료 없음"}
_UNVERIFIED = {"en": "not verified", "ko": "미확인"}
_KINDS = {"en": ("alert", "hedge"), "ko": ("경보", "헤지")}
_FACTS = {
    "en": {"fee": "fee", "aum": "size", "holdings_count": "holdings", "yield": "yield"},
    "ko": {"fee": "보수", "aum": "순자산", "holdings_count": "종목수", "yield": "배당률"},
}


def correlation_rows(result: Correlations, lang: Lang) -> Rows:
    """Return a row per symbol, with a column per symbol; none where nothing can be correlated."""
    if result.effective_bets is None:
        return ()
    return tuple(
        {"Ticker": symbol, **{name: _or(cell, SHORT[lang]) for name, cell in zip(result.symbols, row, strict=True)}}
        for symbol, row in zip(result.symbols, result.matrix, strict=True)
    )


def alert_rows(result: Correlations, lang: Lang) -> Rows:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    return tuple(
        {"First": pair.pair[0], "Second": pair.pair[1], "Correlation": pair.correlation, "Kind": kind}
        for kind, pairs in zip(_KINDS[lang], (result.alerts, result.hedges), strict=True)
        for pair in pairs
    )


def review_rows(rows: Iterable[ReviewRow], lang: Lang) -> Rows:
    """Return a row per satellite and quarter; its reasons stand one to a row, beside the quarters."""
    shown: list[Row] = []
    for row in rows:
        reasons = [reason.text_ko if lang == "ko" else reason.text for reason in row.reasons]
        for place in range(max(len(row.quarters), len(reasons), 1)):
            line: dict[str, Value] = {"Ticker": row.symbol, "Verdict": row.verdict.name}
            line |= {"Against": row.benchmark, "Currency": row.currency or None}
            if place < len(row.quarters):
                quarter = row.quarters[place]
                line |= {"Quarter": quarter.quarter, "Return": _or(quarter.value, SHORT[lang])}
                if row.benchmark:
                    line |= {"Benchmark": _or(quarter.benchmark, SHORT[lang])}
                    line |= {"Excess": _or(quarter.excess, SHORT[lang])}
            elif not row.quarters and not place:
                line |= {"Quarter": SHORT[lang]}
            if place < len(reasons):
                line |= {"Reasons": reasons[place]}
            shown.append(line)
    return tuple(shown)


def comparison_rows(result: Comparison, names: Mapping[str, str], lang: Lang) -> Rows:
    """Return a row per fund, those without returns last; `Source` says where its facts are from, and of which day."""
    funds = sorted(result.funds.values(), key=lambda fund: not any(figure.known for figure in fund.returns.values()))
    return tuple(_fund(fund, names, lang) for fund in funds)


def _fund(fund: FundRow, names: Mapping[str, str], lang: Lang) -> Row:
    closes, facts = SHORT[lang], UNKNOWN[lang]
    return {
        "Ticker": fund.symbol,
        "Name": names.get(fund.symbol, fund.symbol),
        "Fee": _or(fund.fee.value, facts),
        "AUM": _or(fund.aum.value, facts),
        "Holdings": _or(fund.holdings_count.value, facts),
        "Top10": facts if fund.top_share is None else fund.top_share,
        **{period: _or(figure.value, closes) for period, figure in fund.returns.items()},
        "Volatility": _or(fund.volatility.value, closes),
        "MaxDrawdown": _or(fund.max_drawdown.value, closes),
        "Yield": _or(fund.dividend_yield.value, facts),
        "Source": _sources(fund, lang),
    }


def _sources(fund: FundRow, lang: Lang) -> str:
    """Return the source and day of each fact that is known, and what its number is not sure of."""
    figures = fund.figures()
    said: dict[str, list[str]] = {}
    for path, name in _FACTS[lang].items():
        figure = figures[path]
        if figure.known:
            unit = f" {fund.aum_currency}" if path == "aum" and fund.aum_currency else ""
            said.setdefault(_origin(figure, lang), []).append(name + unit)
    if fund.top:
        dated = f" {fund.holdings_as_of}" if fund.holdings_as_of else ""
        said.setdefault(f"{fund.holdings_source}{dated}", []).append("상위 종목" if lang == "ko" else "top ten")
    return "; ".join(f"{', '.join(names)}: {origin}" for origin, names in said.items())


def _origin(figure: Figure, lang: Lang) -> str:
    dated = f" {figure.as_of}" if figure.as_of else ""
    note = f" ({_UNVERIFIED[lang] if 'not verified' in figure.note else figure.note})" if figure.note else ""
    return f"{figure.source}{dated}{note}"


def limit_rows(rules: Iterable[RiskRule], *, unknown: bool = False) -> Rows:
    """Return every limit beside what it is today; those of which nothing is known only if asked for."""
    return tuple(
        {"Rule": r.rule, "Scope": r.scope, "Limit": r.shown[0], "Actual": r.shown[1], "Status": r.status}
        for r in rules
        if unknown or r.status != "UNKNOWN" or r.actual is not None
    )


def _or(value: float | None, words: str) -> Value:
    return words if value is None else value
