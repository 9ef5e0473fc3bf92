"""The bundled sample portfolio and prices: invented, and labelled so wherever they show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

from engine.errors import Problem
from engine.market.quote import Quote
from engine.portfolio import Portfolio
from xl_addin.show.sentences import SAMPLE_SOURCE

if TYPE_CHECKING:
    from rebalancer.analysing import Sources


def sample_text(name: str) -> str:
    """Return a bundled sample file's text: portfolio.yaml or prices.csv."""
    return (resources.files("engine.market") / "samples" / name).read_text(encoding="utf-8")


def sample_portfolio() -> tuple[Portfolio | None, tuple[Problem, ...]]:
    """Return the sample portfolio, and what there is to say about it."""
    from engine.data import parse_portfolio

    portfolio, problems = parse_portfolio(sample_text("portfolio.yaml"), "sample portfolio")
    return portfolio, tuple(problems)


@contextmanager
def sample_sources() -> Iterator[Sources]:
    """Give sample closes and fund facts, which are made up, as an analysis takes them."""
    from rebalancer.analysing import Sources

    with resources.as_file(resources.files("engine.market") / "samples") as folder:
        yield Sources(folder / "sample-history.csv", folder / "sample-facts.yaml", offline=True)


def sample_quotes() -> tuple[dict[str, Quote], dt.date, tuple[Problem, ...]]:
    """Return the sample prices with source "sample", the day they are made up for, and a warning that says so."""
    from engine.market.prices_csv import parse_prices

    quotes, problems = parse_prices(sample_text("prices.csv"), "sample prices")
    day = max(quote.as_of.date() for quote in quotes.values() if quote.as_of)
    warning = Problem(
        "warning",
        "sample-prices",
        "prices",
        f"made up for {day}, for demonstration: do not trade on them",
        f"{day} 시연용으로 만든 가격입니다: 이 가격으로 매매하지 마세요",
    )
    labelled = {symbol: replace(quote, source=SAMPLE_SOURCE) for symbol, quote in quotes.items()}
    return labelled, day, (warning, *problems)
