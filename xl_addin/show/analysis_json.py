"""The analyses as the JSON documents that scripts may rely on: exactly the documented keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.analysis.calendar import CalendarItem
from engine.analysis.compare import Comparison, FundRow
from engine.analysis.concentration import Concentration
from engine.analysis.correlation import Correlations, Pair
from engine.analysis.limits import RiskRule
from engine.analysis.review import ReviewRow
from engine.documents import number, problem_list
from engine.errors import Problem
from engine.weights.methods import Weighting

Document = dict[str, Any]


def _number(value: Decimal | float | None) -> int | float | None:
    return None if value is None else number(value)


def weights_document(result: Weighting, problems: Iterable[Problem] = ()) -> Document:
    """Return target weights and the concentration before and after."""
    return {
        "method": result.method,
        "weights": [
            {"symbol": w.symbol, "sector": w.sector or None, "weight": _number(w.weight)} for w in result.weights
        ],
        "concentration": {"before": _concentration(result.before), "after": _concentration(result.after)},
        "problems": problem_list((*problems, *result.problems)),
    }


def _concentration(measure: Concentration | None) -> Document:
    if measure is None:
        return {"top5": None, "top_sector": None, "hhi": None}
    return {"top5": _number(measure.top5), "top_sector": _number(measure.top_sector), "hhi": _number(measure.hhi)}


def correlate_document(result: Correlations, problems: Iterable[Problem] = ()) -> Document:
    """Return the correlation matrix, alerts, hedges and the effective number of bets."""
    return {
        "from": result.start.isoformat() if result.start else None,
        "to": result.end.isoformat() if result.end else None,
        "days": result.days,
        "currency": result.currency,
        "symbols": list(result.symbols),
        "matrix": [[_number(cell) for cell in row] for row in result.matrix],
        "alerts": _pairs(result.alerts),
        "hedges": _pairs(result.hedges),
        "effective_bets": _number(result.effective_bets),
        "problems": problem_list((*problems, *result.problems)),
    }


def _pairs(pairs: Iterable[Pair]) -> list[Document]:
    return [{"pair": list(pair.pair), "correlation": _number(pair.correlation)} for pair in pairs]


def review_document(
    benchmark: str | None, rows: Iterable[ReviewRow], problems: Iterable[Problem] = (), *, korean: bool
) -> Document:
    """Return the satellites' quarters, verdicts and reasons, these in one language."""
    rows = tuple(rows)
    return {
        "benchmark": benchmark,
        "rows": [
            {
                "symbol": row.symbol,
                "quarters": [
                    {
                        "quarter": quarter.quarter,
                        "return": _number(quarter.value),
                        "benchmark": _number(quarter.benchmark),
                        "excess": _number(quarter.excess),
                    }
                    for quarter in row.quarters
                ],
                "verdict": row.verdict.name,
                "reasons": [reason.text_ko if korean else reason.text for reason in row.reasons],
            }
            for row in rows
        ],
        "problems": problem_list((*problems, *(problem for row in rows for problem in row.problems))),
    }


def risk_document(rules: Iterable[RiskRule], problems: Iterable[Problem] = ()) -> Document:
    """Return every limit with what it is today."""
    return {
        "rules": [
            {
                "rule": row.rule,
                "scope": row.scope,
                "limit": _number(row.limit),
                "actual": _number(row.actual),
                "status": row.status,
            }
            for row in rules
        ],
        "problems": problem_list(problems),
    }


def compare_document(result: Comparison, problems: Iterable[Problem] = ()) -> Document:
    """Return the funds side by side and their overlaps."""
    return {
        "as_of": result.as_of.isoformat() if result.as_of else None,
        "currency": result.currency,
        "funds": {symbol: _fund(row) for symbol, row in result.funds.items()},
        "overlap": [{"pair": list(row.pair), "weight": _number(row.weight)} for row in result.overlap],
        "problems": problem_list((*problems, *result.problems)),
    }


def _fund(row: FundRow) -> Document:
    returns: Mapping[str, Any] = {period: _number(figure.value) for period, figure in row.returns.items()}
    return {
        "fee": _number(row.fee.value),
        "aum": _number(row.aum.value),
        "holdings_count": _number(row.holdings_count.value),
        "top10": [{"symbol": line.symbol, "name": line.name, "weight": _number(line.weight)} for line in row.top],
        "returns": dict(returns),
        "volatility": _number(row.volatility.value),
        "max_drawdown": _number(row.max_drawdown.value),
        "yield": _number(row.dividend_yield.value),
    }


def calendar_document(items: Iterable[CalendarItem], problems: Iterable[Problem] = (), *, korean: bool) -> Document:
    """Return the tasks by date, in one language."""
    return {
        "items": [
            {
                "date": item.date.isoformat(),
                "section": item.section,
                "task": item.task_ko if korean else item.task,
                "due": item.due,
            }
            for item in items
        ],
        "problems": problem_list(problems),
    }
