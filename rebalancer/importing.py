"""Brokers' exports into a portfolio: a new one, or one that a person has, whose targets and rules stay untouched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from engine.data.brokers import Statement, parse_export
from engine.data.brokers.accounts import account_type
from engine.data.brokers.records import ExportIncome, ExportLine
from engine.data.brokers.tables import read_tables
from engine.data.document import portfolio_from_data
from engine.data.fields import Report, in_rows
from engine.data.files import Refused, csv_table, read_bytes
from engine.errors import InputError, Problem, error, note, warning
from engine.market import catalogue
from engine.money import ZERO
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Account, Holding, Portfolio
from engine.text import plain_number
from engine.words import Lang
from rebalancer.files import output_problems, write_whole
from rebalancer.loading import load_portfolio
from rebalancer.saving import SUFFIXES, yaml_text

WORKBOOKS = (".xlsx", ".xlsm", ".ods")
_GOAL_COLUMNS = ("any", "class", "share", "consolidate", "name")
_TARGET_COLUMNS = ("ticker", "weight", "section", "role", "min", "max", *_GOAL_COLUMNS)
_TARGET_NAMES = {"symbol": "ticker", "code": "ticker", "target": "weight"}


@dataclass(frozen=True, slots=True)
class HoldingChange:
    """What an import does to one holding: it is new, gone, or changed."""

    kind: Literal["new", "gone", "changed"]
    account: str
    symbol: str
    name: str
    before: Decimal
    after: Decimal
    cost_before: Decimal | None
    cost_after: Decimal | None


@dataclass(frozen=True, slots=True)
class CashChange:
    """What an import does to the cash of one currency in one account."""

    account: str
    currency: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Imported:
    """A portfolio with what exports say is held, the exports, and what differs from the portfolio there was."""

    portfolio: Portfolio
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    changes: tuple[HoldingChange, ...]
    cash_changes: tuple[CashChange, ...]

    @property
    def remarks(self) -> dict[str, str]:
        """Return by symbol where its price comes from: the export's form and day."""
        found = {}
        for statement in self.statements:
            for line in statement.lines:
                if line.price is not None:
                    found[line.symbol] = " ".join(filter(None, ("price:", statement.form, str(statement.as_of or ""))))
        return found


def import_files(
    files: Sequence[Path],
    *,
    form: str = "",
    broker: str = "",
    mapping: Mapping[str, str] | None = None,
    into: Path | Portfolio | None = None,
    model: str = "",
    targets: Path | None = None,
    currency: str = "",
    prices: bool = True,
    account_types: Mapping[str, str] | None = None,
) -> Imported:
    """Return the portfolio that exports say is held; without files, what `broker` ("kis") says when it is asked.

    `form` is the exports' form where it is known; `broker` the account's name where the exports name none; `mapping`
    the field that a header means. `into` is a portfolio, or its file, whose holdings and cash they bring up to date;
    else the targets are those of a `model` or of the portfolio file or table `targets`, or there are none yet. The
    exports' prices become manual prices unless `prices` is false. `account_types` says what kind of account one is,
    by its name, where that name does not say it. What was paid out (dividends, interest) is in the cash where the
    export states that, else it is added to it; see `Statement.income`. Raises InputError with every problem of every
    file.
    """
    if files:
        statements, problems = read_statements(files, form=form, mapping=mapping)
    else:
        statements, problems, account_types = _asked(broker, account_types or {})
        broker = ""
    return import_statements(
        statements, problems, broker=broker, into=into, model=model, targets=targets, currency=currency, prices=prices,
        account_types=account_types,
    )  # fmt: skip


def import_statements(
    statements: Sequence[Statement],
    problems: tuple[Problem, ...] = (),
    *,
    broker: str = "",
    into: Path | Portfolio | None = None,
    model: str = "",
    targets: Path | None = None,
    currency: str = "",
    prices: bool = True,
    account_types: Mapping[str, str] | None = None,
) -> Imported:
    """Return the portfolio that statements say is held; everything as in `import_files`, `problems` found before."""
    statements = tuple(statements)
    existing = _loaded(into) if isinstance(into, Path) else into
    wanted = existing or targets_of(model, targets, currency)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    base = _base_currency(statements, wanted, currency)
    held, found = _held(statements, base, broker, account_types or {}, prices=prices, known=existing is not None)
    problems = (*problems, *found)
    if held is None:
        raise InputError(problems)
    if existing is not None:
        portfolio, found = merged(existing, held, replaces_cash=any(one.cash for one in statements))
        problems = (*problems, *found)
        if any(problem.severity == "error" for problem in problems):
            raise InputError(problems)
    else:
        portfolio = held if wanted is None else _wanting(held, wanted)
    portfolio, found = _paid_in(_typed(portfolio, account_types or {}), statements, broker)
    problems = (*problems, *found)
    changes = tuple(holding_changes(existing, portfolio))
    return Imported(portfolio, statements, problems, changes, tuple(cash_changes(existing, portfolio)))


