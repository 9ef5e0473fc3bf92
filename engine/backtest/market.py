"""What a backtest trades on: closes, rates and dividends by day, and what trades and gains cost on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache

import numpy as np

from engine.costs.table import TradeCost, lookup, read_table
from engine.costs.tax import FUNDS, is_overseas, tax_rule
from engine.errors import NoData
from engine.history import DAY, Days, Floats, HistoryTable, Series, aligned, as_date
from engine.phrase import phrase
from engine.portfolio import Portfolio

#: A dated rate is taken by settlement or by trade; this many days around a date that a table names, it is looked up.
_NEAR = 7 * DAY
#: A dividend smaller than this share of the price is the rounding of the closes it is worked out from.
_LEAST_DIVIDEND = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Closes:
    """Closes on common days: one row per day, one column per symbol.

    `closes` are in each symbol's own currency; `worth` in the base currency. `rates` are base currency per unit, by
    currency. `dividends` are per share in the base currency on the day they leave the price; None where closes hold
    them already.
    """

    base: str
    symbols: tuple[str, ...]
    days: Days
    closes: Floats
    currencies: tuple[str, ...]
    rates: Mapping[str, Floats] = field(default_factory=dict)
    dividends: Floats | None = None
    worth: Floats = field(init=False)

    def __len__(self) -> int:
        return len(self.days)

    def __post_init__(self) -> None:
        worth = self.closes.copy()
        for column, currency in enumerate(self.currencies):
            if currency != self.base:
                worth[:, column] *= self.rates[currency]
        object.__setattr__(self, "worth", worth)

    def rate(self, currency: str) -> Floats:
        """Return base currency per unit of a currency, by day."""
        return self.rates[currency] if currency != self.base else np.ones(len(self.days))

    def date(self, row: int) -> dt.date:
        """Return the date of a row."""
        return as_date(self.days[row])

    def between(self, first: int, last: int) -> Closes:
        """Return the rows from one to another, the last left out."""
        part = slice(first, last)
        return replace(
            self,
            days=self.days[part],
            closes=self.closes[part],
            rates={name: rate[part] for name, rate in self.rates.items()},
            dividends=None if self.dividends is None else self.dividends[part],
        )


def market_of(
    table: HistoryTable,
    symbols: tuple[str, ...],
    base: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    plain: HistoryTable | None = None,
    also: str = "",
) -> Closes:
    """Return the market of some symbols, on the days on which all of them have a close and a rate.

    `plain` are closes without dividends: with them, prices are these and dividends are what `table` has more. `also` is
    a currency whose rates are needed beside (the last known of each day). Raises NoData where a symbol, its currency or
    rates are not known.
    """
    priced = plain or table
    every = {name: priced.in_currency(name, base).between(start, end) for name in symbols}
    totals = {name: table.in_currency(name, base).between(start, end) for name in symbols} if plain else {}
    days, worth = aligned([*every.values(), *totals.values()])
    own = [_on(priced.series[name], days) for name in symbols]
    currencies = tuple(priced.series[name].currency or base for name in symbols)
    rates = {
        currency: worth[:, column] / own[column]
        for column, currency in enumerate(currencies)
        if currency != base
    }  # fmt: skip
    if also and also != base and also not in rates and len(days):
        rates[also] = _last_known(table, also, base, days)
    closes = np.column_stack(own) if own else np.empty((len(days), 0))
    dividends = None
    if plain:
        own_totals = np.column_stack([_on(table.series[name], days) for name in symbols])
        dividends = _dividends(closes, own_totals) * worth[:, : len(symbols)] / closes
    return Closes(base, symbols, days, closes, currencies, rates, dividends)


def _last_known(table: HistoryTable, currency: str, base: str, days: Days) -> Floats:
    """Return base currency per unit of a currency, by day; before the first rate, that one."""
    for name, invert in ((currency + base, False), (base + currency, True)):
        known = table.rates.get(name)
        if known is not None and len(known):
            closes = known.closes[np.maximum(np.searchsorted(known.days, days, "right") - 1, 0)]
            return np.asarray(1.0 / closes if invert else closes)
    raise NoData(phrase("closes.no-rates", given=currency, currency=base))


def _on(series: Series, days: Days) -> Floats:
    return series.closes[np.searchsorted(series.days, days)]


def _dividends(prices: Floats, totals: Floats) -> Floats:
    """Return what was paid per share each day.

    Earlier closes are multiplied by 1 − dividend / close of the day before it (as Yahoo adjusts them), so that the
    dividend is that close times one less the ratio of the two days' factors.
    """
    paid, factors = np.zeros_like(prices), totals / prices
    paid[1:] = prices[:-1] * (1 - factors[:-1] / factors[1:])
    return np.where(paid > _LEAST_DIVIDEND * prices, paid, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class DayCharges:
    """What trading costs on one day, by symbol, money in the base currency.

    Commissions are a rate of the amount and at least a minimum a trade; `sell_tax` a rate of a sale; `per_share` a fee
    for each share sold. `spread` is of what is exchanged. `withheld` is of a sale's gain, by symbol; `overseas` of the
    year's overseas gains above `allowance`; `dividend` of dividends paid out.
    """

    commission: Floats
    minimum: Floats
    sell_tax: Floats
    per_share: Floats
    spread: float
    withheld: Floats
    overseas: float
    allowance: float
    dividend: float

    @property
    def free(self) -> bool:
        """Tell whether trades cost nothing at all."""
        rates = (self.commission, self.minimum, self.sell_tax, self.per_share, self.withheld)
        return not any(rate.any() for rate in rates) and not self.spread and not self.overseas


@cache
def tables_begin() -> dt.date:
    """Return the first day for which the dated tables say everything; before it, that day's rates are taken."""
    first: dict[tuple[str, str], str] = {}
    for name, kind in (("rates.csv", "kind"), ("tax_rules.csv", "rule")):
        for row in read_table(name):
            key = (name, row[kind] + row.get("market", "") * (row[kind] == "sell_tax"))
            first[key] = min(first.get(key, "9999"), row["valid_from"])
    return dt.date.fromisoformat(max(first.values()))


