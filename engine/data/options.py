"""The settings of a document, checked against the one list of settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.data.accounts import in_units
from engine.data.fields import Fields, choose
from engine.data.report import Path, Report
from engine.money import ZERO
from engine.portfolio import ASSET_TYPES, MARKETS
from engine.settings import CostOverride, Settings, setting_fields
from engine.text import nearest, percent

COST_KEYS = ("commission", "minimum", "sell_tax")
#: What a cost override may be for: all, a market, a type, or both.
COST_SCOPES = (
    "*",
    *MARKETS,
    *ASSET_TYPES,
    *(f"{market}/{kind}" for market in MARKETS for kind in ASSET_TYPES),
)
#: A commission or tax above this is more likely a percentage written as a fraction.
_LARGE_RATE = Decimal("0.05")
#: A rate that takes more than this is none that anybody charges, and leaves nothing to plan with.
_MOST_RATE = Decimal("0.5")
#: Buying and selling everything once.
_MOST_TURNOVER = Decimal(2)


def read_settings(data: object, path: Path, report: Report, base: str) -> Settings:
    """Return the settings; those not given have their defaults. `base` is the base currency, "" where not known."""
    known = setting_fields()
    row = Fields({} if data is None else data, path, report, tuple(known))
    found: dict[str, Any] = {
        "cash_flow": _cash_flow(row, base),
        "convert_currency": row.flag("convert_currency"),
        "cash_buffer": row.number("cash_buffer", ZERO),
        "max_turnover": row.fraction("max_turnover", _MOST_TURNOVER),
        "fx_spread": _rate(row, "fx_spread"),
        "effort": row.fraction("effort"),
        "realised": _realised(row) if row.given("realised") else None,
        "fractional": _markets(row) if row.given("fractional") else None,
        "costs": _costs(row) if row.given("costs") else None,
    }
    for key in ("mode", "trigger", "trade", "destination", "taxes", "residence"):
        found[key] = row.choice(key, known[key]["choices"])
    return Settings(**{key: value for key, value in found.items() if value is not None})


def _cash_flow(row: Fields, base: str) -> Decimal | None:
    amount = row.number("cash_flow")
    return in_units(amount, base, row.at("cash_flow"), row.report) if amount is not None and base else amount


def _realised(row: Fields) -> dict[str, Decimal]:
    given = Fields(row.values["realised"] or {}, row.at("realised"), row.report, ("overseas",))
    amount = given.number("overseas")
    return {} if amount is None else {"overseas": amount}


def _markets(row: Fields) -> tuple[str, ...]:
    value = row.values["fractional"]
    if not isinstance(value, list | tuple):
        message = f"fractional is {value}: write the list of markets, such as [US]"
        row.error("fractional", "wrong-type", message, f"fractional 값 {value}: [US]처럼 시장 목록으로 적으세요")
        return ()
    found = (choose(item, path, row.report, MARKETS) for item, path in row.items("fractional"))
    return tuple(dict.fromkeys(market for market in found if market is not None))


def _costs(row: Fields) -> dict[str, CostOverride]:
    scopes = {scope.casefold(): scope for scope in COST_SCOPES}
    found: dict[str, CostOverride] = {}
    for key, data, path in row.mapping("costs"):
        scope = scopes.get(key.casefold())
        if scope is None:
            near = nearest(key, scopes)
            repair = f"did you mean {scopes[near]}?" if near else 'write "*", KR, US, etf, KR/etf, US/stock or the like'
            repair_ko = f"혹시 {scopes[near]}인가요?" if near else '"*", KR, US, etf, KR/etf, US/stock처럼 적으세요'
            message = f"{key!r} is not something that costs can be for; {repair}"
            row.report.error(path, "unknown-key", message, f"비용의 대상이 아닌 {key!r}: {repair_ko}")
            continue
        costs = Fields(data, path, row.report, COST_KEYS)
        if scope in found:
            row.report.error(path, "duplicate-key", f"{scope} is here twice: keep one", f"{scope} 중복: 하나만 두세요")
        found[scope] = CostOverride(_rate(costs, "commission"), costs.number("minimum", ZERO), _rate(costs, "sell_tax"))
    return found


def _rate(row: Fields, key: str) -> Decimal | None:
    rate = row.fraction(key, _MOST_RATE)
    if rate is not None and rate > _LARGE_RATE:
        message = f"{key} is {percent(rate)} of each amount: if {rate} % is meant, write {rate / 100}"
        ko = f"{key} 값은 금액의 {percent(rate)}입니다: {rate} %라면 {rate / 100}처럼 적으세요"
        row.report.warning(row.at(key), "large-rate", message, ko)
    return rate
