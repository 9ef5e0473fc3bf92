"""Seeded trade problems over several accounts: taxable in won and dollars, ISA, IRP under a risk cap, pension."""

from __future__ import annotations

import numpy as np

from engine.trades.problem import Problem, RiskCap

USDKRW = 1391.5
FEE, TAX, MINIMUM = 0.00015, 0.002, 100_000.0


def over_accounts(symbols: int, accounts: int, seed: int, *, total: float = 50e6, cash_weight: float = 0.0) -> Problem:
    """Draw drifted holdings: Korean instruments in any account, US ones in the taxable one (account 0) only."""
    rng = np.random.default_rng([symbols, accounts, seed])
    foreign = rng.random(symbols) < 0.4
    dollars = np.round(np.exp(rng.uniform(np.log(20), np.log(600), symbols)), 2) * USDKRW
    price = np.where(foreign, dollars, np.round(np.exp(rng.uniform(np.log(6e3), np.log(2e5), symbols)), -1))
    weight = rng.dirichlet(np.full(symbols, 2.0)) * (1 - cash_weight)
    aimed = weight * total * np.exp(rng.normal(0, 0.25, symbols)) * 0.92
    held = np.zeros((symbols, accounts))
    for number in range(symbols):
        places = [0] if foreign[number] else rng.choice(accounts, size=min(accounts, 2), replace=False)
        held[number, places] = np.floor(aimed[number] * rng.dirichlet(np.ones(len(places))) / price[number])
    value = held * price[:, None]
    spare = max(total - float(value.sum()), 0.02 * total)
    share = rng.dirichlet(np.full(accounts, 3.0)) * spare
    cash = np.array([0.6 * share[0], 0.4 * share[0], *share[1:]])
    total = float(value.sum() + cash.sum())
    shortfall = weight * total - value.sum(axis=1)
    symbol, account = (place.ravel() for place in np.indices((symbols, accounts)))
    units, least = held.ravel(), np.maximum(np.ceil(MINIMUM / price), 1)[symbol]
    room = np.maximum(np.ceil(shortfall / price)[symbol], least) * (shortfall[symbol] > 0)
    high = room + held.sum(axis=1)[symbol] - units
    slots = np.flatnonzero(((account == 0) | ~foreign[symbol]) & ((high > 0) | (units > 0)))
    bond = rng.random(symbols) < 0.3
    caps = ()
    if accounts > 2:
        mine = np.flatnonzero((account[slots] == 2) & ~bond[symbol[slots]])
        before = float(value[~bond, 2].sum())
        caps = (RiskCap(2, mine, 0.7, before, float(value[:, 2].sum() + cash[3])),) if len(mine) else ()
    many = np.ones(len(slots))
    return Problem(
        total=total,
        shortfall=shortfall,
        symbol=symbol[slots],
        pool=np.where(foreign[symbol[slots]], 1, np.where(account[slots] == 0, 0, account[slots] + 1)),
        price=price[symbol[slots]],
        low=-units[slots].astype(np.int64),
        high=high[slots].astype(np.int64),
        minimum=least[slots].astype(np.int64),
        full=np.ones(len(slots), dtype=bool),
        continuous=np.zeros(len(slots), dtype=bool),
        buy_rate=FEE * many,
        sell_rate=FEE * many,
        tax_rate=np.where(foreign[symbol[slots]], 0.0, TAX),
        fee_minimum=0.0 * many,
        cash=cash,
        reserve=np.zeros(len(cash)),
        account=np.array([0, 0, *range(1, accounts)]),
        cash_target=cash_weight * total,
        spread=0.001,
        risk_caps=caps,
    )
