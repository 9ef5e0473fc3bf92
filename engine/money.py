"""Currencies, their smallest units, and conversion rates; money of two currencies never mixes silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from engine.errors import RebalancerError
from engine.phrase import phrase

#: Digits after the decimal point of a currency's smallest unit (ISO 4217).
MINOR_DIGITS: Mapping[str, int] = {
    "AUD": 2,
    "BRL": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "CZK": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "HUF": 2,
    "IDR": 2,
    "ILS": 2,
    "INR": 2,
    "JPY": 0,
    "KRW": 0,
    "MXN": 2,
    "MYR": 2,
    "NOK": 2,
    "NZD": 2,
    "PHP": 2,
    "PLN": 2,
    "SEK": 2,
    "SGD": 2,
    "THB": 2,
    "TRY": 2,
    "TWD": 2,
    "USD": 2,
    "VND": 0,
    "ZAR": 2,
}
ZERO = Decimal(0)
#: Digits that a plan is computed with: those of any number a person may give, so that quantities are never rounded.
PRECISION = 60
#: Rounds to a unit whatever the size: no product of a few numbers that a person may give is longer.
_ANY_SIZE = Context(prec=1000)


class CurrencyMismatch(RebalancerError):
    """Arithmetic between two currencies without a rate."""


def unit(currency: str) -> Decimal:
    """Return the smallest unit of a currency: 1 for KRW, 0.01 for USD. Raises KeyError for an unknown one."""
    return Decimal(1).scaleb(-MINOR_DIGITS[currency])


def to_unit(amount: Decimal, currency: str, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return an amount rounded to the currency's smallest unit, half up as a bill is."""
    return amount.quantize(unit(currency), rounding=rounding, context=_ANY_SIZE)


@dataclass(frozen=True, slots=True)
class FxTable:
    """Conversion rates into one base currency.

    `rates[c]` is how much base currency one unit of `c` is worth; the base itself is worth 1.
    """

    base: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def rate(self, currency: str) -> Decimal:
        """Return base currency per unit of `currency`; raises `CurrencyMismatch` where no rate is known."""
        if currency == self.base:
            return Decimal(1)
        try:
            return self.rates[currency]
        except KeyError:
            raise CurrencyMismatch(phrase("fx-missing", currency=currency, base=self.base)) from None
