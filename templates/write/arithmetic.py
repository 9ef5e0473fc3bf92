"""Arithmetic as cells do it, in exact numbers: an error comes through, text does not count."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.money import ZERO
from templates.cells import CellError, Value

Number = Decimal | CellError
_DIGITS = Decimal("1e-12")


def number(value: Value) -> Decimal | None:
    """Return the exact number that a cell's value is, or None."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    return None


def add(values: Iterable[Value]) -> Number:
    """Add what is a number, as SUM does: an error comes through, text does not count."""
    total = ZERO
    for value in values:
        if isinstance(value, CellError):
            return value
        total += number(value) or ZERO
    return total


def product(*factors: Value) -> Number:
    """Multiply; an error comes through."""
    result = Decimal(1)
    for factor in factors:
        if isinstance(factor, CellError):
            return factor
        result *= number(factor) or ZERO
    return result


def share(value: Value, total: Number) -> Number:
    """Divide by the total; 0 where the total is not above 0, an error where either is one."""
    for operand in (total, value):
        if isinstance(operand, CellError):
            return operand
    return (number(value) or ZERO) / total if isinstance(total, Decimal) and total > 0 else ZERO


def negative(value: Number) -> Number:
    """Change the sign; an error comes through."""
    return value if isinstance(value, CellError) else -value


def round_digits(value: Decimal) -> Decimal:
    """Round to 12 digits, as the formulas do before they compare."""
    return value.quantize(_DIGITS)
