"""The analyses of a portfolio and of funds: weights, compare, correlate, review, risk, calendar."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS
from engine.analysis.review import ReviewRules
from engine.errors import NoData, Problem
from engine.phrase import phrase
from engine.weights.methods import METHODS
from engine.words import Lang
from xl_addin.cli.frame import BadValue, OneOf, argument, command, option
from xl_addin.cli.options import (
    FILE,
    amount,
    as_of_option,
    currency_option,
    date,
    facts_option,
    force_option,
    history_options,
    output_options,
    portfolio_file,
    prices_option,
    share,
    whole,
)

if TYPE_CHECKING:
    from xl_addin.show.terminal import Paint

_RULES = ReviewRules()


@command("weights")
@argument("method", type=OneOf(METHODS), metavar="METHOD")
@portfolio_file
@option("--max", "maximum", type=share("weight"), metavar="W")
@option("--sector-max", type=share("weight"), metavar="W")
@as_of_option
@option("--fetch", is_flag=True)
@output_options
def weights(
    *,
    method: str,
    file: Path,
    maximum: Decimal | None,
    sector_max: Decimal | None,
    as_of: dt.date | None,
    fetch: bool,
    as_json: bool,
    lang: Lang,
) -> None:
    """Weigh the universe and print."""
    from rebalancer.analysing import weights as weigh
    from rebalancer.planning import today
    from xl_addin.show.analysis_json import weights_document
    from xl_addin.show.analysis_text import weights_text

    result = weigh(method, file, as_of or today(), maximum=maximum, sector_maximum=sector_max, fetch=fetch)
    _print(lambda: weights_document(result), lambda paint: weights_text(result, (), lang, paint), as_json=as_json)


@command("compare")
@argument("symbols", nargs=-1, required=True, metavar="SYMBOL...")
@currency_option
@as_of_option
@history_options
@facts_option
@output_options
def compare(
    *,
    symbols: tuple[str, ...],
    currency: str | None,
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    facts: Path | None,
    as_json: bool,
    lang: Lang,
) -> int:
    """Compare and print; exit status 3 where not one fund has history."""
    from rebalancer.analysing import Sources
    from rebalancer.analysing import compare as put_side_by_side
    from xl_addin.show.analysis_json import compare_document
    from xl_addin.show.analysis_text import compare_text

    sources = Sources(history, facts, offline)
    result = put_side_by_side(symbols, sources, _day(as_of, sources), currency=currency)
    if result.as_of is None and not as_json:
        raise NoData(phrase("no-history.compare"), problems=result.problems)
    _print(lambda: compare_document(result), lambda paint: compare_text(result, (), lang, paint), as_json=as_json)
    return 0 if result.as_of else 3
