"""Trade problems of goals, drawn: several members of different prices share a goal, in one account or several.

`equivalents`: every member counts in full in one goal; in each account only the goal's first member may be bought, all
that is held may be sold, and a goal goes towards its target by one step too much at most. `split`: members have shares
in several goals. `small_...` are small enough for every plan to be tried.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from engine.trades.problem import (
    Bools,
    Floats,
    Ints,
    Rows,
    Slots,
    TradeProblem,
    cash_hinges,
    hinges,
    off_target,
)

EFFORT = 0.00005
#: Rates: commission, sales tax, what is withheld of a gain.
FEE, TAX, WITHHELD = 0.00015, 0.002, 0.154


def assembled(
    *,
    total: float,
    price: Floats,
    symbol: Ints,
    account: Ints,
    held: Floats,
    high: Floats,
    least: Floats,
    gain: Floats,
    shares: Floats,
    weight: Floats,
    cash: Floats,
    low: Floats | None = None,
    towards: Bools | None = None,
    fee_minimum: float = 0.0,
    fee: float = FEE,
    tax: float = TAX,
    order: float = EFFORT,
    targeted: float = 0.0,
) -> TradeProblem:
    """Build a problem of slots (n), goals by `shares` (symbols × goals) and one pool of cash an account.

    `price` by symbol; `held`, `high` (most steps bought), `least` (minimum trade, in steps) and `gain` (a step) by
    slot; goals with `towards` only go towards their targets, past them by one step of their dearest buyable member.
    """
    n, goals = len(symbol), shares.shape[1]
    step = price[symbol]
    value = np.zeros(goals)
    for goal in range(goals):
        value[goal] = float((held * step * shares[symbol, goal]).sum())
    target = weight * total
    lows, highs = np.full(goals, -np.inf), np.full(goals, np.inf)
    towards = np.zeros(goals, dtype=bool) if towards is None else towards
    for goal in np.flatnonzero(towards).tolist():
        mine = shares[symbol, goal] > 0
        reach = (step * shares[symbol, goal])[mine & (high > 0)].max(initial=0.0)
        drop = (step * shares[symbol, goal])[mine & (held > 0)].max(initial=0.0)
        way = target[goal] - value[goal]
        lows[goal] = value[goal] if way >= 0 else max(target[goal] - drop, value[goal] + 2 * way)
        highs[goal] = value[goal] if way <= 0 else min(target[goal] + reach, value[goal] + 2 * way)
    at, slot = np.nonzero(shares[symbol].T)
    terms = (
        (goal, hinge)
        for goal in range(goals)
        for hinge in off_target(Decimal(repr(float(target[goal]))), Decimal(repr(total)))
    )
    below, above = cash_hinges(Decimal(repr(targeted * total)), Decimal(repr(total)), selling_only=False)
    zeros = np.zeros(n)
    return TradeProblem(
        total=total,
        slots=Slots(
            symbol=symbol,
            pool=account,
            price=step,
            low=(-held if low is None else low).astype(np.int64),
            high=np.where(high >= least, high, 0).astype(np.int64),
            minimum_buy=least.astype(np.int64),
            minimum_sell=least.astype(np.int64),
            full=np.ones(n, dtype=bool) if low is None else low == -held,
            continuous=np.zeros(n, dtype=bool),
            buy_rate=np.full(n, fee),
            sell_rate=np.full(n, fee),
            tax_rate=np.full(n, tax),
            fee_minimum=np.full(n, fee_minimum),
            gain=gain,
            withheld=np.where(gain > 0, WITHHELD, 0.0),
            overseas=zeros,
            dislike=zeros,
            slack=zeros,
            cash_slack=zeros,
        ),
        rows=Rows(value, lows, highs, at, slot, shares[symbol[slot], at], hinges(terms)),
        net_low=np.full(len(price), -(10**12), dtype=np.int64),
        net_high=np.full(len(price), 10**12, dtype=np.int64),
        cash=cash,
        reserve=np.zeros(len(cash)),
        account=np.arange(len(cash)),
        cash_below=below,
        cash_above=above,
        order=order * total,
    )


def equivalents(
    members: int,
    goals: int,
    accounts: int,
    seed: int,
    *,
    minimum: float = 100_000.0,
    each: float = 1e6,
    taxed: bool = True,
    shared: bool = False,
) -> TradeProblem:
    """Draw a rebalance of goals of equivalents, `members` in each account: of its own, or `shared` by all accounts.

    What is bought in an account is the goal's first member there. The first account's gains are taxed.
    """
    rng = np.random.default_rng([members, goals, accounts, seed])
    n = members * accounts
    total = each * max(n, 50)
    price: Floats = np.exp(rng.uniform(np.log(5e3), np.log(5e5), n)).round()
    symbol = np.tile(np.arange(members), accounts) if shared else np.arange(n)
    price = price[symbol]
    account = np.repeat(np.arange(accounts), members)
    goal = np.concatenate([np.arange(members) % goals for _ in range(accounts)])
    weight = rng.dirichlet(np.full(goals, 3.0))
    drifted = weight * np.exp(rng.normal(0, 0.25, goals))
    part = rng.dirichlet(np.full(n, 1.5)) + 1e-4
    inside = np.bincount(goal, weights=part, minlength=goals)
    held = np.floor(drifted[goal] / drifted.sum() * part / inside[goal] * total * 0.97 / price)
    cash = (total - float(held @ price)) * rng.dirichlet(np.full(accounts, 3.0))
    value = np.bincount(goal, weights=held * price, minlength=goals)
    first = np.zeros(n, dtype=bool)
    for one in range(accounts):
        for g in range(goals):
            mine = np.flatnonzero((account == one) & (goal == g))
            first[mine[:1]] = True
    way = (weight * total - value)[goal]
    moved = held.copy()
    for g in range(goals):
        moved[goal == g] = (held * price)[goal == g].sum()
    high = np.where(first, np.ceil(np.maximum(way, 0) / price), 0.0)
    if accounts > 1:
        high = np.where(first, high + np.floor(moved / price), 0.0)
        low = -held
    else:
        low = np.where(way < 0, -held, 0.0)
    gain = np.where(account == 0, price * rng.normal(0.15, 0.2, n), 0.0) if taxed else np.zeros(n)
    return assembled(
        total=total,
        price=price[: symbol.max() + 1],
        symbol=symbol,
        account=account,
        held=held,
        high=high,
        least=np.maximum(np.ceil(minimum / price), 1),
        gain=gain,
        shares=np.eye(goals)[goal[: symbol.max() + 1]],
        weight=weight,
        cash=cash,
        low=low,
        towards=np.ones(goals, dtype=bool),
    )


def split(members: int, goals: int, accounts: int, seed: int, *, minimum: float = 100_000.0) -> TradeProblem:
    """Draw a rebalance in which a third of the members have shares in two or three goals."""
    rng = np.random.default_rng([members, goals, accounts, seed, 1])
    total = 1e6 * max(members, 50)
    price: Floats = np.exp(rng.uniform(np.log(5e3), np.log(5e5), members)).round()
    shares = np.eye(goals)[np.arange(members) % goals]
    for one in np.flatnonzero(rng.random(members) < 1 / 3).tolist():
        parts = rng.choice(goals, int(rng.integers(2, min(goals, 3) + 1)), replace=False)
        shares[one] = 0.0
        shares[one, parts] = np.round(rng.dirichlet(np.full(len(parts), 2.0)) * rng.choice([0.9, 1.0]), 2)
    spread = rng.dirichlet(np.full(accounts, 1.0), members)
    part = rng.dirichlet(np.full(members, 1.5))
    held = np.floor((part * total * 0.95 / price)[:, None] * spread)
    weight = rng.dirichlet(np.full(goals, 3.0))
    cash = (total - float((held.sum(axis=1) * price).sum())) * rng.dirichlet(np.full(accounts, 3.0))
    symbol, account = (place.ravel() for place in np.indices(held.shape))
    funds = cash + (held * price[:, None]).sum(axis=0)
    return assembled(
        total=total,
        price=price,
        symbol=symbol,
        account=account,
        held=held.ravel(),
        high=np.floor(funds[account] / price[symbol]),
        least=np.maximum(np.ceil(minimum / price), 1)[symbol],
        gain=np.where(account == 0, price[symbol] * rng.normal(0.1, 0.2, len(symbol)), 0.0),
        shares=shares,
        weight=weight,
        cash=cash,
    )
