"""Numbers as people write them: won without decimals, dollars with cents, weights in per cent, drift in points."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

from engine.money import MINOR_DIGITS

SIGNS = {"KRW": "₩", "USD": "$"}


def money(amount: Decimal, currency: str) -> str:
    """Return an amount in the currency's smallest unit: ₩1,234,000, $1,234.56, EUR 12.00."""
    return _with_sign(_plain(amount, MINOR_DIGITS.get(currency, 2)), currency)


def price(amount: Decimal, currency: str) -> str:
    """Return a price with at least the currency's digits, and as many more (to six) as it has."""
    digits = max(MINOR_DIGITS.get(currency, 2), min(_digits(amount), 6))
    return _with_sign(_plain(amount, digits), currency)


def quantity(amount: Decimal) -> str:
    """Return a number of shares with only the decimals that it has."""
    return _plain(amount, _digits(amount))


def percent(fraction: Decimal, digits: int = 1) -> str:
    """Return a fraction in per cent: 0.3512 as 35.1%."""
    return _plain(fraction * 100, digits) + "%"


def points(fraction: Decimal) -> str:
    """Return a signed difference of two weights in percentage points, without a unit: +3.2, -0.4, 0.0."""
    text = _plain(fraction * 100, 1)
    return text if text.startswith("-") or text == "0.0" else "+" + text


def band(low: Decimal, high: Decimal, digits: int = 1) -> str:
    """Return a band of weights: 30.0~40.0%."""
    return f"{_plain(low * 100, digits)}~{percent(high, digits)}"


def _digits(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _plain(amount: Decimal, digits: int) -> str:
    with localcontext(rounding=ROUND_HALF_UP):
        text = f"{amount:,.{digits}f}"
    return text.lstrip("-") if not any(figure in text for figure in "123456789") else text


def _with_sign(text: str, currency: str) -> str:
    sign = SIGNS.get(currency, currency + " ")
    return f"-{sign}{text[1:]}" if text.startswith("-") else sign + text
