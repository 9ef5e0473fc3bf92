"""The analyses' records as rows of the workbook's tables: every number as the engine has it, its source beside it.

What is not known stands as words in the number's place, or where functions answer as an error; the whole reason is
among the problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.words import Lang
from templates.cells import Row, Rows, Value
from xl_addin.functions.registry import NA

if TYPE_CHECKING:  # they bring numpy, which a plain plan does without
    from engine.analysis.compare import Comparison, FundRow
    from engine.analysis.correlation import Correlations
    from engine.analysis.figure import Figure
    from engine.analysis.limits import RiskRule
    from engine.analysis.review import ReviewRow

#: Codes of problems that are seen in the place of the number.
SAID_IN_PLACE = frozenset({"not-known", "overlap", "limit-unknown", "limit-breached"})


@dataclass(frozen=True, slots=True)
class Words:
    """Hold what rows are written with: `short` for closes that do not reach, `unknown` for facts that nobody knows."""

    lang: Lang
    short: str
    unknown: str
    alert: str
    hedge: str


#: On sheets that are written once.
WORDS: Mapping[Lang, Words] = {
    "en": Words("en", "too short", "no data", "alert", "hedge"),
    "ko": Words("ko", "기록 부족", "자료 없음", "경보", "헤지"),
}
#: As functions answer.
IN_CELLS: Mapping[Lang, Words] = {lang: Words(lang, NA, NA, "alert", "hedge") for lang in ("en", "ko")}
_UNVERIFIED = {"en": "not verified", "ko": "미확인"}
_FACTS = {
    "en": {"fee": "fee", "aum": "size", "holdings_count": "holdings", "yield": "yield"},
    "ko": {"fee": "보수", "aum": "순자산", "holdings_count": "종목수", "yield": "배당률"},
}


def correlation_rows(result: Correlations, words: Words) -> Rows:
    """Return a row per symbol, with a column per symbol; none where nothing can be correlated."""
    if result.effective_bets is None:
        return ()
    return tuple(
        {"Ticker": symbol, **{name: _or(cell, words.short) for name, cell in zip(result.symbols, row, strict=True)}}
        for symbol, row in zip(result.symbols, result.matrix, strict=True)
    )


def alert_rows(result: Correlations, words: Words) -> Rows:
    """Return the pairs above the threshold, then those below 0, strongest first."""
    return tuple(
        {"First": pair.pair[0], "Second": pair.pair[1], "Correlation": pair.correlation, "Kind": kind}
        for kind, pairs in ((words.alert, result.alerts), (words.hedge, result.hedges))
        for pair in pairs
    )


def review_rows(rows: Iterable[ReviewRow], words: Words) -> Rows:
    """Return a row per satellite and quarter; its reasons stand one to a row, beside the quarters."""
    shown: list[Row] = []
    for row in rows:
        reasons = [reason.text_ko if words.lang == "ko" else reason.text for reason in row.reasons]
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


def comparison_rows(result: Comparison, names: Mapping[str, str], words: Words) -> Rows:
    """Return a row per fund; `Source` says where its facts are from, and of which day."""
    return tuple(_fund(fund, names, words) for fund in result.funds.values())


def _fund(fund: FundRow, names: Mapping[str, str], words: Words) -> Row:
    from engine.analysis.returns import PERIODS

    top = (line.name or line.symbol if line.weight is None else f"{line.name or line.symbol} {line.weight:.1%}"
           for line in fund.top)  # fmt: skip
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
        "Top10": ", ".join(top) or words.unknown,
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
    said = figure.note_ko if lang == "ko" else figure.note
    note = f" ({_UNVERIFIED[lang] if 'not verified' in figure.note else said})" if figure.note else ""
    return f"{figure.source}{dated}{note}"


def limit_rows(rules: Iterable[RiskRule], lang: Lang, *, unknown: bool = False) -> Rows:
    """Return every limit beside what it is today; those of which nothing is known only if asked for."""
    rows = []
    for r in rules:
        if unknown or r.status != "UNKNOWN" or r.actual is not None:
            limit, actual = r.shown_ko if lang == "ko" else r.shown
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


def _flag(value: Decimal | None) -> bool | None:
    return None if value is None else bool(value)


def _or(value: float | None, words: str) -> Value:
    return words if value is None else value
