"""The bundled sample portfolio and prices: invented, and labelled so wherever they show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

from engine.errors import Problem, warning
from engine.phrase import place
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.quote import SAMPLE_SOURCE, Quote

if TYPE_CHECKING:
    from rebalancer.analysing import Sources


def sample_text(name: str) -> str:
    """Return a bundled sample file's text: portfolio.yaml or prices.csv."""
    return (resources.files("engine.market") / "samples" / name).read_text(encoding="utf-8")


def sample_portfolio() -> Portfolio:
    """Return the sample portfolio."""
    from engine.data.document import parse_portfolio
    from rebalancer.loading import usable

    return usable(*parse_portfolio(sample_text("portfolio.yaml"), place("sample-portfolio")))


def sample_quotes() -> tuple[dict[str, Quote], dt.date, tuple[Problem, ...]]:
    """Return the sample prices with source "sample", the day they are made up for, and a warning that says so."""
    from engine.data.prices import parse_prices

    quotes, problems = parse_prices(sample_text("prices.csv"), place("sample-prices"))
    day = max(quote.as_of.date() for quote in quotes.values() if quote.as_of)
    labelled = {symbol: replace(quote, source=SAMPLE_SOURCE) for symbol, quote in quotes.items()}
    return labelled, day, (warning("sample-prices", place("prices"), day=day), *problems)


def sample_plan() -> Plan:
    """Return the plan of the sample portfolio on the sample prices."""
    from rebalancer.planning import planned

    quotes, day, notices = sample_quotes()
    portfolio = sample_portfolio()
    # That the prices are made up comes before anything else.
    return planned(replace(portfolio, notes=()), quotes, day, (*notices, *portfolio.notes))


@contextmanager
def sample_sources() -> Iterator[Sources]:
    """Give sample closes and fund facts, which are made up, as an analysis takes them."""
    from rebalancer.analysing import Sources

    with resources.as_file(resources.files("engine.market") / "samples") as folder:
        yield Sources(folder / "sample-history.csv", folder / "sample-facts.yaml", offline=True)
