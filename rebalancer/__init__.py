"""Rebalancing of portfolios of US and Korean stocks and ETFs, for programs.

    import rebalancer

    portfolio = rebalancer.load("portfolio.yaml")
    plan = rebalancer.plan(portfolio, rebalancer.quotes(portfolio))
    rebalancer.write(plan, "plan.xlsx")

Every host (Excel, LibreOffice, the command line) walks this same way. What cannot be used raises InputError with
every problem at once; market data that cannot be had raises MarketDataError. Results have `to_json()` and
`to_frame()`. Importing this imports nothing else: each name is loaded when it is first used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.errors import (
        Doubtful,
        ImpossibleError,
        InputError,
        MarketDataError,
        NoData,
        PlanNotFoundError,
        Problem,
        RebalancerError,
        Stale,
    )
    from engine.plan import Plan, Position, Trade
    from engine.portfolio import Account, Holding, Portfolio, Section, Target
    from engine.quote import Quote
    from engine.settings import Settings
    from rebalancer.analysing import Sources, calendar, compare, correlate, review, risk, weights
    from rebalancer.backtesting import Trial, backtest
    from rebalancer.books import write
    from rebalancer.loading import from_frames, load
    from rebalancer.many import PlannedOne, plan_many
    from rebalancer.performing import performance
    from rebalancer.planning import plan
    from rebalancer.quoting import quotes
    from rebalancer.recording import record
    from rebalancer.saving import save
    from rebalancer.sharing import share
    from rebalancer.syncing import sync

__version__ = "0.2.0"

_HOMES = {
    "engine.errors": (
        "Doubtful", "ImpossibleError", "InputError", "MarketDataError", "NoData",
        "PlanNotFoundError", "Problem", "RebalancerError", "Stale",
    ),
    "engine.quote": ("Quote",),
    "engine.plan": ("Plan", "Position", "Trade"),
    "engine.portfolio": ("Account", "Holding", "Portfolio", "Section", "Target"),
    "engine.settings": ("Settings",),
    "rebalancer.analysing": ("Sources", "calendar", "compare", "correlate", "review", "risk", "weights"),
    "rebalancer.backtesting": ("Trial", "backtest"),
    "rebalancer.books": ("write",),
    "rebalancer.loading": ("from_frames", "load"),
    "rebalancer.many": ("PlannedOne", "plan_many"),
    "rebalancer.performing": ("performance",),
    "rebalancer.planning": ("plan",),
    "rebalancer.quoting": ("quotes",),
    "rebalancer.recording": ("record",),
    "rebalancer.saving": ("save",),
    "rebalancer.sharing": ("share",),
    "rebalancer.syncing": ("sync",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "Doubtful",
    "Holding",
    "ImpossibleError",
    "InputError",
    "MarketDataError",
    "NoData",
    "Plan",
    "PlanNotFoundError",
    "PlannedOne",
    "Portfolio",
    "Position",
    "Problem",
    "Quote",
    "RebalancerError",
    "Section",
    "Settings",
    "Sources",
    "Stale",
    "Target",
    "Trade",
    "Trial",
    "backtest",
    "calendar",
    "compare",
    "correlate",
    "from_frames",
    "load",
    "performance",
    "plan",
    "plan_many",
    "quotes",
    "record",
    "review",
    "risk",
    "save",
    "share",
    "sync",
    "weights",
    "write",
]

logging.getLogger("engine").addHandler(logging.NullHandler())
logging.getLogger("rebalancer").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the public names
    """Return a public name, imported when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
