"""`rebalancer quotes SYMBOL…`: prices and rates with source, time and staleness; and the store they are kept in."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, Problem
from engine.words import tell
from xl_addin.cli.common import add_output_arguments

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch
    from engine.market.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="a code, a catalogue name, or a pair (USDKRW)")
    parser.add_argument("--refresh", action="store_true", help="ask the sources even where the store is fresh")
    parser.add_argument("--offline", action="store_true", help="show what is stored, ask no source")
    parser.add_argument("--store", action="store_true", help="show what is stored and which sources are left alone")
    parser.add_argument("--clear", action="store_true", help="forget everything that is stored, before anything else")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the quotes; status 3 where one is missing or stale."""
    from engine.market import chain

    if not (args.symbols or args.store or args.clear):
        message = "name at least one symbol, such as `rebalancer quotes AAPL 005930 USDKRW`, or use --store or --clear"
        ko = "종목을 하나 이상 `rebalancer quotes AAPL 005930 USDKRW`처럼 적거나 --store, --clear를 쓰세요"
        raise InputError([Problem("error", "bad-argument", "command line", message, ko)])
    store = chain.default().store
    if args.clear:
        chain.default().chain.clear()
        if not (args.symbols or args.store):
            _print_cleared(store, args)
            return 0
    if not args.symbols:
        _print_store(store, args)
        return 0
    now = dt.datetime.now(dt.UTC)
    batch = chain.quotes(args.symbols, now=now, refresh=args.refresh, offline=args.offline)
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump(batch.to_json()))
    else:
        _print_quotes(batch, args)
    return 3 if batch.failed or any(quote.stale for quote in batch.ok.values()) else 0


def _print_quotes(batch: QuoteBatch, args: argparse.Namespace) -> None:
    from xl_addin.show.colour import paint_for
    from xl_addin.show.problems import problem_lines, problems_of

    _print_table(batch.ok.values(), args)
    errors = [problem for error in batch.failed.values() for problem in problems_of(error)]
    for line in problem_lines([*errors, *batch.problems], args.lang, paint_for(sys.stderr)):
        sys.stderr.write(line + "\n")


def _print_table(quotes: Any, args: argparse.Namespace) -> None:  # noqa: ANN401 - an iterable of quotes
    from xl_addin.show import numbers
    from xl_addin.show.colour import paint_for
    from xl_addin.show.table import Column, Row, table_lines
    from xl_addin.show.texts import known, say

    titles = ("symbol", "name", "price", "price_as_of", "session", "source", "status")
    columns = [Column(say(title, args.lang), ">" if title == "price" else "<") for title in titles]
    rows = [
        Row(
            (
                quote.symbol,
                quote.name,
                numbers.price(quote.price, quote.currency),
                f"{quote.as_of.astimezone():%Y-%m-%d %H:%M}" if quote.as_of else "-",
                known(f"session.{quote.session}", args.lang),
                quote.source + (f" (-{quote.delay_seconds // 60} min)" if quote.delay_seconds else ""),
                say("stale", args.lang) if quote.stale else say("fresh", args.lang),
            ),
            "yellow" if quote.stale else "",
            tell(quote.stale_reason or "", args.lang),
        )
        for quote in quotes
    ]
    if rows:
        sys.stdout.write("\n".join(table_lines(columns, rows, paint_for(sys.stdout))) + "\n")


def _print_store(store: Store, args: argparse.Namespace) -> None:
    """Show every stored quote, judged by nothing: what is fresh is a question of now."""
    from xl_addin.show.texts import known, say

    quotes = [quote for _, quote in store.quotes().values()]
    breakers = store.breakers().values()
    counts = store.counts()
    if args.json:
        from engine.documents import problem_list
        from engine.market.quoting import quote_document
        from xl_addin.show.json import dump

        document = {
            "path": str(store.path),
            "counts": counts,
            "quotes": [quote_document(quote) for quote in quotes],
            "breakers": [
                {"source": b.source, "until": b.until.isoformat(timespec="seconds"), "error": b.error} for b in breakers
            ],
            "problems": problem_list(store.problems),
        }
        sys.stdout.write(dump(document))
        return
    sys.stdout.write(f"{store.path}\n")
    tables = (f"{known(f'store.{table}', args.lang)} {count}" for table, count in counts.items())
    sys.stdout.write("  ".join(tables) + "\n")
    for b in breakers:
        until = f"{b.until.astimezone():%Y-%m-%d %H:%M}"
        sys.stdout.write(say("left_alone", args.lang, source=b.source, error=b.error, until=until) + "\n")
    _print_table(quotes, args)


def _print_cleared(store: Store, args: argparse.Namespace) -> None:
    if args.json:
        from engine.documents import problem_list
        from xl_addin.show.json import dump

        document = {"path": str(store.path), "counts": store.counts(), "problems": problem_list(store.problems)}
        sys.stdout.write(dump(document))
    else:
        from xl_addin.show.texts import say

        sys.stdout.write(f"{store.path}: {say('cleared', args.lang)}\n")
