"""What a trade costs: the dated rates of rates.csv, the person's overrides, and the charge in smallest units."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

from engine.errors import Problem, note, warning
from engine.money import ZERO, to_unit
from engine.phrase import phrase, place
from engine.plan import Side
from engine.portfolio import UNKNOWN_TYPE, Instrument
from engine.settings import CostOverride, Residence

Kind = Literal["commission", "sell_tax", "per_share_fee"]


@dataclass(frozen=True, slots=True)
class TradeCost:
    """What one trade of an instrument is charged, in its currency.

    `commission_rate` is of the amount, both sides, at least `commission_minimum` a trade; `sell_tax_rate` is of the
    amount of a sale; `per_share_sell_fee` is for each share sold, at most `per_share_cap` a trade (None: no cap).
    """

    commission_rate: Decimal = ZERO
    commission_minimum: Decimal = ZERO
    sell_tax_rate: Decimal = ZERO
    per_share_sell_fee: Decimal = ZERO
    per_share_cap: Decimal | None = None


def lookup(
    instrument: Instrument, as_of: dt.date, overrides: Mapping[str, CostOverride], residence: Residence = "KR"
) -> TradeCost:
    """Return the costs of a trade on a day: the table's rates, replaced field by field by the overrides.

    `residence` says whose brokers' usual commissions are meant.

    The most specific override wins: "*", then the market (KR), then the asset type (etf), then both (KR/etf). An
    override's `minimum` is in the instrument's currency. One that gives `sell_tax` says all that a sale is charged
    beside the commission, so it takes the place of fees per share too. No row for the day means 0, which
    `cost_problems` reports.
    """
    cost = _listed(instrument.market, _charged_as(instrument), as_of, residence)
    for override in _applicable(instrument, overrides):
        if override.commission is not None:
            cost = replace(cost, commission_rate=override.commission)
        if override.minimum is not None:
            cost = replace(cost, commission_minimum=override.minimum)
        if override.sell_tax is not None:
            cost = replace(cost, sell_tax_rate=override.sell_tax, per_share_sell_fee=ZERO, per_share_cap=None)
    return cost


def charge(cost: TradeCost, side: Side, quantity: Decimal, amount: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return (commission, tax) of a trade in the currency's smallest unit, each part rounded half up on its own.

    Fees per share are a part of the commission: the broker passes them on; the tax is a sale's transaction tax.
    """
    commission = to_unit(max(cost.commission_minimum, cost.commission_rate * amount), currency)
    if side == "buy":
        return commission, ZERO
    fee = cost.per_share_sell_fee * quantity
    if cost.per_share_cap is not None:
        fee = min(fee, cost.per_share_cap)
    return commission + to_unit(fee, currency), to_unit(cost.sell_tax_rate * amount, currency)


def cost_problems(
    instruments: Iterable[Instrument],
    as_of: dt.date,
    overrides: Mapping[str, CostOverride],
    residence: Residence = "KR",
) -> tuple[Problem, ...]:
    """Report rates that the table lacks for the day (a warning: 0 is used) or holds unverified (info).

    One problem per market, asset type and kind for what is missing, one per row for what is unverified; nothing about
    what the overrides give.
    """
    kinds = {(instrument.market, _charged_as(instrument)): instrument for instrument in instruments}
    problems: dict[tuple[str, str], Problem] = {}
    for (market, asset_type), instrument in sorted(kinds.items()):
        for kind, given in _given(instrument, overrides):
            row = None if given else _row(market, asset_type, kind, as_of, residence)
            about = f"{market}/{asset_type}"
            if not given and row is None and kind != "per_share_fee":
                found = warning(f"cost-missing.{kind}", place("costs", about=about), day=as_of, about=about)
                problems[about, kind] = found
            elif row is not None and row["verified"] != "yes" and (Decimal(row["rate"]) or kind != "per_share_fee"):
                about = f"{row['market']}/{row['asset_type']}".replace("/*", "").replace("*/", "")
                problems[about, kind] = note(
                    f"cost-unverified.{kind}",
                    place("costs", about=about),
                    rate=row["rate"],
                    note=phrase(f"cost-note.{note_of(row)}"),
                )
    return tuple(problems.values())


