"""What is held: one record per row, so that lots bought apart stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.document.fields import Fields
from engine.document.instruments import DESCRIPTION, Instruments
from engine.document.report import Path, Report
from engine.money import ZERO
from engine.portfolio import Account, Holding
from engine.text import nearest, plain_number

HOLDING_KEYS = ("symbol", "quantity", "average_cost", "account", "price", "locked", *DESCRIPTION)


def read_holdings(
    portfolio: Fields, instruments: Instruments, accounts: Sequence[Account], *, declared: bool
) -> tuple[Holding, ...]:
    """Return every holding; `declared` says whether a holding has to name one of the accounts."""
    holdings: list[Holding] = []
    reader = _Reader(instruments, [account.name for account in accounts] if declared else None, portfolio.report)
    for row in portfolio.rows("holdings", HOLDING_KEYS):
        holding = reader.read(row)
        if holding is not None:
            holdings.append(holding)
    return tuple(holdings)


class _Reader:
    """Read rows, knowing what the rows before said."""

    def __init__(self, instruments: Instruments, accounts: list[str] | None, report: Report) -> None:
        self._instruments = instruments
        self._accounts = accounts
        self._report = report
        self._prices: dict[str, tuple[Decimal, Path]] = {}
        self._seen: dict[tuple[str, str], Path] = {}

    def read(self, row: Fields) -> Holding | None:
        symbol = self._instruments.declare(row, "symbol")
        quantity = row.number("quantity", ZERO)
        if not row.given("quantity"):
            row.missing("quantity", "write the number of shares, 0 if none are held yet")
        holding = Holding(
            symbol=symbol or "",
            quantity=ZERO if quantity is None else quantity,
            account=self._account(row),
            average_cost=row.number("average_cost", ZERO),
            price=row.number("price", ZERO, above=True),
            locked=row.flag("locked") or False,
        )
        if symbol is None:
            return None
        self._check_price(holding, row)
        self._check_repeated(holding, row)
        return holding

    def _account(self, row: Fields) -> str:
        name = row.text("account")
        if self._accounts is None:
            return name
        if not name and len(self._accounts) == 1:
            return self._accounts[0]
        if not name:
            row.missing("account", f"write one of {', '.join(self._accounts)}")
        elif name not in self._accounts:
            near = nearest(name, self._accounts)
            repair = f"did you mean {near}?" if near else f"declared are {', '.join(self._accounts)}"
            row.error("account", "unknown-account", f"{name} is not among the accounts; {repair}")
        return name

    def _check_price(self, holding: Holding, row: Fields) -> None:
        if holding.price is None:
            return
        price, path = self._prices.setdefault(holding.symbol, (holding.price, row.path))
        if price != holding.price:
            before = f"{plain_number(price)} at {self._report.where(path)}"
            message = f"price of {holding.symbol} is {plain_number(holding.price)} here and {before}: write one price"
            row.error("price", "conflict", message)

    def _check_repeated(self, holding: Holding, row: Fields) -> None:
        first = self._seen.setdefault((holding.symbol, holding.account), row.path)
        if first != row.path:
            message = (
                f"{holding.symbol} stands at {self._report.where(first)} too: both rows count, as lots bought apart"
            )
            self._report.info(row.path, "repeated-holding", message)
