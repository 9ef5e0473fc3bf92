"""From the tables of a call to a portfolio: ranges in any order of headers, or the calling workbook's sheets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.data.document import portfolio_from_data
from engine.errors import InputError, Problem, error, note
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Portfolio
from engine.settings import setting_fields
from engine.words import LANGUAGES, Lang, say
from rebalancer.loading import usable
from templates.cells import Grid
from templates.read.document import DocumentData
from templates.read.tables import find_tables
from templates.spec import SHEETS
from xl_addin.functions.cells import Rows, grid, rows_of, sheets
from xl_addin.show.terminal import default_language

if TYPE_CHECKING:
    from engine.ledger.entries import LedgerEntry

#: The base currency where a call gives no settings and several currencies are in use.
HOME = "KRW"
#: What tells a workbook's language: its sheets' titles, and what its settings say they mean.
_TITLES: Mapping[str, Lang] = {sheet.title(lang): lang for sheet in SHEETS for lang in LANGUAGES}
_MEANINGS: Mapping[str, Lang] = {say(f"setting.{name}", lang): lang for name in setting_fields() for lang in LANGUAGES}
_IN_RANGE = re.compile(r"^\S+ sheet '(\w+)' row ")


@dataclass(frozen=True, slots=True)
class Inputs:
    """A call's portfolio, whose notes say what was found on the way, the language of the workbook, and its sheets."""

    portfolio: Portfolio
    lang: Lang
    grids: Sequence[Grid] = ()


def read_inputs(name: str, ranges: dict[str, object], tables: object) -> Inputs:
    """Return the portfolio that ranges, by argument, or else the workbook's tables describe.

    `cash` may be one number, in the base currency. Raises InputError with every problem where it cannot be used.
    """
    given = {argument: rows for argument, value in ranges.items() if (rows := rows_of(value)) is not None}
    cash = _amount(given)
    grids = [grid(argument, rows) for argument, rows in given.items()]
    if not given and cash is None:
        if rows_of(tables) is None and not isinstance(tables, dict):
            raise InputError([error("no-tables", name)])
        grids = sheets(tables)
    portfolio, problems = _read(name, grids, cash, strict=bool(given))
    # Where a call names ranges, a problem's place is a row of that range.
    if given:
        problems = tuple(replace(problem, where=_of_range(problem.where, name)) for problem in problems)
    return Inputs(usable(portfolio, problems), language(grids), () if given else grids)


def entries_of(grids: Sequence[Grid], name: str) -> tuple[LedgerEntry, ...]:
    """Return the ledger on a workbook's sheets; raises InputError with every row that cannot be used."""
    from templates.ledger import sheet_ledger

    found = sheet_ledger(grids, name)
    if any(problem.severity == "error" for problem in found.problems):
        raise InputError(found.problems)
    return found.entries


def with_ledger(inputs: Inputs, name: str, day: dt.date) -> Portfolio:
    """Return the portfolio of a call with what the workbook's ledger says of a day's year so far."""
    entries = entries_of(inputs.grids, name)
    if not entries:
        return inputs.portfolio
    from rebalancer.ledgers import with_year_of

    return with_year_of(inputs.portfolio, entries, day)


def _of_range(where: str | Phrase, name: str) -> str | Phrase:
    """Return a place on a sheet that stands for a range as a place in that argument of the function."""
    if not isinstance(where, Phrase):
        return _IN_RANGE.sub(rf"{name} \1: row ", where)
    if not where.key.startswith("place.sheet-"):
        return where
    there = {key: value for key, value in where.values.items() if key not in ("file", "sheet")}
    kind = where.key.removeprefix("place.").replace("sheet-", "range-", 1)
    return place(kind, function=name, range=where.values["sheet"], **there)


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
                problems.append(error("no-headers", place("of-function", function=name, where=one.name)))
    if not found.keys() & {"Holdings", "Targets"}:
        problems.append(error("no-tables.unrecognised", name))
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
    why = phrase("base-currency.only") if not used else phrase("base-currency.several", currencies=tuple(sorted(used)))
    told = "base-currency" if cash is None else "base-currency.cash"
    return (note(told, name, base=base, why=why, cash=cash),)
