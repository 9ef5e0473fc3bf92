"""The analyses as terminal reports: one table each, with every remark on the numbers below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.analysis.calendar import Calendar
from engine.analysis.compare import Comparison, FundRow
from engine.analysis.correlation import Correlations
from engine.analysis.facts import issuer_of
from engine.analysis.returns import PERIODS
from engine.analysis.review import Review
from engine.analysis.risk import RiskReport
from engine.errors import Problem
from engine.market import catalogue
from engine.weights.methods import Concentration, Weighting
from engine.words import Lang, known, say, tell
from rebalancer.targeting import Retargeted
from templates.report import group_name
from xl_addin.show.allocation_text import section_name
from xl_addin.show.terminal import (
    Paint,
    TextColumn,
    TextRow,
    points,
    price,
    problem_lines,
    split_tables,
    table_lines,
    wrap,
)

TASK_WIDTH = 86
HUNDRED_MILLION, TRILLION = 10**8, 10**12
NONE = "–"
VERDICT_STYLES = {"HOLD": "green", "REVIEW": "yellow", "REPLACE": "red"}
STATUS_STYLES = {"OK": "", "BREACH": "red", "UNKNOWN": "yellow"}


def _say(key: str, lang: Lang, **values: object) -> str:
    return say(f"study.{key}", lang, **values)


def _report(blocks: Iterable[Sequence[str]], problems: Iterable[Problem], lang: Lang, paint: Paint) -> str:
    """Return the blocks and, below them, the problems, an empty line between two."""
    lines = problem_lines(problems, lang, paint)
    every = [*blocks, [paint(_say("problems", lang), "cyan"), *lines] if lines else []]
    return "\n\n".join("\n".join(block) for block in every if block) + "\n"


def _named(symbol: str, lang: Lang, name: str = "") -> str:
    """Return what an instrument is called in a language: as the catalogue knows it, else by the name given."""
    entry = catalogue.load().get(symbol)
    return entry.instrument.called(lang) if entry and name in ("", entry.instrument.name) else name


def _coded(symbol: str, lang: Lang) -> str:
    """Return the name with the code beside it, or the code alone where no name is known."""
    name = _named(symbol, lang)
    return f"{name} ({symbol})" if name and name != symbol else symbol


def _sector(sector: str, lang: Lang) -> str:
    return group_name("sector", sector, lang) if sector else NONE


def _percent(value: object, digits: int = 2) -> str:
    return NONE if value is None else f"{float(value) * 100:,.{digits}f}%"  # type: ignore[arg-type]


def weights_text(result: Weighting, lang: Lang, paint: Paint) -> str:
    """Return target weights, concentration before and after, turnover and cost."""
    columns = [
        TextColumn(_say("ticker", lang), "<", 12),
        TextColumn(_say("name", lang), "<", 28),
        TextColumn(_say("sector", lang), "<", 28),
        TextColumn(_say("weight", lang)),
    ]
    rows = [
        TextRow((row.symbol, _named(row.symbol, lang, row.name), _sector(row.sector, lang), _percent(row.weight, 3)))
        for row in result.weights
    ]
    title = [paint(_say("weights", lang, method=result.method), "bold")]
    blocks = [title, table_lines(columns, rows, paint), _concentration_lines(result, lang, paint)]
    return _report(blocks, result.problems, lang, paint)


def target_changes_text(found: Retargeted, lang: Lang, paint: Paint) -> str:
    """Return what new weights do to a portfolio's targets."""
    titles = ("change", "section", "ticker", "name", "target-before", "target-after", "difference")
    columns = [TextColumn(_say(title, lang), "<" if n < 4 else ">", 24) for n, title in enumerate(titles)]
    rows = [
        TextRow((
            say(f"change.{one.kind}", lang),
            section_name(one.section, lang),
            one.symbol,
            _named(one.symbol, lang, one.name),
            _percent(one.before) if one.kind != "new" else "",
            _percent(one.after) if one.kind != "gone" else "",
            points(one.after - one.before),
        ))
        for one in found.changes
    ]  # fmt: skip
    name = found.portfolio.name
    title = [paint(_say("targets", lang, name=name) if name else _say("targets-nameless", lang), "bold")]
    table = table_lines(columns, rows, paint) if rows else [_say("targets-same", lang)]
    return _report([title, table], found.problems, lang, paint)


