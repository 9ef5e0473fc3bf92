"""What happened, booked into a portfolio's file and its ledger: by hand, from a list of entries, from brokers' exports.

Holdings and ledger agree afterwards, or nothing is written. Where they agreed before, the file moves with what is new;
where the file already is what the ledger then comes to, only the ledger grows. Else a person decides which of the two
is right: the file (`correct`), or the ledger (`rebuild`).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.brokers import TransactionList, parse_transactions
from engine.data.brokers.transactions import read_transaction_tables
from engine.data.files import Refused, decode, read_bytes
from engine.errors import InputError, Problem, error, note, warning
from engine.ledger.account import Books, booked, difference_problems, differences, rebuilt
from engine.ledger.arrivals import Arrivals, arrivals, as_entries, with_ratios
from engine.ledger.entries import LedgerEntry, parse_entries
from engine.ledger.kinds import EntryKind
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.portfolio import Instrument, Portfolio
from engine.text import plain_number
from rebalancer.ledgers import (
    Ledger,
    commit,
    corrections,
    ledger_file,
    new_id,
    opening,
    read_ledger,
    recording,
    shared_with,
)

if TYPE_CHECKING:
    from engine.words import Lang
    from rebalancer.importing import Imported


@dataclass(frozen=True, slots=True)
class Booking:
    """What a booking changes: the portfolio before and after it, and the entries that are new.

    `known` entries were in the ledger already. `problems` are errors where it cannot be done as it stands.
    """

    before: Portfolio
    after: Portfolio
    entries: tuple[LedgerEntry, ...]
    known: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether it cannot be written."""
        return any(problem.severity == "error" for problem in self.problems)


def read_transactions(
    files: Sequence[Path], *, form: str = "", mapping: Mapping[str, str] | None = None
) -> tuple[tuple[TransactionList, ...], tuple[Problem, ...]]:
    """Return what each export says has happened, and every problem of all; an export given twice is an error."""
    from rebalancer.importing import WORKBOOKS, sheets_of

    found: list[TransactionList] = []
    problems: list[Problem] = []
    seen: dict[bytes, Path] = {}
    for path in files:
        try:
            data = read_bytes(path)
            if path.suffix.lower() in WORKBOOKS:
                listed = read_transaction_tables(sheets_of(path), path.name, form=form, mapping=mapping or {})
            else:
                listed = parse_transactions(data, path.name, form=form, mapping=mapping)
        except Refused as refused:
            problems.append(refused.problem(str(path)))
            continue
        if data in seen:
            problems.append(error("same-export", str(path), other=str(seen[data])))
            continue
        seen[data] = path
        found.append(listed)
        problems += listed.problems
        if listed.transactions:
            days = [one.day for one in listed.transactions]
            problems.append(note("imported-transactions", str(path), form=listed.form, number=len(days),
                                 first=min(days), last=max(days)))  # fmt: skip
    return tuple(found), tuple(problems)


def import_transactions(
    file: Path,
    lists: Sequence[TransactionList],
    day: dt.date,
    lang: Lang,
    *,
    broker: str = "",
    correct: bool = False,
    rebuild: bool = False,
    write: bool = True,
) -> Booking:
    """Book brokers' transactions into a portfolio's file and its ledger; with `write` false, say what that would do.

    `broker` is the account's name where the exports name none of the portfolio's. Raises InputError with every
    problem where it is to be written and cannot be.
    """
    names = {one.symbol: (one.name, one.currency) for listed in lists for one in listed.transactions if one.symbol}

    def groups(portfolio: Portfolio) -> list[tuple[LedgerEntry, ...]]:
        made = [as_entries(one.transactions, portfolio.base_currency) for one in lists]
        return _in_accounts(_by_code(made, portfolio), portfolio, broker)

    if not write:
        return _booking(file, groups, names, day, correct=correct, rebuild=rebuild, by_hand=False)
    with recording(file):
        raw = file.read_bytes()
        found = _booking(file, groups, names, day, correct=correct, rebuild=rebuild, by_hand=False)
        _written(file, raw, found, lang)
    return found


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person says has happened: `name` is the instrument's, of money alone its currency or ""."""

    kind: EntryKind
    name: str
    number: Decimal


