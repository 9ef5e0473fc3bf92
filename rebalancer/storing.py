"""A plan kept as JSON and acted on later: its orders for a broker, and what was done booked into the portfolio's file.

A stored plan has an `id`, and in `made_from` a print of the holdings and cash it was made from: where these have
changed since, nothing is done.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from engine.data.fields import Report, in_rows
from engine.data.files import Refused, csv_table, read_bytes
from engine.errors import InputError, error
from engine.money import ZERO
from engine.phrase import phrase, place
from engine.plan import Plan, Side
from engine.portfolio import Account, Portfolio
from engine.quote import Quote
from engine.record import Done, Exchanged, cash_flows
from engine.valuation import in_quantities
from engine.words import Lang
from rebalancer.files import output_problems
from rebalancer.recording import book, dated, written
from rebalancer.saving import SUFFIXES, yaml_text

PLAIN, INTERACTIVE_BROKERS = "list", "ib"
#: What an orders file may be: a list to work through, or Interactive Brokers' basket.
ORDER_FORMATS = (PLAIN, INTERACTIVE_BROKERS)
#: What a plan that is kept is called: it is the document of `plan --json`.
PLAN_SUFFIX = ".json"
_LIST = ("done", "account", "side", "symbol", "quantity", "limit_price", "currency", "amount")
_BASKET = (
    "Action", "Quantity", "Symbol", "SecType", "Exchange", "Currency", "TimeInForce", "OrderType", "LmtPrice",
    "Account",
)  # fmt: skip
#: Where the file was changed, and its ledger was not.
NO_BATCH = "-"
_FILLS = ("account", "symbol", "side", "quantity", "price", "fee", "tax")


@dataclass(frozen=True, slots=True)
class StoredTrade:
    """An order of a stored plan, or one as it was filled; `cost` is commission and `tax`, in `currency`."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    amount: Decimal
    cost: Decimal
    tax: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as its JSON says: orders, exchanges of currency, and cash before and after by account ("": all).

    `prices` are by symbol with their currency, `rates` base currency per unit by currency.
    """

    id: str
    made_from: str
    as_of: dt.date
    trades: tuple[StoredTrade, ...]
    exchanged: tuple[Exchanged, ...]
    before: Mapping[str, Mapping[str, Decimal]]
    after: Mapping[str, Mapping[str, Decimal]]
    prices: Mapping[str, tuple[Decimal, str]]
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    base_currency: str = ""
    total_value: Decimal = ZERO
    drift: Decimal = ZERO
    oldest_price: dt.date | None = None
    next_review: dt.date | None = None

    def days_old(self, today: dt.date) -> int:
        """Return how many days old its oldest dated price is; without any, the plan itself."""
        return (today - (self.oldest_price or self.as_of)).days


def plan_file(source: Path) -> Path:
    """Return where the plan of a portfolio's file is kept: NAME.plan.json beside it."""
    return source.with_name(f"{source.stem}.plan.json")


def plan_of(source: Path, named: Path | None) -> StoredPlan:
    """Return the stored plan that is named, else the one kept beside the portfolio's file.

    Raises InputError where there is none, or it cannot be read.
    """
    path = named or plan_file(source)
    if named is None and not path.exists():
        raise InputError([error("no-plan-kept", str(source), wanted=path.name, source=source.name)])
    return read_plan(path)


def plan_of_fills(source: Path, day: dt.date) -> StoredPlan:
    """Return the plan that fills without a named one belong to: the one kept beside the file, where that is its still.

    Else it is one without orders, id or exchanges, of the portfolio as it stands: what no plan proposed is booked too.
    Raises InputError where a holding is an amount of money that nothing prices.
    """
    from rebalancer.loading import load

    portfolio, kept = load(source), plan_file(source)
    if kept.exists():
        stored = read_plan(kept)
        if stored.made_from == fingerprint(portfolio):
            return stored
    if any(one.value is not None and not one.quantity for one in in_quantities(portfolio, {}).holdings):
        raise InputError([error("no-plan-kept", str(source), wanted=kept.name, source=source.name)])
    cash = {one.name if portfolio.accounts_declared else "": one.cash for one in portfolio.accounts}
    prices = {
        one.symbol: (one.price, portfolio.instruments[one.symbol].currency) for one in portfolio.holdings if one.price
    }
    base = portfolio.base_currency
    rates = {pair.removesuffix(base): rate for pair, rate in portfolio.fx.items() if pair.endswith(base)}
    return StoredPlan("", fingerprint(portfolio), day, (), (), cash, cash, prices, rates, base)


