"""`rebalancer quotes SYMBOL…`: prices and rates with source, time and staleness; and the store they are kept in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from engine.errors import InputError, error
from engine.phrase import place
from engine.words import Lang, say, tell
from xl_addin.cli.frame import argument, command, option
from xl_addin.cli.options import accept_option, output_options

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch
    from engine.market.store import Store
    from engine.quote import Quote


@command("quotes")
@argument("symbols", nargs=-1, metavar="SYMBOL...")
@option("--refresh", is_flag=True)
@option("--offline", is_flag=True)
@option("--store", is_flag=True)
@option("--clear", is_flag=True)
@accept_option
@output_options
def quotes(
    *,
    symbols: tuple[str, ...],
    refresh: bool,
    offline: bool,
    store: bool,
    clear: bool,
    accept: tuple[tuple[str, Decimal], ...],
    as_json: bool,
    lang: Lang,
) -> int:
    """Print the quotes; status 3 where one is missing, stale or doubtful."""
    if not (symbols or store or clear):
        raise InputError([error("bad-argument.no-symbol", place("command-line"))])
    from engine.market import chain
    from rebalancer.quoting import quotes as fetch

    kept = chain.default().store
    if clear:
        chain.default().chain.clear()
        if not (symbols or store):
            _print_cleared(kept, lang, as_json=as_json)
            return 0
    if not symbols:
        _print_store(kept, lang, as_json=as_json)
        return 0
    batch = fetch(symbols, offline=offline, refresh=refresh, accept=dict(accept))
    if as_json:
        _print_json(batch.to_json())
    else:
        _print_quotes(batch, lang)
    return 3 if batch.failed or any(quote.stale or quote.doubt for quote in batch.ok.values()) else 0


def _print_json(document: dict[str, Any]) -> None:
    from xl_addin.show.json import dump

    sys.stdout.write(dump(document))


def _print_quotes(batch: QuoteBatch, lang: Lang) -> None:
    from rebalancer.quoting import failures
    from xl_addin.show.terminal import paint_for, problem_lines

    _print_table(batch.ok.values(), lang)
    told = [one for one in failures(batch.ok, batch.failed) if "symbols" in one.message.values]
    joint = {symbol for one in told for symbol in cast("tuple[str, ...]", one.message.values["symbols"])}
    errors = [replace(problem, severity="error") for problem in told]
    errors += [one for text, fault in batch.failed.items() if text not in joint for one in fault.listed()]
    for line in problem_lines([*errors, *batch.problems], lang, paint_for(sys.stderr)):
        sys.stderr.write(f"{line}\n")


def _print_table(quotes: Iterable[Quote], lang: Lang) -> None:
    from xl_addin.show import terminal as numbers
    from xl_addin.show.terminal import TextColumn, TextRow, paint_for, table_lines

    titles = ("symbol", "name", "price", "price-as-of", "session", "source", "status")
    columns = [TextColumn(say(f"caption.{title}", lang), ">" if title == "price" else "<") for title in titles]
    rows = [
        TextRow(
            (
                quote.symbol,
                quote.name,
                numbers.price(quote.price, quote.currency),
                f"{quote.as_of.astimezone():%Y-%m-%d %H:%M}" if quote.as_of else "-",
                say(f"session.{quote.session}", lang),
                quote.source + (f" (-{quote.delay_seconds // 60} min)" if quote.delay_seconds else ""),
                say("quote.doubtful" if quote.doubt else "quote.stale" if quote.stale else "quote.fresh", lang),
            ),
            "red" if quote.doubt else "yellow" if quote.stale else "",
            tell(quote.stale_reason or "", lang),
        )
        for quote in quotes
    ]
    if rows:
        sys.stdout.write("\n".join(table_lines(columns, rows, paint_for(sys.stdout))) + "\n")


def _print_store(store: Store, lang: Lang, *, as_json: bool) -> None:
    """Show every stored quote, judged by nothing: what is fresh is a question of now."""
    quotes = [quote for _, quote in store.quotes().values()]
    breakers = store.breakers().values()
    if as_json:
        from engine.documents import problem_list
        from engine.market.quoting import quote_document

        _print_json(
            {
                "path": str(store.path),
                "counts": store.counts(),
                "quotes": [quote_document(quote) for quote in quotes],
                "breakers": [
                    {"source": one.source, "until": one.until.isoformat(timespec="seconds"), "error": one.error}
                    for one in breakers
                ],
                "problems": problem_list(store.problems),
            }
        )
        return
    tables = "  ".join(f"{say(f'stored.{table}', lang)} {count}" for table, count in store.counts().items())
    sys.stdout.write(f"{store.path}\n{tables}\n")
    for one in breakers:
        told = say("stored.left-alone", lang, source=one.source, error=one.error, until=one.until.astimezone())
        sys.stdout.write(f"{told}\n")
    _print_table(quotes, lang)


def _print_cleared(store: Store, lang: Lang, *, as_json: bool) -> None:
    if as_json:
        from engine.documents import problem_list

        _print_json({"path": str(store.path), "counts": store.counts(), "problems": problem_list(store.problems)})
    else:
        sys.stdout.write(f"{store.path}: {say('stored.cleared', lang)}\n")
