"""Every limit beside what it is today: instruments, groups, leverage, single names, the core, fees, accounts.

Limits of one's own come from the document (min, max, groups, accounts); the others are dated rows of limits.csv. A
document's own maximum for an instrument replaces the row about it. Comparisons are exact: a value against limit times
total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from engine.analysis.facts import FundFacts
from engine.analysis.limits import EXACT, Check, Limit, RiskInputs, RiskRule, Status, default_limits, percent
from engine.analysis.overlap import look_through
from engine.analysis.screen import Check as ScreenCheck
from engine.analysis.screen import portfolio_fee, screen
from engine.analysis.volatility import NORMAL_BAND, WIDE_BAND
from engine.money import ZERO
from engine.portfolio import Account, Portfolio
from engine.valuation import Valuation

#: Types that are a company of their own.
COMPANIES = ("stock", "reit")
#: Classes whose funds hold no companies to look through to.
_NO_NAMES = ("bond", "cash", "commodity")


def risk(
    portfolio: Portfolio,
    valuation: Valuation | None,
    inputs: RiskInputs | None = None,
    limits: tuple[Limit, ...] | None = None,
) -> tuple[RiskRule, ...]:
    """Check every limit; without a valuation (a price is missing) every rule is UNKNOWN."""
    check = Check(portfolio, valuation, inputs or RiskInputs())
    rules = [*_own_limits(check), *_groups(check)]
    for limit in default_limits() if limits is None else limits:
        rules.extend(_RULES[limit.rule](check, limit))
    rules.extend(_accounts(check))
    rules.extend(_screens(check))
    return tuple(rules)


def _own_limits(check: Check) -> Iterator[RiskRule]:
    for _, target in check.portfolio.targets():
        worth = check.value((target.symbol,))
        if target.minimum is not None:
            yield check.compare("minimum", target.symbol, worth, target.minimum, "at least")
        if target.maximum is not None:
            yield check.compare("maximum", target.symbol, worth, target.maximum, "at most")


def _groups(check: Check) -> Iterator[RiskRule]:
    for group in check.portfolio.groups:
        worth = check.value(group.members)
        members = ", ".join(group.members)
        notes = (members, f"종목: {members}")
        if group.minimum is not None:
            yield check.compare("group-minimum", group.name, worth, group.minimum, "at least", *notes)
        if group.maximum is not None:
            yield check.compare("group-maximum", group.name, worth, group.maximum, "at most", *notes)


def _leveraged(check: Check, limit: Limit) -> Iterator[RiskRule]:
    instruments = check.portfolio.instruments
    found = tuple(symbol for symbol in check.portfolio.symbols if abs(instruments[symbol].leverage) > 1)
    known = check.inputs.catalogued
    rest = [] if known is None else [symbol for symbol in check.portfolio.symbols if symbol not in known]
    named, unlisted = ", ".join(found), ", ".join(rest)
    note = "; ".join(filter(None, (named, f"not on record, so taken as not leveraged: {unlisted}" * bool(rest))))
    ko = "; ".join(
        filter(
            None, (f"종목: {named}" * bool(found), f"목록에 없어 레버리지 없는 것으로 본 종목: {unlisted}" * bool(rest))
        )
    )
    yield check.compare(limit.rule, limit.scope, check.value(found), limit.limit, limit.bound, note, ko)


def _leveraged_fund(check: Check, limit: Limit) -> Iterator[RiskRule]:
    own = any(target.symbol == limit.scope and target.maximum is not None for _, target in check.portfolio.targets())
    if limit.scope in check.portfolio.symbols and not own:
        yield check.compare(limit.rule, limit.scope, check.value((limit.scope,)), limit.limit, limit.bound)


def _exposure(check: Check, limit: Limit) -> Iterator[RiskRule]:
    instruments = check.portfolio.instruments
    moved = sum(
        (check.value((symbol,)) * abs(instruments[symbol].leverage) for symbol in check.portfolio.symbols), ZERO
    )
    note = "each holding times its leverage, inverse ones counted as positive"
    ko = "보유액 × 레버리지의 합, 인버스도 더함"
    yield check.compare(limit.rule, limit.scope, moved, limit.limit, limit.bound, note, ko)


def _single_name(check: Check, limit: Limit) -> Iterator[RiskRule]:
    weights = check.weights()
    if not weights:
        yield check.compare(limit.rule, limit.scope, ZERO, limit.limit, limit.bound)
        return
    instruments = check.portfolio.instruments
    singles = frozenset(symbol for symbol in weights if instruments[symbol].asset_type in COMPANIES)
    equity = {symbol: weight for symbol, weight in weights.items() if instruments[symbol].asset_class not in _NO_NAMES}
    names = {symbol: instruments[symbol].name for symbol in weights}
    seen = look_through(equity, names, singles, check.inputs.facts)
    unseen = unseen_ko = ""
    if seen.unseen:
        unseen = f"; {percent(seen.unseen)} of the total lies in funds whose holdings are not known"
        unseen_ko = f"; 총액의 {percent(seen.unseen)}는 구성 종목을 모르는 ETF에 있음"
    over = [row for row in seen.exposures if row.weight > limit.limit]
    for row in over or seen.exposures[:1]:
        status: Status = "BREACH" if over else "OK" if row.weight + seen.unseen <= limit.limit else "UNKNOWN"
        note = f"{row.name}: {percent(row.direct)} held directly{unseen}"
        ko = f"{row.name}: 직접 보유 {percent(row.direct)}{unseen_ko}"
        yield RiskRule(limit.rule, row.symbol, limit.limit, row.weight, status, note, ko)
    if not seen.exposures:
        whole: Status = "UNKNOWN" if seen.unseen > limit.limit else "OK"
        notes = (unseen.strip("; "), unseen_ko.strip("; "))
        yield RiskRule(limit.rule, limit.scope, limit.limit, None if seen.unseen else ZERO, whole, *notes)


def _core(check: Check, limit: Limit) -> Iterator[RiskRule]:
    for section in check.portfolio.sections:
        if section.name == limit.scope:
            worth = check.value(tuple(target.symbol for target in section.targets))
            yield check.compare(limit.rule, limit.scope, worth, limit.limit, limit.bound)


def _fee(check: Check, limit: Limit) -> Iterator[RiskRule]:
    weights = check.weights()
    if not weights:
        yield check.compare(limit.rule, limit.scope, ZERO, limit.limit, limit.bound)
        return
    instruments = check.portfolio.instruments
    fees = {
        symbol: ZERO if instruments[symbol].asset_type in (*COMPANIES, "bond") else _known_fee(check, symbol)
        for symbol in weights
    }
    found = portfolio_fee(weights, fees, limit.limit)
    status: Status = {"PASS": "OK", "FAIL": "BREACH"}.get(found.outcome, "UNKNOWN")  # type: ignore[assignment]
    missing = ", ".join(found.missing)
    note, ko = (
        (f"at least: no fee known for {missing}", f"최소값: 보수를 모르는 종목 {missing}") if missing else ("", "")
    )
    yield RiskRule(limit.rule, limit.scope, limit.limit, found.fee, status, note, ko)


def _known_fee(check: Check, symbol: str) -> Decimal | None:
    fee = check.inputs.fees.get(symbol)
    return fee if fee is not None else check.portfolio.instruments[symbol].expense_ratio


def _volatility_band(check: Check, limit: Limit) -> Iterator[RiskRule]:
    for section, target in check.portfolio.targets():
        # A symbol's own row and the rotation section's row may both name it: the section's goes first.
        named = section.name == limit.scope or (target.symbol == limit.scope and section.name != "rotation")
        if not named or target.weight <= 0 or not target.enabled:
            continue
        state = check.inputs.turbulence.get(target.symbol)
        width = state.band if state else NORMAL_BAND
        aim = EXACT.multiply(target.weight, check.total)
        row = check.compare(
            limit.rule, target.symbol, abs(check.value((target.symbol,)) - aim), width, limit.bound, whole=aim
        )
        note = state.note if state else "no history to judge volatility by, so the normal band stands"
        ko = state.note_ko if state else "변동성을 판단할 과거 시세가 없어 기본 밴드를 씁니다"
        unsure = (state is None or state.state == "unknown") and row.actual is not None
        status: Status = "UNKNOWN" if unsure and NORMAL_BAND < (row.actual or ZERO) <= WIDE_BAND else row.status
        notes = (row.note, row.note_ko) if row.note else (note, ko)
        yield RiskRule(row.rule, row.scope, row.limit, row.actual, status, *notes)


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


def _accounts(check: Check) -> Iterator[RiskRule]:
    """Check each account's risk cap and banned kinds; retirement rules bind purchases, so a breach stops buying."""
    for account in check.portfolio.accounts:
        if account.risk_cap is None and not account.banned:
            continue
        whole, risky, banned, names = _inside(check, account)
        if account.risk_cap is not None:
            note = "checked when buying: no risk asset may be bought above it, none must be sold"
            ko = "매수할 때 확인: 한도를 넘겨 위험자산을 살 수 없지만, 팔아야 하는 것은 아님"
            yield check.compare("risk-asset-cap", account.name, risky, account.risk_cap, "at most", note, ko, whole)
        if account.banned:
            note = ", ".join(names) or ", ".join(account.banned)
            yield check.compare("banned", account.name, banned, ZERO, "at most", note, f"해당: {note}", whole)


