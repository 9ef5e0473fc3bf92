"""The page about the workbook, written from the spec. Run: python docs/workbook.py."""

from __future__ import annotations

from pathlib import Path

from templates.models import load_all
from templates.spec import NAMES, SHEETS, tables_of
from templates.spec.schema import Column, Table

_PAGE = Path(__file__).with_suffix(".md")
_ROLES = {"input": "you", "formula": "formula", "result": "engine"}
_HEAD = """# The workbook

Written by `python docs/workbook.py` from `templates/spec`, the one declaration of sheets, tables and columns.

![The dashboard of a finished plan, in Korean](images/workbook-dashboard-ko.png)

The first line of the dashboard says whether there is something to do, what, and what it costs; or what has to be
filled in or mended first. Its rows follow what the workbook holds, also what is added later; where there is more than a
page holds, the last row says how many more, and what they come to. [As it was in 0.2.0](images/dashboard-0.2.0-ko.png).

- Start one with `rebalancer new MODEL -o FILE.xlsx` (`--lang ko` for Korean; `rebalancer models` lists the models),
  fill in the blue cells on yellow, save, and run `rebalancer plan FILE.xlsx -o PLAN.xlsx`. Many at once: `rebalancer
  new --batch clients.csv -o FOLDER`, with columns `Name`, `Model`, `Lang` and cash by currency (`KRW`, `USD`).
  `--macros` writes .xlsm files with the functions in their places.
- What Excel can compute is a native formula, each with its value cached, so that a phone or a viewer shows numbers.
  What only the engine can know (prices, trades, analyses) is a value on grey, with source and time.
- A Korean workbook holds Korean words in its cells, an English one the codes of functions and JSON; both understand
  both, in every drop-down and list. Formulas compare codes, in hidden columns where a person may write either.
- Tables that are filled in have a sheet of their own or stand below each other, so that a filter hides no other
  table's rows. The fourth row of a sheet links to the dashboard and to each of its tables.
- A price or a rate that is missing is `#N/A` and reaches the total: a partial total gives wrong trades. The Check
  column of the row, the Checks sheet and the Dashboard's banner name the cause.

## Goals

A target may name more than a ticker ([goals](goals.md)). A workbook that is written of a portfolio with goals has what
that needs, and no other has: on Targets the columns Goal, Members (`360750 | 379800 | VOO`, the one liked best first),
Class, Share and Consolidate; beside holdings Exposure (`US equity 62%, Emerging 11%`, or one class for all of it); in
Settings the tables Classes and Preferences; the sheet Goals, and on the dashboard what is in each goal and what is in
none. To begin with goals in a workbook of your own, write these headers beside the others and plan: the plan is then a
fresh workbook (`rebalancer update BOOK` makes one too), and from then on is written back into it. Class names are
understood in either language. A goal that was typed since the last plan shows no value yet: its Check says so.

## What may be changed

A table is found by its headers: identifiers, either language's captions, or the names of the portfolio file. Columns
may be moved, rows sorted, filtered, inserted or left empty, sheets renamed, added or thrown away, Excel tables
stretched or deleted. Numbers may be text (`1,234`, `₩1,000`, `12.5%`). What cannot be read for certain is a problem
that names the cell and the repair: a ticker that lost its zeros (69500), a formula without a value, two tables with
the same headers. It reads .xlsx, .xlsm, .ods, and a folder of .csv files (`holdings.csv`, `targets.csv`, `cash.csv`,
`settings.csv` …), as Excel or LibreOffice saved them.

## Writing back

`plan FILE.xlsx -o OUT.xlsx` writes the results into a copy of your workbook; a workbook with macros is copied under a
name that ends in .xlsm. Only cells of results change, with the values beside our formulas, and what must reach new
rows: named ranges, printed areas, Excel tables with their drop-downs and colours. Everything else in the file stays
byte for byte: your cells, comments, formats, sheets, charts, pictures, sparklines, slicers, macros, names, hidden rows.

- A row that you inserted or added below a table gets the table's formulas, and the Excel table reaches it.
- A formula of yours keeps its last value, and a spreadsheet computes it when it opens the file.
- A result keeps the format you gave its cell, where it shows the same kind of number.
- `-o FILE.xlsx --force` writes over the file itself. Before the first time, a copy is kept beside it:
  `FILE.before.xlsx`.
- A workbook of your own making, with tables of holdings and targets but none of our sheets, keeps every sheet as it
  is; the plan stands on sheets of its own after them, in the language of your headers, and is replaced by the next.
- A fresh workbook is written, and the command says so, only where the file is no .xlsx or .xlsm, or a cell of yours
  stands where results belong.

Tested on files that LibreOffice, openpyxl, exceljs and SheetJS saved; Excel, Google Sheets and Numbers are untried.
Microsoft's Open XML SDK finds nothing wrong in fresh workbooks, and nothing added in those written back.

`rebalancer share FILE -o COPY.xlsx` writes values only, with the same looks: no formulas, macros, links, names,
comments, hidden sheets, author or paths, and nothing of your own notes and sheets (`--own-sheets`: yours that are
shown go too, values only). `--weights-only` leaves out every
amount and quantity and rounds weights to a tenth of a point, because exact weights and public prices would give whole
shares, and so the total, away. `--pdf` adds a one-page A4 report through LibreOffice.

Refused, with the reason: files over 50 MB, zip bombs, XML with document types or entities, links to other files,
encrypted and old .xls files.
"""