def entries_of_events(
    portfolio: Portfolio, events: Iterable[Event], day: dt.date, *, account: str = "", tax: Decimal = ZERO
) -> tuple[LedgerEntry, ...]:
    """Return what a person says has happened as entries, of the portfolio's only account where none is named.

    `tax` is what was withheld of the only dividend or interest. Raises InputError with every name that is not known.
    """
    events = tuple(events)
    where, base = place("command-line"), portfolio.base_currency
    names = [one.name for one in portfolio.accounts] if portfolio.accounts_declared else []
    labels = names or sorted({one.account for one in portfolio.holdings})
    problems: list[Problem] = []
    if account and account not in labels:
        known = phrase("repair.accounts", known=labels or [""])
        problems.append(error("unknown-account", where, account=account, repair=known))
    paid = [one for one in events if one.kind in ("dividend", "interest")]
    if tax and len(paid) != 1:
        problems.append(error("bad-argument.tax-of-one", where))
    elif tax and tax > paid[0].number:
        problems.append(error("bad-argument.tax-above", where, tax=tax, amount=paid[0].number))
    found: list[LedgerEntry] = []
    for one in events:
        of_shares = one.kind in ("dividend", "split")
        named = {item.name.casefold(): item.symbol for item in portfolio.instruments.values()}
        symbol = named.get(one.name.casefold(), one.name.upper()) if of_shares else ""
        if of_shares and symbol not in portfolio.instruments:
            problems.append(error("fill-unknown", where, symbol=one.name))
            continue
        currency = portfolio.instruments[symbol].currency if of_shares else one.name or base
        held = dict.fromkeys(row.account for row in portfolio.holdings if row.symbol == symbol) if of_shares else {}
        own = account or (next(iter(held)) if len(held) == 1 else labels[0] if len(labels) == 1 else "")
        if names and not own:
            problems.append(error("missing", where, field="--account", repair=phrase("repair.one-of", choices=names)))
            continue
        quantity, amount = (one.number, ZERO) if one.kind == "split" else (ZERO, one.number)
        found.append(
            LedgerEntry(
                "", "", day, one.kind, own, symbol, quantity, None, "" if one.kind == "split" else currency, amount,
                tax=tax if one in paid else ZERO,
                fx=portfolio.fx.get(currency + base) if one.kind != "split" else None,
            )
        )  # fmt: skip
    if problems:
        raise InputError(problems)
    return tuple(found)


def not_yet(entries: Iterable[LedgerEntry], today: dt.date) -> tuple[Problem, ...]:
    """Return a warning for each day of entries that has not come: a day ahead it may be elsewhere, not two."""
    days = dict.fromkeys(one.date for one in entries if one.date > today + dt.timedelta(days=1))
    return tuple(warning("booking-not-yet", place("command-line"), day=day, today=today) for day in days)


def record_entries(
    file: Path, entries: Sequence[LedgerEntry], day: dt.date, lang: Lang, *, once: bool = False
) -> Booking:
    """Book entries made by hand into a portfolio's file and its ledger; the first time, what is held begins it.

    With `once` an entry that the ledger has already is left out. Raises InputError where the file does not hold what
    its ledger comes to, or more leaves than is there.
    """
    names = {one.symbol: ("", one.currency) for one in entries if one.symbol}
    with recording(file):
        raw = file.read_bytes()
        found = _booking(
            file, lambda _: [tuple(entries)], names, day,
            correct=False, rebuild=False, by_hand=True, once=once,
        )  # fmt: skip
        _written(file, raw, found, lang)
    return found


