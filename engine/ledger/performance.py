"""What a portfolio was worth, and what it returned: daily values from a ledger and whatever prices are known.

A day's time-weighted return is (value after + what was taken) / (value before + what came) − 1: money comes at the
start of a day and leaves at its end (as in Portfolio Performance's true time-weighted rate of return). A day that
begins with nothing returns nothing. The money-weighted return is the yearly rate, of 365 days, at which the flows grow
to the final value (as Excel's XIRR). Rates are annualised over a year and more, never below.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.returns import money_weighted
from engine.documents import Document, number, problem_list
from engine.errors import Problem, note, warning
from engine.history import Days, Floats, HistoryTable, Series, as_date
from engine.ledger.account import Books, Gain, Key
from engine.ledger.entries import LedgerEntry
from engine.money import ZERO
from engine.phrase import place

if TYPE_CHECKING:
    import pandas as pd

YEAR = 365
#: A position is priced by a price this many days old at most before that is told.
_OLD = 31
#: A value this far below 0 is below it, and no rounding.
_CENT = 0.005
#: The first of January 1970, from which numpy counts days; a date from the number of its day is quick to make.
_EPOCH = dt.date(1970, 1, 1).toordinal()
#: The days of trading of a calendar year span at least so much of it; a yearly rate of less would mislead.
_ABOUT_A_YEAR = 0.95


@dataclass(frozen=True, slots=True)
class Returns:
    """What something returned over a period: time-weighted in all and a year, money-weighted a year.

    `yearly` is None for less than a year, `money_weighted` for less than about a year, and where no rate
    makes the flows the final value.
    """

    time_weighted: float
    yearly: float | None
    money_weighted: float | None

    def to_json(self) -> Document:
        """Return the three figures."""
        return {
            "time_weighted": number(self.time_weighted),
            "time_weighted_yearly": number(self.yearly),
            "money_weighted": number(self.money_weighted),
        }


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """The portfolio, an account or a section over time: value at each day's end, what came and what was taken."""

    name: str
    days: Days
    value: Floats
    came: Floats
    taken: Floats

    @property
    def daily(self) -> Floats:
        """Return each day's time-weighted return; the first day's is of the money that came on it."""
        before = np.concatenate([[0.0], self.value[:-1]]) + self.came
        after = self.value + self.taken
        return np.divide(after, before, out=np.ones_like(after), where=before > 0) - 1.0

    def returns(self) -> Returns:
        """Return the returns over all days."""
        total = float(np.prod(1.0 + self.daily)) - 1.0
        years = float((self.days[-1] - self.days[0]).astype(int)) / YEAR
        yearly = float((1 + total) ** (1 / years) - 1) if years >= 1 and total > -1 else None
        weighted = (
            money_weighted(self.days, self.came - self.taken, float(self.value[-1]), YEAR)
            if years >= _ABOUT_A_YEAR
            else None
        )
        return Returns(total, yearly, weighted)

    def within(self, start: dt.date, end: dt.date) -> OverTime:
        """Return the part over some days: what was there before the first of them comes on it."""
        low = int(np.searchsorted(self.days, np.datetime64(start, "D"), "left"))
        high = int(np.searchsorted(self.days, np.datetime64(end, "D"), "right"))
        before = float(self.value[low - 1]) if low else 0.0
        came = self.came[low:high].copy()
        if len(came):
            came[0] += before
        return OverTime(self.name, self.days[low:high], self.value[low:high], came, self.taken[low:high])


@dataclass(frozen=True, slots=True)
class Mark:
    """What a portfolio was worth on a day, with the money that had just come in it (or been taken)."""

    date: dt.date
    value: float
    flow: float = 0.0