def settlement_date(market: str, traded: dt.date) -> dt.date:
    """Return the day a trade settles: so many weekdays later (settlement.csv); holidays are not counted out.

    A market without a row settles on the day of the trade.
    """
    rows = (row for row in read_table("settlement.csv") if row["market"] == market and in_force(row, traded))
    day, left = traded, max((int(row["days"]) for row in rows), default=0)
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < 5
    return day


def _charged_as(instrument: Instrument) -> str:
    """Return the asset type whose rates hold: what nobody says the type of may be a share, which costs the most."""
    return "stock" if instrument.asset_type == UNKNOWN_TYPE else instrument.asset_type


def _applicable(instrument: Instrument, overrides: Mapping[str, CostOverride]) -> Iterator[CostOverride]:
    market, asset_type = instrument.market, _charged_as(instrument)
    for key in ("*", market, asset_type, f"{market}/{asset_type}"):
        if key in overrides:
            yield overrides[key]


def _given(instrument: Instrument, overrides: Mapping[str, CostOverride]) -> Iterator[tuple[Kind, bool]]:
    applicable = list(_applicable(instrument, overrides))
    yield "commission", any(override.commission is not None for override in applicable)
    taxed = any(override.sell_tax is not None for override in applicable)
    yield "sell_tax", taxed
    yield "per_share_fee", taxed


@lru_cache(maxsize=1024)
def _listed(market: str, asset_type: str, as_of: dt.date, residence: Residence) -> TradeCost:
    commission = _row(market, asset_type, "commission", as_of, residence)
    tax = _row(market, asset_type, "sell_tax", as_of, residence)
    fee = _row(market, asset_type, "per_share_fee", as_of, residence)
    return TradeCost(
        commission_rate=_number(commission, "rate"),
        commission_minimum=_number(commission, "minimum"),
        sell_tax_rate=_number(tax, "rate"),
        per_share_sell_fee=_number(fee, "rate"),
        per_share_cap=Decimal(fee["cap"]) if fee and fee["cap"] else None,
    )


def _row(market: str, asset_type: str, kind: Kind, as_of: dt.date, residence: Residence) -> Row | None:
    """Return the most specific row in force: one for the asset type goes before one for the market alone."""
    settled = settlement_date(market, as_of)
    fitting = [
        row
        for row in read_table("rates.csv")
        if row["kind"] == kind
        and row["market"] in ("*", market)
        and row["asset_type"] in ("*", asset_type)
        and row["residence"] in ("", residence)
        and not row["board"]
        and in_force(row, settled if row["dated_by"] == "settlement" else as_of)
    ]
    return max(fitting, key=lambda row: (row["asset_type"] != "*", row["market"] != "*"), default=None)


def note_of(row: Row) -> str:
    """Return the end of the key under which the catalogues say what is not sure about a row."""
    parts = (row["market"], row["asset_type"], row["kind"], row["residence"], row["valid_from"])
    return "-".join(filter(None, parts)).replace("*", "any").replace("_", "-").lower()


def _number(row: Row | None, column: str) -> Decimal:
    return Decimal(row[column]) if row and row[column] else ZERO


Row = Mapping[str, str]


@cache
def read_table(name: str) -> tuple[Row, ...]:
    """Return the rows of a table of this package, such as rates.csv, as text by column."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def in_force(row: Row, day: dt.date) -> bool:
    """Tell whether a row holds on a day; both its ends count, and no `valid_to` means until further notice."""
    return row["valid_from"] <= day.isoformat() <= (row["valid_to"] or "9999-12-31")


@dataclass(frozen=True, slots=True)
class AccountRule:
    """What one type of account may hold: markets None means all, `risk_cap` the largest share of risk assets bought."""

    type: str
    markets: tuple[str, ...] | None
    risk_cap: Decimal | None
    banned: tuple[str, ...]
    source: str
    checked_on: dt.date


@lru_cache(maxsize=1)
def account_rules() -> Mapping[str, AccountRule]:
    """Return what each type of account may hold (`account_rules.csv`); a document may say otherwise for its own."""
    return {row["type"]: _account_rule(row) for row in read_table("account_rules.csv")}


def _account_rule(row: Row) -> AccountRule:
    return AccountRule(
        type=row["type"],
        markets=tuple(row["markets"].split("|")) if row["markets"] else None,
        risk_cap=Decimal(row["risk_cap"]) if row["risk_cap"] else None,
        banned=tuple(row["banned"].split("|")) if row["banned"] else (),
        source=row["source"],
        checked_on=dt.date.fromisoformat(row["checked_on"]),
    )
