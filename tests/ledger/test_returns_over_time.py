"""Returns from ledgers, by hand and beside pyxirr."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_DOWN, Decimal
from typing import Any

import numpy as np
import pytest
import pyxirr
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.returns import money_weighted
from engine.history import HistoryTable, Series
from engine.ledger.entries import LedgerEntry
from engine.ledger.performance import Aim, Mark, Performance, aged, between_marks, performance

FIRST = dt.date(2024, 1, 1)


def entry(after: int, kind: Any, symbol: str = "", currency: str = "USD", **more: float | Decimal) -> LedgerEntry:
    given: dict[str, Any] = {name: Decimal(str(value)) for name, value in more.items()}
    day = FIRST + dt.timedelta(days=after)
    return LedgerEntry(f"{after}{kind}{symbol}{len(given)}", "b", day, kind, "", symbol, currency=currency, **given)


def closes(symbol: str, points: dict[int, float], currency: str = "USD") -> Series:
    days = np.array([FIRST + dt.timedelta(days=at) for at in points], dtype="datetime64[D]")
    return Series(symbol, days, np.array(list(points.values()), dtype=float), currency)


def found(
    entries: list[LedgerEntry], *series: Series, rates: tuple[Series, ...] = (), base: str = "USD", **more: Any
) -> Performance:
    table = HistoryTable({one.symbol: one for one in series}, {one.symbol: one for one in rates})
    result = performance(entries, base, more.pop("aims", {}), table, **more)
    assert result is not None
    return result


def test_a_deposit_does_not_count_as_return() -> None:
    # 1,000 become 1,100 (+10 %); 900 more make 2,000, which become 2,200 (+10 %): 1.1 x 1.1 - 1 = 21 %.
    result = found(
        [
            entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000),
            entry(366, "deposit", amount=900), entry(366, "buy", "A", quantity=8, amount=880),
        ],
        closes("A", {0: 100, 365: 110, 366: 110, 731: 121.1111111111111}),
    )  # fmt: skip
    expected = 1.1 * ((18 * 121.1111111111111 + 20) / 2000) - 1
    assert result.whole.returns().time_weighted == pytest.approx(expected, abs=1e-12)


def test_flows_on_the_first_and_the_last_day() -> None:
    # 1,000 come first, 500 come on the last day and are worth 500: nothing gained, nothing lost.
    result = found([entry(0, "deposit", amount=1000), entry(400, "deposit", amount=500)])
    returns = result.whole.returns()
    assert returns.time_weighted == 0
    assert returns.money_weighted == pytest.approx(0, abs=1e-10)
    assert result.to_json()["value"] == 1500


def test_money_in_and_out_on_the_first_and_the_last_day_by_hand() -> None:
    # 1,000 come and 200 go on the first day: 800 in shares become 1,600 a year later, when 100 come and 300 go: +100 %.
    result = found(
        [
            entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=8, amount=800),
            entry(0, "withdrawal", amount=200), entry(365, "deposit", amount=100),
            entry(365, "sell", "A", quantity=1, amount=200), entry(365, "withdrawal", amount=300),
        ],
        closes("A", {0: 100, 364: 200, 365: 200}),
    )  # fmt: skip
    returns = result.whole.returns()
    assert returns.time_weighted == pytest.approx(1.0, abs=1e-12)
    # 800 x (1 + r) = 1,400 + 300 - 100: the flows of a day are one
    assert returns.money_weighted == pytest.approx(1.0, abs=1e-10)


def test_fees_and_a_foreign_currency_by_hand_money_weighted() -> None:
    # 1,000,000 won buy 1,000 dollars at 1,000; 990 in shares, 10 of commission; +20 %, the dollar at 1,100, and 8 of
    # fees: 1,180 dollars are 1,298,000 won after a year.
    result = found(
        [
            entry(0, "deposit", amount=1_000_000, currency="KRW"),
            entry(0, "exchange-out", amount=1_000_000, currency="KRW"), entry(0, "exchange-in", amount=1000, fx=1000),
            entry(0, "buy", "A", quantity=9.9, amount=990, cost=10, fx=1000), entry(365, "fee", amount=8, fx=1100),
        ],
        closes("A", {0: 100, 365: 120}),
        rates=(closes("USDKRW", {0: 1000, 365: 1100}, "KRW"),),
        base="KRW",
    )  # fmt: skip
    assert result.whole.returns().time_weighted == pytest.approx(0.298, abs=1e-12)
    assert result.whole.returns().money_weighted == pytest.approx(0.298, abs=1e-10)


def test_a_portfolio_that_was_empty_for_a_while_goes_on() -> None:
    # 1,000 become 1,500 (+50 %) and are taken; a year later 100 become 110 (+10 %): 1.5 x 1.1 - 1 = 65 %.
    result = found(
        [
            entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000),
            entry(100, "sell", "A", quantity=10, amount=1500), entry(100, "withdrawal", amount=1500),
            entry(465, "deposit", amount=100), entry(465, "buy", "A", quantity=1, amount=100),
        ],
        closes("A", {0: 100, 100: 150, 465: 100, 500: 110}),
    )  # fmt: skip
    assert result.whole.returns().time_weighted == pytest.approx(0.65, abs=1e-12)


def test_a_foreign_share_returns_in_the_base_currency() -> None:
    # +10 % in dollars, and the dollar from 1,000 to 1,200 won: 1.1 x 1.2 - 1 = 32 %; 1 % of it goes as a fee.
    result = found(
        [
            entry(0, "deposit", amount=100_000, currency="KRW"),
            entry(0, "exchange-out", amount=100_000, currency="KRW"), entry(0, "exchange-in", amount=100, fx=1000),
            entry(0, "buy", "A", quantity=1, amount=100, fx=1000),
        ],
        closes("A", {0: 100, 365: 110}),
        rates=(closes("USDKRW", {0: 1000, 365: 1200}, "KRW"),),
        base="KRW",
    )  # fmt: skip
    assert result.whole.returns().time_weighted == pytest.approx(0.32, abs=1e-12)
    assert result.whole.returns().yearly == pytest.approx(0.32, abs=1e-12)


def test_less_than_a_year_is_not_annualised() -> None:
    result = found([entry(0, "deposit", amount=100), entry(100, "interest", amount=1)])
    assert result.whole.returns().yearly is None


def test_costs_lower_the_return_and_dividends_raise_it() -> None:
    # 1,000: 990 of shares and 10 of commission; 20 of dividends less 3 of tax: 1,007 / 1,000.
    result = found(
        [
            entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=990, cost=10),
            entry(365, "dividend", "A", amount=20, tax=3),
        ],
        closes("A", {0: 99, 365: 99}),
    )  # fmt: skip
    assert result.whole.returns().time_weighted == pytest.approx(0.007, abs=1e-12)
    assert (result.totals.costs, result.totals.taxes, result.totals.dividends) == (10, 3, 20)


def test_a_section_is_paid_what_is_bought_and_pays_what_is_sold() -> None:
    result = found(
        [
            entry(0, "deposit", amount=2000), entry(0, "buy", "A", quantity=10, amount=1000),
            entry(0, "buy", "B", quantity=10, amount=1000), entry(10, "sell", "A", quantity=5, amount=600),
        ],
        closes("A", {0: 100, 10: 120, 20: 132}),
        closes("B", {0: 100, 10: 100, 20: 90}),
        aims={"A": Aim("core", 0.5, 0.05), "B": Aim("satellite", 0.5, 0.05)},
    )  # fmt: skip
    core, satellite = result.sections
    assert core.returns().time_weighted == pytest.approx(1.2 * 1.1 - 1, abs=1e-12)
    assert satellite.returns().time_weighted == pytest.approx(-0.1, abs=1e-12)


@pytest.mark.parametrize(
    "known",
    [
        {0: 25.0, 9: 25.0, 10: 27.5, 20: 27.5},  # as sources give them: per share of today
        {0: 100.0, 9: 100.0, 10: 27.5, 20: 27.5},  # as they were
        {10: 27.5},  # none before the split but the price that was paid
    ],
)
def test_a_split_is_no_loss_and_no_gain(known: dict[int, float]) -> None:
    entries = [
        entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000),
        entry(10, "split", "A", currency="", quantity=4), entry(20, "sell", "A", quantity=40, amount=1100),
    ]  # fmt: skip
    result = found(entries, closes("A", known), aims={"A": Aim("all", 1, 0.05)})
    assert list(result.whole.value[[0, -1]]) == [1000, 1100]
    assert result.whole.returns().time_weighted == pytest.approx(0.1, abs=1e-12)
    assert result.benchmark is None or result.benchmark.time_weighted == pytest.approx(0.1, abs=1e-12)
    assert result.gains[0].average == 100


def test_a_price_from_before_a_split_counts_by_the_new_shares_after_it() -> None:
    bought = [entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000)]
    result = found([*bought, entry(10, "split", "A", currency="", quantity=4), entry(12, "deposit", amount=5)])
    assert list(result.whole.value) == [1000, 1000, 1005]


def test_the_benchmark_is_the_targets_held_anew_every_day() -> None:
    result = found(
        [entry(0, "deposit", amount=100), entry(2, "interest", amount=1)],
        closes("A", {0: 100, 1: 110, 2: 110}),
        closes("B", {0: 100, 1: 100, 2: 120}),
        aims={"A": Aim("all", 0.5, 0.05), "B": Aim("all", 0.5, 0.05)},
    )
    # A and B are not in the ledger: their days are not days of it; from day 0 to day 2 +10 % and +20 %, half of each.
    assert result.benchmark is not None
    assert result.benchmark.time_weighted == pytest.approx(0.15, abs=1e-12)


def test_more_owed_than_there_is_is_told() -> None:
    owing = found([entry(0, "deposit", amount=100), entry(9, "fee", amount=400), entry(20, "deposit", amount=900)])
    [told] = [one for one in owing.problems if one.code == "ledger-below-zero"]
    assert told.message.values["day"] == FIRST + dt.timedelta(days=9)
    fine = found([entry(0, "deposit", amount=100), entry(9, "withdrawal", amount=100)])
    assert fine.problems == ()


def test_a_day_that_is_still_to_come_is_told() -> None:
    result = found([entry(0, "deposit", amount=100)])
    assert [one.code for one in aged(result, FIRST - dt.timedelta(days=1))] == ["ledger-to-come"]
    assert aged(result, FIRST) == ()
    assert [one.code for one in aged(result, FIRST + dt.timedelta(days=99))] == ["ledger-old"]


def test_a_part_of_the_period_begins_with_what_was_there() -> None:
    result = found(
        [entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000)],
        closes("A", {0: 100, 100: 150, 200: 300}),
        start=FIRST + dt.timedelta(days=150),
    )
    assert result.whole.returns().time_weighted == pytest.approx(1.0, abs=1e-12)
    result = found(
        [entry(0, "deposit", amount=1000), entry(0, "buy", "A", quantity=10, amount=1000)],
        closes("A", {0: 100, 100: 150, 200: 300}),
        start=FIRST + dt.timedelta(days=100),
    )
    assert result.whole.returns().time_weighted == pytest.approx(2.0, abs=1e-12)


def test_between_values_that_are_known_the_flows_are_left_out() -> None:
    # 1,000 become 1,100; 900 more make 2,000, which become 2,200 within a year and a half: 21 %.
    marks = [Mark(FIRST, 1000), Mark(FIRST + dt.timedelta(days=300), 2000, 900), Mark(dt.date(2025, 6, 30), 2200)]
    returns = between_marks(marks)
    assert returns is not None
    assert returns.time_weighted == pytest.approx(0.21, abs=1e-12)
    assert between_marks(marks[:1]) is None


def test_the_sheet_function_answers_from_the_ledger_sheet() -> None:
    rows = [
        ["Ledger", None, None],
        ["Date", "Value", "Flow"],
        [dt.date(2025, 1, 2), 1000, 0],
        [dt.date(2026, 1, 2), 1600, 500],
    ]
    from xl_addin.functions.cells import NA
    from xl_addin.functions.studies import performance as function

    answer = function.answer([None, None, {"Ledger": rows}])
    told = dict(answer[1:])  # type: ignore[arg-type, index]
    assert told["value"] == 1600
    assert told["time_weighted"] == pytest.approx(0.1)
    assert told["costs"] == NA
    assert function.answer([None, None, {"Ledger": rows[:2]}]) == NA


flows = st.lists(st.tuples(st.integers(0, 3000), st.floats(-500, 1000)), min_size=1, max_size=8)


@given(flows, st.floats(100, 20_000))
def test_the_money_weighted_return_is_that_of_pyxirr(given_flows: list[tuple[int, float]], final: float) -> None:
    by_day = {0: 1000.0, 3650: 0.0}
    for day, amount in given_flows:
        by_day[day] = by_day.get(day, 0.0) + amount
    if any(total <= 0 for total in np.cumsum([by_day[day] for day in sorted(by_day)])[:-1]):
        return  # with money taken that was not there several rates may fit
    days = np.array([FIRST + dt.timedelta(days=day) for day in sorted(by_day)], dtype="datetime64[D]")
    amounts = np.array([by_day[day] for day in sorted(by_day)])
    mine = money_weighted(days, amounts, final, 365)
    money = [-amount for amount in amounts]
    money[-1] += final
    theirs = pyxirr.xirr([one.astype(object) for one in days], money)
    assert mine is not None
    assert theirs is not None
    assert float(np.sum(amounts * (1 + mine) ** ((days[-1] - days).astype(float) / 365))) == pytest.approx(
        final, rel=1e-9
    )
    # Its search ends nearer than 1e-8; what it says of our rate is exact.
    assert mine == pytest.approx(theirs, abs=1e-8)
    worth = pyxirr.xnpv(mine, [one.astype(object) for one in days], money)
    assert worth == pytest.approx(0, abs=1e-10 * float(np.abs(money).sum()))


#: A day: the price, the rate, what comes in dollars, how much of the cash is spent, of the shares sold, of all taken.
days_of_a_life = st.lists(
    st.tuples(
        st.floats(5, 500), st.floats(800, 1600), st.sampled_from([0.0, 0.0, 250.0, 1000.0]),
        st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 0.0, 0.4, 1.0]),
    ),
    min_size=2, max_size=12,
)  # fmt: skip


@given(days_of_a_life, st.sampled_from([0.0, 0.01]))
def test_the_time_weighted_return_is_that_of_units_as_a_fund_keeps_them(
    life: list[tuple[float, float, float, float, float, float]], fee: float
) -> None:
    """Units are bought at the last value of one and given back at today's: what one is worth is the return."""
    entries: list[LedgerEntry] = []
    shares = cash = Decimal(0)  # as a ledger's, to the last digit: nothing of nothing is left
    units, unit = 0.0, 1.0
    for at, (price, rate, came, spent, sold, taken) in enumerate(life):
        came = came or (1000.0 if at == 0 else 0.0)
        if came:
            entries.append(entry(at, "deposit", amount=came, fx=rate))
            cash += Decimal(came)
            units += came * rate / unit
        if spent and cash > 1:
            amount = (cash * Decimal(spent) / Decimal(1 + fee)).quantize(Decimal("0.01"), ROUND_DOWN)
            cost, quantity = (amount * Decimal(str(fee))).quantize(Decimal("0.01"), ROUND_DOWN), amount / Decimal(price)
            entries.append(entry(at, "buy", "A", quantity=quantity, amount=amount, cost=cost, fx=rate))
            shares, cash = shares + quantity, cash - amount - cost
        elif sold and shares:
            quantity = shares if sold == 1 else shares * Decimal(sold)
            amount = (quantity * Decimal(price)).quantize(Decimal("0.01"), ROUND_DOWN)
            cost = (amount * Decimal(str(fee))).quantize(Decimal("0.01"), ROUND_DOWN)
            entries.append(entry(at, "sell", "A", quantity=quantity, amount=amount, cost=cost, fx=rate))
            shares, cash = shares - quantity, cash + amount - cost
        gone = (cash * Decimal(taken)).quantize(Decimal("0.01"))
        if units:
            unit = (float(shares) * price + float(cash)) * rate / units
        if gone:
            entries.append(entry(at, "withdrawal", amount=gone, fx=rate))
            cash -= gone
            units -= float(gone) * rate / unit
        units = units if shares or cash else 0.0
    result = found(
        entries,
        closes("A", {at: day[0] for at, day in enumerate(life)}),
        rates=(closes("USDKRW", {at: day[1] for at, day in enumerate(life)}, "KRW"),),
        base="KRW",
        end=FIRST + dt.timedelta(days=len(life) - 1),
    )
    assert 1 + result.whole.returns().time_weighted == pytest.approx(unit, rel=1e-10)


@pytest.mark.soak
def test_twenty_years_of_daily_snapshots_are_read_in_two_seconds() -> None:
    import time

    from engine.ledger.entries import dump_entries, parse_entries

    entries = [entry(0, "deposit", amount=100_000)]
    entries += [entry(0, "buy", f"S{n}", quantity=10, amount=1000) for n in range(50)]
    entries += [
        LedgerEntry(
            f"{day}-{n}",
            f"s{day}",
            FIRST + dt.timedelta(days=day),
            "snapshot",
            "",
            f"S{n}",
            Decimal(10),
            Decimal(100 + n),
            "USD",
        )
        for day in range(1, 5040)
        for n in range(50)
    ]
    text = dump_entries(entries, header=True)
    begun = time.process_time()
    read, problems = parse_entries(text)
    result = performance(read, "USD", {}, HistoryTable({}))
    assert result is not None
    assert problems == ()
    assert time.process_time() - begun < 4  # 1 s on a quiet machine: docs/quality.md
