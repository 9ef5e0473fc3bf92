"""The tables that the engine writes: prices, the plan, the analyses, what is due, problems."""

from __future__ import annotations

from templates.spec.inputs import ACCOUNT, CHECK, CURRENCY, NAME, PRICE, SECTION, STATUS, TICKER
from templates.spec.schema import Column, Table, Text

PRICES = Table(
    "Prices",
    "Prices",
    Text("Prices", "시세"),
    (
        Column("Ticker", TICKER, "ticker", "result"),
        Column("Name", NAME, role="result", width=30),
        Column("Price", PRICE, "price", "result", 14, unit="Currency"),
        Column("Currency", CURRENCY, "text", "result", 9),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=12),
        Column("Status", STATUS, "status", "result", 12),
    ),
    required=("Ticker", "Price", "Source"),
    ranges=True,
    spare=20,
)

TRADES = Table(
    "Trades",
    "Trades",
    Text("Proposed trades", "제안 매매"),
    (
        Column("Account", ACCOUNT, role="result"),
        Column("Ticker", TICKER, "ticker", "result"),
        Column("Name", NAME, role="result", width=26),
        Column("Side", Text("Side", "매수/매도"), "choice", "result", 9),
        Column("Quantity", Text("Quantity", "수량"), "quantity", "result"),
        Column("Price", PRICE, "price", "result", 12, unit="Currency"),
        Column("Currency", CURRENCY, "text", "result", 9),
        Column("Amount", Text("Amount", "금액"), "money", "result", 15, unit="Currency"),
        Column("Cost", Text("Cost and tax", "비용·세금"), "money", "result", 12, unit="Currency"),
        Column("Reason", Text("Reason", "이유"), role="result", width=46, reveals=True),
        Column("WeightAfter", Text("Weight after", "매매 후 비중"), "weight", "result", 11),
    ),
    required=("Ticker", "Side", "Quantity", "Amount"),
    ranges=True,
    spare=20,
)

_MINE = '((({Account}="")+({Trades.Account}={Account}))>0)*({Trades.Currency}={Currency})'
_CONVERTS = '((({Account}="")+({Conversions.Account}={Account}))>0)'
RECONCILE = Table(
    "Reconcile",
    "Trades",
    Text("Cash, to the last won and cent", "현금 검산"),
    (
        Column("Account", ACCOUNT, role="result"),
        Column("Currency", CURRENCY, "text", "result", 9),
        Column("Before", Text("Before", "매매 전"), "money", "result", 14, unit="Currency"),
        Column("Sells", Text("+ sales", "+ 매도"), "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.Side}}="sell"),{{Trades.Amount}}))'),
        Column("Buys", Text("− purchases", "− 매수"), "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.Side}}="buy"),{{Trades.Amount}}))'),
        Column("Costs", Text("− costs", "− 비용·세금"), "money", "formula", 12, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_MINE}*({{Trades.Ticker}}<>""),{{Trades.Cost}}))'),
        Column("Exchanged", Text("± exchanged", "± 환전"), "money", "formula", 14, unit="Currency",
               formula=f'=IF({{Currency}}="","",SUMPRODUCT({_CONVERTS}*({{Conversions.Buy}}={{Currency}}),'
                       f'{{Conversions.Bought}})-SUMPRODUCT({_CONVERTS}*({{Conversions.Sell}}={{Currency}}),'
                       f'{{Conversions.Amount}}))'),
        Column("After", Text("= after", "= 매매 후"), "money", "formula", 14, unit="Currency",
               formula='=IF({Currency}="","",{Before}+{Sells}-{Buys}-{Costs}+{Exchanged})'),
        Column("PlanAfter", Text("The plan says", "계획상 잔액"), "money", "result", 14, unit="Currency"),
        Column("Check", CHECK, "status", "formula", 10,
               formula='=IF({Currency}="","",IF({PlanAfter}="","",IF(ROUND({After}-{PlanAfter},2)<>0,"DIFFERS",'
                       'IF({After}<0,"NEGATIVE","OK"))))'),
    ),
    required=("Before", "PlanAfter"),
    ranges=True,
    spare=0,
)  # fmt: skip

CONVERSIONS = Table(
    "Conversions",
    "Trades",
    Text("Currency to exchange", "환전"),
    (
        Column("Account", ACCOUNT, role="result"),
        Column("Sell", Text("Sell", "파는 통화"), "text", "result", 9),
        Column("Buy", Text("Buy", "사는 통화"), "text", "result", 9),
        Column("Amount", Text("Amount", "금액"), "money", "result", 15, unit="Sell"),
        Column("Rate", Text("Rate", "환율"), "rate", "result", 12),
        Column("Cost", Text("Cost in it", "포함된 비용"), "money", "result", 12, unit="Sell"),
        Column("Bought", Text("You receive", "받는 금액"), "money", "result", 15, unit="Buy"),
    ),
    required=("Sell", "Buy", "Bought"),
    ranges=True,
    spare=2,
)

SUMMARY = Table(
    "Summary",
    "Trades",
    Text("The plan in figures", "계획 요약"),
    (
        Column("Key", Text("Key", "항목"), role="result", width=20),
        Column("Value", Text("Value", "값"), "number", "result", 20),
        Column("Meaning", Text("Meaning", "뜻"), role="result", width=44),
    ),
    required=("Key", "Value", "Meaning"),
    ranges=True,
    spare=0,
)

DRIFT = Table(
    "Drift",
    "Trades",
    Text("Drift and bands", "차이와 밴드"),
    (
        Column("Ticker", TICKER, "ticker", "result"),
        Column("Name", NAME, role="result", width=26),
        Column("Section", SECTION, role="result", width=12),
        Column("Value", Text("Value (base currency)", "평가액 (기준 통화)"), "money", "result", 16),
        Column("Weight", Text("Weight", "비중"), "weight", "result", 9),
        Column("Target", Text("Target", "목표 비중"), "weight", "result", 9),
        Column("Drift", Text("Drift", "차이"), "drift", "result", 9),
        Column("Low", Text("Low", "하단"), "weight", "result", 9),
        Column("High", Text("High", "상단"), "weight", "result", 9),
        Column("Status", STATUS, "status", "result", 12),
    ),
    required=("Ticker", "Low", "High"),
    ranges=True,
    spare=0,
    live=True,
)


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

CALENDAR = Table(
    "Calendar",
    "Calendar",
    Text("What is due", "점검 일정"),
    (
        Column("Date", Text("Date", "날짜"), "date", "result", 12),
        Column("Section", SECTION, role="result", width=14),
        Column("Task", Text("Task", "할 일"), role="result", width=70),
        Column("Due", Text("Due", "때가 됨"), "status", "result", 10),
    ),
    required=("Date", "Task"),
    ranges=True,
    spare=0,
    note=Text("rebalancer calendar", "rebalancer calendar"),
)

PROBLEMS = Table(
    "Problems",
    "Checks",
    Text("What the engine found", "엔진이 찾은 문제"),
    (
        Column("Severity", Text("Severity", "정도"), "status", "result", 10),
        Column("Where", Text("Where", "위치"), role="result", width=30, reveals=True),
        Column("Message", Text("What is wrong, and what to do", "무엇이 문제이고 어떻게 고치나"), role="result",
               width=90, reveals=True),
        Column("Code", Text("Code", "코드"), role="result", width=20),
    ),
    required=("Severity", "Message"),
    ranges=True,
    spare=0,
)  # fmt: skip