def check_replaceable(path: Path, made: Plan, *, force: bool) -> None:
    """Raise InputError where a plan must not be kept in place of what is there: it could still be acted on.

    A stored plan gives way where its holdings have changed since, where it has no orders, and to itself.
    """
    problems = output_problems(path, PLAN_SUFFIX, force=True)
    if not problems and path.exists() and not force:
        try:
            there = read_plan(path)
        except InputError:
            problems = (error("output-exists", str(path)),)
        else:
            mine = stamp(made)
            if there.trades and there.made_from == mine["made_from"] and there.id != mine["id"]:
                problems = (error("plan-not-done", str(path), day=there.as_of, count=len(there.trades)),)
    if problems:
        raise InputError(problems)


def stamp(made: Plan) -> dict[str, str]:
    """Return what a plan's JSON carries to be acted on later: its `id`, and `made_from`."""
    made_from = fingerprint(made.portfolio)
    orders = [(t.account, t.symbol, t.side, str(t.quantity), str(t.price)) for t in made.trades]
    return {"id": _hash([made_from, made.as_of.isoformat(), orders]), "made_from": made_from}


def fingerprint(portfolio: Portfolio) -> str:
    """Return a print of a portfolio's holdings and cash: the same where they are the same."""
    held = sorted(
        [one.account, one.symbol, _plain(one.quantity), _plain(one.value), _plain(one.average_cost), str(one.locked)]
        for one in written(portfolio)
    )
    cash = sorted([a.name, code, _plain(n)] for a in portfolio.accounts for code, n in a.cash.items() if n)
    return _hash([held, cash])


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize() + 0:f}"


def _hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]


def read_plan(path: Path) -> StoredPlan:
    """Return a stored plan, as `rebalancer plan --json` writes it; raises InputError for anything else."""
    try:
        data = json.loads(read_bytes(path), parse_float=Decimal, parse_int=Decimal)
        return _stored(data)
    except Refused as refused:
        raise InputError([refused.problem(str(path))]) from None
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        raise InputError([error("no-stored-plan", str(path))]) from None


def _stored(data: Mapping[str, Any]) -> StoredPlan:
    cash = data["cash"]
    accounts: Mapping[str, Any] = cash["accounts"]
    return StoredPlan(
        id=str(data["id"]),
        made_from=str(data["made_from"]),
        as_of=dt.date.fromisoformat(data["as_of"]),
        trades=tuple(
            StoredTrade(
                one["account"], one["symbol"], cast("Side", one["side"]), Decimal(one["quantity"]),
                Decimal(one["price"]), one["currency"], Decimal(one["amount"]),
                Decimal(one["cost"]) + Decimal(one["tax"]), Decimal(one["tax"]),
            )
            for one in data["trades"]
        ),
        exchanged=tuple(
            Exchanged(one["account"], one["sell"], Decimal(one["amount"]), one["buy"], Decimal(one["bought"]))
            for one in data["conversions"]
        ),
        before={"": cash["before"], **{name: one["before"] for name, one in accounts.items()}},
        after={"": cash["after"], **{name: one["after"] for name, one in accounts.items()}},
        prices={one["symbol"]: (Decimal(one["price"]), one["currency"]) for one in data["positions"]},
        rates={one["currency"]: Decimal(one["fx"]) for one in data["positions"]},
        base_currency=str(data["base_currency"]),
        total_value=Decimal(data["total_value"]),
        drift=Decimal(data["drift"]),
        oldest_price=min(
            (dt.datetime.fromisoformat(one["price_as_of"]).date() for one in data["positions"] if one["price_as_of"]),
            default=None,
        ),
        next_review=min(
            (dt.date.fromisoformat(one["next_due"]) for one in data["sections"] if one["next_due"]), default=None
        ),
    )  # fmt: skip