def _inside(check: Check, account: Account) -> tuple[Decimal, Decimal, Decimal, list[str]]:
    """Return an account's value, its risk assets, its banned instruments, and the names of those."""
    valuation = check.valuation
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
        instrument = check.portfolio.instruments[symbol]
        worth = shares * valuation.prices[symbol].price * valuation.fx.rate(instrument.currency)
        whole += worth
        risky += worth if instrument.is_risk_asset else ZERO
        if instrument.traits & frozenset(account.banned):
            banned += worth
            names.append(symbol)
    return whole, risky, banned, names


def _screens(check: Check) -> Iterator[RiskRule]:
    """Screen the core's funds: fee, assets, tracking error; reinvested dividends are preferred, never required."""
    for section in check.portfolio.sections:
        for target in section.targets:
            instrument = check.portfolio.instruments[target.symbol]
            if section.name != "core" or instrument.asset_type in COMPANIES:
                continue
            facts = check.inputs.facts.get(target.symbol, FundFacts(target.symbol))
            for one in screen(facts, check.inputs.krw_per):
                yield _screened(one)


def _screened(one: ScreenCheck) -> RiskRule:
    limit = None if one.limit is None else Decimal(repr(one.limit))
    actual = None if one.figure.value is None else Decimal(repr(one.figure.value))
    status: Status = {"FAIL": "BREACH", "UNKNOWN": "UNKNOWN"}.get(one.outcome, "OK")  # type: ignore[assignment]
    note, ko = _PREFERENCES.get(one.outcome, (one.figure.note, one.figure.note_ko))
    told, told_ko = replace(one.figure, note=note, note_ko=ko).told
    row = RiskRule(f"core-{one.criterion}", one.symbol, limit, actual, status, told, told_ko)
    return replace(row, unit=_UNITS[one.criterion]) if one.criterion in _UNITS else row


_PREFERENCES: Mapping[str, tuple[str, str]] = {
    "PREFERRED": ("preferred", "선호"),
    "NOT_PREFERRED": ("pays out; reinvesting is preferred", "분배금 지급: 재투자형을 선호"),
}
_UNITS: Mapping[str, Literal["won", "flag"]] = {"aum": "won", "total-return": "flag"}
