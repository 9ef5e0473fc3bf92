"""The plan: trades, the cash they leave, currency to exchange, figures, drift."""

from __future__ import annotations

from templates.schema import Column, Table, Text
from templates.tables.shared import ACCOUNT, CHECK, CURRENCY, NAME, PRICE, SECTION, STATUS, TICKER

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
