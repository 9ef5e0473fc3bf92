"""The tables that a person fills in: what is held, what is wanted, by which rules."""

from __future__ import annotations

from typing import get_args

from engine.money import MINOR_DIGITS
from engine.portfolio import ACCOUNT_TYPES, ASSET_TYPES, MARKETS, TRAITS
from engine.settings import Schedule
from templates.spec.schema import Column, Table, Text

ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
CURRENCIES = tuple(MINOR_DIGITS)
SECTIONS = ("core", "satellite", "all")
SCHEDULES: tuple[str, ...] = get_args(Schedule)

ACCOUNT = Text("Account", "계좌")
TICKER = Text("Ticker", "종목코드")
NAME = Text("Name", "종목명")
SECTION = Text("Section", "구분")
CURRENCY = Text("Currency", "통화")
VALUE = Text("Value", "평가액")
WEIGHT = Text("Weight", "현재 비중")
STATUS = Text("Status", "상태")
CHECK = Text("Check", "확인")
PRICE = Text("Price", "현재가")
TICKER_ALIASES = ("Symbol", "Code", "종목 코드", "코드", "심볼", "티커")
NAMED = '=IF({Ticker}="","",IFERROR(INDEX({Prices.Name},MATCH({Ticker},{Prices.Ticker},0))&"",""))'
WEIGHED = '=IF({Ticker}="","",IF(TotalValue>0,{Value}/TotalValue,0))'


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


TARGETS = Table(
    "Targets",
    "Targets",
    Text("What you want to hold", "목표 비중"),
    (
        Column("Section", SECTION, "choice", key="section", choices=SECTIONS, width=10, aliases=("Sleeve", "섹션")),
        Column("Ticker", TICKER, "ticker", key="ticker", aliases=TICKER_ALIASES),
        Column("Name", NAME, role="formula", width=24, formula=NAMED, link=True),
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
        Column("Value", VALUE, "money", "formula", 15,
               formula='=IF({Ticker}="","",SUMPRODUCT(--({Holdings.Ticker}={Ticker}),{Holdings.Value}))'),
        Column("Weight", WEIGHT, "weight", "formula", 9, formula=WEIGHED),
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
        Column("Status", STATUS, "status", "formula", 11,
               formula='=IF({Ticker}="","",IF(SUMPRODUCT(({Holdings.Ticker}={Ticker})*({Holdings.Locked}=TRUE))>0,'
                       '"LOCKED",IF(AND({Enabled}<>"",{Enabled}=FALSE),"DISABLED",IF(NOT(TotalValue>0),"OK",'
                       'IF(ROUND({Weight}-{High},12)>0,"OVER",IF(ROUND({Low}-{Weight},12)>0,"UNDER","OK"))))))'),
        Column("Check", CHECK, role="formula", width=24, reveals=True,
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
        Column("Weight", WEIGHT, "weight", "formula", 9,
               formula='=IF({Name}="","",SUMPRODUCT(ISNUMBER(SEARCH(","&{Holdings.Ticker}&",",","&SUBSTITUTE('
                       '{Members}," ","")&","))*({Holdings.Ticker}<>""),{Holdings.Weight}))'),
        Column("Status", STATUS, "status", "formula", 11,
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
        Column("Section", SECTION, "choice", key="section", choices=SECTIONS, width=10),
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
        Column("Weight", WEIGHT, "weight", "formula", 9,
               formula='=IF({Section}="","",SUMPRODUCT(--({Targets.Section}={Section}),{Targets.Weight}))'),
        Column("Drift", Text("Drift", "차이"), "drift", "formula", 9,
               formula='=IF({Section}="","",{Weight}-{Target})'),
        Column("Status", STATUS, "status", "formula", 11,
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
        Column("Value", VALUE, "money", "formula", 15,
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
        Column("Currency", CURRENCY, "text", key="currency", width=9),
        Column("Pair", Text("Pair", "통화쌍"), "text", key="pair", width=10),
        Column("ManualRate", Text("Own rate", "직접 입력 환율"), "rate", key="rate", width=12, aliases=("수동환율",)),
        Column("MarketRate", Text("Market rate", "시장 환율"), "rate", "result", 12),
        Column("Rate", Text("Rate used", "적용 환율"), "rate", "formula", 12,
               formula='=IF({Currency}="","",IF({ManualRate}="",IF({MarketRate}="","",{MarketRate}),'
                       'IF({Pair}={Currency}&BaseCurrency,{ManualRate},IF({Pair}=BaseCurrency&{Currency},'
                       '1/{ManualRate},IF({MarketRate}="","",{MarketRate})))))'),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=10),
        Column("Status", STATUS, "status", "result", 10),
    ),
    required=("Pair", "ManualRate"),
)  # fmt: skip

INSTRUMENTS = Table(
    "Instruments",
    "Prices",
    Text("Own instruments (not in the catalogue)", "직접 등록한 종목 (목록에 없는 것)"),
    (
        Column("Ticker", TICKER, "ticker", key="symbol"),
        Column("Name", NAME, key="name", width=24),
        Column("Market", Text("Market", "시장"), "choice", key="market", choices=MARKETS, width=8),
        Column("Currency", CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9),
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