def _concentration_lines(result: Weighting, lang: Lang, paint: Paint) -> list[str]:
    columns = [
        TextColumn(_say("concentration", lang), "<"),
        *(TextColumn(_say(name, lang)) for name in ("top-five", "top-sector", "hhi")),
    ]

    def row(title: str, measure: Concentration | None) -> TextRow:
        if measure is None:
            return TextRow((title, NONE, NONE, NONE))
        sector = f"{_percent(measure.top_sector)} {_sector(measure.top_sector_name, lang)}".rstrip()
        return TextRow((title, _percent(measure.top5), sector, f"{measure.hhi:.4f}"))

    rows = [row(_say("before", lang), result.before), row(_say("after", lang), result.after)]
    lines = table_lines(columns, rows, paint)
    if result.turnover is not None:
        key = "turnover" if result.cost is None else "turnover-cost"
        lines.append(_say(key, lang, turnover=result.turnover, cost=result.cost))
    return lines


def correlate_text(result: Correlations, lang: Lang, paint: Paint) -> str:
    """Return the matrix, the alerts and the hedges."""
    span = {"start": result.start, "end": result.end, "days": result.days, "currency": result.currency}
    columns = [TextColumn("", "<", 8), TextColumn(_say("name", lang), "<", 24)]
    columns += [TextColumn(symbol, ">", 8) for symbol in result.symbols]
    rows = [
        TextRow((symbol, _named(symbol, lang), *(NONE if cell is None else f"{cell:.2f}" for cell in row)))
        for symbol, row in zip(result.symbols, result.matrix, strict=True)
    ]
    pairs = [
        TextRow((_say(kind, lang), *(_coded(one, lang) for one in pair.pair), f"{pair.correlation:.3f}"), style)
        for kind, style, found in (("alert", "red", result.alerts), ("hedge", "green", result.hedges))
        for pair in found
    ]
    headings = [TextColumn("", "<"), TextColumn("", "<"), TextColumn("", "<"), TextColumn(_say("correlation", lang))]
    blocks = [
        [paint(_say("correlations", lang), "bold"), _say("correlation-span", lang, **span)],
        *split_tables(columns, rows, paint),
        table_lines(headings, pairs, paint) if pairs else [],
        [_say("bets", lang, bets=result.effective_bets)],
    ]
    return _report(blocks, result.problems, lang, paint)


def review_text(result: Review, lang: Lang, paint: Paint) -> str:
    """Return each satellite's quarters, verdict and reasons."""
    names = list(dict.fromkeys(quarter.quarter for row in result.rows for quarter in row.quarters))
    columns = [
        TextColumn(_say("ticker", lang), "<", 10),
        TextColumn(_say("name", lang), "<", 24),
        TextColumn(_say("benchmark", lang), "<", 10),
        TextColumn(_say("currency", lang), "<", 8, optional=len(names) + 1),
        # Where there is no room, the oldest quarters are left out first, never the last.
        *(TextColumn(name, optional=len(names) - 1 - number) for number, name in enumerate(names)),
        TextColumn(_say("verdict", lang), "<"),
    ]
    lines = []
    for row in result.rows:
        by_name = {quarter.quarter: quarter for quarter in row.quarters}
        cells = [_excess(by_name[name].value, by_name[name].excess) if name in by_name else NONE for name in names]
        remark = "; ".join(reason.text.told(lang) for reason in row.reasons)
        verdict = _say(f"verdict-{row.verdict.name.lower()}", lang)
        texts = (row.symbol, _named(row.symbol, lang), row.benchmark or NONE, row.currency or NONE, *cells, verdict)
        lines.append(TextRow(texts, VERDICT_STYLES[row.verdict.name], remark))
    title = [paint(_say("review", lang), "bold"), *wrap(_say("review-legend", lang), paint.sentence)]
    return _report([title, table_lines(columns, lines, paint)], result.problems, lang, paint)


def _excess(value: float | None, excess: float | None) -> str:
    points = NONE if excess is None else f"{excess * 100:+.1f}"
    return f"{_percent(value, 1)} ({points})"


def risk_text(report: RiskReport, lang: Lang, paint: Paint) -> str:
    """Return every limit with what it is today."""
    columns = [
        TextColumn(_say("rule", lang), "<", 20),
        TextColumn(_say("scope", lang), "<", 16),
        TextColumn(_say("limit", lang)),
        TextColumn(_say("actual", lang)),
        TextColumn(_say("status", lang), "<"),
    ]
    rows = []
    for row in report.rules:
        told = [tell(part, lang) for part in (row.name, row.about, *row.shown)]
        status = _say(f"status-{row.status.lower()}", lang)
        rows.append(TextRow((*told, status), STATUS_STYLES[row.status], tell(row.note, lang) if row.note else ""))
    title = [paint(_say("limits", lang), "bold")]
    return _report([title, table_lines(columns, rows, paint)], report.problems, lang, paint)


