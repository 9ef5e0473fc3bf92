"""The one declaration of the workbook: its sheets, tables, columns, named cells.

The writer, the reader, the functions' argument tables and docs/workbook.md are derived from it. Identifiers are English
in both languages; captions stand above them. A formula only ever refers to tables and names, never to an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from engine.money import MINOR_DIGITS
from engine.portfolio import ACCOUNT_TYPES, ASSET_TYPES, MARKETS, TRAITS
from engine.settings import Schedule
from templates.schema import Column, Name, Sheet, Table, Text

ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
CURRENCIES = tuple(MINOR_DIGITS)
SECTIONS = ("core", "satellite", "all")
SCHEDULES: tuple[str, ...] = get_args(Schedule)
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

_ACCOUNT = Text("Account", "계좌")
_TICKER = Text("Ticker", "종목코드")
_NAME = Text("Name", "종목명")
_SECTION = Text("Section", "구분")
_CURRENCY = Text("Currency", "통화")
_VALUE = Text("Value", "평가액")
_WEIGHT = Text("Weight", "현재 비중")
_STATUS = Text("Status", "상태")
_CHECK = Text("Check", "확인")
_PRICE = Text("Price", "현재가")
_COST = Text("Cost and tax", "비용·세금")
_TICKER_ALIASES = ("Symbol", "Code", "종목 코드", "코드", "심볼", "티커")
_NAMED = '=IF({Ticker}="","",IFERROR(INDEX({Prices.Name},MATCH({Ticker},{Prices.Ticker},0))&"",""))'
_OWN_CURRENCY = 'IF({Currency}<>"",{Currency},IFERROR(INDEX({Prices.Currency},MATCH({Ticker},{Prices.Ticker},0)),""))'
_QUOTED = "INDEX({Prices.Price},MATCH({Ticker},{Prices.Ticker},0))"
# A cell that holds nothing reads as 0; dividing by "is it filled" turns it into an error, so that it never counts as 0.
_QUOTE_OR_NA = f'IFERROR({_QUOTED}/({_QUOTED}<>""),IF(N({{Quantity}})=0,"",NA()))'


def _rate_of(currency: str, amount: str) -> str:
    rate = f"INDEX({{FxRates.Rate}},MATCH({currency},{{FxRates.Currency}},0))"
    return f'IF({currency}=BaseCurrency,1,IFERROR({rate}/({rate}<>""),IF(N({amount})=0,"",NA())))'


HOLDINGS = Table(
    "Holdings",
    "Holdings",
    Text("What you hold", "보유 종목"),
    (
        Column("Account", _ACCOUNT, key="account", aliases=("Broker", "증권사", "계좌명")),
        Column("Ticker", _TICKER, "ticker", key="symbol", aliases=_TICKER_ALIASES),
        Column("Name", _NAME, role="formula", width=24, formula=_NAMED, link=True),
        Column("Class", Text("Kind", "종류"), "choice", key="asset_type", choices=ASSET_TYPES, width=8,
               aliases=("AssetType", "자산유형", "유형"),
               help=Text("empty: known from the ticker", "비우면 코드로 판단")),
        Column("Market", Text("Market", "시장"), "choice", key="market", choices=MARKETS, width=8,
               help=Text("empty: known from the ticker", "비우면 코드로 판단")),
        Column("Currency", _CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9,
               help=Text("empty: known from the ticker", "비우면 코드로 판단")),
        Column("Section", _SECTION, role="formula", width=10, link=True,
               formula='=IF({Ticker}="","",IFERROR(INDEX({Targets.Section},MATCH({Ticker},{Targets.Ticker},0)),"–"))'),
        Column("Quantity", Text("Quantity", "수량"), "quantity", key="quantity", aliases=("Shares", "Qty", "보유수량")),
        Column("AverageCost", Text("Average cost", "평균단가"), "price", key="average_cost", width=12, unit="Currency",
               aliases=("평단가", "매입단가", "평균 단가", "매입 단가", "AvgCost")),
        Column("ManualPrice", Text("Own price", "직접 입력가"), "price", key="price", width=12, unit="Currency",
               aliases=("직접입력가", "수동가격", "수동 가격"),
               help=Text("a price written here beats every source", "여기에 쓴 가격이 모든 출처에 우선")),
        Column("Locked", Text("Never trade", "거래 안 함"), "bool", key="locked", width=10, aliases=("잠금", "고정")),
        Column("Price", _PRICE, "price", "formula", 12, unit="Currency", link=True,
               formula=f'=IF({{Ticker}}="","",IF({{ManualPrice}}<>"",{{ManualPrice}},{_QUOTE_OR_NA}))'),
        Column("FX", Text("Rate", "환율"), "rate", "formula", 10, link=True,
               formula=f'=IF({{Ticker}}="","",{_rate_of(_OWN_CURRENCY, "{Quantity}")})'),
        Column("Value", _VALUE, "money", "formula", 15,
               formula='=IF({Ticker}="","",IF(N({Quantity})=0,0,{Quantity}*{Price}*{FX}))'),
        Column("Weight", _WEIGHT, "weight", "formula", 9,
               formula='=IF({Ticker}="","",IF(TotalValue>0,{Value}/TotalValue,0))'),
        Column("Check", _CHECK, role="formula", width=24, reveals=True,
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
        Column("Account", _ACCOUNT, key="account", aliases=("Broker", "증권사", "계좌명")),
        Column("Currency", _CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Amount", Text("Amount", "금액"), "money", key="amount", width=15, unit="Currency",
               aliases=("현금", "잔액", "Cash")),
        Column("FX", Text("Rate", "환율"), "rate", "formula", 10, link=True,
               formula=f'=IF({{Currency}}="","",{_rate_of("{Currency}", "{Amount}")})'),
        Column("Value", _VALUE, "money", "formula", 15,
               formula='=IF({Currency}="","",IF(N({Amount})=0,0,{Amount}*{FX}))'),
    ),
    required=("Currency", "Amount"),
    note=Text("One row per currency (and account, where Settings lists accounts).",
              "통화마다 한 줄 (설정에 계좌가 있으면 계좌별로)."),
)  # fmt: skip

TARGETS = Table(
    "Targets",
    "Targets",
    Text("What you want to hold", "목표 비중"),
    (
        Column("Section", _SECTION, "choice", key="section", choices=SECTIONS, width=10, aliases=("Sleeve", "섹션")),
        Column("Ticker", _TICKER, "ticker", key="ticker", aliases=_TICKER_ALIASES),
        Column("Name", _NAME, role="formula", width=24, formula=_NAMED, link=True),
        Column("Role", Text("Role", "역할"), key="role", width=20),
        Column("Target", Text("Target", "목표 비중"), "weight", key="weight", width=9,
               aliases=("목표", "목표비중", "TargetWeight")),
        Column("Min", Text("Minimum", "최소"), "weight", key="min", width=9, aliases=("최소비중", "하한")),
        Column("Max", Text("Maximum", "최대"), "weight", key="max", width=9, aliases=("최대비중", "상한")),
        Column("Enabled", Text("Enabled", "사용"), "bool", key="enabled", width=9),
        Column("Benchmark", Text("Benchmark", "벤치마크"), "ticker", key="benchmark"),
        Column("ThesisValid", Text("Thesis holds", "투자 논리 유효"), "bool", key="thesis_valid", width=11,
               aliases=("논리유효",)),
        Column("TER", Text("TER", "총보수"), "number", "result", 8),
        Column("Value", _VALUE, "money", "formula", 15,
               formula='=IF({Ticker}="","",SUMPRODUCT(--({Holdings.Ticker}={Ticker}),{Holdings.Value}))'),
        Column("Weight", _WEIGHT, "weight", "formula", 9,
               formula='=IF({Ticker}="","",IF(TotalValue>0,{Value}/TotalValue,0))'),
        Column("Drift", Text("Drift", "차이"), "drift", "formula", 9,
               formula='=IF({Ticker}="","",{Weight}-N({Target}))'),
        Column("Band", Text("Band ±", "밴드 ±"), "weight", "formula", 8,
               formula='=IF({Ticker}="","",IFERROR(MIN('
                       'IF(INDEX({Rules.AbsoluteBand},MATCH({Section},{Rules.Section},0))="",9,'
                       'INDEX({Rules.AbsoluteBand},MATCH({Section},{Rules.Section},0))),'
                       'IF(INDEX({Rules.RelativeBand},MATCH({Section},{Rules.Section},0))="",9,'
                       'INDEX({Rules.RelativeBand},MATCH({Section},{Rules.Section},0))*N({Target}))),9))'),
        Column("Low", Text("Low", "하단"), "weight", "formula", 8,
               formula='=IF({Ticker}="","",IF({Band}=9,0,MAX(0,N({Target})-{Band})))'),
        Column("High", Text("High", "상단"), "weight", "formula", 8,
               formula='=IF({Ticker}="","",IF({Band}=9,1,N({Target})+{Band}))'),
        Column("Signal", Text("▲▼", "▲▼"), "signal", "formula", 5,
               formula='=IF({Ticker}="","",IF({Status}="OVER",1,IF({Status}="UNDER",-1,0)))'),
        Column("Status", _STATUS, "status", "formula", 11,
               formula='=IF({Ticker}="","",IF(SUMPRODUCT(({Holdings.Ticker}={Ticker})*({Holdings.Locked}=TRUE))>0,'
                       '"LOCKED",IF(AND({Enabled}<>"",{Enabled}=FALSE),"DISABLED",IF(NOT(TotalValue>0),"OK",'
                       'IF(ROUND({Weight}-{High},12)>0,"OVER",IF(ROUND({Low}-{Weight},12)>0,"UNDER","OK"))))))'),
        Column("Check", _CHECK, role="formula", width=24, reveals=True,
               formula='=IF({Ticker}="",IF(N({Target})<>0,{!check.no-ticker},""),IF(ISNUMBER({Ticker}),'
                       '{!check.ticker-number},IF(ISTEXT({Target}),{!check.target-text},IF(OR(N({Target})<0,'
                       'N({Target})>1),{!check.target-range},IF(SUMPRODUCT(--({Targets.Ticker}={Ticker}))>1,'
                       '{!check.target-twice},IF(ISNA(MATCH({Section},{Rules.Section},0)),{!check.no-rule},""))))))'),
    ),
    required=("Ticker", "Target"),
    spare=3,
    note=Text("Weights of the whole; what is left over is the cash target.",
              "전체 대비 비중이며, 남는 비중은 현금 목표입니다."),
)  # fmt: skip

GROUPS = Table(
    "Groups",
    "Targets",
    Text("Limits over several", "묶음 한도"),
    (
        Column("Name", Text("Name", "이름"), key="name", width=14),
        Column("Members", Text("Members", "종목"), "list", key="members", width=26, aliases=("종목들", "구성종목")),
        Column("Min", Text("Minimum", "최소"), "weight", key="min", width=9),
        Column("Max", Text("Maximum", "최대"), "weight", key="max", width=9),
        Column("Weight", _WEIGHT, "weight", "formula", 9,
               formula='=IF({Name}="","",SUMPRODUCT(ISNUMBER(SEARCH(","&{Holdings.Ticker}&",",","&SUBSTITUTE('
                       '{Members}," ","")&","))*({Holdings.Ticker}<>""),{Holdings.Weight}))'),
        Column("Status", _STATUS, "status", "formula", 11,
               formula='=IF({Name}="","",IF(AND({Max}<>"",ROUND({Weight}-N({Max}),12)>0),"OVER",'
                       'IF(AND({Min}<>"",ROUND(N({Min})-{Weight},12)>0),"UNDER","OK")))'),
    ),
    required=("Members", "Max"),
    spare=2,
)  # fmt: skip

RULES = Table(
    "Rules",
    "Settings",
    Text("Rules by section", "구분별 규칙"),
    (
        Column("Section", _SECTION, "choice", key="section", choices=SECTIONS, width=10),
        Column("Schedule", Text("Review", "점검 주기"), "choice", key="schedule", choices=SCHEDULES, width=13,
               aliases=("scheduled_frequency", "주기")),
        Column("AbsoluteBand", Text("Band, points", "절대 밴드"), "weight", key="absolute_band",
               aliases=("drift_threshold", "절대밴드")),
        Column("RelativeBand", Text("Band, share of target", "상대 밴드"), "weight", key="relative_band",
               aliases=("상대밴드",)),
        Column("MinTrade", Text("Smallest trade", "최소 매매금액"), "money", key="min_trade", width=13,
               aliases=("min_trade_krw", "최소매매금액")),
        Column("LastRebalanced", Text("Last done", "마지막 실행일"), "date", key="last_rebalanced", width=12,
               aliases=("마지막실행일",)),
        Column("Target", Text("Target", "목표 비중"), "weight", "formula", 9,
               formula='=IF({Section}="","",SUMPRODUCT(--({Targets.Section}={Section}),{Targets.Target}))'),
        Column("Weight", _WEIGHT, "weight", "formula", 9,
               formula='=IF({Section}="","",SUMPRODUCT(--({Targets.Section}={Section}),{Targets.Weight}))'),
        Column("Drift", Text("Drift", "차이"), "drift", "formula", 9,
               formula='=IF({Section}="","",{Weight}-{Target})'),
        Column("Status", _STATUS, "status", "formula", 11,
               formula='=IF({Section}="","",IF(ROUND(ABS({Drift})-IF({AbsoluteBand}<>"",{AbsoluteBand},'
                       'IF({RelativeBand}<>"",{RelativeBand}*{Target},9)),12)>0,IF({Drift}>0,"OVER","UNDER"),"OK"))'),
    ),
    required=("Section", "Schedule"),
    spare=2,
    note=Text("“all” is for every other section, and for holdings without a target.",
              "“all”은 다른 모든 구분과 목표 없는 종목에 적용됩니다."),
)  # fmt: skip

ACCOUNTS = Table(
    "Accounts",
    "Settings",
    Text("Accounts with their own cash", "현금이 따로인 계좌"),
    (
        Column("Name", Text("Name", "이름"), key="name", width=12),
        Column("Type", Text("Kind", "종류"), "choice", key="type", choices=ACCOUNT_TYPES),
        Column("Markets", Text("Markets", "시장"), "list", key="markets", choices=MARKETS),
        Column("RiskCap", Text("Risk assets at most", "위험자산 한도"), "weight", key="risk_cap", width=12),
        Column("Banned", Text("May not hold", "금지"), "list", key="banned", choices=TRAITS, width=16),
        Column("CashBuffer", Text("Cash kept", "남겨 둘 현금"), "money", key="cash_buffer", width=13),
        Column("Value", _VALUE, "money", "formula", 15,
               formula='=IF({Name}="","",SUMPRODUCT(--({Holdings.Account}={Name}),{Holdings.Value})'
                       '+SUMPRODUCT(--({Cash.Account}={Name}),{Cash.Value}))'),
    ),
    required=("Name", "Type"),
    note=Text("Leave empty where all cash is one purse.", "현금을 하나로 쓰면 비워 두세요."),
)  # fmt: skip

SETTINGS = Table(
    "Settings",
    "Settings",
    Text("Settings", "설정"),
    (
        Column("Key", Text("Setting", "항목"), key="key", width=18),
        Column("Value", Text("Value", "값"), "text", key="value", width=16),
        Column("Choices", Text("Choices / unit", "선택 / 단위"), role="result", width=30),
        Column("Meaning", Text("Meaning", "뜻"), role="result", width=52),
    ),
    required=("Key", "Value"),
    spare=0,
)

COSTS = Table(
    "Costs",
    "Settings",
    Text("Own costs (beat the dated table)", "직접 정한 비용 (비용표에 우선)"),
    (
        Column("Key", Text("For", "대상"), key="key", width=12,
               help=Text("* or KR, US, KR/stock, US/etf …", "* 또는 KR, US, KR/stock, US/etf …")),
        Column("Commission", Text("Commission", "수수료율"), "number", key="commission"),
        Column("Minimum", Text("Minimum", "최소 수수료"), "number", key="minimum", reveals=True),
        Column("SellTax", Text("Tax on sales", "매도세율"), "number", key="sell_tax"),
    ),
    required=("Key", "Commission", "SellTax"),
)  # fmt: skip

FX = Table(
    "FxRates",
    "Prices",
    Text("Exchange rates", "환율"),
    (
        Column("Currency", _CURRENCY, "text", key="currency", width=9),
        Column("Pair", Text("Pair", "통화쌍"), "text", key="pair", width=10),
        Column("ManualRate", Text("Own rate", "직접 입력 환율"), "rate", key="rate", width=12, aliases=("수동환율",)),
        Column("MarketRate", Text("Market rate", "시장 환율"), "rate", "result", 12),
        Column("Rate", Text("Rate used", "적용 환율"), "rate", "formula", 12,
               formula='=IF({Currency}="","",IF({ManualRate}="",IF({MarketRate}="","",{MarketRate}),'
                       'IF({Pair}={Currency}&BaseCurrency,{ManualRate},IF({Pair}=BaseCurrency&{Currency},'
                       '1/{ManualRate},IF({MarketRate}="","",{MarketRate})))))'),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=10),
        Column("Status", _STATUS, "status", "result", 10),
    ),
    required=("Pair", "ManualRate"),
)  # fmt: skip

INSTRUMENTS = Table(
    "Instruments",
    "Prices",
    Text("Own instruments (not in the catalogue)", "직접 등록한 종목 (목록에 없는 것)"),
    (
        Column("Ticker", _TICKER, "ticker", key="symbol"),
        Column("Name", _NAME, key="name", width=24),
        Column("Market", Text("Market", "시장"), "choice", key="market", choices=MARKETS, width=8),
        Column("Currency", _CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Class", Text("Kind", "종류"), "choice", key="asset_type", choices=ASSET_TYPES, width=8),
        Column("AssetClass", Text("Asset class", "자산군"), "choice", key="asset_class", choices=ASSET_CLASSES),
        Column("Leverage", Text("Leverage", "레버리지"), "number", key="leverage", width=9),
        Column("Futures", Text("Futures", "선물"), "bool", key="futures", width=8),
        Column("TER", Text("TER", "총보수"), "number", key="expense_ratio", width=8),
        Column("Lot", Text("Lot", "매매 단위"), "number", key="lot", width=8),
        Column("NameEn", Text("English name", "영문명"), key="name_en", width=20),
    ),
    required=("Ticker", "AssetClass", "Leverage"),
    note=Text("Only what the catalogue does not know.", "목록에 없는 종목만 적으세요."),
)

PRICES = Table(
    "Prices",
    "Prices",
    Text("Prices", "시세"),
    (
        Column("Ticker", _TICKER, "ticker", "result"),
        Column("Name", _NAME, role="result", width=30),
        Column("Price", _PRICE, "price", "result", 14, unit="Currency"),
        Column("Currency", _CURRENCY, "text", "result", 9),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=12),
        Column("Status", _STATUS, "status", "result", 12),
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
        Column("Account", _ACCOUNT, role="result"),
        Column("Ticker", _TICKER, "ticker", "result"),
        Column("Name", _NAME, role="result", width=26),
        Column("Side", Text("Side", "매수/매도"), "choice", "result", 9),
        Column("Quantity", Text("Quantity", "수량"), "quantity", "result"),
        Column("Price", _PRICE, "price", "result", 12, unit="Currency"),
        Column("Currency", _CURRENCY, "text", "result", 9),
        Column("Amount", Text("Amount", "금액"), "money", "result", 15, unit="Currency"),
        Column("Cost", _COST, "money", "result", 12, unit="Currency"),
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
        Column("Account", _ACCOUNT, role="result"),
        Column("Currency", _CURRENCY, "text", "result", 9),
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
        Column("Check", _CHECK, "status", "formula", 10,
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
        Column("Account", _ACCOUNT, role="result"),
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
        Column("Ticker", _TICKER, "ticker", "result"),
        Column("Name", _NAME, role="result", width=26),
        Column("Section", _SECTION, role="result", width=12),
        Column("Value", Text("Value (base currency)", "평가액 (기준 통화)"), "money", "result", 16),
        Column("Weight", Text("Weight", "비중"), "weight", "result", 9),
        Column("Target", Text("Target", "목표 비중"), "weight", "result", 9),
        Column("Drift", Text("Drift", "차이"), "drift", "result", 9),
        Column("Low", Text("Low", "하단"), "weight", "result", 9),
        Column("High", Text("High", "상단"), "weight", "result", 9),
        Column("Status", _STATUS, "status", "result", 12),
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
        Column("Ticker", _TICKER, "ticker", "result", aliases=("Metric",)),
        Column("Name", _NAME, role="result", width=26),
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
        Column("Ticker", _TICKER, "ticker", "result"),
        Column("Quarter", Text("Quarter", "분기"), role="result", width=10),
        Column("Return", Text("Return", "수익률"), "drift", "result", 9),
        Column("Benchmark", Text("Benchmark", "벤치마크"), "drift", "result"),
        Column("Excess", Text("Excess", "초과"), "drift", "result", 9),
        Column("Verdict", Text("Verdict", "판정"), "status", "result", 12),
        Column("Reasons", Text("Reasons", "이유"), role="result", width=44),
        Column("Against", Text("Against", "비교 대상"), "ticker", "result"),
        Column("Currency", _CURRENCY, role="result", width=9),
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
        Column("Status", _STATUS, "status", "result", 10),
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
    (Column("Ticker", _TICKER, "ticker", "result"),),
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
        Column("Section", _SECTION, role="result", width=14),
        Column("Task", Text("Task", "할 일"), role="result", width=70),
        Column("Due", Text("Due", "때가 됨"), "status", "result", 10),
    ),
    required=("Date", "Task"),
    ranges=True,
    spare=0,
    note=Text("rebalancer calendar", "rebalancer calendar"),
)

HISTORY = Table(
    "History",
    "History",
    Text("Value over time", "평가액 기록"),
    (
        Column("Date", Text("Date", "날짜"), "date", width=12, key="date"),
        Column("Value", Text("Total value", "총 평가액"), "money", width=16, key="value", aliases=("총평가액",)),
        Column("Flow", Text("Paid in / out", "입출금"), "money", width=14, key="flow"),
        Column("CashWeight", Text("Cash", "현금"), "weight", width=9, key="cash_weight"),
        Column("CoreWeight", Text("Core", "핵심"), "weight", width=9, key="core_weight"),
        Column("SatelliteWeight", Text("Satellite", "위성"), "weight", width=9, key="satellite_weight"),
        Column("Drift", Text("Drift", "이탈도"), "weight", width=9, key="drift"),
        Column("Note", Text("Note", "메모"), width=40, key="note", reveals=True),
    ),
    required=("Date", "Value"),
    spare=8,
    note=Text(
        "Every finished plan adds a row; keep your own notes beside it.", "계획을 만들 때마다 한 줄이 더해집니다."
    ),
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
