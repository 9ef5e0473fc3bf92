"""`rebalancer weights METHOD FILE`: target weights over a universe or a portfolio's instruments."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from engine.data.files import read_text
from engine.errors import InputError, Problem
from engine.portfolio import Instrument, Portfolio
from engine.weights.methods import METHODS, weigh
from engine.weights.sectors import company_of
from engine.weights.universe import Entry, classified, read_csv, read_list
from rebalancer.loading import load_portfolio, usable
from xl_addin.cli.common import add_output_arguments, date
from xl_addin.show.arguments import refused

Universe = tuple[tuple[Entry, ...], tuple[Problem, ...]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("method", choices=METHODS, metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a universe (.csv or .yaml: symbol, sector, market_cap, company, weight), or a portfolio file",
    )
    parser.add_argument("--max", type=_fraction, metavar="W", help="largest weight of one instrument, such as 0.1")
    parser.add_argument("--sector-max", type=_fraction, metavar="W", help="largest weight of one sector")
    parser.add_argument(
        "--as-of", type=date, metavar="DATE", help="the day whose sectors and rates hold (default: today)"
    )
    parser.add_argument("--fetch", action="store_true", help="look up sectors and market values that are missing")
    add_output_arguments(parser)


def _fraction(text: str) -> Decimal:
    from engine.text import read_number

    number = read_number(text)
    if number is None or not 0 < number <= 1:
        ko = f"{text!r}: 0보다 크고 1 이하인 비중을 0.1처럼 적으세요"
        raise refused(f"{text!r} is not a weight above 0 and up to 1, such as 0.1", ko)
    return number


def run(args: argparse.Namespace) -> int:
    """Weigh the universe and print."""
    as_of = args.as_of or dt.datetime.now().astimezone().date()
    entries, problems = _universe(args.file, as_of)
    if args.fetch:
        entries, found = _completed(entries, as_of)
        problems = (*problems, *found)

    def move_cost(symbol: str, change: Decimal) -> Decimal:
        from engine.costs.table import lookup
        from engine.market.catalogue import load
        from engine.market.symbols import currency_of_market, shape

        market = shape(symbol) or "OTHER"
        instrument = load().find(symbol) or Instrument(symbol, symbol, market, currency_of_market(market) or "")
        cost = lookup(instrument, as_of, {})
        return abs(change) * (cost.commission_rate + (cost.sell_tax_rate if change < 0 else 0))

    result = weigh(args.method, entries, maximum=args.max, sector_maximum=args.sector_max, move_cost=move_cost)
    if result.turnover is not None:
        cost = "" if result.cost is None else f"; commissions and sales taxes about {result.cost:.4%} of the whole"
        cost_ko = "" if result.cost is None else f", 수수료와 거래세 약 {result.cost:.4%}"
        text = f"turnover {result.turnover:.2%} from the present weights{cost}"
        ko = f"현재 비중에서 옮기는 회전율 {result.turnover:.2%}{cost_ko}"
        result = replace(result, problems=(*result.problems, Problem("info", "turnover", "weights", text, ko)))
    if args.json:
        from xl_addin.show.analysis_json import weights_document
        from xl_addin.show.json import dump

        sys.stdout.write(dump(weights_document(result, problems)))
    else:
        from xl_addin.show.analysis_text import weights_text
        from xl_addin.show.colour import paint_for

        sys.stdout.write(weights_text(result, problems, args.lang, paint_for(sys.stdout)))
    return 0


def _universe(path: Path, as_of: dt.date) -> Universe:
    """Read a universe, or the instruments of a portfolio file."""
    if path.suffix.lower() == ".csv" and not path.is_dir():
        return _read(read_csv(read_text(path), str(path), as_of))
    if path.suffix.lower() in (".yaml", ".yml"):
        import yaml

        try:
            document = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            text = " ".join(str(error).split())
            ko = f"YAML 문법에 맞지 않습니다: {text}"
            raise InputError([Problem("error", "yaml", str(path), text, ko)]) from None
        if isinstance(document, list):
            return _read(read_list(document, str(path), as_of))
        if isinstance(document, dict) and "universe" in document:
            return _read(read_list(document["universe"], f"{path}, universe", as_of))
    portfolio, problems = load_portfolio(path)
    return _of_portfolio(usable(portfolio, problems), problems, as_of)


def _read(answer: tuple[tuple[Entry, ...] | None, tuple[Problem, ...]]) -> Universe:
    entries, problems = answer
    if entries is None:
        raise InputError(problems)
    return entries, problems


def _completed(entries: tuple[Entry, ...], as_of: dt.date) -> Universe:
    """Return the entries with what they lack filled in from the sources, each filling said."""
    from engine.market import chain

    wanted = [entry.symbol for entry in entries if not entry.sector or entry.market_cap is None]
    batch = chain.fund_facts(wanted)
    problems = [Problem("warning", "no-facts", symbol, str(error), error.ko) for symbol, error in batch.failed.items()]
    done = []
    for entry in entries:
        facts = batch.ok.get(entry.symbol)
        filled: list[tuple[str, str]] = []
        if facts and not entry.sector and facts.sector:
            entry = classified(replace(entry, sector=facts.sector), as_of, f"{entry.symbol} sector", problems)
            filled.append((f"sector {facts.sector}", f"섹터 {facts.sector}"))
        if facts and entry.market_cap is None and facts.market_cap:
            entry = replace(entry, market_cap=facts.market_cap, currency=facts.currency)
            amount = f"{facts.market_cap:,} {facts.currency}"
            filled.append((f"market value {amount}", f"시가총액 {amount}"))
        if facts and filled:
            english, korean = (", ".join(told) for told in zip(*filled, strict=True))
            text = f"{english} from {facts.source}, {facts.fetched_at:%Y-%m-%d}"
            ko = f"{korean}, 출처 {facts.source} {facts.fetched_at:%Y-%m-%d}"
            problems.append(Problem("info", "fetched", entry.symbol, text, ko))
        done.append(entry)
    if len({entry.currency for entry in done if entry.market_cap is not None}) > 1:
        text = "market values of several currencies: give them in one, in the universe file"
        ko = "시가총액의 통화가 섞여 있습니다: 종목 목록 파일에 한 통화로 적으세요"
        raise InputError([*problems, Problem("error", "universe-currency", "universe", text, ko)])
    return tuple(done), tuple(problems)


def _of_portfolio(portfolio: Portfolio, problems: tuple[Problem, ...], as_of: dt.date) -> Universe:
    """Return a portfolio's instruments with the catalogue's sectors; the target weights stand for the present ones."""
    from engine.market.catalogue import load

    found = list(problems)
    weights = {target.symbol: target.weight for _, target in portfolio.targets()}
    entries = []
    for symbol in portfolio.symbols:
        listed = load().get(symbol)
        entry = Entry(
            symbol=symbol,
            sector=listed.sector if listed else "",
            company=company_of(symbol),
            weight=weights.get(symbol, Decimal(0)),
            name=portfolio.instruments[symbol].name,
        )
        entries.append(classified(entry, as_of, f"{symbol} sector", found))
    text = "the present weights are the portfolio's targets; sectors are the catalogue's"
    ko = "현재 비중으로 포트폴리오의 목표 비중을, 섹터로 종목 목록의 섹터를 씁니다"
    found.append(Problem("info", "before-by-target", "concentration.before", text, ko))
    return tuple(entries), tuple(found)