def portfolio_of_transactions(
    lists: Sequence[TransactionList],
    problems: tuple[Problem, ...],
    *,
    broker: str = "",
    model: str = "",
    targets: Path | None = None,
    currency: str = "",
    account_types: Mapping[str, str] | None = None,
) -> tuple[Imported, tuple[LedgerEntry, ...]]:
    """Return the portfolio that transactions come to, from the first on, and its ledger's entries.

    Everything else as in `rebalancer.importing.import_files`. Raises InputError with every problem; also where more
    was sold than bought, so that something is missing before the first one.
    """
    from engine.data.brokers.records import ExportCash, ExportLine, Statement
    from rebalancer.importing import import_statements, targets_of

    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    wanted = targets_of(model, targets, currency)
    used = {one.currency for listed in lists for one in listed.transactions if one.currency}
    base = currency or (wanted.base_currency if wanted else "") or (used.pop() if len(used) == 1 else "")
    if not base:
        raise InputError([error("several-currencies", place("command-line"), currencies=sorted(used))])
    names = {one.symbol: one.name for listed in lists for one in listed.transactions if one.symbol}
    batch = new_id()
    new: list[LedgerEntry] = []
    for listed in lists:
        entries = as_entries(listed.transactions, base)
        entries = tuple(replace(one, account=one.account or broker) for one in entries)
        found = arrivals(entries, new, batch)
        new += found.new
        problems = (*problems, *found.problems)
    whole, split = with_ratios(new, (), base)
    books = booked(whole, base)
    if faults := (*split, *_impossible(books)):
        raise InputError((*problems, *faults))
    currencies = {one.symbol: one.currency for one in whole if one.symbol and one.currency}
    where = lists[0].file
    lines = tuple(
        ExportLine(symbol, stock.quantity, where, names.get(symbol, ""), account, "", stock.average.cost, None,
                   currencies.get(symbol, ""))
        for (account, symbol), stock in books.stocks.items()
        if stock.quantity > 0
    )  # fmt: skip
    cash = tuple(ExportCash(amount, code, where, account) for (account, code), amount in books.cash.items())
    statement = Statement(where, lists[0].form, lines, cash)
    made = import_statements(
        (statement,), problems, model=model, targets=targets, currency=base, prices=False, account_types=account_types
    )
    declared = made.portfolio.accounts_declared or any(one.account for one in made.portfolio.holdings)
    if not declared:
        whole = tuple(replace(one, account="") for one in whole)
        books = booked(whole, base)
    return replace(made, portfolio=rebuilt(made.portfolio, books)), whole


def rebuild_file(file: Path, lang: Lang) -> Booking:
    """Make a portfolio's file what its ledger comes to: quantities, average costs, cash.

    Raises InputError where there is no ledger, or the file cannot take it.
    """
    from rebalancer.loading import load

    with recording(file):
        raw, before, ledger = file.read_bytes(), load(file), read_ledger(file)
        if not ledger.standing:
            raise InputError([error("ledger-empty", str(ledger_file(file)))])
        names = {one.symbol: ("", one.currency) for one in ledger.standing if one.symbol}
        known, problems = _with_instruments(before, names)
        books = ledger.books(before.base_currency)
        after = before if problems else rebuilt(known, books)
        found = Booking(before, after, (), problems=(*problems, *_impossible(books)))
        _written(file, raw, found, lang)
    return found


def read_entry_list(path: Path, portfolio: Portfolio) -> tuple[LedgerEntry, ...]:
    """Return the entries of a CSV with a ledger's columns, of which date, kind and what the kind needs are enough.

    Raises InputError with every row that cannot be used.
    """
    try:
        text = decode(read_bytes(path))
    except Refused as refused:
        raise InputError([refused.problem(str(path))]) from None
    text = text if text.endswith("\n") else text + "\n"
    entries, problems = parse_entries(text, str(path), own=False)
    if any(problem.severity == "error" for problem in problems) or not entries:
        raise InputError(problems or [error("ledger-nothing", str(path))])
    codes = {one.name.casefold(): one.symbol for one in portfolio.instruments.values()}
    names = [one.name for one in portfolio.accounts] if portfolio.accounts_declared else []
    known = phrase("repair.accounts", known=names)
    strange = dict.fromkeys(one.account for one in entries if names and one.account not in names)
    if strange:
        raise InputError([error("unknown-account", str(path), account=name, repair=known) for name in strange])
    return tuple(replace(one, symbol=codes.get(one.symbol.casefold(), one.symbol)) for one in entries)


