"""What is too large, or priced too small, to plan with: found before anything is computed that could not be exact.

The search counts whole trades in floats, which are exact up to 2⁵³ ≈ 9 × 10¹⁵; what lies beyond is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.errors import Problem, error
from engine.money import ZERO, unit
from engine.phrase import place
from engine.portfolio import Portfolio
from engine.trades.build import step_of
from engine.valuation import Valuation

#: The total in the base currency stays below this: 10¹⁵.
MOST = Decimal(10**15)
#: What is held is sold by the share (or smallest fraction of one), so it has to be counted exactly.
_MOST_HELD = Decimal(2**53)
#: What may be bought has to fit the search's whole numbers of 64 bits, several times over.
_MOST_BOUGHT = Decimal(10**18)


def magnitude_problems(portfolio: Portfolio, valuation: Valuation) -> tuple[Problem, ...]:
    """Return an error for a total of 10¹⁵ or more, else for each position with more shares than can be counted."""
    base = valuation.fx.base
    gross = sum(
        (abs(n) * valuation.fx.rate(c) for purse in valuation.cash.values() for c, n in purse.items() if n), ZERO
    )
    gross += sum(valuation.values.values(), ZERO)
    if gross >= MOST:
        return (error("out-of-range.total", place("portfolio"), total=gross, base=base, most=MOST),)
    return tuple(_countless(portfolio, valuation))


def _countless(portfolio: Portfolio, valuation: Valuation) -> Iterator[Problem]:
    aims = {target.symbol: (section.rule, target.weight) for section, target in portfolio.targets()}
    for symbol, quote in valuation.prices.items():
        rule, weight = aims.get(symbol, (portfolio.untargeted_rule, ZERO))
        if not quote.price:
            continue
        step = step_of(portfolio.instruments[symbol], portfolio.settings.fractional)
        held = sum(valuation.quantities[symbol].values(), ZERO)
        rate = valuation.fx.rate(quote.currency)
        # The smallest trade is billed in whole units of the currency.
        billed = rule.min_trade / rate + unit(quote.currency) if rule.min_trade else ZERO
        bought = max(weight * valuation.total / rate, billed) / quote.price
        if held < _MOST_HELD * step and bought < _MOST_BOUGHT * step:
            continue
        values = {"price": quote.price, "currency": quote.currency, "step": step.normalize()}
        yield error("out-of-range.shares", place("position", symbol=symbol), **values)
