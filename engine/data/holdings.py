"""What is held: one record per row, so that lots bought apart stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.data.fields import Fields
from engine.data.instruments import DESCRIPTION, Instruments
from engine.data.report import Path, Report
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
            row.missing(
                "quantity",
                "write the number of shares, 0 if none are held yet",
                "보유 수량을, 아직 없으면 0을 적으세요",
            )
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
            names = ", ".join(self._accounts)
            row.missing("account", f"write one of {names}", f"{names} 중에서 적으세요")
        elif name not in self._accounts:
            near = nearest(name, self._accounts)
            repair = f"did you mean {near}?" if near else f"declared are {', '.join(self._accounts)}"
            repair_ko = f"혹시 {near}인가요?" if near else f"적어 둔 계좌는 {', '.join(self._accounts)}입니다"
            ko = f"계좌 목록에 없는 {name}: {repair_ko}"
            row.error("account", "unknown-account", f"{name} is not among the accounts; {repair}", ko)
        return name

    def _check_price(self, holding: Holding, row: Fields) -> None:
        if holding.price is None:
            return
        price, path = self._prices.setdefault(holding.symbol, (holding.price, row.path))
        if price != holding.price:
            before = f"{plain_number(price)} at {self._report.where(path)}"
            message = f"price of {holding.symbol} is {plain_number(holding.price)} here and {before}: write one price"
            ko = (
                f"{holding.symbol} 가격이 여기서는 {plain_number(holding.price)}, "
                f"{self._report.where_ko(path)}에서는 {plain_number(price)}입니다: 하나로 맞추세요"
            )
            row.error("price", "conflict", message, ko)

    def _check_repeated(self, holding: Holding, row: Fields) -> None:
        first = self._seen.setdefault((holding.symbol, holding.account), row.path)
        if first != row.path:
            message = (
                f"{holding.symbol} stands at {self._report.where(first)} too: both rows count, as lots bought apart"
            )
            ko = f"{holding.symbol}: {self._report.where_ko(first)}에도 있습니다. 따로 산 것으로 보고 둘 다 셉니다"
            self._report.info(row.path, "repeated-holding", message, ko)
