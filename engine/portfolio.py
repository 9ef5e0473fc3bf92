"""The records a portfolio is made of: frozen, in the person's own currencies, without prices from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from engine.errors import Problem
from engine.money import ZERO
from engine.settings import RULE_DEFAULTS, Residence, Schedule, Settings

MARKETS = ("KR", "US", "OTHER")
ASSET_TYPES = ("stock", "etf", "etn", "fund", "reit", "bond", "other")
#: The type of what neither the catalogue nor the document says the type of: nobody calls it a stock.
UNKNOWN_TYPE = "unknown"
ACCOUNT_TYPES = ("taxable", "isa", "irp", "pension", "ira", "roth", "401k")
#: What an account may refuse to buy: traits of an instrument.
TRAITS = ("leveraged", "inverse", "futures")

#: What a target names: an instrument, a set of equivalents, or a class of assets.
GoalKind = Literal["instrument", "any", "class"]

#: Between the members of equivalents, in a name that nobody gave and in one cell.
JOINT = " | "
#: Smallest fraction of a share that is traded where fractions are allowed.
FRACTION = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something that can be held.

    `asset_type` is one of `ASSET_TYPES`, or `UNKNOWN_TYPE`.
    `leverage` is 1 for an ordinary fund, 2 or 3 for a leveraged one, negative for an inverse one.
    `asset_class` is equity, bond, commodity, cash or mixed; None where unknown (then it counts as a risk asset).
    `lot` is the number of shares of the smallest trade. `taxed_as_dividend` says of a Korean-listed fund whether its
    gains are dividend income (foreign or other assets) or exempt (Korean shares); None where unknown.
    """

    symbol: str
    name: str
    market: str
    currency: str
    asset_type: str = "stock"
    name_en: str = ""
    expense_ratio: Decimal | None = None
    leverage: Decimal = Decimal(1)
    asset_class: str | None = None
    futures: bool = False
    lot: Decimal = Decimal(1)
    taxed_as_dividend: bool | None = None

    def called(self, lang: str) -> str:
        """Return the name in a language: in English the English one, where the other cannot be read."""
        return self.name_en if lang == "en" and self.name_en and not self.name.isascii() else self.name

    @property
    def is_risk_asset(self) -> bool:
        """Tell whether a retirement account counts this against its risk cap: all but bonds and cash."""
        return self.asset_class not in ("bond", "cash")

    @property
    def traits(self) -> frozenset[str]:
        """Return the traits that an account may ban: leveraged, inverse, futures."""
        found = {"futures"} if self.futures else set()
        if abs(self.leverage) > 1:
            found.add("leveraged")
        if self.leverage < 0:
            found.add("inverse")
        return frozenset(found)


def step_of(instrument: Instrument, fractional: Sequence[str]) -> Decimal:
    """Return the smallest quantity that may be traded: a lot, or a fraction where the market allows fractions."""
    return FRACTION if instrument.market in fractional else instrument.lot


@dataclass(frozen=True, slots=True)
class Holding:
    """A quantity of one instrument, in one account (or under one account label).

    `average_cost` is in the instrument's currency; `cost_fx` is base currency per unit of it on the day of purchase.
    `value` is what the person wrote in place of a quantity, in the instrument's currency: the quantity is 0 until a
    price is known (`engine.valuation.in_quantities`), or is that value divided by the price given beside it.
    """

    symbol: str
    quantity: Decimal
    account: str = ""
    average_cost: Decimal | None = None
    price: Decimal | None = None
    locked: bool = False
    cost_fx: Decimal | None = None
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its own cash and what it may buy. `markets` None means all of them.

    `cash_buffer` None means the setting's.
    """

    name: str
    type: str = "taxable"
    cash: Mapping[str, Decimal] = field(default_factory=dict)
    markets: tuple[str, ...] | None = None
    risk_cap: Decimal | None = None
    banned: tuple[str, ...] = ()
    cash_buffer: Decimal | None = None

    def may_buy(self, instrument: Instrument) -> bool:
        """Tell whether the account's rules (market, banned traits) let it buy the instrument."""
        if self.markets is not None and instrument.market not in self.markets:
            return False
        return not instrument.traits & frozenset(self.banned)