def _asked(
    broker: str, account_types: Mapping[str, str]
) -> tuple[tuple[Statement, ...], tuple[Problem, ...], Mapping[str, str]]:
    """Return what a broker that can be asked says is held, and the kinds of its accounts.

    Raises InputError for any other broker, and the error tree of market data where it cannot be had.
    """
    import os

    from engine.market import kis, store
    from engine.settings import MarketSettings

    if broker != kis.NAME:
        raise InputError([error("bad-argument.import-nothing", place("command-line"), brokers=(kis.NAME,))])
    keys = kis.kis_keys(os.environ)
    statement = kis.Kis(keys, store.folder(MarketSettings.from_environment(os.environ))).statement()
    types = {kis.account_label(one): kis.TYPES.get(one[9:], "") for one in keys.accounts}
    held = {one.account for one in statement.lines} | {one.account for one in statement.cash}
    found = note("imported", kis.NAME, form=statement.form, number=len(statement.lines), day=statement.as_of)
    known = {name: kind for name, kind in types.items() if kind and name in held}
    return (statement,), (found, note("kis.untried", kis.NAME)), {**known, **account_types}


def read_statements(
    files: Sequence[Path], *, form: str = "", mapping: Mapping[str, str] | None = None
) -> tuple[tuple[Statement, ...], tuple[Problem, ...]]:
    """Return what each export says, and every problem of all; an export given twice is an error."""
    statements: list[Statement] = []
    problems: list[Problem] = []
    seen: dict[bytes, Path] = {}
    for path in files:
        try:
            data = read_bytes(path)
            statement = _statement(path, data, form, mapping or {})
        except Refused as refused:
            problems.append(refused.problem(str(path)))
            continue
        if data in seen:
            problems.append(error("same-export", str(path), other=str(seen[data])))
            continue
        seen[data] = path
        statements.append(statement)
        problems += statement.problems
        if statement.lines or statement.cash:
            problems.append(note("imported", str(path), form=statement.form, number=len(statement.lines),
                                 day=statement.as_of or phrase("no-day")))  # fmt: skip
    return tuple(statements), tuple(problems)


def _statement(path: Path, data: bytes, form: str, mapping: Mapping[str, str]) -> Statement:
    if path.suffix.lower() not in WORKBOOKS:
        return parse_export(data, path.name, form=form, mapping=mapping)
    return read_tables(sheets_of(path), path.name, form=form, mapping=mapping)


def sheets_of(path: Path) -> list[list[list[str]]]:
    """Return the sheets of a workbook as rows of text."""
    from templates.read.workbooks import read_grids

    sheets = []
    for grid in read_grids(path):
        rows: list[list[str]] = []
        for number in range(1, max(grid.rows, default=0) + 1):
            cells = grid.rows.get(number, {})
            rows.append([_text(cells.get(at)) for at in range(1, max(cells, default=0) + 1)])
        sheets.append(rows)
    return sheets


def _text(cell: object) -> str:
    if isinstance(cell, Decimal):
        return plain_number(cell)
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return "" if cell is None else str(cell).strip()


def _loaded(path: Path) -> Portfolio:
    portfolio, problems = load_portfolio(path)
    if portfolio is None:
        raise InputError(problems)
    return portfolio


def targets_of(model: str, targets: Path | None, currency: str) -> Portfolio | None:
    """Return the portfolio whose targets and rules the import takes, or None."""
    if model:
        from templates.models import load as load_model

        return load_model(model).ready()
    if targets is None:
        return None
    if targets.suffix.lower() != ".csv":
        return _loaded(targets)
    try:
        raw = read_bytes(targets)
    except Refused as refused:
        raise InputError([refused.problem(str(targets))]) from None
    report = Report(str(targets), in_rows(str(targets)))
    table = csv_table(raw, report, _TARGET_COLUMNS, ("weight",), _TARGET_NAMES)
    if not report.failed and not {"ticker", "any", "class"} & table.columns:
        report.error((1, "ticker"), "missing.column", name="ticker")
    sections: dict[str, list[dict[str, object]]] = {}
    for _, row in table.rows:
        values = {key: value for key, value in row.values.items() if value != ""}
        section = str(values.pop("section", "all"))
        sections.setdefault(section, []).append(values)
    if report.failed:
        raise InputError(report.problems)
    body: dict[str, object] = {"base_currency": currency} if currency else {}
    for name, key in (("core", "core"), ("satellite", "satellite"), ("all", "targets")):
        if name in sections:
            body[key] = sections.pop(name)
    if sections:
        body["sections"] = sections
    portfolio, problems = portfolio_from_data({"portfolio": body}, str(targets))
    if portfolio is None:
        raise InputError(problems)
    return portfolio


