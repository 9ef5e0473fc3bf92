"""What tax a plan's sales bring: on the sales themselves, withheld of gains, and due later on overseas gains."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.costs.table import in_force, read_table
from engine.money import ZERO, FxTable, to_unit
from engine.phrase import Phrase, phrase
from engine.plan import Position, TaxEstimate, Trade
from engine.portfolio import Account, Holding, Instrument, Portfolio

FUNDS = ("etf", "etn", "fund")
_Paid = Mapping[tuple[str, str], Decimal | None]


@dataclass(frozen=True, slots=True)
class TaxRule:
    """A rate, and the yearly allowance in won that it starts above."""

    rate: Decimal
    allowance: Decimal


def tax_rule(name: str, as_of: dt.date) -> TaxRule | None:
    """Return the rule (overseas_gains, dividend_income) in force on a day, or None where none is known."""
    for row in read_table("tax_rules.csv"):
        if row["rule"] == name and in_force(row, as_of):
            return TaxRule(Decimal(row["rate"]), Decimal(row["allowance"] or 0))
    return None


def estimate(trades: Iterable[Trade], portfolio: Portfolio, fx: FxTable, as_of: dt.date) -> TaxEstimate:
    """Return the taxes of a plan's sales; `transaction_tax` in the base currency, all else in won.

    What is withheld of a gain leaves the cash with its sale and is the trades' own. Of a Korean resident's overseas
    sales in taxable accounts, the year's gains less its losses above the allowance are taxed, next May: a gain is
    (price − average cost) × quantity − costs, in won at the plan's rate, the cost at that of the day of purchase where
    a holding gives it. Where an average cost, a rate to won or a rule is unknown, the figure is None and `missing` or
    `notes` say why. Other residents' taxes on gains are not worked out: a US investor is told so.
    """
    sales = [trade for trade in trades if trade.side == "sell"]
    on_sales = sum((fx.rate(sale.currency) * (sale.tax - sale.withheld) for sale in sales), ZERO)
    transaction_tax = to_unit(on_sales, fx.base)
    if portfolio.residence != "KR" or portfolio.settings.taxes == "none":
        told = portfolio.residence == "US" and portfolio.settings.taxes != "none" and bool(sales)
        notes = (phrase("tax.us-lots"),) if told else ()
        return TaxEstimate(transaction_tax, None, ZERO, None, None, None, notes=notes)
    shielded = {a.name for a in portfolio.accounts if a.type != "taxable"}
    taxed = [sale for sale in sales if sale.account not in shielded]
    overseas = [sale for sale in taxed if is_overseas(portfolio.instruments[sale.symbol])]
    funds = [sale for sale in taxed if _is_korean_fund(portfolio.instruments[sale.symbol])]
    unknown = [sale for sale in funds if portfolio.instruments[sale.symbol].taxed_as_dividend is None]
    dividends = [sale for sale in funds if portfolio.instruments[sale.symbol].taxed_as_dividend]

    rule = tax_rule("overseas_gains", as_of)
    paid = _paid([*overseas, *dividends], portfolio, fx)
    gains = [_gain(sale, paid, fx) for sale in overseas]
    gain = None if None in gains else to_unit(sum(filter(None, gains), ZERO), "KRW")
    incomes = [_gain(sale, paid, fx) for sale in dividends]
    income = to_unit(sum((max(one, ZERO) for one in incomes if one is not None), ZERO), "KRW")
    withheld = in_won(sum((fx.rate(sale.currency) * sale.withheld for sale in dividends), ZERO), fx)
    costless = [sale.symbol for sale in (*overseas, *dividends) if paid[sale.symbol, sale.account] is None]
    whole = not unknown and None not in incomes
    return TaxEstimate(
        transaction_tax=transaction_tax,
        overseas_gain=gain,
        overseas_allowance=rule.allowance if rule else ZERO,
        overseas_tax=_due(gain, rule, portfolio, fx),
        dividend_income=income if whole else None,
        dividend_tax=withheld if whole else None,
        missing=tuple(dict.fromkeys(costless)),
        notes=tuple(_notes(portfolio, overseas, dividends, unknown, fx, as_of)),
    )


def allowance_left(rule: TaxRule, portfolio: Portfolio, fx: FxTable) -> Decimal | None:
    """Return what is left of a yearly allowance, in won, after what was realised earlier; None without a rate to won.

    A loss realised earlier adds to it.
    """
    realised = in_won(portfolio.settings.realised.get("overseas", ZERO), fx)
    return None if realised is None else max(rule.allowance - realised, ZERO)


def _due(gain: Decimal | None, rule: TaxRule | None, portfolio: Portfolio, fx: FxTable) -> Decimal | None:
    left = None if rule is None else allowance_left(rule, portfolio, fx)
    if gain is None or rule is None or left is None:
        return None
    return to_unit(max(gain - left, ZERO) * rule.rate, "KRW")


def is_overseas(instrument: Instrument) -> bool:
    """Tell whether a Korean resident's gain on it is an overseas gain: all that is not listed in Korea."""
    return instrument.market == "US" or (instrument.market == "OTHER" and instrument.currency != "KRW")