def between_marks(marks: Sequence[Mark]) -> Returns | None:
    """Return the returns between days on which the value is known, None for less than two of them.

    From one to the next: (value − flow) / value before − 1. The first mark's value is what it begins with.
    """
    ordered = sorted(marks, key=lambda one: one.date)
    if len(ordered) < 2:
        return None
    total = 1.0
    for before, after in pairwise(ordered):
        if before.value > 0:
            total *= (after.value - after.flow) / before.value
    days = np.array([one.date for one in ordered], dtype="datetime64[D]")
    flows = np.array([ordered[0].value, *(one.flow for one in ordered[1:])])
    years = float((days[-1] - days[0]).astype(int)) / YEAR
    yearly = total ** (1 / years) - 1 if years >= 1 and total > 0 else None
    weighted = money_weighted(days, flows, ordered[-1].value, YEAR) if years >= _ABOUT_A_YEAR else None
    return Returns(total - 1, yearly, weighted)


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """What happened in a period, in the base currency; realised gains None where a cost or rate is not known."""

    deposits: Decimal = ZERO
    withdrawals: Decimal = ZERO
    dividends: Decimal = ZERO
    interest: Decimal = ZERO
    costs: Decimal = ZERO
    taxes: Decimal = ZERO
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    realised_average: Decimal | None = ZERO
    realised_fifo: Decimal | None = ZERO

    def to_json(self) -> Document:
        """Return the sums by name."""
        names = ("deposits", "withdrawals", "dividends", "interest", "costs", "taxes", "bought", "sold",
                 "realised_average", "realised_fifo")  # fmt: skip
        return {name: number(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A portfolio over time, in the base currency.

    `drift` is that of each day from today's targets, `outside` on how many days something was outside its band;
    `benchmark` what today's targets, held anew every day at no cost, returned (None without closes of all of them).
    `turnover` is the smaller of purchases and sales, of the average value: a year, below one of the period.
    """

    currency: str
    whole: OverTime
    accounts: tuple[OverTime, ...]
    sections: tuple[OverTime, ...]
    totals: PeriodTotals
    by_year: Mapping[int, tuple[Returns, PeriodTotals]]
    gains: tuple[Gain, ...]
    drift: Floats
    outside: int
    turnover: float
    benchmark: Returns | None
    allocation: Mapping[str, Floats] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> Document:
        """Return returns, sums, gains and the series by day as a JSON document."""
        days = [as_date(day).isoformat() for day in self.whole.days]
        return {
            "from": days[0],
            "to": days[-1],
            "currency": self.currency,
            "value": number(float(self.whole.value[-1])),
            "paid_in": number(float((self.whole.came - self.whole.taken).sum())),
            "returns": self.whole.returns().to_json(),
            "benchmark": None if self.benchmark is None else self.benchmark.to_json(),
            "totals": self.totals.to_json(),
            "by_year": [
                {"year": year, **returns.to_json(), **totals.to_json()}
                for year, (returns, totals) in self.by_year.items()
            ],
            "accounts": [{"account": one.name, **_ended(one)} for one in self.accounts],
            "sections": [{"section": one.name, **_ended(one)} for one in self.sections],
            "turnover": number(self.turnover),
            "drift": {
                "now": number(float(self.drift[-1])),
                "average": number(float(self.drift.mean())),
                "widest": number(float(self.drift.max())),
                "days_outside": self.outside,
            },
            "gains": [
                {
                    "date": one.date.isoformat(),
                    "account": one.account,
                    "symbol": one.symbol,
                    "currency": one.currency,
                    "average": number(one.average),
                    "fifo": number(one.fifo),
                    "average_base": number(one.average_base),
                    "fifo_base": number(one.fifo_base),
                }
                for one in self.gains
            ],
            "series": [
                {"date": day, "value": number(float(value)), "flow": number(float(came - taken)),
                 "drift": number(float(drift))}
                for day, value, came, taken, drift in zip(
                    days, self.whole.value, self.whole.came, self.whole.taken, self.drift, strict=True
                )
            ],
            "problems": problem_list(self.problems),
        }  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return a row per day: value, came, taken, return, drift."""
        import pandas as pd

        whole = self.whole
        columns = {"value": whole.value, "came": whole.came, "taken": whole.taken, "return": whole.daily}
        return pd.DataFrame({**columns, "drift": self.drift}, index=pd.DatetimeIndex(whole.days))


def _ended(part: OverTime) -> Document:
    return {"value": number(float(part.value[-1])), **part.returns().to_json()}


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted of a goal: its section, weight, and how far from it the weight may be (infinity: no band).

    `parts` are the members' parts in it, the one that stands for it in the benchmark first; without any the goal is the
    instrument that it is called by.
    """

    section: str
    weight: float
    width: float
    parts: Mapping[str, float] = field(default_factory=dict)

    def members(self, name: str) -> Mapping[str, float]:
        """Return the parts; `name` is the aim's."""
        return self.parts or {name: 1.0}


def performance(
    entries: Sequence[LedgerEntry],
    base: str,
    aims: Mapping[str, Aim],
    closes: HistoryTable,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Performance | None:
    """Return what a ledger's standing entries came to, between two days; None where nothing happened by then.

    `closes` are without dividends (they are entries). Where a day has no close the last known price counts: of the
    closes, of a snapshot or of a trade.
    """
    course = _Walk(entries, base, closes, end)
    if not len(course.days):
        return None
    whole = course.part("", lambda _: True)
    first, last = start or as_date(course.days[0]), end or as_date(course.days[-1])
    shown = whole.within(first, last)
    if not len(shown.days):
        return None
    low = int(np.searchsorted(course.days, shown.days[0]))
    rows = slice(low, low + len(shown.days))
    names = list(dict.fromkeys(account for account, _ in (*course.books.stocks, *course.books.cash)))
    accounts = [course.part(name, partial(_is_of, name)) for name in names] if len(names) > 1 else []
    whose = {symbol: aim.section for name, aim in reversed(list(aims.items())) for symbol in aim.members(name)}
    of = {symbol: whose.get(symbol, "") for symbol in course.symbols}
    kinds = list(dict.fromkeys(of.values()))
    sections = [course.section(kind, of) for kind in kinds] if len(kinds) > 1 else []
    weights, allocation = course.weights(aims)
    targets = np.array([aims[symbol].weight for symbol in aims])
    off = np.abs(weights - targets)
    idle = np.abs(1 - weights.sum(axis=1) - max(1 - float(targets.sum()), 0.0)) if len(aims) else np.ones(len(off))
    drift = 0.5 * (off.sum(axis=1) + idle)
    widths = np.array([aims[symbol].width for symbol in aims])
    years = range(shown.days[0].astype(object).year, shown.days[-1].astype(object).year + 1)
    by_year = {}
    for year in years:
        begin, finish = max(first, dt.date(year, 1, 1)), min(last, dt.date(year, 12, 31))
        part = whole.within(begin, finish)
        if len(part.days):
            by_year[year] = (part.returns(), course.totals(begin, finish))
    totals = course.totals(first, last)
    span = max(float((shown.days[-1] - shown.days[0]).astype(int)) / YEAR, 1.0)
    mean = float(shown.value.mean())
    return Performance(
        base,
        shown,
        tuple(one.within(first, last) for one in accounts),
        tuple(one.within(first, last) for one in sections),
        totals,
        by_year,
        tuple(one for one in course.books.gains if first <= one.date <= last),
        drift[rows],
        int((off[rows] > widths + 1e-12).any(axis=1).sum()) if len(aims) else 0,
        float(min(totals.bought, totals.sold)) / mean / span if mean > 0 else 0.0,
        course.benchmark(aims, shown.days),
        {name: values[rows] for name, values in allocation.items()},
        (*course.books.problems, *course.problems, *_below_zero(shown)),
    )


def _below_zero(whole: OverTime) -> tuple[Problem, ...]:
    """Return a warning where more is owed than there is: what is lost of nothing is no return."""
    below = np.flatnonzero(whole.value < -_CENT)
    if not len(below):
        return ()
    first, lowest = as_date(whole.days[below[0]]), Decimal(repr(float(whole.value.min())))
    return (warning("ledger-below-zero", place("ledger"), day=first, lowest=lowest),)


class _Walk:
    """The days of a ledger with quantities, prices, rates and money on each."""

    def __init__(self, entries: Sequence[LedgerEntry], base: str, closes: HistoryTable, end: dt.date | None) -> None:
        ordered = [one for one in sorted(entries, key=lambda one: one.date) if end is None or one.date <= end]
        self.base, self._closes = base, closes
        self._entries = [one for one in ordered if one.kind != "snapshot"]
        self.books, self.problems = Books(base), list[Problem]()
        self._splits = _splits(self._entries)
        self._adjusted = {
            symbol: _as_after_splits(series, self._splits.get(symbol, ())) for symbol, series in closes.series.items()
        }
        self._currency = {one.symbol: one.currency for one in ordered if one.symbol and one.currency}
        self.days = self._all_days(ordered, end)
        if not len(self.days):
            return
        self._walk()
        self.symbols = tuple(dict.fromkeys(symbol for _, symbol in self._keys))
        self._rates = self._all_rates(ordered)
        self._prices = self._all_prices(ordered)
        self._worth = np.column_stack(
            [self._quantities[:, at] * self._prices[symbol] for at, (_, symbol) in enumerate(self._keys)]
        ) if self._keys else np.zeros((len(self.days), 0))  # fmt: skip
        self._idle = np.column_stack(
            [self._money[:, at] * self._rates[currency] for at, (_, currency) in enumerate(self._purses)]
        ) if self._purses else np.zeros((len(self.days), 0))  # fmt: skip

    def _all_days(self, ordered: Sequence[LedgerEntry], end: dt.date | None) -> Days:
        days = {one.date for one in ordered}
        if not days:
            return np.empty(0, dtype="datetime64[D]")
        mine = np.array(sorted(days), dtype="datetime64[D]")
        symbols = {one.symbol for one in ordered}
        known = [series.days for name, series in self._closes.series.items() if name in symbols]
        pairs = {one.currency + self.base for one in ordered if one.currency}
        known += [series.days for pair, series in self._closes.rates.items() if pair in pairs]
        every = np.unique(np.concatenate([mine, *known]))
        last = np.datetime64(end, "D") if end else every[-1]
        return np.asarray(every[(every >= mine[0]) & (every <= last)])

    def _walk(self) -> None:
        """Book the entries, and keep what is held at the end of each day."""
        keys: dict[tuple[str, str], int] = {}
        purses: dict[tuple[str, str], int] = {}
        for one in self._entries:
            if one.symbol and one.kind != "dividend":
                keys.setdefault((one.account, one.symbol), len(keys))
            if one.currency:
                purses.setdefault((one.account, one.currency), len(purses))
        self._keys, self._purses = tuple(keys), tuple(purses)
        self._quantities = np.zeros((len(self.days), len(keys)))
        self._money = np.zeros((len(self.days), len(purses)))
        at = 0
        rows = np.searchsorted(self.days, np.array([one.date for one in self._entries], dtype="datetime64[D]"))
        for row, entry in zip(rows, self._entries, strict=True):
            if row > at:
                self._keep(at, int(row))
                at = int(row)
            self.books.book(entry)
        self._keep(at, len(self.days))

    def _keep(self, first: int, last: int) -> None:
        self._quantities[first:last] = [
            float(self.books.stocks[key].quantity) if key in self.books.stocks else 0.0 for key in self._keys
        ]
        self._money[first:last] = [float(self.books.cash.get(purse, ZERO)) for purse in self._purses]

    def _all_rates(self, ordered: Sequence[LedgerEntry]) -> dict[str, Floats]:
        """Return base currency per unit of every currency, by day."""
        found = {self.base: np.ones(len(self.days))}
        used = dict.fromkeys((*self._currency.values(), *(currency for _, currency in self._purses)))
        for currency in used:
            if currency in found or not currency:
                continue
            points = [(one.date, float(one.fx)) for one in ordered
                      if one.currency == currency and one.fx and one.kind != "opening"]  # fmt: skip
            opened = [(one.date, float(one.fx)) for one in ordered if one.currency == currency and one.fx]
            series = self._closes.rates.get(currency + self.base)
            values = self._filled(points or opened, series.days if series else None, series.closes if series else None)
            if values is None:
                where = place("fx", pair=currency + self.base)
                self.problems.append(warning("ledger-no-rate", where, currency=currency, base=self.base))
                values = np.zeros(len(self.days))
            found[currency] = values
        found.setdefault("", np.ones(len(self.days)))
        return found

    def _all_prices(self, ordered: Sequence[LedgerEntry]) -> dict[str, Floats]:
        """Return every symbol's price in the base currency, by day."""
        points: dict[str, list[tuple[dt.date, float]]] = {symbol: [] for symbol in self.symbols}
        paid: dict[str, list[tuple[dt.date, float]]] = {symbol: [] for symbol in self.symbols}
        for one in ordered:
            if one.symbol not in points:
                continue
            given = points
            if one.kind == "opening" and one.price:
                given, price = paid, float(one.price)
            elif one.kind in ("buy", "sell") and one.quantity:
                price = float(one.amount / one.quantity)
            elif one.kind == "snapshot" and one.price is not None:
                price = float(one.price)
            else:
                continue
            splits = self._splits.get(one.symbol)
            if splits:
                price /= float(_shares_after(np.array([one.date], dtype="datetime64[D]"), splits)[0])
            given[one.symbol].append((one.date, price))
        prices = {}
        for symbol in self.symbols:
            series = self._adjusted.get(symbol)
            known = self._filled(points[symbol], series.days if series else None, series.closes if series else None)
            if known is None and paid[symbol]:
                known = self._filled(paid[symbol], None, None)
                self.problems.append(warning("ledger-at-cost", place("position", symbol=symbol)))
            if known is None:
                self.problems.append(warning("ledger-no-price", place("position", symbol=symbol)))
                known = np.zeros(len(self.days))
            known = known * _shares_after(self.days, self._splits.get(symbol, ()))
            prices[symbol] = known * self._rates[self._currency.get(symbol, "")]
        return prices

    def _filled(
        self, points: Sequence[tuple[dt.date, float]], days: Days | None, values: Floats | None
    ) -> Floats | None:
        """Return the last known value by day (before the first: the first); closes beat points of the same day."""
        known = dict(points)
        ordered = sorted(known)
        every = (np.array([day.toordinal() for day in ordered], dtype="int64") - _EPOCH).astype("datetime64[D]")
        numbers = np.array([known[day] for day in ordered])
        if days is not None and values is not None and len(days):
            mine = ~np.isin(every, days)
            every, numbers = np.concatenate([every[mine], days]), np.concatenate([numbers[mine], values])
            order = np.argsort(every, kind="stable")
            every, numbers = every[order], numbers[order]
        if not len(every):
            return None
        at = np.maximum(np.searchsorted(every, self.days, "right") - 1, 0)
        return np.asarray(numbers[at])

    def part(self, name: str, belongs: Callable[[Key], bool]) -> OverTime:
        """Return the whole, or an account, as a part over time: the keys (account, …) that belong."""
        columns = [at for at, key in enumerate(self._keys) if belongs(key)]
        purses = [at for at, key in enumerate(self._purses) if belongs(key)]
        value = self._worth[:, columns].sum(axis=1) + self._idle[:, purses].sum(axis=1)
        came, taken = np.zeros(len(self.days)), np.zeros(len(self.days))
        for one in self._entries:
            if belongs((one.account, "")):
                money = self._external(one)
                row = int(np.searchsorted(self.days, np.datetime64(one.date, "D")))
                if money > 0:
                    came[row] += money
                else:
                    taken[row] -= money
        return OverTime(name, self.days, value, came, taken)

    def _external(self, one: LedgerEntry) -> float:
        """Return what an entry brought from outside (+) or took there (−), in the base currency."""
        row = int(np.searchsorted(self.days, np.datetime64(one.date, "D")))
        if one.symbol and one.kind in ("opening", "correction"):
            return float(one.quantity) * float(self._prices[one.symbol][row])
        rate = float(self._rates[one.currency][row])
        if one.kind in ("deposit", "opening", "correction"):
            return float(one.amount) * rate
        return -float(one.amount) * rate if one.kind == "withdrawal" else 0.0

    def section(self, name: str, of: Mapping[str, str]) -> OverTime:
        """Return a section's holdings as a part: purchases come, sales and dividends are taken."""
        columns = [at for at, (_, symbol) in enumerate(self._keys) if of[symbol] == name]
        value = self._worth[:, columns].sum(axis=1)
        came, taken = np.zeros(len(self.days)), np.zeros(len(self.days))
        for one in self._entries:
            if not one.symbol or of.get(one.symbol) != name:
                continue
            row = int(np.searchsorted(self.days, np.datetime64(one.date, "D")))
            rate = float(self._rates[one.currency][row])
            if one.kind == "buy":
                came[row] += float(one.amount + one.cost + one.tax) * rate
            elif one.kind in ("sell", "dividend"):
                taken[row] += float(one.amount - one.cost - one.tax) * rate
            else:
                money = self._external(one)
                came[row] += max(money, 0.0)
                taken[row] += max(-money, 0.0)
        return OverTime(name, self.days, value, came, taken)

    def weights(self, aims: Mapping[str, Aim]) -> tuple[Floats, dict[str, Floats]]:
        """Return the weight of each aim by day, and of every symbol and of cash ("")."""
        total = self._worth.sum(axis=1) + self._idle.sum(axis=1)
        safe = np.where(total > 0, total, 1.0)
        by_symbol = {
            symbol: self._worth[:, [at for at, key in enumerate(self._keys) if key[1] == symbol]].sum(axis=1) / safe
            for symbol in self.symbols
        }
        nothing = np.zeros(len(self.days))
        columns = [
            sum((part * by_symbol.get(symbol, nothing) for symbol, part in aim.members(name).items()), nothing)
            for name, aim in aims.items()
        ]
        found = np.column_stack(columns) if columns else np.zeros((len(self.days), 0))
        return found, {**by_symbol, "": self._idle.sum(axis=1) / safe}

    def totals(self, start: dt.date, end: dt.date) -> PeriodTotals:
        """Return the sums of what happened from one day to another, both included."""
        sums = dict.fromkeys(
            ("deposits", "withdrawals", "dividends", "interest", "costs", "taxes", "bought", "sold"), ZERO
        )
        names = {"deposit": "deposits", "withdrawal": "withdrawals", "dividend": "dividends", "interest": "interest",
                 "buy": "bought", "sell": "sold", "fee": "costs"}  # fmt: skip
        for one in self._entries:
            if start <= one.date <= end:
                row = int(np.searchsorted(self.days, np.datetime64(one.date, "D")))
                rate = one.fx or Decimal(repr(float(self._rates[one.currency][row])))
                rate = Decimal(1) if one.currency in ("", self.base) else rate
                if one.kind in names:
                    sums[names[one.kind]] += one.amount * rate
                sums["costs"] += one.cost * rate
                sums["taxes"] += one.tax * rate
        gains = [one for one in self.books.gains if start <= one.date <= end]
        return PeriodTotals(
            **sums,
            realised_average=_summed(one.average_base for one in gains),
            realised_fifo=_summed(one.fifo_base for one in gains),
        )

    def benchmark(self, aims: Mapping[str, Aim], days: Days) -> Returns | None:
        """Return what the aims, held anew every day at no cost, returned on the days that all have closes."""
        carriers = {name: next(iter(aim.members(name))) for name, aim in aims.items()}
        lacking = [symbol for symbol in carriers.values() if symbol not in self._closes.series]
        wanted = [name for name in aims if aims[name].weight > 0]
        if not wanted or lacking or len(days) < 2:
            return None
        rates = {**self._rates}
        columns = []
        for symbol in (carriers[name] for name in wanted):
            series = self._adjusted[symbol]
            currency = series.currency or self._currency.get(symbol, self.base)
            if currency not in rates or series.days[0] > days[0]:
                return None
            at = np.searchsorted(series.days, days, "right") - 1
            rate = rates[currency][np.searchsorted(self.days, days)]
            columns.append(series.closes[at] * rate)
        worth = np.column_stack(columns)
        grown = (worth[1:] / worth[:-1] - 1) @ np.array([aims[name].weight for name in wanted])
        value = np.concatenate([[1.0], np.cumprod(1 + grown)])
        came = np.zeros(len(days))
        came[0] = 1.0
        return OverTime("", days, value, came, np.zeros(len(days))).returns()


#: The days on which shares were split, and how many new ones came of an old one.
Splits = Sequence[tuple[np.datetime64, float]]


def _splits(entries: Iterable[LedgerEntry]) -> dict[str, Splits]:
    """Return the splits of each symbol, once where several accounts had them."""
    found: dict[str, dict[dt.date, float]] = {}
    for one in entries:
        if one.kind == "split":
            found.setdefault(one.symbol, {})[one.date] = float(one.quantity)
    return {
        symbol: [(np.datetime64(day, "D"), ratio) for day, ratio in sorted(days.items())]
        for symbol, days in found.items()
    }


def _shares_after(days: Days, splits: Splits) -> Floats:
    """Return how many shares of the end one share of each day became."""
    shares = np.ones(len(days))
    for day, ratio in splits:
        shares[days < day] *= ratio
    return shares


def _as_after_splits(series: Series, splits: Splits) -> Series:
    """Return closes per share of the end.

    Sources mostly give them so; where closes fall by a split on its day, they are those of the old shares.
    """
    closes = series.closes
    for day, ratio in splits:
        at = int(np.searchsorted(series.days, day))
        if 0 < at < len(closes):
            step = np.log(closes[at] / closes[at - 1])
            if abs(step + np.log(ratio)) < abs(step):
                closes = np.where(series.days < day, closes / ratio, closes)
    return replace(series, closes=closes)


def _is_of(account: str, key: Key) -> bool:
    return key[0] == account


def _summed(gains: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for one in gains:
        if one is None:
            return None
        total += one
    return total


def aged(part: Performance, today: dt.date) -> tuple[Problem, ...]:
    """Return a note where the last day known is old, a warning where it is still to come."""
    last = as_date(part.whole.days[-1])
    old = (today - last).days
    if old < 0:
        return (warning("ledger-to-come", place("ledger"), day=last, today=today),)
    return (note("ledger-old", place("ledger"), day=last, days=old),) if old > _OLD else ()
