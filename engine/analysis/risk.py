"""Every limit beside what it is today: instruments, groups, leverage, single names, the core and its funds, accounts.

Limits of one's own come from the document (min, max, groups, accounts); the others are dated rows of limits.csv. A
document's own maximum for an instrument replaces the row about it. Comparisons are exact: a value against limit times
total.

What the year came to, where a ledger or the document says so, stands beside what the law lets in or leaves untaxed:
gains above the allowance break nothing, payments above a limit do.

A core fund: fee ≤ 0.1 % a year, assets ≥ 100 billion won, tracking error ≤ 1 % a year, dividends reinvested preferred.
The whole portfolio: weighted fee ≤ 0.3 %. Fee, size and the 0.3 % are the core-satellite rules this tool follows; the
tracking error limit is its own.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from engine.analysis.calendar import allowance_told
from engine.analysis.compare import look_through
from engine.analysis.facts import NOT_KNOWN, UNKNOWN, Figure, Fund
from engine.analysis.volatility import NORMAL_BAND, WIDE_BAND, Turbulence
from engine.costs.contributions import rooms
from engine.costs.tax import in_won, is_overseas, tax_rule
from engine.documents import Document, number, problem_list
from engine.drift import limits_of
from engine.errors import Problem, warning
from engine.goals import aims_of, goals_of, members_of
from engine.money import ZERO, FxTable, to_unit
from engine.phrase import Phrase, phrase, place
from engine.portfolio import Account, Group, Portfolio, Target
from engine.valuation import Valuation

if TYPE_CHECKING:
    import pandas as pd

Bound = Literal["below", "at most", "at least"]
Status = Literal["OK", "BREACH", "UNKNOWN"]
Unit = Literal["share", "won", "flag"]
#: Digits that hold a product of a limit and a total without rounding.
EXACT = Context(prec=100)
#: How far under a limit a weight has to be to be below it.
HAIR = Decimal("1e-9")
#: Shares below this are shown with four decimals in per cent, others with two.
FINE = Decimal("0.001")
#: What a core fund must keep; one exactly at a limit passes.
MAX_CORE_FEE, MIN_CORE_ASSETS, MAX_TRACKING_ERROR = Decimal("0.001"), Decimal(100_000_000_000), Decimal("0.01")
#: Types that are a company of their own.
COMPANIES = ("stock", "reit")
#: Classes whose funds hold no companies to look through to.
_NO_NAMES = ("bond", "cash", "commodity")
#: What a rule can be about that is not one instrument, group or account.
SCOPES = ("portfolio", "core", "company", "rotation")
#: The note of every rule of a portfolio that cannot be valued: the missing price is a problem of its own.
UNPRICED = phrase("risk.unpriced")


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A row of limits.csv; `limit` is a fraction, of the total unless the rule says otherwise."""

    rule: str
    scope: str
    bound: Bound
    limit: Decimal
    source: str
    checked_on: dt.date