@dataclass(frozen=True, slots=True)
class Target:
    """The weight of the whole wanted for one goal; `minimum` and `maximum` bound what trades may lead to.

    `symbol` is the goal's key: an instrument's symbol, or the name of equivalents (`members`, in order of preference)
    or of an asset class (`asset_class`). `share`, where given, is of the nearest wider class that has a target, and
    `weight` what that comes to. `consolidate` sells what is held of the less preferred members. A class within which
    another has a target is no `leaf` (no input: `engine.goals` says so): its weight is that of its narrower ones.

    A relative band of its own beats its section's. `high_volatility` is no input: it says that the wider one is in
    force (`engine.analysis.volatility.banded`).
    """

    symbol: str
    weight: Decimal
    role: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    benchmark: str | None = None
    thesis_valid: bool | None = None
    enabled: bool = True
    relative_band: Decimal | None = None
    relative_band_high_volatility: Decimal | None = None
    high_volatility: bool = False
    members: tuple[str, ...] = ()
    asset_class: str | None = None
    share: Decimal | None = None
    consolidate: bool = False
    leaf: bool = True

    @property
    def kind(self) -> GoalKind:
        """Return what the target names."""
        return "any" if self.members else "instrument" if self.asset_class is None else "class"

    @property
    def named(self) -> tuple[str, ...]:
        """Return the instruments that the target names: none of a class."""
        return self.members or (() if self.asset_class is not None else (self.symbol,))


@dataclass(frozen=True, slots=True)
class Rule:
    """When a section is looked at, how far it may drift, and how small a trade may be (base currency).

    `months` fixes the months of its reviews, whatever was recorded in between. `relative_band_high_volatility` widens
    the relative band while volatility is high. `min_trade_given`: whether a person gave the minimum trade; one that is
    only the default gives way to a deposit, and is no other rule than the same one given.
    """

    schedule: Schedule = "none"
    absolute_band: Decimal | None = None
    relative_band: Decimal | None = None
    min_trade: Decimal = ZERO
    last_rebalanced: dt.date | None = None
    min_trade_given: bool = field(default=True, compare=False)
    relative_band_high_volatility: Decimal | None = None
    months: tuple[int, ...] = ()

    @property
    def reviewed(self) -> bool:
        """Tell whether there are reviews at all."""
        return self.schedule != "none" or bool(self.months)

    @classmethod
    def default(cls, section: str, base_currency: str) -> Rule:
        """Return the contract's rule for a section: core, satellite, or any other ("all")."""
        row = RULE_DEFAULTS.get(section, RULE_DEFAULTS["all"])
        least = row.min_trade.get(base_currency, ZERO)
        return cls(row.schedule, row.absolute_band, row.relative_band, least, min_trade_given=False)

    def of(self, target: Target) -> Rule:
        """Return the rule as it stands for one target: with its own bands, and the relative one that is in force.

        High volatility widens a band and never narrows one.
        """
        relative = self.relative_band if target.relative_band is None else target.relative_band
        wide = target.relative_band_high_volatility
        wide = self.relative_band_high_volatility if wide is None else wide
        if target.high_volatility and relative is not None and wide is not None:
            relative = max(relative, wide)
        return replace(self, relative_band=relative, relative_band_high_volatility=wide)

    def follows_volatility(self, target: Target) -> bool:
        """Tell whether high volatility widens the band of a target that may be traded."""
        calm = self.of(replace(target, high_volatility=False))
        wide = calm.relative_band_high_volatility
        if calm.relative_band is None or wide is None or not target.enabled or target.weight <= 0:
            return False
        return wide > calm.relative_band


@dataclass(frozen=True, slots=True)
class Section:
    """Targets under one rule; a plain list of targets is the section "all"."""

    name: str
    targets: tuple[Target, ...]
    rule: Rule

    @property
    def weight(self) -> Decimal:
        """Return the sum of the target weights; wider classes are the sums of their narrower ones, counted once."""
        return sum((target.weight for target in self.targets if target.leaf), ZERO)