def _booking(
    file: Path,
    groups: Callable[[Portfolio], Sequence[Sequence[LedgerEntry]]],
    names: Mapping[str, tuple[str, str]],
    day: dt.date,
    *,
    correct: bool,
    rebuild: bool,
    by_hand: bool,
    once: bool = True,
) -> Booking:
    """Return what booking groups of entries does; the entries of one group happened beside one another."""
    from rebalancer.loading import load

    before, ledger = load(file), read_ledger(file)
    base, batch = before.base_currency, new_id()
    found = _arrived(groups(before), ledger, batch, once=once)
    new, split = with_ratios(found.new, ledger.standing, base)
    known, problems = _with_instruments(before, names)
    problems = (*found.problems, *split, *problems)
    if any(problem.severity == "error" for problem in problems):
        return Booking(before, before, new, found.known, problems)
    begin, told = _beginning(before, ledger, new, day, correct=correct, rebuild=rebuild, by_hand=by_hand)
    problems = (*problems, *told)
    stands = (*ledger.standing, *begin)
    was, books = booked(stands, base), booked((*stands, *new), base)
    touched = frozenset((one.account, one.symbol) for one in new)
    after = before
    if not differences(books, before):
        pass
    elif rebuild:
        after = rebuilt(known, books)
    elif not differences(was, before):
        after = rebuilt(known, books, touched)
    elif correct:
        added = tuple(replace(one, batch=batch) for one in corrections(known, books, day))
        return Booking(before, before, (*begin, *new, *added), found.known, problems)
    elif not any(problem.severity == "error" for problem in told):
        off = (*difference_problems(differences(was if by_hand else books, before), file.name), *shared_with(file))
        problems = (*problems, *off) if by_hand else (*problems, *off, error("booking-differs", str(file)))
    if after is not before:
        problems = (*problems, *_impossible(books), *overdrawn(before, after), *_of_before_a_split(before, new))
    return Booking(before, after, (*begin, *new), found.known, problems)


def _arrived(groups: Iterable[Sequence[LedgerEntry]], ledger: Ledger, batch: str, *, once: bool) -> Arrivals:
    """Return what is new of all groups; with `once` false, all of it."""
    new: list[LedgerEntry] = []
    known, problems = 0, list[Problem]()
    for group in groups:
        if not once:
            new += [replace(one, id=new_id(), batch=batch) for one in group]
            continue
        found = arrivals(group, (*ledger.entries, *new), batch)
        new += found.new
        known += found.known
        problems += found.problems
    return Arrivals(tuple(new), known, tuple(problems))


def _beginning(
    portfolio: Portfolio,
    ledger: Ledger,
    new: Sequence[LedgerEntry],
    day: dt.date,
    *,
    correct: bool,
    rebuild: bool,
    by_hand: bool,
) -> tuple[tuple[LedgerEntry, ...], tuple[Problem, ...]]:
    """Return what a ledger that is not there yet begins with, and what has to be decided first.

    By hand: what is held. Before transactions: nothing where they come to what is held, or nothing is held yet;
    where the file is right, what must have been there before them.
    """
    if ledger.standing or not new:
        return (), ()
    first = min(one.date for one in new)
    if by_hand:
        return opening(portfolio, min(first, day)), ()
    base = portfolio.base_currency
    books = booked(new, base)
    if rebuild or not differences(books, portfolio) or not differences(Books(base), portfolio):
        return (), ()
    if not correct:
        return (), (error("booking-begins", ledger.path.name, first=first, day=first - dt.timedelta(days=1)),)
    batch, begun = new[0].batch, []
    for one in differences(books, portfolio):
        if one.quantity < 0:
            continue
        stock = books.stocks.get((one.account, one.symbol))
        price = one.price if stock is None or not stock.quantity else None
        begun.append(replace(one, id=new_id(), batch=batch, date=first - dt.timedelta(days=1), kind="opening",
                             price=price))  # fmt: skip
    return tuple(begun), ()


def _impossible(books: Books) -> tuple[Problem, ...]:
    """Return an error for each instrument of which books hold less than nothing: entries before them are missing."""
    return tuple(
        error("booking-short", place("position", symbol=symbol), quantity=stock.quantity, account=account)
        for (account, symbol), stock in books.stocks.items()
        if stock.quantity < 0
    )


def _of_before_a_split(portfolio: Portfolio, entries: Iterable[LedgerEntry]) -> tuple[Problem, ...]:
    """Return a warning for each price of one's own that a split among the entries makes one of the old shares."""
    splits = {one.symbol: one for one in entries if one.kind == "split"}
    return tuple(
        warning(
            "price-before-split", place("position", symbol=row.symbol),
            price=row.price, day=splits[row.symbol].date, now=row.price / splits[row.symbol].quantity,
        )
        for row in portfolio.holdings
        if row.symbol in splits and row.price is not None
    )  # fmt: skip


def overdrawn(before: Portfolio, after: Portfolio) -> tuple[Problem, ...]:
    """Return a warning for each purse that a booking takes below 0, or further below."""
    from rebalancer.importing import cash_changes

    return tuple(
        warning(
            "negative-cash",
            place("cash-in", currency=one.currency, account=one.account)
            if one.account
            else place("cash-of", currency=one.currency),
            amount=plain_number(one.after),
            currency=one.currency,
        )
        for one in cash_changes(before, after)
        if one.after < min(one.before, ZERO)
    )


