"""What a portfolio was worth and returned over time."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from engine.words import Lang
from xl_addin.cli.frame import command, option
from xl_addin.cli.options import FILE, date, force_option, history_options, output_options, portfolio_file


@command("performance")
@portfolio_file
@option("--from", "start", type=date, metavar="DATE")
@option("--to", "end", type=date, metavar="DATE")
@history_options
@option("-o", "--output", type=FILE, metavar="OUT.xlsx")
@option("--into", "book", type=FILE, metavar="BOOK.xlsx")
@force_option
@output_options
def performance(
    *,
    file: Path,
    start: dt.date | None,
    end: dt.date | None,
    history: Path | None,
    offline: bool,
    output: Path | None,
    book: Path | None,
    force: bool,
    as_json: bool,
    lang: Lang,
) -> None:
    """Read the ledger, print what it came to, and write the report where one is asked for."""
    from rebalancer.analysing import Sources
    from rebalancer.files import must_be_free
    from rebalancer.loading import load
    from rebalancer.performing import performance as over_time
    from rebalancer.performing import write_into, write_performance

    if output:
        must_be_free(output, ".xlsx", force=force)
    result = over_time(file, Sources(history, None, offline), start=start, end=end)
    portfolio = load(file)
    name = portfolio.name or file.stem
    if book:
        notice = write_into(result, portfolio, book, book, lang)
        sys.stderr.write(f"{book}\n" + (f"{notice}\n" if notice else ""))
    if output:
        write_performance(result, output, of=portfolio, name=name, lang=lang, force=force)
        sys.stderr.write(f"{output}\n")
    if as_json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(result.to_json()))
    else:
        from xl_addin.show.performance_text import performance_text
        from xl_addin.show.terminal import paint_for

        sys.stdout.write(performance_text(result, name, lang, paint_for(sys.stdout)))
