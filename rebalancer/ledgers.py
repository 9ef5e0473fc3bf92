"""The ledger of a portfolio's file: what was recorded is written into both, whole, or into neither.

`NAME.ledger.csv` stands beside `NAME.yaml`, and is only ever added to. A workbook has it on its Ledger sheet, with one
snapshot a month; further ones stand beside it, as does all of one without such a sheet. A recording first
writes down what it is going to do (`.NAME.pending.json`), then does it; a later one finishes what was interrupted. A
lock keeps two processes apart.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.files import decode
from engine.errors import InputError, Problem, error, warning
from engine.ledger.account import Books, booked, difference_problems, differences
from engine.ledger.entries import COLUMNS, LedgerEntry, columns_of, dump_entries, parse_entries, standing
from engine.ledger.kinds import EntryKind
from engine.money import ZERO
from engine.portfolio import Contributed, Portfolio, YearSoFar
from rebalancer.files import write_whole

if TYPE_CHECKING:
    from engine.quote import Quote
    from engine.words import Lang
    from rebalancer.storing import StoredPlan, StoredTrade

#: Workbooks that may have the ledger on a sheet of their own.
_BOOKS = (".xlsx", ".xlsm")
#: Files of portfolios, two of which in one folder may have one name.
_FILES = (".yaml", ".yml", *_BOOKS)
#: Seconds to wait for another process that records into the same portfolio.
_PATIENCE = 10.0


def ledger_file(source: Path) -> Path:
    """Return where the ledger of a portfolio's file is kept: NAME.ledger.csv beside it."""
    return source.with_name(f"{source.stem}.ledger.csv")


