"""What a person settles: rules, accounts, settings, own costs."""

from __future__ import annotations

from engine.portfolio import ACCOUNT_TYPES, MARKETS, TRAITS
from templates.schema import Column, Table, Text
from templates.tables.shared import SCHEDULES, SECTION, SECTIONS, STATUS, VALUE, WEIGHT

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
