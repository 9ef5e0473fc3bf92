"""A person's first portfolio, from the answers to five questions: what is asked stands in `xl_addin.cli.init`."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.data.document import portfolio_from_data
from engine.errors import InputError, error
from engine.market import catalogue
from engine.money import ZERO
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.text import plain_number, read_number, repaired_number
from engine.valuation import aged
from engine.words import Lang
from rebalancer.files import write_whole
from rebalancer.loading import usable
from rebalancer.saving import SUFFIXES

#: What looks like a code of an exchange: it may be an instrument that the catalogue does not have.
_CODE = re.compile(r"\d{6}|\d[0-9A-Z]{5}|[A-Za-z]{1,5}([.-][A-Za-z])?")


@dataclass(frozen=True, slots=True)
class TypedHolding:
    """A holding as a person typed it; numbers are texts, as they stand in a draft."""

    symbol: str
    quantity: str
    average_cost: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """What a person has answered so far; None or empty is what was not asked yet.

    `accounts` is the types by name; `targets` weights in per cent by symbol, `model` a model's key in their place;
    `files` brokers' exports by path, each with the name of the account it is of; `cash` amounts in the base currency
    by account.
    """

    name: str = ""
    residence: str = ""
    currency: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    holdings: tuple[TypedHolding, ...] = ()
    cash: Mapping[str, str] = field(default_factory=dict)

    def to_draft(self) -> str:
        """Return the answers as they are kept where the questions are broken off."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_draft(cls, text: str) -> FirstAnswers | None:
        """Return the answers of a draft, None where it is none."""
        try:
            said = json.loads(text)
            held = tuple(TypedHolding(**one) for one in said.pop("holdings"))
            return cls(**said, holdings=held)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def named_instrument(text: str) -> str:
    """Return the symbol that a code or a catalogue name means, "" where nothing is known and it looks like no code."""
    known = catalogue.load()
    found = known.find(text) or known.find(catalogue.undecorated(text) or "")
    if found is not None:
        return found.symbol
    return text.upper() if _CODE.fullmatch(text) else ""


def like(text: str) -> tuple[str, ...]:
    """Return what the catalogue has that is named most like a text, each as `name (code)`."""
    return catalogue.load().suggest(text)


def read_line(text: str, most: int) -> tuple[str, tuple[Decimal, ...]] | None:
    """Return the name or code that a line begins with and the numbers, at most `most`, that it ends with.

    Commas or spaces stand between; names that end in a number (KODEX 200) are known by the catalogue. None where no
    number follows a name.
    """
    parts = [part for part in re.split(r"\s*[,;\t]\s+|\s*;\s*|\s+", text.strip()) if part]
    readings = []
    for count in range(1, most + 1):
        numbers = [_number(part) for part in parts[-count:]]
        name = " ".join(parts[:-count])
        if name and len(numbers) == count and all(number is not None for number in numbers):
            readings.append((name.rstrip(","), tuple(number for number in numbers if number is not None)))
    known = [one for one in readings if catalogue.load().find(one[0])]
    return next(iter(known or [one for one in readings if named_instrument(one[0])] or readings), None)


def _number(text: str) -> Decimal | None:
    plain = text.strip().removesuffix("%").removesuffix(",")
    return read_number(plain) or read_number(repaired_number(plain) or "")


def first_portfolio(answers: FirstAnswers) -> tuple[Portfolio, Mapping[str, Quote]]:
    """Return the portfolio that the answers describe, and the prices that exports of brokers give.

    Raises InputError with everything that cannot be used.
    """
    held, cash, quotes = _exported(answers)
    known = _known_targets(answers)
    body: dict[str, Any] = known["portfolio"]
    body |= {"name": answers.name, "base_currency": answers.currency}
    several = len(answers.accounts) > 1
    rows = [*held, *(_row(one) for one in answers.holdings)]
    body["holdings"] = rows if several else [{k: v for k, v in row.items() if k != "account"} for row in rows]
    purses: dict[str, dict[str, Decimal]] = {name: {} for name in answers.accounts}
    for (account, code), amount in cash.items():
        purse = purses.setdefault(account if several else next(iter(answers.accounts), ""), {})
        purse[code] = purse.get(code, ZERO) + amount
    for account, text in answers.cash.items():
        purse = purses.setdefault(account, {})
        purse[answers.currency] = purse.get(answers.currency, ZERO) + Decimal(text)
    body.pop("cash", None)
    kinds = answers.accounts
    if several or any(kind != "taxable" for kind in kinds.values()):
        body["accounts"] = [{"name": name, "type": kinds[name], "cash": purse} for name, purse in purses.items()]
        if not several:
            body["holdings"] = [{**row, "account": next(iter(kinds))} for row in body["holdings"]]
    else:
        body["cash"] = next(iter(purses.values()), {answers.currency: ZERO})
    known["settings"] = {**known.get("settings", {}), "residence": answers.residence}
    return usable(*portfolio_from_data(known, "portfolio")), quotes


