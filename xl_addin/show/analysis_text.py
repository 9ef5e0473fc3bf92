"""The analyses as terminal reports: one table each, with every remark on the numbers below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.analysis.calendar import CalendarItem
from engine.analysis.compare import Comparison, FundRow
from engine.analysis.concentration import Concentration
from engine.analysis.correlation import Correlations
from engine.analysis.figure import Figure
from engine.analysis.limits import RiskRule
from engine.analysis.returns import PERIODS
from engine.analysis.review import ReviewRow
from engine.errors import Problem, Severity
from engine.places import place, scope
from engine.weights.methods import Weighting
from engine.words import Lang, say
from xl_addin.show.problems import problem_lines
from xl_addin.show.terminal import Paint, TextColumn, TextRow, display_width, table_lines, wrap

WIDTH = 116
TASK_WIDTH = 86
NONE = "–"
#: What a task of the calendar is about.
_TASKS_KO = {
    "core": "코어",
    "satellite": "새틀라이트",
    "all": "전체",
    "tax": "세금",
    "dividends": "배당",
}
VERDICT_STYLES = {"HOLD": "green", "REVIEW": "yellow", "REPLACE": "red"}
STATUS_STYLES = {"OK": "", "BREACH": "red", "UNKNOWN": "yellow"}


def _joined(blocks: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _problems(problems: Iterable[Problem], lang: Lang, paint: Paint) -> list[str]:
    lines = problem_lines(_grouped(problems, lang), lang, paint, WIDTH)
    return [paint(say("caption.problems", lang), "cyan"), *lines] if lines else []


def _grouped(problems: Iterable[Problem], lang: Lang) -> list[Problem]:
    """Return problems with those that say the same of several places made one."""
    places: dict[tuple[Severity, str, str, str], list[str]] = {}
    for one in problems:
        places.setdefault((one.severity, one.code, str(one.message), one.said("ko")), []).append(place(one.where, lang))
    return [
        Problem(severity, code, ", ".join(dict.fromkeys(where)), message, ko)
        for (severity, code, message, ko), where in places.items()
    ]


def _percent(value: object, digits: int = 2) -> str:
    return NONE if value is None else f"{float(value) * 100:,.{digits}f}%"  # type: ignore[arg-type]


def _two(lang: Lang, english: str, korean: str) -> str:
    return korean if lang == "ko" else english


def weights_text(result: Weighting, problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return target weights, concentration before and after, turnover and cost."""
    columns = [
        TextColumn(say("caption.symbol", lang), "<", 12),
        TextColumn(_two(lang, "Sector", "섹터"), "<", 28),
        TextColumn(say("caption.weight", lang)),
    ]
    rows = [TextRow((row.symbol, row.sector or NONE, _percent(row.weight, 3))) for row in result.weights]
    return _joined(
        [
            [paint(f"{_two(lang, 'Target weights', '목표 비중')}: {result.method}", "bold")],
            table_lines(columns, rows, paint),
            _concentration_lines(result, lang, paint),
            _problems((*problems, *result.problems), lang, paint),
        ]
    )


def _concentration_lines(result: Weighting, lang: Lang, paint: Paint) -> list[str]:
    columns = [
        TextColumn(_two(lang, "Concentration", "집중도"), "<"),
        TextColumn(_two(lang, "Top five", "상위 5")),
        TextColumn(_two(lang, "Top sector", "최대 섹터")),
        TextColumn("HHI"),
    ]

    def row(title: str, measure: Concentration | None) -> TextRow:
        if measure is None:
            return TextRow((title, NONE, NONE, NONE))
        sector = f"{_percent(measure.top_sector)} {measure.top_sector_name}".rstrip()
        return TextRow((title, _percent(measure.top5), sector, f"{measure.hhi:.4f}"))

    before, after = _two(lang, "before", "전"), _two(lang, "after", "후")
    lines = table_lines(columns, [row(before, result.before), row(after, result.after)], paint)
    if result.turnover is not None:
        cost = "" if result.cost is None else f", {_two(lang, 'cost about', '비용 약')} {_percent(result.cost, 3)}"
        lines.append(f"{_two(lang, 'Turnover to get there', '이동에 필요한 회전율')} {_percent(result.turnover)}{cost}")
    return lines


