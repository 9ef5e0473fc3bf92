"""What rebalancing policies would have done to a portfolio."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.errors import error
from engine.phrase import phrase, place
from engine.words import Lang
from xl_addin.cli.frame import BadValue, OneOf, command, option
from xl_addin.cli.options import (
    FILE,
    amount,
    date,
    force_option,
    history_options,
    output_options,
    portfolio_file,
    whole,
)

if TYPE_CHECKING:
    from engine.backtest.run import Run

#: The policies where none are named; as `rebalancer.backtesting.POLICIES`, which takes long to import.
_POLICIES = "never,cash-flow,annual,quarterly,5/25,own"


def _basket(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and the symbols of a basket; raises BadValue for anything else."""
    name, _, symbols = text.partition("=")
    listed = tuple(symbol.strip() for symbol in symbols.split(",") if symbol.strip())
    if not name.strip() or not listed:
        raise BadValue(phrase("wanted.basket", value=text))
    return name.strip(), listed


@command("backtest")
@portfolio_file
@option("--policies", default=_POLICIES, metavar="P,P…")
@option("--grid", is_flag=True)
@option("--baseline", metavar="P")
@option("--basket", "baskets", type=_basket, multiple=True, metavar="NAME=SYMBOL,…")
@option("--from", "start", type=date, metavar="DATE")
@option("--to", "end", type=date, metavar="DATE")
@option("--capital", type=amount, metavar="N")
@option("--monthly", type=amount, default="0", metavar="N")
@option("--exact", is_flag=True)
@option("--no-costs", is_flag=True)
@option("--dividends", type=OneOf(("reinvested", "paid")), default="reinvested")
@option("--workers", type=whole("workers", 1, 256), default="1", metavar="N")
@history_options
@option("-o", "--output", type=FILE, metavar="OUT.xlsx")
@force_option
@output_options
def backtest(
    *,
    file: Path,
    policies: str,
    grid: bool,
    baseline: str | None,
    baskets: tuple[tuple[str, tuple[str, ...]], ...],
    start: dt.date | None,
    end: dt.date | None,
    capital: Decimal | None,
    monthly: Decimal,
    exact: bool,
    no_costs: bool,
    dividends: Literal["reinvested", "paid"],
    workers: int,
    history: Path | None,
    offline: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
    lang: Lang,
) -> None:
    """Run the policies, print a row each, and write the report where one is asked for."""
    from concurrent.futures import ProcessPoolExecutor
    from contextlib import nullcontext

    from rebalancer.analysing import Sources
    from rebalancer.backtesting import Trial, policies_of, write_backtest
    from rebalancer.backtesting import backtest as run
    from rebalancer.files import output_problems
    from rebalancer.loading import load_portfolio, usable
    from xl_addin.show.terminal import progress

    loaded, problems = load_portfolio(file)
    if output:
        problems += output_problems(output, ".xlsx", force=force)
    if capital is not None and capital <= 0:
        problems += (error("bad-capital", place("command-line"), value=capital),)
    if start and end and start >= end:
        problems += (error("bad-period", place("command-line"), first=start, last=end),)
    if len({name for name, _ in baskets}) < len(baskets):
        problems += (error("basket-twice", place("command-line")),)
    if loaded is not None:
        problems += policies_of(loaded, policies, baseline, grid=grid)[1]
    portfolio = usable(loaded, problems)
    trial = Trial(
        start=start, end=end, capital=float(capital) if capital else None, monthly=float(monthly), exact=exact,
        costs=not no_costs, paid_out=dividends == "paid", baseline=baseline,
    )  # fmt: skip

    def shown(runs: Iterable[Run], total: int) -> Iterable[Run]:
        return progress(runs, total, "backtest")

    with ProcessPoolExecutor(workers) if workers > 1 else nullcontext() as executor:
        result = run(
            portfolio, policies, Sources(history, None, offline), trial,
            grid=grid, baskets=dict(baskets), executor=executor, progress=shown,
        )  # fmt: skip
    if output:
        write_backtest(result, output, lang=lang, force=force)
        sys.stderr.write(f"{output}\n")
    if as_json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json()))
    else:
        from xl_addin.show.backtest_text import backtest_text
        from xl_addin.show.terminal import paint_for

        sys.stdout.write(backtest_text(result, lang, paint_for(sys.stdout)))
