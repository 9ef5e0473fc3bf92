"""The analyses of a portfolio and of funds: weights, compare, correlate, review, risk, calendar."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.analysis.correlation import DEFAULT_DAYS, DEFAULT_THRESHOLD, FEWEST_RETURNS
from engine.analysis.review import ReviewRules
from engine.errors import InputError, NoData, error
from engine.phrase import phrase, place
from engine.weights.methods import METHODS
from engine.words import Lang, say
from xl_addin.cli.frame import BadValue, OneOf, argument, command, option
from xl_addin.cli.options import (
    FILE,
    accept_option,
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
    from rebalancer.analysing import Sources
    from xl_addin.show.terminal import Paint

_RULES = ReviewRules()


@contextmanager
def _asking(history: Path | None, facts: Path | None, lang: Lang, *, offline: bool) -> Iterator[Sources]:
    """Give where closes and facts come from; a terminal shows how many have come."""
    from rebalancer.analysing import Sources
    from xl_addin.show.terminal import waiting

    with waiting(say("doing.history", lang)) as show:

        def progress(done: int, of: int) -> None:
            show(say("doing.history.of", lang, done=done, of=of))

        yield Sources(history, facts, offline, progress=progress)


@command("weights")
@argument("method", type=OneOf(METHODS), metavar="METHOD")
@portfolio_file
@option("--max", "maximum", type=share("weight"), metavar="W")
@option("--sector-max", type=share("weight"), metavar="W")
@as_of_option
@option("--fetch", is_flag=True)
@option("--into", type=FILE, metavar="PORTFOLIO")
@option("--section", metavar="NAME", default="")
@option("-o", "--output", type=FILE, metavar="OUT")
@force_option
@output_options
def weights(
    *,
    method: str,
    file: Path,
    maximum: Decimal | None,
    sector_max: Decimal | None,
    as_of: dt.date | None,
    fetch: bool,
    into: Path | None,
    section: str,
    output: Path | None,
    force: bool,
    as_json: bool,
    lang: Lang,
) -> None:
    """Weigh the universe and print; with a portfolio, show what its targets become, and write them where asked to."""
    from rebalancer.analysing import weights as weigh
    from rebalancer.clock import today
    from rebalancer.loading import load
    from xl_addin.show.analysis_text import target_changes_text, weights_text

    if into is None and (output or section):
        raise InputError([error("bad-argument.no-into", place("command-line"))])
    portfolio = None if into is None else load(into)
    result = weigh(method, file, as_of or today(), maximum=maximum, sector_maximum=sector_max, fetch=fetch)
    if portfolio is None or into is None:
        _print(result.to_json, lambda paint: weights_text(result, lang, paint), as_json=as_json)
        return
    from rebalancer.files import keep_copy
    from rebalancer.targeting import retargeted, write_retargeted

    found = retargeted(portfolio, result, section)
    _print(
        lambda: found.to_json(result),
        lambda paint: weights_text(result, lang, paint) + "\n" + target_changes_text(found, lang, paint),
        as_json=as_json,
    )
    if not found.changes:
        return
    if output is None:
        # A person is asked; a script has said it.
        asked = sys.stdin.isatty() and sys.stdout.isatty() and not force
        if asked and not click.confirm(say("said.weights-write", lang, path=into), default=False, err=True):
            sys.stderr.write(say("said.weights-not-written", lang) + "\n")
            return
        if kept := keep_copy(into) if into.is_file() else None:
            sys.stderr.write(say("copy-kept", lang, file=kept.name) + "\n")
    if told := write_retargeted(found, output or into, lang, into, force=force or output is None):
        sys.stderr.write(f"{told}\n")
    sys.stderr.write(say("said.written", lang, path=output or into) + "\n")


@command("compare")
@argument("symbols", nargs=-1, required=True, metavar="SYMBOL...")
@option("--from", "start", type=date, metavar="DATE")
@option("--to", "end", type=date, metavar="DATE")
@currency_option
@as_of_option
@history_options
@facts_option
@output_options
def compare(
    *,
    symbols: tuple[str, ...],
    start: dt.date | None,
    end: dt.date | None,
    currency: str | None,
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    facts: Path | None,
    as_json: bool,
    lang: Lang,
) -> int:
    """Compare and print; exit status 3 where a fund has no history, whatever else is known."""
    from rebalancer.analysing import Sources
    from rebalancer.analysing import compare as put_side_by_side
    from xl_addin.show.analysis_text import compare_text

    sources = Sources(history, facts, offline)
    if end and as_of and end != as_of:
        raise InputError([error("bad-argument.to-as-of", place("command-line"), to=end, as_of=as_of)])
    day = _day(end or as_of, sources)
    if start and start >= day:
        raise InputError([error("bad-argument.period", place("command-line"), first=start, last=day)])
    with _asking(history, facts, lang, offline=offline) as sources:
        result = put_side_by_side(symbols, sources, day, currency=currency, start=start)
    if not result.known and not as_json:
        raise NoData(phrase("no-fund-history"), problems=result.problems)
    _print(result.to_json, lambda paint: compare_text(result, lang, paint), as_json=as_json)
    return 0 if all(fund.first_close for fund in result.funds.values()) else 3


@command("correlate")
@portfolio_file
@option("--days", type=whole("days", FEWEST_RETURNS, 10_000), default=str(DEFAULT_DAYS), metavar="N")
@option("--threshold", type=share("correlation", above_zero=False), default=str(DEFAULT_THRESHOLD), metavar="X")
@currency_option
@as_of_option
@history_options
@output_options
def correlate(
    *,
    file: Path,
    days: int,
    threshold: Decimal,
    currency: str | None,
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    as_json: bool,
    lang: Lang,
) -> int:
    """Correlate and print; exit status 3 where no two instruments can be correlated."""
    from rebalancer.analysing import correlate as put_in_relation
    from rebalancer.loading import load
    from xl_addin.show.analysis_text import correlate_text

    portfolio = load(file)
    with _asking(history, None, lang, offline=offline) as sources:
        result = put_in_relation(
            portfolio, sources, _day(as_of, sources), days=days, threshold=float(threshold), currency=currency
        )
    known = result.effective_bets is not None
    if not known and not as_json:
        raise NoData(phrase("nothing-correlated"), problems=result.problems)
    _print(result.to_json, lambda paint: correlate_text(result, lang, paint), as_json=as_json)
    return 0 if known else 3


@command("review")
@portfolio_file
@option("--benchmark", metavar="SYMBOL")
@option("--lag", type=share("fraction", below_one=True), default=str(_RULES.lag), metavar="X")
@option("--quarters", type=whole("quarters", 1, 12), default=str(_RULES.replace_after), metavar="N")
@currency_option
@as_of_option
@history_options
@facts_option
@output_options
def review(
    *,
    file: Path,
    benchmark: str | None,
    lag: Decimal,
    quarters: int,
    currency: str | None,
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    facts: Path | None,
    as_json: bool,
    lang: Lang,
) -> int:
    """Review and print; exit status 3 where no satellite has any history."""
    from rebalancer.analysing import review as go_through
    from rebalancer.loading import load
    from xl_addin.show.analysis_text import review_text

    portfolio = load(file)
    rules = ReviewRules(lag=float(lag), replace_after=quarters, review_after=max(quarters - 1, 1))
    with _asking(history, facts, lang, offline=offline) as sources:
        result = go_through(
            portfolio, sources, _day(as_of, sources), benchmark=benchmark, rules=rules, currency=currency or ""
        )
    if result.rows and not result.known and not as_json:
        raise NoData(phrase("no-satellite-history"), problems=result.problems)
    _print(lambda: result.to_json(lang), lambda paint: review_text(result, lang, paint), as_json=as_json)
    return 0 if result.known or not result.rows else 3


@command("risk")
@portfolio_file
@prices_option
@accept_option
@as_of_option
@history_options
@facts_option
@output_options
def risk(
    *,
    file: Path,
    prices: Path | None,
    accept: tuple[tuple[str, Decimal], ...],
    as_of: dt.date | None,
    history: Path | None,
    offline: bool,
    facts: Path | None,
    as_json: bool,
    lang: Lang,
) -> int:
    """Check and print; exit status 3 where a price or rate is missing, stale or doubtful."""
    from rebalancer.analysing import risk as check
    from rebalancer.ledgers import with_year
    from rebalancer.loading import load_portfolio, usable
    from rebalancer.quoting import quotes_in
    from xl_addin.show.analysis_text import risk_text

    loaded, problems = load_portfolio(file)
    quotes, found = quotes_in(prices)
    portfolio = usable(loaded, (*problems, *found))
    with _asking(history, facts, lang, offline=offline) as sources:
        day = _day(as_of, sources)
        report = check(with_year(portfolio, file, day), quotes, sources, day, accept=dict(accept))
    _print(report.to_json, lambda paint: risk_text(report, lang, paint), as_json=as_json)
    stale = any(problem.code == "price-stale" for problem in report.problems)
    return 0 if report.priced and not stale else 3


def _calendar_file(text: str) -> Path:
    if not text.lower().endswith(".ics"):
        raise BadValue(phrase("wanted.ics", value=text))
    return Path(text)


@command("calendar")
@portfolio_file
@option("--from", "start", type=date, metavar="DATE")
@option("--months", type=whole("months", 1, 60), default="12", metavar="N")
@option("--realised", type=amount, metavar="N")
@option("--ics", type=_calendar_file, metavar="OUT.ics")
@force_option
# Tasks need neither prices nor history; the two are accepted so that every analysis takes the same arguments.
@option("--history", type=FILE, metavar="CSV", expose_value=False)
@option("--offline", is_flag=True, expose_value=False)
@output_options
def calendar(
    *,
    file: Path,
    start: dt.date | None,
    months: int,
    realised: Decimal | None,
    ics: Path | None,
    force: bool,
    as_json: bool,
    lang: Lang,
) -> None:
    """List the tasks, and write the calendar file where one is asked for."""
    from rebalancer.analysing import calendar as tasks
    from rebalancer.files import output_problems, write_whole
    from rebalancer.ledgers import with_year
    from rebalancer.loading import load_portfolio, usable
    from xl_addin.show.analysis_text import calendar_text

    loaded, problems = load_portfolio(file)
    refused = output_problems(ics, ".ics", force=force) if ics else ()
    portfolio = usable(loaded, (*problems, *refused))
    now = dt.datetime.now().astimezone()
    first = start or now.date()
    # What the year has come to so far, though the list may begin with its past months.
    portfolio = with_year(portfolio, file, dt.date(first.year, 12, 31))
    if realised is None and portfolio.base_currency == "KRW":
        realised = portfolio.settings.realised.get("overseas")
    result = tasks(portfolio, first, months, realised=realised)
    if ics:
        write_whole(ics, result.to_ics(now, lang).encode())
        sys.stderr.write(f"{ics}\n")
    _print(lambda: result.to_json(lang), lambda paint: calendar_text(result, lang, paint), as_json=as_json)


def _day(as_of: dt.date | None, sources: Sources) -> dt.date:
    """Return the day to judge: the one named, else the history file's last, else today."""
    from rebalancer.analysing import history_day
    from rebalancer.clock import today

    return as_of or history_day(sources) or today()


def _print(document: Callable[[], dict[str, Any]], text: Callable[[Paint], str], *, as_json: bool) -> None:
    if as_json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(document()))
    else:
        from xl_addin.show.terminal import paint_for

        sys.stdout.write(text(paint_for(sys.stdout)))
