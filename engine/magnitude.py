"""What is too large, or priced too small, to plan with: found before anything is computed that could not be exact.

The search counts whole trades in floats, which are exact up to 2⁵³ ≈ 9 × 10¹⁵; what lies beyond is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.errors import Problem
from engine.money import ZERO, unit
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
        message = f"holdings and cash come to {gross:.3g} {base}: less than {MOST:,} is possible; correct "
        message += "a quantity, a price, an amount of cash or a rate"
        ko = f"보유와 현금의 규모가 {gross:.3g} {base}: {MOST:,} 미만이어야 합니다. 수량·가격·현금·환율을 고치세요"
        return (Problem("error", "out-of-range", "portfolio", message, ko),)
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
        message = (
            f"at a price of {quote.price:.6g} {quote.currency}, in trades of {step.normalize():f}, there are more "
            "shares than can be counted: correct price, quantity, rate, lot or min_trade"
        )
        ko = (
            f"가격 {quote.price:.6g} {quote.currency}, 거래 단위 {step.normalize():f}: 주식 수가 셀 수 없이 많습니다. "
            "가격·수량·환율·lot·min_trade를 고치세요"
        )
        yield Problem("error", "out-of-range", f"position {symbol}", message, ko)