@dataclass(frozen=True, slots=True)
class RiskRule:
    """A limit beside what it is today. UNKNOWN where a figure is missing; `note` says which, or the source.

    `limit` and `actual` are shares, except of unit "won" (an amount) and "flag" (1: yes, 0: no).
    """

    rule: str
    scope: str
    limit: Decimal | None
    actual: Decimal | None
    status: Status
    note: Phrase | None = None
    unit: Unit = "share"

    @property
    def name(self) -> Phrase:
        """Return what the rule is called."""
        return phrase(f"rule.{self.rule}")

    @property
    def about(self) -> Phrase | str:
        """Return what the rule is about: the portfolio, the core, or an instrument, group or account by its name."""
        return phrase(f"scope.{self.scope}") if self.scope in SCOPES else self.scope

    @property
    def shown(self) -> tuple[Phrase, Phrase]:
        """Return limit and actual with their unit; a dash where there is none."""
        return _amount(self.limit, self.unit), _amount(self.actual, self.unit)


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Every limit of a portfolio; `priced` is false where a price or rate is missing."""

    rules: tuple[RiskRule, ...]
    priced: bool
    problems: tuple[Problem, ...]

    def to_json(self) -> Document:
        """Return every limit with what it is today as a JSON document."""
        return {
            "rules": [
                {
                    "rule": row.rule,
                    "scope": row.scope,
                    "limit": number(row.limit),
                    "actual": number(row.actual),
                    "status": row.status,
                }
                for row in self.rules
            ],
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per limit: rule, scope, limit, actual, status; NaN where a number is not known."""
        import pandas as pd

        rows = self.to_json()["rules"]
        frame = pd.DataFrame(rows, columns=["rule", "scope", "limit", "actual", "status"])
        return frame.astype({"limit": "float64", "actual": "float64"})


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """What is known besides the portfolio: fund facts and volatility, each by symbol.

    `catalogued` are the symbols whose leverage is on record; others count as not leveraged, which a note says.
    `krw_per` is won per unit of a currency, for assets in another. `as_of` is the day whose laws on taxes and payments
    hold; without one nothing is said of them.
    """

    facts: Mapping[str, Fund] = field(default_factory=dict)
    turbulence: Mapping[str, Turbulence] = field(default_factory=dict)
    catalogued: frozenset[str] | None = None
    krw_per: Mapping[str, Decimal] = field(default_factory=dict)
    as_of: dt.date | None = None


