"""What is held: holdings and cash."""

from __future__ import annotations

from engine.portfolio import ASSET_TYPES, MARKETS
from templates.schema import Column, Table, Text
from templates.tables.shared import (
    ACCOUNT,
    CHECK,
    CURRENCIES,
    CURRENCY,
    NAME,
    NAMED,
    PRICE,
    SECTION,
    TICKER,
    TICKER_ALIASES,
    VALUE,
    WEIGHED,
    WEIGHT,
)

_OWN_CURRENCY = 'IF({Currency}<>"",{Currency},IFERROR(INDEX({Prices.Currency},MATCH({Ticker},{Prices.Ticker},0)),""))'
_QUOTED = "INDEX({Prices.Price},MATCH({Ticker},{Prices.Ticker},0))"
# A cell that holds nothing reads as 0; dividing by "is it filled" turns it into an error, so that it never counts as 0.
_QUOTE_OR_NA = f'IFERROR({_QUOTED}/({_QUOTED}<>""),IF(N({{Quantity}})=0,"",NA()))'


def _rate_of(currency: str, amount: str) -> str:
    rate = f"INDEX({{FxRates.Rate}},MATCH({currency},{{FxRates.Currency}},0))"
    return f'IF({currency}=BaseCurrency,1,IFERROR({rate}/({rate}<>""),IF(N({amount})=0,"",NA())))'


_ACCOUNT = Column("Account", ACCOUNT, key="account", aliases=("Broker", "증권사", "계좌명"))
_KNOWN = Text("empty: known from the ticker", "비우면 코드로 판단")

HOLDINGS = Table(
    "Holdings",
    "Holdings",
    Text("What you hold", "보유 종목"),
    (
        _ACCOUNT,
        Column("Ticker", TICKER, "ticker", key="symbol", aliases=TICKER_ALIASES),
        Column("Name", NAME, role="formula", width=24, formula=NAMED, link=True),
        Column("Class", Text("Kind", "종류"), "choice", key="asset_type", choices=ASSET_TYPES, width=8,
               aliases=("AssetType", "자산유형", "유형"), help=_KNOWN),
        Column("Market", Text("Market", "시장"), "choice", key="market", choices=MARKETS, width=8, help=_KNOWN),
        Column("Currency", CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9, help=_KNOWN),
        Column("Section", SECTION, role="formula", width=10, link=True,
               formula='=IF({Ticker}="","",IFERROR(INDEX({Targets.Section},MATCH({Ticker},{Targets.Ticker},0)),"–"))'),
        Column("Quantity", Text("Quantity", "수량"), "quantity", key="quantity", aliases=("Shares", "Qty", "보유수량")),
        Column("AverageCost", Text("Average cost", "평균단가"), "price", key="average_cost", width=12, unit="Currency",
               aliases=("평단가", "매입단가", "평균 단가", "매입 단가", "AvgCost")),
        Column("ManualPrice", Text("Own price", "직접 입력가"), "price", key="price", width=12, unit="Currency",
               aliases=("직접입력가", "수동가격", "수동 가격"),
               help=Text("a price written here beats every source", "여기에 쓴 가격이 모든 출처에 우선")),
        Column("Locked", Text("Never trade", "거래 안 함"), "bool", key="locked", width=10, aliases=("잠금", "고정")),
        Column("Price", PRICE, "price", "formula", 12, unit="Currency", link=True,
               formula=f'=IF({{Ticker}}="","",IF({{ManualPrice}}<>"",{{ManualPrice}},{_QUOTE_OR_NA}))'),
        Column("FX", Text("Rate", "환율"), "rate", "formula", 10, link=True,
               formula=f'=IF({{Ticker}}="","",{_rate_of(_OWN_CURRENCY, "{Quantity}")})'),
        Column("Value", VALUE, "money", "formula", 15,
               formula='=IF({Ticker}="","",IF(N({Quantity})=0,0,{Quantity}*{Price}*{FX}))'),
        Column("Weight", WEIGHT, "weight", "formula", 9, formula=WEIGHED),
        Column("Check", CHECK, role="formula", width=24, reveals=True,
               formula='=IF({Ticker}="",IF(N({Quantity})<>0,{!check.no-ticker},""),IF(ISNUMBER({Ticker}),'
                       '{!check.ticker-number},IF(ISTEXT({Quantity}),{!check.quantity-text},IF(N({Quantity})<0,'
                       '{!check.quantity-negative},IF(ISERROR({Price}),{!check.no-price},IF(ISERROR({FX}),'
                       '{!check.no-rate},""))))))'),
    ),
    required=("Ticker", "Quantity"),
    spare=5,
    note=Text("One row per holding and account; the last rows are free.",
              "종목·계좌마다 한 줄, 아래 빈 줄에 추가하세요."),
)  # fmt: skip

CASH = Table(
    "Cash",
    "Holdings",
    Text("Cash", "현금"),
    (
        _ACCOUNT,
        Column("Currency", CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Amount", Text("Amount", "금액"), "money", key="amount", width=15, unit="Currency",
               aliases=("현금", "잔액", "Cash")),
        Column("FX", Text("Rate", "환율"), "rate", "formula", 10, link=True,
               formula=f'=IF({{Currency}}="","",{_rate_of("{Currency}", "{Amount}")})'),
        Column("Value", VALUE, "money", "formula", 15,
               formula='=IF({Currency}="","",IF(N({Amount})=0,0,{Amount}*{FX}))'),
    ),
    required=("Currency", "Amount"),
    note=Text("One row per currency (and account, where Settings lists accounts).",
              "통화마다 한 줄 (설정에 계좌가 있으면 계좌별로)."),
)  # fmt: skip