def _base_currency(statements: Iterable[Statement], wanted: Portfolio | None, currency: str) -> str:
    """Return the base currency: given, that of the targets, or the one currency of everything held."""
    if wanted is not None and currency and currency != wanted.base_currency:
        raise InputError([error("other-base", place("command-line"), given=currency, base=wanted.base_currency)])
    if currency or wanted is not None:
        return currency or (wanted.base_currency if wanted else "")
    statements = tuple(statements)
    found = {line.currency for one in statements for line in one.lines if line.currency}
    found = found or {cash.currency for one in statements for cash in one.cash if cash.currency}
    if len(found) != 1:
        raise InputError([error("several-currencies", place("command-line"), currencies=sorted(found))])
    return found.pop()


def _typed(portfolio: Portfolio, account_types: Mapping[str, str]) -> Portfolio:
    """Return the portfolio with accounts of the types given; raises InputError for a name that none has."""
    names = [account.name for account in portfolio.accounts if portfolio.accounts_declared]
    if unknown := [name for name in account_types if name not in names]:
        where = place("command-line")
        raise InputError([error("account-type-unknown", where, accounts=unknown, known=names or phrase("no-section"))])
    accounts = tuple(replace(one, type=account_types.get(one.name, one.type)) for one in portfolio.accounts)
    return replace(portfolio, accounts=accounts)