def check_unchanged(portfolio: Portfolio, plan: StoredPlan) -> None:
    """Raise InputError where holdings or cash are no longer those that the plan was made from."""
    if fingerprint(portfolio) != plan.made_from:
        raise InputError([error("holdings-changed", place("portfolio"))])


def record_stored(portfolio: Portfolio, plan: StoredPlan, fills: Iterable[StoredTrade] | None = None) -> Portfolio:
    """Return the portfolio after a stored plan's orders, or after the `fills` that happened in their place.

    Exchanges of currency and the cash flow are the plan's. Raises InputError where holdings or cash have changed since
    the plan, or more is sold than held.
    """
    check_unchanged(portfolio, plan)
    trades = plan.trades if fills is None else tuple(fills)
    quotes = {s: Quote(s, price, currency, None, "manual") for s, (price, currency) in plan.prices.items()}
    holdings = [replace(one, value=None) for one in in_quantities(portfolio, quotes).holdings]
    for trade in trades:
        book(holdings, trade, plan.rates.get(trade.currency) if trade.currency != portfolio.base_currency else None)
    traded = {trade.symbol for trade in trades}
    sections = tuple(dated(portfolio, section, traded, plan.as_of) for section in portfolio.sections)
    others = next((section.rule for section in sections if section.name == "all"), portfolio.untargeted_rule)
    return replace(
        portfolio,
        holdings=tuple(holdings),
        accounts=tuple(_settled(one, portfolio, plan, trades, as_planned=fills is None) for one in portfolio.accounts),
        sections=sections,
        settings=replace(portfolio.settings, cash_flow=ZERO),
        untargeted_rule=others,
    )


def _settled(
    account: Account, portfolio: Portfolio, plan: StoredPlan, trades: Iterable[StoredTrade], *, as_planned: bool
) -> Account:
    """Return an account with its cash after the orders; one without a name has the cash of all labels."""
    name = account.name if portfolio.accounts_declared else ""
    if as_planned:
        return replace(account, cash={code: Decimal(n) for code, n in plan.after[name].items()})
    done = [Done(t.account, t.symbol, t.side, t.quantity, t.currency, t.amount, t.cost) for t in trades]
    cash = {code: Decimal(amount) for code, amount in plan.before[name].items()}
    for (label, code), amount in cash_flows(done, plan.exchanged).items():
        if name in ("", label):
            cash[code] = cash.get(code, ZERO) + amount
    return replace(account, cash=cash)


def read_fills(path: Path, plan: StoredPlan, portfolio: Portfolio) -> tuple[StoredTrade, ...]:
    """Return what was really bought and sold, from a CSV: symbol, side, quantity, price; account, fee, tax if any.

    An account that is not named is the planned order's, else the only one that holds the symbol. Raises InputError with
    every row that cannot be used: also one of a symbol that neither the plan nor the portfolio has, or of an account
    that is not among those declared.
    """
    try:
        raw = read_bytes(path)
    except Refused as refused:
        raise InputError([refused.problem(str(path))]) from None
    report = Report(str(path), in_rows(str(path)))
    currencies = {symbol: one.currency for symbol, one in portfolio.instruments.items()}
    currencies |= {symbol: currency for symbol, (_, currency) in plan.prices.items()}
    declared = [one.name for one in portfolio.accounts] if portfolio.accounts_declared else []
    found: list[StoredTrade] = []
    for number, row in csv_table(raw, report, _FILLS, ("symbol", "side", "quantity", "price")).rows:
        symbol, side = row.text("symbol").upper(), row.choice("side", ("buy", "sell"))
        quantity, price = (row.number(name, ZERO, above=True) for name in ("quantity", "price"))
        fee, tax = (row.number(name, ZERO) if row.text(name) else ZERO for name in ("fee", "tax"))
        account = row.text("account") or _usual_account(symbol, plan, portfolio)
        if symbol not in currencies:
            report.error((number, "symbol"), "fill-unknown", symbol=symbol)
        elif declared and not account:
            report.error(
                (number, "account"), "missing", field="account", repair=phrase("repair.one-of", choices=declared)
            )
        elif declared and account not in declared:
            known = phrase("repair.accounts", known=declared)
            report.error((number, "account"), "unknown-account", account=account, repair=known)
        elif side and quantity and price and fee is not None and tax is not None:
            currency = currencies[symbol]
            amount = quantity * price
            found.append(
                StoredTrade(account, symbol, cast("Side", side), quantity, price, currency, amount, fee + tax, tax)
            )
    if report.failed:
        raise InputError(report.problems)
    return tuple(found)


