"""The analyses: funds compared, satellites reviewed, risk rules, correlations."""

from __future__ import annotations

from templates.schema import Column, Table, Text
from templates.tables.shared import CURRENCY, NAME, STATUS, TICKER

COMPARISON = Table(
    "Comparison",
    "Analysis",
    Text("Funds compared", "펀드 비교"),
    (
        Column("Ticker", TICKER, "ticker", "result", aliases=("Metric",)),
        Column("Name", NAME, role="result", width=26),
        Column("Fee", Text("Fee", "보수"), "number", "result", 8),
        Column("AUM", Text("Fund size", "순자산"), "integer", "result", 18),
        Column("AUMCurrency", Text("in", "통화"), role="result", width=8),
        Column("Holdings", Text("Holdings", "보유 종목수"), "integer", "result", 9),
        Column("Concentration", Text("Top ten, share", "상위 10종목 비중"), "weight", "result", 11),
        *(Column(span, Text(span, span), "drift", "result", 9) for span in ("1M", "3M", "6M", "1Y", "3Y", "5Y")),
        Column("Volatility", Text("Volatility", "변동성"), "weight", "result", 10),
        Column("MaxDrawdown", Text("Worst fall", "최대 낙폭"), "drift", "result", 10),
        Column("Yield", Text("Yield", "배당률"), "weight", "result", 8),
        Column("Source", Text("Where the facts are from", "자료 출처"), role="result", width=36),
        Column("Top10", Text("Top ten", "상위 10종목"), role="result", width=40),
    ),
    required=("Ticker", "Fee", "AUM"),
    ranges=True,
    spare=0,
    note=Text("rebalancer compare", "rebalancer compare"),
)

REVIEW = Table(
    "Review",
    "Analysis",
    Text("Satellites against their benchmark", "위성 종목 점검"),
    (
        Column("Ticker", TICKER, "ticker", "result"),
        Column("Quarter", Text("Quarter", "분기"), role="result", width=10),
        Column("Return", Text("Return", "수익률"), "drift", "result", 9),
        Column("Benchmark", Text("Benchmark", "벤치마크"), "drift", "result"),
        Column("Excess", Text("Excess", "초과"), "drift", "result", 9),
        Column("Verdict", Text("Verdict", "판정"), "status", "result", 12),
        Column("Reasons", Text("Reasons", "이유"), role="result", width=44),
        Column("Against", Text("Against", "비교 대상"), "ticker", "result"),
        Column("Currency", CURRENCY, role="result", width=9),
    ),
    required=("Quarter", "Excess", "Verdict"),
    ranges=True,
    spare=0,
    note=Text("rebalancer review", "rebalancer review"),
)

LIMITS = Table(
    "Limits",
    "Analysis",
    Text("Risk rules", "위험 규칙"),
    (
        Column("Rule", Text("Rule", "규칙"), role="result", width=26),
        Column("Scope", Text("Scope", "대상"), role="result", width=16),
        Column("Limit", Text("Limit", "한도"), "text", "result", 20, reveals=True),
        Column("Actual", Text("Actual", "현재"), "text", "result", 22, reveals=True),
        Column("Status", STATUS, "status", "result", 10),
    ),
    required=("Rule", "Limit", "Actual"),
    ranges=True,
    spare=0,
    note=Text("rebalancer risk", "rebalancer risk"),
)

ALERTS = Table(
    "Alerts",
    "Analysis",
    Text("Pairs that move together", "함께 움직이는 쌍"),
    (
        Column("First", Text("First", "종목 1"), "ticker", "result"),
        Column("Second", Text("Second", "종목 2"), "ticker", "result"),
        Column("Correlation", Text("Correlation", "상관계수"), "number", "result"),
        Column("Kind", Text("Kind", "종류"), role="result", width=16),
    ),
    required=("First", "Second", "Correlation"),
    ranges=True,
    spare=0,
    note=Text("rebalancer correlate", "rebalancer correlate"),
)

CORRELATION = Table(
    "Correlation",
    "Analysis",
    Text("Correlation of daily returns", "일간 수익률 상관"),
    (Column("Ticker", TICKER, "ticker", "result"),),
    required=(),
    ranges=True,
    spare=0,
    note=Text("rebalancer correlate", "rebalancer correlate"),
)