class Tariff:
    """The dated costs and taxes of a portfolio's instruments: `charges` of any row of a market."""

    def __init__(self, portfolio: Portfolio, market: Closes) -> None:
        self._portfolio, self._market = portfolio, market
        self._instruments = [portfolio.instruments[symbol] for symbol in market.symbols]
        self._rates = {
            currency: market.rate(currency) for currency in (*market.currencies, "KRW") if self._has(currency)
        }
        dated = {row[end] for name in ("rates.csv", "tax_rules.csv") for row in read_table(name) for end in _ENDS}
        turns = np.array(sorted(day for day in dated if day), dtype="datetime64[D]")
        after = np.searchsorted(turns, market.days + _NEAR, "right")
        before = np.searchsorted(turns, market.days - _NEAR, "right")
        #: Rows between two dates of the tables have one tariff; near such a date each has its own.
        self._bucket = np.where(after == before, after, -1 - np.arange(len(market)))
        self._known: dict[int, tuple[tuple[TradeCost, ...], DayCharges]] = {}
        taxed = portfolio.residence == "KR" and portfolio.settings.taxes != "none"
        self.taxed = taxed and any(account.type == "taxable" for account in portfolio.accounts)
        #: Which symbols' gains count in the year's overseas gains.
        self.overseas = np.array([self.taxed and is_overseas(one) for one in self._instruments], dtype=bool)
        self._funds = np.array(
            [
                self.taxed and not is_overseas(one) and one.asset_type in FUNDS and bool(one.taxed_as_dividend)
                for one in self._instruments
            ],
            dtype=bool,
        )

    def charges(self, row: int) -> DayCharges:
        """Return what trading costs on the day of a row."""
        bucket = int(self._bucket[row])
        if bucket not in self._known:
            self._known[bucket] = self._look_up(row)
        costs, charges = self._known[bucket]
        if any(cost.commission_minimum or cost.per_share_sell_fee for cost in costs):
            rates = np.array([self._rate(one.currency, row) for one in self._instruments])
            minimum = rates * np.array([float(cost.commission_minimum) for cost in costs])
            fee = rates * np.array([float(cost.per_share_sell_fee) for cost in costs])
            charges = replace(charges, minimum=minimum, per_share=fee)
        return replace(charges, allowance=charges.allowance * self._rate("KRW", row)) if self.taxed else charges

    def _look_up(self, row: int) -> tuple[tuple[TradeCost, ...], DayCharges]:
        settings, day = self._portfolio.settings, max(self._market.date(row), tables_begin())
        costs = tuple(lookup(one, day, settings.costs, self._portfolio.residence) for one in self._instruments)
        overseas, income = tax_rule("overseas_gains", day), tax_rule("dividend_income", day)
        nothing = np.zeros(len(costs))
        dividend = float(income.rate) if income and self.taxed else 0.0
        charges = DayCharges(
            commission=np.array([float(cost.commission_rate) for cost in costs]),
            minimum=nothing,
            sell_tax=np.array([float(cost.sell_tax_rate) for cost in costs]),
            per_share=nothing,
            spread=float(settings.fx_spread) if self._market.rates else 0.0,
            withheld=dividend * self._funds,
            overseas=float(overseas.rate) if overseas and self.taxed and self.overseas.any() else 0.0,
            allowance=float(overseas.allowance) if overseas and self.taxed else 0.0,
            dividend=dividend,
        )
        return costs, charges

    def _has(self, currency: str) -> bool:
        return currency == self._market.base or currency in self._market.rates

    def _rate(self, currency: str, row: int) -> float:
        rate = self._rates.get(currency)
        return 1.0 if rate is None else float(rate[row])


_ENDS = ("valid_from", "valid_to")


def free_of_costs(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio whose trades cost nothing and whose gains are not taxed."""
    from engine.settings import CostOverride

    nothing = CostOverride(Decimal(0), Decimal(0), Decimal(0))
    settings = replace(portfolio.settings, costs={"*": nothing}, fx_spread=Decimal(0), taxes="none")
    return replace(portfolio, settings=settings)