def correlate_text(result: Correlations, problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return the matrix, the alerts and the hedges."""
    title = _two(lang, "Correlations of daily returns", "일간 수익률 상관계수")
    span = f"{result.start} – {result.end}, {result.days} {_two(lang, 'returns', '수익률')}, {result.currency}"
    columns = [TextColumn("", "<", 8), *(TextColumn(symbol, ">", 8) for symbol in result.symbols)]
    rows = [
        TextRow((symbol, *(NONE if cell is None else f"{cell:.2f}" for cell in row)))
        for symbol, row in zip(result.symbols, result.matrix, strict=True)
    ]
    pairs = [
        *(
            TextRow((_two(lang, "alert", "경보"), *pair.pair, f"{pair.correlation:.3f}"), "red")
            for pair in result.alerts
        ),
        *(
            TextRow((_two(lang, "hedge", "헤지"), *pair.pair, f"{pair.correlation:.3f}"), "green")
            for pair in result.hedges
        ),
    ]
    headings = [
        TextColumn("", "<"),
        TextColumn("", "<"),
        TextColumn("", "<"),
        TextColumn(_two(lang, "Correlation", "상관")),
    ]
    bets = NONE if result.effective_bets is None else f"{result.effective_bets:.2f}"
    return _joined(
        [
            [paint(title, "bold"), span],
            table_lines(columns, rows, paint),
            table_lines(headings, pairs, paint) if pairs else [],
            [f"{_two(lang, 'Effective number of bets', '유효 베팅 수')} {bets}"],
            _problems((*problems, *result.problems), lang, paint),
        ]
    )


def review_text(rows: Iterable[ReviewRow], problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return each satellite's quarters, verdict and reasons."""
    rows = tuple(rows)
    names = list(dict.fromkeys(quarter.quarter for row in rows for quarter in row.quarters))
    columns = [
        TextColumn(say("caption.symbol", lang), "<", 10),
        TextColumn(_two(lang, "Benchmark", "벤치마크"), "<", 10),
        TextColumn(say("caption.currency", lang), "<", 8),
        *(TextColumn(name) for name in names),
        TextColumn(_two(lang, "Verdict", "판정"), "<"),
    ]
    lines = []
    for row in rows:
        by_name = {quarter.quarter: quarter for quarter in row.quarters}
        cells = [_excess(by_name[name].value, by_name[name].excess) if name in by_name else NONE for name in names]
        remark = "; ".join(reason.text_ko if lang == "ko" else reason.text for reason in row.reasons)
        verdict = row.verdict.name
        lines.append(
            TextRow(
                (
                    row.symbol,
                    row.benchmark or NONE,
                    row.currency or NONE,
                    *cells,
                    say(f"verdict.{verdict}", lang),
                ),
                VERDICT_STYLES[verdict],
                remark,
            )
        )
    legend = _two(
        lang,
        "Each quarter: its return, and in brackets the excess over the benchmark in points; neither is annualised.",
        "분기마다 수익률과 괄호 안에 벤치마크 대비 초과(%p), 연환산하지 않음.",
    )
    every = (*problems, *(problem for row in rows for problem in row.problems))
    return _joined(
        [
            [paint(_two(lang, "Satellite review", "위성 점검"), "bold"), *wrap(legend, WIDTH)],
            table_lines(columns, lines, paint),
            _problems(every, lang, paint),
        ]
    )


def _excess(value: float | None, excess: float | None) -> str:
    points = NONE if excess is None else f"{excess * 100:+.1f}"
    return f"{_percent(value, 1)} ({points})"


def risk_text(rules: Iterable[RiskRule], problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return every limit with what it is today."""
    columns = [
        TextColumn(_two(lang, "Rule", "규칙"), "<", 20),
        TextColumn(_two(lang, "Scope", "대상"), "<", 16),
        TextColumn(_two(lang, "Limit", "한도")),
        TextColumn(_two(lang, "Actual", "현재")),
        TextColumn(say("caption.status", lang), "<"),
    ]
    rows = [
        TextRow(
            (
                place(row.rule, lang),
                scope(row.scope, lang),
                *(row.shown_ko if lang == "ko" else row.shown),
                say(f"risk.{row.status}", lang),
            ),
            STATUS_STYLES[row.status],
            row.note_ko if lang == "ko" else row.note,
        )
        for row in rules
    ]
    title = paint(_two(lang, "Limits", "한도 점검"), "bold")
    return _joined([[title], table_lines(columns, rows, paint), _problems(problems, lang, paint)])


def compare_text(result: Comparison, problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return the funds side by side, a line per metric, then their largest holdings and overlaps."""
    funds = list(result.funds.values())
    columns = [TextColumn("", "<", 30), *(TextColumn(row.symbol, ">", 24) for row in funds)]

    def line(title: str, cells: Iterable[str]) -> TextRow:
        return TextRow((title, *cells))

    rows = [
        line(_two(lang, "Fee a year", "연 보수"), (_percent(row.fee.value, 4) for row in funds)),
        line(_two(lang, "Assets", "순자산"), (_assets(row) for row in funds)),
        line(_two(lang, "Holdings", "보유 종목 수"), (_count(row.holdings_count) for row in funds)),
        line(_two(lang, "Top ten share", "상위 10 비중"), (_percent(row.top_share) for row in funds)),
    ]
    for period in PERIODS:
        yearly = PERIODS[period] > 12
        title = f"{_two(lang, 'Return', '수익률')} {period}{_two(lang, ', per year', ', 연환산') if yearly else ''}"
        rows.append(line(title, (_percent(row.returns[period].value) for row in funds)))
    rows += [
        line(
            _two(lang, "Volatility, per year (√252)", "변동성, 연환산(√252)"),
            (_percent(r.volatility.value) for r in funds),
        ),
        line(_two(lang, "Deepest drawdown", "최대 낙폭"), (_percent(row.max_drawdown.value) for row in funds)),
        line(_two(lang, "Dividend yield", "배당수익률"), (_percent(row.dividend_yield.value) for row in funds)),
    ]
    tops = max((len(row.top) for row in funds), default=0)
    for rank in range(min(tops, 5)):
        title = f"{_two(lang, 'Largest', '상위')} {rank + 1}"
        rows.append(line(title, (_top(row, rank) for row in funds)))
    shared = [
        f"{_two(lang, 'Overlap', '겹침')} {row.pair[0]}–{row.pair[1]}: "
        f"{'' if row.complete or row.weight is None else '≥ '}{_percent(row.weight)}"
        for row in result.overlap
    ]
    as_of, unit = _two(lang, "As of", "기준일"), _two(lang, "returns in", "수익률 통화")
    header = f"{as_of} {result.as_of or NONE}, {unit} {result.currency}"
    return _joined(
        [
            [paint(_two(lang, "Funds compared", "펀드 비교"), "bold"), header],
            table_lines(columns, rows, paint),
            shared,
            _problems((*problems, *result.problems), lang, paint),
        ]
    )


def _assets(row: FundRow) -> str:
    return NONE if row.aum.value is None else f"{row.aum.value / 1e9:,.1f} bn {row.aum_currency}".rstrip()


def _count(figure: Figure) -> str:
    return NONE if figure.value is None else f"{figure.value:,.0f}"


def _top(row: FundRow, rank: int) -> str:
    return f"{row.top[rank].symbol} {_percent(row.top[rank].weight, 1)}" if rank < len(row.top) else NONE


def calendar_text(items: Iterable[CalendarItem], problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return the tasks by date; what is due stands out."""
    columns = [
        TextColumn(_two(lang, "Date", "날짜"), "<"),
        TextColumn(say("caption.section", lang), "<", 12),
        TextColumn(_two(lang, "Due", "도래"), "<"),
        TextColumn(_two(lang, "Task", "할 일"), "<", TASK_WIDTH),
    ]
    yes = _two(lang, "due", "도래")
    rows = []
    for item in items:
        task = item.task_ko if lang == "ko" else item.task
        cells = (
            item.date.isoformat(),
            _two(lang, item.section, _TASKS_KO.get(item.section, item.section)),
            yes if item.due else "",
            task,
        )
        remark = task if display_width(task) > TASK_WIDTH else ""
        rows.append(TextRow(cells, "yellow" if item.due else "", remark))
    title = paint(_two(lang, "Calendar", "일정"), "bold")
    return _joined([[title], table_lines(columns, rows, paint), _problems(problems, lang, paint)])
