"""Why money stays in cash that the targets would have invested: told as it is, account by account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.drift import IDLE, limits_of
from engine.errors import Problem, note
from engine.goals import buyable, main_goal
from engine.money import ZERO, to_unit
from engine.phrase import Phrase, phrase, place
from engine.plan import GoalState, Position
from engine.portfolio import Account, Portfolio, Rule, step_of
from engine.trades.build import reserve
from engine.trades.orders import Settlement
from engine.valuation import Valuation

#: What is worth a word: so much of a deposit, or of the whole.
_OF_DEPOSIT, _OF_TOTAL = Decimal("0.05"), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An instrument whose goal is still below its target: its position, its rule, what its smallest purchase costs.

    `accounts` may buy it.
    """

    position: Position
    rule: Rule
    cost: Decimal
    accounts: frozenset[str]


def idle_money(
    portfolio: Portfolio,
    valuation: Valuation,
    states: Sequence[GoalState],
    positions: Sequence[Position],
    settlement: Settlement,
    after: Mapping[str, Decimal],
    rung: int,
) -> Iterator[Problem]:
    """Say of every account that keeps more cash than the targets leave what stops it from being invested.

    `after` holds values by symbol after the trades, in the base currency. Nothing is said where no trade was called
    for (`rung` 0), and of amounts that no one would miss.
    """
    rate, base = valuation.fx.rate, portfolio.base_currency
    flow = portfolio.settings.cash_flow
    cash = {name: sum((n * rate(c) for c, n in purse.items() if n), ZERO) for name, purse in settlement.after.items()}
    spare = {name: max(amount - reserve(portfolio, name, base), ZERO) for name, amount in cash.items()}
    idle = sum(cash.values(), ZERO) - portfolio.cash_target * valuation.total
    least = min(_OF_DEPOSIT * flow, _OF_TOTAL * valuation.total) if flow > 0 else _OF_TOTAL * valuation.total
    if not rung or flow < 0 or idle < least:
        return
    below = [s for s in states if s.leaf and not s.idle and s.goal.worth(after) < s.target * valuation.total]
    short = list(_wanted(portfolio, below, positions))
    found = {one.position.symbol: _capping(portfolio, one, after, valuation.total) for one in short}
    capped = {symbol: name for symbol, name in found.items() if name is not None}
    for account in portfolio.accounts:
        amount = min(spare[account.name], idle)
        if amount < least:
            continue
        cause = _cause(portfolio, account, short, capped, amount, settlement.after[account.name], rung)
        where = place("account", account=account.name) if account.name else place("cash")
        yield note("cash-idle", where, amount=to_unit(amount, base), currency=base, cause=cause)


def _wanted(portfolio: Portfolio, below: Sequence[GoalState], positions: Sequence[Position]) -> Iterator[_Wanted]:
    """Yield the members of goals below their targets, in the order of the positions."""
    rules = {section.name: section.rule for section in portfolio.sections}
    may = buyable(portfolio, [state.goal for state in below])
    for p in positions:
        mine = [state.goal for state in below if p.symbol in state.goal.members and state.section is not None]
        if mine and p.status not in IDLE:
            step = step_of(portfolio.instruments[p.symbol], portfolio.settings.fractional)
            section = main_goal(p.symbol, mine).section
            accounts = frozenset(name for name, symbols in may.items() if p.symbol in symbols)
            yield _Wanted(p, rules[section or ""], p.price * p.fx * step, accounts)


def _capping(portfolio: Portfolio, one: _Wanted, after: Mapping[str, Decimal], total: Decimal) -> str | None:
    """Return the goal or group whose maximum one more step of an instrument would break."""
    symbol = one.position.symbol
    weights = {name: worth / total for name, worth in after.items()}
    weights[symbol] += one.cost / total
    return next((x.name for x in limits_of(portfolio) if symbol in x.members and x.above(weights)), None)


def _cause(
    portfolio: Portfolio,
    account: Account,
    short: Sequence[_Wanted],
    capped: Mapping[str, str],
    amount: Decimal,
    purse: Mapping[str, Decimal],
    rung: int,
) -> Phrase:
    """Return what stops an account's money: the first rule that leaves nothing to buy of what is below its target."""
    if portfolio.settings.mode == "sell-only":
        return phrase("cash-idle.mode")
    if not short:
        return phrase("cash-idle.nothing-short")
    bought = [one for one in short if account.name in one.accounts]
    if not bought:
        return phrase("cash-idle.account", symbols=[one.position.symbol for one in short])
    if not portfolio.settings.convert_currency:
        payable = [one for one in bought if purse.get(one.position.currency, ZERO) * one.position.fx >= one.cost]
        if not payable and any(one.cost <= amount for one in bought):
            return phrase("cash-idle.currency", currencies=dict.fromkeys(one.position.currency for one in bought))
        bought = payable or bought
    affordable = [one for one in bought if one.cost <= amount]
    if not affordable:
        dear = min(bought, key=lambda one: one.cost)
        return phrase("cash-idle.share", **_named(dear))
    # On the first rung a minimum that nobody gave does not hold for purchases.
    large = [one for one in affordable if (one.rule.min_trade_given or rung > 1) and one.rule.min_trade > amount]
    if len(large) == len(affordable):
        smallest = min(large, key=lambda one: one.rule.min_trade).rule.min_trade
        return phrase("cash-idle.minimum", minimum=smallest, currency=portfolio.base_currency)
    if account.risk_cap is not None and all(
        portfolio.instruments[one.position.symbol].is_risk_asset for one in affordable
    ):
        return phrase("cash-idle.risk-cap", cap=account.risk_cap)
    if all(one.position.symbol in capped for one in affordable):
        named = dict.fromkeys(capped[one.position.symbol] for one in affordable)
        return phrase("cash-idle.limit", limits=tuple(named))
    if portfolio.settings.max_turnover is not None:
        return phrase("cash-idle.turnover", most=portfolio.settings.max_turnover)
    near = next(one for one in affordable if one not in large)
    return phrase("cash-idle.not-worth", **_named(near))


def _named(one: _Wanted) -> dict[str, object]:
    return {"symbol": one.position.symbol, "price": one.position.price, "currency": one.position.currency}