def _is_korean_fund(instrument: Instrument) -> bool:
    return not is_overseas(instrument) and instrument.asset_type in FUNDS


def _gain(sale: Trade, paid: _Paid, fx: FxTable) -> Decimal | None:
    """Return a sale's gain in won, None where its cost or the rate to won is unknown."""
    share = paid[sale.symbol, sale.account]
    if share is None:
        return None
    on_sale = sale.tax - sale.withheld
    return in_won(fx.rate(sale.currency) * (sale.amount - sale.cost - on_sale) - share * sale.quantity, fx)


def _paid(sales: Iterable[Trade], portfolio: Portfolio, fx: FxTable) -> _Paid:
    """Return the average cost of a share in the base currency, by symbol and account of the sales."""
    rows: dict[tuple[str, str], list[Holding]] = {}
    for holding in portfolio.holdings:
        if holding.quantity:
            rows.setdefault((holding.symbol, holding.account), []).append(holding)
    return {
        (sale.symbol, sale.account): paid_per_share(rows.get((sale.symbol, sale.account), ()), fx.rate(sale.currency))
        for sale in sales
    }


def paid_per_share(rows: Iterable[Holding], rate: Decimal) -> Decimal | None:
    """Return the moving average cost of a share in the base currency; None where the cost of any share is unknown.

    A row's own rate of the day of purchase is used where it is known, else `rate`.
    """
    paid = shares = ZERO
    for row in rows:
        if row.average_cost is None:
            return None
        paid += row.quantity * row.average_cost * (rate if row.cost_fx is None else row.cost_fx)
        shares += row.quantity
    return paid / shares if shares else None


def in_won(amount: Decimal, fx: FxTable) -> Decimal | None:
    """Return an amount of the base currency in won, in whole ones; None where the base has no rate to won."""
    if fx.base == "KRW":
        return to_unit(amount, "KRW")
    return to_unit(amount / fx.rates["KRW"], "KRW") if "KRW" in fx.rates else None


def _notes(
    portfolio: Portfolio,
    overseas: list[Trade],
    dividends: list[Trade],
    unknown: list[Trade],
    fx: FxTable,
    as_of: dt.date,
) -> Iterator[Phrase]:
    if tax_rule("overseas_gains", as_of) is None or tax_rule("dividend_income", as_of) is None:
        yield phrase("tax.no-rule", day=as_of)
    if overseas:
        if not portfolio.settings.realised:
            yield phrase("tax.realised-unknown")
        sold = {sale.symbol for sale in overseas}
        if any(h.symbol in sold and h.cost_fx is None for h in portfolio.holdings):
            yield phrase("tax.purchase-rate-unknown")
        yield phrase("tax.moving-average")
        if in_won(ZERO, fx) is None:
            yield phrase("tax.no-rate", base=fx.base)
    if dividends:
        yield phrase("tax.whole-gain")
    if unknown:
        yield phrase("tax.kind-unknown", symbols=dict.fromkeys(sale.symbol for sale in unknown))
    if (overseas or dividends) and fx.base != "KRW":
        yield phrase("tax.in-won")


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


def gain_tax(
    portfolio: Portfolio, fx: FxTable, account: Account, position: Position, holdings: Iterable[Holding], as_of: dt.date
) -> GainTax:
    """Return how a sale's gain is taxed: nothing outside taxable accounts, or where nobody's taxes are to be counted.

    `holdings` are the rows of the position's symbol.

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
    rows = [row for row in holdings if row.quantity and _is_in(portfolio, row, account)]
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
