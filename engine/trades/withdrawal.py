"""Which accounts a withdrawal can come from, where the usual shares turn out to be more than one can raise.

The usual shares (`engine.valuation.assign_cash_flow`) are split by what accounts are worth, before anything is known of
taxes that are withheld, of limits and of turnover. Here the shares are columns of the model, so that whatever binds the
sales binds them too: where this has no answer, no split has a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from engine.money import to_unit, unit
from engine.portfolio import Portfolio
from engine.trades.build import Task
from engine.trades.highs import Draw, Effort, Model
from engine.trades.problem import Hinges, TradeProblem
from engine.valuation import Valuation, assign_cash_flow, paying_accounts

#: Distance from the most an account may give, of the withdrawal, at which the search ends.
_GAP = 1e-7
#: Kept beside for what HiGHS may leave of a constraint, of the total.
_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Shares:
    """The value with a withdrawal's shares such that sales can raise them, or None.

    `proven` tells whether every other split is worse or, where there is none, that there can be none.
    """

    valuation: Valuation | None
    proven: bool = True


def split_anew(portfolio: Portfolio, valuation: Valuation, task: Task) -> Shares:
    """Return a withdrawal's shares such that sales can raise them, the earlier accounts' the largest.

    `task` is one that only raises money. There are none where nothing is withdrawn, or from one account only.
    """
    accounts, flow, base = paying_accounts(portfolio), portfolio.settings.cash_flow, valuation.fx.base
    if flow >= 0 or len(accounts) < 2:
        return Shares(None)
    given = assign_cash_flow(portfolio, valuation.prices, valuation.fx)
    names = [account.name for account in accounts]
    pools = np.array([task.pools.index((name, base)) for name in names])
    cash = task.problem.cash.copy()
    cash[pools] -= [float(given.get(name, 0)) for name in names]
    draw = Draw(pools, float(-flow))
    raising = _unmeasured(replace(task.problem, cash=cash))
    for problem, loose in ((_kept_beside(raising, float(unit(base))), False), (raising, True)):
        answer = Model(problem, loose=loose, draw=draw).solve(Effort(), gap=_GAP)
        if answer.drawn is not None:
            break
    else:
        return Shares(None, answer.ended == "infeasible")
    shares = [to_unit(Decimal(repr(max(share, 0.0))), base) for share in answer.drawn.tolist()]
    largest = int(np.argmax(answer.drawn))
    shares[largest] -= sum(shares) + flow
    purses = {name: dict(purse) for name, purse in valuation.cash.items()}
    for name, share in zip(names, shares, strict=True):
        purses[name][base] -= given.get(name, Decimal(0)) + share
    return Shares(replace(valuation, cash=purses), proven=False)


def _unmeasured(problem: TradeProblem) -> TradeProblem:
    """Return the problem in which nothing counts but what sales cost."""

    def nothing(hinges: Hinges) -> Hinges:
        return replace(hinges, weight=np.zeros_like(hinges.weight))

    rows = replace(problem.rows, hinges=nothing(problem.rows.hinges))
    below, above = nothing(problem.cash_below), nothing(problem.cash_above)
    return replace(problem, rows=rows, cash_below=below, cash_above=above, order=0.0, tax_weight=0.0, overseas_rate=0.0)


def _kept_beside(problem: TradeProblem, smallest: float) -> TradeProblem:
    """Return the problem with the cash kept beside that billing in the smallest unit may take."""
    rounding = problem.slots.slack + problem.slots.cash_slack
    billed = np.bincount(problem.slots.pool, weights=rounding, minlength=len(problem.cash))
    beside = billed + problem.rounding + len(problem.cash) * smallest + _HAIR * problem.total
    return replace(problem, reserve=problem.reserve + beside)