def _by_code(groups: Iterable[Sequence[LedgerEntry]], portfolio: Portfolio) -> list[tuple[LedgerEntry, ...]]:
    """Return entries whose instruments that are only named have the codes that the portfolio has for them."""
    codes = {one.name: one.symbol for one in portfolio.instruments.values()}
    return [
        tuple(
            one if one.symbol in portfolio.instruments else replace(one, symbol=codes.get(one.symbol, one.symbol))
            for one in group
        )
        for group in groups
    ]


def _in_accounts(
    groups: Sequence[Sequence[LedgerEntry]], portfolio: Portfolio, broker: str
) -> list[tuple[LedgerEntry, ...]]:
    """Return entries in the portfolio's accounts: as they are called there, or the only one, or the one named.

    Raises InputError where it is not clear which account is meant.
    """
    from rebalancer.importing import labels_of

    labels = labels_of(portfolio)
    found = []
    for group in groups:
        own = {one.account for one in group}
        if own <= labels or not own:
            found.append(tuple(group))
            continue
        name = None
        if len(own) == 1 and broker and (broker in labels or not portfolio.accounts_declared):
            name = broker
        elif len(own) == 1 and len(labels) == 1:
            name = next(iter(labels))
        elif len(own) == 1 and not labels:
            name = ""
        elif portfolio.accounts_declared or "" in own:
            raise InputError(
                [error("account-unclear", place("command-line"), given=sorted(own), accounts=sorted(labels))]
            )
        found.append(tuple(group) if name is None else tuple(replace(one, account=name) for one in group))
    return found


def _with_instruments(
    portfolio: Portfolio, names: Mapping[str, tuple[str, str]]
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Return the portfolio knowing these symbols too, with their names and currencies."""
    from engine.data.document import portfolio_from_data

    known = {one.name for one in portfolio.instruments.values()}
    lacking = {key: said for key, said in names.items() if key not in portfolio.instruments and key not in known}
    if not lacking:
        return portfolio, ()
    from engine.market import catalogue

    rows: list[dict[str, object]] = []
    for symbol, (name, currency) in lacking.items():
        listed = catalogue.load().find(symbol)
        row: dict[str, object] = {"symbol": symbol, "quantity": 0}
        if currency and (listed is None or listed.currency != currency):
            row["currency"] = currency
        if name and name != symbol and listed is None:
            row["name"] = name
        rows.append(row)
    body = {"base_currency": portfolio.base_currency, "holdings": rows}
    found, problems = portfolio_from_data({"portfolio": body}, "portfolio")
    faults = tuple(one for one in problems if one.severity == "error")
    if found is None or faults:
        return portfolio, faults
    extra: dict[str, Instrument] = dict(found.instruments)
    return replace(portfolio, instruments={**extra, **portfolio.instruments}), ()


def _written(file: Path, raw: bytes, found: Booking, lang: Lang) -> None:
    """Write a booking, both file and ledger, with what takes it back."""
    from rebalancer.storing import NO_BATCH, written_into

    if found.failed:
        raise InputError(found.problems)
    if not found.entries and found.after == found.before:
        return
    data = raw if found.after == found.before else written_into(file, found.after, lang)
    commit(file, raw, data, found.entries, found.entries[-1].batch if found.entries else NO_BATCH)


def begin_with_ledger(
    file: Path, imported: Imported, entries: Sequence[LedgerEntry], lang: Lang, *, force: bool
) -> str:
    """Write a new portfolio's file and its ledger, both or neither; return what has to be known, or "".

    Raises InputError where a place cannot be written to, or a ledger stands there already.
    """
    from rebalancer.importing import write_imported
    from rebalancer.loading import load

    with recording(file):
        if ledger_file(file).exists():
            raise InputError([error("output-exists", str(ledger_file(file)))])
        told = write_imported(imported, file, lang, force=force)
        if off := differences(booked(entries, imported.portfolio.base_currency), load(file)):
            raise InputError(difference_problems(off, file.name))
        raw = file.read_bytes()
        commit(file, raw, raw, entries)
    return told


def kinds_of(entries: Iterable[LedgerEntry]) -> tuple[object, ...]:
    """Return how many entries of each kind there are, to be told."""
    return tuple(
        phrase("entries-of-kind", kind=phrase(f"entry-kind.{kind}"), number=number)
        for kind, number in Counter(one.kind for one in entries).items()
    )