def compare_text(result: Comparison, lang: Lang, paint: Paint) -> str:
    """Return the funds side by side, a line per metric, then their largest holdings and overlaps."""
    funds = list(result.funds.values())
    columns = [TextColumn("", "<", 30), *(TextColumn(row.symbol, ">", 24) for row in funds)]
    rows: list[TextRow] = []

    def line(key: str, cells: Iterable[str], **values: object) -> None:
        rows.append(TextRow((_say(key, lang, **values), *cells)))

    line("name", (_named(row.symbol, lang) or NONE for row in funds))
    line("issuer", (_issuer(row, lang) for row in funds))
    line("listed", (_listed(row) for row in funds))
    line("price", (NONE if row.price is None else price(row.price, row.price_currency) for row in funds))
    line("fee", (_percent(row.fee.value, 4) for row in funds))
    line("assets", (_assets(row) for row in funds))
    line("assets-won", (_won(row, lang) for row in funds))
    line("holdings", (_count(row.holdings_count.value) for row in funds))
    line("top-share", (_percent(row.top_share) for row in funds))
    if result.start:
        span = f"{result.start} – {result.as_of}"
        line("return", (_percent(row.over_period and row.over_period.value) for row in funds), period=span)
    for period, months in PERIODS.items():
        key = "yearly-return" if months > 12 else "return"
        line(key, (_percent(row.returns[period].value) for row in funds), period=period)
    line("volatility", (_percent(row.volatility.value) for row in funds))
    line("drawdown", (_percent(row.max_drawdown.value) for row in funds))
    line("yield", (_percent(row.dividend_yield.value) for row in funds))
    for rank in range(min(max((len(row.top) for row in funds), default=0), 5)):
        line("largest", (_top(row, rank) for row in funds), rank=rank + 1)
    shared = [
        _say("overlap", lang, pair=f"{row.pair[0]}–{row.pair[1]}",
             weight=f"{'' if row.complete or row.weight is None else '≥ '}{_percent(row.weight)}")
        for row in result.overlap
    ]  # fmt: skip
    unit = _say("each-fund-currency", lang) if result.currency == "local" else result.currency
    head = _say("funds-as-of", lang, day=result.as_of or NONE, currency=unit)
    blocks = [[paint(_say("funds", lang), "bold"), head], *split_tables(columns, rows, paint), shared]
    return _report(blocks, result.problems, lang, paint)


def _assets(row: FundRow) -> str:
    return NONE if row.aum.value is None else f"{row.aum.value / 1e9:,.1f} bn {row.aum_currency}".rstrip()


def _issuer(row: FundRow, lang: Lang) -> str:
    entry = catalogue.load().get(row.symbol)
    names = (entry.instrument.name, entry.instrument.name_en) if entry else ()
    return next((found for name in names if (found := issuer_of(name, lang))), row.issuer) or NONE


def _listed(row: FundRow) -> str:
    if row.listed:
        return row.listed.isoformat()
    return f"≤ {row.first_close}" if row.first_close else NONE


def _won(row: FundRow, lang: Lang) -> str:
    if row.aum_krw is None:
        return NONE
    trillions = row.aum_krw >= TRILLION
    amount = row.aum_krw / (TRILLION if trillions else HUNDRED_MILLION)
    return _say("trillion-won" if trillions else "hundred-million-won", lang, amount=amount)


def _count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _top(row: FundRow, rank: int) -> str:
    return f"{row.top[rank].symbol} {_percent(row.top[rank].weight, 1)}" if rank < len(row.top) else NONE


def calendar_text(result: Calendar, lang: Lang, paint: Paint) -> str:
    """Return the tasks by date; what is due stands out."""
    columns = [
        TextColumn(_say("date", lang), "<"),
        TextColumn(_say("section", lang), "<", 12),
        TextColumn(_say("due", lang), "<"),
        TextColumn(_say("task", lang), "<", TASK_WIDTH),
    ]
    rows = []
    for item in result.items:
        task, about = item.task.told(lang), f"study.section-{item.section}"
        section = say(about, lang) if known(about) else item.section
        due = _say("is-due", lang) if item.due else ""
        first, *rest = wrap(task, TASK_WIDTH)
        style = "yellow" if item.due else ""
        rows.append(TextRow((item.date.isoformat(), section, due, first), style, " ".join(rest)))
    title = [paint(_say("calendar", lang), "bold")]
    return _report([title, table_lines(columns, rows, paint)], result.problems, lang, paint)