def page() -> str:
    """Return the page's text."""
    parts = [_HEAD, _sheets(), _names(), _models()]
    return "\n".join(parts)


def _sheets() -> str:
    lines = ["## Sheets and tables", ""]
    lines += ["| sheet | Korean | holds | tables |", "|---|---|---|---|"]
    for sheet in SHEETS:
        tables = ", ".join(f"`{table.name}`" for table in tables_of(sheet.key))
        lines.append(f"| {sheet.key} | {sheet.title('ko')} | {sheet.purpose('en')} | {tables} |")
    for sheet in SHEETS:
        for table in tables_of(sheet.key):
            lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    kind = "named ranges" if table.ranges else "Excel table"
    lines = [f"### {table.name}", "", f"{table.caption('en')} ({table.caption('ko')}); on {table.sheet}, {kind}.", ""]
    lines += ["| column | caption | Korean | kind | written by | |", "|---|---|---|---|---|---|"]
    lines += [_column(column) for column in table.columns if not column.hidden]
    return lines


def _column(column: Column) -> str:
    notes = []
    if column.choices:
        notes.append(", ".join(column.choices))
    if column.help("en"):
        notes.append(column.help("en"))
    cells = (
        f"`{column.name}`",
        column.caption("en"),
        column.caption("ko"),
        column.type,
        _ROLES[column.role],
        "; ".join(notes),
    )
    return "| " + " | ".join(cells) + " |"


def _names() -> str:
    lines = ["## Named cells", "", "| name | on | meaning |", "|---|---|---|"]
    lines += [f"| `{name.name}` | {name.sheet} | {name.meaning('en')} |" for name in NAMES]
    return "\n".join(lines) + "\n"


def _models() -> str:
    lines = [
        "## Models",
        "",
        "Return and worst fall are assumptions, a year; the fee is weighted over the funds whose fee is known.",
        "",
    ]
    lines += ["| model | what | return | worst fall | fee | targets |", "|---|---|---|---|---|---|"]
    for model in load_all():
        facts = model.facts
        fee, _ = model.weighted_fee
        figures = " | ".join("–" if f is None else f"{f:.1%}" for f in (facts.expected_return, facts.drawdown))
        targets = ", ".join(
            f"{model.portfolio.instruments[t.symbol].name if t.kind == 'instrument' else t.symbol} {t.weight * 100:.4g}"
            for _, t in model.portfolio.targets()
        )
        cost = "–" if fee is None else f"{fee:.2%}"
        lines.append(
            f"| `{facts.key}` | {facts.title('en')}: {facts.summary('en')} | {figures} | {cost} | {targets or '–'} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    _PAGE.write_text(page(), encoding="utf-8")
