"""The Checks sheet: what must hold before anyone trades, as formulas; each failure names its row and its repair."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from engine.words import Lang, say
from templates.cells import CellError, Row, Value, quoted_sheet
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, FIRST_ROW, HEADER_ROW, quoted
from templates.spec.vocabulary import spoken
from templates.write.arithmetic import number
from templates.write.canvas import Canvas
from templates.write.evaluate import Figures
from templates.write.tables import symbols, widths, words

FIRST_COLUMN = 2
_HEADERS = ("Signal", "Check", "Result", "Detail", "Repair")
_CAPTIONS = ("column.result", "column.check", "column.result", "column.detail", "column.repair")


@dataclass(frozen=True, slots=True)
class SheetCheck:
    """One check: its formulas for result and detail, and what they come to."""

    key: str
    result: str
    detail: str
    outcome: str
    text: str = ""


def _first(table: str, test: str) -> str:
    """Return the formula of the first row of a table that a MATCH finds: its row, ticker and cause."""
    found = f"MATCH({test})"
    return (
        f'IFERROR({{!row}}&" "&ROW(INDEX({{{table}.Ticker}},{found}))&": "&INDEX({{{table}.Ticker}},{found})&" – "'
        f'&INDEX({{{table}.Check}},{found}),"")'
    )


def _rows_check(key: str, table: str, rows: tuple[Row, ...], lang: Lang) -> SheetCheck:
    wrong = [(i, row) for i, row in enumerate(rows, FIRST_ROW) if row["Check"]]
    text = ""
    if wrong:
        place, row = wrong[0]
        text = f"{say('label.row', lang)} {place}: {row.get('Key') or row['Ticker']} – {row['Check']}"
    result = f'IF(COUNTIF({{{table}.Check}},"?*")=0,{{@check.OK}},{{@check.PROBLEM}})'
    detail = _first(table, f'"?*",{{{table}.Check}},0')
    return SheetCheck(key, result, detail, "PROBLEM" if wrong else "OK", text)


def checks(figures: Figures, lang: Lang) -> tuple[SheetCheck, ...]:
    """Return every check with its outcome, in the order in which a person should mend them."""
    tables = figures.tables
    priced = not isinstance(figures.total, CellError)
    return (
        _targets(figures),
        _rows_check("holdings", "Holdings", tables["Holdings"], lang),
        _rows_check("target-rows", "Targets", tables["Targets"], lang),
        SheetCheck(
            "total",
            "IF(ISERROR(TotalValue),{@check.PROBLEM},{@check.OK})",
            'IF(ISERROR(TotalValue),"",IF(TotalValue=0,{!checks.nothing},""))',
            "OK" if priced else "PROBLEM",
            say("label.checks.nothing", lang) if priced and not figures.total else "",
        ),
        _known(figures, lang),
        _twice(figures, lang),
        _fresh(tables["Prices"], tables["FxRates"]),
        _reconcile(tables["Reconcile"]),
        _current(figures, lang),
        _limits(tables["Groups"]),
        _risk(tables["Problems"]),
        _engine(tables["Problems"]),
    )


def _targets(figures: Figures) -> SheetCheck:
    over = round(figures.target_sum - 1, 6) > 0
    result = "IF(ROUND(TargetSum-1,6)>0,{@check.PROBLEM},{@check.OK})"
    return SheetCheck(
        "targets", result, 'TEXT(TargetSum,"0.0%")', "PROBLEM" if over else "OK", f"{figures.target_sum:.1%}"
    )


def _known(figures: Figures, lang: Lang) -> SheetCheck:
    priced = {row["Ticker"] for row in figures.tables["Prices"]}
    found = [
        (name, FIRST_ROW + i)
        for name in ("Holdings", "Targets")
        for i, row in enumerate(figures.tables[name])
        if row["Ticker"] is not None and row["Ticker"] not in priced
    ]
    unknown = {
        name: f'({{={name}.Ticker}}<>"")*ISNA(MATCH({{={name}.Ticker}},{{Prices.Ticker}},0))'
        for name in ("Holdings", "Targets")
    }
    counts = {name: f"SUMPRODUCT({test})" for name, test in unknown.items()}
    result = f"IF({counts['Holdings']}+{counts['Targets']}=0,{{@check.OK}},{{@check.CHECK}})"
    rows = {
        name: f'"{name} "&{{!row}}&" "&SUMPRODUCT(MIN(ROW({{={name}.Ticker}})+1000000*(1-{test})))'
        for name, test in unknown.items()
    }
    inner = f'IF({counts["Targets"]}>0,{rows["Targets"]},"")'
    detail = f"IF({counts['Holdings']}>0,{rows['Holdings']},{inner})"
    text = f"{found[0][0]} {say('label.row', lang)} {found[0][1]}" if found else ""
    return SheetCheck("known", result, detail, "CHECK" if found else "OK", text)


def _twice(figures: Figures, lang: Lang) -> SheetCheck:
    keys = [(row["Account"] or "", row["Ticker"]) for row in figures.tables["Holdings"]]
    again = next((i for i, key in enumerate(keys) if key in keys[:i]), None) if len(set(keys)) < len(keys) else None
    rows = "ROW({Holdings.Ticker})"
    key = '{Holdings.Account}&"|"&{Holdings.Ticker}'
    repeated = f'(MATCH({key},{key},0)<>{rows}-MIN({rows})+1)*({{Holdings.Ticker}}<>"")'
    result = f"IF(SUMPRODUCT({repeated})=0,{{@check.OK}},{{@check.CHECK}})"
    where = f"SUMPRODUCT(MIN({rows}+1000000*(1-{repeated})))"
    detail = f'IF(SUMPRODUCT({repeated})=0,"",{{!row}}&" "&{where})'
    text = "" if again is None else f"{say('label.row', lang)} {FIRST_ROW + again}"
    return SheetCheck("twice", result, detail, "OK" if again is None else "CHECK", text)


def _fresh(prices: tuple[Row, ...], rates: tuple[Row, ...]) -> SheetCheck:
    named = (("Prices", "Ticker", "stale", prices), ("Prices", "Ticker", "doubtful", prices),
             ("FxRates", "Currency", "stale", rates), ("FxRates", "Currency", "doubtful", rates))  # fmt: skip
    counts = "+".join(f"SUMPRODUCT(COUNTIF({{{table}.Status}},{{*price.{status}}}))" for table, _, status, _ in named)
    detail = '""'
    old: list[str] = []
    for table, name, status, rows in reversed(named):
        first = f"{{#price.{status}@{table}.Status}}"
        day = f'TEXT(INDEX({{{table}.AsOf}},{first}),"yyyy-mm-dd")'
        detail = f'IFERROR(INDEX({{{table}.{name}}},{first})&" "&{day},{detail})'
        old = [f"{row[name]} {_day(row.get('AsOf'))}" for row in rows if row.get("Status") == status] or old
    return SheetCheck(
        "fresh", f"IF({counts}=0,{{@check.OK}},{{@check.CHECK}})", detail, "CHECK" if old else "OK", next(iter(old), "")
    )


def _day(moment: Value) -> str:
    return f"{moment:%Y-%m-%d}" if hasattr(moment, "year") else "1899-12-30"


def _reconcile(rows: tuple[Row, ...]) -> SheetCheck:
    wrong = next((row for row in rows if row["Check"] in ("DIFFERS", "NEGATIVE")), None)
    failed = "COUNTIF({Reconcile.Check},{@cash.DIFFERS})+COUNTIF({Reconcile.Check},{@cash.NEGATIVE})"
    found = "IFERROR(MATCH({@cash.DIFFERS},{Reconcile.Check},0),MATCH({@cash.NEGATIVE},{Reconcile.Check},0))"
    detail = f'IFERROR(INDEX({{Reconcile.Account}},{found})&" "&INDEX({{Reconcile.Currency}},{found}),"")'
    text = f"{wrong['Account'] or ''} {wrong['Currency']}" if wrong else ""
    return SheetCheck(
        "reconcile", f"IF({failed}=0,{{@check.OK}},{{@check.PROBLEM}})", detail, "PROBLEM" if wrong else "OK", text
    )


def _current(figures: Figures, lang: Lang) -> SheetCheck:
    planned = next((number(r["Value"]) for r in figures.tables["Summary"] if r["Key"] == "total_value"), None)
    total = figures.total
    # Without a total the check above already fails; a plan of another total must not be traded on.
    moved = (
        planned is not None
        and not isinstance(total, CellError)
        and abs(total - planned) > max(Decimal(1), planned / 10**6)
    )
    value = "INDEX({Summary.Value},{#summary.total_value@Summary.Key})"
    moved_by = f"IF(ABS(TotalValue-{value})>MAX(1,{value}/1000000),{{@check.PROBLEM}},{{@check.OK}})"
    result = f"IF(ISERROR({value}/TotalValue),{{@check.OK}},{moved_by})"
    detail = f'IFERROR({{!checks.plan-total}}&TEXT({value},"#,##0"),"")'
    text = "" if planned is None else f"{say('label.checks.plan-total', lang)}{_whole(planned)}"
    return SheetCheck("current", result, detail, "PROBLEM" if moved else "OK", text)


def _whole(value: object) -> str:
    return f"{Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP):,}"


def _limits(groups: tuple[Row, ...]) -> SheetCheck:
    wrong = next((row for row in groups if row["Status"] in ("OVER", "UNDER")), None)
    failed = "COUNTIF({Groups.Status},{@status.OVER})+COUNTIF({Groups.Status},{@status.UNDER})"
    found = "IFERROR(MATCH({@status.OVER},{Groups.Status},0),MATCH({@status.UNDER},{Groups.Status},0))"
    result = f"IF({failed}=0,{{@check.OK}},{{@check.CHECK}})"
    detail = f'IFERROR(INDEX({{Groups.Name}},{found})&"","")'
    # Whichever is found first by the formula: OVER before UNDER.
    over = next((row for row in groups if row["Status"] == "OVER"), wrong)
    return SheetCheck("limits", result, detail, "CHECK" if wrong else "OK", str(over["Name"]) if over else "")


def _risk(problems: tuple[Row, ...]) -> SheetCheck:
    """Check the limits that the plan found broken: of targets, groups, leverage and single names."""
    wrong = next((row for row in problems if row["Code"] == "limit-breached"), None)
    first = 'MATCH("limit-breached",{Problems.Code},0)'
    detail = f'IFERROR(INDEX({{Problems.Where}},{first})&"","")'
    result = 'IF(COUNTIF({Problems.Code},"limit-breached")=0,{@check.OK},{@check.PROBLEM})'
    return SheetCheck("risk", result, detail, "PROBLEM" if wrong else "OK", str(wrong["Where"]) if wrong else "")


def _engine(problems: tuple[Row, ...]) -> SheetCheck:
    wrong = next((row for row in problems if row["Severity"] == "error"), None)
    first = "{#severity.error@Problems.Severity}"
    detail = f'IFERROR(INDEX({{Problems.Where}},{first})&"","")'
    result = "IF(SUMPRODUCT(COUNTIF({Problems.Severity},{*severity.error}))=0,{@check.OK},{@check.PROBLEM})"
    return SheetCheck("engine", result, detail, "PROBLEM" if wrong else "OK", str(wrong["Where"]) if wrong else "")


def write_checks(canvas: Canvas, sheet: Worksheet, figures: Figures) -> None:
    """Write the checks at the left of their sheet, where `ChecksFailed` stands too."""
    lang, look = canvas.lang, canvas.styles.look
    canvas.put(sheet, BLOCK_ROW, FIRST_COLUMN, say("label.checks", lang), look("block"))
    for offset, (header, caption) in enumerate(zip(_HEADERS, _CAPTIONS, strict=True)):
        text = "" if header == "Signal" else say(f"label.{caption}", lang)
        canvas.put(sheet, CAPTION_ROW, FIRST_COLUMN + offset, text, look("caption"))
        canvas.put(sheet, HEADER_ROW, FIRST_COLUMN + offset, header, look("header"))
    listed = checks(figures, lang)
    for row, check in enumerate(listed, FIRST_ROW):
        _write_check(canvas, sheet, row, check)
    last = FIRST_ROW + len(listed) - 1
    words(sheet.conditional_formatting, f"D{FIRST_ROW}:D{last}", f"D{FIRST_ROW}", "check")
    sheet.conditional_formatting.add(f"B{FIRST_ROW}:B{last}", symbols())
    if not canvas.literal:
        for name, letter in (("Check", "C"), ("Result", "D"), ("Detail", "E")):
            area = f"{quoted_sheet(sheet.title)}!${letter}${FIRST_ROW}:${letter}${last}"
            canvas.workbook.defined_names[f"Checks_{name}"] = DefinedName(f"Checks_{name}", attr_text=area)
    widths(sheet, {2: 5, 3: 50, 4: 12, 5: 44, 6: 54, 7: 3})


def _write_check(canvas: Canvas, sheet: Worksheet, row: int, check: SheetCheck) -> None:
    lang, look = canvas.lang, canvas.styles.look
    result = f"D{row}"
    outcome = {"OK": 1, "CHECK": 0}.get(check.outcome, -1)
    sign = f"IF({result}={{@check.OK}},1,IF({result}={{@check.CHECK}},0,-1))"
    canvas.compute(sheet, row, 2, sign, outcome, look("cell-centre"))
    canvas.put(sheet, row, 3, say(f"label.checks.{check.key}", lang), look("cell-text"))
    canvas.compute(sheet, row, 4, check.result, spoken("check", check.outcome, lang), look("cell-centre"))
    canvas.compute(sheet, row, 5, check.detail, check.text, look("cell-text"))
    repair = quoted(say(f"label.checks.{check.key}.do", lang))
    shown = "" if check.outcome == "OK" else say(f"label.checks.{check.key}.do", lang)
    canvas.compute(sheet, row, 6, f'IF({result}={{@check.OK}},"",{repair})', shown, look("cell-text"))


def failed(figures: Figures, lang: Lang) -> int:
    """Return how many checks have failed."""
    return sum(check.outcome == "PROBLEM" for check in checks(figures, lang))
