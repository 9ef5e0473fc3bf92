"""The one list of spreadsheet functions: names, arguments, results, help, and what an error is called on its way.

Every host is made from it: `xl_addin.functions` (Excel through xlwings), the LibreOffice add-in, the reference in docs.

How a call travels. A function takes its declared arguments and, last, `tables`: the input sheets of the workbook that
calls it (`Function.sheets`), passed exactly where `Function.reads_workbook` says so, which is also when the call must
be volatile. A host that has names for its ranges passes a mapping {sheet title: rows}; VBA passes one two-dimensional
array: the sheets from their cell A1 side by side, below a row that holds each sheet's title above its first column.
Where `Function.near` says so a function takes last `near`: the calling sheet from A1, its values and right of them its
formulas, or sheets by title. A host passes it to the first of the cells that it computes, and to others now and then.

What comes back is a scalar or a list of rows with a header row. Where a cell is to show an error, the text is one of
`TOKENS` (as the whole answer, or as an element of a row): hosts replace it by the real error. `CVERR` is its number in
VBA.
"""

from __future__ import annotations

from collections.abc import Mapping

from templates.spec.schema import Text
from xl_addin.functions import arguments as argument
from xl_addin.functions.schema import Argument, Function

__all__ = [
    "CATEGORY", "CVERR", "FUNCTIONS", "MAX_HELP", "NA", "NUM", "SHOWN", "TOKENS", "VALUE", "Argument", "Function",
    "function",
]  # fmt: skip

CATEGORY = "Rebalancer"
NA, VALUE, NUM = "#REBAL!N/A", "#REBAL!VALUE", "#REBAL!NUM"
TOKENS: tuple[str, ...] = (NA, VALUE, NUM)
#: What VBA's CVErr takes for each token.
CVERR: Mapping[str, int] = {NA: 2042, VALUE: 2015, NUM: 2036}
#: The real error of each token, as cells show it.
SHOWN: Mapping[str, str] = {NA: "#N/A", VALUE: "#VALUE!", NUM: "#NUM!"}
#: Longest help of a function or argument that Excel shows.
MAX_HELP = 255

_INPUTS = ("Holdings", "Targets", "Prices", "Settings")
_PRICE_COLUMNS = ("Ticker", "Name", "Price", "Currency", "AsOf", "Source", "Status")
_TRADE_COLUMNS = (
    "Account", "Ticker", "Name", "Side", "Quantity", "Price", "Currency", "Amount", "Cost", "Reason", "WeightAfter",
)  # fmt: skip
_PLAN = (argument.HOLDINGS, argument.TARGETS, argument.CASH, argument.SETTINGS)
_ONE_VALUE = Text("one value", "값 하나")

