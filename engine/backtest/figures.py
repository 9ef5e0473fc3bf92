"""The figures of a run: return, risk, distance from the targets, and what it cost.

Returns are time-weighted: a day's return is (value after − flow) / value before, compounded. The money-weighted return
is the yearly rate at which the flows grow to the final value. Volatility and tracking error are sample standard
deviations of daily returns times √252; the tracking error is against the targets held every day at no cost. The ulcer
index is the root mean square of the falls from the last high (Martin and McCann, The Investor's Guide to Fidelity
Funds, 1989). Turnover is the smaller of purchases and sales of each day (money in or out is no turnover), of the value
of the day, a year.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from engine.analysis.returns import TRADING_DAYS, annualised, money_weighted
from engine.backtest.market import Closes
from engine.backtest.run import Run
from engine.history import Floats

#: Days of a year, leap years included, that a period is counted in.
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """What a policy came to; fractions, and money in the base currency. None: not stated for so short a period.

    `cagr` is the time-weighted return a year, for less than a year that of the period.
    """

    cagr: float
    volatility: float | None
    max_drawdown: float
    ulcer: float
    tracking_error: float | None
    drift_mean: float
    drift_max: float
    turnover: float
    trades: int
    orders: int
    costs: float
    taxes: float
    tax_due: float
    money_weighted: float | None
    paid_in: float
    final_value: float

    def to_json(self) -> dict[str, float | int | None]:
        """Return the figures by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def years_of(run: Run) -> float:
    """Return the length of a run in years."""
    return float((run.days[-1] - run.days[0]).astype(int)) / YEAR


def until(run: Run, row: int) -> Run:
    """Return a run up to a row, which is its last."""
    days = slice(row + 1)
    return replace(run, days=run.days[days], value=run.value[days], flows=run.flows[days], drift=run.drift[days],
                   weights=run.weights[days])  # fmt: skip


def daily_returns(run: Run) -> Floats:
    """Return each day's time-weighted return, from the second day on; none where there was nothing."""
    before, after = run.value[:-1], run.value[1:] - run.flows[1:]
    return np.divide(after, before, out=np.ones_like(after), where=before > 0) - 1.0


def figures(run: Run, ideal: Floats) -> PolicyFigures:
    """Return the figures of a run; `ideal` are the daily returns of the targets held every day at no cost.

    Where the money was used up, returns, risk and turnover are of the days until then.
    """
    if run.used_up is not None:
        run = until(run, run.used_up)
        ideal = ideal[: run.used_up]
    returns, years = daily_returns(run), years_of(run)
    growth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    # What the first day cost is a loss like any other.
    first = run.value[0] / run.flows[0] if run.flows[0] else 1.0
    growth *= first
    falls = growth / np.maximum.accumulate(np.maximum(growth, first)) - 1.0
    total = float(growth[-1]) - 1.0
    enough = len(returns) >= 2
    traded = sum(min(deal.bought, deal.sold) / max(float(run.value[deal.row]), 1e-300) for deal in run.deals)
    return PolicyFigures(
        cagr=annualised(total, years) if years >= 1 else total,
        volatility=float(np.std(returns, ddof=1) * np.sqrt(TRADING_DAYS)) if enough else None,
        max_drawdown=float(falls.min()),
        ulcer=float(np.sqrt(np.mean(falls**2))),
        tracking_error=float(np.std(returns - ideal, ddof=1) * np.sqrt(TRADING_DAYS)) if enough else None,
        drift_mean=float(run.drift[1:].mean()) if enough else 0.0,
        drift_max=float(run.drift.max()),
        turnover=traded / years if years > 0 else 0.0,
        trades=len(run.deals) - 1,
        orders=sum(deal.orders for deal in run.deals),
        costs=sum(deal.cost for deal in run.deals),
        taxes=sum(deal.tax for deal in run.deals),
        tax_due=run.tax_due,
        money_weighted=money_weighted(run.days, run.flows, float(run.value[-1]), YEAR),
        paid_in=float(run.flows.sum()),
        final_value=float(run.value[-1]),
    )


def ideal_returns(market: Closes, targets: Floats) -> Floats:
    """Return the daily returns of the targets, held anew every day at no cost; cash earns nothing."""
    worth = market.worth
    grown = worth[1:] if market.dividends is None else worth[1:] + market.dividends[1:]
    return np.asarray((grown / worth[:-1] - 1.0) @ targets)
