"""Ledger and file after random sequences of recordings, imports, splits, edits by hand, corrections and undos."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

import rebalancer
from engine.data.brokers import parse_transactions
from engine.errors import InputError
from engine.ledger.account import differences
from rebalancer.booking import Event, entries_of_events, import_transactions, rebuild_file, record_entries
from rebalancer.ledgers import ledger_file, read_ledger, record_corrections, record_plan, take_back
from rebalancer.storing import plan_of_fills

DAY = dt.date(2026, 10, 1)
FILE = """portfolio:
  base_currency: USD
  holdings:
    - {symbol: VTI, quantity: 40, average_cost: 200}   # mine
    - {symbol: SCHD, quantity: 100, average_cost: 25}
    - {symbol: SCHD, quantity: 7, locked: true}
  cash: {USD: 50000}
  targets:
    - {ticker: VTI, weight: 0.7}
"""
HEAD = '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"'
#: What happened at the broker, oldest first; two of them are equal.
HAPPENED: list[tuple[str, str, str, int, int]] = [
    ("01/05/2026", "MoneyLink Transfer", "", 0, 9000),
    ("01/06/2026", "Buy", "VTI", 10, -3000),
    ("01/06/2026", "Buy", "VTI", 10, -3000),
    ("02/10/2026", "Cash Dividend", "VTI", 0, 12),
    ("03/03/2026", "Sell", "SCHD", 30, 900),
    ("03/20/2026", "Sell", "VTI", 5, 1600),
    ("04/02/2026", "Buy", "SCHD", 12, -336),
    ("05/05/2026", "Service Fee", "", 0, -5),
    ("06/08/2026", "MoneyLink Transfer", "", 0, -700),
]


@dataclass(frozen=True)
class Deed:
    """Something that was booked: on a day, shares and money, or a split."""

    day: dt.date
    symbol: str = ""
    shares: Decimal = Decimal(0)
    money: Decimal = Decimal(0)
    ratio: Decimal = Decimal(0)
    number: int = -1


def broker_s(number: int) -> Deed:
    day, action, symbol, quantity, amount = HAPPENED[number]
    month, of_month, year = map(int, day.split("/"))
    shares = Decimal(quantity if action == "Buy" else -quantity if action == "Sell" else 0)
    return Deed(dt.date(year, month, of_month), symbol if shares else "", shares, Decimal(amount), number=number)


def worth(deeds: list[Deed]) -> tuple[dict[str, Decimal], Decimal]:
    """Return shares and money after deeds: what the ledger has to come to, computed from nothing of it."""
    shares, money = {"VTI": Decimal(40), "SCHD": Decimal(107)}, Decimal(50000)
    for deed in sorted(deeds, key=lambda one: one.day):
        money += deed.money
        if deed.symbol:
            held = shares.get(deed.symbol, Decimal(0))
            shares[deed.symbol] = held * deed.ratio if deed.ratio else held + deed.shares
    return {symbol: held for symbol, held in shares.items() if held}, money


class Keeping(RuleBasedStateMachine):
    """A person with a file, its ledger and a broker, and what should have come of it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "my.yaml"
        self.file.write_text(FILE, encoding="utf-8")
        record_corrections(self.file, dt.date(2026, 1, 1))
        self.deeds: list[Deed] = []
        self.before: tuple[list[Deed], bytes] | None = ([], self.file.read_bytes())
        self.undoable = True
        self.edited = False

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def held(self) -> tuple[dict[str, Decimal], Decimal]:
        portfolio = rebalancer.load(self.file)
        shares: Counter[str] = Counter()
        for row in portfolio.holdings:
            shares[row.symbol] += row.quantity  # type: ignore[assignment]
        return {symbol: Decimal(n) for symbol, n in shares.items() if n}, portfolio.accounts[0].cash["USD"]

    def attempt(self, act: Callable[[], Any], deeds: list[Deed]) -> None:
        """Do something that books deeds, or nothing at all where it is refused."""
        raw, ledger = self.file.read_bytes(), ledger_file(self.file).read_bytes()
        try:
            act()
        except InputError:
            assert (self.file.read_bytes(), ledger_file(self.file).read_bytes()) == (raw, ledger)
            return
        if self.edited:  # the file held already what the ledger came to with this: only the ledger grew
            assert self.file.read_bytes() == raw
            self.edited = False
        if ledger_file(self.file).read_bytes() != ledger:
            self.before, self.undoable = (self.deeds, raw), True
        self.deeds = [*self.deeds, *deeds]
        self.check()

    def check(self) -> None:
        shares, money = worth(self.deeds)
        assert self.held() == (shares, money)
        portfolio, books = rebalancer.load(self.file), read_ledger(self.file).books("USD")
        assert differences(books, portfolio) == ()
        assert sum(row.quantity for row in portfolio.holdings if row.locked) <= 7 * 16
        assert "# mine" in self.file.read_text(encoding="utf-8")

    @rule(side=st.sampled_from(["buy", "sell"]), symbol=st.sampled_from(["VTI", "SCHD"]), size=st.integers(1, 60))
    def record(self, side: str, symbol: str, size: int) -> None:
        fills = self.file.with_name("fills.csv")
        quantity = Decimal(size) + Decimal("0.25")
        fills.write_text(f"symbol,side,quantity,price,fee\n{symbol},{side},{quantity},20,1\n", encoding="utf-8")
        sign = 1 if side == "buy" else -1
        deed = Deed(DAY, symbol, sign * quantity, -sign * quantity * 20 - 1)
        self.attempt(lambda: record_plan(self.file, plan_of_fills(self.file, DAY), fills, DAY, "en"), [deed])

    @rule(kind=st.sampled_from(["deposit", "withdrawal", "fee", "interest"]), cents=st.integers(1, 99))
    def pay(self, kind: Any, cents: int) -> None:
        number = Decimal(cents) / 100
        deed = Deed(DAY, money=number if kind in ("deposit", "interest") else -number)
        self.attempt(lambda: self.book(Event(kind, "", number)), [deed])

    @rule(symbol=st.sampled_from(["VTI", "SCHD"]), ratio=st.sampled_from(["2", "0.5", "1.5"]))
    def split(self, symbol: str, ratio: str) -> None:
        self.attempt(
            lambda: self.book(Event("split", symbol, Decimal(ratio))), [Deed(DAY, symbol, ratio=Decimal(ratio))]
        )

    def book(self, event: Event) -> None:
        record_entries(self.file, entries_of_events(rebalancer.load(self.file), [event], DAY), DAY, "en")

    @rule(first=st.integers(0, len(HAPPENED) - 1), length=st.integers(1, len(HAPPENED)))
    def bring_in(self, first: int, length: int) -> None:
        numbers = range(first, min(first + length, len(HAPPENED)))
        rows = [HEAD]
        for number in reversed(numbers):
            day, action, symbol, quantity, amount = HAPPENED[number]
            price = f"${abs(amount) / quantity:.4f}" if quantity else ""
            money = f"-${-amount}.00" if amount < 0 else f"${amount}.00"
            rows.append(f'"{day}","{action}","{symbol}","x","{quantity or ""}","{price}","","{money}"')
        listed = parse_transactions("\n".join([*rows, ""]).encode(), "export.csv")
        # Of two equal ones a file that has one of them says that one happened.
        had = Counter(HAPPENED[one.number] for one in self.deeds if one.number >= 0)
        new = []
        seen: Counter[tuple[Any, ...]] = Counter()
        for number in numbers:
            seen[HAPPENED[number]] += 1
            if seen[HAPPENED[number]] > had[HAPPENED[number]]:
                new.append(broker_s(number))
        self.attempt(lambda: import_transactions(self.file, [listed], DAY, "en"), new)

    @rule(more=st.integers(1, 9))
    def edit(self, more: int) -> None:
        held = rebalancer.load(self.file).holdings[0].quantity
        text = self.file.read_text(encoding="utf-8")
        self.file.write_text(text.replace(f"quantity: {held}", f"quantity: {held + more}", 1), encoding="utf-8")
        self.edited = self.file.read_text(encoding="utf-8") != text or self.edited

    @rule()
    def correct(self) -> None:
        raw, (shares, money) = self.file.read_bytes(), worth(self.deeds)
        now, cash = self.held()
        added = record_corrections(self.file, DAY)
        off = [Deed(DAY, name, now.get(name, Decimal(0)) - shares.get(name, Decimal(0))) for name in ("VTI", "SCHD")]
        if added:
            self.before, self.undoable = (self.deeds, raw), True
        self.deeds = [*self.deeds, *(one for one in off if one.shares), Deed(DAY, money=cash - money)]
        self.edited = False
        self.check()

    @rule()
    def rebuild(self) -> None:
        raw = self.file.read_bytes()
        rebuild_file(self.file, "en")
        if self.file.read_bytes() != raw:
            self.before, self.undoable = (self.deeds, raw), True
        self.edited = False
        self.check()

    @rule()
    def undo(self) -> None:
        raw = self.file.read_bytes()
        try:
            take_back(self.file, DAY)
        except InputError:
            assert self.edited or not self.undoable
            assert self.file.read_bytes() == raw
            return
        assert self.before is not None
        self.deeds, bytes_then = self.before
        assert self.file.read_bytes() == bytes_then
        self.undoable = False
        if not read_ledger(self.file).standing:  # the beginning itself was taken back: it begins again
            record_corrections(self.file, dt.date(2026, 1, 1))
            self.undoable = True
        shares, money = worth(self.deeds)
        self.edited = self.held() != (shares, money)
        portfolio, books = rebalancer.load(self.file), read_ledger(self.file).books("USD")
        assert bool(differences(books, portfolio)) == self.edited


def kept(examples: int, steps: int, start: int | None = None) -> None:
    machine = Keeping if start is None else seed(start)(type("Seeded", (Keeping,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.slow
def test_ledger_and_file_agree_after_any_sequence() -> None:
    kept(8, 6)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_ledger_and_file_agree_after_ten_thousand_sequences(part: int) -> None:
    kept(500, 8, part)
