"""What comes out: positions, sections, trades, conversions, cash, quality, tax: frozen records in exact money.

Money is Decimal in the currency named, weights are Decimal fractions of the total value before trading, cash and cash
flow included. `engine.rebalance.rebalance` makes a plan; hosts only convert and format it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from engine.errors import Problem
from engine.portfolio import Portfolio
from engine.valuation import FxRate, Valuation

Status = Literal["OK", "OVER", "UNDER", "NO_TARGET", "LOCKED", "DISABLED"]
Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class Position:
    """Value one symbol over all accounts and compare it with its target and band.

    `value` is in the base currency, unrounded; `fx` is base currency per unit of `currency`; `drift` is signed.
    """

    symbol: str
    name: str
    section: str | None
    market: str
    asset_type: str
    quantity: Decimal
    accounts: Mapping[str, Decimal]
    price: Decimal
    currency: str
    fx: Decimal
    price_source: str
    price_as_of: dt.datetime | None
    stale: bool
    value: Decimal
    weight: Decimal
    target: Decimal
    drift: Decimal
    low: Decimal
    high: Decimal
    status: Status


@dataclass(frozen=True, slots=True)
class SectionState:
    """Compare a section's sleeve with its target, and say whether it is due. `status` is OK, OVER or UNDER."""

    section: str
    target: Decimal
    weight: Decimal
    drift: Decimal
    due: bool
    next_due: dt.date | None
    status: Status
    breaches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a trade is proposed, as a code with its figures; hosts turn it into a sentence in their language.

    Codes: over, under (outside the band), above, below (inside the band, towards the target), untargeted (a holding
    without a target), zero-target, raise-cash (a withdrawal, a buffer or a negative balance), pay-purchase (the money
    is for a purchase of the same plan), cash-target (cash is below its target), limit (a maximum, a group's or an
    account's risk cap), relocate (the same instrument moves between accounts).
    """

    code: str
    weight: Decimal
    target: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """Propose one order: a positive quantity of one symbol in one account.

    `amount`, `cost` and `tax` are in `currency`, in its smallest unit. A sale brings amount − cost − tax, a purchase
    takes amount + cost + tax. `weight_after` is the symbol's over all accounts once every trade is done.
    """

    account: str
    symbol: str
    name: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    amount: Decimal
    cost: Decimal
    tax: Decimal
    reason: Reason
    weight_after: Decimal


@dataclass(frozen=True, slots=True)
class Conversion:
    """Propose one conversion: `amount` of the currency `sell` leaves the account; `bought` of `buy` arrives.

    `rate` is units of `buy` per unit of `sell`, before the spread; `cost` is the spread, in `sell`, included in
    `amount`.
    """

    account: str
    sell: str
    buy: str
    amount: Decimal
    rate: Decimal
    cost: Decimal
    bought: Decimal


@dataclass(frozen=True, slots=True)
class CashState:
    """Hold cash by currency before (cash flow included) and after the plan, in all and by declared account."""

    before: Mapping[str, Decimal]
    after: Mapping[str, Decimal]
    target_weight: Decimal
    accounts_before: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    accounts_after: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quality:
    """Say how close to perfect the plan is.

    `objective` is Σ|target − value| + |cash target − cash| + costs, divided by the total value; no plan that keeps the
    constraints can be below `bound`; `gap` is (objective − bound) / objective, 0 where the objective is 0.
    """

    objective: float
    bound: float
    gap: float
    method: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaxEstimate:
    """Estimate the tax that the plan's sales bring, in the base currency unless said otherwise.

    Korean residents' overseas gains: `overseas_gain` of this plan's sales in KRW, the allowance, and the tax; None
    where average costs are missing, with the symbols named in `missing`.
    """

    transaction_tax: Decimal
    overseas_gain: Decimal | None
    overseas_allowance: Decimal
    overseas_tax: Decimal | None
    dividend_income: Decimal | None
    dividend_tax: Decimal | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a person needs to act on: drift, trades, what they cost, what is left, how good the plan is.

    `portfolio`, `valuation` and `rates` are what it was made from, so that nobody values twice.
    """

    portfolio: Portfolio
    valuation: Valuation
    rates: Mapping[str, FxRate]
    name: str
    as_of: dt.date
    base_currency: str
    total_value: Decimal
    needs_rebalancing: bool
    drift: Decimal
    positions: tuple[Position, ...]
    sections: tuple[SectionState, ...]
    trades: tuple[Trade, ...]
    conversions: tuple[Conversion, ...]
    cash: CashState
    quality: Quality
    tax: TaxEstimate
    problems: tuple[Problem, ...]