def _known_targets(answers: FirstAnswers) -> dict[str, Any]:
    """Return the document of the targets: a model's with its rules, or the person's own as a plain list."""
    if not answers.model:
        rows = [{"ticker": symbol, "weight": Decimal(text) / 100} for symbol, text in answers.targets.items()]
        return {"portfolio": {"targets": rows}}
    import yaml

    from engine.data.write import dump_portfolio
    from templates.models import load

    document: dict[str, Any] = yaml.safe_load(dump_portfolio(load(answers.model).portfolio))
    return document


def _row(one: TypedHolding) -> dict[str, Any]:
    row: dict[str, Any] = {"symbol": one.symbol, "quantity": Decimal(one.quantity), "account": one.account}
    if one.average_cost:
        row["average_cost"] = Decimal(one.average_cost)
    return row


def _exported(
    answers: FirstAnswers,
) -> tuple[list[dict[str, Any]], dict[tuple[str, str], Decimal], dict[str, Quote]]:
    """Return what exports say is held, the cash by account and currency, and their prices, good for one plan.

    Each file is one account's, whatever the export calls it.
    """
    from rebalancer.importing import import_files

    held: list[dict[str, Any]] = []
    cash: dict[tuple[str, str], Decimal] = {}
    quotes: dict[str, Quote] = {}
    for path, account in answers.files.items():
        imported = import_files([Path(path)], broker=account, currency=answers.currency)
        portfolio = imported.portfolio
        day = imported.statements[0].as_of
        moment = dt.datetime.combine(day, dt.time(), dt.UTC) if day else None
        for one in portfolio.holdings:
            if one.price is not None:
                currency = portfolio.instruments[one.symbol].currency
                quotes[one.symbol] = Quote(one.symbol, one.price, currency, moment, "export")
            row = {"symbol": one.symbol, "quantity": one.quantity, "account": account}
            held.append(row | ({"average_cost": one.average_cost} if one.average_cost is not None else {}))
        for purse in portfolio.accounts:
            for code, amount in purse.cash.items():
                cash[account, code] = cash.get((account, code), ZERO) + amount
    return held, cash, quotes


def write_first(portfolio: Portfolio, path: Path, lang: Lang) -> None:
    """Write the portfolio as a YAML file or a workbook, before anything is planned. Raises InputError."""
    if path.suffix.lower() in SUFFIXES:
        from engine.data.write import dump_portfolio

        write_whole(path, dump_portfolio(portfolio).encode())
        return
    from templates.report import BookReport
    from templates.write import build

    write_whole(path, build(BookReport(portfolio), lang).to_bytes())


def fresh(quotes: Mapping[str, Quote], day: dt.date) -> Mapping[str, Quote]:
    """Return the prices of exports that are not too old on a day to plan with."""
    return {symbol: quote for symbol, quote in quotes.items() if not aged(quote, day).stale}


def unpriced(portfolio: Portfolio, quotes: Mapping[str, Quote]) -> tuple[str, ...]:
    """Return the symbols and pairs that a plan needs a price of and that nothing gives."""
    from rebalancer.quoting import wanted_symbols

    return tuple(symbol for symbol in wanted_symbols(portfolio, quotes) if symbol not in quotes)


def checked_export(path: str, currency: str) -> Sequence[str]:
    """Return the symbols that a broker's export holds; raises InputError where it cannot be read or says nothing."""
    held, cash, _ = _exported(FirstAnswers(currency=currency, files={path: ""}))
    if not held and not cash:
        raise InputError([error("export-empty", path)])
    return [str(row["symbol"]) for row in held]


def typed_number(text: str) -> str:
    """Return a number as a draft keeps it, from how a person types it, such as 1,500,000; "" for none."""
    number = _number(text)
    return "" if number is None or number < 0 else plain_number(number)
