"""What a sale's gain is taxed: withheld at the sale, or counted among the year's overseas gains."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from engine.costs.tax import FUNDS, is_overseas, paid_per_share, tax_rule
from engine.money import ZERO, FxTable
from engine.plan import Position
from engine.portfolio import Account, Holding, Instrument, Portfolio


@dataclass(frozen=True, slots=True)
class GainTax:
    """How the gain of a sale of one symbol in one account is taxed; money in the base currency.

    `gain` per share over the average cost, before the sale's costs (0 where the cost is unknown); `withheld`: the part
    taken at the sale; `overseas`: whether it counts in the year's overseas gains, of which `overseas_rate` of what is
    above `allowance` is due. `unknown`: whether it would be taxed if the average cost were known.
    """

    gain: Decimal = ZERO
    withheld: Decimal = ZERO
    overseas: bool = False
    overseas_rate: Decimal = ZERO
    allowance: Decimal = ZERO
    unknown: bool = False


def gain_tax(portfolio: Portfolio, fx: FxTable, account: Account, position: Position, as_of: dt.date) -> GainTax:
    """Return how a sale's gain is taxed: nothing outside taxable accounts, or where nobody's taxes are to be counted.

    Korean residents: gains of Korean-listed funds that are taxed as dividends are withheld at the sale, without setting
    off losses; overseas gains are netted over the year, and taxed above the allowance.
    """
    if portfolio.residence != "KR" or portfolio.settings.taxes == "none" or account.type != "taxable":
        return GainTax()
    instrument = portfolio.instruments[position.symbol]
    won = Decimal(1) if fx.base == "KRW" else fx.rates.get("KRW")
    overseas = is_overseas(instrument)
    rule = tax_rule("overseas_gains" if overseas else "dividend_income", as_of)
    if rule is None or won is None or not (overseas or _is_taxed_fund(instrument)):
        return GainTax()
    rows = [
        h for h in portfolio.holdings if h.symbol == position.symbol and _is_in(portfolio, h, account) and h.quantity
    ]
    paid = paid_per_share(rows, position.fx)
    gain = ZERO if paid is None else position.price * position.fx - paid
    if not overseas:
        return GainTax(gain, rule.rate if paid is not None else ZERO, unknown=paid is None and bool(rows))
    realised = portfolio.settings.realised.get("overseas", ZERO)
    allowance = max(rule.allowance * won - realised, ZERO)
    return GainTax(gain, ZERO, paid is not None, rule.rate, allowance, unknown=paid is None and bool(rows))


def _is_taxed_fund(instrument: Instrument) -> bool:
    return instrument.asset_type in FUNDS and bool(instrument.taxed_as_dividend)


def _is_in(portfolio: Portfolio, holding: Holding, account: Account) -> bool:
    return not portfolio.accounts_declared or holding.account == account.name
