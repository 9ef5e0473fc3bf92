"""What is due, what was, and what is wrong: calendar, history, problems."""

from __future__ import annotations

from templates.schema import Column, Table, Text
from templates.tables.shared import SECTION

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
