"""From the tables of a call to a portfolio: ranges in any order of headers, or the calling workbook's sheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.data.document import portfolio_from_data
from engine.errors import InputError, Problem
from engine.phrase import Phrase, place
from engine.portfolio import Portfolio
from engine.settings import setting_fields
from engine.words import LANGUAGES, Lang, say
from rebalancer.language import default_language
from templates.cells import Grid
from templates.read.document import DocumentData
from templates.read.tables import find_tables
from templates.spec import SHEETS
from xl_addin.functions.cells import Rows, grid, rows_of, sheets

#: The base currency where a call gives no settings and several currencies are in use.
HOME = "KRW"
#: What tells a workbook's language: its sheets' titles, and what its settings say they mean.
_TITLES: Mapping[str, Lang] = {sheet.title(lang): lang for sheet in SHEETS for lang in LANGUAGES}
_MEANINGS: Mapping[str, Lang] = {say(f"setting.{name}", lang): lang for name in setting_fields() for lang in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Hold the portfolio of a call, every problem found on the way, and the language of the workbook."""

    portfolio: Portfolio
    problems: tuple[Problem, ...]
    lang: Lang


def read_inputs(name: str, ranges: dict[str, object], tables: object) -> Inputs:
    """Return the portfolio that ranges, by argument, or else the workbook's tables describe.

    `cash` may be one number, in the base currency. Raises InputError with every problem where it cannot be used.
    """
    given = {argument: rows for argument, value in ranges.items() if (rows := rows_of(value)) is not None}
    cash = _amount(given)
    grids = [grid(argument, rows) for argument, rows in given.items()]
    if not given and cash is None:
        if rows_of(tables) is None and not isinstance(tables, dict):
            text = "no tables: name the ranges, such as Holdings[#All], Targets[#All]"
            ko = "표가 없습니다: Holdings[#All], Targets[#All]처럼 범위를 지정하세요"
            raise InputError([Problem("error", "no-tables", name, text, ko)])
        grids = sheets(tables)
    portfolio, problems = _read(name, grids, cash, strict=bool(given))
    # Where a call names ranges, a problem's place is a row of that range.
    problems = tuple(replace(p, where=_in_range(name, p.where)) for p in problems) if given else problems
    if portfolio is None or any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return Inputs(portfolio, problems, language(grids))


def _in_range(function: str, where: str | Phrase) -> str | Phrase:
    """Return the place of a row or cell in a range that a function was given, which is read as a sheet."""
    if isinstance(where, str) or not where.key.startswith("place.sheet-"):
        return where
    values = {name: value for name, value in where.values.items() if name not in ("file", "sheet")}
    kind = where.key.removeprefix("place.sheet-")
    return place(f"range-{kind}", function=function, range=where.values["sheet"], **values)


def language(grids: Sequence[Grid] = ()) -> Lang:
    """Return the language of a workbook with these sheets, or of the settings among them; by default the system's."""
    settings = (cell for one in grids if one.name == "settings" for row in one.rows.values() for cell in row.values())
    told = (_MEANINGS[cell] for cell in settings if isinstance(cell, str) and cell in _MEANINGS)
    return next(told, None) or language_of_titles(one.name for one in grids)


def language_of_titles(titles: Iterable[str]) -> Lang:
    """Return the language of a workbook whose sheets have these titles, by default the system's."""
    return next((_TITLES[title] for title in titles if title in _TITLES), None) or default_language()


def _amount(given: dict[str, Rows]) -> Decimal | None:
    """Take cash that is one number out of the ranges."""
    cash = given.get("cash", ())
    if len(cash) == 1 and len(cash[0]) == 1 and isinstance(cash[0][0], Decimal):
        del given["cash"]
        return cash[0][0]
    return None


def _read(
    name: str, grids: Sequence[Grid], cash: Decimal | None, *, strict: bool
) -> tuple[Portfolio | None, tuple[Problem, ...]]:
    found, problems = find_tables(grids)
    used = {place.grid.name for place in found.values()}
    if strict:
        for one in grids:
            if one.name not in used:
                text = "no known headers here: include the row of headers, such as Ticker and Quantity"
                ko = "아는 머리글이 없습니다: Ticker와 Quantity 같은 머리글 행을 포함하세요"
                problems.append(Problem("error", "no-headers", f"{name} {one.name}", text, ko))
    if not found.keys() & {"Holdings", "Targets"}:
        text = "no table of holdings or targets: a row of headers with Ticker and Quantity, or Ticker and Target"
        ko = "보유나 목표 표가 없습니다: 머리글에 Ticker와 Quantity, 또는 Ticker와 Target이 있어야 합니다"
        problems.append(Problem("error", "no-tables", name, text, ko))
    if problems:
        return None, tuple(problems)
    document = DocumentData(found, name)
    document.body.setdefault("name", "portfolio")  # not the function's: equal inputs of two functions share a plan
    notes: tuple[Problem, ...] = ()
    if "Settings" not in found:
        notes = _assume_base(name, document, cash)
    if cash is not None:
        document.body["cash"] = {document.body.get("base_currency", HOME): cash}
    portfolio, more = portfolio_from_data(document.data, name, document.locate)
    return portfolio, (*document.problems, *notes, *more)


def _assume_base(name: str, document: DocumentData, cash: Decimal | None) -> tuple[Problem, ...]:
    """Settle the base currency of a call without settings, and say so."""
    document.body["base_currency"] = HOME
    portfolio, _ = portfolio_from_data(document.data, name, document.locate)
    if portfolio is None:
        return ()  # the errors are told by the reading that follows
    used = {instrument.currency for instrument in portfolio.instruments.values()}
    used.update(currency for account in portfolio.accounts for currency in account.cash)
    base = used.pop() if len(used) == 1 else HOME
    document.body["base_currency"] = base
    why = "the one currency in use" if not used else f"{', '.join(sorted(used))} are in use"
    amount = f"; the cash is {cash} {base}" if cash is not None else ""
    text = f"no settings were given: totals are in {base} ({why}){amount}; give base_currency in a Settings table"
    why_ko = "쓰는 통화가 하나" if not used else f"{', '.join(sorted(used))}도 사용"
    amount_ko = f", 현금은 {cash} {base}" if cash is not None else ""
    ko = f"설정이 없어 합계를 {base} 기준으로 셉니다({why_ko}){amount_ko}: 설정 표에 base_currency를 적으세요"
    return (Problem("info", "base-currency", name, text, ko),)
