"""What a backtest found: a row per policy, what of the differences is noise, and how it was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.backtest.figures import PolicyFigures
from engine.backtest.noise import Difference, WalkForward
from engine.backtest.run import Run
from engine.documents import Document, number, problem_list
from engine.errors import Problem
from engine.history import as_date

if TYPE_CHECKING:
    import pandas as pd

#: fast: fractions of shares straight to the targets; exact: the engine's own plans in whole shares.
Method = Literal["fast", "exact"]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One basket under one policy: its figures and its run; `difference` from the basket's baseline."""

    basket: str
    policy: str
    figures: PolicyFigures
    run: Run
    difference: Difference | None = None

    @property
    def name(self) -> str:
        """Return the policy, after the basket's name where there is one."""
        return f"{self.basket} · {self.policy}" if self.basket else self.policy


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """What policies would have done to a portfolio from one day to another; money in `currency`.

    `symbols` have `targets`, bands around them are `bands` by policy (the width at each symbol, infinity for none).
    `differences` are from the policy `baseline`; `walk` is what choosing among them year by year would have brought.
    """

    name: str
    currency: str
    method: Method
    start: dt.date
    end: dt.date
    days: int
    rows: tuple[Row, ...]
    baseline: str
    symbols: tuple[str, ...]
    targets: Mapping[str, float]
    dividends: str
    walk: WalkForward | None = None
    noise_known: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def beyond_noise(self) -> int:
        """Return how many policies differ from the baseline by more than noise."""
        return sum(row.difference.beyond_noise for row in self.rows if row.difference)

    def row(self, name: str) -> Row:
        """Return the row of a name; raises KeyError where there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> Document:
        """Return the figures of every policy, the noise between them and what was found on the way as JSON."""
        walk = self.walk
        return {
            "name": self.name,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "days": self.days,
            "currency": self.currency,
            "mode": self.method,
            "dividends": self.dividends,
            "baseline": self.baseline,
            "policies": [_document(row) for row in self.rows],
            "noise": {
                "known": self.noise_known,
                "tried": len(self.rows),
                "beyond": self.beyond_noise if self.noise_known else None,
            },
            "walk_forward": None
            if walk is None
            else {
                "chosen": number(walk.chosen),
                "baseline": number(walk.baseline),
                "average": number(walk.average),
                "choices": {str(year): name for year, name in walk.choices.items()},
            },
            "problems": problem_list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row per policy and a column per figure."""
        import pandas as pd

        figures = {row.name: row.figures.to_json() for row in self.rows}
        return pd.DataFrame.from_dict(figures, orient="index").astype("float64")

    def values(self) -> pd.DataFrame:
        """Return the value of every policy by day."""
        import pandas as pd

        days = pd.DatetimeIndex(self.rows[0].run.days if self.rows else [])
        return pd.DataFrame({row.name: row.run.value for row in self.rows}, index=days)


def _document(row: Row) -> Document:
    basket = {"basket": row.basket} if row.basket else {}
    found: Document = {**basket, "policy": row.policy}
    found |= {name: number(value) for name, value in row.figures.to_json().items()}
    if row.difference is not None:
        found["difference"] = {
            "excess": number(row.difference.excess),
            "interval": [number(row.difference.low), number(row.difference.high)],
            "beyond_noise": row.difference.beyond_noise,
        }
    found["deals"] = [
        {
            "date": as_date(row.run.days[deal.row]).isoformat(),
            "reason": deal.reason,
            "bought": number(deal.bought),
            "sold": number(deal.sold),
            "orders": deal.orders,
            "cost": number(deal.cost),
            "tax": number(deal.tax),
        }
        for deal in row.run.deals
    ]
    return found