@dataclass(frozen=True, slots=True)
class Group:
    """A bound on the joint weight of several instruments."""

    name: str
    members: tuple[str, ...]
    maximum: Decimal | None = None
    minimum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Contributed:
    """What a ledger says was paid into accounts of a type, in won: this `year` and `before` it.

    It knows of them from the day of `since` on. `unsure` is the last day on which something came that may have been
    paid in and is not counted (what was there at the beginning, a correction, money without a rate); None: never.
    """

    year: Decimal = ZERO
    before: Decimal = ZERO
    since: dt.date = dt.date.max
    unsure: dt.date | None = None

    @property
    def in_later_years(self) -> Contributed:
        """Return the same as a later year sees it, in which nothing was paid in yet."""
        return replace(self, year=ZERO, before=self.before + self.year)


@dataclass(frozen=True, slots=True)
class YearSoFar:
    """What a ledger says of the year: overseas gains realised, in the base currency, and what was paid in.

    `realised` is None without a ledger; `contributed` is by type of account.
    """

    realised: Decimal | None = None
    contributed: Mapping[str, Contributed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A person's whole portfolio document.

    Where the document declares accounts, `accounts_declared` is true and each finances itself; otherwise `accounts`
    is one nameless account with all the cash, and a holding's `account` is only a label.
    `fx` holds the manual rates by pair, such as USDKRW. `expected` is what the person expects of it, in their words
    (return, fall, fee): kept and shown, never computed with. `notes` is what reading it found that stops no plan.

    What the document says of classes: `exposures` the parts of an instrument in each, `classes` the wider class of each
    ("" for a widest one). `prefer` says where what is bought first: places (names or types of accounts) by symbol, goal
    or class, and under "rule" the named rule that holds besides. `engine.goals` reads them with the catalogue's.

    `so_far` is what the year came to: no document says it, the ledger does.
    """

    name: str
    base_currency: str
    instruments: Mapping[str, Instrument]
    holdings: tuple[Holding, ...]
    accounts: tuple[Account, ...]
    sections: tuple[Section, ...]
    groups: tuple[Group, ...] = ()
    settings: Settings = field(default_factory=Settings)
    fx: Mapping[str, Decimal] = field(default_factory=dict)
    accounts_declared: bool = False
    untargeted_rule: Rule = field(default_factory=Rule)
    expected: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = field(default=(), compare=False)
    exposures: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    prefer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    so_far: YearSoFar = field(default_factory=YearSoFar)

    def targets(self) -> Iterator[tuple[Section, Target]]:
        """Yield every target with its section, in document order."""
        for section in self.sections:
            for target in section.targets:
                yield section, target

    @property
    def volatility_followers(self) -> tuple[str, ...]:
        """Return the symbols whose bands high volatility widens, in document order; of equivalents the first one."""
        following = (target for section, target in self.targets() if section.rule.follows_volatility(target))
        return tuple(target.named[0] for target in following if target.named)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return every symbol once: in the order of the targets that name it, then the other holdings."""
        ordered = dict.fromkeys(symbol for _, target in self.targets() for symbol in target.named)
        ordered.update(dict.fromkeys(holding.symbol for holding in self.holdings))
        return tuple(ordered)

    @property
    def residence(self) -> Residence:
        """Return whose taxes apply: the setting's, else those of the base currency's country."""
        by_currency: Mapping[str, Residence] = {"KRW": "KR", "USD": "US"}
        return self.settings.residence or by_currency.get(self.base_currency, "none")

    @property
    def cash_target(self) -> Decimal:
        """Return the weight left for cash: 1 minus all target weights, never below 0."""
        return max(1 - sum((section.weight for section in self.sections), ZERO), ZERO)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return every currency in use, the base first, then sorted."""
        found = {instrument.currency for instrument in self.instruments.values()}
        found.update(currency for account in self.accounts for currency in account.cash)
        return (self.base_currency, *sorted(found - {self.base_currency}))
