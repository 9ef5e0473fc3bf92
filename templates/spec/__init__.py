"""The one declaration of the workbook: its sheets, tables, columns, named cells.

The writer, the reader, the functions' argument tables and docs/workbook.md are derived from it. Identifiers are English
in both languages; captions stand above them. A formula only ever refers to tables and names, never to an address. The
columns of each table are declared in `templates.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping

from templates.spec.inputs import (
    ACCOUNTS,
    CASH,
    COSTS,
    FX,
    GROUPS,
    HISTORY,
    HOLDINGS,
    INSTRUMENTS,
    RULES,
    SETTINGS,
    TARGETS,
)
from templates.spec.results import (
    ALERTS,
    CALENDAR,
    COMPARISON,
    CONVERSIONS,
    CORRELATION,
    DRIFT,
    LIMITS,
    PRICES,
    PROBLEMS,
    RECONCILE,
    REVIEW,
    SUMMARY,
    TRADES,
)
from templates.spec.schema import Name, Sheet, Table, Text

STATUSES = ("OK", "OVER", "UNDER", "NO_TARGET", "LOCKED", "DISABLED")
#: A band wider than any weight: the rule has none.
NO_BAND = 9

SHEETS: tuple[Sheet, ...] = (
    Sheet("Start", Text("Start", "시작"), Text("three steps, colours, help", "세 단계, 색, 도움말"), "305496"),
    Sheet("Dashboard", Text("Dashboard", "대시보드"), Text("the portfolio at a glance", "한눈에 보기"), "305496"),
    Sheet("Holdings", Text("Holdings", "보유"), Text("what you hold, and cash", "보유 종목과 현금"), "BF8F00"),
    Sheet("Targets", Text("Targets", "목표"), Text("what you want to hold", "목표 비중"), "BF8F00"),
    Sheet("Trades", Text("Trades", "매매"), Text("what to buy and sell", "사고팔 것"), "548235"),
    Sheet("Analysis", Text("Analysis", "분석"), Text("costs, comparison, correlation", "비용·비교·상관"), "548235"),
    Sheet("Calendar", Text("Calendar", "일정"), Text("what is due when", "점검 일정"), "548235"),
    Sheet("History", Text("History", "기록"), Text("value and weights over time", "평가액과 비중의 기록"), "BF8F00"),
    Sheet("Prices", Text("Prices", "시세"), Text("prices, rates, their sources", "시세·환율과 출처"), "548235"),
    Sheet("Settings", Text("Settings", "설정"), Text("rules, accounts, costs", "규칙·계좌·비용"), "BF8F00"),
    Sheet("Checks", Text("Checks", "점검"), Text("what is wrong, and the repair", "문제와 해결 방법"), "C00000"),
)  # fmt: skip

#: In the order in which they stand on their sheets, from left to right.
TABLES: tuple[Table, ...] = (
    HOLDINGS, CASH, TARGETS, GROUPS, TRADES, RECONCILE, CONVERSIONS, SUMMARY, DRIFT, LIMITS, COMPARISON, REVIEW,
    ALERTS, CORRELATION, CALENDAR, HISTORY, PRICES, FX, INSTRUMENTS, SETTINGS, RULES, ACCOUNTS, COSTS, PROBLEMS,
)  # fmt: skip

NAMES: tuple[Name, ...] = (
    Name("BaseCurrency", "Settings", Text("currency of all totals", "기준 통화")),
    Name("CashFlow", "Settings", Text("money added or taken out with the plan", "이번 입출금")),
    Name("TotalValue", "Holdings", Text("holdings, cash and cash flow, in the base currency", "총 평가액")),
    Name("HoldingsValue", "Holdings", Text("all holdings", "보유 종목 평가액")),
    Name("CashValue", "Holdings", Text("all cash, cash flow included", "현금 (이번 입출금 포함)")),
    Name("TargetSum", "Targets", Text("sum of all targets", "목표 합계")),
    Name("CashTarget", "Targets", Text("what the targets leave for cash", "현금 목표")),
    Name("ChecksFailed", "Checks", Text("number of checks that failed", "통과하지 못한 점검 수")),
)


#: Other words for the choices of input columns, as people write them.
WORDS: Mapping[str, str] = {
    "핵심": "core", "코어": "core", "위성": "satellite", "새틀라이트": "satellite", "전체": "all", "targets": "all",
    "주식": "stock", "펀드": "fund", "리츠": "reit", "채권": "bond", "기타": "other",
    "없음": "none", "매월": "monthly", "월": "monthly", "분기": "quarterly", "매분기": "quarterly",
    "반기": "semi-annual", "연2회": "semi-annual", "semiannual": "semi-annual", "매년": "annual", "연": "annual",
    "yearly": "annual", "위탁": "taxable", "일반": "taxable", "연금": "pension", "연금저축": "pension",
    "한국": "KR", "국내": "KR", "미국": "US", "해외": "US", "레버리지": "leveraged", "인버스": "inverse",
    "선물": "futures",
    "매수·매도": "full", "매수만": "buy-only", "매도만": "sell-only", "원": "KRW", "원화": "KRW", "달러": "USD",
}  # fmt: skip
TRUE_WORDS = frozenset(("true", "yes", "y", "on", "1", "예", "네", "o", "참", "✓", "✔", "v"))
FALSE_WORDS = frozenset(("false", "no", "n", "off", "0", "아니오", "아니요", "거짓", "x"))
#: What people write in a row of sums; such a row is not a holding.
SUM_WORDS = frozenset(("합계", "총계", "소계", "총합계", "total", "sum", "subtotal", "grandtotal"))


def table(name: str) -> Table:
    """Return a table by its name; raises KeyError for an unknown one."""
    return _BY_NAME[name]


def sheet(key: str) -> Sheet:
    """Return a sheet by its identifier; raises KeyError for an unknown one."""
    return _SHEETS[key]


def tables_of(sheet_key: str) -> tuple[Table, ...]:
    """Return a sheet's tables, from left to right."""
    return tuple(found for found in TABLES if found.sheet == sheet_key)


_BY_NAME: Mapping[str, Table] = {found.name: found for found in TABLES}
_SHEETS: Mapping[str, Sheet] = {found.key: found for found in SHEETS}
