"""Price steps and lots: the prices and quantities an exchange takes orders in."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from engine.costs.dated import in_force, read_table
from engine.errors import InputError, Problem
from engine.plan import Side
from engine.portfolio import Instrument

#: Which of the two tables of KRX an asset type follows.
_LIKE = {"reit": "stock", "etn": "etf"}


def tick_size(price: Decimal, asset_type: str, as_of: dt.date) -> Decimal:
    """Return the step, in won, between the prices KRX takes around `price`; a REIT is a stock, an ETN like an ETF.

    Raises InputError for a price below 0, a type that is not traded on KRX, and a day before the table begins.
    """
    kind = _LIKE.get(asset_type, asset_type)
    fitting = [
        row
        for row in read_table("ticks.csv")
        if row["asset_type"] == kind and in_force(row, as_of) and Decimal(row["from_price"]) <= price
    ]
    if not fitting:
        begins = min(row["valid_from"] for row in read_table("ticks.csv"))
        message = (
            f"no KRX price step for {asset_type} at {price} on {as_of}: known for stock, reit, etf, etn from {begins}"
        )
        ko = f"KRX 호가 단위 모름: {asset_type} {price}, {as_of}. {begins}부터의 stock, reit, etf, etn만 압니다"
        raise InputError([Problem("error", "tick-unknown", "price", message, ko)])
    return Decimal(max(fitting, key=lambda row: Decimal(row["from_price"]))["tick"])


def round_to_tick(price: Decimal, asset_type: str, as_of: dt.date, side: Side) -> Decimal:
    """Return the KRX price nearest to `price` that is no worse for the person: below it to buy, above it to sell."""
    step = tick_size(price, asset_type, as_of)
    rounding = ROUND_FLOOR if side == "buy" else ROUND_CEILING
    return (price / step).quantize(Decimal(1), rounding=rounding) * step


def lot_size(instrument: Instrument) -> Decimal:
    """Return the shares of the smallest order: the instrument's lot (KRX and US exchanges: 1)."""
    return instrument.lot if instrument.lot > 0 else Decimal(1)


def round_to_lot(quantity: Decimal, instrument: Instrument) -> Decimal:
    """Return the largest quantity of whole lots that is no more than `quantity`."""
    lot = lot_size(instrument)
    return (quantity / lot).quantize(Decimal(1), rounding=ROUND_DOWN) * lot