@lru_cache(maxsize=1)
def default_limits() -> tuple[LimitRow, ...]:
    """Return the rows of limits.csv."""
    text = resources.files("engine.analysis").joinpath("limits.csv").read_text(encoding="utf-8")
    return tuple(
        LimitRow(
            row["rule"],
            row["scope"],
            row["bound"],  # type: ignore[arg-type]
            Decimal(row["limit"]),
            row["source"],
            dt.date.fromisoformat(row["checked_on"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


@dataclass(frozen=True, slots=True)
class _Measure:
    """A valued portfolio to be measured against limits; without a valuation every comparison is UNKNOWN."""

    portfolio: Portfolio
    valuation: Valuation | None
    inputs: RiskInputs

    @property
    def total(self) -> Decimal:
        """Return the portfolio's worth in the base currency; 0 where it is not known."""
        return self.valuation.total if self.valuation else ZERO

    def value(self, symbols: Iterable[str] | Mapping[str, Decimal]) -> Decimal:
        """Return the joint worth of some symbols in the base currency, of a mapping so much of each."""
        if self.valuation is None:
            return ZERO
        parts = symbols if isinstance(symbols, Mapping) else dict.fromkeys(symbols, Decimal(1))
        return sum((self.valuation.values.get(symbol, ZERO) * part for symbol, part in parts.items()), ZERO)

    def weights(self) -> dict[str, Decimal]:
        """Return the weights of what is held; none where the total is not above 0."""
        if not self.valuation or self.total <= 0:
            return {}
        return {symbol: worth / self.total for symbol, worth in self.valuation.values.items() if worth}

    def compare(
        self,
        rule: str,
        scope: str,
        part: Decimal,
        limit: Decimal,
        bound: Bound,
        note: Phrase | None = None,
        whole: Decimal | None = None,
    ) -> RiskRule:
        """Compare part / whole with a limit without dividing; the whole is the portfolio's total unless given."""
        whole = self.total if whole is None else whole
        if self.valuation is None:
            return RiskRule(rule, scope, limit, None, "UNKNOWN", UNPRICED)
        if whole <= 0:
            return RiskRule(rule, scope, limit, None, "UNKNOWN", phrase("risk.nothing-held"))
        edge = EXACT.multiply(limit, whole)
        held = part < edge if bound == "below" else part <= edge if bound == "at most" else part >= edge
        return RiskRule(rule, scope, limit, part / whole, "OK" if held else "BREACH", note)


def risk(portfolio: Portfolio, valuation: Valuation | None, inputs: RiskInputs | None = None) -> tuple[RiskRule, ...]:
    """Check every limit; without a valuation (a price is missing) every rule is UNKNOWN."""
    measure = _Measure(portfolio, valuation, inputs or RiskInputs())
    rules = [*_own_limits(measure), *_groups(measure)]
    for limit in default_limits():
        rules.extend(_RULES[limit.rule](measure, limit))
    rules.extend(_volatility_bands(measure))
    rules.extend(_accounts(measure))
    if measure.inputs.as_of is not None and portfolio.residence == "KR":
        rules.extend(_gains_of_the_year(measure, measure.inputs.as_of))
        rules.extend(_payments(portfolio, measure.inputs.as_of))
    rules.extend(_core_funds(measure))
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class Overrun:
    """A limit on leverage or on one company that today's weights break, and the instruments that break it.

    `mendable`: going to the targets would mend it; otherwise they break it themselves, together with what may not be
    traded. `group` bounds the joint weight of the instruments so that the limit holds.
    """

    rule: RiskRule
    symbols: tuple[str, ...]
    mendable: bool
    group: Group

    @property
    def problem(self) -> Problem:
        """Return the warning, with what is to be done."""
        limit, actual = self.rule.shown
        where = place("rule", rule=self.rule.name, about=self.rule.about)
        key = "limit-breached.mended" if self.mendable else "limit-breached.wanted"
        return warning(key, where, limit=limit, actual=actual, symbols=self.symbols)


def overruns(portfolio: Portfolio, valuation: Valuation, idle: frozenset[str]) -> tuple[Overrun, ...]:
    """Return the limits on leverage and single names that are broken; `idle` are the symbols that may not be traded.

    Only what is held directly counts: no fund is looked through. The limits are those of `risk`.
    """
    if valuation.total <= 0:
        return ()
    aims = aims_of((goal for goal in goals_of(portfolio) if goal.target), valuation.values, valuation.total)
    values = {s: worth if s in idle else aims.get(s, ZERO) for s, worth in valuation.values.items()}
    today = _Measure(portfolio, valuation, RiskInputs())
    aimed = _Measure(portfolio, replace(valuation, values=values), RiskInputs())
    found = []
    for limit in default_limits():
        if limit.rule not in _HELD:
            continue
        kept = {row.scope for row in _RULES[limit.rule](aimed, limit) if row.status == "BREACH"}
        for row in _RULES[limit.rule](today, limit):
            if row.status == "BREACH":
                symbols = _HELD[limit.rule](today, row)
                group = Group(f"{row.rule}: {row.scope}", symbols, _joint_maximum(limit, aimed, symbols))
                found.append(Overrun(row, symbols, row.scope not in kept, group))
    return tuple(found)


def _joint_maximum(limit: LimitRow, aimed: _Measure, symbols: tuple[str, ...]) -> Decimal:
    """Return what some instruments may weigh together for a limit to hold: at least what the targets give them."""
    weights = aimed.weights()
    wanted = sum((weights.get(symbol, ZERO) for symbol in symbols), ZERO)
    most = limit.limit - (HAIR if limit.bound == "below" else ZERO)
    if limit.rule == "gross-exposure":
        # Beyond what is invested, a fund of n times the index adds n − 1 times its weight.
        beyond = max(abs(aimed.portfolio.instruments[symbol].leverage) for symbol in symbols) - 1
        most = (most - sum(weights.values(), ZERO)) / beyond if beyond > 0 else most
    return max(most, wanted)


def _leveraged_held(measure: _Measure, _row: RiskRule) -> tuple[str, ...]:
    instruments = measure.portfolio.instruments
    held = measure.weights()
    # On borrowed money, what is held exposes to more than the whole without any.
    return tuple(symbol for symbol in held if abs(instruments[symbol].leverage) > 1) or tuple(held)


def _named(_measure: _Measure, row: RiskRule) -> tuple[str, ...]:
    return (row.scope,)


#: The rules that a plan looks at, with the instruments that break them.
_HELD: Mapping[str, Callable[[_Measure, RiskRule], tuple[str, ...]]] = {
    "leveraged-total": _leveraged_held,
    "leveraged-fund": _named,
    "gross-exposure": _leveraged_held,
    "single-name": _named,
}


def risk_problems(rules: tuple[RiskRule, ...]) -> tuple[Problem, ...]:
    """Return a problem per rule that is broken (a warning), not known (a warning) or has something to say (info)."""
    problems = []
    for row in rules:
        where = place("rule", rule=row.name, about=row.about)
        if row.status == "BREACH":
            limit, actual = row.shown
            said = phrase("limit-breached", limit=limit, actual=actual)
            noted = phrase("limit-breached.noted", breach=said, note=row.note) if row.note else said
            problems.append(Problem("warning", "limit-breached", where, noted))
        elif row.status == "UNKNOWN" and row.note != UNPRICED:
            problems.append(Problem("warning", "limit-unknown", where, row.note or NOT_KNOWN))
        elif row.status == "OK" and row.note:
            problems.append(Problem("info", "limit", where, row.note))
    return tuple(problems)


def _amount(value: Decimal | None, unit: Unit) -> Phrase:
    if value is None:
        return phrase("amount.none")
    if unit == "won":
        return phrase("amount.won", amount=value)
    return percent(value) if unit == "share" else phrase("amount.yes" if value else "amount.no")


def percent(share: Decimal) -> Phrase:
    """Return a fraction as a percentage with two decimals, with more where they matter."""
    return phrase("amount.percent" if share == 0 or abs(share) >= FINE else "amount.fine-percent", points=share * 100)


def _own_limits(measure: _Measure) -> Iterator[RiskRule]:
    for limit in limits_of(measure.portfolio):
        if not limit.group:
            worth = measure.value(limit.members)
            if limit.minimum is not None:
                yield measure.compare("minimum", limit.name, worth, limit.minimum, "at least")
            if limit.maximum is not None:
                yield measure.compare("maximum", limit.name, worth, limit.maximum, "at most")


def _groups(measure: _Measure) -> Iterator[RiskRule]:
    named = {group.name: group.members for group in measure.portfolio.groups}
    for limit in limits_of(measure.portfolio):
        if limit.group:
            worth = measure.value(limit.members)
            note = phrase("risk.symbols", symbols=named[limit.name])
            if limit.minimum is not None:
                yield measure.compare("group-minimum", limit.name, worth, limit.minimum, "at least", note)
            if limit.maximum is not None:
                yield measure.compare("group-maximum", limit.name, worth, limit.maximum, "at most", note)


def _leveraged(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    instruments = measure.portfolio.instruments
    found = tuple(symbol for symbol in measure.portfolio.symbols if abs(instruments[symbol].leverage) > 1)
    known = measure.inputs.catalogued
    rest = [] if known is None else [symbol for symbol in measure.portfolio.symbols if symbol not in known]
    named = phrase("risk.symbols", symbols=found) if found else None
    unlisted = phrase("risk.unlisted", symbols=rest) if rest else None
    note = phrase("joined", one=named, other=unlisted) if named and unlisted else named or unlisted
    yield measure.compare(limit.rule, limit.scope, measure.value(found), limit.limit, limit.bound, note)


def _leveraged_fund(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    targets = measure.portfolio.targets()
    own = any(target.symbol == limit.scope and target.maximum is not None for _, target in targets)
    if limit.scope in measure.portfolio.symbols and not own:
        yield measure.compare(limit.rule, limit.scope, measure.value((limit.scope,)), limit.limit, limit.bound)


def _exposure(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    instruments, symbols = measure.portfolio.instruments, measure.portfolio.symbols
    moved = sum((measure.value((symbol,)) * abs(instruments[symbol].leverage) for symbol in symbols), ZERO)
    # What is to be sold for a withdrawal is still one's own money, not borrowed.
    leaving = max(-measure.portfolio.settings.cash_flow, ZERO)
    own = measure.total + min(max(measure.value(symbols) - measure.total, ZERO), leaving)
    yield measure.compare(limit.rule, limit.scope, moved, limit.limit, limit.bound, phrase("risk.exposure"), own)


def _single_name(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    weights = measure.weights()
    if not weights:
        yield measure.compare(limit.rule, limit.scope, ZERO, limit.limit, limit.bound)
        return
    instruments = measure.portfolio.instruments
    singles = frozenset(symbol for symbol in weights if instruments[symbol].asset_type in COMPANIES)
    equity = {symbol: weight for symbol, weight in weights.items() if instruments[symbol].asset_class not in _NO_NAMES}
    names = {symbol: instruments[symbol].name for symbol in weights}
    seen = look_through(equity, names, singles, measure.inputs.facts)
    unseen = phrase("risk.unseen", share=percent(seen.unseen)) if seen.unseen else None
    over = [row for row in seen.exposures if row.weight > limit.limit]
    for row in over or seen.exposures[:1]:
        status: Status = "BREACH" if over else "OK" if row.weight + seen.unseen <= limit.limit else "UNKNOWN"
        held = phrase("risk.company", name=row.name, direct=percent(row.direct))
        note = phrase("joined", one=held, other=unseen) if unseen else held
        yield RiskRule(limit.rule, row.symbol, limit.limit, row.weight, status, note)
    if not seen.exposures:
        whole: Status = "UNKNOWN" if seen.unseen > limit.limit else "OK"
        yield RiskRule(limit.rule, limit.scope, limit.limit, None if seen.unseen else ZERO, whole, unseen)


def _core(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    for section in measure.portfolio.sections:
        if section.name == limit.scope:
            mine = (goal for goal in goals_of(measure.portfolio) if goal.section == section.name and goal.leaf)
            worth = sum((measure.value(goal.members) for goal in mine), ZERO)
            yield measure.compare(limit.rule, limit.scope, worth, limit.limit, limit.bound)


def _fee(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    weights = measure.weights()
    if not weights:
        yield measure.compare(limit.rule, limit.scope, ZERO, limit.limit, limit.bound)
        return
    fee, missing = weighted_fee(weights, {symbol: _fee_of(measure, symbol) for symbol in weights})
    status: Status = "BREACH" if fee > limit.limit else "UNKNOWN" if missing else "OK"
    known = 1 - sum((weights[symbol] for symbol in missing), ZERO)
    note = phrase("risk.fee-unknown", symbols=missing, share=percent(known)) if missing else None
    yield RiskRule(limit.rule, limit.scope, limit.limit, fee, status, note)


def _fee_of(measure: _Measure, symbol: str) -> Decimal | None:
    instrument = measure.portfolio.instruments[symbol]
    if instrument.asset_type in (*COMPANIES, "bond"):
        return ZERO
    fund = measure.inputs.facts.get(symbol)
    return _exactly(fund.fee.value) if fund and fund.fee.value is not None else instrument.expense_ratio


def weighted_fee(weights: Mapping[str, Decimal], fees: Mapping[str, Decimal | None]) -> tuple[Decimal, tuple[str, ...]]:
    """Return Σ weight · fee over what is held (cash costs nothing), and the symbols whose fee is not known.

    With fees missing the sum is a lower bound.
    """
    missing = tuple(symbol for symbol, weight in weights.items() if weight and fees.get(symbol) is None)
    return sum((weight * (fees.get(symbol) or ZERO) for symbol, weight in weights.items()), ZERO), missing


def _volatility_bands(measure: _Measure) -> Iterator[RiskRule]:
    """Yield each band that follows volatility by the portfolio's own rules, as wide as it is now."""
    for section, target in measure.portfolio.targets():
        if not section.rule.follows_volatility(target) or not target.named:
            continue
        state = measure.inputs.turbulence.get(target.named[0])
        high = state is not None and state.state == "high"
        calm, rough = (section.rule.of(replace(target, high_volatility=is_high)) for is_high in (False, True))
        narrow, wide = calm.relative_band or ZERO, rough.relative_band or ZERO
        yield _volatility_row(measure, target, state, wide if high else narrow, (narrow, wide))


def _volatility_row(
    measure: _Measure, target: Target, state: Turbulence | None, width: Decimal, widths: tuple[Decimal, Decimal]
) -> RiskRule:
    """Compare a target's relative deviation with its band; in doubt where the two `widths` answer differently."""
    aim = EXACT.multiply(target.weight, measure.total)
    away = abs(measure.value(target.named) - aim)
    row = measure.compare("volatility-band", target.symbol, away, width, "at most", whole=aim)
    note = state.told if state else phrase("risk.no-volatility")
    unsure = (state is None or state.state == "unknown") and row.actual is not None
    status: Status = "UNKNOWN" if unsure and widths[0] < (row.actual or ZERO) <= widths[1] else row.status
    return replace(row, status=status, note=row.note or note)


def _volatility_band(measure: _Measure, limit: LimitRow) -> Iterator[RiskRule]:
    for section, target in measure.portfolio.targets():
        if section.rule.follows_volatility(target) or not target.named:
            continue
        # A symbol's own row and the rotation section's row may both name it: the section's goes first.
        named = section.name == limit.scope or (target.symbol == limit.scope and section.name != "rotation")
        if not named or target.weight <= 0 or not target.enabled:
            continue
        state = measure.inputs.turbulence.get(target.named[0])
        yield _volatility_row(measure, target, state, state.band if state else NORMAL_BAND, (NORMAL_BAND, WIDE_BAND))


_RULES = {
    "leveraged-total": _leveraged,
    "leveraged-fund": _leveraged_fund,
    "gross-exposure": _exposure,
    "single-name": _single_name,
    "core-minimum": _core,
    "core-maximum": _core,
    "portfolio-fee": _fee,
    "volatility-band": _volatility_band,
}


def _accounts(measure: _Measure) -> Iterator[RiskRule]:
    """Check each account's risk cap and banned kinds; retirement rules bind purchases, so a breach stops buying."""
    for account in measure.portfolio.accounts:
        if account.risk_cap is None and not account.banned:
            continue
        whole, risky, banned, names = _inside(measure, account)
        if account.risk_cap is not None:
            note = phrase("risk.when-buying")
            yield measure.compare("risk-asset-cap", account.name, risky, account.risk_cap, "at most", note, whole)
        if account.banned:
            note = phrase("risk.banned", what=names or account.banned)
            yield measure.compare("banned", account.name, banned, ZERO, "at most", note, whole)


def _inside(measure: _Measure, account: Account) -> tuple[Decimal, Decimal, Decimal, list[str]]:
    """Return an account's value, its risk assets, its banned instruments, and the names of those."""
    valuation = measure.valuation
    if valuation is None:
        return ZERO, ZERO, ZERO, []
    cash = valuation.cash.get(account.name, {})
    whole = sum((valuation.fx.rate(currency) * amount for currency, amount in cash.items() if amount), ZERO)
    risky = banned = ZERO
    names = []
    for symbol, held in valuation.quantities.items():
        shares = held.get(account.name, ZERO)
        if not shares:
            continue
        instrument = measure.portfolio.instruments[symbol]
        worth = shares * valuation.prices[symbol].price * valuation.fx.rate(instrument.currency)
        whole += worth
        risky += worth if instrument.is_risk_asset else ZERO
        if instrument.traits & frozenset(account.banned):
            banned += worth
            names.append(symbol)
    return whole, risky, banned, names


def _gains_of_the_year(measure: _Measure, as_of: dt.date) -> Iterator[RiskRule]:
    """Yield what overseas sales gained this year beside the allowance; nothing where no ledger or document says it."""
    portfolio, rule = measure.portfolio, tax_rule("overseas_gains", as_of)
    gained = portfolio.settings.realised.get("overseas", portfolio.so_far.realised)
    overseas = any(is_overseas(instrument) for instrument in portfolio.instruments.values())
    if rule is None or gained is None or not (gained or overseas):
        return
    fx = measure.valuation.fx if measure.valuation else FxTable(portfolio.base_currency)
    won = in_won(gained, fx)
    if won is None:
        yield RiskRule("overseas-allowance", "portfolio", rule.allowance, None, "UNKNOWN", phrase("risk.no-won"), "won")
        return
    note = allowance_told(rule.allowance, won)
    if won > rule.allowance:
        due = to_unit((won - rule.allowance) * rule.rate, "KRW")
        note = phrase("risk.allowance-over", told=note, rate=rule.rate, tax=due, year=as_of.year + 1)
    yield RiskRule("overseas-allowance", "portfolio", rule.allowance, won, "OK", note, "won")


def _payments(portfolio: Portfolio, as_of: dt.date) -> Iterator[RiskRule]:
    """Yield what was paid into ISA, pension savings and IRP by the ledger, beside what may be."""
    for room in rooms(portfolio.so_far.contributed, as_of):
        names = [account.name for account in portfolio.accounts if account.type in room.limit.accounts]
        status: Status = "OK" if room.left >= 0 else "BREACH"
        values = {"left": max(room.left, ZERO), "over": max(-room.left, ZERO), "limit": room.limit.amount}
        if room.since:
            note = phrase("risk.paid.at-least", day=room.since)
            status = "UNKNOWN" if room.left >= 0 or room.limit.carries else status
        elif room.limit.carries and room.left < 0:
            # An account that was opened before its first payment, or before the ledger began, has more room.
            status, note = "UNKNOWN", phrase("risk.paid.not-known", **values)
        elif room.carried:
            note = phrase("risk.paid.carried", **values, opened=room.opened)
        else:
            note = phrase("risk.paid.over" if room.left < 0 else "risk.paid.left", **values)
        yield RiskRule(room.limit.rule, ", ".join(names), room.amount, room.paid, status, note, "won")


def _core_funds(measure: _Measure) -> Iterator[RiskRule]:
    for section in measure.portfolio.sections:
        for symbol in members_of(measure.portfolio, section) if section.name == "core" else ():
            if measure.portfolio.instruments[symbol].asset_type not in COMPANIES:
                yield from screen(measure.inputs.facts.get(symbol, Fund(symbol)), measure.inputs.krw_per)


def screen(fund: Fund, krw_per: Mapping[str, Decimal]) -> Iterator[RiskRule]:
    """Screen a core fund: fee, assets in won (`krw_per`: won per unit of currency), tracking error, dividends."""
    yield _screened("core-fee", fund.symbol, fund.fee, MAX_CORE_FEE, "at most")
    yield _screened("core-aum", fund.symbol, _in_won(fund, krw_per), MIN_CORE_ASSETS, "at least", "won")
    yield _screened("core-tracking-error", fund.symbol, fund.tracking_error, MAX_TRACKING_ERROR, "at most")
    # Reinvested dividends are preferred, never required.
    kept = UNKNOWN
    if fund.total_return is not None:
        kept = Figure(float(fund.total_return), note=phrase("risk.reinvests" if fund.total_return else "risk.pays-out"))
    yield _screened("core-total-return", fund.symbol, kept, None, "at most", "flag")


def _screened(
    rule: str, symbol: str, figure: Figure, limit: Decimal | None, bound: Bound, unit: Unit = "share"
) -> RiskRule:
    actual = None if figure.value is None else _exactly(figure.value)
    if actual is None:
        status: Status = "UNKNOWN"
    elif limit is None:
        status = "OK"
    else:
        status = "OK" if (actual <= limit if bound == "at most" else actual >= limit) else "BREACH"
    return RiskRule(rule, symbol, limit, actual, status, figure.told, unit)


def _in_won(fund: Fund, krw_per: Mapping[str, Decimal]) -> Figure:
    figure, currency = fund.aum, fund.aum_currency
    if figure.value is None or currency == "KRW":
        return figure
    if currency not in krw_per:
        return replace(
            figure,
            value=None,
            note=phrase("figure.no-rate", currency=currency) if currency else phrase("figure.no-currency"),
        )
    rate = krw_per[currency]
    converted = phrase("figure.converted", rate=rate, currency=currency)
    return replace(figure, value=figure.value * float(rate), note=converted)


def _exactly(value: float) -> Decimal:
    return Decimal(repr(value))
