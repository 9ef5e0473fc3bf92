"""Which instrument a row means: by code, catalogue name or the document's own description; never by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.document.fields import Fields, to_text
from engine.document.report import Path, Report
from engine.market import symbols
from engine.market.catalogue import Catalogue
from engine.money import ZERO
from engine.portfolio import ASSET_TYPES, MARKETS, Instrument
from engine.text import fold, is_one_line

ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
#: Keys of a holding or a target that describe its instrument.
DESCRIPTION = (
    "name",
    "name_en",
    "currency",
    "market",
    "asset_type",
    "asset_class",
    "leverage",
    "futures",
    "expense_ratio",
    "lot",
    "taxed_as_dividend",
)
#: Longest code, or name in its place.
MAX_SYMBOL = 60
#: Looking for near names takes a few milliseconds each: enough for any file a person mends by hand.
_MOST_SUGGESTIONS = 50


@dataclass(slots=True)
class _Declared:
    """Gather what the document says of one symbol: where it first stands, and each key with its path."""

    path: Path
    said: dict[str, tuple[object, Path]] = field(default_factory=dict)


class Instruments:
    """Resolve the rows of one document to symbols, and build an instrument for each."""

    def __init__(self, catalogue: Catalogue, report: Report) -> None:
        self._catalogue = catalogue
        self._report = report
        self._declared: dict[str, _Declared] = {}
        self._own: dict[str, str] = {}  # folded symbols and names of instruments that the catalogue does not have
        self._suggestions = 0

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._declared

    def declare(self, row: Fields, key: str) -> str | None:
        """Return the symbol that a row's code (under `key`) or name means, and remember the row's description."""
        name = row.text("name")
        if row.given(key):
            symbol = self._symbol(row.values[key], row.at(key), foreign=row.given("currency"))
            if symbol is None:
                return None
            self._check_name(symbol, name, row)
        elif name:
            symbol = self._symbol(name, row.at("name"), must_be_known=True)
        else:
            row.missing(key, "write the instrument's code, or its name in the catalogue")
            return None
        if symbol is not None:
            self._remember(symbol, row, row.at(key if row.given(key) else "name"))
        return symbol

    def refer(self, value: object, path: Path) -> str | None:
        """Return the symbol of an instrument that need not be in the portfolio but has to be known."""
        return self._symbol(value, path, must_be_known=True)

    def benchmark(self, text: str, path: Path) -> str | None:
        """Return the symbol of a benchmark: of an instrument, or an index's code as it is written."""
        if self._catalogue.find(text) or fold(text) in self._own or symbols.lost_zeros(text):
            return self._symbol(text, path)
        self._report.info(path, "not-in-catalogue", f"{text} is not in the catalogue: its history has to be found")
        return symbols.canonical(text)

    def build(self) -> dict[str, Instrument]:
        """Return the instrument of every symbol declared; reports what the document leaves open."""
        built = {symbol: self._instrument(symbol, declared) for symbol, declared in self._declared.items()}
        return {symbol: instrument for symbol, instrument in built.items() if instrument is not None}

    def _symbol(self, value: object, path: Path, *, foreign: bool = False, must_be_known: bool = False) -> str | None:
        if isinstance(value, bool | Mapping | list | tuple):
            self._report.error(path, "wrong-type", f"{value!r} is not a code: write one such as 069500 or QQQ")
            return None
        text = to_text(value) if value is not None else ""
        if not text or len(text) > MAX_SYMBOL or not is_one_line(text):
            message = f"{text[:MAX_SYMBOL]!r} is not a code: write one of up to {MAX_SYMBOL} characters on one line"
            self._report.error(path, "unknown-ticker", message)
            return None
        found = self._catalogue.find(text)
        if found:
            return found.symbol
        own = self._own.get(fold(text)) or self._own.get(fold(symbols.canonical(text)))
        if own:
            return own
        if self._is_misspelt(text, path, foreign=foreign):
            return None
        if must_be_known:
            self._unknown(text, path)
            return None
        return symbols.canonical(text)

    def _is_misspelt(self, text: str, path: Path, *, foreign: bool) -> bool:
        """Report a code that lost its zeros, or that stands in a broker's form; tell whether it does."""
        padded = None if foreign else symbols.lost_zeros(text)
        inner = symbols.undecorated(text)
        if padded:
            named = self._catalogue.find(padded)
            what = f" ({named.name})" if named else ""
            message = f"{text} has {len(text)} digits, a Korean code six: if zeros were lost, write {padded!r}{what}"
            self._report.error(path, "lost-zeros", message)
        elif inner and symbols.shape(symbols.canonical(text)) is None:
            self._report.error(path, "unknown-ticker", f"{text} is a broker's form of a code: write {inner!r}")
            return True
        return padded is not None

    def _check_name(self, symbol: str, name: str, row: Fields) -> None:
        """Report a name that belongs to another instrument than the code."""
        if not name:
            return
        meant = self._catalogue.find(name)
        entry = self._catalogue.get(symbol)
        wrong = self._catalogue.wrong_code(symbol)
        if meant and meant.symbol != symbol:
            actual = entry.instrument.name if entry else wrong.actual_name if wrong else ""
            is_what = f"is {actual}" if actual else "is not the code of that"
            note = f"; {symbol} circulates wrongly as {wrong.circulates_as}" if wrong else ""
            message = (
                f"code and name disagree: {symbol} {is_what}, and {name} is {meant.symbol}{note}: "
                f"write {meant.symbol!r} or correct the name"
            )
            row.error("name", "name-code-mismatch", message)
        elif entry and not meant:
            message = f"the catalogue calls {symbol} {entry.instrument.name}, this row {name}: check that they are one"
            self._report.warning(row.at("name"), "name-unknown", message)

    def _remember(self, symbol: str, row: Fields, path: Path) -> None:
        """Keep what a row says of its instrument; two rows may not contradict each other."""
        declared = self._declared.get(symbol)
        if declared is None:
            declared = self._declared[symbol] = _Declared(path)
            if self._catalogue.get(symbol) is None:
                self._own[fold(symbol)] = symbol
        for key, value in _described(row).items():
            before = declared.said.setdefault(key, (value, row.at(key)))
            if before[0] != value:
                message = f"{key} of {symbol} is {value} here and {before[0]} at {self._report.where(before[1])}"
                row.error(key, "conflict", f"{message}: write one of them")
        if "name" in declared.said and self._catalogue.get(symbol) is None:
            self._own.setdefault(fold(str(declared.said["name"][0])), symbol)

    def _instrument(self, symbol: str, declared: _Declared) -> Instrument | None:
        said = {key: value for key, (value, _) in declared.said.items()}
        entry = self._catalogue.get(symbol)
        if entry is None:
            return self._own_instrument(symbol, declared, said)
        self._warn_of_wrong_code(symbol, declared)
        known = entry.instrument
        said.pop("name", None)
        said.pop("name_en", None)
        changed = {key: value for key, value in said.items() if value != getattr(known, key)}
        if "currency" in changed:
            message = (
                f"{symbol} ({known.name}) trades in {known.currency}, not {changed['currency']}: correct or drop it"
            )
            self._report.error(declared.said["currency"][1], "conflict", message)
            return None
        for key, value in changed.items():
            message = (
                f"{key} of {symbol} is {value} here and {getattr(known, key)} in the catalogue: this document counts"
            )
            self._report.warning(declared.said[key][1], "overrides-catalogue", message)
        return replace(known, **changed)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _own_instrument(self, symbol: str, declared: _Declared, said: dict[str, object]) -> Instrument | None:
        currency = said.get("currency") or symbols.currency_of_market(symbols.shape(symbol))
        if not isinstance(currency, str):
            self._unknown(symbol, declared.path)
            return None
        self._warn_of_wrong_code(symbol, declared)
        asset_type = said.get("asset_type")
        note = "" if asset_type else "; it counts as a stock: say asset_type if it is not"
        message = f"{symbol} is not in the catalogue: taken in {currency} as this document says{note}"
        self._report.add("info" if asset_type else "warning", declared.path, "not-in-catalogue", message)
        described = {"name": symbol, "market": symbols.market_of_currency(currency), "currency": currency} | said
        return Instrument(symbol=symbol, **described)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _warn_of_wrong_code(self, symbol: str, declared: _Declared) -> None:
        wrong = self._catalogue.wrong_code(symbol)
        if wrong is None or "name" in declared.said:
            return
        actual = f"is {wrong.actual_name}" if wrong.actual_name else "is another instrument"
        message = (
            f"{symbol} {actual}; lists that circulate give it as {wrong.circulates_as}, which is {wrong.right_code}: "
            "check which is meant, and give the name beside the code"
        )
        self._report.warning(declared.path, "wrong-code", message)

    def _unknown(self, text: str, path: Path) -> None:
        self._suggestions += 1
        near = self._catalogue.suggest(text) if self._suggestions <= _MOST_SUGGESTIONS else ()
        repair = f"did you mean {', '.join(near)}? " if near else ""
        message = f"{text} is neither a known code nor a name of the catalogue: {repair}"
        message += "for an instrument of your own, hold it with its currency (quantity 0 will do)"
        self._report.error(path, "unknown-ticker", message)


def _described(row: Fields) -> dict[str, object]:
    """Return what a row says of its instrument, by the instrument's field names."""
    if not any(key in row.values for key in DESCRIPTION):
        return {}
    found: dict[str, object | None] = {
        "name": row.text("name") or None,
        "name_en": row.text("name_en") or None,
        "currency": row.currency("currency"),
        "market": row.choice("market", MARKETS),
        "asset_type": row.choice("asset_type", ASSET_TYPES),
        "asset_class": row.choice("asset_class", ASSET_CLASSES),
        "leverage": _leverage(row),
        "futures": row.flag("futures"),
        "expense_ratio": row.fraction("expense_ratio"),
        "lot": row.number("lot", ZERO, above=True),
        "taxed_as_dividend": row.flag("taxed_as_dividend"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _leverage(row: Fields) -> Decimal | None:
    number = row.number("leverage")
    if number is not None and not -5 <= number <= 5:
        row.error("leverage", "out-of-range", f"leverage is {number}: write -5 to 5, such as 1, 2 or -1")
        return None
    return number
