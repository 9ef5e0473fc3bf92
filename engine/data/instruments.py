"""Which instrument a row means: by code, catalogue name or the document's own description; never by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.data.classes import ASSET_CLASSES, CLASSING, coarse_of, names_class, read_exposure
from engine.data.fields import Fields, Path, Report, to_text
from engine.goals import ClassTree
from engine.market import catalogue
from engine.market.catalogue import Catalogue
from engine.money import ZERO
from engine.phrase import phrase
from engine.portfolio import ASSET_TYPES, MARKETS, UNKNOWN_TYPE, Instrument
from engine.text import fold, is_one_line, percent

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
    """What a document says of one symbol: where it first stands, and each key with its path."""

    path: Path
    said: dict[str, tuple[object, Path]] = field(default_factory=dict)


class Instruments:
    """The instruments that the rows of one document mean, by symbol."""

    def __init__(self, catalogue: Catalogue, report: Report, tree: ClassTree | None = None) -> None:
        self._catalogue = catalogue
        self._report = report
        self._tree = tree or ClassTree()
        self._exposures: dict[str, tuple[Mapping[str, Decimal], Path]] = {}
        self._declared: dict[str, _Declared] = {}
        self._own: dict[str, str] = {}  # folded symbols and names of instruments that the catalogue does not have
        self._suggestions = 0

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._declared

    def declare(self, row: Fields, key: str) -> str | None:
        """Return the symbol that a row's code (under `key`) or name means, and remember the row's description."""
        name = row.text("name")
        if row.given("code"):
            symbol = self._coded(row, key)
            if symbol is None:
                return None
            self._check_name(symbol, name, row)
        elif row.given(key):
            symbol = self._symbol(row.values[key], row.at(key), foreign=row.given("currency"))
            if symbol is None:
                return None
            self._check_name(symbol, name, row)
        elif name:
            symbol = self._symbol(name, row.at("name"), must_be_known=True)
        else:
            row.missing(key, "code")
            return None
        if symbol is not None:
            keys = (one for one in (key, "code", "name") if row.given(one))
            self._remember(symbol, row, row.at(next(keys)))
        return symbol

    def member(self, value: object, path: Path) -> str | None:
        """Return the symbol of one that a target names among others, declared as if it had a row of its own."""
        symbol = self._symbol(value, path)
        if symbol is not None:
            self._remember(symbol, Fields({}, path, self._report, ()), path)
        return symbol

    def meant(self, text: str) -> str | None:
        """Return the symbol of the document's instrument that a text means, or None."""
        found = self._catalogue.find(text)
        symbol = found.symbol if found else self._own.get(fold(text)) or self._own.get(fold(catalogue.canonical(text)))
        return symbol if symbol in self._declared else None

    @property
    def exposures(self) -> dict[str, Mapping[str, Decimal]]:
        """Return what the document says of the classes that instruments are in."""
        return {symbol: exposure for symbol, (exposure, _) in self._exposures.items()}

    def classes_said(self) -> dict[str, Path]:
        """Return the classes that the document says instruments are in, with where it first does."""
        found: dict[str, Path] = {}
        for exposure, path in self._exposures.values():
            for name in exposure:
                found.setdefault(name, path)
        return found

    def classed(self, name: str) -> bool:
        """Tell whether the document puts an instrument into a class, or into one within it."""
        return any(name in self._tree.line(one) for exposure, _ in self._exposures.values() for one in exposure)

    def _coded(self, row: Fields, key: str) -> str | None:
        """Return the symbol of a row that has a `code`: beside it, `key` holds the same instrument's name or code."""
        symbol = self._symbol(row.values["code"], row.at("code"), foreign=row.given("currency"))
        if symbol is None or not row.given(key):
            return symbol
        beside = to_text(row.values[key])
        meant = self._catalogue.find(beside)
        if meant is not None and meant.symbol != symbol:
            entry = self._catalogue.get(symbol)
            actual = entry.instrument.name if entry else ""
            what = phrase("code-is" if actual else "code-is-not", symbol=symbol, actual=actual, name=beside)
            row.error("code", "name-code-mismatch", what=what, name=beside, code=meant.symbol, circulates="")
            return None
        if meant is None and self._catalogue.get(symbol) is None:
            self._own.setdefault(fold(beside), symbol)
        elif meant is None and catalogue.canonical(beside) != symbol:
            known_as = self._catalogue.get(symbol)
            known = known_as.instrument.name if known_as else symbol
            self._report.warning(row.at(key), "name-unknown", symbol=symbol, known=known, name=beside)
        return symbol

    def refer(self, value: object, path: Path) -> str | None:
        """Return the symbol of an instrument that need not be in the portfolio but has to be known."""
        return self._symbol(value, path, must_be_known=True)

    def benchmark(self, text: str, path: Path) -> str | None:
        """Return the symbol of a benchmark: of an instrument, or an index's code as it is written."""
        if self._catalogue.find(text) or fold(text) in self._own or catalogue.lost_zeros(text):
            return self._symbol(text, path)
        self._report.note(path, "not-in-catalogue.benchmark", symbol=text)
        return catalogue.canonical(text)

    def build(self) -> dict[str, Instrument]:
        """Return the instrument of every symbol declared; reports what the document leaves open."""
        built = {symbol: self._instrument(symbol, declared) for symbol, declared in self._declared.items()}
        return {symbol: instrument for symbol, instrument in built.items() if instrument is not None}

    def _symbol(self, value: object, path: Path, *, foreign: bool = False, must_be_known: bool = False) -> str | None:
        if isinstance(value, bool | Mapping | list | tuple):
            self._report.error(path, "wrong-type.code", value=repr(value))
            return None
        text = to_text(value) if value is not None else ""
        if not text or len(text) > MAX_SYMBOL or not is_one_line(text):
            self._report.error(path, "unknown-ticker.length", value=text[:MAX_SYMBOL], most=MAX_SYMBOL)
            return None
        found = self._catalogue.find(text)
        if found:
            return found.symbol
        own = self._own.get(fold(text)) or self._own.get(fold(catalogue.canonical(text)))
        if own:
            return own
        inner = catalogue.undecorated(text)
        if inner and catalogue.shape(catalogue.canonical(text)) is None:
            return inner if self._catalogue.find(inner) or not must_be_known else self._own.get(fold(inner))
        if self._lost_its_zeros(text, path, foreign=foreign):
            return None
        if must_be_known:
            self._unknown(text, path)
            return None
        return catalogue.canonical(text)

    def _lost_its_zeros(self, text: str, path: Path, *, foreign: bool) -> bool:
        """Report a code that lost its zeros; tell whether it did."""
        padded = None if foreign else catalogue.lost_zeros(text)
        if padded:
            named = self._catalogue.find(padded)
            what = f" ({named.name})" if named else ""
            self._report.error(path, "lost-zeros", value=text, digits=len(text), code=padded, name=what)
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
            what = phrase("code-is" if actual else "code-is-not", symbol=symbol, actual=actual, name=name)
            known = phrase("circulates", symbol=symbol, known_as=wrong.circulates_as) if wrong else ""
            row.error("name", "name-code-mismatch", what=what, name=name, code=meant.symbol, circulates=known)
        elif entry and not meant:
            known_as = entry.instrument.name
            self._report.warning(row.at("name"), "name-unknown", symbol=symbol, known=known_as, name=name)

    def _remember(self, symbol: str, row: Fields, path: Path) -> None:
        """Keep what a row says of its instrument; two rows may not contradict each other."""
        declared = self._declared.get(symbol)
        if declared is None:
            declared = self._declared[symbol] = _Declared(path)
            if self._catalogue.get(symbol) is None:
                self._own[fold(symbol)] = symbol
        described = _described(row, self._tree) | self._classed(symbol, row)
        for key, value in described.items():
            before = declared.said.setdefault(key, (value, row.at(key)))
            if before[0] != value:
                place = self._report.where(before[1])
                row.error(key, "conflict.said", symbol=symbol, here=str(value), before=str(before[0]), place=place)
        if "name" in declared.said and self._catalogue.get(symbol) is None:
            self._own.setdefault(fold(str(declared.said["name"][0])), symbol)

    def _classed(self, symbol: str, row: Fields) -> dict[str, object]:
        """Remember the classes that a row says its instrument is in; return the wide one that it is all of."""
        if not any(row.given(key) for key in (*CLASSING, "asset_class")):
            return {}
        exposure = read_exposure(row, self._tree)
        if exposure is None:
            return {}
        key = next(key for key in (*CLASSING, "asset_class") if row.given(key))
        before, path = self._exposures.setdefault(symbol, (exposure, row.at(key)))
        if before != exposure:
            here, other = _told(exposure), _told(before)
            row.error(key, "conflict.said", symbol=symbol, here=here, before=other, place=self._report.where(path))
        coarse = coarse_of(exposure, self._tree)
        if coarse is None and len(exposure) > 1 and self._catalogue.get(symbol) is None:
            coarse = "mixed"
        given = row.given("asset_class") and not names_class(row, self._tree)
        return {} if coarse is None or given else {"asset_class": coarse}

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
            where, given = declared.said["currency"][1], changed["currency"]
            values = {"symbol": symbol, "name": known.name, "currency": known.currency, "given": given}
            self._report.error(where, "conflict.catalogue", **values)
            return None
        for key, value in changed.items():
            values = {"field": key, "symbol": symbol, "here": str(value), "known": str(getattr(known, key))}
            self._report.warning(declared.said[key][1], "overrides-catalogue", **values)
        return replace(known, **changed)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _own_instrument(self, symbol: str, declared: _Declared, said: dict[str, object]) -> Instrument | None:
        currency = said.get("currency") or catalogue.currency_of_market(catalogue.shape(symbol))
        if not isinstance(currency, str):
            self._unknown(symbol, declared.path)
            return None
        self._warn_of_wrong_code(symbol, declared)
        market = said.get("market") or catalogue.market_of_currency(currency)
        named = catalogue.type_in_name(str(said.get("name", "")), str(market))
        if said.get("asset_type"):
            self._report.note(declared.path, "not-in-catalogue", symbol=symbol, currency=currency)
        elif named:
            values = {"symbol": symbol, "currency": currency, "type": named}
            self._report.note(declared.path, "not-in-catalogue.named", **values)
        else:
            self._report.warning(declared.path, "not-in-catalogue.unknown", symbol=symbol, currency=currency)
        taken = {"name": symbol, "market": market, "currency": currency, "asset_type": named or UNKNOWN_TYPE}
        described = taken | said
        return Instrument(symbol=symbol, **described)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _warn_of_wrong_code(self, symbol: str, declared: _Declared) -> None:
        wrong = self._catalogue.wrong_code(symbol)
        if wrong is None or "name" in declared.said:
            return
        actual: object = wrong.actual_name or phrase("another-instrument")
        values = {"symbol": symbol, "actual": actual, "known_as": wrong.circulates_as, "code": wrong.right_code}
        self._report.warning(declared.path, "wrong-code", **values)

    def _unknown(self, text: str, path: Path) -> None:
        self._suggestions += 1
        near = self._catalogue.suggest(text) if self._suggestions <= _MOST_SUGGESTIONS else ()
        if near:
            self._report.error(path, "unknown-ticker.near", value=text, near=near)
        else:
            self._report.error(path, "unknown-ticker", value=text)


def _described(row: Fields, tree: ClassTree) -> dict[str, object]:
    """Return what a row says of its instrument, by the instrument's field names."""
    if not any(key in row.values for key in DESCRIPTION):
        return {}
    found: dict[str, object | None] = {
        "name": row.text("name") or None,
        "name_en": row.text("name_en") or None,
        "currency": row.currency("currency"),
        "market": row.choice("market", MARKETS),
        "asset_type": row.choice("asset_type", ASSET_TYPES),
        "asset_class": None if names_class(row, tree) else row.choice("asset_class", ASSET_CLASSES),
        "leverage": _leverage(row),
        "futures": row.flag("futures"),
        "expense_ratio": row.fraction("expense_ratio"),
        "lot": row.number("lot", ZERO, above=True),
        "taxed_as_dividend": row.flag("taxed_as_dividend"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _told(exposure: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name} {percent(part)}" for name, part in exposure.items())


def _leverage(row: Fields) -> Decimal | None:
    number = row.number("leverage")
    if number is not None and not -5 <= number <= 5:
        row.error("leverage", "out-of-range.leverage", value=number)
        return None
    return number
