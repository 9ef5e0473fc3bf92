"""What is wanted: targets, and limits over several instruments."""

from __future__ import annotations

from templates.schema import Column, Table, Text
from templates.tables.shared import (
    CHECK,
    NAME,
    NAMED,
    SECTION,
    SECTIONS,
    STATUS,
    TICKER,
    TICKER_ALIASES,
    VALUE,
    WEIGHED,
    WEIGHT,
)

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