def _usual_account(symbol: str, plan: StoredPlan, portfolio: Portfolio) -> str:
    """Return the account of a fill that names none, empty where it is not clear."""
    for accounts in (
        [one.account for one in plan.trades if one.symbol == symbol],
        list(dict.fromkeys(one.account for one in portfolio.holdings if one.symbol == symbol)),
        [one.name for one in portfolio.accounts] if portfolio.accounts_declared else [],
    ):
        if accounts:
            return accounts[0] if len(accounts) == 1 else ""
    return ""


def orders_csv(plan: StoredPlan, form: str) -> str:
    """Return a plan's orders as CSV: a `list` by account, sells first, to work through; or Interactive Brokers' basket.

    Raises InputError where an order cannot stand in a basket: one that is not in dollars, or of a part of a share.
    """
    ordered = sorted(plan.trades, key=lambda one: (one.account, one.side == "buy", one.symbol))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if form == PLAIN:
        writer.writerow(_LIST)
        for one in ordered:
            figures = (_plain(one.quantity), _plain(one.price), one.currency, _plain(one.amount))
            writer.writerow(("", one.account, one.side, one.symbol, *figures))
        return out.getvalue()
    faults = [
        error("not-in-a-basket", place("trade", symbol=one.symbol, account=one.account))
        for one in ordered
        if one.currency != "USD" or one.quantity % 1
    ]
    if faults:
        raise InputError(faults)
    writer.writerow(_BASKET)
    for one in ordered:
        symbol = one.symbol.replace(".", " ")
        order = (one.side.upper(), _plain(one.quantity), symbol, "STK", "SMART", "USD", "DAY", "LMT")
        writer.writerow((*order, f"{one.price:.2f}", one.account))
    return out.getvalue()


def written_into(path: Path, after: Portfolio, lang: Lang) -> bytes:
    """Return a portfolio's file with what recording has changed: holdings, cash, last reviews, the cash flow used.

    All else of a YAML file or a workbook (.xlsx, .xlsm) stays as it is. Raises InputError for a file of another kind,
    and where a workbook's tables cannot take it.
    """
    if path.suffix.lower() in SUFFIXES:
        return yaml_text(after, path).encode()
    from rebalancer.importing import holds
    from templates.merge.inputs import RECORDED, write_inputs
    from templates.read.book import read_book
    from templates.report import BookReport

    before = read_book(path).report() or BookReport(after)
    data, notice = write_inputs(path, replace(before, portfolio=after), lang, RECORDED)
    if data is None or not holds(data, path, after):
        reason = notice or phrase("not-kept", file=path.name, reason=phrase("not-kept.inputs"))
        raise InputError([error("record-not-written", str(path), reason=reason)])
    return data


def undo_file(path: Path) -> Path:
    """Return where the portfolio's file as it was before the last recording is kept."""
    return path.with_name(f"{path.name}.before")


def keep_for_undo(path: Path, after: bytes, batch: str) -> bytes:
    """Return what `undo` needs: the file as it is, under a first line with the hash of what is written next.

    `batch` is that of the ledger's entries that are written with it, `NO_BATCH` where there are none.
    """
    return f"{_mark(after)} {batch}".rstrip().encode() + b"\n" + path.read_bytes()


def _mark(data: bytes) -> str:
    return f"# {hashlib.sha256(data).hexdigest()[:16]}"


def undone(path: Path) -> tuple[bytes, str]:
    """Return the portfolio's file as it was before the last recording, and the batch of entries that goes with it.

    The batch is "" where a version up to 0.2.0 recorded it.

    Raises InputError where nothing was recorded, or the file was changed since.
    """
    kept = undo_file(path)
    if not kept.exists():
        raise InputError([error("nothing-to-undo", str(path))])
    first, _, before = kept.read_bytes().partition(b"\n")
    mark, batch = first.decode()[:18], first.decode()[19:]
    if mark != _mark(path.read_bytes()):
        raise InputError([error("changed-since-recorded", str(path))])
    return before, batch