def _paid_in(
    portfolio: Portfolio, statements: Iterable[Statement], broker: str
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return the portfolio with what was paid out in its cash: where no export states the account's cash, it is added.

    What was paid is told either way, and of what is added that the same export adds it again another time.
    """
    problems: list[Problem] = []
    accounts = {account.name: account for account in portfolio.accounts}
    for statement in statements:
        stated = {(one.account or broker, one.currency) for one in statement.cash}
        for (account, code), paid in _income(statement, broker).items():
            net = sum((one.amount for one in paid), ZERO)
            days = [one.day for one in paid if one.day]
            values: dict[str, object] = {
                "account": account,
                "currency": code,
                "kinds": [phrase(f"income.{kind}", amount=sum((one.amount for one in paid if one.kind == kind), ZERO))
                          for kind in dict.fromkeys(one.kind for one in paid)],
                "symbols": sorted({one.symbol for one in paid if one.symbol}),
                "first": min(days, default=phrase("no-day")),
                "last": max(days, default=phrase("no-day")),
            }  # fmt: skip
            name = account if account in accounts else next(iter(accounts)) if len(accounts) == 1 else ""
            if (account, code) in stated or (account, "") in stated or net <= 0:
                problems.append(note("income", statement.file, **values))
            elif name not in accounts:
                problems.append(warning("income.no-account", statement.file, net=net, **values))
            else:
                purse = accounts[name].cash
                accounts[name] = replace(accounts[name], cash={**purse, code: purse.get(code, ZERO) + net})
                problems.append(warning("income.added", statement.file, net=net, **values))
    return replace(portfolio, accounts=tuple(accounts.values())), tuple(problems)


def _income(statement: Statement, broker: str) -> dict[tuple[str, str], list[ExportIncome]]:
    found: dict[tuple[str, str], list[ExportIncome]] = {}
    for one in statement.income:
        found.setdefault((one.account or broker, one.currency), []).append(one)
    return found


def _held(
    statements: Sequence[Statement],
    base: str,
    broker: str,
    account_types: Mapping[str, str],
    *,
    prices: bool,
    known: bool,
) -> tuple[Portfolio | None, tuple[Problem, ...]]:
    """Return the portfolio of what is held, without targets; places of its problems are those in the exports."""
    latest = _latest_prices(statements) if prices else {}
    rows: list[dict[str, object]] = []
    where: list[str | Phrase] = []
    problems: list[Problem] = []
    cash: dict[str, dict[str, Decimal]] = {}
    for statement in statements:
        for line in statement.lines:
            rows.append(_row(line, line.account or broker, latest.get(line.symbol)))
            where.append(line.where)
        own = {line.currency for line in statement.lines if line.currency}
        for one in statement.cash:
            code = one.currency or (own.pop() if len(own) == 1 else base)
            purse = cash.setdefault(one.account or broker, {})
            purse[code] = purse.get(code, ZERO) + one.amount
    labels = list(dict.fromkeys([str(row.get("account", "")) for row in rows] + list(cash)))
    body: dict[str, object] = {"base_currency": base, "holdings": rows}
    types = {label: account_types.get(label) or account_type(label) for label in labels}
    if len(labels) > 1 or any(kind not in ("", "taxable") for kind in types.values()):
        if "" in labels:
            problems.append(error("account-nameless", place("command-line"), accounts=[one for one in labels if one]))
        body["accounts"] = [
            {"name": label or "?", "type": types[label] or "taxable", "cash": cash.get(label, {})} for label in labels
        ]
        if (unsure := [label for label in labels if not types[label]]) and not known:
            problems.append(note("accounts-taxable", place("portfolio"), accounts=unsure))
        told = [phrase("account-of-type", account=label, type=kind) for label, kind in types.items()
                if kind and label not in account_types]  # fmt: skip
        if told and not known:
            problems.append(note("accounts-typed", place("portfolio"), accounts=told))
    else:
        body["cash"] = next(iter(cash.values()), {})

    def locate(path: tuple[str | int, ...]) -> str | Phrase:
        found = path[2] if len(path) > 2 and path[1] == "holdings" else None
        return where[found] if isinstance(found, int) else place("portfolio")

    portfolio, found = portfolio_from_data({"portfolio": body}, "portfolio", locate)
    problems += [one for one in found if one.code not in ("no-targets", "repeated-holding")]
    failed = any(one.severity == "error" for one in problems)
    return None if failed else portfolio, tuple(problems)


def _latest_prices(statements: Iterable[Statement]) -> dict[str, Decimal]:
    """Return one price for each symbol: that of the latest export, the last one of those of a day."""
    found: dict[str, tuple[dt.date, Decimal]] = {}
    for statement in statements:
        day = statement.as_of or dt.date.min
        for line in statement.lines:
            if line.price is not None and (line.symbol not in found or found[line.symbol][0] <= day):
                found[line.symbol] = (day, line.price)
    return {symbol: price for symbol, (_, price) in found.items()}


def _row(line: ExportLine, account: str, price: Decimal | None) -> dict[str, object]:
    known = catalogue.load().find(line.symbol)
    row: dict[str, object] = {"symbol": line.symbol, "quantity": line.quantity}
    if account:
        row["account"] = account
    if line.average_cost is not None and line.average_cost >= 0:
        row["average_cost"] = line.average_cost
    if price:
        row["price"] = price
    if line.currency and (known is None or known.currency != line.currency):
        row["currency"] = line.currency
    if line.name and line.name != line.symbol and (known is None or catalogue.load().find(line.name)):
        row["name"] = line.name
    return row


def _wanting(held: Portfolio, wanted: Portfolio) -> Portfolio:
    """Return what is held with the targets and rules of another portfolio."""
    return replace(
        wanted,
        name=held.name or wanted.name,
        instruments={**wanted.instruments, **held.instruments},
        holdings=held.holdings,
        accounts=held.accounts,
        accounts_declared=held.accounts_declared,
        notes=(),
    )


def merged(existing: Portfolio, held: Portfolio, *, replaces_cash: bool) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return a portfolio with the holdings and cash of the accounts that exports speak of brought up to date.

    Targets, rules and settings stay, and so do locks; an account that no export speaks of stays as it is.
    """
    labels = labels_of(existing)
    renamed, problems = _renamed(held, labels, declared=existing.accounts_declared)
    covered = labels_of(renamed)
    rows = _brought_up_to_date(existing.holdings, renamed.holdings, covered)
    accounts = existing.accounts
    if replaces_cash and existing.accounts_declared:
        said = {label: _cash_of(renamed, label) for label in covered}
        accounts = tuple(replace(one, cash={**one.cash, **said.get(one.name, {})}) for one in accounts)
    elif replaces_cash and covered >= labels:
        accounts = (replace(accounts[0], cash={**accounts[0].cash, **_all_cash(renamed)}),)
    elif replaces_cash and covered.isdisjoint(labels):  # accounts of their own: what is there is not theirs
        total = {code: accounts[0].cash.get(code, ZERO) + amount for code, amount in _all_cash(renamed).items()}
        accounts = (replace(accounts[0], cash={**accounts[0].cash, **total}),)
    elif replaces_cash:
        problems = (*problems, warning("cash-left", place("portfolio"), accounts=sorted(labels - covered)))
    instruments = {**renamed.instruments, **existing.instruments}
    return replace(existing, holdings=rows, accounts=accounts, instruments=instruments, notes=()), problems


def labels_of(portfolio: Portfolio) -> set[str]:
    """Return the names of the accounts that a portfolio declares, and those that stand beside its holdings."""
    named = {one.name for one in portfolio.accounts} if portfolio.accounts_declared else set()
    return named | {one.account for one in portfolio.holdings}


def _all_cash(portfolio: Portfolio) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for account in portfolio.accounts:
        for code, amount in account.cash.items():
            total[code] = total.get(code, ZERO) + amount
    return total


def _cash_of(portfolio: Portfolio, label: str) -> Mapping[str, Decimal]:
    if not portfolio.accounts_declared:
        return portfolio.accounts[0].cash
    return next((one.cash for one in portfolio.accounts if one.name == label), {})


def _renamed(held: Portfolio, labels: set[str], *, declared: bool) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return what is held under the names that the portfolio has for its accounts: the only one, or the same."""
    own = labels_of(held)
    if own <= labels or not labels:
        return held, ()
    if len(own) == len(labels) == 1 and ("" in own or "" in labels or declared):
        name = next(iter(labels))
        return replace(
            held,
            holdings=tuple(replace(one, account=name) for one in held.holdings),
            accounts=(Account(name if held.accounts_declared else "", cash=held.accounts[0].cash),),
        ), ()
    if "" in own or labels == {""} or declared:
        where = place("command-line")
        return held, (error("account-unclear", where, given=sorted(own), accounts=sorted(labels)),)
    return held, ()


def _brought_up_to_date(before: Sequence[Holding], after: Sequence[Holding], covered: set[str]) -> tuple[Holding, ...]:
    """Return the rows as they stand where quantity and cost are the same, else those of the export, locks kept."""
    rows: list[Holding] = []
    prices = {one.symbol: one.price for one in after if one.price is not None}
    new: dict[tuple[str, str], list[Holding]] = {}
    for one in after:
        new.setdefault((one.account, one.symbol), []).append(one)
    done: set[tuple[str, str]] = set()
    for row in before:
        key = (row.account, row.symbol)
        if row.account not in covered:
            rows.append(replace(row, price=prices.get(row.symbol, row.price)))
            continue
        if key in done or key not in new:
            continue
        done.add(key)
        lots = [one for one in before if (one.account, one.symbol) == key]
        if _sum(lots) == _sum(new[key]) and (_average(new[key]) in (None, _average(lots))):
            rows += [replace(one, price=prices.get(one.symbol, one.price)) for one in lots]
            continue
        locked = all(one.locked for one in lots)
        cost = _average(lots)
        rows += [
            replace(one, locked=locked, average_cost=cost if one.average_cost is None else one.average_cost,
                    price=one.price if one.price is not None else row.price,
                    # What was left of a purchase was bought at its rate; of what came since, no export says the rate.
                    cost_fx=row.cost_fx if len(lots) == 1 and one.quantity <= row.quantity else None)
            for one in new[key]
        ]  # fmt: skip
    return (*rows, *(one for key, lots in new.items() if key not in done for one in lots))


def _sum(rows: Iterable[Holding]) -> Decimal:
    return sum((one.quantity for one in rows), ZERO)


def _average(rows: Sequence[Holding]) -> Decimal | None:
    """Return the average cost of all rows, None where one of them has none."""
    quantity = _sum(rows)
    if not quantity or any(one.average_cost is None for one in rows):
        return None
    return sum((one.quantity * (one.average_cost or ZERO) for one in rows), ZERO) / quantity


def holding_changes(before: Portfolio | None, after: Portfolio) -> Iterator[HoldingChange]:
    """Yield what differs in quantity or cost between what was held and what is, by account and symbol."""
    old, new = ({} if one is None else _by_key(one.holdings) for one in (before, after))
    for key in dict.fromkeys((*old, *new)):
        lots, now = old.get(key, []), new.get(key, [])
        figures = (_sum(lots), _sum(now), _average(lots), _average(now))
        if lots and now and figures[0] == figures[1] and figures[2] == figures[3]:
            continue
        kind: Literal["new", "gone", "changed"] = "changed" if lots and now else "new" if now else "gone"
        account, symbol = key
        instruments = {**(before.instruments if before else {}), **after.instruments}
        yield HoldingChange(kind, account, symbol, instruments[symbol].name, *figures)


def _by_key(holdings: Iterable[Holding]) -> dict[tuple[str, str], list[Holding]]:
    found: dict[tuple[str, str], list[Holding]] = {}
    for one in holdings:
        found.setdefault((one.account, one.symbol), []).append(one)
    return found


def cash_changes(before: Portfolio | None, after: Portfolio) -> Iterator[CashChange]:
    """Yield what differs in cash, by account and currency."""
    old, new = (
        {(a.name, code): n for a in one.accounts for code, n in a.cash.items()} if one else {}
        for one in (before, after)
    )
    for key in dict.fromkeys((*old, *new)):
        if old.get(key, ZERO) != new.get(key, ZERO):
            yield CashChange(*key, old.get(key, ZERO), new.get(key, ZERO))


def write_imported(imported: Imported, path: Path, lang: Lang, *, into: Path | None = None, force: bool = False) -> str:
    """Write what was imported as a portfolio file (.yaml) or a workbook (.xlsx), whole or not at all.

    A YAML file `into` keeps its comments and order, also where it is written under another name, and may be written
    over. A workbook keeps its sheets and formats, where it is one of ours; the answer says why where it cannot, else
    it is "". A new one without a name is called as its file. Raises InputError where it cannot be.
    """
    portfolio = imported.portfolio
    if into is None and not portfolio.name:
        portfolio = replace(portfolio, name=path.stem)
    return write_changed(portfolio, path, lang, into, force=force, remarks=imported.remarks)


def write_changed(
    portfolio: Portfolio,
    path: Path,
    lang: Lang,
    into: Path | None = None,
    *,
    force: bool = False,
    remarks: Mapping[str, str] | None = None,
) -> str:
    """Write a portfolio as a YAML file or a workbook, whole or not at all; return what has to be known, or "".

    `into` is the file it comes from: a YAML file keeps its comments and may be written over; a workbook (.xlsx) keeps
    its sheets, formats and results, with what has changed in its tables of inputs. Raises InputError where it cannot
    be.
    """
    yaml = path.suffix.lower() in SUFFIXES
    same = into is not None and into.exists() and path.exists() and path.samefile(into) and yaml
    macros = into is not None and into.suffix.lower() == path.suffix.lower() == ".xlsm"
    suffix = path.suffix.lower() if yaml or macros else ".xlsx"
    problems = output_problems(path, suffix, force=force or same)
    if problems:
        raise InputError(problems)
    if yaml:
        source = into if into is not None and into.suffix.lower() in SUFFIXES else None
        write_whole(path, yaml_text(portfolio, source, remarks or {}).encode())
        return ""
    from templates.report import BookReport
    from templates.write import build

    report, told = BookReport(portfolio), ""
    if into is not None and into.suffix.lower() in WORKBOOKS:
        from templates.merge.inputs import write_inputs
        from templates.read.book import read_book

        before = read_book(into).report()
        if before is not None:
            report = replace(before, portfolio=portfolio)
        data, notice = write_inputs(into, report, lang)
        if data is not None and holds(data, into, portfolio):
            write_whole(path, data)
            return ""
        notice = notice or phrase("not-kept", file=into.name, reason=phrase("not-kept.inputs"))
        if macros:
            raise InputError([Problem("error", "not-kept", str(path), notice)])
        told = notice.told(lang)
    write_whole(path, build(report, lang).to_bytes())
    return told


def holds(data: bytes, into: Path, portfolio: Portfolio) -> bool:
    """Tell whether a workbook says what a portfolio holds and wants."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / into.name
        path.write_bytes(data)
        read, _ = load_portfolio(path)
    return read is not None and _said(read) == _said(portfolio)


def _said(portfolio: Portfolio) -> object:
    held = sorted((one.account, one.symbol, one.quantity, one.average_cost or ZERO, one.price or ZERO, one.locked)
                  for one in portfolio.holdings if one.quantity or one.value or one.price)  # fmt: skip
    cash = sorted((one.name, code, amount) for one in portfolio.accounts for code, amount in one.cash.items() if amount)
    wanted = sorted((section.name, target.symbol, target.weight, target.enabled) for section, target in
                    portfolio.targets())  # fmt: skip
    return held, cash, wanted