def pending_file(source: Path) -> Path:
    """Return where a recording that is under way is written down."""
    return source.with_name(f".{source.stem}.pending.json")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries beside a portfolio's file, in the order they were written, and what was found reading them."""

    path: Path
    entries: tuple[LedgerEntry, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def standing(self) -> tuple[LedgerEntry, ...]:
        """Return the entries that were not taken back."""
        return tuple(standing(self.entries))

    def books(self, base: str) -> Books:
        """Return what the entries come to."""
        return booked(self.standing, base)


def read_ledger(source: Path) -> Ledger:
    """Return the ledger of a portfolio's file, without entries where there is none yet.

    A workbook's is that beside it and, after it, that on its Ledger sheet. Raises InputError with every row that
    cannot be used.
    """
    beside = _beside(source)
    if source.suffix.lower() not in _BOOKS:
        return beside
    from templates.ledger import ledger_of

    sheet = ledger_of(content_of(source), source.name)
    if any(problem.severity == "error" for problem in sheet.problems):
        raise InputError(sheet.problems)
    entries = {one.id: one for one in (*beside.entries, *sheet.entries)}
    path = source if sheet.entries else beside.path
    return Ledger(path, tuple(entries.values()), (*beside.problems, *sheet.problems))


def lacks_sheet(source: Path) -> bool:
    """Tell whether a portfolio's file is a workbook without a Ledger sheet, whose entries stand beside it."""
    from templates.ledger import ledger_of

    return source.suffix.lower() in _BOOKS and not ledger_of(content_of(source), source.name).there


def _beside(source: Path) -> Ledger:
    """Return what stands in NAME.ledger.csv."""
    path = ledger_file(source)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Ledger(path, ())
    except OSError as fault:
        raise InputError([error("unreadable-file", str(path), reason=fault.strerror or type(fault).__name__)]) from None
    # Only while a recording is under way may the last line be half of one; else it is as somebody wrote it.
    text = decode(raw)
    entries, problems = parse_entries(text if pending_file(source).exists() else _ended(text), str(path))
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return Ledger(path, entries, problems)


def shared_with(source: Path) -> tuple[Problem, ...]:
    """Return a warning where another portfolio's file has the name of this one, and so the ledger beside it too."""
    path = ledger_file(source)
    if not path.exists():
        return ()
    others = sorted(
        one.name
        for one in source.parent.iterdir()
        if one.stem == source.stem and one.suffix.lower() in _FILES and one.name != source.name
    )
    return (warning("ledger-shared", str(path), file=source.name, others=tuple(others)),) if others else ()


def opening(portfolio: Portfolio, day: dt.date) -> tuple[LedgerEntry, ...]:
    """Return what a ledger begins with: what is held, at what it cost, and the cash."""
    batch = new_id()
    found = [
        LedgerEntry(
            new_id(), batch, day, "opening", one.account, one.symbol, one.quantity, one.average_cost,
            portfolio.instruments[one.symbol].currency, fx=one.cost_fx,
        )
        for one in portfolio.holdings
        if one.quantity
    ]  # fmt: skip
    found += [
        LedgerEntry(new_id(), batch, day, "opening", one.name, currency=currency, amount=amount)
        for one in portfolio.accounts
        for currency, amount in one.cash.items()
        if amount
    ]
    return tuple(found)


def new_id() -> str:
    """Return an identity that no other entry has, on whatever computer it is made."""
    # The letter keeps spreadsheets from reading digits, or 12e34, as a number.
    return f"r{uuid.uuid4().hex[:15]}"


def corrections(portfolio: Portfolio, books: Books, day: dt.date) -> tuple[LedgerEntry, ...]:
    """Return what makes the ledger what the portfolio's file says, as entries of one batch."""
    batch = new_id()
    return tuple(replace(one, id=new_id(), batch=batch, date=day) for one in differences(books, portfolio))


def done_entries(
    portfolio: Portfolio, plan: StoredPlan, trades: Iterable[StoredTrade], day: dt.date, batch: str
) -> tuple[LedgerEntry, ...]:
    """Return a stored plan's trades, exchanges and cash flow as entries of a batch."""
    base = portfolio.base_currency
    rates = {base: Decimal(1), **plan.rates}

    def entry(kind: EntryKind, account: str, **more: object) -> LedgerEntry:
        currency = str(more["currency"])
        return LedgerEntry(new_id(), batch, day, kind, account, fx=rates.get(currency), **more)  # type: ignore[arg-type]

    found = []
    for account, currency, amount in _flows(portfolio, plan):
        kind: EntryKind = "deposit" if amount > 0 else "withdrawal"
        found.append(entry(kind, account, currency=currency, amount=abs(amount)))
    found += [
        entry(
            one.side, one.account, symbol=one.symbol, quantity=one.quantity, price=one.price,
            currency=one.currency, amount=one.amount, cost=one.cost - one.tax, tax=one.tax,
        )
        for one in sorted(trades, key=lambda trade: trade.side == "buy")
    ]  # fmt: skip
    for change in plan.exchanged:
        found.append(entry("exchange-out", change.account, currency=change.sell, amount=change.amount))
        found.append(entry("exchange-in", change.account, currency=change.buy, amount=change.bought))
    return tuple(found)


def _flows(portfolio: Portfolio, plan: StoredPlan) -> Iterator[tuple[str, str, Decimal]]:
    """Yield what the plan began with more (or less) than the file has: the cash flow, by account and currency."""
    for account in portfolio.accounts:
        name = account.name if portfolio.accounts_declared else ""
        for currency, amount in plan.before.get(name, {}).items():
            more = Decimal(amount) - account.cash.get(currency, ZERO)
            if more:
                yield account.name, currency, more


def snapshot(
    portfolio: Portfolio,
    prices: Mapping[str, tuple[Decimal, str]],
    rates: Mapping[str, Decimal],
    day: dt.date,
    batch: str,
) -> tuple[LedgerEntry, ...]:
    """Return what is held on a day with its prices and rates, and the cash, as entries of a batch."""
    fx = {portfolio.base_currency: Decimal(1), **rates}
    found = []
    for one in portfolio.holdings:
        if one.quantity and one.symbol in prices:
            price, currency = prices[one.symbol]
            amount = one.quantity * price
            found.append(
                LedgerEntry(
                    new_id(), batch, day, "snapshot", one.account, one.symbol, one.quantity, price, currency, amount,
                    fx=fx.get(currency),
                )
            )  # fmt: skip
    for account in portfolio.accounts:
        for currency, amount in account.cash.items():
            if amount:
                found.append(
                    LedgerEntry(new_id(), batch, day, "snapshot", account.name, currency=currency, amount=amount,
                          fx=fx.get(currency))
                )  # fmt: skip
    return tuple(found)


def undoing(ledger: Ledger, day: dt.date, batch: str = "") -> tuple[LedgerEntry, ...]:
    """Return the entry that takes back a batch, else the last one of trades; none where there is no such batch."""
    stands = ledger.standing
    trades = (one.batch for one in reversed(stands) if one.kind in ("buy", "sell", "deposit", "withdrawal"))
    last = batch or next(trades, "")
    if not any(one.batch == last for one in stands):
        return ()
    identity = new_id()
    return (LedgerEntry(identity, identity, day, "undo", undoes=last),)


def check_agrees(portfolio: Portfolio, ledger: Ledger, file: Path) -> None:
    """Raise InputError where the portfolio's file does not hold what its ledger comes to: it was changed by hand."""
    found = differences(ledger.books(portfolio.base_currency), portfolio)
    if ledger.standing and found:
        raise InputError((*difference_problems(found, file.name), *shared_with(file)))


@contextlib.contextmanager
def recording(source: Path) -> Iterator[None]:
    """Keep other processes from recording into a portfolio's file, and finish what one left undone.

    Raises InputError where another process does not come to an end.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(source.with_name(f".{source.stem}.lock"), timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise InputError([error("ledger-busy", str(source))]) from None
    except OSError as fault:
        raise InputError([error("output-not-written", str(source), reason=fault.strerror or "")]) from None
    try:
        finish(source)
        yield
    finally:
        lock.release()


def commit(source: Path, before: bytes, after: bytes, entries: Sequence[LedgerEntry], batch: str | None = None) -> None:
    """Write a portfolio's file and the entries that say why it changed, both or neither.

    `before` is the file as it was read. With a `batch` (`storing.NO_BATCH` for none) it is kept, to be taken back.
    Call it within `recording`. Raises InputError where the file has changed since it was read, or a place cannot be
    written to.
    """
    after, entries = on_sheet(source, before, after, entries)
    if batch is not None:
        from rebalancer.storing import keep_for_undo, undo_file

        write_whole(undo_file(source), keep_for_undo(source, after, batch))
    _commit(source, before, after, entries)


def on_sheet(
    source: Path, before: bytes, after: bytes, entries: Sequence[LedgerEntry]
) -> tuple[bytes, tuple[LedgerEntry, ...]]:
    """Return a workbook with entries on its Ledger sheet, and those that are to stand beside it.

    What was on the sheet before stays there, whatever `after` is. Beside it stand all snapshots but the first of each
    month, and everything where it has no such sheet or no room there; of any other file, all entries.
    """
    if source.suffix.lower() not in _BOOKS:
        return after, tuple(entries)
    from templates.ledger import ledger_of, monthly
    from templates.merge.ledger import with_entries

    had = ledger_of(before, source.name)
    now = had if after is before else ledger_of(after, source.name)
    there = {one.id for one in now.entries}
    mine = monthly(entries, had.entries) if now.there else ()
    wanted = [one for one in (*had.entries, *mine) if one.id not in there]
    made = with_entries(after, wanted) if wanted else after
    if made is None:
        lost = [one for one in had.entries if one.id not in there]
        return after, (*lost, *entries)
    kept = {one.id for one in mine}
    return made, tuple(one for one in entries if one.id not in kept)


def _commit(source: Path, before: bytes, after: bytes, entries: Sequence[LedgerEntry]) -> None:
    if content_of(source) != before:
        raise InputError([error("changed-meanwhile", str(source))])
    journal = {
        "before": _print(before),
        "after": _print(after),
        "data": base64.b64encode(after).decode(),
        "entries": dump_entries(entries, header=False),
    }
    path = ledger_file(source)
    listed = path.read_bytes() if path.exists() else None
    write_whole(pending_file(source), json.dumps(journal).encode())
    try:
        finish(source)
    except (InputError, OSError):
        _give_up(source, before, listed)
        raise


def _give_up(source: Path, before: bytes, listed: bytes | None) -> None:
    """Take back what was written of a recording that a full disk ended: it is told as failed, and will be repeated.

    Where that cannot be done either, what is written down stays, and the next recording finishes it.
    """
    path = ledger_file(source)
    with contextlib.suppress(OSError):
        if content_of(source) != before:
            return
        if listed is None:
            path.unlink(missing_ok=True)
        elif path.read_bytes().startswith(listed):
            os.truncate(path, len(listed))
        else:
            write_whole(path, listed)
        pending_file(source).unlink(missing_ok=True)


def finish(source: Path) -> tuple[Problem, ...]:
    """Do what is written down, as far as it is not done yet; a file that was changed by hand since is let be."""
    path = pending_file(source)
    try:
        journal = json.loads(path.read_bytes())
        data, lines = base64.b64decode(journal["data"]), str(journal["entries"])
        expected = str(journal["before"]), str(journal["after"])
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError):
        # It was not finished being written, so nothing of it was done or confirmed.
        path.unlink(missing_ok=True)
        return ()
    now = _print(content_of(source))
    if now not in expected:
        path.rename(path.with_suffix(".kept.json"))
        return (warning("record-interrupted", str(source), kept=path.with_suffix(".kept.json").name),)
    _append(ledger_file(source), lines)
    if now == expected[0]:
        write_whole(source, data)
    path.unlink()
    return ()


def content_of(source: Path) -> bytes:
    """Return what is in a portfolio's file, nothing where there is none yet."""
    return source.read_bytes() if source.exists() else b""


def _print(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _ended(text: str) -> str:
    """Return text whose last line has its end."""
    return text if not text or text.endswith("\n") else text + "\n"


def _append(path: Path, lines: str) -> None:
    """Add lines to a ledger, those that it has already left out; the half of one of them gives way."""
    old = path.read_bytes() if path.exists() else b""
    whole = old[: old.rfind(b"\n") + 1]
    rest, mended = old[len(whole) :], b""
    if rest.strip():
        listed, _ = parse_entries(dump_entries((), header=True) + lines, str(path))
        half = dump_entries(listed, header=False, columns=columns_of(decode(whole)) if whole else COLUMNS).encode()
        if whole and b"\n" + rest not in b"\n" + half:  # a line that somebody else wrote, and did not end
            whole, mended = old + b"\n", b"\n"
    known = {entry.id for entry in parse_entries(decode(whole), str(path))[0]} if whole else set()
    header = dump_entries((), header=True)
    fresh, _ = parse_entries(header + lines, str(path))
    columns = columns_of(decode(whole)) if whole else COLUMNS
    new = [entry for entry in fresh if entry.id not in known]
    text = dump_entries(new, header=not whole, columns=columns) if new else ""
    if not text:
        return
    try:
        with path.open("r+b" if path.exists() else "xb") as file:
            file.truncate(len(whole) - len(mended))
            file.seek(len(whole) - len(mended))
            file.write(mended + text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError([error("output-not-written", str(path), reason=reason)]) from fault


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recording changed: the portfolio before and after it, and the entries that were added."""

    before: Portfolio
    after: Portfolio
    entries: tuple[LedgerEntry, ...]


def record_plan(
    file: Path, stored: StoredPlan, fills: Path | None, day: dt.date, lang: Lang, *, correct: bool = False
) -> Recording:
    """Book a stored plan, or the fills that happened in its place, into a portfolio's file and its ledger.

    The first recording begins the ledger with what is held. Where the file no longer holds what the ledger comes to,
    the differences are booked first as corrections if `correct`, else InputError names them. Raises it too for what
    `rebalancer.storing.record_stored` refuses.
    """
    from rebalancer.loading import load
    from rebalancer.storing import read_fills, record_stored, written_into

    with recording(file):
        raw, before, ledger = file.read_bytes(), load(file), read_ledger(file)
        done = stored.trades if fills is None else read_fills(fills, stored, before)
        after = record_stored(before, stored, None if fills is None else done)
        held = _in_shares(before, stored)
        entries = _begun(held, ledger, file, stored.as_of, correct=correct)
        if not ledger.standing:
            entries += snapshot(held, stored.prices, stored.rates, stored.as_of, new_id())
        batch, day = new_id(), max(day, stored.as_of)
        entries += done_entries(before, stored, done, day, batch)
        entries += snapshot(after, _filled_at(stored, done), stored.rates, day, batch)
        commit(file, raw, written_into(file, after, lang), entries, batch)
    return Recording(before, after, entries)


def _in_shares(portfolio: Portfolio, stored: StoredPlan) -> Portfolio:
    """Return the portfolio with what was written as a value in shares, at the plan's prices."""
    from engine.quote import Quote
    from engine.valuation import in_quantities

    quotes = {name: Quote(name, price, currency, None, "manual") for name, (price, currency) in stored.prices.items()}
    return in_quantities(portfolio, quotes)


def _filled_at(stored: StoredPlan, done: Iterable[StoredTrade]) -> dict[str, tuple[Decimal, str]]:
    return {**stored.prices, **{one.symbol: (one.price, one.currency) for one in done}}


def _begun(portfolio: Portfolio, ledger: Ledger, file: Path, day: dt.date, *, correct: bool) -> tuple[LedgerEntry, ...]:
    """Return what has to be booked before anything new: the opening of a ledger, or corrections."""
    if not ledger.standing:
        return opening(portfolio, day)
    if correct:
        return corrections(portfolio, ledger.books(portfolio.base_currency), day)
    check_agrees(portfolio, ledger, file)
    return ()


def record_corrections(file: Path, day: dt.date) -> tuple[LedgerEntry, ...]:
    """Book into the ledger what was changed in the portfolio's file by hand; the first time, all that it holds."""
    from rebalancer.loading import load
    from rebalancer.storing import keep_for_undo, undo_file

    with recording(file):
        raw, portfolio, ledger = file.read_bytes(), load(file), read_ledger(file)
        entries = _begun(portfolio, ledger, file, day, correct=True)
        if entries:
            write_whole(undo_file(file), keep_for_undo(file, raw, entries[0].batch))
            commit(file, raw, raw, entries)
    return entries


def record_snapshot(file: Path, quotes: Mapping[str, Quote], day: dt.date) -> tuple[LedgerEntry, ...]:
    """Add to the ledger what is held on a day at the prices and rates known then; the first time, its beginning too.

    Raises InputError where the file does not hold what its ledger comes to, and the errors of market data where a
    price or rate is missing, stale or doubtful.
    """
    from engine.valuation import in_quantities
    from rebalancer.loading import load
    from rebalancer.planning import assessed

    with recording(file):
        raw, portfolio, ledger = file.read_bytes(), load(file), read_ledger(file)
        positions, _ = assessed(portfolio, quotes, day)
        held = in_quantities(portfolio, quotes)
        entries = _begun(held, ledger, file, day, correct=False)
        prices = {one.symbol: (one.price, one.currency) for one in positions}
        rates = {one.currency: one.fx for one in positions}
        entries += snapshot(held, prices, rates, day, new_id())
        commit(file, raw, raw, entries)
    return entries


def take_back(file: Path, day: dt.date) -> None:
    """Take the last recording back: the file is as it was before, and the ledger says so in a new entry.

    Raises InputError where nothing was recorded, or the file was changed since.
    """
    from rebalancer.storing import NO_BATCH, undo_file, undone

    with recording(file):
        raw, ledger = file.read_bytes(), read_ledger(file)
        before, batch = undone(file)
        entries = () if batch == NO_BATCH else undoing(ledger, day, batch)
        if batch not in ("", NO_BATCH) and not entries:  # it was taken back, and what followed was cut off
            raise InputError([error("nothing-to-undo", str(file))])
        commit(file, raw, before, entries)
        undo_file(file).unlink()


def with_year(portfolio: Portfolio, file: Path, as_of: dt.date) -> Portfolio:
    """Return the portfolio with what its ledger says of the year so far: gains realised, money paid in.

    Overseas gains by moving average, in the base currency: what the file says itself stands. What was paid into each
    type of account, in won. A portfolio without a ledger, or of a resident of another country, stays as it is.
    """
    if portfolio.residence != "KR":
        return portfolio
    return with_year_of(portfolio, read_ledger(file).entries, as_of)


def with_year_of(portfolio: Portfolio, entries: Sequence[LedgerEntry], as_of: dt.date) -> Portfolio:
    """Return the portfolio as `with_year` does, from the entries of a ledger."""
    if not entries or portfolio.residence != "KR":
        return portfolio
    stands = tuple(standing(entries))
    gained = portfolio.settings.realised.get("overseas")
    if gained is None:
        gained = _overseas_gains(portfolio, stands, as_of)
    realised = {**portfolio.settings.realised, "overseas": gained}
    so_far = YearSoFar(gained, _contributed(portfolio, stands, as_of))
    return replace(portfolio, so_far=so_far, settings=replace(portfolio.settings, realised=realised))


def _overseas_gains(portfolio: Portfolio, stands: Sequence[LedgerEntry], as_of: dt.date) -> Decimal:
    from engine.costs.tax import is_overseas

    shielded = {account.name for account in portfolio.accounts if account.type != "taxable"}
    total = ZERO
    for gain in booked(stands, portfolio.base_currency).gains:
        instrument = portfolio.instruments.get(gain.symbol)
        overseas = is_overseas(instrument) if instrument else gain.currency != "KRW"
        if gain.date.year == as_of.year and gain.date <= as_of and overseas and gain.account not in shielded:
            # As a plan's own sales: at the rate of the sale where that of the purchase is not known.
            rough = None if gain.average is None or gain.fx is None else gain.average * gain.fx
            total += (rough if gain.average_base is None else gain.average_base) or ZERO
    return total


def _contributed(portfolio: Portfolio, stands: Sequence[LedgerEntry], as_of: dt.date) -> dict[str, Contributed]:
    """Return what was paid into accounts by their type, in won, up to a day."""
    types = {account.name: account.type for account in portfolio.accounts}
    won = Decimal(1) if portfolio.base_currency == "KRW" else None
    found: dict[str, Contributed] = {}
    for one in stands:
        if one.kind == "snapshot" or one.account not in types or one.date > as_of:
            continue
        paid = found.get(types[one.account], Contributed())
        paid = replace(paid, since=min(paid.since, one.date))
        rate = Decimal(1) if one.currency == "KRW" else won and one.fx
        if one.kind == "deposit" and rate is not None:
            money = one.amount * rate
            this_year = one.date.year == as_of.year
            paid = replace(paid, year=paid.year + money) if this_year else replace(paid, before=paid.before + money)
        elif one.kind == "deposit" or (one.kind in ("opening", "correction") and (one.quantity > 0 or one.amount > 0)):
            paid = replace(paid, unsure=max(paid.unsure or one.date, one.date))
        found[types[one.account]] = paid
    return found
