"""Where an analysis's closes and fund facts come from: a file that is named, else the market data sources."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.files import read_text
from engine.errors import InputError, NoData, Problem
from xl_addin.show.arguments import refused

if TYPE_CHECKING:
    from engine.analysis.facts import FundFacts
    from engine.history import HistoryTable
    from engine.market.records import FetchedFacts

#: Calendar days fetched before the first day that an analysis needs: no holiday week is longer.
MARGIN = dt.timedelta(days=14)
VIX = "^VIX"


@dataclass(frozen=True, slots=True)
class Sources:
    """Say where closes and facts come from: files where named, else the network unless `offline`.

    `interactive` waits only as long as a cell may; what is fetched meanwhile is there the next time.
    """

    history: Path | None = None
    facts: Path | None = None
    offline: bool = False
    interactive: bool = False

    @property
    def wait(self) -> float | None:
        """Return how many seconds to wait for the network; None for as long as a command may."""
        from engine.market import chain

        return chain.default().settings.interactive_deadline if self.interactive else None

    @classmethod
    def of(cls, args: argparse.Namespace) -> Sources:
        """Return what the command line says."""
        return cls(args.history, getattr(args, "facts", None), args.offline)


def add_history_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --history, --offline and --as-of."""
    parser.add_argument(
        "--history", type=Path, metavar="CSV", help="closes: a column Date, then one per symbol (and USDKRW for rates)"
    )
    parser.add_argument("--offline", action="store_true", help="ask no source on the network")


def currency_code(text: str) -> str:
    """Parse a currency such as KRW."""
    from engine.money import MINOR_DIGITS

    code = text.upper()
    if code not in MINOR_DIGITS:
        known = ", ".join(MINOR_DIGITS)
        raise refused(f"{text!r} is none of {known}", f"{text!r}: {known} 중에서 고르세요")
    return code


def fx_pairs(currencies: Iterable[str], base: str) -> tuple[str, ...]:
    """Return the pairs that turn each currency into the base."""
    return tuple(f"{currency}{base}" for currency in dict.fromkeys(currencies) if currency and currency != base)


def load_history(
    sources: Sources, symbols: Iterable[str], currencies: Mapping[str, str], start: dt.date, end: dt.date
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    """Return the closes of symbols and pairs up to a day: those of the file, else fetched ones.

    `currencies` says what each symbol is quoted in where the source does not. Raises InputError for a file that cannot
    be used, MarketDataError where there is neither a file nor a source that may be asked.
    """
    if sources.history:
        from engine.data.history import parse_history

        table, problems = parse_history(read_text(sources.history), str(sources.history))
        if table is None:
            raise InputError(problems)
        return table.with_currencies(currencies), problems
    names = tuple(dict.fromkeys(symbols))
    if sources.offline:
        message = "no history: name a file with --history, or leave out --offline"
        ko = "과거 시세가 없습니다: --history로 파일을 주거나 --offline을 빼세요"
        raise NoData(message, ko=ko, problems=[Problem("error", "no-history", "history", message, ko)])
    return _fetched(names, currencies, start - MARGIN, end, sources.wait)


def history_day(sources: Sources) -> dt.date | None:
    """Return the last day of the history file, None without one or where it cannot be read as closes."""
    if not sources.history:
        return None
    from engine.data.history import parse_history

    table, _ = parse_history(read_text(sources.history), str(sources.history))
    return table.last if table else None


def _fetched(
    symbols: tuple[str, ...], currencies: Mapping[str, str], start: dt.date, end: dt.date, wait: float | None
) -> tuple[HistoryTable, tuple[Problem, ...]]:
    from engine.history import from_records
    from engine.market import chain

    batch = chain.history(symbols, start, end, wait=wait)
    # The VIX is a bonus: without it volatility is judged by each instrument's own.
    missing = {symbol: error for symbol, error in batch.failed.items() if symbol != VIX}
    problems = [Problem("warning", "no-history", symbol, str(error), error.ko) for symbol, error in missing.items()]
    if not batch.ok:
        graver = [replace(one, severity="error") for one in problems]
        raise NoData("no source has any history", ko="과거 시세를 가진 제공처가 없습니다", problems=graver)
    records = (replace(record, symbol=symbol) for symbol, record in batch.ok.items())
    return from_records(records).with_currencies(currencies), (*problems, *batch.problems)


def load_facts(sources: Sources, symbols: Iterable[str]) -> tuple[dict[str, FundFacts], tuple[Problem, ...]]:
    """Return what is known of funds: the catalogue, under what the sources say, under what the file says."""
    from engine.analysis.facts import from_market, parse_facts
    from engine.market.catalogue import load

    names, problems = tuple(dict.fromkeys(symbols)), []
    fetched: Mapping[str, FetchedFacts] = {}
    if sources.history and not sources.facts:
        text = "closes come from a file, so no source was asked for facts either: name a file with --facts"
        ko = "종가를 파일에서 읽어 ETF 정보도 제공처에 묻지 않았습니다: --facts로 파일을 주세요"
        problems.append(Problem("info", "facts-not-asked", "facts", text, ko))
    elif not sources.offline and not sources.facts:
        from engine.market import chain

        batch = chain.fund_facts(names, wait=sources.wait)
        fetched = batch.ok
        problems.extend(
            Problem("warning", "no-facts", name, str(error), error.ko) for name, error in batch.failed.items()
        )
    facts = {name: from_market(name, fetched.get(name), load().get(name)) for name in names}
    if sources.facts:
        import yaml

        try:
            document = yaml.safe_load(read_text(sources.facts))
        except yaml.YAMLError as error:
            text = f"{error}".replace("\n", " ")
            ko = f"YAML 문법에 맞지 않습니다: {text}"
            raise InputError([Problem("error", "yaml", str(sources.facts), text, ko)]) from None
        given, found = parse_facts(document, str(sources.facts))
        if any(problem.severity == "error" for problem in found):
            raise InputError(found)
        facts.update({name: fund for name, fund in given.items() if name in facts})
        problems.extend(found)
    return facts, tuple(problems)


def add_facts_argument(parser: argparse.ArgumentParser) -> None:
    """Declare --facts."""
    parser.add_argument("--facts", type=Path, metavar="YAML", help="fund facts by symbol: fee, aum, holdings, yield")
