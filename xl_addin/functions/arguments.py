"""The arguments of the spreadsheet functions, each with its help and an example."""

from __future__ import annotations

from templates.spec.schema import Text
from xl_addin.functions.schema import Argument

HOLDINGS = Argument(
    "holdings",
    "table",
    Text(
        "Range with headers Ticker, Quantity (and Account, ManualPrice, Currency, Locked, …), in any order. "
        "May hold other tables beside it, such as cash.",
        "머리글 종목코드, 수량(계좌, 직접 입력가, 통화, 거래 안 함 …)이 있는 범위. 순서는 자유이며 현금 등 "
        "다른 표가 옆에 있어도 됩니다.",
    ),
    "Holdings[#All]",
)
TARGETS = Argument(
    "targets",
    "table",
    Text(
        "Range with headers Ticker, Target (and Section, Min, Max, Enabled, …), in any order. May hold the "
        "groups beside.",
        "머리글 종목코드, 목표 비중(구분, 최소, 최대, 사용 …)이 있는 범위. 순서는 자유이며 묶음 한도 표가 "
        "옆에 있어도 됩니다.",
    ),
    "Targets[#All]",
)
CASH = Argument(
    "cash",
    "table",
    Text(
        "Range with headers Currency, Amount (and Account); or one number, in the base currency.",
        "머리글 통화, 금액(계좌)이 있는 범위, 또는 기준 통화 금액 하나.",
    ),
    "Cash[#All]",
)
SETTINGS = Argument(
    "settings",
    "table",
    Text(
        "Range with any of the tables of settings (Key, Value), rules, accounts, own costs, own rates, own "
        "instruments. Without it: defaults, and the one currency in use (KRW where there are several).",
        "설정(항목, 값), 규칙, 계좌, 비용, 직접 입력 환율, 직접 등록 종목 표가 있는 범위. 없으면 기본값, "
        "통화는 쓰인 하나(여럿이면 KRW).",
    ),
    "Settings!A1:Z60",
)
_TICKERS_HELP = Text(
    "Cells with codes or catalogue names; blanks are skipped. Write codes as text: 069500 as a number loses its zero.",
    "종목코드나 종목명이 든 셀. 빈칸은 건너뜁니다. 코드는 텍스트로 적으세요: 069500을 숫자로 적으면 앞의 0이 "
    "사라집니다.",
)
TICKER = Argument(
    "ticker",
    "cell",
    Text(
        'A code, a catalogue name or a pair, as text: "AAPL", "069500", "TIGER 미국S&P500", "USDKRW".',
        '종목코드, 종목명, 통화쌍(텍스트): "AAPL", "069500", "TIGER 미국S&P500", "USDKRW".',
    ),
    '"069500"',
    optional=False,
)
FUNDS = Argument("tickers", "list", _TICKERS_HELP, 'A2:A6 or {"VTI";"SCHD"}', optional=False)
DAYS = Argument(
    "days",
    "cell",
    Text("Number of daily returns, 3 to 10000; without it 252.", "일간 수익률 개수, 3~10000. 없으면 252."),
    "252",
)
FIELD = Argument(
    "field",
    "cell",
    Text(
        "price (default), currency, asof, source, status (fresh or stale) or name.",
        "price(기본값), currency, asof, source, status(fresh/stale), name 중 하나.",
    ),
    '"status"',
)
WATCHED = Argument("tickers", "list", _TICKERS_HELP, "Holdings[Ticker]")
PAIR = Argument(
    "pair",
    "cell",
    Text('Two currency codes, as "USDKRW" or "USD/KRW".', '통화 코드 둘: "USDKRW" 또는 "USD/KRW".'),
    '"USDKRW"',
    optional=False,
)
METHOD = Argument(
    "method",
    "cell",
    Text(
        "equal, cap, equal-sector or equal-sector-cap.",
        "equal, cap, equal-sector, equal-sector-cap 중 하나.",
    ),
    '"equal-sector"',
    optional=False,
)
UNIVERSE = Argument(
    "universe",
    "table",
    Text(
        "Range with headers Ticker (or Symbol), and Sector, Market_Cap, Currency, Company as the method needs.",
        "머리글 종목코드와, 방법에 따라 업종, 시가총액, 통화, 회사가 있는 범위.",
    ),
    "A1:C40",
    optional=False,
)
THRESHOLD = Argument(
    "threshold",
    "cell",
    Text(
        "Warn above this correlation, 0 to 1; without it 0.8.",
        "이 상관계수를 넘으면 알림, 0~1. 없으면 0.8.",
    ),
    "0.8",
)
SATELLITE = Argument(
    "satellite",
    "list",
    Text(
        "Table of targets (its satellite rows count), or cells with tickers. Without it: the workbook's targets.",
        "목표 표(위성 행만) 또는 종목코드 셀. 없으면 통합 문서의 목표.",
    ),
    "Targets[#All]",
)
BENCHMARK = Argument(
    "benchmark",
    "cell",
    Text(
        "One benchmark for all; without it each target's own.",
        "모두에 쓸 벤치마크. 없으면 종목별 벤치마크.",
    ),
    '"SPY"',
)
START = Argument("from", "cell", Text("First day; without it today.", "시작일. 없으면 오늘."), "DATE(2026,1,1)")
MONTHS = Argument("months", "cell", Text("How many months, 1 to 60; without it 12.", "개월 수, 1~60. 없으면 12."), "12")
FIRST_DAY = Argument("from", "cell", Text("First day.", "시작일."), "DATE(2026,1,1)", optional=False)
LAST_DAY = Argument("to", "cell", Text("Last day; without it today.", "마지막 날. 없으면 오늘."), "DATE(2026,6,30)")
