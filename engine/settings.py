"""Every default of the tool, in one place, with its unit and its choices.

Validation, help and docs read the metadata here; nothing else declares a default. What a setting means is the message
`setting.<name>`, its unit `unit.<unit>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal

from engine.errors import InputError, error
from engine.phrase import phrase

Mode = Literal["full", "buy-only", "sell-only"]
Trigger = Literal["always", "due"]
TradeScope = Literal["all", "breached"]
Destination = Literal["target", "edge", "half"]
Taxes = Literal["count", "show", "none"]
Residence = Literal["KR", "US", "none"]
Schedule = Literal["none", "weekly", "monthly", "quarterly", "semi-annual", "annual"]


def _option(default: Any, unit: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - a dataclass field
    metadata = {"unit": unit, "choices": choices}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class CostOverride:
    """What overrules rows of the dated cost table; None leaves the table's figure."""

    commission: Decimal | None = None
    minimum: Decimal | None = None
    sell_tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How a plan is to be made; the defaults are the contract's."""

    mode: Mode = _option("full", "", ("full", "buy-only", "sell-only"))
    cash_flow: Decimal = _option(Decimal(0), "base-currency")
    trigger: Trigger = _option("due", "", ("due", "always"))
    trade: TradeScope = _option("all", "", ("all", "breached"))
    destination: Destination = _option("target", "", ("target", "edge", "half"))
    effort: Decimal = _option(Decimal("0.00005"), "share-of-total-value")
    taxes: Taxes = _option("count", "", ("count", "show", "none"))
    residence: Residence | None = _option(None, "", ("KR", "US", "none"))
    realised: Mapping[str, Decimal] = _option(dict, "base-currency")
    fractional: tuple[str, ...] = _option((), "markets", ("KR", "US", "OTHER"))
    convert_currency: bool = _option(True, "")
    cash_buffer: Decimal = _option(Decimal(0), "base-currency")
    max_turnover: Decimal | None = _option(None, "share-of-total-value")
    costs: Mapping[str, CostOverride] = _option(dict, "rates")
    fx_spread: Decimal = _option(Decimal("0.001"), "share-of-converted-amount")


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """How long market data may take and how old it may be; the environment's `REBALANCER_<NAME>` overrules."""

    interactive_deadline: float = _option(3.0, "seconds")
    headless_deadline: float = _option(20.0, "seconds")
    fresh_open: float = _option(60.0, "seconds")
    fresh_extended: float = _option(600.0, "seconds")
    fresh_fx: float = _option(600.0, "seconds")
    stale_open: float = _option(1200.0, "seconds")
    stale_fx: float = _option(86400.0, "seconds")
    cross_check: Decimal = _option(Decimal("0.03"), "share-of-price")
    doubtful: Decimal = _option(Decimal("0.05"), "share-of-price")
    cross_check_wait: float = _option(1.0, "seconds")
    unknown_for: float = _option(86400.0, "seconds")
    retry_for: float = _option(300.0, "seconds")
    watch_for: float = _option(604800.0, "seconds")
    facts_for: float = _option(604800.0, "seconds")
    gather: float = _option(0.02, "seconds")
    clock_skew: float = _option(120.0, "seconds")
    cache_dir: str = _option("", "folder")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> MarketSettings:
        """Return the defaults overruled by `REBALANCER_<NAME>`; a value of the wrong kind raises InputError."""
        given: dict[str, Any] = {}
        problems = []
        for option in fields(cls):
            name = f"REBALANCER_{option.name.upper()}"
            text = environment.get(name, "").strip()
            if not text:
                continue
            kind: Any = type(option.default)
            try:
                given[option.name] = kind(text)
                wrong = kind is not str and not 0 <= given[option.name] < 10**9
            except (ValueError, ArithmeticError):
                wrong = True
            if wrong:
                unit = phrase(f"unit.{option.metadata['unit']}")
                problems.append(error("setting", name, value=text, unit=unit))
        if problems:
            raise InputError(problems)
        return cls(**given)


@dataclass(frozen=True, slots=True)
class RuleDefaults:
    """A section's rule where the document gives none. `min_trade` is keyed by base currency, else 0."""

    schedule: Schedule
    absolute_band: Decimal
    relative_band: Decimal | None
    min_trade: Mapping[str, Decimal]


#: The contract's defaults; the dollar minimums are the won ones, rounded, for portfolios kept in dollars.
RULE_DEFAULTS: Mapping[str, RuleDefaults] = {
    "core": RuleDefaults("semi-annual", Decimal("0.05"), None, {"KRW": Decimal(200_000), "USD": Decimal(150)}),
    "satellite": RuleDefaults("quarterly", Decimal("0.07"), None, {"KRW": Decimal(100_000), "USD": Decimal(75)}),
    "all": RuleDefaults("none", Decimal("0.05"), Decimal("0.25"), {}),
}

#: Largest amount by which the weights may add up to more than 1.
WEIGHT_TOLERANCE = Decimal("1e-6")


def setting_fields() -> Mapping[str, Mapping[str, Any]]:
    """Return each setting's unit (the key of its message, "" for none) and choices, by its name in a document."""
    return {f.name: f.metadata for f in fields(Settings)}