FUNCTIONS: tuple[Function, ...] = (
    Function(
        "REBAL_PRICE",
        Text(
            "Price of one instrument, or what is known of that price.",
            "한 종목의 시세, 또는 그 시세에 관한 정보.",
        ),
        (argument.TICKER, argument.FIELD),
        _ONE_VALUE,
        example='=REBAL_PRICE("069500")',
        near=True,
    ),
    Function(
        "REBAL_PRICES",
        Text(
            "Prices with currency, time, source and status. Without tickers: everything held or wanted in "
            "the workbook.",
            "시세와 통화, 시각, 출처, 상태. 인수가 없으면 통합 문서의 보유·목표 종목 전체.",
        ),
        (argument.WATCHED,),
        Text("one row per ticker", "종목마다 한 줄"),
        _PRICE_COLUMNS,
        ("Holdings", "Targets"),
        "=REBAL_PRICES(Holdings[Ticker])",
    ),
    Function(
        "REBAL_FX",
        Text("Exchange rate of a pair: units of the second per unit of the first.", "환율: 앞 통화 1단위당 뒤 통화."),
        (argument.PAIR,),
        _ONE_VALUE,
        example='=REBAL_FX("USDKRW")',
        near=True,
    ),
    Function(
        "REBAL_DRIFT",
        Text(
            "How far each instrument is from its target, and its band. Without ranges: the workbook's own tables.",
            "종목별 목표와의 차이와 밴드. 인수가 없으면 통합 문서의 표를 읽습니다.",
        ),
        _PLAN,
        Text("one row per instrument, in the order of the targets", "종목마다 한 줄, 목표 순서대로"),
        ("Ticker", "Name", "Section", "Value", "Weight", "Target", "Drift", "Low", "High", "Status"),
        _INPUTS,
        "=REBAL_DRIFT(Holdings[#All],Targets[#All],Cash[#All],Settings!A1:Z60)",
    ),
    Function(
        "REBAL_TRADES",
        Text(
            "What to buy and sell, in whole shares, with cost and reason. Without ranges: the workbook's own tables.",
            "사고팔 종목과 수량, 비용, 이유. 인수가 없으면 통합 문서의 표를 읽습니다.",
        ),
        _PLAN,
        Text("one row per order; the header alone where nothing is to be traded", "주문마다 한 줄, 없으면 머리글만"),
        _TRADE_COLUMNS,
        _INPUTS,
        "=REBAL_TRADES(Holdings[#All],Targets[#All],Cash[#All],Settings!A1:Z60)",
    ),
    Function(
        "REBAL_SUMMARY",
        Text(
            "The workbook's plan in figures: total, cash, drift, whether to rebalance, next review, fee, problems.",
            "통합 문서 계획의 요약: 총액, 현금, 이탈도, 리밸런싱 필요 여부, 다음 점검, 총보수, 문제 수.",
        ),
        (),
        Text(
            "total_value, cash, drift, needs_rebalancing, next_due, weighted_ter, problems, and more",
            "total_value, cash, drift, needs_rebalancing, next_due, weighted_ter, problems 등",
        ),
        ("Key", "Value"),
        _INPUTS,
        "=REBAL_SUMMARY()",
    ),
    Function(
        "REBAL_CHECKS",
        Text(
            "Everything wrong or worth knowing about the plan, with the cell and the repair, and why functions failed.",
            "계획의 문제와 알림, 셀 위치와 해결 방법, 함수가 실패한 이유.",
        ),
        _PLAN,
        Text("one row per problem; the header alone where there is none", "문제마다 한 줄, 없으면 머리글만"),
        ("Severity", "Where", "Message", "Code"),
        _INPUTS,
        "=REBAL_CHECKS()",
    ),
    Function(
        "REBAL_WEIGHTS",
        Text(
            "Target weights over a universe: equal, by market value, equal by sector.",
            "유니버스의 목표 비중: 동일, 시가총액, 업종 동일.",
        ),
        (argument.METHOD, argument.UNIVERSE),
        Text("one row per instrument", "종목마다 한 줄"),
        ("Ticker", "Sector", "Weight"),
        example='=REBAL_WEIGHTS("equal-sector",A1:C40)',
    ),
    Function(
        "REBAL_CORREL",
        Text(
            "Correlations of daily returns. In won where the tickers are in several currencies.",
            "일간 수익률 상관행렬. 통화가 여럿이면 원화 기준.",
        ),
        (argument.FUNDS, argument.DAYS),
        Text("a matrix: Ticker, then one column per ticker", "행렬: Ticker, 그다음 종목마다 한 열"),
        example="=REBAL_CORREL(A2:A6,252)",
    ),
    Function(
        "REBAL_CORREL_ALERTS",
        Text(
            "Pairs that move together more than the threshold, and pairs that move against each other.",
            "기준보다 함께 움직이는 쌍과 반대로 움직이는 쌍.",
        ),
        (argument.FUNDS, argument.DAYS, argument.THRESHOLD),
        Text("one row per pair, strongest first; Kind is alert or hedge", "쌍마다 한 줄; Kind는 alert 또는 hedge"),
        ("First", "Second", "Correlation", "Kind"),
        example="=REBAL_CORREL_ALERTS(A2:A6,252,0.8)",
    ),
    Function(
        "REBAL_COMPARE",
        Text(
            "Funds side by side: fee, size, concentration, top ten, returns, volatility, worst fall, yield.",
            "펀드 비교: 보수, 순자산, 집중도, 상위 10종목, 수익률, 변동성, 최대 낙폭, 배당률.",
        ),
        (argument.FUNDS,),
        Text("Metric, then one column per fund", "Metric, 그다음 펀드마다 한 열"),
        example='=REBAL_COMPARE({"VTI";"SCHD"})',
    ),
    Function(
        "REBAL_REVIEW",
        Text(
            "Satellites against their benchmark by quarter, with a verdict: hold, review or replace.",
            "위성 종목의 분기별 벤치마크 대비 성과와 판정.",
        ),
        (argument.SATELLITE, argument.BENCHMARK),
        Text("one row per satellite and quarter", "위성 종목·분기마다 한 줄"),
        ("Ticker", "Quarter", "Return", "Benchmark", "Excess", "Verdict", "Reasons", "Against", "Currency"),
        _INPUTS,
        "=REBAL_REVIEW(Targets[#All])",
    ),
    Function(
        "REBAL_RISK",
        Text(
            "Every limit beside what it is today. Without ranges: the workbook's own tables.",
            "모든 한도와 현재 값. 인수가 없으면 통합 문서의 표를 읽습니다.",
        ),
        (argument.HOLDINGS, argument.TARGETS),
        Text("one row per limit; Status is OK, BREACH or UNKNOWN", "한도마다 한 줄; Status는 OK, BREACH, UNKNOWN"),
        ("Rule", "Scope", "Limit", "Actual", "Status"),
        _INPUTS,
        "=REBAL_RISK()",
    ),
    Function(
        "REBAL_CALENDAR",
        Text(
            "What is due when, for the calling workbook's portfolio, on days that trade.",
            "통합 문서 포트폴리오의 할 일과 날짜(거래일 기준).",
        ),
        (argument.START, argument.MONTHS),
        Text("one row per task", "할 일마다 한 줄"),
        ("Date", "Section", "Task", "Due"),
        _INPUTS,
        "=REBAL_CALENDAR(DATE(2026,1,1),12)",
    ),
    Function(
        "REBAL_HISTORY",
        Text("Daily closes of one instrument or rate.", "한 종목 또는 환율의 일별 종가."),
        (argument.TICKER, argument.FIRST_DAY, argument.LAST_DAY),
        Text("one row per day that has a close", "종가가 있는 날마다 한 줄"),
        ("Date", "Close"),
        example='=REBAL_HISTORY("VTI",DATE(2026,1,1))',
    ),
)

_BY_NAME: Mapping[str, Function] = {function.name: function for function in FUNCTIONS}


def function(name: str) -> Function:
    """Return a function by its public name; raises KeyError for an unknown one."""
    return _BY_NAME[name]
